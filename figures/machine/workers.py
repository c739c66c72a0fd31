"""Functions called in processes of this machine; a process that ends costs its own call alone.

Every place for a call is a pool of one process: where a call ends its process, by a signal, for lack of memory or by a
crash, that pool is replaced and no other call is lost. Processes end with the program, however it ends. Ctrl-C reaches
the program alone. From the first call on, processes that the program starts have one BLAS thread, so that sums have the
same order everywhere.
"""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
_SPAWN = multiprocessing.get_context("spawn")  # a forked process would share locks and threads
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_ENDED = "its process was terminated, perhaps for lack of memory, or ended without an answer"


@dataclass(frozen=True)
class Answer(Generic[Result]):
    """The `result` of a call or, if it has none, the `failure` in words."""

    place: int
    result: Result | None = None
    failure: str = ""


def call_in_processes(
    function: Callable[..., Result], calls: Iterable[tuple[Any, ...]], jobs: int
) -> Iterator[Answer[Result]]:
    """Yield the answer of function(*arguments) for each tuple of arguments, as each call ends.

    Parameters
    ----------
    function : callable
        Of a module, since processes import it by name.
    calls : iterable of tuple
        The next one is requested when a process is free for it.
    jobs : int
        The number of processes.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    ours, theirs = _SPAWN.Pipe()

    def pool() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, _SPAWN, _begin, (theirs,))

    numbered, free = enumerate(calls), [pool() for _ in range(jobs)]
    running: dict[Future[Result], tuple[int, ProcessPoolExecutor]] = {}
    try:
        while True:
            while free and (call := next(numbered, None)) is not None:
                running[free[-1].submit(function, *call[1])] = (call[0], free[-1])
                free.pop()
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                place, used = running.pop(future)
                error = future.exception()
                free.append(pool() if isinstance(error, BrokenProcessPool) else used)
                if error is None:
                    yield Answer(place, future.result())
                elif isinstance(error, BrokenProcessPool):
                    yield Answer(place, failure=_ENDED)
                else:
                    yield Answer(place, failure="".join(traceback.format_exception(error)))
    finally:
        ours.close()  # which ends all processes
        theirs.close()


def _begin(program: Connection) -> None:
    """In a new process: let Ctrl-C wait, and end when the program has closed its end of the pipe."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    threading.Thread(target=_end_with, args=(program,), daemon=True).start()


def _end_with(program: Connection) -> None:
    program.poll(None)
    os._exit(1)
