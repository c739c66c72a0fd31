"""A row of Table 1 or 2: a function on a box, with the paper's numbers; `sample` draws data from it.

What the paper leaves open was fixed here and in `special_functions` and `feynman` before the first run, and did not change afterwards:

- Samples are uniform on the box, 1000 to train on, the default of the paper's code, and 10000 to test on, for every row and model.
- The box of a variable is the one in the paper's code where it has the variable; else [-1, 1], for a positive quantity [0.5, 2], or
  [0.1, 1] for a fraction or an amount, a whole turn for an angle.
- One rule excludes singularities. Every expression that must be positive for the function to be finite and smooth (denominators, radicands,
  arguments of a logarithm, 1 - u^2 under an arcsine; and amounts whose logarithm the paper's own construction needs) is positive on
  the box enlarged by a tenth of its range on every side. A box that breaks the rule is shrunk to the next round number that satisfies it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import kan_ref as kr
from kan_ref.checks import FloatArray

N_TRAIN, N_TEST = 1000, 10000
ENLARGED = 0.1  # of the range, on every side

Box = tuple[tuple[float, float], ...]
Shape = tuple[int, ...]


def values_of(text: str, names: tuple[str, ...]) -> Callable[[FloatArray], FloatArray]:
    """Return a formula in the variables `names` as a function from points (n, n_in) to values (n,)."""
    import sympy

    symbols = [sympy.Symbol(name) for name in names]
    f = sympy.lambdify(
        symbols, sympy.sympify(text, locals=dict(zip(names, symbols, strict=True))), "numpy"
    )

    def values(x: FloatArray) -> FloatArray:
        return np.asarray(np.broadcast_to(f(*x.T), len(x)), dtype=np.float64)

    return values


@dataclass(frozen=True)
class Problem:
    """A row of a table.

    Parameters
    ----------
    name : str
        As the paper has it.
    plain : str
        The function as text; of Table 2 also its definition, in SymPy's words.
    names : tuple of str
        The variables, in the order of the inputs.
    box : ((float, float), ...)
        Bounds of each variable.
    positive : tuple of str
        The expressions of the rule above, in the same variables.
    shapes : tuple
        Widths of networks that the paper reports for it.
    paper : dict
        The paper's test errors (RMSE) by model.
    conflict : str
        What the other copy says, if copies of the paper's text differ.
    special : callable, optional
        x (n, n_in) -> (n,), for a function that is no formula of elementary ones.
    """

    name: str
    plain: str
    names: tuple[str, ...]
    box: Box
    positive: tuple[str, ...]
    shapes: dict[str, Shape]
    paper: dict[str, float]
    conflict: str = ""
    special: Callable[[FloatArray], Any] | None = None

    @cached_property
    def f(self) -> Callable[[FloatArray], FloatArray]:
        """Return the values of the function at x (n, n_in), (n,)."""
        if self.special is None:
            return values_of(self.plain, self.names)
        special = self.special
        return lambda x: np.asarray(special(x), dtype=np.float64)

    @property
    def best_kan(self) -> float:
        """Return the smallest of the paper's errors of a KAN."""
        return min(error for model, error in self.paper.items() if model != "MLP")

    @property
    def n_in(self) -> int:
        """Return the number of variables."""
        return len(self.names)


def points(box: Box, n: int, rng: np.random.Generator) -> FloatArray:
    """Return uniform points (n, n_in) of a box."""
    low, high = np.array(box).T
    return rng.uniform(low, high, (n, len(box)))


def sample(
    problem: Problem, rng: np.random.Generator, *, n_train: int = N_TRAIN, n_test: int = N_TEST
) -> kr.Data:
    """Return training and test data."""
    x, x_test = points(problem.box, n_train, rng), points(problem.box, n_test, rng)
    return kr.Data(x, problem.f(x)[:, None], x_test, problem.f(x_test)[:, None])
