"""Powers as factors and as terms: a curve whose logarithmic derivative is a quotient, and sums.

The logarithm of y = A (x - r_1)^{p_1} (x - r_2)^{p_2} ... exp(c x + d x^2) has the derivative
y' / y = p_1 / (x - r_1) + p_2 / (x - r_2) + ... + c + 2 d x, a quotient N / D of polynomials. So

    (D37)  N(x) y - D(x) y' = 0

which is linear in the coefficients of N and D: they are a right singular vector of the columns
x^m y and -x^m y', for a singular value zero. The roots of D are the r_i, and the residues of N / D
there are the exponents, p_i = N(r_i) / D'(r_i). Two conjugate roots a +- b i with the same real
residue p are the factor ((x - a)^2 + b^2)^p.

Distributions such as x^p (1 - x)^q and x^p exp(-x), the field of a ring x / (1 + x^2)^{3/2}, and
the pressure (1 + 0.2 M^2)^{-7/2} of a gas are such curves. Values y with an error have a derivative
with a larger one, so that roots and exponents are start values. Sums with one or two powers are
found by comparing exponents, and sums of polynomials, with and without an exponential as a factor,
by comparing its rates.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import LARGEST, pair_misfit, power_of, smallest, unit, with_outer
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, values

DEGREES_OF_SLOPE = (8, 12, 16, 20, 24, 30, 36)  # of a polynomial through the samples
FEWEST_VALUES = 30  # of x, to fit a polynomial of degree 8
MOST_ROOTS = 3
MOST_EXPONENT = 12.0
NO_EXPONENT = 0.02  # a smaller one is zero
ROUND = 0.1  # an exponent is perhaps an integer or a half if it is this near,
EXACTLY = 1e-6  # and nothing else if it is this near
REAL = 0.2  # of an exponent: the largest imaginary part
EXPONENTS_OF_TWO = tuple(sign * p for p in (0.5, *range(1, 13), 1.5, 2.5) for sign in (1.0, -1.0))
N_PAIRS = 3
N_FINER = 6  # lists of exponents, each ten times as fine as the one before
ANY_EXPONENT = np.array([0.05 * n for n in range(-100, 101) if n not in (0, 20)])
RATES = np.geomspace(0.2, 20.0, 20)  # of exponentials, on an interval of length 2
N_STEPS = 5  # of Gauss and Newton
AT_ZERO = 0.02  # of the half width: a root this near to zero is zero


def products_of_powers(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield A (x - r_1)^{p_1} ... exp(c x + d x^2) near the curve x, y (n,), errors `floor`."""
    if len(np.unique(x)) < FEWEST_VALUES:
        return
    middle, half = 0.5 * float(x.max() + x.min()), 0.5 * float(x.max() - x.min())
    t, size = (x - middle) / half, float(np.abs(y).max())
    f, slope = _with_slope(t, y / size, floor / size)
    for n_roots in range(1, MOST_ROOTS + 1):
        for above in range(n_roots - 1, n_roots + 2):
            powers = chebyshev.chebvander(t, max(above, n_roots))
            columns = np.hstack(
                [powers[:, : above + 1] * f[:, None], -powers[:, : n_roots + 1] * slope[:, None]]
            )
            length = np.linalg.norm(columns, axis=0)
            if length.min() > 0.0:
                # [eq:logarithmic-derivative]
                coef = np.linalg.svd(columns / length, full_matrices=False)[2][-1] / length
                n, d = coef[: above + 1], coef[above + 1 :]
                d = chebyshev.chebtrim(d, 1e-200 * np.abs(d).max())
                roots = chebyshev.chebroots(d)
                exponents = chebyshev.chebval(roots, n) / chebyshev.chebval(
                    roots, chebyshev.chebder(d)
                )
                # [/eq:logarithmic-derivative]
                rest = chebyshev.cheb2poly(chebyshev.chebdiv(n, d)[0])
                roots = middle + half * roots
                rounded = _factors(roots, exponents, x, ROUND)
                exact = _factors(roots, exponents, x, EXACTLY)
                for factors in (rounded, exact) if exact != rounded else (exact,):
                    if factors and above >= n_roots:
                        factors.append(_exponential(rest.tolist(), middle, half))
                    if factors:
                        yield from _scaled(factors, x, y)


def _with_slope(t: FloatArray, y: FloatArray, floor: float) -> tuple[FloatArray, FloatArray]:
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


def _exponential(rest: list[float], middle: float, half: float) -> Tree:
    """Return exp(c x + d x^2) for c + 2 d x as a polynomial in t, of degree 0 or 1."""
    with np.errstate(all="ignore"):
        d = 0.5 * rest[1] / half / half if len(rest) > 1 else 0.0
    line = multiply(Number(rest[0] / half - 2.0 * d * middle), Input(0))
    square = multiply(Number(d), power_of(Input(0), 2.0))
    return apply("exp", add(line, square) if d else line)


def _scaled(factors: list[Tree], x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield the factors times the number A that is best for the curve x, y (n,)."""
    with np.errstate(all="ignore"):
        g = values(multiply(*factors), x[:, None])
        size = np.abs(g).max()
        a = float((g / size) @ y / np.sum((g / size) ** 2) / size)
    if np.isfinite(a) and a:
        yield multiply(Number(a), *factors)


def _factors(
    roots: FloatArray, exponents: FloatArray, x: FloatArray, within: float
) -> list[Tree] | None:
    """Return powers of lines and of quadratics that are defined at x (n,), or None.

    Exponents are rounded to integers or halves that are `within` a distance.
    """
    factors = []
    for root, exponent in zip(roots.tolist(), exponents.tolist(), strict=True):
        p = float(np.real(exponent))
        if abs(exponent) <= NO_EXPONENT or np.imag(root) < 0.0:  # the conjugate has its factor
            continue
        if not abs(np.imag(exponent)) <= REAL * abs(p) or abs(p) > MOST_EXPONENT:
            return None
        near = round(2.0 * p) / 2.0
        is_round = abs(p - near) <= within and 0.0 < abs(near) <= 5.0
        r = float(np.real(root))
        line: Tree = Input(0)
        if not abs(root) < LARGEST:
            return None
        if abs(r) > AT_ZERO * 0.5 * float(x.max() - x.min()):
            line = add(line, Number(-r))
        if np.imag(root) > 0.0:
            line = add(apply("x^2", line), Number(float(np.imag(root)) ** 2))
        with np.errstate(all="ignore"):
            sign = float(np.sign(values(line, x[:, None])).sum()) / len(x)
        if abs(sign) < 1.0 and not (is_round and near.is_integer()):
            return None
        line = multiply(Number(-1.0, True), line) if sign == -1.0 else line
        factors.append(_power(line, near if is_round else p))
    return factors or None


def _power(line: Tree, p: float) -> Tree:
    """Return a power with one copy of the line, so that each of its numbers is there once."""
    halves = abs(2.0 * p)
    if not (halves.is_integer() and (halves % 2.0 == 0.0 or halves <= 5.0)):
        return apply("exp", multiply(Number(p), apply("log", line)))
    if halves % 2.0 == 0.0:
        power = power_of(line, 0.5 * halves)
    else:
        power = power_of(apply("sqrt", line), halves)
    return apply("1/x", power) if p < 0.0 else power


def any_power(exponent: float) -> Tree:
    """Return x^p as a tree with a trainable exponent, for x > 0."""
    return apply("exp", multiply(Number(float(exponent)), apply("log", Input(0))))


def powers_beside_terms(x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield a x^p + b x^q + d with the exponents of smallest misfit (D13).

    For x > 0 these are followed by a x^p + d and a x^p + b x + d with any exponent p.
    """
    exponents = [p for p in EXPONENTS_OF_TWO if x.min() > 0.0 or (p > 0.0 and p.is_integer())]
    with np.errstate(all="ignore"):
        table = (x / np.abs(x).max())[:, None] ** np.array(exponents)
    fine = np.flatnonzero(np.isfinite(table).all(axis=0) & (np.abs(table).max(axis=0) < LARGEST))
    exponents, columns = [exponents[k] for k in fine], unit(table[:, fine])
    r = unit(y[:, None])[:, 0] @ columns
    misfit = pair_misfit(r[:, None], r[None, :], columns.T @ columns)
    misfit = np.where(np.tri(len(exponents), dtype=bool), 1.0, misfit)
    for k, m in sorted(smallest(misfit, N_PAIRS), key=lambda place: misfit[place]):
        powers = [power_of(Input(0), exponents[place]) for place in (k, m)]
        terms = np.stack([values(one, x[:, None]) for one in powers])
        if not (np.isfinite(terms).all() and np.abs(terms).max(axis=1).min() > 0.0):
            continue  # x^12 of very large or small x is beyond float64
        (a, b, d), _ = with_outer(list(terms), y)
        yield add(multiply(Number(a), powers[0]), multiply(Number(b), powers[1]), Number(d))
    if x.min() > 0.0:
        for beside in ([], [Input(0)]):
            parts = [any_power(_best_exponent(x, y, bool(beside))), *beside]
            curves = [values(part, x[:, None]) for part in parts]
            if all(np.isfinite(curve).all() and np.abs(curve).max() > 0.0 for curve in curves):
                (*coef, d), _ = with_outer(curves, y)
                scaled = [multiply(Number(c), part) for c, part in zip(coef, parts, strict=True)]
                yield add(*scaled, Number(d))


def _best_exponent(x: FloatArray, y: FloatArray, beside_line: bool) -> float:
    """Return p of a x^p + d, or of a x^p + b x + d, from finer and finer lists of exponents."""
    line, target = unit(x[:, None])[:, 0], y - y.mean()
    target = target - line * (line @ target) if beside_line else target
    exponents, width = ANY_EXPONENT, ANY_EXPONENT[1] - ANY_EXPONENT[0]
    for _ in range(N_FINER):
        with np.errstate(all="ignore"):
            table = (x / x.max())[:, None] ** exponents
        fine = np.isfinite(table).all(axis=0) & (table.max(axis=0) < LARGEST)
        columns = unit(table[:, fine])
        if beside_line:  # what the line leaves of them
            columns = unit(columns - np.outer(line, line @ columns))
        best = float(exponents[fine][np.argmax(np.abs(target @ columns))])
        exponents = best + width * np.linspace(-1.0, 1.0, 21)
        width = 0.1 * width
    return best


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
