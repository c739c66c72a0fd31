"""`python -m benchmarks.hello_world [--seeds N] [--jobs N]`: the README's example at seeds 0 to N - 1 (20).

From 1000 samples of exp(sin(pi x) + y^2), `discover` with widths (2, 5, 1) has to return this formula itself with verdict "exact", and its
decimals have to become exact constants. The exit status is 1 if a seed misses either.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import sympy

import kan_ref as kr
from benchmarks.measuring import run_all
from kan_ref.program import run_program

X, Y = sympy.symbols("x y")
FORMULA = sympy.exp(sympy.sin(sympy.pi * X) + Y**2)


def run_one(seed: int) -> tuple[str, str, float]:
    """Return the verdict's kind, the formula with exact constants, and the test error."""
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=1000, n_test=1000, rng=rng)
    found = kr.discover(data, widths=(2, 5, 1), names=("x", "y"), rng=rng)
    exact = kr.recognise_constants(found.formula, data.x_train, names=("x", "y"))
    same = sympy.expand(exact.expression - FORMULA) == 0
    formula = str(FORMULA) if same else str(exact.expression)
    return found.verdict.kind, formula, found.test_rmse


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each seed; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hello_world",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    runs = run_all(run_one, [(seed,) for seed in range(options.seeds)], options.jobs)
    for seed, (kind, formula, error) in enumerate(runs):
        print(f"seed {seed:2}  {kind:13}  {error:.1e}  {formula}")
    n_exact = sum((kind, formula) == ("exact", str(FORMULA)) for kind, formula, _ in runs)
    print(f"exact: {n_exact} of {len(runs)}")
    return int(n_exact < len(runs))


if __name__ == "__main__":
    run_program(main, ends_fits=True)
