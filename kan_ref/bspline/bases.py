"""All basis functions of a knot vector at any point, their derivatives, averages and integrals.

`evaluation` computes the degree + 1 nonzero values at each point, (B4)-(B6); here they are placed
among all n_basis. Two more facts (de Boor, A Practical Guide to Splines, rev. ed., ch. X, (33), and
ch. XI on knot averages):

    (B12)  int_{-inf}^x B_{m,d} = (t_{m+d+1} - t_m) / (d + 1) * sum_{j >= m} B_{j,d+1}(x)
    (B13)  x = sum_m xi_m B_m(x) on [a, b] for d >= 1,   xi_m = (t_{m+1} + ... + t_{m+d}) / d
"""

import numpy as np

from kan_ref.bspline.evaluation import active_basis, scatter
from kan_ref.bspline.knot_vectors import prepare_knots
from kan_ref.bspline.knots import check_knots, check_per_input
from kan_ref.checks import FloatArray, check_float_array, check_integer


def basis(x: object, knots: object, degree: int, derivative: int = 0) -> FloatArray:
    """Evaluate all basis functions of each knot vector, or a derivative of them, at each point.

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
        n_basis = n_knots - degree - 1.

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite, negative orders.

    Notes
    -----
    Implements :eq:`cox-de-boor`. Liu et al. 2024, section 2.4.

    Examples
    --------
    >>> basis([[0.5], [1.0]], [[0.0, 1.0, 2.0, 3.0]], degree=1)
    array([[[0.5, 0. ]],
    <BLANKLINE>
           [[1. , 0. ]]])
    """
    degree = check_integer("degree", degree, low=0)
    derivative = check_integer("derivative", derivative, low=0)
    vectors = check_knots("knots", knots, degree)
    return all_bases(
        check_float_array("x", x, ("batch", len(vectors))), vectors, degree, derivative
    )


def all_bases(x: FloatArray, knots: FloatArray, degree: int, derivative: int = 0) -> FloatArray:
    """Return `basis` of checked arguments, (batch, n_in, n_basis)."""
    vectors = prepare_knots(knots.copy(), degree)
    n_in, n_basis = len(knots), vectors.n_basis
    active = active_basis(vectors, x, (derivative,))
    return scatter(active, 0, n_in * n_basis).reshape(-1, n_in, n_basis)


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

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite.

    Notes
    -----
    Implements :eq:`greville`.
    """
    degree = check_integer("degree", degree, low=0)
    return knot_averages(check_knots("knots", knots, degree), degree)


def knot_averages(knots: FloatArray, degree: int) -> FloatArray:
    """Return `greville` of checked knots, (n_in, n_basis)."""
    if degree == 0:
        return 0.5 * knots[:, :-1] + 0.5 * knots[:, 1:]
    windows = np.lib.stride_tricks.sliding_window_view(knots[:, 1:-1], degree, axis=1)
    # [eq:greville]
    points: FloatArray = (windows / degree).sum(axis=2)
    # [/eq:greville]
    return points


def basis_integral(knots: object, degree: int, low: object, high: object) -> FloatArray:
    """Integrate each basis function over [low, high].

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    low, high : float or (n_in,)
        In either order: exchanging the limits changes the sign. Outside the knot vector the basis
        functions are 0.

    Returns
    -------
    integral : (n_in, n_basis)

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite.

    Notes
    -----
    Implements :eq:`bspline-integral`.

    Examples
    --------
    >>> basis_integral([[0.0, 1.0, 2.0, 3.0]], 1, low=0.0, high=2.0)
    array([[1. , 0.5]])
    """
    degree = check_integer("degree", degree, low=0)
    knots = check_knots("knots", knots, degree)
    n_in, n_basis = knots.shape[0], knots.shape[1] - degree - 1
    ends = np.empty((2, n_in))
    ends[0] = check_per_input("low", low, n_in)
    ends[1] = check_per_input("high", high, n_in)
    longer = np.pad(knots, ((0, 0), (degree + 1, degree + 1)), mode="edge")
    raised = all_bases(np.clip(ends, knots[:, 0], knots[:, -1]), longer, degree + 1)
    # [eq:bspline-integral]
    tails = np.flip(np.cumsum(np.flip(raised, axis=2), axis=2), axis=2)[
        :, :, degree + 1 : degree + 1 + n_basis
    ]
    integral: FloatArray = (
        (knots[:, degree + 1 :] - knots[:, :n_basis]) / (degree + 1) * (tails[1] - tails[0])
    )
    # [/eq:bspline-integral]
    return integral
