"""A goal with an L1 and entropy penalty on the edges of a network (Liu et al. 2024, eq. 2.20).

    (T8)  value = goal + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)

It is no sum of squares. Loss and penalty share one forward and one backward pass where the goal is
a loss over data.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Cache, Network
from kan_ref.sparsity import PenaltyWeights, penalized_backward, penalty_value
from kan_ref.training.smoothness import network_with_curves


@dataclass(frozen=True, eq=False)
class PenalizedGoal:
    """(T8), with the penalties taken at x; `inputs` is what the network prepared of x."""

    goal: Any
    weights: PenaltyWeights
    x: FloatArray
    inputs: Cache

    @classmethod
    def of(
        cls, model: object, goal: Any, weights: PenaltyWeights, points: FloatArray
    ) -> "PenalizedGoal":
        """Return the goal with penalties at its own samples, if it has any, or else at `points`."""
        network = network_with_curves(model)
        if hasattr(goal, "targets"):
            return cls(goal, weights, goal.x, goal.inputs)
        return cls(goal, weights, points, network.prepare(points))

    def value_and_grad(self, model: Network) -> tuple[float, FloatArray]:
        """Compute (T8) and its gradient with respect to theta."""
        flow, caches = model.run_flow(self.inputs)
        if hasattr(self.goal, "targets"):
            value, d_prediction = self.goal.loss.value_and_grad(flow[-1], self.goal.targets)
            penalty, gradient = penalized_backward(
                model, self.x, caches, flow, d_prediction, self.weights
            )
            return value + penalty, gradient
        value, gradient = self.goal.value_and_grad(model)
        nothing = np.zeros_like(flow[-1])
        penalty, d_penalty = penalized_backward(model, self.x, caches, flow, nothing, self.weights)
        return value + penalty, gradient + d_penalty

    def penalty_value(self, model: Network) -> float:
        """Compute the penalty alone."""
        flow, caches = model.run_flow(self.inputs)
        return penalty_value(model, self.x, caches, flow, self.weights)

    def judge(self, model: Network, prediction: FloatArray | None) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy, without the penalty."""
        judged: tuple[float, float, float] = self.goal.judge(model, prediction)
        return judged

    def residuals(self, model: object) -> NoReturn:
        """Raise ValueError: (T8) is no sum of squares, so it has no residuals."""
        raise ValueError(
            "with an L1 or entropy penalty the objective is no sum of squares: it has no residuals"
        )

    linearize = residuals

    def on_samples(self, model: Network, chosen: Any) -> "PenalizedGoal":
        """Return the goal on some of the samples: a mini-batch."""
        part = self.goal.on_samples(model, chosen)
        return PenalizedGoal(part, self.weights, part.x, part.inputs)

    def __repr__(self) -> str:
        return f"{self.goal!r}, penalty {self.weights!r}"
