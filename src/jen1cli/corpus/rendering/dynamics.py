"""Compression, and removal of a DC offset."""

import numpy as np

from jen1cli.corpus.rendering.dsp import recursive
from jen1cli.corpus.rendering.stereo import (
    CONTROL_SAMPLES,
    SAMPLE_RATE,
    Stereo,
    control_points,
    spread,
)

_LEVEL_SAMPLES = 240  # 5 ms: block length of the compressor
_LEAST_OFFSET = 5e-4  # relative to the peak; a smaller offset is kept


def compress(sound: Stereo, amount: float) -> Stereo:
    """Compress passages above a threshold of 12 dB below the loudest ones.

    Args:
        sound: [2, samples].
        amount: 0 (ratio 1:1) to 1 (ratio 4:1).
    """
    samples = sound.shape[1]
    count = -(-samples // _LEVEL_SAMPLES)
    power = np.zeros((2, count * _LEVEL_SAMPLES), np.float32)
    np.square(sound, out=power[:, :samples])
    level = np.maximum(power[0], power[1]).reshape(count, _LEVEL_SAMPLES).mean(axis=1)
    level_db = 10.0 * np.log10(level + 1e-10)
    if level_db.max() < -80.0:
        return sound
    threshold = np.percentile(level_db[level_db > -80.0], 97) - 12.0
    wanted = -np.maximum(level_db - threshold, 0.0) * (1.0 - 1.0 / (1.0 + 3.0 * amount))
    attack, release = (
        float(np.exp(-_LEVEL_SAMPLES / (seconds * SAMPLE_RATE))) for seconds in (0.010, 0.120)
    )
    here, reduction = 0.0, []
    for value in wanted.tolist():
        here = value + (attack if value < here else release) * (here - value)
        reduction.append(here)
    places = np.arange(control_points(samples)) * (CONTROL_SAMPLES / _LEVEL_SAMPLES)
    gain_db = np.interp(places, np.arange(count) + 0.5, reduction)
    return sound * spread(10.0 ** (gain_db / 20.0), samples)


def remove_dc(sound: Stereo) -> Stereo:
    """Remove a DC offset and drift below 8 Hz; a sound without an offset is returned unchanged."""
    samples = sound.shape[1]
    if float(np.abs(sound.mean(axis=1)).max()) < _LEAST_OFFSET * float(np.abs(sound).max()):
        return sound
    points = control_points(samples)
    padded = np.zeros((2, points * CONTROL_SAMPLES), np.float32)
    padded[:, :samples] = sound
    means = padded.reshape(2, points, CONTROL_SAMPLES).mean(axis=2)
    pole = float(np.exp(-2 * np.pi * 8.0 * CONTROL_SAMPLES / SAMPLE_RATE))
    # a delay of two values keeps the estimate causal: no drift before the sound starts
    drift = recursive([0.0, 0.0, 1.0 - pole], [1.0, -pole], means)
    return sound - np.stack([spread(channel, samples) for channel in drift])
