"""Device, precision and processes of a training, through accelerate."""

from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, KwargsHandler

from jen1cli.devices import allow_tf32
from jen1cli.errors import ConfigError
from jen1cli.training.engine.optimisation import mixed_precision
from jen1cli.training.recipes import Optimisation

DEVICES = ("auto", "cpu", "cuda")
LONGEST_WAIT = timedelta(days=2)
"""Time that processes wait for each other, while one encodes music or makes samples.

torch.distributed ends all of them after 10 minutes of waiting for a GPU. The launcher ends them
when one fails, whatever this time is.
"""


def build_accelerator(
    optimisation: Optimisation, *, device: str = "auto", unused: bool = False
) -> Accelerator:
    """Build accelerate's state for this process.

    Args:
        optimisation: gives the precision.
        device: "cpu" forces the CPU.
        unused: whether some parameters get no gradient in some steps.
    """
    cpu = on_processor(device)
    kind = torch.device("cpu" if cpu else "cuda")
    handlers: list[KwargsHandler] = [
        DistributedDataParallelKwargs(find_unused_parameters=unused),
        InitProcessGroupKwargs(timeout=LONGEST_WAIT),
    ]
    if not cpu:
        allow_tf32(True)
    precision = mixed_precision(optimisation, kind)
    AcceleratorState._reset_state()  # a second job in this process may use another precision
    return Accelerator(cpu=cpu, mixed_precision=precision, kwargs_handlers=handlers)


def on_processor(device: str) -> bool:
    """Return whether "auto", "cpu" or "cuda" selects the CPU on this machine.

    Raises:
        ConfigError: the name is unknown, or CUDA is not available.
    """
    if device not in DEVICES:
        raise ConfigError(
            f"unknown device '{device}'; training knows {', '.join(DEVICES)}, and accelerate launch"
            " chooses among several GPUs"
        )
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ConfigError("the device 'cuda' is not on this machine; use --device cpu or auto")
    return device == "cpu" or not there
