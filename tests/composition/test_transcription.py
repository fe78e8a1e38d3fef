"""Drum pattern and melody as they are told."""

import dataclasses

import pytest

from corpus_support import make_score
from jen1cli.composition.composer import compose
from jen1cli.composition.score import Note, Part
from jen1cli.composition.styles import STYLES
from jen1cli.composition.transcription import drum_pattern, melody_line
from jen1cli.corpus.captions.writer import attributes
from jen1cli.music.controls import SIXTEENTHS, controls_of
from jen1cli.music.patterns import parse_drums, parse_melody


def with_part(score, role, stem, instrument, *notes):
    part = Part(role, stem, instrument, tuple(Note(*note) for note in notes))
    return dataclasses.replace(score, parts=(*score.parts, part))


def test_a_beat_is_written_in_sixteenths():
    assert drum_pattern(make_score("drums bass", bars=2)) == (
        "kick x.......x....... | x.......x....... "
        "snare ....x.......x... | ....x.......x... "
        "hat x.x.x.x.x.x.x.x. | x.x.x.x.x.x.x.x."
    )


def test_ghosts_are_left_out_and_other_drums_are_percussion():
    score = with_part(
        make_score("bass", bars=1), "drums", "drums", "kit_standard",
        (0.02, 0.1, 36, 0.9), (1.24, 0.1, 38, 0.2), (2.0, 0.1, 63, 0.7), (3.99, 0.1, 36, 0.9),
    )  # fmt: skip
    assert drum_pattern(score) == "kick x............... perc ........x......."
    tuned = with_part(make_score("bass", bars=1), "drums", "drums", "taiko", (1.0, 1.0, 36, 0.9))
    assert drum_pattern(tuned) == "perc ....x..........."
    assert drum_pattern(make_score("bass chords")) == "none"


def test_the_leading_voice_is_written_with_its_top_notes():
    score = with_part(
        make_score("chords", bars=1), "melody", "melody", "flute",
        (0.0, 0.9, 72, 0.8), (1.03, 0.5, 64, 0.8), (1.02, 0.5, 67, 0.8), (2.0, 2.0, 108, 0.8),
    )  # fmt: skip
    assert melody_line(score) == "C5 - - - G4 - . . C6 - - - - - - -"
    assert melody_line(make_score("drums chords")) == "none"
    riff = with_part(make_score("drums", bars=1), "riff", "melody", "flute", (0.0, 4.0, 60, 0.8))
    assert melody_line(riff) == "C4" + " -" * 15


@pytest.mark.parametrize(
    "style",
    [pytest.param(s, marks=[pytest.mark.heavy] if i % 4 else []) for i, s in enumerate(STYLES)],
)
def test_every_style_is_told_bar_by_bar(style):
    score = compose(style, 3, 14.0)
    found = attributes(score)
    guide = controls_of(found)
    assert (guide.drums, guide.melody) == (found["drum_pattern"], found["melody"])
    bars = guide.melody.split(" | ")
    if guide.melody != "none":
        assert {len(bar.split()) for bar in bars} == {SIXTEENTHS[score.meter]}
        assert parse_melody(guide.melody).sounds
    assert bool(parse_drums(guide.drums)) <= score.has_drums
    if guide.chords and guide.melody != "none":
        assert len(bars) == len(guide.chords.split(" | "))
