"""Plots of a report's tables as SVG: bars with intervals on one scale or several, and curves."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jen1cli.evaluation.intervals import Estimate

if TYPE_CHECKING:
    from jen1cli.evaluation.report import Cell, Table

Number = float | int
_COLOURS = ("#2a7f9e", "#a9a9a9", "#7a9e2a", "#b8742a")
_LEFT, _BAR, _TOP = 190, 9, 24  # room for names, height of a bar, room for heads
_PANEL, _GAP = 190, 34  # width of one of several panels, and between them
_CURVE_HEIGHT = 120


@dataclass(frozen=True)
class Figure:
    """A number of a table, with its interval where it has one."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, cell: "Cell") -> "Figure | None":
        """Return the figure of a cell; None for words, gaps and what is not finite."""
        if isinstance(cell, Estimate):
            found = cls(cell.value, cell.low, cell.high) if cell.count else None
        elif isinstance(cell, float | int):
            found = cls(float(cell), math.nan, math.nan)
        else:
            found = None
        return found if found is not None and math.isfinite(found.value) else None


def plot(table: "Table") -> str:
    """Draw a table as its `plot` says: one SVG, or nothing."""
    figures = [[Figure.of(cell) for cell in row[1:]] for row in table.rows]
    columns = [i for i in range(len(table.columns) - 1) if any(row[i] for row in figures)]
    if not table.plot or not columns:
        return ""
    if table.plot == "curve":
        return _curves(table, figures, columns)
    if table.plot == "apart":
        return _apart(table, figures, columns)
    columns = [i for i in columns if any(isinstance(row[i + 1], Estimate) for row in table.rows)]
    return _together(table, figures, columns) if columns else ""


def _together(
    table: "Table", figures: Sequence[Sequence[Figure | None]], columns: Sequence[int]
) -> str:
    """All columns side by side in every row, from 0 to the table's top; other rows are left out."""
    width = 430
    rows = [
        (str(row[0]), [found[i] for i in columns])
        for row, found in zip(table.rows, figures, strict=True)
        if all(one is None or one.value <= table.top for one in (found[i] for i in columns))
    ]
    step = (_BAR + 2) * len(columns) + 9
    parts = []
    for turn, column in enumerate(columns):
        x, name = _LEFT + 150 * turn, table.columns[column + 1]
        parts.append(f'<rect x="{x}" y="2" width="9" height="9" fill="{_colour(turn)}"/>')
        parts.append(_text(x + 13, 11, name))
    for place, (name, found) in enumerate(rows):
        top = _TOP + place * step
        parts.append(_text(_LEFT - 8, top + step / 2, name, "end"))
        parts += [
            _bar(one, top + (_BAR + 2) * turn, _LEFT, (0.0, table.top), width, _colour(turn))
            for turn, one in enumerate(found)
            if one is not None
        ]
    return _svg(_LEFT + width + 20, _TOP + len(rows) * step + 4, parts)


def _apart(
    table: "Table", figures: Sequence[Sequence[Figure | None]], columns: Sequence[int]
) -> str:
    """One panel for every column, each on its own scale."""
    step = _BAR + 8
    parts = [
        _text(_LEFT - 8, _TOP + place * step + _BAR, str(row[0]), "end")
        for place, row in enumerate(table.rows)
    ]
    for turn, column in enumerate(columns):
        left = _LEFT + turn * (_PANEL + _GAP)
        parts.append(_text(left, 12, table.columns[column + 1]))
        own = [row[column] for row in figures]
        scale = _scale([one for one in own if one is not None])
        parts += [
            _bar(one, _TOP + place * step, left, scale, _PANEL, _colour(0))
            for place, one in enumerate(own)
            if one is not None
        ]
    width = _LEFT + len(columns) * (_PANEL + _GAP)
    return _svg(width, _TOP + len(figures) * step + 4, parts)


def _curves(
    table: "Table", figures: Sequence[Sequence[Figure | None]], columns: Sequence[int]
) -> str:
    """One panel for every column over the numbers in the first one."""
    steps = [float(str(row[0])) for row in table.rows]
    room = max(steps) - min(steps) or 1.0
    bottom = _TOP + _CURVE_HEIGHT
    parts = []
    for turn, column in enumerate(columns):
        left = 60 + turn * (_PANEL + 2 * _GAP)
        known = [(x, row[column]) for x, row in zip(steps, figures, strict=True)]
        values = [one.value for _, one in known if one is not None]
        low, high = min(values), max(values)
        span = high - low or 1.0
        places = [
            (
                left + (x - min(steps)) / room * _PANEL,
                bottom - 6 - (one.value - low) / span * (_CURVE_HEIGHT - 12),
            )
            for x, one in known
            if one is not None
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(_text(left, 12, table.columns[column + 1]))
        parts.append(f'<path d="M{left} {_TOP}V{bottom}H{left + _PANEL}" {_STROKE}/>')
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{_colour(0)}" stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_colour(0)}"/>' for x, y in places
        ]
        parts += [
            _text(left - 5, bottom - 2, f"{low:.3g}", "end"),
            _text(left - 5, _TOP + 10, f"{high:.3g}", "end"),
            _text(left, bottom + 15, f"{min(steps):g}", "middle"),
            _text(left + _PANEL, bottom + 15, f"{max(steps):g}", "middle"),
            _text(left + _PANEL / 2, bottom + 15, table.columns[0], "middle"),
        ]
    return _svg(60 + len(columns) * (_PANEL + 2 * _GAP), bottom + 22, parts)


_STROKE = 'fill="none" stroke="currentColor" stroke-opacity=".5"'


def _scale(figures: Sequence[Figure]) -> tuple[float, float]:
    """Return the ends of a scale that shows 0 and every figure with its interval."""
    ends = [x for one in figures for x in (one.value, one.low, one.high) if math.isfinite(x)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    return (low, high) if high > low else (0.0, 1.0)


def _bar(
    one: Figure, y: Number, left: Number, scale: tuple[float, float], width: Number, colour: str
) -> str:
    """A bar from 0 to the value, and a line over its interval."""

    def place(x: float) -> Number:
        share = (x - scale[0]) / (scale[1] - scale[0])
        return left + min(1.0, max(0.0, share)) * width

    start, stop = sorted((place(0.0), place(one.value)))
    size = f'width="{stop - start:.1f}" height="{_BAR}"'
    bar = f'<rect x="{start:.1f}" y="{y}" {size} fill="{colour}"/>'
    if not (math.isfinite(one.low) and math.isfinite(one.high)):
        return bar
    line = f"M{place(one.low):.1f} {y + _BAR / 2}H{place(one.high):.1f}"
    return f'{bar}<path d="{line}" stroke="currentColor"/>'


def _colour(turn: int) -> str:
    return _COLOURS[turn % len(_COLOURS)]


def _text(x: Number, y: Number, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: Number, height: Number, parts: Sequence[str]) -> str:
    return (
        f'<svg width="{width:g}" height="{height:g}" font-size="12" fill="currentColor" role="img">'
        f"{''.join(parts)}</svg>"
    )
