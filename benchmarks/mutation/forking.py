"""Work in forked copies of this process, which has loaded what takes long to import; limits hold for each copy alone."""

import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEMORY = 8 * 2**30  # bytes of addresses; a mutant that needs more ends with MemoryError


@dataclass(frozen=True)
class Task:
    """A function to call in a copy of this process, with the seconds after which the copy is ended.

    The function gets a path, which it may write to, and returns what JSON can hold.
    """

    function: Callable[[Path], Any]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The index of a task, its result or None, why it has none ("" or a signal's name), and the
    texts that it wrote to its path and printed.
    """

    index: int
    result: Any
    ended_by: str
    note: str
    log: str


def _child(task: Task, folder: Path) -> None:
    os.setsid()
    with (folder / "log").open("w") as log, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        sys.stdin = nothing
        sys.stdout = sys.stderr = log
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        result = task.function(folder / "note")
        (folder / "result").write_text(json.dumps(result), encoding="utf-8")


def _start(task: Task, folder: Path) -> int:
    """Start a copy of this process for a task; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        _child(task, folder)
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(status)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _outcome(index: int, status: int, folder: Path) -> Outcome:
    text = _text(folder / "result")
    if os.WIFSIGNALED(status):
        ended_by = signal.Signals(os.WTERMSIG(status)).name
    else:
        ended_by = "" if text else f"status {os.WEXITSTATUS(status)}"
    result = json.loads(text) if text and not ended_by else None
    return Outcome(index, result, ended_by, _text(folder / "note"), _text(folder / "log"))


def run_forked(tasks: Sequence[Task], jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of each task as it ends, at most `jobs` of them at a time.

    A copy that takes longer than its task's seconds is ended by SIGKILL, with all that it started.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[int, tuple[int, Path, float]] = {}
    with tempfile.TemporaryDirectory(prefix="mutation-") as root:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    index, task = waiting.pop()
                    folder = Path(root) / str(index)
                    folder.mkdir()
                    ends = time.monotonic() + task.seconds
                    running[_start(task, folder)] = (index, folder, ends)
                for process, (index, folder, ends) in list(running.items()):
                    done, status = os.waitpid(process, os.WNOHANG)
                    if done:
                        del running[process]
                        _end_group(process)
                        yield _outcome(index, status, folder)
                    elif time.monotonic() > ends:
                        _end_group(process)
                time.sleep(0.01)
        finally:
            for process in running:
                _end_group(process)
                os.waitpid(process, 0)


def _end_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
