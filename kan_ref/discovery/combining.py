"""Put trees of the parts of a function together.

Pairs and triples of candidates come in the order of their ranks. A function of a sum
F(u_1(x_1) + ... + u_n(x_n)) is a network of widths [n, 1, 1]: its edges are the curves to name.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from kan_ref.discovery.curves import name_curve
from kan_ref.discovery.slices import Surface
from kan_ref.discovery.surrogate import fit_surrogate
from kan_ref.discovery.trees import Input, Tree, add, substitute


def pairs(a: Sequence[Tree], b: Sequence[Tree]) -> list[tuple[Tree, Tree]]:
    """Return pairs, those of the best first."""
    found = [(i + j, i, j) for i in range(len(a)) for j in range(len(b))]
    return [(a[i], b[j]) for _, i, j in sorted(found)]


def triples(
    a: Sequence[Tree], b: Sequence[Tree], c: Sequence[Tree]
) -> list[tuple[Tree, Tree, Tree]]:
    """Return triples, those of the best first."""
    found = [
        (i + j + k, i, j, k) for i in range(len(a)) for j in range(len(b)) for k in range(len(c))
    ]
    return [(a[i], b[j], c[k]) for _, i, j, k in sorted(found)]


def functions_of_a_sum(
    surface: Surface, rng: np.random.Generator, most: float
) -> tuple[float, list[Tree]]:
    """Return the misfit of a network [n, 1, 1], and its trees, none for a misfit above `most`."""
    points = surface.points
    f = surface.f(points)
    model = fit_surrogate(points, f, rng, n_hidden=1)
    if model.error > most:
        return model.error, []
    edges = model.edge_curves(points)
    error = max(model.error, surface.error) / float(np.std(f))
    inner = []
    for i, (t, v) in enumerate(edges[0]):
        named = name_curve(t, v, error=error * float(np.std(v)))
        inner.append([substitute(one.tree, [Input(i)]) for one in named[:2]])
    ((t, v),) = edges[1]
    outer = [one.tree for one in name_curve(t, v, error=error * float(np.std(v)))[:3]]
    combined = [add(*parts) for parts in product(*inner)][:4]
    return model.error, [substitute(one, [tree]) for one, tree in pairs(outer, combined)]
