"""What training makes small: losses, terms, and their sum as a function of trained
parameters.

Losses. With n = batch * n_out numbers, the mean squared error of predictions z_bj (Liu
et al. 2024, section 3) is

    (T4)  mse = (1/n) sum_bj (z_bj - y_bj)^2
    (T5)  d_prediction = (2/n) (z - y)
    (T6)  residuals r = (z - y) / sqrt(n),    so that mse = r @ r

With one logit z_bj per class and labels c_b (Bishop, Pattern Recognition and Machine
Learning, section 4.3.4), and p = softmax(z) along j,

    (T1)  cross entropy = -(1/batch) sum_b log p_b,c_b,
          log p_bj = z_bj - m_b - log sum_i exp(z_bi - m_b),   m_b = max_j z_bj
    (T2)  d_prediction = (p - onehot(c)) / batch

and for independent yes-no answers y in {0, 1}, with the sigmoid s,

    (T3)  logistic = (1/n) sum_bj max(z, 0) - z y + log(1 + exp(-|z|))
          d_prediction = (s(z) - y) / n

Neither exponential can overflow: every exponent is at most 0. The probabilities are

    (T31)  p = softmax(z)              "cross_entropy": one class for each output, rows sum to 1
           p = s(z)                    "logistic": the answer is 1, for each output by itself

Terms. Each is a number to be made small, as a function of the model; the objective is
their sum:

    (T7)  objective(theta) = loss(model_theta(x), y)
                             + penalty_weight * (l1_weight * l1 + entropy_weight *
                             entropy) + smoothness_weight * smoothness(model_theta) +
                             equations(model_theta)

(Liu et al. 2024, sections 2.5, 3 and 3.4.) `value_and_grad(model)` gives a term and its
gradient, `residuals(model)` numbers whose squares sum to it, `linearize(model)` the
residuals with blocks of rows of their Jacobian. L1 and entropy (eq. 2.20) are no sums
of squares; they share the forward and the backward pass of the loss. The equations are
terms of `kan_ref.pde`.

The smoothness penalty is new here: it keeps splines without samples nearby from turning
sharply.

    (T9)  smoothness = sum over active spline edges and inner breakpoints p of
                       (h^k w_spline [k-th derivative of the spline at p])^2,   h = (b - a)/G

where [...] is the jump. On uniform breakpoints the jumps are h^-k times the differences
of order k + 1 of coef, so a polynomial costs nothing. They are linear in coef:
least-squares optimizers take them as residuals beside the data.

Variables. The optimizer's variables z are the trained part of theta, divided by scales.
With J = d residuals / d theta on all samples (for losses that are not sums of squares,
of the predictions), for each parameter p of a layer

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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref import network as nets
from kan_ref.checks import BoolArray, FloatArray, IntArray
from kan_ref.network import PARAMETER_ARRAYS, PARAMETER_NAMES, Layer, Model, Network
from kan_ref.numerics import (
    Block,
    NormalSums,
    RowSparse,
    column_squares,
    normal_sums,
    select_columns,
)
from kan_ref.sparsity import Penalty, penalized_backward, penalty_value

MOST_ENTRIES = 2**22  # of a Jacobian that is stored: 64 MiB with its columns
_CHUNK_ENTRIES = 2**19  # of a chunk of it, 8 MiB


# --- losses


def mean_squared_error(
    prediction: FloatArray, y: FloatArray
) -> tuple[float, FloatArray]:
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


def cross_entropy(
    prediction: FloatArray, onehot: FloatArray
) -> tuple[float, FloatArray]:
    """Compute the cross entropy (T1) of logits (batch, n_classes) in nats, and its
    gradient (T2).

    `onehot` is 1 at the label's column, else 0.
    """
    # [eq:cross-entropy]
    shifted = prediction - prediction.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    loss = float((onehot * (np.log(total) - shifted)).sum()) / len(prediction)
    d_prediction = (exponentials / total - onehot) / len(prediction)
    # [/eq:cross-entropy]
    return loss, d_prediction


def logistic(prediction: FloatArray, y: FloatArray) -> tuple[float, FloatArray]:
    """Compute the logistic loss (T3) of logits (batch, n_out) in nats, and its
    gradient.
    """
    # [eq:logistic]
    u = np.exp(-np.abs(prediction))
    losses = np.maximum(prediction, 0.0) - prediction * y + np.log1p(u)
    loss = float(losses.sum()) / prediction.size
    d_prediction = (sigmoid(prediction) - y) / prediction.size
    # [/eq:logistic]
    return loss, d_prediction


def softmax(logits: FloatArray) -> FloatArray:
    """Compute probabilities exp(z_bj) / sum_i exp(z_bi), (batch, n_classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: FloatArray) -> FloatArray:
    """Compute 1 / (1 + exp(-z)) without an overflow."""
    u = np.exp(-np.abs(logits))
    probabilities: FloatArray = np.where(logits >= 0.0, 1.0, u) / (1.0 + u)
    return probabilities


# --- a loss by name


Judged = tuple[
    float, float, float
]  # loss, root mean square error, accuracy (nan if none)


@dataclass(frozen=True)
class Loss:
    """A loss: value and gradient, targets (batch, n_out) of what a user gives, and
    judgements.

    `probabilities` of predictions are what `*_rmse` compares with targets, and `right`
    marks right answers: None without classes.
    """

    name: str
    value_and_grad: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]
    read_targets: Callable[[str, object, int], FloatArray]
    probabilities: Callable[[FloatArray], FloatArray] | None = None
    right: Callable[[FloatArray, FloatArray], FloatArray] | None = None

    def judge(self, prediction: FloatArray, y: FloatArray) -> Judged:
        """Return loss, root mean square error, and the share of right answers (nan if
        none).
        """
        loss = self.value_and_grad(prediction, y)[0]
        if self.probabilities is None or self.right is None:
            return loss, float(np.sqrt(loss)), np.nan
        error = mean_squared_error(self.probabilities(prediction), y)[0]
        return loss, float(np.sqrt(error)), float(self.right(prediction, y).mean())


def read_numbers(name: str, y: object, n_out: int) -> FloatArray:
    """Return targets y (batch, n_out); for labels the error names the loss that takes
    them.
    """
    shape = checks.rectangular(name, y).shape
    if len(shape) == 1:
        raise ValueError(
            f"{name} has shape {shape}, but needs (batch, n_out): give {name}[:, None], or "
            "loss='cross_entropy' for class labels"
        )
    return checks.array(name, y, ("batch", n_out))


def read_labels(name: str, y: object, n_out: int) -> FloatArray:
    """Return labels y (batch,) as targets (batch, n_out) with 1 at the label's column,
    else 0.
    """
    labels = checks.rectangular(name, y)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(
            f"{name} has dtype {labels.dtype} and shape {labels.shape}, but class labels are "
            "integers of shape (batch,)"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= n_out))
    if wrong.size:
        rule = f"{n_out} outputs have labels 0 to {n_out - 1}"
        checks.fail(f"{name} at position {wrong[0]}", labels[wrong[0]], rule)
    return np.asarray(np.eye(n_out)[labels])


def read_answers(name: str, y: object, n_out: int) -> FloatArray:
    """Return answers y (batch, n_out), each 0 or 1."""
    answers = read_numbers(name, y, n_out)
    wrong = np.argwhere((answers != 0.0) & (answers != 1.0))
    if len(wrong):
        b, j = (int(place) for place in wrong[0])
        checks.fail(
            f"{name} at row {b}, column {j}",
            answers[b, j],
            "every answer must be 0 or 1",
        )
    return answers


MSE = Loss("mse", mean_squared_error, read_numbers)
CROSS_ENTROPY = Loss(
    "cross_entropy",
    cross_entropy,
    read_labels,
    probabilities=softmax,
    right=lambda z, y: np.asarray(z.argmax(axis=1) == y.argmax(axis=1), float),
)
LOGISTIC = Loss(
    "logistic",
    logistic,
    read_answers,
    probabilities=sigmoid,
    right=lambda z, y: np.asarray((z > 0.0) == (y > 0.5), float),
)
LOSSES = {loss.name: loss for loss in (MSE, CROSS_ENTROPY, LOGISTIC)}


@np.errstate(all="ignore")
def predict_proba(network: Model, x: object, *, loss: str | None = None) -> FloatArray:
    """Compute the probabilities of the classes at x.

    The most probable class is `predict_proba(network, x).argmax(axis=1)`.

    Parameters
    ----------
    network : Network, MLP or LAN
        Trained with `loss`.
    x : (batch, n_in)
    loss : str, optional
        "cross_entropy", the default for several outputs, or "logistic", the default for
        one.

    Returns
    -------
    probabilities : (batch, n_out)
        0 to 1. For "cross_entropy" of each class, with sums 1; for "logistic" of the
        answer 1.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 3), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    >>> predict_proba(net, [[0.5, -0.5]]).sum(axis=1).round(12).tolist()
    [1.0]
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    name = loss or ("logistic" if network.widths[-1] == 1 else "cross_entropy")
    checks.choice("loss", name, ("cross_entropy", "logistic"))
    if name == "cross_entropy" and network.widths[-1] == 1:
        checks.fail("loss", name, "one output needs 'logistic'")
    return (softmax if name == "cross_entropy" else sigmoid)(network(x))


# --- terms


@dataclass(eq=False)
class DataTerm:
    """A loss over samples x (n, n_in) with targets (n, n_out), and the penalty on edges
    there.

    `model` has the grids of all models to come: what its first layer computes of x is
    prepared once. `last` is the model evaluated last, with the outputs of its layers
    and its penalty.
    """

    loss: Loss
    x: FloatArray
    targets: FloatArray
    model: Any
    penalty: Penalty | None = None
    workspaces: Sequence[Any] | None = None  # () for one evaluation alone
    last: tuple[Any, list[FloatArray], float] = (None, [], 0.0)

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
        prediction = (
            model.values(self.inputs) if self.is_stored else values_at(model, self.x)
        )
        return mean_square_residuals(prediction, self.targets)

    def linearize(self, model: Any) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their rows, or by chunks of samples J^T J and J^T
        r.
        """
        scale = 1.0 / np.sqrt(self.targets.size)
        if self.is_stored:
            flow, caches = model.run_flow(self.inputs)
            self.last = model, flow, 0.0
            residuals = mean_square_residuals(flow[-1], self.targets)
            return residuals, list(model.jacobian(caches, scale))
        matrix, half = (
            np.zeros((model.n_params, model.n_params)),
            np.zeros(model.n_params),
        )
        prediction = np.empty_like(self.targets)
        for rows, outputs, caches in self._chunks(model):
            prediction[rows] = outputs
            part = scale * (outputs - self.targets[rows])
            sums = normal_sums(model.jacobian(caches, scale), part.reshape(-1))
            matrix += sums.matrix
            half += sums.half_gradient
        self.last = model, [prediction], 0.0
        return mean_square_residuals(prediction, self.targets), NormalSums(matrix, half)

    def column_squares(self, model: Any, scale: float) -> FloatArray:
        """Return sum_b (scale d prediction_b / d theta_p)^2 of (T15)."""
        parts = self._chunks(model)
        squares = [
            column_squares(model.jacobian(caches, scale)) for *_, caches in parts
        ]
        return np.asarray(np.sum(squares, axis=0))

    def _chunks(self, model: Any) -> Iterator[tuple[slice, FloatArray, Any]]:
        """Yield outputs and caches of chunks of samples whose rows of the Jacobian are
        small.
        """
        size = max(1, _CHUNK_ENTRIES // (row_entries(model) * self.targets.shape[1]))
        for rows in nets.sample_slices(len(self.x), size):
            flow, caches = model.run_flow(model.prepare(self.x[rows]))
            yield rows, flow[-1], caches

    def on_samples(self, rows: IntArray) -> "DataTerm":
        """Return the term on some of the samples: a mini-batch, until the next one is
        made.
        """
        own = self.x[rows], self.targets[rows]
        return DataTerm(self.loss, *own, self.model, self.penalty, self.workspaces)

    def judge(self, model: Any) -> tuple[float, Judged]:
        """Return the penalty, and what the loss says of the predictions without it."""
        if self.last[0] is not model:
            self.last = model, [values_at(model, self.x)], self._penalty(model)
        _, flow, penalty = self.last
        return penalty, self.loss.judge(flow[-1], self.targets)

    def _penalty(self, model: Any) -> float:
        if self.penalty is None:
            return 0.0
        flow, caches = model.run_flow(model.prepare(self.x))
        return penalty_value(model, self.x, caches, flow, self.penalty)


def row_entries(model: Any) -> int:
    """Return how many entries of a row of the Jacobian of predictions are stored."""
    if not isinstance(model, Network):
        return int(model.n_params)  # MLPs and LANs have dense rows
    return sum(
        layer.n_out * layer.n_in * (layer.degree + 3) + 4 * len(layer.symbolic)
        for layer in model.layers
    )


def values_at(model: Any, x: FloatArray) -> FloatArray:
    """Compute outputs (n, n_out) at x (n, n_in), which is not checked, by chunks of
    samples.
    """
    slices = nets.sample_slices(len(x), max(256, MOST_ENTRIES // model.n_params))
    parts = [model.values(model.prepare(x[rows])) for rows in slices]
    return np.concatenate(parts) if parts else np.empty((0, model.widths[-1]))


class SmoothTerm:
    """`weight` times (T9), for networks with the knots of one."""

    def __init__(self, weight: float, network: Network) -> None:
        self.root = float(np.sqrt(weight))
        # of each layer (n_in, n_intervals - 1, degree + 2): jump p of an edge is
        # sum_q weights[i, p, q] * w_spline * coef[p + q]
        self.weights = tuple(map(nets.layer_jump_weights, network.layers))

    def residuals(self, network: Network) -> FloatArray:
        """Compute sqrt(weight) times the jumps of (T9): layer by layer, [out, in,
        breakpoint].
        """
        pieces = [
            (
                (layer.w_spline * layer.mask)[:, :, None] * _jumps(layer, weights)
            ).reshape(-1)
            for layer, weights in zip(network.layers, self.weights, strict=True)
        ]
        residuals: FloatArray = self.root * np.concatenate(pieces)
        return residuals

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
                d_coef[:, :, q : q + n_jumps] += (
                    scale[:, :, None] * d_jumps * weights[:, :, q]
                )
            d_w_spline = layer.mask * (d_jumps * unweighted).sum(axis=2)
            nothing = np.zeros(layer.w_base.size), np.zeros(layer.affine.size)
            pieces += [
                d_coef.reshape(-1),
                nothing[0],
                d_w_spline.reshape(-1),
                nothing[1],
            ]
        return value, np.concatenate(pieces)

    def linearize(self, network: Network) -> tuple[FloatArray, list[Block]]:
        """Compute the residuals and their rows: one block per layer with inner
        breakpoints.
        """
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
                values[..., width] = (self.root * layer.mask)[:, :, None] * _jumps(
                    layer, weights
                )
                rows = (-1, width + 1)
                blocks.append(
                    RowSparse(
                        columns.reshape(rows), values.reshape(rows), network.n_params
                    )
                )
            start += layer.n_params
        return self.residuals(network), blocks


def _jumps(layer: Layer, weights: FloatArray) -> FloatArray:
    """Compute the jumps of sum_m coef_m B_m, (n_out, n_in, n_intervals - 1)."""
    if not weights.shape[1]:
        return np.empty((*layer.w_spline.shape, 0))
    windows = np.lib.stride_tricks.sliding_window_view(
        layer.coef, layer.degree + 2, axis=2
    )
    jumps: FloatArray = np.einsum("ipq,jipq->jip", weights, windows)
    return jumps


# --- the objective


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
        theta: FloatArray = (
            self.model.theta if self.free is None else self.model.theta[self.free]
        )
        return theta if self.scale is None else theta / self.scale

    def model_at(self, z: FloatArray) -> Any:
        """Return the model with the parameters of z; the last one is kept."""
        if self.last[0] is not z:
            theta = z if self.scale is None else z * self.scale
            if self.free is not None:
                theta, part = self.model.theta.copy(), theta
                theta[self.free] = part
            self.last = z, self.model.replace_theta(theta)
        return self.last[1]

    def value_and_grad(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Compute the objective and its gradient, read-only."""
        model = self.model_at(z)
        # [eq:objective]
        value, gradient = self.terms[0].value_and_grad(model)
        for term in self.terms[1:]:
            more, d_more = term.value_and_grad(model)
            value, gradient = value + more, gradient + d_more
        # [/eq:objective]
        gradient = gradient if self.free is None else gradient[self.free]
        gradient = gradient if self.scale is None else gradient * self.scale
        gradient.flags.writeable = False  # so that an optimizer may keep it
        return value, gradient

    def residuals(self, z: FloatArray) -> FloatArray:
        """Compute residuals whose squares sum to the objective."""
        model = self.model_at(z)
        # [eq:objective-residuals]
        return np.concatenate([term.residuals(model) for term in self.terms])
        # [/eq:objective-residuals]

    def linearize(self, z: FloatArray) -> tuple[FloatArray, list[Block] | NormalSums]:
        """Compute the residuals and their Jacobian, or its sums J^T J and J^T r."""
        model = self.model_at(z)
        parts = [term.linearize(model) for term in self.terms]
        residuals = np.concatenate([own for own, _ in parts])
        if any(isinstance(jacobian, NormalSums) for _, jacobian in parts):
            sums = [normal_sums(jacobian, own) for own, jacobian in parts]
            matrix = np.sum([one.matrix for one in sums], axis=0)
            half = np.sum([one.half_gradient for one in sums], axis=0)
            if self.free is not None:
                matrix, half = matrix[np.ix_(self.free, self.free)], half[self.free]
            return residuals, NormalSums(matrix, half)
        blocks: Any = [block for _, jacobian in parts for block in jacobian]
        if self.free is not None:
            blocks = select_columns(blocks, self.free)
        return residuals, blocks

    def in_scaled_variables(self) -> "Objective":
        """Return the objective as functions of the z of (T17).

        Notes
        -----
        Implements :eq:`scaled-variables`.
        """
        terms = [term for term in self.terms if not isinstance(term, SmoothTerm)]
        n_rows, squares = 0, np.zeros(self.model.n_params)
        for term in terms:
            if isinstance(term, DataTerm):
                n_own, alone = term.targets.size, len(terms) == 1
                own = term.column_squares(
                    self.model, 1.0 if alone else 1.0 / np.sqrt(n_own)
                )
            else:
                residuals, jacobian = term.linearize(self.model)
                n_own, own = residuals.size, column_squares(jacobian)
            n_rows, squares = n_rows + n_own, squares + own
        squares = squares if self.free is None else squares[self.free]
        share = float(np.clip(len(squares) / n_rows, 0.01, 1.0))
        metric = self.metric(share)(squares)
        # [eq:scaled-variables]
        doublings = np.round(-0.5 * np.log2(metric))
        doublings -= np.sort(doublings)[len(doublings) // 2]
        # [/eq:scaled-variables]
        return replace(
            self, scale=np.ldexp(1.0, doublings.astype(np.intc)), last=(None, None)
        )

    def flow(self, model: Any) -> list[FloatArray] | None:
        """Return the outputs of the layers at the samples evaluated last, None where
        unknown.
        """
        data, is_data = (
            self.terms[0],
            all(isinstance(t, DataTerm | SmoothTerm) for t in self.terms),
        )
        known = isinstance(data, DataTerm) and is_data and data.last[0] is model
        return (
            data.last[1]
            if known and len(data.last[1]) == len(model.widths) - 1
            else None
        )

    def judge(self, model: Any, value: float) -> tuple[float, Judged]:
        """Return what penalties add to the value at a model, and loss, error, accuracy
        without.
        """
        smooth = [
            term.residuals(model) for term in self.terms if isinstance(term, SmoothTerm)
        ]
        penalty = sum(float(own @ own) for own in smooth)
        if isinstance(self.terms[0], DataTerm) and len(self.terms) == 1 + len(smooth):
            more, judged = self.terms[0].judge(model)
            return penalty + more, judged
        loss = max(value - penalty, 0.0)
        return penalty, (loss, float(np.sqrt(loss)), np.nan)

    def metric(self, share: float) -> Callable[[FloatArray], FloatArray]:
        """Return the function from the d of (T15) to the diagonal of D of (T16), all
        above 0.
        """
        ends = np.cumsum(self.model.layer_sizes)
        if self.free is not None:
            ends = np.cumsum(self.free)[ends - 1]

        def layer_metric(squares: FloatArray) -> FloatArray:
            metric = np.ones(len(squares))
            parts = zip(
                np.split(squares, ends[:-1]), np.split(metric, ends[:-1]), strict=True
            )
            for own, out in parts:
                support = (own > 0.0) & np.isfinite(own)
                if support.any():
                    # [eq:layer-metric]
                    median = np.median(own[support])
                    out[:] = np.where(support, np.maximum(own, share * median), median)
                    # [/eq:layer-metric]
            return metric

        return layer_metric


def trainable_places(model: Any, trainable: Sequence[str]) -> BoolArray | None:
    """Return (n_params,) flags of the named parts of theta; None where that is all of
    them.
    """
    names = checks.names("trainable", trainable)
    for name in names:
        checks.choice("trainable", name, PARAMETER_NAMES)
    if len(names) == len(PARAMETER_NAMES):
        return None
    if not isinstance(model, Network):
        checks.fail(
            "trainable", names, f"all parameters of {model!r} are trained together"
        )
    parts = [
        np.full(getattr(layer, array).size, name in names)
        for layer in model.layers
        for name, array in PARAMETER_ARRAYS.items()
    ]
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
    checks.instance(
        "network", network, Network, "a Network, whose edges have a penalty"
    )
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
    """Compute the objective of a model on a batch and its gradient with respect to
    theta.

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
    Implements :eq:`objective`. About three forward passes; with a penalty, time and memory are in
    proportion to batch times edges.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> net = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
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
        curves = checks.instance(
            "network", network, Network, "a Network, which has curves"
        )
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
