"""Build a network from a formula: the inverse of `formula`.

A sum is a node, a function of the library an edge, and a composition two layers. Products need an
identity. The human-constructed networks of Liu et al. 2024, section 3.3, use quarter squares,

    (E6)  x y = ((r x + y / r)^2 - (r x - y / r)^2) / 4    for every r > 0

which is defined for all x and y, unlike the sum of logarithms. With r^2 = size of y / size of x
both squares are about as small as the product, which keeps rounding errors small; r is a power of
two. Quotients are products with 1/x. Powers that the library lacks are compositions and products of
powers, or e^(n log x), where the power is real for x > 0 only.

The network is returned only if it agrees with the expression at points x_b between the bounds,

    (E7)  |network(x_b) - expression(x_b)| <= tolerance max_b sum |terms of the expression(x_b)|
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from kan_ref import checks
from kan_ref.checks import FloatArray
from kan_ref.formulas.graph import Graph, Sum
from kan_ref.formulas.values import numeric_function
from kan_ref.functions import LIBRARY
from kan_ref.network import Network, network_values, place_hidden_grids, read_domain

N_POINTS = 500
TOLERANCE = 1e-11
DIGITS = 30
MOST_POWER = 64  # larger whole powers have few digits where x^n is small
USUAL = 0.9  # the share of points that are not near a pole
UNBALANCED = 4.0  # ratio of the factors' sizes from which r of (E6) is not 1
POWERS = {2: "x^2", 3: "x^3", 4: "x^4", 5: "x^5"} | {
    -1: "1/x", -2: "1/x^2", -3: "1/x^3", -4: "1/x^4", -5: "1/x^5",
    Fraction(1, 2): "sqrt", Fraction(-1, 2): "1/sqrt", Fraction(3, 2): "x^1.5",
}  # fmt: skip
# the names of SymPy's functions -> those of the library, or those that SymPy writes them with
FUNCTIONS = {name: name for name in ("exp", "log", "sin", "cos", "tan", "tanh", "cosh")} | {
    "Abs": "abs", "sign": "sgn", "asin": "arcsin", "acos": "arccos", "atan": "arctan",
    "atanh": "arctanh",
}  # fmt: skip
REWRITTEN = {"sinh": "exp", "coth": "tanh", "sech": "cosh", "csch": "exp", "asinh": "log"} | {
    "acosh": "log", "cot": "tan", "sec": "cos", "csc": "sin", "Max": "Abs", "Min": "Abs"
}  # fmt: skip


@np.errstate(all="ignore")
def from_formula(
    expression: Any, names: Sequence[str] | None = None, *, domain: object = (-1.0, 1.0)
) -> Network:
    """Return the network of symbolic edges that computes an expression.

    Parameters
    ----------
    expression : sympy.Expr, or sequence of them
        One for each output: sums, products, quotients, powers and compositions of functions in the
        library.
    names : sequence of str, optional
        The inputs in their order; by default the symbols of the expression, sorted by name. An
        input may be unused.
    domain : (2,) or (n_in, 2)
        Bounds of the inputs between which the network will be used. It is compared with the
        expression there, and factors of different sizes are balanced there.

    Returns
    -------
    network : Network
        All edges are symbolic. Its grids, which have no influence, have one interval between the
        bounds. `formula(network, names=names)` is equal to the expression.

    Notes
    -----
    Implements :eq:`quarter-squares`. A product is the difference of two squares, so its rounding
    error is relative to the largest product of the factors: where values of an expression differ
    much, as near a pole, small ones may have no digits. At an isolated point an edge may be
    undefined where the expression has a limit (sin(x) / x at 0). Powers with a symbol in the
    exponent, and roots other than 1/2, 1/4 and 1/8, need a base above 0. Each product of two nodes
    costs two nodes and one layer.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y")
    >>> net = from_formula(sympy.exp(sympy.sin(sympy.pi * x) + y**2), ("x", "y"))
    >>> net
    Network([2, 1, 1], n_intervals [1, 1], degree 3, 30 parameters, 3 symbolic edges)
    >>> from_formula(x * y, ("x", "y")).widths
    (2, 2, 1)
    """
    import sympy

    written = tuple(expression) if isinstance(expression, tuple | list) else (expression,)
    if not written:
        raise ValueError("expression is empty, but a network needs at least one output")
    for one in written:
        checks.instance("expression", one, sympy.Expr, "a SymPy expression, as by sympify")
    symbols = sorted(set().union(*(one.free_symbols for one in written)), key=lambda one: one.name)
    labels = checks.names("names", [one.name for one in symbols] if names is None else names)
    unknown = [symbol.name for symbol in symbols if symbol.name not in labels]
    if unknown or not labels:
        raise ValueError(
            f"names is {labels}, but must have the symbols of the expression: "
            f"{', '.join(one.name for one in symbols) or 'none'}"
        )
    inputs = {name: sympy.Dummy(name, real=True) for name in labels}
    found = [one.xreplace({v: inputs[v.name] for v in symbols}).doit() for one in written]
    low, high, samples = read_domain(domain, len(labels))
    if samples is not None:
        raise ValueError(f"domain has shape {samples.shape}, but must be bounds")
    unit = np.random.default_rng(0).random((N_POINTS, len(labels)))
    points = low + unit * (high - low)
    positive = (low > 0.0) & (np.arange(N_POINTS) % 2 == 0)[:, None]
    points = np.where(positive, low * (high / low) ** unit, points)  # 1/x is large at a small low
    compiler = _Compiler(list(inputs.values()), points, 1.0 if (low > 0.0).all() else USUAL)
    sums = [compiler.sum_of(one) for one in found]
    network = compiler.graph.network(sums, np.column_stack([low, high]))
    terms = [sympy.Add(*map(sympy.Abs, sympy.Add.make_args(one))) for one in found]
    values, sizes = np.split(compiler.values([*found, *terms]), 2, axis=1)
    defined = np.isfinite(values).all(axis=1)
    if not defined.any():
        raise ValueError("expression has no finite value: give domain= where it is defined")
    # [eq:formula-comparison]
    errors = np.abs(network_values(network, points) - values)[defined]
    is_same = errors <= TOLERANCE * sizes[defined].max(axis=0)
    # [/eq:formula-comparison]
    if not is_same.all():
        row, output = (int(place) for place in np.argwhere(~is_same)[0])
        raise ValueError(
            f"expression {output} and its network differ by {errors[row, output]:.1e} at "
            f"{points[defined][row].tolist()}: give domain= with narrower bounds, or positive ones"
        )
    return place_hidden_grids(network, points[defined])


class _Compiler:
    """Turns expressions of real symbols into sums over one graph."""

    def __init__(self, symbols: Sequence[Any], points: FloatArray, share: float) -> None:
        self.share = share  # of the points: those at which the size of a factor is looked for
        self.graph, self.symbols, self.points = Graph(len(symbols)), symbols, points
        self.known = {symbol: self.graph.input(n) for n, symbol in enumerate(symbols)}

    def values(self, expressions: Sequence[Any]) -> FloatArray:
        """Return the values of expressions at the points, (n_points, n_expressions)."""
        evaluate = numeric_function(expressions, (), self.symbols)
        return evaluate(self.points[:, :0], *self.points.T)

    def sum_of(self, expression: Any) -> Sum:
        """Return an expression as a sum; raise ValueError for a part that no network has."""
        if expression not in self.known:
            build = self._compiled if expression.free_symbols else _number
            self.known[expression] = build(expression)
        return self.known[expression]

    def _compiled(self, expression: Any) -> Sum:
        import sympy

        name, args = expression.func.__name__, expression.args
        if expression.is_Add:
            return reduce(Sum.plus, map(self.sum_of, args))
        if expression.is_Mul:
            number, factors = expression.as_independent(*self.symbols, as_Add=False)
            sizes = self._sizes(sympy.Mul.make_args(factors))
            parts = zip(map(self.sum_of, sympy.Mul.make_args(factors)), sizes, strict=True)
            return self._product(list(parts)).times(_constant(number))
        if expression.is_Pow:
            return self._power(*args)
        if name == "log" and isinstance(args[0], sympy.cosh):
            return self._apply("logcosh", self.sum_of(args[0].args[0]))
        is_own = isinstance(expression, sympy.core.function.AppliedUndef) and name in LIBRARY
        if len(args) == 1 and (is_own or name in FUNCTIONS):
            return self._apply(name if is_own else FUNCTIONS[name], self.sum_of(args[0]))
        if name == "sinc":
            return self.sum_of(sympy.sin(args[0]) / args[0])
        if name not in REWRITTEN:
            raise ValueError(
                f"expression has the function {name}, which is neither in the library nor made of "
                "functions in it: register_function adds one"
            )
        return self.sum_of(expression.rewrite(getattr(sympy, REWRITTEN[name])))

    def _apply(self, function: str, argument: Sum) -> Sum:
        if argument.terms:
            return self.graph.apply(function, argument)
        import sympy  # terms have cancelled each other

        return Sum(sympy.Float(float(LIBRARY[function].f(np.array([float(argument.constant)]))[0])))

    # --- powers

    def _power(self, base: Any, exponent: Any) -> Sum:
        import sympy

        if not base.free_symbols or exponent.free_symbols:  # real for a base > 0 only
            return self.sum_of(sympy.exp(exponent * sympy.log(base), evaluate=False))
        value = _constant(exponent)
        return self._numeric_power(self.sum_of(base), Fraction(str(value)))

    def _numeric_power(self, base: Sum, exponent: Fraction) -> Sum:
        """Return base^exponent by powers of the library: x^6 = (x^3)^2, x^7 = x^6 x."""
        import sympy

        if exponent in (0, 1):  # of a float: SymPy keeps x^1.0
            return base if exponent else Sum(self.graph.one)
        if exponent in POWERS:
            return self._apply(POWERS[exponent], base)
        if exponent.denominator == 1 and abs(exponent) < MOST_POWER:
            sign = 1 if exponent > 0 else -1
            for inner in (5, 4, 3, 2):
                if exponent % inner == 0:
                    part = self._numeric_power(base, Fraction(sign * inner))
                    return self._numeric_power(part, sign * exponent / inner)
            parts = [self._numeric_power(base, Fraction(part)) for part in (exponent - sign, sign)]
            return self._product([(part, 1.0) for part in parts])
        if exponent.denominator in (2, 4, 8):
            return self._numeric_power(self._apply("sqrt", base), 2 * exponent)
        logarithm = self._apply("log", base)
        power = sympy.Rational(exponent.numerator, exponent.denominator)
        return self._apply("exp", logarithm.times(_constant(power)))

    # --- products

    def _sizes(self, factors: Sequence[Any]) -> list[float]:
        """Return the largest size of each factor at a share of the points."""
        values = np.abs(self.values(factors))
        sizes = [one[np.isfinite(one) & (one > 0.0)] for one in values.T]
        return [float(np.quantile(one, self.share)) if len(one) else 1.0 for one in sizes]

    def _product(self, factors: list[tuple[Sum, float]]) -> Sum:
        """Return the product of sums with their sizes; those of low levels are multiplied first."""
        while len(factors) > 1:
            factors.sort(key=lambda one: self._level(one[0]))
            (first, size), (second, other), *rest = factors
            factors = [*rest, (self._multiplied(first, second, other / size), size * other)]
        return factors[0][0]

    def _level(self, one: Sum) -> int:
        return self.graph.source_of(one)[0].level if one.terms else 0

    def _multiplied(self, first: Sum, second: Sum, ratio: float) -> Sum:
        """Return the product of two sums by (E6); `ratio` is that of their sizes."""
        import sympy

        if not (first.terms and second.terms):
            number, other = (second, first) if first.terms else (first, second)
            return other.times(number.constant)
        scales = [self.graph.source_of(one)[1] for one in (first, second)]
        one, other = (part.times(1 / s) for part, s in zip((first, second), scales, strict=True))
        ratio = ratio * abs(float(scales[0] / scales[1]))
        is_even = 1 / UNBALANCED <= ratio <= UNBALANCED
        r = sympy.Integer(2) ** (0 if is_even else round(0.5 * np.log2(ratio)))
        # [eq:quarter-squares]
        plus, minus = one.times(r).plus(other, 1 / r), one.times(r).plus(other, -1 / r)
        quarter = sympy.Rational(1, 4)
        product = self._square(plus).times(quarter).plus(self._square(minus), -quarter)
        # [/eq:quarter-squares]
        return product.times(scales[0] * scales[1])

    def _square(self, argument: Sum) -> Sum:
        return self._apply("x^2", argument) if argument.terms else Sum(argument.constant**2)


def _number(expression: Any) -> Sum:
    return Sum(_constant(expression))


def _constant(expression: Any) -> Any:
    """Return a number exactly if it is rational, else with 30 digits."""
    value = expression if expression.is_Rational else expression.evalf(DIGITS)
    if not (value.is_Float or value.is_Rational):
        raise ValueError(f"expression has the number {expression}, which is not real and finite")
    return value
