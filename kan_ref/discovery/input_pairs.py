"""Two inputs that act through one combination of them: F(h(x_i, x_j), ...), h = u(x_i) + r v(x_j).

By the chain rule the derivatives of f with respect to the two inputs are f_i = F_h u'(x_i) and
f_j = F_h r v'(x_j). So

    (D23)   r f_i v'(x_j) = f_j u'(x_i)

at all points, whatever F and the other inputs are. For given u and v the two sides are two columns
of numbers, and the smaller one of their singular values measures how far they are from being
proportional. u = v = log is the product x_i x_j^r. Its columns are multiplied by x_i x_j, and
likewise those of 1/x by squares, so that nothing is divided by an input near 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply

MOST_POINTS = 200
STEP = 1e-4  # of the standard deviation of an input, for central differences
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
        step[i] = STEP * float(points[:, i].std())
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
