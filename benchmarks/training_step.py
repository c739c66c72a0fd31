"""`python -m benchmarks.training_step`: one training step of kan_ref against a textbook one, one thread, float64, in the same run.

A step is value and gradient of the mean squared error over the full batch, with respect to all parameters. "cached" is what `fit`
does: the first layer's B-splines do not change between steps and are evaluated once; "fresh" evaluates them at every step. Times
are the least CPU milliseconds of interleaved repeats. Besides stand memory, one Levenberg-Marquardt step, the import, and the
growth with the grid.

Where the C library is glibc, a good part of a step of either side is spent on memory: what is freed goes back to the system and comes
again page by page, more or less of it as chance has it. `--keep-memory` shows the steps without that, by the variables
MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_, which make any training of wide networks faster.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# one thread, set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import kan_ref as kr
from benchmarks import textbook
from kan_ref.checks import FloatArray
from kan_ref.network import Network
from kan_ref.objective import make_objective


@dataclass(frozen=True)
class Shape:
    """A network of cubic splines, a batch, and the bar: ours cached over textbook."""

    name: str
    widths: tuple[int, ...]
    n_intervals: int
    batch: int
    bar: float


SHAPES = (
    Shape("a", (2, 5, 1), 5, 1000, 0.45),
    Shape("b", (2, 1, 1), 100, 1000, 0.12),
    Shape("c", (4, 4, 2, 1), 20, 1000, 0.4),
    Shape("d", (100, 1, 1), 10, 1000, 0.4),
    Shape("e", (64, 64, 64, 10), 5, 1024, 0.45),
    Shape("f", (784, 64, 10), 5, 256, 0.45),
    Shape("g", (2, 1, 1), 1000, 3000, 0.01),
)

_MEMORY = """
import os, resource, tracemalloc
from benchmarks.training_step import SHAPES, problem
from kan_ref.objective import make_objective
network, x, y = problem(SHAPES[-1])
pages = int(open("/proc/self/statm").read().split()[1]) if os.path.exists("/proc/self/statm") else 0
start = pages * resource.getpagesize() / 1024 or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
make_objective(network, x, y).value_and_grad(network.theta)
resident = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
tracemalloc.start()
make_objective(network, x, y).value_and_grad(network.theta)
print(f"{tracemalloc.get_traced_memory()[1] / 2**20:.1f} MiB of arrays at the most, resident set {resident:.1f} MiB above start")
"""
ROOT = Path(__file__).parents[1]
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}


def problem(shape: Shape) -> tuple[Network, FloatArray, FloatArray]:
    """A random network of the shape and a batch for it; its hidden grids lie on the batch's activations, where `fit` keeps them."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (shape.batch, shape.widths[0]))
    network = kr.init_network(shape.widths, n_intervals=shape.n_intervals, degree=3, domain=(-1.0, 1.0), x=x, rng=rng)
    return network, x, rng.standard_normal((shape.batch, shape.widths[-1]))


def least_times(functions: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Least CPU milliseconds of a call of each function, in turn for about so many seconds, at least five rounds.

    In a round a function is called for 2 ms on end: in training step follows step, and finds its data in the cache.
    """
    calls, best = [1] * len(functions), [np.inf] * len(functions)
    began, rounds = time.process_time(), 0
    while rounds < 5 or time.process_time() - began < seconds:
        for place, function in enumerate(functions):
            start = time.process_time()
            for _ in range(calls[place]):
                function()
            best[place] = min(best[place], 1e3 * (time.process_time() - start) / calls[place])
            calls[place] = 1 + int(2.0 / best[place])
        rounds += 1
    return best


def compare(shape: Shape, seconds: float) -> str:
    """The row of a shape; the textbook contracts in the way that is faster for it."""
    network, x, y = problem(shape)
    objective, theta = make_objective(network, x, y), network.theta.copy()
    ways = [partial(textbook.value_and_grad, network, x, y, contraction) for contraction in textbook.CONTRACTIONS]
    trial = least_times(ways, seconds / 8)
    book, cached, fresh = least_times(
        [
            ways[int(np.argmin(trial))],
            lambda: objective.value_and_grad(theta),
            lambda: make_objective(network, x, y).value_and_grad(theta),
        ],
        seconds,
    )
    name = f"({shape.name}) {list(shape.widths)}"
    numbers = f"{shape.n_intervals:5d} {shape.batch:6d} {book:9.2f} {cached:8.2f} {fresh:8.2f}"
    return f"{name:25s} {numbers} {cached / book:8.3f} {fresh / book:8.3f} {shape.bar:6.2f}"


def memory() -> str:
    """What a fresh step at (g) takes in a process of its own: its arrays, and pages beyond those in use before.

    A process inherits the high-water mark of the one that started it, so a small one stands between it and this one.
    """
    between = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
    run = subprocess.run([sys.executable, "-c", between, _MEMORY], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def growth(seconds: float) -> str:
    """CPU milliseconds of a fresh step of [2, 1, 1] on 1000 samples against the number of intervals."""
    cells = []
    for n_intervals in (5, 10, 20, 50, 100, 200, 500, 1000):
        network, x, y = problem(Shape("", (2, 1, 1), n_intervals, 1000, 0.0))

        def step(network: Network = network, x: FloatArray = x, y: FloatArray = y) -> object:
            return make_objective(network, x, y).value_and_grad(network.theta)

        cells.append(f"G = {n_intervals}: {least_times([step], seconds)[0]:.2f}")
    return ", ".join(cells)


def lm_step() -> str:
    """CPU seconds of an accepted Levenberg-Marquardt step at [2, 1, 1], G = 200, N = 10000, recording included."""
    rng = np.random.default_rng(0)
    data = kr.sample("exp_sin", n_train=10000, n_test=1000, rng=rng)
    network = kr.init_network((2, 1, 1), n_intervals=200, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng)
    stamps: list[float] = []
    kr.fit(network, data, optimizer="lm", n_steps=10, update_grids=False, callback=lambda step: stamps.append(time.process_time()))
    steps = np.diff(stamps)
    return f"median {np.median(steps):.3f} s, worst {steps.max():.3f} s of {len(steps)} steps (bar 0.25 s)"


def import_time() -> str:
    """Seconds that `import kan_ref` takes in a fresh process, and with every public name used; the least of three."""
    code = (
        "import time; t = time.perf_counter(); import kan_ref; a = time.perf_counter() - t; "
        "[getattr(kan_ref, n) for n in kan_ref.__all__]; print(a, time.perf_counter() - t)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() for _ in range(3)
    ]
    alone, everything = (min(float(run[place]) for run in runs) for place in (0, 1))
    return f"{alone:.3f} s (bar 0.3 s); with every public name, NumPy included, {everything:.3f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_step", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4.0, metavar="S", help="CPU seconds for each shape (default %(default)s)")
    parser.add_argument("--keep-memory", action="store_true", help="have glibc keep what is freed (see above)")
    options = parser.parse_args(arguments)
    if options.keep_memory and not _KEEP_MEMORY.items() <= os.environ.items():
        again = [sys.executable, "-m", "benchmarks.training_step", "--keep-memory", f"--seconds={options.seconds}"]
        return subprocess.run(again, cwd=ROOT, env=os.environ | _KEEP_MEMORY, check=False).returncode
    print("shape                         G      N  textbook   cached    fresh   cached/    fresh/    bar")
    for shape in SHAPES:
        print(compare(shape, options.seconds), flush=True)
    print(f"\nmemory of a step at (g): {memory()} (bar 10 MiB)")
    print(f"Levenberg-Marquardt step, [2, 1, 1], G = 200, N = 10000: {lm_step()}")
    print(f"import kan_ref: {import_time()}")
    print(f"fresh step of [2, 1, 1], N = 1000, ms: {growth(options.seconds / 10)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
