"""The record of a training run: numbers of every step, the network, and why the run ended.

Root mean square errors are taken over all samples x outputs, sqrt((1/n) sum_bj (prediction_bj -
y_bj)^2), of the network after the step, never at the last point that a line search tried. For
classes the predictions compared are probabilities, and y is 1 at the right class, else 0; losses
are never square-rooted. For differential equations the training error is the root of their weighted
mean squares, and test errors are nan where no solution is known. They are nan too where a symbolic
edge is undefined at a test sample; if it is at the end, `stopped` says so. And they are nan at
steps where `fit(test_every=)` takes none. With mini-batches, training errors and penalties are
those of the batch, but at the first and the last step of a grid training errors are those of all
samples.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, Record
from kan_ref.training.goal import Model

Kind = TypeVar("Kind", bound=Model)  # of the trained network: Network, MLP or LAN


@dataclass(frozen=True)
class Step:
    """The state of a run after a step, or at the start of a grid; a callback gets it.

    `step` counts from the start of the run, `n_intervals` is the first layer's (0 for an MLP or a
    LAN), `penalty` is what the objective adds to the loss, `seconds` count from the start;
    `*_accuracy` is the fraction of right answers for class losses, else nan. `validation_*` is on
    the samples that `validation_share` holds out of the training samples, nan without them.
    `network` is the network after the step.
    """

    step: int
    n_intervals: int
    train_rmse: float
    test_rmse: float
    penalty: float
    n_evaluations: int
    seconds: float
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    validation_rmse: float
    validation_loss: float
    validation_accuracy: float
    network: Any = field(repr=False)


Callback = Callable[[Step], bool | None]


@dataclass(frozen=True, eq=False)
class History:
    """Arrays with one entry at the start of each grid and after every step; see `Step`.

    Parameters
    ----------
    step, n_intervals, train_rmse, test_rmse, penalty, n_evaluations, seconds
    train_loss, test_loss, train_accuracy, test_accuracy
    validation_rmse, validation_loss, validation_accuracy
        Arrays (n_entries,).
    """

    step: NDArray[np.int_]
    n_intervals: NDArray[np.int_]
    train_rmse: FloatArray
    test_rmse: FloatArray
    penalty: FloatArray
    n_evaluations: NDArray[np.int_]
    seconds: FloatArray
    train_loss: FloatArray
    test_loss: FloatArray
    train_accuracy: FloatArray
    test_accuracy: FloatArray
    validation_rmse: FloatArray
    validation_loss: FloatArray
    validation_accuracy: FloatArray

    def followed_by(self, other: "History") -> "History":
        """Return the entries of both; steps, evaluations and seconds of the other go on."""
        joined = {}
        for name, first in vars(self).items():
            goes_on = name in ("step", "n_evaluations", "seconds")
            joined[name] = np.append(
                first, getattr(other, name) + (first[-1:].sum() if goes_on else 0)
            )
        return History(**joined)

    def __repr__(self) -> str:
        return f"History({len(self.step)} entries: {', '.join(self.__dict__)})"


@dataclass(frozen=True, eq=False)
class Run(Record, Generic[Kind]):
    """A finished run.

    Parameters
    ----------
    network : Network, MLP or LAN
        Trained. Where hidden grids moved on the last grid of the schedule, it is the best network
        of that grid, which need not be the last; `stopped` then says of which step it is. With
        mini-batches it is the last one in either case, because their losses differ by chance. With
        `validation_share` it is the one with the smallest `history.validation_loss`.
    history : History
    stopped : str
        Why the run ended.
    interrupted : bool
        Whether a KeyboardInterrupt ended the run; then `network` is the best so far, with
        mini-batches the last one, and with `validation_share` the best on the held-out samples.
    entry : int
        Place of the numbers of `network` in the arrays of `history`, -1 if there are none.

    Notes
    -----
    `run.network(x)` predicts. Before inputs beyond the training samples are trusted,
    `kan_ref.coverage(run.network, x)` says which of them leave the grids.
    """

    network: Kind
    history: History
    stopped: str
    interrupted: bool
    entry: int

    @property
    def train_rmse(self) -> float:
        """The training error of `network`, root mean square; nan if the history is empty."""
        return float(self.history.train_rmse[self.entry]) if len(self.history.step) else np.nan

    @property
    def test_rmse(self) -> float:
        """The test error of `network`, root mean square; nan without test samples."""
        return float(self.history.test_rmse[self.entry]) if len(self.history.step) else np.nan

    def __repr__(self) -> str:
        history, entry = self.history, self.entry
        if not len(history.step):
            return f"Run({self.network!r}, stopped {self.stopped!r})"
        numbers = f"train_rmse {self.train_rmse:.2e}"
        if not np.isnan(history.validation_rmse[entry]):
            numbers += f", validation_rmse {history.validation_rmse[entry]:.2e}"
        if not np.isnan(self.test_rmse):
            numbers += f", test_rmse {self.test_rmse:.2e}"
        if not np.isnan(history.test_accuracy[entry]):
            numbers += f", test_accuracy {history.test_accuracy[entry]:.3f}"
        return (
            f"Run({self.network!r}, {history.step[-1]} steps, {numbers}, stopped {self.stopped!r})"
        )
