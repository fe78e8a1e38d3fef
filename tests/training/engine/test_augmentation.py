import numpy as np
import pytest

from jen1cli.training.engine.augmentation import EQUALIZER_HERTZ, augment, filtered

RATE = 48000


def music(seed):
    """Three struck notes, the second in the middle, panned."""
    rng = np.random.default_rng(seed)
    signal = np.zeros((2, RATE), np.float32)
    time = np.arange(RATE // 4) / RATE
    for start, pitch, pan in ((0.0, 220.0, 0.3), (0.5, 330.0, 0.7), (0.75, 880.0, 0.5)):
        note = np.exp(-12 * time) * np.sin(2 * np.pi * pitch * time)
        note += 0.1 * np.exp(-200 * time) * rng.normal(size=len(time))
        begin = round(start * RATE)
        signal[:, begin : begin + len(time)] += 0.5 * np.outer([1 - pan, pan], note)
    return signal


def level(signal):
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))


def test_filter_does_what_its_curve_says():
    time = np.arange(RATE) / RATE
    decibels = np.zeros(len(EQUALIZER_HERTZ))
    decibels[4] = 12.0  # 640 Hz
    for hertz, wanted in ((640.0, 12.0), (320.0, 0.0), (640.0 * 2**0.5, 6.0), (10000.0, 0.0)):
        tone = np.sin(2 * np.pi * round(hertz) * time)[None]
        change = 20 * np.log10(level(filtered(tone, RATE, EQUALIZER_HERTZ, decibels)) / level(tone))
        assert change == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("seed", range(12))
def test_coloured_music_is_as_loud_and_strikes_at_the_same_time(seed):
    signal = music(seed)
    made = augment(signal, RATE, np.random.default_rng(seed))
    assert made.shape == signal.shape
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1.0
    assert level(made) == pytest.approx(level(signal), rel=0.02) or np.abs(made).max() > 0.999
    block = RATE // 100
    rise = np.diff(np.log(np.square(made).sum(0).reshape(-1, block).sum(1) + 1e-3))
    assert abs(int(rise[40:60].argmax()) + 41 - 50) <= 1


def test_colours_differ_but_follow_from_the_draw():
    signal = music(0)
    one, same, other = (augment(signal, RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert level(one - other) > 0.1 * level(signal)


def test_silence_and_mono_are_taken():
    silence = np.zeros((2, 4800), np.float32)
    assert np.isfinite(augment(silence, RATE, np.random.default_rng(0))).all()
    made = [augment(music(0)[:1], RATE, np.random.default_rng(seed)) for seed in range(8)]
    assert all(one.shape == (1, RATE) and np.isfinite(one).all() for one in made)
