"""Definition of a style: tempo, harmony, voices, drums, form and production."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jen1cli.composition.score import Effect


@dataclass(frozen=True)
class Voice:
    """The part of one instrument in a style.

    Names with weights are written `rhodes:3 grand_piano`; a weight of 1 needs no number.
    """

    role: (
        str  # bass, chords, pad, stabs, arpeggio, melody, counter, riff, drone, percussion, texture
    )
    instruments: str  # possible instruments with weights
    manner: str  # patterns with weights: keys of the tables in `composition.parts`
    chance: float = 1.0  # probability that the voice is present
    level: float = 0.0  # least energy of a section in which it plays
    gain: float = 0.0  # dB relative to the usual level of the role
    pan: float | None = None  # None: random, within the range of the role
    reverb: float | None = None
    delay: float = 0.0
    chorus: float = 0.0
    effects: str = ""  # `lowpass:0.5(cutoff=900) sidechain:0.6`
    size: int = 4  # notes of a chord
    low: int = 0  # lowest MIDI number, 0: by role
    high: int = 0  # highest MIDI number, 0: by role
    voicing: str = "close"
    legato: float = 0.0  # length of a note relative to its step, 0: by role
    strum: float = 0.0  # seconds between the notes of a chord
    push: float = 0.0  # seconds behind the beat
    double: str = ""  # instrument that doubles it


@dataclass(frozen=True)
class Drums:
    """Drums of a style: kits, grooves and fills, with weights, and their mix."""

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
    harmony: dict[str, str]  # mode, or "major"/"minor" for all such modes -> names of pools
    voices: tuple[Voice, ...]
    drums: Drums | None
    energy: float  # 0 calm to 1 driving
    moods: dict[str, str]  # "any", "major", "minor" -> mood words
    meters: str = "4/4"
    swing: tuple[float, float, float] = (0.25, 0.5, 0.5)  # unit in beats, least and largest ratio
    cell: float = 1.0  # bars of a cell between two "|" of a loop
    invent: float = 0.1  # share of clips with a new progression
    cadence: str = ""  # "plain", "jazz", "blues" or none
    forms: str = "steady"
    variants: str = "full"
    solos: str = ""  # instruments for the variant "solo"
    timing: float = 0.007  # standard deviation of the onsets in seconds
    room: str = "room"
    master: str = ""  # effects on the mix
    scale: str = ""  # scale of the melodies if their melodic style has none
    tags: str = ""  # "electronic", "acoustic", ... for captions and production
    kind: str = "music"
    extra: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def read_weights(text: str) -> dict[str, float]:
    """Parse `one:3 two` to weights by name. The result is cached: do not modify it."""
    weights: dict[str, float] = {}
    for item in text.split():
        name, _, weight = item.rpartition(":") if ":" in item else (item, "", "1")
        weights[name] = float(weight)
    return weights


_EFFECT = re.compile(r"^(\w+)(?::([\d.]+))?(?:\((.*)\))?$")


@lru_cache(maxsize=4096)
def read_effects(text: str) -> tuple[Effect, ...]:
    """Parse effects such as `lowpass:0.5(cutoff=900,q=1) sidechain`.

    Raises:
        ValueError: The text is not a list of effects.
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
