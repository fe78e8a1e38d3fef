"""The recording's own fine structure in music that was made by changing a copy of it.

Diffusion changes the copy, and the decoder rebuilds all of it with a phase and texture of its own.
Where the spectrum has hardly changed, the copy itself is filtered to the new levels, by a
time-varying filter over the short-time Fourier transform; where it has changed, the new music
stays.
"""

from typing import Final

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter1d
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from jen1cli.audio import Signal

_WINDOW_SECONDS: Final = 2048 / 48_000
_OCTAVES: Final = 1 / 6  # of the band over which levels are compared
_FRAMES: Final = 3
_ALIKE, _UNLIKE = 6.0, 15.0  # dB of difference: up to the first the copy, from the second the new
_FLOOR: Final = 1e-10  # of power
_BLOCK, _MARGIN = 1000, 8  # hops; blocks bound the memory

Power = Float[np.ndarray, "channels bins frames"]


def with_detail_of(made: Signal, copied: Signal, sample_rate: int) -> Signal:
    """Return made music that has the waveform of a copy where both have like levels.

    Args:
        made: [channels, samples].
        copied: the music from which it was made, of the same shape and level.
        sample_rate: Hz.
    """
    window = 4 * round(_WINDOW_SECONDS * sample_rate / 4)
    hop = window // 4
    transform = ShortTimeFFT(hann(window, sym=False), hop, sample_rate)
    result = np.empty_like(made)
    for start in range(0, made.shape[1], _BLOCK * hop):
        stop = min(start + _BLOCK * hop, made.shape[1])
        first = max(0, start - _MARGIN * hop)
        last = min(stop + _MARGIN * hop, made.shape[1])
        part = _blended(transform, made[:, first:last], copied[:, first:last])
        result[:, start:stop] = part[:, start - first : stop - first]
    return result


def _blended(transform: ShortTimeFFT, made: Signal, copied: Signal) -> np.ndarray:
    spectra = [transform.stft(np.asarray(signal, float)) for signal in (made, copied)]
    powers = [_smoothed(np.square(np.abs(s))) + _FLOOR for s in spectra]
    difference = 10 * np.log10(powers[0] / powers[1])
    share = np.clip((_UNLIKE - np.abs(difference)) / (_UNLIKE - _ALIKE), 0.0, 1.0)
    # both are uncorrelated, so their powers add up
    mixed = np.sqrt(share) * 10 ** (difference / 20) * spectra[1]
    mixed += np.sqrt(1.0 - share) * spectra[0]
    return transform.istft(mixed, k1=made.shape[1])


def _smoothed(power: Power) -> Power:
    """Return the mean power of the band and the frames around each bin and frame."""
    bins = np.arange(power.shape[1])
    half = np.maximum(1.0, bins * (2 ** (_OCTAVES / 2) - 1))
    low = np.clip(np.round(bins - half), 0, None).astype(int)
    high = np.clip(np.round(bins + half) + 1, None, len(bins)).astype(int)
    sums = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0), (0, 0)))
    mean = (sums[:, high] - sums[:, low]) / (high - low)[:, None]
    return uniform_filter1d(mean, _FRAMES, axis=2)
