"""Plots show what tables say: lengths of bars, ends of intervals, points of curves."""

import re
from xml.etree import ElementTree

import pytest

from jen1cli.evaluation.intervals import Estimate
from jen1cli.evaluation.plots import plot
from jen1cli.evaluation.report import Table


def parse(table):
    return ElementTree.fromstring(plot(table))


def widths(svg, height=9):
    bars = [r for r in svg.iter("rect") if (r.get("width"), r.get("height")) != ("9", "9")]
    return [float(bar.get("width")) for bar in bars if bar.get("height") == str(height)]


def test_shares_are_bars_with_intervals_on_one_scale():
    rows = (
        ("style", Estimate(0.5, 0.25, 0.75, 8), Estimate(1.0, 1.0, 1.0, 8)),
        ("nobody asked", None, Estimate(0.1, 0.0, 0.2, 8)),
        ("level, dB", Estimate(3.0, 2.0, 4.0, 8), None),
    )
    svg = parse(Table("t", "T", ("", "music", "<real>"), rows, plot="together"))
    whole = 430
    assert widths(svg) == pytest.approx([whole / 2, whole, whole / 10], abs=0.1)
    line = next(path.get("d") for path in svg.iter("path"))
    start, stop = (float(x) for x in re.match(r"M([\d.]+) [\d.]+H([\d.]+)", line).groups())
    assert stop - start == pytest.approx(whole / 2, abs=0.1)
    words = [text.text for text in svg.iter("text")]
    assert {"music", "<real>", "style", "nobody asked"} <= set(words)
    assert "level, dB" not in words  # of another scale


def test_columns_apart_have_scales_of_their_own():
    rows = (("a", 1.0, -200.0), ("b", 0.5, 100.0), ("c", float("nan"), None))
    svg = parse(Table("t", "T", ("", "KAD", "FAD"), rows, plot="apart"))
    first, second, third, fourth = widths(svg)
    assert second == pytest.approx(first / 2, abs=0.2)
    assert third == pytest.approx(2 * fourth, abs=0.2)


def test_curves_rise_where_figures_rise():
    rows = (("0", 1.0), ("0.1", 2.0), ("0.4", 4.0))
    svg = parse(Table("t", "T", ("noise", "distance"), rows, plot="curve"))
    places = [(float(c.get("cx")), float(c.get("cy"))) for c in svg.iter("circle")]
    assert places[2][0] - places[0][0] == pytest.approx(4 * (places[1][0] - places[0][0]), abs=0.3)
    assert places[0][1] - places[2][1] == pytest.approx(3 * (places[0][1] - places[1][1]), abs=0.3)


def test_nothing_is_drawn_of_words_or_where_nobody_asked():
    assert plot(Table("t", "T", ("", "x"), (("a", "yes"),), plot="together")) == ""
    assert plot(Table("t", "T", ("", "x"), (("a", 1.0),))) == ""
    assert plot(Table("t", "T", ("", "x"), (), plot="curve")) == ""
