"""Tempo, metre, key, chords and parts of a piece: what can be played, and what goes over what."""

import pytest

from jen1cli.composition.harmony import theory
from jen1cli.errors import ConfigError
from jen1cli.music.chords import tonic_of
from jen1cli.music.controls import BEATS, NO_CONTROLS, Controls, controls_of
from jen1cli.music.keys import MODES


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bpm": 4.0}, "4 beats per minute is no tempo; give 30 to 300"),
        ({"meter": "9/16"}, "unknown meter '9/16'"),
        ({"key": "H", "mode": "minor"}, "unknown key 'H'"),
        ({"key": "D"}, "a key has a tonic and a mode"),
    ],
)
def test_controls_that_cannot_be_played_are_refused(values, words):
    with pytest.raises(ConfigError, match=words):
        Controls(**values)


def test_what_is_asked_for_stands_over_what_is_found():
    found = Controls(100.0, "3/4", 0.25, "C", "major")
    assert Controls(bpm=90.0).over(found) == Controls(90.0, "3/4", 0.0, "C", "major")
    assert Controls(key="D", mode="minor").over(found) == Controls(100.0, "3/4", 0.25, "D", "minor")
    assert NO_CONTROLS.over(found) == found
    assert found.over(Controls(90.0, "4/4", 0.0, "D", "minor")) == found


def test_shifting_moves_the_clock_alone():
    assert Controls(120.0, "4/4", 0.5).shifted(2.0) == Controls(120.0, "4/4", 2.5)


def test_attributes_of_clips():
    facts = {"bpm": 92, "meter": "6/8", "key": "Bb", "mode": "minor", "downbeat": 0.3}
    assert controls_of(facts) == Controls(92.0, "6/8", 0.3, "A#", "minor")
    assert controls_of({"bpm": "fast", "key": "?"}) == NO_CONTROLS
    assert controls_of({"bpm": 0, "meter": "4/4", "key": "", "mode": ""}) == NO_CONTROLS
    assert controls_of({"bpm": 92, "key": "C", "mode": "locrian"}) == Controls(bpm=92.0)


def test_description():
    assert Controls(92.0, key="D", mode="minor").describe() == "92 bpm, D minor"
    assert Controls(92.5).describe() == "92.5 bpm"
    assert Controls(92.0, "4/4").describe() == "92 bpm"
    assert Controls(92.0, "3/4", key="D", mode="minor").describe() == "92 bpm in 3/4, D minor"
    assert Controls(meter="7/8").describe() == "7/8"
    assert Controls(92.0, chords="Dm A#/F").describe() == "92 bpm, Dm | A#/F"
    nine = Controls(92.0, chords=" | ".join([*["Dm", "C"] * 4, "F"]))
    assert nine.describe() == "92 bpm, " + "Dm | C | " * 4 + "…"
    in_flats = Controls(key="D", mode="minor", chords="Dm A#/F")
    assert in_flats.describe() == "D minor, Dm | Bb/F"
    assert Controls(key="D#", mode="dorian").describe() == "Eb dorian"
    assert Controls(key="C#", mode="minor", chords="C#m G#").describe() == "C# minor, C#m | G#"
    assert NO_CONTROLS.describe() == ""


def test_chords_of_clips_are_written_in_one_way():
    facts = {"bpm": 92, "meter": "4/4", "chords": "Dm-A7"}
    assert controls_of(facts) == Controls(92.0, "4/4", chords="Dm | A7")
    assert controls_of({**facts, "chords": "what?"}).chords == ""
    assert controls_of({**facts, "chords": None}).chords == ""


def test_a_chart_needs_tempo_and_meter_to_have_bars():
    assert [len(controls.bars) for controls in (
        Controls(92.0, "4/4", chords="C F"), Controls(92.0, chords="C F"), Controls(chords="C F"),
    )] == [2, 0, 0]  # fmt: skip
    with pytest.raises(ConfigError, match="is no chord"):
        Controls(chords="C X")


def test_the_chord_at_a_moment():
    controls = Controls(120.0, "4/4", 0.5, chords="C | F G")  # bars of two seconds
    named = [str(controls.chord_at(t) or "") for t in (0.4, 0.6, 2.4, 2.6, 3.6, 4.6, 6.6)]
    assert named == ["", "C", "C", "F", "G", "C", "F"]
    assert NO_CONTROLS.chord_at(1.0) is None


def test_a_chart_begins_at_the_nearest_bar():
    controls = Controls(120.0, "4/4", 0.5, chords="C F")  # bars of two seconds at 0.5, 2.5, ...
    assert controls.with_bar_at(5.3).downbeat == pytest.approx(4.5)
    assert controls.with_bar_at(0.6).downbeat == pytest.approx(0.5)
    assert Controls(120.0, chords="C").with_bar_at(0.0).meter == "4/4"
    assert Controls(120.0, "3/4", 0.5).with_bar_at(5.3).downbeat == 0.5
    with pytest.raises(ConfigError, match="no tempo is known"):
        Controls(chords="C").with_bar_at(0.0)


def test_modes_and_meters_are_those_of_the_corpus():
    from jen1cli.composition.rhythm.meters import METERS

    assert theory.MODES is MODES
    assert {name: meter.beats / meter.pulse for name, meter in METERS.items()} == BEATS


def test_tonics_have_one_name_each():
    assert [tonic_of(name) for name in ("db", "Eb", "C#", "H", "")] == ["C#", "D#", "C#", "", ""]
