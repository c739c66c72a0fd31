"""Cases about the penalties of the paper, and about another convention.

    (C9)   l1 = sum over layers of sum_ji score_ji
    (C10)  entropy = sum over layers of -sum_ji p_ji log p_ji,
           p_ji = score_ji / sum score,   0 log 0 = 0

with the scores (C7). Source: Liu et al. 2024, eqs. 2.17-2.20. The convention of pykan 0.2 has a
topic of its own, in which no answer is wrong. With standard deviations std of N samples (N - 1 in
the denominator) and e = 1e-4 it is

    (C11)  A_ji = std_b(phi_ji) / (std_b(x_i) + 0.1),   l1 = sum A,
           entropy = -mean_j sum_i r_ji log2(r_ji + e) - mean_i sum_j c_ji log2(c_ji + e),
           r_ji = A_ji / (sum_i A_ji + 1),   c_ji = A_ji / (sum_j A_ji + 1)
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import (
    Layer,
    Number,
    context,
    edge_terms,
    precise,
    sizes,
    total,
)
from kan_ref.conformance.generate.layer_case import Case, Rows, make_layer, points
from kan_ref.conformance.generate.layer_readings import filled, transposed
from kan_ref.conformance.generate.network_case import network_arguments
from kan_ref.conformance.generate.scores import (
    SUMS,
    deviation,
    edge_scores_of,
    matrix_sum,
    scored_networks,
    since_of,
)
from kan_ref.conformance.generate.topics_knots import uniform_knots


def penalties() -> dict[str, Any]:
    """Return the cases of penalties(layers, x) -> {"l1", "entropy"}, (C9) and (C10)."""
    cases: list[Case] = []
    for name, flags, layers, x in scored_networks():
        inputs = flow(layers, x)[:-1]
        by_layer = [edge_scores_of(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        l1, entropy = (total(map(value, by_layer)) for value in (matrix_sum, _entropy))
        tolerance = {"l1": SUMS * max(1.0, float(l1)), "entropy": SUMS * max(1.0, float(entropy))}
        expected = {"l1": array(l1), "entropy": array(entropy)}
        cases.append(
            case(
                name,
                "penalties",
                flags,
                network_arguments(layers, x),
                expected,
                tolerance,
                since=since_of(name),
            )
        )
    return topic(
        "penalties",
        level=5,
        needs=["network_forward"],
        equation="Liu et al. 2024, eqs. 2.17-2.20",
        cases=cases,
    )


def pykan_penalties() -> dict[str, Any]:
    """Return the cases of penalties(layers, x) -> {"l1", "entropy"} by (C11).

    An implementation that agrees computes pykan's penalties; one that does not agree is not wrong.
    """
    cases: list[Case] = []
    for name, _, layers, x in scored_networks():
        if len(x) == 1 or name == "dead-layer":
            continue  # N - 1 = 0 in a denominator; and zeros are zeros in every convention
        found = [
            _strengths(layer, at) for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
        ]
        l1, entropy = total(map(matrix_sum, found)), total(map(_shared_entropy, found))
        tolerance = {"l1": SUMS * max(1.0, float(l1)), "entropy": SUMS * max(1.0, float(entropy))}
        expected = {"l1": array(l1), "entropy": array(entropy)}
        kind = "implementation-defined"
        cases.append(
            case(
                name,
                "penalties",
                "PykanConvention",
                network_arguments(layers, x),
                expected,
                tolerance,
                kind=kind,
                since=since_of(name),
            )
        )
    return topic(
        "penalties_pykan",
        level=5,
        needs=["network_forward"],
        equation="none of the paper: pykan 0.2",
        cases=cases,
    )


def zero_edges() -> dict[str, Any]:
    """Return the cases of penalties(layers, x) with all edges 0: both are 0 in every convention."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    nowhere, no_coef = filled(0.0, 2, 2), [[[0.0] * 7] * 2] * 2
    silent = make_layer(
        "zero-c", 2, 2, [knots, knots], 3, w_base=nowhere, coef=no_coef, w_spline=filled(1.0, 2, 2)
    )
    alone = make_layer(
        "zero-1", 1, 1, [knots], 3, w_base=[[0.0]], coef=[[[0.0] * 7]], w_spline=[[1.0]]
    )
    masked = make_layer("zero-m", 2, 2, [knots, knots], 3, mask=nowhere)
    networks: tuple[tuple[str, str, list[Layer], Rows], ...] = (
        ("no-coefficients", "ZeroEdge ZeroCoefficients", [silent], points("zero-c", 4, 2)),
        ("one-edge", "ZeroEdge ZeroCoefficients", [alone], points("zero-1", 3, 1)),
        ("masked-layer", "ZeroEdge MissingMask", [masked], points("zero-m", 3, 2)),
        ("two-layers", "ZeroEdge ZeroCoefficients", [silent, silent], points("zero-2", 4, 2)),
        ("one-sample", "BatchOfOne ZeroEdge ZeroCoefficients", [silent], points("zero-n", 1, 2)),
    )
    cases: list[Case] = []
    for name, flags, layers, x in networks:
        by_layer = [
            edge_scores_of(layer, at)
            for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
        ]
        l1, entropy = (total(map(value, by_layer)) for value in (matrix_sum, _entropy))
        expected = {"l1": array(l1), "entropy": array(entropy)}
        tolerance = {"l1": SUMS, "entropy": SUMS}
        cases.append(
            case(
                name,
                "penalties",
                flags,
                network_arguments(layers, x),
                expected,
                tolerance,
            )
        )
    return topic(
        "zero_edges",
        level=5,
        needs=["network_forward"],
        equation="Liu et al. 2024, eqs. 2.17-2.20: sums of zeros",
        cases=cases,
    )


def _entropy(scores: Sequence[Sequence[Number]]) -> Number:
    flat = [score for line in scores for score in line]
    whole = total(flat)
    return -total(p * context().log(p) for p in (score / whole for score in flat if whole) if p)


def _strengths(layer: Layer, x: Rows) -> list[list[Number]]:
    """Return A of (C11): standard deviations of the edges over those of their inputs plus 0.1."""
    n_out, n_in, _ = sizes(layer)
    reach = [deviation([precise(row[i]) for row in x]) + context().mpf("0.1") for i in range(n_in)]
    return [
        [
            deviation([total(edge_terms(layer, j, i, precise(row[i]))) for row in x]) / reach[i]
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]


def _shared_entropy(strengths: Sequence[Sequence[Number]]) -> Number:
    """Return the entropy of (C11)."""

    def of_lines(lines: Sequence[Sequence[Number]]) -> Number:
        ratios = [[a / (total(line) + 1) for a in line] for line in lines]
        return -total(
            p * context().log(p + context().mpf("1e-4"), 2) for line in ratios for p in line
        ) / len(lines)

    return of_lines(strengths) + of_lines(transposed(strengths))
