"""Residual block and stage, of which the levels of the U-Net consist."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jen1cli.config import UNetConfig
from jen1cli.unet.attention import AttentionBlock
from jen1cli.unet.convolution import Features, FrameConvolution, keep_variance
from jen1cli.unet.embedding import Rotary

SKIP_SCALE = 2.0**-0.5
"""Skip connections are scaled by 1/√2 (efficient U-Net, arXiv 2205.11487)."""


class Conditions(NamedTuple):
    """Inputs of every stage of a level besides the features."""

    time: Float[Tensor, "batch time_features"]
    positions: Rotary
    text: Float[Tensor, "batch tokens features"]
    text_mask: Bool[Tensor, "batch 1 1 tokens"]
    causal: bool


class ResidualBlock(nn.Module):
    """Residual block: two convolutions with a scale and shift by the time embedding (FiLM) between.

    Norms are per frame over channels: statistics over frames would leak the future.
    """

    def __init__(
        self,
        channels: int,
        time_features: int,
        kernel_size: int,
        dropout: float = 0.0,
        *,
        masking: bool = False,
    ) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(channels)
        self.convolution_in = FrameConvolution(channels, channels, kernel_size, masking=masking)
        self.norm_out = nn.LayerNorm(channels, elementwise_affine=False)
        self.film = nn.Linear(time_features, 2 * channels)
        self.dropout = nn.Dropout(dropout)
        self.convolution_out = FrameConvolution(channels, channels, kernel_size, masking=masking)
        nn.init.zeros_(self.convolution_out.weight)
        nn.init.zeros_(self.convolution_out.bias)

    def forward(
        self, x: Features, time: Float[Tensor, "batch time_features"], *, causal: bool = False
    ) -> Features:
        """Apply the block; at initialisation it is the identity."""
        hidden = self.convolution_in(F.silu(self.norm_in(x)), causal=causal)
        scale, shift = self.film(time)[:, None].chunk(2, dim=-1)
        hidden = torch.addcmul(shift, self.norm_out(hidden), 1.0 + scale)
        return x + self.convolution_out(self.dropout(F.silu(hidden)), causal=causal)


class UNetStage(nn.Module):
    """A residual block, followed by attention if the level has it.

    On the upsampling path it first merges the skip connection from the downsampling path.
    """

    def __init__(self, config: UNetConfig, level: int, *, takes_skip: bool) -> None:
        super().__init__()
        channels = config.channels * config.multipliers[level]
        self.merge = nn.Linear(2 * channels, channels) if takes_skip else None
        if self.merge is not None:
            keep_variance(self.merge)
        self.residual = ResidualBlock(
            channels,
            config.time_features,
            config.kernel_size,
            config.dropout,
            masking=config.causal_convolution == "masking",
        )
        self.attention = (
            AttentionBlock(
                channels,
                config.text_features,
                config.head_channels,
                config.feedforward_multiplier,
            )
            if config.attention[level]
            else None
        )

    def forward(self, x: Features, skip: Features | None, conditions: Conditions) -> Features:
        """Apply the stage to features [batch, frames, channels]."""
        if self.merge is not None and skip is not None:
            x = self.merge(torch.cat([x, skip * SKIP_SCALE], dim=-1))
        x = self.residual(x, conditions.time, causal=conditions.causal)
        if self.attention is None:
            return x
        return self.attention(
            x,
            conditions.positions,
            conditions.text,
            conditions.text_mask,
            causal=conditions.causal,
        )
