"""Transforms and filters: the one place that knows scipy, with types."""

from typing import Literal

import numpy as np
from scipy import fft, ndimage, signal

from jen1cli.corpus.sound import SAMPLE_RATE

Array = np.ndarray
_PRECISE_HZ = 400.0  # below, rounding in single precision is audible


def rfft(sound: Array, size: int | None = None) -> Array:
    """Return the spectrum along the last axis; float32 stays single precision."""
    return np.asarray(fft.rfft(sound, size, axis=-1))


def irfft(spectrum: Array, size: int) -> Array:
    """Return the signal of a spectrum along the last axis."""
    return np.asarray(fft.irfft(spectrum, size, axis=-1))


def fast_length(samples: int) -> int:
    """Return the next length that transforms fast."""
    return int(fft.next_fast_len(samples, real=True) or samples)


def butterworth(
    sound: Array,
    kind: Literal["lowpass", "highpass", "bandpass"],
    hertz: float | list[float],
    order: int = 2,
) -> Array:
    """Filter along the last axis; in single precision where the poles allow it."""
    lowest = min(hertz) if isinstance(hertz, list) else hertz
    number = np.float32 if lowest > _PRECISE_HZ else np.float64
    sections = signal.butter(order, hertz, kind, fs=SAMPLE_RATE, output="sos")
    made = signal.sosfilt(np.asarray(sections, number), sound.astype(number), axis=-1)
    return np.asarray(made, np.float32)


def recursive(numerator: Array | list[float], denominator: Array | list[float], x: Array) -> Array:
    """Run a difference equation along the last axis."""
    return np.asarray(signal.lfilter(numerator, denominator, x, axis=-1)).astype(np.float32)


def convolve(sound: Array, response: Array) -> Array:
    """Convolve along the last axis; the whole result."""
    return np.asarray(signal.fftconvolve(sound, response, axes=-1), np.float32)


def smooth_curve(points: Array, length: int) -> Array:
    """Stretch a few points to a curve by cubic interpolation."""
    return np.asarray(ndimage.zoom(points, length / len(points), order=3))[:length]
