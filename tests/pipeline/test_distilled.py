"""Sampling with a network that has the guidance in it."""

import dataclasses
import logging

import pytest
import torch

from jen1cli import Jen1
from jen1cli.checkpoint import load_weight_set, read_description, save_weight_set
from jen1cli.config import GenerationConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.pipeline import replay
from jen1cli.sampling import Sampling
from jen1cli.scale.requests import PieceRequest
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import LoraConfig, add_lora, lora_tensors, save_lora

SHORT = {"seconds": 0.3, "seed": 1}


@pytest.fixture(scope="module")
def folder(tiny_folder, tmp_path_factory):
    """The tiny weight set with a random change for three steps."""
    config, tensors = load_weight_set(tiny_folder)
    generation = dataclasses.replace(config.generation, distilled_steps=3)
    unet = UNet1d(config.unet)
    add_lora(unet, 2)
    torch.manual_seed(0)
    tensors["distilled"] = {
        name: 0.1 * torch.randn_like(tensor) for name, tensor in lora_tensors(unet).items()
    }
    return save_weight_set(
        tmp_path_factory.mktemp("distilled") / "set",
        dataclasses.replace(config, generation=generation),
        tensors,
        text_encoder=tiny_folder / "text_encoder",
    )


@pytest.fixture(scope="module")
def model(folder):
    """That weight set, loaded."""
    return Jen1.load(folder, device="cpu", dtype="fp32")


@pytest.fixture
def calls(model):
    """Counts the passes of either network, which the test clears."""
    counts = {"guided": 0, "distilled": 0}
    unets = {"guided": model.networks.call_unet, "distilled": model.networks.call_distilled}

    def counter(name):
        return lambda *_: counts.update({name: counts[name] + 1})

    hooks = [unet.register_forward_pre_hook(counter(name)) for name, unet in unets.items()]
    yield counts
    for hook in hooks:
        hook.remove()


def test_it_is_used_where_the_guidance_is_the_models_own(model, calls, tone):
    scale = model.config.generation.guidance_scale
    music = model.generate("soft piano", guidance_scale=scale, **SHORT)
    assert calls == {"guided": 0, "distilled": 3}
    assert (music.recipe.distilled, music.recipe.steps) == (True, 3)
    assert torch.equal(model.again(music.recipe).waveform, music.waveform)
    calls.update(distilled=0)
    edit = model.continue_(
        torch.from_numpy(tone(0.5)), 0.2, "drums", sample_rate=48_000, seed=1, steps=2
    )
    assert edit.recipe.distilled
    assert calls == {"guided": 0, "distilled": 2}


def test_a_set_may_prefer_it_for_edits_alone():
    generation = GenerationConfig(distilled_steps=3, prefers_distilled=False, steps=8)
    piece = Sampling.over(generation, {})
    assert (piece.distilled, piece.steps) == (False, 8)
    asked = Sampling.over(generation, {"distilled": True})
    assert (asked.distilled, asked.steps) == (True, 3)
    edit = Sampling.over(generation.for_edits(), {})
    assert (edit.distilled, edit.steps) == (True, 3)


@pytest.mark.parametrize("continuation", ["bidirectional", "unidirectional"])
def test_a_direction_that_it_has_not_learned_is_guided(continuation):
    generation = GenerationConfig(distilled_steps=3, steps=8, continuation=continuation)
    learned = continuation == "unidirectional"
    assert Sampling.over(generation, {}, "unidirectional").distilled == learned
    assert Sampling.over(generation, {}, "bidirectional").distilled
    if not learned:
        with pytest.raises(ConfigError, match="the direction cannot differ"):
            Sampling.over(generation, {"distilled": True}, "unidirectional")


@pytest.mark.heavy
def test_a_direction_reaches_the_choice_of_the_network(folder, tone):
    model = Jen1.load(folder, device="cpu", dtype="fp32")
    generation = dataclasses.replace(model.config.generation, continuation="bidirectional")
    model.config = dataclasses.replace(model.config, generation=generation)
    sound = {"sample_rate": 48_000, "seed": 1, "steps": 1, "novelty": 1.0}
    source = torch.from_numpy(tone(0.5))
    for direction, distilled in (("bidirectional", True), ("unidirectional", False)):
        made = model.generate("soft piano", direction=direction, steps=1, **SHORT)
        assert made.recipe.distilled == distilled
        assert model.stream("piano", direction=direction, **SHORT).recipe.distilled == distilled
        edit = model.continue_(source, 0.2, direction=direction, **sound)
        assert edit.recipe.distilled == distilled
    assert model.continue_(
        source, 0.2, before=True, direction="unidirectional", **sound
    ).recipe.distilled


def test_a_negative_prompt_is_sampled_apart_from_others():
    plain, denied = (
        PieceRequest("lofi", 1, 0.3, options=options)
        for options in ({}, {"negative_prompt": "drums"})
    )
    assert plain.kind != denied.kind


def test_a_lora_over_it_is_recorded_once(folder, tmp_path):
    config, _ = load_weight_set(folder)
    unet = UNet1d(config.unet)
    add_lora(unet, 2)
    path = tmp_path / "lora.safetensors"
    digest = read_description(folder).sha256
    save_lora(path, unet, LoraConfig(2, 2.0, config.name, config.unet, base_sha256=digest))
    made = Jen1.load(folder, device="cpu", loras={path: 1.0}).generate("piano", **SHORT)
    assert len(made.recipe.model.loras) == 1


def test_without_it_the_model_is_the_one_that_it_was(model, calls, tiny):
    music = model.generate("soft piano", distilled=False, steps=2, **SHORT)
    assert calls["distilled"] == 0
    assert "distilled" not in music.recipe.to_dict()
    assert torch.equal(music.waveform, tiny.generate("soft piano", steps=2, **SHORT).waveform)


@pytest.mark.parametrize(
    "own", [{"guidance_scale": 5.0}, {"negative_prompt": "drums"}, {"guidance_rescale": 0.5}]
)
def test_another_guidance_takes_the_guided_network(model, calls, own):
    music = model.generate("soft piano", **own, **SHORT)
    assert calls["distilled"] == 0
    assert (music.recipe.distilled, music.recipe.steps) == (False, model.config.generation.steps)
    with pytest.raises(ConfigError, match=f"{next(iter(own))} cannot differ in the distilled"):
        model.generate("soft piano", distilled=True, **own, **SHORT)


def test_only_true_and_false_choose_the_network(model):
    with pytest.raises(ConfigError, match="distilled is 'yes'; give true or false"):
        model.generate("soft piano", distilled="yes", **SHORT)


def test_variations_with_another_guidance_take_the_models_steps(model):
    recipe = model.generate("soft piano", **SHORT).recipe
    assert model.vary(recipe, seed=2).recipe.distilled
    assert model.vary(recipe, seed=2).recipe.steps == 3
    for own in ({"guidance_scale": 5.0}, {"distilled": False}):
        varied = model.vary(recipe, **own).recipe
        assert (varied.distilled, varied.steps) == (False, model.config.generation.steps)


def test_a_model_without_one_refuses_it_and_follows_its_recipes_with_guidance(model, tiny, caplog):
    recipe = model.generate("soft piano", **SHORT).recipe
    with pytest.raises(ConfigError, match="make one with jen1 train distill"):
        tiny.generate("soft piano", distilled=True, **SHORT)
    with caplog.at_level(logging.WARNING):
        settled = replay.settle(tiny, recipe)
    assert (settled.distilled, settled.steps) == (False, tiny.config.generation.steps)
    assert "made by other weights" in caplog.text


def test_a_model_with_another_guidance_follows_its_recipes_with_guidance(folder, model):
    recipe = model.generate("soft piano", **SHORT).recipe
    other = Jen1.load(folder, device="cpu", dtype="fp32")
    generation = dataclasses.replace(other.config.generation, guidance_scale=1.7)
    other.config = dataclasses.replace(other.config, generation=generation)
    settled = replay.settle(other, recipe)
    assert (settled.distilled, settled.steps) == (False, generation.steps)
    assert other.again(settled).recipe.guidance_scale == recipe.guidance_scale


def test_loops_are_made_with_it(model, calls):
    model.generate("jazz trio at 240 bpm", loop_bars=1, seed=1, composer="rules")
    assert calls == {"guided": 0, "distilled": 3}


def test_a_set_without_its_file_is_damaged(folder, tmp_path):
    config, tensors = load_weight_set(folder)
    del tensors["distilled"][min(tensors["distilled"])]
    broken = save_weight_set(
        tmp_path / "set", config, tensors, text_encoder=folder / "text_encoder"
    )
    with pytest.raises(CheckpointError, match=r"distilled\.safetensors does not"):
        Jen1.load(broken, device="cpu")
    (broken / "distilled.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"distilled\.safetensors is missing"):
        Jen1.load(broken, device="cpu")
