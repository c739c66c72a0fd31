"""How everything is measured: CPU time of functions in turns, runs in one process or in several, and the origin of the numbers.

Functions that are compared run in turns, so that disturbances of the machine affect all of them alike. The origin has the versions of all
libraries and the processor, and no names of machines or folders.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from figures.machine.computing import record_versions
from figures.machine.workers import call_in_processes

BURST = (
    0.005  # CPU seconds: in training a step finds its data in the cache, left by the step before
)
SLOW = 0.05  # CPU seconds: effects of the function before are negligible over that time


@dataclass(frozen=True)
class Times:
    """CPU seconds of a call, one number for each repeat."""

    samples: tuple[float, ...]

    @property
    def least(self) -> float:
        """Return the smallest time: that of an undisturbed machine."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """Return the median."""
        return float(np.median(self.samples))

    def as_record(self) -> dict[str, float]:
        """Return milliseconds, rounded to the precision of the clock, and the number of repeats."""
        low, middle, high = (
            round(1e3 * float(value), 4) for value in np.quantile(self.samples, (0.25, 0.5, 0.75))
        )
        return {
            "least": round(1e3 * self.least, 4),
            "quartile": low,
            "median": middle,
            "upper": high,
            "repeats": len(self.samples),
        }


def take_turns(
    functions: Sequence[Callable[[], object]], *, seconds: float, repeats: int = 3
) -> list[Times]:
    """Return CPU times of each function: about `seconds` for each, at least `repeats` repeats.

    In a round each function, unless it is slow, is called once without counting, so that its data are in the cache and work
    that the function before left undone is not counted. Then it is called for `BURST` seconds, and the mean of these calls is
    one repeat. A function that has used up its time is left out of the remaining rounds.
    """
    samples: list[list[float]] = [[] for _ in functions]
    spent = [0.0] * len(functions)
    waiting = list(range(len(functions)))
    while waiting:
        for place in waiting:
            known = min(samples[place], default=0.0)
            calls = 1 + int(BURST / known) if known else 1
            if known < SLOW:
                functions[place]()
            start = time.process_time()
            for _ in range(calls):
                functions[place]()
            burst = time.process_time() - start
            spent[place] += burst
            samples[place].append(burst / calls)
        waiting = [
            place for place in waiting if spent[place] < seconds or len(samples[place]) < repeats
        ]
    return [Times(tuple(row)) for row in samples]


Result = TypeVar("Result")


def run_all(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], jobs: int
) -> list[Result]:
    """Return function(*arguments) for each tuple of arguments, in their order, from `jobs`
    processes.

    Raises
    ------
    RuntimeError
        After all others have ended, if runs in several processes failed: a benchmark needs all of
        them. In one process the error of the first failure is raised at once.
    """
    calls = list(tasks)
    if jobs == 1:
        return [function(*arguments) for arguments in calls]
    answers = sorted(call_in_processes(function, calls, jobs), key=lambda answer: answer.place)
    failed = [answer for answer in answers if answer.failure]
    if failed:
        reasons = "\n".join(f"{calls[answer.place]}: {answer.failure}" for answer in failed)
        raise RuntimeError(f"{len(failed)} of {len(calls)} runs failed:\n{reasons}")
    return [cast(Result, answer.result) for answer in answers]


PEER_PACKAGES = ("pykan", "torch", "jaxkan", "jax", "jaxlib", "flax", "optax", "inkan", "flashkan")


def cpu_name() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas_name() -> str:
    """Return NumPy's BLAS with its version, and its kernel if threadpoolctl or a variable tells it."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    kernel = (
        f", OPENBLAS_CORETYPE={os.environ['OPENBLAS_CORETYPE']}"
        if "OPENBLAS_CORETYPE" in os.environ
        else ""
    )
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError:
        return f"{blas['name']} {blas['version']}{kernel}"
    kernels = sorted(
        {
            str(pool["architecture"])
            for pool in threadpoolctl.threadpool_info()
            if "architecture" in pool
        }
    )
    return f"{blas['name']} {blas['version']}, kernel {' '.join(kernels)}{kernel}"


def origin(*, peers: bool) -> dict[str, Any]:
    """Return versions, processor and number of threads, as plain data."""
    found = record_versions() | {"blas": blas_name()}
    if peers:
        for package in PEER_PACKAGES:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                found[package] = "not installed"
    return {"versions": found, "cpu": cpu_name(), "threads": 1}


def sentence(record: dict[str, Any]) -> str:
    """Return an `origin` as one line."""
    names = ", ".join(
        f"{name} {value}" for name, value in record["versions"].items() if name != "commit"
    )
    return f"{record['cpu']}, one thread; {names}"
