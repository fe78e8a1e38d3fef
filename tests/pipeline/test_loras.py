"""LoRA files through `Jen1.load`: heard, repeated from recipes, refused where they do not fit."""

import dataclasses
import logging

import pytest
import torch

from jen1cli.checkpoint import load_weight_set, read_description
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.pipeline import Jen1
from jen1cli.recipe import RecipeError, read_recipe
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import LoraConfig, add_lora, save_lora

PLACE = {"device": "cpu", "dtype": "fp32"}
SHORT = {"seconds": 0.5, "seed": 3, "steps": 2}


@pytest.fixture
def lora(tiny_folder, tmp_path):
    """A LoRA of the tiny weight set that changes every level."""
    return write(tmp_path / "mine.safetensors", tiny_folder)


def write(path, folder, **changed):
    config, _ = load_weight_set(folder)
    shape = dataclasses.replace(config.unet, **changed)
    torch.manual_seed(0)
    unet = UNet1d(shape)
    add_lora(unet, 2)
    for parameter in unet.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    digest = read_description(folder).sha256
    save_lora(path, unet, LoraConfig(2, 2.0, config.name, shape, base_sha256=digest))
    return path


@pytest.mark.heavy
def test_a_lora_changes_the_music_and_strength_zero_does_not(tiny_folder, lora):
    plain = Jen1.load(tiny_folder, **PLACE).generate("soft piano", **SHORT).waveform
    changed = Jen1.load(tiny_folder, loras={lora: 1.0}, **PLACE).generate("soft piano", **SHORT)
    nothing = Jen1.load(tiny_folder, loras={lora: 0.0}, **PLACE).generate("soft piano", **SHORT)
    assert not torch.allclose(plain, changed.waveform, atol=1e-3)
    assert torch.equal(plain, nothing.waveform)


@pytest.mark.heavy
def test_the_recipe_names_the_lora_and_is_followed_with_it_only(tiny_folder, lora, tmp_path):
    model = Jen1.load(tiny_folder, loras={str(lora): 0.5}, **PLACE)
    music = model.generate("soft piano", **SHORT)
    music.save(tmp_path / "a.wav")
    recipe = read_recipe(tmp_path / "a.wav")
    assert [(item.name, item.strength) for item in recipe.model.loras] == [(str(lora), 0.5)]
    model.again(recipe).save(tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    for loras in ({}, {lora: 0.6}):
        with pytest.raises(RecipeError, match=r"mine\.safetensors:0\.5"):
            Jen1.load(tiny_folder, loras=loras, **PLACE).again(recipe)


@pytest.mark.heavy
def test_other_weights_of_the_same_shape_get_a_warning(tiny_folder, lora, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    Jen1.load(tiny_folder, loras={lora: 1.0}, **PLACE)
    assert "trained on other weights" not in caplog.text
    config, _ = load_weight_set(tiny_folder)
    unet = UNet1d(config.unet)
    add_lora(unet, 2)
    other = LoraConfig(2, 2.0, config.name, config.unet, base_sha256="ab" * 32)
    save_lora(tmp_path / "other.safetensors", unet, other)
    Jen1.load(tiny_folder, loras={tmp_path / "other.safetensors": 1.0}, **PLACE)
    assert "other.safetensors was trained on other weights of" in caplog.text


def test_a_lora_of_another_shape_is_refused(tiny_folder, tmp_path):
    wide = write(tmp_path / "wide.safetensors", tiny_folder, channels=32)
    with pytest.raises(CheckpointError, match=r"differs in 'channels'.*use it with that model"):
        Jen1.load(tiny_folder, loras={wide: 1.0}, **PLACE)


def test_a_rank_above_that_of_all_weights_is_refused(tiny_folder):
    unet = UNet1d(load_weight_set(tiny_folder)[0].unet)
    with pytest.raises(ConfigError, match="rank 100000 is above that of this U-Net's weights"):
        add_lora(unet, 100_000)
