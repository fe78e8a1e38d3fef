"""The composer of new pieces: rules of styles, learned predictors, or text alone."""

import copy
import dataclasses
import subprocess
import sys

import pytest
import torch

from jen1cli import Controls
from jen1cli.conditioning.controls.channels import control_channels
from jen1cli.conditioning.style_classifier import StyleClassifier
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.music.controls import (
    BEAT_AND_KEY_CHANNELS,
    CHANNELS_WITH_CHORDS,
    CHANNELS_WITH_SCORE,
    CONTROL_CHANNELS,
    NO_CONTROLS,
)
from jen1cli.music.full_score import FAMILIES, SCORE_GROUPS, FullScore, ScorePart
from jen1cli.recipe import Recipe

SHORT = {"seconds": 0.4, "steps": 1}


@pytest.fixture
def model(tiny):
    """A model of its own, to be changed."""
    return copy.deepcopy(tiny)


def settings(model, prompt, **options):
    return model.generate(prompt, **SHORT, **options).recipe


def with_classifier(model, style):
    """Give the model a classifier that finds one style in every text."""
    features = model.config.text.features
    bias = torch.tensor([9.0, 0.0])
    model.networks.text_encoder.styles = StyleClassifier(
        (style, "lofi"), torch.zeros(features, 2), bias
    )


def test_the_default_is_learned_and_said(tiny):
    recipe = settings(tiny, "celtic", seed=1)
    assert (recipe.composer, recipe.style) == ("learned", "")
    assert recipe.controls.bpm


def test_the_weight_set_names_its_composer(model):
    generation = dataclasses.replace(model.config.generation, composer="rules")
    model.config = dataclasses.replace(model.config, generation=generation)
    assert settings(model, "celtic", seed=1).style == "celtic"
    assert model.config.generation.for_edits().composer == "learned"


def test_rules_write_in_the_style_named(tiny):
    recipe = settings(tiny, "irish jig", seed=1, composer="rules", style="celtic")
    assert (recipe.composer, recipe.style, recipe.controls.meter) == ("rules", "celtic", "6/8")
    recipe = settings(tiny, "techno at 130 bpm in F minor, no melody", seed=2, composer="rules")
    controls = recipe.controls
    assert (recipe.style, controls.bpm, controls.key, controls.mode) == (
        "techno", 130.0, "F", "minor",
    )  # fmt: skip
    assert controls.drums.startswith("kick x")
    assert settings(tiny, "x", seed=2, style="samba").composer == "rules"


def test_given_controls_stand_over_the_rules(tiny):
    given = Controls(bpm=77.0, meter="3/4", chords="C | F", drums="none")
    controls = settings(tiny, "rock", seed=1, composer="rules", controls=given).controls
    assert controls == dataclasses.replace(
        given, key=controls.key, mode=controls.mode, melody=controls.melody, score=controls.score
    )
    assert all(part.role != "drums" for part in controls.score.parts)
    assert (controls.key, controls.mode) == ("C", "major")


@pytest.mark.parametrize(
    ("prompt", "style"),
    [("waltz", ""), ("drum loop", "techno"), ("a noise", "sounds"), ("drums", "tribal percussion")],
)
def test_again_makes_the_same_music(tiny, prompt, style):
    music = tiny.generate(prompt, seed=5, composer="rules", style=style, **SHORT)
    again = tiny.again(music.recipe)
    assert torch.equal(again.waveform, music.waveform)
    assert again.recipe == music.recipe
    assert settings(tiny, prompt, seed=5, composer="rules", style=style) == music.recipe


def test_seeds_write_other_scores_and_batches_the_same(tiny):
    found = [settings(tiny, "bossa nova", seed=seed, composer="rules") for seed in (1, 2)]
    assert found[0].controls != found[1].controls
    pieces = tiny.generate_batch(["bossa nova"] * 2, seed=1, composer="rules", **SHORT)
    assert [music.recipe for music in pieces] == found


def test_text_alone_gets_nothing_but_what_is_given(tiny):
    prompt = "techno at 130 bpm in F minor"
    assert settings(tiny, prompt, seed=1, composer="none").controls == NO_CONTROLS
    given = Controls(bpm=90.0)
    assert settings(tiny, prompt, seed=1, composer="none", controls=given).controls == given


def test_words_without_a_name_need_a_classifier(model):
    with pytest.raises(ConfigError, match="'something old' names no style"):
        settings(model, "something old", seed=1, composer="rules")
    with_classifier(model, "baroque")
    assert settings(model, "something old", seed=1, composer="rules").style == "baroque"
    assert settings(model, "", seed=1, composer="rules").style


def test_music_is_written_where_controls_are_given(model):
    with_classifier(model, "sounds")
    for prompt in ("old", "noise"):
        assert settings(model, prompt, seed=1, composer="rules").style == "sounds"
    for prompt, given in (
        ("old at 120 bpm", NO_CONTROLS),
        ("old", Controls(melody="C5 E5")),
        ("noise", Controls(bpm=90.0)),
        ("noise", Controls(drums="none")),
    ):
        recipe = settings(model, prompt, seed=1, composer="rules", controls=given)
        assert recipe.style == "lofi", prompt
        assert recipe.controls.chords, prompt


def test_a_learned_composer_by_name_needs_predictors(model):
    model.networks = dataclasses.replace(model.networks, predictor=None)
    assert settings(model, "rock", seed=1).composer == "none"
    with pytest.raises(ConfigError, match="no learned composer; choose the composer 'rules'"):
        settings(model, "rock", seed=1, composer="learned")
    assert settings(model, "rock", seed=1, composer="none").composer == "none"


@pytest.mark.heavy
def test_the_composer_by_rule_is_loaded_where_it_writes():
    code = (
        "import sys, jen1cli.pipeline.jen1\n"
        "print([name for name in sys.modules if name.startswith('jen1cli.composition')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_makes_no_sense_is_refused(tiny, music):
    with pytest.raises(ConfigError, match="unknown style 'celtik'; did you mean 'celtic'"):
        settings(tiny, "x", composer="rules", style="celtik")
    with pytest.raises(ConfigError, match="unknown composer 'bach'; known: rules, learned, none"):
        settings(tiny, "x", composer="bach")
    with pytest.raises(ConfigError, match="the style 'celtic' is for the composer 'rules'"):
        settings(tiny, "x", composer="none", style="celtic")
    with pytest.raises(ConfigError, match="'rules' writes whole pieces"):
        tiny.inpaint(
            torch.from_numpy(music(1.0)), [(0.3, 0.5)], composer="rules", sample_rate=48_000
        )


def test_edits_by_text_alone_transcribe_nothing(tiny, music):
    options = {"sample_rate": 48_000, "seed": 1, "steps": 1}
    seen = []
    hook = tiny.networks.unet.register_forward_pre_hook(
        lambda module, arguments, named: seen.append(named["context"]), with_kwargs=True
    )
    plain = tiny.inpaint(
        torch.from_numpy(music(2.0)), [(0.8, 1.2)], "at 120 bpm", composer="none", **options
    )
    hook.remove()
    assert plain.recipe.composer == "none"
    controls = tiny.config.unet.control_channels
    assert not any(call[:, -controls:].any() for call in seen)
    assert seen


@pytest.mark.parametrize(
    ("count", "missing"),
    [(CHANNELS_WITH_CHORDS, ("drums", "melody")), (BEAT_AND_KEY_CHANNELS, ("chords", "drums"))],
)
def test_a_network_gets_what_it_takes(model, count, missing):
    from jen1cli.pipeline.composing import write_controls
    from jen1cli.pipeline.denoising import encode_prompts
    from jen1cli.sampling import Sampling

    networks = model.networks
    networks.unet.config = dataclasses.replace(networks.unet.config, control_channels=count)
    sampling = Sampling.over(model.config.generation, {"composer": "rules"})
    prompts = encode_prompts(networks, ["rock"], "", NO_CONTROLS, "rules")
    found = write_controls(networks, prompts, ["rock"], [1], 5.0, sampling).prompts.controls[0]
    assert [getattr(found, name) for name in missing] == ["", ""]
    assert found.bpm


@pytest.mark.heavy
def test_other_languages_give_what_the_same_words_in_english_give(model):
    from jen1cli.pipeline.denoising import encode_prompts, joined_prompts

    spoken, english = (
        encode_prompts(model.networks, [prompt], negative, NO_CONTROLS, "rules")
        for prompt, negative in (
            ("슬픈 재즈 피아노, 90bpm", "드럼"),
            ("sad jazz piano, 90 bpm", "drums"),
        )
    )
    assert spoken.texts == ("sad jazz piano, 90 bpm",)
    assert spoken.controls[0].bpm == 90.0
    assert torch.equal(spoken.text, english.text)
    assert joined_prompts([spoken, english]).texts == 2 * english.texts
    options = {"seed": 1, "composer": "rules"}
    made = [
        settings(model, prompt, **options)
        for prompt in ("빠른 켈틱 음악", "fast celtic music", "música celta rápida")
    ]
    assert [recipe.style for recipe in made] == ["celtic"] * 3
    assert made[0].controls == made[1].controls == made[2].controls
    assert [made[0].prompt, made[2].prompt] == ["빠른 켈틱 음악", "música celta rápida"]


def test_a_network_without_controls_has_no_composer(model):
    unet = model.networks.unet
    from jen1cli.pipeline.composing import write_controls
    from jen1cli.pipeline.denoising import encode_prompts
    from jen1cli.sampling import Sampling

    unet.config = dataclasses.replace(unet.config, control_channels=0)
    networks = dataclasses.replace(model.networks, predictor=None)
    prompts = encode_prompts(networks, ["rock"], "", NO_CONTROLS)
    arguments = (networks, prompts, ["rock"], [1], 5.0)
    sampling = Sampling.over(model.config.generation, {})
    assert write_controls(*arguments, sampling).composer == "none"
    with pytest.raises(ConfigError, match="takes no score"):
        write_controls(*arguments, dataclasses.replace(sampling, composer="rules"))


def test_a_classifier_is_stored_beside_the_encoder(tmp_path):
    weight = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))
    made = StyleClassifier(("lofi", "rock", "celtic"), weight, torch.zeros(3))
    assert StyleClassifier.load(tmp_path, 16) is None
    made.save(tmp_path)
    found = StyleClassifier.load(tmp_path, 16)
    text = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[True, True, True, False, False]])
    expected = (text[0, :3].mean(0) @ weight).softmax(-1)
    shares = found.probabilities(text, mask)
    assert list(shares) == ["lofi", "rock", "celtic"]
    assert list(shares.values()) == pytest.approx(expected.tolist(), abs=1e-3)
    with pytest.raises(CheckpointError, match="a text encoder of 8 features"):
        StyleClassifier.load(tmp_path, 8)
    (tmp_path / "styles.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="cannot read the style classifier"):
        StyleClassifier.load(tmp_path, 16)


# --- the full score ---


def test_the_score_of_the_rules_is_in_the_recipe(tiny):
    """All parts, and the melody is the lead; read back from JSON it is the same."""
    recipe = settings(tiny, "jazz trio", seed=3, composer="rules")
    score = recipe.controls.score
    assert {"bass", "drums"} <= {part.role for part in score.parts}
    assert score.style == "jazz trio"
    assert score.seconds == pytest.approx(SHORT["seconds"])
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.heavy
def test_a_long_score_makes_no_long_recipe(tiny):
    """Ten minutes of dense music: less than 1/200 of the samples, and quick to read."""
    from jen1cli.composition.full_score import full_score
    from jen1cli.composition.pieces.piece import compose_piece

    score = full_score(compose_piece("drum and bass", 1, 600.0))
    count = sum(len(part.notes) for part in score.parts)
    recipe = settings(tiny, "x", seed=1)
    long = dataclasses.replace(recipe, controls=Controls(score=score))
    text = long.to_json()
    assert count > 5000
    assert len(text) < 16 * count + 2000
    assert Recipe.from_json(text) == long


def test_a_given_score_is_filled_where_it_is_open(tiny):
    lead = ScorePart("lead", "woodwinds", ((0.0, 0.2, 72, 0.8),))
    given = FullScore((lead,), 0.4, left_open=("bass", "comping", "drums", "families"))
    asked = Controls(120.0, "4/4", melody="C5", score=given)
    score = settings(tiny, "rock", seed=1, composer="rules", controls=asked).controls.score
    leads = [part for part in score.parts if part.role == "lead"]
    assert [part.notes for part in leads] == [lead.notes]
    assert "bass" in {part.role for part in score.parts}
    assert (score.left_open, score.style) == ((), "rock")


def test_an_upbeat_keeps_its_place_under_the_rules(tiny):
    """What the rules add begins at the bar line before the music, as the given score has it."""
    lead = ScorePart("lead", "woodwinds", ((0.0, 0.2, 72, 0.8),))
    given = FullScore((lead,), 2.0, left_open=("bass", "comping", "drums"))
    asked = Controls(120.0, "4/4", downbeat=-1.5, melody=". . . C5", score=given)
    found = settings(tiny, "rock", seed=1, composer="rules", controls=asked).controls
    assert (found.downbeat, found.score.start) == (-1.5, 0.0)
    bass = next(part for part in found.score.parts if part.role == "bass")
    assert bass.notes[0][0] == pytest.approx(-1.5, abs=0.05)


@pytest.mark.parametrize("composer", ["rules", "learned", "none"])
def test_again_keeps_an_upbeat(tiny, composer):
    """The network is asked again without the score, whose clock is that of the patterns."""
    lead = ScorePart("lead", "woodwinds", ((0.0, 0.2, 72, 0.8),))
    asked = Controls(120.0, "4/4", -1.5, melody=". . . C5 | E5", score=FullScore((lead,), 2.0))
    music = tiny.generate("rock", controls=asked, seed=1, composer=composer, **SHORT)
    assert music.recipe.controls.downbeat == -1.5
    again = tiny.again(music.recipe)
    assert torch.equal(again.waveform, music.waveform)
    assert again.recipe == music.recipe


def test_instruments_choose_the_families_of_the_score(tiny, caplog):
    recipe = settings(tiny, "rock", seed=1, composer="rules", instruments=("piano", "strings"))
    assert {part.family for part in recipe.controls.score.parts} == {"piano", "strings"}
    assert recipe.controls.drums == "none"
    assert recipe.instruments == ("piano", "strings")
    assert caplog.text.count("takes instruments from the words alone") == 1
    caplog.clear()
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert tiny.again(recipe).recipe == recipe
    assert caplog.text == ""


def test_instruments_without_a_score_are_no_notes(tiny, caplog):
    recipe = settings(tiny, "rock", seed=1, composer="learned", instruments=("piano",))
    assert recipe.controls.score is None
    assert "takes instruments from the words alone" in caplog.text
    with pytest.raises(ConfigError, match="unknown instruments 'kazoo'"):
        settings(tiny, "rock", instruments=("kazoo",))


def test_a_network_with_families_gets_them_without_notes(model):
    from jen1cli.pipeline.composing import played_by

    networks = model.networks
    networks.unet.config = dataclasses.replace(
        networks.unet.config, control_channels=CHANNELS_WITH_SCORE
    )
    controls = played_by(networks, Controls(100.0), ("piano", "bass"), 1.0, 2.0)
    channels = control_channels([controls], [0.0], 40, 10.0, CHANNELS_WITH_SCORE)[
        0, CONTROL_CHANNELS:
    ]
    families = channels[SCORE_GROUPS["families"]]
    inside = [index for index in range(len(FAMILIES)) if families[index, 15] > 0]
    assert [FAMILIES[index] for index in inside] == ["piano", "bass"]
    assert families[len(FAMILIES) :, 15].all()
    assert not families[:, 5].any()
    for group in ("bass", "comping", "lead", "drums"):
        assert not channels[SCORE_GROUPS[group]].any()
    assert midi_parts(controls) == []


def midi_parts(controls):
    from jen1cli.midi import Passage

    return Passage(controls, 0.0, 4.0).parts()
