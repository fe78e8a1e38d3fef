"""An encoder that is frozen where the diffusion model looks."""

import dataclasses

import pytest
import torch

from jen1cli.autoencoder import Whitening, build_autoencoder
from jen1cli.config import SeanetConfig, SpectralConfig, WhiteningConfig
from jen1cli.errors import ConfigError
from jen1cli.training.autoencoder.frozen import FrozenComponents

SHAPE = SpectralConfig(
    latent_channels=12, trunk_channels=8, num_encoder_blocks=1, num_decoder_blocks=1
)


@pytest.fixture
def autoencoder():
    torch.manual_seed(0)
    found = build_autoencoder(SHAPE).eval()
    torch.nn.init.normal_(found.encoder_trunk.leave.weight, std=0.1)
    found.latent_scale.uniform_(0.2, 3.0)
    return found


def whitening(components):
    found = Whitening(WhiteningConfig(12, components))
    basis, _ = torch.linalg.qr(torch.randn(12, 12))
    found.mean.normal_()
    found.forward_matrix.copy_(basis[:, :components])
    found.inverse_matrix.copy_(basis[:, :components].T)
    return found


def test_components_stay_while_the_rest_learns(autoencoder):
    white = whitening(5)
    frozen = FrozenComponents(autoencoder, white)
    features = torch.randn(2, autoencoder.num_features, 9)
    with torch.no_grad():
        before = autoencoder.encode_features(features)
    optimizer = torch.optim.AdamW(
        [p for p in autoencoder.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.1
    )
    for _ in range(5):
        autoencoder.encode_features(features).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        frozen.restore()
    with torch.no_grad():
        after = autoencoder.encode_features(features)
    torch.testing.assert_close(white.whiten(after), white.whiten(before), atol=1e-3, rtol=1e-3)
    assert float((after - before).square().mean()) > 0.01 * float(before.square().mean())


def test_only_the_last_layers_of_the_encoder_learn(autoencoder):
    FrozenComponents(autoencoder, whitening(5))
    free = {name for name, p in autoencoder.named_parameters() if p.requires_grad}
    assert {n for n in free if n.startswith(("project", "encoder"))} == {
        "project", "encoder_trunk.leave.weight", "encoder_trunk.leave.bias"
    }  # fmt: skip
    assert "expand" in free


def test_what_cannot_be_frozen_in_parts_is_refused(autoencoder):
    with pytest.raises(ConfigError, match="keeps every component"):
        FrozenComponents(autoencoder, whitening(12))
    seanet = build_autoencoder(dataclasses.replace(SeanetConfig(), latent_channels=12,
                                                   num_filters=4, num_lstm_layers=0))  # fmt: skip
    with pytest.raises(ConfigError, match="spectral"):
        FrozenComponents(seanet, whitening(5))
