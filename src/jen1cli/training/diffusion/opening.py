"""Opens the latents of a training, whatever they are kept in."""

import hashlib
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jen1cli.autoencoder.codec import load_codec
from jen1cli.errors import ConfigError
from jen1cli.files import expand_user
from jen1cli.training.diffusion.compatibility import latents_digest
from jen1cli.training.diffusion.streaming import StreamSources
from jen1cli.training.diffusion.tar_reading import TarCache, is_tar_cache

Weighted = tuple[str, float]


@dataclass(frozen=True)
class OpenedLatents:
    """Latents that a training can read."""

    folder: Path  # folder of a `LatentCache`: all clips, or those that a stream keeps on the disk
    stream: StreamSources | None = None  # where the training clips come from; None: `folder`


@contextmanager
def opened_latents(
    place: str | Path, mix: Sequence[Weighted] = (), *, training_clips: int = 0
) -> Iterator[OpenedLatents]:
    """Open a folder of latents, or latents in tar files.

    Args:
        place: folder; or folder, URL or pattern of latents in tar files (`TarCache.open`).
        mix: further latents in tar files, each with its share; that of `place` is 1.
        training_clips: number of training clips that are copied to the local disk from tar files.

    Raises:
        ConfigError: latents of a mix are not in tar files, or of another autoencoder or whitening;
            or a share is not above 0.
        DataError: latents are missing or incomplete.
    """
    if not is_tar_cache(str(place)):
        if mix:
            raise ConfigError(
                f"--mix adds to latents in tar files, and {place} has none; write them with"
                " 'jen1 train latents --shard 0/1'"
            )
        yield OpenedLatents(expand_user(place))
        return
    sets: list[Weighted] = [(str(place), 1.0), *mix]
    for name, weight in sets:
        if not 0 < weight < math.inf:
            raise ConfigError(f"--mix {name}:{weight:g}: a share is a number above 0")
    caches = tuple(TarCache.open(name) for name, _ in sets)
    stream = StreamSources(caches, tuple(weight for _, weight in sets))
    with tempfile.TemporaryDirectory(prefix="jen1-latents-") as temporary:
        folders = [Path(temporary) / str(number) for number in range(len(caches))]
        for cache, folder in zip(caches, folders, strict=True):
            folder.mkdir()
            cache.write_resident(folder, _digest(stream), training_clips=training_clips)
        digests = [latents_digest(load_codec(folder)) for folder in folders]
        for (name, _), digest in zip(sets, digests, strict=True):
            if digest != digests[0]:
                raise ConfigError(
                    f"the latents in {name} have another autoencoder or whitening than those in"
                    f" {place}; write them with: jen1 train latents MUSIC --keep-whitening"
                    f" --model {place}/codec"
                )
        yield OpenedLatents(folders[0], stream)


def _digest(stream: StreamSources) -> str:
    """Return one sha256 over the music of all sets, the tar files chosen and the shares."""
    sets = [
        [cache.music, [Path(tar.source).name for tar in cache.split("train")], weight]
        for cache, weight in zip(stream.caches, stream.weights, strict=True)
    ]
    return hashlib.sha256(json.dumps(sets).encode()).hexdigest()
