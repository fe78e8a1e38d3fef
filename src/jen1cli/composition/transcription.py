"""Controls of a score: its tempo, key and chords, drum pattern and melody in sixteenths."""

import math

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.rhythm.grooves import KEYS
from jen1cli.composition.rhythm.meters import METERS
from jen1cli.composition.score import Note, Part, Score
from jen1cli.composition.styles import STYLES
from jen1cli.music.controls import NO_CONTROLS, SIXTEENTHS, Controls
from jen1cli.music.patterns import (
    HOLD,
    LOWEST,
    OCTAVES,
    REST,
    STROKE,
    drums_text,
    melody_text,
    note_name,
)

STEPS_PER_BEAT = 4
"""Beats of a score are quarter notes."""
GHOST = 0.32
"""Drum strokes of lower velocity (ghost notes) are left out of the pattern."""

_KINDS = {
    "kick": ("kick",),
    "snare": ("snare", "snare2", "rim", "clap"),
    "hat": ("hat", "pedal", "tamb", "cabasa", "shaker"),
    "cymbal": ("open", "crash", "crash2", "ride", "china", "bell", "splash"),
}
_DRUM_OF = {KEYS[sound]: drum for drum, sounds in _KINDS.items() for sound in sounds}


def felt_bpm(score: Score) -> float:
    """Return the felt beats per minute: dotted quarters in 6/8."""
    return score.bpm / METERS[score.meter].pulse


def score_controls(score: Score) -> Controls:
    """Return all that control channels can express of a score; a bar begins at time 0.

    Noises and test tones have none.
    """
    if STYLES[score.style].kind == "sounds":
        return NO_CONTROLS
    return Controls(
        bpm=felt_bpm(score),
        meter=score.meter,
        key=score.key,
        mode=score.mode,
        chords=score.chords,
        drums=drum_pattern(score),
        melody=melody_line(score),
    )


def drum_pattern(score: Score) -> str:
    """Return the strokes of all drums in the format of `music.patterns.parse_drums`."""
    steps, bars = _grid(score)
    lines: dict[str, list[str]] = {name: [REST] * (steps * bars) for name in (*_KINDS, "perc")}
    for part in score.parts:
        if part.stem == "drums":
            kit = INSTRUMENTS[part.instrument].family == "drums"
            for note in part.notes:
                drum = _DRUM_OF.get(note.pitch, "perc") if kit else "perc"
                place = round(note.beat * STEPS_PER_BEAT)
                if note.velocity >= GHOST and place < steps * bars:
                    lines[drum][place] = STROKE
    return drums_text(
        {
            name: ["".join(line[i : i + steps]) for i in range(0, len(line), steps)]
            for name, line in lines.items()
        }
    )


def melody_line(score: Score) -> str:
    """Return the lead voice as text in the format of `jen1cli.music.patterns.parse_melody`.

    The lead is the first melody, else the first riff; of a chord, its top note. Without either, the
    line has only rests.
    """
    steps, bars = _grid(score)
    line = [REST] * (steps * bars)
    for note in _top_notes(_lead(score)):
        first = round(note.beat * STEPS_PER_BEAT)
        stop = max(first + 1, round((note.beat + note.duration) * STEPS_PER_BEAT))
        if first < len(line):
            line[first] = note_name(_in_range(note.pitch))
            line[first + 1 : stop] = [HOLD] * (min(stop, len(line)) - first - 1)
    return melody_text([line[i : i + steps] for i in range(0, len(line), steps)])


def _grid(score: Score) -> tuple[int, int]:
    """Return the number of sixteenths in a bar, and the number of bars."""
    bars = math.ceil(score.length_beats / METERS[score.meter].beats - 1e-6)
    return SIXTEENTHS[score.meter], max(1, bars)


def _lead(score: Score) -> Part | None:
    for role in ("melody", "riff"):
        for part in score.parts:
            if part.role == role and part.notes:
                return part
    return None


def _top_notes(part: Part | None) -> list[Note]:
    """Return the notes in time order; of simultaneous onsets, only the highest note."""
    tops: dict[int, Note] = {}
    for note in part.notes if part else ():
        place = round(note.beat * STEPS_PER_BEAT)
        if place not in tops or tops[place].pitch < note.pitch:
            tops[place] = note
    return [tops[place] for place in sorted(tops)]


def _in_range(pitch: int) -> int:
    highest = LOWEST + 12 * (OCTAVES - 1)  # first pitch of the highest octave
    octave = min(max(pitch - pitch % 12, LOWEST), highest)
    return octave + pitch % 12
