"""Terms: numbers that training makes small, as functions of the model.

`value_and_grad(model)` gives a term and its gradient, `residuals(model)` numbers whose
squares sum to it, `linearize(model)` the residuals with blocks of rows of their
Jacobian. The term of the data is a loss over samples. L1 and entropy (Liu et al. 2024,
eq. 2.20) are no sums of squares; they share its forward and its backward pass. The
terms of equations are those of `kan_ref.pde`.

The smoothness penalty is new here: it keeps splines without samples nearby from turning
sharply.

    (T9)  smoothness = sum over active spline edges and inner breakpoints p of
                       (h^k w_spline [k-th derivative of the spline at p])^2,
          h = (b - a)/G

where [...] is the jump. On uniform breakpoints the jumps are h^-k times the differences
of order k + 1 of coef, so a polynomial costs nothing. They are linear in coef:
least-squares optimizers take them as residuals beside the data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kan_ref import network as nets
from kan_ref.checks import FloatArray, IntArray
from kan_ref.network import Layer, Network
from kan_ref.numerics import (
    Block,
    NormalSums,
    RowSparse,
    column_squares,
    multiply_transposed,
    normal_sums,
)
from kan_ref.sparsity import Penalty, penalized_backward, penalty_value
from kan_ref.training.losses import Judged, Loss, mean_square_residuals

MOST_ENTRIES = 2**22  # of a Jacobian that is stored: 64 MiB with its columns
_CHUNK_ENTRIES = 2**19  # of a chunk of it, 8 MiB


@dataclass(eq=False)
class DataTerm:
    """A loss over samples x (n, n_in) with targets (n, n_out), and a penalty on edges.

    All models to come have the first grid of `model`: what their first layer computes
    of x is prepared once.
    """

    loss: Loss
    x: FloatArray
    targets: FloatArray
    model: Any
    penalty: Penalty | None = None
    workspaces: Sequence[Any] | None = None  # () for one evaluation alone
    # the model evaluated last, the outputs of its layers or the last one, its penalty
    last: tuple[Any, Sequence[FloatArray], float] = (None, (), 0.0)

    def __post_init__(self) -> None:
        if self.workspaces is None:
            self.workspaces = nets.new_workspaces(len(self.model.widths) - 1)

    @cached_property
    def inputs(self) -> Any:
        """What the first layer computes of x, for every theta the same."""
        return self.model.prepare(self.x, self.workspaces)

    def value_and_grad(self, model: Any) -> tuple[float, FloatArray]:
        """Compute loss and penalty, and their gradient."""
        flow, caches = model.run_flow(self.inputs, self.workspaces)
        value, dy = self.loss.value_and_grad(flow[-1], self.targets)
        if self.penalty is None:
            added, gradient = 0.0, model.run_backward(caches, dy)
        else:
            added, gradient = penalized_backward(
                model, self.x, caches, flow, dy, self.penalty
            )
        self.last = model, flow, added
        return value + added, gradient

    @property
    def is_stored(self) -> bool:
        """Whether the Jacobian is small enough to be stored as a whole."""
        return self.targets.size * row_entries(self.model) <= MOST_ENTRIES

    def residuals(self, model: Any) -> FloatArray:
        """Compute the residuals (T6)."""
        if self.is_stored:
            prediction = model.values(self.inputs)
        else:
            prediction = values_at(model, self.x)
        return mean_square_residuals(prediction, self.targets)

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their rows, of many rows J^T J and J^T r."""
        scale = 1.0 / np.sqrt(self.targets.size)
        if self.is_stored:
            flow, caches = model.run_flow(self.inputs)
            self.last = model, flow, 0.0
            residuals = mean_square_residuals(flow[-1], self.targets)
            return residuals, list(model.jacobian(caches, scale))

        matrix = np.zeros((model.n_params, model.n_params))
        half_gradient = np.zeros(model.n_params)
        prediction = np.empty_like(self.targets)
        for rows, outputs, caches in self._chunks(model):
            prediction[rows] = outputs
            residuals = scale * (outputs - self.targets[rows])
            jacobian = model.jacobian(caches, scale)
            sums = normal_sums(jacobian, residuals.reshape(-1))
            matrix += sums.matrix
            half_gradient += sums.half_gradient
        self.last = model, [prediction], 0.0
        residuals = mean_square_residuals(prediction, self.targets)
        return residuals, NormalSums(matrix, half_gradient)

    def column_squares(self, model: Any, scale: float) -> FloatArray:
        """Return sum_b (scale d prediction_b / d theta_p)^2 of (T15)."""
        squares = np.zeros(model.n_params)
        for _, _, caches in self._chunks(model):
            squares += column_squares(model.jacobian(caches, scale))
        return squares

    def _chunks(self, model: Any) -> Iterator[tuple[slice, FloatArray, Any]]:
        """Yield outputs and caches of few samples, whose rows of the Jacobian fit."""
        size = max(1, _CHUNK_ENTRIES // (row_entries(model) * self.targets.shape[1]))
        for rows in nets.sample_slices(len(self.x), size):
            flow, caches = model.run_flow(model.prepare(self.x[rows]))
            yield rows, flow[-1], caches

    def on_samples(self, rows: IntArray) -> "DataTerm":
        """Return the term on a mini-batch, to be used until the next one is made."""
        x, targets = self.x[rows], self.targets[rows]
        given = self.model, self.penalty, self.workspaces
        return DataTerm(self.loss, x, targets, *given)

    def judge(self, model: Any) -> tuple[float, Judged]:
        """Return the penalty, and what the loss says of the predictions without it."""
        if self.last[0] is not model:
            self.last = model, [values_at(model, self.x)], self._penalty(model)
        _, flow, penalty = self.last
        return penalty, self.loss.judge(flow[-1], self.targets)

    def known_flow(self, model: Any) -> Sequence[FloatArray] | None:
        """Return the outputs of the layers at all samples, None where unknown."""
        last, flow, _ = self.last
        is_known = last is model and len(flow) == len(model.widths) - 1
        return flow if is_known else None

    def _penalty(self, model: Any) -> float:
        if self.penalty is None:
            return 0.0
        flow, caches = model.run_flow(model.prepare(self.x))
        return penalty_value(model, self.x, caches, flow, self.penalty)


def row_entries(model: Any) -> int:
    """Return how many entries of a row of the Jacobian of predictions are stored."""
    if not isinstance(model, Network):
        return int(model.n_params)  # MLPs and LANs have dense rows
    entries = 0
    for layer in model.layers:
        entries += layer.n_out * layer.n_in * (layer.degree + 3)
        entries += 4 * len(layer.symbolic)
    return entries


def values_at(model: Any, x: FloatArray) -> FloatArray:
    """Compute outputs (n, n_out) at x (n, n_in), which is not checked, by chunks."""
    y = np.empty((len(x), model.widths[-1]))
    size = max(256, MOST_ENTRIES // model.n_params)
    for rows in nets.sample_slices(len(x), size):
        y[rows] = model.values(model.prepare(x[rows]))
    return y


class SmoothTerm:
    """`weight` times (T9), for networks with the knots of one."""

    def __init__(self, weight: float, network: Network) -> None:
        self.root = float(np.sqrt(weight))
        self.read_knots(network)

    def read_knots(self, network: Network) -> None:
        """Prepare weights of the jumps, by layer (n_in, n_intervals - 1, degree + 2).

        Jump p of an edge from input i is sum_q weights[i, p, q] w_spline coef[p + q].
        """
        self.weights = tuple(map(nets.layer_jump_weights, network.layers))

    def residuals(self, network: Network) -> FloatArray:
        """Compute sqrt(weight) times the jumps, by layer, [out, in, breakpoint].

        Notes
        -----
        Implements :eq:`smoothness`.
        """
        pieces: list[FloatArray] = []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            # [eq:smoothness]
            scale = self.root * layer.w_spline * layer.mask
            jumps = scale[:, :, None] * _jumps(layer, weights)
            # [/eq:smoothness]
            pieces.append(jumps.reshape(-1))
        return np.concatenate(pieces)

    def value_and_grad(self, network: Network) -> tuple[float, FloatArray]:
        """Compute the value r^T r and its gradient 2 J^T r, (n_params,)."""
        residuals, blocks = self.linearize(network)
        gradient = 2.0 * multiply_transposed(blocks, residuals)
        return float(residuals @ residuals), gradient

    def linearize(self, network: Network) -> tuple[FloatArray, list[Block]]:
        """Compute the residuals and their rows: a block per layer with breakpoints."""
        blocks: list[Block] = []
        start = 0  # of the layer in theta
        for layer, weights in zip(network.layers, self.weights, strict=True):
            n_out, n_in, n_basis = layer.coef.shape
            n_jumps, width = weights.shape[1:]
            if n_jumps:
                shape = (n_out, n_in, n_jumps, width + 1)
                columns, values = np.empty(shape, dtype=np.intp), np.empty(shape)
                # by coef
                edge = np.arange(n_out * n_in).reshape(n_out, n_in, 1)
                places = np.arange(n_jumps)[:, None] + np.arange(width)
                columns[..., :width] = start + n_basis * edge[..., None] + places
                scale = self.root * layer.w_spline * layer.mask
                values[..., :width] = scale[:, :, None, None] * weights
                # by w_spline
                columns[..., width] = start + layer.coef.size + layer.w_base.size + edge
                root = (self.root * layer.mask)[:, :, None]
                values[..., width] = root * _jumps(layer, weights)
                rows = (-1, width + 1)
                entries = columns.reshape(rows), values.reshape(rows)
                blocks.append(RowSparse(*entries, network.n_params))
            start += layer.n_params
        return self.residuals(network), blocks


def _jumps(layer: Layer, weights: FloatArray) -> FloatArray:
    """Compute the jumps of sum_m coef_m B_m, (n_out, n_in, n_intervals - 1)."""
    if not weights.shape[1]:
        return np.empty((*layer.w_spline.shape, 0))
    windowed = np.lib.stride_tricks.sliding_window_view
    windows = windowed(layer.coef, layer.degree + 2, axis=2)
    jumps: FloatArray = np.einsum("ipq,jipq->jip", weights, windows)
    return jumps
