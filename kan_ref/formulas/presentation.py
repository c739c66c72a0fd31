"""Formulas for the eye: few digits, and typeset as LaTeX."""

import re
from collections.abc import Sequence
from typing import Any

from kan_ref import checks
from kan_ref.formulas.values import check_expressions, floats, replaced

GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
    "mu",
    "nu",
    "xi",
    "pi",
    "rho",
    "sigma",
    "tau",
    "upsilon",
    "phi",
    "chi",
    "psi",
    "omega",
    "Gamma",
    "Delta",
    "Theta",
    "Lambda",
    "Xi",
    "Pi",
    "Sigma",
    "Upsilon",
    "Phi",
    "Psi",
    "Omega",
]
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
    """Return the LaTeX of each expression."""
    import sympy

    symbols = set().union(*(one.atoms(sympy.Symbol) for one in expressions))
    names = {symbol: _latex_name(symbol.name) for symbol in symbols}
    return tuple(sympy.latex(one, symbol_names=names) for one in expressions)


def _latex_name(name: str) -> str:
    """Return x_1, x1 and mu_r as letters with a subscript, any other text upright."""
    parts = re.fullmatch(r"([^\W\d_]+)(?:_?(\d+)|_([^\W_]+))?", name)
    if parts and name not in CONSTANTS and (len(parts[1]) == 1 or parts[1] in GREEK):
        letter = "\\" + parts[1] if parts[1] in GREEK else parts[1]
        below = parts[2] or parts[3]
        return letter if below is None else f"{letter}_{{{below}}}"
    escaped = re.sub(r"([{}$%&_# ])", r"\\\1", name)
    return rf"\mathrm{{{escaped}}}"
