"""Modulation of known depth and frequency."""

import math

import numpy as np
import pytest

from jen1cli.metrics.envelopes import band_envelope
from jen1cli.metrics.modulation import line_level, sine_modulation

RATE = 48_000
FRAMES = 48_000 / 2048  # 23.4 per second
BAND = (3_000.0, 6_000.0)


def modulated(depth, carrier, hertz=FRAMES):
    t = np.arange(len(carrier)) / RATE
    return carrier * (1 + depth * np.sin(2 * np.pi * hertz * t + 0.7))


def sine(hertz, seconds=3.0):
    return 0.25 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize("hertz", [220.0, 1000.0, 4000.0])
@pytest.mark.parametrize("depth", [0.01, 0.05, 0.3])
def test_the_modulation_of_a_sine_is_read(hertz, depth):
    for rate in (FRAMES, 2 * FRAMES):
        found = sine_modulation(modulated(depth, sine(hertz), rate), RATE, hertz, rate)
        assert found == pytest.approx(depth, rel=0.01)


def test_a_modulation_of_another_frequency_does_not_count():
    tone = modulated(0.05, sine(1000.0))
    assert sine_modulation(tone, RATE, 1000.0, 2 * FRAMES) < 1e-4
    assert sine_modulation(sine(1000.0), RATE, 1000.0, FRAMES) < 1e-4
    assert sine_modulation(sine(1000.0) + sine(3000.0), RATE, 1000.0, FRAMES) < 1e-4
    for sound, hertz in ((0 * tone, FRAMES), (tone, 500.0)):
        assert math.isnan(sine_modulation(sound, RATE, 1000.0, hertz))


def test_a_modulation_of_the_pitch_is_none_of_the_level():
    t = np.arange(3 * RATE) / RATE
    tone = np.sin(2 * np.pi * 1000.0 * t + 0.1 * np.sin(2 * np.pi * FRAMES * t))
    assert sine_modulation(tone, RATE, 1000.0, FRAMES) < 0.002


def test_a_line_stands_over_its_neighbours():
    hiss = np.random.default_rng(0).standard_normal(8 * RATE)
    levels = [
        line_level(band_envelope(modulated(depth, hiss), RATE, BAND), FRAMES)
        for depth in (0.0, 0.05, 0.1, 0.2)
    ]
    assert abs(levels[0]) < 4.0  # of noise: chance
    assert levels[0] + 3 < levels[1] < levels[2] < levels[3]
    assert levels[3] - levels[2] == pytest.approx(6.02, abs=1.5)
    elsewhere = line_level(band_envelope(modulated(0.2, hiss), RATE, BAND), 2 * FRAMES)
    assert elsewhere < 4.0


def test_short_sounds_and_silence_have_no_lines():
    hiss = np.random.default_rng(0).standard_normal(2 * RATE)
    for sound in (hiss, np.zeros(4 * RATE)):
        assert math.isnan(line_level(band_envelope(sound, RATE, BAND), FRAMES))
