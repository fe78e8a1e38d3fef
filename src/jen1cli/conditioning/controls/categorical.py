"""Shared by all predictors: mean text embedding, and sampling from logits."""

import torch
from jaxtyping import Float
from torch import Tensor

from jen1cli.shapes import Text, TextMask

TEMPERATURE = 0.7
"""Sampling temperature; below 1, which makes unlikely and often wrong choices rarer."""


def mean_text(
    text: Text, text_mask: TextMask, dtype: torch.dtype
) -> Float[Tensor, "batch features"]:
    """Return the mean over the real tokens; zeros for a text without tokens."""
    real = text_mask[:, :, None]
    total = text.to(dtype).masked_fill(~real, 0.0).sum(1)
    return total / real.sum(1).clamp(min=1).to(dtype)


def sample(logits: Float[Tensor, " choices"], generator: torch.Generator) -> int:
    """Sample one choice, on the CPU, so that the result does not depend on the device."""
    shares = (logits.float().cpu() / TEMPERATURE).softmax(-1)
    return int(torch.multinomial(shares, 1, generator=generator))
