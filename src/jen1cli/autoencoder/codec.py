"""Stores the autoencoder and its whitening between the training stages.

Stage 1 has no diffusion network yet, so its result is only part of a weight set:
`config.json` (ModelConfig) and `autoencoder.safetensors` in the layout of a weight set. A latent
cache contains the same two files.
"""

import dataclasses
import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from jen1cli.autoencoder import Autoencoder, Whitening, build_autoencoder
from jen1cli.autoencoder.levels import level_axes
from jen1cli.checkpoint import CONFIG_NAME, load_into, read_description, verify_files
from jen1cli.config import ModelConfig, SpectralConfig
from jen1cli.errors import CheckpointError
from jen1cli.files import encoded, make_folder, writing_together
from jen1cli.jsonfiles import read_object
from jen1cli.typed_json import from_dict, to_dict

TENSORS_NAME = "autoencoder.safetensors"


@dataclasses.dataclass(frozen=True)
class Codec:
    """Autoencoder, whitening, and the configuration of the whole model."""

    config: ModelConfig
    autoencoder: Autoencoder
    whitening: Whitening

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.autoencoder.parameters()).device

    def to(self, device: torch.device | str) -> "Codec":
        """Move both modules to a device, in place."""
        self.autoencoder.to(device)
        self.whitening.to(device)
        return self


def with_level_axes(codec: Codec) -> Codec:
    """Return the codec with level axes in its configuration, which leaves them out of guidance.

    An autoencoder of another family than the spectral one, whose latents hold no levels in dB,
    gets none.
    """
    if not isinstance(codec.config.autoencoder, SpectralConfig):
        return codec
    axes = level_axes(codec.autoencoder, codec.whitening)
    generation = dataclasses.replace(
        codec.config.generation,
        level_guidance=0.0,
        level_axes=tuple(map(tuple, axes.tolist())),
    )
    return dataclasses.replace(
        codec, config=dataclasses.replace(codec.config, generation=generation)
    )


def without_scaling(codec: Codec) -> Codec:
    """Return the codec with a whitening that only rotates; its level axes stay the same directions.

    A component that is scaled by s has a slope of the levels that is smaller by s.
    """
    plain = codec.whitening.unscaled()
    generation = codec.config.generation
    if generation.level_axes:
        scales = codec.whitening.inverse_matrix.norm(dim=1) / plain.inverse_matrix.norm(dim=1)
        axes = torch.linalg.qr((torch.tensor(generation.level_axes) / scales.cpu()).T).Q.T
        generation = dataclasses.replace(generation, level_axes=tuple(map(tuple, axes.tolist())))
    config = dataclasses.replace(codec.config, generation=generation)
    return dataclasses.replace(codec, config=config, whitening=plain)


def save_codec(folder: Path, codec: Codec) -> None:
    """Write both files into a folder; other files in it are left alone."""
    make_folder(folder)
    modules = {"autoencoder": codec.autoencoder, "whitening": codec.whitening}
    tensors: dict[str, Tensor] = {
        f"{name}.{key}": value.detach().cpu().contiguous().clone()
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    text = json.dumps(to_dict(codec.config), indent=2, ensure_ascii=False)
    places = (folder / CONFIG_NAME, folder / TENSORS_NAME)
    with writing_together(*places) as (config_file, tensors_file):
        save_file(tensors, tensors_file)
        config_file.write_bytes(encoded(text + "\n"))


def load_codec(folder: Path) -> Codec:
    """Read a codec from a stage 1 folder, a latent cache or a weight set.

    Raises:
        CheckpointError: files are missing, damaged, inconsistent with each other, or not those of
            which the weight set lists the hashes.
    """
    try:
        values = read_object(folder / CONFIG_NAME)
        tensors = load_file(folder / TENSORS_NAME)
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} holds no autoencoder ({error}); give the result of"
            " 'jen1 train autoencoder' or a weight set"
        ) from error
    if values.pop("sha256", None) is not None:  # only weight sets have hashes
        verify_files(read_description(folder))
    config = from_dict(ModelConfig, values)
    autoencoder = build_autoencoder(config.autoencoder)
    whitening = Whitening(config.whitening)
    for name, module in (("autoencoder", autoencoder), ("whitening", whitening)):
        own = {
            key.removeprefix(f"{name}."): value.float() if value.is_floating_point() else value
            for key, value in tensors.items()
            if key.startswith(f"{name}.")
        }
        load_into(module, own, f"{folder / TENSORS_NAME} ({name})")
    for module in (autoencoder, whitening):
        module.eval().requires_grad_(False)
    return Codec(config, autoencoder, whitening)
