"""Write expressions as MathML, which browsers typeset without a script, in the colour of the page.

Names are data, as in `latex`: a letter with a subscript, or upright text. SymPy's printer writes
names into the markup as they are, so every name is escaped here.
"""

import html
from collections.abc import Sequence
from typing import Any

from kan_ref.formulas.latex import GREEK, name_of_call, split_name, with_plain_calls


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
