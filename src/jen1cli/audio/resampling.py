"""Sample rates and channel layouts: soxr at very high quality, mono and stereo."""

import math
from collections.abc import Iterator

import numpy as np
import soxr
from jaxtyping import Float32

from jen1cli.audio.files import Signal, Source, blocks, probe


def seconds_to_samples(seconds: float, sample_rate: int) -> int:
    """Round a time to the nearest sample."""
    return round(seconds * sample_rate)


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """Return the number of samples of the same duration at another rate, rounded up."""
    return math.ceil(samples * to_rate / from_rate)


def resample(signal: Signal, from_rate: int, to_rate: int) -> Signal:
    """Resample `[channels, samples]`; the result has exactly `resampled_length` samples.

    The filter has linear phase and no delay: sample i lies at i / to_rate seconds.
    """
    if from_rate == to_rate:
        return signal
    samples = resampled_length(signal.shape[1], from_rate, to_rate)
    frames = soxr.resample(np.ascontiguousarray(signal.T), from_rate, to_rate, "VHQ")
    return _fitted(frames.T, samples)


def to_channels(signal: Signal, channels: int) -> Signal:
    """Convert a signal to mono (mean of the channels) or stereo (mono copied to both channels)."""
    if signal.shape[0] == channels:
        return signal
    if channels == 1:
        return signal.mean(axis=0, keepdims=True, dtype=np.float32)
    return np.repeat(signal, channels, axis=0)


class Resampler:
    """Resamples a stream block by block; the joined output is independent of the blocks."""

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, channels, "float32", "VHQ")
        )

    def feed(self, block: Signal, last: bool = False) -> Signal:
        """Take the next block `[channels, samples]`; return the output so far, maybe empty."""
        if self._stream is None:
            return block
        return self._stream.resample_chunk(np.ascontiguousarray(block.T), last=last).T


def mono_blocks(
    source: Source, sample_rate: int, seconds: int = 30
) -> Iterator[Float32[np.ndarray, " samples"]]:
    """Yield a file as consecutive mono blocks of about `seconds` at another sample rate.

    Raises:
        AudioError: the file cannot be read.
    """
    info = probe(source)
    resampler = Resampler(info.sample_rate, sample_rate, 1)
    for block in blocks(source, 0, info.samples, seconds * info.sample_rate):
        yield resampler.feed(to_channels(block, 1))[0]
    yield resampler.feed(np.zeros((1, 0), np.float32), last=True)[0]


def _fitted(signal: np.ndarray, samples: int) -> Signal:
    have = signal.shape[1]
    if have < samples:
        signal = np.pad(signal, ((0, 0), (0, samples - have)), mode="edge")
    return np.ascontiguousarray(signal[:, :samples], np.float32)
