"""Jets through a network: value, first and second derivatives by the inputs in one sweep, and the hand-derived reverse of it.

Theorem (Liu et al. 2024, eq. 2.7, and the chain rule layer by layer; (K1)-(K6) of `jet_layer`). With the parts of `jet_kind`,

    (Y1)  x_0 = jet of the inputs:  (x, v_d, r_s);     x_{l+1} = Phi_l(x_l) by (K1);     u = x_L
    (Y2)  dx_l = (K3) at dx_{l+1},                      dx_L = dR/du, part by part
    (Y3)  d_theta = the layers' (K2) or (K5) with (L3)-(L5), and (K4), each at its own dx_{l+1}, in the order of theta
    (Y4)  where R = sum_b R_b and R_b depends on sample b alone, the same without sums over samples gives the rows dR_b / d theta

With R_b the residual of a differential equation at sample b, linearized in the parts of u, (Y4) is its row for Levenberg-Marquardt. A sweep
costs about n_parts plain passes in products and twice a plain pass in B-splines. Its memory is O(batch width (degree + 1) n_parts), however
fine the grids: where a layer scatters its B-splines, n_basis n_parts stays below 40 (degree + 3).
Numbers that overflow, or that a formula leaves undefined, become inf and nan in silence: the door and the optimizers refuse those.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Network, parameter_vector
from kan_ref.numerics import RowSparse
from kan_ref.pde import jet_layer
from kan_ref.pde.jet_kind import JetKind
from kan_ref.pde.jet_layer import JetCache


@np.errstate(over="ignore", invalid="ignore")
def prepare_jet(network: Network, x: FloatArray, kind: JetKind) -> JetCache:
    """What the first layer needs of x (batch, n_in). As long as x and the first knots stay, it serves every theta."""
    return jet_layer.evaluate(network.layers[0], kind.at(x), kind, slopes=False)


@dataclass(frozen=True, eq=False)
class JetFlow:
    """A forward sweep: `jet` (n_out, n_parts, batch) of the outputs and the layers' caches."""

    jet: FloatArray
    caches: tuple[JetCache, ...]


# --- forward


@np.errstate(over="ignore", invalid="ignore")
def run_jet_forward(network: Network, inputs: JetCache) -> JetFlow:
    """(Y1) from the evaluated inputs.

    Notes
    -----
    Implements :eq:`jet-forward`.
    """
    # [eq:jet-forward]
    caches = [inputs]
    jet = jet_layer.outputs(network.layers[0], inputs)
    for layer in network.layers[1:]:
        caches.append(jet_layer.evaluate(layer, jet, inputs.kind))
        jet = jet_layer.outputs(layer, caches[-1])
    # [/eq:jet-forward]
    return JetFlow(jet, tuple(caches))


@np.errstate(over="ignore", invalid="ignore")
def predict_jet(network: Network, inputs: JetCache) -> FloatArray:
    """(Y1) without anything kept for a way back: (n_out, n_parts, batch)."""
    jet = jet_layer.outputs(network.layers[0], inputs)
    for layer in network.layers[1:]:
        jet = jet_layer.outputs(layer, jet_layer.evaluate(layer, jet, inputs.kind, slopes=False))
    return jet


# --- backward


@np.errstate(over="ignore", invalid="ignore")
def run_jet_backward(network: Network, flow: JetFlow, d_jet: FloatArray) -> FloatArray:
    """(Y3): dR/d theta, (n_params,), given dR/du part by part, (n_out, n_parts, batch).

    Notes
    -----
    Implements :eq:`jet-backward`.
    """
    # [eq:jet-backward]
    pieces: list[FloatArray] = []
    for number in range(len(network.layers) - 1, -1, -1):
        layer, cache = network.layers[number], flow.caches[number]
        pieces.insert(0, parameter_vector(jet_layer.parameter_gradients(layer, cache, d_jet)))
        if number:
            d_jet = jet_layer.input_gradient(layer, cache, d_jet)
    # [/eq:jet-backward]
    return np.concatenate(pieces)


@np.errstate(over="ignore", invalid="ignore")
def jet_jacobian(network: Network, flow: JetFlow, seeds: Sequence[FloatArray]) -> list[RowSparse]:
    """(Y4): for each seed a block of rows dR_b / d theta, one row a sample.

    Parameters
    ----------
    network : Network
    flow : JetFlow
        From `run_jet_forward`.
    seeds : sequence of (n_out, n_parts, batch)
        dR_b/du part by part, of one residual each.

    Returns
    -------
    blocks : list of RowSparse
        Each (batch, n_params); a row has n_out n_in (degree + 3) entries a layer, and 4 for each formula.

    Notes
    -----
    Implements :eq:`jet-jacobian`.
    """
    return [_rows_of(network, flow, seed) for seed in seeds]


def _rows_of(network: Network, flow: JetFlow, seed: FloatArray) -> RowSparse:
    columns, values = [], []
    d_jet, start, batch = seed, network.n_params, seed.shape[2]
    # [eq:jet-jacobian]
    for number in range(len(network.layers) - 1, -1, -1):
        layer, cache = network.layers[number], flow.caches[number]
        start -= layer.n_params
        places, rows = jet_layer.spline_rows(layer, cache, d_jet)
        n_entries = layer.w_base.size * (layer.degree + 3)
        columns.append(start + places.reshape(n_entries, batch))
        values.append(rows.reshape(n_entries, batch))
        if layer.symbolic:
            first = start + layer.n_params - layer.affine.size
            places = (
                first + 4 * np.array([edge.row for edge in layer.symbolic])[:, None] + np.arange(4)
            )
            columns.append(np.repeat(places.reshape(-1, 1), batch, axis=1))
            values.append(jet_layer.formula_rows(layer, cache, d_jet).reshape(places.size, batch))
        if number:
            d_jet = jet_layer.input_gradient(layer, cache, d_jet)
    # [/eq:jet-jacobian]
    return RowSparse(np.concatenate(columns).T, np.concatenate(values).T, network.n_params)
