"""Estimates phase from magnitudes by following spectral peaks from frame to frame.

The phase of a steady partial of frequency f (in cycles per sample) advances by 2π f · hop between
two spectra. The frequency of each peak is found by a parabola through its log-magnitudes; the bins
around it get its phase, with the alternating signs of a window's main lobe (Beauregard, Harish and
Wyse, "Single pass spectrogram inversion", DSP 2015) and those of its sidelobes. Bins without a
clear peak are treated as noise and get phases from a fixed table, so that the result depends only
on magnitudes and position.
"""

import hashlib
import math
import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from jen1cli.autoencoder.spectrum import Band

NOISE_FRAMES = 1021
"""Length of the table of noise phases in spectra; prime, so that it fits no musical period."""
PROMINENCE = 0.7
"""Least height of a partial's peak above the average spectrum around it, in nepers (6 dB)."""
NEIGHBOURHOOD = 8
"""Bins on each side of a peak that are averaged for `PROMINENCE`."""
MAIN_LOBE = 2.0
"""Half width in bins of the main lobe of a Hann window."""
STEADY_BINS = 0.3
"""Largest change of a steady partial's frequency between two spectra, in bins."""
STEADY_LEVEL = 0.5
"""The same of its level, in nepers (4.3 dB)."""


def noise_phases(bins: int, key: str = "") -> NDArray[np.float32]:
    """Return the table of noise phases in radians, [bins, `NOISE_FRAMES`].

    Args:
        bins: bins of the band.
        key: a secret that makes it another table; "": the table of everybody.
    """
    seed: int | list[int] = bins
    if key:
        seed = [bins, *hashlib.sha256(b"noise phases:" + os.fsencode(key)).digest()]
    table = np.random.Generator(np.random.PCG64(seed)).random((bins, NOISE_FRAMES))
    return (2 * math.pi * table).astype(np.float32)


class PhaseFollower:
    """Follows the partials of one band; keeps its state between calls, for streaming.

    Weight sets that keep the phase of steady partials (`Band.kept_bins`) also have the signs of
    sidelobes; those before release 12 have the signs of the main lobe everywhere.

    Args:
        band: the band.
        key: of the table of noise phases.
    """

    def __init__(self, band: Band, key: str = "") -> None:
        self.first, self.tonal, self.sidelobes = band.first, band.tonal, band.kept_bins > 0
        self.turn = 2 * math.pi * band.hop / band.length
        self.noise = noise_phases(band.bins, key)
        self.state: NDArray[np.float32] | None = None  # phases of the last spectrum [B, bins]
        self.position = 0  # spectra seen so far

    def __call__(self, magnitude: Tensor, deviation: Tensor | None = None) -> Tensor:
        """Return phases in radians for the next magnitudes, both [B, bins, frames].

        Args:
            magnitude: the next magnitudes.
            deviation: how far the frequency in each bin is from its centre, in bins, as the
                magnitudes; None: of their peaks.
        """
        frames = magnitude.shape[-1]
        places = (self.position + np.arange(frames)) % NOISE_FRAMES
        noise = torch.from_numpy(self.noise[:, places])
        self.position += frames
        if not self.tonal:
            return noise.to(magnitude.device).expand_as(magnitude)
        magnitude, place = magnitude.detach().cpu(), magnitude.device
        if deviation is not None:
            deviation = deviation.detach().cpu()
        found = Partials.of(magnitude, self.first, deviation)
        phase = self._accumulate(
            found.nearest.numpy(),
            (found.frequency * self.turn).numpy(),
            found.offsets(sidelobes=self.sidelobes).numpy(),
            noise.numpy(),
        )
        phase = torch.where(found.is_noise, noise, torch.from_numpy(phase))
        return phase.to(place)

    def _accumulate(
        self,
        nearest: NDArray[np.int64],
        increment: NDArray[np.float32],
        offset: NDArray[np.float32],
        noise: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        batch, bins, frames = increment.shape
        if self.state is None:
            self.state = np.repeat(noise[None, :, 0], batch, axis=0)
        state = self.state
        phase = np.empty((frames, batch, bins), dtype=np.float32)
        rows = np.arange(batch)[:, None]
        nearest = np.ascontiguousarray(np.moveaxis(nearest, 2, 0))
        increment = np.ascontiguousarray(np.moveaxis(increment, 2, 0))
        offset = np.ascontiguousarray(np.moveaxis(offset, 2, 0))
        for frame in range(frames):
            state = (state + increment[frame])[rows, nearest[frame]] + offset[frame]
            state = np.remainder(state, 2 * math.pi)
            phase[frame] = state
        self.state = state
        return np.moveaxis(phase, 0, 2)


@dataclass(frozen=True)
class Partials:
    """The spectral peak that each bin belongs to. All tensors are [B, bins, frames].

    Attributes:
        first: index of the band's lowest bin in the full spectrum.
        level: log-magnitudes of the bins, in nepers.
        nearest: bin of the nearest peak in the band.
        frequency: frequency of that peak in bins of the full spectrum.
        is_noise: whether the peak is unclear and the bin counts as noise.
    """

    first: int
    level: Tensor
    nearest: Tensor
    frequency: Tensor
    is_noise: Tensor

    @property
    def deviation(self) -> Tensor:
        """How far the frequency of its peak is from the centre of each bin, in bins."""
        return self.frequency - self.first - _bins_like(self.level)

    @classmethod
    def of(cls, magnitude: Tensor, first: int, deviation: Tensor | None = None) -> "Partials":
        """Assign each bin to its nearest peak, or to the bin of the frequency that sounds in it.

        Args:
            magnitude: [B, bins, frames].
            first: index of the band's lowest bin in the full spectrum.
            deviation: how far the frequency in each bin is from its centre, in bins, as the
                magnitudes; no bin is then noise. None: by peaks.
        """
        level = (magnitude + 1e-7).log()
        if deviation is not None:
            last = magnitude.shape[1] - 1
            nearest = (_bins_like(magnitude) + deviation).round().long().clamp(0, last)
            frequency = first + nearest + deviation.gather(1, nearest)
            is_noise = torch.zeros_like(nearest, dtype=torch.bool)
            return cls(first, level, nearest, frequency, is_noise)
        low, centre, high = level[:, :-2], level[:, 1:-1], level[:, 2:]
        around = functional.avg_pool1d(
            level.transpose(1, 2), 2 * NEIGHBOURHOOD + 1, 1, NEIGHBOURHOOD, count_include_pad=False
        ).transpose(1, 2)[:, 1:-1]
        is_peak = (centre >= low) & (centre > high)
        curvature = (low - 2 * centre + high).clamp_max(-1e-4)
        shift = torch.where(is_peak, 0.5 * (low - high) / curvature, 0.0).clamp(-0.5, 0.5)
        is_clear = is_peak & (centre - around > PROMINENCE)
        is_peak, shift, is_clear = (
            functional.pad(x, (0, 0, 1, 1)) for x in (is_peak, shift, is_clear)
        )
        bins = magnitude.shape[1]
        index = _bins_like(magnitude).expand_as(magnitude)
        below = torch.where(is_peak, index, -10 * bins).cummax(dim=1).values
        above = torch.where(is_peak, index, 10 * bins).flip(1).cummin(dim=1).values.flip(1)
        nearest = torch.where(index - below <= above - index, below, above)
        has_peak = (nearest >= 0) & (nearest < bins)
        nearest = torch.where(has_peak, nearest, index)
        frequency = first + nearest + shift.gather(1, nearest)
        return cls(first, level, nearest, frequency, ~is_clear.gather(1, nearest))

    def offsets(self, *, sidelobes: bool = True) -> Tensor:
        """Return the phase of each bin relative to that of its peak, 0 or π.

        Spectra start half a window before their centre, so the sign alternates from bin to bin
        within the main lobe. From one sidelobe of a Hann window to the next it turns over once
        more: there it is the same from bin to bin.

        Args:
            sidelobes: False leaves the latter out.
        """
        index = _bins_like(self.level)
        offset = ((index - self.nearest) % 2).float() * math.pi
        if sidelobes:
            beyond = (self.first + index - self.frequency).abs() - MAIN_LOBE
            offset = offset + ((beyond > 0) & (beyond.floor() % 2 == 0)).float() * math.pi
        return offset

    def steady(self, reach_bins: int) -> Tensor:
        """Return True for the bins of partials that sound alike one spectrum before and after.

        Args:
            reach_bins: bins on each side of a peak that are reported.
        """
        level = self.level.gather(1, self.nearest)
        found = ~self.is_noise & ((_bins_like(level) - self.nearest).abs() <= reach_bins)
        for step in (1, -1):
            found &= ~_neighbour(self.is_noise, step)
            found &= (_neighbour(self.frequency, step) - self.frequency).abs() < STEADY_BINS
            found &= (_neighbour(level, step) - level).abs() < STEADY_LEVEL
        return found


def _bins_like(values: Tensor) -> Tensor:
    """Return the indices of the bins of values [B, bins, frames], [1, bins, 1]."""
    return torch.arange(values.shape[1], device=values.device).view(1, -1, 1)


def _neighbour(values: Tensor, step: int) -> Tensor:
    """Return the values one spectrum earlier (1) or later (-1); those at the end are repeated."""
    if step > 0:
        return torch.cat((values[..., :1], values[..., :-1]), dim=-1)
    return torch.cat((values[..., 1:], values[..., -1:]), dim=-1)
