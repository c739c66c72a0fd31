"""Jets of the spline edges of one layer as matrix products on the jets of the basis functions.

An edge is linear in its basis functions B_m and in b. So the jets B_m(x)_k and b(x)_k, by (J2)-(J4)
of `jet_kind`, can be computed first, and all components k go through the layer's own matrices C and
W of :eq:`layer-forward`:

    (J14)  y_j,k  = sum_i W_ji b(x_i)_k + sum_im C_jim B_m(x_i)_k
    (J15)  d_W_ji = sum_b sum_k dy_j,k b(x_i)_k,        d_C_jim = sum_b sum_k dy_j,k B_m(x_i)_k
    (J16)  sum_j phi^(q)_ji dy_j = b^(q)(x_i) sum_j W_ji dy_j + sum_m B_m^(q)(x_i) sum_j C_jim dy_j
           for the derivatives of orders q = 1, 2, 3

`jet_layer` computes the same sums from the degree + 1 nonzero basis functions of each sample alone,
and chooses for each layer. Measured gain: value and gradient of the mean squared Laplacian at 1000
points, one thread, median CPU time with gathered sums in all layers divided by that as chosen,

    degree              3    5     3    5
    n_intervals         5    5    20   20
    [2, 64, 64, 1]    5.5  4.8   3.2  3.6
    [2, 10, 1]        1.6  1.5   1.3  1.3
    [2, 5, 5, 1]      1.4  1.4   1.0  1.0

The B_m(x)_k are stored for all n_basis functions of an input, so `jet_layer.evaluate` uses products
only where n_basis n_components is below 40 (degree + 3), and memory does not grow with the grid.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import ActiveBasis
from kan_ref.checks import FloatArray
from kan_ref.network import Layer
from kan_ref.pde.jet_kind import JetKind, chain, upstream_slices


@dataclass(frozen=True, eq=False)
class JetFactors:
    """The jets in (J14).

    `base` (n_in, n_components, batch): the b(x)_k. `basis` (n_in * n_basis, n_components * batch):
    the B_m(x)_k.
    """

    base: FloatArray
    basis: FloatArray

    def __repr__(self) -> str:
        return f"JetFactors(base {self.base.shape}, basis {self.basis.shape})"


def jet_factors(
    layer: Layer,
    kind: JetKind,
    jet: FloatArray,
    quadratic: FloatArray,
    active: ActiveBasis,
    base: tuple[FloatArray, ...],
) -> JetFactors:
    """Return the jets of all basis functions and of b at the layer's input jet."""
    n_columns = kind.n_components * jet.shape[2]
    basis = np.zeros((layer.n_in * layer.n_basis, n_columns))
    places = active.columns.T[:, None] * n_columns + np.arange(n_columns).reshape(jet.shape[1:])
    for r, planes in enumerate(zip(*active.planes[:3], strict=True)):
        own = basis[r:].reshape(-1)
        own[places] = chain(kind, jet, quadratic, [plane.T for plane in planes])
    return JetFactors(chain(kind, jet, quadratic, base[:3]), basis)


# --- forward


def product_outputs(layer: Layer, factors: JetFactors) -> FloatArray:
    """Return the jets of the sums over spline edges, (n_out, n_components, batch), by (J14).

    Notes
    -----
    Implements :eq:`jet-layer-product`.
    """
    # [eq:jet-layer-product]
    y = layer.base_matrix @ factors.base.reshape(layer.n_in, -1)
    y += layer.spline_matrix @ factors.basis
    # [/eq:jet-layer-product]
    return y.reshape(layer.n_out, *factors.base.shape[1:])


# --- backward


def product_input_sums(
    layer: Layer, kind: JetKind, active: ActiveBasis, base: tuple[FloatArray, ...], dy: FloatArray
) -> list[FloatArray]:
    """Return the sums of phi' dy, phi'' dy, phi''' dy over the spline edges, for `chain_back`.

    By (J16), one input after another: the numbers sum_j C_jim dy_j serve all three sums.
    """
    slices, flat = upstream_slices(kind), dy.reshape(layer.n_out, -1)
    matrix = layer.spline_matrix.reshape(layer.coef.shape)
    places = np.arange(flat.shape[1]).reshape(dy.shape[1:])
    first = active.columns - layer.n_basis * np.arange(layer.n_in)
    sums = [np.empty((layer.n_in, *dy[0, own].shape)) for own in slices]
    for i in range(layer.n_in):
        by_base = (layer.base_matrix[:, i] @ flat).reshape(dy.shape[1:])
        by_basis = (matrix[:, i].T @ flat).reshape(-1)
        gathered = [
            by_basis[r * flat.shape[1] :].take(first[:, i] * flat.shape[1] + places)
            for r in range(layer.degree + 1)
        ]
        for order, (total, own) in enumerate(zip(sums, slices, strict=True), start=1):
            np.multiply(by_base[own], base[order][i], out=total[i])
            for upstream, plane in zip(gathered, active.planes[order][:, :, i], strict=True):
                total[i] += upstream[own] * plane
    return sums


def product_matrix_gradients(factors: JetFactors, dy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return d_C (n_out, n_in * n_basis) and d_W (n_out, n_in) by (J15)."""
    flat = dy.reshape(len(dy), -1)
    return flat @ factors.basis.T, flat @ factors.base.reshape(len(factors.base), -1).T
