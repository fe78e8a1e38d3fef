"""Loudness against the standard's own coefficients and pyloudnorm; true peak between samples."""

import math

import numpy as np
import pyloudnorm
import pytest

from jen1cli import audio
from jen1cli.audio.loudness import SILENCE, k_weighting


def test_k_weighting_at_48_khz_is_the_table_of_bs_1770():
    shelf, high_pass = k_weighting(48_000)
    expected = [
        1.53512485958697,
        -2.69169618940638,
        1.19839281085285,
        1,
        -1.69065929318241,
        0.73248077421585,
    ]
    np.testing.assert_allclose(shelf, expected, atol=1e-9)
    np.testing.assert_allclose(
        high_pass, [1, -2, 1, 1, -1.99004745483398, 0.99007225036621], atol=1e-9
    )


def rare(*case):
    return pytest.param(*case, marks=pytest.mark.heavy)


@pytest.mark.parametrize(
    ("rate", "channels"),
    [(44_100, 1), (48_000, 2), rare(96_000, 2), rare(44_100, 2), rare(48_000, 1), rare(96_000, 1)],
)
def test_loudness_agrees_with_pyloudnorm(music, noise, rate, channels):
    oracle = pyloudnorm.Meter(rate, filter_class="DeMan")
    quiet_then_loud = np.concatenate(
        [0.01 * music(1.5, rate, channels), music(2.03, rate, channels)], axis=1
    )
    for signal in (quiet_then_loud, noise(2.0, rate, channels)):
        expected = oracle.integrated_loudness(signal.T.astype(np.float64))
        assert audio.loudness(signal, rate) == pytest.approx(expected, abs=0.02)


def test_a_full_scale_1_khz_tone_measures_as_the_standard_says(tone):
    assert audio.loudness(tone(3.0, 997.0, channels=1, level=1.0), 48_000) == pytest.approx(
        -3.01, abs=0.02
    )


def test_blocks_measure_like_the_whole(music):
    signal = music(6.0)
    meter = audio.LoudnessMeter(48_000)
    for block in np.array_split(signal, 23, axis=1):
        meter.feed(block)
    assert meter.result() == pytest.approx(audio.loudness(signal, 48_000), abs=1e-6)


def test_silence_and_scraps_have_a_level(tone):
    assert audio.loudness(np.zeros((2, 48_000), np.float32), 48_000) == SILENCE
    assert audio.loudness(np.zeros((2, 0), np.float32), 48_000) == SILENCE
    short = audio.loudness(tone(0.05, 997.0, channels=1, level=1.0), 48_000)
    assert short == pytest.approx(-3.0, abs=0.5)


def test_true_peak_sees_between_the_samples():
    t = np.arange(48_000)
    signal = np.sin(np.pi / 2 * t + np.pi / 4)[None].astype(np.float32)  # samples at ±0.707
    assert np.abs(signal).max() == pytest.approx(math.sqrt(0.5), abs=1e-3)
    assert audio.true_peak(signal[:, 1_000:-1_000], 48_000) == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize("hertz", [60.0, 250.0, 997.0, 4000.0, 12_000.0])
def test_fast_loudness_of_tones_agrees_with_pyloudnorm(tone, hertz):
    sound = tone(3.0, hertz, 48_000, 2, 0.3)
    expected = pyloudnorm.Meter(48_000).integrated_loudness(sound.T.astype(float))
    assert audio.fast_loudness(sound, 48_000) == pytest.approx(expected, abs=0.1)


def test_fast_loudness_gates_pauses_like_the_exact_one(music):
    sound = np.concatenate([music(3.0), 0.001 * music(3.0), music(2.0)], axis=1)
    assert audio.fast_loudness(sound, 48_000) == pytest.approx(
        audio.loudness(sound, 48_000), abs=0.1
    )
    assert audio.fast_loudness(np.zeros((2, 48_000), np.float32), 48_000) == SILENCE
    assert audio.fast_loudness(np.zeros((2, 10), np.float32), 48_000) == SILENCE


def test_decibels_become_amplitudes():
    assert audio.db_to_amplitude(-20.0) == pytest.approx(0.1)
    assert audio.db_to_amplitude(0.0) == 1.0
