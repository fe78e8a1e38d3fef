"""The learning rate as a function of step and progress, 0 at the end of the budget."""

import math

from jen1cli.training.recipes import Optimisation


def learning_rate(optimisation: Optimisation, step: int, progress: float) -> float:
    """Return the rate of `step` (from 0).

    Warm-up counts steps; the decay follows `progress`, the share of the budget used (steps or
    wall-clock), and reaches zero at its end.

    Args:
        optimisation: base rate, shape and warm-up.
        step: number of optimiser steps already done.
        progress: 0 at the start, 1 at the end of the budget.
    """
    warmup = min(1.0, (step + 1) / max(1, optimisation.warmup_steps))
    progress = min(1.0, max(0.0, progress))
    shapes = {
        "linear": 1.0 - progress,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
        "constant": 1.0,
    }
    return optimisation.lr * warmup * shapes[optimisation.lr_shape]
