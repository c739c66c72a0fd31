"""Jets through a multilayer perceptron: value, first and second derivatives by the inputs, and the hand-derived reverse.

Theorem ((B1) of `baselines`, and the chain rule (T2)-(T7) of `jet_kind`). A linear map acts on every part of a jet alike, its bias on the
value alone; the activation s is a curve of one variable. With x_0 = the jet of the inputs and dR/du part by part,

    (M1)  z_l,k = x_l,k W_l^T + (v_l where k = 0),     x_{l+1} = s(z_l) by (T2)-(T4) for l < L - 1,     u = z_{L-1}
    (M2)  d_W_l = sum_k dz_l,k^T x_l,k,                d_v_l = sum_b dz_l,0
    (M3)  dx_l,k = dz_l,k W_l,                         dz_{l-1} = (T5)-(T7) at dx_l
    (M4)  without the sums over samples, (M2) are the rows dR_b / d theta where R = sum_b R_b

Arrays are as they lie in memory: nodes, parts, samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.baselines import MLP
from kan_ref.checks import FloatArray
from kan_ref.functions import activation_values
from kan_ref.pde.jet_kind import JetKind, chain, chain_back, products_of


@dataclass(frozen=True, eq=False)
class MLPJetInputs:
    """What serves every theta: the kind of jet, and the inputs' `jet` (n_in, n_parts, batch)."""

    kind: JetKind
    jet: FloatArray


@dataclass(frozen=True, eq=False)
class MLPJetFlow:
    """A forward sweep: `jet` (n_out, n_parts, batch) of the outputs; of each layer its input jet, and z, q_s and s' to s''' at z."""

    kind: JetKind
    jet: FloatArray
    inputs: tuple[FloatArray, ...]
    activations: tuple[tuple[FloatArray, FloatArray, tuple[FloatArray, ...]], ...]


def prepare_jet(mlp: MLP, x: FloatArray, kind: JetKind) -> MLPJetInputs:
    """The jet of the inputs x (batch, n_in)."""
    return MLPJetInputs(kind, kind.at(x))


# --- forward


@np.errstate(over="ignore", invalid="ignore")
def run_jet_forward(mlp: MLP, inputs: MLPJetInputs) -> MLPJetFlow:
    """(M1).

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
            quadratic, planes = (
                products_of(kind, z),
                activation_values(mlp.activation, z[:, 0], (0, 1, 2, 3)),
            )
            activations.append((z, quadratic, planes[1:]))
            jet = chain(kind, z, quadratic, planes[:3])
    # [/eq:mlp-jet-forward]
    return MLPJetFlow(kind, jet, tuple(entered), tuple(activations))


def predict_jet(mlp: MLP, inputs: MLPJetInputs) -> FloatArray:
    """(M1) alone: (n_out, n_parts, batch)."""
    return run_jet_forward(mlp, inputs).jet


# --- backward


def _pull_back(mlp: MLP, flow: MLPJetFlow, number: int, dz: FloatArray) -> FloatArray:
    """(M3): dz of the layer before."""
    weight = mlp.weights[number]
    # [eq:mlp-jet-backward]
    dx = (weight.T @ dz.reshape(len(dz), -1)).reshape(weight.shape[1], *dz.shape[1:])
    z, quadratic, planes = flow.activations[number - 1]
    asked = (dx, dx[:, 1:], dx[:, flow.kind.second])
    return chain_back(
        flow.kind,
        z,
        quadratic,
        [part * plane[:, None] for part, plane in zip(asked, planes, strict=True)],
    )
    # [/eq:mlp-jet-backward]


@np.errstate(over="ignore", invalid="ignore")
def run_jet_backward(mlp: MLP, flow: MLPJetFlow, d_jet: FloatArray) -> FloatArray:
    """(M2), (M3): dR/d theta, (n_params,), given dR/du part by part, (n_out, n_parts, batch).

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


@np.errstate(over="ignore", invalid="ignore")
def jet_jacobian(mlp: MLP, flow: MLPJetFlow, seeds: Sequence[FloatArray]) -> list[FloatArray]:
    """(M4): for each seed, dR_b/du part by part, the dense rows dR_b / d theta, (batch, n_params).

    Notes
    -----
    Implements :eq:`mlp-jet-jacobian`. Memory: 8 batch n_params bytes a seed.
    """
    return [_rows_of(mlp, flow, seed) for seed in seeds]


def _rows_of(mlp: MLP, flow: MLPJetFlow, seed: FloatArray) -> FloatArray:
    d_jet, batch, end = seed, seed.shape[2], mlp.n_params
    rows = np.empty((mlp.n_params, batch))
    for number in range(len(mlp.weights) - 1, -1, -1):
        n_out, n_in = mlp.weights[number].shape
        # [eq:mlp-jet-jacobian]
        rows[end - n_out : end] = d_jet[:, 0]
        end -= n_out
        np.einsum(
            "jkb,ikb->jib",
            d_jet,
            flow.inputs[number],
            out=rows[end - n_out * n_in : end].reshape(n_out, n_in, batch),
        )
        end -= n_out * n_in
        # [/eq:mlp-jet-jacobian]
        if number:
            d_jet = _pull_back(mlp, flow, number, d_jet)
    return rows.T
