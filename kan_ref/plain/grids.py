"""Finer grids: every spline is fitted again by least squares (Liu et al. 2024, eq. 2.16).

    coef' = argmin  sum_n (sum_m coef'_m B'_m(x_n) - sum_m coef_m B_m(x_n))^2,   B' on the new grid

If the new grid contains the breakpoints of the old one, the minimum is 0 on [a, b].
"""

import numpy as np

from kan_ref.plain.bases import basis_and_slope, uniform_knots
from kan_ref.plain.layer import Layer


def extend_grid(layers, n_intervals):
    """Return layers with nearly the same functions on uniform grids of n_intervals intervals."""
    finer = []
    for old in layers:
        low, high = old.knots[:, old.degree], old.knots[:, -old.degree - 1]  # a and b
        knots = uniform_knots(low, high, n_intervals, old.degree)
        n_points = 4 * (old.degree + 1) * n_intervals
        x = np.linspace(low, high, 2 * n_points + 1)[1::2]  # inside the new intervals
        old_basis, _ = basis_and_slope(x, old.knots, old.degree)
        new_basis, _ = basis_and_slope(x, knots, old.degree)
        # [eq:plain-extension]
        spline = np.einsum("bim,jim->ibj", old_basis, old.coef)
        coef = np.einsum("imb,ibj->jim", np.linalg.pinv(new_basis.swapaxes(0, 1)), spline)
        # [/eq:plain-extension]
        finer.append(Layer(knots, coef, old.w_base, old.w_spline, old.mask))
    return finer
