"""What all programs share: how they end, and whether their output can be written.

A program ends with its status, after Ctrl-C with one line and status 130, and silently
where its output has no reader. Functions that the programs call let KeyboardInterrupt
pass. `fit` alone ends at KeyboardInterrupt with the network so far. A program whose
numbers would then come from a shorter run does without it (`interrupts_end_fits`).
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports after Ctrl-C
NO_READER = 141  # 128 + SIGPIPE


def check_output(
    line: argparse.ArgumentParser,
    option: str,
    path: Path,
    *,
    makes_folder: bool = False,
) -> None:
    """End the program with status 2, before its work, if a file cannot be written."""
    folder = path.parent
    while makes_folder and not folder.exists():
        folder = folder.parent
    is_writable = os.access(path if path.exists() else folder, os.W_OK)
    if path.is_dir() or not folder.is_dir() or not is_writable:
        line.error(
            f"{option} is {path}, but must be a file in a folder that can be written"
        )


class _Interruption(BaseException):
    """Ctrl-C as an exception that `fit` does not catch."""


@contextlib.contextmanager
def interrupts_end_fits() -> Iterator[None]:
    """Raise KeyboardInterrupt after Ctrl-C in the block, also in `fit`, which ends.

    So no result of an interrupted run is taken for that of a finished one. Only the
    main thread receives signals.
    """

    def interrupt(*_: Any) -> NoReturn:
        raise _Interruption

    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(before):
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except _Interruption:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def run_program(main: Callable[[], int], *, ends_fits: bool = False) -> NoReturn:
    """Run a program and end the process with its status.

    `main` takes no arguments and returns the status, or raises SystemExit with it.
    After Ctrl-C the text of the KeyboardInterrupt, or "interrupted", is the last line
    of standard error; with `ends_fits`, also in a `fit`, which would return the network
    so far.
    """
    status: str | int | None
    try:
        with interrupts_end_fits() if ends_fits else contextlib.nullcontext():
            try:
                status = main()
            except SystemExit as end:
                # as after --help, whose text may still be buffered
                status = end.code
            sys.stdout.flush()
    except KeyboardInterrupt as interruption:
        print(str(interruption) or "interrupted", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # as after `| head`; what is still buffered would raise it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = NO_READER
    sys.exit(status)
