"""The smallest network that the data ask for: nodes and edges go one by one, as long as the refined error allows.

Greedy backward elimination, as for regressors (Draper & Smith, Applied Regression Analysis, 3rd ed., section 15.2), with two twists.

    (G3)  the next to go is the node (then the edge) whose removal, its mean left behind, changes the outputs least on the samples
    (G5)  of all structures on the way to the smallest one the smallest is taken whose refined error is allowed (`structure`)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kan_ref.checks import FloatArray, check_generator, check_integer, check_number
from kan_ref.data import DataLike, check_data
from kan_ref.discovery.simplification import simplify
from kan_ref.discovery.trials import LADDER, Search, Trial, set_aside
from kan_ref.network import Network, check_network, network_values
from kan_ref.sparsity import remove_edges, remove_nodes
from kan_ref.training import run_starts

HOPELESS = 50.0  # a removal that raises the coarse error by more than this is not refined


@dataclass(frozen=True, eq=False)
class Elimination:
    """The smallest structure that the error allows.

    `network`: refined, trained on the samples that were not set aside; `validation_rmse` on those that were; `least_rmse`: the best of
    all structures; `steps`: what was tried, in order.
    """

    network: Network
    validation_rmse: float
    least_rmse: float
    steps: tuple[Trial, ...] = field(repr=False)

    def __repr__(self) -> str:
        return f"Elimination({self.network!r}, validation_rmse {self.validation_rmse:.2e}, {len(self.steps)} structures tried)"


def eliminate(
    network: Network,
    data: DataLike,
    *,
    allowed: float = 1.5,
    edges: bool = True,
    simple: bool = False,
    n_steps: int = 30,
    grids: Sequence[int] = LADDER,
    smoothness_weight: float = 1e-8,
    rng: np.random.Generator | None = None,
    callback: Callable[[Trial], None] | None = None,
) -> Elimination:
    """A network without the nodes and edges that the data do not ask for.

    Parameters
    ----------
    network : Network
        Wide enough; trained or not. Left as it is.
    data : record with x_train, y_train, x_test, y_test
        Test data are not looked at.
    allowed : float
        At least 1: how many times the least validation error the chosen structure may have.
    edges : bool
        Whether edges go too, once the nodes are decided.
    simple : bool
        Whether whole layers may become formulas, lines or squares, where the error allows; needs `rng`.
    n_steps : int
        Levenberg-Marquardt steps on every grid, at least 1.
    grids : sequence of int
        Rising numbers of intervals on which a structure is refined; the first is the one on which nodes are removed.
    smoothness_weight : float
        As in `fit`.
    rng : numpy.random.Generator, optional
        With it every width is also tried from fresh starts: a pruned network may sit in the wrong valley.
    callback : callable, optional
        Called with every `Trial` as it is done.

    Returns
    -------
    elimination : Elimination

    Raises
    ------
    ValueError, TypeError
        "allowed is 0.5, but must be at least 1"; for data, what `fit` refuses.
    KeyboardInterrupt
        Passed on.

    Notes
    -----
    Each structure costs some ten to a hundred Levenberg-Marquardt steps; seconds for two to four inputs and 1000 samples.
    """
    check_network("network", network)
    checked = check_data(data)
    allowed = check_number("allowed", allowed, low=1.0)
    search = Search(
        set_aside(checked),
        check_integer("n_steps", n_steps, low=1),
        tuple(check_integer("a number of grids", count, low=1) for count in grids),
        check_number("smoothness_weight", smoothness_weight, low=0.0),
        None if rng is None else check_generator("rng", rng),
        callback or (lambda trial: None),
    )
    if not search.ladder or list(search.ladder) != sorted(set(search.ladder)):
        raise ValueError(
            f"grids is {tuple(grids)}, but must be rising numbers of intervals, at least one"
        )
    for name, flag in {"edges": edges, "simple": simple}.items():
        if not isinstance(flag, bool):
            raise TypeError(f"{name} is {flag!r}, but must be True or False")
    if simple and rng is None:
        raise ValueError(
            "simple is True, but layers are made simple from random starts, which need rng"
        )
    path = remove_all_nodes(search, network)
    chosen, coarse = choose(path, allowed)
    steps = [trial for trial, _ in path]
    if edges:
        chosen, more = remove_spare_edges(search, chosen, coarse, allowed)
        steps += more
    if simple:
        chosen, more = simplify(search, chosen, allowed)
        steps += more
    least = min(trial.validation_rmse for trial in steps)
    return Elimination(chosen.network, chosen.validation_rmse, least, tuple(steps))


def choose(path: Sequence[tuple[Trial, Network]], allowed: float) -> tuple[Trial, Network]:
    """(G5): the last, smallest structure of the path whose error is allowed."""
    least = min(trial.validation_rmse for trial, _ in path)
    return [found for found in path if found[0].allowed_by(least, allowed)][-1]


def remove_all_nodes(search: Search, network: Network) -> list[tuple[Trial, Network]]:
    """Every structure from the network to one hidden node a layer, refined, with its coarse network."""
    coarse, path = network, []
    what = "as it is"
    while True:
        coarse, error = search.trained(coarse, search.ladder[0])
        coarse = _fresh_if_better(search, coarse, error)
        trial = search.refined(what, coarse)
        search.report(trial)
        path.append((trial, coarse))
        weakest = _weakest_node(coarse, search.data.x_train)
        if weakest is None:
            return path
        what = f"without node {weakest[1]} of layer {weakest[0]}"
        coarse = remove_nodes(coarse, search.data.x_train, weakest[0], [weakest[1]])


def _fresh_if_better(search: Search, coarse: Network, error: float) -> Network:
    """The best of some fresh starts of this width, if it beats a network that has lost nodes."""
    if search.rng is None or any((layer.mask == 0.0).any() for layer in coarse.layers):
        return coarse
    first = coarse.layers[0]
    domain = first.breakpoints[:, [0, -1]]
    starts = run_starts(
        coarse.widths,
        search.data,
        n_starts=4,
        n_intervals=3 if first.n_intervals <= search.ladder[0] else first.n_intervals,
        degree=first.degree,
        domain=domain,
        base=first.base,
        n_steps=search.n_steps,
        smoothness_weight=search.smoothness_weight,
        rng=search.rng,
    )
    fresh, new = search.trained(starts.network, search.ladder[0])
    return fresh if new < error else coarse


def _apart(old: FloatArray, network: Network, x: FloatArray) -> float:
    return float(np.sqrt(np.mean((network_values(network, x) - old) ** 2)))


def _weakest_node(network: Network, x: FloatArray) -> tuple[int, int] | None:
    """(G3): layer of nodes and number of the hidden node that can best be spared; None where each hidden layer has one."""
    old, best, found = network(x), np.inf, None
    for layer, width in enumerate(network.widths[:-1]):
        for node in range(width if layer and width > 1 else 0):
            apart = _apart(old, remove_nodes(network, x, layer, [node]), x)
            if apart < best:
                best, found = apart, (layer, node)
    return found


def remove_spare_edges(
    search: Search, chosen: Trial, coarse: Network, allowed: float
) -> tuple[Trial, list[Trial]]:
    """Edges gone one by one, the least missed first, as long as the refined error stays allowed."""
    steps: list[Trial] = []
    least = chosen.validation_rmse
    coarse_error = search.error(coarse)
    needed: set[tuple[float, ...]] = set()
    while True:
        candidates = _spare_edges(coarse, search.data.x_train)
        for _, layer, edge, smaller in candidates:
            mark = (layer, *edge, *coarse.widths)
            if mark in needed:
                continue
            trained, error = search.trained(smaller, search.ladder[0])
            if error > HOPELESS * coarse_error:
                needed.add(mark)
                continue
            trial = search.refined(
                f"without the edge from {edge[1]} to {edge[0]} of layer {layer}", trained
            )
            kept = trial.allowed_by(least, allowed)
            trial = replace(trial, kept=kept)
            search.report(trial)
            steps.append(trial)
            if kept:
                chosen, coarse = trial, trained
                break
            needed.add(mark)
        else:
            return chosen, steps


def _spare_edges(
    network: Network, x: FloatArray
) -> list[tuple[float, int, tuple[int, int], Network]]:
    """The network without each of its edges that does not cut an output off, the smallest change first."""
    old, found = network(x), []
    for layer_index, layer in enumerate(network.layers):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            if _needed(network, layer_index, j, i):
                continue
            smaller = remove_edges(network, x, layer_index, [(j, i)])
            found.append((_apart(old, smaller, x), layer_index, (j, i), smaller))
    return sorted(found, key=lambda entry: entry[0])


def _needed(network: Network, layer_index: int, j: int, i: int) -> bool:
    """Whether an edge is its target's only input or its hidden source's only output: nodes are decided before."""
    mask = network.layers[layer_index].mask
    return bool(mask[j].sum() <= 1.0 or (layer_index > 0 and mask[:, i].sum() <= 1.0))
