"""Memory of a training, for `--dry-run`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

BYTES_PER_PARAMETER = 4
HELD_PER_TRAINED = 4
"""Copies of a trained parameter: gradient, two moments and the average."""


def state_megabytes(parameters: int, trained: int) -> float:
    """Return the memory of weights, gradients, optimiser and average in MB."""
    return (parameters + HELD_PER_TRAINED * trained) * BYTES_PER_PARAMETER / 1e6


def activation_megabytes(module: nn.Module, forward: Callable[[], object]) -> float:
    """Return the memory that a forward pass keeps for the backward pass, in MB.

    Activations that are recomputed (checkpointing) do not count.

    Args:
        module: network whose parameters do not count.
        forward: runs the forward pass.
    """
    own = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        found = forward()  # kept alive during the count, so that no storage is reused
        total = sum(kept.values())
    del found
    return total / 1e6
