"""Spectrograms: the right pitch at the right height, silence dark, PNG that others read."""

import io

import matplotlib.image
import numpy as np
import pytest

from jen1cli.pages.spectrogram import draw_spectrograms, spectrogram, spectrogram_png

RATE = 48_000


@pytest.mark.parametrize("hertz", [200.0, 3000.0])
def test_spectrogram_shows_pitch_and_level_of_a_tone(hertz):
    t = np.arange(RATE) / RATE
    tone = np.stack([np.sin(2 * np.pi * hertz * t)] * 2).astype(np.float32)
    levels = spectrogram(tone, RATE)[:, 100:300].mean(axis=1)
    place = (np.argmax(levels) + 0.5) / len(levels)
    expected = np.log(hertz / 40.0) / np.log(18_000.0 / 40.0)
    assert place == pytest.approx(expected, abs=0.02)
    quieter = spectrogram(0.1 * tone, RATE)[:, 100:300].mean(axis=1)
    assert levels.max() - quieter.max() == pytest.approx(20.0, abs=0.01)
    picture = matplotlib.image.imread(io.BytesIO(spectrogram_png(spectrogram(tone, RATE))))
    assert picture.shape[:2] == (128, 480)
    bright = picture[..., :3].sum(axis=2)[:, 100:300].mean(axis=1)
    assert 1.0 - (np.argmax(bright) + 0.5) / len(bright) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("samples", [1, 100, 48_000])
def test_silence_and_short_sounds_are_drawn_dark(samples):
    picture = matplotlib.image.imread(
        io.BytesIO(spectrogram_png(spectrogram(np.zeros((1, samples), np.float32), RATE)))
    )
    assert picture[..., :3].max() <= 0.1


def test_a_picture_of_several_signals_is_written(tmp_path):
    noise = np.random.default_rng(0).standard_normal((2, RATE // 2)).astype(np.float32)
    draw_spectrograms(tmp_path / "x.png", {"a": noise, "b": 0.1 * noise}, RATE)
    assert matplotlib.image.imread(tmp_path / "x.png").shape[0] > 200
