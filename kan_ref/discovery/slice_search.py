"""From samples of one output to formulas, by slices of a surrogate.

    surrogate     fit a model to the samples (`surrogate`), and measure its error
    quotients     try quotients of polynomials that all samples lie on (`quotients`)
    scalings      search a formula of fewer inputs, beside a product of powers (`scalings`)
    architecture  split it on slices, and name the curves of one input (`decomposition`)
    numbers       train the numbers of every candidate on the data (`polish`)
    simplify      replace numbers by simple ones where the data allow it (`polish`)

All candidates that were trained on all samples form a front of error against complexity.

Where noise is suspected, a candidate whose residual has structure (`verdict`) is rejected, and the
next one by the Bayesian information criterion is judged. The first way to split the function whose
candidate is not rejected need not have the simplest one, so a second such way is tried.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.curves import floor_of
from kan_ref.discovery.decomposition import NOISY, Decomposer
from kan_ref.discovery.forms import Decision
from kan_ref.discovery.polish import SMALLEST, Fitted, best_fits, bic, rmse_of, simplified
from kan_ref.discovery.quotients import quotients
from kan_ref.discovery.scalings import (
    Reduced,
    in_words,
    monomial,
    reduced,
    with_other_factors,
)
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.surrogate import Surrogate, fit_surrogate, slice_error
from kan_ref.discovery.trees import (
    Number,
    Tree,
    multiply,
    numbers,
    substitute,
    values,
)
from kan_ref.discovery.verdict import EXACT, is_like_noise

MOST_POINTS = 500  # of a surface
PLAIN = 20  # complexity of an exact quotient of polynomials beside which nothing else is tried
MOST_JUDGED = 3  # candidates after each way to split, where noise is suspected
WAYS_WITHIN_NOISE = 2  # to split, after which the search ends where noise is suspected
POOR = 1e-5  # of the standard deviation: with a larger error of the surrogate, scalings come first
SURE = 0.1  # misfit of a symmetry of several inputs that is tried before slices
MOST_BESIDE = 2  # formulas beside powers, besides the best one
INTERRUPTED, TIME_IS_OVER = "interrupted", "the time is over"
MOST_WITHIN_NOISE = 4  # candidates that are simplified where noise is suspected
MOST_EXACT = 3  # exact candidates that are simplified; the simplest is kept


@dataclass(frozen=True, eq=False)
class SliceSearch:
    """What the search found for one output.

    `best` formula; the `front` of all of them, the simplest first; the surrogate; the decisions;
    whether it ended early, in words.
    """

    best: Fitted
    front: tuple[Fitted, ...]
    surrogate: Surrogate
    decisions: tuple[Decision, ...]
    ended: str


def search_by_slices(
    x: FloatArray,
    y: FloatArray,
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    deadline: float = np.inf,
    report: Callable[[Any], None] = lambda decision: None,
) -> SliceSearch:
    """Search formulas for samples x (n, n_in), y (n,); the best so far at the deadline."""
    spread = float(np.std(y))
    floor = floor_of(y, 1e-15 * spread)
    surrogate = fit_surrogate(x, y, rng, deadline=deadline)
    error = surrogate.error
    if error > NOISY * spread and time.monotonic() <= deadline:
        error = min(error, slice_error(surrogate, x, y, rng, deadline))
    decomposer = Decomposer(rng, deadline, report=report)
    pool: list[Fitted] = [Fitted(Number(float(np.mean(y))), spread)]
    rejected: list[Fitted] = []
    n_ways = 0
    ended = ""
    try:
        pool += [one for tree in quotients(x, y) for one in best_fits([tree], x, y, floor)]
        is_plain = any(_is_exact(one, x, spread) and one.complexity <= PLAIN for one in pool)
        surface = _surface_of(surrogate, x, error, y)
        ways = decomposer.plans(surface, names)
        if len(names) > 1:
            scaled = partial(_by_scalings, surrogate, x, y, names, decomposer, [])
            first = scaled(SURE) if surrogate.error > POOR * spread else ()
            ways = chain(first, ways, scaled(np.inf))
        for trees in () if is_plain or decomposer.is_late else ways:
            pool += best_fits(trees, x, y, floor)
            best = min(pool, key=lambda one: bic(one, len(x), floor))
            if _is_exact(best, x, spread):
                break
            if error > NOISY * spread:
                n_ways += _within_noise(pool, rejected, x, y, floor, rng)
                if n_ways == WAYS_WITHIN_NOISE:
                    break
            if time.monotonic() > deadline:
                break
        open_ = [one for one in pool if not n_ways or one not in rejected]
        pool += _simplified(open_, x, y, floor, deadline, MOST_WITHIN_NOISE if n_ways else 1)
    except KeyboardInterrupt:
        ended = INTERRUPTED
        trees = [one.tree for one in decomposer.trained.values()]  # of an interrupted curve
        pool += [Fitted(tree, rmse_of(tree, x, y)) for tree in trees]
    if not ended and time.monotonic() > deadline:
        ended = TIME_IS_OVER
    candidates = [one for one in pool if not n_ways or one not in rejected]
    best = _chosen(candidates, x, floor, spread)
    front = _front(pool, max(floor, EXACT * spread))
    return SliceSearch(best, front, surrogate, tuple(decomposer.decisions), ended)


def _surface_of(
    f: Callable[[FloatArray], FloatArray], points: FloatArray, error: float, samples: FloatArray
) -> Surface:
    """Return a surface on some of the points, with the samples there."""
    return Surface(f, points[:MOST_POINTS], error, samples[:MOST_POINTS])


def _by_scalings(
    surrogate: Surrogate,
    x: FloatArray,
    y: FloatArray,
    names: Sequence[str],
    decomposer: Decomposer,
    known: list[Reduced],
    most: float,
) -> Iterator[list[Tree]]:
    """Yield products of powers times what is found for a function of fewer inputs, once.

    Without noise, a function of one input is also searched beside other powers.
    """
    if known or time.monotonic() > decomposer.deadline:
        return
    found = reduced(surrogate, x, y, most, decomposer.deadline)
    if found is None:
        return
    known.append(found)
    spread = max(float(np.std(y)), SMALLEST)
    is_noisy = found.error > NOISY * spread
    for one in (found, *(() if is_noisy else with_other_factors(found))):
        if time.monotonic() > decomposer.deadline:
            return
        inner_names = [in_words(exponents, names) for exponents in one.inner]
        factor = f"{in_words(one.factor, names)} times " if one.factor.any() else ""
        text = f"{factor}a function of {', '.join(inner_names)}"
        decomposer.note(0, text, one.error / spread, surrogate.error / spread)
        inner = search_by_slices(
            one.columns,
            y / one.weight,
            inner_names,
            decomposer.rng,
            deadline=decomposer.deadline,
            report=decomposer.report,
        )
        decomposer.decisions += [replace(each, depth=each.depth + 1) for each in inner.decisions]
        trees = [each.tree for each in (inner.best, *inner.front[::-1][:MOST_BESIDE])]
        inputs = [monomial(exponents) for exponents in one.inner]
        yield [multiply(monomial(one.factor), substitute(tree, inputs)) for tree in trees]
        if inner.ended == INTERRUPTED:
            raise KeyboardInterrupt


def _within_noise(
    pool: Sequence[Fitted],
    rejected: list[Fitted],
    x: FloatArray,
    y: FloatArray,
    floor: float,
    rng: np.random.Generator,
) -> bool:
    """Return whether one of the best candidates is within noise; add those that are not."""
    for _ in range(MOST_JUDGED):
        rest = [one for one in pool if one not in rejected]
        if not rest:
            return False
        best = min(rest, key=lambda one: bic(one, len(x), floor))
        if is_like_noise(x, y, values(best.tree, x), rng, numbers(best.tree).size):
            return True
        rejected.append(best)
    return False


def _is_exact(one: Fitted, x: FloatArray, spread: float) -> bool:
    """Return whether a candidate is exact, and the samples can test it."""
    p = numbers(one.tree).size
    return one.rmse <= EXACT * spread and len(x) - p >= p / 2


def _tested(pool: Sequence[Fitted], x: FloatArray) -> list[Fitted]:
    """Return the candidates with at least two samples for each number; the mean is one."""
    return [one for one in pool if 2 * numbers(one.tree).size <= len(x)]


def _chosen(pool: Sequence[Fitted], x: FloatArray, floor: float, spread: float) -> Fitted:
    """Return the simplest exact formula, else the best one by BIC with enough samples."""
    exact = [one for one in pool if _is_exact(one, x, spread)]
    if exact:
        return min(exact, key=lambda one: (one.complexity, one.rmse))
    return min(_tested(pool, x) or pool, key=lambda one: bic(one, len(x), floor))


def _simplified(
    pool: Sequence[Fitted], x: FloatArray, y: FloatArray, floor: float, deadline: float, most: int
) -> list[Fitted]:
    """Return simplified forms of the best candidates; several, where several are exact.

    Those that are exact only because they have too many numbers may be right with fewer. Of those
    that are not exact, `most` are simplified.
    """
    spread = float(np.std(y))
    exact = [one for one in pool if one.rmse <= EXACT * spread]
    tasks = [(one, max(floor, 0.1 * EXACT * spread)) for one in exact]
    tasks = sorted(tasks, key=lambda task: task[0].complexity)[:MOST_EXACT]
    if not any(_is_exact(one, x, spread) for one in exact):
        rest = _tested([one for one in pool if one not in exact], x) or pool
        rest = sorted(rest, key=lambda one: bic(one, len(x), floor))
        tasks += [(one, floor) for one in rest[:most]]
    found = []
    for one, least in tasks:
        if time.monotonic() > deadline:
            break
        new = simplified(one, x, y, least, deadline)
        found.append(Fitted(new.tree, rmse_of(new.tree, x, y)))
    return found


def _front(pool: Sequence[Fitted], floor: float) -> tuple[Fitted, ...]:
    """Return the candidates that no simpler one beats in error, the simplest first.

    Errors below `floor` are equal.
    """
    found: list[Fitted] = []
    for one in sorted(pool, key=lambda one: (one.complexity, one.rmse)):
        error = max(one.rmse, floor)
        if np.isfinite(error) and (not found or error < 0.999 * max(found[-1].rmse, floor)):
            found.append(one)
    return tuple(found)
