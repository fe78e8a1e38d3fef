"""The networks of a model: construction from a configuration, and loading of weights."""

import contextlib
import copy
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from jen1cli.autoencoder import Autoencoder, Whitening, build_autoencoder
from jen1cli.autoencoder.watermark import KEY_VARIABLE, environment_key, fingerprint
from jen1cli.checkpoint import load_into
from jen1cli.conditioning import TextEncoder
from jen1cli.conditioning.controls.predictor import ControlPredictor
from jen1cli.conditioning.controls.tracker import ControlTracker
from jen1cli.config import (
    QUALITY_FACTORS,
    ModelConfig,
    PredictionName,
    QualityName,
    SpectralConfig,
)
from jen1cli.devices import allow_tf32
from jen1cli.diffusion import Schedule
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.unet import UNet1d
from jen1cli.unet.graphs import GraphedUNet, graphed
from jen1cli.unet.lora import add_changes

DtypeName = Literal["auto", "fp32", "bf16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SMALL_TEXT_ENCODER = 50_000_000
"""Number of parameters up to which a text encoder stays on the CPU."""


@dataclass(frozen=True)
class Networks:
    """All networks of a model, in evaluation mode.

    The predictor of controls, and a text encoder below `SMALL_TEXT_ENCODER`, stay on the CPU: they
    run once for each piece, in hundreds of small operations, for which a GPU needs longer. A larger
    one is moved to the device; one that is given stays where it is.
    """

    autoencoder: Autoencoder  # float32
    whitening: Whitening  # float32
    unet: UNet1d  # in the compute dtype; takes and returns float32
    text_encoder: TextEncoder
    predictor: ControlPredictor | None  # float32, on the CPU
    tracker: ControlTracker | None  # float32
    schedule: Schedule
    prediction: PredictionName
    frame_rate: float  # latent frames per second
    device: torch.device  # device of all other networks
    dtype: Literal["fp32", "bf16"]
    call_unet: UNet1d | GraphedUNet  # the U-Net, on a GPU through CUDA graphs
    level_axes: Tensor | None = None  # [axes, components] of `GenerationConfig`
    # U-Net whose prediction is guided in one pass, called as `call_unet`
    call_distilled: UNet1d | GraphedUNet | None = None

    @property
    def watermark(self) -> str:
        """Fingerprint of the key of the watermark; "" for everybody's."""
        return fingerprint(self.autoencoder.noise_key)


class _SkipRandomNumbers(TorchFunctionMode):
    """Skips random initialisation of weights that are loaded afterwards.

    Modules are built on their device rather than on `meta`, so that buffers (windows, filter banks)
    get their values; memory that is never written costs nothing.
    """

    _skipped = frozenset({Tensor.uniform_, Tensor.normal_, nn.init.kaiming_uniform_})

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run every function except those that draw random numbers."""
        kwargs = kwargs or {}
        if func in self._skipped:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def choose_device(name: str) -> torch.device:
    """Return the device for "auto", "cpu", "cuda", "cuda:1" or "mps".

    Raises:
        ConfigError: no such device on this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(
            f"unknown device '{name}'; known: auto, cpu, cuda, cuda:N, mps"
        ) from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise ConfigError(f"the device '{name}' is not on this machine; use --device cpu or auto")
    return device


def choose_dtype(name: DtypeName, device: torch.device) -> Literal["fp32", "bf16"]:
    """Choose the arithmetic of the U-Net: bf16 if the device is faster in it."""
    if name in ("fp32", "bf16"):
        return name
    if name != "auto":
        raise ConfigError(f"unknown dtype '{name}'; known: auto, fp32, bf16")
    return "bf16" if is_faster_in_bf16(device) else "fp32"


def is_faster_in_bf16(device: torch.device) -> bool:
    """Return whether a device multiplies matrices faster in bf16 than in fp32.

    The choice depends on the processor, not on a timing, so that a seed always gives the same
    bytes. In measurements, processors with bf16 instructions reached three times the speed of fp32,
    but Intel's without AMX half of it (90 against 186 GFLOP/s on two cores).
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    has = torch.cpu.get_capabilities()
    intel = "intel" in str(has.get("cpu_name", "")).lower()
    return bool(has.get("amx_bf16") or (has.get("avx512_bf16") and not intel))


def with_quality(config: ModelConfig, quality: QualityName) -> ModelConfig:
    """Return the configuration with fewer or more iterations of the decoder's phase refinement.

    Raises:
        ConfigError: no such quality, or the decoder has no phase refinement.
    """
    if quality not in QUALITY_FACTORS:
        raise ConfigError(f"unknown quality '{quality}'; known: {', '.join(QUALITY_FACTORS)}")
    if quality == "normal":
        return config
    autoencoder = config.autoencoder
    if not isinstance(autoencoder, SpectralConfig) or not autoencoder.refinements:
        raise ConfigError(
            f"the decoder of '{config.name}' refines no phase, so it has no '{quality}' quality;"
            " leave the quality out"
        )
    rounds = max(1, round(autoencoder.refinements * QUALITY_FACTORS[quality]))
    return dataclasses.replace(
        config, autoencoder=dataclasses.replace(autoencoder, refinements=rounds)
    )


def load_networks(
    config: ModelConfig,
    tensors: dict[str, dict[str, Tensor]],
    folder: Path,
    device: torch.device,
    dtype: Literal["fp32", "bf16"],
    *,
    change_unet: Callable[[UNet1d], None] = lambda unet: None,
    text_encoder: TextEncoder | None = None,
) -> Networks:
    """Build the networks of a weight set on its tensors, without a copy.

    Args:
        config: configuration of the weight set.
        tensors: tensors of each module.
        folder: folder of the weight set.
        device: device of the networks.
        dtype: arithmetic of the U-Net.
        change_unet: called with the loaded U-Net in float32, such as for LoRA files.
        text_encoder: replaces the text encoder of the folder, on the device where it is.

    Raises:
        CheckpointError: tensors are missing, unexpected or of the wrong shape, or the networks
            cannot be built.
    """
    try:
        with _SkipRandomNumbers():
            autoencoder = build_autoencoder(config.autoencoder)
            whitening = Whitening(config.whitening)
            unet = UNet1d(config.unet)
            control_networks = _control_networks(config)
            Schedule(config.diffusion)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder}/config.json describes networks that cannot be built"
            f" ({' '.join(str(error).split())[:200]}); get the weight set again"
        ) from error
    load_into(autoencoder, tensors["autoencoder"], f"{folder}/autoencoder.safetensors")
    load_into(whitening, tensors["whitening"], f"{folder}/autoencoder.safetensors")
    load_into(unet, tensors["unet"], f"{folder}/unet.safetensors")
    distilled = None
    if config.generation.distilled_steps:
        distilled = _distilled(unet, tensors["distilled"], f"{folder}/distilled.safetensors")
        change_unet(distilled)
    change_unet(unet)
    text_encoder = text_encoder or _placed(TextEncoder.load(config.text, folder), device)
    load_into(text_encoder, tensors.get("conditioning", {}), f"{folder}/unet.safetensors")
    for name, module in control_networks.items():
        load_into(module, tensors.get(name, {}), f"{folder}/unet.safetensors ({name})")
    return _ready(
        config, autoencoder, whitening, unet, text_encoder, control_networks, device, dtype,
        distilled,
    )  # fmt: skip


def random_networks(
    config: ModelConfig, seed: int, device: torch.device, dtype: Literal["fp32", "bf16"]
) -> Networks:
    """Build networks with seeded random weights, also in zero-initialised layers."""
    with torch.random.fork_rng(devices=[]), fixed_threads(1):
        torch.manual_seed(seed)
        autoencoder = build_autoencoder(config.autoencoder)
        whitening = Whitening(config.whitening)
        unet = UNet1d(config.unet)
        with torch.no_grad():
            for parameter in unet.parameters():
                if parameter.ndim > 1 and not parameter.any():
                    parameter.normal_(std=0.02)
        text = dataclasses.replace(config.text, revision=None)
        text_encoder = _placed(TextEncoder.random(text), device)
        control_networks = _control_networks(config)
    return _ready(
        config, autoencoder, whitening, unet, text_encoder, control_networks, device, dtype
    )


@contextlib.contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Let torch compute with so many threads of the CPU; 0: with as many as it would.

    The last bits of a result depend on their number.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _distilled(unet: UNet1d, changes: dict[str, Tensor], what: str) -> UNet1d:
    """Return a copy of a U-Net with changes of its weights."""
    changed = copy.deepcopy(unet)
    first = min((name for name in changes if name.endswith(".down")), default=None)
    rank = 0 if first is None else len(changes[first])
    add_changes(changed, changes, what, rank=rank)
    return changed


def _control_networks(config: ModelConfig) -> dict[str, nn.Module]:
    """Build the networks of `ModelConfig.controls` by their names in weight files."""
    if config.controls is None:
        return {}
    return {
        "prior": ControlPredictor(config.text.features, config.controls),
        "tracker": ControlTracker(config.whitening.components, config.controls),
    }


def _placed(text_encoder: TextEncoder, device: torch.device) -> TextEncoder:
    is_small = text_encoder.num_parameters <= SMALL_TEXT_ENCODER
    return text_encoder if is_small else text_encoder.to(device)


def _ready(
    config: ModelConfig,
    autoencoder: Autoencoder,
    whitening: Whitening,
    unet: UNet1d,
    text_encoder: TextEncoder,
    control_networks: dict[str, nn.Module],
    device: torch.device,
    dtype: Literal["fp32", "bf16"],
    distilled: UNet1d | None = None,
) -> Networks:
    autoencoder.noise_key = environment_key()
    if autoencoder.noise_key and not isinstance(config.autoencoder, SpectralConfig):
        raise ConfigError(
            f"the decoder of '{config.name}' draws no noise phases, so it writes no watermark;"
            f" unset {KEY_VARIABLE}"
        )
    if device.type == "cuda":
        allow_tf32(False)
    unets = [unet] if distilled is None else [unet, distilled]
    for one in unets:
        if device.type == "cuda":
            one.store_channels_last()
        one.eval().requires_grad_(False)
        one.to(device=device, dtype=_DTYPES[dtype])
    for module in (autoencoder, whitening, *control_networks.values()):
        module.eval().requires_grad_(False)
    moved = [module for name, module in control_networks.items() if name != "prior"]
    for module in (autoencoder, whitening, *moved):
        module.to(device)
    axes = config.generation.level_axes
    return Networks(
        autoencoder,
        whitening,
        unet,
        text_encoder,
        control_networks.get("prior"),  # type: ignore[arg-type]
        control_networks.get("tracker"),  # type: ignore[arg-type]
        Schedule(config.diffusion),
        config.diffusion.prediction,
        config.frame_rate,
        device,
        dtype,
        graphed(unet, device),
        torch.tensor(axes, device=device) if axes else None,
        None if distilled is None else graphed(distilled, device),
    )
