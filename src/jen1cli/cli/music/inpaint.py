"""`jen1 inpaint`: replace ranges of a file; every other sample stays what it was."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ServedModelOptions
from jen1cli.cli.groups import grouped
from jen1cli.cli.inputs import open_input
from jen1cli.cli.music.prompts import check_prompt
from jen1cli.cli.music.scores import Midi, plan_midi
from jen1cli.cli.outputs import Result
from jen1cli.cli.sampling import Novelty, SamplingChoice, check_seed
from jen1cli.masks import parse_masks, resolve_masks
from jen1cli.music.controls import NO_CONTROLS
from jen1cli.sampling import draw_seed


@grouped
def inpaint(
    source: options.AudioInput,
    *,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="RANGE",
            help="What is made anew: 3-6s, 1:02-1:05.5, 10s-end, start-2s or bars:5-8 (of jen1's"
            " own files, or with --bpm); repeatable.",
        ),
    ] = None,
    sampling: SamplingChoice,
    prompt: options.Prompt = None,
    novelty: Novelty = None,
    destination: options.Destination,
    seed: options.Seed = None,
    midi: Midi = None,
    model: ServedModelOptions,
) -> None:
    """Replace ranges of a file, leaving every other sample as it was."""
    sampling.check()
    masks = parse_masks(mask or [])
    text = "" if prompt is None else check_prompt(prompt)
    seed = draw_seed() if seed is None else check_seed(seed)
    opened = open_input(source)
    bars = NO_CONTROLS
    if any(one.in_bars for one in masks):
        from jen1cli.pipeline.played import bars_of_file

        bars = bars_of_file(opened.source, opened.info.seconds, sampling.controls.read())
    spans = resolve_masks(masks, opened.info.seconds, opened.info.sample_rate, opened.name, bars)
    (target,) = destination.plan(
        [Result(f"{opened.stem}-inpaint", seed, 1)],
        extension=opened.extension,
    )
    (score,) = plan_midi(midi, [target], force=destination.force)
    target.check_format(opened.info.sample_rate, opened.info.channels)
    choice = model.choice().check()
    with Engine.open(choice, destination.report(), destination.signing, target.extension) as engine:
        engine.report_scores([sampling])
        with engine.making("inpaint") as progress:
            music = engine.model.inpaint(
                opened.source,
                masks=spans,
                prompt=text,
                seed=seed,
                progress=progress,
                **sampling.edit_arguments(novelty),
            )
        engine.deliver(music, target, score)
