"""The best linear codec of a latent size: the floor that a learned autoencoder must beat.

Lapped cosine transform (MDCT, sine window) of mid and side with the autoencoder's own hop, then the
principal components of the coefficients, as many as the latent has channels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from jen1cli.audio import Signal
from jen1cli.errors import DataError

_MOST_FRAMES = 12_000  # that the components are computed from


@dataclass(frozen=True)
class LinearCodec:
    """A transform, and an orthonormal basis of its coefficients."""

    hop_length: int  # samples
    mean: Float[Tensor, " coefficients"]
    basis: Float[Tensor, "coefficients components"]

    @classmethod
    def fit(cls, signals: Sequence[Signal], hop_length: int, components: int) -> "LinearCodec":
        """Find the principal components of music.

        Args:
            signals: stereo, [2, samples] each.
            hop_length: samples between frames.
            components: size of the latent.

        Raises:
            DataError: too little music for so many components.
        """
        rows = torch.cat([_analyze(signal, hop_length) for signal in signals])
        if len(rows) < 2 * components:
            raise DataError(
                f"{len(rows)} frames are too few for a linear codec of {components} components;"
                " give more clips"
            )
        generator = torch.Generator().manual_seed(0)
        rows = rows[torch.randperm(len(rows), generator=generator)[:_MOST_FRAMES]]
        mean = rows.mean(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            _, _, basis = torch.svd_lowrank(rows - mean, q=components, niter=3)
        return cls(hop_length, mean, basis)

    def through(self, signal: Signal) -> Signal:
        """Encode and decode a stereo signal."""
        rows = _analyze(signal, self.hop_length) - self.mean
        return _synthesize(rows @ self.basis @ self.basis.T + self.mean, signal.shape[1])


def _window(hop: int) -> Float[Tensor, " samples"]:
    return torch.sin(math.pi * (torch.arange(2 * hop) + 0.5) / (2 * hop))


def _cosines(hop: int) -> Float[Tensor, "samples coefficients"]:
    n = torch.arange(2 * hop, dtype=torch.float64)[:, None] + 0.5 + hop / 2
    k = torch.arange(hop, dtype=torch.float64) + 0.5
    return (torch.cos(math.pi / hop * n * k) * math.sqrt(2.0 / hop)).float()


def _analyze(signal: Signal, hop: int) -> Float[Tensor, "frames coefficients"]:
    if signal.shape[0] != 2:
        raise ValueError("a linear codec takes stereo")
    wave = torch.from_numpy(np.ascontiguousarray(signal))
    both = torch.stack((wave[0] + wave[1], wave[0] - wave[1])) * math.sqrt(0.5)
    padded = torch.nn.functional.pad(both, (hop, hop + -both.shape[1] % hop))
    frames = padded.unfold(1, 2 * hop, hop) * _window(hop)
    return rearrange(frames @ _cosines(hop), "c f k -> f (c k)")


def _synthesize(rows: Float[Tensor, "frames coefficients"], samples: int) -> Signal:
    hop = rows.shape[1] // 2
    coefficients = rearrange(rows, "f (c k) -> c f k", c=2)
    frames = coefficients @ _cosines(hop).T * _window(hop)
    first, second = frames[:, :, :hop], frames[:, :, hop:]
    pieces = first[:, 1:] + second[:, :-1]
    both = rearrange(pieces, "c f s -> c (f s)")[:, :samples]
    stereo = torch.stack((both[0] + both[1], both[0] - both[1])) * math.sqrt(0.5)
    return stereo.numpy()
