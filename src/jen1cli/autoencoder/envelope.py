"""Predicts the temporal envelope of each band inside its analysis windows.

A magnitude spectrum tells the energy of a whole window, so a phase that is only made consistent
with it may spread an attack over the window. A small network predicts the envelope at a resolution
below the window from the decoded magnitudes of all bands, whose rise from spectrum to spectrum
locates an attack more finely than one window does. The refinement of the phase imposes it between
two projections (`jen1cli.autoencoder.refinement`).

The grid of the envelope has two points for each spectrum of the fastest band: 2.7 ms in the bundled
model. The lowest band, whose window is the longest, has no envelope.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.autoencoder.spectrum import Band

POOLED_FEATURES = 96
"""Log-magnitudes of a shaped band that the network takes, after average pooling."""
POOLED_LOWEST = 8
"""The same for the lowest band."""
DILATIONS = (1, 2, 1, 4, 1)
POWER_FLOOR = 1e-10
MEAN_LEVEL = -5.0
"""Typical log-magnitude, subtracted from the network's inputs."""
QUIET = 12.0
"""In the loss, points that many nepers of power below the loudest have the least weight."""
LEAST_WEIGHT = 0.05


class EnvelopeGrid(nn.Module):
    """Envelope of one band: samples of the band at its own rate ↔ log-power at the grid.

    Sample t of the band lies at t · window_length / length samples of the signal after the start of
    the first window (`jen1cli.autoencoder.refinement.PhaseRefiner`). Power is measured at every
    `stride`-th sample, at least twice for each step of the grid.

    Args:
        band: the band.
        length: its window in samples at the band's own rate.
        step: distance of two points of the grid, in samples of the signal.
    """

    kernel: Tensor  # [1, 1, taps], a Hann window over two steps
    ramp: Tensor  # [stride], 0 to 1

    def __init__(self, band: Band, length: int, step: int) -> None:
        super().__init__()
        self.rate, self.step = length / band.length, step
        self.margin = (band.length - band.hop) // 2
        hop, most = length // 4, max(1, int(step * self.rate / 2))
        # a divisor of the hop, so that pieces of a signal are measured at the same samples
        self.stride = max(n for n in range(1, most + 1) if hop % n == 0)
        taps = max(3, round(2 * step * self.rate)) | 1
        kernel = torch.hann_window(taps + 2, periodic=False)[1:-1]
        self.register_buffer("kernel", (kernel / kernel.sum()).view(1, 1, -1), persistent=False)
        self.register_buffer("ramp", torch.arange(self.stride) / self.stride, persistent=False)

    def log_power(self, samples: Tensor) -> Tensor:
        """Return the smoothed log-power of complex samples [B, n]: [B, n / stride]."""
        power = (samples.real.square() + samples.imag.square())[:, None]
        padding = self.kernel.shape[-1] // 2
        smooth = functional.conv1d(power, self.kernel, stride=self.stride, padding=padding)
        return (smooth[:, 0] + POWER_FLOOR).log()

    def at_points(self, measured: Tensor, points: int) -> Tensor:
        """Interpolate measured values [B, n / stride] at the first points of the grid."""
        where = (torch.arange(points, device=measured.device) + 0.5) * self.step - 0.5
        return _interpolate(measured, (where + self.margin) * self.rate / self.stride)

    def at_measured(self, values: Tensor, count: int) -> Tensor:
        """Interpolate values at the grid [B, points] where power is measured: [B, count]."""
        samples = torch.arange(count, device=values.device) * self.stride
        where = samples / self.rate - self.margin
        return _interpolate(values, (where + 0.5) / self.step - 0.5)

    def at_samples(self, measured: Tensor) -> Tensor:
        """Interpolate measured values [B, n / stride] at all samples: [B, n]."""
        following = torch.cat((measured[:, 1:], measured[:, -1:]), dim=1)
        return torch.lerp(measured[..., None], following[..., None], self.ramp).flatten(-2)


def _interpolate(values: Tensor, where: Tensor) -> Tensor:
    """Interpolate [B, n] linearly at positions [m]; the first and last value go on beyond."""
    where = where.clamp(0, values.shape[-1] - 1)
    below = where.long().clamp_max(values.shape[-1] - 2)
    return torch.lerp(values[:, below], values[:, below + 1], where - below)


class EnvelopeBlock(nn.Module):
    """Residual block of two convolutions over spectra; the identity at initialisation.

    It has no normalisation: one over channels hides rises of level, which are what locates an
    attack (it learned at half the pace), and one over time depends on the piece.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv_out = nn.Conv1d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, channels, spectra] to the same shape."""
        return x + self.conv_out(functional.silu(self.conv_in(functional.silu(x))))


class EnvelopePredictor(nn.Module):
    """Decoded log-magnitudes → log-power of each shaped band at the points of the grid.

    It is a correction of the envelope that the band would have if its bins were incoherent: the sum
    of the squared windows, weighted by the energy of each spectrum.

    Attributes:
        points: points of the grid in one latent frame.
        reach_frames: latent frames on each side that a point depends on.
    """

    def __init__(
        self, bands: Sequence[Band], lengths: Sequence[int], hop_length: int, channels: int
    ) -> None:
        super().__init__()
        self._bands = tuple(bands)  # in a tuple: their owner registers them
        self._lengths = tuple(lengths)
        self.grid = bands[-1].hop // 2
        self.points = hop_length // self.grid
        self.rate = hop_length // bands[-1].hop  # spectra of the fastest band in a latent frame
        self.num_shaped = len(bands) - 1
        sizes = [min(POOLED_LOWEST, bands[0].num_features)]
        sizes += [min(POOLED_FEATURES, band.num_features) for band in bands[1:]]
        self._sizes = sizes
        outputs = 2 * self.num_shaped
        self.position = nn.Parameter(torch.zeros(channels, self.rate))
        self.enter = nn.Conv1d(sum(sizes) + outputs, channels, 5, padding=2)
        self.blocks = nn.ModuleList(EnvelopeBlock(channels, d) for d in DILATIONS)
        self.leave = nn.Conv1d(channels, outputs, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]
        spectra = 2 + sum(d + 1 for d in DILATIONS) + 1
        window_frames = max(band.length for band in bands) / hop_length
        self.reach_frames = math.ceil(spectra / self.rate + window_frames) + 1

    def forward(self, log_magnitudes: Sequence[Tensor]) -> Tensor:
        """Predict the envelopes.

        Args:
            log_magnitudes: log magnitudes of each band, [B, num_features, spectra of the band].

        Returns:
            natural logarithm of power, [B, shaped bands, frames · points].
        """
        spread = self.incoherent(log_magnitudes)
        fastest = log_magnitudes[-1].shape[-1]
        rows = [0.2 * (_pairs(spread) - 2 * MEAN_LEVEL)]
        for size, levels in zip(self._sizes, log_magnitudes, strict=True):
            pooled = functional.adaptive_avg_pool1d(levels.mT, size).mT
            repeated = pooled.repeat_interleave(fastest // levels.shape[-1], dim=-1)
            rows.append(0.4 * (repeated - MEAN_LEVEL))
        x = self.enter(torch.cat(rows, dim=1))
        x = x + self.position.repeat(1, fastest // self.rate)
        for block in self.blocks:
            x = block(x)
        return spread + _unpairs(self.leave(functional.silu(x)))

    def incoherent(self, log_magnitudes: Sequence[Tensor]) -> Tensor:
        """Return the log-power of bands of incoherent bins, [B, shaped bands, frames · points]."""
        rows = []
        for band, length, levels in zip(
            self._bands[1:], self._lengths[1:], log_magnitudes[1:], strict=True
        ):
            energy = band.magnitude(levels).square().sum(dim=1, keepdim=True)
            step = band.hop // self.grid
            window = band.window.square().unflatten(0, (-1, self.grid)).mean(1)
            total = functional.conv_transpose1d(energy, window.view(1, 1, -1), stride=step)
            margin = (band.length - band.hop) // 2 // self.grid
            # noise of power p has mean square magnitudes of 3/8 · length · p in the band's own
            # unnormalised transform, and the squared windows sum to 3/2
            gain = 9 / 16 * length * band.bins
            rows.append(total[..., margin : margin + energy.shape[-1] * step] / gain)
        return (torch.cat(rows, dim=1) + POWER_FLOOR).log()


def _pairs(grid: Tensor) -> Tensor:
    """Put both points of a spectrum side by side: [B, bands, 2 · spectra] → [B, 2 · bands, …]."""
    return grid.unflatten(-1, (-1, 2)).movedim(-1, -2).flatten(1, 2)


def _unpairs(rows: Tensor) -> Tensor:
    """Undo `_pairs`."""
    return rows.unflatten(1, (-1, 2)).movedim(2, -1).flatten(2)


def envelope_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean absolute error of log-power [B, bands, points]; loud points weigh more."""
    below = (wanted - wanted.amax(-1, keepdim=True)).clamp_min(-QUIET)
    weight = below / QUIET + 1 + LEAST_WEIGHT
    return (weight * (found - wanted).abs()).sum() / weight.sum()
