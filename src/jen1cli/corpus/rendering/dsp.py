"""Typed wrappers of scipy's transforms and filters."""

from typing import Literal

import numpy as np
from scipy import fft, ndimage, signal

from jen1cli.corpus.rendering.stereo import SAMPLE_RATE

Array = np.ndarray
_PRECISE_HZ = 400.0  # below this cutoff, rounding in single precision is audible


def rfft(sound: Array, size: int | None = None) -> Array:
    """Return the real FFT along the last axis; float32 stays single precision."""
    return np.asarray(fft.rfft(sound, size, axis=-1))


def irfft(spectrum: Array, size: int) -> Array:
    """Return the inverse real FFT along the last axis."""
    return np.asarray(fft.irfft(spectrum, size, axis=-1))


def fast_length(samples: int) -> int:
    """Return the next length for which the FFT is fast."""
    return int(fft.next_fast_len(samples, real=True) or samples)


def butterworth(
    sound: Array,
    kind: Literal["lowpass", "highpass", "bandpass"],
    hertz: float | list[float],
    order: int = 2,
) -> Array:
    """Filter along the last axis; in single precision if the cutoff allows it."""
    lowest = min(hertz) if isinstance(hertz, list) else hertz
    number = np.float32 if lowest > _PRECISE_HZ else np.float64
    sections = signal.butter(order, hertz, kind, fs=SAMPLE_RATE, output="sos")
    made = signal.sosfilt(np.asarray(sections, number), sound.astype(number), axis=-1)
    return np.asarray(made, np.float32)


def recursive(numerator: Array | list[float], denominator: Array | list[float], x: Array) -> Array:
    """Apply a recursive (IIR) filter along the last axis."""
    return np.asarray(signal.lfilter(numerator, denominator, x, axis=-1)).astype(np.float32)


def convolve(sound: Array, response: Array) -> Array:
    """Return the full convolution along the last axis."""
    return np.asarray(signal.fftconvolve(sound, response, axes=-1), np.float32)


def smooth_curve(points: Array, length: int) -> Array:
    """Interpolate points to a curve of `length` values by cubic splines."""
    return np.asarray(ndimage.zoom(points, length / len(points), order=3))[:length]
