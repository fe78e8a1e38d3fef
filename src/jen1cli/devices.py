"""Transfers to a GPU that the processor does not wait for, and the precision of its arithmetic."""

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor on a device; the copy to a GPU is asynchronous.

    From pageable memory, the copy waits for all work that the GPU has. So it is made from pinned
    memory, which torch keeps until the copy is done.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def allow_tf32(allowed: bool) -> None:
    """Choose how a GPU multiplies float32 matrices and convolutions, in the whole process.

    Torch's defaults differ: TF32 (10 bits of mantissa) for convolutions, float32 for matrices.

    Args:
        allowed: True allows TF32 for both, for training; False computes both in float32, since the
            error of TF32 is audible in a decoder (about -60 dB).
    """
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
