"""Write an expression as sums of functions of one variable: what a network of symbolic edges has.

A sum is a node, a function of the library an edge, and a composition two layers. Products need an
identity. The human-constructed networks of Liu et al. 2024, section 3.3, use quarter squares,

    (E6)  x y = ((r x + y / r)^2 - (r x - y / r)^2) / 4    for every r > 0

which is defined for all x and y, unlike the sum of logarithms. With r^2 = size of y / size of x
both squares are as small as the product, which keeps rounding errors small; r is a power of two.
The size of a factor is what 1 of 10 points exceeds, so that a point near a pole has no influence,
or the largest near a corner of bounds above 0, where a factor such as 1/x is large but has no pole.
Quotients are products with 1/x. Powers that the library lacks are compositions and products of
powers, or e^(n log x), where the power is real for x > 0 only. So are whole powers from 64 on,
whose products would have few digits where x^n is small.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from kan_ref.formulas.graph import Graph, Sum
from kan_ref.functions import LIBRARY

_DIGITS = 30
_POWERS = {2: "x^2", 3: "x^3", 4: "x^4", 5: "x^5"} | {
    -1: "1/x", -2: "1/x^2", -3: "1/x^3", -4: "1/x^4", -5: "1/x^5",
    Fraction(1, 2): "sqrt", Fraction(-1, 2): "1/sqrt", Fraction(3, 2): "x^1.5",
}  # fmt: skip
_USUAL = 0.9  # the share of points that are not near a pole
_UNBALANCED = 4.0  # ratio of the factors' sizes from which r of (E6) is not 1


class Compiler:
    """Turns expressions of real symbols into sums over one graph.

    `symbols`: the inputs. `n_ends`: how many of the probe points, the last ones, are near corners
    of bounds above 0; None if the points have no influence on products.
    """

    def __init__(self, graph: Graph, symbols: Sequence[Any], n_ends: int | None) -> None:
        import sympy

        self.graph = graph
        self.inputs = {symbol: graph.input(n) for n, symbol in enumerate(symbols)}
        self.n_ends = n_ends
        self.known: dict[Any, Sum] = dict(self.inputs)
        self.has_logarithms = False  # e^(n log x) in place of a power
        self.sympy = sympy
        self.functions = {
            sympy.exp: "exp", sympy.log: "log", sympy.Abs: "abs", sympy.sin: "sin",
            sympy.cos: "cos", sympy.tan: "tan", sympy.tanh: "tanh", sympy.cosh: "cosh",
            sympy.sign: "sgn", sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan",
            sympy.atanh: "arctanh",
        }  # fmt: skip

    def sum_of(self, expression: Any) -> Sum:
        """Return an expression as a sum; raise ValueError for a part that no network has."""
        if expression not in self.known:
            if not expression.free_symbols:
                self.known[expression] = Sum(self._constant(expression))
            else:
                self.known[expression] = self._compiled(expression)
        return self.known[expression]

    def _compiled(self, expression: Any) -> Sum:
        sympy = self.sympy
        if expression.is_Add:
            total = Sum(0)
            for term in expression.args:
                total = total.plus(self.sum_of(term))
            return total
        if expression.is_Mul:
            return self._product([self.sum_of(factor) for factor in expression.args])
        if expression.is_Pow:
            return self._power(expression.base, expression.exp)
        if isinstance(expression, sympy.exp):
            return self._exponential(expression.args[0])
        if isinstance(expression, sympy.log) and isinstance(expression.args[0], sympy.cosh):
            return self._apply("logcosh", self.sum_of(expression.args[0].args[0]))
        if expression.func in self.functions and len(expression.args) == 1:
            return self._apply(self.functions[expression.func], self.sum_of(expression.args[0]))
        if isinstance(expression, sympy.core.function.AppliedUndef):
            name = expression.func.__name__
            if name in LIBRARY and len(expression.args) == 1:
                return self._apply(name, self.sum_of(expression.args[0]))
            raise ValueError(
                f"expression has {self._shown(expression)}, but the library has no function "
                f"{name!r} of one argument: register_function adds one"
            )
        rewritten = self._rewritten(expression)
        if rewritten is None:
            raise ValueError(
                f"expression has {self._shown(expression)}, but {expression.func.__name__} is "
                "neither in the library nor made of functions in it: register_function adds one"
            )
        return self.sum_of(rewritten)

    def _rewritten(self, expression: Any) -> Any:
        """Return an equal expression of functions in the library, or None if no rule applies."""
        sp, u = self.sympy, expression.args[0]
        forms: dict[Any, Callable[[], Any]] = {
            sp.sinh: lambda: (sp.exp(u) - sp.exp(-u)) / 2,
            sp.cot: lambda: sp.tan(sp.pi / 2 - u, evaluate=False),
            sp.sec: lambda: 1 / sp.cos(u),
            sp.csc: lambda: 1 / sp.sin(u),
            sp.coth: lambda: 1 / sp.tanh(u),
            sp.sech: lambda: 1 / sp.cosh(u),
            sp.csch: lambda: 1 / sp.sinh(u),
            sp.acot: lambda: sp.atan(1 / u),
            sp.sinc: lambda: sp.sin(u) / u,
            sp.asinh: lambda: sp.sign(u) * sp.log(sp.Abs(u) + sp.sqrt(u**2 + 1)),
            sp.acosh: lambda: sp.log(u + sp.sqrt(u**2 - 1)),
        }
        if expression.func in (sp.Max, sp.Min):
            other = expression.func(*expression.args[1:])
            sign = 1 if expression.func is sp.Max else -1
            return (u + other + sign * sp.Abs(u - other)) / 2
        return forms[expression.func]() if expression.func in forms else None

    def _shown(self, expression: Any) -> Any:
        """Return an expression with the names that the user gave."""
        return expression.xreplace({one: self.sympy.Symbol(one.name) for one in self.inputs})

    def _constant(self, expression: Any) -> Any:
        """Return a number exactly if it is rational, else with 30 digits."""
        if expression.is_Rational:
            return expression
        value = expression.evalf(_DIGITS)
        if not value.is_Float and not value.is_Rational:
            raise ValueError(
                f"expression has the number {expression}, which is not real and finite"
            )
        return value

    def _apply(self, function: str, argument: Sum) -> Sum:
        if not argument.terms:  # terms have cancelled each other
            value = float(LIBRARY[function].f(np.array([float(argument.constant)]))[0])
            return Sum(self._constant(self.sympy.Float(value)))
        return self.graph.apply(function, argument)

    # --- exponentials and powers

    def _exponential(self, exponent: Any) -> Sum:
        """Return e^u; a multiple of a square gives one edge, a Gaussian."""
        coefficient, rest = exponent.as_independent(*self.inputs, as_Add=False)
        if rest.is_Pow and rest.exp == 2 and self._constant(coefficient) < 0:
            root = self._constant(self.sympy.sqrt(-coefficient))
            return self._apply("gaussian", self.sum_of(rest.base).times(root))
        return self._apply("exp", self.sum_of(exponent))

    def _power(self, base: Any, exponent: Any) -> Sum:
        sp = self.sympy
        if not base.free_symbols:
            return self._apply("exp", self.sum_of(exponent).times(self._constant(sp.log(base))))
        if exponent.free_symbols:  # real for a base > 0 only
            return self.sum_of(sp.exp(exponent * sp.log(base), evaluate=False))
        if exponent == -1:
            argument = self._sigmoid_argument(base)
            if argument is not None:
                return self._apply("sigmoid", self.sum_of(argument))
            if isinstance(base, sp.Abs):
                return self._apply("1/|x|", self.sum_of(base.args[0]))
        value = self._constant(exponent)
        whole = Fraction(str(value)) if value.is_Rational else Fraction(float(value))
        return self._numeric_power(self.sum_of(base), whole)

    def _sigmoid_argument(self, base: Any) -> Any:
        """Return u of a base 1 + e^-u, else None."""
        one, rest = base.as_coeff_Add()
        is_sigmoid = one == 1 and isinstance(rest, self.sympy.exp)
        return -rest.args[0] if is_sigmoid else None

    def _numeric_power(self, base: Sum, exponent: Fraction) -> Sum:
        """Return base^exponent by powers of the library."""
        if exponent in (0, 1):  # of a float: SymPy keeps x^1.0
            return base if exponent else Sum(1)
        name = _POWERS.get(int(exponent) if exponent.denominator == 1 else exponent)
        if name is not None:
            return self._apply(name, base)
        if exponent.denominator == 1 and abs(int(exponent)) < 64:
            n, sign = abs(int(exponent)), 1 if exponent > 0 else -1
            for inner in (5, 4, 3, 2):  # x^6 = (x^3)^2
                if n % inner == 0:
                    outer = self._numeric_power(base, Fraction(sign * inner))
                    return self._numeric_power(outer, Fraction(n // inner))
            rest = self._numeric_power(base, Fraction(sign * (n - 1)))
            return self._product([rest, base if sign > 0 else self._apply("1/x", base)])
        if exponent.denominator in (2, 4, 8) and abs(exponent.numerator) < 64:
            root = self._apply("sqrt", base)  # x >= 0, as for the power itself
            return self._numeric_power(root, 2 * exponent)
        self.has_logarithms = True
        logarithm = self._apply("log", base)
        return self._apply("exp", logarithm.times(self._constant(self.sympy.Rational(exponent))))

    # --- products

    def _product(self, factors: Sequence[Sum]) -> Sum:
        """Return the product; factors of the lowest levels are multiplied first."""
        constant, rest = self.sympy.Integer(1), []
        for factor in factors:
            if factor.terms:
                rest.append(factor)
            else:
                constant = constant * factor.constant
        if constant == 0:
            return Sum(0)
        while len(rest) > 1:
            rest.sort(key=lambda one: self.graph.source_of(one)[0].level)
            first, second, *rest = rest
            rest.append(self._multiplied(first, second))
        return rest[0].times(constant) if rest else Sum(constant)

    def _multiplied(self, first: Sum, second: Sum) -> Sum:
        """Return the product of two sums by (E6)."""
        one, other = (self._with_unit_scale(factor) for factor in (first, second))
        ratio = self._ratio(one[0], other[0])
        # [eq:quarter-squares]
        plus = one[0].times(ratio).plus(other[0], 1 / ratio)
        minus = one[0].times(ratio).plus(other[0], -1 / ratio)
        quarter = self.sympy.Rational(1, 4)
        product = self._square(plus).times(quarter).plus(self._square(minus), -quarter)
        # [/eq:quarter-squares]
        return product.times(one[1] * other[1])

    def _square(self, argument: Sum) -> Sum:
        if argument.terms:
            return self._apply("x^2", argument)
        return Sum(argument.constant**2)

    def _with_unit_scale(self, factor: Sum) -> tuple[Sum, Any]:
        """Return a sum and a number whose product is `factor`; the sum is that of a node."""
        _, scale, _ = self.graph.source_of(factor)
        return factor.times(1 / self.sympy.sympify(scale)), scale

    def _ratio(self, first: Sum, second: Sum) -> Any:
        """Return the r of (E6), a power of two, from the sizes of the factors."""
        if self.n_ends is None:
            return self.sympy.Integer(1)
        with np.errstate(all="ignore"):
            sizes = [np.abs(self.graph.values_of(one)) for one in (first, second)]
        known = np.isfinite(sizes[0]) & np.isfinite(sizes[1])
        if not known.any():
            return self.sympy.Integer(1)
        ends = known & (np.arange(len(known)) >= len(known) - self.n_ends)
        one, other = (
            max(float(np.quantile(size[known], _USUAL)), float(size[ends].max(initial=0.0)))
            for size in sizes
        )
        if not (one > 0.0 and other > 0.0) or 1 / _UNBALANCED <= one / other <= _UNBALANCED:
            return self.sympy.Integer(1)
        return self.sympy.Integer(2) ** round(0.5 * np.log2(other / one))
