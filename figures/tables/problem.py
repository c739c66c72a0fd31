"""A row of Table 1 or 2: a function on a box, with the paper's numbers; `sample` draws data from it.

What the paper leaves open was fixed here before the first run, and did not change afterwards:

- Samples are uniform on the box, 1000 to train on, the default of the paper's code, and 10000 to test on, for every row and model.
- The box of a variable is the one in the paper's code where it has the variable; else [-1, 1], for a positive quantity [0.5, 2], or
  [0.1, 1] for a fraction or an amount, a whole turn for an angle.
- One rule excludes singularities. Every expression that must be positive for the function to be finite and smooth (denominators, radicands,
  arguments of a logarithm, 1 - u^2 under an arcsine; and amounts whose logarithm the paper's own construction needs) is positive on
  the box enlarged by a tenth of its range on every side. A box that breaks the rule is shrunk to the next round number that satisfies it.

`feynman.toml` has the 27 equations of Table 2, `special_functions.toml` the 15 special functions of Table 1 (Liu et al. 2024, section 3.2), whose
values are SciPy's. The paper names SciPy's functions with the arguments (x, y) in SciPy's order. It leaves the following open; our choices are:

- `ellipj(u, m)` has four values; sn, the first, is taken. u covers about a period, m its unit interval without a tenth at each end.
- `ellipkinc`, `ellipeinc` (phi, m): a quarter turn of phi.
- `jv`, `yv`, `kv`, `iv` (v, x): real orders v of [0, 3], the same box for the four. Orders that are no integers make x = 0 singular
  for all of them.
- `lpmv(m, v, x)`: real degrees v of [0, 3]. For those x = -1 is singular, for odd m x = 1 too.
- `sph_harm(m, n, theta, phi)`, azimuth theta and colatitude phi, is today `sph_harm_y(n, m, phi, theta)`. Its real part is taken, which
  for m = 0 is all of it (the imaginary part is the real one turned by a quarter of 2 pi / m). The whole sphere.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

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
    f = sympy.lambdify(symbols, sympy.sympify(text, locals=dict(zip(names, symbols, strict=True))), "numpy")

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
    def reported(self) -> str:
        """Return the paper's errors as text."""
        return ", ".join(f"{model} {error:.2e}" for model, error in self.paper.items())

    @property
    def conflicting(self) -> str:
        """Return the remark on `conflict` for a row of claims, empty without one."""
        return f"; another copy of the text: {self.conflict}" if self.conflict else ""

    @property
    def n_in(self) -> int:
        """Return the number of variables."""
        return len(self.names)


def read_problems(
    name: str, special: Callable[[str], Callable[[FloatArray], Any]] | None = None
) -> tuple[Problem, ...]:
    """Return the rows of the file NAME.toml; `special` gives the function of a row that is no formula."""
    rows = tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))
    return tuple(
        Problem(
            row,
            data["formula"],
            names=tuple(data["box"]),
            box=tuple((low, high) for low, high in data["box"].values()),
            positive=tuple(data.get("positive", ())),
            shapes={kind: tuple(shape) for kind, shape in data["shapes"].items()},
            paper=data["paper"],
            conflict=data.get("conflict", ""),
            special=special and special(row),
        )
        for row, data in rows.items()
    )


def points(box: Sequence[Sequence[float]], n: int, rng: np.random.Generator) -> FloatArray:
    """Return uniform points (n, n_in) of a box."""
    low, high = np.array(box).T
    return rng.uniform(low, high, (n, len(box)))


def sample(problem: Problem, rng: np.random.Generator, *, n_train: int = N_TRAIN, n_test: int = N_TEST) -> kr.Data:
    """Return training and test data."""
    x, x_test = points(problem.box, n_train, rng), points(problem.box, n_test, rng)
    return kr.Data(x, problem.f(x)[:, None], x_test, problem.f(x_test)[:, None])


# where SciPy's own function of this name is not the one
OF_THE_PAPER: dict[str, Callable[..., Any]] = {
    "ellipj": lambda u, m: special.ellipj(u, m)[0],
    "lpmv": lambda v, x, m: special.lpmv(m, v, x),
    "sph_harm": lambda theta, phi, m, n: special.sph_harm_y(n, m, phi, theta).real,
}


def function_of(name: str) -> Callable[[FloatArray], Any]:
    """Return the function of a row such as "sph_harm m=1 n=2", x (n, 2) -> (n,)."""
    kind, *orders = name.split()
    f = OF_THE_PAPER.get(kind) or getattr(special, kind)
    fixed = {order[0]: int(order[2:]) for order in orders}
    return lambda x: f(x[:, 0], x[:, 1], **fixed)


def named(problems: Sequence[Problem], name: str) -> Problem:
    """Return the row of a name."""
    return next(problem for problem in problems if problem.name == name)


SPECIAL_FUNCTIONS = read_problems("special_functions", function_of)
FEYNMAN = read_problems("feynman")
