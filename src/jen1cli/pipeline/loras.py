"""LoRA files: description for the recipe, and application to a U-Net in order."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from jen1cli.checkpoint import SetDescription
from jen1cli.recipe import RecipeLora
from jen1cli.unet import UNet1d
from jen1cli.unet.lora import apply_lora

logger = logging.getLogger(__name__)


def apply_loras(
    unet: UNet1d, loras: Mapping[str | Path, float], model: SetDescription
) -> tuple[RecipeLora, ...]:
    """Add LoRA updates to the weights of a U-Net in float32.

    Args:
        unet: network, modified in place.
        loras: file -> strength; 1: as trained.
        model: the weight set; a LoRA trained on another one of the same shape causes a warning.

    Raises:
        CheckpointError: a file is unusable or fits another U-Net.
    """
    applied = []
    for path, strength in loras.items():
        config = apply_lora(unet, Path(path), strength)
        if config.base_sha256 not in ("", model.sha256, *model.former_sha256):
            logger.warning(
                "%s was trained on other weights of '%s' (sha256 %s; these are %s): it may do"
                " little good here",
                path,
                config.base,
                config.base_sha256[:12],
                model.sha256[:12],
            )
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        applied.append(RecipeLora(str(path), digest, float(strength)))
    return tuple(applied)
