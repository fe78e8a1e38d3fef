"""General MIDI percussion keys: the drum of each key and its level in a kit."""

from typing import Literal

Drum = Literal[
    "kick", "snare", "rim", "clap", "closed_hat", "pedal_hat", "open_hat", "tom", "crash", "ride",
    "bell", "tambourine", "cowbell", "shaker", "conga", "clave", "triangle", "click",
]  # fmt: skip

_KEYS: dict[Drum, tuple[int, ...]] = {
    "kick": (35, 36),
    "snare": (38, 40),
    "rim": (31, 37),
    "clap": (39,),
    "closed_hat": (42,),
    "pedal_hat": (44,),
    "open_hat": (46,),
    "tom": (41, 43, 45, 47, 48, 50),
    "crash": (49, 52, 55, 57),
    "ride": (51, 59),
    "bell": (53, 67, 68, 83, 84),
    "tambourine": (54,),
    "cowbell": (56,),
    "shaker": (58, 69, 70, 71, 72, 73, 74, 82),
    "conga": (60, 61, 62, 63, 64, 65, 66, 78, 79, 86, 87),
    "clave": (75, 76, 77, 85),
    "triangle": (80, 81),
}
_DRUMS: dict[int, Drum] = {key: drum for drum, keys in _KEYS.items() for key in keys}

_LEVELS: dict[Drum, float] = {  # level of the loudest 100 ms, dB relative to the reference level
    "kick": 4.0,
    "snare": 0.0,
    "rim": -7.0,
    "clap": -3.0,
    "closed_hat": -12.0,
    "pedal_hat": -15.0,
    "open_hat": -8.5,
    "tom": 0.0,
    "crash": -4.5,
    "ride": -9.0,
    "bell": -8.0,
    "tambourine": -11.0,
    "cowbell": -10.0,
    "shaker": -14.0,
    "conga": -4.0,
    "clave": -9.0,
    "triangle": -13.0,
    "click": -12.0,
}


def drum_of(key: int) -> Drum:
    """Return the drum of a percussion key; "click" for keys without one."""
    return _DRUMS.get(key, "click")


def drum_level(key: int) -> float:
    """Return the level of a key's drum in a kit, in dB relative to the reference level."""
    return _LEVELS[drum_of(key)]
