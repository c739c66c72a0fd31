"""Products with the Jacobian of all predictions, without the Jacobian.

A direction theta' of the parameters moves the outputs of layer l by y'_l. With
x'_0 = 0 and x'_{l+1} = y'_l,

    (L33)  y' = base W'^T + F C'^T + sum_i phi'_ji(x_i) x'_i,
           W' = mask w_base',    C' = mask (w_spline' coef + w_spline coef')

by the product rule on (L1); symbolic edges add (c f'(u) x_i, c f'(u), f(u), 1) times their
(a', b', c', d'), as in (L20). The last y' is J theta'. The product with J^T is the backward pass
(L14), (L15). Both take the derivatives phi'_ji(x_bi) of all edges, which are evaluated once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import spline_sums
from kan_ref.checks import FloatArray
from kan_ref.network import symbolic_edges
from kan_ref.network.cache import Cache
from kan_ref.network.layer import Layer, edge_slopes, parameter_gradients


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
