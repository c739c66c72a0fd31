"""Jets of MLPs: against loops, against differences, against SymPy; derivatives of their activations."""

import warnings

import numpy as np
import pytest
from cases import for_all
from jet_checks import (
    TOLERANCE,
    error,
    every_kind,
    flow_of,
    forward_error,
    fourth_order,
    gradient_errors,
    jet_of,
    random_directions,
)
from networks import draws
from oracles_jets import activation_value, perceptron_derivatives

import kan_ref as kr
from kan_ref.functions.base_function import ACTIVATION_NAMES, activation_values
from kan_ref.pde import mlp_jets
from kan_ref.pde.jet_kind import directional_kind

activations = pytest.mark.parametrize("activation", ACTIVATION_NAMES)
depths = for_all("depth", [1, 2, 3])


def example(activation, depth, seed=0, n_samples=7):
    """An MLP with biases; no sample is near a kink of relu."""
    rng = np.random.default_rng(seed)
    widths = {1: (2, 3), 2: (2, 4, 3), 3: (3, 4, 4, 2)}[depth]
    mlp = kr.init_mlp(widths, activation=activation, rng=rng)
    scale = 0.3 if activation == "sine" else 1.0  # of the first frequencies, 30
    mlp = mlp.with_theta(scale * mlp.theta + 0.3 * rng.normal(size=mlp.n_params))
    return mlp, rng.uniform(-1.0, 1.0, (n_samples, widths[0])), rng


# --- activations


@activations
@for_all("order", [1, 2, 3])
def test_a_derivative_of_an_activation_is_the_difference_of_the_one_before(activation, order):
    z = np.concatenate([np.linspace(-3.0, 3.0, 40), [-20.0, 20.0]])

    before = fourth_order(lambda h: activation_values(activation, z + h, (order - 1,))[0], h=1e-3)

    np.testing.assert_allclose(
        activation_values(activation, z, (order,))[0], before, rtol=0, atol=3e-11
    )


@for_all("activation", ["tanh", "silu", "sine", "relu"])
@for_all("order", [0, 1, 2, 3])
def test_activations_and_derivatives_are_those_of_sympy(activation, order):
    z = np.linspace(-4.0, 4.3, 23)

    truth = [activation_value(activation, float(number), order) for number in z]

    np.testing.assert_allclose(
        activation_values(activation, z, (order,))[0], truth, rtol=0, atol=1e-14
    )


@activations
def test_orders_come_in_the_order_asked_for_and_shaped_as_the_argument(activation):
    z = np.random.default_rng(0).normal(size=(3, 4))

    third, zeroth, first = activation_values(activation, z, (3, 0, 1))

    for order, values in ((3, third), (0, zeroth), (1, first)):
        assert values.shape == z.shape
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, activation_values(activation, z, (order,))[0])


def test_relu_at_its_kink_has_the_derivatives_of_the_left():
    assert [values[0] for values in activation_values("relu", np.zeros(1), (0, 1, 2, 3))] == [
        0.0,
        0.0,
        0.0,
        0.0,
    ]


@activations
def test_activations_far_out_are_finite_without_a_warning(activation):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = activation_values(activation, np.array([-1e4, -750.0, 750.0, 1e4]), (0, 1, 2, 3))

    assert np.isfinite(values).all()


# --- jets


@activations
@depths
def test_value_gradient_and_hessian_are_those_of_the_chain_rule_number_by_number(activation, depth):
    mlp, x, _ = example(activation, depth, n_samples=4)
    n = x.shape[1]

    jet = jet_of(
        mlp, x, directional_kind(np.eye(n), [(p, q) for p in range(n) for q in range(n)])
    ).transpose(2, 0, 1)

    ours = jet[..., 0], jet[..., 1 : 1 + n], jet[..., 1 + n :].reshape(*jet.shape[:2], n, n)
    for own, truth in zip(ours, perceptron_derivatives(mlp, x), strict=True):
        np.testing.assert_allclose(own, truth, rtol=0, atol=1e-12 * max(1.0, np.abs(truth).max()))


@activations
@depths
def test_first_and_second_derivatives_are_differences_to_1e_7(activation, depth):
    for seed in draws(5):
        mlp, x, _ = example(activation, depth, seed)
        assert forward_error(mlp, x) <= TOLERANCE


@activations
@depths
def test_gradients_and_rows_of_every_kind_of_jet_are_differences_to_1e_7(activation, depth):
    for seed in draws(5):
        mlp, x, rng = example(activation, depth, seed)
        for kind in every_kind(rng, x.shape[1], len(x)).values():
            assert max(gradient_errors(mlp, x, kind, rng).values()) <= TOLERANCE


@activations
def test_every_single_derivative_agrees_with_its_own_difference(activation):
    mlp, x, rng = example(activation, 3)
    kind = random_directions(rng, 3)
    flow = flow_of(mlp, x, kind)
    seed = rng.normal(size=flow.jet.shape)

    gradient = mlp_jets.run_jet_backward(mlp, flow, seed)
    moved = [
        fourth_order(
            lambda h, step=step: np.vdot(
                seed, jet_of(mlp.with_theta(mlp.theta + h * step), x, kind)
            )
        )
        for step in np.eye(mlp.n_params)
    ]

    assert error(gradient, np.array(moved)) <= TOLERANCE


@activations
@depths
def test_rows_add_up_to_the_gradient_and_each_sample_has_the_one_it_has_alone(activation, depth):
    mlp, x, rng = example(activation, depth)
    kind = random_directions(rng, x.shape[1])
    flow = flow_of(mlp, x, kind)
    seed = rng.normal(size=flow.jet.shape)

    rows, again = mlp_jets.jet_jacobian(mlp, flow, [seed, -2.0 * seed])
    alone = [
        mlp_jets.jet_jacobian(mlp, flow_of(mlp, x[b : b + 1], kind), [seed[:, :, b : b + 1]])[0][0]
        for b in range(len(x))
    ]

    size = np.abs(rows).max()
    np.testing.assert_allclose(
        rows.sum(axis=0), mlp_jets.run_jet_backward(mlp, flow, seed), rtol=0, atol=1e-12 * size
    )
    np.testing.assert_allclose(rows, alone, rtol=0, atol=1e-13 * size)
    np.testing.assert_allclose(again, -2.0 * rows, rtol=0, atol=1e-13 * size)


def test_the_reverse_leaves_flow_and_upstream_gradient_as_they_are():
    mlp, x, rng = example("tanh", 3)
    flow = flow_of(mlp, x, random_directions(rng, 3))
    seed = rng.normal(size=flow.jet.shape)
    before = seed.copy(), flow.jet.copy()

    first = mlp_jets.run_jet_backward(mlp, flow, seed)

    np.testing.assert_array_equal(mlp_jets.run_jet_backward(mlp, flow, seed), first)
    np.testing.assert_array_equal(seed, before[0])
    np.testing.assert_array_equal(flow.jet, before[1])


def test_an_empty_batch_has_an_empty_jet_a_zero_gradient_and_no_rows():
    mlp, x, rng = example("tanh", 3)
    kind = random_directions(rng, 3)
    flow = flow_of(mlp, x[:0], kind)
    seed = np.ones(flow.jet.shape)

    assert flow.jet.shape == (2, kind.n_components, 0)
    np.testing.assert_array_equal(
        mlp_jets.run_jet_backward(mlp, flow, seed), np.zeros(mlp.n_params)
    )
    assert mlp_jets.jet_jacobian(mlp, flow, [seed])[0].shape == (0, mlp.n_params)
