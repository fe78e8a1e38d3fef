"""Partials: steadiness and pitch movement of tones with known movement."""

import math

import numpy as np
import pytest

from jen1cli.metrics.partials import pitch_movement, steadiness

RATE = 48_000


def vibrato(cents, hertz=5.5, rate=RATE, frequency=800.0, seconds=3.0):
    """A sine whose pitch moves by ± so many cents."""
    t = np.arange(round(seconds * rate)) / rate
    pitch = frequency * 2 ** (cents / 1200 * np.sin(2 * np.pi * hertz * t))
    return 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / rate)


def test_steady_tones_are_told_from_smeared_ones():
    rate, rng = 48_000, np.random.default_rng(0)
    t = np.arange(3 * rate) / rate
    tones = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 330.5, 441.0, 880.0))
    smeared = np.zeros_like(t)
    for f in (220.0, 330.5, 441.0, 880.0):
        phase = np.interp(t, np.arange(0, 3.1, 0.02), rng.uniform(-np.pi, np.pi, 155))
        smeared += np.sin(2 * np.pi * f * t + phase)
    clear, broken = steadiness(tones, rate), steadiness(smeared, rate)
    hiss = steadiness(rng.standard_normal(len(t)), rate)
    assert clear > 0.97
    assert broken < 0.5 * clear
    assert hiss < 0.3


@pytest.mark.parametrize("rate", [48_000, 44_100, 22_050])
@pytest.mark.parametrize(("cents", "hertz"), [(5.0, 4.0), (10.0, 5.5), (20.0, 5.5)])
def test_a_vibrato_is_read_in_cents(cents, hertz, rate):
    assert pitch_movement(vibrato(cents, hertz, rate), rate) == pytest.approx(cents, rel=0.18)


def test_steady_partials_do_not_move():
    t = np.arange(3 * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * f * t) for f in (600.0, 900.0, 1350.0, 1800.0))
    assert pitch_movement(vibrato(0.0), RATE) < 0.01
    assert pitch_movement(tones, RATE) < 0.5


def test_only_partials_of_the_band_count():
    still, moving = vibrato(0.0, frequency=1000.0), vibrato(20.0, frequency=300.0)
    assert pitch_movement(still + moving, RATE) < 1.0


def test_nothing_is_said_without_lasting_partials():
    clicks = np.zeros(2 * RATE)
    clicks[:: RATE // 2] = 1.0
    for sound, rate in ((np.zeros(RATE), RATE), (clicks, RATE), (vibrato(5.0, rate=3000), 3000),
                        (vibrato(5.0)[:1000], RATE)):  # fmt: skip
        assert math.isnan(pitch_movement(sound, rate))
