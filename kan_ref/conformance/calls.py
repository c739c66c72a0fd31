"""Calls of a method that show what it does besides its answer; they need no right numbers.

A case of the topic `side_effects` says how its method is called:

    arguments   once; the arguments must be the same afterwards, bit for bit
    twice       twice with the same arguments; both answers must be the same
    kept        twice, the second time with x / 2; the first answer must stay as it was
    fortran     with arrays in Fortran order; the answer must be the usual one
    strided     with arrays whose elements are not contiguous; the answer must be the usual one
    nan         with nan as the first number of x; an error, or nan in the answer for that sample
    threads     from two threads at once, from the other with x / 2; the answers must be the usual

A program in another process is called with "twice" and "nan" alone: the other calls are about
arrays in memory.
"""

import copy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from kan_ref.conformance.judge import NOTHING, part, plain

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
SAME = 1e-9  # of the largest number: sums may be ordered in another way in each call
SAME_ORDER = 1e-6  # the same for arrays in another order, which finite differences amplify


class _UnreadableError(ValueError):
    """An answer that does not have the form that its method needs."""


def observe(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> int | str:
    """Return 1 if the check of a call holds, else 0, or why an answer cannot be read.

    Raises what the method raises; "nan" alone takes an error as an answer that shows nan.
    """
    try:
        return int(_holds(method, given, call))
    except _UnreadableError as error:
        return str(error)


def _holds(method: Callable[..., Any], given: Mapping[str, Any], call: str) -> bool:
    def ask(arguments: Mapping[str, Any]) -> Any:
        return _read(plain, method(*arguments.values()))

    again = copy.deepcopy(dict(given))
    if call == "arguments":
        ask(given)
        return same(again, given, 0.0)
    if call == "nan":
        again["x"].flat[0] = np.nan
        return _shows_nan(ask, again)
    if call == "kept":
        first = method(*given.values())
        before = _read(plain, first)
        ask(_halved(again))
        return same(before, _read(plain, first), 0.0)
    usual = ask(given)
    if call == "twice":
        return same(usual, ask(again), SAME)
    if call == "threads":
        with ThreadPoolExecutor(2) as pool:
            answers, _ = pool.map(
                lambda one: [ask(copy.deepcopy(one)) for _ in range(ROUNDS)],
                (again, _halved(again)),
            )
        return all(same(usual, answer, SAME) for answer in answers)
    changed = _each(again, np.asfortranarray if call == "fortran" else _strided)
    return same(usual, ask(changed), SAME_ORDER)


def _read(reader: Callable[..., Any], answer: Any, *more: Any) -> Any:
    """Return what a function reads of an answer; of None there is nothing to read."""
    if answer is None:
        raise _UnreadableError(NOTHING)
    try:
        return reader(answer, *more)
    except Exception as error:  # an object of a subject may raise anything when it is read
        raise _UnreadableError(str(error)) from error


def _shows_nan(ask: Callable[..., Any], given: Mapping[str, Any]) -> bool:
    """Return whether the first sample of an answer has a nan; of gradients, that of dx.

    NotImplementedError without a dx: the other gradients are sums over samples.
    """
    try:
        answer = ask(given)
    except (NotImplementedError, _UnreadableError):
        raise
    except Exception:  # the message of the subject's own error is not judged
        return True
    rows = _read(part, answer, ("dx",) if "dy" in given else ())
    if rows is None:
        raise NotImplementedError
    if not rows.ndim:
        raise _UnreadableError("the answer is one number, but needs one row for each sample")
    return bool(np.isnan(rows[:1]).any())


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two values of `plain` are equal, up to a share of an array's largest number.

    With tolerance 0 every number must be the same; nan is the same as nan.
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            same(one[name], other[name], tolerance) for name in one
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other, [tolerance] * len(one)))
    if not isinstance(one, np.ndarray):
        return bool(one == other)
    if np.array_equal(one, other, equal_nan=True):
        return True
    with np.errstate(all="ignore"):
        near = (
            one.shape == other.shape and np.abs(one - other).max() <= tolerance * np.abs(one).max()
        )
        return bool(near)


def _halved(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**copy.deepcopy(dict(given)), "x": 0.5 * given["x"]}


def _strided(array: Any) -> Any:
    """Return an equal array whose elements are every second one of a larger array."""
    return np.repeat(array, 2, axis=-1)[..., ::2]


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested arguments with every array changed."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(item, change) for name, item in value.items()}
    return [_each(item, change) for item in value] if isinstance(value, list) else value
