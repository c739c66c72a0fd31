"""Cases about pruning: which hidden nodes stay, and what the network then is on its batch.

    (X11) a hidden node stays if min(incoming, outgoing) > threshold, with the scores (X9) of `topics_penalties`
    (X12) y'_b = sum over nodes that stay of phi(x_b)  +  sum over those that go of mean_b phi(x_b)      (one hidden layer)

Liu et al. 2024, eq. 2.21: (X11) is all that the paper says. Whether what goes leaves its mean behind, (X12), or nothing, it leaves open:
where that matters a required case compares y'_b - mean_b y'_b, in which both agree, and another one, acceptable, y' itself. Where what goes
is 0 on the batch, y' = y is required. No score lies near its threshold.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import Layer, Number, edge_terms, precise, sizes, total
from kan_ref.conformance.generate.topics_bases import uniform_row
from kan_ref.conformance.generate.topics_layers import Case, Rows, filled, make_layer, points
from kan_ref.conformance.generate.topics_networks import make_network, value_bound
from kan_ref.conformance.generate.topics_penalties import edge_scores_of, node_scores_of

VALUES = (
    1e-12  # of the bound on rounding of a network: room for a constant folded into coefficients
)
FAR = 1.25  # a score is at least this many times its threshold, or 1 / FAR of it

Rule = Callable[[Number, Number, Number], bool]  # incoming, outgoing, threshold: does a node stay?


def _right(incoming: Number, outgoing: Number, threshold: Number) -> bool:
    """(X11)."""
    return bool(min(incoming, outgoing) > threshold)


_RULES: dict[str, Rule] = {
    "PruneEither": lambda incoming, outgoing, threshold: bool(max(incoming, outgoing) > threshold),
    "PruneOneSided": lambda incoming, outgoing, threshold: bool(incoming > threshold),
    "PruneThreshold": lambda incoming, outgoing, threshold: _right(
        incoming, outgoing, precise(0.01)
    ),
}


def kept_nodes(
    layers: Sequence[Layer], x: Rows, threshold: float, rule: Rule = _right, gather: Any = max
) -> list[list[bool]]:
    """Which nodes of each hidden layer stay; ValueError if the answer hangs on rounding."""
    by_edge = [
        edge_scores_of(layer, at) for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
    ]
    hidden = node_scores_of(by_edge, gather)
    if rule is _right and gather is max:
        near = [
            s
            for pair in hidden
            for side in pair
            for s in side
            if threshold / FAR < s < threshold * FAR
        ]
        if near:
            raise ValueError(
                f"scores {[float(s) for s in near]} are too near the threshold {threshold}"
            )
    return [[rule(i, o, precise(threshold)) for i, o in zip(*pair, strict=True)] for pair in hidden]


def pruned_values(
    layers: Sequence[Layer], x: Rows, kept: Sequence[bool], *, folded: bool = True
) -> list[list[Number]]:
    """(X12), or without the means, of a network with one hidden layer."""
    first, last = layers
    hidden = flow([first], x)[-1]
    n_out, n_hidden, _ = sizes(last)
    values = [[precise(0)] * n_out for _ in x]
    for j in range(n_out):
        for i in range(n_hidden):
            column = [total(edge_terms(last, j, i, precise(row[i]))) for row in hidden]
            mean = total(column) / len(x) if folded else precise(0)
            for b in range(len(x)):
                values[b][j] += column[b] if kept[i] else mean
    return values


def centred(values: Rows) -> list[list[Number]]:
    """Without the batch's mean."""
    means = [total(column) / len(values) for column in zip(*values, strict=True)]
    return [[value - mean for value, mean in zip(row, means, strict=True)] for row in values]


def _mixed(n_kinds: int) -> list[Layer]:
    """Two inputs, two outputs, hidden nodes whose scores are (large, large), (large, small), (small, large), (small, small), ..."""
    row, wide = uniform_row(-1.0, 1.0, 4, 3), uniform_row(-8.0, 8.0, 4, 3)
    sides = ((1.0, 1.0), (1.0, 0.01), (0.01, 1.0), (0.01, 0.01), (0.75, 1.25), (1.25, 0.75))[
        :n_kinds
    ]
    first = make_layer("prune-first", n_kinds, 2, [row, row], 3)
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


def _many() -> list[Layer]:
    """Node 1 is entered by four edges, each below the threshold, together above; node 2 by one above beside three of 0."""
    row, wide = uniform_row(-1.0, 1.0, 4, 3), uniform_row(-8.0, 8.0, 4, 3)
    zeros = filled(0.0, 3, 4)
    weights = [[2.0] * 4, [0.5] * 4, [2.0, 0.0, 0.0, 0.0]]
    flat = [[[1.0 + 0.25 * m for m in range(7)]] * 4] * 3
    last = make_layer(
        "many-last", 2, 3, [wide] * 3, 3, w_base=filled(1.0, 2, 3), w_spline=filled(2.0, 2, 3)
    )
    return [
        make_layer("many-first", 3, 4, [row] * 4, 3, coef=flat, w_base=zeros, w_spline=weights),
        last,
    ]


def _arguments(layers: Sequence[Layer], x: Rows, threshold: float) -> dict[str, Any]:
    return {
        "layers": [layer_array(layer) for layer in layers],
        "x": array([list(row) for row in x]),
        "threshold": array(threshold),
    }


def _changed(layers: Sequence[Layer], number: int, **changes: Any) -> list[Layer]:
    return [layer | changes if n == number else layer for n, layer in enumerate(layers)]


def _dead() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    """Networks whose weak nodes give exactly 0 to the outputs, or have no score below the threshold at all."""
    wide = make_network("prune-wide", (2, 3, 1))
    no_way_out = _changed(wide, 1, mask=[[1.0, 0.0, 1.0]])
    silent = _changed(wide, 1, w_base=[[1.0, 0.0, -1.0]], w_spline=[[1.5, 0.0, 1.0]])
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
    ]  # 0 at the middle of the grid, where an unfed node stands
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
        ("edges-stay", "PruneEdges PruneKeepsFunction", _weak_edge(), points("prune-edge", 4, 2)),
    )


def _weak_edge() -> list[Layer]:
    """Every node is strong; one edge beside a strong one is far below the threshold."""
    layers = make_network("prune-edge", (2, 2, 1))
    return _changed(
        layers, 0, w_base=[[1.5, 2.0**-9], [1.0, -1.5]], w_spline=[[1.5, 2.0**-9], [-1.5, 1.0]]
    )


def pruning() -> dict[str, Any]:
    """prune(layers, x, threshold) -> layers: hidden nodes go, inputs, outputs and the edges of nodes that stay do not."""
    cases: list[Case] = []
    for name, flags, layers, x in _dead():
        threshold = 2.0**-4
        kept = kept_nodes(layers, x, threshold)
        y = flow(layers, x)[-1]
        expected = {"kept": array([float(sum(line)) for line in kept]), "values": array(y)}
        tolerance = {"kept": 0.5, "values": VALUES * value_bound(layers, x)}
        wrong: dict[str, Any] = {}
        if name == "edges-stay":
            wrong["PruneEdges"] = {
                "values": flow(_changed(layers, 0, mask=[[1.0, 0.0], [1.0, 1.0]]), x)[-1]
            }
        cases.append(
            case(
                name,
                "prune",
                flags,
                _arguments(layers, x, threshold),
                expected,
                tolerance,
                wrong=list(wrong.items()),
            )
        )
    told = (
        (
            "four-kinds",
            "PruneEither PruneOneSided PruneRule",
            _mixed(4),
            points("prune-four", 6, 2),
            2.0**-2,
        ),
        (
            "six-kinds",
            "PruneEither PruneOneSided PruneRule",
            _mixed(6),
            points("prune-six", 6, 2),
            2.0**-3,
        ),
        (
            "low-threshold",
            "PruneThreshold PruneRule",
            _mixed(4),
            points("prune-low", 6, 2),
            2.0**-12,
        ),
        ("many-edges", "NodeScoreMax PruneRule", _many(), points("prune-many", 5, 4), 1.25),
    )
    for name, flags, layers, x, threshold in told:
        cases += _pair(name, flags, layers, x, threshold)
    needs = ["network_forward", "node_scores"]
    return topic("pruning", level=7, needs=needs, equation="Liu et al. 2024, eq. 2.21", cases=cases)


def _pair(name: str, flags: str, layers: Sequence[Layer], x: Rows, threshold: float) -> list[Case]:
    """What is required, and where nodes go, whether their means stay."""
    (kept,) = kept_nodes(layers, x, threshold)
    right = pruned_values(layers, x, kept)
    others = [(flag, kept_nodes(layers, x, threshold, rule)[0]) for flag, rule in _RULES.items()]
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


def _mean(scores: Sequence[Number]) -> Number:
    return total(scores) / len(scores)
