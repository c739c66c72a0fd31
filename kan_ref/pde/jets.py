"""Jets through a network: forward pass, backward pass, and the gradient of every sample.

Theorem (Liu et al. 2024, eq. 2.7, and the chain rule). With the components of `jet_kind` and the
layers of `jet_layer`,

    (J17)  x_0 = jet of the inputs, (x, v_d, r_s);    x_{l+1} = Phi_l(x_l) by (J9);    u = x_L
    (J18)  dx_l = (J10) at dx_{l+1};                  dx_L = dR/du, component by component
    (J19)  d_theta = (J11) and (J12) of each layer at its own dx_{l+1}, in the order of theta
    (J20)  where R = sum_b R_b and R_b depends on sample b alone: the rows dR_b / d theta by (J13)

If R_b is the residual of a differential equation at sample b, linearized in the components of u,
then (J20) is its row for Levenberg-Marquardt. A forward pass costs about n_components ordinary
passes in products and two ordinary passes in basis functions. Memory is O(batch width (degree + 1)
n_components) and does not grow with the number of intervals.

Numbers that overflow, and undefined values of symbolic edges, become inf and nan without a warning:
the public functions and the optimizers reject them.
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


@np.errstate(all="ignore")
def prepare_jet(network: Network, x: FloatArray, kind: JetKind) -> JetCache:
    """Evaluate all that the first layer computes from x (batch, n_in) and its knots alone.

    The result can be used again for every theta.
    """
    return jet_layer.evaluate(network.layers[0], kind.at(x), kind, slopes=False)


@dataclass(frozen=True, eq=False)
class JetFlow:
    """The outputs of a network as `jet` (n_out, n_components, batch), and the layers' `caches`."""

    jet: FloatArray
    caches: tuple[JetCache, ...]


# --- forward


@np.errstate(all="ignore")
def run_jet_forward(network: Network, inputs: JetCache) -> JetFlow:
    """Compute the jet of the outputs by (J17), with what the backward pass needs.

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


@np.errstate(all="ignore")
def predict_jet(network: Network, inputs: JetCache) -> FloatArray:
    """Return the jet of the outputs, (n_out, n_components, batch), by (J17)."""
    jet = jet_layer.outputs(network.layers[0], inputs)
    for layer in network.layers[1:]:
        jet = jet_layer.outputs(layer, jet_layer.evaluate(layer, jet, inputs.kind, slopes=False))
    return jet


# --- backward


@np.errstate(all="ignore")
def run_jet_backward(network: Network, flow: JetFlow, d_jet: FloatArray) -> FloatArray:
    """Return dR/d theta (n_params,), given dR/du (n_out, n_components, batch), by (J18) and (J19).

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


@np.errstate(all="ignore")
def jet_jacobian(network: Network, flow: JetFlow, seeds: Sequence[FloatArray]) -> list[RowSparse]:
    """Return the gradient (J20) of every sample, a block of rows for each residual.

    Parameters
    ----------
    network : Network
    flow : JetFlow
        From `run_jet_forward`.
    seeds : sequence of (n_out, n_components, batch)
        Of each residual the derivatives dR_b/du, component by component.

    Returns
    -------
    blocks : list of RowSparse
        Each (batch, n_params). A row has n_out n_in (degree + 3) entries for each layer, and 4 for
        each symbolic edge.

    Notes
    -----
    Implements :eq:`jet-jacobian`.
    """
    return [_rows_of(network, flow, seed) for seed in seeds]


def _rows_of(network: Network, flow: JetFlow, seed: FloatArray) -> RowSparse:
    """Return the rows of one residual."""
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
            values.append(jet_layer.symbolic_rows(layer, cache, d_jet).reshape(places.size, batch))
        if number:
            d_jet = jet_layer.input_gradient(layer, cache, d_jet)
    # [/eq:jet-jacobian]
    return RowSparse(np.concatenate(columns).T, np.concatenate(values).T, network.n_params)
