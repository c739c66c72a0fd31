"""Verdicts: exact formulas, noise, structure in the residual, undefined formulas."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e-3, 0.1])
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
