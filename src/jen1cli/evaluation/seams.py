"""Seams of edits: jumps of level and spectrum, compared with those in unedited music."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.audio import Signal
from jen1cli.metrics.mel import mel_filters

SIDE_SECONDS = 0.2  # analysed on each side of a boundary
_CLICK_SECONDS = 0.004
_PLACES = 60  # random positions in unedited music to compare with
_BANDS = 40


@dataclass(frozen=True)
class Seam:
    """Jumps at one boundary, and their ranks (0 to 1) among positions in unedited music."""

    level_db: float
    spectrum_db: float
    click: float  # largest second difference, relative to its 90th percentile nearby
    level_rank: float
    spectrum_rank: float
    click_rank: float


def measure_seam(
    edited: Signal, place: int, untouched: Signal, sample_rate: int, *, seed: int = 0
) -> Seam:
    """Measure the seam at a boundary.

    Args:
        edited: [channels, samples] with the boundary.
        place: sample at which original and generated music meet.
        untouched: music of the same piece without a boundary.
        sample_rate: sample rate of both in Hz.
        seed: seed of the positions in the unedited music.
    """
    own = _jumps(edited, place, sample_rate)
    room = untouched.shape[1] - 2 * _side(sample_rate)
    rng = np.random.default_rng(seed)
    places = _side(sample_rate) + rng.integers(max(1, room), size=_PLACES)
    others = np.array([_jumps(untouched, int(p), sample_rate) for p in places])
    ranks = [
        (others[:, i] < own[i]).mean() + 0.5 * (others[:, i] == own[i]).mean() for i in (0, 1, 2)
    ]
    return Seam(*own, *(float(rank) for rank in ranks))


def _side(sample_rate: int) -> int:
    return round(SIDE_SECONDS * sample_rate)


def _jumps(signal: Signal, place: int, sample_rate: int) -> tuple[float, float, float]:
    side = _side(sample_rate)
    mono = signal.mean(axis=0).astype(np.float64)
    before, after = mono[max(0, place - side) : place], mono[place : place + side]
    powers = [10 * np.log10(_bands(part, sample_rate) + 1e-7) for part in (before, after)]
    levels = [10 * np.log10(np.mean(np.square(part)) + 1e-7) for part in (before, after)]
    return (
        float(abs(levels[0] - levels[1])),
        float(np.sqrt(np.mean(np.square(powers[0] - powers[1])))),
        _click(mono, place, sample_rate),
    )


def _bands(part: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the mean power in 40 mel bands."""
    power = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part))))) / max(1, len(part))
    return (torch.from_numpy(power).float() @ _weights(len(power), sample_rate)).numpy()


@lru_cache(maxsize=16)
def _weights(bins: int, sample_rate: int) -> Float[Tensor, "bins bands"]:
    filters = mel_filters(bins, 40.0, min(16_000.0, sample_rate / 2), _BANDS, sample_rate)
    return filters / filters.sum(0).clamp(min=1e-9)


def _click(mono: np.ndarray, place: int, sample_rate: int) -> float:
    near = round(_CLICK_SECONDS * sample_rate)
    around = np.abs(np.diff(mono[max(0, place - 10 * near) : place + 10 * near], n=2))
    middle = np.abs(np.diff(mono[max(0, place - near) : place + near], n=2))
    if not len(middle) or not len(around):
        return 0.0
    return float(middle.max() / (np.percentile(around, 90) + 1e-9))
