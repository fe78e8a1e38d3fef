"""Intervals of a piece with the controls that were played in them, as notes."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from jen1cli.music.chords import Chord
from jen1cli.music.controls import Controls
from jen1cli.music.full_score import ScoreNote, ScorePart
from jen1cli.music.patterns import NONE, parse_drums, parse_melody

DRUM_KEYS = (36, 38, 42, 51, 63)
"""General MIDI key that stands for each class of `music.patterns.DRUMS`."""

_LEVEL = 0.7
_CHORD_LOWEST = 48  # MIDI number of the lowest root


@dataclass(frozen=True)
class Passage:
    """An interval of a piece and the controls that were played in it."""

    controls: Controls  # on the clock of the piece
    start: float  # seconds
    stop: float

    @property
    def timed(self) -> Controls:
        """The controls, in 4/4 if only the tempo is known."""
        if self.controls.bpm and not self.controls.meter:
            return dataclasses.replace(self.controls, meter="4/4")
        return self.controls

    def shifted(self, seconds: float) -> "Passage":
        """Return the passage on a clock whose origin is `seconds` earlier."""
        controls = self.controls.shifted(seconds)
        return Passage(controls, self.start + seconds, self.stop + seconds)

    def parts(self) -> list[ScorePart]:
        """Return the parts that are known, with times on the clock of the piece.

        Chords, drums and melody stand for roles that the full score leaves open; and for all roles
        after its end, where the network plays them on.
        """
        score = self.controls.score
        found: list[ScorePart] = []
        if score is not None:
            for part in score.parts:
                if part.role == "effects" and part.family != "effects":
                    continue  # a family that plays, without its notes
                notes = ((score.start + onset, *rest) for onset, *rest in part.notes)
                found.append(ScorePart(part.role, part.family, self._cut(notes)))
        controls = self.timed
        if controls.has_bars:
            for name, role, family, write in (
                ("chords", "comping", "piano", Passage._chord_notes),
                ("drums", "drums", "drums", Passage._strokes),
                ("melody", "lead", "piano", Passage._melody),
            ):
                rest = self._open(role)
                if rest is not None and getattr(controls, name) not in ("", NONE):
                    found.append(ScorePart(role, family, rest._cut(write(rest))))
        return [part for part in found if part.notes]

    def _open(self, role: str) -> "Passage | None":
        """Return the interval in which no full score plays a role; None if there is none."""
        score = self.controls.score
        if score is None or role in score.left_open:
            return self
        end = max(self.start, score.start + score.seconds)
        beat = 60.0 / self.controls.bpm
        # the end of a score that is as long as the music may be a rounding away from its end
        return None if self.stop - end < beat / 4 else dataclasses.replace(self, start=end)

    def chords(self) -> Iterator[tuple[float, float, Chord | None]]:
        """Yield the chords of the chart: start, stop, chord; equal neighbours are one."""
        controls = self.timed
        bars = controls.bars
        if not bars:
            return
        length = controls.bar_seconds
        last: tuple[float, float, Chord | None] | None = None
        index = max(0, int(controls.bars_at(self.start)))
        while (begin := controls.downbeat + index * length) < self.stop:
            bar = bars[index % len(bars)]
            for place, chord in enumerate(bar):
                start = begin + place * length / len(bar)
                stop = begin + (place + 1) * length / len(bar)
                if stop <= self.start or start >= self.stop:
                    continue
                if last is not None and last[2] == chord:
                    last = (last[0], stop, chord)
                    continue
                if last is not None:
                    yield last
                last = (start, stop, chord)
            index += 1
        if last is not None:
            yield last

    def _cut(self, notes: Iterator[tuple[float, ...]]) -> tuple[ScoreNote, ...]:
        """Return the notes that begin in the interval, cut at its end, in order."""
        kept = [
            (onset, min(duration, self.stop - onset), int(pitch), level)
            for onset, duration, pitch, level in notes
            if self.start - 1e-6 <= onset < self.stop - 1e-6
        ]
        return tuple(sorted(kept))

    def _chord_notes(self) -> Iterator[tuple[float, ...]]:
        for start, stop, chord in self.chords():
            if chord is None:
                continue
            begin = max(start, self.start)
            pitch = _CHORD_LOWEST + chord.root
            for tone in chord.classes:
                pitch += (tone - pitch) % 12
                yield begin, stop - begin, pitch, _LEVEL

    def _strokes(self) -> Iterator[tuple[float, ...]]:
        controls = self.timed
        for row in parse_drums(controls.drums):
            for sound in controls.sounding(row, self.start, self.stop):
                yield sound.start, sound.stop - sound.start, DRUM_KEYS[sound.number], _LEVEL

    def _melody(self) -> Iterator[tuple[float, ...]]:
        controls = self.timed
        pattern = parse_melody(controls.melody)
        for sound in controls.sounding(pattern, self.start, self.stop):
            yield sound.start, sound.stop - sound.start, sound.number, _LEVEL
