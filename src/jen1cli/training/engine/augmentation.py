"""Augmentation: equaliser, bandwidth, stereo width, reverberation, saturation and noise.

Rendered music has little variety of rooms and mixes. A model trained only on it continues a
recording with the rooms and mixes of its training data; with augmented copies the model learns to
match the context. Times of beats, chords and notes do not change.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import fft
from scipy import signal as signal_tools

from jen1cli.audio import Signal, db_to_amplitude

EQUALIZER_HERTZ = (40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0, 10240.0, 20480.0)
EQUALIZER_DECIBELS = 5.0  # standard deviation of the gain at each frequency
WIDTH_HERTZ = (100.0, 800.0, 6400.0)
WIDTH_DECIBELS = (-15.0, 9.0)
ROOM_SECONDS = (0.2, 1.5)  # reverberation time RT60
ROOM_DECIBELS = (-18.0, -3.0)  # level of the reverberation relative to the music
DRIVE_DECIBELS = (0.0, 15.0)
HISS_DECIBELS = (-65.0, -35.0)  # level of the noise relative to the music
LOW_HERTZ, HIGH_HERTZ = (40.0, 300.0), (3000.0, 12000.0)  # band limits of recordings
_SLOPE_DECIBELS = 24.0  # per octave beyond the cut-off
_CHANCE = {"band": 0.25, "width": 0.5, "room": 0.4, "drive": 0.35, "hiss": 0.25}


def augment(signal: Signal, sample_rate: int, rng: np.random.Generator) -> Signal:
    """Return an augmented signal with the level of the original.

    The equaliser is always applied; band limits, width, reverberation, saturation and noise at
    random.

    Args:
        signal: [channels, samples].
        sample_rate: in Hz.
        rng: source of all random choices.
    """
    chosen = {name: rng.random() < chance for name, chance in _CHANCE.items()}
    octaves = np.log2(EQUALIZER_HERTZ)
    decibels = rng.normal(0.0, EQUALIZER_DECIBELS, len(octaves))
    if chosen["band"]:
        low, high = (np.log2(_between(rng, limits)) for limits in (LOW_HERTZ, HIGH_HERTZ))
        decibels -= _SLOPE_DECIBELS * np.maximum(low - octaves, octaves - high).clip(min=0.0)
    made = filtered(signal, sample_rate, EQUALIZER_HERTZ, decibels)
    if chosen["width"] and len(made) == 2:
        made = widen(made, sample_rate, rng.uniform(*WIDTH_DECIBELS) + rng.uniform(-3.0, 3.0, 3))
    if chosen["room"]:
        made = made + _room(made, sample_rate, rng)
    if chosen["drive"]:
        made = _saturated(made, db_to_amplitude(rng.uniform(*DRIVE_DECIBELS)))
    if chosen["hiss"]:
        noise = rng.standard_normal(made.shape, np.float32)
        made = made + noise * (_level(made) * db_to_amplitude(rng.uniform(*HISS_DECIBELS)))
    made = made * (_level(signal) / max(_level(made), 1e-9))
    return made / max(1.0, float(np.abs(made).max()))


def widen(signal: Signal, sample_rate: int, decibels: Sequence[float] | np.ndarray) -> Signal:
    """Change the level of the side signal relative to mid; the total energy is kept.

    Args:
        signal: [2, samples].
        sample_rate: in Hz.
        decibels: gain of the side at each of `WIDTH_HERTZ`, interpolated linearly.
    """
    middle, side = signal.mean(axis=0), (signal[0] - signal[1]) / 2
    side = filtered(side, sample_rate, WIDTH_HERTZ, decibels)
    wide = np.stack([middle + side, middle - side])
    energy = float(np.square(wide).sum())
    return wide * math.sqrt(float(np.square(signal).sum()) / energy) if energy else signal


def filtered(
    signal: np.ndarray,
    sample_rate: int,
    hertz: Sequence[float],
    decibels: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Apply a zero-phase filter.

    Args:
        signal: [..., samples].
        sample_rate: in Hz.
        hertz: frequencies, increasing.
        decibels: gain at each frequency, linear over octaves between, constant beyond.
    """
    samples = signal.shape[-1]
    size = fft.next_fast_len(samples, real=True)
    octaves = np.log2(fft.rfftfreq(size, 1 / sample_rate).clip(min=1.0))
    gain = 10.0 ** (np.interp(octaves, np.log2(hertz), decibels) / 20.0)
    gain = gain.astype(signal.dtype)
    made = np.asarray(fft.irfft(fft.rfft(signal, size) * gain, size))
    return made[..., :samples]


def _room(signal: Signal, sample_rate: int, rng: np.random.Generator) -> Signal:
    """Return the reverberation: convolution with exponentially decaying noise."""
    seconds = _between(rng, ROOM_SECONDS)
    length = round(seconds * sample_rate)
    decay = 10.0 ** (-3.0 * np.arange(length) / length)
    answer = (rng.standard_normal((len(signal), length)) * decay).astype(signal.dtype)
    wet = signal_tools.fftconvolve(signal, answer, axes=-1)[:, : signal.shape[-1]]
    level = _level(signal) * db_to_amplitude(rng.uniform(*ROOM_DECIBELS))
    return wet * (level / max(_level(wet), 1e-9))


def _saturated(signal: Signal, drive: float) -> Signal:
    """Apply soft saturation, as of tape or an amplifier."""
    peak = max(float(np.abs(signal).max()), 1e-9)
    return np.tanh(signal * (drive / peak)) * (peak / math.tanh(drive))


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw a log-uniform number."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _level(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))
