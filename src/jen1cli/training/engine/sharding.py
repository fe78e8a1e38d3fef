"""Parameters that several processes share out among them (FSDP2): each holds a slice of every one.

Every function here that gives whole tensors talks to the other processes, so that all of them have
to call it, in the same order.
"""

from accelerate import Accelerator
from accelerate.utils import DistributedType
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from jen1cli.errors import ConfigError


def shares_out(accelerator: Accelerator) -> bool:
    """Tell whether processes hold slices of the parameters.

    Raises:
        ConfigError: they do by FSDP of version 1, whose flat parameters have no names.
    """
    if accelerator.distributed_type != DistributedType.FSDP:
        return False
    if not accelerator.is_fsdp2:
        raise ConfigError("FSDP of version 1 is not supported; launch with --fsdp_version 2")
    return True


def refuse_sharing(accelerator: Accelerator, what: str) -> None:
    """Refuse FSDP where only whole networks are trained.

    Raises:
        ConfigError: it was asked for.
    """
    if accelerator.distributed_type == DistributedType.FSDP:
        raise ConfigError(f"FSDP is not supported for {what}; launch without --use_fsdp")


def whole(tensor: Tensor) -> Tensor:
    """Return the tensor with the slices of all processes."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def shared_like(value: Tensor, other: Tensor) -> Tensor:
    """Return this process' slice of a whole tensor, cut as `other` is."""
    value = value.to(other.device)
    if not isinstance(other, DTensor) or value.ndim != other.ndim:
        return value
    return distribute_tensor(value, other.device_mesh, other.placements, src_data_rank=None)
