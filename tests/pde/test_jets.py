"""Jets through layers and networks: against loops, against each other, at knots, between them, and where no derivative exists."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jet_checks import (
    TOLERANCE,
    WIDE,
    forward_error,
    jet_of,
    random_directions,
    random_operator,
    some_case,
)
from networks import (
    draws,
    layer_cases,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    symbolic_cases,
)
from oracles_jets import network_derivatives

import kan_ref as kr
from kan_ref.network.network import Network
from kan_ref.pde import jet_layer, jets
from kan_ref.pde.jet_kind import directional_kind, operator_kind, value_kind

few = st.integers(1, 3)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9 * max(1.0, np.abs(theirs).max()))


def full_kind(n_in):
    """Gradient and every entry of the Hessian."""
    return directional_kind(np.eye(n_in), [(p, q) for p in range(n_in) for q in range(n_in)])


def derivatives(network, x):
    """Values, gradients and Hessians, (batch, n_out, ...)."""
    n = x.shape[1]
    jet = jet_of(network, x, full_kind(n)).transpose(2, 0, 1)
    return jet[..., 0], jet[..., 1 : 1 + n], jet[..., 1 + n :].reshape(*jet.shape[:2], n, n)


# --- against loops


@given(symbolic_cases(degrees=range(2, 6), n_samples=few))
def test_value_gradient_and_hessian_are_those_of_the_chain_rule_number_by_number(case):
    network, x, _ = case

    ours = derivatives(network, x)

    for own, truth in zip(ours, network_derivatives(network, x), strict=True):
        close(own, truth)


@given(layer_cases(degrees=st.integers(0, 5), n_samples=few))
def test_at_knots_a_layer_has_the_derivatives_of_the_piece_on_the_right(case):
    """Knot vectors of every kind; samples inside the grid, beside it, outside, and on knots; at the last knot the left piece holds."""
    layer, x, _ = case
    network = Network((layer,))

    ours = derivatives(network, x)

    for own, truth in zip(ours, network_derivatives(network, x), strict=True):
        close(own, truth)


@given(network_cases(degrees=[2, 3, 4], n_samples=few), st.booleans())
def test_an_operator_is_the_sum_of_its_terms_that_the_loops_give(case, of_each_sample):
    network, x, rng = case
    second, first = random_operator(rng, x.shape[1], len(x) if of_each_sample else None)
    _, gradient, hessian = network_derivatives(network, x)
    batch = (len(x), x.shape[1])
    matrix, drift = np.broadcast_to(second, (*batch, batch[1])), np.broadcast_to(first, batch)

    ours = jet_of(network, x, operator_kind(second, first))[:, -1].T

    close(
        ours, np.einsum("bpq,bopq->bo", matrix, hessian) + np.einsum("bp,bop->bo", drift, gradient)
    )


@given(network_cases(degrees=[2, 3, 4], n_samples=few))
def test_along_directions_and_pairs_of_them_they_are_v_grad_u_and_v_hessian_w(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    v = kind.directions
    _, gradient, hessian = network_derivatives(network, x)

    jet = jet_of(network, x, kind).transpose(2, 0, 1)

    close(jet[..., 1:4], np.einsum("dp,bop->bod", v, gradient))
    for s, (p, q) in enumerate([(0, 0), (2, 1), (1, 1), (0, 2)]):
        close(jet[..., 4 + s], np.einsum("p,bopq,q->bo", v[p], hessian, v[q]))


# --- against differences


@pytest.mark.parametrize("degrees", [[2], [3], [4], [5], [2, 3, 5]], ids=str)
def test_first_and_second_derivatives_are_differences_of_values_and_first_derivatives_to_1e_7(
    degrees,
):
    """Up to forty networks of 1 to 3 layers, half of them with symbolic edges, some locked; masks, zero splines, uneven and repeated knots."""
    for seed in draws(20):
        for formulas in (False, True):
            network, x, _ = some_case([*degrees, seed], degrees=degrees, formulas=formulas)
            assert forward_error(network, x) <= TOLERANCE


def test_so_they_are_in_wide_layers():
    network, x, _ = some_case(3, widths=WIDE)

    assert forward_error(network, x) <= TOLERANCE


# --- against each other


@given(symbolic_cases(n_samples=few))
def test_the_sweep_that_keeps_everything_and_the_one_that_keeps_nothing_agree(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    inputs = jets.prepare_jet(network, x, kind)

    np.testing.assert_array_equal(
        jets.run_jet_forward(network, inputs).jet, jets.predict_jet(network, inputs)
    )


@given(symbolic_cases(n_samples=few))
def test_what_is_prepared_once_serves_every_theta(case):
    network, x, rng = case
    kind = random_directions(rng, x.shape[1])
    other = network.with_theta(network.theta + 0.1 * rng.normal(size=network.n_params))

    np.testing.assert_array_equal(
        jets.predict_jet(other, jets.prepare_jet(network, x, kind)), jet_of(other, x, kind)
    )


@given(symbolic_cases(n_samples=few))
def test_the_value_is_the_networks_own(case):
    network, x, rng = case

    for kind in (value_kind(x.shape[1]), random_directions(rng, x.shape[1])):
        np.testing.assert_allclose(
            jet_of(network, x, kind)[:, 0].T, network(x), rtol=1e-12, atol=1e-12
        )


def test_only_the_symmetric_part_of_a_matrix_counts():
    network, x, rng = some_case(1, widths=(3, 4, 2))
    skew = rng.normal(size=(3, 3))

    one = jet_of(network, x, operator_kind(np.diag([1.0, 2.0, -1.0]), np.ones(3)))
    other = jet_of(network, x, operator_kind(np.diag([1.0, 2.0, -1.0]) + skew - skew.T, np.ones(3)))

    np.testing.assert_allclose(other[:, -1], one[:, -1], rtol=0, atol=1e-12 * np.abs(one).max())


def test_a_pair_may_be_named_in_either_order():
    network, x, rng = some_case(1, widths=(3, 4, 2))
    v = rng.normal(size=(2, 3))

    both = jet_of(network, x, directional_kind(v, [(0, 1), (1, 0)]))

    # columns of one matrix product may be summed in different orders
    np.testing.assert_allclose(both[:, -1], both[:, -2], rtol=0.0, atol=1e-15 * np.abs(both).max())


def test_constant_coefficients_are_those_of_each_sample_repeated():
    network, x, rng = some_case(2, widths=(3, 4, 2))
    second, first = random_operator(rng, 3)
    repeated = np.repeat(second[None], len(x), axis=0), np.repeat(first[None], len(x), axis=0)

    for mixed in ((repeated[0], first), (second, repeated[1]), repeated):
        np.testing.assert_array_equal(
            jet_of(network, x, operator_kind(*mixed)),
            jet_of(network, x, operator_kind(second, first)),
        )


def test_coefficients_belong_to_their_own_sample():
    network, x, rng = some_case(2, widths=(2, 4, 2))
    second, first = random_operator(rng, 2, len(x))

    together = jet_of(network, x, operator_kind(second, first))[:, -1]
    alone = [
        jet_of(network, x[b : b + 1], operator_kind(second[b], first[b]))[:, -1, 0]
        for b in range(len(x))
    ]

    np.testing.assert_allclose(
        together, np.transpose(alone), rtol=0, atol=1e-12 * np.abs(together).max()
    )


def test_an_operator_goes_along_those_coordinates_alone_that_its_matrix_names():
    heat = operator_kind(np.diag([0.0, -1.0]), np.array([1.0, 0.0]))

    np.testing.assert_array_equal(heat.directions, [[0.0, 1.0]])
    assert (heat.n_components, heat.n_first, heat.n_second) == (3, 1, 1)


def test_an_operator_of_first_order_has_no_direction_and_no_product():
    network, x, rng = some_case(4, widths=(2, 3, 1))
    drift = rng.normal(size=2)
    kind = operator_kind(np.zeros((2, 2)), drift)

    assert (kind.n_first, kind.products) == (0, ())
    np.testing.assert_allclose(
        jet_of(network, x, kind)[0, 1],
        kr.input_jacobian(network, x)[:, 0] @ drift,
        rtol=1e-11,
        atol=1e-11,
    )


# --- low degrees


def one_spline(rng, degree, n_intervals=4):
    """One edge, uniform grid on [-1, 1], no base function."""
    layer = random_layer(
        rng,
        1,
        1,
        degree=degree,
        n_intervals=n_intervals,
        kind="uniform",
        base="zero",
        dead=0.0,
        silent=0.0,
    )
    return Network(
        (
            kr.Layer(
                kr.uniform_knots(-1.0, 1.0, n_intervals, degree),
                layer.coef,
                layer.w_base,
                layer.w_spline,
                layer.mask,
                degree,
                "zero",
            ),
        )
    )


def test_the_second_derivative_of_a_parabola_is_its_second_difference_on_each_piece_from_its_left_end_on():
    """Degree 2, h = 1/2: on [t_mu, t_mu+1) it is w (c_mu - 2 c_mu-1 + c_mu-2) / h^2."""
    network = one_spline(np.random.default_rng(0), degree=2)
    (layer,) = network.layers
    pieces = layer.w_spline[0, 0] * np.diff(layer.coef[0, 0], 2) / 0.25

    found = [
        kr.input_hessian(network, np.array([[left], [left + 0.2], [left + 0.49]])).ravel()
        for left in (-1.0, -0.5, 0.0, 0.5)
    ]

    np.testing.assert_allclose(found, np.repeat(pieces[:, None], 3, axis=1), rtol=1e-12)
    assert np.abs(np.diff(pieces)).min() > 0.01


@pytest.mark.parametrize("degree", [0, 1])
def test_a_spline_of_degree_0_or_1_has_no_second_derivative(degree):
    network = one_spline(np.random.default_rng(0), degree)
    x = np.linspace(-1.7, 1.7, 41)[:, None]

    assert not kr.input_hessian(network, x).any()
    assert kr.input_jacobian(network, x).any() == (degree == 1)


def test_outside_the_knot_rows_the_base_function_alone_has_derivatives():
    rng = np.random.default_rng(0)
    layer = random_layer(rng, 2, 2, degree=3, n_intervals=4, base="silu", dead=0.0)
    silent = kr.Layer(layer.knots, layer.coef, layer.w_base, 0.0 * layer.w_spline, layer.mask, 3)
    x = np.array([[50.0, -50.0], [-7.0, 8.0]])

    np.testing.assert_array_equal(
        kr.input_hessian(Network((layer,)), x), kr.input_hessian(Network((silent,)), x)
    )


# --- odd cases


def test_an_empty_batch_has_an_empty_jet_a_zero_gradient_and_no_rows():
    network, x, rng = some_case(1, widths=(2, 3, 2))
    kind = random_directions(rng, 2)

    flow = jets.run_jet_forward(network, jets.prepare_jet(network, x[:0], kind))
    gradient = jets.run_jet_backward(network, flow, np.ones(flow.jet.shape))
    (rows,) = jets.jet_jacobian(network, flow, [np.ones(flow.jet.shape)])

    assert flow.jet.shape == (2, kind.n_components, 0)
    assert gradient.shape == (network.n_params,)
    assert not gradient.any()
    assert len(rows.values) == 0


def test_numbers_that_overflow_or_are_undefined_become_nan_without_a_warning():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    for i, name in ((0, "exp"), (1, "sqrt")):
        network = kr.fix_symbolic(network, 0, output=i, input=i, name=name)
    x = np.array([[0.1, 0.1], [800.0, 0.2], [0.3, -1.0], [300.0, 0.3]])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow = jets.run_jet_forward(
            network, jets.prepare_jet(network, x, random_directions(rng, 2))
        )
        jets.run_jet_backward(network, flow, rng.normal(size=flow.jet.shape))
        jets.jet_jacobian(network, flow, [rng.normal(size=flow.jet.shape)])

    assert np.isfinite(flow.jet[..., 0]).all()
    assert np.isnan(flow.jet[..., 1:3]).all()


def test_a_cache_without_slopes_gives_no_gradient_by_the_jet():
    network, x, rng = some_case(1, widths=(2, 3))
    cache = jets.prepare_jet(network, x, random_directions(rng, 2))

    with pytest.raises(
        ValueError,
        match="cache holds no third derivatives, but a gradient with respect to the jet needs",
    ):
        jet_layer.input_gradient(network.layers[0], cache, np.ones((3, 8, len(x))))


def test_repr_of_a_cache_tells_shapes_and_kind():
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(2, 1), degrees=(3,))
    cache = jets.prepare_jet(
        network, random_batch(rng, network.layers[0], 5), random_directions(rng, 2)
    )

    kind = r"JetKind\(2 variables, 3 first derivatives, 4 operators of second order\)"
    live = r"ActiveBasis\(columns \(5, 2\), planes (\(4, 5, 2\)(, )?){3}\)"
    assert re.fullmatch(rf"JetCache\(jet \(2, 8, 5\), {kind}, {live}\)", repr(cache))
