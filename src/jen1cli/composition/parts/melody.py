"""Melodies from repeated and varied motives, in phrases of question and answer."""

import math

from jen1cli.composition.harmony.theory import SCALES, PlacedChord, chord_scale, ladder, nearest
from jen1cli.composition.parts.melodic_styles import MelodicStyle
from jen1cli.composition.parts.motives import Motive, close_motive, invent_motive, vary_motive
from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.score import Note

# Orders of motives within a phrase; a dash marks a variation.
_ORDERS = (
    "a a' b c",
    "a b a c",
    "a b a' c",
    "a a' a'' b",
    "a b a' b'",
    "a a b c",
    "a b b' c",
)


def write_melody(
    plan: Plan, style: MelodicStyle, low: int, high: int, touch: Touch, role: str = "melody"
) -> tuple[Note, ...]:
    """Write a melody for the whole clip: phrases of four motives, question and answer."""
    random = plan.random.substream("melody", role)
    notes = compose_melody(plan, style, low, high, random)
    return perform(plan, notes, touch, random)


def compose_melody(
    plan: Plan, style: MelodicStyle, low: int, high: int, random: RandomStream
) -> list[Note]:
    """Compose the notes of a melody on the straight grid, before swing and humanisation."""
    cell = plan.meter.beats
    if cell * 60 / plan.bpm < 1.5:
        cell *= 2
    cells = math.ceil(plan.beats / cell - 1e-6)
    scale = _scale(plan, style)
    centre = _centre(low, high, style)
    motives: dict[str, Motive] = {}
    order = random.pick(_ORDERS).split()
    notes: list[Note] = []
    previous = centre + random.integer(-3, 3)
    for index in range(cells):
        place = index % 4
        if place == 0 and index > 0 and random.chance(0.35):
            order = random.pick(_ORDERS).split()
        name = order[place]
        letter = name.rstrip("'")
        if index >= 8 and random.chance(0.4):
            letter += "2"
        if letter not in motives:
            motives[letter] = invent_motive(plan, style, cell, random)
        motive = motives[letter]
        primes = name.count("'") + (1 if index >= 4 and random.chance(0.3) else 0)
        for _ in range(primes):
            motive = vary_motive(motive, random)
        closing = place == 3 or index == cells - 1
        if closing:
            motive = close_motive(motive, cell, plan.meter.pulse, random)
        answer = index % 8 >= 4 or index == cells - 1 or cells <= 4
        lift = (0, 1, 2, -1)[place] if not closing else -1
        anchor = 0.6 * previous + 0.4 * (centre + lift * 2)
        found = _realise(plan, style, motive, index * cell, anchor, scale, low, high, random)
        if closing and found:
            found[-1] = _landing(plan, found[-1], final=answer, low=low, high=high)
        notes += found
        if found:
            previous = found[-1].pitch
    return _ornamented(plan, style, notes, scale, random)


def _scale(plan: Plan, style: MelodicStyle) -> frozenset[int]:
    name = style.scale
    if not name:
        return plan.scale
    minor = (plan.tonic + 3) % 12 in plan.scale
    if name == "pentatonic":
        name = "minor pentatonic" if minor else "major pentatonic"
    if name == "major blues" and minor:
        name = "blues"
    if name in ("insen", "hirajoshi"):
        name = "insen" if (plan.tonic + 1) % 12 in plan.scale else "hirajoshi"
    return frozenset((plan.tonic + interval) % 12 for interval in SCALES[name])


def _centre(low: int, high: int, style: MelodicStyle) -> float:
    comfortable_low, comfortable_high = low + 4, high - 4
    return comfortable_low + 0.55 * (comfortable_high - comfortable_low)


def _realise(
    plan: Plan,
    style: MelodicStyle,
    motive: Motive,
    start: float,
    anchor: float,
    scale: frozenset[int],
    low: int,
    high: int,
    random: RandomStream,
) -> list[Note]:
    notes: list[Note] = []
    beat = start
    steps = ladder(scale, low, high)
    base = steps.index(nearest(anchor, steps))
    highest = max(motive.contour)
    lowest = min(motive.contour)
    base = (
        max(-lowest, min(base, len(steps) - 1 - highest)) if highest - lowest < len(steps) else base
    )
    previous: int | None = None
    last: int | None = None
    for length, offset in zip(motive.lengths, motive.contour, strict=True):
        duration = abs(length)
        if length > 0 and beat < plan.beats - 1e-6:
            chord = plan.chord(beat + 1e-4)
            pitch = steps[max(0, min(len(steps) - 1, base + offset))]
            weight = _weight(plan, beat, duration)
            pitch = _fitted(plan, style, pitch, chord, scale, low, high, random, weight=weight)
            moves = 0 if last is None else offset - last
            if pitch == previous and moves:
                pitch = _moved(pitch, moves, chord, scale, weight, low, high)
            if previous is not None and abs(pitch - previous) > 12:
                pitch += -12 if pitch > previous else 12
                pitch = max(low, min(high, pitch))
            level = 0.6 + 0.12 * plan.accent(beat) + 0.18 * plan.energy(beat)
            level += 0.05 * (pitch - low) / max(1, high - low)
            notes.append(Note(beat, max(0.1, duration * style.legato), pitch, level))
            previous, last = pitch, offset
        beat += duration
    return notes


def _weight(plan: Plan, beat: float, duration: float) -> float:
    """Return the weight of choosing a chord tone: 1 on stressed beats and for long notes."""
    if plan.accent(beat) >= 0.75 or duration >= 1.5 * plan.meter.pulse:
        return 1.0
    if plan.accent(beat) >= 0.55:
        return 0.55
    return 0.4 if duration >= plan.meter.pulse else 0.0


def _moved(
    pitch: int,
    moves: int,
    chord: PlacedChord,
    scale: frozenset[int],
    weight: float,
    low: int,
    high: int,
) -> int:
    """Return the next tone in the motive's direction, if snapping to the scale undid the step."""
    classes = set(chord.classes) if weight >= 1.0 else chord_scale(scale, chord)
    reach = range(pitch + 1, pitch + 6) if moves > 0 else range(pitch - 1, pitch - 6, -1)
    for other in reach:
        if other % 12 in classes and low <= other <= high:
            return other
    return pitch


def _fitted(
    plan: Plan,
    style: MelodicStyle,
    pitch: int,
    chord: PlacedChord,
    scale: frozenset[int],
    low: int,
    high: int,
    random: RandomStream,
    *,
    weight: float,
) -> int:
    """Return the nearest fitting pitch: a chord tone on strong beats, else a tone of its scale."""
    classes = set(chord.classes)
    if weight and random.chance(style.strict * weight):
        if pitch % 12 in classes:
            return pitch
        targets = ladder(classes, max(low, pitch - 4), min(high, pitch + 4))
        if targets:
            return nearest(pitch + (0.1 if random.chance(0.5) else -0.1), targets)
    fitting = chord_scale(scale, chord) if not style.scale else scale
    if pitch % 12 in fitting:
        return pitch
    targets = ladder(fitting, max(low, pitch - 3), min(high, pitch + 3))
    return nearest(pitch, targets) if targets else pitch


def _landing(plan: Plan, note: Note, *, final: bool, low: int, high: int) -> Note:
    """Move the last note of a phrase to tonic or root (answer), or to another chord tone."""
    chord = plan.chord(note.beat + 1e-4)
    tonic = plan.tonic
    if final and tonic in chord.classes:
        wanted = {tonic}
    elif final:
        wanted = {chord.root, (chord.root + chord.third) % 12}
    else:
        wanted = {pc for pc in chord.classes[:3] if pc != tonic} or set(chord.classes)
    options = ladder(wanted, max(low, note.pitch - 7), min(high, note.pitch + 7))
    pitch = nearest(note.pitch, options) if options else note.pitch
    return Note(note.beat, note.duration, pitch, note.velocity)


def _ornamented(
    plan: Plan, style: MelodicStyle, notes: list[Note], scale: frozenset[int], random: RandomStream
) -> list[Note]:
    if not style.ornament:
        return notes
    done: list[Note] = []
    for note in notes:
        if note.duration < 0.45 or not random.chance(style.ornaments):
            done.append(note)
            continue
        steps = ladder(scale, note.pitch - 5, note.pitch + 5)
        below = max((p for p in steps if p < note.pitch), default=note.pitch - 1)
        above = min((p for p in steps if p > note.pitch), default=note.pitch + 2)
        done += _ornament(plan, style.ornament, note, below, above, random)
    return done


def _ornament(
    plan: Plan, kind: str, note: Note, below: int, above: int, random: RandomStream
) -> list[Note]:
    quick = min(plan.seconds(0.075), note.duration / 4)
    soft = note.velocity * 0.8
    if kind == "turn":
        beats = [above, note.pitch, below]
        played = [Note(note.beat + i * quick, quick, p, soft) for i, p in enumerate(beats)]
    elif kind == "roll":
        played = [Note(note.beat + i * quick, quick, note.pitch, soft) for i in range(2)]
    elif kind == "slide":
        played = [Note(note.beat, quick, note.pitch - random.pick((1, 2)), soft)]
    else:
        played = [Note(note.beat, quick, random.pick((above, below, note.pitch - 1)), soft)]
    start = note.beat + quick * len(played)
    return [*played, Note(start, note.beat + note.duration - start, note.pitch, note.velocity)]
