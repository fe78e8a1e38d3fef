"""Events of a training for its callers: steps, validations, saved weights, warnings.

The library never prints. The command line draws a live display from these events; `MetricsWriter`
of `jen1cli.training.engine.metrics_writer` writes them to disk.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Figures = Mapping[str, float | int]
"""Named numbers."""


@dataclass(frozen=True)
class Stepped:
    """An optimiser step is complete; values are means since the last report."""

    step: int
    share: float  # 0..1 of the budget
    elapsed_seconds: float  # training time, over all sessions
    remaining_seconds: float
    items_per_second: float
    values: Figures  # losses per task, lr, gradient norm


@dataclass(frozen=True)
class Validated:
    """Held-out figures, comparable between runs."""

    step: int
    values: Figures


@dataclass(frozen=True)
class Sampled:
    """Audio and pictures were written."""

    step: int
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Saved:
    """A weight set and the state to resume from were written."""

    step: int
    folder: Path


@dataclass(frozen=True)
class Warned:
    """Something was skipped or adapted; the text says what."""

    message: str


@dataclass(frozen=True)
class Prepared:
    """Progress of work before the first step, such as encoding clips."""

    what: str
    done: int
    total: int


Event = Stepped | Validated | Sampled | Saved | Warned | Prepared
OnEvent = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Ignore an event."""
