"""`python -m benchmarks.large [race] [memory]`: Levenberg-Marquardt by conjugate gradients ("lm_cg") on large problems, one thread.

race     [20, 20, 20, 1], 8200 parameters, 20 000 samples, several targets: training and test RMSE after the same CPU time, by
         "lm_cg", dense Levenberg-Marquardt and L-BFGS. Bar: the training RMSE of "lm_cg" is at most the smallest of the others
memory   one step of "lm_cg" on 102 400 parameters and 100 000 samples: peak of the resident set. Bar: 2048 MiB

The CPU time ends by an interruption, as by Ctrl-C, after which `fit` returns the best network so far. A method without a finished
step by then has the RMSE of its start.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# one thread, set before NumPy loads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import kan_ref as kr
from benchmarks.tables import aligned
from benchmarks.trial import peak_resident
from kan_ref.checks import FloatArray
from kan_ref.program import given_number, run_program

ROOT = Path(__file__).parents[1]
WIDTHS, N_INTERVALS, N_TRAIN, N_TEST = (20, 20, 20, 1), 5, 20_000, 2000
METHODS = ("lm_cg", "lm", "lbfgs")
PARTS = ["race", "memory"]
LARGE, LARGE_SAMPLES, MEMORY_BAR = (64, 64, 64, 32), 100_000, 2048


def _pairs(x: FloatArray) -> FloatArray:
    return np.asarray(np.sin(np.pi * x[:, ::2] * x[:, 1::2]).mean(axis=1))


def _radius(x: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.mean(x**2, axis=1)))


def _waves(x: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.mean(np.sin(np.pi * x) ** 2, axis=1)))


def _ridges(x: FloatArray) -> FloatArray:
    directions = np.random.default_rng(0).standard_normal((x.shape[1], 3)) / np.sqrt(x.shape[1])
    return np.asarray(np.tanh(3.0 * x @ directions).sum(axis=1))


TARGETS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "waves": _waves,
    "pairs": _pairs,
    "radius": _radius,
    "ridges": _ridges,
}


def sample(target: str, rng: np.random.Generator) -> kr.Data:
    """Return samples of a target on [-1, 1]^20, with standard deviation 1 of the outputs."""
    x = rng.uniform(-1.0, 1.0, (N_TRAIN + N_TEST, WIDTHS[0]))
    y = TARGETS[target](x)[:, None]
    y = (y - y[:N_TRAIN].mean()) / y[:N_TRAIN].std()
    return kr.Data(x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:])


def train(network: Any, data: kr.Data, optimizer: str, seconds: float) -> tuple[float, float, int]:
    """Return training and test RMSE after so many CPU seconds, and the number of steps."""
    n_steps = 0

    def watch(step: Any) -> None:
        nonlocal n_steps
        n_steps = step.step

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        trained = kr.fit(
            network, data, optimizer=optimizer, n_steps=10**6, test_every=10**6, callback=watch
        ).network
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
    errors = [
        float(np.sqrt(np.mean((trained(x) - y) ** 2)))
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    ]
    return errors[0], errors[1], n_steps


def race(targets: Sequence[str], seconds: float, seed: int = 0) -> tuple[str, bool]:
    """Return the table of all targets and methods, and whether "lm_cg" meets its bar on each."""
    rows = [["target", "optimizer", "steps", "training", "test", "bar"]]
    good = True
    for target in targets:
        rng = np.random.default_rng(seed)
        data = sample(target, rng)
        network = kr.init_network(
            WIDTHS, n_intervals=N_INTERVALS, degree=3, domain=(-1.0, 1.0), x=data.x_train, rng=rng
        )
        found = {name: train(network, data, name, seconds) for name in METHODS}
        least = min(found[name][0] for name in METHODS[1:])
        met = found["lm_cg"][0] <= least
        good &= met
        for name, (training, test, n_steps) in found.items():
            bar = f"{least:.1e}: {'met' if met else 'not met'}" if name == "lm_cg" else ""
            rows.append([target, name, str(n_steps), f"{training:.1e}", f"{test:.1e}", bar])
    return aligned(rows), good


def memory() -> tuple[str, bool]:
    """Return the peak of a step of its own process in MiB, with the bar."""
    code = "from benchmarks.large import peak; print(*peak())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    mib, seconds, before, after = map(float, found.stdout.split())
    text = (
        f"{mib:.0f} MiB (bar {MEMORY_BAR} MiB), {seconds:.0f} CPU s, "
        f"training RMSE {before:.3f} -> {after:.3f}"
    )
    return text, mib <= MEMORY_BAR


def peak() -> tuple[float, float, float, float]:
    """Make a step on many parameters and samples; return the peak of this process in MiB, CPU
    seconds, and the training RMSE before and after the step.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (LARGE_SAMPLES, LARGE[0]))
    y = np.stack([_waves(x[:, i : i + 20]) for i in range(LARGE[-1])], axis=1)
    data = kr.Data(x, y, x[:N_TEST].copy(), y[:N_TEST].copy())
    network = kr.init_network(
        LARGE, n_intervals=N_INTERVALS, degree=3, domain=(-1.0, 1.0), x=x[:N_TEST], rng=rng
    )
    start = time.process_time()
    history = kr.fit(network, data, optimizer="lm_cg", n_steps=1).history
    seconds = time.process_time() - start
    return peak_resident(), seconds, float(history.train_rmse[0]), float(history.train_rmse[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 if a bar is not met."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    # a default list would have to be one of the choices
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "both"], default="both")
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument(
        "--seconds",
        type=given_number(),
        default=30.0,
        help="CPU seconds for each run (default 30)",
    )
    options = parser.parse_args(arguments)
    parts, good = PARTS if "both" in options.parts else options.parts, True
    if "race" in parts:
        text, met = race(options.targets, options.seconds)
        good &= met
        print(text, flush=True)
    if "memory" in parts:
        text, met = memory()
        good &= met
        print(f"\n{list(LARGE)}, {LARGE_SAMPLES} samples: {text}")
    return 0 if good else 1


if __name__ == "__main__":
    run_program(main, ends_fits=True)
