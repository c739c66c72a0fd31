"""Cases about networks: values, vector-Jacobian products, and first and second derivatives by the inputs.

Liu et al. 2024, eq. 2.7, and the chain rule, (X2)-(X4) of `backward`. Some hidden values lie beyond hidden grids: the fade counts.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.backward import flow, input_derivatives, network_vjp
from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, Rules, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.topics_bases import uniform_row
from kan_ref.conformance.generate.topics_gradients import encode_sums
from kan_ref.conformance.generate.topics_layers import Case, Rows, bent, make_layer, points

VALUES = 5e-13  # of the bound below: an error in a hidden value is stretched by the slopes after it


def make_network(
    seed: str,
    widths: Sequence[int],
    degree: int = 3,
    *,
    low: float = -4.0,
    high: float = 4.0,
    **changes: Any,
) -> list[Layer]:
    """Layers on [-1, 1] and then on [low, high], of 4 intervals each."""
    found = []
    for number, (n_in, n_out) in enumerate(pairwise(widths)):
        row = uniform_row(low, high, 4, degree) if number else uniform_row(-1.0, 1.0, 4, degree)
        found.append(make_layer(f"{seed}-{number}", n_out, n_in, [row] * n_in, degree, **changes))
    return found


def value_bound(layers: Sequence[Layer], x: Rows) -> float:
    """Bound on how rounding in every layer adds up: sizes of terms, stretched by the absolute slopes of the layers after."""
    inputs, worst = flow(layers, x), 0.0
    for b in range(len(x)):
        errors = [precise(0)] * len(x[b])
        for layer, rows in zip(layers, inputs[:-1], strict=True):
            n_out, n_in, _ = sizes(layer)
            errors = [
                total(
                    total(map(abs, edge_terms(layer, j, i, precise(rows[b][i]))))
                    + total(map(abs, edge_terms(layer, j, i, precise(rows[b][i]), 1))) * errors[i]
                    for i in range(n_in)
                )
                for j in range(n_out)
            ]
        worst = max(worst, *map(float, errors))
    return worst


def bent_networks(layers: Sequence[Layer]) -> dict[str, tuple[list[Layer], Rules]]:
    """All layers as known defects read them."""
    read = [bent(layer) for layer in layers]
    shared = [flag for flag in read[0] if all(flag in one for one in read)]
    return {flag: ([one[flag][0] for one in read], read[0][flag][1]) for flag in shared}


def _arguments(layers: Sequence[Layer], x: Rows, **more: Rows) -> dict[str, Any]:
    n_in, n_out = sizes(layers[0])[1], sizes(layers[-1])[0]
    found = {
        "layers": [layer_array(layer) for layer in layers],
        "x": array([list(row) for row in x], [len(x), n_in]),
    }
    return found | {
        name: array([list(row) for row in rows], [len(rows), n_out]) for name, rows in more.items()
    }


def _told() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    wide, deep = (
        make_network("wide", (2, 3, 1)),
        make_network("deep", (2, 2, 2, 1), low=-6.0, high=6.0),
    )
    masked = make_network("masked", (2, 2, 2))
    masked[0]["mask"], masked[1]["mask"] = [[1.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]]
    tight = make_network("tight", (1, 2, 1), low=-0.5, high=0.5)
    return (
        ("one-layer", "SplineSum", make_network("single", (2, 1)), points("n-single", 3, 2)),
        ("two-layers", "LayerChain", wide, points("n-wide", 3, 2)),
        ("three-layers", "LayerChain", deep, points("n-deep", 2, 2)),
        ("masked", "MissingMask TransposedMask", masked, points("n-masked", 2, 2)),
        ("hidden-beyond-grid", "FadeOutside LayerChain", tight, points("n-tight", 3, 1)),
        (
            "identity-base",
            "BaseName LayerChain",
            make_network("n-identity", (1, 2, 1), base="identity"),
            points("n-identity", 3, 1),
        ),
        ("quadratic", "LayerChain", make_network("n-2", (2, 2, 1), 2), points("n-2", 2, 2)),
        (
            "degree-5",
            "HighDegree LayerChain",
            make_network("n-5", (1, 2, 1), 5, low=-6.0, high=6.0),
            points("n-5", 2, 1),
        ),
        ("one-sample", "BatchOfOne", wide, points("n-alone", 1, 2)),
        ("no-samples", "EmptyBatch", wide, []),
    )


def network_values() -> dict[str, Any]:
    """network_forward(layers, x) -> y."""
    cases: list[Case] = []
    for name, flags, layers, x in _told():
        right = flow(layers, x)[-1]
        answers = {
            flag: {"y": flow(read, x, rules)[-1]}
            for flag, (read, rules) in bent_networks(layers).items()
        }
        if name == "two-layers":
            answers["StaleCache"] = {"y": flow(layers, points("n-single", 3, 2))[-1]}
        expected = {"y": array(right, [len(x), sizes(layers[-1])[0]])}
        tolerance = {"y": VALUES * value_bound(layers, x) or VALUES}
        cases.append(
            case(
                name,
                "network_forward",
                flags,
                _arguments(layers, x),
                expected,
                tolerance,
                wrong=list(answers.items()),
            )
        )
    return topic(
        "network_forward",
        level=4,
        needs=["layer_forward"],
        equation="Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def network_gradients() -> dict[str, Any]:
    """network_vjp(layers, x, dy) -> {"dx", "layers": [{"d_coef", "d_w_base", "d_w_spline"}, ...]}."""
    cases: list[Case] = []
    for name, flags, layers, x in _told():
        if name in ("one-layer", "degree-5"):
            continue
        n_out = sizes(layers[-1])[0]
        dy = points(f"n-dy-{name}", len(x), n_out, -2.0, 2.0)
        expected, tolerance = _encode(network_vjp(layers, x, dy))
        answers = {
            flag: _nested(network_vjp(read, x, dy, rules))
            for flag, (read, rules) in bent_networks(layers).items()
            if flag != "BaseScaled"
        }
        if "MissingMask" in answers:
            answers["UnmaskedGradient"] = answers.pop("MissingMask")
        answers["SiluSlope"] = _nested(network_vjp(layers, x, dy, Rules(silu_slope="sigmoid")))
        answers["DerivativeFactor"] = _nested(
            network_vjp(layers, x, dy, Rules(without_degree=True))
        )
        answers["DyIgnored"] = _nested(network_vjp(layers, x, [[1.0] * n_out for _ in x]))
        cases.append(
            case(
                name,
                "network_vjp",
                flags,
                _arguments(layers, x, dy=dy),
                expected,
                tolerance,
                wrong=list(answers.items()),
            )
        )
    needs = ["network_forward", "layer_vjp"]
    return topic(
        "network_vjp",
        level=5,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def _encode(found: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, float]]:
    expected, tolerance = encode_sums(found[0], ["dx"])
    for number, sums in enumerate(found):
        arrays, bounds = encode_sums(
            sums, ["d_coef", "d_w_base", "d_w_spline"], prefix=f"{number}."
        )
        expected |= arrays
        tolerance |= bounds
    return expected, {name: 3.0 * bound for name, bound in tolerance.items()}


def _nested(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    inner = {
        f"{n}.{name}": sums[name].nested()
        for n, sums in enumerate(found)
        for name in ("d_coef", "d_w_base", "d_w_spline")
    }
    return {"dx": found[0]["dx"].nested(), **inner}


def input_jacobians() -> dict[str, Any]:
    """input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for name, flags, layers, x in _told():
        first, _ = input_derivatives(layers, x)
        answers = {
            flag: {"jacobian": input_derivatives(read, x, rules)[0].nested()}
            for flag, (read, rules) in _bends(layers)
        }
        expected, tolerance = encode_sums({"jacobian": first})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        cases.append(
            case(
                name,
                "input_jacobian",
                flags,
                _arguments(layers, x),
                expected,
                bound,
                wrong=list(answers.items()),
            )
        )
    needs = ["network_forward", "basis_derivatives"]
    return topic(
        "input_jacobian",
        level=5,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def input_curvatures() -> dict[str, Any]:
    """input_hessian_diag(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for name, flags, layers, x in _told():
        found = input_derivatives(layers, x)[1]
        answers = {
            flag: {"hessian_diag": input_derivatives(read, x, rules)[1].nested()}
            for flag, (read, rules) in _bends(layers)
        }
        if len(layers) > 1:
            for flag, second in (("HessianSlopes", "slopes"), ("HessianCurves", "curves")):
                answers[flag] = {
                    "hessian_diag": input_derivatives(layers, x, second=second)[1].nested()
                }
        expected, tolerance = encode_sums({"hessian_diag": found})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        told = (
            f"HessianSlopes HessianCurves {flags}"
            if len(layers) > 1
            else f"HigherDerivative {flags}"
        )
        cases.append(
            case(
                name,
                "input_hessian_diag",
                told,
                _arguments(layers, x),
                expected,
                bound,
                wrong=list(answers.items()),
            )
        )
    needs = ["input_jacobian", "higher_derivatives"]
    return topic(
        "input_hessian_diag",
        level=6,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def _bends(layers: Sequence[Layer]) -> list[tuple[str, tuple[list[Layer], Rules]]]:
    rules = {
        "SiluSlope": Rules(silu_slope="sigmoid"),
        "DerivativeFactor": Rules(without_degree=True),
    }
    return [
        *bent_networks(layers).items(),
        *((flag, (list(layers), one)) for flag, one in rules.items()),
    ]
