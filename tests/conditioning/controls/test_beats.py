"""Tempo, beats and bars from phases and onsets."""

import numpy as np
import pytest

from jen1cli.conditioning.controls.beats import Onsets, find_bars, find_beats, steady_tempo

RATE, ONSETS = 48_000 / 2048, 22_050 / 256


def clicks(times, seconds):
    """Onsets of one step each at some times."""
    strength = np.zeros(round(seconds * ONSETS))
    strength[np.rint(np.asarray(times) * ONSETS).astype(int)] = 1.0
    return Onsets(strength, ONSETS)


def phases(times, seconds, size=1.0, turns=1):
    """The phase that the tracker finds: a turn for every so many beats."""
    frames = (np.arange(round(seconds * RATE)) + 0.5) / RATE
    numbers = np.interp(frames, times, np.arange(len(times)))
    return size * np.exp(2j * np.pi * numbers / turns)


@pytest.mark.parametrize("bpm", [64.0, 97.3, 128.0])
def test_phases_and_onsets_give_tempo_and_beats(bpm):
    times = 0.2 + np.arange(0.0, 29.5, 60.0 / bpm)
    beats = find_beats(phases(times, 30.0), RATE, clicks(times, 30.0))
    assert beats is not None
    assert beats.bpm == pytest.approx(bpm, rel=1e-3)
    assert beats.is_steady
    assert beats.confidence > 0.9
    inside = times[2:-2]
    assert np.abs(inside[:, None] - beats.times).min(axis=1).max() < 0.03


def test_onsets_choose_between_two_tempi_of_the_phases():
    """Where the tracker hears two thirds of the tempo a little better, the onsets decide."""
    times = np.arange(0.1, 29.9, 60.0 / 120.0)
    wrong = np.arange(0.1, 29.9, 60.0 / 80.0)
    heard = phases(times, 30.0, 0.45) + phases(wrong, 30.0, 0.5)
    beats = find_beats(heard, RATE, clicks(times, 30.0))
    assert beats is not None
    assert beats.bpm == pytest.approx(120.0, rel=0.01)


def test_a_tempo_that_drifts_is_followed():
    """From 100 to 106 beats per minute: one tempo would miss by beats at the ends."""
    times = 0.2 + np.concatenate([[0.0], np.cumsum(60.0 / np.linspace(100.0, 106.0, 100))])
    seconds = float(times[-1])
    beats = find_beats(phases(times, seconds), RATE, clicks(times[:-1], seconds))
    assert beats is not None
    assert not beats.is_steady
    slow, fast = beats.bpm_range
    assert slow < 102.0 < 104.0 < fast
    assert np.abs(times[3:-3, None] - beats.times).min(axis=1).max() < 0.07


def test_noise_is_less_sure_than_beats():
    rng = np.random.default_rng(0)
    frames, steps = round(20 * RATE), round(20 * ONSETS)
    noise = rng.normal(size=(2, frames))
    beats = find_beats(
        0.3 * (noise[0] + 1j * noise[1]), RATE, Onsets(np.abs(rng.normal(size=steps)), ONSETS)
    )
    assert beats is None or beats.confidence < 0.7


@pytest.mark.parametrize("seconds", [0.1, 0.3, 1.0])
def test_too_little_music_has_no_beats(seconds):
    heard = find_beats(phases([0.0, 0.5, 1.0], seconds), RATE, clicks([0.05], seconds))
    assert heard is None


def test_silence_has_no_beats():
    assert find_beats(np.zeros(200, complex), RATE, Onsets(np.zeros(800), ONSETS)) is None


@pytest.mark.parametrize(("meter", "length"), [("4/4", 4), ("3/4", 3), ("5/4", 5)])
def test_bars_are_counted_from_their_downbeat(meter, length):
    times = np.arange(0.1, 29.9, 0.5)
    beats = find_beats(phases(times, 30.0), RATE, clicks(times, 30.0))
    assert beats is not None
    bar = phases(times - 1.0, 30.0, turns=length)  # a downbeat at the beat of 0.1 - 1 + bars
    found, first, fit = find_bars(bar, RATE, beats)
    assert found == meter
    assert fit > 0.8
    bars = (beats.times[first] - 0.1 + 1.0) / (0.5 * length)
    assert bars == pytest.approx(round(bars), abs=0.1)


def test_a_steady_tempo_has_its_metre_and_downbeat():
    times = np.arange(0.1, 29.9, 0.5)
    bar = phases(times - 1.0, 30.0, turns=3)
    found = steady_tempo(phases(times, 30.0), bar, RATE, clicks(times, 30.0))
    assert found.bpm == pytest.approx(120.0, rel=1e-3)
    assert found.meter == "3/4"
    assert (found.downbeat - 0.1 + 1.0) % 1.5 == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("size", [0.02, 1.0])
def test_what_drifts_or_is_unsure_has_no_steady_tempo(size):
    distances = 60.0 / np.linspace(90.0, 120.0, 100) if size == 1.0 else np.full(100, 0.5)
    times = 0.2 + np.concatenate([[0.0], np.cumsum(distances)])
    seconds = float(times[-1])
    onsets = clicks(times[:-1], seconds)
    assert find_beats(phases(times, seconds, size), RATE, onsets) is not None
    assert steady_tempo(*2 * [phases(times, seconds, size)], RATE, onsets).bpm == 0.0
