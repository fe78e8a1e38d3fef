"""Drum parts: grooves with small variations, fills at the ends of phrases."""

from functools import lru_cache

from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.grooves import FILLS, GROOVES, KEYS
from jen1cli.composition.rhythm.meters import read_pattern
from jen1cli.composition.score import Note

_LEVEL = {"X": 0.95, "x": 0.76, "o": 0.5, "g": 0.28, "r": 0.62, "t": 0.55}


@lru_cache(maxsize=1024)
def _alternatives(text: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    found: list[tuple[tuple[str, str], ...]] = []
    for block in text.strip().split("/\n"):
        lines = [line.split() for line in block.strip().splitlines()]
        found.append(tuple((line[0], line[1]) for line in lines if len(line) == 2))
    return tuple(block for block in found if block)


def read_groove(name: str) -> tuple[str, tuple[tuple[tuple[str, str], ...], ...]]:
    """Return the meter of a groove and its alternatives, each rows of (sound, steps)."""
    head, _, body = GROOVES[name].partition("\n")
    return head.strip(), _alternatives(body)


def _stroke(beat: float, key: int, symbol: str, step: float) -> list[Note]:
    level = _LEVEL[symbol]
    if symbol in "rt":
        count = 2 if symbol == "r" else 3
        return [
            Note(beat + i * step / count, step / count, key, level + 0.08 * i) for i in range(count)
        ]
    return [Note(beat, step, key, level)]


def write_drums(plan: Plan, groove: str, fill: str, touch: Touch, busy: float) -> tuple[Note, ...]:
    """Write a drum part for the whole clip.

    Args:
        plan: Plan of the clip.
        groove: Key of `GROOVES`.
        fill: Key of `FILLS`; each phrase ends with one.
        touch: Humanisation.
        busy: Amount of variation: 0 none, 1 in almost every bar.
    """
    random = plan.random.substream("drums")
    written, blocks = read_groove(groove)
    main = random.pick(blocks)
    second = random.pick(blocks) if random.chance(0.5) else main
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for bar in range(plan.bars):
        start = bar * bar_beats
        section = plan.section(start)
        block = second if plan.sections.index(section) % 2 else main
        last_of_phrase = (bar + 1) % plan.phrase == 0
        fill_from = bar_beats
        rolls = section.name == "build" and fill == "roll"
        if rolls and start + bar_beats >= section.start_beat + section.length_beats - 1e-6:
            fill_from = 0.0
        elif last_of_phrase and fill != "none" and random.chance(0.45 + 0.5 * section.energy):
            fill_from = bar_beats - random.pick((1.0, 1.0, 2.0, 2.0, bar_beats))
        bar_notes = _bar(plan, written, block, bar, random, busy, section.energy)
        notes += [n for n in bar_notes if n.beat < start + fill_from - 1e-6]
        if fill_from < bar_beats:
            notes += _fill(plan, fill, start, fill_from, random)
        if _wants_crash(plan, bar, groove) and random.chance(0.35 + 0.6 * section.energy):
            notes.append(Note(start, 2.0, KEYS["crash"], 0.6 + 0.3 * section.energy))
    return perform(plan, notes, touch, random)


def write_hits(plan: Plan, groove: str, low: int, high: int, touch: Touch) -> tuple[Note, ...]:
    """Write a groove for one tuned drum: kicks on the tonic, everything else on the fifth."""
    random = plan.random.substream("hits")
    written, blocks = read_groove(groove)
    block = random.pick(blocks)
    root = low + (plan.tonic - low) % 12
    fifth = root + 7 if root + 7 <= high else root - 5
    notes: list[Note] = []
    for bar in range(plan.bars):
        for note in _bar(
            plan, written, block, bar, random, 0.0, plan.energy(bar * plan.meter.beats)
        ):
            pitch = root if note.pitch == KEYS["kick"] else fifth
            notes.append(Note(note.beat, 2.0, pitch, note.velocity))
    return perform(plan, notes, touch, random)


def _wants_crash(plan: Plan, bar: int, groove: str) -> bool:
    quiet = ("lofi", "jazz", "brush", "bossa", "salsa", "soft", "minimal", "tabla", "one_drop")
    if groove in (*quiet, "waltz", "jig", "reel", "cinema", "taiko", "tribal", "samba"):
        return False
    start = bar * plan.meter.beats
    return bar > 0 and any(abs(s.start_beat - start) < 1e-6 for s in plan.sections)


def _bar(
    plan: Plan,
    written: str,
    block: tuple[tuple[str, str], ...],
    bar: int,
    random: RandomStream,
    busy: float,
    energy: float,
) -> list[Note]:
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for sound, line in block:
        pattern = read_pattern(line, plan.meter.name, written)
        if energy < 0.3 and sound in ("tamb", "cowbell", "china", "crash"):
            continue
        for step, place in pattern.in_bar(bar, bar_beats):
            symbol = step.symbol
            if energy < 0.35 and symbol == "g":
                continue
            if busy and symbol in "go" and random.chance(0.25 * busy):
                continue
            found = _stroke(bar * bar_beats + place, KEYS[sound], symbol, step.length)
            level = 0.82 + 0.22 * energy
            notes += [Note(n.beat, n.duration, n.pitch, n.velocity * level) for n in found]
    if busy:
        notes += _extras(plan, block, bar, random, busy)
    return notes


def _extras(
    plan: Plan, block: tuple[tuple[str, str], ...], bar: int, random: RandomStream, busy: float
) -> list[Note]:
    """Return random ghost strokes and extra kicks."""
    sounds = {sound for sound, _ in block}
    start = bar * plan.meter.beats
    steps = int(plan.meter.beats * 4)
    extras: list[Note] = []
    if "snare" in sounds and random.chance(0.5 * busy):
        place = random.integer(1, steps - 1)
        if place % 4:
            extras.append(Note(start + place / 4, 0.2, KEYS["snare"], 0.24))
    if "kick" in sounds and random.chance(0.35 * busy):
        place = random.pick([s for s in range(2, steps) if s % 4 in (2, 3)])
        extras.append(Note(start + place / 4, 0.2, KEYS["kick"], 0.55))
    if "hat" in sounds and bar % 2 and random.chance(0.4 * busy):
        extras.append(Note(start + plan.meter.beats - 0.5, 0.5, KEYS["open"], 0.5))
    return extras


def _fill(
    plan: Plan, name: str, start: float, fill_from: float, random: RandomStream
) -> list[Note]:
    block = random.pick(_alternatives(FILLS[name]))
    notes: list[Note] = []
    bar_beats = plan.meter.beats
    for sound, line in block:
        pattern = read_pattern(line)
        for step in pattern.steps:
            place = step.beat - (4.0 - bar_beats)
            if place < fill_from - 1e-6 or place >= bar_beats - 1e-6 or place < 0:
                continue
            notes += _stroke(start + place, KEYS[sound], step.symbol, step.length)
    return notes
