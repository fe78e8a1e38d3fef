"""Which voice of a MIDI file is what: drums, bass, melody, or one that accompanies."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from jen1cli.errors import ConfigError
from jen1cli.midi.general_midi import family_of, named_part
from jen1cli.midi.reading import MidiVoice, RawNote

_DRUMS = re.compile(r"\b(?:drums?|drum ?kit|percussion|batterie|schlagzeug|bateria)\b", re.I)
_BASS = re.compile(
    r"\b(?:bass|basse|baixo|kontrabass|contrabass)\b(?! (?:drum|clarinet|clef))", re.I
)
_MELODY = re.compile(
    r"\b(?:melod\w*|lead|leads|vocals?|voice|vox|sing\w*|solo|tune|theme|soprano|chant|gesang)\b",
    re.I,
)
_OF_DRUMS = ("drums", "percussion")
_BASSES = ("bass", "synth bass")
_MELODIC = {
    "synth lead": 0.4, "woodwinds": 0.3, "saxophone": 0.3, "choir": 0.3, "brass": 0.1,
    "strings": 0.1, "mallets": 0.0, "synth pad": -0.6, "synth keys": -0.2,
}  # fmt: skip
"""How much more often than others a family plays the melody."""

_CHORDAL = 0.25  # share of onsets with more than one note from which a voice plays chords
_LOW = 50  # MIDI number; a single line with a lower median is a bass
_HIGH = 55  # a single line with a higher median is a second melody


@dataclass
class MidiPart:
    """A voice, or a share of one, with what it is."""

    voice: MidiVoice
    family: str
    role: str = "comping"  # one of `music.full_score.ROLES`
    is_melody: bool = False
    has_named_role: bool = False  # by the name of its track, as in our own files

    @property
    def notes(self) -> list[RawNote]:
        """The notes, in order."""
        return self.voice.notes

    @property
    def is_divided(self) -> bool:
        """Whether it plays the melody and chords below it."""
        return self.is_melody and not self.has_named_role and self.chord_share >= _CHORDAL

    @cached_property
    def register(self) -> float:
        """The median MIDI number."""
        return float(median(note.pitch for note in self.notes))

    @cached_property
    def chord_share(self) -> float:
        """Share of the notes that begin together with another, or while a higher one sounds."""
        return 1.0 - len(top_line(self.notes)) / len(self.notes)

    def described(self, number: int) -> str:
        """Return number, name, family and role, such as "2 'Flute' (woodwinds): melody"."""
        name = f" '{self.voice.name}'" if self.voice.name else f" channel {self.voice.channel + 1}"
        role = "melody" if self.is_melody else self.role
        if self.is_divided:
            role = "melody (its highest line), comping"
        return f"{number}{name} ({self.family}): {role}"


def assign(voices: list[MidiVoice], melody: str = "") -> list[MidiPart]:
    """Return all voices with their roles.

    Args:
        voices: with notes.
        melody: number of the voice from 1, a part of its name, or "none"; "": the likeliest.

    Raises:
        ConfigError: there is no such voice.
    """
    parts = [_first_guess(voice) for voice in voices]
    _choose_melody(parts, melody)
    if not any(part.role == "bass" or part.has_named_role for part in parts):
        _find_bass(parts)
    for part in [] if melody.strip().lower() == "none" else parts:
        if part.role == "comping" and not part.has_named_role and _is_second_melody(part):
            part.role = "lead"
    return parts


def _first_guess(voice: MidiVoice) -> MidiPart:
    role, family = named_part(voice.name)
    if role:
        return MidiPart(voice, family, role, has_named_role=True)
    family = family_of(voice.name, voice.program)
    if voice.is_kit or (voice.program is None and _DRUMS.search(_plain(voice.name))):
        return MidiPart(voice, "drums", "drums")
    if family in _OF_DRUMS:
        return MidiPart(voice, family, "drums")
    if family == "effects":
        return MidiPart(voice, family, "effects")
    is_bass = family in _BASSES or (_BASS.search(_plain(voice.name)) and median(
        note.pitch for note in voice.notes
    ) < _HIGH)  # fmt: skip
    return MidiPart(voice, family, "bass" if is_bass else "comping")


def _plain(name: str) -> str:
    """Return a name without accents, so that "Mélodie" is read like "Melodie"."""
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def _choose_melody(parts: list[MidiPart], asked: str) -> None:
    if asked.strip().lower() == "none":
        for part in parts:
            if part.role == "lead":
                part.role = "comping"
        return
    chosen = _asked(parts, asked.strip()) if asked.strip() else _likeliest(parts)
    if chosen is not None:
        chosen.role, chosen.is_melody = "lead", True


def _asked(parts: list[MidiPart], asked: str) -> MidiPart:
    if asked in (numbers := [str(number) for number in range(1, len(parts) + 1)]):
        return parts[numbers.index(asked)]
    named = [part for part in parts if asked.lower() in part.voice.name.lower()]
    if not named or asked.isdecimal():
        known = ", ".join(
            f"{number} '{part.voice.name}'" if part.voice.name else str(number)
            for number, part in enumerate(parts[:20], 1)
        )
        raise ConfigError(f"no voice of the score is '{asked[:40]}'; known: {known}, or none")
    return named[0]


def _likeliest(parts: list[MidiPart]) -> MidiPart | None:
    """Return the voice that most likely plays the melody; None without a voice that could."""
    if any(part.has_named_role for part in parts):
        return next((part for part in parts if part.role == "lead"), None)
    able = [part for part in parts if part.role == "comping"]
    able = able or [part for part in parts if part.role == "bass" and part.register >= _LOW]
    if not able:
        return None
    first = min(part.notes[0].start for part in able)
    last = max(note.stop for part in able for note in part.notes)
    loudest = max(_level(part) for part in able) or 1.0

    def likelihood(part: MidiPart) -> float:
        high = min(1.0, max(0.0, (part.register - 48) / 24))
        sounding = sum(note.stop - note.start for note in part.notes) / max(1, last - first)
        varied = min(1.0, len({note.pitch for note in part.notes}) / 8)
        return (
            1.0 - part.chord_share
            + 0.6 * high
            + 0.8 * min(1.0, sounding / 0.6)
            + 0.4 * varied
            + 0.3 * _level(part) / loudest
            + _MELODIC.get(part.family, 0.0)
            + 3.0 * bool(_MELODY.search(_plain(part.voice.name)))
        )  # fmt: skip

    return max(able, key=likelihood)


def _level(part: MidiPart) -> float:
    return sum(note.level for note in part.notes) / len(part.notes)


def _find_bass(parts: list[MidiPart]) -> None:
    able = [
        part
        for part in parts
        if part.role == "comping" and part.chord_share < _CHORDAL and part.register < _LOW
    ]
    if able:
        min(able, key=lambda part: part.register).role = "bass"


def _is_second_melody(part: MidiPart) -> bool:
    melodic = _MELODIC.get(part.family, -1.0) >= 0.0
    return melodic and part.chord_share < 0.1 and part.register >= _HIGH


def top_line(notes: list[RawNote]) -> list[RawNote]:
    """Return the notes of the highest voice (skyline; Uitdenbogerd and Zobel 1998).

    A note belongs to it if at its onset no higher note begins or sounds; an onset may be late by an
    eighth of the note's own length.
    """
    found: list[RawNote] = []
    for note in sorted(notes, key=lambda one: (one.start, -one.pitch)):
        if found:
            top = found[-1]
            together = note.start - top.start <= (top.stop - top.start) // 8
            if together and note.pitch < top.pitch:
                continue
            if together and note.pitch > top.pitch:
                found[-1] = note  # the lower notes of a spread chord came first
                continue
            if note.pitch < top.pitch and note.start < top.stop - (top.stop - top.start) // 8:
                continue
        found.append(note)
    return found
