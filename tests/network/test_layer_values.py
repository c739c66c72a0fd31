"""What a layer computes: the paper's sum of curves, on the grid, where the splines decay to zero, and beyond.

The worked example is one edge by hand: degree 1, every number small and exact, so that all results are compared bit by bit.

    phi(x) = w_base b(x) + w_spline (c_0 B_0(x) + c_1 B_1(x) + c_2 B_2(x))

on the grid [0, 2] with two intervals. Degree 1 puts one knot on each side: -1 0 1 2 3. The B-splines are hats with their
tops at 0, 1 and 2:

    B_0: 1 - x on [0, 1]          B_1: x on [0, 1], 2 - x on [1, 2]          B_2: x - 1 on [1, 2], 3 - x on [2, 3]

b is the identity, coef = (4, -2, 6), w_base = 2, w_spline = 1/2.
"""

import dataclasses

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import WAYS, contraction_by, layer_cases, random_batch, random_layer
from oracles_layer import layer_edges, layer_values, slope_terms

import kan_ref as kr
from kan_ref.bspline.knots import uniform_knots
from kan_ref.network import layer as edges
from kan_ref.network.layer import Layer

ways = st.sampled_from(WAYS)


def values(layer, x):
    return edges.layer_forward(layer, np.asarray(x, dtype=float))[0]


def worst_size(layer, x):
    """The largest sum of absolute terms of any output: what rounding errors are held against."""
    return layer_values(layer, x, of=abs).max(initial=0.0)


# --- against the definition


@given(layer_cases(), ways)
def test_outputs_are_the_sums_of_the_paper(case, way):
    layer, x, _ = case

    with contraction_by(way):
        y = values(layer, x)

    np.testing.assert_allclose(y, layer_values(layer, x), rtol=0, atol=2e-14 * worst_size(layer, x))


@given(layer_cases())
def test_every_edge_is_the_curve_of_the_paper(case):
    layer, x, _ = case

    curves = edges.layer_edge_outputs(layer, edges.evaluate(layer, x))

    np.testing.assert_allclose(
        curves, layer_edges(layer, x), rtol=0, atol=2e-14 * worst_size(layer, x)
    )


@given(layer_cases())
def test_every_edge_slope_is_the_derivative_of_the_piece_that_owns_the_point(case):
    layer, x, _ = case

    slopes = edges.edge_slopes(layer, edges.evaluate(layer, x))

    size = layer_edges(layer, x, slope_terms, of=abs).max(initial=0.0)
    np.testing.assert_allclose(
        slopes, layer_edges(layer, x, slope_terms), rtol=0, atol=1e-13 * size
    )


@given(layer_cases())
def test_outputs_are_the_sums_of_the_edges_that_end_there(case):
    layer, x, _ = case

    y, cache = edges.layer_forward(layer, x)

    np.testing.assert_allclose(
        y,
        edges.layer_edge_outputs(layer, cache).sum(axis=2),
        rtol=0,
        atol=1e-14 * worst_size(layer, x),
    )


@given(layer_cases())
def test_dense_and_gathered_layers_agree_to_rounding(case):
    layer, x, _ = case

    outputs = []
    for way in WAYS:
        with contraction_by(way):
            outputs.append(values(layer, x))

    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-14 * worst_size(layer, x))


@given(layer_cases(), ways)
def test_without_slopes_the_outputs_are_the_same_bits(case, way):
    layer, x, _ = case

    with contraction_by(way):
        cache = edges.evaluate(layer, x, slopes=False)
        np.testing.assert_array_equal(edges.layer_outputs(layer, cache), values(layer, x))

    assert cache.base_slope is None
    assert len(cache.bases.active.planes) == 1


# --- laws


@given(layer_cases(n_samples=st.just(2)))
def test_a_layer_is_a_sum_of_functions_of_one_input_each(case):
    """f(a, b) - f(a', b) does not depend on b: the mixed difference of any two inputs vanishes."""
    layer, (one, other), _ = case
    first_swapped, rest_swapped = one.copy(), other.copy()
    first_swapped[0], rest_swapped[0] = other[0], one[0]
    corners = np.array([one, first_swapped, rest_swapped, other])

    y = values(layer, corners)

    np.testing.assert_allclose(
        y[0] - y[1] - y[2] + y[3], np.zeros(layer.n_out), atol=1e-13 * worst_size(layer, corners)
    )


@given(layer_cases(), ways)
def test_each_sample_is_computed_as_if_alone_to_rounding(case, way):
    """Not to the bit: BLAS adds up in another order for one row than for many."""
    layer, x, _ = case

    with contraction_by(way):
        alone = np.concatenate([values(layer, x[b : b + 1]) for b in range(len(x))])
        np.testing.assert_allclose(
            values(layer, x), alone, rtol=0, atol=1e-14 * worst_size(layer, x)
        )


@given(layer_cases(), ways)
def test_repeating_and_reordering_samples_repeats_and_reorders_outputs(case, way):
    layer, x, rng = case
    order = rng.integers(len(x), size=7)

    with contraction_by(way):
        np.testing.assert_allclose(
            values(layer, x[order]),
            values(layer, x)[order],
            rtol=0,
            atol=1e-14 * worst_size(layer, x),
        )


@for_all("degree", range(8))
def test_equal_coefficients_make_a_constant_on_the_grid_so_no_bias_is_needed(degree):
    rows = uniform_knots([-1.0, 2.0], [1.0, 5.0], n_intervals=4, degree=degree)
    layer = Layer(
        rows,
        np.full((3, 2, 4 + degree), 0.75),
        np.zeros((3, 2)),
        np.ones((3, 2)),
        np.ones((3, 2)),
        degree,
    )

    y = values(layer, np.random.default_rng(degree).uniform([-1.0, 2.0], [1.0, 5.0], (20, 2)))

    np.testing.assert_allclose(y, np.full((20, 3), 2 * 0.75), rtol=0, atol=3e-15)


@given(layer_cases(), ways)
def test_a_power_of_two_moves_between_coef_and_w_spline_without_a_trace(case, way):
    layer, x, _ = case
    moved = dataclasses.replace(layer, coef=layer.coef * 8.0, w_spline=layer.w_spline / 8.0)

    with contraction_by(way):
        np.testing.assert_array_equal(values(moved, x), values(layer, x))


@given(layer_cases(), ways)
def test_dead_edges_are_exactly_zero_whatever_their_numbers(case, way):
    layer, x, _ = case
    noisy = dataclasses.replace(
        layer, coef=np.where(layer.mask[:, :, None] == 0, 1e200, layer.coef)
    )

    with contraction_by(way):
        np.testing.assert_array_equal(values(noisy, x), values(layer, x))
        curves = edges.layer_edge_outputs(noisy, edges.evaluate(noisy, x))

    assert (curves[:, layer.mask == 0] == 0.0).all()


@given(layer_cases(), ways)
def test_splines_of_weight_zero_leave_the_base_alone(case, way):
    layer, x, _ = case
    silent = dataclasses.replace(layer, w_spline=np.zeros(layer.w_spline.shape))

    with contraction_by(way):
        y, cache = edges.layer_forward(silent, x)

    np.testing.assert_array_equal(y, cache.base @ layer.base_matrix.T)


# --- outside, and at degree 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", ["silu", "identity", "zero"])
def test_far_outside_only_the_base_survives(base, way):
    layer = random_layer(
        np.random.default_rng(5), 2, 3, degree=3, n_intervals=4, base=base, dead=0.0
    )
    x = np.array([[1e300, 1e300], [-1e300, -1e300], [1e300, -1e300]])
    survives = {"silu": np.maximum(x, 0.0), "identity": x, "zero": np.zeros((3, 2))}[base]

    with contraction_by(way):
        y = values(layer, x)

    assert np.isfinite(y).all()
    np.testing.assert_allclose(y, survives @ layer.w_base.T, rtol=1e-15, atol=1e-14 * 1e300)


@given(layer_cases(), ways)
def test_beyond_a_knot_row_nothing_is_left_of_the_spline(case, way):
    layer, _, rng = case
    beyond = np.array(
        [
            layer.knots[:, 0] - 10.0 ** rng.uniform(-12, 12),
            layer.knots[:, -1] + 10.0 ** rng.uniform(-12, 12),
        ]
    )

    with contraction_by(way):
        y, cache = edges.layer_forward(layer, beyond)

    np.testing.assert_array_equal(y, cache.base @ layer.base_matrix.T)


@given(layer_cases(degrees=st.just(0)))
def test_at_degree_0_a_spline_is_the_coefficient_of_its_interval(case):
    layer, x, _ = case
    bare = dataclasses.replace(layer, base="zero")

    y = values(bare, x)

    expected = np.zeros(y.shape)
    for i, row in enumerate(layer.knots):
        inside = (x[:, i] >= row[0]) & (x[:, i] <= row[-1])
        filled = np.flatnonzero(np.diff(row) > 0)
        cell = np.clip(np.searchsorted(row, x[:, i], side="right") - 1, filled[0], filled[-1])
        expected += np.where(
            inside[:, None], layer.spline_matrix.reshape(layer.coef.shape)[:, i, cell].T, 0.0
        )
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14 * worst_size(bare, x))


def test_an_empty_batch_gives_no_rows():
    layer = random_layer(np.random.default_rng(6), 2, 3, degree=3, n_intervals=4)

    y, cache = edges.layer_forward(layer, np.zeros((0, 2)))

    assert y.shape == (0, 3)
    assert edges.layer_edge_outputs(layer, cache).shape == (0, 3, 2)


# --- the record


ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")


def given_arrays(rng):
    knots = uniform_knots(-1.0, 1.0, 4, 2).repeat(2, axis=0)
    return {
        "knots": knots,
        "coef": rng.normal(size=(3, 2, 6)),
        "w_base": rng.normal(size=(3, 2)),
        "w_spline": rng.normal(size=(3, 2)),
        "mask": np.ones((3, 2)),
    }


@pytest.mark.parametrize("name", ARRAYS)
def test_changing_an_array_afterwards_changes_no_layer_made_of_it(name):
    arrays = given_arrays(np.random.default_rng(7))
    layer, x = Layer(**arrays, degree=2), np.random.default_rng(8).uniform(-1, 1, (5, 2))
    before, y = getattr(layer, name).copy(), values(layer, x)

    arrays[name] *= 0.5

    np.testing.assert_array_equal(getattr(layer, name), before)
    np.testing.assert_array_equal(values(layer, x), y)


@pytest.mark.parametrize("name", [*ARRAYS, "breakpoints"])
def test_writing_into_an_array_of_a_layer_is_refused(name):
    layer = Layer(**given_arrays(np.random.default_rng(9)), degree=2)

    with pytest.raises(ValueError, match="read-only"):
        getattr(layer, name)[0] = 0.0


@for_all(
    "name",
    [
        "knots",
        "padded",
        "starts",
        "low",
        "high",
        "bins_per_unit",
        "first_interval",
        "last_interval",
    ],
)
def test_writing_into_the_prepared_knot_rows_is_refused(name):
    layer = Layer(**given_arrays(np.random.default_rng(10)), degree=2)

    with pytest.raises(ValueError, match="read-only"):
        getattr(layer.rows, name)[0] = 0


@for_all("name", [*ARRAYS, "degree", "base", "rows", "n_in"])
def test_setting_a_field_of_a_layer_is_refused(name):
    layer = Layer(**given_arrays(np.random.default_rng(11)), degree=2)

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(layer, name, getattr(layer, name))


def test_a_layer_takes_lists_integers_and_float32_as_float64():
    layer = Layer(
        [[0, 1, 2, 3]],
        [[[1, 2]]],
        np.ones((1, 1), np.float32),
        [[2]],
        [[1]],
        np.int64(1),
        "identity",
    )

    assert all(getattr(layer, name).dtype == np.float64 for name in ARRAYS)
    assert type(layer.degree) is int
    np.testing.assert_array_equal(values(layer, [[1.5]]), [[1.5 + 2.0 * (0.5 * 1.0 + 0.5 * 2.0)]])


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_the_sizes_of_a_layer_follow_from_its_arrays(degree):
    layer = random_layer(np.random.default_rng(12), 2, 3, degree=degree, n_intervals=5)

    assert (layer.n_in, layer.n_out, layer.n_intervals, layer.n_basis) == (2, 3, 5, 5 + degree)
    np.testing.assert_array_equal(layer.breakpoints, layer.knots[:, degree : degree + 6])


def test_the_matrices_of_a_layer_are_masked_and_weighted():
    layer = random_layer(np.random.default_rng(13), 2, 3, degree=1, n_intervals=4, dead=0.4)

    for j in range(3):
        for i in range(2):
            assert layer.base_matrix[j, i] == layer.mask[j, i] * layer.w_base[j, i]
            for m in range(5):
                assert (
                    layer.spline_matrix[j, 5 * i + m]
                    == layer.mask[j, i] * layer.w_spline[j, i] * layer.coef[j, i, m]
                )


@pytest.mark.parametrize(("dead", "note"), [(0, ""), (2, ", 2 masked edges")])
def test_a_layer_prints_its_sizes_and_dead_edges(dead, note):
    arrays = given_arrays(np.random.default_rng(14))
    arrays["mask"].reshape(-1)[:dead] = 0.0

    assert (
        repr(Layer(**arrays, degree=2))
        == f"Layer(2 -> 3, n_intervals 4, degree 2, base 'silu'{note})"
    )


def test_forward_leaves_its_input_as_it_was():
    rng = np.random.default_rng(18)
    layer = random_layer(rng, 2, 3, degree=3, n_intervals=4)
    x = random_batch(rng, layer, 6)
    before = x.copy()

    edges.layer_forward(layer, x)

    np.testing.assert_array_equal(x, before)


def test_a_mask_of_truth_values_is_the_mask_of_ones_and_zeros():
    layer = random_layer(np.random.default_rng(0), 3, 2, degree=2, n_intervals=3)
    mask = np.array([[True, False, True], [False, True, True]])

    np.testing.assert_array_equal(dataclasses.replace(layer, mask=mask).mask, mask.astype(float))


EDGE = kr.Layer(
    kr.uniform_knots(0.0, 2.0, n_intervals=2, degree=1),
    [[[4, -2, 6]]],
    [[2]],
    [[0.5]],
    [[1]],
    1,
    "identity",
)


def test_the_knots_are_the_grid_and_one_more_on_each_side():
    np.testing.assert_array_equal(EDGE.knots, [[-1, 0, 1, 2, 3]])
    np.testing.assert_array_equal(EDGE.breakpoints, [[0, 1, 2]])


def test_at_a_quarter_two_hats_are_alive():
    # B_0 = 1 - 1/4, B_1 = 1/4
    np.testing.assert_array_equal(kr.bspline.basis([[0.25]], EDGE.knots, 1), [[[0.75, 0.25, 0]]])
    np.testing.assert_array_equal(
        kr.bspline.basis([[0.25]], EDGE.knots, 1, derivative=1), [[[-1, 1, 0]]]
    )


def test_forward():
    y, cache = edges.layer_forward(EDGE, np.array([[0.25], [1.5], [2.5], [10.0]]))

    # spline(1/4) = 4 3/4 - 2 1/4          = 5/2     y = 2 1/4 + 1/2 5/2  = 7/4
    # spline(3/2) = -2 1/2 + 6 1/2         = 2       y = 2 3/2 + 1/2 2    = 4
    # spline(5/2) = 6 1/2 (fading)         = 3       y = 2 5/2 + 1/2 3    = 13/2
    # spline(10)  = 0 (beyond the row)               y = 2 10             = 20
    np.testing.assert_array_equal(y, [[1.75], [4.0], [6.5], [20.0]])
    np.testing.assert_array_equal(cache.base, [[0.25], [1.5], [2.5], [10.0]])
    np.testing.assert_array_equal(cache.base_slope, [[1], [1], [1], [1]])


def test_backward():
    _, cache = edges.layer_forward(EDGE, np.array([[0.25], [1.5]]))

    dx, grads = edges.layer_backward(EDGE, cache, np.array([[3.0], [-1.0]]))

    # sample 1/4, dy = 3:   d_C = 3 (3/4, 1/4, 0) = (9/4, 3/4, 0);   sample 3/2, dy = -1:   d_C = -(0, 1/2, 1/2)
    # d_C        is their sum                        = (9/4, 1/4, -1/2)
    # d_coef     = 1/2 d_C                           = (9/8, 1/8, -1/4)
    # d_w_spline = 4 9/4 - 2 1/4 + 6 (-1/2)          = 11/2
    # d_w_base   = 3 1/4 - 1 3/2                     = -3/4
    np.testing.assert_array_equal(grads.coef, [[[1.125, 0.125, -0.25]]])
    np.testing.assert_array_equal(grads.w_spline, [[5.5]])
    np.testing.assert_array_equal(grads.w_base, [[-0.75]])
    # phi'(1/4) = 2 + 1/2 (-4 - 2) = -1     dx = 3 (-1) = -3
    # phi'(3/2) = 2 + 1/2 (2 + 6)  = 6      dx = -1 6   = -6
    np.testing.assert_array_equal(dx, [[-3], [-6]])


def test_a_gradient_on_the_edge_itself_joins_the_one_on_the_output():
    _, cache = edges.layer_forward(EDGE, np.array([[0.25]]))

    dx, grads = edges.layer_backward(EDGE, cache, np.array([[3.0]]), np.array([[[1.0]]]))

    # as dy = 3 + 1: d_coef = 1/2 4 (3/4, 1/4, 0), d_w_base = 4 1/4, d_w_spline = 4 5/2, dx = 4 (-1)
    np.testing.assert_array_equal(grads.coef, [[[1.5, 0.5, 0]]])
    np.testing.assert_array_equal([grads.w_base, grads.w_spline], [[[1]], [[10]]])
    np.testing.assert_array_equal(dx, [[-4]])


def test_two_such_edges_in_a_row():
    network = kr.Network((EDGE, EDGE))

    y, caches = kr.forward(network, [[0.25]])
    dx, grads = kr.backward(network, caches, [[3.0]])

    # x_1 = phi(1/4) = 7/4;  B(7/4) = (0, 1/4, 3/4);  spline = -2 1/4 + 6 3/4 = 4;  y = 2 7/4 + 1/2 4 = 11/2
    np.testing.assert_array_equal(y, [[5.5]])
    # second edge: d_coef = 1/2 3 (0, 1/4, 3/4) = (0, 3/8, 9/8), d_w_base = 3 7/4 = 21/4, d_w_spline = 3 4 = 12
    # dx_1 = 3 phi'(7/4) = 3 (2 + 1/2 (2 + 6)) = 18
    # first edge: d_coef = 1/2 18 (3/4, 1/4, 0) = (27/4, 9/4, 0), d_w_base = 18 1/4 = 9/2, d_w_spline = 18 5/2 = 45
    # dx = 18 phi'(1/4) = -18
    np.testing.assert_array_equal(dx, [[-18]])
    np.testing.assert_array_equal(grads.theta, [6.75, 2.25, 0, 4.5, 45, 0, 0.375, 1.125, 5.25, 12])


def test_its_theta_is_coef_then_w_base_then_w_spline():
    np.testing.assert_array_equal(kr.Network((EDGE,)).theta, [4, -2, 6, 2, 0.5])


def test_silu_at_zero_adds_no_value_but_half_its_weight_as_slope():
    curved = kr.Layer(EDGE.knots, EDGE.coef, EDGE.w_base, EDGE.w_spline, EDGE.mask, 1, "silu")

    y, cache = edges.layer_forward(curved, np.array([[0.0]]))
    dx, grads = edges.layer_backward(curved, cache, np.array([[1.0]]))

    # y = 2 silu(0) + 1/2 4 = 2;  slope = 2 silu'(0) + 1/2 (-4 - 2) = 2 1/2 - 3 = -2;  d_w_base = silu(0) = 0
    np.testing.assert_array_equal(y, [[2]])
    np.testing.assert_array_equal(dx, [[-2]])
    np.testing.assert_array_equal(grads.w_base, [[0]])
