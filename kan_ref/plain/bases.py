"""B-spline basis functions and their derivatives by the recursion of Cox and de Boor.

On knots t_0 <= t_1 <= ... they are, with 0/0 := 0 (A Practical Guide to Splines, ch. IX and X),

    B_{m,0}(x)  = 1 where t_m <= x < t_{m+1}, else 0 (the last non-empty interval contains its end)
    T_{m,d}(x)  = B_{m,d-1}(x) / (t_{m+d} - t_m)
    B_{m,d}(x)  = (x - t_m) T_{m,d}(x) + (t_{m+d+1} - x) T_{m+1,d}(x)
    B'_{m,d}(x) = d (T_{m,d}(x) - T_{m+1,d}(x))
"""

import numpy as np


def basis_and_slope(x, knots, degree):
    """Return B_m(x), B'_m(x), (batch, n_in, n_basis), at x (batch, n_in), knots (n_in, n_knots)."""
    # [eq:plain-basis]
    start, end, x = knots[:, :-1], knots[:, 1:], x[:, :, None]
    closed = (start < end) & (end == knots[:, -1:])
    basis = 0.0 * x + ((start <= x) & ((x < end) | (closed & (x == end))))  # nan stays nan
    left, right, basis_slope = x - knots, knots - x, 0.0 * basis
    for d in range(1, degree + 1):
        width = right[:, :, d:] + left[:, :, :-d]  # t_{m+d} - t_m, rounded as in kan_ref.bspline
        T = np.divide(basis, width, out=0.0 * basis, where=width != 0)
        basis_slope = d * (T[:, :, :-1] - T[:, :, 1:])
        basis = left[:, :, : -d - 1] * T[:, :, :-1] + right[:, :, d + 1 :] * T[:, :, 1:]
    # [/eq:plain-basis]
    return basis, basis_slope


def uniform_knots(low, high, n_intervals, degree):
    """Return a grid on [low, high], (n_in,) each, with `degree` more knots on both sides."""
    # [eq:plain-knots]
    outer = degree * (high - low) / n_intervals
    return np.linspace(low - outer, high + outer, n_intervals + 2 * degree + 1, axis=1)
    # [/eq:plain-knots]
