import dataclasses
import math

import pytest
import torch
from torch import Tensor

from jen1cli.autoencoder.phase import Partials, PhaseFollower
from jen1cli.autoencoder.refinement import PhaseRefiner
from jen1cli.autoencoder.spectrum import Band
from jen1cli.config import SpectralBand
from jen1cli.metrics.modulation import sine_modulation

RATE = 48_000
LOW = SpectralBand(4096, 1_500.0)
MIDDLE = SpectralBand(2048, 6_000.0)
HIGH = SpectralBand(1024, 24_000.0, num_features=64, tonal=False)


def band_of(config: SpectralBand, low_hz: float) -> Band:
    return Band(config, low_hz, 4, RATE, 3e-5)


def guess(band: Band, waveform: Tensor) -> Tensor:
    magnitude = band.analyze(waveform).abs()
    return torch.polar(magnitude, PhaseFollower(band)(magnitude))


def steady_tone(band: Band, hz: float, spectra: int = 60) -> Tensor:
    return 0.5 * torch.sin(2 * math.pi * hz * torch.arange(spectra * band.hop) / RATE)[None]


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
    tone = steady_tone(band, hz)
    refined = band.synthesize(PhaseRefiner(band, 8)(guess(band, tone)))[0]
    middle = refined[10 * band.hop : -10 * band.hop]
    # a steady tone has a constant envelope: mean square over one period, all along
    period = round(RATE / hz)
    level = middle[: len(middle) // period * period].unflatten(0, (-1, period))
    level = level.square().mean(1).sqrt()
    assert level.std() < 0.02 * level.mean()


@pytest.mark.parametrize("hz", [441.0, 615.0])
def test_sidelobes_have_their_own_signs(hz: float) -> None:
    def consistency(kept_bins: int) -> float:
        """Share of the guess that is no signal's transform."""
        band = band_of(dataclasses.replace(LOW, kept_bins=kept_bins), 0.0)
        spectrum = guess(band, steady_tone(band, hz))
        again = band.analyze(band.synthesize_whole(spectrum))
        inner = (..., slice(10, -10))
        error = (again[inner] - spectrum[inner]).abs().square().mean()
        return float(error / spectrum[inner].abs().square().mean())

    assert consistency(64) < 0.1 * consistency(0)


def test_errors_beside_a_steady_tone_do_not_modulate_it() -> None:
    def modulation(kept_bins: int) -> float:
        band = band_of(dataclasses.replace(LOW, kept_bins=kept_bins), 0.0)
        magnitude = band.analyze(steady_tone(band, 475.0)).abs()
        # what a decoder errs by around the peak, in turns from spectrum to spectrum
        errors = 0.1 * torch.randn(1, 6, 1, generator=torch.Generator().manual_seed(0))
        magnitude[:, 38:44, ::2] *= errors.exp()
        spectrum = torch.polar(magnitude, PhaseFollower(band)(magnitude))
        back = band.synthesize(PhaseRefiner(band, 8)(spectrum))[0]
        return sine_modulation(back.numpy(), RATE, 475.0, RATE / (2 * band.hop))

    assert modulation(64) < 0.5 * modulation(0)


def test_kept_bins_are_those_of_steady_partials() -> None:
    band = band_of(LOW, 0.0)
    tone = steady_tone(band, 500.0)
    tone[:, tone.shape[1] // 2 :] *= 0.2  # falls by 14 dB in the middle
    kept = Partials.of(band.analyze(tone).abs(), band.first).steady(2)[0]
    peak = round(500.0 * band.length / RATE) - band.first
    assert kept[peak - 1 : peak + 2, 5:25].all()
    assert not kept[peak + 4 : peak + 8].any()
    assert not kept[peak, 29:31].any()


def test_pieces_are_refined_as_the_whole() -> None:
    band = band_of(dataclasses.replace(MIDDLE, kept_bins=2), 1500.0)
    refine = PhaseRefiner(band, 2)
    tones = steady_tone(band, 2000.0, 80) + steady_tone(band, 2950.0, 80)
    spectrum = guess(band, tones + 0.1 * torch.randn(1, 80 * band.hop))
    piece = slice(20, 60)
    inner = slice(refine.reach, -refine.reach)
    torch.testing.assert_close(
        refine(spectrum[..., piece])[..., inner], refine(spectrum)[..., piece][..., inner]
    )
