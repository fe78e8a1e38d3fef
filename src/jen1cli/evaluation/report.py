"""Result of an evaluation: tables, clips and warnings, as JSON with a schema.

Values are `Estimate`s (with intervals) or plain numbers; a cell without a value is None, never 0.
"""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import jen1cli
from jen1cli.evaluation.intervals import Estimate

SCHEMA = "jen1-evaluation/1"
_LIBRARIES = ("torch", "numpy", "scipy", "librosa", "soxr", "soundfile")

Cell = str | float | int | Estimate | None


@dataclass(frozen=True)
class Table:
    """One table of results."""

    name: str  # short identifier
    title: str
    columns: tuple[str, ...]  # the first names the row
    rows: tuple[tuple[Cell, ...], ...]
    unit: str = ""  # with "%", shares are shown as percentages
    note: str = ""
    # Plot on the page: columns on one scale from 0 to `top`, each on its own scale, or as curves
    # over the first column.
    plot: Literal["", "together", "apart", "curve"] = ""
    top: float = 1.0


@dataclass(frozen=True)
class ReportClip:
    """One clip to play on the page."""

    title: str
    path: Path
    remarks: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()  # seconds of seams, drawn over the spectrogram


@dataclass
class Report:
    """Results of one run of `jen1 evaluate`."""

    kind: str  # prompts, codec, edits, audio, musiccaps, listening, ablation
    settings: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    audits: list[dict[str, Any]] = field(default_factory=list)  # audits of the folders read
    warnings: list[str] = field(default_factory=list)
    judges: dict[str, str] = field(default_factory=dict)  # embedding or tagger -> version
    clips: list[dict[str, Any]] = field(default_factory=list)  # scores of single clips
    samples: list[ReportClip] = field(default_factory=list)  # clips to play on the page

    def facts(self) -> dict[str, Any]:
        """Return JSON values in the format of `data/report.schema.json`."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "settings": plain(self.settings),
            "listeners": dict(self.judges),
            "tables": [_table_facts(table) for table in self.tables],
            "audits": plain(self.audits),
            "warnings": list(self.warnings),
            "clips": plain(self.clips),
        }


def _table_facts(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": table.title,
        "columns": list(table.columns),
        "unit": table.unit,
        "note": table.note,
        "rows": plain(table.rows),
    }


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Convert estimates, paths, tuples and NaN to JSON values; numbers keep five digits."""
    if isinstance(value, Estimate):
        if not value.count:
            return None
        keys = ("value", "low", "high", "count")
        return {key: plain(getattr(value, key)) for key in keys}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    number = float(value)
    return float(f"{number:.5g}") if math.isfinite(number) else None


def shown(cell: Cell, unit: str = "") -> str:
    """Return a cell as text."""
    if cell is None:
        return "-"
    if isinstance(cell, Estimate):
        return cell.percent() if unit == "%" else str(cell)
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return "-"
        return f"{100 * cell:.0f} %" if unit == "%" else f"{cell:.3g}"
    return str(cell)


def versions() -> dict[str, str]:
    """Return the versions of the software used."""
    found = {"jen1cli": jen1cli.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def evenly(items: Sequence[Any], count: int) -> list[Any]:
    """Return `count` evenly spaced items, or all if there are fewer."""
    if len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
