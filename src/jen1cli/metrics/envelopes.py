"""The envelope of a frequency band: its power over time, in steps of a quarter of a millisecond.

Attacks, pre-echo and modulation are measured on it. An envelope takes a twelfth of the samples at
48 kHz, and is made in blocks, so that an hour of sound needs little memory.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.signal import butter, oaconvolve, sosfiltfilt

Mono = Float[np.ndarray, " samples"]

STEP_SECONDS = 0.25e-3
SMOOTHING_SECONDS = 1e-3
_BLOCK_STEPS = 40_000  # about ten seconds
_MARGIN_STEPS = 400  # the filters have died away after 0.1 s
_ORDER = 4


@dataclass(frozen=True)
class PowerEnvelope:
    """Power of one band over time."""

    power: Float[np.ndarray, " steps"]  # mean square
    rate: float  # steps per second

    def averaged(self, seconds: float) -> tuple[Float[np.ndarray, " steps"], float]:
        """Return the mean power in coarser steps of about so many seconds, and their rate."""
        size = max(1, round(seconds * self.rate))
        whole = len(self.power) // size * size
        return self.power[:whole].reshape(-1, size).mean(1), self.rate / size


def band_envelope(mono: Mono, sample_rate: int, band: tuple[float, float]) -> PowerEnvelope:
    """Return the envelope of a band.

    A Butterworth band-pass of order 4, forwards and backwards, so that nothing moves in time; then
    the square, smoothed by a Hann window of 1 ms.

    Args:
        mono: sound, [samples].
        sample_rate: Hz.
        band: lowest and highest frequency in Hz.

    Returns:
        an envelope without steps where the sample rate holds no such band.
    """
    low, high = band
    step = max(1, round(STEP_SECONDS * sample_rate))
    if high >= 0.49 * sample_rate:
        return PowerEnvelope(np.zeros(0), sample_rate / step)
    sections = butter(_ORDER, (low, high), "bandpass", fs=sample_rate, output="sos")
    kernel = np.hanning(round(SMOOTHING_SECONDS * sample_rate) + 2)[1:-1]
    kernel /= kernel.sum()
    steps = len(mono) // step
    power = np.empty(steps)
    for first in range(0, steps, _BLOCK_STEPS):
        stop = min(steps, first + _BLOCK_STEPS)
        start = max(0, first - _MARGIN_STEPS)
        piece = np.asarray(mono[start * step : (stop + _MARGIN_STEPS) * step], np.float64)
        padding = min(10 * step, len(piece) - 1)
        squares = np.square(sosfiltfilt(sections, piece, padlen=padding))
        smooth = oaconvolve(squares, kernel, "same")
        power[first:stop] = smooth[step // 2 :: step][first - start : stop - start]
    return PowerEnvelope(np.maximum(power, 0.0), sample_rate / step)
