"""Cases about pruning, (C12) and (C13) of `pruned_networks`.

The paper leaves open whether a removed node's mean output is kept as a constant, (C13), or dropped.
Where the two differ, a required case compares y'_b - mean_b y'_b, in which both agree, and an
acceptable case compares y' itself. Where removed nodes contribute 0 on the batch, y' = y is
required. Source: Liu et al. 2024, eq. 2.21.
"""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import Layer, Number, total
from kan_ref.conformance.generate.layer_case import Case, Rows, points
from kan_ref.conformance.generate.network_case import network_arguments, value_bound
from kan_ref.conformance.generate.pruned_networks import (
    DEFECTS,
    changed,
    equal_scores,
    kept_nodes,
    many_edges,
    mixed_nodes,
    pruned_values,
    unchanged_networks,
)

_SINCE = {"knots-of-their-own": 2, "threshold-zero": 4, "output-without-path": 4, "other-base": 4}
VALUES = 1e-12  # of the bound on rounding: allows a constant folded into coefficients


def pruning() -> dict[str, Any]:
    """Return the cases of prune(layers, x, threshold) -> layers.

    Only hidden nodes are removed: inputs, outputs and the edges of kept nodes stay.
    """
    cases: list[Case] = []
    for name, flags, layers, x in unchanged_networks():
        threshold = 0.0 if name == "threshold-zero" else 2.0**-4
        kept = kept_nodes(layers, x, threshold)
        y = flow(layers, x)[-1]
        expected = {"kept": array([float(sum(line)) for line in kept]), "values": array(y)}
        tolerance = {"kept": 0.5, "values": VALUES * value_bound(layers, x)}
        wrong: dict[str, Any] = {}
        if name == "edges-stay":
            wrong["PruneEdges"] = {
                "values": flow(changed(layers, 0, mask=[[1.0, 0.0], [1.0, 1.0]]), x)[-1]
            }
        if name == "knots-of-their-own":
            shifted = [*layers[1]["knots"][:2], layers[1]["knots"][1]]  # node 2 on node 1's knots
            wrong["PruneKeepsFunction"] = {"values": flow(changed(layers, 1, knots=shifted), x)[-1]}
        cases.append(
            case(
                name,
                "prune",
                flags,
                _arguments(layers, x, threshold),
                expected,
                tolerance,
                wrong=list(wrong.items()),
                since=_SINCE.get(name, 1),
            )
        )
    cases += [_equal_scores(), _equal_scores(below=True)]
    mixed = (
        (
            "four-kinds",
            "PruneEither PruneOneSided PruneRule",
            mixed_nodes(4),
            points("prune-four", 6, 2),
            2.0**-2,
        ),
        (
            "six-kinds",
            "PruneEither PruneOneSided PruneRule",
            mixed_nodes(6),
            points("prune-six", 6, 2),
            2.0**-3,
        ),
        (
            "low-threshold",
            "PruneThreshold PruneRule",
            mixed_nodes(4),
            points("prune-low", 6, 2),
            2.0**-12,
        ),
        ("many-edges", "NodeScoreMax PruneRule", many_edges(), points("prune-many", 5, 4), 1.25),
    )
    for name, flags, layers, x, threshold in mixed:
        cases += _pair(name, flags, layers, x, threshold)
    needs = ["network_forward", "node_scores"]
    return topic("pruning", level=7, needs=needs, equation="Liu et al. 2024, eq. 2.21", cases=cases)


def _equal_scores(*, below: bool = False) -> Case:
    """Return a case of scores that are equal to the threshold.

    Without a node below it, who keeps all nodes gives the answer of the known defect.
    """
    layers, x = equal_scores(below=below)
    (kept,) = kept_nodes(layers, x, 0.25)
    (more,) = kept_nodes(layers, x, 0.25, DEFECTS["PruneEquality"])
    return case(
        "scores-at-and-below-the-threshold" if below else "scores-at-the-threshold",
        "prune",
        "PruneEquality PruneRule",
        _arguments(layers, x, 0.25),
        {"kept": array([float(sum(kept))]), "values": array(pruned_values(layers, x, kept))},
        {"kept": 0.5, "values": VALUES * value_bound(layers, x)},
        wrong=[("PruneEquality", {"values": pruned_values(layers, x, more)})] if below else [],
        since=4 if below else 2,
    )


def _pair(name: str, flags: str, layers: Sequence[Layer], x: Rows, threshold: float) -> list[Case]:
    """Return the required case and, if nodes are removed, the acceptable case about their means."""
    (kept,) = kept_nodes(layers, x, threshold)
    right = pruned_values(layers, x, kept)
    others = [(flag, kept_nodes(layers, x, threshold, rule)[0]) for flag, rule in DEFECTS.items()]
    others += [
        ("NodeScoreMax", kept_nodes(layers, x, threshold, gather=gather)[0])
        for gather in (total, _mean)
    ]
    wrong = [
        (flag, {"centred": centred(pruned_values(layers, x, nodes))}) for flag, nodes in others
    ]
    given, bound = _arguments(layers, x, threshold), VALUES * value_bound(layers, x)
    counts, room = {"kept": array([float(sum(kept))])}, {"kept": 0.5, "centred": bound}
    pair = [
        case(
            name,
            "prune",
            flags,
            given,
            {**counts, "centred": array(centred(right))},
            room,
            wrong=wrong,
        )
    ]
    if not all(kept):
        lost = [("PruneMean", {"values": pruned_values(layers, x, kept, folded=False)})]
        expected, room = {**counts, "values": array(right)}, {"kept": 0.5, "values": bound}
        pair.append(
            case(
                f"{name}-means",
                "prune",
                "PruneMean",
                given,
                expected,
                room,
                kind="acceptable",
                wrong=lost,
            )
        )
    return pair


def centred(values: Rows) -> list[list[Number]]:
    """Return the values minus their mean over the batch."""
    means = [total(column) / len(values) for column in zip(*values, strict=True)]
    return [[value - mean for value, mean in zip(row, means, strict=True)] for row in values]


def _arguments(layers: Sequence[Layer], x: Rows, threshold: float) -> dict[str, Any]:
    return network_arguments(layers, x) | {"threshold": array(threshold)}


def _mean(scores: Sequence[Number]) -> Number:
    return total(scores) / len(scores)
