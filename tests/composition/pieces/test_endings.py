"""Endings of pieces: last chord, last note of a melody, whole bars; breaths."""

import itertools
import math
from dataclasses import replace

import pytest

from jen1cli.composition.harmony.theory import PlacedChord
from jen1cli.composition.pieces.endings import breathe, end_parts
from jen1cli.composition.plan import Plan
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import METERS, Swing
from jen1cli.composition.score import Note, Part
from jen1cli.music.chords import parse_chart
from jen1cli.music.controls import Controls
from pieces_support import composed


def last_notes(score, role):
    """The notes of a part that sound at the very end, by onset."""
    return [
        note
        for part in score.parts
        if part.role == role
        for note in part.notes
        if note.beat + note.duration > score.length_beats - 0.05
    ]


@pytest.mark.parametrize(
    "chords",
    [
        "C | F | G",
        *(pytest.param(x, marks=pytest.mark.heavy) for x in ("C | G | Dm7 G7", "Am F C E")),
    ],
)
def test_the_end_is_in_the_last_chord(chords):
    chart = parse_chart(chords)
    seen = 0
    for style, seed in itertools.product(("pop", "folk", "jazz trio", "cinematic"), range(3)):
        bars = len(chart) * math.ceil(16 / len(chart))  # 32 s or more: a piece with an ending
        given = Controls(bpm=120.0, meter="4/4", key="C", mode="major", chords=chords)
        score, _ = composed(style, seed, bars * 2.0, given)
        classes = set(chart[-1][-1].classes)
        for part in score.parts:
            if part.stem == "drums" or part.role in ("texture", "drone"):
                continue
            last = last_notes(score, part.role)
            assert {note.pitch % 12 for note in last} <= classes, (style, seed, part.role)
            seen += len(last)
        assert len(last_notes(score, "bass")) <= 1, (style, seed)
    assert seen > 20


@pytest.mark.heavy
def test_a_long_piece_ends_on_its_tonic():
    for style, seed in itertools.product(("pop", "jazz trio", "techno"), range(2)):
        score, controls = composed(style, seed, 60.0)
        last = parse_chart(controls.chords)[-1][-1]
        assert last.named().startswith(controls.key)
        ending = score.sections[-1].start_beat + score.sections[-1].length_beats
        bar = METERS[score.meter].beats
        drums = [n for part in score.parts if part.stem == "drums" for n in part.notes]
        assert all(note.beat < ending - bar + 0.35 for note in drums)


@pytest.mark.heavy
def test_a_style_without_cadences_ends_on_its_own_tonic_chord():
    for style, ends in (("metal", ("5", "m")), ("lofi", ("7", "9")), ("disco", ("7", "9", "6"))):
        for seed in range(4):
            chords = parse_chart(composed(style, seed, 60.0)[1].chords)
            last = chords[-1][-1].named()
            before = {chord.named() for bar in chords[:-1] for chord in bar}
            assert last.endswith(ends), (style, seed)
            assert last in before or not any(c.startswith(last[:-1]) for c in before), (style, seed)


@pytest.mark.parametrize(
    "style",
    [
        "pop",
        "waltz",
        *(pytest.param(x, marks=pytest.mark.heavy) for x in ("country", "epic trailer")),
    ],
)
def test_pieces_from_sixteen_seconds_on_have_whole_bars(style):
    for seed, seconds in itertools.product(range(2), (16.0, 20.0, 27.0, 40.0)):
        score, _ = composed(style, seed, seconds)
        bars = score.length_beats / METERS[score.meter].beats
        assert bars == pytest.approx(round(bars)), (seed, seconds)


def test_a_melody_breathes_at_the_end_of_its_phrases():
    notes = (Note(0.0, 7.8, 60, 0.7), Note(8.0, 8.0, 62, 0.7), Note(16.0, 1.0, 64, 0.7),
             Note(23.0, 0.95, 64, 0.7), Note(30.0, 4.0, 60, 0.7))  # fmt: skip
    plan = Plan(
        RandomStream(1), 120.0, METERS["4/4"], 8, 2, Swing(), 0, "major", frozenset(), (), ()
    )
    lead = breathe(Part("melody", "melody", "flute", notes), plan)
    assert [n.duration for n in lead.notes] == pytest.approx([7.6, 7.6, 1.0, 0.95, 4.0])
    riff = Part("riff", "melody", "flute", notes)
    assert breathe(riff, plan) == riff


def test_a_melody_that_rests_comes_back_for_the_last_chord():
    chord = PlacedChord("I", 9, (0, 4, 7), 9, 12.0, 4.0)
    part = Part("melody", "melody", "flute", (Note(9.0, 1.0, 71, 0.6),))
    last = end_parts([part], 12.0, 16.0, chord, 9)[0].notes[-1]
    assert (last.beat, last.duration, last.pitch) == (12.0, 4.0, 69)
    long_over = replace(part, notes=(Note(1.0, 1.0, 71, 0.6),))
    assert end_parts([long_over], 12.0, 16.0, chord, 9) == [long_over]
