"""Kronecker factors of the Jacobian of all predictions, for preconditioners.

By (L16) and (L17) of `jacobian`, the row of sample b and output o has, for an edge from i to j that
is not masked,

    (L34)  d prediction / d coef_jim   = S_(b,o),j w_spline_ji B_m(x_bi)
           d prediction / d w_base_ji  = S_(b,o),j b(x_bi)

a product of a factor of j and one of the feature (i, m) or i, as `numerics.kronecker` needs. The
sums of products over all samples are

    (L35)  outputs_jj' = sum_b,o S_(b,o),j S_(b,o),j'
           features    = F^T F,    where F has the columns B_m(x_i), then b(x_i)

Weights of splines and symbolic edges have no such form.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.network.layer import Layer
from kan_ref.network.tangent import Tangent
from kan_ref.numerics import KroneckerBlock, RowSparse, normal_matrix

# of a layer, beyond which its eigenvectors cost too much: 0.4 s and 25 MiB at 1000
_MOST_FEATURES = 1000

Factors = list[tuple[FloatArray, FloatArray] | None]


def factors(tangent: Tangent) -> Factors:
    """Return the outputs' and the features' sums (L35) of each layer.

    None stands for a layer with more than 1000 features or outputs.

    Notes
    -----
    Implements :eq:`kronecker-factors`.
    """
    found: Factors = []
    n_last = tangent.layers[-1].n_out
    # S of the current layer, (batch, n_last, n_out); None stands for the unit matrix
    sensitivity: FloatArray | None = None
    for number in range(len(tangent.layers) - 1, -1, -1):
        layer, cache = tangent.layers[number], tangent.caches[number]
        if max(layer.n_in * (layer.n_basis + 1), layer.n_out) > _MOST_FEATURES:
            found.insert(0, None)
        else:
            # [eq:kronecker-factors]
            if sensitivity is None:
                outputs = len(cache.base) * np.eye(n_last)
            else:
                every = sensitivity.reshape(-1, layer.n_out)
                outputs = every.T @ every
            found.insert(0, (outputs, _feature_products(layer, tangent, number)))
            # [/eq:kronecker-factors]
        if number:
            slopes = tangent.slopes[number - 1]
            sensitivity = (
                slopes if sensitivity is None else np.einsum("boj,bji->boi", sensitivity, slopes)
            )
    return found


def sum_factors(one: Factors, two: Factors) -> Factors:
    """Return the sums of two chunks of samples, layer by layer."""
    return [
        None if a is None or b is None else (a[0] + b[0], a[1] + b[1])
        for a, b in zip(one, two, strict=True)
    ]


def _feature_products(layer: Layer, tangent: Tangent, number: int) -> FloatArray:
    """Compute F^T F of one layer."""
    cache = tangent.caches[number]
    batch, bases = len(cache.base), cache.bases
    if bases.dense is not None:
        dense = np.concatenate([bases.dense.T, cache.base.T])
        products: FloatArray = dense @ dense.T
        return products
    places = np.moveaxis(bases.places, 0, 2).reshape(batch, -1)
    values = np.moveaxis(bases.values, 0, 2).reshape(batch, -1)
    base_places = np.broadcast_to(bases.n_columns + np.arange(layer.n_in), cache.base.shape)
    rows = RowSparse(
        np.concatenate([places, base_places], axis=1),
        np.concatenate([values, cache.base], axis=1),
        bases.n_columns + layer.n_in,
    )
    return normal_matrix(rows)


def kronecker_blocks(
    layers: Sequence[Layer], sums: Factors, squares: FloatArray
) -> list[KroneckerBlock]:
    """Return the blocks of a network, from the sums (L35) and the squared norms of the columns."""
    blocks, start = [], 0
    for layer, pair in zip(layers, sums, strict=True):
        if pair is not None:
            columns = _columns(layer, start)
            weights = np.repeat(layer.w_spline, layer.n_basis, axis=1)
            signs = np.concatenate([np.sign(weights), np.ones_like(layer.w_base)], axis=1)
            signs *= squares[columns] > 0.0
            blocks.append(KroneckerBlock.of(columns, signs, *pair))
        start += layer.n_params
    return blocks


def _columns(layer: Layer, start: int) -> IntArray:
    """Return the places in theta of coef and w_base, (n_out, n_in n_basis + n_in)."""
    coef = start + np.arange(layer.coef.size).reshape(layer.n_out, -1)
    base = start + layer.coef.size + np.arange(layer.w_base.size).reshape(layer.n_out, -1)
    return np.concatenate([coef, base], axis=1)
