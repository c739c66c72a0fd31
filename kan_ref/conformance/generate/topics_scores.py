"""Cases about the scores of edges and nodes, (C7) and (C8) of `scores`."""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, topic
from kan_ref.conformance.generate.exact import Number, sizes, total
from kan_ref.conformance.generate.layer_case import Case, filled, points
from kan_ref.conformance.generate.network_case import make_network, network_arguments
from kan_ref.conformance.generate.scores import (
    SUMS,
    edge_deviations,
    edge_scores_of,
    matrix_sum,
    misread_scores,
    node_scores_of,
    scored_networks,
    since_of,
)
from kan_ref.conformance.generate.topics_knots import uneven_twin


def edge_scores() -> dict[str, Any]:
    """Return the cases of edge_scores(layers, x) -> [(n_out, n_in), ...]."""
    cases: list[Case] = []
    for name, flags, layers, x in scored_networks():
        inputs = flow(layers, x)[:-1]
        right = {
            f"{n}": edge_scores_of(layer, at)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        splines = {
            f"{n}": edge_scores_of(layer, at, base=False)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        deviations = {
            f"{n}": edge_deviations(layer, at)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        wrong = [("L1WithoutBase", splines), ("L1Deviation", deviations)]
        wrong += [
            (flag, {f"{n}": found for n, found in enumerate(scores)})
            for flag, scores in misread_scores(layers, x)
        ]
        tolerance = {n: SUMS * max(1.0, float(matrix_sum(found))) for n, found in right.items()}
        shown = (
            " ".join(
                flag for flag in flags.split() if flag not in ("EntropyBase", "PenaltyOneLayer")
            )
            or "L1Mean"
        )
        expected = {n: array(found) for n, found in right.items()}
        cases.append(
            case(
                name,
                "edge_scores",
                shown,
                network_arguments(layers, x),
                expected,
                tolerance,
                wrong=wrong,
                since=since_of(name),
            )
        )
    return topic(
        "edge_scores",
        level=5,
        needs=["network_forward"],
        equation="Liu et al. 2024, eq. 2.17",
        cases=cases,
    )


def node_scores() -> dict[str, Any]:
    """Return the cases of node_scores(layers, x) -> {"incoming": [(n,), ...], "outgoing": [(n,),
    ...]}.

    Both lists have one array for each hidden layer.
    """
    cases: list[Case] = []
    masked = make_network("ns-masked", (2, 3, 2))
    masked[0]["mask"], masked[1]["mask"] = (
        [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]],
        [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]],
    )
    networks = (
        ("two-layers", "NodeScoreMax", make_network("ns-two", (2, 3, 2)), points("ns-two", 4, 2)),
        (
            "three-layers",
            "NodeScoreMax PenaltyInputs",
            make_network("ns-three", (2, 2, 2, 2)),
            points("ns-three", 3, 2),
        ),
        (
            "square",
            "NodeScoreSides NodeScoreMax",
            make_network("ns-square", (2, 2, 2)),
            points("ns-square", 3, 2),
        ),
        (
            "one-chain",
            "NodeScoreSides",
            make_network("ns-chain", (1, 1, 1)),
            points("ns-chain", 4, 1),
        ),
        ("dead-node", "ZeroEdge MissingMask", masked, points("ns-masked", 3, 2)),
        (
            "one-sample",
            "BatchOfOne L1Deviation",
            make_network("ns-single", (2, 2, 1)),
            points("ns-single", 1, 2),
        ),
        (
            "two-layers-uneven",
            "UnevenKnots NodeScoreMax",
            [uneven_twin(layer) for layer in make_network("ns-two", (2, 3, 2))],
            points("ns-two", 4, 2),
        ),
    )
    for name, flags, layers, x in networks:
        inputs = flow(layers, x)[:-1]
        right = [edge_scores_of(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        splines = [
            edge_scores_of(layer, at, base=False) for layer, at in zip(layers, inputs, strict=True)
        ]
        deviations = [edge_deviations(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        unmasked = [
            edge_scores_of(layer | {"mask": filled(1.0, *sizes(layer)[:2])}, at)
            for layer, at in zip(layers, inputs, strict=True)
        ]
        hidden = node_scores_of(right)
        wrong = {
            "L1WithoutBase": _by_side(node_scores_of(splines)),
            "L1Deviation": _by_side(node_scores_of(deviations)),
            "MissingMask": _by_side(node_scores_of(unmasked)),
            "NodeScoreMax": _by_side(node_scores_of(right, total)),
            "NodeScoreSides": _by_side([(after, before) for before, after in hidden]),
        }
        if len({sizes(layer)[1] for layer in layers}) == 1:
            wrong["PenaltyInputs"] = _by_side(
                node_scores_of([edge_scores_of(layer, x) for layer in layers])
            )
        expected = {output: array(found) for output, found in _by_side(hidden).items()}
        tolerance = {
            output: SUMS * max(1.0, *map(float, found))
            for output, found in _by_side(hidden).items()
        }
        cases.append(
            case(
                name,
                "node_scores",
                flags,
                network_arguments(layers, x),
                expected,
                tolerance,
                wrong=[
                    *wrong.items(),
                    *(
                        (flag, _by_side(node_scores_of(found)))
                        for flag, found in misread_scores(layers, x)
                    ),
                ],
                since=since_of(name),
            )
        )
    return topic(
        "node_scores",
        level=6,
        needs=["edge_scores"],
        equation="Liu et al. 2024, eq. 2.21",
        cases=cases,
    )


def _by_side(hidden: Sequence[tuple[list[Number], list[Number]]]) -> dict[str, list[Number]]:
    return {
        f"{n}.{side}": found
        for n, pair in enumerate(hidden)
        for side, found in zip(("incoming", "outgoing"), pair, strict=True)
    }
