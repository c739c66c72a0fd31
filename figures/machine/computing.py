"""How missing records are computed: one after another or several at a time, the longest first, until all are there or time is up.

A worker hands a record back as the bytes of its file, and the program that asked writes them: workers need not see its disk. A record
that fails costs no other. Every worker has one BLAS thread, so that sums keep one order wherever they are made.
"""

import contextlib
import hashlib
import importlib
import itertools
import platform
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import numpy as np
from joblib import Parallel, delayed

import kan_ref as kr
from figures.machine.machine import Figure, Task, record_bytes, write_atomically


@dataclass(frozen=True)
class Outcome:
    """What became of a task: the bytes of its record or, if `run` failed, the traceback."""

    task: Task
    content: bytes = b""
    failure: str = ""


class UnavailableError(Exception):
    """Why records cannot be computed where they were to be, in a sentence."""


Backend = Callable[
    [Sequence[Task], float], Iterator[Outcome]
]  # begins tasks in their order, none after the time (`time.time`) given


def compute(task: Task) -> Outcome:
    """Compute one record."""
    figure: Figure = importlib.import_module(task.module)  # a module with the protocol's names
    began = time.perf_counter()
    try:
        with _interruption_leaves_no_record():
            results = figure.run(task.config)
            record = {
                "figure": figure.NAME,
                "config": task.config,
                "seed": task.config.get("seed"),
                "results": results,
                "versions": versions(),
                "seconds": round(time.perf_counter() - began, 3),
            }
            return Outcome(task, content=record_bytes(record))
    except (
        Exception
    ):  # one failing record must not take hours of others with it; the program reports it and fails
        return Outcome(task, failure=traceback.format_exc())


def one_by_one(tasks: Sequence[Task], end: float) -> Iterator[Outcome]:
    """In this process."""
    return map(compute, begin_before(end, tasks))


def begin_before(end: float, tasks: Iterable[Task]) -> Iterator[Task]:
    """The tasks that are asked for in time."""
    return itertools.takewhile(lambda task: time.time() < end, tasks)


def _compute_before(end: float, task: Task) -> Outcome | None:
    return compute(task) if time.time() < end else None


def in_processes(jobs: int) -> Backend:
    """In `jobs` processes of this machine."""

    def run(tasks: Sequence[Task], end: float) -> Iterator[Outcome]:
        parallel = Parallel(
            n_jobs=jobs,
            backend="loky",
            inner_max_num_threads=1,
            batch_size=1,
            return_as="generator_unordered",
        )
        # joblib takes tasks ahead of time: only a worker knows when one begins
        outcomes = parallel(delayed(_compute_before)(end, task) for task in tasks)
        yield from (outcome for outcome in outcomes if outcome is not None)

    return run


def compute_all(
    tasks: Sequence[Task], backend: Backend = one_by_one, *, seconds: float = float("inf")
) -> Iterator[tuple[Task, str]]:
    """Compute records and write them, the longest first, none begun after so many seconds: each task as it ends, with its failure or ""."""
    ordered = sorted(tasks, key=lambda task: -task.cost)
    for outcome in backend(ordered, time.time() + seconds):
        if not outcome.failure:
            write_atomically(outcome.task.path, outcome.content)
        yield outcome.task, outcome.failure


class _Interruption(BaseException):
    """Ctrl-C during a record. Not KeyboardInterrupt, at which `kr.fit` would return the network so far as if it were done."""


@contextlib.contextmanager
def _interruption_leaves_no_record() -> Iterator[None]:
    if (
        threading.current_thread() is not threading.main_thread()
    ):  # only the main thread is interrupted
        yield
        return

    def interrupt(signal_number: int, frame: FrameType | None) -> NoReturn:
        raise _Interruption

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except _Interruption:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def versions() -> dict[str, str]:
    """What a record is computed with; "source" is a hash of the package's files, which change between versions too."""
    root = Path(kr.__file__).parent
    files = sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix())
    source = hashlib.sha256(
        b"".join(path.relative_to(root).as_posix().encode() + path.read_bytes() for path in files)
    )
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "kan_ref": kr.__version__,
        "source": source.hexdigest()[:12],
        "machine": platform.machine(),
    }
