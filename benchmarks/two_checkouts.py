"""Training steps of kan_ref in two checkouts, timed in turns: what a change of the code costs or gains.

    python -m benchmarks.two_checkouts FOLDER        FOLDER is the root of the other checkout

Three processes stay alive: one of the other checkout, two of this one. In each of 11 rounds every process does the same work
once, so that disturbances of the machine affect all alike. The ratio of the two of this checkout to each other is the error of
the other ratio.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from kan_ref.program import given_path, run_program

ROUNDS = 11
NAMES = ("adam step", "value_and_grad", "lm iteration")
SHAPES = (((2, 5, 1), 5), ((4, 10, 10, 2), 10))  # widths, n_intervals

# what a process runs: for every name that it reads, one line with the CPU seconds of a step; the package's public names alone
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

work = {{
    "adam step": lambda n: kr.fit(network, data, optimizer="adam", n_steps=n),
    "value_and_grad": gradients,
    "lm iteration": lambda n: kr.fit(network, data, optimizer="lm", n_steps=n),
}}
n_calls = {{"adam step": 50, "value_and_grad": 50, "lm iteration": 5}}
for line in sys.stdin:
    name = line.strip()
    began = time.process_time()
    work[name](n_calls[name])
    print((time.process_time() - began) / n_calls[name], flush=True)
"""


def start(checkout: Path, shape: tuple[tuple[int, ...], int]) -> subprocess.Popen[str]:
    """Start a process with kan_ref of this checkout."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER.format(shape=shape)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
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
        process.stdin.write(name + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process that measures {name!r} has ended: its error is above")
    return float(answer)


def ratios(
    ask_each: Sequence[Callable[[], float]], rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Return seconds of this checkout, its ratio to the other, and its ratio to itself: medians.

    `ask_each` are the other checkout, this one, and this one again; their first answers do not
    count.
    """
    times = np.array([[one() for one in ask_each] for _ in range(rounds + 1)])[1:]
    other, ours, again = np.median(times, axis=0)
    return float(ours), float(ours / other), float(again / ours)


def measure(other: Path, shape: tuple[tuple[int, ...], int]) -> list[dict[str, object]]:
    """Return a row for every kind of step at a shape."""
    here = Path(__file__).resolve().parents[1]
    processes = [start(folder, shape) for folder in (other.resolve(), here, here)]
    rows: list[dict[str, object]] = []
    try:
        for name in NAMES:
            seconds, to_other, to_itself = ratios([partial(ask, one, name) for one in processes])
            rows.append(
                {
                    "widths": shape[0],
                    "step": name,
                    "ms": round(1e3 * seconds, 4),
                    "ratio to the other": round(to_other, 3),
                    "ratio to itself": round(to_itself, 3),
                }
            )
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                with contextlib.suppress(BrokenPipeError):  # of a process that has ended
                    stream.close()
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line of JSON for every kind of step; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.two_checkouts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=given_path, metavar="FOLDER", help="root of the other checkout"
    )
    folder = parser.parse_args(arguments).folder
    if not (folder / "kan_ref" / "__init__.py").is_file():
        parser.error(f"FOLDER is {folder}, but must be a checkout, which has kan_ref/__init__.py")
    for shape in SHAPES:
        for row in measure(folder, shape):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    run_program(main, ends_fits=True)
