"""Cases about networks: outputs, vector-Jacobian products, derivatives with respect to inputs.

Some hidden values lie beyond the hidden grids, where the basis functions decay to zero.
Source: Liu et al. 2024, eq. 2.7, and the chain rule on it, (C2)-(C4) of `backward`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from kan_ref.conformance.generate.backward import Collector, flow, input_derivatives, network_vjp
from kan_ref.conformance.generate.coverage_cases import padded
from kan_ref.conformance.generate.encode import Drawn, array, drawn, topic
from kan_ref.conformance.generate.exact import Layer, Rules, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, encode_sums, points
from kan_ref.conformance.generate.layer_readings import clamped
from kan_ref.conformance.generate.network_case import (
    Example,
    examples,
    network_case,
    network_readings,
    value_bound,
)

VALUES = 5e-13  # of the bound on rounding: later layers amplify the error of a hidden value
Both = tuple[Collector, Collector]  # first and second derivatives


def network_values() -> dict[str, Any]:
    """Return the cases of network_forward(layers, x) -> y."""
    cases: list[Case] = []
    for one in examples():
        layers, x, n_out = one.layers, one.x, sizes(one.layers[-1])[0]
        right = flow(layers, x)[-1]
        answers: list[tuple[str, Any]] = [
            (flag, {"y": flow(read, x, rules)[-1]})
            for flag, read, rules in (network_readings(layers) if one.usual else ())
        ]
        answers += [
            (flag, {"y": padded(flow(read, x[:seen])[-1], (len(x), n_out))})
            for flag, read, seen in one.lost
        ]
        if one.outside:
            answers.append(("FadeOutside", {"y": flow(layers, clamped(layers[0], x))[-1]}))
        if one.name == "two-layers":
            answers.append(("StaleCache", {"y": flow(layers, points("n-single", 3, 2))[-1]}))
        expected = {"y": array(right, [len(x), n_out])}
        tolerance = {"y": VALUES * value_bound(layers, x) or VALUES}
        cases.append(network_case(one, "network_forward", one.flags, expected, tolerance, answers))
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
    for one in examples():
        layers, x = one.layers, one.x
        if one.name in ("one-layer", "degree-5"):
            continue
        n_out = sizes(layers[-1])[0]
        dy: Rows = points(f"n-dy-{one.name}", len(x), n_out, -2.0, 2.0)
        if isinstance(x, Drawn):
            dy = drawn(733 + len(x), (len(x), n_out), -2.0, 2.0)
        expected, tolerance = vjp_of_network(layers, x, dy)
        answers = _defects(layers, x, dy) if one.usual else []
        for flag, read, seen in one.lost:
            lost = _nested(network_vjp(read, x[:seen], dy[:seen]))
            lost["dx"] = padded(lost["dx"], (len(x), sizes(layers[0])[1]))
            answers.append((flag, lost))
        if one.outside:
            moved = _nested(network_vjp(layers, clamped(layers[0], x), dy))
            del moved["dx"]  # with or without the derivative of clamping
            answers.append(("FadeOutside", moved))
        cases.append(
            network_case(one, "network_vjp", one.flags, expected, tolerance, answers, dy=dy)
        )
    needs = ["network_forward", "layer_vjp"]
    return topic(
        "network_vjp",
        level=5,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def _defects(layers: Sequence[Layer], x: Rows, dy: Rows) -> list[tuple[str, Any]]:
    """Return (flag, answers) of the known defects."""
    read = [
        ("UnmaskedGradient" if flag == "MissingMask" else flag, layers_read, rules)
        for flag, layers_read, rules in network_readings(layers, derivatives=True)
        if flag != "BaseScaled"
    ]
    read.append(("SiluSlope", list(layers), Rules(silu_slope="sigmoid")))
    read.append(("DerivativeFactor", list(layers), Rules(without_degree=True)))
    ones = [[1.0] * sizes(layers[-1])[0] for _ in x]
    return [
        *((flag, _nested(network_vjp(one, x, dy, rules))) for flag, one, rules in read),
        ("DyIgnored", _nested(network_vjp(layers, x, ones))),
    ]


def vjp_of_network(
    layers: Sequence[Layer], x: Rows, dy: Rows
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the arrays and the tolerances of network_vjp(layers, x, dy)."""
    found = network_vjp(layers, x, dy)
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
    """Return the cases of input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for one, (first, _), wrong in _derivatives():
        answers = [(flag, {"jacobian": read.nested()}) for flag, (read, _) in wrong]
        answers += [(flag, {"jacobian": lost[0]}) for flag, lost in _lost(one)]
        expected, tolerance = encode_sums({"jacobian": first})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        cases.append(network_case(one, "input_jacobian", one.flags, expected, bound, answers))
    needs = ["network_forward", "basis_derivatives"]
    return topic(
        "input_jacobian",
        level=5,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def input_curvatures() -> dict[str, Any]:
    """Return the cases of input_hessian_diag(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for one, (_, found), wrong in _derivatives():
        answers = [(flag, {"hessian_diag": read.nested()}) for flag, (_, read) in wrong]
        answers += [(flag, {"hessian_diag": lost[1]}) for flag, lost in _lost(one)]
        chained = len(one.layers) > 1
        if chained and one.usual:
            for flag, second in (("HessianSlopes", "slopes"), ("HessianCurves", "curves")):
                lost = input_derivatives(one.layers, one.x, second=second)[1].nested()
                answers.append((flag, {"hessian_diag": lost}))
        expected, tolerance = encode_sums({"hessian_diag": found})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        first = "HessianSlopes HessianCurves" if chained else "HigherDerivative"
        flags = f"{first} {one.flags}" if one.usual else f"{one.flags} {first}"
        flags = one.flags if one.outside else flags
        cases.append(network_case(one, "input_hessian_diag", flags, expected, bound, answers))
    needs = ["input_jacobian", "higher_derivatives"]
    return topic(
        "input_hessian_diag",
        level=6,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


def _examples() -> list[Example]:
    """Return the networks of moderate size: 65 hidden nodes would take the generator long."""
    return [one for one in examples() if one.name != "sixty-five-hidden"]


@cache
def _derivatives() -> list[tuple[Example, Both, list[tuple[str, Both]]]]:
    """Return each network with its derivatives, and (flag, derivatives) of the known defects."""
    found = []
    for one in _examples():
        wrong = [
            (flag, input_derivatives(read, one.x, rules))
            for flag, read, rules in _wrong_derivatives(one)
        ]
        if one.outside:
            x = clamped(one.layers[0], one.x)
            wrong.append(("FadeOutside", input_derivatives(one.layers, x)))
        found.append((one, input_derivatives(one.layers, one.x), wrong))
    return found


def _wrong_derivatives(one: Example) -> list[tuple[str, list[Layer], Rules]]:
    """Return (flag, layers, rules) of the known defects."""
    if not one.usual:
        return []
    rules = {
        "SiluSlope": Rules(silu_slope="sigmoid"),
        "DerivativeFactor": Rules(without_degree=True),
    }
    return [
        *network_readings(one.layers, derivatives=True),
        *((flag, one.layers, changed) for flag, changed in rules.items()),
    ]


def _lost(one: Example) -> list[tuple[str, tuple[Any, Any]]]:
    """Return (flag, (first, second derivatives)) of the example's own defects.

    Samples that are not seen have derivatives of 0.
    """
    n_in, n_out = sizes(one.layers[0])[1], sizes(one.layers[-1])[0]
    found: list[tuple[str, tuple[Any, Any]]] = []
    for flag, read, seen in one.lost:
        both = input_derivatives(read, one.x[:seen])
        zeros = [[[0.0] * n_in] * n_out] * (len(one.x) - seen)
        first, second = ([*collector.nested(), *zeros] for collector in both)
        found.append((flag, (first, second)))
    return found
