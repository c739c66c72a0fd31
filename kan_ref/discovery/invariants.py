"""Inputs that act through one combination: two of them, F(h(x_i, x_j), ...), or all, F(h(x)).

For two inputs among others let h = u(x_i) + r v(x_j). By the chain rule the derivatives of f with
respect to the two are f_i = F_h u'(x_i) and f_j = F_h r v'(x_j). So

    (D23)   r f_i v'(x_j) = f_j u'(x_i)

at all points, whatever F and the other inputs are. For given u and v the two sides are two columns
of numbers, and the smaller one of their singular values measures how far they are from being
proportional. u = v = log is the product x_i x_j^r. Its columns are multiplied by x_i x_j, and
likewise those of 1/x by squares, so that nothing is divided by an input near 0.

If all inputs act through one h, such as x y, x / y or a x + b y, the values of f lie on one curve
over h. A Chebyshev polynomial in h, fitted to the values, measures how far they are from that
curve. The direction of a linear combination follows from the gradient: it is the same at all points
up to a factor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, values

MOST_POINTS = 200
STEP_OF_GRADIENTS = 1e-4  # of the standard deviation of an input, for central differences
ROUND = 0.03  # relative: nearer to a fraction, an exponent is that fraction
NEAR = 0.08  # of the larger singular value
Factor = Callable[[FloatArray], FloatArray]
# u and v, with 1/u' and 1/v' where a derivative has a pole: (D23) is multiplied by both then
KINDS: tuple[tuple[str, str, Factor, Factor], ...] = (
    ("x", "x", np.ones_like, np.ones_like),
    ("log", "log", lambda x: x, lambda x: x),
    ("1/x", "1/x", lambda x: -(x**2), lambda x: -(x**2)),
)
SQUARES: tuple[tuple[str, str, Factor, Factor], ...] = (
    ("x^2", "x^2", lambda x: 2.0 * x, lambda x: 2.0 * x),
    ("x^2", "x", lambda x: 2.0 * x, np.ones_like),
    ("x", "x^2", np.ones_like, lambda x: 2.0 * x),
)

DEGREE = 30
SAME = 1e-12  # a correlation is this near to 1 for combinations that are lines in each other
STEP = 1e-3  # of the standard deviation of an input, for central differences


@dataclass(frozen=True, eq=False)
class InputPair:
    """Inputs i and j, their combination as a tree of these inputs, and its misfit in (D23)."""

    i: int
    j: int
    inner: Tree
    misfit: float


def gradients(surface: Surface) -> FloatArray:
    """Compute the derivatives with respect to the inputs (n_points, n_in) at some points."""
    points = surface.points[:MOST_POINTS]
    found = np.empty(points.shape)
    for i in range(surface.n_in):
        step = np.zeros(surface.n_in)
        step[i] = STEP_OF_GRADIENTS * float(points[:, i].std())
        found[:, i] = (surface.f(points + step) - surface.f(points - step)) / (2.0 * step[i])
    return found


def input_pairs(surface: Surface) -> list[InputPair]:
    """Return the pairs of inputs that act through one combination, the smallest misfit first."""
    slopes = gradients(surface)
    fine = np.isfinite(slopes).all(axis=1)
    slopes, points = slopes[fine], surface.points[:MOST_POINTS][fine]
    if len(points) < 20:
        return []
    found = []
    for i in range(surface.n_in):
        for j in range(i + 1, surface.n_in):
            x, y = points[:, i], points[:, j]
            ways = [(u, v, slopes[:, i] * p(x), slopes[:, j] * q(y)) for u, v, p, q in KINDS]
            ways += [(u, v, slopes[:, i] * q(y), slopes[:, j] * p(x)) for u, v, p, q in SQUARES]
            for u, v, one, other in ways:
                # [eq:input-pair]
                ratio, misfit = proportion(one, other)
                # [/eq:input-pair]
                if misfit <= NEAR and np.isfinite(ratio):
                    inner = _combination(u, v, i, j, ratio, points)
                    if inner is not None:
                        found.append(InputPair(i, j, inner, misfit))
    return sorted(found, key=lambda pair: pair.misfit)


def proportion(one: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Return r of other = r one in the sense of total least squares, and the relative misfit."""
    sizes = np.sqrt(np.mean(one**2)), np.sqrt(np.mean(other**2))
    if not (min(sizes) > 0.0 and np.isfinite(sizes).all()):
        return np.inf, np.inf
    _, singular, right = np.linalg.svd(
        np.column_stack([one / sizes[0], other / sizes[1]]), full_matrices=False
    )
    ratio = float(right[0, 1] / right[0, 0] * sizes[1] / sizes[0])
    return ratio, float(singular[1] / singular[0])


def _combination(u: str, v: str, i: int, j: int, ratio: float, points: FloatArray) -> Tree | None:
    """Return u(x_i) + ratio v(x_j); for logarithms x_i x_j^ratio, None where that is undefined."""
    if u != "log":
        near = float(np.sign(ratio))
        number = Number(near, True) if abs(ratio - near) < ROUND else Number(ratio)
        return add(apply(u, Input(i)), multiply(number, apply(v, Input(j))))
    if abs(ratio) < 1.0:  # the larger exponent is that of x_i
        exponents = [(i, 1.0 / ratio), (j, 1.0)] if ratio else []
    else:
        exponents = [(i, 1.0), (j, ratio)]
    parts = [_power(place, _rounded(exponent), points) for place, exponent in exponents]
    known = [part for part in parts if part is not None]
    return multiply(*known) if len(known) == len(parts) == 2 else None


def _rounded(exponent: float) -> float:
    for denominator in (1, 2, 3):
        near = round(denominator * exponent) / denominator
        if near and abs(exponent - near) <= ROUND * abs(exponent):
            return near
    return exponent


def _power(place: int, exponent: float, points: FloatArray) -> Tree | None:
    """Return a power of an input as a tree; None where it is undefined at a point."""
    size = abs(exponent)
    if size.is_integer() and size <= 5.0:
        name = "x" if size == 1.0 else f"x^{size:.0f}"
        if exponent < 0.0:
            name = "1/x" if size == 1.0 else f"1/{name}"
        return apply(name, Input(place))
    if points[:, place].min() <= 0.0:
        return None
    return apply("exp", multiply(Number(exponent), apply("log", Input(place))))


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
