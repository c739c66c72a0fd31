"""Make terms of differential equations from SymPy expressions, with exact partial derivatives.

A term of `kan_ref.pde` needs a residual R and its partial derivatives with respect to every
component u_k of the jet, the values and derivatives of the unknown functions. Each component
becomes a symbol, SymPy differentiates,

    (E4)  dR/du_k    for u_k = u_o, d_i u_o, d_p d_q u_o with p <= q

and NumPy evaluates. A single equation that is linear in one unknown becomes a linear term, which
costs one component of a jet instead of all derivatives.

With dimensionless variables (`kan_ref.pde.Scales`), u_k = m_k + s_k v_k, and the residual is
divided by its size: the change of R when one component of size one changes by one,

    (E5)  r = R / S,    S = max over k of rms over points of s_k dR/du_k

So weights compare conditions as in a problem that was dimensionless from the beginning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.formulas.values import numeric_function
from kan_ref.pde import (
    FunctionTerm,
    LinearTerm,
    Scales,
    check_partials,
    function_term,
    linear_term,
)

HIGHEST_ORDER = 2
TRIALS = (
    1.0,
    0.3,
)  # sizes of u and its derivatives at which an equation is tried

# number of the unknown, then the coordinates with respect to which it is differentiated, sorted
Component = tuple[int, tuple[int, ...]]
Jet = tuple[FloatArray, FloatArray | None, FloatArray | None]


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
        ``u = sympy.Function("u")(x, t)`` and ``u.diff(x, 2)``. It need not be linear, but smooth
        in the unknowns. Several equations are several residuals at each point.
    x : (n, n_in)
        At least one point. The columns are the coordinates, in the order of the unknown's
        arguments. A boundary condition holds at points on the boundary.
    unknowns : sequence of functions, optional
        The network's outputs in their order, such as (u, v). It may be left out if the equation has
        exactly one unknown function, and the network one output.
    given : dict, optional
        Numbers for symbols of the equation: floats, or arrays (n,) with one number for each point,
        such as measurements.
    scales : Scales, optional
        Makes the condition dimensionless: the network is trained as v(xi) with domain=(-1, 1), and
        the residual is divided by its size. x and the equation keep their units. All terms of
        a problem need the same. `Scales.network` returns the solution in its units.
    weight : float or (n,)
        At least 0.

    Returns
    -------
    term : LinearTerm or FunctionTerm
        LinearTerm for one equation that is linear in its only unknown. Implements
        :eq:`equation-partials` and :eq:`equation-size`.

    Examples
    --------
    >>> import sympy
    >>> x, t = sympy.symbols("x t")
    >>> u = sympy.Function("u")(x, t)
    >>> points = np.random.default_rng(0).uniform(0.0, 1.0, (50, 2))
    >>> equation_term(u.diff(t) + u * u.diff(x) - 0.01 * u.diff(x, 2), points)  # Burgers
    FunctionTerm(50 points, order 2)
    """
    import sympy

    points = checks.samples("x", x, ("n", "n_in")).copy()
    residuals = _residuals(equation)
    functions = _unknowns(residuals, unknowns)
    names = tuple(map(str, functions[0].args))
    if points.shape[1] != len(names):
        raise ValueError(
            f"x has {checks.counted(points.shape[1], 'column')}, but {functions[0]} has "
            f"{checks.counted(len(names), 'coordinate')}: give one column for each"
        )
    if sorted(checks.column_names(x) or ()) == sorted(names):
        checks.same_columns("x", x, names)
    if scales is not None:
        checks.instance("scales", scales, Scales)
    numbers = _given(given, functions[0].args, len(points))
    components, residuals = _with_symbols(residuals, functions)
    # [eq:equation-partials]
    partials = {
        (place, component): sympy.diff(residual, symbol)
        for place, residual in enumerate(residuals)
        for component, symbol in components.items()
    }
    # [/eq:equation-partials]
    partials = {key: partial for key, partial in partials.items() if partial != 0}
    symbols = [*functions[0].args, *numbers, *components.values()]
    known = [*points.T, *numbers.values()]
    values = numeric_function([*residuals, *partials.values()], (), symbols, what="equation")
    inputs = points if scales is None else scales.inputs(points)
    middles, sizes = _component_scales(list(components), scales, len(functions))
    compiled = _Compiled(
        lambda jet: values(points[:, :0], *known, *jet),
        functions, list(components), list(partials), middles, sizes, np.ones(len(residuals)),
    )  # fmt: skip
    trial = compiled.trial(points)
    check_partials(compiled, (inputs, *trial), "equation")
    if scales is not None:
        compiled.divide_by_size(trial)
    if _is_linear(residuals, partials, components, functions):
        return replace(_linear(compiled, inputs, trial, weight), scales=scales)
    pairs: Any = [along for _, along in components if len(along) == HIGHEST_ORDER]
    term = function_term(inputs, compiled, order=compiled.order, pairs=pairs, weight=weight)
    return replace(term, scales=scales)


# --- from SymPy's objects to symbols


def _residuals(equation: Any) -> tuple[Any, ...]:
    """Return left minus right sides, with derivatives evaluated."""
    import sympy

    found = []
    for one in equation if isinstance(equation, tuple | list) else (equation,):
        residual = one.lhs - one.rhs if isinstance(one, sympy.Equality) else one
        checks.instance(
            "equation", residual, sympy.Expr, "a SymPy expression that is 0, or sympy.Eq"
        )
        found.append(residual.doit())
    if not found:
        raise ValueError("equation is empty, but must be at least one equation")
    return tuple(found)


def _unknowns(residuals: Sequence[Any], unknowns: Any) -> tuple[Any, ...]:
    """Return the unknown functions, each of the same coordinates."""
    import sympy
    from sympy.core.function import AppliedUndef

    if unknowns is None:
        calls = set().union(*(one.atoms(AppliedUndef) for one in residuals))
        functions = tuple(sorted(calls, key=str))
        if len(functions) != 1:
            raise ValueError(
                f"equation has the unknown functions {_listed(functions) or 'none'}, but without "
                "unknowns= needs exactly one: give unknowns= in the order of the network's outputs"
            )
    else:
        functions = tuple(unknowns) if isinstance(unknowns, tuple | list) else (unknowns,)
    for function in functions:
        checks.instance("unknowns", function, AppliedUndef, "functions such as Function('u')(x, t)")
        args = function.args
        is_plain = len(set(args)) == len(args) and all(isinstance(a, sympy.Symbol) for a in args)
        if not is_plain or args != functions[0].args:
            raise ValueError(
                f"unknowns has {function}, but all need the same different symbols, the "
                "coordinates: for values on a boundary give points x there"
            )
    return functions


def _given(given: Any, coordinates: Sequence[Any], n: int) -> dict[Any, Any]:
    """Return the numbers of `given`, each a float or an array (n,)."""
    import sympy

    found = {}
    for symbol, value in checks.instance("given", given or {}, dict).items():
        if not isinstance(symbol, sympy.Symbol) or symbol in coordinates:
            raise ValueError(
                f"given has {symbol!r}, but its keys must be symbols other than the coordinates"
            )
        shape = (n,) if np.ndim(value) else ()
        found[symbol] = checks.array(f"given[{symbol}]", value, shape).copy()
    return found


def _with_symbols(
    residuals: Sequence[Any], functions: Sequence[Any]
) -> tuple[dict[Component, Any], tuple[Any, ...]]:
    """Return a symbol for each component of the jet, and the residuals with these symbols."""
    import sympy
    from sympy.core.function import AppliedUndef

    coordinates = functions[0].args
    components: dict[Component, Any] = {}
    rule = {}
    for residual in residuals:
        calls = residual.atoms(sympy.Derivative, sympy.Subs, AppliedUndef)
        for call in sorted(calls, key=str):
            is_derivative = isinstance(call, sympy.Derivative)
            function, along = (call.expr, call.variables) if is_derivative else (call, ())
            if function not in functions or not set(along) <= set(coordinates):
                raise ValueError(
                    f"equation has {call}, but only {_listed(functions)} and their derivatives at "
                    f"({_listed(coordinates)}) are known: give points x where it holds"
                )
            if len(along) > HIGHEST_ORDER:
                raise ValueError(
                    f"equation has {call}, but networks have derivatives up to order "
                    f"{HIGHEST_ORDER}: make a second derivative an unknown function, too"
                )
            component = functions.index(function), tuple(sorted(map(coordinates.index, along)))
            rule[call] = components.setdefault(component, sympy.Dummy(real=True))
        if not calls:
            raise ValueError(
                f"equation has a part {residual} without unknown functions {_listed(functions)}"
            )
    return components, tuple(one.xreplace(rule) for one in residuals)


def _listed(things: Sequence[Any]) -> str:
    return ", ".join(map(str, things))


# --- values


@dataclass(eq=False)
class _Compiled:
    """Residuals at their points as a function for `function_term`."""

    values: Any  # components in units -> residuals, then partials, one column each
    functions: tuple[Any, ...]
    components: list[Component]
    places: list[tuple[int, Component]]  # of the partials
    middles: FloatArray  # m_k, and s_k, of u_k = m_k + s_k v_k
    sizes: FloatArray
    residual_size: FloatArray  # S of (E5)
    order: int = field(init=False)

    def __post_init__(self) -> None:
        self.order = max(len(along) for _, along in self.components)

    def columns(self, jet: Jet) -> FloatArray:
        """Return residuals and partial derivatives in their units, one column each."""
        arrays: Any = jet
        v = [arrays[len(along)][(slice(None), output, *along)] for output, along in self.components]
        columns: FloatArray = self.values(
            [m + s * one for m, s, one in zip(self.middles, self.sizes, v, strict=True)]
        )
        return columns

    @np.errstate(all="ignore")  # after too long a step of an optimizer; its value tells
    def __call__(
        self, x: FloatArray, u: FloatArray, du: FloatArray | None, d2u: FloatArray | None
    ) -> tuple[FloatArray, FloatArray | None, FloatArray | None, FloatArray | None]:
        """Return residuals (n, n_residuals) and partial derivatives, as `function_term` needs."""
        if u.shape[1] != len(self.functions):
            raise ValueError(
                f"the model has {checks.counted(u.shape[1], 'output')}, but the equation has "
                f"{_listed(self.functions)}: list the functions of all outputs in unknowns="
            )
        n, size = len(u), self.residual_size
        columns = self.columns((u, du, d2u))
        shape = (n, len(size))
        by: Any = [None if v is None else np.zeros(shape + v.shape[1:]) for v in (u, du, d2u)]
        for (place, (output, along)), column in zip(
            self.places, columns[:, len(size) :].T, strict=True
        ):
            factor = self.sizes[self.components.index((output, along))] / size[place]
            by[len(along)][(slice(None), place, output, *along)] = factor * column
        return columns[:, : len(size)] / size, by[0], by[1], by[2]

    def trial(self, points: FloatArray) -> Jet:
        """Return irregular values and derivatives where all residuals and partials are finite."""
        n, n_in = points.shape
        shapes = [(n, len(self.functions), *order * (n_in,)) for order in range(self.order + 1)]
        for size in TRIALS:
            jet: list[Any] = []
            for shape in shapes:
                pattern = np.cos(1e6 * np.cos(1.0 + len(shape) + np.arange(np.prod(shape))))
                jet.append(size * (0.75 + 0.25 * pattern.reshape(shape)))
            if self.order == HIGHEST_ORDER:
                jet[2] = 0.5 * (jet[2] + jet[2].swapaxes(2, 3))
            found: Any = tuple(jet + [None] * (HIGHEST_ORDER - self.order))
            bad = ~np.isfinite(self.columns(found)).all(axis=1)
            if not bad.any():
                return found  # type: ignore[no-any-return]
        row = int(bad.argmax())
        raise ValueError(
            f"equation has no finite value at x[{row}] = {points[row].tolist()} for unknowns of "
            f"sizes {TRIALS}: leave out points where it is undefined, or give scales="
        )

    def divide_by_size(self, trial: Jet) -> None:
        """Set the S of (E5) from the partial derivatives at a trial."""
        columns = self.columns(trial)[:, len(self.residual_size) :]
        largest = np.zeros_like(self.residual_size)
        for (place, component), column in zip(self.places, columns.T, strict=True):
            size = self.sizes[self.components.index(component)]
            # [eq:equation-size]
            largest[place] = max(largest[place], size * np.sqrt(np.mean(column**2)))
            # [/eq:equation-size]
        self.residual_size = np.where(largest > 0.0, largest, 1.0)


def _component_scales(
    components: Sequence[Component], scales: Scales | None, n_out: int
) -> tuple[FloatArray, FloatArray]:
    """Return m_k and s_k of u_k = m_k + s_k v_k, (n_components,) each."""
    if scales is None:
        return np.zeros(len(components)), np.ones(len(components))
    middle, size = scales.output_middle(n_out), scales.output_size(n_out)
    lengths = scales.input_size
    return (
        np.array([0.0 if along else middle[output] for output, along in components]),
        # [eq:dimensionless-derivatives]
        np.array([size[output] / np.prod(lengths[list(along)]) for output, along in components]),
        # [/eq:dimensionless-derivatives]
    )


def _is_linear(
    residuals: Sequence[Any],
    partials: Mapping[tuple[int, Component], Any],
    components: Mapping[Component, Any],
    functions: Sequence[Any],
) -> bool:
    """Return whether it is one equation, linear in its only unknown."""
    import sympy

    parts = [partial * components[component] for (_, component), partial in partials.items()]
    rest = sympy.expand(residuals[0] - sympy.Add(*parts))
    left = set().union(rest.free_symbols, *(one.free_symbols for one in partials.values()))
    return len(residuals) == len(functions) == 1 and not left & set(components.values())


def _linear(compiled: _Compiled, x: FloatArray, trial: Jet, weight: object) -> LinearTerm:
    """Return the linear term that one linear equation in one unknown is."""
    zero: Any = [None if part is None else np.zeros_like(part) for part in trial]
    source, *parts = compiled(x, *zero)
    coefficients = {}
    for name, part in zip(("zeroth", "first", "second"), parts, strict=True):
        if part is not None and part.any():
            values = part[:, 0, 0]  # of the only residual and the only unknown
            coefficients[name] = values[0] if (values == values[0]).all() else values
    if not coefficients:
        raise ValueError(
            "equation has coefficients of the unknown function that are 0 at all points of x: "
            "leave it out, or give other points"
        )
    return linear_term(x, source=-source, weight=weight, **coefficients)
