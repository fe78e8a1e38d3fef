"""`jen1 generate --loop`: what is asked of the model, and what it refuses."""

import json
from pathlib import Path

import pytest

from jen1cli.recipe import read_recipe
from midi_support import band, notes, song, tempo, track


def asked(model):
    return [arguments.get("loop_bars") for _, arguments in model.calls]


def test_a_loop_has_eight_bars_unless_told_otherwise(jen1, model):
    result = jen1("generate", "house", "--loop", "--bpm", "120", "-o", "a.wav")
    assert result.code == 0, result.err
    assert "loop of 8 bars" in result.err
    assert jen1("generate", "house", "--loop", "--bars", "2", "-o", "b.wav").code == 0
    assert jen1("generate", "house", "-s", "0.5", "-o", "c.wav").code == 0
    assert asked(model) == [8, 2, None]
    one = jen1("generate", "house", "--loop", "--bars", "1", "--bpm", "120", "-o", "d.wav")
    assert "loop of 1 bar, " in one.err
    assert read_recipe(Path("b.wav")).loop_bars == 2
    assert "loop bars" in jen1("info", "b.wav").out
    assert "loop bars" not in jen1("info", "c.wav").out


@pytest.mark.heavy
def test_lines_of_a_file_have_bars_of_their_own(jen1, model):
    lines = [{"prompt": "a", "loop_bars": 4}, {"prompt": "b"}, {"prompt": "c", "seconds": 0.5}]
    Path("p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert jen1("generate", "--from", "p.jsonl", "--loop", "--bars", "1", "-o", "x/").code == 0
    assert asked(model) == [4, 1, None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--bars", "4"], "--bars 4 counts the bars of a loop; add --loop"),
        (["--loop", "-s", "3"], "a loop is as long as its --bars"),
        (["--loop", "--bars", "0"], "a loop of 0 bars cannot be made; give 1 to 64"),
        (["--loop", "--bars", "99"], "a loop of 99 bars cannot be made"),
        (["--loop", "--direction", "unidirectional"], "unidirectional is not for loops"),
    ],
)
def test_what_is_no_loop_gets_one_line(refused, options, words):
    assert words in refused("generate", "house", *options).err


def test_a_line_of_two_lengths_is_refused(refused):
    Path("p.jsonl").write_text('{"prompt": "a", "loop_bars": 4, "seconds": 3}')
    assert "seconds and loop_bars are two lengths" in refused("generate", "--from", "p.jsonl").err


def test_a_loop_of_a_score_has_its_bars(jen1, model, refused):
    Path("tune.mid").write_bytes(band())
    Path("long.mid").write_bytes(song(track((0, tempo(120)), *notes([60] * 70, length=1_920))))
    assert (
        "has 70 bars, more than the 64"
        in refused("generate", "x", "--score", "long.mid", "--loop").err
    )
    for options in ([], ["--bars", "2"]):
        result = jen1("generate", "x", "--score", "tune.mid", "--loop", *options, "-o", "x/")
        assert result.code == 0, result.err
    assert asked(model) == [4, 2]


def test_lines_with_scores_of_their_own_are_loops_of_these(jen1, model):
    Path("tune.mid").write_bytes(band())
    Path("long.mid").write_bytes(song(track((0, tempo(120)), *notes([60] * 70, length=1_920))))
    lines = [{"prompt": "a"}, {"prompt": "b", "score": "tune.mid"}]
    Path("p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for options in ([], ["--bars", "2"]):
        result = jen1("generate", "--from", "p.jsonl", "--loop", *options, "-o", "x/", "--force")
        assert result.code == 0, result.err
    assert asked(model) == [8, 4, 2, 2]
    Path("p.jsonl").write_text('{"prompt": "a", "score": "long.mid"}')
    result = jen1("generate", "--from", "p.jsonl", "--loop", "-o", "x/", "--force")
    assert result.code == 1
    assert "long.mid has 70 bars" in result.err
