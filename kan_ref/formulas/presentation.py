"""Formulas for the eye: few digits, and typeset as LaTeX."""

import re
from collections.abc import Sequence
from typing import Any

from kan_ref import checks
from kan_ref.formulas.values import check_expressions, floats, replaced

CONSTANTS = ("e", "i", "pi")  # whose letters are those of numbers


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
