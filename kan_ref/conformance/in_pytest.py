"""Conformance cases as parameters of an adopter's own tests.

A defect shows in several cases, and one case shows several defects. So the first failure of a
session runs all its cases once, and every failure is diagnosed from that one report.
"""

import dataclasses
import unittest
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from kan_ref.conformance import run_report, subjects, suite
from kan_ref.conformance.cases import BSPLINE, Case, families, load_topics, matches
from kan_ref.conformance.run_report import Report


class Session:
    """The adapter and the chosen cases that checks have in common."""

    def __init__(self, adapter: object, cases: Sequence[Case]) -> None:
        self.subject, self.cases = subjects.DirectSubject(adapter), tuple(cases)

    @cached_property
    def report(self) -> Report:
        """The report on all cases, run when it is first asked for."""
        chosen = [
            (topic, [case for case in topic.cases if case in self.cases]) for topic in load_topics()
        ]
        return suite.run(self.subject, [(topic, cases) for topic, cases in chosen if cases])


class Check:
    """One case and the session to which it belongs."""

    def __init__(self, case: Case, session: Session) -> None:
        self.case, self.session = case, session

    def check(self) -> None:
        """Run the case; raise AssertionError with the failure and its diagnosis if it is wrong.

        `unittest.SkipTest`, which pytest shows as skipped, if the adapter does not support it.
        """
        (topic,) = [topic for topic in load_topics() if topic.name == self.case.topic]
        alone = suite.run(self.session.subject, [(topic, [self.case])])
        if alone.outcomes[0].status == "skipped":
            raise unittest.SkipTest(alone.outcomes[0].reason)
        if not alone.failures:
            return
        whole = self.session.report
        if self.case.id not in whole.diagnoses:  # wrong now, but right in the whole run
            whole = alone
        (outcome,) = (found for found in whole.outcomes if found.case.id == self.case.id)
        if outcome.status == "blocked":
            outcome = dataclasses.replace(outcome, status="failed")
        lines = [*run_report.failure(whole, outcome), "", "All checks of this session:"]
        raise AssertionError("\n".join([*lines, *run_report.summary(whole)]))

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
    only, skip : sequence of str
        Globs of case ids or topics.
    xfail : sequence of str
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
    ValueError
        If there is no such family, or no case is left, since a test without cases would pass.

    Examples
    --------
    >>> from kan_ref.conformance.adapters.reference import Reference
    >>> for parameter in pytest_cases(Reference, only=["count_parameters"]):
    ...     parameter.values[0].check()
    """
    import pytest

    if family not in families():
        raise ValueError(f"family is {family!r}, but must be one of {', '.join(families())}")
    subject = adapter() if isinstance(adapter, type) else adapter
    chosen = [
        case
        for _, cases in suite.choose(only, skip, family=family)
        for case in cases
        if case.kind == "required" and hasattr(subject, case.method)
    ]
    if not chosen:
        raise ValueError(f"{type(subject).__name__} has no method that a chosen case calls")
    session = Session(subject, chosen)
    listed = [pytest.mark.xfail(reason="listed as failing")]
    return [
        pytest.param(Check(case, session), id=case.id, marks=listed if matches(case, xfail) else [])
        for case in chosen
    ]
