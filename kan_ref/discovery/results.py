"""From trees to records: formulas in SymPy, verdicts, fronts, networks, formulas of a curve.

A search finds trees. Here they are written as expressions, judged, compared and made networks.

`suggest_formulas` does this for a curve of one variable. `suggest_symbolic` fits c f(a x + b) + d,
with f one function or a composition f(g). An edge whose curve is a sum or a product of functions
needs more: candidates here are those of the slices of `discover`, that is single functions,
polynomials, quotients of polynomials, f(g(x)), f(x) + r g(x), f(x) g(x) and f(x) (g(x) + k), each
with lines in x inside (`curves`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.curves import BLURRED, at_all_samples, floor_of, name_curve
from kan_ref.discovery.polish import SMALLEST, bic
from kan_ref.discovery.records import Alternative, Discovery, distinct, formula_values
from kan_ref.discovery.sample_support import between_samples, rounding_errors, weak_number
from kan_ref.discovery.slice_search import SliceSearch
from kan_ref.discovery.spare_samples import different_points, fitted_numbers
from kan_ref.discovery.trees import Apply, Input, Number, Sum, Tree
from kan_ref.discovery.varying_inputs import Inputs, dependent_columns
from kan_ref.discovery.verdict import Verdict, judge
from kan_ref.formulas import apply_function, exact_number, written
from kan_ref.network import Network
from kan_ref.training import Scaler

KINDS = ("exact", "within noise", "not explained")
LEAST_SAMPLES = 10
MANY = 10_000  # names of a curve, more than there are
N_PLACES = 500  # where formulas of a curve are compared
FEW = 10  # values of an input, below which a verdict names it


def expression_of(tree: Tree, names: Sequence[str]) -> Any:
    """Return the tree as an expression of symbols called `names`.

    Numbers that were fixed are integers and fractions, trained ones have 17 digits.
    """
    import sympy

    real = [sympy.Dummy(real=True) for _ in names]
    plain = [sympy.Symbol(name) for name in names]
    return _written(tree, real).xreplace(dict(zip(real, plain, strict=True)))


def written_at(expression: Any, names: Sequence[str], x: FloatArray) -> Any:
    """Return a formula of inputs called `names` as one would write it for samples x (n, n_in)."""
    import sympy

    return written(expression, [sympy.Symbol(name) for name in names], x)


def _written(tree: Tree, inputs: Sequence[Any]) -> Any:
    import sympy

    if isinstance(tree, Number):
        doubled = 2.0 * tree.value
        if tree.fixed and doubled.is_integer() and abs(doubled) < 2e6:
            return sympy.Rational(int(doubled), 2)
        return exact_number(float(tree.value))  # SymPy cannot read the text of a NumPy scalar
    if isinstance(tree, Input):
        return inputs[tree.index]
    if isinstance(tree, Apply):
        return apply_function(tree.function, _written(tree.part, inputs))
    parts = [_written(part, inputs) for part in tree.parts]
    return sympy.Add(*parts) if isinstance(tree, Sum) else sympy.Mul(*parts)


def front_of(search: SliceSearch, data: Data, names: tuple[str, ...]) -> tuple[Alternative, ...]:
    """Return the front of a search as formulas."""
    n = len(data.x_train)
    floor = floor_of(data.y_train, 0.0)
    return tuple(
        Alternative(expression_of(one.tree, names), one.rmse, one.complexity, bic(one, n, floor))
        for one in search.front
    )


def splines_of(searches: Sequence[SliceSearch], data: Data) -> tuple[Network, Scaler]:
    """Return the surrogate and its scaler; of several outputs, the first one's."""
    one = searches[0].surrogate
    return one.network, Scaler(
        one.x_mean, one.x_std, np.array([one.y_mean]), np.array([one.y_std]), None
    )


def judged(
    data: Data, expression: Any, names: tuple[str, ...], rng: np.random.Generator
) -> Verdict:
    """Return the verdict on a formula; of several outputs, the worst one with its number."""
    predicted = formula_values(expression, data.x_train, names)
    expressions = expression if isinstance(expression, tuple) else (expression,)
    verdicts = []
    for one, y, values in zip(expressions, data.y_train.T, predicted.T, strict=True):
        rounding = partial(rounding_errors, one, data.x_train, names)
        n_points = len(different_points(one, data.x_train, names)[0])
        verdict = judge(data.x_train, y, values, rng, fitted_numbers(one), rounding, n_points)
        if verdict.kind == "not explained":
            verdicts.append(verdict)
            continue
        weak = weak_number(one, data.x_train, y, names, is_exact=verdict.kind == "exact")
        beside = f"{weak}; without this rule it would be {verdict}"
        verdicts.append(Verdict("not explained", beside) if weak else verdict)
    worst = max(range(len(verdicts)), key=lambda j: KINDS.index(verdicts[j].kind))
    if len(verdicts) == 1:
        return verdicts[0]
    return Verdict(verdicts[worst].kind, f"output {worst}: {verdicts[worst].why}")


def of_all_inputs(found: Discovery, inputs: Inputs, names: tuple[str, ...]) -> Discovery:
    """Return a discovery for the inputs that vary as one for all inputs, which are called names."""
    if not inputs.flat:
        return found
    network = None if found.network is None else inputs.network(found.network)
    why = f"{found.verdict.why}; {inputs.sentence(names)}"
    return replace(
        found,
        network=network,
        splines=inputs.network(found.splines),
        scaler=inputs.scaler(found.scaler),
        verdict=Verdict(found.verdict.kind, why),
        names=names,
    )


def judged_on_inputs(found: Discovery, data: Data) -> Discovery:
    """Return a discovery whose verdict names the inputs of the formula that samples do not free.

    These are inputs that take few values, and inputs that the others determine.
    """
    used = {str(symbol) for one in _expressions(found) for symbol in one.free_symbols}
    sentences = [found.verdict.why]
    counts = {
        name: len(np.unique(column))
        for name, column in zip(found.names, data.x_train.T, strict=True)
    }
    few = [f"{name} takes {n} values" for name, n in counts.items() if name in used and n < FEW]
    if few:
        sentences.append(f"{', '.join(few)}, and nothing tests the formula between them")
    places = dependent_columns(data.x_train)
    names = [found.names[i] for i in places]
    if used.intersection(names):
        sentences.append(
            f"{' and '.join(names)} are linearly dependent at all training samples, so that other "
            "formulas have the same values there"
        )
    return replace(found, verdict=Verdict(found.verdict.kind, "; ".join(sentences)))


def judged_between_samples(found: Discovery, data: Data) -> Discovery:
    """Return a discovery whose verdict says what its formula does between samples, if accepted."""
    if found.verdict.kind == "not explained":
        return found
    reports = [between_samples(one, data.x_train, found.names) for one in _expressions(found)]
    why = "; ".join([found.verdict.why, *dict.fromkeys(filter(None, reports))])
    return replace(found, verdict=Verdict(found.verdict.kind, why))


def judged_on_test(found: Discovery, data: Data) -> Discovery:
    """Return a discovery whose verdict tells at how many test samples the formula is undefined.

    It explains nothing that is undefined between the smallest and largest training inputs.
    """
    undefined = np.isnan(found.predict(data.x_test)).any(axis=1)
    if not undefined.any():
        return found
    low, high = data.x_train.min(axis=0), data.x_train.max(axis=0)
    inside = undefined & ((low <= data.x_test) & (data.x_test <= high)).all(axis=1)
    kind, why, n = found.verdict.kind, found.verdict.why, len(data.x_test)
    if not inside.any():
        why += (
            f"; the formula is undefined at {undefined.sum()} of {n} test samples, all of them "
            "outside the range of the training samples"
        )
        return replace(found, verdict=Verdict(kind, why))
    where = f"at {inside.sum()} of {n} test samples inside the range of the training samples"
    beside = why if kind == "not explained" else f"without them it would be {kind}: {why}"
    return replace(
        found, verdict=Verdict("not explained", f"the formula is undefined {where}; {beside}")
    )


def better(one: Discovery, other: Discovery, data: Data) -> Discovery:
    """Return the discovery with the better verdict, then with the lower BIC, and all steps.

    `other` has the steps of both, since it was made later.
    """

    def key(found: Discovery) -> tuple[int, float]:
        error = _error(found, data)
        n = data.y_train.size
        size = sum(_size(one) for one in _expressions(found))
        return KINDS.index(found.verdict.kind), 2.0 * n * np.log(error) + np.log(n) * size

    if key(other) <= key(one):
        return other
    note = "the formula of the paper's way is better than that of the slices"
    return replace(one, steps=(*other.steps, replace(one.steps[-1], name="choice", note=note)))


def _expressions(found: Discovery) -> tuple[Any, ...]:
    return found.formula if isinstance(found.formula, tuple) else (found.formula,)


def _size(expression: Any) -> int:
    return int(expression.count_ops()) + len(expression.atoms())


def _error(found: Discovery, data: Data) -> float:
    error = float(np.sqrt(np.mean((found.predict(data.x_train) - data.y_train) ** 2)))
    floor = floor_of(data.y_train, 0.0)
    return max(error, floor, SMALLEST) if np.isfinite(error) else np.inf


@np.errstate(all="ignore")
def suggest_formulas(
    x: object, y: object, *, error: float = 0.0, most: int = 4, name: str = "x"
) -> tuple[Alternative, ...]:
    """Find formulas for a curve y(x): sums, products, compositions, polynomials.

    Parameters
    ----------
    x, y : (n,)
        Samples of the curve, at least 10, such as an edge's by `edge_curve`. At most 120 of them,
        evenly spread in their order along x, are used to find formulas.
    error : float
        At least 0, in units of y: root mean square errors up to it are equal. Give the error of a
        spline, so that no formula is found for it.
    most : int
        The largest number of formulas, at least 1; up to twice as many where `error` is above 0.001
        of the standard deviation of y.
    name : str
        Of the variable in the formulas.

    Returns
    -------
    found : tuple of Alternative
        With `.formula`, a SymPy expression, `.rmse` at all samples, `.complexity` and `.bic`; the
        lowest `bic` first. Formulas of one form whose values differ only by rounding, or by what
        training leaves, are one: that with the lowest `bic`. All are defined at all samples; where
        the errors of all found are more than twice that of the best line, that line and the
        constant are returned.

    Raises
    ------
    ValueError, TypeError
        "x has 5 samples, but a formula needs at least 10 ..."; where x is the same at all samples;
        for other wrong arguments.

    Notes
    -----
    About a second, several where no formula has the accuracy of y. The numbers of a formula are
    trained on y and not rounded. None of the formulas need be right: judge by `rmse` beside
    `error`, and refit the numbers on data where there are any. `discover` does all of this for
    whole functions, with a verdict.

    Examples
    --------
    >>> x = np.linspace(-2.0, 2.0, 100)
    >>> found = suggest_formulas(x, x**3 - 3.0 * x)
    >>> found[0].rmse < 1e-12
    True
    """
    points = checks.array("x", x, ("n",))
    values = checks.array("y", y, ("n",))
    if len(points) != len(values) or len(points) < LEAST_SAMPLES:
        raise ValueError(
            f"x has {len(points)} samples and y has {len(values)}, but a formula needs at least "
            f"{LEAST_SAMPLES}, as many of both: evaluate the curve at more points"
        )
    if points.min() == points.max():
        raise ValueError(
            f"x is {points[0]:.3g} at all samples, but a formula needs at least 2 values of x"
        )
    error = checks.number("error", error, low=0.0)
    most = checks.integer("most", most, low=1)
    variable = checks.names("name", (name,))[0]
    floor = max(error, floor_of(values, 0.0))
    fitted = name_curve(points, values, error=error, most=MANY)
    fitted = at_all_samples(fitted, points, values, error)
    n = len(points)
    found = [
        Alternative(
            expression_of(one.tree, (variable,)), one.rmse, one.complexity, bic(one, n, floor)
        )
        for one in fitted
    ]
    found.sort(key=lambda one: one.bic)
    # also between the samples, where two functions that are equal at them may differ
    places = np.quantile(points, np.linspace(0.0, 1.0, N_PLACES))[:, None]
    found = distinct(found, places, (variable,), floor_of(values, 0.0))
    simplest = min(found, key=lambda one: (one.complexity, one.rmse))
    if error > BLURRED * float(np.std(values)):  # many formulas are equally near
        most *= 2
    return tuple(one for k, one in enumerate(found) if k < most - 1 or one is simplest)
