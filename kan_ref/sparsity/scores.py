"""How much every edge and every node matters on a batch: by magnitude, by share of the spread, or by what the outputs owe it.

Liu et al. 2024, eqs. 2.17 and 2.21; phi_ji is the edge from input i to output j of layer l, x_{l+1,j} = sum_i phi_ji(x_l,i), and std the
standard deviation over the N samples of the batch.

    (S1)  "mean"          A_ji = |phi_ji|_1 = (1/N) sum_b |phi_ji(x_bi)|
    (S2)  "std"           A_ji = std phi_ji / std x_{l+1,j}, 0 where node j does not vary
    (S3)  "attribution"   A_ji = a_{l+1,j} std phi_ji / std x_{l+1,j},  a_{l,i} = sum_j A_ji,  a_{L,j} = 1 / n_L
    (S4)  node i          incoming I_i = max_k A_ik over the edges that enter it, outgoing O_i = max_j A_ji over those that leave

(S3) is the rule of the second paper's code (Liu et al. 2024b, arXiv 2408.10205): an output hands its score back along its edges, by their
share (S2) of what varies, and every node on the way what it received; the outputs' mean is taken. There the node score is a itself, which
stands for both parts of (S4). (S1) counts a constant like everything else; (S2) and (S3) count only what varies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_choice
from kan_ref.network import Network, check_inputs, forward, layer_edge_outputs

KINDS = ("mean", "std", "attribution")
ROUNDING = 1e-14  # a deviation below this share of the summands is the rounding of a constant


@dataclass(frozen=True, eq=False)
class NodeScores:
    """How much the nodes of one layer matter: (S4), arrays (n_l,).

    Parameters
    ----------
    incoming : (n_l,), or None for the inputs of the network
    outgoing : (n_l,), or None for its outputs
    """

    incoming: FloatArray | None
    outgoing: FloatArray | None

    @property
    def least(self) -> FloatArray:
        """The smaller of the two (n_l,): a node is kept where it is above the threshold, eq. 2.21."""
        present = [scores for scores in (self.incoming, self.outgoing) if scores is not None]
        return np.asarray(np.minimum(present[0], present[-1]))

    def __repr__(self) -> str:
        return f"NodeScores(least {np.array2string(self.least, precision=3)})"


def edge_scores(network: Network, x: object, *, kind: str = "mean") -> list[FloatArray]:
    """How much every edge matters on a batch: a list of arrays (n_out, n_in); dead edges have 0.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample; two for "std" and "attribution".
    kind : str
        "mean": mean magnitude, in the units of the layer's outputs. "std": share of the standard deviation of the output, without unit;
        above 1 where edges cancel. "attribution": that share times the score of the output.

    Returns
    -------
    scores : list of (n_out, n_in)

    Raises
    ------
    ValueError, TypeError
        "kind is 'median', but must be one of 'mean', 'std', 'attribution'"

    Notes
    -----
    Implements :eq:`edge-scores`, :eq:`edge-shares` and :eq:`attribution`; Liu et al. 2024, eq. 2.17.
    """
    check_choice("kind", kind, KINDS)
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a mean over samples needs at least one")
    if kind != "mean" and len(points) == 1:
        raise ValueError(
            f"x has shape {points.shape}, but a standard deviation needs at least two samples"
        )
    _, caches = forward(network, points)
    layers = zip(network.layers, caches, strict=True)
    if kind == "mean":
        # [eq:edge-scores]
        return [np.abs(layer_edge_outputs(layer, cache)).mean(axis=0) for layer, cache in layers]
        # [/eq:edge-scores]
    shares = [_shares(layer_edge_outputs(layer, cache)) for layer, cache in layers]
    return shares if kind == "std" else _attributed(shares)


def node_scores(network: Network, x: object, *, kind: str = "mean") -> list[NodeScores]:
    """How much every node matters on a batch: one record for each of the layers of nodes 0..L, from inputs to outputs.

    Parameters
    ----------
    network, x, kind
        As in `edge_scores`.

    Returns
    -------
    scores : list of NodeScores
        L + 1 records for L layers of edges; `scores[l].least` holds the n_l numbers that pruning compares with its threshold.

    Notes
    -----
    Implements :eq:`node-scores`, Liu et al. 2024, eq. 2.21.
    """
    return collect_nodes(edge_scores(network, x, kind=kind), kind)


def collect_nodes(by_edge: Sequence[FloatArray], kind: str) -> list[NodeScores]:
    """Node scores from the edge scores of the same kind."""
    if kind == "attribution":
        handed = [_handed_back(scores) for scores in by_edge]
        last = _of_outputs(by_edge)
        return [
            NodeScores(None, handed[0]),
            *(NodeScores(one, one) for one in handed[1:]),
            NodeScores(last, None),
        ]
    # [eq:node-scores]
    incoming = [None, *(scores.max(axis=1) for scores in by_edge)]
    outgoing = [*(scores.max(axis=0) for scores in by_edge), None]
    # [/eq:node-scores]
    return [NodeScores(one, other) for one, other in zip(incoming, outgoing, strict=True)]


def _shares(outputs: FloatArray) -> FloatArray:
    """(S2) from the edges' outputs (batch, n_out, n_in)."""
    sizes = np.abs(outputs).max(axis=0)
    # divided by the largest summand, no square overflows or vanishes
    scale = sizes.max(axis=1, keepdims=True)
    scale[scale == 0.0] = 1.0
    scaled, sizes = outputs / scale, sizes / scale
    # [eq:edge-shares]
    of_edges, of_nodes = scaled.std(axis=0), scaled.sum(axis=2).std(axis=0)[:, None]
    varies = (of_edges > ROUNDING * sizes) & (of_nodes > ROUNDING)
    shares: FloatArray = np.divide(of_edges, of_nodes, out=np.zeros_like(of_edges), where=varies)
    # [/eq:edge-shares]
    return shares


def _attributed(shares: Sequence[FloatArray]) -> list[FloatArray]:
    """(S3) from (S2), from the outputs back."""
    scores: list[FloatArray] = []
    # [eq:attribution]
    of_nodes = _of_outputs(shares)
    for share in reversed(shares):
        scores.insert(0, of_nodes[:, None] * share)
        of_nodes = _handed_back(scores[0])
    # [/eq:attribution]
    return scores


def _of_outputs(by_edge: Sequence[FloatArray]) -> FloatArray:
    n_outputs = by_edge[-1].shape[0]
    return np.full(n_outputs, 1.0 / n_outputs)


def _handed_back(scores: FloatArray) -> FloatArray:
    return np.asarray(scores.sum(axis=0))
