"""One layer: a learnable function phi_ji on the edge from each input i to each output j.

    y_j = sum_i phi_ji(x_i),   phi_ji(x) = w_base_ji b(x) + w_spline_ji sum_m coef_jim B_m(x)

Liu et al. 2024, eqs. 2.5 and 2.10-2.12, with b(x) = x / (1 + exp(-x)). A mask of 0 removes an edge.
The backward pass is the chain rule: the forward pass line by line, from the last line to the first.
"""

import numpy as np

from kan_ref.plain.bases import basis_and_slope


class Layer:
    """Copies of a layer's arrays, as [out, in]: knots (n_in, n_knots), mask of 1 and 0."""

    def __init__(self, knots, coef, w_base, w_spline, mask):
        self.knots, self.mask = knots.copy(), mask.copy()
        self.coef = coef.reshape(*mask.shape, -1).copy()  # (n_out, n_in, n_basis)
        self.w_base, self.w_spline = (w.reshape(mask.shape).copy() for w in (w_base, w_spline))
        self.parameters = [self.coef, self.w_base, self.w_spline]
        self.degree = knots.shape[1] - self.coef.shape[2] - 1


def silu_and_slope(x):
    """Return b(x) and b'(x)."""
    # [eq:plain-silu]
    sigmoid = 1.0 / (1.0 + np.exp(-x))
    return x * sigmoid, sigmoid + x * sigmoid * (1.0 - sigmoid)
    # [/eq:plain-silu]


def forward(layer, x):
    """Return y (batch, n_out) at x (batch, n_in), and the arrays that `backward` needs."""
    # [eq:plain-forward]
    basis, basis_slope = basis_and_slope(x, layer.knots, layer.degree)  # line 1
    base, base_slope = silu_and_slope(x)  # line 2
    spline = np.einsum("bim,jim->bji", basis, layer.coef)  # line 3
    phi = layer.w_base * base[:, None, :] + layer.w_spline * spline  # line 4
    y = np.einsum("bji,ji->bj", phi, layer.mask)  # line 5
    # [/eq:plain-forward]
    return y, (basis, basis_slope, base, base_slope, spline, phi)


def backward(layer, cache, dy):
    """Return dx (batch, n_in) and [d_coef, d_w_base, d_w_spline] from dy (batch, n_out)."""
    basis, basis_slope, base, base_slope, spline, _ = cache
    # [eq:plain-backward]
    d_phi = dy[:, :, None] * layer.mask  # of line 5, (batch, n_out, n_in)
    d_w_base = np.einsum("bji,bi->ji", d_phi, base)  # of line 4
    d_base = np.einsum("bji,ji->bi", d_phi, layer.w_base)  # of line 4
    d_w_spline = np.einsum("bji,bji->ji", d_phi, spline)  # of line 4
    d_spline = d_phi * layer.w_spline  # of line 4
    d_coef = np.einsum("bji,bim->jim", d_spline, basis)  # of line 3
    d_basis = np.einsum("bji,jim->bim", d_spline, layer.coef)  # of line 3
    dx = d_base * base_slope + np.einsum("bim,bim->bi", d_basis, basis_slope)  # of lines 2, 1
    # [/eq:plain-backward]
    return dx, [d_coef, d_w_base, d_w_spline]
