"""Quotients of polynomials, for samples without noise, and other forms that least squares finds.

A function of a quotient, g(y) = P(x) / Q(x), is linear in the coefficients of both polynomials,

    (D24)   P(x) - g(y) Q(x) = 0   at all samples

which has a solution besides zero if the smallest singular value of the columns x^m and -g(y) x^m is
zero. The right singular vector has the coefficients. The degrees grow from 1 until there is a
solution. Coefficients that are rounding errors are left out then, and the rest is solved again.

Quotients of high degree come near to any smooth function (Pade approximation), with singular values
that decrease little by little. A solution therefore has few terms, and the other singular values
are far above the smallest one. Of a curve that is known up to an error, a quotient with
Q = 1 + b_1 v + ... is a least-squares solution of

    (D22)   P(v) - y (b_1 v + ... + b_q v^q) = y
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import power_of
from kan_ref.discovery.models import TRANSFORMS, Transform
from kan_ref.discovery.trees import Input, Number, Tree, add, apply, multiply, values

MOST_DEGREE, MOST_OF_ONE = 4, 7  # of P and of Q for several inputs, for one; 7 of both together
MOST_COLUMNS = 80  # 77 for degrees 3 and 2 of five inputs
LEAST_ROWS = 3  # samples for each column
MOST_TERMS = 14
ROUNDING = 1e-13  # of the largest singular value
GAP = 1e4  # of the other singular values above the smallest one
SMALL = 1e-8  # of the largest coefficient
EXACT = 1e-10  # of the standard deviation of y
NAMES = ("f", "f^2", "exp", "log")

NEAR, MOST_OF_CURVE = 30.0, 6  # of a curve: times its error; degrees of P and Q below that together

# of simple forms
FORMS = ("f", "f^2", "1/f", "log", "exp", "sqrt", "1/f^2")
MOST_TERMS_OF_FORM = 20
LEAST_T = 4.0  # standard errors of a coefficient that stays
ROUND = 0.15  # an exponent is this near to an integer or a half


def quotients(x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield, for each g, the simplest g^-1(P / Q) that is exact at samples x (n, n_in), y (n,)."""
    for transform, sign, g, _ in _transformed(y, NAMES):
        tree = quotient(x, g)
        if tree is not None:
            tree = multiply(Number(sign, True), apply(transform.inverse, tree))
            if np.std(values(tree, x) - y) <= EXACT * np.std(y):
                yield tree


def simple_forms(x: FloatArray, y: FloatArray) -> list[Tree]:
    """Return g^-1(P) with polynomials P of degree 1 to 3, and c times powers, for samples.

    They are least-squares fits to x (n, n_in), y (n,), of few inputs only the lower degrees. A term
    whose coefficient is below `LEAST_T` standard errors is left out.
    """
    n, n_in = x.shape
    size, found = np.abs(x).max(axis=0), list[Tree]()
    for transform, sign, g, weight in _transformed(y, FORMS):
        for degree in (1, 2, 3):
            monomials = _monomials(n_in, degree)
            if len(monomials) > min(MOST_TERMS_OF_FORM, n // 4):
                break
            table = _values(monomials, x / size) * weight[:, None]
            kept, coef = _significant(table, g * weight)
            if len(coef):
                pairs = zip([monomials[k] for k in kept], coef, strict=True)
                tree = add(*(_term(one, c / np.prod(size[list(one)]), False) for one, c in pairs))
                found.append(multiply(Number(sign, True), apply(transform.inverse, tree)))
    return found + _powers(x, y)


def _significant(table: FloatArray, z: FloatArray) -> tuple[list[int], FloatArray]:
    """Return which columns (n, k) explain z (n,), the least significant ones left out one by one.

    And their coefficients; none if columns depend on each other.
    """
    kept = list(range(table.shape[1]))
    while True:
        columns = table[:, kept]
        coef, _, rank, _ = np.linalg.lstsq(columns, z, rcond=1e-12)
        if rank < len(kept):
            return [], np.zeros(0)
        sigma = np.linalg.norm(columns @ coef - z) / max(len(z) - len(kept), 1) ** 0.5
        errors = sigma * np.linalg.norm(np.linalg.pinv(columns), axis=1)
        if len(kept) == 1 or not (np.abs(coef) < LEAST_T * errors).any():
            return kept, np.asarray(coef, dtype=np.float64)
        kept.pop(int(np.argmin(np.abs(coef) / np.maximum(errors, 1e-300))))


def _transformed(
    y: FloatArray, names: Sequence[str]
) -> Iterator[tuple[Transform, float, FloatArray, FloatArray]]:
    """Yield transforms g with a sign, g(sign y), and the weights 1 / |g'| of its errors."""
    for transform in TRANSFORMS:
        for sign in (1.0, -1.0):
            if transform.name in names and transform.is_defined(sign, y):
                with np.errstate(all="ignore"):
                    g, slope = transform.g(sign * y), transform.slope(sign * y)
                weight = 1.0 / np.abs(slope)
                if np.isfinite(g).all() and np.isfinite(weight).all():
                    yield transform, sign, g, weight / np.abs(weight).max()


def _powers(x: FloatArray, y: FloatArray) -> list[Tree]:
    """Return c x_1^{p_1} ... x_n^{p_n} with simple powers, if it may be near."""
    if not (np.abs(x).min() > 0.0 and np.abs(y).min() > 0.0):
        return []
    weight, columns = np.abs(y), np.column_stack([np.log(np.abs(x)), np.ones(len(x))])
    powers = np.linalg.lstsq(columns * weight[:, None], np.log(weight) * weight, rcond=1e-12)[0][
        :-1
    ]
    simple = np.round(2.0 * powers) / 2.0
    is_whole = (simple % 1.0 == 0.0) | (x.min(axis=0) > 0.0)
    if not (is_whole.all() and simple.any() and np.abs(simple - powers).max() <= ROUND):
        return []
    tree = multiply(*(power_of(Input(i), p) for i, p in enumerate(simple.tolist()) if p))
    h = values(tree, x)
    return [multiply(Number(float(h @ y / (h @ h))), tree)] if np.isfinite(h).all() else []


def quotient(x: FloatArray, g: FloatArray) -> Tree | None:
    """Return P / Q of the lowest degrees for values g (n,) at x (n, n_in), or None."""
    n_in = x.shape[1]
    size = np.abs(x).max(axis=0)
    most = MOST_OF_ONE if n_in == 1 else MOST_DEGREE
    orders = [(p, q) for p in range(most + 1) for q in range(min(most, MOST_OF_ONE - p) + 1)]
    for above, below in sorted(orders[1:], key=lambda order: (max(order), sum(order), order[1])):
        n_columns = comb(n_in + above, above) + comb(n_in + below, below)
        if n_columns > MOST_COLUMNS or LEAST_ROWS * n_columns > len(x):
            continue
        one, other = _monomials(n_in, above), _monomials(n_in, below)
        rows = np.linspace(0, len(x) - 1, LEAST_ROWS * n_columns).astype(int)  # of sorted ones, too
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
    """Return P / Q as a tree, whose smallest coefficient is 1."""
    unscaled = np.array(
        [c / float(np.prod(size[list(inputs)])) for c, inputs in zip(coef, monomials, strict=True)]
    )
    if not np.any(coef[n_above:]) or not np.any(coef[:n_above]):
        return None
    place = min(np.flatnonzero(unscaled).tolist(), key=lambda k: abs(unscaled[k]))
    unscaled = unscaled / unscaled[place]
    terms = [_term(inputs, c, c == 1.0) for inputs, c in zip(monomials, unscaled, strict=True)]
    above = add(*(term for term, c in zip(terms, unscaled[:n_above], strict=False) if c))
    below = add(*(term for term, c in zip(terms[n_above:], unscaled[n_above:], strict=True) if c))
    return multiply(above, apply("1/x", below))


def _term(inputs: tuple[int, ...], coef: float, is_one: bool) -> Tree:
    counts = np.bincount(inputs) if inputs else np.zeros(0, dtype=int)
    parts = [power_of(Input(i), int(power)) for i, power in enumerate(counts) if power]
    return multiply(Number(float(coef), is_one), *parts)


def rational_curves(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield the simplest P / Q of one input whose error at x, y (n,) is near `floor`, by (D22)."""
    size = float(np.abs(x).max())
    powers = (x / size)[:, None] ** np.arange(MOST_OF_CURVE)
    orders = [(p, q) for q in range(1, MOST_OF_CURVE) for p in range(MOST_OF_CURVE - q)]
    for above, below in sorted(orders, key=sum):
        # [eq:rational-least-squares]
        columns = np.hstack([powers[:, : above + 1], -y[:, None] * powers[:, 1 : below + 1]])
        coef = np.linalg.lstsq(columns, y, rcond=None)[0]
        # [/eq:rational-least-squares]
        a, b = coef[: above + 1], np.append(1.0, coef[above + 1 :])
        p, q = powers[:, : above + 1] @ a, powers[:, : below + 1] @ b
        if q.min() > 0.0 and np.sqrt(np.mean((p / q - y) ** 2)) <= NEAR * floor:
            parts = [
                add(*(_term((0,) * k, c / size**k, False) for k, c in enumerate(one.tolist())))
                for one in (a, b)
            ]
            yield multiply(parts[0], apply("1/x", parts[1]))
            return
