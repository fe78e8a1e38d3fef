"""Loudness and limiter of the renderer, against pyloudnorm and plain oversampling."""

import numpy as np
import pyloudnorm
import pytest
from scipy import signal

from jen1cli.corpus.rendering.mastering import integrated_loudness, limit, normalize, true_peak

RATE = 48_000


def oversampled_peak(sound):
    return np.abs(signal.resample_poly(sound.astype(float), 16, 1, axis=1)).max()


@pytest.mark.parametrize("hertz", [60.0, 250.0, 997.0, 4000.0, 12_000.0])
def test_loudness_of_tones_agrees_with_the_standard(tone, hertz):
    sound = tone(3.0, hertz, RATE, 2, 0.3)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(float))
    assert integrated_loudness(sound) == pytest.approx(expected, abs=0.1)


def test_loudness_of_music_with_pauses_agrees_with_the_standard(music):
    sound = np.concatenate([music(3.0), 0.001 * music(3.0), music(2.0)], axis=1)
    expected = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(float))
    assert integrated_loudness(sound) == pytest.approx(expected, abs=0.15)


def test_silence_has_the_lowest_loudness():
    assert integrated_loudness(np.zeros((2, RATE), np.float32)) == -70.0
    assert integrated_loudness(np.zeros((2, 10), np.float32)) == -70.0


def test_true_peak_lies_between_the_samples():
    t = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 12_000 * t + np.pi / 4).astype(np.float32)  # sampled at ±0.707
    sound = np.stack([tone, 0.1 * tone])
    assert np.abs(sound[:, 100:-100]).max() == pytest.approx(0.7071, abs=1e-3)
    assert true_peak(sound[:, 100:-100].copy()) == pytest.approx(1.0, abs=0.06)


def test_limiter_holds_the_ceiling_and_leaves_quiet_alone(noise):
    sound = noise(2.0, level=0.05)
    assert np.array_equal(limit(sound), sound)
    sound[:, 40_000:40_020] += 1.5
    limited = limit(sound)
    assert 20 * np.log10(oversampled_peak(limited)) <= -1.0
    assert np.array_equal(limited[:, :30_000], sound[:, :30_000])
    assert np.array_equal(limited[:, 50_000:], sound[:, 50_000:])


@pytest.mark.parametrize("lufs", [-30.0, -14.0, -9.0])
def test_music_is_brought_to_a_loudness(music, lufs):
    made = normalize(music(4.0), lufs, most_limiting_db=16.0)
    assert integrated_loudness(made) == pytest.approx(lufs, abs=0.7)
    assert 20 * np.log10(oversampled_peak(made)) <= -0.98


def test_tall_peaks_stay_rather_than_be_crushed():
    sound = np.zeros((2, 2 * RATE), np.float32)
    sound[:, ::24_000] = 0.5
    made = normalize(sound, -14.0, most_limiting_db=6.0)
    assert np.abs(made).max() / np.abs(sound).max() < 4.0
    assert integrated_loudness(made) < -16.0


def test_very_short_and_silent_sounds_pass():
    assert normalize(np.zeros((2, 5), np.float32)).shape == (2, 5)
    tiny = np.full((2, 1), 0.2, np.float32)
    assert np.isfinite(normalize(tiny)).all()
