"""Cases about single edges: a spline or a base function by itself, then both.

Source: Liu et al. 2024, eqs. 2.10-2.12.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.encode import topic
from kan_ref.conformance.generate.layer_case import (
    Case,
    Rows,
    filled,
    make_layer,
    points,
    value_case,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots


def edges() -> dict[str, Any]:
    """Return the cases of layer_forward(layer, x) -> y for one edge."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    zeros = filled(0.0, 1, 1)
    one = points("layers-one", 4, 1)

    def spline(
        name: str, flags: str, knots: Sequence[float], degree: int, x: Rows, weight: float = 1.0
    ) -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [knots], degree, w_base=zeros, w_spline=[[weight]]),
            x,
        )

    def base(name: str, flags: str, x: Rows, weight: float, kind: str = "silu") -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [knots], 3, w_base=[[weight]], w_spline=zeros, base=kind),
            x,
        )

    uneven, repeated = (
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0],
        [-0.5, -0.25, 0.0, 0.5, 0.5, 1.0, 1.25, 1.5],
    )
    cases = [
        spline("spline-alone", "SplineSum", knots, 3, one),
        spline("spline-weighted", "MissingWSpline WSplineTwice", knots, 3, one, 1.75),
        spline("spline-fading", "FadeOutside", knots, 3, [[-2.25], [-1.125], [1.375], [2.0]]),
        spline("spline-beyond-row", "ZeroOutside FadeOutside", knots, 3, [[-3.5], [4.0]]),
        spline("spline-end-of-grid", "GridEnd", knots, 3, [[-1.0], [1.0]]),
        spline(
            "spline-last-knot",
            "LastEnd RepeatedKnots",
            [0.0] * 4 + [0.5] + [1.0] * 4,
            3,
            [[0.0], [1.0]],
        ),
        spline(
            "spline-thousand-intervals",
            "ManyIntervals",
            uniform_knots(-1.0, 1.0, 1000, 3),
            3,
            [[-0.7], [0.123]],
        ),
        spline("spline-uneven", "UnevenKnots", uneven, 2, one),
        spline("spline-repeated-knots", "RepeatedKnots", repeated, 2, [[0.25], [0.5], [0.75]]),
        base("silu-alone", "SiluForm MissingBase", [[-3.0], [-0.5], [0.0], [2.5]], 1.0),
        base("silu-weighted", "MissingWBase SiluForm", one, -1.5),
        base("silu-far", "SiluOverflow", [[-800.0], [-100.0], [100.0], [800.0]], 1.0),
        base("identity-alone", "BaseName MissingWBase", one, 1.5, "identity"),
        base("zero-alone", "BaseName", one, 1.5, "zero"),
        value_case(
            "spline-and-silu",
            "BaseScaled SiluForm MissingWBase MissingWSpline",
            make_layer("edge", 1, 1, [knots], 3),
            one,
        ),
        value_case(
            "spline-and-identity",
            "BaseName BaseScaled MissingWBase MissingWSpline",
            make_layer("identity", 1, 1, [knots], 3, base="identity"),
            one,
        ),
        value_case(
            "spline-and-silu-outside",
            "FadeOutside SiluForm MissingWBase",
            make_layer("beyond", 1, 1, [knots], 3),
            [[-3.5], [-1.25], [4.0]],
        ),
        value_case(
            "masked", "MissingMask", make_layer("masked", 1, 1, [knots], 3, mask=zeros), one
        ),
    ]
    return topic(
        "edges", level=2, needs=["bases"], equation="Liu et al. 2024, eqs. 2.10-2.12", cases=cases
    )
