"""Drum patterns and melodies as text, in bars that repeat.

kick x...x... snare ....x... hat xxxxxxxx     rows of strokes; equal steps within a row
kick x.x. | x..x snare .x.x                   two bars of one row, one of the other
C5 - E5 - | G5 - . .                          notes of equal length: - holds, . is a rest
none                                          nothing is played
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from jen1cli.errors import ConfigError
from jen1cli.music.chords import MAX_BARS, TONICS

NONE = "none"
STROKE, HOLD, REST = "x", "-", "."
DRUMS = ("kick", "snare", "hat", "cymbal", "perc")
"""Drum classes: claps and rims count as snares, shakers as hats, the rest as percussion."""
LOWEST, OCTAVES = 36, 5
"""MIDI number of a melody's lowest note, C2, and its range in octaves."""
MAX_STEPS = 96
"""Largest number of steps in a bar."""

_NOTE = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d)")


@dataclass(frozen=True)
class Sound:
    """One stroke or note, with times in bars from the start of its pattern."""

    start: float
    stop: float
    number: int  # index of `DRUMS`, or MIDI number


@dataclass(frozen=True)
class Pattern:
    """A repeating sequence of sounds."""

    bars: int
    sounds: tuple[Sound, ...]


@lru_cache(maxsize=4096)
def parse_drums(text: str) -> tuple[Pattern, ...]:
    """Read a drum pattern; rows may differ in length and repeat independently.

    Raises:
        ConfigError: it is not valid.
    """
    words = text.replace("|", " | ").split()
    if [word.lower() for word in words] == [NONE]:
        return ()
    rows: dict[str, list[str]] = {}
    name = ""
    for word in words:
        low = word.lower()
        if low in DRUMS:
            name = low
            if name in rows:
                raise ConfigError(f"the drum pattern has two rows of {name}; write one")
            rows[name] = [""]
        elif name and word == "|":
            rows[name].append("")
        elif name and set(low) <= {STROKE, REST, HOLD}:
            rows[name][-1] += low
        else:
            raise ConfigError(
                f"'{word}' is no part of a drum pattern; write rows such as 'kick x...x... snare"
                f" ....x...' with {', '.join(DRUMS)}, or '{NONE}'"
            )
    if not rows:
        raise ConfigError(f"the drum pattern is empty; write one, or '{NONE}'")
    return tuple(_row(name, bars) for name, bars in rows.items())


def _row(name: str, bars: list[str]) -> Pattern:
    bars = bars[: len(bars) - (len(bars) > 1 and not bars[-1])]
    if not all(bars) or len(bars) > MAX_BARS or max(map(len, bars)) > MAX_STEPS:
        raise ConfigError(
            f"the row of {name} cannot be counted; give 1 to {MAX_BARS} bars of 1 to {MAX_STEPS}"
            " steps"
        )
    sounds = [
        Sound(bar + step / len(line), bar + (step + 1) / len(line), DRUMS.index(name))
        for bar, line in enumerate(bars)
        for step, symbol in enumerate(line)
        if symbol == STROKE
    ]
    return Pattern(len(bars), tuple(sounds))


@lru_cache(maxsize=4096)
def parse_melody(text: str) -> Pattern:
    """Read a melody.

    Raises:
        ConfigError: it is not valid, or out of range.
    """
    if text.strip().lower() == NONE:
        return Pattern(1, ())
    bars = [bar.split() for bar in text.strip().strip("|").split("|")]
    if not all(bars) or len(bars) > MAX_BARS or max(map(len, bars)) > MAX_STEPS:
        raise ConfigError(
            f"the melody cannot be counted; give 1 to {MAX_BARS} bars of 1 to {MAX_STEPS} notes,"
            f" such as 'C5 - E5 G5 | A5 - - .', or '{NONE}'"
        )
    found: list[Sound] = []
    for bar, words in enumerate(bars):
        for step, word in enumerate(words):
            start, stop = bar + step / len(words), bar + (step + 1) / len(words)
            if word == HOLD and found and abs(found[-1].stop - start) < 1e-9:
                found[-1] = Sound(found[-1].start, stop, found[-1].number)
            elif word not in (HOLD, REST):
                found.append(Sound(start, stop, parse_note(word)))
    return Pattern(len(bars), tuple(found))


def parse_note(text: str) -> int:
    """Return the MIDI number of a note such as "C4" (60) or "Bb3".

    Raises:
        ConfigError: it is not valid, or out of range.
    """
    match = _NOTE.fullmatch(text)
    if match is None:
        raise ConfigError(f"'{text}' is no note; write it like C5, F#4 or Bb3")
    letter = TONICS.index(match[1].upper())
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[match[2]]
    number = 12 * (int(match[3]) + 1) + letter + shift
    if not LOWEST <= number < LOWEST + 12 * OCTAVES:
        highest = note_name(LOWEST + 12 * OCTAVES - 1)
        raise ConfigError(f"{text} is out of range; give {note_name(LOWEST)} to {highest}")
    return number


def note_name(number: int) -> str:
    """Return the name of a MIDI number, "C4" for 60."""
    return f"{TONICS[number % 12]}{number // 12 - 1}"


def folded(number: int, lowest: int, highest: int) -> int:
    """Return a MIDI number moved by octaves into a range of an octave or more."""
    if number < lowest:
        number += -(-(lowest - number) // 12) * 12
    if number > highest:
        number -= -(-(number - highest) // 12) * 12
    return number


def transposed_melody(text: str, semitones: int) -> str:
    """Return a valid melody in another key; notes out of range move by octaves."""
    highest = LOWEST + 12 * OCTAVES - 1

    def moved(match: re.Match[str]) -> str:
        return note_name(folded(parse_note(match[0]) + semitones, LOWEST, highest))

    return text if text.strip().lower() == NONE else _NOTE.sub(moved, text)


def drums_text(rows: dict[str, list[str]]) -> str:
    """Write a pattern from bars of strokes by drum; rows without strokes are omitted."""
    struck = {name: bars for name, bars in rows.items() if any(STROKE in bar for bar in bars)}
    return " ".join(f"{name} {' | '.join(bars)}" for name, bars in struck.items()) or NONE


def melody_text(bars: list[list[str]]) -> str:
    """Write a melody from bars of note names, `HOLD` and `REST`."""
    silent = all(word in (HOLD, REST) for bar in bars for word in bar)
    return NONE if silent else " | ".join(" ".join(bar) for bar in bars)
