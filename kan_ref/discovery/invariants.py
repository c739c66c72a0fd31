"""Functions of one combination of their inputs: F(x y), F(x / y), F(a x + b y), ...

If f(x) = F(h(x)) for a combination h, its values lie on one curve over h. A Chebyshev polynomial
in h, fitted to the values, measures how far they are from that curve. The direction of a linear
combination follows from the gradient: it is the same at all points up to a factor.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.input_pairs import input_pairs
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, values

DEGREE = 30
SAME = 1e-12  # a correlation is this near to 1 for combinations that are lines in each other
STEP = 1e-3  # of the standard deviation of an input, for central differences


@dataclass(frozen=True, eq=False)
class OneCurve:
    """A combination h of all inputs and the misfit of a curve F(h), relative to std(f)."""

    inner: Tree
    misfit: float


def curve_misfit(h: FloatArray, f: FloatArray, degree: int = DEGREE) -> float:
    """Return how far values f are from one curve over h: rms of the rest over std(f).

    A degree that the number of points cannot support is lowered.
    """
    low, high = float(h.min()), float(h.max())
    spread = float(np.std(f))
    if not (np.isfinite(h).all() and high > low and spread > 0.0):
        return np.inf
    t = (2.0 * h - low - high) / (high - low)
    if not np.isfinite(t).all():  # of values near the largest float
        return np.inf
    degree = min(degree, len(h) // 12)
    design = np.polynomial.chebyshev.chebvander(t, degree)
    rest = design @ np.linalg.lstsq(design, f, rcond=1e-12)[0] - f
    return float(np.sqrt(np.mean(rest**2))) / spread


def combinations_of(n_in: int) -> Iterator[Tree]:
    """Yield products and quotients of all inputs with small exponents."""
    if n_in == 2:
        x, y = Input(0), Input(1)
        yield multiply(x, y)
        for one, other in ((x, y), (y, x)):
            yield multiply(one, apply("1/x", other))
            yield multiply(apply("x^2", one), other)
            yield multiply(apply("x^2", one), apply("1/x", other))
            yield multiply(one, apply("1/x^2", other))
            yield multiply(one, apply("sqrt", other))
            yield multiply(one, add(other, Number(1.0, True)))
        yield add(apply("x^2", x), apply("x^2", y))
        yield add(apply("x^2", x), multiply(Number(-1.0, True), apply("x^2", y)))
    elif n_in == 3:
        a, b, c = (Input(i) for i in range(3))
        yield multiply(a, b, c)
        for one, two, other in ((a, b, c), (a, c, b), (b, c, a)):
            yield multiply(one, two, apply("1/x", other))
            yield multiply(other, apply("1/x", multiply(one, two)))


def linear_direction(surface: Surface) -> FloatArray | None:
    """Return the gradient's direction (n,), largest entry 1, if it is one direction; else None."""
    points, n = surface.points, surface.n_in
    gradients = np.empty((len(points), n))
    for i in range(n):
        step = np.zeros(n)
        step[i] = STEP * float(points[:, i].std())
        gradients[:, i] = (surface.f(points + step) - surface.f(points - step)) / (2.0 * step[i])
    if not np.isfinite(gradients).all():
        return None
    size = points.std(axis=0)
    # the first right singular vector of the gradients in units of the inputs
    _, singular, right = np.linalg.svd(gradients * size, full_matrices=False)
    if singular[0] == 0.0 or singular[1] > 0.05 * singular[0]:
        return None
    direction = right[0] / size
    return np.asarray(direction / direction[np.argmax(np.abs(direction))])


def one_curves(surface: Surface) -> list[OneCurve]:
    """Return the combinations on which alone the function depends, the smallest misfit first.

    Of combinations that are lines in each other, only the first is returned.
    """
    f = surface.f(surface.points)
    found = []
    direction = linear_direction(surface)
    trees = list(combinations_of(surface.n_in))
    if surface.n_in == 2:
        trees += [pair.inner for pair in input_pairs(surface)]
    if direction is not None:
        terms = [multiply(Number(float(a)), Input(i)) for i, a in enumerate(direction)]
        trees.append(add(*terms))
    known: list[FloatArray] = []
    for tree in trees:
        h = values(tree, surface.points)
        with np.errstate(all="ignore"):
            line = (h - h.mean()) / np.linalg.norm(h - h.mean())
        if any(abs(float(line @ other)) > 1.0 - SAME for other in known):
            continue
        known.append(line)
        found.append(OneCurve(tree, curve_misfit(h, f)))
    return sorted(found, key=lambda one: one.misfit)


def inner_misfit(
    surface: Surface, one: tuple[int, ...], references: FloatArray
) -> tuple[float, FloatArray]:
    """Return how far f(S, t) is from functions of one h(S) = f(S, t0), and the best reference.

    The misfit is the largest over several t, relative to the standard deviation of f(S, t).
    """
    part = surface.points[:, list(one)]
    slices = [surface.restricted(one, at).f(part) for at in references]
    best, where = np.inf, references[0]
    for at, h in zip(references, slices, strict=True):
        misfits = [curve_misfit(h, other) for other in slices if other is not h]
        if max(misfits) < best:
            best, where = max(misfits), at
    return best, where
