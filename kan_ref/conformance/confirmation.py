"""Flags that are established: by tests, by marks, or by numbers that are not finite.

Three tests that need no right answers are run on `layer_forward` once it has failed:

    (C14)  the same layer at other points gives the old answer, bit for bit        StaleCache
    (C15)  a sample alone gives another answer than in its batch                   BatchDependence
    (C16)  y(p, q) - y(p, s) - y(r, q) + y(r, s) is not 0                          NotSeparable

Marks in a part of the answers prove nothing where most failures of the method have another cause,
and one small integer equals another by chance. Where most basis functions are wrong, the splines of
every later topic are wrong because of them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kan_ref.checks import FloatArray
from kan_ref.conformance.cases import Case, load_topics
from kan_ref.conformance.judge import NOT_FINITE, Outcome
from kan_ref.conformance.patterns import covered
from kan_ref.conformance.plain_layer import read_numbers
from kan_ref.conformance.subjects import Subject

MOST_MARKS = 0.5  # of a method's marks, which answers must have to confirm a flag
MOST_BASES = 0.5  # of the cases of `basis`, above which later failures have no cause of their own
# methods whose answers do not depend on basis functions, and `basis` itself
APART = (
    *("basis", "uniform_knots", "count_parameters", "save_load", "adam_steps", "gradient_steps"),
    *("family_basis", "family_forward", "family_vjp"),
)
MOST_FAILURES = 0.5  # of a method, which flags must explain for their marks to confirm them
# a flag whose mark, zeros, stands for it only in cases that have the flag
LOCAL = ("ZeroSupportFirstColumn",)
FEW_INTEGERS = 3  # marks of whole numbers below this number agree by chance


def confirmed_flags(judged: Sequence[Outcome], wrong: Sequence[Outcome]) -> dict[str, str]:
    """Return case id -> confirmed flag.

    Parameters
    ----------
    judged : outcomes that have passed or failed
    wrong : those of them with wrong numbers
    """
    answered = Counter(flag for outcome in wrong for flag in outcome.verdict.defects)
    marked = Counter(flag for outcome in judged for flag in {m.flag for m in outcome.case.marks})
    by_marks = _by_marks(judged, wrong)
    not_finite, bases_wrong = _not_finite(wrong), _bases_wrong(judged)
    wrong_as_usual = {one.case.method for one in wrong if one.verdict.finite and not one.case.call}
    found = {}
    for outcome in wrong:
        method, verdict = outcome.case.method, outcome.verdict
        if verdict.certain:
            # a finite number for nan has another cause where the method is wrong without nan too,
            # and so has a wrong number of intervals after wrong knots
            follows = {"NaNSwallowed": method in wrong_as_usual} | {
                "GridCount": outcome.status == "blocked"
            }
            if not follows.get(verdict.certain[0]):
                found[outcome.case.id] = verdict.certain[0]
            continue
        known = by_marks if verdict.finite else not_finite
        flags = [flag for flag in verdict.defects if flag in known.get(method, ())]
        if flags and not (bases_wrong and verdict.finite and method not in APART):
            # what explains most failures, then what passed cases contradict least
            found[outcome.case.id] = max(
                flags,
                key=lambda flag: (
                    known[method][flag],
                    answered[flag] / max(1, marked[flag]),
                    answered[flag],
                ),
            )
    return found


def _bases_wrong(judged: Sequence[Outcome]) -> bool:
    """Return whether most cases of `basis` are wrong."""
    bases = [one.status != "passed" for one in judged if one.case.method == "basis"]
    return sum(bases) > MOST_BASES * len(bases)


def _by_marks(judged: Sequence[Outcome], wrong: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return method -> flags whose marks its answers have, and that explain most failures.

    Each flag has the share of the method's failures that it explains itself.
    """
    seen: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in wrong:
        for flag in outcome.verdict.defects:
            seen[outcome.case.method, flag].append(outcome)
    n_marked = Counter(
        (outcome.case.method, flag)
        for outcome in judged
        for flag in {mark.flag for mark in outcome.case.marks}
        if _stands_for(flag, outcome.case)
    )
    refuted = {
        (outcome.case.method, flag)
        for outcome in judged
        if outcome.status == "passed"
        for flag in outcome.verdict.visible
        if _stands_for(flag, outcome.case)
    }
    found: dict[str, set[str]] = defaultdict(set)
    for (method, flag), members in seen.items():
        if (
            (method, flag) not in refuted
            and all(_stands_for(flag, one.case) for one in members)
            and len(members) >= MOST_MARKS * n_marked[method, flag]
            and 2 * sum(flag not in one.verdict.empty for one in members) >= len(members)
            and (len(members) > 1 or members[0].status == "failed")
            and not _by_chance(flag, members)
        ):
            found[method].add(flag)
    return {
        method: {flag: _explained(method, {flag}, judged, seen) for flag in flags}
        for method, flags in found.items()
        if _explained(method, flags, judged, seen) >= MOST_FAILURES
    }


def _stands_for(flag: str, case: Case) -> bool:
    """Return whether the mark of a flag in a case stands for the flag."""
    return flag not in LOCAL or flag in case.flags


def _by_chance(flag: str, members: Sequence[Outcome]) -> bool:
    """Return whether the marks are a few whole numbers."""
    values = [mark.value for one in members for mark in one.case.marks if mark.flag == flag]
    return len(values) < FEW_INTEGERS and all(value.is_integer() for value in values)


def _explained(
    method: str,
    flags: set[str],
    judged: Sequence[Outcome],
    seen: Mapping[tuple[str, str], Sequence[Outcome]],
) -> float:
    """Return the share of a method's failures that flags explain: by a mark or by a pattern."""
    failed = [one for one in judged if one.case.method == method and one.status != "passed"]
    usual = [one for one in failed if not one.case.call] or failed
    ids = {one.case.id for flag in flags for one in seen[method, flag]}
    ids |= {case for flag in flags for case in covered(flag)}
    return sum(one.case.id in ids for one in usual) / len(usual)


def _not_finite(wrong: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return method -> flags that all its answers with nan or infinity have in common."""
    # another formula than silu or L1 is wrong everywhere, and may overflow as well
    elsewhere = {
        outcome.case.method
        for outcome in wrong
        if outcome.verdict.finite and not outcome.verdict.defects
    }
    # finite failures without a flag: most of them have another cause than nan, which may follow
    others = Counter(
        (outcome.case.method, flag)
        for outcome in wrong
        for flag in NOT_FINITE
        if outcome.verdict.finite and flag not in outcome.case.flags and not outcome.case.call
    )
    by_method: dict[str, list[Case]] = defaultdict(list)
    for outcome in wrong:
        if not outcome.verdict.finite:
            by_method[outcome.case.method].append(outcome.case)
    return {
        method: {
            flag: 1.0
            for flag in NOT_FINITE
            if all(flag in case.flags for case in cases)
            and (flag not in ("SiluOverflow", "ZeroEdge") or method not in elsewhere)
            and others[method, flag] <= len(cases)
        }
        for method, cases in by_method.items()
    }


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
