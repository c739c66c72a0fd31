"""Test samples outside the grids: a note for a run whose test error comes from them.

Outside a grid the splines decay to zero, so a handful of test samples can determine the test error.
The note appears where the samples outside have more than half of the squared test error,
although their mean square is more than ten times that of the other samples. So it never appears
where they are predicted as well as the others.
"""

from typing import Any

import numpy as np

from kan_ref.network import Network, uncovered
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.values import values_at

MOST = 0.5  # of the sum of squared errors
TIMES = 10.0  # the mean square of the other samples


def note_on_grids(model: Any, test: DataGoal | None, name: str) -> str:
    """Return what to add to the reason of a run's end, "" where the grids cause no trouble."""
    if test is None or test.loss is not MSE or not isinstance(model, Network):
        return ""
    outside = uncovered(model, test.x)
    n_outside = int(outside.sum())
    if n_outside in (0, len(outside)):
        return ""
    squares = ((values_at(model, test.x) - test.targets) ** 2).sum(axis=1)
    if not np.isfinite(squares).all():
        return ""
    share = float(squares[outside].sum() / max(squares.sum(), np.finfo(float).tiny))
    if share <= MOST or squares[outside].mean() <= TIMES * squares[~outside].mean():
        return ""
    leave = "1 leaves" if n_outside == 1 else f"{n_outside} leave"
    return (
        f"; of {len(outside)} samples of {name} {leave} the grids, with {share:.0%} of the squared "
        "test error: coverage(network, x) shows where, and a wider domain= includes them"
    )
