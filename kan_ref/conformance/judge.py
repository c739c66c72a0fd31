"""From an answer to a verdict: which error it has, and which known defects give the same answer.

An answer is right if shapes agree and |got - expected| <= tolerance in every output (`answers`). An
`Outcome` is a case with its verdict and its status in the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.answers import is_zero, read_outputs, seen_marks, visible_marks
from kan_ref.conformance.calls import CHANGING, UNREPEATED
from kan_ref.conformance.cases import Case
from kan_ref.conformance.plain_layer import last_zeros, room_of, sums_to_one
from kan_ref.conformance.wire import unreadable

FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64

# a wrong integer has one possible defect
_INTEGER_DEFECTS = {
    "n_intervals": "GridCount",
    "collapsed_rows": "ConstantFeature",
    "outside": "UpdateEnds",
    "finite": "InitLayer",
    "masked": "InitLayer",
    "arguments_kept": "ArgumentsChanged",
    "second_equal": "StateKept",
    "first_kept": "BufferReused",
    "fortran_equal": "MemoryOrder",
    "strided_equal": "MemoryOrder",
    "nan_shown": "NaNSwallowed",
    "threads_equal": "ThreadUnsafe",
}
# defects that give nan or inf
NOT_FINITE = (
    *("RepeatedKnots", "SiluOverflow", "ZeroEdge", "ZeroCoefficients", "ConstantFeature"),
    "ChebyshevEnds",
)


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, its largest error and the matching defects.

    `ulp`: the largest error in units of the last place of the expected number, nan where that is 0.
    `relative`: the same error in units of the output's largest number.

    `kind`: "" if right, "values" or "shape" if wrong, "form" if dicts lack parts or have parts that
    do not fit, "unreadable" without such a form, or what came instead of an answer: "raises", "no
    answer", "not asked".
    `defects`: flags of which the answer has the mark; `certain`: flags that it proves by itself.
    `empty`: those of `defects` that stand for 0 in an answer of zeros alone, which proves little.
    `outputs`: the outputs with wrong numbers. `factors`: those of them that are the right numbers
    times one number other than 0, and this number.
    `visible`: flags whose mark differs from a right answer, so that the answer disproves them.
    `zero`: whether all numbers are 0, though right ones are not.
    `single`: whether all numbers are float32 numbers near the right ones, which are not. `fine`:
    whether enough of them need many bits of the format, so that they show it.
    `sums_to_one`: whether basis functions sum to 1 at most points where the right ones do; numbers
    that are not finite do not.
    """

    right: bool
    message: str = ""
    expected: str = ""
    got: str = ""
    ulp: float = float("nan")
    relative: float = float("nan")
    defects: tuple[str, ...] = field(default=())
    kind: str = ""
    certain: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    visible: tuple[str, ...] = ()
    finite: bool = True
    zero: bool = False
    single: bool = False
    fine: bool = False
    sums_to_one: bool | None = None
    outputs: tuple[str, ...] = ()
    factors: Mapping[str, float] = field(default_factory=dict)


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """Return the verdict on a raw answer of any kind; no exception is raised."""
    try:
        with np.errstate(all="ignore"):
            got = read_outputs(case, answer)
    except Exception as error:  # an object that a subject made may raise anything when it is read
        text, kind = unreadable(answer, error)
        return Verdict(False, text, kind=kind)
    if dtype == "float32":  # a number of nodes is right in both
        wide = {name: FLOAT32 * room for name, room in case.tolerance.items() if name != "kept"}
        case = replace(case, tolerance={**case.tolerance, **wide})
    worst: Verdict | None = None
    wrong: list[str] = []
    for output, expected in case.expected.items():
        value = got[output]
        if value is None:
            continue
        if isinstance(expected, int | str):
            if value != expected:
                saved = case.method == "save_load" and not case.call
                flag = "RoundTrip" if saved else _INTEGER_DEFECTS.get(output)
                if case.method == "extend_grid" and output == "collapsed_rows":
                    flag = None  # no constant input is given there
                if output == "outside" and "ConstantFeature" in case.flags:
                    flag = "ConstantFeature"
                message = f"{output} is not the expected one"
                if case.call in CHANGING and value == UNREPEATED:
                    flag = "StateKept"
                    message = f"the usual call gives other answers, so that {output} shows nothing"
                known = (flag,) if flag else ()
                words = (message, repr(expected), repr(value))
                found = Verdict(False, *words, defects=known, certain=known, kind="values")
                return replace(found, outputs=(output,))
            continue
        if value.shape == _listed(expected):
            got[output] = value = value.reshape(np.shape(expected))
        verdict = _compare(output, np.asarray(expected), value, case.tolerance[output])
        if verdict.right:
            continue
        if verdict.kind == "shape":
            return verdict
        wrong.append(output)
        if worst is None or not verdict.relative <= worst.relative:
            worst = verdict
    bases = case.method == "basis" and not case.call
    sums = sums_to_one(case.expected["basis"], got["basis"]) if bases else None
    if worst is None:
        return Verdict(True, visible=visible_marks(case, got), sums_to_one=sums)
    defects = seen_marks(case, got)
    empty = tuple(
        mark.flag
        for mark in case.marks
        if mark.flag in defects and mark.value == 0.0 and is_zero(case, mark.output, got)
    )
    arrays = [np.ravel(value) for value in got.values() if isinstance(value, np.ndarray)]
    finite = bool(np.isfinite(np.concatenate(arrays)).all())
    if not finite:
        defects = tuple(flag for flag in case.flags if flag in NOT_FINITE)
    single, fine = _single(case, got)
    return replace(
        worst,
        defects=defects,
        empty=empty,
        finite=finite,
        zero=bool(arrays) and not np.concatenate(arrays).any(),
        single=single,
        fine=fine,
        certain=("RoundTrip",) if case.method == "save_load" and not single else (),
        sums_to_one=sums,
        outputs=tuple(wrong),
        factors={
            output: by
            for output in wrong
            if (by := _factor(case.expected[output], got[output], case.tolerance[output]))
        },
    )


def _listed(expected: Any) -> tuple[int, ...]:
    """Return the shape that nested lists show of an array: no axes after one of length 0."""
    shape: tuple[int, ...] = np.shape(expected)
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def _factor(expected: Any, got: FloatArray, tolerance: float) -> float:
    """Return the number by which all right numbers are multiplied in an answer, or 0."""
    right, found = np.ravel(expected), np.ravel(got)
    place = int(np.argmax(np.abs(right)))
    with np.errstate(all="ignore"):
        factor = found[place] / right[place]
        near = np.abs(found - factor * right) <= 2.0 * tolerance * max(1.0, abs(factor))
    return float(factor) if near.all() and np.isfinite(factor) else 0.0


def _single(case: Case, got: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return whether the answers are float32 numbers near the right ones, which are not, and
    whether they show it.

    In float16 numbers above 65504 are infinite. Numbers such as 0 and 1 are numbers of every
    format. So some numbers must need more than half the bits of the format: one, or two where two
    of the right numbers do as well.
    """
    found, shown, possible = False, 0, 0
    with np.errstate(all="ignore"):
        for output, expected in case.expected.items():
            value = got[output]
            if value is None or isinstance(expected, int | str):
                continue
            right = np.asarray(expected)
            rounded, single = right.astype(np.float32), value.astype(np.float32)
            room = room_of(value) * float(np.abs(right).max(initial=0.0))
            near = np.abs(value - right) <= room
            near |= (value == rounded) | (value == right.astype(np.float16))
            if not ((value == single) & near).all():
                return False, False
            changed, half = right != rounded, 2 ** ((24 + last_zeros(value)) // 2)
            found |= bool(changed.any())
            shown += int((changed & (single.view(np.uint32) % half != 0)).sum())
            possible += int((changed & (rounded.view(np.uint32) % half != 0)).sum())
    return found, shown >= max(1, min(2, possible))


def _compare(output: str, expected: FloatArray, got: FloatArray, tolerance: float) -> Verdict:
    if got.shape != expected.shape:
        return Verdict(
            False,
            f"{output} has shape {got.shape}, but {expected.shape} was expected",
            _short(expected),
            _short(got),
            np.inf,
            np.inf,
            kind="shape",
        )
    if not expected.size:
        return Verdict(True)
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
    return Verdict(False, message, repr(right), repr(found), ulp, relative, kind="values")


def _short(array: FloatArray) -> str:
    return np.array2string(array, precision=6, threshold=8).replace("\n", "")


RIGHT = ("passed", "xpassed")
GOOD = (*RIGHT, "differs")  # no fault of the subject
BAD = ("failed", "blocked")


@dataclass(frozen=True, eq=False)
class Outcome:
    """One case and its result.

    `status`: "passed"; "failed"; "skipped" (not supported, or not in this precision); "differs"
    (where the contract leaves the answer open); "xfailed", "xpassed" (listed as failing); "blocked"
    (failed after a topic on which it depends). `reason`: the status in words.
    """

    case: Case
    status: str
    reason: str = ""
    verdict: Verdict = field(default_factory=lambda: Verdict(True))
