"""Linear codec by MDCT and PCA: a baseline that a learned autoencoder must surpass.

A modified discrete cosine transform (sine window) of mid and side with the autoencoder's hop, then
projection on as many principal components of the coefficients as the latent has channels.
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

_MOST_FRAMES = 12_000  # frames that the components are computed from


@dataclass(frozen=True)
class LinearCodec:
    """MDCT and an orthonormal basis of principal components of its coefficients."""

    hop_length: int  # samples
    mean: Float[Tensor, " coefficients"]
    basis: Float[Tensor, "coefficients components"]

    @classmethod
    def fit(cls, signals: Sequence[Signal], hop_length: int, components: int) -> "LinearCodec":
        """Fit the principal components to music.

        Args:
            signals: [channels, samples] each, all mono or all stereo.
            hop_length: samples between frames.
            components: size of the latent.

        Raises:
            DataError: there are too few frames for this number of components.
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
        """Encode and decode a signal, [channels, samples]."""
        rows = _analyze(signal, self.hop_length) - self.mean
        rows = rows @ self.basis @ self.basis.T + self.mean
        return _synthesize(rows, signal.shape[0], signal.shape[1])


def _window(hop: int) -> Float[Tensor, " samples"]:
    return torch.sin(math.pi * (torch.arange(2 * hop) + 0.5) / (2 * hop))


def _cosines(hop: int) -> Float[Tensor, "samples coefficients"]:
    n = torch.arange(2 * hop, dtype=torch.float64)[:, None] + 0.5 + hop / 2
    k = torch.arange(hop, dtype=torch.float64) + 0.5
    return (torch.cos(math.pi / hop * n * k) * math.sqrt(2.0 / hop)).float()


def _analyze(signal: Signal, hop: int) -> Float[Tensor, "frames coefficients"]:
    wave = _mid_side(torch.from_numpy(np.ascontiguousarray(signal)))
    padded = torch.nn.functional.pad(wave, (hop, hop + -wave.shape[1] % hop))
    frames = padded.unfold(1, 2 * hop, hop) * _window(hop)
    return rearrange(frames @ _cosines(hop), "c f k -> f (c k)")


def _synthesize(rows: Float[Tensor, "frames coefficients"], channels: int, samples: int) -> Signal:
    hop = rows.shape[1] // channels
    coefficients = rearrange(rows, "f (c k) -> c f k", c=channels)
    frames = coefficients @ _cosines(hop).T * _window(hop)
    first, second = frames[:, :, :hop], frames[:, :, hop:]
    pieces = first[:, 1:] + second[:, :-1]
    return _mid_side(rearrange(pieces, "c f s -> c (f s)")[:, :samples]).numpy()


def _mid_side(wave: Float[Tensor, "channels samples"]) -> Float[Tensor, "channels samples"]:
    """Rotate left and right to mid and side; the rotation is its own inverse."""
    if wave.shape[0] != 2:
        return wave
    return torch.stack((wave[0] + wave[1], wave[0] - wave[1])) * math.sqrt(0.5)
