"""`jen1 corpus`: flags reach the library, results on stdout, errors in one line."""

import json
import os

import pytest

from corpus_support import make_soundfont, write_audio
from jen1cli.cli import app
from jen1cli.corpus import writing
from jen1cli.corpus.writing import CorpusProgress


@pytest.fixture
def made(monkeypatch):
    calls = []

    def make(folder, hours, seed, workers, **options):
        options.pop("on_clip")(CorpusProgress(1, 0, 20.0, 60.0))
        calls.append({"folder": folder, "hours": hours, "seed": seed, "workers": workers} | options)
        return CorpusProgress(3, 1, 61.0, 60.0)

    monkeypatch.setattr(writing, "make", make)
    return calls


def test_every_flag_of_make_reaches_the_library(tmp_path, made, capsys):
    words = (
        "--hours 0.5 --seed 9 --workers 3 --style lofi --style house --shards --stems --json"
        " --clip-seconds 15"
    )
    font = str(tmp_path / "x.sf2")
    code = app.run(["corpus", "make", str(tmp_path / "d"), *words.split(), "--soundfont", font])
    assert code == 0
    (call,) = made
    assert call["folder"] == tmp_path / "d"
    assert (call["hours"], call["seed"], call["workers"]) == (0.5, 9, 3)
    assert call["styles"] == ("lofi", "house")
    assert str(call["soundfont"]) == font
    assert call["shards"]
    assert call["clip_seconds"] == 15.0
    assert call["stems"]
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert facts == {
        "path": str(tmp_path / "d"), "clips": 3, "reused": 1, "hours": 0.0169, "seed": 9,
    }  # fmt: skip


def test_make_prints_the_folder_alone_on_stdout(tmp_path, made, capsys):
    assert app.run(["corpus", "make", str(tmp_path / "d")]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'd'}\n"
    assert "3 clips" in captured.err
    assert made[0]["workers"] == os.cpu_count()
    assert app.run(["corpus", "make", str(tmp_path / "d"), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--hours", "0"], "--hours 0 is no length"),
        (["--workers", "0"], "--workers 0 is too few"),
        (["--clip-seconds", "5"], "clips of 5 s cannot be composed"),
        (["--style", "polka2"], "unknown style 'polka2'"),
        (["--soundfont", "nowhere.sf2"], "no SoundFont at 'nowhere.sf2'"),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, options, words):
    assert app.run(["corpus", "make", str(tmp_path / "d"), *options]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"jen1: error: {words}")


def test_styles_are_listed(capsys):
    assert app.run(["corpus", "styles"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 30
    assert any(line.startswith("lofi ") for line in lines)
    assert app.run(["corpus", "styles", "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        facts = json.loads(line)
        assert set(facts) == {"style", "tempo", "meters"}
        assert facts["tempo"][0] <= facts["tempo"][1]


@pytest.mark.heavy
def test_make_and_inspect_for_real(tmp_path, capsys):
    font = tmp_path / "font.sf2"
    font.write_bytes(make_soundfont())
    folder = tmp_path / "music"
    options = "--hours 0.001 --clip-seconds 12 --workers 1 --style chiptune --quiet"
    code = app.run(["corpus", "make", str(folder), "--soundfont", str(font), *options.split()])
    assert code == 0
    capsys.readouterr()
    assert app.run(["corpus", "inspect", str(folder), "--seconds", "2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{folder / 'contact-sheet.html'}\n"
    assert "chiptune" in captured.err
    assert (folder / "contact-sheet.html").stat().st_size > 20_000


def test_scores_are_written_where_nothing_is_lost(tmp_path, capsys, monkeypatch):
    from jen1cli.corpus import scores

    places = []
    monkeypatch.setattr(scores, "add_scores", lambda *given: places.append(given[:2]) or 7)
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    assert app.run(["corpus", "scores", str(tmp_path), "-o", str(there)]) == 1
    assert "there.jsonl exists; use --force" in capsys.readouterr().err
    assert app.run(["corpus", "scores", str(tmp_path), "-o", str(there), "--force"]) == 0
    assert app.run(["corpus", "scores", str(tmp_path), "--json"]) == 0
    assert places == [(tmp_path, there), (tmp_path, None)]
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts == {"path": str(tmp_path / "scores.jsonl"), "clips": 7}


def test_scores_of_what_is_no_corpus_end_in_one_line(tmp_path, capsys):
    assert app.run(["corpus", "scores", str(tmp_path)]) == 1
    assert "is no finished corpus; make one with 'jen1 corpus make'" in capsys.readouterr().err


@pytest.mark.heavy
def test_inspect_of_a_users_folder_tells_what_it_skipped(tmp_path, capsys):
    write_audio(tmp_path / "slow blues.wav", 1.0)
    (tmp_path / "bad.wav").write_text("no")
    write_audio(tmp_path / "hz1.wav", 5.0, 1)
    write_audio(tmp_path / "three.wav", 1.0, channels=3)
    assert app.run(["corpus", "inspect", str(tmp_path), "--clips", "0", "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)
    assert (facts["clips"], facts["path"]) == (1, None)
    assert "bad.wav" in facts["warnings"][0]
    assert "hz1.wav: not readable as audio (has a sample rate of 1 Hz" in facts["warnings"][1]
    assert "three.wav: not readable as audio (has 3 channels" in facts["warnings"][2]
    assert "bad.wav" in captured.err
    sheet = tmp_path / "sheet.html"
    sheet.write_text("mine")
    arguments = ["corpus", "inspect", str(tmp_path), "-o", str(sheet), "--quiet"]
    assert app.run(arguments) == 1
    assert sheet.read_text() == "mine"
    assert app.run([*arguments, "--force"]) == 0
    assert sheet.read_text().startswith("<!doctype html>")
