"""The guide: tempo, meter, key, chords, drums and melody, told to the network beside the text.

Words say little about tempo and key that a small network could measure time and pitch by, so they
are also given as channels over time (`jen1cli.conditioning.guiding`). `jen1cli.prompt` reads those
that a prompt names; no torch is needed for it.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jen1cli.chords import FLAT_NAMES, TONICS, Bar, Chord, chart_text, parse_chart, tonic_of
from jen1cli.errors import ConfigError
from jen1cli.parts import DRUMS, OCTAVES, Loop, Sound, parse_drums, parse_melody

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

BEATS = {"4/4": 4, "3/4": 3, "6/8": 2, "12/8": 4, "5/4": 5, "7/8": 7, "2/4": 2}
"""Beats of a bar, as the foot taps them: dotted quarters in 6/8 and 12/8, eighths in 7/8."""

SIXTEENTHS = {"4/4": 16, "3/4": 12, "6/8": 12, "12/8": 24, "5/4": 20, "7/8": 14, "2/4": 8}
"""Of a bar."""

MIN_BPM, MAX_BPM = 30.0, 300.0
_SHOWN_BARS = 8  # of a chart, in a description
WRITTEN = ("chords", "drums", "melody")
"""Fields of a guide that are written in bars."""

HARMONICS = 4
"""Of the beat's phase, as the network is told it (`jen1cli.conditioning.guiding`)."""
BEAT_AND_KEY_CHANNELS = 2 * HARMONICS + 2 + 2 * len(TONICS) + 3
CHORD_CHANNELS = 2 * len(TONICS) + 1
DRUM_CHANNELS = len(DRUMS) + 1
MELODY_CHANNELS = len(TONICS) + OCTAVES + 2
CHORDS_TOLD = BEAT_AND_KEY_CHANNELS + CHORD_CHANNELS
PARTS_TOLD = GUIDE_CHANNELS = CHORDS_TOLD + DRUM_CHANNELS + MELODY_CHANNELS
"""A network that is told chords takes `CHORDS_TOLD` channels, one with drums and melody all."""

_RELATIVE_MAJOR = {"major": 0, "minor": 3, "dorian": 10, "phrygian": 8, "lydian": 7,
                   "mixolydian": 5, "harmonic minor": 3, "phrygian dominant": 8}  # fmt: skip
_FLAT_MAJORS = frozenset((1, 3, 5, 8, 10))  # Db, Eb, F, Ab, Bb


@dataclass(frozen=True)
class Guide:
    """Tempo, meter, key, chords and parts of one piece, each only where it is known."""

    bpm: float = 0.0  # beats per minute, as the foot taps; 0: unknown
    meter: str = ""  # a key of `BEATS`, counted from `downbeat`; "": unknown
    downbeat: float = 0.0  # seconds on the piece's clock at which a beat falls, a bar begins
    key: str = ""  # one of `TONICS`; "": unknown
    mode: str = ""  # a key of `MODES`
    # each repeats from `downbeat` on; "": unknown. Recipes of before know nothing of them
    chords: str = field(default="", metadata={"optional": True})  # a chart (`jen1cli.chords`)
    drums: str = field(default="", metadata={"optional": True})  # a pattern (`jen1cli.parts`)
    melody: str = field(default="", metadata={"optional": True})  # notes (`jen1cli.parts`)

    def __post_init__(self) -> None:
        """Refuse what cannot be played.

        Raises:
            ConfigError: a tempo out of range, or a name or chord that is not known.
        """
        if self.bpm and not MIN_BPM <= self.bpm <= MAX_BPM:
            raise ConfigError(
                f"{self.bpm:g} beats per minute is no tempo; give {MIN_BPM:g} to {MAX_BPM:g}"
            )
        for value, known, name in (
            (self.meter, BEATS, "meter"), (self.key, TONICS, "key"), (self.mode, MODES, "mode"),
        ):  # fmt: skip
            if value and value not in known:
                raise ConfigError(f"unknown {name} '{value}'; known: {', '.join(known)}")
        if bool(self.key) != bool(self.mode):
            raise ConfigError("a key has a tonic and a mode; give both, as in 'D minor'")
        if self.chords:
            parse_chart(self.chords)
        if self.drums:
            parse_drums(self.drums)
        if self.melody:
            parse_melody(self.melody)

    @property
    def has_bars(self) -> bool:
        """Whether it is known when bars come, for what is written in bars."""
        return bool(self.bpm and self.beats)

    @property
    def has_parts(self) -> bool:
        """Whether something is written in bars."""
        return any(getattr(self, name) for name in WRITTEN)

    @property
    def bar_seconds(self) -> float:
        """Length of a bar; it needs `has_bars`."""
        return 60.0 * self.beats / self.bpm

    def bars_at(self, seconds: float) -> float:
        """Return how many bars have gone by since the downbeat; it needs `has_bars`."""
        return (seconds - self.downbeat) / self.bar_seconds

    @property
    def beats(self) -> int:
        """Beats of a bar; 0 where the meter is unknown."""
        return BEATS.get(self.meter, 0)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The chart, where tempo and meter say when its bars come; else nothing."""
        return parse_chart(self.chords) if self.chords and self.has_bars else ()

    def chord_at(self, seconds: float) -> Chord | None:
        """Return the chord of the chart at a moment; None where none is known or sounds."""
        bars = self.bars
        position = self.bars_at(seconds) if bars else -1.0
        if position < 0:
            return None
        bar = bars[int(position) % len(bars)]
        return bar[int((position % 1.0) * len(bar))]

    def sounding(self, loop: Loop, start: float, stop: float) -> Iterator[Sound]:
        """Give what sounds of a loop from one moment to another, in seconds; it needs `has_bars`.

        Before the downbeat there is nothing.
        """
        bar = self.bar_seconds
        first, last = (self.bars_at(moment) / loop.bars for moment in (start, stop))
        for turn in range(max(0, math.floor(first)), math.ceil(last)):
            begin = self.downbeat + turn * loop.bars * bar
            for sound in loop.sounds:
                found = Sound(begin + sound.start * bar, begin + sound.stop * bar, sound.number)
                if found.stop > start and found.start < stop:
                    yield found

    def over(self, other: "Guide") -> "Guide":
        """Return this guide, with what it leaves open taken from another."""
        if not self.bpm:
            rhythm = {"bpm": other.bpm, "meter": self.meter or other.meter,
                      "downbeat": other.downbeat}  # fmt: skip
        else:
            rhythm = {"meter": self.meter or other.meter}
        keys = {} if self.key else {"key": other.key, "mode": other.mode}
        written = {name: getattr(self, name) or getattr(other, name) for name in WRITTEN}
        return dataclasses.replace(self, **rhythm, **keys, **written)

    def with_bar_at(self, seconds: float) -> "Guide":
        """Return the guide with the bar that its parts begin with as near to a moment as it can.

        Raises:
            ConfigError: there are chords, drums or a melody but no tempo to play them in.
        """
        if not self.has_parts:
            return self
        if not self.bpm:
            what = next(name for name in WRITTEN if getattr(self, name))
            raise ConfigError(
                f"no tempo is known to play the {what} in; give one, such as --bpm 92"
            )
        timed = self if self.beats else dataclasses.replace(self, meter="4/4")
        late = timed.bar_seconds * round(timed.bars_at(seconds))
        return dataclasses.replace(timed, downbeat=timed.downbeat + late)

    def shifted(self, seconds: float) -> "Guide":
        """Return the guide on a clock that started so many seconds earlier."""
        return dataclasses.replace(self, downbeat=self.downbeat + seconds)

    def describe(self) -> str:
        """Return "92 bpm in 3/4, D minor, Dm | A7", as far as it is known, in the key's spelling.

        A metre of four is not said. Drums and melody are too long for it, and so are charts beyond
        their first eight bars.
        """
        bpm = f"{self.bpm:.4g} bpm" if self.bpm else ""
        tempo = " in ".join(filter(None, (bpm, "" if self.meter == "4/4" else self.meter)))
        names, key = TONICS, ""
        if self.key:
            tonic = TONICS.index(self.key)
            if (tonic + _RELATIVE_MAJOR[self.mode]) % 12 in _FLAT_MAJORS:
                names = FLAT_NAMES
            key = f"{names[tonic]} {self.mode}"
        bars = parse_chart(self.chords) if self.chords else ()
        chords = chart_text(bars[:_SHOWN_BARS], names)
        if len(bars) > _SHOWN_BARS:
            chords += " | …"
        return ", ".join(filter(None, (tempo, key, chords)))


NO_GUIDE = Guide()


def guide_of(attributes: Mapping[str, Any]) -> Guide:
    """Return what a clip's attributes tell.

    They are `bpm`, `meter`, `downbeat`, `key`, `mode`, `chords`, `drum_pattern` and `melody`.
    A clip with `bpm` starts with a beat, and with a bar where `meter` is there too, unless
    `downbeat` gives another moment (in seconds). What is missing or not understood is left open.
    """
    try:
        bpm, downbeat = float(attributes.get("bpm") or 0), float(attributes.get("downbeat") or 0)
    except (TypeError, ValueError):
        bpm = downbeat = 0.0
    usable = math.isfinite(downbeat) and MIN_BPM <= bpm <= MAX_BPM
    meter, key, mode = (str(attributes.get(name) or "") for name in ("meter", "key", "mode"))
    key = tonic_of(key)
    whole = bool(key) and mode in MODES
    return Guide(
        bpm=bpm if usable else 0.0,
        meter=meter if usable and meter in BEATS else "",
        downbeat=downbeat if usable else 0.0,
        key=key if whole else "",
        mode=mode if whole else "",
        chords=_read(attributes, "chords", lambda text: chart_text(parse_chart(text))),
        drums=_read(attributes, "drum_pattern", parse_drums),
        melody=_read(attributes, "melody", parse_melody),
    )


def _read(attributes: Mapping[str, Any], name: str, read: Callable[[str], Any]) -> str:
    """Return a text that can be read, as `read` writes it if it writes; else nothing."""
    text = str(attributes.get(name) or "")
    try:
        found = read(text) if text else ""
    except ConfigError:
        return ""
    return found if isinstance(found, str) else text


def key_of_chart(text: str) -> tuple[str, str]:
    """Return the major or minor key that a chart of chords fits best.

    Each chord tone of the scale counts, and most of all a tonic chord at the beginning or the end.
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

    return _best_key(fit)


def key_of_melody(text: str) -> tuple[str, str]:
    """Return the major or minor key that a melody fits best; two empty strings for silence.

    The time in its scale counts, then that on its tonic triad, and a tonic at the end.
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
        return inside + 0.4 * home + 0.1 * ((notes[-1][0] == tonic) + (notes[0][0] in triad))

    return _best_key(fit)


def _best_key(fit: Callable[[int, str], float]) -> tuple[str, str]:
    tonic, mode = max(
        ((tonic, mode) for mode in ("major", "minor") for tonic in range(12)),
        key=lambda key: fit(*key),
    )
    return TONICS[tonic], mode
