"""Partials in tune: tones of known mistuning."""

import math

import numpy as np
import pytest

from jen1cli.metrics.tuning import partials_in_tune

RATE = 48_000
NOTES = (110.0, 164.8, 220.0, 277.2, 329.6)
BAND = (80.0, 400.0)


def tones(cents=0.0, notes=NOTES, seconds=3.0, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return 0.1 * sum(np.sin(2 * np.pi * f * 2 ** (cents / 1200) * t) for f in notes)


@pytest.mark.parametrize("rate", [48_000, 22_050])
@pytest.mark.parametrize(
    ("cents", "share"), [(0.0, 100.0), (8.0, 100.0), (25.0, 0.0), (-40.0, 0.0)]
)
def test_partials_within_15_cents_are_in_tune(cents, share, rate):
    found = partials_in_tune(tones(rate=rate), tones(cents, rate=rate), rate, BAND)
    assert found == pytest.approx(share, abs=2.0)


def test_missing_partials_are_not_in_tune():
    assert partials_in_tune(tones(), tones(notes=NOTES[:3]), RATE, BAND) == pytest.approx(60.0)
    assert partials_in_tune(tones(), np.zeros(3 * RATE), RATE, BAND) == 0.0


def test_only_partials_of_the_band_and_loud_ones_count():
    quiet = tones() + 0.02 * tones(notes=(196.0,)) + tones(notes=(500.0,))
    assert partials_in_tune(quiet, tones(), RATE, BAND) == 100.0


def test_a_rate_too_low_for_the_band_is_left_open():
    sound = tones(rate=600)
    assert math.isnan(partials_in_tune(sound, sound, 600, BAND))


@pytest.mark.parametrize("sound", [np.zeros(3 * RATE), np.zeros(100), tones(seconds=0.4)])
def test_nothing_is_said_of_few_partials(sound):
    assert math.isnan(partials_in_tune(sound, sound, RATE, BAND))
