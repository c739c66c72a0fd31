"""Penalties on the strength of each edge, which make a network sparse.

Theorem (Liu et al. 2024, eqs. 2.17-2.20, and the chain rule). With score_ji = (1/N) sum_b
|phi_ji(x_bi)|, the sum of a layer |Phi|_1 = sum_ji score_ji, p_ji = score_ji / |Phi|_1 and the
entropy S = -sum_ji p_ji log p_ji (natural logarithm, 0 log 0 := 0, and S = 0 for a layer of
zeros),

    (P1)  R = sum over layers of mu_1 |Phi|_1 + mu_2 S
    (P2)  dR / d score_ji = mu_1 - mu_2 (log p_ji + S) / |Phi|_1
    (P3)  dR / d phi_bji  = sign(phi_bji) / N * dR / d score_ji,     0 where phi_bji = 0

phi_ji contains base function and spline. The gradient reaches the parameters through the outputs
of the edges, :eq:`layer-backward-edges`. Two further penalties are pykan's, for comparison.
"pykan" is that of pykan 0.2, with standard deviations std (N - 1 in the denominator; 0 for one
sample) and e = 1e-4:

    (P4)  A_ji = std_b(phi_ji) / (std_b(x_i) + 0.1),   l1 = sum_ji A_ji
    (P5)  entropy = -mean_j sum_i r_ji log2(r_ji + e) - mean_i sum_j c_ji log2(c_ji + e)
          with r_ji = A_ji / (sum_i A_ji + 1),  c_ji = A_ji / (sum_j A_ji + 1)

so that a constant edge costs nothing. "pykan-0.0" is that of its first release:

    (P6)  A_ji = score_ji / (b_i - a_i + e),   l1 = sum_ji A_ji
          entropy = -sum_ji q_ji log2(q_ji + e),   q = A / sum A

"coef" needs no samples. It measures size and roughness of the coefficients of the active splines
(lamb_coef and lamb_coefdiff of pykan's first release; later ones take the mean over outputs and
the sum over basis functions):

    (P7)  l1 = sum_ji mean_m |coef_jim|,   entropy := sum_ji mean_m |coef_ji,m+1 - coef_jim|
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import (
    Cache,
    Layer,
    Network,
    layer_backward,
    layer_edge_outputs,
    parameter_gradients,
)

PENALTY_NAMES = ("paper", "pykan", "pykan-0.0", "coef")
_E = 1e-4  # e of (P5) and (P6), as in pykan
_STD_OFFSET = 0.1  # of (P4), as in pykan


@dataclass(frozen=True, eq=False)
class LayerPenalty:
    """The penalty of one layer and its derivatives.

    `l1`, `entropy`: its two parts without their weights. `d_edges` (batch, n_out, n_in), `d_x`
    (batch, n_in), `d_coef` (n_out, n_in, n_basis): derivatives of the weighted sum with respect to
    the outputs of the edges, the inputs and the coefficients; None where they are zero.
    """

    l1: float
    entropy: float
    d_edges: FloatArray | None = None
    d_x: FloatArray | None = None
    d_coef: FloatArray | None = None


def layer_penalty(
    kind: str, layer: Layer, cache: Cache, x: FloatArray, l1_weight: float, entropy_weight: float
) -> LayerPenalty:
    """Return the penalty of one layer on a batch, with its derivatives.

    Parameters
    ----------
    kind : str
        "paper", "pykan", "pykan-0.0" or "coef".
    layer : Layer
    cache : Cache
        From a forward pass at x.
    x : (batch, n_in)
        The layer's inputs; at least one sample.
    l1_weight, entropy_weight : float
        mu_1, mu_2.

    Returns
    -------
    penalty : LayerPenalty

    Notes
    -----
    Implements :eq:`paper-penalty`, :eq:`entropy-gradient` and, for the alternatives, (P4) to (P7).
    See tutorials/07_sparsification.md, "which penalty".
    """
    if kind == "coef":
        return _coef_penalty(layer, l1_weight, entropy_weight)
    outputs = layer_edge_outputs(layer, cache)
    if kind == "paper":
        # [eq:paper-penalty]
        scores = np.abs(outputs).mean(axis=0)
        entropy, d_entropy = natural_entropy(scores)
        d_scores = l1_weight + entropy_weight * d_entropy
        d_edges = np.sign(outputs) / len(outputs)
        d_edges *= d_scores  # in place: arrays of all edges are large
        # [/eq:paper-penalty]
        return LayerPenalty(float(scores.sum()), entropy, d_edges)
    if kind == "pykan-0.0":
        width = (layer.breakpoints[:, -1] - layer.breakpoints[:, 0]) + _E
        strengths = np.abs(outputs).mean(axis=0) / width
        entropy, d_entropy = _offset_entropy(strengths, strengths.sum())
        d_strengths = l1_weight + entropy_weight * d_entropy
        d_edges = np.sign(outputs) / len(outputs)
        d_edges *= d_strengths / width
        return LayerPenalty(float(strengths.sum()), entropy, d_edges)
    std, d_std = _std(outputs)
    reach, d_reach = _std(x)
    strengths = std / (reach + _STD_OFFSET)
    entropy, d_entropy = _row_and_column_entropy(strengths)
    d_strengths = l1_weight + entropy_weight * d_entropy
    d_edges = d_std * (d_strengths / (reach + _STD_OFFSET))
    d_x = -d_reach * (d_strengths * strengths).sum(axis=0) / (reach + _STD_OFFSET)
    return LayerPenalty(float(strengths.sum()), entropy, d_edges, d_x)


def natural_entropy(scores: FloatArray) -> tuple[float, FloatArray]:
    """Return the entropy S of scores (n_out, n_in), and dS / d scores; it is 0 at scores of 0.

    Examples
    --------
    >>> entropy, _ = natural_entropy(np.array([[1.0, 1.0]]))
    >>> entropy == np.log(2.0)
    np.True_
    """
    total = scores.sum()
    if total == 0.0:
        return 0.0, np.zeros_like(scores)
    # [eq:entropy-gradient]
    p = scores / total
    log_p = np.log(np.where(p > 0.0, p, 1.0))
    entropy = -float((p * log_p).sum())
    d_scores = np.where(p > 0.0, -(log_p + entropy) / total, 0.0)
    # [/eq:entropy-gradient]
    return entropy, d_scores


def _offset_entropy(strengths: FloatArray, total: float) -> tuple[float, FloatArray]:
    """Return the entropy of (P6), q = strengths / total, and its derivative; 0 if total is 0."""
    if total == 0.0:
        return 0.0, np.zeros_like(strengths)
    q = strengths / total
    d_q = -(np.log2(q + _E) + q / ((q + _E) * np.log(2.0)))
    return -float((q * np.log2(q + _E)).sum()), (d_q - (d_q * q).sum()) / total


def _row_and_column_entropy(strengths: FloatArray) -> tuple[float, FloatArray]:
    """Return the entropy (P5) and its derivative with respect to the strengths."""
    value, d_strengths = 0.0, np.zeros_like(strengths)
    for axis in (1, 0):
        total = strengths.sum(axis=axis, keepdims=True) + 1.0
        fraction = strengths / total
        groups = strengths.size / strengths.shape[axis]
        d_fraction = -(np.log2(fraction + _E) + fraction / ((fraction + _E) * np.log(2.0))) / groups
        value -= float((fraction * np.log2(fraction + _E)).sum()) / groups
        d_strengths += (d_fraction - (d_fraction * fraction).sum(axis=axis, keepdims=True)) / total
    return value, d_strengths


def _std(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviation over samples (N - 1) and its derivative with respect to each.

    Both are 0 where all samples are equal.
    """
    # in floating point, the mean of equal numbers may differ from them
    centred = np.where(values.max(axis=0) > values.min(axis=0), values - values.mean(axis=0), 0.0)
    n = max(1, len(values) - 1)
    std = np.sqrt((centred**2).sum(axis=0) / n)
    return std, np.divide(centred, n * std, out=np.zeros_like(centred), where=std > 0.0)


def _coef_penalty(layer: Layer, l1_weight: float, entropy_weight: float) -> LayerPenalty:
    """Return the penalty (P7) of the coefficients."""
    active = layer.mask[:, :, None]
    steps = np.diff(layer.coef, axis=2) * active
    d_coef = l1_weight * active * np.sign(layer.coef) / layer.n_basis
    n_steps = max(1, steps.shape[2])
    d_steps = entropy_weight * np.sign(steps) / n_steps
    d_coef[:, :, 1:] += d_steps
    d_coef[:, :, :-1] -= d_steps
    roughness = float(np.abs(steps).sum()) / n_steps
    size = float(np.abs(layer.coef * active).sum()) / layer.n_basis
    return LayerPenalty(size, roughness, d_coef=d_coef)


@dataclass(frozen=True)
class PenaltyWeights:
    """The weights in lambda (mu_1 l1 + mu_2 entropy).

    `weight` is lambda, `l1` and `entropy` are mu_1 and mu_2; `kind` is one of `PENALTY_NAMES`,
    else a ValueError is raised.
    """

    weight: float
    l1: float = 1.0
    entropy: float = 1.0
    kind: str = "paper"

    def __post_init__(self) -> None:
        checks.choice("penalty", self.kind, PENALTY_NAMES)


def penalized_backward(
    network: Network,
    x: FloatArray,
    caches: Sequence[Cache],
    flow: Sequence[FloatArray],
    dy: FloatArray,
    weights: PenaltyWeights,
) -> tuple[float, FloatArray]:
    """Return the value of the penalty, and the gradient of loss plus penalty.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
    caches : sequence of Cache
        From a forward pass at x.
    flow : sequence of (batch, n_l)
        The outputs of every layer.
    dy : (batch, n_out)
        Gradient of the loss alone.
    weights : PenaltyWeights

    Returns
    -------
    value : float
        lambda (mu_1 l1 + mu_2 entropy), summed over layers.
    gradient : (n_params,)

    Notes
    -----
    Backward pass :eq:`layer-backward-edges` at every layer, one after the other. But for "coef",
    time is in proportion to batch times the number of edges, and memory is two to four arrays of
    batch x n_out x n_in numbers of the layer with the most edges.
    """
    value = 0.0
    pieces: list[FloatArray] = []
    inputs = [x, *flow[:-1]]
    for layer_index in range(len(network.layers) - 1, -1, -1):
        layer, cache = network.layers[layer_index], caches[layer_index]
        part = layer_penalty(
            weights.kind,
            layer,
            cache,
            inputs[layer_index],
            weights.weight * weights.l1,
            weights.weight * weights.entropy,
        )
        value += weights.weight * (weights.l1 * part.l1 + weights.entropy * part.entropy)
        if layer_index:
            dy, grads = layer_backward(layer, cache, dy, part.d_edges)
            if part.d_x is not None:
                dy += part.d_x
        else:
            grads = parameter_gradients(layer, cache, dy, part.d_edges)
        if part.d_coef is not None:
            grads = grads._replace(coef=grads.coef + part.d_coef)
        pieces[:0] = grads
    return value, np.concatenate([piece.reshape(-1) for piece in pieces])


def penalty_value(
    network: Network,
    x: FloatArray,
    caches: Sequence[Cache],
    flow: Sequence[FloatArray],
    weights: PenaltyWeights,
) -> float:
    """Return lambda (mu_1 l1 + mu_2 entropy) of a network on a batch, without its gradient."""
    inputs = [x, *flow[:-1]]
    total = 0.0
    for layer, cache, values in zip(network.layers, caches, inputs, strict=True):
        part = layer_penalty(weights.kind, layer, cache, values, 0.0, 0.0)
        total += weights.l1 * part.l1 + weights.entropy * part.entropy
    return weights.weight * total
