"""Output of a command: results on stdout, all else on stderr, progress on a terminal only."""

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from jen1cli.cli import terminal
from jen1cli.progress import Progress

MAX_WARNINGS = 100  # different ones


class Console:
    """Reporter of one command.

    Args:
        as_json: print one JSON object per result in place of its path.
        quiet: print nothing but results.
        audio_on_stdout: stdout is audio, so results are printed on stderr.
    """

    def __init__(
        self, *, as_json: bool = False, quiet: bool = False, audio_on_stdout: bool = False
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.audio_on_stdout = audio_on_stdout
        self.warnings: list[str] = []

    def note(self, *lines: str) -> None:
        """Print a note of one line or several."""
        if not self.quiet:
            terminal.echo(*lines, err=True)

    def warn(self, text: str) -> None:
        """Print a warning; JSON results repeat it."""
        line = " ".join(text.split())
        if line in self.warnings or len(self.warnings) > MAX_WARNINGS:
            return
        if len(self.warnings) == MAX_WARNINGS:  # a set of a million rows may have as many
            line = "further warnings are not shown"
        self.warnings.append(line)
        self.note(f"jen1: warning: {line}")

    def result(self, facts: Mapping[str, Any], *lines: str) -> None:
        """Print one result: its path, or all its facts as JSON.

        Args:
            facts: JSON values; `path` is None where the result went to stdout.
            lines: the same in words, for stderr.
        """
        if self.as_json:
            full = dict(facts)
            if self.warnings:
                full["warnings"] = list(self.warnings)
            terminal.echo_json(full, err=self.audio_on_stdout)
            return
        if any(lines):
            self.note(*lines)
        if facts.get("path") is not None:
            terminal.echo_path(facts["path"])

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """Show a progress bar, updated by a callback (done, total); nothing without a terminal."""
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from rich.progress import MofNCompleteColumn, TimeRemainingColumn

        with terminal.progress_bars(MofNCompleteColumn(), TimeRemainingColumn()) as bars:
            task = bars.add_task(terminal.escaped(title), total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    @contextlib.contextmanager
    def library_warnings(self) -> Iterator[None]:
        """Report warnings and log records of the library as lines."""
        handler = _Lines(self)
        logger = logging.getLogger("jen1cli")
        logger.addHandler(handler)
        propagate, logger.propagate = logger.propagate, False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagate


class _Lines(logging.Handler):
    """Send warnings of the library to a report."""

    def __init__(self, report: Console) -> None:
        super().__init__(level=logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Report one record."""
        self._report.warn(record.getMessage())
