"""What a network is trained to make small: losses of its predictions, with their gradients.

Mean squared error over all batch x n_out numbers (Liu et al. 2024, section 3: l_pred for regression),

    (M1)  mse = (1/n) sum_bj (prediction_bj - y_bj)^2,    n = batch * n_out
    (M2)  d_prediction = (2/n) (prediction - y)
    (M3)  residuals r = (prediction - y) / sqrt(n),       so that mse = r @ r

(M3) is the form that least-squares optimizers take. The root of (M1) is what every `*_rmse` reports.
"""

import numpy as np

from kan_ref.checks import FloatArray

LOSS_NAMES = ("mse",)


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
