"""Cases about finer grids.

The function is required to be kept where the grids are nested, or where it is a polynomial.
Source: Liu et al. 2024, section 2.4, eq. 2.16.
"""

from typing import Any

from kan_ref.conformance.generate.encode import array, topic
from kan_ref.conformance.generate.exact import Layer
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer, points
from kan_ref.conformance.generate.moved_layer_case import (
    even_samples,
    moved_case,
    polynomial_layer,
    polynomial_layer_of_all,
)
from kan_ref.conformance.generate.other_grids import finer_layers
from kan_ref.conformance.generate.topics_knots import uneven_row, uneven_twin, uniform_knots


def extension() -> dict[str, Any]:
    """Return the cases of extend_grid(layer, x, n_intervals) -> layer."""
    knots, fives = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-1.0, 1.0, 5, 3)
    dense, probe = even_samples(81, 1, -1.0, 1.0), points("probe", 12, 1)
    curve = make_layer("curve", 1, 1, [fives], 3, w_spline=[[1.0]])
    scaled = make_layer("curve", 1, 1, [fives], 3, w_spline=[[2.5]])
    square = make_layer(
        "square", 2, 2, [knots, uniform_knots(-2.0, 2.0, 4, 3)], 3, mask=[[1.0, 0.0], [1.0, 1.0]]
    )
    quadratic = make_layer("quadratic", 1, 1, [uniform_knots(0.0, 1.0, 3, 2)], 2)
    part = even_samples(60, 1, 0.25, 1.0)

    def extend(
        name: str,
        flags: str,
        layer: Layer,
        x: Rows,
        n_intervals: int,
        at: Rows,
        kind: str = "required",
        since: int = 1,
    ) -> Case:
        return moved_case(
            name,
            "extend_grid",
            flags,
            layer,
            {"x": array(x), "n_intervals": n_intervals},
            at,
            kind,
            since,
            n_intervals=n_intervals,
        )

    few = points("few", 4, 1)
    cases = [
        extend("doubled", "ExtensionNested GridCount", curve, dense, 10, probe),
        extend("doubled-weighted", "ScalerTwice ExtensionNested", scaled, dense, 10, probe),
        extend("quadrupled", "ExtensionNested", curve, even_samples(161, 1, -1.0, 1.0), 20, probe),
        extend(
            "quadratic-tripled",
            "ExtensionNested",
            quadratic,
            even_samples(61, 1, 0.0, 1.0),
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
            even_samples(60, 1, -1.0, -0.25),
            10,
            even_samples(9, 1, -0.95, -0.3),
        ),
        extend(
            "samples-in-the-middle",
            "ZeroSupportFirstColumn",
            curve,
            even_samples(40, 1, -0.25, 0.25),
            10,
            even_samples(8, 1, -0.2, 0.2),
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
    mask = [[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    three = make_layer("three", 3, 2, [knots, knots], 3, mask=mask)
    scattered = [[a, -a] for (a,) in even_samples(161, 1, -1.0, 1.0)]
    rows = [uneven_row(fives, 3, turn) for turn in range(2)]
    moved: tuple[tuple[str, str, Layer, Rows, int], ...] = (
        ("three-outputs", "OneOutput MissingMask ExtensionNested", three, scattered, 8),
        ("uneven-doubled", "UnevenKnots ExtensionNested", uneven_twin(curve), dense, 10),
        (
            "uneven-weighted",
            "UnevenKnots ScalerTwice ExtensionNested",
            uneven_twin(scaled),
            dense,
            10,
        ),
        (
            "uneven-quadratic-tripled",
            "UnevenKnots ExtensionNested",
            uneven_twin(quadratic),
            even_samples(121, 1, 0.0, 1.0),
            9,
        ),
        (
            "uneven-three-outputs",
            "UnevenKnots OneOutput MissingMask ExtensionNested",
            uneven_twin(three),
            scattered,
            8,
        ),
        (
            "uneven-five-to-seven",
            "ExtensionNotNested OneOutput MissingMask",
            polynomial_layer_of_all(rows, 3, mask),
            scattered,
            7,
        ),
    )
    for name, flags, layer, x, n_intervals in moved:
        low, n_in = min(row[0] for row in x), len(x[0])
        at = points(f"probe-{name}", 8, n_in, low, 1.0)
        cases.append(extend(name, flags, layer, x, n_intervals, at, since=2))
    cases += [_finer_case(*one) for one in finer_layers()]
    return topic(
        "grid_extension",
        level=4,
        needs=["knots", "layer_forward"],
        equation="Liu et al. 2024, section 2.4, eq. 2.16",
        cases=cases,
    )


def _finer_case(name: str, flags: str, layer: Layer, x: Rows, n_intervals: int, at: Rows) -> Case:
    """Return a case that compares the ends of the finer grid, too."""
    k = layer["degree"]
    ends = array([[row[k], row[-k - 1]] for row in layer["knots"]])
    given = {"x": array(x), "n_intervals": n_intervals}
    return moved_case(
        name, "extend_grid", flags, layer, given, at, "required", 4,
        n_intervals=n_intervals, ends=ends,
    )  # fmt: skip
