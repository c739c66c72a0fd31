"""What all programs share: paths and files in their arguments, and how they end.

A program ends with its status, after Ctrl-C or on a full disk with one line, and silently where its
output has no reader.

Functions that the programs call let KeyboardInterrupt pass. Only the program itself turns it into a
line and status 130, so that Ctrl-C also ends a test runner or another program that calls `main`.
`fit` alone ends at KeyboardInterrupt with the network so far. A program whose numbers would
then come from a shorter run does without it (`interrupts_end_fits`).
"""

import argparse
import contextlib
import errno
import math
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports after Ctrl-C
NO_READER = 141  # 128 + SIGPIPE
NO_OUTPUT = 74  # EX_IOERR of sysexits.h, which no program has for a result
MOST_SECONDS = 1e6  # of a time limit: a timer of Python ends in an error above about 1e10


def given_path(text: str) -> Path:
    """Return the path in an argument of a command line, as `type` of argparse.

    An empty text, as from a variable of the shell that is not set, would be the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError(
            "the path is '', but must name a file or a folder: is a variable of the shell not set?"
        )
    return Path(text)


def given_number(most: float = MOST_SECONDS, *, zero: bool = False) -> Callable[[str], float]:
    """Return a `type` of argparse for numbers above 0, or from 0 on, and at most `most`.

    The default is for seconds.
    """
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


def given_count(least: int = 1) -> Callable[[str], int]:
    """Return a `type` of argparse for integers that are at least `least`."""

    def count(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            rule = f"the number is {text!r}, but must be an integer of at least {least}"
            raise argparse.ArgumentTypeError(rule)
        return value

    return count


def check_output(
    line: argparse.ArgumentParser, option: str, path: Path, *, makes_folder: bool = False
) -> None:
    """End the program with status 2 and the reason if a file cannot be written."""
    fault = why_unwritable(path, makes_folder=makes_folder)
    if fault is not None:
        line.error(f"{option} is {path}, {fault}")


def check_outputs(
    line: argparse.ArgumentParser,
    paths: Mapping[str, Path | None],
    outputs: Sequence[str],
    inputs: Sequence[str],
) -> None:
    """End the program with status 2 if a file cannot be written, or is that of two options.

    `paths`: option -> path, or None where the option is not given; `outputs` and `inputs`: options.
    """
    first: dict[object, str] = {}
    for option in (*inputs, *outputs):
        path = paths[option]
        if path is None:
            continue
        if option in outputs:
            check_output(line, f"--{option}", path)
        place: object = os.path.realpath(path)
        if os.path.exists(path):  # also under another name: a hard link
            place = (os.stat(path).st_dev, os.stat(path).st_ino)
        other = first.setdefault(place, option)
        if other != option:
            line.error(
                f"--{option} is {path}, the file of --{other}, but each needs a file of its own"
            )


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


class _Interruption(BaseException):
    """Ctrl-C as an exception that `fit` does not catch."""


@contextlib.contextmanager
def interrupts_end_fits() -> Iterator[None]:
    """Raise KeyboardInterrupt after Ctrl-C in the block, also in a run of `fit`, which ends, too.

    In the block Ctrl-C raises another exception, so that no result of an interrupted run is taken
    for that of a finished one. Threads other than the main thread receive no signals.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise _Interruption

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except _Interruption:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def run_program(main: Callable[[], int], *, ends_fits: bool = False) -> NoReturn:
    """Run a program and end the process with its status.

    After Ctrl-C the text of the KeyboardInterrupt, or "interrupted", is the last line of standard
    error, and the status is 130. If standard output has no reader any more, as after `| head`, the
    program ends without a message and with status 141. If standard output is closed, or a disk is
    full, it ends with one line and status 74.

    Parameters
    ----------
    main : callable
        Takes no arguments and returns the exit status, or raises SystemExit with it.
    ends_fits : bool
        Whether Ctrl-C also ends the program in a `fit`, which would return the network so far.
    """
    if sys.stdout is None:  # the next file that is opened would receive what libraries print
        print(
            "standard output is closed, but the program prints its results there: "
            "redirect it to a file, or to /dev/null",
            file=sys.stderr,
        )
        sys.exit(NO_OUTPUT)
    status: str | int | None
    try:
        with interrupts_end_fits() if ends_fits else contextlib.nullcontext():
            try:
                status = main()
            except SystemExit as end:  # as after --help, whose text may still be buffered
                status = end.code
            sys.stdout.flush()
    except KeyboardInterrupt as interruption:
        status = _print_interruption(interruption)
    except BrokenPipeError:
        _discard_output()
        status = NO_READER
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        name = error.filename or "output"
        print(f"{name} cannot be written: {error.strerror}", file=sys.stderr)
        _discard_output()
        status = NO_OUTPUT
    sys.exit(status)


def _discard_output() -> None:
    """Discard what is still buffered, which would raise the error again at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
