"""Write a network of symbolic edges as a SymPy expression with exact coefficients, or as LaTeX.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.7, section 2.5.1). If every active edge is symbolic, node
j of layer l + 1 is the expression

    (E1)  x_{l+1,j} = sum_i c_ji f_ji(a_ji x_{l,i} + b_ji) + d_ji

of the nodes of layer l, and the outputs are expressions of the inputs. 17 decimal digits
distinguish neighbouring float64 numbers (IEEE 754-2008, 5.12.2), so each coefficient is written as
the shortest decimal that Python reads as this number and no other; 1, -1 and 0 are integers.

SymPy evaluates identities such as e^(x + 3.0) = 20.08... e^x, sqrt(x^2) = |x| and, although its
left side is defined for x > 0 only, e^(log x) = x. So the evaluated (E1) has the network's values
where the network is defined, and may have values where it is not.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.formulas.values import check_expressions, check_names, floats, replaced
from kan_ref.functions import Function, formula_of
from kan_ref.network import Network, check_network

EXACT_DIGITS = 17  # decimal digits that identify a float64 number
CONSTANTS = ("e", "i", "pi")  # whose letters are those of numbers


def formula(network: Network, *, names: Sequence[str] | None = None) -> Any:
    """Return the function of a symbolic network as a SymPy expression.

    Parameters
    ----------
    network : Network
        All active edges must be symbolic: `fix_symbolic` and `auto_symbolic` make them so.
    names : sequence of str, optional
        One name for each input, all different; x_1, x_2, ... by default. Any printable text is a
        name, "e", "pi" and "lambda" too. They become plain symbols, without assumptions.

    Returns
    -------
    expression : sympy.Expr, or tuple of sympy.Expr
        One expression for one output, else a tuple. The coefficients are exact, with 17 digits. For
        the shortest expression, apply `canonical_form` to the network first. Its values are those
        of the network wherever the network is defined. Elsewhere it may have values, too, since
        SymPy writes x for e^(log x).

    Notes
    -----
    Implements :eq:`formula`. The expression contains each node once for every path from it to the
    output, so it is short for small networks only. A function registered without `formula` appears
    as `sympy.Function(name)`. Its values are those of the library's function of that name.

    Examples
    --------
    >>> import sympy
    >>> from kan_ref.formulas import from_formula
    >>> x, y = sympy.symbols("x y")
    >>> formula(from_formula(sympy.sin(2 * x) - y**2 / 2, ("x", "y")), names=("x", "y"))
    -0.5*y**2 + sin(2.0*x)
    """
    import sympy

    check_network("network", network)
    for place, layer in enumerate(network.layers):
        if layer.mask.any():
            output, i = (int(n) for n in np.argwhere(layer.mask)[0])
            raise ValueError(
                f"network has a spline on the edge from input {i} to output {output} of layer "
                f"{place}, but a formula needs symbolic edges: use fix_symbolic or auto_symbolic"
            )
    plain = [sympy.Symbol(name) for name in check_names(names, network.widths[0])]
    # with real symbols, SymPy also evaluates what holds for real numbers only
    real = [sympy.Symbol(symbol.name, real=True) for symbol in plain]
    nodes: list[Any] = list(real)
    # [eq:formula]
    for layer in network.layers:
        sums: list[Any] = [sympy.Integer(0)] * layer.n_out
        for edge in layer.symbolic:
            a, b, c, d = (exact_number(float(value)) for value in layer.affine[edge.row])
            sums[edge.output] += c * apply_function(edge.function, a * nodes[edge.input] + b) + d
        nodes = sums
    # [/eq:formula]
    found = tuple(replaced(node, dict(zip(real, plain, strict=True))) for node in nodes)
    return found[0] if len(found) == 1 else found


def exact_number(value: float) -> Any:
    """Return the SymPy number that is exactly `value`."""
    import sympy

    if value in (-1.0, 0.0, 1.0):
        return sympy.Integer(int(value))
    short = sympy.Float(repr(value), EXACT_DIGITS)
    # SymPy rounds twice, and may read a decimal halfway between two numbers as the wrong one
    return short if float(short) == value else sympy.Float(value, EXACT_DIGITS)


def apply_function(function: Function, u: Any) -> Any:
    """Return f(u) as an expression."""
    if function.formula is not None:
        return formula_of(function, u)
    import sympy

    known = _sympy_forms()
    return (known.get(function.name) or sympy.Function(function.name))(u)


@cache
def _sympy_forms() -> dict[str, Callable[[Any], Any]]:
    """Return the built-in functions of the library as SymPy functions, by name."""
    import sympy as sp

    return {
        "0": lambda u: sp.Integer(0),
        "x": lambda u: u,
        **{f"x^{n}": lambda u, n=n: u**n for n in (2, 3, 4, 5)},
        **{f"1/x^{n}": lambda u, n=n: u**-n for n in (2, 3, 4, 5)},
        "1/x": lambda u: 1 / u,
        "sqrt": sp.sqrt,
        "1/sqrt": lambda u: 1 / sp.sqrt(u),
        "x^1.5": lambda u: u ** sp.Rational(3, 2),
        "exp": sp.exp,
        "log": sp.log,
        "abs": sp.Abs,
        "sin": sp.sin,
        "cos": sp.cos,
        "tan": sp.tan,
        "tanh": sp.tanh,
        "cosh": sp.cosh,
        "sgn": sp.sign,
        "arcsin": sp.asin,
        "arccos": sp.acos,
        "arctan": sp.atan,
        "arctanh": sp.atanh,
        "sigmoid": lambda u: 1 / (1 + sp.exp(-u)),
        "gaussian": lambda u: sp.exp(-(u**2)),
        "logcosh": lambda u: sp.log(sp.cosh(u)),
        "1/|x|": lambda u: 1 / sp.Abs(u),
    }


def formula_latex(
    formula_or_network: Any, *, names: Sequence[str] | None = None, digits: int = 4
) -> Any:
    r"""Return the LaTeX of an expression or of the function of a network.

    Parameters
    ----------
    formula_or_network : sympy.Expr, tuple of sympy.Expr, or Network
    names : sequence of str, optional
        For a network, as in `formula`. An expression has names already.
    digits : int
        Significant digits of the coefficients, 1 to 17.

    Returns
    -------
    latex : str, or tuple of str
        One text for one output, else a tuple. It is for reading, not for computing: the digits
        beyond those shown are lost. x_1, x1 and mu_r become letters with a subscript; all other
        names are set upright.

    Examples
    --------
    >>> import sympy
    >>> formula_latex(sympy.exp(3.14159 * sympy.Symbol("x_2")))
    'e^{3.142 x_{2}}'
    """
    expression = formula_or_network
    if isinstance(formula_or_network, Network):
        expression = formula(formula_or_network, names=names)
    elif names is not None:
        raise ValueError(
            f"names is {names!r}, but an expression has names: give names with a network only"
        )
    latex = latex_texts(check_expressions(shown_formula(expression, digits)))
    return latex if isinstance(expression, tuple) else latex[0]


def shown_formula(expression: Any, digits: int = 5) -> Any:
    """Return an expression, or a tuple of them, with numbers rounded for reading.

    `digits`: significant ones, 1 to 17. Whole numbers become integers. Values are computed from the
    formula itself, since every term is shown, however small its coefficient is.
    """
    import sympy

    places = checks.integer("digits", digits, low=1, high=17)
    found = check_expressions(expression)
    rule = {}
    for number in floats(found):
        near = f"{float(number):.{places - 1}e}"
        is_whole = float(near).is_integer() and abs(float(near)) < 10**places
        rule[number] = sympy.Integer(int(float(near))) if is_whole else sympy.Float(near, places)
    shown = tuple(replaced(one, rule) for one in found)
    return shown if isinstance(expression, tuple) else shown[0]


def latex_texts(expressions: Sequence[Any]) -> tuple[str, ...]:
    """Return the LaTeX of each expression; words are upright."""
    import sympy

    symbols = set().union(*(one.atoms(sympy.Symbol) for one in expressions))
    names = {symbol: _upright(symbol.name) for symbol in symbols if not _is_letter(symbol.name)}
    return tuple(sympy.latex(one, symbol_names=names) for one in expressions)


def _is_letter(name: str) -> bool:
    """Return whether a name is a letter, as x or mu, perhaps with a subscript, as x_1 or mu_r."""
    from sympy.core.alphabets import greeks

    parts = re.fullmatch(r"([^\W\d_]+)(_?\d+|_[^\W_]+)?", name)
    if parts is None or name in CONSTANTS:
        return False
    return len(parts[1]) == 1 or parts[1].lower() in greeks


def _upright(name: str) -> str:
    escaped = re.sub(r"([{}$%&_# ])", r"\\\1", name)
    return rf"\mathrm{{{escaped}}}"
