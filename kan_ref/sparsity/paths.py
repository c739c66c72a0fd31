"""Paths through a network: which nodes lie on a living way from an input to an output, and how weak the weakest piece of the best one is.

A path takes one living edge of each layer. With living edges as a relation E_l between the nodes of layers l and l+1,

    (W1)  reached_0 = all,  reached_{l+1,j} = any_i (E_l,ji and reached_l,i);  leading_L = all, backwards alike;  on a path = both
    (W2)  strength_{l+1,j} = min(node_{l+1,j}, max_i min(edge_l,ji, strength_l,i))

(W2) is the strength of the strongest path to a node, where a path is as strong as its weakest piece (the bottleneck path of graph theory):
a threshold cuts a node off exactly when it is not below that.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network import Network


def active_edges(network: Network) -> list[BoolArray]:
    """Which edges depend on their input, as arrays (n_out, n_in): splines, and formulas but "0" and the like."""
    living = []
    for layer in network.layers:
        alive = layer.mask == 1.0
        for edge in layer.symbolic:
            alive[edge.output, edge.input] = edge.function.gauge.kind != "constant"
        living.append(alive)
    return living


def both(ones: Sequence[BoolArray], others: Sequence[BoolArray]) -> list[BoolArray]:
    """Layer by layer, what is in one list and in the other."""
    return [one & other for one, other in zip(ones, others, strict=True)]


def nodes_on_paths(edges: Sequence[BoolArray], nodes: Sequence[BoolArray]) -> list[BoolArray]:
    """(W1) through the given edges (n_out, n_in) and nodes (n_l,), for the L + 1 layers of nodes."""
    # [eq:paths]
    reached = [nodes[0]]
    for alive, present in zip(edges, nodes[1:], strict=True):
        reached.append(present & (alive & reached[-1]).any(axis=1))
    leading = [nodes[-1]]
    for alive, present in zip(reversed(edges), reversed(nodes[:-1]), strict=True):
        leading.insert(0, present & (alive.T & leading[0]).any(axis=1))
    # [/eq:paths]
    return both(reached, leading)


def strongest_paths(edges: Sequence[FloatArray], nodes: Sequence[FloatArray]) -> FloatArray:
    """(W2) at the outputs (n_L,), from strengths of edges (n_out, n_in) and nodes (n_l,); -inf is absent."""
    strength = nodes[0]
    # [eq:strongest-paths]
    for of_edges, of_nodes in zip(edges, nodes[1:], strict=True):
        strength = np.minimum(of_nodes, np.minimum(of_edges, strength).max(axis=1))
    # [/eq:strongest-paths]
    return strength
