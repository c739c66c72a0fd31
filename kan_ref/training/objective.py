"""The objective: the sum of terms, as a function of the trained parameters.

    (T7)  objective(theta) = loss(model_theta(x), y)
                             + penalty_weight * (l1_weight * l1
                                                 + entropy_weight * entropy)
                             + smoothness_weight * smoothness(model_theta)
                             + equations(model_theta)

(Liu et al. 2024, sections 2.5, 3 and 3.4.) The optimizer's variables z are the trained
part of theta, divided by scales. With J = d residuals / d theta on all samples (for
losses that are not sums of squares, of the predictions), for each parameter p of a
layer

    (T15)  d_p = sum_b J_bp^2
    (T16)  D_p = max(d_p, share * median)

where the median is that of the nonzero d of the layer, and D_p is this median for
parameters that influence no sample. Levenberg-Marquardt takes D with share 1 as the
metric of its damping (Marquardt, SIAM J. Appl. Math. 11, 1963). L-BFGS sees variables
z,

    (T17)  theta_p = s_p z_p,    s_p = D_p^(-1/2) up to a common factor

with the gradient s_p d value / d theta_p: an initial inverse Hessian D^-1. A unit step
in any z_p then changes the predictions by about as much as in any other. Neighbouring
coefficients have similar d, but a layer far from the outputs has a small one, and a
base weight on inputs around 300 one of size 10^5. D stays the same until the grids
change: with another D at every point, Levenberg-Marquardt ended in poor minima on
[4,4,2,1].

The share keeps coefficients that few samples determine from large steps. For z it is
n_params / n_rows, limited to 0.01 ... 1: with few samples for each parameter, more of
the coefficients are poorly determined. s_p is rounded to a power of two, so that theta
and z are converted without rounding errors, and their median is 1, so that first steps
are about as long as without scaling.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref import network as nets
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network import PARAMETER_ARRAYS, PARAMETER_NAMES, Model, Network
from kan_ref.numerics import (
    Block,
    NormalSums,
    column_squares,
    normal_sums,
    select_columns,
)
from kan_ref.sparsity import Penalty
from kan_ref.training.losses import LOSSES, Judged
from kan_ref.training.terms import DataTerm, SmoothTerm


@dataclass(eq=False)
class Objective:
    """The sum of terms as functions of z, for models with the shape and grids of one.

    `free` (n_params,) says which parameters are trained, None that all are; theta =
    `scale` z.
    """

    model: Any
    terms: Sequence[Any]
    free: BoolArray | None = None
    scale: FloatArray | None = None
    last: tuple[FloatArray | None, Any] = (None, None)

    def start(self) -> FloatArray:
        """Return the z of the model itself."""
        theta: FloatArray = self.model.theta
        if self.free is not None:
            theta = theta[self.free]
        return theta if self.scale is None else theta / self.scale

    def model_at(self, z: FloatArray) -> Any:
        """Return the model with the parameters of z; the last one is kept."""
        if self.last[0] is not z:
            theta = trained = z if self.scale is None else z * self.scale
            if self.free is not None:
                theta = self.model.theta.copy()
                theta[self.free] = trained
            self.last = z, self.model.replace_theta(theta)
        return self.last[1]

    def move(self, network: Network) -> FloatArray:
        """Take a network with other hidden grids, and return its z."""
        self.model, self.last = network, (None, None)
        for term in self.terms:
            if isinstance(term, SmoothTerm):
                term.read_knots(network)
        if self.scale is not None:
            self.scale = self.measured_scale()
        return self.start()

    def value_and_grad(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Compute the objective and its gradient, read-only."""
        model = self.model_at(z)
        # [eq:objective]
        value, gradient = self.terms[0].value_and_grad(model)
        for term in self.terms[1:]:
            more, d_more = term.value_and_grad(model)
            value, gradient = value + more, gradient + d_more
        # [/eq:objective]
        if self.free is not None:
            gradient = gradient[self.free]
        if self.scale is not None:
            gradient = gradient * self.scale
        gradient.flags.writeable = False  # so that an optimizer may keep it
        return value, gradient

    def residuals(self, z: FloatArray) -> FloatArray:
        """Compute residuals whose squares sum to the objective."""
        model = self.model_at(z)
        # [eq:objective-residuals]
        return np.concatenate([term.residuals(model) for term in self.terms])
        # [/eq:objective-residuals]

    def linearize(self, z: FloatArray) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their Jacobian, or its sums J^T J and J^T r.

        They are with respect to z without scales, as Levenberg-Marquardt has it.
        """
        model = self.model_at(z)
        parts = [term.linearize(model) for term in self.terms]
        residuals = np.concatenate([own for own, _ in parts])
        if any(isinstance(jacobian, NormalSums) for _, jacobian in parts):
            sums = [normal_sums(jacobian, own) for own, jacobian in parts]
            matrix = np.sum([one.matrix for one in sums], axis=0)
            half_gradient = np.sum([one.half_gradient for one in sums], axis=0)
            if self.free is not None:
                matrix = matrix[np.ix_(self.free, self.free)]
                half_gradient = half_gradient[self.free]
            return residuals, NormalSums(matrix, half_gradient)

        blocks: Any = []
        for _, jacobian in parts:
            blocks += jacobian
        if self.free is not None:
            blocks = select_columns(blocks, self.free)
        return residuals, blocks

    def in_scaled_variables(self) -> "Objective":
        """Return the objective as functions of the z of (T17)."""
        return replace(self, scale=self.measured_scale(), last=(None, None))

    def measured_scale(self) -> FloatArray:
        """Return the s of (T17), measured at the model.

        Notes
        -----
        Implements :eq:`scaled-variables`.
        """
        terms = [term for term in self.terms if not isinstance(term, SmoothTerm)]
        n_rows, squares = 0, np.zeros(self.model.n_params)
        for term in terms:
            if isinstance(term, DataTerm):
                n_own = term.targets.size
                factor = 1.0 if len(terms) == 1 else 1.0 / np.sqrt(n_own)
                squares += term.column_squares(self.model, factor)
            else:
                residuals, jacobian = term.linearize(self.model)
                n_own = residuals.size
                squares += column_squares(jacobian)
            n_rows += n_own
        if self.free is not None:
            squares = squares[self.free]
        share = float(np.clip(len(squares) / n_rows, 0.01, 1.0))
        metric = self.metric(share)(squares)
        # [eq:scaled-variables]
        doublings = np.round(-0.5 * np.log2(metric))
        doublings -= np.sort(doublings)[len(doublings) // 2]
        # [/eq:scaled-variables]
        return np.ldexp(1.0, doublings.astype(np.intc))

    def judge(self, model: Any, value: float) -> tuple[float, Judged]:
        """Return what penalties add to the value at a model, and loss, error, accuracy.

        These three are without the penalties.
        """
        first, *others = self.terms
        penalty, are_penalties = 0.0, True
        for term in others:
            if isinstance(term, SmoothTerm):
                residuals = term.residuals(model)
                penalty += float(residuals @ residuals)
            else:
                are_penalties = False
        if isinstance(first, DataTerm) and are_penalties:
            more, judged = first.judge(model)
            return penalty + more, judged
        loss = max(value - penalty, 0.0)
        return penalty, (loss, float(np.sqrt(loss)), np.nan)

    def metric(self, share: float) -> Callable[[FloatArray], FloatArray]:
        """Return the function from the d of (T15) to the diagonal of D of (T16)."""
        ends = np.cumsum(self.model.layer_sizes)
        if self.free is not None:
            ends = np.cumsum(self.free)[ends - 1]

        def layer_metric(squares: FloatArray) -> FloatArray:
            metric = np.ones(len(squares))
            for start, end in pairwise([0, *ends]):
                own = squares[start:end]
                support = (own > 0.0) & np.isfinite(own)
                if support.any():
                    # [eq:layer-metric]
                    median = np.median(own[support])
                    raised = np.maximum(own, share * median)
                    metric[start:end] = np.where(support, raised, median)
                    # [/eq:layer-metric]
            return metric

        return layer_metric


def trainable_places(model: Any, trainable: Sequence[str]) -> BoolArray | None:
    """Return (n_params,) flags of the named parts of theta; None for all of them."""
    names = checks.names("trainable", trainable)
    for name in names:
        checks.choice("trainable", name, PARAMETER_NAMES)
    if len(names) == len(PARAMETER_NAMES):
        return None
    if not isinstance(model, Network):
        rule = f"all parameters of {model!r} are trained together"
        checks.fail("trainable", names, rule)
    parts: list[BoolArray] = []
    for layer in model.layers:
        for name, array in PARAMETER_ARRAYS.items():
            parts.append(np.full(getattr(layer, array).size, name in names))
    places = np.concatenate(parts)
    if not places.any():
        checks.fail("trainable", names, f"must name parameters that {model!r} has")
    return None if places.all() else places


def read_penalty(network: Any, penalty: Any) -> Penalty | None:
    """Return the penalty of a weight or record, None where it adds nothing."""
    if penalty is not None and not isinstance(penalty, Penalty):
        penalty = Penalty(checks.number("penalty", penalty, low=0.0))
    if penalty is None or penalty.weight * (penalty.l1 + penalty.entropy) == 0.0:
        return None
    rule = "a Network, whose edges have a penalty"
    checks.instance("network", network, Network, rule)
    found: Penalty = penalty
    return found


@np.errstate(all="ignore")
def value_and_grad(
    network: Model,
    x: object,
    y: object,
    loss: str = "mse",
    *,
    penalty: float | Penalty | None = None,
    smoothness_weight: float = 0.0,
) -> tuple[float, FloatArray]:
    """Compute the objective of a model on a batch, and its gradient.

    Parameters
    ----------
    network : Network, MLP or LAN
    x : (batch, n_in)
    y : (batch, n_out), or (batch,) of int
        Numbers; 0 or 1 for "logistic"; class labels 0 .. n_out - 1 for "cross_entropy".
    loss : str
        "mse" (mean over all batch x n_out numbers), "cross_entropy" or "logistic" (in
        nats).
    penalty : float or Penalty, optional
        Weight of L1 and entropy of the edges (Liu et al. 2024, eq. 2.20), or a record
        of weights.
    smoothness_weight : float
        At least 0; weight of the smoothness penalty.

    Returns
    -------
    value : float
    gradient : (n_params,)
        In the order of `network.theta`.

    Notes
    -----
    Implements :eq:`objective`. About three forward passes; with a penalty, time and
    memory are in proportion to batch times edges.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> net = kr.init_network((2, 1), **grid, rng=rng)
    >>> value, gradient = value_and_grad(net, [[0.5, -0.5]], [[1.0]])
    >>> gradient.shape == net.theta.shape
    True
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    kind = LOSSES[checks.choice("loss", loss, LOSSES)]
    points = checks.samples("x", x, ("batch", network.widths[0]))
    targets = kind.read_targets("y", y, network.widths[-1])
    if len(points) != len(targets):
        raise ValueError(f"y has {len(targets)} rows, but x has {len(points)}")
    data = DataTerm(kind, points, targets, network, read_penalty(network, penalty), ())
    value, gradient = data.value_and_grad(network)
    if checks.number("smoothness_weight", smoothness_weight, low=0.0) > 0.0:
        rule = "a Network, which has curves"
        curves = checks.instance("network", network, Network, rule)
        added, d_added = SmoothTerm(smoothness_weight, curves).value_and_grad(curves)
        value, gradient = value + added, gradient + d_added
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        if isinstance(network, Network):
            inputs = nets.layer_inputs(network.layers, points)
            nets.check_derivatives(network.layers, inputs, np.asarray(value), gradient)
        raise ValueError(
            "x, y or theta are so large that the loss overflows: scale them to one"
        )
    return value, gradient
