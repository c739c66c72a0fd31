"""Training: an optimizer on a flat vector, grids that grow, hidden grids that follow what flows through them.

Liu et al. 2024, sections 2.2 and 2.4. One call of `fit` walks through a schedule of grids. At each it makes the objective of
the network as it is, and hands it to an optimizer; the optimizer's memory ends with the grid it was made on.

    (G1)  before each grid    the first layer is extended over its own [a, b], hidden grids lie anew on the activations
    (G2)  during each grid    at the start and after steps 5, 10, ..., 50 a hidden grid that an activation has left is
                              placed anew, and the optimizer starts again with the steps that are left
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.data import DataLike, check_arrays
from kan_ref.network import (
    PARAMETER_NAMES,
    Network,
    activations,
    activations_left,
    evaluate_inputs,
    place_hidden_grids,
    refine,
)
from kan_ref.optimizers import Iterate, steps_are_done
from kan_ref.pde import Model, ResidualProblem, check_problem, family_of, prepare_problem
from kan_ref.sparsity import PenaltyWeights
from kan_ref.training.history import Batch, Callback, Recorder, Run
from kan_ref.training.losses import named_loss
from kan_ref.training.objective import (
    Objective,
    check_batch,
    check_penalty,
    make_objective,
    trainable_places,
)
from kan_ref.training.optimizer_choice import LEARNING_RATE, Solver, choose_solver

CHECK_EVERY, CHECK_UNTIL = 5, 50  # (G2), the schedule of the paper's code


def fit(
    network: Model,
    data: DataLike | None = None,
    *,
    optimizer: str | None = None,
    n_steps: int = 100,
    loss: str = "mse",
    penalty_weight: float = 0.0,
    l1_weight: float = 1.0,
    entropy_weight: float = 1.0,
    penalty: str = "paper",
    smoothness_weight: float = 0.0,
    grids: Sequence[int] | None = None,
    update_grids: bool = True,
    trainable: Sequence[str] = PARAMETER_NAMES,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
    problem: ResidualProblem | None = None,
    callback: Callback | None = None,
    progress: bool = False,
) -> Run:
    """Train a network, if asked through a schedule of finer and finer grids.

    Parameters
    ----------
    network : Network, MLP or LAN
    data : record with x_train, y_train, x_test, y_test
        y (n, n_out), or class labels (n,) of int for "cross_entropy". Test data are only reported. None only with `problem`.
    optimizer : str, optional
        "lm" (Levenberg-Marquardt), "lbfgs", "bfgs", "ssbfgs", "ssbroyden" or "adam". None is "lm", or "lbfgs" where the objective
        is no sum of squares.
    n_steps : int
        Steps on each grid, 0 allowed; for "adam" with mini-batches, updates.
    loss : str
        "mse", "cross_entropy" or "logistic".
    penalty_weight, l1_weight, entropy_weight, penalty
        As in `value_and_grad`.
    smoothness_weight : float
        At least 0.
    grids : sequence of int, optional
        Numbers of intervals, never falling, none below the network's. Without it the grid stays.
    update_grids : bool
        Whether hidden grids follow activations that have left them, (G2).
    trainable : sequence of str
        Of "coef", "w_base", "w_spline", "symbolic" (a, b, c, d of the formulas), those that move.
    learning_rate : float, optional
        For "adam", above 0; 1e-2 without it.
    batch_size : int, optional
        For "adam": samples an update; all of them without it.
    rng : numpy.random.Generator, optional
        Draws mini-batches; needed with `batch_size` alone.
    problem : ResidualProblem, optional
        Differential equations to fulfil instead of data to fit, from `residual_problem`. Training data beside it are measurements: one more
        term of weight 1. Test errors are taken at the test data or else at the problem's reference; without both they are nan.
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
        "grids is (10, 5), but must not fall"; for data, what `value_and_grad` refuses; for a problem, partial derivatives of a user's
        residual that are wrong.

    Notes
    -----
    Implements :eq:`fit-schedule`. Beside the optimizer's own work a step costs one forward pass for the training error
    and one for the test error.
    """
    family_of(network)
    n_steps = check_integer("n_steps", n_steps, low=0)
    loss_kind = named_loss(loss)
    edge_penalty = check_penalty(penalty, penalty_weight, l1_weight, entropy_weight)
    weight = check_number("smoothness_weight", smoothness_weight, low=0.0)
    name = choose_solver(
        optimizer, loss=loss, has_residuals=loss_kind.residuals is not None and edge_penalty is None
    )
    solver = _make_solver(name, learning_rate, batch_size, rng)
    for switch, value in (("update_grids", update_grids), ("progress", progress)):
        if not isinstance(value, bool):
            raise TypeError(f"{switch} is {value!r}, but must be True or False")
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is {callback!r}, but must be a function of a Step")
    trainable_places(network, trainable)
    schedule = _check_grids(network, grids)
    train, test = _check_goal(network, data, problem, loss)
    if isinstance(train, ResidualProblem) and solver.batch_size is not None:
        raise ValueError(
            f"batch_size is {solver.batch_size}, but a problem of differential equations needs all its points at every step"
        )
    recorder = Recorder(
        test, loss_kind, callback, n_steps=len(schedule) * n_steps if progress else None
    )
    settings = _Settings(
        solver, n_steps, loss, weight, edge_penalty, update_grids, tuple(trainable), train
    )
    stopped, interrupted = "", False
    try:
        # [eq:fit-schedule]
        for n_intervals in schedule:
            if (
                isinstance(network, Network)
                and n_intervals is not None
                and _differs(network, n_intervals)
            ):
                network = refine(network, settings.x, n_intervals)
            network, stopped = _fit_one_grid(network, settings, recorder)
            if recorder.asked:
                break
        # [/eq:fit-schedule]
    except KeyboardInterrupt:
        interrupted = True
        network = network if recorder.best is None else recorder.best
        steps = "1 step" if recorder.n_steps == 1 else f"{recorder.n_steps} steps"
        stopped = f"interrupted after {steps}: this is the best network so far"
    finally:
        recorder.close()
    return Run(network, recorder.history(), stopped, interrupted)


@dataclass(frozen=True)
class _Settings:
    solver: Solver
    n_steps: int
    loss: str
    smoothness_weight: float
    penalty: PenaltyWeights | None
    update_grids: bool
    trainable: tuple[str, ...]
    goal: Batch | ResidualProblem

    @property
    def x(self) -> FloatArray:
        """The points that hidden grids follow."""
        return self.goal.points if isinstance(self.goal, ResidualProblem) else self.goal[0]


def _check_goal(
    network: Model, data: DataLike | None, problem: object, loss: str
) -> tuple[Batch | ResidualProblem, Batch | None]:
    """What is to be made small, a batch or a problem, and where test errors are taken."""
    if data is None and problem is None:
        raise TypeError(
            "data is None, but fit needs data, or a problem= of differential equations from residual_problem, or both"
        )
    if isinstance(data, ResidualProblem):
        raise TypeError(
            f"data is {data!r}, but needs samples: a problem is given as fit(network, problem=...)"
        )
    if problem is not None and loss != "mse":
        raise ValueError(
            f"loss is {loss!r}, but a problem of differential equations is a sum of squares: leave it at 'mse'"
        )
    train = test = None
    if data is not None:
        check_arrays(data)
        train = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"), loss)
        test = check_batch(network, data.x_test, data.y_test, ("x_test", "y_test"), loss)
        if problem is None:
            return train, test
    checked = check_problem(problem, network, family_of(network))
    return (
        checked if train is None else checked.with_data(*train)
    ), checked.reference if test is None else test


def _make_solver(name: str, learning_rate: object, batch_size: object, rng: object) -> Solver:
    """The solver, with what only Adam takes refused for the others."""
    rate = (
        LEARNING_RATE
        if learning_rate is None
        else check_number("learning_rate", learning_rate, low=0.0)
    )
    if rate == 0.0:
        raise ValueError("learning_rate is 0.0, but must be above 0")
    if learning_rate is not None and name != "adam":
        raise ValueError(
            f"learning_rate is {rate:g}, but optimizer {name!r} finds its own step lengths: take 'adam'"
        )
    if rng is not None:
        check_generator("rng", rng)
    if batch_size is None:
        return Solver(name, rate)
    size = check_integer("batch_size", batch_size, low=1)
    if name != "adam":
        raise ValueError(
            f"batch_size is {size}, but optimizer {name!r} needs all samples at every step: take 'adam'"
        )
    return Solver(name, rate, size, check_generator("rng", rng))


def _differs(network: Network, n_intervals: int) -> bool:
    return any(layer.n_intervals != n_intervals for layer in network.layers)


def _check_grids(network: Model, grids: Sequence[int] | None) -> tuple[int | None, ...]:
    """The schedule as ints that never fall; (None,) keeps the grids there are."""
    if grids is None:
        return (None,)
    if not isinstance(network, Network):
        raise TypeError(
            f"grids is {grids!r}, but only the grids of a Network grow during a run: this is {network!r}"
        )
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(
            f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)"
        )
    schedule = tuple(check_integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule:
        raise ValueError("grids is empty, but a schedule needs at least one number of intervals")
    if any(later < earlier for earlier, later in pairwise(schedule)):
        raise ValueError(f"grids is {schedule}, but must not fall")
    finest = max(layer.n_intervals for layer in network.layers)
    if schedule[0] < finest:
        raise ValueError(
            f"grids begins with {schedule[0]}, but the network has {finest} intervals already and a grid is only made finer"
        )
    return schedule


def _fit_one_grid(network: Model, settings: _Settings, recorder: Recorder) -> tuple[Model, str]:
    """The network after `n_steps` steps without a change of `n_intervals`, and why they ended."""
    x, goal = settings.x, settings.goal
    follow = settings.update_grids and isinstance(network, Network)
    if isinstance(network, Network) and follow:
        inputs = evaluate_inputs(network, x, slopes=False)
        if activations_left(network, activations(network, inputs)):
            network = place_hidden_grids(network, x)
    family = family_of(network)
    inputs = family.prepare(network, x)
    equations = (
        prepare_problem(goal, network, family) if isinstance(goal, ResidualProblem) else None
    )
    done, first = 0, True
    while True:
        objective = make_objective(
            network,
            x,
            np.empty((0, network.widths[-1])) if isinstance(goal, ResidualProblem) else goal[1],
            loss=settings.loss,
            smoothness_weight=settings.smoothness_weight,
            penalty=settings.penalty,
            trainable=settings.trainable,
            inputs=inputs,
            equations=equations,
        )
        if first:
            recorder.enter_grid(objective)
            first = False
            if recorder.asked:
                return network, recorder.asked
        watcher = _Watcher(objective, settings, recorder, done, follow=follow)
        result = settings.solver.run(objective, settings.n_steps - done, watcher)
        network = objective.network_at(result.theta)
        recorder.leave_optimizer(result.n_evaluations)
        done += result.n_steps
        if recorder.asked or not watcher.left_grid or not isinstance(network, Network):
            stopped = steps_are_done(done) if done == settings.n_steps else result.stopped
            return network, recorder.asked or stopped
        network = place_hidden_grids(network, x)


class _Watcher:
    """The optimizer's callback: records every step, and stops it when a hidden grid has to move, (G2)."""

    def __init__(
        self,
        objective: Objective,
        settings: _Settings,
        recorder: Recorder,
        done: int,
        *,
        follow: bool,
    ) -> None:
        self.objective, self.settings, self.recorder, self.done, self.follow = (
            objective,
            settings,
            recorder,
            done,
            follow,
        )
        self.left_grid = False

    def __call__(self, iterate: Iterate) -> bool:
        network = self.objective.network_at(iterate.theta)
        step = self.done + iterate.step
        due = (
            self.follow
            and step % CHECK_EVERY == 0
            and step <= CHECK_UNTIL
            and step < self.settings.n_steps
        )
        prediction = None
        if due:
            flow = activations(network, self.objective.inputs)
            self.left_grid, prediction = activations_left(network, flow), flow[-1]
        self.recorder.add(network, self.objective, prediction, iterate.n_evaluations)
        return self.left_grid or bool(self.recorder.asked)
