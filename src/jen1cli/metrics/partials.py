"""Partials: how steadily they sound, and how much their pitch moves.

Partials are local peaks of short-time spectra of about 93 ms through a Hann window, located by a
parabola through the logarithms of three bins.
"""

import numpy as np
from jaxtyping import Complex, Float

from jen1cli.metrics.envelopes import Mono

TONAL_HZ = 3000.0  # partials below are judged for steadiness
MOVEMENT_HZ = (500.0, 2000.0)
MOVEMENT_FRAMES = 11  # a quarter of a second: more than one turn of a vibrato
_LOUDEST_PARTIALS = 12
_BLOCK_FRAMES = 256
FEWEST_PARTIALS = 20  # that last, for a figure
_STEP_CENTS = 25.0  # that a partial may move from one spectrum to the next, a quarter window later
_STEP_DB = 3.0  # that its level may change meanwhile


def steadiness(mono: Mono, sample_rate: int) -> float:
    """Return how steadily the partials below 3 kHz sound: 1 for pure tones, near 0 for noise.

    Of the spectrum of each 93 ms the loudest local peaks are taken (up to twelve, within 40 dB of
    the loudest). A partial is steady where half a window later there is a peak within a
    third of a semitone whose level moved by less than 3 dB, and where the phase moved on as a tone
    of its frequency does. The result is the share of steady partials, weighted by magnitude.
    Smeared tones, as a decoder makes of wrong phases, beat and break: their share falls.

    Args:
        mono: sound, [samples].
        sample_rate: Hz.

    Returns:
        NaN where there are no partials.
    """
    window = _window(sample_rate)
    hop = window // 2  # spectra that share more of the sound would find noise steady
    if len(mono) < 2 * window:
        return float("nan")
    bins = int(TONAL_HZ * window / sample_rate)
    spectrum = _spectra(mono, window, hop, bins)
    magnitude = np.abs(spectrum)
    rows, columns = np.nonzero(_peaks(magnitude)[:-1])
    if not len(rows):
        return float("nan")
    offset, height = _interpolate(magnitude, rows, columns)
    frequency = columns + offset
    follow = _loudest_near(magnitude, rows + 1, frequency)
    offset_later, height_later = _interpolate(magnitude, rows + 1, follow)
    moved = np.abs(np.log2(np.maximum(follow + offset_later, 0.5) / np.maximum(frequency, 0.5)))
    level = np.abs(np.log(height_later / height))
    turn = np.angle(spectrum[rows + 1, columns] / spectrum[rows, columns])
    expected = 2 * np.pi * frequency * hop / window
    slip = np.abs(np.angle(np.exp(1j * (turn - expected))))
    steady = (moved < 1 / 36) & (level < 3 / 8.686) & (slip < 0.8)
    return float((height * steady).sum() / height.sum())


def pitch_movement(mono: Mono, sample_rate: int) -> float:
    """Return how far partials of 0.5 to 2 kHz move in pitch, in cents: 0 for steady tones.

    Partials are followed through eleven spectra, each a quarter of a window after the last: a
    quarter of a second. One counts that moves by less than 25 cents and 3 dB from each
    spectrum to the next. Its movement is √2 times the standard deviation of its pitch, so that a
    vibrato of ±10 cents reads 10, less what the window averages away (a sixth at 5.5 Hz). The
    result is the mean over partials, weighted by magnitude.

    Args:
        mono: sound, [samples].
        sample_rate: Hz.

    Returns:
        NaN where fewer than 20 partials last that long, or the sample rate is below 4 kHz.
    """
    if sample_rate < 2 * MOVEMENT_HZ[1]:
        return float("nan")
    window = _window(sample_rate)
    low, high = (int(hertz * window / sample_rate) for hertz in MOVEMENT_HZ)
    if len(mono) < 4 * window:
        return float("nan")
    magnitude = np.abs(_spectra(mono, window, window // 4, high)[:, low:])
    rows, columns = np.nonzero(_peaks(magnitude)[: 1 - MOVEMENT_FRAMES])
    offset, weight = _interpolate(magnitude, rows, columns)
    frequency, height = [columns + offset], weight
    lasting = np.ones(len(rows), bool)
    for step in range(1, MOVEMENT_FRAMES):
        columns = _loudest_near(magnitude, rows + step, frequency[-1])
        offset, later = _interpolate(magnitude, rows + step, columns)
        frequency.append(columns + offset)
        moved = 1200 * np.abs(np.log2((low + frequency[-1]) / (low + frequency[-2])))
        lasting &= (moved < _STEP_CENTS) & (20 * np.abs(np.log10(later / height)) < _STEP_DB)
        height = later
    if lasting.sum() < FEWEST_PARTIALS:
        return float("nan")
    cents = 1200 * np.log2(low + np.stack(frequency)[:, lasting])
    return float(np.average(np.sqrt(2) * cents.std(0), weights=weight[lasting]))


def _window(sample_rate: int) -> int:
    return 2 ** round(np.log2(0.093 * sample_rate))


def _spectra(mono: Mono, window: int, hop: int, bins: int) -> Complex[np.ndarray, "frames lowest"]:
    """Return the lowest bins of short-time spectra, made block by block."""
    frames = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop]
    shape = np.hanning(window)
    return np.concatenate([
        np.fft.rfft(frames[first : first + _BLOCK_FRAMES] * shape, axis=1)[:, : bins + 1]
        for first in range(0, len(frames), _BLOCK_FRAMES)
    ])  # fmt: skip


def _peaks(magnitude: Float[np.ndarray, "frames bins"]) -> np.ndarray:
    """Return where the loudest local peaks of each spectrum are, [frames, bins] of bool.

    Up to twelve of each spectrum, within 40 dB of its loudest bin and 60 dB of the loudest of all.
    """
    loud = magnitude[:, 1:-1]
    peaks = (loud > magnitude[:, :-2]) & (loud >= magnitude[:, 2:])
    peaks &= loud > 0.01 * loud.max(axis=1, keepdims=True)
    peaks &= loud > 1e-3 * loud.max()
    ranked = np.where(peaks, loud, 0.0)
    if ranked.shape[1] > _LOUDEST_PARTIALS:
        least = np.partition(ranked, -_LOUDEST_PARTIALS, axis=1)[:, -_LOUDEST_PARTIALS]
        peaks &= ranked >= least[:, None]
    return np.pad(peaks, ((0, 0), (1, 1)))


def _loudest_near(magnitude: np.ndarray, rows: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Return the loudest of the three bins around each frequency (in bins) in the given rows."""
    nearest = np.rint(frequency).astype(int).clip(1, magnitude.shape[1] - 2)
    around = np.stack([nearest - 1, nearest, nearest + 1]).clip(1, magnitude.shape[1] - 2)
    return around[np.argmax(magnitude[rows, around], axis=0), np.arange(len(rows))]


def _interpolate(
    magnitude: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return offset (in bins) and height of peaks by a parabola through the logarithms."""
    left, middle, right = (
        np.log(np.maximum(magnitude[rows, columns + step], 1e-12)) for step in (-1, 0, 1)
    )
    bend = left - 2 * middle + right
    offset = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(bend == 0, 1, bend), 0.0)
    offset = offset.clip(-0.5, 0.5)
    return offset, np.exp(middle - 0.25 * (left - right) * offset)
