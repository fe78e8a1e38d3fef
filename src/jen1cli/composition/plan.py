"""Plan of a clip, which all writers of parts share, and the performance of their notes."""

from dataclasses import dataclass, replace
from typing import no_type_check

from jen1cli.composition.harmony.theory import PlacedChord, chord_at
from jen1cli.composition.random_stream import RandomStream
from jen1cli.composition.rhythm.meters import Meter, Swing
from jen1cli.composition.score import Note, Section


@no_type_check  # called for every note: run-time type checks would slow the tests
@dataclass(frozen=True)
class Plan:
    """Tempo, meter, key, chords and form of one clip."""

    random: RandomStream
    bpm: float  # quarter notes per minute
    meter: Meter
    bars: int
    phrase: int  # bars of a phrase
    swing: Swing
    tonic: int  # pitch class
    mode: str
    scale: frozenset[int]  # pitch classes of the mode on the tonic
    chords: tuple[PlacedChord, ...]
    sections: tuple[Section, ...]

    @property
    def beats(self) -> float:
        """Length of the clip in quarter notes."""
        return self.bars * self.meter.beats

    def chord(self, beat: float) -> PlacedChord:
        """Return the chord at a beat."""
        return chord_at(self.chords, beat)

    def next_chord(self, beat: float) -> PlacedChord:
        """Return the chord after the one at a beat, cyclically: the first follows the last."""
        index = self.chords.index(self.chord(beat))
        return self.chords[(index + 1) % len(self.chords)]

    def section(self, beat: float) -> Section:
        """Return the section at a beat."""
        for section in self.sections:
            if beat < section.start_beat + section.length_beats - 1e-6:
                return section
        return self.sections[-1]

    def energy(self, beat: float) -> float:
        """Return the energy at a beat, 0 (calm) to 1 (driving)."""
        return self.section(beat).energy

    def seconds(self, seconds: float) -> float:
        """Convert a duration in seconds to beats."""
        return seconds * self.bpm / 60.0

    def accent(self, beat: float) -> float:
        """Return the metric weight of a beat: 1 on the first of the bar, 0 on the weakest step."""
        place = beat % self.meter.beats
        if place < 1e-6:
            return 1.0
        if any(abs(place - stressed) < 1e-6 for stressed in self.meter.accents):
            return 0.75
        if abs(place / self.meter.pulse - round(place / self.meter.pulse)) < 1e-6:
            return 0.55
        return 0.3 if abs(place * 2 - round(place * 2)) < 1e-6 else 0.1


@dataclass(frozen=True)
class Touch:
    """Humanisation of a part: deviations of timing and velocity."""

    timing: float = 0.006  # standard deviation of the onsets in seconds
    velocity: float = 0.05  # standard deviation of the velocity
    push: float = 0.0  # constant delay in seconds; negative plays ahead of the beat
    strum: float = 0.0  # seconds between the notes of a chord


def perform(plan: Plan, notes: list[Note], touch: Touch, random: RandomStream) -> tuple[Note, ...]:
    """Apply swing and humanisation to straight notes, and clip them to the end of the clip."""
    end = plan.beats
    sigma = plan.seconds(touch.timing)
    push = plan.seconds(touch.push)
    played: list[Note] = []
    for note in notes:
        if note.beat > end - 0.02 or note.duration <= 0:
            continue
        straight = note.beat
        start = plan.swing.apply(straight)
        stop = plan.swing.apply(straight + note.duration)
        shift = push + (random.gauss(sigma) if sigma else 0.0)
        shift = max(shift, -start)
        velocity = note.velocity + (random.gauss(touch.velocity) if touch.velocity else 0.0)
        start = min(start + shift, end - 0.02)
        played.append(
            Note(
                beat=round(start, 5),
                duration=round(max(0.03, min(stop + shift, end) - start), 5),
                pitch=note.pitch,
                velocity=round(min(1.0, max(0.08, velocity)), 4),
            )
        )
    played.sort(key=lambda n: (n.beat, n.pitch))
    return tuple(played)


def in_range(notes: tuple[Note, ...], low: int, high: int) -> tuple[Note, ...]:
    """Transpose notes outside an instrument's range into it by octaves."""
    if all(low <= note.pitch <= high for note in notes):
        return notes
    found: list[Note] = []
    for note in notes:
        pitch = note.pitch
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        found.append(replace(note, pitch=pitch))
    return tuple(found)
