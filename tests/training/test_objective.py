"""The objective as optimizers see it: value and gradient, or residuals and Jacobian, of the part of theta that moves."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import SPLINE_ARRAYS, data_objective, network_cases, random_batch, random_network
from oracles_training import bits, mean_square, prediction_rows, smoothness

import kan_ref as kr
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply_transposed, shape
from kan_ref.training.matrix_free import DataOperator
from kan_ref.training.penalties import Smoothness
from kan_ref.training.variables import trainable_places

SUBSETS = [names for n in (1, 2, 3) for names in combinations(SPLINE_ARRAYS, n)]
weights = st.sampled_from([0.0, 1e-8, 0.3, 1e4])


def example(seed=0, *, weight=0.3, trainable=SPLINE_ARRAYS, kind="uneven", degrees=(2, 3)):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=(2, 3, 2), degrees=degrees, kind=kind)
    x = random_batch(rng, network.layers[0], 9)
    y = rng.normal(size=(9, 2))
    return (
        network,
        x,
        y,
        data_objective(network, x, y, smoothness_weight=weight, trainable=trainable),
    )


# --- the four functions agree with the definition and with one another


@pytest.mark.parametrize("weight", [0.0, 1e-8, 0.3, 1e4])
def test_the_value_is_the_mean_square_plus_the_weighted_smoothness(weight):
    network, x, y, objective = example(weight=weight)

    value, _ = objective.value_and_grad(objective.start())

    assert value == pytest.approx(
        mean_square(network(x), y) + weight * smoothness(network), rel=1e-11
    )


@given(network_cases(), weights)
def test_the_squares_of_the_residuals_sum_to_the_value(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    residuals = objective.residuals(objective.start())

    assert residuals @ residuals == pytest.approx(
        objective.value_and_grad(objective.start())[0], rel=1e-13
    )


@given(network_cases(), weights)
def test_the_gradient_is_twice_the_transposed_jacobian_times_the_residuals(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    _, gradient = objective.value_and_grad(objective.start())
    residuals, jacobian = objective.linearize(objective.start())

    scale = np.abs(dense_form(jacobian)).T @ np.abs(residuals)
    difference = np.abs(2.0 * multiply_transposed(jacobian, residuals) - gradient)
    np.testing.assert_array_less(difference, 1e-12 * (scale + np.abs(gradient).max()) + 1e-300)


@given(network_cases(), weights)
def test_linearize_has_the_residuals_of_residuals_bit_for_bit(case, weight):
    """An optimizer compares the two: a difference of rounding would look like progress."""
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    residuals, jacobian = objective.linearize(objective.start())

    np.testing.assert_array_equal(residuals, objective.residuals(objective.start()))
    assert shape(jacobian) == (residuals.size, network.n_params)


@given(network_cases(degrees=range(2, 6)), weights)
def test_the_gradient_is_the_derivative_along_any_direction(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )
    theta, direction = objective.start(), rng.normal(size=network.n_params)

    value, gradient = objective.value_and_grad(theta)
    slope = central_difference(lambda t: objective.value_and_grad(theta + t * direction)[0], 1e-6)

    beside = objective.value_and_grad(theta + direction)[0]
    assert abs(gradient @ direction - slope) <= 1e-7 * (
        np.abs(gradient * direction).sum() + value + beside
    )


def test_the_jacobian_is_that_of_predictions_then_of_jumps():
    network, x, y, objective = example(weight=0.25)

    residuals, jacobian = objective.linearize(objective.start())
    dense = dense_form(jacobian)

    n = y.size
    np.testing.assert_allclose(
        dense[:n], prediction_rows(network, x) / np.sqrt(n), rtol=1e-9, atol=1e-11
    )
    np.testing.assert_allclose(residuals[:n], (network(x) - y).reshape(-1) / np.sqrt(n), rtol=1e-14)
    np.testing.assert_allclose(
        residuals[n:], 0.5 * Smoothness.of(network, 1.0).residuals(network), rtol=1e-14
    )
    assert len(residuals) > n


def test_without_a_weight_there_are_no_residuals_but_the_data_s():
    network, _, y, objective = example(weight=0.0)

    residuals, jacobian = objective.linearize(objective.start())

    assert len(residuals) == y.size
    assert shape(jacobian) == (y.size, network.n_params)
    assert objective.added(network) == 0.0


def test_the_penalty_is_what_the_value_has_beside_the_mean_square():
    network, x, y, objective = example(weight=0.3)

    value, _ = objective.value_and_grad(objective.start())

    assert objective.added(network) == pytest.approx(value - mean_square(network(x), y), rel=1e-12)
    assert objective.added(network) > 0.1 * value


# --- the part that moves


@pytest.mark.parametrize("names", SUBSETS)
def test_a_subset_has_the_entries_of_the_whole_gradient_and_jacobian(names):
    network, x, y, whole = example()
    part = data_objective(network, x, y, smoothness_weight=0.3, trainable=names)
    chosen = np.concatenate(
        [
            np.full(getattr(layer, name).size, name in names)
            for layer in network.layers
            for name in ("coef", "w_base", "w_spline")
        ]
    )

    value, gradient = whole.value_and_grad(whole.start())
    part_value, part_gradient = part.value_and_grad(part.start())
    residuals, jacobian = whole.linearize(whole.start())
    part_residuals, part_jacobian = part.linearize(part.start())

    assert part_value == value
    np.testing.assert_array_equal(part.start(), network.theta[chosen])
    np.testing.assert_array_equal(part_gradient, gradient[chosen])
    np.testing.assert_array_equal(part_residuals, residuals)
    np.testing.assert_array_equal(dense_form(part_jacobian), dense_form(jacobian)[:, chosen])


@pytest.mark.parametrize("names", SUBSETS)
def test_the_operator_multiplies_by_the_jacobian_and_does_not_store_it(names):
    network, x, y, objective = example(trainable=names)
    theta = objective.start()
    residuals, jacobian = objective.linearize(theta)
    dense = dense_form(jacobian)
    direction, weights = np.cos(np.arange(dense.shape[1])), np.sin(np.arange(dense.shape[0]))

    found, operator = objective.operator(theta)

    np.testing.assert_array_equal(found, residuals)
    assert operator.shape == dense.shape
    np.testing.assert_allclose(operator.multiply(direction), dense @ direction, atol=1e-12)
    np.testing.assert_allclose(operator.multiply_transposed(weights), weights @ dense, atol=1e-12)
    whole = data_objective(network, x, y)
    assert isinstance(whole.operator(whole.start())[1], DataOperator)


@pytest.mark.parametrize("names", SUBSETS)
def test_moving_a_subset_leaves_the_other_parameters_as_they_are(names):
    network, _, _, objective = example(trainable=names)

    moved = objective.model_at(objective.start() + 1.0)

    for old, new in zip(network.layers, moved.layers, strict=True):
        for name in SPLINE_ARRAYS:
            step = 1.0 if name in names else 0.0
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name) + step)


def test_all_names_in_any_order_are_the_whole():
    network, x, y, whole = example()
    other = data_objective(
        network, x, y, smoothness_weight=0.3, trainable=("w_spline", "coef", "w_base")
    )

    assert trainable_places(network, ("w_spline", "coef", "w_base")) is None
    np.testing.assert_array_equal(
        other.value_and_grad(other.start())[1], whole.value_and_grad(whole.start())[1]
    )


@pytest.mark.parametrize("names", [SPLINE_ARRAYS, ("coef",)])
def test_an_optimizer_keeps_its_vector(names):
    """The network must not see a later change of the vector it was made from, nor lock it."""
    _, _, _, objective = example(trainable=names)
    theta = objective.start()

    network = objective.model_at(theta)
    before = bits(network)
    theta += 1.0

    assert bits(network) == before
    assert not np.shares_memory(objective.start(), objective.model.theta)


@pytest.mark.parametrize(
    ("names", "view", "shared"),
    [(SPLINE_ARRAYS, False, True), (SPLINE_ARRAYS, True, False), (("coef",), False, False)],
    ids=["all", "a view", "some"],
)
def test_only_a_vector_that_nobody_can_change_is_taken_without_a_copy(names, view, shared):
    _, _, _, objective = example(trainable=names)
    owner = objective.start()
    theta = owner.view() if view else owner
    theta.flags.writeable = False

    network = objective.model_at(theta)

    assert np.shares_memory(network.theta, owner) is shared
    assert objective.evaluated_model(theta) is network
    assert objective.evaluated_model(theta.copy()) is network
    assert objective.evaluated_model(theta + 1.0) is not network


@pytest.mark.parametrize("names", [SPLINE_ARRAYS, ("coef", "w_base")])
def test_the_network_at_the_start_is_the_network(names):
    network, _, _, objective = example(trainable=names)

    assert bits(objective.model_at(objective.start())) == bits(network)


@pytest.mark.parametrize("function", ["value_and_grad", "residuals", "linearize"])
def test_evaluating_changes_nothing(function):
    network, _, _, objective = example()
    before, theta = bits(network), objective.start() + 0.5

    getattr(objective, function)(theta)

    assert bits(network) == before
    np.testing.assert_array_equal(theta, network.theta + 0.5)


# --- doors


def test_inputs_evaluated_before_serve_as_well():
    network, x, y, objective = example()
    shared = data_objective(network, x, y, smoothness_weight=0.3, inputs=network.prepare(x))

    np.testing.assert_array_equal(
        shared.residuals(shared.start()), objective.residuals(objective.start())
    )


def test_the_public_value_and_gradient_are_those_of_the_objective():
    network, x, y, objective = example(weight=0.3)

    value, gradient = kr.value_and_grad(network, x.tolist(), y.tolist(), smoothness_weight=0.3)

    expected_value, expected_gradient = objective.value_and_grad(objective.start())
    assert value == expected_value
    np.testing.assert_array_equal(gradient, expected_gradient)


def test_the_public_loss_is_by_default_the_mean_square_alone():
    network, x, y, _ = example()

    assert kr.value_and_grad(network, x, y)[0] == pytest.approx(
        mean_square(network(x), y), rel=1e-13
    )


def test_an_objective_prints_sizes_and_no_numbers():
    _, _, _, objective = example(trainable=("w_base",))

    assert (
        repr(objective)
        == f"Objective({objective.model!r}, mse, 9 samples, 12 trainable parameters)"
    )


def test_a_loss_of_an_mlp_beyond_float64_has_the_remedy():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    with pytest.raises(ValueError, match=r"the loss or its gradient lies beyond float64.*: scale"):
        kr.value_and_grad(mlp, np.zeros((4, 2)), np.full((4, 1), 1e200))
