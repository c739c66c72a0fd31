"""Formulas as one would write them: cos(x) for sin(x + 1.5707963267948966), x_1/x_2 for roots.

Three steps, each judged by the values at samples: numbers become the exact ones that they are near
(`recognition`); then every part, from the inside to the outside, is written in the ways that
algebra offers, of which the cheapest stays (`price`); then numbers again, since they were combined.
Symbols have no assumptions. What holds for positive numbers only, such as sqrt(u^2 v) = u sqrt(v),
is used where the samples show the sign of u.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, permutations, product
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.formulas.expression import exact_number
from kan_ref.formulas.recognition import Candidate, near_numbers, taken_numbers
from kan_ref.formulas.values import floats, numeric_function

CHANCE = 1e-6  # of taking a random number for an exact one, before the samples are asked
MOST_WAYS = 150  # to write the factors of one product
RELATIVE = 3.5  # what 1 - v^2/c^2 is worth more than c^2 - v^2
SHORT = 7  # characters of a decimal that is written as such
MOST_PARTS = 150  # of a sum that is factored: larger ones take seconds
MOST_LETTERS = 8  # of it, one for each trained number: polynomials of more take hours


def written(
    expression: Any, symbols: Sequence[Any], x: FloatArray, tolerance: float = 1e-12
) -> Any:
    """Return a formula of `symbols` as one would write it, with the same values at x (n, n_in).

    They change by at most `tolerance` of their standard deviation; otherwise nothing is changed.
    """
    writer = _Writer(symbols, x)
    old = writer.values(expression)
    if not np.isfinite(old).all():
        return expression
    size = float(np.ptp(old) and old.std()) or float(np.abs(old).max()) or 1.0

    def is_same(new: Any) -> bool:
        return bool((np.abs(writer.values(new) - old) <= tolerance * size).all())

    forms = [expression]
    for step in (writer.with_exact_numbers, writer.rewritten, writer.with_exact_numbers):
        with np.errstate(all="ignore"):
            forms.append(step(forms[-1], 0.5 * tolerance))
    return next(_short(one) for one in reversed(forms) if one is expression or is_same(_short(one)))


def price(expression: Any) -> float:
    """Return how long an expression is: symbols, numbers, operations and functions."""
    if expression.is_number:
        return 1.0 + (not expression.is_Integer) + 0.25 * len(expression.args)
    if expression.is_Add:
        terms = (-one if one.could_extract_minus_sign() else one for one in expression.args)
        is_negative = all(one.could_extract_minus_sign() for one in expression.args)
        is_relative = 1 in expression.args and any(map(_has_quotient, expression.args))
        return sum(1.0 + price(one) for one in terms) + is_negative - RELATIVE * is_relative
    if expression.is_Mul:
        c, factors = _factors(expression)
        size = 0.0 if c == 1 else 1.0 if c == -1 else price(c) + 0.5 * bool(c.is_negative)
        return size + sum(1.0 + price(b**k) for b, k in factors)
    if expression.is_Pow and expression.exp.could_extract_minus_sign():
        return (1.0 if expression.exp == -1 else 0.5) + price(1 / expression)
    return 1.1 + sum(price(one) for one in expression.args)  # a power or a function


def _has_quotient(term: Any) -> bool:
    return any(k.could_extract_minus_sign() for _, k in _factors(term)[1])


class _Writer:
    """Writes formulas of symbols with samples x (n, n_in)."""

    def __init__(self, symbols: Sequence[Any], x: FloatArray) -> None:
        self.symbols, self.x = tuple(symbols), x
        self.known: dict[Any, Any] = {}
        self.signs: dict[Any, int] = {}

    def values(self, expression: Any) -> FloatArray:
        """Return the values at the samples, (n,)."""
        return numeric_function([expression], (), self.symbols)(self.x[:, :0], *self.x.T)[:, 0]

    def sign(self, expression: Any) -> int:
        """Return 1 or -1 where the values have one sign at all samples, else 0."""
        if expression not in self.signs:
            values = self.values(expression)
            self.signs[expression] = int((values >= 0.0).all()) - int((values <= 0.0).all())
        return self.signs[expression]

    def with_exact_numbers(self, expression: Any, tolerance: float) -> Any:
        """Return the formula with exact numbers for floats, where the samples allow it."""
        choices = {one: near_numbers(float(one), CHANCE) for one in floats([expression])}
        names = [symbol.name for symbol in self.symbols]
        taken = taken_numbers([expression], self.x, names, choices, tolerance)
        return expression.xreplace({one: _number(near) for one, near in taken.items()})

    # --- one part at a time

    def rewritten(self, expression: Any, _: float = 0.0) -> Any:
        """Return the cheapest way to write an expression, its parts first."""
        import sympy

        if not expression.args or expression.is_number:
            return expression
        if expression not in self.known:
            common = min([expression, sympy.factor_terms(expression)], key=price)
            plain = common.func(*(self.rewritten(part) for part in common.args))
            best, worst = plain, np.inf
            while price(best) < worst:
                worst = price(best)
                best = min([best, *self._ways(best)], key=price)
            self.known[expression] = best
        return self.known[expression]

    def _ways(self, expression: Any) -> Iterator[Any]:
        import sympy

        if expression.is_Add:
            yield from _ways_of_sum(expression)
        elif expression.is_Mul or expression.is_Pow:
            yield from self._ways_of_product(expression)
        elif isinstance(expression, sympy.Abs):
            (part,) = expression.args
            if self.sign(part):
                yield self.sign(part) * part
        elif isinstance(expression, sympy.exp):  # exp(y log(x)) is x^y
            exponent = expression.args[0]
            for factor in exponent.args if exponent.is_Mul else ():
                if isinstance(factor, sympy.log):
                    yield factor.args[0] ** (exponent / factor)

    def _ways_of_product(self, expression: Any) -> Iterator[Any]:
        """Yield products whose sums are factored, so that factors cancel and roots are pulled."""
        import sympy

        number, factors = _factors(expression)
        ways = [
            list(dict.fromkeys([b, *_ways_of_sum(b), *_with_term_outside(b)])) if b.is_Add else [b]
            for b, _ in factors
        ]
        if all(k.is_Integer and k > 0 for _, k in factors):
            yield sympy.expand(expression)
        for bases in islice(product(*ways), MOST_WAYS):
            powers = zip(bases, (k for _, k in factors), strict=True)
            yield self._product(number, [self._pulled(b, k) for b, k in powers])
        for (place, (b, k)), (other, (c, m)) in permutations(enumerate(factors), 2):
            # x (y/x + 1) is y + x, and x sqrt(y/x^2 + 1) is sqrt(y + x^2)
            if b.is_Add and k.is_positive and c.is_Symbol and (k == 1 or self.sign(c) == 1):
                inside = sympy.Add(*(term * c ** (m / k) for term in b.args))
                rest = [one**n for at, (one, n) in enumerate(factors) if at not in (place, other)]
                yield sympy.Mul(number, *rest, inside**k)

    def _pulled(self, base: Any, exponent: Any) -> Any:
        """Return base^exponent as a product of powers where the samples show signs of factors."""
        import sympy

        if isinstance(base, sympy.exp):
            return sympy.exp(base.args[0] * exponent)
        if exponent.is_Integer or not exponent.is_number:
            return base**exponent
        number, factors = _factors(base)
        signs = [self.sign(b) for b, _ in factors]
        if 0 in signs or not all(k.is_number for _, k in factors):
            return base**exponent
        found = abs(number) ** exponent
        for sign, (b, k) in zip(signs, factors, strict=True):
            found *= (sign * b) ** (k * exponent)
        return found

    def _product(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return a product with its roots joined, one number, and no sign that a sum can take."""
        import sympy

        inner, factors = _factors(sympy.Mul(*parts))
        number, rest = number * inner, []
        roots: dict[Any, list[tuple[Any, int]]] = {}
        for b, k in factors:
            if k.is_Rational and not k.is_Integer:
                roots.setdefault(abs(k), []).append((b, 1 if k > 0 else -1))
            else:
                rest.append((b, k))
        for k, bases in roots.items():
            up = 1 if any(sign > 0 for _, sign in bases) else -1
            inside = sympy.Mul(*(b ** (up * sign) for b, sign in bases))
            rest.append((self.rewritten(inside) if len(bases) > 1 else inside, up * k))
        for place, (b, k) in enumerate(rest):
            is_log = isinstance(b, sympy.log)
            minus = sympy.log(1 / b.args[0]) if is_log else -b
            is_odd = (b.is_Add or is_log) and k.is_Integer and k % 2
            if number.is_negative and is_odd and price(minus) <= price(b):
                number, rest[place] = -number, (minus, k)
        return sympy.Mul(_one_number(number), *(b**k for b, k in rest))


def _ways_of_sum(expression: Any) -> Iterator[Any]:
    """Yield a sum factored, over one denominator, expanded, and with squares of waves."""
    import sympy

    letters = {one: sympy.Dummy(positive=True) for one in map(abs, floats([expression]))}
    if price(expression) <= MOST_PARTS and len(letters) <= MOST_LETTERS:
        signed = {**letters, **{-one: -letter for one, letter in letters.items()}}
        back = {letter: one for one, letter in letters.items()}
        exact = expression.xreplace(signed)
        for way in (sympy.factor_terms, sympy.together, sympy.factor):
            yield way(exact).xreplace(back)
        yield sympy.expand(expression)
    for one, other in combinations(expression.args, 2):  # u^2 - 2 u v + v^2 is (u - v)^2
        u, v = _root(one), _root(other)
        for sign in (1, -1) if u and v else ():
            if 2 * sign * u * v in expression.args:
                yield expression - one - other - 2 * sign * u * v + (u + sign * v) ** 2
    for one, other in permutations(expression.args, 2):  # log(u) - log(v) is log(u/v)
        if isinstance(one, sympy.log) and isinstance(-other, sympy.log):
            yield expression - one - other + sympy.log(one.args[0] / (-other).args[0])
    # (1 + cos(2 u))/2 is cos(u)^2
    for wave in expression.atoms(sympy.cos):
        half = wave.args[0] / 2
        rest = expression.xreplace({wave: 2 * sympy.cos(half) ** 2 - 1})
        yield sympy.expand_mul(rest)
        yield sympy.expand_mul(expression.xreplace({wave: 1 - 2 * sympy.sin(half) ** 2}))


def _root(term: Any) -> Any:
    """Return u where a term is u^2, else None."""
    import sympy

    number, factors = _factors(term)
    if number.is_negative or not factors or any(k.is_odd is not False for _, k in factors):
        return None
    return sympy.sqrt(number) * sympy.Mul(*(b ** (k / 2) for b, k in factors))


def _with_term_outside(expression: Any) -> Iterator[Any]:
    """Yield a sum divided by a term or its number, times this, where all numbers stay short."""
    import sympy

    terms = [_factors(term) for term in expression.args]
    for number, factors in terms:
        ratios = [_one_number(c / number) for c, _ in terms]
        if all(c.is_Rational or len(str(c)) <= SHORT for c in ratios):
            parts = [
                sympy.Mul(c, *(b**k for b, k in pairs))
                for c, (_, pairs) in zip(ratios, terms, strict=True)
            ]
            yield sympy.Mul(number, sympy.Add(*parts), evaluate=False)
            if all(b.is_Symbol for b, _ in factors):
                inverse = [b**-k for b, k in factors]
                outside = [b**k for b, k in factors]
                relative = sympy.Add(*(sympy.Mul(part, *inverse) for part in parts))
                yield sympy.Mul(number, *outside, relative, evaluate=False)


def _factors(expression: Any) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return a product as its number and pairs of base and exponent."""
    import sympy

    number, pairs = sympy.Integer(1), []
    for factor in sympy.Mul.make_args(expression):
        if factor.is_number:
            number *= factor
        else:
            pairs.append((factor.base, factor.exp) if factor.is_Pow else (factor, sympy.Integer(1)))
    return number, pairs


def _one_number(number: Any) -> Any:
    """Return an exact number if it is a fraction, times a root or a power of pi; else a float."""
    import sympy

    rest = (number**2).as_coeff_Mul()[1]
    is_plain = rest == 1 or (rest.is_Pow and rest.base == sympy.pi) or rest == sympy.pi
    if is_plain and not number.has(sympy.Float):
        return number
    rounded = f"{float(number):.15g}"
    return exact_number(float(rounded) if len(rounded) <= SHORT else float(number))


def _number(near: Candidate) -> Any:
    """Return the exact number as it is written: 1/3, 3/8 and pi/2, but 0.2 and 1.35."""
    exact = near.exact
    is_decimal = exact.is_Rational and exact.q % 5 == 0 and 1000 % exact.q == 0
    return exact_number(near.numerator / near.denominator) if is_decimal else exact


def _short(expression: Any) -> Any:
    """Return an expression whose floats have no more digits than they need."""
    import sympy

    short = {}
    for one in expression.atoms(sympy.Float):
        text = repr(float(one))
        whole = float(one).is_integer() and abs(one) < 1e15
        digits = max(15, len(text.split("e")[0].lstrip("-0.").replace(".", "")))
        short[one] = sympy.Integer(int(one)) if whole else sympy.Float(text, digits)
    return expression.xreplace(short)
