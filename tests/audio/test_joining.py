"""Seams: prediction goes on with a tone, cross-fades keep power and meet both ends."""

import numpy as np
import pytest

from jen1cli import audio


def test_prediction_goes_on_with_tones(tone):
    signal = tone(0.2, 440.0) + tone(0.2, 1_234.0, level=0.2)
    known, after = signal[:, :8_160], signal[:, 8_160:9_600]
    predicted = audio.extrapolate(known, 1_440)
    error = np.sqrt(np.mean((predicted - after) ** 2) / np.mean(after**2))
    assert error < 0.1


def test_prediction_of_music_is_stable_and_joins_without_a_step(music):
    known = music(1.0)[:, :30_000]
    predicted = audio.extrapolate(known, 4_800)
    assert np.abs(predicted).max() <= 2 * np.abs(known).max()
    steps = np.abs(np.diff(known, axis=1)).max()
    assert np.abs(predicted[:, 0] - known[:, -1]).max() <= steps


@pytest.mark.parametrize("samples", [0, 1, 5, 100])
def test_scraps_and_silence_predict_silence_at_worst(samples):
    predicted = audio.extrapolate(np.zeros((2, samples), np.float32), 50)
    assert predicted.shape == (2, 50)
    assert not predicted.any()


def test_crossfade_keeps_the_power_of_like_and_unlike_signals(noise):
    a, b = noise(1.0, seed=1), noise(1.0, seed=2)
    same = audio.crossfade(a, a)
    np.testing.assert_allclose(same, a, atol=1e-6)
    unlike = audio.crossfade(a, b)
    powers = [np.mean(part**2) for part in np.array_split(unlike, 8, axis=1)]
    assert max(powers) / min(powers) < 1.1
    np.testing.assert_allclose(unlike[:, 0], a[:, 0], atol=1e-4)
    np.testing.assert_allclose(unlike[:, -1], b[:, -1], atol=1e-4)
