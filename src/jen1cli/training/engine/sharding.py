"""Sharded parameters (FSDP2): each process holds a slice of every parameter.

Functions that return unsharded tensors communicate with the other processes: all processes must
call them, in the same order.
"""

from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from jen1cli.errors import ConfigError


def shares_out(accelerator: Accelerator) -> bool:
    """Return whether the parameters are sharded.

    Raises:
        ConfigError: they are sharded by FSDP 1, whose flat parameters have no names.
    """
    if accelerator.distributed_type != DistributedType.FSDP:
        return False
    if not accelerator.is_fsdp2:
        raise ConfigError("FSDP of version 1 is not supported; launch with --fsdp_version 2")
    return True


def refuse_sharing(accelerator: Accelerator, what: str) -> None:
    """Check that FSDP is off, for trainings that do not support it.

    Raises:
        ConfigError: FSDP is on.
    """
    if accelerator.distributed_type == DistributedType.FSDP:
        raise ConfigError(f"FSDP is not supported for {what}; launch without --use_fsdp")


def whole(tensor: Tensor) -> Tensor:
    """Return the unsharded tensor."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(value: Tensor, other: Tensor) -> Tensor:
    """Return this process' slice of an unsharded tensor, sharded like `other`."""
    value = value.to(other.device)
    if not isinstance(other, DTensor) or value.ndim != other.ndim:
        return value
    return distribute_tensor(value, other.device_mesh, other.placements, src_data_rank=None)
