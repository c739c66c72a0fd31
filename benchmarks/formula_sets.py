"""Formulas for the benchmark of `kan_ref.discover`: text, box, and the collection that each is from. Data.

Of each formula 1000 points are drawn uniformly in its box. A box has one interval for each input, or one for all of them.
The inputs are the symbols of the text in alphabetical order.

Sources: Nguyen (Uy et al. 2011), Keijzer 2003, Vladislavleva et al. 2009, Jin et al. 2019, Livermore (Mundhenk et al. 2021), the dimensionless
Feynman equations of Liu et al. 2024, Table 2.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sympy

from figures.tables.feynman import FEYNMAN
from kan_ref.checks import FloatArray

Box = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Formula:
    """A formula: its collection, its name there, its text, and a box with one interval for each input."""

    collection: str
    name: str
    text: str
    box: Box

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs in alphabetical order."""
        return tuple(sorted(symbol.name for symbol in _parsed(self.text).free_symbols))

    @property
    def function(self) -> Callable[[FloatArray], FloatArray]:
        """The formula as a function of x (n, n_in)."""
        expression = _parsed(self.text)
        symbols = [sympy.Symbol(name) for name in self.names]
        f = sympy.lambdify(symbols, expression, "numpy")
        return lambda x: np.asarray(f(*x.T) * np.ones(len(x)), dtype=np.float64)

    def samples(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Return n uniform points of the box (n, n_in) and the values there (n, 1)."""
        low, high = np.array(self.box).T
        x = rng.uniform(low, high, (n, len(low)))
        return x, self.function(x)[:, None]


def _parsed(text: str) -> sympy.Expr:
    names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    plain = {name: sympy.Symbol(name) for name in names} | {
        f"t{k}": sympy.Symbol(f"t{k}") for k in range(9)
    }
    return sympy.sympify(text, locals=plain)


def _formula(collection: str, name: str, text: str, *box: tuple[float, float]) -> Formula:
    n_in = len(_parsed(text).free_symbols)
    return Formula(collection, name, text, box if len(box) == n_in else box * n_in)


UNIT = (-1.0, 1.0)
_OWN = "products, compositions, scales"
_FEYNMAN = ("I.6.2", "I.12.11", "I.13.12", "I.15.3x", "I.16.6", "I.18.4", "I.26.2", "I.27.6", "I.30.5", "I.37.4", "I.44.4", "I.50.26",
            "II.6.15a", "II.11.27", "II.35.18", "II.36.38")  # fmt: skip

FORMULAS = (
    _formula(_OWN, "damped", "exp(-x**2)*sin(3*y)", UNIT),
    _formula(_OWN, "log of squares", "log(1+x**2+y**2)", UNIT),
    _formula(_OWN, "three factors", "x*y*z", UNIT),
    _formula(_OWN, "x/(1+y^2)", "x/(1+y**2)", UNIT),
    _formula(_OWN, "radius", "sqrt(x**2+y**2)", (0.5, 2.0)),
    _formula(_OWN, "sin(x y)", "sin(x*y)", (-2.0, 2.0)),
    _formula(_OWN, "cos(x+y)/z", "cos(x+y)/z", UNIT, UNIT, (1.0, 2.0)),
    _formula(_OWN, "two logs", "log(x+1)+log(y**2+1)", (0.0, 2.0)),
    _formula(_OWN, "two sines", "sin(x)+sin(y**2)", (0.0, 1.0)),
    _formula(_OWN, "distance", "sqrt((x-y)**2+(z-w)**2)", UNIT),
    _formula(_OWN, "x y, large and small", "x*y", (1e5, 2e5), (0.001, 0.003)),
    _formula(_OWN, "gravity, SI", "6.674e-11*m*M/r**2", (1e24, 1e25), (1e22, 1e23), (1e8, 1e9)),
    _formula(_OWN, "far from 0", "sin(3*x)+y**2", (100.0, 102.0), (50.0, 52.0)),
    _formula(_OWN, "x exp(y)/z", "x*exp(y)/z", UNIT, UNIT, (1.0, 3.0)),
    _formula(_OWN, "x y + z", "x*y+z", UNIT),
    _formula(_OWN, "x^2 y", "x**2*y", UNIT),
    _formula(_OWN, "parallel", "1/(1/x+1/y)", (0.5, 2.0)),
    _formula(_OWN, "logistic", "x*y*(1-y)", (0.0, 4.0), (0.0, 1.0)),
    _formula("Nguyen", "N1", "x**3+x**2+x", UNIT),
    _formula("Nguyen", "N5", "sin(x**2)*cos(x)-1", UNIT),
    _formula("Nguyen", "N6", "sin(x)+sin(x+x**2)", UNIT),
    _formula("Nguyen", "N7", "log(x+1)+log(x**2+1)", (0.0, 2.0)),
    _formula("Nguyen", "N8", "sqrt(x)", (0.0, 4.0)),
    _formula("Nguyen", "N10", "2*sin(x)*cos(y)", (0.0, 1.0)),
    _formula("Nguyen", "N11", "x**y", (0.05, 1.0), (0.0, 1.0)),
    _formula("Nguyen", "N12", "x**4-x**3+y**2/2-y", (0.0, 1.0)),
    _formula("Keijzer", "K11", "x*y+sin((x-1)*(y-1))", (-3.0, 3.0)),
    _formula("Keijzer", "K14", "8/(2+x**2+y**2)", (-3.0, 3.0)),
    _formula("Keijzer", "K15", "x**3/5+y**3/2-y-x", (-3.0, 3.0)),
    _formula("Keijzer", "K5", "30*x*z/((x-10)*y**2)", UNIT, (1.0, 2.0), UNIT),
    _formula("Vladislavleva", "V1", "exp(-(x-1)**2)/(1.2+(y-2.5)**2)", (0.3, 4.0)),
    _formula(
        "Vladislavleva", "V4", "10/(5+(a-3)**2+(b-3)**2+(c-3)**2+(d-3)**2+(e-3)**2)", (0.05, 6.05)
    ),
    _formula("Jin", "J1", "2.5*x**4-1.3*x**3+0.5*y**2-1.7*y", (-3.0, 3.0)),
    _formula("Jin", "J4", "1.5*exp(x)+5*cos(y)", (-3.0, 3.0)),
    _formula("Livermore", "L11", "x**4/(x+y)", (0.5, 2.0)),
    _formula("Livermore", "L12", "x**5/y**3", (0.5, 2.0)),
    _formula("Livermore", "L14", "x**3+x**2+x+sin(x)+sin(x**2)", UNIT),
    *(
        Formula(
            "Feynman, dimensionless",
            one.name,
            one.plain,
            tuple(box for _, box in sorted(zip(one.names, one.box, strict=True))),
        )
        for one in FEYNMAN
        if one.name in _FEYNMAN
    ),
)
