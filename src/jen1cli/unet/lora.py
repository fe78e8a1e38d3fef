"""Low-rank adaptation of the U-Net (LoRA, arXiv 2106.09685), stored in a small file.

    W' = W + strength · (alpha / rank) · B A,      A [rank, in], B [out, rank], B zero at first

for every matrix and convolution in the levels. In training the sum is computed in each step and
only A and B are trained; for inference it is added to the weights once and costs no time.
"""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import parametrize

from jen1cli.config import UNetConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.files import make_folder, writing
from jen1cli.headers import LORA_FORMAT, with_sorted_metadata
from jen1cli.jsonfiles import parse_object
from jen1cli.typed_json import from_dict, to_dict
from jen1cli.unet.unet import UNet1d

LORA_VERSION = 1


@dataclass(frozen=True)
class LoraConfig:
    """Configuration of a LoRA, stored in the metadata of its file."""

    rank: int
    alpha: float
    base: str  # name of the weight set it was trained on
    unet: UNetConfig  # configuration of the U-Nets that it fits
    version: int = LORA_VERSION
    base_sha256: str = dataclasses.field(default="", metadata={"optional": True})  # its sha256


class LowRank(nn.Module):
    """Low-rank change of one weight, as a torch parametrisation."""

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        out, fan_in = weight.shape[0], weight[0].numel()
        self.scale = alpha / rank
        self.down = nn.Parameter(torch.empty(rank, fan_in, device=weight.device))
        self.up = nn.Parameter(torch.zeros(out, rank, device=weight.device))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the changed weight."""
        return weight + self.scale * (self.up @ self.down).view_as(weight)


def add_lora(unet: UNet1d, rank: int, alpha: float | None = None) -> None:
    """Freeze a U-Net and add a trainable low-rank change to every weight of its levels.

    Args:
        unet: changed in place; its output is unchanged at first.
        rank: rank of the changes; 4 to 32 are usual.
        alpha: the change is scaled by alpha / rank; by default equal to the rank.

    Raises:
        ConfigError: the rank is above that of all weights.
    """
    unet.requires_grad_(False)
    weights = [module.weight for _, module in _targets(unet)]
    most = max(min(len(weight), weight[0].numel()) for weight in weights)  # type: ignore[index]
    if rank > most:
        raise ConfigError(f"rank {rank} is above that of this U-Net's weights, at most {most}")
    for _, module in _targets(unet):
        change = LowRank(module.weight, rank, float(alpha or rank))  # type: ignore[arg-type]
        parametrize.register_parametrization(module, "weight", change)


def lora_tensors(unet: UNet1d) -> dict[str, Tensor]:
    """Return A (`.down`) and B (`.up`) of every changed weight by the module's name."""
    return {
        f"{name}.{part}": getattr(change, part).detach()
        for name, module in unet.named_modules()
        if parametrize.is_parametrized(module, "weight")
        for change in module.parametrizations["weight"]  # type: ignore[union-attr]
        if isinstance(change, LowRank)
        for part in ("down", "up")
    }


def save_lora(path: Path, unet: UNet1d, config: LoraConfig) -> None:
    """Write the changes as float16, with their configuration in the file's metadata."""
    tensors = {n: t.cpu().half().contiguous() for n, t in lora_tensors(unet).items()}
    metadata = {"format": LORA_FORMAT, "config": json.dumps(to_dict(config))}
    make_folder(path.parent)
    with writing(path) as temporary:
        temporary.write_bytes(with_sorted_metadata(save(tensors, metadata)))


def read_lora(path: Path) -> tuple[LoraConfig, dict[str, Tensor]]:
    """Read a LoRA file.

    Raises:
        CheckpointError: the file is missing, damaged, of another kind or of a newer format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read as a LoRA file: {error}") from error
    if metadata.get("format") != LORA_FORMAT:
        raise CheckpointError(
            f"{path} is no LoRA file of jen1; make one with 'jen1 train finetune'"
        )
    try:
        values = parse_object(metadata["config"], "its configuration")
        if values["version"] > LORA_VERSION:
            raise CheckpointError(
                f"{path} has version {values['version']}, this jen1cli knows up to {LORA_VERSION};"
                " upgrade jen1cli"
            )
        config = from_dict(LoraConfig, values, "its configuration")
        if config.rank < 1 or not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
            raise ValueError(f"rank {config.rank}, or numbers that are not finite")
        return config, tensors
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); make it again") from error


@torch.no_grad()
def apply_lora(unet: UNet1d, path: Path, strength: float = 1.0) -> LoraConfig:
    """Add the changes in a file to a U-Net's weights; several files may be applied in turn.

    Args:
        unet: changed in place; apply before converting it to bf16.
        path: written by `save_lora`.
        strength: factor on the change: 1 as trained, 0 none, negative reversed.

    Raises:
        CheckpointError: the file is unusable or was made for a U-Net of another shape.
    """
    config, tensors = read_lora(path)
    if config.unet != unet.config:
        different = next(
            field.name
            for field in dataclasses.fields(UNetConfig)
            if getattr(config.unet, field.name) != getattr(unet.config, field.name)
        )
        raise CheckpointError(
            f"{path} was made for '{config.base}', whose U-Net differs in '{different}';"
            " use it with that model"
        )
    scale = strength * config.alpha / config.rank
    add_changes(unet, tensors, str(path), rank=config.rank, scale=scale)
    return config


@torch.no_grad()
def add_changes(
    unet: UNet1d, tensors: Mapping[str, Tensor], what: str, *, rank: int, scale: float = 1.0
) -> None:
    """Add scale · B A to every weight of a U-Net's levels.

    Args:
        unet: changed in place.
        tensors: as of `lora_tensors`.
        what: file or set that they are of, for errors.
        rank: of all changes.
        scale: factor on the changes.

    Raises:
        CheckpointError: a change is missing or has another shape.
    """
    targets = dict(_targets(unet))
    names = {key.rpartition(".")[0] for key in tensors}
    if names != set(targets):
        odd = min(names ^ set(targets))
        raise CheckpointError(f"{what} does not cover the U-Net (first: {odd}); make it again")
    for name, module in targets.items():
        weight: Tensor = module.weight  # type: ignore[assignment]
        up, down = tensors.get(f"{name}.up"), tensors.get(f"{name}.down")
        shapes = [(weight.shape[0], rank), (rank, weight[0].numel())]
        if up is None or down is None or [up.shape, down.shape] != shapes:
            raise CheckpointError(f"{what} does not fit the U-Net at {name}; make it again")
        weight.add_(_change(weight, up, down, scale))


@torch.no_grad()
def merged_tensors(unet: UNet1d) -> dict[str, Tensor]:
    """Return the tensors of a U-Net, with its low-rank changes, if any, added to the weights.

    The result equals that of `apply_lora` with the file of `save_lora`, including its rounding to
    float16. Tensors without a change share the U-Net's memory.
    """
    tensors = {
        name.replace("parametrizations.weight.original", "weight"): tensor
        for name, tensor in unet.state_dict().items()
        if "parametrizations.weight.0" not in name
    }
    for name, module in unet.named_modules():
        if isinstance(module, LowRank):
            weight = name.replace("parametrizations.weight.0", "weight")
            up, down = (part.cpu().half().float() for part in (module.up, module.down))
            tensors[weight] = tensors[weight] + _change(tensors[weight], up, down, module.scale)
    return tensors


def _change(weight: Tensor, up: Tensor, down: Tensor, scale: float) -> Tensor:
    return (scale * (up @ down)).view_as(weight).to(weight)


def _targets(unet: UNet1d) -> Iterator[tuple[str, nn.Module]]:
    for name, module in unet.named_modules():
        weight = getattr(module, "weight", None)
        if name.startswith("levels.") and isinstance(weight, Tensor) and weight.ndim > 1:
            yield name, module
