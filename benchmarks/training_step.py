"""`python -m benchmarks.training_step`: one training step of kan_ref against a textbook one, one thread, float64, in the same run.

A step is value and gradient of the mean squared error over the full batch, with respect to all parameters. "cached" is what `fit`
does: the first layer's B-splines do not change between steps and are evaluated once; "fresh" evaluates them at every step. Times
are the smallest CPU milliseconds of interleaved repeats. The program also measures memory, one Levenberg-Marquardt step, the
import, and the growth with the grid.

With glibc, a good part of a step of either side goes into memory: freed memory is returned to the system and requested again page by
page, in varying amounts. `--keep-memory` shows the steps without that, by the variables
MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_, which make any training of wide networks faster.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

# one thread, set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import kan_ref as kr
from benchmarks.measuring import take_turns
from benchmarks.subjects import SHAPES, SUBJECTS, Shape, problem
from benchmarks.trial import try_step
from kan_ref.program import run_program

ROOT = Path(__file__).parents[1]
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}


def compare(shape: Shape, seconds: float) -> str:
    """Return the row of a shape, from about so many CPU seconds for each step."""
    steps = [subject.step(*problem(shape)) for subject in SUBJECTS]
    cached, fresh, book = (
        1e3 * times.least
        for times in take_turns([step.run for step in steps], seconds=seconds, repeats=5)
    )
    name = f"({shape.name}) {list(shape.widths)}"
    numbers = f"{shape.n_intervals:5d} {shape.batch:6d} {book:9.2f} {cached:8.2f} {fresh:8.2f}"
    return f"{name:25s} {numbers} {cached / book:8.3f} {fresh / book:8.3f} {shape.bar:6.2f}"


def memory() -> str:
    """Return the memory of a fresh step at (g) in a process of its own: its arrays, and pages
    beyond those in use before.
    """
    trial = try_step(SUBJECTS[1], SHAPES[-1])
    return (
        trial.failure
        or f"{trial.arrays:.1f} MiB of arrays at the most, resident set {trial.resident:.1f} MiB above start"
    )


def growth(seconds: float) -> str:
    """Return the CPU milliseconds of a fresh step of [2, 1, 1] on 1000 samples against the number
    of intervals.
    """
    cells = []
    for n_intervals in (5, 10, 20, 50, 100, 200, 500, 1000):
        step = SUBJECTS[1].step(*problem(Shape("", (2, 1, 1), n_intervals, 1000)))
        (times,) = take_turns([step.run], seconds=seconds, repeats=5)
        cells.append(f"G = {n_intervals}: {1e3 * times.least:.2f}")
    return ", ".join(cells)


def lm_step() -> str:
    """Return the CPU seconds of an accepted Levenberg-Marquardt step at [2, 1, 1], G = 200, N =
    10000, recording included.
    """
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=10000, n_test=1000, rng=rng)
    network = kr.init_network(
        (2, 1, 1), n_intervals=200, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng
    )
    stamps: list[float] = []
    kr.fit(
        network,
        data,
        optimizer="lm",
        n_steps=10,
        update_grids=False,
        callback=lambda step: stamps.append(time.process_time()),
    )
    steps = np.diff(stamps)
    return f"median {np.median(steps):.3f} s, worst {steps.max():.3f} s of {len(steps)} steps (bar 0.25 s)"


def import_time() -> str:
    """Return the seconds of `import kan_ref` in a fresh process, and with every public name used;
    the smallest of three.
    """
    code = (
        "import time; t = time.perf_counter(); import kan_ref; a = time.perf_counter() - t; "
        "[getattr(kan_ref, n) for n in kan_ref.__all__]; print(a, time.perf_counter() - t)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    alone, everything = (min(float(run[place]) for run in runs) for place in (0, 1))
    return f"{alone:.3f} s (bar 0.3 s); with every public name, NumPy included, {everything:.3f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=1.5,
        metavar="S",
        help="CPU seconds for each step (default %(default)s)",
    )
    parser.add_argument(
        "--keep-memory", action="store_true", help="have glibc keep what is freed (see above)"
    )
    options = parser.parse_args(arguments)
    if options.keep_memory and not _KEEP_MEMORY.items() <= os.environ.items():
        again = [
            sys.executable,
            "-m",
            "benchmarks.training_step",
            "--keep-memory",
            f"--seconds={options.seconds}",
        ]
        return subprocess.run(
            again, cwd=ROOT, env=os.environ | _KEEP_MEMORY, check=False
        ).returncode
    print(
        "shape                         G      N  textbook   cached    fresh   cached/    fresh/    bar"
    )
    for shape in SHAPES:
        print(compare(shape, options.seconds), flush=True)
    print(f"\nmemory of a step at (g): {memory()} (bar 10 MiB)")
    print(f"Levenberg-Marquardt step, [2, 1, 1], G = 200, N = 10000: {lm_step()}")
    print(f"import kan_ref: {import_time()}")
    print(f"fresh step of [2, 1, 1], N = 1000, ms: {growth(options.seconds / 4)}")
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
