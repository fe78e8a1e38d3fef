"""Band spectra and their log-magnitude features, for the spectral autoencoder.

The signal is split into frequency bands, each with its own window length: long windows for the
frequency resolution of chords, short ones for the time resolution of drums. Each band is
reconstructed by overlap-add, and the bands' weights sum to one, so analysis and synthesis are
lossless; only the features are lossy.

Frame m of a band is centred on the m-th hop: a signal of `frames` hops has `frames` spectra.
"""

import itertools
import math

import torch
from einops import rearrange, reduce, repeat
from torch import Tensor, nn
from torch.nn import functional

from jen1cli.config import SpectralBand

EDGE_HZ = 80.0
"""Half width of the cross-fade between two bands."""
MAX_BALANCE = 0.9999
TURN_GAIN = 1.05
"""Factor on the phase difference of left and right, because overlap-add reduces the side. Without
it the side was 0.2 to 0.5 dB too low against mid; panning has no phase difference to scale."""
MAX_WIDTH = 3.5
"""Limit in nepers (30 dB) of the level of side against mid, in both directions."""


class Band(nn.Module):
    """One frequency band: complex spectra ↔ log-magnitudes and stereo cues.

    Attributes:
        hop: samples between spectra; a quarter of the window length.
        bins: Fourier bins that the band covers, cross-fades included.
        num_features: pooled log-magnitudes for each spectrum.
        num_groups: groups of bins that share one balance and one width.
        tonal: whether the phase follows peaks.
        kept_bins: bins on each side of a steady partial that keep the followed phase; 0: none.
    """

    weight: Tensor  # [bins], weight of the band in the sum of all bands
    window: Tensor  # [window_length]
    pool: Tensor  # [num_features, bins]
    unpool: Tensor  # [bins, num_features]
    group: Tensor  # [num_groups, bins]
    ungroup: Tensor  # [bins, num_groups]
    turn: Tensor  # [bins, 1], +1 or -1

    def __init__(
        self,
        config: SpectralBand,
        low_hz: float,
        num_groups: int,
        sample_rate: int,
        floor: float,
    ) -> None:
        super().__init__()
        length = config.window_length
        self.length, self.hop, self.floor = length, length // 4, floor
        self.tonal, self.kept_bins = config.tonal, config.kept_bins
        hz = torch.arange(length // 2 + 1) * sample_rate / length
        weight = torch.ones_like(hz)
        if low_hz > 0:
            weight = weight * _edge(hz, low_hz)
        if config.high_hz < sample_rate / 2:
            weight = weight * (1 - _edge(hz, config.high_hz))
        used = weight.nonzero().squeeze(1)
        self.first = int(used[0])
        self.bins = int(used[-1]) + 1 - self.first
        self.num_features = min(config.num_features or self.bins, self.bins)
        self.num_groups = num_groups
        self._table("weight", weight[self.first : self.first + self.bins])
        window = torch.hann_window(length)
        self._table("window", window)
        self.scale = float(2 / window.sum())  # a full-scale sine has magnitude 1
        self._table("pool", _pooling(self.bins, self.num_features))
        self._table("unpool", _unpooling(self.bins, self.num_features))
        self._table("group", _pooling(self.bins, num_groups))
        self._table("ungroup", (self.group > 0).float().T)
        self._table("turn", 1.0 - 2.0 * (self.ungroup.argmax(dim=1, keepdim=True) % 2))

    def _table(self, name: str, values: Tensor) -> None:
        """Register a derived table as a buffer that is not saved with the weights."""
        self.register_buffer(name, values, persistent=False)

    def analyze(self, waveform: Tensor) -> Tensor:
        """Return the band's spectra, complex [..., bins, frames]; samples = frames · hop."""
        margin = (self.length - self.hop) // 2
        padded = functional.pad(waveform, (margin, margin))
        frames = padded.unfold(-1, self.length, self.hop) * (self.window * self.scale)
        spectrum = torch.fft.rfft(frames, dim=-1)[..., self.first : self.first + self.bins]
        return spectrum.transpose(-1, -2)

    def synthesize(self, spectrum: Tensor) -> Tensor:
        """Return the band's contribution to the waveform [..., frames · hop]."""
        return self.synthesize_whole(spectrum * self.weight[:, None])

    def synthesize_whole(self, spectrum: Tensor) -> Tensor:
        """Return the waveform of all bins, without the cross-fade to the other bands."""
        rows = spectrum.transpose(-1, -2)
        full = functional.pad(rows, (self.first, self.length // 2 + 1 - self.first - self.bins))
        # in place: on a CPU, allocating new memory costs more than the transform
        pieces = torch.fft.irfft(full, n=self.length, dim=-1).mul_(self.window / self.scale)
        total = self._overlap_add(pieces)
        samples = spectrum.shape[-1] * self.hop
        margin = (self.length - self.hop) // 2
        return total[..., margin : margin + samples] * self._overlap_gain(spectrum.shape[-1])

    def _overlap_gain(self, frames: int) -> Tensor:
        """Return the reciprocal sum of squared windows at each sample: 2/3 except near the ends."""
        some = min(frames, 8)
        squares = self.window.square().expand(1, some, self.length)
        margin = (self.length - self.hop) // 2
        short = self._overlap_add(squares)[0, margin : margin + some * self.hop].reciprocal()
        if frames == some:
            return short
        middle = short.new_full(((frames - some) * self.hop,), 2.0 / 3.0)
        half = some // 2 * self.hop
        return torch.cat([short[:half], middle, short[half:]])

    def _overlap_add(self, pieces: Tensor) -> Tensor:
        """Add windowed pieces [..., frames, length] at every hop: [..., (frames + 3) · hop]."""
        frames = pieces.shape[-2]
        first, *others = pieces.split(self.hop, dim=-1)
        total = functional.pad(first, (0, 0, 0, 3))
        for i, quarter in enumerate(others, start=1):
            total[..., i : i + frames, :] += quarter
        return rearrange(total, "... frames hop -> ... (frames hop)")

    def describe(self, spectrum: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn stereo spectra [B, 2, bins, frames] into features.

        Returns:
            log-magnitude [B, num_features, frames] of the root mean square of both channels;
            balance and width [B, num_groups, frames]: the balance of the channels' energies in
            -1..1, and the level of side against mid in nepers, within ±MAX_WIDTH.
        """
        energy = spectrum.abs().square()
        left, right = energy.unbind(1)
        log_magnitude = 0.5 * (self.pool @ ((left + right) / 2) + self.floor**2).log()
        cross = (spectrum[:, 0] * spectrum[:, 1].conj()).real
        left, right, cross = self.group @ left, self.group @ right, self.group @ cross
        silence = self.floor**2
        both = left + right
        balance = (left - right) / (both + silence)
        side = (both - 2 * cross).clamp_min(0) + silence * math.exp(-2 * MAX_WIDTH)
        width = 0.5 * (side / ((both + 2 * cross).clamp_min(0) + silence)).log()
        return log_magnitude, balance, width.clamp(-MAX_WIDTH, MAX_WIDTH)

    def magnitude(self, log_magnitude: Tensor) -> Tensor:
        """Map log-magnitudes [B, num_features, frames] to magnitudes [B, bins, frames]."""
        magnitude = (self.unpool @ log_magnitude).exp()
        return (magnitude - self.floor).clamp_min(0)

    def mid_and_side(self, log_magnitude: Tensor, width: Tensor) -> Tensor:
        """Return the mean energies of mid and side over all bins and frames, [B, 2].

        Args:
            log_magnitude: [B, num_features, frames].
            width: [B, num_groups, frames].
        """
        energy = (self.unpool @ log_magnitude).exp().square()
        side = self.ungroup @ torch.sigmoid(2 * width.clamp(-MAX_WIDTH, MAX_WIDTH))
        both = torch.stack((energy * (1 - side), energy * side), dim=1) * self.weight[:, None]
        return both.mean(dim=(2, 3)) + self.floor**2 * math.exp(-2 * MAX_WIDTH)

    def pan(self, magnitude: Tensor, balance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the magnitudes [B, bins, frames] of left and of right with the given balance."""
        balance = (self.ungroup @ balance).clamp(-MAX_BALANCE, MAX_BALANCE)
        return magnitude * (1 + balance).sqrt(), magnitude * (1 - balance).sqrt()

    def place(self, magnitude: Tensor, phase: Tensor, balance: Tensor, width: Tensor) -> Tensor:
        """Make stereo spectra [B, 2, bins, frames] with the given balance and width.

        Left and right get the phase ± δ/2, where cos δ is the correlation that yields the levels of
        mid and side; so the energies of left, right, mid and side all match the features.
        """
        left, right = self.pan(magnitude, balance)
        balance = (self.ungroup @ balance).clamp(-MAX_BALANCE, MAX_BALANCE)
        # (mid - side) / (mid + side) in energies, over the geometric mean of left and right
        width = self.ungroup @ width.clamp(-MAX_WIDTH, MAX_WIDTH)
        correlation = -torch.tanh(width) / (1 - balance.square()).sqrt()
        half = correlation.clamp(-MAX_BALANCE, MAX_BALANCE).acos() * (TURN_GAIN / 2)
        # the sign alternates between groups of bins, so that no side leads in phase
        half = half * self.turn
        return torch.stack(
            (torch.polar(left, phase + half), torch.polar(right, phase - half)), dim=1
        )


def _edge(hz: Tensor, centre: float) -> Tensor:
    """Rise from 0 to 1 around `centre`; exactly 0 and 1 beyond, which the choice of bins relies on.

    The sine alone is not enough: a vectorised sine sometimes gives 1 - 6e-8.
    """
    place = (hz - centre) / EDGE_HZ
    rise = 0.5 + 0.5 * torch.sin(place.clamp(-1, 1) * math.pi / 2)
    return torch.where(place.abs() < 1, rise, (place > 0).to(rise))


def _boundaries(bins: int, groups: int) -> list[int]:
    """Return the edges of `groups` groups of `bins` bins: one bin each, wider towards the top."""
    if groups == bins:
        return list(range(bins + 1))
    growth = (bins / groups) ** 1.2
    sizes = [growth ** (i / max(1, groups - 1)) for i in range(groups)]
    scale = bins / sum(sizes)
    edges = [0]
    total = 0.0
    for i, size in enumerate(sizes):
        total += size * scale
        rest = groups - 1 - i
        edges.append(min(max(round(total), edges[-1] + 1), bins - rest))
    edges[-1] = bins
    return edges


def _pooling(bins: int, groups: int) -> Tensor:
    """Return the matrix [groups, bins] that averages the bins of each group."""
    matrix = torch.zeros(groups, bins)
    edges = _boundaries(bins, groups)
    for i in range(groups):
        matrix[i, edges[i] : edges[i + 1]] = 1 / (edges[i + 1] - edges[i])
    return matrix


def _unpooling(bins: int, groups: int) -> Tensor:
    """Return the matrix [bins, groups] of linear interpolation between the groups' centres."""
    edges = _boundaries(bins, groups)
    centres = torch.tensor([(a + b - 1) / 2 for a, b in itertools.pairwise(edges)])
    k = torch.arange(bins)
    right = torch.searchsorted(centres, k.float()).clamp(1, groups - 1) if groups > 1 else k * 0
    left = (right - 1).clamp(min=0)
    width = (centres[right] - centres[left]).clamp(min=1)
    share = ((k - centres[left]) / width).clamp(0, 1).double()  # held beyond the outer centres
    matrix = torch.zeros(bins, groups)
    matrix[k, left] = (1 - share).float()
    matrix[k, right] = share.float() if groups > 1 else torch.ones(bins)
    return matrix


def pool_pairs(cue: Tensor) -> Tensor:
    """Average stereo cues over pairs of spectra: [B, groups, frames] → [B, groups, frames / 2]."""
    return reduce(cue, "b g (f two) -> b g f", "mean", two=2)


def unpool_pairs(cue: Tensor) -> Tensor:
    """Repeat stereo cues for both spectra of a pair: the inverse of `pool_pairs` in shape."""
    return repeat(cue, "b g f -> b g (f two)", two=2)
