"""Read a differential equation that is written in SymPy: unknowns, coordinates, derivatives.

The residuals of one or several equations contain the coordinates x_i, the unknown functions u_o and
their derivatives up to order two. Each of these becomes one symbol, a component u_k of a jet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kan_ref import checks
from kan_ref.checks import FloatArray

HIGHEST_ORDER = 2

# number of the unknown, then the coordinates with respect to which it is differentiated, sorted
Component = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Equation:
    """Equations as expressions of symbols.

    `residuals`: SymPy expressions. `coordinates`, `given`, `components`: the symbols in them, the
    last with the component of the jet that each stands for. `unknowns`: as the user wrote them.
    """

    residuals: tuple[Any, ...]
    coordinates: tuple[Any, ...]
    given: tuple[Any, ...]
    components: dict[Component, Any]
    unknowns: tuple[Any, ...]

    @property
    def order(self) -> int:
        """The highest order of the derivatives that occur."""
        return max(len(coordinates) for _, coordinates in self.components)


def read_equation(equation: Any, unknowns: Any, given: Mapping[Any, Any]) -> Equation:
    """Return the equations of `equation_term`, after a check of everything that occurs in them."""
    import sympy
    from sympy.core.function import AppliedUndef

    is_many = isinstance(equation, tuple | list)
    written = tuple(equation) if is_many else (equation,)
    if not written:
        raise ValueError("equation is empty, but must be at least one equation")
    residuals = tuple(_residual(one, place, is_many) for place, one in enumerate(written))
    functions = _unknowns(residuals, unknowns)
    coordinates = functions[0].args
    for symbol in given:
        if not isinstance(symbol, sympy.Symbol) or symbol in coordinates:
            raise ValueError(
                f"given has {symbol!r}, but its keys must be SymPy symbols other than "
                f"the coordinates {_listed(coordinates)}"
            )
    components: dict[Component, Any] = {}
    replaced: dict[Any, Any] = {}
    for residual in residuals:
        _check_places(residual, functions, coordinates)
        calls = sorted(residual.atoms(sympy.Derivative) | residual.atoms(AppliedUndef), key=str)
        for call in calls:
            component = _component(call, functions, coordinates)
            replaced[call] = components.setdefault(component, sympy.Dummy(real=True))
    symbols = {symbol: sympy.Dummy(real=True) for symbol in (*coordinates, *given)}
    residuals = tuple(one.xreplace(replaced).xreplace(symbols) for one in residuals)
    known = {*symbols.values(), *components.values()}
    for place, residual in enumerate(residuals):
        _check_finite(residual, f"equation[{place}]" if is_many else "equation")
        strange = sorted(residual.free_symbols - known, key=str)
        if strange:
            raise ValueError(_strange_symbol(strange[0], coordinates))
        if not residual.free_symbols & set(components.values()):
            raise ValueError(
                f"an equation has none of the unknown functions {_listed(functions)}: "
                "a condition on a network needs at least one"
            )
    return Equation(
        residuals,
        tuple(symbols[one] for one in coordinates),
        tuple(symbols[one] for one in given),
        components,
        functions,
    )


def check_given(given: Any, n: int) -> dict[Any, float | FloatArray]:
    """Return the numbers of `given`, each a float or an array (n,)."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"given is a {type(given).__name__}, but must be a dict from SymPy symbols to numbers "
            f"or arrays of shape ({n},)"
        )
    found: dict[Any, float | FloatArray] = {}
    for symbol, value in given.items():
        name = f"given[{symbol}]"
        array = checks.rectangular(name, value)
        if array.ndim:
            found[symbol] = checks.array(name, array, (n,)).copy()
        else:
            found[symbol] = float(checks.array(name, array[None], (1,))[0])
    return found


def _residual(one: Any, place: int, is_many: bool) -> Any:
    """Return left minus right side of an equation, or an expression, with derivatives evaluated."""
    import sympy

    name = f"equation[{place}]" if is_many else "equation"
    if isinstance(one, sympy.Equality):
        one = one.lhs - one.rhs
    if not isinstance(one, sympy.Expr):
        raise TypeError(
            f"{name} is {one!r}, but must be a SymPy expression that is 0, or sympy.Eq(left, right)"
        )
    if one.has(sympy.I):
        raise ValueError(
            f"{name} has the imaginary unit, but unknown functions are real: write the real and "
            "the imaginary part as two unknown functions and two equations"
        )
    # SymPy writes the derivative of |u| for a complex u
    real = one.replace(sympy.re, lambda part: part)
    real = real.replace(sympy.im, lambda _: sympy.Integer(0)).doit()
    _check_finite(real, name)
    sources = real.atoms(sympy.DiracDelta) | {
        call for call in real.atoms(sympy.SingularityFunction) if call.args[2].is_negative
    }
    if sources:
        raise ValueError(
            f"{name} has {min(sources, key=str)}, a point source or the derivative of a jump, "
            "which no value at a point shows: write a narrow function in its place, such as a "
            "Gaussian, or give each side of the jump an unknown function of its own, with an "
            "equation for the jump"
        )
    return real


def _check_finite(residual: Any, name: str) -> None:
    """Raise ValueError if SymPy has evaluated an equation to nan or infinity."""
    import sympy

    if residual in (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        raise ValueError(
            f"{name} is {residual}, but must be an expression with finite numbers: look for a "
            "division by 0, and for nan or infinity among its numbers"
        )


def _unknowns(residuals: Sequence[Any], unknowns: Any) -> tuple[Any, ...]:
    """Return the unknown functions, each of the same coordinates."""
    import sympy
    from sympy.core.function import AppliedUndef

    if unknowns is None:
        found = {str(call): call for one in residuals for call in one.atoms(AppliedUndef)}
        functions = tuple(found[text] for text in sorted(found))
        if len(functions) != 1:
            which = _listed(functions) or "none"
            raise ValueError(
                f"equation has the unknown functions {which}, but without unknowns= needs exactly "
                "one such as sympy.Function('u')(x, t): give unknowns= in the order of the "
                "network's outputs, and points on the boundary for values there"
            )
    else:
        functions = tuple(unknowns) if isinstance(unknowns, tuple | list) else (unknowns,)
    for function in functions:
        if not isinstance(function, AppliedUndef):
            raise TypeError(
                f"unknowns has {function!r}, but must be functions such as "
                "sympy.Function('u')(x, t)"
            )
        args = function.args
        if len(set(args)) != len(args) or not all(isinstance(arg, sympy.Symbol) for arg in args):
            raise ValueError(
                f"{function} must be a function of different symbols, the coordinates; for values "
                "on a boundary write it with the coordinates, and give points there"
            )
        if args != functions[0].args:
            raise ValueError(
                f"{function} and {functions[0]} have different coordinates, but all unknown "
                "functions need the same, in the same order"
            )
    if len(set(functions)) != len(functions):
        raise ValueError(f"unknowns has {_listed(functions)}, but each may occur only once")
    return functions


def _check_places(residual: Any, functions: Sequence[Any], coordinates: Sequence[Any]) -> None:
    """Raise ValueError for an unknown function that is taken at another place than (x, ...)."""
    import sympy
    from sympy.core.function import AppliedUndef

    for call in sorted(residual.atoms(sympy.Subs) | residual.atoms(AppliedUndef), key=str):
        if call not in functions:
            if str(call) in map(str, functions):
                remedy = "their assumptions differ (such as real=True), so create each only once"
            elif isinstance(call, sympy.Subs) and not call.expr.has(AppliedUndef):
                remedy = "SymPy cannot evaluate this derivative, so write it as a formula"
            elif isinstance(call, sympy.Subs) or any(call.func == one.func for one in functions):
                remedy = "write it with the coordinates themselves, and give points x there"
            else:
                remedy = "list it in unknowns=, or write it as a formula"
            raise ValueError(
                f"equation has {call}, but only {_listed(functions)} and their derivatives at "
                f"({', '.join(map(str, coordinates))}) are unknown: {remedy}"
            )
    for operator in (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit):
        if residual.has(operator):
            raise ValueError(
                f"equation has a part of the kind {operator.__name__}, but only derivatives of the "
                "unknown functions at the same point can be evaluated"
            )


def _component(call: Any, functions: Sequence[Any], coordinates: Sequence[Any]) -> Component:
    """Return the component of the jet that an unknown function or its derivative is."""
    import sympy

    if not isinstance(call, sympy.Derivative):
        return functions.index(call), ()
    if call.expr not in functions or any(one not in coordinates for one in call.variables):
        raise ValueError(
            f"equation has {call}, but only derivatives of {_listed(functions)} with respect to "
            f"{_listed(coordinates)} are known"
        )
    if len(call.variables) > HIGHEST_ORDER:
        first = sympy.Derivative(call.expr, *call.variables[:HIGHEST_ORDER])
        raise ValueError(
            f"equation has {call}, of order {len(call.variables)}, but networks have derivatives "
            f"up to order {HIGHEST_ORDER}: make {first} a second unknown function "
            "with an equation of its own"
        )
    return functions.index(call.expr), tuple(sorted(map(coordinates.index, call.variables)))


def _strange_symbol(symbol: Any, coordinates: Sequence[Any]) -> str:
    """Return the message about a symbol that is neither a coordinate nor given."""
    if symbol.name in [one.name for one in coordinates]:
        return (
            f"equation has a symbol {symbol} that is not the coordinate {symbol}: their "
            "assumptions differ (such as real=True), so create the symbol only once"
        )
    return (
        f"equation has the symbol {symbol}, but the coordinates are {_listed(coordinates)}: "
        f"give it a number, given={{{symbol}: ...}}"
    )


def _listed(things: Sequence[Any]) -> str:
    """Return SymPy objects as text."""
    return ", ".join(map(str, things))
