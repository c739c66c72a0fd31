"""What `fit` is given besides samples: a problem of differential equations, a schedule of grids.

A problem is what `fit` makes small, with data beside it as one more term or without. A schedule has
numbers of intervals that never fall, none below the network's.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kan_ref.checks import check_integer
from kan_ref.data import DataLike, check_arrays
from kan_ref.network import Network
from kan_ref.training.data_goal import DataGoal, check_batch
from kan_ref.training.goal import Model, Problem
from kan_ref.training.notes import check_start


def check_problem(value: object, model: Model, loss: str) -> Problem:
    """Return `value` if it is a problem that fits the model, else raise an error."""
    for name in ("points", "with_data", "check", "prepare"):
        if not hasattr(value, name):
            kind = type(value).__name__
            raise TypeError(f"problem is a {kind}, but must come from residual_problem")
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
    """Return the problem, with training data as one more term, and the test data or reference."""
    checked, test = check_problem(problem, network, loss), None
    if batch_size is not None:
        raise ValueError(
            f"batch_size is {batch_size}, but a problem of differential equations needs all its "
            "points at every step"
        )
    if checked.reference is not None:
        test = check_batch(network, *checked.reference, ("reference x", "reference u"))
    if data is not None:
        check_arrays(data)
        train = check_batch(network, data.x_train, data.y_train, ("x_train", "y_train"))
        check_start(network, train.x)
        test = check_batch(network, data.x_test, data.y_test, ("x_test", "y_test"))
        checked = checked.with_data(train.x, train.targets)
    return checked, test


def check_schedule(grids: object) -> tuple[int, ...]:
    """Return `grids` as a tuple of at least one positive int, else raise an error."""
    if isinstance(grids, str) or not isinstance(grids, Sequence | np.ndarray):
        raise TypeError(
            f"grids is {grids!r}, but must be a sequence of integers such as (5, 10, 20)"
        )
    schedule = tuple(check_integer(f"grids[{place}]", n, low=1) for place, n in enumerate(grids))
    if not schedule:
        raise ValueError("grids is empty, but a schedule needs at least one number of intervals")
    if any(later < earlier for earlier, later in pairwise(schedule)):
        raise ValueError(f"grids is {schedule}, but must not fall")
    return schedule


def check_grids(network: object, grids: object) -> tuple[int, ...]:
    """Return the schedule for a network, none of it below the network's own grids."""
    if not isinstance(network, Network):
        raise TypeError(
            f"grids is {grids!r}, but only the grids of a Network are refined during a run: "
            f"this is {network!r}"
        )
    schedule = check_schedule(grids)
    finest = max(layer.n_intervals for layer in network.layers)
    if schedule[0] < finest:
        raise ValueError(
            f"grids begins with {schedule[0]}, but the network has {finest} intervals already "
            "and a grid is only made finer"
        )
    return schedule
