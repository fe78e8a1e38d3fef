"""`jen1 inpaint`: replace ranges of a file; every other sample stays what it was."""

from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelChoice
from jen1cli.cli.inputs import open_input
from jen1cli.cli.loras import parse_loras
from jen1cli.cli.masks import parse_masks, resolve_masks
from jen1cli.cli.outputs import Result, check_takes, plan_outputs
from jen1cli.cli.prompts import check_prompt, draw_seed
from jen1cli.cli.report import Report
from jen1cli.cli.sampling import Sampling, check_seed


def inpaint(
    source: options.AudioInput,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="RANGE",
            help="What is made anew: 3-6s, 1:02-1:05.5, 10s-end, start-2s or bars:5-8 (in 4/4, with"
            " --bpm); repeatable.",
        ),
    ] = None,
    bpm: options.Bpm = None,
    key: options.Key = None,
    chords: options.Chords = None,
    drums: options.Drums = None,
    melody: options.Melody = None,
    prompt: options.Prompt = None,
    output: options.Output = None,
    negative: options.Negative = None,
    steps: options.Steps = None,
    sampler: options.Sampler = None,
    guidance_scale: options.GuidanceScale = None,
    seed: options.Seed = None,
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
    """Replace ranges of a file, leaving every other sample as it was."""
    sampling = Sampling(
        steps, sampler, guidance_scale, negative, bpm, key, chords, drums, melody
    ).check()
    masks = parse_masks(mask or [], bpm)
    text = "" if prompt is None else check_prompt(prompt)
    seed = draw_seed() if seed is None else check_seed(seed)
    opened = open_input(source)
    spans = resolve_masks(masks, opened.info.seconds, opened.info.sample_rate, opened.name)
    (target,) = plan_outputs(
        output,
        [Result(f"{opened.stem}-inpaint", seed, 1)],
        default_name="{slug}-{seed}.{ext}",
        extension=opened.extension,
        format_name=audio_format,
        force=force,
    )
    check_takes(target.extension, opened.info.sample_rate, opened.info.channels)
    report = Report(as_json=as_json, quiet=quiet, audio_on_stdout=output == "-")
    choice = ModelChoice(model, device, dtype, random_weights, parse_loras(lora)).check()
    with Engine.open(choice, report) as engine:
        with engine.making("inpaint") as progress:
            music = engine.model.inpaint(
                opened.source,
                masks=spans,
                prompt=text,
                seed=seed,
                progress=progress,
                **sampling.arguments(),
            )
        engine.deliver(music, target)
