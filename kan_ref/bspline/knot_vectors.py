"""Knot vectors prepared for evaluation.

All that evaluation needs and that depends on the knots alone is computed once, when a layer is
made: the knots around each interval, and whether the knots are evenly spaced, so that one division
finds the interval of a point.
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
