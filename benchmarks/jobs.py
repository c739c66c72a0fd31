"""Runs of a benchmark in one process or in several."""

import argparse
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from figures.machine.workers import call_in_processes

Result = TypeVar("Result")


def job_count(text: str) -> int:
    """Return the value of `--jobs`, for argparse; raise ArgumentTypeError if it is below 1."""
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"the number of processes is {count}, but must be above 0")
    return count


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
