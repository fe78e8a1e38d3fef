# ruff: noqa: E501 - one pattern per row
"""Bass lines: step patterns over the chords, and walking.

Letters of a pattern: `R` root (accented), `r` root, `L` the fifth below, `3` `5` `6` `7` tones of the
chord, `8` octave, `a` semitone or scale step below the next root, `A` above it, `N` the next chord's
root (anticipated), `g` dead note.
"""

from jen1cli.composition.harmony.theory import PlacedChord
from jen1cli.composition.plan import Plan, Touch, perform
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import StepPattern, fitting_lines, read_pattern
from jen1cli.composition.score import Note

# name -> alternatives, each "meter pattern"
LINES: dict[str, tuple[str, ...]] = {
    "whole": ("4/4 R---------------", "3/4 R-----------", "6/8 R-----------"),
    "halves": ("4/4 R-------5-------", "4/4 R-------r-------", "4/4 R-------r---5---"),
    "quarters": ("4/4 R-r-r-r-",),
    "eighths": ("4/4 Rrrrrrrr", "4/4 RrrrRrrr", "4/4 RrrrrrrA"),
    "eighths_octave": ("4/4 R8R8R8R8", "4/4 R-8-R-8-R-8-R.85"),
    "sixteenths": ("4/4 RrrrRrrrRrrrRrrr", "4/4 R.rrR.rrR.rrR.rr"),
    "gallop": ("4/4 R-rrR-rrR-rrR-rr", "4/4 R.rrR.rrR.rrr.3.", "4/4 RrR.RrR.RrR.RrRr"),
    "lofi": (
        "4/4 R-----r...5-----",
        "4/4 R--.......R-8-5-",
        "4/4 R------.r---5-a-",
        "4/4 R---..r-5---....",
    ),
    "hiphop": (
        "4/4 R-.r......R-.5a-",
        "4/4 R--r..5-..R---8-",
        "4/4 R-..r-....8-7-5-",
        "4/4 R--.......r-R-a-",
    ),
    "trap": (
        "4/4 R------.....r---",
        "4/4 R-----..r-.....r|R-----....R-r---",
        "4/4 R--R--......R---|R----.......8-5-",
        "4/4 R-----R---......",
    ),
    "drill": (
        "4/4 R-------..8---r-|----..r-R-----5-",
        "4/4 R-----r-....R---|r-------R--8--r-",
        "4/4 R---------r---8-|--r-....R-----3-",
    ),
    "house": (
        "4/4 ..R...R...R...R.",
        "4/4 R..r..R...r.R.8.",
        "4/4 ..R-..R-..R-.8R-",
        "4/4 R.r...r.R..r..5.",
        "4/4 ..rr..R...rr..R8",
    ),
    "techno": (
        "4/4 ..rr..rr..rr..rr",
        "4/4 .rrr.rrr.rrr.rrr",
        "4/4 R.r..r.rR.r..r.r",
        "4/4 ..R...R...R...R.",
    ),
    "trance": ("4/4 ..R...R...R...R.", "4/4 .rrr.rrr.rrr.rr8", "4/4 .Rr8.Rr8.Rr8.Rr8"),
    "dnb": (
        "4/4 R---------..r---",
        "4/4 R-----r-..R-..5-",
        "4/4 R-------------r-|8-----7---5-----",
        "4/4 R-.r..R---.r..8-",
    ),
    "dubstep": ("4/4 R-------r-------", "4/4 R-----r-----8---", "4/4 R---..r-R---5---"),
    "garage": ("4/4 R--...r-..8-..r-", "4/4 R-..r-...R-..5..", "4/4 ..R-..r...R-8-.."),
    "reggaeton": ("4/4 R--.r-.R--.r-.5.", "4/4 R--r..R-R--r..5-"),
    "disco": (
        "4/4 R.8.R.8.R.8.R.8.",
        "4/4 R.88R.88R.88R.87",
        "4/4 R.8.R.8.5.7.8.8.",
        "4/4 R.8gR.8gR.8gR785",
    ),
    "funk": (
        "4/4 R..g..8.7.8...5.",
        "4/4 R.g.R.8..g7.8.g.",
        "4/4 R...g.R..r..5.7a",
        "4/4 R..R..g8..7.5.g.",
        "4/4 R-.g8.g..r.g7.5a",
        "4/4 Rg.8..gR.g3.5.a.",
    ),
    "soul": (
        "4/4 R---..5-8---6-5-",
        "4/4 R-----r-5---6-5-",
        "4/4 R--5..8-R--5..3-",
        "4/4 R---R---5---a---",
    ),
    "motown": ("4/4 R-35-68-5-3-R-5-", "4/4 R-R53-5-R-R56-a-", "4/4 R-.R5-8-6-5-3-a-"),
    "rnb": ("4/4 R-----r.....5-a-", "4/4 R--.....r-..8---", "4/4 R-----..R-.5..7-"),
    "ballad": ("4/4 R-----5-8---5---", "4/4 R-------5---8---", "4/4 R-----r-5-----a-"),
    "pop": ("4/4 R-r-r-r-", "4/4 R-----r-R---5---", "4/4 R--r--R-R--r--5-", "4/4 R-rr-rr-"),
    "boogie": (
        "4/4 R.R5.56.67.6",
        "4/4 R.35.66.78.6",
        "4/4 R.R3.35.56.5",
        "4/4 R.85.65.R3.a",
    ),
    "blues_slow": ("4/4 R--..R5--6-a", "4/4 R--R-.5--5-a", "4/4 R-.3-.5-.6-5"),
    "rock": (
        "4/4 Rrrrrrrr",
        "4/4 R-----r-R-r-5-a-",
        "4/4 R-r-..r-R-r-8-5-",
        "4/4 R--r..r-R--r..a-",
    ),
    "punk": ("4/4 RRRRRRRR", "4/4 RrrrRrrr"),
    "country": ("4/4 R---5---", "4/4 R---L---", "4/4 R-----..5-----..", "4/4 R---L---R---5-6-"),
    "bluegrass": ("4/4 R...L...", "4/4 R...5...R...L..a"),
    "oompah": ("3/4 R---........", "4/4 R-..L-..", "2/4 R-..L-.."),
    "waltz": ("3/4 R---........", "3/4 R-------....", "3/4 R---....a---"),
    "bossa": ("4/4 R-----5-L-----5-", "4/4 R-----r-5-----5-", "4/4 R--.5-..5--.8-5-"),
    "samba": ("4/4 R--rL--LR--r5--5", "4/4 r..RL..Lr..R5..5"),
    "tumbao": ("4/4 ......5-....N---", "4/4 R.....5-....N---", "4/4 ......5-..8-N---"),
    "cumbia": ("4/4 R---..5-8---..5-", "4/4 R-----3-5-----3-"),
    "tango": ("4/4 R---r---5---a---", "4/4 R--r5---R-----a-"),
    "reggae": (
        "4/4 R-R-..5-8---....",
        "4/4 ....R-3-5-3-R---",
        "4/4 R--.....5-5-3-R-",
        "4/4 R-..R-..8-7-5---",
        "4/4 ..R-R---..5-7-8-",
    ),
    "dub": ("4/4 R---....R-R-5---", "4/4 R-----..8-7-5-..", "4/4 ....R---..3-5-R-"),
    "ska": ("4/4 R-3-5-6-", "4/4 R-5-8-5-", "4/4 R-3-5-3-"),
    "afrobeat": ("4/4 R-.R..5-..8-7-5.", "4/4 R..R..8...5.7.a."),
    "synthwave": ("4/4 Rrrrrrrr", "4/4 RrRrRrRrRrRrRrRr", "4/4 R.rrR.rrR.rrR.r8", "4/4 R8R8R8R8"),
    "chip": ("4/4 R.8.R.8.R.8.R.8.", "4/4 RrR8RrR8", "4/4 R-R-8-R-5-R-8-7-", "4/4 R.R8.R8."),
    "sixeight": ("6/8 R-----5-----", "6/8 R---r-5---a-", "6/8 R-----R---5-", "6/8 R--.r-5--.8-"),
    "jig": ("6/8 R-..5-R-..L-", "6/8 R---..L---..", "6/8 R-----5-----"),
    "five": ("5/4 R-----5---R---5---a-", "5/4 R-..r-..5---R---a---"),
    "pedal": ("4/4 R---------------", "4/4 R-------r-------", "4/4 RrrrRrrrRrrrRrrr"),
    "epic": ("4/4 R-----R-----R---", "4/4 R-------R-------", "4/4 Rrrrrrrr"),
    "amapiano": ("4/4 ..R-..r.R-.....r", "4/4 ......R-.R-..r8-"),
}
ALGORITHMS = ("walk", "walk_two")


def write_bass(
    plan: Plan, name: str, low: int, high: int, touch: Touch, legato: float = 0.95
) -> tuple[Note, ...]:
    """Write a bass part for the whole clip.

    Args:
        plan: Plan of the clip.
        name: Key of `LINES`, "walk" (quarters) or "walk_two" (halves).
        low: Lowest MIDI number of the instrument.
        high: Highest MIDI number of the instrument.
        touch: Humanisation.
        legato: Length of a note relative to its step.
    """
    random = plan.random.substream("bass")
    if name in ALGORITHMS:
        notes = _walk(plan, random, low, min(high, low + 24), plan.meter.pulse, two=name != "walk")
        return perform(plan, notes, touch, random)
    home = _home(plan, low, high)
    fitting = fitting_lines(LINES[name], plan.meter.name)
    main, other = random.pick(fitting), random.pick(fitting)
    notes = []
    for bar in range(plan.bars):
        last_of_phrase = (bar + 1) % plan.phrase == 0
        meter, text = other if last_of_phrase and random.chance(0.6) else main
        notes += _bar(plan, read_pattern(text, plan.meter.name, meter), bar, home, high, legato)
    return perform(plan, _with_missed_changes(plan, notes, home, high), touch, random)


def _home(plan: Plan, low: int, high: int) -> int:
    """Return the lowest MIDI number of roots, which lie within an octave above it."""
    return min(max(low, 28), high - 12)


def _root(home: int, pitch_class: int) -> int:
    return home + (pitch_class - home) % 12


def _tone(
    symbol: str, chord: PlacedChord, upcoming: PlacedChord, plan: Plan, home: int, high: int
) -> int:
    root = _root(home, chord.bass)
    base = _root(home, chord.root)
    if symbol in "Rrg":
        return root
    if symbol == "8":
        return root + 12
    if symbol in "NaA":
        goal = _root(home, upcoming.bass)
        if symbol == "N":
            return goal
        below, above = goal - 1, goal + 1
        if symbol == "a":
            return below if below % 12 in plan.scale or below - 1 < home else goal - 2
        return above if above % 12 in plan.scale else goal + 2
    if symbol == "L":
        fifth = base + chord.fifth - 12
        return fifth if fifth >= home - 5 else fifth + 12
    interval = {"3": chord.third, "5": chord.fifth, "6": 9, "7": chord.seventh}[symbol]
    if symbol == "6" and (chord.root + 9) % 12 not in plan.scale and 3 in chord.intervals:
        interval = 8
    if symbol == "7" and interval == 12:
        interval = 10 if (chord.root + 10) % 12 in plan.scale else 11
    return base + interval


def _bar(
    plan: Plan, pattern: StepPattern, bar: int, home: int, high: int, legato: float
) -> list[Note]:
    notes: list[Note] = []
    for step, place in pattern.in_bar(bar, plan.meter.beats):
        beat = bar * plan.meter.beats + place
        chord = plan.chord(beat + 1e-4)
        pitch = _tone(step.symbol, chord, plan.next_chord(beat + 1e-4), plan, home, high)
        while pitch > high:
            pitch -= 12
        while pitch < home - 5:
            pitch += 12
        velocity = 0.66 + 0.16 * plan.accent(beat) + 0.1 * plan.energy(beat)
        length = step.length * legato
        if step.symbol == "g":
            velocity, length = 0.35, min(0.12, length)
        elif step.symbol == "R":
            velocity += 0.06
        if step.symbol not in "N" and beat + length > chord.end:
            length = chord.end - beat
        notes.append(Note(beat, max(0.08, length), pitch, velocity))
    return notes


def _with_missed_changes(plan: Plan, notes: list[Note], home: int, high: int) -> list[Note]:
    """Add the root of each chord that begins within a bar and on which the pattern has no note."""
    onsets = [note.beat for note in notes]
    for chord in plan.chords:
        if chord.start % plan.meter.beats < 1e-6 or chord.length < 0.99:
            continue
        if any(chord.start - 0.3 <= onset <= chord.start + 0.51 for onset in onsets):
            continue
        following = min((o for o in onsets if o > chord.start), default=plan.beats)
        length = min(chord.length, following - chord.start) * 0.9
        notes.append(Note(chord.start, length, min(_root(home, chord.bass), high), 0.7))
    return notes


def _walk(
    plan: Plan, random: RandomStream, low: int, high: int, pulse: float, *, two: bool
) -> list[Note]:
    """Write a walking bass: roots on changes, chord and scale tones, a half step to the next root."""
    notes: list[Note] = []
    size = pulse * (2 if two else 1)
    pitch = _root(low + 5, plan.chords[0].bass)
    direction = 1
    for chord in plan.chords:
        count = max(1, round(chord.length / size))
        following = plan.next_chord(chord.start + 1e-4)
        root = min(
            (p for p in range(low, high + 1) if p % 12 == chord.bass), key=lambda p: abs(p - pitch)
        )
        line = _walk_line(plan, random, chord, following, root, count, low, high, direction)
        direction = -direction if random.chance(0.6) else direction
        for index, tone in enumerate(line):
            beat = chord.start + index * chord.length / count
            length = chord.length / count
            velocity = 0.7 + 0.08 * plan.accent(beat) + 0.1 * plan.energy(beat)
            notes.append(Note(beat, length * 0.94, tone, velocity))
            skip = not two and random.chance(0.1) and length >= 1.0
            if skip and index + 1 < count:
                notes.append(Note(beat + length * 0.5, length * 0.3, tone, velocity * 0.6))
        pitch = line[-1]
    return notes


def _walk_line(
    plan: Plan,
    random: RandomStream,
    chord: PlacedChord,
    following: PlacedChord,
    root: int,
    count: int,
    low: int,
    high: int,
    direction: int,
) -> list[int]:
    line = [root]
    tones = [(chord.root + i) % 12 for i in chord.intervals if i < 12]
    scale = plan.scale | set(tones)
    while len(line) < count - 1:
        here = line[-1]
        strong = len(line) % 2 == 0
        wanted = tones if strong else scale
        options = [
            p
            for p in range(max(low, here - 5), min(high, here + 5) + 1)
            if p % 12 in wanted and p != here
        ]
        ahead = [p for p in options if (p - here) * direction > 0]
        line.append(random.pick(sorted(ahead or options, key=lambda p: abs(p - here))[:2]))
        if line[-1] >= high - 2 or line[-1] <= low + 2:
            direction = -direction
    if count > 1:
        here = line[-1]
        goals = [p for p in range(low, high + 1) if p % 12 == following.bass]
        goal = min(goals, key=lambda p: abs(p - here))
        options = [goal - 1, goal + 1, goal - 2, goal + 2, goal + 7, goal - 5]
        legal = [p for p in options if low <= p <= high and p != here] or [here]
        line.append(random.pick(sorted(legal[:4], key=lambda p: abs(p - here))[:2]))
    return line
