"""Compare a formula with samples: which numbers they test, what lies between them, its network.

A formula may meet the samples by a term that nearly all of them leave alone: a narrow peak at one
sample, or a pole beside an outlier. Let e_jb be how far the number c_j changes the formula f at the
sample x_b, extrapolated from a change of one thousandth:

    (D34)  e_jb = 1000 |f(x_b; 1.001 c_j) - f(x_b; c_j)|

Of an exact formula, let S_j be the samples where the change of one thousandth is above the error
that is allowed there, and p_j how many fitted numbers c_k, itself among them, have S_k within S_j.
Then (D32) must hold for the M_j different points among S_j alone: 2 (M_j - p_j) >= p_j. At least
one number counts, also if all were chosen.

With noise of size sigma, a number matters by sqrt(sum_b e_jb^2) / sigma standard errors. Outliers
can be met by a term that is chosen for them. Hence a number that matters by 4 standard errors or
more must do so without the points where the sum of e_jb^2 over their samples is largest, as many as
have m = max(5, 2 p) samples, unless these have less than nine tenths of the sum.

What training leaves of a number that is 0 need not be tested: it has no effect on the samples, nor
has a thousandth of it. In a steep step, such as 1 / (1 + exp(-1e5 x)), no sample tests the number
1e5 either, but the step would vanish with it. Such a number is needed, and it is not tested.

In float64 each number v of a formula but integers, and the value v of each sum, product and
function in it, has a rounding error of about eps = 2.2e-16 of its size or less. To first order the
formula then has, at the sample x_b, a rounding error of up to about

    (D35)  rho_b = eps sum_v |v df/dv (x_b)|

Of e^(t / 2 - 1000), the constant contributes 1000 eps times the value.

Samples say nothing between them. A verdict that a formula is exact or within noise names poles
in the box of the samples, points midway between neighbours where the formula is undefined, and
values there far beyond those at the samples. The true function may be so, too. A network of the
formula is given if it has the formula's values at the samples, up to rounding errors.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kan_ref.checks import BoolArray, FloatArray
from kan_ref.data import Data
from kan_ref.discovery.records import formula_values
from kan_ref.discovery.residual_tests import neighbour_pairs, standardised
from kan_ref.discovery.spare_samples import (
    count_fitted,
    different_points,
    is_fitted,
    tests_exactness,
)
from kan_ref.discovery.verdict import Verdict, allowed_error, resolution
from kan_ref.formulas import from_formula
from kan_ref.network import Network, domain_of_samples, network_values

CHANGE = 1e-3  # of a number, (D34): of an exact formula, the samples test numbers that closely
LEFT_OUT = 5  # samples, at least
SEEN = 4.0  # standard errors
MOST = 0.9  # of a sum of squares
N_STEPS, N_ROUNDS = 1000, 6  # of the search for a zero: 1000^-6 of a distance is below rounding
SMALL = 2.0**-26  # of a value: differences for derivatives, accurate to half of the digits
POLE = 1e6  # times the largest value at the samples
FAR = 1.0  # ranges of the values at the samples
NETWORK = 1e-11  # of the largest value of a formula: a network of it may be wrong by that
ROUNDING = 1e-12  # of the range of an input: a coordinate that is nearer to 0 is 0
CALL = "kr.from_formula(found.formula, found.names, domain=...)"  # `discover` has no domain=

Changes = Callable[..., FloatArray]


def effects(expression: Any, x: FloatArray, names: tuple[str, ...]) -> dict[Any, FloatArray]:
    """Return (D34) at x (n, n_in) for each number of a formula but 0, 1 and -1, as (n,) each.

    Infinite where the changed formula is undefined. Those of fitted numbers come first.
    """
    import sympy

    found = {}
    for number in sorted(expression.atoms(sympy.Number), key=lambda c: (not is_fitted(c), c)):
        if number.is_finite and abs(number) not in (0, 1):
            # [eq:number-effect]
            found[number] = _changes(expression, number, 1.0 + CHANGE, x, names) / CHANGE
            # [/eq:number-effect]
    return found


def _changes(
    expression: Any, number: Any, factor: float, x: FloatArray, names: tuple[str, ...]
) -> FloatArray:
    """Return how far a formula changes at x (n, n_in), as (n,), with factor times a number."""
    import sympy

    changed = expression.xreplace({number: sympy.Float(factor * float(number), 17)})
    values = formula_values((expression, changed), x, names)
    change = np.abs(values[:, 1] - values[:, 0])
    return np.where(np.isfinite(change), change, np.inf)


def rounding_errors(expression: Any, x: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Return (D35), a bound on the rounding errors of a formula at x (n, n_in), as (n,).

    A part contributes nothing where the formula of its changed value is undefined.
    """
    import sympy

    parts = {
        one
        for one in sympy.preorder_traversal(expression)
        if isinstance(one, sympy.Expr) and (one.args or (one.is_number and not one.is_Integer))
    }
    changed = [expression.xreplace({part: part * sympy.Float(1.0 + SMALL, 17)}) for part in parts]
    values = formula_values((expression, *changed), x, names)
    derivatives = np.abs(values[:, 1:] - values[:, :1]) / SMALL
    errors: FloatArray = np.finfo(float).eps * np.nansum(derivatives, axis=1)
    return errors


def weak_number(
    expression: Any, x: FloatArray, y: FloatArray, names: tuple[str, ...], *, is_exact: bool
) -> str:
    """Return which number of a formula for y (n,) at x (n, n_in) too few samples test, or ""."""
    samples, counts = different_points(expression, x, names)
    by_number = effects(expression, x[samples], names)
    without = partial(_changes, expression, factor=CHANGE, x=x[samples], names=names)
    if not is_exact:
        residual = y - formula_values(expression, x, names)[:, 0]
        sigma = max(float(np.std(residual)), resolution(y))
        return _weak_in_noise(by_number, without, counts, sigma)
    return _weak_in_exact(by_number, without, counts, allowed_error(y) / CHANGE)


def _weak_in_exact(
    by_number: dict[Any, FloatArray], without: Changes, counts: NDArray[np.intp], least: float
) -> str:
    """Return which number of an exact formula too few points test, "" if there is none.

    `without`: the changes with a thousandth of a number; `counts` (M,): the samples at each point;
    `least`: the changes that show.
    """
    support: dict[Any, BoolArray] = {number: e > least for number, e in by_number.items()}
    for number, points in support.items():
        if not points.any() and without(number=number).max() <= least:
            continue
        within = [one for one, s in support.items() if not (s & ~points).any()]
        count, p = int(points.sum()), max(1, count_fitted(within))
        if not tests_exactness(count, p):
            return (
                f"a change of the number {float(number):.6g} by a thousandth shows at {count} of "
                f"{_counted(counts)}, too few to test it"
            )
    return ""


def _weak_in_noise(
    by_number: dict[Any, FloatArray], without: Changes, counts: NDArray[np.intp], sigma: float
) -> str:
    """Return which number matters only at a few samples or points, "" if there is none."""
    n_out = max(LEFT_OUT, 2 * count_fitted(by_number))
    for number, e in by_number.items():
        squares, seen = counts * e**2, (SEEN * sigma) ** 2
        order = np.argsort(-squares)
        before = np.cumsum(counts[order]) - counts[order]
        whole, rest = float(squares.sum()), float(squares[order][before >= n_out].sum())
        few = whole >= seen > rest and rest < (1.0 - MOST) * whole
        if few or (whole < seen and float(counts @ without(number=number) ** 2) >= seen):
            return (
                f"the number {float(number):.6g} matters at {int(np.sum(before < n_out))} or fewer "
                f"of {_counted(counts)}, too few to test it"
            )
    return ""


def _counted(counts: NDArray[np.intp]) -> str:
    """Return how many points there are, in words: samples, if there is one at each."""
    return f"{len(counts)} {'different points' if (counts > 1).any() else 'samples'}"


def between_samples(expression: Any, x: FloatArray, names: tuple[str, ...]) -> str:
    """Return what a formula does between samples x (n, n_in) that they do not show; "" if nothing.

    Costs n^2 n_in operations for the neighbours, and about 10 evaluations of the formula.
    """
    values = formula_values(expression, x, names)[:, 0]
    low, high = float(values.min()), float(values.max())
    for point in _poles(expression, x, names):
        found = np.abs(formula_values(expression, point, names))
        if not np.isfinite(found).all() or found.max() > POLE * max(abs(low), abs(high)):
            return f"between samples it has a pole, near {_place(point[0], x, names)}"
    if len(x) < 5:
        return ""
    pairs = neighbour_pairs(standardised(x))
    middle = 0.5 * (x[pairs[:, 0]] + x[pairs[:, 1]])
    found = formula_values(expression, middle, names)[:, 0]
    undefined = np.isnan(found)
    if undefined.any():
        where = _place(middle[undefined.argmax()], x, names)
        return f"between samples it is undefined, for example at {where}"
    outside = np.maximum(low - found, found - high)
    at = int(outside.argmax())
    if outside[at] <= FAR * (high - low):
        return ""
    where = _place(middle[at], x, names)
    return (
        f"between samples it reaches {found[at]:.2g}, for example at {where}, but lies between "
        f"{low:.2g} and {high:.2g} at them"
    )


def _place(point: FloatArray, x: FloatArray, names: tuple[str, ...]) -> str:
    point = np.where(np.abs(point) <= ROUNDING * np.ptp(x, axis=0), 0.0, point)
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, point, strict=True))


def _poles(expression: Any, x: FloatArray, names: tuple[str, ...]) -> Iterator[FloatArray]:
    """Yield points (2, n_in) on both sides of where a denominator vanishes between two samples."""
    import sympy

    plain = expression.replace(sympy.tan, lambda u: sympy.sin(u) / sympy.cos(u))
    powers = [
        one for one in plain.atoms(sympy.Pow) if one.exp.is_negative and one.base.free_symbols
    ]
    for base in dict.fromkeys(one.base for one in powers):
        values = formula_values(base, x, names)[:, 0]
        if not (values.min() < 0.0 < values.max()):
            continue
        # the two samples of both signs where it is nearest to 0
        a = x[np.where(values < 0.0, values, -np.inf).argmax()]
        b = x[np.where(values > 0.0, values, np.inf).argmin()]
        for _ in range(N_ROUNDS):
            points = a + np.linspace(0.0, 1.0, N_STEPS + 1)[:, None] * (b - a)
            signs = formula_values(base, points, names)[:, 0] > 0.0
            place = int(signs.argmax())
            a, b = points[max(place - 1, 0)], points[place]
        yield np.stack([a, b])


def network_of(
    expressions: tuple[Any, ...], names: tuple[str, ...], data: Data, verdict: Verdict
) -> tuple[Network | None, Verdict]:
    """Return the formula as a network, or None and the verdict with the reason.

    At the training samples it may differ by `NETWORK`, beside rounding errors of the formula (D35).
    """
    x = data.x_train
    try:
        low, high = x.min(axis=0), x.max(axis=0)
        box = np.column_stack([low, high])
        box[low == high] = domain_of_samples(x)[low == high]  # of a constant input
        network = from_formula(expressions, names, domain=box)
        for place, one in enumerate(expressions):
            _check_network(network, place, one, names, x)
    except ValueError as error:
        why = str(error).replace("give domain= with", f"call {CALL} with")
        return None, Verdict(verdict.kind, f"{verdict.why}; there is no network of it: {why}")
    return network, verdict


@np.errstate(all="ignore")
def _check_network(
    network: Network, output: int, expression: Any, names: tuple[str, ...], x: FloatArray
) -> None:
    """Raise ValueError if an output of a network is not its formula at x, where that is defined."""
    values = formula_values(expression, x, names)[:, 0]
    defined = np.isfinite(values)
    x, values = x[defined], values[defined]
    errors = np.abs(network_values(network, x)[:, output] - values)
    if not np.isfinite(errors).all():
        raise ValueError("it would be undefined at a training sample where the formula is not")
    size = float(np.abs(values).max(initial=0.0))
    wrong = errors > NETWORK * size + 8.0 * rounding_errors(expression, x, names)
    if wrong.any():
        raise ValueError(
            f"it would differ from the formula by {errors[wrong].max():.1e} at a training sample, "
            f"but the formula is at most {size:.1e} there, and {NETWORK:g} of it is allowed: "
            "rounding errors grow where large numbers cancel"
        )
