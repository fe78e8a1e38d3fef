"""Latent normalisation (paper Algorithm 1): PCA whitening with truncation to k components.

With mean μ and covariance Σ = U Λ Uᵀ of all latent frames,

    whiten      z' = (z − μ) W       W  = (U Λ^(−1/2))[:, :k]
    unwhiten    z  = z' W⁺ + μ       W⁺ = ((U Λ^(1/2))[:, :k])ᵀ

The paper calls the statistics "batch-incremental" and does not give the inverse; the formulas of
both are ours. Every frame of every clip is one sample. Statistics are float64, stored maps float32.
"""

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from jen1cli.config import WhiteningConfig
from jen1cli.errors import ConfigError, DataError
from jen1cli.shapes import Latent

WhiteLatent = Float[Tensor, "batch components frames"]

EIGENVALUE_FLOOR = 1e-6
"""Least variance of a component relative to the largest, Λ₁. It limits the gain on unused channels
to 1000 / √Λ₁, so that float32 rounding errors of large components are not amplified to signals."""


class Whitening(nn.Module):
    """Latent of the autoencoder ↔ latent of the diffusion model; the identity until fitted.

    Attributes:
        mean: μ [latent_channels].
        forward_matrix: W [latent_channels, components].
        inverse_matrix: W⁺ [components, latent_channels].
    """

    mean: Tensor
    forward_matrix: Tensor
    inverse_matrix: Tensor

    def __init__(self, config: WhiteningConfig) -> None:
        super().__init__()
        if not 0 < config.components <= config.latent_channels:
            raise ConfigError(
                f"whitening keeps {config.components} of {config.latent_channels} channels;"
                f" give a number from 1 to {config.latent_channels}"
            )
        self.config = config
        self.register_buffer("mean", torch.zeros(config.latent_channels))
        identity = torch.eye(config.latent_channels, config.components)
        self.register_buffer("forward_matrix", identity)
        self.register_buffer("inverse_matrix", identity.T.contiguous())

    def whiten(self, latent: Latent) -> WhiteLatent:
        """[batch, latent_channels, frames] → [batch, components, frames]."""
        centred = latent - rearrange(self.mean, "d -> d 1")
        return einsum(centred, self.forward_matrix, "b d f, d k -> b k f")

    def unwhiten(self, latent: WhiteLatent) -> Latent:
        """[batch, components, frames] → [batch, latent_channels, frames]."""
        restored = einsum(latent, self.inverse_matrix, "b k f, k d -> b d f")
        return restored + rearrange(self.mean, "d -> d 1")

    def unscaled(self) -> "Whitening":
        """Return the same rotation without equal variances: one scale for all components."""
        deviations = self.inverse_matrix.norm(dim=1)
        shares = deviations / deviations.square().mean().sqrt()
        plain = Whitening(self.config)
        plain.load_state_dict(self.state_dict())
        plain.forward_matrix *= shares
        plain.inverse_matrix /= shares[:, None]
        return plain.eval().requires_grad_(False)


class WhiteningStatistics:
    """Mean and covariance of any number of latents, accumulated batch by batch in float64.

    A batch of n_B frames with mean m_B and scatter S_B is added to n frames with μ and S by

        δ = m_B − μ;   S += S_B + (n n_B / (n + n_B)) δ δᵀ;   μ += δ n_B / (n + n_B)

    which equals the computation over all frames at once, for any order and any batches.
    """

    def __init__(self, channels: int) -> None:
        self.count = 0
        self._mean = torch.zeros(channels, dtype=torch.float64)
        self._scatter = torch.zeros(channels, channels, dtype=torch.float64)

    @property
    def channels(self) -> int:
        """Channels of the latents."""
        return self._mean.shape[0]

    @property
    def mean(self) -> Tensor:
        """Mean of the frames seen, float64 [channels]."""
        return self._mean

    @property
    def covariance(self) -> Tensor:
        """Covariance (divided by the count) of the frames seen, float64 [channels, channels]."""
        return self._scatter / max(self.count, 1)

    def update(self, latent: Latent) -> None:
        """Add all frames of a batch [batch, channels, frames], from any device.

        Raises:
            DataError: the latent holds values that are not finite.
        """
        if latent.shape[1] != self.channels:
            raise ValueError(f"latent has {latent.shape[1]} channels; give {self.channels}")
        frames = rearrange(latent.detach().cpu().double(), "b d f -> (b f) d")
        if not frames.shape[0]:
            return
        if not torch.isfinite(frames).all():
            raise DataError("a latent is not finite; check the audio and the autoencoder's weights")
        mean = frames.mean(0)
        centred = frames - mean
        self._join(frames.shape[0], mean, centred.T @ centred)

    def merge(self, other: "WhiteningStatistics") -> None:
        """Add the frames of other statistics, such as those of another worker."""
        if other.channels != self.channels:
            raise ValueError(f"statistics are of {other.channels} channels; give {self.channels}")
        if other.count:
            self._join(other.count, other.mean, other._scatter)

    def fit(self, config: WhiteningConfig) -> Whitening:
        """Compute the whitening of the frames seen (Algorithm 1).

        Raises:
            DataError: there are not more frames than channels, so the covariance means nothing.
        """
        if config.latent_channels != self.channels:
            raise ValueError(f"config has {config.latent_channels} channels; give {self.channels}")
        if self.count <= self.channels:
            raise DataError(
                f"whitening of {self.channels} channels saw only {self.count} latent frames;"
                f" give more music, at least {self.channels + 1} frames"
            )
        whitening = Whitening(config)
        forward, inverse = _matrices(self.covariance, config.components)
        whitening.mean.copy_(self._mean)
        whitening.forward_matrix.copy_(forward)
        whitening.inverse_matrix.copy_(inverse)
        return whitening

    def _join(self, count: int, mean: Tensor, scatter: Tensor) -> None:
        total = self.count + count
        delta = mean - self._mean
        self._scatter = self._scatter + scatter
        self._scatter += (self.count * count / total) * torch.outer(delta, delta)
        self._mean = self._mean + delta * (count / total)
        self.count = total


def principal_components(centred: Tensor) -> tuple[Tensor, Tensor]:
    """Return variances [n] and axes [features, n] of centred rows, by decreasing variance."""
    rows, features = centred.shape
    if rows < features:
        _, singular, axes = torch.linalg.svd(centred, full_matrices=False)
        return singular.square() / rows, axes.T
    variances, axes = torch.linalg.eigh(centred.T @ centred / rows)
    return variances.flip(0), axes.flip(1)


def _matrices(covariance: Tensor, components: int) -> tuple[Tensor, Tensor]:
    """Return W [D, k] and W⁺ [k, D], components in order of decreasing variance."""
    variances, axes = torch.linalg.eigh(covariance)  # in increasing order
    variances, axes = variances.flip(0), axes.flip(1)
    greatest = variances[0].clamp(min=torch.finfo(torch.float32).tiny)
    spread = variances.clamp(min=EIGENVALUE_FLOOR * greatest).sqrt()
    # The sign of an axis is arbitrary; a positive largest entry makes the result reproducible.
    largest = axes.abs().argmax(0, keepdim=True)
    axes = axes * axes.gather(0, largest).sign()
    return (axes / spread)[:, :components], (axes * spread)[:, :components].T
