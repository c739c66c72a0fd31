"""What `fit` is given besides a network and samples: an optimizer, a problem, a schedule of grids.

The optimizers have names, and a rule for how often test errors are taken. For Adam mini-batches are
drawn without replacement, in a new order whenever all samples have been used. A problem of
differential equations is what `fit` makes small, with data beside it as one more term or without. A
schedule has numbers of intervals that never fall, none below the network's.

An optimizer undoes a step to parameters without a finite objective. So training begins and ends
where all symbolic edges are defined on the training samples. On test samples they need not be: then
test errors are nan, and the run says so.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray, counted
from kan_ref.data import DataLike, check_arrays
from kan_ref.network import Network, first_cause, has_limits, layer_inputs
from kan_ref.optimizers import OptimizeResult, adam, lbfgs
from kan_ref.pde import Equations, value_term
from kan_ref.training.data_goal import MSE, DataGoal, check_batch, check_test
from kan_ref.training.goal import Model, Problem, deviation
from kan_ref.training.history import History
from kan_ref.training.notes import GOOD
from kan_ref.training.objective import Objective

# those that take a value and a gradient
GRADIENT_OPTIMIZERS: dict[str, Callable[..., OptimizeResult]] = {"lbfgs": lbfgs, "adam": adam}
OPTIMIZER_NAMES = ("lm", *GRADIENT_OPTIMIZERS)
STEPS_FOR_A_TEST = 20  # steps on as many samples as the test has, for each test error
RISEN = 2.0  # an error at the end, in units of the smallest one on a coarser grid
LOST = 1e-8  # of the standard deviation of the targets: smaller errors may be rounding
PARTS_OF_A_PROBLEM = ("points", "check", "prepare")
SCALED_BY_DEFAULT = ("lm", "lbfgs")  # measured by `benchmarks.scaled_variables`


def check_problem(value: object, model: Model, loss: str) -> Problem:
    """Return `value` if it is a problem that fits the model, else raise an error."""
    missing = [name for name in PARTS_OF_A_PROBLEM if not hasattr(value, name)]
    if missing:
        raise TypeError(
            f"problem is a {type(value).__name__} without {missing[0]}, but must come from "
            f"Equations(terms), or have {', '.join(PARTS_OF_A_PROBLEM)}"
        )
    if loss != "mse":
        raise ValueError(
            f"loss is {loss!r}, but a problem of differential equations is a sum of squares: "
            "leave it at 'mse'"
        )
    problem: Problem = value  # type: ignore[assignment]  # its methods were looked for
    problem.check(model)
    return problem


def read_problem(
    network: Model, data: DataLike | None, problem: object, loss: str, batch_size: object
) -> tuple[Problem, DataGoal | None]:
    """Return the problem, with training data as one more term, and the test data."""
    checked, test = check_problem(problem, network, loss), None
    if batch_size is not None:
        raise ValueError(
            f"batch_size is {batch_size}, but a problem of differential equations needs all its "
            "points at every step"
        )
    if data is not None:
        check_arrays(data)
        test = check_test(network, data)
        if len(np.asarray(data.x_train)):
            train = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"))
            check_start(network, train.x)
            measured = value_term(train.x, train.targets)
            given: Any = checked
            return cast(Any, Equations([*given.terms, measured])), test
    return checked, test


def note_on_problem(
    model: Any,
    source: Any,
    errors: tuple[float, float],
    test: DataGoal | None,
    *,
    least_squares: bool,
) -> str:
    """Return the problem's own notes on scales, lengths and sizes; "" where it has none.

    `errors` are the root mean squares of training and of the known solution `test`, if there is
    one: where the second is small, units did no harm. Sizes of unknowns are those of several test
    samples, or else those that the problem has from its data and the model's values.
    """
    rmse, test_rmse = errors
    solved = test is not None and test_rmse <= GOOD * deviation(test.targets)
    if solved or not hasattr(source, "notes"):
        return ""
    known = test.targets if test is not None and len(test.targets) > 1 else None  # one may be 0
    return str(
        source.notes(model, known, rmse, least_squares=least_squares, tested=test is not None)
    )


def note_on_schedule(history: History, entry: int, source: object) -> str:
    """Return what to add if a run ends far above the error of a coarser grid, else "".

    `entry` is that of the final network, and the loss is without a penalty.
    """
    if not (isinstance(source, DataGoal) and source.loss is MSE):
        return ""
    errors, grids, size = history.train_rmse, history.n_intervals, deviation(source.targets)
    before = np.flatnonzero(grids[:entry] != grids[entry])
    if not before.size:
        return ""
    best = before[np.argmin(errors[before])]
    if not errors[entry] > max(RISEN * errors[best], LOST * size):
        return ""
    return (
        f"; the training error was {errors[best]:.3g} on {counted(int(grids[best]), 'interval')} "
        f"and is {errors[entry]:.3g} now: take more steps on each grid, or fewer intervals"
    )


def check_grids(network: object, grids: object) -> tuple[int, ...]:
    """Return the schedule for a network, never falling and none of it below the network's grids."""
    if not isinstance(network, Network):
        raise TypeError(
            f"grids is {grids!r}, but only the grids of a Network are refined during a run: "
            f"this is {network!r}"
        )
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(
            f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)"
        )
    schedule = tuple(checks.integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule:
        raise ValueError("grids is empty, but a schedule needs at least one number of intervals")
    if any(later < earlier for earlier, later in pairwise(schedule)):
        raise ValueError(f"grids is {schedule}, but must not fall")
    finest = max(layer.n_intervals for layer in network.layers)
    if schedule[0] < finest:
        raise ValueError(
            f"grids begins with {schedule[0]}, but the network has {finest} intervals already "
            "and a grid is only made finer"
        )
    return schedule


def interval_of_tests(settings: Any, chosen: object, n_samples: int, test: Any) -> int:
    """Return every how many steps test errors are taken; `chosen` None is the rule of `fit`."""
    if chosen is not None:
        return checks.integer("test_every", chosen, low=1)
    if settings.optimizer == "lm" or test is None:
        return 1
    n_step = min(n_samples, settings.batch_size or n_samples)
    return -(-STEPS_FOR_A_TEST * len(test.x) // n_step)


def on_batches(
    objective: Objective, batch_size: int, rng: np.random.Generator
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Return theta -> (value, gradient) of the objective on a new mini-batch at every call.

    The value is nan where a symbolic edge is undefined at a sample of any batch.
    """
    goal: Any = objective.goal
    waiting: list[IntArray] = []
    limited = isinstance(objective.model, Network) and has_limits(objective.model.layers)

    def value_and_grad(theta: FloatArray) -> tuple[float, FloatArray]:
        if not waiting:
            order = rng.permutation(len(goal.x))
            begins = range(0, len(order), batch_size)
            waiting.extend(order[begin : begin + batch_size] for begin in begins)
        value, gradient = objective.on_samples(waiting.pop(0)).value_and_grad(theta)
        if limited and undefined_at(objective.evaluated_model(theta), goal.x, "x_train"):
            value = np.nan  # so that the step to theta is undone
        return value, gradient

    return value_and_grad


# --- symbolic edges must be defined at the samples


def check_start(model: Any, x_train: FloatArray, *, highest: int = 0) -> None:
    """Raise ValueError where a symbolic edge is undefined at a training sample.

    So is an edge without a derivative up to the order `highest`.
    """
    why = undefined_at(model, x_train, "x_train", highest)
    if why:
        raise ValueError(why)


def note_on_derivatives(objective: Objective) -> str:
    """Return where a symbolic edge has no derivative at the samples of training; "" if nowhere."""
    goal: Any = objective.goal
    goal = getattr(goal, "goal", goal)  # without the penalty
    if hasattr(goal, "targets"):
        causes = [undefined_at(objective.model, goal.x, "x_train", 1)]
    else:  # equations contain derivatives of second order themselves
        causes = [
            undefined_at(objective.model, term.x, f"terms[{place}].x", 3)
            for place, term in enumerate(getattr(goal, "terms", ()))  # a goal may have none
        ]
    return "".join(f"; {why}" for why in [why for why in causes if why][:1])


def note_on_test(model: Any, test: DataGoal | None, name: str) -> str:
    """Return what to add to the reason of a run's end if test samples are undefined, else ""."""
    why = "" if test is None else undefined_at(model, test.x, name)
    return f"; the test error is nan, because {why}" if why else ""


def undefined_at(model: Any, x: FloatArray, name: str, highest: int = 0) -> str:
    """Return the first symbolic edge that is undefined at x, (n, n_in); "" if there is none."""
    if not isinstance(model, Network) or not any(layer.symbolic for layer in model.layers):
        return ""
    return first_cause(model.layers, layer_inputs(model.layers, x), name, highest=highest)
