"""`Jen1`: text to music, inpainting and continuation with one model (design of the Python door)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Unpack

from jaxtyping import Float
from torch import Tensor

from jen1cli.audio import Source
from jen1cli.config import ModelConfig
from jen1cli.pipeline.latents import LatentFile
from jen1cli.pipeline.music import Edit, Music
from jen1cli.pipeline.sampling import Progress, SamplingOptions
from jen1cli.recipe import DirectionName, Recipe

DtypeName = Literal["auto", "fp32", "bf16"]
Stereo = Float[Tensor, "audio_channels samples"]


class Jen1:
    """A loaded model.

    Attributes:
        config: of the weight set.
        sha256: over all files of the weight set; empty for random weights.
        device: kind of device the networks are on, such as "cpu".
        dtype: of the networks' arithmetic, "fp32" or "bf16".
        sample_rate: Hz of the music it makes.
        audio_channels: of the music it makes.
    """

    config: ModelConfig
    sha256: str
    device: str
    dtype: str
    sample_rate: int
    audio_channels: int

    @classmethod
    def load(
        cls,
        name_or_folder: str | Path = "jen1-mini",
        *,
        device: str = "auto",
        dtype: DtypeName = "auto",
    ) -> "Jen1":
        """Load a weight set by name or folder.

        Args:
            name_or_folder: as `jen1cli.weightsets.find_weights` takes it.
            device: "auto" (CUDA where there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps".
            dtype: "fp32", "bf16", or "auto": bf16 on CUDA and on processors with bf16 arithmetic.

        Raises:
            CheckpointError: there is no such weight set, or it is damaged.
            ConfigError: the device is not there.
        """
        raise NotImplementedError

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
        raise NotImplementedError

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
        """
        raise NotImplementedError

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
        """
        raise NotImplementedError

    def inpaint(
        self,
        source: Source | Music | Stereo,
        masks: Sequence[tuple[float, float]],
        prompt: str = "",
        *,
        sample_rate: int | None = None,
        seed: int | None = None,
        progress: Progress | None = None,
        **sampling: Unpack[SamplingOptions],
    ) -> Edit:
        """Make stretches of a recording anew; everything outside them stays bit-identical.

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
        raise NotImplementedError

    def continue_(
        self,
        source: Source | Music | Stereo,
        seconds: float = 10.0,
        prompt: str = "",
        *,
        before: bool = False,
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
            before: put the new music in front.
            context_seconds: of known music that each window hears; None is the model's default.
            sample_rate: of a waveform, in Hz.
            seed: of the noise; None draws one.
            progress: called with (steps done, steps in all).
            **sampling: see `SamplingOptions`.
        """
        raise NotImplementedError

    def encode(
        self, source: Source | Music | Stereo, *, sample_rate: int | None = None
    ) -> LatentFile:
        """Encode a recording of any length, in bounded memory."""
        raise NotImplementedError

    def decode(self, latent: LatentFile | str | Path) -> Music:
        """Decode a latent, or a latent file, at the rate, layout and length of its recording.

        Raises:
            CheckpointError: the latent was made by another autoencoder, or is damaged.
        """
        raise NotImplementedError

    def again(
        self,
        recipe: Recipe,
        source: Source | None = None,
        *,
        progress: Progress | None = None,
    ) -> Music | Edit:
        """Follow a recipe.

        Args:
            recipe: as `jen1cli.recipe.read_recipe` gives it.
            source: the recording that an edit began with; None takes `recipe.input.name`.
            progress: called with (steps done, steps in all).

        Raises:
            RecipeError: the recording is not the one of the recipe, or the model is another.
        """
        raise NotImplementedError
