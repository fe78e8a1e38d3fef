"""`jen1 hear` and `jen1 cover`: what they print, write, keep and refuse."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jen1cli.midi import read_midi
from jen1cli.recipe import read_recipe


def asked(model, name):
    return [arguments for call, arguments in model.calls if call == name]


def test_what_is_not_sure_is_shown_as_unsure(jen1, model, take):
    result = jen1("hear", "take.wav")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[:4] == [
        "take.wav: 2.00 s",
        "  120.0 bpm (90 %), 4/4 (80 %)",
        "  A minor (80 %)",
        "  chords 70 %, drums 60 %, melody unsure: 20 %",
    ]
    assert lines[4].split() == ["bar", "time", "chords", "drums", "melody"]
    assert lines[5].split()[:6] == ["1", "0.00", "Am", "F?", "kick", "x...x...x...x..."]
    assert lines[5].endswith("-?")


def test_without_a_sure_tempo_everything_in_bars_is_unsure(jen1, model, take):
    confidence = {**model.heard.confidence, "tempo": 0.3}
    model.heard = dataclasses.replace(model.heard, confidence=confidence)
    lines = jen1("hear", "take.wav").out.splitlines()
    assert lines[1] == "  perhaps 120.0 bpm (unsure: 30 %), 4/4 (80 %)"
    assert lines[3] == "  chords unsure: 70 %, drums unsure: 60 %, melody unsure: 20 %"
    assert lines[5].split()[:4] == ["1", "0.00", "Am?", "F?"]


def test_json_has_every_value_with_its_confidence(jen1, model, take):
    (line,) = jen1("hear", "take.wav", "--json").out.splitlines()
    facts = json.loads(line)
    assert facts["tempo"]["value"] == 120.0
    assert facts["melody"] == {"value": "C5 - - - " * 3 + "C5 - - -", "confidence": 0.2,
                               "sure": False}  # fmt: skip
    assert facts["key"] == {"value": "A minor", "confidence": 0.8, "sure": True}
    assert facts["bars"][0]["chords"][1] == {"name": "F", "confidence": 0.3}
    assert facts["beats"] == [0.0, 0.5, 1.0, 1.5]


def test_midi_has_what_is_sure(jen1, model, take):
    assert jen1("hear", "take.wav", "--midi", "score.mid").code == 0
    tune = read_midi("score.mid")
    assert (tune.controls.bpm, tune.controls.key) == (120.0, "A")
    assert tune.controls.chords == "Am F |"
    assert tune.controls.melody == "none"
    assert jen1("hear", "take.wav", "--midi", "score.mid").code == 1  # it exists


def test_no_midi_of_guesses(jen1, model, take):
    model.heard = dataclasses.replace(model.heard, confidence={})
    result = jen1("hear", "take.wav", "--midi", "score.mid")
    assert result.code == 1
    assert "no notes of take.wav are sure" in result.err
    assert not Path("score.mid").exists()
    assert result.out.splitlines()[1].startswith("  perhaps 120.0 bpm")  # shown all the same
    facts = json.loads(jen1("hear", "take.wav", "--midi", "score.mid", "--json").out)
    assert "midi" not in facts


def test_a_bad_file_among_good_ones_is_named(jen1, model, take):
    Path("text.wav").write_text("no sound")
    result = jen1("hear", "text.wav", "take.wav", "gone.wav")
    assert result.code == 1
    assert result.out.startswith("take.wav: 2.00 s")
    assert [line.split(" ")[2] for line in result.err.splitlines()] == ["text.wav", "gone.wav"]


def test_silence_is_named(jen1, model, take):
    model.heard = dataclasses.replace(model.heard, confidence={}, is_silent=True, bars=())
    assert jen1("hear", "take.wav").out.splitlines() == ["take.wav: 2.00 s", "  silence"]


def test_a_cover_keeps_what_is_sure(jen1, model, take):
    result = jen1("cover", "take.wav", "string quartet", "--seed", "4", "--midi", "{name}.mid")
    assert result.code == 0, result.err
    assert result.out.splitlines() == ["take-cover-4.wav"]
    recipe = read_recipe(Path("take-cover-4.wav"))
    assert (recipe.task, recipe.prompt, recipe.seconds) == ("cover", "string quartet", 2.0)
    assert (recipe.input.name, len(recipe.input.sha256)) == ("take.wav", 64)
    controls = recipe.controls
    assert (controls.bpm, controls.meter, controls.key) == (120.0, "4/4", "A")
    assert (controls.chords, controls.melody) == ("Am F |", "")
    assert controls.drums == "kick x...x...x...x..."
    assert Path("take-cover-4.mid").exists()
    assert "melody unsure: 20 %" in result.err


def test_guesses_are_kept_if_asked_for(jen1, model, take):
    result = jen1("cover", "take.wav", "flute", "--keep", "Melody, tempo", "-o", "a.wav")
    assert result.code == 0, result.err
    assert "kept as asked, though unsure: melody" in result.err
    controls = read_recipe(Path("a.wav")).controls
    assert (controls.bpm, controls.key, controls.chords) == (120.0, "", "")
    assert controls.melody.startswith("C5 - - -")


def test_a_cover_is_made_again_without_its_recording(jen1, model, take):
    assert jen1("cover", "take.wav", "flute", "--seed", "3", "-o", "a.flac").code == 0
    take.unlink()
    model.calls.clear()
    assert jen1("again", "a.flac", "-o", "b.flac").code == 0
    assert Path("a.flac").read_bytes() == Path("b.flac").read_bytes()
    assert asked(model, "hear") == []


def test_several_covers_are_heard_once(jen1, model, take):
    result = jen1("cover", "take.wav", "flute", "-n", "3", "--seed", "7", "-s", "1", "--json")
    assert [json.loads(line)["path"] for line in result.out.splitlines()] == [
        f"take-cover-{seed}.wav" for seed in (7, 8, 9)
    ]
    assert len(asked(model, "hear")) == 1
    assert [call["seconds"] for call in asked(model, "cover")] == [1.0] * 3


def test_where_nothing_is_sure_there_is_no_cover(jen1, model, take):
    model.heard = dataclasses.replace(model.heard, confidence={"tempo": 0.2})
    result = jen1("cover", "take.wav", "flute", "-o", "a.wav")
    assert result.code == 1
    assert result.err.splitlines()[-1].startswith(
        "jen1: error: nothing in take.wav is sure enough to be played again (heard: perhaps 120.0"
    )
    assert not Path("a.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keep", "words"), "unknown part 'words' to keep; known: tempo, key, chords"),
        (("--keep", " , "), "nothing is named to be kept"),
        (("-n", "0"), "makes nothing"),
        (("--seconds", "-1"), "is no length"),
        (("--seconds", "9999"), "more than the 1800 s"),
        (("--bpm", "9"), "is no tempo"),
        (("-o", "gone/a.wav"), "does not exist"),
    ],
)
def test_bad_options_are_refused_before_the_model_loads(refused, take, arguments, said):
    assert said in refused("cover", "take.wav", "flute", *arguments).err


@pytest.mark.parametrize("command", [("hear",), ("cover", "flute")])
def test_bad_recordings_are_refused_before_the_model_loads(refused, command):
    Path("text.wav").write_text("no sound")
    soundfile.write("short.wav", np.zeros(100), 48_000)
    for name, said in (("gone.wav", "does not exist"), ("text.wav", ""), ("short.wav", "0.1 s")):
        assert said in refused(command[0], name, *command[1:]).err


def test_a_recording_longer_than_what_is_made_at_once_needs_a_length(refused):
    soundfile.write("hour.flac", np.zeros(3600 * 1000, np.float32), 1000)
    assert "give --seconds" in refused("cover", "hour.flac", "flute").err
