"""The optimizers of `fit` by their names, how often they are tested, and mini-batches for Adam.

Mini-batches are drawn without replacement, in a new order whenever all samples have been used.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, IntArray, check_integer
from kan_ref.optimizers import OptimizeResult, adam, bfgs, lbfgs
from kan_ref.training.objective import Objective

# those that take a value and a gradient
GRADIENT_OPTIMIZERS: dict[str, Callable[..., OptimizeResult]] = {
    "lbfgs": lbfgs,
    "bfgs": bfgs,
    "ssbfgs": partial(bfgs, update="ssbfgs"),
    "ssbroyden": partial(bfgs, update="ssbroyden"),
    "adam": adam,
}
LEAST_SQUARES = ("lm", "lm_cg")  # they take residuals and derivatives of them
OPTIMIZER_NAMES = (*LEAST_SQUARES, *GRADIENT_OPTIMIZERS)
STEPS_FOR_A_TEST = 10  # steps on as many samples as the test has, for each test error
# measured by `benchmarks.scaled_variables`; "lm_cg" has the metric of "lm"
SCALED_BY_DEFAULT = ("lm", "lm_cg", "lbfgs", "bfgs")


def interval_of_tests(settings: Any, chosen: object, n_samples: int, test: Any) -> int:
    """Return every how many steps test errors are taken; `chosen` None is the rule of `fit`."""
    if chosen is not None:
        return check_integer("test_every", chosen, low=1)
    if settings.optimizer in LEAST_SQUARES or test is None:
        return 1
    n_step = min(n_samples, settings.batch_size or n_samples)
    return -(-STEPS_FOR_A_TEST * len(test.x) // n_step)


def on_batches(
    objective: Objective, batch_size: int, rng: np.random.Generator
) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Return theta -> (value, gradient) of the objective on a new mini-batch at every call."""
    goal: Any = objective.goal
    waiting: list[IntArray] = []

    def value_and_grad(theta: FloatArray) -> tuple[float, FloatArray]:
        if not waiting:
            order = rng.permutation(len(goal.x))
            begins = range(0, len(order), batch_size)
            waiting.extend(order[begin : begin + batch_size] for begin in begins)
        return objective.on_samples(waiting.pop(0)).value_and_grad(theta)

    return value_and_grad
