"""Tests of a method that has failed, which compare its answers with each other.

They need no right answers. The first is run on every method, the others on `layer_forward`:

    (C33)  the same call gives another answer                                  StateKept
    (C14)  other points, or another layer, give the old answer, bit for bit    StaleCache
    (C15)  a sample alone gives another answer than in its batch               BatchDependence
    (C16)  y(p, q) - y(p, s) - y(r, q) + y(r, s) is not 0                      NotSeparable

The order matters. Random answers fail (C15) and (C16) by chance, and old answers fail them too.
A cache may hold only a part of the answer, such as the basis functions, or its key may hold only a
part of the arguments. So (C14) is also run on layers in which the splines or the base functions are
0, and each array of the layer is changed in turn.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.calls import ROUNDS, SAME, copied, same
from kan_ref.conformance.cases import Case, load_topics
from kan_ref.conformance.plain_layer import read_numbers, room_of
from kan_ref.conformance.subjects import Subject

SAME_SINGLE = 1e-5  # the same for answers in float32, as SAME for float64
# another layer in each array alone; the values are arbitrary
_CHANGED: dict[str, Callable[[FloatArray], FloatArray]] = {
    "coef": lambda coef: 0.25 - 0.5 * coef,
    "w_spline": lambda w_spline: 0.25 - 0.5 * w_spline,
    "w_base": lambda w_base: 0.25 - 0.5 * w_base,
    "knots": lambda knots: 1.25 * knots + 0.0625,
}


def behaviour(subject: Subject, case: Case, dtype: str = "float64") -> tuple[str, ...]:
    """Return the flag of the first test that shows on a failing subject, or no flag."""
    # initial layers may be drawn with other random numbers in each call
    if case.method != "initial_layer" and _keeps_state(subject, case, dtype):
        return ("StateKept",)
    if case.method != "layer_forward":
        return ()
    return next(((flag,) for flag, shows in _TESTS.items() if shows(subject)), ())


def explains(flag: str, case: Case) -> bool:
    """Return whether a behaviour explains the failure of a case that looks for side effects.

    Whether arguments or earlier answers are kept does not depend on the numbers.
    """
    explained = {
        "StaleCache": ("twice", "fortran", "strided", "nan", "threads"),
        "StateKept": ("twice", "fortran", "strided", "threads"),
    }
    return not case.call or case.call in explained.get(flag, ())


def spline_is_infinite(subject: Subject, case: Case) -> bool:
    """Return whether a layer without a base function has answers that are not finite too.

    They are finite at points inside the grid, so that far points alone are the cause.
    """
    if case.method != "layer_forward" or "SiluOverflow" not in case.flags:
        return False
    layer, x = case.inputs["layer"], case.inputs["x"]
    spline = {**layer, "base": "zero", "w_base": np.zeros_like(layer["w_base"])}
    ends = [layer["knots"][:, place] for place in (layer["degree"], -layer["degree"] - 1)]
    far, near = _ask(subject, spline, x), _ask(subject, spline, np.clip(x, *ends))
    if far is None or near is None:
        return False
    return not np.isfinite(far).all() and bool(np.isfinite(near).all())


def _keeps_state(subject: Subject, case: Case, dtype: str) -> bool:
    once = replace(case, call="")
    answers = []
    for _ in range(ROUNDS):
        answer = subject.ask(once)
        if answer.error is not None or answer.unsupported:
            return False
        answers.append(copied(answer.result))
    room = SAME if dtype == "float64" else SAME_SINGLE
    try:
        return not all(same(answers[0], answer, room) for answer in answers[1:])
    except Exception:  # answers may have any form; `judge` has reported it
        return False


def _stale(subject: Subject) -> bool:
    """Return whether old answers are repeated for other points or another layer (C14)."""
    layer, x = _layer(), _points()
    spline = {**layer, "w_base": np.zeros_like(layer["w_base"])}
    base = {**layer, "coef": np.zeros_like(layer["coef"])}
    if any(_repeats_points(subject, one, x) for one in (layer, spline, base)):
        return True
    for n, (name, changed) in enumerate(_CHANGED.items()):
        one = base if name == "w_base" else spline
        if _repeats_layer(subject, one, {**one, name: changed(one[name])}, x, 2 + 3 * n):
            return True
    return False


def _repeats_points(subject: Subject, layer: Mapping[str, Any], x: FloatArray) -> bool:
    first, second = _ask(subject, layer, x), _ask(subject, layer, 0.5 * x + 0.125)
    return (
        first is not None
        and second is not None
        and np.array_equal(first, second)
        and bool(np.ptp(first, axis=0).max() > 0.0)
    )


def _repeats_layer(
    subject: Subject, one: Mapping[str, Any], other: Mapping[str, Any], x: FloatArray, n: int
) -> bool:
    """Return whether the layer that is evaluated first decides the answers of both.

    A method that ignores the changed array also has equal answers, but the same ones in each order.
    In each comparison the samples and the outputs are repeated another number of times, from n on,
    and as many intervals are added, so that no earlier call has had arrays of these shapes.
    """
    found = []
    for times, pair in ((n, (one, other)), (n + 1, (other, one)), (n + 2, (one, other))):
        points = np.tile(x, (times, 1))
        first, second = (_ask(subject, _widened(layer, times), points) for layer in pair)
        if first is None or second is None or not np.array_equal(first, second):
            return False
        found.append(first[: len(x), : len(one["coef"])])
    return _differ(found[0], found[1]) and not _differ(found[0], found[2])


def _widened(layer: Mapping[str, Any], times: int) -> dict[str, Any]:
    """Return a layer whose outputs are repeated, with as many intervals more on the right.

    The coefficients of the new basis functions are 0, so that the outputs stay the same.
    """
    knots, coef = layer["knots"], layer["coef"]
    new = knots[:, -1:] + (knots[:, -1:] - knots[:, -2:-1]) * np.arange(1.0, times + 1.0)
    layer = {
        **layer,
        "knots": np.hstack([knots, new]),
        "coef": np.concatenate([coef, np.zeros((*coef.shape[:2], times))], axis=2),
    }
    arrays = {
        name: np.tile(layer[name], (times,) + (1,) * (np.ndim(layer[name]) - 1))
        for name in ("coef", "w_base", "w_spline", "mask")
    }
    return {**layer, **arrays}


def _mixes_samples(subject: Subject) -> bool:
    x = _points()
    together, alone = _ask(subject, _layer(), x), _ask(subject, _layer(), x[:1])
    return together is not None and alone is not None and _differ(together[:1], alone)


def _mixes_inputs(subject: Subject) -> bool:
    (p, q), (r, s) = _points()[:2]
    x = np.array([[p, q], [p, s], [r, q], [r, s]])
    y, turned = _ask(subject, _layer(), x), _ask(subject, _layer(), x[::-1])
    # differences of numbers that are not finite show nothing, nor do those of samples whose answers
    # depend on their place in the batch
    if y is None or turned is None or not np.isfinite(y).all() or _differ(y, turned[::-1]):
        return False
    return _differ(y[0] - y[1], y[2] - y[3], least=room_of(y) * float(np.abs(y).max()))


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


def _layer() -> dict[str, Any]:
    layer: dict[str, Any] = _together().inputs["layer"]
    return layer


def _points() -> FloatArray:
    points: FloatArray = _together().inputs["x"]
    return points


def _ask(subject: Subject, layer: Mapping[str, Any], x: FloatArray) -> FloatArray | None:
    """Return the subject's answer as an array with one row for each sample, or None."""
    answer = subject.ask(replace(_together(), inputs={"layer": dict(layer), "x": x}))
    if answer.error is not None or answer.unsupported:
        return None
    try:
        y = read_numbers(answer.result)
    except Exception:  # as in `judge`, which has reported it: this answer shows no behaviour
        return None
    return y if y.ndim == 2 and len(y) == len(x) and y.size else None


def _differ(one: FloatArray, other: FloatArray, least: float = 0.0) -> bool:
    """Return whether arrays of one shape differ by more than rounding, and by more than `least`.

    nan and infinity are equal to themselves.
    """
    if one.shape != other.shape:
        return False
    size = float(np.abs(one[np.isfinite(one)]).max(initial=1.0))
    room = max(room_of(np.stack([one, other])) * size, least)
    return not np.allclose(one, other, rtol=0.0, atol=room, equal_nan=True)
