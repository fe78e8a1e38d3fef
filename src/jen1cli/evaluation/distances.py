"""Distances between sets of embeddings, and between distributions of labels, as pure functions.

Everything is computed in float64 and takes plain arrays: one row per sound (or per window of a
sound), one column per feature.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from jen1cli.errors import DataError

Rows = Float[np.ndarray, "_rows features"]  # two sets may have different numbers of rows
Owners = Integer[np.ndarray, " _rows"]  # index of the clip to which each row (window) belongs
Probabilities = Float[np.ndarray, "_rows classes"]

_BLOCK = 2048  # rows compared at once
KAD_SCALE = 100.0  # factor of the kernel distance, as in its paper (arXiv 2502.15602)


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of a set of embeddings."""

    mean: Float[np.ndarray, " features"]
    covariance: Float[np.ndarray, "features features"]
    count: int  # number of rows

    @classmethod
    def of(cls, rows: Rows) -> "Gaussian":
        """Compute mean and unbiased covariance of a set.

        Raises:
            DataError: there are fewer than two rows.
        """
        if len(rows) < 2:
            raise DataError(f"{len(rows)} embeddings have no covariance; give at least two clips")
        rows = np.asarray(rows, np.float64)
        covariance = np.atleast_2d(np.cov(rows, rowvar=False))
        return cls(rows.mean(axis=0), covariance, len(rows))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), never negative (arXiv 1812.08466).

    The trace of the root is computed from the eigenvalues of the symmetric √Σ₁·Σ₂·√Σ₁, which is
    valid for covariances of any rank; a matrix root of Σ₁Σ₂ would become complex.
    """
    if first.mean.shape != second.mean.shape:
        raise ValueError(f"{len(first.mean)} and {len(second.mean)} features cannot be compared")
    values, vectors = np.linalg.eigh(first.covariance)
    root = (vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ second.covariance @ root)
    cross = np.sqrt(shared.clip(min=0.0)).sum()
    apart = np.square(first.mean - second.mean).sum()
    spread = np.trace(first.covariance) + np.trace(second.covariance) - 2.0 * cross
    return float(max(0.0, apart + spread))


@dataclass(frozen=True)
class Extrapolation:
    """A Fréchet distance extrapolated to infinitely many samples."""

    value: float  # FAD∞
    fit: float  # R² of the line; below about 0.9 the value is unreliable
    points: tuple[tuple[int, float], ...]  # rows and distance of every subset, smallest first


def minimum_rows(features: int) -> int:
    """Return the least number of rows for FAD∞.

    The smallest subset, a fifth of the rows, needs a meaningful covariance: at least 100 rows and a
    quarter as many rows as features. So at least 500 rows are needed, as in Microsoft's fadtk.
    """
    return max(500, 5 * math.ceil(features / 4))


def frechet_infinity(
    reference: Gaussian, rows: Rows, *, sizes: int = 25, seed: int = 0
) -> Extrapolation:
    """Extrapolate the distance to infinitely many rows: a line fit over 1/n, evaluated at 0.

    Args:
        reference: Gaussian of the reference music.
        rows: embeddings of the evaluated music.
        sizes: number of subset sizes, from a fifth of the rows to all of them.
        seed: seed of the subsets.

    Raises:
        DataError: there are fewer than `minimum_rows`.
    """
    needed = minimum_rows(rows.shape[1])
    if len(rows) < needed:
        raise DataError(
            f"FAD-infinity needs {needed} embeddings and there are {len(rows)};"
            " make more clips or longer ones"
        )
    rng = np.random.default_rng(seed)
    counts = np.unique(np.linspace(max(100, len(rows) // 5), len(rows), sizes).astype(int))
    distances = np.array(
        [
            frechet_distance(reference, Gaussian.of(rows[rng.permutation(len(rows))[:count]]))
            for count in counts
        ]
    )
    inverse = 1.0 / counts
    slope, value = np.polyfit(inverse, distances, 1)
    rest = np.square(distances - (value + slope * inverse)).sum()
    total = np.square(distances - distances.mean()).sum()
    fit = 1.0 - rest / total if total > 0 else 1.0
    points = tuple(zip(counts.tolist(), distances.tolist(), strict=True))
    return Extrapolation(float(value), float(fit), points)


def median_bandwidth(rows: Rows, *, most: int = 2000, seed: int = 0) -> float:
    """Return the median distance between different rows, from at most `most` random rows."""
    if len(rows) < 2:
        raise DataError("a bandwidth needs at least two embeddings")
    if len(rows) > most:
        rows = rows[np.random.default_rng(seed).permutation(len(rows))[:most]]
    squares = _squared_distances(rows, rows)
    return float(np.sqrt(np.median(squares[np.triu_indices(len(rows), 1)])))


def kernel_distance(
    reference: Rows,
    rows: Rows,
    bandwidth: float | None = None,
    *,
    reference_owners: Owners | None = None,
    owners: Owners | None = None,
) -> float:
    """Return KAD: the unbiased squared MMD under a Gaussian kernel, times 100 (arXiv 2502.15602).

    Unbiased: the terms of a row with itself are left out, so the expectation is 0 for two sets of
    the same distribution, and single values may be slightly negative. Windows of one clip are
    similar, so with owners all pairs within a clip are left out; they would increase the distance
    even of perfect music.

    Args:
        reference: embeddings of the reference, at least two rows.
        rows: embeddings of the evaluated music, at least two rows.
        bandwidth: σ of exp(−d² / 2σ²); None is the median distance within the reference.
        reference_owners: clip of each reference row; None: each row is a separate clip.
        owners: clip of each evaluated row; None: each row is a separate clip.

    Raises:
        DataError: a side has fewer than two rows or clips.
    """
    sides = [
        np.arange(len(side)) if clips is None else clips
        for side, clips in ((reference, reference_owners), (rows, owners))
    ]
    if min(len(np.unique(clips)) for clips in sides) < 2:
        raise DataError(
            "KAD needs embeddings of two clips on each side, there are"
            f" {len(np.unique(sides[0]))} and {len(np.unique(sides[1]))}; give more clips"
        )
    bandwidth = median_bandwidth(reference) if bandwidth is None else bandwidth
    scale = 1.0 / (2.0 * max(bandwidth, 1e-12) ** 2)
    within = _within(reference, sides[0], scale) + _within(rows, sides[1], scale)
    return float(KAD_SCALE * (within - 2.0 * _between(reference, rows, scale)))


def _between(first: Rows, second: Rows, scale: float) -> float:
    """Return the mean kernel over all pairs of a row of `first` and a row of `second`."""
    total = sum(
        np.exp(-scale * _squared_distances(first[at : at + _BLOCK], second)).sum()
        for at in range(0, len(first), _BLOCK)
    )
    return float(total) / (len(first) * len(second))


def _within(rows: Rows, owners: Owners, scale: float) -> float:
    """Return the mean kernel over all pairs of rows of different clips."""
    total, count = 0.0, 0
    for at in range(0, len(rows), _BLOCK):
        kernel = np.exp(-scale * _squared_distances(rows[at : at + _BLOCK], rows))
        apart = owners[at : at + _BLOCK, None] != owners
        total += float(kernel[apart].sum())
        count += int(apart.sum())
    return total / count


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    centre = second.mean(axis=0)  # avoids cancellation of large numbers
    first, second = first - centre, second - centre
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1) - 2.0 * first @ second.T
    return squares.clip(min=0.0)


def kl_divergence(
    reference: Probabilities, rows: Probabilities, *, floor: float = 1e-6
) -> Float[np.ndarray, " _rows"]:
    """Return KL(reference ‖ rows) in nats for each pair of label distributions.

    Args:
        reference: probabilities of the reference clips; rows sum to 1.
        rows: probabilities of the generated clips, in the same order.
        floor: added to both before normalisation, so that no probability is 0.
    """
    if reference.shape != rows.shape:
        raise ValueError(f"shapes {reference.shape} and {rows.shape} do not pair up")
    p = np.asarray(reference, np.float64) + floor
    q = np.asarray(rows, np.float64) + floor
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    return (p * np.log(p / q)).sum(1)


def set_divergence(reference: Probabilities, rows: Probabilities) -> float:
    """Return KL between the mean label distributions of two sets, which need not be paired."""
    return float(kl_divergence(reference.mean(0, keepdims=True), rows.mean(0, keepdims=True))[0])


def cosine_scores(first: Rows, second: Rows) -> Float[np.ndarray, " _rows"]:
    """Return the cosine of each pair of rows; for sound and text this is the CLAP score."""
    if first.shape != second.shape:
        raise ValueError(f"shapes {first.shape} and {second.shape} do not pair up")
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / np.maximum(lengths, 1e-12)


def mean_pairwise_distance(rows: Rows) -> float:
    """Return the mean of 1 − cosine over all pairs, a measure of diversity."""
    if len(rows) < 2:
        return float("nan")
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    return float(1.0 - cosines[np.triu_indices(len(rows), 1)].mean())
