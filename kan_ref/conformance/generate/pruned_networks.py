"""Which hidden nodes pruning keeps, what a pruned network computes, and the networks of the cases.

    (C12)  a hidden node stays if min(incoming, outgoing) > threshold, with the scores (C8)
    (C13)  y'_b = sum over kept nodes of phi(x_b)  +  sum over removed nodes of mean_b phi(x_b)

(C13) is for one hidden layer. Source: Liu et al. 2024, eq. 2.21, which fixes (C12) alone. A score
is far from its threshold, or equal to it in exact arithmetic and in float64.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.exact import Layer, Number, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.layer_case import Rows, make_layer, points
from kan_ref.conformance.generate.layer_readings import filled
from kan_ref.conformance.generate.network_case import make_network
from kan_ref.conformance.generate.scores import edge_scores_of, node_scores_of
from kan_ref.conformance.generate.topics_knots import uneven_twin, uniform_knots

FAR = 1.25  # a score is at least this many times its threshold, or 1 / FAR of it


def kept_nodes(layers: Sequence[Layer], x: Rows, threshold: float) -> list[list[bool]]:
    """Return which nodes of each hidden layer (C12) keeps.

    Raises ValueError if a score is so close to the threshold that rounding could decide.
    """
    by_edge = [
        edge_scores_of(layer, at) for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
    ]
    hidden = node_scores_of(by_edge)
    scores = [score for pair in hidden for side in pair for score in side]
    near = [s for s in scores if threshold / FAR < s < threshold * FAR and s != threshold]
    if near:
        raise ValueError(
            f"scores {[float(s) for s in near]} are too near the threshold {threshold}"
        )
    return [[bool(min(pair) > threshold) for pair in zip(*sides, strict=True)] for sides in hidden]


def pruned_values(layers: Sequence[Layer], x: Rows, kept: Sequence[bool]) -> list[list[Number]]:
    """Return (C13) for a network with one hidden layer."""
    first, last = layers
    hidden = flow([first], x)[-1]
    n_out, n_hidden, _ = sizes(last)
    values = [[precise(0)] * n_out for _ in x]
    for j in range(n_out):
        for i in range(n_hidden):
            column = [total(edge_terms(last, j, i, precise(row[i]))) for row in hidden]
            mean = total(column) / len(x)
            for b in range(len(x)):
                values[b][j] += column[b] if kept[i] else mean
    return values


def mixed_nodes(n_kinds: int) -> list[Layer]:
    """Return a network with two inputs, two outputs and `n_kinds` hidden nodes.

    Their (incoming, outgoing) scores are (large, large), (large, small), (small, large), (small,
    small), ...
    """
    knots, wide = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-8.0, 8.0, 4, 3)
    sides = ((1.0, 1.0), (1.0, 0.01), (0.01, 1.0), (0.01, 0.01), (0.75, 1.25), (1.25, 0.75))[
        :n_kinds
    ]
    first = make_layer("prune-first", n_kinds, 2, [knots, knots], 3)
    last = make_layer("prune-last", 2, n_kinds, [wide] * n_kinds, 3)
    for name in ("w_base", "w_spline"):
        first[name] = [
            [(0.5 + abs(w)) * incoming for w in line]
            for line, (incoming, _) in zip(first[name], sides, strict=True)
        ]
        last[name] = [
            [(0.5 + abs(w)) * outgoing for w, (_, outgoing) in zip(line, sides, strict=True)]
            for line in last[name]
        ]
    return [first, last]


def many_edges() -> list[Layer]:
    """Return a network whose node 1 has four incoming edges, each below the threshold.

    Their sum is above it. Node 2 has one edge above the threshold and three edges of 0.
    """
    knots, wide = uniform_knots(-1.0, 1.0, 4, 3), uniform_knots(-8.0, 8.0, 4, 3)
    zeros = filled(0.0, 3, 4)
    weights = [[2.0] * 4, [0.5] * 4, [2.0, 0.0, 0.0, 0.0]]
    flat = [[[1.0 + 0.25 * m for m in range(7)]] * 4] * 3
    last = make_layer(
        "many-last", 2, 3, [wide] * 3, 3, w_base=filled(1.0, 2, 3), w_spline=filled(2.0, 2, 3)
    )
    return [
        make_layer("many-first", 3, 4, [knots] * 4, 3, coef=flat, w_base=zeros, w_spline=weights),
        last,
    ]


def changed(layers: Sequence[Layer], number: int, **changes: Any) -> list[Layer]:
    """Return the layers, with changes to layer `number`."""
    return [layer | changes if n == number else layer for n, layer in enumerate(layers)]


def unchanged_networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    """Return networks whose weak nodes add exactly 0 to the outputs, or that have no weak node."""
    wide = make_network("prune-wide", (2, 3, 1))
    no_way_out = changed(wide, 1, mask=[[1.0, 0.0, 1.0]])
    silent = changed(wide, 1, w_base=[[1.0, 0.0, -1.0]], w_spline=[[1.5, 0.0, 1.0]])
    deep = make_network("prune-deep", (2, 3, 2, 1), low=-6.0, high=6.0)
    deep[1]["mask"], deep[2]["mask"] = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], [[1.0, 0.0]]
    unfed = make_network("prune-unfed", (2, 3, 1), base="zero")
    unfed[0]["mask"] = [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    unfed[1]["coef"][0][1] = [
        2.0,
        -1.5,
        0.0,
        0.0,
        0.0,
        0.25,
        1.0,
    ]  # 0 at the middle of the grid, where a node without inputs lies
    return (
        ("nothing-weak", "PruneKeepsFunction", wide, points("prune-wide", 4, 2)),
        (
            "masked-way-out",
            "PruneRule MissingMask PruneKeepsFunction",
            no_way_out,
            points("prune-out", 4, 2),
        ),
        (
            "weightless-way-out",
            "PruneRule PruneKeepsFunction",
            silent,
            points("prune-silent", 4, 2),
        ),
        ("unfed-node", "PruneRule PruneKeepsFunction", unfed, points("prune-unfed", 4, 2)),
        ("two-hidden-layers", "PruneRule PruneKeepsFunction", deep, points("prune-deep", 4, 2)),
        (
            "knots-of-their-own",
            "PruneKeepsFunction UnevenKnots",
            own_knots(),
            points("prune-knots", 4, 2),
        ),
        ("edges-stay", "PruneEdges PruneKeepsFunction", _weak_edge(), points("prune-edge", 4, 2)),
        ("threshold-zero", "PruneThreshold PruneRule", no_way_out, points("prune-out", 4, 2)),
        (
            "output-without-path",
            "PruneRule PruneKeepsFunction",
            _cut_output(),
            points("prune-cut", 4, 2),
        ),
        (
            "other-base",
            "BaseName PruneKeepsFunction",
            [layer | {"base": "identity"} for layer in no_way_out],
            points("prune-base", 4, 2),
        ),
    )


def _cut_output() -> list[Layer]:
    """Return a network whose second output has edges of 0 alone, from a node without another."""
    layers = make_network("prune-cut", (2, 2, 2))
    weights = {"w_base": [[1.0, 0.0], [1.0, 0.0]], "w_spline": [[1.5, 0.0], [-0.5, 0.0]]}
    return changed(layers, 1, mask=[[1.0, 1.0], [0.0, 1.0]], **weights)


def equal_scores(*, below: bool = False) -> tuple[list[Layer], Rows]:
    """Return a network and inputs of size 1, by which scores are products of powers of two.

    With threshold 1/4, node 0 has an incoming score equal to it, node 1 an outgoing one, and node 2
    has both above it; node 3, if `below`, has an incoming score of 1/8. All edges are
    multiples of the identity, and have mean 0.
    """
    knots, n = uniform_knots(-1.0, 1.0, 4, 3), 3 + below
    first = make_layer("equal-1", n, 1, [knots], 3, w_base=[[0.25], [1.0], [0.5], [0.125]][:n])
    last = make_layer("equal-2", 1, n, [knots] * n, 3, w_base=[[8.0, 0.25, 2.0, 4.0][:n]])
    layers = [
        layer
        | {
            "coef": [[[0.0] * 7 for _ in line] for line in layer["w_base"]],
            "w_spline": [[0.0 for _ in line] for line in layer["w_base"]],
            "base": "identity",
        }
        for layer in (first, last)
    ]
    return layers, [[1.0], [-1.0], [1.0], [-1.0]]


def weak_inside() -> tuple[list[Layer], Rows]:
    """Return a network, and inputs at which both of its nodes score above 1/4.

    Node 1 would not if its inputs were clamped to the grid.
    """
    layers = make_network("prune-outside", (1, 2, 1))
    first = {"w_base": [[1.0], [0.25]], "w_spline": [[1.5], [0.0]]}
    return changed(layers, 0, **first), [[-0.5], [0.25], [-3.0], [5.0]]


def own_knots() -> list[Layer]:
    """Return a network whose node 1 has no way out, and whose hidden nodes have their own knots."""
    layers = make_network("prune-knots", (2, 3, 1))
    layers[1] = uneven_twin(layers[1]) | {"mask": [[1.0, 0.0, 1.0]]}
    return layers


def _weak_edge() -> list[Layer]:
    """Return a network of strong nodes, in which one edge is far below the threshold."""
    layers = make_network("prune-edge", (2, 2, 1))
    return changed(
        layers, 0, w_base=[[1.5, 2.0**-9], [1.0, -1.5]], w_spline=[[1.5, 2.0**-9], [-1.5, 1.0]]
    )
