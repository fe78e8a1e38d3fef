"""`jen1 train`: both stages, the latent cache between them, and fine-tuning."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from jen1cli.cli import options, terminal
from jen1cli.cli.console import Console
from jen1cli.cli.groups import grouped
from jen1cli.cli.training.display import Display
from jen1cli.cli.training.settings import (
    Device,
    DistillationOptions,
    FinetuningOptions,
    Prompts,
    Seed,
    Steps,
    Tasks,
    TrainingOptions,
    check_tasks,
)
from jen1cli.errors import ConfigError
from jen1cli.sampling import MAX_STEPS

app = typer.Typer(
    no_args_is_help=True,
    help="Train the autoencoder and the diffusion model on a folder of music.",
    context_settings=terminal.HELP_OPTIONS,
    add_completion=False,
)

Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FOLDER", help="Folder of the run.", show_default=False),
]
Data = Annotated[
    str,
    typer.Argument(
        metavar="MUSIC",
        help="Folder of music; of tar files also the URL, or a pattern such as"
        " 's3://bucket/music/train-{000..099}.tar'.",
        show_default=False,
    ),
]
Cache = Annotated[
    str,
    typer.Argument(
        metavar="CACHE",
        help="Folder of 'jen1 train latents'; of its tar files also the URL, or a pattern such as"
        " 's3://bucket/cache/train-{00000..00063}.tar'.",
        show_default=False,
    ),
]
TextEncoderFolder = Annotated[
    Path | None,
    typer.Option(
        "--text-encoder",
        metavar="FOLDER",
        help="Text encoder, where it is local; left out: that of the bundled model.",
    ),
]


@app.command("autoencoder")
@grouped
def autoencoder(
    data: Data,
    output: Output,
    *,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose autoencoder to train; left out: the recipe's."),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="NAME|FOLDER",
            help="Weight set, or result of 'jen1 train autoencoder', to continue from.",
        ),
    ] = None,
    freeze_encoder: Annotated[
        bool,
        typer.Option(
            "--freeze-encoder",
            help="Train the decoder only: diffusion models of the same latents still fit.",
        ),
    ] = False,
    freeze_components: Annotated[
        bool,
        typer.Option(
            "--freeze-components",
            help="Train the decoder and what whitening drops of the latents: these models fit too.",
        ),
    ] = False,
    only: Annotated[
        str,
        typer.Option(
            metavar="NAME:CHANNELS",
            help="Train only 'envelopes:128', which sharpen attacks, or 'frequencies:256', which"
            " tune tones; added to a set without. The latents stay.",
            show_default=False,
        ),
    ] = "",
    settings: TrainingOptions,
    reporting: options.Reporting,
) -> None:
    """Train the masked autoencoder (stage 1)."""
    own = {
        "data": data, "output": output, "preset": preset, "init": init,
        "freeze_encoder": freeze_encoder, "freeze_components": freeze_components,
        "only": only,
    }  # fmt: skip
    _run("AutoencoderJob", own, vars(settings), reporting, output / "weights")


@app.command("latents")
@grouped
def latents(
    data: Data,
    output: Output,
    *,
    model: Annotated[
        Path,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME|FOLDER",
            help="Weight set, or result of 'jen1 train autoencoder'.",
            show_default=False,
        ),
    ],
    keep_whitening: Annotated[
        bool,
        typer.Option("--keep-whitening", help="Use the model's whitening, for fine-tuning."),
    ] = False,
    augmented: Annotated[
        float,
        typer.Option(
            "--augmented",
            "--coloured",  # the name of 0.1.0
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="Of the training clips, to encode once more as if recorded and mixed otherwise,"
            " without captions: edits of foreign recordings learn from them.",
        ),
    ] = 0.0,
    shard: options.ShardName = None,
    device: Device = "auto",
    reporting: options.Reporting,
) -> None:
    """Encode a folder of music into a latent cache.

    --shard writes a part of the clips into tar files of a folder that all parts share, and what is
    there is not written again. 'jen1 train diffusion' streams them, from a folder or a URL.
    """
    own = {
        "data": data, "output": output, "model": model,
        "keep_whitening": keep_whitening, "augmented": augmented,
        "shard": options.chosen_shard(shard),
    }  # fmt: skip
    _run("LatentsJob", own, {"device": device}, reporting, output)


@app.command("diffusion")
@grouped
def diffusion(
    cache: Cache,
    output: Output,
    *,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose U-Net to train; left out: the cache's model."),
    ] = None,
    text_encoder: TextEncoderFolder = None,
    init: Annotated[
        Path | None, typer.Option(metavar="NAME|FOLDER", help="Weight set to continue from.")
    ] = None,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CACHE:SHARE",
            help="Latents in tar files to mix in, with their share of the windows; that of CACHE is"
            " 1. Repeatable.",
        ),
    ] = None,
    prompt: Prompts = None,
    average: Annotated[
        list[float] | None,
        typer.Option(
            metavar="DECAY",
            help="Decay of a further average of the weights, such as 0.9999, written to"
            " averages/DECAY; repeatable.",
        ),
    ] = None,
    settings: TrainingOptions,
    reporting: options.Reporting,
) -> None:
    """Train the diffusion model (stage 2): three tasks at once on cached latents.

    If the cache has full scores ('jen1 corpus scores'), the U-Net learns to take them.
    """
    own = {
        "cache": cache, "output": output, "preset": preset, "text_encoder": text_encoder,
        "init": init, "prompt": tuple(prompt or ()), "more_ema_decays": tuple(average or ()),
        "mix": tuple(map(_weighted, mix or ())),
    }  # fmt: skip
    _run("DiffusionJob", own, vars(settings), reporting, output / "weights")


@app.command("controls")
@app.command("guide", hidden=True)  # the name of 0.1.0
@grouped
def controls(
    cache: Cache,
    output: Output,
    *,
    init: Annotated[
        Path,
        typer.Option(
            metavar="NAME|FOLDER", help="Weight set that gets the controls.", show_default=False
        ),
    ],
    settings: TrainingOptions,
    reporting: options.Reporting,
) -> None:
    """Train the controls: tempo and key that fit a text, and those that music has."""
    own = {"cache": cache, "output": output, "init": init}
    _run("ControlsJob", own, vars(settings), reporting, output / "weights")


@app.command("text-encoder")
@grouped
def text_encoder(
    output: Output,
    *,
    teacher: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Sentence model to learn from, such as all-MiniLM-L6-v2.",
            show_default=False,
        ),
    ],
    captions: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="Folder of music or JSON lines; repeatable."),
    ] = None,
    text: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="General English: file or WordNet folder; repeatable."),
    ] = None,
    init: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Text encoder to go on from.")
    ] = None,
    minutes: Annotated[float, typer.Option(metavar="X", help="Of training.")] = 15.0,
    steps: Steps = None,
    seed: Seed = 0,
    device: Device = "auto",
    reporting: options.Reporting,
) -> None:
    """Train a small text encoder (T5) from a sentence model, for a bundled model."""
    report = reporting.report()
    with Display(report) as display:
        from jen1cli.training.text_encoder.job import TextEncoderJob

        job = TextEncoderJob(
            output=output, teacher=teacher, captions=tuple(captions or ()),
            texts=tuple(text or ()), init=init, minutes=minutes, steps=steps, seed=seed,
            device=device,
        )  # fmt: skip
        figures = job.run(display)
    report.result({"path": str(output), **figures}, *map(_figure, figures.items()))


@app.command("finetune")
@grouped
def finetune(
    data: Data,
    output: Output,
    *,
    model: Annotated[
        str,
        typer.Option("--model", "-m", metavar="NAME|FOLDER", help="Weight set to start from."),
    ] = "jen1-mini",
    lora: Annotated[
        int | None,
        typer.Option(
            metavar="RANK", help="Train a small LoRA file of this rank; left out: all weights."
        ),
    ] = None,
    prompt: Prompts = None,
    settings: FinetuningOptions,
    reporting: options.Reporting,
) -> None:
    """Train a model further on your own music: all of it, or a LoRA."""
    own = {
        "data": data, "output": output, "model": model, "lora": lora,
        "prompt": tuple(prompt or ()),
    }  # fmt: skip
    name = "weights/lora.safetensors" if lora is not None else "weights"
    _run("FinetuneJob", own, vars(settings), reporting, output / name)


@app.command("distill")
@grouped
def distill(
    cache: Cache,
    output: Output,
    *,
    model: Annotated[
        str,
        typer.Option("--model", "-m", metavar="NAME|FOLDER", help="Weight set to distill."),
    ] = "jen1-mini",
    rank: Annotated[int, typer.Option(metavar="RANK", min=1, help="Rank of the change.")] = 32,
    sampling_steps: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=MAX_STEPS, help="Sampler steps that the set takes by default."
        ),
    ] = 5,
    task: Tasks = None,
    prompt: Prompts = None,
    settings: DistillationOptions,
    reporting: options.Reporting,
) -> None:
    """Distill the guidance of a model: one pass of the network a step in place of two.

    The result is the weight set with a low-rank change of its U-Net.
    """
    own = {
        "cache": cache, "output": output, "init": model, "lora": rank, "tasks": check_tasks(task),
        "distilled_steps": sampling_steps, "prompt": tuple(prompt or ()),
    }  # fmt: skip
    _run("DiffusionJob", own, vars(settings), reporting, output / "weights")


@app.command("all")
@grouped
def all_stages(
    data: Data,
    output: Output,
    *,
    text_encoder: TextEncoderFolder = None,
    settings: TrainingOptions,
    reporting: options.Reporting,
) -> None:
    """Train all stages on a folder of music, one after the other."""
    own = {"data": data, "output": output, "text_encoder": text_encoder}
    _run("AllJob", own, vars(settings), reporting, None)


def _run(
    kind: str,
    own: Mapping[str, Any],
    settings: Mapping[str, Any],
    reporting: options.Reporting,
    result: Path | None,
) -> None:
    """Run a job with a live display, and report the path of its result."""
    values = {**own, **settings}
    first = os.environ.get("RANK", "0") == "0"  # main process of `accelerate launch`
    report = Console(as_json=reporting.as_json, quiet=reporting.quiet or not first)
    try:
        from jen1cli.training import jobs

        job = getattr(jobs, kind)(**values)
        with Display(report) as display:
            figures = job.run(display)
            result = result or job.result(own["output"])
    except KeyboardInterrupt:
        report.note("stopped; the same command with --resume goes on from the last save")
        raise
    if not first:
        return
    if values.get("dry_run"):
        report.result({"path": None, **figures}, *map(_figure, figures.items()))
        return
    report.result({"path": str(result), **figures})


def _weighted(text: str) -> tuple[str, float]:
    """Read "CACHE:SHARE"."""
    cache, _, share = text.rpartition(":")
    try:
        return cache, float(share)
    except ValueError as error:
        raise ConfigError(f"--mix {text} names no share; write it as CACHE:0.5") from error


def _figure(item: tuple[str, float | int]) -> str:
    name, value = item
    if float(value).is_integer():
        return f"{name}: {value:,.0f}"
    return f"{name}: {value:,.1f}" if abs(value) >= 100 else f"{name}: {value:.4g}"
