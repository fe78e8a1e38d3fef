"""Estimates phase from magnitudes by following spectral peaks from frame to frame.

The phase of a steady partial of frequency f (in cycles per sample) advances by 2π f · hop between
two spectra. The frequency of each peak is found by a parabola through its log-magnitudes; the bins
around it get its phase, with the alternating signs of a window's main lobe (Beauregard, Harish and
Wyse, "Single pass spectrogram inversion", DSP 2015). Bins without a clear peak are treated as noise
and get phases from a fixed table, so that the result depends only on magnitudes and position.
"""

import hashlib
import math
import os

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NOISE_FRAMES = 1021
"""Length of the table of noise phases in spectra; prime, so that it fits no musical period."""
PROMINENCE = 0.7
"""Least height of a partial's peak above the average spectrum around it, in nepers (6 dB)."""
NEIGHBOURHOOD = 8
"""Bins on each side of a peak that are averaged for `PROMINENCE`."""


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

    Args:
        bins: bins of the band.
        first: index of the band's lowest bin in the full spectrum.
        window_length: samples, also the Fourier length.
        hop: samples between spectra.
        tonal: whether to follow partials; otherwise every bin is treated as noise.
        key: of the table of noise phases.
    """

    def __init__(
        self, bins: int, first: int, window_length: int, hop: int, tonal: bool, key: str = ""
    ) -> None:
        self.first, self.turn, self.tonal = first, 2 * math.pi * hop / window_length, tonal
        self.noise = noise_phases(bins, key)
        self.state: NDArray[np.float32] | None = None  # phases of the last spectrum [B, bins]
        self.position = 0  # spectra seen so far

    def __call__(self, magnitude: Tensor) -> Tensor:
        """Return phases in radians for the next magnitudes, both [B, bins, frames]."""
        frames = magnitude.shape[-1]
        places = (self.position + np.arange(frames)) % NOISE_FRAMES
        noise = torch.from_numpy(self.noise[:, places])
        self.position += frames
        if not self.tonal:
            return noise.to(magnitude.device).expand_as(magnitude)
        nearest, increment, offset, is_noise = _partials(magnitude.detach().cpu(), self.first)
        phase = self._accumulate(
            nearest.numpy(), (increment * self.turn).numpy(), offset.numpy(), noise.numpy()
        )
        phase = torch.where(is_noise, noise, torch.from_numpy(phase))
        return phase.to(magnitude.device)

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


def _partials(magnitude: Tensor, first: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Assign each bin to its nearest spectral peak.

    Returns:
        four tensors [B, bins, frames]: bin of the nearest peak; frequency of that peak in bins of
        the full spectrum; phase offset from the peak (0 or π); whether the bin counts as noise.
    """
    level = (magnitude + 1e-7).log()
    low, centre, high = level[:, :-2], level[:, 1:-1], level[:, 2:]
    around = torch.nn.functional.avg_pool1d(
        level.transpose(1, 2), 2 * NEIGHBOURHOOD + 1, 1, NEIGHBOURHOOD, count_include_pad=False
    ).transpose(1, 2)[:, 1:-1]
    is_peak = (centre >= low) & (centre > high)
    curvature = (low - 2 * centre + high).clamp_max(-1e-4)
    shift = torch.where(is_peak, 0.5 * (low - high) / curvature, 0.0).clamp(-0.5, 0.5)
    is_clear = is_peak & (centre - around > PROMINENCE)
    is_peak, shift, is_clear = (
        torch.nn.functional.pad(x, (0, 0, 1, 1)) for x in (is_peak, shift, is_clear)
    )
    bins = magnitude.shape[1]
    index = torch.arange(bins).view(1, -1, 1).expand_as(magnitude)
    below = torch.where(is_peak, index, -10 * bins).cummax(dim=1).values
    above = torch.where(is_peak, index, 10 * bins).flip(1).cummin(dim=1).values.flip(1)
    nearest = torch.where(index - below <= above - index, below, above)
    has_peak = (nearest >= 0) & (nearest < bins)
    nearest = torch.where(has_peak, nearest, index)
    frequency = first + nearest + shift.gather(1, nearest)
    # frames start half a window before their centre: the sign alternates within a main lobe
    offset = ((index - nearest) % 2).float() * math.pi
    return nearest, frequency, offset, ~is_clear.gather(1, nearest)
