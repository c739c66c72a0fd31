"""Products with the Jacobian of all predictions, without the Jacobian, and its Kronecker factors.

A direction theta' of the parameters moves the outputs of layer l by y'_l. With
x'_0 = 0 and x'_{l+1} = y'_l,

    (L33)  y' = base W'^T + F C'^T + sum_i phi'_ji(x_i) x'_i,
           W' = mask w_base',    C' = mask (w_spline' coef + w_spline coef')

by the product rule on (L1); symbolic edges add (c f'(u) x_i, c f'(u), f(u), 1) times their
(a', b', c', d'), as in (L20). The last y' is J theta'. The product with J^T is the backward pass
(L14), (L15). Both take the derivatives phi'_ji(x_bi) of all edges, which are evaluated once.

For preconditioners, by (L16) and (L17) of `jacobian`, the row of sample b and output o has, for an
edge from i to j that is not masked,

    (L34)  d prediction / d coef_jim   = S_(b,o),j w_spline_ji B_m(x_bi)
           d prediction / d w_base_ji  = S_(b,o),j b(x_bi)

a product of a factor of j and one of the feature (i, m) or i, as `KroneckerBlock` of
`kan_ref.numerics` needs. The sums of products over all samples are

    (L35)  outputs_jj' = sum_b,o S_(b,o),j S_(b,o),j'
           features    = F^T F,    where F has the columns B_m(x_i), then b(x_i)

Weights of splines and symbolic edges have no such form.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import spline_sums
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import symbolic_edges
from kan_ref.network.cache import Cache
from kan_ref.network.layer import Layer, edge_slopes, parameter_gradients
from kan_ref.numerics import KroneckerBlock, RowSparse, normal_matrix

# of a layer, beyond which its eigenvectors cost too much: 0.4 s and 25 MiB at 1000
_MOST_FEATURES = 1000
Factors = list[tuple[FloatArray, FloatArray] | None]


@dataclass(frozen=True, eq=False)
class Tangent:
    """The derivative of predictions (batch, n_out) with respect to theta, as a linear map.

    `caches` are those of a forward pass, `slopes` the derivatives (batch, n_out, n_in) of the edges
    of all layers but the first.
    """

    layers: Sequence[Layer]
    caches: Sequence[Cache]
    slopes: Sequence[FloatArray]

    @classmethod
    def of(cls, layers: Sequence[Layer], caches: Sequence[Cache]) -> "Tangent":
        """Evaluate the derivatives of all edges."""
        pairs = zip(layers[1:], caches[1:], strict=True)
        return cls(layers, caches, [edge_slopes(layer, cache) for layer, cache in pairs])

    def multiply(self, direction: FloatArray) -> FloatArray:
        """Return J u as (batch, n_out), for u (n_params,).

        Notes
        -----
        Implements :eq:`tangent-sweep`. About one forward pass.
        """
        moved: FloatArray | None = None
        start = 0
        for number, (layer, cache) in enumerate(zip(self.layers, self.caches, strict=True)):
            part = direction[start : start + layer.n_params]
            start += layer.n_params
            ends = np.cumsum([layer.coef.size, layer.w_base.size, layer.w_spline.size])
            d_coef, d_base, d_spline, d_affine = np.split(part, ends)
            d_coef = d_coef.reshape(layer.coef.shape)
            d_base, d_spline = (one.reshape(layer.mask.shape) for one in (d_base, d_spline))
            # [eq:tangent-sweep]
            matrix = layer.w_spline[:, :, None] * d_coef + d_spline[:, :, None] * layer.coef
            matrix *= layer.mask[:, :, None]
            y = ((layer.mask * d_base) @ cache.base.T).T
            y = y + spline_sums(matrix.reshape(layer.n_out, -1), cache.bases)
            if moved is not None:
                y += np.einsum("bji,bi->bj", self.slopes[number - 1], moved)
            # [/eq:tangent-sweep]
            if layer.symbolic:
                _add_symbolic(layer, cache, d_affine.reshape(-1, 4), y)
            moved = y
        assert moved is not None  # a network has at least one layer
        return moved

    def multiply_transposed(self, dy: FloatArray) -> FloatArray:
        """Return J^T v, (n_params,), for v as dy (batch, n_out).

        Notes
        -----
        (L14) and (L15). About one forward pass.
        """
        pieces: list[FloatArray] = []
        for number in range(len(self.layers) - 1, -1, -1):
            pieces[:0] = parameter_gradients(self.layers[number], self.caches[number], dy)
            if number:
                dy = np.einsum("bj,bji->bi", dy, self.slopes[number - 1])
        return np.concatenate([piece.reshape(-1) for piece in pieces])


def _add_symbolic(layer: Layer, cache: Cache, d_affine: FloatArray, y: FloatArray) -> None:
    """Add what the directions (n_rows, 4) of a, b, c, d change in the outputs y (batch, n_out)."""
    terms = symbolic_edges.affine_slopes(layer.symbolic, layer.affine, cache.inputs)
    for number, edge in enumerate(layer.symbolic):
        y[:, edge.output] += terms[:, number] @ d_affine[edge.row]


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
    places = bases.places.T.reshape(batch, -1)
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
