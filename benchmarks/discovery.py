"""`python -m benchmarks.discovery [NAME...] [--seeds N] [--noise S] [--jobs N]`: which formulas `kan_ref.discover` recovers.

`discover` gets 1000 uniform samples of each formula on its box, and the widths. A formula counts as found if the result agrees with it
on 1000 fresh samples to 1e-9 of its standard deviation; with noise, to four times the error of a parameter from 1000 noisy samples,
noise / sqrt(1000). The program also prints the functions of the edges, the widths that were found and the CPU seconds of one thread.
"""

import os

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import kan_ref as kr
from benchmarks.jobs import job_count, run_all
from kan_ref.checks import FloatArray
from kan_ref.program import run_program

EXACT = 1e-9
N_SAMPLES = 1000


@dataclass(frozen=True)
class Formula:
    """A formula, the box for its samples, the widths at which the search starts, and its source."""

    name: str
    f: Callable[[FloatArray], FloatArray]
    box: tuple[tuple[float, float], ...]
    widths: tuple[int, ...]
    source: str

    def data(self, rng: np.random.Generator, noise: float) -> kr.Data:
        """Return samples; the training targets have noise, in units of the standard deviation of y."""
        low, high = np.array(self.box).T
        x, x_test = (rng.uniform(low, high, (N_SAMPLES, len(low))) for _ in range(2))
        y, y_test = self.f(x)[:, None], self.f(x_test)[:, None]
        return kr.Data(x, y + noise * np.std(y) * rng.standard_normal(y.shape), x_test, y_test)


PAPER, FEYNMAN, NGUYEN, OWN = (
    "Liu et al. 2024",
    "Feynman equations of Liu et al. 2024, table 2",
    "Nguyen benchmark (Uy et al. 2011)",
    "ours",
)
UNIT, POSITIVE = (-1.0, 1.0), (0.5, 2.0)

FORMULAS = (
    Formula(
        "exp(sin(pi x)+y^2)",
        lambda x: np.exp(np.sin(np.pi * x[:, 0]) + x[:, 1] ** 2),
        (UNIT,) * 2,
        (2, 5, 1),
        f"{PAPER}, fig. 2.4",
    ),
    Formula("x y", lambda x: x[:, 0] * x[:, 1], (UNIT,) * 2, (2, 5, 1), f"{PAPER}, fig. 4.1a"),
    Formula("x/y", lambda x: x[:, 0] / x[:, 1], (POSITIVE,) * 2, (2, 5, 1), f"{PAPER}, fig. 4.1b"),
    Formula("x y z", lambda x: x[:, 0] * x[:, 1] * x[:, 2], (POSITIVE,) * 3, (3, 3, 1), OWN),
    Formula(
        "x sqrt(y)/z^2",
        lambda x: x[:, 0] * np.sqrt(x[:, 1]) / x[:, 2] ** 2,
        (POSITIVE,) * 3,
        (3, 3, 1),
        OWN,
    ),
    Formula(
        "sqrt(1+x^2+y^2)",
        lambda x: np.sqrt(1 + x[:, 0] ** 2 + x[:, 1] ** 2),
        ((-2.0, 2.0),) * 2,
        (2, 3, 1),
        f"{FEYNMAN}, III.10.19",
    ),
    Formula(
        "sqrt(x^2+y^2+z^2)",
        lambda x: np.sqrt((x**2).sum(axis=1)),
        (POSITIVE,) * 3,
        (3, 3, 1),
        "distance from the origin in three dimensions",
    ),
    Formula(
        "1/(1+x y)",
        lambda x: 1 / (1 + x[:, 0] * x[:, 1]),
        (POSITIVE,) * 2,
        (2, 3, 1),
        f"{FEYNMAN}, I.27.6",
    ),
    Formula(
        "1/(1+x^2+y^2)",
        lambda x: 1 / (1 + x[:, 0] ** 2 + x[:, 1] ** 2),
        ((-2.0, 2.0),) * 2,
        (2, 3, 1),
        "two-dimensional Lorentz curve",
    ),
    Formula(
        "exp(-x^2-y^2)",
        lambda x: np.exp(-(x[:, 0] ** 2) - x[:, 1] ** 2),
        (UNIT,) * 2,
        (2, 3, 1),
        f"like {FEYNMAN}, I.6.2",
    ),
    Formula(
        "(x+y)/(1+x y)",
        lambda x: (x[:, 0] + x[:, 1]) / (1 + x[:, 0] * x[:, 1]),
        ((-0.9, 0.9),) * 2,
        (2, 3, 1),
        f"{FEYNMAN}, I.16.6",
    ),
    Formula(
        "sin(x^2+exp(y))",
        lambda x: np.sin(x[:, 0] ** 2 + np.exp(x[:, 1])),
        (UNIT,) * 2,
        (2, 3, 1),
        OWN,
    ),
    Formula(
        "sin(sin(3x)+2y)",
        lambda x: np.sin(np.sin(3 * x[:, 0]) + 2 * x[:, 1]),
        (UNIT,) * 2,
        (2, 3, 1),
        "nested sines, ours",
    ),
    Formula(
        "log(x+1)+log(y^2+1)",
        lambda x: np.log(x[:, 0] + 1) + np.log(x[:, 1] ** 2 + 1),
        ((0.0, 2.0),) * 2,
        (2, 3, 1),
        f"like {NGUYEN} 7",
    ),
    Formula(
        "sin(x)+sin(y^2)",
        lambda x: np.sin(x[:, 0]) + np.sin(x[:, 1] ** 2),
        ((0.0, 1.0),) * 2,
        (2, 3, 1),
        f"{NGUYEN} 9",
    ),
    Formula(
        "2 sin(x) cos(y)",
        lambda x: 2 * np.sin(x[:, 0]) * np.cos(x[:, 1]),
        ((-2.0, 2.0),) * 2,
        (2, 3, 1),
        f"{NGUYEN} 10",
    ),
    Formula(
        "x^3+y^2+exp(z)",
        lambda x: x[:, 0] ** 3 + x[:, 1] ** 2 + np.exp(x[:, 2]),
        (UNIT,) * 3,
        (3, 3, 1),
        OWN,
    ),
    Formula(
        "tanh(5(x^4+y^4+z^4-1))",
        lambda x: np.tanh(5 * ((x**4).sum(axis=1) - 1)),
        (UNIT,) * 3,
        (3, 3, 1),
        f"{PAPER}, fig. 4.1e",
    ),
    Formula(
        "cos(x+y)/z",
        lambda x: np.cos(x[:, 0] + x[:, 1]) / x[:, 2],
        (UNIT, UNIT, (1.0, 2.0)),
        (3, 4, 2, 1),
        OWN,
    ),
    Formula(
        "sqrt((x-y)^2+(z-w)^2)",
        lambda x: np.hypot(x[:, 0] - x[:, 1], x[:, 2] - x[:, 3]),
        (UNIT,) * 4,
        (4, 3, 3, 1),
        f"{PAPER}, fig. 4.1f",
    ),
    Formula(
        "exp((sin(pi(x^2+y^2))+sin(pi(z^2+w^2)))/2)",
        lambda x: np.exp(
            (
                np.sin(np.pi * (x[:, 0] ** 2 + x[:, 1] ** 2))
                + np.sin(np.pi * (x[:, 2] ** 2 + x[:, 3] ** 2))
            )
            / 2
        ),
        (UNIT,) * 4,
        (4, 2, 1, 1),
        f"{PAPER}, eq. 2.13",
    ),
)


def run_one(formula: Formula, seed: int, noise: float) -> tuple[bool, float, float, str]:
    """Return whether the formula was found, its relative test error, CPU seconds, and the result as
    text.
    """
    rng = np.random.default_rng(seed)
    data = formula.data(rng, noise)
    began = time.process_time()
    try:
        found = kr.discover(data, widths=formula.widths, rng=rng)
    except (ValueError, ArithmeticError) as error:
        return False, np.inf, time.process_time() - began, f"{type(error).__name__}: {error}"
    error_, most = (
        found.test_rmse / float(np.std(data.y_test)),
        EXACT if noise == 0.0 else 4.0 * noise / np.sqrt(N_SAMPLES),
    )
    names = " | ".join(
        ", ".join(edge.name for edge in layer.symbolic) for layer in found.network.layers
    )
    return (
        error_ <= most,
        error_,
        time.process_time() - began,
        f"{list(found.network.widths)} {names}",
    )


def main() -> int:
    """Print a line for each run, and a table; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", help="formulas, all without it")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="standard deviation, in units of the formula's spread",
    )
    parser.add_argument("--jobs", type=job_count, default=1)
    arguments = parser.parse_args()
    chosen = [
        formula for formula in FORMULAS if not arguments.name or formula.name in arguments.name
    ]
    table, status = [], 0
    for formula in chosen:
        tasks = [(formula, seed, arguments.noise) for seed in range(arguments.seeds)]
        try:
            runs = run_all(run_one, tasks, arguments.jobs)
        except RuntimeError as failure:  # it costs its rows of the table and no others
            print(f"{formula.name}: {failure}", file=sys.stderr, flush=True)
            status = 1
            continue
        for seed, (right, error, seconds, what) in enumerate(runs):
            print(
                f"{formula.name:45} seed {seed}  {'found' if right else 'no   '}  {error:8.1e}  {seconds:6.1f} s  {what}",
                flush=True,
            )
        table.append(
            (formula, sum(run[0] for run in runs), float(np.median([run[2] for run in runs])))
        )
    print("\nformula, found in how many seeds, median CPU seconds, source")
    for formula, count, seconds in table:
        print(f"{formula.name:45} {count} of {arguments.seeds}  {seconds:6.1f}  {formula.source}")
    return status


if __name__ == "__main__":
    run_program(main)
