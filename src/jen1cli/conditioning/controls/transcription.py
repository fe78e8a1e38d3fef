"""Transcription of the 8-bar loop around a gap: chords, drums and melody.

The tracker gives the probability of each control channel at each frame; tempo and downbeat give the
positions of the bars. `read_loop` reads eight bars step by step. The predictors continue them
(`ControlPredictor.continue_loop`), so that the generated music repeats the loop.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.conditioning.controls.channels import TRANSCRIBED
from jen1cli.conditioning.controls.chord_predictor import SLOTS
from jen1cli.conditioning.controls.part_predictor import (
    BARS,
    FIRST_NOTE,
    HOLDS,
    RESTS,
    note_token,
)
from jen1cli.music.chords import SUFFIXES, TONICS, Chord
from jen1cli.music.controls import SIXTEENTHS, Controls
from jen1cli.music.patterns import DRUMS, HOLD, LOWEST, OCTAVES, REST, STROKE, note_name
from jen1cli.shapes import KeepMask

SOUNDS = 0.5
"""Least probability of a stroke or a note."""
_RANGE = 1e-4  # distance of probabilities from 0 and 1, which bounds the weight of one frame

Probabilities = Float[Tensor, "transcribed_channels frames"]


@dataclass(frozen=True)
class TranscribedLoop:
    """The transcription of `BARS` bars; None at unknown steps."""

    downbeat: float  # start of the loop on the controls' clock, in seconds
    chords: tuple[Chord | None, ...]  # one per half bar; None also where no chord sounds
    drums: tuple[int | None, ...]  # one token per sixteenth (`part_predictor`)
    melody: tuple[int | None, ...]


def read_loop(
    parts: Float[Tensor, "1 transcribed_channels frames"],
    known: KeepMask,
    controls: Controls,
    frame_rate: float,
) -> TranscribedLoop | None:
    """Read the bars before the first gap; missing steps come from repetitions of the loop.

    Args:
        parts: logits of the tracker.
        known: True where there is music; not everywhere.
        controls: with bars; its clock starts at frame 0.
        frame_rate: frames per second.

    Returns:
        the loop; None if no whole bar is known.
    """
    grid = _Grid(controls, known[0, 0].cpu(), frame_rate)
    first = grid.first_bar()
    if first is None:
        return None
    transcribed = parts[0].float().sigmoid().clamp(_RANGE, 1.0 - _RANGE).cpu()
    chords, drums, melody = transcribed.split(list(TRANSCRIBED.values()))
    steps = [bar + i / grid.steps for bar in range(first, first + BARS) for i in range(grid.steps)]
    halves = [first + slot / 2 for slot in range(SLOTS)]
    return TranscribedLoop(
        controls.downbeat + first * controls.bar_seconds,
        tuple(_chord(chords, grid.frames(half, 0.5)) for half in halves),
        tuple(_strokes(drums, grid.stroke(step)) for step in steps),
        _notes(melody, grid, steps, controls),
    )


class _Grid:
    """Maps bars and steps to frames, and checks whether these are known."""

    def __init__(self, controls: Controls, known: Tensor, frame_rate: float) -> None:
        self.known = known
        self.steps = SIXTEENTHS[controls.meter]
        self.origin = controls.downbeat * frame_rate
        self.bar = controls.bar_seconds * frame_rate
        self._turn = BARS * self.bar
        reach = math.ceil((len(known) + abs(self.origin)) / self._turn) + 1
        self._turns = sorted(range(-reach, reach + 1), key=abs)  # the nearest first

    def first_bar(self) -> int | None:
        """Return the first bar of the loop, counted from the controls' downbeat.

        The loop consists of the last known bars before the gap, at most `BARS`. If no whole bar is
        known there, it begins with the first known bar after the gap.
        """
        hole = int(self.known.int().argmin())
        last = math.floor((hole - self.origin) / self.bar)
        first = last
        while last - first < BARS and self._all_known(first - 1):
            first -= 1
        if first < last:
            return first
        end = math.ceil((len(self.known) - self.origin) / self.bar)
        return next((bar for bar in range(last, end) if self._all_known(bar)), None)

    def _all_known(self, bar: int) -> bool:
        return self._span(self.origin + bar * self.bar, self.bar) is not None

    def frames(self, bar: float, length: float) -> slice | None:
        """Return the frames of an interval in bars, at its nearest known repetition."""
        begin = self.origin + bar * self.bar
        spans = (self._span(begin + t * self._turn, length * self.bar) for t in self._turns)
        return next((span for span in spans if span is not None), None)

    def stroke(self, bar: float) -> slice | None:
        """Return the two frames around a time in bars, at its nearest known repetition."""
        begin = self.origin + bar * self.bar - 0.5
        spans = (self._pair(math.floor(begin + t * self._turn)) for t in self._turns)
        return next((span for span in spans if span is not None), None)

    def _span(self, begin: float, length: float) -> slice | None:
        """Return the frames with centres in an interval, at least one; None unless all known."""
        first = math.ceil(begin - 0.5)
        stop = max(first + 1, math.ceil(begin + length - 0.5))
        inside = first >= 0 and stop <= len(self.known)
        return slice(first, stop) if inside and self.known[first:stop].all() else None

    def _pair(self, first: int) -> slice | None:
        """Return the (at most two) frames from `first` on; None unless all are known."""
        span = slice(max(first, 0), min(first + 2, len(self.known)))
        return span if span.start < span.stop and self.known[span].all() else None


def _chord(transcribed: Probabilities, span: slice | None) -> Chord | None:
    """Return the most likely chord of an interval, in root position."""
    if span is None:
        return None
    chords, tones = _templates()
    probability = transcribed[:, span]
    sounding, silent = probability.log().mean(1), (1.0 - probability).log().mean(1)
    return chords[int((tones @ sounding + (1.0 - tones) @ silent).argmax())]


@functools.cache
def _templates() -> tuple[tuple[Chord | None, ...], Float[Tensor, "chords transcribed_channels"]]:
    """Return all chords and silence, with their binary templates in the control channels."""
    size = len(TONICS)
    chords = (None, *(Chord(root, kind, root) for root in range(size) for kind in SUFFIXES))
    tones = torch.zeros(len(chords), 2 * size)
    for row, chord in zip(tones, chords, strict=True):
        if chord is not None:
            row[list(chord.classes)] = 1.0
            row[size + chord.bass] = 1.0
    return chords, tones


def _strokes(transcribed: Probabilities, span: slice | None) -> int | None:
    """Return the drum strokes of a step, as bits."""
    if span is None:
        return None
    struck = transcribed[:, span].sum(1) >= SOUNDS  # a stroke is divided between the two frames
    return sum(1 << number for number in range(len(DRUMS)) if struck[number])


def _notes(
    transcribed: Probabilities, grid: _Grid, steps: list[float], controls: Controls
) -> tuple[int | None, ...]:
    if not controls.key:
        return (None,) * len(steps)
    places = [(grid.frames(step, 1.0 / grid.steps), grid.stroke(step)) for step in steps]
    return tuple(
        found if found is None or found < FIRST_NOTE else note_token(found - FIRST_NOTE, controls)
        for found in _line(transcribed, places)
    )


def _line(
    transcribed: Probabilities, places: Sequence[tuple[slice | None, slice | None]]
) -> list[int | None]:
    """Read a melody step by step: `RESTS`, `HOLDS`, or a semitone above `LOWEST` + `FIRST_NOTE`.

    Args:
        transcribed: probabilities of the melody's channels.
        places: frames of each step, and the frames around its beginning; None where unknown.
    """
    found: list[int | None] = []
    before: int | None = None
    for span, begin in places:
        if span is None or begin is None:
            found.append(None)
            before = None
            continue
        sound = transcribed[:, span].mean(1)
        classes, octaves, _ = sound.split([len(TONICS), OCTAVES, 1])
        if float(classes.max()) < SOUNDS:
            found.append(RESTS)
            before = None
            continue
        note = 12 * int(octaves.argmax()) + int(classes.argmax())
        again = float(transcribed[-1, begin].sum()) >= SOUNDS
        found.append(HOLDS if note == before and not again else FIRST_NOTE + note)
        before = note
    return found


class TranscribedBar(NamedTuple):
    """What sounds in one bar, each with a confidence from 0 to 1."""

    chords: tuple[tuple[Chord | None, float], ...]  # chords of each half
    drums: dict[str, str]  # strokes of each drum that plays, in sixteenths (`music.patterns`)
    drums_confidence: float
    melody: tuple[str, ...]  # notes, holds and rests, in sixteenths
    melody_confidence: float


def read_bars(
    parts: Float[Tensor, "transcribed_channels frames"],
    edges: Sequence[float],
    steps: int,
    frame_rate: float,
) -> list[TranscribedBar]:
    """Read every bar of a recording; bars may differ in length.

    The confidence of drums and melody is the F-measure to be expected if the tracker's
    probabilities are right; that of a chord is its probability among all chords.

    Args:
        parts: logits of the tracker.
        edges: beginning of each bar and end of the last, in seconds.
        steps: sixteenths of a bar.
        frame_rate: frames per second.
    """
    transcribed = parts.float().sigmoid().clamp(_RANGE, 1.0 - _RANGE).cpu()
    return [
        _bar(transcribed, start * frame_rate, stop * frame_rate, steps)
        for start, stop in itertools.pairwise(edges)
    ]


def _bar(transcribed: Probabilities, start: float, stop: float, steps: int) -> TranscribedBar:
    """Read the bar between two places in frames."""
    chords, drums, melody = transcribed.split(list(TRANSCRIBED.values()))
    frames = transcribed.shape[1]
    length = stop - start

    def span(place: float, share: float) -> slice | None:
        first = math.ceil(start + place * length - 0.5)
        last = max(first + 1, math.ceil(start + (place + share) * length - 0.5))
        inside = slice(max(0, first), min(last, frames))
        return inside if inside.start < inside.stop else None

    def begin(place: float) -> slice | None:
        first = math.floor(start + place * length - 0.5)
        inside = slice(max(0, first), min(first + 2, frames))
        return inside if inside.start < inside.stop else None

    places = [(span(i / steps, 1.0 / steps), begin(i / steps)) for i in range(steps)]
    strokes = torch.stack(
        [drums.new_zeros(len(drums)) if at is None else drums[:, at].sum(1) for _, at in places]
    ).clamp(max=1.0)
    struck = strokes >= SOUNDS
    rows = {
        name: "".join(STROKE if one else REST for one in column)
        for name, column in zip(DRUMS, struck.T.tolist(), strict=True)
        if any(column)
    }
    line = [RESTS if found is None else found for found in _line(melody, places)]
    sounding = torch.stack(
        [
            melody.new_zeros(len(TONICS)) if at is None else melody[: len(TONICS), at].mean(1)
            for at, _ in places
        ]
    )
    chosen = sounding.max(dim=1, keepdim=True).values
    sounds = (sounding == chosen) & (sounding >= SOUNDS)
    return TranscribedBar(
        tuple(_likely_chord(chords, span(half, 0.5)) for half in (0.0, 0.5)),
        rows,
        _expected_f(strokes, struck),
        tuple(_SYMBOLS.get(token) or note_name(LOWEST + token - FIRST_NOTE) for token in line),
        _expected_f(sounding, sounds),
    )


_SYMBOLS = {RESTS: REST, HOLDS: HOLD}


def _likely_chord(transcribed: Probabilities, span: slice | None) -> tuple[Chord | None, float]:
    """Return the most likely chord of an interval and its probability."""
    chord = _chord(transcribed, span)
    if span is None:
        return chord, 0.0
    _, tones = _templates()
    probability = transcribed[:, span]
    sounding, silent = probability.log().mean(1), (1.0 - probability).log().mean(1)
    likelihood = tones @ sounding + (1.0 - tones) @ silent
    return chord, float(likelihood.softmax(0).max())


def _expected_f(probability: Tensor, found: Tensor) -> float:
    """Return the expected F-measure of what was found; of nothing, that nothing was missed."""
    expected, count = float(probability.sum()), int(found.sum())
    if not count:
        return max(0.0, 1.0 - expected)
    return 2.0 * float(probability[found].sum()) / (expected + count)
