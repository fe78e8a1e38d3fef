"""Form over time: colour and level between blocks of two seconds."""

import numpy as np
import pytest

from jen1cli.evaluation.form_measures import measure_form

RATE = 16_000


def noise(seconds: float, gain: float = 0.1, *, bright: bool = False) -> np.ndarray:
    """Return white noise or its running sum, which is dark, [2, samples]."""
    white = np.random.default_rng(1).standard_normal((2, round(seconds * RATE)))
    sound = white if bright else np.cumsum(white - 0.01 * white.cumsum(1), axis=1) * 0.01
    return (gain * sound / np.abs(sound).max()).astype(np.float32)


def test_what_stays_the_same_has_no_form():
    found = measure_form(np.tile(noise(2.0), 12), RATE)
    assert found["likeness of colour"] == pytest.approx(1.0, abs=1e-6)
    assert found["likeness of colour of halves"] == pytest.approx(1.0, abs=1e-6)
    assert found["range of levels of 2 s, dB"] == pytest.approx(0.0, abs=1e-4)
    assert found["beginning, dB"] == pytest.approx(0.0, abs=1e-4)


def test_another_colour_in_the_second_half_and_a_quiet_beginning_are_seen():
    quiet = noise(2.0, 0.01)
    music = np.concatenate([quiet, np.tile(noise(2.0), 9), np.tile(noise(2.0, bright=True), 10)], 1)
    found = measure_form(music, RATE)
    assert found["likeness of colour of halves"] < 0.5
    assert found["likeness of colour of halves"] < found["likeness of colour"] < 0.9
    assert found["beginning, dB"] < -10.0
    assert abs(found["end, dB"]) < 10.0


def test_short_or_silent_music_has_no_figures():
    for music in (noise(19.0), np.zeros((2, 30 * RATE), np.float32)):
        assert all(np.isnan(value) for value in measure_form(music, RATE).values())
