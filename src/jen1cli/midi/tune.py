"""A MIDI file as controls: tempo, metre, key, chords, drums, melody, and all parts."""

import dataclasses
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from jen1cli.errors import ConfigError
from jen1cli.midi.grid import count_bars, counted, drum_rows, find_grid, melody_pattern
from jen1cli.midi.harmony import estimate_chords, find_key, marked_chords, pitch_classes
from jen1cli.midi.reading import MidiError, RawNote, Song, read_song
from jen1cli.midi.roles import MidiPart, assign, top_line
from jen1cli.music.chords import TONICS, Bar, chart_text, transposed_bars
from jen1cli.music.controls import Controls
from jen1cli.music.full_score import FullScore, ScoreNote, ScorePart, drum_of_key
from jen1cli.music.keys import MINOR_MODES, note_names, semitones_between
from jen1cli.music.patterns import DRUMS, NONE, drums_text, folded
from jen1cli.music.prompt import parse_key

KEEP = ("chords", "melody", "drums", "bass", "comping", "instruments")
"""What can be kept of a score; tempo, metre and bars always are."""
_GROUP_OF = {
    "bass": "bass", "comping": "comping", "melody": "lead", "drums": "drums",
    "instruments": "families",
}  # fmt: skip
_LONGEST_SECONDS = 4 * 3600.0  # beyond which a file is refused as a whole
_SHORTEST_SECONDS = 0.1
_GHOST, _GHOST_SHARE = 0.32, 0.4  # strokes softer than this level and share of the mean are ghosts
_SHOWN = 12  # voices in the report
_KEY_TEXT = re.compile(r"Key: (.{1,40})")


@dataclass(frozen=True)
class Tune:
    """What was read of a MIDI file.

    Attributes:
        controls: begin at time 0; an upbeat is in front of the first full bar.
        seconds: length.
        report: what was understood, a line each, for people.
    """

    controls: Controls
    seconds: float
    report: tuple[str, ...]

    @property
    def bars(self) -> int:
        """Bars, that of its upbeat and a last one that is not full included."""
        return math.ceil(self.controls.bars_at(self.seconds) - 1e-3)

    def controls_under(self, given: Controls, keep: Collection[str] = KEEP) -> Controls:
        """Return given controls over those that are kept.

        Given chords replace bass and comping, a given melody the lead, given drums the drums of the
        full score: these are left open, or silent if "none" is given.

        Raises:
            ConfigError: see `kept`.
        """
        kept = self.kept(keep)
        score = kept.score and without_given(kept.score, given)
        return dataclasses.replace(
            kept,
            key=given.key or kept.key,
            mode=given.mode or kept.mode,
            chords=given.chords or kept.chords,
            drums=given.drums or kept.drums,
            melody=given.melody or kept.melody,
            score=score,
        )

    def kept(self, keep: Collection[str]) -> Controls:
        """Return the controls with some of `KEEP` alone; the rest is left open.

        Raises:
            ConfigError: an unknown name.
        """
        for name in keep:
            if name not in KEEP:
                raise ConfigError(f"unknown part '{name[:40]}' to keep; known: {', '.join(KEEP)}")
        if set(keep) == set(KEEP):
            return self.controls
        written = {
            name: getattr(self.controls, name) if name in keep else ""
            for name in ("chords", "melody", "drums")
        }
        key = {} if {"chords", "melody", "bass", "comping"} & set(keep) else {"key": "", "mode": ""}
        left_open = tuple(group for name, group in _GROUP_OF.items() if name not in keep)
        score = self.controls.score
        if score is not None:
            score = without_roles(score, left_open)
        return dataclasses.replace(self.controls, **written, **key, score=score)


def without_given(score: FullScore, given: Controls) -> FullScore | None:
    """Return a score without the roles that given controls play; None if all are open.

    Chords replace bass and comping, a melody the lead, drums the drums: these are left open, or
    silent if "none" is given.
    """
    found: FullScore | None = score
    for text, roles in (
        (given.chords, ("bass", "comping")), (given.drums, ("drums",)), (given.melody, ("lead",)),
    ):  # fmt: skip
        if text and found is not None:
            found = without_roles(found, roles, silent=text.strip().lower() == NONE)
    return found


def without_roles(
    score: FullScore, left_open: Collection[str], *, silent: bool = False
) -> FullScore | None:
    """Return a score that leaves groups of `OPEN_GROUPS` open, or silent; None if all are open."""
    parts = tuple(part for part in score.parts if part.role not in left_open)
    groups = tuple(dict.fromkeys((*score.left_open, *(() if silent else left_open))))
    if {"bass", "comping", "lead", "drums"} <= set(groups):
        return None
    return dataclasses.replace(score, parts=parts, left_open=groups)


def read_midi(
    source: str | Path | bytes,
    *,
    name: str = "",
    melody_track: str = "",
    bpm: float = 0.0,
    key: tuple[str, str] = ("", ""),
) -> Tune:
    """Read a MIDI file of type 0 or 1.

    Args:
        source: file, or its bytes.
        name: for messages; by default that of the file.
        melody_track: number of a voice as the report counts them, a part of its name, or "none";
            "": the likeliest voice.
        bpm: another tempo, in beats per minute; 0: that of the file.
        key: another key, to which the music is transposed; empty: that of the file.

    Raises:
        MidiError: it cannot be read, has no notes, or is too short or too long.
        ConfigError: there is no such voice, or the key has another mode.
    """
    if not isinstance(source, bytes):
        source = Path(source)
        name = name or str(source)
    song = read_song(source, name or "the MIDI file")
    return _Reader(song, Path(name).name or "the MIDI file", bpm).read(melody_track, key)


class _Reader:
    """Reads one song."""

    def __init__(self, song: Song, name: str, bpm: float) -> None:
        self.song, self.name = song, name
        self.grid, self.said = find_grid(song, bpm, name)
        last = max(note.stop for voice in song.voices for note in voice.notes)
        bar = self.grid.bar_ticks
        bar_end = self.grid.bar_tick - (self.grid.bar_tick - last) // bar * bar
        self.stop = min(max(last, song.end), max(last, bar_end))
        self.seconds = round(self.grid.seconds(self.stop), 3)
        if self.seconds > _LONGEST_SECONDS:
            raise MidiError(
                f"{name} is {self.seconds / 3600:,.1f} hours long; give a shorter piece"
            )
        if self.seconds < _SHORTEST_SECONDS:
            raise MidiError(
                f"{name} is {self.seconds:g} s long; give {_SHORTEST_SECONDS:g} s or more"
            )
        self.bars = count_bars(self.grid, self.stop)

    def read(self, melody_track: str, wanted_key: tuple[str, str]) -> Tune:
        parts = assign(self.song.voices, melody_track)
        report = self._named(parts)
        tonic, mode, origin = self._key(parts)
        moved = self._transpose(parts, (tonic, mode), wanted_key)
        key = TONICS[(TONICS.index(tonic) + moved) % 12] if tonic else ""
        melody = self._melody(parts)
        parts = _divided(parts)
        chords = self._chords(parts, key, mode, moved)
        grid = self.grid
        score_parts = [part for part in map(self._score_part, _melody_first(parts)) if part.notes]
        controls = Controls(
            bpm=grid.bpm,
            meter=grid.meter,
            downbeat=round(grid.downbeat, 6),
            key=key,
            mode=mode,
            chords=chart_text(chords) if chords else "",
            drums=self._drums(parts),
            melody=melody,
            score=FullScore(tuple(score_parts), self.seconds),
        )
        if self.song.endless:
            self.said.append(
                f"{counted(self.song.endless, 'note')} without an end, held for a bar at most"
            )
        source = f" ({origin})" if key else ""
        head = f"{dataclasses.replace(controls, chords='').describe()}{source}"
        bars = f"{counted(self.bars, 'bar')}, {self.seconds:.1f} s"
        lines = [f"{self.name}: {head}, {bars}", f"{self.name}: {report}"]
        lines += [f"{self.name}: {line}" for line in self.said]
        return Tune(controls, self.seconds, tuple(lines))

    def _named(self, parts: Sequence[MidiPart]) -> str:
        """Return which voice is what, before voices are divided."""
        found = [part.described(number) for number, part in enumerate(parts[:_SHOWN], 1)]
        if len(parts) > _SHOWN:
            found.append(f"and {len(parts) - _SHOWN} more")
        return "; ".join(found)

    def _key(self, parts: Sequence[MidiPart]) -> tuple[str, str, str]:
        for text in self.song.texts:
            if match := _KEY_TEXT.fullmatch(text):
                try:
                    return (*parse_key(match[1]), "the file")
                except ConfigError:
                    continue
        signature = self.song.keys[0][1] if self.song.keys else ""
        if len({key for _, key in self.song.keys}) > 1:
            signature = ""  # it modulates
        return find_key(pitch_classes(parts), signature)

    def _transpose(
        self, parts: Sequence[MidiPart], own: tuple[str, str], wanted: tuple[str, str]
    ) -> int:
        """Move all pitched voices to another key, and return by how many semitones."""
        if not wanted[0] or not own[0]:
            return 0
        if (wanted[1] in MINOR_MODES) != (own[1] in MINOR_MODES):
            raise ConfigError(
                f"{self.name} is in {note_names(*own)[TONICS.index(own[0])]} {own[1]}, which cannot"
                f" be moved to a key of another mode; give a {own[1]} key"
            )
        semitones = semitones_between(own[0], wanted[0])
        for part in parts:
            if part.role not in ("drums", "effects"):
                part.voice.notes = [
                    dataclasses.replace(note, pitch=folded(note.pitch + semitones, 0, 127))
                    for note in part.notes
                ]
        return semitones

    def _chords(
        self, parts: Sequence[MidiPart], key: str, mode: str, moved: int
    ) -> tuple[Bar, ...]:
        marked = marked_chords(self.grid, self.song.markers, self.bars)
        if marked:
            return transposed_bars(marked, moved)
        chords = estimate_chords(self.grid, parts, self.bars, key, mode)
        if not chords:
            is_pitched = any(part.role in ("bass", "comping", "lead") for part in parts)
            seen = "a single line" if is_pitched else "no pitched notes"
            self.said.append(f"{seen}, from which no chords are read: they are left open")
        return chords

    def _melody(self, parts: Sequence[MidiPart]) -> str:
        part = next((part for part in parts if part.is_melody), None)
        if part is None:
            return NONE
        text, moved = melody_pattern(self.grid, top_line(part.notes), self.bars)
        if moved:
            self.said.append(
                f"{counted(moved, 'note')} of the melody out of range, moved by octaves"
            )
        return text

    def _drums(self, parts: Sequence[MidiPart]) -> str:
        strokes: dict[str, list[RawNote]] = {drum: [] for drum in DRUMS}
        for part in parts:
            if part.role == "drums":
                mean = sum(note.level for note in part.notes) / len(part.notes)
                softest = min(_GHOST, _GHOST_SHARE * mean)
                for note in part.notes:
                    if note.level >= softest:
                        strokes[drum_of_key(note.pitch, part.family)].append(note)
        return drums_text(drum_rows(self.grid, strokes, self.bars))

    def _score_part(self, part: MidiPart) -> ScorePart:
        """Return the notes of a part in seconds."""
        notes: list[ScoreNote] = []
        for note in part.notes:
            onset = round(max(0.0, self.grid.seconds(note.start)), 3)
            stop = min(self.seconds, self.grid.seconds(note.stop))
            duration = max(0.001, round(stop - onset, 3))
            notes.append((onset, duration, note.pitch, round(note.level, 3)))
        return ScorePart(part.role, part.family, tuple(notes))


def _melody_first(parts: Sequence[MidiPart]) -> list[MidiPart]:
    """Put the melody before other leads: the first lead of a score that we write is the melody."""
    melody = next((part for part in parts if part.is_melody), None)
    if melody is None:
        return list(parts)
    first = next(place for place, part in enumerate(parts) if part.role == "lead")
    others = [part for part in parts if part is not melody]
    return [*others[:first], melody, *others[first:]]


def _divided(parts: Sequence[MidiPart]) -> list[MidiPart]:
    """Divide a melody that plays chords into its highest line and the rest."""
    found: list[MidiPart] = []
    for part in parts:
        if not part.is_divided:
            found.append(part)
            continue
        top = top_line(part.notes)
        inside = set(map(id, top))
        rest = [note for note in part.notes if id(note) not in inside]
        for notes, role in ((top, "lead"), (rest, "comping")):
            voice = dataclasses.replace(part.voice, notes=notes)
            found.append(MidiPart(voice, part.family, role, is_melody=role == "lead"))
    return found
