"""Noise-robust masking of the latent (paper section IV-A, "masked autoencoder").

In training of the autoencoder, p = 5 % of the latent embeddings are set to zero before the decoder,
which makes it robust to errors of the diffusion model. The paper states neither the granularity nor
the fill value; we mask whole frames (by default) with zeros.
"""

from typing import Literal

import torch
from torch import Tensor

from jen1cli.shapes import Latent

NESTED_SHARE = 0.5
"""Share of the training crops whose last channels are zeroed, as whitening may drop channels."""
Granularity = Literal["frame", "element", "channel"]


def mask_latent(latent: Latent, ratio: float, granularity: Granularity = "frame") -> Latent:
    """Set random parts of the latent to zero, each independently with probability `ratio`.

    Args:
        latent: [batch, channels, frames].
        ratio: probability, 0 to 1; for 0 the latent is returned unchanged.
        granularity: unit of masking: all channels of a frame, all frames of a channel, or a single
            element. Batch items have independent masks.
    """
    if not 0 <= ratio <= 1:
        raise ValueError(f"mask ratio is {ratio}; give a probability from 0 to 1")
    if ratio == 0:
        return latent
    keep: Tensor = torch.rand(_mask_shape(latent, granularity), device=latent.device) >= ratio
    return latent.masked_fill(~keep, 0.0)


def drop_last_channels(latent: Latent) -> Latent:
    """Nested dropout (arXiv 1402.0915): keep a quarter to all of the channels, in order."""
    batch, channels, _ = latent.shape
    kept = torch.rand(batch, device=latent.device) * 0.75 + 0.25
    kept = torch.where(torch.rand_like(kept) < NESTED_SHARE, kept, torch.ones_like(kept))
    place = torch.arange(channels, device=latent.device) / channels
    return latent * (place < kept[:, None])[..., None]


def _mask_shape(latent: Tensor, granularity: Granularity) -> tuple[int, int, int]:
    batch, channels, frames = latent.shape
    if granularity == "frame":
        return batch, 1, frames
    if granularity == "channel":
        return batch, channels, 1
    return batch, channels, frames
