"""The recording's own fine structure in music that was made by changing a copy of it.

Diffusion changes the copy, and the decoder rebuilds all of it with a phase and texture of its own.
Where the spectrum has hardly changed, the copy itself is filtered to the new levels, by a
time-varying filter over the short-time Fourier transform; where it has changed, the new music
stays.
"""

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from jen1cli.audio import Signal

_WINDOW_SECONDS: Final = 2048 / 48_000
_OCTAVES: Final = 1 / 6  # width in octaves of the band over which levels are compared
_FRAMES: Final = 3
_ALIKE, _UNLIKE = 6.0, 15.0  # dB of difference: up to the first the copy, from the second the new
_FLOOR: Final = 1e-10  # floor of power
_BLOCK, _MARGIN = 1000, 8  # hops; blocks bound the memory

Power = Float[Tensor, "channels bins frames"]


def with_detail_of(made: Signal, copied: Signal, sample_rate: int) -> Signal:
    """Return made music that has the waveform of a copy where both have like levels.

    Args:
        made: [channels, samples].
        copied: the music from which it was made, of the same shape and level.
        sample_rate: Hz.
    """
    hop = round(_WINDOW_SECONDS * sample_rate / 4)
    result = np.empty_like(made)
    for start in range(0, made.shape[1], _BLOCK * hop):
        stop = min(start + _BLOCK * hop, made.shape[1])
        first = max(0, start - _MARGIN * hop)
        last = min(stop + _MARGIN * hop, made.shape[1])
        part = _blended(made[:, first:last], copied[:, first:last], hop)
        result[:, start:stop] = part[:, start - first : stop - first]
    return result


def _blended(made: Signal, copied: Signal, hop: int) -> Signal:
    window = torch.hann_window(4 * hop)
    spectra = [
        torch.stft(
            torch.from_numpy(np.ascontiguousarray(signal)), 4 * hop, hop,
            window=window, pad_mode="constant", return_complex=True,
        )
        for signal in (made, copied)
    ]  # fmt: skip
    powers = [_smoothed(spectrum.abs().square()) + _FLOOR for spectrum in spectra]
    difference = 10.0 * torch.log10(powers[0] / powers[1])
    share = ((_UNLIKE - difference.abs()) / (_UNLIKE - _ALIKE)).clamp(0.0, 1.0)
    # both are uncorrelated, so their powers add up
    mixed = share.sqrt() * 10.0 ** (difference / 20.0) * spectra[1]
    mixed += (1.0 - share).sqrt() * spectra[0]
    return torch.istft(mixed, 4 * hop, hop, window=window, length=made.shape[1]).numpy()


def _smoothed(power: Power) -> Power:
    """Return the mean power of the band and the frames around each bin and frame."""
    bins = torch.arange(power.shape[1])
    half = (bins * (2 ** (_OCTAVES / 2) - 1)).clamp(min=1.0)
    low = (bins - half).round().clamp(min=0).long()
    high = (bins + half + 1).round().clamp(max=len(bins)).long()
    sums = F.pad(power.double().cumsum(1), (0, 0, 1, 0))
    mean = (sums[:, high] - sums[:, low]) / (high - low)[:, None]
    reach = _FRAMES // 2
    return F.avg_pool1d(F.pad(mean, (reach, reach), "replicate"), _FRAMES, 1).float()
