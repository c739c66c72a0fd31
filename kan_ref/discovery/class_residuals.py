"""Tests of residuals y - p of classes, which show a dropped input or a wrong form of the logits.

Right probabilities p make the residuals of each class independent, with mean 0 and variance
p (1 - p), whatever the formula of the logits is. Whether the residual has structure is tested by
(D26), (D29) and (D30). Held-out losses in pairs are weaker: of 400 labels only 80 are held out, and
a comparison by one standard error loses an input whose effect all 400 labels show.
"""

from collections.abc import Callable

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.coefficients import (
    FALSE_ALARM,
    joint_statistic,
    largest_coefficient,
    product_columns,
)
from kan_ref.discovery.neighbours import CLEAR, FEWEST, neighbour_pairs, product_statistic
from kan_ref.network import Network
from kan_ref.training import check_batch, predict_proba

STRUCTURE = 4.0  # of z, (D30)
SUSPECTED = 1e-2  # false-alarm rate while an architecture is sought: an edge too many does no harm
SUSPECTED_Z = 2.5  # of z, (D30), with about that rate


def class_residuals(data: Data, network: Network, loss: str) -> tuple[FloatArray, FloatArray]:
    """Return y - p and p (1 - p) at the training samples, (n, n_out) each."""
    targets = check_batch(network, data.x_train, data.y_train, loss=loss).targets
    p = predict_proba(network, data.x_train, loss=loss)
    return targets - p, p * (1.0 - p)


def class_structure(data: Data, network: Network, loss: str) -> str:
    """Return what the residuals at the training samples depend on, in words with numbers.

    "" if nothing is seen, or with fewer samples than the tests need.
    """
    if len(data.x_train) < FEWEST:
        return ""
    z = _standardised(data.x_train)
    residual, variance = class_residuals(data, network, loss)
    pairs, columns = neighbour_pairs(z), product_columns(z)
    statistic = max(product_statistic(pairs, column) for column in residual.T)
    if statistic > CLEAR:
        return (
            f"residuals y - p of neighbouring samples are correlated, z = {statistic:.1f}, "
            f"which right probabilities seldom raise above {CLEAR:.1f}"
        )
    outputs = list(zip(residual.T, variance.T, strict=True))
    t, clear = max(
        largest_coefficient(columns, *one, false_alarm=FALSE_ALARM / len(outputs))
        for one in outputs
    )
    if t > clear:
        return (
            "residuals y - p are correlated with one product of polynomials of the inputs, "
            f"t = {t:.1f}, which right probabilities seldom raise above {clear:.1f}"
        )
    statistic = max(joint_statistic(columns, *one) for one in outputs)
    if statistic > STRUCTURE:
        return (
            "products of polynomials of all inputs explain residuals y - p, "
            f"z = {statistic:.1f}, which right probabilities seldom raise above {STRUCTURE:g}"
        )
    return ""


def suspicion_of(data: Data, loss: str) -> Callable[[Network], bool]:
    """Return whether a network's residual at the training samples seems to depend on the inputs.

    With fewer samples than the tests need, it never seems to.
    """
    if len(data.x_train) < FEWEST:
        return lambda network: False
    columns = product_columns(_standardised(data.x_train))

    def is_suspected(network: Network) -> bool:
        residual, variance = class_residuals(data, network, loss)
        for one in zip(residual.T, variance.T, strict=True):
            t, clear = largest_coefficient(columns, *one, false_alarm=SUSPECTED)
            if t > clear or joint_statistic(columns, *one) > SUSPECTED_Z:
                return True
        return False

    return is_suspected


def _standardised(x: FloatArray) -> FloatArray:
    std = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(std > 0.0, std, 1.0))
