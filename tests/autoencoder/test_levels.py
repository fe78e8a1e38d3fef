"""Level axes: the regression of band levels on random latents."""

import dataclasses
from pathlib import Path

import pytest
import torch

from jen1cli.autoencoder import Autoencoder, Whitening, build_autoencoder
from jen1cli.autoencoder.codec import (
    Codec,
    load_codec,
    save_codec,
    with_level_axes,
    without_scaling,
)
from jen1cli.autoencoder.levels import BAND_EDGES, band_levels, level_axes
from jen1cli.config import SeanetConfig, SpectralConfig, WhiteningConfig
from jen1cli.errors import ConfigError
from jen1cli.presets import preset
from jen1cli.typed_json import pack_matrix, unpack_matrix

RATE, HOP = 48_000, 2048


def test_a_tone_raises_the_level_of_its_band_alone() -> None:
    times = torch.arange(8 * HOP) / RATE
    tone = torch.sin(2 * torch.pi * 700.0 * times).expand(2, -1)
    levels = band_levels(tone, RATE, HOP)
    louder = band_levels(2.0 * tone, RATE, HOP)
    assert levels.shape == (8, len(BAND_EDGES) + 1)
    assert levels[3].argmax() == 2  # 400-1000 Hz
    assert (louder - levels)[3, 2] == pytest.approx(6.02, abs=0.01)


class Gains(Autoencoder):
    """Decodes to noise whose level in dB is three times the second component."""

    def __init__(self) -> None:
        super().__init__(SpectralConfig(latent_channels=8))
        self.scale = torch.nn.Parameter(torch.tensor(0.01))

    def decode_frames(self, latent: torch.Tensor) -> torch.Tensor:
        gains = self.scale * 10.0 ** (3.0 * latent[:, 1] / 20.0)
        noise = torch.randn(
            1, 2, latent.shape[-1] * HOP, generator=torch.Generator().manual_seed(1)
        )
        return noise * gains.repeat_interleave(HOP, dim=-1)[:, None]


def test_axes_are_orthonormal_and_find_the_component_of_the_level() -> None:
    whitening = Whitening(WhiteningConfig(8, 8))
    axes = level_axes(Gains(), whitening)
    assert axes.shape == (len(BAND_EDGES) + 1, 8)
    assert torch.allclose(axes @ axes.T, torch.eye(len(axes)), atol=1e-5)
    assert axes[0, 1].abs() > 0.95
    assert torch.equal(axes, level_axes(Gains(), whitening))


def test_a_seanet_codec_gets_no_axes() -> None:
    config = preset("tiny")
    assert isinstance(config.autoencoder, SeanetConfig)
    codec = Codec(config, build_autoencoder(config.autoencoder), Whitening(config.whitening))
    assert with_level_axes(codec) is codec


def test_axes_are_stored_in_the_configuration_to_the_precision_of_float16(tmp_path: Path) -> None:
    config = preset("tiny")
    rows = ((0.6, -0.8, *[0.0] * 6), (0.8, 0.6, *[0.0] * 6))
    generation = dataclasses.replace(config.generation, level_guidance=0.0, level_axes=rows)
    config = dataclasses.replace(config, generation=generation)
    codec = Codec(config, build_autoencoder(config.autoencoder), Whitening(config.whitening))
    save_codec(tmp_path, codec)
    found = load_codec(tmp_path).config.generation
    assert found.level_guidance == 0.0
    assert torch.tensor(found.level_axes) == pytest.approx(torch.tensor(rows), abs=5e-4)
    assert unpack_matrix(pack_matrix(found.level_axes), "here") == found.level_axes


def test_axes_follow_the_scales_of_the_components() -> None:
    config = preset("tiny")
    axis = torch.tensor([0.6, 0.8, *[0.0] * 6])
    generation = dataclasses.replace(
        config.generation, level_guidance=0.0, level_axes=(tuple(axis.tolist()),)
    )
    config = dataclasses.replace(config, generation=generation)
    whitening = Whitening(config.whitening)
    scales = torch.linspace(1.0, 4.0, 8)
    whitening.inverse_matrix *= scales[:, None]
    whitening.forward_matrix /= scales
    codec = Codec(config, build_autoencoder(config.autoencoder), whitening)
    plain = without_scaling(codec)
    latent = torch.randn(1, 8, 5, generator=torch.Generator().manual_seed(0))
    level, found = (
        torch.tensor(one.config.generation.level_axes) @ one.whitening.whiten(latent)[0]
        for one in (codec, plain)
    )
    ratio = found / level
    assert ratio.std() < 1e-4 * ratio.mean().abs(), "the same level but for one factor"


def test_axes_of_another_size_are_refused() -> None:
    config = preset("tiny")
    generation = dataclasses.replace(config.generation, level_axes=((1.0, 0.0),))
    with pytest.raises(ConfigError, match="level axes have 2 components but whitening keeps 8"):
        dataclasses.replace(config, generation=generation)


@pytest.mark.parametrize(
    "values",
    [["?"], ["AA=="], "AAAA", [7], ["AAA8", "AAAAAA=="], ["AHw="]],
)
def test_rows_that_are_none_are_named(values: object) -> None:
    with pytest.raises(ConfigError, match="level_axes must be rows"):
        unpack_matrix(values, "generation.level_axes")
