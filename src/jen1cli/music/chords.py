"""Note names, chords, and charts: bars of chords as musicians write them.

Am F C G                one bar each
Dm7 G7 | Cmaj7 | % |    two in the first bar, the last bar like the one before it
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from jen1cli.errors import ConfigError

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

SUFFIXES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9),
    "69": (0, 4, 7, 9, 14),
    "7": (0, 4, 7, 10),
    "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15),
    "7#5": (0, 4, 8, 10),
    "7sus4": (0, 5, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "9sus4": (0, 5, 7, 10, 14),
    "11": (0, 4, 7, 10, 14, 17),
    "13": (0, 4, 7, 10, 14, 21),
    "add9": (0, 4, 7, 14),
    "aug": (0, 4, 8),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "m6": (0, 3, 7, 9),
    "m69": (0, 3, 7, 9, 14),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "m9": (0, 3, 7, 10, 14),
    "m11": (0, 3, 7, 10, 14, 17),
    "m13": (0, 3, 7, 10, 14, 21),
    "madd9": (0, 3, 7, 14),
    "maj7": (0, 4, 7, 11),
    "maj7#11": (0, 4, 7, 11, 18),
    "maj9": (0, 4, 7, 11, 14),
    "mmaj7": (0, 3, 7, 11),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
}
"""Intervals of each kind of chord in semitones above the root, by suffix."""

NO_CHORD = "N.C."
MAX_BARS = 2048
PARTS = (1, 2, 3, 4, 6, 8)
"""Possible numbers of equal parts of a bar."""

_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E",
          "E#": "F", "B#": "C"}  # fmt: skip
_ALIASES = {
    "maj": "", "M": "", "min": "m", "-": "m", "min7": "m7", "-7": "m7", "M7": "maj7", "Δ": "maj7",
    "Δ7": "maj7", "M9": "maj9", "min9": "m9", "min6": "m6", "min11": "m11", "mM7": "mmaj7",
    "sus": "sus4", "+": "aug", "°": "dim", "o": "dim", "°7": "dim7", "o7": "dim7", "ø": "m7b5",
    "ø7": "m7b5", "min7b5": "m7b5", "6/9": "69", "m6/9": "m69", "2": "add9", "add2": "add9",
}  # fmt: skip
_CHORD = re.compile(r"([A-G])([#b♯♭]?)(.*?)(?:/([A-G])([#b♯♭]?))?")
_BETWEEN = re.compile(r"[\s,]+|(?<=\S)-(?=[A-G])")


@dataclass(frozen=True)
class Chord:
    """A chord by name, without octave or inversion."""

    root: int  # pitch class, 0 is C
    suffix: str  # a key of `SUFFIXES`
    bass: int  # pitch class

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes, from the root upwards."""
        return tuple((self.root + interval) % 12 for interval in SUFFIXES[self.suffix])

    def named(self, names: tuple[str, ...] = TONICS) -> str:
        """Return the name, such as "Dm7/A", from twelve note names."""
        slash = "" if self.bass == self.root else f"/{names[self.bass]}"
        return f"{names[self.root]}{self.suffix}{slash}"

    def __str__(self) -> str:
        """Return the name with sharps."""
        return self.named()


Bar = tuple[Chord | None, ...]
"""Chords in equal parts of a bar; None means no chord."""


def tonic_of(name: str) -> str:
    """Return the note's spelling in `TONICS`, such as "A#" for "Bb"; "" if it is not a note."""
    name = name[:1].upper() + name[1:].replace("♯", "#").replace("♭", "b")
    name = _FLATS.get(name, name)
    return name if name in TONICS else ""


def tonic_index(name: str) -> int:
    """Return the pitch class of a note, 10 for "A#" and "Bb"; -1 if it is not a note."""
    name = tonic_of(name)
    return TONICS.index(name) if name else -1


def parse_chord(text: str) -> Chord | None:
    """Read one chord; None for "N.C.".

    Raises:
        ConfigError: the chord is unknown.
    """
    if text.upper().replace(".", "") == "NC":
        return None
    match = _CHORD.fullmatch(text)
    suffix = match[3] if match else ""
    suffix = _ALIASES.get(suffix, suffix)
    if match is None or suffix not in SUFFIXES:
        raise ConfigError(
            f"'{text}' is no chord; write it like C, Am, F#m7, Bbmaj7, Gsus4, D7/F# or {NO_CHORD}"
        )
    root = TONICS.index(tonic_of(match[1] + match[2]))
    bass = TONICS.index(tonic_of(match[4] + match[5])) if match[4] else root
    return Chord(root, suffix, bass)


@lru_cache(maxsize=256)
def parse_chart(text: str) -> tuple[Bar, ...]:
    """Read bars of chords in the notation of the module's docstring.

    Raises:
        ConfigError: a chord is unknown, or there are too many bars or too many chords in a bar.
    """
    if "|" in text:
        cells = [cell.strip() for cell in text.split("|")]
        cells = cells[cells[0] == "" : len(cells) - (cells[-1] == "")]
    else:
        cells = [word for word in _BETWEEN.split(text.strip()) if word]
    bars: list[Bar] = []
    for cell in cells:
        if cell == "%" and bars:
            bars.append(bars[-1])
            continue
        words = [word for word in _BETWEEN.split(cell) if word]
        bars.append(tuple(parse_chord(word) for word in words))
        if len(words) not in PARTS:
            raise ConfigError(
                f"a bar of {len(words)} chords ('{cell}') cannot be counted; give"
                f" {', '.join(map(str, PARTS))} in a bar, such as 'Am F | C G'"
            )
    if not bars or len(bars) > MAX_BARS:
        raise ConfigError(f"a chart of {len(bars)} bars; give 1 to {MAX_BARS}, such as 'Am F C G'")
    return tuple(bars)


def transposed_bars(bars: tuple[Bar, ...], semitones: int) -> tuple[Bar, ...]:
    """Return a chart in another key."""

    def moved(chord: Chord | None) -> Chord | None:
        if chord is None:
            return None
        return Chord((chord.root + semitones) % 12, chord.suffix, (chord.bass + semitones) % 12)

    return tuple(tuple(moved(chord) for chord in bar) for bar in bars)


def chart_text(bars: tuple[Bar, ...], names: tuple[str, ...] = TONICS) -> str:
    """Return the canonical notation of a chart; a bar with one chord names it once."""
    cells = []
    for bar in bars:
        parts = bar[:1] if len(set(bar)) == 1 else bar
        cells.append(" ".join(NO_CHORD if chord is None else chord.named(names) for chord in parts))
    # a bar of several chords has a bar line, without which each would be a bar
    return f"{cells[0]} |" if len(cells) == 1 and " " in cells[0] else " | ".join(cells)
