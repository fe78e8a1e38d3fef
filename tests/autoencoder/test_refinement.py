import math

import pytest
import torch
from torch import Tensor

from jen1cli.autoencoder.phase import PhaseFollower
from jen1cli.autoencoder.refinement import PhaseRefiner
from jen1cli.autoencoder.spectrum import Band
from jen1cli.config import SpectralBand

RATE = 48_000
LOW = SpectralBand(4096, 1_500.0)
MIDDLE = SpectralBand(2048, 6_000.0)
HIGH = SpectralBand(1024, 24_000.0, num_features=64, tonal=False)


def band_of(config: SpectralBand, low_hz: float) -> Band:
    return Band(config, low_hz, 4, RATE, 3e-5)


def guess(band: Band, waveform: Tensor, tonal: bool = True) -> Tensor:
    magnitude = band.analyze(waveform).abs()
    follow = PhaseFollower(band.bins, band.first, band.length, band.hop, tonal)
    return torch.polar(magnitude, follow(magnitude))


@pytest.mark.parametrize(("config", "low_hz"), [(LOW, 0.0), (MIDDLE, 1500.0), (HIGH, 6000.0)])
def test_one_round_is_the_projection_of_the_full_transform(
    config: SpectralBand, low_hz: float
) -> None:
    band = band_of(config, low_hz)
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(1, 40 * band.hop, generator=generator)
    spectrum = guess(band, noise)
    refined = PhaseRefiner(band, 1)(spectrum)
    expected = band.analyze(band.synthesize_whole(spectrum)).sgn() * spectrum.abs()
    # away from the ends, and from 0 Hz and 24 kHz, whose mirrored bins the band leaves out
    inner = (..., slice(8, -8), slice(6, -6))
    error = (refined[inner] - expected[inner]).abs().square().mean()
    assert error < 1e-4 * expected[inner].abs().square().mean()


@pytest.mark.parametrize("rounds", [0, 3])
def test_magnitudes_stay(rounds: int) -> None:
    band = band_of(MIDDLE, 1500.0)
    spectrum = guess(band, torch.randn(2, 30 * band.hop))
    refined = PhaseRefiner(band, rounds)(spectrum)
    torch.testing.assert_close(refined.abs(), spectrum.abs(), atol=1e-5, rtol=1e-4)


def test_silence_stays_silent() -> None:
    band = band_of(MIDDLE, 1500.0)
    refined = PhaseRefiner(band, 4)(torch.zeros(1, band.bins, 12, dtype=torch.complex64))
    assert not refined.abs().any()


def test_a_click_comes_back_short() -> None:
    band = band_of(MIDDLE, 1500.0)
    click = torch.zeros(1, 60 * band.hop)
    centre = 30 * band.hop + 100
    click[0, centre : centre + 24] = torch.hann_window(24)
    spectrum = guess(band, click)

    def early_share(rounds: int) -> float:
        """Share of the energy that comes more than 5 ms before the click."""
        energy = band.synthesize(PhaseRefiner(band, rounds)(spectrum))[0].square()
        return float(energy[: centre - RATE // 200].sum() / energy.sum())

    assert early_share(16) < 0.5 * early_share(0)


def test_the_phase_of_a_steady_tone_stays_that_of_the_tone() -> None:
    band = band_of(LOW, 0.0)
    hz = 441.0
    tone = 0.5 * torch.sin(2 * math.pi * hz * torch.arange(60 * band.hop) / RATE)[None]
    refined = band.synthesize(PhaseRefiner(band, 8)(guess(band, tone)))[0]
    middle = refined[10 * band.hop : -10 * band.hop]
    # a steady tone has a constant envelope: mean square over one period, all along
    period = round(RATE / hz)
    level = middle[: len(middle) // period * period].unflatten(0, (-1, period))
    level = level.square().mean(1).sqrt()
    assert level.std() < 0.02 * level.mean()
