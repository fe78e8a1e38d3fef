"""Second voices: guide lines, answers in the gaps of the lead, parallel thirds, sixths, octaves."""

import math

from jen1cli.composition.harmony.theory import chord_scale, ladder, nearest
from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Note

COUNTERS = ("guide", "answer", "thirds", "sixths", "octave")


def write_counter(
    plan: Plan, kind: str, lead: tuple[Note, ...], low: int, high: int, touch: Touch, role: str
) -> tuple[Note, ...]:
    """Write a second voice.

    Args:
        plan: Plan of the clip.
        kind: "guide" (long notes by step), "answer" (fills the gaps of the lead), "thirds" or
            "sixths" (below the lead), "octave" (doubles it).
        lead: The melody as performed.
        low: Lowest MIDI number.
        high: Highest MIDI number.
        touch: Humanisation.
        role: Name of the random stream.
    """
    random = plan.random.substream("counter", role)
    if kind == "guide" or not lead:
        return perform(plan, _guide(plan, low, high), touch, random)
    if kind == "answer":
        return perform(plan, _answers(plan, lead, low, high, random), touch, random)
    notes: list[Note] = []
    for note in lead:
        pitch = _companion(plan, note, kind)
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        notes.append(Note(note.beat, note.duration, pitch, note.velocity * 0.85))
    return tuple(notes)


def _companion(plan: Plan, note: Note, kind: str) -> int:
    if kind == "octave":
        return note.pitch - 12
    chord = plan.chord(note.beat + 1e-4)
    classes = chord_scale(plan.scale, chord)
    distances = (3, 4, 5) if kind == "thirds" else (8, 9, 7)
    tones = set(chord.classes)
    for wanted in (tones, classes):
        for distance in distances:
            if (note.pitch - distance) % 12 in wanted:
                return note.pitch - distance
    return note.pitch - distances[0]


def _guide(plan: Plan, low: int, high: int) -> list[Note]:
    pitch = (low + high) // 2
    notes: list[Note] = []
    for chord in plan.chords:
        telling = {(chord.root + chord.third) % 12, (chord.root + chord.seventh) % 12}
        telling |= {(chord.root + chord.fifth) % 12}
        pitch = nearest(pitch + 0.4, ladder(telling, low, high))
        level = 0.5 + 0.25 * plan.energy(chord.start)
        if notes and notes[-1].pitch == pitch and chord.start % (2 * plan.meter.beats) > 1e-6:
            last = notes[-1]
            notes[-1] = Note(last.beat, last.duration + chord.length, pitch, last.velocity)
        else:
            notes.append(Note(chord.start, chord.length * 0.99, pitch, level))
    return notes


def _answers(
    plan: Plan, lead: tuple[Note, ...], low: int, high: int, random: RandomStream
) -> list[Note]:
    """Write short figures in the gaps and long notes of the lead."""
    figure = random.pick(
        ((0.5, 0.5, 1.0), (0.5, 0.5, 0.5, 0.5), (1.0, 0.5, 0.5), (0.25, 0.25, 0.5, 1))
    )
    moves = random.pick(((0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 1)))
    notes: list[Note] = []
    starts = [note.beat for note in lead] + [plan.beats]
    for note, following in zip(lead, starts[1:], strict=True):
        gap = following - note.beat
        length = sum(figure)
        if gap < length + 0.75 or note.beat + 0.5 > plan.beats - length:
            continue
        beat = math.ceil((note.beat + 0.75) * 2) / 2
        for index, part in enumerate(figure):
            chord = plan.chord(beat + 1e-4)
            tones = ladder(set(chord.classes), low, high)
            middle = len(tones) // 2
            place = max(0, min(len(tones) - 1, middle + moves[index % len(moves)]))
            notes.append(Note(beat, part * 0.85, tones[place], 0.6 + 0.1 * plan.accent(beat)))
            beat += part
    return notes
