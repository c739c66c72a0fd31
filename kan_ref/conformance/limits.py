"""Limits of a program that is tested: its memory, and what it writes to standard error."""

import contextlib
import os
import sys
import threading
from typing import IO

from kan_ref.conformance import wire


class ErrorTail:
    """The end of a program's standard error, which a thread reads so that no pipe becomes full."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self._text = stream, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the stream was closed
            while chunk := os.read(self.stream.fileno(), 2**16):
                self._text = (self._text + chunk)[-2000:]

    def last_line(self) -> str:
        """Return the last line, once the program has ended."""
        self._thread.join(timeout=1.0)
        lines = self._text.decode("utf-8", "replace").strip().splitlines()
        return wire.printable(lines[-1][:200]) if lines else ""

    def close(self) -> None:
        """Close the stream, after the program has ended."""
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self.stream.close()


def limit_memory(pid: int, gibibytes: float) -> None:
    """Limit the addresses of a process and its later child processes, where the system can (Linux).

    An allocation beyond the limit fails, in Python with MemoryError. 0 means no limit.
    """
    if gibibytes <= 0.0 or sys.platform != "linux":
        return
    import resource

    size = int(gibibytes * 2**30)
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
