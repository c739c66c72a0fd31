"""The gradient checker: what it moves and pulls back, how it compares, and that it detects every injected bug.

In some networks it checks dx too. It is given wrong gradients and must reject each, with the name of the part that is wrong. Every bug is a
backward pass of its own, written out below; without a bug it is right, so what is rejected is the bug.
"""

import inspect
import re
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import random_batch, random_layer, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.bspline import evaluation
from kan_ref.functions.library import LIBRARY
from kan_ref.functions.record import singular_points
from kan_ref.network import gradient_check, gradient_kinks, gradient_steps
from kan_ref.network.symbolic_edges import SymbolicEdge
from kan_ref.numerics.row_sparse import RowSparse

BLOCKS = ("coef", "w_base", "w_spline")
STEP = 1e-5


def made(widths=(2, 3, 2), *, seed=0, degree=3, domain=(-1.0, 1.0)):
    rng = np.random.default_rng(seed)
    network = kr.init_network(widths, n_intervals=4, degree=degree, domain=domain, rng=rng)
    return network, rng.uniform(*domain, (15, widths[0])), rng


# --- directions


def steps_of(network, x, rng, **options):
    """(theta moves or not, change of theta and of activations in one step, scales) of every comparison."""
    ends, found = [], []
    with pytest.MonkeyPatch.context() as patch:

        def activations(network, theta, points):
            ends.append(theta)
            return gradient_steps.activations(network, theta, points)

        def clear_of_kinks(network, before, scales, after):
            theta = (ends[-1] - ends[-2]) / (2.0 * STEP)
            pairs = zip(before, after, strict=True)
            found.append((theta, [(b - a) / (2.0 * STEP) for a, b in pairs], scales))
            return gradient_kinks.clear_of_kinks(network, before, scales, after)

        patch.setattr(gradient_check, "_partial", lambda network, x: [])
        patch.setattr(gradient_check, "activations", activations)
        patch.setattr(gradient_check, "clear_of_kinks", clear_of_kinks)
        kr.check_gradients(network, x, rng=rng, n_directions=1, step=STEP, **options)
    return found


def hidden_pace(changes, scales):
    return max(
        (
            np.abs(change / unit).max()
            for change, unit in zip(changes[1:-1], scales.lengths[1:], strict=True)
        ),
        default=0.0,
    )


def output_pace(changes, scales):
    return np.abs(changes[-1] / scales.units).max()


@given(seeds, st.sampled_from([-3.0, 0.0, 3.0]), st.sampled_from([-3.0, 0.0, 3.0]))
def test_inputs_move_in_units_of_their_lengths_and_hidden_nodes_by_at_most_one_of_theirs(
    seed, steepness, size
):
    """Steep first layers, hidden nodes that bend early or late: the step in x becomes shorter, never longer."""
    network, x, rng = made(seed=seed)
    first, last = network.layers
    first = replace(first, w_base=first.w_base * 10.0**steepness, coef=first.coef * 10.0**steepness)
    last = replace(last, knots=last.knots * 10.0**size)
    network = kr.Network((first, last))

    for theta, changes, scales in steps_of(network, x, rng)[:1]:
        assert not theta.any()
        assert hidden_pace(changes, scales) <= 1.1
        relative = np.abs(changes[0] / scales.lengths[0])
        assert relative.max() < 6.0  # of some hundred normal numbers
        pace = np.max(np.abs(changes[1] / scales.lengths[1]), axis=1)
        slow = pace < 0.5
        assert slow.sum() < 8 or 0.1 < np.sqrt(np.mean(relative[slow] ** 2)) < 3.0


@given(seeds, st.sampled_from([-3.0, 0.0, 3.0]))
def test_each_kind_of_parameter_moves_hidden_nodes_or_outputs_by_one_unit_at_most(seed, power):
    network, x, rng = made(seed=seed)
    network = network.with_theta(10.0**power * network.theta)

    blocks = steps_of(network, x, rng)[1:-1]

    assert len(blocks) == 2 * len(BLOCKS)
    for n, (theta, changes, scales) in enumerate(blocks):
        sizes = [getattr(layer, name).size for layer in network.layers for name in BLOCKS]
        start = sum(sizes[:n])
        assert not np.delete(theta, slice(start, start + sizes[n])).any()
        assert not changes[0].any()
        pace = (hidden_pace if n < len(BLOCKS) else output_pace)(changes, scales)
        assert 0.9 < pace < 1.1 or (pace == 0.0 and n > 2)  # no activation lies on a hidden grid


@given(seeds, st.sampled_from([-4.0, -1.0, 0.0, 2.0]))
def test_all_parameters_together_move_by_no_more_than_their_values_and_one_unit(seed, power):
    network, x, rng = made(seed=seed)
    network = network.with_theta(10.0**power * network.theta)

    theta, changes, scales = steps_of(network, x, rng)[-1]

    moved, pace = network.with_theta(theta), hidden_pace(changes, scales)
    assert not changes[0].any()
    assert pace < 1.1
    for layer, own in zip(network.layers, moved.layers, strict=True):
        for name in BLOCKS:
            values, change = (
                np.abs(getattr(one, name).reshape(layer.n_out, layer.n_in, -1)).max(axis=2)
                for one in (layer, own)
            )
            assert (change <= (1.0 + 1e-6) * values + 1e-9 * 10.0**power).all()
            assert change.any()


@for_all("seed", [24548, 1515])
def test_the_last_layer_moves_where_most_outputs_are_almost_zero(seed):
    """silu far on the left: half of the outputs of these networks are below 1e-60."""
    network, x, rng = made(seed=seed)
    network = network.with_theta(100.0 * network.theta)
    assert np.median(np.abs(network(x))) < 1e-60

    moves = [theta[network.layers[0].n_params :] for theta, *_ in steps_of(network, x, rng)]

    assert [bool(move.any()) for move in moves] == [False] * 4 + [True] * 4


@given(seeds)
def test_symbolic_parameters_move_by_their_units_even_where_that_moves_nodes_little(seed):
    network, x, rng = made((2, 2, 1), seed=seed)
    first, last = network.layers
    edges = [SymbolicEdge(0, 0, LIBRARY["sin"], 0), SymbolicEdge(1, 1, LIBRARY["x^2"], 1)]
    mask = 1.0 - np.eye(2)
    first = replace(first, mask=mask, symbolic=edges, affine=rng.normal(size=(2, 4)) + 3.0)
    network = kr.Network((first, replace(last, knots=1e4 * last.knots, base="zero")))  # long units

    theta, changes, scales = steps_of(network, x, rng)[4]

    units = gradient_steps._affine_units(first, x)
    own = theta[first.n_params - 8 : first.n_params].reshape(2, 4)
    assert np.count_nonzero(theta) == 8
    assert hidden_pace(changes, scales) < 1.0
    assert np.abs(own / units).max() < 6.0
    assert np.sqrt(np.mean((own / units) ** 2)) > 0.1


@pytest.mark.parametrize("power", [-6.0, 0.0, 6.0])
def test_upstream_gradients_are_normal_numbers_in_units_of_the_outputs(power):
    network, x, rng = made((2, 2))
    network, pulled = network.with_theta(10.0**power * network.theta), []

    def backward(network, caches, dy):
        pulled.append(dy)
        return kr.backward(network, caches, dy)

    kr.check_gradients(network, x, rng=rng, backward=backward)

    units = gradient_steps.measure_scales(network, x, kr.forward(network, x)[1]).units
    full = [dy * units for n, dy in enumerate(pulled) if n % 7 not in (1, 2)]  # not of the parts
    assert 0.8 < np.std(full) < 1.2
    assert np.abs(full).max() < 6.0


# --- networks and samples


def test_a_network_without_active_edges_has_no_error():
    network, x, rng = made((2, 2))
    network = kr.mask_edges(network, 0, np.zeros((2, 2)))

    report = kr.check_gradients(network, x, rng=rng)

    assert report.worst == 0.0


def test_a_sample_at_a_kink_counts_for_no_part_even_if_only_inputs_move_it():
    network, x, rng = made((1, 2), degree=1)
    x[4] = 0.5  # a knot

    assert kr.check_gradients(network, x, rng=rng).n_samples == len(x) - 1


X = sympy.Symbol("x")


@pytest.mark.parametrize(
    "formula",
    [
        sympy.Abs(X) + X**2,
        sympy.sign(X) + X,
        sympy.exp(sympy.Abs(X)),
        X**2 * sympy.sqrt(X**2),
        sympy.Abs(sympy.sin(3 * X)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_samples_at_kinks_of_symbolic_edges_count_for_no_part(formula, seed):
    network = kr.from_formula(formula, ("x",), domain=(-1, 1))
    near = [0.0, 1e-7, -3e-6]
    x = np.r_[np.linspace(-0.9, 0.9, 40), near][:, None]

    report = kr.check_gradients(network, x, rng=np.random.default_rng(seed))

    assert report.worst < 1e-8
    assert report.n_samples in range(40 - 3, len(x))


@pytest.mark.parametrize("name", [name for name in LIBRARY if name not in ("0", "abs", "sgn")])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_no_sample_of_a_smooth_function_is_left_out(name, shift):
    """At an extremum, an inflection and elsewhere; for those with a domain within it."""
    function = LIBRARY[name]
    low, high = np.clip(function.domain, -2.0, 2.0)
    middle = 0.5 * (low + high) + shift
    points = middle + np.linspace(-0.4, 0.4, 33) * (high - low) / 2.0
    far = singular_points(function, -10.0, 10.0)
    points = points[(np.abs(points[:, None] - far) > 1e-2).all(axis=1)]
    layer = kr.Layer(
        np.linspace(-4.0, 4.0, 9)[None],
        np.zeros((1, 1, 7)),
        *np.zeros((3, 1, 1)),
        1,
        symbolic=[SymbolicEdge(0, 0, function, 0)],
        affine=np.array([[1.0, 0.0, 1.0, 0.0]]),
    )
    network = kr.Network((layer,))
    w = 1e-5 * np.random.default_rng(0).uniform(-1.0, 1.0, (len(points), 1))

    clear = gradient_kinks.clear_of_symbolic_kinks(
        network, (network.theta, network.theta), ([points[:, None] - w], [points[:, None] + w])
    )

    assert len(points) > 20
    assert clear.all()


def chain(*edges):
    """One symbolic edge (name, a, b) in each of the layers."""
    network, _, rng = made((1,) * (len(edges) + 1))
    for number, (name, *inner) in enumerate(edges):
        network = kr.fix_symbolic(
            network, number, output=0, input=0, name=name, affine=(*inner, 1.0, 0.0)
        )
    return network, rng


@pytest.mark.parametrize("name", ["sqrt", "log", "x^1.5"])
@pytest.mark.parametrize("above", [["tanh"], ["sin", "tanh"]])
def test_a_sample_near_the_end_of_a_domain_counts_whatever_layers_lie_above(name, above):
    x = np.linspace(-0.9, 0.8, 6)[:, None]
    network, rng = chain(("x", 1.0, 0.0), (name, 1.0, 0.9 + 1e-6), *((f, 0.1, 0.5) for f in above))

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return 1.01 * dx, grads

    report = kr.check_gradients(network, x, rng=rng, n_directions=1)

    assert report.n_samples == len(x)
    with pytest.raises(ValueError, match=r"^dx is wrong"):
        kr.check_gradients(network, x, rng=rng, n_directions=1, backward=wrong)


def test_a_sample_at_the_end_of_a_domain_counts_for_no_part():
    x = np.array([[0.0], [0.3], [0.7]])
    network, rng = chain(("x", 1.0, 0.0), ("x^1.5", 1.0, 0.0), ("exp", 1.0, 0.0))

    report = kr.check_gradients(network, x, rng=rng)

    assert report.n_samples == len(x) - 1
    with pytest.raises(ValueError, match="the end of a domain within step 1e-05: add samples"):
        kr.check_gradients(network, x[:1], rng=rng)


def test_a_wrong_derivative_of_a_function_is_not_taken_for_a_kink():
    wrong = replace(LIBRARY["sin"], d1=lambda u: 1.01 * np.cos(u))
    network, x, rng = made((1, 1))
    layer = replace(
        network.layers[0],
        mask=np.zeros((1, 1)),
        symbolic=[SymbolicEdge(0, 0, wrong, 0)],
        affine=np.array([[1.0, 0.0, 1.0, 0.0]]),
    )

    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(kr.Network((layer,)), x, rng=rng)


def test_without_options_a_check_has_the_documented_ones():
    network, x, _ = made()
    documented = {"n_directions": 3, "step": 1e-5, "tolerance": 1e-7}

    reports = [
        kr.check_gradients(network, x, rng=np.random.default_rng(1), **options)
        for options in ({}, documented)
    ]

    assert reports[0] == reports[1]
    signature = inspect.signature(kr.check_gradients).parameters
    assert {name: signature[name].default for name in documented} == documented


def only(network, x, kind):
    """The outputs of a network with one kind of summand, "w_base" or "w_spline", alone."""
    other = {"w_base": "w_spline", "w_spline": "w_base"}[kind]
    layers = [replace(one, **{other: np.zeros_like(one.w_base)}) for one in network.layers]
    return kr.Network(layers)(x)


@given(seeds)
def test_dx_is_checked_without_splines_and_without_base_functions_too(seed):
    rng = np.random.default_rng(seed)
    network = with_formulas(rng, random_network(rng, widths=(2, 3, 2), degrees=[3]), share=0.2)
    x = random_batch(rng, network.layers[0], 4)

    parts = gradient_check._partial(network, x)

    active = [
        any((layer.mask * getattr(layer, name)).any() for layer in network.layers)
        for name in ("w_base", "w_spline")
    ]
    if all(active):
        for part, kind in zip(parts, ("w_base", "w_spline"), strict=True):
            np.testing.assert_array_equal(part(x), only(network, x, kind))
    else:
        assert parts == []


@pytest.mark.parametrize("missing", ["w_base", "w_spline"])
def test_a_network_of_one_kind_of_summand_is_checked_once_and_one_that_lacks_it_in_a_layer_thrice(
    missing,
):
    network, x, _ = made()
    first, last = (
        replace(layer, **{missing: np.zeros_like(layer.w_base)}) for layer in network.layers
    )

    assert gradient_check._partial(kr.Network((first, last)), x) == []
    assert len(gradient_check._partial(kr.Network((first, network.layers[1])), x)) == 2
    assert len(gradient_check._partial(kr.Network((network.layers[0], last)), x)) == 2


def test_a_part_that_is_undefined_where_the_network_is_defined_is_left_out():
    """The spline cancels the base function; without it, the argument of exp becomes too large at one sample."""
    knots = kr.uniform_knots(0.0, 2000.0, 2, 3)
    greville = np.array([np.mean(knots[0, m + 1 : m + 4]) for m in range(5)])
    line = kr.Layer(knots, -greville[None, None], *[[[1.0]]] * 3, 3, "identity")
    edge = SymbolicEdge(0, 0, LIBRARY["exp"], 0)
    exp = kr.Layer(knots, np.zeros((1, 1, 5)), *[[[0.0]]] * 3, 3, "zero", [edge], [[1, 0, 1, 0]])
    network, x = kr.Network((line, exp)), np.array([[1.0], [1500.0]])

    assert len(gradient_check._partial(network, x[:1])) == 2
    assert len(gradient_check._partial(network, x)) == 1
    assert kr.check_gradients(network, x, rng=np.random.default_rng(0)).worst <= 1e-7


def test_sizes_beyond_float64_at_one_sample_are_rejected():
    knots = kr.uniform_knots([-1.0, -1.0], [1.0, 1.0], 2, 1)
    layer = kr.Layer(
        knots, np.zeros((1, 2, 3)), [[1.0, 1.0]], [[0.0] * 2], [[1.0] * 2], 1, "identity"
    )
    x = np.array([[0.1, 0.2], [1.5e308, -1.5e308], [0.3, 0.4]])

    with pytest.raises(ValueError, match=r"^x and the parameters give activations or derivatives"):
        kr.check_gradients(kr.Network((layer,)), x, rng=np.random.default_rng(0))


# --- comparisons


def comparison(*numbers, tolerance=1e-7, half=1.0):
    """The error that a comparison keeps; `half` is the difference with half the step, as a share."""
    network, x, rng = made((1, 1))
    check = gradient_check._Check.of(network, x, STEP, tolerance, rng)
    asked = []

    def halved():
        asked.append(half * numbers[1])
        return asked[-1]

    check._compare("part", numbers[0], numbers[1:], halved, lambda: True)
    near = abs(numbers[0] - numbers[1]) <= tolerance * numbers[2] + numbers[3]
    assert len(asked) == (0 if near else 1)  # two forward passes more only where they decide
    return check.errors["part"]


sizes = st.floats(-9.0, 3.0).map(lambda power: 10.0**power)


@given(sizes, sizes, st.floats(0.0, 0.999), st.sampled_from([-1.0, 1.0]))
def test_an_accepted_difference_has_an_error_of_at_most_the_tolerance(scale, rounding, part, sign):
    apart = sign * part * (1e-7 * scale + rounding)

    error = comparison(apart, 0.0, scale, rounding)

    assert error == pytest.approx(part * 1e-7, rel=1e-6)


@given(sizes, sizes, st.floats(1.001, 100.0), st.sampled_from([-1.0, 1.0]))
def test_a_difference_beyond_tolerance_and_rounding_is_rejected(scale, rounding, factor, sign):
    with pytest.raises(ValueError, match=r"^part is wrong: "):
        comparison(0.0, sign * factor * (1e-7 * scale + rounding), scale, rounding)


def test_a_difference_that_falls_with_the_square_of_the_step_is_none():
    assert comparison(0.0, 1.0, 1.0, 0.0, half=0.25) == 0.0
    assert comparison(3.0, 4.0, 4.0, 0.0, half=0.8125) == 0.0  # 3 + h^2

    for half in (0.125, 0.2499, 0.5):  # falls with another power, or not quite so
        with pytest.raises(ValueError, match=r"^part is wrong: "):
            comparison(0.0, 1.0, 1.0, 0.0, half=half)


@pytest.mark.parametrize("seed", range(4))
def test_a_network_whose_parameters_are_all_zero_is_right_and_a_small_gradient_there_wrong(seed):
    """Along all parameters its outputs change by their product, of order h^2 and more alone."""
    network, x, rng = made(seed=seed)
    network = network.with_theta(np.zeros(network.n_params))

    def small(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        return dx, network.with_theta(grads.theta + 1e-14)

    assert kr.check_gradients(network, x, rng=rng).worst < 1e-7
    with pytest.raises(ValueError, match=r"is wrong: along a random direction"):
        kr.check_gradients(network, x, rng=rng, backward=small)


def test_two_equal_numbers_have_no_error_even_without_any_scale():
    assert comparison(0.0, 0.0, 0.0, 0.0) == 0.0
    assert comparison(2.0, 2.0, 0.0, 0.0, tolerance=0.0) == 0.0
    assert comparison(1.0, 1.0 - 5e-8, 1.0, 0.0) == pytest.approx(5e-8, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_gradient_of_zeros_has_the_difference_as_its_scale_whatever_the_sign(seed, monkeypatch):
    """Its relative error is 1, or less where the rounding error of the outputs divided by 1e-7 is not small beside the difference."""
    network, x, rng = made(seed=seed)
    seen, compare = [], gradient_check._Check._compare

    def spy(check, name, by_backward, numbers, *functions):
        seen.append((by_backward, *numbers))
        return compare(check, name, by_backward, numbers, *functions)

    def zeros(network, caches, dy):
        return np.zeros_like(x), network.with_theta(np.zeros(network.n_params))

    monkeypatch.setattr(gradient_check._Check, "_compare", spy)

    with pytest.raises(ValueError, match=r"\(relative error ") as caught:
        kr.check_gradients(network, x, rng=rng, backward=zeros)

    by_backward, difference, scale, rounding = seen[-1]
    assert by_backward == 0.0
    assert scale == abs(difference) > 0.0
    error = scale / (scale + rounding / 1e-7)
    assert f"(relative error {error:.1g}, allowed 1e-07)" in str(caught.value)


def test_a_small_error_in_an_edge_of_small_weight_is_found():
    """The coefficients of that edge take part in the direction of one block as all others do."""
    network, x, rng = made((2, 1))
    (layer,) = network.layers
    network = kr.Network((replace(layer, w_spline=[[1.0, 1e-3]]),))
    block = slice(layer.n_basis, 2 * layer.n_basis)

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        theta[block] *= 1.0 + 1e-5
        return dx, grads.with_theta(theta)

    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong)


# --- injected bugs


BATCH = 7
WIDTHS = (2, 3, 3, 2)  # the middle layer is square: there a transposed matrix fits


def example(seed):
    """A network with dead edges, its grids finer in later layers; inputs inside and outside."""
    rng = np.random.default_rng(seed)
    sizes = zip(pairwise(WIDTHS), (3, 4, 6), strict=True)
    plain = {"degree": 3, "kind": "uneven", "base": "silu", "dead": 0.0, "silent": 0.0}
    layers = [
        random_layer(rng, *ends, n_intervals=n_intervals, **plain) for ends, n_intervals in sizes
    ]
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
            pieces.insert(
                0,
                [
                    parts[name](layer, cache, dy).ravel()
                    for name in ("d_coef", "d_w_base", "d_w_spline")
                ],
            )
            dy = parts["dx_of_base"](layer, cache, dy) + parts["dx_of_splines"](layer, cache, dy)
        theta = np.concatenate(
            [array for layer_pieces in (RIGHT | faults)["order"](pieces) for array in layer_pieces]
        )
        return dy, SimpleNamespace(theta=theta)  # not a network: those refuse nan

    return backward


def refused(seed=0, **faults):
    """The name of the part that the checker refuses."""
    network, x, rng = example(seed)
    with pytest.raises(
        ValueError, match=" is wrong: along a random direction backward gives "
    ) as caught:
        kr.check_gradients(network, x, rng=rng, backward=backward_with(**faults))
    return str(caught.value).partition(" is wrong")[0]


def transposed_base(layer, cache, dy):
    return (
        (dy @ layer.base_matrix.T) * cache.base_slope
        if layer.n_in == layer.n_out
        else dx_of_base(layer, cache, dy)
    )


def transposed_splines(layer, cache, dy):
    if layer.n_in != layer.n_out:
        return dx_of_splines(layer, cache, dy)
    return evaluation.slope_sums(
        matrix(layer).transpose(1, 0, 2).reshape(layer.n_out, -1), cache.bases, dy
    )


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
    "mask missing in dx": (
        "dx",
        {"dx_of_base": lambda layer, cache, dy: (dy @ layer.w_base) * cache.base_slope},
    ),
    "w_base not trained": (
        "d_w_base of layer 1",
        {"d_w_base": lambda *given: 0.0 * d_w_base(*given), "only_layer": 1},
    ),
    "mask missing in d_w_base": (
        "d_w_base of layer 0",
        {"d_w_base": lambda layer, cache, dy: dy.T @ cache.base},
    ),
    "w_base fed with slopes": (
        "d_w_base of layer 0",
        {"d_w_base": lambda layer, cache, dy: layer.mask * (dy.T @ cache.base_slope)},
    ),
    "mask missing in d_coef": (
        "d_coef of layer 0",
        {
            "d_coef": lambda layer, cache, dy: (
                layer.w_spline[:, :, None] * d_matrix(layer, cache, dy)
            )
        },
    ),
    "w_spline forgotten in d_coef": (
        "d_coef of layer 2",
        {
            "d_coef": lambda layer, cache, dy: layer.mask[:, :, None] * d_matrix(layer, cache, dy),
            "only_layer": 2,
        },
    ),
    "w_spline applied twice in d_coef": (
        "d_coef of layer 0",
        {"d_coef": lambda layer, cache, dy: layer.w_spline[:, :, None] * d_coef(layer, cache, dy)},
    ),
    "one basis shifted in d_coef": (
        "d_coef of layer 1",
        {"d_coef": of_one_basis_shifted, "only_layer": 1},
    ),
    "mean over the batch in d_coef": ("d_coef of layer 0", {"d_coef": means}),
    "mask missing in d_w_spline": (
        "d_w_spline of layer 0",
        {
            "d_w_spline": lambda layer, cache, dy: np.sum(
                layer.coef * d_matrix(layer, cache, dy), axis=2
            )
        },
    ),
    "d_w_spline from C instead of coef": (
        "d_w_spline of layer 0",
        {"d_w_spline": from_weighted_coefficients},
    ),
    "w_base and w_spline swapped in theta": (
        "d_w_base of layer 0",
        {"order": lambda pieces: [[coef, w_spline, w_base] for coef, w_base, w_spline in pieces]},
    ),
    "layers swapped in theta": ("d_coef of layer 0", {"order": lambda pieces: pieces[::-1]}),
    "nan in d_coef": ("d_coef of layer 1", {"d_coef": with_nan, "only_layer": 1}),
    "nan in dx": (
        "dx",
        {"dx_of_base": lambda *given: np.nan * dx_of_base(*given), "only_layer": 0},
    ),
}


# --- laws


@pytest.mark.parametrize("seed", range(5))
def test_the_backward_pass_of_this_file_is_accepted_as_long_as_it_has_no_fault(seed):
    network, x, rng = example(seed)

    report = kr.check_gradients(network, x, rng=rng, backward=backward_with())

    assert "jacobian" not in report.errors  # that is the package's own, not the judged one's
    assert report.n_samples == BATCH


@for_all("seed", range(2))
@for_all("fault", FAULTS)
def test_a_planted_fault_is_refused_by_the_name_of_its_part(fault, seed):
    part, faults = FAULTS[fault]

    assert refused(seed, **faults) == part


@pytest.mark.parametrize(
    "piece", ["d_coef", "d_w_base", "d_w_spline", "dx_of_base", "dx_of_splines"]
)
def test_a_fault_of_a_hundred_thousandth_is_refused_and_one_of_a_billionth_is_not(piece):
    network, x, rng = example(0)

    assert refused(**{piece: lambda *given: (1.0 + 1e-5) * RIGHT[piece](*given)})
    kr.check_gradients(
        network,
        x,
        rng=rng,
        backward=backward_with(**{piece: lambda *given: (1.0 + 1e-9) * RIGHT[piece](*given)}),
    )


def test_the_tolerance_decides():
    network, x, rng = example(0)
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    report = kr.check_gradients(network, x, rng=rng, backward=slightly_wrong, tolerance=1e-3)

    assert 1e-6 < report.worst < 1e-3


def test_the_report_keeps_the_largest_error_of_all_directions():
    network, x, rng = example(0)
    right, slightly_wrong = (
        backward_with(),
        backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given)),
    )
    calls = []

    def wrong_along_the_first_direction(*given):
        calls.append(1)
        return (
            slightly_wrong(*given) if len(calls) <= len(calls_of_one_direction) else right(*given)
        )

    calls_of_one_direction = [
        *("dx", "dx without splines", "dx without base functions"),
        "all parameters",
        *(f"d_{name} of layer {n}" for n in range(3) for name in ("coef", "w_base", "w_spline")),
    ]
    report = kr.check_gradients(
        network,
        x,
        rng=rng,
        n_directions=3,
        backward=wrong_along_the_first_direction,
        tolerance=1e-3,
    )

    assert len(calls) == 3 * len(calls_of_one_direction)
    assert report.errors["d_coef of layer 0"] > 1e-6


def test_a_large_step_is_refused_because_the_difference_is_wrong_then():
    network, x, rng = example(0)

    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, step=1e-1)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e300])
def test_a_sample_far_away_does_not_hide_a_fault_that_shows_in_the_others(size):
    network, x, rng = example(0)
    with_far_sample = np.vstack([x, np.full((1, WIDTHS[0]), size)])
    slightly_wrong = backward_with(d_coef=lambda *given: (1.0 + 1e-4) * d_coef(*given))

    assert kr.check_gradients(network, with_far_sample, rng=rng).worst <= 1e-7
    with pytest.raises(ValueError, match="d_coef of layer 0 is wrong"):
        kr.check_gradients(network, with_far_sample, rng=rng, backward=slightly_wrong)


@pytest.mark.parametrize(
    "fault",
    [
        lambda rows: RowSparse(rows.columns, rows.values * 1.0001, rows.n_columns),
        lambda rows: RowSparse(rows.columns[::-1].copy(), rows.values, rows.n_columns),
        lambda rows: RowSparse(rows.columns, rows.values[::-1].copy(), rows.n_columns),
        lambda rows: RowSparse((rows.columns + 1) % rows.n_columns, rows.values, rows.n_columns),
        lambda rows: RowSparse(
            rows.columns, rows.values * np.where(rows.columns == 3, np.nan, 1.0), rows.n_columns
        ),
    ],
    ids=["scaled", "rows of columns reversed", "rows of values reversed", "shifted by one", "nan"],
)
def test_a_wrong_jacobian_is_refused_by_name(fault, monkeypatch):
    network, x, rng = example(0)
    right = gradient_check.prediction_jacobian
    monkeypatch.setattr(
        gradient_check, "prediction_jacobian", lambda layers, caches: fault(right(layers, caches))
    )

    with pytest.raises(ValueError, match=r"^jacobian is wrong: along a random direction"):
        kr.check_gradients(network, x, rng=rng)


def test_a_refusal_of_nan_says_that_the_error_is_nan():
    network, x, rng = example(0)

    with pytest.raises(
        ValueError,
        match=r"^d_coef of layer 0 is wrong: .* backward gives nan, .* \(relative error nan, allowed 1e-07\)$",
    ):
        kr.check_gradients(network, x, rng=rng, backward=backward_with(d_coef=with_nan))


def test_a_refusal_says_both_numbers_the_error_and_what_was_allowed():
    network, x, _ = example(0)

    number = r"(-?[0-9.e+-]+)"
    sentence = (
        rf"^d_coef of layer 0 is wrong: along a random direction backward gives {number}, a central difference {number} "
        rf"\(relative error {number}, allowed 1e-07\)$"
    )
    found = []
    for step in (1e-5, 1e-4):
        with pytest.raises(ValueError, match=sentence) as refusal:
            kr.check_gradients(
                network,
                x,
                rng=np.random.default_rng(1),
                step=step,
                backward=backward_with(d_coef=tripled),
            )
        found.append([float(text) for text in re.match(sentence, str(refusal.value)).groups()])
    (by_backward, difference, error), (with_longer_step, *_) = found
    assert by_backward == pytest.approx(3.0 * difference, rel=1e-5)
    assert 0.0 < error <= 2.0 / 3.0 + 0.1  # rounded up to one digit
    assert with_longer_step == pytest.approx(by_backward, rel=1e-3)  # a derivative has no step


def test_what_is_no_backward_pass_is_rejected_by_name():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = rng.uniform(-1.0, 1.0, (5, 2))

    with pytest.raises(TypeError, match=r"^backward is 3, but must be a function$"):
        kr.check_gradients(network, x, rng=rng, backward=3)
    for answer in (None, (1, 2, 3), 2.0):
        with pytest.raises(TypeError, match=r"^backward gave .*, but must give a pair"):
            kr.check_gradients(network, x, rng=rng, backward=lambda *given, answer=answer: answer)
