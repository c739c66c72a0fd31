"""Computing missing records until all are there or time is up.

A worker returns a record, and the program that asked for it writes the file: workers need not share its disk. A record
that fails costs no other, also where it ends its worker's process (`workers`). Every worker uses one BLAS thread, so
that sums have the same order everywhere.
"""

import functools
import itertools
import platform
import subprocess
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import kan_ref as kr
from figures.machine.machine import Record, load_figure
from figures.machine.records import Task, add_record, record_line
from figures.machine.workers import call_in_processes
from kan_ref.program import interrupts_end_fits


@dataclass(frozen=True)
class Outcome:
    """A task with its record or, if `run` failed, with the traceback."""

    task: Task
    record: Record | None = None
    failure: str = ""


class UnavailableError(Exception):
    """The reason why records cannot be computed on the chosen backend, as one message."""


# begins tasks in their order, none after the given time (`time.time`)
Backend = Callable[[Sequence[Task], float], Iterator[Outcome]]


def compute(task: Task) -> Outcome:
    """Compute one record; a failure is returned, not raised."""
    figure = load_figure(task.module)
    try:
        made_with = record_versions()
        began = time.perf_counter()
        with interrupts_end_fits():  # the record of an interrupted run would look finished
            results = figure.run(task.config)
        record = {
            "figure": figure.NAME,
            "config": task.config,
            "seed": task.config.get("seed"),
            "results": results,
            "versions": made_with,
            "seconds": round(time.perf_counter() - began, 3),
        }
        record_line(record)  # what JSON does not have fails here
        return Outcome(task, record)
    except (Exception, SystemExit):  # must not cost hours of other records; the program reports it
        return Outcome(task, failure=traceback.format_exc())


def one_by_one(tasks: Sequence[Task], end: float) -> Iterator[Outcome]:
    """Compute tasks in this process."""
    return map(compute, begin_before(end, tasks))


def begin_before(end: float, tasks: Iterable[Task]) -> Iterator[Task]:
    """Return the tasks up to the first one that is requested after `end`."""
    return itertools.takewhile(lambda task: time.time() < end, tasks)


def in_processes(jobs: int) -> Backend:
    """Return the backend that computes in `jobs` processes of this machine."""

    def run(tasks: Sequence[Task], end: float) -> Iterator[Outcome]:
        begun: list[Task] = []

        def calls() -> Iterator[tuple[Task]]:
            for task in begin_before(end, tasks):
                begun.append(task)
                yield (task,)

        for answer in call_in_processes(compute, calls(), jobs):
            yield answer.result or Outcome(begun[answer.place], failure=answer.failure)

    return run


def backend_of(jobs: int | None, scheduler: str | None) -> Backend:
    """Return the backend of this machine, or of the cluster whose scheduler has an address.

    Raises
    ------
    UnavailableError
        If a package for the cluster is not installed.
    """
    if scheduler is None:
        return one_by_one if jobs in (None, 1) else in_processes(jobs)
    try:
        from figures.machine import cluster  # here, because the packages for it are an extra
    except ImportError as error:
        raise UnavailableError(
            f'--backend dask needs a package that is not installed ({error}): pip install -e ".[cluster]"'
        ) from None
    return cluster.on_cluster(scheduler)


def compute_all(
    tasks: Sequence[Task], backend: Backend = one_by_one, *, seconds: float = float("inf")
) -> Iterator[tuple[Task, str]]:
    """Compute records and write their files; none begins after so many seconds.

    Yields each task as it ends, with its failure as text, "" if there is none.
    """
    for outcome in backend(tasks, time.time() + seconds):
        if outcome.record is not None:
            add_record(outcome.task.path, outcome.record)
        yield outcome.task, outcome.failure


def versions() -> dict[str, str]:
    """Return the versions of Python, NumPy and kan_ref, and the kind of machine."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "kan_ref": kr.__version__,
        "machine": platform.machine(),
    }


@functools.cache
def commit() -> str:
    """Return the commit of the checkout, with "-dirty" behind it if files have changed; "unknown"
    without Git.
    """
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        ended = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return ended.stdout.strip()


def record_versions() -> dict[str, str]:
    """Return the versions that a record has, the commit of its code included."""
    return {**versions(), "commit": commit()}
