"""The state to resume from: tensors as safetensors, the rest as JSON, replaced atomically."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from jen1cli.errors import CheckpointError
from jen1cli.files import write_text, writing, writing_folder
from jen1cli.jsonfiles import read_object
from jen1cli.training.engine.sharding import shared_like, whole

TENSORS_NAME = "state.safetensors"
ABOUT_NAME = "state.json"


def save_state(folder: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write a state atomically: a crash leaves the old or the new one.

    Args:
        folder: the state's folder.
        tensors: on the CPU, as `copied` returns them.
        about: plain values.
    """
    with writing_folder(folder) as new:
        with writing(new / TENSORS_NAME) as temporary:
            save_file(dict(tensors), temporary)
        write_text(new / ABOUT_NAME, json.dumps(about))


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies in the memory of the processor, which later steps do not change."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()
    }


def has_state(folder: Path) -> bool:
    """Whether a state was saved; the former one counts, while it is replaced."""
    return folder.exists() or _former(folder).exists()


def load_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state.

    Raises:
        CheckpointError: the state is missing or damaged.
    """
    place = folder if folder.exists() else _former(folder)
    try:
        about = read_object(place / ABOUT_NAME)
        return load_file(place / TENSORS_NAME), about
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} holds no training state to resume ({error}); start without --resume"
        ) from error


def _former(folder: Path) -> Path:
    return folder.with_name(folder.name + ".old")


def optimizer_tensors(
    optimizer: torch.optim.Optimizer, names: Mapping[Tensor, str]
) -> dict[str, Tensor]:
    """Return the optimiser's unsharded state tensors, by parameter name."""
    return {
        f"{names[parameter]}.{key}": whole(value)
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, names: Mapping[Tensor, str], tensors: Mapping[str, Tensor]
) -> None:
    """Restore the tensors of `optimizer_tensors`."""
    by_name = {name: parameter for parameter, name in names.items()}
    for key, value in tensors.items():
        name, _, field = key.rpartition(".")
        parameter = by_name[name]
        optimizer.state[parameter][field] = shared_like(value, parameter).clone()


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, by the rest of the name."""
    return {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}
