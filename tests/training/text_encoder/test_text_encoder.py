import json
import random
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer

from jen1cli.conditioning import TextEncoder
from jen1cli.config import TextConfig
from jen1cli.errors import CheckpointError, DataError
from jen1cli.music.controls import BEATS
from jen1cli.music.keys import MODES
from jen1cli.training.text_encoder.data import (
    LOWEST_BPM,
    HeadTargets,
    encode_targets,
    read_captions,
    states_key,
    states_tempo,
)
from jen1cli.training.text_encoder.distillation import (
    TextEncoderTrainingConfig,
    likeness_loss,
    tempo_loss,
    train_text_encoder,
)
from jen1cli.training.text_encoder.english import read_english
from jen1cli.training.text_encoder.job import measure_text_encoder, write_card
from jen1cli.training.text_encoder.models import Reader, StudentConfig, Teacher, load_student, pool
from jen1cli.training.text_encoder.prompts import (
    METER_CLASSES,
    MODE_CLASSES,
    LabelledPrompt,
    PromptWriter,
    misspell,
    style_names,
    words,
)
from jen1cli.training.text_encoder.report import (
    made_up_prompts,
    names_its_style,
    paraphrases,
    probe_tokens,
    retrieve_styles,
)
from jen1cli.training.text_encoder.tokenizer import save_tokenizer, train_tokenizer
from simulated_gpu import SimulatedGpu

PROMPTS = ["Lofi piano at 92 bpm", "dark techno in F# minor, no drums", "cosy rainy-day banger"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([prompt.text for prompt in made_up_prompts(600)], 600)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, tokenizer):
    """A sentence model in the layout of all-MiniLM-L6-v2, with random weights."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("teacher")
    size = BertConfig(
        vocab_size=600,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    torch.manual_seed(0)
    BertModel(size).save_pretrained(str(folder))
    save_tokenizer(tokenizer, folder)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory, teacher):
    folder = tmp_path_factory.mktemp("trained")
    captions = folder / "captions.jsonl"
    caption = {"caption": "lofi beat", "attributes": {"style": "lofi", "instruments": ["rhodes"]}}
    captions.write_text("\n".join([json.dumps(caption)] * 12))
    words_file = folder / "words.txt"
    words_file.write_text("apple\nriver stone\nnine")
    config = TextEncoderTrainingConfig(
        student=StudentConfig(pieces=600, features=16, layers=1, heads=2, feedforward=16),
        steps=12,
        batch_size=32,
        made_up_prompts=300,
        warmup_steps=2,
    )
    data = {"teacher": teacher, "captions": [captions], "texts": [words_file]}
    losses = train_text_encoder(folder / "out", **data, config=config, device="cpu")
    with SimulatedGpu():
        on_gpu = replace(config, steps=1)
        train_text_encoder(folder / "gpu", **data, config=on_gpu, device="cuda")
    return folder / "out", losses


def test_no_text_is_unknown_to_the_tokenizer(tokenizer):
    for text in ("비 오는 날", "🎹 banger", "zyzzyva", "Größe", "\x07"):
        assert "<unk>" not in tokenizer.encode(text).tokens


def test_capitals_accents_and_sharps_do_not_matter(tokenizer):
    assert tokenizer.encode("CAFÉ in F♯").ids == tokenizer.encode("cafe in f#").ids


def test_numbers_are_read_digit_by_digit(tokenizer):
    assert tokenizer.encode("174bpm").tokens[:3] == ["▁1", "7", "4"]
    assert tokenizer.encode("174bpm").ids == tokenizer.encode("174 bpm").ids


def test_text_ends_with_eos_and_pads_with_zero(tokenizer, tmp_path):
    save_tokenizer(tokenizer, tmp_path)
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(str(tmp_path))
    read = loaded(["a", "a longer one"], padding=True)["input_ids"]
    assert read[1][-1] == loaded.eos_token_id == 1
    assert read[0][-1] == loaded.pad_token_id == 0
    assert loaded("")["input_ids"] == [1]


def test_too_few_pieces_are_refused():
    with pytest.raises(ValueError, match="300 pieces"):
        train_tokenizer(["a"], 300)


def test_made_up_prompts_repeat_for_a_seed_and_differ_between_seeds():
    first, again, other = (PromptWriter(seed).write().text for seed in (3, 3, 4))
    assert first == again != other


def test_made_up_prompts_state_their_facts():
    for prompt in made_up_prompts(500):
        if "bpm" in prompt.attributes:
            assert states_tempo(prompt.text.lower(), prompt.attributes["bpm"])
        if "key" in prompt.attributes:
            key, mode = prompt.attributes["key"], prompt.attributes["mode"]
            assert states_key(prompt.text.lower(), key, mode), prompt.text


def test_every_style_has_names_and_hints():
    assert set(words().hints) == set(style_names())
    assert len(style_names()) >= 30


def test_paraphrases_cover_every_style_and_were_not_trained_on():
    asked = paraphrases()
    assert len(asked) >= 200
    assert {style for _, styles in asked for style in styles} == set(style_names())
    said = {hint.lower() for hints in words().hints.values() for hint in hints}
    assert not said & {text.lower() for text, _ in asked}


def test_misspelling_keeps_numbers_and_short_words():
    rng = random.Random(0)
    made = [misspell("in 120 bpm dreamy", rng) for _ in range(50)]
    assert all(text.startswith("in 120 bpm ") for text in made)
    assert any(text != "in 120 bpm dreamy" for text in made)


def test_a_key_counts_only_where_the_text_names_it():
    assert states_key("a waltz in b♭ minor", "A#", "minor")
    assert states_key("loop, e flat major", "D#", "major")
    assert states_key("pads f#m", "F#", "minor")
    assert not states_key("a minor change of c major", "D", "major")


def test_heads_know_every_mode_and_metre():
    assert sorted(MODE_CLASSES) == sorted(MODES)
    assert sorted(METER_CLASSES) == sorted(BEATS)


def test_targets_ignore_what_a_text_does_not_state():
    known = {"style": "drum_and_bass", "bpm": 174.2, "key": "D", "mode": "minor", "drums": True}
    prompts = [
        LabelledPrompt("dnb at 174 bpm", known),
        LabelledPrompt("jungle in D minor", known),
        LabelledPrompt("stone"),
    ]
    goal = encode_targets(prompts, HeadTargets.of(prompts))
    assert goal["style"].tolist() == [0, 0, -1]
    assert goal["drums"].tolist() == [1, 1, -1]
    assert goal["key"].tolist() == [-1, 2, -1]
    assert goal["bpm"].isnan().tolist() == [False, True, True]


def test_captions_of_other_splits_are_left_out(tmp_path):
    lines = [{"captions": ["a", "b"], "split": "train"}, {"captions": ["c"], "split": "test"}]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [prompt.text for prompt in read_captions(tmp_path)] == ["a", "b"]


def test_broken_caption_lines_are_named(tmp_path):
    (tmp_path / "captions.jsonl").write_text('{"caption": "a"}\nnonsense')
    with pytest.raises(DataError, match="line 2"):
        read_captions(tmp_path / "captions.jsonl")


def test_a_folder_without_teacher_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="no sentence model"):
        Teacher(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="no whole sentence model"):
        Teacher(tmp_path)


def test_teacher_gives_unit_vectors_in_the_given_order(teacher):
    master = Teacher(teacher)
    both = master.encode(["a much longer text than the other", "short"])
    assert both.float().norm(dim=-1).sub(1).abs().max() < 1e-2
    assert (both[1] - master.encode(["short"])[0]).abs().max() < 2e-2


def test_pooling_ignores_padding():
    text = torch.randn(1, 4, 3)
    mask = torch.tensor([[True, True, False, False]])
    assert torch.allclose(pool(text, mask), text[:, :2].mean(1))


def test_reader_ignores_padding():
    reader = Reader(3, 2)
    torch.nn.init.normal_(reader.query)
    text = torch.randn(1, 4, 3)
    mask = torch.tensor([[True, True, False, False]])
    assert torch.allclose(reader(text, mask), reader(text[:, :2], mask[:, :2]))


def test_likeness_loss_is_zero_when_likenesses_agree():
    goal = torch.nn.functional.normalize(torch.randn(6, 8), dim=-1)
    turn = torch.linalg.qr(torch.randn(8, 8)).Q
    assert likeness_loss(3.0 * goal @ turn, goal, 0.05) < 1e-4
    assert likeness_loss(torch.randn(6, 8), goal, 0.05) > 0.05


def test_tempo_loss_is_least_at_the_right_tempo():
    bpm = torch.tensor([92.0, float("nan")])

    def at(said: int) -> float:
        logits = torch.zeros(2, 181)
        logits[0, said - LOWEST_BPM] = 8.0
        return float(tempo_loss(logits, bpm))

    assert at(92) < at(93) < at(96)


@pytest.mark.heavy
def test_training_lowers_the_loss_and_writes_what_inference_loads(trained):
    folder, losses = trained
    assert losses["steps"] == 12
    config = TextConfig(source="text_encoder", features=16, max_tokens=64)
    text, mask = TextEncoder.from_folder(folder, config).encode(PROMPTS)
    assert text.shape == (3, mask.shape[1], 16)
    assert mask.sum(1).min() > 4
    assert text.isfinite().all()


@pytest.mark.heavy
def test_saved_encoder_is_half_precision_and_complete(trained):
    folder, _ = trained
    from transformers import T5EncoderModel

    model, info = T5EncoderModel.from_pretrained(str(folder), output_loading_info=True)
    assert not info["missing_keys"]
    assert model.shared.weight.shape == (600, 16)
    size = (folder / "model.safetensors").stat().st_size
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert size < 2.2 * parameters + 4096


@pytest.mark.heavy
def test_saved_encoder_equals_the_library_of_inference(trained):
    folder, _ = trained
    config = TextConfig(source="text_encoder", features=16, max_tokens=64)
    text, mask = TextEncoder.from_folder(folder, config).encode(PROMPTS)
    student = load_student(folder)
    own = student.forward(*student.read(PROMPTS))
    assert (own - text)[mask].abs().max() < 1e-4


@pytest.mark.heavy
def test_training_goes_on_from_an_encoder_with_its_tokenizer(trained, teacher, tmp_path):
    folder, _ = trained
    config = TextEncoderTrainingConfig(steps=1, batch_size=8, made_up_prompts=50, lr=1e-6)
    train_text_encoder(tmp_path / "on", teacher=teacher, init=folder, config=config)
    before, after = load_student(folder), load_student(tmp_path / "on")
    assert before.tokenizer.to_str() == after.tokenizer.to_str()
    assert (before.sentence_vectors(PROMPTS) - after.sentence_vectors(PROMPTS)).abs().max() < 0.01


def test_retrieval_is_perfect_for_a_perfect_encoder():
    asked = [("x1", ["x"]), ("y1", ["y", "x"]), ("z1", ["z"])]

    def encode(texts):
        rows = torch.eye(3)
        return torch.stack([rows["xyz".index(text[0])] for text in texts])

    found = retrieve_styles(encode, asked, {"x": ["x"], "y": ["y"], "z": ["z"]})
    assert found["top1"] == 1.0
    wrong = retrieve_styles(encode, [("x1", ["y"])], {"x": ["x"], "y": ["y"], "z": ["z"]})
    assert wrong["top1"] == 0.0


def test_prompts_that_name_their_style_are_told_from_those_that_do_not():
    assert names_its_style("a slow Boom Bap loop", ["boom bap"])
    assert not names_its_style("dusty MPC break for a rapper", ["boom bap"])


def test_wordnet_gives_words_definitions_and_examples(tmp_path):
    entry = '00001 00 s 02 cosy 0 snug 0 001 & 1 a 0 | giving warmth; "a cosy warm nook"'
    name = "00002 03 n 01 Paris 0 000 | the capital of France"
    (tmp_path / "data.adj").write_text(f"  1 licence\n{entry}\n{name}\n")
    assert read_english(tmp_path) == ["cosy", "cosy, snug", "a cosy warm nook"]


def test_a_folder_without_wordnet_is_refused(tmp_path):
    with pytest.raises(DataError, match="no WordNet"):
        read_english(tmp_path)


@pytest.mark.heavy
def test_figures_and_card_are_complete(trained, teacher):
    folder, _ = trained
    figures = measure_text_encoder(folder, teacher=teacher, prompts=900, steps=2)
    assert 0.0 <= figures["retrieval_names_top1"] <= figures["retrieval_names_top3"] <= 1.0
    assert {"teacher_names_top1", "probe_bpm", "encode_milliseconds"} <= set(figures)
    write_card(folder, figures, "State: test.")
    card = (folder / "README.md").read_text("utf-8")
    assert "State: test." in card
    assert f"| parameters | {figures['parameters']:,.4g} |" in card


@pytest.mark.heavy
def test_probes_read_facts_from_tokens(trained):
    folder, _ = trained
    report = probe_tokens(load_student(folder), made_up_prompts(900), steps=5)
    assert {"key", "mode", "drums", "style", "bpm", "instruments", "absent"} <= set(report)
    assert all(0.0 <= value <= 1.0 for value in report.values())
