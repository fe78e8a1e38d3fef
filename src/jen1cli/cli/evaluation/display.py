"""Shared by the subcommands of `jen1 evaluate`: options, and display of findings."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options, terminal
from jen1cli.cli.console import Console
from jen1cli.errors import ConfigError

if TYPE_CHECKING:
    from jen1cli.evaluation.report import Report as Findings

ALL = "all"  # every clip of a folder, whatever its split
Deliver = Callable[["Findings"], None]

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of audio.", show_default=False)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Folder of report.json, report.html and audio.",
        rich_help_panel=options.OUTPUT_PANEL,
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option("--reference", "-r", metavar="DIR", help="Folder of real music with captions."),
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="NAME",
        help="train, validation, test or all; left out: test, or all where no splits are named.",
    ),
]
ReferenceSplit = Annotated[
    str | None,
    typer.Option(
        "--reference-split",
        metavar="NAME",
        help="train, validation, test or all; left out: test, or all where no splits are named.",
    ),
]
LIMIT = typer.Option("--limit", min=1, metavar="N", help="Clips at most.")
Limit = Annotated[int | None, LIMIT]
ClipSeconds = Annotated[float, typer.Option("--seconds", "-s", metavar="X", help="Of each clip.")]
ClipSeed = Annotated[int, typer.Option("--seed", metavar="N", help="Clip i uses seed + i.")]
Embeddings = Annotated[
    list[str] | None,
    typer.Option(
        "--embedding",
        "-e",
        metavar="NAME[=FOLDER|HUB-ID]",
        help="tagger, handcrafted, clap, audioset or vggish; repeatable."
        " Left out: tagger and handcrafted.",
    ),
]
SampleRate = Annotated[
    int | None,
    typer.Option("--sample-rate", metavar="HZ", help="That files must have; left out: as most."),
]


def chosen_split(given: str | None, option: str = "--split") -> str | None:
    """Return the split as the argument of `jen1cli.evaluation.clips.find_clips`.

    Raises:
        ConfigError: there is no split of that name.
    """
    if given is None:
        from jen1cli.evaluation.clips import HELD_OUT

        return HELD_OUT
    from jen1cli.manifest import SPLITS

    if given != ALL and given not in SPLITS:
        raise ConfigError(f"{option} {given} is unknown; known: {', '.join((*SPLITS, ALL))}")
    return None if given == ALL else given


@contextlib.contextmanager
def evaluating(
    reporting: options.Reporting, output: Path | None
) -> Iterator[tuple[Console, Deliver]]:
    """Yield a reporter and a function that shows, writes and reports the findings."""
    report = reporting.report()

    def deliver(findings: "Findings") -> None:
        path = None
        if output is not None:
            from jen1cli.evaluation.page import write_report

            path = write_report(output, findings)[1]
        if report.as_json:
            report.result({"path": None if path is None else str(path), **findings.facts()})
            return
        for line in findings.warnings:
            report.warn(line)
        if not report.quiet:
            show_report(findings)
        report.result({"path": None if path is None else str(path)})

    with report.library_warnings():
        yield report, deliver


def show_report(findings: "Findings") -> None:
    """Print every table to stderr; stdout is for paths."""
    from rich.table import Table

    from jen1cli.evaluation.report import shown

    console = terminal.console()
    for table in findings.tables:
        grid = Table(box=None, pad_edge=False)
        for number, name in enumerate(table.columns):
            grid.add_column(
                terminal.cell(name), justify="left" if number == 0 else "right", no_wrap=number == 0
            )
        for row in table.rows:
            grid.add_row(*(terminal.cell(shown(value, table.unit)) for value in row))
        console.print(terminal.cell(table.title, "bold"))  # a grid's own title wraps at its width
        console.print(grid)
        if table.note:
            console.print(terminal.cell(table.note, "dim italic"))
        console.print()
