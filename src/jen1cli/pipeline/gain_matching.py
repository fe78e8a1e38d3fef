"""Matching of loudness and DC offset to the surrounding music, and a true-peak limit."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float32

from jen1cli.audio import LoudnessMeter, Signal, db_to_amplitude, loudness, true_peak
from jen1cli.audio.limiting import BLOCK, REACH, limited
from jen1cli.audio.loudness import SILENCE
from jen1cli.audio.on_disk import spans

Offset = Float32[np.ndarray, " channels"]

CEILING = db_to_amplitude(-1.0)  # true peak
LOUDEST = -14.0  # LUFS, the level of the corpus and of streaming services
TOLERANCE = 1.5  # LU of difference that is allowed, since loudness varies within music
_QUIET = -55.0  # LUFS; windows of lower levels are not matched
_MOST_UP, _MOST_DOWN = 6.0, 40.0  # dB; gain amplifies noise, attenuation does not
_RAMP_SECONDS = 1.0
_OFFSET_SECONDS = 1.0  # length of music over which the DC offset is estimated
_LEAST_OFFSET = 4e-3  # amplitude; smaller steps are inaudible, and occur in any music
_SILENT = db_to_amplitude(-80.0)  # peak around the offset; below it there is dither at most
_HELD = 0.25  # part of the last chord before its decay
_BLOCK = 1 << 20


def matching_gain(level: float, target: float, tolerance: float = TOLERANCE) -> float:
    """Return the gain in dB that moves a level in LUFS to within `tolerance` of its target."""
    if level < _QUIET or target < _QUIET:
        return 0.0
    difference = target - level
    gain = np.sign(difference) * max(0.0, abs(difference) - tolerance)
    return float(np.clip(gain, -_MOST_DOWN, _MOST_UP))


def gain_beside(
    signal: Signal, known: Sequence[Signal], sample_rate: int, tolerance: float
) -> float:
    """Return the factor that brings new music to within `tolerance` of the level beside it.

    Faint music is compared by its power, since loudness has a gate below which all is silence.
    Beside silence, music keeps its level.

    Args:
        signal: the new music, [channels, samples].
        known: the music beside it.
        sample_rate: Hz.
        tolerance: LU.
    """
    target = measured_together(known, sample_rate)
    if target >= _QUIET:
        level = measured(signal, sample_rate)
        return db_to_amplitude(matching_gain(level, target, tolerance))
    heard = [part - part.mean(axis=1, keepdims=True) for part in known if part.shape[1]]
    if max((float(np.abs(part).max()) for part in heard), default=0.0) < _SILENT:
        return 1.0
    ratio = _power(heard) / max(_power([signal]), 1e-20)
    return min(float(np.sqrt(ratio)), db_to_amplitude(_MOST_UP))


def _power(signals: Sequence[Signal]) -> float:
    blocks = (part[:, a:b] for part in signals for a, b in spans(part.shape[1], _BLOCK))
    total = sum(float(np.square(block).sum(dtype=np.float64)) for block in blocks)
    return total / sum(part.size for part in signals)


def level_segments(
    signal: Signal, sample_rate: int, cuts: Sequence[int], target: float | None
) -> None:
    """Match the loudness of the segments between the cuts, in place, by slow gain ramps.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        sample_rate: Hz.
        cuts: boundaries between windows, in samples, increasing.
        target: loudness in LUFS; None: that of the first segment.
    """
    ramps = Ramps(sample_rate, cuts, signal.shape[1], target)
    for start, stop in itertools.pairwise([0, *cuts, signal.shape[1]]):
        ramps.add(measured(signal[:, start:stop], sample_rate))
    if ramps.is_idle:
        return
    for at, stop in spans(signal.shape[1], _BLOCK):
        signal[:, at:stop] *= ramps.curve(at, stop)


class Ramps:
    """Gains that match segments in loudness, with ramps around the cuts between them.

    Args:
        sample_rate: Hz.
        cuts: boundaries between segments, in samples, increasing.
        samples: length of the signal.
        target: loudness in LUFS; None: that of the first segment.
    """

    def __init__(
        self, sample_rate: int, cuts: Sequence[int], samples: int, target: float | None = None
    ) -> None:
        self.levels: list[float] = []
        self._target = target
        edges = [0, *cuts, samples]
        shortest = min(stop - start for start, stop in itertools.pairwise(edges))
        half = min(round(_RAMP_SECONDS * sample_rate), shortest) / 2
        self._points = [0.0, *(x for cut in cuts for x in (cut - half, cut + half)), float(samples)]
        self._values: list[float] = []

    def add(self, level: float) -> None:
        """Take the loudness of the next segment in LUFS."""
        self.levels.append(level)
        target = self.levels[0] if self._target is None else self._target
        self._values += [db_to_amplitude(matching_gain(level, target))] * 2

    @property
    def is_idle(self) -> bool:
        """Whether all gains are 1."""
        return max(abs(gain - 1) for gain in self._values) < 1e-6

    @property
    def known(self) -> int:
        """Samples of which the gain is known: up to the ramp after the last segment.

        Without a target, the gain of the first segment is 1 whatever its level is.
        """
        least = 1 if self._target is None else 0
        return int(self._points[max(least, len(self._values) - 1)])

    def curve(self, start: int, stop: int) -> Float32[np.ndarray, " samples"]:
        """Return the gain from a sample to another, both known."""
        if not self._values:
            return np.ones(stop - start, np.float32)
        points = self._points[: len(self._values)]
        return np.interp(np.arange(start, stop), points, self._values).astype(np.float32)


def cap_loudness(signal: Signal, sample_rate: int) -> None:
    """Attenuate, in place, music that is louder than `LOUDEST`, as an effect of guidance."""
    gain = cap_gain(measured(signal, sample_rate))
    if gain < 1.0:
        _scale(signal, gain)


def cap_gain(level: float) -> float:
    """Return the gain that brings music of a level in LUFS down to `LOUDEST`, 1 at most."""
    return min(1.0, db_to_amplitude(LOUDEST - level))


def fade_out(signal: Signal, samples: int) -> None:
    """Let the last samples decay, in place: after a quarter of them, by a raised cosine to zero.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        samples: length of the last chord; 0 changes nothing.
    """
    length = signal.shape[1]
    for at, stop in spans(length, _BLOCK, max(0, length - samples)):
        signal[:, at:stop] *= decay(at, stop, length, samples)


def decay(start: int, stop: int, length: int, samples: int) -> Float32[np.ndarray, " samples"]:
    """Return the gain of `fade_out` from a sample to another of a signal of some length."""
    if not samples:
        return np.ones(stop - start, np.float32)
    faded = max(1, round(samples * (1 - _HELD)))
    place = np.clip((np.arange(start, stop) - (length - faded)) / faded, 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * place)).astype(np.float32)


def limit(signal: Signal, sample_rate: int, ceiling: float = CEILING) -> None:
    """Limit the true peak to a ceiling, in place, mainly by gain reduction around the peaks.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        sample_rate: Hz.
        ceiling: amplitude.
    """
    samples = signal.shape[1]
    before = signal[:, :0]  # the last samples before limiting
    for at, stop in spans(samples, _BLOCK):
        after = np.array(signal[:, at : stop + REACH])
        piece = limited(np.concatenate([before, after], axis=1), ceiling)
        left = before.shape[1]
        before = after[:, max(0, stop - at - REACH) : stop - at]
        signal[:, at:stop] = piece[:, left : left + stop - at]
    peak = true_peak(signal, sample_rate)  # measured with longer filters than the limiter's
    if peak > ceiling:
        _scale(signal, ceiling / peak)


def leveled_blocks(
    blocks: Iterable[Signal], sample_rate: int, cuts: Sequence[int], samples: int, last: int
) -> Iterator[Signal]:
    """Yield a signal with its windows as loud as the first, and the decay of its last chord.

    A window is levelled when all of it is there; the gain of the first one is 1. The loudness is
    capped by that of the first block.

    Args:
        blocks: consecutive parts of the signal.
        sample_rate: Hz.
        cuts: boundaries between windows, in samples, increasing.
        samples: length of the signal.
        last: samples of the last chord.
    """
    ramps = Ramps(sample_rate, cuts, samples)
    edges = [*cuts, samples]  # edges of the windows that are not yet measured
    held = np.zeros((0, 0), np.float32)
    base = window = done = 0  # first sample that is held, that of the window, that to be yielded
    cap: float | None = None
    for block in blocks:
        held = np.concatenate([held, block], axis=1) if held.size else block
        if cap is None:
            cap = cap_gain(measured(block, sample_rate))
        while edges and base + held.shape[1] >= edges[0]:
            part = held[:, window - base : edges[0] - base]
            ramps.add(measured(part, sample_rate))
            window = edges.pop(0)
        stop = min(ramps.known, base + held.shape[1])
        if stop > done:
            gain = ramps.curve(done, stop) * decay(done, stop, samples, last)
            yield held[:, done - base : stop - base] * (gain * np.float32(cap))
            done = stop
        kept = min(done, window)
        held, base = held[:, kept - base :], kept


def limited_blocks(blocks: Iterable[Signal]) -> Iterator[Signal]:
    """Yield a signal whose true peak is below the ceiling, nearly as `limit` does.

    A last measurement of the whole is left out.
    """
    held: Signal | None = None
    before = 0  # samples that are held although they are limited
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        ready = (held.shape[1] - REACH - before) // BLOCK * BLOCK
        if ready > 0:
            yield limited(held, CEILING)[:, before : before + ready]
            kept = min(REACH, before + ready)
            held, before = held[:, before + ready - kept :], kept
    if held is not None and held.shape[1] > before:
        yield limited(held, CEILING)[:, before:]


def _scale(signal: Signal, factor: float) -> None:
    for at, stop in spans(signal.shape[1], _BLOCK):
        signal[:, at:stop] *= np.float32(factor)


def measured(signal: Signal, sample_rate: int) -> float:
    """Return the integrated loudness in LUFS; that of silence for an empty signal."""
    return loudness(signal, sample_rate) if signal.shape[1] else SILENCE


def measured_together(signals: Sequence[Signal], sample_rate: int) -> float:
    """Return the integrated loudness in LUFS of the concatenation of several signals."""
    meter = LoudnessMeter(sample_rate)
    for signal in signals:
        meter.feed(signal)
    return meter.result()


def silent_channels(signals: Sequence[Signal]) -> Bool[np.ndarray, " channels"]:
    """Return which channels are silent in all signals; all False if every channel is silent.

    Args:
        signals: signals of [channels, samples].
    """
    heard = [signal for signal in signals if signal.shape[1]]
    if not heard:
        return np.zeros(len(signals[0]), bool)
    peaks = [np.abs(part - part.mean(axis=1, keepdims=True)).max(axis=1) for part in heard]
    silent = np.max(peaks, axis=0) < _SILENT
    return silent & (not silent.all())


def offset(signal: Signal) -> Offset:
    """Return the DC offset of each channel: a mean with a window that suppresses bass."""
    weights = np.hanning(signal.shape[1] + 2)[1:-1]
    return (signal @ (weights / weights.sum())).astype(np.float32)


def offsets_around(known: tuple[Signal, Signal], sample_rate: int) -> tuple[Offset, Offset] | None:
    """Return the DC offsets [channels] on both sides of an interval; None if both are negligible.

    Args:
        known: the recording on the left and on the right, [channels, samples]. An empty side takes
            the offset of the other.
        sample_rate: Hz.
    """
    samples = round(_OFFSET_SECONDS * sample_rate)
    near = (known[0][:, -samples:], known[1][:, :samples])
    found = [offset(part) for part in near if part.shape[1] >= samples // 10]
    if not found or np.abs(found).max() < _LEAST_OFFSET:
        return None
    return found[0], found[-1]


def add_offset(signal: Signal, ends: tuple[Offset, Offset]) -> None:
    """Add a DC offset, in place, interpolated linearly between both ends.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        ends: the offsets [channels] at its first and last sample.
    """
    samples = signal.shape[1]
    first, step = ends[0][:, None], ((ends[1] - ends[0]) / samples)[:, None]
    for at, stop in spans(samples, _BLOCK):
        signal[:, at:stop] += first + step * np.arange(at, stop, dtype=np.float32)
