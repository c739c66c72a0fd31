"""Inspect a network: values and curves of edges, distance to another, coverage of its
grids.

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

from dataclasses import dataclass

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
from kan_ref.network.symbolic_edges import SymbolicEdge


@dataclass(frozen=True)
class Distance:
    """Largest and root mean square difference of two networks' outputs, over batch x
    n_out.
    """

    max: float
    rms: float


def layer_jump_weights(layer: Layer) -> FloatArray:
    """Return the weights of the coefficients in the jumps of a layer's k-th
    derivatives.
    """
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
    >>> net = kr.init_network((2, 3, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> [curves.shape for curves in kr.edge_outputs(net, [[0.0, 0.5]])]
    [(1, 3, 2), (1, 1, 3)]
    """
    caches = forward(network, x)[1]
    return [
        layer_edge_outputs(layer, at)
        for layer, at in zip(network.layers, caches, strict=True)
    ]


@np.errstate(all="ignore")
def edge_samples(network: Network, x: object) -> list[tuple[FloatArray, FloatArray]]:
    """Compute each layer's inputs (batch, n_in) and edge outputs (batch, n_out, n_in)
    on a batch.

    ValueError for no sample, or an undefined symbolic edge.
    """
    caches = forward(network, check_samples(network, x))[1]
    return [
        (at.inputs, layer_edge_outputs(layer, at))
        for layer, at in zip(network.layers, caches, strict=True)
    ]


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
    symbolic = [
        SymbolicEdge(0, 0, edge.function, edge.row)
        for edge in layer.symbolic
        if (edge.output, edge.input) == (j, i)
    ]
    knots, coef = layer.knots[i : i + 1], layer.coef[picked]
    weights = layer.w_base[picked], layer.w_spline[picked], layer.mask[picked]
    return Layer(
        knots, coef, *weights, layer.degree, layer.base, symbolic, layer.affine
    )


def distance(old: Network, new: Network, x: object) -> Distance:
    """Measure the largest and the root mean square difference of two networks on a
    batch.

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
    >>> net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> kr.distance(net, kr.mask_edges(net, 0, [[0]]), [[0.0], [0.5]]).max < 0.5
    True
    """
    points = check_samples(old, x)
    if (
        old.widths[-1] != check_network("new", new).widths[-1]
        or old.widths[0] != new.widths[0]
    ):
        raise ValueError(
            f"new has widths {new.widths}, but old has {old.widths}: other ends"
        )
    difference = new(points) - old(points)
    return Distance(
        float(np.abs(difference).max()), float(np.sqrt(np.mean(difference**2)))
    )


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which share of samples leaves the grids; `str` shows the inputs concerned, one a
    line.

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
        shares = ", ".join(f"{share:.2%}" for share in self.outside)
        return f"Coverage({self.n_samples} samples, outside the grid of each layer: {shares})"

    def __str__(self) -> str:
        lines = [repr(self)]
        for layer, sides in enumerate(
            zip(self.below, self.above, self.distance, strict=True)
        ):
            for i, (below, above, far) in enumerate(zip(*sides, strict=True)):
                if far:
                    where = f"{below:.2%} below, {above:.2%} above, up to {far:.3g} intervals away"
                    lines.append(f"layer {layer}, input {i}: {where}")
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
    Implements :eq:`grid-coverage`. About one forward pass. ValueError where a symbolic edge
    is undefined.

    Examples
    --------
    >>> import numpy as np
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> print(kr.coverage(net, [[0.0], [0.5], [1.0], [3.0]]))
    Coverage(4 samples, outside the grid of each layer: 25.00%)
    layer 0, input 0: 0.00% below, 25.00% above, up to 5 intervals away
    """
    points = check_samples(network, x)
    network(points)  # raises where a symbolic edge is undefined
    outside, lows, highs, distances = [], [], [], []
    for layer, h in zip(
        network.layers, layer_inputs(network.layers, points), strict=False
    ):
        below, above = _sides(layer, h)
        # [eq:grid-coverage]
        a, b = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
        beyond = np.maximum(np.maximum(a - h, h - b), 0.0) * (below | above)
        lows.append(below.mean(axis=0))
        highs.append(above.mean(axis=0))
        distances.append(beyond.max(axis=0) / ((b - a) / layer.n_intervals))
        # [/eq:grid-coverage]
        outside.append(float((below | above).any(axis=1).mean()))
    return Coverage(
        len(points), tuple(outside), tuple(lows), tuple(highs), tuple(distances)
    )


def uncovered(network: Network, x: FloatArray) -> BoolArray:
    """Return which samples of x, not checked, leave a grid of each layer; (n_layers,
    batch).
    """
    flow = layer_inputs(network.layers, x)
    sides = (_sides(layer, h) for layer, h in zip(network.layers, flow, strict=False))
    return np.stack([(below | above).any(axis=1) for below, above in sides])


def _sides(layer: Layer, h: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which activations h (batch, n_in) lie below and above the grids of spline
    edges.
    """
    used = layer.mask.any(axis=0)
    below: BoolArray = used & (h < layer.breakpoints[:, 0])
    above: BoolArray = used & (h > layer.breakpoints[:, -1])
    return below, above
