"""Predicts the frequency that sounds in each bin of a band, which tunes the rebuilt phase.

The peaks of decoded magnitudes are blurred: tones followed by them (`jen1cli.autoencoder.phase`)
come back out of tune, the lower the more. Harmonics, scale and what sounds before and after tell
their frequencies better. A small network learns to read them from the magnitudes of the whole band;
the instantaneous frequencies of the original, which its phases tell exactly, are the target.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.envelope import MEAN_LEVEL
from jen1cli.autoencoder.phase import Partials
from jen1cli.autoencoder.spectrum import Band
from jen1cli.autoencoder.trunk import TrunkBlock

NUM_BLOCKS = 3
LARGEST_START = 1.5
"""Limit in bins of the first guess; farther from its peak a bin may belong to another tone."""
PERIOD = 4.0
"""Deviations in bins that cannot be told apart: spectra are a quarter of a window apart."""
CLOSE = 0.05
"""Errors in bins below which the loss is quadratic."""
NEAR_BINS = 3
"""Bins on each side whose loudest one a bin is weighed against, since peaks lead the others."""
LOUDNESS = 0.4
"""Power of the magnitude, relative to the loudest of the crop, by which bins weigh in the loss."""
LEAST_WEIGHT = 1e-3
"""Least weight of a bin in the loss."""


class FrequencyPredictor(nn.Module):
    """Log-magnitudes of a band → how far the frequency in each bin is from the bin's centre.

    It corrects the frequency of the nearest peak (`Partials`); the correction is zero at first.

    Args:
        band: the band; every bin is a feature.
        channels: width of the network.

    Attributes:
        reach: spectra on each side that the frequencies of one spectrum depend on.
    """

    def __init__(self, band: Band, channels: int) -> None:
        super().__init__()
        self.first = band.first
        self.enter = nn.Conv1d(band.bins, channels, 5, padding=2)
        self.blocks = nn.ModuleList(TrunkBlock(channels) for _ in range(NUM_BLOCKS))
        self.leave = nn.Conv1d(channels, band.bins, 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]
        self.reach = 2 + 2 * NUM_BLOCKS

    def forward(self, log_magnitude: Tensor) -> Tensor:
        """Return deviations in bins for log-magnitudes in nepers, both [B, bins, spectra]."""
        with torch.no_grad():
            peaks = Partials.of(log_magnitude.exp(), self.first)
            start = peaks.deviation.clamp(-LARGEST_START, LARGEST_START)
        x = self.enter(0.4 * (log_magnitude - MEAN_LEVEL))
        for block in self.blocks:
            x = block(x)
        return start + self.leave(functional.silu(x))


def true_deviations(band: Band, spectrum: Tensor) -> Tensor:
    """Return the deviations in bins of what sounds, [B, bins, spectra], within ±`PERIOD` / 2.

    They are the phase advance from the last spectrum, averaged over both channels by their energy.

    Args:
        band: the band.
        spectrum: results of `Band.analyze`, [B, 2, bins, spectra].
    """
    advance = (spectrum[..., 1:] * spectrum[..., :-1].conj()).sum(1)
    bins = torch.arange(band.first, band.first + band.bins, device=spectrum.device)[:, None]
    turn = 2 * math.pi / PERIOD  # phase advance that belongs to one bin
    deviation = torch.remainder(advance.angle() / turn - bins + PERIOD / 2, PERIOD) - PERIOD / 2
    return torch.cat((deviation[..., :1], deviation), dim=-1)


def frequency_loss(found: Tensor, wanted: Tensor, magnitude: Tensor) -> Tensor:
    """Return the mean distance of deviations in bins; loud bins and peaks weigh more.

    Args:
        found: [B, bins, spectra].
        wanted: the same.
        magnitude: of the original, the same.
    """
    error = torch.remainder(found - wanted + PERIOD / 2, PERIOD) - PERIOD / 2
    distance = functional.huber_loss(error, torch.zeros_like(error), "none", CLOSE) / CLOSE
    level = magnitude.clamp_min(1e-6).log()
    around = functional.max_pool1d(level.mT, 2 * NEAR_BINS + 1, 1, NEAR_BINS).mT
    loudest = level.amax(dim=(1, 2), keepdim=True)
    weight = ((level - around) + LOUDNESS * (level - loudest)).exp().clamp_min(LEAST_WEIGHT)
    return (weight * distance).sum() / weight.sum()
