"""Which optimizer serves which objective: the names that `fit` knows, and how each is called.

Least squares (Levenberg-Marquardt) needs residuals, so a mean squared error without penalties on edges; the others need a value and
a gradient. Adam alone may see a part of the samples at a time: mini-batches are drawn without replacement, a new order every time
all samples have been seen.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, IntArray, check_choice
from kan_ref.optimizers import Callback, OptimizeResult, adam, bfgs, lbfgs, levenberg_marquardt
from kan_ref.training.objective import Objective

LEARNING_RATE = 1e-2
OPTIMIZER_NAMES = ("lm", "lbfgs", "bfgs", "ssbfgs", "ssbroyden", "adam")


@dataclass(frozen=True)
class Solver:
    """An optimizer by name, and what it needs besides an objective.

    `learning_rate`, `batch_size` (None: all samples) and `rng` (for mini-batches) are Adam's.
    """

    name: str
    learning_rate: float = LEARNING_RATE
    batch_size: int | None = None
    rng: np.random.Generator | None = None

    def run(self, objective: Objective, n_steps: int, callback: Callback) -> OptimizeResult:
        """At most `n_steps` steps from the objective's own start."""
        start = objective.start()
        if self.name == "lm":
            return levenberg_marquardt(
                objective.linearize,
                start,
                residuals=objective.residuals,
                n_steps=n_steps,
                callback=callback,
            )
        if self.name == "lbfgs":
            return lbfgs(objective.value_and_grad, start, n_steps=n_steps, callback=callback)
        if self.name == "adam":
            function = (
                objective.value_and_grad
                if self.batch_size is None
                else self._on_batches(objective, self.batch_size)
            )
            return adam(
                function,
                start,
                n_steps=n_steps,
                learning_rate=self.learning_rate,
                callback=callback,
            )
        return bfgs(
            objective.value_and_grad, start, n_steps=n_steps, update=self.name, callback=callback
        )

    def _on_batches(
        self, objective: Objective, batch_size: int
    ) -> Callable[[FloatArray], tuple[float, FloatArray]]:
        rng, n_samples = self.rng, len(objective.x)
        if rng is None:
            raise ValueError(
                "batch_size is given, but mini-batches are drawn at random and need rng"
            )
        waiting: list[IntArray] = []

        def value_and_grad(theta: FloatArray) -> tuple[float, FloatArray]:
            if not waiting:
                order = rng.permutation(n_samples)
                waiting.extend(
                    order[begin : begin + batch_size] for begin in range(0, n_samples, batch_size)
                )
            return objective.on_samples(waiting.pop(0)).value_and_grad(theta)

        return value_and_grad


def choose_solver(name: str | None, *, loss: str, has_residuals: bool) -> str:
    """The optimizer's name: "lm" where residuals exist, else "lbfgs", unless one is asked for.

    See tutorials/05_optimizers.md, "Levenberg-Marquardt".

    Raises
    ------
    ValueError
        An unknown name; "optimizer is 'lm', but loss 'cross_entropy' is no sum of squares: take 'lbfgs'".
    """
    if name is None:
        return "lm" if has_residuals else "lbfgs"
    check_choice("optimizer", name, OPTIMIZER_NAMES)
    if name == "lm" and not has_residuals:
        reason = (
            f"loss {loss!r} is"
            if loss != "mse"
            else "with an L1 or entropy penalty the objective is"
        )
        raise ValueError(f"optimizer is 'lm', but {reason} no sum of squares: take 'lbfgs'")
    return name
