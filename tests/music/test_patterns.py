"""Drum patterns and melodies as text."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.keys import key_of_chart, key_of_melody
from jen1cli.music.patterns import (
    DRUMS,
    LOWEST,
    OCTAVES,
    Pattern,
    Sound,
    drums_text,
    melody_text,
    note_name,
    parse_drums,
    parse_melody,
    parse_note,
    transposed_melody,
)


def strokes(text):
    return {DRUMS[row.sounds[0].number]: (row.bars, [s.start for s in row.sounds])
            for row in parse_drums(text)}  # fmt: skip


def test_rows_are_cut_into_equal_steps():
    assert strokes("kick x.x. SNARE .x.x hat xxx") == {
        "kick": (1, [0.0, 0.5]), "snare": (1, [0.25, 0.75]),
        "hat": (1, [0.0, pytest.approx(1 / 3), pytest.approx(2 / 3)]),
    }  # fmt: skip


def test_rows_have_bars_of_their_own_and_blanks_do_not_count():
    assert strokes("kick x... x... | ..x. |\nperc .x") == {"kick": (2, [0.0, 0.5, 1.5]),
                                                          "perc": (1, [0.5])}  # fmt: skip


def test_none_plays_nothing():
    assert parse_drums("None") == ()
    assert parse_melody("none") == Pattern(1, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x...", "'x...' is no part"), ("kick", "row of kick cannot be counted"), ("", "is empty"),
        ("kick x. kick .x", "two rows of kick"), ("kick x.q", "'x.q' is no part"),
        ("kick x | | x", "cannot be counted"), ("kick " + "x" * 97, "cannot be counted"),
        ("bongo x", "'bongo' is no part"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_drums(text)


def test_notes_last_until_the_next():
    assert parse_melody("C4 - E4 . | - G4") == Pattern(
        2, (Sound(0.0, 0.5, 60), Sound(0.5, 0.75, 64), Sound(1.5, 2.0, 67))
    )
    held = parse_melody("| C4 | - D4 |")
    assert [(s.start, s.stop) for s in held.sounds] == [(0.0, 1.5), (1.5, 2.0)]


@pytest.mark.parametrize(
    ("text", "number"),
    [("C4", 60), ("a4", 69), ("Bb3", 58), ("F#5", 78), ("Cb4", 59), ("B#3", 60), ("E♭4", 63)],
)
def test_notes_have_numbers(text, number):
    assert parse_note(text) == number


@pytest.mark.parametrize("text", ["H4", "C", "C#", "C1", "C7", "4", "C4 D"])
def test_what_is_no_note_is_refused(text):
    with pytest.raises(ConfigError, match=r"is no note|is out of range"):
        parse_note(text)


@pytest.mark.parametrize("text", ["", "|", "C4 | | D4", " ".join(["C4"] * 97)])
def test_melodies_that_cannot_be_counted_are_refused(text):
    with pytest.raises(ConfigError, match="cannot be counted"):
        parse_melody(text)


def test_what_is_written_is_read_as_it_was_meant():
    assert drums_text({"kick": ["x...", "x.x."], "snare": ["....", "...."]}) == "kick x... | x.x."
    assert drums_text({"kick": ["...."]}) == "none"
    assert melody_text([["C4", "-"], [".", "D4"]]) == "C4 - | . D4"
    assert melody_text([[".", "-"]]) == "none"
    for number in range(LOWEST, LOWEST + 12 * OCTAVES):
        assert parse_note(note_name(number)) == number


@pytest.mark.parametrize(
    ("melody", "key"),
    [
        ("E5 D5 C5 D5 E5 E5 E5 - | D5 D5 D5 - E5 G5 G5 -", ("C", "major")),
        ("A4 - C5 - E5 - C5 - | G#4 - B4 - A4 - - -", ("A", "minor")),
        ("D4 E4 F#4 G4 A4 F#4 D4 -", ("D", "major")), ("none", ("", "")),
        ("C4 Eb4 G4 C5 | Bb4 Ab4 G4 F4 | Eb4 D4 C4 -", ("C", "minor")),
        # beginnings of known tunes: Mary Had a Little Lamb, Jingle Bells, Ode to Joy, Twinkle,
        # Greensleeves, House of the Rising Sun, Frere Jacques
        ("E5 D5 C5 D5 E5 E5 E5 -", ("C", "major")),
        ("E5 E5 E5 - E5 E5 E5 - | E5 G5 C5 D5 E5 - - -", ("C", "major")),
        ("E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | E5 - D5 -", ("C", "major")),
        ("C5 C5 G5 G5 | A5 A5 G5 - | F5 F5 E5 E5 | D5 D5 C5 -", ("C", "major")),
        ("A4 C5 - D5 E5 - F5 E5 | D5 - B4 G4 - A4 B4 - | C5 - A4 A4 - G#4 A4 - | B4 - G#4 E4 - - -"
         " -", ("A", "minor")),
        ("A4 - B4 C5 | E5 - D5 A4 | A5 - A5 G5 | E5 - - -", ("A", "minor")),
        ("G4 A4 B4 G4 | G4 A4 B4 G4 | B4 C5 D5 - | B4 C5 D5 -", ("G", "major")),
        ("E4 F#4 G4 B4 | A4 G4 F#4 E4", ("E", "minor")),
        ("D4 F4 A4 F4 | G4 F4 E4 D4", ("D", "minor")),
    ],
)  # fmt: skip
def test_the_key_that_a_melody_is_in(melody, key):
    assert key_of_melody(melody) == key


def test_a_key_within_what_is_asked():
    melody = "E5 D5 C5 D5 E5 E5 E5 -"
    assert key_of_melody(melody, only_tonic="A") == ("A", "minor")
    assert key_of_melody(melody, only_minor=True) == ("A", "minor")
    assert key_of_melody(melody, only_tonic="E", only_minor=False) == ("E", "major")
    assert key_of_chart("Am F C G") == ("A", "minor")
    assert key_of_chart("Am F C G", only_tonic="C") == ("C", "major")


def test_a_transposed_melody_stays_in_range():
    assert transposed_melody("C5 - E5 . | Bb3", 2) == "D5 - F#5 . | C4"
    assert transposed_melody("B6 C2", 3) == "D6 D#2"
    assert transposed_melody("B6 C2", -3) == "G#6 A2"
    assert transposed_melody("none", 3) == "none"
