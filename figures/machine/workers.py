"""Functions called in processes of this machine; a process that ends costs its own call alone.

The program starts each process, gives it one call at a time, and waits for answers. A process that
is terminated, runs out of memory, crashes or leaves by `sys.exit` cannot answer: its call fails
with the reason, and a new process takes the next call. Ctrl-C reaches the program alone, which then
ends all processes; they also end if the program itself is terminated.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
LONGEST_WAIT = 0.5  # seconds until Ctrl-C is noticed
_SPAWN = multiprocessing.get_context("spawn")  # a forked process would share locks and threads
# of the libraries below NumPy; sums then have the same order in every process
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


@dataclass(frozen=True)
class Answer(Generic[Result]):
    """The `result` of a call or, if it has none, the `failure` in words."""

    place: int
    result: Result | None = None
    failure: str = ""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    place: int = -1  # of its call


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
    numbered = enumerate(calls)
    workers: list[_Worker] = []
    try:
        while True:
            for call in _next_calls(numbered, jobs - sum(one.place >= 0 for one in workers)):
                yield from _begin(workers, function, *call)
            busy = [one for one in workers if one.place >= 0]
            if not busy:
                return
            # not for ever: a signal that another thread receives does not end the waiting
            ends = [item for one in busy for item in (one.pipe, one.process.sentinel)]
            ready = wait(ends, timeout=LONGEST_WAIT)
            for worker in busy:
                if worker.pipe in ready or worker.process.sentinel in ready:
                    yield _answer(workers, worker)
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            _close(worker)


def _next_calls(
    numbered: Iterator[tuple[int, tuple[Any, ...]]], number: int
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for _ in range(number):
        call = next(numbered, None)
        if call is None:
            return
        yield call


def _begin(
    workers: list[_Worker], function: Callable[..., Result], place: int, arguments: tuple[Any, ...]
) -> Iterator[Answer[Result]]:
    """Give a call to a free process, or to a new one; yield a failure if no process takes it."""
    while True:
        worker = next((one for one in workers if one.place < 0), None)
        is_new = worker is None
        if worker is None:
            worker = _start()
            workers.append(worker)
        try:
            worker.pipe.send((function, arguments))
        except OSError:  # it has ended since its last answer
            workers.remove(worker)
            reason = _close(worker)
            if is_new:
                yield Answer(place, failure=reason)
                return
        else:
            worker.place = place
            return


def _answer(workers: list[_Worker], worker: _Worker) -> Answer[Any]:
    """Return the answer of a process that has written one or has ended."""
    place = worker.place
    try:
        if worker.pipe.poll():
            result, failure = worker.pipe.recv()
            worker.place = -1
            return Answer(place, result, failure)
    except (EOFError, OSError):
        pass  # it has ended while it wrote its answer
    workers.remove(worker)
    return Answer(place, failure=_close(worker))


def _start() -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(theirs,), daemon=True)
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        with _interrupts_blocked():  # the process inherits this
            process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Delay Ctrl-C until the end of the block."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # where it starts, it lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close(worker: _Worker) -> str:
    """Wait for the end of a process, and return the reason of it in words."""
    worker.process.join()
    status = worker.process.exitcode
    worker.process.close()
    worker.pipe.close()
    if status is None or status >= 0:
        return f"its process ended with exit status {status} and without an answer"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = "an unknown signal"
    memory = ", perhaps for lack of memory" if name == "SIGKILL" else ""
    return f"its process was terminated by {name} (signal {-status}){memory}"


# --- in the other process


def _serve(pipe: Connection) -> None:
    """Answer calls until the program ends."""
    threading.Thread(target=_end_with_program, daemon=True).start()
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = (function(*arguments), "")
        except (Exception, SystemExit):
            answer = (None, traceback.format_exc())
        pipe.send(answer)


def _end_with_program() -> None:
    program = multiprocessing.parent_process()
    if program is not None:
        wait([program.sentinel])
        os._exit(1)
