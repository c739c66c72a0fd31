"""Inspect a network: values and curves of edges, distance to another, coverage of its grids.

Base function and spline of an edge both count; a hidden layer is inspected at its activations.

Where samples leave the grid of a layer, its splines decay to zero. For input i of layer l with the
grid [a, b], G intervals and activations h_bi,

    (L32)  below = mean_b (h_bi < a),  above = mean_b (h_bi > b),
           distance = max_b max(a - h_bi, h_bi - b, 0) / ((b - a) / G)

Outside the grid the sum of the basis functions falls from 1 to 0 within `degree` intervals, and
beyond it only the base function is left (Liu et al. 2024, eqs. 2.10 to 2.12). An input without a
spline edge has no use for its grid, and counts as covered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.bspline import difference_weights
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network.definedness import check_defined, layer_inputs, undefined_edge
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

_HEAD = ("layer", "input", "below", "above", "farthest, in intervals")


@dataclass(frozen=True)
class Distance:
    """Largest and root mean square difference of two networks' outputs, over batch x n_out."""

    max: float
    rms: float


def layer_jump_weights(layer: Layer) -> FloatArray:
    """Return the weights of the coefficients in the jumps of a layer's k-th derivatives."""
    return difference_weights(layer.knots, layer.degree)


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


@np.errstate(all="ignore")
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
    points = checks.array("x", x, ("n",))
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


@np.errstate(all="ignore")
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
    return Distance(largest, float(np.sqrt(np.mean(difference**2))))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which share of samples leaves the grids; `str` shows the inputs concerned as a table.

    Parameters
    ----------
    n_samples : int
    outside : tuple of float, one a layer
        Share of the samples that leave the grid of the layer in at least one input, 0 to 1.
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

    def __str__(self) -> str:
        samples = "1 sample" if self.n_samples == 1 else f"{self.n_samples} samples"
        if not any(self.outside):
            return f"no layer has one of the {samples} outside its grid"
        parts = [
            f"{round(share * self.n_samples)} leave the grid of layer {layer}"
            for layer, share in enumerate(self.outside)
            if share
        ]
        rows = [_HEAD]
        for layer, distance in enumerate(self.distance):
            for place in np.flatnonzero(distance):
                low, high = self.below[layer][place], self.above[layer][place]
                far = f"{distance[place]:.3g}"
                rows.append((str(layer), str(place), f"{low:.2%}", f"{high:.2%}", far))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.rjust, row, widths)) for row in rows)
        return "\n".join([f"of {samples} {', '.join(parts)}", *lines])

    def __repr__(self) -> str:
        shares = ", ".join(f"{share:.2%}" for share in self.outside)
        return f"Coverage({self.n_samples} samples, outside the grid of each layer: {shares})"


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

    Raises
    ------
    ValueError, TypeError
        For a wrong shape, no sample, or numbers that are not finite; where a symbolic edge is
        undefined.

    Notes
    -----
    Implements (L32), :eq:`grid-coverage`. About one forward pass.

    Examples
    --------
    >>> from kan_ref.network import init_network
    >>> rng = np.random.default_rng(0)
    >>> net = init_network((1, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> print(coverage(net, [[0.0], [0.5], [1.0], [3.0]]))
    of 4 samples 1 leave the grid of layer 0
    layer  input  below   above  farthest, in intervals
        0      0  0.00%  25.00%                       5
    """
    points = check_inputs(network, x)
    if not len(points):
        raise ValueError("x has no rows, but coverage needs at least one sample")
    with np.errstate(all="ignore"):
        check_defined(network.layers, points, network_values(network, points))
    return _coverage(network.layers, points)


def uncovered(network: Network, x: FloatArray) -> BoolArray:
    """Return which samples of x, not checked, leave a grid of each layer; (n_layers, batch)."""
    flow = layer_inputs(network.layers, x)
    sides = (_sides(layer, h) for layer, h in zip(network.layers, flow, strict=False))
    return np.stack([(below | above).any(axis=1) for below, above in sides])


def _coverage(layers: Sequence[Layer], x: FloatArray) -> Coverage:
    outside, lows, highs, distances = [], [], [], []
    for layer, h in zip(layers, layer_inputs(layers, x), strict=False):
        below, above = _sides(layer, h)
        # [eq:grid-coverage]
        a, b = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
        beyond = np.maximum(np.maximum(a - h, h - b), 0.0) * (below | above)
        lows.append(below.mean(axis=0))
        highs.append(above.mean(axis=0))
        distances.append(beyond.max(axis=0) / ((b - a) / layer.n_intervals))
        # [/eq:grid-coverage]
        outside.append(float((below | above).any(axis=1).mean()))
    return Coverage(len(x), tuple(outside), tuple(lows), tuple(highs), tuple(distances))


def _sides(layer: Layer, h: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Return which activations h (batch, n_in) lie below and above the grids of spline edges."""
    used = layer.mask.any(axis=0)
    below: BoolArray = used & (h < layer.breakpoints[:, 0])
    above: BoolArray = used & (h > layer.breakpoints[:, -1])
    return below, above
