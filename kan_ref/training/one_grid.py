"""Training on one grid: the steps of an optimizer, and what is recorded after each of them.

`train_on_grid` is (T11) of `fitting`: hidden grids that activations have left are placed again, and
the optimizer starts again. A hidden grid that moves can increase the objective, so the last network
of such a grid can be worse than an earlier one.
"""

import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Network, layer_inputs, place_hidden_grids, sample_slices
from kan_ref.optimizers import Iterate, steps_are_done, stop_reason
from kan_ref.training.data_goal import DataGoal
from kan_ref.training.fit_arguments import note_on_derivatives, undefined_at
from kan_ref.training.goal import Problem, judge, rows_at_once
from kan_ref.training.held_out import Validation
from kan_ref.training.history import Callback, History, Step
from kan_ref.training.objective import Objective
from kan_ref.training.settings import Settings

if TYPE_CHECKING:
    from tqdm import tqdm

CHECK_EVERY, CHECK_UNTIL = 5, 50  # (T11), the schedule of the paper's code
HISTORY_NAMES = tuple(entry.name for entry in fields(History))
_TEST_LOSS = HISTORY_NAMES.index("test_loss")
_COUNTS = ("step", "n_intervals", "n_evaluations")
_UNKNOWN = (np.nan, np.nan, np.nan)  # loss, root mean square error and accuracy


class Recorder:
    """Writes a history during a run, calls the user's callback and moves the bar.

    `n_steps` counts the steps so far. `asked` says that the callback asked to stop, and is "" until
    then. `best` is the network with the smallest objective so far, `best_here` the one since the
    last call of `enter_grid`; with mini-`batches`, whose losses differ by chance, it is the last
    one. Their entries are `best_entry` and `best_entry_here`; `entry` is that of the network that
    was chosen last. `validation` watches the held-out samples, if there are any, and `entry_held`
    is the entry of its best network. Test errors are taken at the first and the last step of each
    grid, and every `test_every` steps in between.
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
            raise TypeError(
                f"callback is {checks.shown(callback)}, but must be a function of a Step"
            )
        self.test, self.asked, self.validation = test, "", validation
        self.batches, self.n_steps = batches, 0
        self._test_every, self._begun, self._last = test_every, 0, -1
        self._shown: tuple[Any, Any] = (None, None)  # network and objective of the last entry
        self._prepared_for: Any = None  # the first layer's knots that `test` is prepared for
        self.best: Any = None
        self.best_here: Any = None
        self.entry = self.best_entry = self.best_entry_here = self.entry_held = -1
        self._entries: list[tuple[float, ...]] = []
        self._callback = callback
        self._bar = None if n_steps is None else _bar(n_steps)
        self._began = time.perf_counter()
        self._evaluations_before = 0
        self._lowest = self._lowest_here = np.inf

    def enter_grid(self, objective: Objective, n_steps: int = 0) -> None:
        """Record the network at the start of a grid, on which at most `n_steps` steps are made."""
        self._prepare_test(objective.model)
        if self.validation is not None:
            self.validation.enter_grid(objective.model, by_chunks=self.batches)
        self.best_here, self._lowest_here = None, np.inf
        self._begun, self._last = self.n_steps, self.n_steps + n_steps
        self.add(objective.model, objective, 0, n_steps=0)

    def add(
        self, network: Any, objective: Objective, n_evaluations: int, *, n_steps: int = 1
    ) -> None:
        """Record one step; `n_evaluations` counts from the start of the optimizer's run."""
        goal: Any = objective.goal
        step = self.n_steps + n_steps
        first_or_last = step in (self._begun, self._last)
        added = objective.added(network)
        every_sample = self.batches and first_or_last
        train = goal.judge_all(network) if every_sample else judge(goal, network)
        test = held_out = _UNKNOWN
        if self.test is not None and (
            first_or_last or (step - self._begun) % self._test_every == 0
        ):
            test = self.test.judge_all(network)
        if self.validation is not None:
            before = self.validation.best
            held_out = self.validation.judge(network, step)
            if self.validation.best is not before:
                self.entry_held = len(self._entries)
        n_intervals = network.layers[0].n_intervals if isinstance(network, Network) else 0
        # in the order of HISTORY_NAMES, and without the network: a long run would hold every theta
        evaluations = self._evaluations_before + n_evaluations
        seconds = time.perf_counter() - self._began
        numbers = (step, n_intervals, train[1], test[1], added, evaluations, seconds)
        losses = (train[0], test[0], train[2], test[2], held_out[1], held_out[0], held_out[2])
        entry = (*numbers, *losses)
        self._entries.append(entry)
        self.n_steps, self._shown = step, (network, objective)
        value, place = train[0] + added, len(self._entries) - 1
        if self.batches or value < self._lowest_here:
            self._lowest_here, self.best_here, self.best_entry_here = value, network, place
        if self.batches or value < self._lowest:
            self._lowest, self.best, self.best_entry = value, network, place
        if self._bar is not None:
            known = "" if np.isnan(held_out[1]) else f", held out {held_out[1]:.1e}"
            known += "" if np.isnan(test[1]) else f", test {test[1]:.1e}"
            self._bar.set_postfix_str(f"G {n_intervals}, train {train[1]:.1e}{known}")
        if self._callback is not None:
            named: dict[str, Any] = dict(zip(HISTORY_NAMES, entry, strict=True))
            answer = self._callback(Step(**named, network=network))
            self.asked = stop_reason(answer, step) or ""
        if self._bar is not None:
            self._bar.update(n_steps)

    def leave_grid(self) -> None:
        """Complete the entry of a grid's last step, and choose its network."""
        network, objective = self._shown
        if objective is not None:
            if self.batches and self.n_steps < self._last:  # the run ended before all its steps
                self._fill(-1, "train", objective.goal.judge_all(network))
            self.choose(len(self._entries) - 1, network)

    def choose(self, entry: int, network: Any) -> str:
        """Take the test error of the network of an entry, if it has none; return of which step.

        The text is "" for the last step.
        """
        self.entry, step = entry, self._entries[entry][0]
        if self.test is not None and np.isnan(self._entries[entry][_TEST_LOSS]):
            self._prepare_test(network)  # it may be of an earlier grid than the last
            self._fill(entry, "test", self.test.judge_all(network))
        return "" if step == self.n_steps else f"that of step {step}"

    def _prepare_test(self, network: Any) -> None:
        """Evaluate what depends on test samples alone, unless it is known or works by chunks."""
        first = network.layers[0].rows if isinstance(network, Network) else type(network)
        if not (self.test is None or self.batches or self._prepared_for is first):
            self.test, self._prepared_for = self.test.prepare(network), first

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


def train_on_grid(
    network: Any, source: DataGoal | Problem, settings: Settings, recorder: Recorder
) -> tuple[Any, str]:
    """Return the network after `n_steps` steps on its grids, and why they ended."""
    points, follow = source.points, settings.update_grids
    last_check = min(CHECK_UNTIL, settings.n_steps - 1) // CHECK_EVERY * CHECK_EVERY
    some = points[:: -(-len(points) // rows_at_once(network, len(points)))]
    goal: Any = source if settings.by_chunks(network, source) else source.prepare(network)
    if follow and _left_grids(network, goal, points):
        network = _place_grids(network, goal, points)
    objective = settings.objective(network, goal, points)
    recorder.enter_grid(objective, settings.n_steps)
    done, left, moved, stopped = 0, False, False, recorder.asked

    def after_step(iterate: Iterate) -> bool:
        nonlocal left
        model, step = objective.evaluated_model(iterate.own_theta), done + iterate.step
        if follow and step % CHECK_EVERY == 0 and step <= last_check:
            whole = recorder.batches and step == last_check
            left = _left_grids(model, objective.goal, points, every=whole)
        recorder.add(model, objective, iterate.n_evaluations)
        return left or bool(recorder.halted)

    while not recorder.halted:
        before = recorder.n_steps
        try:
            result = settings.run(objective, settings.n_steps - done, after_step)
        except ValueError as error:
            note = note_on_derivatives(objective) if recorder.n_steps == before else ""
            if note:
                raise ValueError(f"{error}{note}") from error
            raise
        network = objective.model_at(result.theta)
        recorder.leave_optimizer(result.n_evaluations)
        done += result.n_steps
        stopped = recorder.halted or result.stopped
        if stopped == steps_are_done(result.n_steps):
            stopped = steps_are_done(recorder.n_steps)
        if not left or recorder.halted:
            break
        near = some if recorder.batches and done != last_check else points
        placed = _place_grids(network, objective.goal, near)
        why = undefined_at(placed, points, "x_train" if hasattr(source, "targets") else "points")
        if why:
            stopped = f"step {recorder.n_steps}: activations left grids, but on moved ones {why}"
            break
        network, left, moved = placed, False, True
        objective = settings.objective(network, goal, points)
    recorder.leave_grid()
    if recorder.validation is not None:
        return recorder.validation.best, stopped
    if moved:
        network = recorder.best_here
        which = recorder.choose(recorder.best_entry_here, network)
        if which:
            stopped += f"; hidden grids moved, and the network is {which}, the best on its grid"
    return network, stopped


def _left_grids(network: Network, goal: Any, points: FloatArray, *, every: bool = False) -> bool:
    """Return whether an activation has left a hidden grid, at samples that were just evaluated.

    With `every`, and where the goal keeps no values of hidden nodes, all points are evaluated, by
    chunks until one has left.
    """
    flow = None if every or not hasattr(goal, "flow") else goal.flow(network)
    chunks = sample_slices(len(points), rows_at_once(network, len(points)))
    flows = (list(layer_inputs(network.layers, points[rows]))[1:] for rows in chunks)
    return any(map(network.left_grids, flows if flow is None else [flow]))


def _place_grids(network: Network, goal: Any, points: FloatArray) -> Network:
    """Return the network with its hidden grids on the activations of the points.

    The first layer keeps its grid: a goal that prepared all points has its outputs there.
    """
    prepared = hasattr(goal, "flow") and goal.inputs is not None
    flow = goal.flow(network) if prepared else None
    return place_hidden_grids(network, points, after_first=None if flow is None else flow[0])
