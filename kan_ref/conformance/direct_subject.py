"""Answers of a subject, and an adapter in this process as a subject.

A subject answers cases, one at a time. Whatever its method does becomes an `Answer`.
"""

import contextlib
import difflib
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from kan_ref import checks
from kan_ref.conformance import wire
from kan_ref.conformance.calls import compare, observe
from kan_ref.conformance.cases import DTYPES, METHODS, Case, arguments


@dataclass(frozen=True)
class Answer:
    """A `result`, or `unsupported` (with the reason as `error`, if known), or an `error` message.

    `kind` says what the error is: the method "raises" one, the line is "unreadable", there is
    "no answer" (a hang, an exit), or the case was "not asked", after several of these.
    """

    result: Any = None
    unsupported: bool = False
    error: str | None = None
    kind: str = "raises"


class Subject(Protocol):
    """What the runner needs of a subject."""

    name: str

    def ask(self, case: Case) -> Answer:
        """Return the answer to one case."""
        ...

    def close(self) -> None:
        """Release what the subject holds."""
        ...


def check_method_names(adapter: object) -> None:
    """Raise ValueError if an adapter has no method of the kit, or one whose name is misspelt.

    Its cases would be skipped as not supported.
    """
    lacking = [name for name in METHODS if getattr(adapter, name, None) is None]
    for name in dir(adapter):
        near = difflib.get_close_matches(name, lacking, 1, cutoff=0.85)
        own = name not in METHODS and not name.startswith("_")
        if near and own and callable(getattr(adapter, name, None)):
            raise ValueError(
                f"{type(adapter).__name__} has the method {name}, which the kit does not call: "
                f"rename it to {near[0]}, or let its name begin with _"
            )
    if len(lacking) == len(METHODS):
        raise ValueError(
            f"the adapter is a {type(adapter).__name__}, which has no method that the kit calls: "
            "give an object with at least one of them, such as basis or layer_forward"
        )


class DirectSubject:
    """An adapter in this process: quick, but if the adapter hangs, the runner hangs.

    A class is built without arguments. A method `use_dtype` is called once with the precision.
    """

    def __init__(self, adapter: object, dtype: str = "float64") -> None:
        self.dtype = checks.choice("dtype", dtype, DTYPES)
        self.adapter = adapter() if isinstance(adapter, type) else adapter
        check_method_names(self.adapter)
        if hasattr(self.adapter, "use_dtype"):
            self.adapter.use_dtype(dtype)
        self.name = str(getattr(self.adapter, "name", type(self.adapter).__name__))

    def ask(self, case: Case) -> Answer:
        """Return the answer of the adapter's method to the arguments of the case."""
        with user_interrupts():
            try:
                method = getattr(self.adapter, case.method, None)
                if method is None:
                    return Answer(unsupported=True)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a subject's warnings are not errors
                    given = arguments(case, self.dtype)
                    if case.call:
                        return Answer(observe(method, given, case.call))
                    return Answer(method(*given.values()))
            except NotImplementedError:
                return Answer(unsupported=True)
            except wire.RAISED as error:
                return Answer(error=wire.printable(f"{type(error).__name__}: {error}"))

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def observed(answers: Sequence[Answer], given: Mapping[str, Any], call: str) -> Answer:
    """Return what answers of a program in another process to the requests of a call show.

    An exception shows a nan. A hang, an exit or an answer that cannot be read is returned itself.
    """
    for answer in answers:
        raises = call == "nan" and answer.kind == "raises"
        if answer.unsupported or (answer.error is not None and not raises):
            return answer
    try:
        shown = answers[0].error is not None
        return Answer(int(shown or compare([each.result for each in answers], given, call)))
    except NotImplementedError:
        return Answer(unsupported=True)
    except Exception as error:  # an answer may have any form
        text = wire.printable(f"the answer cannot be read: {error}")
        return Answer(error=text, kind="unreadable")


@contextlib.contextmanager
def user_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the block if the user pressed Ctrl-C during it.

    Code in the block may catch the KeyboardInterrupt, or raise one of its own: only the signal
    counts. Threads other than the main thread receive no signals.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            raise KeyboardInterrupt
