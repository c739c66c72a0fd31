"""Penalties on the curves of a network that are added to a goal: on roughness, and on active edges.

The smoothness penalty keeps curves smooth where few samples determine them. A spline of degree k is
smooth except for the jumps of its k-th derivative at the breakpoints. With h = (b - a)/G and
s_ji = w_spline_ji sum_m coef_jim B_m, summed over the spline edges of all layers and the inner
breakpoints t_p that are not repeated,

    (T9)  smoothness = sum_ji sum_p ( h^k [s_ji^(k)(t_p + 0) - s_ji^(k)(t_p - 0)] )^2

On evenly spaced knots the bracket is h^-k times a (k+1)-th difference of neighbouring w_spline
coef. This is the P-spline penalty of Eilers & Marx (Statistical Science 11, 1996) with differences
of order k + 1, which is zero for a polynomial. `kan_ref.bspline.bases` gives the jumps on any
knots, as combinations of k + 2 coefficients. As residuals the jumps are linear in coef:
least-squares optimizers take them beside the data.

The L1 and entropy penalty on edges (Liu et al. 2024, eq. 2.20) is not a sum of squares:

    (T8)  value = goal + penalty_weight * (l1_weight * l1 + entropy_weight * entropy)

Loss and penalty share one forward and one backward pass where the goal is a loss over data.
"""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.network import Cache, Layer, Network, layer_jump_weights
from kan_ref.numerics import RowSparse
from kan_ref.sparsity import PenaltyWeights, penalized_backward, penalty_value
from kan_ref.training.goal import LastEvaluation, judge, rows_at_once


@dataclass(frozen=True, eq=False)
class Smoothness:
    """`weight` times (T9), for networks with given knots.

    `weights` has one array (n_in, n_intervals - 1, degree + 2) per layer: jump p of an edge is
    sum_q weights[i, p, q] * w_spline * coef[p + q].
    """

    weight: float
    weights: tuple[FloatArray, ...]

    @classmethod
    def of(cls, network: object, weight: float) -> "Smoothness":
        """Return the penalty for the knots of a network; TypeError if it is not a Network."""
        return cls(weight, tuple(map(layer_jump_weights, network_with_curves(network).layers)))

    def value(self, network: Network) -> float:
        """Compute the weighted penalty."""
        residuals = self.residuals(network)
        return float(np.vdot(residuals, residuals))

    def value_and_grad(self, network: Any) -> tuple[float, FloatArray]:
        """Compute the weighted penalty and its gradient (n_params,).

        Notes
        -----
        Implements :eq:`smoothness`.
        """
        value, pieces = 0.0, []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            scale = layer.w_spline * layer.mask
            # [eq:smoothness]
            unweighted = _jumps(layer, weights)
            jumps = scale[:, :, None] * unweighted
            value += float(np.vdot(jumps, jumps))
            d_jumps = 2.0 * jumps
            # [/eq:smoothness]
            d_coef = np.zeros(layer.coef.shape)
            n_jumps = weights.shape[1]
            for q in range(weights.shape[2]):
                d_coef[:, :, q : q + n_jumps] += scale[:, :, None] * d_jumps * weights[:, :, q]
            d_w_spline = layer.mask * (d_jumps * unweighted).sum(axis=2)
            nothing = np.zeros(layer.w_base.size), np.zeros(layer.affine.size)
            pieces += [d_coef.reshape(-1), nothing[0], d_w_spline.reshape(-1), nothing[1]]
        return self.weight * value, self.weight * np.concatenate(pieces)

    def residuals(self, network: Network) -> FloatArray:
        """Compute sqrt(weight) times the jumps of (T9): layer by layer, [out, in, breakpoint]."""
        pieces = []
        for layer, weights in zip(network.layers, self.weights, strict=True):
            scale = layer.w_spline * layer.mask
            pieces.append((scale[:, :, None] * _jumps(layer, weights)).reshape(-1))
        residuals: FloatArray = np.sqrt(self.weight) * np.concatenate(pieces)
        return residuals

    def jacobian(self, network: Network) -> list[RowSparse]:
        """Compute d residuals / d theta: one block per layer that has inner breakpoints."""
        blocks, start, root = [], 0, np.sqrt(self.weight)
        for layer, weights in zip(network.layers, self.weights, strict=True):
            n_out, n_in, n_basis = layer.coef.shape
            n_jumps, width = weights.shape[1:]
            edge = start + np.arange(n_out * n_in).reshape(n_out, n_in, 1, 1)
            if n_jumps:
                columns = np.empty((n_out, n_in, n_jumps, width + 1), dtype=np.intp)
                values = np.empty(columns.shape)
                places = np.arange(n_jumps)[:, None] + np.arange(width)
                columns[..., :width] = start + n_basis * (edge - start) + places
                columns[..., width] = layer.coef.size + layer.w_base.size + edge[..., 0]
                scale = (root * layer.w_spline * layer.mask)[:, :, None, None]
                values[..., :width] = scale * weights
                values[..., width] = (root * layer.mask)[:, :, None] * _jumps(layer, weights)
                rows = (-1, width + 1)
                blocks.append(
                    RowSparse(columns.reshape(rows), values.reshape(rows), network.n_params)
                )
            start += layer.n_params
        return blocks


def _jumps(layer: Layer, weights: FloatArray) -> FloatArray:
    """Compute the jumps of sum_m coef_m B_m, (n_out, n_in, n_intervals - 1)."""
    if not weights.shape[1]:
        return np.empty((*layer.w_spline.shape, 0))
    windows = np.lib.stride_tricks.sliding_window_view(layer.coef, layer.degree + 2, axis=2)
    jumps: FloatArray = np.einsum("ipq,jipq->jip", weights, windows)
    return jumps


def network_with_curves(model: object) -> Network:
    """Return `model` if it is a Network, whose edges have the curves of a penalty, else raise."""
    if not isinstance(model, Network):
        raise TypeError(
            f"network is {model!r}, but smoothness and penalties on edges need the curves of a "
            "Network"
        )
    return model


@dataclass(frozen=True, eq=False)
class PenalizedGoal:
    """(T8), with the penalties taken at x; `inputs` is what the network prepared of x.

    Without `inputs` the goal is the whole of which mini-batches are parts.
    """

    goal: Any
    weights: PenaltyWeights
    x: FloatArray
    inputs: Cache | None
    last: LastEvaluation = field(default_factory=LastEvaluation)

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
        judged: tuple[float, float, float] = judge(self.goal, model)
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
