"""`jen1 encode`: audio to latent files."""

from pathlib import Path
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelChoice, written
from jen1cli.cli.inputs import (
    AUDIO_SUFFIXES,
    LATENT_SUFFIXES,
    AudioInput,
    Faults,
    list_files,
    names_apart,
    open_input,
)
from jen1cli.cli.outputs import Result, plan_outputs
from jen1cli.cli.report import Report

LATENTS = tuple(suffix.removeprefix(".") for suffix in LATENT_SUFFIXES)


def encode(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Audio files, folders of them, or '-' for stdin.",
            show_default=False,
        ),
    ],
    output: options.Output = None,
    model: options.Model = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    random_weights: options.RandomWeights = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn audio into latent files (safetensors); folders keep their tree."""
    faults = Faults()
    files: list[tuple[str, Path]] = []
    opened: list[AudioInput] = []
    for given, folder in list_files(inputs, AUDIO_SUFFIXES, "audio files", faults):
        with faults.kept():
            opened.append(open_input(given))
            files.append((given, folder))
    if not opened:
        faults.tell()
    names = names_apart(files, [item.stem for item in opened])
    targets = plan_outputs(
        output,
        [
            Result(name, None, i + 1, folder)
            for i, (name, (_, folder)) in enumerate(zip(names, files, strict=True))
        ],
        default_name="{slug}.{ext}",
        extension=LATENTS[0],
        extensions=LATENTS,
        force=force,
    )
    report = Report(as_json=as_json, quiet=quiet, audio_on_stdout=output == "-")
    with Engine.open(ModelChoice(model, device, dtype, random_weights).check(), report) as engine:
        for item, target in zip(opened, targets, strict=True):
            latent = None
            with faults.kept(), engine.making(item.name):
                latent = engine.model.encode(item.source)
            if latent is None:
                continue
            with written(target, latent.save):
                pass
            channels, frames = latent.latent.shape
            facts = {
                "path": None if target.path is None else str(target.path),
                "seconds": round(latent.seconds, 6),
                "frames": frames,
                "latent_channels": channels,
                "frame_rate": latent.frame_rate,
                "sample_rate": latent.sample_rate,
                "samples": latent.samples,
                "channels": latent.channels,
                "model": {"name": latent.model, "sha256": latent.sha256},
            }
            report.result(facts, f"{item.name}: {latent.seconds:.2f} s as {frames} frames")
    faults.tell()
