"""The steps of a gradient check: lengths, rounding errors and units by their definitions, and that the check does not depend on units.

The definitions are loops over samples and edges. Grids and outputs may have any size; products keep their digits, or the check says so.
"""

import math
import re
from dataclasses import replace
from itertools import pairwise

import hypothesis
import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import (
    formula_network,
    random_batch,
    random_network,
    rescaled,
    seeds,
    symbolic_cases,
    with_formulas,
)
from oracles_layer import edge_terms, layer_edges, slope_terms
from test_gradient_check import FAULTS, backward_with, example

import kan_ref as kr
from kan_ref.functions import BASE_FUNCTIONS
from kan_ref.functions.library import LIBRARY
from kan_ref.network import gradient_check, gradient_digits, gradient_kinks, gradient_steps
from kan_ref.network.gradient_steps import SINGLE, TOGETHER
from kan_ref.network.symbolic_edges import SymbolicEdge

EPS, TINY = np.finfo(float).eps, np.finfo(float).tiny
BLOCKS = ("coef", "w_base", "w_spline")


def drawn_case(seed, n_samples=6, share=0.4, **options):
    """A network with symbolic edges, and inputs inside, at the ends of and far outside its knots."""
    rng = np.random.default_rng(seed)
    widths = options.pop("widths", (2, 3, 2))
    network = random_network(rng, degrees=range(5), widths=widths, **options)
    network = with_formulas(rng, network, share=share)
    x = random_batch(rng, network.layers[0], n_samples)
    first, last = network.layers[0].knots[0, [0, -1]]
    x[:3, 0] = first - 3.0, last, last + 0.01
    return network, x, rng


def scales_of(network, x):
    return gradient_steps.measure_scales(network, x, kr.forward(network, x)[1])


# --- lengths


def length(first, second, third):
    """L of the module's theorem, from the sizes of three derivatives."""
    if third == 0.0 or (first == 0.0 and second == 0.0):
        return math.inf
    first, second, third = map(float, (first, second, third))  # they overflow without a warning
    return max(math.sqrt(first / third), second / third)


def interval_near(row, degree, x):
    """The smallest interval of positive length that the basis functions at x depend on."""
    gaps = [right - left for left, right in pairwise(row)]
    place = max((n for n, knot in enumerate(row) if knot <= x), default=0)
    place = min(place, len(gaps) - 1)
    near = [gap for gap in gaps[max(place - degree, 0) : place + degree + 1] if gap > 0.0]
    return min(near or [gap for gap in gaps if gap > 0.0])


def bending_length(layer, i, x):
    """The smallest L of the edges from input i at the value x."""
    row, k = layer.knots[i].tolist(), layer.degree
    g, beyond = interval_near(row, k, x), max(row[0] - x, x - row[-1], 0.0)
    found = []
    for j in range(layer.n_out):
        active = layer.mask[j, i] == 1.0
        spline = active * abs(layer.w_spline[j, i]) * np.abs(layer.coef[j, i]).max()
        weight = active * abs(layer.w_base[j, i])
        sizes = []
        for r in (1, 2, 3):
            base = BASE_FUNCTIONS[layer.base](np.array([[x]]), (r,))[0].item()
            from_spline = spline / g**r if r <= k and beyond <= g else 0.0
            sizes.append(from_spline + weight * abs(base))
        found.append(length(*sizes))
    inside = min(x - row[0], row[-1] - x)
    if inside > 0.0:
        found.append(min(max(inside / max(k, 1), 0.01 * g), g))
    else:
        found.append(max(g, beyond))
    if layer.base == "silu" and (layer.w_base * layer.mask).any():
        found.append(max(1.0, abs(x)))
    for edge in layer.symbolic:
        a, b, _, _ = layer.affine[edge.row]
        if edge.input == i and a != 0.0:
            found.append(inner_length(edge.function, a * x + b) / abs(a))
    return min(found)


def inner_length(function, u):
    at = np.array([u])
    own = length(*(abs(f(at).item()) for f in (function.d1, function.d2, function.d3)))
    return min(own, max(1.0, abs(u)))


def assert_lengths_by_definition(network, x):
    scales = scales_of(network, x)

    for layer, at, lengths in zip(network.layers, scales.flow, scales.lengths, strict=False):
        expected = [[bending_length(layer, i, v) for i, v in enumerate(row)] for row in at.tolist()]
        np.testing.assert_allclose(lengths, expected, rtol=1e-9)


def test_a_curve_whose_third_derivative_underflows_bends_nowhere_and_without_a_warning():
    """Derivatives of silu at -740, below 1e-300: their quotients are of size one, or overflow."""
    first, second, third = np.array([[1.0, 3e-320], [1.0, 3e-320], [5e-324, 1e-320]])

    lengths = gradient_steps._length(first, second, third)

    np.testing.assert_allclose(lengths, [np.inf, 3.0], rtol=1e-3)


@given(seeds, st.sampled_from([0.3, 1.0]))
def test_lengths_are_the_smallest_bending_lengths_of_the_edges(seed, share):
    network, x, _ = drawn_case(seed, share=share)

    assert_lengths_by_definition(network, x)


@given(seeds, st.sampled_from([1.0, 10.0, 100.0]), st.sampled_from(["silu", "identity", "zero"]))
def test_lengths_weigh_splines_and_base_functions_on_grids_wider_than_a_bend_of_silu(
    seed, factor, base
):
    network, x, rng = drawn_case(seed, share=0.0, base=base, silent=0.4)
    layers = [
        replace(
            layer,
            knots=factor * layer.knots,
            w_base=layer.w_base * (rng.random(layer.w_base.shape) < 0.6),
            w_spline=layer.w_spline * 10.0 ** rng.uniform(-2, 2, layer.w_spline.shape),
        )
        for layer in network.layers
    ]

    assert_lengths_by_definition(kr.Network(layers), factor * x)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_lengths_at_the_ends_of_the_knots_and_one_interval_beyond_them_are_the_defined_ones(degree):
    """Evenly spaced integers: the distances to the ends and to the next knots are exact."""
    row = 4.0 * np.arange(2 * degree + 4)[None]
    coef = np.random.default_rng(degree).normal(size=(1, 1, 3 + degree))
    layer = kr.Layer(row, coef, [[1.0]], [[3.0]], [[1.0]], degree, "silu")
    last = row[0, -1]
    near = [0.0, 1e-3, 0.03, 0.05, 0.3, 2.0, 4.0]
    x = np.array([-8.0, -4.1, -4.0, -3.9, -0.5, *near, *(last - n for n in near), last + 4.0])

    assert_lengths_by_definition(kr.Network((layer,)), x[:, None])


def test_a_symbolic_edge_whose_argument_is_constant_bends_nowhere():
    network, x, _ = drawn_case(0, widths=(1, 1), share=0.0, dead=0.0)
    (layer,) = network.layers
    edge = SymbolicEdge(0, 0, LIBRARY["sin"], 0)
    constant = kr.Layer(
        layer.knots, layer.coef, *[[[0.0]]] * 3, layer.degree, layer.base, [edge], [[0, 1, 1, 0]]
    )
    masked = kr.Layer(layer.knots, layer.coef, *[[[0.0]]] * 3, layer.degree, layer.base)

    by_network = [scales_of(kr.Network((one,)), x).lengths[0] for one in (constant, masked)]

    np.testing.assert_array_equal(*by_network)


def test_a_symbolic_edge_counts_where_the_slope_of_its_argument_is_one():
    knots = kr.uniform_knots(0.0, 100.0, 2, 3)
    edge = SymbolicEdge(0, 0, LIBRARY["sin"], 0)
    layer = kr.Layer(
        knots, np.zeros((1, 1, 5)), *[[[0.0]]] * 3, 3, "zero", [edge], [[1.0, 0.5, 1.0, 0.0]]
    )

    assert_lengths_by_definition(kr.Network((layer,)), np.linspace(1.0, 99.0, 20)[:, None])


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((0.25, 0.0, 1.0), 0.5),
        ((0.0, 0.25, 0.5), 0.5),
        ((0.25, 0.75, 1.0), 0.75),
        ((0.0, 0.0, 1.0), np.inf),
        ((1.0, 1.0, 0.0), np.inf),
        ((4.0, 0.0, 0.25), 4.0),
    ],
)
def test_a_bending_length_needs_a_third_derivative_and_one_of_the_others(sizes, expected):
    assert gradient_steps._length(*np.array(sizes)[:, None]).tolist() == [expected]


def test_the_bending_length_of_a_straight_line_is_infinite_and_of_a_sine_at_most_one():
    ones, none = np.ones(3), np.zeros(3)

    lengths = gradient_steps._length(ones, none, none)
    np.testing.assert_array_equal(lengths, np.inf)
    u = np.linspace(-3.0, 3.0, 50)
    inner = gradient_steps._inner_length(SymbolicEdge(0, 0, LIBRARY["sin"], 0), u)
    assert (inner >= 1.0).all()  # sqrt(|cos| / |cos|) where the sine is small
    assert (inner <= np.maximum(1.0, np.abs(u))).all()


# --- sizes, errors and units


def absolute_terms(layer, x):
    """Sums of absolute terms of every output and sample, for rounding errors."""
    sizes = layer_edges(layer, x, of=abs).sum(axis=2)
    for edge in layer.symbolic:
        a, b, c, d = layer.affine[edge.row]
        for n, v in enumerate(x[:, edge.input]):
            u = np.array([a * v + b])
            f, slope = edge.function.f(u).item(), edge.function.d1(u).item()
            terms = (c * slope * v * a, c * slope * b, f * c, d)
            sizes[n, edge.output] += sum(abs(term) for term in terms)
    return sizes


def absolute_slopes(layer, x):
    slopes = np.abs(layer_edges(layer, x, slope_terms))
    for edge in layer.symbolic:
        a, b, c, _ = layer.affine[edge.row]
        u = a * x[:, edge.input] + b
        slopes[:, edge.output, edge.input] = np.abs(c * a * edge.function.d1(u))
    return slopes


@given(seeds)
def test_rounding_errors_grow_by_eps_of_the_terms_and_by_the_slopes_of_the_edges(seed):
    network, x, _ = drawn_case(seed)

    scales = scales_of(network, x)

    error = np.zeros_like(x)
    np.testing.assert_array_equal(scales.errors[0], error)
    np.testing.assert_array_equal(scales.flow[0], x)
    np.testing.assert_array_equal(scales.flow[-1], network(x))
    for layer, at, errors in zip(network.layers, scales.flow, scales.errors[1:], strict=False):
        carried = (absolute_slopes(layer, at) * error[:, None, :]).sum(axis=2)
        error = EPS * absolute_terms(layer, at) + TINY + carried
        np.testing.assert_allclose(errors, error, rtol=1e-9)
    np.testing.assert_allclose(
        scales.units,
        gradient_steps._output_units(absolute_terms(network.layers[-1], scales.flow[-2])),
        rtol=1e-9,
    )


def test_a_unit_of_an_output_is_its_size_or_a_typical_one_of_the_batch():
    sizes = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [9.0, 5.0, 0.0]])

    units = gradient_steps._output_units(sizes)

    # medians 2 and 0; where the median is 0 the largest counts, and where all are 0 other outputs
    np.testing.assert_array_equal(units, [[2.0, 5.0, 5.0], [2.0, 5.0, 5.0], [9.0, 5.0, 5.0]])
    np.testing.assert_array_equal(gradient_steps._output_units(0.0 * sizes), np.ones((3, 3)))
    assert 0.0 < gradient_steps._output_units(1e-300 * sizes).min() <= 1e-200


@pytest.mark.parametrize("power", [-200.0, -3.0, 5.0, 200.0])
def test_units_of_outputs_scale_with_the_outputs(power):
    sizes = np.random.default_rng(0).exponential(size=(5, 3)) * [1.0, 0.0, 1.0]

    units = gradient_steps._output_units(10.0**power * sizes)

    np.testing.assert_allclose(units, 10.0**power * gradient_steps._output_units(sizes), rtol=1e-12)


# --- directions


@pytest.mark.parametrize("number", [0, 1])
@given(seeds, st.sampled_from([SINGLE, TOGETHER]))
def test_every_parameter_moves_its_node_by_one_unit_or_less_where_its_effect_is_small(
    number, seed, least
):
    network, x, rng = drawn_case(seed, share=0.0)
    scales, caches = scales_of(network, x), kr.forward(network, x)[1]
    layer, at = network.layers[number], scales.flow[number]
    # the unit of an output is the one above which a tenth of the samples lies
    ranked = np.sort(scales.units, axis=0)
    units = [np.median(scales.lengths[1], axis=0), ranked[int(0.9 * (len(x) - 1))]][number]
    values, splines = np.zeros(layer.mask.shape), np.zeros(layer.mask.shape)
    for j, i in np.ndindex(*layer.mask.shape):
        alone = kr.Layer(
            layer.knots[i : i + 1],
            layer.coef[j : j + 1, i : i + 1],
            *[[[1.0]]] * 3,
            layer.degree,
            layer.base,
        )
        terms = [edge_terms(alone, 0, 0, v) for v in at[:, i].tolist()]
        values[j, i] = max(abs(own[0]) for own in terms)
        splines[j, i] = max(abs(sum(own[1:])) for own in terms)
    effects = {
        "coef": np.broadcast_to(np.abs(layer.w_spline)[:, :, None], layer.coef.shape),
        "w_base": values,
        "w_spline": splines,
    }
    for name in BLOCKS:
        drawn = rng.normal(size=getattr(layer, name).shape)
        direction = gradient_steps.parameter_direction(
            scales, layer, number, name, caches[number], drawn, least
        )
        effect = np.maximum(effects[name], least * effects[name].max(axis=1, keepdims=True))
        effect = np.where(effect > 0.0, effect, 1.0)
        unit = units.reshape(-1, *[1] * (drawn.ndim - 1))
        # a number of the last layer moves by a thousandth of its own at least
        own = 1e-3 * np.abs(getattr(layer, name)) * effect if number == 1 else 0.0
        np.testing.assert_allclose(direction * effect, drawn * np.maximum(unit, own), rtol=1e-9)


@given(symbolic_cases())
def test_units_of_symbolic_parameters_are_the_smallest_of_the_edges_that_share_them(drawn):
    network, x, rng = drawn
    scales, caches = scales_of(network, x), kr.forward(network, x)[1]
    for number, layer in enumerate(network.layers):
        at, expected = scales.flow[number], np.full(layer.affine.shape, np.inf)
        for edge in layer.symbolic:
            a, b, c, d = layer.affine[edge.row]
            u = a * at[:, edge.input] + b
            bends = min([1.0, *(inner_length(edge.function, v) for v in u.tolist())])
            far = np.abs(at[:, edge.input]).max()
            size = abs(c) * np.abs(edge.function.f(u)).max() + abs(d)
            own = [bends / far if far > 0.0 else 1.0, bends, abs(c) or 1.0, size or 1.0]
            expected[edge.row] = np.minimum(expected[edge.row], own)
        random = rng.normal(size=layer.affine.shape)
        direction = gradient_steps.parameter_direction(
            scales, layer, number, "affine", caches[number], random, SINGLE
        )
        np.testing.assert_allclose(direction, random * expected, rtol=1e-9)


def test_units_of_symbolic_parameters_are_one_where_input_c_and_output_are_zero():
    edge = SymbolicEdge(0, 0, LIBRARY["x"], 0)
    row = np.arange(5.0)[None]
    layer = kr.Layer(row, np.zeros((1, 1, 3)), *[[[0.0]]] * 3, 1, "zero", [edge], [[1, 0, 0, 0]])
    network, x = kr.Network((layer,)), np.zeros((3, 1))

    units = gradient_steps._affine_units(network.layers[0], x)

    np.testing.assert_array_equal(units, np.ones((1, 4)))


@given(seeds)
def test_inputs_move_in_units_of_their_own_lengths(seed):
    network, x, _ = drawn_case(seed, widths=(2, 2))
    scales = scales_of(network, x)

    direction = gradient_steps.input_direction(scales, np.random.default_rng(seed))

    normal = np.random.default_rng(seed).standard_normal(x.shape)
    np.testing.assert_array_equal(direction, normal * scales.lengths[0])


@given(seeds, st.sampled_from([1e-5, 0.5]))
def test_the_pace_is_the_largest_change_in_units_of_a_step(seed, step):
    network, x, rng = drawn_case(seed, widths=(2, 3, 2, 2))
    scales = scales_of(network, x)
    units = [np.ones_like(x), *scales.lengths[1:], scales.units]
    changes = [rng.normal(size=array.shape) for array in scales.flow]
    moved = [
        at + step * change * unit
        for at, change, unit in zip(scales.flow, changes, units, strict=True)
    ]

    hidden, outputs = gradient_steps.pace(scales, moved, step)

    expected = np.maximum(*(np.abs(change).max(axis=1) for change in changes[1:-1]))
    np.testing.assert_allclose(hidden, expected, rtol=1e-6)
    assert outputs == pytest.approx(np.abs(changes[-1]).max(), rel=1e-6)


def test_without_hidden_nodes_only_outputs_have_a_pace():
    network, x, _ = drawn_case(0, widths=(2, 2))
    scales = scales_of(network, x)

    hidden, outputs = gradient_steps.pace(scales, [x + 1.0, scales.flow[-1]], 1e-5)

    np.testing.assert_array_equal(hidden, np.zeros(len(x)))
    assert outputs == 0.0


@given(seeds)
def test_activations_are_the_inputs_of_all_layers_and_the_outputs(seed):
    network, x, _ = drawn_case(seed)

    found = gradient_steps.activations(network, network.theta, x)

    for own, expected in zip(found, [x, *network.flow(network.prepare(x))], strict=True):
        np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 4)])
@given(seeds)
def test_directions_are_limited_to_the_values_of_their_edge_or_of_their_output(shape, seed):
    rng = np.random.default_rng(seed)
    direction, values = rng.normal(size=shape), 10.0 ** rng.uniform(-3, 3) * rng.normal(size=shape)
    values[0, 0], values[1] = 0.0, 0.0
    by_edge, of_edge = direction.reshape(3, 2, -1), np.abs(values.reshape(3, 2, -1)).max(axis=2)

    limited = gradient_steps.limit_to_values(direction.reshape(-1), values).reshape(3, 2, -1)

    for j, i in np.ndindex(3, 2):
        largest = of_edge[j, i] or of_edge[j].max()
        longest = np.abs(by_edge[j, i]).max()
        share = min(1.0, largest / longest) if largest > 0.0 else 1.0
        np.testing.assert_allclose(limited[j, i], share * by_edge[j, i], rtol=1e-12)


def test_a_direction_that_is_zero_stays_zero():
    np.testing.assert_array_equal(
        gradient_steps.limit_to_values(np.zeros(4), np.ones((2, 2))), np.zeros(4)
    )


# --- kinks


def crosses(layer, i, low, high):
    """Whether a knot at which a curve of input i lacks a second derivative lies in [low, high]."""
    row = layer.knots[i].tolist()
    return any(low <= knot <= high and row.count(knot) > layer.degree - 2 for knot in row)


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("moving_end", ["before", "after", "both"])
@given(seeds, st.sampled_from([0.0, 0.1]), st.sampled_from(["uniform", "repeated"]))
def test_a_sample_is_clear_unless_a_moving_activation_meets_a_kink(
    degree, moving_end, seed, error, kind
):
    """Activations are at knots or between them, and known up to 20 rounding errors, here large ones."""
    rng = np.random.default_rng(seed)
    sizes = {"widths": (2, 2, 1), "degrees": [degree], "kind": kind, "dead": 0.0}
    network = random_network(rng, **sizes)
    x = random_batch(rng, network.layers[0], 12, at_knots=True)
    scales = scales_of(network, x)
    scales = replace(scales, errors=[error / 20.0 * rng.random(at.shape) for at in scales.flow])
    steps = {"before": (1.0, 0.0), "after": (0.0, 1.0), "both": (1.0, 1.0)}[moving_end]
    moves = [0.2 * rng.random(at.shape) * (rng.random(at.shape) < 0.7) for at in scales.flow]
    before, after = (
        [at + sign * step * move for at, move in zip(scales.flow, moves, strict=True)]
        for sign, step in zip((-1.0, 1.0), steps, strict=True)
    )

    clear = gradient_kinks.clear_of_kinks(network, before, scales, after)

    for n, found in enumerate(clear.tolist()):
        met = False
        for number, layer in enumerate(network.layers):
            for i in range(layer.n_in):
                three = [float(flow[number][n, i]) for flow in (before, scales.flow, after)]
                reach = 20.0 * scales.errors[number][n, i]
                if len(set(three)) > 1:
                    met |= crosses(layer, i, min(three) - reach, max(three) + reach)
        assert found == (not met)


# --- digits


@pytest.mark.parametrize(("difference", "scale"), [(np.nan, 1.0), (np.inf, 1.0), (0.0, 0.0)])
def test_outputs_beyond_the_range_of_float64_cannot_be_checked(difference, scale):
    with pytest.raises(ValueError, match=r"theta cannot be checked: .* the outputs change by"):
        gradient_digits.check_digits("theta", difference, scale)
    gradient_digits.check_digits("theta", 1e-3, 1.0)


# --- grids and outputs of any size


KINKS = "cross a kink"
HIDDEN = "the rounding error of differences hides"
powers = st.floats(-6.0, 6.0)
output_powers = st.floats(-12.0, 12.0)


def accepted(network, x, rng):
    """Whether something could be checked; the checker raises if it finds an error."""
    try:
        report = kr.check_gradients(network, x, rng=rng, n_directions=1)
    except ValueError as error:
        if KINKS in str(error) or HIDDEN in str(error):
            return False
        raise
    assert report.worst <= 1e-7
    return True


@hypothesis.example(seed=42055)  # silu underflows at all samples
@hypothesis.example(seed=141888)
@given(seeds)
def test_right_gradients_are_accepted_on_grids_and_outputs_of_any_size(seed):
    """Three networks a seed: each input and hidden node has a unit of its own from 1e-6 to 1e6, each output from 1e-12 to 1e12."""
    counted = 0
    for number in range(3):
        rng = np.random.default_rng([seed, number])
        network = random_network(rng)
        x = random_batch(rng, network.layers[0], int(rng.integers(2, 12)), at_knots=number == 0)
        counted += accepted(*rescaled(rng, network, x), rng)

    assert counted >= 1


@given(
    seeds,
    st.sampled_from(["silu", "identity", "zero"]),
    st.integers(0, 5),
    powers,
    st.sampled_from([(-1.0, 1.0), (0.0, 1.0), (100.0, 110.0), (-1010.0, -1000.0)]),
    output_powers,
)
def test_right_gradients_of_new_networks_are_accepted_on_any_domain(
    seed, base, degree, power, ends, output_power
):
    rng = np.random.default_rng(seed)
    domain = tuple(10.0**power * end for end in ends)
    network = kr.init_network(
        (2, 3, 2), n_intervals=4, degree=degree, domain=domain, base=base, rng=rng
    )
    network = network.with_theta(10.0**output_power * network.theta)
    x = rng.uniform(*domain, (20, 2))

    assert accepted(network, x, rng)


def test_a_base_function_that_underflows_moves_nothing_and_is_accepted():
    """silu(-740) is about 1e-319: a step of its weight that moves the output would lie beyond float64."""
    rng = np.random.default_rng(0)
    network = kr.init_network((1, 2), n_intervals=3, degree=3, domain=(-741.0, -730.0), rng=rng)
    x = rng.uniform(-740.0, -735.0, (5, 1))

    assert 0.0 < np.abs(kr.forward(network, x)[1][0].base).max() < 1e-300
    assert accepted(network, x, rng)


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1e2, 1e6])
def test_right_gradients_of_symbolic_edges_are_accepted_in_any_unit(scale):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        network = with_formulas(rng, random_network(rng, widths=(2, 2, 1), degrees=[3]))
        first, *others = network.layers
        affine = first.affine * [1.0 / scale, 1.0, 1.0, 1.0]
        unit = kr.Layer(
            first.knots * scale,
            first.coef,
            first.w_base / scale,
            first.w_spline,
            first.mask,
            3,
            first.base,
            first.symbolic,
            affine,
        )
        x = scale * random_batch(rng, network.layers[0], 8)

        assert accepted(kr.Network((unit, *others)), x, rng)


@hypothesis.example(seed=1979578, fault="mask missing in d_coef")  # in rows of small w_spline
@given(seeds, st.sampled_from(sorted(FAULTS)))
def test_every_injected_bug_is_found_on_grids_and_outputs_of_any_size(seed, fault):
    network, x, _ = example(seed)
    rng = np.random.default_rng(seed)
    network, x = rescaled(rng, network, x, shifted=False)
    _, faults = FAULTS[fault]

    with pytest.raises(ValueError, match=" is wrong: along a random direction"):
        kr.check_gradients(network, x, rng=rng, backward=backward_with(**faults))


@for_all("scale", [1e-6, 1.0, 1e6])
@for_all("block", ["coef", "w_base", "w_spline"])
def test_a_bug_in_a_block_that_is_zero_is_found(block, scale):
    """The block starts at 0, so that its typical size says nothing about the step."""
    rng = np.random.default_rng(0)
    domain = (-scale, scale)
    network = kr.init_network((2, 3, 1), n_intervals=4, degree=3, domain=domain, rng=rng)
    arrays = {name: getattr(network.layers[0], name) for name in ("coef", "w_base", "w_spline")}
    arrays[block] = np.zeros_like(arrays[block])
    first = kr.Layer(
        network.layers[0].knots, **arrays, mask=network.layers[0].mask, degree=3, base="silu"
    )
    network = kr.Network((first, *network.layers[1:]))
    x = rng.uniform(*domain, (9, 2))
    start = {"coef": 0, "w_base": first.coef.size, "w_spline": first.coef.size + 6}[block]

    def wrong(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        theta[start : start + first.w_base.size] *= 1.01
        return dx, grads.with_theta(theta)

    assert accepted(network, x, rng)
    with pytest.raises(ValueError, match=re.escape(f"d_{block} of layer 0 is wrong")):
        kr.check_gradients(network, x, rng=rng, backward=wrong)


@given(seeds, st.integers(0, 2), st.floats(-1.0, 1.0), powers)
def test_samples_beside_a_knot_at_which_a_derivative_jumps_give_no_false_alarm(
    seed, degree, distance, power
):
    """The other samples count, in either unit; the distance is up to twice the step."""
    rng, scale = np.random.default_rng(seed), 10.0**power
    network = kr.init_network(
        (1, 2, 1), n_intervals=4, degree=degree, domain=(-scale, scale), rng=rng
    )
    near = scale * (np.array([-0.5, 0.0, 0.5]) + 1e-5 * distance)
    x = np.concatenate([near, scale * np.array([-0.77, 0.13, 0.61])])[:, None]

    assert accepted(network, x, rng)


# --- products that underflow


def scaled_blocks(**powers):
    """A network of sizes (2, 2, 1) whose arrays of a layer, such as coef_0, are multiplied by powers of 10; inputs."""
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    theta = [
        10.0 ** powers.get(f"{name}_{number}", 0.0) * getattr(layer, name).ravel()
        for number, layer in enumerate(network.layers)
        for name in ("coef", "w_base", "w_spline")
    ]
    return network.with_theta(np.concatenate(theta)), rng.uniform(-1.0, 1.0, (12, 2))


def small(power):
    return {f"{name}_{n}": power for name in ("coef", "w_base", "w_spline") for n in (0, 1)}


@for_all("power", [-162.0, -200.0, -250.0, -280.0])
def test_a_gradient_that_underflows_cannot_be_checked_and_is_not_wrong(power):
    """d_coef of layer 0 is a product of two parameters; its direction is so long that the outputs change by more than rounding."""
    network, x = scaled_blocks(**small(power))

    with pytest.raises(
        ValueError,
        match=r"^d_coef of layer 0 cannot be checked: along a random direction backward gives .*, a central difference "
        r".*e-\d+, but products leave the range .* \(2\.2e-308 to 1\.8e308\): scale x, y and the parameters to size one$",
    ):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), n_directions=1)


def wrong_last_input(network, caches, dy):
    """A backward pass whose derivative with respect to the last input is 1.5 times too large."""
    dx, grads = kr.backward(network, caches, dy)
    return np.column_stack([dx[:, :-1], 1.5 * dx[:, -1]]), grads


@for_all("scale", [1e-100, 1e-110, 1e-120, 1e-150, 1e-250, 1e150])
@for_all("first", [1.0, None])
@for_all("size", [1.0, 1e8])
def test_a_wrong_dx_is_found_in_any_unit_of_the_inputs(scale, first, size):
    """Third derivatives of splines, of size 1 / scale^3, overflowed, and steps of length 0 found nothing."""
    rng, scales = np.random.default_rng(0), np.array([first or scale, scale])
    network = kr.init_network(
        (2, 1), n_intervals=5, degree=3, domain=np.c_[-scales, scales], base="zero", rng=rng
    )
    network, x = network.with_theta(size * network.theta), rng.uniform(-1.0, 1.0, (20, 2)) * scales

    assert kr.check_gradients(network, x, rng=rng).unchecked == ()
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong_last_input)


@for_all(("name", "scale"), [("1/x", 1e-80), ("1/x", 1e-110), ("1/x^5", 1e-40)])
def test_a_wrong_dx_of_a_function_whose_third_derivative_overflows_is_found(name, scale):
    rng = np.random.default_rng(0)
    network = formula_network([(0, 0, name, (1.0, 0.0, 1.0, 0.0))], widths=(1, 1))
    x = rng.uniform(0.998, 1.0, (20, 1)) * scale

    kr.check_gradients(network, x, rng=rng)
    with pytest.raises(ValueError, match="dx is wrong"):
        kr.check_gradients(network, x, rng=rng, backward=wrong_last_input)


def test_dx_is_not_checked_where_the_step_of_one_input_is_lost_in_rounding():
    rng = np.random.default_rng(0)
    domain = [(0.0, 1.0), (1e10, 1e10 + 1e-3)]
    network = kr.init_network((2, 1), n_intervals=5, degree=3, domain=domain, base="zero", rng=rng)
    x = rng.uniform(*np.transpose(domain), (20, 2))

    report = kr.check_gradients(network, x, rng=rng, backward=wrong_last_input)

    assert report.unchecked == ("dx",)


@for_all("power", [-20.0, -100.0, -150.0])
def test_small_parameters_whose_products_keep_their_digits_are_checked(power):
    network, x = scaled_blocks(**small(power))

    assert accepted(network, x, np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), backward=with_offset(1.01))


@for_all("power", [-160.0, -200.0])
def test_a_jacobian_that_underflows_cannot_be_checked_where_backward_from_large_gradients_does_not(
    power,
):
    """Backward starts from u of size 10^-power, the rows of the Jacobian from 1."""
    network, x = scaled_blocks(
        w_spline_0=power, coef_0=-power, coef_1=power, w_base_1=power, w_spline_1=power
    )

    with pytest.raises(ValueError, match=r"^jacobian cannot be checked: .*, but products leave"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1), n_directions=1)
    accept = kr.check_gradients(network, x, rng=np.random.default_rng(1), backward=kr.backward)
    assert accept.worst <= 1e-7


def with_offset(factor, offset=0.0):
    """A backward pass whose gradient with respect to the first coefficients is multiplied, and moved by a number without u."""

    def backward(network, caches, dy):
        dx, grads = kr.backward(network, caches, dy)
        theta = grads.theta.copy()
        first = network.layers[0].coef.size
        theta[:first] = factor * theta[:first] + offset
        return dx, grads.with_theta(theta)

    return backward


def test_a_backward_pass_that_is_not_linear_is_wrong_and_not_excused_by_underflow():
    """An added number is lost beside large upstream gradients, as an underflow is; the package's own pass tells them apart."""
    network, x = scaled_blocks()

    with pytest.raises(ValueError, match=r"^d_coef of layer 0 is wrong"):
        kr.check_gradients(
            network, x, rng=np.random.default_rng(1), backward=with_offset(1.0, 1e-3)
        )


def test_a_wrong_jacobian_of_small_outputs_is_wrong(monkeypatch):
    network, x = scaled_blocks(w_base_1=-100.0, coef_1=-100.0)
    right = gradient_check.multiply
    monkeypatch.setattr(gradient_check, "multiply", lambda rows, v: 1.01 * right(rows, v))

    with pytest.raises(ValueError, match=r"^jacobian is wrong"):
        kr.check_gradients(network, x, rng=np.random.default_rng(1))


NEAR, FAR = (-64, 0, 64), (250, 500, 1000)


def keeps(monkeypatch, tolerance=0.25, rounding=0.0, **changed):
    """The answer for terms (3, -1) at all powers of 2, but those that are `changed`, as far_250."""
    terms = {power: [3.0, -1.0] for power in (*NEAR, *FAR)}
    names = {f"near_{n}": power for n, power in enumerate(NEAR)}
    names |= {f"far_{power}": power for power in FAR}
    terms |= {names[name]: value for name, value in changed.items()}
    monkeypatch.setattr(
        gradient_digits, "_terms", lambda *arguments: np.array(terms[arguments[-1]])
    )
    return gradient_digits.keeps_digits(None, None, None, None, tolerance, rounding)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, True),
        ({"far_250": [4.0, -1.0]}, True),  # as far apart as 0.25 (3 + 1) allows
        ({"far_250": [4.01, -1.0]}, False),
        ({"far_1000": [4.01, -1.0]}, False),
        ({"near_0": [0.0, 0.0]}, False),
        ({"near_1": [0.0, 0.0]}, False),
        ({"near_2": [0.0, 0.0]}, False),
        ({"far_500": [np.inf, -1.0], "far_1000": [np.nan, np.inf]}, True),  # they have overflowed
        # the scale is that of the largest terms, 40 here, although one power has terms of 4
        ({"near_1": [21.0, -19.0], "far_250": [12.0, -1.0]}, True),
        ({"near_1": [21.0, -19.0], "far_250": [13.1, -1.0]}, False),
        ({"near_2": [np.inf, -1.0]}, False),
        ({"near_0": [np.nan, -1.0]}, False),
        ({"rounding": 0.5, "far_250": [4.5, -1.0]}, True),
        ({"rounding": 0.5, "far_250": [4.6, -1.0]}, False),
    ],
)
def test_digits_are_kept_where_the_sum_is_the_same_at_all_sizes(terms, expected, monkeypatch):
    assert keeps(monkeypatch, **terms) == expected


def test_terms_may_be_as_small_as_the_least_scale_and_differences_must_be_finite():
    gradient_digits.check_digits("dx", 1e-300, 1e-290)
    for difference, scale in ((1e-300, np.nextafter(1e-290, 0.0)), (np.inf, 1.0), (np.nan, 1.0)):
        with pytest.raises(ValueError, match=r"^dx cannot be checked: .* the outputs change by"):
            gradient_digits.check_digits("dx", difference, scale)


def test_terms_are_those_of_backward_whatever_the_power():
    """Powers of 2 change nothing where products keep their digits; numbers of v that are 0 are left out."""
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 3, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    x, u = rng.uniform(-1.0, 1.0, (5, 2)), rng.normal(size=(5, 2))
    _, caches = kr.forward(network, x)
    dx, grads = kr.backward(network, caches, u)
    v = rng.normal(size=x.size + network.n_params)
    v[::3] = 0.0
    expected = (np.concatenate([dx.ravel(), grads.theta]) * v)[v != 0.0]

    for power in (-64, 0, 500):
        found = gradient_digits._terms(network, caches, u, v, power)
        np.testing.assert_array_equal(found, expected)
