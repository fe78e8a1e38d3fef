"""Melodies from motives that return and vary, their echoes, harmonies and ostinatos."""

import math
from dataclasses import dataclass

from jen1cli.corpus.dice import Dice
from jen1cli.corpus.plan import Plan, Touch, perform
from jen1cli.corpus.score import Note
from jen1cli.corpus.theory import SCALES, Chord, chord_scale, ladder, nearest


@dataclass(frozen=True)
class Feel:
    """How a melody moves."""

    density: float = 1.0  # notes in a pulse
    shortest: float = 0.5  # beats
    rest: float = 0.1  # share of rests
    syncopation: float = 0.1  # chance that a note comes early
    leap: float = 0.2  # share of leaps
    legato: float = 0.95  # share of a note that sounds
    span: int = 7  # scale steps that a motive may cover
    repeat: float = 0.1  # share of repeated notes
    ornament: str = ""  # "grace", "turn", "roll" or "slide"
    ornaments: float = 0.0  # share of long notes that get one
    scale: str = ""  # a scale of its own, "" for the key's
    strict: float = 0.9  # chance that strong notes are chord tones


FEELS: dict[str, Feel] = {
    "sparse": Feel(0.55, 0.5, 0.3, 0.25, 0.3, 0.95, 7),
    "lyrical": Feel(0.8, 0.5, 0.08, 0.08, 0.22, 1.0, 7),
    "vocal": Feel(1.1, 0.5, 0.14, 0.3, 0.15, 0.92, 6, 0.25),
    "flowing": Feel(1.6, 0.5, 0.05, 0.05, 0.15, 0.97, 8),
    "running": Feel(2.6, 0.25, 0.03, 0.02, 0.12, 0.95, 9),
    "bebop": Feel(1.9, 0.5, 0.14, 0.25, 0.2, 0.9, 9, 0.05, "grace", 0.12),
    "swing": Feel(1.3, 0.5, 0.16, 0.35, 0.22, 0.85, 8, 0.15, "grace", 0.12),
    "bluesy": Feel(1.2, 0.5, 0.25, 0.3, 0.2, 0.9, 6, 0.15, "grace", 0.3, "blues", 0.55),
    "major_blues": Feel(1.3, 0.5, 0.2, 0.3, 0.2, 0.9, 6, 0.15, "grace", 0.3, "major blues", 0.7),
    "pentatonic": Feel(1.1, 0.5, 0.14, 0.15, 0.2, 0.95, 6, 0.1, "", 0.0, "pentatonic", 0.8),
    "solo": Feel(1.9, 0.25, 0.15, 0.2, 0.25, 0.95, 8, 0.1, "slide", 0.3, "pentatonic", 0.65),
    "hook": Feel(1.4, 0.5, 0.15, 0.4, 0.25, 0.8, 6, 0.2),
    "lead": Feel(1.3, 0.25, 0.08, 0.35, 0.3, 0.9, 8, 0.15),
    "anthem": Feel(0.9, 0.5, 0.05, 0.15, 0.25, 1.0, 7, 0.15),
    "chip": Feel(2.0, 0.25, 0.08, 0.25, 0.35, 0.8, 9, 0.12),
    "lullaby": Feel(0.95, 0.5, 0.06, 0.0, 0.25, 1.0, 6, 0.12),
    "hymn": Feel(0.8, 1.0, 0.03, 0.0, 0.15, 1.0, 6, 0.15),
    "march": Feel(1.2, 0.25, 0.06, 0.05, 0.35, 0.75, 7, 0.25),
    "folk": Feel(1.3, 0.5, 0.05, 0.08, 0.18, 0.95, 7, 0.15),
    "fiddle": Feel(2.0, 0.25, 0.02, 0.05, 0.2, 0.9, 9, 0.1, "grace", 0.2),
    "jig": Feel(2.7, 0.5, 0.01, 0.0, 0.2, 0.9, 8, 0.08, "grace", 0.15),
    "baroque": Feel(2.2, 0.25, 0.03, 0.03, 0.22, 0.85, 9, 0.05, "turn", 0.25),
    "classical": Feel(1.5, 0.25, 0.07, 0.03, 0.25, 0.9, 8, 0.1, "turn", 0.12),
    "waltz": Feel(0.9, 0.5, 0.06, 0.02, 0.3, 0.95, 8, 0.08),
    "latin": Feel(1.5, 0.5, 0.18, 0.45, 0.2, 0.85, 7, 0.2),
    "bossa": Feel(1.0, 0.5, 0.18, 0.5, 0.15, 0.92, 6, 0.25),
    "reggae": Feel(1.0, 0.5, 0.25, 0.3, 0.2, 0.8, 6, 0.2),
    "brassy": Feel(1.2, 0.25, 0.3, 0.4, 0.2, 0.7, 6, 0.3),
    "ambient": Feel(0.35, 1.0, 0.2, 0.1, 0.35, 1.0, 8),
    "east": Feel(0.9, 0.5, 0.14, 0.1, 0.25, 0.95, 7, 0.1, "grace", 0.35, "insen", 0.5),
    "koto": Feel(1.2, 0.25, 0.2, 0.1, 0.25, 1.0, 8, 0.1, "roll", 0.3, "hirajoshi", 0.5),
    "raga": Feel(1.6, 0.25, 0.06, 0.1, 0.12, 0.97, 7, 0.12, "slide", 0.4, "", 0.5),
    "flamenco": Feel(1.8, 0.25, 0.15, 0.15, 0.15, 0.95, 7, 0.1, "turn", 0.3, "", 0.6),
    "klezmer": Feel(1.7, 0.25, 0.05, 0.15, 0.2, 0.85, 8, 0.12, "grace", 0.4, "", 0.75),
    "tango": Feel(1.2, 0.25, 0.1, 0.2, 0.25, 0.8, 8, 0.1, "grace", 0.25),
    "heavy": Feel(1.4, 0.25, 0.08, 0.2, 0.25, 0.95, 8, 0.15, "slide", 0.2),
    "drama": Feel(0.7, 0.5, 0.05, 0.05, 0.3, 1.0, 8, 0.1),
    "trap": Feel(1.0, 0.25, 0.25, 0.3, 0.2, 0.9, 6, 0.25),
    "rag": Feel(2.1, 0.25, 0.06, 0.5, 0.3, 0.85, 8, 0.08),
}

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


@dataclass(frozen=True)
class _Motive:
    lengths: tuple[float, ...]  # beats, negative for rests
    contour: tuple[int, ...]  # scale steps from the motive's start, one for each length


def write_melody(
    plan: Plan, feel: Feel, low: int, high: int, touch: Touch, role: str = "melody"
) -> tuple[Note, ...]:
    """A melody for the whole clip: phrases of four motives, question and answer."""
    dice = plan.dice.stream("melody", role)
    notes = compose_melody(plan, feel, low, high, dice)
    return perform(plan, notes, touch, dice)


def compose_melody(plan: Plan, feel: Feel, low: int, high: int, dice: Dice) -> list[Note]:
    """The straight notes of a melody, before swing and human timing."""
    cell = plan.meter.beats
    if cell * 60 / plan.bpm < 1.5:
        cell *= 2
    cells = math.ceil(plan.beats / cell - 1e-6)
    scale = _scale(plan, feel)
    centre = _centre(low, high, feel)
    motives: dict[str, _Motive] = {}
    order = dice.pick(_ORDERS).split()
    notes: list[Note] = []
    previous = centre + dice.integer(-3, 3)
    for index in range(cells):
        place = index % 4
        if place == 0 and index > 0 and dice.chance(0.35):
            order = dice.pick(_ORDERS).split()
        name = order[place]
        letter = name.rstrip("'")
        if index >= 8 and dice.chance(0.4):
            letter += "2"
        if letter not in motives:
            motives[letter] = _invent(plan, feel, cell, dice)
        motive = motives[letter]
        primes = name.count("'") + (1 if index >= 4 and dice.chance(0.3) else 0)
        for _ in range(primes):
            motive = _vary(motive, dice)
        closing = place == 3 or index == cells - 1
        if closing:
            motive = _close(motive, cell, plan.meter.pulse, dice)
        answer = index % 8 >= 4 or index == cells - 1 or cells <= 4
        lift = (0, 1, 2, -1)[place] if not closing else -1
        anchor = 0.6 * previous + 0.4 * (centre + lift * 2)
        found = _realise(plan, feel, motive, index * cell, anchor, scale, low, high, dice)
        if closing and found:
            found[-1] = _landing(plan, found[-1], final=answer, low=low, high=high)
        notes += found
        if found:
            previous = found[-1].pitch
    return _ornamented(plan, feel, notes, scale, dice)


def _scale(plan: Plan, feel: Feel) -> frozenset[int]:
    name = feel.scale
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


def _centre(low: int, high: int, feel: Feel) -> float:
    comfortable_low, comfortable_high = low + 4, high - 4
    return comfortable_low + 0.55 * (comfortable_high - comfortable_low)


def _invent(plan: Plan, feel: Feel, cell: float, dice: Dice) -> _Motive:
    lengths: list[float] = []
    target = plan.meter.pulse / feel.density
    compound = plan.meter.pulse == 1.5
    pieces = _groups(plan.meter.beats, compound=compound) * round(cell / plan.meter.beats)
    for piece in pieces:
        _split(piece, target, feel, dice, lengths)
    lengths = _syncopated(lengths, feel, dice)
    if all(length < 0 for length in lengths):
        lengths[0] = -lengths[0]
    return _Motive(tuple(lengths), _contour(len(lengths), feel, dice))


def _groups(beats: float, *, compound: bool) -> list[float]:
    if compound:
        return [1.5] * round(beats / 1.5)
    return {4.0: [4.0], 3.0: [3.0], 5.0: [3.0, 2.0], 2.0: [2.0], 3.5: [1.0, 1.0, 1.5]}[beats]


_SPLITS: dict[float, tuple[tuple[tuple[float, ...], float], ...]] = {
    4.0: (((2, 2), 5), ((3, 1), 1.5), ((1, 3), 0.7), ((1.5, 1.5, 1), 1), ((1.5, 2.5), 0.6)),
    3.0: (((2, 1), 3), ((1, 2), 1.5), ((1, 1, 1), 3), ((1.5, 1.5), 0.8)),
    2.5: (((1.5, 1), 1), ((1, 1.5), 1), ((0.5, 2), 1)),
    2.0: (((1, 1), 5), ((1.5, 0.5), 2.5), ((0.5, 1.5), 1), ((0.75, 0.75, 0.5), 1)),
    1.5: (((1, 0.5), 3), ((0.5, 0.5, 0.5), 3), ((0.5, 1), 1)),
    1.0: (((0.5, 0.5), 5), ((0.75, 0.25), 1.5), ((0.5, 0.25, 0.25), 1), ((0.25, 0.25, 0.5), 1)),
    0.75: (((0.5, 0.25), 1),),
    0.5: (((0.25, 0.25), 1),),
}
_OFFBEAT = {
    (1.5, 1.5, 1),
    (1.5, 2.5),
    (0.5, 1.5),
    (0.75, 0.75, 0.5),
    (1.5, 1.5),
    (0.5, 1),
    (0.5, 2),
}


def _split(length: float, target: float, feel: Feel, dice: Dice, out: list[float]) -> None:
    ratio = length / target
    chance = 1.0 if ratio >= 2.6 else 0.85 if ratio > 1.6 else 0.4 if ratio > 0.9 else 0.06
    options = {
        parts: weight * (0.3 + 2.5 * feel.syncopation if parts in _OFFBEAT else 1.0)
        for parts, weight in _SPLITS.get(length, ())
        if min(parts) >= feel.shortest
    }
    if not options or not dice.chance(chance):
        out.append(-length if dice.chance(feel.rest) else length)
        return
    for part in dice.weighted(options):
        _split(float(part), target, feel, dice, out)


def _syncopated(lengths: list[float], feel: Feel, dice: Dice) -> list[float]:
    """Lets some notes come in early, at the cost of the note before."""
    done = list(lengths)
    early = 0.5 if feel.shortest >= 0.5 else 0.25
    for index in range(1, len(done)):
        before, here = done[index - 1], done[index]
        if here >= 1.0 and abs(before) > early and dice.chance(feel.syncopation):
            done[index - 1] = math.copysign(abs(before) - early, before)
            done[index] = here + early
    return done


def _contour(count: int, feel: Feel, dice: Dice) -> tuple[int, ...]:
    """Scale steps from the start: mostly steps, leaps are followed by a step back."""
    shape = dice.pick(("arch", "arch", "fall", "rise", "wave", "valley"))
    offsets = [0]
    back = 0
    for index in range(1, count):
        phase = index / max(1, count - 1)
        trend = {
            "arch": 1 if phase < 0.55 else -1,
            "valley": -1 if phase < 0.5 else 1,
            "rise": 1,
            "fall": -1,
            "wave": 1 if math.sin(phase * 9.0) > 0 else -1,
        }[shape]
        direction = trend if dice.chance(0.72) else -trend
        if back:
            step, back = -back, 0
        elif dice.chance(feel.repeat):
            step = 0
        elif dice.chance(feel.leap):
            step = direction * dice.pick((2, 2, 3, 4))
            back = 1 if step > 2 else -1 if step < -2 else 0
        else:
            step = direction
        here = offsets[-1] + step
        if abs(here) > feel.span // 2 + 1:
            here = offsets[-1] - step
        offsets.append(here)
    return tuple(offsets)


def _vary(motive: _Motive, dice: Dice) -> _Motive:
    """A relative of a motive: sequence, new ending, ornament or thinner rhythm."""
    kind = dice.pick(("sequence", "sequence", "ending", "fill", "thin", "invert"))
    lengths, contour = list(motive.lengths), list(motive.contour)
    if kind == "sequence":
        shift = dice.pick((-2, -1, 1, 2))
        contour = [step + shift for step in contour]
    elif kind == "invert":
        contour = [-step for step in contour]
    elif kind == "ending" and len(contour) > 1:
        contour[-1] += dice.pick((-2, -1, 1, 2))
    elif kind == "fill":
        longest = max(range(len(lengths)), key=lambda i: lengths[i])
        if lengths[longest] >= 1.0:
            half = lengths[longest] / 2
            lengths[longest : longest + 1] = [half, half]
            contour.insert(longest + 1, contour[longest] + dice.pick((-1, 1)))
    elif kind == "thin" and len(lengths) > 3:
        index = dice.integer(1, len(lengths) - 1)
        if lengths[index - 1] > 0:
            lengths[index - 1] += abs(lengths[index])
            del lengths[index], contour[index]
    return _Motive(tuple(lengths), tuple(contour))


def _close(motive: _Motive, cell: float, pulse: float, dice: Dice) -> _Motive:
    """Ends a motive on one long note: what comes after its middle is tied together."""
    cut = cell * (0.5 if dice.chance(0.7) else 0.25)
    position = 0.0
    lengths: list[float] = []
    contour: list[int] = []
    for length, step in zip(motive.lengths, motive.contour, strict=True):
        if position >= cut - 1e-6:
            break
        lengths.append(length)
        contour.append(step)
        position += abs(length)
    left = cell - position
    if left < pulse and lengths:
        lengths[-1] = abs(lengths[-1]) + left
        return _Motive(tuple(lengths), tuple(contour))
    breath = pulse if left > 2 * pulse else 0.0
    lengths.append(left - breath)
    contour.append(motive.contour[min(len(contour), len(motive.contour) - 1)])
    if breath:
        lengths.append(-breath)
        contour.append(0)
    return _Motive(tuple(lengths), tuple(contour))


def _realise(
    plan: Plan,
    feel: Feel,
    motive: _Motive,
    start: float,
    anchor: float,
    scale: frozenset[int],
    low: int,
    high: int,
    dice: Dice,
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
            pitch = _fitted(plan, feel, pitch, chord, scale, low, high, dice, weight=weight)
            moves = 0 if last is None else offset - last
            if pitch == previous and moves:
                pitch = _moved(pitch, moves, chord, scale, weight, low, high)
            if previous is not None and abs(pitch - previous) > 12:
                pitch += -12 if pitch > previous else 12
                pitch = max(low, min(high, pitch))
            level = 0.6 + 0.12 * plan.accent(beat) + 0.18 * plan.energy(beat)
            level += 0.05 * (pitch - low) / max(1, high - low)
            notes.append(Note(beat, max(0.1, duration * feel.legato), pitch, level))
            previous, last = pitch, offset
        beat += duration
    return notes


def _weight(plan: Plan, beat: float, duration: float) -> float:
    """How much a note should belong to the chord: 1 on stressed beats and for long notes."""
    if plan.accent(beat) >= 0.75 or duration >= 1.5 * plan.meter.pulse:
        return 1.0
    if plan.accent(beat) >= 0.55:
        return 0.55
    return 0.4 if duration >= plan.meter.pulse else 0.0


def _moved(
    pitch: int,
    moves: int,
    chord: Chord,
    scale: frozenset[int],
    weight: float,
    low: int,
    high: int,
) -> int:
    """The next tone in the direction that the motive takes, where snapping had hidden it."""
    classes = set(chord.classes) if weight >= 1.0 else chord_scale(scale, chord)
    reach = range(pitch + 1, pitch + 6) if moves > 0 else range(pitch - 1, pitch - 6, -1)
    for other in reach:
        if other % 12 in classes and low <= other <= high:
            return other
    return pitch


def _fitted(
    plan: Plan,
    feel: Feel,
    pitch: int,
    chord: Chord,
    scale: frozenset[int],
    low: int,
    high: int,
    dice: Dice,
    *,
    weight: float,
) -> int:
    """Chord tones on strong places, the scale of the chord elsewhere."""
    classes = set(chord.classes)
    if weight and dice.chance(feel.strict * weight):
        if pitch % 12 in classes:
            return pitch
        targets = ladder(classes, max(low, pitch - 4), min(high, pitch + 4))
        if targets:
            return nearest(pitch + (0.1 if dice.chance(0.5) else -0.1), targets)
    fitting = chord_scale(scale, chord) if not feel.scale else scale
    if pitch % 12 in fitting:
        return pitch
    targets = ladder(fitting, max(low, pitch - 3), min(high, pitch + 3))
    return nearest(pitch, targets) if targets else pitch


def _landing(plan: Plan, note: Note, *, final: bool, low: int, high: int) -> Note:
    """The last note of a phrase: home in an answer, open in a question."""
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
    plan: Plan, feel: Feel, notes: list[Note], scale: frozenset[int], dice: Dice
) -> list[Note]:
    if not feel.ornament:
        return notes
    done: list[Note] = []
    for note in notes:
        if note.duration < 0.45 or not dice.chance(feel.ornaments):
            done.append(note)
            continue
        steps = ladder(scale, note.pitch - 5, note.pitch + 5)
        below = max((p for p in steps if p < note.pitch), default=note.pitch - 1)
        above = min((p for p in steps if p > note.pitch), default=note.pitch + 2)
        done += _ornament(plan, feel.ornament, note, below, above, dice)
    return done


def _ornament(plan: Plan, kind: str, note: Note, below: int, above: int, dice: Dice) -> list[Note]:
    quick = min(plan.seconds(0.075), note.duration / 4)
    soft = note.velocity * 0.8
    if kind == "turn":
        beats = [above, note.pitch, below]
        played = [Note(note.beat + i * quick, quick, p, soft) for i, p in enumerate(beats)]
    elif kind == "roll":
        played = [Note(note.beat + i * quick, quick, note.pitch, soft) for i in range(2)]
    elif kind == "slide":
        played = [Note(note.beat, quick, note.pitch - dice.pick((1, 2)), soft)]
    else:
        played = [Note(note.beat, quick, dice.pick((above, below, note.pitch - 1)), soft)]
    start = note.beat + quick * len(played)
    return [*played, Note(start, note.beat + note.duration - start, note.pitch, note.velocity)]


def write_counter(
    plan: Plan, kind: str, lead: tuple[Note, ...], low: int, high: int, touch: Touch, role: str
) -> tuple[Note, ...]:
    """A second voice.

    Args:
        plan: The frame of the clip.
        kind: "guide" (long notes by step), "answer" (fills the gaps of the lead), "thirds" or
            "sixths" (below the lead), "octave" (doubles it).
        lead: The melody as performed.
        low: Lowest MIDI number.
        high: Highest.
        touch: How human it is played.
        role: Names the random stream.
    """
    dice = plan.dice.stream("counter", role)
    if kind == "guide" or not lead:
        return perform(plan, _guide(plan, low, high), touch, dice)
    if kind == "answer":
        return perform(plan, _answers(plan, lead, low, high, dice), touch, dice)
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


def _answers(plan: Plan, lead: tuple[Note, ...], low: int, high: int, dice: Dice) -> list[Note]:
    """Short figures where the lead holds or is silent."""
    figure = dice.pick(
        ((0.5, 0.5, 1.0), (0.5, 0.5, 0.5, 0.5), (1.0, 0.5, 0.5), (0.25, 0.25, 0.5, 1))
    )
    moves = dice.pick(((0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 1)))
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


RIFFS = ("riff", "power_riff", "acid", "groove_riff", "sequence")


def write_riff(
    plan: Plan, kind: str, low: int, high: int, touch: Touch, role: str
) -> tuple[Note, ...]:
    """An ostinato of one or two bars that follows the chords.

    Args:
        plan: The frame of the clip.
        kind: "riff" (moves with the roots), "power_riff" (the same in fifths), "acid" (sixteenths
            with accents and octaves), "groove_riff" (stays in the key), "sequence" (steady
            sixteenths over chord tones).
        low: Lowest MIDI number.
        high: Highest.
        touch: How human it is played.
        role: Names the random stream.
    """
    dice = plan.dice.stream("riff", role)
    bars = 1 if plan.meter.beats * 60 / plan.bpm > 2.2 or kind == "acid" else 2
    cell = plan.meter.beats * bars
    steps = _riff_steps(kind, cell, dice)
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
    return perform(plan, notes, touch, dice)


def _riff_steps(kind: str, cell: float, dice: Dice) -> list[tuple[float, float, int, float]]:
    """Onset, length, step of the ladder, level."""
    found: list[tuple[float, float, int, float]] = []
    count = round(cell * 4)
    if kind == "sequence":
        row = [dice.pick((0, 1, 2, 3, 4)) for _ in range(dice.pick((3, 4, 5, 6, 8)))]
        return [(i / 4, 0.25, row[i % len(row)], 0.75 - 0.2 * (i % 4 > 0)) for i in range(count)]
    if kind == "acid":
        for i in range(count):
            if dice.chance(0.78):
                degree = dice.weighted({0: 6.0, 1: 1.5, 2: 1.0, 4: 1.5, 5: 2.0, -1: 1.0})
                found.append(
                    (i / 4, dice.pick((0.2, 0.25, 0.3)), degree, 0.6 + 0.35 * dice.chance(0.3))
                )
        return found
    feel = Feel(1.7 if kind == "groove_riff" else 1.5, 0.25, 0.18, 0.4, 0.3, 0.8, 5, 0.3)
    lengths: list[float] = []
    for piece in _groups(4.0, compound=False) * 4:
        _split(piece, 1 / feel.density, feel, dice, lengths)
    contour = _contour(len(lengths), feel, dice)
    beat = 0.0
    for length, step in zip(_syncopated(lengths, feel, dice), contour, strict=True):
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
