"""`info` and `again`: a file says how it was made, and makes itself once more."""

import dataclasses
import json
from pathlib import Path

import pytest

import jen1cli
from jen1cli import audio
from jen1cli.recipe import RECIPE_VERSION, read_recipe
from metadata_support import chunk


def test_info_shows_recipe_and_facts(jen1, model):
    jen1("generate", "lofi piano", "-s", "0.5", "--seed", "3", "--steps", "4", "-o", "a.flac")
    facts = json.loads(jen1("info", "a.flac", "--json").out)
    assert (facts["seconds"], facts["sample_rate"], facts["format"]) == (0.5, 48_000, "FLAC")
    assert facts["recipe"]["prompt"] == "lofi piano"
    assert facts["recipe"]["model"]["sha256"] == model.sha256
    text = jen1("info", "a.flac").out
    assert "lofi piano" in text
    assert "seed" in text


def test_info_shows_what_was_told_of_the_music_in_rows_of_its_own(jen1, model):
    jen1("generate", "lofi", "-s", "0.5", "--seed", "7", "-o", "a.wav",
         "--bpm", "92", "--key", "D minor",
         "--chords", "Dm Gm", "--melody", "D5 - F5 -")  # fmt: skip
    lines = [line.split(maxsplit=1) for line in jen1("info", "a.wav").out.splitlines()]
    rows = {line[0]: line[1] for line in lines if len(line) == 2}
    assert rows["controls"] == "bpm: 92.0  key: D  mode: minor"
    assert rows["chords"] == "Dm | Gm"
    assert rows["melody"] == "D5 - F5 -"
    assert "drums" not in rows


def test_info_spells_chords_as_their_key_does(jen1, model):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav", "--key", "Bb major", "--chords", "Bb Eb")
    shown = jen1("info", "a.wav").out
    assert "key: Bb  mode: major" in shown
    assert "Bb | Eb" in shown


def test_info_shows_the_composer_and_the_style(jen1, model):
    options = ("-s", "0.5", "--seed", "7", "-o", "a.wav", "--style", "bossa nova")
    assert jen1("generate", "lofi", *options, "--composer", "rules").code == 0
    lines = [line.split(maxsplit=1) for line in jen1("info", "a.wav").out.splitlines()]
    rows = {line[0]: line[1] for line in lines if len(line) == 2}
    assert (rows["composer"], rows["style"]) == ("rules", "bossa nova")


def test_info_shows_the_recipe_of_a_file_made_by_0_1(jen1):
    old = Path(__file__).parents[1] / "data" / "made-by-0.1.ogg"
    stored = json.loads(jen1("info", str(old), "--json").out)["recipe"]
    assert stored["recipe_version"] == 1
    assert stored["guide"]["bpm"] == 89.0
    assert stored["guide_interval"] == [0.0, 0.8]
    shown = jen1("info", str(old)).out
    assert "control guidance interval  0.0, 0.8" in shown
    assert "bpm: 89.0  meter: 4/4  key: D#  mode: minor" in shown
    assert "guide" not in shown


def test_info_of_a_file_without_recipe(jen1, model, take):
    result = jen1("info", take)
    assert result.code == 0
    assert "carries no recipe" in result.out
    assert json.loads(jen1("info", take, "--json").out)["recipe"] is None


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
def test_a_recipe_that_another_program_wrote_in_utf_8_is_read(jen1, model, codec):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    data = Path("a.wav").read_bytes()
    note = read_recipe("a.wav").to_json()
    changed = chunk(b"jen1", note.replace("lofi", "ö").encode(codec))
    data = data.replace(chunk(b"jen1", note.encode()), changed)
    Path("a.wav").write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    assert read_recipe("a.wav").prompt == "ö"
    assert jen1("again", "a.wav", "-o", "b.wav").code == 0


@pytest.mark.parametrize("codec", ["utf-16", "latin-1"])
def test_info_of_a_recipe_in_another_encoding_shows_the_sound(jen1, model, codec):
    """Another program has rewritten the text; `again` needs the recipe, `info` does not."""
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    data = Path("a.wav").read_bytes()
    note = read_recipe("a.wav").to_json()
    before = chunk(b"jen1", note.encode())
    assert before in data
    data = data.replace(before, chunk(b"jen1", note.replace("lofi", "ö").encode(codec)))
    Path("a.wav").write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    found = json.loads(jen1("info", "a.wav", "--json").out)
    assert (found["samples"], found["recipe"]) == (24_000, None)
    assert "the recipe in a.wav is damaged" in found["no_recipe"]
    shown = jen1("info", "a.wav")
    assert shown.code == 0
    assert "sample rate" in shown.out
    assert "is damaged; it cannot be read" in shown.out
    assert jen1("again", "a.wav", "-o", "b.wav").code == 1


def test_info_of_many_files_prints_one_object_each(jen1, model, take):
    jen1("encode", take)
    lines = jen1("info", take, "take.safetensors", "--json").out.splitlines()
    wave, latent = (json.loads(line) for line in lines)
    assert wave["samples"] == 96_000
    assert (latent["samples"], latent["frames"], latent["latent_channels"]) == (96_000, 20, 4)
    assert latent["frame_rate"] == 10.0
    assert latent["model"] == "jen1-mini"


def test_info_of_what_is_no_audio(refused):
    Path("text.wav").write_text("a text" * 100)
    assert "missing.wav does not exist" in refused("info", "missing.wav").err
    assert "text.wav is not audio" in refused("info", "text.wav").err


def test_again_makes_the_same_bytes(jen1, model):
    jen1("generate", "lofi piano", "-s", "0.5", "--seed", "3", "-o", "a.wav", "--quiet")
    result = jen1("again", "a.wav", "-o", "b.wav")
    assert result.code == 0, result.err
    assert "warning" not in result.err
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_again_follows_the_place_of_the_recipe_unless_told_otherwise(jen1, model):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    jen1("again", "a.wav", "-o", "b.wav")
    assert (model.load.device, model.load.dtype) == ("cpu", "fp32")
    assert (model.load.model, model.load.random_weights) == ("jen1-mini", False)
    jen1("again", "a.wav", "-o", "c.wav", "--device", "cuda", "--dtype", "bf16", "--model",
         "jen1-mini")  # fmt: skip
    assert (model.load.device, model.load.dtype, model.load.model) == ("cuda", "bf16", "jen1-mini")


def test_again_follows_the_quality_of_the_recipe_unless_told_otherwise(jen1, model):
    model.quality = "best"
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav", "--quality", "best")
    assert model.load.quality == "best"
    assert jen1("again", "a.wav", "-o", "b.wav").code == 0
    assert model.load.quality == "best"
    assert read_recipe(Path("b.wav")).quality == "best"
    jen1("again", "a.wav", "-o", "c.wav", "--quality", "draft")
    assert model.load.quality == "draft"


def test_an_unknown_quality_is_refused(jen1, model):
    result = jen1("generate", "lofi", "-o", "a.wav", "--quality", "bst")
    assert result.code == 1
    assert "unknown --quality 'bst'; did you mean 'best'?" in result.err


def test_again_of_random_weights_builds_the_preset(jen1, model):
    model.sha256 = "random-tiny-0"
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    assert jen1("again", "a.wav", "-o", "b.wav").code == 0
    assert model.load.random_weights
    assert model.load.preset_name == "tiny"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "e" * 64}, "made by other weights"),
        ({"device": "cuda"}, "made on cpu in fp32, now on cuda"),
        ({"quality": "draft"}, "made in quality 'normal', now in 'draft'"),
    ],
)
def test_again_warns_of_what_will_differ(jen1, model, change, words):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    for name, value in change.items():
        setattr(model, name, value)
    result = jen1("again", "a.wav", "-o", "b.wav", "--json")
    assert result.code == 0, result.err
    assert f"jen1: warning: {words}" in result.err
    assert words in json.loads(result.out)["warnings"][0]
    assert read_recipe(Path("b.wav")).model.sha256 == model.sha256


def test_again_warns_of_another_version(jen1, model, monkeypatch):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    monkeypatch.setattr("jen1cli.__version__", "9.9")
    assert "this is 9.9" in jen1("again", "a.wav", "-o", "b.wav").err


@pytest.mark.parametrize("version", ["0.1.0", "0.3.0"])
def test_a_chain_of_another_version_is_made_again_with_a_warning(jen1, model, monkeypatch, version):
    with monkeypatch.context() as then:
        then.setattr("jen1cli.__version__", version)
        jen1("generate", "lofi", "-s", "1", "-o", "1.wav", "--seed", "1")
        jen1("continue", "1.wav", "-s", "0.5", "-o", "2.wav", "--seed", "2")
    assert read_recipe(Path("2.wav")).version == version
    Path("1.wav").unlink()
    result = jen1("again", "2.wav", "-o", "same.wav")
    assert result.code == 0, result.err
    assert f"made by jen1cli {version}, this is {jen1cli.__version__}" in result.err
    assert read_recipe(Path("same.wav")).version == jen1cli.__version__
    first, second = (audio.read(Path(name)) for name in ("2.wav", "same.wav"))
    assert (first == second).all()


def test_a_file_of_a_gpu_is_made_again_without_one(jen1, model, monkeypatch):
    model.device, model.dtype = "cuda", "bf16"
    jen1("generate", "lofi", "-s", "0.5", "-o", "gpu.wav", "--device", "cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    model.device, model.dtype = "cpu", "fp32"
    result = jen1("again", "gpu.wav", "-o", "b.wav")
    assert result.code == 0, result.err
    assert (model.load.device, model.load.dtype) == ("auto", "auto")
    assert "warning: made on cuda in bf16, now on cpu in fp32" in result.err
    assert read_recipe(Path("b.wav")).device == "cpu"


def test_a_file_of_a_gpu_is_made_again_on_one_where_there_is_one(jen1, model, monkeypatch):
    model.device, model.dtype = "cuda", "bf16"
    jen1("generate", "lofi", "-s", "0.5", "-o", "gpu.wav", "--device", "cuda")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    result = jen1("again", "gpu.wav", "-o", "b.wav")
    assert (model.load.device, model.load.dtype) == ("cuda", "bf16")
    assert "warning" not in result.err
    jen1("again", "gpu.wav", "-o", "c.wav", "--device", "cpu")
    assert (model.load.device, model.load.dtype) == ("cpu", "bf16")


def test_a_former_digest_of_the_same_weights_gets_no_warning(jen1, model):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    model.former_sha256, model.sha256 = frozenset({model.sha256}), "e" * 64
    result = jen1("again", "a.wav", "-o", "b.wav")
    assert result.code == 0, result.err
    assert "warning" not in result.err
    assert read_recipe(Path("b.wav")).model.sha256 == model.sha256


@pytest.mark.parametrize(
    "edit", [["inpaint", "--mask", "0.5-1s"], ["continue", "--before", "-s", "0.5"]]
)
def test_an_edit_is_made_again_from_its_input(jen1, model, take, edit):
    jen1(edit[0], take, *edit[1:], "-o", "edit.flac", "--seed", "4")
    result = jen1("again", "edit.flac", "-o", "same.flac")
    assert result.code == 0, result.err
    assert Path("edit.flac").read_bytes() == Path("same.flac").read_bytes()


def test_a_moved_input_is_found_beside_the_file_or_given(jen1, model, take):
    jen1("continue", take, "-s", "0.5", "-o", "edit.wav", "--seed", "4")
    Path("moved").mkdir()
    take.rename("moved/other.wav")
    gone = jen1("again", "edit.wav", "-o", "b.wav")
    assert gone.code == 1
    assert "is gone or has changed; give it with --input FILE" in gone.err
    given = jen1("again", "edit.wav", "--input", "moved/other.wav", "-o", "b.wav")
    assert given.code == 0, given.err
    assert Path("edit.wav").read_bytes() == Path("b.wav").read_bytes()
    Path("moved/other.wav").rename("moved/take.wav")
    Path("edit.wav").rename("moved/edit.wav")
    assert jen1("again", "moved/edit.wav", "-o", "c.wav").code == 0


def test_another_recording_is_refused(jen1, model, take):
    jen1("continue", take, "-s", "0.5", "-o", "edit.wav")
    result = jen1("again", "edit.wav", "--input", "edit.wav", "-o", "b.wav")
    assert result.code == 1
    assert "is not the recording that the edit began with" in result.err


def test_a_whole_chain_is_made_again_from_its_last_file(jen1, model):
    jen1("generate", "lofi", "-s", "1", "-o", "1.wav", "--seed", "1")
    jen1("continue", "1.wav", "-s", "0.5", "-o", "2.wav", "--seed", "2")
    jen1("inpaint", "2.wav", "--mask", "0.2-0.4", "-o", "3.flac", "--seed", "3")
    Path("1.wav").unlink()
    Path("2.wav").unlink()
    result = jen1("again", "3.flac", "-o", "same.flac")
    assert result.code == 0, result.err
    assert "making the input (continue, seed 2)" in result.err
    assert "making the input (generate, seed 1)" in result.err
    assert Path("3.flac").read_bytes() == Path("same.flac").read_bytes()


def test_a_chain_that_comes_out_otherwise_is_refused(jen1, model):
    jen1("generate", "lofi", "-s", "1", "-o", "1.wav", "--seed", "1")
    jen1("continue", "1.wav", "-s", "0.5", "-o", "2.wav", "--seed", "2")
    Path("1.wav").unlink()
    model.sha256 = "e" * 64
    result = jen1("again", "2.wav", "-o", "same.wav")
    assert result.code == 1
    assert "could not be made again to the same bytes" in result.err
    assert not Path("same.wav").exists()


def test_what_cannot_be_made_again(refused, take):
    assert "take.wav carries no recipe" in refused("again", take).err
    assert "missing.wav does not exist" in refused("again", "missing.wav").err


def test_a_generated_file_takes_no_input(jen1, model, take):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    result = jen1("again", "a.wav", "--input", take, "-o", "b.wav")
    assert result.code == 1
    assert "is not needed: the recipe is of generate" in result.err


def test_a_decoded_file_is_not_made_again(jen1, model, take):
    jen1("encode", take)
    jen1("decode", "take.safetensors", "-o", "back.wav")
    result = jen1("again", "back.wav", "-o", "b.wav")
    assert result.code == 1
    assert "use jen1 decode on that again" in result.err


def test_a_damaged_or_newer_recipe_is_refused(jen1, model):
    jen1("generate", "lofi", "-s", "0.5", "-o", "a.wav")
    recipe = read_recipe(Path("a.wav"))
    newer = dataclasses.replace(recipe, recipe_version=99)
    data = Path("a.wav").read_bytes()
    assert recipe.to_json().encode() in data
    now = f'"recipe_version":{RECIPE_VERSION}'.encode()
    changed = data.replace(now, b'"recipe_version":9')
    Path("a.wav").write_bytes(changed)
    result = jen1("again", "a.wav", "-o", "b.wav")
    assert result.code == 1
    assert "recipe of version 9" in result.err
    assert newer.recipe_version == 99
