"""Penalties on the strength of each edge, which make a network sparse.

Theorem (Liu et al. 2024, eqs. 2.17-2.20, and the chain rule). With score_ji = (1/N)
sum_b
|phi_ji(x_bi)|, the sum of a layer |Phi|_1 = sum_ji score_ji, p_ji = score_ji / |Phi|_1 and the
entropy S = -sum_ji p_ji log p_ji (natural logarithm, 0 log 0 := 0, and S = 0 for a
layer of zeros),

    (P1)  R = sum over layers of mu_1 |Phi|_1 + mu_2 S
    (P2)  dR / d score_ji = mu_1 - mu_2 (log p_ji + S) / |Phi|_1
    (P3)  dR / d phi_bji  = sign(phi_bji) / N * dR / d score_ji,     0 where phi_bji = 0

phi_ji contains base function and spline. The gradient reaches the parameters through
the outputs of the edges, :eq:`layer-backward-edges`. For comparison there is the
penalty of pykan 0.2, with standard deviations std (N - 1 in the denominator; 0 for one
sample) and e = 1e-4:

    (P4)  A_ji = std_b(phi_ji) / (std_b(x_i) + 0.1),   l1 = sum_ji A_ji
    (P5)  entropy = -mean_j sum_i r_ji log2(r_ji + e) - mean_i sum_j c_ji log2(c_ji + e)
          with r_ji = A_ji / (sum_i A_ji + 1),  c_ji = A_ji / (sum_j A_ji + 1)

so that a constant edge costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kan_ref import checks
from kan_ref import network as kan
from kan_ref.checks import FloatArray

PENALTY_NAMES = ("paper", "pykan")
_E = 1e-4  # e of (P5), as in pykan
_STD_OFFSET = 0.1  # of (P4), as in pykan


@dataclass(frozen=True)
class Penalty:
    """A penalty on the edges of a network: weight (l1 |Phi|_1 + entropy S), summed over
    layers.

    Parameters
    ----------
    weight : float
        lambda of eq. 2.20, at least 0. The paper takes 1e-3 to 1e-1.
    l1, entropy : float
        mu_1 and mu_2 of eq. 2.20, at least 0.
    kind : str
        "paper": mean magnitudes, and the entropy of a layer. "pykan": the rule of pykan
        0.2, standard deviations and the entropies of rows and columns.

    Examples
    --------
    >>> Penalty(1e-2, entropy=2.0)
    Penalty(weight=0.01, l1=1.0, entropy=2.0, kind='paper')
    """

    weight: float
    l1: float = 1.0
    entropy: float = 1.0
    kind: str = "paper"

    def __post_init__(self) -> None:
        for name in ("weight", "l1", "entropy"):
            object.__setattr__(
                self, name, checks.number(name, getattr(self, name), low=0.0)
            )
        checks.choice("kind", self.kind, PENALTY_NAMES)


class LayerPenalty(NamedTuple):
    """The two parts of a layer's penalty without their weights, and derivatives of the
    whole.

    These are with respect to the outputs of the edges (batch, n_out, n_in) and the
    layer's inputs (batch, n_in), 0 for "paper".
    """

    l1: float
    entropy: float
    d_edges: FloatArray
    d_x: FloatArray | float = 0.0


def layer_penalty(
    kind: str,
    layer: kan.Layer,
    cache: kan.Cache,
    x: FloatArray,
    l1_weight: float,
    entropy_weight: float,
) -> LayerPenalty:
    """Return the penalty of one layer at its inputs x (batch, n_in), with its
    derivatives.

    Implements :eq:`paper-penalty`, :eq:`entropy-gradient`, and (P4), (P5) for "pykan".
    """
    outputs = kan.layer_edge_outputs(layer, cache)
    if kind == "paper":
        # [eq:paper-penalty]
        scores = np.abs(outputs).mean(axis=0)
        entropy, d_entropy = natural_entropy(scores)
        d_scores = l1_weight + entropy_weight * d_entropy
        d_edges = np.sign(outputs) / len(outputs)
        d_edges *= d_scores  # in place: arrays of all edges are large
        # [/eq:paper-penalty]
        return LayerPenalty(float(scores.sum()), entropy, d_edges)
    std, d_std = _std(outputs)
    reach, d_reach = _std(x)
    strengths = std / (reach + _STD_OFFSET)
    entropy, d_entropy = _row_and_column_entropy(strengths)
    d_strengths = l1_weight + entropy_weight * d_entropy
    d_edges = d_std * (d_strengths / (reach + _STD_OFFSET))
    d_x = -d_reach * (d_strengths * strengths).sum(axis=0) / (reach + _STD_OFFSET)
    return LayerPenalty(float(strengths.sum()), entropy, d_edges, d_x)


def natural_entropy(scores: FloatArray) -> tuple[float, FloatArray]:
    """Return the entropy S of scores (n_out, n_in), and dS / d scores; it is 0 at
    scores of 0.

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


def _row_and_column_entropy(strengths: FloatArray) -> tuple[float, FloatArray]:
    """Return the entropy (P5) and its derivative with respect to the strengths."""
    value, d_strengths = 0.0, np.zeros_like(strengths)
    for axis in (1, 0):
        total = strengths.sum(axis=axis, keepdims=True) + 1.0
        share = strengths / total
        groups = strengths.size / strengths.shape[axis]
        d_share = -(np.log2(share + _E) + share / ((share + _E) * np.log(2.0))) / groups
        value -= float((share * np.log2(share + _E)).sum()) / groups
        d_strengths += (
            d_share - (d_share * share).sum(axis=axis, keepdims=True)
        ) / total
    return value, d_strengths


def _std(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviation over samples (N - 1) and its derivative with
    respect to each.

    Both are 0 where all samples are equal.
    """
    # in floating point, the mean of equal numbers may differ from them
    centred = np.where(
        values.max(axis=0) > values.min(axis=0), values - values.mean(axis=0), 0.0
    )
    n = max(1, len(values) - 1)
    std = np.sqrt((centred**2).sum(axis=0) / n)
    return std, np.divide(centred, n * std, out=np.zeros_like(centred), where=std > 0.0)


def penalized_backward(
    network: kan.Network,
    x: FloatArray,
    caches: Sequence[kan.Cache],
    flow: Sequence[FloatArray],
    dy: FloatArray,
    penalty: Penalty,
) -> tuple[float, FloatArray]:
    """Return the value of the penalty, and the gradient (n_params,) of loss plus
    penalty.

    `caches` and `flow`, the outputs of every layer, are those of a forward pass at x;
    `dy` is the gradient of the loss alone. The backward pass is
    :eq:`layer-backward-edges` at every layer. Memory is two to four arrays of batch x
    n_out x n_in numbers of the layer with the most edges.
    """
    value, pieces, inputs = 0.0, list[FloatArray](), [x, *flow[:-1]]
    for n in reversed(range(len(caches))):
        layer, cache = network.layers[n], caches[n]
        weights = penalty.weight * penalty.l1, penalty.weight * penalty.entropy
        part = layer_penalty(penalty.kind, layer, cache, inputs[n], *weights)
        value += weights[0] * part.l1 + weights[1] * part.entropy
        if n:
            dy, grads = kan.layer_backward(layer, cache, dy, part.d_edges)
            dy += part.d_x
        else:
            grads = kan.parameter_gradients(layer, cache, dy, part.d_edges)
        pieces[:0] = [piece.reshape(-1) for piece in grads]
    return value, np.concatenate(pieces)


def penalty_value(
    network: kan.Network,
    x: FloatArray,
    caches: Sequence[kan.Cache],
    flow: Sequence[FloatArray],
    penalty: Penalty,
) -> float:
    """Return the value of a penalty on a batch, without its gradient."""
    total = 0.0
    for layer, cache, values in zip(
        network.layers, caches, [x, *flow[:-1]], strict=True
    ):
        part = layer_penalty(penalty.kind, layer, cache, values, 0.0, 0.0)
        total += penalty.l1 * part.l1 + penalty.entropy * part.entropy
    return penalty.weight * total
