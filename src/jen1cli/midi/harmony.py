"""Key and chords of notes, by templates of pitch classes."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np

from jen1cli.errors import ConfigError
from jen1cli.midi.grid import Grid
from jen1cli.midi.roles import MidiPart
from jen1cli.music.chords import PARTS, TONICS, Bar, Chord, parse_chord, tonic_index
from jen1cli.music.controls import BEATS
from jen1cli.music.keys import MODES

# Krumhansl and Kessler's profiles (Krumhansl, Cognitive Foundations of Musical Pitch, 1990)
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_TEMPLATES: dict[str, tuple[tuple[int, ...], float]] = {
    "": ((0, 4, 7), 0.0), "m": ((0, 3, 7), 0.0), "7": ((0, 4, 7, 10), 0.03),
    "maj7": ((0, 4, 7, 11), 0.04), "m7": ((0, 3, 7, 10), 0.03), "dim": ((0, 3, 6), 0.06),
    "m7b5": ((0, 3, 6, 10), 0.06), "dim7": ((0, 3, 6, 9), 0.07), "aug": ((0, 4, 8), 0.1),
    "sus4": ((0, 5, 7), 0.1), "sus2": ((0, 2, 7), 0.14), "5": ((0, 7), 0.15),
    "6": ((0, 4, 7, 9), 0.07),
}  # fmt: skip
"""Intervals of the chords that are looked for, and what a rarer one must fit better."""
_CHORDS = [Chord(root, suffix, root) for suffix in _TEMPLATES for root in range(12)]
_ROOTS = np.array([chord.root for chord in _CHORDS])
_COSTS = np.array([_TEMPLATES[chord.suffix][1] for chord in _CHORDS])
_TONES = np.array(
    [[(tone in c.classes) / math.sqrt(len(c.classes)) for tone in range(12)] for c in _CHORDS]
)
_ROOT_IN_BASS, _IN_KEY = 0.12, 0.04  # fits better by
_SPLIT = 0.06  # a bar of two chords fits better by more than
_LEAD_WEIGHT, _BASS_WEIGHT = 0.4, 1.0  # weights of melody and bass, relative to chords
_BASS_BELOW = 52  # MIDI number of notes that are the bass of a piece without one
_SLASH = 0.6  # share of the bass's time from which another chord tone is the chord's bass
_REHEARSAL_BARS = 4  # from one rehearsal mark to the next, at least
_SCALE_SLACK = 0.04  # by which the notes may fit another key better than the file's own


def pitch_classes(parts: Sequence[MidiPart]) -> np.ndarray:
    """Return the weighted time of each pitch class over all pitched parts."""
    found = np.zeros(12)
    for part in parts:
        if part.role in ("bass", "comping", "lead"):
            for note in part.notes:
                found[note.pitch % 12] += (note.stop - note.start) * (0.2 + note.level)
    return found


def find_key(classes: np.ndarray, signature: str) -> tuple[str, str, str]:
    """Return tonic, mode and where they are from, "the file" or "estimated"; empty without notes.

    A key signature that the notes do not fit is not believed, nor that one in major is not minor.

    Args:
        classes: result of `pitch_classes`.
        signature: as mido spells it; "": none.
    """
    if not classes.any():
        return "", "", ""
    with np.errstate(divide="ignore", invalid="ignore"):  # equal classes have no correlation
        fits = {
            (tonic, mode): float(np.corrcoef(np.roll(profile, tonic), classes)[0, 1])
            for mode, profile in _PROFILES.items()
            for tonic in range(12)
        }
    fits = {key: fit for key, fit in fits.items() if math.isfinite(fit)} or {(0, "major"): 0.0}
    best = max(fits, key=lambda key: fits[key])
    if signature:
        own = (
            tonic_index(signature.removesuffix("m")),
            "minor" if signature[-1] == "m" else "major",
        )
        share = classes / classes.sum()
        inside = _inside(share, own)
        if inside + _SCALE_SLACK >= _inside(share, best):
            relative = ((own[0] + 9) % 12, "minor")
            if own[1] == "minor" or best != relative:
                return TONICS[own[0]], own[1], "the file"
    return TONICS[best[0]], best[1], "estimated"


def _inside(share: np.ndarray, key: tuple[int, str]) -> float:
    scale = [(key[0] + step) % 12 for step in MODES[key[1]]]
    if key[1] == "minor":
        scale.append((key[0] + 11) % 12)  # the leading note
    return float(share[scale].sum())


def estimate_chords(
    grid: Grid, parts: Sequence[MidiPart], bars: int, key: str, mode: str
) -> tuple[Bar, ...]:
    """Return the chords of each bar, or of each half where it has an even number of beats.

    Without notes a chord lasts on. Returns nothing if a single line is all there is.

    Args:
        grid: the song's grid.
        parts: with roles.
        bars: number of bars.
        key: tonic, one of `TONICS`; "": unknown.
        mode: the key's mode.
    """
    pitched = [part for part in parts if part.role in ("bass", "comping", "lead")]
    if len(pitched) < 2 and not any(part.chord_share > 0.1 for part in pitched):
        return ()
    halves = 2 if BEATS[grid.meter] % 2 == 0 else 1
    weights, bass = _weights(grid, pitched, bars * halves, grid.bar_ticks / halves)
    scale = _scale(key, mode)
    found: list[Bar] = []
    last: Chord | None = None
    together = [whole.reshape(bars, halves, 12).sum(axis=1) for whole in (weights, bass)]
    fits, whole_fits = _fits(weights, bass, scale), _fits(together[0], together[1], scale)
    for bar in range(bars):
        chords = [_named(whole_fits[bar], together[0][bar], together[1][bar])]
        if halves == 2:
            both = slice(2 * bar, 2 * bar + 2)
            first, second = map(_named, fits[both], weights[both], bass[both])
            better = fits[both].max(axis=1).mean() > whole_fits[bar].max() + _SPLIT
            if first and second and first.root != second.root and better:
                chords = [first, second]
        chords = [chord or last for chord in chords]
        last = chords[-1]
        found.append(tuple(chords))
    first_known = next((chord for bar in found for chord in bar if chord), None)
    return tuple(tuple(chord or first_known for chord in bar) for bar in found)


def _scale(key: str, mode: str) -> frozenset[int]:
    return (
        frozenset((TONICS.index(key) + step) % 12 for step in MODES[mode]) if key else frozenset()
    )


def _weights(
    grid: Grid, parts: Sequence[MidiPart], count: int, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the time of each pitch class in segments [segments, 12]: of all parts, of the bass."""
    whole, bass = np.zeros((count, 12)), np.zeros((count, 12))
    has_bass = any(part.role == "bass" for part in parts)
    for part in parts:
        weight = {"lead": _LEAD_WEIGHT, "bass": _BASS_WEIGHT}.get(part.role, 1.0)
        for note in part.notes:
            start, stop = ((tick - grid.bar_tick) / length for tick in (note.start, note.stop))
            low = not has_bass and part.role == "comping" and note.pitch < _BASS_BELOW
            is_bass = part.role == "bass" or low
            for segment in range(max(0, math.floor(start)), min(count, math.ceil(stop))):
                share = min(stop, segment + 1) - max(start, segment)
                if share > 0.0:
                    amount = share * (0.3 + note.level)
                    whole[segment, note.pitch % 12] += weight * amount
                    if is_bass:
                        bass[segment, note.pitch % 12] += amount
    return whole, bass


def _fits(weights: np.ndarray, bass: np.ndarray, scale: frozenset[int]) -> np.ndarray:
    """Return how well each of `_CHORDS` fits segments [segments, 12], about 0 to 1."""
    size = np.linalg.norm(weights, axis=1, keepdims=True)
    found = weights @ _TONES.T / np.maximum(size, 1e-9) - _COSTS
    low = np.where(bass.any(axis=1), bass.argmax(axis=1), -1)
    found += _ROOT_IN_BASS * (low[:, None] == _ROOTS)
    in_key = np.array([scale.issuperset(chord.classes) for chord in _CHORDS])
    return found + _IN_KEY * in_key


def _named(fits: np.ndarray, weights: np.ndarray, bass: np.ndarray) -> Chord | None:
    """Return the best chord of one segment with its bass; None without notes."""
    if weights.sum() < 1e-9:
        return None
    chord = _CHORDS[int(fits.argmax())]
    low = int(bass.argmax())
    if low in chord.classes and low != chord.root and bass[low] >= _SLASH * bass.sum() > 0.0:
        return Chord(chord.root, chord.suffix, low)
    return chord


def marked_chords(grid: Grid, markers: Sequence[tuple[int, str]], bars: int) -> tuple[Bar, ...]:
    """Return the chords that markers name, by bar; nothing if they are no chords.

    Each marker must be a chord, on a bar line or an equal part of a bar. Names of sections in
    brackets are passed over. Rehearsal marks (A, B, C …) are no chords.
    """
    if _are_rehearsal_marks([text for _, text in markers], bars):
        return ()
    named: list[tuple[float, Chord | None]] = []
    for tick, text in markers:
        if text.startswith("[") and text.endswith("]"):
            continue
        try:
            named.append(((tick - grid.bar_tick) / grid.bar_ticks, parse_chord(text)))
        except ConfigError:
            return ()
    if not named or named[0][0] > 1.0:
        return ()
    places = [place for place, _ in named]
    found: list[Bar] = []
    for bar in range(bars):
        first, last = bisect_left(places, bar), bisect_right(places, bar + 1)
        inside = [place - bar for place in places[first:last]]
        count = next((n for n in PARTS if all(_near(place * n) for place in inside)), 0)
        if not count:
            return ()
        middles = [bar + (cell + 0.5) / count for cell in range(count)]
        cells = [named[max(0, bisect_right(places, middle) - 1)][1] for middle in middles]
        found.append(tuple(cells[:1] if len(set(cells)) == 1 else cells))
    return tuple(found)


def _are_rehearsal_marks(texts: Sequence[str], bars: int) -> bool:
    """Whether markers are letters that begin with A, in order, seldom as sections do."""
    letters = "".join(dict.fromkeys(texts))
    seldom = bars >= _REHEARSAL_BARS * len(texts)
    return seldom and len(letters) > 1 and "ABCDEFG".startswith(letters)


def _near(value: float) -> bool:
    return abs(value - round(value)) < 0.02
