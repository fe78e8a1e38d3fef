"""Look-ahead limiter: keeps the true peak below a ceiling by a smooth gain."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32
from numpy.lib.stride_tricks import sliding_window_view

from jen1cli.audio.files import Signal
from jen1cli.audio.loudness import db_to_amplitude

BLOCK = 16  # samples per value of the gain
LOOK_BLOCKS = 75  # 25 ms at 48 kHz
MARGIN = db_to_amplitude(-0.25)  # for the errors of short interpolators and of linear gain ramps
REACH = 4 * LOOK_BLOCKS * BLOCK
"""Distance in samples up to which the signal influences the gain."""
_POLYPHASE_TAPS = 8
_CHUNK = 1 << 14


def limited(
    signal: Signal, ceiling: float, peaks: Float[np.ndarray, " blocks"] | None = None
) -> Signal:
    """Return a signal [channels, samples] whose true peak is below a ceiling.

    Args:
        signal: [channels, samples]; returned unchanged if its true peak is below the ceiling.
        ceiling: amplitude.
        peaks: `block_peaks(signal)`; None measures them.
    """
    peaks = block_peaks(signal) if peaks is None else peaks
    if not len(peaks) or peaks.max() <= ceiling * MARGIN:
        return signal
    return signal * _gain(peaks, ceiling * MARGIN, signal.shape[1])


def _gain(
    peaks: Float[np.ndarray, " blocks"], ceiling: float, samples: int
) -> Float32[np.ndarray, " samples"]:
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    # minimum over a window wider than both means together: the result never exceeds `needed`
    held = sliding_window_view(np.pad(needed, LOOK_BLOCKS + 1, "edge"), 2 * LOOK_BLOCKS + 3)
    smooth = _mean_around(_mean_around(held.min(axis=-1)))
    gain = np.append(smooth, smooth[-1]).astype(np.float32)
    ramp = (np.arange(BLOCK, dtype=np.float32) / BLOCK)[None, :]
    return (gain[:-1, None] + (gain[1:] - gain[:-1])[:, None] * ramp).reshape(-1)[:samples]


def _mean_around(values: Float[np.ndarray, " blocks"]) -> Float[np.ndarray, " blocks"]:
    """Return the moving average over `LOOK_BLOCKS` values, centred on each value."""
    sums = np.pad(values, LOOK_BLOCKS // 2, "edge").cumsum(dtype=np.float64)
    before = np.concatenate([[0.0], sums[:-LOOK_BLOCKS]])
    return (sums[LOOK_BLOCKS - 1 :] - before) / LOOK_BLOCKS


def block_peaks(signal: Signal, least: float = 0.0) -> Float32[np.ndarray, " blocks"]:
    """Return the true peak (4 x oversampled) of each block of 16 samples over all channels.

    Chunks whose samples are all below `least` are not oversampled; their sample peak is returned.
    """
    channels, samples = signal.shape
    blocks = -(-samples // BLOCK)
    half = _POLYPHASE_TAPS // 2
    padded = np.zeros((channels, blocks * BLOCK + _POLYPHASE_TAPS), np.float32)
    padded[:, half - 1 : half - 1 + samples] = signal
    peaks = []
    for start in range(0, blocks * BLOCK, _CHUNK):
        chunk = padded[:, start : start + _CHUNK + _POLYPHASE_TAPS]
        peak = np.abs(chunk[:, half - 1 : half - 1 + chunk.shape[1] - _POLYPHASE_TAPS])
        if peak.max() >= least:
            _raise_between(chunk, peak)
        peaks.append(peak.max(axis=0).reshape(-1, BLOCK).max(axis=1))
    return np.concatenate(peaks) if peaks else np.zeros(0, np.float32)


def _raise_between(
    padded: Float32[np.ndarray, "channels padded"], peak: Float32[np.ndarray, "channels samples"]
) -> None:
    """Raise `peak` in place to the largest interpolated value after each sample.

    A chunk is small enough for the processor's cache.
    """
    samples = peak.shape[1]
    between, term = np.empty_like(peak), np.empty_like(peak)
    for row in _interpolators():
        np.multiply(padded[:, :samples], row[0], out=between)
        for tap in range(1, _POLYPHASE_TAPS):
            np.multiply(padded[:, tap : tap + samples], row[tap], out=term)
            between += term
        np.abs(between, out=between)
        np.maximum(peak, between, out=peak)


@lru_cache(maxsize=1)
def _interpolators() -> Float32[np.ndarray, "3 taps"]:
    """Return windowed-sinc filters for delays of 1/4, 1/2 and 3/4 sample."""
    taps = np.arange(_POLYPHASE_TAPS) - (_POLYPHASE_TAPS // 2 - 1)
    rows = []
    for shift in (0.25, 0.5, 0.75):
        row = np.sinc(taps - shift) * np.cos(np.pi * (taps - shift) / (_POLYPHASE_TAPS + 1)) ** 2
        rows.append(row / row.sum())
    return np.array(rows, np.float32)
