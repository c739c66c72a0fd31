"""A run: call the subject for every case, judge the answers, and report the outcomes.

Topics run from basic to composed. Where a topic on which another depends has failed, failures of
the other topic are reported as `blocked`. `name` says which facts and known defects failures show.

`pytest_cases` gives the cases as parameters of an adopter's own tests. A defect shows in several
cases, and one case shows several defects. So the first failure of a session runs all its cases
once, and every failure is named from that one report.
"""

import unittest
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from reprlib import repr as short
from typing import Any

from kan_ref import checks
from kan_ref.conformance.cases import (
    BSPLINE,
    DTYPES,
    Case,
    Topic,
    families,
    load_topics,
    matches,
    topics_of,
)
from kan_ref.conformance.judge import BAD, Outcome, Verdict, judge
from kan_ref.conformance.run_report import Report as Report
from kan_ref.conformance.run_report import failure, summary
from kan_ref.conformance.run_report import lines as lines
from kan_ref.conformance.run_report import notes as notes
from kan_ref.conformance.subjects import DirectSubject, Subject


def choose(
    only: Sequence[str] = (), skip: Sequence[str] = (), *, family: str = BSPLINE
) -> list[tuple[Topic, list[Case]]]:
    """Return the topics of a family, basic ones first, with the cases that the globs select.

    `family` is "bspline", the paper's basis functions, or one whose cases are counted apart.
    ValueError if there is no such family; errors of globs are those of `check_globs`.
    """
    checks.choice("family", family, families())
    check_globs({"only": only, "skip": skip})
    found = []
    for topic in topics_of(family):
        cases = [
            case
            for case in topic.cases
            if (not only or matches(case, only)) and not matches(case, skip)
        ]
        if cases:
            found.append((topic, cases))
    return found


def check_globs(globs: Mapping[str, Sequence[str]]) -> None:
    """Check lists of globs, by the names of their arguments.

    TypeError for a value that is not a list of texts. ValueError for a glob that matches no case of
    any family.
    """
    for name, patterns in globs.items():
        listed = isinstance(patterns, Collection) and not isinstance(patterns, str)
        if not listed or not all(isinstance(glob, str) for glob in patterns):
            raise TypeError(
                f"{name} is {short(patterns)}, but must be a list of globs, such as ['bases/*']"
            )
        for glob in patterns:
            if not any(matches(case, [glob]) for topic in load_topics() for case in topic.cases):
                raise ValueError(
                    f"{name} is {glob!r}, which names no case (python -m kan_ref.conformance "
                    f"--list shows them; topics: {', '.join(one.name for one in load_topics())})"
                )


def _check_subject(subject: Any, dtype: str) -> None:
    """Raise an error if a value is not a subject, or is one in another precision."""
    if isinstance(subject, type) or not callable(getattr(subject, "ask", None)):
        kind = f"class {subject.__name__}" if isinstance(subject, type) else type(subject).__name__
        raise TypeError(
            f"subject is a {kind}, but must have the method ask of a subject: "
            "give DirectSubject(adapter)"
        )
    given = getattr(subject, "dtype", dtype)
    if dtype != given:
        raise ValueError(
            f"dtype is {dtype!r}, but the subject {subject.name} is given arrays in {given}: make "
            "both the same, as in run(DirectSubject(adapter, 'float32'), dtype='float32')"
        )


def run(
    subject: Subject,
    chosen: Sequence[tuple[Topic, Sequence[Case]]] | None = None,
    *,
    xfail: Sequence[str] = (),
    dtype: str = "float64",
    callback: Callable[[Outcome], object] | None = None,
) -> Report:
    """Run all cases, or the chosen ones, on a subject and return the report.

    Parameters
    ----------
    subject : Subject
        Such as `DirectSubject(adapter)`.
    chosen : from `choose`, optional
    xfail : list of globs
        Cases known to fail.
    dtype : "float64" or "float32"
        Precision of the arrays that the subject is given, as in `DirectSubject(adapter, dtype)`. In
        float32 only cases that are marked for it are run, whose numbers are exact in it, with
        tolerances 2^29 times as wide, except for numbers of nodes.
    callback : callable, optional
        Called with each outcome.

    Returns
    -------
    report : Report

    Raises
    ------
    TypeError
        If the subject has no method `ask`, or xfail is not a list of texts.
    ValueError
        If dtype is not the subject's precision, or a glob names no case.
    """
    checks.choice("dtype", dtype, DTYPES)
    _check_subject(subject, dtype)
    check_globs({"xfail": xfail})
    outcomes: list[Outcome] = []
    broken: dict[str, str] = {}
    for topic, cases in choose() if chosen is None else chosen:
        blocked_by = next((need for need in topic.needs if need in broken), None)
        for case in cases:
            outcome = _outcome(subject, case, matches(case, xfail), dtype, blocked_by)
            if outcome.status in BAD:
                broken[topic.name] = case.id
            outcomes.append(outcome)
            if callback is not None:
                callback(outcome)
    return Report(subject.name, dtype, tuple(outcomes))


def _outcome(
    subject: Subject, case: Case, listed: bool, dtype: str, blocked_by: str | None
) -> Outcome:
    if dtype == "float32" and not case.float32:
        return Outcome(case, "skipped", "not a case for float32")
    answer = subject.ask(case)
    if answer.unsupported:
        return Outcome(case, "skipped", answer.error or f"{case.method} is not supported")
    verdict = (
        Verdict(False, answer.error, kind=answer.kind)
        if answer.error is not None
        else judge(case, answer.result, dtype)
    )
    if verdict.right:
        words = "listed as failing, but passes" if listed else ""
        return Outcome(case, "xpassed" if listed else "passed", words, verdict)
    if case.kind != "required":
        return Outcome(case, "differs", f"{case.kind}: {verdict.message}", verdict)
    if listed:
        return Outcome(case, "xfailed", verdict.message, verdict)
    if blocked_by is not None:
        return Outcome(case, "blocked", f"{blocked_by} must be right first", verdict)
    return Outcome(case, "failed", verdict.message, verdict)


class Session:
    """The subject and the chosen cases that checks have in common."""

    def __init__(self, subject: Subject, cases: Sequence[Case]) -> None:
        self.subject, self.cases = subject, tuple(cases)

    @cached_property
    def report(self) -> Report:
        """The report on all cases, run when it is first asked for."""
        chosen = [
            (topic, [case for case in topic.cases if case in self.cases]) for topic in load_topics()
        ]
        return run(self.subject, [(topic, cases) for topic, cases in chosen if cases])


class Check:
    """One case and the session to which it belongs."""

    def __init__(self, case: Case, session: Session) -> None:
        self.case, self.session = case, session

    def check(self) -> None:
        """Run the case; raise AssertionError with the failure and its name if it is wrong.

        `unittest.SkipTest`, which pytest shows as skipped, if the adapter does not support it.
        """
        (topic,) = [topic for topic in load_topics() if topic.name == self.case.topic]
        alone = run(self.session.subject, [(topic, [self.case])])
        if alone.outcomes[0].status == "skipped":
            raise unittest.SkipTest(alone.outcomes[0].reason)
        if not alone.failures:
            return
        whole = self.session.report
        if self.case.id not in whole.named:  # wrong now, but right in the whole run
            whole = alone
        (outcome,) = (found for found in whole.outcomes if found.case.id == self.case.id)
        lines = [*failure(whole, outcome), "", "All checks of this session:"]
        raise AssertionError("\n".join([*lines, *summary(whole)]))

    def __repr__(self) -> str:
        return f"Check({self.case.id!r})"


def pytest_cases(
    adapter: Any,
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    xfail: Sequence[str] = (),
    family: str = BSPLINE,
) -> list[Any]:
    """Return the required cases of an adapter's methods as parameters for pytest.

    Parameters
    ----------
    adapter : class, built without arguments, or object
    only, skip : list of str
        Globs of case ids or topics.
    xfail : list of str
        Globs of cases known to fail; they are marked so.
    family : str
        "bspline", or "gaussian", "chebyshev", "fourier", "relu" for other basis functions.

    Returns
    -------
    cases : list of pytest.param
        Each holds one `Check`; its id is the case's. The first check that fails runs all of them
        once more, since the likely defect shows only in all of them together.

    Raises
    ------
    TypeError
        If `only`, `skip` or `xfail` is not a list of texts.
    ValueError
        If there is no such family, a glob names no case, no required case is left, since a test
        without cases would pass, or the name of a method is misspelt.

    Examples
    --------
    >>> from kan_ref.conformance.adapters.reference import Reference
    >>> for parameter in pytest_cases(Reference, only=["count_parameters"]):
    ...     parameter.values[0].check()
    """
    import pytest

    check_globs({"xfail": xfail})
    left = [case for _, cases in choose(only, skip, family=family) for case in cases]
    required = [case for case in left if case.kind == "required"]
    if not required:
        raise ValueError(
            f"only is {list(only)} and skip is {list(skip)}, which leave {len(left)} cases of "
            f"family {family!r}, but none that is required: choose at least one required case"
        )
    subject = DirectSubject(adapter)
    chosen = [case for case in required if hasattr(subject.adapter, case.method)]
    if not chosen:
        raise ValueError(f"{type(subject.adapter).__name__} has no method that a chosen case calls")
    session = Session(subject, chosen)
    listed = [pytest.mark.xfail(reason="listed as failing")]
    return [
        pytest.param(Check(case, session), id=case.id, marks=listed if matches(case, xfail) else [])
        for case in chosen
    ]
