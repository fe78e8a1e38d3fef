"""Envelopes within the windows: where their points lie, what they do, exact pieces."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.autoencoder.codec import Codec
from jen1cli.autoencoder.envelope import envelope_loss
from jen1cli.autoencoder.refinement import PhaseRefiner
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.config import SeanetConfig, SpectralBand, SpectralConfig, WhiteningConfig
from jen1cli.errors import ConfigError
from jen1cli.presets import TINY
from jen1cli.training.autoencoder.build import with_predictor

CONFIG = SpectralConfig(
    latent_channels=8,
    trunk_channels=16,
    num_encoder_blocks=1,
    num_decoder_blocks=1,
    envelope_channels=16,
)
FRAME = CONFIG.hop_length


def build(config: SpectralConfig = CONFIG) -> SpectralAutoencoder:
    torch.manual_seed(0)
    autoencoder = build_autoencoder(config)
    assert isinstance(autoencoder, SpectralAutoencoder)
    return autoencoder.eval()


def levels_of(autoencoder: SpectralAutoencoder, features: Tensor) -> list[Tensor]:
    return [levels for _, levels, _, _ in autoencoder.unpack(features)]


@torch.no_grad()
def test_before_training_noise_has_the_envelope_of_incoherent_bins() -> None:
    autoencoder = build()
    generator = torch.Generator().manual_seed(2)
    noise = 0.1 * torch.randn(1, 1, 40 * FRAME, generator=generator).expand(1, 2, -1)
    assert autoencoder.envelopes is not None
    found = autoencoder.envelopes(levels_of(autoencoder, autoencoder.features(noise)))
    wanted = autoencoder.true_envelopes(noise)
    assert found.shape == wanted.shape == (1, 2, 40 * 16)
    difference = (wanted - found)[..., 64:-64]
    assert difference.mean(-1).abs().max() < 0.3


@torch.no_grad()
def test_the_point_of_a_click_is_where_it_sounds() -> None:
    autoencoder = build()
    for place in (20_000, 20_128, 31_337):
        click = torch.zeros(1, 2, 20 * FRAME)
        click[..., place] = 1.0
        loudest = autoencoder.true_envelopes(click).argmax(-1)[0]
        assert (loudest - place / 128).abs().max() <= 1


@torch.no_grad()
def test_an_imposed_envelope_gathers_the_energy_of_clicks() -> None:
    """Compare the share of energy within 3 ms of the clicks with and without their envelope."""
    autoencoder = build()
    clicks = torch.zeros(1, 2, 30 * FRAME)
    places = range(9_000, 55_000, 7_919)
    for place in places:
        clicks[..., place], clicks[..., place + 1] = 1.0, -1.0  # mostly in the shaped bands
    features = autoencoder.features(clicks)

    def near(envelopes: Tensor) -> float:
        guess = autoencoder._guess_phase(
            torch.cat((features, envelopes), dim=1), autoencoder._followers()
        )
        energy = autoencoder._render(guess)[0].square().sum(0)
        close = sum(float(energy[place - 128 : place + 160].sum()) for place in places)
        return close / float(energy.sum())

    spread = autoencoder._predict_envelopes(features)
    true = autoencoder.true_envelopes(clicks).unflatten(-1, (-1, 16)).mT.flatten(1, 2)
    assert near(true) > 1.2 * near(spread)


@torch.no_grad()
def test_the_last_round_imposes_no_envelope() -> None:
    autoencoder = build()
    band = next(iter(autoencoder._bands[1:]))
    spectrum = band.analyze(torch.randn(1, 8 * FRAME))
    loud = torch.full((1, 8 * 16), 3.0) * torch.arange(8 * 16) / 16
    one, two = (PhaseRefiner(band, rounds, grid_step=128) for rounds in (1, 2))
    assert torch.equal(one(spectrum, loud), one(spectrum))
    assert not torch.equal(two(spectrum, loud), two(spectrum))


@pytest.mark.heavy
@torch.no_grad()
def test_pieces_equal_the_whole() -> None:
    autoencoder = build()
    assert autoencoder.envelopes is not None
    for parameter in autoencoder.envelopes.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    latent = torch.randn(1, 8, 120)
    whole = autoencoder.decode_frames(latent)
    autoencoder.stream_seconds = 1.0
    assert autoencoder.stream_frames < 60
    pieces = torch.cat(list(autoencoder.decode_stream(latent)), dim=-1)
    # refinement amplifies rounding; this network is louder and less steady than music
    assert (pieces - whole).square().mean() < 1e-4 * whole.square().mean()


def test_half_precision_trains_them_too() -> None:
    autoencoder = build()
    noise = 0.1 * torch.randn(1, 2, 12 * FRAME, generator=torch.Generator().manual_seed(4))
    whole = autoencoder.training_loss(noise)[1]["envelope"]
    with torch.autocast("cpu", torch.bfloat16):
        half = autoencoder.training_loss(noise)[1]["envelope"]
    assert half.item() == pytest.approx(whole.item(), rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"bands": (SpectralBand(2048, 24_000.0),)},
        {"bands": (SpectralBand(1024, 6_000.0), SpectralBand(4096, 24_000.0))},
        {"refinements": 0},
    ],
)
def test_bands_that_can_have_none_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="envelopes need several bands"):
        dataclasses.replace(CONFIG, **change)
    assert dataclasses.replace(CONFIG, envelope_channels=0, **change).envelope_channels == 0


def test_loss_counts_loud_points_more() -> None:
    wanted = torch.tensor([[[0.0, -20.0]]])
    loud, quiet = torch.tensor([[[1.0, -20.0]]]), torch.tensor([[[0.0, -19.0]]])
    assert envelope_loss(wanted, wanted) == 0
    assert envelope_loss(loud, wanted) > 10 * envelope_loss(quiet, wanted)


def codec_of(config: SpectralConfig | SeanetConfig) -> Codec:
    whitening = WhiteningConfig(config.latent_channels, config.latent_channels)
    model = dataclasses.replace(TINY, autoencoder=config, whitening=whitening)
    return Codec(model, build_autoencoder(config), Whitening(whitening))


def test_a_set_without_envelopes_gets_them_and_keeps_its_networks() -> None:
    plain = codec_of(dataclasses.replace(CONFIG, envelope_channels=0))
    grown = with_predictor(plain, "envelopes", 8)
    assert grown.config.autoencoder == dataclasses.replace(CONFIG, envelope_channels=8)
    for name, tensor in plain.autoencoder.state_dict().items():
        assert torch.equal(grown.autoencoder.state_dict()[name], tensor)
    assert with_predictor(grown, "envelopes", 8) is grown
    with pytest.raises(ConfigError, match="8 channels, not 16"):
        with_predictor(grown, "envelopes", 16)


def test_other_families_have_none() -> None:
    seanet = SeanetConfig(latent_channels=8, num_filters=4, num_lstm_layers=0)
    with pytest.raises(ConfigError, match="'seanet' predicts no envelopes"):
        with_predictor(codec_of(seanet), "envelopes", 8)
