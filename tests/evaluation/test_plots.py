"""Plots show what tables say: lengths of bars, ends of intervals, points of curves."""

from xml.etree import ElementTree

import pytest

from jen1cli.evaluation.intervals import Estimate
from jen1cli.evaluation.plots import draw, plot
from jen1cli.evaluation.report import Table


def widths(axes):
    return [bar.get_width() for bar in axes.patches]


def words(table):
    svg = ElementTree.fromstring(plot(table))
    return {text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")}


def test_shares_are_bars_with_intervals_on_one_scale():
    rows = (
        ("style", Estimate(0.5, 0.25, 0.75, 8), Estimate(1.0, 1.0, 1.0, 8)),
        ("nobody asked", None, Estimate(0.1, 0.0, 0.2, 8)),
        ("level, dB", Estimate(3.0, 2.0, 4.0, 8), None),
    )
    table = Table("t", "T", ("", "music", "<real>"), rows, plot="together")
    (axes,) = draw(table).axes
    assert widths(axes) == pytest.approx([0.5, 1.0, 0.1])
    assert axes.get_xlim() == (0.0, 1.0)
    assert axes.lines[0].get_xdata() == pytest.approx([0.25, 0.75])
    assert {"music", "<real>", "style", "nobody asked"} <= words(table)
    assert "level, dB" not in words(table)  # of another scale


def test_columns_apart_have_scales_of_their_own():
    rows = (("a", 1.0, -200.0), ("b", 0.5, 100.0), ("c", float("nan"), None))
    first, second = draw(Table("t", "T", ("", "KAD", "FAD"), rows, plot="apart")).axes
    assert widths(first) == [1.0, 0.5]
    assert widths(second) == [-200.0, 100.0]
    assert first.get_xlim()[1] < 1.5
    assert second.get_xlim()[0] < -200.0
    assert first.yaxis_inverted()


def test_curves_go_through_the_figures():
    rows = (("0", 1.0), ("0.1", 2.0), ("0.4", 4.0))
    (axes,) = draw(Table("t", "T", ("noise", "distance"), rows, plot="curve")).axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[0.0, 1.0], [0.1, 2.0], [0.4, 4.0]]
    assert (axes.get_xlabel(), axes.get_title(loc="left")) == ("noise", "distance")


def test_names_of_rows_are_text_and_nothing_else():
    hostile = ("<script>alert(1)</script>", "$\\frac{$", "\u97f3\u697d", "a & b")
    table = Table("t", "T", ("", "x"), tuple((name, 1.0) for name in hostile), plot="apart")
    assert "<script" not in plot(table)
    assert set(hostile) <= words(table)


def test_text_takes_the_colour_of_the_page_and_plots_are_reproducible():
    table = Table("t", "T", ("", "x"), (("a", 1.0),), plot="apart")
    assert "currentColor" in plot(table)
    assert "#010203" not in plot(table)
    assert plot(table) == plot(table)


def test_nothing_is_drawn_of_words_or_where_nobody_asked():
    assert plot(Table("t", "T", ("", "x"), (("a", "yes"),), plot="together")) == ""
    assert plot(Table("t", "T", ("", "x"), (("a", 1.0),))) == ""
    assert plot(Table("t", "T", ("", "x"), (), plot="curve")) == ""
