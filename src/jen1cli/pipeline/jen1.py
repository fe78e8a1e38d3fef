"""`Jen1`: text to music, inpainting and continuation with one model."""

import dataclasses
import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

import torch

import jen1cli
from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.checkpoint import load_weight_set, read_description
from jen1cli.config import ModelConfig
from jen1cli.errors import CheckpointError, ConfigError
from jen1cli.pipeline import leveling, replay
from jen1cli.pipeline.coding import decode_latent, encode_source
from jen1cli.pipeline.denoising import choose_guides, encode_prompts, seeded
from jen1cli.pipeline.editing import make_patches, plan_sections
from jen1cli.pipeline.generating import make_music
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
)
from jen1cli.pipeline.sources import Input, as_source, mask_spans
from jen1cli.pipeline.timeline import Timeline
from jen1cli.pipeline.windows import Span
from jen1cli.presets import preset
from jen1cli.recipe import DirectionName, Recipe, RecipeLora, RecipeModel, TaskName
from jen1cli.sampling import Progress, Sampling, SamplingOptions
from jen1cli.unet import UNet1d
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights

logger = logging.getLogger(__name__)

_LARGEST_BATCH = 8  # pieces sampled at once on a GPU; one by one on a CPU


class Jen1:
    """A loaded model.

    Attributes:
        config: of the weight set.
        sha256: over all files of the weight set; for random weights, what names them.
        former_sha256: digests that older versions gave to the weight set.
        networks: its parts.
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
    ) -> None:
        self.config = config
        self.networks = networks
        self.sha256 = sha256
        self.former_sha256 = former_sha256
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
    ) -> "Jen1":
        """Load a weight set by name or folder.

        Args:
            name_or_folder: as `jen1cli.weightsets.find_weights` takes it.
            device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps".
            dtype: "fp32", "bf16", or "auto": bf16 where the device is faster in it.
            loras: files of `jen1 train finetune --lora` with their strengths; 1 is as trained.

        Raises:
            CheckpointError: there is no such weight set, it is damaged, or a LoRA does not fit it.
            ConfigError: the device is not there.
        """
        place = choose_device(device)
        folder = find_weights(name_or_folder).folder
        config, tensors = load_weight_set(folder)
        description = read_description(folder)
        applied: list[RecipeLora] = []

        def change(unet: UNet1d) -> None:
            applied.extend(apply_loras(unet, loras or {}, description))

        networks = load_networks(
            config, tensors, folder, place, choose_dtype(dtype, place), change_unet=change
        )
        return cls(
            config,
            networks,
            sha256=description.sha256,
            autoencoder_sha256=description.hashes["autoencoder.safetensors"],
            loras=tuple(applied),
            former_sha256=description.former_sha256,
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
        networks = random_networks(config, seed, place, choose_dtype(dtype, place))
        label = f"random-{name}-{seed}"
        return cls(config, networks, sha256=label, autoencoder_sha256=label)

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
        samples = audio.seconds_to_samples(_checked_seconds(seconds), self.sample_rate)
        _check_direction(direction)
        seed = draw_seed() if seed is None else seed
        size = 1 if self.device == "cpu" else _LARGEST_BATCH
        context = self.config.generation.context_seconds
        results: list[Music] = []
        for first in range(0, len(prompts), size):
            batch = prompts[first : first + size]
            seeds = [seed + first + i for i in range(len(batch))]
            encoded = encode_prompts(self.networks, batch, settings.negative_prompt, settings.guide)
            encoded = choose_guides(self.networks, encoded, seeds, seconds)
            signals = make_music(
                self.networks,
                encoded,
                samples,
                settings,
                [seeded(number) for number in seeds],
                window=self._frames(self.window_seconds),
                context=self._frames(context),
                causal=direction == "unidirectional",
                causal_continuation=self.config.generation.continuation == "unidirectional",
                progress=_share(progress, first, len(batch), len(prompts)),
            )
            for i, signal in enumerate(signals):
                recipe = self._recipe(
                    "generate",
                    dataclasses.replace(settings, guide=encoded.guides[i]),
                    seeds[i],
                    batch[i],
                    seconds,
                    direction=direction,
                    context_seconds=context,
                )
                results.append(Music(torch.from_numpy(signal), self.sample_rate, recipe))
        return results

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
        timeline = self._timeline(given, info, spans, info.samples, offset=0)
        window = self._frames(self.window_seconds)
        patches = self._edit(
            timeline,
            settings,
            prompt,
            seed,
            progress,
            context=window // 2,
            reach=window,
            direction=self.config.generation.continuation,
        )
        recipe = self._recipe(
            "inpaint",
            settings,
            seed,
            prompt,
            sum(stop - start for start, stop in spans) / info.sample_rate,
            masks=tuple(sorted(ranges)),
            source=given,
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
        new = audio.seconds_to_samples(_checked_seconds(seconds), info.sample_rate)
        seconds_heard = self._checked_context(context_seconds)
        direction = direction or self.config.generation.continuation
        _check_direction(direction)
        seed = draw_seed() if seed is None else seed
        audio.check(given)
        span = (0, new) if before else (info.samples, info.samples + new)
        timeline = self._timeline(
            given, info, [span], info.samples + new, offset=new if before else 0
        )
        context = self._frames(seconds_heard)
        patches = self._edit(
            timeline,
            settings,
            prompt,
            seed,
            progress,
            context=context,
            reach=context,
            direction=direction,
        )
        recipe = self._recipe(
            "continue",
            settings,
            seed,
            prompt,
            seconds,
            direction="bidirectional" if before else direction,
            before=before,
            context_seconds=seconds_heard,
            source=given,
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
        leveling.limit(signal, latent.sample_rate, ceiling=1.0)
        recipe = Recipe(
            task="decode",
            model=self.recipe_model,
            seconds=latent.seconds,
            seed=0,
            device=self.device,
            dtype=self.dtype,
            version=jen1cli.__version__,
        )
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
        samples: int,
        *,
        offset: int,
    ) -> Timeline:
        return Timeline(
            source,
            info,
            unknown,
            samples=samples,
            offset=offset,
            model_rate=self.sample_rate,
            hop_length=self.config.autoencoder.hop_length,
        )

    @torch.inference_mode()
    def _edit(
        self,
        timeline: Timeline,
        settings: Sampling,
        prompt: str,
        seed: int,
        progress: Progress | None,
        *,
        context: int,
        reach: int,
        direction: DirectionName,
    ) -> list[audio.Patch]:
        window = self._frames(self.window_seconds)
        return make_patches(
            self.networks,
            timeline,
            plan_sections(
                timeline,
                window=window,
                context=context,
                reach=reach,
                decoder_reach=self.networks.autoencoder.context_frames,
                causal_continuation=direction == "unidirectional",
            ),
            encode_prompts(self.networks, [prompt], settings.negative_prompt, settings.guide),
            settings,
            seeded(seed),
            progress,
        )

    def _recipe(
        self,
        task: TaskName,
        settings: Sampling,
        seed: int,
        prompt: str,
        seconds: float,
        *,
        direction: DirectionName = "bidirectional",
        masks: tuple[tuple[float, float], ...] = (),
        before: bool = False,
        context_seconds: float = 0.0,
        source: Source | None = None,
    ) -> Recipe:
        return Recipe(
            task=task,
            model=self.recipe_model,
            seconds=seconds,
            seed=seed,
            prompt=prompt,
            **settings.settings(),
            direction=direction,
            masks=masks,
            before=before,
            context_seconds=context_seconds,
            device=self.device,
            dtype=self.dtype,
            input=None if source is None else replay.describe_input(source),
            version=jen1cli.__version__,
        )


def draw_seed() -> int:
    """Draw a seed that nobody chose."""
    return secrets.randbelow(2**32)


def _share(progress: Progress | None, first: int, items: int, all_items: int) -> Progress | None:
    """Count the steps of a batch in the steps of all batches."""
    if progress is None:
        return None
    return lambda done, total: progress(first * total + items * done, all_items * total)


def _check_direction(direction: str) -> None:
    if direction not in ("bidirectional", "unidirectional"):
        raise ConfigError(f"unknown direction '{direction}'; known: bidirectional, unidirectional")


def _checked_seconds(seconds: float) -> float:
    if not math.isfinite(seconds) or seconds < 0.01:
        raise ConfigError(f"seconds is {seconds:g}; give at least 0.01")
    return seconds
