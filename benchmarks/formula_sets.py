"""Formulas with boxes, of which `benchmarks.discovery` draws samples; formula_sets.toml has the data.

known    53 formulas of published collections, in use while `discover` was made
SI       20 laws of physics in SI units
drawn    20 of 64 further formulas, drawn by lot before the first run on any of them
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from sympy.parsing.sympy_parser import parse_expr

from kan_ref.checks import FloatArray


@dataclass(frozen=True, eq=False)
class Problem:
    """A formula: collection, name, text, inputs, and their box (n_in, 2); perhaps fixed samples (n, n_in)."""

    collection: str
    name: str
    text: str
    inputs: tuple[str, ...]
    box: FloatArray
    points: FloatArray | None = None

    @property
    def is_srbench(self) -> bool:
        """Whether it is one of SRBench's, with its protocol."""
        return self.collection in ("Feynman", "bonus", "Strogatz")

    def function(self) -> Callable[[FloatArray], FloatArray]:
        """Return the formula as a function of x (n, n_in), with values (n, 1)."""
        symbols = {name: sympy.Symbol(name) for name in self.inputs}
        f = sympy.lambdify(list(symbols.values()), parse_expr(self.text, symbols), "numpy")
        return lambda x: np.asarray(f(*x.T) * np.ones(len(x)), dtype=np.float64)[:, None]

    def uniform(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return n uniform points of the box."""
        low, high = self.box.T
        return rng.uniform(low, high, (n, len(low)))

    def samples(self, n: int, noise: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Return x (n, n_in) and y (n, 1) with noise, in units of the spread of y; SRBench's unit is sqrt(mean(y^2))."""
        x = self.uniform(n, rng) if self.points is None else self.points
        y = self.function()(x)
        unit = np.sqrt(np.mean(y**2)) if self.is_srbench else np.std(y)
        return x, y + noise * unit * rng.standard_normal(y.shape)


def boxed(collection: str, name: str, row: tuple[str, str]) -> Problem:
    """Return the problem of a row of data: the formula, and the inputs with their bounds."""
    text, box = row
    rows = [one.split() for one in box.split(", ")]
    bounds = np.array([[float(low), float(high)] for _, low, high in rows])
    return Problem(collection, name, text, tuple(one for one, *_ in rows), bounds)


def data(name: str) -> dict[str, dict[str, Any]]:
    """Return the content of a TOML file beside this module."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


def problems() -> list[Problem]:
    """Return the 133 problems."""
    tables = data("formula_sets").items()
    return [boxed(each, name, row) for each, rows in tables for name, row in rows.items()]
