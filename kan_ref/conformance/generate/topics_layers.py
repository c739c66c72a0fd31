"""Cases about one layer: outputs, batches, sums over inputs, and vector-Jacobian products.

Each case depends on one feature: a mask, knots of each input, the order of the samples.
Source: Liu et al. 2024, eqs. 2.5, 2.10-2.12; (C2) and (C3) of `backward`.
"""

from typing import Any

from kan_ref.conformance.generate.coverage_cases import (
    block_gradients,
    block_layers,
    factor_gradient,
    factor_layer,
    uneven_layers,
    unusual_gradients,
)
from kan_ref.conformance.generate.encode import topic
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Rows, make_layer, points, value_case, vjp_case
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.topics_knots import uneven_twin, uniform_knots


def layers() -> dict[str, Any]:
    """Return the cases of layer_forward(layer, x) -> y for several edges."""
    knots, other = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-2.0, 1.0, 4, 3)
    sums, masked = "MeanOverInputs SumAxis SplineSum", [[1.0, 0.0], [1.0, 1.0]]
    wide, dead = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]
    cases = []
    # name, flags, outputs, knots of each input, changes, seed, samples
    for name, flags, n_out, rows, changes, seed, n in (
        ("two-to-three", sums, 3, [knots] * 2, {}, "2-3", 3),
        ("three-to-two", sums, 2, [knots] * 3, {}, "3-2", 3),
        ("rows-of-their-own", "SharedRow", 2, [knots, other], {}, "rows", 3),
        ("square-mask", "TransposedMask MissingMask", 2, [knots] * 2, {"mask": masked}, "mask", 3),
        ("wide-mask", "MissingMask", 2, [knots] * 3, {"mask": wide}, "mask-3", 3),
        ("dead-output", "MissingMask", 2, [knots] * 2, {"mask": dead}, "dead", 2),
        ("square-weights", "TransposedWeights", 2, [knots] * 2, {}, "weights", 3),
    ):
        layer = make_layer(seed, n_out, len(rows), rows, 3, **changes)
        cases.append(value_case(name, flags, layer, points(seed, n, len(rows))))
    layer = make_layer("tenths", 2, 2, [uniform_knots(-1.0, 1.0, 5, 3)] * 2, 3)
    x = [[0.1, -0.7], [0.33, 0.9]]
    cases.append(value_case("tenths", "Float32Inside SplineSum", layer, x))
    cases += [*uneven_layers(), *block_layers(), factor_layer()]
    for degree in (0, 1, 2, 4, 5, 6, 7):
        name, rows = f"degree-{degree}", [uniform_knots(-1.0, 1.0, 4, degree)] * 2
        flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
        layer = make_layer(name, 2, 2, rows, degree)
        since = 6 if degree == 6 else 1
        cases.append(value_case(name, flag, layer, points(name, 3, 2), since=since))
    zeros = _with_zero_coefficients()
    at = points("zeros", 3, 2)
    cases.append(value_case("zero-coefficients", "ZeroCoefficients SplineSum", zeros, at, since=5))
    equation = "Liu et al. 2024, eq. 2.5"
    return topic("layer_forward", level=3, needs=["edges"], equation=equation, cases=cases)


def batches() -> dict[str, Any]:
    """Return the cases about batches of layer_forward(layer, x) -> y.

    The same samples among others, the same shape with other numbers, one sample, and none.
    """
    rows = [uniform_knots(-1.0, 1.0, 4, 3)] * 2
    layer, x = make_layer("batches", 2, 2, rows, 3), points("batches", 4, 2)
    other, moved = make_layer("batches-2", 2, 2, rows, 3), points("batches-2", 4, 2)
    shifted = layer | {"knots": [uniform_knots(-1.5, 1.5, 4, 3)] * 2}
    cases = [value_case("together", "SplineSum", layer, x)]
    cases += [
        value_case("other-samples", "StaleCache", layer, moved),
        value_case("together-again", "StaleCache", layer, x),
        value_case("other-coefficients", "StaleCache", other, x),
        value_case("other-knots", "StaleCache", shifted, x),
        value_case("reversed", "BatchDependence PointOrder", layer, x[::-1]),
        value_case("with-a-far-sample", "BatchDependence", layer, [x[0], [50.0, -70.0], x[1]]),
        value_case("alone-first", "BatchOfOne BatchDependence", layer, x[:1]),
        value_case("alone-last", "BatchOfOne BatchDependence", layer, x[3:]),
        value_case("all-the-same", "BatchDependence PointOrder", layer, [x[2]] * 3),
        value_case("nobody", "EmptyBatch", layer, []),
    ]
    equation = "a layer is a function of one sample"
    return topic("batches", level=4, needs=["layer_forward"], equation=equation, cases=cases)


def separability() -> dict[str, Any]:
    """Return the cases about y(p, q) - y(p, s) - y(r, q) + y(r, s) = 0 in one layer."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    layer = make_layer("separable", 2, 2, [knots, uniform_knots(-2.0, 2.0, 4, 3)], 3)
    corners = [[p, q] for p in (-0.75, 0.5) for q in (-1.5, 0.25)]
    scaled = [[0.125, 0.25], [0.5, 1.0], [0.25, 0.5]]
    single = make_layer("single", 1, 1, [knots], 3)
    cases = [
        value_case("corners", "NotSeparable", layer, corners),
        value_case("scaled-inputs", "NotSeparable", layer, scaled),
        value_case("one-input", "NotSeparable SplineSum", single, [[0.125], [0.875]]),
    ]
    equation = "Liu et al. 2024, eq. 2.5"
    return topic("separability", level=4, needs=["layer_forward"], equation=equation, cases=cases)


def layer_gradients() -> dict[str, Any]:
    """Return the cases of layer_vjp(layer, x, dy) -> {"dx", "d_coef", "d_w_base", "d_w_spline"}."""
    knots, other = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-2.0, 1.0, 4, 3)
    up = points("vjp-dy", 3, 1, -2.0, 2.0)
    cases = [vjp_case(name, flags, layer, x, up) for name, flags, layer, x in _single_edges()]
    cases += [
        vjp_case(f"{name}-uneven", f"UnevenKnots {flags}", uneven_twin(layer), x, up, since=2)
        for name, flags, layer, x in _single_edges()
        if name in ("spline-weighted", "fading", "beyond-the-row", "at-knots")
    ]

    def even(degree: int) -> Layer:
        rows = [uniform_knots(-1.0, 1.0, 4, degree)] * 2
        return make_layer(f"v-{degree}", 2, 2, rows, degree)

    two, mask = [knots] * 2, [[1.0, 0.0], [1.0, 1.0]]
    tenths = make_layer("v-tenths", 2, 2, [uniform_knots(-1.0, 1.0, 5, 3)] * 2, 3)
    masked = make_layer("v-mask", 2, 2, two, 3, mask=mask)
    own, weights = (
        make_layer("v-rows", 2, 2, [knots, other], 3),
        make_layer("v-weights", 2, 2, two, 3),
    )
    wide: tuple[tuple[str, str, Layer], ...] = (
        (
            "two-to-three",
            "MeanOverBatch OneSampleOnly DyIgnored",
            make_layer("v-2-3", 3, 2, two, 3),
        ),
        ("three-to-two", "MeanOverBatch DyIgnored", make_layer("v-3-2", 2, 3, [knots] * 3, 3)),
        ("rows-of-their-own", "SharedRow", own),
        ("square-mask", "UnmaskedGradient TransposedMask", masked),
        ("square-weights", "TransposedWeights", weights),
        ("degree-1", "BasisSlope", even(1)),
        ("degree-2", "DerivativeFactor", even(2)),
        ("degree-0", "DegreeZero", even(0)),
        ("degree-5", "DerivativeFactor HighDegree", even(5)),
        ("tenths", "Float32Inside", tenths),
    )
    for name, flags, layer in wide:
        n_out, n_in, _ = sizes(layer)
        x, dy = points(f"v-{name}", 4, n_in), points(f"v-dy-{name}", 4, n_out, -2.0, 2.0)
        cases.append(vjp_case(name, flags, layer, x, dy))
        twin, flags = uneven_twin(layer), f"UnevenKnots {flags}"
        cases.append(vjp_case(f"{name}-uneven", flags, twin, x[:2], dy[:2], since=2))
    for degree in (4, 6, 7):
        name, flags = f"degree-{degree}", "DerivativeFactor HighDegree"
        x, dy = points(f"v-{name}", 2, 2), points(f"v-dy-{name}", 2, 2, -2.0, 2.0)
        cases.append(vjp_case(name, flags, even(degree), x, dy, since=6))
    square, single = make_layer("v-batch", 2, 2, two, 3), points("v-single", 1, 2)
    cases += [
        vjp_case("one-sample", "BatchOfOne", square, single, [[1.5, -0.75]]),
        vjp_case("no-samples", "EmptyBatch", square, [], []),
        *block_gradients(),
        *unusual_gradients(),
        factor_gradient(),
        vjp_case(
            "zero-coefficients",
            "ZeroCoefficients",
            _with_zero_coefficients(),
            points("zeros", 3, 2),
            points("zeros-dy", 3, 2, -2.0, 2.0),
            since=5,
        ),
    ]
    needs, equation = (
        ["basis_derivatives", "layer_forward"],
        "chain rule on Liu et al. 2024, eq. 2.5",
    )
    return topic("layer_vjp", level=4, needs=needs, equation=equation, cases=cases)


def _with_zero_coefficients() -> Layer:
    """Return a layer with an edge whose coefficients are all 0, and others as usual."""
    layer = make_layer("zeros", 2, 2, [uniform_knots(-1.0, 1.0, 4, 3)] * 2, 3)
    layer["coef"][0][1] = [0.0] * len(layer["coef"][0][1])
    return layer


def _single_edges() -> list[tuple[str, str, Layer, Rows]]:
    """Return (name, flags, layer, x) of layers with one edge."""
    knots, one = uniform_knots(-1.0, 1.0, 4, 3), points("vjp-one", 3, 1)
    zeros, ones = filled(0.0, 1, 1), filled(1.0, 1, 1)

    def edge(seed: str, **changes: Any) -> Layer:
        return make_layer(f"v-{seed}", 1, 1, [knots], 3, **changes)

    weighted = edge("w", w_base=zeros, w_spline=[[1.75]])
    silu = edge("silu", w_base=[[1.5]], w_spline=zeros)
    spline, identity = (
        edge("spline", w_base=zeros, w_spline=ones),
        edge("identity", base="identity"),
    )
    return [
        ("spline-alone", "DerivativeFactor BasisSlope", spline, one),
        ("spline-weighted", "DCoefWithoutWSpline DWSplineWithoutCoef", weighted, one),
        ("silu-alone", "SiluSlope DxWithoutBase", silu, [[-2.0], [0.25], [1.5]]),
        ("silu-far", "SiluOverflow", edge("far"), [[-800.0], [100.0], [800.0]]),
        ("identity-base", "BaseName DxWithoutBase", identity, one),
        ("zero-base", "BaseName", edge("zero", base="zero"), one),
        ("fading", "FadeOutside", edge("fade", w_base=zeros), [[-2.25], [-1.125], [1.375]]),
        ("beyond-the-row", "ZeroOutside FadeOutside", edge("beyond"), [[-3.5], [4.0], [3.0]]),
        ("at-knots", "DerivativeAtKnot KnotOwnership", edge("knots"), [[-1.0], [0.0], [1.0]]),
    ]
