"""`jen1 decode`: latent files to audio."""

from pathlib import Path
from typing import Annotated

import typer

from jen1cli.cli import options, streams
from jen1cli.cli.engine import Engine, ModelChoice
from jen1cli.cli.headers import check_latent
from jen1cli.cli.inputs import LATENT_SUFFIXES, list_files, names_apart
from jen1cli.cli.outputs import Result, check_takes, is_folder, plan_outputs
from jen1cli.cli.report import Report

RECORDING = ("sample_rate", "channels")


def decode(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="LATENT",
            help="Latent files, folders of them, or '-' for stdin.",
            show_default=False,
        ),
    ],
    output: options.Output = None,
    model: options.Model = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    random_weights: options.RandomWeights = False,
    audio_format: options.AudioFormat = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Turn latent files back into audio; folders keep their tree."""
    files = list_files(inputs, LATENT_SUFFIXES, "latent files")
    piped = streams.read_stdin("a latent").getvalue() if "-" in inputs else b""
    headers = [check_latent(piped if given == "-" else Path(given)) for given, _ in files]
    stems = ["audio" if given == "-" else Path(given).stem for given, _ in files]
    results = [
        Result(name, None, i + 1, folder)
        for i, (name, (_, folder)) in enumerate(zip(names_apart(files, stems), files, strict=True))
    ]
    targets = plan_outputs(
        output,
        results,
        default_name="{slug}.{ext}" if is_folder(output) else "{slug}-decoded.{ext}",
        extension="wav",
        format_name=audio_format,
        force=force,
    )
    for header, target in zip(headers, targets, strict=True):
        check_takes(target.extension, *(int(header.metadata[key]) for key in RECORDING))
    report = Report(as_json=as_json, quiet=quiet, audio_on_stdout=output == "-")
    with Engine.open(ModelChoice(model, device, dtype, random_weights).check(), report) as engine:
        from jen1cli.pipeline import LatentFile

        for (given, _), target in zip(files, targets, strict=True):
            with engine.making(given):
                latent = LatentFile.load(piped if given == "-" else given)
                music = engine.model.decode(latent)
            engine.deliver(music, target)
