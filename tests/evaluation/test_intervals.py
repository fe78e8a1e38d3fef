"""Bootstrap intervals cover the truth about as often as they say."""

import numpy as np
import pytest

from jen1cli.evaluation.intervals import Estimate, mean_interval, statistic_interval


def test_intervals_cover_the_mean():
    rng = np.random.default_rng(0)
    hits = [
        (found := mean_interval(rng.normal(3.0, 2.0, 60))).low <= 3.0 <= found.high
        for _ in range(200)
    ]
    assert 0.88 <= np.mean(hits) <= 0.99


def test_missing_values_do_not_count():
    found = mean_interval([1.0, float("nan"), 3.0])
    assert (found.value, found.count) == (2.0, 2)
    assert mean_interval([float("nan")]).count == 0
    assert mean_interval([]).percent() == "-"


def test_the_interval_is_that_of_a_mean():
    values = np.random.default_rng(1).normal(0, 1, 400)
    found = mean_interval(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_a_statistic_of_clips():
    values = np.arange(50.0)
    found = statistic_interval(lambda drawn: float(np.median(values[drawn])), 50, draws=200)
    assert found.low < found.value == 24.5 < found.high


def test_in_words():
    assert Estimate(0.634, 0.58, 0.68, 200).percent() == "63 % (58-68)"
    assert str(Estimate(2.0, 1.5, 2.5, 9)) == "2 [1.5, 2.5]"
    assert str(Estimate(2.0, float("nan"), float("nan"), 2)) == "2"
