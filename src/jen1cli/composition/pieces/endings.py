"""Changes to finished parts: the ending of a piece, and a kick that plays on through fills."""

from dataclasses import replace

from jen1cli.composition.plan import Plan
from jen1cli.composition.rhythm.grooves import KEYS
from jen1cli.composition.score import Note, Part

_LEADING = frozenset(("melody", "counter", "riff"))
_NEAR = 0.3  # beats; swing and human timing move a note by less
_STEADY = 0.85  # share of beats with a kick from which a groove is four on the floor
_CRASH = 0.7


def end_parts(parts: list[Part], ending: float, beats: float, tonic: int) -> list[Part]:
    """End a piece on its last chord: one stroke of the drums, long notes, a melody that comes home.

    Args:
        parts: all parts of the piece.
        ending: beat of the last chord.
        beats: end of the piece.
        tonic: pitch class on which a melody ends.
    """
    return [
        replace(part, notes=_ended(part, ending, beats, tonic)) if part.notes else part
        for part in parts
    ]


def _ended(part: Part, ending: float, beats: float, tonic: int) -> tuple[Note, ...]:
    before = [_stopped(note, ending, part) for note in part.notes if note.beat < ending - _NEAR]
    after = [note for note in part.notes if note.beat >= ending - _NEAR]
    if not after:
        return tuple(before)
    last = [note for note in after if note.beat < ending + _NEAR]
    if part.stem == "drums":
        crash = [Note(ending, 2.0, KEYS["crash"], _CRASH)] if part.role == "drums" else []
        return (*before, *last, *crash)
    if part.role in _LEADING:
        level = max(note.velocity for note in after)
        pitch = after[0].pitch
        home = min((pitch + step for step in range(-6, 6) if (pitch + step) % 12 == tonic), key=abs)
        return (*before, Note(ending, beats - ending, home, level))
    held = [replace(note, duration=max(0.1, beats - note.beat)) for note in after]
    return (*before, *held)


def _stopped(note: Note, ending: float, part: Part) -> Note:
    """Stop a note of the melody where its last one begins."""
    if part.role in _LEADING and note.beat + note.duration > ending:
        return replace(note, duration=ending - note.beat)
    return note


def keep_kick(part: Part, plan: Plan) -> Part:
    """Let a kick on every beat play on through fills."""
    if part.role != "drums" or plan.meter.name != "4/4":
        return part
    kick = KEYS["kick"]
    played = {round(note.beat) for note in part.notes if _is_on_beat(note, kick)}
    wanted = set(range(round(plan.beats)))
    missing = wanted - played
    if not missing or len(missing) > (1.0 - _STEADY) * len(wanted):
        return part
    level = max(note.velocity for note in part.notes if note.pitch == kick)
    added = [Note(float(beat), 0.25, kick, level) for beat in sorted(missing)]
    return replace(part, notes=(*part.notes, *added))


def _is_on_beat(note: Note, key: int) -> bool:
    return note.pitch == key and abs(note.beat - round(note.beat)) < 0.1
