"""Jets through a multilayer perceptron (MLP): forward pass, backward pass, gradients of samples.

Theorem (:eq:`mlp-forward`, and the chain rule (J2)-(J7) of `jet_kind`). A linear map acts on all
components of a jet alike, and its bias on the value alone. The activation s is a curve of one
variable. With x_0 = the jet of the inputs, and dR/du component by component,

    (J21)  z_l,k = x_l,k W_l^T + (v_l where k = 0),    u = z_{L-1},
           x_{l+1} = s(z_l) by (J2)-(J4) for l < L - 1
    (J22)  d_W_l = sum_k dz_l,k^T x_l,k,    d_v_l = sum_b dz_l,0
    (J23)  dx_l,k = dz_l,k W_l,    dz_{l-1} = (J5)-(J7) at dx_l
    (J24)  where R = sum_b R_b, the rows dR_b / d theta are (J22) without the sums over samples

The axes of arrays are nodes, components, samples, as in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray
from kan_ref.functions import activation_values
from kan_ref.pde.jet_kind import JetKind, chain, chain_back, products_of, upstream_slices


@dataclass(frozen=True, eq=False)
class MLPJetInputs:
    """The kind of jet, and the inputs' `jet` (n_in, n_components, batch); valid for every theta."""

    kind: JetKind
    jet: FloatArray


@dataclass(frozen=True, eq=False)
class MLPJetFlow:
    """A forward pass: `jet` (n_out, n_components, batch) of the outputs.

    `inputs`: the input jet of each layer. `activations`: of each layer but the last z, q_s, and the
    first three derivatives of s at z.
    """

    kind: JetKind
    jet: FloatArray
    inputs: tuple[FloatArray, ...]
    activations: tuple[tuple[FloatArray, FloatArray, tuple[FloatArray, ...]], ...]


def prepare_jet(mlp: MLP, x: FloatArray, kind: JetKind) -> MLPJetInputs:
    """Return the jet of the inputs x (batch, n_in)."""
    return MLPJetInputs(kind, kind.at(x))


# --- forward


@np.errstate(all="ignore")
def run_jet_forward(mlp: MLP, inputs: MLPJetInputs) -> MLPJetFlow:
    """Compute the jet of the outputs by (J21), with what the backward pass needs.

    Notes
    -----
    Implements :eq:`mlp-jet-forward`.
    """
    jet, kind, entered, activations = inputs.jet, inputs.kind, [], []
    last = len(mlp.weights) - 1
    # [eq:mlp-jet-forward]
    for number, (weight, bias) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        entered.append(jet)
        z = (weight @ jet.reshape(len(jet), -1)).reshape(len(weight), *jet.shape[1:])
        z[:, 0] += bias[:, None]
        jet = z
        if number != last:
            quadratic = products_of(kind, z)
            derivatives = activation_values(mlp.activation, z[:, 0], (0, 1, 2, 3))
            activations.append((z, quadratic, derivatives[1:]))
            jet = chain(kind, z, quadratic, derivatives[:3])
    # [/eq:mlp-jet-forward]
    return MLPJetFlow(kind, jet, tuple(entered), tuple(activations))


def predict_jet(mlp: MLP, inputs: MLPJetInputs) -> FloatArray:
    """Return the jet of the outputs, (n_out, n_components, batch), by (J21)."""
    return run_jet_forward(mlp, inputs).jet


# --- backward


def _pull_back(mlp: MLP, flow: MLPJetFlow, number: int, dz: FloatArray) -> FloatArray:
    """Return dz of the layer before, given dz of this layer, by (J23)."""
    weight = mlp.weights[number]
    # [eq:mlp-jet-backward]
    dx = (weight.T @ dz.reshape(len(dz), -1)).reshape(weight.shape[1], *dz.shape[1:])
    z, quadratic, derivatives = flow.activations[number - 1]
    sums = [
        derivative[:, None] * dx[:, own]
        for derivative, own in zip(derivatives, upstream_slices(flow.kind), strict=True)
    ]
    return chain_back(flow.kind, z, quadratic, sums)
    # [/eq:mlp-jet-backward]


@np.errstate(all="ignore")
def run_jet_backward(mlp: MLP, flow: MLPJetFlow, d_jet: FloatArray) -> FloatArray:
    """Return dR/d theta (n_params,), given dR/du (n_out, n_components, batch), by (J22) and (J23).

    Notes
    -----
    Implements :eq:`mlp-jet-gradient` and :eq:`mlp-jet-backward`.
    """
    pieces: list[FloatArray] = []
    for number in range(len(mlp.weights) - 1, -1, -1):
        entered = flow.inputs[number]
        # [eq:mlp-jet-gradient]
        d_weight = d_jet.reshape(len(d_jet), -1) @ entered.reshape(len(entered), -1).T
        pieces[:0] = (d_weight.reshape(-1), d_jet[:, 0].sum(axis=1))
        # [/eq:mlp-jet-gradient]
        if number:
            d_jet = _pull_back(mlp, flow, number, d_jet)
    return np.concatenate(pieces)


@np.errstate(all="ignore")
def jet_jacobian(mlp: MLP, flow: MLPJetFlow, seeds: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the gradient (J24) of every sample, dense rows (batch, n_params) for each residual.

    `seeds`: of each residual the derivatives dR_b/du, component by component, (n_out, n_components,
    batch).

    Notes
    -----
    Implements :eq:`mlp-jet-jacobian`. Memory: 8 batch n_params bytes for each residual.
    """
    return [_rows_of(mlp, flow, seed) for seed in seeds]


def _rows_of(mlp: MLP, flow: MLPJetFlow, seed: FloatArray) -> FloatArray:
    """Return the rows of one residual."""
    d_jet, batch, end = seed, seed.shape[2], mlp.n_params
    rows = np.empty((mlp.n_params, batch))
    for number in range(len(mlp.weights) - 1, -1, -1):
        n_out, n_in = mlp.weights[number].shape
        # [eq:mlp-jet-jacobian]
        rows[end - n_out : end] = d_jet[:, 0]
        end -= n_out
        by_weight = rows[end - n_out * n_in : end].reshape(n_out, n_in, batch)
        np.einsum("jkb,ikb->jib", d_jet, flow.inputs[number], out=by_weight)
        end -= n_out * n_in
        # [/eq:mlp-jet-jacobian]
        if number:
            d_jet = _pull_back(mlp, flow, number, d_jet)
    return rows.T
