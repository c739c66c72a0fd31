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
found by comparing exponents. Of a power in a formula, `rescaled` takes the scale outside.
"""

from collections.abc import Iterator

import numpy as np
from numpy.polynomial import chebyshev

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.discovery.atoms import LARGEST, pair_misfit, power_of, smallest, unit, with_outer
from kan_ref.discovery.exponentials import any_power
from kan_ref.discovery.linear_models import FEWEST_VALUES, with_slopes
from kan_ref.discovery.trees import (
    Apply,
    Input,
    Number,
    Product,
    Sum,
    Tree,
    add,
    apply,
    multiply,
    values,
)

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
AT_ZERO = 0.02  # of the half width: a root this near to zero is zero
SIMPLE = 1e-9  # relative: a ratio of two numbers that is nearer to a simple one is that one
MOST_SIMPLE = 1e3
POWERS = {"x^2": 2.0, "x^3": 3.0, "x^4": 4.0, "x^5": 5.0, "sqrt": 0.5, "1/x": -1.0, "1/x^2": -2.0,
          "1/x^3": -3.0, "1/sqrt": -0.5}  # fmt: skip


def products_of_powers(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield A (x - r_1)^{p_1} ... exp(c x + d x^2) near the curve x, y (n,), errors `floor`."""
    if len(np.unique(x)) < FEWEST_VALUES:
        return
    middle, half = 0.5 * float(x.max() + x.min()), 0.5 * float(x.max() - x.min())
    t, size = (x - middle) / half, float(np.abs(y).max())
    (t, f, slope), _ = with_slopes(t, y / size, floor / size, 1)
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


def rescaled(tree: Tree) -> Iterator[Tree]:
    """Yield the tree with the scale of one power outside: (a u + b)^2 is a^2 (u + b/a)^2.

    Beside another factor a is redundant. exp(-(a u + b)^2) is exp(-a^2 (u + b/a)^2), where a^2 may
    be simple.
    """
    if isinstance(tree, Apply):
        yield from (apply(tree.function, part) for part in rescaled(tree.part))
        if isinstance(tree.part, Sum):
            yield from _rescaled_power(tree.function.name, tree.part.parts)
    elif isinstance(tree, Sum | Product):
        join = add if isinstance(tree, Sum) else multiply
        for place, part in enumerate(tree.parts):
            for new in rescaled(part):
                yield join(*tree.parts[:place], new, *tree.parts[place + 1 :])


def _rescaled_power(name: str, terms: tuple[Tree, ...]) -> Iterator[Tree]:
    """Yield the power of a sum with that coefficient outside which leaves most simple ones."""
    exponent = 2.0 if name == "gaussian" else POWERS.get(name)
    pairs = [term.parts if isinstance(term, Product) else (term,) for term in terms]
    leading = [pair[0] for pair in pairs]
    a = np.array([one.value for one in leading if isinstance(one, Number) and not one.fixed])
    if exponent is None or len(a) < len(terms) or not np.all(a):
        return
    scale = max(a.tolist(), key=lambda one: int(np.sum(_simple(a / one))))
    if exponent % 1.0 and scale < 0.0:
        return
    with np.errstate(all="ignore"):
        outside = float(np.power(scale, exponent))
    if not (np.isfinite(outside) and outside):
        return
    rest = [multiply(*pair[1:]) for pair in pairs]
    inside = add(*map(multiply, map(_number, (a / scale).tolist()), rest))
    if name == "gaussian":
        yield apply("exp", multiply(_number(-outside), apply("x^2", inside)))
    else:
        yield multiply(_number(outside), apply(name, inside))


def _number(value: float) -> Number:
    """Return a trainable number, or a fixed one where the value is simple."""
    is_simple = bool(_simple(np.array([value]))[0])
    return Number(round(2.0 * value) / 2.0, True) if is_simple else Number(value)


def _simple(ratios: FloatArray) -> BoolArray:
    """Return which numbers are integers or halves, up to rounding errors and to 500."""
    doubled = 2.0 * ratios
    near = np.round(doubled)
    is_near = np.abs(doubled - near) <= SIMPLE * np.abs(doubled)
    return np.asarray(is_near & (near != 0.0) & (np.abs(near) <= MOST_SIMPLE))
