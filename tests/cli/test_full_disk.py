"""A full disk, by the limit that the system puts on the size of files: one line, nothing left."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from faults import forked, load_commands

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs limits of a POSIX system")
RANDOM = ["-m", "tiny", "--random-weights"]
TRAIN = ["--recipe", "tiny", "--steps", "1", "--device", "cpu", "--crop-seconds", "0.2"]


def heavy(*arguments):
    return pytest.param(list(arguments), marks=pytest.mark.heavy)


@pytest.fixture
def music(tmp_path):
    """A folder of four captioned clips, one of them with a name that is not UTF-8."""
    folder = tmp_path / "music"
    folder.mkdir()
    for number, name in enumerate(("a", "b", "c", "d\udce9")):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, (96_000, 2))
        soundfile.write(os.fsencode(folder / f"{name}.wav"), noise, 48_000)
        (folder / f"{name}.txt").write_text(f"noise number {number}")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    load_commands()


def run(folder, limit, *arguments):
    def set_limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        # Python leaves cut .pyc files under such a limit, on which every later process fails
        sys.dont_write_bytecode = True

    return forked(folder, *arguments, prepare=set_limit)


def files_in(folder):
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "arguments",
    [
        heavy("corpus", "inspect", "music", "-o", "out.html", "-q"),
        ["evaluate", "listen", "a=music", "-o", "out.html", "-n", "2", "-q"],
        heavy("evaluate", "audio", "music", "-r", "music", "-e", "handcrafted", "-o", "out", "-q"),
        heavy("evaluate", "stats", "music", "-e", "handcrafted", "-o", "out.npz", "-q"),
        ["generate", "lofi", *RANDOM, "-s", "2", "-o", "out.wav", "-q"],
        heavy("generate", "lofi", *RANDOM, "-s", "2", "-o", "out.mp3", "-q"),
        heavy("inpaint", "music/a.wav", "--mask", "0.5-1s", *RANDOM, "-o", "out.flac", "-q"),
        heavy("encode", "music", *RANDOM, "-o", "music", "-q"),
        heavy("train", "autoencoder", "music", "--preset", "tiny", *TRAIN, "-o", "out", "-q"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_nothing_is_left_and_one_line_is_said(tmp_path, music, arguments):
    before = files_in(tmp_path)
    done = run(tmp_path, 6_000, *arguments)
    assert done.code == 1, done.err
    assert done.err.startswith("jen1: error: ")
    assert done.err.count("\n") == 1
    assert "File too large; free some space" in done.err or "space on the disk" in done.err
    logs = {path for path in files_in(tmp_path) if "tensorboard" in str(path)}
    kept = {tmp_path / "out" / name for name in (".lock", "metrics.jsonl")}
    left = files_in(tmp_path) - before - logs - kept
    assert left == set()
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


@pytest.mark.heavy
def test_latents_of_names_that_are_no_text_and_of_a_full_disk(tmp_path, music):
    whole = ["train", "autoencoder", "music", "--preset", "tiny", *TRAIN, "-o", "codec", "-q"]
    done = run(tmp_path, 2**40, *whole)
    assert done.code == 0, done.err
    latents = ["train", "latents", "music", "-m", "codec/weights", "--device", "cpu"]
    done = run(tmp_path, 6_000, *latents, "-o", "cache", "-q")
    assert done.code == 1
    assert done.err == "jen1: error: cannot write cache: File too large; free some space\n"
    assert list((tmp_path / "cache").iterdir()) == []
    done = run(tmp_path, 2**40, *latents, "-o", "cache", "-q")
    assert done.code == 0, done.err
    assert "d\\udce9.wav" in (tmp_path / "cache" / "clips.jsonl").read_text(encoding="utf-8")


@pytest.mark.heavy
def test_a_page_of_names_that_are_no_text(tmp_path, music):
    done = run(tmp_path, 2**40, "corpus", "inspect", "music", "-q")
    assert done.code == 0, done.err
    assert "d\ufffd" in Path(music / "contact-sheet.html").read_text(encoding="utf-8")
