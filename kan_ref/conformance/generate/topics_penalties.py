"""Cases about penalties, and about the scores of edges and nodes that penalties and pruning are made of.

    (X7)  score_ji = (1/N) sum_b |phi_ji(x_bi)|,   l1 = sum over layers of sum_ji score_ji
    (X8)  entropy = sum over layers of -sum_ji p_ji log p_ji,   p_ji = score_ji / sum score,   0 log 0 = 0
    (X9)  of a hidden node n: incoming = max_i score_ni of the layer before, outgoing = max_j score_jn of the layer after

Liu et al. 2024, eqs. 2.17-2.21. Another convention has a topic of its own, where no answer is wrong: what pykan 0.2 computes, with standard
deviations std of N samples (N - 1 in the denominator) and e = 1e-4,

    (X10) A_ji = std_b(phi_ji) / (std_b(x_i) + 0.1),   l1 = sum A,
          entropy = -mean_j sum_i r_ji log2(r_ji + e) - mean_i sum_j c_ji log2(c_ji + e),
          r_ji = A_ji / (sum_i A_ji + 1),   c_ji = A_ji / (sum_j A_ji + 1)
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate.backward import flow
from kan_ref.conformance.generate.encode import array, case, layer_array, topic
from kan_ref.conformance.generate.exact import (
    Layer,
    Number,
    context,
    edge_terms,
    precise,
    sizes,
    total,
)
from kan_ref.conformance.generate.topics_bases import uniform_row
from kan_ref.conformance.generate.topics_layers import (
    Case,
    Rows,
    filled,
    make_layer,
    points,
    transposed,
)
from kan_ref.conformance.generate.topics_networks import make_network

SUMS = 1e-12


def edge_scores_of(layer: Layer, x: Rows, *, base: bool = True) -> list[list[Number]]:
    """(X7) for one layer."""
    seen = layer if base else layer | {"base": "zero"}
    n_out, n_in, _ = sizes(layer)
    n = len(x)
    return [
        [
            total(abs(total(edge_terms(seen, j, i, precise(row[i])))) for row in x) / n
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]


def _entropy(scores: Sequence[Sequence[Number]]) -> Number:
    flat = [score for line in scores for score in line]
    whole = total(flat)
    return -total(p * context().log(p) for p in (score / whole for score in flat if whole) if p)


def _deviation(values: Sequence[Number], lost: int = 1) -> Number:
    mean = total(values) / len(values)
    return context().sqrt(total((v - mean) ** 2 for v in values) / max(1, len(values) - lost))


def _spreads(layer: Layer, x: Rows) -> list[list[Number]]:
    """Standard deviations of edges, where (X7) has mean magnitudes."""
    n_out, n_in, _ = sizes(layer)
    return [
        [
            _deviation([total(edge_terms(layer, j, i, precise(row[i]))) for row in x], 0)
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]


def _strengths(layer: Layer, x: Rows) -> list[list[Number]]:
    """A of (X10): standard deviations over samples of edges, by those of their inputs plus 0.1."""
    n_out, n_in, _ = sizes(layer)
    reach = [_deviation([precise(row[i]) for row in x]) + context().mpf("0.1") for i in range(n_in)]
    return [
        [
            _deviation([total(edge_terms(layer, j, i, precise(row[i]))) for row in x]) / reach[i]
            for i in range(n_in)
        ]
        for j in range(n_out)
    ]


def _shared_entropy(strengths: Sequence[Sequence[Number]]) -> Number:
    """The entropy of (X10)."""

    def of_lines(lines: Sequence[Sequence[Number]]) -> Number:
        shares = [[a / (total(line) + 1) for a in line] for line in lines]
        return -total(
            p * context().log(p + context().mpf("1e-4"), 2) for line in shares for p in line
        ) / len(lines)

    return of_lines(strengths) + of_lines(transposed(strengths))


def _networks() -> tuple[tuple[str, str, list[Layer], Rows], ...]:
    row = uniform_row(-1.0, 1.0, 4, 3)
    constant = make_layer(
        "constant",
        1,
        2,
        [row, row],
        3,
        coef=[[[7.0] * 7, [-3.0] * 7]],
        w_base=filled(0.0, 1, 2),
        w_spline=filled(1.0, 1, 2),
    )
    signs = make_layer("signs", 1, 1, [row], 3, w_base=[[1.5]], w_spline=[[0.0]])
    masked = make_layer("m", 2, 2, [row, row], 3, mask=[[1.0, 0.0], [1.0, 1.0]])
    weightless = make_layer(
        "weightless",
        2,
        2,
        [row, row],
        3,
        w_base=[[0.0, 1.0], [1.0, 0.5]],
        w_spline=[[0.0, 1.0], [-1.0, 2.0]],
    )
    nothing = make_layer("nothing", 2, 2, [row, row], 3, mask=filled(0.0, 2, 2))
    return (
        (
            "one-layer",
            "L1Mean EntropyBase",
            [make_layer("p", 2, 2, [row, row], 3)],
            points("p-one", 4, 2),
        ),
        (
            "one-edge",
            "L1Mean L1Deviation",
            [make_layer("p1", 1, 1, [row], 3)],
            points("p-edge", 3, 1),
        ),
        ("constants", "L1Deviation", [constant], points("p-constant", 4, 2)),
        ("base-alone", "L1WithoutBase", [signs], [[-0.5], [0.75], [2.0]]),
        (
            "both-signs",
            "L1Mean",
            [make_layer("p-signs", 1, 2, [row, row], 3)],
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
    )


def penalties() -> dict[str, Any]:
    """penalties(layers, x) -> {"l1", "entropy"}."""
    cases: list[Case] = []
    for name, flags, layers, x in _networks():
        inputs = flow(layers, x)[:-1]
        by_layer = [edge_scores_of(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        l1, entropy = (total(map(value, by_layer)) for value in (_sum, _entropy))
        splines = [
            edge_scores_of(layer, at, base=False) for layer, at in zip(layers, inputs, strict=True)
        ]
        wrong: dict[str, Any] = {
            "L1WithoutBase": {"l1": total(map(_sum, splines))},
            "L1Deviation": {
                "l1": total(
                    _sum(_strengths(layer, at)) for layer, at in zip(layers, inputs, strict=True)
                )
            },
            "EntropyBase": {"entropy": entropy / context().log(2)},
        }
        if len(layers) > 1:
            wrong["PenaltyOneLayer"] = {"l1": _sum(by_layer[-1]), "entropy": _entropy(by_layer[-1])}
        if len(layers) > 1 and len({sizes(layer)[1] for layer in layers}) == 1:
            same = [edge_scores_of(layer, x) for layer in layers]
            wrong["PenaltyInputs"] = {
                "l1": total(map(_sum, same)),
                "entropy": total(map(_entropy, same)),
            }
        tolerance = {"l1": SUMS * max(1.0, float(l1)), "entropy": SUMS * max(1.0, float(entropy))}
        expected = {"l1": array(l1), "entropy": array(entropy)}
        cases.append(
            case(
                name,
                "penalties",
                flags,
                _arguments(layers, x),
                expected,
                tolerance,
                wrong=list(wrong.items()),
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
    """penalties(layers, x) -> {"l1", "entropy"} as (X10): who agrees computes pykan's, who does not is not wrong."""
    cases: list[Case] = []
    for name, _, layers, x in _networks():
        if len(x) == 1 or name == "dead-layer":
            continue  # a standard deviation with N - 1 = 0 in its denominator; zeros are zeros in every convention
        found = [
            _strengths(layer, at) for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
        ]
        l1, entropy = total(map(_sum, found)), total(map(_shared_entropy, found))
        tolerance = {"l1": SUMS * max(1.0, float(l1)), "entropy": SUMS * max(1.0, float(entropy))}
        expected = {"l1": array(l1), "entropy": array(entropy)}
        kind = "implementation-defined"
        cases.append(
            case(
                name,
                "penalties",
                "PykanConvention",
                _arguments(layers, x),
                expected,
                tolerance,
                kind=kind,
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
    """penalties(layers, x) -> {"l1", "entropy"} where every edge is 0: both are 0, in every convention."""
    row = uniform_row(-1.0, 1.0, 4, 3)
    nowhere, no_coef = filled(0.0, 2, 2), [[[0.0] * 7] * 2] * 2
    silent = make_layer(
        "zero-c", 2, 2, [row, row], 3, w_base=nowhere, coef=no_coef, w_spline=filled(1.0, 2, 2)
    )
    alone = make_layer(
        "zero-1", 1, 1, [row], 3, w_base=[[0.0]], coef=[[[0.0] * 7]], w_spline=[[1.0]]
    )
    masked = make_layer("zero-m", 2, 2, [row, row], 3, mask=nowhere)
    told: tuple[tuple[str, str, list[Layer], Rows], ...] = (
        ("no-coefficients", "ZeroEdge", [silent], points("zero-c", 4, 2)),
        ("one-edge", "ZeroEdge", [alone], points("zero-1", 3, 1)),
        ("masked-layer", "ZeroEdge MissingMask", [masked], points("zero-m", 3, 2)),
        ("two-layers", "ZeroEdge", [silent, silent], points("zero-2", 4, 2)),
        ("one-sample", "BatchOfOne ZeroEdge", [silent], points("zero-n", 1, 2)),
    )
    cases: list[Case] = []
    for name, flags, layers, x in told:
        by_layer = [
            edge_scores_of(layer, at)
            for layer, at in zip(layers, flow(layers, x)[:-1], strict=True)
        ]
        l1, entropy = (total(map(value, by_layer)) for value in (_sum, _entropy))
        unmasked = edge_scores_of(layers[0] | {"mask": filled(1.0, *sizes(layers[0])[:2])}, x)
        wrong = [("MissingMask", {"l1": _sum(unmasked)})]
        expected = {"l1": array(l1), "entropy": array(entropy)}
        tolerance = {"l1": SUMS, "entropy": SUMS}
        cases.append(
            case(name, "penalties", flags, _arguments(layers, x), expected, tolerance, wrong=wrong)
        )
    return topic(
        "zero_edges",
        level=5,
        needs=["network_forward"],
        equation="Liu et al. 2024, eqs. 2.17-2.20: sums of zeros",
        cases=cases,
    )


def scores() -> dict[str, Any]:
    """edge_scores(layers, x) -> [(n_out, n_in), ...]."""
    cases: list[Case] = []
    for name, flags, layers, x in _networks():
        inputs = flow(layers, x)[:-1]
        right = {
            f"{n}": edge_scores_of(layer, at)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        splines = {
            f"{n}": edge_scores_of(layer, at, base=False)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        spread = {
            f"{n}": _spreads(layer, at)
            for n, (layer, at) in enumerate(zip(layers, inputs, strict=True))
        }
        wrong = [("L1WithoutBase", splines), ("L1Deviation", spread)]
        tolerance = {n: SUMS * max(1.0, float(_sum(found))) for n, found in right.items()}
        told = (
            " ".join(
                flag for flag in flags.split() if flag not in ("EntropyBase", "PenaltyOneLayer")
            )
            or "L1Mean"
        )
        expected = {n: array(found) for n, found in right.items()}
        cases.append(
            case(name, "edge_scores", told, _arguments(layers, x), expected, tolerance, wrong=wrong)
        )
    return topic(
        "edge_scores",
        level=5,
        needs=["network_forward"],
        equation="Liu et al. 2024, eq. 2.17",
        cases=cases,
    )


def node_scores_of(
    by_edge: Sequence[Sequence[Sequence[Number]]], gather: Any = max
) -> list[tuple[list[Number], list[Number]]]:
    """(X9) of every hidden layer: incoming and outgoing; `gather` is max, or what a defect takes for it."""
    pairs = pairwise(by_edge)
    return [
        ([gather(line) for line in before], [gather(column) for column in transposed(after)])
        for before, after in pairs
    ]


def node_scores() -> dict[str, Any]:
    """node_scores(layers, x) -> {"incoming": [(n,), ...], "outgoing": [(n,), ...]}, an array for each hidden layer."""
    cases: list[Case] = []
    masked = make_network("ns-masked", (2, 3, 2))
    masked[0]["mask"], masked[1]["mask"] = (
        [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]],
        [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]],
    )
    told = (
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
    )
    for name, flags, layers, x in told:
        inputs = flow(layers, x)[:-1]
        right = [edge_scores_of(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        splines = [
            edge_scores_of(layer, at, base=False) for layer, at in zip(layers, inputs, strict=True)
        ]
        spread = [_spreads(layer, at) for layer, at in zip(layers, inputs, strict=True)]
        unmasked = [
            edge_scores_of(layer | {"mask": filled(1.0, *sizes(layer)[:2])}, at)
            for layer, at in zip(layers, inputs, strict=True)
        ]
        hidden = node_scores_of(right)
        wrong = {
            "L1WithoutBase": _by_side(node_scores_of(splines)),
            "L1Deviation": _by_side(node_scores_of(spread)),
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
                _arguments(layers, x),
                expected,
                tolerance,
                wrong=list(wrong.items()),
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


def _sum(found: Sequence[Sequence[Number]]) -> Number:
    return total(value for line in found for value in line)


def _arguments(layers: Sequence[Layer], x: Rows) -> dict[str, Any]:
    return {
        "layers": [layer_array(layer) for layer in layers],
        "x": array([list(row) for row in x]),
    }
