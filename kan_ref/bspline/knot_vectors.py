"""Knot vectors prepared for evaluation, and the interval of a knot vector that contains a point.

A point x lies in interval mu where t_mu <= x < t_{mu+1}; the last knot belongs to the last
non-empty interval (The NURBS Book, 2nd ed., section 2.5, A2.1). Where the knots are evenly spaced,
one division gives mu; on other knot vectors it is found by bisection. All that depends on the knots
alone is computed once, when a layer is made.
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray


@dataclass(frozen=True)
class KnotVectors:
    """Knot vectors prepared for evaluation by `prepare_knots`; all arrays are read-only.

    Column `starts[i]` + mu of `padded` holds the knots around interval mu of input i,
    t_{mu-reach+1}, ..., t_{mu+reach}, where reach is max(degree, 1). `low`, `high` (n_in,) are the
    first and the last knot. `intervals_per_unit` (n_in,) is 1 / spacing where all knot vectors are
    evenly spaced to a quarter of an interval, and None otherwise; `first_interval`, `last_interval`
    (n_in,) are the first and the last non-empty intervals.
    """

    knots: FloatArray
    degree: int
    n_basis: int
    padded: FloatArray
    starts: IntArray
    low: FloatArray
    high: FloatArray
    intervals_per_unit: FloatArray | None
    first_interval: IntArray
    last_interval: IntArray

    def __repr__(self) -> str:
        n_in, n_knots = self.knots.shape
        even = "evenly" if self.intervals_per_unit is not None else "unevenly"
        return (
            f"KnotVectors({n_in} {even} spaced knot vectors of {n_knots} knots, "
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
    spacing = (knots[:, -1] - knots[:, 0]) / (n_knots - 1)
    even = knots[:, :1] + spacing[:, None] * np.arange(n_knots)
    intervals_per_unit = None
    if np.all(spacing > 1e-300) and np.all(np.abs(knots - even) < 0.25 * spacing[:, None]):
        intervals_per_unit = 1.0 / spacing
    filled = np.diff(knots, axis=1) > 0
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
        intervals_per_unit=intervals_per_unit,
        first_interval=filled.argmax(axis=1),
        last_interval=n_knots - 2 - filled[:, ::-1].argmax(axis=1),
    )
    for value in vars(vectors).values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return vectors


def find_intervals(
    vectors: KnotVectors, points: FloatArray, inputs: slice = slice(None)
) -> tuple[IntArray, FloatArray]:
    """Return mu (n_in, batch) of points (n_in, batch) between the end knots, and the knots
    around it.

    The knots (2 reach, n_in, batch) are t_{mu-reach+1}, ..., t_{mu+reach}. `inputs` selects the
    knot vectors to use.
    """
    starts, reach = vectors.starts[inputs, None], max(vectors.degree, 1)
    first, last = vectors.first_interval[inputs, None], vectors.last_interval[inputs, None]
    if vectors.intervals_per_unit is None:
        right = [
            np.searchsorted(row, own, side="right")
            for row, own in zip(vectors.knots[inputs], points, strict=True)
        ]
        mu = np.clip(np.stack(right) - 1, first, last)
        return mu, vectors.padded.take(mu + starts, axis=1)
    distance = points - vectors.low[inputs, None]
    distance *= vectors.intervals_per_unit[inputs, None]
    mu = np.minimum(distance.astype(np.intp), last)
    around = vectors.padded.take(mu + starts, axis=1)
    below, above = points < around[reach - 1], points >= around[reach]
    if below.any() or above.any():
        # knots that are even to a quarter of an interval leave this mu off by one at most
        wrong = np.flatnonzero(below | (above & (mu < last)))
        mu = np.minimum(mu - below + above, last)
        around.reshape(2 * reach, -1)[:, wrong] = vectors.padded.take(
            (mu + starts).take(wrong), axis=1
        )
    return mu, around
