"""Squared column norms of the Jacobian of all predictions, without the Jacobian.

How strongly a parameter changes the predictions on all samples is measured by

    (L27)  d_p = sum_n (d prediction_n / d theta_p)^2,    n = (sample b, output o)

the diagonal of J^T J. With S of `jacobian`, (L16)-(L18) give for each edge of a layer, where the
edge is not masked,

    (L28)  q_bj              = sum_o S[(b, o), j]^2
    (L29)  d of coef_jim     = w_spline_ji^2 sum_b q_bj B_m(x_bi)^2
           d of w_base_ji    = sum_b q_bj b(x_bi)^2
           d of w_spline_ji  = sum_b q_bj (sum_m coef_jim B_m(x_bi))^2

So (L27) takes little more than one backward pass per output. One backward pass of squares alone,
q_bi = sum_j q_bj phi'_ji(x_bi)^2, would be exact for two layers only: in a deeper network the paths
from a node to an output add up before the square.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.bspline import edge_sums, matrix_gradient, squared
from kan_ref.checks import FloatArray
from kan_ref.network.cache import Cache
from kan_ref.network.jacobian import formula_rows
from kan_ref.network.layer import Layer, edge_slopes
from kan_ref.numerics import RowSparse, column_squares


def prediction_column_squares(layers: Sequence[Layer], caches: Sequence[Cache]) -> FloatArray:
    """Compute (L27), the squared norms of the columns of `prediction_jacobian`, (n_params,).

    Parameters
    ----------
    layers : sequence of Layer
        Of one network.
    caches : sequence of Cache
        From a forward pass; the first may lack derivatives.

    Returns
    -------
    squares : (n_params,)
        At least 0, in the order of theta; 0 for parameters of masked edges, and for coefficients of
        basis functions that are 0 at all samples.

    Notes
    -----
    Implements :eq:`column-squares`. Memory: 8 bytes times batch times the largest n_out n_in of a
    layer, a few times.
    """
    pieces: list[FloatArray] = []
    # S of the current layer, (batch, n_last, n_out); None stands for the unit matrix
    sensitivity: FloatArray | None = None
    for number in range(len(layers) - 1, -1, -1):
        layer, cache = layers[number], caches[number]
        pieces[:0] = _layer_squares(layer, cache, sensitivity)
        if number:
            slopes = edge_slopes(layer, cache)
            sensitivity = (
                slopes if sensitivity is None else np.einsum("boj,bji->boi", sensitivity, slopes)
            )
    return np.concatenate([piece.reshape(-1) for piece in pieces])


def _layer_squares(
    layer: Layer, cache: Cache, sensitivity: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Compute (L29) of one layer, and the same of its symbolic edges, in the order of theta."""
    batch, n_out = len(cache.base), layer.n_out
    # [eq:column-squares]
    q = np.ones((batch, n_out)) if sensitivity is None else (sensitivity**2).sum(axis=1)
    d_coef = matrix_gradient(q, squared(cache.bases)).reshape(layer.coef.shape)
    d_coef *= ((layer.mask * layer.w_spline) ** 2)[:, :, None]
    d_w_base = layer.mask * (q.T @ cache.base**2)
    splines = edge_sums(layer.coef.reshape(n_out, -1), cache.bases)
    d_w_spline = layer.mask * np.einsum("bj,bji->ji", q, splines**2)
    # [/eq:column-squares]
    d_affine = layer.affine
    if layer.symbolic:
        places, terms = formula_rows(layer, cache, 0, sensitivity)
        n_rows = batch * terms.shape[1]
        rows = RowSparse(
            (places - (layer.n_params - layer.affine.size)).reshape(n_rows, -1),
            terms.reshape(n_rows, -1),
            layer.affine.size,
        )
        d_affine = column_squares(rows)
    return d_coef, d_w_base, d_w_spline, d_affine
