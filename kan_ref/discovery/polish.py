"""Train the numbers of a formula: least squares with scaled variables.

The numbers theta of a tree minimise the mean squared error. They may have any units, so the
optimizer works with z = theta / s, s = 1 / (norm of the column of the Jacobian): each number then
changes the values alike (Marquardt 1963).
"""

from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Tree, complexity, linearize, numbers, values, with_numbers
from kan_ref.optimizers import levenberg_marquardt

ROUNDING = 1e-15  # of the targets' size: smaller errors are equal
SMALLEST = 1e-300


@dataclass(frozen=True, eq=False)
class Fitted:
    """A formula with its root mean square error on the samples that it was trained on."""

    tree: Tree
    rmse: float

    @property
    def complexity(self) -> int:
        """The complexity of the tree."""
        return complexity(self.tree)


def rmse_of(tree: Tree, x: FloatArray, y: FloatArray) -> float:
    """Return the root mean square error; infinite where the tree is undefined at a sample."""
    with np.errstate(all="ignore"):
        error = float(np.sqrt(np.mean((values(tree, x) - y) ** 2)))
    return error if np.isfinite(error) else np.inf


def polished(tree: Tree, x: FloatArray, y: FloatArray, *, n_steps: int = 40) -> Fitted:
    """Train the numbers of a tree on samples x (batch, n_in), y (batch,).

    The scales s are computed again after each 10 steps, and training ends where that gains nothing.
    """
    start = rmse_of(tree, x, y)
    if not np.isfinite(start) or numbers(tree).size == 0:
        return Fitted(tree, start)
    best = Fitted(tree, start)
    least = ROUNDING * float(np.abs(y).max())
    for _ in range(max(1, n_steps // 10)):
        new = _polished_once(best.tree, x, y, min(10, n_steps))
        gained = new.rmse < 0.999 * best.rmse
        if new.rmse <= best.rmse:
            best = new
        if not gained or best.rmse <= least:
            break
    return best


def _polished_once(tree: Tree, x: FloatArray, y: FloatArray, n_steps: int) -> Fitted:
    value, jacobian = linearize(tree, x)
    unit = max(float(np.std(y)), SMALLEST) * np.sqrt(len(y))
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.sum(jacobian**2, axis=0))
        scales = unit / np.where(norms > 0.0, norms, unit)
        # the optimizer squares these: they may overflow although `rmse_of` is finite
        size = float(np.sum(((value - y) / unit) ** 2))
    if not (np.isfinite(size) and np.isfinite(norms).all()):
        return Fitted(tree, np.inf)
    # infinite for a number that changes no value
    scale: FloatArray = np.where(np.isfinite(scales), scales, 1.0)
    theta = numbers(tree)

    def residuals(z: FloatArray) -> FloatArray:
        return np.asarray((values(with_numbers(tree, theta + scale * z), x) - y) / unit)

    def at(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, jacobian = linearize(with_numbers(tree, theta + scale * z), x)
        return (value - y) / unit, np.nan_to_num(jacobian * (scale / unit))

    # z is the change of the numbers: a step is never small beside a number that is far from 0
    result = levenberg_marquardt(
        at, np.zeros(len(theta)), residuals=residuals, n_steps=n_steps, value_tolerance=1e-6
    )
    new = with_numbers(tree, theta + scale * result.theta)
    return Fitted(new, rmse_of(new, x, y))


def bic(fitted: Fitted, n_samples: int, floor: float) -> float:
    """Return the Bayesian information criterion with a price on complexity; lower is better.

    Errors below `floor` are equal.
    """
    n = numbers(fitted.tree).size
    error = max(fitted.rmse, floor, SMALLEST)
    return float(
        2.0 * n_samples * np.log(error) + np.log(n_samples) * (n + 0.5 * fitted.complexity)
    )
