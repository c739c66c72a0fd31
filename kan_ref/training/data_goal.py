"""A loss over data as a goal of training, and the mean squared error.

    (T4)  mse = (1/n) sum_bj (prediction_bj - y_bj)^2,    n = batch * n_out
    (T5)  d_prediction = (2/n) (prediction - y)
    (T6)  residuals r = (prediction - y) / sqrt(n),       so that mse = r @ r

(Liu et al. 2024, section 3.) Every `*_rmse` is the root of (T4).

The basis functions of the first layer depend on x and its knots alone. `DataGoal.prepare` evaluates
them once, for a batch that is used at every step. Without them the goal evaluates its samples by
chunks: its memory does not grow with the number of samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, IntArray, check_columns
from kan_ref.network import Network, new_workspaces
from kan_ref.numerics import Block, NormalSums, Operator, StoredOperator
from kan_ref.training.class_losses import Loss
from kan_ref.training.goal import LastEvaluation
from kan_ref.training.matrix_free import DataOperator, sums_by_chunks
from kan_ref.training.values import values_at


def mean_squared_error(prediction: FloatArray, y: FloatArray) -> tuple[float, FloatArray]:
    """Compute the mean squared error (T4) and its gradient (T5), (batch, n_out).

    Examples
    --------
    >>> import numpy as np
    >>> loss, d_prediction = mean_squared_error(np.array([[1.0], [4.0]]), np.array([[0.0], [2.0]]))
    >>> loss, d_prediction.tolist()
    (2.5, [[1.0], [2.0]])
    """
    # [eq:mean-squared-error]
    difference = prediction - y
    loss = float(np.vdot(difference, difference)) / difference.size
    d_prediction = (2.0 / difference.size) * difference
    # [/eq:mean-squared-error]
    return loss, d_prediction


def mean_square_residuals(prediction: FloatArray, y: FloatArray) -> FloatArray:
    """Compute residuals (T6) as a flat vector, samples first: entry b * n_out + j."""
    # [eq:mean-square-residuals]
    residuals: FloatArray = (prediction - y).reshape(-1) / np.sqrt(prediction.size)
    # [/eq:mean-square-residuals]
    return residuals


MSE = Loss("mse", mean_squared_error, check_columns, mean_square_residuals)


@dataclass(frozen=True, eq=False)
class DataGoal:
    """The loss of a model's predictions on a batch x (batch, n_in) with targets (batch, n_out).

    `inputs` is what the model prepared of x; without it the goal works by chunks of samples, as a
    test set or as the whole of which mini-batches are parts.
    """

    loss: Loss
    x: FloatArray
    targets: FloatArray
    inputs: Any = None
    last: LastEvaluation = field(default_factory=LastEvaluation, repr=False)
    # memory of hidden layers, which every call uses again
    workspaces: list[Any] = field(default_factory=list, repr=False)

    @property
    def points(self) -> FloatArray:
        """The points (n, n_in) that hidden grids follow: x."""
        return self.x

    def prepare(self, model: Any) -> "DataGoal":
        """Return the goal for models with this first layer."""
        return replace(self, inputs=model.prepare(self.x), last=LastEvaluation(), workspaces=[])

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute the loss and its gradient with respect to theta."""
        prediction, caches = self._run_forward(model, self._reused(model))
        value, d_prediction = self.loss.value_and_grad(prediction, self.targets)
        self.keep(model, self.last.found[0], value)
        return value, model.run_backward(caches, d_prediction)

    def residuals(self, model: Any) -> FloatArray:
        """Compute residuals whose squares sum to the loss; ValueError where there are none."""
        return self._residuals(self._flow(model)[-1])

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their Jacobian with respect to theta.

        By chunks of samples its sums J^T J and J^T r take its place.
        """
        if self.inputs is None:
            residuals, sums = sums_by_chunks(self, model)
            return residuals, sums
        prediction, caches = self._run_forward(model)
        rows = model.jacobian(caches, 1.0 / np.sqrt(self.targets.size))
        return self._residuals(prediction), list(rows)

    def operator(self, model: Any) -> tuple[FloatArray, Operator]:
        """Compute the residuals, and their Jacobian as an operator."""
        scale = 1.0 / np.sqrt(self.targets.size)
        if isinstance(model, Network):
            return self.residuals(model), DataOperator(model, self.x, scale)
        prediction, caches = self._run_forward(model)
        return self._residuals(prediction), StoredOperator(list(model.jacobian(caches, scale)))

    def _reused(self, model: Any) -> list[Any]:
        """Return the workspaces of the hidden layers."""
        if isinstance(model, Network) and not self.workspaces:
            self.workspaces.extend(new_workspaces(len(model.layers) - 1))
        return self.workspaces

    def _run_forward(self, model: Any, workspaces: Sequence[Any] = ()) -> tuple[FloatArray, Any]:
        """Run the model forward, and keep what it computed at every layer."""
        if isinstance(model, Network):
            flow, caches = model.run_flow(self.inputs, workspaces)
        else:
            prediction, caches = model.run_forward(self.inputs)
            flow = [prediction]
        self.keep(model, flow)
        return flow[-1], caches

    def _flow(self, model: Any) -> list[FloatArray]:
        """Compute the outputs, and for a network those of every layer, and keep them."""
        if self.inputs is None:
            flow = [values_at(model, self.x)]
        elif isinstance(model, Network):
            flow = model.flow(self.inputs, self._reused(model))
        else:
            flow = [model.values(self.inputs)]
        self.keep(model, flow)
        return flow

    def keep(self, model: Any, flow: list[FloatArray], value: float | None = None) -> None:
        """Keep the outputs of the layers for `flow` and `judge`, and the loss if it is known."""
        self.last.keep(model, (flow, self.targets, value))

    def flow(self, model: Any) -> list[FloatArray] | None:
        """Return the outputs of every layer of a network, on the samples evaluated last.

        None if the goal works by chunks, in which hidden layers are not kept.
        """
        found = self.last.at(model)
        if found is None and self.inputs is not None:
            return self._flow(model)
        flow: list[FloatArray] = [] if found is None else found[0]
        return flow if len(flow) == len(model.layers) else None

    def _residuals(self, prediction: FloatArray) -> FloatArray:
        if self.loss.residuals is None:
            raise ValueError(
                f"loss {self.loss.name!r} is not a sum of squares: it has no residuals"
            )
        return self.loss.residuals(prediction, self.targets)

    def judge(self, model: Any) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy, on the samples evaluated last.

        These are those of a mini-batch if that was the last evaluation at these parameters.
        """
        found = self.last.at(model)
        if found is None:
            return self.judge_all(model)
        flow, targets, value = found
        return self._judged(flow[-1], targets, value)

    def judge_all(self, model: Any) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy on all samples."""
        return self._judged(self._flow(model)[-1], self.targets)

    def _judged(
        self, y: FloatArray, targets: FloatArray, value: float | None = None
    ) -> tuple[float, float, float]:
        if value is None:
            value = self.loss.value_and_grad(y, targets)[0]
        if self.loss.probabilities is None or self.loss.hits is None:
            return value, math.sqrt(value), np.nan
        error = mean_squared_error(self.loss.probabilities(y), targets)[0]
        return value, float(np.sqrt(error)), float(self.loss.hits(y, targets).mean())

    def on_samples(self, model: Any, chosen: IntArray | slice) -> "DataGoal":
        """Return the goal on some of the samples: a mini-batch, or a chunk."""
        x = self.x[chosen]
        inputs = model.prepare(x)
        return DataGoal(self.loss, x, self.targets[chosen], inputs, self.last, self.workspaces)

    def __repr__(self) -> str:
        return f"{self.loss.name}, {len(self.x)} samples"
