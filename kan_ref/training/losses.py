"""Losses: value and gradient by name, the targets that they read, probabilities.

With n = batch * n_out numbers, the mean squared error of predictions z_bj (Liu et al.
2024, section 3) is

    (T4)  mse = (1/n) sum_bj (z_bj - y_bj)^2
    (T5)  d_prediction = (2/n) (z - y)
    (T6)  residuals r = (z - y) / sqrt(n),    so that mse = r @ r

With one logit z_bj per class and labels c_b (Bishop, Pattern Recognition and Machine
Learning, section 4.3.4), and p = softmax(z) along j,

    (T1)  cross entropy = -(1/batch) sum_b log p_b,c_b,
          log p_bj = z_bj - m_b - log sum_i exp(z_bi - m_b),   m_b = max_j z_bj
    (T2)  d_prediction = (p - onehot(c)) / batch

and for independent yes-no answers y in {0, 1}, with the sigmoid s,

    (T3)  logistic = (1/n) sum_bj [max(z, 0) - z y + log(1 + exp(-|z|))]
          d_prediction = (s(z) - y) / n

No exponential can overflow: every exponent is at most 0. The probabilities are

    (T31)  p = softmax(z)    "cross_entropy": a class for each output, rows sum to 1
           p = s(z)          "logistic": the answer is 1, for each output by itself
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.network import Model


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
    """Compute the cross entropy (T1) of logits in nats, and its gradient (T2).

    `prediction` and `onehot` are (batch, n_classes); `onehot` is 1 at the label's
    column, else 0.
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
    """Compute the logistic loss (T3) of logits (batch, n_out), and its gradient."""
    # [eq:logistic]
    u = np.exp(-np.abs(prediction))
    losses = np.maximum(prediction, 0.0) - prediction * y + np.log1p(u)
    loss = float(losses.sum()) / prediction.size
    d_prediction = (sigmoid(prediction) - y) / prediction.size
    # [/eq:logistic]
    return loss, d_prediction


def softmax(logits: FloatArray) -> FloatArray:
    """Compute probabilities exp(z_bj) / sum_i exp(z_bi), (batch, n_classes)."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: FloatArray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def sigmoid(logits: FloatArray) -> FloatArray:
    """Compute 1 / (1 + exp(-z)) without an overflow."""
    u = np.exp(-np.abs(logits))
    probabilities: FloatArray = np.where(logits >= 0.0, 1.0, u) / (1.0 + u)
    return probabilities


# --- a loss by name


# loss, root mean square error, accuracy (nan if none)
Judged = tuple[float, float, float]


@dataclass(frozen=True)
class Loss:
    """A loss: its value and gradient, the targets that it reads, its judgements.

    `probabilities` of predictions are what `*_rmse` compares with targets, and `right`
    marks right answers: None without classes.
    """

    name: str
    value_and_grad: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]
    read_targets: Callable[[str, object, int], FloatArray]
    probabilities: Callable[[FloatArray], FloatArray] | None = None
    right: Callable[[FloatArray, FloatArray], FloatArray] | None = None

    def judge(self, prediction: FloatArray, y: FloatArray) -> Judged:
        """Return loss, root mean square error, and the share of right answers."""
        loss, _ = self.value_and_grad(prediction, y)
        if self.probabilities is None or self.right is None:
            return loss, float(np.sqrt(loss)), np.nan
        error, _ = mean_squared_error(self.probabilities(prediction), y)
        return loss, float(np.sqrt(error)), float(self.right(prediction, y).mean())


def read_numbers(name: str, y: object, n_out: int) -> FloatArray:
    """Return targets y (batch, n_out); for labels the error names another loss."""
    shape = checks.rectangular(name, y).shape
    if len(shape) == 1:
        raise ValueError(
            f"{name} has shape {shape}, but needs (batch, n_out): "
            f"give {name}[:, None], or loss='cross_entropy' for class labels"
        )
    return checks.array(name, y, ("batch", n_out))


def read_labels(name: str, y: object, n_out: int) -> FloatArray:
    """Return labels y (batch,) as targets (batch, n_out): 1 in their column, else 0."""
    labels = checks.rectangular(name, y)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(
            f"{name} has dtype {labels.dtype} and shape {labels.shape}, "
            "but class labels are integers of shape (batch,)"
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
        b, j = map(int, wrong[0])
        place = f"{name} at row {b}, column {j}"
        checks.fail(place, answers[b, j], "every answer must be 0 or 1")
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
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> net = kr.init_network((2, 3), **grid, rng=rng)
    >>> predict_proba(net, [[0.5, -0.5]]).sum(axis=1).round(12).tolist()
    [1.0]
    """
    checks.instance("network", network, Model, "a Network, an MLP or a LAN")
    is_single = network.widths[-1] == 1
    if loss is None:
        loss = "logistic" if is_single else "cross_entropy"
    if checks.choice("loss", loss, ("cross_entropy", "logistic")) == "logistic":
        return sigmoid(network(x))
    if is_single:
        checks.fail("loss", loss, "one output needs 'logistic'")
    return softmax(network(x))
