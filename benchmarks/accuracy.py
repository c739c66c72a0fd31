"""`python -m benchmarks.accuracy [NAME...]`: errors of [2, 1, 1] networks on exp(sin(pi x) + y^2), grid by grid, over seeds.

The problem of Fig. 2.3 of Liu et al. 2024. A row trains the best of eight short runs on the coarsest grid, then every grid in turn.
Cells are the median over seeds of the root mean square error on 10000 fresh points at the end of each grid, the worst seed on the
last one, and the slope of log error against log G. Bars: the slope at most -3.85, the errors below, and no rise on the last grid.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks import bars
from benchmarks.bars import Verdict, above, median, missed
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

LADDER = (3, 5, 10, 20, 50, 100, 200)
N_TEST = 10000


@dataclass(frozen=True)
class Case:
    """Optimizer, samples, degree, number of grids, steps on each, weight of the smoothness penalty, and what is required: the
    slope over a range of G, and errors by G.
    """

    optimizer: str
    n_samples: int
    degree: int = 3
    n_grids: int = 7
    n_steps: int = 30
    smoothness: float = 1e-8
    slope_range: tuple[int, int] = (5, 100)
    most_slope: float = -3.85
    most: tuple[tuple[int, float], ...] = ()
    keeps: bool = False
    trainable: tuple[str, ...] = ("coef", "w_base", "w_spline")


SHORT = {"n_grids": 5, "n_steps": 200, "slope_range": (5, 50)}
CASES = {
    "lm-1000": Case("lm", 1000, most=((100, 1e-7),), most_slope=np.inf, keeps=True),
    "lm-10000": Case("lm", 10000, smoothness=1e-9, slope_range=(5, 200), most=((200, 3e-9),)),
    "lm-10000-quintic": Case("lm", 10000, 5, smoothness=0.0, most=((200, 2e-13),)),
    "lbfgs-10000": Case("lbfgs", 10000, smoothness=1e-9, **SHORT),  # type: ignore[arg-type]
    "lbfgs-1000": Case("lbfgs", 1000, **SHORT),  # type: ignore[arg-type]
    "lbfgs-1000-w_spline-fixed": Case("lbfgs", 1000, trainable=("coef", "w_base"), **SHORT),  # type: ignore[arg-type]
}


def errors_of(case: Case, seed: int) -> FloatArray:
    """Return the test errors at the end of each grid."""
    rng, grids = np.random.default_rng(seed), LADDER[: case.n_grids]
    data = kr.sample("exp_sin", n_train=case.n_samples, n_test=N_TEST, rng=rng)
    network = kr.best_start(
        (2, 1, 1), data, n_intervals=grids[0], degree=case.degree, domain=(-1.0, 1.0), optimizer=case.optimizer, rng=rng
    )
    history = kr.fit(
        network,
        data,
        optimizer=case.optimizer,
        n_steps=case.n_steps,
        smoothness_weight=case.smoothness,
        grids=grids,
        trainable=case.trainable,
    ).history
    return np.array([history.test_rmse[history.n_intervals == grid][-1] for grid in grids])


def slope(case: Case, errors: FloatArray) -> float:
    """Return the slope of log error against log G over the case's range, by least squares."""
    grids = np.array(LADDER[: len(errors)])
    chosen = (grids >= case.slope_range[0]) & (grids <= case.slope_range[1])
    return float(np.polyfit(np.log(grids[chosen]), np.log(errors[chosen]), 1)[0])


def measure(name: str, seed: int) -> tuple[FloatArray, float]:
    """Return the errors of a seed, and its CPU seconds."""
    began = time.process_time()
    return errors_of(CASES[name], seed), time.process_time() - began


def judge(case: Case, found: Sequence[tuple[FloatArray, float]]) -> Verdict:
    """Return medians, worst error, slope and CPU seconds, and what they miss."""
    rows = np.array([errors for errors, _ in found])
    middle = median(rows)
    of_median = slope(case, middle)
    cells = [f"{one:.1e}" for one in middle] + [""] * (len(LADDER) - len(middle))
    cells += [f"{rows[:, -1].max():.1e}", f"{of_median:.2f}", f"{median([s for _, s in found]):.1f}"]
    short = [above(middle[LADDER.index(grid)], most, f"error at G = {grid}") for grid, most in case.most]
    rise = above(middle[-1], middle[-2], "last error") if case.keeps else ""
    return Verdict(cells, missed(above(of_median, case.most_slope, "slope"), *short, rise))


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    options = bars.read(bars.command("accuracy", __doc__, seeds=10), words, CASES)
    columns = ["", *(f"G = {grid}" for grid in LADDER), "worst", "slope", "CPU s"]
    return bars.bar(
        options.names,
        columns,
        measure,
        lambda name, found: judge(CASES[name], found),
        seeds=range(options.seeds),
        jobs=options.jobs,
    )


if __name__ == "__main__":
    run_program(main, ends_fits=True)
