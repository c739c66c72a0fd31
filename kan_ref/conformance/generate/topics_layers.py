"""Cases about one layer: values, batches, and that an output is a sum over inputs.

Liu et al. 2024, eqs. 2.5, 2.10-2.12. Each case is made to hang on one thing: a spline alone, a base alone, a mask, points beyond the grid.
What known defects would answer comes from layers or rules that are bent that way.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.encode import array, case, dice, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, Rules, forward, forward_scale, sizes
from kan_ref.conformance.generate.topics_bases import uniform_row

VALUES = 1e-13  # of the largest sum of absolute terms
Case = dict[str, Any]
Rows = Sequence[Sequence[float]]


def make_layer(
    seed: str, n_out: int, n_in: int, rows: Sequence[Sequence[float]], degree: int, **changes: Any
) -> Layer:
    """A layer whose numbers are short in binary, and the given changes to it."""
    n_basis = len(rows[0]) - degree - 1
    drawn = dice(seed, n_out * n_in * (n_basis + 2), low=-2.0, high=2.0, steps=256)

    def take(*shape: int) -> Any:
        return [take(*shape[1:]) for _ in range(shape[0])] if shape else drawn.pop()

    layer = {
        "knots": [list(row) for row in rows],
        "coef": take(n_out, n_in, n_basis),
        "w_base": take(n_out, n_in),
    }
    layer |= {
        "w_spline": take(n_out, n_in),
        "mask": filled(1.0, n_out, n_in),
        "degree": degree,
        "base": "silu",
    }
    return layer | changes


def filled(value: float, n_out: int, n_in: int) -> list[list[float]]:
    """(n_out, n_in) of one value."""
    return [[value] * n_in for _ in range(n_out)]


def points(seed: str, n: int, n_in: int, low: float = -1.0, high: float = 1.0) -> list[list[float]]:
    """(n, n_in) samples strictly between low and high."""
    drawn = dice(seed, n * n_in, low=low, high=high)
    return [drawn[b * n_in : (b + 1) * n_in] for b in range(n)]


def transposed(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Rows become columns."""
    return [list(column) for column in zip(*matrix, strict=True)]


def bent(layer: Layer) -> dict[str, tuple[Layer, Rules]]:
    """The layer as known defects read it: flag -> layer, rules. What such a reading does not change marks nothing."""
    n_out, n_in, _ = sizes(layer)
    squared = [[w * w for w in row] for row in layer["w_spline"]]
    changes: dict[str, dict[str, Any]] = {
        "MissingWSpline": {"w_spline": filled(1.0, n_out, n_in)},
        "WSplineTwice": {"w_spline": squared},
        "MissingWBase": {"w_base": filled(1.0, n_out, n_in)},
        "MissingBase": {"base": "zero"},
        "MissingMask": {"mask": filled(1.0, n_out, n_in)},
        "SharedRow": {"knots": [layer["knots"][0]] * n_in},
    }
    if layer["base"] == "silu":
        changes["SiluForm"] = {"base": "identity"}
    else:
        changes["BaseName"] = {"base": "silu"}
    if n_in == n_out:
        changes["TransposedMask"] = {"mask": transposed(layer["mask"])}
        weights = {name: transposed(layer[name]) for name in ("w_base", "w_spline")}
        changes["TransposedWeights"] = weights
    found = {flag: (layer | change, Rules()) for flag, change in changes.items()}
    found["FadeOutside"] = (layer, Rules(outside="continue"))
    found["BaseScaled"] = (layer, Rules(base_scaled=True))
    return found


# --- values


def value_case(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    *,
    wrong: Mapping[str, Any] | None = None,
    bends: bool = True,
) -> Case:
    """Outputs of a layer at x (batch, n_in)."""
    n_out, n_in, _ = sizes(layer)
    right = forward(layer, x)
    answers: dict[str, Any] = (
        {flag: {"y": forward(one, x, rules)} for flag, (one, rules) in bent(layer).items()}
        if bends
        else {}
    )
    if n_in > 1:
        answers["MeanOverInputs"] = {"y": [[value / n_in for value in row] for row in right]}
    answers |= {flag: {"y": y} for flag, y in (wrong or {}).items()}
    arguments = {"layer": layer_array(layer), "x": array([list(row) for row in x], [len(x), n_in])}
    tolerance = {"y": VALUES * float(forward_scale(layer, x)) or VALUES}
    return case(
        name,
        "layer_forward",
        flags,
        arguments,
        {"y": array(right, [len(x), n_out])},
        tolerance,
        wrong=list(answers.items()),
    )


def edges() -> dict[str, Any]:
    """layer_forward(layer, x) -> y of one edge: a spline or a base function by itself, then both."""
    row = uniform_row(-1.0, 1.0, 4, 3)
    zeros = filled(0.0, 1, 1)
    one = points("layers-one", 4, 1)

    def spline(
        name: str, flags: str, rows: Sequence[float], degree: int, x: Rows, weight: float = 1.0
    ) -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [rows], degree, w_base=zeros, w_spline=[[weight]]),
            x,
        )

    def base(name: str, flags: str, x: Rows, weight: float, kind: str = "silu") -> Case:
        return value_case(
            name,
            flags,
            make_layer(name, 1, 1, [row], 3, w_base=[[weight]], w_spline=zeros, base=kind),
            x,
        )

    uneven, repeated = (
        [-3.0, -1.0, -0.875, 0.0, 0.125, 0.25, 1.0, 3.0],
        [-0.5, -0.25, 0.0, 0.5, 0.5, 1.0, 1.25, 1.5],
    )
    cases = [
        spline("spline-alone", "SplineSum", row, 3, one),
        spline("spline-weighted", "MissingWSpline WSplineTwice", row, 3, one, 1.75),
        spline("spline-fading", "FadeOutside", row, 3, [[-2.25], [-1.125], [1.375], [2.0]]),
        spline("spline-beyond-row", "ZeroOutside FadeOutside", row, 3, [[-3.5], [4.0]]),
        spline("spline-end-of-grid", "GridEnd", row, 3, [[-1.0], [1.0]]),
        spline("spline-last-knot", "LastEnd", [0.0] * 4 + [0.5] + [1.0] * 4, 3, [[0.0], [1.0]]),
        spline(
            "spline-thousand-intervals",
            "ManyIntervals",
            uniform_row(-1.0, 1.0, 1000, 3),
            3,
            [[-0.7], [0.123]],
        ),
        spline("spline-uneven", "UnevenKnots", uneven, 2, one),
        spline("spline-repeated-knots", "RepeatedKnots", repeated, 2, [[0.25], [0.5], [0.75]]),
        base("silu-alone", "SiluForm MissingBase", [[-3.0], [-0.5], [0.0], [2.5]], 1.0),
        base("silu-weighted", "MissingWBase SiluForm", one, -1.5),
        base("silu-far", "SiluOverflow", [[-800.0], [-100.0], [100.0], [800.0]], 1.0),
        base("identity-alone", "BaseName", one, 1.5, "identity"),
        base("zero-alone", "BaseName", one, 1.5, "zero"),
        value_case(
            "spline-and-silu", "BaseScaled SiluForm", make_layer("edge", 1, 1, [row], 3), one
        ),
        value_case(
            "spline-and-identity",
            "BaseName BaseScaled",
            make_layer("identity", 1, 1, [row], 3, base="identity"),
            one,
        ),
        value_case(
            "spline-and-silu-outside",
            "FadeOutside SiluForm",
            make_layer("beyond", 1, 1, [row], 3),
            [[-3.5], [-1.25], [4.0]],
        ),
        value_case("masked", "MissingMask", make_layer("masked", 1, 1, [row], 3, mask=zeros), one),
    ]
    return topic(
        "edges", level=2, needs=["bases"], equation="Liu et al. 2024, eqs. 2.10-2.12", cases=cases
    )


def layers() -> dict[str, Any]:
    """layer_forward(layer, x) -> y of several edges."""
    row, other = uniform_row(-1.0, 1.0, 4, 3), uniform_row(-2.0, 1.0, 4, 3)
    cases = [
        value_case(
            "two-to-three",
            "MeanOverInputs SplineSum",
            make_layer("2-3", 3, 2, [row, row], 3),
            points("2-3", 3, 2),
        ),
        value_case(
            "three-to-two",
            "MeanOverInputs SplineSum",
            make_layer("3-2", 2, 3, [row] * 3, 3),
            points("3-2", 3, 3),
        ),
        value_case(
            "rows-of-their-own",
            "SharedRow",
            make_layer("rows", 2, 2, [row, other], 3),
            points("rows", 3, 2),
        ),
        value_case(
            "square-mask",
            "TransposedMask MissingMask",
            make_layer("mask", 2, 2, [row, row], 3, mask=[[1.0, 0.0], [1.0, 1.0]]),
            points("mask", 3, 2),
        ),
        value_case(
            "wide-mask",
            "MissingMask",
            make_layer("mask-3", 2, 3, [row] * 3, 3, mask=[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
            points("mask-3", 3, 3),
        ),
        value_case(
            "dead-output",
            "MissingMask",
            make_layer("dead", 2, 2, [row, row], 3, mask=[[0.0, 0.0], [1.0, 1.0]]),
            points("dead", 2, 2),
        ),
        value_case(
            "square-weights",
            "TransposedWeights",
            make_layer("weights", 2, 2, [row, row], 3),
            points("weights", 3, 2),
        ),
        value_case(
            "tenths",
            "Float32Inside SplineSum",
            make_layer("tenths", 2, 2, [uniform_row(-1.0, 1.0, 5, 3)] * 2, 3),
            [[0.1, -0.7], [0.33, 0.9]],
        ),
    ]
    for degree in (0, 1, 2, 4, 5, 7):
        flag = "DegreeZero" if degree == 0 else "HighDegree" if degree > 3 else "SplineSum"
        layer = make_layer(
            f"degree-{degree}", 2, 2, [uniform_row(-1.0, 1.0, 4, degree)] * 2, degree
        )
        cases.append(value_case(f"degree-{degree}", flag, layer, points(f"degree-{degree}", 3, 2)))
    return topic(
        "layer_forward", level=3, needs=["edges"], equation="Liu et al. 2024, eq. 2.5", cases=cases
    )


def batches() -> dict[str, Any]:
    """The same samples in other company, the same shape with other numbers, one sample, none."""
    row = uniform_row(-1.0, 1.0, 4, 3)
    layer = make_layer("batches", 2, 2, [row, row], 3)
    x = points("batches", 4, 2)
    other = make_layer("batches-2", 2, 2, [row, row], 3)
    moved = points("batches-2", 4, 2)
    shifted = layer | {"knots": [uniform_row(-1.5, 1.5, 4, 3)] * 2}
    old = forward(layer, x)
    cases = [
        value_case("together", "SplineSum", layer, x),
        value_case(
            "other-samples", "StaleCache", layer, moved, wrong={"StaleCache": old}, bends=False
        ),
        value_case(
            "together-again",
            "StaleCache",
            layer,
            x,
            wrong={"StaleCache": forward(layer, moved)},
            bends=False,
        ),
        value_case(
            "other-coefficients", "StaleCache", other, x, wrong={"StaleCache": old}, bends=False
        ),
        value_case(
            "other-knots",
            "StaleCache",
            shifted,
            x,
            wrong={"StaleCache": forward(other, x)},
            bends=False,
        ),
        value_case(
            "reversed",
            "BatchDependence PointOrder",
            layer,
            x[::-1],
            wrong={"BatchDependence": old},
            bends=False,
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
    """y(p, q) - y(p, s) - y(r, q) + y(r, s) = 0 in one layer; one input alone is no special case."""
    row = uniform_row(-1.0, 1.0, 4, 3)
    layer = make_layer("separable", 2, 2, [row, uniform_row(-2.0, 2.0, 4, 3)], 3)
    corners = [[p, q] for p in (-0.75, 0.5) for q in (-1.5, 0.25)]
    single = make_layer("single", 1, 1, [row], 3)
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
