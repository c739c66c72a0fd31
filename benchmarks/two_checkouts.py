"""Training steps of kan_ref in two checkouts, timed in turns: what a change of the code costs or gains.

    python -m benchmarks.two_checkouts FOLDER        FOLDER is the root of the other checkout

For each kind of step five groups of three processes stay alive: one of the other checkout, two of this one. In each of 7 rounds
every process does the same work once, so that disturbances of the machine affect all alike. Where the arrays of a process lie
decides which of its pages the operating system takes back after each step, which can double its time. This changes with the
length of the environment, with the folder's name and with the work done before: hence groups with environments of different
lengths, and processes that do nothing else. The ratios are medians of those of the groups. The ratios of the two processes of
this checkout to each other, from the least to the greatest, are what one group's ratio is worth.
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

from kan_ref.program import run_program

ROUNDS = 7
PADDINGS = (0, 100, 700, 2000, 5000)  # characters by which the groups lengthen the environment
NAMES = ("adam step", "value_and_grad", "lm iteration")
SHAPES = (((2, 5, 1), 5), ((4, 10, 10, 2), 10))  # widths, n_intervals

# what a process runs: for every line that it reads, one with the CPU seconds of a step; the package's public names alone
WORKER = """
import sys, time
import numpy as np
import kan_ref as kr

widths, n_intervals = {shape}
rng = np.random.default_rng(0)
x, y = rng.uniform(-1.0, 1.0, (2000, widths[0])), rng.normal(size=(2000, widths[-1]))
data = kr.Data(x[:1000], y[:1000], x[1000:], y[1000:])
network = kr.init_network(widths, n_intervals=n_intervals, degree=3, domain=(-1.0, 1.0), rng=rng)

def gradients(n):
    for _ in range(n):
        kr.value_and_grad(network, data.x_train, data.y_train)

steps = {{
    "adam step": lambda n: kr.fit(network, data, optimizer="adam", n_steps=n),
    "value_and_grad": gradients,
    "lm iteration": lambda n: kr.fit(network, data, optimizer="lm", n_steps=n),
}}
n_calls = {{"adam step": 50, "value_and_grad": 50, "lm iteration": 2}}
work, n = steps[{name!r}], n_calls[{name!r}]
for _ in sys.stdin:
    began = time.process_time()
    work(n)
    print((time.process_time() - began) / n, flush=True)
"""


def start(
    checkout: Path, shape: tuple[tuple[int, ...], int], name: str, padding: int = 0
) -> subprocess.Popen[str]:
    """Start a process with kan_ref of this checkout that takes steps of the kind `name`."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(shape=shape, name=name)],
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


def measure(other: Path, shape: tuple[tuple[int, ...], int], name: str) -> dict[str, object]:
    """Return the row of a kind of step at a shape."""
    here = Path(__file__).resolve().parents[1]
    processes = [
        start(folder, shape, name, padding)
        for padding in PADDINGS
        for folder in (other.resolve(), here, here)
    ]
    try:
        times = [[ask(process, name) for process in processes] for _ in range(ROUNDS + 1)]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                with contextlib.suppress(BrokenPipeError):  # of a process that has ended
                    stream.close()
    seconds, to_other, to_itself = ratios(np.reshape(times[1:], (ROUNDS, len(PADDINGS), 3)))
    return {
        "widths": shape[0],
        "step": name,
        "ms": round(1e3 * seconds, 4),
        "ratio to the other": round(to_other, 3),
        "ratios to itself": [round(ratio, 3) for ratio in to_itself],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line of JSON for every kind of step; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.two_checkouts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="root of the other checkout")
    folder = parser.parse_args(arguments).folder
    if not (folder / "kan_ref" / "__init__.py").is_file():
        parser.error(f"FOLDER is {folder}, but must be a checkout, which has kan_ref/__init__.py")
    for shape in SHAPES:
        for name in NAMES:
            print(json.dumps(measure(folder, shape, name)), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
