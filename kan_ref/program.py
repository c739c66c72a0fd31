"""What all programs share: paths and files in their arguments, and how they end.

A program ends with its status, after Ctrl-C with one line, and silently where its output has no
reader.

Functions that the programs call let KeyboardInterrupt pass. Only the program itself turns it into a
line and status 130, so that Ctrl-C also ends a test runner or another program that calls `main`.
"""

import argparse
import math
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports after Ctrl-C
NO_READER = 141  # 128 + SIGPIPE


def given_path(text: str) -> Path:
    """Return the path in an argument of a command line, as `type` of argparse.

    An empty text, as from a variable of the shell that is not set, would be the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError(
            "the path is '', but must name a file or a folder: is a variable of the shell not set?"
        )
    return Path(text)


def given_number(most: float, *, zero: bool = False) -> Callable[[str], float]:
    """Return a `type` of argparse for numbers above 0, or from 0 on, and at most `most`."""
    rule = f"{'between 0 and' if zero else 'above 0 and at most'} {most:g}"

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0.0 <= value <= most or (value == 0.0 and not zero):
            raise argparse.ArgumentTypeError(f"the number is {text!r}, but must be {rule}")
        return value

    return number


def check_output(
    line: argparse.ArgumentParser, option: str, path: Path, *, makes_folder: bool = False
) -> None:
    """End the program with status 2 and the reason if a file cannot be written."""
    fault = why_unwritable(path, makes_folder=makes_folder)
    if fault is not None:
        line.error(f"{option} is {path}, {fault}")


def why_unwritable(path: Path, *, makes_folder: bool = False) -> str | None:
    """Return the end of a message, "which cannot be written: ..."; None if a file can be written.

    Nothing is changed. A program calls it before its work, which would else be lost. A disk that is
    full later is not foreseen. If it `makes_folder`, what counts is the lowest folder that exists.
    """
    target = os.path.realpath(path)
    while makes_folder and not os.path.exists(os.path.dirname(target)):
        target = os.path.dirname(target)
    if os.path.isdir(target) or not os.path.isdir(os.path.dirname(target)):
        return "but must be a file in a folder that exists"
    try:
        if not os.path.exists(target):
            with open(target, "xb"):
                pass
            os.unlink(target)
        elif stat.S_ISREG(os.stat(target).st_mode):
            with open(target, "r+b"):
                pass
        elif not os.access(target, os.W_OK):  # opening a device or a pipe has effects
            return "which cannot be written: no permission"
    except OSError as error:
        return f"which cannot be written: {error.strerror or error}"
    return None


def run_program(main: Callable[[], int]) -> NoReturn:
    """Run a program and end the process with its status.

    After Ctrl-C the text of the KeyboardInterrupt, or "interrupted", is the last line of standard
    error, and the status is 130. If standard output has no reader any more, as after `| head`, the
    program ends without a message and with status 141.

    Parameters
    ----------
    main : callable
        Takes no arguments and returns the exit status.
    """
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt as interruption:
        status = _print_interruption(interruption)
    except BrokenPipeError:
        # what is still buffered has no reader, and would raise the error again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = NO_READER
    sys.exit(status)


def report_interrupts() -> None:
    """Let Ctrl-C end this process as `run_program` does, also while modules are loaded."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(_print_interruption(error))
        before(kind, error, trace)

    sys.excepthook = hook


def _print_interruption(interruption: BaseException) -> int:
    """Print the last line after Ctrl-C, and return the status."""
    print(str(interruption) or "interrupted", file=sys.stderr)
    return INTERRUPTED
