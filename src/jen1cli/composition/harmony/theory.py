"""Keys, modes, chords and voice leading.

Chords are written as Roman numerals relative to the *major* scale on the tonic in all modes (so the
submediant of minor is `bVI`); upper case means a major third, lower case a minor one.
"""

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check

from jen1cli.music.chords import SUFFIXES, TONICS
from jen1cli.music.keys import MODES

KEYS = TONICS

SCALES: dict[str, tuple[int, ...]] = {
    **MODES,
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "major blues": (0, 2, 3, 4, 7, 9),
    "hirajoshi": (0, 2, 3, 7, 8),
    "insen": (0, 1, 5, 7, 10),
    "kumoi": (0, 2, 3, 7, 9),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}

_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}

# Suffixes that define the whole chord, so that the case of the numeral is ignored.
_WHOLE = frozenset(("sus4", "sus2", "7sus4", "9sus4", "5", "dim", "dim7", "m7b5", "aug", "7#5"))

_SYMBOL = re.compile(r"^([b#]?)([ivIV]+)([^/]*)(?:/([b#]?)([ivIV]+))?$")


@dataclass(frozen=True)
class ChordShape:
    """A chord relative to the tonic: semitones of root and bass, kind of chord."""

    symbol: str
    root: int
    suffix: str  # a key of `chords.SUFFIXES`
    bass: int

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root, ascending."""
        return SUFFIXES[self.suffix]


@no_type_check  # called for every note: run-time type checks would slow the tests
@dataclass(frozen=True)
class PlacedChord:
    """A chord in a key at a place in time."""

    symbol: str
    root: int  # pitch class 0 to 11
    intervals: tuple[int, ...]  # semitones above the root, ascending
    bass: int  # pitch class
    start: float  # beat
    length: float  # beats

    @property
    def end(self) -> float:
        """Beat at which the chord ends."""
        return self.start + self.length

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes, from the root upwards."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)

    @property
    def third(self) -> int:
        """Interval of the third in semitones, or of the chord's second tone if it has none."""
        return next((i for i in self.intervals if i in (3, 4)), self.intervals[1] % 12)

    @property
    def fifth(self) -> int:
        """Interval of the fifth in semitones: 6, 7 or 8."""
        return next((i for i in self.intervals if i in (6, 7, 8)), 7)

    @property
    def seventh(self) -> int:
        """Interval of the seventh or sixth in semitones; 12 if there is none."""
        return next((i for i in self.intervals if i in (9, 10, 11)), 12)


@lru_cache(maxsize=1024)
def parse_chord(symbol: str) -> ChordShape:
    """Parse a Roman numeral such as `bVImaj7` or `ii7`, with a slash for the bass as in `I/iii`.

    Raises:
        ValueError: The symbol is not a chord.
    """
    match = _SYMBOL.match(symbol)
    if not match or match[2].lower() not in _DEGREES:
        raise ValueError(f"no chord symbol: {symbol!r}")
    accidental, numeral, suffix, bass_accidental, bass_numeral = match.groups()
    if numeral.islower() and suffix not in _WHOLE:
        suffix = f"m{suffix}"
    if suffix not in SUFFIXES:
        raise ValueError(f"no chord symbol: {symbol!r}")
    shift = {"b": -1, "#": 1, "": 0, None: 0}
    root = (_DEGREES[numeral.lower()] + shift[accidental]) % 12
    bass = root
    if bass_numeral:
        bass = (_DEGREES[bass_numeral.lower()] + shift[bass_accidental]) % 12
    return ChordShape(symbol, root, suffix, bass)


@no_type_check
def chord_at(chords: tuple[PlacedChord, ...], beat: float) -> PlacedChord:
    """Return the chord at a beat (the last one beyond the end)."""
    for chord in chords:
        if beat < chord.end - 1e-6:
            return chord
    return chords[-1]


def ladder(classes: frozenset[int] | set[int], low: int, high: int) -> list[int]:
    """Return all MIDI numbers of these pitch classes from `low` to `high`, ascending."""
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def chord_scale(scale: frozenset[int], chord: PlacedChord) -> frozenset[int]:
    """Return the scale adapted to a chord: chord tones outside it replace their neighbours."""
    tones = set(chord.classes)
    foreign = tones - scale
    if not foreign:
        return scale
    kept = {pc for pc in scale if pc in tones or not any((pc - f) % 12 in (1, 11) for f in foreign)}
    return frozenset(kept | tones)


def nearest(pitch: float | int, pitches: list[int]) -> int:
    """Return the closest of some pitches; the lower one of two equally close."""
    return min(pitches, key=lambda other: (abs(other - pitch), other))


@lru_cache(maxsize=8192)
def _voicings(
    root: int, intervals: tuple[int, ...], size: int, low: int, high: int, manner: str
) -> tuple[tuple[int, ...], ...]:
    tones = _select(intervals, size, rootless=manner == "rootless")
    classes = sorted({(root + interval) % 12 for interval in tones})
    found: set[tuple[int, ...]] = set()
    for bottom in range(low, high + 1):
        if bottom % 12 not in classes:
            continue
        stack = [bottom]
        while len(stack) < size:
            pitch = stack[-1] + 1
            while pitch % 12 not in classes:
                pitch += 1
            stack.append(pitch)
        shapes = [stack]
        if manner == "open" and size >= 3:
            shapes = [sorted([stack[0], *stack[2:], stack[1] + 12])]
        elif manner == "drop2" and size >= 4:
            shapes.append(sorted([*stack[:-2], stack[-2] - 12, stack[-1]]))
        for shape in shapes:
            if shape[-1] <= high and shape[0] >= low and _clear(shape):
                found.add(tuple(shape))
    return tuple(sorted(found))


def _select(intervals: tuple[int, ...], size: int, *, rootless: bool) -> tuple[int, ...]:
    """Return the `size` most characteristic tones; the fifth is dropped first, then the root.

    `rootless` drops the root of chords of more than three tones in any case.
    """
    tones = [i for i in intervals if not (rootless and i == 0 and len(intervals) > 3)]
    while len(tones) > size and len(tones) > 2:
        if 7 in tones and len(tones) > 3:
            tones.remove(7)
        elif 0 in tones and len(intervals) > 3:
            tones.remove(0)
        else:
            tones.pop()
    return tuple(tones)


def _clear(shape: list[int]) -> bool:
    """Whether no interval below C3 is less than a fourth, and the top two tones are no semitone."""
    muddy = any(b - a < 5 and a < 48 for a, b in itertools.pairwise(shape))
    return not muddy and not (len(shape) > 2 and shape[-1] - shape[-2] == 1)


def voice_chord(
    chord: PlacedChord,
    previous: tuple[int, ...] | None,
    *,
    size: int,
    low: int,
    high: int,
    manner: str = "close",
) -> tuple[int, ...]:
    """Choose the voicing with least movement from the previous one, near the middle of the range.

    Args:
        chord: The chord.
        previous: The preceding voicing, or None.
        size: Number of voices.
        low: Lowest MIDI number allowed.
        high: Highest MIDI number allowed.
        manner: "close", "open" (wide), "drop2" or "rootless".

    Returns:
        Ascending MIDI numbers.
    """
    options = _voicings(chord.root, chord.intervals, size, low, high, manner)
    if not options:
        options = _voicings(chord.root, chord.intervals, min(size, 3), low, high + 7, "close")
    if not options:
        base = low + (chord.root - low) % 12
        return tuple(base + i for i in chord.intervals[:size])
    middle = (low + high) / 2
    if previous is None:
        return min(options, key=lambda v: (abs(sum(v) / len(v) - middle), v))

    def cost(voicing: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        return movement(previous, voicing) + 0.25 * abs(
            sum(voicing) / len(voicing) - middle
        ), voicing

    return min(options, key=cost)


def movement(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """Return the mean movement of the voices in semitones, with double weight of the top voice."""
    count = min(len(first), len(second))
    total = sum(abs(a - b) for a, b in zip(first[-count:], second[-count:], strict=True))
    return (total + abs(first[-1] - second[-1])) / (count + 1)
