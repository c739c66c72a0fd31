"""Terms of the objective: each a number to be made small, as a function of the model.

    (T7)  objective(theta) = loss(model_theta(x), y)
                             + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)
                             + smoothness_weight * smoothness(model_theta)
                             + equations(model_theta)

(Liu et al. 2024, sections 2.5, 3 and 3.4.) `value_and_grad(model)` gives a term and its gradient,
`residuals(model)` numbers whose squares sum to it, `linearize(model)` the residuals with blocks of
rows of their Jacobian. L1 and entropy (eq. 2.20) are no sums of squares; they share the forward and
the backward pass of the loss. The equations are terms of `kan_ref.pde`.

The smoothness penalty is new here: it keeps splines without samples nearby from turning sharply.

    (T9)  smoothness = sum over active spline edges and inner breakpoints p of
                       (h^k w_spline [k-th derivative of the spline at p])^2,   h = (b - a)/G

where [...] is the jump. On uniform breakpoints the jumps are h^-k times the differences of order
k + 1 of coef, so a polynomial costs nothing. They are linear in coef: least-squares optimizers take
them as residuals beside the data.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import (
    Layer,
    Network,
    layer_jump_weights,
    new_workspaces,
    sample_slices,
)
from kan_ref.numerics import Block, NormalSums, RowSparse, column_squares, normal_sums
from kan_ref.sparsity import Penalty, penalized_backward, penalty_value
from kan_ref.training.losses import Loss, mean_square_residuals

MOST_ENTRIES = 2**22  # of a Jacobian that is stored: 64 MiB with its columns
_CHUNK_ENTRIES = 2**19  # of a chunk of it, 8 MiB
_MOST_SQUARED = 2**26  # entries whose squares are added up for scaled variables, a second


class Term(Protocol):
    """A term of the objective that is a sum of squares."""

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute the value and its gradient (n_params,)."""

    def residuals(self, model: Any) -> FloatArray:
        """Compute residuals whose squares sum to the value."""

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their Jacobian, or its sums J^T J and J^T r."""


@dataclass(eq=False)
class DataTerm:
    """A loss over samples x (n, n_in) with targets (n, n_out), and the penalty on edges there.

    `model` has the grids of all models to come: what its first layer computes of x is prepared
    once. `last` keeps model, loss and penalty of the last evaluation.
    """

    loss: Loss
    x: FloatArray
    targets: FloatArray
    model: Any
    penalty: Penalty | None = None
    workspaces: list[Any] = field(default_factory=list)
    last: tuple[Any, FloatArray, float, float] | None = None

    @cached_property
    def inputs(self) -> Any:
        """What the first layer computes of x, for every theta the same."""
        self.workspaces = self.workspaces or new_workspaces(len(self.model.widths) - 1)
        return self.model.prepare(self.x, self.workspaces)

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute loss and penalty, and their gradient."""
        inputs = self.inputs
        flow, caches = model.run_flow(inputs, self.workspaces)
        value, dy = self.loss.value_and_grad(flow[-1], self.targets)
        if self.penalty is None:
            added, gradient = 0.0, model.run_backward(caches, dy)
        else:
            added, gradient = penalized_backward(model, self.x, caches, flow, dy, self.penalty)
        self.last = model, flow[-1], value, added
        return value + added, gradient

    @property
    def is_stored(self) -> bool:
        """Whether the Jacobian is small enough to be stored as a whole."""
        return self.targets.size * row_entries(self.model) <= MOST_ENTRIES

    def residuals(self, model: Any) -> FloatArray:
        """Compute the residuals (T6)."""
        prediction = model.values(self.inputs) if self.is_stored else values_at(model, self.x)
        return mean_square_residuals(prediction, self.targets)

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their rows, or by chunks of samples J^T J and J^T r."""
        scale = 1.0 / np.sqrt(self.targets.size)
        if self.is_stored:
            flow, caches = model.run_flow(self.inputs)
            residuals = mean_square_residuals(flow[-1], self.targets)
            self.last = model, flow[-1], float(residuals @ residuals), 0.0
            return residuals, list(model.jacobian(caches, scale))
        matrix, half = np.zeros((model.n_params, model.n_params)), np.zeros(model.n_params)
        prediction = np.empty_like(self.targets)
        for rows, flow, caches in self._chunks(model, _CHUNK_ENTRIES):
            prediction[rows] = flow[-1]
            part = scale * (flow[-1] - self.targets[rows])
            sums = normal_sums(model.jacobian(caches, scale), part.reshape(-1))
            matrix += sums.matrix
            half += sums.half_gradient
        return mean_square_residuals(prediction, self.targets), NormalSums(matrix, half)

    def column_squares(self, model: Any, scale: float) -> FloatArray:
        """Return sum_b (scale d prediction_b / d theta_p)^2 of (T15), at evenly spread samples.

        They are all samples, but where this took more than a second.
        """
        every = max(1, self.targets.size * row_entries(model) // _MOST_SQUARED)
        some = DataTerm(self.loss, self.x[::every], self.targets[::every], model)
        parts = some._chunks(model, MOST_ENTRIES)
        squares = [column_squares(model.jacobian(caches, scale)) for *_, caches in parts]
        return np.asarray(np.sum(squares, axis=0))

    def _chunks(self, model: Any, n_entries: int) -> Iterator[tuple[slice, Any, Any]]:
        """Yield flow and caches of chunks of samples whose rows have about `n_entries`."""
        size = max(1, n_entries // (row_entries(model) * self.targets.shape[1]))
        for rows in sample_slices(len(self.x), size):
            yield rows, *model.run_flow(model.prepare(self.x[rows]))

    def on_samples(self, rows: IntArray) -> "DataTerm":
        """Return the term on some of the samples: a mini-batch, until the next one is made."""
        self.workspaces = self.workspaces or new_workspaces(len(self.model.widths) - 1)
        own = self.x[rows], self.targets[rows]
        return DataTerm(self.loss, *own, self.model, self.penalty, self.workspaces)

    def judge(self, model: Any) -> tuple[float, float, float]:
        """Return loss, root mean square error and accuracy, without the penalty."""
        known = self.last is not None and self.last[0] is model
        prediction = self.last[1] if known and self.last else values_at(model, self.x)
        return self.loss.judge(prediction, self.targets)

    def added(self, model: Any) -> float:
        """Return the penalty."""
        if self.penalty is None:
            return 0.0
        if self.last is None or self.last[0] is not model:
            flow, caches = model.run_flow(model.prepare(self.x))
            return penalty_value(model, self.x, caches, flow, self.penalty)
        return self.last[3]


def row_entries(model: Any) -> int:
    """Return how many entries of a row of the Jacobian of predictions are stored."""
    if not isinstance(model, Network):
        return int(model.n_params)  # MLPs and LANs have dense rows
    return sum(
        layer.n_out * layer.n_in * (layer.degree + 3) + 4 * len(layer.symbolic)
        for layer in model.layers
    )


def values_at(model: Any, x: FloatArray) -> FloatArray:
    """Compute outputs (n, n_out) at x (n, n_in), which is not checked, by chunks of samples."""
    slices = sample_slices(len(x), max(256, MOST_ENTRIES // model.n_params))
    parts = [model.values(model.prepare(x[rows])) for rows in slices]
    return np.concatenate(parts) if parts else np.empty((0, model.widths[-1]))


class SmoothTerm:
    """`weight` times (T9), for networks with the knots of one."""

    def __init__(self, weight: float, network: Network) -> None:
        self.root = float(np.sqrt(weight))
        # of each layer (n_in, n_intervals - 1, degree + 2): jump p of an edge is
        # sum_q weights[i, p, q] * w_spline * coef[p + q]
        self.weights = tuple(map(layer_jump_weights, network.layers))

    def residuals(self, network: Network) -> FloatArray:
        """Compute sqrt(weight) times the jumps of (T9): layer by layer, [out, in, breakpoint]."""
        pieces = [
            ((layer.w_spline * layer.mask)[:, :, None] * _jumps(layer, weights)).reshape(-1)
            for layer, weights in zip(network.layers, self.weights, strict=True)
        ]
        residuals: FloatArray = self.root * np.concatenate(pieces)
        return residuals

    def added(self, network: Network) -> float:
        """Return the value."""
        residuals = self.residuals(network)
        return float(residuals @ residuals)

    def value_and_grad(self, network: Network) -> tuple[float, FloatArray]:
        """Compute the value and its gradient (n_params,).

        Notes
        -----
        Implements :eq:`smoothness`.
        """
        value, pieces = 0.0, []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            scale = layer.w_spline * layer.mask
            # [eq:smoothness]
            unweighted = _jumps(layer, weights)
            jumps = self.root * scale[:, :, None] * unweighted
            value += float(np.vdot(jumps, jumps))
            d_jumps = 2.0 * self.root * jumps
            # [/eq:smoothness]
            d_coef, n_jumps = np.zeros(layer.coef.shape), weights.shape[1]
            for q in range(weights.shape[2]):
                d_coef[:, :, q : q + n_jumps] += scale[:, :, None] * d_jumps * weights[:, :, q]
            d_w_spline = layer.mask * (d_jumps * unweighted).sum(axis=2)
            nothing = np.zeros(layer.w_base.size), np.zeros(layer.affine.size)
            pieces += [d_coef.reshape(-1), nothing[0], d_w_spline.reshape(-1), nothing[1]]
        return value, np.concatenate(pieces)

    def linearize(self, network: Network) -> tuple[FloatArray, list[Block]]:
        """Compute the residuals and their rows: one block per layer with inner breakpoints."""
        blocks: list[Block] = []
        start = 0
        for layer, weights in zip(network.layers, self.weights, strict=True):
            n_out, n_in, n_basis = layer.coef.shape
            n_jumps, width = weights.shape[1:]
            if n_jumps:
                edge = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
                columns = np.empty((n_out, n_in, n_jumps, width + 1), dtype=np.intp)
                values = np.empty(columns.shape)
                places = np.arange(n_jumps)[:, None] + np.arange(width)
                columns[..., :width] = start + n_basis * edge[..., None] + places
                columns[..., width] = start + layer.coef.size + layer.w_base.size + edge
                scale = (self.root * layer.w_spline * layer.mask)[:, :, None, None]
                values[..., :width] = scale * weights
                values[..., width] = (self.root * layer.mask)[:, :, None] * _jumps(layer, weights)
                rows = (-1, width + 1)
                blocks.append(
                    RowSparse(columns.reshape(rows), values.reshape(rows), network.n_params)
                )
            start += layer.n_params
        return self.residuals(network), blocks


def _jumps(layer: Layer, weights: FloatArray) -> FloatArray:
    """Compute the jumps of sum_m coef_m B_m, (n_out, n_in, n_intervals - 1)."""
    if not weights.shape[1]:
        return np.empty((*layer.w_spline.shape, 0))
    windows = np.lib.stride_tricks.sliding_window_view(layer.coef, layer.degree + 2, axis=2)
    jumps: FloatArray = np.einsum("ipq,jipq->jip", weights, windows)
    return jumps
