"""Sums of curves of two inputs and of their combination: u(x) + v(y) + k x y + F(h(x, y)).

For a given combination h the four terms are linear least squares: Chebyshev polynomials in x, in y
and in h, and one product. The combinations have one to three numbers:

    (D25)   h = (x - p)(y - q),   x + p y,   (x - p)^2 + (y - q)^2,   (x - p)^2 - (y - q)^2

in inputs that are scaled to [-1, 1]. A grid of p and q is compared on some of the points, the best
of each form is refined by Gauss-Newton steps on the residuals that the linear terms leave (variable
projection, Golub & Pereyra 1973), and judged on held-out points. Few points have the largest and
the smallest values of h, so F is judged and named without the tails of h, where a polynomial of
high degree is far off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply

DEGREE = 10  # of u and v
DEGREE_OF_COMBINATION = 24
FINE = np.linspace(-1.5, 1.5, 25)
COARSE = np.linspace(-1.25, 1.25, 11)
SLOPES = tuple(sign * slope for slope in (0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 5.0) for sign in (1, -1))
N_FIRST = 160  # points of the first comparison
N_REFINED = 2  # combinations of each form
DEGREES_REFINED = (24, 40)
N_STEPS = 12
TAIL = 0.03  # of the points, with the largest and with the smallest h

Form = Callable[[FloatArray, FloatArray], FloatArray]


def _product(t: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray((t[:, 0] - p[0]) * (t[:, 1] - p[1]))


def _line(t: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(t[:, 0] + p[0] * t[:, 1])


def _squares(t: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray((t[:, 0] - p[0]) ** 2 + p[2] * (t[:, 1] - p[1]) ** 2)


FORMS: tuple[tuple[Form, list[tuple[float, ...]]], ...] = (
    (_product, list(product(FINE, FINE))),
    (_line, [(slope,) for slope in SLOPES]),
    (_squares, list(product(COARSE, COARSE, [1.0]))),
    (_squares, list(product(COARSE, COARSE, [-1.0]))),
)


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
    chebyshev = np.polynomial.chebyshev.chebvander
    one, other = chebyshev(t[:, 0], DEGREE), chebyshev(t[:, 1], DEGREE)[:, 1:]
    return np.hstack([one, other, (t[:, 0] * t[:, 1])[:, None]])


def _combined_columns(
    form: Form, p: FloatArray, t: FloatArray, degree: int
) -> tuple[FloatArray, float, float]:
    """Return the columns of F at t (n, 2), and the middle and half width of h."""
    h = form(t, p)
    middle, half = 0.5 * float(h.max() + h.min()), 0.5 * float(h.max() - h.min())
    columns = np.polynomial.chebyshev.chebvander((h - middle) / half, degree)[:, 1:]
    return np.asarray(columns, dtype=np.float64), middle, half


@dataclass(frozen=True, eq=False)
class _Points:
    """Points t (n, 2) and values, projected on what u, v and k cannot explain."""

    t: FloatArray
    basis: FloatArray
    rest: FloatArray

    @classmethod
    def of(cls, t: FloatArray, f: FloatArray) -> "_Points":
        basis, _ = np.linalg.qr(_plain_columns(t))
        return cls(t, basis, f - basis @ (basis.T @ f))

    def residuals(self, form: Form, p: FloatArray, degree: int) -> FloatArray:
        """Return what F cannot explain either."""
        columns, _, _ = _combined_columns(form, p, self.t, degree)
        columns = columns - self.basis @ (self.basis.T @ columns)
        gram = columns.T @ columns
        gram[np.diag_indices(degree)] += 1e-11 * float(np.trace(gram))
        return np.asarray(self.rest - columns @ np.linalg.solve(gram, columns.T @ self.rest))


def three_curves(points: FloatArray, f: FloatArray) -> ThreeCurves | None:
    """Return the best sum of three curves for values f (n,) at points (n, 2).

    None if n < 200, or if an input is constant.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    if len(points) < 200 or not (high > low).all():
        return None
    t = (2.0 * points - low - high) / (high - low)
    spread = float(np.std(f))
    held = np.zeros(len(t), dtype=bool)
    held[4::5] = True
    few, most = _Points.of(t[:N_FIRST], f[:N_FIRST]), _Points.of(t[~held], f[~held])
    found = []
    for form, grid in FORMS:
        errors = [
            float(np.sum(few.residuals(form, np.array(p), DEGREE_OF_COMBINATION) ** 2))
            for p in grid
        ]
        for place in np.argsort(errors)[:N_REFINED].tolist():
            p = np.array(grid[place])
            for degree in DEGREES_REFINED:
                p = _refined(most, form, p, degree)
            found.append((*_fitted(form, p, t, f, held), form, p))
    misfit, coef, form, p = min(found, key=lambda one: one[0])
    return _curves(form, p, coef, t, low, high, misfit / spread)


def _refined(points: _Points, form: Form, p: FloatArray, degree: int) -> FloatArray:
    """Return the numbers of a combination after damped Gauss-Newton steps."""
    rest = points.residuals(form, p, degree)
    damping = 1e-3
    for _ in range(N_STEPS):
        step = 1e-5
        jacobian = np.column_stack(
            [(points.residuals(form, p + step * e, degree) - rest) / step for e in np.eye(len(p))]
        )
        gram = jacobian.T @ jacobian
        gram += damping * np.diag(np.maximum(np.diag(gram), 1e-300))
        new = p - np.linalg.solve(gram, jacobian.T @ rest)
        changed = points.residuals(form, new, degree)
        if changed @ changed < rest @ rest:
            p, rest, damping = new, changed, 0.1 * damping
        else:
            damping *= 10.0
            if damping > 1e6:
                break
    return p


def _fitted(
    form: Form, p: FloatArray, t: FloatArray, f: FloatArray, held: np.ndarray
) -> tuple[float, FloatArray]:
    """Return the error on held-out points and the coefficients of the linear terms."""
    degree = DEGREES_REFINED[-1]
    columns = np.hstack([_plain_columns(t), _combined_columns(form, p, t, degree)[0]])
    coef = np.linalg.lstsq(columns[~held], f[~held], rcond=1e-10)[0]
    h = form(t, p)
    low, high = np.quantile(h, [TAIL, 1.0 - TAIL])
    judged = held & (h >= low) & (h <= high)
    return float(np.sqrt(np.mean((columns[judged] @ coef - f[judged]) ** 2))), coef


def _curves(
    form: Form,
    p: FloatArray,
    coef: FloatArray,
    t: FloatArray,
    low: FloatArray,
    high: FloatArray,
    misfit: float,
) -> ThreeCurves:
    """Return the curves in the user's units, with h = inner of the inputs."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    n = DEGREE
    line = np.linspace(-1.0, 1.0, 160)
    value = np.polynomial.chebyshev.chebval
    u = value(line, coef[: n + 1])
    v = value(line, np.append(0.0, coef[n + 1 : 2 * n + 1]))
    k = float(coef[2 * n + 1])  # k t_1 t_2 = k (x - m_1)(y - m_2) / (half_1 half_2)
    # t_1 t_2 has lines in x and in y; u and v take them up
    u = u - k * middle[1] / half[1] * line
    v = v - k * middle[0] / half[0] * line - k * middle[0] * middle[1] / (half[0] * half[1])
    _, centre, width = _combined_columns(form, p, t, DEGREES_REFINED[-1])
    first, last = (float(np.quantile(form(t, p), share)) for share in (TAIL, 1.0 - TAIL))
    h = np.linspace(first, last, len(line))
    combined = value((h - centre) / width, np.append(0.0, coef[2 * n + 2 :]))
    if form is _line:
        slope = float(p[0] * half[0] / half[1])
        shift = middle[0] + slope * middle[1]
        inner = add(Input(0), multiply(Number(slope), Input(1)))
        h = half[0] * h + shift
    else:
        x, y = (add(Input(i), Number(-float(middle[i] + half[i] * p[i]))) for i in range(2))
        if form is _product:
            inner, h = multiply(x, y), h * half[0] * half[1]
        else:
            ratio = float(p[2] * half[0] ** 2 / half[1] ** 2)
            inner = add(apply("x^2", x), multiply(Number(ratio), apply("x^2", y)))
            h = h * half[0] ** 2
    curves = ((middle[0] + half[0] * line, u), (middle[1] + half[1] * line, v), (h, combined))
    return ThreeCurves(curves, k / float(half[0] * half[1]), inner, misfit)
