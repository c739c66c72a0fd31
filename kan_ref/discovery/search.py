"""The search for a formula of one output, told once.

Samples x (n, n_in), y (n,) become formulas as follows.

1. Simple forms that least squares find at once: a line, c x_1^{p_1} ... x_n^{p_n} with simple
   powers, and for samples without noise g^-1(P / Q) with polynomials P and Q (`quotients`).

2. A model f of the samples (`models`): sums of curves or polynomials of g(y), or a network. Its
   error on held-out samples is the scale of every comparison. If it is above a thousandth of the
   spread of y, noise is suspected, and f itself is taken to be nearer, by the share of numbers
   among samples.

3. A function of one input is named (`names`): short combinations of functions of the library.

4. A function of several inputs is split. Two ways lead on, both from f alone:

   splits   g(f) is a sum or product of functions of two groups of inputs S and T, or affine in one:
            g(f) = w(S) + v(S) u(T). All groups and 12 transforms g are compared on slices of f
            (`splits`). The parts are slices, functions of fewer inputs: back to 3 or 4.
   merges   inputs count only by a ratio, a product, a difference, or beside a power as a factor.
            Such a symmetry is a linear relation between f and its derivatives (`merges`). It leaves
            samples with fewer inputs: back to 1.

   Of two inputs a polynomial beside F((x - p)(y - q)) is a third way (`product_curves`).

   Splits as near as f allows come first, up to three of them, then merges, then splits that are
   only near. Where f is poor, merges come before all.

5. What the parts are called is put together, the best names of each first, and the numbers of every
   whole formula are trained on the samples (`fits`): 40 formulas a little, the best 4 fully.

6. Without noise the first exact formula ends the search. With noise, a formula whose residual has
   structure (`verdict`) is rejected. The search ends after two ways with a formula that is not, or
   after the first one that leads to a simple one.

7. Numbers of the best formulas are made simple where the samples allow it (`fits`), and the
   simplest exact one, or the best one by BIC that was not rejected, is the answer. All that were
   trained form the front of error against complexity.

When the time is over, or after an interrupt, the answer is the best formula so far.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.fits import Fitted, best_fits, bic, front_of, rmse_of, simplified
from kan_ref.discovery.merges import Merged, merged
from kan_ref.discovery.models import PLAIN as PLAIN_MODEL
from kan_ref.discovery.models import Model, model_of
from kan_ref.discovery.names import TINY, floor_of, name_curve
from kan_ref.discovery.product_curves import product_curve
from kan_ref.discovery.quotients import quotients, simple_forms
from kan_ref.discovery.results import expression_of
from kan_ref.discovery.splits import Split, Surface, find_splits
from kan_ref.discovery.trees import (
    Input,
    Number,
    Tree,
    add,
    complexity,
    fixed,
    mapped,
    multiply,
    numbers,
    substitute,
    values,
)
from kan_ref.discovery.verdict import EXACT, is_like_noise
from kan_ref.network import Network
from kan_ref.training import Scaler

NOISY = 1e-3  # of the standard deviation: the error of a model above which noise is suspected
POOR = 1e-5  # of it: with a larger error of the model merges come first, if they are sure
SURE = 0.3  # misfit of such a merge
NEAR, ROUNDING = 10.0, 1e-6  # a split is near: times the error of the model, of the deviation
GUESS = 0.03  # of the standard deviation: a split with a larger misfit is not tried
PRODUCT = 0.02  # the same for a curve of a product of lines
MOST_NEAR, MOST_GUESSES = 3, 2  # splits of the whole that are tried; of a part only the best one
MOST_POINTS, CURVE_POINTS = 500, 160  # of a surface, and of a slice of one input
FEW = 3  # trees of a part that are kept
SIMPLE = 12  # complexity of a formula within noise beside which nothing else is tried
SHORT = 16  # complexity of a simple form of a part beside which nothing else is tried
PLAIN = 60  # complexity of an exact simple form beside which nothing else is tried
MOST_BESIDE = 2  # formulas of merged inputs, besides the best one
MOST_JUDGED, WAYS_WITHIN_NOISE = 3, 2  # candidates of a way that are judged; ways until the end
MOST_SIMPLIFIED = 4


@dataclass(frozen=True)
class Decision:
    """What was decided about a function of some inputs, in words with numbers."""

    depth: int
    what: str
    misfit: float
    error: float

    def __str__(self) -> str:
        return f"{'  ' * self.depth}{self.what}: misfit {self.misfit:.1e}, error {self.error:.1e}"


@dataclass(frozen=True, eq=False)
class Found:
    """The best formula, the front, the simplest first, and others within noise."""

    best: Fitted
    front: tuple[Fitted, ...]
    others: tuple[Fitted, ...]
    model: Model
    splines: Network | None
    scaler: Scaler | None
    bic: Callable[[Fitted], float]


@dataclass(eq=False)
class Search:
    """Searches formulas; keeps the decisions, and whether it has ended early."""

    rng: np.random.Generator
    is_over: Callable[[], bool] = lambda: False
    report: Callable[[Any], None] = lambda decision: None
    decisions: list[Decision] = field(default_factory=list)
    ended: str = ""

    def late(self) -> bool:
        """Return whether the search has to end now."""
        if not self.ended and self.is_over():
            self.ended = "the time is over"
        return bool(self.ended)

    def note(self, depth: int, what: str, misfit: float, error: float) -> None:
        """Record a decision."""
        self.decisions.append(Decision(depth, what, misfit, error))
        self.report(self.decisions[-1])

    def formula(self, x: FloatArray, y: FloatArray, names: Sequence[str], depth: int = 0) -> Found:
        """Search a formula of samples x (n, n_in), y (n,)."""
        model, splines, scaler = model_of(x, y, self.rng, is_part=depth > 0, late=self.late)
        pool = _Pool(x, y, model.error > NOISY * float(np.std(y)))
        try:
            plain = [*simple_forms(x, y), *quotients(x, y)]
            if not (pool.ends_with(plain) and pool.chosen().complexity <= PLAIN):
                for trees in self._ways(model, x, y, names, depth):
                    if pool.ends_with(trees) or self.late():
                        break
            pool.simplify(self.late)
        except KeyboardInterrupt:
            self.ended = "interrupted"
        best = pool.chosen()
        others = [one for one in pool.open if pool.is_noisy and one is not best]
        return Found(best, pool.front(), tuple(others), model, splines, scaler, pool.bic)

    def _ways(
        self, model: Model, x: FloatArray, y: FloatArray, names: Sequence[str], depth: int
    ) -> Iterator[list[Tree]]:
        """Yield the candidates of each way to a formula of samples."""
        spread, error = float(np.std(y)), model.error
        if error > NOISY * spread:
            error *= min(1.0, (model.n_numbers / len(y) + PLAIN_MODEL**2 - 1.0) ** 0.5)
        surface = Surface(model.f, x[:MOST_POINTS], error, y[:MOST_POINTS])
        if len(names) == 1:
            yield self._curve(surface, names, depth, is_whole=True)
            return
        is_merged = False
        for most in (SURE, np.inf):
            if most == np.inf:
                splits = self._splits(surface)
                yield from self._built(surface, splits, names, depth, MOST_NEAR, is_near=True)
            if not is_merged and (most == np.inf or model.error > POOR * spread):
                found = merged(model.f, x, y, most, self.late)
                is_merged = found is not None
                if found is not None:
                    yield self._of_merged(found, y, names, depth)
        yield self._product_curve(surface, names, depth)
        yield from self._built(surface, splits, names, depth, MOST_GUESSES, is_near=False)

    def _of_merged(
        self, found: Merged, y: FloatArray, names: Sequence[str], depth: int
    ) -> list[Tree]:
        """Return the best formulas of samples with fewer inputs as formulas of all inputs."""
        inner = self._note_merged(found, float(np.std(y)), names, depth)
        one = self.formula(found.columns, y / found.weight, inner, depth + 1)
        trees = [each.tree for each in (one.best, *one.front[::-1][:MOST_BESIDE])]
        return [multiply(found.before, substitute(tree, found.inputs)) for tree in trees]

    def _note_merged(
        self, found: Merged, spread: float, names: Sequence[str], depth: int
    ) -> list[str]:
        """Record a merge, and return its inputs in words."""
        inner = [_in_words(tree, names) for tree in found.inputs]
        before = _in_words(found.before, names)
        text = f"{'' if before == '1' else f'{before} times '}a function of {', '.join(inner)}"
        self.note(depth, text, found.error / spread, found.error / spread)
        return inner

    def _trees(self, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
        """Return a few candidate trees for a part, by the most promising way alone."""
        if self.late():
            return []
        if surface.n_in == 1:
            return self._curve(surface, names, depth)
        f = surface.f(surface.points)
        spread, size = float(np.std(f)), float(np.abs(f).max())
        if spread <= max(surface.error, TINY * size):
            self.note(depth, "constant", spread, surface.error)
            return [Number(float(f.mean()))]
        is_sure = surface.error <= NOISY * spread
        least = max((NEAR if is_sure else 1.0) * surface.error, ROUNDING * spread)
        plain = self._plain(surface.points, f, least, depth)
        if plain and is_sure and complexity(plain[0]) <= SHORT:
            return plain[:FEW]
        splits = self._splits(surface)
        ways = [
            self._built(surface, splits, names, depth, 1, is_near=True),
            self._merged_surface(surface, f, names, depth),
            self._built(surface, splits, names, depth, 1, is_near=False),
        ]
        for way in ways:
            for trees in way:
                if trees:
                    return trees[:FEW] + plain[:1]
        return plain

    def _plain(self, x: FloatArray, f: FloatArray, least: float, depth: int) -> list[Tree]:
        """Return the simple forms of a part whose errors are at most `least`."""
        found = [Fitted(one, rmse_of(one, x, f)) for one in simple_forms(x, f)]
        found = [one for one in found if one.rmse <= least]
        if found:
            self.note(depth, "a plain form", found[0].rmse, least)
        return sorted((one.tree for one in found), key=complexity)

    def _merged_surface(
        self, surface: Surface, f: FloatArray, names: Sequence[str], depth: int
    ) -> Iterator[list[Tree]]:
        """Yield the trees of a part whose inputs merge."""
        found = merged(surface.f, surface.points, f, SURE, self.late, surface.error)
        if found is not None and found.model is not None:
            inner = self._note_merged(found, float(np.std(f)), names, depth)
            fewer = Surface(found.model.f, found.columns, max(found.model.error, surface.error))
            trees = self._trees(fewer, inner, depth + 1)
            yield [multiply(found.before, substitute(tree, found.inputs)) for tree in trees]

    def _splits(self, surface: Surface) -> list[Split]:
        return find_splits(surface, self.rng, self.late)

    def _built(
        self,
        surface: Surface,
        splits: Sequence[Split],
        names: Sequence[str],
        depth: int,
        most: int,
        *,
        is_near: bool,
    ) -> Iterator[list[Tree]]:
        """Yield the trees of each of the first splits that are near, or of the others."""
        noise = max(surface.error / max(float(np.std(surface.f(surface.points))), 1e-300), 1e-12)
        least = NEAR * max(noise, 1e-6)
        chosen = [
            one
            for one in splits
            if (one.misfit <= least if is_near else least < one.misfit <= GUESS)
        ]
        for split in chosen[:most]:
            if self.late():
                return
            self.note(depth, split.words(names), split.misfit, noise)
            lists = []
            for part, places in split.parts(surface):
                trees = self._trees(part, [names[i] for i in places], depth + 1)
                lists.append([substitute(tree, [Input(i) for i in places]) for tree in trees])
            yield [split.whole(surface, parts) for parts in in_order(lists)]

    def _product_curve(self, surface: Surface, names: Sequence[str], depth: int) -> list[Tree]:
        """Return P(x, y) + F((x - p)(y - q)) of two inputs, where that is near."""
        f = surface.samples
        if f is None or surface.n_in != 2:
            return []
        found = product_curve(surface.points, f)
        if found is None or found[-1] > PRODUCT:
            return []
        inner, places, curve, misfit = found
        self.note(depth, f"a polynomial and a curve of {_in_words(inner, names)}", misfit, misfit)
        trees: list[Tree] = []
        for one in name_curve(places, curve, error=misfit * float(np.std(f)), late=self.late)[:FEW]:
            outer = substitute(one.tree, [inner])
            rest = simple_forms(surface.points, f - values(outer, surface.points))
            trees += [add(outer, polynomial) for polynomial in rest[:3]]
        return trees

    def _curve(
        self, surface: Surface, names: Sequence[str], depth: int, *, is_whole: bool = False
    ) -> list[Tree]:
        """Return names of a function of one input."""
        x, y, error = surface.points[:, 0], surface.samples, 0.0
        if y is None or surface.error > NOISY * float(np.std(y)):
            grid = np.linspace(x.min(), x.max(), CURVE_POINTS)
            y = surface.f(grid[:, None])
            fine = np.isfinite(y)  # a transform may be undefined beyond the points
            if fine.sum() < CURVE_POINTS // 4:
                return []
            x, y, error = grid[fine], y[fine], surface.error
        found = name_curve(x, y, error=error, is_whole=is_whole, late=self.late)
        spread, many = max(float(np.std(y)), 1e-300), "" if len(found) == 1 else "s"
        text = f"curve of {names[0]}: {len(found)} name{many}"
        self.note(depth, text, found[0].rmse / spread, error / spread)
        return [one.tree for one in found]


def _in_words(tree: Tree, names: Sequence[str]) -> str:
    """Return a tree as text, with numbers of four digits."""

    def short(leaf: Tree) -> Tree:
        return fixed(float(f"{leaf.value:.4g}")) if isinstance(leaf, Number) else leaf

    return str(expression_of(mapped(tree, short), names))


def in_order(lists: Sequence[Sequence[Tree]]) -> list[tuple[Tree, ...]]:
    """Return one tree of each list in all combinations, those of the best first."""
    places = sorted(product(*(range(len(one)) for one in lists)), key=lambda one: (sum(one), one))
    return [tuple(one[k] for one, k in zip(lists, place, strict=True)) for place in places]


class _Pool:
    """All formulas that were trained on samples, and which of them were rejected."""

    def __init__(self, x: FloatArray, y: FloatArray, is_noisy: bool) -> None:
        self.x, self.y, self.is_noisy = x, y, is_noisy
        self.spread, self.floor = float(np.std(y)), floor_of(y, 1e-15 * float(np.std(y)))
        self.tried = [Fitted(Number(float(np.mean(y))), self.spread)]
        self.rejected: list[Fitted] = []
        self.n_ways = 0  # that led to a formula within noise

    @property
    def open(self) -> list[Fitted]:
        """Those that may be the answer, the best by BIC first."""
        found = [one for one in self.tried if not (self.n_ways and one in self.rejected)]
        found = [one for one in found if 2 * numbers(one.tree).size <= len(self.x)] or found
        return sorted(found, key=self.bic)

    def bic(self, one: Fitted) -> float:
        """Return the criterion, with the floor of these samples."""
        return bic(one, len(self.x), self.floor)

    def is_exact(self, one: Fitted) -> bool:
        """Return whether a formula is exact, and enough samples are left to test it."""
        p = numbers(one.tree).size
        return one.rmse <= EXACT * self.spread and 2 * (len(self.x) - p) >= p

    def ends_with(self, trees: Sequence[Tree]) -> bool:
        """Train candidates, and return whether nothing else has to be tried."""
        found = best_fits(trees, self.x, self.y, self.floor) if trees else []
        self.tried += found
        if any(map(self.is_exact, found)):
            return True
        if not (self.is_noisy and trees):
            return False
        for _ in range(MOST_JUDGED):
            rest = [one for one in self.tried if one not in self.rejected]
            best = min(rest, key=self.bic, default=self.tried[0])
            predicted = values(best.tree, self.x)
            if is_like_noise(self.x, self.y, predicted, numbers(best.tree).size):
                self.n_ways += 1
                return self.n_ways == WAYS_WITHIN_NOISE or best.complexity <= SIMPLE
            self.rejected.append(best)
        return False

    def simplify(self, late: Callable[[], bool]) -> None:
        """Add simplified forms of the best formulas; of exact ones the simplest may be right."""
        exact = sorted(filter(self.is_exact, self.tried), key=lambda one: one.complexity)
        best = exact[:MOST_SIMPLIFIED] or self.open[: MOST_SIMPLIFIED if self.n_ways else 1]
        floor = max(self.floor, 0.1 * EXACT * self.spread) if exact else self.floor
        for one in best:
            if not late():
                new = simplified(one, self.x, self.y, floor, late)
                self.tried.append(Fitted(new.tree, rmse_of(new.tree, self.x, self.y)))

    def chosen(self) -> Fitted:
        """Return the simplest exact formula, else the best one by BIC."""
        exact = [one for one in self.tried if self.is_exact(one)]
        return min(exact, key=lambda one: (one.complexity, one.rmse)) if exact else self.open[0]

    def front(self) -> tuple[Fitted, ...]:
        """Return the formulas that no simpler one beats in error, the simplest first."""
        return tuple(front_of(self.tried, max(self.floor, EXACT * self.spread)))
