"""Distances between sets of embeddings, and between distributions of labels, as pure functions.

Everything is computed in float64 and takes plain arrays: one row per sound (or per window of a
sound), one column per feature.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from jen1cli.errors import DataError

Rows = Float[np.ndarray, "_rows features"]  # two sets may differ in size
Owners = Integer[np.ndarray, " _rows"]  # index of the clip that a row is a window of
Probabilities = Float[np.ndarray, "_rows classes"]

_BLOCK = 2048  # rows compared at once
KAD_SCALE = 100.0  # of the kernel distance, as its authors report it (arXiv 2502.15602)


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of a set of embeddings."""

    mean: Float[np.ndarray, " features"]
    covariance: Float[np.ndarray, "features features"]
    count: int  # rows that it was measured on

    @classmethod
    def of(cls, rows: Rows) -> "Gaussian":
        """Measure a set, covariance unbiased.

        Raises:
            DataError: fewer than two rows.
        """
        if len(rows) < 2:
            raise DataError(f"{len(rows)} embeddings have no covariance; give at least two clips")
        rows = np.asarray(rows, np.float64)
        covariance = np.atleast_2d(np.cov(rows, rowvar=False))
        return cls(rows.mean(axis=0), covariance, len(rows))


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Return ‖μ₁−μ₂‖² + tr(Σ₁ + Σ₂ − 2·(Σ₁Σ₂)^½), never negative (arXiv 1812.08466).

    The trace of the root is taken from the eigenvalues of the symmetric √Σ₁·Σ₂·√Σ₁, which holds for
    covariances of any rank, where a matrix root of Σ₁Σ₂ turns complex.
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
    slope: float  # of the distance over 1 / n
    fit: float  # R² of the line; below about 0.9 the value deserves no trust
    points: tuple[tuple[int, float], ...]  # rows and distance of every subset, smallest first


def minimum_rows(features: int) -> int:
    """Return how many rows FAD∞ needs at least.

    Its smallest subset, a fifth of the rows, must have a covariance that is more than noise: as
    many rows as a quarter of the features, and 100; in all 500 or more, as Microsoft's fadtk asks.
    """
    return max(500, 5 * math.ceil(features / 4))


def frechet_infinity(
    reference: Gaussian, rows: Rows, *, sizes: int = 25, seed: int = 0
) -> Extrapolation:
    """Extrapolate the distance to infinitely many rows: its line over 1/n, read at 0.

    Args:
        reference: what is compared with.
        rows: embeddings of the music that is scored.
        sizes: subsets of as many sizes, from a fifth of the rows to all of them.
        seed: of the subsets.

    Raises:
        DataError: fewer than `minimum_rows`.
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
    return Extrapolation(float(value), float(slope), float(fit), points)


def median_bandwidth(rows: Rows, *, most: int = 2000, seed: int = 0) -> float:
    """Return the median distance between different rows, of at most `most` of them."""
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

    Unbiased: the terms of a row with itself are left out, so that the expectation is 0 for two sets
    of one source, and single values may be slightly negative. Windows of one clip are alike, so
    where owners are given all pairs within a clip are left out; counting them would raise the
    distance of even perfect music.

    Args:
        reference: what is compared with, at least two rows.
        rows: what is scored, at least two rows.
        bandwidth: σ of exp(−d² / 2σ²); None is the median distance within the reference.
        reference_owners: clip of each reference row; None: each row is a clip of its own.
        owners: clip of each scored row; None: each row is a clip of its own.

    Raises:
        DataError: fewer than two rows, or clips, on a side.
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
    """Average the kernel over all pairs."""
    total = sum(
        np.exp(-scale * _squared_distances(first[at : at + _BLOCK], second)).sum()
        for at in range(0, len(first), _BLOCK)
    )
    return float(total) / (len(first) * len(second))


def _within(rows: Rows, owners: Owners, scale: float) -> float:
    """Average the kernel over all pairs of different clips."""
    total, count = 0.0, 0
    for at in range(0, len(rows), _BLOCK):
        kernel = np.exp(-scale * _squared_distances(rows[at : at + _BLOCK], rows))
        apart = owners[at : at + _BLOCK, None] != owners
        total += float(kernel[apart].sum())
        count += int(apart.sum())
    return total / count


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    centre = second.mean(axis=0)  # keeps the differences of large numbers exact
    first, second = first - centre, second - centre
    squares = np.square(first).sum(1)[:, None] + np.square(second).sum(1) - 2.0 * first @ second.T
    return squares.clip(min=0.0)


def kl_divergence(
    reference: Probabilities, rows: Probabilities, *, floor: float = 1e-6
) -> Float[np.ndarray, " _rows"]:
    """Return KL(reference ‖ rows) in nats for each pair of label distributions.

    Args:
        reference: probabilities of the music that is meant, rows sum to 1.
        rows: of what was made, in the same order.
        floor: added to both and normalised away, so that no probability is 0.
    """
    if reference.shape != rows.shape:
        raise ValueError(f"shapes {reference.shape} and {rows.shape} do not pair up")
    p = np.asarray(reference, np.float64) + floor
    q = np.asarray(rows, np.float64) + floor
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    return (p * np.log(p / q)).sum(1)


def set_divergence(reference: Probabilities, rows: Probabilities) -> float:
    """Return KL between the mean label distributions of two sets, which need not pair up."""
    return float(kl_divergence(reference.mean(0, keepdims=True), rows.mean(0, keepdims=True))[0])


def cosine_scores(first: Rows, second: Rows) -> Float[np.ndarray, " _rows"]:
    """Return the cosine of each pair of rows: the CLAP score, for embeddings of sound and text."""
    if first.shape != second.shape:
        raise ValueError(f"shapes {first.shape} and {second.shape} do not pair up")
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / np.maximum(lengths, 1e-12)


def mean_pairwise_distance(rows: Rows) -> float:
    """Return the mean of 1 − cosine over all pairs: how varied a set is."""
    if len(rows) < 2:
        return float("nan")
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    return float(1.0 - cosines[np.triu_indices(len(rows), 1)].mean())
