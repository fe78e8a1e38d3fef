"""Attacks of known shape: where, how fast, what comes before, how far they stand out."""

import math

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from jen1cli.metrics.envelopes import band_envelope
from jen1cli.metrics.transients import (
    attack_correlation,
    attack_crest,
    attack_time,
    find_attacks,
    pre_echo,
)

RATE = 48_000
BAND = (3_000.0, 6_000.0)
STARTS = 0.3 + 0.4 * np.arange(6)  # seconds


def bursts(ramp, rate=RATE, floor=1e-4, hertz=4500.0, decay=0.05):
    """Tones that rise in a straight line for `ramp` seconds and then decay."""
    t = np.arange(round(2.8 * rate)) / rate
    sound = floor * np.random.default_rng(0).standard_normal(len(t))
    for start in STARTS:
        since = np.maximum(t - start, 0.0)
        shape = np.minimum(since / ramp, 1.0) * np.exp(-np.maximum(since - ramp, 0.0) / decay)
        sound += 0.5 * shape * np.sin(2 * np.pi * hertz * since)
    return sound


def measured(sound, measure, rate=RATE):
    envelope = band_envelope(sound, rate, BAND)
    return measure(envelope, find_attacks(envelope))


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
@pytest.mark.parametrize("milliseconds", [5.0, 10.0, 20.0])
def test_a_straight_rise_takes_four_fifths_of_its_length_from_10_to_90_percent(milliseconds, rate):
    found = measured(bursts(milliseconds / 1000, rate), attack_time, rate)
    assert found == pytest.approx(0.8 * milliseconds, rel=0.08)


def test_a_step_reads_less_than_a_millisecond():
    assert measured(bursts(1e-6), attack_time) < 0.8


def test_what_sounds_on_is_no_part_of_an_attack():
    t = np.arange(round(2.8 * RATE)) / RATE
    under = 0.05 * np.sin(2 * np.pi * 4500.0 * t)  # 20 dB below
    assert measured(bursts(0.005) + under, attack_time) == pytest.approx(4.0, abs=0.6)


def test_attacks_are_found_where_they_are():
    found = find_attacks(band_envelope(bursts(0.001), RATE, BAND))
    np.testing.assert_allclose(found, STARTS, atol=0.004)
    sine = 0.3 * np.sin(2 * np.pi * 4500.0 * np.arange(RATE) / RATE)
    hiss = np.random.default_rng(0).standard_normal(2 * RATE)
    for steady in (sine, hiss, np.zeros(RATE)):
        envelope = band_envelope(steady, RATE, BAND)
        assert not len(find_attacks(envelope)[1:])  # but for the start of the sine
        for figure in (attack_time, pre_echo):
            assert math.isnan(figure(envelope, find_attacks(envelope)))


def test_fewer_than_four_attacks_say_nothing():
    envelope = band_envelope(bursts(0.005), RATE, BAND)
    assert attack_time(envelope, STARTS[:4]) == pytest.approx(4.0, rel=0.08)
    for measure in (attack_time, pre_echo):
        assert math.isnan(measure(envelope, STARTS[:3]))
    assert math.isnan(attack_crest(bursts(0.005), RATE, STARTS[:3]))


def test_a_smeared_click_has_more_before_its_peak():
    clicks = np.zeros(round(2.8 * RATE))
    clicks[np.rint(STARTS * RATE).astype(int)] = 1.0
    shape = np.hanning(round(0.06 * RATE))  # 30 ms on each side
    smeared = np.convolve(clicks, shape * np.random.default_rng(0).standard_normal(len(shape)),
                          "same")  # fmt: skip
    places = find_attacks(band_envelope(clicks, RATE, BAND))
    sharp, soft = (band_envelope(sound, RATE, BAND) for sound in (clicks, smeared))
    assert pre_echo(sharp, places) == -60.0
    assert -15.0 < pre_echo(soft, places) < -3.0
    assert attack_time(soft, places) > 5 * attack_time(sharp, places)
    assert attack_crest(clicks, RATE, places) > 20.0
    assert attack_crest(smeared, RATE, places) < 18.0


def test_the_level_before_a_peak_is_read():
    """A tone at -20 dB that stops where bursts of full level start."""
    t = np.arange(round(2.8 * RATE)) / RATE
    sound = np.zeros_like(t)
    for start in STARTS:
        before = (t >= start - 0.04) & (t < start)
        since = (t >= start) & (t < start + 0.05)
        sound[before] = 0.1
        sound[since] = 1.0
    sound *= np.sin(2 * np.pi * 4500.0 * t)
    envelope = band_envelope(sound, RATE, BAND)
    # the peak is wherever the level of the burst is highest, up to 3 ms after its start
    assert pre_echo(envelope, STARTS) == pytest.approx(-20.0, abs=0.8)


def test_the_crest_of_a_sine_is_three_decibels():
    """And that of noise bursts that fill the time is about twelve."""
    t = np.arange(4 * RATE) / RATE
    places = 0.5 + 0.5 * np.arange(6)
    sine = np.sin(2 * np.pi * 5000.0 * t)
    assert attack_crest(sine, RATE, places) == pytest.approx(3.01, abs=0.05)
    hiss = np.random.default_rng(0).standard_normal(len(t))
    assert 10.0 < attack_crest(hiss, RATE, places) < 14.0


def test_rises_of_the_same_sound_correlate_and_those_of_another_do_not():
    rng = np.random.default_rng(0)
    envelopes = [band_envelope(rng.standard_normal(2 * RATE), RATE, BAND) for _ in range(2)]
    sharp, later = bursts(0.001), np.roll(bursts(0.001), round(0.02 * RATE))
    first, second = (band_envelope(sound, RATE, BAND) for sound in (sharp, later))
    assert attack_correlation(first, first) == pytest.approx(1.0)
    assert attack_correlation(first, band_envelope(0.1 * sharp, RATE, BAND)) == pytest.approx(1.0)
    assert abs(attack_correlation(*envelopes)) < 0.15
    assert attack_correlation(first, second) < 0.1  # 20 ms late
    assert math.isnan(attack_correlation(first, band_envelope(0 * sharp, RATE, BAND)))


def test_an_envelope_is_the_mean_square_of_its_band_alone():
    t = np.arange(RATE) / RATE
    inside, outside = (0.4 * np.sin(2 * np.pi * f * t) for f in (4200.0, 1000.0))
    power, rate = band_envelope(inside + outside, RATE, BAND).averaged(0.1)
    assert rate == pytest.approx(10.0)
    np.testing.assert_allclose(power[1:-1], 0.08, rtol=0.01)
    assert not len(band_envelope(inside, 8_000, BAND).power)  # no such band


def test_an_envelope_in_blocks_is_that_of_the_whole():
    sound = np.random.default_rng(0).standard_normal(21 * RATE)  # of three blocks
    power = band_envelope(sound, RATE, BAND).power
    assert len(power) == 21 * 4000
    sections = butter(4, BAND, "bandpass", fs=RATE, output="sos")
    kernel = np.hanning(50)[1:-1]
    squares = np.square(sosfiltfilt(sections, sound))
    whole = np.convolve(squares, kernel / kernel.sum(), "same")[6::12]
    np.testing.assert_allclose(power[100:-100], whole[100:-100], rtol=1e-6, atol=1e-9)
