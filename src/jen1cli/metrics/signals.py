"""Distances between a signal and its reconstruction, levels and stereo width.

Signals are float32 `[channels, samples]`.
"""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.audio import Signal
from jen1cli.metrics.mel import mel_filters

SILENCE_DB = -120.0
_MEL_SCALES = ((2048, 80), (512, 40))  # window, mel bands


def si_sdr(reference: Signal, estimate: Signal) -> float:
    """Return the scale-invariant signal-to-distortion ratio in dB of all channels as one signal.

    10·log₁₀(‖α·s‖² / ‖α·s − ŝ‖²) with α = ⟨ŝ, s⟩ / ‖s‖² (arXiv 1811.02508); means are not removed.
    """
    _check(reference, estimate)
    s = reference.astype(np.float64).ravel()
    guess = estimate.astype(np.float64).ravel()
    target = (guess @ s) / max(s @ s, 1e-20) * s
    rest = np.square(target - guess).sum()
    return float(10 * np.log10((np.square(target).sum() + 1e-20) / (rest + 1e-20)))


def mel_distance(reference: Signal, estimate: Signal, sample_rate: int) -> float:
    """Return the mean absolute difference of log₁₀ mel magnitudes over two resolutions.

    The mel distance of neural codecs (Kumar et al., "High-fidelity audio compression with improved
    RVQGAN", arXiv 2306.06546, section 4.2), here with 80 and 40 bands. Magnitudes are clamped to
    10⁻⁵ of a full-scale sine.
    """
    _check(reference, estimate)
    found = []
    for window, bands in _MEL_SCALES:
        filters = _filters(window, bands, sample_rate)
        logs = [
            (filters @ _spectrum(signal, window)).clamp(min=1e-5).log10()
            for signal in (reference, estimate)
        ]
        found.append((logs[0] - logs[1]).abs().mean())
    return float(torch.stack(found).mean())


def log_spectral_distance(reference: Signal, estimate: Signal, window: int = 2048) -> float:
    """Return the log-spectral distance in dB: root mean square over bins, mean over frames.

    Gray and Markel, "Distance measures for speech processing", IEEE Trans. ASSP 24 (1976), on
    short-time spectra. Power is clamped to -100 dB below the reference's loudest bin.
    """
    _check(reference, estimate)
    spectra = [_spectrum(signal, window).square() for signal in (reference, estimate)]
    floor = spectra[0].max().clamp(min=1e-12) * 1e-10
    logs = [10 * torch.maximum(spectrum, floor).log10() for spectrum in spectra]
    return float((logs[0] - logs[1]).square().mean(-2).sqrt().mean())


def side_level(signal: Signal) -> float:
    """Return the level of the side channel, (left - right) / 2, in dB against full scale."""
    if signal.shape[0] < 2:
        return SILENCE_DB
    return _decibels(0.5 * (signal[0].astype(np.float64) - signal[1]))


def width(signal: Signal) -> float:
    """Return the level of side against mid in dB: 0 is very wide, -120 is mono."""
    if signal.shape[0] < 2:
        return SILENCE_DB
    side = side_level(signal)
    if side <= SILENCE_DB:
        return SILENCE_DB
    return max(SILENCE_DB, side - _decibels(0.5 * (signal[0].astype(np.float64) + signal[1])))


def level(signal: Signal) -> float:
    """Return the root mean square in dB against full scale, at least -120."""
    return _decibels(signal)


def _decibels(values: np.ndarray) -> float:
    power = float(np.mean(np.square(values, dtype=np.float64))) if values.size else 0.0
    return max(SILENCE_DB, float(10 * np.log10(power + 1e-20)))


def _spectrum(signal: Signal, window: int) -> Float[Tensor, "channels bins frames"]:
    wave = torch.from_numpy(np.ascontiguousarray(signal, np.float32))
    if wave.shape[-1] < window:
        wave = torch.nn.functional.pad(wave, (0, window - wave.shape[-1]))
    shape = torch.hann_window(window)
    spectrum = torch.stft(
        wave, window, window // 4, window=shape, center=True, pad_mode="constant",
        return_complex=True,
    )  # fmt: skip
    return spectrum.abs() * (2.0 / shape.sum())


@lru_cache(maxsize=16)
def _filters(window: int, bands: int, sample_rate: int) -> Float[Tensor, "bands bins"]:
    filters = mel_filters(
        window // 2 + 1, 0.0, sample_rate / 2, bands, sample_rate, equal_area=True
    )
    return (filters / filters.sum(0, keepdim=True).clamp(min=1e-9)).T.contiguous()


def _check(reference: Signal, estimate: Signal) -> None:
    if reference.shape != estimate.shape:
        raise ValueError(f"shapes {reference.shape} and {estimate.shape} cannot be compared")
