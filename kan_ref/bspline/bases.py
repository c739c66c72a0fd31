"""All basis functions at any point: values, integrals, sums for every edge, jumps.

`evaluation` computes the degree + 1 nonzero values at each point, (B4)-(B6); here they
are placed among all n_basis. Two more facts (de Boor, A Practical Guide to Splines,
rev. ed., ch. X, (33), and ch. XI on knot averages):

    (B12)  int_{-inf}^x B_{m,d} = (t_{m+d+1} - t_m) / (d + 1)
                                  * sum_{j >= m} B_{j,d+1}(x)
    (B13)  x    = sum_m xi_m B_m(x) on [a, b] for d >= 1,
           xi_m = (t_{m+1} + ... + t_{m+d}) / d

Weighted sums for every edge by itself, with the matrix C (n_out, n_in * n_basis) of
`evaluation`,

    (B10)  s_bji     = sum_m B_m(x_bi) C_j,im
    (B11)  d_C_j,im  = sum_b d_edges_bji B_m(x_bi)

have only degree + 1 nonzero terms for each sample and input. The derivatives of a
spline come from its coefficients by differencing them (de Boor, ch. X, (15)-(16)):

    (B24)  d^(0)   = c,
           d^(q)_m = (k - q + 1) (d^(q-1)_m - d^(q-1)_{m-1}) / (t_{m+k-q+1} - t_m)

with 0/0 := 0. The k-th derivative is piecewise constant with the values d^(k), so its
jump at an inner breakpoint is a fixed combination of k + 2 coefficients. Times h^k,
with h = (b - a) / G, it does not depend on the units of x.
"""

from dataclasses import replace

import numpy as np

from kan_ref import checks
from kan_ref.bspline.evaluation import (
    ActiveBasis,
    Bases,
    evaluate_bases,
    matrix_gradient,
    place,
)
from kan_ref.bspline.knots import check_knots, per_input, prepare_knots
from kan_ref.checks import FloatArray


def basis(x: object, knots: object, degree: int, derivative: int = 0) -> FloatArray:
    """Evaluate all basis functions, or a derivative of them, at each point.

    Parameters
    ----------
    x : (batch, n_in)
        Finite; anywhere, even outside the knot vectors.
    knots : (n_in, n_knots)
        Nondecreasing along each row, repeats allowed; at least 2 degree + 2 of them.
    degree : int
        At least 0.
    derivative : int
        Order, at least 0; above the degree everything is 0.

    Returns
    -------
    basis : (batch, n_in, n_basis)
        n_basis = n_knots - degree - 1. Implements :eq:`cox-de-boor`; Liu et al. 2024,
        section 2.4.

    Examples
    --------
    >>> basis([[0.5], [1.0]], [[0.0, 1.0, 2.0, 3.0]], degree=1)
    array([[[0.5, 0. ]],
    <BLANKLINE>
           [[1. , 0. ]]])
    """
    degree = checks.integer("degree", degree)
    derivative = checks.integer("derivative", derivative)
    vectors = check_knots("knots", knots, degree)
    points = checks.array("x", x, ("batch", len(vectors)))
    return all_bases(points, vectors, degree, derivative)


def all_bases(
    x: FloatArray,
    knots: FloatArray,
    degree: int,
    derivative: int = 0,
) -> FloatArray:
    """Return `basis` of checked arguments, (batch, n_in, n_basis)."""
    vectors = prepare_knots(knots.copy(), degree)
    order = min(derivative, degree + 1)  # above the degree all are 0
    bases = evaluate_bases(vectors, x, order, gathered=True, workspace=None)
    dense = scatter(bases.active, order, bases.n_columns)
    return dense.reshape(len(x), len(knots), vectors.n_basis)


def scatter(active: ActiveBasis, plane: int, n_columns: int) -> FloatArray:
    """Scatter a plane of nonzero values into zeros (batch, n_columns).

    In memory the batch comes last.
    """
    values = active.planes[plane].swapaxes(1, 2)
    dense = np.zeros((n_columns, values.shape[2]))
    place(active.columns.T, values, dense, slice(None))
    return dense.T


def greville(knots: object, degree: int) -> FloatArray:
    """Return the Greville points of each basis function, (n_in, n_basis).

    They are the coefficients of y = x; at degree 0 the middle of each interval.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int

    Returns
    -------
    points : (n_in, n_basis)
        Implements :eq:`greville`.

    Examples
    --------
    >>> greville([[0.0, 0.0, 0.0, 4.0, 4.0, 4.0]], degree=2)
    array([[0., 2., 4.]])
    """
    degree = checks.integer("degree", degree)
    knots = check_knots("knots", knots, degree)
    return knot_averages(knots, degree)


def knot_averages(knots: FloatArray, degree: int) -> FloatArray:
    """Return `greville` of checked knots, (n_in, n_basis)."""
    if degree == 0:
        return 0.5 * (knots[:, :-1] + knots[:, 1:])

    windows = np.lib.stride_tricks.sliding_window_view(knots[:, 1:-1], degree, axis=1)
    # [eq:greville]
    points: FloatArray = (windows / degree).sum(axis=2)
    # [/eq:greville]

    # a rounded mean of equal knots can lie beside them: at an end, where every basis
    # function is 0
    return np.clip(points, windows[:, :, 0], windows[:, :, -1])


def basis_integral(knots: object, degree: int, low: object, high: object) -> FloatArray:
    """Integrate each basis function over [low, high].

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    low, high : float or (n_in,)
        In either order: exchanging the limits changes the sign. Outside the knot vector
        the basis functions are 0.

    Returns
    -------
    integral : (n_in, n_basis)
        Implements :eq:`bspline-integral`. Its error is about 1e-15 of the integral over
        all x: over a range that is narrow beside the support it is larger, relative to
        the result.

    Examples
    --------
    >>> basis_integral([[0.0, 1.0, 2.0, 3.0]], 1, low=0.0, high=2.0)
    array([[1. , 0.5]])
    """
    degree = checks.integer("degree", degree)
    knots = check_knots("knots", knots, degree)
    n_in, n_knots = knots.shape
    n_basis = n_knots - degree - 1
    low = per_input("low", low, n_in)
    high = per_input("high", high, n_in)
    limits = np.clip(np.stack([low, high]), knots[:, 0], knots[:, -1])
    longer = np.pad(knots, ((0, 0), (degree + 1, degree + 1)), mode="edge")

    # [eq:bspline-integral]
    raised = all_bases(limits, longer, degree + 1)
    sums = raised[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]  # over j >= m
    sums = sums[:, :, degree + 1 : n_knots]
    width = knots[:, degree + 1 :] - knots[:, :n_basis]
    integral: FloatArray = width / (degree + 1) * (sums[1] - sums[0])
    # [/eq:bspline-integral]
    return integral


def edge_sums(matrix: FloatArray, bases: Bases, plane: int = 0) -> FloatArray:
    """Return the sums of every edge by itself, (B10), (batch, n_out, n_in).

    `plane` is 0 for values and 1 for derivatives.
    """
    values = bases.active.planes[plane].swapaxes(1, 2)
    sums = np.empty((len(matrix), *values.shape[1:]))
    # [eq:edge-sums]
    for j, row in enumerate(matrix):
        coef = row.take(bases.places)
        np.einsum("rib,rib->ib", coef, values, out=sums[j])
    # [/eq:edge-sums]
    return sums.transpose(2, 0, 1)


def edge_matrix_gradient(d_edges: FloatArray, bases: Bases) -> FloatArray:
    """Return the gradient with respect to the matrix, (B11).

    d_edges: (batch, n_out, n_in).
    """
    # [eq:edge-matrix-gradient]
    # a copy of the gathered form would compute `places` once more
    if bases.dense is not None:
        bases = replace(bases, dense=None)
    return matrix_gradient(d_edges, bases)
    # [/eq:edge-matrix-gradient]


def jump_weights(knots: object, degree: int) -> FloatArray:
    """Return the jumps of the k-th derivative, times h^k, as weights of coefficients.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int

    Returns
    -------
    weights : (n_in, n_intervals - 1, degree + 2)
        Of the degree + 2 coefficients that a jump depends on: for evenly spaced knots
        the binomial coefficients with alternating signs. Beside an empty interval, at a
        repeated breakpoint, the weights are 0: there a spline may be less smooth.
        Implements :eq:`derivative-jumps`.

    Examples
    --------
    >>> jump_weights([[-1.0, 0.0, 1.0, 2.0, 3.0]], degree=1)
    array([[[ 1., -2.,  1.]]])
    """
    degree = checks.integer("degree", degree)
    knots = check_knots("knots", knots, degree)
    return difference_weights(knots, degree)


def difference_weights(knots: FloatArray, degree: int) -> FloatArray:
    """Return `jump_weights` of checked knots, (n_in, n_intervals - 1, degree + 2)."""
    n_in, n_knots = knots.shape
    n_basis = n_knots - degree - 1
    a = knots[:, degree]
    b = knots[:, n_basis]
    h = (b - a) / (n_basis - degree)

    # [eq:derivative-jumps]
    weights = np.ones((n_in, n_basis, 1))
    for q in range(1, degree + 1):
        # h joins each division, so that the powers of h stay of size one
        span = knots[:, degree + 1 : n_knots - q] - knots[:, q:n_basis]
        factor = (degree - q + 1) * h[:, None]
        scale = np.divide(factor, span, out=np.zeros_like(span), where=span > 0)
        weights = _differences(weights) * scale[:, :, None]

    filled = np.diff(knots[:, degree : n_basis + 1]) > 0
    both = filled[:, :-1] & filled[:, 1:]
    return _differences(weights) * both[:, :, None]
    # [/eq:derivative-jumps]


def _differences(weights: FloatArray) -> FloatArray:
    """Subtract row m - 1 from row m.

    The result weights one coefficient more, on the left.
    """
    n_in, n_rows, width = weights.shape
    result = np.zeros((n_in, n_rows - 1, width + 1))
    result[:, :, 1:] = weights[:, 1:]
    result[:, :, :-1] -= weights[:, :-1]
    return result
