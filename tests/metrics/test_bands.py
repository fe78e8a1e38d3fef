"""Flatness and level of a band of known sounds."""

import math

import numpy as np
import pytest

from jen1cli.metrics.bands import band_level, spectral_flatness

RATE = 48_000
TOP = (14_000.0, 18_000.0)


def test_noise_is_flat_and_a_tone_is_not(noise, tone):
    hiss = noise(seconds=4.0)
    assert spectral_flatness(hiss, RATE, TOP) == pytest.approx(math.exp(-np.euler_gamma), abs=0.015)
    assert spectral_flatness(tone(frequency=16_000.0), RATE, TOP) < 1e-4
    assert spectral_flatness(0.01 * hiss, RATE, TOP) == pytest.approx(
        spectral_flatness(hiss, RATE, TOP)
    )
    mixed = hiss + tone(seconds=4.0, frequency=16_000.0, level=0.3)
    assert 0.001 < spectral_flatness(mixed, RATE, TOP) < 0.3


def test_silence_is_left_out_of_flatness(noise):
    hiss = noise(seconds=2.0)
    half = np.concatenate([hiss, np.zeros_like(hiss)], axis=1)
    assert spectral_flatness(half, RATE, TOP) == pytest.approx(
        spectral_flatness(hiss, RATE, TOP), abs=0.01
    )
    assert math.isnan(spectral_flatness(0 * hiss, RATE, TOP))


def test_the_level_of_a_band_is_its_share(noise, tone):
    assert band_level(noise(seconds=2.0), RATE, TOP) == pytest.approx(
        10 * np.log10(4 / 24), abs=0.1
    )
    low, high = tone(frequency=1000.0, level=0.5), tone(frequency=16_000.0, level=0.05)
    assert band_level(low + high, RATE, TOP) == pytest.approx(-20.04, abs=0.05)
    assert band_level(high, RATE, TOP) == pytest.approx(0.0, abs=0.01)
    assert math.isnan(band_level(0 * low, RATE, TOP))


def test_a_rate_without_the_band_says_nothing(noise):
    hiss = noise(seconds=1.0, rate=32_000)
    assert math.isnan(spectral_flatness(hiss, 32_000, TOP))
    assert math.isnan(band_level(hiss, 32_000, TOP))


def test_a_sound_shorter_than_a_window_is_measured(noise):
    assert band_level(noise(seconds=0.02), RATE, TOP) == pytest.approx(-7.8, abs=1.5)
