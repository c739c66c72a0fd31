"""One case about a layer on another grid.

The function that the layer computes is compared, not its coefficients. Some cases use polynomials:

    (C6)  coef_m = sum_r a_r e_r(t_{m+1}, ..., t_{m+k}) / binomial(k, r)

are the B-spline coefficients of the polynomial sum_r a_r x^r, r <= k, with the elementary symmetric
functions e_r (the blossom; Ramshaw 1989). Every grid of degree k represents such a polynomial, so
that every correct method keeps it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from kan_ref.conformance.generate.encode import array, case, layer_array
from kan_ref.conformance.generate.exact import Layer, forward, forward_scale, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, filled, make_layer

KEPT = 1e-10  # of the largest sum of absolute terms: enough for any stable least-squares fit
POLYNOMIAL = (0.5, -1.0, 0.75, 1.25)


def polynomial(
    knots: Sequence[float], degree: int, powers: Sequence[float] = POLYNOMIAL
) -> list[float]:
    """Return the coefficients (C6), each rounded once."""
    t = [Fraction(knot) for knot in knots]

    def blossom(arguments: Sequence[Fraction]) -> Fraction:
        means = [
            Fraction(sum(map(math.prod, combinations(arguments, r)))) / math.comb(degree, r)
            for r in range(degree + 1)
        ]
        return sum(
            (Fraction(a) * mean for a, mean in zip(powers, means, strict=False)), start=Fraction(0)
        )

    return [float(blossom(t[m + 1 : m + 1 + degree])) for m in range(len(knots) - degree - 1)]


def polynomial_layer(
    knots: Sequence[float], w_spline: float, w_base: float = 0.0, n_in: int = 1
) -> Layer:
    """Return a layer of one output with the same cubic on every edge."""
    weights = {"w_base": filled(w_base, 1, n_in), "w_spline": filled(w_spline, 1, n_in)}
    return make_layer(
        "cubic", 1, n_in, [knots] * n_in, 3, coef=[[polynomial(knots, 3)] * n_in], **weights
    )


def polynomial_layer_of_all(
    rows: Sequence[Sequence[float]], n_out: int, mask: Sequence[Sequence[float]]
) -> Layer:
    """Return a layer with another cubic polynomial on every edge."""
    return polynomials_of_degree(3, rows, filled(1.0, n_out, len(rows)), mask=mask)


def polynomials_of_degree(
    degree: int, rows: Sequence[Sequence[float]], shape: Sequence[Sequence[float]], **changes: Any
) -> Layer:
    """Return a layer with another polynomial of at most this degree on every edge.

    `shape` is any (n_out, n_in) matrix; `changes` are made to the layer.
    """

    def powers(j: int, i: int) -> tuple[float, ...]:
        return (0.5 + j, 0.25 * i - 1.0, 0.75 - 0.5 * j, 1.25 - i)[: degree + 1]

    n_out = len(shape)
    coef = [
        [polynomial(row, degree, powers(j, i)) for i, row in enumerate(rows)] for j in range(n_out)
    ]
    return make_layer("cubics", n_out, len(rows), rows, degree, coef=coef, **changes)


@dataclass(frozen=True)
class Breakpoints:
    """The breakpoints of a moved grid (n_in, n_intervals + 1), and their tolerance.

    `wrong` holds those of known defects.
    """

    right: list[list[float]]
    room: float
    wrong: list[list[list[float]]]


def even_samples(n: int, n_in: int, low: float, high: float) -> list[list[float]]:
    """Return `n` evenly spaced samples from low to high, the same for every input."""
    return [[low + (high - low) * place / (n - 1)] * n_in for place in range(n)]


def _wrong(layer: Layer, probe: Rows) -> list[tuple[str, Any]]:
    n_out, n_in, n_basis = sizes(layer)
    squared = [[w * w for w in line] for line in layer["w_spline"]]
    nothing = [[0.0] * n_basis] * n_in
    coef = layer["coef"]
    read = [
        ("ScalerTwice", {"w_spline": squared}),
        ("ZeroSupportFirstColumn", {"coef": [nothing] * n_out}),
        ("MissingMask", {"mask": filled(1.0, n_out, n_in)}),
    ]
    for j in range(n_out if n_out > 1 else 0):
        alone = [curves if n == j else nothing for n, curves in enumerate(coef)]
        read += [("OneOutput", {"coef": alone}), ("OneOutput", {"coef": [coef[j]] * n_out})]
    return [(flag, {"values": forward(layer | change, probe)}) for flag, change in read]


def moved_case(
    name: str,
    method: str,
    flags: str,
    layer: Layer,
    arguments: Mapping[str, Any],
    probe: Rows,
    kind: str,
    since: int = 1,
    breakpoints: Breakpoints | None = None,
    **more: Any,
) -> Case:
    """Return a case that expects the old function at the probe points."""
    expected = {"values": array(forward(layer, probe)), "collapsed_rows": 0, **more}
    tolerance = {"values": KEPT * float(forward_scale(layer, probe))} | {
        output: 1e-12 for output in more if output == "ends"
    }
    wrong = _wrong(layer, probe)
    if breakpoints is not None:
        expected["breakpoints"] = array(breakpoints.right)
        tolerance["breakpoints"] = breakpoints.room
        wrong += [("UpdateBreakpoints", {"breakpoints": rows}) for rows in breakpoints.wrong]
    given = {"layer": layer_array(layer), **arguments}
    return case(
        name,
        method,
        flags,
        given,
        expected,
        tolerance,
        kind=kind,
        wrong=wrong,
        probe=array(probe),
        float32=False,
        since=since,
    )
