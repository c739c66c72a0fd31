"""Subjects of the kit: an adapter in this process or in one of its own, or any program.

A subject answers one case at a time. Whatever its code does, an exception, a hang, an exit, text
where an answer should be, becomes an `Answer`; none of it reaches the runner.

A program in any language reads and writes lines of JSON. Arrays are nested lists, and numbers that
are not finite are "NaN", "Infinity" and "-Infinity"; in answers every usual spelling of them is
read, with or without quotes: nan, -nan(ind), inf, 1.#QNAN.

    {"method": "hello", "schema": 1}                   {"result": {"name": "mine"}}
    {"id": 1, "method": "basis", "args": {...}}        {"id": 1, "result": [[0.5, 0.5]]}
    {"id": 2, "method": "prune", "args": {...}}        {"id": 2, "unsupported": true}
    {"id": 3, "method": "basis", "args": {...}}        {"id": 3, "error": "why"}
"""

import contextlib
import difflib
import importlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import IO, Any

from kan_ref import checks
from kan_ref.conformance import calls
from kan_ref.conformance.cases import (
    DTYPES,
    METHODS,
    PROTOCOL_VERSION,
    Case,
    arguments,
    printable,
)
from kan_ref.conformance.judge import plain

MOST_CRASHES = 3  # hangs and exits of one method, after which its further cases are not run
MOST_BYTES = 2**26  # of a line: an answer of a case has less than 2^16


@dataclass(frozen=True)
class Answer:
    """A `result`, or `unsupported` (with the reason as `error`, if known), or an `error` message.

    `kind` says what the error is: the method "raises" one, the answer is "unreadable", there is
    "no answer" (a hang, an exit), or the case was "not asked", after several of these.
    """

    result: Any = None
    unsupported: bool = False
    error: str | None = None
    kind: str = "raises"


@dataclass(frozen=True)
class Limits:
    """What a process may use; a framework needs long to load, and reserves many addresses."""

    timeout: float = 10.0  # seconds for a case
    start_timeout: float = 60.0  # seconds until the first answer
    memory: float = 32.0  # GiB of addresses (Linux), 0 for no limit


def _unreadable(message: str) -> Answer:
    return Answer(error=printable(message), kind="unreadable")


# --- an adapter in this process


def load_adapter(target: str) -> Any:
    """Return the class "module:Class"."""
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f"adapter is {target!r}, but must be module:Class")
    return getattr(importlib.import_module(module), name)


def _check_methods(adapter: object) -> None:
    """Raise ValueError for an adapter without a method of the kit, or with a misspelt one.

    Its cases would be skipped as not supported.
    """
    lacking = [name for name in METHODS if getattr(adapter, name, None) is None]
    if len(lacking) == len(METHODS):
        raise ValueError(
            f"the adapter is a {type(adapter).__name__}, which has no method that the kit calls: "
            "give an object with at least one of them, such as basis or layer_forward"
        )
    for name in dir(adapter):
        if name in METHODS or name.startswith("_") or not callable(getattr(adapter, name, None)):
            continue
        if near := difflib.get_close_matches(name, lacking, 1, cutoff=0.85):
            raise ValueError(
                f"{type(adapter).__name__} has the method {name}, which the kit does not call: "
                f"rename it to {near[0]}, or let its name begin with _"
            )


class DirectSubject:
    """An adapter in this process: quick, but if the adapter hangs, the runner hangs.

    A class is built without arguments. A method `use_dtype` is called once with the precision.
    """

    def __init__(self, adapter: Any, dtype: str = "float64") -> None:
        self.dtype = checks.choice("dtype", dtype, DTYPES)
        self.adapter = adapter() if isinstance(adapter, type) else adapter
        _check_methods(self.adapter)
        if hasattr(self.adapter, "use_dtype"):
            self.adapter.use_dtype(dtype)
        name = getattr(self.adapter, "name", type(self.adapter).__name__)
        self.name = f"{name} {getattr(self.adapter, 'version', '')}".strip()

    def ask(self, case: Case) -> Answer:
        """Return the answer of the adapter's method to the arguments of the case."""
        method = getattr(self.adapter, case.method, None)
        if method is None:
            return Answer(unsupported=True)
        given = arguments(case, self.dtype)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a subject's warnings are not errors
                if case.call:
                    return Answer(calls.observe(method, given, case.call))
                return Answer(method(*given.values()))
        except NotImplementedError:
            return Answer(unsupported=True)
        except (Exception, SystemExit) as error:  # whatever a subject raises fails its case alone
            return Answer(error=printable(f"{type(error).__name__}: {error}"))


# --- a process, whose output is answers

_Read = Callable[[IO[bytes]], Answer]


class _Process:
    """A process that is started again after a hang or an exit.

    RuntimeError if it does not answer `hello`, of which `greeting` is the result.
    """

    def __init__(self, command: Sequence[str], hello: bytes, read: _Read, limits: Limits) -> None:
        self.command, self.hello, self.read_hello, self.limits = command, hello, read, limits
        self.crashes: Counter[str] = Counter()
        self.running: subprocess.Popen[bytes] | None = None
        try:
            self.greeting = self.start()
        except BaseException:  # also Ctrl-C: the caller has no subject to close
            self.close()
            raise

    def start(self) -> Any:
        """Start the process and return its greeting."""
        pipe = subprocess.PIPE
        self.running = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, start_new_session=True
        )
        _limit_memory(self.running.pid, self.limits.memory)
        answer = self.exchange(self.hello, self.read_hello, self.limits.start_timeout)
        if answer.error is not None:
            fact = "cannot be used" if answer.kind == "raises" else "no answer to hello"
            raise RuntimeError(f"{fact}: {answer.error}")
        return answer.result

    def ask(self, method: str, request: bytes, read: _Read) -> Answer:
        """Return the answer to a request; what has hung or ended three times is not asked again."""
        if self.crashes[method] >= MOST_CRASHES:
            fact = f"{method} has hung or ended the program {MOST_CRASHES} times already"
            return Answer(error=f"not run: {fact}", kind="not asked")
        try:
            if self.running is None:
                self.start()
            answer = self.exchange(request, read, self.limits.timeout)
        except RuntimeError as error:
            answer = Answer(error=str(error), kind="no answer")
        if answer.kind == "no answer":
            self.crashes[method] += 1
            self.close()
        return answer

    def exchange(self, request: bytes, read: _Read, seconds: float) -> Answer:
        """Write a request and return what `read` makes of the output, within a time limit."""
        assert self.running is not None
        requests, answers = self.running.stdin, self.running.stdout
        assert requests is not None
        assert answers is not None
        hung = threading.Event()

        def stop() -> None:
            hung.set()
            self._kill()

        alarm = threading.Timer(seconds, stop)
        alarm.daemon = True  # after Ctrl-C nothing waits for the time limit
        alarm.start()
        try:
            with contextlib.suppress(OSError):  # it has ended: what it wrote may say why
                requests.write(request)
                requests.flush()
            return read(answers)
        except (OSError, EOFError) as error:
            reason = f"no answer within {seconds:g} s" if hung.is_set() else "ended without answer"
            wrote = str(error) if isinstance(error, EOFError) else ""
            return Answer(error=reason + wrote, kind="no answer")
        finally:
            alarm.cancel()

    def close(self) -> None:
        """End the process and its child processes."""
        if self.running is not None:
            with contextlib.suppress(OSError), self.running:  # what is buffered has no reader
                self._kill()
            self.running = None

    def _kill(self) -> None:
        assert self.running is not None
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            if os.name == "posix":
                os.killpg(self.running.pid, signal.SIGKILL)
            else:
                self.running.kill()


def _limit_memory(pid: int, gibibytes: float) -> None:
    """Limit the addresses of a process: an allocation beyond fails, in Python with MemoryError."""
    if gibibytes and sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError, ValueError):  # it has ended, or has less
            _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
            resource.prlimit(pid, resource.RLIMIT_AS, (int(gibibytes * 2**30), hard))


# --- an adapter in a Python process of its own: pickled cases and answers


class AdapterProcess:
    """The adapter "module:Class" in a Python process of its own.

    RuntimeError if it cannot be built. What it prints goes to standard error.
    """

    def __init__(self, target: str, dtype: str = "float64", limits: Limits = Limits()) -> None:
        self.dtype = checks.choice("dtype", dtype, DTYPES)
        code = "from kan_ref.conformance.subjects import serve; serve()"
        self._process = _Process(
            [sys.executable, "-c", code, target, dtype], b"", _read_pickle, limits
        )
        self.name: str = self._process.greeting

    def ask(self, case: Case) -> Answer:
        """Return the answer of the adapter's method to the arguments of the case."""
        return self._process.ask(case.method, pickle.dumps(case), _read_pickle)

    def close(self) -> None:
        """End the process."""
        self._process.close()


def _read_pickle(stream: IO[bytes]) -> Answer:
    try:
        answer: Answer = pickle.load(stream)
    except (EOFError, pickle.UnpicklingError):
        raise EOFError from None  # its text would be about pickles
    return answer


def serve() -> None:
    """Answer pickled cases on standard input with an adapter, until the input ends."""
    target, dtype = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # standard output is for answers alone

    def reply(answer: Answer) -> None:
        pickle.dump(answer, replies)
        replies.flush()

    try:
        subject = DirectSubject(load_adapter(target), dtype)
    except (Exception, SystemExit) as error:
        reply(Answer(error=f"{type(error).__name__}: {error}"))
        return
    reply(Answer(subject.name))
    with contextlib.suppress(EOFError):  # at the end of the input
        while True:
            answer = subject.ask(pickle.load(sys.stdin.buffer))
            try:
                answer = replace(answer, result=plain(answer.result))
            except Exception as error:  # what a subject made may raise anything when it is read
                answer = _unreadable(f"the answer cannot be read: {error}")
            reply(answer)


# --- a program in any language: lines of JSON

_WORD = r"[+-]?(?:nan(?:\((?:ind|snan|[0-9a-fx]*)\))?|inf(?:inity)?|1\.\#(?:ind|qnan|snan|inf)0*)"
_SPELLING = re.compile(f'"?{_WORD}"?', re.IGNORECASE)
_TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"(?:\s*:)?|(?<![\w.+-]){_WORD}', re.IGNORECASE)


def dump(message: Mapping[str, Any]) -> bytes:
    """Return a message as one line; numbers that are not finite are words in quotes."""
    text = json.dumps(message, default=lambda array: array.tolist(), separators=(",", ":"))
    return re.sub(r"-?(?:NaN|Infinity)", r'"\g<0>"', text).encode() + b"\n"


def load(line: bytes) -> Any:
    """Return the JSON value of a line, with all spellings of numbers that are not finite."""

    def standard(token: re.Match[str]) -> str:
        word = token[0].lower()
        if not _SPELLING.fullmatch(word):
            return token[0]
        return "NaN" if "inf" not in word else f"{'-' * ('-' in word)}Infinity"

    return json.loads(_TOKEN.sub(standard, line.decode()))


class ProcessSubject:
    """A program that answers lines of JSON; RuntimeError if it does not answer hello.

    An answer has the `id` of its request. A line that cannot be read as an object, or has another
    `id`, fails its case at once, and an answer that still comes later is passed over.

    Other text on its standard output is passed over, such as a banner.
    """

    def __init__(
        self, command: Sequence[str], dtype: str = "float64", limits: Limits = Limits()
    ) -> None:
        self.dtype = checks.choice("dtype", dtype, DTYPES)
        hello = {"method": "hello", "schema": PROTOCOL_VERSION}
        hello |= {} if dtype == "float64" else {"dtype": dtype}
        self._number = 0
        self._late: list[Any] = []  # requests that failed before their answers were read
        self._process = _Process(command, dump(hello), partial(self._read, None), limits)
        who = self._process.greeting
        named = isinstance(who, Mapping) and "name" in who
        name = f"{who['name']} {who.get('version', '')}" if named else " ".join(command)
        self.name = printable(name)

    def ask(self, case: Case) -> Answer:
        """Return the answer to one request, or what several of them show."""
        given = arguments(case, self.dtype)
        if not case.call:
            return self._request(case.method, given)
        if case.call not in calls.OUTSIDE:
            return Answer(unsupported=True, error=calls.ELSEWHERE)
        failures: list[Answer] = []

        def method(*values: Any) -> Any:
            answer = self._request(case.method, dict(zip(given, values, strict=True)))
            if answer.unsupported:
                raise NotImplementedError
            if answer.error is not None:
                failures.append(answer)
                raise RuntimeError(answer.error)
            return answer.result

        try:
            shown = Answer(calls.observe(method, given, case.call))
        except NotImplementedError:
            return Answer(unsupported=True)
        except RuntimeError:
            return failures[0]
        # an error of the program's own may be the right answer to nan; a hang is not
        return next((one for one in failures if one.kind != "raises"), shown)

    def _request(self, method: str, given: Mapping[str, Any]) -> Answer:
        self._number += 1
        request = {"id": self._number, "method": method, "args": given}
        answer = self._process.ask(method, dump(request), partial(self._read, self._number))
        if answer.kind == "unreadable":
            self._late.append(self._number)
        return answer

    def _read(self, number: int | None, stream: IO[bytes]) -> Answer:
        """Read lines until the answer to a request (hello: None), or one that cannot be read."""
        other = ""
        while line := stream.readline(MOST_BYTES):
            start = printable(line[:100].decode(errors="replace"))
            if len(line) == MOST_BYTES:
                raise EOFError(f"; it wrote a line of more than {MOST_BYTES} bytes: {start!r}")
            if not line.lstrip().startswith(b"{"):
                other = other or f"; it wrote {start!r}"
                continue
            try:
                reply = load(line)
            except (ValueError, RecursionError):
                return _unreadable(f"the line cannot be read as the answer: {start!r}")
            given = reply.get("id")
            if given == number:
                return _answer(reply if number else {"result": None, **reply})
            if given not in self._late:
                return _unreadable(f"answer with id {given!r} where {number} was expected")
        raise EOFError(other)

    def close(self) -> None:
        """End the process and its child processes."""
        self._process.close()


def _answer(reply: Mapping[str, Any]) -> Answer:
    if reply.get("unsupported") is True:
        return Answer(unsupported=True)
    if reply.get("error") not in (None, ""):  # some languages write all fields
        return Answer(error=printable(reply["error"]))
    if "result" not in reply:
        return _unreadable(f"the answer holds neither result, unsupported nor error: {reply}")
    return Answer(reply["result"])
