"""The devices that share the work of a set: GPUs, or the cores of this machine."""

import os

from jen1cli.pipeline.networks import choose_device


def list_devices(device: str, wanted: str | None) -> list[str]:
    """Return the device of each process.

    Args:
        device: "auto", "cpu", "cuda" and so on.
        wanted: number of processes; "all": one for each GPU, or for each core that this process
            may use; None: one.

    Raises:
        ConfigError: there is no such device.
    """
    kind = choose_device(device)
    if wanted is None:
        return [device]
    import torch

    named = kind.index is not None  # such as cuda:1
    there = torch.cuda.device_count() if kind.type == "cuda" else _cores()
    count = there if wanted == "all" else int(wanted)
    if kind.type != "cuda" or named:
        return [device] * (1 if named and wanted == "all" else count)
    return [f"cuda:{index % there}" for index in range(count)]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
