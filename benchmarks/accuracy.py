"""`python -m benchmarks.accuracy`: errors of [2, 1, 1] networks on exp(sin(pi x) + y^2), grid by grid, over seeds.

The problem of Fig. 2.3 of Liu et al. 2024. Every row is a claim of the project with its required level: the median over
seeds of the root mean square error on 10000 fresh points, and the worst seed. `--case NAME` runs one row, `--jobs N` uses several
processes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks.measuring import run_all
from figures.machine.training import best_start
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

N_TEST, N_STARTS = 10000, 8


@dataclass(frozen=True)
class Case:
    """One row: optimizer, samples, degree, grids, steps on each, weight of the smoothness penalty,
    and the required level.
    """

    name: str
    optimizer: str
    n_samples: int
    degree: int
    grids: tuple[int, ...]
    n_steps: int
    smoothness: float
    slope_range: tuple[int, int]
    bar: str
    trainable: tuple[str, ...] = ("coef", "w_base", "w_spline")


LADDER, SHORT = (3, 5, 10, 20, 50, 100, 200), (3, 5, 10, 20, 50)
SLOPES, FIXED = "slope <= -3.85", ("coef", "w_base")
CASES = (
    Case(
        "lm-1000", "lm", 1000, 3, LADDER, 30, 1e-8, (5, 100), "<= 1e-7 at G = 100, no rise at 200"
    ),
    Case(
        "lm-10000", "lm", 10000, 3, LADDER, 30, 1e-9, (5, 200), "slope <= -3.85, <= 3e-9 at G = 200"
    ),
    Case("lm-10000-quintic", "lm", 10000, 5, LADDER, 30, 0.0, (5, 100), "<= 2e-13 at G = 200"),
    Case("lbfgs-10000", "lbfgs", 10000, 3, SHORT, 200, 1e-9, (5, 50), SLOPES),
    Case("lbfgs-1000", "lbfgs", 1000, 3, SHORT, 200, 1e-8, (5, 50), SLOPES),
    Case("lbfgs-1000-w_spline-fixed", "lbfgs", 1000, 3, SHORT, 200, 1e-8, (5, 50), SLOPES, FIXED),
)


@dataclass(frozen=True)
class Outcome:
    """One seed: test errors at the end of each grid (n_grids,), failed initializations, CPU
    seconds.
    """

    test: FloatArray
    n_failed: int
    seconds: float


def run_seed(case: Case, seed: int) -> Outcome:
    """Train on fresh data: the best of eight short runs on the coarsest grid, then every grid in
    turn.
    """
    began = time.process_time()
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=case.n_samples, n_test=N_TEST, rng=rng)
    network, n_failed = best_start(
        (2, 1, 1),
        data,
        n_intervals=case.grids[0],
        degree=case.degree,
        domain=(-1.0, 1.0),
        n_starts=N_STARTS,
        in_units=True,
        optimizer=case.optimizer,
        rng=rng,
    )
    run = kr.fit(
        network,
        data,
        optimizer=case.optimizer,
        n_steps=case.n_steps,
        smoothness_weight=case.smoothness,
        grids=case.grids,
        trainable=case.trainable,
    )
    last = [int(np.flatnonzero(run.history.n_intervals == grid)[-1]) for grid in case.grids]
    return Outcome(run.history.test_rmse[last], n_failed, time.process_time() - began)


def slope(case: Case, errors: FloatArray) -> float:
    """Return the slope of log error against log G over the case's range, by least squares."""
    chosen = [
        place
        for place, grid in enumerate(case.grids)
        if case.slope_range[0] <= grid <= case.slope_range[1]
    ]
    grids = np.array([case.grids[place] for place in chosen], dtype=float)
    return float(np.polyfit(np.log(grids), np.log(errors[chosen]), 1)[0])


def report(case: Case, outcomes: Sequence[Outcome]) -> str:
    """Return the row of a case as text."""
    errors = np.array([outcome.test for outcome in outcomes])
    median, worst = np.median(errors, axis=0), errors.max(axis=0)
    slopes = [slope(case, row) for row in errors]
    low, high = case.slope_range
    failed = sum(outcome.n_failed for outcome in outcomes)
    lines = [
        f"{case.name}: {case.optimizer}, N = {case.n_samples}, k = {case.degree}, {case.n_steps} steps a grid, "
        f"smoothness {case.smoothness:g}, {len(outcomes)} seeds",
        "   G        " + "".join(f"{grid:>9d}" for grid in case.grids),
        "   median   " + "".join(f"{value:9.1e}" for value in median),
        "   worst    " + "".join(f"{value:9.1e}" for value in worst),
        f"   slope of the median, G = {low} to {high}: {slope(case, median):.2f} (seeds {min(slopes):.2f} to {max(slopes):.2f})",
        f"   bar: {case.bar}",
        f"   failed starts {failed} of {N_STARTS * len(outcomes)}; CPU seconds a seed {np.median([outcome.seconds for outcome in outcomes]):.1f}",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen cases; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--case",
        choices=[case.name for case in CASES],
        action="append",
        help="one row; may be repeated (default all)",
    )
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}, but must be at least 1")
    status = 0
    for case in CASES:
        if options.case is None or case.name in options.case:
            tasks = [(case, seed) for seed in range(options.seeds)]
            try:
                print(report(case, run_all(run_seed, tasks, options.jobs)), flush=True)
            except RuntimeError as error:  # it costs its row of the table and no other
                print(f"{case.name}: {error}", file=sys.stderr, flush=True)
                status = 1
    return status


if __name__ == "__main__":
    run_program(main, ends_fits=True)
