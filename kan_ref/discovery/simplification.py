"""Remove edges, and replace all edges of one layer by lines or squares, where the error allows it.

Edges, splines and symbolic ones, are removed one at a time, the one first whose removal changes
the outputs least, (D3).

A hidden layer with one node determines its curves up to a scale and a constant: no other u and v
than those give f(u(x) + v(y)). With two or more nodes, parts of the curves can be exchanged
between nodes without a change of the function, and the curves that training finds need not be
simple. Two identities say which simple form to look for:

    (D5)  ridge functions     f(x) = sum_j f_j(a_j . x)              lines into the hidden layer
    (D6)  quarter squares     u v = ((u + v)^2 - (u - v)^2) / 4      squares out of it

Each form is trained from random initializations, refined, and kept where it is acceptable beside
the network without it (`trials`).
"""

from dataclasses import replace

import numpy as np

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.discovery.trials import ArchitectureTrial, Search
from kan_ref.functions import lookup
from kan_ref.network import Layer, Network, SymbolicEdge, init_network, network_values
from kan_ref.sparsity import active_edges, remove

HOPELESS = 50.0  # a removal that raises the coarse error by a larger factor is not refined
N_STARTS = 8  # random initializations of each architecture
N_INTERVALS = 3  # of their first grid
SpareEdge = tuple[float, int, tuple[int, int], Network]  # change, layer, (j, i), without the edge


def output_change(old: FloatArray, network: Network, x: FloatArray) -> float:
    """Return the root mean square change of the outputs `old` at x."""
    return float(np.sqrt(np.mean((network_values(network, x) - old) ** 2)))


def remove_spare_edges(
    search: Search, chosen: ArchitectureTrial, coarse: Network
) -> tuple[ArchitectureTrial, list[ArchitectureTrial]]:
    """Remove edges one at a time, the smallest change first, while that is acceptable."""
    steps: list[ArchitectureTrial] = []
    reference = chosen
    coarse_error = search.error(coarse)
    needed: set[tuple[float, ...]] = set()
    while not search.is_late:
        for _, layer_index, edge, smaller in _spare_edges(coarse, search.data.x_train):
            mark = (layer_index, *edge, *coarse.widths)
            if mark in needed or search.is_late:
                continue
            trained, error = search.trained(smaller, search.ladder[0])
            if error > HOPELESS * coarse_error:
                needed.add(mark)
                continue
            what = f"without the edge from {edge[1]} to {edge[0]} of layer {layer_index}"
            trial = search.refined(what, trained)
            trial = replace(trial, kept=search.rule.accepts(trial, reference))
            search.report(trial)
            steps.append(trial)
            if trial.kept:
                chosen, coarse = trial, trained
                reference = search.rule.reference(reference, trial)
                break
            needed.add(mark)
        else:
            break
    return chosen, steps


def _spare_edges(network: Network, x: FloatArray) -> list[SpareEdge]:
    """Return the networks without one edge that can be spared, the smallest change first."""
    old, found = network(x), []
    for layer_index, active in enumerate(active_edges(network)):
        for j, i in np.argwhere(active).tolist():
            if _needed(active, j, i, is_first=layer_index == 0):
                continue
            try:
                smaller = remove(network, x, edges={layer_index: [(j, i)]})
            except ValueError:  # as for a node
                continue
            found.append((output_change(old, smaller, x), layer_index, (j, i), smaller))
    return sorted(found, key=lambda entry: entry[0])


def _needed(active: BoolArray, j: int, i: int, *, is_first: bool) -> bool:
    """Return whether an edge is the only one into its output or out of its hidden input."""
    return bool(active[j].sum() <= 1 or (not is_first and active[:, i].sum() <= 1))


def simplify(
    search: Search, chosen: ArchitectureTrial
) -> tuple[ArchitectureTrial, list[ArchitectureTrial]]:
    """Replace the edges of whole layers by lines or squares where that is acceptable.

    Return the architecture that was reached, and all trials.
    """
    steps: list[ArchitectureTrial] = []
    if search.rng is None:
        return chosen, steps
    reference = chosen
    for below, width in enumerate(chosen.network.widths[1:-1]):
        for layer_index, name in ((below, "x"), (below + 1, "x^2")):
            is_symbolic = not chosen.network.layers[layer_index].mask.any()
            if width < 2 or is_symbolic or search.is_late:
                continue
            what = f"all edges of layer {layer_index} {name!r}"
            trial = search.refined(what, _best_start(search, chosen.network, layer_index, name))
            trial = replace(trial, kept=search.rule.accepts(trial, reference))
            search.report(trial)
            steps.append(trial)
            if trial.kept:
                chosen, reference = trial, search.rule.reference(reference, trial)
    return chosen, steps


def _best_start(search: Search, old: Network, layer_index: int, name: str) -> Network:
    """Return the best of some random initializations with one function on a whole layer."""
    assert search.rng is not None
    found = []
    for _ in range(N_STARTS):
        network, error = search.trained(
            _random(search.rng, old, layer_index, name), search.ladder[0]
        )
        found.append((error, network))
    return min(found, key=lambda pair: pair[0])[1]


def _random(rng: np.random.Generator, old: Network, layer_index: int, name: str) -> Network:
    """Draw a new network with the edges of `old`; those of one layer have the function `name`."""
    first = old.layers[0]
    fresh = init_network(
        old.widths,
        n_intervals=N_INTERVALS,
        degree=first.degree,
        domain=first.breakpoints[:, [0, -1]],
        base=first.base,
        rng=rng,
    )
    layers: list[Layer] = []
    for number, (new, kept) in enumerate(zip(fresh.layers, old.layers, strict=True)):
        mask, edges, affine = kept.mask, kept.symbolic, kept.affine
        if number == layer_index:
            places = [(edge.output, edge.input) for edge in kept.symbolic]
            places += [(j, i) for j, i in np.argwhere(kept.mask == 1.0).tolist()]
            edges = tuple(
                SymbolicEdge(j, i, lookup(name), row) for row, (j, i) in enumerate(places)
            )
            mask, affine = np.zeros_like(kept.mask), np.zeros((len(edges), 4))
            affine[:, 0], affine[:, 2] = 1.0, rng.normal(size=len(edges))
        layers.append(replace(new, mask=mask, symbolic=edges, affine=affine))
    return Network(tuple(layers))
