"""Gradients of a network: the backward pass and the Jacobian, and the check that finds bugs in them.

By hand, by differences in hundreds of networks, and sample by sample. The Jacobian of all predictions with respect to all parameters agrees
with loops, with backward and with differences. Every bug that the check has to find is a backward pass of its own, written out below; without
a bug it is right, so what is rejected is the bug.
"""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    WAYS,
    clear_samples,
    contraction_by,
    draws,
    network_cases,
    random_batch,
    random_layer,
    random_network,
    seeds,
    with_formulas,
)
from oracles_layer import network_backward
from oracles_training import prediction_rows

import kan_ref as kr
from kan_ref.bspline import evaluation
from kan_ref.network.jacobian import prediction_jacobian
from kan_ref.network.network import Network
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply, multiply_transposed

# --- the backward pass of a network and its Jacobian: by hand, by differences in hundreds of networks, and sample by sample

ways = st.sampled_from(WAYS)


def case_for(degrees, seed):
    """A random network, 12 samples inside and outside that stay clear of every knot on all layers, and the generator."""
    rng = np.random.default_rng(seed)
    while True:
        network = random_network(rng, degrees=degrees)
        x = clear_samples(network, random_batch(rng, network.layers[0], 30))[:12]
        if len(x) >= 4:
            return network, x, rng


def gradient(network, x, dy):
    _, caches = kr.forward(network, x)
    dx, grads = kr.backward(network, caches, dy)
    return dx, grads.theta


@given(network_cases(degrees=[2, 3, 4], n_samples=st.integers(1, 3)), ways)
def test_backward_computes_what_the_chain_rule_says_number_by_number(case, way):
    network, x, rng = case
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        by_package = gradient(network, x, dy)

    for ours, theirs in zip(by_package, network_backward(network, x, dy), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * max(1.0, np.abs(theirs).max()))


@for_all("way", WAYS)
@for_all("degrees", [[0], [1], [2], [3], [4], [5], [6], [7], [0, 2, 6]], ids=str)
def test_backward_is_the_transpose_of_the_derivative_with_a_difference_of_fourth_order(degrees, way):
    """Independent of the checker: x and theta move together; (8 d(h) - d(2h)) / 6 with d(h) = f(h) - f(-h)."""
    errors, h = [], 1e-5
    with contraction_by(way):
        for seed in draws(20):
            network, x, rng = case_for(degrees, [7, *degrees, seed])
            dy = rng.normal(size=(len(x), network.widths[-1]))
            x_direction, theta_direction = (0.1 * rng.normal(size=x.shape), 0.1 * rng.normal(size=network.n_params))

            values = [
                np.vdot(dy, network.with_theta(network.theta + t * theta_direction)(x + t * x_direction))
                for t in (h, -h, 2 * h, -2 * h)
            ]
            difference = (8.0 * (values[0] - values[1]) - (values[2] - values[3])) / (12.0 * h)

            dx, d_theta = gradient(network, x, dy)
            terms = np.concatenate([(dx * x_direction).ravel(), d_theta * theta_direction])
            errors.append(abs(difference - terms.sum()) / max(np.abs(terms).sum(), abs(difference), 1e-300))

    assert max(errors) <= 1e-7


@pytest.mark.parametrize("way", WAYS)
def test_every_single_derivative_agrees_with_its_own_difference(way):
    """One number of theta and of x at a time: no error hides in a sum."""
    network, x, rng = case_for([3], 5)
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        dx, d_theta = gradient(network, x, dy)
        steps = 1e-6 * np.eye(network.n_params)
        theta_sides = [
            [np.vdot(dy, network.with_theta(network.theta + s * step)(x)) for s in (1, -1)] for step in steps
        ]
        x_sides = []
        for index in np.ndindex(x.shape):
            step = np.zeros(x.shape)
            step[index] = 1e-6
            x_sides.append([np.vdot(dy, network(x + s * step)) for s in (1, -1)])

    size = max(1.0, np.abs(d_theta).max(), np.abs(dx).max())
    np.testing.assert_allclose(d_theta, -np.diff(theta_sides)[:, 0] / 2e-6, rtol=0, atol=1e-8 * size)
    np.testing.assert_allclose(dx.ravel(), -np.diff(x_sides)[:, 0] / 2e-6, rtol=0, atol=1e-8 * size)


# --- sample by sample


def test_the_jacobian_is_scaled_and_needs_no_slopes_of_the_first_layer():
    network, x, _ = case_for([3], 8)
    inputs = network.prepare(x)

    with_slopes = prediction_jacobian(network.layers, kr.forward(network, x)[1])
    without = prediction_jacobian(network.layers, network.run_flow(inputs)[1], scale=-0.5)

    np.testing.assert_array_equal(without.columns, with_slopes.columns)
    np.testing.assert_allclose(without.values, -0.5 * with_slopes.values, rtol=1e-15)


# --- what comes back


@given(network_cases(), ways)
def test_the_flat_backward_of_training_gives_the_same_bits(case, way):
    network, x, rng = case
    dy = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        _, caches = network.run_flow(network.prepare(x))
        flat = network.run_backward(caches, dy)
        _, d_theta = gradient(network, x, dy)

    np.testing.assert_array_equal(flat, d_theta)


def test_caches_serve_several_backward_passes_and_any_kind_of_dy():
    network, x, rng = case_for([3], 11)
    _, caches = kr.forward(network, x)
    dy = np.sign(rng.normal(size=(len(x), network.widths[-1])))

    first = kr.backward(network, caches, dy)
    again = kr.backward(network, list(caches), dy.astype(int).tolist())

    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1].theta, again[1].theta)


# --- the report


def wrong_by(dx_factor, factor):
    def backward(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return dx_factor * dx, grads.with_theta(factor * grads.theta)

    return backward


def test_inputs_far_from_0_are_moved_by_steps_that_float64_has():
    rng = np.random.default_rng(24)
    far = (1e6 - 1.0, 1e6 + 1.0)
    network = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=far, base="zero", rng=rng)
    x = 1e6 + rng.uniform(-1.0, 1.0, (9, 2))

    assert kr.check_gradients(network, x, rng=rng).worst < 1e-7
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong_by(1.001, 1.0))


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_samples_at_a_kink_are_left_out_and_counted(degree):
    rng = np.random.default_rng(19)
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=degree, domain=(-1.0, 1.0), rng=rng)
    x = np.vstack([[[-1.0, 0.5], [0.3, 0.0], [0.5, 0.5]], rng.uniform(-0.9, -0.6, (4, 2))])

    assert kr.check_gradients(network, x, rng=rng).n_samples == 4


# --- the Jacobian


WIDTHS = (3, 4, 3, 2)  # three layers, several outputs


def jacobian(network, x):
    return prediction_jacobian(network.layers, kr.forward(network, x)[1])


def example(seed, *, widths=WIDTHS, degrees=(2, 3, 5), n_samples=6, **options):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=widths, degrees=degrees, kind="uneven", **options)
    return network, random_batch(rng, network.layers[0], n_samples), rng


@given(network_cases(degrees=range(4), n_samples=st.integers(1, 2)))
def test_a_row_is_the_chain_rule_for_one_prediction_number_by_number(case):
    network, x, _ = case
    expected = prediction_rows(network, x)

    rows = dense_form(jacobian(network, x))

    assert rows.shape == expected.shape
    np.testing.assert_allclose(rows, expected, rtol=1e-9, atol=1e-11 * max(1.0, np.abs(expected).max()))


@given(network_cases(), ways)
def test_its_transpose_does_what_backward_does(case, way):
    """To rounding: the two sum the same products in different orders."""
    network, x, rng = case
    u = rng.normal(size=(len(x), network.widths[-1]))

    with contraction_by(way):
        _, caches = kr.forward(network, x)
        _, grads = kr.backward(network, caches, u)
        rows = prediction_jacobian(network.layers, caches)

    pulled = multiply_transposed(rows, u.reshape(-1))
    scale = np.abs(dense_form(rows)).T @ np.abs(u.reshape(-1))
    np.testing.assert_array_less(
        np.abs(pulled - grads.theta), 1e-12 * scale + 1e-12 * np.abs(grads.theta).max() + 1e-300
    )


@given(seeds, st.sampled_from([(2, 3), (3,), (4, 5), (7,)]))
def test_along_a_random_direction_it_is_the_difference_of_the_predictions(seed, degrees):
    """Three layers, two outputs, masked edges, splines of weight 0, samples inside the grids, in the margin and outside."""
    network, x, rng = example(seed, degrees=degrees)
    direction = rng.normal(size=network.n_params)

    # by Richardson's rule: curves on narrow intervals have large third derivatives
    fine, coarse = (
        central_difference(lambda t: network.with_theta(network.theta + t * direction)(x), step).reshape(-1)
        for step in (1e-6, 2e-6)
    )
    changes = (4.0 * fine - coarse) / 3.0

    rows = jacobian(network, x)
    scale = np.abs(dense_form(rows)) @ np.abs(direction)
    assert (np.abs(multiply(rows, direction) - changes) <= 1e-7 * (scale + np.abs(network(x)).reshape(-1)).max()).all()


@pytest.mark.parametrize("n_intervals", [3, 30, 300])
def test_the_number_of_entries_of_a_row_does_not_grow_with_the_grid(n_intervals):
    rng = np.random.default_rng(5)
    first = random_layer(rng, 2, 4, degree=3, n_intervals=n_intervals)
    last = random_layer(rng, 4, 3, degree=2, n_intervals=n_intervals)

    rows = jacobian(Network((first, last)), rng.uniform(-1, 1, (7, 2)))

    assert rows.values.shape == (7 * 3, 2 * 4 * (3 + 3) + 4 * (2 + 3))


# --- the gradient check accepts right gradients of all kinds of networks, and names the array of every injected bug

BATCH = 7
SQUARE_INSIDE = (2, 3, 3, 2)  # the middle layer is square: there a transposed matrix fits


def finer_example(seed):
    """A network with dead edges, its grids finer in later layers; inputs inside and outside."""
    rng = np.random.default_rng(seed)
    sizes = zip(pairwise(SQUARE_INSIDE), (3, 4, 6), strict=True)
    plain = {"degree": 3, "kind": "uneven", "base": "silu", "dead": 0.0, "silent": 0.0}
    layers = [random_layer(rng, *ends, n_intervals=n_intervals, **plain) for ends, n_intervals in sizes]
    network = kr.Network(layers)
    for number, layer in enumerate(layers):
        mask = np.ones((layer.n_out, layer.n_in))
        mask[-1, 0] = 0.0
        network = kr.mask_edges(network, number, mask)
    return network, random_batch(rng, network.layers[0], BATCH), rng


def matrix(layer):
    """C as (n_out, n_in, n_basis): masked, weighted coefficients."""
    return layer.spline_matrix.reshape(layer.coef.shape)


# --- a backward pass in small pieces, each of which a fault may replace


def d_matrix(layer, cache, dy):
    return evaluation.matrix_gradient(dy, cache.bases).reshape(layer.coef.shape)


def d_coef(layer, cache, dy):
    return (layer.mask * layer.w_spline)[:, :, None] * d_matrix(layer, cache, dy)


def d_w_base(layer, cache, dy):
    return layer.mask * (dy.T @ cache.base)


def d_w_spline(layer, cache, dy):
    return layer.mask * np.sum(layer.coef * d_matrix(layer, cache, dy), axis=2)


def dx_of_base(layer, cache, dy):
    return (dy @ layer.base_matrix) * cache.base_slope


def dx_of_splines(layer, cache, dy):
    return evaluation.slope_sums(layer.spline_matrix, cache.bases, dy)


RIGHT = {
    "d_coef": d_coef,
    "d_w_base": d_w_base,
    "d_w_spline": d_w_spline,
    "dx_of_base": dx_of_base,
    "dx_of_splines": dx_of_splines,
    "order": lambda pieces: pieces,
}


def backward_with(only_layer=None, **faults):
    """A backward pass with some pieces replaced, in all layers or in one."""

    def backward(network, caches, dy):
        pieces = []
        for number in reversed(range(len(network.layers))):
            parts = RIGHT | faults if only_layer in (None, number) else RIGHT
            layer, cache = network.layers[number], caches[number]
            pieces.insert(0, [parts[name](layer, cache, dy).ravel() for name in ("d_coef", "d_w_base", "d_w_spline")])
            dy = parts["dx_of_base"](layer, cache, dy) + parts["dx_of_splines"](layer, cache, dy)
        theta = np.concatenate([array for layer_pieces in (RIGHT | faults)["order"](pieces) for array in layer_pieces])
        return dy, SimpleNamespace(theta=theta)  # not a network: those refuse nan

    return backward


def refused(seed=0, **faults):
    """The name of the part that the checker refuses."""
    network, x, rng = finer_example(seed)
    with pytest.raises(ValueError, match=" is wrong: along a random direction backward gives") as caught:
        kr.check_gradients(network, x, rng=rng, backward=backward_with(**faults))
    return str(caught.value).partition(" is wrong")[0]


def transposed_base(layer, cache, dy):
    return (dy @ layer.base_matrix.T) * cache.base_slope if layer.n_in == layer.n_out else dx_of_base(layer, cache, dy)


def transposed_splines(layer, cache, dy):
    if layer.n_in != layer.n_out:
        return dx_of_splines(layer, cache, dy)
    return evaluation.slope_sums(matrix(layer).transpose(1, 0, 2).reshape(layer.n_out, -1), cache.bases, dy)


def stale_slope(layer, cache, dy):
    """Slopes of a batch before this one."""
    return (dy @ layer.base_matrix) * np.roll(cache.base_slope, 1, axis=0)


def of_one_basis_shifted(layer, cache, dy):
    return np.roll(d_coef(layer, cache, dy), 1, axis=2)


def with_nan(layer, cache, dy):
    gradient = d_coef(layer, cache, dy)
    gradient[0, 0, 0] = np.nan
    return gradient


def tripled(layer, cache, dy):
    return 3.0 * d_coef(layer, cache, dy)


def means(layer, cache, dy):
    return d_coef(layer, cache, dy) / BATCH


def from_weighted_coefficients(layer, cache, dy):
    return layer.mask * np.sum(matrix(layer) * d_matrix(layer, cache, dy), axis=2)


FAULTS = {
    "transposed base weights in dx": ("dx", {"dx_of_base": transposed_base}),
    "transposed spline weights in dx": ("dx", {"dx_of_splines": transposed_splines}),
    "base term dropped from dx": ("dx", {"dx_of_base": lambda layer, cache, dy: 0.0}),
    "splines dropped from dx": ("dx", {"dx_of_splines": lambda layer, cache, dy: 0.0}),
    "stale base slope": ("dx", {"dx_of_base": stale_slope}),
    "base slope forgotten": ("dx", {"dx_of_base": lambda layer, cache, dy: dy @ layer.base_matrix}),
    "sign of the base in dx": ("dx", {"dx_of_base": lambda *given: -dx_of_base(*given)}),
    "mask missing in dx": ("dx", {"dx_of_base": lambda layer, cache, dy: (dy @ layer.w_base) * cache.base_slope}),
    "w_base not trained": ("d_w_base of layer 1", {"d_w_base": lambda *given: 0.0 * d_w_base(*given), "only_layer": 1}),
    "mask missing in d_w_base": ("d_w_base of layer 0", {"d_w_base": lambda layer, cache, dy: dy.T @ cache.base}),
    "w_base fed with slopes": (
        "d_w_base of layer 0",
        {"d_w_base": lambda layer, cache, dy: layer.mask * (dy.T @ cache.base_slope)},
    ),
    "mask missing in d_coef": (
        "d_coef of layer 0",
        {"d_coef": lambda layer, cache, dy: layer.w_spline[:, :, None] * d_matrix(layer, cache, dy)},
    ),
    "w_spline forgotten in d_coef": (
        "d_coef of layer 2",
        {"d_coef": lambda layer, cache, dy: layer.mask[:, :, None] * d_matrix(layer, cache, dy), "only_layer": 2},
    ),
    "w_spline applied twice in d_coef": (
        "d_coef of layer 0",
        {"d_coef": lambda layer, cache, dy: layer.w_spline[:, :, None] * d_coef(layer, cache, dy)},
    ),
    "one basis shifted in d_coef": ("d_coef of layer 1", {"d_coef": of_one_basis_shifted, "only_layer": 1}),
    "mean over the batch in d_coef": ("d_coef of layer 0", {"d_coef": means}),
    "mask missing in d_w_spline": (
        "d_w_spline of layer 0",
        {"d_w_spline": lambda layer, cache, dy: np.sum(layer.coef * d_matrix(layer, cache, dy), axis=2)},
    ),
    "d_w_spline from C instead of coef": ("d_w_spline of layer 0", {"d_w_spline": from_weighted_coefficients}),
    "w_base and w_spline swapped in theta": (
        "d_w_base of layer 0",
        {"order": lambda pieces: [[coef, w_spline, w_base] for coef, w_base, w_spline in pieces]},
    ),
    "layers swapped in theta": ("d_coef of layer 0", {"order": lambda pieces: pieces[::-1]}),
    "nan in d_coef": ("d_coef of layer 1", {"d_coef": with_nan, "only_layer": 1}),
    "nan in dx": ("dx", {"dx_of_base": lambda *given: np.nan * dx_of_base(*given), "only_layer": 0}),
}


# --- right gradients are accepted


@given(seeds)
def test_random_networks_are_right(seed):
    """Uneven and repeated knots, dead edges, symbolic edges, samples outside the grids."""
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=(2, 3, 2), degrees=[1, 2, 3, 4])
    network = with_formulas(rng, network, share=0.2)

    assert kr.check_gradients(network, random_batch(rng, network.layers[0], 8), rng=rng).worst <= 1e-7


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_units_of_the_inputs_do_not_matter(size):
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=4, degree=3, domain=(-size, size), rng=rng, base="identity")
    x = rng.uniform(-size, size, (15, 2))

    assert kr.check_gradients(network, x, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(
            network, x, rng=rng, backward=lambda *given: (1.001 * kr.backward(*given)[0], kr.backward(*given)[1])
        )


def test_without_active_edges_there_is_no_error():
    network, x, rng = finer_example(0)
    for number, layer in enumerate(network.layers):
        network = kr.mask_edges(network, number, np.zeros_like(layer.mask))

    assert kr.check_gradients(network, x, rng=rng).worst == 0.0


X = sympy.Symbol("x")


@pytest.mark.parametrize("formula", [sympy.Abs(X) + X**2, sympy.sign(X) + X, sympy.sqrt(X)])
def test_samples_at_kinks_jumps_and_ends_of_domains_do_not_count(formula):
    network = kr.from_formula(formula, ("x",), domain=(0, 1))
    x = np.r_[np.linspace(0.1, 0.9, 40), 1e-7, 3e-7][:, None]

    report = kr.check_gradients(network, x, rng=np.random.default_rng(0))

    assert report.worst <= 1e-7
    assert report.n_samples == 40
    with pytest.raises(ValueError, match="x has 1 samples, but none away from kinks"):
        kr.check_gradients(network, x[-2:-1], rng=np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_the_backward_pass_of_this_file_is_right_without_a_bug(seed):
    network, x, rng = finer_example(seed)

    report = kr.check_gradients(network, x, rng=rng, backward=backward_with())

    assert report.n_samples >= BATCH - 2  # others may lie at a knot
    assert report.worst == max(report.errors.values()) <= 1e-7
    assert len(report.errors) == 1 + 3 * 3


# --- wrong ones are named


@for_all("seed", range(2))
@for_all("fault", FAULTS)
def test_an_injected_bug_is_refused_by_the_name_of_its_array(fault, seed):
    part, faults = FAULTS[fault]

    assert refused(seed, **faults) == part


@pytest.mark.parametrize("piece", ["d_coef", "d_w_base", "d_w_spline", "dx_of_base", "dx_of_splines"])
def test_an_error_of_a_hundred_thousandth_is_refused_and_one_of_a_billionth_is_not(piece):
    network, x, rng = finer_example(0)
    nearly = backward_with(**{piece: lambda *given: (1.0 + 1e-9) * RIGHT[piece](*given)})

    assert refused(**{piece: lambda *given: (1.0 + 1e-5) * RIGHT[piece](*given)})
    kr.check_gradients(network, x, rng=rng, backward=nearly)


def test_a_bug_in_splines_beside_a_base_that_is_far_larger_is_refused():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    network = kr.Network([replace(network.layers[0], w_base=np.full((2, 2), 1e9))])
    wrong = backward_with(dx_of_splines=lambda *given: 1.001 * dx_of_splines(*given))

    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, rng.uniform(-0.9, 0.9, (15, 2)), rng=rng, backward=wrong)


def test_the_tolerance_decides_and_the_report_keeps_the_largest_error():
    network, x, rng = finer_example(0)
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    report = kr.check_gradients(network, x, rng=rng, backward=slightly_wrong, tolerance=1e-3)

    assert 1e-6 < report.errors["d_coef of layer 0"] <= report.worst < 1e-3


def test_a_step_that_is_too_long_is_refused():
    network, x, rng = finer_example(0)

    with pytest.raises(ValueError, match=r"is wrong|none away from kinks"):
        kr.check_gradients(network, x, rng=rng, step=0.01)


def test_a_sample_far_away_does_not_hide_a_bug_that_shows_in_the_others():
    network, x, rng = finer_example(0)
    x = np.vstack([x, np.full((1, SQUARE_INSIDE[0]), 1e6)])
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    assert kr.check_gradients(network, x, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=slightly_wrong)


def test_a_refusal_says_both_derivatives():
    network, x, rng = finer_example(0)
    tripled = backward_with(d_coef=lambda *given: 3.0 * d_coef(*given))

    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong") as refusal:
        kr.check_gradients(network, x, rng=rng, backward=tripled)

    words = str(refusal.value).replace(",", "").split()
    found, expected = (float(words[words.index(word) + 1]) for word in ("gives", "difference"))
    assert found == pytest.approx(3.0 * expected, rel=1e-4)


@pytest.mark.parametrize(("options", "name"), [({"step": 0.0}, "step"), ({"n_directions": 0}, "n_directions")])
def test_wrong_options_are_refused_by_name(options, name):
    network, x, rng = finer_example(0)

    with pytest.raises(ValueError, match=name):
        kr.check_gradients(network, x, rng=rng, **options)
    with pytest.raises(ValueError, match="x has 0 samples"):
        kr.check_gradients(network, x[:0], rng=rng)
