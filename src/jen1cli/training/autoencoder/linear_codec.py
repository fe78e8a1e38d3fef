"""The floor of stage 1: the best linear codec of the same latent size, without any training.

A lapped cosine transform (MDCT) of mid and side with the autoencoder's hop, then a projection on
the principal components of the music. A learned autoencoder has to beat it to be worth its name.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from jen1cli.shapes import Waveform

Coefficients = Float[Tensor, "batch frames coefficients"]


def _basis(hop: int) -> Float[Tensor, "window hop"]:
    """Return the MDCT with a sine window: its transpose inverts it by overlap-add."""
    n = torch.arange(2 * hop, dtype=torch.float64)
    k = torch.arange(hop, dtype=torch.float64)
    window = torch.sin(math.pi * (n + 0.5) / (2 * hop))
    phases = math.pi / hop * (n[:, None] + 0.5 + hop / 2) * (k + 0.5)
    return (window[:, None] * torch.cos(phases) * math.sqrt(2.0 / hop)).float()


@dataclass(frozen=True)
class LinearCodec:
    """Encode and decode in one: the projection on the components kept."""

    hop: int
    basis: Tensor  # [2 hop, hop]
    mean: Tensor  # [coefficients]
    components: Tensor  # [coefficients, kept]

    @classmethod
    def fit(cls, waveform: Waveform, hop: int, channels: int) -> "LinearCodec":
        """Find the components of some music.

        Args:
            waveform: crops [batch, audio_channels, samples], together many more frames than
                `channels`.
            hop: samples in one frame.
            channels: components to keep.
        """
        basis = _basis(hop).to(waveform)
        rows = _analyze(waveform, basis, hop).flatten(0, 1)
        mean = rows.mean(0)
        kept = min(channels, *rows.shape)
        _, _, components = torch.pca_lowrank(rows - mean, q=kept, center=False, niter=3)
        return cls(hop, basis, mean, components)

    def reconstruct(self, waveform: Waveform) -> Waveform:
        """Return what is left of the waveform after the codec."""
        rows = _analyze(waveform, self.basis, self.hop) - self.mean
        rows = (rows @ self.components) @ self.components.T + self.mean
        return _synthesize(rows, self.basis, waveform.shape)


def _analyze(waveform: Waveform, basis: Tensor, hop: int) -> Coefficients:
    rotated = _mid_side(waveform)
    tail = -waveform.shape[-1] % hop
    padded = functional.pad(rotated, (hop, hop + tail))
    windows = padded.unfold(-1, 2 * hop, hop)  # [batch, channels, frames, 2 hop]
    return (windows @ basis).transpose(1, 2).flatten(2)


def _synthesize(rows: Coefficients, basis: Tensor, shape: torch.Size) -> Waveform:
    hop = basis.shape[1]
    pieces = rows.unflatten(2, (shape[1], hop)).transpose(1, 2) @ basis.T
    first, second = pieces[..., :hop], pieces[..., hop:]
    joined = second[:, :, :-1] + first[:, :, 1:]
    return _mid_side(joined.flatten(2)[..., : shape[-1]])


def _mid_side(waveform: Tensor) -> Tensor:
    """Rotate left/right to mid/side; its own inverse."""
    if waveform.shape[1] != 2:
        return waveform
    left, right = waveform.unbind(1)
    return math.sqrt(0.5) * torch.stack([left + right, left - right], dim=1)
