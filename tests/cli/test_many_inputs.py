"""Several inputs: a bad one is named, the others are done, and the exit code says so."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jen1cli import audio
from jen1cli.folders import AUDIO_SUFFIXES
from jen1cli.manifest import read_folder

BAD = "is not audio (it looks like text)"


@pytest.fixture
def album(noise_file):
    Path("latents").mkdir()
    for name in ("one.wav", "two.flac", "deep/three.wav"):
        noise_file(Path("album") / name)
    Path("album/bad.wav").write_text("no music at all")
    Path("album/worse.flac").write_text("nor here")
    Path("album/._one.wav").write_bytes(b"\0\5\26\7" + bytes(60))
    return "album"


@pytest.fixture
def noise_file():
    def write(path, rate=48_000):
        path.parent.mkdir(parents=True, exist_ok=True)
        sound = np.random.default_rng(0).uniform(-0.1, 0.1, (2, rate // 4)).astype(np.float32)
        audio.write(path, sound, rate)
        return str(path)

    return write


def test_a_folder_with_bad_files_is_encoded_all_the_same(jen1, model, album):
    result = jen1("encode", album, "-o", "latents/")
    assert result.code == 1
    made = {p.relative_to("latents").as_posix() for p in Path("latents").rglob("*.safetensors")}
    assert made == {"one.safetensors", "two.safetensors", "deep/three.safetensors"}
    errors = [line for line in result.err.splitlines() if line.startswith("jen1: error:")]
    assert [line.partition(" is not audio")[0] for line in errors] == [
        "jen1: error: album/bad.wav",
        "jen1: error: album/worse.flac",
    ]


def test_encode_and_training_take_the_same_files_of_a_folder(jen1, model, noise_file):
    Path("album").mkdir()
    Path("latents").mkdir()
    for suffix in AUDIO_SUFFIXES:
        path = Path("album") / f"{suffix[1:]}{suffix}"
        kind = {".w64": "W64", ".caf": "CAF", ".aifc": "AIFF"}.get(suffix)
        if kind is None:
            noise_file(path)
        else:
            soundfile.write(path, np.zeros((12_000, 2)) + 0.1, 48_000, format=kind)
    assert jen1("encode", "album", "-o", "latents").code == 0
    stems = {suffix[1:] for suffix in AUDIO_SUFFIXES}
    assert {path.stem for path in Path("latents").iterdir()} == stems
    assert {clip.path.stem for clip in read_folder(Path("album"))} == stems


def test_a_folder_of_one_file_becomes_a_folder(jen1, model, take):
    Path("album").mkdir()
    Path(take).rename("album/one.wav")
    assert jen1("encode", "album", "-o", "latents").code == 0
    assert [path.name for path in Path("latents").iterdir()] == ["one.safetensors"]


def test_a_folder_of_bad_files_loads_no_model(jen1, model):
    for folder in ("album", "latents"):
        Path(folder).mkdir()
    Path("album/bad.wav").write_text("no music at all")
    result = jen1("encode", "album", "-o", "latents/")
    assert result.code == 1
    assert model.load is None
    assert list(Path("latents").iterdir()) == []


def test_info_tells_of_all_files_that_it_can(jen1, noise_file):
    good = [noise_file(Path(name)) for name in ("a.wav", "c.wav")]
    Path("b.wav").write_text("no music at all")
    result = jen1("info", good[0], "b.wav", "none.wav", good[1], "--json")
    assert result.code == 1
    assert [json.loads(line)["path"] for line in result.out.splitlines()] == good
    assert result.err.splitlines() == [
        f"jen1: error: b.wav {BAD}; give a wav, flac, ogg, opus, mp3 or aiff file",
        "jen1: error: none.wav does not exist; check the path",
    ]


def test_latents_that_are_none_do_not_stop_the_others(jen1, model, noise_file):
    noise_file(Path("in/a.wav"))
    Path("latents").mkdir()
    Path("out").mkdir()
    assert jen1("encode", "in", "-o", "latents/").code == 0
    Path("latents/bad.safetensors").write_text("nothing")
    result = jen1("decode", "latents", "-o", "out/")
    assert result.code == 1
    assert [path.name for path in Path("out").iterdir()] == ["a.wav"]
    assert "bad.safetensors is not a safetensors file" in result.err
