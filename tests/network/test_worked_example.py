"""One edge by hand: degree 1, every number small and exact, so that all results are compared bit by bit.

    phi(x) = w_base b(x) + w_spline (c_0 B_0(x) + c_1 B_1(x) + c_2 B_2(x))

on the grid [0, 2] with two intervals. Degree 1 puts one knot on each side: -1 0 1 2 3. The B-splines are hats with their
tops at 0, 1 and 2:

    B_0: 1 - x on [0, 1]          B_1: x on [0, 1], 2 - x on [1, 2]          B_2: x - 1 on [1, 2], 3 - x on [2, 3]

b is the identity, coef = (4, -2, 6), w_base = 2, w_spline = 1/2.
"""

import numpy as np

import kan_ref as kr
from kan_ref.network import layer as edges

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
