"""Exponentials with other terms, for curves y(x) of one input.

Growth that saturates, the occupation of states, and the radiation of a black body are powers times
or divided by an exponential with an offset. If y = x^p (A exp(c x^q) + d) with s = 1, h = x^p, or
y = x^p / (A exp(c x^q) + d) with s = -1, h = y^2 / x^p, then

    (D39)  x y' = p y + s c q x^q (y - d h)

since x d/dx of the exponential is c q x^q times it. For given p, q and s this is linear in c and
c d. The derivative x y' with respect to log x is that of a polynomial through the samples, in x or
log x, whichever is nearer. So the numbers of the best p, q and s are start values.

Heat capacities, pulses and standing waves have two exponentials or a sine, and perhaps a power of
all. Let y or 1/y be x^p g, and r = g^m = A exp(c v) + B exp(-c v) + d with v = x^q, where c may be
imaginary. The second derivative of r with respect to v is c^2 (r - d). In derivatives with respect
to log x this is

    (D40)  g'' + (m - 1) g'^2 / g - q g' = (c^2 q^2 v^2 / m) (g - d g^(1 - m))

which is linear in c^2 and c^2 d.

A x^p exp(c x^q) is linear in log A, p and c in the logarithm. Sums of polynomials, with and without
an exponential as a factor, are found by comparing its rates.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import power_of
from kan_ref.discovery.linear_models import FEWEST_VALUES, with_slopes
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, substitute

HIDDEN = 3.0  # times the error: a larger value has a known sign
LARGEST_EXPONENT = 600.0
N_EXPONENTIALS = 3  # that are yielded
POWERS_IN_EXPONENT = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0)
POWERS_BESIDE = tuple(0.5 * n for n in range(-10, 11))
N_BESIDE = 6
OUTER = {1.0: ("x", "1/x"), 0.5: ("x^2", "1/x^2"), 2.0: ("sqrt", "1/sqrt")}  # r^(1/m), r^(-1/m)
N_WAVES = 4
TINY = 1e-300  # of values: the reciprocals of smaller ones may overflow
RATES = np.geomspace(0.2, 20.0, 20)  # of exponentials, on an interval of length 2
N_STEPS = 5  # of Gauss and Newton


def exponentials_beside_powers(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield x^p (A exp(c x^q) + d) and x^p / (A exp(c x^q) + d), for x > 0, the nearest ones.

    `floor` is the error of the curve x, y (n,).
    """
    if x.min() <= 0.0 or len(np.unique(x)) < FEWEST_VALUES or not y.any():
        return
    size, unit, u, (f, slope, _) = _by_logarithm(x, y, floor)
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
            a = float(scale * np.sign(growth @ inside) * np.exp(log_a))
            rate, offset = float(c / unit**q), float(scale * d)
        if np.isfinite([a, rate, offset]).all() and a and rate:
            inner = multiply(Number(rate), power_of(Input(0), q))
            part = add(multiply(Number(a), apply("exp", inner)), Number(offset))
            yield multiply(power_of(Input(0), p), part if s > 0.0 else apply("1/x", part))


def waves_beside_powers(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield x^p r^(1/m), where r has a cosh, a sinh or a sine of c x^q, (D40), and reciprocals.

    x must be above 0; the nearest are yielded. `floor` is the error of the curve x, y (n,).
    """
    if x.min() <= 0.0 or len(np.unique(x)) < FEWEST_VALUES or not y.any():
        return
    has_one_sign = y.min() * y.max() > 0.0
    sign = float(np.sign(y[0])) if has_one_sign else 1.0
    curves = [_by_logarithm(x, sign * y, floor)]
    if has_one_sign and np.abs(y).min() > TINY:
        curves.append(_by_logarithm(x, sign / y, 0.0))
    found = []
    for inverse, (size, unit, u, (f, first, second)) in enumerate(curves):
        powers = (OUTER if has_one_sign else (1.0,)), POWERS_BESIDE, POWERS_IN_EXPONENT
        for m, p, q in product(*powers):
            with np.errstate(all="ignore"):
                g, v = f / u**p, u**q
                by_log, by_log_2 = first - p * f, second - 2.0 * p * first + p**2 * f  # times u^p
                # [eq:wave-beside-power]
                left = by_log_2 - q * by_log
                if m != 1.0:
                    left = left + (m - 1.0) * by_log**2 / f
                columns = (q**2 * v**2 / m)[:, None] * np.stack([f, -f * g**-m], axis=1)
                # [/eq:wave-beside-power]
                length = np.append(np.linalg.norm(columns, axis=0), np.linalg.norm(left))
                if not (np.isfinite(length).all() and length.min() > 0.0):
                    continue
                coef = np.linalg.lstsq(columns / length[:2], left, rcond=1e-13)[0] / length[:2]
                misfit = float(np.linalg.norm(columns @ coef - left) / length[2])
                r = (g * size / unit**p) ** m
                found.append((misfit, inverse, m, p, q, float(coef[0]), v, r, unit))
    for _, inverse, m, p, q, square, v, r, unit in sorted(found, key=lambda one: one[:5])[:N_WAVES]:
        with np.errstate(all="ignore"):
            part = _wave(v, r, square, float(unit**q))
        if part is not None:
            power = multiply(Number(sign, True), power_of(Input(0), -p if inverse else p))
            wave = substitute(part, [power_of(Input(0), q)])
            yield multiply(power, apply(OUTER[m][inverse], wave))


def _wave(v: FloatArray, r: FloatArray, square: float, unit: float) -> Tree | None:
    """Return A e^{cv} + B e^{-cv} + d near r(v), with c^2 = `square`, as a tree of v * unit."""
    c = np.sqrt(np.float64(abs(square)))
    ends = (v - v.max(), v.min() - v)
    waves = [np.exp(c * one) for one in ends] if square > 0.0 else [np.cos(c * v), np.sin(c * v)]
    table = np.stack([*waves, np.ones(len(v))], axis=1)
    if not (np.isfinite(table).all() and np.isfinite(r).all() and 0.0 < c / unit < np.inf):
        return None
    a, b, d = np.linalg.lstsq(table, r, rcond=1e-13)[0].tolist()
    inner = multiply(Number(float(c / unit)), Input(0))
    if square < 0.0:
        wave = apply("sin", add(inner, Number(float(np.arctan2(a, b)))))
        return add(multiply(Number(float(np.hypot(a, b))), wave), Number(d))
    a, b = a * float(np.exp(-c * v.max())), b * float(np.exp(c * v.min()))
    if not (np.isfinite([a, b]).all() and a and b):
        return None
    if np.sign(a) == np.sign(b):
        shift, height = 0.5 * (np.log(abs(a)) - np.log(abs(b))), np.sqrt(abs(a)) * np.sqrt(abs(b))
        wave = apply("cosh", add(inner, Number(float(shift))))
        return add(multiply(Number(2.0 * float(np.sign(a) * height)), wave), Number(d))
    falling = multiply(Number(float(-c / unit)), Input(0))
    pair = [multiply(Number(n), apply("exp", one)) for n, one in ((a, inner), (b, falling))]
    return add(*pair, Number(d))


def _by_logarithm(
    x: FloatArray, y: FloatArray, floor: float
) -> tuple[np.float64, np.float64, FloatArray, tuple[FloatArray, ...]]:
    """Return units of y and x, some x in its unit, and there y and its derivatives by log x."""
    size, unit = np.abs(y).max(), np.sqrt(x.min()) * np.sqrt(x.max())
    u = x / unit
    middle, width = 0.5 * (u.max() + u.min()), 0.5 * (u.max() - u.min())
    f, t, half = y / size, np.log(u), 0.5 * (np.log(u.max()) - np.log(u.min()))
    (t, f_t, first, second), error = with_slopes(t / half, f, floor / size, 2)
    (u, f_u, by_u, by_u2), other = with_slopes((u - middle) / width, f, floor / size, 2)
    if other < error:  # the polynomial in x is nearer than that in log x
        u = middle + width * u
        w = u / width
        return size, unit, u, (f_u, by_u * w, by_u * w + by_u2 * w**2)
    return size, unit, np.exp(half * t), (f_t, first / half, second / half**2)


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


def any_power(exponent: float) -> Tree:
    """Return x^p as a tree with a trainable exponent, for x > 0."""
    return apply("exp", multiply(Number(float(exponent)), apply("log", Input(0))))
