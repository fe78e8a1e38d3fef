"""Parts of a piece that were given: notes of a drum pattern or a melody, which repeat."""

from dataclasses import replace

from jen1cli.composition.pieces.frame import Frame
from jen1cli.composition.pieces.passages import LEADING
from jen1cli.composition.rhythm.grooves import KEYS
from jen1cli.composition.score import Note, Part
from jen1cli.music.controls import Controls
from jen1cli.music.patterns import DRUMS, NONE, Pattern, parse_drums, parse_melody

_DRUM_KEYS = (KEYS["kick"], KEYS["snare"], KEYS["hat"], KEYS["ride"], KEYS["conga_h"])
"""General MIDI key of each class of `DRUMS`."""
_LEVEL = 0.8


def with_given_parts(parts: list[Part], frame: Frame, given: Controls) -> list[Part]:
    """Replace the drums and the leading voices by those that are given."""
    if given.drums:
        kit = next((part for part in parts if part.role == "drums"), None)
        parts = [part for part in parts if part.stem != "drums"]
        if given.drums != NONE:
            kit = kit or Part("drums", "drums", "kit_standard", ())
            rows = parse_drums(given.drums)
            strokes = [note for row in rows for note in _notes(row, frame, _DRUM_KEYS)]
            parts = [replace(kit, notes=_sorted(strokes)), *parts]
    if given.melody:
        lead = next((part for part in parts if part.role in ("melody", "riff")), None)
        parts = [part for part in parts if part.role not in LEADING]
        if given.melody != NONE:
            lead = lead or Part("melody", "melody", "grand_piano", ())
            notes = _notes(parse_melody(given.melody), frame, None)
            parts.append(replace(lead, role="melody", notes=_sorted(notes)))
    return parts


def _notes(pattern: Pattern, frame: Frame, keys: tuple[int, ...] | None) -> list[Note]:
    """Return the notes of a pattern over the whole piece; `keys` translates classes of drums."""
    return [
        Note(
            sound.start,
            sound.stop - sound.start,
            sound.number if keys is None else keys[sound.number],
            _LEVEL,
        )
        for sound in frame.sounds(pattern, frame.beats)
    ]


def _sorted(notes: list[Note]) -> tuple[Note, ...]:
    return tuple(sorted(notes, key=lambda note: (note.beat, note.pitch)))


assert len(_DRUM_KEYS) == len(DRUMS)
