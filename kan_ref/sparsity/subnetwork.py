"""A part of a network that is as close as possible to the whole one: constants keep the means.

A path from an input to an output takes one active edge of each layer. With the active edges as a
relation E_l between the nodes of layers l and l + 1,

    (P12)  reached_0 = all,  reached_{l+1,j} = any_i (E_l,ji and reached_l,i)
           leading_L = all,  leading_{l,i} = any_j (E_l,ji and leading_{l+1,j})
           a node is on a path if it is both reached and leading
    (P13)  strength_{l+1,j} = min(node_{l+1,j}, max_i min(edge_l,ji, strength_l,i))

(P13) is the strength of the strongest path to a node, where a path is as strong as its weakest
edge or node (the bottleneck path of graph theory). A threshold cuts a node off if and only if it
is not below this strength.

Only nodes and edges on a path are kept, besides the inputs and outputs themselves. Let x be the
nodes of the network before and x' those after. Each remaining node j of layer l + 1 is given the
constant

    (P14)  mu_j = mean_b r_j,  r_j = x_{l+1,j} - sum_kept phi_ji(x'_l,i)

so that its mean over the batch is unchanged. No other constant is better, because mean_b (r_j -
c)^2 = var r_j + (mean_b r_j - c)^2. Where the inputs x' still equal x, mu_j is the mean of the
removed phi_ji, and the error of the node is their variation alone. mu_j does not depend on what
was removed earlier, hence the order of removals does not matter, and a chain of constant nodes is
removed without error. `kan_ref.network.constant_folding` says where mu_j is added.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network import (
    Layer,
    Network,
    SymbolicEdge,
    evaluate,
    fold_constants,
    layer_edge_outputs,
    layer_outputs,
    undefined_values,
)
from kan_ref.sparsity.scores import ROUNDING


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


def keep_part(
    network: Network,
    points: FloatArray,
    nodes: Sequence[BoolArray],
    kept: Sequence[BoolArray],
    *,
    drop_inputs: bool = False,
) -> Network:
    """Return the network of some nodes and edges, as far as they lie on paths.

    Parameters
    ----------
    network : Network
    points : (batch, n_in)
        At least one sample, validated by the caller.
    nodes : list of (n_l,) of bool
        The nodes to keep, for each of the L + 1 layers of nodes; all outputs are True.
    kept : list of (n_out, n_in) of bool
        The edges to keep, for each layer; masked edges may be True.
    drop_inputs : bool
        Whether inputs that are False are dropped, so that the new network takes fewer columns, or
        only lose their edges.

    Returns
    -------
    part : Network

    Raises
    ------
    ValueError
        If no path remains, or a symbolic edge is undefined at its new inputs.

    Notes
    -----
    Implements :eq:`kept-mean`. See tutorials/07_sparsification.md, "the mean stays".
    """
    on_paths = nodes_on_paths(intersect(active_edges(network), kept), nodes)
    if not on_paths[-1].any():
        raise ValueError(
            "network keeps no path from an input to an output: it is constant on x, "
            "and a layer needs at least one node"
        )
    stays = [nodes[0], *on_paths[1:-1], nodes[-1]]
    places = [nodes[0] if drop_inputs else np.ones_like(nodes[0]), *stays[1:]]
    layers: list[Layer] = []
    old, new = points, points[:, places[0]]
    for layer_index, (layer, wanted) in enumerate(zip(network.layers, kept, strict=True)):
        columns, rows = places[layer_index], places[layer_index + 1]
        here = wanted & stays[layer_index] & stays[layer_index + 1][:, None]
        part, cache = _part(layer, here, rows, columns), evaluate(layer, old, slopes=False)
        # [eq:kept-mean]
        summands = layer_edge_outputs(layer, cache)
        constants = np.where(here, 0.0, summands.mean(axis=0)).sum(axis=1)[rows]
        if not np.array_equal(new, old[:, columns]):
            constants += (_values(part, old[:, columns]) - _values(part, new)).mean(axis=0)
        # [/eq:kept-mean]
        _check_constants(constants, (*layers, part), points[:, places[0]])
        # a constant of the size of rounding must neither change a spline nor reactivate an edge
        constants[np.abs(constants) <= ROUNDING * np.abs(summands).max(axis=(0, 2))[rows]] = 0.0
        layers.append(fold_constants(part, new, constants))
        old, new = layer_outputs(layer, cache), _values(layers[-1], new)
    return Network(tuple(layers))


def _values(layer: Layer, x: FloatArray) -> FloatArray:
    return layer_outputs(layer, evaluate(layer, x, slopes=False))


def _check_constants(constants: FloatArray, layers: Sequence[Layer], points: FloatArray) -> None:
    """Raise ValueError if constants are not finite, because an edge is undefined at a sample."""
    if not np.isfinite(constants).all():
        why = undefined_values(layers, points) or "a mean exceeds the largest float64"
        raise ValueError(f"the pruned network is not defined on the whole batch: {why}")


def _part(layer: Layer, here: BoolArray, rows: BoolArray, columns: BoolArray) -> Layer:
    """Return the part of a layer with outputs `rows`, inputs `columns` and its edges `here`."""
    picked = np.ix_(rows, columns)
    output, input_ = np.cumsum(rows) - 1, np.cumsum(columns) - 1
    symbolic = [
        SymbolicEdge(int(output[edge.output]), int(input_[edge.input]), edge.function, edge.row)
        for edge in layer.symbolic
        if here[edge.output, edge.input]
    ]
    return Layer(
        layer.knots[columns],
        layer.coef[picked],
        layer.w_base[picked],
        layer.w_spline[picked],
        (layer.mask * here)[picked],
        layer.degree,
        layer.base,
        symbolic,
        layer.affine,
    )
