"""Runs of a benchmark in one process or in several, which need joblib (extra `figures`)."""

import argparse
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any, TypeVar

Result = TypeVar("Result")


def job_count(text: str) -> int:
    """Return the value of `--jobs`, for argparse; raise ArgumentTypeError if it needs a package
    that is not installed.
    """
    count = int(text)
    if count != 1 and find_spec("joblib") is None:
        raise argparse.ArgumentTypeError(
            f'{count} processes need joblib, which is not installed: pip install -e ".[figures]"'
        )
    return count


def run_all(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], jobs: int
) -> list[Result]:
    """Return function(*arguments) for each tuple of arguments, in their order, from `jobs`
    processes.
    """
    if jobs == 1:
        return [function(*arguments) for arguments in tasks]
    from joblib import Parallel, delayed  # here, because the package is an extra

    return list(Parallel(n_jobs=jobs)(delayed(function)(*arguments) for arguments in tasks))
