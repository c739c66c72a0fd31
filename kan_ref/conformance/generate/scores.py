"""Scores of edges and nodes, and the networks whose scores and penalties are tested.

    (C7)  score_ji = (1/N) sum_b |phi_ji(x_bi)|
    (C8)  for a hidden node n: incoming = max_i score_ni of the layer before,
                               outgoing = max_j score_jn of the layer after

Source: Liu et al. 2024, eqs. 2.17 and 2.21.
"""

from collections.abc import Sequence
from itertools import pairwise

from kan_ref.conformance.generate.coverage_cases import block_layer, samples
from kan_ref.conformance.generate.exact import (
    Layer,
    Number,
    context,
    edge_terms,
    precise,
    sizes,
    total,
)
from kan_ref.conformance.generate.layer_case import Rows, make_layer, points
from kan_ref.conformance.generate.layer_readings import filled, transposed
from kan_ref.conformance.generate.network_case import make_network
from kan_ref.conformance.generate.topics_knots import uneven_twin, uniform_knots

SUMS = 1e-12


def edge_scores_of(layer: Layer, x: Rows) -> list[list[Number]]:
    """Return the edge scores (C7) of one layer, (n_out, n_in)."""
    n_out, n_in, _ = sizes(layer)
    n = len(x)
    return [
        [
            total(abs(total(edge_terms(layer, j, i, precise(row[i])))) for row in x) / n
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]


def node_scores_of(
    by_edge: Sequence[Sequence[Sequence[Number]]],
) -> list[tuple[list[Number], list[Number]]]:
    """Return (incoming, outgoing) of every hidden layer by (C8)."""
    pairs = pairwise(by_edge)
    return [
        ([max(line) for line in before], [max(column) for column in transposed(after)])
        for before, after in pairs
    ]


def deviation(values: Sequence[Number]) -> Number:
    """Return the standard deviation of values, with N - 1 in the denominator."""
    mean = total(values) / len(values)
    return context().sqrt(total((v - mean) ** 2 for v in values) / (len(values) - 1))


def matrix_sum(found: Sequence[Sequence[Number]]) -> Number:
    """Return the sum of all entries."""
    return total(value for line in found for value in line)


def scored_networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    """Return (name, flags, layers, x) of the networks whose scores and penalties are tested."""
    knots = uniform_knots(-1.0, 1.0, 4, 3)
    constant = make_layer(
        "constant",
        1,
        2,
        [knots, knots],
        3,
        coef=[[[7.0] * 7, [-3.0] * 7]],
        w_base=filled(0.0, 1, 2),
        w_spline=filled(1.0, 1, 2),
    )
    signs = make_layer("signs", 1, 1, [knots], 3, w_base=[[1.5]], w_spline=[[0.0]])
    masked = make_layer("m", 2, 2, [knots, knots], 3, mask=[[1.0, 0.0], [1.0, 1.0]])
    weightless = make_layer(
        "weightless",
        2,
        2,
        [knots, knots],
        3,
        w_base=[[0.0, 1.0], [1.0, 0.5]],
        w_spline=[[0.0, 1.0], [-1.0, 2.0]],
    )
    small = [[2.0**-20, -(2.0**-21)], [2.0**-22, 2.0**-20]]
    tiny = make_layer("p-tiny", 2, 2, [knots, knots], 3, w_base=small, w_spline=transposed(small))
    nothing = make_layer("nothing", 2, 2, [knots, knots], 3, mask=filled(0.0, 2, 2))
    return (
        (
            "one-layer",
            "L1Mean EntropyBase",
            [make_layer("p", 2, 2, [knots, knots], 3)],
            points("p-one", 4, 2),
        ),
        (
            "one-edge",
            "L1Mean L1Deviation",
            [make_layer("p1", 1, 1, [knots], 3)],
            points("p-edge", 3, 1),
        ),
        ("constants", "L1Deviation", [constant], points("p-constant", 4, 2)),
        ("base-alone", "L1WithoutBase", [signs], [[-0.5], [0.75], [2.0]]),
        (
            "both-signs",
            "L1Mean",
            [make_layer("p-signs", 1, 2, [knots, knots], 3)],
            [[-0.875, 0.5], [0.875, -0.5], [0.125, 0.25]],
        ),
        ("dead-edge", "ZeroEdge MissingMask", [masked], points("p-mask", 4, 2)),
        ("weightless-edge", "ZeroEdge", [weightless], points("p-weightless", 3, 2)),
        ("dead-layer", "ZeroEdge", [nothing], points("p-nothing", 3, 2)),
        (
            "two-layers",
            "PenaltyOneLayer PenaltyInputs",
            make_network("p-two", (2, 3, 1)),
            points("p-two", 3, 2),
        ),
        (
            "square-layers",
            "PenaltyInputs PenaltyOneLayer",
            make_network("p-square", (2, 2, 2)),
            points("p-square", 3, 2),
        ),
        (
            "one-sample",
            "BatchOfOne L1Deviation",
            make_network("p-single", (2, 2, 1)),
            points("p-single", 1, 2),
        ),
        (
            "two-layers-uneven",
            "UnevenKnots PenaltyOneLayer PenaltyInputs",
            [uneven_twin(layer) for layer in make_network("p-two", (2, 3, 1))],
            points("p-two", 3, 2),
        ),
        (
            "nine-samples",
            "BlockRemainder L1Mean UnevenKnots",
            [block_layer(7001, 2, 2)],
            samples(811, 9, 2),
        ),
        (
            "two-hidden-layers",
            "PenaltyOneLayer PenaltyInputs",
            make_network("p-three", (2, 3, 2, 1), low=-8.0, high=8.0),
            points("p-three", 3, 2),
        ),
        (
            "tiny-edges",
            "L1Mean EntropyShares",
            [tiny],
            points("p-tiny", 4, 2),
        ),
        (
            "zero-base",
            "BaseName L1Mean",
            [make_layer("p-zero", 2, 2, [knots, knots], 3, base="zero")],
            points("p-zero", 4, 2),
        ),
        (
            "one-to-three",
            "L1Mean",
            [make_layer("p-1-3", 3, 1, [knots], 3, base="identity")],
            points("p-1-3", 5, 1),
        ),
        ("forty-samples", "BlockRemainder", [make_layer("p-40", 2, 1, [knots], 3)], growing()),
    )


def growing() -> Rows:
    """Return forty samples of one input, of either sign, whose magnitudes grow up to 5/8."""
    return [[(-1.0) ** b * (b + 1) / 64] for b in range(40)]


def since_of(name: str) -> int:
    """Return the version of the contract since which a scored network exists."""
    if name in ("forty-samples", "inputs-outside-grid"):
        return 6
    if name in ("two-hidden-layers", "tiny-edges", "zero-base", "one-to-three"):
        return 4
    return 2 if name in ("two-layers-uneven", "nine-samples") else 1
