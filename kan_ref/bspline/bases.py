"""All B-splines of a knot row at any point, their derivatives, averages and integrals.

The recursion stands in `cox_de_boor`, (B1)-(B3); here its degree + 1 numbers a point are put in their places among all. Two facts
besides (de Boor, A Practical Guide to Splines, rev. ed., ch. X, (33), and ch. XI on knot averages):

    (B4)  int_{-inf}^x B_{m,d} = (t_{m+d+1} - t_m) / (d + 1) * sum_{j >= m} B_{j,d+1}(x)
    (B5)  x = sum_m xi_m B_m(x) on [a, b] for d >= 1,   xi_m = (t_{m+1} + ... + t_{m+d}) / d   (Greville)
"""

import numpy as np

from kan_ref.bspline.cox_de_boor import active_basis, prepare_knots, scatter
from kan_ref.bspline.knots import check_knots, per_input
from kan_ref.checks import FloatArray, check_float_array, check_integer


def basis(x: object, knots: object, degree: int, derivative: int = 0) -> FloatArray:
    """All B-splines of each knot row, or a derivative of them, at each point.

    Parameters
    ----------
    x : (batch, n_in)
        Finite; anywhere, also outside the rows.
    knots : (n_in, n_knots)
        Rising along each row, repeats allowed; at least 2 degree + 2 of them.
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
        For wrong shapes, falling knots, numbers that are not finite, negative orders.

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
    rows = prepare_knots(check_knots("knots", knots, degree).copy(), degree)
    n_in = rows.knots.shape[0]
    points = check_float_array("x", x, ("batch", n_in))
    live = active_basis(rows, points, (derivative,))
    return scatter(live, 0, n_in * rows.n_basis).reshape(-1, n_in, rows.n_basis)


def greville(knots: object, degree: int) -> FloatArray:
    """Greville points of each basis, (n_in, n_basis): the coefficients of y = x; at degree 0 the middle of each interval.

    Notes
    -----
    Implements :eq:`greville`.
    """
    degree = check_integer("degree", degree, low=0)
    rows = check_knots("knots", knots, degree)
    if degree == 0:
        return 0.5 * rows[:, :-1] + 0.5 * rows[:, 1:]
    windows = np.lib.stride_tricks.sliding_window_view(rows[:, 1:-1], degree, axis=1)
    # [eq:greville]
    points: FloatArray = (windows / degree).sum(axis=2)
    # [/eq:greville]
    return points


def basis_integral(knots: object, degree: int, low: object, high: object) -> FloatArray:
    """Integral of each B-spline over [low, high].

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    low, high : float or (n_in,)
        In either order: turning the limits round turns the sign. Outside the row the B-splines are 0.

    Returns
    -------
    integral : (n_in, n_basis)

    Notes
    -----
    Implements :eq:`bspline-integral`.

    Examples
    --------
    >>> basis_integral([[0.0, 1.0, 2.0, 3.0]], 1, low=0.0, high=2.0)
    array([[1. , 0.5]])
    """
    degree = check_integer("degree", degree, low=0)
    rows = check_knots("knots", knots, degree)
    n_in, n_basis = rows.shape[0], rows.shape[1] - degree - 1
    ends = per_input(low=low, high=high, n_in=n_in)
    longer = np.concatenate(
        [
            np.repeat(rows[:, :1], degree + 1, axis=1),
            rows,
            np.repeat(rows[:, -1:], degree + 1, axis=1),
        ],
        axis=1,
    )
    points = np.clip(np.stack(ends), rows[:, 0], rows[:, -1])
    raised = basis(points, longer, degree + 1)
    # [eq:bspline-integral]
    tails = np.flip(np.cumsum(np.flip(raised, axis=2), axis=2), axis=2)[
        :, :, degree + 1 : degree + 1 + n_basis
    ]
    integral: FloatArray = (
        (rows[:, degree + 1 :] - rows[:, :n_basis]) / (degree + 1) * (tails[1] - tails[0])
    )
    # [/eq:bspline-integral]
    return integral
