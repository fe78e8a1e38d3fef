"""The loop that music around a hole goes round in: chords, drums and melody, read bar by bar.

The tracker says frame by frame which of the guide's channels sound; tempo and bar say where the
bars are. What is heard of eight bars is written down here step by step, and the priors go on from
there (`GuidePrior.go_on`): a continuation then plays on what was played, it does not start anew.
"""

import functools
import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.chords import SUFFIXES, TONICS, Chord
from jen1cli.conditioning.chord_prior import SLOTS
from jen1cli.conditioning.guiding import HEARD
from jen1cli.conditioning.part_prior import BARS, HOLDS, RESTS, note_token
from jen1cli.guide import SIXTEENTHS, Guide
from jen1cli.parts import DRUMS, OCTAVES
from jen1cli.shapes import KeepMask

SOUNDS = 0.5
"""Least probability of a stroke or a note."""
_RANGE = 1e-4  # probabilities are kept so far from 0 and 1, so that one frame decides nothing

Probabilities = Float[Tensor, "heard_channels frames"]


@dataclass(frozen=True)
class HeardLoop:
    """What is heard of `BARS` bars; None at steps of which nothing is known."""

    downbeat: float  # seconds on the guide's clock at which the loop begins
    chords: tuple[Chord | None, ...]  # of half bars; None as well where no chord sounds
    drums: tuple[int | None, ...]  # tokens of sixteenths (`part_prior`)
    melody: tuple[int | None, ...]


def read_loop(
    parts: Float[Tensor, "1 heard_channels frames"],
    known: KeepMask,
    guide: Guide,
    frame_rate: float,
) -> HeardLoop | None:
    """Read the bars before the first hole, and those behind it where the loop comes round there.

    Args:
        parts: logits of the tracker.
        known: True where there is music; not everywhere.
        guide: with bars; its clock starts at frame 0.
        frame_rate: frames per second.

    Returns:
        the loop; None where not even one bar is known.
    """
    grid = _Grid(guide, known[0, 0].cpu(), frame_rate)
    first = grid.first_bar()
    if first is None:
        return None
    heard = parts[0].float().sigmoid().clamp(_RANGE, 1.0 - _RANGE).cpu()
    chords, drums, melody = heard.split(list(HEARD.values()))
    steps = [bar + i / grid.steps for bar in range(first, first + BARS) for i in range(grid.steps)]
    halves = [first + slot / 2 for slot in range(SLOTS)]
    return HeardLoop(
        guide.downbeat + first * guide.bar_seconds,
        tuple(_chord(chords, grid.frames(half, 0.5)) for half in halves),
        tuple(_strokes(drums, grid.stroke(step)) for step in steps),
        _notes(melody, grid, steps, guide),
    )


class _Grid:
    """Where bars and steps lie among the frames, and which of them are known."""

    def __init__(self, guide: Guide, known: Tensor, frame_rate: float) -> None:
        self.known = known
        self.steps = SIXTEENTHS[guide.meter]
        self.origin = guide.downbeat * frame_rate
        self.bar = guide.bar_seconds * frame_rate
        self._turn = BARS * self.bar
        reach = math.ceil((len(known) + abs(self.origin)) / self._turn) + 1
        self._turns = sorted(range(-reach, reach + 1), key=abs)  # the nearest first

    def first_bar(self) -> int | None:
        """Return the bar that the loop begins with, counted from the guide's downbeat.

        The loop ends with the last bar before the hole, as far as there are as many; it begins
        behind the hole where no whole bar is known before it.
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
        """Return the frames of a stretch in bars, wherever the loop plays it in known music."""
        begin = self.origin + bar * self.bar
        spans = (self._span(begin + t * self._turn, length * self.bar) for t in self._turns)
        return next((span for span in spans if span is not None), None)

    def stroke(self, bar: float) -> slice | None:
        """Return the two frames around a moment, likewise."""
        begin = self.origin + bar * self.bar - 0.5
        spans = (self._pair(math.floor(begin + t * self._turn)) for t in self._turns)
        return next((span for span in spans if span is not None), None)

    def _span(self, begin: float, length: float) -> slice | None:
        """Return the frames whose middles lie in a stretch, at least one, if they all are known."""
        first = math.ceil(begin - 0.5)
        stop = max(first + 1, math.ceil(begin + length - 0.5))
        inside = first >= 0 and stop <= len(self.known)
        return slice(first, stop) if inside and self.known[first:stop].all() else None

    def _pair(self, first: int) -> slice | None:
        """Return two frames, at the ends of the music the one that there is, if they are known."""
        span = slice(max(first, 0), min(first + 2, len(self.known)))
        return span if span.start < span.stop and self.known[span].all() else None


def _chord(heard: Probabilities, span: slice | None) -> Chord | None:
    """Return the likeliest chord of a stretch, with its root in the bass."""
    if span is None:
        return None
    chords, tones = _templates()
    probability = heard[:, span]
    sounding, silent = probability.log().mean(1), (1.0 - probability).log().mean(1)
    return chords[int((tones @ sounding + (1.0 - tones) @ silent).argmax())]


@functools.cache
def _templates() -> tuple[tuple[Chord | None, ...], Float[Tensor, "chords heard_channels"]]:
    """Return all chords and silence, and what each sounds like in the guide's channels."""
    size = len(TONICS)
    chords = (None, *(Chord(root, kind, root) for root in range(size) for kind in SUFFIXES))
    tones = torch.zeros(len(chords), 2 * size)
    for row, chord in zip(tones, chords, strict=True):
        if chord is not None:
            row[list(chord.classes)] = 1.0
            row[size + chord.bass] = 1.0
    return chords, tones


def _strokes(heard: Probabilities, span: slice | None) -> int | None:
    """Return the drums that are struck at a step, as bits."""
    if span is None:
        return None
    struck = heard[:, span].sum(1) >= SOUNDS  # a stroke is shared among both frames
    return sum(1 << number for number in range(len(DRUMS)) if struck[number])


def _notes(
    heard: Probabilities, grid: _Grid, steps: list[float], guide: Guide
) -> tuple[int | None, ...]:
    found: list[int | None] = []
    before: int | None = None
    for step in steps:
        span, begin = grid.frames(step, 1.0 / grid.steps), grid.stroke(step)
        if span is None or begin is None or not guide.key:
            found.append(None)
            before = None
            continue
        sound = heard[:, span].mean(1)
        classes, octaves, _ = sound.split([len(TONICS), OCTAVES, 1])
        if float(classes.max()) < SOUNDS:
            found.append(RESTS)
            before = None
            continue
        note = 12 * int(octaves.argmax()) + int(classes.argmax())
        again = float(heard[-1, begin].sum()) >= SOUNDS
        found.append(HOLDS if note == before and not again else note_token(note, guide))
        before = note
    return tuple(found)
