"""`Jen1`: text to music, inpainting and continuation with one model."""

import dataclasses
import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

import torch

from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.checkpoint import load_weight_set, read_description
from jen1cli.config import ModelConfig, QualityName
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.pipeline import gain_matching, replay
from jen1cli.pipeline.coding import decode_latent, encode_source
from jen1cli.pipeline.denoising import seeded
from jen1cli.pipeline.editing import edit
from jen1cli.pipeline.generating import make_pieces
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.loras import apply_loras
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.networks import (
    DtypeName,
    Networks,
    choose_device,
    choose_dtype,
    load_networks,
    random_networks,
    with_quality,
)
from jen1cli.pipeline.replay import describe_input, record
from jen1cli.pipeline.sources import Input, as_source, mask_spans
from jen1cli.pipeline.timeline import Timeline
from jen1cli.pipeline.windows import Span
from jen1cli.presets import preset
from jen1cli.progress import Progress
from jen1cli.recipe import DirectionName, Recipe, RecipeLora, RecipeModel
from jen1cli.sampling import Sampling, SamplingOptions
from jen1cli.unet import UNet1d
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

logger = logging.getLogger(__name__)


class Jen1:
    """A loaded model.

    Attributes:
        config: of the weight set.
        sha256: over all files of the weight set; for random weights, what names them.
        former_sha256: digests that older versions gave to the weight set.
        networks: its parts.
        quality: of the decoder.
        recipe_model: what recipes say of it: name, sha256 and LoRA files.
    """

    def __init__(
        self,
        config: ModelConfig,
        networks: Networks,
        *,
        sha256: str,
        autoencoder_sha256: str,
        loras: tuple[RecipeLora, ...] = (),
        former_sha256: frozenset[str] = frozenset(),
        quality: QualityName = "normal",
    ) -> None:
        self.config = config
        self.networks = networks
        self.sha256 = sha256
        self.former_sha256 = former_sha256
        self.quality: QualityName = quality
        self.recipe_model = RecipeModel(config.name, sha256, loras, config.release)
        self._autoencoder_sha256 = autoencoder_sha256

    @classmethod
    def load(
        cls,
        name_or_folder: str | Path = DEFAULT_WEIGHTS,
        *,
        device: str = "auto",
        dtype: DtypeName = "auto",
        loras: Mapping[str | Path, float] | None = None,
        quality: QualityName = "normal",
    ) -> "Jen1":
        """Load a weight set by name or folder.

        Args:
            name_or_folder: as `jen1cli.weightsets.find_weights` takes it.
            device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps".
            dtype: "fp32", "bf16", or "auto": bf16 where the device is faster in it.
            loras: files of `jen1 train finetune --lora` with their strengths; 1 is as trained.
            quality: of the decoder: "draft" and "best" refine the phase a quarter and three times
                as often as "normal", which is the weight set's own.

        Raises:
            CheckpointError: there is no such weight set, it is damaged, or a LoRA does not fit it.
            ConfigError: the device is not there, or the decoder has no such quality.
        """
        place = choose_device(device)
        folder = find_weights(name_or_folder).folder
        config, tensors = load_weight_set(folder)
        description = read_description(folder)
        applied: list[RecipeLora] = []

        def change(unet: UNet1d) -> None:
            applied.extend(apply_loras(unet, loras or {}, description))

        networks = load_networks(
            with_quality(config, quality),
            tensors,
            folder,
            place,
            choose_dtype(dtype, place),
            change_unet=change,
        )
        return cls(
            config,
            networks,
            sha256=description.sha256,
            autoencoder_sha256=description.hashes["autoencoder.safetensors"],
            loras=tuple(applied),
            former_sha256=description.former_sha256,
            quality=quality,
        )

    @classmethod
    def from_preset(
        cls,
        name: str,
        *,
        random_weights: bool = False,
        seed: int = 0,
        device: str = "auto",
        dtype: DtypeName = "auto",
        quality: QualityName = "normal",
    ) -> "Jen1":
        """Build a preset with random weights: for tests and for measuring speed; it makes noise.

        Raises:
            ConfigError: no such preset, or random weights were not asked for.
        """
        config = preset(name)
        if not random_weights:
            raise ConfigError(
                f"the preset '{name}' has no weights of its own; load a weight set,"
                " or ask for random_weights"
            )
        place = choose_device(device)
        networks = random_networks(
            with_quality(config, quality), seed, place, choose_dtype(dtype, place)
        )
        label = f"random-{name}-{seed}"
        return cls(config, networks, sha256=label, autoencoder_sha256=label, quality=quality)

    @property
    def sample_rate(self) -> int:
        """Rate of the music it makes, in Hz."""
        return self.config.autoencoder.sample_rate

    @property
    def audio_channels(self) -> int:
        """Channels of the music it makes."""
        return self.config.autoencoder.audio_channels

    @property
    def device(self) -> str:
        """Kind of device the networks are on, such as "cpu"."""
        return self.networks.device.type

    @property
    def dtype(self) -> str:
        """Arithmetic of the U-Net, "fp32" or "bf16"."""
        return self.networks.dtype

    @property
    def window_seconds(self) -> float:
        """Longest music made in one go; longer music slides."""
        return self.config.generation.window_seconds

    def generate(
        self,
        prompt: str = "",
        *,
        seconds: float = 10.0,
        seed: int | None = None,
        direction: DirectionName = "bidirectional",
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Music:
        """Make music from text.

        Args:
            prompt: what it shall be; empty for whatever the model likes.
            seconds: length; beyond the model's window by continuation.
            seed: of the noise; None draws one, see `Music.seed`.
            direction: "unidirectional" lets no frame see a later one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            ConfigError: a setting makes no sense.
        """
        return self.generate_batch(
            [prompt],
            seconds=seconds,
            seed=seed,
            direction=direction,
            progress=progress,
            **sampling,
        )[0]

    @torch.inference_mode()
    def generate_batch(
        self,
        prompts: Sequence[str],
        *,
        seconds: float = 10.0,
        seed: int | None = None,
        direction: DirectionName = "bidirectional",
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> list[Music]:
        """Make one piece for each prompt; item i equals `generate` with `seed + i`.

        On the CPU the equality is bit by bit, since items run one by one there.

        Args:
            prompts: what the pieces shall be.
            seconds: length of each; beyond the model's window by continuation.
            seed: of the noise of the first piece; None draws one.
            direction: "unidirectional" lets no frame see a later one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            ConfigError: a setting makes no sense.
        """
        settings = Sampling.over(self.config.generation, sampling)
        _check_seconds(seconds)
        _check_direction(direction)
        seed = draw_seed() if seed is None else seed
        made = make_pieces(
            self.networks,
            self.config.generation,
            prompts,
            seconds,
            settings,
            [seed + index for index in range(len(prompts))],
            causal=direction == "unidirectional",
            progress=progress,
        )
        return [
            Music(
                torch.from_numpy(piece.signal),
                self.sample_rate,
                record(
                    self,
                    "generate",
                    dataclasses.replace(settings, controls=piece.controls),
                    seed=seed + index,
                    prompt=prompt,
                    seconds=seconds,
                    direction=direction,
                    context_seconds=self.config.generation.context_seconds,
                ),
            )
            for index, (prompt, piece) in enumerate(zip(prompts, made, strict=True))
        ]

    def inpaint(
        self,
        source: Input,
        masks: Sequence[tuple[float, float]],
        prompt: str = "",
        *,
        sample_rate: int | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Edit:
        """Make stretches of a recording anew; everything outside them stays bit-identical.

        Nothing of what stands inside a mask is used: not as context, not in the cross-fade.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            masks: stretches [from, to) in seconds, inside the recording, without overlap.
            prompt: what the new stretches shall be; empty follows the surroundings alone.
            sample_rate: of a waveform, in Hz.
            seed: of the noise; None draws one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            AudioError: the source cannot be used.
            ConfigError: a mask is empty, outside, or overlaps another.
        """
        given = as_source(source, sample_rate)
        info = audio.probe(given)
        ranges = [(float(start), float(stop)) for start, stop in masks]
        spans = mask_spans(ranges, info, audio.name_of(given))
        settings = Sampling.over(self.config.generation.for_edits(), sampling)
        seed = draw_seed() if seed is None else seed
        audio.check(given)
        window = self._frames(self.window_seconds)
        patches = edit(
            self.networks,
            self._timeline(given, info, spans),
            prompt,
            settings,
            seeded(seed),
            window=window,
            context=window // 2,
            reach=window,
            direction=self.config.generation.continuation,
            progress=progress,
        )
        recipe = record(
            self,
            "inpaint",
            settings,
            seed=seed,
            prompt=prompt,
            seconds=sum(stop - start for start, stop in spans) / info.sample_rate,
            masks=tuple(sorted(ranges)),
            input=describe_input(given),
        )
        return Edit(given, tuple(patches), info.sample_rate, recipe)

    def continue_(
        self,
        source: Input,
        seconds: float = 10.0,
        prompt: str = "",
        *,
        before: bool = False,
        direction: DirectionName | None = None,
        context_seconds: float | None = None,
        sample_rate: int | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Edit:
        """Lengthen a recording, to the right or, with `before`, to the left.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            seconds: of new music.
            prompt: what it shall be; empty follows the recording alone.
            before: put the new music in front; then it is bidirectional.
            direction: "unidirectional" lets no frame see a later one; None is the model's default.
            context_seconds: of known music that each window hears; None is the model's default.
            sample_rate: of a waveform, in Hz.
            seed: of the noise; None draws one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            AudioError: the source cannot be used.
            ConfigError: a setting makes no sense.
        """
        given = as_source(source, sample_rate)
        info = audio.probe(given)
        settings = Sampling.over(self.config.generation.for_edits(), sampling)
        _check_seconds(seconds)
        new = audio.seconds_to_samples(seconds, info.sample_rate)
        seconds_heard = self._checked_context(context_seconds)
        direction = direction or self.config.generation.continuation
        _check_direction(direction)
        seed = draw_seed() if seed is None else seed
        audio.check(given)
        span = (0, new) if before else (info.samples, info.samples + new)
        context = self._frames(seconds_heard)
        patches = edit(
            self.networks,
            self._timeline(given, info, [span], new=new, offset=new if before else 0),
            prompt,
            settings,
            seeded(seed),
            window=self._frames(self.window_seconds),
            context=context,
            reach=context,
            direction=direction,
            progress=progress,
        )
        recipe = record(
            self,
            "continue",
            settings,
            seed=seed,
            prompt=prompt,
            seconds=seconds,
            direction="bidirectional" if before else direction,
            before=before,
            context_seconds=seconds_heard,
            input=describe_input(given),
        )
        return Edit(given, tuple(patches), info.sample_rate, recipe)

    @torch.inference_mode()
    def encode(self, source: Input, *, sample_rate: int | None = None) -> LatentFile:
        """Encode a recording of any length, in bounded memory.

        Raises:
            AudioError: the source cannot be used.
        """
        given = as_source(source, sample_rate)
        info = audio.probe(given)
        return LatentFile(
            latent=encode_source(self.networks, given, info)[0],
            frame_rate=self.config.frame_rate,
            samples=info.samples,
            sample_rate=info.sample_rate,
            channels=info.channels,
            model=self.config.name,
            sha256=self._autoencoder_sha256,
        )

    @torch.inference_mode()
    def decode(self, latent: LatentFile | str | Path | bytes) -> Music:
        """Decode a latent, or a latent file, at the rate, layout and length of its recording.

        Raises:
            CheckpointError: the latent was made by another autoencoder, or is damaged.
        """
        if not isinstance(latent, LatentFile):
            latent = LatentFile.load(latent)
        if latent.sha256 != self._autoencoder_sha256:
            raise CheckpointError(
                f"the latent was made by the autoencoder of '{latent.model}'"
                f" ({latent.sha256[:12]}), not by this one of '{self.config.name}'"
                f" ({self._autoencoder_sha256[:12]}); decode it with that model"
            )
        signal = decode_latent(
            self.networks, latent.latent[None], latent.samples, latent.sample_rate, latent.channels
        )
        gain_matching.limit(signal, latent.sample_rate, ceiling=1.0)
        recipe = record(self, "decode", Sampling(), seed=0, seconds=latent.seconds)
        return Music(torch.from_numpy(signal), latent.sample_rate, recipe)

    def again(
        self, recipe: Recipe, source: Source | None = None, *, progress: Progress | None = None
    ) -> Music | Edit:
        """Follow a recipe.

        Args:
            recipe: as `jen1cli.recipe.read_recipe` gives it.
            source: the recording that an edit began with; None takes `recipe.input.name`.
            progress: called with (steps done, steps in all).

        Raises:
            RecipeError: the recording is not the one of the recipe, or the model is another.

        Another device or arithmetic gives music that is near, with a warning.
        """
        return replay.again(self, recipe, source, progress)

    def _frames(self, seconds: float) -> int:
        return max(1, round(seconds * self.config.frame_rate))

    def _checked_context(self, seconds: float | None) -> float:
        seconds = self.config.generation.context_seconds if seconds is None else seconds
        if not 0.0 < seconds < self.window_seconds:
            raise ConfigError(
                f"context_seconds is {seconds:g}; give more than 0 and less than the model's"
                f" window of {self.window_seconds:g} s"
            )
        return seconds

    def _timeline(
        self,
        source: Source,
        info: audio.AudioInfo,
        unknown: list[Span],
        *,
        new: int = 0,
        offset: int = 0,
    ) -> Timeline:
        return Timeline(
            source,
            info,
            unknown,
            samples=info.samples + new,
            offset=offset,
            model_rate=self.sample_rate,
            hop_length=self.config.autoencoder.hop_length,
        )


def draw_seed() -> int:
    """Draw a seed that nobody chose."""
    return secrets.randbelow(2**32)


def _check_direction(direction: str) -> None:
    if direction not in ("bidirectional", "unidirectional"):
        raise ConfigError(f"unknown direction '{direction}'; known: bidirectional, unidirectional")


def _check_seconds(seconds: float) -> None:
    if not math.isfinite(seconds) or seconds < 0.01:
        raise ConfigError(f"seconds is {seconds:g}; give at least 0.01")
