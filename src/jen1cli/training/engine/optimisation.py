"""Optimiser and precision of both stages."""

import torch
from accelerate import Accelerator
from torch import nn

from jen1cli.errors import ConfigError
from jen1cli.pipeline.networks import is_faster_in_bf16
from jen1cli.training.recipes import Optimisation


def build_optimizer(model: nn.Module, optimisation: Optimisation) -> torch.optim.Optimizer:
    """Build the optimiser of all trainable parameters, without weight decay on gains and biases."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1]},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(
        groups,
        lr=optimisation.lr,
        betas=optimisation.betas,
        weight_decay=optimisation.weight_decay,
        fused=True,
    )


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def check_batch(batch_size: int, accumulation: int, accelerator: Accelerator) -> None:
    """Check that every process and micro-batch gets at least one item.

    Raises:
        ConfigError: the batch is too small.
    """
    pieces = accumulation * accelerator.num_processes
    if batch_size < pieces:
        raise ConfigError(
            f"a batch of {batch_size} cannot be shared by {accelerator.num_processes} processes"
            f" with {accumulation} micro-batches each; give at least {pieces}"
        )


def mixed_precision(optimisation: Optimisation, device: torch.device) -> str:
    """Return accelerate's name of the precision, "bf16" or "no".

    "auto" means bf16 if the device is faster in it.
    """
    wanted = optimisation.precision
    return "bf16" if wanted == "bf16" or (wanted == "auto" and is_faster_in_bf16(device)) else "no"
