"""`jen1 generate` for sets of any size: shards, resumption, processes, tar files, a plan."""

import contextlib
import dataclasses
import io
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jen1cli.cli import options, streams, terminal
from jen1cli.cli.console import Console
from jen1cli.cli.engine import ModelChoice
from jen1cli.cli.outputs import FORMATS
from jen1cli.cli.sampling import check_choice
from jen1cli.errors import ConfigError, Jen1Error
from jen1cli.sampling import MAX_BATCH, usual_batch

if TYPE_CHECKING:
    from jen1cli.cli.music.prompts import PromptRequest
    from jen1cli.scale.folder import SetFolder, SetSettings
    from jen1cli.scale.pieces import MakerSpec
    from jen1cli.scale.planning import SetPlan
    from jen1cli.scale.rows import Row
    from jen1cli.scale.run import Tally
    from jen1cli.shards import Shard

SET_PANEL = "Sets"
EXTENSION = "flac"
MAX_DEVICES = 1_024
_NOTE_SECONDS = 60.0


@dataclass(frozen=True)
class SetOptions:
    """Options that make a set of the rows of `--from`; any of them asks for one."""

    shard: Annotated[
        str | None,
        typer.Option(
            "--shard",
            metavar="K/N",
            help=options.SHARD_HELP,
            rich_help_panel=SET_PANEL,
        ),
    ] = None
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            metavar="",
            help="Make what is missing of the set in -o FOLDER.",
            rich_help_panel=SET_PANEL,
        ),
    ] = False
    plan: Annotated[
        bool,
        typer.Option(
            "--plan",
            metavar="",
            help="Count rows, hours and disk, measure the time of a piece, and make no set.",
            rich_help_panel=SET_PANEL,
        ),
    ] = False
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            metavar="NAME",
            help="files, or tar: WebDataset shards. Left out: files.",
            rich_help_panel=SET_PANEL,
        ),
    ] = None
    devices: Annotated[
        str | None,
        typer.Option(
            "--devices",
            metavar="N",
            help="Processes that share the work; 'all': one for each GPU, else for each core. Left"
            " out: one, which on a CPU computes with one thread.",
            rich_help_panel=SET_PANEL,
        ),
    ] = None
    batch: Annotated[
        int | None,
        typer.Option(
            "--batch",
            metavar="N",
            help="Pieces of one length made together; part of the settings, since it changes the"
            " last bits. Left out: 1 on a CPU, 8 on a GPU.",
            rich_help_panel=SET_PANEL,
        ),
    ] = None

    @property
    def is_asked(self) -> bool:
        """Whether a set is asked for."""
        return self != SetOptions()

    def check(self) -> "SetOptions":
        """Return itself.

        Raises:
            ConfigError: a value is unknown or makes no sense.
        """
        from jen1cli.scale.folder import LAYOUTS

        check_choice(self.layout or LAYOUTS[0], LAYOUTS, "--layout")
        if self.batch is not None and not 1 <= self.batch <= MAX_BATCH:
            raise ConfigError(f"--batch {self.batch} is not between 1 and {MAX_BATCH}")
        devices = self.devices or "all"
        if devices != "all" and not (devices.isdecimal() and 1 <= int(devices) <= MAX_DEVICES):
            raise ConfigError(f"--devices {devices} is neither 'all' nor 1 to {MAX_DEVICES:,}")
        return self

    def read_shard(self) -> "Shard":
        """Return the shard; all rows where none is given."""
        from jen1cli.shards import WHOLE, read_shard

        return WHOLE if self.shard is None else read_shard(self.shard)


@dataclass(frozen=True)
class SetJob:
    """A set as the command line asks for it."""

    options: SetOptions
    source: str  # the value of --from
    base: "PromptRequest"  # settings that a row may replace
    seed: int | None
    copies: int
    destination: "options.Destination"
    model: ModelChoice

    def run(self) -> None:
        """Make the set, or its plan.

        Raises:
            Jen1Error: nothing can be made, or rows have failed.
        """
        self._check()
        report = self.destination.report()
        with report.library_warnings():
            if self.options.plan:
                self._plan(report)
            else:
                self._make(report)

    def _check(self) -> None:
        destination = self.destination
        output = destination.output
        is_folder = output is not None and output != "-" and "{" not in output and output.strip()
        if not is_folder and not (self.options.plan and output is None):
            raise ConfigError("a set is written into a folder; give -o FOLDER")
        if destination.force:
            raise ConfigError(
                "--force replaces files, but a set is gone on with; give --resume or another folder"
            )
        if destination.audio_format is not None:
            check_choice(destination.audio_format, tuple(FORMATS), "--format")

    @property
    def _folder(self) -> Path:
        return Path(self.destination.output or ".")

    def _rows(self, shard: "Shard") -> Iterator["Row"]:
        from jen1cli.scale.rows import read_rows

        return read_rows(self.source, shard, stdin=_stdin() if self.source == "-" else None)

    def _settings(self, facts: dict[str, object]) -> "SetSettings":
        from jen1cli.scale import folder

        base = dataclasses.asdict(self.base)
        del base["prompt"], base["seed"], base["covered"]
        return folder.SetSettings(
            seed=self.seed,
            shards=self.options.read_shard().count,
            copies=self.copies,
            layout=self.options.layout or folder.LAYOUTS[0],
            extension=self.destination.audio_format or EXTENSION,
            batch=self.options.batch or usual_batch(str(facts["device"])),
            block_rows=folder.BLOCK_ROWS,
            facts={**facts, "base": base},
        )

    def _specs(self, settings: "SetSettings") -> "list[MakerSpec]":
        from jen1cli.scale.devices import list_devices
        from jen1cli.scale.pieces import MakerSpec

        return [
            MakerSpec(
                dataclasses.replace(self.model.source, device=device),
                self._folder.absolute(),
                settings.extension,
                settings.batch,
            )
            for device in list_devices(self.model.device, self.options.devices)
        ]

    def _plan(self, report: Console) -> None:
        from jen1cli.cli.music.prompts import RowReader
        from jen1cli.scale.planning import plan_set
        from jen1cli.shards import WHOLE

        shard = self.options.read_shard()
        specs = self._specs(self._settings(self.model.source.facts()))
        read = RowReader(self.base, self.seed or 0, self.copies)
        rows = _with_first(self._rows(WHOLE), self.source, WHOLE)
        plan = plan_set(rows, read, shard, specs[0], len(specs), self._folder)
        if plan.bad_rows:
            bad = _number(plan.bad_rows, "row")
            report.warn(f"{bad} cannot be read; the first: {plan.first_fault}")
        if plan.gigabytes > plan.free_gigabytes:
            report.warn(f"the disk of {self._folder.absolute()} is too small for the set")
        if report.as_json:
            report.result({"path": None, **dataclasses.asdict(plan)})
        else:
            terminal.echo(*_plan_lines(plan, shard))

    def _make(self, report: Console) -> None:
        from jen1cli.cli.music.prompts import RowReader
        from jen1cli.scale.folder import SetFolder
        from jen1cli.scale.run import make_shard

        if self.destination.signing.is_wanted:
            report.warn("a set is marked by its tags, but not signed: signatures always differ")
        shard = self.options.read_shard()
        settings = self._settings(self.model.source.facts())
        rows = _with_first(self._rows(shard), self.source, shard)
        folder = SetFolder(self._folder, settings, shard)
        if folder.is_begun and not self.options.resume:
            raise ConfigError(
                f"-o {self._folder} has a begun set; go on with --resume, or choose another folder"
            )
        seed = folder.settings.seed or 0
        report.note(f"shard {shard}, first seed {seed}, batches of {settings.batch}")
        read = RowReader(self.base, seed, self.copies)
        listen = _Notes(report)
        with _stopping() as stopped:
            tally = make_shard(
                folder, rows, read, self._specs(settings), stopped=stopped, listener=listen
            )
            manifest = None if tally.is_stopped else folder.finish()
        _report(report, folder, tally, manifest, listen.seconds)


def _report(
    report: Console, folder: "SetFolder", tally: "Tally", manifest: Path | None, seconds: float
) -> None:
    counts = dataclasses.asdict(tally)
    del counts["is_stopped"]
    path = str(manifest or folder.folder)
    facts = {"path": path, "is_complete": manifest is not None, **counts}
    facts["seconds"] = round(seconds, 3)
    report.result(facts, _in_words(tally, seconds))
    if tally.is_stopped:
        report.note("stopped; --resume goes on")
        raise KeyboardInterrupt
    if tally.failed:
        others = ", the others are made" if tally.failed < tally.rows else ""
        raise Jen1Error(
            f"{tally.failed} of {_number(tally.rows, 'row')} failed{others}; see {folder.errors},"
            " mend what it names and give --resume"
        )


def _in_words(tally: "Tally", seconds: float) -> str:
    speed = 60.0 * tally.made / max(seconds, 1e-9)
    earlier = f", {tally.reused} from earlier runs" if tally.reused else ""
    failed = f", {_number(tally.failed, 'row')} failed" if tally.failed else ""
    return f"{_number(tally.made, 'piece')} made{earlier}{failed}; {speed:.1f} a minute"


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


class _Notes:
    """Says once a minute how far the set is; measures from when a model is loaded."""

    def __init__(self, report: Console) -> None:
        self._report = report
        self._started: float | None = None
        self._noted = 0.0

    @property
    def seconds(self) -> float:
        return 0.0 if self._started is None else time.monotonic() - self._started

    def __call__(self, tally: "Tally") -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = self._noted = now
        if now - self._noted >= _NOTE_SECONDS:
            self._noted = now
            self._report.note(_in_words(tally, self.seconds))


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Let SIGTERM, as a cluster sends it before it takes a machine, end the run after a piece."""
    asked = False

    def note(*_: object) -> None:
        nonlocal asked
        asked = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGTERM, before)


def _stdin() -> io.IOBase:
    """Return stdin, which is read as it comes."""
    streams.check_stdin("prompts")
    buffer: Any = sys.stdin.buffer
    return buffer


def _with_first(rows: "Iterator[Row]", source: str, shard: "Shard") -> "Iterator[Row]":
    """Read the first row, so that a source that cannot be read leaves no folder behind.

    Raises:
        Jen1Error: the source cannot be read, or is empty.
    """
    first = next(rows, None)
    if first is None:
        if shard.count == 1:
            raise ConfigError(f"--from {source} has no prompts; write one per line")
        return iter(())
    return itertools.chain([first], rows)


def _plan_lines(plan: "SetPlan", shard: "Shard") -> list[str]:
    bad = f", {plan.bad_rows:,} that cannot be read" if plan.bad_rows else ""
    each = _duration(plan.seconds_per_piece / 3600)
    lines = [
        f"rows      {plan.rows:,}{bad}",
        f"pieces    {plan.pieces:,}, {plan.hours:,.2f} hours of music",
        f"disk      {plan.gigabytes:,.3f} GB; {plan.free_gigabytes:,.1f} GB are free",
        f"time      {each} a piece, {_duration(plan.compute_hours)} with {plan.processes} at once",
    ]
    if shard.count > 1:
        of_shard = f"{plan.shard_pieces:,} pieces, {_duration(plan.shard_compute_hours)}"
        lines.append(f"shard     {shard}: {of_shard}")
    return lines


def _duration(hours: float) -> str:
    for unit, size in (("days", 24.0), ("hours", 1.0), ("minutes", 1 / 60)):
        if hours >= 2 * size:
            return f"{hours / size:,.1f} {unit}"
    return f"{3600 * hours:,.1f} s"
