"""Chords and charts as musicians write them."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.chords import (
    MAX_BARS,
    NO_CHORD,
    SUFFIXES,
    TONICS,
    Chord,
    chart_text,
    parse_chart,
    parse_chord,
)
from jen1cli.music.keys import key_of_chart


def notes(text):
    chord = parse_chord(text)
    return " ".join(TONICS[pitch] for pitch in chord.classes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C", "C E G"), ("Am", "A C E"), ("F#m7b5", "F# A C E"), ("Bb", "A# D F"),
        ("E♭maj7", "D# G A# D"), ("G7", "G B D F"), ("Dsus4", "D G A"), ("Bdim7", "B D F G#"),
        ("C5", "C G"), ("Amin7", "A C E G"), ("CM7", "C E G B"), ("G+", "G B D#"),
        ("Bø", "B D F A"), ("C6/9", "C E G A D"), ("D-", "D F A"), ("Cmaj", "C E G"),
    ],
)  # fmt: skip
def test_names_mean_their_notes(text, expected):
    assert notes(text) == expected


def test_a_slash_names_the_bass():
    chord = parse_chord("D7/F#")
    assert (TONICS[chord.root], chord.suffix, TONICS[chord.bass]) == ("D", "7", "F#")
    assert parse_chord("Ab").bass == TONICS.index("G#")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_is_read_as_it_is_written(suffix):
    for root, bass in ((0, 0), (6, 6), (10, 2)):
        chord = Chord(root, suffix, bass)
        assert parse_chord(str(chord)) == chord


def test_no_chord():
    assert parse_chord(NO_CHORD) is parse_chord("nc") is None


@pytest.mark.parametrize("text", ["H", "Cfoo", "c", "Am7/", "4", "C/E/G", "Cm♯", ""])
def test_what_is_no_chord_is_refused(text):
    with pytest.raises(ConfigError, match=r"is no chord; write it like C, Am"):
        parse_chord(text)


@pytest.mark.parametrize(
    "text", ["Am F C G", "Am, F, C, G", "Am-F-C-G", "|Am|F|C|G|", " Am | F | C | G ", "Am F  C\nG"]
)
def test_a_chord_a_bar_however_they_are_set_apart(text):
    assert chart_text(parse_chart(text)) == "Am | F | C | G"


def test_bars_with_several_chords_and_bars_that_repeat():
    bars = parse_chart("| Dm7 G7 | Cmaj7 | % |")
    assert [len(bar) for bar in bars] == [2, 1, 1]
    assert bars[1] == bars[2]
    assert chart_text(bars) == "Dm7 G7 | Cmaj7 | Cmaj7"
    assert chart_text(parse_chart("C C C C | N.C. F")) == "C | N.C. F"
    assert parse_chart(chart_text(bars)) == bars
    one_bar = parse_chart("F#7 D#m |")
    assert parse_chart(chart_text(one_bar)) == one_bar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a chart of 0 bars"),
        ("C " * (MAX_BARS + 1), f"a chart of {MAX_BARS + 1} bars"),
        ("C | | F", "a bar of 0 chords"),
        ("C D E F G | A", "a bar of 5 chords"),
        ("Am F X G", "'X' is no chord"),
        ("% | C", "'%' is no chord"),
    ],
)
def test_charts_that_cannot_be_played(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_chart(text)


@pytest.mark.parametrize(
    ("chart", "key"),
    [
        ("Am F C G", ("A", "minor")), ("C G Am F", ("C", "major")),
        ("Dm7 G7 | Cmaj7", ("C", "major")),
        ("Em C D Em", ("E", "minor")), ("F#m E D E", ("F#", "minor")), ("Bb Eb F", ("A#", "major")),
        ("N.C.", ("", "")),
    ],
)  # fmt: skip
def test_the_key_that_chords_are_in(chart, key):
    assert key_of_chart(chart) == key
