"""Changes to finished parts: the ending, breaths, and a kick that plays on through fills."""

from collections.abc import Sequence
from dataclasses import replace

from jen1cli.composition.harmony.theory import PlacedChord
from jen1cli.composition.pieces.passages import LEADING, MELODIC
from jen1cli.composition.plan import Plan
from jen1cli.composition.rhythm.grooves import KEYS
from jen1cli.composition.score import Note, Part

_LASTING = frozenset(("drone", "texture"))  # roles that do not follow the chords
_NEAR = 0.3  # beats; swing and human timing move a note by less
_STEADY = 0.85  # share of beats with a kick from which a groove is four on the floor
_CRASH = 0.7
_BREATH = 0.4  # beats
_LONG_NOTE = 1.0  # beats from which a note can be shortened by a breath
_LONGEST_REST = 4.0  # beats after which a melody does not come back for the last chord


def end_parts(
    parts: list[Part], ending: float, beats: float, chord: PlacedChord, tonic: int
) -> list[Part]:
    """End a piece on its last chord: one stroke of the drums, long notes, a melody that comes home.

    Args:
        parts: all parts of the piece.
        ending: beat from which the last chord is held.
        beats: end of the piece.
        chord: the last chord.
        tonic: pitch class on which a melody ends if the chord has it.
    """
    return [
        replace(part, notes=_ended(part, ending, beats, chord, tonic)) if part.notes else part
        for part in parts
    ]


def _ended(
    part: Part, ending: float, beats: float, chord: PlacedChord, tonic: int
) -> tuple[Note, ...]:
    before = [_stopped(note, ending, part) for note in part.notes if note.beat < ending - _NEAR]
    after = [note for note in part.notes if note.beat >= ending - _NEAR]
    if not after:
        return tuple(
            _resolved(before, ending, beats, chord, tonic) if part.role in LEADING else before
        )
    last = [note for note in after if note.beat < ending + _NEAR]
    if part.stem == "drums":
        crash = [Note(ending, 2.0, KEYS["crash"], _CRASH)] if part.role == "drums" else []
        return (*before, *last, *crash)
    if part.role in LEADING:
        level = max(note.velocity for note in after)
        home = _home(after[0].pitch, chord, tonic)
        return (*before, Note(ending, beats - ending, home, level))
    held = [replace(note, duration=max(0.1, beats - note.beat)) for note in after]
    if part.role == "bass":
        held = [replace(held[0], pitch=_nearest(held[0].pitch, chord.classes))]
    elif part.role not in _LASTING:
        first = {note.pitch: note for note in reversed(held)}  # of each pitch
        held = [note for note in held if note is first[note.pitch]]
        held = [note for note in held if note.pitch % 12 in chord.classes]
    return (*before, *held)


def _resolved(
    notes: list[Note], ending: float, beats: float, chord: PlacedChord, tonic: int
) -> list[Note]:
    """Add the last note to a melody that rests in the last bar, unless it is long over."""
    last = max(notes, key=lambda note: note.beat)
    if ending - (last.beat + last.duration) > _LONGEST_REST:
        return notes
    home = _home(last.pitch, chord, tonic)
    return [*notes, Note(ending, beats - ending, home, last.velocity)]


def _home(pitch: int, chord: PlacedChord, tonic: int) -> int:
    return _nearest(pitch, (tonic,) if tonic in chord.classes else chord.classes)


def _nearest(pitch: int, classes: Sequence[int]) -> int:
    """Return the nearest MIDI number of one of some pitch classes."""
    near = (step for step in range(-6, 7) if (pitch + step) % 12 in classes)
    return pitch + min(near, key=abs)


def _stopped(note: Note, ending: float, part: Part) -> Note:
    """Stop a note of the melody where its last one begins."""
    if part.role in LEADING and note.beat + note.duration > ending:
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


def breathe(part: Part, plan: Plan) -> Part:
    """Shorten long notes of a melody at the end of each phrase, where a player breathes."""
    if part.role not in MELODIC:
        return part
    length = plan.phrase * plan.meter.beats
    return replace(part, notes=tuple(_before_breath(note, length) for note in part.notes))


def _before_breath(note: Note, phrase: float) -> Note:
    start = note.beat + _BREATH  # a player may be early
    end = (start // phrase + 1.0) * phrase
    over = note.beat + note.duration - (end - _BREATH)
    if note.duration < _LONG_NOTE or not 0.0 < over <= 2.0 * _BREATH:
        return note
    return replace(note, duration=round(note.duration - over, 5))


def _is_on_beat(note: Note, key: int) -> bool:
    return note.pitch == key and abs(note.beat - round(note.beat)) < 0.1
