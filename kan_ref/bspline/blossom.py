"""Moving a spline to another knot row without data: the blossom, and two classical algorithms that agree with it.

Theorem (blossoming; Ramshaw 1989; de Boor's algorithm with a different argument at every level). Each polynomial piece
F of degree k has one symmetric function f(u_1, ..., u_k), affine in every argument, with f(x, ..., x) = F(x). For the
piece on a non-empty interval [t_J, t_{J+1}) of a knot row, d^0_m = coef_m, and m = J-k+l, ..., J at level l = 1, ..., k,

    (I1)  d^l_m = (1 - alpha) d^{l-1}_{m-1} + alpha d^{l-1}_m,   alpha = (u_l - t_m) / (t_{m+k+1-l} - t_m)
    (I2)  f(u_1, ..., u_k) = d^k_J
    (I3)  coef_m = f(t_{m+1}, ..., t_{m+k})                      whichever non-empty piece under B_m gives f

Every denominator of (I1) spans [t_J, t_{J+1}], so repeated knots need no care. By (I3) a curve moves to a row t' by taking,
for each new m, the blossom of a piece under the new B_m at t'_{m+1}, ..., t'_{m+k}: exactly, where the new row has the
old breakpoints; arguments beyond the old [a, b] continue its end polynomials.

Two independent ways, for new rows that contain the old one. One knot t (Boehm 1980):

    (I4)  coef'_m = (1 - alpha_m) coef_{m-1} + alpha_m coef_m,   alpha_m = (t - t_m) / (t_{m+k} - t_m) held in [0, 1]

and a whole row t' at once (the Oslo algorithm; Cohen, Lyche & Riesenfeld 1980), with 0/0 := 0:

    (I5)  A^0_{n,m} = 1 where t_m <= t'_n < t_{m+1}, else 0;     w_{m,d} = (t'_{n+d} - t_m) / (t_{m+d} - t_m)
    (I6)  A^d_{n,m} = w_{m,d} A^{d-1}_{n,m} + (1 - w_{m+1,d}) A^{d-1}_{n,m+1},    coef'_n = sum_m A^k_{n,m} coef_m
"""

import numpy as np

from kan_ref.bspline.knots import breakpoints, check_knots
from kan_ref.checks import (
    FloatArray,
    IntArray,
    check_finite,
    check_float_array,
    check_integer,
    check_number,
)


def blossom(
    knots: object, degree: int, coef: object, piece: object, arguments: object
) -> FloatArray:
    """Value of the polar form of one polynomial piece of each curve at `degree` arguments.

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
        Wrong shapes; a piece that is empty or not of the grid; values beyond float64.

    Notes
    -----
    Implements :eq:`blossom`. Cost: degree (degree + 1) / 2 affine combinations for each value.

    Examples
    --------
    The polar form of x^2 on one piece is f(u, v) = u v:

    >>> blossom([[-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]], 2, [[[0.0, 0.0, 2.0]]], [[0]], [[[3.0, 5.0]]])
    array([[[15.]]])
    """
    degree = check_integer("degree", degree, low=0)
    rows, values = _curves(knots, degree, coef)
    n_in, n_intervals = rows.shape[0], rows.shape[1] - 2 * degree - 1
    pieces = np.asarray(piece)
    if pieces.dtype.kind not in "iu":
        raise TypeError(f"piece has dtype {pieces.dtype}, but needs integers")
    if pieces.ndim != 2 or len(pieces) != n_in:
        raise ValueError(f"piece has shape {pieces.shape}, but needs shape ({n_in}, n_new)")
    points = check_float_array("arguments", arguments, (n_in, pieces.shape[1], degree))
    grid = breakpoints(rows, degree)
    for (i, n), g in np.ndenumerate(pieces):
        if not 0 <= g < n_intervals:
            raise ValueError(
                f"piece is {g} at row {i}, column {n}, but the grid has {n_intervals} intervals, 0 to {n_intervals - 1}"
            )
        if grid[i, g] == grid[i, g + 1]:
            raise ValueError(
                f"piece is {g} at row {i}, column {n}, but that interval is empty: it begins and ends at {grid[i, g]}"
            )
    return _blossom(rows, degree, values, pieces.astype(np.intp), points)


def continued_values(knots: object, degree: int, coef: object, x: object) -> FloatArray:
    """Values of the curves, whose end polynomials go on beyond [a, b] instead of fading.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    x : (batch, n_in)

    Returns
    -------
    values : (batch, n_out, n_in)

    Notes
    -----
    The diagonal of :eq:`blossom`: no basis is evaluated. At a breakpoint the piece on its right, at b the last one.
    """
    degree = check_integer("degree", degree, low=0)
    rows, values = _curves(knots, degree, coef)
    points = check_float_array("x", x, ("batch", len(rows))).T
    diagonal = np.repeat(points[:, :, None], degree, axis=2)
    return _blossom(
        rows, degree, values, _owning_piece(breakpoints(rows, degree), points), diagonal
    ).transpose(2, 0, 1)


def blossom_coef(knots: object, degree: int, coef: object, new_knots: object) -> FloatArray:
    """Coefficients on the new rows of the curves on the old ones, their end polynomials continued beyond the old [a, b].

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int
    coef : (n_out, n_in, n_basis)
    new_knots : (n_in, any number)

    Returns
    -------
    coef : (n_out, n_in, number of bases of the new rows)

    Notes
    -----
    Implements :eq:`blossom-coef`. Exact on the new [a, b] where its breakpoints inside the old [a, b] include all the old
    ones (`knots.is_nested`); else every coefficient is right for one piece under its basis. That piece is the one under the
    middle of the part of the basis's support that lies in the new [a, b]: least is extrapolated from there.

    Examples
    --------
    >>> blossom_coef([[0.0, 1.0, 2.0, 3.0]], 1, [[[5.0, 7.0]]], [[0.5, 1.0, 1.5, 2.0, 2.5]])
    array([[[5., 6., 7.]]])
    """
    degree = check_integer("degree", degree, low=0)
    rows, values = _curves(knots, degree, coef)
    new_rows = check_knots("new_knots", new_knots, degree)
    if len(new_rows) != len(rows):
        raise ValueError(
            f"new_knots has {len(new_rows)} rows, but knots has {len(rows)}: both need one per input"
        )
    n_new = new_rows.shape[1] - degree - 1
    # [eq:blossom-coef]
    window = np.arange(n_new)[:, None] + np.arange(1, degree + 1)
    arguments = new_rows[:, window]
    piece = _owning_piece(breakpoints(rows, degree), _middles_under_bases(new_rows, degree))
    # [/eq:blossom-coef]
    return _blossom(rows, degree, values, piece, arguments)


def insert_knot(
    knots_row: object, degree: int, coef_rows: object, t: float
) -> tuple[FloatArray, FloatArray]:
    """The row with one more knot, and the coefficients of the same curves on it: the same everywhere, also where they fade.

    Parameters
    ----------
    knots_row : (n_knots,)
    degree : int
    coef_rows : (n_curves, n_basis)
    t : float
        Between the first and the last knot.

    Returns
    -------
    knots_row : (n_knots + 1,)
    coef_rows : (n_curves, n_basis + 1)

    Notes
    -----
    Implements :eq:`boehm`.

    Examples
    --------
    >>> insert_knot([0.0, 1.0, 2.0, 3.0], 1, [[5.0, 7.0]], 1.5)
    (array([0. , 1. , 1.5, 2. , 3. ]), array([[5., 6., 7.]]))
    """
    degree = check_integer("degree", degree, low=0)
    row = check_knots("knots_row", [knots_row], degree)[0]
    n_basis = len(row) - degree - 1
    coef = check_float_array("coef_rows", coef_rows, ("n_curves", n_basis))
    t = check_number("t", t, low=float(row[0]), high=float(row[-1]))
    nothing = np.zeros((len(coef), 1))
    # [eq:boehm]
    low, high = row[: n_basis + 1], row[degree : degree + n_basis + 1]
    alpha = np.where(
        t >= high, 1.0, (np.clip(t, low, high) - low) / np.where(high > low, high - low, 1.0)
    )
    moved = (1.0 - alpha) * np.hstack([nothing, coef]) + alpha * np.hstack([coef, nothing])
    # [/eq:boehm]
    return np.insert(row, np.searchsorted(row, t, side="right"), t), moved


def refinement_matrix(knots_row: object, degree: int, new_knots_row: object) -> FloatArray:
    """Matrix that takes the coefficients on a row to those of the same curve on a row that contains all its knots.

    Parameters
    ----------
    knots_row : (n_knots,)
    degree : int
    new_knots_row : (any number,)
        Every old knot at least as often as in the old row.

    Returns
    -------
    matrix : (n_new, n_basis)
        Not negative; a row sums to 1 where the support of its new basis lies in the old [a, b].

    Raises
    ------
    ValueError, TypeError
        A row that is none, or a new row that misses a knot.

    Notes
    -----
    Implements :eq:`oslo`.

    Examples
    --------
    >>> refinement_matrix([0.0, 1.0, 2.0, 3.0], 1, [0.0, 1.0, 1.5, 2.0, 3.0])
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    degree = check_integer("degree", degree, low=0)
    old = check_knots("knots_row", [knots_row], degree)[0]
    new = check_knots("new_knots_row", [new_knots_row], degree)[0]
    values, wanted = np.unique(old, return_counts=True)
    found = np.searchsorted(new, values, side="right") - np.searchsorted(new, values, side="left")
    if (found < wanted).any():
        m = int(np.argmax(found < wanted))
        raise ValueError(
            f"new_knots_row has {values[m]} {found[m]} times, but knots_row has it {wanted[m]} times: every knot must stay"
        )
    n_new = len(new) - degree - 1
    start = new[:n_new, None]
    # [eq:oslo]
    matrix: FloatArray = ((old[:-1] <= start) & (start < old[1:])).astype(np.float64)
    for d in range(1, degree + 1):
        low, high = old[:-d], old[d:]
        # where an entry is not zero the place lies between low and high already; elsewhere the quotient might overflow
        place, span = (
            np.clip(new[d : d + n_new, None], low, high),
            np.where(high > low, high - low, np.inf),
        )
        matrix = ((place - low) / span * matrix)[:, :-1] + ((high - place) / span * matrix)[:, 1:]
    # [/eq:oslo]
    return matrix


def _curves(knots: object, degree: int, coef: object) -> tuple[FloatArray, FloatArray]:
    rows = check_knots("knots", knots, degree)
    return rows, check_float_array("coef", coef, ("n_out", len(rows), rows.shape[1] - degree - 1))


def _owning_piece(grid: FloatArray, x: FloatArray) -> IntArray:
    """Non-empty interval of each row of `grid` that owns each x (n_in, any); beyond the grid the first or the last."""
    pieces = np.empty(x.shape, dtype=np.intp)
    for i, row in enumerate(grid):
        first = np.searchsorted(row, row[0], side="right") - 1
        last = np.searchsorted(row, row[-1], side="left") - 1
        pieces[i] = np.clip(np.searchsorted(row, x[i], side="right") - 1, first, last)
    return pieces


def _middles_under_bases(rows: FloatArray, degree: int) -> FloatArray:
    """Middle of what each basis covers of [a, b], (n_in, n_basis)."""
    grid = breakpoints(rows, degree)
    low = np.maximum(rows[:, : -degree - 1], grid[:, :1])
    high = np.minimum(rows[:, degree + 1 :], grid[:, -1:])
    # between neighbours in float64 the middle rounds to an end, which must be the lower: intervals own their left ends
    return np.minimum(low + 0.5 * (high - low), np.nextafter(high, -np.inf))


def _blossom(
    rows: FloatArray, degree: int, coef: FloatArray, piece: IntArray, arguments: FloatArray
) -> FloatArray:
    inputs = np.arange(len(rows))[:, None, None]
    live = piece[:, :, None] + np.arange(degree + 1)
    ordered = _farthest_first(
        arguments, rows[inputs, live[:, :, -1:]], rows[inputs, live[:, :, -1:] + 1]
    )
    d = coef[:, inputs, live]
    with np.errstate(over="ignore", invalid="ignore"):
        # [eq:blossom]
        for level in range(1, degree + 1):
            u, m = ordered[:, :, level - 1 : level], live[:, :, level:]
            low, high = rows[inputs, m], rows[inputs, m + degree + 1 - level]
            alpha = (u - low) / (high - low)
            d = (1.0 - alpha) * d[..., :-1] + alpha * d[..., 1:]
        # [/eq:blossom]
    values = d[..., 0]
    check_finite("the continued curve", values)
    return values


def _farthest_first(arguments: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """The arguments (n_in, n_new, degree) by falling distance from their piece: the last levels divide by the shortest spans."""
    rising = np.sort(arguments, axis=2)
    distance = np.maximum(low - rising, rising - high)
    return np.take_along_axis(rising, np.argsort(-distance, axis=2, kind="stable"), axis=2)
