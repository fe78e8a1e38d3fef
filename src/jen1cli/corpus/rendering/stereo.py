"""Types and basic operations of the renderer: float32 stereo at 48 kHz."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

SAMPLE_RATE = 48_000  # Hz
CONTROL_SAMPLES = 64  # samples per control value of slow modulation

Stereo = Float32[np.ndarray, "2 samples"]
Cut = Float32[np.ndarray, "2 _"]  # stereo of a length different from its source
Mono = Float32[np.ndarray, " samples"]
Raw = Float[np.ndarray, " samples"]  # intermediate signal of any precision
Curve = Float[np.ndarray, " points"]

__all__ = ["CONTROL_SAMPLES", "SAMPLE_RATE", "Curve", "Cut", "Mono", "Raw", "Stereo", "TimedNote"]


@dataclass(frozen=True)
class TimedNote:
    """One note with its times in samples, as players take it."""

    start: int  # sample of the onset
    length: int  # samples until the key is released
    pitch: int  # MIDI number, or percussion key
    velocity: float  # 0 to 1


def frequency(pitch: float | int) -> float:
    """Return the frequency in Hz of a MIDI number in equal temperament, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def times(seconds: float) -> Mono:
    """Return the times in seconds of the samples of a sound of some length."""
    return np.arange(int(seconds * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE


def control_points(samples: int) -> int:
    """Return the number of control values for `samples`, including one after the end."""
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
    """Add a sound to a longer one in place; parts outside it are cut off."""
    first = max(0, -start)
    last = min(sound.shape[1], target.shape[1] - start)
    if last > first:
        target[:, start + first : start + last] += sound[:, first:last]


def delayed(sound: Float32[np.ndarray, "channels samples"], delay: Mono) -> np.ndarray:
    """Delay a signal by a varying number of samples (at least 0), by linear interpolation."""
    samples = sound.shape[1]
    whole = delay.astype(np.int32)
    fraction = delay - whole
    reach = int(whole.max()) + 2
    padded = np.zeros((sound.shape[0], samples + reach), np.float32)
    padded[:, reach:] = sound
    index = np.arange(reach, samples + reach, dtype=np.int32) - whole
    made = np.empty_like(sound)
    for channel, source in enumerate(padded):
        near = source[index]
        made[channel] = near + (source[index - 1] - near) * fraction
    return made
