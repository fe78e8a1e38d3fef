"""The requests for an edit, inpainting and continuation: checks, intervals and recipe of each."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jen1cli import audio
from jen1cli.audio import Source
from jen1cli.config import DirectionName
from jen1cli.errors import ConfigError
from jen1cli.pipeline.denoising import seeded_noise
from jen1cli.pipeline.edits.filling import Filled, edit
from jen1cli.pipeline.edits.timeline import Timeline
from jen1cli.pipeline.music import Edit, record
from jen1cli.pipeline.played import passages_of_file
from jen1cli.pipeline.sources import mask_spans
from jen1cli.pipeline.windows import Span
from jen1cli.progress import Progress
from jen1cli.recipe import Recipe, RecipeInput, find_recipe
from jen1cli.sampling import Sampling, check_direction, check_seconds

if TYPE_CHECKING:
    from jen1cli.pipeline.jen1 import Jen1


def inpaint(
    model: "Jen1",
    source: Source,
    masks: Sequence[tuple[float, float]],
    prompt: str,
    settings: Sampling,
    *,
    seed: int,
    progress: Progress | None,
) -> Edit:
    """Regenerate intervals of a recording; see `Jen1.inpaint`."""
    info = audio.probe(source)
    ranges = [(float(start), float(stop)) for start, stop in masks]
    spans = mask_spans(ranges, info, audio.name_of(source))
    audio.check(source)
    window = _frames(model, model.window_seconds)
    filled = edit(
        model.networks,
        timeline_of(model, source, info, spans),
        prompt,
        settings,
        seeded_noise(seed, settings.variations),
        window=window,
        context=window // 2,
        reach=window,
        direction=model.config.generation.continuation,
        progress=progress,
        played=passages_of_file(find_recipe(source), info.seconds),
    )
    recipe = record(
        model,
        "inpaint",
        settings,
        seed=seed,
        prompt=prompt,
        seconds=sum(stop - start for start, stop in spans) / info.sample_rate,
        masks=tuple(sorted(ranges)),
        passages=filled.passages,
        copies=filled.copies,
        input=describe_input(source),
    )
    return Edit(source, filled.patches, info.sample_rate, recipe)


def continue_(
    model: "Jen1",
    source: Source,
    seconds: float,
    prompt: str,
    settings: Sampling,
    *,
    before: bool,
    direction: DirectionName,
    context_seconds: float | None,
    seed: int,
    progress: Progress | None,
    begun: Callable[[Recipe], None] | None = None,
) -> Edit:
    """Continue a recording at its end or in front of its beginning; see `Jen1.continue_`."""
    info = audio.probe(source)
    check_seconds(seconds)
    check_direction(direction)
    new = audio.seconds_to_samples(seconds, info.sample_rate)
    context_seconds = _checked_context(model, context_seconds)
    audio.check(source)
    span = (0, new) if before else (info.samples, info.samples + new)
    context = _frames(model, context_seconds)

    def recipe(filled: Filled) -> Recipe:
        return record(
            model,
            "continue",
            settings,
            seed=seed,
            prompt=prompt,
            seconds=seconds,
            direction="bidirectional" if before else direction,
            before=before,
            context_seconds=context_seconds,
            passages=filled.passages,
            copies=filled.copies,
            input=described,
        )

    described = describe_input(source)
    played = passages_of_file(find_recipe(source), info.seconds)
    shift = new / info.sample_rate if before else 0.0
    filled = edit(
        model.networks,
        timeline_of(model, source, info, [span], new=new, offset=new if before else 0),
        prompt,
        settings,
        seeded_noise(seed, settings.variations),
        window=_frames(model, model.window_seconds),
        context=context,
        reach=context,
        direction=direction,
        progress=progress,
        played=[passage.shifted(shift) for passage in played],
        begun=None if begun is None else lambda found: begun(recipe(found)),
    )
    return Edit(source, filled.patches, info.sample_rate, recipe(filled))


def describe_input(source: Source) -> RecipeInput:
    """Return the description of an edit's source recording for a recipe."""
    name = "-" if isinstance(source, io.BytesIO) else str(source)
    recipe = find_recipe(source)
    samples = audio.sample_digest(source) if audio.read_marks(source).signed else ""
    return RecipeInput(
        name, audio.digest(source), None if recipe is None else recipe.to_dict(), samples
    )


def timeline_of(
    model: "Jen1",
    source: Source,
    info: audio.AudioInfo,
    unknown: list[Span],
    *,
    new: int = 0,
    offset: int = 0,
) -> Timeline:
    """Return a recording on the model's grid of latent frames.

    Args:
        model: the model whose rate and hop length hold.
        source: the recording.
        info: its rate, layout and length.
        unknown: intervals of samples to generate.
        new: samples that are added to the recording.
        offset: sample of the result at which the recording begins.
    """
    return Timeline(
        source,
        info,
        unknown,
        samples=info.samples + new,
        offset=offset,
        model_rate=model.sample_rate,
        hop_length=model.config.autoencoder.hop_length,
    )


def _frames(model: "Jen1", seconds: float) -> int:
    return max(1, round(seconds * model.config.frame_rate))


def _checked_context(model: "Jen1", seconds: float | None) -> float:
    seconds = model.config.generation.context_seconds if seconds is None else seconds
    if not 0.0 < seconds < model.window_seconds:
        raise ConfigError(
            f"context_seconds is {seconds:g}; give more than 0 and less than the model's"
            f" window of {model.window_seconds:g} s"
        )
    return seconds
