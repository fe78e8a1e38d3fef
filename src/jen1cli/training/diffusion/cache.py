"""The latent cache: the clips of a folder, encoded and whitened once, and memory-mapped.

A cache is a folder. `latents.npy` contains the concatenated frames of all clips as float16
[frames, components]; `clips.jsonl` the position and captions of each clip; `scores.jsonl` the full
scores, each with the first frames of the clips (the clip itself and its augmented copy) that play
it; `config.json` and `autoencoder.safetensors` the model that wrote it, so that stage 2 needs no
other input. `cache.json` is written last: a folder without it is no cache.
"""

import dataclasses
import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tokenize import TokenError  # NumPy's, of a damaged header
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float16
from numpy.lib.format import open_memmap
from torch import Tensor

from jen1cli.autoencoder import Autoencoder, Whitening, WhiteningStatistics
from jen1cli.autoencoder.codec import Codec, save_codec, with_level_axes
from jen1cli.config import ModelConfig
from jen1cli.errors import ConfigError, DataError
from jen1cli.files import explaining, make_folder, reserve, write_text, writing
from jen1cli.folders import list_url, read_range
from jen1cli.jsonfiles import parse_object, read_lines, read_object, to_json
from jen1cli.manifest import Clip, home_of
from jen1cli.music.full_score import FullScore
from jen1cli.music.score_files import SCORES_NAME, Place, read_scores
from jen1cli.shapes import Latent
from jen1cli.training.engine.augmentation import augment
from jen1cli.training.engine.events import OnEvent, Prepared, Warned, ignore
from jen1cli.training.engine.reading import check_training_clips, read_waveforms
from jen1cli.typed_json import from_dict

LATENTS_NAME = "latents.npy"
CLIPS_NAME = "clips.jsonl"
CACHE_NAME = "cache.json"
CACHE_VERSION = 1
NO_CAPTIONS = ("",)
"""Captions of augmented copies: the null text."""
_SCORES_PURPOSE = "reading scores from a URL"


@dataclass(frozen=True)
class CachedClip:
    """Position of a clip's frames in the table, and its metadata."""

    start: int  # first frame in the table
    frames: int
    captions: tuple[str, ...]
    split: str
    audio: str  # path of the audio file it came from
    attributes: dict[str, Any] = field(default_factory=dict)
    offset: int = 0  # byte where the clip begins in that file


@dataclass(frozen=True)
class LatentCache:
    """An open cache."""

    folder: Path
    table: Float16[np.ndarray, "frames components"]  # memory-mapped
    silence: Tensor  # [components], the latent of digital silence, which pads short clips
    clips: tuple[CachedClip, ...]
    music: str = ""  # digest of the clips; "" in caches before 0.2
    music_scores: str = ""  # `scores_digest` of the music; "" in caches that do not record it

    @classmethod
    def open(cls, folder: Path) -> "LatentCache":
        """Open a cache folder.

        Raises:
            DataError: the folder is not a complete cache of this version.
        """
        try:
            about = read_object(folder / CACHE_NAME)
            if about.get("version") != CACHE_VERSION:
                raise DataError(
                    f"{folder} is a latent cache of version {about.get('version')}, this program"
                    f" reads {CACHE_VERSION}; make it again with 'jen1 train latents'"
                )
            silence = torch.tensor(about.get("silence"), dtype=torch.float32)
            clips = tuple(
                from_dict(CachedClip, parse_object(text, where), where, complete=False)
                for where, text in read_lines(folder / CLIPS_NAME)
            )
            table = np.load(folder / LATENTS_NAME, mmap_mode="r")
        except (
            OSError,
            ValueError,
            TypeError,
            RuntimeError,
            EOFError,
            TokenError,
            ConfigError,
        ) as error:
            raise DataError(
                f"{folder} is not a complete latent cache ({error}); make one with"
                " 'jen1 train latents'"
            ) from error
        digests = (str(about.get(name, "")) for name in ("music", "music_scores"))
        return cls(folder, table, silence, clips, *digests)

    def split(self, name: str) -> tuple[CachedClip, ...]:
        """Return the clips of one split."""
        return tuple(clip for clip in self.clips if clip.split == name)


def scores_digest(folder: Path | str) -> str:
    """Return the sha256 of the `scores.jsonl` of a set of music or of a cache, or "none"."""
    home = home_of(folder)
    if isinstance(home, str):
        data = _scores_of_url(home)
        return hashlib.sha256(data).hexdigest() if data else "none"
    path = home / SCORES_NAME
    if not path.is_file():
        return "none"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ClipEncoder:
    """Encodes clips one after the other."""

    def __init__(self, autoencoder: Autoencoder, device: torch.device) -> None:
        """Keep an autoencoder that is in evaluation mode on `device`."""
        self.autoencoder = autoencoder
        self._device = device

    def encoded(
        self, clips: Sequence[Clip], on_event: OnEvent, augmented: float = 0.0, *, first: int = 0
    ) -> Iterator[tuple[Clip, Latent]]:
        """Yield readable clips and their unwhitened latents, [1, channels, frames].

        Args:
            clips: in order; unreadable ones are reported and skipped.
            on_event: called on progress and skipped files.
            augmented: share of the training clips that an augmented copy follows.
            first: number of the first clip, from which augmentation is drawn.
        """
        rate, channels = self.autoencoder.sample_rate, self.autoencoder.audio_channels
        done = 0
        for clip, waveform in read_waveforms(clips, rate, channels, on_event):
            rng = np.random.default_rng((first + done, 5))
            latent = self._encode(waveform)
            done += 1
            if not torch.isfinite(latent).all():
                on_event(Warned(f"skipped {clip.place}: its latent is not finite"))
                continue
            on_event(Prepared("encoding clips", done, len(clips)))
            yield clip, latent
            if clip.split == "train" and rng.random() < augmented:
                other = torch.from_numpy(augment(waveform.numpy(), rate, rng))
                yield dataclasses.replace(clip, captions=NO_CAPTIONS), self._encode(other)

    def _encode(self, waveform: Tensor) -> Latent:
        with torch.inference_mode():
            blocks = waveform[None].to(self._device).split(self.autoencoder.sample_rate * 30, -1)
            return torch.cat(list(self.autoencoder.encode_stream(blocks)), dim=-1).float()

    def silence(self, whitening: Whitening) -> Float[Tensor, " components"]:
        """Return the whitened latent of digital silence."""
        with torch.inference_mode():
            seconds = torch.zeros(1, self.autoencoder.audio_channels, self.autoencoder.sample_rate)
            latent = self.autoencoder.encode(seconds.to(self._device)).float().cpu()
            return whitening.whiten(latent)[0, :, latent.shape[-1] // 2]


def fits_whitening(clip: Clip) -> bool:
    """Whether whitening is fitted to a clip: to training clips that are no augmented copies."""
    return clip.split == "train" and clip.captions != NO_CAPTIONS


class CacheWriter:
    """Encodes clips into a cache folder, then whitens the latents."""

    def __init__(self, folder: Path, autoencoder: Autoencoder, device: torch.device) -> None:
        """Prepare the folder.

        Args:
            folder: created if missing; an existing cache is replaced.
            autoencoder: in evaluation mode on `device`.
            device: device of the encoder.
        """
        self._folder = folder
        self._encoder = ClipEncoder(autoencoder, device)
        make_folder(folder)
        (folder / CACHE_NAME).unlink(missing_ok=True)
        self._raw_path = folder / "raw.partial"

    def write(
        self,
        clips: Sequence[Clip],
        config: ModelConfig,
        whitening: Whitening | None = None,
        on_event: OnEvent = ignore,
        *,
        augmented: float = 0.0,
        music: str = "",
        data: Path | str | None = None,
    ) -> Whitening:
        """Encode all clips and write the cache.

        Args:
            clips: clips of all splits; unreadable files are reported and skipped.
            config: configuration of the model.
            whitening: whitening of existing weights, for fine-tuning; None fits one to the
                training clips.
            on_event: called on progress and skipped files.
            augmented: share of the training clips with an augmented copy. Copies have no captions,
                since captions describe the original sound.
            music: digest of the clips (`compatibility.music_digest`), kept for later checks.
            data: set of music whose full scores are copied; None: no scores.

        Returns:
            the whitening of the cache.

        Raises:
            DataError: no clip is for training, none of those could be read, or the file of scores
                is damaged.
        """
        check_training_clips(clips)
        is_given = whitening is not None
        scores = {} if data is None else scores_by_path(data)
        about = {"music": music, "music_scores": "none" if data is None else scores_digest(data)}
        with explaining(self._folder):
            try:
                entries, statistics = self._encode_all(clips, config, on_event, augmented)
                whitening = (whitening or statistics.fit(config.whitening)).to("cpu").eval()
                silence = self._whiten(entries, whitening, config)
            finally:
                self._raw_path.unlink(missing_ok=True)
            lines = (to_json(entry.__dict__) for entry in entries)
            write_text(self._folder / CLIPS_NAME, "\n".join(lines) + "\n")
            copy_scores(scores, self._folder, entries)
        codec = Codec(config, self._encoder.autoencoder, whitening)
        save_codec(self._folder, codec if is_given else with_level_axes(codec))
        about |= {"version": CACHE_VERSION, "silence": silence.tolist()}
        write_text(self._folder / CACHE_NAME, json.dumps(about))
        return whitening

    def _encode_all(
        self, clips: Sequence[Clip], config: ModelConfig, on_event: OnEvent, augmented: float
    ) -> tuple[list[CachedClip], WhiteningStatistics]:
        """Write the unwhitened latents of all clips; accumulate statistics for whitening."""
        statistics = WhiteningStatistics(config.autoencoder.latent_channels)
        entries: list[CachedClip] = []
        with self._raw_path.open("wb") as raw:
            for clip, latent in self._encoder.encoded(clips, on_event, augmented):
                frames = latent.shape[-1]
                start = entries[-1].start + entries[-1].frames if entries else 0
                entries.append(
                    CachedClip(start, frames, clip.captions, clip.split, clip.place,
                               clip.attributes, clip.offset)
                )  # fmt: skip
                if fits_whitening(clip):
                    statistics.update(latent)
                raw.write(latent[0].T.contiguous().cpu().numpy().tobytes())
        if not any(entry.split == "train" for entry in entries):
            raise DataError("none of the training clips could be read; check the warnings above")
        return entries, statistics

    def _whiten(
        self, entries: Sequence[CachedClip], whitening: Whitening, config: ModelConfig
    ) -> Tensor:
        """Write the whitened latents; return that of silence, [components]."""
        frames = entries[-1].start + entries[-1].frames
        channels = config.autoencoder.latent_channels
        raw = np.memmap(self._raw_path, np.float32, "r", shape=(frames, channels))
        with writing(self._folder / LATENTS_NAME) as path:
            table = open_memmap(path, "w+", np.float16, (frames, config.whitening.components))
            with path.open("r+b") as file:
                reserve(file.fileno(), path.stat().st_size)
            for piece in _pieces(frames, 65_536):
                latent = torch.from_numpy(np.array(raw[piece])).T[None]
                table[piece] = whitening.whiten(latent)[0].T.numpy().astype(np.float16)
            table.flush()
            del raw, table
        return self._encoder.silence(whitening)


def scores_by_path(
    data: Path | str, wanted: Container[Place] | None = None
) -> dict[Place, FullScore]:
    """Return the scores of a set of music, by `Clip.place` and byte offset.

    Args:
        data: folder, URL or pattern of music.
        wanted: clips whose scores are returned; None: all.
    """
    home = home_of(data)
    name = f"{home}/{SCORES_NAME}"
    source = _scores_of_url(home) if isinstance(home, str) else home / SCORES_NAME
    scores = (
        ((f"{home}/{audio}" if isinstance(home, str) else str(home / audio), offset), score)
        for (audio, offset), score in read_scores(source, name)
    )
    return {place: score for place, score in scores if wanted is None or place in wanted}


def _scores_of_url(folder: str) -> bytes:
    """Return the scores beside music at a URL; empty without any."""
    if SCORES_NAME not in list_url(folder, _SCORES_PURPOSE):
        return b""
    return read_range(f"{folder}/{SCORES_NAME}", _SCORES_PURPOSE)


def copy_scores(
    scores: Mapping[Place, FullScore], folder: Path, clips: Sequence[CachedClip]
) -> None:
    """Write the scores of cached clips into the folder of the cache; without any, no file is left.

    Args:
        scores: the music's scores, by the absolute path of the audio file.
        folder: the cache's folder.
        clips: all clips of the cache.
    """
    frames: dict[Place, list[int]] = {}
    for clip in clips:
        frames.setdefault((clip.audio, clip.offset), []).append(clip.start)
    lines = [
        to_json({"frames": frames[place], "score": dataclasses.asdict(score)}) + "\n"
        for place, score in scores.items()
        if place in frames
    ]
    if lines:
        write_text(folder / SCORES_NAME, "".join(lines))
    else:
        (folder / SCORES_NAME).unlink(missing_ok=True)


def _pieces(total: int, size: int) -> Iterable[slice]:
    return (slice(start, min(start + size, total)) for start in range(0, total, size))
