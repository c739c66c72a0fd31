"""`python -m benchmarks.fit_step [NAME...]`: a step of `fit` with Adam against `value_and_grad` of the same samples, one thread.

a-12 ... g-60   a whole `fit` with its default settings, divided by its 12 or 60 steps: arguments, moves of hidden grids, history and the
                errors on as many test samples included. Beside it the objective of `fit`, whose first layer is prepared once, and
                the median step, which has neither moves nor test errors. Bar: 1.3 times `value_and_grad`
batches         a step with mini-batches of 256 out of 100 000 samples, against a step on 256 samples alone; bar: 4
wide            the same at [64, 64, 64, 10] and 10 000 samples
memory          peak of the resident set of [784, 64, 10], 10 000 samples, mini-batches of 256, above the data; bar: 100 MiB

Times are medians over the seeds, in CPU milliseconds; the last column but one is the worst of the seeds.
"""

import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import kan_ref as kr
from benchmarks import bars
from benchmarks.bars import Verdict, above, median, take_turns
from benchmarks.steps import SHAPES, Shape, mean_square_objective, problem, turns
from kan_ref.program import run_program

N_TEST, BATCH = 1000, 256
N_STEPS = (12, 60)
FITS = {f"{shape.name}-{n}": (shape, n) for shape in SHAPES for n in N_STEPS}
BATCHES = {"batches": Shape("", (2, 5, 1), 5, 100_000), "wide": Shape("", (64, 64, 64, 10), 5, 10_000)}  # fmt: skip
LARGE = Shape("", (784, 64, 10), 5, 10_000)
ROWS = [*FITS, *BATCHES, "memory"]
USUAL = [*(name for name in FITS if name[0] in "abef"), *BATCHES, "memory"]
BAR = {"batches": 4.0, "wide": 4.0, "memory": 100.0}


def with_test(shape: Shape, seed: int = 0, n_test: int = N_TEST) -> tuple[Any, kr.Data]:
    """Return the network of a shape, its batch and random test samples."""
    network, x, y = problem(shape, seed)
    rng = np.random.default_rng(seed + 1)
    x_test = rng.uniform(-1.0, 1.0, (n_test, shape.widths[0]))
    return network, kr.Data(x, y, x_test, rng.standard_normal((n_test, shape.widths[-1])))


def durations(network: Any, data: kr.Data, n_steps: int, optimizer: Any, seed: int = 2) -> Any:
    """Train, and return the seconds of each step but the first, by the run's own clock."""
    rng = np.random.default_rng(seed)
    run = kr.fit(network, data, optimizer=optimizer, n_steps=n_steps, rng=rng)
    return np.diff(run.history.seconds[1:])


def whole(shape: Shape, n_steps: int, seed: int, seconds: float) -> list[float]:
    """Return milliseconds of `value_and_grad`, the prepared objective, a whole fit by its steps, and the median step."""
    network, data = with_test(shape, seed, shape.batch)
    samples = data.x_train, data.y_train
    objective, thetas = mean_square_objective(network, *samples), turns(network)
    runs: list[Any] = []
    # all in turns: a busy machine slows them alike
    found = take_turns(
        [
            lambda: kr.value_and_grad(network, *samples),
            lambda: objective.value_and_grad(next(thetas)),
            lambda: runs.append(durations(network, data, n_steps, "adam")),
        ],
        seconds=seconds,
    )
    median_step = min(float(np.median(run)) for run in runs)
    return [1e3 * one for one in (*found[:2], found[2] / n_steps, median_step)]


def batches(shape: Shape, n_steps: int) -> list[float]:
    """Return the milliseconds of a step on as many samples, and of one with mini-batches."""
    network, many = with_test(shape)
    few = kr.Data(many.x_train[:BATCH], many.y_train[:BATCH], many.x_test, many.y_test)
    own, alone = (
        1e3 * min(float(durations(network, data, n_steps, optimizer).mean()) for _ in range(3))
        for data, optimizer in ((many, kr.Adam(batch_size=BATCH)), (few, "adam"))
    )
    return [alone, own]


def resident() -> float:
    """Return the high-water mark of this process's resident set in MiB; from /proc if it exists: `getrusage` includes the parent's."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return int(found[1]) / 2**10 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit  # fmt: skip


def peak() -> float:
    """Train on many samples with mini-batches; return MiB above those before the run."""
    network, _ = with_test(replace(LARGE, batch=BATCH))  # a larger batch would set the peak
    rng = np.random.default_rng(1)
    x, y = (rng.uniform(-1.0, 1.0, (LARGE.batch, width)) for width in (784, 10))
    data, before = kr.Data(x, y, x[:N_TEST].copy(), y[:N_TEST].copy()), resident()
    durations(network, data, 20, kr.Adam(batch_size=BATCH), seed=0)
    return resident() - before


def measure(n_steps: int, seconds: float, name: str, seed: int) -> list[float]:
    """Return the numbers of a row for a seed."""
    if name == "memory":
        code = "from benchmarks.fit_step import peak; print(peak())"
        return [float(subprocess.check_output([sys.executable, "-c", code], text=True))]
    if name in BATCHES:
        return batches(BATCHES[name], n_steps)
    return whole(*FITS[name], seed, seconds)


def limit(name: str, found: list[list[float]]) -> Verdict:
    """Return medians over the seeds, the ratio of the third or last number to the first, and its worst."""
    rows, most = np.array(found), BAR.get(name, 1.3)
    ratios = rows[:, min(2, rows.shape[1] - 1)] / (1.0 if name == "memory" else rows[:, 0])
    numbers = [f"{one:.3f}" for one in median(found)]
    gap = [""] * (4 - len(numbers))
    cells = [*numbers[:1], *gap, *numbers[1:], f"{np.median(ratios):.2f}", f"{ratios.max():.2f}"]
    return Verdict([*cells, f"{most:g}"], above(float(np.median(ratios)), most, "ratio"))


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    line = bars.command("fit_step", __doc__, seeds=5)
    line.add_argument("--seconds", type=float, default=1.0, help="CPU seconds of each (1)")
    line.add_argument("--steps", type=int, default=100, help="of a run with mini-batches (100)")
    options = bars.read(line, words, ROWS)
    names = [one for one in ROWS if one in (USUAL if options.names == ROWS else options.names)]
    columns = ["ms", "v and grad", "objective", "fit/steps", "median", "ratio", "worst", "at most"]
    ask = partial(measure, options.steps, options.seconds)
    return bars.bar(names, columns, ask, limit, seeds=range(options.seeds), jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
