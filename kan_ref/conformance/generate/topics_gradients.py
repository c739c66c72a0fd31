"""Cases about the vector-Jacobian products of one layer, (C2) and (C3) of `backward`.

Each case depends on one feature.
"""

from typing import Any

from kan_ref.conformance.generate.coverage_cases import (
    block_gradients,
    factor_gradient,
    unusual_gradients,
)
from kan_ref.conformance.generate.encode import topic
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Rows, filled, make_layer, points, vjp_case
from kan_ref.conformance.generate.topics_knots import uneven_twin, uniform_knots


def layer_gradients() -> dict[str, Any]:
    """Return the cases of layer_vjp(layer, x, dy) -> {"dx", "d_coef", "d_w_base", "d_w_spline"}."""
    knots, other = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-2.0, 1.0, 4, 3)
    zeros, ones = filled(0.0, 1, 1), filled(1.0, 1, 1)
    one, up = points("vjp-one", 3, 1), points("vjp-dy", 3, 1, -2.0, 2.0)
    mask = [[1.0, 0.0], [1.0, 1.0]]
    single_edges: tuple[tuple[str, str, Layer, Rows], ...] = (
        (
            "spline-alone",
            "DerivativeFactor BasisSlope",
            make_layer("v-spline", 1, 1, [knots], 3, w_base=zeros, w_spline=ones),
            one,
        ),
        (
            "spline-weighted",
            "DCoefWithoutWSpline DWSplineWithoutCoef",
            make_layer("v-w", 1, 1, [knots], 3, w_base=zeros, w_spline=[[1.75]]),
            one,
        ),
        (
            "silu-alone",
            "SiluSlope DxWithoutBase",
            make_layer("v-silu", 1, 1, [knots], 3, w_base=[[1.5]], w_spline=zeros),
            [[-2.0], [0.25], [1.5]],
        ),
        (
            "silu-far",
            "SiluOverflow",
            make_layer("v-far", 1, 1, [knots], 3),
            [[-800.0], [100.0], [800.0]],
        ),
        (
            "identity-base",
            "BaseName DxWithoutBase",
            make_layer("v-identity", 1, 1, [knots], 3, base="identity"),
            one,
        ),
        ("zero-base", "BaseName", make_layer("v-zero", 1, 1, [knots], 3, base="zero"), one),
        (
            "fading",
            "FadeOutside",
            make_layer("v-fade", 1, 1, [knots], 3, w_base=zeros),
            [[-2.25], [-1.125], [1.375]],
        ),
        (
            "beyond-the-row",
            "ZeroOutside FadeOutside",
            make_layer("v-beyond", 1, 1, [knots], 3),
            [[-3.5], [4.0], [3.0]],
        ),
        (
            "at-knots",
            "DerivativeAtKnot KnotOwnership",
            make_layer("v-knots", 1, 1, [knots], 3),
            [[-1.0], [0.0], [1.0]],
        ),
    )
    cases = [vjp_case(name, flags, layer, x, up) for name, flags, layer, x in single_edges]
    cases += [
        vjp_case(f"{name}-uneven", f"UnevenKnots {flags}", uneven_twin(layer), x, up, since=2)
        for name, flags, layer, x in single_edges
        if name in ("spline-weighted", "fading", "beyond-the-row", "at-knots")
    ]
    wide: tuple[tuple[str, str, Layer], ...] = (
        (
            "two-to-three",
            "MeanOverBatch OneSampleOnly DyIgnored",
            make_layer("v-2-3", 3, 2, [knots, knots], 3),
        ),
        ("three-to-two", "MeanOverBatch DyIgnored", make_layer("v-3-2", 2, 3, [knots] * 3, 3)),
        ("rows-of-their-own", "SharedRow", make_layer("v-rows", 2, 2, [knots, other], 3)),
        (
            "square-mask",
            "UnmaskedGradient TransposedMask",
            make_layer("v-mask", 2, 2, [knots, knots], 3, mask=mask),
        ),
        ("square-weights", "TransposedWeights", make_layer("v-weights", 2, 2, [knots, knots], 3)),
        (
            "degree-1",
            "BasisSlope",
            make_layer("v-1", 2, 2, [uniform_knots(-1.0, 1.0, 4, 1)] * 2, 1),
        ),
        (
            "degree-2",
            "DerivativeFactor",
            make_layer("v-2", 2, 2, [uniform_knots(-1.0, 1.0, 4, 2)] * 2, 2),
        ),
        (
            "degree-0",
            "DegreeZero",
            make_layer("v-0", 2, 2, [uniform_knots(-1.0, 1.0, 4, 0)] * 2, 0),
        ),
        (
            "degree-5",
            "DerivativeFactor HighDegree",
            make_layer("v-5", 2, 2, [uniform_knots(-1.0, 1.0, 4, 5)] * 2, 5),
        ),
        (
            "tenths",
            "Float32Inside",
            make_layer("v-tenths", 2, 2, [uniform_knots(-1.0, 1.0, 5, 3)] * 2, 3),
        ),
    )
    for name, flags, layer in wide:
        n_out, n_in, _ = sizes(layer)
        x, dy = points(f"v-{name}", 4, n_in), points(f"v-dy-{name}", 4, n_out, -2.0, 2.0)
        cases.append(vjp_case(name, flags, layer, x, dy))
        twin = uneven_twin(layer)
        cases.append(
            vjp_case(f"{name}-uneven", f"UnevenKnots {flags}", twin, x[:2], dy[:2], since=2)
        )
    square = make_layer("v-batch", 2, 2, [knots, knots], 3)
    cases += [
        vjp_case("one-sample", "BatchOfOne", square, points("v-single", 1, 2), [[1.5, -0.75]]),
        vjp_case("no-samples", "EmptyBatch", square, [], []),
        *block_gradients(),
        *unusual_gradients(),
        factor_gradient(),
    ]
    return topic(
        "layer_vjp",
        level=4,
        needs=["basis_derivatives", "layer_forward"],
        equation="chain rule on Liu et al. 2024, eq. 2.5",
        cases=cases,
    )
