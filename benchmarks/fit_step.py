"""`python -m benchmarks.fit_step [NAME...]`: a step of `fit` with Adam against value and gradient of the same objective, one thread.

a to g    a step of `fit` with 1000 test samples and its default settings, against the cached objective at the networks of the same
          run, and against Adam on that objective without `fit`. The mean of a run has its test errors and moves of hidden grids
          in it, which happen at steps 5, 10, ..., 50; the median step has neither. Bar: 1.15 times the objective for the median step
batches   a step with mini-batches of 256 out of 100 000 samples, against a step on 256 samples alone; bar: 4
wide      the same at [64, 64, 64, 10] and 10 000 samples
memory    peak of the resident set of [784, 64, 10], 10 000 samples, mini-batches of 256, above the data; bar: 100 MiB

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
from kan_ref import optimizers
from kan_ref.program import run_program

N_TEST, BATCH, EVERY = 1000, 256, 10
BATCHES = {"batches": Shape("", (2, 5, 1), 5, 100_000), "wide": Shape("", (64, 64, 64, 10), 5, 10_000)}  # fmt: skip
LARGE = Shape("", (784, 64, 10), 5, 10_000)
ROWS = [*(shape.name for shape in SHAPES), *BATCHES, "memory"]
USUAL = ["a", "b", "e", "f", *BATCHES, "memory"]
BAR = {"batches": 4.0, "wide": 4.0, "memory": 100.0}


def with_test(shape: Shape, seed: int = 0) -> tuple[Any, kr.Data]:
    """Return the network of a shape, its batch and random test samples."""
    network, x, y = problem(shape, seed)
    rng = np.random.default_rng(seed + 1)
    x_test = rng.uniform(-1.0, 1.0, (N_TEST, shape.widths[0]))
    return network, kr.Data(x, y, x_test, rng.standard_normal((N_TEST, shape.widths[-1])))


def durations(network: Any, data: kr.Data, n_steps: int, optimizer: Any, seed: int = 2) -> Any:
    """Train, and return the seconds of each step but the first, by the run's own clock."""
    rng = np.random.default_rng(seed)
    run = kr.fit(network, data, optimizer=optimizer, n_steps=n_steps, rng=rng)
    return np.diff(run.history.seconds[1:])


def full(shape: Shape, seed: int, n_steps: int, seconds: float) -> list[float]:
    """Return milliseconds of the objective, of Adam on it, and of a step of `fit`, mean and median."""
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

    runs: list[Any] = []
    # all three in turns: a busy machine slows them alike
    objective_time, adam_time, _ = take_turns(
        [evaluate, adam, lambda: runs.append(durations(network, data, n_steps, "adam"))], seconds=seconds
    )
    mean, middle = (min(float(one(run)) for run in runs) for one in (np.mean, np.median))
    seconds_of = [objective_time / len(points), adam_time / (n_steps + 1), mean, middle]
    return [1e3 * one for one in seconds_of]


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
    return full(SHAPES[ROWS.index(name)], seed, n_steps, seconds)


def limit(name: str, found: list[list[float]]) -> Verdict:
    """Return medians over the seeds, the ratio of the last number to the first, and its worst."""
    rows, most = np.array(found), BAR.get(name, 1.15)
    ratios = rows[:, -1] / (1.0 if name == "memory" else rows[:, 0])
    numbers = [f"{one:.3f}" for one in median(found)]
    gap = [""] * (4 - len(numbers))
    cells = [*numbers[:1], *gap, *numbers[1:], f"{np.median(ratios):.2f}", f"{ratios.max():.2f}"]
    return Verdict([*cells, f"{most:g}"], above(float(np.median(ratios)), most, "ratio"))


def main(words: Sequence[str] | None = None) -> int:
    """Print the table; return the exit status."""
    line = bars.command("fit_step", __doc__, seeds=5)
    line.add_argument("--seconds", type=float, default=1.0, help="CPU seconds of each (1)")
    line.add_argument("--steps", type=int, default=100, help="of a run (100)")
    options = bars.read(line, words, ROWS)
    names = [one for one in ROWS if one in (USUAL if options.names == ROWS else options.names)]
    columns = ["ms", "objective", "adam", "mean step", "median", "ratio", "worst", "at most"]
    ask = partial(measure, options.steps, options.seconds)
    return bars.bar(names, columns, ask, limit, seeds=range(options.seeds), jobs=options.jobs)


if __name__ == "__main__":
    run_program(main, ends_fits=True)
