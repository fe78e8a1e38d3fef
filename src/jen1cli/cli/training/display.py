"""The live display of a training: bar, losses, throughput, time left; else plain lines."""

import contextlib
import sys
import time
from types import TracebackType
from typing import Any

from jen1cli.cli import terminal
from jen1cli.cli.console import Console
from jen1cli.training.engine.events import (
    Event,
    Prepared,
    Sampled,
    Saved,
    Stepped,
    Validated,
    Warned,
)


class Display:
    """An event handler that shows events on stderr."""

    def __init__(self, report: Console) -> None:
        """Choose a live bar or lines."""
        self._report = report
        self._live = not report.quiet and sys.stderr is not None and sys.stderr.isatty()
        self._bars: Any = None
        self._task: Any = None
        self._title = ""
        self._last_line = 0.0
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Display":
        """Open the bar, and report warnings of the library from here on."""
        self._open.enter_context(self._report.library_warnings())
        if self._live:
            from rich.progress import TaskProgressColumn

            self._bars = terminal.progress_bars(TaskProgressColumn())
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the bar."""
        if self._bars is not None:
            self._bars.stop()
        self._open.close()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Prepared():
                self._advance(event.what, event.done / max(1, event.total), event.what)
            case Stepped():
                text = (
                    f"step {event.step}  loss {event.values.get('loss', float('nan')):.4f}"
                    f"  {event.items_per_second:.1f} items/s"
                    f"  {_clock(event.remaining_seconds)} left"
                )
                self._advance("training", event.share, text)
            case Validated():
                figures = (f"{name} {value:.4f}" for name, value in event.values.items())
                self._say(f"step {event.step}: " + ", ".join(figures))
            case Sampled():
                self._say(f"step {event.step}: samples in {event.paths[0].parent}")
            case Saved():
                self._say(f"step {event.step}: saved {event.folder}")
            case Warned():
                self._report.warn(event.message)

    def _advance(self, title: str, share: float, text: str) -> None:
        if self._bars is None:
            due = share >= 1.0 or time.monotonic() - self._last_line >= terminal.LINE_SECONDS
            if due:
                self._last_line = time.monotonic()
                self._report.note(f"{text} ({100 * share:.0f} %)")
            return
        if title != self._title:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._title, self._task = title, self._bars.add_task(text, total=1.0)
        self._bars.update(self._task, completed=share, description=text)

    def _say(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(terminal.cell(text))
        else:
            self._report.note(text)


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
