"""From a surrogate to formulas: split it on slices, name curves of one input, compose the parts.

A function of several inputs is split by the test with the smallest error (`slices`), its parts are
split in turn, down to curves of one input, which are named (`curves`). It may also depend on one
combination of its inputs (`invariants`). Where no such test is near the error of the surrogate,
other forms are tried (`forms`), then the best of the splits that are not near. Every
decision is recorded in words with its measured number.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, zip_longest

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.curves import TINY, name_curve
from kan_ref.discovery.forms import (
    FEW,
    NEAR,
    Decision,
    as_function_of_a_sum,
    by_inner_function,
    by_pair,
    by_three_curves,
    pairs,
    triples,
)
from kan_ref.discovery.invariants import one_curves
from kan_ref.discovery.polish import Fitted
from kan_ref.discovery.slices import GOOD, Split, Surface, find_splits
from kan_ref.discovery.trees import (
    Input,
    Number,
    Tree,
    add,
    apply,
    constant_term,
    multiply,
    substitute,
    values,
)

Way = tuple[float, Callable[[], list[Tree]], str, float]  # rank, function, words, misfit
NOISY = 1e-3  # of the standard deviation: the error of a surrogate above which noise is suspected
CURVE_POINTS = 160
GUESS = 0.03  # of the standard deviation: a split with a larger misfit is not tried
ALTERNATIVES = 3  # splits of the whole that are tried; of its parts only the best one


@dataclass(eq=False)
class Decomposer:
    """Splits surfaces; keeps the decisions, and stops splitting when the time is over."""

    rng: np.random.Generator
    deadline: float = np.inf
    decisions: list[Decision] = field(default_factory=list)
    report: Callable[[Decision], None] = lambda decision: None
    trained: dict[str, Fitted] = field(default_factory=dict)  # where the whole is one curve

    def note(self, depth: int, what: str, misfit: float, error: float) -> None:
        """Record a decision."""
        decision = Decision(depth, what, misfit, error)
        self.decisions.append(decision)
        self.report(decision)

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.deadline

    def plans(self, surface: Surface, names: Sequence[str]) -> Iterator[list[Tree]]:
        """Yield lists of candidate trees for a surface, one list for each way to split it."""
        if surface.n_in == 1:
            yield self.curve(surface, names, 0, is_whole=True)
            return
        yield from self._ways(surface, names, 0, ALTERNATIVES)

    def trees(self, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
        """Return candidate trees for a part, by the most promising way alone."""
        if surface.n_in == 1:
            return [] if self.is_late else self.curve(surface, names, depth)
        for found in self._ways(surface, names, depth, 1):
            return found[:FEW]
        return []

    def curve(
        self, surface: Surface, names: Sequence[str], depth: int, is_whole: bool = False
    ) -> list[Tree]:
        """Return names of a curve of one input."""
        x, y, error = surface.points[:, 0], surface.samples, 0.0
        if y is None or surface.error > NOISY * float(np.std(y)):
            grid = np.linspace(x.min(), x.max(), CURVE_POINTS)
            y = surface.f(grid[:, None])
            fine = np.isfinite(y)  # a transform may be undefined beyond the points
            if fine.sum() < CURVE_POINTS // 4:
                return []
            x, y, error = grid[fine], y[fine], surface.error
        trained = self.trained if is_whole else None
        found = name_curve(x, y, error=error, deadline=self.deadline, trained=trained)
        spread = max(float(np.std(y)), 1e-300)
        what = f"curve of {names[0]}: {named(found)}"
        self.note(depth, what, found[0].rmse / spread, error / spread)
        return [one.tree for one in found]

    def _ways(
        self, surface: Surface, names: Sequence[str], depth: int, most: int
    ) -> Iterator[list[Tree]]:
        """Yield the trees of each of the most promising ways."""
        f = surface.f(surface.points)
        spread = float(np.std(f))
        if spread <= max(surface.error, TINY * float(np.abs(f).max())):
            self.note(depth, "constant", spread, surface.error)
            yield [Number(float(f.mean()))]
            return
        noise = max(surface.error / spread, 1e-12)
        ways: list[Way] = []
        build: Callable[[], list[Tree]]
        for split in find_splits(surface, self.rng, self.deadline)[: most + 2]:
            build = partial(self._split, surface, split, names, depth)
            ways.append((split.rank, build, split.words(names), split.error))
        for one in one_curves(surface)[:2]:
            rank = float(np.log10(max(one.misfit, GOOD * noise, 1e-13))) - 0.3
            text = f"a function of one combination of {', '.join(names)}"
            build = partial(self._one_curve, surface, one.inner, names, depth)
            ways.append((rank, build, text, one.misfit))
        ways.sort(key=lambda way: way[0])
        near = [way for way in ways if way[3] <= NEAR * max(noise, 1e-6)]
        guesses = [way for way in ways if way not in near and way[3] <= GUESS]

        def built(chosen: Sequence[Way]) -> Iterator[list[Tree]]:
            for _, build, text, misfit in chosen:
                if not self.is_late:
                    self.note(depth, text, misfit, noise)
                    yield build()

        others = (by_pair, by_inner_function, as_function_of_a_sum, by_three_curves)
        tried = 0
        for trees in chain(
            built(near),
            (other(self, surface, names, depth) for other in others if not self.is_late),
            built(guesses),
        ):
            if trees:
                tried += 1
                yield trees
            if tried == most or self.is_late:
                return

    def _split(
        self, surface: Surface, split: Split, names: Sequence[str], depth: int
    ) -> list[Tree]:
        """Return trees of the whole from trees of the parts of a split."""
        transform, sign = split.transform, split.sign

        def g(f: FloatArray) -> FloatArray:
            with np.errstate(all="ignore"):
                return np.asarray(transform.g(sign * f))

        f = surface.f(surface.points)
        with np.errstate(all="ignore"):
            factor = float(np.sqrt(np.mean(transform.slope(sign * f) ** 2)))
        inside = surface.changed(g, factor if np.isfinite(factor) else 1.0)
        one = inside.restricted(split.one, split.at)
        other = inside.restricted(split.other, split.at)
        f00 = float(inside.f(split.at[None, :])[0])
        names_one = [names[i] for i in split.one]
        names_other = [names[i] for i in split.other]
        if split.kind == "sum":
            a = self.placed(one, split.one, names_one, depth)
            b = self.placed(other, split.other, names_other, depth)
            both = [add(p, q, Number(-f00)) for p, q in pairs(a, b)]
        elif split.kind == "product":
            k = split.offset
            if abs(k) < 1e-3 * abs(f00) or abs(k) < 10.0 * inside.error:
                k = 0.0
            a = self.placed(one.changed(lambda v: v - k, 1.0), split.one, names_one, depth)
            b = self.placed(other.changed(lambda v: v - k, 1.0), split.other, names_other, depth)
            scale = Number(1.0 / (f00 - k))
            both = [multiply(scale, p, q) for p, q in pairs(a, b)]
            both = [add(tree, Number(k)) for tree in both] if k else both
        else:
            mixed = split.at.copy()
            mixed[list(split.other)] = split.second[list(split.other)]
            f01 = float(inside.f(mixed[None, :])[0])
            moved = inside.restricted(split.one, mixed)
            change = Surface(lambda p: moved.f(p) - one.f(p), one.points, 1.5 * inside.error)
            v = self.placed(change, split.one, names_one, depth)
            u = self.placed(other, split.other, names_other, depth)
            step = f01 - f00
            ways = []
            # w + v (r - f00) / step = (w + k v) + v (r - f00 - k step) / step: with the k at which
            # the last factor is a name of r without its constant, w + k v may be simpler than w
            for constant in dict.fromkeys([f00, *map(constant_term, u[:1])]):
                k = (constant - f00) / step
                moved_w = Surface(
                    lambda p, k=k: one.f(p) + k * change.f(p),  # type: ignore[misc]
                    one.points,
                    inside.error * (1.0 + 1.5 * abs(k)),
                )
                w = self.placed(moved_w, split.one, names_one, depth)
                ways.append(
                    [
                        add(p, multiply(Number(1.0 / step), q, add(r, Number(-constant))))
                        for p, q, r in triples(w, v, u)
                    ]
                )
            both = [tree for row in zip_longest(*ways) for tree in row if tree is not None]
        outer = [apply(transform.inverse, tree) for tree in both]
        return [multiply(Number(sign, True), tree) for tree in outer]

    def placed(
        self, surface: Surface, places: Sequence[int], names: Sequence[str], depth: int
    ) -> list[Tree]:
        """Return trees of a part, with its inputs counted as in the whole."""
        trees = self.trees(surface, names, depth + 1)
        return [substitute(tree, [Input(i) for i in places]) for tree in trees]

    def _one_curve(
        self, surface: Surface, inner: Tree, names: Sequence[str], depth: int
    ) -> list[Tree]:
        """Return F(h) for a combination h of the inputs."""
        h = values(inner, surface.points)
        f = surface.f(surface.points)
        order = np.argsort(h)
        found = name_curve(h[order], f[order], error=surface.error, deadline=self.deadline)
        spread = max(float(np.std(f)), 1e-300)
        what = f"curve of the combination: {named(found)}"
        self.note(depth + 1, what, found[0].rmse / spread, surface.error / spread)
        return [substitute(one.tree, [inner]) for one in found]


def named(found: Sequence[object]) -> str:
    """Return how many names of a curve there are, in words."""
    return f"{len(found)} name{'' if len(found) == 1 else 's'}"
