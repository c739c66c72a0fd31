"""`python -m benchmarks.hello_world [--seeds N] [--jobs N]`: the README's example at seeds 0 to N - 1 (20).

From 1000 samples of exp(sin(pi x) + y^2), `discover` with widths (2, 5, 1) has to return this formula itself with verdict "exact", and its
decimals have to become exact constants. The exit status is 1 if a seed misses either.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

import kan_ref as kr
from benchmarks import bars
from kan_ref.program import run_program

X, Y = sympy.symbols("x y")
FORMULA = sympy.exp(sympy.sin(sympy.pi * X) + Y**2)


def measure(name: str, seed: int) -> tuple[bool, float, str]:
    """Return whether verdict and formula are right, the test error, and both as a line."""
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=rng)
    found = kr.discover(data, widths=(2, 5, 1), names=("x", "y"), rng=rng)
    exact = kr.recognise_constants(found.formula, data.x_train, names=("x", "y"))
    right = sympy.expand(exact.expression - FORMULA) == 0 and found.verdict.kind == "exact"
    return right, found.test_rmse, f"seed {seed}: {found.verdict.kind}, {exact.expression}"


def limit(name: str, found: list[Any]) -> bars.Verdict:
    """Return how many seeds are right, and a line for each other one."""
    n_right, worst = sum(right for right, *_ in found), max(error for _, error, _ in found)
    wrong = [line for right, _, line in found if not right]
    missed = "" if n_right == len(found) else f"{len(wrong)} of {len(found)} seeds"
    return bars.Verdict([f"{n_right} of {len(found)}", f"{worst:.1e}"], missed, wrong)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    rows = [str(FORMULA)]
    options = bars.read(bars.command("hello_world", __doc__, seeds=20), words, rows)
    seeds, columns = range(options.seeds), ["", "exact", "worst RMSE"]
    return bars.bar(rows, columns, measure, limit, seeds=seeds, jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
