"""The blossom: moving a spline to another knot vector without data.

Theorem (blossoming; Ramshaw 1989; de Boor's algorithm with a different argument at every level).
Each polynomial piece F of degree k has one symmetric function f(u_1, ..., u_k), affine in every
argument, with f(x, ..., x) = F(x). For the piece on a non-empty interval [t_J, t_{J+1}), with d^0_m
= coef_m and m = J-k+l, ..., J at level l = 1, ..., k,

    (B17)  d^l_m = (1 - alpha) d^{l-1}_{m-1} + alpha d^{l-1}_m,
           alpha = (u_l - t_m) / (t_{m+k+1-l} - t_m)
    (B18)  f(u_1, ..., u_k) = d^k_J
    (B19)  coef_m = f(t_{m+1}, ..., t_{m+k})          for every non-empty piece under B_m

Every denominator of (B17) spans [t_J, t_{J+1}], so repeated knots need no special case. By (B19)
the coefficient m of a curve on a new knot vector t' is the blossom, at t'_{m+1}, ..., t'_{m+k}, of
a piece under the new B_m. This is exact where the new knot vector has the old breakpoints;
arguments beyond the old [a, b] continue its end polynomials.
"""

import numpy as np

from kan_ref import checks
from kan_ref.bspline.knots import breakpoints, check_knots
from kan_ref.bspline.refined_grids import check_kept_knots
from kan_ref.checks import FloatArray, IntArray


def blossom(
    knots: object, degree: int, coef: object, piece: object, arguments: object
) -> FloatArray:
    """Return the blossom of one polynomial piece of each curve at `degree` arguments.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    piece : (n_in, n_new) of int
        Interval of the grid, 0 .. n_intervals - 1, not empty.
    arguments : (n_in, n_new, degree)
        Any finite numbers, in any order: the result is the same bit for bit.

    Returns
    -------
    values : (n_out, n_in, n_new)

    Raises
    ------
    ValueError, TypeError
        Wrong shapes; a piece that is empty or outside the grid.

    Notes
    -----
    Implements :eq:`blossom`. Cost: degree (degree + 1) / 2 affine combinations for each value.

    Examples
    --------
    The blossom of x^2 on one piece is f(u, v) = u v:

    >>> blossom([[-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]], 2, [[[0.0, 0.0, 2.0]]], [[0]], [[[3.0, 5.0]]])
    array([[[15.]]])
    """
    degree = checks.integer("degree", degree, low=0)
    knots, coef = _check_curves(knots, degree, coef)
    n_in, n_intervals = knots.shape[0], knots.shape[1] - 2 * degree - 1
    pieces = np.asarray(piece)
    if pieces.dtype.kind not in "iu":
        raise TypeError(f"piece has dtype {pieces.dtype}, but needs integers")
    if pieces.ndim != 2 or len(pieces) != n_in:
        raise ValueError(f"piece has shape {pieces.shape}, but needs shape ({n_in}, n_new)")
    points = checks.array("arguments", arguments, (n_in, pieces.shape[1], degree))
    grid = breakpoints(knots, degree)
    for (i, n), g in np.ndenumerate(pieces):
        if not 0 <= g < n_intervals:
            raise ValueError(
                f"piece is {g} at row {i}, column {n}, but the grid has {n_intervals} intervals, "
                f"0 to {n_intervals - 1}"
            )
        if grid[i, g] == grid[i, g + 1]:
            raise ValueError(
                f"piece is {g} at row {i}, column {n}, but that interval is empty: "
                f"it begins and ends at {grid[i, g]}"
            )
    return polar_form(knots, degree, coef, pieces.astype(np.intp), points)


def polar_form(
    knots: FloatArray, degree: int, coef: FloatArray, piece: IntArray, arguments: FloatArray
) -> FloatArray:
    """Return `blossom` of checked arguments, (n_out, n_in, n_new)."""
    inputs = np.arange(len(knots))[:, None, None]
    active = piece[:, :, None] + np.arange(degree + 1)
    last = active[:, :, -1:]
    ordered = _farthest_first(arguments, knots[inputs, last], knots[inputs, last + 1])
    d = coef[:, inputs, active]
    # [eq:blossom]
    for level in range(1, degree + 1):
        u, m = ordered[:, :, level - 1 : level], active[:, :, level:]
        low, high = knots[inputs, m], knots[inputs, m + degree + 1 - level]
        alpha = (u - low) / (high - low)
        d = (1.0 - alpha) * d[..., :-1] + alpha * d[..., 1:]
    # [/eq:blossom]
    return d[..., 0]


def continued_values(knots: object, degree: int, coef: object, x: object) -> FloatArray:
    """Evaluate the curves with their end polynomials continued beyond [a, b].

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    x : (batch, n_in)

    Returns
    -------
    values : (batch, n_out, n_in)

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite.

    Notes
    -----
    The diagonal of :eq:`blossom`; no basis function is evaluated. A breakpoint belongs to the piece
    on its right, b to the last one.
    """
    degree = checks.integer("degree", degree, low=0)
    knots, coef = _check_curves(knots, degree, coef)
    return continue_curves(knots, degree, coef, checks.array("x", x, ("batch", len(knots))))


def continue_curves(knots: FloatArray, degree: int, coef: FloatArray, x: FloatArray) -> FloatArray:
    """Return `continued_values` of checked arguments, (batch, n_out, n_in)."""
    piece = _find_pieces(breakpoints(knots, degree), x.T)
    diagonal = np.repeat(x.T[:, :, None], degree, axis=2)
    return polar_form(knots, degree, coef, piece, diagonal).transpose(2, 0, 1)


def blossom_coef(knots: object, degree: int, coef: object, new_knots: object) -> FloatArray:
    """Return the coefficients of the same curves on new knot vectors.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any number)
        May reach beyond the old [a, b], where the end polynomials are continued.

    Returns
    -------
    coef : (n_out, n_in, n_basis of the new knot vectors)

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite.

    Notes
    -----
    Implements :eq:`blossom-coef`. Exact on the new [a, b] where the new breakpoints include all the
    old ones (`refined_grids.is_nested`); else every coefficient is exact for one piece under its
    basis function. That piece is the one under the middle of the part of the support that lies in
    the new [a, b]: this keeps extrapolation smallest.

    Examples
    --------
    >>> blossom_coef([[0.0, 1.0, 2.0, 3.0]], 1, [[[5.0, 7.0]]], [[0.5, 1.0, 1.5, 2.0, 2.5]])
    array([[[5., 6., 7.]]])
    """
    degree = checks.integer("degree", degree, low=0)
    knots, coef, new_knots = _check_move(knots, degree, coef, new_knots)
    return transfer_coef(knots, degree, coef, new_knots)


def transfer_coef(
    knots: FloatArray, degree: int, coef: FloatArray, new_knots: FloatArray
) -> FloatArray:
    """Return `blossom_coef` of checked arguments, (n_out, n_in, new n_basis)."""
    n_new = new_knots.shape[1] - degree - 1
    # [eq:blossom-coef]
    window = np.arange(n_new)[:, None] + np.arange(1, degree + 1)
    arguments = new_knots[:, window]
    piece = _find_pieces(breakpoints(knots, degree), _middles_under_bases(new_knots, degree))
    # [/eq:blossom-coef]
    return polar_form(knots, degree, coef, piece, arguments)


def insert_knots(knots: object, degree: int, coef: object, new_knots: object) -> FloatArray:
    """Return the coefficients of the same curves on knot vectors that contain all the old knots.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any number)
        Every old knot at least as often as in `knots`; the others between the first and the last.

    Returns
    -------
    coef : (n_out, n_in, n_basis of the new knot vectors)
        The curves are the same everywhere, even outside [a, b].

    Raises
    ------
    ValueError, TypeError
        Wrong shapes, decreasing knots, numbers that are not finite; a new knot vector in which an
        old knot is missing, or that reaches beyond the old one.

    Examples
    --------
    >>> insert_knots([[0.0, 1.0, 2.0, 3.0]], 1, [[[5.0, 7.0]]], [[0.0, 1.0, 1.5, 2.0, 3.0]])
    array([[[5., 6., 7.]]])
    """
    degree = checks.integer("degree", degree, low=0)
    knots, coef, new_knots = _check_move(knots, degree, coef, new_knots)
    check_kept_knots(knots, new_knots)
    beyond = (new_knots[:, 0] < knots[:, 0]) | (new_knots[:, -1] > knots[:, -1])
    if beyond.any():
        i = int(np.argmax(beyond))
        raise ValueError(
            f"new_knots reaches from {new_knots[i, 0]} to {new_knots[i, -1]} in row {i}, but must "
            f"not reach beyond knots, from {knots[i, 0]} to {knots[i, -1]}: leave out the knots "
            "beyond"
        )
    return coef_with_knots(knots, degree, coef, new_knots)


def coef_with_knots(
    knots: FloatArray, degree: int, coef: FloatArray, new_knots: FloatArray
) -> FloatArray:
    """Return `insert_knots` of checked arguments, (n_out, n_in, new n_basis).

    Copies of the first and the last knot beyond them, with basis functions of coefficient 0, make
    the outer intervals pieces like all others.
    """
    pads = ((0, 0), (degree, degree))
    old, new = np.pad(knots, pads, mode="edge"), np.pad(new_knots, pads, mode="edge")
    moved = transfer_coef(old, degree, np.pad(coef, ((0, 0), *pads)), new)
    return moved[:, :, degree : moved.shape[2] - degree]


def _check_curves(knots: object, degree: int, coef: object) -> tuple[FloatArray, FloatArray]:
    """Check knot vectors and the coefficients of curves on them, and return both as float64."""
    vectors = check_knots("knots", knots, degree)
    n_basis = vectors.shape[1] - degree - 1
    return vectors, checks.array("coef", coef, ("n_out", len(vectors), n_basis))


def _check_move(
    knots: object, degree: int, coef: object, new_knots: object
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Check curves and the knot vectors to which they move, and return all as float64."""
    vectors, curves = _check_curves(knots, degree, coef)
    moved_to = check_knots("new_knots", new_knots, degree)
    if len(moved_to) != len(vectors):
        raise ValueError(
            f"new_knots has {len(moved_to)} rows, but knots has {len(vectors)}: "
            "both need one per input"
        )
    return vectors, curves, moved_to


def _find_pieces(grid: FloatArray, x: FloatArray) -> IntArray:
    """Return the non-empty interval of each grid that contains x (n_in, any), else the nearest."""
    pieces = np.empty(x.shape, dtype=np.intp)
    for row, own, found in zip(grid, x, pieces, strict=True):
        found[:] = np.searchsorted(row, own, side="right") - 1
    first = np.sum(grid == grid[:, :1], axis=1, keepdims=True) - 1
    last = grid.shape[1] - np.sum(grid == grid[:, -1:], axis=1, keepdims=True) - 1
    return np.clip(pieces, first, last)


def _middles_under_bases(knots: FloatArray, degree: int) -> FloatArray:
    """Return the middle of each support's part in [a, b], (n_in, n_basis)."""
    grid = breakpoints(knots, degree)
    low = np.maximum(knots[:, : -degree - 1], grid[:, :1])
    high = np.minimum(knots[:, degree + 1 :], grid[:, -1:])
    # between neighbours in float64 the middle rounds to an end, which must be the left one
    return np.minimum(low + 0.5 * (high - low), np.nextafter(high, -np.inf))


def _farthest_first(arguments: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Sort the arguments (n_in, n_new, degree) by decreasing distance from their piece.

    The last levels of (B17) divide by the shortest spans, so they take the nearest arguments.
    """
    ascending = np.sort(arguments)
    distance = np.maximum(low - ascending, ascending - high)
    return np.take_along_axis(ascending, np.argsort(-distance), 2)
