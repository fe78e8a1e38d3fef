"""The full score of a composition, as `jen1cli.music.full_score` has it."""

import math

from jen1cli.composition.instruments import INSTRUMENTS
from jen1cli.composition.score import Effect, Part, Score
from jen1cli.music.full_score import FAMILIES, MAX_LEVEL, FullScore, ScoreNote, ScorePart

_FAMILY_OF = {
    "accordion": "organ", "bagpipes": "woodwinds", "chip": "synth lead", "chip bass": "synth bass",
    "clavinet": "electric piano", "folk strings": "plucked", "harmonica": "organ",
    "harp": "plucked", "harpsichord": "plucked", "impact": "effects", "noise": "effects",
    "orchestra hit": "effects", "orchestral percussion": "percussion",
    "plucked strings": "plucked", "synth arpeggio": "synth keys", "synth bell": "mallets",
    "synth brass": "brass", "synth organ": "organ", "synth pluck": "synth keys",
    "synth stab": "synth keys", "synth strings": "strings", "test tone": "effects",
}  # fmt: skip
"""Families of the composer's instruments that have another name in `FAMILIES`."""

_ROLE_OF = {"bass": "bass", "harmony": "comping", "melody": "lead", "drums": "drums"}
_ROOM_SIZES = {"dry": 0.0, "studio": 0.2, "room": 0.3, "plate": 0.45, "club": 0.5, "hall": 0.7,
               "church": 0.9, "cave": 1.0}  # fmt: skip
_WET = 0.4  # mean reverberation send of a mix with as much space as its room can give
_LOW, _HIGH = 36, 96  # MIDI numbers of a dark and of a bright mix
_OPEN_HZ, _CLOSED_HZ = 18_000.0, 500.0  # cutoff of low-pass filters at brightness 1 and 0
_DULL = {"tape": 0.8, "vinyl": 0.7, "telephone": 0.4}  # openness under effects of the whole mix
_MILLISECONDS = 3  # decimals of times


def full_score(score: Score) -> FullScore:
    """Return all parts of a composition in seconds, with style, energy, brightness and space."""
    beat = 60.0 / score.bpm
    parts = tuple(_part(part, beat) for part in score.parts if part.notes)
    return FullScore(
        parts,
        round(score.seconds, _MILLISECONDS),
        style=score.style,
        mix=(score.energy, _brightness(score), _space(score)),
    )


def family_of(instrument: str) -> str:
    """Return the family of one of the composer's instruments."""
    family = INSTRUMENTS[instrument].family
    return family if family in FAMILIES else _FAMILY_OF[family]


def _part(part: Part, beat: float) -> ScorePart:
    family = family_of(part.instrument)
    gain = 10.0 ** (part.gain_db / 20.0)
    notes: list[ScoreNote] = [
        (
            round(note.beat * beat, _MILLISECONDS),
            max(0.001, round(note.duration * beat, _MILLISECONDS)),
            note.pitch,
            round(min(MAX_LEVEL, note.velocity * gain), 3),
        )
        for note in part.notes
    ]
    role = "effects" if family == "effects" else _ROLE_OF[part.stem]
    return ScorePart(role, family, tuple(notes))


def _brightness(score: Score) -> float:
    """Return the mean of register and of the openness of filters, 0 to 1."""
    pitched = [part for part in score.parts if part.notes and part.stem != "drums"]
    pitches = [note.pitch for part in pitched for note in part.notes]
    register = (sum(pitches) / len(pitches) - _LOW) / (_HIGH - _LOW) if pitches else 0.5
    filters = [_openness(part.effects) for part in pitched] or [1.0]
    openness = _openness(score.master) * sum(filters) / len(filters)
    return round(0.5 * min(1.0, max(0.0, register)) + 0.5 * openness, 3)


def _openness(effects: tuple[Effect, ...]) -> float:
    found = 1.0
    for effect in effects:
        if effect.name == "lowpass":
            hertz = float(effect.settings.get("cutoff", _OPEN_HZ * 2.0 ** (-6.0 * effect.amount)))
            octaves = math.log2(max(1.0, hertz / _CLOSED_HZ)) / math.log2(_OPEN_HZ / _CLOSED_HZ)
            found = min(found, octaves)
        elif effect.name in _DULL:
            found = min(found, _DULL[effect.name])
    return min(1.0, found)


def _space(score: Score) -> float:
    """Return the size of the room, weighted with the reverberation of the parts, 0 to 1."""
    sends = [part.reverb for part in score.parts if part.notes]
    wet = min(1.0, sum(sends) / len(sends) / _WET) if sends else 0.0
    return round(_ROOM_SIZES[score.room] * wet, 3)
