"""Subjects of the kit: an adapter in this process, or any program in a process of its own.

A program has a time limit for each case, limits of its memory and of its output, and is started
again after it hangs, exits or writes too much. An exception, a hang, an exit or printed text
becomes an `Answer`; none of them reaches the runner.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from reprlib import repr as short
from typing import Any

from kan_ref import checks
from kan_ref.conformance import calls, wire
from kan_ref.conformance.cases import DTYPES, PROTOCOL_VERSION, Case, arguments
from kan_ref.conformance.direct_subject import Answer as Answer
from kan_ref.conformance.direct_subject import DirectSubject as DirectSubject
from kan_ref.conformance.direct_subject import Subject as Subject
from kan_ref.conformance.direct_subject import observed
from kan_ref.conformance.wire import ErrorTail, limit_memory

TIMEOUT = 10.0  # seconds for a case
START_TIMEOUT = 60.0  # seconds for hello: a program may load a large framework first
MOST_CRASHES = 3  # hangs and exits of one method, after which its further cases are not run
_NO_ERROR = (None, "")  # some languages write all fields, these where there is no error
MEMORY = 32.0  # GiB of addresses, of which frameworks reserve far more than they use


class ProcessSubject:
    """A program that answers JSON lines on its standard output."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        name: str,
        dtype: str = "float64",
        timeout: float = TIMEOUT,
        start_timeout: float = START_TIMEOUT,
        shaped: bool = False,
        memory: float = MEMORY,
    ) -> None:
        self.memory, self.dtype = memory, checks.choice("dtype", dtype, DTYPES)
        self.name, self.command, self.shaped = name, list(command), shaped
        self.timeout, self.start_timeout = timeout, start_timeout
        self.refused: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: ErrorTail | None = None
        self._crashes: Counter[str] = Counter()
        self._number = 0
        self._late: set[int] = set()  # requests that failed before their answers were read
        # why the program cannot start: one that does not answer the first hello is not asked again
        self.silent = self._start()

    def ask(self, case: Case) -> Answer:
        """Return the answer to one request.

        After a hang, an exit or too much output the program is started again.
        """
        if self.silent is not None:
            return Answer(error=self.silent, kind="no answer")
        for counted in ("hello", case.method):
            if self._crashes[counted] >= MOST_CRASHES:
                fact = f"{counted} has hung or ended the program {MOST_CRASHES} times already"
                return Answer(error=f"not run: {fact}", kind="not asked")
        if self._process is None and (problem := self._start()):
            return Answer(error=problem, kind="no answer")
        if case.call and not self.shaped:
            return self._observe(case)
        return self._request(case, arguments(case, self.dtype))

    def _observe(self, case: Case) -> Answer:
        """Return what calls in this other process show, or that they can show nothing."""
        if case.call not in calls.OUTSIDE:
            return Answer(unsupported=True, error=calls.ELSEWHERE)
        once, given = replace(case, call=""), arguments(case, self.dtype)
        answers = [self._request(once, each) for each in calls.requests(given, case.call)]
        return observed(answers, given, case.call)

    def _request(self, case: Case, given: Mapping[str, Any]) -> Answer:
        self._number += 1
        named = wire.to_shaped(given) if self.shaped else wire.to_plain(given)
        request = {"id": self._number, "method": case.method, "args": named}
        request |= {"call": case.call} if case.call else {}
        reply = self._exchange(request, case.method)
        if isinstance(reply, Answer):
            return reply
        if reply.get("unsupported") is True:
            return Answer(unsupported=True)
        if reply.get("error") not in _NO_ERROR:
            return Answer(error=wire.printable(reply["error"]))
        if self.shaped and "unreadable" in reply:
            text, kind = reply["unreadable"]
            return Answer(error=text, kind=kind)
        if "result" not in reply:
            fact = "the answer holds neither result, unsupported nor error"
            text = wire.printable(f"{fact}: {short(dict(reply))}")
            return Answer(error=text, kind="unreadable")
        try:
            return Answer((wire.from_shaped if self.shaped else wire.from_plain)(reply["result"]))
        except (ValueError, TypeError, RecursionError) as error:
            text = wire.printable(f"the answer cannot be read: {error}")
            return Answer(error=text, kind="unreadable")

    def close(self) -> None:
        """End the process and its child processes."""
        self._kill()
        if self._process is not None:
            for stream in filter(None, (self._process.stdin, self._process.stdout)):
                with contextlib.suppress(OSError):
                    stream.close()
            self._process.wait()
            self._process = None
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _start(self) -> str | None:
        """Start the program and send hello; return a message if that fails, else None."""
        options = {"start_new_session": True} if os.name == "posix" else {}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._process = subprocess.Popen(self.command, **pipes, **options)  # type: ignore
        limit_memory(self._process.pid, self.memory)
        assert self._process.stderr is not None
        self._errors = ErrorTail(self._process.stderr)
        dtype = {} if self.dtype == "float64" else {"dtype": self.dtype}
        hello = {"method": "hello", "schema": PROTOCOL_VERSION, **dtype}
        reply = self._exchange(hello, "hello")
        if isinstance(reply, Answer):
            return f"no answer to hello: {reply.error}"
        if reply.get("error") not in _NO_ERROR:
            self.refused = wire.printable(reply["error"])
            return f"the answer to hello is an error: {self.refused}"
        who = reply.get("result")
        if isinstance(who, Mapping) and isinstance(who.get("name"), str):
            self.name = wire.printable(f"{who['name']} {who.get('version', '')}")[:100]
        return None

    def _exchange(self, request: Mapping[str, Any], counted: str) -> Mapping[str, Any] | Answer:
        """Write a request and read lines until its answer; return it, or the failure.

        Other lines before the answer are a failure, but not before the answer to hello.
        """
        process, hung = self._process, threading.Event()
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None

        def stop() -> None:
            hung.set()
            self._kill()

        seconds = self.start_timeout if counted == "hello" else self.timeout
        alarm = threading.Timer(seconds, stop)
        alarm.daemon = True  # after Ctrl-C nothing waits for the time limit
        alarm.start()
        read = wire.Reading()
        try:
            process.stdin.write(wire.dump(request))
            process.stdin.flush()
            read = wire.read_answer(process.stdout, request.get("id"), self._late)
        except OSError:
            pass  # the program has ended: reported below
        except BaseException:  # Ctrl-C: during hello the caller has no subject to close
            self.close()
            raise
        finally:
            alarm.cancel()
        reply, failure = read.reply, read.failure
        if hung.is_set() or (reply is None and not failure):
            self._crashes[counted] += 1
            reason = self._crash_reason(seconds if hung.is_set() else None, read)
            return Answer(error=reason, kind="no answer")
        if read.too_much:
            self.close()  # what follows could fail the next case
        elif failure:
            self._late.add(request.get("id", 0))  # its answer may still come
        elif read.n_other and counted != "hello":
            failure = read.others
        if reply is None or failure:
            return Answer(error=wire.printable(failure), kind="unreadable")
        return reply

    def _crash_reason(self, hung: float | None, read: wire.Reading) -> str:
        others = read.others if read.n_other else ""
        if hung is not None:
            reason = f"no answer within {hung:g} s" + (f": {others}" if others else "")
        else:
            reason = others or "ended without an answer"
        self._kill()
        said = "" if self._errors is None else self._errors.last_line()
        self.close()
        return f"{reason}{f'; its last line of standard error: {said}' if said else ''}"

    def _kill(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()


def python_adapter(
    target: str,
    *,
    dtype: str = "float64",
    timeout: float = TIMEOUT,
    start_timeout: float = START_TIMEOUT,
    memory: float = MEMORY,
) -> ProcessSubject:
    """Start the adapter "module:Class" in a Python process of its own and return it as a
    subject.
    """
    command = [sys.executable, "-m", "kan_ref.conformance.serve", "--", target]
    return ProcessSubject(
        command,
        name=target,
        dtype=dtype,
        timeout=timeout,
        start_timeout=start_timeout,
        shaped=True,
        memory=memory,
    )
