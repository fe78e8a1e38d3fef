"""Pieces of a given form: same names, chords by section, and the end."""

import itertools

import pytest

from jen1cli.composition.pieces.piece import compose_piece
from jen1cli.composition.pieces.sections import timed
from jen1cli.errors import ConfigError
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import Controls
from jen1cli.music.forms import parse_form

GIVEN = Controls(bpm=120.0, meter="4/4", key="C", mode="major")


def piece(text, style="pop", seed=3, given=GIVEN):
    return compose_piece(style, seed, 1.0, given, form=parse_form(text))


def notes_in(score, start, bars, role="melody"):
    """Return the notes of a role in some bars of 4/4, from the first of them."""
    first, stop = 4.0 * start - 0.1, 4.0 * (start + bars) - 0.1
    return sorted(
        (round(note.beat - 4.0 * start, 2), note.pitch)
        for part in score.parts
        if part.role == role
        for note in part.notes
        if first <= note.beat < stop
    )


@pytest.mark.parametrize("style", ["pop", "techno", "jazz trio"])
def test_the_length_is_that_of_the_bars(style):
    score = piece("intro:2 verse:4 chorus:4 outro:2", style)
    assert score.length_beats == 48.0
    assert [(s.name, s.start_beat, s.length_beats) for s in score.sections] == [
        ("intro", 0.0, 8.0), ("verse", 8.0, 16.0), ("chorus", 24.0, 16.0), ("outro", 40.0, 8.0),
    ]  # fmt: skip
    assert len(parse_chart(score.chords)) == 12


@pytest.mark.parametrize("seed", range(4))
def test_sections_of_one_name_have_the_same_material(seed):
    score = piece("verse:8 chorus:8 verse:8 verse:4 chorus:8", seed=seed)
    bars = parse_chart(score.chords)
    assert bars[:8] == bars[16:24]
    assert bars[:4] == bars[24:28]
    for role in ("melody", "bass", "drums"):
        first = notes_in(score, 0, 8, role)
        assert first == notes_in(score, 16, 8, role)
        assert notes_in(score, 0, 4, role) == notes_in(score, 24, 4, role)
        assert first != notes_in(score, 8, 8, role) or not first
    assert notes_in(score, 0, 8, "bass")


def test_chords_of_sections_are_kept():
    score = piece("verse:8[Am F C G] chorus:4[F G | Am] verse:4 end[C]")
    bars = parse_chart(score.chords)
    assert bars[:8] == parse_chart("Am F C G") * 2
    assert bars[8:12] == parse_chart("F G | Am") * 2
    assert bars[12:16] == bars[:4]
    assert bars[16] == parse_chart("C")[0]


def test_chords_of_the_piece_go_on_in_sections_without_their_own():
    given = Controls(bpm=120.0, meter="4/4", chords="Dm | G | C", key="C", mode="major")
    bars = parse_chart(piece("verse:4 chorus:2[F] verse:4 end", given=given).chords)
    assert bars[:4] == parse_chart("Dm G C Dm")
    assert bars[4:6] == parse_chart("F F")
    assert bars[6:10] == parse_chart("Dm G C Dm")
    assert bars[10][-1].root == 0  # home


def test_composing_again_with_its_own_chart_gives_the_same():
    form = parse_form("intro:2 verse:4[Am F] chorus:4 verse:2 end:2")
    first = compose_piece("rock", 5, 1.0, GIVEN, form=form)
    given = Controls(bpm=120.0, meter="4/4", key="C", mode="major", chords=first.chords)
    assert compose_piece("rock", 5, 1.0, given, form=form).chords == first.chords


@pytest.mark.parametrize(
    ("style", "ending"),
    list(itertools.product(["pop", "techno", "jazz trio"], ["end", "end:2", "outro:4"])),
)
def test_an_end_is_one_held_chord(style, ending):
    score = piece(f"verse:4 chorus:4 {ending}", style)
    last = {"end": 1, "end:2": 2, "outro:4": 1}[ending]
    start = score.length_beats - 4.0 * last
    pitched = 0
    for part in score.parts:
        late = [note for note in part.notes if note.beat > start + 0.4]
        if part.stem == "drums" or part.role in ("chords", "pad", "bass", "melody"):
            assert not late, (part.role, late)
        if part.stem in ("bass", "harmony"):
            held = [n for n in part.notes if abs(n.beat - start) < 0.4]
            pitched += len(held)
            assert all(n.beat + n.duration > score.length_beats - 0.5 for n in held)
    assert pitched
    assert parse_chart(score.chords)[-1][-1].named().startswith("C")


def test_without_an_end_it_goes_on_to_the_last_beat():
    score = piece("verse:4 chorus:4", "pop")
    drums = [n.beat for part in score.parts if part.stem == "drums" for n in part.notes]
    assert max(drums) > score.length_beats - 2.0


def test_parts_enter_and_leave():
    score = piece("intro:4 verse:4 break:4 chorus:4", "house")
    assert not notes_in(score, 0, 4, "melody")
    assert not notes_in(score, 8, 4, "drums")
    assert notes_in(score, 12, 4, "drums")


def test_a_length_determines_an_open_tempo():
    form = parse_form("verse:8 chorus:8")
    found = timed("pop", 1, form, Controls(meter="4/4"), seconds=40.0)
    assert found.bpm == pytest.approx(96.0)
    assert timed("pop", 1, form, found, seconds=40.0) == found
    assert timed("pop", 1, form).bpm == timed("pop", 1, form, seconds=None).bpm


@pytest.mark.parametrize(
    ("style", "given", "seconds", "words"),
    [
        ("pop", GIVEN, 30.0, "8 bars at 120 bpm last 16.00 s, not 30"),
        ("pop", Controls(meter="4/4"), 2.0, "8 bars in 2 s would be 960 beats per minute"),
        ("sounds", Controls(), None, "'sounds' has no bars"),
    ],
)
def test_contradictions_are_refused(style, given, seconds, words):
    with pytest.raises(ConfigError, match=words):
        timed(style, 1, parse_form("verse:8"), given, seconds=seconds)
