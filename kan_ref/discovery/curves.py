"""Name a curve of one input: c B(x) + d with B one function, a composition, a sum or a product.

Candidates are single functions of the library (`kan_ref.symbolic`), polynomials, quotients of
polynomials, powers beside a function, and what `screening` finds among compositions, sums and
products. The best of each kind are trained (`polish`), and those are kept that are near the best
one, the simplest among them.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import product
from typing import TypeVar

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.discovery.atoms import polynomial, power_of
from kan_ref.discovery.exponentials import (
    LARGEST_EXPONENT,
    N_EXPONENTIALS,
    exponential_polynomials,
    exponentials_beside_powers,
    powers_with_exponentials,
    waves_beside_powers,
)
from kan_ref.discovery.linear_models import WIDE
from kan_ref.discovery.polish import Fitted, bic, polished, rmse_of
from kan_ref.discovery.powers import powers_beside_terms, products_of_powers
from kan_ref.discovery.quotients import rational_functions
from kan_ref.discovery.screening import screened
from kan_ref.discovery.trees import (
    Apply,
    Input,
    Number,
    Tree,
    affine,
    apply,
    complexity,
    multiply,
    substitute,
    values,
)
from kan_ref.functions import LIBRARY
from kan_ref.symbolic import rank_functions

Item = TypeVar("Item")
N_POINTS = 120
FEW_TERMS = 5  # degrees of a quotient that is tried before compositions
N_TRAINED = 16  # candidates that are trained fully
IN_EXPONENT = ("log", "1/x", "1/x^2", "sqrt", "x^2", "x^3", "sin", "tanh", "arctan")
EXPONENTS_BESIDE = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0)
BESIDE_A_POWER = ("exp", "sin", "tanh", "log", "sqrt", "x^2")
N_BESIDE_A_POWER = 6
TINY = 3.6e-15  # of the largest value, 16 rounding errors: a curve that varies by less is constant
BLURRED = 1e-3  # of the standard deviation: with larger errors more names are kept
SURE = 1e-6  # of the standard deviation: candidates at this accuracy are right


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
    deadline: float = np.inf,
    trained: dict[str, Fitted] | None = None,
) -> list[Fitted]:
    """Return trees of one input that come near the samples of a curve, the best first.

    Parameters
    ----------
    x, y : (n,)
    error : float
        Of y: smaller misfits are equal.
    most : int
        The largest number of trees; twice as many where the error is large.
    deadline : float
        Of `time.monotonic`; later no further stage and no further candidate but one is begun.
    trained : dict, optional
        Given where the curve is the whole problem: more candidates are then trained. It gets them
        one by one, and an interrupt leaves those so far in it.

    Notes
    -----
    Stages of candidates follow each other, from polynomials and single functions to rational
    functions and what `screening` finds, up to one that has the accuracy of the samples. Where none
    has, and the samples have no noise, the candidates that were left out after a few steps are
    trained fully, too, the simplest first.
    """
    order = np.argsort(x)
    if len(x) > N_POINTS:
        order = order[np.linspace(0, len(x) - 1, N_POINTS).astype(int)]
    x, y = x[order], y[order]
    spread = float(np.std(y))
    if spread <= max(error, TINY * float(np.abs(y).max()), 1e-300):
        return [Fitted(Number(float(np.mean(y))), spread)]
    floor = floor_of(y, error, 1e-13)
    points = x[:, None]
    is_whole = trained is not None
    trained = {} if trained is None else trained

    def is_sure(found: Fitted) -> bool:
        """Return whether the tree is so near that no other function is that near by chance."""
        return found.rmse <= 2.0 * floor and floor <= SURE * spread

    def train(tree: Tree) -> Fitted:
        """Train the numbers of a candidate fully, and keep it."""
        found = polished(tree, points, y, n_steps=40)
        if np.isfinite(found.rmse):
            trained[str(_shape(found.tree)) + f"{found.rmse:.1e}"] = found
        return found

    left: list[Tree] = []
    for started in _before(deadline, _stages(x, y, floor, is_whole)):
        n_steps = 12 if is_whole else 8
        first = [polished(tree, points, y, n_steps=n_steps) for tree in _before(deadline, started)]
        first.sort(key=lambda one: bic(one, len(x), floor))
        n_trained = 3 * N_TRAINED if is_whole else N_TRAINED
        left += [one.tree for one in first[n_trained:]]
        if any(is_sure(train(one.tree)) for one in _before(deadline, first[:n_trained])):
            break
    else:  # after a few steps sums of many terms hide a simple law that is not trained yet
        if floor <= SURE * spread and time.monotonic() <= deadline:
            for tree in _before(deadline, sorted(left, key=complexity)):
                if is_sure(train(tree)):
                    break
    if not trained:  # all values overflow
        return [Fitted(Number(float(np.mean(y))), spread)]
    near = _near_best(sorted(trained.values(), key=lambda one: bic(one, len(x), floor)), floor)
    plain = sorted(near, key=lambda one: (one.complexity, one.rmse))[:1]
    if floor > BLURRED * spread:  # many functions are equally near
        most *= 2
    return list(dict.fromkeys([*near[: most - 1], *plain]))


def _near_best(found: list[Fitted], floor: float) -> list[Fitted]:
    """Return the trees that are near the best one, in their order."""
    limit = max(30.0 * min(one.rmse for one in found), 3.0 * floor)
    return [one for one in found if one.rmse <= limit]


def at_all_samples(found: list[Fitted], x: FloatArray, y: FloatArray, error: float) -> list[Fitted]:
    """Return names of a curve with their errors at all samples (n,), those near the best one.

    `name_curve` trains on at most `N_POINTS`: at others a name may be undefined or far off. Where
    all errors are more than twice that of the best line, it and the constant come instead.
    """
    if len(x) <= N_POINTS:
        return found
    points, floor = x[:, None], floor_of(y, error, 1e-13)
    found = [Fitted(one.tree, rmse_of(one.tree, points, y)) for one in found]
    line = polished(polynomial(1, x), points, y)
    if min(one.rmse for one in found) > 2.0 * max(line.rmse, floor):
        return [line, Fitted(Number(float(np.mean(y))), float(np.std(y)))]
    return _near_best(found, floor)


def _before(deadline: float, items: Iterable[Item]) -> Iterator[Item]:
    """Yield the first item, and further ones until the deadline."""
    for one in items:
        yield one
        if time.monotonic() > deadline:
            return


def _stages(x: FloatArray, y: FloatArray, floor: float, is_whole: bool) -> Iterator[list[Tree]]:
    """Yield lists of candidates, the simplest kinds first.

    A polynomial through all n_values values of x fits any curve: higher degrees say nothing more.
    """
    n_values = len(np.unique(x))
    yield [polynomial(degree, x) for degree in (1, 2, 3) if degree < n_values]
    yield list(_single(x, y, floor))
    has_one_sign = y.min() * y.max() > 0.0
    if has_one_sign:
        yield [apply("1/x", tree) for tree in _single(x, 1.0 / y, 0.0)]
    yield list(rational_functions(x, y, floor, FEW_TERMS))
    yield [
        *_exponentials(x, y),
        *powers_with_exponentials(x, y, floor),
        *powers_beside_terms(x, y),
    ]
    if has_one_sign:
        yield [apply("1/x", tree) for tree in powers_beside_terms(x, 1.0 / y)]
    yield list(_in_logarithm(x, y, floor))
    yield [
        *products_of_powers(x, y, floor),
        *exponential_polynomials(x, y, floor),
        *exponentials_beside_powers(x, y, floor),
        *_beside_a_power(x, y),
    ]
    yield list(waves_beside_powers(x, y, floor))
    yield screened(x, y, 3 if is_whole else 1)
    yield [polynomial(degree, x) for degree in (4, 5, 6) if degree < n_values]
    high = [polynomial(degree, x) for degree in (7, 8, 9) if degree < n_values]
    yield [*rational_functions(x, y, floor), *high]


def _shape(tree: Tree) -> object:
    """Return the form of a tree without its numbers, whatever the order of terms and factors."""
    if isinstance(tree, Number):
        return "c"
    if isinstance(tree, Input):
        return "x"
    if isinstance(tree, Apply):
        return (tree.function.name, _shape(tree.part))
    return (type(tree).__name__, tuple(sorted(map(_shape, tree.parts), key=str)))


def _single(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield c f(a x + b) + d for the nearest functions of the library."""
    names = [name for name in LIBRARY if name not in ("0", "sgn")]
    ranked = rank_functions(x, y, names)
    least = max(min(one.rms for one in ranked), floor)
    for one in [one for one in ranked if one.rms <= 30.0 * least][:5]:
        if one.name == "x":
            yield affine(Input(0), one.a * one.c, one.b * one.c + one.d)
        else:
            inner = affine(Input(0), one.a, one.b)
            yield affine(apply(one.name, inner), one.c, one.d)


def _exponentials(x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield exp(c f(a x + b) + d), which with f = log is a power (a x + b)^c, for y of one sign."""
    if not y.min() * y.max() > 0.0:
        return
    for one in rank_functions(x, np.log(np.abs(y)), IN_EXPONENT)[:N_EXPONENTIALS]:
        if abs(one.d) < LARGEST_EXPONENT:
            inner = affine(apply(one.name, affine(Input(0), one.a, one.b)), one.c, 0.0)
            yield multiply(Number(float(np.sign(y[0]) * np.exp(one.d))), apply("exp", inner))


def _in_logarithm(x: FloatArray, y: FloatArray, floor: float) -> Iterator[Tree]:
    """Yield polynomials and quotients of log x for wide x > 0, and exponentials of polynomials."""
    if x.min() <= 0.0 or x.max() <= WIDE * x.min():
        return
    z = np.log(x)
    inner = [apply("log", Input(0))]
    for tree in [polynomial(2, z), polynomial(3, z), *rational_functions(z, y, floor, FEW_TERMS)]:
        yield substitute(tree, inner)
    if y.min() * y.max() > 0.0:
        for degree in (2, 3):
            found = polished(polynomial(degree, z), z[:, None], np.log(np.abs(y)))
            tree = apply("exp", substitute(found.tree, inner))
            yield multiply(Number(float(np.sign(y[0])), True), tree)


def _beside_a_power(x: FloatArray, y: FloatArray) -> Iterator[Tree]:
    """Yield x^p (c f(a x + b) + d) and x^p / (c f(a x + b) + d) for x > 0, the nearest ones."""
    if x.min() <= 0.0:
        return
    found = []
    for exponent, outer in product(EXPONENTS_BESIDE, ("x", "1/x")):
        rest = y / x**exponent
        if outer == "1/x" and not rest.min() * rest.max() > 0.0:
            continue
        inside = 1.0 / rest if outer == "1/x" else rest
        if np.isfinite(inside).all() and np.std(inside) > TINY * np.abs(inside).max():
            for one in rank_functions(x, inside, BESIDE_A_POWER)[:2]:
                part = affine(apply(one.name, affine(Input(0), one.a, one.b)), one.c, one.d)
                tree = multiply(power_of(Input(0), exponent), apply(outer, part))
                found.append((float(np.std(values(tree, x[:, None]) - y)), tree))
    found = [one for one in found if np.isfinite(one[0])]
    yield from (tree for _, tree in sorted(found, key=lambda one: one[0])[:N_BESIDE_A_POWER])
