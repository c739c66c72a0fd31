"""A part of a network that does what the whole did, as well as it can: the same curves, and constants that keep every node's mean.

Only what lies on a path of living edges from an input to an output is kept, beside the inputs and outputs themselves. Let x be the nodes
of the network before and x' those after. Each remaining node j of layer l + 1 is given the constant that it misses,

    (P2)  mu_j = mean_b r_j,  r_j = x_{l+1,j} - sum_kept phi_ji(x'_l,i)        mean_b (r_j - c)^2 = var r_j + (mean_b r_j - c)^2

so that over the batch it has the same mean as before; no other constant brings it nearer. Where the inputs x' are still x, mu_j is the
mean of the removed phi_ji, and the node changes by their variation alone. No mean depends on what was removed earlier, hence the
order of removals does not matter; a chain of nodes that were constants goes without a trace. `constant_folding` says where mu_j is put.
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
)
from kan_ref.sparsity.paths import active_edges, both, nodes_on_paths
from kan_ref.sparsity.scores import ROUNDING


def keep_part(
    network: Network,
    points: FloatArray,
    nodes: Sequence[BoolArray],
    kept: Sequence[BoolArray],
    *,
    drop_inputs: bool = False,
) -> Network:
    """The network of some nodes and edges, as far as they lie on paths.

    Parameters
    ----------
    network : Network
    points : (batch, n_in)
        At least one sample; checked.
    nodes : list of (n_l,) of bool
        One array for each of the L + 1 layers of nodes; all outputs are True.
    kept : list of (n_out, n_in) of bool
        One array for each layer of edges; dead edges may be True.
    drop_inputs : bool
        Whether inputs that are False lose their place, or only their edges.

    Returns
    -------
    part : Network

    Raises
    ------
    ValueError
        If no path is left, or a formula has no value where its input has moved.

    Notes
    -----
    Implements :eq:`kept-mean`. See tutorials/07_sparsification.md, "the mean stays".
    """
    on_paths = nodes_on_paths(both(active_edges(network), kept), nodes)
    if not on_paths[-1].any():
        raise ValueError(
            "network keeps no path from an input to an output: it is constant on x, and a layer needs at least one node"
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
        if not np.isfinite(constants).all():
            _refuse_undefined(Network((*layers, part)), points[:, places[0]])
        # rounding is no constant: it must not bend a spline, and never revive an edge
        constants[np.abs(constants) <= ROUNDING * np.abs(summands).max(axis=(0, 2))[rows]] = 0.0
        layers.append(fold_constants(part, new, constants))
        old, new = layer_outputs(layer, cache), _values(layers[-1], new)
    return Network(tuple(layers))


def _values(layer: Layer, x: FloatArray) -> FloatArray:
    return layer_outputs(layer, evaluate(layer, x, slopes=False))


def _refuse_undefined(network: Network, points: FloatArray) -> None:
    try:
        network(points)
    except ValueError as error:
        raise ValueError(f"the pruned network is not defined on the whole batch: {error}") from None


def _part(layer: Layer, here: BoolArray, rows: BoolArray, columns: BoolArray) -> Layer:
    """The layer of the outputs `rows` and inputs `columns`, with the edges `here` (n_out, n_in) of the whole one."""
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
