"""Evaluate SymPy expressions in float64.

Every coefficient is printed with all its digits and read by Python as float64, so the values of a
formula are those of its network up to rounding. Functions of the library that SymPy does not have
are evaluated by the library, and so is log(cosh(u)), where cosh(u) alone could overflow. A
factorial u! is evaluated as gamma(u + 1), whose derivative SymPy takes.

SymPy writes an expression as Python code and compiles it. In that code an input called `e` would
hide the constant e, and a name is arbitrary text. So every symbol and every function without a
definition gets a generated name first, and no name of the user's is compiled.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.functions import LIBRARY

_ROUNDING = 1e-14  # of an imaginary part, relative to the number
# what SymPy's printers, and the code that they write, raise for a part that they do not know
_FAILURES = (NameError, NotImplementedError, KeyError, TypeError, ValueError)


def evaluate_formula(
    expression: Any, x: object, *, names: Sequence[str] | None = None
) -> FloatArray:
    """Return the values of an expression, or of several, in float64.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
        As returned by `formula`.
    x : (batch, n_in)
    names : sequence of str, optional
        Names of the columns of x; x_1, x_2, ... by default.

    Returns
    -------
    y : (batch, n_out)
        One column for each expression.

    Raises
    ------
    ValueError
        If the expression has a symbol that is not in `names` ("expression has the symbol z, but
        names has 'x', 'y'"), or no finite value at a sample ("expression 0 has no finite value at
        x[3]"); if `names` are the columns of a table x in another order.
    """
    found = check_expressions(expression)
    points = checks.array("x", x, ("batch", "n_in"))
    labels = check_names(names, points.shape[1])
    checks.new_names(labels, checks.column_names(x))
    return finite_values(found, points, labels)


def finite_values(
    expressions: Sequence[Any], points: FloatArray, names: Sequence[str]
) -> FloatArray:
    """Return the values of `evaluate_formula` for validated arguments."""
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

    symbols = [*(sympy.Symbol(name) for name in names), *constants]
    strange = sorted(
        set().union(*(one.free_symbols for one in expressions)) - set(symbols), key=str
    )
    if strange:
        raise ValueError(
            f"expression has the symbol {strange[0]}, but names has {', '.join(map(repr, names))}"
        )
    if any(one.has(sympy.Limit) for one in expressions):
        raise ValueError(_without_code(what, sympy.Limit))
    expressions = [_rewritten(one) for one in expressions]
    calls = set().union(*(one.atoms(sympy.Function) for one in expressions))
    own = _own_functions(sorted({call.func for call in calls}, key=str))
    functions = {call: sympy.Function(code) for code, call in own.items()}
    # also the bound symbols of sums and integrals
    bound = set().union(*(one.atoms(sympy.Symbol) for one in expressions)) - set(symbols)
    # no Dummy: lambdify would replace it, and evaluate the expression again
    generated = {
        symbol: sympy.Symbol(f"symbol_{number}", real=True)
        for number, symbol in enumerate([*symbols, *sorted(bound, key=str)])
    }
    expressions = [
        # all functions in one pass: a function of the user's may have a generated name
        replaced(one, generated).replace(
            lambda call: call.func in functions, lambda call: functions[call.func](*call.args)
        )
        for one in expressions
    ]
    inputs = [generated[symbol] for symbol in symbols]
    try:
        compiled = _compiled(expressions, inputs, own)
    except _FAILURES as error:
        _name_the_cause(error, expressions, inputs, own, what)
        raise

    def evaluate(x: FloatArray, *values: float) -> FloatArray:
        y = np.empty((len(x), len(expressions)))
        with np.errstate(all="ignore"):
            try:
                columns = compiled(*x.T, *values)
            except _FAILURES as error:
                _name_the_cause(error, expressions, inputs, own, what)
                raise
            for column, found in zip(y.T, columns, strict=True):
                column[:] = _real(found)
        return y

    return evaluate


def _compiled(
    expressions: Sequence[Any], inputs: Sequence[Any], own: dict[str, Any]
) -> Callable[..., Any]:
    """Return expressions of generated symbols and functions as a Python function of arrays."""
    import sympy
    from sympy.printing.numpy import NumPyPrinter

    known = NumPyPrinter().known_functions
    # what NumPy lacks and Python's math has, SciPy has for arrays
    special = any(
        known.get(call.func.__name__, "math").startswith("math")
        for call in set().union(*(one.atoms(sympy.Function) for one in expressions))
        if call.func.__name__ not in own
    )
    compiled: Callable[..., Any] = sympy.lambdify(
        inputs,
        expressions,
        modules=[
            {code: LIBRARY[call.__name__].f for code, call in own.items()},
            *(["scipy"] if special else []),
            "numpy",
        ],
        cse=True,
    )
    return compiled


def _real(values: Any) -> Any:
    """Return real parts where imaginary parts are rounding, else NaN.

    SciPy computes some real functions, such as Lambert's W, as complex numbers.
    """
    if np.isrealobj(values):
        return values
    return np.where(np.abs(np.imag(values)) <= _ROUNDING * np.abs(values), np.real(values), np.nan)


def _name_the_cause(
    error: Exception,
    expressions: Sequence[Any],
    inputs: Sequence[Any],
    own: dict[str, Any],
    what: str,
) -> None:
    """Raise ValueError with the smallest part of the expressions that cannot be evaluated, if any.

    It is looked for only after evaluation has failed.
    """
    import sympy

    parts = set().union(*(sympy.preorder_traversal(one) for one in expressions))
    for part in sorted(
        parts, key=lambda part: (len(list(sympy.preorder_traversal(part))), str(part))
    ):
        if not isinstance(part, sympy.Expr) or not part.free_symbols <= set(inputs):
            continue
        try:
            _compiled([part], inputs, own)(*np.full((len(inputs), 2), 0.5))
        except _FAILURES:
            if part.func.__name__ in own:  # a registered function has an error of its own
                return
            raise ValueError(_without_code(what, part.func)) from error


def _without_code(what: str, kind: Any) -> str:
    """Return the message on a part of an expression that has no numeric form."""
    import sympy

    name = kind.__name__
    if issubclass(kind, sympy.Derivative | sympy.Integral | sympy.Limit | sympy.Subs):
        return (
            f"{what} has a part of the kind {name} that is not evaluated: evaluate it with doit(), "
            "or write its result as a formula"
        )
    if kind is sympy.Order:
        return f"{what} has an order O of terms that are left out: remove it with removeO()"
    if kind is sympy.DiracDelta:
        return (
            f"{what} has DiracDelta, which has no value at its point: write a narrow function in "
            "its place, such as a Gaussian"
        )
    if not issubclass(kind, sympy.Function):
        return (
            f"{what} has a part of the kind {name}, for which SymPy has no code of NumPy or SciPy: "
            "write a finite real number or a formula in its place"
        )
    return (
        f"{what} has the function {name}, for which SymPy has no code of NumPy or SciPy: write it "
        "with functions that have such code, for example exp, erf or besselj"
    )


def _rewritten(expression: Any) -> Any:
    """Return an expression with log(cosh(u)) as the library's function of u, u! as gamma(u + 1).

    SciPy's factorial of a negative number is 0, unlike SymPy's.
    """
    import sympy

    return expression.replace(sympy.factorial, lambda u: sympy.gamma(u + 1)).replace(
        lambda one: isinstance(one, sympy.log) and isinstance(one.args[0], sympy.cosh),
        lambda one: sympy.Function("logcosh")(one.args[0].args[0]),
    )


def _own_functions(functions: Iterable[Any]) -> dict[str, Any]:
    """Return the functions that the library evaluates, by the names that they get in the code.

    Raise ValueError for a function that neither SymPy nor the library defines.
    """
    from sympy.core.function import AppliedUndef

    own: dict[str, Any] = {}
    for function in functions:
        if issubclass(function, AppliedUndef) and function.__name__ in LIBRARY:
            own[f"own_{len(own)}"] = function
        elif issubclass(function, AppliedUndef) or not function.__module__.startswith("sympy."):
            raise ValueError(
                f"expression has the function {function.__name__!r}, "
                "which neither SymPy nor the library has"
            )
    return own


# --- input validation


def check_names(names: object, n_in: int) -> tuple[str, ...]:
    """Return one name for each input, as `check_input_names`; x_1, x_2, ... if names is None."""
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
