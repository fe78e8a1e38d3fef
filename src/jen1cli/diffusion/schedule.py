"""Noise schedule: signal level α(t) and noise level σ(t) at each diffusion time (paper eq. 3-4).

Time is continuous, 0 is clean and 1 is noise; α² + σ² = 1. The paper's N = 1000 discrete steps are
the times t = i / N, with ᾱ_i = Π (1 - β_j) over j ≤ i; between them log ᾱ is interpolated linearly.
The paper's "linear" β from 0.0015 to 0.0195 can mean steps equal in β or in √β; both are
implemented. `cosine` has a closed form and is not from the paper.
"""

import math

import torch
from torch import Tensor

from jen1cli.config import DiffusionConfig

COSINE_FINAL_LOG_SNR = -20.0
"""Log signal-to-noise ratio of the cosine schedule at t = 1; with -∞, eps could not give x."""


class Schedule:
    """Signal level α(t) and noise level σ(t); tensors keep the shape, device and type of `t`."""

    def __init__(self, config: DiffusionConfig) -> None:
        self.name = config.schedule
        self.num_timesteps = config.num_timesteps
        # θ(1), where α = cos θ and σ = sin θ
        self._final_angle = math.atan(math.exp(-0.5 * COSINE_FINAL_LOG_SNR))
        self._log_alpha_bar = torch.zeros(0)
        if self.name != "cosine":
            log_alphas = torch.log1p(-_betas(config))
            table = torch.cumsum(log_alphas, 0)
            self._log_alpha_bar = torch.cat([table.new_zeros(1), table])  # ᾱ_0 = 1
        self._tables: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def alpha(self, t: Tensor) -> Tensor:
        """Return the signal level α(t) = √ᾱ(t)."""
        if self.name == "cosine":
            return torch.cos(t * self._final_angle)
        return torch.exp(0.5 * self._interpolate(t))

    def sigma(self, t: Tensor) -> Tensor:
        """Return the noise level σ(t) = √(1 - ᾱ(t))."""
        if self.name == "cosine":
            return torch.sin(t * self._final_angle)
        return torch.sqrt(-torch.expm1(self._interpolate(t)))

    def log_snr(self, t: Tensor) -> Tensor:
        """Return log(α² / σ²); +∞ at t = 0."""
        return 2.0 * (torch.log(self.alpha(t)) - torch.log(self.sigma(t)))

    def time(self, angle: Tensor) -> Tensor:
        """Return the time at which arctan(σ / α) equals `angle`: 0 is clean, π/2 pure noise."""
        if self.name == "cosine":
            return angle / self._final_angle
        table = -self._table(angle)  # increasing
        wanted = (-2.0 * torch.log(torch.cos(angle))).clamp(table[0], table[-1])
        low = torch.searchsorted(table, wanted, right=True).clamp(1, len(table) - 1) - 1
        fraction = (wanted - table[low]) / (table[low + 1] - table[low])
        return (low + fraction) / self.num_timesteps

    def add_noise(self, x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """Return x_t = α(t) x + σ(t) eps.

        Args:
            x: clean latent, [batch, ...].
            eps: standard normal noise of the same shape.
            t: one time per batch item, [batch].
        """
        return append_dims(self.alpha(t), x) * x + append_dims(self.sigma(t), x) * eps

    def _interpolate(self, t: Tensor) -> Tensor:
        table = self._table(t)
        position = (t * self.num_timesteps).clamp(0, self.num_timesteps)
        low = position.floor().clamp(max=self.num_timesteps - 1).long()
        fraction = position - low
        return torch.lerp(table[low], table[low + 1], fraction)

    def _table(self, like: Tensor) -> Tensor:
        """Return the table with the device and type of a tensor; it is copied there once."""
        place = like.device, like.dtype
        if place not in self._tables:
            with torch.inference_mode(False):  # for training as well
                self._tables[place] = self._log_alpha_bar.to(*place)
        return self._tables[place]


def append_dims(level: Tensor, like: Tensor) -> Tensor:
    """Reshape one number per batch item, [batch], to broadcast against `like`, [batch, ...]."""
    return level.reshape(level.shape + (1,) * (like.ndim - level.ndim)).to(like.dtype)


def _betas(config: DiffusionConfig) -> Tensor:
    start, end, count = config.beta_start, config.beta_end, config.num_timesteps
    if config.schedule == "linear":
        return torch.linspace(start, end, count, dtype=torch.float64)
    return torch.linspace(start**0.5, end**0.5, count, dtype=torch.float64) ** 2
