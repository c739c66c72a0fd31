"""From an answer to a verdict: which error it has, and which known defect gives the same answer.

An answer is right if shapes agree and |got - expected| <= tolerance in every output (`answers`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.answers import read_outputs
from kan_ref.conformance.cases import Case
from kan_ref.conformance.wire import printable

FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64
SAME = 1e-6  # an answer matches a defect within this fraction of the defect's own error

# a wrong integer has one possible defect
_INTEGER_DEFECTS = {
    "n_intervals": "GridCount",
    "collapsed_rows": "ConstantFeature",
    "arguments_kept": "ArgumentsChanged",
    "second_equal": "StateKept",
    "first_kept": "BufferReused",
    "fortran_equal": "MemoryOrder",
    "strided_equal": "MemoryOrder",
    "nan_shown": "NaNSwallowed",
    "threads_equal": "ThreadUnsafe",
}
# defects that give nan or inf
_NOT_FINITE = ("RepeatedKnots", "SiluOverflow", "ZeroEdge", "ConstantFeature")


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, its largest error and the matching defects.

    `ulp`: the largest error in units of the last place of the expected number, nan where that is 0.
    `relative`: the same error in units of the output's largest number.
    """

    right: bool
    message: str = ""
    expected: str = ""
    got: str = ""
    ulp: float = float("nan")
    relative: float = float("nan")
    defects: tuple[str, ...] = field(default=())


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """Return the verdict on a raw answer of any kind; no exception is raised."""
    try:
        with np.errstate(all="ignore"):
            got = read_outputs(case, answer)
    except Exception as error:  # an object that a subject made may raise anything when it is read
        return Verdict(False, printable(f"the answer cannot be read: {error or type(error)}"))
    factor = FLOAT32 if dtype == "float32" else 1.0
    worst: Verdict | None = None
    for output, expected in case.expected.items():
        value = got[output]
        if value is None:
            continue
        if isinstance(expected, int | str):
            if value != expected:
                flag = _INTEGER_DEFECTS.get(output)
                message = f"{output} is not the expected one"
                known = (flag,) if flag else ()
                return Verdict(False, message, repr(expected), repr(value), defects=known)
            continue
        verdict = _compare(output, np.asarray(expected), value, case.tolerance[output] * factor)
        if not verdict.right and (worst is None or not verdict.relative <= worst.relative):
            worst = verdict
    if worst is None:
        return Verdict(True)
    defects = tuple(
        mark.flag
        for mark in case.marks
        if _fits(case, mark.output, mark.index, mark.value, got, factor)
    )
    if not np.isfinite(
        np.concatenate([np.ravel(value) for value in got.values() if isinstance(value, np.ndarray)])
    ).all():
        defects = tuple(flag for flag in case.flags if flag in _NOT_FINITE)
    return Verdict(
        False, worst.message, worst.expected, worst.got, worst.ulp, worst.relative, defects
    )


def _compare(output: str, expected: FloatArray, got: FloatArray, tolerance: float) -> Verdict:
    if got.size == 0 and expected.size == 0:
        return Verdict(True)  # nested lists cannot distinguish (0, 2) from (0,)
    if got.shape != expected.shape:
        return Verdict(
            False,
            f"{output} has shape {got.shape}, but {expected.shape} was expected",
            _short(expected),
            _short(got),
            np.inf,
            np.inf,
        )
    with np.errstate(all="ignore"):
        error = np.abs(got - expected)
        wrong = ~(error <= tolerance)
        if not wrong.any():
            return Verdict(True)
        place = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
        right, found = float(expected.flat[place]), float(got.flat[place])
        ulp = float(error.flat[place] / np.spacing(abs(right))) if right else float("nan")
        size = float(np.abs(expected).max()) or 1.0
        relative = float(error.flat[place]) / size
    index = ", ".join(str(int(n)) for n in np.unravel_index(place, expected.shape))
    message = (
        f"{output}[{index}]: error {error.flat[place]:.3g}, tolerance {tolerance:.3g}; "
        f"{int(wrong.sum())} of {wrong.size} numbers are wrong"
    )
    return Verdict(False, message, repr(right), repr(found), ulp, relative)


def _short(array: FloatArray) -> str:
    return np.array2string(array, precision=6, threshold=8).replace("\n", "")


def _fits(
    case: Case, output: str, index: int, value: float, got: Mapping[str, Any], factor: float
) -> bool:
    """Return whether the answer is that of a known defect."""
    answered = got.get(output)
    expected = np.asarray(case.expected[output])
    if answered is None or answered.shape != expected.shape:
        return False
    room = max(SAME * abs(value - float(expected.flat[index])), case.tolerance[output] * factor)
    return bool(abs(float(answered.flat[index]) - value) <= room)
