"""`jen1 continue`: lengthen a file, at its end or before its start."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelChoice
from jen1cli.cli.inputs import open_input
from jen1cli.cli.loras import parse_loras
from jen1cli.cli.outputs import Result, check_takes, plan_outputs
from jen1cli.cli.prompts import check_prompt, draw_seed
from jen1cli.cli.report import Report
from jen1cli.cli.sampling import DIRECTIONS, Sampling, check_choice, check_seconds, check_seed


def continue_(
    source: options.AudioInput,
    seconds: Annotated[
        float, typer.Option("--seconds", "-s", metavar="X", help="How much is added.")
    ] = 10.0,
    before: Annotated[
        bool,
        typer.Option("--before", metavar="", help="Add in front of the start, not behind the end."),
    ] = False,
    context: Annotated[
        float | None,
        typer.Option(
            "--context",
            metavar="X",
            help="Seconds of known music each new window listens to. Left out: the model's own.",
        ),
    ] = None,
    prompt: options.Prompt = None,
    output: options.Output = None,
    bpm: options.Bpm = None,
    key: options.Key = None,
    chords: options.Chords = None,
    drums: options.Drums = None,
    melody: options.Melody = None,
    negative: options.Negative = None,
    steps: options.Steps = None,
    sampler: options.Sampler = None,
    guidance_scale: options.GuidanceScale = None,
    seed: options.Seed = None,
    direction: Annotated[str | None, options.DIRECTION] = None,
    model: options.Model = None,
    lora: options.Lora = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    random_weights: options.RandomWeights = False,
    audio_format: options.AudioFormat = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Lengthen a file with music that follows from it."""
    sampling = Sampling(
        steps, sampler, guidance_scale, negative, bpm, key, chords, drums, melody
    ).check()
    check_seconds(seconds)
    if context is not None:
        check_seconds(context, option="--context")
    if direction is not None:
        check_choice(direction, DIRECTIONS, "--direction")
    text = "" if prompt is None else check_prompt(prompt)
    seed = draw_seed() if seed is None else check_seed(seed)
    opened = open_input(source)
    (target,) = plan_outputs(
        output,
        [Result(f"{opened.stem}-continue", seed, 1)],
        default_name="{slug}-{seed}.{ext}",
        extension=opened.extension,
        format_name=audio_format,
        force=force,
    )
    check_takes(target.extension, opened.info.sample_rate, opened.info.channels)
    report = Report(as_json=as_json, quiet=quiet, audio_on_stdout=output == "-")
    choice = ModelChoice(model, device, dtype, random_weights, parse_loras(lora)).check()
    with Engine.open(choice, report) as engine:
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
                **sampling.arguments(),
            )
        engine.deliver(music, target)
