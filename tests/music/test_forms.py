"""The notation of forms."""

import pytest

from jen1cli.errors import ConfigError
from jen1cli.music.forms import parse_form


def test_sections_have_names_bars_and_chords():
    form = parse_form("Intro:4, verse: 8 [Am F | C] chorus:8[F G Am Em] verse:2 end")
    assert str(form) == (
        "intro:4 verse:8[A m]".replace("[A m]", "[Am F | C]")
        + " chorus:8[F | G | Am | Em] verse:2[Am F | C] end:1"
    )
    assert parse_form(str(form)) == form
    assert form.bars == 23
    assert form.starts == (0, 4, 12, 20, 22)
    assert form.last_chord_bars == 1
    assert len(form.sections[1].chart) == 8
    assert str(form.without_chords()) == "intro:4 verse:8 chorus:8 verse:2 end:1"


@pytest.mark.parametrize(
    ("text", "bars"),
    [("verse:8", 0), ("verse:8 outro:4", 1), ("outro:4 verse:8", 0), ("a:1 end:3", 3)],
)
def test_only_an_end_or_an_outro_ends_a_piece(text, bars):
    assert parse_form(text).last_chord_bars == bars


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no section"),
        ("end", "has no section"),
        ("verse", "has no number of bars"),
        ("verse:0", "has 0 bars"),
        ("verse:10000", "has 10,000 bars; give 1 to 512"),
        ("a:300 b:300", "600 bars in 2 sections"),
        ("a:1 " * 65, "in 65 sections"),
        ("verse:x", "no section"),
        ("8:verse", "no section"),
        ("verse:8[Am F", "no section"),
        ("verse:8[H]", "'H' is no chord"),
        ("verse:2[Am F C]", "2 bars, and 3 bars of chords"),
        ("verse:8[]", "a chart of 0 bars"),
        ("end:1 verse:8", "goes on after its 'end'"),
        ("x" * 40 + ":1", "long name"),
    ],
)
def test_what_is_no_form_is_named(text, words):
    with pytest.raises(ConfigError, match=words):
        parse_form(text)
