"""Formulas for the benchmark of `kan_ref.discover`: text, box, and the collection that each is from. Data.

Of each formula 1000 points are drawn uniformly in its box. A box has one interval for each input, or one for all of them.
The inputs are the symbols of the text in alphabetical order.

Sources: Nguyen (Uy et al. 2011), Keijzer 2003, Vladislavleva et al. 2009, Jin et al. 2019, Livermore (Mundhenk et al. 2021), the dimensionless
Feynman equations of Liu et al. 2024, Table 2. The physical formulas are textbook laws in SI units, with the constants of CODATA 2018, so
that inputs and targets have very different magnitudes; their boxes are ours.

The collection "drawn" has 20 of 64 further formulas of Nguyen, R, Constant, Livermore, Jin, Keijzer, Vladislavleva, Korns, the Strogatz
systems and the dimensionless Feynman equations. `numpy.random.default_rng(18).choice` drew them before the first run on any of them.
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
_SI = "physics, SI units"
_DRAWN = "drawn"
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
    _formula(_SI, "Coulomb", "8.9875517923e9*q*Q/r**2", (1e-8, 1e-7), (1e-9, 1e-8), (0.01, 0.1)),
    _formula(_SI, "kinetic energy", "m*v**2/2", (500.0, 2000.0), (5.0, 40.0)),
    _formula(_SI, "ideal gas", "8.314462618*n*T/V", (250.0, 400.0), (0.01, 0.1), (0.5, 5.0)),
    _formula(_SI, "Stokes drag", "6*pi*u*r*v", (1e-6, 1e-5), (5e-4, 2e-3), (1e-4, 1e-3)),
    _formula(_SI, "Stefan-Boltzmann", "5.670374419e-8*A*T**4", (0.1, 2.0), (280.0, 1200.0)),
    _formula(_SI, "pendulum", "2*pi*sqrt(L/g)*(1+a**2/16)", (0.2, 3.0), (0.1, 1.2), (1.6, 25.0)),
    _formula(_SI, "lens", "1/(1/f-1/g)", (0.02, 0.1), (0.3, 2.0)),
    _formula(
        _SI, "Planck", "1.474499e-50*f**3/(exp(4.799243e-11*f/T)-1)", (3e3, 6e3), (1e14, 6e14)
    ),
    _formula(_SI, "Doppler", "f*(343+v)/(343-w)", (200.0, 2000.0), (-30.0, 30.0), (-30.0, 30.0)),
    _formula(_SI, "Reynolds", "r*v*d/u", (0.01, 0.1), (800.0, 1200.0), (5e-4, 2e-3), (0.1, 3.0)),
    _formula(
        _SI, "Poiseuille", "pi*r**4*p/(8*u*L)", (0.1, 1.0), (1e2, 1e3), (1e-3, 5e-3), (5e-4, 2e-3)
    ),
    _formula(_SI, "Kepler", "2*pi*sqrt(a**3/(6.6743e-11*M))", (1e30, 4e30), (5e10, 5e11)),
    _formula(_SI, "capacitor", "C*U**2/2", (1e-6, 1e-4), (5.0, 400.0)),
    _formula(_SI, "Lorentz factor", "1/sqrt(1-(v/299792458)**2)", (1e7, 2.7e8)),
    _formula(_SI, "decay", "N*exp(-log(2)*t/T)", (1e9, 1e10), (1e3, 5e3), (0.0, 8e3)),
    _formula(_SI, "diffusion length", "sqrt(2*D*t)", (1e-10, 2e-9), (10.0, 3600.0)),
    _formula(
        _SI,
        "Larmor radius",
        "m*v/(q*B)",
        (0.1, 5.0),
        (1.6e-27, 2e-26),
        (1.6e-19, 4.8e-19),
        (1e5, 1e6),
    ),
    _formula(_SI, "Schwarzschild radius", "2*6.6743e-11*M/299792458**2", (1e30, 1e32)),
    _formula(_SI, "escape velocity", "sqrt(2*6.6743e-11*M/R)", (1e23, 1e25), (2e6, 2e7)),
    _formula(
        _SI,
        "Bernoulli",
        "p+r*v**2/2+r*9.80665*h",
        (0.0, 20.0),
        (1e5, 2e5),
        (900.0, 1100.0),
        (0.5, 10.0),
    ),
    _formula(_DRAWN, "R2", "(x**5-3*x**3+1)/(x**2+1)", UNIT),
    _formula(_DRAWN, "Constant 5", "sin(x**2)*cos(x)-0.75", UNIT),
    _formula(_DRAWN, "Constant 3", "sin(1.5*x)*cos(0.5*y)", (0.0, 1.0)),
    _formula(_DRAWN, "L5", "x**4-x**3+x**2-y", (0.0, 1.0)),
    _formula(_DRAWN, "L9", "x**9+x**8+x**7+x**6+x**5+x**4+x**3+x**2+x", UNIT),
    _formula(_DRAWN, "L18", "sin(x**2)*cos(x)-5", UNIT),
    _formula(_DRAWN, "J6", "1.35*x*y+5.5*sin((x-1)*(y-1))", (-3.0, 3.0)),
    _formula(_DRAWN, "K4", "x**3*exp(-x)*cos(x)*sin(x)*(sin(x)**2*cos(x)-1)", (0.0, 10.0)),
    _formula(_DRAWN, "K7", "log(x)", (1.0, 100.0)),
    _formula(_DRAWN, "V3", "exp(-x)*x**3*cos(x)*sin(x)*(cos(x)*sin(x)**2-1)*(y-5)", (0.05, 10.0)),
    _formula(_DRAWN, "V7", "(x-3)*(y-3)+2*sin((x-4)*(y-4))", (0.05, 6.05)),
    _formula(_DRAWN, "V8", "((x-3)**4+(y-3)**3-(y-3))/((y-2)**4+10)", (0.05, 6.05)),
    _formula(_DRAWN, "Korns 3", "-5.41+4.9*(v-x+y/w)/(3*w)", UNIT, (0.5, 3.0), UNIT, UNIT),
    _formula(_DRAWN, "Korns 8", "6.87+11*sqrt(7.23*x*v*w)", (0.0, 5.0)),
    _formula(_DRAWN, "bacres1", "20-x-x*y/(1+0.5*x**2)", (0.0, 10.0)),
    _formula(_DRAWN, "lv1", "3*x-2*x*y-x**2", (0.0, 5.0)),
    _formula(_DRAWN, "shearflow1", "cos(x)*cot(y)", (-3.0, 3.0), (0.3, 2.8)),
    _formula(_DRAWN, "vdp1", "10*(y-(x**3-x)/3)", (-3.0, 3.0)),
    _formula(
        _DRAWN,
        "I.6.2b",
        "exp(-(t-t1)**2/(2*s**2))/sqrt(2*pi*s**2)",
        (0.5, 2.0),
        (-1.5, 1.5),
        (-1.5, 1.5),
    ),
    _formula(_DRAWN, "II.11.7", "n*(1+a*cos(t))", UNIT, (0.1, 1.0), (0.0, 6.283185307179586)),
)
