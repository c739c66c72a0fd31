"""Smooth models of samples, from which slices and symmetries are read.

Let T_m be the Chebyshev polynomials, in inputs that are scaled to [-1, 1]. For a transform g, such
as the identity, log, 1/f or f^2, two models of the values f follow by linear least squares:

    (D20)  sum of curves   g(f) = c + sum over i and m <= M of c_im T_m(x_i)
    (D21)  polynomial      g(f) = sum over m_1 + ... + m_n <= M of c_m T_{m_1}(x_1) ... T_{m_n}(x_n)

An error of f becomes one of g(f) by the factor |g'(f)|, so each sample has the weight 1 / |g'(f)|.
The columns are in the order of their degrees. With one QR factorization B = Q R of all of them, the
leading m x m block of R and the first m entries of Q^T g solve the problem of the first m columns,
for every m. Held-out samples choose the transform and the degree.

A network of splines on standardised samples is the third model, trained on finer and finer grids
while that lowers the held-out error. The model with the smallest error is taken; of nearly equal
ones the simplest. Its error is the scale of every later comparison. It need not be small: a form is
recognised, and the numbers are trained on the samples afterwards.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.fits import Late, never
from kan_ref.functions import lookup
from kan_ref.network import Network, extend_grid, network_values
from kan_ref.training import Scaler, best_start, fit, hold_out, scaled, spread_order

HELD_OUT = 0.2  # of the samples
MOST_DEGREE = 20
MOST_COLUMNS = 0.4  # of the number of samples
FIRST_DEGREE = 6  # of the comparison of transforms
N_BEST = 3  # transforms that are fitted with all degrees
ROUNDING = 1e-13  # of the standard deviation: errors below it are equal
PLAIN = 1.05  # a simpler model may have an error this many times as large
SMALL = 1e-4  # of the standard deviation: beside a model this near the network may be coarse
LADDER = (5, 10, 20, 40)  # intervals of the splines
MOST_EDGES = 200  # of the network: a step costs the third power of their number
MOST_NUMBERS = 0.6  # of the number of samples: finer grids are not tried
SMOOTHNESS = 1e-8
Values = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Transform:
    """A function g, its derivative, and the name of its inverse: f = sign inverse(g(sign f)).

    `price`: how much less likely it is than the identity, in powers of ten, roughly.
    """

    name: str
    g: Values
    slope: Values
    inverse: str
    price: float
    domain: tuple[float, float] = (-np.inf, np.inf)

    def is_defined(self, sign: float, f: FloatArray) -> bool:
        """Return whether g(sign f) is defined at all values; an odd or even g needs no sign -1."""
        low, high = self.domain
        inside = sign * f
        return (sign > 0.0 or low >= 0.0) and bool(inside.min() > low and inside.max() < high)


def _logit(f: FloatArray) -> FloatArray:
    return np.asarray(np.log(f / (1.0 - f)))


POSITIVE, UNIT = (0.0, np.inf), (-1.0, 1.0)
TRANSFORMS = (
    Transform("f", lambda f: f, np.ones_like, "x", 0.0),
    Transform("log", np.log, lambda f: 1.0 / f, "exp", 1.0, POSITIVE),
    Transform("1/f", lambda f: 1.0 / f, lambda f: -1.0 / f**2, "1/x", 1.0, POSITIVE),
    Transform("f^2", np.square, lambda f: 2.0 * f, "sqrt", 1.0, POSITIVE),
    Transform("sqrt", np.sqrt, lambda f: 0.5 / np.sqrt(f), "x^2", 1.5, POSITIVE),
    Transform("exp", np.exp, np.exp, "log", 1.5, (-30.0, 30.0)),
    Transform("1/f^2", lambda f: 1.0 / f**2, lambda f: -2.0 / f**3, "1/sqrt", 1.5, POSITIVE),
    Transform("sin", np.sin, np.cos, "arcsin", 2.0, (-0.5 * np.pi, 0.5 * np.pi)),
    Transform("arcsin", np.arcsin, lambda f: 1.0 / np.sqrt(1.0 - f**2), "sin", 2.0, UNIT),
    Transform("arctanh", np.arctanh, lambda f: 1.0 / (1.0 - f**2), "tanh", 2.0, UNIT),
    Transform("logit", _logit, lambda f: 1.0 / (f * (1.0 - f)), "sigmoid", 2.0, (0.0, 1.0)),
    Transform("tan", np.tan, lambda f: 1.0 / np.cos(f) ** 2, "arctan", 2.5, (-1.57, 1.57)),
)


@dataclass(frozen=True, eq=False)
class Model:
    """A function of points (batch, n_in), its held-out error and its count of numbers."""

    what: str
    f: Values
    error: float
    n_numbers: int


# --- linear models


@dataclass(frozen=True, eq=False)
class _Basis:
    """Products of Chebyshev polynomials of the degrees (n_columns, n_in) on a box."""

    powers: np.ndarray
    low: FloatArray
    high: FloatArray

    def columns(self, x: FloatArray, n_columns: int | None = None) -> FloatArray:
        """Compute the first columns at x (batch, n_in)."""
        powers = self.powers[:n_columns]
        t = (2.0 * x - self.low - self.high) / (self.high - self.low)
        found = np.ones((len(x), len(powers)))
        for i in range(x.shape[1]):
            used = np.flatnonzero(powers[:, i])  # the other columns have the factor T_0 = 1
            if used.size:
                degrees = powers[used, i]
                found[:, used] *= chebyshev.chebvander(t[:, i], int(degrees.max()))[:, degrees]
        return found


def _degrees(n_in: int, most: float) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the degrees of the columns (D20) and (D21), at most about `most` columns."""
    eye = np.eye(n_in, dtype=int)
    curves = [m * eye for m in range(1, MOST_DEGREE + 1) if 1 + m * n_in <= most]
    yield "a sum of curves", np.vstack([np.zeros((1, n_in), dtype=int), *curves])
    rows = [np.zeros(n_in, dtype=int)]
    for degree in range(1, MOST_DEGREE + 1):
        chosen = combinations_with_replacement(range(n_in), degree)
        new = [eye[list(one)].sum(axis=0) for one in chosen]
        if len(rows) + len(new) > max(most, 1 + n_in):
            break
        rows += new
    yield "a polynomial", np.array(rows)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Columns at the samples to fit and at those held out, with values and weights of both."""

    what: str
    basis: _Basis
    x: tuple[FloatArray, FloatArray]
    y: tuple[FloatArray, FloatArray]
    weight: tuple[FloatArray, FloatArray]

    @cached_property
    def columns(self) -> list[FloatArray]:
        """The columns at both."""
        return [self.basis.columns(x) for x in self.x]

    def models(self, transform: Transform, sign: float, most: int) -> Iterator[Model]:
        """Yield the model of each degree up to `most`, as long as the samples determine it."""
        degrees = self.basis.powers.sum(axis=1)
        n_columns = int(np.searchsorted(degrees, most, side="right"))
        columns, held = (table[:, :n_columns] for table in self.columns)
        with np.errstate(all="ignore"):
            g = transform.g(sign * self.y[0])
            weight = self.weight[0] / np.abs(transform.slope(sign * self.y[0]))
        if not (np.isfinite(g).all() and np.isfinite(weight).all()):
            return
        q, r = np.linalg.qr(columns * weight[:, None])
        diagonal, target = np.abs(np.diag(r)), q.T @ (g * weight)
        inverse, inside = lookup(transform.inverse).f, transform.name
        inside = "f" if inside == "f" else f"{inside} of f"
        for degree in range(1, int(degrees[n_columns - 1]) + 1):
            m = int(np.searchsorted(degrees, degree, side="right"))
            if m > len(r) or diagonal[:m].min() <= 1e-12 * diagonal.max():
                return
            coef = np.linalg.solve(r[:m, :m], target[:m])

            def f(points: FloatArray, coef: FloatArray = coef, m: int = m) -> FloatArray:
                with np.errstate(all="ignore"):
                    return np.asarray(sign * inverse(self.basis.columns(points, m) @ coef))

            with np.errstate(all="ignore"):
                rest = self.weight[1] * (sign * inverse(held[:, :m] @ coef) - self.y[1])
                error = float(np.sqrt(np.mean(rest**2)))
            if np.isfinite(error):
                yield Model(f"{inside} as {self.what} of degree {degree}", f, error, m)


def linear_models(
    x: FloatArray, y: FloatArray, weight: FloatArray | None = None, late: Late = never
) -> list[Model]:
    """Return the best sum of curves and the best polynomial of samples x (n, n_in), y (n,).

    `weight` (n,) multiplies the error of each sample. A model that is undefined at a sample is
    left out, and so is what is not finished when the time is over.
    """
    held = np.zeros(len(x), dtype=bool)
    held[spread_order(len(x))[: int(HELD_OUT * len(x))]] = True
    weight = np.ones(len(y)) if weight is None else np.abs(weight)
    parts = [(one[~held], one[held]) for one in (x, y, weight)]
    floor = ROUNDING * float(np.std(weight * y))
    found = []
    for what, powers in _degrees(x.shape[1], MOST_COLUMNS * float((~held).sum())):
        problem = _Problem(what, _Basis(powers, x.min(axis=0), x.max(axis=0)), *parts)
        first: list[tuple[float, int, Transform, float]] = []
        for transform in TRANSFORMS:
            for sign in (1.0, -1.0):
                if transform.is_defined(sign, y) and not late():
                    errors = [one.error for one in problem.models(transform, sign, FIRST_DEGREE)]
                    price = 1.5**transform.price
                    first += [(min(errors) * price, len(first), transform, sign)] if errors else []
        models = [
            model
            for _, _, transform, sign in sorted(first)[:N_BEST]
            for model in ([] if late() else problem.models(transform, sign, MOST_DEGREE))
        ]
        while models:
            best = simplest(models, floor)
            if np.isfinite(best.f(x)).all():
                found.append(best)
                break
            models.remove(best)
    return found


def simplest(models: list[Model], floor: float) -> Model:
    """Return the first model whose error is near the smallest one; below `floor` all are equal."""
    least = max(min(model.error for model in models), floor)
    return next(model for model in models if model.error <= PLAIN * least)


# --- the network


def network_model(
    x: FloatArray, y: FloatArray, rng: np.random.Generator, *, is_coarse: bool, late: Late = never
) -> tuple[Model, Network, Scaler]:
    """Return a network of splines for samples x (n, n_in), y (n,), as a model of the user's units.

    It is [n_in, 2 n_in + 1, 1], of one input a single edge; a coarse one is smaller.
    """
    n_in = x.shape[1]
    data, scaler = scaled(Data(x, y[:, None], x[:0], y[:0, None]))
    part = hold_out(data, HELD_OUT)
    n_hidden = min(n_in + 1 if is_coarse else 2 * n_in + 1, max(1, MOST_EDGES // (n_in + 1)))
    options: Any = {"smoothness_weight": SMOOTHNESS, "callback": lambda *_: late()}
    start = best_start(
        (n_in, n_hidden, 1) if n_in > 1 else (1, 1),
        part,
        n_starts=1 if is_coarse else 3,
        n_intervals=LADDER[0],
        degree=3,
        rng=rng,
        n_steps=12 if is_coarse else 30,
        **options,
    )
    best, least = start, np.inf
    for n_intervals in LADDER[:1] if is_coarse and n_in > 1 else LADDER:
        network = start if n_intervals == LADDER[0] else extend_grid(best, n_intervals=n_intervals)
        if len(network.theta) > MOST_NUMBERS * len(part.x_train) and n_intervals > LADDER[0]:
            break
        run = fit(network, part, n_steps=12 if is_coarse else 25, **options)
        if run.interrupted:
            raise KeyboardInterrupt
        error = float(run.test_rmse)
        if not error < 0.9 * least:
            break
        best, least = run.network, error
    assert scaler.y_scale is not None
    error, n_numbers = least * float(scaler.y_scale[0]), len(best.theta)

    def f(points: FloatArray) -> FloatArray:
        return np.asarray(scaler.inverse_y(network_values(best, scaler.transform_x(points)))[:, 0])

    return Model("a network on standardized samples", f, error, n_numbers), best, scaler


def model_of(
    x: FloatArray,
    y: FloatArray,
    rng: np.random.Generator,
    *,
    is_part: bool = False,
    late: Late = never,
) -> tuple[Model, Network | None, Scaler | None]:
    """Return the best model of samples x (n, n_in), y (n,), and the network with its scaler.

    Of a part of a problem whose linear models are near, no network is trained.
    """
    spread = float(np.std(y))
    models = linear_models(x, y, late=late)
    is_near = min((one.error for one in models), default=np.inf) <= SMALL * spread
    if is_part and is_near:
        return simplest(models, ROUNDING * spread), None, None
    network, splines, scaler = network_model(x, y, rng, is_coarse=is_near, late=late)
    return simplest([*models, network], ROUNDING * spread), splines, scaler
