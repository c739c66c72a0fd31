"""What a batch says about every edge of a network: whether it lives, its score, its ranges, and its curve as heights in a box.

A box shows its curve over the range of its samples, from the curve's own least to its own greatest value; a level curve runs through
the middle. What is not defined (a formula outside its domain, between two samples) is left out, and where a curve leaves the range of
its samples' values more than tenfold (a pole between two samples), it is cut at the ends of that range.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, IntArray, check_finite
from kan_ref.network import Network, edge_outputs, evaluate, layer_edge_outputs

N_POINTS = 129  # of a curve
FLAT = 1e-9  # a curve that varies less than this, relative to its size, is drawn level
STEEP = 10.0


@dataclass(frozen=True, eq=False)
class View:
    """One layer on its samples: living edges, scores, ranges of the edges' values (n_out, n_in), range of its inputs (n_in,)."""

    living: NDArray[np.bool_]
    scores: FloatArray
    low: FloatArray
    high: FloatArray
    start: FloatArray
    stop: FloatArray


def look(network: Network, x: FloatArray) -> list[View]:
    """What each layer's edges do on a batch (batch, n_in); ValueError if a number on the way is not finite."""
    views = []
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what overflows is refused below, but for a mean, which may be infinite
        for n, (layer, outputs) in enumerate(
            zip(network.layers, edge_outputs(network, x), strict=True)
        ):
            living = layer.mask == 1.0
            for edge in layer.symbolic:
                living[edge.output, edge.input] = True
            scores = np.abs(outputs).mean(axis=0)
            views.append(
                View(
                    living,
                    scores,
                    outputs.min(axis=0),
                    outputs.max(axis=0),
                    x.min(axis=0),
                    x.max(axis=0),
                )
            )
            x = outputs.sum(axis=2)
            check_finite(f"the output of layer {n}", x)
    return views


def box_curves(network: Network, views: Sequence[View], drawn: IntArray) -> FloatArray:
    """Heights of all curves in their boxes, (n_edges, N_POINTS), from 0 to 1."""
    heights = np.empty((len(drawn), N_POINTS))
    share = np.linspace(0.0, 1.0, N_POINTS)[:, None]
    for n, (layer, view) in enumerate(zip(network.layers, views, strict=True)):
        here = drawn[:, 0] == n
        _, j, i = drawn[here].T
        with np.errstate(
            over="ignore", invalid="ignore"
        ):  # between two samples a curve may leave float64
            grid = (1.0 - share) * view.start + share * view.stop
            values = layer_edge_outputs(layer, evaluate(layer, grid, slopes=False))[:, j, i]
            heights[here] = _rescale(values, view.low[j, i], view.high[j, i]).T
    return heights


def _rescale(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Columns of `values` between 0 and 1, level ones at 1/2, nan where not in the box; `low`, `high`: the range at the samples."""
    finite = np.isfinite(values)
    size = np.maximum(
        np.max(np.abs(values), axis=0, where=finite, initial=0.0),
        np.maximum(np.abs(low), np.abs(high)),
    )
    size[size == 0.0] = 1.0
    values, low, high = values / size, low / size, high / size
    bottom, top = (
        np.min(values, axis=0, where=finite, initial=1.0),
        np.max(values, axis=0, where=finite, initial=-1.0),
    )
    cut = (high - low > FLAT) & (top - bottom > STEEP * (high - low))
    bottom, top = np.where(cut, low, bottom), np.where(cut, high, top)
    level = top - bottom <= FLAT
    heights = np.where(level, 0.5, (values - bottom) / np.where(level, 1.0, top - bottom))
    heights[~finite | (heights < 0.0) | (heights > 1.0)] = np.nan
    return heights
