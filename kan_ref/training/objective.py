"""The objective of training: loss plus penalties, as functions of the trained parameters.

    (T7)  objective(theta) = loss(model_theta(x), y) + smoothness_weight * smoothness(model_theta)
                             + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)

(Liu et al. 2024, section 3 and eq. 2.20.) Without penalties on edges, with the mean squared error,
(T7) is a sum of squares: its residuals are (T6) of `data_goal` and sqrt(smoothness_weight) * jumps.
For differential equations their mean squares stand for the loss.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import (
    FloatArray,
    IntArray,
    check_choice,
    check_float_array,
    check_number,
    check_overflow,
    network_remedy,
    what,
)
from kan_ref.network import PARAMETER_NAMES, Network, check_derivatives, layer_inputs
from kan_ref.numerics import (
    Jacobian,
    NormalSums,
    Operator,
    SelectedOperator,
    StackedOperator,
    StoredOperator,
    scale_columns,
    select_columns,
    sum_chunks,
)
from kan_ref.sparsity import PENALTY_NAMES, PenaltyWeights
from kan_ref.training.class_losses import CROSS_ENTROPY, LOGISTIC
from kan_ref.training.data_goal import MSE, DataGoal
from kan_ref.training.goal import Goal, LastEvaluation, Model
from kan_ref.training.penalized_goal import PenalizedGoal
from kan_ref.training.scaled_variables import parameter_scale
from kan_ref.training.smoothness import Smoothness
from kan_ref.training.trainable import trainable_places

LOSSES = {loss.name: loss for loss in (MSE, CROSS_ENTROPY, LOGISTIC)}


@dataclass(frozen=True, eq=False)
class Objective:
    """(T7) as functions of the trainable part of theta, for the shape and grids of one model.

    `free` (n_params,): where a parameter is trained, None where all are. With `scale` (n_free,) the
    functions take z = theta / scale, and derivatives are with respect to z. `latest` keeps the
    model that was made last, with its trained parameters.
    """

    model: Any
    goal: Goal
    smoothness: Smoothness | None
    free: NDArray[np.bool_] | None
    scale: FloatArray | None = None
    latest: LastEvaluation = field(default_factory=LastEvaluation, repr=False)

    def start(self) -> FloatArray:
        """Return the trainable part of the model's own parameters."""
        theta: FloatArray = self.model.theta
        own = theta.copy() if self.free is None else theta[self.free]
        return own if self.scale is None else own / self.scale

    def model_at(self, free_theta: FloatArray) -> Any:
        """Return the model with the trainable part of its parameters replaced."""
        own = free_theta * (1.0 if self.scale is None else self.scale)
        theta = own
        if self.free is not None:
            theta = self.model.theta.copy()
            theta[self.free] = own
        model = self.model.replace_theta(theta)
        self.latest.keep(model, own)
        return model

    def evaluated_model(self, free_theta: FloatArray) -> Any:
        """Return `model_at`, or the last model if it has these parameters."""
        own = free_theta if self.scale is None else free_theta * self.scale
        known = self.latest.found
        if known is not None and np.array_equal(known, own):
            return self.latest.model
        return self.model_at(free_theta)

    def value_and_grad(self, free_theta: FloatArray) -> tuple[float, FloatArray]:
        """Compute the objective and its gradient (n_free,)."""
        model = self.model_at(free_theta)
        # [eq:objective]
        value, gradient = self.goal.value_and_grad(model)
        if self.smoothness is not None:
            smoothness, d_smoothness = self.smoothness.value_and_grad(model)
            value, gradient = value + smoothness, gradient + d_smoothness
        # [/eq:objective]
        own = gradient if self.free is None else gradient[self.free]
        return value, own * (1.0 if self.scale is None else self.scale)

    def residuals(self, free_theta: FloatArray) -> FloatArray:
        """Compute residuals whose squares sum to the objective: those of the goal, then jumps."""
        model = self.model_at(free_theta)
        return self._with_jumps(model, self.goal.residuals(model))

    def linearize(self, free_theta: FloatArray) -> tuple[FloatArray, Jacobian | NormalSums]:
        """Compute the residuals and their Jacobian with respect to the trainable part.

        A goal that works by chunks has the sums J^T J and J^T r in its place.
        """
        model = self.model_at(free_theta)
        residuals, blocks = self.goal.linearize(model)
        if isinstance(blocks, NormalSums):
            if self.smoothness is not None:
                jumps = self.smoothness.jacobian(model), self.smoothness.residuals(model)
                blocks = sum_chunks([jumps], model.n_params, first=blocks)
            sums = blocks if self.free is None else blocks.select_columns(self.free)
            return self._with_jumps(model, residuals), sums
        if self.smoothness is not None:
            blocks = [*blocks, *self.smoothness.jacobian(model)]
        jacobian: Jacobian = blocks if self.free is None else select_columns(blocks, self.free)
        if self.scale is not None:
            jacobian = scale_columns(jacobian, self.scale)
        return self._with_jumps(model, residuals), jacobian

    def operator(self, free_theta: FloatArray) -> tuple[FloatArray, Operator]:
        """Compute the residuals, and their Jacobian as an operator."""
        model = self.model_at(free_theta)
        if isinstance(self.goal, DataGoal):
            residuals, operator = self.goal.operator(model)
        else:
            residuals, blocks = self.goal.linearize(model)
            assert not isinstance(blocks, NormalSums)  # equations have none
            operator = StoredOperator(blocks)
        if self.smoothness is not None:
            jumps = self.smoothness.jacobian(model)
            operator = StackedOperator([operator, StoredOperator(jumps)]) if jumps else operator
        if self.free is not None:
            operator = SelectedOperator(operator, self.free)
        return self._with_jumps(model, residuals), operator

    def _with_jumps(self, model: Any, residuals: FloatArray) -> FloatArray:
        # [eq:objective-residuals]
        if self.smoothness is not None:
            residuals = np.concatenate([residuals, self.smoothness.residuals(model)])
        # [/eq:objective-residuals]
        return residuals

    def judge(self, model: Any, *, every_sample: bool = False) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy of a model, without penalties.

        With mini-batches on the batch that was evaluated last, or on `every_sample`.
        """
        goal: Any = self.goal
        judged: tuple[float, float, float] = (
            goal.judge_all(model) if every_sample else goal.judge(model)
        )
        return judged

    def on_samples(self, chosen: IntArray) -> "Objective":
        """Return the objective of some of the samples: a mini-batch."""
        part: Any = self.goal
        return replace(self, goal=part.on_samples(self.model, chosen))

    def added(self, model: Any) -> float:
        """Compute the penalties: what (T7) adds to the loss."""
        total = self.goal.penalty_value(model) if isinstance(self.goal, PenalizedGoal) else 0.0
        return total if self.smoothness is None else total + self.smoothness.value(model)

    def __repr__(self) -> str:
        n_free = self.model.n_params if self.free is None else int(self.free.sum())
        return f"Objective({self.model!r}, {self.goal!r}, {n_free} trainable parameters)"


def make_objective(
    model: Any,
    goal: Goal,
    *,
    smoothness_weight: float = 0.0,
    trainable: Sequence[str] = PARAMETER_NAMES,
    scaled: bool = False,
) -> Objective:
    """Return the objective of a goal, with a smoothness penalty; `scaled` in variables (T17)."""
    smoothness = Smoothness.of(model, smoothness_weight) if smoothness_weight else None
    free = trainable_places(model, trainable)
    scale = parameter_scale(model, goal, free) if scaled else None
    return Objective(model, goal, smoothness, free, scale)


def check_model(name: str, value: object) -> Model:
    """Return `value` if it is a model, else raise TypeError."""
    if isinstance(value, type) or not isinstance(value, Model):
        raise TypeError(
            f"{name} is {what(value)}, but must be a Network, an MLP or a LAN"
            f"{network_remedy(value)}"
        )
    return value


def check_penalty(
    penalty: object, penalty_weight: object, l1_weight: object, entropy_weight: object
) -> PenaltyWeights | None:
    """Return lambda, mu_1, mu_2 and the kind of penalty, checked; None where they add nothing."""
    kind = check_choice("penalty", penalty, PENALTY_NAMES)
    weight = check_number("penalty_weight", penalty_weight, low=0.0)
    l1 = check_number("l1_weight", l1_weight, low=0.0)
    entropy = check_number("entropy_weight", entropy_weight, low=0.0)
    return PenaltyWeights(weight, l1, entropy, kind) if weight * (l1 + entropy) > 0.0 else None


def check_batch(
    model: Model, x: object, y: object, names: tuple[str, str] = ("x", "y"), loss: str = "mse"
) -> DataGoal:
    """Return the goal of a batch x (batch, n_in) with targets y; ValueError where they differ."""
    kind = LOSSES[check_choice("loss", loss, tuple(LOSSES))]
    points = check_float_array(names[0], x, ("batch", model.widths[0]))
    targets = kind.check_targets(names[1], y, model.widths[-1])
    if len(points) != len(targets):
        raise ValueError(f"{names[1]} has {len(targets)} rows, but {names[0]} has {len(points)}")
    if len(points) == 0:
        raise ValueError(f"{names[0]} has no rows, but a loss needs at least one sample")
    return DataGoal(kind, points, targets)


@np.errstate(all="ignore")
def value_and_grad(
    network: Model,
    x: object,
    y: object,
    loss: str = "mse",
    *,
    penalty_weight: float = 0.0,
    l1_weight: float = 1.0,
    entropy_weight: float = 1.0,
    penalty: str = "paper",
    smoothness_weight: float = 0.0,
) -> tuple[float, FloatArray]:
    """Compute the objective of a model on a batch and its gradient with respect to theta.

    Parameters
    ----------
    network : Network, MLP or LAN
    x : (batch, n_in)
    y : (batch, n_out), or (batch,) of int
        Numbers; 0 or 1 for "logistic"; class labels 0 .. n_out - 1 for "cross_entropy".
    loss : str
        "mse" (mean over all batch x n_out numbers), "cross_entropy" or "logistic" (in nats).
    penalty_weight, l1_weight, entropy_weight : float
        lambda, mu_1, mu_2 of Liu et al. 2024, eq. 2.20; at least 0.
    penalty : str
        Which l1 and entropy: "paper", "pykan", "pykan-0.0" or "coef"; see `sparsity.penalties`.
    smoothness_weight : float
        At least 0; weight of the smoothness penalty of `training.smoothness`.

    Returns
    -------
    value : float
    gradient : (n_params,)
        In the order of `network.theta`.

    Raises
    ------
    ValueError, TypeError
        "y has shape (10,), but needs shape (batch, n_out): give y[:, None] for one output"; where a
        symbolic edge has no finite value or derivative.

    Notes
    -----
    Implements :eq:`objective`. About three forward passes; with a penalty on edges two more.
    """
    goal: Any = check_batch(check_model("network", network), x, y, loss=loss).prepare(network)
    weights = check_penalty(penalty, penalty_weight, l1_weight, entropy_weight)
    if weights is not None:
        goal = PenalizedGoal.of(network, goal, weights, goal.x)
    value, gradient = goal.value_and_grad(network)
    weight = check_number("smoothness_weight", smoothness_weight, low=0.0)
    if weight > 0.0:
        added, d_added = Smoothness.of(network, weight).value_and_grad(network)
        value, gradient = value + added, gradient + d_added
    if isinstance(network, Network):
        inputs = layer_inputs(network.layers, goal.x)
        check_derivatives(network.layers, inputs, np.asarray(value), gradient)
    check_overflow("the loss or its gradient lies", value, gradient)
    return value, gradient
