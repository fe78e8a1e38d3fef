"""Keys: modes, spelling of notes, and key finding for charts and melodies."""

from collections.abc import Callable

from jen1cli.music.chords import FLAT_NAMES, TONICS, parse_chart
from jen1cli.music.patterns import parse_melody

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
}
"""Pitch classes of each mode, from its tonic."""

MINOR_MODES = frozenset(mode for mode, steps in MODES.items() if 3 in steps)
"""Modes with a minor third."""

RELATIVE_MAJOR = {"major": 0, "minor": 3, "dorian": 10, "phrygian": 8, "lydian": 7,
                   "mixolydian": 5, "harmonic minor": 3, "phrygian dominant": 8}  # fmt: skip
_FLAT_MAJORS = frozenset((1, 3, 5, 8, 10))  # Db, Eb, F, Ab, Bb


def accidentals(key: str, mode: str) -> int:
    """Return the number of sharps or flats of a key signature, the smaller of both: 0 to 6."""
    sharps = (TONICS.index(key) + RELATIVE_MAJOR[mode]) * 7 % 12
    return min(sharps, 12 - sharps)


def semitones_between(key: str, other: str) -> int:
    """Return the shortest way from a tonic to another, -6 to 5."""
    return (TONICS.index(other) - TONICS.index(key) + 6) % 12 - 6


def note_names(key: str, mode: str) -> tuple[str, ...]:
    """Return the spelling of the twelve pitch classes in a key; sharps without a key."""
    flat = bool(key) and (TONICS.index(key) + RELATIVE_MAJOR[mode]) % 12 in _FLAT_MAJORS
    return FLAT_NAMES if flat else TONICS


def key_of_chart(text: str, only_tonic: str = "") -> tuple[str, str]:
    """Return the major or minor key that fits a chord chart best.

    Chord tones in the scale score, and tonic chords at the beginning and the end score more.

    Args:
        text: the chart.
        only_tonic: tonic of the key, one of `TONICS`; "": any.
    """
    chords = [chord for bar in parse_chart(text) for chord in bar if chord is not None]
    if not chords:
        return "", ""

    def fit(tonic: int, mode: str) -> float:
        scale = {(tonic + step) % 12 for step in MODES[mode]}
        third = (tonic + (3 if mode == "minor" else 4)) % 12
        inside = [sum(tone in scale for tone in c.classes) / len(c.classes) for c in chords]
        home = [c.root == tonic and third in c.classes for c in chords]
        return sum(inside) + 0.75 * sum(home) + 1.5 * home[0] + home[-1]

    return _best_key(fit, only_tonic, None)


def key_of_melody(
    text: str, only_tonic: str = "", only_minor: bool | None = None
) -> tuple[str, str]:
    """Return the major or minor key that fits a melody best; two empty strings for silence.

    The score is time on notes of the scale, then on the tonic triad, then a triad note at both
    ends. A final tonic only decides between keys that fit alike: phrases also end on the third and
    the fifth. Of equal keys the major one is taken.

    Args:
        text: the melody.
        only_tonic: tonic of the key, one of `TONICS`; "": any.
        only_minor: whether the key is minor; None: either.
    """
    notes = [(note.number % 12, note.stop - note.start) for note in parse_melody(text).sounds]
    if not notes:
        return "", ""

    def fit(tonic: int, mode: str) -> float:
        scale = {(tonic + step) % 12 for step in MODES[mode]}
        triad = {tonic, (tonic + (3 if mode == "minor" else 4)) % 12, (tonic + 7) % 12}
        total = sum(length for _, length in notes)
        inside, home = (
            sum(length for pitch, length in notes if pitch in kept) / total
            for kept in (scale, triad)
        )
        first, last = notes[0][0], notes[-1][0]
        ends = 0.1 * (first in triad) + 0.08 * (last in triad) + 0.02 * (last == tonic)
        return round(inside + 0.4 * home + ends, 9)  # equal keys get equal scores

    return _best_key(fit, only_tonic, only_minor)


def _best_key(
    fit: Callable[[int, str], float], only_tonic: str, only_minor: bool | None
) -> tuple[str, str]:
    tonics = [TONICS.index(only_tonic)] if only_tonic else range(12)
    modes = ("major", "minor") if only_minor is None else (("major", "minor")[only_minor],)
    tonic, mode = max(
        ((tonic, mode) for mode in modes for tonic in tonics), key=lambda key: fit(*key)
    )
    return TONICS[tonic], mode
