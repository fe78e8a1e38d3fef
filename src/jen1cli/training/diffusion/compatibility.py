"""Checks by hash that latents, weights and music of a training match."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from jen1cli import audio
from jen1cli.autoencoder.codec import Codec, load_codec
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.checkpoint import read_description
from jen1cli.config import ModelConfig
from jen1cli.errors import AudioError, ConfigError
from jen1cli.files import make_folder, write_text
from jen1cli.jsonfiles import read_object
from jen1cli.manifest import Clip
from jen1cli.training.autoencoder.frozen import RETRAINED
from jen1cli.training.diffusion.cache import LatentCache, scores_digest
from jen1cli.typed_json import to_dict

SOURCES_NAME = "sources.json"
CHANGE = "low-rank change (--lora or --rank)"
# prefixes of tensors that do not affect the latents
_DECODER = ("decoder", "expand", "envelopes", "frequencies")
_DECODER_SETTINGS = (
    "mask_ratio",
    "mask_granularity",
    "num_decoder_blocks",
    "refinements",
    "envelope_channels",
    "frequency_channels",
)


def encoder_settings(config: ModelConfig) -> dict[str, Any]:
    """Return the settings of an autoencoder that affect its latents, as JSON values."""
    settings = to_dict(config.autoencoder)
    for name in _DECODER_SETTINGS:
        settings.pop(name, None)
    for band in settings.get("bands", ()):
        for name in ("refinement_factor", "kept_bins"):
            band.pop(name, None)
    return settings


def latents_digest(codec: Codec, *, whitened: bool = True) -> str:
    """Return the sha256 of everything that determines the latents of a codec.

    The decoder is left out; for whitened latents also the part of the encoder that
    `train autoencoder --freeze-components` trains. Tensors are rounded to float16, the precision in
    which weight sets may be stored.

    Args:
        codec: autoencoder and whitening.
        whitened: latents of the diffusion model; False: unwhitened latents of the autoencoder.
    """
    settings = encoder_settings(codec.config)
    whitening = codec.config.whitening
    drops = whitened and whitening.components < whitening.latent_channels
    free = RETRAINED if drops and isinstance(codec.autoencoder, SpectralAutoencoder) else ()
    tensors = {
        name: tensor.half()
        for name, tensor in codec.autoencoder.state_dict().items()
        if not name.startswith(_DECODER) and name not in free
    }
    if whitened:
        tensors |= {f"whitening.{n}": t for n, t in codec.whitening.state_dict().items()}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {list(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def music_digest(clips: Sequence[Clip]) -> str:
    """Return one sha256 over audio and captions of clips, independent of their paths.

    Unreadable files are marked as such in the digest; trainings skip them with a warning.
    """
    digest = hashlib.sha256()
    for clip in clips:
        try:
            sound = audio.digest(clip.source)
        except (AudioError, OSError):
            sound = "unreadable"
        words = json.dumps([clip.captions, clip.split, clip.attributes], sort_keys=True)
        digest.update(f"{sound} {words}\n".encode())
    return digest.hexdigest()


def check_latents(
    cache: Path, model: Path, *, whitened: bool = True, remedy: str | None = None
) -> None:
    """Check that a latent cache was written by a model.

    Args:
        cache: folder of latents.
        model: weight set, or result of stage 1.
        whitened: compare the whitening as well; False if it was fitted to the cache's music.
        remedy: advice in the error message; None: write the cache with the model.

    Raises:
        ConfigError: the latents are of another autoencoder or whitening.
    """
    written, wanted = (
        latents_digest(load_codec(folder), whitened=whitened) for folder in (cache, model)
    )
    if written != wanted:
        remedy = remedy or (
            f"write them with: jen1 train latents MUSIC --keep-whitening --model {model}"
        )
        raise ConfigError(f"the latents in {cache} are not those of {model}; {remedy}")


def check_cache(
    cache: Path, model: Path, data: Path | str, clips: Sequence[Clip], *, whitened: bool
) -> None:
    """Check that an existing latent cache equals the one that would be written now.

    Args:
        cache: folder of latents; caches before 0.2 lack the digests of the music and its scores.
        model: model that would write it.
        data: folder of music.
        clips: clips that it would contain.
        whitened: see `check_latents`.

    Raises:
        ConfigError: the latents are of another autoencoder or of other music, or the full scores
            differ.
    """
    remedy = "remove that folder to encode again, or choose another --output"
    check_latents(cache, model, whitened=whitened, remedy=remedy)
    there = LatentCache.open(cache)
    if there.music and there.music != music_digest(clips):
        raise ConfigError(f"the latents in {cache} are not those of the music given; {remedy}")
    if there.music_scores and there.music_scores != scores_digest(data):
        raise ConfigError(f"the full scores in {cache} are not those of {data}; {remedy}")


def check_resumed(
    folder: Path, cache: Path, init: Path | None, change: str = "none", *, resume: bool
) -> None:
    """Record the inputs of a run; for a resumed run, compare them with the recorded ones.

    Args:
        folder: folder of the run; an input that its record does not name, as in older runs, is
            accepted and, but for the change, recorded.
        cache: latents of the run.
        init: initial weight set, if any.
        change: kind and rank of the low-rank change that is trained in place of the weights.
        resume: whether the run is resumed.

    Raises:
        ConfigError: the run began with other inputs.
    """
    sources = {
        "latents": latents_digest(load_codec(cache)),
        "weights (--init or --model)": read_description(init).sha256 if init else "none",
        "full scores": scores_digest(cache),
        CHANGE: change,
    }
    if music := LatentCache.open(cache).music:
        sources["music"] = music
    place = folder / SOURCES_NAME
    begun = read_object(place) if resume and place.is_file() else {}
    for what, digest in sources.items():
        if begun.get(what, digest) != digest:
            raise ConfigError(
                f"the run in {folder} began with other {what}; resume it with what it began with,"
                " or choose another --output"
            )
    if begun and CHANGE not in begun:
        del sources[CHANGE]  # the state alone tells whether it fits
    make_folder(folder)
    write_text(place, json.dumps(sources | begun, indent=1) + "\n")
