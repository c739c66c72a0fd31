"""Calls of a subject's method: the usual one, and those that show what it does besides its answer.

A case of the topic `side_effects` says how its method is called:

    arguments   once; the arguments must be the same afterwards, bit for bit
    twice       twice with the same arguments; both answers must be the same
    kept        twice, the second time with x / 2; the first answer must stay as it was
    fortran     with arrays in Fortran order; the answer must be the usual one
    strided     with arrays whose elements are not contiguous; the answer must be the usual one
    nan         with nan as the first number of x; an error, or nan in the answer for that sample
    threads     from two threads at once, from the other with x / 2; the answers must be the usual

A check compares answers of the same method with each other and needs no right numbers.
A program in another process is called with "twice" and "nan" alone: the other calls are about
arrays in memory. `DirectSubject` calls an adapter in this process.
"""

import contextlib
import copy
import difflib
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

import numpy as np

from kan_ref.conformance import wire
from kan_ref.conformance.cases import METHODS, Case, arguments

# call -> the output that is 1 if the check holds
CHECKS = {
    "arguments": "arguments_kept",
    "twice": "second_equal",
    "kept": "first_kept",
    "fortran": "fortran_equal",
    "strided": "strided_equal",
    "nan": "nan_shown",
    "threads": "threads_equal",
}
OUTSIDE = ("twice", "nan")  # calls that can be seen from another process
ROUNDS = 8  # calls of each thread
NOTHING = (
    "the answer is None: a method that is not supported raises NotImplementedError, or answers "
    "unsupported"
)
SAME = 1e-9  # of the largest number: sums may be ordered in another way in each call


def observe(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> int | None:
    """Return 1 if the check of a call holds, else 0; None if an answer of the method is None.

    Raises what the method raises; "nan" alone takes an error as an answer that shows nan.
    """
    missing: list[bool] = []

    def noted(*arguments: Any) -> Any:
        answer = method(*arguments)
        missing.append(answer is None)
        return answer

    held = _observe(noted, given, call)
    return None if any(missing) else held


def _observe(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> int:
    if call == "nan":
        return _observe_nan(method, given)
    if call in ("fortran", "strided"):
        change = np.asfortranarray if call == "fortran" else _strided
        usual = copy.deepcopy(method(*copy.deepcopy(dict(given)).values()))
        return int(same(usual, method(*_each(given, change).values()), SAME))
    if call == "threads":
        return _in_threads(method, given)
    before = copy.deepcopy(dict(given))
    result = method(*given.values())
    if call == "arguments":
        return int(same(before, given, 0.0))
    first = copy.deepcopy(result)
    second = method(*(before if call == "twice" else _halved(before)).values())
    if call == "twice":
        return int(same(first, second, SAME))
    return int(same(first, result, 0.0))


def requests(given: Mapping[str, Any], call: str) -> list[Mapping[str, Any]]:
    """Return the arguments of the requests to another process: two for "twice", one for "nan"."""
    return [_with_nan(given)] if call == "nan" else [given, given]


def compare(answers: Sequence[Any], call: str) -> bool:
    """Return whether the check of `requests` holds; raises an error for an unreadable one."""
    if any(answer is None for answer in answers):
        raise ValueError(NOTHING)
    return _shows_nan(answers[0]) if call == "nan" else same(answers[0], answers[1], SAME)


def _with_nan(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with nan as the first number of x."""
    x = np.array(given["x"])
    x.flat[0] = np.nan
    return {**given, "x": x}


def _shows_nan(answer: Any) -> bool:
    """Return whether the first sample of an answer has a nan; of a dict, that of its dx.

    NotImplementedError without a dx: the other gradients are sums over samples.
    """
    found = answer["dx"] if isinstance(answer, Mapping) else answer
    if found is None:
        raise NotImplementedError
    rows = np.asarray(found, dtype=float)
    if not rows.ndim:
        raise ValueError("the answer is one number, but needs one row for each sample")
    return bool(rows.size) and bool(np.isnan(rows[0]).any())


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two nested values have the same arrays, up to a share of the largest number.

    With tolerance 0 every number must be the same; nan is the same as nan.
    """
    if isinstance(one, Mapping):
        return (
            isinstance(other, Mapping)
            and set(one) == set(other)
            and all(same(one[name], other[name], tolerance) for name in one)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(
            same(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    if one is None or isinstance(one, str):
        return bool(one == other)
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if a.shape != b.shape:
        return False
    room = tolerance * float(np.abs(a).max(initial=0.0))
    return bool(np.array_equal(a, b, equal_nan=True) or (np.abs(a - b) <= room).all())


def _observe_nan(method: Callable[..., Any], given: Mapping[str, Any]) -> int:
    try:
        answer = method(*_with_nan(given).values())
    except NotImplementedError:
        raise
    except Exception:  # the message of the subject's own error is not judged
        return 1
    return int(_shows_nan(answer))


def _in_threads(method: Callable[..., Any], given: Mapping[str, Any]) -> int:
    alone = copy.deepcopy(method(*copy.deepcopy(dict(given)).values()))

    def again(arguments: Mapping[str, Any]) -> list[Any]:
        return [
            copy.deepcopy(method(*copy.deepcopy(dict(arguments)).values())) for _ in range(ROUNDS)
        ]

    with ThreadPoolExecutor(2) as pool:
        answers, other = pool.submit(again, given), pool.submit(again, _halved(given))
        results = answers.result()
        other.result()
    return int(all(same(alone, result, SAME) for result in results))


def _halved(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**copy.deepcopy(dict(given)), "x": 0.5 * given["x"]}


def _strided(array: Any) -> Any:
    """Return an equal array whose elements are every second one of a larger array."""
    if not array.ndim or not array.size:
        return array
    wide = np.full((*array.shape[:-1], 2 * array.shape[-1]), 7.0, dtype=array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(item, change) for name, item in value.items()}
    return [_each(item, change) for item in value] if isinstance(value, list) else value


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
    """Raise ValueError if a method's name is nearly one that the kit calls and the adapter lacks.

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


class DirectSubject:
    """An adapter object in this process: quick, but if the adapter hangs, the runner hangs."""

    def __init__(self, adapter: object, dtype: str = "float64") -> None:
        check_method_names(adapter)
        self.adapter, self.dtype = adapter, dtype
        self.name = str(getattr(adapter, "name", type(adapter).__name__))

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


def observed(answers: Sequence[Answer], call: str) -> Answer:
    """Return what answers of a program in another process to the requests of a call show.

    An exception shows a nan. A hang, an exit or an answer that cannot be read is returned itself.
    """
    for answer in answers:
        raises = call == "nan" and answer.kind == "raises"
        if answer.unsupported or (answer.error is not None and not raises):
            return answer
    try:
        shown = answers[0].error is not None
        return Answer(int(shown or compare([each.result for each in answers], call)))
    except NotImplementedError:
        return Answer(unsupported=True)
    except Exception as error:  # an answer may have any form
        text = wire.printable(f"the answer cannot be read: {error!r}")
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
