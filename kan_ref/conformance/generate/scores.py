"""Cases about the scores of edges and nodes, the penalties made of them, and pruning by them.

    (C7)   score_ji = (1/N) sum_b |phi_ji(x_bi)|
    (C8)   for a hidden node n: incoming = max_i score_ni of the layer before,
                                outgoing = max_j score_jn of the layer after
    (C9)   l1 = sum over layers of sum_ji score_ji
    (C10)  entropy = sum over layers of -sum_ji p_ji log p_ji,
           p_ji = score_ji / sum score,   0 log 0 = 0
    (C12)  a hidden node stays if min(incoming, outgoing) > threshold
    (C13)  y'_b = sum over kept nodes of phi(x_b)  +  sum over removed nodes of mean_b phi(x_b)

(C13) is for one hidden layer. Source: Liu et al. 2024, eqs. 2.17-2.21, which leave open whether a
removed node's mean output is kept as a constant, (C13), or dropped. Where the two differ, a
required case compares y'_b - mean_b y'_b, in which both agree, and an acceptable case compares y'
itself. Where removed nodes contribute 0 on the batch, y' = y is required. A score is far from its
threshold, or equal to it in exact arithmetic and in float64.

The convention of pykan 0.2 has a topic of its own, in which no answer is wrong. With standard
deviations std of N samples (N - 1 in the denominator) and e = 1e-4 it is

    (C11)  A_ji = std_b(phi_ji) / (std_b(x_i) + 0.1),   l1 = sum A,
           entropy = -mean_j sum_i r_ji log2(r_ji + e) - mean_i sum_j c_ji log2(c_ji + e),
           r_ji = A_ji / (sum_i A_ji + 1),   c_ji = A_ji / (sum_j A_ji + 1)
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from kan_ref.conformance.generate import exact
from kan_ref.conformance.generate import recipes as make
from kan_ref.conformance.generate.encode import Case, case, topic
from kan_ref.conformance.generate.exact import Layer, Number, Rows, flow, total, transposed

EVEN = make.EVEN
SUMS = 1e-12
PRUNED = 1e-12  # of the bound on rounding: allows a constant folded into coefficients
Scored = tuple[str, str, list[Layer], Rows, int]  # name, flags, layers, x, since
Matrix = list[list[Number]]
Score = Callable[[Layer, Rows], Matrix]
Nodes = list[tuple[list[Number], list[Number]]]  # (incoming, outgoing) of each hidden layer
TWO = [EVEN] * 2


# --- scores


def edge_values(layer: Layer, x: Rows) -> list[list[list[Number]]]:
    """Return phi_ji at every sample, (n_out, n_in, batch)."""
    n_out, n_in, _ = exact.sizes(layer)
    return [
        [[exact.edge(layer, j, i, row[i])[0] for row in x] for i in range(n_in)]
        for j in range(n_out)
    ]


def edge_scores_of(layer: Layer, x: Rows) -> Matrix:
    """Return the edge scores (C7) of one layer, (n_out, n_in)."""
    return [[total(map(abs, values)) / len(x) for values in line] for line in edge_values(layer, x)]


def of_each(score: Score, layers: Sequence[Layer], x: Rows) -> list[Matrix]:
    """Return a score of the edges of every layer, at its own inputs."""
    return [score(layer, at) for layer, at in zip(layers, flow(layers, x), strict=False)]


def node_scores_of(layers: Sequence[Layer], x: Rows) -> Nodes:
    """Return (incoming, outgoing) of every hidden layer by (C8)."""
    return [
        (list(map(max, before)), list(map(max, transposed(after))))
        for before, after in pairwise(of_each(edge_scores_of, layers, x))
    ]


def matrix_sum(found: Matrix) -> Number:
    """Return the sum of all entries."""
    return total(map(total, found))


def growing() -> Rows:
    """Return forty samples of one input, of either sign, whose magnitudes grow up to 5/8."""
    return [[(-1.0) ** b * (b + 1) / 64] for b in range(40)]


def scored_networks() -> Iterator[Scored]:
    """Yield the networks whose scores and penalties are tested."""

    def pair(seed: str, **changes: Any) -> list[Layer]:
        return [make.layer(seed, 2, TWO, **changes)]

    nowhere, everywhere = make.filled(0.0, 1, 2), make.filled(1.0, 1, 2)
    levels = {"coef": [[[7.0] * 7, [-3.0] * 7]], "w_base": nowhere, "w_spline": everywhere}
    weightless = {"w_base": [[0.0, 1.0], [1.0, 0.5]], "w_spline": [[0.0, 1.0], [-1.0, 2.0]]}
    small = [[2.0**-20, -(2.0**-21)], [2.0**-22, 2.0**-20]]
    tiny = {"w_base": small, "w_spline": transposed(small)}
    base, both = {"w_base": [[1.5]], "w_spline": [[0.0]]}, "PenaltyOneLayer PenaltyInputs"
    two, three = make.network("p-two", (2, 3, 1)), make.network("p-three", (2, 3, 2, 1), 3, 8.0)
    square, single = make.network("p-square", (2, 2, 2)), make.network("p-single", (2, 2, 1))
    signs = [[-0.875, 0.5], [0.875, -0.5], [0.125, 0.25]]
    uneven, at = [make.twin(layer) for layer in two], make.points("p-two", 3, 2)
    yield "one-layer", "L1Mean EntropyBase", pair("p"), make.points("p-one", 4, 2), 1
    yield (
        "one-edge",
        "L1Mean L1Deviation",
        [make.layer("p1", 1, [EVEN])],
        make.points("p-edge", 3, 1),
        1,
    )
    constant = [make.layer("constant", 1, TWO, **levels)]
    yield "constants", "L1Deviation", constant, make.points("p-constant", 4, 2), 1
    alone = [make.layer("signs", 1, [EVEN], **base)]
    yield "base-alone", "L1WithoutBase", alone, [[-0.5], [0.75], [2.0]], 1
    yield "both-signs", "L1Mean", [make.layer("p-signs", 1, TWO)], signs, 1
    masked = pair("m", mask=[[1.0, 0.0], [1.0, 1.0]])
    yield "dead-edge", "ZeroEdge MissingMask", masked, make.points("p-mask", 4, 2), 1
    weak = pair("weightless", **weightless)
    yield "weightless-edge", "ZeroEdge", weak, make.points("p-weightless", 3, 2), 1
    nothing = pair("nothing", mask=make.filled(0.0, 2, 2))
    yield "dead-layer", "ZeroEdge", nothing, make.points("p-nothing", 3, 2), 1
    yield "two-layers", both, two, at, 1
    yield "square-layers", "PenaltyInputs PenaltyOneLayer", square, make.points("p-square", 3, 2), 1
    yield "one-sample", "BatchOfOne L1Deviation", single, make.points("p-single", 1, 2), 1
    yield "two-layers-uneven", f"UnevenKnots {both}", uneven, at, 2
    block = [make.block(7001, 2, 2)]
    yield "nine-samples", "BlockRemainder L1Mean UnevenKnots", block, make.samples(811, 9, 2), 2
    yield "two-hidden-layers", both, three, make.points("p-three", 3, 2), 4
    yield (
        "tiny-edges",
        "L1Mean EntropyShares",
        pair("p-tiny", **tiny),
        make.points("p-tiny", 4, 2),
        4,
    )
    yield (
        "zero-base",
        "BaseName L1Mean",
        pair("p-zero", base="zero"),
        make.points("p-zero", 4, 2),
        4,
    )
    rising = [make.layer("p-1-3", 3, [EVEN], base="identity")]
    yield "one-to-three", "L1Mean", rising, make.points("p-1-3", 5, 1), 4
    yield "forty-samples", "BlockRemainder", [make.layer("p-40", 2, [EVEN])], growing(), 6


@topic("edge_scores", 5, "network_forward", "Liu et al. 2024, eq. 2.17")
def edge_scores() -> Iterator[Case]:
    """Yield the cases of edge_scores(layers, x) -> [(n_out, n_in), ...]."""
    for name, flags, layers, x, since in scored_networks():
        shown = [flag for flag in flags.split() if flag not in ("EntropyBase", "PenaltyOneLayer")]
        answers = {
            f"{n}": (found, SUMS * max(1.0, float(matrix_sum(found))))
            for n, found in enumerate(of_each(edge_scores_of, layers, x))
        }
        flags = " ".join(shown) or "L1Mean"
        yield case(name, "edge_scores", flags, make.network_given(layers, x), answers, since=since)


@topic("node_scores", 6, "edge_scores", "Liu et al. 2024, eq. 2.21")
def node_scores() -> Iterator[Case]:
    """Yield the cases of node_scores(layers, x) -> {"incoming": [(n,), ...], "outgoing": [...]}.

    Both lists have one array for each hidden layer.
    """
    two, masked = make.network("ns-two", (2, 3, 2)), make.network("ns-masked", (2, 3, 2))
    masked[0]["mask"] = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
    masked[1]["mask"] = [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    three, square = make.network("ns-three", (2, 2, 2, 2)), make.network("ns-square", (2, 2, 2))
    chain, single = make.network("ns-chain", (1, 1, 1)), make.network("ns-single", (2, 2, 1))
    outside, forty = make.network("ns-outside", (2, 2, 1)), make.network("ns-forty", (1, 2, 1))
    uneven, at = [make.twin(layer) for layer in two], make.points("ns-two", 4, 2)
    wide = [[-1.25, 0.625], [0.375, 1.75], [-3.5, 4.5]]
    rows: tuple[Scored, ...] = (
        ("two-layers", "NodeScoreMax", two, at, 1),
        ("three-layers", "NodeScoreMax PenaltyInputs", three, make.points("ns-three", 3, 2), 1),
        ("square", "NodeScoreSides NodeScoreMax", square, make.points("ns-square", 3, 2), 1),
        ("one-chain", "NodeScoreSides", chain, make.points("ns-chain", 4, 1), 1),
        ("dead-node", "ZeroEdge MissingMask", masked, make.points("ns-masked", 3, 2), 1),
        ("one-sample", "BatchOfOne L1Deviation", single, make.points("ns-single", 1, 2), 1),
        ("two-layers-uneven", "UnevenKnots NodeScoreMax", uneven, at, 2),
        ("inputs-outside-grid", "FadeOutside", outside, wide, 6),
        ("forty-samples", "BlockRemainder", forty, growing(), 6),
    )
    for name, flags, layers, x, since in rows:
        answers = {
            f"{n}.{side}": (found, SUMS * max(1.0, *map(float, found)))
            for n, sides in enumerate(node_scores_of(layers, x))
            for side, found in zip(("incoming", "outgoing"), sides, strict=True)
        }
        yield case(name, "node_scores", flags, make.network_given(layers, x), answers, since=since)


# --- penalties


def penalties_case(scored: Scored, score: Score, entropy: Any, **options: Any) -> Case:
    """Return the case of penalties(layers, x) -> {"l1", "entropy"}, (C9) and (C10) or (C11)."""
    name, flags, layers, x, since = scored
    found = of_each(score, layers, x)
    right = {"l1": total(map(matrix_sum, found)), "entropy": total(map(entropy, found))}
    answers = {output: (value, SUMS * max(1.0, float(value))) for output, value in right.items()}
    given = make.network_given(layers, x)
    return case(name, "penalties", flags, given, answers, since=since, **options)


@topic("penalties", 5, "network_forward", "Liu et al. 2024, eqs. 2.17-2.20")
def penalties() -> Iterator[Case]:
    """Yield the cases of the paper's penalties, (C9) and (C10)."""
    for scored in scored_networks():
        yield penalties_case(scored, edge_scores_of, _entropy)


@topic("penalties_pykan", 5, "network_forward", "none of the paper: pykan 0.2")
def pykan_penalties() -> Iterator[Case]:
    """Yield the cases of another convention, (C11).

    An implementation that agrees computes pykan's penalties; one that does not agree is not wrong.
    """
    for name, _, layers, x, since in scored_networks():
        # N - 1 = 0 in a denominator; and zeros are zeros in every convention
        if len(x) > 1 and name != "dead-layer":
            scored, kind = (name, "PykanConvention", layers, x, since), "implementation-defined"
            yield penalties_case(scored, _strengths, _shared_entropy, kind=kind)


@topic("zero_edges", 5, "network_forward", "Liu et al. 2024, eqs. 2.17-2.20: sums of zeros")
def zero_edges() -> Iterator[Case]:
    """Yield the cases of penalties(layers, x) with all edges 0: both are 0 in every convention."""

    def without(seed: str, n: int) -> Layer:
        """Return a layer whose coefficients and base weights are 0."""
        zeros = {"w_base": make.filled(0.0, n, n), "coef": [[[0.0] * 7] * n] * n}
        return make.layer(seed, n, [EVEN] * n, **zeros, w_spline=make.filled(1.0, n, n))

    silent, flags = without("zero-c", 2), "ZeroEdge ZeroCoefficients"
    masked = make.layer("zero-m", 2, TWO, mask=make.filled(0.0, 2, 2))
    for name, flags_of, layers, seed, n in (
        ("no-coefficients", flags, [silent], "zero-c", 4),
        ("one-edge", flags, [without("zero-1", 1)], "zero-1", 3),
        ("masked-layer", "ZeroEdge MissingMask", [masked], "zero-m", 3),
        ("two-layers", flags, [silent, silent], "zero-2", 4),
        ("one-sample", f"BatchOfOne {flags}", [silent], "zero-n", 1),
    ):
        at = make.points(seed, n, exact.sizes(layers[0])[1])
        yield penalties_case((name, flags_of, layers, at, 1), edge_scores_of, _entropy)


def _entropy(scores: Matrix) -> Number:
    whole = matrix_sum(scores)
    shares = [score / whole for line in scores for score in line if whole]
    return -total(p * exact.context().log(p) for p in shares if p)


def _strengths(layer: Layer, x: Rows) -> Matrix:
    """Return A of (C11): standard deviations of the edges over those of their inputs plus 0.1."""
    inputs = [[exact.precise(value) for value in column] for column in transposed(x)]
    return [
        [
            _deviation(values) / (_deviation(column) + exact.context().mpf("0.1"))
            for values, column in zip(line, inputs, strict=True)
        ]
        for line in edge_values(layer, x)
    ]


def _deviation(values: Sequence[Number]) -> Number:
    """Return the standard deviation of values, with N - 1 in the denominator."""
    mean = total(values) / len(values)
    return exact.context().sqrt(total((v - mean) ** 2 for v in values) / (len(values) - 1))


def _shared_entropy(strengths: Matrix) -> Number:
    """Return the entropy of (C11)."""

    def of_lines(lines: Matrix) -> Number:
        ratios = [a / (total(line) + 1) for line in lines for a in line]
        log2 = (exact.context().log(p + exact.context().mpf("1e-4"), 2) for p in ratios)
        return -total(p * log for p, log in zip(ratios, log2, strict=True)) / len(lines)

    return of_lines(strengths) + of_lines(transposed(strengths))


# --- pruning


FAR = 1.25  # a score is at least this many times its threshold, or 1 / FAR of it


def kept_nodes(layers: Sequence[Layer], x: Rows, threshold: float) -> list[list[bool]]:
    """Return which nodes of each hidden layer (C12) keeps.

    Raises ValueError if a score is so close to the threshold that rounding could decide.
    """
    hidden = node_scores_of(layers, x)
    scores = [float(score) for sides in hidden for side in sides for score in side]
    near = [s for s in scores if threshold / FAR < s < threshold * FAR and s != threshold]
    if near:
        raise ValueError(f"scores {near} are too near the threshold {threshold}")
    return [[bool(min(pair) > threshold) for pair in zip(*sides, strict=True)] for sides in hidden]


def pruned_values(layers: Sequence[Layer], x: Rows, threshold: float) -> Matrix:
    """Return (C13) for a network with one hidden layer."""
    (first, last), (kept,) = layers, kept_nodes(layers, x, threshold)
    by_output = edge_values(last, flow([first], x)[-1])
    return [
        [
            total(
                values[b] if stays else total(values) / len(x)
                for values, stays in zip(line, kept, strict=True)
            )
            for line in by_output
        ]
        for b in range(len(x))
    ]


def prune_case(
    scored: Scored, threshold: float, output: str, right: Rows, kind: str = "required"
) -> Case:
    """Return the case of prune(layers, x, threshold) that counts nodes and compares outputs."""
    name, flags, layers, x, since = scored
    counts = [float(sum(line)) for line in kept_nodes(layers, x, threshold)]
    answers = {"kept": (counts, 0.5), output: (right, PRUNED * exact.network_bound(layers, x))}
    given = make.network_given(layers, x) | {"threshold": threshold}
    return case(name, "prune", flags, given, answers, since=since, kind=kind)


@topic("pruning", 7, "network_forward node_scores", "Liu et al. 2024, eq. 2.21")
def pruning() -> Iterator[Case]:
    """Yield the cases of prune(layers, x, threshold) -> layers.

    Only hidden nodes are removed: inputs, outputs and the edges of kept nodes stay.
    """
    for name, flags, layers, seed, since in unchanged_networks():
        threshold, at = 0.0 if name == "threshold-zero" else 2.0**-4, make.points(seed, 4, 2)
        unchanged = (name, flags, layers, at, since)
        yield prune_case(unchanged, threshold, "values", flow(layers, at)[-1])
    signs = [[1.0], [-1.0], [1.0], [-1.0]]
    for name, n_nodes, since in (("at", 3, 2), ("at-and-below", 4, 4)):
        name = f"scores-{name}-the-threshold"
        layers = equal_scores(n_nodes)
        equal = (name, "PruneEquality PruneRule", layers, signs, since)
        yield prune_case(equal, 0.25, "values", pruned_values(layers, signs, 0.25))
    kinds, low = "PruneEither PruneOneSided PruneRule", "PruneThreshold PruneRule"
    four, six, wide = mixed_nodes(4), mixed_nodes(6), [[-0.5], [0.25], [-3.0], [5.0]]
    rows: tuple[tuple[Scored, float], ...] = (
        (("inputs-outside-grid", "FadeOutside", weak_inside(), wide, 6), 0.25),
        (("four-kinds", kinds, four, make.points("prune-four", 6, 2), 1), 2.0**-2),
        (("six-kinds", kinds, six, make.points("prune-six", 6, 2), 1), 2.0**-3),
        (("low-threshold", low, four, make.points("prune-low", 6, 2), 1), 2.0**-12),
        (
            (
                "many-edges",
                "NodeScoreMax PruneRule",
                many_edges(),
                make.points("prune-many", 5, 4),
                1,
            ),
            1.25,
        ),
    )
    for scored, threshold in rows:
        name, _, layers, x, _ = scored
        right = pruned_values(layers, x, threshold)
        means = [total(column) / len(x) for column in transposed(right)]
        centred = [[y - mean for y, mean in zip(row, means, strict=True)] for row in right]
        yield prune_case(scored, threshold, "centred", centred)
        if not all(kept_nodes(layers, x, threshold)[0]):
            removed = (f"{name}-means", "PruneMean", layers, x, 1)
            yield prune_case(removed, threshold, "values", right, "acceptable")


def unchanged_networks() -> Iterator[tuple[str, str, list[Layer], str, int]]:
    """Yield (name, flags, layers, seed of x, since) whose weak nodes add exactly 0, if any."""
    keeps, rule = "PruneKeepsFunction", "PruneRule PruneKeepsFunction"
    wide, deep = (
        make.network("prune-wide", (2, 3, 1)),
        make.network("prune-deep", (2, 3, 2, 1), 3, 6.0),
    )
    yield "nothing-weak", keeps, wide, "prune-wide", 1
    cut = make.changed(wide, 1, mask=[[1.0, 0.0, 1.0]])
    yield "masked-way-out", f"PruneRule MissingMask {keeps}", cut, "prune-out", 1
    silent = make.changed(wide, 1, w_base=[[1.0, 0.0, -1.0]], w_spline=[[1.5, 0.0, 1.0]])
    yield "weightless-way-out", rule, silent, "prune-silent", 1
    unfed = make.network("prune-unfed", (2, 3, 1), base="zero")
    unfed[0]["mask"] = [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
    # 0 at the middle of the grid, where a node without inputs lies
    unfed[1]["coef"][0][1] = [2.0, -1.5, 0.0, 0.0, 0.0, 0.25, 1.0]
    yield "unfed-node", rule, unfed, "prune-unfed", 1
    deep[1]["mask"], deep[2]["mask"] = [[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], [[1.0, 0.0]]
    yield "two-hidden-layers", rule, deep, "prune-deep", 1
    own = make.network("prune-knots", (2, 3, 1))
    own[1] = make.twin(own[1]) | {"mask": [[1.0, 0.0, 1.0]]}
    yield "knots-of-their-own", f"{keeps} UnevenKnots", own, "prune-knots", 2
    # strong nodes, and one edge far below the threshold
    weights = {"w_base": [[1.5, 2.0**-9], [1.0, -1.5]], "w_spline": [[1.5, 2.0**-9], [-1.5, 1.0]]}
    weak = make.changed(make.network("prune-edge", (2, 2, 1)), 0, **weights)
    yield "edges-stay", f"PruneEdges {keeps}", weak, "prune-edge", 1
    yield "threshold-zero", "PruneThreshold PruneRule", cut, "prune-out", 4
    # the second output has edges of 0 alone, from a node without another
    weights = {"w_base": [[1.0, 0.0], [1.0, 0.0]], "w_spline": [[1.5, 0.0], [-0.5, 0.0]]}
    masked = {"mask": [[1.0, 1.0], [0.0, 1.0]], **weights}
    alone = make.changed(make.network("prune-cut", (2, 2, 2)), 1, **masked)
    yield "output-without-path", rule, alone, "prune-cut", 4
    other = [layer | {"base": "identity"} for layer in cut]
    yield "other-base", f"BaseName {keeps}", other, "prune-base", 4


def mixed_nodes(n_kinds: int) -> list[Layer]:
    """Return a network with two inputs, two outputs and `n_kinds` hidden nodes.

    Their (incoming, outgoing) scores are (large, large), (large, small), (small, large), (small,
    small), ...
    """
    sides = ((1.0, 1.0), (1.0, 0.01), (0.01, 1.0), (0.01, 0.01), (0.75, 1.25), (1.25, 0.75))
    incoming, outgoing = zip(*sides[:n_kinds], strict=True)
    first = make.layer("prune-first", n_kinds, TWO)
    last = make.layer("prune-last", 2, [make.uniform(-8.0, 8.0, 4, 3)] * n_kinds)
    for name in ("w_base", "w_spline"):
        first[name] = [
            [(0.5 + abs(w)) * size for w in line]
            for line, size in zip(first[name], incoming, strict=True)
        ]
        last[name] = [
            [(0.5 + abs(w)) * size for w, size in zip(line, outgoing, strict=True)]
            for line in last[name]
        ]
    return [first, last]


def many_edges() -> list[Layer]:
    """Return a network whose node 1 has four incoming edges, each below the threshold.

    Their sum is above it. Node 2 has one edge above the threshold and three edges of 0.
    """
    weights = {
        "coef": [[[1.0 + 0.25 * m for m in range(7)]] * 4] * 3,
        "w_base": make.filled(0.0, 3, 4),
        "w_spline": [[2.0] * 4, [0.5] * 4, [2.0, 0.0, 0.0, 0.0]],
    }
    after = {"w_base": make.filled(1.0, 2, 3), "w_spline": make.filled(2.0, 2, 3)}
    wide = [make.uniform(-8.0, 8.0, 4, 3)] * 3
    return [
        make.layer("many-first", 3, [EVEN] * 4, **weights),
        make.layer("many-last", 2, wide, **after),
    ]


def equal_scores(n_nodes: int) -> list[Layer]:
    """Return a network whose scores at inputs of size 1 are products of powers of two.

    With threshold 1/4, node 0 has an incoming score equal to it, node 1 an outgoing one, node 2 has
    both above it, and node 3 an incoming score of 1/8. Without node 3, who keeps all nodes gives
    the answer of the known defect. All edges are multiples of the identity, and have mean 0.
    """
    incoming, outgoing = [[0.25], [1.0], [0.5], [0.125]], [8.0, 0.25, 2.0, 4.0]
    layers = []
    for seed, n_in, weights in (("1", 1, incoming[:n_nodes]), ("2", n_nodes, [outgoing[:n_nodes]])):
        zeros = make.filled(0.0, len(weights), n_in)
        changes = {"coef": [[[0.0] * 7] * n_in] * len(weights), "w_base": weights}
        changes |= {"w_spline": zeros}
        layers.append(
            make.layer(f"equal-{seed}", len(weights), [EVEN] * n_in, **changes, base="identity")
        )
    return layers


def weak_inside() -> list[Layer]:
    """Return a network whose nodes score above 1/4 at inputs outside the grid.

    Node 1 would not if its inputs were clamped to the grid.
    """
    first = {"w_base": [[1.0], [0.25]], "w_spline": [[1.5], [0.0]]}
    return make.changed(make.network("prune-outside", (1, 2, 1)), 0, **first)
