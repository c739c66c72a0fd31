"""How a function of several inputs splits into parts, measured on slices of a model.

A slice fixes some inputs at a reference point. Let the inputs be split into S and T, let (s0, t0)
be the reference point, and u = f(S, t0), v = f(s0, T), u1 = f(S, t1) slices. At many points compare
f(S, T) with

    (D14)  sum       u + v - f00
    (D15)  product   (u - k) (v - k) / (f00 - k) + k
    (D16)  affine    u + (u1 - u) r(T),   r = (v - f00) / (f01 - f00)

where f00 = f(s0, t0) and f01 = f(s0, t1). The offset k of (D15) follows from
(u - k)(v - k) = (f - k)(f00 - k), which is linear in k:

    (D17)  k (u + v - f - f00) = u v - f f00

The same tests are made for g(f) with g = log, 1/f, f^2, ...: a split of g(f) is a split of f
inside the inverse of g. An error of f becomes one of g(f) by the factor |g'|.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.fits import Late
from kan_ref.discovery.models import TRANSFORMS, Transform, Values
from kan_ref.discovery.trees import Number, Tree, add, apply, multiply

N_REFERENCES = 4
MOST_PARTITIONS = 256  # all of nine inputs
GOOD = 3.0  # times the error of the model: a split this near is as good as any other
PRICE = {"sum": 0.0, "product": 0.12, "affine": 0.42}  # in powers of ten of the misfit
PRICE_OF_TRANSFORM = 0.6


@dataclass(frozen=True, eq=False)
class Surface:
    """A function of n inputs, points (n_points, n) where it is known, and its error there.

    `f` maps points to values (n_points,); `error` is a root mean square. `samples` (n_points,) are
    the data at the points, without that error and perhaps with noise, where there are any.
    """

    f: Values
    points: FloatArray
    error: float
    samples: FloatArray | None = None

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.points.shape[1])

    def at(self, point: FloatArray) -> float:
        """Return the value at one point (n,)."""
        return float(self.f(point[None, :])[0])

    def slice(self, kept: Sequence[int], at: FloatArray) -> "Surface":
        """Return the slice on which all inputs but `kept` have the values of `at` (n,)."""

        def f(points: FloatArray) -> FloatArray:
            full = np.repeat(at[None, :], len(points), axis=0)
            full[:, list(kept)] = points
            return self.f(full)

        return Surface(f, self.points[:, list(kept)], self.error)

    def changed(self, g: Values, factor: float) -> "Surface":
        """Return g(f), with the error times a factor."""
        return Surface(lambda points: g(self.f(points)), self.points, self.error * factor)


@dataclass(frozen=True, eq=False)
class Split:
    """A split of g(sign f) into functions of the inputs `one` and `other`, and how near it is.

    `misfit` is a root mean square, `noise` the error of g(f), both relative to std(g(f)); `at` and
    `second` are the points (s0, t0) and (., t1), `offset` is k.
    """

    kind: str
    transform: Transform
    sign: float
    one: tuple[int, ...]
    other: tuple[int, ...]
    at: FloatArray
    second: FloatArray
    offset: float
    misfit: float
    noise: float

    @property
    def rank(self) -> float:
        """The smaller, the more promising: the misfit in powers of ten, and a price."""
        error = max(self.misfit, GOOD * self.noise, 1e-13)
        price = PRICE[self.kind] + PRICE_OF_TRANSFORM * self.transform.price
        return float(np.log10(error)) + price

    def words(self, names: Sequence[str]) -> str:
        """Return the split in words, with the names of the inputs."""
        inside = "f" if self.transform.name == "f" else f"{self.transform.name} of f"
        one, other = (", ".join(names[i] for i in part) for part in (self.one, self.other))
        if self.kind == "affine":
            return f"{inside} is affine in a function of {other}, by functions of {one}"
        return f"{inside} is a {self.kind} of a function of {one} and one of {other}"

    def parts(self, surface: Surface) -> list[tuple[Surface, tuple[int, ...]]]:
        """Return the parts that have to be named, and their inputs."""
        inside = self._inside(surface)
        u, v = inside.slice(self.one, self.at), inside.slice(self.other, self.at)
        if self.kind == "product":
            k = self._offset(inside)
            u, v = (part.changed(lambda f: f - k, 1.0) for part in (u, v))
        if self.kind != "affine":
            return [(u, self.one), (v, self.other)]
        u1 = inside.slice(self.one, self._mixed)
        change = Surface(lambda points: u1.f(points) - u.f(points), u.points, 1.5 * u.error)
        return [(u, self.one), (change, self.one), (v, self.other)]

    def whole(self, surface: Surface, parts: Sequence[Tree]) -> Tree:
        """Return the formula of the whole from those of the parts."""
        inside = self._inside(surface)
        f00 = inside.at(self.at)
        if self.kind == "sum":
            tree = add(*parts, Number(-f00))
        elif self.kind == "product":
            k = self._offset(inside)
            tree = multiply(Number(1.0 / (f00 - k)), *parts)
            tree = add(tree, Number(k)) if k else tree
        else:
            u, change, v = parts
            step = Number(1.0 / (inside.at(self._mixed) - f00))
            tree = add(u, multiply(step, change, add(v, Number(-f00))))
        return multiply(Number(self.sign, True), apply(self.transform.inverse, tree))

    @property
    def _mixed(self) -> FloatArray:
        """The point (s0, t1)."""
        return np.where(np.isin(np.arange(len(self.at)), self.other), self.second, self.at)

    def _offset(self, inside: Surface) -> float:
        """Return k, or 0 where that may be."""
        is_small = abs(self.offset) < max(1e-3 * abs(inside.at(self.at)), 10.0 * inside.error)
        return 0.0 if is_small else self.offset

    def _inside(self, surface: Surface) -> Surface:
        """Return g(sign f)."""

        def g(f: FloatArray) -> FloatArray:
            with np.errstate(all="ignore"):
                return np.asarray(self.transform.g(self.sign * f))

        with np.errstate(all="ignore"):
            slopes = self.transform.slope(self.sign * surface.f(surface.points))
            factor = float(np.sqrt(np.mean(slopes**2)))
        return surface.changed(g, factor if np.isfinite(factor) else 1.0)


def partitions(n: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield splits of n inputs into two parts, the first with input 0.

    All 2^(n - 1) - 1 of them for at most nine inputs. Of more inputs, those whose smaller part has
    at most m inputs, with the largest m that gives at most 256 splits, but at least 1.
    """
    smaller = 1
    while smaller < n // 2 and sum(comb(n, k + 1) for k in range(smaller + 1)) <= MOST_PARTITIONS:
        smaller += 1
    for size in range(n - 1):
        if min(size + 1, n - size - 1) <= smaller:
            for more in combinations(range(1, n), size):
                one = (0, *more)
                yield one, tuple(i for i in range(n) if i not in one)


def find_splits(surface: Surface, rng: np.random.Generator, late: Late) -> list[Split]:
    """Return the splits of a surface of at least two inputs, the most promising first."""
    f = surface.f(surface.points)
    references = _references(surface.points, f, rng)
    found: dict[tuple[object, ...], Split] = {}
    for one, other in partitions(surface.n_in):
        for at in references:
            if late():
                break
            for first, last in ((one, other), (other, one)):
                for split in _tests(surface, f, first, last, at, references):
                    key = (split.kind, split.transform.name, split.one)
                    if split.kind != "affine" and first != one:
                        continue
                    if key not in found or split.misfit < found[key].misfit:
                        found[key] = split
    return sorted(found.values(), key=lambda split: split.rank)


def _references(points: FloatArray, f: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return points near the middle, the middle one first: f is not exceptional there."""
    distance = np.sum(((points - np.median(points, axis=0)) / points.std(axis=0)) ** 2, axis=1)
    inner = np.argsort(distance)[: max(8, len(points) // 2)]
    others = rng.choice(inner[1:], N_REFERENCES - 1, replace=False).tolist()
    return np.asarray(points[[int(inner[0]), *others]])


def _tests(
    surface: Surface,
    f: FloatArray,
    one: tuple[int, ...],
    other: tuple[int, ...],
    at: FloatArray,
    references: FloatArray,
) -> Iterator[Split]:
    """Yield the tests of one split at one reference point, for all transforms."""
    points, moves = surface.points, np.isin(np.arange(surface.n_in), other)
    f00 = surface.at(at)
    mixed = [np.where(moves, point, at) for point in references]
    second = max(mixed, key=lambda point: abs(surface.at(point) - f00))
    u, u1 = (surface.slice(one, point).f(points[:, list(one)]) for point in (at, second))
    v, f01 = surface.slice(other, at).f(points[:, list(other)]), surface.at(second)
    everything = np.concatenate([f, u, v, u1, [f00, f01]])
    for transform in TRANSFORMS:
        for sign in (1.0, -1.0):
            if not transform.is_defined(sign, everything):
                continue
            with np.errstate(all="ignore"):
                g = [transform.g(sign * np.asarray(part)) for part in (f, u, v, u1, f00, f01)]
                noise = surface.error * _rms(transform.slope(sign * f))
            spread = float(np.std(g[0]))
            if not (np.isfinite(spread) and spread > 0.0 and np.isfinite(noise)):
                continue
            for kind, offset, misfit in _misfits(*g):
                if np.isfinite(misfit):
                    yield Split(
                        kind, transform, sign, one, other, at, second, offset,
                        misfit / spread, noise / spread,
                    )  # fmt: skip


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
