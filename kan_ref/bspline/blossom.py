"""The same curves on other knot vectors, without data: blossoms, insertion of a knot.

Theorem (blossoming; Ramshaw 1989; de Boor's algorithm with a different argument at
every level). Each polynomial piece F of degree k has one symmetric function f(u_1, ...,
u_k), affine in every argument, with f(x, ..., x) = F(x). For the piece on a non-empty
interval [t_J, t_{J+1}), with d^0_m = coef_m and m = J-k+l, ..., J at level l = 1, ...,
k,

    (B17)  d^l_m = (1 - alpha) d^{l-1}_{m-1} + alpha d^{l-1}_m,
           alpha = (u_l - t_m) / (t_{m+k+1-l} - t_m)
    (B18)  f(u_1, ..., u_k) = d^k_J
    (B19)  coef_m = f(t_{m+1}, ..., t_{m+k}) for every non-empty piece under B_m

Every denominator of (B17) spans [t_J, t_{J+1}], so repeated knots need no special case.
By (B19) the coefficient m of a curve on a new knot vector t' is the blossom, at
t'_{m+1}, ..., t'_{m+k}, of a piece under the new B_m. This is exact where the new knot
vector has the old breakpoints; arguments beyond the old [a, b] continue its end
polynomials.

A classical algorithm inserts one knot t into a knot vector (Boehm 1980). It agrees with
the blossom and serves as an independent check of it:

    (B20)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,
           alpha_m = (t - t_m) / (t_{m+k} - t_m), clipped to [0, 1]
"""

import numpy as np

from kan_ref import checks
from kan_ref.bspline.knots import (
    bisect_intervals,
    breakpoints,
    check_knots,
    multiplicity,
)
from kan_ref.checks import FloatArray, IntArray


def insert_knots(
    knots: object,
    degree: int,
    coef: object,
    new_knots: object,
) -> FloatArray:
    """Return the coefficients of the same curves with more knots.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any number)
        Every old knot at least as often as in `knots`; the others between the first and
        the last.

    Returns
    -------
    coef : (n_out, n_in, n_basis of the new knot vectors)
        The curves are the same everywhere, even outside [a, b].

    Examples
    --------
    >>> new_knots = [[0.0, 1.0, 1.5, 2.0, 3.0]]
    >>> insert_knots([[0.0, 1.0, 2.0, 3.0]], 1, [[[5.0, 7.0]]], new_knots)
    array([[[5., 6., 7.]]])
    """
    degree = checks.integer("degree", degree)
    old = check_knots("knots", knots, degree)
    new = check_knots("new_knots", new_knots, degree)
    n_in, n_knots = old.shape
    new = checks.array("new_knots", new, (n_in, "n_knots"))
    curves = checks.array("coef", coef, ("n_out", n_in, n_knots - degree - 1))

    for i, (row, finer) in enumerate(zip(old, new, strict=True)):
        values, needed = np.unique(row, return_counts=True)
        kept = (multiplicity(values, finer) >= needed).all()
        if not kept or finer[0] < row[0] or finer[-1] > row[-1]:
            raise ValueError(
                f"new_knots must have every knot of row {i} of knots as often, and "
                "none beyond the first and the last one: add the new ones to these"
            )
    return coef_with_knots(old, degree, curves, new)


def insert_knot(
    knots: object,
    degree: int,
    coef: object,
    t: float,
) -> tuple[FloatArray, FloatArray]:
    """Insert one knot into a knot vector, and keep the curves.

    Parameters
    ----------
    knots : (n_knots,)
    degree : int
    coef : (n_curves, n_basis)
    t : float
        Between the first and the last knot.

    Returns
    -------
    knots : (n_knots + 1,)
    coef : (n_curves, n_basis + 1)
        The curves are the same everywhere, even outside [a, b]. Implements :eq:`boehm`.

    Examples
    --------
    >>> insert_knot([0.0, 1.0, 2.0, 3.0], 1, [[5.0, 7.0]], 1.5)
    (array([0. , 1. , 1.5, 2. , 3. ]), array([[5., 6., 7.]]))
    """
    degree = checks.integer("degree", degree)
    (old,) = check_knots("knots", [knots], degree)
    n_basis = len(old) - degree - 1
    curves = checks.array("coef", coef, ("n_curves", n_basis))
    t = checks.number("t", t, low=float(old[0]), high=float(old[-1]))
    zeros = np.zeros((len(curves), 1))
    before = np.hstack([zeros, curves])  # coef_{m-1}
    after = np.hstack([curves, zeros])  # coef_m
    # [eq:boehm]
    low = old[: n_basis + 1]
    high = old[degree:]
    span = np.where(high > low, high - low, 1.0)
    alpha = (np.clip(t, low, high) - low) / span
    alpha = np.where(t >= high, 1.0, alpha)
    moved = (1.0 - alpha) * before + alpha * after
    # [/eq:boehm]
    return np.insert(old, np.searchsorted(old, t), t), moved


def polar_form(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    piece: IntArray,
    arguments: FloatArray,
) -> FloatArray:
    """Return the blossom of one polynomial piece of each curve at `degree` arguments.

    `piece` (n_in, n_new) are non-empty intervals of the grid, 0 .. n_intervals - 1;
    `arguments` (n_in, n_new, degree) any numbers, in any order: the result (n_out,
    n_in, n_new) is the same bit for bit. Implements :eq:`blossom`; degree (degree + 1)
    / 2 affine combinations for each value.
    """
    inputs = np.arange(len(knots))[:, None, None]
    active = piece[:, :, None] + np.arange(degree + 1)
    last = active[:, :, -1:]
    ordered = _farthest_first(arguments, knots[inputs, last], knots[inputs, last + 1])
    d = coef[:, inputs, active]
    # [eq:blossom]
    for level in range(1, degree + 1):
        u = ordered[:, :, level - 1 : level]
        m = active[:, :, level:]
        low = knots[inputs, m]
        high = knots[inputs, m + degree + 1 - level]
        alpha = (u - low) / (high - low)
        d = (1.0 - alpha) * d[..., :-1] + alpha * d[..., 1:]
    # [/eq:blossom]
    return d[..., 0]


def continue_curves(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    x: FloatArray,
) -> FloatArray:
    """Return the curves with their end polynomials continued beyond [a, b].

    The result is (batch, n_out, n_in). A breakpoint belongs to the piece on its right,
    b to the last one.
    """
    piece = _find_pieces(breakpoints(knots, degree), x.T)
    diagonal = np.repeat(x.T[:, :, None], degree, axis=2)
    return polar_form(knots, degree, coef, piece, diagonal).transpose(2, 0, 1)


def transfer_coef(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    new_knots: FloatArray,
) -> FloatArray:
    """Return the coefficients of the same curves on new knot vectors.

    They are (n_out, n_in, new n_basis). Implements :eq:`blossom-coef`. Exact on the new
    [a, b] where the new breakpoints include all the old ones; else every coefficient is
    exact for one piece under its basis function: the one under the middle of the part
    of the support in the new [a, b], which keeps extrapolation smallest.
    """
    n_new = new_knots.shape[1] - degree - 1
    # [eq:blossom-coef]
    window = np.arange(n_new)[:, None] + np.arange(1, degree + 1)
    arguments = new_knots[:, window]
    middles = _middles_under_bases(new_knots, degree)
    piece = _find_pieces(breakpoints(knots, degree), middles)
    return polar_form(knots, degree, coef, piece, arguments)
    # [/eq:blossom-coef]


def coef_with_knots(
    knots: FloatArray,
    degree: int,
    coef: FloatArray,
    new_knots: FloatArray,
) -> FloatArray:
    """Return `insert_knots` of checked arguments, (n_out, n_in, new n_basis).

    Copies of the first and the last knot beyond them, with basis functions of
    coefficient 0, make the outer intervals pieces like all others.
    """
    pads = ((0, 0), (degree, degree))
    old = np.pad(knots, pads, mode="edge")
    new = np.pad(new_knots, pads, mode="edge")
    padded = np.pad(coef, ((0, 0), *pads))
    moved = transfer_coef(old, degree, padded, new)
    return moved[:, :, degree : moved.shape[2] - degree]


def _find_pieces(grid: FloatArray, x: FloatArray) -> IntArray:
    """Return the non-empty interval of x (n_in, any) in each grid, or the nearest."""
    first = np.sum(grid == grid[:, :1], axis=1, keepdims=True) - 1
    n_last = np.sum(grid == grid[:, -1:], axis=1, keepdims=True)
    last = grid.shape[1] - n_last - 1
    return bisect_intervals(grid, x, first, last)


def _middles_under_bases(knots: FloatArray, degree: int) -> FloatArray:
    """Return the middle of each support's part in [a, b], (n_in, n_basis)."""
    grid = breakpoints(knots, degree)
    low = np.maximum(knots[:, : -degree - 1], grid[:, :1])
    high = np.minimum(knots[:, degree + 1 :], grid[:, -1:])
    middle = low + 0.5 * (high - low)
    # between neighbours in float64 it rounds to an end, which must be the left one
    return np.minimum(middle, np.nextafter(high, -np.inf))


def _farthest_first(
    arguments: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Sort the arguments (n_in, n_new, degree) by decreasing distance from their piece.

    The last levels of (B17) divide by the shortest spans, so they take the nearest
    arguments.
    """
    ascending = np.sort(arguments)
    distance = np.maximum(low - ascending, ascending - high)
    order = np.argsort(-distance)
    return np.take_along_axis(ascending, order, 2)
