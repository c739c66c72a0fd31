"""Samples outside the grids: notes for a run whose test error comes from them, or whose inputs do.

Outside a grid the splines decay to zero, so a handful of test samples can determine the test error.
That note appears where the samples outside have more than half of the squared test error,
although their mean square is more than ten times that of the other samples. So it never appears
where they are predicted as well as the others.

Grids of inputs stay where they are. The other note appears where most training samples have an
input outside its grid, as in a table with other units, and the training error is not small.
"""

from typing import Any

import numpy as np

from kan_ref.network import Network, uncovered
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.values import values_at

MOST = 0.5  # of the sum of squared errors
TIMES = 10.0  # the mean square of the other samples
GOOD = 1e-2  # of std(y): a training error below says that the missing splines did no harm


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


def note_on_inputs(model: Any, source: Any, error: float) -> str:
    """Return what to add to the reason of a run's end if most inputs are off their grids, else "".

    Parameters
    ----------
    model : Network, MLP or LAN
    source : DataGoal or Problem
        Only data are judged.
    error : float
        Root mean square of the training error at the end, nan for classes.
    """
    if not isinstance(source, DataGoal) or not isinstance(model, Network):
        return ""
    if error <= GOOD * np.std(source.targets):
        return ""
    layer, x = model.layers[0], source.x
    low, high = layer.breakpoints[:, 0], layer.breakpoints[:, -1]
    outside = ((x < low) | (x > high)) & layer.mask.any(axis=0)
    n_outside = int(outside.any(axis=1).sum())
    if n_outside <= MOST * len(x):
        return ""
    n = int(np.argmax(outside.sum(axis=0)))
    return (
        f"; {n_outside} of {len(x)} training samples lie outside the grids of the inputs, where "
        f"splines decay to zero (input {n} has numbers from {x[:, n].min():.3g} to "
        f"{x[:, n].max():.3g}, its grid goes from {low[n]:.3g} to {high[n]:.3g}): start from "
        "init_network(..., domain=x_train), or scale the data with kr.scaled"
    )
