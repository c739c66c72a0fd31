"""Exponentials with other terms, for curves y(x) of one input.

Growth that saturates, the occupation of states, and the radiation of a black body are powers times
or divided by an exponential with an offset. If y = x^p (A exp(c x^q) + d) with s = 1, h = x^p, or
y = x^p / (A exp(c x^q) + d) with s = -1, h = y^2 / x^p, then

    (D39)  x y' = p y + s c q x^q (y - d h)

since x d/dx of the exponential is c q x^q times it. For given p, q and s this is linear in c and
c d. The derivative x y' with respect to log x is that of a polynomial in log x through the samples,
so that the numbers of the best p, q and s are start values.

A x^p exp(c x^q) is linear in log A, p and c in the logarithm. Sums of polynomials, with and without
an exponential as a factor, are found by comparing its rates.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import power_of
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply

DEGREES_OF_SLOPE = (8, 12, 16, 20, 24, 30, 36)  # of a polynomial through the samples
FEWEST_VALUES = 30  # of x, to fit a polynomial of degree 8
HIDDEN = 3.0  # times the error: a larger value has a known sign
LARGEST_EXPONENT = 600.0
N_EXPONENTIALS = 3  # that are yielded
POWERS_IN_EXPONENT = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0)
POWERS_BESIDE = tuple(0.5 * n for n in range(-10, 11))
N_BESIDE = 6
RATES = np.geomspace(0.2, 20.0, 20)  # of exponentials, on an interval of length 2
N_STEPS = 5  # of Gauss and Newton


def exponentials_beside_powers(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield x^p (A exp(c x^q) + d) and x^p / (A exp(c x^q) + d), for x > 0, the nearest ones.

    `floor` is the error of the curve x, y (n,).
    """
    if x.min() <= 0.0 or len(np.unique(x)) < FEWEST_VALUES or not y.any():
        return
    size, unit = float(np.abs(y).max()), float(np.sqrt(x.min()) * np.sqrt(x.max()))
    u = x / unit
    t, half = np.log(u), float(np.log(x.max()) - np.log(x.min())) / 2.0
    f, slope = with_slope(t / half, y / size, floor / size)
    slope = slope / half  # x y', in units of the largest |y|
    has_one_sign = f.min() * f.max() > 0.0
    found = []
    for p, q, s in product(POWERS_BESIDE, POWERS_IN_EXPONENT, (1.0, -1.0)[: 1 + has_one_sign]):
        with np.errstate(all="ignore"):
            # [eq:exponential-beside-power]
            h = u**p if s > 0.0 else f**2 / u**p
            columns = (s * q * u**q)[:, None] * np.stack([f, -h], axis=1)
            length = np.linalg.norm(columns, axis=0)
            if not (np.isfinite(length).all() and length.min() > 0.0):
                continue
            solution = np.linalg.lstsq(columns / length, slope - p * f, rcond=1e-13)
            c, cd = (solution[0] / length).tolist()
            # [/eq:exponential-beside-power]
            misfit = float(np.std(columns @ [c, cd] + p * f - slope))
            found.append((misfit, p, q, s, c, cd / c if c else np.inf))
    for _, p, q, s, c, d in sorted(found)[:N_BESIDE]:
        with np.errstate(all="ignore"):
            exponent = c * u**q
            inside = (f / u**p) ** s - d
            growth = np.exp(exponent - exponent.max())
            log_a = np.log(abs(growth @ inside) / (growth @ growth)) - exponent.max()
            scale = (size / unit**p) ** s
            a = scale * float(np.sign(growth @ inside) * np.exp(log_a))
            rate, offset = c / unit**q, scale * d
        if np.isfinite([a, rate, offset]).all() and a and rate:
            inner = multiply(Number(rate), power_of(Input(0), q))
            part = add(multiply(Number(a), apply("exp", inner)), Number(offset))
            yield multiply(power_of(Input(0), p), part if s > 0.0 else apply("1/x", part))


def powers_with_exponentials(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield A x^p exp(c x^q), for x > 0 and y of one sign: the logarithm is linear in log A, p, c.

    An error of y becomes one of log|y| by the factor 1 / |y|. Values that errors hide are left out.
    """
    sign = float(np.sign(y[np.argmax(np.abs(y))]))
    fine = sign * y > HIDDEN * floor
    few = fine.sum() < len(x) // 4
    if x.min() <= 0.0 or few or np.abs(y[~fine]).max(initial=0.0) > HIDDEN * floor:
        return
    x, y = x[fine], sign * y[fine]
    z, weight = np.log(y), y / y.max()
    found = []
    for q in POWERS_IN_EXPONENT:
        design = np.stack([np.ones(len(x)), np.log(x), x**q], axis=1)
        size = np.abs(design).max(axis=0)
        if np.isfinite(size).all() and size.min() > 0.0:
            coef = np.linalg.lstsq(design / size * weight[:, None], z * weight, rcond=1e-13)[0]
            rest = (design / size @ coef - z) * weight
            found.append((float(rest @ rest), q, coef / size))
    for _, q, (log_a, p, c) in sorted(found, key=lambda one: one[0])[:N_EXPONENTIALS]:
        near = round(2.0 * p) / 2.0
        power = power_of(Input(0), near) if abs(p - near) <= 0.1 else any_power(p)
        if abs(log_a) < LARGEST_EXPONENT:
            factor = Number(sign * float(np.exp(log_a)))
            inner = multiply(Number(float(c)), power_of(Input(0), q))
            yield multiply(factor, power, apply("exp", inner))


def exponential_polynomials(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield P(x) exp(c x) + Q(x), with polynomials of degree 2 without the terms that add nothing.

    The best of `RATES` is the start of c, which steps of Gauss and Newton improve.
    """
    if len(np.unique(x)) < FEWEST_VALUES:
        return
    middle, half = 0.5 * float(x.max() + x.min()), 0.5 * float(x.max() - x.min())
    v, size, height = (x - middle) / half, float(np.abs(x).max()), float(np.abs(y).max())
    powers, y, floor = (x / size)[:, None] ** np.arange(3), y / height, floor / height

    def solved(c: float, kept: list[int], n_steps: int) -> tuple[float, float, Any]:
        """Return the misfit, c and the coefficients."""
        best: tuple[float, float, Any] = (np.inf, c, np.zeros(len(kept)))
        for _ in range(n_steps + 1):
            table = np.hstack([powers * np.exp(c * v - abs(c))[:, None], powers])[:, kept]
            coef = np.linalg.lstsq(table, y, rcond=1e-15)[0]
            misfit = float(np.std(table @ coef - y))
            n = sum(k < 3 for k in kept)
            by_c = v * (table[:, :n] @ coef[:n])
            step = np.linalg.lstsq(np.column_stack([table, by_c]), y, rcond=1e-15)[0][-1]
            best = (misfit, c, coef) if misfit < best[0] else best
            c += float(np.clip(step, -0.2 * abs(c), 0.2 * abs(c)))
        return best

    kept = list(range(6))
    misfit, c, coef = min(
        (solved(rate, kept, 0) for rate in np.outer([1.0, -1.0], RATES).flat),
        key=lambda one: one[0],
    )
    misfit, c, coef = solved(c, kept, N_STEPS)
    most = 2.0 * max(misfit, floor)
    while len(kept) > 1:
        fewer = [[k for k in kept if k != left_out] for left_out in kept]
        found = [(*solved(c, some, N_STEPS), some) for some in fewer]
        misfit, new_c, new_coef, some = min(found, key=lambda one: one[0])
        if misfit > most:
            break
        c, coef, kept = new_c, new_coef, some
    with np.errstate(all="ignore"):
        scale = height / size ** np.arange(3.0)
        scale = np.append(scale * np.exp(-c * middle / half - abs(c)), scale)
        numbers = (coef * scale[kept]).tolist()
    n = sum(k < 3 for k in kept)
    if n and np.isfinite(numbers).all() and all(numbers):
        trees = [
            multiply(Number(number), power_of(Input(0), k % 3.0)) if k % 3 else Number(number)
            for number, k in zip(numbers, kept, strict=True)
        ]
        exponential = apply("exp", multiply(Number(c / half), Input(0)))
        yield add(multiply(add(*trees[:n]), exponential), *trees[n:])


def with_slope(t: FloatArray, y: FloatArray, floor: float) -> tuple[FloatArray, FloatArray]:
    """Return values and derivatives of a polynomial near samples t in [-1, 1], y (n,)."""
    best = np.inf
    coef: FloatArray = np.zeros(1)
    for degree in DEGREES_OF_SLOPE:
        if best <= 2.0 * floor or degree > len(np.unique(t)) // 3:
            break
        columns = chebyshev.chebvander(t, degree)
        new = np.linalg.lstsq(columns, y, rcond=1e-13)[0]
        error = float(np.std(columns @ new - y))
        if error < 0.7 * best:
            best, coef = error, np.asarray(new)
    slope = chebyshev.chebval(t, chebyshev.chebder(coef))
    return np.asarray(chebyshev.chebval(t, coef)), np.asarray(slope)


def any_power(exponent: float) -> Tree:
    """Return x^p as a tree with a trainable exponent, for x > 0."""
    return apply("exp", multiply(Number(float(exponent)), apply("log", Input(0))))
