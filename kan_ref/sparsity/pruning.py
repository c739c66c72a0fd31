"""Pruning: remove nodes and edges with small scores, and keep their mean.

Liu et al. 2024, section 2.5.1, step "pruning", with the scores I, O of (P11) (their eq.
2.21):

    (P15)  a hidden node is kept if min(I, O) > threshold,
           an edge if its score > edge_threshold

Nodes that are then on no path of active edges from an input to an output are removed
too (`subnetwork`). The remaining nodes keep their mean on the batch: removing a
constant changes nothing, and removing anything else loses its variation only. All
scores are those of the network before pruning.

The scores I, O of the paper are magnitudes, which ignore the layers above: where a
steep edge amplifies a small node, its rule removes what the outputs need. The default
scores measure how much of the variation of the outputs a node causes, (P10).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import BoolArray
from kan_ref.network import Network
from kan_ref.sparsity.scores import check_samples, scores_by_edge, scores_by_node
from kan_ref.sparsity.subnetwork import (
    active_edges,
    keep_part,
    nodes_on_paths,
)

MAGNITUDE = 1e-2  # the paper's threshold
# of an output's standard deviation; with 3e-2, errors of some % nearly double
VARIATION = 2e-2


def prune(
    network: Network,
    x: object,
    *,
    threshold: float | None = None,
    edge_threshold: float = 0.0,
    inputs: bool = False,
    kind: str = "attribution",
) -> Network:
    """Remove hidden nodes and edges with scores on a batch not above a threshold.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least two samples; for `kind` "mean" one.
    threshold : float, optional
        At least 0. A hidden node is kept if its incoming and outgoing scores are above
        it. The default is 1e-2, as in the paper. For "attribution", a mean over the
        outputs, it is 2e-2 / n_out: a node is kept if its shares of their standard
        deviations add up to more than 2 %.
    edge_threshold : float
        At least 0. An edge is kept if its score is above. 0 removes only edges with the
        score 0. The paper prunes nodes only; pykan takes 3e-2 for "attribution".
    inputs : bool
        Whether inputs whose outgoing score is not above `threshold` lose their edges
        too. The network still takes the same x; `remove` removes inputs entirely.
    kind : str
        "attribution", "mean" or "std", as in `edge_scores`. "mean" is the rule of the
        paper, eq. 2.21: constants count too, and a node with small values is removed
        even where a steep edge amplifies it. The other two measure variation only,
        "attribution" that of the outputs.

    Returns
    -------
    pruned : Network
        Every hidden node lies on a path of active edges from an input to an output.
        `kan_ref.distance` measures the change. An output that depends on no input, or
        only through scores of 0, becomes the constant that it is on the batch. A
        threshold that cuts an output off is an error. Implements :eq:`prune`; the means
        are :eq:`kept-mean`. Measurements of the two rules are in
        tutorials/07_sparsification.md, "pruning by attribution".

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> network = kr.init_network((2, 3, 1), **grid, rng=rng)
    >>> prune(network, rng.uniform(-1.0, 1.0, (50, 2)), threshold=0.5).widths
    (2, 1, 1)
    """
    edge_threshold = checks.number("edge_threshold", edge_threshold, low=0.0)
    inputs = checks.flag("inputs", inputs)
    points = check_samples(network, x, kind)
    by_edge = scores_by_edge(network, points, kind)
    if threshold is None:
        threshold = MAGNITUDE
        if kind == "attribution":
            threshold = VARIATION / network.widths[-1]
    threshold = checks.number("threshold", threshold, low=0.0)

    by_node = [record.least for record in scores_by_node(by_edge, kind)]
    by_node[-1] += np.inf  # outputs stay
    if not inputs:
        by_node[0] += np.inf
    # [eq:prune]
    nodes = [scores > threshold for scores in by_node]
    kept = [scores > edge_threshold for scores in by_edge]
    # [/eq:prune]

    # outputs that depend on an input must keep a path
    matter = active_edges(network)
    for active, scores in zip(matter, by_edge, strict=True):
        active &= scores > 0.0
    *_, outputs = nodes_on_paths(matter, [scores > 0.0 for scores in by_node])
    given = f"threshold is {threshold:g} and edge_threshold {edge_threshold:g}"
    return keep_part(network, points, nodes, kept, outputs, f"{given}, but this")


def remove(
    network: Network,
    x: object,
    *,
    nodes: Mapping[int, Sequence[int]] | None = None,
    edges: Mapping[int, Sequence[tuple[int, int]]] | None = None,
) -> Network:
    """Remove nodes and edges; the nodes above keep the mean of their contributions.

    Parameters
    ----------
    network : Network
    x : (batch, n_in)
        At least one sample.
    nodes : dict of sequences of int, optional
        Layer of nodes, from 0 (the inputs) to the last hidden one -> nodes of that
        layer, from 0. If inputs are removed, the new network takes an x without these
        columns.
    edges : dict of sequences of (output, input), optional
        Layer of edges, from 0 -> edges in the order of the paper's indices j, i, from
        0.

    Returns
    -------
    smaller : Network
        Hidden nodes that are no longer on a path from an input to an output are removed
        too. An output that is cut off is an error.

    Examples
    --------
    >>> import kan_ref as kr
    >>> rng = np.random.default_rng(0)
    >>> grid = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)}
    >>> network = kr.init_network((2, 3, 1), **grid, rng=rng)
    >>> x = rng.uniform(-1.0, 1.0, (50, 2))
    >>> remove(network, x, nodes={1: [0]}, edges={0: [(1, 0), (2, 1)]}).widths
    (2, 2, 1)
    """
    points = check_samples(network, x)
    network(points)  # an error where a symbolic edge is undefined
    stays = [np.ones(width, dtype=bool) for width in network.widths]
    active = active_edges(network)
    kept = list(map(np.ones_like, active))
    *_, outputs = nodes_on_paths(active, stays)
    for layer_index, node in _places("nodes", nodes, stays[:-1]):
        stays[layer_index][node] = False
    for layer_index, edge in _places("edges", edges, kept):
        kept[layer_index][edge] = False
    action = f"nodes is {checks.shown(nodes)} and edges {checks.shown(edges)}, but this"
    return keep_part(network, points, stays, kept, outputs, action, drop_inputs=True)


def _places(
    name: str, value: Any, flags: Sequence[BoolArray]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield (layer, index of its flags) of each place in a dict layer -> places."""
    by_layer = checks.instance(name, value or {}, dict, "a dict of layers")
    for layer, places in by_layer.items():
        at = checks.integer(f"a layer in {name}", layer, 0, len(flags) - 1)
        here = f"{name}[{at}]"
        if not np.iterable(places):
            checks.fail(here, places, "must be a sequence of them", TypeError)
        shape = flags[at].shape
        for place in places:
            index = (place,) if len(shape) == 1 else place
            if np.shape(index) != (len(shape),):
                checks.fail(here, places, "must be pairs (output, input)", TypeError)
            found = []
            for n, size in zip(index, shape, strict=True):
                found.append(checks.integer(here, n, 0, size - 1))
            yield at, tuple(found)
