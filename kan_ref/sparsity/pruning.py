"""Pruning: remove nodes and edges with small scores, and keep the mean of their contributions.

Liu et al. 2024, section 2.5.1, step "pruning", with the scores I, O of (P11) (their eq. 2.21):

    (P15)  a hidden node is kept if min(I, O) > threshold, an edge if its score > edge_threshold

Nodes that are then on no path of active edges from an input to an output are removed too
(`subnetwork`). The remaining nodes keep their mean on the batch: removing a constant
changes nothing, and removing anything else loses its variation only. All scores are those of the
network before pruning.

The scores I, O of the paper are magnitudes, which ignore the layers above: where a steep edge
amplifies a small node, its rule removes what the outputs need. The default scores measure how much
of the variation of the outputs a node causes, (P10).
"""

from collections.abc import Iterable, Sequence

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray, FloatArray
from kan_ref.network import Network, check_edge_index, check_layer_index, check_pairs
from kan_ref.sparsity.scores import check_samples, scores_by_edge, scores_by_node
from kan_ref.sparsity.subnetwork import (
    active_edges,
    intersect,
    keep_part,
    nodes_on_paths,
    strongest_paths,
)

MAGNITUDE = 1e-2  # the paper's threshold
VARIATION = 2e-2  # of an output's standard deviation; with 3e-2, errors of some % nearly double


@np.errstate(all="ignore")
def prune(
    network: Network,
    x: object,
    *,
    threshold: float | None = None,
    edge_threshold: float = 0.0,
    inputs: bool = False,
    kind: str = "attribution",
) -> Network:
    """Remove the hidden nodes and edges whose scores on a batch are not above a threshold.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least two samples; for `kind` "mean" one.
    threshold : float, optional
        At least 0. A hidden node is kept if its incoming and its outgoing score are above. The
        default is 1e-2, as in the paper. For "attribution", a mean over the outputs, it is 2e-2 /
        n_out: a node is kept if its shares of their standard deviations add up to more than 2 %.
    edge_threshold : float
        At least 0. An edge is kept if its score is above. 0 removes only edges with the score 0:
        for "mean" they are 0 on the whole batch, for "std" constant on it, and for "attribution"
        none of their variation reaches an output. The paper prunes nodes only; pykan takes 3e-2 for
        "attribution".
    inputs : bool
        Whether inputs whose outgoing score is not above `threshold` lose their edges too. The
        network still takes the same x; `remove_nodes` removes inputs entirely.
    kind : str
        "attribution", "mean" or "std", as in `edge_scores`. "mean" is the rule of the paper, eq.
        2.21: constants count too, and a node with small values is removed even where a steep edge
        amplifies it. The other two measure variation only, "attribution" that of the outputs.

    Returns
    -------
    pruned : Network
        Every hidden node lies on a path of active edges from an input to an output.
        `kan_ref.distance` measures the change. An output that depends on no input, or only through
        scores of 0, becomes the constant that it is on the batch. A layer gets further intervals
        where the kept mean needs them, (L23): samples leave the grids of all edges of an output.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range, a threshold cuts an output off ("threshold 0.5 leaves output
        0 without a path from any input; a threshold below 0.123 keeps one"), or no output would
        depend on an input.

    Notes
    -----
    Implements :eq:`prune`; the means are :eq:`kept-mean`. Costs about five forward passes.

    The paper prunes with `kind` "mean". Measured on networks [2, 5, 1] that learned exp(sin(pi x)
    + y^2) with penalty_weight 1e-2 and entropy_weight 2 (200 iterations of L-BFGS, 80 seeds):
    "mean" multiplies the error by 1.01 at the median and by up to 2.5, the default by 1.02 and by
    up to 1.35; 2.6 and 2.5 hidden nodes remain on average. See tutorials/07_sparsification.md,
    "pruning by attribution".
    """
    edge_threshold = checks.number("edge_threshold", edge_threshold, low=0.0)
    if not isinstance(inputs, bool):
        raise TypeError(f"inputs is {inputs!r}, but must be True or False")
    points = check_samples(network, x, kind)
    by_edge = scores_by_edge(network, points, kind)
    if threshold is None:
        threshold = VARIATION / network.widths[-1] if kind == "attribution" else MAGNITUDE
    threshold = checks.number("threshold", threshold, low=0.0)
    by_node = [record.least for record in scores_by_node(by_edge, kind)]
    for exempt in (-1,) if inputs else (0, -1):
        by_node[exempt] = np.full_like(by_node[exempt], np.inf)
    # [eq:prune]
    nodes = [scores > threshold for scores in by_node]
    kept = [scores > edge_threshold for scores in by_edge]
    # [/eq:prune]
    _check_thresholds(network, threshold, edge_threshold, by_node, by_edge)
    return keep_part(network, points, nodes, kept)


@np.errstate(all="ignore")
def remove_nodes(network: Network, x: object, layer: int, nodes: Sequence[int]) -> Network:
    """Remove nodes of one layer; the layer above keeps the mean of their contributions.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.
    layer : int
        The layer of nodes, from 0 (the inputs) to the last hidden one.
    nodes : sequence of int
        Nodes of that layer, from 0. If inputs are removed, the new network takes an x without these
        columns.

    Returns
    -------
    smaller : Network
        Hidden nodes that are no longer on a path from an input to an output are removed too.

    Raises
    ------
    IndexError, ValueError, TypeError
        If a node does not exist, or an output is cut off: "removing nodes [0] of layer 1 leaves
        output 0 without a path from any input".
    """
    points, layer_index = _check_samples_and_layer(network, x, layer)
    if isinstance(nodes, str) or not isinstance(nodes, Sequence | np.ndarray):
        raise TypeError(f"nodes is {nodes!r}, but must be a sequence of integers such as (0, 2)")
    try:
        chosen = sorted(
            {
                checks.integer("a node in nodes", node, low=0, high=network.widths[layer_index] - 1)
                for node in nodes
            }
        )
    except ValueError as error:
        raise IndexError(str(error)) from None
    return without_nodes(network, points, layer_index, chosen)


@np.errstate(all="ignore")
def remove_edges(
    network: Network, x: object, layer: int, places: Sequence[tuple[int, int]]
) -> Network:
    """Remove edges of one layer; their outputs keep the mean of their contributions.

    Parameters
    ----------
    network, x
        As in `remove_nodes`.
    layer : int
        The layer of edges, from 0.
    places : sequence of (output, input)
        Edges of that layer in the order of the paper's indices j, i, from 0.

    Returns
    -------
    smaller : Network
        As from `remove_nodes`.

    Raises
    ------
    IndexError, ValueError, TypeError
        If an edge does not exist or an output is cut off, as in `remove_nodes`.
    """
    points, layer_index = _check_samples_and_layer(network, x, layer)
    chosen = sorted(
        {check_edge_index(network, layer_index, j, i)[1:] for j, i in check_pairs("places", places)}
    )
    return without_edges(network, points, layer_index, chosen)


@np.errstate(all="ignore")
def without_nodes(
    network: Network, points: FloatArray, layer_index: int, nodes: Sequence[int]
) -> Network:
    """Remove nodes as `remove_nodes` does, with validated arguments."""
    stays, kept = _all_nodes(network), _all_edges(network)
    stays[layer_index][list(nodes)] = False
    _check_outputs(network, stays, kept, f"removing nodes {nodes} of layer {layer_index}")
    return keep_part(network, points, stays, kept, drop_inputs=True)


@np.errstate(all="ignore")
def without_edges(
    network: Network, points: FloatArray, layer_index: int, places: Sequence[tuple[int, int]]
) -> Network:
    """Remove edges as `remove_edges` does, with validated arguments."""
    stays, kept = _all_nodes(network), _all_edges(network)
    for j, i in places:
        kept[layer_index][j, i] = False
    _check_outputs(network, stays, kept, f"removing edges {places} of layer {layer_index}")
    return keep_part(network, points, stays, kept)


def _check_samples_and_layer(network: Network, x: object, layer: object) -> tuple[FloatArray, int]:
    """Return the samples and the number of the layer; raise for invalid ones."""
    points = check_samples(network, x)
    network(points)  # raises an error where a symbolic edge is undefined
    return points, check_layer_index(network, layer)


# --- outputs that are cut off


def _all_nodes(network: Network) -> list[BoolArray]:
    """Return flags that keep all nodes."""
    return [np.ones(width, dtype=bool) for width in network.widths]


def _all_edges(network: Network) -> list[BoolArray]:
    """Return flags that keep all edges."""
    return [np.ones(layer.mask.shape, dtype=bool) for layer in network.layers]


def _severed(network: Network, nodes: Sequence[BoolArray], kept: Sequence[BoolArray]) -> BoolArray:
    """Return which outputs (n_L,) had a path, but have none through these nodes and edges."""
    active = active_edges(network)
    before = nodes_on_paths(active, _all_nodes(network))[-1]
    return np.asarray(before & ~nodes_on_paths(intersect(active, kept), nodes)[-1])


def _named(severed: BoolArray) -> str:
    """Return the outputs in words, for a message."""
    numbers = np.flatnonzero(severed).tolist()
    return f"output {numbers[0]}" if len(numbers) == 1 else f"outputs {numbers}"


def _check_outputs(
    network: Network, nodes: Sequence[BoolArray], kept: Sequence[BoolArray], action: str
) -> None:
    """Raise ValueError if an output has no path through these nodes and edges any more."""
    severed = _severed(network, nodes, kept)
    if severed.any():
        raise ValueError(f"{action} leaves {_named(severed)} without a path from any input")


def _check_thresholds(
    network: Network,
    threshold: float,
    edge_threshold: float,
    by_node: Sequence[FloatArray],
    by_edge: Sequence[FloatArray],
) -> None:
    """Raise ValueError if an output is cut off that lower thresholds would keep.

    The message states a threshold that keeps it.
    """
    strengths = [
        np.where(active, scores, -np.inf)
        for active, scores in zip(active_edges(network), by_edge, strict=True)
    ]
    nodes = [scores > threshold for scores in by_node]
    kept = [scores > edge_threshold for scores in strengths]
    paths = strongest_paths(_all_or_nothing(scores > 0.0 for scores in strengths), by_node)
    severed = _severed(network, nodes, kept) & (paths > 0.0)
    if not severed.any():
        return

    def below(of_edges: Sequence[FloatArray], of_nodes: Sequence[FloatArray]) -> float:
        return float(strongest_paths(of_edges, of_nodes)[severed].min())

    by_nodes = below(_all_or_nothing(kept), by_node)
    by_edges = below(strengths, _all_or_nothing(nodes))
    if by_nodes > 0.0:
        advice = f"a threshold below {by_nodes:.6g}"
    elif by_edges > 0.0:
        advice = f"an edge_threshold below {by_edges:.6g}"
    else:
        by_both = float(paths[severed].min())
        by_edges = below(strengths, _all_or_nothing(scores >= by_both for scores in by_node))
        advice = f"a threshold below {by_both:.6g} with an edge_threshold below {by_edges:.6g}"
    used = (
        f"threshold {threshold:g}"
        if edge_threshold == 0.0
        else f"threshold {threshold:g} with edge_threshold {edge_threshold:g}"
    )
    raise ValueError(
        f"{used} leaves {_named(severed)} without a path from any input; {advice} keeps one"
    )


def _all_or_nothing(flags: Iterable[BoolArray]) -> list[FloatArray]:
    """Return strengths for (P13): inf where a flag is True, else -inf."""
    return [np.where(flag, np.inf, -np.inf) for flag in flags]
