"""Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) as a wrapper around prediction.

    guided = null + scale · (conditional - null)

Scale 1 is no guidance: the conditional prediction, exactly, at the cost of one pass (the paper's
w = 2.0 is read in this convention). A negative prompt takes the place of the null text. No sampler
knows of guidance and no training step may use it.
"""

import torch
from torch import Tensor

from jen1cli.diffusion.denoiser import Predict


def guide(
    conditional: Predict,
    unconditional: Predict,
    *,
    scale: float,
    interval: tuple[float, float] = (0.0, 1.0),
    rescale: float = 0.0,
) -> Predict:
    """Guide one prediction away from another, as two passes.

    Args:
        conditional: prediction with the prompt.
        unconditional: prediction with the null text or the negative prompt.
        scale: 1 is off.
        interval: times between which guidance acts, ends included (arXiv 2404.07724); outside only
            `conditional` is computed.
        rescale: 0 to 1, how far the guided prediction gets the spread of the conditional one back
            (arXiv 2305.08891, section 3.4). The spread is taken over the whole clip, so that
            anything but 0 lets frames of a unidirectional clip learn of later ones.
    """

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        if scale == 1.0 or not in_interval(t, interval):
            return conditional(x_t, t)
        return _combine(conditional(x_t, t), unconditional(x_t, t), scale, rescale)

    return predict


def guide_batched(
    conditional: Predict,
    doubled: Predict,
    *,
    scale: float,
    interval: tuple[float, float] = (0.0, 1.0),
    rescale: float = 0.0,
) -> Predict:
    """Guide as `guide` does, with both predictions from one pass of twice the batch.

    Args:
        conditional: prediction with the prompt, for [batch, ...]; used outside the interval.
        doubled: prediction for [2 batch, ...] whose first half has the prompt and whose second
            half has the null text or the negative prompt.
        scale: 1 is off.
        interval: times between which guidance acts, ends included.
        rescale: 0 to 1, as in `guide`.
    """

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        if scale == 1.0 or not in_interval(t, interval):
            return conditional(x_t, t)
        with_text, without = doubled(torch.cat([x_t, x_t]), torch.cat([t, t])).chunk(2)
        return _combine(with_text, without, scale, rescale)

    return predict


def in_interval(t: Tensor, interval: tuple[float, float]) -> bool:
    """Tell whether the sampler's time, the same for every batch item, lies in the interval."""
    time = float(t.flatten()[0])
    return interval[0] <= time <= interval[1]


def _combine(conditional: Tensor, unconditional: Tensor, scale: float, rescale: float) -> Tensor:
    guided = torch.lerp(unconditional, conditional, scale)
    if rescale == 0.0:
        return guided
    axes = tuple(range(1, guided.ndim))
    wanted = conditional.std(axes, keepdim=True)
    factor = wanted / guided.std(axes, keepdim=True).clamp(min=1e-8)
    return guided * (rescale * factor + (1.0 - rescale))
