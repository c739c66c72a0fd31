"""Cases about networks: outputs, vector-Jacobian products, derivatives with respect to inputs.

Some hidden values lie beyond the hidden grids, where the basis functions decay to zero.
Source: Liu et al. 2024, eq. 2.7, and the chain rule on it, (C2)-(C4) of `backward`.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from kan_ref.conformance.generate.backward import Collector, flow, input_derivatives, network_vjp
from kan_ref.conformance.generate.encode import Drawn, array, drawn, topic
from kan_ref.conformance.generate.exact import Layer, sizes
from kan_ref.conformance.generate.layer_case import Case, Rows, encode_sums, points
from kan_ref.conformance.generate.network_case import (
    Example,
    examples,
    network_case,
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
        expected = {"y": array(right, [len(x), n_out])}
        tolerance = {"y": VALUES * value_bound(layers, x) or VALUES}
        cases.append(network_case(one, "network_forward", one.flags, expected, tolerance))
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
        cases.append(network_case(one, "network_vjp", one.flags, expected, tolerance, dy=dy))
    needs = ["network_forward", "layer_vjp"]
    return topic(
        "network_vjp",
        level=5,
        needs=needs,
        equation="chain rule on Liu et al. 2024, eq. 2.7",
        cases=cases,
    )


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


def input_jacobians() -> dict[str, Any]:
    """Return the cases of input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for one, (first, _) in _derivatives():
        expected, tolerance = encode_sums({"jacobian": first})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        cases.append(network_case(one, "input_jacobian", one.flags, expected, bound))
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
    for one, (_, found) in _derivatives():
        chained = len(one.layers) > 1
        expected, tolerance = encode_sums({"hessian_diag": found})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        first = "HessianSlopes HessianCurves" if chained else "HigherDerivative"
        flags = f"{first} {one.flags}" if one.usual else f"{one.flags} {first}"
        flags = one.flags if one.outside else flags
        cases.append(network_case(one, "input_hessian_diag", flags, expected, bound))
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
def _derivatives() -> list[tuple[Example, Both]]:
    """Return each network with its derivatives."""
    return [(one, input_derivatives(one.layers, one.x)) for one in _examples()]
