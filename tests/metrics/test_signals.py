"""Measures of reconstruction against what is known of simple changes."""

import numpy as np
import pytest

from jen1cli.metrics.signals import (
    level,
    log_spectral_distance,
    mel_distance,
    si_sdr,
    side_level,
    width,
)

RATE = 48_000


def test_si_sdr_of_known_noise(noise):
    signal = noise(seconds=2.0, level=0.3, seed=1)
    disturbed = signal + noise(seconds=2.0, level=0.03, seed=2)
    assert si_sdr(signal, disturbed) == pytest.approx(20.0, abs=0.3)


def test_si_sdr_ignores_level(music, noise):
    signal = music()
    back = signal + noise(seconds=2.0, level=0.01)
    assert si_sdr(signal, 0.25 * back) == pytest.approx(si_sdr(signal, back), abs=1e-3)
    assert si_sdr(signal, signal) > 100


def test_distances_are_zero_for_the_same_and_grow_with_damage(music, noise):
    signal = music()
    light, heavy = (signal + noise(seconds=2.0, level=x) for x in (0.001, 0.05))
    for distance in (lambda a, b: mel_distance(a, b, RATE), log_spectral_distance):
        assert distance(signal, signal) == 0
        assert 0 < distance(signal, light) < distance(signal, heavy)


def test_half_the_level_is_six_decibels(noise):
    signal = noise(seconds=1.0, level=0.2)
    assert log_spectral_distance(signal, 0.5 * signal) == pytest.approx(6.02, abs=0.02)
    assert mel_distance(signal, 0.1 * signal, RATE) == pytest.approx(1.0, abs=0.01)
    assert level(0.5 * signal) == pytest.approx(level(signal) - 6.02, abs=0.01)


def test_stereo_measures(tone):
    same = tone()
    assert side_level(same) == -120.0
    assert width(same) == -120.0
    assert width(same[:1]) == -120.0
    opposite = same * np.array([[1.0], [-1.0]], np.float32)
    assert side_level(opposite) == pytest.approx(level(opposite), abs=0.01)
    left = same * np.array([[1.0], [0.0]], np.float32)
    assert width(left) == pytest.approx(0.0, abs=0.01)


def test_different_lengths_are_a_mistake(tone):
    with pytest.raises(ValueError, match="cannot be compared"):
        si_sdr(tone(), tone(seconds=2.0))
