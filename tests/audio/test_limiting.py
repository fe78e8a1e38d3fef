"""The limiter against plain oversampling."""

import numpy as np
import pytest
from scipy import signal

from jen1cli.audio.limiting import block_peaks, limited

RATE = 48_000
CEILING = 10 ** (-1 / 20)


def test_true_peak_lies_between_the_samples():
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 12_000 * t + np.pi / 4).astype(np.float32)  # sampled at ±0.707
    sound = np.stack([tone, 0.1 * tone])[:, 100:-100].copy()
    assert np.abs(sound).max() == pytest.approx(0.7071, abs=1e-3)
    assert block_peaks(sound).max() == pytest.approx(1.0, abs=0.06)


def test_limiter_holds_the_ceiling_and_leaves_quiet_alone(noise):
    sound = noise(2.0, level=0.05)
    assert np.array_equal(limited(sound, CEILING), sound)
    sound[:, 40_000:40_020] += 1.5
    held = limited(sound, CEILING)
    oversampled = np.abs(signal.resample_poly(held.astype(float), 16, 1, axis=1)).max()
    assert oversampled <= CEILING
    assert np.array_equal(held[:, :30_000], sound[:, :30_000])
    assert np.array_equal(held[:, 50_000:], sound[:, 50_000:])
