"""Train the numbers of formulas on samples, compare formulas, and make their numbers simple.

The numbers theta of a tree minimise the mean squared error by Levenberg-Marquardt. They may have
any units, so z = theta / s with s = 1 / (norm of the column of the Jacobian) is trained: each
number then changes the values alike (Marquardt 1963).

Formulas are compared by the Bayesian information criterion with a price on complexity,

    BIC = 2 N log(max(rmse, floor)) + log(N) (n_numbers + complexity / 2),

where errors below `floor`, that of the samples, are equal. A number of a formula becomes 0, 1, -1,
another integer or a half, and two numbers of a sum become one, while the others are trained again,
where that lowers the criterion.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery import trees
from kan_ref.discovery.trees import Tree
from kan_ref.optimizers import Steps, levenberg_marquardt

ROUNDING = 1e-15  # of the targets' size: smaller errors are equal
SMALLEST = 1e-300
FEW_SAMPLES, MOST_FIRST, MOST_SECOND = 200, 40, 4  # of the two rounds of `best_fits`
NEARLY = 1e-6  # of the standard deviation of y: a smaller error may be one of training alone
Late = Callable[[], bool]


def never() -> bool:
    """Return False: there is no limit of time."""
    return False


@dataclass(frozen=True, eq=False)
class Fitted:
    """A formula with its root mean square error on the samples that it was trained on."""

    tree: Tree
    rmse: float

    @property
    def complexity(self) -> int:
        """The complexity of the tree."""
        return trees.complexity(self.tree)


def rmse_of(tree: Tree, x: FloatArray, y: FloatArray) -> float:
    """Return the root mean square error; infinite where the tree is undefined at a sample."""
    with np.errstate(all="ignore"):
        error = float(np.sqrt(np.mean((trees.values(tree, x) - y) ** 2)))
    return error if np.isfinite(error) else np.inf


def bic(one: Fitted, n_samples: int, floor: float) -> float:
    """Return the Bayesian information criterion; lower is better."""
    error = max(one.rmse, floor, SMALLEST)
    price = trees.numbers(one.tree).size + 0.5 * one.complexity
    return float(2.0 * n_samples * np.log(error) + np.log(n_samples) * price)


def front_of(formulas: Iterable[Fitted], floor: float = 0.0) -> list[Fitted]:
    """Return the formulas that no simpler one beats in error, the simplest first."""
    found: list[Fitted] = []
    for one in sorted(formulas, key=lambda one: (one.complexity, one.rmse)):
        least = max(found[-1].rmse, floor) if found else np.inf
        if np.isfinite(one.rmse) and max(one.rmse, floor) < 0.999 * least:
            found.append(one)
    return found


def trained(tree: Tree, x: FloatArray, y: FloatArray, n_steps: int = 40) -> Fitted:
    """Train the numbers of a tree on samples x (n, n_in), y (n,).

    The scales s are computed again after each 10 steps, and training ends where that gains nothing.
    """
    best = Fitted(tree, rmse_of(tree, x, y))
    if not np.isfinite(best.rmse) or trees.numbers(tree).size == 0:
        return best
    least = ROUNDING * float(np.abs(y).max())
    for _ in range(max(1, n_steps // 10)):
        new, old = _ten_steps(best.tree, x, y, min(10, n_steps)), best
        best = new if new.rmse <= old.rmse else old
        if new.rmse >= 0.999 * old.rmse or best.rmse <= least:
            break
    return _finished(best, x, y, least)


def _ten_steps(tree: Tree, x: FloatArray, y: FloatArray, n_steps: int) -> Fitted:
    value, jacobian = trees.linearize(tree, x)
    unit = max(float(np.std(y)), SMALLEST) * np.sqrt(len(y))
    with np.errstate(all="ignore"):
        scale = unit / np.sqrt(np.sum(jacobian**2, axis=0))
        scale = np.where(scale < np.inf, scale, 1.0)  # a number that changes no value
        is_fine = np.isfinite(np.sum(((value - y) / unit) ** 2)) and scale.min() > 0.0
    if not is_fine:
        return Fitted(tree, np.inf)
    theta = trees.numbers(tree)

    def residuals(z: FloatArray) -> FloatArray:
        return np.asarray((trees.values(trees.with_numbers(tree, theta + scale * z), x) - y) / unit)

    def at(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, jacobian = trees.linearize(trees.with_numbers(tree, theta + scale * z), x)
        return (value - y) / unit, np.nan_to_num(jacobian * (scale / unit))

    # z is the change of the numbers: a step is never small beside a number that is far from 0
    rest = np.inf
    for point in Steps(levenberg_marquardt(at, np.zeros(len(theta)), residuals), n_steps):
        if point.value >= (1.0 - 1e-6) * rest:
            break
        rest = point.value
    new = trees.with_numbers(tree, theta + scale * point.theta)
    return Fitted(new, rmse_of(new, x, y))


def _finished(best: Fitted, x: FloatArray, y: FloatArray, least: float) -> Fitted:
    """Take Gauss-Newton steps while each halves a small error: they are not held back by damping,
    where changes of numbers nearly cancel.
    """
    while least < best.rmse <= NEARLY * float(np.std(y)):
        value, jacobian = trees.linearize(best.tree, x)
        with np.errstate(all="ignore"):
            norms = np.sqrt(np.sum(jacobian**2, axis=0))
            scale = 1.0 / np.where(norms > 0.0, norms, np.inf)
            scaled = jacobian * scale
        if not np.isfinite(scaled).all():
            break
        step = scale * np.linalg.lstsq(scaled, y - value, rcond=None)[0]
        tree = trees.with_numbers(best.tree, trees.numbers(best.tree) + step)
        error = rmse_of(tree, x, y)
        if not error <= 0.5 * best.rmse:
            break
        best = Fitted(tree, error)
    return best


def best_fits(
    candidates: Sequence[Tree], x: FloatArray, y: FloatArray, floor: float
) -> list[Fitted]:
    """Return the best candidates by BIC: all are trained a little, the best of them fully."""
    some = slice(None, None, max(1, len(x) // FEW_SAMPLES))
    first = [trained(tree, x[some], y[some], 20) for tree in candidates[:MOST_FIRST]]
    first.sort(key=lambda one: bic(one, len(x[some]), floor))
    second = [trained(one.tree, x, y, 60) for one in first[:MOST_SECOND]]
    second = [one for one in second if np.isfinite(one.rmse)]
    return sorted(second, key=lambda one: bic(one, len(x), floor))


def simplified(
    one: Fitted, x: FloatArray, y: FloatArray, floor: float, late: Late = never
) -> Fitted:
    """Return the formula with as many simple numbers as lower the criterion."""
    tree = trees.absorbed(one.tree)
    best = Fitted(tree, rmse_of(tree, x, y))
    refused: set[tuple[int, float]] = set()
    found = True
    while found:
        found = False
        for place, value in _proposals(trees.numbers(best.tree), refused):
            if late():
                return best
            trial = trained(trees.absorbed(trees.with_fixed(best.tree, place, value)), x, y, 20)
            if bic(trial, len(x), floor) < bic(best, len(x), floor):
                best, refused, found = trial, set(), True
                break
            refused.add((place, value))
    one_number = trained(trees.shared(best.tree), x, y, 20)
    return min(best, one_number, key=lambda one: bic(one, len(x), floor))


def _proposals(theta: FloatArray, refused: set[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    """Return places and simple values: first those that are reached, then zeros."""
    found = []
    for place, value in enumerate(theta.tolist()):
        size = max(abs(value), SMALLEST)
        for simple in {0.0, float(np.sign(value)), round(value) + 0.0, 0.5 * round(2.0 * value)}:
            distance = min(abs(value - simple) / size, abs(value) if simple == 0.0 else np.inf)
            if (place, simple) not in refused and abs(simple) < 1e6:
                is_far = distance > 1e-3
                found.append((is_far, is_far and simple != 0.0, distance, place, float(simple)))
    return [one[3:] for one in sorted(found)]
