"""`jen1 encode`: audio to latent files."""

from pathlib import Path
from typing import Annotated

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import Engine, ModelOptions, written
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import (
    LATENT_SUFFIXES,
    AudioInput,
    Faults,
    list_files,
    names_apart,
    open_input,
)
from jen1cli.cli.outputs import Result
from jen1cli.folders import AUDIO_SUFFIXES

LATENTS = tuple(suffix.removeprefix(".") for suffix in LATENT_SUFFIXES)


@grouped
def encode(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Audio files, folders of them, or '-' for stdin.",
            show_default=False,
        ),
    ],
    destination: Annotated[options.Destination, Without("audio_format", "signing")],
    model: Annotated[ModelOptions, Without("lora", "quality")],
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
        faults.raise_collected()
    is_of_folder = any(Path(given).is_dir() for given in inputs)
    names = names_apart(files, [item.stem for item in opened])
    targets = destination.plan(
        [
            Result(name, None, i + 1, folder, is_of_folder=is_of_folder)
            for i, (name, (_, folder)) in enumerate(zip(names, files, strict=True))
        ],
        default_name="{slug}.{ext}",
        extension=LATENTS[0],
        extensions=LATENTS,
    )
    report = destination.report()
    with Engine.open(model.choice().check(), report) as engine:
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
    faults.raise_collected()
