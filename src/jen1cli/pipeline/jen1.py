"""`Jen1`: text to music, inpainting and continuation with one model."""

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
        config: configuration of the weight set.
        sha256: digest over all files of the weight set; for random weights, their name.
        former_sha256: digests of the weight set in earlier versions.
        networks: networks of the model.
        quality: quality of the decoder.
        recipe_model: description of the model in recipes: name, sha256 and LoRA files.
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
            device: "auto" (CUDA if available, else the CPU), "cpu", "cuda", "cuda:1", "mps".
            dtype: "fp32", "bf16", or "auto": bf16 if the device is faster in it.
            loras: files of `jen1 train finetune --lora` with their strengths; 1: as trained.
            quality: quality of the decoder: "normal" refines the phase as often as the weight set
                says, "draft" a quarter of that and "best" three times that.

        Raises:
            CheckpointError: the weight set does not exist or is damaged, or a LoRA does not fit it.
            ConfigError: the device is not available, or the decoder has no such quality.
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
        """Build a preset with random weights, for tests and timing; its output is noise.

        Raises:
            ConfigError: no such preset, or random weights were not requested.
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
        """Sample rate of generated music in Hz."""
        return self.config.autoencoder.sample_rate

    @property
    def audio_channels(self) -> int:
        """Number of channels of generated music."""
        return self.config.autoencoder.audio_channels

    @property
    def device(self) -> str:
        """Device type of the networks, such as "cpu"."""
        return self.networks.device.type

    @property
    def dtype(self) -> str:
        """Arithmetic of the U-Net, "fp32" or "bf16"."""
        return self.networks.dtype

    @property
    def window_seconds(self) -> float:
        """Length of the sampling window; longer music is generated by continuation."""
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
        """Generate music from text.

        Args:
            prompt: description of the music; empty for unconditional generation.
            seconds: length; music longer than the model's window is made by continuation.
            seed: seed of the noise; None draws one, see `Music.seed`.
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
        """Generate one piece per prompt; item i equals `generate` with `seed + i`.

        On the CPU items are sampled one by one, and the equality is bit-exact.

        Args:
            prompts: descriptions of the pieces.
            seconds: length of each; music longer than the model's window is made by continuation.
            seed: seed of the first piece's noise; None draws one.
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
                    piece.settings,
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
        """Regenerate intervals of a recording; all samples outside them stay bit-identical.

        Audio inside a mask is not used, neither as context nor in the cross-fade.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            masks: intervals [from, to) in seconds, inside the recording, without overlap.
            prompt: description of the new music; empty: conditioned on the context only.
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
        """Continue a recording at its end or, with `before`, in front of its beginning.

        Args:
            source: file, bytes of a file, music made before, or a waveform with `sample_rate`.
            seconds: length of the new music.
            prompt: description of the new music; empty: conditioned on the recording only.
            before: generate music in front of the recording, bidirectionally.
            direction: "unidirectional" lets no frame see a later one; None is the model's default.
            context_seconds: known music that conditions each window; None is the model's default.
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
        """Decode a latent or latent file to the rate, layout and length of its recording.

        Raises:
            CheckpointError: the latent is damaged, or another autoencoder wrote it.
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
        """Reproduce a result from its recipe.

        Args:
            recipe: result of `jen1cli.recipe.read_recipe`.
            source: the source recording of an edit; None takes `recipe.input.name`.
            progress: called with (steps done, steps in all).

        Raises:
            RecipeError: the recording or the model differs from that of the recipe.

        On another device or in another arithmetic the result is similar, with a warning.
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
    """Draw a random seed."""
    return secrets.randbelow(2**32)


def _check_direction(direction: str) -> None:
    if direction not in ("bidirectional", "unidirectional"):
        raise ConfigError(f"unknown direction '{direction}'; known: bidirectional, unidirectional")


def _check_seconds(seconds: float) -> None:
    if not math.isfinite(seconds) or seconds < 0.01:
        raise ConfigError(f"seconds is {seconds:g}; give at least 0.01")
