"""EnCodec's loss balancer (arXiv 2210.13438, section 3.4): weights are shares, not scales."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

DECAY = 0.999


class Balancer:
    """Rescales the gradient of each loss at the output waveform before they are added.

    g~_i = (λ_i / Σ λ) · g_i / EMA(‖g_i‖), where the norm is of each item and averaged over the
    batch. With `balanced` False the gradients are added with their weights as they are.
    """

    def __init__(self, weights: Mapping[str, float], *, balanced: bool = True) -> None:
        """Set the weight of each loss by name."""
        self._weights = dict(weights)
        self._balanced = balanced
        self.sums: dict[str, float] = {}  # decayed sum of norms
        self.counts: dict[str, float] = {}  # decayed count, for bias correction

    def gradient(
        self,
        losses: Mapping[str, Tensor],
        waveform: Tensor,
        mean: Callable[[Tensor], Tensor] = lambda norm: norm,
    ) -> Tensor:
        """Return the joint gradient at `waveform`, divided by its batch size if balanced.

        Args:
            losses: scalar functions of `waveform`.
            waveform: a leaf that requires a gradient, [batch, audio_channels, samples].
            mean: function that averages a scalar over all processes.
        """
        total = sum(self._weights[name] for name in losses)
        joint = torch.zeros_like(waveform)
        for name, loss in losses.items():
            (gradient,) = torch.autograd.grad(loss, waveform, retain_graph=True)
            if not self._balanced:
                joint += self._weights[name] * gradient
                continue
            # Losses are means over the batch; times its size, gradients are per item.
            norm = mean(gradient.flatten(1).norm(dim=1).mean() * len(waveform))
            average = self._average(name, float(norm))
            share = self._weights[name] / total
            joint += (share / max(average, 1e-12)) * gradient
        return joint

    def _average(self, name: str, norm: float) -> float:
        self.sums[name] = DECAY * self.sums.get(name, 0.0) + (1.0 - DECAY) * norm
        self.counts[name] = DECAY * self.counts.get(name, 0.0) + (1.0 - DECAY)
        return self.sums[name] / self.counts[name]
