"""Loudness and DC offset of new music: matched to its surroundings, steady, never clipping."""

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32

from jen1cli.audio import LoudnessMeter, Signal, loudness, true_peak
from jen1cli.audio.limiting import REACH, limited
from jen1cli.audio.loudness import SILENCE

Offset = Float32[np.ndarray, " channels"]

CEILING = 10 ** (-1 / 20)  # true peak of -1 dBFS
LOUDEST = -14.0  # LUFS, as the corpus and as streaming services play music
TOLERANCE = 1.5  # LU that new music may differ from its surroundings: music is not all alike
_QUIET = -55.0  # LUFS; below, a level says nothing about the music
_MOST_UP, _MOST_DOWN = 6.0, 40.0  # dB; turning up brings noise forward, turning down is safe
_RAMP_SECONDS = 1.0
_OFFSET_SECONDS = 1.0  # of music whose mean is its DC offset
_LEAST_OFFSET = 4e-3  # amplitude; below, a step is not heard, and music has a mean by itself
_SILENT = 10 ** (-80 / 20)  # peak, about its offset, of a channel that is at most dither
_BLOCK = 1 << 20


def matching_gain(level: float, target: float, tolerance: float = TOLERANCE) -> float:
    """Return the gain in dB that brings a level within a tolerance of its target, in LUFS."""
    if level < _QUIET or target < _QUIET:
        return 0.0
    difference = target - level
    gain = np.sign(difference) * max(0.0, abs(difference) - tolerance)
    return float(np.clip(gain, -_MOST_DOWN, _MOST_UP))


def level_segments(
    signal: Signal, sample_rate: int, cuts: Sequence[int], target: float | None
) -> None:
    """Bring the segments between the cuts near one loudness, in place, by slow ramps.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        sample_rate: Hz.
        cuts: samples where one window's music meets the next one's, rising.
        target: loudness in LUFS; None takes that of the first segment.
    """
    edges = [0, *cuts, signal.shape[1]]
    spans = list(itertools.pairwise(edges))
    levels = [measured(signal[:, start:stop], sample_rate) for start, stop in spans]
    wanted = levels[0] if target is None else target
    gains = [10 ** (matching_gain(level, wanted) / 20) for level in levels]
    if max(abs(gain - 1) for gain in gains) < 1e-6:
        return
    shortest = min(stop - start for start, stop in spans)
    half = min(round(_RAMP_SECONDS * sample_rate), shortest) / 2
    points = [0.0, *(x for cut in cuts for x in (cut - half, cut + half)), float(signal.shape[1])]
    values = [gain for gain in gains for _ in range(2)]
    for at in range(0, signal.shape[1], _BLOCK):
        stop = min(at + _BLOCK, signal.shape[1])
        curve = np.interp(np.arange(at, stop), points, values).astype(np.float32)
        signal[:, at:stop] *= curve


def cap_loudness(signal: Signal, sample_rate: int) -> None:
    """Turn down, in place, what guidance made louder than music usually is."""
    level = measured(signal, sample_rate)
    if level > LOUDEST:
        _scale(signal, 10 ** ((LOUDEST - level) / 20))


def limit(signal: Signal, sample_rate: int, ceiling: float = CEILING) -> None:
    """Hold the true peak under a ceiling, in place, turning down mostly where it is needed.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        sample_rate: Hz.
        ceiling: amplitude.
    """
    samples = signal.shape[1]
    before = signal[:, :0]  # what stood there before it was limited
    for at in range(0, samples, _BLOCK):
        stop = min(at + _BLOCK, samples)
        after = np.array(signal[:, at : stop + REACH])
        piece = limited(np.concatenate([before, after], axis=1), ceiling)
        left = before.shape[1]
        before = after[:, max(0, stop - at - REACH) : stop - at]
        signal[:, at:stop] = piece[:, left : left + stop - at]
    peak = true_peak(signal, sample_rate)  # by longer filters than the limiter's
    if peak > ceiling:
        _scale(signal, ceiling / peak)


def _scale(signal: Signal, factor: float) -> None:
    for at in range(0, signal.shape[1], _BLOCK):
        signal[:, at : at + _BLOCK] *= np.float32(factor)


def measured(signal: Signal, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS; silence for nothing at all."""
    return loudness(signal, sample_rate) if signal.shape[1] else SILENCE


def measured_together(signals: Sequence[Signal], sample_rate: int) -> float:
    """Return the integrated loudness of several stretches as one."""
    meter = LoudnessMeter(sample_rate)
    for signal in signals:
        meter.feed(signal)
    return meter.result()


def silent_channels(signals: Sequence[Signal]) -> Bool[np.ndarray, " channels"]:
    """Return which channels are silent in all stretches; none where nothing else sounds.

    Args:
        signals: stretches of [channels, samples].
    """
    heard = [signal for signal in signals if signal.shape[1]]
    if not heard:
        return np.zeros(len(signals[0]), bool)
    peaks = [np.abs(part - part.mean(axis=1, keepdims=True)).max(axis=1) for part in heard]
    silent = np.max(peaks, axis=0) < _SILENT
    return silent & (not silent.all())


def offset(signal: Signal) -> Offset:
    """Return the DC offset of each channel: the mean, weighted so that bass has no part in it."""
    weights = np.hanning(signal.shape[1] + 2)[1:-1]
    return (signal @ (weights / weights.sum())).astype(np.float32)


def offsets_around(known: tuple[Signal, Signal], sample_rate: int) -> tuple[Offset, Offset] | None:
    """Return the DC offsets [channels] at both sides of a stretch; None where there are none.

    Args:
        known: the recording on its left and on its right, [channels, samples]. A side without
            samples takes the offset of the other.
        sample_rate: Hz.
    """
    samples = round(_OFFSET_SECONDS * sample_rate)
    near = (known[0][:, -samples:], known[1][:, :samples])
    found = [offset(part) for part in near if part.shape[1] >= samples // 10]
    if not found or np.abs(found).max() < _LEAST_OFFSET:
        return None
    return found[0], found[-1]


def add_offset(signal: Signal, ends: tuple[Offset, Offset]) -> None:
    """Add a DC offset, in place, that goes evenly from one end's to the other's.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        ends: the offsets [channels] at its first and last sample.
    """
    samples = signal.shape[1]
    first, step = ends[0][:, None], ((ends[1] - ends[0]) / samples)[:, None]
    for at in range(0, samples, _BLOCK):
        stop = min(at + _BLOCK, samples)
        signal[:, at:stop] += first + step * np.arange(at, stop, dtype=np.float32)
