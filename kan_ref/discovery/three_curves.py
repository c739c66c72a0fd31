"""Sums of curves of two inputs and of a product: u(x) + v(y) + k x y + F((x - p)(y - q)).

For given p and q the four terms are linear least squares: Chebyshev polynomials in x, in y and in

    (D25)   h = (x - p)(y - q)

and one product, in inputs that are scaled to [-1, 1]. A grid of p and q is compared on some of the
points, the best are refined by Gauss-Newton steps on the residuals that the linear terms leave
(variable projection, Golub & Pereyra 1973), and judged on held-out points. Few points have the
largest and the smallest values of h, so F is judged and named without the tails of h, where a
polynomial of high degree is far off.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Input, Number, Tree, add, multiply

DEGREE = 10  # of u and v
GRID = np.linspace(-1.5, 1.5, 25)  # of p and q
N_FIRST = 160  # points of the first comparison
N_REFINED = 2  # points of the grid
DEGREES = (24, 40)  # of F, one after the other
N_STEPS, STEP = 12, 1e-5
TAIL = 0.03  # of the points, with the largest and with the smallest h
CURVE_POINTS = 160


@dataclass(frozen=True, eq=False)
class ThreeCurves:
    """u, v and F as samples of curves, k, h as a tree, and the misfit relative to std(f).

    Each curve is a pair of arguments and values (n,).
    """

    curves: tuple[tuple[FloatArray, FloatArray], ...]
    k: float
    inner: Tree
    misfit: float


def _plain_columns(t: FloatArray) -> FloatArray:
    """Return the columns of u, v and k at t (n, 2)."""
    one, other = (chebyshev.chebvander(column, DEGREE) for column in t.T)
    return np.hstack([one, other[:, 1:], (t[:, 0] * t[:, 1])[:, None]])


def _h(t: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray((t[:, 0] - p[0]) * (t[:, 1] - p[1]))


def _columns_of_h(t: FloatArray, p: FloatArray, degree: int) -> tuple[FloatArray, float, float]:
    """Return the columns of F at t (n, 2), and the middle and half width of h."""
    h = _h(t, p)
    middle, half = 0.5 * float(h.max() + h.min()), 0.5 * float(h.max() - h.min())
    return np.asarray(chebyshev.chebvander((h - middle) / half, degree)[:, 1:]), middle, half


class _Points:
    """Points t (n, 2) and values, projected on what u, v and k cannot explain."""

    def __init__(self, t: FloatArray, f: FloatArray) -> None:
        self.t = t
        self.basis, _ = np.linalg.qr(_plain_columns(t))
        self.rest = f - self.basis @ (self.basis.T @ f)

    def residuals(self, p: FloatArray, degree: int) -> FloatArray:
        """Return what F cannot explain either."""
        columns, _, _ = _columns_of_h(self.t, p, degree)
        columns = columns - self.basis @ (self.basis.T @ columns)
        gram = columns.T @ columns
        gram[np.diag_indices(degree)] += 1e-11 * float(np.trace(gram))
        return np.asarray(self.rest - columns @ np.linalg.solve(gram, columns.T @ self.rest))

    def refined(self, p: FloatArray, degree: int) -> FloatArray:
        """Return p and q after damped Gauss-Newton steps."""
        rest, damping = self.residuals(p, degree), 1e-3
        for _ in range(N_STEPS):
            moved = [self.residuals(p + step, degree) for step in STEP * np.eye(2)]
            jacobian = (np.column_stack(moved) - rest[:, None]) / STEP
            gram = jacobian.T @ jacobian
            gram += damping * np.diag(np.maximum(np.diag(gram), 1e-300))
            new = p - np.linalg.solve(gram, jacobian.T @ rest)
            changed = self.residuals(new, degree)
            if changed @ changed < rest @ rest:
                p, rest, damping = new, changed, 0.1 * damping
            else:
                damping *= 10.0
        return p


def three_curves(points: FloatArray, f: FloatArray) -> ThreeCurves | None:
    """Return the best sum of three curves for values f (n,) at points (n, 2).

    None if n < 200, or if an input is constant.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    if len(points) < 200 or not (high > low).all():
        return None
    t = (2.0 * points - low - high) / (high - low)
    held = np.arange(len(t)) % 5 == 4
    few, most = _Points(t[:N_FIRST], f[:N_FIRST]), _Points(t[~held], f[~held])
    grid = [np.array(p) for p in product(GRID, GRID)]
    found = []
    grid.sort(key=lambda p: float(np.sum(few.residuals(p, DEGREES[0]) ** 2)))
    for p in grid[:N_REFINED]:
        for degree in DEGREES:
            p = most.refined(p, degree)
        columns = np.hstack([_plain_columns(t), _columns_of_h(t, p, DEGREES[-1])[0]])
        coef = np.linalg.lstsq(columns[~held], f[~held], rcond=1e-10)[0]
        h = _h(t, p)
        first, last = np.quantile(h, [TAIL, 1.0 - TAIL])
        judged = held & (h >= first) & (h <= last)
        error = float(np.sqrt(np.mean((columns[judged] @ coef - f[judged]) ** 2)))
        found.append((error, coef, p))
    error, coef, p = min(found, key=lambda one: one[0])
    return _curves(p, coef, t, low, high, error / float(np.std(f)))


def _curves(
    p: FloatArray, coef: FloatArray, t: FloatArray, low: FloatArray, high: FloatArray, misfit: float
) -> ThreeCurves:
    """Return the curves in the user's units, with h = inner of the inputs."""
    middle, half, n = 0.5 * (low + high), 0.5 * (high - low), DEGREE
    line = np.linspace(-1.0, 1.0, CURVE_POINTS)
    u = chebyshev.chebval(line, coef[: n + 1])
    v = chebyshev.chebval(line, np.append(0.0, coef[n + 1 : 2 * n + 1]))
    k = float(coef[2 * n + 1])  # k t_1 t_2 = k (x - m_1)(y - m_2) / (half_1 half_2)
    # t_1 t_2 has lines in x and in y; u and v take them up
    u = u - k * middle[1] / half[1] * line
    v = v - k * middle[0] / half[0] * line - k * middle[0] * middle[1] / (half[0] * half[1])
    _, centre, width = _columns_of_h(t, p, DEGREES[-1])
    first, last = np.quantile(_h(t, p), [TAIL, 1.0 - TAIL])
    h = np.linspace(first, last, len(line))
    combined = chebyshev.chebval((h - centre) / width, np.append(0.0, coef[2 * n + 2 :]))
    x, y = (add(Input(i), Number(-float(middle[i] + half[i] * p[i]))) for i in range(2))
    area = float(half[0] * half[1])
    curves = (
        (middle[0] + half[0] * line, u),
        (middle[1] + half[1] * line, v),
        (h * area, combined),
    )
    return ThreeCurves(curves, k / area, multiply(x, y), misfit)
