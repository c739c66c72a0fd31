"""Train candidate formulas on the data, replace their numbers by simple ones, and choose.

Candidates are trained in two rounds: all of them a little on some samples, the best of them fully
on all. A number of the best one is set to 0, 1, -1, another integer, a half or a multiple of pi,
the others are trained again, and that is kept where the data allow it: on clean data if the error
stays, on noisy data if the Bayesian information criterion falls.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.polish import ROUNDING, Fitted, bic, polished, rmse_of
from kan_ref.discovery.trees import Tree, absorbed, numbers, with_fixed

FIRST_SAMPLES = 200
MOST_FIRST = 40
MOST_SECOND = 4
EXACT = 1e-11  # of the standard deviation of y
ALIKE = 3.0  # errors of exact formulas differ by rounding alone


def best_fits(trees: Sequence[Tree], x: FloatArray, y: FloatArray, noise: float) -> list[Fitted]:
    """Return the best candidates, trained on all samples, the best by (BIC) first."""
    some = slice(None, None, max(1, len(x) // FIRST_SAMPLES))
    first = [polished(tree, x[some], y[some], n_steps=20) for tree in trees[:MOST_FIRST]]
    first = [one for one in first if np.isfinite(one.rmse)]
    n = len(x[some])
    first.sort(key=lambda one: bic(one, n, noise))
    second = [polished(one.tree, x, y, n_steps=60) for one in first[:MOST_SECOND]]
    second = [one for one in second if np.isfinite(one.rmse)]
    return sorted(second, key=lambda one: bic(one, len(x), noise))


def simplified(fitted: Fitted, x: FloatArray, y: FloatArray, floor: float) -> Fitted:
    """Return the formula with as many simple numbers as the data allow.

    `floor`: errors below it are equal.
    """
    tree = absorbed(fitted.tree)
    best = Fitted(tree, rmse_of(tree, x, y))
    refused: set[tuple[int, float]] = set()
    for _ in range(60):
        theta = numbers(best.tree)
        new = None
        for place, value in _proposals(theta, refused):
            tree = absorbed(with_fixed(best.tree, place, value))
            trial = polished(tree, x, y, n_steps=20)
            if _allowed(trial, best, len(x), floor):
                new = trial
                break
            refused.add((place, value))
        if new is None:
            return best
        best, refused = new, set()
    return best


def _allowed(new: Fitted, old: Fitted, n: int, floor: float) -> bool:
    if not np.isfinite(new.rmse):
        return False
    return bic(new, n, floor) < bic(old, n, floor)


def _proposals(theta: FloatArray, refused: set[tuple[int, float]]) -> Iterable[tuple[int, float]]:
    """Yield places and simple values: first those that are reached, then zeros, then the nearest.

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
    for _, _, _, place, simple in sorted(found):
        yield place, simple


def floor_of(y: FloatArray, noise: float) -> float:
    """Return the error below which formulas are equal: rounding, or the noise."""
    return max(noise, 10.0 * ROUNDING * float(np.abs(y).max()))


__all__ = ["EXACT", "best_fits", "floor_of", "rmse_of", "simplified"]
