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

    choose: Callable[[float], "Prediction"]


Prediction = Predict | PredictByTime


def at_time(predict: Prediction, time: float) -> Predict:
    """Return the prediction that belongs to a time."""
    return at_time(predict.choose(time), time) if isinstance(predict, PredictByTime) else predict


@dataclass
class Denoiser:
    """A prediction with its schedule and the type of its output (eps or v)."""

    predict: Prediction
    schedule: Schedule
    prediction: PredictionName


def target(
    x: Tensor, eps: Tensor, t: Tensor, schedule: Schedule, prediction: PredictionName
) -> Tensor:
    """Return the training target for clean `x` and noise `eps` at the times `t` [batch]."""
    if prediction == "eps":
        return eps
    return append_dims(schedule.alpha(t), x) * eps - append_dims(schedule.sigma(t), x) * x


def to_x(
    output: Tensor, x_t: Tensor, alpha: Tensor, sigma: Tensor, prediction: PredictionName
) -> Tensor:
    """Convert a network's output at signal and noise levels [batch] to the clean latent."""
    alpha, sigma = append_dims(alpha, x_t), append_dims(sigma, x_t)
    if prediction == "eps":
        return (x_t - sigma * output) / alpha
    return alpha * x_t - sigma * output
