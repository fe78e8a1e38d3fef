"""Chords of a piece: a loop for each material, twelve bars for a blues, or the given chart."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from jen1cli.composition.composer import cadences
from jen1cli.composition.harmony.chord_loops import choose_loop, is_minor, lay_chords
from jen1cli.composition.harmony.progressions import POOLS
from jen1cli.composition.harmony.theory import PlacedChord, chord_at, parse_chord
from jen1cli.composition.pieces.frame import Frame
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.styles.style import Style
from jen1cli.music.chords import SUFFIXES, Bar
from jen1cli.music.patterns import Pattern

MATERIALS = ("A", "B", "C")
# Form -> probability that materials B and C have chords of their own.
_OTHER_CHORDS = {"verse": 0.7, "lift": 0.4, "aba": 0.6, "crescendo": 0.4, "calm": 0.4}
_OTHER_CHORDS_ELSEWHERE = 0.25
_FITTED_BARS = 16  # most bars in which a loop is compared with a melody, to save time
_FITTING = 0.95  # share of the best loop's fit from which a loop fits as well
_TWELVE_BARS = {
    False: "I7 | IV7 | I7 | I7 | IV7 | IV7 | I7 | I7 | V7 | IV7 | I7 | V7",
    True: "i7 | iv7 | i7 | i7 | iv7 | iv7 | i7 | i7 | bVI7 | V7#9 | i7 | V7#9",
}  # minor -> the form of twelve bars
# a tonic chord with a seventh or more: "i7", "Imaj9", but not "I6", "i5" or "ii7"
_TONIC_SEVENTH = re.compile(r"(?<![\w#])[Ii](?![IiVv])(?:maj|m)?(?:7|9|1[13])")
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
        frame: key, metre and tempo of the piece.
        form: form of the style.
        twelve_bars: whether to play a blues of twelve bars in any style.
        melody: a given melody, which the chords have to fit; None: there is none.
    """
    pools = _pools(style, frame.mode)
    if twelve_bars or _BLUES.issuperset(pools.split()):
        return dict.fromkeys(MATERIALS, _TWELVE_BARS[is_minor(frame.mode)])
    options = _fitting_loops(style, pools)
    if melody is not None and melody.sounds:
        fits = {loop: _fit(loop, frame, style.cell, melody) for loop in options}
        least = _FITTING * max(fits.values())
        near = [loop for loop, fit in fits.items() if fit >= least]
        return dict.fromkeys(MATERIALS, random.substream("fit").pick(near))
    found: dict[str, str] = {}
    for material in MATERIALS:
        stream = random.substream(material)
        other = not found or stream.chance(_OTHER_CHORDS.get(form, _OTHER_CHORDS_ELSEWHERE))
        loop = choose_loop(stream.substream("loop"), pools, frame.mode, style.invent)
        if loop in _pooled(pools) and loop not in options:
            loop = stream.substream("other").pick(options)
        found[material] = loop if other else found["A"]
    return found


def _pooled(pools: str) -> list[str]:
    return [loop for pool in pools.split() for loop in POOLS[pool]]


def _fitting_loops(style: Style, pools: str) -> list[str]:
    """Return the loops of some pools; in folk and classical styles those with a triad as tonic.

    Modal pools are shared with jazz.
    """
    loops = _pooled(pools)
    if style.cadence != "plain" or "acoustic" not in style.tags.split():
        return loops
    return [loop for loop in loops if not _TONIC_SEVENTH.search(loop)] or loops


def choose_cadence(style: Style, random: RandomStream, mode: str, loop: str) -> str:
    """Choose the two last cells of a piece.

    A style without cadences ends on the tonic chord of its loop, such as "i5" in metal; where the
    loop has none, on that of another loop, or on a triad.

    Args:
        style: style of the piece.
        random: source of random choices.
        mode: mode of the key.
        loop: Roman numerals of the first material.
    """
    cadence = random.pick(cadences(style, mode))
    if style.cadence:
        return cadence
    loops = (loop, *_fitting_loops(style, _pools(style, mode)))
    symbols = (symbol for found in loops for symbol in found.replace("|", " ").split())
    home = next((s for s in symbols if (c := parse_chord(s)).root == c.bass == 0), None)
    return f"{cadence.split('|')[0].strip()} | {home}" if home else cadence


def _pools(style: Style, mode: str) -> str:
    minor = is_minor(mode)
    own = style.harmony.get(mode) or style.harmony.get("minor" if minor else "major")
    related = (pools for other, pools in style.harmony.items() if is_minor(other) == minor)
    return own or next(related, _SPARE[minor])


def _fit(loop: str, frame: Frame, cell: float, melody: Pattern) -> float:
    """Return the time in which a melody has tones of the chords, as a share of all time.

    Loop and melody repeat until both end together.
    """
    bars = min(_FITTED_BARS, math.lcm(_loop_bars(loop, cell), melody.bars))
    beats = bars * frame.meter.beats
    chords = lay_chords(loop, frame.tonic, frame.meter.beats, bars, cell)
    fitting = (
        note.stop - note.start
        for note in frame.sounds(melody, beats)
        if note.number % 12 in chord_at(chords, note.start).classes
    )
    return sum(fitting) / beats


def _loop_bars(loop: str, cell: float) -> int:
    return max(1, round(len(loop.split("|")) * cell))


def cycle_bars(style: Style, loops: dict[str, str], chart: Sequence[Bar]) -> int:
    """Return the bars after which the chords repeat."""
    if chart:
        return len(chart)
    return max(_loop_bars(loop, style.cell) for loop in loops.values())


def loop_chords(
    loop: str, style: Style, frame: Frame, bars: int, *, phase: int = 0, cadence: str = ""
) -> tuple[PlacedChord, ...]:
    """Lay a loop over some bars.

    Args:
        loop: Roman numerals.
        style: length of a cell, and whether there is a cadence.
        frame: metre and key.
        bars: bars to fill.
        phase: bars of the loop that are over when these bars begin.
        cadence: two cells of Roman numerals: the last chord ends the bars, after the whole
            cadence if the style has one and there is room; "": the loop goes on.
    """
    cells = [cell.strip() for cell in loop.split("|")]
    count = max(1, round((phase + bars) / style.cell))
    row = [cells[i % len(cells)] for i in range(count)]
    if cadence:
        ending = [cell.strip() for cell in cadence.split("|")]
        kept = ending if style.cadence and bars / style.cell > len(ending) else ending[-1:]
        row[-len(kept) :] = kept
    beats = frame.meter.beats
    laid = lay_chords(" | ".join(row), frame.tonic, beats, phase + bars, style.cell)
    return _from_beat(laid, phase * beats)


def _from_beat(chords: tuple[PlacedChord, ...], beat: float) -> tuple[PlacedChord, ...]:
    """Return what is left of the chords from a beat on, which becomes beat 0."""
    found: list[PlacedChord] = []
    for chord in chords:
        start = max(beat, chord.start)
        if chord.end > start + 1e-6:
            found.append(replace(chord, start=start - beat, length=chord.end - start))
    return tuple(found)


def chart_chords(
    chart: Sequence[Bar], start: int, bars: int, beats: float
) -> tuple[PlacedChord, ...]:
    """Return the chords of a given chart, which repeats, in some bars of the piece.

    Where the chart is silent, the chord before it goes on.

    Args:
        chart: bars of chords.
        start: first bar.
        bars: number of bars.
        beats: quarter notes in a bar.
    """
    found: list[PlacedChord] = []
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
            found.append(PlacedChord(str(named), named.root, intervals, named.bass, begin, length))
    return tuple(found)
