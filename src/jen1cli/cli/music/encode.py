"""`jen1 encode`: audio to latent files."""

import dataclasses
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
from jen1cli.cli.outputs import Result, Target
from jen1cli.folders import AUDIO_SUFFIXES

LATENTS = tuple(suffix.removeprefix(".") for suffix in LATENT_SUFFIXES)
Opened = tuple[list[AudioInput], list[tuple[str, Path]]]


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
    *,
    shard: options.ShardName = None,
    destination: Annotated[options.Destination, Without("audio_format", "signing")],
    model: Annotated[ModelOptions, Without("lora", "quality")],
) -> None:
    """Turn audio into latent files (safetensors); folders keep their tree.

    --shard encodes a part of the files, and only those whose latents are missing.
    """
    faults = Faults()
    listed = list_files(inputs, AUDIO_SUFFIXES, "audio files", faults)
    is_of_folder = any(Path(given).is_dir() for given in inputs)
    part = options.chosen_shard(shard)
    if part is None:
        opened, files = _opened(listed, faults)
        if not opened:
            faults.raise_collected()
        stems = [item.stem for item in opened]
        targets = _planned(files, stems, destination, is_of_folder=is_of_folder)
    else:  # names are planned for all files, so that they do not depend on the division
        every = dataclasses.replace(destination, force=True)
        stems = [Path(given).stem for given, _ in listed]
        planned = _planned(listed, stems, every, is_of_folder=is_of_folder)
        mine = part.of(list(zip(listed, planned, strict=True)))
        missing = {
            file: target
            for file, target in mine
            if destination.force or target.path is None or not target.path.exists()
        }
        opened, files = _opened(list(missing), faults)
        targets = [missing[file] for file in files]
    report = destination.report()
    if not opened:
        faults.raise_collected()
        report.note("nothing is missing")
        return
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


def _opened(listed: list[tuple[str, Path]], faults: Faults) -> Opened:
    """Read inputs as a check; those that cannot be read are collected as faults."""
    opened: list[AudioInput] = []
    files: list[tuple[str, Path]] = []
    for given, folder in listed:
        with faults.kept():
            opened.append(open_input(given))
            files.append((given, folder))
    return opened, files


def _planned(
    files: list[tuple[str, Path]],
    stems: list[str],
    destination: options.Destination,
    *,
    is_of_folder: bool,
) -> list[Target]:
    """Return the latent file of each input."""
    named = zip(names_apart(files, stems), files, strict=True)
    results = [
        Result(name, None, i + 1, folder, is_of_folder=is_of_folder)
        for i, (name, (_, folder)) in enumerate(named)
    ]
    return destination.plan(
        results, default_name="{slug}.{ext}", extension=LATENTS[0], extensions=LATENTS
    )
