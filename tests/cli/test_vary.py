"""`jen1 vary`: names, options, and what it refuses."""

import json
from pathlib import Path

import pytest

from jen1cli.recipe import read_recipe
from jen1cli.sampling import Variation


@pytest.fixture
def made(jen1, model):
    jen1("generate", "lofi piano", "-s", "0.5", "--seed", "3", "-o", "a.wav", "--bpm", "92")
    model.calls.clear()
    return Path("a.wav")


def asked(model):
    return [arguments for name, arguments in model.calls if name == "vary"]


def test_four_variations_have_four_seeds(jen1, model, made):
    result = jen1("vary", "a.wav", "-n", "4", "--seed", "10", "--json")
    assert result.code == 0, result.err
    facts = [json.loads(line) for line in result.out.splitlines()]
    assert [item["path"] for item in facts] == [f"a-vary-{seed}.wav" for seed in range(10, 14)]
    assert [item["settings"]["variations"] for item in facts] == [
        [{"seed": seed, "amount": 1.0}] for seed in range(10, 14)
    ]
    assert read_recipe(Path("a-vary-12.wav")).variations == (Variation(12, 1.0),)
    assert read_recipe(Path("a-vary-12.wav")).seed == 3


def test_the_amount_is_told_and_shown(jen1, model, made):
    result = jen1("vary", "a.wav", "--amount", "0.3", "--seed", "5", "-o", "b.flac")
    assert "seed 3, 0.3 of seed 5" in result.err
    assert "    variations                 0.3 of seed 5" in jen1("info", "b.flac").out
    assert jen1("again", "b.flac", "-o", "c.flac").code == 0
    assert Path("b.flac").read_bytes() == Path("c.flac").read_bytes()


def test_words_and_controls_keep_the_noise(jen1, model, made):
    assert jen1("vary", "a.wav", "same, with strings", "-o", "b.wav").code == 0
    assert jen1("vary", "a.wav", "--chords", "Dm G", "-o", "c.wav").code == 0
    assert [item["amount"] for item in asked(model)] == [0.0, 0.0]
    assert read_recipe(Path("b.wav")).prompt == "lofi piano, with strings"
    controls = read_recipe(Path("c.wav")).controls
    assert (controls.bpm, controls.chords) == (92.0, "Dm | G")
    assert jen1("vary", "a.wav", "techno", "-a", "0.5", "-n", "2", "-o", "d.wav").code == 0
    assert [item["amount"] for item in asked(model)[2:]] == [0.5, 0.5]


def test_the_same_noise_has_the_name_of_its_seed(jen1, model, made):
    result = jen1("vary", "a.wav", "same, with strings")
    assert result.out.strip() == "a-vary-3.wav"
    assert read_recipe(Path("a-vary-3.wav")).seed == 3


def test_an_edit_is_varied_from_its_input(jen1, model, take):
    jen1("inpaint", take, "--mask", "0.5-1s", "-o", "edit.wav", "--seed", "4")
    assert jen1("vary", "edit.wav", "-o", "b.wav", "--seed", "5").code == 0
    recipe = read_recipe(Path("b.wav"))
    assert (recipe.task, recipe.variations) == ("inpaint", (Variation(5, 1.0),))
    take.rename("moved.wav")
    gone = jen1("vary", "edit.wav", "-o", "c.wav")
    assert gone.code == 1
    assert "give it with --input FILE" in gone.err
    assert jen1("vary", "edit.wav", "-o", "c.wav", "--input", "moved.wav").code == 0


def test_an_input_that_can_be_made_again_keeps_its_name(jen1, model, made):
    jen1("continue", "a.wav", "-s", "0.5", "-o", "edit.wav", "--seed", "4")
    made.unlink()
    result = jen1("vary", "edit.wav", "-o", "b.wav")
    assert "making the input (generate, seed 3)" in result.err
    assert read_recipe(Path("b.wav")).input.name == "a.wav"


def test_bad_amounts_counts_and_files_get_one_line(refused, take):
    assert "--amount 1.5 is not between 0" in refused("vary", take, "--amount", "1.5").err
    assert "--count 0 makes nothing" in refused("vary", take, "-n", "0").err
    assert "all 2 variations would be the same" in refused("vary", take, "-n", "2", "-a", "0").err
    assert "all 2 variations would be the same" in refused("vary", take, "techno", "-n", "2").err
    assert "--seed 5 is of new noise" in refused("vary", take, "--seed", "5", "-a", "0").err
    assert (
        "give --amount, such as --amount 0.5" in refused("vary", take, "techno", "--seed", "5").err
    )
    assert "take.wav carries no recipe" in refused("vary", take).err
    assert "jen1 inpaint, jen1 continue" in refused("vary", take).err
    assert "missing.wav does not exist" in refused("vary", "missing.wav").err


def test_a_decoded_file_is_refused(jen1, model, take):
    jen1("encode", take, "-o", "take.latent")
    jen1("decode", "take.latent", "-o", "back.wav")
    result = jen1("vary", "back.wav")
    assert result.code == 1
    assert "was decoded from a latent" in result.err
