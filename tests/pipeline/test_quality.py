"""The quality of the decoder: how often it refines the phase."""

import json

import numpy as np
import pytest

from jen1cli import Jen1
from jen1cli.errors import ConfigError
from jen1cli.pipeline.networks import with_quality
from jen1cli.presets import preset
from jen1cli.recipe import Recipe, RecipeError


def load(quality):
    return Jen1.from_preset("mini", random_weights=True, seed=3, quality=quality)


@pytest.fixture(scope="module")
def models():
    return {quality: load(quality) for quality in ("draft", "normal", "best")}


def test_each_quality_refines_the_phase_as_often_as_it_says():
    usual = preset("mini").autoencoder.refinements
    rounds = {
        quality: with_quality(preset("mini"), quality).autoencoder.refinements
        for quality in ("draft", "normal", "best")
    }
    assert rounds == {"draft": usual // 4, "normal": usual, "best": 3 * usual}


@pytest.mark.heavy
def test_the_same_music_at_another_quality_differs_in_its_phase_alone(models):
    made = {
        quality: model.generate("piano", seconds=1.0, seed=1, steps=2).waveform.numpy()
        for quality, model in models.items()
    }
    for quality in ("draft", "best"):
        assert np.abs(made[quality] - made["normal"]).max() > 1e-3
        levels = [np.abs(np.fft.rfft(signal, 1024 * 47)).mean() for signal in made.values()]
        assert max(levels) < 1.3 * min(levels)


@pytest.mark.heavy
def test_the_recipe_tells_the_quality_and_is_followed_in_no_other(models):
    best = models["best"].generate("piano", seconds=0.5, seed=1, steps=1)
    recipe = Recipe.from_json(best.recipe.to_json())
    assert recipe.quality == "best"
    again = models["best"].again(recipe)
    np.testing.assert_array_equal(again.waveform.numpy(), best.waveform.numpy())
    with pytest.raises(RecipeError, match=r"quality 'best', .*'normal'"):
        models["normal"].again(recipe)


def test_normal_quality_leaves_recipes_as_they_were(tiny):
    recipe = tiny.generate("piano", seconds=0.2, seed=1, steps=1).recipe
    assert "quality" not in json.loads(recipe.to_json())
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_decoder_that_rebuilds_no_phase_has_one_quality():
    with pytest.raises(ConfigError, match="refines no phase"):
        with_quality(preset("jen1"), "best")
    assert with_quality(preset("jen1"), "normal") == preset("jen1")
