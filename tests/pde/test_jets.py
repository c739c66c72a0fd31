"""Derivatives by the inputs: jets through networks and MLPs, forward, backward and in rows, and the public functions on them.

Against loops, differences, laws and SymPy; shapes and undefined points. Differences are of exact derivatives one order lower. A check returns
its error relative to the largest sum of absolute terms. Differences are of fourth order, (8 d(h) - d(2h)) / (12 h) with
d(h) = f(h) - f(-h); samples keep clear of knots, beyond which a second derivative is another polynomial.
"""

import math
import warnings
from functools import partial

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import (
    SMOOTH_FUNCTIONS,
    clear_samples,
    draws,
    formula_network,
    hello_world,
    layer_cases,
    network_cases,
    random_batch,
    random_formulas,
    random_layer,
    random_network,
    seeds,
    symbolic_cases,
    with_formulas,
)
from oracles_jets import activation_value, network_derivatives, perceptron_derivatives

import kan_ref as kr
from kan_ref.functions.base_function import ACTIVATION_NAMES, activation_values
from kan_ref.numerics.row_sparse import dense_form, multiply
from kan_ref.pde import jets
from kan_ref.pde.jet_kind import directional_kind, operator_kind
from kan_ref.pde.jets import jet_at

# --- cases and checks for derivatives with respect to the inputs, by differences of exact derivatives one order lower

TOLERANCE = 1e-7
WIDE = (2, 7, 7, 6)  # with a square layer, in which a transposed matrix has the right shape, too


def fourth_order(function, h=1e-5):
    """Derivative at 0 of a function of one number."""
    return (8.0 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12.0 * h)


def some_case(seed, *, degrees=(2, 3, 4, 5), formulas=True, widths=None, dead=0.2):
    """A random network, 3 to 12 samples inside, beside and outside the grid, not near knots of any layer, and the generator."""
    rng = np.random.default_rng(seed)
    while True:
        network = random_network(rng, degrees=degrees, widths=widths, dead=dead)
        if formulas:
            network = with_formulas(rng, network, share=0.3)
        x = clear_samples(network, random_batch(rng, network.layers[0], 60), distance=1e-3)[:12]
        if len(x) >= 3:
            return network, x, rng


def random_operator(rng, n_in, n_samples=None):
    """Coefficients (matrix, drift) of an operator, not symmetric, with zeros; constant, or different at each sample."""
    batch = () if n_samples is None else (n_samples,)
    pattern = rng.random((n_in, n_in)) < 0.7
    return rng.normal(size=(*batch, n_in, n_in)) * pattern, rng.normal(size=(*batch, n_in))


def random_directions(rng, n_in):
    """First derivatives along three directions and second ones along four pairs of them, off the diagonal too."""
    return directional_kind(rng.normal(size=(3, n_in)), [(0, 0), (2, 1), (1, 1), (0, 2)])


def every_kind(rng, n_in, n_samples):
    """The kinds of jet that the checks go through."""
    return {
        "directions": random_directions(rng, n_in),
        "constant operator": operator_kind(*random_operator(rng, n_in)),
        "operator of each sample": operator_kind(*random_operator(rng, n_in, n_samples)),
        "laplacian": operator_kind(np.eye(n_in), np.zeros(n_in)),
    }


def flow_of(model, x, kind):
    """The outputs' jet and the caches of a backward pass."""
    return jets.run_jet_forward(model, jets.prepare_jet(model, x, kind))


def error(ours, theirs, terms=()):
    """Largest difference, relative to the largest number or sum of absolute terms."""
    size = max([np.abs(theirs).max(), np.abs(ours).max(), *np.atleast_1d(terms), 1e-300])
    return np.abs(ours - theirs).max() / size


def forward_error(model, x):
    """First derivatives against differences of values, second ones against differences of first ones, every number of them.

    The better of two steps: a steep symbolic edge needs a short one, large terms that cancel a long one.
    """
    return min(forward_error_of(model, x, h) for h in (1e-5, 1e-4))


def forward_error_of(model, x, h):
    n = x.shape[1]
    jet = jet_at(model, x, directional_kind(np.eye(n), [(p, q) for q in range(n) for p in range(n)]))
    first = directional_kind(np.eye(n), ())
    moved = np.stack(
        [fourth_order(lambda t, q=q: jet_at(model, x + t * np.eye(n)[q], first), h) for q in range(n)], axis=1
    )
    by_values, by_slopes = moved[:, :, 0], moved[:, :, 1:].reshape(len(jet), n * n, -1)
    return max(error(jet[:, 1 : 1 + n], by_values), error(jet[:, 1 + n :], by_slopes))


def gradient_errors(model, x, kind, rng):
    """Gradient and rows of samples against differences of all components along a direction in theta."""
    jet, caches = flow_of(model, x, kind)
    seed, direction = rng.normal(size=jet.shape), 0.1 * rng.normal(size=model.n_params)

    moved = fourth_order(lambda h: jet_at(model.replace_theta(model.theta + h * direction), x, kind) * seed)
    gradient = jets.run_jet_backward(model, caches, seed)
    by_sample = multiply(jets.jet_jacobian(model, caches, seed), direction)
    return {
        "gradient": error(gradient @ direction, moved.sum(), np.abs(gradient * direction).sum()),
        "rows": error(by_sample, moved.sum(axis=(0, 1)), np.abs(gradient * direction).sum() / len(x)),
    }


def reverse_error(layer, x, kind, rng):
    """dR/d jet of one layer against differences in the value, the first and second derivatives, and all of them."""
    jet = kind.at(x)
    jet[:, 1:] = rng.normal(size=jet[:, 1:].shape)
    cache = jets.SplineJet.of(layer, jet, kind, 3)
    seed = rng.normal(size=cache.outputs(layer).shape)
    d_jet = cache.input_gradient(layer, seed)
    errors = []
    for parts in (slice(0, 1), kind.first, kind.second, slice(None)):
        direction = np.zeros(jet.shape)
        direction[:, parts] = rng.normal(size=direction[:, parts].shape)
        moved = fourth_order(
            lambda h, d=direction: np.vdot(seed, jets.SplineJet.of(layer, jet + h * d, kind, 2).outputs(layer))
        )
        errors.append(error(np.vdot(d_jet, direction), moved, np.abs(d_jet * direction).sum()))
    return max(errors)


# --- jets through networks and MLPs against loops and against differences: forward, backward, and rows of samples

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
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max(initial=0.0)))


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

    close(ours, np.einsum("bpq,bopq->bo", matrix, hessian) + np.einsum("bp,bop->bo", drift, gradient))


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

    np.testing.assert_array_equal(kr.input_hessian(kr.Network((layer,)), x), kr.input_hessian(kr.Network((silent,)), x))


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
def test_a_layers_gradient_by_its_jet_is_a_difference_in_the_value_the_first_and_the_second_parts(widths, formulas):
    for seed in draws(5):
        network, x, rng = some_case(seed, widths=widths, formulas=formulas)
        for kind in every_kind(rng, widths[0], len(x)).values():
            assert reverse_error(network.layers[0], x, kind, rng) <= TOLERANCE


MODELS = {"network": lambda: some_case(11, widths=(2, 3, 2), degrees=(3,)), "mlp": lambda: perceptron("tanh", 3)}


@for_all("name", MODELS)
def test_every_single_derivative_agrees_with_its_own_difference(name):
    """One number of theta at a time: no error hides in a sum."""
    model, x, rng = MODELS[name]()
    kind = random_directions(rng, x.shape[1])
    jet, caches = flow_of(model, x, kind)
    seed = rng.normal(size=jet.shape)

    gradient = jets.run_jet_backward(model, caches, seed)
    moved = [
        fourth_order(lambda h, step=step: np.vdot(seed, jet_at(model.with_theta(model.theta + h * step), x, kind)))
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
        dense_form(jets.jet_jacobian(model, flow_of(model, x[b : b + 1], kind)[1], seed[:, :, b : b + 1]))[0]
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
        apart = kr.fix_symbolic(apart, 0, output=j, input=i, name="sin", affine=(1.3, 0.2, 0.7, -0.1))
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


# --- public derivatives of models by their inputs: shapes, laws, SymPy, undefined points; and derivatives of activations

RNG = np.random.default_rng
NET = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
MLP = kr.init_mlp((2, 3, 2), activation="tanh", rng=RNG(0))
X = RNG(1).uniform(-1.1, 1.1, (6, 2))
FUNCTIONS = {kr.input_jacobian: (2, 2), kr.input_hessian: (2, 2, 2), kr.input_laplacian: (2,)}
every_function = for_all("function", FUNCTIONS)
models = for_all("model", [NET, MLP])


@every_function
@models
@for_all("x", [X, X[:1], X[:0], X.astype(np.float32), X.tolist(), np.asfortranarray(X), 1e6 * X])
def test_every_sample_has_finite_float64_derivatives_of_the_documented_shape(function, model, x):
    found = function(model, x)

    assert found.shape == (len(x), *FUNCTIONS[function])
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, function(model, np.array(x, dtype=float)))


@every_function
@models
def test_a_sample_has_the_derivatives_that_it_has_alone(function, model):
    together, alone = function(model, X), [function(model, X[b : b + 1])[0] for b in range(len(X))]

    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12 * np.abs(together).max())


@models
def test_the_hessian_is_exactly_symmetric_and_its_trace_is_the_laplacian(model):
    hessian = kr.input_hessian(model, X)

    np.testing.assert_array_equal(hessian, hessian.swapaxes(2, 3))
    np.testing.assert_allclose(kr.input_laplacian(model, X), np.einsum("bopp->bo", hessian), rtol=0, atol=1e-12)
    assert np.abs(hessian[..., 0, 1]).max() > 1e-4


def test_the_jacobian_is_what_backward_gives_output_by_output():
    for o in range(2):
        _, caches = kr.forward(NET, X)
        dx, _ = kr.backward(NET, caches, np.tile(np.eye(2)[o], (len(X), 1)))
        np.testing.assert_allclose(kr.input_jacobian(NET, X)[:, o], dx, rtol=0, atol=1e-13)


def differences(function, x, axes):
    return np.stack([fourth_order(lambda h, e=e: function(x + h * e)) for e in axes], axis=-1)


@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_the_hessian_is_the_difference_of_the_jacobian_and_that_of_the_values_to_1e_7(degree):
    for seed in draws(10):
        network, x, _ = some_case([degree, seed], degrees=(degree,), formulas=bool(seed % 2))
        axes = np.eye(x.shape[1])
        by_values, by_slopes = (
            differences(function, x, axes) for function in (network, partial(kr.input_jacobian, network))
        )

        assert error(kr.input_jacobian(network, x), by_values) <= TOLERANCE
        assert error(kr.input_hessian(network, x), by_slopes) <= TOLERANCE


# --- against SymPy


def assert_like_sympy(network, x):
    """Gradients and Hessians of the outputs, differentiated by SymPy from `formula(network)`."""
    names = sympy.symbols(f"x_1:{x.shape[1] + 1}")
    expressions = kr.formula(network, names=[str(name) for name in names])
    expressions = expressions if isinstance(expressions, tuple) else (expressions,)
    gradients = [[sympy.diff(u, p) for p in names] for u in expressions]
    hessians = [[[sympy.diff(slope, q) for q in names] for slope in row] for row in gradients]
    trees = sympy.lambdify(names, [gradients, hessians], modules="numpy", cse=True)
    rows = [trees(*point) for point in x.tolist()]
    gradient, hessian = (np.array([row[n] for row in rows], dtype=float) for n in (0, 1))

    for ours, theirs in (
        (kr.input_jacobian(network, x), gradient),
        (kr.input_hessian(network, x), hessian),
        (kr.input_laplacian(network, x), np.einsum("bopp->bo", hessian)),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 * max(1.0, np.abs(hessian).max()))


@settings(max_examples=3)  # SymPy is slow
@given(seeds, st.sampled_from([(1, 1), (2, 1), (2, 2, 1), (3, 1, 2), (2, 1, 1, 1)]))
def test_networks_of_smooth_formulas_have_the_derivatives_of_their_expression(seed, widths):
    rng = RNG(seed)
    network = random_formulas(rng, widths, names=SMOOTH_FUNCTIONS)
    sizes = np.cumsum([layer.n_params for layer in network.layers])[:-1]
    tame = 0.3 * network.theta
    for layer, part in zip(network.layers, np.split(tame, sizes), strict=True):
        part[-layer.affine.size :] = 0.5 * layer.affine.ravel()
    assert_like_sympy(network.with_theta(tame), rng.uniform(-1.0, 1.0, (3, widths[0])))


def test_the_formula_of_the_papers_first_example_has_its_derivatives():
    assert_like_sympy(hello_world(), X)


AT_HOME = {
    "sqrt": (0.2, 1.5),
    "1/x": (0.2, 1.5),
    "arcsin": (0.2, 0.3),
    "tan": (0.4, 0.1),
    "exp": (0.7, 0.1),
    "x^5": (0.7, 0.1),
}


@for_all("name", AT_HOME)
def test_a_formula_inside_another_has_the_derivatives_of_their_composition(name):
    inner = [(0, 0, name, (*AT_HOME[name], 0.7, 0.1)), (0, 1, "sin", (0.8, 0.1, 1.0, 0.0))]
    outer = [(0, 0, "tanh", (0.5, 0.1, 2.0, 0.0))]
    assert_like_sympy(formula_network(inner, outer, widths=(2, 1, 1)), X)


# --- points without a value or a derivative


def with_edge(name):
    return kr.fix_symbolic(NET, 0, output=1, input=0, name=name)


@every_function
def test_a_point_at_which_a_formula_has_no_value_is_refused_by_sample_and_edge(function):
    with pytest.raises(ValueError, match=r"^x\[2\] gives sqrt on the edge from input 0 to outp"):
        function(with_edge("sqrt"), [[0.5, 0.1], [0.0, 0.1], [-0.25, 0.1]])


@for_all(
    ("function", "name"), [(kr.input_jacobian, "sqrt"), (kr.input_hessian, "x^1.5"), (kr.input_laplacian, "x^1.5")]
)
def test_a_point_at_which_a_derivative_is_infinite_is_refused_by_sample_and_edge(function, name):
    """At 0 sqrt has a value and no derivative, u^1.5 a first derivative and no second one."""
    network = with_edge(name)

    assert np.isfinite(network([[0.0, 0.1]])).all()
    with pytest.raises(ValueError, match=r"^x\[1\] gives .* derivative has no finite value$"):
        function(network, [[0.5, 0.1], [0.0, 0.1]])


def test_an_infinite_second_derivative_does_not_matter_to_the_first():
    network = kr.fix_symbolic(with_edge("x^1.5"), 0, output=0, input=1, name="sqrt")

    assert np.isfinite(kr.input_jacobian(network, [[0.0, 0.1]])).all()
    with pytest.raises(ValueError, match=r"^x\[1\] gives sqrt "):
        kr.input_jacobian(network, [[0.0, 0.1], [0.1, 0.0]])


@every_function
def test_models_without_jets_are_refused(function):
    lan = kr.init_lan((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=RNG(0))

    with pytest.raises(TypeError, match=r"^network is "):
        function(lan, X)


@every_function
def test_derivatives_that_overflow_are_refused(function):
    mlp = kr.init_mlp((1, 1), activation="tanh", rng=RNG(0)).with_theta([1e300, 0.0])

    with pytest.raises(ValueError, match=r"^x gives .* beyond the largest float64"):
        function(mlp, [[1e300]])


# --- activations


@for_all("activation", ACTIVATION_NAMES)
@for_all("order", [1, 2, 3])
def test_a_derivative_of_an_activation_is_the_difference_of_the_one_before(activation, order):
    z = np.concatenate([np.linspace(-3.0, 3.0, 40), [-20.0, 20.0]])

    before = fourth_order(lambda h: activation_values(activation, z + h, (order - 1,))[0], h=1e-3)

    (found,) = activation_values(activation, z, (order,))
    np.testing.assert_allclose(found, before, rtol=0, atol=3e-11)


@for_all("activation", ["tanh", "silu", "sine", "relu"])
def test_activations_and_derivatives_are_those_of_sympy(activation):
    z = np.linspace(-4.0, 4.3, 23)

    for order, found in enumerate(activation_values(activation, z, (0, 1, 2, 3))):
        truth = [activation_value(activation, float(number), order) for number in z]
        np.testing.assert_allclose(found, truth, rtol=0, atol=1e-14)


def test_derivatives_of_tanh_keep_their_digits_where_it_is_nearly_constant():
    z = np.concatenate([np.geomspace(1.0, 350.0, 300), -np.geomspace(1.0, 350.0, 300)])
    bell = np.array([1.0 / math.cosh(number) ** 2 for number in z])
    truth = bell, -2.0 * np.tanh(z) * bell, bell * (6.0 * np.tanh(z) ** 2 - 2.0)

    for found, expected in zip(activation_values("tanh", z, (1, 2, 3)), truth, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=0.0)
