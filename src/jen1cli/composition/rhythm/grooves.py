"""Tables of drum patterns: General MIDI keys, grooves and fills.

Grooves and fills are read from `grooves.toml` and `fills.toml` in this folder; the first lines of
those files define the notation.
"""

import tomllib
from importlib.resources import files

KEYS: dict[str, int] = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "snare2": 40,
    "tom4": 41,
    "hat": 42,
    "tom3": 45,
    "pedal": 44,
    "open": 46,
    "tom2": 47,
    "crash": 49,
    "tom1": 50,
    "ride": 51,
    "china": 52,
    "bell": 53,
    "tamb": 54,
    "splash": 55,
    "cowbell": 56,
    "crash2": 57,
    "bongo_h": 60,
    "bongo_l": 61,
    "conga_m": 62,
    "conga_h": 63,
    "conga_l": 64,
    "timb_h": 65,
    "timb_l": 66,
    "agogo_h": 67,
    "agogo_l": 68,
    "cabasa": 69,
    "shaker": 70,
    "guiro": 73,
    "guiro_l": 74,
    "claves": 75,
    "block_h": 76,
    "block_l": 77,
    "triangle": 81,
}


def _read(name: str) -> dict[str, str]:
    return tomllib.loads(
        files("jen1cli.composition.rhythm").joinpath(name).read_text(encoding="utf-8")
    )


GROOVES = _read("grooves.toml")
"""Name -> text with the meter and alternative patterns."""
FILLS = _read("fills.toml")
"""Name -> text with alternative fills; "none" has none."""
