"""What describes a style: tempo, harmony, who plays what, form and production."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jen1cli.composition.score import Effect


@dataclass(frozen=True)
class Voice:
    """One instrument's place in a style.

    Names with weights are written `rhodes:3 grand_piano`; a weight of 1 needs no number.
    """

    role: (
        str  # bass, chords, pad, stabs, arpeggio, melody, counter, riff, drone, percussion, texture
    )
    instruments: str  # which instruments may play it
    manner: str  # what they play: names of the writers' tables
    chance: float = 1.0  # how often the voice is there at all
    level: float = 0.0  # sections calmer than this go without it
    gain: float = 0.0  # dB against the usual level of the role
    pan: float | None = None  # None: by role and chance
    reverb: float | None = None
    delay: float = 0.0
    chorus: float = 0.0
    effects: str = ""  # `lowpass:0.5(cutoff=900) sidechain:0.6`
    size: int = 4  # notes of a chord
    low: int = 0  # lowest MIDI number, 0: by role
    high: int = 0  # highest MIDI number, 0: by role
    voicing: str = "close"
    legato: float = 0.0  # share of a step that sounds, 0: by role
    strum: float = 0.0  # seconds between the notes of a chord
    push: float = 0.0  # seconds behind the beat
    double: str = ""  # an instrument that plays along


@dataclass(frozen=True)
class Drums:
    """The drummer of a style."""

    kits: str
    grooves: str
    fill: str = "soft:2 none"
    busy: float = 0.3
    gain: float = 0.0
    push: float = 0.0
    effects: str = ""
    reverb: float = 0.08
    chance: float = 1.0


@dataclass(frozen=True)
class Style:
    """A style of music, from which clips are composed."""

    name: str
    tempo: tuple[float, float]  # felt beats per minute
    modes: str  # `minor:3 dorian`
    harmony: dict[str, str]  # mode, or "major"/"minor" for all of that kind -> names of pools
    voices: tuple[Voice, ...]
    drums: Drums | None
    energy: float  # 0 calm to 1 driving
    moods: dict[str, str]  # "any", "major", "minor" -> mood words
    meters: str = "4/4"
    swing: tuple[float, float, float] = (0.25, 0.5, 0.5)  # unit in beats, least and most ratio
    cell: float = 1.0  # bars that a chord of the pools lasts
    invent: float = 0.1  # share of clips with a progression of their own
    cadence: str = ""  # "plain", "jazz", "blues" or none
    forms: str = "steady"
    variants: str = "full"
    solos: str = ""  # instruments for the variant "solo"
    timing: float = 0.007  # seconds of human deviation
    room: str = "room"
    master: str = ""  # effects on the mix
    scale: str = ""  # scale of the melodies where the feel does not say
    tags: str = ""  # "electronic", "acoustic", ... for captions and production
    kind: str = "music"
    extra: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def read_weights(text: str) -> dict[str, float]:
    """Reads `one:3 two` as weights by name. The answer is shared: do not change it."""
    weights: dict[str, float] = {}
    for item in text.split():
        name, _, weight = item.rpartition(":") if ":" in item else (item, "", "1")
        weights[name] = float(weight)
    return weights


_EFFECT = re.compile(r"^(\w+)(?::([\d.]+))?(?:\((.*)\))?$")


@lru_cache(maxsize=4096)
def read_effects(text: str) -> tuple[Effect, ...]:
    """Reads `lowpass:0.5(cutoff=900,q=1) sidechain` as effects.

    Raises:
        ValueError: for something else.
    """
    effects: list[Effect] = []
    for item in text.split():
        match = _EFFECT.match(item)
        if not match:
            raise ValueError(f"no effect: {item!r}")
        settings: dict[str, Any] = {}
        for pair in (match[3] or "").split(","):
            if pair:
                key, _, value = pair.partition("=")
                settings[key] = float(value) if value.replace(".", "", 1).isdigit() else value
        effects.append(Effect(match[1], float(match[2] or 0.5), settings))
    return tuple(effects)
