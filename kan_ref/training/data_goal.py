"""Losses over data: the mean squared error, value and gradient of a batch, the goal of training.

    (T4)  mse = (1/n) sum_bj (prediction_bj - y_bj)^2,    n = batch * n_out
    (T5)  d_prediction = (2/n) (prediction - y)
    (T6)  residuals r = (prediction - y) / sqrt(n),       so that mse = r @ r

(Liu et al. 2024, section 3.) Every `*_rmse` is the root of (T4).

The basis functions of the first layer depend on x and its knots alone. `DataGoal.prepare` evaluates
them once, for a batch that is used at every step. Without them the goal evaluates its samples by
chunks: its memory does not grow with the number of samples.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import (
    Layer,
    Network,
    check_derivatives,
    layer_inputs,
    new_workspaces,
    sample_slices,
)
from kan_ref.numerics import Block, Jacobian, NormalSums, sum_chunks
from kan_ref.sparsity import PENALTY_NAMES, Penalty, penalized_backward
from kan_ref.training.class_losses import CROSS_ENTROPY, LOGISTIC, Loss, check_columns
from kan_ref.training.goal import LastEvaluation, Model, values_at
from kan_ref.training.penalties import Smoothness, network_with_curves


def mean_squared_error(prediction: FloatArray, y: FloatArray) -> tuple[float, FloatArray]:
    """Compute the mean squared error (T4) and its gradient (T5), (batch, n_out)."""
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
LOSSES = {loss.name: loss for loss in (MSE, CROSS_ENTROPY, LOGISTIC)}
_CHUNK_ENTRIES = 2**17  # of the row-sparse Jacobian of a chunk, 1 MiB of values
MOST_ENTRIES = 2**22  # of a row-sparse Jacobian that is stored: 64 MiB


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
    last: LastEvaluation = field(default_factory=LastEvaluation)
    # memory of all layers; without `inputs` that of the parts, of which one is used at a time
    workspaces: list[Any] = field(default_factory=list)

    @property
    def points(self) -> FloatArray:
        """The points (n, n_in) that hidden grids follow: x."""
        return self.x

    def prepare(self, model: Any) -> "DataGoal":
        """Return the goal for models with this first layer."""
        memory = new_workspaces(len(model.widths) - 1)
        inputs = model.prepare(self.x, memory)
        return replace(self, inputs=inputs, last=LastEvaluation(), workspaces=memory)

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute the loss and its gradient with respect to theta."""
        flow, caches = model.run_flow(self.inputs, self.workspaces)
        value, d_prediction = self.loss.value_and_grad(flow[-1], self.targets)
        self.keep(model, flow, value)
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
        flow, caches = model.run_flow(self.inputs)
        self.keep(model, flow)
        rows = model.jacobian(caches, 1.0 / np.sqrt(self.targets.size))
        return self._residuals(flow[-1]), list(rows)

    def _flow(self, model: Any) -> list[FloatArray]:
        """Compute the outputs, and for a network those of every layer, and keep them."""
        if self.inputs is None:
            flow = [values_at(model, self.x)]
        elif isinstance(model, Network):
            flow = model.flow(self.inputs, self.workspaces)
        else:
            flow = [model.values(self.inputs)]
        self.keep(model, flow)
        return flow

    def keep(self, model: Any, flow: list[FloatArray], value: float | None = None) -> None:
        """Keep the outputs of the layers for `flow` and `judge`, and the loss if it is known."""
        self.last.model, self.last.found = model, (flow, self.targets, value)

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
        if self.last.model is not model and self.last.at(model) is None:
            self._flow(model)
        flow, targets, value = self.last.found
        if value is None:
            value = self.loss.value_and_grad(flow[-1], targets)[0]
        if self.loss.probabilities is None or self.loss.hits is None:
            return value, math.sqrt(value), np.nan
        error = mean_squared_error(self.loss.probabilities(flow[-1]), targets)[0]
        return value, float(np.sqrt(error)), float(self.loss.hits(flow[-1], targets).mean())

    def judge_all(self, model: Any) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy on all samples."""
        self._flow(model)
        return self.judge(model)

    def on_samples(self, model: Any, chosen: IntArray | slice) -> "DataGoal":
        """Return the goal on some of the samples: a mini-batch, or a chunk.

        It lasts until the next one is made, which takes the same memory.
        """
        x = self.x[chosen]
        memory = self.workspaces if self.inputs is None else []
        if not memory:
            memory.extend(new_workspaces(len(model.widths) - 1))
        inputs = model.prepare(x, memory)
        return DataGoal(self.loss, x, self.targets[chosen], inputs, self.last, memory)

    def __repr__(self) -> str:
        return f"{self.loss.name}, {len(self.x)} samples"


def row_entries(model: Any) -> int:
    """Return how many entries of a row of the Jacobian of predictions are stored."""
    if not isinstance(model, Network):
        return int(model.n_params)  # MLPs and LANs have dense rows
    return sum(
        layer.n_out * layer.n_in * (layer.degree + 3) + 4 * len(layer.symbolic)
        for layer in model.layers
    )


def sums_by_chunks(goal: DataGoal, model: Any) -> tuple[FloatArray, NormalSums]:
    """Compute the residuals of a loss over data, with J^T J and J^T r of `NormalSums`.

    The goal has many samples and is not prepared. Memory: that of a chunk, and the residuals.
    """
    n_samples, n_out = goal.targets.shape
    n_rows, order = _CHUNK_ENTRIES // row_entries(model), np.arange(n_samples)
    if isinstance(model, Network):
        order = order_by_cells(model.layers[0], goal.x)
    else:
        n_rows = max(n_rows, model.n_params)  # with fewer, adding up J^T J takes most of the time
    size = max(1, n_rows // n_out)
    every = np.empty((n_samples, n_out))
    root = np.sqrt(goal.targets.size)

    def parts() -> Iterator[tuple[Jacobian, FloatArray]]:
        for part in sample_slices(n_samples, size):
            rows = order[part]
            flow, caches = model.run_flow(model.prepare(goal.x[rows]))
            every[rows] = (flow[-1] - goal.targets[rows]) / root
            yield model.jacobian(caches, 1.0 / root), every[rows].reshape(-1)

    sums = sum_chunks(parts(), model.n_params)
    return every.reshape(-1), sums


def order_by_cells(layer: Layer, x: FloatArray) -> IntArray:
    """Return an order of the samples by cells of the first layer's grid, in two of its inputs.

    Samples of one cell have the same nonzero basis functions, so a chunk has few columns.
    """
    cells = [
        np.searchsorted(breakpoints, column)
        for breakpoints, column in zip(layer.breakpoints[:2], x.T[:2], strict=True)
    ]
    return np.lexsort(cells[::-1])


def check_model(name: str, value: object) -> Model:
    """Return `value` if it is a model, else raise TypeError."""
    if isinstance(value, type) or not isinstance(value, Model):
        raise TypeError(f"{name} is {checks.shown(value)}, but must be a Network, an MLP or a LAN")
    return value


def check_penalty(
    penalty: object, penalty_weight: object, l1_weight: object, entropy_weight: object
) -> Penalty | None:
    """Return lambda, mu_1, mu_2 and the kind of penalty, checked; None where they add nothing."""
    kind = checks.choice("penalty", penalty, PENALTY_NAMES)
    weight = checks.number("penalty_weight", penalty_weight, low=0.0)
    l1 = checks.number("l1_weight", l1_weight, low=0.0)
    entropy = checks.number("entropy_weight", entropy_weight, low=0.0)
    return Penalty(weight, l1, entropy, kind) if weight * (l1 + entropy) > 0.0 else None


def check_batch(
    model: Model, x: object, y: object, names: tuple[str, str] = ("x", "y"), loss: str = "mse"
) -> DataGoal:
    """Return the goal of a batch x (batch, n_in) with targets y; ValueError where they differ."""
    kind = LOSSES[checks.choice("loss", loss, tuple(LOSSES))]
    points = checks.array(names[0], x, ("batch", model.widths[0]))
    targets = kind.check_targets(names[1], y, model.widths[-1])
    if len(points) != len(targets):
        raise ValueError(f"{names[1]} has {len(targets)} rows, but {names[0]} has {len(points)}")
    if len(points) == 0:
        raise ValueError(f"{names[0]} has no rows, but a loss needs at least one sample")
    return DataGoal(kind, points, targets)


def check_test(model: Model, data: Any, loss: str = "mse") -> DataGoal | None:
    """Return the goal of the test samples of `data`, None where there are none."""
    names = ("x_test", "y_test")
    x, y = (getattr(data, name) for name in names)
    if not any(checks.rectangular(*pair).size for pair in zip(names, (x, y), strict=True)):
        return None
    return check_batch(model, x, y, names, loss)


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
        Which l1 and entropy: "paper" or "pykan"; see `sparsity.penalties`.
    smoothness_weight : float
        At least 0; weight of the smoothness penalty of `training.penalties`.

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
    Implements :eq:`objective`. About three forward passes. With a penalty, time is
    in proportion to batch times edges, and memory two to four arrays of batch x n_out x n_in for
    the largest layer: about 20 forward passes and 1 GiB for [784, 64, 10] and 1000 samples.
    """
    goal = check_batch(check_model("network", network), x, y, loss=loss)
    weights = check_penalty(penalty, penalty_weight, l1_weight, entropy_weight)
    smoothness_weight = checks.number("smoothness_weight", smoothness_weight, low=0.0)
    flow, caches = network.run_flow(network.prepare(goal.x))
    value, d_prediction = goal.loss.value_and_grad(flow[-1], goal.targets)
    if weights is None:
        gradient = network.run_backward(caches, d_prediction)
    else:
        curves = network_with_curves(network)
        added, gradient = penalized_backward(curves, goal.x, caches, flow, d_prediction, weights)
        value += added
    if smoothness_weight > 0.0:
        added, d_added = Smoothness.of(network, smoothness_weight).value_and_grad(network)
        value, gradient = value + added, gradient + d_added
    if not (math.isfinite(value) and np.isfinite(gradient).all()):
        if isinstance(network, Network):
            inputs = layer_inputs(network.layers, goal.x)
            check_derivatives(network.layers, inputs, np.asarray(value), gradient)
        raise ValueError(
            "x, y or the parameters are so large that the loss or its gradient lies beyond "
            "float64: scale them to size one"
        )
    return value, gradient
