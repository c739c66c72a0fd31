"""Cases about grids that are moved to the samples, for layers of every degree and base.

A moved grid has breakpoints that are evenly spaced, quantiles of the samples, or means of both:

    (C31)  t_n = share (low + n (high - low) / G) + (1 - share) q_{n/G},   n = 0, ..., G

Definitions of a quantile differ by less than the distance of neighbouring samples; two such
distances are the tolerance. Source: Liu et al. 2024, section 2.2 (grid updates).
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.coverage_cases import samples
from kan_ref.conformance.generate.encode import array, dice, topic
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, points
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.topics_grid_extension import (
    Breakpoints,
    even_samples,
    moved_case,
    polynomial_layer,
    polynomial_layer_of_all,
    polynomials_of_degree,
)
from kan_ref.conformance.generate.topics_knots import uneven_row, uniform_knots

EVEN = 1e-12


def update() -> dict[str, Any]:
    """Return the cases of update_grid(layer, x, uniform_share, margin) -> layer."""
    knots, distant = uniform_knots(-1.0, 1.0, 5, 3), uniform_knots(4.0, 6.0, 4, 3)
    plain, scaled = polynomial_layer(knots, 1.0), polynomial_layer(knots, 2.0)
    mixed, pair = polynomial_layer(knots, 2.0, 0.5), polynomial_layer(knots, 1.5, 0.25, n_in=2)
    far = polynomial_layer(distant, 1.0)
    draws = (dice(f"bump-{n}", 60, low=-1.0, high=1.0) for n in range(4))
    bumps = [[sum(values) / 4.0] for values in zip(*draws, strict=True)]
    inside, uneven = even_samples(60, 1, -0.75, 0.5), points("update", 80, 1, -0.75, 0.5)
    narrow, wide = even_samples(40, 1, -0.125, 0.125), even_samples(60, 1, -3.0, 3.0)
    two, three = [[-0.5], [0.75]] * 10, [[-0.5], [0.25], [0.75]] * 10
    beside = [[0.375, value[0]] for value in inside]
    keeps, constant = "UpdateKeepsFunction", "ConstantFeature"
    cases = [
        _ends("even-samples", f"{keeps} UpdateEnds GridCount", plain, inside),
        _ends("weighted", f"ScalerTwice {keeps}", scaled, inside),
        _ends("weighted-with-base", f"ScalerTwice {keeps}", mixed, uneven),
        _ends("normal-samples", keeps, plain, bumps),
        _ends("quantiles", keeps, scaled, bumps, 0.0),
        _ends("half-quantiles", keeps, scaled, uneven, 0.5),
        _moved("with-margin", keeps, scaled, inside, 1.0, 1.0),
        _ends("narrow", keeps, plain, narrow),
        _moved("constant", constant, scaled, [[0.375]] * 10),
        _moved("constant-beside-other", constant, pair, beside),
        _moved("constant-far", constant, far, [[5.25]] * 10, since=3),
        _moved("one-sample", f"{constant} BatchOfOne", scaled, [[-0.25]]),
        _ends("two-values", "DiscreteFeature", scaled, two),
        _ends("three-values", "DiscreteFeature ZeroSupportFirstColumn", scaled, three),
        _ends("two-values-quantiles", "DiscreteFeature RepeatedKnots", scaled, two, 0.0),
        _ends("widened", "WidenedGrid", scaled, wide, kind="implementation-defined"),
    ]
    mask, rows = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], [uneven_row(knots, 3, n) for n in range(2)]
    masked, both = "OneOutput MissingMask", [[a[0], -a[0]] for a in uneven]
    for name, flags, of_inputs, shape, x, share in (
        ("three-outputs", masked, [knots, knots], mask, both, 1.0),
        ("uneven-three-outputs", f"UnevenKnots {masked}", rows, mask, both, 1.0),
        ("uneven-quantiles", f"UnevenKnots {keeps}", rows, mask[:2], both, 0.25),
        ("many-samples", f"{keeps} UnevenKnots", rows[:1], [[1.0]], samples(1201, 257, 1), 0.5),
    ):
        layer = polynomial_layer_of_all(of_inputs, len(shape), shape)
        cases.append(_ends(name, flags, layer, x, share, since=2))
    cases += _breakpoints() + _contained()
    needs, equation = ["knots", "layer_forward"], "Liu et al. 2024, section 2.2"
    return topic("grid_update", level=4, needs=needs, equation=equation, cases=cases)


def _moved(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    share: float = 1.0,
    margin: float = 0.0,
    *,
    kind: str = "required",
    since: int = 1,
    **more: Any,
) -> Case:
    """Return a case of update_grid; `more` are further expected numbers, such as the ends."""
    given = {"x": array(x), "uniform_share": array(share), "margin": array(margin)}
    more = {"n_intervals": sizes(layer)[2] - layer["degree"], **more}
    probe = x[:: max(1, len(x) // 10)]
    return moved_case(name, "update_grid", flags, layer, given, probe, kind, since, **more)


def _ends(name: str, flags: str, layer: Layer, x: Rows, share: float = 1.0, **more: Any) -> Case:
    """Return a case that compares the ends of the moved grid with those of the samples, too."""
    ends = array([[min(column), max(column)] for column in zip(*x, strict=True)])
    return _moved(name, f"{flags} UpdateEnds", layer, x, share, ends=ends, **more)


def _breakpoints() -> list[Case]:
    """Return the cases that compare breakpoints (C31)."""
    knots = uniform_knots(-1.0, 1.0, 5, 3)
    crowded = [[u * u * u] for u in dice("crowded", 120, low=-0.875, high=0.875)]
    two = [[0.5 * a, 0.25 - 0.5 * b * b] for (a,), (b,) in zip(crowded, crowded[::-1], strict=True)]
    shape, pair = filled(1.0, 2, 1), [knots, uniform_knots(-2.0, 2.0, 5, 3)]
    cubic = polynomials_of_degree(3, [knots], shape)
    cubics = polynomials_of_degree(3, pair, filled(1.0, 3, 2))
    rows: list[tuple[str, str, Layer, Rows, float]] = [
        ("even-breakpoints", "", cubic, crowded, 1.0),
        ("quantile-breakpoints", "", cubic, crowded, 0.0),
        ("mixed-breakpoints", "", cubic, crowded, 0.25),
        ("even-in-two", "", cubics, two, 1.0),
        ("quantiles-in-two", "", cubics, two, 0.0),
    ]
    for degree in (0, 1, 2, 5):
        six, flag = uniform_knots(-1.0, 1.0, 6, degree), "DegreeZero" if degree == 0 else ""
        layer = polynomials_of_degree(degree, [six], shape)
        rows.append((f"degree-{degree}", flag, layer, crowded, 0.5))
    for base in ("identity", "zero"):
        layer = polynomials_of_degree(3, [knots], shape, base=base)
        rows.append((f"{base}-base", "BaseName", layer, crowded, 1.0))
    cases = []
    for name, flags, layer, x, share in rows:
        flags = f"{flags} UpdateBreakpoints UpdateKeepsFunction"
        right = _expected(layer, x, share)
        cases.append(_moved(name, flags, layer, x, share, since=4, breakpoints=right))
    return cases


def _contained() -> list[Case]:
    """Return the cases that ask only that the samples lie on the grid."""
    knots = uniform_knots(-1.0, 1.0, 5, 3)
    shape = filled(1.0, 2, 1)
    layer = polynomials_of_degree(3, [knots], shape)
    far = polynomials_of_degree(3, [uniform_knots(100.0, 101.0, 4, 3)], shape, base="zero")
    some = even_samples(60, 1, -0.75, 0.5)
    return [
        _moved(name, f"{flags} UpdateEnds", one, x, share, margin, since=4, outside=0)
        for name, flags, one, x, share, margin in (
            ("with-margin-contains", "UpdateKeepsFunction", layer, some, 1.0, 0.5),
            ("quantiles-with-margin-contains", "UpdateKeepsFunction", layer, some, 0.0, 0.5),
            ("constant-contains", "ConstantFeature", layer, [[0.375]] * 10, 1.0, 0.0),
            ("one-sample-contains", "ConstantFeature BatchOfOne", layer, [[-0.25]], 1.0, 0.0),
            ("constant-quantiles-contains", "ConstantFeature", layer, [[0.375]] * 10, 0.0, 0.0),
            ("constant-far-contains", "ConstantFeature", far, [[100.25]] * 10, 1.0, 0.0),
        )
    ]


def _expected(layer: Layer, x: Rows, share: float) -> Breakpoints:
    n = sizes(layer)[2] - layer["degree"]
    columns = [sorted(column) for column in zip(*x, strict=True)]
    gaps = [
        abs(b - a)
        for column in columns
        for place in range(1, n)
        for a, b in _neighbours(column, place / n)
    ]

    def mixed(weight: float) -> list[list[float]]:
        return [
            [
                weight * (column[0] + (column[-1] - column[0]) * place / n)
                + (1.0 - weight) * _quantile(column, place / n)
                for place in range(n + 1)
            ]
            for column in columns
        ]

    return Breakpoints(mixed(share), max(EVEN, 2.0 * (1.0 - share) * max(gaps)))


def _quantile(column: Sequence[float], rank: float) -> float:
    place = rank * (len(column) - 1)
    below = min(int(place), len(column) - 2)
    return column[below] + (place - below) * (column[below + 1] - column[below])


def _neighbours(column: Sequence[float], rank: float) -> list[tuple[float, float]]:
    """Return the neighbouring samples about a quantile."""
    place = int(rank * (len(column) - 1))
    around = range(max(0, place - 1), min(len(column) - 1, place + 2))
    return [(column[one], column[one + 1]) for one in around]
