"""Consistent phase for a magnitude spectrum: fast Griffin-Lim on one frequency band.

The spectrum with the phase of `PhaseFollower` is inconsistent: it is no signal's transform, because
overlapping windows disagree, and attacks are smeared over a whole window. Griffin-Lim projections
(Griffin and Lim, 1984) reduce the inconsistency: synthesise, analyse again, keep the new phase and
the old magnitude. The accelerated form (Perraudin, Balazs and Søndergaard, WASPAA 2013)
extrapolates from one projection to the next and needs about half as many rounds.

Decoded magnitudes are no signal's either. Projections fit the phase of a steady tone to the errors
in the magnitudes beside it, which modulates the tone: sines of 220 to 800 Hz by 11 %, where the
followed phase leaves 2 %. So the phase of steady partials is kept, and the rest fitted to it.

A band with a long window has few bins, so the projections run on the band alone, shifted to 0 Hz
and sampled at the lowest rate that holds its bins. The result equals that of the full Fourier
length at a small share of the cost. Both channels share one phase, so one phase is refined.
"""

import math

import torch
from torch import Tensor, nn

from jen1cli.autoencoder.envelope import EnvelopeGrid
from jen1cli.autoencoder.phase import Partials
from jen1cli.autoencoder.spectrum import Band

MOMENTUM = 0.99
"""Step of the extrapolation; Perraudin et al. recommend 0.99. On validation clips, values above 1
gave a smaller spectral distance but less steady partials."""
GAIN_RANGE = (-1.7, 1.0)
"""Limits in nepers (-15 and 9 dB) of the gain that imposes an envelope."""
SHAPED = 0.75
"""Share of the rounds that impose it. The last ones only make the phase consistent: between 1.5 and
6 kHz there is then less noise before attacks than with all rounds."""
WINDOW_REACH = 8
"""Spare bins, so that the leakage of a Hann window applied twice does not wrap from one edge of the
band to the other."""


class PhaseRefiner(nn.Module):
    """Makes the phase of one band's spectra consistent and keeps their magnitudes.

    Attributes:
        rounds: number of Griffin-Lim projections; 0 leaves the phase unchanged.
        reach: spectra on each side that the refined phase of one spectrum depends on.
    """

    window: Tensor  # [length]

    def __init__(self, band: Band, rounds: int, grid_step: int = 0) -> None:
        super().__init__()
        self.kept_bins = band.kept_bins if band.tonal else 0
        self.bins, self.first, self.rounds = band.bins, band.first, rounds
        self.length = _transform_length(band.bins + WINDOW_REACH)
        self.hop = self.length // 4
        self.grid = EnvelopeGrid(band, self.length, grid_step) if grid_step else None
        # smoothing the power reaches at most one spectrum further, as does `Partials.steady`
        self.reach = (4 if grid_step else 3) * rounds + bool(self.kept_bins)
        self.register_buffer("window", torch.hann_window(self.length), persistent=False)

    def forward(
        self, spectrum: Tensor, envelope: Tensor | None = None, deviation: Tensor | None = None
    ) -> Tensor:
        """Return complex spectra [B, bins, frames] with the same magnitudes and a refined phase.

        Args:
            spectrum: the first guess of the phase, with the magnitudes to keep.
            envelope: log-power at the grid's points [B, points], imposed on each synthesis.
            deviation: what the phases were followed with, see `PhaseFollower`.
        """
        if not self.rounds:
            return spectrum
        magnitude = spectrum.abs()
        shift = self._shift(spectrum)
        current = guess = spectrum * shift
        kept = None
        if self.kept_bins:
            kept = Partials.of(magnitude, self.first, deviation).steady(self.kept_bins)
        shaped = min(int(SHAPED * self.rounds), self.rounds - 1)
        wanted = None
        last = None
        for turn in range(self.rounds):
            samples = self._synthesize(current)
            if self.grid is not None and envelope is not None and turn < shaped:
                power = self.grid.log_power(samples)
                if wanted is None:
                    wanted = self.grid.at_measured(envelope, power.shape[-1])
                gain = (0.5 * (wanted - power)).clamp(*GAIN_RANGE).exp()
                samples = samples * self.grid.at_samples(gain)
            consistent = self._analyze(samples)
            ahead = consistent if last is None else torch.lerp(last, consistent, 1 + MOMENTUM)
            current = ahead.sgn().mul_(magnitude)
            if kept is not None:
                current = torch.where(kept, guess, current)
            last = consistent
        return current * shift.conj()

    def envelope(self, spectrum: Tensor, points: int) -> Tensor:
        """Return the log-power at the grid [B, points] of consistent stereo spectra.

        Args:
            spectrum: complex [B, 2, bins, frames]; the powers of both channels are averaged.
            points: number of points.
        """
        assert self.grid is not None
        shifted = (spectrum * self._shift(spectrum)).flatten(0, 1)
        power = self.grid.log_power(self._synthesize(shifted)).exp()
        return self.grid.at_points(power.unflatten(0, (-1, 2)).mean(1).log(), points)

    def _shift(self, spectrum: Tensor) -> Tensor:
        """Return the factors [frames] that move the band to 0 Hz.

        They remove the phase advance of its lowest bin per hop.
        """
        turns = torch.arange(spectrum.shape[-1], device=spectrum.device) * self.first % 4
        ones = torch.ones_like(turns, dtype=spectrum.real.dtype)
        return torch.polar(ones, -turns * (math.pi / 2))

    def _synthesize(self, spectrum: Tensor) -> Tensor:
        """Overlap-add: [B, bins, frames] → complex samples [B, (frames + 3) · hop]."""
        pieces = torch.fft.ifft(spectrum.mT, n=self.length, dim=-1).mul_(self.window)
        frames = pieces.shape[-2]
        quarters = pieces.unflatten(-1, (4, self.hop))
        total = pieces.new_zeros(*pieces.shape[:-2], frames + 3, self.hop)
        for i in range(4):
            total[..., i : i + frames, :] += quarters[..., i, :]
        # squared Hann windows with a hop of a quarter of their length sum to 3/2
        return total.flatten(-2).mul_(2 / 3)

    def _analyze(self, samples: Tensor) -> Tensor:
        """Complex samples [B, (frames + 3) · hop] → [B, bins, frames]."""
        pieces = samples.unfold(-1, self.length, self.hop) * self.window
        return torch.fft.fft(pieces, dim=-1)[..., : self.bins].mT


def _transform_length(least: int) -> int:
    """Return the smallest multiple of 4 from `least` on with no prime factor above 5."""
    length = least + -least % 4
    while not _is_smooth(length):
        length += 4
    return length


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1
