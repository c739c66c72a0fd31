"""Quotients of polynomials and powers of several inputs, for samples without noise.

A function of a quotient, g(y) = P(x) / Q(x), is linear in the coefficients of both polynomials,

    (D24)   P(x) - g(y) Q(x) = 0   at all samples

which has a solution besides zero if the smallest singular value of the columns x^m and -g(y) x^m is
zero. The right singular vector has the coefficients. The degrees grow from 1 until there is a
solution. Coefficients that are rounding errors are left out then, and the rest is solved again.

Quotients of high degree come near to any smooth function (Pade approximation), with singular values
that decrease little by little. A solution therefore has few terms, and the other singular values
are far above the smallest one.

Many laws are a product of powers of single inputs and of a function g of fewer inputs,

    (D31)   f(x) = x_i^p g(other inputs),   so that   x_i f_i / f = p   at all points

where f_i is the derivative with respect to x_i. Dividing the samples by the power leaves a problem
with fewer inputs, for which models of higher degree can be fitted. The exponent p is the median of
x_i f_i / f for a model of the samples. A wrong power shows on held-out samples: the error of models
of g, times the power, must be at most 0.8 of that of models of f with all inputs.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import powers_of
from kan_ref.discovery.linear_models import linear_models
from kan_ref.discovery.slices import TRANSFORMS
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, values

MOST_DEGREE = 4
MOST_COLUMNS = 80  # 77 for degrees 3 and 2 of five inputs
LEAST_ROWS = 3  # samples for each column
MOST_TERMS = 14
ROUNDING = 1e-13  # of the largest singular value
GAP = 1e4  # of the other singular values above the smallest one
SMALL = 1e-8  # of the largest coefficient
EXACT = 1e-10  # of the standard deviation of y
NAMES = ("f", "f^2", "exp", "log")

MOST_POINTS = 200
STEP = 0.02  # of the standard deviation of an input, for central differences
ROUND = 0.15  # an exponent is this near to an integer or a half
MOST_EXPONENT = 6.0
GAIN = 0.8  # of the error with one input more: noise alone would leave it nearly as it is
Values = Callable[[FloatArray], FloatArray]


def quotients(x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield, for each g, the simplest g^-1(P / Q) that is exact at samples x (n, n_in), y (n,)."""
    for transform in TRANSFORMS:
        for sign in (1.0, -1.0):
            low, high = transform.domain
            inside = sign * y
            if transform.name not in NAMES or (sign < 0.0 and low < 0.0):
                continue
            if not (inside.min() > low and inside.max() < high):
                continue
            tree = quotient(x, np.asarray(transform.g(inside)))
            if tree is not None:
                tree = multiply(Number(sign, True), apply(transform.inverse, tree))
                error = float(np.sqrt(np.mean((values(tree, x) - y) ** 2)))
                if error <= EXACT * float(np.std(y)):
                    yield tree


def quotient(x: FloatArray, g: FloatArray) -> Tree | None:
    """Return P / Q of the lowest degrees for values g (n,) at x (n, n_in), or None."""
    n_in = x.shape[1]
    size = np.abs(x).max(axis=0)
    orders = [(p, q) for p in range(MOST_DEGREE + 1) for q in range(MOST_DEGREE + 1) if p + q]
    for above, below in sorted(orders, key=lambda order: (max(order), sum(order), order[1])):
        n_columns = comb(n_in + above, above) + comb(n_in + below, below)
        if n_columns > MOST_COLUMNS or LEAST_ROWS * n_columns > len(x):
            continue
        one, other = _monomials(n_in, above), _monomials(n_in, below)
        rows = slice(None, LEAST_ROWS * n_columns)
        z, scaled = x[rows] / size, g[rows, None] / np.abs(g).max()
        columns = np.hstack([_values(one, z), -scaled * _values(other, z)])
        coef = _solution(columns)
        if coef is not None:
            coef[len(one) :] /= np.abs(g).max()
            return _written(one + other, coef, len(one), size)
    return None


def _monomials(n_in: int, degree: int) -> list[tuple[int, ...]]:
    """Return the inputs of each monomial, up to the degree."""
    return [
        inputs
        for total in range(degree + 1)
        for inputs in combinations_with_replacement(range(n_in), total)
    ]


def _values(monomials: list[tuple[int, ...]], x: FloatArray) -> FloatArray:
    return np.column_stack([np.prod(x[:, list(inputs)], axis=1) for inputs in monomials])


def _solution(columns: FloatArray) -> FloatArray | None:
    """Return the coefficients of a combination of the columns that is zero, or None."""
    scale = np.sqrt(np.mean(columns**2, axis=0))
    kept = np.flatnonzero(scale > 0.0)
    coef = np.zeros(columns.shape[1])
    for _ in range(4):
        # [eq:quotient-null-vector]
        _, singular, right = np.linalg.svd(columns[:, kept] / scale[kept], full_matrices=False)
        # [/eq:quotient-null-vector]
        if singular[-1] > ROUNDING * singular[0] or (
            len(singular) > 1 and singular[-2] < GAP * singular[-1]
        ):
            return None
        vector = right[-1]
        large = np.abs(vector) > SMALL * np.abs(vector).max()
        coef[:] = 0.0
        coef[kept] = vector / scale[kept]
        if large.all():
            break
        kept = kept[large]
    return coef if len(kept) <= MOST_TERMS else None


def _written(
    monomials: list[tuple[int, ...]], coef: FloatArray, n_above: int, size: FloatArray
) -> Tree | None:
    """Return P / Q as a tree, with a coefficient 1 such that many others are simple too."""
    unscaled = np.array(
        [c / float(np.prod(size[list(inputs)])) for c, inputs in zip(coef, monomials, strict=True)]
    )
    if not np.any(coef[n_above:]) or not np.any(coef[:n_above]):
        return None
    place = max(np.flatnonzero(unscaled).tolist(), key=lambda k: _simple(unscaled / unscaled[k]))
    unscaled = unscaled / unscaled[place]
    terms = [_term(inputs, c, c == 1.0) for inputs, c in zip(monomials, unscaled, strict=True)]
    above = add(*(term for term, c in zip(terms, unscaled[:n_above], strict=False) if c))
    below = add(*(term for term, c in zip(terms[n_above:], unscaled[n_above:], strict=True) if c))
    return multiply(above, apply("1/x", below))


def _simple(numbers: FloatArray) -> int:
    """Count the numbers that are integers or halves, beside zero."""
    doubled = 2.0 * numbers
    return int(np.sum((np.abs(doubled - np.round(doubled)) < 1e-6) & (np.round(doubled) != 0.0)))


def _term(inputs: tuple[int, ...], coef: float, is_one: bool) -> Tree:
    counts = np.bincount(inputs) if inputs else np.zeros(0, dtype=int)
    parts = [powers_of(Input(i), int(power)) for i, power in enumerate(counts) if power]
    return multiply(Number(float(coef), is_one), *parts)


def power_factors(
    f: Values, x: FloatArray, y: FloatArray, deadline: float = np.inf
) -> tuple[dict[int, float], float]:
    """Return the exponents of inputs whose powers are factors of samples x (n, n_in), y (n,).

    `f` computes values near to y at points (batch, n_in). At least one input has no power. Also
    returned is the error of a model of the other inputs times the powers, on held-out samples.
    After the deadline no further power is tried.
    """
    found: dict[int, float] = {}
    models = linear_models(x, y, deadline=deadline)
    least = min((model.error for model in models), default=np.inf)
    rest = list(range(x.shape[1]))
    weight = np.ones(len(y))
    while len(rest) > 1:
        trials = []
        for place, exponent in _exponents(f, x[:, rest]):
            if time.monotonic() > deadline:
                return found, least
            others = [k for k in rest if k != rest[place]]
            factor = weight * x[:, rest[place]] ** exponent
            if np.isfinite(factor).all() and np.abs(factor).min() > 0.0:
                trials += [
                    (model.error, rest[place], exponent, factor, model)
                    for model in linear_models(x[:, others], y / factor, factor, deadline)
                ]
        if not trials:
            break
        error, chosen, exponent, factor, model = min(trials, key=lambda trial: trial[0])
        if not error <= GAIN * least:
            break
        found[chosen] = exponent
        rest.remove(chosen)
        least, weight, f = error, factor, model.f
    return found, least


def _exponents(f: Values, x: FloatArray) -> Iterator[tuple[int, float]]:
    """Yield inputs with exponents that they may have: 1, and the one that x_i f_i / f is near."""
    size = np.abs(f(x))
    size[~np.isfinite(size)] = -1.0  # not among the largest
    points = x[size >= np.median(size)][:MOST_POINTS]  # relative errors of f are small there
    for i in range(x.shape[1]):
        step = np.zeros(x.shape[1])
        step[i] = STEP * float(x[:, i].std())
        with np.errstate(all="ignore"):
            # [eq:power-factor]
            slope = (f(points + step) - f(points - step)) / (2.0 * step[i])
            p = float(np.median(points[:, i] * slope / f(points)))
            # [/eq:power-factor]
        near = float(np.round(2.0 * p) / 2.0) if np.isfinite(p) else 0.0
        is_near = abs(p - near) <= ROUND and 0.0 < abs(near) <= MOST_EXPONENT
        is_defined = near.is_integer() or x[:, i].min() > 0.0
        for exponent in dict.fromkeys([1.0, near] if is_near and is_defined else [1.0]):
            yield i, exponent


def product_of_powers(exponents: dict[int, float]) -> Tree:
    """Return the product of powers of the inputs as a tree."""
    return multiply(*(power_of_input(i, p) for i, p in exponents.items()))


def power_of_input(place: int, exponent: float) -> Tree:
    """Return a power of an input, with an integer or a half as the exponent, as a tree."""
    whole, half = divmod(abs(exponent), 1.0)
    parts: list[Tree] = [Input(place)] * int(whole)
    name = {1.0: "x", 2.0: "x^2", 3.0: "x^3", 4.0: "x^4", 5.0: "x^5"}.get(whole)
    if name is not None:
        parts = [apply(name, Input(place))]
    if half:
        parts.append(apply("sqrt", Input(place)))
    tree = multiply(*parts)
    return apply("1/x", tree) if exponent < 0.0 else tree


def without_powers(
    x: FloatArray, y: FloatArray, exponents: dict[int, float]
) -> tuple[FloatArray, FloatArray, Sequence[int]]:
    """Return the inputs without powers, y divided by the powers, and the places of those inputs."""
    rest = [i for i in range(x.shape[1]) if i not in exponents]
    factor = np.ones(len(y))
    for i, exponent in exponents.items():
        factor = factor * x[:, i] ** exponent
    return x[:, rest], y / factor, rest
