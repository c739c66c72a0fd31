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
arrays in memory.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray

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
ELSEWHERE = "only an adapter in Python shows side effects in memory"
ROUNDS = 8  # calls of each thread
NOTHING = (
    "the answer is None: a method that is not supported raises NotImplementedError, or answers "
    "unsupported"
)
SAME = 1e-9  # of the largest number: sums may be ordered in another way in each call
SAME_ORDER = 1e-6  # the same for arrays in another order, which finite differences amplify


class _UnreadableError(ValueError):
    """An answer that does not have the form that its method needs."""


def observe(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> int | str | None:
    """Return 1 if the check of a call holds, else 0.

    Raises what the method raises; "nan" alone takes an error as an answer that shows nan. Returns
    None if an answer of the method is None, and a message if an answer cannot be read.
    """
    missing: list[bool] = []

    def noted(*arguments: Any) -> Any:
        answer = method(*arguments)
        missing.append(answer is None)
        return answer

    try:
        held = _observe(noted, given, call)
    except _UnreadableError as error:
        return None if any(missing) else str(error)
    return None if any(missing) else held


def _observe(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> int:
    if call == "nan":
        return _observe_nan(method, given)
    if call in ("fortran", "strided"):
        return _in_order(method, given, np.asfortranarray if call == "fortran" else _strided)
    if call == "threads":
        return _in_threads(method, given)
    before = copy.deepcopy(dict(given))
    result = method(*given.values())
    if call == "arguments":
        return int(same(before, given, 0.0))
    first = copied(result)
    second = method(*(before if call == "twice" else _halved(before)).values())
    if call == "twice":
        return int(same(first, second, SAME))
    return int(same(first, result, 0.0))


def requests(given: Mapping[str, Any], call: str) -> list[Mapping[str, Any]]:
    """Return the arguments of the requests to another process: two for "twice", one for "nan"."""
    return [_with_nan(given)] if call == "nan" else [given, given]


def compare(answers: Sequence[Any], given: Mapping[str, Any], call: str) -> bool:
    """Return whether the check of `requests` holds; raises an error for an unreadable one."""
    if any(answer is None for answer in answers):
        raise _UnreadableError(NOTHING)
    return _shows_nan(answers[0], given) if call == "nan" else same(answers[0], answers[1], SAME)


def _with_nan(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with nan as the first number of x."""
    x = np.array(given["x"])
    x.flat[0] = np.nan
    return {**given, "x": x}


def _shows_nan(answer: Any, given: Mapping[str, Any]) -> bool:
    """Return whether the first sample of an answer has a nan; of gradients, that of dx.

    NotImplementedError without a dx: the other gradients are sums over samples.
    """
    if "dy" in given:
        if not isinstance(answer, Mapping):
            raise _UnreadableError(no_dict(answer))
        if "dx" not in answer:
            raise _UnreadableError("the answer lacks 'dx' (give None for what is not supported)")
        answer = answer["dx"]
    if answer is None:
        raise NotImplementedError
    rows = _numbers(answer)
    if not rows.ndim:
        raise _UnreadableError("the answer is one number, but needs one row for each sample")
    return bool(rows.size) and bool(np.isnan(rows[0]).any())


def no_dict(answer: Any) -> str:
    """Return the message for an answer that should be a dict."""
    return f"the answer is a {type(answer).__name__}, but must be a dict"


def _numbers(value: Any) -> FloatArray:
    try:
        return np.asarray(value, dtype=float)
    except Exception as error:  # an object that a subject made may raise anything
        raise _UnreadableError(str(error)) from error


def copied(answer: Any) -> Any:
    """Return a copy of an answer; of objects that cannot be copied, such as tensors of a graph, the
    numbers.
    """
    if isinstance(answer, Mapping):
        return {name: copied(item) for name, item in answer.items()}
    if isinstance(answer, list | tuple):
        return [copied(item) for item in answer]
    try:
        return copy.deepcopy(answer)
    except Exception:  # an object that a subject made may raise anything
        return _numbers(answer).copy()


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two nested values have the same arrays, up to a share of the largest number.

    With tolerance 0 every number must be the same; nan is the same as nan.
    """
    if isinstance(one, Mapping):
        if not isinstance(other, Mapping) or set(one) != set(other):
            return False
        return all(same(one[name], other[name], tolerance) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other, [tolerance] * len(one)))
    if one is None or isinstance(one, str):
        return bool(one == other)
    a, b = _numbers(one), _numbers(other)
    if a.shape != b.shape:
        return False
    if np.array_equal(a, b, equal_nan=True):
        return True
    with np.errstate(all="ignore"):
        return bool(np.abs(a - b).max() <= tolerance * np.abs(a).max())


def _observe_nan(method: Callable[..., Any], given: Mapping[str, Any]) -> int:
    try:
        answer = method(*_with_nan(given).values())
    except NotImplementedError:
        raise
    except Exception:  # the message of the subject's own error is not judged
        return 1
    return int(_shows_nan(answer, given))


def _in_order(
    method: Callable[..., Any], given: Mapping[str, Any], change: Callable[[Any], Any]
) -> int:
    """Return whether the answer for changed arrays is the usual one."""
    usual = copied(method(*copy.deepcopy(dict(given)).values()))
    other = method(*_each(copy.deepcopy(dict(given)), change).values())
    return int(same(usual, other, SAME_ORDER))


def _in_threads(method: Callable[..., Any], given: Mapping[str, Any]) -> int:
    def again(arguments: Mapping[str, Any]) -> list[Any]:
        return [copied(method(*copy.deepcopy(dict(arguments)).values())) for _ in range(ROUNDS)]

    alone = copied(method(*copy.deepcopy(dict(given)).values()))
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
