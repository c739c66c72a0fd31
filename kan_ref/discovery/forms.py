"""Forms of a function that no split shows: pairs, inner functions, sums inside, three curves.

    pair             F(h(x_i, x_j), ...): two inputs act through one combination (`invariants`)
    inner function   F(h(S), T): f(S, t) is a function of one inner function h(S), for all t
    sum inside       F(u_1(x_1) + ... + u_n(x_n)): a network of widths [n, 1, 1], whose edges are
                     the curves to name
    three curves     u(x) + v(y) + k x y + F(h(x, y)) (`three_curves`)

For each form there is a function that returns candidate trees, or none where the form does not fit.
A function of fewer inputs gets a surrogate of its own, of samples where there are any. Candidates
of several parts are combined in the order of their ranks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Protocol

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.curves import name_curve
from kan_ref.discovery.invariants import inner_misfit, input_pairs
from kan_ref.discovery.slices import Surface, partitions
from kan_ref.discovery.surrogate import Surrogate, fit_surrogate
from kan_ref.discovery.three_curves import three_curves
from kan_ref.discovery.trees import Input, Number, Tree, add, multiply, substitute, values

NEAR = 10.0  # times the error of the surrogate: a form with a larger misfit is a guess
SURE = 1e-3  # of the standard deviation: the error of a surrogate over fewer inputs
INNER = 0.05  # of the standard deviation of a slice: the misfit of an inner function
SUM_INSIDE = 0.03  # of the standard deviation: the misfit of a function of a sum
THREE = 0.02  # of the standard deviation: the misfit of three curves
FEW = 3  # trees of a part that are kept


@dataclass(frozen=True)
class Decision:
    """What was decided about a function of some inputs, in words with numbers."""

    depth: int
    what: str
    misfit: float
    error: float

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.what}: misfit {self.misfit:.1e}, error {self.error:.1e}"


class Parts(Protocol):
    """Finds trees for parts, and records decisions."""

    rng: np.random.Generator
    deadline: float

    def note(self, depth: int, what: str, misfit: float, error: float) -> None:
        """Record a decision."""

    def trees(self, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
        """Return candidate trees for a part."""

    def placed(
        self, surface: Surface, places: Sequence[int], names: Sequence[str], depth: int
    ) -> list[Tree]:
        """Return trees of a part, with its inputs counted as in the whole."""


def by_pair(parts: Parts, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
    """Return F(h(x_i, x_j), ...) where two inputs act through one combination."""
    if surface.n_in < 3:
        return []
    spread = float(np.std(surface.f(surface.points)))
    for pair in input_pairs(surface)[:2]:
        rest = [i for i in range(surface.n_in) if i not in (pair.i, pair.j)]
        h = values(pair.inner, surface.points)
        reduced = np.column_stack([h, surface.points[:, rest]])
        model, samples = _reduced(parts, surface, reduced)
        both = f"{names[pair.i]} and {names[pair.j]}"
        parts.note(depth, f"one combination of {both}", model.error / spread, pair.misfit)
        if model.error > max(NEAR * surface.error, SURE * spread):
            continue
        new = Surface(model, reduced, model.error, samples)
        outer = parts.trees(new, ["h", *(names[i] for i in rest)], depth + 1)
        if outer:
            inner = [pair.inner, *(Input(i) for i in rest)]
            return [substitute(tree, inner) for tree in outer]
    return []


def by_inner_function(
    parts: Parts, surface: Surface, names: Sequence[str], depth: int
) -> list[Tree]:
    """Return F(h(S), T) where f(S, t) is a function of one inner function h(S) for all t."""
    n = surface.n_in
    if n < 3:
        return []
    spread = float(np.std(surface.f(surface.points)))
    chosen = parts.rng.choice(len(surface.points), 4, replace=False)
    references = surface.points[chosen]
    found: list[tuple[float, tuple[int, ...], tuple[int, ...], FloatArray]] = []
    for one, other in partitions(n):
        for inside, outside in ((one, other), (other, one)):
            if 2 <= len(inside) < n and not (found and time.monotonic() > parts.deadline):
                misfit, at = inner_misfit(surface, inside, references)
                found.append((misfit, inside, outside, at))
    misfit, inside, outside, at = min(found, key=lambda way: (way[0], way[1]))
    text = f"an inner function of {', '.join(names[i] for i in inside)}"
    parts.note(depth, text, misfit, surface.error / spread)
    if misfit > INNER:
        return []
    part = surface.restricted(inside, at)
    named = parts.placed(part, inside, [names[i] for i in inside], depth)
    h = part.f(surface.points[:, list(inside)])
    reduced = np.column_stack([h, surface.points[:, list(outside)]])
    model, _ = _reduced(parts, replace(surface, samples=None), reduced)
    inner_names = ["h", *(names[i] for i in outside)]
    outer = parts.trees(Surface(model, reduced, model.error), inner_names, depth + 1)
    places = [Input(i) for i in outside]
    return [substitute(tree, [inner, *places]) for tree, inner in pairs(outer, named)]


def as_function_of_a_sum(
    parts: Parts, surface: Surface, names: Sequence[str], depth: int
) -> list[Tree]:
    """Return F(u_1(x_1) + ... + u_n(x_n)), the curves of a network of widths [n, 1, 1]."""
    points = surface.points
    f = surface.f(points)
    spread = float(np.std(f))
    model = fit_surrogate(points, f, parts.rng, n_hidden=1, deadline=parts.deadline)
    parts.note(depth, "a function of a sum", model.error / spread, surface.error / spread)
    if model.error > max(SUM_INSIDE * spread, NEAR * surface.error):
        return []
    edges = model.edge_curves(points)
    error = max(model.error, surface.error) / spread
    name = partial(name_curve, deadline=parts.deadline)
    inner = []
    for i, (t, v) in enumerate(edges[0]):
        named = name(t, v, error=error * float(np.std(v)))
        inner.append([substitute(one.tree, [Input(i)]) for one in named[:2]])
    ((t, v),) = edges[1]
    outer = [one.tree for one in name(t, v, error=error * float(np.std(v)))[:3]]
    combined = [add(*one) for one in product(*inner)][:4]
    return [substitute(one, [tree]) for one, tree in pairs(outer, combined)]


def by_three_curves(parts: Parts, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
    """Return u(x) + v(y) + k x y + F(h(x, y))."""
    if surface.n_in != 2:
        return []
    f = surface.f(surface.points) if surface.samples is None else surface.samples
    spread = float(np.std(f))
    found = three_curves(surface.points, f)
    if found is None:
        return []
    text = f"three curves, one of a combination of {names[0]} and {names[1]}"
    parts.note(depth, text, found.misfit, surface.error / spread)
    if found.misfit > max(THREE, NEAR * surface.error / spread):
        return []
    error = max(found.misfit * spread, 1e-9 * spread)
    name = partial(name_curve, error=error, deadline=parts.deadline)
    curves = [[one.tree for one in name(t, v)[:FEW]] for t, v in found.curves]
    bilinear = multiply(Number(found.k), Input(0), Input(1))
    return [
        add(u, substitute(v, [Input(1)]), bilinear, substitute(outer, [found.inner]))
        for u, v, outer in triples(*curves)
    ]


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


def _reduced(
    parts: Parts, surface: Surface, points: FloatArray
) -> tuple[Surrogate, FloatArray | None]:
    """Return a surrogate of the values over fewer inputs, and the samples, if there are any."""
    samples = surface.samples
    f = surface.f(surface.points) if samples is None else samples
    return fit_surrogate(points, f, parts.rng, deadline=parts.deadline), samples
