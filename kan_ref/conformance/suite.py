"""A run: call the subject for every case, judge the answers, and report the outcomes.

Topics run from basic to composed. Where a topic on which another depends has failed, failures of
the other topic are reported as `blocked`.

`pytest_cases` gives the cases as parameters of an adopter's own tests.
"""

import unittest
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from kan_ref import checks
from kan_ref.conformance.cases import BSPLINE, Case, Topic, families, load_topics, matches
from kan_ref.conformance.judge import BAD, Outcome, Verdict, judge
from kan_ref.conformance.report import Report as Report
from kan_ref.conformance.report import failure, summary
from kan_ref.conformance.report import lines as lines
from kan_ref.conformance.subjects import AdapterProcess, DirectSubject, ProcessSubject

Subject = DirectSubject | AdapterProcess | ProcessSubject
Chosen = Sequence[tuple[Topic, Sequence[Case]]]


def choose(
    only: Sequence[str] = (), skip: Sequence[str] = (), *, family: str = BSPLINE
) -> list[tuple[Topic, list[Case]]]:
    """Return the topics of a family, basic ones first, with the cases that the globs select.

    `family` is "bspline", the paper's basis functions, or one whose cases are counted apart.
    ValueError if there is no such family, or a glob names no case.
    """
    checks.choice("family", family, families())
    check_globs("only", only)
    check_globs("skip", skip)
    found = []
    for topic in load_topics():
        cases = [
            case
            for case in topic.cases
            if (not only or matches(case, only)) and not matches(case, skip)
        ]
        if cases and topic.basis_family == family:
            found.append((topic, cases))
    return found


def check_globs(name: str, globs: Sequence[str]) -> None:
    """Raise ValueError for a glob that names no case of any family."""
    for glob in globs:
        if not any(matches(case, [glob]) for topic in load_topics() for case in topic.cases):
            raise ValueError(
                f"{name} is {glob!r}, which names no case (python -m kan_ref.conformance --list "
                f"shows them; topics: {', '.join(one.name for one in load_topics())})"
            )


def run(
    subject: Subject,
    chosen: Chosen | None = None,
    *,
    xfail: Sequence[str] = (),
    callback: Callable[[Outcome], object] | None = None,
) -> Report:
    """Run all cases of B-splines, or the chosen ones, on a subject and return the report.

    Parameters
    ----------
    subject : Subject
        Such as `DirectSubject(adapter)`. If its `dtype` is float32, only cases whose numbers are
        exact in it are run, with tolerances 2^29 times as wide, except for numbers of nodes.
    chosen : from `choose`, optional
    xfail : list of globs
        Cases known to fail. ValueError for a glob that names no case.
    callback : callable, optional
        Called with each outcome.
    """
    check_globs("xfail", xfail)
    outcomes: list[Outcome] = []
    broken: set[str] = set()
    for topic, cases in choose() if chosen is None else chosen:
        blocked_by = next((need for need in topic.needs if need in broken), None)
        for case in cases:
            outcome = _outcome(subject, case, matches(case, xfail), blocked_by)
            if outcome.status in BAD:
                broken.add(topic.name)
            outcomes.append(outcome)
            if callback is not None:
                callback(outcome)
    return Report(subject.name, subject.dtype, tuple(outcomes))


def _outcome(
    subject: Subject, case: Case, listed: bool = False, blocked_by: str | None = None
) -> Outcome:
    if subject.dtype == "float32" and not case.float32:
        return Outcome(case, "skipped", "not a case for float32")
    answer = subject.ask(case)
    if answer.unsupported:
        return Outcome(case, "skipped", answer.error or f"{case.method} is not supported")
    if answer.error is None:
        verdict = judge(case, answer.result, subject.dtype)
    else:
        verdict = Verdict(answer.kind, answer.error)
    if not verdict.kind:
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
    """What the checks of an adapter have in common: a failure is named from all its cases."""

    def __init__(self, subject: Subject, chosen: Chosen) -> None:
        self.subject, self.chosen = subject, chosen

    @cached_property
    def report(self) -> Report:
        """The report on all cases, run when the first check fails."""
        return run(self.subject, self.chosen)


class Check:
    """One case of a session."""

    def __init__(self, case: Case, session: Session) -> None:
        self.case, self.session = case, session

    def check(self) -> None:
        """Run the case; raise AssertionError with the failure and its name if it is wrong.

        `unittest.SkipTest`, which pytest shows as skipped, if the adapter does not support it.
        """
        outcome = _outcome(self.session.subject, self.case)
        if outcome.status == "skipped":
            raise unittest.SkipTest(outcome.reason)
        if outcome.status == "failed":
            whole = self.session.report
            story = [*failure(whole, outcome), "", "All checks of this session:", *summary(whole)]
            raise AssertionError("\n".join(story))

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
        Each holds one `Check`; its id is the case's.

    Raises
    ------
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

    check_globs("xfail", xfail)
    subject = DirectSubject(adapter)
    chosen = [
        (
            topic,
            [c for c in cases if c.kind == "required" and getattr(subject.adapter, c.method, None)],
        )
        for topic, cases in choose(only, skip, family=family)
    ]
    session = Session(subject, chosen)
    listed = [pytest.mark.xfail(reason="listed as failing")]
    parameters = [
        pytest.param(Check(case, session), id=case.id, marks=listed if matches(case, xfail) else [])
        for _, cases in chosen
        for case in cases
    ]
    if not parameters:
        raise ValueError(
            f"only is {list(only)} and skip is {list(skip)}, which leave no required case of "
            f"family {family!r} for a method of {subject.name}: choose at least one"
        )
    return parameters
