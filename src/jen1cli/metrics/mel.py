"""Mel filter banks, equal to those of `torchaudio.functional.melscale_fbanks`.

The losses of stage 1 have bands of their own, each with sum one, in
`jen1cli.training.autoencoder.spectra`, whose bits decide those of the trained weights.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

MelScale = Literal["htk", "slaney"]

# Slaney's scale (Auditory Toolbox): linear up to 1 kHz = 15 mel, then 27 mel per factor of 6.4
_LINEAR_HZ = 200.0 / 3.0  # per mel
_BREAK_HZ = 1000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = math.log(6.4) / 27.0


def mel_filters(
    bins: int,
    low_hz: float,
    high_hz: float,
    bands: int,
    sample_rate: int,
    *,
    scale: MelScale = "htk",
    equal_area: bool = False,
) -> Float[Tensor, "bins bands"]:
    """Return triangular filters, linear in Hz, whose corners are equally spaced in mel.

    Args:
        bins: number of bins of a spectrum from 0 Hz to half the sample rate.
        low_hz: lower corner of the lowest band.
        high_hz: upper corner of the highest band.
        bands: number of triangles.
        sample_rate: Hz.
        scale: HTK's, 2595 log10(1 + f / 700), or Slaney's.
        equal_area: divide each triangle by half its width in Hz; otherwise its peak is 1.
    """
    spectrum = torch.linspace(0, sample_rate // 2, bins)
    corners = _to_hz(
        torch.linspace(_to_mel(low_hz, scale), _to_mel(high_hz, scale), bands + 2), scale
    )
    widths = corners.diff()
    distances = corners - spectrum[:, None]
    rising = -distances[:, :-2] / widths[:-1]
    falling = distances[:, 2:] / widths[1:]
    filters = torch.minimum(rising, falling).clamp(min=0)
    return filters * (2.0 / (corners[2:] - corners[:-2])) if equal_area else filters


def _to_mel(hertz: float, scale: MelScale) -> float:
    if scale == "htk":
        return 2595.0 * math.log10(1.0 + hertz / 700.0)
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return _BREAK_MEL + math.log(hertz / _BREAK_HZ) / _LOG_STEP


def _to_hz(mels: Float[Tensor, " corners"], scale: MelScale) -> Float[Tensor, " corners"]:
    if scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bent = _BREAK_HZ * torch.exp(_LOG_STEP * (mels - _BREAK_MEL))
    return torch.where(mels >= _BREAK_MEL, bent, _LINEAR_HZ * mels)
