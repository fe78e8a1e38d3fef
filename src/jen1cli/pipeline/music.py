"""Results of the model: generated music, edits of a recording, and their recipes."""

import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

import jen1cli
from jen1cli import audio
from jen1cli.audio import GENERATED, PARTLY_GENERATED, choose_format, edited_source_type
from jen1cli.midi import has_score, write_midi
from jen1cli.pipeline.signing import Target, check_manifest, save_signed
from jen1cli.provenance import Signer
from jen1cli.recipe import Recipe, RecipeInput, TaskName
from jen1cli.sampling import Sampling

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1

Channels = Float[Tensor, "audio_channels samples"]


class _Result:
    """What a recipe says of a result."""

    recipe: Recipe

    @property
    def seed(self) -> int:
        """Seed of the noise it was made from."""
        return self.recipe.seed

    @property
    def has_score(self) -> bool:
        """Whether anything of a score is known."""
        return has_score(self.recipe.played)

    def save_midi(self, target: str | Path) -> None:
        """Write the score that was played as a standard MIDI file, which is overwritten.

        Of an edit, it is the score of the generated intervals, on the clock of the recording.

        Raises:
            ConfigError: nothing of a score is known.
            OutputError: the target cannot be written.
        """
        write_midi(Path(target), self.recipe.played, sections=self.recipe.sections)


@dataclass(frozen=True)
class Music(_Result):
    """Generated music."""

    waveform: Channels  # float32; true peak about -1 dBFS where generated, 0 where decoded
    sample_rate: int  # Hz
    recipe: Recipe

    @property
    def seconds(self) -> float:
        """Length."""
        return self.waveform.shape[-1] / self.sample_rate

    def as_cover(self, source: RecipeInput | None) -> "Music":
        """Return the music with a recipe that says that it is a cover of a recording."""
        recipe = dataclasses.replace(self.recipe, task="cover", input=source)
        return dataclasses.replace(self, recipe=recipe)

    def save(
        self,
        target: str | Path | io.BytesIO,
        *,
        subtype: str | None = None,
        suffix: str | None = None,
        signer: Signer | None = None,
    ) -> None:
        """Write a file that contains its recipe; the suffix determines the format.

        Args:
            target: wav, flac, ogg, opus, mp3 or aiff file, which is overwritten; or a buffer,
                which becomes a WAV file.
            subtype: libsndfile's encoding, such as "PCM_24" or "FLOAT"; by default 16 bit.
            suffix: such as ".flac", in place of the target's own suffix.
            signer: adds a C2PA manifest to WAV, FLAC and MP3.

        Raises:
            AudioError: no format has this suffix, or the format lacks the subtype.
            OutputError: the target cannot be written.
        """
        target = Path(target) if isinstance(target, str) else target

        def save(place: Target, recipe: Recipe) -> None:
            audio.write(
                place,
                self.waveform.numpy(),
                self.sample_rate,
                subtype=subtype,
                suffix=suffix,
                recipe=recipe.to_json(),
                tags=audio.DECODED_TAGS if is_decoded else audio.GENERATED_TAGS,
                loop=self.recipe.loop(self.waveform.shape[-1], self.sample_rate),
            )

        # A latent may be that of a recording: only the codec's part is known to be generated.
        is_decoded = self.recipe.task == "decode"
        kind = PARTLY_GENERATED if is_decoded else GENERATED
        format_, _ = choose_format(target, None, subtype, suffix)
        save_signed(target, format_, self.recipe, save, signer, source_type=kind)

    def to_bytes(self, *, subtype: str | None = None) -> bytes:
        """Return a complete WAV file with the recipe inside, for a pipe."""
        buffer = io.BytesIO()
        self.save(buffer, subtype=subtype)
        return buffer.getvalue()


@dataclass(frozen=True)
class Stream(_Result):
    """Music that is being made."""

    recipe: Recipe  # recipe of the whole piece
    sample_rate: int  # Hz
    samples: int  # samples of the whole piece
    blocks: Iterator[audio.Signal]  # its consecutive parts; each is made when it is asked for

    @property
    def seconds(self) -> float:
        """Length of the whole piece."""
        return self.samples / self.sample_rate

    def wav_parts(self) -> Iterator[bytes]:
        """Yield a 16-bit WAV file with the recipe inside, part by part as the music is made.

        Raises:
            AudioError: the music has NaN, or too many samples for WAV.
        """
        first = next(self.blocks)
        head, tail = audio.wav_frame(
            len(first), self.sample_rate, self.samples,
            recipe=self.recipe.to_json(), tags=audio.GENERATED_TAGS,
        )  # fmt: skip
        yield head + audio.wav_samples(first)
        yield from map(audio.wav_samples, self.blocks)
        yield tail


@dataclass(frozen=True)
class Edit(_Result):
    """A recording with generated intervals; all other samples are bit-identical."""

    source: audio.Source  # read again by `save`, so it must not move
    patches: tuple[audio.Patch, ...]
    sample_rate: int  # Hz, that of the source
    recipe: Recipe

    @property
    def waveform(self) -> Channels:
        """The whole edited recording as float32; read from the source at each call."""
        return torch.from_numpy(audio.spliced(self.source, self.patches))

    @property
    def seconds(self) -> float:
        """Length."""
        samples = audio.spliced_length(audio.probe(self.source), self.patches)
        return samples / self.sample_rate

    def save(
        self,
        target: str | Path | io.BytesIO,
        *,
        subtype: str | None = None,
        suffix: str | None = None,
        signer: Signer | None = None,
    ) -> bool:
        """Write the edited recording with its recipe inside.

        Rate, layout, format and bit depth are the source's where the suffix allows (`suffix`, or
        the target's own); a buffer takes the source's format. The target may be the source itself.
        A signer adds a C2PA manifest to WAV, FLAC and MP3, with the source as its ingredient.

        Returns:
            whether every sample outside the edit is bit-identical to the source; False for lossy
            formats and for a bit depth that the target cannot hold.

        Raises:
            AudioError: the format cannot hold the recording, or the source has gone.
            OutputError: the target cannot be written.
        """
        target = Path(target) if isinstance(target, str) else target

        def save(place: Target, recipe: Recipe) -> bool:
            return audio.write_spliced(
                place,
                self.source,
                self.patches,
                subtype=subtype,
                suffix=suffix,
                recipe=recipe.to_json(),
                source_type=PARTLY_GENERATED,
                keeps_manifest=recipe.signature == "c2pa",
            )

        check_manifest(self.source)
        if signer is None:
            return save(target, self.recipe)
        marks = audio.read_marks(self.source)
        kind = edited_source_type(marks.source_type, PARTLY_GENERATED)
        format_, _ = choose_format(target, audio.probe(self.source), subtype, suffix)
        return save_signed(
            target,
            format_,
            self.recipe,
            save,
            signer,
            source_type=kind,
            source=self.source,
            source_format=marks.format,
        )

    def to_bytes(self, *, subtype: str | None = None) -> bytes:
        """Return the edited file's bytes in the source's own format, for a pipe."""
        buffer = io.BytesIO()
        self.save(buffer, subtype=subtype)
        return buffer.getvalue()


def record(
    model: "Jen1",
    task: TaskName,
    settings: Sampling,
    *,
    seed: int,
    seconds: float,
    **fields: Any,  # noqa: ANN401 - the types of the recipe's fields
) -> Recipe:
    """Return the recipe of a result; `fields` are further fields of `Recipe`."""
    return Recipe(
        **settings.settings(),
        task=task,
        model=model.recipe_model,
        seconds=seconds,
        seed=seed,
        device=model.device,
        dtype=model.dtype,
        quality=model.quality,
        watermark=model.networks.watermark,
        version=jen1cli.__version__,
        **fields,
    )
