"""One case about the vector-Jacobian products of a layer, with the answers of known defects.

These are a missing factor, a mask that the backward pass omits, a batch that is averaged or
dropped, and knots that are taken as evenly spaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import Collector, layer_vjp
from kan_ref.conformance.generate.encode import array, case, layer_array
from kan_ref.conformance.generate.exact import Layer, Rules, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, filled, with_defects
from kan_ref.conformance.generate.uneven import even_readings

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
