"""The examples run as they stand, with the tiny model in place of the bundled one."""

import re
import runpy
import sys
from pathlib import Path

import pytest
import soundfile

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(tiny_folder, tmp_path, monkeypatch, capsys):
    """Run an example as a script, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments, str(tiny_folder)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return call


@pytest.fixture
def recording(tmp_path, tone):
    path = tmp_path / "recording.wav"
    soundfile.write(path, tone(seconds=2.0, rate=44_100).T, 44_100, subtype="PCM_24")
    return str(path)


@pytest.mark.heavy
def test_generate(run):
    said = run("generate.py")
    assert "same samples again: True" in said
    assert soundfile.info("lofi-7.wav").frames == 4 * 48_000


@pytest.mark.heavy
def test_inpaint(run, recording):
    said = run("inpaint.py", recording)
    assert "bit-identical: True" in said
    assert "before the hole: True" in said
    assert "behind the hole: True" in said
    assert soundfile.info("fixed.wav").subtype == "PCM_24"


@pytest.mark.heavy
def test_continue_track(run, recording):
    run("continue_track.py", recording)
    assert soundfile.info("longer.flac").frames == 4 * 44_100
    assert soundfile.info("whole.flac").frames == 5 * 44_100


def test_encode_decode(run, recording):
    said = run("encode_decode.py", recording)
    assert "300 frames" in said
    assert soundfile.info("decoded.wav").frames == 2 * 44_100


@pytest.mark.heavy
def test_train_tiny(tmp_path, monkeypatch, capsys, tone):
    (tmp_path / "music").mkdir()
    for i in range(3):
        sound = tone(seconds=2.0, frequency=220.0 * (i + 1))
        soundfile.write(tmp_path / "music" / f"tone {i}.wav", sound.T, 48_000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train_tiny.py", "music"])
    runpy.run_path(str(EXAMPLES / "train_tiny.py"), run_name="__main__")
    assert "parameters" in capsys.readouterr().out
    assert soundfile.info("tiny.wav").frames == 48_000


def test_every_example_is_listed_and_short():
    listed = re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text())
    scripts = sorted(path.name for path in EXAMPLES.glob("*.py"))
    assert sorted(listed) == scripts
    assert len(scripts) >= 4
    for name in scripts:
        assert len((EXAMPLES / name).read_text().splitlines()) <= 40, name
