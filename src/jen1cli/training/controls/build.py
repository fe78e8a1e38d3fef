"""Build the training of the control networks from a latent cache."""

from pathlib import Path

from accelerate import Accelerator

from jen1cli.autoencoder.codec import load_codec
from jen1cli.checkpoint import load_weight_set
from jen1cli.conditioning import TextEncoder
from jen1cli.errors import DataError
from jen1cli.music.controls import controls_of
from jen1cli.training.controls.stage import ControlsParts, ControlsStage
from jen1cli.training.diffusion.cache import LatentCache
from jen1cli.training.diffusion.compatibility import check_latents
from jen1cli.training.diffusion.texts import TextCache
from jen1cli.training.diffusion.weights import ControlsWriter, ControlTensors
from jen1cli.training.recipes import ControlsTrainingConfig


def build_controls(
    cache: Path,
    init: Path,
    hyperparameters: ControlsTrainingConfig,
    accelerator: Accelerator,
    *,
    seed: int = 0,
) -> ControlsStage:
    """Build the training of the control networks.

    Args:
        cache: latents written by the autoencoder and whitening of `init`.
        init: weight set to which they are added; its own control networks are the initial weights.
        hyperparameters: the training's hyperparameters.
        accelerator: accelerator of this process.
        seed: seed of the weights and of every random draw.

    Raises:
        ConfigError: the cache was written by another autoencoder.
        DataError: the cache is incomplete, or none of its clips has a tempo.
    """
    latents = LatentCache.open(cache)
    config, tensors = load_weight_set(init)
    codec = load_codec(cache)
    check_latents(cache, init)
    if not has_tempi(latents):
        raise DataError(
            f"no clip of {cache} has a tempo; give 'bpm', 'meter', 'key' and 'mode' as attributes"
        )
    encoder = TextEncoder.load(config.text, init).to(accelerator.device)
    initial = (
        ControlTensors(config.controls, tensors["prior"], tensors["tracker"])
        if config.controls
        else None
    )
    parts = ControlsParts(config, codec, latents, TextCache(encoder), ControlsWriter(init), initial)
    return ControlsStage(parts, hyperparameters, accelerator, seed=seed)


def has_tempi(cache: LatentCache) -> bool:
    """Return whether a training clip has a tempo, which the training requires."""
    return any(controls_of(clip.attributes).bpm for clip in cache.split("train"))
