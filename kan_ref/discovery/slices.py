"""How a function of several inputs splits: measured on slices of a surrogate.

A slice fixes some inputs at a reference point. Let the inputs be split into S and T, let (s0, t0)
be the reference point and f(S, t0), f(s0, T) two slices. On many points compare f(S, T) with

    (D14)  sum       f(S, t0) + f(s0, T) - f(s0, t0)
    (D15)  product   (f(S, t0) - k) (f(s0, T) - k) / (f(s0, t0) - k) + k
    (D16)  affine    f(S, t0) + (f(S, t1) - f(S, t0)) u(T),   u(T) = (f(s0, T) - f00) / (f01 - f00)

The offset k of (D15) follows from (u - k)(v - k) = (f - k)(f00 - k), which is linear in k:

    (D17)  k (u + v - f - f00) = u v - f f00,     u = f(S, t0), v = f(s0, T)

The same tests are made for g(f) with g = log, 1/f, f^2, ...: a split of g(f) is a split of f
inside the inverse of g. An error of f becomes one of g(f) by the factor |g'|.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from kan_ref.checks import FloatArray

N_REFERENCES = 4
MOST_PARTITIONS = 256  # all of nine inputs
GOOD = 3.0  # times the error of the surrogate: a split this near is as good as any other


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of n inputs with points where it is known, and its error there.

    `f` maps points (batch, n) to values (batch,); `error` is a root mean square in units of f.
    `samples` (batch,) are the data at the points, without that error and perhaps with noise, where
    there are any.
    """

    f: Callable[[FloatArray], FloatArray]
    points: FloatArray
    error: float
    samples: FloatArray | None = None

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.points.shape[1])

    def restricted(self, kept: tuple[int, ...], at: FloatArray) -> "Surface":
        """Return the slice on which all inputs but `kept` have the values of `at` (n,)."""

        def f(points: FloatArray) -> FloatArray:
            full = np.repeat(at[None, :], len(points), axis=0)
            full[:, list(kept)] = points
            return self.f(full)

        return Surface(f, self.points[:, list(kept)], self.error)

    def changed(self, g: Callable[[FloatArray], FloatArray], factor: float) -> "Surface":
        """Return g(f), with the error times a factor."""
        return Surface(lambda points: g(self.f(points)), self.points, self.error * factor)


@dataclass(frozen=True)
class Transform:
    """A transform g for tests on g(f), with its derivative and the name of its inverse.

    `inverse` is a sign and a function: f = sign * inverse(g).
    """

    name: str
    g: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]
    inverse: str
    price: float
    domain: tuple[float, float] = (-np.inf, np.inf)
    turned: bool = False  # the test is made on -f, where f is negative


def _logit(f: FloatArray) -> FloatArray:
    return np.asarray(np.log(f / (1.0 - f)))


TRANSFORMS = (
    Transform("f", lambda f: f, np.ones_like, "x", 0.0),
    Transform("log", np.log, lambda f: 1.0 / f, "exp", 1.0, (0.0, np.inf)),
    Transform("1/f", lambda f: 1.0 / f, lambda f: 1.0 / f**2, "1/x", 1.0, (0.0, np.inf)),
    Transform("f^2", np.square, lambda f: 2.0 * f, "sqrt", 1.0, (0.0, np.inf)),
    Transform("sqrt", np.sqrt, lambda f: 0.5 / np.sqrt(f), "x^2", 1.5, (0.0, np.inf)),
    Transform("exp", np.exp, np.exp, "log", 1.5, (-30.0, 30.0)),
    Transform("sin", np.sin, np.cos, "arcsin", 2.0, (-0.5 * np.pi, 0.5 * np.pi)),
    Transform("arcsin", np.arcsin, lambda f: 1.0 / np.sqrt(1.0 - f**2), "sin", 2.0, (-1.0, 1.0)),
    Transform("1/f^2", lambda f: 1.0 / f**2, lambda f: 2.0 / f**3, "1/sqrt", 1.5, (0.0, np.inf)),
    Transform("arctanh", np.arctanh, lambda f: 1.0 / (1.0 - f**2), "tanh", 2.0, (-1.0, 1.0)),
    Transform("logit", _logit, lambda f: 1.0 / (f * (1.0 - f)), "sigmoid", 2.0, (0.0, 1.0)),
    Transform("tan", np.tan, lambda f: 1.0 / np.cos(f) ** 2, "arctan", 2.5, (-1.57, 1.57)),
)


@dataclass(frozen=True, eq=False)
class Split:
    """A split that was tested: what is compared, the relative error, and where it was measured.

    `error` is the root mean square misfit of g(f), `noise` the error of g(f) that the surrogate
    has; both in units of the standard deviation of g(f).
    """

    kind: str
    transform: Transform
    sign: float
    one: tuple[int, ...]
    other: tuple[int, ...]
    at: FloatArray
    second: FloatArray
    offset: float
    error: float
    noise: float

    @property
    def rank(self) -> float:
        """The smaller, the more promising: the error in powers of ten, and a price."""
        price = {"sum": 0.0, "product": 0.2, "affine": 0.7}[self.kind]
        return float(np.log10(max(self.error, GOOD * self.noise, 1e-13))) + 0.6 * (
            price + self.transform.price
        )

    def words(self, names: Sequence[str]) -> str:
        """Return the split in words, with the names of the inputs."""
        inside = "f" if self.transform.name == "f" else f"{self.transform.name} of f"
        one, other = (", ".join(names[i] for i in part) for part in (self.one, self.other))
        if self.kind == "affine":
            coefficients = f"with functions of {one} as coefficients"
            return f"{inside} is affine in a function of {other}, {coefficients}"
        return f"{inside} is a {self.kind} of a function of {one} and one of {other}"


def partitions(n: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield splits of n inputs into two parts, the first with input 0.

    All 2^(n - 1) - 1 of them for at most nine inputs. Of more inputs, those whose smaller part has
    at most m inputs, with the largest m that gives at most 256 splits, but at least 1.
    """
    smaller = 1
    while smaller < n // 2 and sum(comb(n, k + 1) for k in range(smaller + 1)) <= MOST_PARTITIONS:
        smaller += 1
    rest = range(1, n)
    for size in range(n - 1):
        if min(size + 1, n - size - 1) > smaller:
            continue
        for more in combinations(rest, size):
            one = (0, *more)
            yield one, tuple(i for i in range(n) if i not in one)


def find_splits(
    surface: Surface, rng: np.random.Generator, deadline: float = np.inf
) -> list[Split]:
    """Return the splits of a surface, the most promising first.

    Parameters
    ----------
    surface : Surface
        At least two inputs.
    rng : numpy.random.Generator
        Chooses reference points among the points.
    deadline : float
        Of `time.monotonic`; later no further split is tested.
    """
    points = surface.points
    f = surface.f(points)
    references = _references(points, f, rng)
    found: dict[tuple[object, ...], Split] = {}
    for one, other in partitions(surface.n_in):
        for at in references:
            if time.monotonic() > deadline:
                break
            for first, last in ((one, other), (other, one)):
                for split in _tests(surface, f, first, last, at, references):
                    if split.kind != "affine" and first != one:
                        continue
                    key = (split.kind, split.transform.name, split.one)
                    if key not in found or split.error < found[key].error:
                        found[key] = split
    return sorted(found.values(), key=lambda split: split.rank)


def _references(points: FloatArray, f: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return points near the middle, and others at random, where f is not exceptional."""
    size = points.std(axis=0)
    distance = np.sum(((points - np.median(points, axis=0)) / size) ** 2, axis=1)
    inner = np.argsort(distance)[: max(8, len(points) // 2)]
    chosen = [int(inner[0]), *rng.choice(inner[1:], N_REFERENCES - 1, replace=False).tolist()]
    return np.asarray(points[chosen])


def _tests(
    surface: Surface,
    f: FloatArray,
    one: tuple[int, ...],
    other: tuple[int, ...],
    at: FloatArray,
    references: FloatArray,
) -> Iterator[Split]:
    """Yield the tests of one split at one reference point, for all transforms."""
    points = surface.points
    second = max(references, key=lambda r: abs(_mixed(surface, at, r, other) - _at(surface, at)))
    u = surface.restricted(one, at).f(points[:, list(one)])
    v = surface.restricted(other, at).f(points[:, list(other)])
    u1 = surface.restricted(one, second).f(points[:, list(one)])
    f00, f01 = _at(surface, at), _mixed(surface, at, second, other)
    everything = np.concatenate([f, u, v, u1, [f00, f01]])
    for transform in TRANSFORMS:
        for sign in (1.0, -1.0):
            low, high = (float((sign * everything).min()), float((sign * everything).max()))
            two_sided = np.isinf(transform.domain[0]) or transform.domain[0] < 0.0
            if sign < 0.0 and two_sided:
                continue
            if not (low > transform.domain[0] and high < transform.domain[1]):
                continue
            with np.errstate(all="ignore"):
                g = [transform.g(sign * np.asarray(part)) for part in (f, u, v, u1, f00, f01)]
                noise = surface.error * float(np.sqrt(np.mean(transform.slope(sign * f) ** 2)))
            spread = float(np.std(g[0]))
            if not (np.isfinite(spread) and spread > 0.0 and np.isfinite(noise)):
                continue
            for kind, offset, error in _misfits(*g):
                if np.isfinite(error):
                    yield Split(
                        kind, transform, sign, one, other, at, second, offset,
                        error / spread, noise / spread,
                    )  # fmt: skip


def _at(surface: Surface, at: FloatArray) -> float:
    return float(surface.f(at[None, :])[0])


def _mixed(surface: Surface, at: FloatArray, second: FloatArray, other: tuple[int, ...]) -> float:
    point = at.copy()
    point[list(other)] = second[list(other)]
    return _at(surface, point)


def _misfits(
    f: FloatArray, u: FloatArray, v: FloatArray, u1: FloatArray, f00: FloatArray, f01: FloatArray
) -> Iterator[tuple[str, float, float]]:
    """Yield kind, offset and root mean square misfit of (D14), (D15) and (D16)."""
    with np.errstate(all="ignore"):
        # [eq:slice-sum]
        yield "sum", 0.0, _rms(u + v - f00 - f)
        # [/eq:slice-sum]
        # [eq:slice-product]
        a, b = u + v - f - f00, u * v - f * f00
        k = float(a @ b) / max(float(a @ a), 1e-300)
        # [/eq:slice-product]
        for offset in (0.0, k):
            yield "product", offset, _rms((u - offset) * (v - offset) / (f00 - offset) + offset - f)
        # [eq:slice-affine]
        yield "affine", 0.0, _rms(u + (u1 - u) * (v - f00) / (f01 - f00) - f)
        # [/eq:slice-affine]


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
