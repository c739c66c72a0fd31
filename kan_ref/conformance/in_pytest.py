"""Conformance cases as parameters of an adopter's own tests."""

from collections.abc import Sequence
from typing import Any

from kan_ref.conformance import subjects, suite
from kan_ref.conformance.cases import BSPLINE, Case, load_topics, matches


class Check:
    """One case and the adapter that should pass it."""

    def __init__(self, case: Case, adapter: object) -> None:
        self.case, self.adapter = case, adapter

    def check(self) -> None:
        """Run the case; raise AssertionError with the report if the answer is wrong."""
        (topic,) = [topic for topic in load_topics() if topic.name == self.case.topic]
        report = suite.run(subjects.DirectSubject(self.adapter), [(topic, [self.case])])
        if report.failures:
            raise AssertionError("\n".join(suite.lines(report)))

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
        Each holds one `Check`; its id is the case's.

    Raises
    ------
    ValueError
        If no case is left, since a test without cases would pass.

    Examples
    --------
    >>> from kan_ref.conformance.adapters.reference import Reference
    >>> for parameter in pytest_cases(Reference, only=["count_parameters"]):
    ...     parameter.values[0].check()
    """
    import pytest

    subject = adapter() if isinstance(adapter, type) else adapter
    found = []
    for _, cases in suite.choose(only, skip, family=family):
        for case in cases:
            if case.kind == "required" and hasattr(subject, case.method):
                marks = (
                    [pytest.mark.xfail(reason="listed as failing")] if matches(case, xfail) else []
                )
                found.append(pytest.param(Check(case, subject), id=case.id, marks=marks))
    if not found:
        raise ValueError(f"{type(subject).__name__} has no method that a chosen case calls")
    return found
