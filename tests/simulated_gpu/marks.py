"""Marks of the simulated device on the storages of tensors."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


def mark_of(tensor: Tensor) -> bool | None:
    """Return True on the simulated GPU, False on the CPU, None for a tensor that fits both."""
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        if tensor.is_sparse or tensor.device.type != "cpu":
            return False
        return getattr(tensor.untyped_storage(), "simulated", False)


def mark(value: Any, on: bool | None) -> Any:
    """Mark all tensors of a value; return the value."""
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        for tensor in tree_leaves(value):
            if isinstance(tensor, Tensor) and not tensor.is_sparse and tensor.device == CPU:
                tensor.untyped_storage().simulated = on  # type: ignore[attr-defined]
    return value


def is_cuda(device: object) -> bool:
    if isinstance(device, int) and not isinstance(device, bool):
        return True
    return device is not None and torch.device(device).type == "cuda"  # type: ignore[arg-type]
