"""The larger studies of `jen1 evaluate`: listening tests, MusicCaps, the paper's ablation."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from jen1cli.cli import options
from jen1cli.cli.engine import ModelOptions, load_model
from jen1cli.cli.evaluation import display
from jen1cli.cli.evaluation.ablation import ablation
from jen1cli.cli.groups import Without, grouped
from jen1cli.cli.outputs import check_place
from jen1cli.cli.sampling import SamplerChoice, check_seconds
from jen1cli.errors import ConfigError
from jen1cli.music.texts import check_text


@grouped
def listen(
    systems: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=DIR...", help="Systems to compare and their clips.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Page (.html).")
    ] = Path("listening.html"),
    clips: Annotated[
        int, typer.Option("--clips", "-n", min=1, metavar="N", help="Clips of each system.")
    ] = 10,
    seconds: display.ClipSeconds = 10.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the choice.")] = 0,
    together: Annotated[
        bool,
        typer.Option("--together", help="Clips of one caption side by side; quality alone."),
    ] = False,
    force: options.Force = False,
    reporting: options.Reporting,
) -> None:
    """Write a listening test: one blind, shuffled page, quality and fit from 1 to 100.

    --together compares versions of the same music, such as those that 'jen1 evaluate edits' keeps.
    The key beside the page (.key.json) says who made what: keep it from the listeners.
    """
    check_seconds(seconds)
    pairs = [(name, Path(folder)) for name, _, folder in (s.partition("=") for s in systems)]
    for text, (name, folder) in zip(systems, pairs, strict=True):
        if "=" not in text or not name or not folder.is_dir():
            raise ConfigError(f"'{text}' names no folder; write NAME=DIR, as in mini=takes/")
        check_text(name, "the system's name")
    if len({name for name, _ in pairs}) < len(pairs):
        raise ConfigError("two systems have one name; give each its own")
    if output.suffix != ".html":
        raise ConfigError(f"'{output}' is no .html file; name one")
    check_place(output, force=force)
    report = reporting.report()
    with report.library_warnings():
        from jen1cli.evaluation.studies.listening import ListenJob, System, key_path

        check_place(key_path(output), force=force)
        job = ListenJob([System(*pair) for pair in pairs], clips, seconds, seed, together)
        page = job.write(output, overwrite=force)
    for line in (*page.remarks, *(line for audit in page.audits for line in audit.warnings())):
        report.warn(line)
    key = key_path(page.path)
    report.result({"path": str(page.path), "key": str(key)}, f"key: {key}")


@grouped
def listen_results(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="JSON|DIR...", help="What listeners saved.", show_default=False),
    ],
    *,
    key: Annotated[
        Path, typer.Option("--key", "-k", metavar="FILE", help="The page's .key.json.")
    ] = Path("listening.key.json"),
    output: display.Output = None,
    reporting: options.Reporting,
) -> None:
    """Read the answers of a listening test: means with confidence intervals."""
    with display.evaluating(reporting, output) as (_, deliver):
        from jen1cli.evaluation.studies.listening import read_results, summarize

        ratings, problems = read_results(results, key)
        deliver(summarize(ratings, problems))


@grouped
def musiccaps(
    table: Annotated[
        Path,
        typer.Argument(metavar="CSV", help="MusicCaps' public table.", show_default=False),
    ],
    clips: Annotated[
        Path, typer.Option("--clips", metavar="DIR", help="The clips you have, by video id.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Music and report.")
    ],
    *,
    embedding: display.Embeddings = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Only the balanced subset of 1000.")
    ] = False,
    made: Annotated[
        bool, typer.Option("--made", help="Score the music of the folder; make none.")
    ] = False,
    limit: display.Limit = None,
    seed: display.ClipSeed = 0,
    sampler: SamplerChoice,
    model: Annotated[ModelOptions, Without("lora", "random_weights")],
    reporting: options.Reporting,
) -> None:
    """Follow the paper's protocol on the MusicCaps clips that you have; print its Table II."""
    sampler.check()
    choice = model.choice()
    if not made:
        choice.check()
    with display.evaluating(reporting, output) as (report, deliver):
        from jen1cli.evaluation.embeddings.embedding import SET_EMBEDDINGS
        from jen1cli.evaluation.studies.musiccaps import MusicCapsJob

        job = MusicCapsJob(
            table, clips, output, tuple(embedding or SET_EMBEDDINGS), balanced, limit,
            seed, sampler.arguments(),
        )  # fmt: skip
        loaded = None if made else load_model(choice, report)
        with report.progress("clips") as progress:
            deliver(job.run(loaded, progress))


COMMANDS: dict[str, Callable[..., Any]] = {
    "listen": listen,
    "listen-results": listen_results,
    "musiccaps": musiccaps,
    "ablation": ablation,
}
