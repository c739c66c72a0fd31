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

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import FloatArray, Record
from kan_ref.network import Network
from kan_ref.training.data_goal import DataGoal
from kan_ref.training.goal import Model
from kan_ref.training.objective import Objective
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
_TEST_LOSS = HISTORY_NAMES.index("test_loss")
_COUNTS = ("step", "n_intervals", "n_evaluations")
Callback = Callable[[Step], bool | None]


class Recorder:
    """Writes a history during a run, calls the user's callback and moves the bar.

    `asked` says that the callback asked to stop, and is "" until then. `best` is the network with
    the smallest objective so far, `best_here` the one since the last call of `enter_grid`, and
    `best_step` its step; with mini-`batches`, whose losses differ by chance, it is the last one.
    `validation` watches the held-out samples, if there are any. Test errors are taken at the first
    and the last step of each grid, and every `test_every` steps in between.
    """

    def __init__(
        self,
        test: DataGoal | None,
        callback: Callback | None,
        *,
        n_steps: int | None,
        validation: Validation | None = None,
        test_every: int = 1,
        batches: bool = False,
    ) -> None:
        if callback is not None and not callable(callback):
            raise TypeError(f"callback is {callback!r}, but must be a function of a Step")
        self.test, self.asked, self.validation = test, "", validation
        self.batches = batches
        self._test_every, self._begun, self._last = test_every, 0, -1
        self._shown: tuple[Any, Any] = (None, None)  # network and objective of the last entry
        self.best: Any = None
        self.best_here: Any = None
        self.best_step = 0
        self._entries: list[tuple[float, ...]] = []
        self._callback = callback
        self._bar = None if n_steps is None else _bar(n_steps)
        self._began = time.perf_counter()
        self._evaluations_before = 0
        self._lowest = self._lowest_here = np.inf

    def enter_grid(self, objective: Objective, n_steps: int = 0) -> None:
        """Record the network at the start of a grid, on which at most `n_steps` steps are made."""
        if self.test is not None and not self.batches:
            self.test = self.test.prepare(objective.model)
        if self.validation is not None:
            self.validation.enter_grid(objective.model, by_chunks=self.batches)
        self.best_here, self._lowest_here = None, np.inf
        self._begun, self._last = self.n_steps, self.n_steps + n_steps
        self._write(objective.model, objective, 0, step=self.n_steps)

    def add(self, network: Any, objective: Objective, n_evaluations: int) -> None:
        """Record one step; `n_evaluations` counts from the start of the optimizer's run."""
        self._write(network, objective, n_evaluations, step=self.n_steps + 1)
        if self._bar is not None:
            self._bar.update()

    def leave_grid(self) -> None:
        """Complete the entry of a grid's last step, if the run ended before all its steps."""
        network, objective = self._shown
        if objective is not None and self.n_steps < self._last:
            if self.batches:
                self._fill(-1, "train", objective.judge(network, every_sample=True))
            self.complete(self.n_steps, network)

    def complete(self, step: int, network: Any) -> None:
        """Take the test error of the network of a step that has none."""
        place = max(n for n, entry in enumerate(self._entries) if entry[0] == step)
        if self.test is not None and np.isnan(self._entries[place][_TEST_LOSS]):
            # it may be of an earlier grid than the one for which the samples were prepared
            test = self.test if self.batches else self.test.prepare(network)
            self._fill(place, "test", test.judge_all(network))

    def _fill(self, place: int, kind: str, judged: tuple[float, float, float]) -> None:
        """Replace the errors of an entry."""
        entry = dict(zip(HISTORY_NAMES, self._entries[place], strict=True))
        names = (f"{kind}_loss", f"{kind}_rmse", f"{kind}_accuracy")
        self._entries[place] = tuple((entry | dict(zip(names, judged, strict=True))).values())

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

    def _write(self, network: Any, objective: Objective, n_evaluations: int, step: int) -> None:
        first_or_last = step in (self._begun, self._last)
        added = objective.added(network)
        train = objective.judge(network, every_sample=self.batches and first_or_last)
        test = held_out = (np.nan, np.nan, np.nan)
        if self.test is not None and (
            first_or_last or (step - self._begun) % self._test_every == 0
        ):
            test = self.test.judge_all(network)
        self._shown = (network, objective)
        if self.validation is not None:
            held_out = self.validation.judge(network, step)
        n_intervals = network.layers[0].n_intervals if isinstance(network, Network) else 0
        # in the order of HISTORY_NAMES, and without the network: a long run would hold every theta
        entry = (
            step,
            n_intervals,
            train[1],
            test[1],
            added,
            self._evaluations_before + n_evaluations,
            time.perf_counter() - self._began,
            train[0],
            test[0],
            train[2],
            test[2],
            held_out[1],
            held_out[0],
            held_out[2],
        )
        self._entries.append(entry)
        value = train[0] + added
        if self.batches or value < self._lowest_here:
            self._lowest_here, self.best_here, self.best_step = value, network, step
        if self.batches or value < self._lowest:
            self._lowest, self.best = value, network
        if self._bar is not None:
            known = "" if np.isnan(held_out[1]) else f", held out {held_out[1]:.1e}"
            known += "" if np.isnan(test[1]) else f", test {test[1]:.1e}"
            self._bar.set_postfix_str(f"G {n_intervals}, train {train[1]:.1e}{known}")
        if self._callback is not None:
            numbers: dict[str, Any] = dict(zip(HISTORY_NAMES, entry, strict=True))
            if self._callback(Step(**numbers, network=network)):
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
