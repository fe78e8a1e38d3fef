"""Reads standard MIDI files of types 0 and 1 as voices of notes in ticks."""

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import mido
from mido.midifiles.meta import KeySignatureError

from jen1cli.errors import AudioError
from jen1cli.midi.general_midi import DRUM_CHANNEL
from jen1cli.music.full_score import MAX_LEVEL

MAX_BYTES = 4 * 2**20
MAX_TRACKS = 256
MAX_NOTES = 100_000
DEFAULT_TEMPO = 500_000
"""Microseconds per quarter note of a file that sets none: 120 bpm."""

_HEADER = b"MThd"
_HEADER_WITHIN = 64  # bytes in front of the header: that of a RIFF file
_LONGEST_RUN = re.compile(rb"[\x80-\xff]{1024}")
"""Longest run of bytes with the high bit; a longer one is no text, but a number of mega-bits."""
_KEY_EVENT = re.compile(rb"\xff\x59\x02(..)", re.DOTALL)
_SMPTE_EVENT = re.compile(rb"\xff\x54\x05[\x80-\xff]")
"""Start of a track on the clock of a film, with a frame rate that does not exist; not used."""
_SMPTE_START = b"\xff\x54\x05\x00"
_VOLUME, _EXPRESSION = 7, 11
_DEFAULT_VOLUME = 100


class MidiError(AudioError):
    """A MIDI file that cannot be read or has nothing to play."""


@dataclass(frozen=True)
class RawNote:
    """One note, in ticks."""

    start: int
    stop: int
    pitch: int
    level: float


@dataclass
class MidiVoice:
    """The notes of one track, channel and program."""

    track: int
    channel: int
    program: int | None  # None: the file sets none
    name: str
    notes: list[RawNote] = field(default_factory=list)

    @property
    def is_kit(self) -> bool:
        """Whether the channel is that of drums."""
        return self.channel == DRUM_CHANNEL


@dataclass
class Song:
    """The content of a MIDI file; times in ticks."""

    ticks_per_quarter: int
    tempi: list[tuple[int, int]] = field(default_factory=list)  # microseconds per quarter note
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, str]] = field(default_factory=list)  # as mido spells them
    markers: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    voices: list[MidiVoice] = field(default_factory=list)
    end: int = 0
    endless: int = 0  # notes without an end


_Key = tuple[int, int, int]  # track, channel and pitch
_Pending = deque[tuple[int, float, MidiVoice]]  # start, level and voice of notes that sound


def read_song(source: Path | bytes, name: str) -> Song:
    """Read a MIDI file.

    Args:
        source: path, or the bytes of the file.
        name: the file's name, for messages.

    Raises:
        MidiError: it cannot be read, is too large, or has no notes.
    """
    data = _bytes(source, name)
    file = _parse(data, name)
    song = Song(file.ticks_per_beat)
    _collect(song, file, name)
    if not any(voice.notes for voice in song.voices):
        raise MidiError(f"{name} has no notes, so there is nothing to play; give another file")
    return song


def _bytes(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        data = source
    else:
        try:
            with source.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise MidiError(f"{name} cannot be read: {error.strerror}; give a MIDI file") from error
    if not data:
        raise MidiError(f"{name} is empty (0 bytes); give a MIDI file")
    if len(data) > MAX_BYTES:
        raise MidiError(f"{name} has more than {MAX_BYTES // 2**20} MiB; give a smaller MIDI file")
    start = data.find(_HEADER, 0, _HEADER_WITHIN)
    if start < 0:
        raise MidiError(f"{name} is not a MIDI file: it has no header 'MThd'; give a .mid file")
    return data[start:]


def _parse(data: bytes, name: str) -> mido.MidiFile:
    """Parse a file that starts with its header.

    Raises:
        MidiError: it is damaged, or of a kind that is not read.
    """
    if len(data) < 14:
        raise MidiError(f"{name} is truncated: its header is not complete; export it again")
    kind, tracks, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    if kind > 1:
        raise MidiError(
            f"{name} is a MIDI file of type {kind}; types 0 and 1 are read, so export it as type 1"
        )
    if tracks > MAX_TRACKS:
        raise MidiError(f"{name} has {tracks:,} tracks; at most {MAX_TRACKS} are read")
    if division & 0x8000:
        raise MidiError(
            f"{name} counts time in SMPTE frames and so has no beats; export it with ticks per"
            " quarter note"
        )
    if not division:
        raise MidiError(f"{name} has 0 ticks per quarter note; export it again")
    no_midi = f"{name} is damaged: it holds data that is no MIDI; export it again"
    if _LONGEST_RUN.search(data):
        raise MidiError(no_midi)
    try:
        data = _KEY_EVENT.sub(_possible_key, _SMPTE_EVENT.sub(_SMPTE_START, data))
        return mido.MidiFile(file=BytesIO(data), clip=True)
    except EOFError as error:
        raise MidiError(f"{name} is truncated: it ends within a track; export it again") from error
    except (OSError, ValueError, KeySignatureError) as error:
        raise MidiError(f"{name} is damaged ({error}); export it again") from error
    except (LookupError, TypeError) as error:  # mido does not expect every value
        raise MidiError(
            f"{name} is damaged: it holds data that is no MIDI; export it again"
        ) from error


def _possible_key(match: re.Match[bytes]) -> bytes:
    """Replace a key signature that does not exist, which some programs write, by C major."""
    sharps, minor = match[1]
    exists = (sharps <= 7 or sharps >= 249) and minor <= 1
    return match[0] if exists else b"\xff\x59\x02\x00\x00"


def _collect(song: Song, file: mido.MidiFile, name: str) -> None:
    """Sort the events of all tracks by time, and pair the ends of notes with their beginnings."""
    names = [_name_of(track, file.type) for track in file.tracks]
    programs: dict[int, int] = {}
    volumes: dict[int, int] = {}
    expressions: dict[int, int] = {}
    voices: dict[tuple[int, int, int | None], MidiVoice] = {}
    open_notes: dict[_Key, _Pending] = {}
    events = _in_order(file)
    struck_again = _more_begun_than_ended(events)
    count = 0
    for tick, track, message in events:
        kind = message.type
        if kind == "note_on" and message.velocity > 0:
            count += 1
            if count > MAX_NOTES:
                raise MidiError(f"{name} has more than {MAX_NOTES:,} notes; give a shorter piece")
            channel = message.channel
            program = programs.get(channel)
            voice = voices.setdefault(
                (track, channel, program), MidiVoice(track, channel, program, names[track])
            )
            loudness = volumes.get(channel, _DEFAULT_VOLUME) / _DEFAULT_VOLUME
            expression = expressions.get(channel, 127) / 127
            level = message.velocity / 127 * loudness**2 * expression**2
            key = (track, channel, message.note)
            pending = open_notes.setdefault(key, deque())
            if key in struck_again:
                _end_endless(song, message.note, pending, tick)
            pending.append((tick, min(MAX_LEVEL, level), voice))
        elif kind in ("note_on", "note_off"):
            pending = open_notes.get((track, message.channel, message.note))
            if pending:
                start, level, voice = pending.popleft()
                voice.notes.append(RawNote(start, max(start + 1, tick), message.note, level))
        elif kind == "program_change":
            programs[message.channel] = message.program
        elif kind == "control_change" and message.control == _VOLUME:
            volumes[message.channel] = message.value
        elif kind == "control_change" and message.control == _EXPRESSION:
            expressions[message.channel] = message.value
        elif message.is_meta:
            _read_meta(song, tick, message, name)
    for (_, _, pitch), pending in open_notes.items():
        _end_endless(song, pitch, pending)
    song.voices = sorted(voices.values(), key=lambda voice: voice.track)
    for voice in song.voices:
        voice.notes.sort(key=lambda note: (note.start, note.pitch))


def _in_order(file: mido.MidiFile) -> list[tuple[int, int, Any]]:
    """Return the messages of all tracks in time order; at one tick, by track."""
    events: list[tuple[int, int, Any]] = []
    for index, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            events.append((tick, index, message))
    return sorted(events, key=lambda event: event[:2])


def _more_begun_than_ended(events: list[tuple[int, int, Any]]) -> set[_Key]:
    """Return the keys that are struck again while they sound, so that one end is of several notes.

    Where each note has its own end, overlapping notes of one pitch end in the order in which they
    began.
    """
    balance: Counter[_Key] = Counter()
    for _, track, message in events:
        if message.type in ("note_on", "note_off"):
            begins = message.type == "note_on" and message.velocity > 0
            balance[track, message.channel, message.note] += 1 if begins else -1
    return {key for key, count in balance.items() if count > 0}


def _name_of(track: Any, kind: int) -> str:  # noqa: ANN401
    """Return the name of a track as far as it can be shown.

    A track that plays drums and other instruments, and the one track of type 0 if it has several
    channels, holds a whole piece, of which its name is the title: it names none of the voices.
    """
    channels = {m.channel for m in track if m.type == "note_on"}
    if len(channels) > 1 and (kind == 0 or DRUM_CHANNEL in channels):
        return ""
    found = next((m.name for m in track if m.type in ("track_name", "instrument_name")), "")
    return " ".join("".join(c if c.isprintable() else " " for c in _decoded(found)).split())[:40]


def _decoded(text: str) -> str:
    """Return a text of mido, which reads Latin-1, as UTF-8 if it is that; the format names none."""
    try:
        return text.encode("latin1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _read_meta(song: Song, tick: int, message: Any, name: str) -> None:  # noqa: ANN401 - of mido, without types
    match message.type:
        case "set_tempo":
            if not message.tempo:
                raise MidiError(f"{name} sets a tempo of 0, which has no beats; export it again")
            song.tempi.append((tick, message.tempo))
        case "time_signature":
            if message.numerator:
                song.meters.append((tick, message.numerator, message.denominator))
        case "key_signature":
            song.keys.append((tick, message.key))
        case "marker":
            song.markers.append((tick, _decoded(message.text).strip()))
        case "text":
            song.texts.append(_decoded(message.text).strip())
        case "end_of_track":
            song.end = max(song.end, tick)
        case _:
            pass


def _end_endless(song: Song, pitch: int, pending: _Pending, tick: int | None = None) -> None:
    """End notes without an end at the next of their pitch, or after a bar of four quarters.

    Args:
        song: counts them.
        pitch: pitch of the notes.
        pending: open notes of this pitch; emptied.
        tick: time of the next note in ticks; None at the end of the file.
    """
    while pending:
        start, level, voice = pending.popleft()
        following = pending[0][0] if pending else tick
        stop = start + 4 * song.ticks_per_quarter
        if following is not None:
            stop = min(stop, following)
        voice.notes.append(RawNote(start, max(start + 1, stop), pitch, level))
        song.endless += 1
