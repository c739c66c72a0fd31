"""Looking into a network: every edge's values and curve, and how far two networks are apart.

Base function and spline of an edge both count; the samples reach a hidden layer through the layers before it.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_float_array
from kan_ref.network import layer_passes
from kan_ref.network.editing import check_edge_index
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network, check_inputs, check_network, forward
from kan_ref.network.symbolic_edges import SymbolicEdge


@dataclass(frozen=True)
class Distance:
    """How far two networks' outputs are apart on a batch: `max` and root mean square `rms` over batch x n_out numbers."""

    max: float
    rms: float


def edge_outputs(network: Network, x: object) -> list[FloatArray]:
    """phi_{l,j,i}(x_{l,i}) of every layer: a list of arrays (batch, n_out, n_in); dead edges are 0.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)

    Returns
    -------
    outputs : list of (batch, n_out, n_in)
        Made on request: the arrays are n_out times as large as a batch.
    """
    _, caches = forward(network, x)
    return [
        layer_passes.layer_edge_outputs(layer, cache)
        for layer, cache in zip(network.layers, caches, strict=True)
    ]


def edge_samples(network: Network, x: object) -> list[tuple[FloatArray, FloatArray]]:
    """What every edge takes and gives on a batch: of every layer (inputs (batch, n_in), outputs (batch, n_out, n_in)).

    Raises
    ------
    ValueError, TypeError
        No sample; numbers that are not finite; a formula that is not defined.
    """
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a curve needs at least one sample")
    network(points)  # refuses what a formula cannot take
    found = []
    for layer in network.layers:
        cache = layer_passes.evaluate(layer, points, slopes=False)
        found.append((points, layer_passes.layer_edge_outputs(layer, cache)))
        points = layer_passes.outputs(layer, cache)
    return found


def edge_curve(network: Network, layer: int, *, output: int, input: int, x: object) -> FloatArray:
    """The curve of one edge, phi_{l,j,i}, at points of that edge's own input.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        l, j, i, from 0.
    x : (n,)
        Values of the edge's input (of the hidden node, for a hidden layer).

    Returns
    -------
    curve : (n,)

    Raises
    ------
    IndexError, ValueError, TypeError
        "output is 1, but must be between 0 and 0"
    """
    number, j, i = check_edge_index(network, layer, output, input)
    points = check_float_array("x", x, ("n",))
    alone = Network((_lone_edge(network.layers[number], j, i),))
    return alone(points[:, None])[:, 0]


def _lone_edge(layer: Layer, j: int, i: int) -> Layer:
    """The layer of one input and one output that has this edge alone."""
    chosen = [edge for edge in layer.symbolic if (edge.output, edge.input) == (j, i)]
    picked = np.index_exp[j : j + 1, i : i + 1]
    return Layer(
        layer.knots[i : i + 1],
        layer.coef[picked],
        layer.w_base[picked],
        layer.w_spline[picked],
        layer.mask[picked],
        layer.degree,
        layer.base,
        [SymbolicEdge(0, 0, edge.function, edge.row) for edge in chosen],
        layer.affine,
    )


def distance(old: Network, new: Network, x: object) -> Distance:
    """What an operation changed: largest and root mean square difference of the outputs on a batch.

    Parameters
    ----------
    old, new : Network
        With the same numbers of inputs and outputs.
    x : (batch, n_in)
        At least one sample.

    Returns
    -------
    distance : Distance

    Raises
    ------
    ValueError
        "new maps 3 inputs to 1 outputs, but old maps 2 to 1"
    """
    check_network("old", old)
    check_network("new", new)
    ends_old, ends_new = (old.widths[0], old.widths[-1]), (new.widths[0], new.widths[-1])
    if ends_old != ends_new:
        raise ValueError(
            f"new maps {ends_new[0]} inputs to {ends_new[1]} outputs, but old maps {ends_old[0]} to {ends_old[1]}"
        )
    points = check_inputs(old, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a distance needs at least one sample")
    difference = new(points) - old(points)
    largest = float(np.abs(difference).max())
    # squares of what is divided by the largest neither overflow nor vanish
    return Distance(
        largest,
        largest * float(np.sqrt(np.mean((difference / largest) ** 2))) if largest > 0.0 else 0.0,
    )
