"""The end of a program: its status, Ctrl-C in one line, and output without a reader.

Functions that the programs call let KeyboardInterrupt pass. Only the program itself turns it into a
line and status 130, so that Ctrl-C also ends a test runner or another program that calls `main`.
"""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn

INTERRUPTED = 130  # 128 + SIGINT: the status that a shell reports after Ctrl-C
NO_READER = 141  # 128 + SIGPIPE


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
