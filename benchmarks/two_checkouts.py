"""Training steps of kan_ref in two checkouts, timed in turns: what a change of the code costs or gains.

    python -m benchmarks.two_checkouts FOLDER        FOLDER is the root of the other checkout

The shapes are those of `benchmarks.subjects`. A step is one of

    cached         value and gradient of the objective as `fit` calls it: what the first layer computes of x is kept
    fresh          `kr.value_and_grad`
    adam step      the median step of `fit` with Adam, which takes no test error and moves no grid
    adam run       the mean step of the same run, test errors and moves of grids included
    lm iteration   the mean step of `fit` with Levenberg-Marquardt, at the shapes with few parameters

Steps of Adam have a further pair of numbers: their times in units of "cached", in this checkout and in the other.

For each kind of step five groups of three processes stay alive: one of the other checkout, two of this one. In each of 7 rounds
every process does the same work once, so that disturbances of the machine affect all alike. Where the arrays of a process lie
decides which of its pages the operating system takes back after each step, which can double its time. This changes with the
length of the environment, with the folder's name and with the work done before: hence groups with environments of different
lengths, and processes that do nothing else. The ratios are medians of those of the groups, this checkout to the other. The
ratios of the two processes of this checkout to each other, from the least to the greatest, are what one group's ratio is worth.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.subjects import SHAPES, Shape
from kan_ref.program import run_program

ROUNDS = 7
PADDINGS = (0, 100, 700, 2000, 5000)  # characters by which the groups lengthen the environment
NAMES = ("cached", "fresh", "adam step", "adam run", "lm iteration")
FEW = "abc"  # shapes whose parameters are few enough for Levenberg-Marquardt
N_STEPS, N_STEPS_WIDE, WIDE = 50, 25, "ef"  # of a process in a round

# what a process runs: for every line that it reads, one with the CPU seconds of a step
WORKER = """
import itertools, sys, time
import numpy as np
import kan_ref as kr

widths, n_intervals, n = {shape}
rng = np.random.default_rng(0)
x, y = rng.uniform(-1.0, 1.0, (n + 1000, widths[0])), rng.normal(size=(n + 1000, widths[-1]))
data = kr.Data(x[:n], y[:n], x[n:], y[n:])
shape = dict(n_intervals=n_intervals, degree=3, domain=(-1.0, 1.0), x=data.x_train)
network = kr.init_network(widths, **shape, rng=rng)

def objective_of_terms():
    from kan_ref.training import LOSSES, DataTerm, Objective
    return Objective(network, [DataTerm(LOSSES["mse"], data.x_train, data.y_train, network)])

def objective_of_goal():
    from kan_ref.training.data_goal import MSE, DataGoal
    from kan_ref.training.objective import make_objective
    return make_objective(network, DataGoal(MSE, data.x_train, data.y_train).prepare(network))

def mean(call, n_steps):
    call()
    began = time.process_time()
    for _ in range(n_steps):
        call()
    return (time.process_time() - began) / n_steps

def cached(n_steps):
    thetas = [network.theta.copy() for _ in range(2)]
    for theta in thetas:
        theta.flags.writeable = False  # as optimizers give it, and another array at every step
    points = itertools.cycle(thetas)
    return mean(lambda: objective.value_and_grad(next(points)), n_steps)

def fresh(n_steps):
    return mean(lambda: kr.value_and_grad(network, data.x_train, data.y_train), n_steps)

def fitted(optimizer, n_steps, statistic=np.mean):
    stamps = []
    add = lambda step: stamps.append(time.process_time())
    kr.fit(network, data, optimizer=optimizer, n_steps=n_steps, callback=add)
    return float(statistic(np.diff(stamps)))

objective = (objective_of_terms if hasattr(kr.training, "DataTerm") else objective_of_goal)()
steps = {{
    "cached": cached,
    "fresh": fresh,
    "adam step": lambda n_steps: fitted("adam", n_steps, np.median),
    "adam run": lambda n_steps: fitted("adam", n_steps),
    "lm iteration": lambda n_steps: fitted("lm", 4),
}}
for _ in sys.stdin:
    print(steps[{name!r}]({n_steps}), flush=True)
"""


def start(checkout: Path, shape: Shape, name: str, padding: int = 0) -> subprocess.Popen[str]:
    """Start a process with kan_ref of this checkout that takes steps of the kind `name`."""
    sizes = shape.widths, shape.n_intervals, shape.batch
    n_steps = N_STEPS_WIDE if shape.name in WIDE else N_STEPS
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(shape=sizes, name=name, n_steps=n_steps)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=checkout,
        env={
            **os.environ,
            "PYTHONPATH": str(checkout),
            "OMP_NUM_THREADS": "1",
            "PADDING": "x" * padding,
        },
        start_new_session=True,  # Ctrl-C reaches the program alone, which ends its processes
    )


def ask(process: subprocess.Popen[str], name: str) -> float:
    """Return the CPU seconds of one step.

    Raises
    ------
    RuntimeError
        The process has ended; its error is on standard error.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    answer = ""
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write("step\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process that measures {name!r} has ended: its error is above")
    return float(answer)


def ratios(times: np.ndarray) -> tuple[float, float, tuple[float, float]]:
    """Return seconds of this checkout, its ratio to the other, and its ratios to itself.

    `times` [round, group, process] are seconds of the other checkout, this one, and this one
    again, without the first round. The first two answers are medians over groups, the third is
    the least and the greatest of them.
    """
    other, ours, again = np.median(times, axis=0).T
    to_itself = again / ours
    return (
        float(np.median(ours)),
        float(np.median(ours / other)),
        (float(to_itself.min()), float(to_itself.max())),
    )


def measure(other: Path, shape: Shape) -> list[dict[str, object]]:
    """Return the rows of a shape, one for each kind of step."""
    here = Path(__file__).resolve().parents[1]
    names = NAMES if shape.name in FEW else NAMES[:-1]
    processes = [
        (start(folder, shape, name, padding), name)
        for padding in PADDINGS
        for folder in (other.resolve(), here, here)
        for name in names
    ]
    try:
        answers = [[ask(*process) for process in processes] for _ in range(ROUNDS + 1)]
    finally:
        for process, _ in processes:
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                with contextlib.suppress(BrokenPipeError):  # of a process that has ended
                    stream.close()
    times = np.reshape(answers[1:], (ROUNDS, len(PADDINGS), 3, len(names)))
    rows: list[dict[str, object]] = []
    for place, name in enumerate(names):
        seconds, to_other, to_itself = ratios(times[..., place])
        row: dict[str, object] = {"shape": str(shape), "step": name}
        row |= {"ms": round(1e3 * seconds, 4), "ratio to the other": round(to_other, 3)}
        row["ratios to itself"] = [round(ratio, 3) for ratio in to_itself]
        if name.startswith("adam"):
            medians = np.median(times, axis=0)
            there, ours, _ = np.median(medians[..., place] / medians[..., 0], axis=0)
            row["in units of cached"] = {"here": round(ours, 3), "there": round(there, 3)}
        rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line of JSON for every kind of step; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.two_checkouts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="root of the other checkout")
    parser.add_argument("--only", default="abcdefg", help="letters of shapes (all)")
    options = parser.parse_args(arguments)
    folder = options.folder
    if not (folder / "kan_ref" / "__init__.py").is_file():
        parser.error(f"FOLDER is {folder}, but must be a checkout, which has kan_ref/__init__.py")
    for shape in SHAPES:
        for row in measure(folder, shape) if shape.name in options.only else ():
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
