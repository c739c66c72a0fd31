"""Symmetries of scale: inputs that count only by their ratios or products, beside a power.

By Euler's theorem on homogeneous functions

    (D31)   f(s^{a_1} x_1, ..., s^{a_n} x_n) = s^c f(x) for all s   if and only if
            a_1 x_1 f_1 + ... + a_n x_n f_n = c f                   at all points

where f_i is the derivative with respect to x_i. Laws of physics have such symmetries, since they do
not depend on the units. With a_i = 1 the choice s = 1 / x_i leaves a function of one input less,

    (D36)   f(x) = x_i^c g(x_j x_i^{-a_j}, j != i)

for which models of higher degree can be fitted. Without other inputs, a_j = 0, this is a power of
x_i as a factor. Simple weights of up to three inputs, of two if there are more than 10, are tried
in the order of how far the sum in (D31) is from zero beside its terms; f and its derivatives are
those of a model of the samples. A wrong symmetry shows on held-out samples: the error of models of
g, times the power, must be at most that of models of f with all inputs; 0.8 of it for a power of
one input as a factor. An error below 1e-9 of the standard deviation of f is enough by itself.

A single inner input u leaves one curve, but g(u) beside a power is g(u) u^-k beside another one,
and only one of these curves may have a name.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import combinations, product

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import power_of
from kan_ref.discovery.linear_models import Model, linear_models
from kan_ref.discovery.trees import Input, Tree, complexity, multiply

MOST_POINTS = 200
STEP = 0.02  # of the standard deviation of an input, for central differences
ROUND = 0.15  # an exponent is this near to an integer or a half
MOST_EXPONENT = 6.0
MOST_AT_ONCE = 3  # inputs of one symmetry
MOST_INPUTS = 10  # of more, two at once: there are 58,800 triples of 50 inputs with one in front
WEIGHTS = tuple(sign * size for size in (0.5, 1.0, 2.0, 3.0) for sign in (1.0, -1.0))
MOST_TRIED = 20  # symmetries of several inputs, those with the smallest misfit
GAIN = 0.8  # of the error with one input more: noise alone would leave it nearly as it is
SURE = 1e-9  # of the standard deviation of y: smaller errors are equal, and no chance
NEAR = 1.2  # times the least error: noise may be the difference
Values = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Scaling:
    """A symmetry: input `place` has weight 1, the `others` the weights a_j, f the degree c."""

    place: int
    degree: float
    others: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Reduced:
    """f(x) = factor * g(inner inputs), each of them a product of powers of the n_in inputs.

    `factor` (n_in,) and `inner` (n_inner, n_in) are the exponents; `weight` (n,) and `columns`
    (n, n_inner) are their values at the samples, and `error` is that of a model of g.
    """

    factor: FloatArray
    inner: FloatArray
    weight: FloatArray
    columns: FloatArray
    error: float


def reduced(
    f: Values, x: FloatArray, y: FloatArray, most: float, deadline: float = np.inf
) -> Reduced | None:
    """Return samples x (n, n_in), y (n,) as a function of fewer inputs times powers, or None.

    `f` computes values near to y at points (batch, n_in). The symmetry whose model has the smallest
    error is taken, then one of what is left. Those of several inputs are tried whose misfit in
    (D31) is at most `most`. After the deadline none is tried.
    """
    least = min((model.error for model in linear_models(x, y, deadline=deadline)), default=np.inf)
    found, spread = None, float(np.std(y))
    now = Reduced(np.zeros(x.shape[1]), np.eye(x.shape[1]), np.ones(len(y)), x, least)
    while len(now.inner) > 1:
        trials = []
        for scaling in scalings(f, now.columns, most):
            if time.monotonic() > deadline:
                return found
            one = divided(now, scaling)
            if one is not None:
                trials += [
                    (model.error, one, model)
                    for model in linear_models(one.columns, y / one.weight, one.weight, deadline)
                ]
        least = min((error for error, _, _ in trials), default=np.inf)
        near = [trial for trial in trials if trial[0] <= max(NEAR * least, SURE * spread)]
        if not near:
            break
        error, one, model = min(near, key=lambda trial: _price(trial[1], trial[2], y))
        is_power = bool(
            np.isin(one.inner, (0.0, 1.0)).all() and (one.inner.sum(axis=1) == 1.0).all()
        )
        if not error <= max((GAIN if is_power else 1.0) * now.error, SURE * spread):
            break
        found = now = replace(one, error=error)
        f = model.f
    return found


def _price(one: Reduced, model: Model, y: FloatArray) -> tuple[int, float]:
    """Return the complexity and the relative error of g, the smallest of which is preferred.

    Products are simplest. The error is that at the samples, relative to the standard deviation of
    g: with noise, f may not be divided by a power that is small at some samples.
    """
    g = y / one.weight
    spread = float(np.std(g))
    error = float(np.std(model.f(one.columns) - g)) / spread if spread > 0.0 else 0.0
    return sum(complexity(monomial(exponents)) for exponents in (one.factor, *one.inner)), error


def scalings(f: Values, x: FloatArray, most: float) -> Iterator[Scaling]:
    """Yield symmetries that f may have at x (n, n_in), those of one input first.

    One input may have the degree 1, and the one that x_i f_i / f is near. Several have the smallest
    misfits, of at most `most`.
    """
    size = np.abs(f(x))
    size[~np.isfinite(size)] = -1.0  # not among the largest
    points = x[size >= np.median(size)][:MOST_POINTS]  # relative errors of f are small there
    columns = np.empty((len(points), x.shape[1] + 1))
    with np.errstate(all="ignore"):
        for i in range(x.shape[1]):
            step = np.zeros(x.shape[1])
            step[i] = STEP * float(x[:, i].std())
            columns[:, i] = points[:, i] * (f(points + step) - f(points - step)) / (2.0 * step[i])
        columns[:, -1] = f(points)
        for i in range(x.shape[1]):
            exponent = float(np.median(columns[:, i] / columns[:, -1]))
            near = [p for p in _near(exponent) if p and abs(exponent - p) <= ROUND]
            for degree in dict.fromkeys([1.0, *near]):
                yield Scaling(i, degree)
    columns = columns[np.isfinite(columns).all(axis=1)]
    size = np.sqrt(np.sum(columns**2, axis=0))
    if np.isfinite(size).all() and size.min() > 0.0:
        several = nsmallest(MOST_TRIED, _of_several(columns), key=lambda one: one[0])
        yield from (scaling for misfit, scaling in several if misfit <= most)


def _of_several(columns: FloatArray) -> Iterator[tuple[float, Scaling]]:
    """Yield symmetries of several inputs with simple weights, and how far (D31) is from zero."""
    n_in = columns.shape[1] - 1
    squares = columns.T @ columns
    most = MOST_AT_ONCE if n_in <= MOST_INPUTS else 2
    groups = [
        group for size in range(2, min(n_in, most) + 1) for group in combinations(range(n_in), size)
    ]
    for group, place in ((one, place) for one in groups for place in one):
        others = [j for j in group if j != place]
        for weights in product(WEIGHTS, repeat=len(others)):
            a = np.zeros(n_in + 1)
            a[[place, *others]] = 1.0, *weights
            for degree in _near(float(squares[-1] @ a / squares[-1, -1])):
                # [eq:scale-symmetry]
                a[-1] = -degree
                misfit = float(np.sqrt(max(a @ squares @ a, 0.0) / (a**2 @ np.diag(squares))))
                # [/eq:scale-symmetry]
                a[-1] = 0.0
                yield misfit, Scaling(place, degree, tuple(zip(others, weights, strict=True)))


def _near(exponent: float) -> list[float]:
    """Return the nearest integer, and a half where it is near: a poor model shows no more."""
    if not abs(exponent) <= MOST_EXPONENT:
        return []
    half = round(2.0 * exponent) / 2.0
    near = [float(round(exponent))]
    return [*near, half] if half not in near and abs(exponent - half) <= ROUND else near


def divided(now: Reduced, scaling: Scaling) -> Reduced | None:
    """Return the samples without one input, (D36), or None where a power is undefined."""
    base = now.columns[:, scaling.place]
    powers = dict(scaling.others)
    if base.min() <= 0.0 and not all(p.is_integer() for p in (scaling.degree, *powers.values())):
        return None
    places = [j for j in range(len(now.inner)) if j != scaling.place]
    moved = np.array([-powers.get(j, 0.0) for j in places])
    with np.errstate(all="ignore"):
        # [eq:scale-reduction]
        weight = now.weight * base**scaling.degree
        columns = now.columns[:, places] * base[:, None] ** moved
        # [/eq:scale-reduction]
    factor = now.factor + scaling.degree * now.inner[scaling.place]
    inner = now.inner[places] + moved[:, None] * now.inner[scaling.place]
    is_fine = np.isfinite(columns).all() and np.isfinite(weight).all()
    is_simple = np.all(np.mod(2.0 * np.vstack([factor, inner]), 1.0) == 0.0)
    if not (is_fine and is_simple and np.abs(weight).min() > 0.0):
        return None
    return Reduced(factor, inner, weight, columns, np.inf)


def with_other_factors(one: Reduced) -> Iterator[Reduced]:
    """Yield f(x) = factor u^k (g(u) u^-k) for a single inner input u, with factors of fewer inputs.

    Only one of them may leave a curve with a name: of m c^2 (1 / sqrt(1 - v^2 / c^2) - 1), that
    beside m c^2 is plain, and that beside m v^2 is not.
    """
    if len(one.inner) != 1:
        return
    inner, u = one.inner[0], one.columns[:, 0]
    occurs = (inner != 0.0) & (one.factor != 0.0)
    for k in np.unique(-one.factor[occurs] / inner[occurs]):
        with np.errstate(all="ignore"):
            weight = one.weight * u**k
        if np.isfinite(weight).all() and np.abs(weight).min() > 0.0:
            yield replace(one, factor=one.factor + k * inner, weight=weight)


def monomial(exponents: FloatArray) -> Tree:
    """Return a product of powers of the inputs, with integers and halves as exponents."""
    return multiply(*(power_of(Input(i), float(p)) for i, p in enumerate(exponents) if p))


def in_words(exponents: FloatArray, names: Sequence[str]) -> str:
    """Return a product of powers of the inputs as text, such as x_1*x_2^2/x_3."""
    powers = [
        (p > 0.0, name if abs(p) == 1.0 else f"{name}^{abs(p):g}")
        for name, p in zip(names, exponents, strict=True)
        if p
    ]
    above = "*".join(text for is_above, text in powers if is_above) or "1"
    return "/".join([above, *(text for is_above, text in powers if not is_above)])
