"""From folders to trainers: what the command line and `python -m jen1cli.training` call."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn

from jen1cli.checkpoint import TEXT_ENCODER_FOLDER, load_into, load_weight_set
from jen1cli.conditioning import TextEncoder
from jen1cli.config import ModelConfig, TextConfig
from jen1cli.errors import ConfigError, DataError
from jen1cli.manifest import Clip, read_folder
from jen1cli.training.cache import CacheWriter, LatentCache
from jen1cli.training.codec import Codec, load_codec
from jen1cli.training.diffusion import DiffusionParts, DiffusionStage
from jen1cli.training.events import Listener, Warned, ignore
from jen1cli.training.objective import Objective
from jen1cli.training.optimisation import mixed_precision
from jen1cli.training.recipes import DiffusionRecipe, Optimisation
from jen1cli.training.samples import SampleWriter
from jen1cli.training.texts import TextCache
from jen1cli.training.weights import WeightWriter
from jen1cli.unet import UNet1d

SAMPLE_PROMPTS = 4


@dataclass(frozen=True)
class DiffusionSources:
    """Where stage 2 takes its parts from."""

    cache: Path
    text_encoder: Path | None = None  # folder; None: of `init`, or the hub's
    init: Path | None = None  # weight set to continue from; None: random weights
    prompts: Sequence[str] = ()  # of the samples; empty: captions of held-out clips


def build_accelerator(optimisation: Optimisation, *, device: str = "auto") -> Accelerator:
    """Build accelerate's state for this process; `device` "cpu" forces the processor."""
    cpu = device == "cpu" or not torch.cuda.is_available()
    kind = torch.device("cpu" if cpu else "cuda")
    return Accelerator(cpu=cpu, mixed_precision=mixed_precision(optimisation, kind))


def read_clips(data: Path, listener: Listener) -> list[Clip]:
    """Read a folder of music; files that cannot be used are named to the listener.

    Raises:
        DataError: nothing in it can be used.
    """

    def skipped(path: Path, reason: str) -> None:
        listener(Warned(f"skipped {path.name}: {reason}"))

    return read_folder(data, on_skip=skipped)


def write_latents(
    data: Path,
    codec_folder: Path,
    folder: Path,
    *,
    keep_whitening: bool = False,
    device: str = "auto",
    listener: Listener = ignore,
) -> LatentCache:
    """Encode every clip of a folder of music into a latent cache.

    Args:
        data: folder of music, with or without a manifest.
        codec_folder: result of stage 1, or a weight set.
        folder: of the cache.
        keep_whitening: use the codec's whitening, for fine-tuning; else fit it to this music.
        device: "auto", "cpu" or "cuda".
        listener: told about progress and skipped files.
    """
    codec = load_codec(codec_folder)
    place = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    writer = CacheWriter(folder, codec.autoencoder.to(place), place)
    whitening = codec.whitening if keep_whitening else None
    writer.write(read_clips(data, listener), codec.config, whitening, listener)
    return LatentCache.open(folder)


def build_diffusion(
    sources: DiffusionSources,
    recipe: DiffusionRecipe,
    accelerator: Accelerator,
    *,
    config: ModelConfig | None = None,
    seed: int = 0,
) -> DiffusionStage:
    """Build stage 2.

    Args:
        sources: cache, text encoder, weights to continue from.
        recipe: of the training.
        accelerator: of this process.
        config: preset whose U-Net, text and diffusion settings replace the cache's; None keeps
            them. Its autoencoder must be the cache's.
        seed: of the weights and of every random draw.

    Raises:
        ConfigError: cache, preset and initial weights do not fit each other.
        DataError: the cache is incomplete.
    """
    cache = LatentCache.open(sources.cache)
    codec = load_codec(sources.cache)
    if config is not None:
        codec = dataclasses.replace(codec, config=_adapted(config, codec.config))
    config = codec.config
    torch.manual_seed(seed)
    encoder, text_folder = _text_encoder(sources, config.text)
    encoder = encoder.to(accelerator.device)
    unet = UNet1d(config.unet)
    if sources.init is not None:
        _start_from(unet, config, sources.init)
    unet.checkpointing = recipe.optimisation.checkpointing
    null_text = encoder.null(1)[0] if config.text.null_prompt == "learned" else None
    objective = Objective(unet, config.diffusion, recipe, null_text)
    texts = TextCache(encoder)
    codec.autoencoder.to(accelerator.device)
    codec.whitening.to(accelerator.device)
    parts = DiffusionParts(
        config=config,
        objective=objective,
        cache=cache,
        texts=texts,
        weights=WeightWriter(codec, text_folder),
        samples=_samples(codec, cache, texts, sources.prompts),
    )
    return DiffusionStage(parts, recipe, accelerator, seed=seed)


def _adapted(config: ModelConfig, of_cache: ModelConfig) -> ModelConfig:
    if config.autoencoder != of_cache.autoencoder:
        raise ConfigError(
            f"the cache was written by another autoencoder than that of '{config.name}';"
            " run 'jen1 train latents' with the right one"
        )
    components = of_cache.whitening.components
    return dataclasses.replace(
        config,
        whitening=of_cache.whitening,
        unet=dataclasses.replace(config.unet, latent_channels=components),
        provenance=of_cache.provenance,
    )


def _text_encoder(sources: DiffusionSources, config: TextConfig) -> tuple[TextEncoder, Path | None]:
    if config.revision is not None:
        return TextEncoder.from_hub(config), None
    folder = sources.text_encoder
    if folder is None and sources.init is not None:
        folder = sources.init / TEXT_ENCODER_FOLDER
    if folder is None or not folder.is_dir():
        raise ConfigError(
            f"no text encoder was given ({folder}); name its folder with --text-encoder, such as"
            " the text_encoder folder of a weight set"
        )
    return TextEncoder.from_folder(folder, config), folder


def _start_from(unet: nn.Module, config: ModelConfig, folder: Path) -> None:
    initial, tensors = load_weight_set(folder)
    if initial.autoencoder != config.autoencoder:
        raise ConfigError(
            f"{folder} has another autoencoder than the cache; write the cache with it:"
            f" jen1 train latents --model {folder}"
        )
    load_into(unet, tensors["unet"], str(folder))


def _samples(
    codec: Codec, cache: LatentCache, texts: TextCache, prompts: Sequence[str]
) -> SampleWriter:
    held_out = cache.split("validation") or cache.split("train")
    if not held_out:
        raise DataError(f"{cache.folder} holds no clips; write it again")
    stride = max(1, len(held_out) // SAMPLE_PROMPTS)
    chosen = list(prompts) or [c.captions[0] for c in held_out[::stride][:SAMPLE_PROMPTS]]
    return SampleWriter(
        codec.config, codec.autoencoder, codec.whitening, texts, chosen, held_out[0]
    )


def describe(stage: DiffusionStage) -> Mapping[str, float]:
    """Return what `--dry-run` shows: parameters, memory in MB, windows and steps of an epoch."""
    parameters = sum(p.numel() for p in stage.objective.parameters())
    windows = stage.sampler.epoch_windows
    return {
        "parameters": parameters,
        # weights, gradients, two moments and the average, 4 bytes each
        "memory for weights and optimiser (MB)": parameters * 4 * 5 / 1e6,
        "windows per epoch": windows,
        "steps per epoch": windows / stage.batch_size,
        "frames per window": stage.frames,
    }
