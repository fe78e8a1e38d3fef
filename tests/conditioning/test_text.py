import json
import logging
import subprocess
import sys

import pytest
import torch

from jen1cli.conditioning import TextEncoder, join
from jen1cli.config import TextConfig
from jen1cli.errors import CheckpointError
from jen1cli.presets import TINY
from support import make_text_encoder_folder, unet_inputs, unet_without_zeros

FEATURES = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_text_encoder_folder(tmp_path_factory.mktemp("text") / "text_encoder", FEATURES)


@pytest.fixture(scope="module")
def encoder(folder):
    return TextEncoder.from_folder(folder, TextConfig(features=FEATURES, max_tokens=8))


def learned(folder):
    config = TextConfig(features=FEATURES, max_tokens=8, null_prompt="learned")
    return TextEncoder.from_folder(folder, config)


def test_each_prompt_has_its_tokens_and_the_end(encoder):
    text, mask = encoder.encode(["soft piano", "drums"])
    assert text.shape == (2, 3, FEATURES)
    assert mask.tolist() == [[True, True, True], [True, True, False]]
    assert text[1, 2].abs().max() == 0


def test_embeddings_are_those_of_transformers(encoder, folder):
    from transformers.models.auto.tokenization_auto import AutoTokenizer
    from transformers.models.t5.modeling_t5 import T5EncoderModel

    tokens = AutoTokenizer.from_pretrained(folder)("soft lofi piano", return_tensors="pt")
    with torch.no_grad():
        wanted = T5EncoderModel.from_pretrained(folder)(input_ids=tokens["input_ids"])
    text, _ = encoder.encode(["soft lofi piano"])
    torch.testing.assert_close(text, wanted.last_hidden_state)


def test_padding_leaves_real_tokens_alone(encoder):
    alone, mask = encoder.encode(["soft piano"])
    padded, padded_mask = encoder.encode(["soft piano"], pad_to=128)
    beside, _ = encoder.encode(["soft piano", "slow calm jazz with guitar and bass"])
    torch.testing.assert_close(padded[:, :3], alone, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(beside[:1, :3], alone, atol=1e-6, rtol=1e-5)
    assert padded_mask.sum() == mask.sum() == 3


def test_line_17_padding_to_32_and_128_gives_equal_unet_output(encoder):
    unet = unet_without_zeros(TINY.unet)
    inputs = unet_inputs(TINY.unet, 21, batch=1)
    outputs = []
    for width in (32, 128):
        text, mask = encoder.encode(["soft piano"], pad_to=width)
        outputs.append(unet(**{**inputs, "text": text, "text_mask": mask}))
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
    other = unet(**{**inputs, "text": torch.randn_like(text), "text_mask": mask})
    assert not torch.allclose(other, outputs[0], atol=1e-4)


def test_null_is_the_empty_prompt(encoder):
    text, mask = encoder.null(3)
    empty, empty_mask = encoder.encode([""])
    assert torch.equal(text, empty.expand(3, -1, -1))
    assert torch.equal(mask, empty_mask.expand(3, -1))
    assert mask.any()


def test_learned_null_is_the_only_trainable_and_stored_tensor(folder):
    encoder = learned(folder)
    assert [name for name, _ in encoder.named_parameters()] == ["null_text"]
    assert list(encoder.state_dict()) == ["null_text"]
    encoder.load_state_dict({"null_text": torch.ones(1, 1, FEATURES)}, strict=True)
    text, mask = encoder.null(2)
    text.sum().backward()
    assert torch.equal(text, torch.ones(2, 1, FEATURES))
    assert mask.all()
    assert encoder.null_text.grad.unique().tolist() == [2.0]


def test_encoder_is_frozen_and_without_dropout(folder):
    encoder = learned(folder).train()
    first, _ = encoder.encode(["soft piano"])
    second, _ = encoder.encode(["soft piano"])
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert encoder.num_parameters > 1000


def test_moving_the_encoder_moves_the_hidden_one(folder):
    encoder = learned(folder).to(torch.float64)
    assert encoder.null_text.dtype == torch.float64
    assert encoder._frozen[0].shared.weight.dtype == torch.float64
    assert encoder.encode(["piano"])[0].dtype == torch.float32


def test_long_prompt_is_cut_with_a_warning(encoder, caplog):
    with caplog.at_level(logging.WARNING):
        text, mask = encoder.encode(["piano " * 2000])
    whole, _ = encoder.encode(["piano " * 7])
    assert text.shape[1] == 8
    assert mask.all()
    torch.testing.assert_close(text, whole)
    assert "2001 tokens cut to 8" in caplog.text


@pytest.mark.parametrize("prompt", ["", "   ", "로파이 피아노", "🎹\x00", "x" * 50])
def test_odd_prompts_are_encoded(encoder, prompt):
    text, mask = encoder.encode([prompt])
    assert text.isfinite().all()
    assert mask.any()


def test_no_prompt_at_all_is_refused(encoder):
    with pytest.raises(ValueError, match="at least one"):
        encoder.encode([])


def test_join_pads_to_the_longest(encoder):
    text, mask = join(encoder.encode(["soft lofi piano"]), encoder.null(2))
    assert text.shape == (3, 4, FEATURES)
    assert mask.sum(1).tolist() == [4, 1, 1]


def test_load_takes_the_folder_inside_the_weight_set(folder):
    config = TextConfig(source="text_encoder", features=FEATURES)
    assert TextEncoder.load(config, folder.parent).encode(["piano"])[0].shape == (1, 2, FEATURES)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json"):
        TextEncoder.from_folder(tmp_path, TextConfig(features=FEATURES))


def test_wrong_width_is_refused(folder):
    with pytest.raises(CheckpointError, match="16 features"):
        TextEncoder.from_folder(folder, TextConfig(features=32))


def test_broken_files_are_refused(tmp_path):
    config = TextConfig(features=FEATURES)
    broken = make_text_encoder_folder(tmp_path / "a", FEATURES)
    (broken / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(CheckpointError, match="cannot read the text encoder"):
        TextEncoder.from_folder(broken, config)
    broken = make_text_encoder_folder(tmp_path / "b", FEATURES)
    (broken / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot read the tokenizer"):
        TextEncoder.from_folder(broken, config)


@pytest.mark.parametrize("change", [{"num_layers": 3}, {"num_layers": 1}, {"d_ff": 8}])
def test_missing_unknown_and_misshapen_tensors_are_refused(tmp_path, change):
    folder = make_text_encoder_folder(tmp_path, FEATURES)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, **change}))
    with pytest.raises(CheckpointError, match="does not match its config"):
        TextEncoder.from_folder(folder, TextConfig(features=FEATURES))


def test_a_damaged_number_of_layers_is_refused_before_they_are_built(tmp_path):
    folder = make_text_encoder_folder(tmp_path, FEATURES)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "num_layers": 10**9}))
    with pytest.raises(CheckpointError, match="1000000000 layers, for"):
        TextEncoder.from_folder(folder, TextConfig(features=FEATURES))


@pytest.mark.parametrize("shards", [False, True])
def test_encoder_is_taken_out_of_a_whole_t5(encoder, folder, tmp_path, shards):
    from transformers import T5ForConditionalGeneration
    from transformers.models.t5.configuration_t5 import T5Config

    whole = T5ForConditionalGeneration(T5Config.from_pretrained(folder))
    whole.load_state_dict(encoder._frozen[0].state_dict(), strict=False)
    whole.half().save_pretrained(tmp_path, max_shard_size="20KB" if shards else "1GB")
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == shards
    taken = TextEncoder.from_folder(tmp_path, encoder.config)
    assert taken.num_parameters == encoder.num_parameters
    text, _ = taken.encode(["soft piano"])
    torch.testing.assert_close(text, encoder.encode(["soft piano"])[0], atol=5e-3, rtol=5e-3)


def test_saved_encoder_loads_equal(encoder, tmp_path):
    encoder.save(tmp_path / "deep" / "folder")
    again = TextEncoder.from_folder(tmp_path / "deep" / "folder", encoder.config)
    wanted, mask = encoder.encode(["soft piano"])
    text, again_mask = again.encode(["soft piano"])
    assert torch.equal(text, wanted)
    assert torch.equal(mask, again_mask)


def test_random_encoder_needs_no_files():
    encoder = TextEncoder.random(TextConfig(features=FEATURES, max_tokens=8))
    text, mask = encoder.encode(["abc", ""])
    assert text.shape == (2, 4, FEATURES)
    assert mask.sum(1).tolist() == [4, 1]
    assert text.isfinite().all()


def test_loading_is_silent(folder, capfd):
    TextEncoder.from_folder(folder, TextConfig(features=FEATURES))
    assert capfd.readouterr() == ("", "")


def test_hub_model_that_cannot_be_had_says_what_to_do(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    config = TextConfig(source="google/flan-t5-large", revision="0" * 40)
    with pytest.raises(CheckpointError, match="connect once to download it"):
        TextEncoder.load(config, tmp_path)


def test_hub_model_in_the_cache_needs_no_network(monkeypatch, folder):
    def cached(source, *, revision, local_files_only=False, **_):
        assert (source, revision, local_files_only) == ("some/encoder", "abc", True)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", cached)
    config = TextConfig(source="some/encoder", revision="abc", features=FEATURES)
    assert TextEncoder.load(config, folder).encode(["piano"])[1].sum() == 2


def test_line_18_every_prompt_of_a_batch_is_encoded(encoder):
    text, _ = encoder.encode(["soft piano", "fast drums", "calm bass"])
    assert len({tuple(row.flatten().tolist()) for row in text}) == 3


@pytest.mark.slow
def test_loading_pulls_in_no_heavy_package(folder):
    code = (
        "import sys, pathlib\n"
        "from jen1cli.conditioning import TextEncoder\n"
        "from jen1cli.config import TextConfig\n"
        f"TextEncoder.from_folder(pathlib.Path({str(folder)!r}), TextConfig(features={FEATURES}))\n"
        "bad = {'torch._dynamo', 'sympy', 'torchvision', 'transformers', 'librosa', 'sklearn'}\n"
        "print(sorted(bad & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
