"""From an answer to a verdict: whether it is right, and a fingerprint of what is wrong.

An answer is right if shapes agree and |got - expected| <= tolerance in every output (`answers`).
The fingerprint of a wrong output is one number, by which the same wrong answer is known again:

    (C33)  sum_n cos(n^2) (got_n - expected_n),    n = 1, 2, ... in C order

An `Outcome` is a case with its verdict and its status in the run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.answers import read_outputs
from kan_ref.conformance.cases import Case, printable

FLOAT32 = 2.0**29  # epsilon of float32 in units of that of float64


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right; if not, its largest error and its fingerprints.

    `ulp`: the largest error in units of the last place of the expected number, nan where that is 0.
    `relative`: the same error in units of the output's largest number.

    `kind`: "" if right, "values", "not finite" or "shape" if wrong, "unreadable" if it has another
    form, or what came instead of an answer: "raises", "no answer", "not asked".
    `prints`: fingerprints of the wrong outputs, nan where numbers are not finite or there are none.
    `single`: whether all numbers are float32 numbers, which right ones are not.
    """

    right: bool
    message: str = ""
    expected: str = ""
    got: str = ""
    ulp: float = float("nan")
    relative: float = float("nan")
    kind: str = ""
    prints: Mapping[str, float] = field(default_factory=dict)
    single: bool = False


def judge(case: Case, answer: Any, dtype: str = "float64") -> Verdict:
    """Return the verdict on a raw answer of any kind; no exception is raised."""
    try:
        with np.errstate(all="ignore"):
            got = read_outputs(case, answer)
    except Exception as error:  # an object that a subject made may raise anything when it is read
        text = printable(f"the answer cannot be read: {error or type(error)}")
        return Verdict(False, text, kind="unreadable")
    if dtype == "float32":  # a number of nodes is right in both
        wide = {name: FLOAT32 * room for name, room in case.tolerance.items() if name != "kept"}
        case = replace(case, tolerance={**case.tolerance, **wide})
    worst: Verdict | None = None
    prints: dict[str, float] = {}
    for output, expected in case.expected.items():
        value = got[output]
        if value is None:
            continue
        if isinstance(expected, int | str):
            if value == expected:
                continue
            message = f"{output} is not the expected one"
            return Verdict(
                False, message, repr(expected), repr(value), kind="values", prints={output: np.nan}
            )
        if value.shape == _listed(expected):
            got[output] = value = value.reshape(np.shape(expected))
        verdict = _compare(output, np.asarray(expected), value, case.tolerance[output])
        if verdict.right:
            continue
        if verdict.kind == "shape":
            return verdict
        prints[output] = fingerprint(np.asarray(expected), value)
        if worst is None or not verdict.relative <= worst.relative:
            worst = verdict
    if worst is None:
        return Verdict(True)
    finite = all(
        bool(np.isfinite(value).all()) for value in got.values() if isinstance(value, np.ndarray)
    )
    return replace(
        worst,
        kind="values" if finite else "not finite",
        prints=prints,
        single=_is_single(case, got),
    )


def fingerprint(expected: FloatArray, got: FloatArray) -> float:
    """Return the fingerprint (C33) of a wrong array, nan if it is not finite in float32."""
    with np.errstate(all="ignore"):
        found = np.cos(np.arange(1.0, got.size + 1.0) ** 2) @ (got - expected).ravel()
        return float(found) if np.isfinite(np.float32(found)) else np.nan


def _listed(expected: Any) -> tuple[int, ...]:
    """Return the shape that nested lists show of an array: no axes after one of length 0."""
    shape: tuple[int, ...] = np.shape(expected)
    return shape[: shape.index(0) + 1] if 0 in shape else shape


def _is_single(case: Case, got: Mapping[str, Any]) -> bool:
    """Return whether all numbers are those of float32, which the right ones are not."""
    arrays = {name: value for name, value in got.items() if isinstance(value, np.ndarray)}
    with np.errstate(all="ignore"):
        alike = {name: value == value.astype(np.float32) for name, value in arrays.items()}
        right = {name: np.asarray(case.expected[name]) for name in arrays if name in case.expected}
        more = any((value != value.astype(np.float32)).any() for value in right.values())
    return more and all(each.all() for each in alike.values())


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
    verdict: Verdict = Verdict(True)
