"""Chords of a piece: a loop for each material, twelve bars for a blues, or the given chart."""

from collections.abc import Sequence

from jen1cli.composition.harmony.chord_loops import choose_loop, is_minor, lay_chords
from jen1cli.composition.harmony.progressions import CADENCES, POOLS
from jen1cli.composition.harmony.theory import Chord, chord_at
from jen1cli.composition.pieces.frame import Frame
from jen1cli.composition.pieces.passages import OTHER_CHORDS
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.styles.style import Style
from jen1cli.music.chords import SUFFIXES, Bar
from jen1cli.music.patterns import Pattern

MATERIALS = ("A", "B", "C")
_OTHER_CHORDS = 0.25
_TWELVE_BARS = {
    False: "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
    True: "i7 | iv7 | i7 | i7 | iv7 | iv7 | i7 | i7 | bVI7 | V7#9 | i7 | V7#9",
}  # minor -> the form of twelve bars
_BLUES = frozenset(("blues", "blues_minor"))
_SPARE = {False: "pop_major", True: "pop_minor"}  # pools of a mode that the style does not have


def choose_loops(
    style: Style,
    random: RandomStream,
    frame: Frame,
    form: str,
    *,
    twelve_bars: bool,
    melody: Pattern | None,
) -> dict[str, str]:
    """Choose the loop of each material, Roman numerals with "|" between cells.

    Args:
        style: style of the piece.
        random: source of random choices.
        frame: key of the piece.
        form: form of the style.
        twelve_bars: whether to play a blues of twelve bars in any style.
        melody: a given melody, which the chords have to fit; None: there is none.
    """
    pools = _pools(style, frame.mode)
    if twelve_bars or _BLUES.issuperset(pools.split()):
        return dict.fromkeys(MATERIALS, _TWELVE_BARS[is_minor(frame.mode)])
    if melody is not None and melody.sounds:
        options = [loop for pool in pools.split() for loop in POOLS[pool]]
        best = max(options, key=lambda loop: _fit(loop, frame, style.cell, melody))
        return dict.fromkeys(MATERIALS, best)
    found: dict[str, str] = {}
    for material in MATERIALS:
        stream = random.substream(material)
        other = not found or stream.chance(OTHER_CHORDS.get(form, _OTHER_CHORDS))
        loop = choose_loop(stream.substream("loop"), pools, frame.mode, style.invent)
        found[material] = loop if other else found["A"]
    return found


def _pools(style: Style, mode: str) -> str:
    minor = is_minor(mode)
    own = style.harmony.get(mode) or style.harmony.get("minor" if minor else "major")
    related = (pools for other, pools in style.harmony.items() if is_minor(other) == minor)
    return own or next(related, _SPARE[minor])


def _fit(loop: str, frame: Frame, cell: float, melody: Pattern) -> float:
    """Return the time, in bars, in which a melody has tones of the chords."""
    beats = frame.meter.beats
    chords = lay_chords(loop, frame.tonic, beats, melody.bars, cell)
    return sum(
        (note.stop - note.start)
        * (note.number % 12 in chord_at(chords, note.start * beats).classes)
        for note in melody.sounds
    )


def cycle_bars(style: Style, loops: dict[str, str], chart: Sequence[Bar]) -> int:
    """Return the bars after which the chords repeat."""
    if chart:
        return len(chart)
    cells = max(len(loop.split("|")) for loop in loops.values())
    return max(1, round(cells * style.cell))


def loop_chords(
    loop: str, style: Style, frame: Frame, bars: int, *, ends: bool
) -> tuple[Chord, ...]:
    """Lay a loop over some bars.

    Args:
        loop: Roman numerals.
        style: length of a cell, and the kind of cadence.
        frame: metre and key.
        bars: bars to fill.
        ends: whether the last chord is the tonic, after a cadence where there is room.
    """
    cells = [cell.strip() for cell in loop.split("|")]
    count = max(1, round(bars / style.cell))
    row = [cells[i % len(cells)] for i in range(count)]
    if ends:
        flavour = "" if style.cadence in ("", "plain") else f"{style.cadence} "
        key = "minor" if is_minor(frame.mode) else "major"
        cadence = [cell.strip() for cell in CADENCES[f"{flavour}{key}"][0].split("|")]
        kept = cadence if style.cadence and count > len(cadence) else cadence[-1:]
        row[-len(kept) :] = kept
    return lay_chords(" | ".join(row), frame.tonic, frame.meter.beats, bars, style.cell)


def chart_chords(chart: Sequence[Bar], start: int, bars: int, beats: float) -> tuple[Chord, ...]:
    """Return the chords of a given chart, which repeats, in some bars of the piece.

    Where the chart is silent, the chord before it goes on.

    Args:
        chart: bars of chords.
        start: first bar.
        bars: number of bars.
        beats: quarter notes in a bar.
    """
    found: list[Chord] = []
    named = next((chord for bar in chart for chord in bar if chord is not None), None)
    for index in range(bars):
        bar = chart[(start + index) % len(chart)]
        for place, chord in enumerate(bar):
            named = chord or named
            if named is None:
                continue
            length = beats / len(bar)
            begin = index * beats + place * length
            intervals = SUFFIXES[named.suffix]
            found.append(Chord(str(named), named.root, intervals, named.bass, begin, length))
    return tuple(found)
