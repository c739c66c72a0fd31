"""Inspect a network: values and curves of edges, distances, coverage of the grids.

Base function and spline of an edge both count; a hidden layer is inspected at its
activations.

Where samples leave the grid of a layer, its splines decay to zero. For input i of layer
l with the grid [a, b], G intervals and activations h_bi,

    (L32)  below = mean_b (h_bi < a),  above = mean_b (h_bi > b),
           distance = max_b max(a - h_bi, h_bi - b, 0) / ((b - a) / G)

Outside the grid the sum of the basis functions falls from 1 to 0 within `degree`
intervals, and beyond it only the base function is left (Liu et al. 2024, eqs. 2.10 to
2.12). An input without a spline edge has no use for its grid, and counts as covered.
"""

from dataclasses import dataclass, replace

import numpy as np

from kan_ref import bspline, checks
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network.definedness import layer_inputs
from kan_ref.network.editing import check_edge_index
from kan_ref.network.layer import Layer, layer_edge_outputs
from kan_ref.network.network import (
    Network,
    check_network,
    check_samples,
    forward,
    network_values,
)


@dataclass(frozen=True)
class Distance:
    """Largest and root mean square difference of all outputs of two networks."""

    max: float
    rms: float


def layer_jump_weights(layer: Layer) -> FloatArray:
    """Return the weights of coefficients in the jumps of a layer's k-th derivatives."""
    return bspline.difference_weights(layer.knots, layer.degree)


@np.errstate(all="ignore")
def edge_outputs(network: Network, x: object) -> list[FloatArray]:
    """Compute phi_{l,j,i}(x_{l,i}) of every edge of every layer; masked edges give 0.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)

    Returns
    -------
    outputs : list of (batch, n_out, n_in)
        One array per layer. They are computed only here, since each is n_out times as
        large as the layer's inputs.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> [curves.shape for curves in kr.edge_outputs(net, [[0.0, 0.5]])]
    [(1, 3, 2), (1, 1, 3)]
    """
    caches = forward(network, x)[1]
    return list(map(layer_edge_outputs, network.layers, caches))


@np.errstate(all="ignore")
def edge_samples(network: Network, x: object) -> list[tuple[FloatArray, FloatArray]]:
    """Compute each layer's inputs (batch, n_in), edge outputs (batch, n_out, n_in).

    ValueError for no sample, or an undefined symbolic edge.
    """
    found = []
    caches = forward(network, check_samples(network, x))[1]
    for layer, cache in zip(network.layers, caches, strict=True):
        found.append((cache.inputs, layer_edge_outputs(layer, cache)))
    return found


@np.errstate(all="ignore")
def edge_curve(
    network: Network, layer: int, *, output: int, input: int, x: object
) -> FloatArray:
    """Evaluate the curve phi_{l,j,i} of one edge at values of its own input.

    Parameters
    ----------
    network : Network
    layer, output, input : int
        l, j, i, from 0.
    x : (n,)
        Values of the edge's input: for a hidden layer, of the hidden node. ValueError
        where a symbolic edge is undefined.

    Returns
    -------
    curve : (n,)

    Examples
    --------
    >>> import sympy
    >>> import kan_ref as kr
    >>> net = kr.from_formula(sympy.sympify("sin(x) + sin(2*y)"), names=("x", "y"))
    >>> kr.edge_curve(net, 0, output=0, input=1, x=[0.0, 1.0]).round(3)
    array([0.   , 0.909])
    """
    layer_index, j, i = check_edge_index(network, layer, output, input)
    points = checks.array("x", x, ("n",))
    alone = Network((_lone_edge(network.layers[layer_index], j, i),))
    curve = network_values(alone, points[:, None])[:, 0]
    for n in np.flatnonzero(~np.isfinite(curve)):
        checks.fail(f"x[{n}]", points[n], "the edge has no finite value there")
    return curve


def _lone_edge(layer: Layer, j: int, i: int) -> Layer:
    """Return the layer of one input and one output that has this edge alone."""
    picked = np.index_exp[j : j + 1, i : i + 1]
    own = [edge for edge in layer.symbolic if (edge.output, edge.input) == (j, i)]
    return replace(
        layer,
        knots=layer.knots[i : i + 1],
        coef=layer.coef[picked],
        w_base=layer.w_base[picked],
        w_spline=layer.w_spline[picked],
        mask=layer.mask[picked],
        symbolic=[replace(edge, output=0, input=0) for edge in own],
    )


def distance(old: Network, new: Network, x: object) -> Distance:
    """Measure the largest and the root mean square difference of two networks.

    Parameters
    ----------
    old, new : Network
        With the same numbers of inputs and outputs.
    x : (batch, n_in)
        At least one sample.

    Returns
    -------
    distance : Distance
        Its fields are `max` and `rms`.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> kr.distance(net, kr.mask_edges(net, 0, [[0]]), [[0.0], [0.5]]).max < 0.5
    True
    """
    points = check_samples(old, x)
    check_network("new", new)
    if old.widths[0] != new.widths[0] or old.widths[-1] != new.widths[-1]:
        raise ValueError(
            f"new has widths {new.widths}, but old has {old.widths}: other ends"
        )
    difference = new(points) - old(points)
    largest = np.abs(difference).max()
    rms = np.sqrt(np.mean(difference**2))
    return Distance(float(largest), float(rms))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which share of samples leaves the grids.

    `str` shows the inputs concerned, one a line.

    Parameters
    ----------
    n_samples : int
    outside : tuple of float, one a layer
        Share of the samples that leave the grid of the layer in at least one input, 0
        to 1.
    below, above : tuple of (n_in,), one a layer
        Shares of the samples below and above the grid of each input, 0 to 1.
    distance : tuple of (n_in,), one a layer
        How far the farthest sample lies outside, in grid intervals; 0 if none does.
    """

    n_samples: int
    outside: tuple[float, ...]
    below: tuple[FloatArray, ...]
    above: tuple[FloatArray, ...]
    distance: tuple[FloatArray, ...]

    def __repr__(self) -> str:
        shares = ", ".join(map("{:.2%}".format, self.outside))
        return (
            f"Coverage({self.n_samples} samples, outside the grid of each layer: "
            f"{shares})"
        )

    def __str__(self) -> str:
        lines = [repr(self)]
        for layer, distance in enumerate(self.distance):
            for i in np.flatnonzero(distance):
                below = self.below[layer][i]
                above = self.above[layer][i]
                lines.append(
                    f"layer {layer}, input {i}: {below:.2%} below, {above:.2%} above, "
                    f"up to {distance[i]:.3g} intervals away"
                )
        return "\n".join(lines)


@np.errstate(all="ignore")
def coverage(network: Network, x: object) -> Coverage:
    """Return which share of samples leaves the grid of each layer, and how far.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.

    Returns
    -------
    coverage : Coverage

    Notes
    -----
    Implements :eq:`grid-coverage`. About one forward pass. ValueError where a symbolic
    edge is undefined.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network(
    ...     (1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng
    ... )
    >>> print(kr.coverage(net, [[0.0], [0.5], [1.0], [3.0]]))
    Coverage(4 samples, outside the grid of each layer: 25.00%)
    layer 0, input 0: 0.00% below, 25.00% above, up to 5 intervals away
    """
    points = check_samples(network, x)
    network(points)  # raises where a symbolic edge is undefined
    rows = []
    inputs = layer_inputs(network.layers, points)
    for layer, h in zip(network.layers, inputs, strict=False):
        below, above = _sides(layer, h)
        outside = below | above
        # [eq:grid-coverage]
        a = layer.breakpoints[:, 0]
        b = layer.breakpoints[:, -1]
        beyond = np.maximum(np.maximum(a - h, h - b), 0.0) * outside
        distance = beyond.max(axis=0) / ((b - a) / layer.n_intervals)
        # [/eq:grid-coverage]
        share = float(outside.any(axis=1).mean())
        rows.append((share, below.mean(axis=0), above.mean(axis=0), distance))
    return Coverage(len(points), *zip(*rows, strict=True))


def _sides(layer: Layer, h: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which activations h lie below and above spline edges' grids."""
    used = layer.mask.any(axis=0)
    below: BoolArray = used & (h < layer.breakpoints[:, 0])
    above: BoolArray = used & (h > layer.breakpoints[:, -1])
    return below, above
