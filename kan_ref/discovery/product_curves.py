"""A polynomial of two inputs and a curve of a product of lines: P(x, y) + F((x - p)(y - q)).

For given p and q it is linear in its coefficients: least squares gives those of a quadratic P and
of Chebyshev polynomials in

    (D25)   h = (x - p)(y - q)

in inputs that are scaled to [-1, 1]. A grid of p and q is compared on some of the points, and the
best one is refined on all of them by Levenberg-Marquardt steps on the residuals that the linear
terms leave (variable projection, Golub & Pereyra 1973).
"""

from itertools import product

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.discovery.trees import Input, Number, Tree, add, multiply
from kan_ref.optimizers import Steps, levenberg_marquardt

GRID = np.linspace(-1.5, 1.5, 25)  # of p and q
N_FIRST = 160  # points of the first comparison
LEAST_POINTS = 200
DEGREE = 30  # of F
TAIL = 0.03  # of the points, with the largest and with the smallest h, where F is not determined
CURVE_POINTS = 160
N_STEPS, STEP = 12, 1e-6


def product_curve(
    points: FloatArray, f: FloatArray
) -> tuple[Tree, FloatArray, FloatArray, float] | None:
    """Return h as a tree, places and values (n,) of F, and the misfit relative to std(f).

    Of values f (n,) at points (n, 2); None if n < 200.
    """
    if len(points) < LEAST_POINTS:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    t = (points - middle) / half

    def fitted(p: FloatArray, n: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return residuals and h (n,) of the first n points, and the coefficients of F."""
        x, y = t[:n].T
        h = (x - p[0]) * (y - p[1])
        quadratic = np.stack([np.ones(n), x, y, x * y, x**2, y**2], axis=1)
        in_h = chebyshev.chebvander(h / np.abs(h).max(), DEGREE)[:, 2:]  # P has 1 and h
        columns = np.hstack([quadratic, in_h])
        coef = np.linalg.lstsq(columns, f[:n], rcond=1e-10)[0]
        return columns @ coef - f[:n], h, np.append([0.0, 0.0], coef[6:])

    grid = map(np.array, product(GRID, GRID))
    start = min(grid, key=lambda p: float(np.sum(fitted(p, N_FIRST)[0] ** 2)))

    def residuals(p: FloatArray) -> FloatArray:
        return fitted(p, len(t))[0]

    def linearize(p: FloatArray) -> tuple[FloatArray, FloatArray]:
        r = residuals(p)
        return r, np.column_stack([(residuals(p + d) - r) / STEP for d in STEP * np.eye(2)])

    *_, last = Steps(levenberg_marquardt(linearize, start, residuals), N_STEPS)
    p = last.theta
    residual, h, coef = fitted(p, len(t))
    first, last = np.quantile(h, [TAIL, 1.0 - TAIL])
    places = np.linspace(first, last, CURVE_POINTS)
    curve = chebyshev.chebval(places / np.abs(h).max(), coef)
    lines = (add(Input(i), Number(-float(middle[i] + half[i] * p[i]))) for i in range(2))
    misfit = float(np.sqrt(np.mean(residual**2)) / np.std(f))
    return multiply(*lines), places * float(half.prod()), curve, misfit
