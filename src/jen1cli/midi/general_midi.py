"""General MIDI programs of families of instruments, and names of tracks."""

from jen1cli.music.full_score import FAMILIES, ROLES, family_of_program
from jen1cli.music.instruments import family_in

DRUM_CHANNEL = 9
"""Channel 10, counted from 0."""

PROGRAMS = {
    "piano": 0, "electric piano": 4, "organ": 16, "guitar": 25, "distorted guitar": 30, "bass": 33,
    "synth bass": 38, "strings": 48, "choir": 52, "brass": 61, "saxophone": 65, "woodwinds": 73,
    "mallets": 11, "plucked": 46, "synth lead": 81, "synth pad": 89, "synth keys": 84, "drums": 0,
    "percussion": 116, "effects": 122,
}  # fmt: skip
"""A typical program, from 0, of each family; "synth keys" have none and are read by name."""


def track_name(role: str, family: str) -> str:
    """Return the name of a part's track, such as "lead: woodwinds"."""
    return f"{role}: {family}"


def named_part(name: str) -> tuple[str, str]:
    """Return role and family of a name that `track_name` made; two empty strings for another."""
    role, _, family = name.partition(": ")
    return (role, family) if role in ROLES and family in FAMILIES else ("", "")


def family_of(name: str, program: int | None) -> str:
    """Return the family of a track: of its program, or of its name if it has none.

    Args:
        name: the track's name.
        program: from 0; None if the file sets none.
    """
    if program is None:
        return family_in(name) or "piano"
    return family_of_program(program)
