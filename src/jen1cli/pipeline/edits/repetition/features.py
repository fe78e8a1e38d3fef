"""Features by frame of a recording, in which a repeated bar looks like itself."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float32

from jen1cli import audio
from jen1cli.audio import Signal
from jen1cli.metrics.mel import mel_filters

RATE: Final = 24_000  # Hz of the analysis
HOP: Final = 256  # samples of it: 10.7 ms
FRAME_RATE: Final = RATE / HOP

_WINDOW = 2048
_REACH = _WINDOW // 2 // HOP  # frames
_MELS = 48
_FLUX_BANDS = 4
_CHROMA = (55.0, 2_000.0)  # Hz
_FLOOR = 1e-8  # floor of power, relative to the largest

Mono = Float32[np.ndarray, " samples"]
Features = Float32[np.ndarray, "frames features"]
"""Timbre, harmony and attacks; the squared distance of two unrelated frames is 2 on average."""


def find_features(mono: Mono, known: Bool[np.ndarray, " frames"]) -> Features:
    """Return log-mel bands, chroma and spectral flux of each frame.

    Every group has a total variance of 1/3 over the known frames, so that none decides alone. Frame
    i is centred on sample i · HOP.

    Args:
        mono: samples at `RATE`.
        known: which of the `count_frames` frames are of the recording.
    """
    power = _power(mono)
    log_mel = np.log(power @ _mel_matrix() + _FLOOR * max(float(power.max(initial=0.0)), 1e-12))
    chroma = power @ _chroma_matrix()
    chroma /= np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-9
    rise = np.maximum(np.diff(log_mel, axis=0, prepend=log_mel[:1]), 0.0)
    flux = rise.reshape(len(rise), _FLUX_BANDS, -1).mean(axis=2)
    groups = [_standardized(group, known) for group in (log_mel, chroma, flux)]
    return np.concatenate(groups, axis=1).astype(np.float32)


def count_frames(samples: int) -> int:
    """Return the number of frames of so many samples at `RATE`."""
    return samples // HOP + 1


def untouched(known: Bool[np.ndarray, " frames"]) -> Bool[np.ndarray, " frames"]:
    """Return the known frames whose windows do not reach into an unknown interval."""
    unknown = np.pad(np.cumsum(~known), (_REACH + 1, _REACH), mode="edge")
    unknown[: _REACH + 1] = 0
    return unknown[2 * _REACH + 1 :] == unknown[: -2 * _REACH - 1]


def to_mono(signal: Signal, sample_rate: int) -> Mono:
    """Return the mean of the channels at `RATE`, [samples]."""
    return audio.resample(signal.mean(axis=0, keepdims=True), sample_rate, RATE)[0]


def _power(mono: np.ndarray) -> np.ndarray:
    frames = count_frames(len(mono))
    padded = np.pad(mono, (_WINDOW // 2, _WINDOW))
    window = np.hanning(_WINDOW).astype(np.float32)
    result = np.empty((frames, _WINDOW // 2 + 1), np.float32)
    for first in range(0, frames, 1024):  # bounded memory
        rows = np.arange(first, min(first + 1024, frames))
        pieces = padded[rows[:, None] * HOP + np.arange(_WINDOW)] * window
        result[rows] = np.square(np.abs(np.fft.rfft(pieces)))
    return result


def _mel_matrix() -> np.ndarray:
    return mel_filters(_WINDOW // 2 + 1, 30.0, RATE / 2, _MELS, RATE).numpy()


def _chroma_matrix() -> np.ndarray:
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    matrix = np.zeros((len(hertz), 12), np.float32)
    inside = (hertz >= _CHROMA[0]) & (hertz <= _CHROMA[1])
    pitch = 12 * np.log2(hertz[inside] / 440.0)
    near = np.round(pitch)
    # a bin between two semitones tells little about either
    matrix[np.flatnonzero(inside), near.astype(int) % 12] = np.cos(np.pi * (pitch - near)) ** 2
    return matrix


def _standardized(group: np.ndarray, known: Bool[np.ndarray, " frames"]) -> np.ndarray:
    if not known.any():
        return np.zeros_like(group)
    centred = group - group[known].mean(axis=0)
    spread = np.sqrt(centred[known].var(axis=0).sum())
    return centred / (spread * np.sqrt(3.0)) if spread > 1e-6 else centred * 0.0
