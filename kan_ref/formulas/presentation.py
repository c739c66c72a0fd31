"""Formulas for the eye: few digits, and typeset as LaTeX or MathML.

A fitted formula contains numbers such as 0.9999999999999998, which are shown with a few digits.
Values are computed from the formula itself. Every term is shown, however small its coefficient is:
6e-44 exp(x / 20) has the size of 1 where x is 2000.

In LaTeX and in MathML, which browsers typeset without a script, a name is data, whatever it is:
either a letter with a subscript, or upright text in which the special characters are escaped. So
are e, i and pi, whose letters are the constants.
SymPy's own rules read more into a name: for LaTeX it writes x__2 as a square, xabs as an absolute
value, and the letters of a word like a product; for MathML it writes names into the markup as they
are.
"""

import html
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from kan_ref import checks
from kan_ref.formulas.values import check_expressions

# Greek letters that have a LaTeX command of their own; the other capitals look like Latin ones
_GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon
phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
GREEK = frozenset(_GREEK.split())
# Matplotlib reads \#A as a command of that name; LaTeX reads \# and A
_ESCAPES = {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\tilde{}", " ": r"\ ", "#": r"\#{}"} | {
    sign: "\\" + sign for sign in "{}$%&_"
}
_CONSTANTS = frozenset(
    ("e", "i", "pi")
)  # as letters they are Euler's number, the imaginary unit, pi
_MARK = "call of "  # before the name of a function: no class begins so


def shown_formula(expression: Any, digits: int = 5) -> Any:
    """Return an expression, or a tuple of them, for reading.

    Parameters
    ----------
    expression : sympy.Expr, or tuple of sympy.Expr
    digits : int
        Significant digits of the coefficients, 1 to 17.

    Returns
    -------
    shown : sympy.Expr, or tuple of sympy.Expr
        Rounded, with whole numbers as integers.
    """
    places = checks.integer("digits", digits, low=1, high=17)
    shown = tuple(_rounded(one, places) for one in check_expressions(expression))
    return shown if isinstance(expression, tuple) else shown[0]


def _rounded(expression: Any, digits: int) -> Any:
    """Return an expression with rounded numbers; whole ones become integers."""
    import sympy

    numbers = {}
    for number in expression.atoms(sympy.Float):
        near = Decimal(f"{Decimal(str(number)):.{digits - 1}e}")
        is_whole = near == near.to_integral_value() and abs(near) < 10**digits
        numbers[number] = sympy.Integer(int(near)) if is_whole else sympy.Float(str(near), digits)
    return expression.xreplace(numbers)


def latex_texts(expressions: Sequence[Any]) -> tuple[str, ...]:
    """Return the LaTeX of each expression; different symbols are written differently."""
    import sympy
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):  # type: ignore[misc]
        """SymPy's printer, with the names of functions without a definition escaped."""

        def _print_AppliedUndef(self, call: Any, exp: str | None = None) -> str:  # noqa: N802
            power = "" if exp is None else f"^{{{exp}}}"
            arguments = ", ".join(self._print(argument) for argument in call.args)
            name = rf"\operatorname{{{_escaped(name_of_call(call))}}}"
            return rf"{name}{power}{{\left({arguments} \right)}}"

    symbols = set().union(*(one.atoms(sympy.Symbol) for one in expressions))
    names = {symbol: letter_with_subscript(symbol.name) for symbol in symbols}
    uses = Counter(names.values())  # x1 and x_1 look the same
    upright = {
        symbol: written if uses[written] == 1 else upright_name(symbol.name)
        for symbol, written in names.items()
    }
    printer = Printer({"symbol_names": upright})
    return tuple(str(printer.doprint(with_plain_calls(one))) for one in expressions)


def with_plain_calls(expression: Any) -> Any:
    """Return the expression with functions that have no name of a class of SymPy.

    SymPy's printers look up by its name how strongly an expression binds: Integer(x), with a
    function of the caller, would be a number.
    """
    from sympy.core.function import AppliedUndef, UndefinedFunction

    return expression.replace(
        lambda one: isinstance(one, AppliedUndef),
        lambda one: UndefinedFunction(_MARK + one.func.__name__)(*one.args),
    )


def name_of_call(call: Any) -> str:
    """Return the caller's own name of a function in an expression from `with_plain_calls`."""
    return str(call.func.__name__).removeprefix(_MARK)


def letter_with_subscript(name: str) -> str:
    r"""Return x_1, x1 and mu_r as letters with a subscript, all other names as `upright_name`."""
    letter, below = split_name(name)
    if letter is None:
        return upright_name(name)
    sign = "\\" + letter if letter in GREEK else letter
    return sign if below is None else f"{sign}_{{{below}}}"


def split_name(name: str) -> tuple[str | None, str | None]:
    """Return the letter, or name of a Greek letter, and the subscript of a name, if it has them.

    The letters of constants are not those of names: an input called e differs from Euler's number.
    """
    parts = re.fullmatch(r"([^\W\d_]+)(?:_?(\d+)|_([^\W_]+))?", name)
    if parts is None or name in _CONSTANTS or not (len(parts[1]) == 1 or parts[1] in GREEK):
        return None, None
    return parts[1], parts[2] or parts[3]


def upright_name(name: str) -> str:
    r"""Return any text as one upright LaTeX symbol: ``50%`` becomes ``\mathrm{50\%}``."""
    return rf"\mathrm{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    """Return a text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(sign, sign) for sign in name)


def mathml_texts(expressions: Sequence[Any]) -> tuple[str, ...]:
    """Return the presentation MathML of each expression."""
    from sympy.printing.mathml import MathMLPresentationPrinter

    class Printer(MathMLPresentationPrinter):  # type: ignore[misc]
        """SymPy's printer, with escaped names of symbols and of undefined functions."""

        def _text(self, tag: str, content: str) -> Any:
            element = self.dom.createElement(tag)
            element.appendChild(self.dom.createTextNode(html.escape(content)))
            return element

        def _print_Symbol(self, symbol: Any, style: str = "plain") -> Any:  # noqa: N802
            letter, below = split_name(symbol.name)
            if letter is None:
                return self._text("mtext", symbol.name)
            sign = self._text("mi", _greek(letter) if letter in GREEK else letter)
            if below is None:
                return sign
            pair = self.dom.createElement("msub")
            pair.appendChild(sign)
            pair.appendChild(self._text("mn" if below.isdigit() else "mi", below))
            return pair

        _print_Dummy = _print_Symbol  # noqa: N815

        def _print_AppliedUndef(self, call: Any) -> Any:  # noqa: N802
            row = self.dom.createElement("mrow")
            row.appendChild(self._text("mtext", name_of_call(call)))
            row.appendChild(self._paren_comma_separated(*call.args))
            return row

    printer = Printer()
    # the letter e is easier to read than the double-struck one
    bodies = [
        printer.doprint(with_plain_calls(one)).replace("&ExponentialE;", "e") for one in expressions
    ]
    return tuple(f'<math displaystyle="true">{body}</math>' for body in bodies)


def _greek(name: str) -> str:
    """Return the Greek letter of a name."""
    from sympy.printing.pretty.pretty_symbology import greek_unicode

    return str(greek_unicode.get(name, name))
