"""A subject in a process of its own: the JSON lines that are exchanged with it, and its limits.

Plain form, for any language: arrays are nested lists, and numbers that are not finite are "NaN",
"Infinity", "-Infinity". In an answer every usual spelling of them is accepted, with or without
quotes: nan, -nan(ind), inf, 1.#QNAN. null in an array is an error: JavaScript writes it for all of
them. An array without numbers loses its shape. Shaped form, between two Python processes of this
kit: {"shape", "hex"} as in the vectors, {"tuple"} for a tuple, and "unreadable" for an answer that
has no such form.
"""

import contextlib
import json
import math
import os
import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from reprlib import repr as short
from typing import IO, Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.plain_layer import NULL, read_numbers

MOST_OTHERS = 200  # lines that are not answers, for one request
MOST_BYTES = 2**26  # of a line: an answer of a case has less than 2^16
MOST_TEXT = 400  # characters of a message from a subject
_NO_VALUE = object()
# what the code of a subject may raise: also its own SystemExit and KeyboardInterrupt fail a case
RAISED = (Exception, SystemExit, KeyboardInterrupt)
# what printf of C libraries, and other languages, write for numbers that are not finite
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal
_SPELLING = re.compile(
    r"[+-]?(nan(\((ind|snan|[0-9a-fx]*)\))?|inf(inity)?|1\.\#(ind|qnan|snan|inf)0*)", re.IGNORECASE
)
_TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"|(?<![\w.+-])(?P<word>{_SPELLING.pattern})', re.IGNORECASE)


def to_plain(value: Any) -> Any:
    """Return arguments or results as JSON of the plain form."""
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def from_plain(value: Any) -> Any:
    """Return a value of the plain form with words for nan and infinity as numbers.

    ValueError for null in an array.
    """
    if isinstance(value, Mapping):
        return {name: from_plain(item) for name, item in value.items()}
    if isinstance(value, list):
        if any(item is None for item in value):
            raise ValueError(NULL)
        return [from_plain(item) for item in value]
    return not_finite(value) if isinstance(value, str) and len(value) < 24 else value


def not_finite(word: str) -> float | str:
    """Return the number that a word such as "NaN", "-inf" or "1.#QNAN" means, else the word."""
    if not _SPELLING.fullmatch(word):
        return word
    if "inf" not in word.lower():
        return math.nan
    return -math.inf if word.startswith("-") else math.inf


def to_shaped(value: Any) -> Any:
    """Return arguments or results as JSON of the shaped form.

    Values other than numbers, text, lists and dicts are taken for arrays.
    """
    if isinstance(value, int) and abs(value) >= 2**1024:
        raise OverflowError("the answer has an integer that is beyond float64")
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return {"hex": np.array(value, dtype=">f8").tobytes().hex()}
    if isinstance(value, Mapping):
        return {str(name): to_shaped(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = [to_shaped(item) for item in value]
        return {"tuple": items} if isinstance(value, tuple) else items
    array = read_numbers(value)
    return {"shape": list(array.shape), "hex": array.astype(">f8").tobytes().hex()}


def from_shaped(value: Any) -> Any:
    """Return a value of the shaped form with its arrays and floats."""
    if isinstance(value, Mapping):
        if list(value) == ["tuple"] and isinstance(value["tuple"], list):
            return tuple(from_shaped(item) for item in value["tuple"])
        if "hex" not in value:
            return {name: from_shaped(item) for name, item in value.items()}
        return _from_bits(value)
    return [from_shaped(item) for item in value] if isinstance(value, list) else value


def _from_bits(value: Mapping[str, Any]) -> FloatArray | float:
    """Return the array or the number of {"shape", "hex"} or {"hex"}; ValueError for other forms."""
    shape = value.get("shape", [])
    if (
        not isinstance(value["hex"], str)
        or not isinstance(shape, list)
        or any(type(size) is not int or size < 0 for size in shape)
        or len(value["hex"]) != 16 * math.prod(shape)
    ):
        raise ValueError(
            "an array must have 16 hexadecimal digits for each number of its shape as 'hex'"
        )
    numbers = np.frombuffer(bytes.fromhex(value["hex"]), dtype=">f8").astype(np.float64)
    return numbers.reshape(shape) if "shape" in value else float(numbers[0])


def unreadable(answer: Any, error: BaseException) -> tuple[str, str]:
    """Return the message and the kind of an answer that cannot be read: "form" if it has dicts."""
    parts = answer if isinstance(answer, list | tuple) else [answer]
    kind = "form" if any(isinstance(part, Mapping) for part in parts) else "unreadable"
    return printable(f"the answer cannot be read: {error or type(error)}"), kind


def printable(text: object) -> str:
    """Return a subject's text as at most 400 characters of one line.

    Characters that cannot be printed, lone surrogates among them, become "?".
    """
    if isinstance(text, str):
        text = _COLOUR.sub("", text[: 8 * MOST_TEXT])
    words = " ".join((text[: 4 * MOST_TEXT] if isinstance(text, str) else short(text)).split())
    return "".join(c if c.isprintable() else "?" for c in words[:MOST_TEXT])


def start_of(line: bytes) -> str:
    """Return at most 100 characters from the start of a line, for a message."""
    return line[:400].decode("utf-8", "replace").strip()[:100]


def dump(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def load(line: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object of a line, or None if the line holds none."""
    message = _value(line)
    return message if isinstance(message, Mapping) else None


def _value(line: bytes) -> Any:
    """Return the JSON value of a line, or `_NO_VALUE` if the line holds none."""
    try:
        return json.loads(line)
    except RecursionError:
        return _NO_VALUE
    except ValueError:
        try:
            return json.loads(_TOKEN.sub(_quoted, line.decode("utf-8")))
        except (ValueError, RecursionError):
            return _NO_VALUE


def _quoted(found: re.Match[str]) -> str:
    """Return a bare word for nan or infinity in quotes, and text as it is."""
    return f'"{found["word"]}"' if found["word"] else found[0]


@dataclass(frozen=True)
class Reading:
    """What was read for a request: its `reply`, else a `failure`; neither at the end of the output.

    `n_other` lines were not answers, of which `first` is the start of the first one. `too_much`:
    there may be any more of them.
    """

    reply: Mapping[str, Any] | None = None
    failure: str = ""
    n_other: int = 0
    first: str = ""
    too_much: bool = False

    @property
    def others(self) -> str:
        """Return the message about lines that are not answers."""
        if self.n_other == 1:
            return f"wrote a line that is not an answer: {self.first!r}"
        return f"wrote {self.n_other} lines that are not answers, the first {self.first!r}"


def read_answer(stream: IO[bytes], number: int | None, late: set[int]) -> Reading:
    """Read lines until the answer with this `id`, or until one that shows that none will follow.

    Without a number any object is the answer, and any other JSON value is meant for it. Each number
    of `late` may come once in between: the answer to an earlier request that has failed.
    """
    read = Reading()
    while line := stream.readline(MOST_BYTES):
        start = start_of(line)
        if len(line) == MOST_BYTES:
            failure = f"wrote a line that is too long: {start!r}... ({MOST_BYTES} bytes)"
            return replace(read, failure=failure, too_much=True)
        message = load(line)
        given = None if message is None else message.get("id")
        if message is not None and (number is None or given == number):
            return replace(read, reply=message)
        if type(given) is int and given in late:
            late.remove(given)
        elif given is not None:
            failure = f"answer with id {short(given)} where {number} was expected"
            return replace(read, failure=failure)
        elif (
            message is not None
            or line.lstrip().startswith(b"{")
            or (number is None and _value(line) is not _NO_VALUE)
        ):  # meant for the answer
            failure = f"the line cannot be read as the answer: {start!r}"
            return replace(read, failure=failure)
        else:
            read = replace(read, n_other=read.n_other + 1, first=read.first or start)
            if read.n_other == MOST_OTHERS:
                return replace(read, failure=read.others, too_much=True)
    return read


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
        return printable(lines[-1][:200]) if lines else ""

    def close(self) -> None:
        """Close the stream, after the program has ended."""
        self._thread.join(timeout=1.0)
        if not self._thread.is_alive():
            self.stream.close()


MOST_GIBIBYTES = 1e6  # of a limit of memory: the system counts at most 2^63 bytes


def limit_memory(pid: int, gibibytes: float) -> None:
    """Limit the addresses of a process and its later child processes, where the system can (Linux).

    An allocation beyond the limit fails, in Python with MemoryError. 0 means no limit.
    """
    if gibibytes <= 0.0 or sys.platform != "linux":
        return
    import resource

    size = int(gibibytes * 2**30)
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        if hard != resource.RLIM_INFINITY:  # which may be lowered, but not raised
            size = min(size, hard)
        resource.prlimit(pid, resource.RLIMIT_AS, (size, size))
