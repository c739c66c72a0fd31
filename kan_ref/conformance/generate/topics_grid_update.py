"""Cases about grids that are moved to the samples.

Source: Liu et al. 2024, section 2.2 (grid updates).
"""

from typing import Any

from kan_ref.conformance.generate.coverage_cases import samples
from kan_ref.conformance.generate.encode import array, dice, topic
from kan_ref.conformance.generate.exact import Layer
from kan_ref.conformance.generate.layer_case import Case, Rows, points
from kan_ref.conformance.generate.moved_layer_case import (
    even_samples,
    moved_case,
    polynomial_layer,
    polynomial_layer_of_all,
)
from kan_ref.conformance.generate.other_grids import contained_samples, moved_grids
from kan_ref.conformance.generate.topics_knots import uneven_row, uniform_knots


def update() -> dict[str, Any]:
    """Return the cases of update_grid(layer, x, uniform_share, margin) -> layer."""
    knots = uniform_knots(-1.0, 1.0, 5, 3)
    plain, scaled, mixed = (
        polynomial_layer(knots, 1.0),
        polynomial_layer(knots, 2.0),
        polynomial_layer(knots, 2.0, 0.5),
    )
    distant = polynomial_layer(uniform_knots(4.0, 6.0, 4, 3), 1.0)
    pair = polynomial_layer(knots, 1.5, 0.25, n_in=2)
    bumps = [
        [sum(values) / 4.0]
        for values in zip(
            *(dice(f"bump-{n}", 60, low=-1.0, high=1.0) for n in range(4)), strict=True
        )
    ]
    inside, uneven = even_samples(60, 1, -0.75, 0.5), points("update", 80, 1, -0.75, 0.5)

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
        since: int = 1,
    ) -> Case:
        arguments = {
            "x": array(x),
            "uniform_share": array(share),
            "margin": array(margin),
        }
        columns = list(zip(*x, strict=True))
        more: dict[str, Any] = {"ends": array([[min(c), max(c)] for c in columns])} if ends else {}
        return moved_case(
            name,
            "update_grid",
            f"{flags} UpdateEnds" if ends else flags,
            layer,
            arguments,
            x[:: max(1, len(x) // 10)],
            kind,
            since,
            n_intervals=len(layer["coef"][0][0]) - layer["degree"],
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
        move("narrow", "UpdateKeepsFunction", plain, even_samples(40, 1, -0.125, 0.125)),
        move("constant", "ConstantFeature", scaled, [[0.375]] * 10, ends=False),
        move(
            "constant-beside-other",
            "ConstantFeature",
            pair,
            [[0.375, value[0]] for value in inside],
            ends=False,
        ),
        move("constant-far", "ConstantFeature", distant, [[5.25]] * 10, ends=False, since=3),
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
            even_samples(60, 1, -3.0, 3.0),
            kind="implementation-defined",
        ),
    ]
    mask = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    rows = [uneven_row(knots, 3, turn) for turn in range(2)]
    both = [[a[0], -a[0]] for a in uneven]
    for name, flags, layer, x, share in (
        (
            "three-outputs",
            "OneOutput MissingMask",
            polynomial_layer_of_all([knots, knots], 3, mask),
            both,
            1.0,
        ),
        (
            "uneven-three-outputs",
            "UnevenKnots OneOutput MissingMask",
            polynomial_layer_of_all(rows, 3, mask),
            both,
            1.0,
        ),
        (
            "uneven-quantiles",
            "UnevenKnots UpdateKeepsFunction",
            polynomial_layer_of_all(rows, 2, mask[:2]),
            both,
            0.25,
        ),
        (
            "many-samples",
            "UpdateKeepsFunction UnevenKnots",
            polynomial_layer_of_all(rows[:1], 1, [[1.0]]),
            samples(1201, 257, 1),
            0.5,
        ),
    ):
        cases.append(move(name, flags, layer, x, share, since=2))
    cases += moved_grids() + contained_samples()
    return topic(
        "grid_update",
        level=4,
        needs=["knots", "layer_forward"],
        equation="Liu et al. 2024, section 2.2",
        cases=cases,
    )
