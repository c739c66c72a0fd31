"""Jumps of the highest derivative of a spline at its breakpoints, as weights of its coefficients.

The derivatives of a spline come from its coefficients by differencing them (de Boor, A Practical
Guide to Splines, rev. ed., ch. X, (15)-(16)):

    (B24)  d^(0) = c,   d^(q)_m = (k - q + 1) (d^(q-1)_m - d^(q-1)_{m-1}) / (t_{m+k-q+1} - t_m)

with 0/0 := 0. The k-th derivative is piecewise constant with the values d^(k), so its jump at an
inner breakpoint is a fixed combination of k + 2 coefficients. Times h^k, with h = (b - a) / G, it
does not depend on the units of x.
"""

import numpy as np

from kan_ref.checks import FloatArray


def jump_weights(knots: FloatArray, degree: int) -> FloatArray:
    """Return the jumps of the k-th derivative, times h^k, as weights of degree + 2 coefficients.

    Parameters
    ----------
    knots : (n_in, n_knots)
    degree : int

    Returns
    -------
    weights : (n_in, n_intervals - 1, degree + 2)
        For evenly spaced knots the binomial coefficients with alternating signs.

    Notes
    -----
    Implements :eq:`derivative-jumps`. Beside an empty interval, at a repeated breakpoint, the
    weights are 0: there a spline may be less smooth.
    """
    n_in, n_knots = knots.shape
    n_basis = n_knots - degree - 1
    n_intervals = n_basis - degree
    h = (knots[:, n_knots - 1 - degree] - knots[:, degree]) / n_intervals
    # [eq:derivative-jumps]
    weights = np.ones((n_in, n_basis, 1))
    for q in range(1, degree + 1):
        # h joins each division, so that the powers of h stay of size one
        span = knots[:, degree + 1 : n_knots - q] - knots[:, q:n_basis]
        scale = np.divide(
            (degree - q + 1) * h[:, None], span, out=np.zeros_like(span), where=span > 0
        )
        weights = _differences(weights) * scale[:, :, None]
    filled = np.diff(knots[:, degree : n_knots - degree]) > 0
    return _differences(weights) * (filled[:, :-1] & filled[:, 1:])[:, :, None]
    # [/eq:derivative-jumps]


def _differences(weights: FloatArray) -> FloatArray:
    """Subtract row m - 1 from row m; the result weights one coefficient more, on the left."""
    n_in, n_rows, width = weights.shape
    result = np.zeros((n_in, n_rows - 1, width + 1))
    result[:, :, 1:] = weights[:, 1:]
    result[:, :, :-1] -= weights[:, :-1]
    return result
