"""Ostinatos: riffs, acid lines and sequences that follow the chords."""

import math

from jen1cli.composition.harmony.theory import SCALES, chord_scale, ladder, nearest
from jen1cli.composition.parts.melodic_styles import MelodicStyle
from jen1cli.composition.parts.motives import draw_contour, split_bar, split_length, syncopate
from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Note

RIFFS = ("riff", "power_riff", "acid", "groove_riff", "sequence")


def write_riff(
    plan: Plan, kind: str, low: int, high: int, touch: Touch, role: str
) -> tuple[Note, ...]:
    """Write an ostinato of one or two bars that follows the chords.

    Args:
        plan: Plan of the clip.
        kind: "riff" (moves with the roots), "power_riff" (the same in fifths), "acid" (sixteenths
            with accents and octaves), "groove_riff" (stays in the key), "sequence" (steady
            sixteenths over chord tones).
        low: Lowest MIDI number.
        high: Highest MIDI number.
        touch: Humanisation.
        role: Name of the random stream.
    """
    random = plan.random.substream("riff", role)
    bars = 1 if plan.meter.beats * 60 / plan.bpm > 2.2 or kind == "acid" else 2
    cell = plan.meter.beats * bars
    steps = _riff_steps(kind, cell, random)
    home = low + (plan.tonic - low) % 12
    if home - low < 3 and home + 12 <= high - 7:
        home += 12
    notes: list[Note] = []
    for index in range(math.ceil(plan.beats / cell)):
        for beat, length, degree, level in steps:
            at = index * cell + beat
            if at >= plan.beats:
                continue
            notes += _riff_note(plan, kind, at, length, degree, level, home, low, high)
    return perform(plan, notes, touch, random)


def _riff_steps(
    kind: str, cell: float, random: RandomStream
) -> list[tuple[float, float, int, float]]:
    """Return (onset in beats, length in beats, scale or chord step, velocity) of each note."""
    found: list[tuple[float, float, int, float]] = []
    count = round(cell * 4)
    if kind == "sequence":
        row = [random.pick((0, 1, 2, 3, 4)) for _ in range(random.pick((3, 4, 5, 6, 8)))]
        return [(i / 4, 0.25, row[i % len(row)], 0.75 - 0.2 * (i % 4 > 0)) for i in range(count)]
    if kind == "acid":
        for i in range(count):
            if random.chance(0.78):
                degree = random.weighted({0: 6.0, 1: 1.5, 2: 1.0, 4: 1.5, 5: 2.0, -1: 1.0})
                found.append(
                    (i / 4, random.pick((0.2, 0.25, 0.3)), degree, 0.6 + 0.35 * random.chance(0.3))
                )
        return found
    style = MelodicStyle(1.7 if kind == "groove_riff" else 1.5, 0.25, 0.18, 0.4, 0.3, 0.8, 5, 0.3)
    lengths: list[float] = []
    for piece in split_bar(4.0, compound=False) * 4:
        split_length(piece, 1 / style.density, style, random, lengths)
    contour = draw_contour(len(lengths), style, random)
    beat = 0.0
    for length, step in zip(syncopate(lengths, style, random), contour, strict=True):
        if length > 0 and beat < cell - 1e-6:
            found.append((beat, min(length * 0.85, cell - beat), step, 0.72))
        beat += abs(length)
    return found or [(0.0, 1.0, 0, 0.75)]


def _riff_note(
    plan: Plan,
    kind: str,
    beat: float,
    length: float,
    degree: int,
    level: float,
    home: int,
    low: int,
    high: int,
) -> list[Note]:
    chord = plan.chord(beat + 1e-4)
    level += 0.1 * plan.accent(beat) + 0.1 * plan.energy(beat)
    if kind == "sequence":
        tones = ladder(set(chord.classes), low, high)
        start = tones.index(nearest(home, tones))
        return [Note(beat, length, tones[min(len(tones) - 1, start + degree)], level)]
    minor = (plan.tonic + 3) % 12 in plan.scale
    scale = SCALES["minor pentatonic" if minor else "major pentatonic"]
    shift = 0 if kind == "groove_riff" else (chord.root - plan.tonic + 6) % 12 - 6
    octave, place = divmod(degree, len(scale))
    pitch = home + shift + scale[place] + 12 * octave
    if kind != "groove_riff" and pitch % 12 not in plan.scale:
        pitch = nearest(pitch, ladder(chord_scale(plan.scale, chord), pitch - 2, pitch + 2))
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    notes = [Note(beat, length, pitch, level)]
    if kind == "power_riff" and pitch + 7 <= high:
        notes.append(Note(beat, length, pitch + 7, level * 0.95))
    return notes
