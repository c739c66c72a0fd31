"""Say how far a formula explains the data: exact, within noise, or not explained.

`judge_output` has the rule. With the residual r at N training samples and p fitted numbers,

    exact            max |r| is at most 1e-11 of the standard deviation of y: rounding errors
    within noise     r is larger, and depends on nothing that was tested (`residual_tests`)
    not explained    otherwise; and where a condition below does not hold

The formula must be defined at all samples and on lines between neighbours. Samples that determine
its numbers do not test it. Of M different points, the different rows of the inputs it has,

    (D32)  exact           M - p >= p / 2
           within noise    M - p >= p  and  N >= 50, of one input 28

A spare point that is met to 1e-11 is worth 36 bits; about three operations of 5 bits are chosen for
each number. With fewer samples a wrong formula and noise look alike. And each number must matter at
enough points. Let e_b be the change of the formula by a change of the number c, in units of c, and
s the change that one sample shows, sigma with noise. The participation ratio

    (D34)  (sum_b w_b^2)^2 / sum_b w_b^4,   w_b = min(e_b, s),   e_b = |c df/dc (x_b)|

counts the points at which the number matters: 1 for a peak at one sample or a pole beside one. It
must be at least 1.5 p for an exact formula, max(5, 2 p) with noise, if there are many points.

In float64 the formula has, to first order in its numbers and inputs v, a rounding error of up to

    (D35)  eps (|f| + sum_v |v df/dv|)

Nothing is seen below the noise. With sigma^2 = (sum_b r_b^2) / (N - p), a formula may be wrong by

    (D33)  sigma sqrt((8^2 + p) / N)

as a root mean square: 8 standard errors along what was not tried, for at 8 the joint test of 100
products sees them, and one along each fitted number.

If a part u of the formula F(u) should be another curve of u, or another function of its two inputs
v, the residual is near to combinations of

    (D19)  dF/du T_k(u)   or   dF/du T_k(v_1) T_l(v_2)

Where one of these, or a test of `residual_tests` at 1 %, finds something, the formula is one of
several forms that fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray, counted
from kan_ref.data import Data
from kan_ref.discovery import residual_tests
from kan_ref.formulas import numeric_function

KINDS = ("exact", "within noise", "not explained")

# of the standard deviation of y
EXACT = 1e-11  # a larger residual is no rounding error
ROUNDED = 1e-13  # a smaller one is; between them a quotient of polynomials may be near a curve
COARSE = 1e-9  # rounding errors of y: above them a small term leaves no trace

CHANGE = 1e-3  # of a number, for (D34): samples that show it test three digits
NUDGE = 2.0**-26  # of a number: differences for derivatives, right to half of the digits
OUTLIERS = 5  # that a chosen term may meet, with noise
UNSEEN = 8.0  # standard errors
STEP = 1e-5  # of the standard deviation of a part: differences for (D19)
MOST_OF_PART = 15  # columns of (D19): degree 9 of a part, 4 of two inputs
SIMPLE, MOST_SIMPLE = 1e-9, 1e4  # relative: no trained number is so near to n / 2 or n pi / 2
FEW_VALUES = 10  # of an input: with fewer the verdict names it
DEPENDENT = 1e-9  # a smaller singular value is a rounding error
AS_GOOD = 10.0  # of BIC: very strong evidence begins above it (Kass & Raftery 1995)
SHARES = np.linspace(0.1, 0.9, 9)  # of the way to a neighbour: places between samples
EPS, TINY = float(np.finfo(float).eps), 1e-300


@dataclass(frozen=True)
class Verdict:
    """How far a formula explains the data.

    Attributes
    ----------
    kind : str
        "exact", "within noise" or "not explained".
    reasons : tuple of str
        The first one decided.
    ended : str
        "", "interrupted" or "the time is over".
    several : bool
        Whether other forms fit the noise as well.

    Examples
    --------
    >>> import kan_ref as kr
    >>> print(kr.Verdict("within noise", ("the residual is like noise",), several=True))
    within noise: one of several forms that fit; the residual is like noise
    """

    kind: str
    reasons: tuple[str, ...]
    ended: str = ""
    several: bool = False

    @property
    def why(self) -> str:
        """The reasons as one text."""
        several = ("one of several forms that fit",) if self.several else ()
        ended = f" ({self.ended}: the best formula so far)" if self.ended else ""
        return "; ".join((*several, *self.reasons)) + ended

    def __str__(self) -> str:
        return f"{self.kind}: {self.why}"


@np.errstate(all="ignore")
def judge(
    formulas: Sequence[Any],
    names: Sequence[str],
    data: Data,
    *,
    others: Sequence[Sequence[Any]] = (),
) -> Verdict:
    """Return the verdict on the formulas of all outputs; the worst one decides.

    `others`: for each output, other forms that are like noise, with `formula` and `rmse`.
    """
    verdicts = [
        judge_output(Law(one, names), data, j, others[j] if others else ())
        for j, one in enumerate(formulas)
    ]
    worst = max(range(len(verdicts)), key=lambda j: KINDS.index(verdicts[j].kind))
    found = verdicts[worst]
    if len(verdicts) > 1:
        found = replace(found, reasons=(f"output {worst}: {found.reasons[0]}", *found.reasons[1:]))
    return replace(found, several=any(one.several for one in verdicts))


def judge_output(law: "Law", data: Data, output: int, others: Sequence[Any] = ()) -> Verdict:
    """Return the verdict on the formula of one output: the rule."""
    x, y = data.x_train, data.y_train[:, output]
    if undefined := _undefined(law, data):
        return Verdict("not explained", (undefined,))
    residual = y - law.values(x)
    largest, size = float(np.abs(residual).max()), float(np.std(residual))
    unit = max(float(np.std(y) if np.ptp(y) > 0.0 else np.abs(y).max()), TINY)
    grain = 8.0 * EPS * float(np.abs(y).max())  # rounding errors of a few operations
    n, p, fewest = len(x), law.n_fitted, residual_tests.fewest_samples(x.shape[1])
    used = x[:, law.used]  # a constant is tested by every sample
    points = np.unique(used, axis=0, return_index=True)[1] if any(law.used) else np.arange(n)

    is_coarse = grain > COARSE * unit
    is_small = not is_coarse and largest <= max(EXACT * unit, grain)
    rounding = np.maximum(law.rounding_errors(x), max(ROUNDED * unit, grain))
    is_rounded = is_small and bool((np.abs(residual) <= rounding).all())
    dependence = "" if is_rounded else residual_tests.structure(x, residual)
    is_noise = is_small and n >= fewest and not dependence
    kind = "exact" if is_rounded or is_noise else "within noise"
    shown = max(EXACT * unit, grain) / CHANGE if kind == "exact" else max(size, grain)
    against = (
        dependence and f"the residual has structure: {dependence}",
        too_few_samples(n, len(points), p, fewest, kind),
        _weak_number(law, x[points], shown, kind),
        _hole_between_samples(law, x),
    )
    wrong = tuple(filter(None, against))
    kind = "not explained" if wrong else kind

    told = [
        f"the largest error on {n} samples is {largest:.1e}, its root mean square {size:.1e}, and "
        f"y has a standard deviation of {np.std(y):.2g}",
        p and f"{counted(len(points), 'different point')} determine {counted(p, 'fitted number')}",
        is_coarse and f"no formula is exact: y has rounding errors of {grain:.1e}",
        *_of_inputs(law, x),
    ]
    several = False
    if kind == "within noise":
        unseen = max(unseen_error(size, n, p), grain)
        hint = residual_tests.structure(x, residual, false_alarm=residual_tests.SUSPECTED)
        hint = hint or bent_part(law, x, residual)
        told[:0] = [
            hint and f"perhaps another form: {hint}",
            "the residual shows no clear structure" if hint else "the residual shows no structure",
            f"an error with a root mean square below {unseen:.1e} cannot be seen",
            not any(law.used) and "y depends on no input, or varies too fast for the samples",
        ]
        several = bool(hint) or any(_fits_as_well(o, law, x, size, unseen) for o in others)
    return Verdict(kind, (*wrong, *(str(one) for one in told if one)), several=several)


def is_like_noise(x: FloatArray, y: FloatArray, predicted: FloatArray, n_numbers: int) -> bool:
    """Return whether y - predicted (n,) at x (n, n_in) has no structure, for use in a search.

    With fewer than two samples for each fitted number it is False.
    """
    is_tested = 2 * n_numbers <= len(y) and bool(np.isfinite(predicted).all())
    return is_tested and not residual_tests.structure(x, y - predicted)


# --- numbers and samples


def fitted_numbers(*formulas: Any) -> set[float]:
    """Return the sizes of the numbers that samples have determined.

    Integers and fractions were chosen; so were multiples of 1/2 and pi / 2, up to 1e-9.
    """
    import sympy

    found = {abs(float(number)) for one in formulas for number in one.atoms(sympy.Float)}

    def is_whole(v: float) -> bool:
        return v < MOST_SIMPLE and abs(v - round(v)) <= SIMPLE * v

    return {c for c in found if not (is_whole(2.0 * c) or is_whole(2.0 * c / np.pi))}


class Law:
    """A formula of inputs called `names`: its values, and how they depend on its numbers."""

    def __init__(self, formula: Any, names: Sequence[str]) -> None:
        """Compile the formula with a symbol for each number but 0 and 1."""
        import sympy

        self.formula, self.names = formula, tuple(names)
        self.n_fitted = len(fitted_numbers(formula))
        used = {symbol.name for symbol in formula.free_symbols}
        self.used = [name in used for name in names]
        numbers = {abs(c) for c in formula.atoms(sympy.Number) if abs(float(c)) not in (0.0, 1.0)}
        symbols = {c: sympy.Dummy(positive=True) for c in sorted(numbers, key=float)}
        signed = symbols | {-c: -symbol for c, symbol in symbols.items()}
        self.numbers = np.array([float(c) for c in symbols])
        self._f = numeric_function((formula.xreplace(signed),), names, list(symbols.values()))

    def values(self, x: FloatArray) -> FloatArray:
        """Compute the formula at x (n, n_in), as (n,); not finite where it is undefined."""
        return np.asarray(self._f(x, *self.numbers)[:, 0])

    def effects(self, x: FloatArray, change: float) -> FloatArray:
        """Return |c df/dc| at x (n, n_in) for each number c, (n_numbers, n), by a relative change.

        Infinite where the changed formula is undefined.
        """
        changed = self.numbers * (1.0 + change * np.eye(len(self.numbers)))
        e = [(self._f(x, *one)[:, 0] - self.values(x)) / change for one in changed]
        return np.nan_to_num(np.abs(e).reshape(-1, len(x)), nan=np.inf, posinf=np.inf)

    def rounding_errors(self, x: FloatArray) -> FloatArray:
        """Return the rounding errors (D35) at x (n, n_in), as (n,).

        Of e^(t / 2 - 1000), 1000 contributes 1000 eps of the value.
        """
        e, here = self.effects(x, NUDGE), self.values(x)
        total = np.abs(here) + np.where(np.isfinite(e), e, 0.0).sum(axis=0)
        for factors in 1.0 + NUDGE * np.eye(x.shape[1]):
            total += np.nan_to_num(np.abs(self.values(x * factors) - here) / NUDGE)
        return np.asarray(EPS * total)


def too_few_samples(n: int, n_points: int, p: int, fewest: int, kind: str) -> str:
    """Return why n samples at n_points do not test p fitted numbers, (D32); "" if they do."""
    if kind == "within noise" and n < fewest:
        return f"there are {n} samples, but {fewest} are needed to see structure"
    # [eq:spare-samples]
    needed = p / 2 if kind == "exact" else p
    if n_points - p >= needed:
        return ""
    # [/eq:spare-samples]
    return (
        f"{counted(n_points, 'different point')} determine {counted(p, 'fitted number')}, so "
        f"{max(n_points - p, 0)} are left to test the formula, but {needed:g} are needed"
    )


def unseen_error(size: float, n: int, p: int) -> float:
    """Return (D33) for a residual with the root mean square `size` at n samples."""
    # [eq:unseen-error]
    sigma = size * np.sqrt(n / (n - p))
    return float(sigma * np.sqrt((UNSEEN**2 + p) / n))
    # [/eq:unseen-error]


def _weak_number(law: Law, x: FloatArray, shown: float, kind: str) -> str:
    """Return which number matters at too few of the points x, (D34); "" if there is none.

    A number without which the formula has the same values need not be tested.
    """
    p, m = law.n_fitted, len(x)
    least = min(1.5 * max(p, 1), m / 2) if kind == "exact" else min(max(OUTLIERS, 2 * p), m / 4)
    without = law.effects(x, CHANGE - 1.0)
    for number, e, gone in zip(law.numbers, law.effects(x, CHANGE), without, strict=True):
        # [eq:number-effect]
        w = np.minimum(e / shown, 1.0) ** 2
        count = w.sum() ** 2 / max(np.sum(w**2), TINY)
        # [/eq:number-effect]
        if count < least and gone.max() > shown:
            return (
                f"the number {number:.6g} matters at {count:.1f} of {m} different points, "
                f"but {least:g} are needed to test it"
            )
    return ""


# --- places and inputs


def _undefined(law: Law, data: Data) -> str:
    """Return at how many samples a formula is undefined; test samples count inside the range."""
    low, high = data.x_train.min(axis=0), data.x_train.max(axis=0)
    inside = data.x_test[((low <= data.x_test) & (data.x_test <= high)).all(axis=1)]
    where = "test samples inside the range of the training samples"
    for x, what in ((data.x_train, "samples"), (inside, where)):
        if count := int((~np.isfinite(law.values(x))).sum()):
            return f"the formula is undefined at {count} of {len(x)} {what}"
    return ""


def _hole_between_samples(law: Law, x: FloatArray) -> str:
    """Return where a formula is undefined on lines between neighbours; "" if nowhere."""
    pairs = residual_tests.neighbour_pairs(residual_tests.standardised(x))
    a, b = x[pairs[:, 0]], x[pairs[:, 1]]
    middle = np.vstack([a + share * (b - a) for share in SHARES])
    holes = middle[~np.isfinite(law.values(middle))]
    if not len(holes):
        return ""
    place = ", ".join(f"{n} = {v:.4g}" for n, v in zip(law.names, holes[0], strict=True))
    return f"between samples the formula is undefined, for example at {place}"


def _of_inputs(law: Law, x: FloatArray) -> list[str]:
    """Return which inputs take few values, and which others determine by a line."""
    told = []
    for name, column, is_used in zip(law.names, x.T, law.used, strict=True):
        size = max(float(np.abs(column).max()), TINY)
        count = len(np.unique(np.round(column / size, 13)))  # constant up to rounding
        if count == 1 or (count < FEW_VALUES and is_used):
            told.append(f"{name} takes {counted(count, 'value')}: no other one is tested")
    _, singular, vectors = np.linalg.svd(residual_tests.standardised(x), full_matrices=False)
    null = np.abs(vectors[singular <= DEPENDENT * singular.max()])
    is_dependent = (null > DEPENDENT**0.5).any(axis=0) & (np.ptp(x, axis=0) > 0.0)
    if (is_dependent & law.used).any():
        those = " and ".join(np.array(law.names)[is_dependent])
        told.append(f"{those} are linearly dependent: others may stand for them")
    return told


# --- other forms


def bent_part(law: Law, x: FloatArray, residual: FloatArray) -> str:
    """Return at which part of the formula another curve seems to fit better, (D19); "" if at none.

    Noise alone gives one in 100 times.
    """
    import sympy

    u, r, found = sympy.Dummy(), residual / np.abs(residual).max(), list[tuple[float, Any]]()
    parts = dict.fromkeys(p for p in sympy.preorder_traversal(law.formula) if p.free_symbols)
    for part in parts:
        v = numeric_function((part,), law.names)(x)
        f = numeric_function((law.formula.xreplace({part: u}),), law.names, [u])
        h = STEP * float(np.std(v))
        used = [name in {symbol.name for symbol in part.free_symbols} for name in law.names]
        for inputs in (v, x[:, used])[: sum(used)]:
            # [eq:bent-part]
            slope = f(x, v[:, 0] + h) - f(x, v[:, 0] - h)  # 2 h dF/du
            if slope.any() and np.isfinite(slope).all() and inputs.shape[1] <= 2:
                columns = residual_tests.product_columns(inputs, slope, MOST_OF_PART)
                z = residual_tests.joint_statistic(columns, r, [r**2])
                # [/eq:bent-part]
                found.append((z, part))
    z, part = max(found, key=lambda one: one[0], default=(0.0, ""))
    clear = NormalDist().inv_cdf(1.0 - residual_tests.SUSPECTED / max(len(found), 1))
    return f"a curve in place of {part}, z = {z:.3g} (noise: at most {clear:.1f})" * (z > clear)


def form(formula: Any) -> str:
    """Return a formula as text without the numbers among its terms and factors."""
    if formula.is_number or not formula.args:
        return str(formula.evalf(2))
    if not (formula.is_Add or formula.is_Mul):
        return f"{formula.func}({', '.join(map(form, formula.args))})"
    parts = sorted(form(part) for part in formula.args if not part.is_number)
    return parts[0] if len(parts) == 1 else f"{formula.func}({', '.join(parts)})"


def _fits_as_well(other: Any, law: Law, x: FloatArray, error: float, unseen: float) -> bool:
    """Return whether another form has a BIC as low, and values that samples cannot tell apart."""
    formula, gain = other.formula, 2.0 * len(x) * np.log(other.rmse / error)
    price = np.log(len(x)) * (_price(formula) - _price(law.formula))
    difference = Law(formula, law.names).values(x) - law.values(x)
    is_as_good = gain + price <= AS_GOOD and np.mean(difference**2) <= unseen**2
    return bool(is_as_good) and form(formula) != form(law.formula)


def _price(formula: Any) -> int:
    return int(formula.count_ops()) + 2 * len(fitted_numbers(formula))
