"""Converts a network's prediction (eps or v) to the clean latent.

    x_t = α x + σ eps        v = α eps - σ x        (v: Salimans and Ho, arXiv 2202.00512)

so that x = α x_t - σ v. Predictions are not clamped: unlike image pixels,
whitened latents reach far beyond [-1, 1].
"""

from collections.abc import Callable

from torch import Tensor

from jen1cli.config import PredictionName
from jen1cli.diffusion.schedule import Schedule, append_dims

Predict = Callable[[Tensor, Tensor], Tensor]
"""A network with bound conditioning: (x_t [batch, ...], t [batch]) → eps or v, shaped like x_t."""


class Denoiser:
    """A prediction function with its schedule and the type of its output (eps or v)."""

    def __init__(self, predict: Predict, schedule: Schedule, prediction: PredictionName) -> None:
        self.predict = predict
        self.schedule = schedule
        self.prediction: PredictionName = prediction

    def x(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Return the predicted clean latent of `x_t` at the times `t` [batch]."""
        return to_x(self.predict(x_t, t), x_t, t, self.schedule, self.prediction)


def target(
    x: Tensor, eps: Tensor, t: Tensor, schedule: Schedule, prediction: PredictionName
) -> Tensor:
    """Return the training target for clean `x` and noise `eps` at the times `t` [batch]."""
    if prediction == "eps":
        return eps
    return append_dims(schedule.alpha(t), x) * eps - append_dims(schedule.sigma(t), x) * x


def to_x(
    output: Tensor, x_t: Tensor, t: Tensor, schedule: Schedule, prediction: PredictionName
) -> Tensor:
    """Convert a network's output at the times `t` [batch] to the clean latent."""
    alpha_t, sigma_t = append_dims(schedule.alpha(t), x_t), append_dims(schedule.sigma(t), x_t)
    if prediction == "eps":
        return (x_t - sigma_t * output) / alpha_t
    return alpha_t * x_t - sigma_t * output
