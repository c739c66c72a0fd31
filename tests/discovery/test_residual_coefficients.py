"""Residuals tested against products of polynomials of the inputs, of values and of classes."""

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.discovery.residual_tests import (
    class_residuals,
    class_structure,
    joint_statistic,
    largest_coefficient,
    normal_of_ratio,
    product_columns,
    suspicion_of,
)
from kan_ref.discovery.trials import ArchitectureTrial, ClassRule
from kan_ref.discovery.verdict import judge

RNG = np.random.default_rng
SIGNS = 1.0 - 2.0 * ((np.arange(1024)[:, None] >> np.arange(10)) & 1)


def orthonormal(n, k):
    return np.linalg.qr(RNG(1).standard_normal((n, k)))[0]


def test_the_columns_are_orthonormal_products_in_the_order_of_their_degrees():
    z = RNG(0).uniform(-2.0, 1.0, (900, 3))
    columns = product_columns(z)

    assert columns.shape == (900, 84)  # total degree 6: C(9, 3)
    np.testing.assert_allclose(columns.T @ columns, np.eye(84), atol=1e-10)
    # the first 10 columns span all polynomials of degree 2, and no more
    inside, outside = z[:, 0] * z[:, 2] - z[:, 1] ** 2 + z[:, 0], z[:, 0] * z[:, 1] * z[:, 2]
    first = columns[:, :10]
    np.testing.assert_allclose(first @ (first.T @ inside), inside, atol=1e-10)
    assert np.linalg.norm(outside - first @ (first.T @ outside)) > 0.1 * np.linalg.norm(outside)


def test_few_samples_and_constant_inputs_have_few_columns():
    z = RNG(0).uniform(-1.0, 1.0, (50, 2))
    assert product_columns(z).shape == (50, 6)
    constant = np.column_stack([z[:, 0], np.zeros(50)])
    columns = product_columns(constant)
    assert columns.shape == (50, 3)
    np.testing.assert_allclose(columns.T @ columns, np.eye(3), atol=1e-10)


def test_the_statistic_of_a_column_has_the_variance_over_all_signs():
    columns, r = orthonormal(10, 3), RNG(8).standard_cauchy(10)
    sums = (SIGNS * r) @ columns  # the first row has the signs of r itself
    expected = np.abs(sums[0] / np.std(sums, axis=0)).max()

    t, clear = largest_coefficient(columns, r)

    np.testing.assert_allclose(np.mean(sums, axis=0), 0.0, atol=1e-12 * np.abs(sums).max())
    np.testing.assert_allclose(t, expected, rtol=1e-12)
    np.testing.assert_allclose(clear, 4.1490, atol=1e-3)  # normal quantile of 1 - 1e-4 / 6


def test_the_sum_of_squares_has_mean_and_variance_over_all_signs():
    columns, r = orthonormal(10, 3), RNG(8).standard_normal(10)
    sums = np.sum(((SIGNS * r) @ columns) ** 2, axis=1)
    mean, variance = np.mean(sums), np.var(sums)

    expected = normal_of_ratio(sums[0] / mean, 2.0 * mean**2 / variance)
    np.testing.assert_allclose(joint_statistic(columns, r), expected, rtol=1e-10)


def test_of_two_variances_the_one_with_the_smaller_statistic_counts():
    columns = orthonormal(200, 4)
    r = RNG(2).standard_normal(200) + 8.0 * columns[:, 1]
    t, z = largest_coefficient(columns, r)[0], joint_statistic(columns, r)

    for known in (0.01 * r**2, r**2):
        np.testing.assert_allclose(largest_coefficient(columns, r, known)[0], t)
        np.testing.assert_allclose(joint_statistic(columns, r, known), z)
    np.testing.assert_allclose(largest_coefficient(columns, r, 100.0 * r**2)[0], 0.1 * t)
    assert joint_statistic(columns, r, 2.0 * r**2) < z


@for_all("kind", ["normal", "heavy tails", "skew", "size depends on x"])
def test_noise_of_any_distribution_is_rarely_called_structure(kind):
    rng = RNG(10)
    z = rng.uniform(-1.7, 1.7, (400, 3))
    columns = product_columns(z)
    draw = {
        "normal": lambda: rng.standard_normal(400),
        "heavy tails": lambda: rng.standard_cauchy(400),
        "skew": lambda: rng.exponential(size=400) - 1.0,
        "size depends on x": lambda: rng.standard_normal(400) * np.exp(1.5 * z[:, 0]),
    }[kind]
    found = []
    for _ in range(200):
        r = draw()
        t, clear = largest_coefficient(columns, r)
        found.append(t > clear or joint_statistic(columns, r) > 4.0)

    assert sum(found) <= 1


def test_one_residual_alone_is_no_structure():
    columns, r = product_columns(RNG(0).uniform(-1.0, 1.0, (300, 2))), np.zeros(300)
    r[np.argmax(np.sum(columns**2, axis=1))] = 1.0

    assert abs(joint_statistic(columns, r)) < 1e-3
    assert largest_coefficient(columns, r)[0] == pytest.approx(1.0)
    assert joint_statistic(columns, np.zeros(300)) == 0.0


def test_one_missing_term_below_the_noise_is_seen():
    """A quarter of the noise in one product of degrees 3 and 4, which no other test has."""
    x = RNG(0).uniform(-1.0, 1.0, (1000, 2))
    missing = 0.5 * np.cos(3.0 * np.arccos(x[:, 0])) * np.cos(4.0 * np.arccos(x[:, 1]))
    for seed in range(3):
        noise = RNG(seed).standard_normal(1000)
        verdict = judge(x, missing + noise, np.zeros(1000), RNG(seed))
        assert verdict.kind == "not explained"
        assert "one product of polynomials of the inputs is correlated with it" in verdict.why


def test_an_error_in_three_inputs_below_the_noise_is_seen():
    """It is spread over many products of three inputs, each of which is too small."""
    x = RNG(0).uniform(-1.0, 1.0, (1000, 3))
    columns = product_columns(x)
    wrong = columns[:, -20:].sum(axis=1)
    wrong *= 0.35 / np.std(wrong)
    for seed in range(3):
        noise = RNG(seed).standard_normal(1000)
        t, clear = largest_coefficient(columns, wrong + noise)
        assert t < clear
        verdict = judge(x, wrong + noise, np.zeros(1000), RNG(seed))
        assert verdict.kind == "not explained"
        assert "products of polynomials of all inputs explain it" in verdict.why


# --- classes


def problem(weak, n=400, seed=0):
    """Labels with the logits 3 x + weak y, and networks that compute and miss them."""
    rng = RNG(seed)
    x = rng.uniform(-1.0, 1.0, (n, 2))
    z = 3.0 * x[:, 0] + weak * x[:, 1]
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-z))).astype(np.float64)[:, None]
    right = network_of(weak)
    return kr.Data(x, y, x, y), right, network_of(0.0)


def network_of(weak):
    net = kr.init_network((2, 1), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    net = kr.fix_symbolic(net, 0, output=0, input=0, name="x", affine=(1.0, 0.0, 3.0, 0.0))
    return kr.fix_symbolic(net, 0, output=0, input=1, name="x", affine=(1.0, 0.0, weak, 0.0))


def test_residuals_of_classes_have_the_variance_of_their_probabilities():
    data, right, _ = problem(1.5)

    residual, variance = class_residuals(data, right, "logistic")

    p = 1.0 / (1.0 + np.exp(-right(data.x_train)))
    np.testing.assert_allclose(residual, data.y_train - p, rtol=1e-12)
    np.testing.assert_allclose(variance, p * (1.0 - p), rtol=1e-12)


def test_a_dropped_input_shows_in_the_residuals_of_classes():
    seen = []
    for seed in range(10):
        data, right, dropped = problem(2.0, seed=seed)
        assert class_structure(data, right, "logistic") == ""
        seen.append(class_structure(data, dropped, "logistic"))

    assert sum(one != "" for one in seen) >= 8
    assert all("right probabilities seldom raise" in one for one in seen if one)


def test_few_labels_show_nothing():
    data, _, dropped = problem(8.0, n=40)

    assert class_structure(data, dropped, "logistic") == ""
    assert not suspicion_of(data, "logistic")(dropped)


def test_an_architecture_with_suspected_residuals_is_not_accepted_beside_one_without():
    data, right, dropped = problem(2.0)
    is_suspected = suspicion_of(data, "logistic")
    rule = ClassRule(1e-3, is_suspected)
    equal = np.full(80, 0.4)  # held-out losses that differ by nothing
    with_input, without = (
        ArchitectureTrial("", net, 0.3, losses=equal, validation_loss=0.4)
        for net in (right, dropped)
    )

    assert is_suspected(dropped)
    assert not is_suspected(right)
    assert not rule.accepts(without, with_input)
    assert rule.accepts(with_input, without)
    assert rule.accepts(without, without)
    assert ClassRule(0.5, is_suspected).accepts(without, with_input)  # next to no loss
