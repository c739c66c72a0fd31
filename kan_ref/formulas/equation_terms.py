"""Make terms of differential equations from SymPy expressions, with exact partial derivatives.

A term of `kan_ref.pde` needs a residual R and its partial derivatives with respect to every
component u_k of the jet. An equation is read into symbols (`equation`), SymPy derives

    (E4)  dR/du_k    for u_k = u_o, d_i u_o, d_p d_q u_o with p <= q

and NumPy evaluates them (`compiled_equation`). A single equation that is linear in one unknown
becomes a linear term, which costs one component of a jet instead of all derivatives.

With dimensionless variables (`kan_ref.pde.Scales`), u_k = m_k + s_k v_k, and the residual is
divided by its size: the change of R when one component of size one changes by one,

    (E5)  r = R / S,    S = max over k of rms over points of s_k dR/du_k

So weights compare conditions as in a problem that was dimensionless from the beginning.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.formulas.compiled_equation import CompiledEquation
from kan_ref.formulas.equation import (
    HIGHEST_ORDER,
    Component,
    Equation,
    check_given,
    read_equation,
)
from kan_ref.pde import (
    FunctionTerm,
    LinearTerm,
    Scales,
    check_partials,
    function_term,
)


@np.errstate(all="ignore")
def equation_term(
    equation: Any,
    x: object,
    *,
    unknowns: Any = None,
    given: Mapping[Any, Any] | None = None,
    scales: Scales | None = None,
    weight: object = 1.0,
) -> LinearTerm | FunctionTerm:
    """Return a condition for `fit(equations=)` from an equation that is written in SymPy.

    It may be an equation in the interior, a boundary or initial condition, or a measurement.

    Parameters
    ----------
    equation : sympy.Expr, sympy.Eq, or sequence of them
        An expression is a residual, which the solution makes 0. It contains the coordinates, the
        unknown functions and their derivatives of order one or two, as
        ``u = sympy.Function("u")(x, t)`` and ``u.diff(x, 2)``. It need not be linear. Several
        equations are several residuals at each point.
    x : (n, n_in)
        At least one point. The columns are the coordinates, in the order of the unknown's
        arguments. A table whose columns have the coordinates' names needs them in this order. A
        boundary condition holds at points on the boundary.
    unknowns : sequence of functions, optional
        The network's outputs in their order, such as (u, v). It may be left out if the equation has
        exactly one unknown function, and the network one output.
    given : dict, optional
        Numbers for symbols of the equation: floats, or arrays (n,) with one number for each point,
        such as measurements.
    scales : Scales, optional
        Makes the condition dimensionless: x and the equation keep their units, the network is
        trained as v(xi) with domain=(-1, 1), and the residual is divided by its size (E5). All
        terms of a problem need the same. `Scales.network` returns the solution in its units.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm or FunctionTerm
        LinearTerm for one equation that is linear in its only unknown.

    Raises
    ------
    ValueError
        For a symbol without a number, columns of a table in another order, a derivative of order
        three or above, an unknown function at another place than its coordinates, a function
        without code of NumPy or SciPy, or DiracDelta (a point source); if the equation has no
        finite value at a point for any of 225 trial values of the unknowns; if the unknowns occur
        only inside functions with jumps, or with coefficients that are 0 at all points, since no
        training can change such a residual.
    TypeError
        If `equation` is not an expression, or an unknown is not a function of symbols.

    Notes
    -----
    Implements :eq:`equation-partials` and :eq:`equation-size`. The derivatives are compared with
    central differences before the term is returned, and again at the initial network by `fit`. The
    derivative of a function with a jump (such as sign or floor) is 0, so that of frac is 1.

    Examples
    --------
    >>> import numpy as np
    >>> import sympy
    >>> x, t = sympy.symbols("x t")
    >>> u = sympy.Function("u")(x, t)
    >>> points = np.random.default_rng(0).uniform(0.0, 1.0, (50, 2))
    >>> equation_term(u.diff(t) + u * u.diff(x) - 0.01 * u.diff(x, 2), points)  # Burgers
    FunctionTerm(50 points, order 2)
    >>> start = np.column_stack([points[:, 0], np.zeros(50)])
    >>> equation_term(sympy.Eq(u, -sympy.sin(sympy.pi * x)), start)
    LinearTerm(50 points, order 0)
    """
    points = checks.array("x", x, ("n", "n_in")).copy()
    if 0 in points.shape:
        raise ValueError(
            f"x has shape {points.shape}, but needs at least one point of at least one variable"
        )
    numbers = check_given(given, len(points))
    read = read_equation(equation, unknowns, numbers)
    n_in, wanted = points.shape[1], read.coordinates
    if n_in != len(wanted):
        raise ValueError(
            f"x has {checks.counted(n_in, 'column')}, but {read.unknowns[0]} has "
            f"{checks.counted(len(wanted), 'coordinate')}: give one column for each"
        )
    names = tuple(map(str, read.unknowns[0].args))
    if sorted(checks.column_names(x) or ()) == sorted(names):
        checks.same_columns("x", x, names)
    if scales is not None and not isinstance(scales, Scales):
        raise TypeError(f"scales is a {type(scales).__name__}, but must be Scales(domain, values)")
    derivatives = partials(read)
    compiled = CompiledEquation(read, derivatives, points, tuple(numbers.values()), scales)
    trial = compiled.trial()
    for place in compiled.without_influence(trial):
        _check_influence(compiled, place)
    arguments = (compiled.x, *trial)
    check_partials(compiled, arguments, "equation")
    if scales is not None:
        compiled.divide_by_size(trial)
    if _is_linear(read, derivatives):
        return replace(compiled.linear_term(weight), scales=scales)
    pairs = _pairs(read) if read.order == HIGHEST_ORDER else None
    term = function_term(compiled.x, compiled, order=read.order, pairs=pairs, weight=weight)
    return replace(term, scales=scales)


def partials(equation: Equation) -> dict[tuple[int, Component], Any]:
    """Return every derivative (E4) that is not zero, by residual and component.

    The derivative of a jump is 0 at every point but the one where it is undefined.
    """
    import sympy

    found: dict[tuple[int, Component], Any] = {}
    for place, residual in enumerate(equation.residuals):
        smooth, jumps = _without_jumps(residual)
        for component, symbol in equation.components.items():
            # [eq:equation-partials]
            partial = sympy.diff(smooth, symbol)
            # [/eq:equation-partials]
            open_ones = partial.atoms(sympy.Derivative)
            if open_ones:
                raise ValueError(
                    f"equation has the function {next(iter(open_ones)).expr.func.__name__}, but "
                    "SymPy does not have its derivative with respect to an argument with unknown "
                    "functions, which training needs: write it with other functions"
                )
            for constant, jump in jumps:
                partial = partial.xreplace({constant: jump})
            if partial != 0:
                found[place, component] = partial
    if not found:
        raise ValueError(
            f"equation has {', '.join(map(str, equation.unknowns))} only inside functions with "
            "jumps, whose derivative is 0, so no training can change its residual: write a smooth "
            "function for each jump, for example tanh(100 u) for sign(u)"
        )
    return found


def _without_jumps(residual: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return a residual with constants for functions with jumps, and which constant is which.

    The constants are listed so that those of inner functions are put back last.
    """
    import sympy

    jumps: dict[Any, Any] = {}
    whole = residual.replace(
        lambda one: isinstance(one, sympy.Mod | sympy.frac), lambda one: one.rewrite(sympy.floor)
    )
    smooth = whole.replace(
        lambda one: isinstance(one, sympy.sign | sympy.Heaviside | sympy.floor | sympy.ceiling),
        lambda one: jumps.setdefault(one, sympy.Dummy(real=True)),
    )
    return smooth, [(constant, jump) for jump, constant in reversed(jumps.items())]


def _is_linear(equation: Equation, found: Mapping[tuple[int, Component], Any]) -> bool:
    """Return whether it is one equation, linear in its only unknown, given its partials (E4).

    Constant derivatives are not enough: the derivative of a jump is 0.
    """
    import sympy

    unknown = set(equation.components.values())
    if len(equation.residuals) > 1 or len(equation.unknowns) > 1:
        return False
    if any(partial.free_symbols & unknown for partial in found.values()):
        return False
    parts = [partial * equation.components[along] for (_, along), partial in found.items()]
    return not sympy.expand(equation.residuals[0] - sympy.Add(*parts)).free_symbols & unknown


def _check_influence(compiled: CompiledEquation, place: int) -> None:
    """Raise ValueError if no unknown occurs in a residual at any of the points.

    A partial derivative may be 0 at a trial alone, so SymPy decides for each point whether it is 0
    for all values of the unknown functions.
    """
    import sympy

    equation, n = compiled.equation, len(compiled.points)
    symbols = (*equation.coordinates, *equation.given)
    columns = [*compiled.points.T, *(np.broadcast_to(one, n) for one in compiled.numbers)]
    if all(
        partial.xreplace(dict(zip(symbols, map(sympy.Float, values), strict=True))).is_zero
        for (of, _), partial in compiled.partials.items()
        if of == place
        for values in zip(*columns, strict=True)
    ):
        name = f"equation[{place}]" if len(equation.residuals) > 1 else "equation"
        raise ValueError(
            f"{name} has no unknown function at any point of x, because all coefficients are 0 "
            "there, so no training can change its residual: leave it out, or give other points"
        )


def _pairs(equation: Equation) -> list[tuple[int, int]]:
    """Return the pairs of coordinates of all second derivatives in the equations."""
    found = {along for _, along in equation.components if len(along) == HIGHEST_ORDER}
    return [(along[0], along[1]) for along in sorted(found)]
