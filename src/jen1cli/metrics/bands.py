"""How noise-like a frequency band is, and how loud beside the whole."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float

from jen1cli.audio import Signal

WINDOW = 2048  # samples
SILENT_DB = -120.0  # mean power of the bins, against a full-scale sine, that says nothing
_BLOCK_FRAMES = 256


def spectral_flatness(signal: Signal, sample_rate: int, band: tuple[float, float]) -> float:
    """Return the spectral flatness of a band: geometric over arithmetic mean of its power.

    About 0.56 (e to the power of minus Euler's constant) for white noise, near 0 for tones. Mean
    over spectra of 2048 samples and over channels; spectra that are silent in the band are left
    out.

    Args:
        signal: [channels, samples].
        sample_rate: Hz.
        band: lowest and highest frequency in Hz.

    Returns:
        NaN where the sample rate holds no such band, or the band is silent.
    """
    inside = _inside(sample_rate, band)
    if inside is None:
        return float("nan")
    total, count = 0.0, 0
    for power in _spectra(signal):
        own = power[..., inside]
        mean = own.mean(-1)
        heard = mean > 10 ** (SILENT_DB / 10)
        geometric = np.exp(np.log(np.maximum(own, 1e-30)).mean(-1))
        total += float((geometric[heard] / mean[heard]).sum())
        count += int(heard.sum())
    return total / count if count else float("nan")


def band_level(signal: Signal, sample_rate: int, band: tuple[float, float]) -> float:
    """Return the level of a band in dB against that of the whole sound.

    Args:
        signal: [channels, samples].
        sample_rate: Hz.
        band: lowest and highest frequency in Hz.

    Returns:
        NaN where the sample rate holds no such band, or all is silent.
    """
    inside = _inside(sample_rate, band)
    if inside is None:
        return float("nan")
    own = whole = 0.0
    for power in _spectra(signal):
        own += float(power[..., inside].sum())
        whole += float(power.sum())
    return float(10 * np.log10(max(own, 1e-12 * whole) / whole)) if whole > 0 else float("nan")


def _inside(sample_rate: int, band: tuple[float, float]) -> Bool[np.ndarray, " bins"] | None:
    """Return which bins a band covers."""
    hertz = np.fft.rfftfreq(WINDOW, 1 / sample_rate)
    return None if band[1] > hertz[-1] else (hertz >= band[0]) & (hertz < band[1])


def _spectra(signal: Signal) -> Iterator[Float[np.ndarray, "channels frames bins"]]:
    """Yield power spectra, half overlapped, some at once; a full-scale sine has power 1."""
    window = np.hanning(WINDOW)
    window *= 2.0 / window.sum()
    if signal.shape[1] < WINDOW:
        signal = np.pad(signal, ((0, 0), (0, WINDOW - signal.shape[1])))
    frames = np.lib.stride_tricks.sliding_window_view(signal, WINDOW, axis=1)[:, :: WINDOW // 2]
    for first in range(0, frames.shape[1], _BLOCK_FRAMES):
        block = frames[:, first : first + _BLOCK_FRAMES] * window
        yield np.square(np.abs(np.fft.rfft(block, axis=-1)))
