"""`jen1 decode`: latent files to audio."""

import io
from pathlib import Path
from typing import Annotated

import typer

from jen1cli.cli import options, streams
from jen1cli.cli.engine import Engine, ModelOptions
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.inputs import LATENT_SUFFIXES, Faults, list_files, names_apart
from jen1cli.cli.outputs import Result, is_folder, new_folder
from jen1cli.headers import LatentHeader, read_latent_header


@grouped
def decode(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="LATENT",
            help="Latent files, folders of them, or '-' for stdin.",
            show_default=False,
        ),
    ],
    destination: options.Destination,
    model: Annotated[ModelOptions, Without("lora")],
) -> None:
    """Turn latent files back into audio; folders keep their tree."""
    faults = Faults()
    files: list[tuple[str, Path]] = []
    sources: list[bytes | Path] = []
    headers: list[LatentHeader] = []
    for given, folder in list_files(inputs, LATENT_SUFFIXES, "latent files", faults):
        with faults.kept():
            source = _read_pipe(streams.open_source(given, "a latent"))
            headers.append(read_latent_header(source))
            sources.append(source)
            files.append((given, folder))
    if not files:
        faults.raise_collected()
    stems = ["audio" if isinstance(source, bytes) else source.stem for source in sources]
    results = [
        Result(name, None, i + 1, folder)
        for i, (name, (_, folder)) in enumerate(zip(names_apart(files, stems), files, strict=True))
    ]
    output = destination.output
    in_folder = is_folder(output) or new_folder(output, results, destination.audio_format)
    targets = destination.plan(
        results,
        default_name="{slug}.{ext}" if in_folder else "{slug}-decoded.{ext}",
        extension="wav",
    )
    for header, target in zip(headers, targets, strict=True):
        target.check_format(header.sample_rate, header.channels)
    report = destination.report()
    with Engine.open(model.choice().check(), report, destination.signing) as engine:
        from jen1cli.pipeline import LatentFile

        for source, (given, _), target in zip(sources, files, targets, strict=True):
            music = None
            with faults.kept(), engine.making(given):
                latent = LatentFile.load(source)
                music = engine.model.decode(latent)
            if music is not None:
                engine.deliver(music, target)
    faults.raise_collected()


def _read_pipe(source: io.BytesIO | Path) -> bytes | Path:
    return source.getvalue() if isinstance(source, io.BytesIO) else source
