"""The record of a training run: numbers of every step, the network, and why the run ended.

Root mean square errors are taken over all samples x outputs, sqrt((1/n) sum_bj (prediction_bj -
y_bj)^2), of the network after the step, never at the last point that a line search tried. For
classes the predictions compared are probabilities, and y is 1 at the right class, else 0; losses
are never square-rooted. For differential equations the training error is the root of their weighted
mean squares, and test errors are nan where no solution is known. They are nan too where a symbolic
edge is undefined at a test sample; if it is at the end, `stopped` says so.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, Record
from kan_ref.network import Network
from kan_ref.training.goal import Model
from kan_ref.training.objective import DataGoal, Objective
from kan_ref.training.validation import Validation

if TYPE_CHECKING:
    from tqdm import tqdm

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
        `validation_share` it is the one with the smallest `history.validation_loss`.
    history : History
    stopped : str
        Why the run ended.
    interrupted : bool
        Whether a KeyboardInterrupt ended the run; then `network` is the best so far.

    Notes
    -----
    `run.network(x)` predicts. Before inputs beyond the training samples are trusted,
    `kan_ref.coverage(run.network, x)` says which of them leave the grids.
    """

    network: Kind
    history: History
    stopped: str
    interrupted: bool

    def __repr__(self) -> str:
        history = self.history
        if not len(history.step):
            return f"Run({self.network!r}, stopped {self.stopped!r})"
        validated = not np.isnan(history.validation_loss).all()
        entry = int(np.nanargmin(history.validation_loss)) if validated else -1  # the network's own
        numbers = f"train_rmse {history.train_rmse[entry]:.2e}"
        if validated:
            numbers += f", validation_rmse {history.validation_rmse[entry]:.2e}"
        if not np.isnan(history.test_rmse[entry]):
            numbers += f", test_rmse {history.test_rmse[entry]:.2e}"
        if not np.isnan(history.test_accuracy[entry]):
            numbers += f", test_accuracy {history.test_accuracy[entry]:.3f}"
        return (
            f"Run({self.network!r}, {history.step[-1]} steps, {numbers}, stopped {self.stopped!r})"
        )


HISTORY_NAMES = tuple(entry.name for entry in fields(History))
_COUNTS = ("step", "n_intervals", "n_evaluations")
Callback = Callable[[Step], bool | None]


class Recorder:
    """Writes a history during a run, calls the user's callback and moves the bar.

    `asked` says that the callback asked to stop, and is "" until then. `best` is the network with
    the smallest objective so far, `best_here` the one since the last call of `enter_grid`, and
    `best_step` its step. `validation` watches the held-out samples, if there are any.
    """

    def __init__(
        self,
        test: DataGoal | None,
        callback: Callback | None,
        *,
        n_steps: int | None,
        validation: Validation | None = None,
    ) -> None:
        if callback is not None and not callable(callback):
            raise TypeError(f"callback is {callback!r}, but must be a function of a Step")
        self.test, self.asked, self.validation = test, "", validation
        self.best: Any = None
        self.best_here: Any = None
        self.best_step = 0
        self._entries: list[tuple[float, ...]] = []
        self._callback = callback
        self._bar = None if n_steps is None else _bar(n_steps)
        self._began = time.perf_counter()
        self._evaluations_before = 0
        self._lowest = self._lowest_here = np.inf

    def enter_grid(self, objective: Objective) -> None:
        """Record the network at the start of a grid."""
        if self.test is not None:
            self.test = self.test.prepare(objective.model)
        if self.validation is not None:
            self.validation.enter_grid(objective.model)
        self.best_here, self._lowest_here = None, np.inf
        self._write(objective.model, objective, None, 0, step=self.n_steps)

    def add(
        self, network: Any, objective: Objective, prediction: FloatArray | None, n_evaluations: int
    ) -> None:
        """Record one step; `n_evaluations` counts from the start of the optimizer's run."""
        self._write(network, objective, prediction, n_evaluations, step=self.n_steps + 1)
        if self._bar is not None:
            self._bar.update()

    def leave_optimizer(self, n_evaluations: int) -> None:
        """Add the evaluations of an optimizer's run that has ended."""
        self._evaluations_before += n_evaluations

    @property
    def halted(self) -> str:
        """Why the optimizer must stop: the callback asked to, or patience; "" while it need not."""
        return self.asked or ("" if self.validation is None else self.validation.idle)

    @property
    def n_steps(self) -> int:
        """Number of steps so far."""
        return int(self._entries[-1][0]) if self._entries else 0

    def _write(
        self,
        network: Any,
        objective: Objective,
        prediction: FloatArray | None,
        n_evaluations: int,
        step: int,
    ) -> None:
        added, train = objective.added(network), objective.goal.judge(network, prediction)
        test = held_out = (np.nan, np.nan, np.nan)
        if self.test is not None:
            test = self.test.judge(network)
        if self.validation is not None:
            held_out = self.validation.judge(network, step)
        entry = Step(
            step=step,
            n_intervals=network.layers[0].n_intervals if isinstance(network, Network) else 0,
            train_rmse=train[1],
            test_rmse=test[1],
            penalty=added,
            n_evaluations=self._evaluations_before + n_evaluations,
            seconds=time.perf_counter() - self._began,
            train_loss=train[0],
            test_loss=test[0],
            train_accuracy=train[2],
            test_accuracy=test[2],
            validation_rmse=held_out[1],
            validation_loss=held_out[0],
            validation_accuracy=held_out[2],
            network=network,
        )
        # without its network: a long run would hold every theta it ever had
        self._entries.append(tuple(getattr(entry, name) for name in HISTORY_NAMES))
        value = train[0] + added
        if value < self._lowest_here:
            self._lowest_here, self.best_here, self.best_step = value, network, step
        if value < self._lowest:
            self._lowest, self.best = value, network
        if self._bar is not None:
            known = "" if np.isnan(held_out[1]) else f", held out {held_out[1]:.1e}"
            known += "" if np.isnan(test[1]) else f", test {test[1]:.1e}"
            self._bar.set_postfix_str(f"G {entry.n_intervals}, train {entry.train_rmse:.1e}{known}")
        if self._callback is not None and self._callback(entry):
            self.asked = f"the callback asked to stop after step {step}"

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def history(self) -> History:
        """Return everything recorded."""
        columns = (
            list(zip(*self._entries, strict=True)) if self._entries else [()] * len(HISTORY_NAMES)
        )
        arrays: dict[str, Any] = {
            name: np.array(column, dtype=np.int_ if name in _COUNTS else np.float64)
            for name, column in zip(HISTORY_NAMES, columns, strict=True)
        }
        return History(**arrays)


def _bar(n_steps: int) -> "tqdm[NoReturn]":
    from tqdm import tqdm  # here, so that training without a bar loads nothing but NumPy

    return tqdm(total=n_steps, unit="step")
