"""Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) as a wrapper of predictions.

    guided = null + scale · (conditional - null)

Scale 1 disables guidance: the result is exactly the conditional prediction and needs one pass. We
read the paper's w = 2.0 in this convention. A negative prompt replaces the null text. `change` may
alter the difference that guidance adds, such as project it (compare arXiv 2410.02416):
`scaled_along`. Samplers are independent of guidance, and training must not use it.
`jen1cli.pipeline.denoising.sample_canvas` supplies both predictions.
"""

from collections.abc import Callable

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from jen1cli.diffusion.denoiser import Predict, PredictByTime, Prediction, at_time

Change = Callable[[Tensor], Tensor]
"""Changes the difference between the conditional and the unconditional prediction."""


def guide_batched(
    conditional: Predict,
    doubled: Prediction,
    *,
    scale: float,
    interval: tuple[float, float] = (0.0, 1.0),
    rescale: float = 0.0,
    change: Change | None = None,
) -> PredictByTime:
    """Guide away from the unconditional prediction, with both from one pass of twice the batch.

    Args:
        conditional: prediction with the prompt, for [batch, ...]; used outside the interval.
        doubled: prediction for [2 batch, ...] whose first half has the prompt and whose second
            half has the null text or the negative prompt.
        scale: 1 is off.
        interval: times with guidance, ends included (arXiv 2404.07724); at other times only
            `conditional` is computed.
        rescale: 0 to 1, how far the guided prediction is rescaled to the standard deviation of the
            conditional one (arXiv 2305.08891, section 3.4). This is computed over the whole clip,
            so for values above 0 frames of a unidirectional clip depend on later frames.
        change: of the difference that guidance adds; None: none.
    """

    def choose(time: float) -> Predict:
        if scale == 1.0 or not in_interval(time, interval):
            return conditional
        both = at_time(doubled, time)

        def guided(x_t: Tensor, t: Tensor) -> Tensor:
            with_text, without = both(torch.cat([x_t, x_t]), torch.cat([t, t])).chunk(2)
            return combined(with_text, without, scale, rescale, change)

        return guided

    return PredictByTime(choose)


def scaled_along(axes: Float[Tensor, "axes channels"], factor: float) -> Change:
    """Return a change that scales the difference along some axes.

    Args:
        axes: orthonormal, of the latent's channels.
        factor: 0 projects them out, 1 changes nothing.
    """

    def change(difference: Tensor) -> Tensor:
        along = einsum(axes, difference, "a c, b c f -> b a f")
        return difference + (factor - 1.0) * einsum(axes, along, "a c, b a f -> b c f")

    return change


def in_interval(time: float, interval: tuple[float, float]) -> bool:
    """Whether a time lies in the interval."""
    return interval[0] <= time <= interval[1]


def combined(
    conditional: Tensor,
    unconditional: Tensor,
    scale: float | Tensor,
    rescale: float = 0.0,
    change: Change | None = None,
) -> Tensor:
    """Return the guided prediction of two; see `guide_batched`.

    Args:
        conditional: [batch, ...].
        unconditional: shaped like it.
        scale: one number, or a tensor that broadcasts to the predictions.
        rescale: as of `guide_batched`.
        change: as of `guide_batched`.
    """
    if change is None:
        guided = torch.lerp(unconditional, conditional, scale)
    else:
        guided = conditional + (scale - 1.0) * change(conditional - unconditional)
    if rescale == 0.0:
        return guided
    axes = tuple(range(1, guided.ndim))
    wanted = conditional.std(axes, keepdim=True)
    factor = wanted / guided.std(axes, keepdim=True).clamp(min=1e-8)
    return guided * (rescale * factor + (1.0 - rescale))
