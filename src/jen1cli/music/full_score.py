"""The full score of a piece: all notes of all parts, with families of instruments and style.

It is a control beside tempo, key, chords, drums and melody (`jen1cli.music.controls`): what it does
not have is unknown, not silent. The corpus has the exact score of each clip. Nothing here needs
torch.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jen1cli.errors import ConfigError
from jen1cli.music.patterns import DRUMS, folded

ROLES = ("bass", "comping", "lead", "drums", "effects")
"""Roles of parts. Comping includes pads, arpeggios and drones; lead includes riffs and
counter-melodies; effects have no pitch."""

FAMILIES = (
    "piano",
    "electric piano",
    "organ",  # free reeds too: accordion, harmonica
    "guitar",
    "distorted guitar",
    "bass",
    "synth bass",
    "strings",
    "choir",
    "brass",
    "saxophone",
    "woodwinds",
    "mallets",  # and bells
    "plucked",  # harp, harpsichord, sitar, koto, banjo, …
    "synth lead",
    "synth pad",
    "synth keys",  # plucks, stabs, arpeggios
    "drums",
    "percussion",  # orchestral and ethnic
    "effects",
)
"""Families of instruments. New ones cannot be added: their order is that of network channels."""

OPEN_GROUPS = ("bass", "comping", "lead", "drums", "families")
"""Groups of channels that may be unknown in a score: four roles, and which instruments play."""

_DRUM_KEYS = {
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "hat": (42, 44, 54, 69, 70, 82),
    "cymbal": (46, 49, 51, 52, 53, 55, 57, 59),
}
"""General MIDI percussion keys of the classes of `music.patterns.DRUMS`; others are percussion."""

_PROGRAMS = (
    (3, "piano"), (5, "electric piano"), (6, "plucked"), (7, "electric piano"), (14, "mallets"),
    (15, "plucked"), (23, "organ"), (28, "guitar"), (31, "distorted guitar"), (37, "bass"),
    (39, "synth bass"), (45, "strings"), (46, "plucked"), (47, "percussion"), (51, "strings"),
    (54, "choir"), (55, "effects"), (63, "brass"), (67, "saxophone"), (79, "woodwinds"),
    (87, "synth lead"), (95, "synth pad"), (103, "effects"), (107, "plucked"), (108, "mallets"),
    (109, "woodwinds"), (110, "strings"), (111, "woodwinds"), (112, "mallets"),
    (113, "percussion"), (114, "mallets"), (119, "percussion"), (127, "effects"),
)  # fmt: skip
"""Last General MIDI program (from 0) of each run of programs, and the family of the run."""

ScoreNote = tuple[float, float, int, float]
"""Onset and duration in seconds, MIDI number, level (velocity × gain of the part, 1 is loud)."""

MAX_LEVEL = 2.0


def family_of_program(program: int) -> str:
    """Return the family of a General MIDI program, 0 to 127.

    Raises:
        ConfigError: there is no such program.
    """
    if not 0 <= program <= 127:
        raise ConfigError(f"{program} is no General MIDI program; give 0 to 127")
    return next(family for last, family in _PROGRAMS if program <= last)


def drum_of_key(key: int, family: str) -> str:
    """Return the class, of `music.patterns.DRUMS`, of a stroke of a part with role drums.

    Only parts of the family drums have the keys of General MIDI percussion.
    """
    if family != "drums":
        return "perc"
    return next((drum for drum, keys in _DRUM_KEYS.items() if key in keys), "perc")


@dataclass(frozen=True)
class ScorePart:
    """The notes of one instrument; times in seconds, levels of amplitude from 0 to 2, 1 is loud."""

    role: str  # one of `ROLES`
    family: str  # one of `FAMILIES`
    notes: tuple[ScoreNote, ...]

    def __post_init__(self) -> None:
        """Check that all values are valid.

        Raises:
            ConfigError: an unknown role or family, or a note that cannot be played.
        """
        for value, known, name in (
            (self.role, ROLES, "role"),
            (self.family, FAMILIES, "family of instruments"),
        ):
            if value not in known:
                raise ConfigError(f"unknown {name} '{value}'; known: {', '.join(known)}")
        for note in self.notes:
            onset, duration, pitch, level = note
            finite = math.isfinite(onset) and 0.0 < duration < math.inf
            if not (finite and 0 <= pitch <= 127 and 0.0 <= level <= MAX_LEVEL):
                raise ConfigError(
                    f"the note {list(note)} cannot be played; give onset and duration in seconds,"
                    f" a MIDI number from 0 to 127 and a level from 0 to {MAX_LEVEL:g}"
                )

    def transposed(self, semitones: int) -> "ScorePart":
        """Return the part in another key; notes out of range move by octaves."""
        moved = (
            (a, b, folded(pitch + semitones, 0, 127), level) for a, b, pitch, level in self.notes
        )
        return dataclasses.replace(self, notes=tuple(moved))


@dataclass(frozen=True)
class FullScore:
    """All parts of a piece on its own clock, in seconds.

    It is known from `start` on for `seconds`; before and after, the piece is unknown.
    """

    parts: tuple[ScorePart, ...]
    seconds: float  # length
    start: float = 0.0  # time of its beginning on the clock of the controls
    style: str = ""  # one of `STYLE_NAMES`; "": unknown
    # energy, brightness, space; shares from 0 (calm, dark, dry) to 1 (driving, bright, spacious)
    mix: tuple[float, float, float] | None = None  # None: unknown
    # unknown groups, of `OPEN_GROUPS`
    left_open: tuple[str, ...] = field(default=(), metadata={"optional": True})

    def __post_init__(self) -> None:
        """Check that all values are valid.

        Raises:
            ConfigError: a length, style, group or share is not valid.
        """
        if not (0.0 < self.seconds < math.inf and math.isfinite(self.start)):
            raise ConfigError(f"a score of {self.seconds:g} s is none; give more than 0")
        if self.style and self.style not in STYLE_NAMES:
            raise ConfigError(f"unknown style '{self.style}'; 'jen1 corpus styles' lists them")
        if self.mix is not None and not all(0.0 <= share <= 1.0 for share in self.mix):
            raise ConfigError(f"energy, brightness and space are {self.mix}; give 0 to 1 each")
        for group in self.left_open:
            if group not in OPEN_GROUPS:
                raise ConfigError(f"unknown group '{group}'; known: {', '.join(OPEN_GROUPS)}")

    def shifted(self, seconds: float) -> "FullScore":
        """Return the score for a time origin that many seconds earlier."""
        return dataclasses.replace(self, start=self.start + seconds)

    def transposed(self, semitones: int) -> "FullScore":
        """Return the score in another key; drums and effects stay."""
        parts = tuple(
            part if part.role in ("drums", "effects") else part.transposed(semitones)
            for part in self.parts
        )
        return dataclasses.replace(self, parts=parts)

    def until(self, seconds: float) -> "FullScore":
        """Return the score without the notes that begin at a time or later."""
        length = seconds - self.start
        if length >= self.seconds or length <= 0.0:
            return self
        parts = tuple(
            dataclasses.replace(part, notes=tuple(n for n in part.notes if n[0] < length))
            for part in self.parts
        )
        kept = tuple(part for part in parts if part.notes)
        return dataclasses.replace(self, parts=kept, seconds=round(length, 3))

    def rounded(self) -> "FullScore":
        """Return the score with times in whole milliseconds and levels in thousandths.

        This is what `packed` keeps.
        """
        parts = tuple(
            dataclasses.replace(
                part,
                notes=tuple(
                    (round(onset, 3), max(0.001, round(duration, 3)), pitch, round(level, 3))
                    for onset, duration, pitch, level in part.notes
                ),
            )
            for part in self.parts
        )
        return dataclasses.replace(self, parts=parts)

    def over(self, other: "FullScore | None") -> "FullScore":
        """Return this score, with what it leaves open taken from `other`.

        Parts of `other` move to the clock of this score. Where the instruments are open, each part
        has the family that its role has in `other`.
        """
        if other is None:
            return self
        mix = other.mix if self.mix is None else self.mix
        found = dataclasses.replace(self, style=self.style or other.style, mix=mix)
        if not self.left_open:
            return found
        parts = self.parts
        if "families" in self.left_open:
            family = {part.role: part.family for part in reversed(other.parts)}
            parts = tuple(
                dataclasses.replace(part, family=family.get(part.role, part.family))
                for part in parts
            )
        late = other.start - self.start
        added = [
            dataclasses.replace(
                part, notes=tuple((n[0] + late, n[1], n[2], n[3]) for n in part.notes)
            )
            for part in other.parts
            if part.role in self.left_open
        ]
        kept = tuple(group for group in self.left_open if group in other.left_open)
        return dataclasses.replace(found, parts=(*parts, *added), left_open=kept).rounded()


_PER_NOTE = 4  # numbers


def packed(score: FullScore) -> dict[str, Any]:
    """Return a rounded score as JSON values, about 13 characters for each note.

    The notes of a part are one list of whole numbers, four for each note: onset after that of the
    note before and duration in milliseconds, MIDI number, level in thousandths.
    """
    parts = []
    for part in score.rounded().parts:
        numbers: list[int] = []
        before = 0
        for onset, duration, pitch, level in part.notes:
            now = round(onset * 1000)
            numbers += (now - before, round(duration * 1000), pitch, round(level * 1000))
            before = now
        parts.append({"role": part.role, "family": part.family, "notes": numbers})
    return {
        "parts": parts,
        "seconds": score.seconds,
        "start": score.start,
        "style": score.style,
        "mix": None if score.mix is None else list(score.mix),
        "left_open": list(score.left_open),
    }


def unpacked(values: Any, where: str) -> FullScore:  # noqa: ANN401 - any JSON value
    """Read the values of `packed`.

    Raises:
        ConfigError: they are no valid score; names the place.
    """
    try:
        parts = [{**part, "notes": _unpacked_notes(part["notes"])} for part in values["parts"]]
        return read_score({**values, "parts": parts}, where)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ConfigError(f"{where} holds no valid score ({error}); write it again") from error


def _unpacked_notes(numbers: Sequence[int]) -> list[ScoreNote]:
    if len(numbers) % _PER_NOTE or not all(type(number) is int for number in numbers):
        raise ValueError("notes are four whole numbers each")
    found: list[ScoreNote] = []
    onset = 0
    for at in range(0, len(numbers), _PER_NOTE):
        late, duration, pitch, level = numbers[at : at + _PER_NOTE]
        onset += late
        found.append((onset / 1000, duration / 1000, pitch, level / 1000))
    return found


def summary(score: Mapping[str, Any]) -> str:
    """Return the parts of a packed score in words: "lead: piano, 34 notes; bass: …"."""
    return "; ".join(
        f"{part['role']}: {part['family']}, {len(part['notes']) // _PER_NOTE} notes"
        for part in score["parts"]
    )


def read_score(values: Mapping[str, Any], where: str) -> FullScore:
    """Read a score from JSON values.

    It is the faster form of `typed_json.from_dict` for files with hundreds of thousands of notes.

    Raises:
        ConfigError: it is no valid score; names the place.
    """
    try:
        parts = tuple(
            ScorePart(
                part["role"],
                part["family"],
                tuple((float(a), float(b), int(c), float(d)) for a, b, c, d in part["notes"]),
            )
            for part in values["parts"]
        )
        mix = values.get("mix")
        return FullScore(
            parts,
            float(values["seconds"]),
            float(values.get("start", 0.0)),
            str(values.get("style", "")),
            None if mix is None else (float(mix[0]), float(mix[1]), float(mix[2])),
            tuple(values.get("left_open", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise ConfigError(f"{where} holds no valid score ({error}); write it again") from error
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


# fmt: off
STYLE_NAMES = (
    "house", "deep house", "acid house", "techno", "trance", "hardstyle", "drum and bass", "jungle",
    "breakbeat", "dubstep", "uk garage", "future bass", "synthwave", "synth pop", "vaporwave",
    "trip hop", "downtempo", "ambient", "drone", "dark ambient", "berlin school", "lofi",
    "boom bap", "trap", "drill", "r&b", "neo soul", "funk", "disco", "motown", "soul ballad",
    "gospel", "jazz trio", "big band swing", "gypsy jazz", "bossa nova", "lounge", "smooth jazz",
    "blues shuffle", "slow blues", "ragtime", "rock", "indie rock", "punk rock", "metal", "grunge",
    "surf rock", "post-rock", "pop", "power ballad", "folk", "acoustic guitar", "country",
    "bluegrass", "celtic", "celtic ballad", "sea shanty", "baroque", "classical", "string quartet",
    "solo strings", "romantic piano", "modern piano", "minimalism", "waltz", "music box lullaby",
    "choral hymn", "church organ", "march", "cinematic", "epic trailer", "suspense", "horror",
    "fantasy adventure", "quirky comedy", "corporate", "spaghetti western", "spy jazz", "christmas",
    "chiptune", "sounds", "reggae", "dub", "ska", "salsa", "samba", "cumbia", "reggaeton",
    "afrobeat", "amapiano", "calypso", "tango", "flamenco", "klezmer", "polka", "indian classical",
    "japanese traditional", "middle eastern", "african kalimba", "tribal percussion",
)
# fmt: on
"""Styles of the composer, in the order of network channels; new ones come last."""

# --- channels of a network (`jen1cli.conditioning.controls.score_channels`) ---

BASS_LOWEST, BASS_PITCHES = 24, 36
COMPING_LOWEST, COMPING_PITCHES = 36, 48
LEAD_LOWEST, LEAD_PITCHES = 36, 60
"""MIDI number of the lowest row of each roll, and semitones; other notes move by octaves."""

_SIZES = {
    "families": 2 * len(FAMILIES),  # levels, then flags: known
    "bass": BASS_PITCHES + 3,  # sustain, one row of onsets, level, known
    "comping": COMPING_PITCHES + 14,  # sustain, onsets by pitch class, level, known
    "lead": LEAD_PITCHES + 14,
    "drums": len(DRUMS) + 1,  # strokes by drum, known
    "mix": 4,  # energy, brightness, space, known
    "style": len(STYLE_NAMES),  # one-hot
}
SCORE_GROUPS: dict[str, slice] = {}
"""Channels of each group, counted from the first channel of the score."""
_first = 0
for _name, _size in _SIZES.items():
    SCORE_GROUPS[_name] = slice(_first, _first + _size)
    _first += _size
SCORE_CHANNELS = _first
PLAYED_SCORE_CHANNELS = SCORE_GROUPS["mix"].start
"""Channels over time; those behind them are the same in every frame."""
