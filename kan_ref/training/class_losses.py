"""Losses for classes, with their gradients, and what every loss is made of.

With one logit z_bj per class and labels c_b (Bishop, Pattern Recognition and Machine Learning,
section 4.3.4), and p = softmax(z) along j,

    (T1)  cross entropy = -(1/batch) sum_b log p_b,c_b,
          log p_bj = z_bj - m_b - log sum_i exp(z_bi - m_b),   m_b = max_j z_bj
    (T2)  d_prediction = (p - onehot(c)) / batch

and for independent yes-no answers y in {0, 1}, with the sigmoid s,

    (T3)  logistic = (1/n) sum_bj max(z, 0) - z y + log(1 + exp(-|z|)),   n = batch * n_out
          d_prediction = (s(z) - y) / n

Neither exponential can overflow: every exponent is at most 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray


def softmax(logits: FloatArray) -> FloatArray:
    """Compute probabilities exp(z_bj) / sum_i exp(z_bi), (batch, n_classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def cross_entropy(prediction: FloatArray, onehot: FloatArray) -> tuple[float, FloatArray]:
    """Compute the cross entropy (T1) and its gradient (T2).

    Parameters
    ----------
    prediction : (batch, n_classes)
        Logits, any finite numbers.
    onehot : (batch, n_classes)
        1 at the label's column, else 0.

    Returns
    -------
    loss : float
        In nats.
    d_prediction : (batch, n_classes)

    Notes
    -----
    Implements :eq:`cross-entropy`.
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
    """Compute the logistic loss and its gradient (T3).

    Parameters
    ----------
    prediction : (batch, n_out)
        Logits, any finite numbers.
    y : (batch, n_out)
        0 or 1.

    Returns
    -------
    loss : float
        In nats.
    d_prediction : (batch, n_out)

    Notes
    -----
    Implements :eq:`logistic`.
    """
    # [eq:logistic]
    u = np.exp(-np.abs(prediction))
    loss = (
        float((np.maximum(prediction, 0.0) - prediction * y + np.log1p(u)).sum()) / prediction.size
    )
    d_prediction = (sigmoid(prediction, u) - y) / prediction.size
    # [/eq:logistic]
    return loss, d_prediction


def sigmoid(prediction: FloatArray, u: FloatArray) -> FloatArray:
    """Compute 1 / (1 + exp(-z)), given the logits z and u = exp(-|z|)."""
    probabilities: FloatArray = np.where(prediction >= 0.0, 1.0, u) / (1.0 + u)
    return probabilities


@dataclass(frozen=True)
class Loss:
    """A loss by name.

    `value_and_grad(prediction, targets)`; `check_targets(name, y, n_out)` returns targets
    (batch, n_out); `residuals(prediction, targets)` is None where the loss is not a sum of squares;
    `probabilities(prediction)` is what `*_rmse` compares with the targets, and
    `hits(prediction, targets)` marks right answers: both None where there are no classes.
    """

    name: str
    value_and_grad: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]
    check_targets: Callable[[str, object, int], FloatArray]
    residuals: Callable[[FloatArray, FloatArray], FloatArray] | None = None
    probabilities: Callable[[FloatArray], FloatArray] | None = None
    hits: Callable[[FloatArray, FloatArray], FloatArray] | None = None


def check_labels(name: str, y: object, n_out: int) -> FloatArray:
    """Return labels y (batch,) as targets (batch, n_out) with 1 at the label's column, else 0."""
    labels = checks.rectangular(name, y)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(
            f"{name} has dtype {labels.dtype} and shape {labels.shape}, "
            "but class labels are integers of shape (batch,)"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= n_out))
    if wrong.size:
        raise ValueError(
            f"{name} is {labels[wrong[0]]} at position {wrong[0]}, but {n_out} outputs have labels "
            f"0 to {n_out - 1}"
        )
    onehot = np.zeros((len(labels), n_out))
    onehot[np.arange(len(labels)), labels] = 1.0
    return onehot


def check_columns(name: str, y: object, n_out: int) -> FloatArray:
    """Return targets y (batch, n_out); ValueError names the other choice for class labels."""
    shape = checks.rectangular(name, y).shape
    if len(shape) == 1:
        raise ValueError(
            f"{name} has shape {shape}, but needs shape (batch, n_out): give {name}[:, None] for "
            "one output, or take loss='cross_entropy' for class labels"
        )
    return checks.array(name, y, ("batch", n_out))


def check_answers(name: str, y: object, n_out: int) -> FloatArray:
    """Return answers y (batch, n_out), each 0 or 1."""
    answers = check_columns(name, y, n_out)
    wrong = np.argwhere((answers != 0.0) & (answers != 1.0))
    if len(wrong):
        b, j = (int(place) for place in wrong[0])
        raise ValueError(
            f"{name} is {answers[b, j]:g} at row {b}, column {j}, but every answer must be 0 or 1"
        )
    return answers


CROSS_ENTROPY = Loss(
    "cross_entropy",
    cross_entropy,
    check_labels,
    probabilities=softmax,
    hits=lambda prediction, y: np.asarray(prediction.argmax(axis=1) == y.argmax(axis=1), float),
)
LOGISTIC = Loss(
    "logistic",
    logistic,
    check_answers,
    probabilities=lambda prediction: sigmoid(prediction, np.exp(-np.abs(prediction))),
    hits=lambda prediction, y: np.asarray((prediction > 0.0) == (y > 0.5), float),
)
