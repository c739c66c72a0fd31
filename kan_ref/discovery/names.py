"""Name a curve of one input: a short linear combination of columns, for y, log|y| or 1/y.

    y          c_1 B_1(x) + c_2 B_2(x) + ... + P(x)     sums, products, compositions
    log|y|     exp of that                              powers, products with exponentials
    1/y        1 over that                              quotients

The columns B are functions of the library at lines of x, compositions of two, and products of
plain ones (`atoms`); P is a polynomial of degree 0 to 3. An error of y becomes one of log|y| or 1/y
by the factor |1/y| or 1/y^2, so each sample is weighted by its reciprocal. What a polynomial cannot
explain of the columns and of the targets is compared: all single columns, all pairs by (D13) of
`atoms`, and the best pairs of textbook columns, grown to five terms. Of each kind the best one by

    log(misfit) + price times the number of functions

is kept, where misfits below the error of the samples are equal. The numbers of the best kinds are
trained (`fits`) beside single functions (`kan_ref.symbolic`) and polynomials, and those near the
best one are returned, the simplest among them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import (
    column_table,
    pair_misfit,
    polynomial,
    power_of,
    smallest,
    variable_of,
)
from kan_ref.discovery.fits import Fitted, Late, bic, front_of, never, trained
from kan_ref.discovery.quotients import rational_curves
from kan_ref.discovery.trees import (
    Input,
    Number,
    Tree,
    add,
    affine,
    apply,
    multiply,
    numbers,
)
from kan_ref.functions import LIBRARY
from kan_ref.symbolic import rank_functions

Item = TypeVar("Item")
N_POINTS = 120
SHORT = 4  # numbers: such a tree is trained fully at once
N_TRAINED = 16  # candidates of a stage that are trained fully
TINY = 3.6e-15  # of the largest value, 16 rounding errors: a curve that varies by less is constant
BLURRED = 1e-3  # of the standard deviation: with larger errors more names are kept
SURE = 1e-6  # of the standard deviation: candidates at this accuracy are right
PRICE = 0.4  # of a function in a column, in log(misfit)
MOST_TERMS, N_BEAM, N_PAIRS, N_KEPT = 5, 12, 150, 40
N_FIRST = 400  # columns whose pairs with all others are compared
LOW_DEGREE = 3
ROUNDED = 1e-26  # of the square of y: smaller misfits are rounding errors


def floor_of(y: FloatArray, noise: float, rounding: float = 1e-14) -> float:
    """Return the error below which formulas are equal: the noise, or `rounding` in units of |y|.

    The latter is that of several operations. Where all values are far larger than their variation,
    an offset was added in one.
    """
    size = float(np.abs(y).max())
    return max(noise, min(rounding * size, max(1e-10 * float(np.std(y)), 1e-15 * size)))


def name_curve(
    x: FloatArray,
    y: FloatArray,
    *,
    error: float,
    most: int = 4,
    is_whole: bool = False,
    late: Late = never,
) -> list[Fitted]:
    """Return trees of one input that come near the samples x, y (n,) of a curve, the best first.

    `error` is that of y: smaller misfits are equal. Of a curve that is the `is_whole` problem more
    candidates are trained. Each stage of candidates has simpler forms than the next one; the first
    that has the accuracy of the samples is the last.
    """
    order = np.argsort(x)
    if len(x) > N_POINTS:
        order = order[np.linspace(0, len(x) - 1, N_POINTS).astype(int)]
    x, y = x[order], y[order]
    points, spread = x[:, None], float(np.std(y))
    if spread <= max(error, TINY * float(np.abs(y).max()), 1e-300):
        return [Fitted(Number(float(np.mean(y))), spread)]
    floor, found = floor_of(y, error, 1e-13), dict[str, Fitted]()
    n_steps = 12 if is_whole else 8
    for trees in _before(late, _stages(x, y, floor, 2 if is_whole else 1)):
        first = [
            trained(tree, points, y, 40 if is_whole and numbers(tree).size <= SHORT else n_steps)
            for tree in _before(late, trees)
        ]
        first.sort(key=lambda one: bic(one, len(x), floor))
        first = list(dict.fromkeys([*front_of(first), *first]))
        for start in _before(late, first[: N_TRAINED * (3 if is_whole else 1)]):
            one = trained(start.tree, points, y)
            if np.isfinite(one.rmse):
                found[f"{one.complexity} {one.rmse:.3e}"] = one  # others are the same form
            if one.rmse <= 2.0 * floor and floor <= SURE * spread:  # so near by no chance
                break
        else:
            continue
        break
    if not found:  # all values overflow
        return [Fitted(Number(float(np.mean(y))), spread)]
    ranked = sorted(found.values(), key=lambda one: bic(one, len(x), floor))
    near = near_best(ranked, floor)
    plain = sorted(near, key=lambda one: (one.complexity, one.rmse))[:1]
    if floor > BLURRED * spread:  # many functions are equally near
        most *= 2
    return list(dict.fromkeys([*near[: most - 1], *plain]))


def near_best(found: list[Fitted], floor: float) -> list[Fitted]:
    """Return the trees that are near the best one, in their order."""
    limit = max(30.0 * min(one.rmse for one in found), 3.0 * floor)
    return [one for one in found if one.rmse <= limit]


def _before(late: Late, items: Iterable[Item]) -> Iterator[Item]:
    """Yield the first item, and further ones until the time is over."""
    for one in items:
        yield one
        if late():
            return


def _stages(x: FloatArray, y: FloatArray, floor: float, more: int) -> Iterator[Iterable[Tree]]:
    """Yield lists of candidates; a polynomial through all values of x fits any curve."""
    n, noise = len(np.unique(x)), floor if floor > SURE * np.std(y) else 0.0
    yield [polynomial(degree, x) for degree in range(1, min(LOW_DEGREE + 1, n))]
    yield [*_single(x, y, floor), *rational_curves(x, y, floor)]
    yield list(combinations_of_columns(x, y, noise, N_KEPT * more))
    if more > 1 and not noise and np.abs(x).min() > 0.0:  # a power that a merge left inside
        for p in (1.0, -1.0):
            found = combinations_of_columns(x, y * x**p, noise, N_KEPT * more)
            yield [multiply(power_of(Input(0), -p), tree) for tree in found]
    high = [polynomial(degree, x) for degree in range(LOW_DEGREE + 1, min(10, n))]
    yield high


def _single(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield c f(a x + b) + d for the nearest functions of the library."""
    ranked = rank_functions(x, y, [name for name in LIBRARY if name not in ("0", "sgn")])
    least = max(min(one.rms for one in ranked), floor)
    for one in [one for one in ranked if one.rms <= 30.0 * least][:5]:
        inner = Input(0) if one.name == "x" else affine(Input(0), one.a, one.b)
        scale, shift = (one.a * one.c, one.b * one.c + one.d) if one.name == "x" else (one.c, one.d)
        yield affine(apply(one.name, inner), scale, shift)


# --- combinations of columns


@dataclass(frozen=True)
class _Target:
    """g(y), the weights 1 / |g'(y)|, and what is done to the tree of g(y)."""

    values: FloatArray
    weight: FloatArray
    outer: str
    sign: float = 1.0

    def tree(self, inside: Tree) -> Tree:
        """Return the tree of y."""
        return multiply(Number(self.sign, True), apply(self.outer, inside))


def _targets(y: FloatArray) -> Iterator[_Target]:
    yield _Target(y, np.ones(len(y)), "x")
    if y.min() * y.max() > 0.0:
        yield _Target(np.log(np.abs(y)), np.abs(y), "exp", float(np.sign(y[0])))
        with np.errstate(all="ignore"):
            yield _Target(1.0 / y, y**2, "1/x")


def combinations_of_columns(
    x: FloatArray, y: FloatArray, noise: float, n_kept: int
) -> Iterator[Tree]:
    """Yield the most promising combinations of columns, the best of each kind, for each target."""
    atoms, table, counts = column_table(x)
    variable, middle = variable_of(x)
    size = float(np.abs(x - middle).max())
    powers = ((x - middle) / size)[:, None] ** np.arange(LOW_DEGREE + 1)
    for target in _targets(y):
        w, z = target.weight, target.weight * target.values
        if not (np.isfinite(z).all() and np.isfinite(w).all() and w.min() > 0.0):
            continue
        mean = w * (w @ z) / (w @ w)
        total = float(np.sum((z - mean) ** 2))
        floor = max(ROUNDED, len(x) * noise**2 / max(total, 1e-300))
        best: dict[str, tuple[float, int, tuple[int, ...]]] = {}
        for degree in range(LOW_DEGREE + 1 if target.outer == "x" else 2):
            for misfit, chosen in _subsets(table, w, z, powers[:, : degree + 1], counts):
                names = sorted(atoms[k].group for k in chosen)
                kind = " + ".join([*names, str(degree)])
                n_functions = sum(3 + name.count("(") + name.count("*") for name in names)
                score = float(np.log(max(misfit / total, floor))) + PRICE * (
                    n_functions + 2 * degree
                )
                if kind not in best or score < best[kind][0]:
                    best[kind] = score, degree, chosen
        ranked = sorted((*one, "(" in kind) for kind, one in best.items())
        for degree, chosen in _of_each_kind(ranked, n_kept // 4):
            columns = np.column_stack([table[:, list(chosen)], powers[:, : degree + 1]])
            coef = np.linalg.lstsq(columns * w[:, None], z, rcond=1e-13)[0].tolist()
            some = [atoms[k] for k in chosen]
            trees = [atom.tree for atom in some] + [
                power_of(variable, p) for p in range(degree + 1)
            ]
            sizes = [atom.size for atom in some] + [size**power for power in range(degree + 1)]
            terms = [multiply(Number(c / s), t) for c, s, t in zip(coef, sizes, trees, strict=True)]
            yield target.tree(add(*terms))


def _of_each_kind(
    ranked: Sequence[tuple[float, int, tuple[int, ...], bool]], most: int
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield degree and columns of the first with one term, with two, and with more.

    Before training many terms, or a composition, are nearer than the short form they stand for.
    """
    for count in (1, 2, 3):
        for is_composed in (False, True):
            kind = [
                one
                for one in ranked
                if (min(one[1] + len(one[2]), 3), one[3]) == (count, is_composed)
            ]
            yield from (one[1:3] for one in kind[:most])


def _subsets(
    table: FloatArray,
    w: FloatArray,
    z: FloatArray,
    powers: FloatArray,
    counts: tuple[int, int],
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yield squared misfits of z beside a polynomial, and the columns (n, k) that leave them."""
    basis, _ = np.linalg.qr(w[:, None] * powers)
    weighted = table * w[:, None]
    lengths = np.linalg.norm(weighted, axis=0)
    for _ in range(2):  # twice, for the rounding errors of the first time
        weighted = weighted - basis @ (basis.T @ weighted)
    rest = z - basis @ (basis.T @ z)
    left = np.linalg.norm(weighted, axis=0)
    kept = np.flatnonzero(left > 1e-6 * lengths)
    size = float(np.linalg.norm(rest))
    if size <= 1e-9 * float(np.linalg.norm(z)) or not len(kept):
        return
    columns, rest = weighted[:, kept] / left[kept], rest / size
    for n in (*counts, table.shape[1]):  # many compositions are nearer than a simple form
        part = columns[:, kept < n]
        for misfit, chosen in _of_unit_columns(part, rest, n == counts[0]):
            yield misfit * size**2, tuple(int(kept[k]) for k in chosen)


def _of_unit_columns(
    columns: FloatArray, z: FloatArray, grows: bool
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yield misfits of z by one or two columns, or more; all have length 1."""
    if not columns.shape[1]:
        return
    r = z @ columns
    single = 1.0 - r**2
    order = np.argsort(single)
    yield from ((float(single[k]), (int(k),)) for k in order[:N_KEPT])
    some = np.union1d(np.arange(min(N_FIRST, len(r))), order[:100])
    cosines = columns[:, some].T @ columns
    # a few rows at a time, which stay in the cache
    parts = np.array_split(np.arange(len(some)), len(some) // 16 + 1)
    misfits = np.concatenate([pair_misfit(r[some[k], None], r, cosines[k]) for k in parts])
    pairs = {
        tuple(sorted((int(some[a]), b))): float(misfits[a, b])
        for a, b in smallest(misfits, N_PAIRS)
    }
    beams = sorted((misfit, chosen) for chosen, misfit in pairs.items())
    yield from beams[: 2 * N_KEPT]
    for _ in range(MOST_TERMS - 2 if grows else 0):
        grown: dict[tuple[int, ...], float] = {}
        for _, chosen in beams[:N_BEAM]:
            basis, _ = np.linalg.qr(columns[:, list(chosen)])
            rest, others = (one - basis @ (basis.T @ one) for one in (z, columns))
            left = np.linalg.norm(others, axis=0)
            gain = np.where(left > 1e-5, (rest @ others) / np.maximum(left, 1e-5), 0.0) ** 2
            for k in np.argsort(-gain)[:N_BEAM].tolist():
                grown[tuple(sorted({*chosen, k}))] = max(float(rest @ rest - gain[k]), 0.0)
        beams = sorted((misfit, chosen) for chosen, misfit in grown.items())[:N_BEAM]
        yield from beams
        if not beams or beams[0][0] < ROUNDED:
            return
