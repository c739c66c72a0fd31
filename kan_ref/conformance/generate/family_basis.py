"""Basis functions of other families than the paper's, and their first two derivatives.

    (C27)  gaussian    B_m(x) = exp(-((x - c_m) / h)^2)                  centres c, width h
    (C28)  chebyshev   B_m(x) = T_m(u), m = 0, ..., degree;  u = x or tanh x
    (C29)  fourier     cos x, ..., cos(n x), sin x, ..., sin(n x)         n frequencies
    (C30)  relu        B_m(x) = 16 / (e_m - s_m)^4 [max(0, e_m - x) max(0, x - s_m)]^2

A layer of a family is y_j = sum_i sum_m coef_jim B_m(x_i), without base function, weights or bias.
Sources: Li 2024, arXiv 2405.06721 (Gaussian); Sidharth et al. 2024, arXiv 2405.07200 (Chebyshev,
with tanh); Qiu et al. 2024, arXiv 2406.02075, eq. 6 (ReLU). The Fourier basis has no common source.
Derivatives are those of truncated Taylor series: a number is [f, f', f'' / 2].
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.exact import Number, context, precise, total

Family = Mapping[str, Any]
Series = list[Number]


def multiply(a: Series, b: Series) -> Series:
    """Return the first three Taylor coefficients of a product."""
    return [total(a[r] * b[n - r] for r in range(n + 1)) for n in range(3)]


def compose(outer: Series, inner: Series) -> Series:
    """Return f(g(x)) from the Taylor coefficients of f at g(x), and those of g."""
    return [outer[0], outer[1] * inner[1], outer[1] * inner[2] + outer[2] * inner[1] ** 2]


def basis_series(family: Family, x: float, change: str = "") -> list[Series]:
    """Return the Taylor series of all basis functions at x; `change` names a known defect."""
    at = precise(x)
    here = [at, precise(1), precise(0)]
    return _KINDS[family["family"]](family, here, change)


def basis_values(family: Family, x: float, order: int = 0, change: str = "") -> list[Number]:
    """Return the basis functions at x, or their first or second derivatives."""
    return [series[order] * (2 if order == 2 else 1) for series in basis_series(family, x, change)]


def _gaussian(family: Family, x: Series, change: str) -> list[Series]:
    h, found = precise(family["width"]), []
    for centre in family["centres"]:
        z = [(x[0] - precise(centre)) / h, 1 / h, precise(0)]
        square = [-term for term in multiply(z, z)]
        if change == "half":
            square = [term / 2 for term in square]
        if change == "width":
            square = [term * h for term in square]
        e = context().exp(square[0])
        found.append(compose([e, e, e / 2], square))
    return found


def _chebyshev(family: Family, x: Series, change: str) -> list[Series]:
    u = x
    if family["argument"] == "tanh" and change != "argument":
        t = context().tanh(x[0])
        u = [t, 1 - t * t, -t * (1 - t * t)]
    elif change == "argument":
        t = context().tanh(x[0])
        u = [t, 1 - t * t, -t * (1 - t * t)] if family["argument"] == "x" else x
    one = [precise(1), precise(0), precise(0)]
    first = [2 * term for term in u] if change == "second-kind" else u
    found = [one, first]
    while len(found) <= family["degree"]:
        doubled = multiply([2 * term for term in u], found[-1])
        found.append([a - b for a, b in zip(doubled, found[-2], strict=True)])
    return found[: family["degree"] + 1]


def _fourier(family: Family, x: Series, change: str) -> list[Series]:
    cosines, sines = [], []
    for n in range(1, family["n_frequencies"] + 1):
        k = n - 1 if change == "frequency" else n
        c, s = context().cos(k * x[0]), context().sin(k * x[0])
        cosines.append([c, -k * s, -k * k * c / 2])
        sines.append([s, k * c, -k * k * s / 2])
    return [*sines, *cosines] if change == "order" else [*cosines, *sines]


def _relu(family: Family, x: Series, change: str) -> list[Series]:
    found = []
    for start, end in zip(family["starts"], family["ends"], strict=True):
        s, e = precise(start), precise(end)
        inside = s < x[0] < e
        bump = multiply([e - x[0], precise(-1), precise(0)], [x[0] - s, precise(1), precise(0)])
        square = bump if change == "square" else multiply(bump, bump)
        factor = precise(1) if change == "scale" else 16 / (e - s) ** 4
        found.append([factor * term if inside else precise(0) for term in square])
    return found


_KINDS = {"gaussian": _gaussian, "chebyshev": _chebyshev, "fourier": _fourier, "relu": _relu}


def family_forward(
    family: Family, coef: Sequence[Any], x: Sequence[Sequence[float]], order: int = 0
) -> tuple[list[list[Number]], Number]:
    """Return the outputs of a layer (batch, n_out), and the largest sum of absolute terms."""
    values, largest = [], precise(0)
    for row in x:
        bases = [basis_values(family, at, order) for at in row]
        line = []
        for curves in coef:
            terms = [
                precise(c) * b
                for coefs, basis in zip(curves, bases, strict=True)
                for c, b in zip(coefs, basis, strict=True)
            ]
            line.append(total(terms))
            largest = max(largest, total(map(abs, terms)))
        values.append(line)
    return values, largest
