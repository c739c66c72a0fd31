"""Cases about the vector-Jacobian products of one layer, (C2) and (C3) of `backward`.

Each case depends on one feature, and carries the answers of known defects: a missing factor, a mask
that the backward pass omits, a batch that is averaged or dropped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import Collector, layer_vjp
from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, Rules, sizes
from kan_ref.conformance.generate.layer_case import (
    Case,
    Rows,
    filled,
    make_layer,
    points,
    with_defects,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots

GRADIENTS = 2e-13  # of the largest sum of absolute terms


def encode_sums(
    found: Mapping[str, Collector], names: Sequence[str] | None = None, prefix: str = ""
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return arrays and tolerances of sums.

    An array without terms must be 0 within the tolerance of 1.
    """
    chosen = list(found) if names is None else list(names)
    arrays = {prefix + name: array(found[name].nested(), found[name].shape) for name in chosen}
    return arrays, {
        prefix + name: GRADIENTS * float(found[name].scale()) or GRADIENTS for name in chosen
    }


def vjp_case(name: str, flags: str, layer: Layer, x: Rows, dy: Rows) -> Case:
    """Return the case of layer_vjp(layer, x, dy)."""
    n_out, n_in, _ = sizes(layer)
    found = layer_vjp(layer, x, dy)
    expected, tolerance = encode_sums(found)
    answers = {
        flag: _nested(layer_vjp(one, x, dy, rules))
        for flag, (one, rules) in with_defects(layer).items()
    }
    answers["SiluSlope"] = _nested(layer_vjp(layer, x, dy, Rules(silu_slope="sigmoid")))
    answers["DerivativeFactor"] = _nested(layer_vjp(layer, x, dy, Rules(without_degree=True)))
    answers["DyIgnored"] = _nested(layer_vjp(layer, x, [[1.0] * n_out for _ in x]))
    plain = layer | {"w_spline": filled(1.0, n_out, n_in)}
    answers["DCoefWithoutWSpline"] = {"d_coef": layer_vjp(plain, x, dy)["d_coef"].nested()}
    flat = layer | {"coef": [[[1.0] * len(cell) for cell in line] for line in layer["coef"]]}
    answers["DWSplineWithoutCoef"] = {"d_w_spline": layer_vjp(flat, x, dy)["d_w_spline"].nested()}
    answers["UnmaskedGradient"] = answers.pop("MissingMask")
    del answers["BaseScaled"]
    for flag, change in (
        ("DxWithoutBase", {"base": "zero"}),
        ("DxWithoutSpline", {"w_spline": filled(0.0, n_out, n_in)}),
    ):
        answers[flag] = {"dx": layer_vjp(layer | change, x, dy)["dx"].nested()}
    del answers["MissingBase"]
    if len(x) > 1:
        names = ("d_coef", "d_w_base", "d_w_spline")
        answers["MeanOverBatch"] = {part: _divided(found[part].nested(), len(x)) for part in names}
        last = layer_vjp(layer, x[-1:], dy[-1:])
        answers["OneSampleOnly"] = {part: last[part].nested() for part in names}
    arguments = {
        "layer": layer_array(layer),
        "x": array([list(r) for r in x], [len(x), n_in]),
        "dy": array([list(r) for r in dy], [len(x), n_out]),
    }
    return case(
        name, "layer_vjp", flags, arguments, expected, tolerance, wrong=list(answers.items())
    )


def _nested(found: Mapping[str, Collector]) -> dict[str, Any]:
    return {name: sums.nested() for name, sums in found.items()}


def _divided(nested: Any, n: int) -> Any:
    return [_divided(item, n) for item in nested] if isinstance(nested, list) else nested / n


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
        cases.append(
            vjp_case(
                name,
                flags,
                layer,
                points(f"v-{name}", 4, n_in),
                points(f"v-dy-{name}", 4, n_out, -2.0, 2.0),
            )
        )
    square = make_layer("v-batch", 2, 2, [knots, knots], 3)
    cases += [
        vjp_case("one-sample", "BatchOfOne", square, points("v-single", 1, 2), [[1.5, -0.75]]),
        vjp_case("no-samples", "EmptyBatch", square, [], []),
    ]
    return topic(
        "layer_vjp",
        level=4,
        needs=["basis_derivatives", "layer_forward"],
        equation="chain rule on Liu et al. 2024, eq. 2.5",
        cases=cases,
    )
