"""Evaluate SymPy expressions in float64.

SymPy writes an expression as Python code and compiles it, with all digits of its numbers. In that
code an input called `e` would hide Euler's number, and a name is arbitrary text. So every symbol
and every function of the library gets a generated name first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY

ROUNDING = 1e-14  # of an imaginary part, relative to the number
# what SymPy's printers, and the code that they write, raise for a part that they do not know
FAILURES = (NameError, NotImplementedError, KeyError, TypeError, ValueError)


def finite_values(
    expressions: Sequence[Any], points: FloatArray, names: Sequence[str]
) -> FloatArray:
    """Return the values (batch, n_out) at points (batch, n_in), which must be finite."""
    y = numeric_function(expressions, names)(points)
    bad = np.argwhere(~np.isfinite(y))
    if bad.size:
        sample, output = (int(n) for n in bad[0])
        raise ValueError(f"expression {output} has no finite value at x[{sample}]")
    return y


def numeric_function(
    expressions: Sequence[Any],
    names: Sequence[str],
    constants: Sequence[Any] = (),
    *,
    what: str = "expression",
) -> Callable[..., FloatArray]:
    """Return the expressions as a function of x and of a number for each symbol of `constants`.

    It maps x (batch, n_in) to y (batch, n_out), NaN where an expression has no real value. `what`
    is the name of the expressions in messages.
    """
    import sympy
    from sympy.core.function import AppliedUndef

    symbols = [*(sympy.Symbol(name) for name in names), *constants]
    strange = set().union(*(one.free_symbols for one in expressions)) - set(symbols)
    if strange:
        known = ", ".join(map(repr, names)) or "coordinates and symbols of given="
        raise ValueError(
            f"{what} has the symbol {min(strange, key=str)}, but may have {known} only, with the "
            "same assumptions"
        )
    # log(cosh(u)) would overflow where u is large
    expressions = [
        one.replace(
            lambda part: isinstance(part, sympy.log) and isinstance(part.args[0], sympy.cosh),
            lambda part: sympy.Function("logcosh")(part.args[0].args[0]),
        )
        for one in expressions
    ]
    calls = set().union(*(one.atoms(AppliedUndef) for one in expressions))
    unknown = {call.func.__name__ for call in calls} - set(LIBRARY)
    if unknown:
        raise ValueError(
            f"{what} has the function {min(unknown)!r}, which neither SymPy nor the library has"
        )
    own = {call.func: f"own_{place}" for place, call in enumerate(sorted(calls, key=str))}
    # no Dummy: lambdify would replace it, and evaluate the expression again
    letters = [sympy.Symbol(f"symbol_{place}", real=True) for place in range(len(symbols))]
    coded = [
        replaced(one, dict(zip(symbols, letters, strict=True))).replace(
            lambda part: part.func in own, lambda part: sympy.Function(own[part.func])(*part.args)
        )
        for one in expressions
    ]
    library = {code: LIBRARY[function.__name__].f for function, code in own.items()}
    try:
        compiled = sympy.lambdify(letters, coded, modules=[library, "scipy", "numpy"], cse=True)
    except FAILURES as error:
        raise _without_code(what, error) from error

    def evaluate(x: FloatArray, *values: float) -> FloatArray:
        y = np.empty((len(x), len(coded)))
        try:
            with np.errstate(all="ignore"):
                columns = compiled(*x.T, *values)
                for column, found in zip(y.T, columns, strict=True):
                    column[:] = found if np.isrealobj(found) else _real(found)
        except FAILURES as error:
            raise _without_code(what, error) from error
        return y

    return evaluate


def _real(found: Any) -> Any:
    """Return real parts, NaN where imaginary parts are no rounding errors (of Lambert's W)."""
    is_real = np.abs(np.imag(found)) <= ROUNDING * np.abs(found)
    return np.where(is_real, np.real(found), np.nan)


def _without_code(what: str, error: Exception) -> ValueError:
    return ValueError(
        f"{what} has a part that NumPy and SciPy cannot evaluate ({error}): write it with other "
        "functions"
    )


def check_names(names: object, n_in: int) -> tuple[str, ...]:
    """Return one name for each input; x_1, x_2, ... if `names` is None."""
    if names is None:
        return tuple(f"x_{number}" for number in range(1, n_in + 1))
    return checks.names("names", names, n_in)


def check_expressions(expression: Any) -> tuple[Any, ...]:
    """Return one expression, or a tuple of them, as a tuple; raise TypeError for anything else."""
    import sympy

    found = expression if isinstance(expression, tuple) else (expression,)
    for one in found:
        if not isinstance(one, sympy.Expr):
            raise TypeError(
                f"expression is {expression!r}, but must be a SymPy expression or a tuple of them"
            )
    return found


def replaced(expression: Any, rule: Mapping[Any, Any]) -> Any:
    """Return an expression with atoms replaced; of its parts, only sums and products are evaluated.

    To evaluate functions and powers, SymPy decides whether their arguments are 0 or negative. For
    symbols that may be complex it expands e^(-(x + 2000.0)^2) to find out, which can take minutes.
    """
    import sympy

    if expression in rule:
        return rule[expression]
    parts = [replaced(one, rule) for one in expression.args]
    if all(new is old for new, old in zip(parts, expression.args, strict=True)):
        return expression
    is_kept = isinstance(expression, sympy.Function | sympy.Pow) and expression.free_symbols
    return expression.func(*parts, **({"evaluate": False} if is_kept else {}))


def floats(expressions: Iterable[Any]) -> list[Any]:
    """Return every floating-point number of the expressions once, in increasing order."""
    import sympy

    return sorted(set().union(*(one.atoms(sympy.Float) for one in expressions)))
