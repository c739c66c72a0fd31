"""Write expressions as LaTeX, whatever the names of their symbols and functions are.

A name is data: it is either a letter with a subscript, or upright text in which LaTeX's special
characters are escaped. SymPy's own rules read more into a name: it writes x__2 as a square, xabs as
an absolute value, and the letters of a word like a product.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

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

_MARK = "call of "  # before the name of a function: no class begins so


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
    """Return the letter, or name of a Greek letter, and the subscript of a name, if it has them."""
    parts = re.fullmatch(r"([^\W\d_]+)(?:_?(\d+)|_([^\W_]+))?", name)
    if parts is None or not (len(parts[1]) == 1 or parts[1] in GREEK):
        return None, None
    return parts[1], parts[2] or parts[3]


def upright_name(name: str) -> str:
    r"""Return any text as one upright LaTeX symbol: 50% becomes \mathrm{50\%}."""
    return rf"\mathrm{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    """Return a text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(sign, sign) for sign in name)
