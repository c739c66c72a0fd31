"""The record of a training run: numbers of every step, the network, and why the run
ended.

Root mean square errors are taken over all samples x outputs, sqrt((1/n) sum_bj
(prediction_bj - y_bj)^2), of the network after the step, never at a point that a line
search tried. For classes the predictions compared are probabilities, and y is 1 at the
right class, else 0; losses are never square-rooted. With differential equations the
training error is the root of their weighted mean squares, with those of the data if
there are any.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from kan_ref.checks import FloatArray, Record
from kan_ref.network import Model
from kan_ref.training.diagnose import Finding, diagnose

Kind = TypeVar("Kind", bound=Model)  # of the trained network: Network, MLP or LAN


class Step(NamedTuple):
    """The state of a run after a step, or at the start of a grid; a callback gets it.

    `step` counts from the start of the run; `n_intervals` is 0 for an MLP or a LAN;
    `penalty` is what the objective adds to the loss; `*_accuracy` is nan but for
    classes, `validation_*` without held-out samples.
    """

    step: int
    n_intervals: int
    penalty: float
    n_evaluations: int
    seconds: float
    train_loss: float
    train_rmse: float
    train_accuracy: float
    test_loss: float
    test_rmse: float
    test_accuracy: float
    validation_loss: float
    validation_rmse: float
    validation_accuracy: float
    network: Any


Callback = Callable[[Step], bool | str | None]  # True or a reason stops the run


class History:
    """Arrays with one entry at the start of each grid and after every step, named as in
    `Step`.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        for place, name in enumerate(Step._fields[:-1]):
            setattr(self, name, np.array([step[place] for step in steps]))

    def __getattr__(self, name: str) -> FloatArray:
        raise AttributeError(
            f"history has no {name}, but {', '.join(Step._fields[:-1])}"
        )

    def __repr__(self) -> str:
        return f"History({len(self.step)} entries: {', '.join(self.__dict__)})"


@dataclass(frozen=True, eq=False)
class Run(Record, Generic[Kind]):
    """A finished run.

    Parameters
    ----------
    network : Network, MLP or LAN
        That of the last step; if hidden grids moved on the last grid, the one with the
        least objective there; with `validation_share`, the one with the smallest
        held-out loss.
    history : History
        Arrays step, n_intervals, train_rmse, test_rmse, penalty, n_evaluations,
        seconds, and losses and accuracies of the training, test and validation samples.
    stopped : str
        Why the training ended.
    entry : int
        Index of the values of `network` in the arrays of `history`.
    interrupted : bool
        Whether a KeyboardInterrupt ended the run; then `network` is the best so far.
    case : dict
        Data and equations, for `findings`.

    Attributes
    ----------
    findings : list of Finding
        What may be wrong although the numbers look right, from `kan_ref.diagnose`.
    train_rmse, test_rmse : float
        Errors of `network`; nan where they were not taken.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> data = kr.sample("exp_sin", n_train=50, n_test=50, rng=rng)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": data.x_train}
    >>> net = kr.init_network((2, 1), **grid, rng=rng)
    >>> run = kr.fit(net, data, n_steps=3)
    >>> run.stopped, len(run.history.step)
    ('3 steps are done', 4)
    """

    network: Kind
    history: History
    stopped: str
    entry: int
    interrupted: bool
    case: dict[str, Any]  # for `diagnose`

    @cached_property
    def findings(self) -> list[Finding]:
        """What may be wrong with the network, found when it is first asked for."""
        return diagnose(self.network, **self.case, history=self.history)

    @property
    def train_rmse(self) -> float:
        """The training error of `network`, root mean square."""
        return float(self.history.train_rmse[self.entry])

    @property
    def test_rmse(self) -> float:
        """The test error of `network`, root mean square; nan without test samples."""
        return float(self.history.test_rmse[self.entry])

    def __repr__(self) -> str:
        names = "train_rmse", "validation_rmse", "test_rmse", "test_accuracy"
        numbers = {name: getattr(self.history, name)[self.entry] for name in names}
        shown = [
            f"{name} {number:.2e}"
            for name, number in numbers.items()
            if np.isfinite(number)
        ]
        n_found = len(self.findings)
        found = [f"{n_found} finding{'s' * (n_found > 1)}: see run.findings"] * bool(
            n_found
        )
        steps = f"{self.history.step[-1]} steps"
        parts = [repr(self.network), steps, *shown, f"stopped {self.stopped!r}", *found]
        return f"Run({', '.join(parts)})"
