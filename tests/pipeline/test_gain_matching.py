"""Levels: matched within a tolerance, steady over windows, never above the ceiling."""

import numpy as np
import pytest

from jen1cli import audio
from jen1cli.pipeline import gain_matching


def test_gain_closes_the_difference_but_for_the_tolerance():
    assert gain_matching.matching_gain(-20.0, -14.0, tolerance=1.5) == pytest.approx(4.5)
    assert gain_matching.matching_gain(-14.0, -20.0, tolerance=1.5) == pytest.approx(-4.5)
    assert gain_matching.matching_gain(-20.0, -19.0, tolerance=1.5) == 0.0
    assert gain_matching.matching_gain(-40.0, -10.0) == 6.0
    assert gain_matching.matching_gain(0.0, -50.0) == -40.0
    assert gain_matching.matching_gain(-70.0, -10.0) == 0.0


def test_a_window_that_drifts_is_brought_back_without_steps(music):
    one = music(4.0)
    signal = np.concatenate([one, 0.5 * one, one, 1.8 * one], axis=1)
    cuts = [192_000, 384_000, 576_000]
    before = signal.copy()
    gain_matching.level_segments(signal, 48_000, cuts, target=None)
    edges = [0, *cuts, signal.shape[1]]
    levels = [audio.loudness(signal[:, a:b], 48_000) for a, b in zip(edges, edges[1:])]  # noqa: B905, RUF007
    assert max(levels) - min(levels) < 2 * gain_matching.TOLERANCE + 0.3
    loud = np.abs(before[0]) > 1e-3
    gain = np.where(loud, signal[0] / np.where(loud, before[0], 1), np.nan)
    gain = gain[~np.isnan(gain)]
    assert np.abs(np.diff(gain)).max() < 1e-3
    assert gain[0] == pytest.approx(1.0)


def test_steady_music_is_left_alone(music):
    signal = np.concatenate([music(2.0), music(2.0)], axis=1)
    before = signal.copy()
    gain_matching.level_segments(signal, 48_000, [96_000], target=None)
    np.testing.assert_array_equal(signal, before)


def test_peaks_are_held_and_the_rest_keeps_its_level(music):
    signal = music(4.0)
    signal *= np.float32(0.5 / np.abs(signal).max())
    signal[:, 60_000:60_050] *= 5.0  # a peak of 2.5
    before = signal.copy()
    gain_matching.limit(signal, 48_000)
    assert audio.true_peak(signal, 48_000) <= gain_matching.CEILING
    away = np.r_[0:57_000, 63_000 : signal.shape[1]]
    np.testing.assert_array_equal(signal[:, away], before[:, away])
    loud = (np.abs(before) > 1e-2).all(axis=0)
    gain = signal[:, loud] / before[:, loud]
    np.testing.assert_allclose(gain[0], gain[1], rtol=1e-4)  # one for both channels
    assert gain.min() < 0.5
    assert np.abs(np.diff(gain[0])).max() < 0.05
    kept = before * np.float32(0.2)
    quiet = kept.copy()
    gain_matching.limit(quiet, 48_000)
    np.testing.assert_array_equal(quiet, kept)


def test_loud_music_is_turned_down_and_soft_music_left(music):
    loud = music(4.0)
    loud *= np.float32(10 ** ((-9.0 - audio.loudness(loud, 48_000)) / 20))
    soft = loud * np.float32(0.3)
    before = soft.copy()
    gain_matching.cap_loudness(loud, 48_000)
    gain_matching.cap_loudness(soft, 48_000)
    assert audio.loudness(loud, 48_000) == pytest.approx(gain_matching.LOUDEST, abs=0.05)
    np.testing.assert_array_equal(soft, before)


def test_limiting_in_pieces_is_limiting_the_whole(music, monkeypatch):
    signal = 3.0 * music(3.0)
    whole, pieces = signal.copy(), signal.copy()
    gain_matching.limit(whole, 48_000)
    monkeypatch.setattr(gain_matching, "_BLOCK", 1 << 15)
    gain_matching.limit(pieces, 48_000)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)
