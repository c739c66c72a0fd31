"""Cases about the scores of edges and nodes, and about pruning by them.

Scores are (C7) and (C8) of `scores`, pruned networks (C12) and (C13) of `pruned_networks`. The
paper leaves open whether a removed node's mean output is kept as a constant, (C13), or dropped.
Where the two differ, a required case compares y'_b - mean_b y'_b, in which both agree, and an
acceptable case compares y' itself. Where removed nodes contribute 0 on the batch, y' = y is
required.
Source: Liu et al. 2024, eqs. 2.17, 2.21.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import Layer, Number, sizes, total
from kan_ref.conformance.generate.layer_case import Case, Rows, points
from kan_ref.conformance.generate.network_case import (
    make_network,
    network_arguments,
    value_bound,
)
from kan_ref.conformance.generate.pruned_networks import (
    equal_scores,
    kept_nodes,
    many_edges,
    mixed_nodes,
    pruned_values,
    unchanged_networks,
    weak_inside,
)
from kan_ref.conformance.generate.scores import (
    SUMS,
    edge_scores_of,
    growing,
    matrix_sum,
    node_scores_of,
    scored_networks,
    since_of,
)
from kan_ref.conformance.generate.topics_knots import uneven_twin

_SINCE = {"knots-of-their-own": 2, "threshold-zero": 4, "output-without-path": 4, "other-base": 4}
VALUES = 1e-12  # of the bound on rounding: allows a constant folded into coefficients


def edge_scores() -> dict[str, Any]:
    """Return the cases of edge_scores(layers, x) -> [(n_out, n_in), ...]."""
    cases: list[Case] = []
    for name, flags, layers, x in scored_networks():
        inputs = flow(layers, x)[:-1]
        right = _each(edge_scores_of, layers, inputs)
        others = ("EntropyBase", "PenaltyOneLayer")
        shown = " ".join(flag for flag in flags.split() if flag not in others) or "L1Mean"
        expected = {f"{n}": array(found) for n, found in enumerate(right)}
        room = {f"{n}": SUMS * max(1.0, float(matrix_sum(one))) for n, one in enumerate(right)}
        given = network_arguments(layers, x)
        options: dict[str, Any] = {"since": since_of(name)}
        cases.append(case(name, "edge_scores", shown, given, expected, room, **options))
    needs, equation = ["network_forward"], "Liu et al. 2024, eq. 2.17"
    return topic("edge_scores", level=5, needs=needs, equation=equation, cases=cases)


def _each(
    scores: Callable[..., Any], layers: Sequence[Layer], inputs: Sequence[Rows], **options: Any
) -> list[Any]:
    return [scores(layer, at, **options) for layer, at in zip(layers, inputs, strict=True)]


def node_scores() -> dict[str, Any]:
    """Return the cases of node_scores(layers, x) -> {"incoming": [(n,), ...], "outgoing": [(n,),
    ...]}.

    Both lists have one array for each hidden layer.
    """
    cases: list[Case] = []
    masked, two = make_network("ns-masked", (2, 3, 2)), make_network("ns-two", (2, 3, 2))
    masked[0]["mask"] = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
    masked[1]["mask"] = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    three, square = make_network("ns-three", (2, 2, 2, 2)), make_network("ns-square", (2, 2, 2))
    chain, single = make_network("ns-chain", (1, 1, 1)), make_network("ns-single", (2, 2, 1))
    uneven = [uneven_twin(layer) for layer in two]
    inside = (
        ("two-layers", "NodeScoreMax", two, "ns-two", 4),
        ("three-layers", "NodeScoreMax PenaltyInputs", three, "ns-three", 3),
        ("square", "NodeScoreSides NodeScoreMax", square, "ns-square", 3),
        ("one-chain", "NodeScoreSides", chain, "ns-chain", 4),
        ("dead-node", "ZeroEdge MissingMask", masked, "ns-masked", 3),
        ("one-sample", "BatchOfOne L1Deviation", single, "ns-single", 1),
        ("two-layers-uneven", "UnevenKnots NodeScoreMax", uneven, "ns-two", 4),
    )
    wide: Rows = [[-1.25, 0.625], [0.375, 1.75], [-3.5, 4.5]]
    for name, flags, layers, x in (
        *((n, f, made, points(seed, size, sizes(made[0])[1])) for n, f, made, seed, size in inside),
        ("inputs-outside-grid", "FadeOutside", make_network("ns-outside", (2, 2, 1)), wide),
        ("forty-samples", "BlockRemainder", make_network("ns-forty", (1, 2, 1)), growing()),
    ):
        inputs = flow(layers, x)[:-1]
        hidden = node_scores_of(_each(edge_scores_of, layers, inputs))
        scores = _by_side(hidden)
        expected = {output: array(found) for output, found in scores.items()}
        room = {output: SUMS * max(1.0, *map(float, found)) for output, found in scores.items()}
        given = network_arguments(layers, x)
        options: dict[str, Any] = {"since": since_of(name)}
        cases.append(case(name, "node_scores", flags, given, expected, room, **options))
    equation = "Liu et al. 2024, eq. 2.21"
    return topic("node_scores", level=6, needs=["edge_scores"], equation=equation, cases=cases)


def _by_side(hidden: Sequence[tuple[list[Number], list[Number]]]) -> dict[str, list[Number]]:
    return {
        f"{n}.{side}": found
        for n, pair in enumerate(hidden)
        for side, found in zip(("incoming", "outgoing"), pair, strict=True)
    }


def pruning() -> dict[str, Any]:
    """Return the cases of prune(layers, x, threshold) -> layers.

    Only hidden nodes are removed: inputs, outputs and the edges of kept nodes stay.
    """
    cases: list[Case] = []
    for name, flags, layers, x in unchanged_networks():
        threshold = 0.0 if name == "threshold-zero" else 2.0**-4
        kept = kept_nodes(layers, x, threshold)
        expected = {
            "kept": array([float(sum(line)) for line in kept]),
            "values": array(flow(layers, x)[-1]),
        }
        room = {"kept": 0.5, "values": VALUES * value_bound(layers, x)}
        given = _arguments(layers, x, threshold)
        options: dict[str, Any] = {"since": _SINCE.get(name, 1)}
        cases.append(case(name, "prune", flags, given, expected, room, **options))
    cases += [_equal_scores(), _equal_scores(below=True)]
    cases += _pair("inputs-outside-grid", "FadeOutside", *weak_inside(), 0.25, since=6)
    kinds = "PruneEither PruneOneSided PruneRule"
    for name, flags, layers, seed, n, threshold in (
        ("four-kinds", kinds, mixed_nodes(4), "prune-four", 6, 2.0**-2),
        ("six-kinds", kinds, mixed_nodes(6), "prune-six", 6, 2.0**-3),
        ("low-threshold", "PruneThreshold PruneRule", mixed_nodes(4), "prune-low", 6, 2.0**-12),
        ("many-edges", "NodeScoreMax PruneRule", many_edges(), "prune-many", 5, 1.25),
    ):
        cases += _pair(name, flags, layers, points(seed, n, sizes(layers[0])[1]), threshold)
    needs = ["network_forward", "node_scores"]
    return topic("pruning", level=7, needs=needs, equation="Liu et al. 2024, eq. 2.21", cases=cases)


def _equal_scores(*, below: bool = False) -> Case:
    """Return a case of scores that are equal to the threshold.

    Without a node below it, who keeps all nodes gives the answer of the known defect.
    """
    layers, x = equal_scores(below=below)
    (kept,) = kept_nodes(layers, x, 0.25)
    name = "scores-at-and-below-the-threshold" if below else "scores-at-the-threshold"
    given = _arguments(layers, x, 0.25)
    room = {"kept": 0.5, "values": VALUES * value_bound(layers, x)}
    right = pruned_values(layers, x, kept)
    expected = {"kept": array([float(sum(kept))]), "values": array(right)}
    options: dict[str, Any] = {"since": 4 if below else 2}
    return case(name, "prune", "PruneEquality PruneRule", given, expected, room, **options)


def _pair(
    name: str, flags: str, layers: Sequence[Layer], x: Rows, threshold: float, since: int = 1
) -> list[Case]:
    """Return the required case and, if nodes are removed, the acceptable case about their means."""
    (kept,) = kept_nodes(layers, x, threshold)
    right = pruned_values(layers, x, kept)
    given, bound = _arguments(layers, x, threshold), VALUES * value_bound(layers, x)
    counts, room = {"kept": array([float(sum(kept))])}, {"kept": 0.5, "centred": bound}
    expected = {**counts, "centred": array(centred(right))}
    pair = [case(name, "prune", flags, given, expected, room, since=since)]
    if not all(kept):
        expected, room = {**counts, "values": array(right)}, {"kept": 0.5, "values": bound}
        options: dict[str, Any] = {"kind": "acceptable"}
        pair.append(case(f"{name}-means", "prune", "PruneMean", given, expected, room, **options))
    return pair


def centred(values: Rows) -> list[list[Number]]:
    """Return the values minus their mean over the batch."""
    means = [total(column) / len(values) for column in zip(*values, strict=True)]
    return [[value - mean for value, mean in zip(row, means, strict=True)] for row in values]


def _arguments(layers: Sequence[Layer], x: Rows, threshold: float) -> dict[str, Any]:
    return network_arguments(layers, x) | {"threshold": array(threshold)}
