"""Sound as the renderer knows it: float32 stereo at 48 kHz, and the small tools around it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

SAMPLE_RATE = 48_000  # Hz
CONTROL_SAMPLES = 64  # one value of a slowly moving control per so many samples

Stereo = Float32[np.ndarray, "2 samples"]
Cut = Float32[np.ndarray, "2 _"]  # stereo of another length than what it was made from
Mono = Float32[np.ndarray, " samples"]
Raw = Float[np.ndarray, " samples"]  # of any precision, on its way to a sound
Curve = Float[np.ndarray, " points"]

__all__ = ["CONTROL_SAMPLES", "SAMPLE_RATE", "Curve", "Cut", "Mono", "Raw", "Stereo", "TimedNote"]


@dataclass(frozen=True)
class TimedNote:
    """One note in samples: what a player gets."""

    start: int  # sample of the onset
    length: int  # samples until the key is let go
    pitch: int  # MIDI number, or percussion key
    velocity: float  # 0 to 1


def frequency(pitch: float | int) -> float:
    """Hertz of a MIDI number in equal temperament, A4 = 440."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def decibels(gain_db: float | int) -> float:
    """Amplitude factor of a gain in decibels."""
    return float(10.0 ** (gain_db / 20.0))


def control_points(samples: int) -> int:
    """Control values that cover so many samples, with one more to interpolate towards."""
    return -(-samples // CONTROL_SAMPLES) + 1


def spread(curve: Curve, samples: int) -> Mono:
    """Interpolate a curve at control rate to `samples` values at audio rate."""
    points = control_points(samples)
    if len(curve) < points:
        curve = np.append(curve, np.full(points - len(curve), curve[-1]))
    low = curve[: points - 1].astype(np.float32)[:, None]
    step = (curve[1:points] - curve[: points - 1]).astype(np.float32)[:, None]
    ramp = np.arange(CONTROL_SAMPLES, dtype=np.float32) / CONTROL_SAMPLES
    return (low + step * ramp).reshape(-1)[:samples]


def mix_in(target: Float32[np.ndarray, "2 all"], sound: Stereo, start: int) -> None:
    """Add a sound to a longer one in place, cut at both ends."""
    first = max(0, -start)
    last = min(sound.shape[1], target.shape[1] - start)
    if last > first:
        target[:, start + first : start + last] += sound[:, first:last]


def read_at(sound: Mono, positions: Float32[np.ndarray, " n"] | np.ndarray) -> Mono:
    """Read a signal at fractional positions (in samples) by linear interpolation; 0 outside."""
    padded = np.concatenate([np.zeros(1, np.float32), sound, np.zeros(2, np.float32)])
    clipped = np.clip(positions + 1.0, 0.0, len(sound) + 1.0)
    index = clipped.astype(np.intp)
    fraction = (clipped - index).astype(np.float32)
    low = padded[index]
    return low + (padded[index + 1] - low) * fraction
