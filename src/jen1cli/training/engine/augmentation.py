"""Other colours of the same music: as if it had been recorded, mixed or stored otherwise.

Rendered music has few rooms and few mixes. A model that never met others goes on in those that it
knows when it continues a recording; one that has learned from augmented copies looks at what is
there. Beats, chords and notes stay where they are.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import fft
from scipy import signal as signal_tools

from jen1cli.audio import Signal

EQUALIZER_HERTZ = (40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0, 10240.0, 20480.0)
EQUALIZER_DECIBELS = 5.0  # standard deviation at each of these
WIDTH_HERTZ = (100.0, 800.0, 6400.0)
WIDTH_DECIBELS = (-15.0, 9.0)
ROOM_SECONDS = (0.2, 1.5)  # in which a room falls by 60 dB
ROOM_DECIBELS = (-18.0, -3.0)  # of the room against the music
DRIVE_DECIBELS = (0.0, 15.0)
HISS_DECIBELS = (-65.0, -35.0)  # against the music
LOW_HERTZ, HIGH_HERTZ = (40.0, 300.0), (3000.0, 12000.0)  # of recordings with narrow bands
_SLOPE_DECIBELS = 24.0  # per octave outside these
_CHANCE = {"band": 0.25, "width": 0.5, "room": 0.4, "drive": 0.35, "hiss": 0.25}


def augment(signal: Signal, sample_rate: int, rng: np.random.Generator) -> Signal:
    """Return music in another colour, as loud as it was.

    Always through an equalizer; by chance with narrow bands, another width, a room, saturation and
    hiss.

    Args:
        signal: [channels, samples].
        sample_rate: in Hz.
        rng: decides everything.
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
        made = _saturated(made, _gain(rng.uniform(*DRIVE_DECIBELS)))
    if chosen["hiss"]:
        noise = rng.standard_normal(made.shape, np.float32)
        made = made + noise * (_level(made) * _gain(rng.uniform(*HISS_DECIBELS)))
    made = made * (_level(signal) / max(_level(made), 1e-9))
    return made / max(1.0, float(np.abs(made).max()))


def widen(signal: Signal, sample_rate: int, decibels: Sequence[float] | np.ndarray) -> Signal:
    """Raise the side of a stereo signal against its middle, and keep its energy.

    Args:
        signal: [2, samples].
        sample_rate: in Hz.
        decibels: gain of the side at each of `WIDTH_HERTZ`, straight lines between.
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
    """Filter without moving phases.

    Args:
        signal: [..., samples].
        sample_rate: in Hz.
        hertz: rising.
        decibels: gain at each of these, straight lines over octaves between, level beyond.
    """
    samples = signal.shape[-1]
    size = fft.next_fast_len(samples, real=True)
    octaves = np.log2(fft.rfftfreq(size, 1 / sample_rate).clip(min=1.0))
    gain = 10.0 ** (np.interp(octaves, np.log2(hertz), decibels) / 20.0)
    gain = gain.astype(signal.dtype)
    made = np.asarray(fft.irfft(fft.rfft(signal, size) * gain, size))
    return made[..., :samples]


def _room(signal: Signal, sample_rate: int, rng: np.random.Generator) -> Signal:
    """Return what a room, noise that dies away, answers to the music."""
    seconds = _between(rng, ROOM_SECONDS)
    length = round(seconds * sample_rate)
    decay = 10.0 ** (-3.0 * np.arange(length) / length)
    answer = (rng.standard_normal((len(signal), length)) * decay).astype(signal.dtype)
    wet = signal_tools.fftconvolve(signal, answer, axes=-1)[:, : signal.shape[-1]]
    level = _level(signal) * _gain(rng.uniform(*ROOM_DECIBELS))
    return wet * (level / max(_level(wet), 1e-9))


def _saturated(signal: Signal, drive: float) -> Signal:
    """Bend the waveform as a tape or an amplifier does, the more the louder it is."""
    peak = max(float(np.abs(signal).max()), 1e-9)
    return np.tanh(signal * (drive / peak)) * (peak / math.tanh(drive))


def _between(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _gain(decibels: float) -> float:
    return 10.0 ** (decibels / 20.0)


def _level(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))
