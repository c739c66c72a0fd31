"""`python -m benchmarks.fit_step`: a step of `fit` with Adam against value and gradient of the same objective, one thread.

full     a step of `fit` with 1000 test samples and its default settings, against the cached objective at the networks of the same
         run, and against Adam on that objective without `fit`; bar: 1.15 times the objective, in parentheses the worst of the
         seeds. The mean of a run has its test errors and moves of hidden grids in it, which happen at steps 5, 10, ..., 50; the
         median step has neither
batches  a step with mini-batches of 256 out of 100 000 samples, against a step on 256 samples alone; bar: 4
memory   peak of the resident set of [784, 64, 10], 10 000 samples, mini-batches of 256, above the data; bar: 100 MiB
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

# one thread, set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import kan_ref as kr
from benchmarks.measuring import take_turns
from benchmarks.subjects import SHAPES, Shape, mean_square_objective, problem, turns
from benchmarks.trial import peak_resident, resident_now
from kan_ref import optimizers
from kan_ref.program import run_program

ROOT = Path(__file__).parents[1]
N_TEST, BATCH, MANY, EVERY = 1000, 256, 100_000, 10
BAR, BATCH_BAR, MEMORY_BAR = 1.15, 4.0, 100
_LARGE = Shape("", (784, 64, 10), 5, 10_000)


def with_test(shape: Shape, seed: int = 0) -> tuple[Any, kr.Data]:
    """Return the network of a shape, its batch and random test samples."""
    network, x, y = problem(shape, seed)
    rng = np.random.default_rng(seed + 1)
    x_test = rng.uniform(-1.0, 1.0, (N_TEST, shape.widths[0]))
    return network, kr.Data(x, y, x_test, rng.standard_normal((N_TEST, shape.widths[-1])))


class Steps(NamedTuple):
    """Seconds of a step, mean and median of a run by its own clock."""

    mean: float
    median: float


def steps(
    network: Any, data: kr.Data, n_steps: int, optimizer: Any = "adam", **options: Any
) -> Steps:
    """Train, and return how long the steps took, from the first to the last."""
    run = kr.fit(network, data, optimizer=optimizer, n_steps=n_steps, **options)
    durations = np.diff(run.history.seconds[1:])
    return Steps(float(durations.mean()), float(np.median(durations)))


def full(shape: Shape, seconds: float, n_steps: int, seed: int) -> list[float]:
    """Return milliseconds of the objective, of Adam on it, and of a step of `fit`, mean and
    median.
    """
    network, data = with_test(shape, seed)
    networks: list[Any] = []

    def watch(step: Any) -> None:
        if step.step % EVERY == 0:
            networks.append(step.network)

    kr.fit(network, data, optimizer="adam", n_steps=n_steps, callback=watch)
    objectives = [mean_square_objective(one, data.x_train, data.y_train) for one in networks]
    points = [turns(one) for one in networks]

    def evaluate() -> None:
        for objective, thetas in zip(objectives, points, strict=True):
            objective.value_and_grad(next(thetas))

    def adam() -> None:
        optimizers.Steps(kr.adam(objectives[-1].value_and_grad, next(points[-1])), n_steps).last()

    runs: list[Steps] = []

    def train() -> None:
        runs.append(steps(network, data, n_steps))

    # all three in turns: a busy machine slows them alike
    times = take_turns([evaluate, adam, train], seconds=seconds)
    return [
        1e3 * times[0].least / len(points),
        1e3 * times[1].least / (n_steps + 1),
        1e3 * min(run.mean for run in runs),
        1e3 * min(run.median for run in runs),
    ]


def row(shape: Shape, seconds: float, n_steps: int, seeds: int) -> str:
    """Return the row of a shape: medians over the seeds, and the worst ratio."""
    found = np.array([full(shape, seconds, n_steps, seed) for seed in range(seeds)])
    ratios = found[:, 1:] / found[:, :1]
    cells = "".join(f"{value:10.3f}" for value in np.median(found, axis=0))
    cells += "".join(
        f"{middle:9.2f} ({worst:.2f})"
        for middle, worst in zip(np.median(ratios, axis=0), ratios.max(axis=0), strict=True)
    )
    return f"({shape.name}) {list(shape.widths)!s:20s}{cells}{BAR:7.2f}"


def batches(n_steps: int) -> str:
    """Return the milliseconds of a step with mini-batches, and of a step on as many samples."""
    cells = []
    for widths in ((2, 5, 1), (64, 64, 64, 10)):
        network, many = with_test(Shape("", widths, 5, MANY if widths[0] == 2 else MANY // 10))
        few = kr.Data(many.x_train[:BATCH], many.y_train[:BATCH], many.x_test, many.y_test)
        rng = np.random.default_rng(2)
        own = 1e3 * min(
            steps(network, many, n_steps, kr.Adam(batch_size=BATCH), rng=rng).mean for _ in range(3)
        )
        alone = 1e3 * min(steps(network, few, n_steps).mean for _ in range(3))
        cells.append(
            f"{list(widths)}, {len(many.x_train)} samples: {own:.2f} ms, alone {alone:.2f} ms, "
            f"ratio {own / alone:.2f}"
        )
    return "; ".join(cells) + f" (bar {BATCH_BAR:g})"


def memory() -> str:
    """Return the peak of a run of its own process above its data, in MiB."""
    code = "from benchmarks.fit_step import peak; print(peak())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return f"{float(found.stdout):.0f} MiB (bar {MEMORY_BAR} MiB)"


def peak() -> float:
    """Train on many samples with mini-batches; return MiB above those before the run."""
    network, _ = with_test(replace(_LARGE, batch=BATCH))  # a larger batch would set the peak
    rng = np.random.default_rng(1)
    x, y = (rng.uniform(-1.0, 1.0, (_LARGE.batch, width)) for width in (784, 10))
    data = kr.Data(x, y, x[:N_TEST].copy(), y[:N_TEST].copy())
    before = resident_now()
    kr.fit(
        network,
        data,
        optimizer=kr.Adam(batch_size=BATCH),
        n_steps=20,
        rng=np.random.default_rng(0),
    )
    return peak_resident() - before


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fit_step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", default="abef", help="letters of shapes (default %(default)s)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        help="CPU seconds for each of the three and each seed (default 1)",
    )
    parser.add_argument("--seeds", type=int, default=5, help="networks of a shape (default 5)")
    parser.add_argument("--steps", type=int, default=100, help="steps of a run (default 100)")
    options = parser.parse_args(arguments)
    letters = "".join(shape.name for shape in SHAPES)
    if not options.only or not set(options.only) <= set(letters):
        parser.error(f"--only is {options.only!r}, but must be letters of {letters}")
    print(
        "ms, medians over seeds    objective      adam      mean    median      adam/obj       mean/obj"
        "     median/obj    bar"
    )
    for shape in SHAPES:
        if shape.name in options.only:
            print(row(shape, options.seconds, options.steps, options.seeds), flush=True)
    print(f"\nmini-batches of {BATCH}: {batches(options.steps)}")
    print(f"memory of {list(_LARGE.widths)}, {_LARGE.batch} samples, above the data: {memory()}")
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
