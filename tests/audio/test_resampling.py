"""Rates and layouts: tones keep pitch and level, lengths are exact, streams equal the whole."""

import numpy as np
import pytest

from jen1cli import audio

PAIRS = [(44_100, 48_000), (48_000, 44_100), (22_050, 48_000), (96_000, 48_000), (48_000, 48_000)]


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_tones_keep_frequency_phase_and_level(tone, from_rate, to_rate):
    signal = audio.resample(tone(1.0, 1_000.0, from_rate), from_rate, to_rate)
    expected = tone(1.0, 1_000.0, to_rate)
    assert signal.shape == (2, to_rate)
    middle = slice(to_rate // 10, -to_rate // 10)
    np.testing.assert_allclose(signal[:, middle], expected[:, middle], atol=2e-4)


@pytest.mark.parametrize("samples", [1, 2, 147, 44_099, 44_101])
def test_lengths_cover_the_same_time(noise, samples):
    signal = audio.resample(noise(1.1, 44_100)[:, :samples], 44_100, 48_000)
    assert signal.shape[1] == audio.resampled_length(samples, 44_100, 48_000)
    assert signal.shape[1] == -(-samples * 160 // 147)
    back = audio.resample(signal, 48_000, 44_100)
    assert samples <= back.shape[1] <= samples + 1


@pytest.mark.parametrize(("from_rate", "to_rate"), PAIRS)
def test_a_stream_equals_the_whole(noise, from_rate, to_rate):
    signal = noise(1.0, from_rate)
    stream = audio.Resampler(from_rate, to_rate, 2)
    blocks = np.array_split(signal, 7, axis=1)
    parts = [stream.feed(block, last=i == 6) for i, block in enumerate(blocks)]
    joined = np.concatenate(parts, axis=1)
    whole = audio.resample(signal, from_rate, to_rate)
    samples = min(joined.shape[1], whole.shape[1])
    assert abs(joined.shape[1] - whole.shape[1]) <= 1
    np.testing.assert_allclose(joined[:, :samples], whole[:, :samples], atol=1e-4)


def test_layouts_go_there_and_back(noise):
    mono = noise(0.1, channels=1)
    stereo = audio.to_channels(mono, 2)
    assert stereo.shape == (2, 4_800)
    np.testing.assert_array_equal(stereo[0], stereo[1])
    np.testing.assert_allclose(audio.to_channels(stereo, 1), mono, atol=1e-7)
    sides = np.stack([mono[0], -mono[0]])
    assert not audio.to_channels(sides, 1).any()


def test_seconds_are_rounded_to_the_nearest_sample():
    assert audio.seconds_to_samples(1.5, 44_100) == 66_150
    assert audio.seconds_to_samples(0.99999, 44_100) == 44_100
