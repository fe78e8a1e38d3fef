"""Bootstrap confidence intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval and the number of clips (`count`) behind it."""

    value: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if not self.count:
            return "-"
        if not np.isfinite(self.low):
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    def percent(self) -> str:
        """Return the value as a percentage: `63 % (58-68)`."""
        if not self.count:
            return "-"
        return f"{100 * self.value:.0f} % ({100 * self.low:.0f}-{100 * self.high:.0f})"


NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0)


def mean_interval(
    values: Sequence[float] | np.ndarray, *, confidence: float = CONFIDENCE, seed: int = 0
) -> Estimate:
    """Return the mean and its percentile bootstrap interval; NaNs are ignored.

    Args:
        values: independent values, one per clip (or listener).
        confidence: coverage of the interval, 0 to 1.
        seed: seed of the resampling.
    """
    rows = np.asarray(values, np.float64)
    rows = rows[np.isfinite(rows)]
    if not len(rows):
        return NOTHING
    return statistic_interval(
        lambda drawn: float(rows[drawn].mean()), len(rows), confidence=confidence, seed=seed,
        fast=rows,
    )  # fmt: skip


def statistic_interval(
    statistic: Callable[[np.ndarray], float],
    count: int,
    *,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    fast: np.ndarray | None = None,
) -> Estimate:
    """Return a statistic of `count` clips with its percentile bootstrap interval.

    Args:
        statistic: function of an array of clip indices, with repetition.
        count: number of clips.
        draws: number of bootstrap samples.
        confidence: coverage of the interval, 0 to 1.
        seed: seed of the resampling.
        fast: if the statistic is a mean, its values; then `statistic` is not called.
    """
    rng = np.random.default_rng(seed)
    value = statistic(np.arange(count))
    if fast is not None:
        found = fast[rng.integers(count, size=(draws, count))].mean(1)
    else:
        found = np.array([statistic(rng.integers(count, size=count)) for _ in range(draws)])
    tail = 50 * (1 - confidence)
    low, high = np.percentile(found, [tail, 100 - tail])
    return Estimate(value, float(low), float(high), count)
