"""Coverage: which samples leave the grid of a layer, where its splines decay to zero.

For input i of layer l with the grid [a, b], G intervals and activations h_bi,

    (L32)  below = mean_b (h_bi < a),  above = mean_b (h_bi > b),
           distance = max_b max(a - h_bi, h_bi - b, 0) / ((b - a) / G)

Outside the grid the sum of the basis functions falls from 1 to 0 within `degree` intervals, and
beyond it only the base function is left (Liu et al. 2024, eqs. 2.10 to 2.12). An input without a
spline edge has no use for its grid, and counts as covered.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network.definedness import check_defined, layer_inputs
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network, check_inputs, network_values

_HEAD = ("layer", "input", "below", "above", "farthest, in intervals")


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
    """Return which samples of x, not checked, leave a grid of the network; (batch,)."""
    found = np.zeros(len(x), dtype=bool)
    for layer, h in zip(network.layers, layer_inputs(network.layers, x), strict=False):
        below, above = _sides(layer, h)
        found |= (below | above).any(axis=1)
    return found


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
