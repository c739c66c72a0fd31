"""Inspect a network: values and curves of every edge, and the distance between two networks.

Base function and spline of an edge both count; a hidden layer is inspected at its activations.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.bspline import jump_weights
from kan_ref.checks import FloatArray, check_float_array
from kan_ref.network.definedness import check_defined, undefined_edge
from kan_ref.network.editing import check_edge_index
from kan_ref.network.layer import Layer, evaluate, layer_edge_outputs, layer_outputs
from kan_ref.network.network import (
    Network,
    check_inputs,
    check_network,
    forward,
    network_values,
)
from kan_ref.network.symbolic_edges import SymbolicEdge


@dataclass(frozen=True)
class Distance:
    """Largest and root mean square difference of two networks' outputs, over batch x n_out."""

    max: float
    rms: float


def layer_jump_weights(layer: Layer) -> FloatArray:
    """Return the weights of the coefficients in the jumps of a layer's k-th derivatives."""
    return jump_weights(layer.knots, layer.degree)


def edge_outputs(network: Network, x: object) -> list[FloatArray]:
    """Compute phi_{l,j,i}(x_{l,i}) of every edge of every layer; masked edges give 0.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)

    Returns
    -------
    outputs : list of (batch, n_out, n_in)
        One array per layer. They are computed only here, since each is n_out times as large as
        the layer's inputs.
    """
    _, caches = forward(network, x)
    return [
        layer_edge_outputs(layer, cache)
        for layer, cache in zip(network.layers, caches, strict=True)
    ]


def edge_samples(network: Network, x: object) -> list[tuple[FloatArray, FloatArray]]:
    """Compute each layer's inputs (batch, n_in) and edge outputs (batch, n_out, n_in) on a batch.

    Raises
    ------
    ValueError, TypeError
        For no sample, numbers that are not finite, or an undefined symbolic edge.
    """
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a curve needs at least one sample")
    network(points)  # raises where a symbolic edge is undefined
    found = []
    for layer in network.layers:
        cache = evaluate(layer, points, slopes=False)
        found.append((points, layer_edge_outputs(layer, cache)))
        points = layer_outputs(layer, cache)
    return found


def edge_curve(network: Network, layer: int, *, output: int, input: int, x: object) -> FloatArray:
    """Evaluate the curve phi_{l,j,i} of one edge at values of its own input.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        l, j, i, from 0.
    x : (n,)
        Values of the edge's input: for a hidden layer, of the hidden node.

    Returns
    -------
    curve : (n,)

    Raises
    ------
    IndexError, ValueError, TypeError
        "output is 1, but must be between 0 and 0"; where a symbolic edge is undefined.
    """
    layer_index, j, i = check_edge_index(network, layer, output, input)
    points = check_float_array("x", x, ("n",))
    own = network.layers[layer_index]
    alone = _lone_edge(own, j, i)
    curve = network_values(Network((alone,)), points[:, None])[:, 0]
    if not np.isfinite(curve).all():
        sample = int(np.argmin(np.isfinite(curve)))
        for edge in own.symbolic:
            if (edge.output, edge.input) == (j, i):
                scale, shift = own.affine[edge.row, :2]
                u = scale * points[sample] + shift
                raise ValueError(f"x[{sample}] {undefined_edge(edge, layer_index, u)}")
        check_defined((alone,), points[:, None], curve[:, None])
    return curve


def _lone_edge(layer: Layer, j: int, i: int) -> Layer:
    """Return the layer of one input and one output that has this edge alone."""
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
    """Measure the largest and the root mean square difference of two networks on a batch.

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
            f"new maps {ends_new[0]} inputs to {ends_new[1]} outputs, "
            f"but old maps {ends_old[0]} to {ends_old[1]}"
        )
    points = check_inputs(old, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a distance needs at least one sample")
    difference = new(points) - old(points)
    largest = float(np.abs(difference).max())
    # divided by the largest, the squares neither overflow nor underflow
    return Distance(
        largest,
        largest * float(np.sqrt(np.mean((difference / largest) ** 2))) if largest > 0.0 else 0.0,
    )
