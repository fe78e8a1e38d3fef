"""Writes the score of a piece as a standard MIDI file of type 1.

The first track has tempo, metre, key, and as markers chord names and sections, "[verse]". Each part
is a track of its own with the program of its family; drums are on channel 10. Bars are those of the
controls: a piece that begins within a bar begins within the file's first bar.
"""

import io
import logging
import math
from collections.abc import Sequence
from pathlib import Path

import mido

from jen1cli.errors import ConfigError
from jen1cli.files import make_folder, writing
from jen1cli.midi.general_midi import DRUM_CHANNEL, PROGRAMS, track_name
from jen1cli.midi.passages import Passage
from jen1cli.music.chords import FLAT_NAMES, NO_CHORD, TONICS
from jen1cli.music.controls import BEATS, SIXTEENTHS, Controls
from jen1cli.music.full_score import ScorePart
from jen1cli.music.keys import RELATIVE_MAJOR, note_names

logger = logging.getLogger(__name__)

TICKS = 480
"""Per quarter note."""
DEFAULT_BPM, DEFAULT_METER = 120.0, "4/4"
FULL_VOLUME = 100
"""Value of the volume controller that plays velocities as they are."""
_LOUDEST = 1.6  # level of a part that needs more than the full volume

_MODES_OF_SIGNATURES = ("major", "minor", "harmonic minor")


Sections = Sequence[tuple[float, str]]
"""Start in seconds and name of each section."""


def write_midi(
    path: Path, passages: Sequence[Passage], *, sections: Sections = (), overwrite: bool = True
) -> None:
    """Write the score of a piece.

    Args:
        path: target; its folder is made.
        passages: on the clock of the piece; the first determines the bars.
        sections: the form's sections.
        overwrite: whether an existing file is replaced.

    Raises:
        ConfigError: nothing of a score is known.
        OutputError: the target cannot be written.
    """
    data = midi_bytes(passages, sections)
    make_folder(path.parent)
    with writing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def has_score(passages: Sequence[Passage]) -> bool:
    """Return whether there is a note to write."""
    return any(passage.parts() for passage in passages)


def midi_bytes(passages: Sequence[Passage], sections: Sections = ()) -> bytes:
    """Return the bytes of a standard MIDI file; see `write_midi`.

    Raises:
        ConfigError: nothing of a score is known.
    """
    if not has_score(passages):
        raise ConfigError(
            "no score is known of this music, so there is no MIDI to write; choose the composer"
            " 'rules' or 'learned', or give chords, drums or a melody"
        )
    parts = _merged(passages)
    grid = _Grid(passages[0].controls)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS, charset="utf-8")
    file.tracks.append(_first_track(grid, passages, sections))
    for part, channel in zip(parts, _channels(parts), strict=True):
        file.tracks.append(_part_track(grid, part, channel))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _channels(parts: Sequence[ScorePart]) -> list[int]:
    """Return a MIDI channel for each part.

    There are 15 for pitched parts. If there are more parts, those of one family, which have one
    program, share a channel. If there are more families, some sound with another's program.
    """
    pitched = [part.family for part in parts if part.family != "drums"]
    free = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    if len(pitched) <= len(free):
        mine = iter(free)
        return [DRUM_CHANNEL if part.family == "drums" else next(mine) for part in parts]
    families = list(dict.fromkeys(pitched))
    if len(families) > len(free):
        logger.warning(
            "MIDI has %d channels for pitched parts, and these are of %d families: %s share the"
            " sounds of others",
            len(free),
            len(families),
            ", ".join(families[len(free) :]),
        )
    of_family = {name: free[index % len(free)] for index, name in enumerate(families)}
    return [of_family.get(part.family, DRUM_CHANNEL) for part in parts]


class _Grid:
    """Ticks of times in seconds; tick 0 is the last bar line that is not after time 0."""

    def __init__(self, controls: Controls) -> None:
        self.meter = controls.meter or DEFAULT_METER
        beat_quarters = SIXTEENTHS[self.meter] / 4.0 / BEATS[self.meter]
        self.quarter_bpm = (controls.bpm or DEFAULT_BPM) * beat_quarters
        bar = SIXTEENTHS[self.meter] / 4.0 * 60.0 / self.quarter_bpm
        self.origin = controls.downbeat - math.ceil(controls.downbeat / bar - 1e-6) * bar

    def tick(self, seconds: float) -> int:
        return max(0, round((seconds - self.origin) * self.quarter_bpm / 60.0 * TICKS))


def _merged(passages: Sequence[Passage]) -> list[ScorePart]:
    """Return the parts of all passages; equal voices of several passages are one part."""
    found: dict[tuple[str, str, int], list[ScorePart]] = {}
    for passage in passages:
        seen: dict[tuple[str, str], int] = {}
        for part in passage.parts():
            voice = (part.role, part.family)
            seen[voice] = seen.get(voice, 0) + 1
            found.setdefault((*voice, seen[voice]), []).append(part)
    return [
        ScorePart(role, family, tuple(note for part in parts for note in part.notes))
        for (role, family, _), parts in found.items()
    ]


_Events = list[tuple[int, int, mido.Message | mido.MetaMessage]]


def _track(events: _Events) -> mido.MidiTrack:
    """Return a track of events (tick, order within the tick, message)."""
    track = mido.MidiTrack()
    before = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=tick - before))
        before = tick
    return track


def _first_track(grid: _Grid, passages: Sequence[Passage], sections: Sections) -> mido.MidiTrack:
    controls = passages[0].controls
    numerator, denominator = map(int, grid.meter.split("/"))
    tempo = round(60e6 / grid.quarter_bpm)
    meta = [
        mido.MetaMessage("track_name", name="jen1"),
        mido.MetaMessage("set_tempo", tempo=tempo),
        mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator),
    ]
    names = note_names(controls.key, controls.mode)
    if controls.key:
        meta.append(mido.MetaMessage("key_signature", key=key_signature(controls)))
        name = names[TONICS.index(controls.key)]  # a signature has no modes
        meta.append(mido.MetaMessage("text", text=f"Key: {name} {controls.mode}"))
    events: _Events = [(0, order, message) for order, message in enumerate(meta)]
    for passage in passages:
        for start, _, chord in passage.chords():
            name = NO_CHORD if chord is None else chord.named(names)
            tick = grid.tick(max(start, passage.start))
            events.append((tick, len(meta), mido.MetaMessage("marker", text=name)))
    events += [
        (grid.tick(start), len(meta) - 1, mido.MetaMessage("marker", text=f"[{name}]"))
        for start, name in sections
    ]
    end = grid.tick(max(passage.stop for passage in passages))
    events.append((end, len(meta) + 1, mido.MetaMessage("end_of_track")))
    return _track(events)


def key_signature(controls: Controls) -> str:
    """Return the key signature, as mido spells it: "Bb" or "F#m"."""
    tonic = TONICS.index(controls.key)
    if controls.mode in _MODES_OF_SIGNATURES:
        name = note_names(controls.key, controls.mode)[tonic]
        return name if controls.mode == "major" else f"{name}m"
    major = (tonic + RELATIVE_MAJOR[controls.mode]) % 12
    sharps = FLAT_NAMES[major] if major in (1, 3, 5, 8, 10) else TONICS[major]
    return sharps


def _part_track(grid: _Grid, part: ScorePart, channel: int) -> mido.MidiTrack:
    peak = max(level for *_, level in part.notes) or 1.0
    scale = min(_LOUDEST, max(1.0, peak))  # the volume plays levels over 1
    volume = round(FULL_VOLUME * math.sqrt(scale))
    events: _Events = [
        (0, 0, mido.MetaMessage("track_name", name=track_name(part.role, part.family))),
        (0, 1, mido.Message("program_change", channel=channel, program=PROGRAMS[part.family])),
        (0, 2, mido.Message("control_change", channel=channel, control=7, value=volume)),
    ]
    for start, stop, pitch, level in _ticks(grid, part):
        velocity = min(127, max(1, round(127 * level / scale)))
        on = mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)
        off = mido.Message("note_off", channel=channel, note=pitch, velocity=0)
        events += [(start, 4, on), (stop, 3, off)]
    return _track(events)


def _ticks(grid: _Grid, part: ScorePart) -> list[tuple[int, int, int, float]]:
    """Return notes in ticks; of overlapping notes of one pitch, the earlier is cut."""
    found: list[tuple[int, int, int, float]] = []
    sounding: dict[int, int] = {}
    for onset, duration, pitch, level in sorted(part.notes):
        start = grid.tick(onset)
        stop = max(start + 1, grid.tick(onset + duration))
        if pitch in sounding:
            index = sounding[pitch]
            before = found[index]
            if before[0] == start:  # the same note twice
                found[index] = (start, max(stop, before[1]), pitch, max(level, before[3]))
                continue
            found[index] = (before[0], min(before[1], start), pitch, before[3])
        sounding[pitch] = len(found)
        found.append((start, stop, pitch, level))
    return found
