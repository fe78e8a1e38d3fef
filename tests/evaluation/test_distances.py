"""Distances against closed forms and against independent implementations."""

import numpy as np
import pytest

from jen1cli.errors import DataError
from jen1cli.evaluation.distances import (
    Gaussian,
    cosine_scores,
    frechet_distance,
    frechet_infinity,
    kernel_distance,
    kl_divergence,
    mean_pairwise_distance,
    median_bandwidth,
    minimum_rows,
    set_divergence,
)

RNG = np.random.default_rng(7)


def gaussian(mean, covariance):
    return Gaussian(np.asarray(mean, float), np.asarray(covariance, float), 1000)


def test_fad_of_two_gaussians_in_one_dimension():
    # (m1 - m2)² + (s1 - s2)²
    found = frechet_distance(gaussian([1.0], [[4.0]]), gaussian([-2.0], [[0.25]]))
    assert found == pytest.approx(9.0 + (2.0 - 0.5) ** 2)


def test_fad_of_commuting_covariances():
    first, second = gaussian([0, 0, 1], np.diag([1, 4, 9])), gaussian([2, 0, 1], np.diag([4, 4, 1]))
    assert frechet_distance(first, second) == pytest.approx(4 + 1 + 0 + 4)


def test_fad_agrees_with_the_matrix_root_of_scipy():
    import scipy.linalg

    rows = [
        RNG.standard_normal((80, 12)) @ RNG.standard_normal((12, 12)) + shift for shift in (0, 1)
    ]
    a, b = (Gaussian.of(r) for r in rows)
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    oracle = np.sum((a.mean - b.mean) ** 2) + np.trace(a.covariance + b.covariance - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(oracle, rel=1e-6)


def test_fad_is_symmetric_and_zero_for_a_set_with_itself():
    a, b = (Gaussian.of(RNG.standard_normal((30, 8)) * s) for s in (1, 3))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_fad_takes_fewer_rows_than_features():
    a, b = (Gaussian.of(RNG.standard_normal((5, 40))) for _ in range(2))
    assert np.isfinite(frechet_distance(a, b))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_fad_infinity_takes_away_the_bias_of_small_sets():
    features = 32
    truth = gaussian(np.zeros(features), np.eye(features))
    rows = np.random.default_rng(0).standard_normal((1000, features))
    finite = frechet_distance(truth, Gaussian.of(rows))
    found = frechet_infinity(truth, rows)
    assert abs(found.value) < 0.25 * finite
    assert found.fit > 0.9
    assert (found.points[0][0], found.points[-1][0]) == (200, 1000)
    assert found.points[-1][1] == pytest.approx(finite)
    assert found.points[0][1] > found.points[-1][1] > found.value


def test_fad_infinity_refuses_too_few_rows():
    rows = np.zeros((499, 8))
    assert minimum_rows(8) == 500
    assert minimum_rows(2048) == 2560
    with pytest.raises(DataError, match="needs 500 embeddings and there are 499"):
        frechet_infinity(Gaussian.of(np.eye(8)), rows)


@pytest.mark.heavy
def test_kad_is_the_unbiased_mmd_by_scikit_learn():
    from sklearn.metrics.pairwise import rbf_kernel  # here, since it takes seconds to import

    x, y = RNG.standard_normal((40, 6)), RNG.standard_normal((25, 6)) + 0.3
    sigma = 1.7
    kxx, kyy, kxy = (
        rbf_kernel(a, b, gamma=1 / (2 * sigma**2)) for a, b in ((x, x), (y, y), (x, y))
    )
    for kernel in (kxx, kyy):
        np.fill_diagonal(kernel, 0)
    oracle = kxx.sum() / (40 * 39) + kyy.sum() / (25 * 24) - 2 * kxy.mean()
    assert kernel_distance(x, y, sigma) == pytest.approx(100 * oracle)


def test_kad_of_gaussians_has_its_closed_form():
    # E k(x, y) for N(0, 1) and N(m, 1): sigma / sqrt(sigma² + 2) · exp(-m² / (2 (sigma² + 2)))
    rng = np.random.default_rng(1)
    sigma, m = 1.0, 1.5
    truth = 100 * 2 * sigma / np.sqrt(sigma**2 + 2) * (1 - np.exp(-(m**2) / (2 * (sigma**2 + 2))))
    found = [
        kernel_distance(rng.standard_normal((200, 1)), rng.standard_normal((200, 1)) + m, sigma)
        for _ in range(40)
    ]
    assert np.mean(found) == pytest.approx(truth, rel=0.03)


def test_kad_is_unbiased_where_the_biased_one_is_not():
    rng = np.random.default_rng(2)
    found = [
        kernel_distance(rng.standard_normal((12, 4)), rng.standard_normal((12, 4)), 2.0)
        for _ in range(400)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert min(found) < 0  # an unbiased estimate of 0 is sometimes below it


def test_kad_takes_its_bandwidth_from_the_reference():
    x, y = RNG.standard_normal((30, 3)), RNG.standard_normal((30, 3))
    distances = [np.linalg.norm(a - b) for i, a in enumerate(x) for b in x[i + 1 :]]
    assert median_bandwidth(x) == pytest.approx(np.median(distances))
    assert kernel_distance(x, y) == kernel_distance(x, y, median_bandwidth(x))
    assert kernel_distance(1000 * x, 1000 * y) == pytest.approx(kernel_distance(x, y))


def test_windows_of_one_clip_do_not_raise_the_distance():
    rng = np.random.default_rng(3)

    def windows():
        return np.repeat(rng.standard_normal((12, 4)), 3, axis=0) + 0.1 * rng.standard_normal(
            (36, 4)
        )

    owners = np.repeat(np.arange(12), 3)
    sides = [(windows(), windows()) for _ in range(200)]
    careless = [kernel_distance(a, b, 2.0) for a, b in sides]
    careful = [kernel_distance(a, b, 2.0, reference_owners=owners, owners=owners) for a, b in sides]
    assert abs(np.mean(careful)) < 3 * np.std(careful) / np.sqrt(200)
    assert np.mean(careless) > 5 * abs(np.mean(careful))


def test_one_row_has_no_distance():
    with pytest.raises(DataError, match="at least two"):
        Gaussian.of(np.zeros((1, 3)))
    with pytest.raises(DataError, match="embeddings of two clips on each side"):
        kernel_distance(np.zeros((1, 3)), np.zeros((5, 3)))


def test_kl_agrees_with_scipy_and_is_zero_for_equals():
    import scipy.stats

    p, q = RNG.dirichlet(np.ones(9), 5), RNG.dirichlet(np.ones(9), 5)
    oracle = [scipy.stats.entropy(a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(kl_divergence(p, q, floor=1e-12), oracle, rtol=1e-6)
    np.testing.assert_allclose(kl_divergence(p, p), 0, atol=1e-12)
    assert set_divergence(p, p[::-1]) == pytest.approx(0, abs=1e-12)


def test_kl_of_a_coin_has_its_closed_form():
    found = kl_divergence(np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]]), floor=0.0)
    assert found[0] == pytest.approx(0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1))


def test_cosines_and_diversity():
    x = np.array([[1.0, 0], [0, 2.0]])
    np.testing.assert_allclose(cosine_scores(x, np.array([[3.0, 0], [0, -1.0]])), [1, -1])
    assert mean_pairwise_distance(x) == pytest.approx(1.0)
    assert mean_pairwise_distance(np.ones((4, 3))) == pytest.approx(0.0)
