"""Suggest formulas for a curve of one variable: sums, products and compositions of functions.

`suggest_symbolic` fits c f(a x + b) + d, with f one function or a composition f(g). An edge whose
curve is a sum or a product of functions needs more: candidates here are those of the slices of
`discover`, that is single functions, polynomials, quotients of polynomials, f(g(x)), f(x) + r g(x),
f(x) g(x) and f(x) (g(x) + k), each with lines in x inside (`curves`).
"""

import numpy as np

from kan_ref.checks import check_float_array, check_integer, check_number, check_overflow
from kan_ref.discovery.choice import floor_of
from kan_ref.discovery.curves import name_curve
from kan_ref.discovery.polish import bic, rmse_of
from kan_ref.discovery.records import Alternative
from kan_ref.discovery.tree_formula import expression_of
from kan_ref.formulas import check_names

LEAST_SAMPLES = 10


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
        lowest `bic` first.

    Raises
    ------
    ValueError, TypeError
        "x has 5 samples, but a formula needs at least 10 ..."; for other wrong arguments.

    Notes
    -----
    About a second. The numbers of a formula are trained on y and not rounded. None of the formulas
    need be right: judge by `rmse` beside `error`, and refit the numbers on data where there are
    any. `discover` does all of this for whole functions, with a verdict.

    Examples
    --------
    >>> x = np.linspace(-2.0, 2.0, 100)
    >>> found = suggest_formulas(x, x**3 - 3.0 * x)
    >>> found[0].rmse < 1e-12
    True
    """
    points = check_float_array("x", x, ("n",))
    values = check_float_array("y", y, ("n",))
    if len(points) != len(values) or len(points) < LEAST_SAMPLES:
        raise ValueError(
            f"x has {len(points)} samples and y has {len(values)}, but a formula needs at least "
            f"{LEAST_SAMPLES}, as many of both: evaluate the curve at more points"
        )
    with np.errstate(over="ignore"):
        check_overflow("the sum of their squares lies", *(float(v @ v) for v in (points, values)))
    error = check_number("error", error, low=0.0)
    most = check_integer("most", most, low=1)
    (variable,) = check_names([name], 1)
    column, floor = points[:, None], max(error, floor_of(values, 0.0))
    found = [
        Alternative(
            expression_of(one.tree, (variable,)),
            rmse_of(one.tree, column, values),
            one.complexity,
            bic(one, len(points), floor),
        )
        for one in name_curve(points, values, error=error, most=most)
    ]
    return tuple(sorted(found, key=lambda one: one.bic))
