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

from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import PARAMETER_NAMES
from kan_ref.numerics import (
    Jacobian,
    NormalSums,
    scale_columns,
    select_columns,
    sum_chunks,
)
from kan_ref.training.goal import Goal, LastEvaluation
from kan_ref.training.penalties import PenalizedGoal, Smoothness
from kan_ref.training.variables import parameter_scale, trainable_places


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
    latest: LastEvaluation = field(default_factory=LastEvaluation)

    def start(self) -> FloatArray:
        """Return the trainable part of the model's own parameters."""
        theta: FloatArray = self.model.theta
        own = theta.copy() if self.free is None else theta[self.free]
        return own if self.scale is None else own / self.scale

    def model_at(self, free_theta: FloatArray) -> Any:
        """Return the model with the trainable part of its parameters replaced."""
        own = free_theta if self.scale is None else free_theta * self.scale
        if own is free_theta and (own.flags.writeable or own.base is not None):
            own = own.copy()  # the caller's array may change, unless it is read-only
        theta = own
        if self.free is not None:
            theta = self.model.theta.copy()
            theta[self.free] = own
        model = self.model.replace_theta(theta)
        self.latest.model, self.latest.found = model, own
        return model

    def evaluated_model(self, free_theta: FloatArray) -> Any:
        """Return `model_at`, or the last model if it has these parameters."""
        own = free_theta if self.scale is None else free_theta * self.scale
        known = self.latest.found
        if known is own or np.array_equal(known, own):
            return self.latest.model
        return self.model_at(free_theta)

    def value_and_grad(self, free_theta: FloatArray) -> tuple[float, FloatArray]:
        """Compute the objective and its gradient (n_free,), read-only."""
        model = self.model_at(free_theta)
        # [eq:objective]
        value, gradient = self.goal.value_and_grad(model)
        if self.smoothness is not None:
            smoothness, d_smoothness = self.smoothness.value_and_grad(model)
            value, gradient = value + smoothness, gradient + d_smoothness
        # [/eq:objective]
        if self.free is not None:
            gradient = gradient[self.free]
        gradient = gradient if self.scale is None else gradient * self.scale
        gradient.flags.writeable = False  # so that an optimizer may keep it
        return value, gradient

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

    def _with_jumps(self, model: Any, residuals: FloatArray) -> FloatArray:
        # [eq:objective-residuals]
        if self.smoothness is not None:
            residuals = np.concatenate([residuals, self.smoothness.residuals(model)])
        # [/eq:objective-residuals]
        return residuals

    def on_samples(self, chosen: IntArray | slice) -> "Objective":
        """Return the objective of some of the samples: a mini-batch, until the next is made."""
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
