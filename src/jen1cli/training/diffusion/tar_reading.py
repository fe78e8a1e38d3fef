"""Opens latent caches in tar files, of a folder or a URL, and reads their clips.

`index.json` says how many frames each clip of each tar file has. So the order of a whole training
is known before a tar file is read, and no file is read to skip what a resumed run has seen.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from jaxtyping import Float16, Integer

from jen1cli.autoencoder.codec import CONFIG_NAME, TENSORS_NAME
from jen1cli.conditioning.controls.score_channels import ScoreEvents
from jen1cli.errors import ConfigError, DataError, needs_extra
from jen1cli.files import expand_user, write_text
from jen1cli.folders import expand_pattern, is_pattern, is_url, opened_source, read_range
from jen1cli.jsonfiles import parse_object, read_object, to_json
from jen1cli.music.full_score import read_score
from jen1cli.music.score_files import SCORES_NAME
from jen1cli.training.diffusion.cache import (
    CACHE_NAME,
    CLIPS_NAME,
    LATENTS_NAME,
    CachedClip,
)
from jen1cli.training.diffusion.tar_writing import (
    CLIP_SUFFIX,
    CODEC_FOLDER,
    INDEX_NAME,
    INDEX_VERSION,
    LATENT_SUFFIX,
    SCORE_SUFFIX,
)
from jen1cli.typed_json import from_dict

HELD_OUT_CLIPS = 128
"""Held-out clips that are kept on the local disk, for validation and samples."""
_CODEC_FILES = (CONFIG_NAME, TENSORS_NAME, CACHE_NAME)
_PURPOSE = "reading a latent cache in tar files"
_MEMBERS = {CLIP_SUFFIX, LATENT_SUFFIX, SCORE_SUFFIX}


@dataclass(frozen=True)
class Tar:
    """One tar file of a cache."""

    source: str  # path or URL
    frames: Integer[np.ndarray, " clips"]


@dataclass(frozen=True)
class TarClip:
    """One clip with its latents; its `start` is 0."""

    entry: CachedClip
    latent: Float16[np.ndarray, "frames components"]
    score: Mapping[str, Any] | None = None  # its full score, as JSON values

    @cached_property
    def events(self) -> ScoreEvents | None:
        """The full score as arrays, if the clip has one."""
        return None if self.score is None else ScoreEvents.of(read_score(self.score, "the score"))


@dataclass(frozen=True)
class TarCache:
    """An open cache, without its clips."""

    folder: str  # path or URL
    music: str  # digest of its contents
    tars: Mapping[str, tuple[Tar, ...]]  # by split

    @classmethod
    def open(cls, place: str) -> "TarCache":
        """Open a cache.

        Args:
            place: folder or its URL, or a pattern with braces that chooses some of its tar files,
                such as "s3://bucket/cache/train-{00000..00063}.tar".

        Raises:
            DataError: there is none, or its shards are not complete.
            ConfigError: the pattern names other files.
        """
        folder, names = _split_pattern(place)
        if not is_url(folder) and not Path(folder, INDEX_NAME).is_file():
            raise DataError(
                f"{folder} has no {INDEX_NAME}: not every shard of its latents is written; run"
                " the missing ones of 'jen1 train latents --shard'"
            )
        where = f"{folder}/{INDEX_NAME}"
        about = parse_object(read_range(where, _PURPOSE), where)
        if about.get("version") != INDEX_VERSION:
            raise DataError(
                f"{where} is of version {about.get('version')}, this program reads {INDEX_VERSION};"
                " write the latents again with 'jen1 train latents'"
            )
        tars = dict(about["tars"])
        unknown = sorted(set(names or ()) - set(tars))
        if unknown:
            raise ConfigError(f"{place}: {unknown[0]} is not in {where}; check the pattern")
        chosen: dict[str, list[Tar]] = {}
        for name, frames in tars.items():
            split = name.partition("-")[0]
            if names is None or name in names or split != "train":
                tar = Tar(f"{folder}/{name}", np.array(frames, np.int32))
                chosen.setdefault(split, []).append(tar)
        if "train" not in chosen:
            raise DataError(f"{place} has no tar file of training clips; check the pattern")
        return cls(folder, str(about["music"]), {key: tuple(v) for key, v in chosen.items()})

    def split(self, name: str) -> tuple[Tar, ...]:
        """Return the tar files of one split."""
        return self.tars.get(name, ())

    def write_resident(self, folder: Path, music: str, *, training_clips: int = 0) -> None:
        """Write a cache of one piece with a few clips, which `LatentCache.open` reads.

        It has held-out clips for validation and samples, or training clips for the samples if
        nothing is held out; and the autoencoder.

        Args:
            folder: empty local folder.
            music: digest that the cache names as its music.
            training_clips: number of training clips in it.
        """
        for name in _CODEC_FILES:
            source = f"{self.folder}/{CODEC_FOLDER}/{name}"
            (folder / name).write_bytes(read_range(source, _PURPOSE))
        about = read_object(folder / CACHE_NAME)
        write_text(folder / CACHE_NAME, json.dumps(about | {"music": music}))
        held_out = self.split("validation")
        wanted = [("validation", HELD_OUT_CLIPS if held_out else 0)]
        wanted.append(("train", max(training_clips, 0 if held_out else 4)))
        clips = [clip for split, count in wanted for clip in self._spread(split, count)]
        ends = np.cumsum([len(clip.latent) for clip in clips])
        entries = [
            replace(clip.entry, start=int(end) - len(clip.latent))
            for clip, end in zip(clips, ends, strict=True)
        ]
        np.save(folder / LATENTS_NAME, np.concatenate([clip.latent for clip in clips]))
        write_text(folder / CLIPS_NAME, "".join(to_json(asdict(e)) + "\n" for e in entries))
        scores = [
            to_json({"frames": [entry.start], "score": dict(clip.score)}) + "\n"
            for entry, clip in zip(entries, clips, strict=True)
            if clip.score is not None
        ]
        if scores:
            write_text(folder / SCORES_NAME, "".join(scores))

    def _spread(self, split: str, count: int) -> Iterator[TarClip]:
        """Yield up to `count` clips of a split, from tar files over its whole length."""
        tars = self.split(split)
        if not count or not tars:
            return
        needed = min(len(tars), -(-count // max(1, min(len(tar.frames) for tar in tars))))
        chosen = [tars[number * len(tars) // needed] for number in range(needed)]
        yield from islice((clip for tar in chosen for clip in read_tar(tar)), count)


def is_tar_cache(place: str) -> bool:
    """Whether an argument names a cache in tar files, complete or not."""
    if is_url(place) or is_pattern(place):
        return True
    folder = expand_user(place)
    return (folder / INDEX_NAME).is_file() or (folder / "blocks").is_dir()


def read_tar(tar: Tar) -> list[TarClip]:
    """Read all clips of a tar file.

    Raises:
        DataError: it is missing, damaged, or not the one of the index.
    """
    with needs_extra("scale", _PURPOSE):
        from webdataset.tariterators import group_by_keys, tar_file_expander
    try:
        # not webdataset's own opener, which runs URLs that begin with "pipe:" as commands
        with opened_source(tar.source, _PURPOSE) as stream:
            files = tar_file_expander([{"url": tar.source, "stream": stream}])
            clips = [_clip(sample) for sample in group_by_keys(files, suffixes=_MEMBERS)]
    except DataError:
        raise
    except Exception as error:  # any error of a file system, of tar or of NumPy
        raise DataError(
            f"{tar.source} cannot be read ({error}); give it back, and go on with --resume"
        ) from error
    if [len(clip.latent) for clip in clips] != tar.frames.tolist():
        raise DataError(
            f"{tar.source} is not the file of which {INDEX_NAME} beside it tells; write the latents"
            " again with 'jen1 train latents'"
        )
    return clips


def _clip(sample: Mapping[str, Any]) -> TarClip:
    entry = parse_object(sample[CLIP_SUFFIX], CLIP_SUFFIX)
    score = sample.get(SCORE_SUFFIX)
    return TarClip(
        from_dict(CachedClip, entry, CLIP_SUFFIX, complete=False),
        np.load(BytesIO(sample[LATENT_SUFFIX]), allow_pickle=False),
        None if score is None else parse_object(score, SCORE_SUFFIX),
    )


def _split_pattern(place: str) -> tuple[str, set[str] | None]:
    """Return the folder, and the tar files that a pattern names; None: all."""
    if not is_pattern(place):
        return (place if is_url(place) else str(expand_user(place))).rstrip("/"), None
    sources = expand_pattern(place, _PURPOSE)
    folders = {source.rpartition("/")[0] or "." for source in sources}
    if len(folders) > 1:
        raise ConfigError(f"{place} names several folders; add them with --mix")
    return folders.pop(), {PurePosixPath(source).name for source in sources}
