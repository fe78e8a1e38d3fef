"""Embeddings of the U-Net's inputs: diffusion time, text and positions."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jen1cli.shapes import Text, TextMask, Time

Rotary = tuple[Float[Tensor, "frames half"], Float[Tensor, "frames half"]]


class TimeEmbedding(nn.Module):
    """Embedding of the diffusion time: sinusoids, then two linear layers; [batch, features]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features
        self.hidden = nn.Linear(features, features)
        self.output = nn.Linear(features, features)

    def forward(self, t: Time) -> Float[Tensor, "batch features"]:
        """Embed times in [0, 1] by sinusoids with periods from 0.006 to 63."""
        half = self.features // 2
        exponents = torch.arange(half, device=t.device, dtype=torch.float32) / half
        angles = 1000.0 * t.float()[:, None] * torch.exp(-math.log(10_000.0) * exponents)
        sines = torch.cat([angles.sin(), angles.cos()], dim=-1).to(self.hidden.weight.dtype)
        return self.output(nn.functional.silu(self.hidden(sines)))


class TextEmbedding(nn.Module):
    """Projects the text encoder's output for cross-attention and for the time embedding.

    A learned, never masked token is put first, so that the softmax is defined if all others are
    masked. The mean of the unmasked tokens is added to the time embedding, as in Imagen (arXiv
    2205.11487).
    """

    def __init__(self, text_features: int, time_features: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(text_features)
        self.anchor = nn.Parameter(torch.zeros(1, 1, text_features))
        self.pooled = nn.Linear(text_features, time_features)

    def forward(
        self, text: Text, text_mask: TextMask
    ) -> tuple[
        Float[Tensor, "batch tokens_and_anchor features"],
        Bool[Tensor, "batch 1 1 tokens_and_anchor"],
        Float[Tensor, "batch time_features"],
    ]:
        """Return the tokens with the learned one, their attention mask and the pooled vector."""
        dtype = self.pooled.weight.dtype
        real = text_mask[:, :, None]
        text = self.norm(text.to(dtype)).masked_fill(~real, 0.0)
        mean = text.sum(1) / real.sum(1).clamp(min=1).to(text.dtype)
        tokens = torch.cat([self.anchor.to(text.dtype).expand(len(text), -1, -1), text], dim=1)
        mask = nn.functional.pad(text_mask, (1, 0), value=True)[:, None, None]
        return tokens, mask, self.pooled(mean)


def rotary(frames: int, head_channels: int, like: Tensor) -> Rotary:
    """Return cosines and sines of the rotary positions (arXiv 2104.09864).

    The angles are computed in float32: in bfloat16 their error exceeds full turns in long clips.
    """
    half = head_channels // 2
    exponents = torch.arange(half, device=like.device, dtype=torch.float32) / half
    positions = torch.arange(frames, device=like.device, dtype=torch.float32)
    angles = positions[:, None] * torch.exp(-math.log(10_000.0) * exponents)
    return angles.cos().to(like.dtype), angles.sin().to(like.dtype)


def rotate(
    x: Float[Tensor, "batch heads frames head_channels"], positions: Rotary
) -> Float[Tensor, "batch heads frames head_channels"]:
    """Rotate the two halves of each head's channels by the angles of their frame."""
    cos, sin = positions
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)
