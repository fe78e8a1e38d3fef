"""Copies of stretches of a recording, joined and matched in level to the music around them."""

import numpy as np
from jaxtyping import Float32

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.pipeline.edits.repetition.search import Repeat
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.gain_matching import add_offset, offsets_around
from jen1cli.pipeline.windows import Span

_FADE_SECONDS = 0.03  # at the joins of two pieces
_LEVEL_SECONDS = 1.5  # seconds of music on each side over which levels are compared
_MOST = 6.0  # dB
_SILENT = 1e-9  # mean square

Gains = Float32[np.ndarray, " samples"]
"""Gains in dB."""


def splice(timeline: Timeline, span: Span, repeat: Repeat, start: int) -> Signal:
    """Return the samples [channels, samples] that fill an unknown interval.

    Args:
        timeline: the recording.
        span: the interval, in file samples.
        repeat: what fills it.
        start: file sample at which the analysed part begins.
    """
    half = round(_FADE_SECONDS * timeline.rate) // 2
    result = np.zeros((timeline.info.channels, span[1] - span[0]), np.float32)
    for index, piece in enumerate(repeat.pieces):
        first = start + round(piece.start * timeline.rate)
        last = start + round(piece.stop * timeline.rate)
        first = span[0] if index == 0 else first
        last = span[1] if index + 1 == len(repeat.pieces) else last
        lag = round(piece.start * timeline.rate) - round(piece.source * timeline.rate)
        before = min(half, first - span[0]) if index else 0
        after = min(half, span[1] - last)
        copied = timeline.read(first - before - lag, last + after - lag)
        at = first - before - span[0]
        fade = 2 * before
        if fade:
            result[:, at : at + fade] = audio.crossfade(result[:, at : at + fade], copied[:, :fade])
        result[:, at + fade : at + copied.shape[1]] = copied[:, fade:]
    sides = timeline.known_around(span, _LEVEL_SECONDS)
    offsets = offsets_around(sides, timeline.rate)
    if offsets is not None:
        result -= (offsets[0] + offsets[1])[:, None] / 2  # sound alone has a level
    curve = _gains(timeline, sides, span, repeat, start)
    result *= 10 ** (_without_swell(curve, result, sides) / 20)
    if offsets is not None:
        add_offset(result, offsets)
    return result


def _gains(
    timeline: Timeline, sides: tuple[Signal, Signal], span: Span, repeat: Repeat, start: int
) -> Gains:
    """Return the gain of each sample, which moves from what the left side needs to the right's."""
    left, right = sides
    first, last = repeat.pieces[0], repeat.pieces[-1]
    rate = timeline.rate
    at = start + round(first.source * rate)
    end = start + round((last.source + last.stop - last.start) * rate)
    copies = (
        timeline.read(at - left.shape[1], at),
        timeline.read(end, end + right.shape[1]),
    )
    found = [
        _difference(known, copied) for known, copied in zip((left, right), copies, strict=True)
    ]
    ends = [gain for gain in found if gain is not None] or [0.0]
    return np.linspace(ends[0], ends[-1], span[1] - span[0], dtype=np.float32)


def _without_swell(curve: Gains, copied: Signal, sides: tuple[Signal, Signal]) -> Gains:
    """Return the gains without what lifts a copy above the music on both sides of it.

    The ends say nothing about the middle: a loud stretch between two soft ones needs no gain.
    """
    loudest = max(_energy(side) for side in sides)
    made = _energy(copied * 10 ** (curve / 20))
    if loudest < _SILENT or made <= loudest:
        return curve
    excess = np.float32(10 * np.log10(made / loudest))
    return np.minimum(curve, np.maximum(curve - excess, 0.0))


def _difference(known: Signal, copied: Signal) -> float | None:
    """Return the gain in dB that the copy needs; None without music."""
    energies = _energy(known), _energy(copied)
    if min(energies) < _SILENT:
        return None
    return float(np.clip(10 * np.log10(energies[0] / energies[1]), -_MOST, _MOST))


def _energy(signal: Signal) -> float:
    return float(signal.var(axis=1).mean()) if signal.size else 0.0
