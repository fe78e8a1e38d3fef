"""`jen1 corpus`: compose and render training music, and look at folders of music."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jen1cli.cli import options, terminal
from jen1cli.cli.groups import grouped
from jen1cli.cli.outputs import check_place
from jen1cli.errors import ConfigError

if TYPE_CHECKING:
    from jen1cli.corpus.inspect import Statistics
    from jen1cli.corpus.writing import CorpusProgress

app = typer.Typer(
    no_args_is_help=True,
    help="Compose and render the training music; look at folders of music.",
    context_settings=terminal.HELP_OPTIONS,
    add_completion=False,
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the music.")]
Style = Annotated[
    list[str] | None,
    typer.Option("--style", metavar="NAME", help="Only this style; repeatable. Left out: all."),
]
SoundFont = Annotated[
    Path | None,
    typer.Option(
        "--soundfont",
        metavar="FILE",
        help="SoundFont (.sf2, .sf3) of the sampled instruments. Left out: JEN1_SOUNDFONT, or one"
        " under /usr/share/sounds; docs/install.md says where free ones are.",
    ),
]


@app.command("make", no_args_is_help=True)
@grouped
def make(
    folder: Folder,
    *,
    hours: Annotated[float, typer.Option("--hours", metavar="X", help="Hours of music.")] = 1.0,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", help="Same seed and version: same bytes."),
    ] = 1,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", metavar="N", help="Processes. Left out: one a core."),
    ] = None,
    style: Style = None,
    soundfont: SoundFont = None,
    shards: Annotated[
        bool, typer.Option("--shards", help="Write WebDataset tar files, not single files.")
    ] = False,
    stems: Annotated[
        bool, typer.Option("--stems", help="Write drums, bass, harmony and melody as well.")
    ] = False,
    clip_seconds: Annotated[
        float, typer.Option("--clip-seconds", metavar="X", help="Wanted length of a clip, 12-30.")
    ] = 20.0,
    reporting: options.Reporting,
) -> None:
    """Make training music: composed by rule, rendered, captioned.

    An interrupted run goes on where it stopped; more --hours extend a finished one.
    """
    if hours <= 0:
        raise ConfigError(f"--hours {hours:g} is no length; give more than 0")
    if workers is not None and workers < 1:
        raise ConfigError(f"--workers {workers} is too few; give 1 or more")
    report = reporting.report()
    from jen1cli.corpus import writing

    began = noted = time.monotonic()
    with report.library_warnings(), report.progress("minutes of music") as bar:

        def tell(progress: "CorpusProgress") -> None:
            nonlocal noted
            bar(int(progress.seconds / 60), int(progress.wanted_seconds / 60) + 1)
            if time.monotonic() - noted > terminal.LINE_SECONDS and not sys.stderr.isatty():
                noted = time.monotonic()
                report.note(f"{progress.clips} clips, {progress.seconds / 3600:.2f} hours")

        made = writing.make(
            folder,
            hours,
            seed,
            workers or os.cpu_count() or 1,
            styles=tuple(style or ()),
            soundfont=soundfont,
            shards=shards,
            stems=stems,
            clip_seconds=clip_seconds,
            on_clip=tell,
        )
    facts = {
        "path": str(folder),
        "clips": made.clips,
        "reused": made.reused,
        "hours": round(made.seconds / 3600.0, 4),
        "seed": seed,
    }
    note = (
        f"{made.clips} clips, {made.seconds / 3600.0:.2f} hours, {made.reused} of them there before"
        f" ({time.monotonic() - began:.0f} s)"
    )
    report.result(facts, note)


@app.command("scores", no_args_is_help=True)
@grouped
def scores(
    folder: Folder,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Left out: scores.jsonl in the folder."
        ),
    ] = None,
    force: options.Force = False,
    reporting: options.Reporting,
) -> None:
    """Write the full score of every clip of a corpus, for models that take scores.

    'jen1 corpus make' writes them too; this adds them to an older corpus. It composes the clips
    again without rendering and refuses a corpus whose compositions differ from its manifest.
    """
    report = reporting.report()
    from jen1cli.corpus.scores import SCORES_NAME, add_scores

    if output is not None:
        check_place(output, force=force)
    with report.progress("scores") as bar:
        clips = add_scores(folder, output, bar)
    report.result({"path": str(output or folder / SCORES_NAME), "clips": clips})


@app.command("styles")
def styles(as_json: options.Json = False) -> None:
    """List the styles that can be composed."""
    from jen1cli.composition.styles import STYLES

    for name, style in STYLES.items():
        low, high = style.tempo
        if as_json:
            facts = {"style": name, "tempo": [low, high], "meters": sorted(_words(style.meters))}
            terminal.echo_json(facts)
        else:
            terminal.echo(f"{name:<20} {low:g}-{high:g} bpm, {', '.join(_words(style.meters))}")


def _words(weights: str) -> list[str]:
    """Return the names of `one:3 two`."""
    return [word.split(":")[0] for word in weights.split()]


@app.command("inspect", no_args_is_help=True)
@grouped
def inspect(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="MUSIC", help="Folder of music; of tar files also the URL or a pattern."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Contact sheet (HTML). Left out: contact-sheet.html in the folder.",
        ),
    ] = None,
    clips: Annotated[
        int, typer.Option("--clips", metavar="N", help="Clips on the sheet; 0: no sheet.")
    ] = 24,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="X", help="Seconds of each player.")
    ] = 8.0,
    force: options.Force = False,
    reporting: options.Reporting,
) -> None:
    """Show what a folder of music holds, and write a page to look and listen through it."""
    report = reporting.report()
    from jen1cli.corpus import contact_sheet
    from jen1cli.corpus import inspect as inspection
    from jen1cli.manifest import home_of, read_folder

    home = home_of(folder)
    if output is None and clips > 0 and isinstance(home, str):
        raise ConfigError(f"no page can be written to {home}; give --output FILE, or --clips 0")
    sheet = output or Path(home, "contact-sheet.html")
    force = force or output is None  # the command's own page is overwritten
    if clips > 0:
        check_place(sheet, force=force)

    def skipped(path: Path, reason: str) -> None:
        report.warn(f"skipped {path}: {reason}")

    found = read_folder(folder, on_skip=skipped)
    statistics = inspection.measure(found)
    if not reporting.quiet and not reporting.as_json:
        _show(statistics)
    path = None
    if clips > 0:
        with report.progress("clips on the sheet") as bar:
            chosen = inspection.choose(found, clips)
            contact_sheet.write(
                sheet, str(folder).rstrip("/").rpartition("/")[2], statistics, chosen, seconds, bar,
                on_skip=skipped, overwrite=force,
            )  # fmt: skip
        path = str(sheet)
    report.result({"path": path, **inspection.as_json(statistics)})


def _show(statistics: "Statistics") -> None:
    """Print readable tables on stderr."""
    from rich.table import Table

    console = terminal.console()
    console.print(
        f"{statistics.clips} clips, {statistics.hours:.2f} hours; "
        f"{statistics.captions} captions of {statistics.words_per_caption:.1f} words on average, "
        f"{statistics.vocabulary} different words"
    )
    for title, counts in statistics.tables.items():
        if not counts:
            continue
        table = Table(title=title, title_justify="left", show_header=False, box=None)
        table.add_column()
        table.add_column(justify="right")
        table.add_column()
        most = max(counts.values())
        for name, count in counts.items():
            table.add_row(terminal.cell(name), str(count), "▇" * max(1, round(30 * count / most)))
        console.print(table)
