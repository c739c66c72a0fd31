"""Settings of a training run: the optimizer for an objective, and the arguments that it takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Network
from kan_ref.optimizers import Callback as OnStep
from kan_ref.optimizers import (
    OptimizeResult,
    ValueAndGrad,
    levenberg_marquardt,
)
from kan_ref.sparsity import Penalty
from kan_ref.training.data_goal import MOST_ENTRIES, DataGoal, row_entries
from kan_ref.training.fit_arguments import (
    GRADIENT_OPTIMIZERS,
    OPTIMIZER_NAMES,
    SCALED_BY_DEFAULT,
    on_batches,
)
from kan_ref.training.goal import Goal, Model
from kan_ref.training.objective import Objective, make_objective
from kan_ref.training.penalties import PenalizedGoal
from kan_ref.training.variables import layer_metric, trainable_places


@dataclass(frozen=True)
class Settings:
    """Arguments of `fit` for every grid, checked; `batch_size` and `options` are Adam's.

    `scaled`: whether to use (T17), or the metric (T16) of Levenberg-Marquardt.
    """

    optimizer: str
    n_steps: int
    penalty: Penalty | None
    smoothness_weight: float
    update_grids: bool
    trainable: Sequence[str]
    options: dict[str, float]
    batch_size: int | None
    rng: np.random.Generator | None
    scaled: bool

    def by_chunks(self, network: Model, source: object) -> bool:
        """Return whether a loss over data is evaluated by chunks of its samples.

        So it is with mini-batches, and where "lm" would store a large Jacobian with at least as
        many rows as J^T J.
        """
        if self.batch_size is not None:
            return True
        if not (self.optimizer == "lm" and isinstance(source, DataGoal)):
            return False
        n_rows = source.targets.size
        return n_rows * row_entries(network) > MOST_ENTRIES and n_rows >= network.n_params

    def objective(self, network: Model, goal: Goal, points: FloatArray) -> Objective:
        """Return the objective of a network and a goal."""
        if self.penalty is not None:
            goal = PenalizedGoal.of(network, goal, self.penalty, points)
        return make_objective(
            network,
            goal,
            smoothness_weight=self.smoothness_weight,
            trainable=self.trainable,
            scaled=self.scaled and self.optimizer != "lm",
        )

    def run(self, objective: Objective, n_steps: int, callback: OnStep) -> OptimizeResult:
        """Run the optimizer from the objective's own parameters."""
        start = objective.start()
        if self.optimizer == "lm":
            metric = layer_metric(objective.model, objective.free, 1.0) if self.scaled else None
            return levenberg_marquardt(
                objective.linearize,
                start,
                residuals=objective.residuals,
                n_steps=n_steps,
                metric=metric,
                callback=callback,
            )
        function: ValueAndGrad = objective.value_and_grad
        if self.batch_size is not None and self.rng is not None:
            function = on_batches(objective, self.batch_size, self.rng)
        optimize, options = GRADIENT_OPTIMIZERS[self.optimizer], self.options
        if objective.scale is not None:
            # z has no unit, so the gradient has that of the value: no fixed bound fits all data
            options = options | {"gradient_tolerance": 0.0}
        return optimize(function, start, n_steps=n_steps, callback=callback, **options)


def read_settings(
    network: Model,
    *,
    optimizer: object,
    n_steps: object,
    loss: object,
    penalty: Penalty | None,
    smoothness_weight: object,
    update_grids: object,
    trainable: Sequence[str],
    precondition: object,
    learning_rate: object,
    batch_size: object,
    rng: object,
) -> Settings:
    """Check the arguments of `fit` that do not concern data, problem and grids."""
    name = "lm" if penalty is None and loss == "mse" else "lbfgs"
    if optimizer is not None:
        if checks.choice("optimizer", optimizer, OPTIMIZER_NAMES) == "lm" and name != "lm":
            reason = (
                "with an L1 or entropy penalty the objective is"
                if loss == "mse"
                else f"loss {loss!r} is"
            )
            raise ValueError(
                f"optimizer is {optimizer!r}, but {reason} not a sum of squares: take 'lbfgs'"
            )
        name = str(optimizer)
    weight = checks.number("smoothness_weight", smoothness_weight, low=0.0)
    options, size = {}, None
    if learning_rate is not None:
        rate = checks.number("learning_rate", learning_rate, above=0.0)
        if name != "adam":
            raise ValueError(
                f"learning_rate is {rate:g}, but optimizer {name!r} finds its own step lengths: "
                "take 'adam'"
            )
        options = {"learning_rate": rate}
    if batch_size is not None:
        size = checks.integer("batch_size", batch_size, low=1)
        if name != "adam":
            raise ValueError(
                f"batch_size is {size}, but optimizer {name!r} needs all samples at every step: "
                "take 'adam'"
            )
    generator = None if rng is None and size is None else checks.generator("rng", rng)
    trainable_places(network, trainable)
    return Settings(
        name,
        checks.integer("n_steps", n_steps, low=0),
        penalty,
        weight,
        checks.flag("update_grids", update_grids) and isinstance(network, Network),
        trainable,
        options,
        size,
        generator,
        _read_precondition(precondition, network, name, penalty),
    )


def _read_precondition(
    value: object, network: Model, optimizer: str, penalty: Penalty | None
) -> bool:
    """Return whether the optimizer gets scaled variables."""
    if value is None:
        return False
    chosen = checks.choice("precondition", value, ("auto", "jacobian"))
    reason = ""
    if penalty is not None:
        reason = (
            "with an L1 or entropy penalty scaled variables end at a larger objective: "
            'leave it at "auto", which is None here'
        )
    elif optimizer == "adam":
        reason = (
            "Adam scales every variable by its own past gradients: "
            'leave it at "auto", which is None here, or take "lbfgs"'
        )
    if reason and chosen == "jacobian":
        raise ValueError(f"precondition is 'jacobian', but {reason}")
    by_default = optimizer in SCALED_BY_DEFAULT and isinstance(network, Network)
    return not reason and (chosen == "jacobian" or by_default)
