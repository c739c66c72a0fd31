"""Cases about moving grids, judged by the function that comes back, never by its coefficients.

    (X6)  coef_m = sum_r a_r e_r(t_{m+1}, ..., t_{m+k}) / binomial(k, r)      the B-spline coefficients of sum_r a_r x^r, r <= k

with e_r the elementary symmetric functions (the blossom; Ramshaw 1989). A polynomial of that degree is at home on every grid, so moving the
grid must keep it, whatever method fits: only then does the contract demand anything where grids are not nested.
Liu et al. 2024, section 2.4, eq. 2.16, and section 2.2.
"""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, forward, forward_scale, sizes
from kan_ref.conformance.generate.topics_bases import uniform_row
from kan_ref.conformance.generate.topics_layers import Case, Rows, filled, make_layer, points

KEPT = 1e-10  # of the largest sum of absolute terms: room for any stable least-squares fit
POLYNOMIAL = (0.5, -1.0, 0.75, 1.25)


def polynomial(
    row: Sequence[float], degree: int, powers: Sequence[float] = POLYNOMIAL
) -> list[float]:
    """(X6), each coefficient rounded once."""
    t = [Fraction(knot) for knot in row]

    def blossom(arguments: Sequence[Fraction]) -> Fraction:
        means = [
            Fraction(sum(map(math.prod, combinations(arguments, r)))) / math.comb(degree, r)
            for r in range(degree + 1)
        ]
        return sum(
            (Fraction(a) * mean for a, mean in zip(powers, means, strict=False)), start=Fraction(0)
        )

    return [float(blossom(t[m + 1 : m + 1 + degree])) for m in range(len(row) - degree - 1)]


def polynomial_layer(
    row: Sequence[float], w_spline: float, w_base: float = 0.0, n_in: int = 1
) -> Layer:
    """One output, the same cubic on every edge."""
    weights = {"w_base": filled(w_base, 1, n_in), "w_spline": filled(w_spline, 1, n_in)}
    return make_layer(
        "cubic", 1, n_in, [row] * n_in, 3, coef=[[polynomial(row, 3)] * n_in], **weights
    )


def spread(n: int, n_in: int, low: float, high: float) -> list[list[float]]:
    """`n` samples evenly over [low, high], both ends included, the same for every input."""
    return [[low + (high - low) * place / (n - 1)] * n_in for place in range(n)]


def _wrong(layer: Layer, probe: Rows) -> dict[str, Any]:
    n_out, n_in, n_basis = sizes(layer)
    squared = [[w * w for w in line] for line in layer["w_spline"]]
    dead = [[[0.0] * n_basis] * n_in] * n_out
    return {
        "ScalerTwice": {"values": forward(layer | {"w_spline": squared}, probe)},
        "ZeroSupportFirstColumn": {"values": forward(layer | {"coef": dead}, probe)},
    }


def _moved(
    name: str,
    method: str,
    flags: str,
    layer: Layer,
    arguments: Mapping[str, Any],
    probe: Rows,
    kind: str,
    **more: Any,
) -> Case:
    """The old function at the probe points, and how many intervals there are."""
    expected = {"values": array(forward(layer, probe)), "collapsed_rows": 0, **more}
    tolerance = {"values": KEPT * float(forward_scale(layer, probe))} | {
        output: 1e-12 for output in more if output == "ends"
    }
    given = {"layer": layer_array(layer), **arguments}
    wrong = _wrong(layer, probe)
    return case(
        name,
        method,
        flags,
        given,
        expected,
        tolerance,
        kind=kind,
        wrong=list(wrong.items()),
        probe=array([list(r) for r in probe]),
        float32=False,
    )


# --- grid extension


def extension() -> dict[str, Any]:
    """extend_grid(layer, x, n_intervals) -> layer."""
    row, fives = uniform_row(-1.0, 1.0, 4, 3), uniform_row(-1.0, 1.0, 5, 3)
    dense, probe = spread(81, 1, -1.0, 1.0), points("probe", 12, 1)
    curve = make_layer("curve", 1, 1, [fives], 3, w_spline=[[1.0]])
    scaled = make_layer("curve", 1, 1, [fives], 3, w_spline=[[2.5]])
    square = make_layer(
        "square", 2, 2, [row, uniform_row(-2.0, 2.0, 4, 3)], 3, mask=[[1.0, 0.0], [1.0, 1.0]]
    )
    quadratic = make_layer("quadratic", 1, 1, [uniform_row(0.0, 1.0, 3, 2)], 2)
    part = spread(60, 1, 0.25, 1.0)

    def extend(
        name: str,
        flags: str,
        layer: Layer,
        x: Rows,
        n_intervals: int,
        at: Rows,
        kind: str = "required",
    ) -> Case:
        return _moved(
            name,
            "extend_grid",
            flags,
            layer,
            {"x": array([list(r) for r in x]), "n_intervals": n_intervals},
            at,
            kind,
            n_intervals=n_intervals,
        )

    few = points("few", 4, 1)
    cases = [
        extend("doubled", "ExtensionNested GridCount", curve, dense, 10, probe),
        extend("doubled-weighted", "ScalerTwice ExtensionNested", scaled, dense, 10, probe),
        extend("quadrupled", "ExtensionNested", curve, spread(161, 1, -1.0, 1.0), 20, probe),
        extend(
            "quadratic-tripled",
            "ExtensionNested",
            quadratic,
            spread(61, 1, 0.0, 1.0),
            9,
            points("quadratic", 8, 1, 0.0, 1.0),
        ),
        extend(
            "two-by-two",
            "ExtensionNested",
            square,
            [[x[0], 2.0 * y[0]] for x, y in zip(dense, dense[::-1], strict=True)],
            8,
            points("two", 6, 2),
        ),
        extend(
            "five-to-seven",
            "ExtensionNotNested GridCount",
            polynomial_layer(fives, 1.0, 0.5),
            dense,
            7,
            probe,
        ),
        extend(
            "five-to-seven-weighted",
            "ScalerTwice ExtensionNotNested",
            polynomial_layer(fives, -1.5),
            dense,
            7,
            probe,
        ),
        extend(
            "five-to-seven-any-curve",
            "LeftOpen ExtensionNotNested",
            curve,
            dense,
            7,
            probe,
            "implementation-defined",
        ),
        extend("few-samples", "ExtensionFewSamples", curve, few, 10, few),
        extend("few-samples-between", "ExtensionFewSamples", curve, few, 10, probe, "acceptable"),
        extend("samples-on-the-right", "ZeroSupportFirstColumn", curve, part, 10, part[3:-3:6]),
        extend(
            "samples-on-the-left",
            "ZeroSupportFirstColumn",
            curve,
            spread(60, 1, -1.0, -0.25),
            10,
            spread(9, 1, -0.95, -0.3),
        ),
        extend(
            "samples-in-the-middle",
            "ZeroSupportFirstColumn",
            curve,
            spread(40, 1, -0.25, 0.25),
            10,
            spread(8, 1, -0.2, 0.2),
        ),
        extend(
            "samples-on-the-right-elsewhere",
            "ZeroSupportFirstColumn",
            curve,
            part,
            10,
            points("left", 6, 1, -1.0, 0.0),
            "acceptable",
        ),
        extend("one-sample", "ExtensionFewSamples BatchOfOne", curve, [[0.125]], 10, [[0.125]]),
    ]
    return topic(
        "grid_extension",
        level=4,
        needs=["layer_forward"],
        equation="Liu et al. 2024, section 2.4, eq. 2.16",
        cases=cases,
    )


# --- grid update


def update() -> dict[str, Any]:
    """update_grid(layer, x, uniform_share, margin) -> layer."""
    row = uniform_row(-1.0, 1.0, 5, 3)
    plain, scaled, mixed = (
        polynomial_layer(row, 1.0),
        polynomial_layer(row, 2.0),
        polynomial_layer(row, 2.0, 0.5),
    )
    pair = polynomial_layer(row, 1.5, 0.25, n_in=2)
    bumps = [
        [sum(values) / 4.0]
        for values in zip(
            *(dice(f"bump-{n}", 60, low=-1.0, high=1.0) for n in range(4)), strict=True
        )
    ]
    inside, uneven = spread(60, 1, -0.75, 0.5), points("update", 80, 1, -0.75, 0.5)

    def move(
        name: str,
        flags: str,
        layer: Layer,
        x: Rows,
        share: float = 1.0,
        margin: float = 0.0,
        *,
        kind: str = "required",
        ends: bool = True,
    ) -> Case:
        arguments = {
            "x": array([list(r) for r in x]),
            "uniform_share": array(share),
            "margin": array(margin),
        }
        columns = list(zip(*x, strict=True))
        more = {"ends": array([[min(c), max(c)] for c in columns])} if ends else {}
        return _moved(
            name,
            "update_grid",
            flags,
            layer,
            arguments,
            x[:: max(1, len(x) // 10)],
            kind,
            n_intervals=5,
            **more,
        )

    cases = [
        move("even-samples", "UpdateKeepsFunction UpdateEnds GridCount", plain, inside),
        move("weighted", "ScalerTwice UpdateKeepsFunction", scaled, inside),
        move("weighted-with-base", "ScalerTwice UpdateKeepsFunction", mixed, uneven),
        move("normal-samples", "UpdateKeepsFunction", plain, bumps),
        move("quantiles", "UpdateKeepsFunction", scaled, bumps, 0.0),
        move("half-quantiles", "UpdateKeepsFunction", scaled, uneven, 0.5),
        move("with-margin", "UpdateKeepsFunction", scaled, inside, 1.0, 1.0, ends=False),
        move("narrow", "UpdateKeepsFunction", plain, spread(40, 1, -0.125, 0.125)),
        move("constant", "ConstantFeature", scaled, [[0.375]] * 10, ends=False),
        move(
            "constant-beside-other",
            "ConstantFeature",
            pair,
            [[0.375, value[0]] for value in inside],
            ends=False,
        ),
        move("one-sample", "ConstantFeature BatchOfOne", scaled, [[-0.25]], ends=False),
        move("two-values", "DiscreteFeature", scaled, [[-0.5], [0.75]] * 10),
        move(
            "three-values",
            "DiscreteFeature ZeroSupportFirstColumn",
            scaled,
            [[-0.5], [0.25], [0.75]] * 10,
        ),
        move(
            "two-values-quantiles",
            "DiscreteFeature RepeatedKnots",
            scaled,
            [[-0.5], [0.75]] * 10,
            0.0,
        ),
        move(
            "widened",
            "WidenedGrid",
            scaled,
            spread(60, 1, -3.0, 3.0),
            kind="implementation-defined",
        ),
    ]
    return topic(
        "grid_update",
        level=4,
        needs=["layer_forward"],
        equation="Liu et al. 2024, section 2.2",
        cases=cases,
    )
