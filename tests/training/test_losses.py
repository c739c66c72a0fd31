"""Losses: values against their definitions, gradients against differences, targets that cannot be broadcast or misread."""

import math

import numpy as np
import pytest
from networks import random_network
from oracles_training import mean_square

import kan_ref as kr
from kan_ref.numerics import central_difference
from kan_ref.training.objective import LOSSES, mean_square_residuals

NAMES = ("mse", "cross_entropy", "logistic")


def case(name, seed, *, batch=5, n_out=3, size=3.0):
    """Predictions and targets (batch, n_out) of a loss."""
    rng = np.random.default_rng(seed)
    z = size * rng.normal(size=(batch, n_out))
    if name == "cross_entropy":
        return z, np.eye(n_out)[rng.integers(n_out, size=batch)]
    return z, rng.normal(size=z.shape) if name == "mse" else rng.integers(2, size=z.shape) * 1.0


def by_definition(name, z, y):
    if name == "mse":
        return mean_square(z, y)
    if name == "logistic":  # the right answer has probability s(z) for 1, s(-z) for 0
        signs = np.where(y == 1.0, 1.0, -1.0)
        return float(np.mean([math.log1p(math.exp(-v)) for v in (signs * z).ravel()]))
    right = z[y == 1.0]
    return float(np.mean([math.log(sum(map(math.exp, z[b] - r))) for b, r in enumerate(right)]))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_a_loss_is_its_definition(name, seed):
    z, y = case(name, seed)

    assert LOSSES[name].value_and_grad(z, y)[0] == pytest.approx(by_definition(name, z, y), 1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_of_a_loss_is_its_derivative_along_any_direction(name, seed):
    z, y = case(name, seed)
    direction = np.random.default_rng(seed + 9).normal(size=z.shape)

    slope = central_difference(lambda t: LOSSES[name].value_and_grad(z + t * direction, y)[0])

    assert np.vdot(LOSSES[name].value_and_grad(z, y)[1], direction) == pytest.approx(
        slope, rel=1e-7, abs=1e-9
    )


def test_the_squares_of_residuals_sum_to_the_loss_the_first_sample_first():
    z, y = case("mse", 0)
    residuals = mean_square_residuals(z, y)

    assert residuals @ residuals == pytest.approx(mean_square(z, y), rel=1e-14)
    assert residuals[1] == pytest.approx((z - y)[0, 1] / math.sqrt(z.size), rel=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy", "logistic"])
def test_losses_of_huge_logits_are_finite_and_linear(name):
    z = np.array([[1e4, -1e4]])
    wrong = np.array([[0.0, 1.0]])

    value, gradient = LOSSES[name].value_and_grad(z, wrong)

    assert value == pytest.approx(2e4 if name == "cross_entropy" else 1e4)
    assert np.abs(gradient).max() <= 1.0


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_writes_into_nothing_that_it_is_given(name):
    z, y = case(name, 0)
    before = z.copy(), y.copy()

    LOSSES[name].value_and_grad(z, y)

    assert (z == before[0]).all()
    assert (y == before[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_judgement_is_loss_error_and_share_of_right_answers(name):
    z, y = case(name, 1, batch=40)
    loss, rmse, accuracy = LOSSES[name].judge(z, y)

    probabilities, right = z, math.nan
    if name == "cross_entropy":
        probabilities = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        right = np.mean([row.argmax() == label.argmax() for row, label in zip(z, y, strict=True)])
    elif name == "logistic":
        probabilities, right = 1.0 / (1.0 + np.exp(-z)), ((z > 0) == (y == 1)).mean()
    assert loss == pytest.approx(by_definition(name, z, y), rel=1e-12)
    assert rmse == pytest.approx(math.sqrt(mean_square(probabilities, y)), rel=1e-12)
    assert accuracy == pytest.approx(right, nan_ok=True)


# --- probabilities


@pytest.mark.parametrize(("widths", "loss"), [((2, 3), None), ((2, 1), None), ((2, 3), "logistic")])
def test_probabilities_are_those_of_the_loss(widths, loss):
    network = random_network(np.random.default_rng(0), widths=widths, degrees=(3,))
    x = np.random.default_rng(1).uniform(-1, 1, (6, 2))

    found = kr.predict_proba(network, x, loss=loss)

    z = network(x)
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if widths[-1] == 1 or loss == "logistic":
        expected = 1.0 / (1.0 + np.exp(-z))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_probabilities_of_far_logits_are_zero_and_one():
    line = kr.init_network(
        (1, 2), n_intervals=1, degree=1, domain=(-1, 1), rng=np.random.default_rng(0)
    )
    line = line.with_theta(np.array([0, 0, 0, 0, 1e4, -1e4, 1, 1.0]))

    np.testing.assert_array_equal(kr.predict_proba(line, [[1.0]]), [[1.0, 0.0]])
    np.testing.assert_array_equal(kr.predict_proba(line, [[1.0]], loss="logistic"), [[1.0, 0.0]])


def test_one_output_has_no_cross_entropy():
    network = random_network(np.random.default_rng(0), widths=(2, 1))

    with pytest.raises(ValueError, match="loss"):
        kr.predict_proba(network, np.zeros((1, 2)), loss="cross_entropy")


# --- targets are read by name and position, and never broadcast


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        ("mse", np.zeros(4), r"y.*\(4,\).*y\[:, None\]"),
        ("mse", np.zeros((4, 1)), r"y.*\(4, 1\)"),
        ("mse", np.zeros((3, 2)), "y.*3.*4"),
        ("mse", np.array([[0, 0], [0, 0], [0, np.nan], [0, 0]]), "y.*nan.*row 2.*column 1"),
        ("logistic", np.array([[0, 1], [0, 1], [0, 0.5], [1, 1]]), "y.*row 2.*column 1"),
        ("logistic", np.zeros(4), "y"),
        ("cross_entropy", np.array([0, 1, 2, 0]), "y at position 2.*2"),
        ("cross_entropy", np.array([0, -1, 0, 0]), "y at position 1.*-1"),
        ("cross_entropy", np.zeros(4), "y.*float64"),
        ("cross_entropy", np.zeros((4, 2), int), r"y.*\(4, 2\)"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, y, words):
    network = random_network(np.random.default_rng(0), widths=(3, 2))

    with pytest.raises(ValueError, match=words):
        kr.value_and_grad(network, np.zeros((4, 3)), y, loss)


def test_labels_become_rows_with_a_one_in_their_column():
    rows = LOSSES["cross_entropy"].read_targets("y", np.array([2, 0], dtype=np.uint8), 3)

    np.testing.assert_array_equal(rows, [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("seed", range(2))
def test_the_gradient_of_a_class_loss_reaches_the_parameters_of_a_network(seed):
    network = random_network(np.random.default_rng(seed), widths=(2, 3, 3), degrees=(2, 3))
    x = np.random.default_rng(seed).uniform(-1, 1, (7, 2))
    labels = np.arange(7) % 3
    direction = np.random.default_rng(seed + 1).normal(size=network.n_params)

    def value(t):
        return kr.value_and_grad(
            network.with_theta(network.theta + t * direction), x, labels, "cross_entropy"
        )[0]

    slope = kr.value_and_grad(network, x, labels, "cross_entropy")[1] @ direction

    assert slope == pytest.approx(central_difference(value), rel=1e-6)
