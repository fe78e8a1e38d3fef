"""What the network predicts, eps or v (v-prediction): training target, and the clean latent of it.

    x_t = α x + σ eps        v = α eps - σ x        (v: Salimans and Ho, arXiv 2202.00512)

so that x = α x_t - σ v. Predictions are not clamped: unlike image pixels,
whitened latents reach far beyond [-1, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from jen1cli.config import PredictionName
from jen1cli.diffusion.schedule import Schedule, append_dims

Predict = Callable[[Tensor, Tensor], Tensor]
"""A network with bound conditioning: (x_t [batch, ...], t [batch]) → eps or v, shaped like x_t."""


@dataclass(frozen=True)
class PredictByTime:
    """A prediction that differs between times, such as guidance within an interval.

    Samplers choose before their loop, by times of the processor: to read a time from a tensor of a
    GPU, the processor waits for it.
    """

    choose: Callable[[float], Predict]

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """Predict at a time `t` [batch] that is equal for all items."""
        return self.choose(float(t.flatten()[0]))(x_t, t)


def at_time(predict: Predict, time: float) -> Predict:
    """Return the prediction that belongs to a time."""
    return at_time(predict.choose(time), time) if isinstance(predict, PredictByTime) else predict


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
    return to_x_at_levels(output, x_t, schedule.alpha(t), schedule.sigma(t), prediction)


def to_x_at_levels(
    output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, prediction: PredictionName
) -> Tensor:
    """Convert a network's output at signal and noise levels [batch] to the clean latent."""
    alpha, sigma = append_dims(alpha, x_t), append_dims(sigma, x_t)
    if prediction == "eps":
        return (x_t - sigma * output) / alpha
    return alpha * x_t - sigma * output
