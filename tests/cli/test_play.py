"""`jen1 play` and `--play`: through a false sounddevice, and false programs of the system."""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from jen1cli.cli.player import PROGRAMS

RATE = 48_000
SCRIPT = """#!{python}
import shutil, sys, time
shutil.copy(sys.argv[-1], "{folder}/" + "-".join(["heard", *sys.argv[1:-1]]) + ".wav")
{rest}
"""


class PortAudioError(Exception):
    """As sounddevice has it."""


class FalseDevice:
    """Remembers what it is given, as `sounddevice` would play it."""

    PortAudioError = PortAudioError

    def __init__(self):
        self.streams = []
        self.missing = False
        self.fault = None

    def query_devices(self, kind):
        assert kind == "output"
        if self.missing:
            raise PortAudioError("Error querying device -1")

    def OutputStream(self, *, samplerate, channels, dtype):
        heard = []
        self.streams.append((samplerate, channels, dtype, heard))
        return FalseStream(heard, self.fault)


class FalseStream:
    def __init__(self, heard, fault):
        self.heard, self.fault = heard, fault

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def write(self, frames):
        if self.fault is not None:
            raise self.fault
        assert frames.flags["C_CONTIGUOUS"]
        self.heard.append(frames)


@pytest.fixture
def device(monkeypatch):
    found = FalseDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


@pytest.fixture
def programs(monkeypatch, tmp_path):
    """No sounddevice, and no program but those that the test installs."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name, rest=""):
        path = folder / name
        path.write_text(SCRIPT.format(python=sys.executable, folder=folder, rest=rest))
        path.chmod(0o755)

    return SimpleNamespace(folder=folder, install=install)


@pytest.fixture
def short(take):
    """A quarter of a second, at a rate of its own."""
    path = take.parent / "short.flac"
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (11_025, 2))
    soundfile.write(path, noise, 44_100, subtype="PCM_16")
    return path


def test_a_file_is_played_whole_through_the_device(jen1, device, short):
    result = jen1("play", "short.flac", "--repeat", "2", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out) == {
        "path": "short.flac", "seconds": 0.25, "repeat": 2, "player": "sounddevice",
    }  # fmt: skip
    ((rate, channels, dtype, heard),) = device.streams
    assert (rate, channels, dtype) == (44_100, 2, "float32")
    truth = soundfile.read(short, dtype="float32")[0]
    np.testing.assert_array_equal(np.concatenate(heard), np.concatenate([truth, truth]))


def test_folders_and_stdin_are_played(jen1, device, short, take, monkeypatch):
    with take.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(
            buffer=file, closed=False, isatty=lambda: False
        ))  # fmt: skip
        result = jen1("play", ".", "-")
    assert result.code == 0, result.err
    assert len(device.streams) == 3
    assert result.out == ""


def test_a_bad_file_is_named_and_the_others_are_played(jen1, device, short):
    Path("text.wav").write_text("a text" * 100)
    result = jen1("play", "text.wav", "short.flac")
    assert result.code == 1
    assert "text.wav is not audio" in result.err
    assert len(device.streams) == 1


def test_a_device_that_fails_gets_one_line(jen1, device, short):
    device.fault = PortAudioError("Unanticipated host error")
    result = jen1("play", "short.flac", "--quiet")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "the sound device does not play short.flac (Unanticipated host error)" in result.err


@pytest.mark.skipif(os.name == "nt", reason="scripts with a first line")
@pytest.mark.parametrize("program", [program[0] for program in PROGRAMS])
def test_a_program_plays_16_bit_wav(jen1, programs, short, program):
    programs.install(program)
    result = jen1("play", "short.flac", "--repeat", "2")
    assert result.code == 0, result.err
    assert f"short.flac, 0.25 s, through {program}" in result.err
    options = next(item[1:] for item in PROGRAMS if item[0] == program)
    heard = programs.folder / ("-".join(["heard", *options]) + ".wav")
    truth = soundfile.read(short, dtype="int16")[0]
    played, rate = soundfile.read(heard, dtype="int16")
    assert rate == 44_100
    np.testing.assert_array_equal(played, np.concatenate([truth, truth]))


@pytest.mark.skipif(os.name == "nt", reason="scripts with a first line")
def test_a_program_that_fails_gets_one_line(jen1, programs, short, take):
    programs.install("aplay", 'sys.stderr.write("ALSA: no card\\n"); sys.exit(1)')
    result = jen1("play", "short.flac", "--quiet")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "aplay does not play short.flac (ALSA: no card)" in result.err


@pytest.mark.skipif(os.name == "nt", reason="scripts with a first line")
def test_a_program_that_ends_at_once_has_not_played(jen1, programs, take):
    programs.install("ffplay")
    result = jen1("play", "take.wav", "--quiet", "--repeat", "9")
    assert result.code == 1
    assert "ffplay does not play take.wav (it ended after" in result.err


def test_without_any_player_the_remedy_is_said(jen1, programs, short):
    result = jen1("play", "short.flac")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "sounddevice is not installed" in result.err
    assert "pip install 'jen1cli[play]'" in result.err


@pytest.mark.skipif(os.name == "nt", reason="scripts with a first line")
def test_a_machine_without_a_device_takes_a_program(jen1, programs, device, short):
    device.missing = True
    programs.install("aplay")
    result = jen1("play", "short.flac")
    assert result.code == 0, result.err
    assert "short.flac, 0.25 s, through aplay" in result.err
    assert (programs.folder / "heard--q.wav").exists()
    assert device.streams == []


def test_a_machine_without_device_and_program_is_told_why(jen1, programs, device, short):
    device.missing = True
    result = jen1("play", "short.flac")
    assert result.code == 1
    assert "nothing here plays sound (sounddevice finds no output device)" in result.err


@pytest.mark.skipif(os.name == "nt", reason="scripts with a first line")
def test_a_program_gets_no_copy_that_fills_the_disk(jen1, programs, take):
    programs.install("aplay")
    with soundfile.SoundFile("long.wav", "w", 8_000, 1, "PCM_U8") as file:
        file.write(np.zeros(8_000 * 60, np.float32))
    result = jen1("play", "long.wav", "--repeat", "1000")
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith("jen1: error: long.wav 1,000 times would be 16.7")
    assert not (programs.folder / "heard--q.wav").exists()


def test_what_is_made_is_played(jen1, model, device):
    result = jen1("generate", "lofi", "-s", "0.5", "-n", "2", "-o", "takes/", "--play")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == len(device.streams) == 2
    made = soundfile.read(result.out.splitlines()[0], dtype="float32")[0]
    np.testing.assert_array_equal(np.concatenate(device.streams[0][3]), made)


def test_a_device_that_fails_ends_the_playing_and_not_the_making(jen1, model, device):
    device.fault = PortAudioError("Unanticipated host error")
    result = jen1("generate", "lofi", "jazz", "folk", "-s", "0.5", "-o", "takes/", "--play")
    assert result.code == 0, result.err
    made = result.out.splitlines()
    assert [Path(path).name.partition("-")[0] for path in made] == ["lofi", "jazz", "folk"]
    assert all(soundfile.info(path).frames for path in made)
    assert len(device.streams) == 1
    assert result.err.count("the sound device does not play") == 1
    assert result.err.count("nothing more is played") == 1


def test_play_is_refused_before_the_model_loads(refused, device, programs, take):
    assert "is played by what reads it" in refused("generate", "lofi", "--play", "-o", "-").err
    assert "--repeat 0 plays nothing" in refused("play", take, "--repeat", "0").err
    assert "has no end; give 1,000 or less" in refused("play", take, "--repeat", "1000000").err
    assert "nothing here plays sound" in refused("generate", "lofi", "--play", "-o", "a.wav").err
