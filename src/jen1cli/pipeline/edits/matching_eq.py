"""Equalisation that compensates the autoencoder's frequency response in new music.

The music around a gap is available both recorded and decoded. The difference of their levels per
frequency band, separately for mid and side, is applied to the new music by a linear-phase filter.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from jen1cli.audio import Signal

_LENGTH = 4096  # samples of a spectrum; a filter has half as many
_BAND_OCTAVES = 1 / 3
_LOWEST, _HIGHEST = 50.0, 16_000.0  # Hz
_MOST = 6.0  # dB; more gain would amplify noise only
_FAINT = 1e-7  # bands with a smaller share of the energy are left unchanged
_LEAST_SECONDS = 0.5  # least length of music for an estimate
_BLOCK = 1 << 20

Filters = np.ndarray
"""Impulse responses [1 or 2, samples]: one for all channels, or mid and side."""


def matching_filters(
    recorded: Sequence[Signal], decoded: Sequence[Signal], sample_rate: int
) -> Filters | None:
    """Return filters that match the spectral levels of decoded music to the recording.

    Args:
        recorded: signals of [channels, samples].
        decoded: the same signals after encoding and decoding.
        sample_rate: Hz.

    Returns:
        the filters; None if the recording is too short or silent.
    """
    if sum(part.shape[1] for part in recorded) < _LEAST_SECONDS * sample_rate:
        return None
    wanted, found = _energies(recorded), _energies(decoded)
    floor = _FAINT * wanted.sum()
    if floor == 0.0:
        return None
    hertz = np.fft.rfftfreq(_LENGTH, 1 / sample_rate)
    top = min(_HIGHEST, 0.45 * sample_rate)
    count = max(2, round(np.log2(top / _LOWEST) / _BAND_OCTAVES))
    edges = np.geomspace(_LOWEST, top, count + 1)
    gains = [
        10 * np.log10((wanted[:, inside].sum(1) + floor) / (found[:, inside].sum(1) + floor))
        for low, high in itertools.pairwise(edges)
        for inside in ((hertz >= low) & (hertz < high),)
    ]
    middles = np.log2(np.sqrt(edges[:-1] * edges[1:]))
    octaves = np.log2(hertz.clip(min=1.0))
    limited = np.clip(np.array(gains).T, -_MOST, _MOST)
    curves = np.array([10 ** (np.interp(octaves, middles, row) / 20) for row in limited])
    half = _LENGTH // 4
    taps = np.roll(np.fft.irfft(curves, _LENGTH), half, axis=1)[:, : 2 * half + 1]
    return taps * np.hanning(2 * half + 3)[1:-1]


def apply_filters(signal: Signal, filters: Filters) -> None:
    """Filter in place, without delay.

    Args:
        signal: [channels, samples]; may lie in a file on disk.
        filters: result of `matching_filters`.
    """
    reach = filters.shape[1] // 2
    before = np.zeros((signal.shape[0], reach), np.float32)
    for at in range(0, signal.shape[1], _BLOCK):
        stop = min(at + _BLOCK, signal.shape[1])
        after = np.array(signal[:, at : stop + reach])
        missing = stop + reach - at - after.shape[1]
        piece = np.concatenate([before, np.pad(after, ((0, 0), (0, missing)))], axis=1)
        before = piece[:, stop - at : stop - at + reach]
        signal[:, at:stop] = _joined(_filtered(_parted(piece), filters))[
            :, reach : reach + stop - at
        ]


def _energies(parts: Sequence[Signal]) -> np.ndarray:
    """Return the energies [1 or 2, bins], summed over all signals."""
    total = np.zeros((1, 1))
    window = np.hanning(_LENGTH).astype(np.float32)
    for part in parts:
        padded = np.pad(part, ((0, 0), (0, -part.shape[1] % _LENGTH)))
        frames = _parted(padded).reshape(len(part), padded.shape[1] // _LENGTH, _LENGTH)
        energy = np.square(np.abs(np.fft.rfft(frames * window))).sum(axis=1)
        total = total + (energy if len(part) == 2 else energy.sum(0, keepdims=True))
    return total


def _parted(signal: Signal) -> Signal:
    """Return mid and side of a stereo signal; other layouts unchanged."""
    if len(signal) != 2:
        return signal
    return np.stack([signal[0] + signal[1], signal[0] - signal[1]]) / 2


def _joined(parts: Signal) -> Signal:
    if len(parts) != 2:
        return parts
    return np.stack([parts[0] + parts[1], parts[0] - parts[1]])


def _filtered(signal: Signal, filters: Filters) -> Signal:
    """Return the central part of the convolution, with the length of the signal."""
    samples, reach = signal.shape[1], filters.shape[1] // 2
    length = samples + filters.shape[1] - 1
    spectra = np.fft.rfft(signal, length) * np.fft.rfft(filters, length)
    return np.fft.irfft(spectra, length)[:, reach : reach + samples].astype(np.float32)
