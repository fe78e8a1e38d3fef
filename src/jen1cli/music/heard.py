"""The score of a recording as it was heard: every value with a confidence from 0 to 1.

A value below its least confidence is a guess: it is shown as such, and no cover plays it unless it
is asked for. Nothing here needs torch.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from jen1cli.errors import ConfigError
from jen1cli.music.chords import MAX_BARS, NO_CHORD, TONICS, chart_text, parse_chart
from jen1cli.music.controls import MAX_BPM, MIN_BPM, NO_CONTROLS, SIXTEENTHS, WRITTEN, Controls
from jen1cli.music.keys import note_names
from jen1cli.music.patterns import NONE, REST, drums_text, melody_text

SURE = {"tempo": 0.7, "meter": 0.5, "key": 0.75, "chords": 0.5, "drums": 0.5, "melody": 0.6}
"""Least confidence of a value that is taken for a fact."""
KEPT = ("tempo", "key", "chords", "drums", "melody")
"""What can be kept of a recording."""


@dataclass(frozen=True)
class HeardChord:
    """A chord of half a bar."""

    name: str  # as in charts, with sharps
    confidence: float


@dataclass(frozen=True)
class HeardBar:
    """What sounds in one bar."""

    start: float  # seconds; negative where the recording begins within the bar
    stop: float
    chords: tuple[HeardChord, ...]  # chords of each half
    drums: dict[str, str]  # strokes of each drum that plays (`music.patterns`)
    drums_confidence: float
    melody: tuple[str, ...]  # notes, holds and rests
    melody_confidence: float


@dataclass(frozen=True)
class Heard:
    """The score of one recording; `confidence` has a value for each of `KEPT`, and the metre."""

    seconds: float  # length of the recording
    confidence: dict[str, float]
    is_silent: bool = False
    bpm: float = 0.0  # 0: no beat was found
    bpm_range: tuple[float, float] = (0.0, 0.0)  # slowest and fastest
    is_steady: bool = True  # whether one tempo describes all beats
    meter: str = ""
    downbeat: float = 0.0  # seconds, of the even grid of bars, the last before 0
    beats: tuple[float, ...] = ()  # seconds
    key: str = ""
    mode: str = ""
    bars: tuple[HeardBar, ...] = ()

    def is_sure(self, name: str) -> bool:
        """Whether a value of `KEPT`, or the metre, is more than a guess."""
        return self.confidence.get(name, 0.0) >= SURE[name]

    @property
    def sure(self) -> tuple[str, ...]:
        """What of `KEPT` is sure; chords, drums and melody have bars, so they need the tempo."""
        return tuple(
            name for name in KEPT if self.is_sure(name) and (name == "key" or self.is_sure("tempo"))
        )

    def controls(self, keep: Collection[str] | None = None) -> Controls:
        """Return the controls of some of `KEPT`; None: of all that is sure.

        Raises:
            ConfigError: an unknown name, or nothing was heard of one.
        """
        names = self.sure if keep is None else check_kept(keep)
        for name in names:
            if not self.has(name):
                raise ConfigError(f"no {name} was heard, so it cannot be kept; leave it out")
        found = NO_CONTROLS
        if "tempo" in names:
            found = Controls(self.bpm, self.meter, self.downbeat)
        if "key" in names:
            found = dataclasses.replace(found, key=self.key, mode=self.mode)
        if not {"chords", "drums", "melody"} & set(names):
            return found
        bars = self.bars[:MAX_BARS]
        written = {
            "chords": lambda: self.chart(bars),
            "drums": lambda: _drum_text(bars, SIXTEENTHS[self.meter]),
            "melody": lambda: melody_text([list(bar.melody) for bar in bars]),
        }
        texts = {name: write() for name, write in written.items() if name in names}
        return dataclasses.replace(found, meter=self.meter, **texts)

    def has(self, name: str) -> bool:
        """Whether anything was heard of a value of `KEPT`."""
        return bool(self.key if name == "key" else self.bpm if name == "tempo" else self.bars)

    def chart(self, bars: tuple[HeardBar, ...] | None = None) -> str:
        """Return the chord chart of some bars, or all."""
        cells = [" ".join(chord.name for chord in bar.chords) for bar in bars or self.bars]
        return chart_text(parse_chart(" | ".join(cells) + " |"))

    def describe(self) -> list[str]:
        """Return what was heard in words: tempo, metre and key, a line each; guesses with "?"."""
        if self.is_silent:
            return ["silence"]
        tempo = "no beat"
        if self.bpm:
            slow, fast = self.bpm_range
            drift = "" if self.is_steady else f", between {slow:.0f} and {fast:.0f}"
            tempo = self._marked("tempo", f"{self.bpm:.1f} bpm{drift}")
            tempo += ", " + self._marked("meter", self.meter)
        key = "no key"
        if self.key:
            tonic = note_names(self.key, self.mode)[TONICS.index(self.key)]
            key = self._marked("key", f"{tonic} {self.mode}")
        return [tempo, key]

    def summary(self) -> str:
        """Return what was heard, and how sure each part is, in one line."""
        parts = [f"{part} {self.percent(part)}" for part in WRITTEN] if self.bars else []
        return "; ".join((*self.describe(), *parts))

    def percent(self, name: str) -> str:
        """Return the confidence of a value in words: "71 %" or "unsure: 34 %"."""
        percent = f"{100 * self.confidence.get(name, 0.0):.0f} %"
        sure = name in self.sure if name in KEPT else self.is_sure(name)
        return percent if sure else f"unsure: {percent}"

    def _marked(self, name: str, text: str) -> str:
        perhaps = "" if self.is_sure(name) else "perhaps "
        return f"{perhaps}{text} ({self.percent(name)})"

    def table(self) -> list[str]:
        """Return a row for each bar: number, time, chords, drums, melody; guesses with "?"."""
        names = note_names(self.key, self.mode) if self.key else TONICS
        sure = self.is_sure("tempo")
        rows = [("bar", "time", "chords", "drums", "melody")]
        for number, bar in enumerate(self.bars, 1):
            rows.append(
                (
                    str(number),
                    f"{max(0.0, bar.start):.2f}",
                    _chord_cell(bar, names, sure=sure),
                    _cell(_drum_cell(bar), sure and bar.drums_confidence >= SURE["drums"]),
                    _cell(_melody_cell(bar), sure and bar.melody_confidence >= SURE["melody"]),
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, each with its confidence and whether it is sure."""

        def told(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
            confidence = round(self.confidence.get(name, 0.0), 3)
            return {"value": value, "confidence": confidence, "sure": self.is_sure(name)}

        known = [name for name in KEPT if self.has(name)]
        controls = self.controls(known) if known else NO_CONTROLS
        return {
            "seconds": round(self.seconds, 6),
            "silent": self.is_silent,
            "tempo": {
                **told("tempo", round(self.bpm, 3) or None),
                "steady": self.is_steady,
                "slowest": round(self.bpm_range[0], 2),
                "fastest": round(self.bpm_range[1], 2),
            },
            "meter": told("meter", self.meter or None),
            "downbeat": round(self.downbeat, 4),
            "key": told("key", f"{self.key} {self.mode}" if self.key else None),
            "chords": told("chords", controls.chords or None),
            "drums": told("drums", controls.drums or None),
            "melody": told("melody", controls.melody or None),
            "beats": [round(time, 3) for time in self.beats],
            "bars": [dataclasses.asdict(bar) for bar in self.bars],
        }


def _drum_text(bars: tuple[HeardBar, ...], steps: int) -> str:
    drums = dict.fromkeys(drum for bar in bars for drum in bar.drums)
    return drums_text({drum: [bar.drums.get(drum, REST * steps) for bar in bars] for drum in drums})


def _chord_cell(bar: HeardBar, names: tuple[str, ...], *, sure: bool) -> str:
    found = []
    for chord in bar.chords:
        (parsed,) = parse_chart(chord.name)[0]
        name = NO_CHORD if parsed is None else parsed.named(names)
        found.append(_cell(name, sure and chord.confidence >= SURE["chords"]))
    return found[0] if len(set(found)) == 1 else " ".join(found)


def _drum_cell(bar: HeardBar) -> str:
    return " ".join(f"{drum} {row}" for drum, row in bar.drums.items()) or NONE


def _melody_cell(bar: HeardBar) -> str:
    return NONE if set(bar.melody) <= {REST} else " ".join(bar.melody)


def _cell(text: str, is_sure: bool) -> str:
    return text if is_sure else f"{text}?"


def check_kept(names: Collection[str]) -> tuple[str, ...]:
    """Return names of what is kept.

    Raises:
        ConfigError: there are none, or one is not of `KEPT`.
    """
    if not names:
        raise ConfigError(f"nothing is named to be kept; name some of {', '.join(KEPT)}")
    for name in names:
        if name not in KEPT:
            raise ConfigError(f"unknown part '{name[:40]}' to keep; known: {', '.join(KEPT)}")
    return tuple(names)


def is_tempo(bpm: float) -> bool:
    """Whether controls take a tempo."""
    return MIN_BPM <= bpm <= MAX_BPM
