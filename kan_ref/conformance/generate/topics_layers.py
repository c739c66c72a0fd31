"""Cases about one layer: several edges, batches, and sums over inputs.

Each case depends on one feature: a mask, knots of each input, the order of the samples.
Source: Liu et al. 2024, eqs. 2.5, 2.10-2.12.
"""

from typing import Any

from kan_ref.conformance.generate.coverage_cases import block_layers, factor_layer, uneven_layers
from kan_ref.conformance.generate.encode import topic
from kan_ref.conformance.generate.exact import forward
from kan_ref.conformance.generate.layer_case import make_layer, points, value_case
from kan_ref.conformance.generate.topics_knots import uniform_knots


def layers() -> dict[str, Any]:
    """Return the cases of layer_forward(layer, x) -> y for several edges."""
    knots, other = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-2.0, 1.0, 4, 3)
    cases = [
        value_case(
            "two-to-three",
            "MeanOverInputs SumAxis SplineSum",
            make_layer("2-3", 3, 2, [knots, knots], 3),
            points("2-3", 3, 2),
        ),
        value_case(
            "three-to-two",
            "MeanOverInputs SumAxis SplineSum",
            make_layer("3-2", 2, 3, [knots] * 3, 3),
            points("3-2", 3, 3),
        ),
        value_case(
            "rows-of-their-own",
            "SharedRow",
            make_layer("rows", 2, 2, [knots, other], 3),
            points("rows", 3, 2),
        ),
        value_case(
            "square-mask",
            "TransposedMask MissingMask",
            make_layer("mask", 2, 2, [knots, knots], 3, mask=[[1.0, 0.0], [1.0, 1.0]]),
            points("mask", 3, 2),
        ),
        value_case(
            "wide-mask",
            "MissingMask",
            make_layer("mask-3", 2, 3, [knots] * 3, 3, mask=[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
            points("mask-3", 3, 3),
        ),
        value_case(
            "dead-output",
            "MissingMask",
            make_layer("dead", 2, 2, [knots, knots], 3, mask=[[0.0, 0.0], [1.0, 1.0]]),
            points("dead", 2, 2),
        ),
        value_case(
            "square-weights",
            "TransposedWeights",
            make_layer("weights", 2, 2, [knots, knots], 3),
            points("weights", 3, 2),
        ),
        value_case(
            "tenths",
            "Float32Inside SplineSum",
            make_layer("tenths", 2, 2, [uniform_knots(-1.0, 1.0, 5, 3)] * 2, 3),
            [[0.1, -0.7], [0.33, 0.9]],
        ),
    ]
    cases += uneven_layers() + block_layers()
    cases.append(factor_layer())
    for degree in (0, 1, 2, 4, 5, 7):
        flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
        layer = make_layer(
            f"degree-{degree}", 2, 2, [uniform_knots(-1.0, 1.0, 4, degree)] * 2, degree
        )
        cases.append(value_case(f"degree-{degree}", flag, layer, points(f"degree-{degree}", 3, 2)))
    return topic(
        "layer_forward", level=3, needs=["edges"], equation="Liu et al. 2024, eq. 2.5", cases=cases
    )


def batches() -> dict[str, Any]:
    """Return the cases about batches of layer_forward(layer, x) -> y.

    The same samples among others, the same shape with other numbers, one sample, and none.
    """
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = make_layer("batches", 2, 2, [knots, knots], 3)
    x = points("batches", 4, 2)
    other = make_layer("batches-2", 2, 2, [knots, knots], 3)
    moved = points("batches-2", 4, 2)
    shifted = layer | {"knots": [uniform_knots(-1.5, 1.5, 4, 3)] * 2}
    old = forward(layer, x)
    cases = [
        value_case("together", "SplineSum", layer, x),
        value_case(
            "other-samples", "StaleCache", layer, moved, wrong={"StaleCache": old}, defects=False
        ),
        value_case(
            "together-again",
            "StaleCache",
            layer,
            x,
            wrong={"StaleCache": forward(layer, moved)},
            defects=False,
        ),
        value_case(
            "other-coefficients", "StaleCache", other, x, wrong={"StaleCache": old}, defects=False
        ),
        value_case(
            "other-knots",
            "StaleCache",
            shifted,
            x,
            wrong={"StaleCache": forward(other, x)},
            defects=False,
        ),
        value_case(
            "reversed",
            "BatchDependence PointOrder",
            layer,
            x[::-1],
            wrong={"BatchDependence": old},
            defects=False,
        ),
        value_case("with-a-far-sample", "BatchDependence", layer, [x[0], [50.0, -70.0], x[1]]),
        value_case("alone-first", "BatchOfOne BatchDependence", layer, x[:1]),
        value_case("alone-last", "BatchOfOne BatchDependence", layer, x[3:]),
        value_case("all-the-same", "BatchDependence PointOrder", layer, [x[2]] * 3),
        value_case("nobody", "EmptyBatch", layer, []),
    ]
    return topic(
        "batches",
        level=4,
        needs=["layer_forward"],
        equation="a layer is a function of one sample",
        cases=cases,
    )


def separability() -> dict[str, Any]:
    """Return the cases about y(p, q) - y(p, s) - y(r, q) + y(r, s) = 0 in one layer."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = make_layer("separable", 2, 2, [knots, uniform_knots(-2.0, 2.0, 4, 3)], 3)
    corners = [[p, q] for p in (-0.75, 0.5) for q in (-1.5, 0.25)]
    single = make_layer("single", 1, 1, [knots], 3)
    cases = [
        value_case("corners", "NotSeparable", layer, corners),
        value_case(
            "scaled-inputs", "NotSeparable", layer, [[0.125, 0.25], [0.5, 1.0], [0.25, 0.5]]
        ),
        value_case("one-input", "NotSeparable SplineSum", single, [[0.125], [0.875]]),
    ]
    return topic(
        "separability",
        level=4,
        needs=["layer_forward"],
        equation="Liu et al. 2024, eq. 2.5",
        cases=cases,
    )
