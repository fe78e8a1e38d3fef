"""Whether latents, weights and music belong together: one check for every training, by hash."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from jen1cli import audio
from jen1cli.autoencoder.spectral import SpectralAutoencoder
from jen1cli.checkpoint import read_description
from jen1cli.config import to_dict
from jen1cli.errors import AudioError, ConfigError
from jen1cli.files import make_folder, write_text
from jen1cli.jsonfiles import read_object
from jen1cli.manifest import Clip
from jen1cli.training.cache import LatentCache
from jen1cli.training.codec import Codec, load_codec
from jen1cli.training.frozen import RETRAINED

SOURCES_NAME = "sources.json"
_DECODER = ("decoder", "expand")  # beginnings of the tensors that do not touch the latents
_DECODER_SETTINGS = ("mask_ratio", "mask_granularity", "num_decoder_blocks", "refinements")


def latents_digest(codec: Codec, *, whitened: bool = True) -> str:
    """Return the sha256 of everything that decides what latents a codec writes.

    The decoder is no part of it. Of whitened latents neither are the layers that
    `train autoencoder --freeze-components` changes in what whitening drops. Tensors count in the
    float16 that weight sets may be stored in.

    Args:
        codec: autoencoder and whitening.
        whitened: of the latents that the diffusion model sees; False: of the autoencoder's own.
    """
    settings = to_dict(codec.config.autoencoder)
    for name in _DECODER_SETTINGS:
        settings.pop(name, None)
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
    """Return one sha256 of the sound and the words of clips, wherever they lie.

    A file that cannot be read counts as such; the trainings skip it with a warning.
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
    """Refuse a latent cache that a model did not write.

    Args:
        cache: folder of latents.
        model: weight set, or result of stage 1.
        whitened: compare the whitening as well; False where it was fitted to the cache's music.
        remedy: what to do; None: write the cache with the model.

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


def check_cache(cache: Path, model: Path, clips: Sequence[Clip], *, whitened: bool) -> None:
    """Refuse a latent cache to be used again that would be written otherwise now.

    Args:
        cache: folder of latents; one of before 0.2 does not say of what music it is.
        model: that would write it.
        clips: that it would hold.
        whitened: as in `check_latents`.

    Raises:
        ConfigError: the latents are of another autoencoder, or of other music.
    """
    remedy = "remove that folder to encode again, or choose another --output"
    check_latents(cache, model, whitened=whitened, remedy=remedy)
    music = LatentCache.open(cache).music
    if music and music != music_digest(clips):
        raise ConfigError(f"the latents in {cache} are not those of the music given; {remedy}")


def check_resumed(folder: Path, cache: Path, init: Path | None, *, resume: bool) -> None:
    """Note what a run begins with, or compare that with what a resumed run began with.

    Args:
        folder: of the run; a run of before 0.2 has noted nothing and passes.
        cache: its latents.
        init: weight set that it starts from, if any.
        resume: whether the run goes on.

    Raises:
        ConfigError: the run began with something else.
    """
    sources = {
        "latents": latents_digest(load_codec(cache)),
        "weights (--init or --model)": read_description(init).sha256 if init else "none",
    }
    place = folder / SOURCES_NAME
    if not resume:
        make_folder(folder)
        write_text(place, json.dumps(sources, indent=1) + "\n")
        return
    begun = read_object(place) if place.is_file() else sources
    for what, digest in sources.items():
        if begun.get(what) != digest:
            raise ConfigError(
                f"the run in {folder} began with other {what}; resume it with what it began with,"
                " or choose another --output"
            )
