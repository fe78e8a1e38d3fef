"""Loudness after ITU-R BS.1770-4 and a true-peak limiter, both fast enough to run on everything.

The K-weighting is applied to the power spectrum of 100 ms segments instead of by filters; against
the filters the integrated loudness differs by less than 0.1 LU.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32

from jen1cli.corpus.dsp import least_around, mean_around, rfft
from jen1cli.corpus.sound import SAMPLE_RATE, Mono, Stereo, decibels

TARGET_LUFS = -14.0
CEILING_DB = -1.0  # decibels true peak
SILENCE_LUFS = -70.0
_SEGMENT = SAMPLE_RATE // 10
_BLOCK = 16  # samples per value of the limiter's gain
_LOOK_BLOCKS = 75  # 25 ms
_MARGIN_DB = 0.25  # what short interpolators and ramps of the gain may miss
_POLYPHASE_TAPS = 8
_CHUNK = 1 << 14


@lru_cache(maxsize=1)
def _k_weight() -> Float32[np.ndarray, " values"]:
    """Power response of the two filters of BS.1770 at 48 kHz, twice each."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(_SEGMENT))
    shelf = (1.53512485958697 - 2.69169618940638 * turn + 1.19839281085285 * turn**2) / (
        1.0 - 1.69065929318241 * turn + 0.73248077421585 * turn**2
    )
    highpass = (1.0 - 2.0 * turn + turn**2) / (
        1.0 - 1.99004745483398 * turn + 0.99007225036621 * turn**2
    )
    power = np.abs(shelf * highpass) ** 2
    power[1:-1] *= 2.0  # both halves of the spectrum
    return np.repeat(power / _SEGMENT**2, 2).astype(np.float32)  # real and imaginary parts


def integrated_loudness(sound: Stereo) -> float:
    """Return the gated loudness in LUFS; -70 for silence, or where all of it is below the gate."""
    count = max(1, -(-sound.shape[1] // _SEGMENT))
    padded = np.zeros((2, count * _SEGMENT), np.float32)
    padded[:, : sound.shape[1]] = sound
    spectrum = rfft(padded.reshape(2, count, _SEGMENT)).view(np.float32)
    np.square(spectrum, out=spectrum)
    power = spectrum[0] + spectrum[1]
    segments = (power * _k_weight()).sum(axis=-1).astype(np.float64)
    size = min(4, count)
    blocks = np.convolve(segments, np.full(size, 1.0 / size), "valid")
    blocks = blocks[blocks > _power(SILENCE_LUFS)]
    if not len(blocks):
        return SILENCE_LUFS
    blocks = blocks[blocks > blocks.mean() / 10.0]
    return float(-0.691 + 10.0 * np.log10(blocks.mean()))


def _power(lufs: float) -> float:
    return 10.0 ** ((lufs + 0.691) / 10.0)


@lru_cache(maxsize=1)
def _between() -> Float32[np.ndarray, "3 taps"]:
    """Return interpolators at a quarter, a half and three quarters of a sample."""
    taps = np.arange(_POLYPHASE_TAPS) - (_POLYPHASE_TAPS // 2 - 1)
    rows = []
    for shift in (0.25, 0.5, 0.75):
        row = np.sinc(taps - shift) * np.cos(np.pi * (taps - shift) / (_POLYPHASE_TAPS + 1)) ** 2
        rows.append(row / row.sum())
    return np.array(rows, np.float32)


def _block_peaks(sound: Stereo, least: float = 0.0) -> Float32[np.ndarray, " blocks"]:
    """Return the true peak of each block of 16 samples, over both channels.

    Where the samples stay under `least`, their own peak is enough.
    """
    samples = sound.shape[1]
    blocks = -(-samples // _BLOCK)
    half = _POLYPHASE_TAPS // 2
    padded = np.zeros((2, blocks * _BLOCK + _POLYPHASE_TAPS), np.float32)
    padded[:, half - 1 : half - 1 + samples] = sound
    peaks = []
    for start in range(0, blocks * _BLOCK, _CHUNK):
        chunk = padded[:, start : start + _CHUNK + _POLYPHASE_TAPS]
        peak = np.abs(chunk[:, half - 1 : half - 1 + chunk.shape[1] - _POLYPHASE_TAPS])
        if peak.max() >= least:
            _between_peaks(chunk, peak)
        peaks.append(peak.max(axis=0).reshape(-1, _BLOCK).max(axis=1))
    return np.concatenate(peaks) if peaks else np.zeros(0, np.float32)


def _between_peaks(
    padded: Float32[np.ndarray, "2 padded"], peak: Float32[np.ndarray, "2 samples"]
) -> None:
    """Raise the peaks of a chunk that fits the processor's cache to those between samples."""
    samples = peak.shape[1]
    between, term = np.empty_like(peak), np.empty_like(peak)
    for row in _between():
        np.multiply(padded[:, :samples], row[0], out=between)
        for tap in range(1, _POLYPHASE_TAPS):
            np.multiply(padded[:, tap : tap + samples], row[tap], out=term)
            between += term
        np.abs(between, out=between)
        np.maximum(peak, between, out=peak)


def true_peak(sound: Stereo) -> float:
    """Return the largest value of the waveform between the samples too, at 4 x rate."""
    return float(_block_peaks(sound).max()) if sound.shape[1] else 0.0


def limit(sound: Stereo, ceiling_db: float = CEILING_DB) -> Stereo:
    """Hold the true peak under a ceiling by a smooth gain that looks 25 ms ahead."""
    return _limit(sound, _block_peaks(sound), ceiling_db)


def _limit(sound: Stereo, peaks: Float[np.ndarray, " blocks"], ceiling_db: float) -> Stereo:
    ceiling = decibels(ceiling_db - _MARGIN_DB)
    if not len(peaks) or peaks.max() <= ceiling:
        return sound
    return sound * _limiter_gain(peaks, ceiling, sound.shape[1])


def _limiter_gain(peaks: Float[np.ndarray, " blocks"], ceiling: float, samples: int) -> Mono:
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    # the least gain around each block, then its mean over as wide a window, is never above need
    held = least_around(needed, 2 * _LOOK_BLOCKS + 3)
    smooth = mean_around(held, _LOOK_BLOCKS)
    smooth = mean_around(smooth, _LOOK_BLOCKS)
    gain = np.append(smooth, smooth[-1]).astype(np.float32)
    ramp = (np.arange(_BLOCK, dtype=np.float32) / _BLOCK)[None, :]
    return (gain[:-1, None] + (gain[1:] - gain[:-1])[:, None] * ramp).reshape(-1)[:samples]


def normalize(
    sound: Stereo,
    lufs: float = TARGET_LUFS,
    ceiling_db: float = CEILING_DB,
    *,
    most_limiting_db: float = 9.0,
) -> Stereo:
    """Bring music to a loudness under a true-peak ceiling.

    Peaks are limited by so many decibels at most; music with taller ones stays softer than asked.
    """
    loudness = integrated_loudness(sound)
    tallest = float(np.abs(sound).max())
    raised = 10.0 ** ((lufs - loudness) / 20.0)
    # peaks between samples stand above them by less than half
    least = min(tallest, decibels(ceiling_db) / raised) / 2.0
    peaks = _block_peaks(sound, least)
    peak_db = 20.0 * np.log10(max(float(peaks.max()), 1e-9))
    if loudness <= SILENCE_LUFS + 0.01:
        return _limit(sound, peaks, ceiling_db)
    most = ceiling_db + most_limiting_db - peak_db
    gain_db = min(lufs - loudness, most)
    loud = sound
    for _ in range(2):
        gain = np.float32(decibels(gain_db))
        loud = _limit(sound * gain, peaks * gain, ceiling_db)
        if gain_db + peak_db <= ceiling_db:
            break
        missing = lufs - integrated_loudness(loud)
        if missing < 0.3 or gain_db >= most:
            break
        gain_db = min(gain_db + 1.3 * missing, most)
    return loud
