"""The key of the watermark: read from the environment, told apart in recipes."""

import json
import logging

import numpy as np
import pytest

from jen1cli import Jen1
from jen1cli.autoencoder.watermark import FOUND, WatermarkSearch, fingerprint
from jen1cli.errors import ConfigError
from jen1cli.pipeline.replay import settle
from jen1cli.presets import preset
from jen1cli.recipe import Recipe, RecipeError
from jen1cli.scale.models import ModelSource

KEY = "0123456789abcdef"


def load():
    return Jen1.from_preset("mini", random_weights=True, seed=3)


@pytest.fixture(scope="module")
def plain():
    return load()


@pytest.fixture(scope="module")
def keyed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JEN1_WATERMARK_KEY", KEY)
        return load()


def made(model):
    return model.generate("piano", seconds=2.0, seed=1, steps=1)


@pytest.mark.heavy
def test_music_carries_the_watermark_of_the_key(plain, keyed):
    config = preset("mini").autoencoder
    for model, key, other in ((plain, "", KEY), (keyed, KEY, "")):
        mono = made(model).waveform.numpy().mean(0)
        assert WatermarkSearch(config, key)(mono) > FOUND
        assert WatermarkSearch(config, other)(mono) < FOUND


@pytest.mark.heavy
def test_the_recipe_tells_the_key_and_is_followed_with_no_other(plain, keyed, caplog):
    music = made(keyed)
    recipe = Recipe.from_json(music.recipe.to_json())
    assert recipe.watermark == fingerprint(KEY)
    np.testing.assert_array_equal(keyed.again(recipe).waveform.numpy(), music.waveform.numpy())
    with pytest.raises(
        RecipeError, match=rf"the watermark key {fingerprint(KEY)}, .* no watermark"
    ):
        plain.again(recipe)
    with caplog.at_level(logging.WARNING):
        assert settle(plain, recipe).watermark == ""
    assert f"made with the watermark key {fingerprint(KEY)}" in caplog.text


def test_without_a_key_recipes_are_as_they_were(tiny):
    recipe = tiny.generate("piano", seconds=0.2, seed=1, steps=1).recipe
    assert "watermark" not in json.loads(recipe.to_json())
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_decoder_without_noise_phases_takes_no_key(monkeypatch):
    monkeypatch.setenv("JEN1_WATERMARK_KEY", KEY)
    with pytest.raises(ConfigError, match="draws no noise phases, so it writes no watermark"):
        Jen1.from_preset("tiny", random_weights=True)


def test_sets_of_another_key_are_others(monkeypatch):
    source = ModelSource("tiny", random_weights=True)
    before = source.facts()
    assert "watermark" not in before
    monkeypatch.setenv("JEN1_WATERMARK_KEY", KEY)
    assert source.facts() == {**before, "watermark": fingerprint(KEY)}
