"""Weight sets on disk: a folder of config.json and safetensors files, without pickle.

    config.json               the model's configuration and the sha256 of every other file
    autoencoder.safetensors   keys autoencoder.* and whitening.*
    unet.safetensors          keys unet.*; conditioning.* where a learned null prompt exists,
                              prior.* and tracker.* where the config has controls
    distilled.safetensors     low-rank change distilled.* of the U-Net that has guidance in it,
                              where the config has steps of it
    text_encoder/             Hugging Face layout with its tokenizer, where the encoder is local
    README.md                 the model card (not hashed: its wording may change)

Tensors are grouped by module, `{"autoencoder": {...}, "whitening": {...}, "unet": {...}}`, with the
names of each module's state dict. This file does not import these modules.
"""

import dataclasses
import hashlib
import json
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jen1cli.config import FORMAT_VERSION, ModelConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.files import write_text, writing, writing_folder
from jen1cli.jsonfiles import JsonError, read_object
from jen1cli.typed_json import from_dict, to_dict

if TYPE_CHECKING:
    from torch import Tensor, nn

    StateDict = dict[str, Tensor]

CONFIG_NAME = "config.json"
CARD_NAME = "README.md"
TEXT_ENCODER_FOLDER = "text_encoder"
FILES = {
    "autoencoder.safetensors": ("autoencoder", "whitening"),
    "unet.safetensors": ("unet", "conditioning", "prior", "tracker"),
}
"""Modules of each file that every set has."""
_DISTILLED_FILES = {"distilled.safetensors": ("distilled",)}

_HASHES = "sha256"
_OPTIONAL = ("conditioning", "prior", "tracker")
_NAMING = ("name", "release", "licence", "provenance", "format_version")
"""Keys of config.json that describe the weights without changing them; not part of the digest."""

# Until 0.1.0 a set's sha256 covered the whole configuration, with the program's defaults in place
# of what config.json left out. These are the optional keys that 0.1.0 had, in the order in which
# they came, with those defaults. Never add keys here.
_DEFAULTS_OF_0_1: tuple[tuple[str, str, Any], ...] = (
    ("unet", "causal_convolution", "padding"),
    ("unet", "guide_channels", 0),
    ("", "guide", None),
    ("generation", "edit_guidance_scale", None),
    ("guide", "chord_features", 0),
    ("guide", "part_features", 0),
    ("guide", "heard_channels", 0),
    ("generation", "guide_interval", [0.0, 0.0]),
    ("generation", "continuation", "unidirectional"),
    ("guide", "pitch_channels", 0),
    ("generation", "context_interval", [0.0, 0.0]),
)
_FORMER_IDS = {
    "7f0aca5c803169f19a6b270e9fb68751906e754ba449c4143b78f5620df6a963": (
        "8e8e7d0c6c3206bc04cb021fb7f2d2784057bacf85260aa43a356ab9c1cc6bae",
        "0c1df9e323286f7ec42caf27fb04fde4bb2632c1ccb919f70a4738a3bd51bded",
        "0a5a6a6b7c4079cc861d9eb17f7e99a9f6271b84e4db66b9463917ffd1e082e4",
    ),
    "5ff28ea74752fd9287a06aaecbfb9277a98af32f1d1ad53f4cf20090ccd09835": (
        "d016728c990fd7b2b1fbd8d2319ea89225f85e6ca05fbe7628ccfa2b21993991",
    ),
}
"""sha256 of a set → digests of earlier releases, which had the same tensors and other settings in
config.json. Recipes of their time hold these."""


@dataclass(frozen=True)
class SetDescription:
    """Contents of config.json: the configuration and the hash of every file."""

    folder: Path
    config: ModelConfig
    hashes: dict[str, str]  # relative path with slashes → sha256
    stored: Mapping[str, Any]  # parsed config.json without the hashes

    @property
    def sha256(self) -> str:
        """Digest of the weight set, over the hashes of its files and the settings in config.json.

        Defaults of the program are excluded, so a new setting does not change the digest.
        Keys of `_NAMING` are excluded: renaming a set does not change it.
        """
        return self._digest({k: v for k, v in self.stored.items() if k not in _NAMING})

    @property
    def former_sha256(self) -> frozenset[str]:
        """Digests that jen1cli up to 0.1.0 computed for these weights."""
        values = {key: value for key, value in self.stored.items() if key != "release"}
        found = {self._digest(values), *_FORMER_IDS.get(self.sha256, ())}
        for part, key, default in _DEFAULTS_OF_0_1:
            inner = values.get(part) if part else values
            if inner is None or key in inner:
                continue
            completed = {**inner, key: default}
            values = {**values, part: completed} if part else completed
            found.add(self._digest(values))
        return frozenset(found)

    def _digest(self, config: Mapping[str, Any]) -> str:
        values = {"config": config, _HASHES: self.hashes}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def read_description(folder: Path) -> SetDescription:
    """Read only config.json, without torch.

    Raises:
        CheckpointError: it is missing, not JSON, of a newer format, or inconsistent.
    """
    path = folder / CONFIG_NAME
    try:
        values = read_object(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no weight set: it has no {CONFIG_NAME}") from error
    except JsonError as error:
        raise CheckpointError(f"{error.fault}; get the weight set again") from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}; get the weight set again"
        ) from error
    version = values.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {version}, this jen1cli knows up to {FORMAT_VERSION};"
            " upgrade jen1cli"
        )
    hashes = values.pop(_HASHES, None)
    if not isinstance(hashes, dict) or not all(isinstance(h, str) for h in hashes.values()):
        raise CheckpointError(f"{path} has no table '{_HASHES}' of its files; get the set again")
    outside = [name for name in hashes if not _is_inside(name)]
    if outside:
        raise CheckpointError(
            f"{path} names {outside[0]!r} in '{_HASHES}', which is no file inside the folder;"
            " get the set again"
        )
    try:
        config = from_dict(ModelConfig, values, "config")
    except ConfigError as error:
        raise CheckpointError(f"{path} does not fit this jen1cli: {error}") from error
    return SetDescription(folder, config, hashes, values)


def verify_files(description: SetDescription) -> None:
    """Check every file against its sha256.

    Raises:
        CheckpointError: a file is missing, changed or not listed.
    """
    folder, hashes = description.folder, description.hashes
    needed = {name for name in _files(description.config) if name not in hashes}
    if needed:
        raise CheckpointError(
            f"{folder / CONFIG_NAME} lists no sha256 of {min(needed)}; get the set again"
        )
    for name, expected in hashes.items():
        path = folder / name
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise CheckpointError(f"{path} is no regular file; get the weight set again")
            with path.open("rb") as file:
                seen = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise CheckpointError(f"{path} is missing; get the weight set again") from error
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
        if seen != expected:
            raise CheckpointError(
                f"{path} is not the file that {CONFIG_NAME} describes"
                f" (sha256 {seen[:12]}, expected {expected[:12]}); get the weight set again"
            )


def load_weight_set(
    folder: str | Path, *, verify: bool = True
) -> tuple[ModelConfig, "dict[str, StateDict]"]:
    """Load a weight set.

    Args:
        folder: folder of the weight set.
        verify: compare all files with their sha256 (about 0.06 s for 100 MB).

    Returns:
        the configuration and the tensors of each module, floats as float32.

    Raises:
        CheckpointError: anything is missing, damaged or of a newer format.
    """
    description = read_description(Path(folder))
    if verify:
        verify_files(description)
    tensors: dict[str, StateDict] = {}
    for name, modules in _files(description.config).items():
        path = Path(folder) / name
        tensors.update(_split(_load_tensors(path), modules, path))
    return description.config, tensors


def save_weight_set(
    folder: str | Path,
    config: ModelConfig,
    tensors: "Mapping[str, Mapping[str, Tensor]]",
    *,
    text_encoder: str | Path | None = None,
    card: str | None = None,
    storage: Literal["fp32", "fp16"] = "fp32",
    release: int = 0,
) -> Path:
    """Write a weight set to a temporary folder, then rename it into place.

    Args:
        folder: target; an existing weight set is replaced.
        config: configuration of the model, with its provenance.
        tensors: state dict of each module: autoencoder, whitening, unet; where the null prompt is
            learned, conditioning; where the config has controls, prior and tracker; where it has
            distilled steps, distilled.
        text_encoder: folder in the Hugging Face layout; it is copied.
        card: text of README.md; None keeps the existing card.
        storage: number type of the network's weights on disk; whitening always keeps float32.
        release: number of the release; it replaces that of `config`, which names the release that
            training began with.

    Raises:
        CheckpointError: a module is missing, or the target is a folder but not a weight set.
        OutputError: the folder cannot be written.
    """
    folder = Path(folder)
    _check_modules(config, tensors, text_encoder)
    if folder.exists() and not (folder / CONFIG_NAME).is_file() and any(folder.iterdir()):
        raise CheckpointError(f"{folder} exists and is no weight set; choose another folder")
    with writing_folder(folder) as new:
        for name, modules in _files(config).items():
            _save_tensors(new / name, modules, tensors, storage)
        if text_encoder is not None:
            shutil.copytree(text_encoder, new / TEXT_ENCODER_FOLDER)
        old_card = folder / CARD_NAME
        if card is not None:
            write_text(new / CARD_NAME, card)
        elif old_card.is_file():
            shutil.copyfile(old_card, new / CARD_NAME)
        _write_config(new, dataclasses.replace(config, release=release))
    return folder


def load_into(module: "nn.Module", tensors: "StateDict", what: str) -> None:
    """Load tensors into a module, which may be on the meta device; names and shapes must match.

    Raises:
        CheckpointError: a tensor is missing, unexpected or of another shape; the first is named.
    """
    expected = module.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    extra = sorted(tensors.keys() - expected.keys())
    if missing or extra:
        first = (missing or extra)[0]
        raise CheckpointError(
            f"{what} does not match its config: {len(missing)} tensors missing,"
            f" {len(extra)} unexpected (first: {first}); use the config.json that belongs to it"
        )
    for name, tensor in expected.items():
        if tensor.shape != tensors[name].shape:
            raise CheckpointError(
                f"{what} does not match its config: {name} is {list(tensors[name].shape)},"
                f" expected {list(tensor.shape)}; use the config.json that belongs to it"
            )
    module.load_state_dict(tensors, strict=True, assign=True)


def _files(config: ModelConfig) -> dict[str, tuple[str, ...]]:
    """Return the modules of each file of a set."""
    return FILES | (_DISTILLED_FILES if config.generation.distilled_steps else {})


def _is_inside(name: str) -> bool:
    """Whether a relative name with slashes stays inside its folder, on every system."""
    parts = name.split("/")
    plain = not any(part in ("", ".", "..") for part in parts)
    return plain and not any(letter in name for letter in "\\:\0")


def _load_tensors(path: Path) -> "StateDict":
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} is missing; get the weight set again") from error
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is damaged: {error}; get the weight set again") from error
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in tensors.items()
    }


def _split(tensors: "StateDict", modules: tuple[str, ...], path: Path) -> "dict[str, StateDict]":
    split: dict[str, StateDict] = {module: {} for module in modules}
    for key, tensor in tensors.items():
        module, _, name = key.partition(".")
        if module not in split:
            raise CheckpointError(
                f"{path} has an unexpected tensor {key}; use the config.json that belongs to it"
            )
        split[module][name] = tensor
    for module in modules:
        if not split[module] and module not in _OPTIONAL:
            raise CheckpointError(f"{path} holds no tensor {module}.*; get the weight set again")
    return {module: found for module, found in split.items() if found}


def _check_modules(
    config: ModelConfig, tensors: "Mapping[str, Mapping[str, Any]]", text_encoder: object
) -> None:
    known = {module for modules in _files(config).values() for module in modules}
    if unknown := sorted(tensors.keys() - known):
        raise CheckpointError(f"a weight set has no module '{unknown[0]}'; known: {sorted(known)}")
    if missing := sorted(known - tensors.keys() - set(_OPTIONAL)):
        raise CheckpointError(f"the tensors of '{missing[0]}' are missing; give every module's")
    if (config.text.revision is None) != (text_encoder is not None):
        where = "from a hub" if text_encoder is not None else "in the folder"
        raise CheckpointError(
            f"the config looks for its text encoder {where}: give a folder exactly then"
        )


def _save_tensors(
    path: Path,
    modules: tuple[str, ...],
    tensors: "Mapping[str, Mapping[str, Tensor]]",
    storage: str,
) -> None:
    import torch
    from safetensors.torch import save_file

    flat = {}
    for module in modules:
        for name, tensor in tensors.get(module, {}).items():
            stored = tensor.detach().cpu()
            if stored.is_floating_point():
                half = storage == "fp16" and module != "whitening"
                stored = stored.to(torch.float16 if half else torch.float32)
                if not torch.isfinite(stored).all():
                    raise CheckpointError(
                        f"{module}.{name} is not finite as {storage}; nothing was saved"
                    )
            flat[f"{module}.{name}"] = stored.contiguous().clone()
    with writing(path) as temporary:
        save_file(flat, temporary, metadata={"format": "pt"})


def _write_config(folder: Path, config: ModelConfig) -> None:
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (CONFIG_NAME, CARD_NAME):
            hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    config = dataclasses.replace(config, format_version=FORMAT_VERSION)
    values = {**to_dict(config), _HASHES: hashes}
    text = json.dumps(values, indent=2, ensure_ascii=False)
    write_text(folder / CONFIG_NAME, text + "\n")
