"""One case about a layer on another grid, and all cases about finer grids.

The function that the layer computes is compared, not its coefficients. It is required to be kept
where the grids are nested, or where it is a polynomial:

    (C6)  coef_m = sum_r a_r e_r(t_{m+1}, ..., t_{m+k}) / binomial(k, r)

are the B-spline coefficients of the polynomial sum_r a_r x^r, r <= k, with the elementary symmetric
functions e_r (the blossom; Ramshaw 1989). Every grid of degree k represents such a polynomial, so
that every correct method keeps it. A finer grid has the old ends. Source: Liu et al. 2024,
section 2.4, eq. 2.16.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, forward, forward_scale
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer, points
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.topics_knots import (
    clamped,
    uneven_row,
    uneven_twin,
    uniform_knots,
    whole_steps,
)

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
    """The breakpoints of a moved grid (n_in, n_intervals + 1), and their tolerance."""

    right: list[list[float]]
    room: float


def even_samples(n: int, n_in: int, low: float, high: float) -> list[list[float]]:
    """Return `n` evenly spaced samples from low to high, the same for every input."""
    return [[low + (high - low) * place / (n - 1)] * n_in for place in range(n)]


def moved_case(
    name: str,
    method: str,
    flags: str,
    layer: Layer,
    arguments: Mapping[str, Any],
    probe: Rows,
    kind: str = "required",
    since: int = 1,
    breakpoints: Breakpoints | None = None,
    **more: Any,
) -> Case:
    """Return a case that expects the old function at the probe points, and `more` numbers."""
    expected = {"values": array(forward(layer, probe)), "collapsed_rows": 0, **more}
    tolerance = {"values": KEPT * float(forward_scale(layer, probe))} | {
        output: 1e-12 for output in more if output == "ends"
    }
    if breakpoints is not None:
        expected["breakpoints"] = array(breakpoints.right)
        tolerance["breakpoints"] = breakpoints.room
    given = {"layer": layer_array(layer), **arguments}
    options: dict[str, Any] = {"probe": array(probe), "float32": False}
    options |= {"kind": kind, "since": since}
    return case(name, method, flags, given, expected, tolerance, **options)


# name, flags, layer, x, n_intervals, probe
Finer = tuple[str, str, Layer, Rows, int, Rows]


def extension() -> dict[str, Any]:
    """Return the cases of extend_grid(layer, x, n_intervals) -> layer."""
    knots, fives = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-1.0, 1.0, 5, 3)
    dense, probe = even_samples(81, 1, -1.0, 1.0), points("probe", 12, 1)
    denser = even_samples(161, 1, -1.0, 1.0)
    scattered = [[a, -a] for (a,) in denser]
    curve = make_layer("curve", 1, 1, [fives], 3, w_spline=[[1.0]])
    scaled = make_layer("curve", 1, 1, [fives], 3, w_spline=[[2.5]])
    own = [knots, uniform_knots(-2.0, 2.0, 4, 3)]
    square = make_layer("square", 2, 2, own, 3, mask=[[1.0, 0.0], [1.0, 1.0]])
    in_two = [[x[0], 2.0 * y[0]] for x, y in zip(dense, dense[::-1], strict=True)]
    quadratic = make_layer("quadratic", 1, 1, [uniform_knots(0.0, 1.0, 3, 2)], 2)
    cubic, weighted = polynomial_layer(fives, 1.0, 0.5), polynomial_layer(fives, -1.5)
    few, part, one = points("few", 4, 1), even_samples(60, 1, 0.25, 1.0), [[0.125]]
    left, middle = even_samples(60, 1, -1.0, -0.25), even_samples(40, 1, -0.25, 0.25)
    in_left, in_middle = even_samples(9, 1, -0.95, -0.3), even_samples(8, 1, -0.2, 0.2)
    nested, other, hole = "ExtensionNested", "ExtensionNotNested", "ZeroSupportFirstColumn"
    unit, steps = points("quadratic", 8, 1, 0.0, 1.0), even_samples(61, 1, 0.0, 1.0)
    elsewhere, left_open = points("left", 6, 1, -1.0, 0.0), "implementation-defined"
    rows: list[tuple[str, str, Layer, Rows, int, Rows, str]] = [
        ("doubled", f"{nested} GridCount", curve, dense, 10, probe, ""),
        ("doubled-weighted", f"ScalerTwice {nested}", scaled, dense, 10, probe, ""),
        ("quadrupled", nested, curve, denser, 20, probe, ""),
        ("quadratic-tripled", nested, quadratic, steps, 9, unit, ""),
        ("two-by-two", nested, square, in_two, 8, points("two", 6, 2), ""),
        ("five-to-seven", f"{other} GridCount", cubic, dense, 7, probe, ""),
        ("five-to-seven-weighted", f"ScalerTwice {other}", weighted, dense, 7, probe, ""),
        ("five-to-seven-any-curve", f"LeftOpen {other}", curve, dense, 7, probe, left_open),
        ("few-samples", "ExtensionFewSamples", curve, few, 10, few, ""),
        ("few-samples-between", "ExtensionFewSamples", curve, few, 10, probe, "acceptable"),
        ("samples-on-the-right", hole, curve, part, 10, part[3:-3:6], ""),
        ("samples-on-the-left", hole, curve, left, 10, in_left, ""),
        ("samples-in-the-middle", hole, curve, middle, 10, in_middle, ""),
        ("samples-on-the-right-elsewhere", hole, curve, part, 10, elsewhere, "acceptable"),
        ("one-sample", "ExtensionFewSamples BatchOfOne", curve, one, 10, one, ""),
    ]
    cases = [
        _extend(name, flags, layer, x, n_intervals, at, kind=kind or "required")
        for name, flags, layer, x, n_intervals, at, kind in rows
    ]
    mask, both = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], f"OneOutput MissingMask {nested}"
    three = make_layer("three", 3, 2, [knots, knots], 3, mask=mask)
    cubics = polynomial_layer_of_all([uneven_row(fives, 3, turn) for turn in range(2)], 3, mask)
    twin, half = uneven_twin(quadratic), even_samples(121, 1, 0.0, 1.0)
    moved: tuple[tuple[str, str, Layer, Rows, int], ...] = (
        ("three-outputs", both, three, scattered, 8),
        ("uneven-doubled", f"UnevenKnots {nested}", uneven_twin(curve), dense, 10),
        ("uneven-weighted", f"UnevenKnots ScalerTwice {nested}", uneven_twin(scaled), dense, 10),
        ("uneven-quadratic-tripled", f"UnevenKnots {nested}", twin, half, 9),
        ("uneven-three-outputs", f"UnevenKnots {both}", uneven_twin(three), scattered, 8),
        ("uneven-five-to-seven", f"{other} OneOutput MissingMask", cubics, scattered, 7),
    )
    for name, flags, layer, x, n_intervals in moved:
        probe = points(f"probe-{name}", 8, len(x[0]), min(row[0] for row in x), 1.0)
        cases.append(_extend(name, flags, layer, x, n_intervals, probe, since=2))
    for name, flags, layer, x, n_intervals, at in _finer_layers():
        k = layer["degree"]
        ends = array([[row[k], row[-k - 1]] for row in layer["knots"]])
        cases.append(_extend(name, flags, layer, x, n_intervals, at, since=4, ends=ends))
    needs, equation = ["knots", "layer_forward"], "Liu et al. 2024, section 2.4, eq. 2.16"
    return topic("grid_extension", level=4, needs=needs, equation=equation, cases=cases)


def _extend(
    name: str, flags: str, layer: Layer, x: Rows, n_intervals: int, at: Rows, **options: Any
) -> Case:
    """Return a case of extend_grid; `options` are those of `moved_case`, such as the ends."""
    given = {"x": array(x), "n_intervals": n_intervals}
    expected = {"n_intervals": n_intervals, **options}
    return moved_case(name, "extend_grid", flags, layer, given, at, **expected)


def _finer_layers() -> list[Finer]:
    """Return (name, flags, layer, x, n_intervals, probe) whose finer grid contains the old one."""
    found: list[Finer] = []
    # multiples of a tenth: breakpoints of a finer grid may be rounded to the other side
    for degree, low, high, before, after in (
        (0, 0.1, 0.8, 7, 21),
        (0, -0.3, 1.0, 20, 60),
        (0, 0.0, 0.7, 10, 20),
        (0, 0.1, 1.0, 9, 27),
        (0, -1.0, 1.0, 4, 8),
        (1, 0.1, 0.8, 7, 21),
        (2, -1.0, 1.0, 1, 3),
        (4, -1.0, 1.0, 3, 6),
        (5, -2.0, 2.0, 4, 8),
    ):
        rows = [uniform_knots(low, high, before, degree)]
        name = f"degree-{degree}-{before}-to-{after}"
        flag = "DegreeZero " if degree == 0 else "HighDegree " if degree > 3 else ""
        layer = make_layer(name, 2, 1, rows, degree)
        # no sample and no probe lies at a breakpoint
        dense = [[low + (high - low) * (n + 0.5) / (8 * after)] for n in range(8 * after)]
        found.append((name, f"{flag}ExtensionNested", layer, dense, after, dense[1::5]))
    for name, flags, row, base in (
        ("identity-base", "BaseName ExtensionNested", whole_steps(3, 2), "identity"),
        ("zero-base", "BaseName ExtensionNested", whole_steps(3, 2), "zero"),
        ("outer-knots-whole-steps", "ExtensionNested UnevenKnots", whole_steps(3), "silu"),
        ("clamped-knots", "RepeatedKnots ExtensionNested", clamped(3), "silu"),
    ):
        layer = make_layer(f"finer-{name}", 2, 1, [row], 3, base=base)
        x = even_samples(161, 1, -1.0, 1.0)
        found.append((name, flags, layer, x, 8, x[3::17]))
    own = [uniform_knots(0.0, 1.0, 4, 3), uniform_knots(3.0, 11.0, 4, 3)]
    rising = even_samples(161, 1, 0.0, 1.0)
    x = [[a, 3.0 + 8.0 * b] for (a,), (b,) in zip(rising, rising[::-1], strict=True)]
    layer = make_layer("finer-own-ends", 3, 2, own, 3)
    found.append(("ends-of-their-own", "SharedRow ExtensionNested", layer, x, 12, x[2::20]))
    return found
