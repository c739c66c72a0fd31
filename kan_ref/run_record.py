"""What a training run leaves behind: every step's numbers, the network it found, and the sentence that says why it ended.

Root mean square errors are taken over all samples x outputs, sqrt((1/n) sum_bj (prediction_bj - y_bj)^2), of the network
as it is after the step; never the last point that a line search tried.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from kan_ref.checks import FloatArray
from kan_ref.losses import mean_squared_error
from kan_ref.network import Network, activations, evaluate_inputs, predict
from kan_ref.objective import Objective


class DataLike(Protocol):
    """Anything with the four arrays x_train (n, n_in), y_train (n, n_out), x_test, y_test."""

    @property
    def x_train(self) -> object: ...
    @property
    def y_train(self) -> object: ...
    @property
    def x_test(self) -> object: ...
    @property
    def y_test(self) -> object: ...


@dataclass(frozen=True)
class Step:
    """What a callback is shown: where a run stands after a step (or at the start of a grid).

    `step` counts from the start of the run, `n_intervals` is the first layer's, `penalty` is what the objective adds to
    the mean squared error, `seconds` since the start. `network` is the network as it is.
    """

    step: int
    n_intervals: int
    train_rmse: float
    test_rmse: float
    penalty: float
    n_evaluations: int
    seconds: float
    network: Network = field(repr=False)


@dataclass(frozen=True, eq=False)
class History:
    """A run step by step: arrays of one length, an entry at the start of each grid and after every step."""

    step: NDArray[np.int_]
    n_intervals: NDArray[np.int_]
    train_rmse: FloatArray
    test_rmse: FloatArray
    penalty: FloatArray
    n_evaluations: NDArray[np.int_]
    seconds: FloatArray

    def __repr__(self) -> str:
        return f"History({len(self.step)} entries: {', '.join(self.__dict__)})"


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: the trained `network`, its `history`, and `stopped`, the sentence that says why it ended."""

    network: Network
    history: History
    stopped: str

    def __repr__(self) -> str:
        if not len(self.history.step):
            return f"Run({self.network!r}, stopped {self.stopped!r})"
        train, test = self.history.train_rmse[-1], self.history.test_rmse[-1]
        return f"Run({self.network!r}, {self.history.step[-1]} steps, train_rmse {train:.2e}, test_rmse {test:.2e}, stopped {self.stopped!r})"


HISTORY_NAMES = tuple(entry.name for entry in fields(History))
Callback = Callable[[Step], bool | None]
Batch = tuple[FloatArray, FloatArray]


class Recorder:
    """Writes a history while a run goes on; shows it to the user's callback and on the bar.

    `asked` is the sentence of a callback that asked to stop, "" until then; `best` the network with the smallest objective
    so far.
    """

    def __init__(self, train: Batch, test: Batch, callback: Callback | None, *, n_steps: int | None) -> None:
        self.train, self.test = train, test
        self.asked = ""
        self.best: Network | None = None
        self._entries: list[tuple[float, ...]] = []
        self._callback = callback
        self._bar = None if n_steps is None else tqdm(total=n_steps, unit="step")
        self._began = time.perf_counter()
        self._evaluations_before = 0
        self._lowest = np.inf

    def enter_grid(self, objective: Objective) -> None:
        """Record the network as a grid begins."""
        network = objective.network
        self._test_inputs = evaluate_inputs(network, self.test[0], slopes=False)
        self._write(network, objective, activations(network, objective.inputs)[-1], 0, step=self.n_steps)

    def add(self, network: Network, objective: Objective, prediction: FloatArray, n_evaluations: int) -> None:
        """Record one step of an optimizer; `n_evaluations` counts from the optimizer's own start."""
        self._write(network, objective, prediction, n_evaluations, step=self.n_steps + 1)
        if self._bar is not None:
            self._bar.update()

    def leave_optimizer(self, n_evaluations: int) -> None:
        """Count the evaluations of an optimizer that has ended."""
        self._evaluations_before += n_evaluations

    @property
    def n_steps(self) -> int:
        """Steps done so far."""
        return int(self._entries[-1][0]) if self._entries else 0

    def _write(self, network: Network, objective: Objective, prediction: FloatArray, n_evaluations: int, step: int) -> None:
        mse, penalty = mean_squared_error(prediction, self.train[1])[0], objective.penalty(network)
        test_mse = mean_squared_error(predict(network, self._test_inputs), self.test[1])[0]
        entry = Step(
            step=step,
            n_intervals=network.layers[0].n_intervals,
            train_rmse=float(np.sqrt(mse)),
            test_rmse=float(np.sqrt(test_mse)),
            penalty=penalty,
            n_evaluations=self._evaluations_before + n_evaluations,
            seconds=time.perf_counter() - self._began,
            network=network,
        )
        # without its network: a long run would hold every theta it ever had
        self._entries.append(tuple(getattr(entry, name) for name in HISTORY_NAMES))
        if mse + penalty < self._lowest:
            self._lowest, self.best = mse + penalty, network
        if self._bar is not None:
            self._bar.set_postfix_str(f"G {entry.n_intervals}, train {entry.train_rmse:.1e}, test {entry.test_rmse:.1e}")
        if self._callback is not None and not self.asked and self._callback(entry):
            self.asked = f"the callback asked to stop after step {step}"

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def history(self) -> History:
        """Everything recorded."""
        columns = list(zip(*self._entries, strict=True)) if self._entries else [()] * len(HISTORY_NAMES)
        step, n_intervals, train_rmse, test_rmse, penalty, n_evaluations, seconds = (np.array(column) for column in columns)
        return History(
            step=step.astype(np.int_),
            n_intervals=n_intervals.astype(np.int_),
            train_rmse=train_rmse,
            test_rmse=test_rmse,
            penalty=penalty,
            n_evaluations=n_evaluations.astype(np.int_),
            seconds=seconds,
        )
