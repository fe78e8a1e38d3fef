"""Metrics on disk: one JSON object per line, and TensorBoard if installed."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jen1cli.files import explaining, make_folder
from jen1cli.folders import lock_folder
from jen1cli.training.engine.events import Event, OnEvent, Saved, Stepped, Validated, Warned

METRICS_NAME = "metrics.jsonl"


class MetricsWriter:
    """Event handler that appends every figure to `metrics.jsonl` and TensorBoard's event files."""

    def __init__(self, folder: Path, *, tensorboard: bool = True) -> None:
        """Open the files; earlier lines are kept.

        Raises:
            ConfigError: another training writes to the folder.
            OutputError: it cannot be made.
        """
        self._folder = make_folder(folder)
        with explaining(folder):
            self._lock = lock_folder(
                folder, f"another training writes to {folder}; choose another folder, or stop it"
            )
            self._file = (folder / METRICS_NAME).open("a", encoding="utf-8")
        self._board = _open_board(folder / "tensorboard") if tensorboard else None

    def __call__(self, event: Event) -> None:
        """Write an event.

        Raises:
            OutputError: the disk is full.
        """
        with explaining(self._folder):
            match event:
                case Stepped():
                    about = {
                        "step": event.step,
                        "seconds": round(event.elapsed_seconds, 2),
                        "items_per_second": round(event.items_per_second, 3),
                    }
                    self._write(about, dict(event.values))
                case Validated():
                    self._write({"step": event.step}, dict(event.values))
                case Saved():
                    self._line({"step": event.step, "saved": str(event.folder)})
                case Warned():
                    self._line({"warning": event.message})
                case _:
                    pass

    def close(self) -> None:
        """Close the files."""
        with explaining(self._folder):
            self._file.close()
            if self._board is not None:
                self._board.close()
            self._lock.close()

    def _write(self, about: dict[str, Any], values: dict[str, float]) -> None:
        self._line({**about, **values})
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, about["step"])

    def _line(self, values: dict[str, Any]) -> None:
        self._file.write(json.dumps(values) + "\n")
        self._file.flush()


def _open_board(folder: Path) -> Any:  # noqa: ANN401 - SummaryWriter, where installed
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))


@contextlib.contextmanager
def recorded(folder: Path, on_event: OnEvent, *, writes: bool = True) -> Iterator[OnEvent]:
    """Yield an event handler that writes events to a folder, if `writes`, and passes them on."""
    if not writes:
        yield on_event
        return
    with contextlib.closing(MetricsWriter(folder)) as writer:

        def record(event: Event) -> None:
            writer(event)
            on_event(event)

        yield record
