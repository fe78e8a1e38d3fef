"""Predicted frequencies: what is true, what they tune, exact pieces, training."""

import dataclasses

import pytest
import torch
from torch import Tensor

from jen1cli.autoencoder import build_autoencoder
from jen1cli.autoencoder.frequency import FrequencyPredictor, frequency_loss, true_deviations
from jen1cli.autoencoder.phase import Partials
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.autoencoder.spectrum import Band
from jen1cli.config import SpectralBand, SpectralConfig
from jen1cli.metrics.tuning import partials_in_tune

RATE = 48_000
CONFIG = SpectralConfig(
    latent_channels=8,
    bands=(
        SpectralBand(4096, 1_500.0, 1.5, kept_bins=2),
        SpectralBand(2048, 6_000.0, 1.0, kept_bins=2),
        SpectralBand(1024, 24_000.0, 0.7, num_features=32, tonal=False),
    ),
    trunk_channels=16,
    num_encoder_blocks=1,
    num_decoder_blocks=1,
    refinements=2,
    envelope_channels=16,
    frequency_channels=24,
)
LOW = Band(CONFIG.bands[0], 0.0, 4, RATE, CONFIG.floor)


def build(config: SpectralConfig = CONFIG) -> SpectralAutoencoder:
    torch.manual_seed(0)
    autoencoder = build_autoencoder(config)
    assert isinstance(autoencoder, SpectralAutoencoder)
    return autoencoder.eval()


def tones(*hertz: float, frames: int = 48) -> Tensor:
    t = torch.arange(frames * CONFIG.hop_length) / RATE
    mono = sum(0.1 * torch.sin(2 * torch.pi * hz * t) for hz in hertz)
    return torch.as_tensor(mono).expand(1, 2, -1)


@pytest.mark.parametrize("hz", [110.0, 440.0, 1234.5])
def test_the_true_deviation_is_that_of_the_tone(hz: float) -> None:
    deviation = true_deviations(LOW, LOW.analyze(tones(hz)))
    place = hz * LOW.length / RATE - LOW.first
    for near in (int(place), int(place) + 1):
        found = deviation[0, near, 10:-10]
        torch.testing.assert_close(found, torch.full_like(found, place - near), atol=2e-3, rtol=0)


def test_before_training_it_is_that_of_the_peaks() -> None:
    levels = LOW.analyze(tones(300.0, 700.0)).abs().square().mean(1).sqrt().log()
    found = FrequencyPredictor(LOW, 16)(levels)
    wanted = Partials.of(levels.exp(), LOW.first).deviation.clamp(-1.5, 1.5)
    torch.testing.assert_close(found, wanted)


def test_the_loss_counts_turns_once_and_loud_bins_most() -> None:
    magnitude = torch.full((1, 9, 4), 1e-3)
    magnitude[:, 4] = 1.0
    wanted = torch.zeros(1, 9, 4)
    assert frequency_loss(wanted + 4.0, wanted, magnitude) < 1e-5
    at_peak, beside = wanted.clone(), wanted.clone()
    at_peak[:, 4], beside[:, 0] = 0.3, 0.3
    assert frequency_loss(at_peak, wanted, magnitude) > 10 * frequency_loss(
        beside, wanted, magnitude
    )


@torch.no_grad()
def test_frequencies_tune_tones_whose_peaks_are_off() -> None:
    autoencoder = build()
    chord = tones(110.0, 220.0, 277.2, 329.6, 440.0)
    features = autoencoder.features(chord)
    # a decoder that errs by 4 dB, in each bin always alike
    sizes = [LOW.bins * 2, features.shape[1] - LOW.bins * 2 - 16]
    low, cues, rest = features.split((sizes[0], 16, sizes[1]), dim=1)
    levels = low.unflatten(1, (2, LOW.bins))
    errors = 0.5 * torch.randn(LOW.bins, 1, generator=torch.Generator().manual_seed(0))
    levels = levels + CONFIG.bands[0].weight * errors
    coded = torch.cat((levels.flatten(1, 2), cues, rest), dim=1)
    true = [wanted for wanted, _ in autoencoder.true_frequencies(chord)]
    autoencoder.decode_features = lambda latent: coded  # type: ignore[method-assign]

    def in_tune(found: list[Tensor]) -> float:
        autoencoder.frequencies_of = lambda features: found  # type: ignore[method-assign]
        made = autoencoder.decode_frames(coded)[0].mean(0).numpy()
        return partials_in_tune(chord[0, 0].numpy(), made, RATE, (80.0, 1_000.0))

    peaks = [Partials.of(own.exp(), band.first).deviation
             for band, own, _, _ in list(autoencoder.unpack(coded))[:2]]  # fmt: skip
    assert in_tune(true) > 95.0
    assert in_tune(peaks) < 75.0


@torch.no_grad()
def test_pieces_equal_the_whole() -> None:
    autoencoder = build()
    for parameter in autoencoder.frequencies.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    latent = torch.randn(1, 8, 150)
    whole = autoencoder.decode_frames(latent)
    autoencoder.stream_seconds = 1.0
    pieces = torch.cat(list(autoencoder.decode_stream(latent)), dim=-1)
    assert autoencoder.stream_frames < 75
    # rounding decides now and then which partial a bin belongs to
    assert (pieces - whole).square().mean() < 1e-8 * whole.square().mean()


def test_training_brings_them_nearer() -> None:
    autoencoder = build().train()
    generator = torch.Generator().manual_seed(1)
    pitches = 100 + 1300 * torch.rand(4, 4, generator=generator)
    music = torch.cat([tones(*own.tolist(), frames=12) for own in pitches])
    optimizer = torch.optim.Adam(autoencoder.frequencies.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        loss, parts = autoencoder.training_loss(music)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(parts["frequency"].item())
    assert losses[-1] < 0.9 * losses[0]


def test_bands_of_noise_have_none() -> None:
    assert [i for i, _ in build().predictors] == [0, 1]
    assert not build(dataclasses.replace(CONFIG, frequency_channels=0)).predictors
