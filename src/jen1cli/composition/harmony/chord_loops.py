"""Chords of a clip: loops from pools or a functional grammar, repeated over its bars."""

from jen1cli.composition.harmony.progressions import POOLS
from jen1cli.composition.harmony.theory import PlacedChord, chord_at, parse_chord
from jen1cli.composition.random_stream import RandomStream
from jen1cli.music import chords as names

# Functional grammar for new progressions: tonic (T), subdominant and dominant chords.
_FUNCTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "major": {
        "T": ("I", "vi", "I/iii", "iii"),
        "S": ("IV", "ii", "ii7/iv", "IVadd9"),
        "D": ("V", "Vsus4 V", "V/vii", "V7"),
    },
    "minor": {
        "T": ("i", "bVI", "bIII", "i/bIII"),
        "S": ("iv", "bVI", "iv7", "iim7b5"),
        "D": ("V", "bVII", "v", "Vsus4 V"),
    },
    "jazz major": {
        "T": ("Imaj9", "vi9", "iii7", "I69"),
        "S": ("ii9", "IVmaj9", "iv6", "ii7"),
        "D": ("V13", "V9sus4", "bII7", "V7b9"),
    },
    "jazz minor": {
        "T": ("i9", "bVImaj7", "bIIImaj9", "i6"),
        "S": ("iv9", "iim7b5", "bVImaj7", "iv7"),
        "D": ("V7b9", "bVII13", "V7#9", "v7"),
    },
}
_ROUTES = ("T S D T", "T T S D", "T S T D", "S D T T", "T D T S", "T S S D", "T T T S", "S T S D")


def is_minor(mode: str) -> bool:
    """Whether a mode has a minor third."""
    return mode in ("minor", "dorian", "phrygian", "harmonic minor")


def invent_loop(random: RandomStream, flavour: str) -> str:
    """Return a four-chord loop by functional grammar; its first tonic (T) is the tonic chord."""
    functions = _FUNCTIONS[flavour]
    route = random.pick(_ROUTES).split()
    chosen: list[str] = []
    home = False
    for function in route:
        options = functions[function]
        if function == "T" and not home:
            symbol, home = options[0], True
        else:
            symbol = random.pick([o for o in options if not chosen or o != chosen[-1]])
        chosen.append(symbol)
    return " | ".join(chosen)


def choose_loop(random: RandomStream, pools: str, mode: str, invent: float) -> str:
    """Return a loop from the named pools, or (with probability `invent`) a new one."""
    minor = is_minor(mode)
    if random.chance(invent):
        jazzy = any(p in pools for p in ("jazz", "lofi", "soul", "bossa", "gospel", "house"))
        return invent_loop(random, f"{'jazz ' if jazzy else ''}{'minor' if minor else 'major'}")
    return random.pick([loop for pool in pools.split() for loop in POOLS[pool]])


def lay_chords(
    loop: str, tonic: int, bar_beats: float, bars: int, cell_bars: float, cadence: str = ""
) -> tuple[PlacedChord, ...]:
    """Repeat a loop over the bars; a cadence, if given, replaces the last two cells.

    Args:
        loop: Roman numerals.
        tonic: Pitch class of the key.
        bar_beats: Quarter notes in a bar.
        bars: Bars to fill.
        cell_bars: Bars (or a fraction of a bar) between two "|".
        cadence: Roman numerals of the ending, two cells, or "".
    """
    cells = [cell.split() for cell in loop.split("|")]
    total = bars * bar_beats
    width = bar_beats * cell_bars
    count = max(1, round(total / width))
    row = [cells[i % len(cells)] for i in range(count)]
    if cadence:
        ending = [cell.split() for cell in cadence.split("|")]
        if count > len(ending) + 1:
            row[-len(ending) :] = ending
    chords: list[PlacedChord] = []
    for index, cell in enumerate(row):
        for position, symbol in enumerate(cell):
            start = index * width + position * width / len(cell)
            chords.append(_place(symbol, tonic, start, width / len(cell)))
    last = chords[-1]
    chords[-1] = PlacedChord(
        last.symbol, last.root, last.intervals, last.bass, last.start, total - last.start
    )
    return tuple(chords)


def _place(symbol: str, tonic: int, start: float, length: float) -> PlacedChord:
    shape = parse_chord(symbol)
    return PlacedChord(
        symbol,
        (shape.root + tonic) % 12,
        shape.intervals,
        (shape.bass + tonic) % 12,
        start,
        length,
    )


def write_chart(chords: tuple[PlacedChord, ...], bar_beats: float, bars: int) -> str:
    """Return a chart (`jen1cli.music.chords`) with the coarsest division of each bar that fits."""
    return names.chart_text(chart_bars(chords, bar_beats, bars))


def chart_bars(
    chords: tuple[PlacedChord, ...], bar_beats: float, bars: int
) -> tuple[names.Bar, ...]:
    """Return the bars of a chart; see `write_chart`."""
    return tuple(_bar(chords, bar * bar_beats, bar_beats) for bar in range(bars))


def _bar(chords: tuple[PlacedChord, ...], start: float, length: float) -> names.Bar:
    changes = [c.start - start for c in chords if 0 < c.start - start < length]
    parts = next(
        (n for n in names.PARTS if all(_whole(change * n / length) for change in changes)),
        names.PARTS[-1],
    )
    found = []
    for part in range(parts):
        chord = chord_at(chords, start + (part + 0.25) * length / parts)
        found.append(names.Chord(chord.root, parse_chord(chord.symbol).suffix, chord.bass))
    return tuple(found)


def _whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6
