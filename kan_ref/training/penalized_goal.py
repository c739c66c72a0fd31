"""A goal with an L1 and entropy penalty on the edges of a network (Liu et al. 2024, eq. 2.20).

    (T8)  value = goal + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)

It is not a sum of squares. Loss and penalty share one forward and one backward pass where the goal
is a loss over data.
"""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Cache, Network
from kan_ref.sparsity import PenaltyWeights, penalized_backward, penalty_value
from kan_ref.training.goal import LastEvaluation
from kan_ref.training.smoothness import network_with_curves
from kan_ref.training.values import rows_at_once


@dataclass(frozen=True, eq=False)
class PenalizedGoal:
    """(T8), with the penalties taken at x; `inputs` is what the network prepared of x.

    Without `inputs` the goal is the whole of which mini-batches are parts.
    """

    goal: Any
    weights: PenaltyWeights
    x: FloatArray
    inputs: Cache | None
    last: LastEvaluation = field(default_factory=LastEvaluation, repr=False)

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
        assert self.inputs is not None  # a whole without them is evaluated by its mini-batches
        flow, caches = model.run_flow(self.inputs)
        if hasattr(self.goal, "targets"):
            value, d_prediction = self.goal.loss.value_and_grad(flow[-1], self.goal.targets)
            self.goal.keep(model, flow, value)
            penalty, gradient = penalized_backward(
                model, self.x, caches, flow, d_prediction, self.weights
            )
            self.last.model, self.last.found = model, penalty
            return value + penalty, gradient
        value, gradient = self.goal.value_and_grad(model)
        nothing = np.zeros_like(flow[-1])
        penalty, d_penalty = penalized_backward(model, self.x, caches, flow, nothing, self.weights)
        self.last.model, self.last.found = model, penalty
        return value + penalty, gradient + d_penalty

    def penalty_value(self, model: Network) -> float:
        """Compute the penalty alone, on the samples evaluated last.

        Without an evaluation at this model, a whole of mini-batches takes it at evenly spread
        samples, as many as a chunk.
        """
        known = self.last.at(model)
        if known is not None:
            return float(known)
        x, inputs = self.x, self.inputs
        if inputs is None:
            x = x[:: -(-len(x) // rows_at_once(model, len(x)))]
            inputs = model.prepare(x)
        flow, caches = model.run_flow(inputs)
        return penalty_value(model, x, caches, flow, self.weights)

    def judge(self, model: Network) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy, without the penalty."""
        judged: tuple[float, float, float] = self.goal.judge(model)
        return judged

    def judge_all(self, model: Network) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy on all samples, without the penalty."""
        judged: tuple[float, float, float] = self.goal.judge_all(model)
        return judged

    def flow(self, model: Network) -> list[FloatArray] | None:
        """Return the outputs of every layer, on the samples evaluated last; None if none are."""
        if not hasattr(self.goal, "flow"):
            return None
        flow: list[FloatArray] | None = self.goal.flow(model)
        return flow

    def residuals(self, model: object) -> NoReturn:
        """Raise ValueError: (T8) is not a sum of squares, so it has no residuals."""
        raise ValueError(
            "with an L1 or entropy penalty the objective is not a sum of squares: it has no "
            "residuals"
        )

    linearize = residuals

    def on_samples(self, model: Network, chosen: Any) -> "PenalizedGoal":
        """Return the goal on some of the samples: a mini-batch."""
        part = self.goal.on_samples(model, chosen)
        return PenalizedGoal(part, self.weights, part.x, part.inputs, self.last)

    def __repr__(self) -> str:
        return f"{self.goal!r}, penalty {self.weights!r}"
