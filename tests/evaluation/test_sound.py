"""The measures of attacks, tones and air together."""

import math

import numpy as np
import pytest

from jen1cli.evaluation.sound import compare, describe, find_places

RATE = 48_000
FRAMES = 48_000 / 2048


def test_the_names_state_bands_units_and_the_frame_rate(beat_maker):
    found = describe(beat_maker(4.0, 150.0), RATE, FRAMES)
    assert list(found) == [
        "attack time 3-6 kHz, ms",
        "attack time 6-16 kHz, ms",
        "pre-echo 3-6 kHz, dB",
        "pre-echo 6-16 kHz, dB",
        "crest of attacks, dB",
        "line at 23.4 Hz, 3-6 kHz, dB",
        "line at 46.9 Hz, 0.4-2.5 kHz, dB",
        "pitch movement 0.5-2 kHz, cents",
        "flatness 14-18 kHz",
        "level 14-18 kHz, dB",
    ]
    assert all(map(math.isfinite, found.values()))
    assert "line at 75.0 Hz, 3-6 kHz, dB" in describe(beat_maker(4.0, 150.0), RATE, 75.0)


def test_smeared_attacks_are_seen_at_the_places_of_the_original(beat_maker):
    """Noise of 40 ms takes the place of each stroke's sharp start."""
    sound = beat_maker(4.0, 150.0)
    rng = np.random.default_rng(0)
    kernel = np.hanning(1920) * rng.standard_normal(1920)
    kernel /= np.linalg.norm(kernel)
    smeared = np.stack([np.convolve(row, kernel, "same") for row in sound]).astype(np.float32)
    places = find_places(sound, RATE)
    assert all(len(found) >= 8 for found in places.values())
    before, after = (describe(one, RATE, FRAMES, places) for one in (sound, smeared))
    for band in ("3-6 kHz", "6-16 kHz"):
        assert before[f"attack time {band}, ms"] < 3 < after[f"attack time {band}, ms"]
        assert before[f"pre-echo {band}, dB"] < -40 < after[f"pre-echo {band}, dB"]
    assert after["crest of attacks, dB"] < before["crest of attacks, dB"]
    same, other = compare(sound, sound, RATE), compare(sound, smeared, RATE)
    assert list(same.values()) == pytest.approx([1.0, 1.0, 0.0, 100.0, 100.0], nan_ok=True)
    assert all(other[f"attack correlation {band}"] < 0.5 for band in ("1.5-6 kHz", "6-16 kHz"))


@pytest.mark.parametrize("rate", [1, 100, 8_000, 16_000])
def test_what_a_sample_rate_does_not_hold_is_left_open(noise, rate):
    sound = noise(seconds=max(4.0, 400 / rate), rate=rate)
    found = {**describe(sound, rate, FRAMES), **compare(sound, sound, rate)}
    assert math.isnan(found["flatness 14-18 kHz"])
    assert math.isnan(found["attack correlation 6-16 kHz"])
    assert math.isnan(found["partials in tune 180-1400 Hz, %"]) == (rate < 2800)
    assert math.isnan(found["attack time 3-6 kHz, ms"])


def test_silence_has_no_figures():
    assert all(map(math.isnan, describe(np.zeros((2, 4 * RATE), np.float32), RATE, 23.4).values()))
