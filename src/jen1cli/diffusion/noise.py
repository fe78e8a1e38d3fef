"""Noise of one piece: that of its seed, with the noise of further seeds mixed in."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class Noise:
    """Standard normal noise from a generator, mixed with that of others.

    Noise n is mixed with noise m as cos(a π/2) n + sin(a π/2) m for an amount a from 0 to 1, a way
    on the circle on which the variance stays 1. At 0 it is exactly n, at 1 exactly m.

    Attributes:
        generator: the first source, on the CPU.
    """

    def __init__(
        self, generator: torch.Generator, others: Sequence[tuple[torch.Generator, float]] = ()
    ) -> None:
        self.generator = generator
        self._others = others

    def draw(self, shape: Sequence[int]) -> Tensor:
        """Draw the next values, on the CPU."""
        noise = torch.randn(shape, generator=self.generator)
        for generator, amount in self._others:
            other = torch.randn(shape, generator=generator)
            if amount >= 1.0:  # cos(π/2) is not exactly 0 in floating point
                noise = other
            elif amount > 0.0:
                angle = amount * math.pi / 2
                noise = math.cos(angle) * noise + math.sin(angle) * other
        return noise


Source = torch.Generator | Noise


def draw(shape: Sequence[int], source: Source) -> Tensor:
    """Draw standard normal noise from a generator or a mixture, on the CPU."""
    return source.draw(shape) if isinstance(source, Noise) else torch.randn(shape, generator=source)
