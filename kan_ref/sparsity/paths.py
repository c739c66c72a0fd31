"""Paths through a network: which nodes lie on one, and the strength of the strongest one.

A path from an input to an output takes one active edge of each layer. With the active edges as a
relation E_l between the nodes of layers l and l + 1,

    (P12)  reached_0 = all,  reached_{l+1,j} = any_i (E_l,ji and reached_l,i)
           leading_L = all,  leading_{l,i} = any_j (E_l,ji and leading_{l+1,j})
           a node is on a path if it is both reached and leading
    (P13)  strength_{l+1,j} = min(node_{l+1,j}, max_i min(edge_l,ji, strength_l,i))

(P13) is the strength of the strongest path to a node, where a path is as strong as its weakest
edge or node (the bottleneck path of graph theory). A threshold cuts a node off if and only if it
is not below this strength.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network import Network


def active_edges(network: Network) -> list[BoolArray]:
    """Return for each layer (n_out, n_in) which edges are active: splines and symbolic edges.

    A symbolic edge with the function "0", or another constant one, is not active.
    """
    found = []
    for layer in network.layers:
        active = layer.mask == 1.0
        for edge in layer.symbolic:
            active[edge.output, edge.input] = edge.function.redundancy.kind != "constant"
        found.append(active)
    return found


def intersect(ones: Sequence[BoolArray], others: Sequence[BoolArray]) -> list[BoolArray]:
    """Return, layer by layer, the nodes or edges that are in both lists."""
    return [one & other for one, other in zip(ones, others, strict=True)]


def nodes_on_paths(edges: Sequence[BoolArray], nodes: Sequence[BoolArray]) -> list[BoolArray]:
    """Return which nodes lie on a path (P12) through these edges (n_out, n_in) and nodes."""
    # [eq:paths]
    reached = [nodes[0]]
    for active, present in zip(edges, nodes[1:], strict=True):
        reached.append(present & (active & reached[-1]).any(axis=1))
    leading = [nodes[-1]]
    for active, present in zip(reversed(edges), reversed(nodes[:-1]), strict=True):
        leading.insert(0, present & (active.T & leading[0]).any(axis=1))
    # [/eq:paths]
    return intersect(reached, leading)


def strongest_paths(edges: Sequence[FloatArray], nodes: Sequence[FloatArray]) -> FloatArray:
    """Return the strengths (P13) of the outputs (n_L,), from those of edges and nodes.

    A masked edge or removed node has the strength -inf.
    """
    strength = nodes[0]
    # [eq:strongest-paths]
    for of_edges, of_nodes in zip(edges, nodes[1:], strict=True):
        strength = np.minimum(of_nodes, np.minimum(of_edges, strength).max(axis=1))
    # [/eq:strongest-paths]
    return strength
