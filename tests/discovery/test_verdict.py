"""Verdicts: exact formulas, noise, structure in the residual, undefined formulas."""

from itertools import permutations

import numpy as np
import pytest

from kan_ref.discovery.residual_tests import (
    CLEAR,
    neighbour_pairs,
    neighbour_statistic,
    product_statistic,
    sign_statistic,
)
from kan_ref.discovery.verdict import explained, held_out_gain, judge

RNG = np.random.default_rng
X = RNG(0).uniform(-1.0, 1.0, (1000, 2))
Y = np.exp(X[:, 0]) * np.sin(3.0 * X[:, 1])
SPREAD = np.std(Y)


def test_rounding_errors_are_exact_in_any_units():
    for unit, shift in ((1.0, 0.0), (1e-20, 0.0), (1e20, 0.0), (1.0, 1e6)):
        y = unit * (Y + shift)
        verdict = judge(X, y, y * (1.0 + 1e-16 * RNG(1).standard_normal(len(y))), RNG(0))
        assert verdict.kind == "exact"
        assert str(verdict).startswith("exact: the largest error")


def test_a_small_error_with_structure_is_not_exact():
    """A quotient of polynomials may approximate a curve to 1e-12."""
    wrong = SPREAD * np.sin(5.0 * X[:, 1])

    assert judge(X, Y, Y + 2e-12 * wrong, RNG(0)).kind == "not explained"
    assert judge(X, Y, Y + 2e-14 * wrong, RNG(0)).kind == "exact"
    noise = 2e-12 * SPREAD * RNG(2).uniform(-1.0, 1.0, len(Y))
    assert judge(X, Y, Y + noise, RNG(0)).kind == "exact"


@pytest.mark.parametrize("size", [1e-11, 1e-9, 1e-6, 1e-3, 0.1])
def test_a_wrong_formula_without_noise_is_not_explained(size):
    for wrong in (X[:, 0] ** 2, X[:, 0] * X[:, 1], np.sin(5.0 * X[:, 1]), np.abs(X[:, 0])):
        verdict = judge(X, Y, Y + size * SPREAD * wrong, RNG(0))
        assert verdict.kind == "not explained"
        assert "structure" in verdict.why


def test_one_exceptional_sample_is_no_exact_formula():
    predicted = Y.copy()
    predicted[17] += 1e-6

    assert judge(X, Y, predicted, RNG(0)).kind != "exact"


@pytest.mark.long
def test_noise_is_called_noise_in_at_least_nine_of_ten_draws():
    kinds = [
        judge(X, Y + 0.05 * SPREAD * RNG(seed).standard_normal(1000), Y, RNG(seed)).kind
        for seed in range(10)
    ]

    assert kinds.count("within noise") >= 9


def test_structure_of_a_third_of_the_noise_is_seen():
    for seed in range(5):
        noisy = Y + 0.03 * SPREAD * RNG(seed).standard_normal(1000)
        wrong = Y + 0.01 * SPREAD * np.sin(4.0 * X[:, 0]) * 1.4
        assert judge(X, noisy, wrong, RNG(seed)).kind == "not explained"


def test_a_formula_that_is_undefined_at_a_sample_is_not_explained():
    predicted = Y.copy()
    predicted[3] = np.nan

    verdict = judge(X, Y, predicted, RNG(0))

    assert verdict.kind == "not explained"
    assert "undefined at 1 of 1000 samples" in verdict.why


def test_the_gain_is_that_of_its_definition():
    residual = X[:, 0] + 0.1 * RNG(2).standard_normal(1000)

    gain, error = held_out_gain(X, residual, RNG(0))

    # a line explains all but the noise: r^2 - (r - q)^2 has the mean of X^2, 1/3
    assert 0.30 < gain < 0.36
    np.testing.assert_allclose(error, np.std(X[:, 0] ** 2) / np.sqrt(1000), rtol=0.25)


@pytest.mark.parametrize("p", [1, 4, 30])
def test_the_statistic_of_noise_is_normal_and_that_of_structure_large(p):
    columns = RNG(3).standard_normal((1000, p))
    drawn = [explained(columns, RNG(100 + seed).standard_normal(1000))[0] for seed in range(400)]

    assert abs(np.mean(drawn)) < 0.2
    assert abs(np.std(drawn) - 1.0) < 0.15
    assert max(drawn) < 4.0
    structured = RNG(5).standard_normal(1000) + 0.5 * columns[:, 0]
    statistic, share = explained(columns, structured)
    assert statistic > 6.0
    np.testing.assert_allclose(share, 0.2, atol=0.06)


def test_no_error_above_a_billionth_is_exact_however_large_the_targets_are():
    for shift in (0.0, 1e6, 1e7):
        y = Y + shift
        predicted = y + 1e-8 * SPREAD * np.sin(5.0 * X[:, 0])

        assert judge(X, y, predicted, RNG(0)).kind != "exact"


# --- neighbours


def test_the_pairs_are_each_sample_with_its_nearest_ones_by_brute_force():
    z = RNG(6).standard_normal((40, 3))
    distances = np.linalg.norm(z[:, None] - z[None], axis=2)
    expected = {tuple(sorted((i, j))) for i in range(40) for j in np.argsort(distances[i])[1:4]}

    assert {tuple(pair) for pair in neighbour_pairs(z, 3)} == expected


def test_the_statistic_of_products_has_the_variance_over_all_signs():
    pairs = neighbour_pairs(RNG(7).standard_normal((8, 2)), 2)
    r = RNG(8).standard_cauchy(8)
    signs = 1.0 - 2.0 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    sums = np.sum((signs * r)[:, pairs[:, 0]] * (signs * r)[:, pairs[:, 1]], axis=1)

    np.testing.assert_allclose(np.mean(sums), 0.0, atol=1e-12 * np.abs(sums).max())
    np.testing.assert_allclose(product_statistic(pairs, r), sums[0] / np.std(sums), rtol=1e-12)


def test_the_statistic_of_signs_has_mean_and_variance_over_all_orders():
    pairs = neighbour_pairs(RNG(9).standard_normal((7, 2)), 2)
    r = np.array([1.0, 2.0, -0.1, 3.0, -5.0, -1.0, 0.2])
    u = np.sign(r) - np.mean(np.sign(r))
    sums = [u[list(p)][pairs[:, 0]] @ u[list(p)][pairs[:, 1]] for p in permutations(range(7))]

    expected = (sums[0] - np.mean(sums)) / np.std(sums)
    np.testing.assert_allclose(sign_statistic(pairs, r), expected, rtol=1e-10)
    assert sign_statistic(pairs, np.abs(r)) == 0.0


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "skew", "size depends on x"])
def test_residuals_of_independent_noise_are_rarely_called_correlated(kind):
    rng = RNG(10)
    z = rng.uniform(-1.7, 1.7, (200, 2))
    draw = {
        "normal": lambda: rng.standard_normal(200),
        "heavy tails": lambda: rng.standard_cauchy(200),
        "skew": lambda: rng.exponential(size=200) - 1.0,
        "size depends on x": lambda: rng.standard_normal(200) * np.exp(z[:, 0]),
    }[kind]

    assert sum(neighbour_statistic(z, draw()) > CLEAR for _ in range(60)) <= 1


def test_a_fast_wave_without_noise_is_seen_among_few_samples():
    x = RNG(0).uniform(-3.0, 3.0, (200, 2))
    y = x[:, 0] * x[:, 1]
    verdict = judge(x, y + np.sin((x[:, 0] - 1.0) * (x[:, 1] - 1.0)), y, RNG(0))

    assert verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated, z = " in verdict.why


def test_a_peak_that_a_polynomial_misses_is_seen_among_few_samples():
    x = RNG(0).uniform(-1.0, 1.0, (200, 2))
    y = 1.0 / (1e-3 + (x[:, 0] - 0.3) ** 2 + (x[:, 1] + 0.2) ** 2)
    columns = np.stack([x[:, 0] ** i * x[:, 1] ** j for i in range(4) for j in range(4)], axis=1)
    predicted = columns @ np.linalg.lstsq(columns, y, rcond=None)[0]

    assert judge(x, y, predicted, RNG(0)).kind == "not explained"
