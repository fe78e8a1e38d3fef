"""The autoencoder's colour is measured around a hole and undone in new music."""

import numpy as np
import pytest

from jen1cli.pipeline.edits import matching_eq
from jen1cli.pipeline.edits.matching_eq import apply_filters, matching_filters

RATE = 48_000


def noise(seconds, channels=2, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(0.0, 0.1, (channels, round(seconds * RATE))).astype(np.float32)


def dulled(signal, middle=-4.0, side=-5.0):
    """Turn the middle down above 2 kHz and the side at all frequencies."""
    parts = np.stack([signal.sum(0), signal[0] - signal[1]]) / 2 if len(signal) == 2 else signal
    spectra = np.fft.rfft(parts)
    hertz = np.fft.rfftfreq(signal.shape[1], 1 / RATE)
    spectra[0, hertz > 2000] *= 10 ** (middle / 20)
    spectra[1:] *= 10 ** (side / 20)
    parts = np.fft.irfft(spectra, signal.shape[1])
    found = np.stack([parts[0] + parts[1], parts[0] - parts[1]]) if len(signal) == 2 else parts
    return found.astype(np.float32)


def level(signal, low, high):
    power = np.square(np.abs(np.fft.rfft(signal)))
    hertz = np.fft.rfftfreq(signal.shape[-1], 1 / RATE)
    return 10 * np.log10(power[(hertz > low) & (hertz < high)].sum())


def test_new_music_gets_the_levels_that_the_autoencoder_took():
    known, new = noise(3.0), noise(4.0, seed=1)
    made = dulled(new)
    dull = dulled(known)
    cut = [[part[:, :60_000], part[:, 60_000:]] for part in (known, dull)]
    filters = matching_filters(*cut, RATE)
    before = made.copy()
    apply_filters(made, filters)
    for low, high in ((200, 1500), (2500, 8000), (8000, 14_000)):
        for sign in (1, -1):  # middle and side
            wanted, dull, found = (
                level(x[0] + sign * x[1], low, high) for x in (new, before, made)
            )
            assert found == pytest.approx(wanted, abs=0.4)
            assert wanted - dull > 3.0 or (sign == 1 and high < 2000)


def test_nothing_is_delayed_and_blocks_make_no_difference(monkeypatch):
    known = noise(2.0)
    filters = matching_filters([known], [known], RATE)
    signal = noise(1.0, seed=2)
    whole, pieces = signal.copy(), signal.copy()
    apply_filters(whole, filters)
    inside = slice(3000, -3000)
    np.testing.assert_allclose(whole[:, inside], signal[:, inside], atol=2e-4)
    monkeypatch.setattr(matching_eq, "_BLOCK", 5000)
    apply_filters(pieces, filters)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)


def test_gains_are_bounded_and_silent_bands_stay():
    known = noise(2.0, channels=1)
    mono = matching_filters([known], [known * 0.01], RATE)
    assert mono.shape[0] == 1
    signal = noise(1.0, channels=1, seed=3)
    raised = signal.copy()
    apply_filters(raised, mono)
    assert level(raised[0], 200, 10_000) - level(signal[0], 200, 10_000) == pytest.approx(
        6.0, abs=0.2
    )
    centred = np.repeat(known, 2, axis=0)
    stereo = matching_filters([centred], [centred + 1e-6 * noise(2.0)], RATE)
    side = np.abs(np.fft.rfft(stereo[1]))
    np.testing.assert_allclose(side, 1.0, atol=0.05)


def test_too_little_music_says_nothing():
    short = noise(0.3)
    assert matching_filters([short], [short], RATE) is None
    silence = np.zeros((2, RATE), np.float32)
    assert matching_filters([silence, silence[:, :0]], [silence, silence[:, :0]], RATE) is None
