"""Planning of the windows that fill the unknown intervals of a recording, with their context.

The canvas is the latent of the whole recording, with unknown intervals. The network processes one
window at a time. An interval that fits gets one window, with known music on both sides:

    canvas   | known . . . . [ unknown ] . . . . known |
    window          |- - - - -#########- - - - -|                 bidirectional

A longer interval gets several windows; each is conditioned on the end of the previous one:

    canvas   | known [ unknown                        ] known |
    window 1      |- -#########|                                  continuation
    window 2              |- - -#########|                        continuation
    window 3                       |- - -##############- -|       bidirectional, to meet the end

Music in front of a recording is made from right to left (`_leftwards`):

    canvas   [ unknown              ] known |
    window 2 |##########- - -|                                    bidirectional
    window 1           |############- - - - |                     bidirectional

The direction of a continuation is that of the model (`GenerationConfig.continuation`) or of
`--direction`; the paper's is unidirectional. Windows meet in the latent, which is decoded as one:
there is no cross-fade between them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from jen1cli import tasks
from jen1cli.config import GenerationConfig

Span = tuple[int, int]  # frames [start, stop)
_Place = tuple[int, int, tuple[Span, ...]]  # start, stop and unknown intervals of a window


@dataclass(frozen=True)
class Window:
    """One sampling of the frames [start, stop) of the canvas; generates `unknown`."""

    start: int
    stop: int
    unknown: tuple[Span, ...]  # frames of the canvas
    conditioning: tasks.Conditioning = field(compare=False)  # keep mask [1, 1, frames]

    @property
    def frames(self) -> int:
        """Length of the window."""
        return self.stop - self.start

    def shifted(self, frames: int) -> "Window":
        """Return the window on a canvas that begins `frames` frames earlier."""
        unknown = _shifted(self.unknown, frames)
        return Window(self.start + frames, self.stop + frames, unknown, self.conditioning)


@dataclass(frozen=True)
class PiecePlan:
    """Length and windows of a new piece."""

    samples: int
    frames: int
    windows: list[Window]
    cuts: list[int]  # samples at which windows meet


def plan_piece(
    samples: int, hop_length: int, sample_rate: int, generation: GenerationConfig, *, causal: bool
) -> PiecePlan:
    """Plan a piece of some samples.

    Args:
        samples: length.
        hop_length: samples in a frame.
        sample_rate: Hz.
        generation: window of the model, context and direction of continuation.
        causal: whether all windows are unidirectional.
    """
    frame_rate = sample_rate / hop_length
    frames = -(-samples // hop_length)
    windows = plan_windows(
        frames,
        [(0, frames)],
        window=max(1, round(generation.window_seconds * frame_rate)),
        context=max(1, round(generation.context_seconds * frame_rate)),
        causal=causal,
        causal_continuation=causal or generation.continuation == "unidirectional",
    )
    cuts = [window.unknown[0][0] * hop_length for window in windows[1:]]
    return PiecePlan(samples, frames, windows, cuts)


def plan_windows(
    frames: int,
    unknown: Sequence[Span],
    *,
    window: int,
    context: int,
    causal: bool = False,
    causal_continuation: bool = True,
) -> list[Window]:
    """Cover all unknown intervals by windows.

    Args:
        frames: length of the canvas.
        unknown: intervals to generate, disjoint and increasing.
        window: most frames in one sampling.
        context: known frames in front of each window of a continuation, and at both ends of an
            interval that is longer than a window.
        causal: whether a window without known frames is unidirectional.
        causal_continuation: whether a window that continues known music is unidirectional.
    """
    context = max(0, min(context, window // 2))
    margin = min(context, window // 4)
    plan: list[_Place] = []
    groups = _grouped(unknown, window - 2 * margin)
    for index, group in enumerate(groups):
        right_limit = groups[index + 1][0][0] if index + 1 < len(groups) else frames
        start, stop = group[0][0], group[-1][1]
        known_right = right_limit - stop
        if len(group) > 1 or _fits(start, stop, known_right, window, context, margin):
            plan.append(_single(group, known_right, window))
        elif start == 0 and known_right > 0:
            plan += _leftwards(stop, known_right, window, context)
        else:
            plan += _rightwards(start, stop, known_right, window, context, margin)
    return [
        Window(
            start,
            stop,
            spans,
            tasks.from_spans(
                stop - start,
                _shifted(spans, -start),
                causal=causal,
                causal_continuation=causal_continuation,
            ),
        )
        for start, stop, spans in plan
    ]


def _shifted(spans: Sequence[Span], frames: int) -> tuple[Span, ...]:
    return tuple((start + frames, stop + frames) for start, stop in spans)


def _grouped(unknown: Sequence[Span], reach: int) -> list[list[Span]]:
    """Group intervals that fit into one window."""
    groups: list[list[Span]] = []
    for span in unknown:
        if groups and span[1] - groups[-1][0][0] <= reach:
            groups[-1].append(span)
        else:
            groups.append([span])
    return groups


def _fits(start: int, stop: int, known_right: int, window: int, context: int, margin: int) -> bool:
    if start == 0 and known_right == 0:
        return stop <= window
    if start == 0 or known_right == 0:
        return stop - start + min(context, start + known_right) <= window
    return stop - start + min(margin, start) + min(margin, known_right) <= window


def _single(group: list[Span], known_right: int, window: int) -> _Place:
    start, stop = group[0][0], group[-1][1]
    room = window - (stop - start)
    if known_right == 0 and len(group) == 1:  # continuation, or no known frames
        return start - min(start, room), stop, tuple(group)
    left = min(start, max(room // 2, room - known_right))
    right = min(known_right, room - left)
    return start - left, stop + right, tuple(group)


def _rightwards(
    start: int, stop: int, known_right: int, window: int, context: int, margin: int
) -> list[_Place]:
    plan: list[_Place] = []
    if start == 0:  # without known frames the first window has no context
        plan.append((0, window, ((0, window),)))
        start = window
    right = min(margin, known_right)
    for begin, end in _pieces(start, stop, window - context - right):
        last = end == stop and right > 0
        room = window - (end - begin) - context
        until = end + min(known_right, room) if last else end
        plan.append((begin - min(context, begin), until, ((begin, end),)))
    return plan


def _leftwards(stop: int, known_right: int, window: int, context: int) -> list[_Place]:
    pieces = _pieces(0, stop, window - context)
    last = stop + known_right
    return [(begin, min(last, end + context), ((begin, end),)) for begin, end in reversed(pieces)]


def _pieces(start: int, stop: int, longest: int) -> list[Span]:
    """Divide an interval into the fewest pieces, with equal lengths up to rounding."""
    count = -(-(stop - start) // longest)
    cuts = [start + (stop - start) * i // count for i in range(count + 1)]
    return list(itertools.pairwise(cuts))
