"""Mastering: loudness and true peak of the result, measured by pyloudnorm and oversampling."""

import numpy as np
import pyloudnorm
import pytest
from scipy import signal

from jen1cli.corpus.rendering.mastering import normalize

RATE = 48_000


def oversampled_peak(sound):
    return np.abs(signal.resample_poly(sound.astype(float), 16, 1, axis=1)).max()


def integrated_loudness(sound):
    return pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(float))


@pytest.mark.parametrize("lufs", [pytest.param(-30.0, marks=pytest.mark.heavy), -14.0, -9.0])
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
