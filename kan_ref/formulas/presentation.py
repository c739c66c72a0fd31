"""Formulas for the eye: few digits, whole numbers as integers, no rounding residue.

A fitted formula contains numbers such as 0.9999999999999998, and terms such as + 4.4e-17 that
rounding left behind. In a sum, a term whose coefficient c is smaller than the largest one by more
than float64 can resolve,

    (E8)  |c| <= 1e-13 max over terms of |c|

is left out. Only what is shown changes; values are computed from the formula itself.
"""

from decimal import Decimal
from typing import Any

from kan_ref.checks import check_integer
from kan_ref.formulas.values import check_expressions

RESIDUE = 1e-13


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
        Without the terms (E8), rounded, with whole numbers as integers.
    """
    places = check_integer("digits", digits, low=1, high=17)
    shown = tuple(_rounded(_without_residue(one), places) for one in check_expressions(expression))
    return shown if isinstance(expression, tuple) else shown[0]


def _without_residue(expression: Any) -> Any:
    """Return an expression without the terms (E8) of its sums."""
    if not expression.args:
        return expression
    parts = [_without_residue(part) for part in expression.args]
    if expression.is_Add:
        sizes = [abs(float(part.as_coeff_Mul()[0])) for part in parts]
        # [eq:rounding-residue]
        parts = [
            part
            for part, size in zip(parts, sizes, strict=True)
            if size > RESIDUE * max(sizes) or not part.has(_float())
        ]
        # [/eq:rounding-residue]
    return expression.func(*parts)


def _rounded(expression: Any, digits: int) -> Any:
    """Return an expression with rounded numbers; whole ones become integers."""
    import sympy

    numbers = {}
    for number in expression.atoms(sympy.Float):
        near = Decimal(f"{Decimal(str(number)):.{digits - 1}e}")
        is_whole = near == near.to_integral_value() and abs(near) < 10**digits
        numbers[number] = sympy.Integer(int(near)) if is_whole else sympy.Float(str(near), digits)
    return expression.xreplace(numbers)


def _float() -> Any:
    import sympy

    return sympy.Float
