"""Cases about the first and second derivatives of networks with respect to their inputs.

Source: the chain rule, (C4) of `backward`, applied to Liu et al. 2024, eq. 2.7.
"""

from typing import Any

from kan_ref.conformance.generate.backward import input_derivatives
from kan_ref.conformance.generate.encode import case, topic
from kan_ref.conformance.generate.exact import Layer, Rules, sizes
from kan_ref.conformance.generate.gradient_case import encode_sums
from kan_ref.conformance.generate.layer_case import Case
from kan_ref.conformance.generate.network_case import (
    Example,
    examples,
    network_arguments,
    network_readings,
)


def input_jacobians() -> dict[str, Any]:
    """Return the cases of input_jacobian(layers, x) -> (batch, n_out, n_in)."""
    cases: list[Case] = []
    for one in _examples():
        first, _ = input_derivatives(one.layers, one.x)
        answers = [
            (flag, {"jacobian": input_derivatives(read, one.x, rules)[0].nested()})
            for flag, read, rules in _defects(one)
        ]
        answers += [(flag, {"jacobian": lost[0]}) for flag, lost in _lost(one)]
        expected, tolerance = encode_sums({"jacobian": first})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        cases.append(
            case(
                one.name,
                "input_jacobian",
                one.flags,
                network_arguments(one.layers, one.x),
                expected,
                bound,
                wrong=answers,
                since=one.since,
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
    for one in _examples():
        found = input_derivatives(one.layers, one.x)[1]
        answers = [
            (flag, {"hessian_diag": input_derivatives(read, one.x, rules)[1].nested()})
            for flag, read, rules in _defects(one)
        ]
        answers += [(flag, {"hessian_diag": lost[1]}) for flag, lost in _lost(one)]
        chained = len(one.layers) > 1
        if chained and one.usual:
            for flag, second in (("HessianSlopes", "slopes"), ("HessianCurves", "curves")):
                wrong = input_derivatives(one.layers, one.x, second=second)[1].nested()
                answers.append((flag, {"hessian_diag": wrong}))
        expected, tolerance = encode_sums({"hessian_diag": found})
        bound = {output: 3.0 * number for output, number in tolerance.items()}
        first = "HessianSlopes HessianCurves" if chained else "HigherDerivative"
        flags = f"{first} {one.flags}" if one.usual else f"{one.flags} {first}"
        cases.append(
            case(
                one.name,
                "input_hessian_diag",
                flags,
                network_arguments(one.layers, one.x),
                expected,
                bound,
                wrong=answers,
                since=one.since,
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


def _examples() -> list[Example]:
    """Return the networks of moderate size: 65 hidden nodes would take the generator long."""
    return [one for one in examples() if one.name != "sixty-five-hidden"]


def _defects(one: Example) -> list[tuple[str, list[Layer], Rules]]:
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
