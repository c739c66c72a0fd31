"""SRBench's ground-truth track: its 130 problems and its judge (La Cava et al. 2021, arXiv:2107.14351).

    Feynman     97 formulas on their boxes, uniform samples
    bonus       19 further ones, from other books
    Strogatz    14 right sides of differential equations, at 400 points of four trajectories

`is_literal` is SRBench's own judge: floats are rounded to 3 decimals, and by SymPy's `simplify` the difference to the true formula, or
the quotient by it, is a constant (experiment/assess_symbolic_model.py of cavalab/srbench). srbench.toml has formulas, boxes and starts.
Fresh points of a problem with trajectories are uniform in the box of its samples.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import sympy
from scipy.integrate import solve_ivp
from sympy.parsing.sympy_parser import parse_expr

from benchmarks.formula_sets import Problem, boxed, data
from kan_ref.checks import FloatArray

TIMES = 0.1 * np.arange(100)  # of the points of a trajectory
PI = "3.1415926535"  # as SRBench writes it
MOST_SECONDS = 60  # of SymPy's simplify for one formula


def problems() -> list[Problem]:
    """Return the 116 and 14 problems."""
    tables = data("srbench")
    found = []
    for name, row in tables["feynman"].items():
        found.append(boxed("bonus" if name.startswith("test") else "Feynman", name, row))
    for name, (first, second, starts) in tables["strogatz"].items():
        system = [boxed("Strogatz", f"{name}{i}", (text, "x 0 0, y 0 0")) for i, text in enumerate((first, second), 1)]  # fmt: skip
        points = _trajectories(system, np.array(starts))
        box = np.stack([points.min(axis=0), points.max(axis=0)], axis=1)
        found += [replace(one, box=box, points=points) for one in system]
    return found


def _trajectories(system: list[Problem], starts: FloatArray) -> FloatArray:
    """Return the points of each trajectory, one trajectory after the other."""
    functions = [one.function() for one in system]

    def slope(_: float, state: FloatArray) -> FloatArray:
        return np.array([f(state[None])[0, 0] for f in functions])

    options: dict[str, Any] = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    runs = [solve_ivp(slope, (0.0, TIMES[-1]), one, t_eval=TIMES, **options) for one in starts]
    return np.vstack([one.y.T for one in runs])


def is_literal(problem: Problem, formula: str) -> bool:
    """Return whether SRBench calls a formula in x_1, x_2, ... the true one; False where SymPy takes too long."""
    names = [f"x_{i}" for i in range(1, len(problem.inputs) + 1)]
    symbols = {one: sympy.Symbol(name) for one, name in zip(problem.inputs, names, strict=True)}
    found = {name: sympy.Symbol(name) for name in names}
    try:
        with _time_limit(MOST_SECONDS):
            true = _rounded(parse_expr(problem.text.replace("pi", PI), symbols))
            decimals = parse_expr(formula, found).subs(sympy.pi, sympy.pi.evalf(17))  # as `srbench_method` writes it
            model = parse_expr(str(decimals), found)
            model = sympy.simplify(_rounded(model), ratio=1)
            difference, quotient = _rounded(true - model), _rounded(model / true)
            if not difference.is_constant() or quotient.is_constant():
                difference = _rounded(sympy.simplify(difference, ratio=1))
            return bool(difference.is_constant() or quotient.is_constant())
    except TimeoutError:
        return False


def _rounded(expression: Any) -> Any:
    """Round floats to 3 decimals, those below 1e-4 to 0, one after the other, as SRBench does."""
    for one in sympy.preorder_traversal(expression):
        if isinstance(one, sympy.Float):
            new = sympy.Integer(0) if abs(one) < 1e-4 else sympy.Float(round(one, 3), 3)
            expression = expression.subs(one, new)
    return expression


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after some CPU seconds of this process."""

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
