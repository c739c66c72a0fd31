"""What a network is trained to make small: losses of its predictions, with their gradients.

Mean squared error over all batch x n_out numbers (Liu et al. 2024, section 3: l_pred for regression),

    (M1)  mse = (1/n) sum_bj (prediction_bj - y_bj)^2,    n = batch * n_out
    (M2)  d_prediction = (2/n) (prediction - y)
    (M3)  residuals r = (prediction - y) / sqrt(n),       so that mse = r @ r

(M3) is the form that least-squares optimizers take; the root of (M1) is what every `*_rmse` reports. For classes, with one logit
z_bj a class and labels c_b (Bishop, Pattern Recognition and Machine Learning, section 4.3.4), and p = softmax(z) along j,

    (M4)  cross entropy = -(1/batch) sum_b log p_b,c_b,   log p_bj = z_bj - m_b - log sum_i exp(z_bi - m_b),   m_b = max_j z_bj
    (M5)  d_prediction = (p - onehot(c)) / batch

and for independent yes-no answers y in {0, 1}, with the sigmoid s,

    (M6)  logistic = (1/n) sum_bj max(z, 0) - z y + log(1 + exp(-|z|)),   d_prediction = (s(z) - y) / n

Neither exponential can overflow: every exponent is at most 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray, check_choice, check_float_array, check_rectangular


def mean_squared_error(prediction: FloatArray, y: FloatArray) -> tuple[float, FloatArray]:
    """Loss (M1) and its gradient (M2).

    Parameters
    ----------
    prediction, y : (batch, n_out)
        At least one number.

    Returns
    -------
    loss : float
    d_prediction : (batch, n_out)

    Notes
    -----
    Implements :eq:`mean-squared-error`.

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
    """Residuals (M3) as a flat vector, samples first: entry b * n_out + j."""
    # [eq:mean-square-residuals]
    residuals: FloatArray = (prediction - y).reshape(-1) / np.sqrt(prediction.size)
    # [/eq:mean-square-residuals]
    return residuals


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities exp(z_bj) / sum_i exp(z_bi), (batch, n_classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: FloatArray = shifted / shifted.sum(axis=1, keepdims=True)
    return probabilities


def cross_entropy(prediction: FloatArray, onehot: FloatArray) -> tuple[float, FloatArray]:
    """Loss (M4) and its gradient (M5).

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
    """Loss and gradient (M6).

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
    sigmoid = np.where(prediction >= 0.0, 1.0, u) / (1.0 + u)
    d_prediction = (sigmoid - y) / prediction.size
    # [/eq:logistic]
    return loss, d_prediction


@dataclass(frozen=True)
class Loss:
    """A loss by name.

    `value_and_grad` takes (prediction, targets); `residuals` too, and is None where the loss is no sum of squares;
    `targets(name, y, n_out)` is the door for y, and gives targets (batch, n_out); `probabilities` turns predictions into what is
    compared with the targets for `*_rmse`; `hits` (batch, ...) tells right answers, None where there are no classes.
    """

    name: str
    value_and_grad: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]]
    targets: Callable[[str, object, int], FloatArray]
    probabilities: Callable[[FloatArray], FloatArray]
    residuals: Callable[[FloatArray, FloatArray], FloatArray] | None = None
    hits: Callable[[FloatArray, FloatArray], FloatArray] | None = None


def _regression_targets(name: str, y: object, n_out: int) -> FloatArray:
    if (
        isinstance(y, list | tuple | np.ndarray)
        and getattr(y, "ndim", 1) == 1
        and len(y)
        and np.ndim(y[0]) == 0
    ):
        raise ValueError(
            f"{name} has shape {np.shape(y)}, but needs shape (batch, n_out): give {name}[:, None] for one output"
        )
    return check_float_array(name, y, ("batch", n_out))


def _class_targets(name: str, y: object, n_out: int) -> FloatArray:
    labels = check_rectangular(name, y)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise ValueError(
            f"{name} has dtype {labels.dtype} and shape {labels.shape}, but class labels are integers of shape (batch,)"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= n_out))
    if wrong.size:
        raise ValueError(
            f"{name} is {labels[wrong[0]]} at position {wrong[0]}, but {n_out} outputs have labels 0 to {n_out - 1}"
        )
    onehot = np.zeros((len(labels), n_out))
    onehot[np.arange(len(labels)), labels] = 1.0
    return onehot


def _binary_targets(name: str, y: object, n_out: int) -> FloatArray:
    answers = _regression_targets(name, y, n_out)
    wrong = np.argwhere((answers != 0.0) & (answers != 1.0))
    if len(wrong):
        b, j = (int(place) for place in wrong[0])
        raise ValueError(
            f"{name} is {answers[b, j]:g} at row {b}, column {j}, but every answer must be 0 or 1"
        )
    return answers


LOSSES = {
    "mse": Loss(
        "mse",
        mean_squared_error,
        _regression_targets,
        lambda prediction: prediction,
        mean_square_residuals,
    ),
    "cross_entropy": Loss(
        "cross_entropy",
        cross_entropy,
        _class_targets,
        softmax,
        hits=lambda prediction, y: np.asarray(
            prediction.argmax(axis=1) == y.argmax(axis=1), dtype=np.float64
        ),
    ),
    "logistic": Loss(
        "logistic",
        logistic,
        _binary_targets,
        lambda prediction: logistic(prediction, np.zeros_like(prediction))[1] * prediction.size,
        hits=lambda prediction, y: np.asarray((prediction > 0.0) == (y > 0.5), dtype=np.float64),
    ),
}
LOSS_NAMES = tuple(LOSSES)


def named_loss(name: object) -> Loss:
    """The loss of that name; ValueError with the near match if there is none."""
    return LOSSES[check_choice("loss", name, LOSS_NAMES)]
