"""Behaviour of a failing subject that shows whatever the numbers are.

Three tests that need no right answers are run on `layer_forward` once it has failed:

    (C14)  the same layer at other points gives the old answer, bit for bit        StaleCache
    (C15)  a sample alone gives another answer than in its batch                   BatchDependence
    (C16)  y(p, q) - y(p, s) - y(r, q) + y(r, s) is not 0                          NotSeparable
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.cases import Case, load_topics
from kan_ref.conformance.plain_layer import read_numbers
from kan_ref.conformance.subjects import Subject

NEAR = 1e-4  # of the largest number: float32 rounding is smaller


def behaviour(subject: Subject, case: Case) -> tuple[str, ...]:
    """Return the flag of the first test that shows on a failing subject, or no flag."""
    if case.method != "layer_forward":
        return ()
    # a subject that repeats old answers fails all three tests: the first failure counts
    return next(((flag,) for flag, shows in _TESTS.items() if shows(subject)), ())


def _stale(subject: Subject) -> bool:
    first, second = _ask(subject, _points()), _ask(subject, 0.5 * _points() + 0.125)
    return (
        first is not None
        and second is not None
        and np.array_equal(first, second)
        and bool(np.ptp(first) > 0.0)
    )


def _mixes_samples(subject: Subject) -> bool:
    x = _points()
    together, alone = _ask(subject, x), _ask(subject, x[:1])
    return together is not None and alone is not None and _differ(together[:1], alone)


def _mixes_inputs(subject: Subject) -> bool:
    (p, q), (r, s) = _points()[:2]
    y = _ask(subject, np.array([[p, q], [p, s], [r, q], [r, s]]))
    # differences of numbers that are not finite show nothing
    return y is not None and bool(np.isfinite(y).all()) and _differ(y[0] - y[1], y[2] - y[3])


_TESTS: dict[str, Callable[[Subject], bool]] = {
    "StaleCache": _stale,
    "BatchDependence": _mixes_samples,
    "NotSeparable": _mixes_inputs,
}


def _together() -> Case:
    return next(
        case
        for topic in load_topics()
        if topic.name == "batches"
        for case in topic.cases
        if case.id == "batches/together"
    )


def _points() -> FloatArray:
    points: FloatArray = _together().inputs["x"]
    return points


def _ask(subject: Subject, x: FloatArray) -> FloatArray | None:
    """Return the subject's answer as an array with one row for each sample, or None."""
    inputs: dict[str, Any] = {**_together().inputs, "x": x}
    answer = subject.ask(replace(_together(), inputs=inputs))
    if answer.error is not None or answer.unsupported:
        return None
    try:
        y = read_numbers(answer.result)
    except Exception:  # as in `judge`, which has reported it: this answer shows no behaviour
        return None
    return y if y.ndim == 2 and len(y) == len(x) and y.size else None


def _differ(one: FloatArray, other: FloatArray) -> bool:
    """Return whether arrays of one shape differ; nan and infinity are equal to themselves."""
    if one.shape != other.shape:
        return False
    size = float(np.abs(one[np.isfinite(one)]).max(initial=1.0))
    return not np.allclose(one, other, rtol=0.0, atol=NEAR * size, equal_nan=True)
