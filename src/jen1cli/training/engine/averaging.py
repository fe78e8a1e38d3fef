"""Exponential moving average of the weights (paper section IV-A; decay unstated there)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from jen1cli.training.engine.sharding import shared_like, whole


class Ema:
    """Average of the trainable parameters, in float32.

    ema ← d · ema + (1 - d) · parameter, with d = min(decay, (1 + n) / (10 + n)) at update n, so
    that the initial weights decay quickly.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Initialise the average with the model's weights."""
        self.decay = decay
        self.updates = 0
        self._parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.average = {n: p.detach().float().clone() for n, p in self._parameters.items()}

    def decay_at(self, update: int) -> float:
        """Return the decay of update number `update` (from 0)."""
        return min(self.decay, (1 + update) / (10 + update))

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the present weights."""
        weight = 1.0 - self.decay_at(self.updates)
        present = [p.detach().float() for p in self._parameters.values()]
        averages = list(self.average.values())
        if any(isinstance(average, DTensor) for average in averages):
            for average, parameter in zip(averages, present, strict=True):
                average.lerp_(parameter, weight)
        else:  # all in one call: on a GPU, a launch for each parameter takes longer than the work
            torch._foreach_lerp_(averages, present, weight)  # pyright: ignore[reportPrivateImportUsage]
        self.updates += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Swap the average into the model within the block."""
        present = {n: p.detach().clone() for n, p in self._parameters.items()}
        try:
            self._write(self.average)
            yield
        finally:
            self._write(present)

    @torch.no_grad()
    def _write(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])

    def state(self) -> dict[str, Tensor]:
        """Return the unsharded tensors to save."""
        return {name: whole(average) for name, average in self.average.items()}

    @torch.no_grad()
    def load(self, tensors: dict[str, Tensor], updates: int) -> None:
        """Restore a saved average."""
        for name, average in self.average.items():
            average.copy_(shared_like(tensors[name], average))
        self.updates = updates
