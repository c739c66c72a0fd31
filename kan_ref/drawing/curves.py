"""What a diagram shows of a network on a batch: activity, scores, ranges, curves, edges.

A box shows its curve over the range of the samples, from the curve's own smallest to its own
largest value. A constant curve runs through the middle. Undefined values (of a symbolic edge
outside its domain, between two samples) are left out. Where a curve exceeds the range of its
samples' values more than tenfold (a pole between two samples), it is cut off at the ends of that
range.

Straight lines between 129 points show most curves. They are compared with the curves at one more
point of each interval, and where they miss one, all curves of the diagram have 1026 points. The
added points are unevenly spaced, because evenly spaced ones can show a fast oscillation as a slow
one. So a curve that oscillates too fast even for 1026 points fills the band between its extremes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray, IntArray
from kan_ref.network import Network, edge_outputs, evaluate, layer_edge_outputs

N_POINTS = 129  # of a curve, evenly spaced
N_FINE = 1024  # intervals, with a point in each, of curves that these points miss
MISSED = 0.05  # of the height of the box: a line this far from its curve misses it
FLAT = 1e-9  # a curve whose range is below this, relative to its size, is drawn as constant
STEEP = 10.0  # a curve is cut off beyond so many times the range of its samples' values


@dataclass(frozen=True, eq=False)
class View:
    """One layer on its samples.

    `active` (n_out, n_in): edges that are not masked; `scores`, `low`, `high` (n_out, n_in): mean
    magnitude and range of their values; `start`, `stop` (n_in,): range of the inputs.
    """

    active: BoolArray
    scores: FloatArray
    low: FloatArray
    high: FloatArray
    start: FloatArray
    stop: FloatArray


def views_of(network: Network, x: FloatArray) -> list[View]:
    """Return a view of each layer on a batch (batch, n_in).

    Raise ValueError if an output of a layer is not finite.
    """
    views = []
    with np.errstate(all="ignore"):
        edges = edge_outputs(network, x)
        for n, (layer, outputs) in enumerate(zip(network.layers, edges, strict=True)):
            active = layer.mask == 1.0
            for edge in layer.symbolic:
                active[edge.output, edge.input] = True
            views.append(
                View(
                    active=active,
                    scores=np.abs(outputs).mean(axis=0),
                    low=outputs.min(axis=0),
                    high=outputs.max(axis=0),
                    start=x.min(axis=0),
                    stop=x.max(axis=0),
                )
            )
            x = outputs.sum(axis=2)
            checks.array(f"the output of layer {n}", x, ("n", "n_out"))
    return views


def box_curves(
    network: Network, views: Sequence[View], drawn: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return all curves in their boxes: places (n_points,), heights (n_edges, n_points).

    Both run from 0 to 1; the places are the same for all curves.
    """
    low, high = (
        np.array([getattr(views[n], end)[j, i] for n, j, i in drawn]) for end in ("low", "high")
    )
    places, inside = np.linspace(0.0, 1.0, N_POINTS), _uneven(N_POINTS - 1)
    with np.errstate(all="ignore"):  # a curve may be undefined between samples
        values = _values(network, views, drawn, np.append(places, inside))
        heights = _rescale(values, low, high)
        lower, upper = heights[: N_POINTS - 1], heights[1:N_POINTS]
        part = (inside * (N_POINTS - 1) % 1.0)[:, None]
        straight = (1.0 - part) * lower + part * upper
        values = values[:N_POINTS]
        if (np.abs(heights[N_POINTS:] - straight) > MISSED).any():  # nan, outside, is not missed
            places = np.concatenate([[0.0], _uneven(N_FINE), [1.0]])
            values = _values(network, views, drawn, places)
        return places, _rescale(values, low, high).T


def _uneven(n: int) -> FloatArray:
    """Return a point in each of n equal intervals of [0, 1], at a place that no period repeats."""
    k = np.arange(n, dtype=np.float64)
    places: FloatArray = (k + (k + 1.0) ** 2 * (np.sqrt(5.0) - 1.0) / 2.0 % 1.0) / n
    return places


def _values(
    network: Network, views: Sequence[View], drawn: IntArray, places: FloatArray
) -> FloatArray:
    """Return the values (n_points, n_edges) of edges at places from 0 to 1 of their ranges."""
    values = np.empty((len(places), len(drawn)))
    for n, (layer, view) in enumerate(zip(network.layers, views, strict=True)):
        here = drawn[:, 0] == n
        _, j, i = drawn[here].T
        for first in range(0, len(places), N_POINTS):  # so that memory does not grow
            rows = slice(first, first + N_POINTS)
            t = places[rows, None]
            grid = (1.0 - t) * view.start + t * view.stop
            outputs = layer_edge_outputs(layer, evaluate(layer, grid, slopes=False))
            values[rows, here] = outputs[:, j, i]
    return values


def _rescale(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the columns of `values` as heights from 0 to 1; constant ones are 1/2, nan is outside.

    `low`, `high`: range of each column at the samples.
    """
    finite = np.isfinite(values)
    size = np.maximum(
        np.max(np.abs(values), axis=0, where=finite, initial=0.0),
        np.maximum(np.abs(low), np.abs(high)),
    )
    bottom = np.min(values, axis=0, where=finite, initial=np.inf)
    top = np.max(values, axis=0, where=finite, initial=-np.inf)
    cut = (high - low > FLAT * size) & (top - bottom > STEEP * (high - low))
    bottom, top = np.where(cut, low, bottom), np.where(cut, high, top)
    flat = top - bottom <= FLAT * size
    heights = np.where(flat, 0.5, (values - bottom) / np.where(flat, 1.0, top - bottom))
    heights[~finite | (heights < 0.0) | (heights > 1.0)] = np.nan
    return heights


def strongest_edges(active: BoolArray, scores: FloatArray, most: int) -> BoolArray:
    """Return the `most` active edges of a layer with the largest scores, (n_out, n_in).

    Of edges with equal scores, the first ones are taken.
    """
    if active.sum() <= most:
        return active
    chosen = np.zeros_like(active)
    order = np.argsort(np.where(active, -scores, np.inf), axis=None, kind="stable")
    chosen.flat[order[:most]] = True
    return chosen


def shown_nodes(drawn: Sequence[BoolArray], most: int) -> list[IntArray]:
    """Return the indices of the nodes to draw in each row, inputs first, given the drawn edges.

    These are the ends of drawn edges. Inputs are drawn without an edge too, if there are at most
    `most` of them, and so are outputs.
    """
    counts = (drawn[0].shape[1], *(len(edges) for edges in drawn))
    touched = [np.zeros(count, dtype=bool) for count in counts]
    for n, edges in enumerate(drawn):
        touched[n] |= edges.any(axis=0)
        touched[n + 1] |= edges.any(axis=1)
    for row in (touched[0], touched[-1]):
        row |= len(row) <= most
    return [np.flatnonzero(row) for row in touched]
