"""Training: an optimizer on a flat vector, grids that grow, hidden grids that follow what flows through them.

Liu et al. 2024, sections 2.2 and 2.4. One call of `fit` walks through a schedule of grids. At each it makes the objective of
the network as it is, and hands it to an optimizer; the optimizer's memory ends with the grid it was made on.

    (G1)  before each grid    the first layer is extended over its own [a, b], hidden grids lie anew on the activations
    (G2)  during each grid    at the start and after steps 5, 10, ..., 50 a hidden grid that an activation has left is
                              placed anew, and the optimizer starts again with the steps that are left
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import choice, integer, number
from kan_ref.losses import LOSS_NAMES
from kan_ref.network import PARAMETER_NAMES, Network, activations, evaluate_inputs
from kan_ref.objective import Objective, check_batch, make_objective, trainable_places
from kan_ref.optimizers.lbfgs import lbfgs
from kan_ref.optimizers.levenberg_marquardt import levenberg_marquardt
from kan_ref.optimizers.result import Iterate, OptimizeResult
from kan_ref.refinement import activations_left, place_hidden_grids, refine
from kan_ref.run_record import Callback, DataLike, Recorder, Run

OPTIMIZER_NAMES = ("lm", "lbfgs")
CHECK_EVERY, CHECK_UNTIL = 5, 50  # (G2), the schedule of the paper's code


def fit(
    network: Network,
    data: DataLike,
    *,
    optimizer: str | None = None,
    n_steps: int = 100,
    loss: str = "mse",
    smoothness_weight: float = 0.0,
    grids: Sequence[int] | None = None,
    update_grids: bool = True,
    trainable: Sequence[str] = PARAMETER_NAMES,
    callback: Callback | None = None,
    progress: bool = False,
) -> Run:
    """Train a network, if asked through a schedule of finer and finer grids.

    Parameters
    ----------
    network : Network
    data : record with x_train, y_train, x_test, y_test
        y (n, n_out). Test data are only reported.
    optimizer : str, optional
        "lm" (Levenberg-Marquardt, the default) or "lbfgs".
    n_steps : int
        Steps on each grid, 0 allowed.
    loss : str
        "mse".
    smoothness_weight : float
        At least 0.
    grids : sequence of int, optional
        Numbers of intervals, never falling, none below the network's. Without it the grid stays.
    update_grids : bool
        Whether hidden grids follow activations that have left them, (G2).
    trainable : sequence of str
        Of "coef", "w_base", "w_spline", those that move.
    callback : callable, optional
        Called with a `Step` after every step and at the start of every grid; True stops the run.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    run : Run
        On KeyboardInterrupt the best network so far, and `stopped` says so.

    Raises
    ------
    ValueError, TypeError
        "grids is (10, 5), but must not fall"; for data, what `value_and_grad` refuses.

    Notes
    -----
    Implements :eq:`fit-schedule`. Beside the optimizer's own work a step costs one forward pass for the training error
    and one for the test error.
    """
    name = "lm" if optimizer is None else choice("optimizer", optimizer, OPTIMIZER_NAMES)
    n_steps = integer("n_steps", n_steps, low=0)
    choice("loss", loss, LOSS_NAMES)
    weight = number("smoothness_weight", smoothness_weight, low=0.0)
    if not isinstance(update_grids, bool):
        raise TypeError(f"update_grids is {update_grids!r}, but must be True or False")
    trainable_places(network, trainable)
    schedule = _check_grids(network, grids)
    train = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"))
    test = check_batch(network, data.x_test, data.y_test, ("x_test", "y_test"))

    recorder = Recorder(train, test, callback, n_steps=len(schedule) * n_steps if progress else None)
    settings = _Settings(name, n_steps, weight, update_grids, tuple(trainable))
    stopped = ""
    try:
        # [eq:fit-schedule]
        for n_intervals in schedule:
            if n_intervals is not None and any(layer.n_intervals != n_intervals for layer in network.layers):
                network = refine(network, train[0], n_intervals)
            network, stopped = _fit_one_grid(network, settings, recorder)
            if recorder.asked:
                break
        # [/eq:fit-schedule]
    except KeyboardInterrupt:
        network = network if recorder.best is None else recorder.best
        stopped = f"interrupted after {recorder.n_steps} steps: this is the best network so far"
    finally:
        recorder.close()
    return Run(network, recorder.history(), stopped)


@dataclass(frozen=True)
class _Settings:
    optimizer: str
    n_steps: int
    smoothness_weight: float
    update_grids: bool
    trainable: tuple[str, ...]


def _check_grids(network: Network, grids: Sequence[int] | None) -> tuple[int | None, ...]:
    """The schedule as ints that never fall; (None,) keeps the grids there are."""
    if grids is None:
        return (None,)
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)")
    schedule = tuple(integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule:
        raise ValueError("grids is empty, but a schedule needs at least one number of intervals")
    if any(later < earlier for earlier, later in zip(schedule[:-1], schedule[1:], strict=True)):
        raise ValueError(f"grids is {schedule}, but must not fall")
    finest = max(layer.n_intervals for layer in network.layers)
    if schedule[0] < finest:
        raise ValueError(f"grids begins with {schedule[0]}, but the network has {finest} intervals already and a grid is only made finer")
    return schedule


def _fit_one_grid(network: Network, settings: _Settings, recorder: Recorder) -> tuple[Network, str]:
    """The network after `n_steps` steps without a change of `n_intervals`, and why they ended."""
    x, y = recorder.train
    inputs = evaluate_inputs(network, x, slopes=False)
    if settings.update_grids and activations_left(network, activations(network, inputs)):
        network = place_hidden_grids(network, x)
    done, first = 0, True
    while True:
        objective = make_objective(
            network, x, y, smoothness_weight=settings.smoothness_weight, trainable=settings.trainable, inputs=inputs
        )
        watcher = _Watcher(objective, settings, recorder, done)
        if first:
            recorder.enter_grid(objective)
            first = False
            if recorder.asked:
                return network, recorder.asked
        result = _run_optimizer(objective, settings, settings.n_steps - done, watcher)
        network = objective.network_at(result.theta)
        recorder.leave_optimizer(result.n_evaluations)
        done += result.n_steps
        if not watcher.left_grid:
            return network, recorder.asked or result.stopped
        network = place_hidden_grids(network, x)


def _run_optimizer(objective: Objective, settings: _Settings, n_steps: int, watcher: "_Watcher") -> OptimizeResult:
    if settings.optimizer == "lbfgs":
        return lbfgs(objective.value_and_grad, objective.start(), n_steps=n_steps, callback=watcher)
    return levenberg_marquardt(
        objective.linearize, objective.start(), residuals=objective.residuals, n_steps=n_steps, callback=watcher
    )


class _Watcher:
    """The optimizer's callback: records every step, and stops it when a hidden grid has to move, (G2)."""

    def __init__(self, objective: Objective, settings: _Settings, recorder: Recorder, done: int) -> None:
        self.objective, self.settings, self.recorder, self.done = objective, settings, recorder, done
        self.left_grid = False

    def __call__(self, iterate: Iterate) -> bool:
        network = self.objective.network_at(iterate.theta)
        flow = activations(network, self.objective.inputs)
        self.recorder.add(network, self.objective, flow[-1], iterate.n_evaluations)
        step = self.done + iterate.step
        due = step % CHECK_EVERY == 0 and step <= CHECK_UNTIL and step < self.settings.n_steps
        self.left_grid = self.settings.update_grids and due and activations_left(network, flow)
        return self.left_grid or bool(self.recorder.asked)
