"""Whether a network was initialized for the units of its data, in words.

Random networks have outputs of size 1 for inputs of size 1. Two numbers of the network at the start
of a run tell whether the data have other units, with the error e and the outputs u on the training
data and the standard deviation of the targets over the samples:

    far = rms(e) / std(y),    short = std(y) / std(u)

With scaled variables a large `far` alone makes training fail, because the outputs have to lose most
of their digits. Without them steps have the wrong size already at a smaller `far`, or if the
outputs are far too small. `benchmarks.units` has the measurements.
"""

from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.training.data_goal import DataGoal
from kan_ref.training.values import values_at

FAR_SCALED, FAR_PLAIN, SHORT_PLAIN = 1e3, 30.0, 1e3
GOOD = 1e-2  # of std(y): a training error below says that units did no harm


def note_on_units(model: Any, source: object, error: float, *, scaled: bool) -> str:
    """Return what to add to the reason of a run's end if the data have other units, else "".

    Parameters
    ----------
    model : Network, MLP or LAN
        At the start of the run.
    source : DataGoal or Problem
        Only a mean squared error over data is judged.
    error : float
        Root mean square of the training error at the end.
    scaled : bool
        Whether the optimizer had scaled variables.

    Notes
    -----
    One forward pass.
    """
    if not isinstance(source, DataGoal) or source.loss.name != "mse":
        return ""
    outputs = values_at(model, source.x)
    deviation, spread = _deviation(source.targets), _deviation(outputs)
    if not (deviation > 0.0 and error > GOOD * deviation):
        return ""
    far = float(np.sqrt(np.mean((outputs - source.targets) ** 2))) / deviation
    short = deviation / spread if spread > 0.0 else 0.0
    if far > (FAR_SCALED if scaled else FAR_PLAIN):
        what = f"the error at the start was {far:.1g} times the standard deviation of the targets"
    elif short > SHORT_PLAIN and not scaled:
        what = f"the targets vary {short:.1g} times as much as the outputs at the start"
    else:
        return ""
    low, high, mean = source.x.min(), source.x.max(), source.targets.mean()
    return (
        f"; the network was not initialized for the units of these data: {what} (inputs from "
        f"{low:.3g} to {high:.3g}, targets with mean {mean:.3g} and standard deviation "
        f"{deviation:.3g}): start from kr.best_start or init_network(..., y=y_train), or scale the "
        "data with kr.scaled"
    )


def _deviation(values: FloatArray) -> float:
    """Return the root mean square of (n, n_out) values about their means over samples."""
    return float(np.sqrt(np.mean((values - values.mean(axis=0)) ** 2)))
