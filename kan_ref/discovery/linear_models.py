"""Models that linear least squares fit to samples: sums of curves, and polynomials of all inputs.

Let T_m be the Chebyshev polynomials, in inputs that are scaled to [-1, 1]. For a transform g, such
as the identity, log, 1/f or f^2, two models of the values f are

    (D20)  sum of curves   g(f) = c + sum over i and m <= M of c_im T_m(x_i)
    (D21)  polynomial      g(f) = sum over m_1 + ... + m_n <= M of c_m T_{m_1}(x_1) ... T_{m_n}(x_n)

Inputs that are positive and span a wide range may be replaced by their logarithms: log x, powers
of x and 1 / x are polynomials of low degree in log x, nearly or exactly, but not in x.

An error of f becomes one of g(f) by the factor |g'(f)|, so each sample has the weight 1 / |g'(f)|.
The columns are in the order of their degrees. With one QR factorization B = Q R of all of them, the
leading m x m block of R and the first m entries of Q^T g solve the problem of the first m columns,
for every m. Held-out samples choose the transform and the degree. Where the values are noisy, the
errors of all models are near the noise, and the simplest of them is taken.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.discovery.slices import TRANSFORMS, Transform
from kan_ref.functions import lookup
from kan_ref.training import spread_order

HELD_OUT = 0.2  # of the samples
MOST_DEGREE = 20
MOST_COLUMNS = 0.4  # of the number of samples
FIRST_DEGREE = 6  # of the comparison of transforms
N_BEST = 3  # transforms that are fitted with all degrees
ROUNDING = 1e-13  # of the standard deviation: errors below it are equal
WIDE = 5.0  # the ratio of the largest and the smallest value of an input with a logarithm
SMALL = 1e-6  # of the standard deviation: a model this near needs no logarithms beside it
DEGREES_OF_SLOPE = (8, 12, 16, 20, 24, 30, 36)  # of a polynomial for derivatives
FEWEST_VALUES = 30  # of x, to fit a polynomial of degree 8
PLAIN = 1.05  # a simpler model may have an error this many times as large


@dataclass(frozen=True, eq=False)
class Model:
    """A function of points (batch, n_in), and its root mean square error on held-out samples."""

    what: str
    f: Callable[[FloatArray], FloatArray]
    error: float


@dataclass(frozen=True, eq=False)
class _Basis:
    """Products of Chebyshev polynomials; row r of `powers` (n_columns, n_in) has the degrees.

    `is_log` (n_in,) tells which inputs are replaced by their logarithms; `low` and `high` are those
    of the samples.
    """

    powers: np.ndarray
    low: FloatArray
    high: FloatArray
    is_log: np.ndarray

    def columns(self, x: FloatArray, n_columns: int | None = None) -> FloatArray:
        """Compute the first columns at x (batch, n_in)."""
        powers = self.powers[:n_columns]
        low, high = self._scale(self.low), self._scale(self.high)
        t = (2.0 * self._scale(x) - low - high) / (high - low)
        found = np.ones((len(x), len(powers)))
        for i in range(x.shape[1]):
            used = np.flatnonzero(powers[:, i])  # the other columns have the factor T_0 = 1
            if used.size:
                degrees = powers[used, i]
                every = np.polynomial.chebyshev.chebvander(t[:, i], int(degrees.max()))
                found[:, used] *= every[:, degrees]
        return found

    def _scale(self, x: FloatArray) -> FloatArray:
        """Return x with the logarithms of some inputs."""
        positive = np.where(self.is_log, np.maximum(x, 0.5 * self.low), 1.0)
        return np.where(self.is_log, np.log(positive), x)

    @property
    def degrees(self) -> np.ndarray:
        """The total degree of each column, nondecreasing."""
        return np.asarray(self.powers.sum(axis=1))


def _curves(x: FloatArray, most: float, is_log: np.ndarray) -> _Basis:
    """Return the columns (D20) of a sum of curves."""
    n_in = x.shape[1]
    rows = [np.zeros(n_in, dtype=int)]
    for degree in range(1, MOST_DEGREE + 1):
        if 1 + degree * n_in > most:
            break
        rows += list(degree * np.eye(n_in, dtype=int))
    return _Basis(np.array(rows), x.min(axis=0), x.max(axis=0), is_log)


def _polynomial(x: FloatArray, most: float, is_log: np.ndarray) -> _Basis:
    """Return the columns (D21) of a polynomial of all inputs."""
    n_in = x.shape[1]
    rows: list[np.ndarray] = []
    for degree in range(MOST_DEGREE + 1):
        new = [
            np.bincount(chosen, minlength=n_in) if chosen else np.zeros(n_in, dtype=int)
            for chosen in combinations_with_replacement(range(n_in), degree)
        ]
        if len(rows) + len(new) > max(most, 1 + n_in):
            break
        rows += new
    return _Basis(np.array(rows), x.min(axis=0), x.max(axis=0), is_log)


def _transforms(y: FloatArray) -> Iterator[tuple[Transform, float]]:
    """Yield the transforms that are defined at all values, with the sign of f."""
    for transform in TRANSFORMS:
        for sign in (1.0, -1.0):
            two_sided = transform.domain[0] < 0.0
            inside = sign * y
            low, high = transform.domain
            if (sign > 0.0 or not two_sided) and inside.min() > low and inside.max() < high:
                yield transform, sign


@dataclass(frozen=True, eq=False)
class _Problem:
    """Columns, samples to train on and held-out samples."""

    basis: _Basis
    x: FloatArray
    y: FloatArray
    weight: FloatArray
    x_held: FloatArray
    y_held: FloatArray
    weight_held: FloatArray

    def models(
        self, transform: Transform, sign: float, what: str, most: int
    ) -> Iterator[tuple[int, Model]]:
        """Yield the degree and the model of each degree up to `most`."""
        degrees = self.basis.degrees
        n_columns = int(np.searchsorted(degrees, most, side="right"))
        columns = self.basis.columns(self.x, n_columns)
        held = self.basis.columns(self.x_held, n_columns)
        with np.errstate(all="ignore"):
            g = transform.g(sign * self.y)
            weight = self.weight / np.abs(transform.slope(sign * self.y))
        if not (np.isfinite(g).all() and np.isfinite(weight).all()):
            return
        q, r = np.linalg.qr(columns * weight[:, None])
        diagonal = np.abs(np.diag(r))
        target = q.T @ (g * weight)
        inverse = lookup(transform.inverse).f
        for degree in range(1, int(degrees[n_columns - 1]) + 1):
            m = int(np.searchsorted(degrees, degree, side="right"))
            if m > len(r) or diagonal[:m].min() <= 1e-12 * diagonal.max():
                return  # the samples do not determine the coefficients
            coef = np.linalg.solve(r[:m, :m], target[:m])

            def f(points: FloatArray, coef: FloatArray = coef, m: int = m) -> FloatArray:
                with np.errstate(all="ignore"):
                    return np.asarray(sign * inverse(self.basis.columns(points, m) @ coef))

            with np.errstate(all="ignore"):
                residual = self.weight_held * (sign * inverse(held[:, :m] @ coef) - self.y_held)
                error = float(np.sqrt(np.mean(residual**2)))
            if np.isfinite(error):
                inside = "f" if transform.name == "f" else f"{transform.name} of f"
                yield degree, Model(f"{inside} as {what} of degree {degree}", f, error)


def linear_models(
    x: FloatArray,
    y: FloatArray,
    weight: FloatArray | None = None,
    deadline: float = np.inf,
) -> list[Model]:
    """Return models of samples x (n, n_in), y (n,): the best sum of curves, the best polynomial.

    Where these are not near, the best of both follow with logarithms of wide inputs.

    The errors are those on held-out samples, a fifth of all; `weight` (n,) multiplies the error of
    each sample. A model is absent if it is undefined at a sample, or if it is not finished
    at the deadline.
    """
    held = np.zeros(len(x), dtype=bool)
    held[spread_order(len(x))[: int(HELD_OUT * len(x))]] = True
    most = MOST_COLUMNS * float((~held).sum())
    low, high = x.min(axis=0), x.max(axis=0)
    is_wide = (low > 0.0) & (high > WIDE * low)
    weight = np.ones(len(y)) if weight is None else np.abs(weight)
    spread = float(np.std(weight * y))
    found: list[Model] = []
    for is_log in (np.zeros_like(is_wide), is_wide) if is_wide.any() else (is_wide,):
        if any(model.error <= SMALL * spread for model in found):
            break
        inside = " of logarithms" if is_log.any() else ""
        for basis, what in (
            (_curves(x, most, is_log), f"a sum of curves{inside}"),
            (_polynomial(x, most, is_log), f"a polynomial{inside}"),
        ):
            problem = _Problem(
                basis, x[~held], y[~held], weight[~held], x[held], y[held], weight[held]
            )
            models = [
                # an inverse such as the logarithm may be undefined at samples that are not held out
                model
                for model in _best_models(problem, what, deadline)
                if time.monotonic() <= deadline and np.isfinite(model.f(x)).all()
            ]
            if models:
                found.append(simplest(models, ROUNDING * spread))
    return found


def _best_models(problem: _Problem, what: str, deadline: float) -> list[Model]:
    """Return the models of all degrees, with the transforms that suit low degrees best.

    After the deadline no further transform is tried.
    """
    first = []
    for transform, sign in _transforms(np.concatenate([problem.y, problem.y_held])):
        if time.monotonic() > deadline:
            return []
        models = [model for _, model in problem.models(transform, sign, what, FIRST_DEGREE)]
        if models:
            error = min(model.error for model in models)
            first.append((error * 1.5**transform.price, transform, sign))
    first.sort(key=lambda one: one[0])
    return [
        model
        for _, transform, sign in first[:N_BEST]
        if time.monotonic() <= deadline
        for _, model in problem.models(transform, sign, what, MOST_DEGREE)
    ]


def simplest(models: list[Model], floor: float = 0.0) -> Model:
    """Return the first model whose error is near the smallest one; below `floor` all are equal."""
    least = max(min(model.error for model in models), floor)
    return next(model for model in models if model.error <= PLAIN * least)


def with_slopes(t: FloatArray, y: FloatArray, floor: float, order: int) -> tuple[FloatArray, float]:
    """Return samples t in [-1, 1], and a polynomial near y (n,) with derivatives up to an order.

    A degree too high oscillates between the samples: polynomials through every second one are
    compared at the others, and their smallest error is returned, too. The rows (order + 2, m) lack
    samples whose leverage is above a half, and their neighbours: where samples are few, the
    polynomial follows each of them.
    """
    best, chosen = np.inf, DEGREES_OF_SLOPE[0]
    for degree in DEGREES_OF_SLOPE:
        if best <= 2.0 * floor or degree > len(np.unique(t)) // 3:
            break
        table = chebyshev.chebvander(t, degree)
        some = np.linalg.lstsq(table[::2], y[::2], rcond=1e-13)[0]
        error = float(np.std(table[1::2] @ some - y[1::2]))
        if error < 0.7 * best:
            best, chosen = error, degree
    table = chebyshev.chebvander(t, chosen)
    coef = np.linalg.lstsq(table, y, rcond=1e-13)[0]
    alone = np.sum(np.linalg.qr(table)[0] ** 2, axis=1) > 0.5
    t = t[np.convolve(alone, np.ones(3), "same") == 0.0]
    found = [chebyshev.chebval(t, chebyshev.chebder(coef, n)) for n in range(order + 1)]
    return np.stack([t, *found]), best
