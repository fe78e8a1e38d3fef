"""Muon (Jordan et al. 2024): momentum of a matrix made orthogonal before it is applied.

    M ← μ M + G,      W ← W - lr · 0.2 √max(rows, columns) · orthogonal(G + μ M)

The factor gives updates the size of AdamW's (arXiv 2502.16982), so both share one learning rate.
Vectors take AdamW's step. A convolution [out, in, k] is the matrix [out, in · k]. Worth it where
the batch is large: its cost does not depend on the batch (at 15 windows of 10 s it is as much work
as the network itself).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration: all singular values end between 0.7 and 1.2."""
ITERATIONS = 5
MATCH = 0.2


def orthogonalize(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """Replace the singular values of a matrix by about one, in bfloat16."""
    a, b, c = NEWTON_SCHULZ
    wide = matrix.shape[0] <= matrix.shape[1]
    x = (matrix if wide else matrix.T).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x if wide else x.T).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for parameters of two or more axes, AdamW for the rest."""

    def __init__(
        self,
        parameters: Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float],
        weight_decay: float,
        momentum: float = 0.95,
    ) -> None:
        defaults = {
            "lr": lr, "betas": betas, "weight_decay": weight_decay, "momentum": momentum,
            "eps": 1e-8,
        }  # fmt: skip
        super().__init__(parameters, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
                update = self._matrix if parameter.ndim > 1 else self._vector
                update(parameter, parameter.grad, group)

    def _matrix(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        momentum = state.setdefault("momentum", torch.zeros_like(parameter))
        momentum.mul_(group["momentum"]).add_(gradient)
        ahead = gradient.add(momentum, alpha=group["momentum"]).flatten(1)
        scale = group["lr"] * MATCH * max(ahead.shape) ** 0.5
        parameter.sub_(scale * orthogonalize(ahead).view_as(parameter))

    def _vector(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = (torch.zeros_like(parameter) for _ in range(2))
        state["step"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(gradient, 1.0 - first)
        state["square"].lerp_(gradient.square(), 1.0 - second)
        count = int(state["step"])
        mean = state["mean"] / (1.0 - first**count)
        root = (state["square"] / (1.0 - second**count)).sqrt() + group["eps"]
        parameter.sub_(group["lr"] * mean / root)
