"""Marks of known defects: which of them an answer has, and which it disproves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kan_ref.conformance.cases import Case

SAME = 1e-6  # an answer matches a defect within this fraction of the defect's own error


def seen_marks(case: Case, got: Mapping[str, Any], factor: float) -> tuple[str, ...]:
    """Return the flags of which the answer has a mark; `factor` widens the tolerances."""
    return tuple(
        dict.fromkeys(
            mark.flag
            for mark in case.marks
            if all(_fits(case, mark.output, at, value, got, factor) for at, value in mark.places)
        )
    )


def visible_marks(case: Case, got: Mapping[str, Any], factor: float) -> tuple[str, ...]:
    """Return the flags whose marks differ from the answer, so that it disproves them."""
    return tuple(
        mark.flag
        for mark in case.marks
        if got.get(mark.output) is not None
        and abs(mark.value - float(np.asarray(case.expected[mark.output]).flat[mark.index]))
        > 2.0 * case.tolerance[mark.output] * factor
    )


def is_zero(case: Case, output: str, got: Mapping[str, Any]) -> bool:
    """Return whether an output is 0 everywhere, compared with the right one."""
    size = float(np.abs(np.asarray(case.expected[output])).max(initial=0.0))
    return bool((np.abs(np.asarray(got[output])) <= SAME * size).all())


def _fits(
    case: Case, output: str, index: int, value: float, got: Mapping[str, Any], factor: float
) -> bool:
    """Return whether the answer is that of a known defect."""
    answered = got.get(output)
    expected = np.asarray(case.expected[output])
    if answered is None or answered.shape != expected.shape:
        return False
    room = case.tolerance[output] * factor
    if value:  # a defect that gives 0 gives it exactly, while many small numbers are near 0
        room = max(room, SAME * abs(value - float(expected.flat[index])))
    return bool(abs(float(answered.flat[index]) - value) <= room)
