"""The learning rate as a function of the step and the used share of the budget; 0 at its end."""

import math

from jen1cli.training.recipes import Optimisation


def learning_rate(optimisation: Optimisation, step: int, share: float) -> float:
    """Return the rate of `step` (from 0).

    Warm-up counts steps; the decay follows `share`, the share of the budget used (steps or
    wall-clock), and reaches zero at its end.

    Args:
        optimisation: base rate, shape and warm-up.
        step: number of optimiser steps already done.
        share: 0 at the start, 1 at the end of the budget.
    """
    warmup = min(1.0, (step + 1) / max(1, optimisation.warmup_steps))
    share = min(1.0, max(0.0, share))
    shapes = {
        "linear": 1.0 - share,
        "cosine": 0.5 * (1.0 + math.cos(math.pi * share)),
        "constant": 1.0,
    }
    return optimisation.lr * warmup * shapes[optimisation.lr_shape]
