"""`jen1 continue`: lengthen a file, at its end or before its start."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ServedModelOptions
from jen1cli.cli.groups import grouped
from jen1cli.cli.inputs import open_input
from jen1cli.cli.music.early import early_sender
from jen1cli.cli.music.prompts import check_prompt
from jen1cli.cli.music.scores import Midi, plan_midi
from jen1cli.cli.outputs import Result
from jen1cli.cli.sampling import (
    DIRECTIONS,
    Novelty,
    SamplingChoice,
    check_choice,
    check_seconds,
    check_seed,
    chosen_seconds,
)
from jen1cli.sampling import draw_seed


@grouped
def continue_(
    source: options.AudioInput,
    *,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--seconds",
            "-s",
            metavar="X",
            help="How much is added. Left out: as long as the score, or 10.",
        ),
    ] = None,
    before: Annotated[
        bool,
        typer.Option("--before", metavar="", help="Add in front of the start, not behind the end."),
    ] = False,
    context: Annotated[
        float | None,
        typer.Option(
            "--context",
            metavar="X",
            help="Seconds of known music that condition each new window. Left out: the"
            " model's own.",
        ),
    ] = None,
    prompt: options.Prompt = None,
    novelty: Novelty = None,
    destination: options.Destination,
    sampling: SamplingChoice,
    seed: options.Seed = None,
    direction: Annotated[str | None, options.DIRECTION] = None,
    midi: Midi = None,
    model: ServedModelOptions,
) -> None:
    """Lengthen a file with music that follows from it."""
    sampling.check()
    seconds = chosen_seconds(seconds, sampling)
    if context is not None:
        check_seconds(context, option="--context")
    if direction is not None:
        check_choice(direction, DIRECTIONS, "--direction")
    text = "" if prompt is None else check_prompt(prompt)
    seed = draw_seed() if seed is None else check_seed(seed)
    opened = open_input(source)
    (target,) = destination.plan(
        [Result(f"{opened.stem}-continue", seed, 1)],
        extension=opened.extension,
    )
    (score,) = plan_midi(midi, [target], force=destination.force)
    target.check_format(opened.info.sample_rate, opened.info.channels)
    choice = model.choice().check()
    with Engine.open(choice, destination.report(), destination.signing, target.extension) as engine:
        engine.report_scores([sampling])
        begun = None if before else early_sender(engine, target, opened, seconds)
        early = {} if begun is None else {"begun": begun}
        with engine.making("continue") as progress:
            music = engine.model.continue_(
                opened.source,
                seconds=seconds,
                before=before,
                prompt=text,
                seed=seed,
                progress=progress,
                direction=direction,  # type: ignore[arg-type]
                context_seconds=context,
                **early,
                **sampling.edit_arguments(novelty),
            )
        engine.deliver(music, target, score)
