"""Plots of a report's tables as SVG: bars with intervals on one or several scales, and curves."""

import io
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jen1cli.evaluation.intervals import Estimate
from jen1cli.evaluation.report import Cell, Table

COLOURS = ("#2a7f9e", "#a9a9a9", "#7a9e2a", "#b8742a")
INK = "#010203"  # placeholder, replaced by the page's text colour, which depends on the theme
NAMES, PANEL, GAP, BAR, HEAD, FOOT = 2.3, 1.9, 0.5, 0.14, 0.3, 0.5  # inches
LONGEST = 30  # longest name in characters that fits
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "jen1", "font.family": "sans-serif", "font.size": 9,
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "text.parse_math": False,
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A number of a table, with its interval if it has one."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, cell: Cell) -> "Value | None":
        """Return the value of a cell; None for text, empty cells and non-finite numbers."""
        if isinstance(cell, Estimate):
            found = cls(cell.value, cell.low, cell.high) if cell.count else None
        elif isinstance(cell, float | int):
            found = cls(float(cell), math.nan, math.nan)
        else:
            found = None
        return found if found is not None and math.isfinite(found.value) else None


Column = list[Value | None]


def plot(table: Table) -> str:
    """Return a table as an SVG element in the form of `table.plot`, or "" if there is none."""
    with matplotlib.rc_context(STYLE):
        figure = draw(table)
        if figure is None:
            return ""
        target = io.StringIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser's fonts have it
            nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
            figure.savefig(target, format="svg", transparent=True, metadata=nothing)
    text = target.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")


def draw(table: Table) -> Figure | None:
    """Return the figure of a table; None if it has no plot or no numbers."""
    names = [str(row[0]) for row in table.rows]
    columns = {
        head: [Value.of(row[place]) for row in table.rows]
        for place, head in enumerate(table.columns)
        if place and any(Value.of(row[place]) for row in table.rows)
    }
    if not table.plot or not columns:
        return None
    if table.plot == "curve":
        return _curves(table.columns[0], [float(name) for name in names], columns)
    if table.plot == "apart":
        return _apart(names, columns)
    return _together(table, names, columns)


def _together(table: Table, names: Sequence[str], columns: dict[str, Column]) -> Figure | None:
    """Draw all columns side by side with intervals, from 0 to `table.top`.

    Rows with values above `table.top` are on another scale and left out.
    """
    estimated = {
        head
        for place, head in enumerate(table.columns)
        if any(isinstance(row[place], Estimate) for row in table.rows)
    }
    columns = {head: column for head, column in columns.items() if head in estimated}
    if not columns:
        return None
    kept = [
        row
        for row in range(len(names))
        if all(one is None or one.value <= table.top for one in (c[row] for c in columns.values()))
    ]
    figure, (axes,) = _panels(1, max(1, len(kept)) * (len(columns) + 1) * BAR, 2 * PANEL)
    for turn, (head, column) in enumerate(columns.items()):
        places = [place * (len(columns) + 1) + turn for place in range(len(kept))]
        _bars(
            axes, places, [column[row] for row in kept], COLOURS[turn % len(COLOURS)], _short(head)
        )
    middles = [place * (len(columns) + 1) + (len(columns) - 1) / 2 for place in range(len(kept))]
    axes.set_xlim(0.0, table.top)
    _name_rows(axes, middles, [names[row] for row in kept])
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(columns), frameon=False,
        borderaxespad=0.0, handlelength=1.0,
    )  # fmt: skip
    return figure


def _apart(names: Sequence[str], columns: dict[str, Column]) -> Figure:
    """Draw one panel per column, each with its own scale."""
    figure, panels = _panels(len(columns), len(names) * 2 * BAR, PANEL)
    places = range(len(names))
    for axes, (head, column) in zip(panels, columns.items(), strict=True):
        _bars(axes, places, column, COLOURS[0], head)
        axes.set_title(_short(head), loc="left", fontsize=9)
        _name_rows(axes, places, names if axes is panels[0] else [""] * len(names))
    return figure


def _curves(head: str, steps: Sequence[float], columns: dict[str, Column]) -> Figure:
    """Draw one panel per column, as a curve over the numbers of the first column."""
    figure, panels = _panels(len(columns), 1.3, PANEL)
    for axes, (name, column) in zip(panels, columns.items(), strict=True):
        known = [(x, one.value) for x, one in zip(steps, column, strict=True) if one is not None]
        axes.plot(*zip(*known, strict=True), color=COLOURS[0], marker="o", markersize=4)
        axes.set_title(_short(name), loc="left", fontsize=9)
        axes.set_xlabel(_short(head))
        axes.locator_params(nbins=4)
    return figure


def _panels(count: int, height: float, width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels in a row and names to the left; sizes are in inches."""
    whole, tall = NAMES + count * (width + GAP), HEAD + height + FOOT
    figure = Figure((whole, tall))
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    figure.subplots_adjust(
        left=NAMES / whole, right=1.0 - GAP / whole, bottom=FOOT / tall, top=1.0 - HEAD / tall,
        wspace=GAP / width,
    )  # fmt: skip
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def _bars(
    axes: Axes, places: Sequence[float | int], column: Column, colour: str, label: str
) -> None:
    """Draw a bar from 0 to each value, and a line for its interval."""
    known = [(place, one) for place, one in zip(places, column, strict=True) if one is not None]
    rows = [place for place, _ in known]
    axes.barh(rows, [one.value for _, one in known], height=0.85, color=colour, label=label)
    for place, one in known:
        if math.isfinite(one.low) and math.isfinite(one.high):
            axes.plot([one.low, one.high], [place, place], color=INK, linewidth=1)


def _name_rows(axes: Axes, places: Sequence[float | int], names: Sequence[str]) -> None:
    axes.set_yticks(places, [_short(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)
    axes.invert_yaxis()


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
