"""One case about a layer: its outputs, or its vector-Jacobian products.

Layers and samples have short binary numbers. A case also carries the answers of known defects:
`layer_readings` reads a layer the way that each defect does. Defects of the backward pass are a
missing factor, a mask that it omits, a batch that is averaged or dropped, and knots that are taken
as evenly spaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import Collector, layer_vjp
from kan_ref.conformance.generate.encode import array, case, dice, layer_array
from kan_ref.conformance.generate.exact import (
    Layer,
    Rules,
    edge_terms,
    forward,
    forward_scale,
    precise,
    sizes,
    total,
)
from kan_ref.conformance.generate.layer_readings import (
    filled,
    readings,
    transposed_alone,
    with_defects,
)
from kan_ref.conformance.generate.topics_knots import even_readings

VALUES = 1e-13  # of the largest sum of absolute terms
Case = dict[str, Any]
Rows = Sequence[Sequence[float]]


def make_layer(
    seed: str, n_out: int, n_in: int, knots: Sequence[Sequence[float]], degree: int, **changes: Any
) -> Layer:
    """Return a layer whose numbers are short in binary, with the given changes."""
    n_basis = len(knots[0]) - degree - 1
    drawn = dice(seed, n_out * n_in * (n_basis + 2), low=-2.0, high=2.0, steps=256)

    def take(*shape: int) -> Any:
        return [take(*shape[1:]) for _ in range(shape[0])] if shape else drawn.pop()

    layer = {
        "knots": [list(row) for row in knots],
        "coef": take(n_out, n_in, n_basis),
        "w_base": take(n_out, n_in),
        "w_spline": take(n_out, n_in),
        "mask": filled(1.0, n_out, n_in),
        "degree": degree,
        "base": "silu",
    }
    return layer | changes


def points(seed: str, n: int, n_in: int, low: float = -1.0, high: float = 1.0) -> list[list[float]]:
    """Return (n, n_in) samples strictly between low and high."""
    drawn = dice(seed, n * n_in, low=low, high=high)
    return [drawn[b * n_in : (b + 1) * n_in] for b in range(n)]


def _sums_of_outputs(layer: Layer, x: Rows) -> list[list[Any]]:
    """Return sum_j phi_ji(x_bi), (batch, n_in): the sums over the wrong axis."""
    n_out, n_in, _ = sizes(layer)
    return [
        [
            total(t for j in range(n_out) for t in edge_terms(layer, j, i, precise(row[i])))
            for i in range(n_in)
        ]
        for row in x
    ]


def value_case(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    *,
    wrong: Mapping[str, Any] | None = None,
    defects: bool = True,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of layer_forward(layer, x) at the samples x (batch, n_in)."""
    n_out, n_in, _ = sizes(layer)
    right = forward(layer, x)
    answers: list[tuple[str, Any]] = (
        [(flag, {"y": forward(one, x, rules)}) for flag, one, rules in readings(layer)]
        if defects
        else []
    )
    if n_in == n_out > 1:
        answers.append(("SumAxis", {"y": _sums_of_outputs(layer, x)}))
    if n_in > 1:
        mean = [[value / n_in for value in row] for row in right]
        answers.append(("MeanOverInputs", {"y": mean}))
    answers += [(flag, {"y": y}) for flag, y in (wrong or {}).items()]
    arguments = {"layer": layer_array(layer), "x": array(x, [len(x), n_in])}
    tolerance = {"y": VALUES * float(forward_scale(layer, x)) or VALUES}
    return case(
        name,
        "layer_forward",
        flags,
        arguments,
        {"y": array(right, [len(x), n_out])},
        tolerance,
        wrong=answers,
        kind=kind,
        since=since,
    )


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


def vjp_case(
    name: str,
    flags: str,
    layer: Layer,
    x: Rows,
    dy: Rows,
    *,
    wrong: Sequence[tuple[str, Any]] | None = None,
    kind: str = "required",
    since: int = 1,
) -> Case:
    """Return the case of layer_vjp(layer, x, dy); `wrong` replaces the usual known defects."""
    n_out, n_in, _ = sizes(layer)
    found = layer_vjp(layer, x, dy)
    expected, tolerance = encode_sums(found)
    arguments = {
        "layer": layer_array(layer),
        "x": array(x, [len(x), n_in]),
        "dy": array(dy, [len(x), n_out]),
    }
    answers = _defects(layer, x, dy, found) if wrong is None else wrong
    return case(
        name,
        "layer_vjp",
        flags,
        arguments,
        expected,
        tolerance,
        wrong=answers,
        kind=kind,
        since=since,
    )


def _defects(
    layer: Layer, x: Rows, dy: Rows, found: Mapping[str, Collector]
) -> list[tuple[str, Any]]:
    """Return (flag, answers) of the known defects."""
    n_out, n_in, _ = sizes(layer)
    answers = {
        flag: nested(layer_vjp(one, x, dy, rules))
        for flag, (one, rules) in with_defects(layer).items()
    }
    answers["SiluSlope"] = nested(layer_vjp(layer, x, dy, Rules(silu_slope="sigmoid")))
    answers["DerivativeFactor"] = nested(layer_vjp(layer, x, dy, Rules(without_degree=True)))
    answers["DyIgnored"] = nested(layer_vjp(layer, x, [[1.0] * n_out for _ in x]))
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
    return [
        *answers.items(),
        *(("TransposedWeights", nested(layer_vjp(one, x, dy))) for one in transposed_alone(layer)),
        *(
            (flag, nested(layer_vjp(one, x, dy, rules)))
            for flag, one, rules in even_readings(layer, derivatives=True)
        ),
    ]


def nested(found: Mapping[str, Collector]) -> dict[str, Any]:
    """Return the sums as nested lists by name."""
    return {name: sums.nested() for name, sums in found.items()}


def _divided(nested: Any, n: int) -> Any:
    return [_divided(item, n) for item in nested] if isinstance(nested, list) else nested / n
