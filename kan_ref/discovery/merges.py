"""Inputs that count only together: symmetries of a function, and what they leave.

By Euler's theorem on homogeneous functions

    (D31)   f(s^{a_1} x_1, ..., s^{a_n} x_n) = s^c f(x) for all s   if and only if
            a_1 x_1 f_1 + ... + a_n x_n f_n = c f                   at all points

where f_i is the derivative with respect to x_i. Laws of physics have such symmetries, since they do
not depend on the units. With a_i = 1 the choice s = 1 / x_i leaves a function of one input less,

    (D36)   f(x) = x_i^c g(x_j x_i^{-a_j}, j != i)

Without other inputs, a_j = 0, this is a power of x_i as a factor. If two inputs act through
h = u(x_i) + r v(x_j) alone, such as x_i - x_j, then by the chain rule

    (D23)   r f_i v'(x_j) = f_j u'(x_i)                              at all points

Both are linear relations between columns of numbers, and f and its derivatives are those of a
model of the samples. The nearest relations are tried. A wrong one shows on held-out samples: the
error of a model of g, times the power, must be at most that of the models of f with all inputs; 0.8
of it for a power of one input as a factor, since noise alone would leave it nearly as it is. Then a
symmetry of what is left is searched.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import combinations, product

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery import trees
from kan_ref.discovery.atoms import power_of
from kan_ref.discovery.fits import Late
from kan_ref.discovery.models import Model, Values, linear_models
from kan_ref.discovery.trees import Input, Number, Tree

MOST_POINTS = 200
STEP = 0.02  # of the standard deviation of an input, for central differences
ROUND = 0.15  # an exponent is this near to an integer or a half
ROUND_RATIO = 0.03  # relative: the ratio r is this near to a fraction
MOST_EXPONENT = 6.0
MOST_INPUTS = 10  # of more, two at once: there are 58,800 triples of 50 inputs with one in front
WEIGHTS = tuple(sign * size for size in (0.5, 1.0, 2.0, 3.0) for sign in (1.0, -1.0))
MOST_SCALINGS, MOST_PAIRS = 20, 3  # that are tried, those with the smallest misfit
NEAR_PAIR = 0.1  # of the larger singular value of (D23)
SLACK = 1.05  # times that error, of samples that were held out
PATIENCE = 3.0  # times it: one input less may be near only after the next one
GAIN = 0.8  # of the error with one input more
SURE = 1e-9  # of the standard deviation of y: smaller errors are equal, and no chance
NEAR = 1.2  # times the least error: noise may be the difference
# u, v, and what f_i and f_j are multiplied by in (D23), so that nothing is divided by an input
Relation = tuple[float, int, float, dict[int, float]]  # misfit, place i, degree c, weights a_j
Factor = Callable[[FloatArray, FloatArray], FloatArray | float]
PAIRS: tuple[tuple[str, str, Factor, Factor], ...] = (
    ("x", "x", lambda x, y: 1.0, lambda x, y: 1.0),
    ("1/x", "1/x", lambda x, y: x**2, lambda x, y: y**2),
    ("x^2", "x^2", lambda x, y: y, lambda x, y: x),
    ("x^2", "x", lambda x, y: 1.0, lambda x, y: 2.0 * x),
    ("x", "x^2", lambda x, y: 2.0 * y, lambda x, y: 1.0),
)


@dataclass(frozen=True, eq=False)
class Merged:
    """f(x) = outer * prod b_k^factor_k * g(inner inputs), with bases b_k that are trees of inputs.

    `inner` (n_inner, n_bases) are exponents, too; `weight` (n,) and `columns` (n, n_inner) are the
    values of what stands before g and of its inputs at the samples; `error` is that of the model.
    """

    bases: tuple[Tree, ...]
    outer: Tree
    factor: FloatArray
    inner: FloatArray
    weight: FloatArray
    columns: FloatArray
    error: float
    model: Model | None = None

    def power(self, exponents: FloatArray) -> Tree:
        """Return a product of powers of the bases."""
        pairs = zip(self.bases, exponents.tolist(), strict=True)
        return trees.multiply(*(power_of(base, p) for base, p in pairs if p))

    @property
    def inputs(self) -> list[Tree]:
        """The inputs of g as trees of those of f."""
        return [self.power(row) for row in self.inner]

    @property
    def before(self) -> Tree:
        """What g is multiplied by."""
        return trees.multiply(self.outer, self.power(self.factor))

    @property
    def is_power(self) -> bool:
        """Whether nothing but powers of single inputs was divided out."""
        eye = np.eye(len(self.bases))
        is_divided = bool(self.factor.any())
        return is_divided and all((row == eye).all(axis=1).any() for row in self.inner)


def merged(
    f: Values, x: FloatArray, y: FloatArray, most: float, late: Late, error: float = 0.0
) -> Merged | None:
    """Return samples x (n, n_in), y (n,) as a function of fewer inputs times powers, or None.

    `f` computes values near to y at points (batch, n_in). Symmetries of several inputs are tried up
    to a misfit of `most`; `error` is that of y.
    """
    n_in, spread = x.shape[1], float(np.std(y))
    of_models = [model.error for model in linear_models(x, y, late=late)]
    error = max(error, min(of_models, default=np.inf))
    bases = tuple(Input(i) for i in range(n_in))
    now = Merged(bases, trees.fixed(1.0), np.zeros(n_in), np.eye(n_in), np.ones(len(y)), x, error)
    found, limit = None, error
    while now.columns.shape[1] > 1 and not late():
        trials = [
            replace(one, error=model.error, model=model)
            for one in _candidates(f, now, most)
            for model in linear_models(one.columns, y / one.weight, one.weight, late)
            if model.error <= max((GAIN if one.is_power else PATIENCE) * limit, SURE * spread)
        ]
        if not trials:
            break
        least = max(NEAR * min(one.error for one in trials), SURE * spread)
        near = [one for one in trials if one.error <= least]
        now = min(near, key=lambda one: _price(one, y))
        assert now.model is not None
        f = now.model.f
        if now.error <= max(SLACK * limit, SURE * spread):
            found, limit = now, now.error
    return found


def _price(one: Merged, y: FloatArray) -> tuple[int, float]:
    """Return the complexity and the relative error of g, the smallest of which is preferred.

    The error is that at the samples: with noise, f may not be divided by a power that is small at
    some of them.
    """
    g, model = y / one.weight, one.model
    assert model is not None
    error = float(np.std(model.f(one.columns) - g)) / max(float(np.std(g)), 1e-300)
    return sum(map(trees.complexity, (one.before, *one.inputs))), error


def _candidates(f: Values, now: Merged, most: float) -> Iterator[Merged]:
    """Yield the samples with one input less, by the relations that are nearest."""
    x = now.columns
    size = np.abs(f(x))
    size[~np.isfinite(size)] = -1.0  # not among the largest
    points = x[size >= np.median(size)][:MOST_POINTS]  # relative errors of f are small there
    with np.errstate(all="ignore"):
        slopes = np.empty(points.shape)
        for i, step in enumerate(np.diag(STEP * x.std(axis=0))):
            slopes[:, i] = (f(points + step) - f(points - step)) / (2.0 * step[i])
        columns = np.column_stack([points * slopes, f(points)])
    fine = np.isfinite(columns).all(axis=1)
    points, slopes, columns = points[fine], slopes[fine], columns[fine]
    size = np.sqrt(np.sum(columns**2, axis=0))
    if len(points) < 20 or not (np.isfinite(size).all() and size.min() > 0.0):
        return
    single: list[Relation] = [(0.0, i, degree, {}) for i, degree in _powers(columns)]
    several = (one for one in _scalings(columns) if one[0] <= most)
    for _, place, degree, others in [*single, *nsmallest(MOST_SCALINGS, several, key=_misfit)]:
        divided = _divided(now, place, degree, others)
        if divided is not None:
            yield divided
    for _, names, i, j, ratio in nsmallest(MOST_PAIRS, _pairs(points, slopes), key=_misfit):
        yield _combined(now, names, i, j, ratio)


def _misfit(one: tuple[float, *tuple[object, ...]]) -> float:
    return one[0]


def _powers(columns: FloatArray) -> Iterator[tuple[int, float]]:
    """Yield inputs and the powers of them that may be factors: 1, and what x_i f_i / f is near."""
    with np.errstate(all="ignore"):
        exponents = np.median(columns[:, :-1] / columns[:, -1:], axis=0)
    for i, exponent in enumerate(exponents.tolist()):
        near = [p for p in _near(exponent) if p and abs(exponent - p) <= ROUND]
        yield from ((i, degree) for degree in dict.fromkeys([1.0, *near]))


def _scalings(columns: FloatArray) -> Iterator[Relation]:
    """Yield the relations (D31) with simple weights."""
    n_in = columns.shape[1] - 1
    squares = columns.T @ columns
    sizes = range(2, min(n_in, 3 if n_in <= MOST_INPUTS else 2) + 1)
    for group in (one for size in sizes for one in combinations(range(n_in), size)):
        for place in group:
            others = [j for j in group if j != place]
            for weights in product(WEIGHTS, repeat=len(others)):
                a = np.zeros(n_in + 1)
                a[[place, *others]] = 1.0, *weights
                for degree in _near(float(squares[-1] @ a / squares[-1, -1])):
                    # [eq:scale-symmetry]
                    a[-1] = -degree
                    misfit = float(np.sqrt(max(a @ squares @ a, 0.0) / (a**2 @ np.diag(squares))))
                    # [/eq:scale-symmetry]
                    a[-1] = 0.0
                    yield misfit, place, degree, dict(zip(others, weights, strict=True))


def _near(exponent: float) -> list[float]:
    """Return the nearest integer, and a half where it is near: a poor model shows no more."""
    if not abs(exponent) <= MOST_EXPONENT:
        return []
    half = round(2.0 * exponent) / 2.0
    near = [float(round(exponent))]
    return [*near, half] if half not in near and abs(exponent - half) <= ROUND else near


def _divided(now: Merged, place: int, degree: float, others: dict[int, float]) -> Merged | None:
    """Return the samples without one input, (D36), or None where a power is undefined."""
    base = now.columns[:, place]
    if base.min() <= 0.0 and not all(p.is_integer() for p in (degree, *others.values())):
        return None
    places = [j for j in range(len(now.inner)) if j != place]
    moved = np.array([-others.get(j, 0.0) for j in places])
    with np.errstate(all="ignore"):
        # [eq:scale-reduction]
        weight = now.weight * base**degree
        columns = now.columns[:, places] * base[:, None] ** moved
        # [/eq:scale-reduction]
    factor = now.factor + degree * now.inner[place]
    inner = now.inner[places] + moved[:, None] * now.inner[place]
    is_fine = np.isfinite(columns).all() and np.isfinite(weight).all() and np.abs(weight).min() > 0
    if not (is_fine and np.all(np.mod(2.0 * np.vstack([factor, inner]), 1.0) == 0.0)):
        return None
    return replace(now, factor=factor, inner=inner, weight=weight, columns=columns)


def _pairs(
    points: FloatArray, slopes: FloatArray
) -> Iterator[tuple[float, tuple[str, str], int, int, float]]:
    """Yield the misfit in (D23), u and v, i and j, and r, where the misfit is small."""
    for i, j in combinations(range(points.shape[1]), 2):
        x, y = points[:, i], points[:, j]
        for u, v, p, q in PAIRS:
            # [eq:input-pair]
            table = np.column_stack([slopes[:, i] * p(x, y), slopes[:, j] * q(x, y)])
            sizes = np.linalg.norm(table, axis=0)
            if not (np.isfinite(sizes).all() and sizes.min() > 0.0):
                continue
            _, singular, right = np.linalg.svd(table / sizes, full_matrices=False)
            ratio = float(right[0, 1] / right[0, 0] * sizes[1] / sizes[0])
            # [/eq:input-pair]
            if singular[1] <= NEAR_PAIR * singular[0] and np.isfinite(ratio):
                yield float(singular[1] / singular[0]), (u, v), i, j, _rounded(ratio)


def _rounded(ratio: float) -> float:
    for denominator in (1, 2, 3):
        near = round(denominator * ratio) / denominator
        if near and abs(ratio - near) <= ROUND_RATIO * abs(ratio):
            return near
    return ratio


def _combined(now: Merged, names: tuple[str, str], i: int, j: int, ratio: float) -> Merged:
    """Return the samples with u(x_i) + r v(x_j) in place of two inputs."""
    is_simple = (6.0 * ratio).is_integer() or abs(6.0 * ratio - round(6.0 * ratio)) < 1e-9
    second = trees.multiply(Number(ratio, is_simple), trees.apply(names[1], Input(j)))
    pair = trees.add(trees.apply(names[0], Input(i)), second)
    places = [k for k in range(now.columns.shape[1]) if k not in (i, j)]
    bases = tuple(trees.substitute(one, now.inputs) for one in (pair, *map(Input, places)))
    columns = np.column_stack([trees.values(pair, now.columns), now.columns[:, places]])
    n = len(bases)
    return Merged(bases, now.before, np.zeros(n), np.eye(n), now.weight, columns, now.error)
