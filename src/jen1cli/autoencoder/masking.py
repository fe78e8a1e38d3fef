"""Noise-robust masking of the latent (paper section IV-A, "masked autoencoder").

While the autoencoder trains, p = 5 % of the latent embeddings are set to zero in front of the
decoder, so that it learns to bear the errors of a diffusion model. The paper states neither the
granularity nor the value; ours is whole frames and zero, with the other granularities at hand.
"""

from typing import Literal

import torch
from torch import Tensor

from jen1cli.shapes import Latent

Granularity = Literal["frame", "element", "channel"]


def mask_latent(latent: Latent, ratio: float, granularity: Granularity = "frame") -> Latent:
    """Set a random share of the latent to zero, each entity on its own with probability `ratio`.

    Args:
        latent: [batch, channels, frames].
        ratio: probability, 0 to 1; 0 returns the latent itself.
        granularity: what is masked as one: all channels of a frame, all frames of a channel, or
            each element for itself. Batch items never share a mask.
    """
    if not 0 <= ratio <= 1:
        raise ValueError(f"mask ratio is {ratio}; give a probability from 0 to 1")
    if ratio == 0:
        return latent
    keep: Tensor = torch.rand(_mask_shape(latent, granularity), device=latent.device) >= ratio
    return latent.masked_fill(~keep, 0.0)


def _mask_shape(latent: Tensor, granularity: Granularity) -> tuple[int, int, int]:
    batch, channels, frames = latent.shape
    if granularity == "frame":
        return batch, 1, frames
    if granularity == "channel":
        return batch, channels, 1
    return batch, channels, frames
