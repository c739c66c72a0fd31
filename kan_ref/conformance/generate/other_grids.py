"""Cases about the breakpoints of finer and moved grids, for layers of every degree and base.

A finer grid has the old ends. A moved one has breakpoints that are evenly spaced, quantiles of the
samples, or means of both:

    (C31)  t_n = share (low + n (high - low) / G) + (1 - share) q_{n/G},   n = 0, ..., G

Definitions of a quantile differ by less than the distance of neighbouring samples; two such
distances are the tolerance.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.encode import array, dice
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, filled, make_layer
from kan_ref.conformance.generate.moved_layer_case import (
    Breakpoints,
    even_samples,
    moved_case,
    polynomials_of_degree,
)
from kan_ref.conformance.generate.topics_knots import clamped, uniform_knots, whole_steps

EVEN = 1e-12
Finer = tuple[str, str, Layer, Rows, int, Rows]


def finer_layers() -> list[Finer]:
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
    x = [[a, 3.0 + 8.0 * b] for (a,), (b,) in _pairs(161)]
    layer = make_layer("finer-own-ends", 3, 2, own, 3)
    found.append(("ends-of-their-own", "SharedRow ExtensionNested", layer, x, 12, x[2::20]))
    return found


def _pairs(n: int) -> list[tuple[list[float], list[float]]]:
    rising = even_samples(n, 1, 0.0, 1.0)
    return list(zip(rising, rising[::-1], strict=True))


def moved_grids() -> list[Case]:
    """Return the cases of update_grid that compare breakpoints (C31)."""
    knots = uniform_knots(-1.0, 1.0, 5, 3)
    crowded = [[u * u * u] for u in dice("crowded", 120, low=-0.875, high=0.875)]
    two = [[0.5 * a, 0.25 - 0.5 * b * b] for (a,), (b,) in zip(crowded, crowded[::-1], strict=True)]
    shape, pair = filled(1.0, 2, 1), [knots, uniform_knots(-2.0, 2.0, 5, 3)]
    cases = []
    for name, flags, layer, x, share in (
        ("even-breakpoints", "", polynomials_of_degree(3, [knots], shape), crowded, 1.0),
        ("quantile-breakpoints", "", polynomials_of_degree(3, [knots], shape), crowded, 0.0),
        ("mixed-breakpoints", "", polynomials_of_degree(3, [knots], shape), crowded, 0.25),
        ("even-in-two", "", polynomials_of_degree(3, pair, filled(1.0, 3, 2)), two, 1.0),
        ("quantiles-in-two", "", polynomials_of_degree(3, pair, filled(1.0, 3, 2)), two, 0.0),
        *(
            (
                f"degree-{degree}",
                "DegreeZero" if degree == 0 else "",
                polynomials_of_degree(degree, [uniform_knots(-1.0, 1.0, 6, degree)], shape),
                crowded,
                0.5,
            )
            for degree in (0, 1, 2, 5)
        ),
        *(
            (
                f"{base}-base",
                "BaseName",
                polynomials_of_degree(3, [knots], shape, base=base),
                crowded,
                1.0,
            )
            for base in ("identity", "zero")
        ),
    ):
        flags = f"{flags} UpdateBreakpoints UpdateKeepsFunction"
        cases.append(_moved(name, flags, layer, x, share, breakpoints=_expected(layer, x, share)))
    return cases


def contained_samples() -> list[Case]:
    """Return the cases of update_grid that ask only that the samples lie on the grid."""
    knots = uniform_knots(-1.0, 1.0, 5, 3)
    shape = filled(1.0, 2, 1)
    layer = polynomials_of_degree(3, [knots], shape)
    far = polynomials_of_degree(3, [uniform_knots(100.0, 101.0, 4, 3)], shape, base="zero")
    some = even_samples(60, 1, -0.75, 0.5)
    return [
        _moved(name, f"{flags} UpdateEnds", one, x, share, margin, outside=0)
        for name, flags, one, x, share, margin in (
            ("with-margin-contains", "UpdateKeepsFunction", layer, some, 1.0, 0.5),
            ("quantiles-with-margin-contains", "UpdateKeepsFunction", layer, some, 0.0, 0.5),
            ("constant-contains", "ConstantFeature", layer, [[0.375]] * 10, 1.0, 0.0),
            ("one-sample-contains", "ConstantFeature BatchOfOne", layer, [[-0.25]], 1.0, 0.0),
            ("constant-quantiles-contains", "ConstantFeature", layer, [[0.375]] * 10, 0.0, 0.0),
            ("constant-far-contains", "ConstantFeature", far, [[100.25]] * 10, 1.0, 0.0),
        )
    ]


def _moved(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    share: float,
    margin: float = 0.0,
    **more: Any,
) -> Case:
    given = {"x": array(x), "uniform_share": array(share), "margin": array(margin)}
    n_intervals = sizes(layer)[2] - layer["degree"]
    probe = x[:: max(1, len(x) // 10)]
    return moved_case(
        name, "update_grid", flags, layer, given, probe, "required", 4,
        n_intervals=n_intervals, **more,
    )  # fmt: skip


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

    wrong = [mixed(weight) for weight in sorted({0.0, 1.0, 1.0 - share} - {share})]
    return Breakpoints(mixed(share), max(EVEN, 2.0 * (1.0 - share) * max(gaps)), wrong)


def _quantile(column: Sequence[float], rank: float) -> float:
    place = rank * (len(column) - 1)
    below = min(int(place), len(column) - 2)
    return column[below] + (place - below) * (column[below + 1] - column[below])


def _neighbours(column: Sequence[float], rank: float) -> list[tuple[float, float]]:
    """Return the neighbouring samples about a quantile."""
    place = int(rank * (len(column) - 1))
    around = range(max(0, place - 1), min(len(column) - 1, place + 2))
    return [(column[one], column[one + 1]) for one in around]
