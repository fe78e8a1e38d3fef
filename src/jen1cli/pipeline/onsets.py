"""Strength of onsets: the rise of the level in the bands of a mel spectrogram."""

import itertools
from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float32

from jen1cli.conditioning.controls.beats import Onsets
from jen1cli.metrics.mel import mel_filters

RATE = 22_050
"""Hz of the music."""
ONSET_RATE = RATE / 256
"""Steps per second."""

_HOP = round(RATE / ONSET_RATE)
_WINDOW, _BANDS = 1024, 80
_RANGE_DB = 80.0  # below the loudest moment, onsets do not count


def onset_strength(
    blocks: Iterable[Float32[np.ndarray, " samples"]],
) -> tuple[Onsets, float]:
    """Return the flux of mel bands, and the highest sample.

    The rise of the level in dB, averaged over bands (Böck and Widmer, DAFx 2013, without their
    maximum filter).

    Args:
        blocks: consecutive parts of the music at `RATE`, in one channel.
    """
    filters = mel_filters(_WINDOW // 2 + 1, 30.0, 10_000.0, _BANDS, RATE, scale="slaney")
    window = torch.hann_window(_WINDOW)
    levels: list[torch.Tensor] = []
    peak = 0.0
    left = np.zeros(_WINDOW // 2, np.float32)
    for block in itertools.chain(blocks, [np.zeros(_WINDOW // 2, np.float32)]):
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        left = np.concatenate([left, block])
        count = (len(left) - _WINDOW) // _HOP + 1
        if count < 1:
            continue
        frames = torch.from_numpy(left).unfold(0, _WINDOW, _HOP)[:count]
        power = torch.fft.rfft(frames * window).abs().square() @ filters
        levels.append(10.0 * power.clamp(min=1e-10).log10())
        left = left[count * _HOP :]
    if not levels:
        return Onsets(np.zeros(0), ONSET_RATE), peak
    floor = max(float(level.max()) for level in levels) - _RANGE_DB
    flux: list[torch.Tensor] = []
    before = levels[0][:1].clamp(min=floor)
    for level in levels:
        above = level.clamp(min=floor)
        flux.append(above.diff(dim=0, prepend=before).clamp(min=0.0).mean(dim=1))
        before = above[-1:]
    return Onsets(torch.cat(flux).double().numpy(), ONSET_RATE), peak
