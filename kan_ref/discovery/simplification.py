"""One layer made simple: all its edges lines, or all its edges squares, where the refined error allows it.

A hidden layer of one node gives its curves away up to a scale and a constant: f(u(x) + v(y)) has no other u and v. With two nodes
and more, curves can be traded between them without a change of the function, and what training finds need not be what anyone would
write down. Two identities say which simple form to look for:

    (Q1)  ridge functions     f(x) = sum_j f_j(a_j . x)                 lines into the hidden layer
    (Q2)  quarter squares     u v = ((u + v)^2 - (u - v)^2) / 4         squares out of it

Each is tried from random starts, refined, and kept where (G6) of `structure` allows it.
"""

from dataclasses import replace

import numpy as np

from kan_ref.discovery.trials import Search, Trial
from kan_ref.functions import lookup
from kan_ref.network import Layer, Network, SymbolicEdge, init_network

N_STARTS = 8


def simplify(search: Search, chosen: Trial, allowed: float) -> tuple[Trial, list[Trial]]:
    """The structure with layers of lines and squares, as far as the error allows; what was tried."""
    steps: list[Trial] = []
    if search.rng is None:
        return chosen, steps
    least = chosen.validation_rmse
    for number, width in enumerate(chosen.network.widths[1:-1]):
        for layer, name in ((number, "x"), (number + 1, "x^2")):
            if width < 2 or not chosen.network.layers[layer].mask.any():
                continue
            what = f"all edges of layer {layer} {name!r}"
            trial = search.refined(what, _best_start(search, chosen.network, layer, name))
            trial = replace(trial, kept=trial.allowed_by(least, allowed))
            search.report(trial)
            steps.append(trial)
            if trial.kept:
                chosen = trial
    return chosen, steps


def _best_start(search: Search, structure: Network, layer: int, name: str) -> Network:
    """The best of some random starts of a structure with one function on a whole layer."""
    assert search.rng is not None
    found = []
    for _ in range(N_STARTS):
        network, error = search.trained(
            _random(search.rng, structure, layer, name), search.ladder[0]
        )
        found.append((error, network))
    return min(found, key=lambda pair: pair[0])[1]


def _random(rng: np.random.Generator, structure: Network, layer: int, name: str) -> Network:
    """A network drawn anew with the edges of `structure`: its formulas stay, those of one layer get the function `name`."""
    first = structure.layers[0]
    fresh = init_network(
        structure.widths,
        n_intervals=3,
        degree=first.degree,
        domain=first.breakpoints[:, [0, -1]],
        base=first.base,
        rng=rng,
    )
    layers: list[Layer] = []
    for number, (new, old) in enumerate(zip(fresh.layers, structure.layers, strict=True)):
        if number != layer:
            layers.append(replace(new, mask=old.mask, symbolic=old.symbolic, affine=old.affine))
            continue
        places = [(edge.output, edge.input) for edge in old.symbolic]
        places += [(j, i) for j, i in np.argwhere(old.mask == 1.0).tolist()]
        edges = [SymbolicEdge(j, i, lookup(name), row) for row, (j, i) in enumerate(places)]
        ones = np.ones(len(edges))
        layers.append(
            replace(
                new,
                mask=np.zeros_like(old.mask),
                symbolic=edges,
                affine=np.stack([ones, 0 * ones, rng.normal(size=len(edges)), 0 * ones], axis=1),
            )
        )
    return Network(tuple(layers))
