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
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.data import Data
from kan_ref.discovery.fits import Fitted, bic, rmse_of
from kan_ref.discovery.names import floor_of, name_curve, near_best
from kan_ref.discovery.records import Alternative, Discovery, formula_values
from kan_ref.discovery.trees import Apply, Input, Number, Sum, Tree
from kan_ref.discovery.verdict import KINDS, Law, Verdict, form
from kan_ref.formulas import apply_function, exact_number, from_formula, written
from kan_ref.network import Network, domain_of_samples, network_values

NETWORK = 1e-11  # of the largest value of a formula: a network of it may be wrong by that
CALL = "kr.from_formula(found.formula, found.names, domain=...)"  # `discover` has no domain=
LEAST_SAMPLES = 10
MANY = 10_000  # names of a curve, more than there are


def expression_of(tree: Tree, names: Sequence[str], x: FloatArray | None = None) -> Any:
    """Return the tree as an expression of symbols called `names`, written for samples x (n, n_in).

    Numbers that were fixed are integers and fractions, trained ones have 17 digits.
    """
    import sympy

    real = [sympy.Dummy(real=True) for _ in names]
    plain = [sympy.Symbol(name) for name in names]
    found = _written(tree, real).xreplace(dict(zip(real, plain, strict=True)))
    return found if x is None else written_at(found, names, x)


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


def of_all_inputs(network: Network, varying: Sequence[int], n_in: int) -> Network:
    """Return a network of splines of the varying inputs as one of all; other edges are masked."""
    if len(varying) == n_in:
        return network
    first, *others = network.layers
    arrays: Any = {"knots": first.knots[np.zeros(n_in, dtype=int)]}
    arrays["knots"][varying] = first.knots
    for name in ("coef", "w_base", "w_spline", "mask"):
        old = getattr(first, name)
        arrays[name] = np.zeros((first.n_out, n_in, *old.shape[2:]))
        arrays[name][:, varying] = old
    return Network((replace(first, **arrays), *others))


def better(one: Discovery, other: Discovery) -> Discovery:
    """Return the discovery with the better verdict, then the smaller error; `other` was made later.

    It has the steps of both.
    """

    def key(found: Discovery) -> tuple[int, float]:
        return KINDS.index(found.verdict.kind), np.nan_to_num(found.train_rmse, nan=np.inf)

    if key(other) <= key(one):
        return other
    note = "the formula of the paper's way is better than that of the search"
    return replace(one, steps=(*other.steps, replace(one.steps[-1], name="choice", note=note)))


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
        reasons = (*verdict.reasons, f"there is no network of it: {why}")
        return None, replace(verdict, reasons=reasons)
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
    wrong = errors > NETWORK * size + 8.0 * Law(expression, names).rounding_errors(x)
    if wrong.any():
        raise ValueError(
            f"it would differ from the formula by {errors[wrong].max():.1e} at a training sample, "
            f"but the formula is at most {size:.1e} there, and {NETWORK:g} of it is allowed: "
            "rounding errors grow where large numbers cancel"
        )


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
        The largest number of formulas, at least 1.
    name : str
        Of the variable in the formulas.

    Returns
    -------
    found : tuple of Alternative
        With `.formula`, a SymPy expression, `.rmse` at all samples, `.complexity` and `.bic`; the
        lowest `bic` first. Formulas that differ only in their numbers are one, the best of them.
        Each is defined at all samples.

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
    # a name is trained on few of the samples: at others it may be undefined or far off
    fitted = [Fitted(one.tree, rmse_of(one.tree, points[:, None], values)) for one in fitted]
    fitted = near_best(fitted, floor)
    forms: dict[str, Alternative] = {}
    for one in sorted(fitted, key=lambda one: bic(one, len(points), floor)):
        formula, least = expression_of(one.tree, (variable,)), bic(one, len(points), floor)
        new = Alternative(formula, one.rmse, one.complexity, least)
        forms.setdefault(form(formula), new)
    found = list(forms.values())
    simplest = min(found, key=lambda one: (one.complexity, one.rmse))
    return tuple(one for k, one in enumerate(found) if k < most - 1 or one is simplest)
