"""Musical controls of a piece: tempo, meter, key, chords, drums, melody, and the full score.

The network takes them beside the text as channels over time (`jen1cli.conditioning.controls`), as
JASCO (arXiv 2406.10970) and Music ControlNet (arXiv 2311.07069) do: a small network learns little
about tempo and key from words. `jen1cli.music.prompt` reads those that a prompt names. Nothing
here needs torch.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jen1cli.errors import ConfigError
from jen1cli.music.chords import (
    TONICS,
    Bar,
    Chord,
    chart_text,
    parse_chart,
    tonic_of,
    transposed_bars,
)
from jen1cli.music.full_score import (
    PLAYED_SCORE_CHANNELS,
    SCORE_CHANNELS,
    FullScore,
    packed,
    unpacked,
)
from jen1cli.music.keys import MODES, note_names, semitones_between
from jen1cli.music.patterns import (
    DRUMS,
    OCTAVES,
    Pattern,
    Sound,
    parse_drums,
    parse_melody,
    transposed_melody,
)

BEATS = {"4/4": 4, "3/4": 3, "6/8": 2, "12/8": 4, "5/4": 5, "7/8": 7, "2/4": 2}
"""Beats per bar: dotted quarters in 6/8 and 12/8, eighths in 7/8, else quarters."""

SIXTEENTHS = {"4/4": 16, "3/4": 12, "6/8": 12, "12/8": 24, "5/4": 20, "7/8": 14, "2/4": 8}
"""Sixteenths per bar."""

MIN_BPM, MAX_BPM = 30.0, 300.0
_SHOWN_BARS = 8  # bars of a chart shown by `describe`
WRITTEN = ("chords", "drums", "melody")
"""Fields in bars."""

BEAT_HARMONICS = 4
"""Multiples of the beat phase that have channels (`jen1cli.conditioning.controls.channels`)."""
BEAT_AND_KEY_CHANNELS = 2 * BEAT_HARMONICS + 2 + 2 * len(TONICS) + 3
CHORD_CHANNELS = 2 * len(TONICS) + 1
DRUM_CHANNELS = len(DRUMS) + 1
MELODY_CHANNELS = len(TONICS) + OCTAVES + 2
CHANNELS_WITH_CHORDS = BEAT_AND_KEY_CHANNELS + CHORD_CHANNELS
"""Channels of a network that takes beat, key and chords."""
CHANNELS_WITH_PARTS = CHANNELS_WITH_CHORDS + DRUM_CHANNELS + MELODY_CHANNELS
"""Channels of a network that also takes drums and melody."""
CONTROL_CHANNELS = CHANNELS_WITH_PARTS
"""Channels without the full score, and so the index of its first."""
PLAYED_CHANNELS = CONTROL_CHANNELS + PLAYED_SCORE_CHANNELS
"""Index of mix and style, the first behind those that `make_context` hides in known music."""
CHANNELS_WITH_SCORE = CONTROL_CHANNELS + SCORE_CHANNELS
"""Channels of a network that also takes the full score."""


@dataclass(frozen=True)
class Controls:
    """Tempo, meter, key, chords, drums, melody and full score of one piece, each if known."""

    bpm: float = 0.0  # beats per minute (the tactus); 0: unknown
    meter: str = ""  # a key of `BEATS`, counted from `downbeat`; "": unknown
    downbeat: float = 0.0  # time of the first beat of a bar, in seconds
    key: str = ""  # one of `TONICS`; "": unknown
    mode: str = ""  # a key of `MODES`
    # each repeats from `downbeat`; "": unknown; absent in older recipes
    chords: str = field(default="", metadata={"optional": True})  # a chart (`music.chords`)
    drums: str = field(default="", metadata={"optional": True})  # as in `music.patterns`
    melody: str = field(default="", metadata={"optional": True})  # likewise
    # all parts, in seconds on the same clock; it does not repeat
    score: FullScore | None = field(
        default=None, metadata={"optional": True, "write": packed, "read": unpacked}
    )

    def __post_init__(self) -> None:
        """Check that all values are valid.

        Raises:
            ConfigError: the tempo is out of range, or a name or chord is unknown.
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
        """Whether tempo and meter, and so the bars, are known."""
        return bool(self.bpm and self.beats)

    @property
    def has_parts(self) -> bool:
        """Whether there are chords, drums or a melody."""
        return any(getattr(self, name) for name in WRITTEN)

    @property
    def bar_seconds(self) -> float:
        """Length of a bar; requires `has_bars`."""
        return 60.0 * self.beats / self.bpm

    def bars_at(self, seconds: float) -> float:
        """Return the time since the downbeat in bars; requires `has_bars`."""
        return (seconds - self.downbeat) / self.bar_seconds

    @property
    def beats(self) -> int:
        """Beats per bar; 0 if the meter is unknown."""
        return BEATS.get(self.meter, 0)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The chord chart; empty if tempo or meter is unknown."""
        return parse_chart(self.chords) if self.chords and self.has_bars else ()

    def chord_at(self, seconds: float) -> Chord | None:
        """Return the chord at a time; None if unknown or silent."""
        bars = self.bars
        position = self.bars_at(seconds) if bars else -1.0
        if position < 0:
            return None
        bar = bars[int(position) % len(bars)]
        return bar[int((position % 1.0) * len(bar))]

    def sounding(self, pattern: Pattern, start: float, stop: float) -> Iterator[Sound]:
        """Yield the sounds of a pattern between two times in seconds; requires `has_bars`.

        The pattern begins at the downbeat.
        """
        bar = self.bar_seconds
        first, last = (self.bars_at(moment) / pattern.bars for moment in (start, stop))
        for turn in range(max(0, math.floor(first)), math.ceil(last)):
            begin = self.downbeat + turn * pattern.bars * bar
            for sound in pattern.sounds:
                found = Sound(begin + sound.start * bar, begin + sound.stop * bar, sound.number)
                if found.stop > start and found.start < stop:
                    yield found

    def over(self, other: "Controls") -> "Controls":
        """Return these controls, with missing ones taken from `other`."""
        if not self.bpm:
            rhythm = {"bpm": other.bpm, "meter": self.meter or other.meter,
                      "downbeat": other.downbeat}  # fmt: skip
        else:
            rhythm = {"meter": self.meter or other.meter}
        keys = {} if self.key else {"key": other.key, "mode": other.mode}
        written = {name: getattr(self, name) or getattr(other, name) for name in WRITTEN}
        score = other.score if self.score is None else self.score.over(other.score)
        return dataclasses.replace(self, **rhythm, **keys, **written, score=score)

    def with_bar_at(self, seconds: float) -> "Controls":
        """Return the controls with a time as close as possible to the start of the patterns.

        Raises:
            ConfigError: chords, drums or a melody are given without a tempo.
        """
        if not self.has_parts and not (self.score and self.bpm):
            return self
        if not self.bpm:
            what = next(name for name in WRITTEN if getattr(self, name))
            raise ConfigError(
                f"no tempo is known to play the {what} in; give one, such as --bpm 92"
            )
        timed = self if self.beats else dataclasses.replace(self, meter="4/4")
        late = timed.bar_seconds * round(timed.bars_at(seconds))
        return timed.shifted(late)

    @property
    def upbeat(self) -> float:
        """Seconds from the last downbeat to time 0, less than a bar; 0 without one before it."""
        before = -self.downbeat if self.has_bars else 0.0
        return before if 0.0 < before < self.bar_seconds else 0.0

    def begun(self) -> "Controls":
        """Return the controls of music that begins at time 0: at a bar, or with an upbeat."""
        return self if self.upbeat else self.with_bar_at(0.0)

    def shifted(self, seconds: float) -> "Controls":
        """Return the controls for a time origin `seconds` earlier."""
        score = self.score and self.score.shifted(seconds)
        return dataclasses.replace(self, downbeat=self.downbeat + seconds, score=score)

    def transposed(self, key: str) -> "Controls":
        """Return the controls in the same mode on another tonic, the shorter way up or down.

        Requires a key. Notes out of range move by octaves; drums stay.
        """
        semitones = semitones_between(self.key, key)
        chords = transposed_bars(parse_chart(self.chords), semitones) if self.chords else ()
        return dataclasses.replace(
            self,
            key=key,
            chords=chart_text(chords) if chords else "",
            melody=self.melody and transposed_melody(self.melody, semitones),
            score=self.score and self.score.transposed(semitones),
        )

    def until(self, seconds: float) -> "Controls":
        """Return the controls without the notes of the full score that begin at a time or later."""
        return dataclasses.replace(self, score=self.score and self.score.until(seconds))

    def describe(self) -> str:
        """Return "92 bpm in 3/4, D minor, Dm | A7", as far as it is known, in the key's spelling.

        Omitted are a meter of 4/4, drums, melody, and a chart's bars after the eighth.
        """
        bpm = f"{self.bpm:.4g} bpm" if self.bpm else ""
        tempo = " in ".join(filter(None, (bpm, "" if self.meter == "4/4" else self.meter)))
        names = note_names(self.key, self.mode)
        key = f"{names[TONICS.index(self.key)]} {self.mode}" if self.key else ""
        bars = parse_chart(self.chords) if self.chords else ()
        chords = chart_text(bars[:_SHOWN_BARS], names)
        if len(bars) > _SHOWN_BARS:
            chords += " | …"
        return ", ".join(filter(None, (tempo, key, chords)))


NO_CONTROLS = Controls()


def controls_of(attributes: Mapping[str, Any]) -> Controls:
    """Return the controls in a clip's attributes.

    Attributes are `bpm`, `meter`, `downbeat`, `key`, `mode`, `chords`, `drum_pattern` and `melody`.
    A clip with `bpm` starts with a beat, and with a bar if `meter` is given too, unless
    `downbeat` gives another time in seconds. Missing or invalid attributes are unknown.
    """
    try:
        bpm, downbeat = float(attributes.get("bpm") or 0), float(attributes.get("downbeat") or 0)
    except (TypeError, ValueError):
        bpm = downbeat = 0.0
    usable = math.isfinite(downbeat) and MIN_BPM <= bpm <= MAX_BPM
    meter, key, mode = (str(attributes.get(name) or "") for name in ("meter", "key", "mode"))
    key = tonic_of(key)
    whole = bool(key) and mode in MODES
    return Controls(
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
    """Return a valid text in canonical form; empty for an invalid one."""
    text = str(attributes.get(name) or "")
    try:
        found = read(text) if text else ""
    except ConfigError:
        return ""
    return found if isinstance(found, str) else text
