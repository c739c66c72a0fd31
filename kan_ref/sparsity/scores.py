"""Scores: how much every edge and every node matters on a batch.

Liu et al. 2024, eqs. 2.17 and 2.21. phi_ji is the edge from input i to output j of
layer l, so that x_{l+1,j} = sum_i phi_ji(x_l,i); std is the standard deviation over the
N samples of the batch.

    (P8)   "mean"         A_ji = |phi_ji|_1 = (1/N) sum_b |phi_ji(x_bi)|
    (P9)   "std"          A_ji = std phi_ji / std x_{l+1,j},
                          0 where node j does not vary
    (P10)  "attribution"  A_ji = a_{l+1,j} std phi_ji / std x_{l+1,j},
                          a_{l,i} = sum_j A_ji,  a_{L,j} = 1 / n_L
    (P11)  node i         incoming I_i = max_k A_ik over the edges that enter it,
                          outgoing O_i = max_j A_ji over the edges that leave it

(P10) is the rule of the code of the second paper (Liu et al. 2024b, arXiv 2408.10205),
averaged over the outputs: the score of a node is divided among the edges that enter it,
in proportion to (P9), and is the sum of what the edges that leave it receive. There the
node score is a itself, in place of both parts of (P11). (P8) counts constants too; (P9)
and (P10) count only variation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Network, check_inputs, forward, layer_edge_outputs

KINDS = ("mean", "std", "attribution")
# of the largest summand: a smaller standard deviation is rounding error
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class NodeScores:
    """The scores (P11) of the nodes of one layer.

    Parameters
    ----------
    incoming : (n_l,), or None for the inputs of the network
    outgoing : (n_l,), or None for its outputs
    """

    incoming: FloatArray | None
    outgoing: FloatArray | None

    @property
    def least(self) -> FloatArray:
        """The smaller of the two scores (n_l,), which pruning compares."""
        if self.incoming is None:
            return np.array(self.outgoing)
        if self.outgoing is None:
            return self.incoming.copy()
        return np.minimum(self.incoming, self.outgoing)

    def __repr__(self) -> str:
        return f"NodeScores(least {np.array2string(self.least, precision=3)})"


def edge_scores(network: Network, x: object, *, kind: str = "mean") -> list[FloatArray]:
    """Return the score of every edge on a batch, a measure of how much it matters.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample; two for "std" and "attribution".
    kind : str
        "mean": the mean magnitude, in units of the layer's outputs. "std": the fraction
        of the standard deviation of the output, above 1 where edges cancel.
        "attribution": this fraction times the score of the output.

    Returns
    -------
    scores : list of (n_out, n_in)
        One array for each layer; masked edges have the score 0. Implements
        :eq:`edge-scores`, :eq:`edge-shares` and :eq:`attribution`; Liu et al. 2024, eq.
        2.17.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> network = kr.init_network((2, 1), **grid, rng=rng)
    >>> x = rng.uniform(-1.0, 1.0, (50, 2))
    >>> [scores.shape for scores in edge_scores(network, x)]
    [(1, 2)]
    """
    return scores_by_edge(network, check_samples(network, x, kind), kind)


def check_samples(network: Network, x: object, kind: str = "mean") -> FloatArray:
    """Return x as an array (batch, n_in) with enough samples for scores of a kind."""
    checks.choice("kind", kind, KINDS)
    points = check_inputs(network, x)
    least = 1 if kind == "mean" else 2
    if len(points) < least:
        rows = checks.counted(len(points), "row")
        samples = checks.counted(least, "sample")
        raise ValueError(f"x has {rows}, but {kind!r} scores need at least {samples}")
    return points


def scores_by_edge(network: Network, points: FloatArray, kind: str) -> list[FloatArray]:
    """Return the scores of `edge_scores` at validated samples (batch, n_in)."""
    _, caches = forward(network, points)
    score = _magnitudes if kind == "mean" else _fractions
    by_edge = []
    for layer, cache in zip(network.layers, caches, strict=True):
        outputs = layer_edge_outputs(layer, cache)
        by_edge.append(score(outputs))
    return _attributed(by_edge) if kind == "attribution" else by_edge


def node_scores(network: Network, x: object, *, kind: str = "mean") -> list[NodeScores]:
    """Return the scores of all nodes on a batch, from the inputs to the outputs.

    Parameters
    ----------
    network, x, kind
        As in `edge_scores`.

    Returns
    -------
    scores : list of NodeScores
        One record for each of the L + 1 layers of nodes. Implements :eq:`node-scores`,
        Liu et al. 2024, eq. 2.21.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> network = kr.init_network((2, 3, 1), **grid, rng=rng)
    >>> x = rng.uniform(-1.0, 1.0, (50, 2))
    >>> [record.least.shape for record in node_scores(network, x)]
    [(2,), (3,), (1,)]
    """
    return scores_by_node(edge_scores(network, x, kind=kind), kind)


def scores_by_node(by_edge: Sequence[FloatArray], kind: str) -> list[NodeScores]:
    """Return the scores of all nodes, from the edge scores of the same kind."""
    if kind == "attribution":  # a_{l,i} in place of both
        incoming = [scores.sum(axis=0) for scores in by_edge[1:]]
        incoming.append(_of_outputs(by_edge))
        outgoing = [by_edge[0].sum(axis=0), *incoming[:-1]]
    else:
        # [eq:node-scores]
        incoming = [scores.max(axis=1) for scores in by_edge]
        outgoing = [scores.max(axis=0) for scores in by_edge]
        # [/eq:node-scores]
    return list(map(NodeScores, [None, *incoming], [*outgoing, None]))


def _magnitudes(outputs: FloatArray) -> FloatArray:
    """Return the scores (P8) from the edges' outputs (batch, n_out, n_in)."""
    # [eq:edge-scores]
    scores: FloatArray = np.abs(outputs).mean(axis=0)
    # [/eq:edge-scores]
    return scores


def _fractions(outputs: FloatArray) -> FloatArray:
    """Return the fractions (P9) from the edges' outputs (batch, n_out, n_in)."""
    sizes = np.abs(outputs).max(axis=0)
    # [eq:edge-shares]
    of_edges = outputs.std(axis=0)
    of_nodes = outputs.sum(axis=2).std(axis=0)[:, None]
    varies = of_edges > ROUNDING * sizes
    varies &= of_nodes > ROUNDING * sizes.max(axis=1, keepdims=True)
    fractions: FloatArray = np.zeros_like(of_edges)
    np.divide(of_edges, of_nodes, out=fractions, where=varies)
    # [/eq:edge-shares]
    return fractions


def _attributed(fractions: Sequence[FloatArray]) -> list[FloatArray]:
    """Return the scores (P10) from the fractions (P9), from outputs to inputs."""
    scores: list[FloatArray] = []
    # [eq:attribution]
    of_nodes = _of_outputs(fractions)
    for fraction in reversed(fractions):
        scores.insert(0, of_nodes[:, None] * fraction)
        of_nodes = scores[0].sum(axis=0)
    # [/eq:attribution]
    return scores


def _of_outputs(by_edge: Sequence[FloatArray]) -> FloatArray:
    """Return a_{L,j} of (P10)."""
    n_outputs = by_edge[-1].shape[0]
    return np.full(n_outputs, 1.0 / n_outputs)
