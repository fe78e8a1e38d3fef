"""`Jen1`: text to music, inpainting and continuation with one model."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Unpack

import torch

from jen1cli.audio import Source
from jen1cli.checkpoint import load_weight_set, read_description
from jen1cli.config import DirectionName, ModelConfig, QualityName
from jen1cli.errors import ConfigError
from jen1cli.pipeline import replay
from jen1cli.pipeline.coding import decode, encode
from jen1cli.pipeline.composing import warn_unplayed
from jen1cli.pipeline.edits.inpainting import continue_, inpaint
from jen1cli.pipeline.generating import Order, generate_orders, stream_order
from jen1cli.pipeline.hearing import Hearing
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.loras import apply_loras
from jen1cli.pipeline.music import Edit, Music, Stream
from jen1cli.pipeline.networks import (
    DtypeName,
    Networks,
    choose_device,
    choose_dtype,
    load_networks,
    random_networks,
    with_quality,
)
from jen1cli.pipeline.sources import Input, as_source
from jen1cli.presets import preset
from jen1cli.progress import Progress
from jen1cli.recipe import Recipe, RecipeLora, RecipeModel
from jen1cli.sampling import Sampling, SamplingOptions, draw_seed
from jen1cli.unet import UNet1d
from jen1cli.weightsets import DEFAULT_WEIGHTS, find_weights


class Jen1(Hearing):
    """A loaded model.

    Attributes:
        config: configuration of the weight set.
        sha256: of the weight set (`checkpoint.SetDescription`); for random weights, their name.
        former_sha256: digests of the weight set in earlier versions.
        autoencoder_sha256: digest of the autoencoder's weights.
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
        self.autoencoder_sha256 = autoencoder_sha256

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
            applied[:] = apply_loras(unet, loras or {}, description)

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
        seconds: float | None = None,
        seed: int | None = None,
        direction: DirectionName = "bidirectional",
        loop_bars: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Music:
        """Generate music from text.

        Args:
            prompt: description of the music; empty for unconditional generation.
            seconds: length, beyond the model's window by continuation. None: a form's, else 10.
            seed: seed of the noise; None draws one, see `Music.seed`.
            direction: "unidirectional" lets no frame see a later one.
            loop_bars: makes a loop of so many bars, whose end leads to its beginning.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            ConfigError: a setting makes no sense.
        """
        return self.generate_batch(
            [prompt], seconds=seconds, seed=seed, direction=direction, loop_bars=loop_bars,
            progress=progress, **sampling,
        )[0]  # fmt: skip

    def stream(
        self,
        prompt: str = "",
        *,
        seconds: float | None = None,
        seed: int | None = None,
        direction: DirectionName = "bidirectional",
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Stream:
        """Generate music whose parts are ready as they are made; see `generate`."""
        seed = draw_seed() if seed is None else seed
        order = Order.over(self, prompt, seed, sampling, direction)
        return stream_order(self, order, seconds, direction, progress)

    @torch.inference_mode()
    def generate_batch(
        self,
        prompts: Sequence[str],
        *,
        seconds: float | None = None,
        seed: int | None = None,
        direction: DirectionName = "bidirectional",
        loop_bars: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> list[Music]:
        """Generate one piece per prompt; item i equals `generate` with `seed + i`.

        On the CPU items are sampled one by one, and the equality is bit-exact.

        Args:
            prompts: descriptions of the pieces.
            seconds: see `generate`, as for all others.
            seed: seed of the first piece's noise; None draws one.
            direction: direction of all pieces.
            loop_bars: length of each.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            ConfigError: a setting makes no sense.
        """
        seed = draw_seed() if seed is None else seed
        orders = [
            Order.over(self, prompt, seed + index, sampling, direction)
            for index, prompt in enumerate(prompts)
        ]
        return generate_orders(
            self, orders, seconds, direction, loop_bars=loop_bars, progress=progress
        )

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
            sample_rate: sample rate of a waveform, in Hz.
            seed: the noise's seed; None draws one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.

        Raises:
            AudioError: the source cannot be used.
            ConfigError: a mask is empty, outside, or overlaps another.
        """
        warn_unplayed(self.networks, sampling)
        return inpaint(
            self, as_source(source, sample_rate), masks, prompt,
            Sampling.over(self.config.generation.for_edits(), sampling),
            seed=draw_seed() if seed is None else seed, progress=progress,
        )  # fmt: skip

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
        begun: Callable[[Recipe], None] | None = None,
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
            sample_rate: sample rate of a waveform, in Hz.
            seed: the noise's seed; None draws one.
            progress: called with (steps done, steps in all).
            begun: called with the recipe before the network makes new music, if it makes any.
            **sampling: see `SamplingOptions`.

        Raises:
            AudioError: the source cannot be used.
            ConfigError: a setting makes no sense.
        """
        warn_unplayed(self.networks, sampling)
        direction = direction or self.config.generation.continuation
        settings = self.config.generation.for_edits()
        return continue_(
            self, as_source(source, sample_rate), seconds, prompt,
            Sampling.over(settings, sampling, None if before else direction),
            before=before, direction=direction, context_seconds=context_seconds,
            seed=draw_seed() if seed is None else seed, progress=progress, begun=begun,
        )  # fmt: skip

    def vary(
        self,
        made: Input | Recipe,
        prompt: str | None = None,
        *,
        amount: float | None = None,
        seed: int | None = None,
        source: Source | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Music | Edit:
        """Make a variation of a result: the score of its recipe, with other noise or other words.

        Args:
            made: result of this package, its file, or its recipe.
            prompt: new words; "same" at their beginning stands for the former ones.
            amount: share of new noise: 0 keeps the noise, 1 is new noise; the variance is always 1.
                None: 0 where words or settings are new, else 1.
            seed: seed of the new noise; None draws one.
            source: the source recording of an edit; None takes that of the result or recipe.
            progress: called with (steps done, steps in all).
            **sampling: settings in place of the recipe's; see `replay.varied` for what of the
                recipe's controls is kept.

        Raises:
            RecipeError: there is no recipe, or it is of another model.
            ConfigError: a setting makes no sense, or there is a seed but no new noise.
        """
        return replay.vary(self, made, prompt, amount, seed, source, progress, sampling)

    @torch.inference_mode()
    def encode(self, source: Input, *, sample_rate: int | None = None) -> LatentFile:
        """Encode a recording of any length, in bounded memory.

        Raises:
            AudioError: the source cannot be used.
        """
        return encode(self, as_source(source, sample_rate))

    @torch.inference_mode()
    def decode(self, latent: LatentFile | str | Path | bytes) -> Music:
        """Decode a latent or latent file to the rate, layout and length of its recording.

        Raises:
            CheckpointError: the latent is damaged, or another autoencoder wrote it.
        """
        return decode(self, latent)

    def again(
        self, recipe: Recipe, source: Source | None = None, *, progress: Progress | None = None
    ) -> Music | Edit:
        """Reproduce a result from its recipe; on another device or dtype a similar one.

        Args:
            recipe: result of `jen1cli.recipe.read_recipe`.
            source: the source recording of an edit; None takes `recipe.input.name`.
            progress: called with (steps done, steps in all).

        Raises:
            RecipeError: the recording or the model differs from that of the recipe.
        """
        return replay.again(self, recipe, source, progress)
