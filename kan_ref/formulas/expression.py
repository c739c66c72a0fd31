"""Write a network of symbolic edges as a SymPy expression with exact coefficients, or as LaTeX.

Theorem (Liu et al. 2024, eqs. 2.5 and 2.7, section 2.5.1). If every active edge is symbolic, node
j of layer l + 1 is the expression

    (E1)  x_{l+1,j} = sum_i c_ji f_ji(a_ji x_{l,i} + b_ji) + d_ji

of the nodes of layer l, and the outputs are expressions of the inputs. 17 decimal digits
distinguish neighbouring float64 numbers (IEEE 754-2008, 5.12.2). So each coefficient is written as
the shortest decimal that Python reads as this number and no other; 1, -1 and 0 are written as
integers. No number is rounded or guessed here: `round_formula` rounds for display, and
`recognise_constants` replaces numbers by exact ones and measures the error of doing so.

SymPy evaluates identities such as e^(x + 3.0) = 20.08... e^x, sqrt(x^2) = |x| and, although its
left side is defined for x > 0 only, e^(log x) = x. So the evaluated (E1) has the network's values
where the network is defined, and may have values where it is not.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.formulas.presentation import latex_texts
from kan_ref.formulas.values import check_expressions, check_names, floats, replaced
from kan_ref.functions import LIBRARY, Function, formula_of
from kan_ref.network import Layer, Network, SymbolicEdge, check_network

EXACT_DIGITS = 17  # decimal digits that identify a float64 number
LONG_SHIFT = 100.0  # e^u with a larger constant in u is not split: a factor could overflow


# --- from a network


def formula(network: Network, *, names: Sequence[str] | None = None) -> Any:
    """Return the function of a symbolic network as a SymPy expression.

    Parameters
    ----------
    network : Network
        All active edges must be symbolic.
    names : sequence of str, optional
        One name for each input, all different; x_1, x_2, ... by default. Any printable text is a
        name, "e", "pi" and "lambda" too. They become plain symbols, without assumptions.

    Returns
    -------
    expression : sympy.Expr, or tuple of sympy.Expr
        One expression for one output, else a tuple. The coefficients are exact, with 17 digits. For
        the shortest expression, apply `canonical_form` to the network first. Its values are those
        of the network wherever the network is defined. Elsewhere it may have values, too, since
        SymPy writes x for e^(log x): there `network(x)` raises an error, which names the edge.

    Raises
    ------
    ValueError
        If an edge is a spline ("the edge from input 1 to output 0 of layer 0 is a spline, but
        ..."), the library has another function under the name of a symbolic edge, the number of
        names is wrong, or the expression of an edge has no finite real value.
    TypeError
        If `network` is not a Network, or a name is not text.

    Notes
    -----
    Implements :eq:`formula`. The expression contains each node once for every path from it to the
    output, so it is short for small networks only. A function registered without `formula` appears
    as `sympy.Function(name)`, evaluated by what the library has under that name at the time.
    """
    import sympy

    check_network("network", network)
    _check_symbolic(network)
    plain = [sympy.Symbol(name) for name in check_names(names, network.widths[0])]
    # with real symbols, SymPy also evaluates what holds for real numbers only
    real = [sympy.Symbol(symbol.name, real=True) for symbol in plain]
    nodes: list[Any] = list(real)
    # [eq:formula]
    for place, layer in enumerate(network.layers):
        nodes = [_node_expression(place, layer, nodes, output) for output in range(layer.n_out)]
    # [/eq:formula]
    found = tuple(replaced(node, dict(zip(real, plain, strict=True))) for node in nodes)
    return found[0] if len(found) == 1 else found


def _check_symbolic(network: Network) -> None:
    """Raise ValueError if an edge is a spline, or its function's name stands for another one."""
    for layer_index, layer in enumerate(network.layers):
        if layer.mask.any():
            j, i = (int(n) for n in np.argwhere(layer.mask)[0])
            raise ValueError(
                f"the edge from input {i} to output {j} of layer {layer_index} is a spline, "
                "but a formula needs every active edge to be symbolic: "
                "fix_symbolic replaces this edge, auto_symbolic all of them"
            )
        for edge in layer.symbolic:
            _check_function(layer_index, edge)


def _check_function(layer_index: int, edge: SymbolicEdge) -> None:
    """Raise ValueError if the library has another function under a name that a formula would hold.

    Values of a formula are computed by that name. A function with a `formula` leaves no name.
    """
    function = edge.function
    if function.formula is None and LIBRARY.get(edge.name, function) != function:
        raise ValueError(
            f"network has {edge.name!r} on the edge from input {edge.input} to output "
            f"{edge.output} of layer {layer_index}, but the library has another function of that "
            "name, and a formula holds only the name: put the library's function on the edge with "
            "fix_symbolic, or unregister that one and register the edge's own function again"
        )


def _node_expression(place: int, layer: Layer, inputs: Sequence[Any], output: int) -> Any:
    """Return the expression (E1) of one node, from those of its inputs."""
    import sympy

    edges = [edge for edge in layer.symbolic if edge.output == output]
    return sympy.Add(
        *(
            _edge_expression(place, edge, layer.affine[edge.row], inputs[edge.input])
            for edge in edges
        )
    )


def _edge_expression(place: int, edge: SymbolicEdge, row: FloatArray, x: Any) -> Any:
    """Return c f(a x + b) + d of one edge as an expression."""
    a, b, c, d = (exact_number(float(value)) for value in row)
    value = apply_function(edge.function, a * x + b)
    if _is_undefined(value):
        raise ValueError(
            f"{edge.name} on the edge from input {edge.input} to output {edge.output} of layer "
            f"{place} has no finite real value at any x"
        )
    return c * value + d


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
    known = _sympy_forms()
    return (known.get(function.name) or undefined_function(function.name))(u)


def _is_undefined(value: Any) -> bool:
    """Return whether an expression has no finite real value at any x."""
    import sympy

    undefined = (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo, sympy.I)
    return isinstance(value, sympy.Expr) and bool(value.has(*undefined))


def undefined_function(name: str) -> Any:
    """Return `sympy.Function(name)`, which is printed as a function whatever its name is.

    SymPy's printers look up how strongly an expression binds by the name of its class, so that a
    function with the name Integer is taken for a number.
    """
    from sympy.core.function import UndefinedFunction
    from sympy.printing.precedence import PRECEDENCE

    return UndefinedFunction(name, __dict__={"precedence": PRECEDENCE["Func"]})


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
        "exp": _exp,
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
        "sigmoid": lambda u: 1 / (1 + _exp(-u)),
        "gaussian": lambda u: sp.exp(-(u**2)),
        "logcosh": lambda u: sp.log(sp.cosh(u)),
        "1/|x|": lambda u: 1 / sp.Abs(u),
    }


def _exp(u: Any) -> Any:
    """Return e^u without overflow or underflow of its factors.

    SymPy writes e^(x + 3.0) as e^3.0 e^x. For x - 1000.0 the factor e^-1000.0 would be 0 in
    float64.
    """
    import sympy

    constant, rest = u.as_coeff_Add()
    # a rational constant, the same number, is not split off
    return sympy.exp(
        rest + sympy.Rational(constant) if constant.is_Float and abs(constant) > LONG_SHIFT else u
    )


# --- for the eye


def round_formula(expression: Any, digits: int = 4) -> Any:
    """Round every coefficient of an expression, or tuple of them, to some significant digits.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
    digits : int
        1 to 17.

    Returns
    -------
    rounded : sympy.Expr, or tuple of sympy.Expr
        For reading, not for computing: the digits beyond those shown are lost.
    """
    import sympy

    places = checks.integer("digits", digits, low=1, high=EXACT_DIGITS)
    found = check_expressions(expression)
    numbers = {
        number: sympy.Float(f"{Decimal(str(number)):.{places - 1}e}", places)
        for number in floats(found)
    }
    rounded = tuple(replaced(one, numbers) for one in found)
    return rounded if isinstance(expression, tuple) else rounded[0]


def formula_latex(
    formula_or_network: Any, *, names: Sequence[str] | None = None, digits: int = 4
) -> Any:
    r"""Return the LaTeX of an expression or of the function of a network.

    For example ``1.0 e^{x_{2}^{2} + \sin{\left(3.142 x_{1} \right)}}``.

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
        beyond those shown are lost, and where large terms nearly cancel, its values can differ from
        those of the network by any amount. 17 digits change no coefficient. x_1, x1 and mu_r become
        letters with a subscript. All other names are set upright, unchanged, with LaTeX's special
        characters escaped; so are e, i and pi, whose letters are the constants, and the names of
        registered functions.
    """
    if isinstance(formula_or_network, Network):
        expression = formula(formula_or_network, names=names)
    elif names is not None:
        raise ValueError(
            f"names is {names!r}, but an expression has names of its own: "
            "give names with a network only"
        )
    else:
        expression = formula_or_network
    found = check_expressions(round_formula(expression, digits))
    written = latex_texts(found)
    return written if isinstance(expression, tuple) else written[0]
