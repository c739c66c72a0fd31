"""Penalties on the strength of each edge, which make a network sparse.

Theorem (Liu et al. 2024, eqs. 2.17-2.20, and the chain rule). With

    score_ji = (1/N) sum_b |phi_ji(x_bi)|
    |Phi|_1  = sum_ji score_ji                  the sum of a layer
    p_ji     = score_ji / |Phi|_1
    S        = -sum_ji p_ji log p_ji            the entropy, with the natural logarithm,
                                                0 log 0 := 0, and 0 for a layer of zeros

the penalty of a network and its derivatives are

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
    """A penalty on the edges: weight (l1 |Phi|_1 + entropy S), summed over layers.

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
            number = checks.number(name, getattr(self, name), low=0.0)
            object.__setattr__(self, name, number)
        checks.choice("kind", self.kind, PENALTY_NAMES)


class LayerPenalty(NamedTuple):
    """The parts of a layer's penalty without their weights, and its derivatives.

    The derivatives of the whole penalty are with respect to the outputs of the edges
    (batch, n_out, n_in) and the layer's inputs (batch, n_in), 0 for "paper".
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
    """Return the penalty of one layer at its inputs x (batch, n_in), and derivatives.

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
    reach = reach + _STD_OFFSET
    strengths = std / reach
    entropy, d_entropy = _row_and_column_entropy(strengths)
    d_strengths = l1_weight + entropy_weight * d_entropy
    d_edges = d_std * (d_strengths / reach)
    d_x = -d_reach * (d_strengths * strengths).sum(axis=0) / reach
    return LayerPenalty(float(strengths.sum()), entropy, d_edges, d_x)


def natural_entropy(scores: FloatArray) -> tuple[float, FloatArray]:
    """Return the entropy S of scores (n_out, n_in), and dS / d scores.

    The derivative is 0 at scores of 0.

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
    entropy = 0.0
    d_strengths = np.zeros_like(strengths)
    for axis in (1, 0):
        total = strengths.sum(axis=axis, keepdims=True) + 1.0
        share = strengths / total
        log_share = np.log2(share + _E)
        groups = strengths.size / strengths.shape[axis]
        entropy -= float((share * log_share).sum()) / groups

        d_share = -(log_share + share / ((share + _E) * np.log(2.0))) / groups
        mean = (d_share * share).sum(axis=axis, keepdims=True)
        d_strengths += (d_share - mean) / total
    return entropy, d_strengths


def _std(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviation over samples (N - 1), and its derivatives by each.

    Both are 0 where all samples are equal.
    """
    # in floating point, the mean of equal numbers may differ from them
    varies = values.max(axis=0) > values.min(axis=0)
    centred = np.where(varies, values - values.mean(axis=0), 0.0)
    n = max(1, len(values) - 1)
    std = np.sqrt((centred**2).sum(axis=0) / n)
    d_std = np.zeros_like(centred)
    np.divide(centred, n * std, out=d_std, where=std > 0.0)
    return std, d_std


def penalized_backward(
    network: kan.Network,
    x: FloatArray,
    caches: Sequence[kan.Cache],
    flow: Sequence[FloatArray],
    dy: FloatArray,
    penalty: Penalty,
) -> tuple[float, FloatArray]:
    """Return the value of the penalty, and the gradient of loss plus penalty.

    The gradient is (n_params,). `caches` and `flow`, the outputs of every layer, are
    from a forward pass at x; `dy` is the gradient of the loss alone. The backward pass
    is :eq:`layer-backward-edges` at every layer. Memory is two to four arrays of batch
    x n_out x n_in numbers of the layer with the most edges.
    """
    l1_weight = penalty.weight * penalty.l1
    entropy_weight = penalty.weight * penalty.entropy
    weights = l1_weight, entropy_weight
    inputs = [x, *flow[:-1]]
    value = 0.0
    pieces: list[FloatArray] = []
    for n in reversed(range(len(caches))):
        layer = network.layers[n]
        cache = caches[n]
        part = layer_penalty(penalty.kind, layer, cache, inputs[n], *weights)
        value += l1_weight * part.l1 + entropy_weight * part.entropy
        if n:
            dy, grads = kan.layer_backward(layer, cache, dy, part.d_edges)
            dy += part.d_x
        else:
            grads = kan.parameter_gradients(layer, cache, dy, part.d_edges)
        pieces[:0] = grads
    return value, np.concatenate(pieces, axis=None)


def penalty_value(
    network: kan.Network,
    x: FloatArray,
    caches: Sequence[kan.Cache],
    flow: Sequence[FloatArray],
    penalty: Penalty,
) -> float:
    """Return the value of a penalty on a batch, without its gradient."""
    total = 0.0
    inputs = [x, *flow[:-1]]
    for layer, cache, values in zip(network.layers, caches, inputs, strict=True):
        part = layer_penalty(penalty.kind, layer, cache, values, 0.0, 0.0)
        total += penalty.l1 * part.l1 + penalty.entropy * part.entropy
    return penalty.weight * total
