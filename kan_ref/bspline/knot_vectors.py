"""Knot vectors prepared for evaluation.

All that evaluation needs and that depends on the knots alone is computed once, when a layer is
made: the knots around each interval, and where the grid in [a, b] is evenly spaced, a table that
finds the interval of a point by one division. It divides the range of a knot vector into bins of
the grid's spacing, and holds the interval of each bin. Outer knots farther apart span several bins.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, IntArray

_MOST_BINS = 16  # for each knot; a table much longer than the knot vector is not made


@dataclass(frozen=True)
class KnotVectors:
    """Knot vectors prepared for evaluation by `prepare_knots`; all arrays are read-only.

    Column `starts[i]` + mu of `padded` holds the knots around interval mu of input i,
    t_{mu-reach+1}, ..., t_{mu+reach}, where reach is max(degree, 1). `low`, `high` (n_in,) are the
    first and the last knot; `first_interval`, `last_interval` (n_in,) are the first and the last
    non-empty intervals. `bins_per_unit` (n_in,) is 1 / (width of a bin), or None where a knot lies
    farther than a quarter of a bin from an edge of bins. `interval_of_bin` (n_in, any) is the
    interval in the middle of each bin, or None where bin q is interval q.
    """

    knots: FloatArray
    degree: int
    n_basis: int
    padded: FloatArray
    starts: IntArray
    low: FloatArray
    high: FloatArray
    bins_per_unit: FloatArray | None
    interval_of_bin: IntArray | None
    first_interval: IntArray
    last_interval: IntArray

    def __repr__(self) -> str:
        n_in, n_knots = self.knots.shape
        way = "bisection" if self.bins_per_unit is None else "division"
        return (
            f"KnotVectors({n_in} knot vectors of {n_knots} knots, intervals found by {way}, "
            f"degree {self.degree}, {self.n_basis} basis functions each)"
        )


def prepare_knots(knots: FloatArray, degree: int) -> KnotVectors:
    """Compute once what evaluation needs of knot vectors (n_in, n_knots); `knots` itself becomes
    read-only.

    Knots beyond either end, which the recursion needs near the ends, are copies of the first and
    the last knot.
    """
    (n_in, n_knots), reach = knots.shape, max(degree, 1)
    padded = np.pad(knots, ((0, 0), (reach, reach)), mode="edge")
    filled = np.diff(knots) > 0
    bins_per_unit, interval_of_bin = _bins(knots, degree, filled)
    vectors = KnotVectors(
        knots=knots,
        degree=degree,
        n_basis=n_knots - degree - 1,
        padded=np.stack(
            [padded[:, q : q + n_knots - 1].reshape(-1) for q in range(1, 2 * reach + 1)]
        ),
        starts=(n_knots - 1) * np.arange(n_in),
        low=knots[:, 0].copy(),
        high=knots[:, -1].copy(),
        bins_per_unit=bins_per_unit,
        interval_of_bin=interval_of_bin,
        first_interval=filled.argmax(axis=1),
        last_interval=n_knots - 2 - filled[:, ::-1].argmax(axis=1),
    )
    for value in vars(vectors).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return vectors


def _bins(
    knots: FloatArray, degree: int, filled: BoolArray
) -> tuple[FloatArray | None, IntArray | None]:
    """Return `bins_per_unit` and `interval_of_bin`; `filled` marks the non-empty intervals."""
    n_in, n_knots = knots.shape
    a, b = knots[:, degree], knots[:, n_knots - degree - 1]
    width = (b - a) / (n_knots - 2 * degree - 1)
    n_bins = (knots[:, -1] - knots[:, 0]) / np.maximum(width, 1e-300)
    inside = np.logical_or.accumulate(filled, axis=1)
    inside &= np.logical_or.accumulate(filled[:, ::-1], axis=1)[:, ::-1]
    if np.any(width <= 1e-300) or np.any(n_bins > _MOST_BINS * n_knots) or np.any(inside != filled):
        return None, None
    position = (knots - knots[:, :1]) / width[:, None]  # in bins
    edges = np.rint(position).astype(np.intp)
    bins = np.diff(edges)  # of each interval
    if np.any(np.abs(position - edges) >= 0.25) or np.any((bins > 0) != filled):
        return None, None
    if np.all(bins == 1):
        return 1.0 / width, None
    table = np.empty((n_in, edges[:, -1].max()), dtype=np.intp)
    for row, own in zip(table, bins, strict=True):
        found = np.repeat(np.arange(n_knots - 1), own)
        row[: len(found)], row[len(found) :] = found, found[-1]
    return 1.0 / width, table
