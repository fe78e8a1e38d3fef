"""Loads EnCodec's weights (arXiv 2210.13438) into our SEANet by an explicit, strict key mapping.

The source is a folder in transformers' layout, such as facebook/encodec_48khz: `config.json` and
`model.safetensors`. Encoder and decoder are loaded, the quantiser is not: the latent is the
encoder's continuous output. EnCodec itself uses these weights differently in two ways: it codes
loudness-normalised chunks of 1 s (here the latent encodes the level of the whole signal), and its
decoder was trained on quantised latents.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from jen1cli.autoencoder.seanet import SeanetAutoencoder
from jen1cli.config import SeanetConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.jsonfiles import read_object
from jen1cli.typed_json import from_dict, to_dict

_FIELDS: dict[str, tuple[str, Any]] = {  # transformers' key → ours, and transformers' default
    "sampling_rate": ("sample_rate", 24_000),
    "audio_channels": ("audio_channels", 1),
    "hidden_size": ("latent_channels", 128),
    "num_filters": ("num_filters", 32),
    "upsampling_ratios": ("ratios", (8, 5, 4, 2)),
    "kernel_size": ("kernel_size", 7),
    "residual_kernel_size": ("residual_kernel_size", 3),
    "num_residual_layers": ("num_residual_layers", 1),
    "dilation_growth_rate": ("dilation_growth", 2),
    "compress": ("compress", 2),
    "use_conv_shortcut": ("conv_shortcut", True),
    "num_lstm_layers": ("num_lstm_layers", 2),
    "norm_type": ("norm", "weight_norm"),
}
_WEIGHT_NORM = {  # older torch names of weight norm's magnitude and direction
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}


def load_encodec(folder: Path) -> SeanetAutoencoder:
    """Build the autoencoder of an EnCodec folder in transformers' layout, in evaluation mode.

    Raises:
        CheckpointError: a file is missing or unreadable, the architecture is not supported (causal
            convolutions), or a tensor is missing, unknown or of the wrong shape.
    """
    try:
        values = read_object(folder / "config.json")
        tensors = load_file(folder / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(
            f"'{folder}' is not an EnCodec folder ({error});"
            " it needs a readable config.json and model.safetensors"
        ) from error
    config = encodec_config(values)
    autoencoder = SeanetAutoencoder(config)
    state = encodec_state(tensors, config)
    _check(state, autoencoder.state_dict())
    autoencoder.load_state_dict(state, strict=True)
    return autoencoder.eval()


def encodec_config(values: Mapping[str, Any]) -> SeanetConfig:
    """Translate transformers' EncodecConfig, as the dict of its config.json.

    Raises:
        CheckpointError: it describes another model or an unsupported architecture.
    """
    kernel_size = values.get("kernel_size", 7)
    needed = {  # key → (what we support, transformers' default)
        "model_type": ("encodec", None),
        "use_causal_conv": (False, True),
        "pad_mode": ("reflect", "reflect"),
        "last_kernel_size": (kernel_size, 7),
    }
    for key, (supported, default) in needed.items():
        if (seen := values.get(key, default)) != supported:
            raise CheckpointError(
                f"EnCodec config.json has {key} = {seen} and only {supported} is supported;"
                " use the 48 kHz model"
            )
    read = {ours: values.get(theirs, default) for theirs, (ours, default) in _FIELDS.items()}
    try:
        return from_dict(SeanetConfig, to_dict(SeanetConfig()) | read, "EnCodec config.json")
    except ConfigError as error:
        raise CheckpointError(f"{error}; use an EnCodec folder") from error


def encodec_state(tensors: Mapping[str, Tensor], config: SeanetConfig) -> dict[str, Tensor]:
    """Rename encoder and decoder tensors to our names; `quantizer.*` is left out.

    Raises:
        CheckpointError: a tensor belongs to no layer of this configuration.
    """
    layers = dict(_encoder_layers(config)) | dict(_decoder_layers(config))
    state: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        if key.startswith("quantizer."):
            continue
        layer = next((name for name in layers if key.startswith(f"{name}.")), None)
        if layer is None:
            raise CheckpointError(
                f"EnCodec tensor '{key}' belongs to no layer of its config.json;"
                " use the config.json that belongs to the weights"
            )
        parameter = key.removeprefix(f"{layer}.")
        stem, _, last = parameter.rpartition(".")
        renamed = ".".join(filter(None, (stem, _WEIGHT_NORM.get(last, last))))
        state[f"{layers[layer]}.{renamed}"] = tensor
    return state


def _check(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """Raise unless the state has exactly the names and shapes of the module's own state."""
    for key in (*own, *state):
        if key in own and key in state and own[key].shape == state[key].shape:
            continue
        seen = tuple(state[key].shape) if key in state else "absent"
        wanted = tuple(own[key].shape) if key in own else "absent"
        raise CheckpointError(
            f"EnCodec weights do not match their config.json: '{key}' is {seen} and should be"
            f" {wanted}; use the config.json that belongs to a complete model.safetensors"
        )


def _encoder_layers(config: SeanetConfig) -> Iterator[tuple[str, str]]:
    """Yield (transformers' layer name, our name), in the order of transformers' flat list."""
    yield "encoder.layers.0", "encoder.first"
    index = 1
    for stage in range(len(config.ratios)):
        ours = f"encoder.stages.{stage}"
        for residual in range(config.num_residual_layers):
            yield from _residual(index, "encoder", f"{ours}.residuals.{residual}", config)
            index += 1
        index += 1  # ELU
        yield f"encoder.layers.{index}", f"{ours}.down"
        index += 1
    yield f"encoder.layers.{index}.lstm", "encoder.recurrent.lstm"
    yield f"encoder.layers.{index + 2}", "encoder.last"


def _decoder_layers(config: SeanetConfig) -> Iterator[tuple[str, str]]:
    yield "decoder.layers.0", "decoder.first"
    yield "decoder.layers.1.lstm", "decoder.recurrent.lstm"
    index = 2
    for stage in range(len(config.ratios)):
        ours = f"decoder.stages.{stage}"
        index += 1  # ELU
        yield f"decoder.layers.{index}", f"{ours}.up"
        index += 1
        for residual in range(config.num_residual_layers):
            yield from _residual(index, "decoder", f"{ours}.residuals.{residual}", config)
            index += 1
    yield f"decoder.layers.{index + 1}", "decoder.last"


def _residual(index: int, part: str, ours: str, config: SeanetConfig) -> Iterator[tuple[str, str]]:
    theirs = f"{part}.layers.{index}"
    yield f"{theirs}.block.1", f"{ours}.wide"
    yield f"{theirs}.block.3", f"{ours}.narrow"
    if config.conv_shortcut:
        yield f"{theirs}.shortcut", f"{ours}.shortcut"
