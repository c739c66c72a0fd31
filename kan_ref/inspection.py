"""Looking into a network: every edge's values and curve, how much it matters, and how far two networks are apart.

Liu et al. 2024, eq. 2.17: the magnitude of an edge over N samples is

    (E1)  |phi_ji|_1 = (1/N) sum_b |phi_ji(x_bi)|

Base function and spline both count; the samples reach a hidden layer through the layers before it.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref import layer as edges
from kan_ref.checks import FloatArray, float_array, integer
from kan_ref.network import Network, check_inputs, check_layer_index, check_network, forward


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
    return [edges.edge_outputs(layer, cache) for layer, cache in zip(network.layers, caches, strict=True)]


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
    number = check_layer_index(network, layer)
    chosen = network.layers[number]
    try:
        j = integer("output", output, low=0, high=chosen.n_out - 1)
        i = integer("input", input, low=0, high=chosen.n_in - 1)
    except ValueError as error:
        raise IndexError(str(error)) from None
    points = float_array("x", x, ("n",))
    alone = edges.Layer(
        chosen.knots[i : i + 1],
        chosen.coef[j : j + 1, i : i + 1],
        chosen.w_base[j : j + 1, i : i + 1],
        chosen.w_spline[j : j + 1, i : i + 1],
        chosen.mask[j : j + 1, i : i + 1],
        chosen.degree,
        chosen.base,
    )
    return edges.outputs(alone, edges.evaluate(alone, points[:, None], slopes=False))[:, 0]


def edge_scores(network: Network, x: object) -> list[FloatArray]:
    """Mean magnitude of every edge on a batch: a list of arrays (n_out, n_in).

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.

    Returns
    -------
    scores : list of (n_out, n_in)

    Notes
    -----
    Implements :eq:`edge-scores`, Liu et al. 2024, eq. 2.17.
    """
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a mean over samples needs at least one")
    # [eq:edge-scores]
    return [np.abs(outputs).mean(axis=0) for outputs in edge_outputs(network, points)]
    # [/eq:edge-scores]


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
        raise ValueError(f"new maps {ends_new[0]} inputs to {ends_new[1]} outputs, but old maps {ends_old[0]} to {ends_old[1]}")
    points = check_inputs(old, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a distance needs at least one sample")
    difference = new(points) - old(points)
    largest = float(np.abs(difference).max())
    # squares of what is divided by the largest neither overflow nor vanish
    return Distance(largest, largest * float(np.sqrt(np.mean((difference / largest) ** 2))) if largest > 0.0 else 0.0)
