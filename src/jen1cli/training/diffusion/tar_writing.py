"""Writes a latent cache in tar files (WebDataset), in shards that processes share.

    CACHE/train-00003.tar         clips of a split and a block: KEY.json `CachedClip`,
                                  KEY.npy float16 [frames, components], KEY.score.json score, if any
    CACHE/codec/                  autoencoder, whitening and silence, by the first process
    CACHE/blocks/00003.json       frames of the clips of each tar file of a finished block
    CACHE/blocks/settings.json    what all shards must have in common
    CACHE/index.json              all blocks, by the process that finishes the last one
    CACHE/errors.jsonl            clips that could not be read, likewise

Shard k of n has every n-th clip from clip k on. Its block b has the number k + b n. Every file is
written under a temporary name and renamed, so that the same command after `kill -9` writes the
blocks that are missing.
"""

import dataclasses
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from jen1cli.autoencoder import Whitening, WhiteningStatistics
from jen1cli.autoencoder.codec import Codec, load_codec, save_codec, with_level_axes
from jen1cli.errors import ConfigError, DataError, OutputError
from jen1cli.files import (
    add_to_tar,
    encoded,
    explaining,
    make_folder,
    remove_leftovers,
    write_text,
    writing,
)
from jen1cli.jsonfiles import read_object, to_json
from jen1cli.manifest import Clip, home_of
from jen1cli.music.full_score import FullScore
from jen1cli.music.score_files import Place
from jen1cli.shapes import Latent
from jen1cli.shards import Shard
from jen1cli.training.diffusion.cache import (
    CACHE_NAME,
    CACHE_VERSION,
    CachedClip,
    ClipEncoder,
    fits_whitening,
    scores_by_path,
)
from jen1cli.training.diffusion.compatibility import latents_digest
from jen1cli.training.engine.events import Event, OnEvent, Warned, ignore
from jen1cli.training.engine.reading import check_training_clips

INDEX_NAME = "index.json"
INDEX_VERSION = 1
CODEC_FOLDER = "codec"
ERRORS_NAME = "errors.jsonl"
LATENT_SUFFIX, CLIP_SUFFIX, SCORE_SUFFIX = "npy", "json", "score.json"
BLOCK_CLIPS = 256
TAR_BYTES = 128 << 20
"""Size from which a block goes on in a further tar file of the same split."""
WHITENING_CLIPS = 256
"""Training clips, spread over all shards, to which whitening is fitted."""

Line = dict[str, Any]


@dataclass
class _OpenTar:
    name: str
    tar: tarfile.TarFile
    frames: list[int] = field(default_factory=list)  # frames of each clip


class TarCacheWriter:
    """Encodes the clips of one shard into tar files."""

    def __init__(
        self,
        folder: Path,
        codec: Codec,
        device: torch.device,
        shard: Shard,
        *,
        keep_whitening: bool = False,
        augmented: float = 0.0,
        on_event: OnEvent = ignore,
    ) -> None:
        """Keep the settings.

        Args:
            folder: the cache's folder, the same for all shards.
            codec: autoencoder in evaluation mode on `device`, and whitening of the model.
            device: device of the encoder.
            shard: shard of the clips.
            keep_whitening: use the codec's whitening; else fit it to `WHITENING_CLIPS`.
            augmented: share of the training clips with an augmented copy (`augmentation`).
            on_event: called on progress and skipped files.
        """
        self._folder = folder.absolute()
        self._blocks = self._folder / "blocks"
        self._codec = codec
        self._encoder = ClipEncoder(codec.autoencoder, device)
        self._shard = shard
        self._keep_whitening = keep_whitening
        self._augmented = augmented
        self._on_event = on_event

    def write(self, clips: Sequence[Clip], data: Path | str) -> bool:
        """Write the blocks of this shard that are missing.

        Args:
            clips: clips of all shards, in order.
            data: set of music that they are from, whose full scores are taken.

        Returns:
            whether all shards are complete, and the index is written.

        Raises:
            ConfigError: the folder holds something else, or was begun with other settings.
            DataError: no clip is for training, or none of those that whitening needs can be read.
            OutputError: a file cannot be written.
        """
        check_training_clips(clips)
        self._check_folder()
        make_folder(self._blocks)
        self._check_settings(clips, home_of(data))
        mine = self._shard.of(clips)
        scores = scores_by_path(data, {_place(clip) for clip in mine})
        with explaining(self._folder):
            whitening = self._agreed_whitening(clips)
            for position in range(-(-len(mine) // BLOCK_CLIPS)):
                number = self._shard.index + position * self._shard.count
                first = position * BLOCK_CLIPS
                if not self._block(number).is_file():
                    self._write_block(number, mine[first : first + BLOCK_CLIPS], whitening, scores)
            return self._finish(len(clips))

    def _block(self, number: int) -> Path:
        return self._blocks / f"{number:05d}.json"

    def _check_folder(self) -> None:
        there = self._folder
        is_other = there.exists() and (not there.is_dir() or any(there.iterdir()))
        if is_other and not self._blocks.is_dir():
            raise ConfigError(
                f"--output {there} is not empty and no latent cache in shards; choose another"
                " folder"
            )

    def _check_settings(self, clips: Sequence[Clip], home: Path | str) -> None:
        """Compare the settings with those of the other shards, or store them."""
        names = hashlib.sha256()
        for clip in clips:
            name = clip.url.removeprefix(f"{home}/") or os.path.relpath(clip.path, home)
            line = [name, clip.offset, clip.split, clip.captions, clip.attributes]
            names.update(encoded(json.dumps(line, sort_keys=True) + "\n"))
        settings = {
            "version": INDEX_VERSION,
            "number of shards": self._shard.count,
            "model": latents_digest(self._codec, whitened=self._keep_whitening),
            "--keep-whitening": self._keep_whitening,
            "--augmented": self._augmented,
            "music": names.hexdigest(),
        }
        path = self._blocks / "settings.json"
        if not path.is_file():
            with suppress(OutputError):  # another shard's process was first
                write_text(path, to_json(settings) + "\n", overwrite=False)
        there = read_object(path)
        for name, value in settings.items():
            if there.get(name) != value:
                raise ConfigError(
                    f"{self._folder} was begun with another {name}; give what it was begun with, or"
                    " choose another --output"
                )

    def _agreed_whitening(self, clips: Sequence[Clip]) -> Whitening:
        """Return the whitening of all shards; the first process fits and writes it."""
        home = self._folder / CODEC_FOLDER
        if not home.is_dir():
            codec = self._codec
            if not self._keep_whitening:
                whitening = self._fitted(clips).to("cpu").eval()
                codec = with_level_axes(dataclasses.replace(codec, whitening=whitening))
            whitening = codec.whitening.to("cpu").eval()
            about = {
                "version": CACHE_VERSION,
                "silence": self._encoder.silence(whitening).tolist(),
            }
            with tempfile.TemporaryDirectory(prefix=".codec-", dir=self._folder) as temporary:
                new = Path(temporary) / CODEC_FOLDER
                save_codec(new, dataclasses.replace(codec, whitening=whitening))
                write_text(new / CACHE_NAME, json.dumps(about))
                try:
                    os.rename(new, home)
                except OSError:
                    if not home.is_dir():  # else another process was first
                        raise
        return load_codec(home).whitening.eval()

    def _fitted(self, clips: Sequence[Clip]) -> Whitening:
        training = [clip for clip in clips if fits_whitening(clip)]
        stride = -(-len(training) // WHITENING_CLIPS)
        statistics = WhiteningStatistics(self._codec.config.autoencoder.latent_channels)
        for _, latent in self._encoder.encoded(training[::stride], self._on_event):
            statistics.update(latent)
        if not statistics.count:
            raise DataError("none of the training clips could be read; check the warnings above")
        return statistics.fit(self._codec.config.whitening)

    def _write_block(
        self,
        number: int,
        clips: Sequence[Clip],
        whitening: Whitening,
        scores: Mapping[Place, FullScore],
    ) -> None:
        skipped: list[str] = []

        def listen(event: Event) -> None:
            if isinstance(event, Warned):
                skipped.append(event.message)
            self._on_event(event)

        stems = {f"{split}-{number:05d}" for split in {clip.split for clip in clips}}
        remove_leftovers(self._folder, stems)
        tars: list[_OpenTar] = []
        music = hashlib.sha256()
        with ExitStack() as stack:
            found = self._encoder.encoded(
                clips, listen, self._augmented, first=number * BLOCK_CLIPS
            )
            for place, (clip, latent) in enumerate(found):
                values = _npy(whitening, latent)
                entry = CachedClip(
                    0, latent.shape[-1], clip.captions, clip.split, clip.place,
                    clip.attributes, clip.offset,
                )  # fmt: skip
                members = {
                    CLIP_SUFFIX: encoded(to_json(asdict(entry))),
                    LATENT_SUFFIX: values,
                }
                if score := scores.get(_place(clip)):
                    members[SCORE_SUFFIX] = encoded(to_json(asdict(score)))
                into = self._tar_for(clip.split, number, tars, stack)
                for suffix, data in members.items():
                    add_to_tar(into.tar, f"{number:05d}{place:04d}.{suffix}", data)
                    music.update(data)
                into.frames.append(latent.shape[-1])
        about = {
            "tars": {tar.name: tar.frames for tar in tars},
            "music": music.hexdigest(),
            "skipped": skipped,
        }
        write_text(self._block(number), to_json(about) + "\n")

    def _tar_for(self, split: str, number: int, tars: list[_OpenTar], stack: ExitStack) -> _OpenTar:
        """Return the tar file for the next clip of a split, a new one after a full one."""
        of_split = [tar for tar in tars if tar.name.startswith(f"{split}-")]
        if of_split and of_split[-1].tar.offset < TAR_BYTES:
            return of_split[-1]
        more = f"-{len(of_split)}" if of_split else ""
        name = f"{split}-{number:05d}{more}.tar"
        path = stack.enter_context(writing(self._folder / name))
        opened = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - by the stack
        tar = stack.enter_context(opened)
        tars.append(_OpenTar(name, tar))
        return tars[-1]

    def _finish(self, clips: int) -> bool:
        """Write the index if all blocks of all shards are there."""
        count = self._shard.count
        numbers = sorted(
            index + position * count
            for index in range(count)
            for position in range(-(-len(range(index, clips, count)) // BLOCK_CLIPS))
        )
        if not all(self._block(number).is_file() for number in numbers):
            return False
        blocks = [read_object(self._block(number)) for number in numbers]
        tars = {name: frames for block in blocks for name, frames in block["tars"].items()}
        if not any(name.startswith("train-") for name in tars):
            raise DataError("none of the training clips could be read; check the warnings above")
        music = hashlib.sha256("".join(block["music"] for block in blocks).encode())
        errors = [to_json({"error": text}) + "\n" for block in blocks for text in block["skipped"]]
        if errors:
            write_text(self._folder / ERRORS_NAME, "".join(errors))
        about = {"version": INDEX_VERSION, "music": music.hexdigest(), "tars": tars}
        write_text(self._folder / INDEX_NAME, to_json(about) + "\n")
        for left in self._folder.glob(".codec-*"):  # left by killed processes
            shutil.rmtree(left, ignore_errors=True)
        return True


def _place(clip: Clip) -> Place:
    return clip.place, clip.offset


def _npy(whitening: Whitening, latent: Latent) -> bytes:
    """Return whitened latents as the bytes of a NumPy file, float16 [frames, components]."""
    with torch.inference_mode():
        values = whitening.whiten(latent.cpu())[0].T.contiguous().numpy()
    target = io.BytesIO()
    np.save(target, values.astype(np.float16), allow_pickle=False)
    return target.getvalue()
