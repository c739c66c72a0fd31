"""Jets through networks and MLPs against loops and against differences: forward, backward, and rows of samples."""

import warnings

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from jet_checks import (
    TOLERANCE,
    WIDE,
    error,
    every_kind,
    flow_of,
    forward_error,
    fourth_order,
    gradient_errors,
    random_directions,
    random_operator,
    reverse_error,
    some_case,
)
from networks import draws, layer_cases, network_cases, random_layer, symbolic_cases
from oracles_jets import network_derivatives, perceptron_derivatives

import kan_ref as kr
from kan_ref.functions.base_function import ACTIVATION_NAMES
from kan_ref.numerics.row_sparse import dense_form
from kan_ref.pde import jets
from kan_ref.pde.jet_kind import directional_kind, operator_kind
from kan_ref.pde.jets import jet_at

few = st.integers(1, 3)
activations = for_all("activation", ACTIVATION_NAMES)
depths = for_all("depth", [1, 2, 3])


def perceptron(activation, depth, seed=0, n_samples=7):
    """An MLP with biases; no sample is near a kink of relu."""
    rng = np.random.default_rng(seed)
    widths = {1: (2, 3), 2: (2, 4, 3), 3: (3, 4, 4, 2)}[depth]
    mlp = kr.init_mlp(widths, activation=activation, rng=rng)
    scale = 0.3 if activation == "sine" else 1.0  # of the first frequencies, 30
    mlp = mlp.with_theta(scale * mlp.theta + 0.3 * rng.normal(size=mlp.n_params))
    return mlp, rng.uniform(-1.0, 1.0, (n_samples, widths[0])), rng


def close(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(
        ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max(initial=0.0))
    )


def derivatives(model, x):
    """Values, gradients and Hessians, (batch, n_out, ...), every entry of the Hessians for itself."""
    n = x.shape[1]
    kind = directional_kind(np.eye(n), [(p, q) for p in range(n) for q in range(n)])
    jet = jet_at(model, x, kind).transpose(2, 0, 1)
    return jet[..., 0], jet[..., 1 : 1 + n], jet[..., 1 + n :].reshape(*jet.shape[:2], n, n)


# --- forward


@given(symbolic_cases(degrees=range(2, 6), n_samples=few))
def test_value_gradient_and_hessian_are_those_of_the_chain_rule_number_by_number(case):
    network, x, _ = case

    for own, truth in zip(derivatives(network, x), network_derivatives(network, x), strict=True):
        close(own, truth)


@activations
@depths
def test_so_they_are_in_an_mlp(activation, depth):
    mlp, x, _ = perceptron(activation, depth, n_samples=4)

    for own, truth in zip(derivatives(mlp, x), perceptron_derivatives(mlp, x), strict=True):
        close(own, truth, 1e-12)


@given(layer_cases(degrees=st.integers(0, 5), n_samples=few))
def test_at_knots_a_layer_has_the_derivatives_of_the_piece_on_the_right(case):
    """Knot vectors of every kind; samples inside the grid, beside it, outside, and on knots; at the last knot the left piece holds."""
    layer, x, _ = case
    network = kr.Network((layer,))

    for own, truth in zip(derivatives(network, x), network_derivatives(network, x), strict=True):
        close(own, truth)


@given(network_cases(degrees=[2, 3, 4], n_samples=few), st.booleans())
def test_an_operator_is_the_sum_of_its_terms_that_the_loops_give(case, of_each_sample):
    network, x, rng = case
    second, first = random_operator(rng, x.shape[1], len(x) if of_each_sample else None)
    _, gradient, hessian = network_derivatives(network, x)
    batch = (len(x), x.shape[1])
    matrix, drift = np.broadcast_to(second, (*batch, batch[1])), np.broadcast_to(first, batch)

    ours = jet_at(network, x, operator_kind(second, first))[:, -1].T

    close(
        ours, np.einsum("bpq,bopq->bo", matrix, hessian) + np.einsum("bp,bop->bo", drift, gradient)
    )


@given(network_cases(degrees=[2, 3, 4], n_samples=few))
def test_along_directions_and_pairs_of_them_they_are_v_grad_u_and_v_hessian_w(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    v = kind.directions
    _, gradient, hessian = network_derivatives(network, x)

    jet = jet_at(network, x, kind).transpose(2, 0, 1)

    close(jet[..., 1:4], np.einsum("dp,bop->bod", v, gradient))
    for s, (p, q) in enumerate([(0, 0), (2, 1), (1, 1), (0, 2)]):
        close(jet[..., 4 + s], np.einsum("p,bopq,q->bo", v[p], hessian, v[q]))


@pytest.mark.parametrize("degrees", [[2], [3], [4], [5], [2, 3, 5]], ids=str)
def test_first_and_second_derivatives_are_differences_to_1e_7(degrees):
    for seed in draws(20):
        network, x, _ = some_case([*degrees, seed], degrees=degrees, formulas=bool(seed % 2))
        assert forward_error(network, x) <= TOLERANCE


@given(symbolic_cases(n_samples=few))
def test_what_is_prepared_once_serves_every_theta(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    other = network.with_theta(network.theta + 0.1 * rng.normal(size=network.n_params))

    jet, _ = jets.run_jet_forward(other, jets.prepare_jet(network, x, kind))

    np.testing.assert_array_equal(jet, jet_at(other, x, kind))


def test_the_components_of_an_operator_are_those_that_its_matrix_names():
    heat = operator_kind(np.diag([0.0, -1.0]), np.array([1.0, 0.0]))
    drift = operator_kind(np.zeros((2, 2)), np.array([1.0, 2.0]))
    nothing = operator_kind(np.zeros((2, 2)), np.zeros(2))

    np.testing.assert_array_equal(heat.directions, [[0.0, 1.0]])
    assert (heat.n_components, heat.n_first, heat.order) == (3, 1, 2)
    assert (drift.n_components, drift.n_first, drift.products, drift.order) == (2, 0, (), 1)
    assert nothing.order == 0
    assert directional_kind(np.eye(2), ()).order == 1


def test_the_second_derivative_of_a_parabola_is_its_second_difference_on_each_piece():
    """Degree 2, h = 1/2: on [t_mu, t_mu+1) it is w (c_mu - 2 c_mu-1 + c_mu-2) / h^2, from the left end on."""
    rng = np.random.default_rng(0)
    coef, one = rng.normal(size=(1, 1, 6)), np.ones((1, 1))
    layer = kr.Layer(kr.uniform_knots(-1.0, 1.0, 4, 2), coef, one, 0.7 * one, one, 2, "zero")
    pieces = 0.7 * np.diff(coef[0, 0], 2) / 0.25

    found = [
        kr.input_hessian(kr.Network((layer,)), np.array([[left], [left + 0.2], [left + 0.49]]))
        for left in (-1.0, -0.5, 0.0, 0.5)
    ]

    np.testing.assert_allclose(np.reshape(found, (4, 3)), np.tile(pieces, (3, 1)).T, rtol=1e-12)


def test_outside_the_knot_rows_the_base_function_alone_has_derivatives():
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 2, 2, degree=3, n_intervals=4, base="silu", dead=0.0)
    silent = kr.Layer(layer.knots, layer.coef, layer.w_base, 0.0 * layer.w_spline, layer.mask, 3)
    x = np.array([[50.0, -50.0], [-7.0, 8.0]])

    np.testing.assert_array_equal(
        kr.input_hessian(kr.Network((layer,)), x), kr.input_hessian(kr.Network((silent,)), x)
    )


def test_numbers_that_overflow_or_are_undefined_become_nan_without_a_warning():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for i, name in ((0, "exp"), (1, "sqrt")):
        network = kr.fix_symbolic(network, 0, output=i, input=i, name=name)
    x = np.array([[0.1, 0.1], [800.0, 0.2], [0.3, -1.0], [0.3, 0.3]])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        jet, caches = flow_of(network, x, random_directions(rng, 2))
        jets.run_jet_backward(network, caches, np.ones(jet.shape))
        jets.jet_jacobian(network, caches, np.ones(jet.shape))

    assert np.isfinite(jet[..., [0, 3]]).all()
    assert np.isnan(jet[..., 1:3]).all()


# --- backward


@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
@pytest.mark.parametrize("degrees", [[2], [3], [4], [5], [2, 3, 5], [0, 1, 3]], ids=str)
def test_gradients_and_rows_of_every_kind_of_jet_are_differences_to_1e_7(degrees, formulas):
    """Networks of 1 to 3 layers, each with four kinds of jet, all components weighted at random."""
    for seed in draws(10):
        network, x, rng = some_case([*degrees, seed], degrees=degrees, formulas=formulas)
        for kind in every_kind(rng, x.shape[1], len(x)).values():
            errors = gradient_errors(network, x, kind, rng)
            assert max(errors.values()) <= TOLERANCE, (seed, errors)


def test_so_they_are_in_wide_layers():
    network, x, rng = some_case(0, widths=WIDE)

    assert forward_error(network, x) <= TOLERANCE
    for kind in every_kind(rng, 2, len(x)).values():
        assert max(gradient_errors(network, x, kind, rng).values()) <= TOLERANCE


@activations
@depths
def test_those_of_mlps_are_differences_to_1e_7(activation, depth):
    for seed in draws(3):
        mlp, x, rng = perceptron(activation, depth, seed)
        assert forward_error(mlp, x) <= TOLERANCE
        for kind in every_kind(rng, x.shape[1], len(x)).values():
            assert max(gradient_errors(mlp, x, kind, rng).values()) <= TOLERANCE


@pytest.mark.parametrize("formulas", [False, True], ids=["splines", "formulas"])
@pytest.mark.parametrize("widths", [(1, 1), (3, 2), (4, 12)], ids=str)
def test_a_layers_gradient_by_its_jet_is_a_difference_in_the_value_the_first_and_the_second_parts(
    widths, formulas
):
    for seed in draws(5):
        network, x, rng = some_case(seed, widths=widths, formulas=formulas)
        for kind in every_kind(rng, widths[0], len(x)).values():
            assert reverse_error(network.layers[0], x, kind, rng) <= TOLERANCE


MODELS = {
    "network": lambda: some_case(11, widths=(2, 3, 2), degrees=(3,)),
    "mlp": lambda: perceptron("tanh", 3),
}


@for_all("name", MODELS)
def test_every_single_derivative_agrees_with_its_own_difference(name):
    """One number of theta at a time: no error hides in a sum."""
    model, x, rng = MODELS[name]()
    kind = random_directions(rng, x.shape[1])
    jet, caches = flow_of(model, x, kind)
    seed = rng.normal(size=jet.shape)

    gradient = jets.run_jet_backward(model, caches, seed)
    moved = [
        fourth_order(
            lambda h, step=step: np.vdot(
                seed, jet_at(model.with_theta(model.theta + h * step), x, kind)
            )
        )
        for step in np.eye(model.n_params)
    ]

    assert error(gradient, np.array(moved)) <= TOLERANCE


def rows_add_up_and_are_each_samples_own(model, x, kind, rng):
    jet, caches = flow_of(model, x, kind)
    seed = rng.normal(size=jet.shape)
    rows = dense_form(jets.jet_jacobian(model, caches, seed))
    weights = rng.normal(size=len(x))
    gradient = jets.run_jet_backward(model, caches, seed * weights)
    alone = [
        dense_form(
            jets.jet_jacobian(model, flow_of(model, x[b : b + 1], kind)[1], seed[:, :, b : b + 1])
        )[0]
        for b in range(len(x))
    ]

    size = max(1.0, np.abs(rows).max())
    assert rows.shape == (len(x), model.n_params)
    np.testing.assert_allclose(weights @ rows, gradient, rtol=0, atol=1e-11 * size)
    np.testing.assert_allclose(rows, alone, rtol=0, atol=1e-12 * size)


@given(symbolic_cases(degrees=range(6), n_samples=st.integers(1, 4)))
def test_rows_add_up_to_the_gradient_and_each_sample_has_the_one_it_has_alone(case):
    network, x, rng = case

    rows_add_up_and_are_each_samples_own(network, x, random_directions(rng, x.shape[1]), rng)


@activations
@depths
def test_so_do_the_dense_rows_of_mlps(activation, depth):
    mlp, x, rng = perceptron(activation, depth)

    rows_add_up_and_are_each_samples_own(mlp, x, random_directions(rng, x.shape[1]), rng)


def test_dead_edges_have_columns_of_zeros_and_active_ones_do_not():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = rng.uniform(-1.2, 1.2, (9, 2))
    mask = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    network = kr.mask_edges(network, 0, mask)
    jet, caches = flow_of(network, x, random_directions(rng, 2))
    seed = rng.normal(size=jet.shape)
    rows = dense_form(jets.jet_jacobian(network, caches, seed))

    layer = network.layers[0]
    for moved in (np.abs(rows).sum(axis=0), np.abs(jets.run_jet_backward(network, caches, seed))):
        coef = moved[: layer.coef.size].reshape(layer.coef.shape)
        w_base, w_spline = moved[layer.coef.size : layer.n_params].reshape(2, 3, 2)
        for found in (coef.any(axis=2), w_base != 0.0, w_spline != 0.0):
            np.testing.assert_array_equal(found, mask == 1.0)


def test_locked_formulas_share_a_column_that_is_the_sum_of_their_own():
    rng = np.random.default_rng(0)
    apart = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for j, i in ((0, 0), (1, 1)):
        apart = kr.fix_symbolic(
            apart, 0, output=j, input=i, name="sin", affine=(1.3, 0.2, 0.7, -0.1)
        )
    locked = kr.lock_edges(apart, 0, [(0, 0), (1, 1)])
    x, kind = rng.uniform(-0.9, 0.9, (6, 2)), random_directions(rng, 2)
    seed, results = rng.normal(size=(1, kind.n_components, 6)), []
    for network in (apart, locked):
        _, caches = flow_of(network, x, kind)
        first = network.layers[0].n_params - network.layers[0].affine.size
        gradient = jets.run_jet_backward(network, caches, seed)
        rows = np.vstack([dense_form(jets.jet_jacobian(network, caches, seed)), gradient])
        results.append(rows[:, first : first + network.layers[0].affine.size])

    two, one = results
    assert np.abs(two[:, :4] - two[:, 4:]).max() > 0.1
    close(one, two[:, :4] + two[:, 4:], 1e-13 * np.abs(two).max())


@for_all("name", MODELS)
def test_the_backward_pass_changes_neither_caches_nor_upstream_gradients(name):
    model, x, rng = MODELS[name]()
    jet, caches = flow_of(model, x, random_directions(rng, x.shape[1]))
    seed = rng.normal(size=jet.shape)
    before = seed.copy()

    first = jets.run_jet_backward(model, caches, seed)

    np.testing.assert_array_equal(jets.run_jet_backward(model, caches, seed), first)
    np.testing.assert_array_equal(seed, before)
