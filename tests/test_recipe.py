"""Recipes: a strict round trip through every format, and clear words where there is none."""

import dataclasses
import json

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.midi import Passage
from jen1cli.music.controls import NO_CONTROLS, Controls
from jen1cli.recipe import (
    Copy,
    Recipe,
    RecipeError,
    RecipeInput,
    RecipeModel,
    find_recipe,
    read_recipe,
    readable,
)
from jen1cli.sampling import MAX_STEPS


@pytest.fixture
def recipe():
    return Recipe(
        task="inpaint",
        model=RecipeModel("tiny", "ab" * 32),
        seconds=3.0,
        seed=2**53 + 1,
        prompt="soft 피아노 “ballad” \U0001f3b9 and a\nnew line",
        negative_prompt="drums",
        steps=20,
        sampler="dpmpp-2m",
        guidance_scale=3.5,
        masks=((3.0, 6.0), (7.25, 8.0)),
        input=RecipeInput("in.wav", "cd" * 32, {"any": "thing"}),
        version="0.1.0",
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "aiff"])
def test_a_recipe_comes_back_from_every_format(tmp_path, recipe, noise, suffix):
    path = tmp_path / f"a.{suffix}"
    audio.write(path, noise(0.1), 48_000, recipe=recipe.to_json())
    assert read_recipe(path) == recipe


def test_a_recipe_is_ascii_and_marks_generated_sound(recipe):
    text = recipe.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["ai_generated"] is True


def test_a_prompt_of_10000_letters_fits_everywhere(tmp_path, recipe, noise):
    rng = np.random.default_rng(0)
    words = ["".join(chr(c) for c in rng.integers(0xAC00, 0xD7A3, 4)) for _ in range(300)]
    prompt = " ".join(words[i] for i in rng.integers(0, 300, 2_500))[:10_000]
    long = dataclasses.replace(recipe, prompt=prompt)
    for suffix in ("wav", "flac", "ogg", "opus", "mp3", "aiff"):
        path = tmp_path / f"a.{suffix}"
        audio.write(path, noise(0.1), 48_000, recipe=long.to_json())
        assert read_recipe(path).prompt == prompt


def test_files_without_a_recipe_say_so(tmp_path, noise):
    path = tmp_path / "a.wav"
    audio.write(path, noise(0.1), 48_000)
    with pytest.raises(RecipeError, match=r"a\.wav carries no recipe"):
        read_recipe(path)
    assert find_recipe(path) is None
    audio.write(tmp_path / "b.flac", noise(0.1), 48_000, recipe="a comment of somebody else")
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(tmp_path / "b.flac")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe_version": 99}, "upgrade"),
        ({"generator": "other"}, "no recipe"),
        ({"seeds": 3}, "did you mean 'seed'"),
        ({"seed": "seven"}, "damaged"),
        ({"task": "compose"}, "known: generate"),
    ],
)
def test_unusable_recipes_are_refused_in_words(recipe, change, words):
    with pytest.raises(RecipeError, match=words):
        Recipe.from_dict({**recipe.to_dict(), **change})


def test_composer_and_style_are_recorded_where_they_are_known(recipe):
    assert not {"composer", "style"} & recipe.to_dict().keys()
    made = dataclasses.replace(recipe, composer="rules", style="celtic")
    assert Recipe.from_json(made.to_json()) == made
    with pytest.raises(RecipeError, match="known: rules, learned, none"):
        Recipe.from_dict({**recipe.to_dict(), "composer": "bach"})


def test_a_recipe_from_before_there_were_parts_is_read(recipe):
    values = recipe.to_dict()
    for name in ("chords", "drums", "melody"):
        del values["guide"][name]
    assert Recipe.from_dict(values) == recipe
    del values["guide"]
    assert Recipe.from_dict(values) == recipe


def test_copies_are_described_with_their_number_and_places(recipe):
    assert recipe.describe_edit() == ""
    copies = [Copy(float(i), i + 1.0, 32.0) for i in range(5)] + [Copy(5.0, 5.5, 0.9)]
    changed = Copy(6.0, 8.0, 3.04, novelty=0.6)
    words = dataclasses.replace(recipe, copies=(*copies, changed)).describe_edit()
    assert words == (
        "5.50 s copied from 32.0 s (5 times), 0.9 s, 2.00 s made by changing the music from 3.0 s"
        " (--novelty 1 makes it anew)"
    )


def test_an_edit_says_what_it_heard_and_that_nothing_fits(recipe):
    def words(heard, **change):
        passages = (Passage(heard, 3.0, 6.0),)
        edit = dataclasses.replace(
            recipe, task="inpaint", prompt="", negative_prompt="", passages=passages
        )
        return dataclasses.replace(edit, **change).describe_edit()

    heard = Controls(92.0, "4/4", key="A", mode="minor", chords="Am F")
    new = "nothing in the recording fits, so all is new"
    assert words(heard) == f"{new}, goes on in 92 bpm, A minor"
    assert words(heard, prompt="drums") == "goes on in 92 bpm, A minor"
    assert words(heard, novelty=1.0) == "goes on in 92 bpm, A minor"
    assert words(heard, prompt="drums", composer="none") == ""
    assert words(heard, controls=heard) == ""
    half = Controls(92.0)
    assert words(half, novelty=1.0) == "goes on in 92 bpm, no sure key heard"
    assert words(half, controls=half) == "no sure key heard"
    assert words(NO_CONTROLS, novelty=1.0) == "no sure tempo or key heard"
    assert words(heard, task="generate") == ""


def test_a_copy_that_was_asked_for_follows_nothing(recipe):
    edit = dataclasses.replace(
        recipe, task="inpaint", prompt="drums", novelty=0.0, copies=(Copy(3.0, 4.0, 1.0),)
    )
    assert not edit.follows_controls
    assert edit.describe_edit() == (
        "1.00 s copied from 1.0 s, a copy follows no prompt and no controls"
    )
    plain = {"prompt": "", "negative_prompt": "", "controls": NO_CONTROLS, "variations": ()}
    assert dataclasses.replace(edit, **plain).describe_edit() == "1.00 s copied from 1.0 s"
    assert dataclasses.replace(edit, novelty=0.6).follows_controls
    assert dataclasses.replace(edit, task="generate").follows_controls


@pytest.mark.parametrize("version", [1, 2])
def test_a_stored_recipe_is_read_under_its_own_keys_and_comes_back_as_it_was(version):
    text = (
        '{"task":"generate","model":{"name":"jen1-mini","sha256":"'
        + "8e" * 32
        + '","loras":[]'
        + (',"release":8' if version == 2 else "")
        + '},"seconds":10.0,"seed":1,"prompt":"lofi piano","negative_prompt":"","steps":20,'
        '"sampler":"dpmpp-2m","eta":0.0,"guidance_scale":3.0,"guidance_interval":[0.0,1.0],'
        '"guidance_rescale":0.0,"guide_interval":[0.0,0.8],"context_interval":[0.4,1.0],'
        '"guide":{"bpm":89.0,"meter":"4/4","downbeat":0.0,"key":"D#","mode":"minor",'
        '"chords":"D#m9 | Bmaj9","drums":"none","melody":"none"},"direction":"bidirectional",'
        '"masks":[],"before":false,"context_seconds":5.12,"device":"cpu","dtype":"fp32",'
        '"input":null,"version":"0.1.0","generator":"jen1cli","ai_generated":true,'
        f'"recipe_version":{version}}}'
    )
    recipe = Recipe.from_json(text)
    assert recipe.controls == Controls(
        89.0, "4/4", 0.0, "D#", "minor", "D#m9 | Bmaj9", "none", "none"
    )
    assert recipe.control_guidance_interval == (0.0, 0.8)
    assert recipe.context_guidance_interval == (0.4, 1.0)
    assert recipe.to_json() == text
    with pytest.raises(RecipeError, match="unknown key 'controls'"):
        Recipe.from_json(text.replace('"guide":', '"controls":'))
    with pytest.raises(RecipeError, match=r"recipe\.guide\.bpm must be a number"):
        Recipe.from_json(text.replace("89.0", '"fast"'))


def test_missing_fields_and_other_json_are_refused(recipe):
    values = recipe.to_dict()
    del values["seed"]
    with pytest.raises(RecipeError, match="lacks the key 'seed'"):
        Recipe.from_dict(values)
    for text in ("", "[]", "3", "null", "{"):
        with pytest.raises(RecipeError, match="no recipe"):
            Recipe.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2**70},
        {"seconds": -1.0},
        {"seconds": 1e300},
        {"steps": -1},
        {"steps": MAX_STEPS + 1},
        {"masks": [[2.0, 1.0]]},
    ],
)
def test_numbers_that_no_music_was_made_with_are_refused(recipe, change):
    with pytest.raises(RecipeError, match=f"recipe.{next(iter(change))} is .* out of range"):
        Recipe.from_dict({**recipe.to_dict(), **change})


@pytest.mark.parametrize(
    "text", ['{"generator": "jen1cli", "seed": NaN}', '{"jen1cli": ' + "[" * 9999]
)
def test_recipes_that_are_no_strict_json_are_damaged(text):
    with pytest.raises(RecipeError, match=r"damaged recipe: it (has a number|is nested)"):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    ("start", "stop", "downbeat"), [(0.0, 1e300, 0.0), (3.0, 1.0, 0.0), (0.0, 1.0, -1e300)]
)
def test_passages_that_never_end_are_refused(start, stop, downbeat):
    """Their notes would be counted for ever."""
    controls = Controls(120.0, "4/4", downbeat, chords="C | F", drums="kick x")
    recipe = Recipe(
        "inpaint", RecipeModel("tiny", "a" * 64), 1.0, 7, passages=(Passage(controls, start, stop),)
    )
    with pytest.raises(RecipeError, match="out of range"):
        Recipe.from_json(recipe.to_json())


def test_passages_come_back_and_are_left_out_if_there_are_none():
    controls = Controls(120.0, "4/4", chords="C | F")
    recipe = Recipe(
        "inpaint", RecipeModel("tiny", "a" * 64), 1.0, 7, passages=(Passage(controls, 1.0, 2.0),)
    )
    assert Recipe.from_json(recipe.to_json()) == recipe
    plain = Recipe("inpaint", RecipeModel("tiny", "a" * 64), 1.0, 7).to_dict()
    assert not {"passages", "instruments"} & plain.keys()


@pytest.mark.parametrize(
    "inner",
    [{"any": "thing"}, {"input": "text"}, {"input": {"recipe": 3}}, {"guide": []}, {"passages": 1}],
)
def test_the_recipe_of_an_input_may_be_anything(recipe, inner):
    edited = dataclasses.replace(recipe, input=RecipeInput("in.wav", "cd" * 32, inner))
    assert readable(edited.to_dict())["input"]["recipe"] == inner
    whole = dataclasses.replace(recipe, input=RecipeInput("in.wav", "cd" * 32, recipe.to_dict()))
    assert readable(whole.to_dict())["input"]["recipe"] == recipe.to_dict()
