"""Train the numbers of candidate formulas, choose the best, and make its numbers simple.

The numbers theta of a tree minimise the mean squared error. They may have any units, so the
optimizer works with z = theta / s, s = 1 / (norm of the column of the Jacobian): each number then
changes the values alike (Marquardt 1963).

Candidates are trained in two rounds: all of them a little on some samples, the best of them fully
on all. A number of the best one is set to 0, 1, -1, another integer or a half, the
others are trained again, and that is kept where the data allow it: on clean data if the error
stays, on noisy data if the Bayesian information criterion falls.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.powers import rescaled
from kan_ref.discovery.trees import (
    Apply,
    Input,
    Number,
    Product,
    Sum,
    Tree,
    absorbed,
    add,
    apply,
    complexity,
    fixed,
    inputs_of,
    linearize,
    multiply,
    numbers,
    uncentred,
    values,
    with_fixed,
    with_numbers,
)
from kan_ref.optimizers import Steps, levenberg_marquardt

ROUNDING = 1e-15  # of the targets' size: smaller errors are equal
SMALLEST = 1e-300
FIRST_SAMPLES = 200
MOST_FIRST = 40
MOST_SECOND = 4
NEARLY = 1e-6  # of the standard deviation of y: a smaller error may be one of training alone
ALIKE = 3.0  # errors of exact formulas differ by rounding alone


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
    return _finished(best, x, y, least)


def _finished(fitted: Fitted, x: FloatArray, y: FloatArray, least: float) -> Fitted:
    """Take Gauss-Newton steps while each halves a small error at least.

    Near a solution without residual they square the error, while damping, which starts again after
    each 10 steps, holds back numbers whose changes nearly cancel. Redundant numbers get the
    shortest step.
    """
    tree, rmse = fitted.tree, fitted.rmse
    while least < rmse <= NEARLY * float(np.std(y)):
        value, jacobian = linearize(tree, x)
        with np.errstate(all="ignore"):
            norms = np.sqrt(np.sum(jacobian**2, axis=0))
            scales = 1.0 / np.where(norms > 0.0, norms, np.inf)
            scaled = jacobian * scales
        if not np.isfinite(scaled).all():
            break
        step = scales * np.linalg.lstsq(scaled, y - value, rcond=None)[0]
        trial = with_numbers(tree, numbers(tree) + step)
        error = rmse_of(trial, x, y)
        if not error <= 0.5 * rmse:
            break
        tree, rmse = trial, error
    return Fitted(tree, rmse)


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
    rest = np.inf
    for point in Steps(levenberg_marquardt(at, np.zeros(len(theta)), residuals), n_steps):
        if point.value >= (1.0 - 1e-6) * rest:
            break
        rest = point.value
    new = with_numbers(tree, theta + scale * point.theta)
    return Fitted(new, rmse_of(new, x, y))


def bic(fitted: Fitted, n_samples: int, floor: float) -> float:
    """Return the Bayesian information criterion with a price on complexity; lower is better.

    Errors below `floor` are equal.
    """
    n = numbers(fitted.tree).size
    error = max(fitted.rmse, floor, SMALLEST)
    price = np.log(n_samples) * (n + 0.5 * fitted.complexity)
    return float(2.0 * n_samples * np.log(error) + price)


def best_fits(trees: Sequence[Tree], x: FloatArray, y: FloatArray, noise: float) -> list[Fitted]:
    """Return the best candidates, trained on all samples, the best by (BIC) first."""
    some = slice(None, None, max(1, len(x) // FIRST_SAMPLES))
    first = [polished(tree, x[some], y[some], n_steps=20) for tree in trees[:MOST_FIRST]]
    n = len(x[some])
    first.sort(key=lambda one: bic(one, n, noise))
    second = [polished(one.tree, x, y, n_steps=60) for one in first[:MOST_SECOND]]
    second = [one for one in second if np.isfinite(one.rmse)]
    return sorted(second, key=lambda one: bic(one, len(x), noise))


def simplified(
    fitted: Fitted, x: FloatArray, y: FloatArray, floor: float, deadline: float = np.inf
) -> Fitted:
    """Return the formula with as many simple numbers as the data allow before the deadline.

    Parts with one value at all samples become numbers, and |u| becomes u or -u where u has one sign
    at all samples. `floor`: errors below it are equal.
    """
    tree = absorbed(as_at_samples(fitted.tree, x))
    plain = uncentred(tree)
    tree = plain if rmse_of(plain, x, y) <= max(ALIKE * fitted.rmse, floor) else tree
    best = Fitted(tree, rmse_of(tree, x, y))
    outside = True
    while outside:  # each time with a lower criterion
        outside = False
        for tree in rescaled(best.tree):
            trial = polished(tree, x, y, n_steps=20) if time.monotonic() <= deadline else best
            if _allowed(trial, best, len(x), floor):
                best, outside = trial, True
                break
    refused: set[tuple[int, float]] = set()
    for _ in range(60):
        tree = as_at_samples(best.tree, x)
        best = Fitted(tree, rmse_of(tree, x, y))
        theta = numbers(best.tree)
        for place, value in _proposals(theta, refused):
            if time.monotonic() > deadline:
                return best
            tree = absorbed(with_fixed(best.tree, place, value))
            trial = polished(tree, x, y, n_steps=20)
            if _allowed(trial, best, len(x), floor):
                best, refused = trial, set()
                break
            refused.add((place, value))
        else:
            return best
    return best


def as_at_samples(tree: Tree, x: FloatArray) -> Tree:
    """Return the tree without what x (n, n_in) does not show: varying parts, and kinks of |u|.

    A part with one value becomes a number, such as cos(exp(-1e4 x)) at samples where it is 1. Where
    u has one sign, |u| becomes u or -u; sqrt(u^2 v) is |u| sqrt(v), too.
    """
    if isinstance(tree, Number | Input):
        return tree
    found = values(tree, x)
    if np.ptp(found) <= ROUNDING * np.abs(found).max() and inputs_of(tree):
        return Number(float(found[0]))
    if isinstance(tree, Apply):
        name, inner = tree.function.name, as_at_samples(tree.part, x)
        plain = _without_moduli(name, inner, x)
        return apply(tree.function, inner) if plain is None else plain
    parts = [as_at_samples(part, x) for part in tree.parts]
    return add(*parts) if isinstance(tree, Sum) else multiply(*parts)


def _without_moduli(name: str, inner: Tree, x: FloatArray) -> Tree | None:
    """Return |u|, or sqrt(u^2 v) with v > 0 at x, without a modulus; None where that is wrong."""
    rest: list[Tree] = []
    moduli = [inner] if name == "abs" else []
    if name == "sqrt":
        factors = inner.parts if isinstance(inner, Product) else (inner,)
        squares = [one for one in factors if isinstance(one, Apply) and one.function.name == "x^2"]
        moduli = [one.part for one in squares if isinstance(one, Apply)]
        rest = [one for one in factors if one not in squares]
    at = [values(u, x) for u in moduli]
    v = multiply(*rest)
    one_sign = all(np.all(u >= 0.0) or np.all(u <= 0.0) for u in at)
    if not (moduli and one_sign and np.all(values(v, x) > 0.0)):
        return None
    sign = float(np.prod([1.0 if u.max() > 0.0 else -1.0 for u in at]))
    root = Number(float(np.sqrt(v.value)), v.fixed) if isinstance(v, Number) else apply("sqrt", v)
    return multiply(fixed(sign), *moduli, root)


def _allowed(new: Fitted, old: Fitted, n: int, floor: float) -> bool:
    return bic(new, n, floor) < bic(old, n, floor)


def _proposals(theta: FloatArray, refused: set[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    """Return places and simple values: first those that are reached, then zeros, then the nearest.

    Where numbers are redundant, all values are possible, and zeros make the formula shorter.
    """
    found = []
    for place, value in enumerate(theta.tolist()):
        size = max(abs(value), 1e-300)
        nearest = {0.0, float(np.sign(value)), float(np.round(value)), 0.5 * np.round(2.0 * value)}
        for simple in nearest:
            distance = abs(value - simple) / size
            if simple == 0.0:
                distance = min(distance, abs(value))
            if (place, simple) not in refused and abs(simple) < 1e6:
                is_far = distance > 1e-3
                found.append((is_far, is_far and simple != 0.0, distance, place, float(simple)))
    return [one[3:] for one in sorted(found)]
