"""Transformer block: self-attention over frames, cross-attention to the text, feed-forward.

In the unidirectional mode self-attention is causal at every level; the whole text is visible in
both modes. Queries and keys of self-attention are normalised per head, which keeps bfloat16
training stable (arXiv 2302.05442). The last projection of each branch is initialised to zero, so
that a new block is the identity.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from jen1cli.unet.convolution import Features
from jen1cli.unet.embedding import Rotary, rotate


def zero(linear: nn.Linear) -> nn.Linear:
    """Set weight and bias of a layer to zero, in place; return the layer."""
    nn.init.zeros_(linear.weight)
    if linear.bias is not None:
        nn.init.zeros_(linear.bias)
    return linear


class SelfAttention(nn.Module):
    """Multi-head self-attention over frames with rotary positions."""

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.norm = nn.LayerNorm(channels)
        self.queries_keys_values = nn.Linear(channels, 3 * channels, bias=False)
        self.scale = nn.Parameter(torch.ones(2, 1, 1, head_channels))  # of query and key
        self.output = zero(nn.Linear(channels, channels))

    def forward(self, x: Features, positions: Rotary, *, causal: bool) -> Features:
        """Attend to all frames or, if causal, to the frame itself and earlier ones."""
        qkv = rearrange(
            self.queries_keys_values(self.norm(x)),
            "batch frames (three heads head) -> three batch heads frames head",
            three=3,
            head=self.head_channels,
        )
        normed = F.layer_norm(qkv[:2], (self.head_channels,)) * self.scale[:, None].to(x.dtype)
        queries, keys = rotate(normed.flatten(0, 1), positions).to(qkv.dtype).chunk(2)
        attended = F.scaled_dot_product_attention(queries, keys, qkv[2], is_causal=causal)
        return self.output(
            rearrange(attended, "batch heads frames head -> batch frames (heads head)")
        )


class CrossAttention(nn.Module):
    """Multi-head cross-attention from frames to text tokens."""

    def __init__(self, channels: int, text_features: int, head_channels: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.norm = nn.LayerNorm(channels)
        self.queries = nn.Linear(channels, channels, bias=False)
        self.keys_values = nn.Linear(text_features, 2 * channels, bias=False)
        self.output = zero(nn.Linear(channels, channels))

    def forward(
        self,
        x: Features,
        text: Float[Tensor, "batch tokens features"],
        mask: Bool[Tensor, "batch 1 1 tokens"],
    ) -> Features:
        """Attend to the tokens at which `mask` is True."""
        queries = rearrange(
            self.queries(self.norm(x)),
            "batch frames (heads head) -> batch heads frames head",
            head=self.head_channels,
        )
        keys, values = rearrange(
            self.keys_values(text),
            "batch tokens (two heads head) -> two batch heads tokens head",
            two=2,
            head=self.head_channels,
        )
        attended = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.output(
            rearrange(attended, "batch heads frames head -> batch frames (heads head)")
        )


class FeedForward(nn.Module):
    """Gated feed-forward network for each frame (SwiGLU, arXiv 2002.05202)."""

    def __init__(self, channels: int, multiplier: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.gate_and_value = nn.Linear(channels, 2 * multiplier * channels)
        self.output = zero(nn.Linear(multiplier * channels, channels))

    def forward(self, x: Features) -> Features:
        """Transform each frame independently."""
        gate, value = self.gate_and_value(self.norm(x)).chunk(2, dim=-1)
        return self.output(F.silu(gate) * value)


class AttentionBlock(nn.Module):
    """Self-attention, cross-attention and feed-forward, each with a residual connection."""

    def __init__(
        self, channels: int, text_features: int, head_channels: int, multiplier: int
    ) -> None:
        super().__init__()
        self.self_attention = SelfAttention(channels, head_channels)
        self.cross_attention = CrossAttention(channels, text_features, head_channels)
        self.feed_forward = FeedForward(channels, multiplier)

    def forward(
        self,
        x: Features,
        positions: Rotary,
        text: Float[Tensor, "batch tokens features"],
        mask: Bool[Tensor, "batch 1 1 tokens"],
        *,
        causal: bool = False,
    ) -> Features:
        """Apply the three branches in sequence."""
        x = x + self.self_attention(x, positions, causal=causal)
        x = x + self.cross_attention(x, text, mask)
        return x + self.feed_forward(x)
