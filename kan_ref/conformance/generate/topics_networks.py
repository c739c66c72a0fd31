"""Cases about networks: outputs, and vector-Jacobian products by the chain rule.

Some hidden values lie beyond the hidden grids, where the basis functions decay to zero.
Source: Liu et al. 2024, eq. 2.7; (C2)-(C3) of `backward`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow, network_vjp
from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import Rules, sizes
from kan_ref.conformance.generate.layer_case import Case, points
from kan_ref.conformance.generate.network_case import (
    example_networks,
    network_arguments,
    networks_with_defects,
    value_bound,
)
from kan_ref.conformance.generate.topics_gradients import encode_sums

VALUES = 5e-13  # of the bound on rounding: later layers amplify the error of a hidden value


def network_values() -> dict[str, Any]:
    """Return the cases of network_forward(layers, x) -> y."""
    cases: list[Case] = []
    for name, flags, layers, x in example_networks():
        right = flow(layers, x)[-1]
        answers = {
            flag: {"y": flow(read, x, rules)[-1]}
            for flag, (read, rules) in networks_with_defects(layers).items()
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
                network_arguments(layers, x),
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
    """Return the cases of network_vjp(layers, x, dy).

    The answer is {"dx", "layers": [{"d_coef", "d_w_base", "d_w_spline"}, ...]}.
    """
    cases: list[Case] = []
    for name, flags, layers, x in example_networks():
        if name in ("one-layer", "degree-5"):
            continue
        n_out = sizes(layers[-1])[0]
        dy = points(f"n-dy-{name}", len(x), n_out, -2.0, 2.0)
        expected, tolerance = _encode(network_vjp(layers, x, dy))
        answers = {
            flag: _nested(network_vjp(read, x, dy, rules))
            for flag, (read, rules) in networks_with_defects(layers).items()
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
                network_arguments(layers, x, dy=dy),
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
