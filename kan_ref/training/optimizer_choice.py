"""The optimizers of `fit` by their names, and mini-batches for Adam.

Mini-batches are drawn without replacement, in a new order whenever all samples have been used.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.optimizers import OptimizeResult, adam, bfgs, lbfgs
from kan_ref.training.objective import Objective

# those that take a value and a gradient; "lm" takes residuals and their Jacobian instead
GRADIENT_OPTIMIZERS: dict[str, Callable[..., OptimizeResult]] = {
    "lbfgs": lbfgs,
    "bfgs": bfgs,
    "ssbfgs": partial(bfgs, update="ssbfgs"),
    "ssbroyden": partial(bfgs, update="ssbroyden"),
    "adam": adam,
}
OPTIMIZER_NAMES = ("lm", *GRADIENT_OPTIMIZERS)
SCALED_BY_DEFAULT = ("lm", "lbfgs", "bfgs")  # measured by `benchmarks.scaled_variables`


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
