"""Smaller networks: nodes and edges that hardly matter go, and leave their mean behind.

Liu et al. 2024, section 2.5.1, step "pruning": with the scores I, O of `scores` (their eq. 2.21)

    (P1)  a hidden node stays if min(I, O) > threshold, an edge if its score > edge_threshold

and what then lies on no path of living edges from an input to an output goes too (`paths`). What remains gives every node its mean
on the batch back (`subnetwork`): what is constant there goes without a trace, of anything else the variation is lost and nothing more.
All scores are those of the network before.

The paper takes magnitudes for I and O, which do not tell what becomes of them: where a steep edge makes much of a small node, its rule
takes away what the outputs need. The default takes what the outputs owe a node, (S3) of `scores`.
"""

from collections.abc import Sequence

import numpy as np

from kan_ref.checks import BoolArray, FloatArray, check_integer, check_number
from kan_ref.network import Network, check_edge_index, check_inputs, check_layer_index, check_pairs
from kan_ref.sparsity.paths import active_edges, both, nodes_on_paths, strongest_paths
from kan_ref.sparsity.scores import collect_nodes, edge_scores
from kan_ref.sparsity.subnetwork import keep_part

MAGNITUDE = 1e-2  # the paper's threshold
SHARE = (
    2e-2  # of the spread of an output; from 3e-2 on, errors of a few percent of it nearly double
)


def prune(
    network: Network,
    x: object,
    *,
    threshold: float | None = None,
    edge_threshold: float = 0.0,
    inputs: bool = False,
    kind: str = "attribution",
) -> Network:
    """A smaller network, without the hidden nodes and edges that hardly matter on a batch.

    Parameters
    ----------
    network : Network
        Left as it is.
    x : (batch, n_in)
        At least two samples; for `kind` "mean" one.
    threshold : float, optional
        At least 0. A hidden node stays if its incoming and its outgoing score are above. Without it 1e-2, as in the paper, and for
        "attribution", a mean over the outputs, 2e-2 / n_out: what carries more than 2 % of the spread of any output stays.
    edge_threshold : float
        At least 0. An edge stays if its score is above; 0 removes only what is 0 on the whole batch. The paper prunes nodes alone;
        pykan takes 3e-2 for "attribution".
    inputs : bool
        Whether inputs whose outgoing score is not above `threshold` lose their edges too. They keep their place, so that the network
        takes the same x; `remove_nodes` takes them away for good.
    kind : str
        "attribution", "mean" or "std", as in `edge_scores`. "mean" is the paper's rule, eq. 2.21: a constant counts like everything
        else, and a node that receives little goes even where a steep edge makes much of it. The other two see only what varies, and
        "attribution" all the way to the outputs.

    Returns
    -------
    pruned : Network
        Every hidden node lies on a path of living edges from an input to an output. `kan_ref.distance` tells what has changed.
        An output that depends on no input, or by scores of 0 alone, stays as the constant that it is.

    Raises
    ------
    ValueError, TypeError
        "threshold 0.5 leaves output 0 without a path from any input; a threshold below 0.123 keeps one". Also where no output would
        depend on an input.

    Notes
    -----
    Implements :eq:`prune`; the means are :eq:`kept-mean`. About five forward passes.

    The paper prunes with `kind` "mean". On networks [2, 5, 1] that learned exp(sin(pi x) + y^2) with penalty_weight 1e-2 and
    entropy_weight 2 (200 iterations of L-BFGS, 80 seeds) that multiplies the error by 1.01 at the median and by up to 2.5, the default
    by 1.02 and by up to 1.35. The hidden nodes that are left are 2.6 and 2.5 on average.
    See tutorials/07_sparsification.md, "pruning by attribution".
    """
    edge_threshold = check_number("edge_threshold", edge_threshold, low=0.0)
    if not isinstance(inputs, bool):
        raise TypeError(f"inputs is {inputs!r}, but must be True or False")
    by_edge = edge_scores(network, x, kind=kind)
    if threshold is None:
        threshold = SHARE / network.widths[-1] if kind == "attribution" else MAGNITUDE
    threshold = check_number("threshold", threshold, low=0.0)
    by_node = [record.least for record in collect_nodes(by_edge, kind)]
    exempt = (-1,) if inputs else (0, -1)
    for place in exempt:
        by_node[place] = np.full_like(by_node[place], np.inf)
    # [eq:prune]
    nodes = [scores > threshold for scores in by_node]
    kept = [scores > edge_threshold for scores in by_edge]
    # [/eq:prune]
    _refuse_thresholds(network, threshold, edge_threshold, by_node, by_edge)
    return keep_part(network, check_inputs(network, x), nodes, kept)


def remove_nodes(network: Network, x: object, layer: int, nodes: Sequence[int]) -> Network:
    """A network without some nodes of one layer, which leave their mean behind.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample; with all inputs of `network`.
    layer : int
        A layer of nodes from 0, the inputs, to the last hidden one; `network.widths[layer]` nodes.
    nodes : sequence of int
        Which, from 0. Removed inputs are gone: the new network takes an x without these columns.

    Returns
    -------
    smaller : Network
        Hidden nodes that lie on no path any more are gone too.

    Raises
    ------
    IndexError, ValueError, TypeError
        "removing nodes [0] of layer 1 leaves output 0 without a path from any input"
    """
    points, layer_index, wanted, kept = _whole(network, x, layer)
    if isinstance(nodes, str) or not isinstance(nodes, Sequence | np.ndarray):
        raise TypeError(f"nodes is {nodes!r}, but must be a sequence of integers such as (0, 2)")
    try:
        chosen = sorted(
            {
                check_integer("a node in nodes", node, low=0, high=network.widths[layer_index] - 1)
                for node in nodes
            }
        )
    except ValueError as error:
        raise IndexError(str(error)) from None
    wanted[layer_index][chosen] = False
    _refuse_severing(network, wanted, kept, f"removing nodes {chosen} of layer {layer_index}")
    return keep_part(network, points, wanted, kept, drop_inputs=True)


def remove_edges(
    network: Network, x: object, layer: int, places: Sequence[tuple[int, int]]
) -> Network:
    """A network without some edges of one layer, which leave their mean behind.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.
    layer : int
        Which layer of edges, from 0.
    places : sequence of (output, input)
        Which, in the order of the paper's indices j, i, from 0.

    Returns
    -------
    smaller : Network
        Hidden nodes that lie on no path any more are gone too.

    Raises
    ------
    IndexError, ValueError, TypeError
        "removing edges [(0, 1)] of layer 0 leaves output 0 without a path from any input"
    """
    points, layer_index, wanted, kept = _whole(network, x, layer)
    chosen = sorted(
        {check_edge_index(network, layer_index, j, i)[1:] for j, i in check_pairs("places", places)}
    )
    for j, i in chosen:
        kept[layer_index][j, i] = False
    _refuse_severing(network, wanted, kept, f"removing edges {chosen} of layer {layer_index}")
    return keep_part(network, points, wanted, kept)


def _whole(
    network: Network, x: object, layer: object
) -> tuple[FloatArray, int, list[BoolArray], list[BoolArray]]:
    """The samples and the layer's number, checked, and flags by which all nodes and all edges stay."""
    points = check_inputs(network, x)
    if len(points) == 0:
        raise ValueError(f"x has shape {points.shape}, but a mean over samples needs at least one")
    network(points)  # refuses points at which a formula is not defined
    return (
        points,
        check_layer_index(network, layer),
        _all_nodes(network),
        [np.ones(one.mask.shape, dtype=bool) for one in network.layers],
    )


# --- what stays


def _all_nodes(network: Network) -> list[BoolArray]:
    return [np.ones(width, dtype=bool) for width in network.widths]


def _severed(network: Network, nodes: Sequence[BoolArray], kept: Sequence[BoolArray]) -> BoolArray:
    """Which outputs (n_L,) had a path, and have none through these nodes and edges."""
    living = active_edges(network)
    before = nodes_on_paths(living, _all_nodes(network))[-1]
    return np.asarray(before & ~nodes_on_paths(both(living, kept), nodes)[-1])


def _named(severed: BoolArray) -> str:
    numbers = np.flatnonzero(severed).tolist()
    return f"output {numbers[0]}" if len(numbers) == 1 else f"outputs {numbers}"


def _refuse_severing(
    network: Network, nodes: Sequence[BoolArray], kept: Sequence[BoolArray], action: str
) -> None:
    severed = _severed(network, nodes, kept)
    if severed.any():
        raise ValueError(f"{action} leaves {_named(severed)} without a path from any input")


def _refuse_thresholds(
    network: Network,
    threshold: float,
    edge_threshold: float,
    by_node: Sequence[FloatArray],
    by_edge: Sequence[FloatArray],
) -> None:
    """ValueError where thresholds sever an output that lower ones would not, with the threshold that keeps it."""
    alive = [
        np.where(living, scores, -np.inf)
        for living, scores in zip(active_edges(network), by_edge, strict=True)
    ]
    nodes, kept = (
        [scores > threshold for scores in by_node],
        [scores > edge_threshold for scores in alive],
    )
    paths = strongest_paths([np.where(scores > 0.0, np.inf, -np.inf) for scores in alive], by_node)
    severed = _severed(network, nodes, kept) & (paths > 0.0)
    if not severed.any():
        return

    def below(of_edges: Sequence[FloatArray], of_nodes: Sequence[FloatArray]) -> float:
        return float(strongest_paths(of_edges, of_nodes)[severed].min())

    by_nodes = below([np.where(flags, np.inf, -np.inf) for flags in kept], by_node)
    by_edges = below(alive, [np.where(flags, np.inf, -np.inf) for flags in nodes])
    if by_nodes > 0.0:
        advice = f"a threshold below {by_nodes:.6g}"
    elif by_edges > 0.0:
        advice = f"an edge_threshold below {by_edges:.6g}"
    else:
        by_both = float(paths[severed].min())
        by_edges = below(
            alive, [np.where(scores >= by_both, np.inf, -np.inf) for scores in by_node]
        )
        advice = f"a threshold below {by_both:.6g} with an edge_threshold below {by_edges:.6g}"
    used = (
        f"threshold {threshold:g}"
        if edge_threshold == 0.0
        else f"threshold {threshold:g} with edge_threshold {edge_threshold:g}"
    )
    raise ValueError(
        f"{used} leaves {_named(severed)} without a path from any input; {advice} keeps one"
    )
