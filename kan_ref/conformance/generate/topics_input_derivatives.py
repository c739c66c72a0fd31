"""Cases about the first and second derivatives of networks with respect to their inputs.

Source: the chain rule, (C4) of `backward`, applied to Liu et al. 2024, eq. 2.7.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import input_derivatives
from kan_ref.conformance.generate.encode import case, topic
from kan_ref.conformance.generate.exact import Layer, Rules
from kan_ref.conformance.generate.layer_case import Case
from kan_ref.conformance.generate.network_case import (
    example_networks,
    network_arguments,
    networks_with_defects,
)
from kan_ref.conformance.generate.topics_gradients import encode_sums


def input_jacobians() -> dict[str, Any]:
    """Return the cases of input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for name, flags, layers, x in example_networks():
        first, _ = input_derivatives(layers, x)
        answers = {
            flag: {"jacobian": input_derivatives(read, x, rules)[0].nested()}
            for flag, (read, rules) in _defects(layers)
        }
        expected, tolerance = encode_sums({"jacobian": first})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        cases.append(
            case(
                name,
                "input_jacobian",
                flags,
                network_arguments(layers, x),
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
    """Return the cases of input_hessian_diag(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for name, flags, layers, x in example_networks():
        found = input_derivatives(layers, x)[1]
        answers = {
            flag: {"hessian_diag": input_derivatives(read, x, rules)[1].nested()}
            for flag, (read, rules) in _defects(layers)
        }
        if len(layers) > 1:
            for flag, second in (("HessianSlopes", "slopes"), ("HessianCurves", "curves")):
                answers[flag] = {
                    "hessian_diag": input_derivatives(layers, x, second=second)[1].nested()
                }
        expected, tolerance = encode_sums({"hessian_diag": found})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        flags_shown = (
            f"HessianSlopes HessianCurves {flags}"
            if len(layers) > 1
            else f"HigherDerivative {flags}"
        )
        cases.append(
            case(
                name,
                "input_hessian_diag",
                flags_shown,
                network_arguments(layers, x),
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


def _defects(layers: Sequence[Layer]) -> list[tuple[str, tuple[list[Layer], Rules]]]:
    rules = {
        "SiluSlope": Rules(silu_slope="sigmoid"),
        "DerivativeFactor": Rules(without_degree=True),
    }
    return [
        *networks_with_defects(layers).items(),
        *((flag, (list(layers), one)) for flag, one in rules.items()),
    ]
