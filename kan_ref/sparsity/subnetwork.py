"""A part of a network, as close as possible to the whole: constants keep the means.

A path from an input to an output takes one active edge of each layer. With the active
edges as a relation E_l between the nodes of layers l and l + 1,

    (P12)  reached_0 = all,  reached_{l+1,j} = any_i (E_l,ji and reached_l,i)
           leading_L = all,  leading_{l,i} = any_j (E_l,ji and leading_{l+1,j})
           a node is on a path if it is both reached and leading

Only nodes and edges on a path are kept, besides the inputs and outputs themselves. Let
x be the nodes of the network before and x' those after. Each remaining node j of layer
l + 1 is given the constant

    (P14)  mu_j = mean_b r_j,  r_j = x_{l+1,j} - sum_kept phi_ji(x'_l,i)

so that its mean over the batch is unchanged. No other constant is better, because
mean_b (r_j - c)^2 = var r_j + (mean_b r_j - c)^2. Where the inputs x' still equal x,
mu_j is the mean of the removed phi_ji, and the error of the node is their variation
alone. mu_j does not depend on what was removed earlier, hence the order of removals
does not matter, and a chain of constant nodes is removed without error.
`kan_ref.network.constant_folding` says where mu_j is added.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kan_ref import network as kan
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.sparsity.scores import ROUNDING


def active_edges(network: kan.Network) -> list[BoolArray]:
    """Return for each layer which edges (n_out, n_in), spline or symbolic, are active.

    A symbolic edge with the function "0", or another constant one, is not active.
    """
    found = []
    for layer in network.layers:
        active = layer.mask == 1.0
        for edge in layer.symbolic:
            constant = edge.function.redundancy.kind == "constant"
            active[edge.output, edge.input] = not constant
        found.append(active)
    return found


def intersect(
    ones: Sequence[BoolArray], others: Sequence[BoolArray]
) -> list[BoolArray]:
    """Return, layer by layer, the nodes or edges that are in both lists."""
    return [one & other for one, other in zip(ones, others, strict=True)]


def nodes_on_paths(
    edges: Sequence[BoolArray], nodes: Sequence[BoolArray]
) -> list[BoolArray]:
    """Return which nodes lie on a path (P12) through these edges and nodes."""
    # [eq:paths]
    reached = [nodes[0]]
    for active, present in zip(edges, nodes[1:], strict=True):
        reached.append(present & (active & reached[-1]).any(axis=1))

    leading = [nodes[-1]]
    for active, present in zip(reversed(edges), reversed(nodes[:-1]), strict=True):
        leading.insert(0, present & (active.T & leading[0]).any(axis=1))
    # [/eq:paths]
    return intersect(reached, leading)


def keep_part(
    network: kan.Network,
    points: FloatArray,
    nodes: Sequence[BoolArray],
    kept: Sequence[BoolArray],
    outputs: BoolArray,
    action: str,
    *,
    drop_inputs: bool = False,
) -> kan.Network:
    """Return the network of some nodes and edges, as far as they lie on paths.

    Implements :eq:`kept-mean`. See tutorials/07_sparsification.md, "the mean stays".

    Parameters
    ----------
    network : Network
    points : (batch, n_in)
        At least one sample, validated by the caller.
    nodes : list of (n_l,) of bool
        The nodes to keep, for each of the L + 1 layers of nodes; all outputs are True.
    kept : list of (n_out, n_in) of bool
        The edges to keep, for each layer; masked edges may be True.
    outputs : (n_L,) of bool
        Those that must keep a path; else it is a ValueError.
    action : str
        What cuts an output off, in words: the beginning of the message.
    drop_inputs : bool
        Whether inputs that are False are dropped, so that the new network takes fewer
        columns, or only lose their edges.
    """
    on_paths = nodes_on_paths(intersect(active_edges(network), kept), nodes)
    lost = np.flatnonzero(outputs & ~on_paths[-1]).tolist()
    if lost:
        raise ValueError(
            f"{action} leaves outputs {lost} without a path from any input"
        )
    if not on_paths[-1].any():
        raise ValueError(
            "network has no path from an input to an output: it is constant on x"
        )

    stays = [nodes[0], *on_paths[1:-1], nodes[-1]]
    places = [np.ones_like(nodes[0]), *stays[1:]]
    if drop_inputs:
        places[0] = nodes[0]
    layers: list[kan.Layer] = []
    old = points
    new = inputs = points[:, places[0]]
    for n, (layer, wanted) in enumerate(zip(network.layers, kept, strict=True)):
        columns = places[n]
        rows = places[n + 1]
        here = wanted & stays[n] & stays[n + 1][:, None]
        part = _part(layer, here, rows, columns)
        cache = kan.evaluate(layer, old, slopes=False)
        # [eq:kept-mean]
        summands = kan.layer_edge_outputs(layer, cache)
        constants = np.where(here, 0.0, summands.mean(axis=0)).sum(axis=1)[rows]
        before = old[:, columns]
        if not np.array_equal(new, before):
            change = _values(part, before) - _values(part, new)
            constants += change.mean(axis=0)
        # [/eq:kept-mean]
        kan.check_defined((*layers, part), inputs, constants)

        # a constant of the size of rounding may change no spline and revive no edge
        largest = np.abs(summands).max(axis=(0, 2))[rows]
        constants[np.abs(constants) <= ROUNDING * largest] = 0.0
        layers.append(kan.fold_constants(part, new, constants))
        old = kan.layer_outputs(layer, cache)
        new = _values(layers[-1], new)
    return kan.Network(tuple(layers))


def _values(layer: kan.Layer, x: FloatArray) -> FloatArray:
    return kan.layer_outputs(layer, kan.evaluate(layer, x, slopes=False))


def _part(
    layer: kan.Layer, here: BoolArray, rows: BoolArray, columns: BoolArray
) -> kan.Layer:
    """Return a layer's outputs `rows`, inputs `columns` and edges `here` as a layer."""
    picked = np.ix_(rows, columns)
    symbolic = []
    for edge in layer.symbolic:
        if here[edge.output, edge.input]:
            output = int(rows[: edge.output].sum())
            input_ = int(columns[: edge.input].sum())
            symbolic.append(replace(edge, output=output, input=input_))
    return replace(
        layer,
        knots=layer.knots[columns],
        coef=layer.coef[picked],
        w_base=layer.w_base[picked],
        w_spline=layer.w_spline[picked],
        mask=(layer.mask * here)[picked],
        symbolic=symbolic,
    )
