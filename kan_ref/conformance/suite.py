"""A run: call the subject for every case, judge the answers, and report the outcomes.

Topics run from basic to composed. Where a topic on which another depends has failed, failures of
the other topic are reported as `blocked`. `diagnosis` names defects, and says how certain they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kan_ref.conformance.behaviour import behaviour
from kan_ref.conformance.cases import BSPLINE, Case, Topic, matches, topics_of
from kan_ref.conformance.judge import Verdict, judge
from kan_ref.conformance.outcomes import BAD, Outcome
from kan_ref.conformance.run_report import Report as Report
from kan_ref.conformance.run_report import lines as lines
from kan_ref.conformance.run_report import notes as notes
from kan_ref.conformance.subjects import Subject


def choose(
    only: Sequence[str] = (), skip: Sequence[str] = (), *, family: str = BSPLINE
) -> list[tuple[Topic, list[Case]]]:
    """Return the topics of a family, basic ones first, with the cases that the globs select.

    `family` is "bspline", the paper's basis functions, or one whose cases are counted apart.
    """
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
    chosen : from `choose`, optional
    xfail : sequence of globs
        Cases known to fail.
    dtype : "float64" or "float32"
        Precision of the arrays that the subject is given. In float32 only cases whose numbers are
        exact in it are run, with tolerances 2^29 times as wide.
    callback : callable, optional
        Called with each outcome.

    Returns
    -------
    report : Report
    """
    outcomes: list[Outcome] = []
    broken: dict[str, str] = {}
    behaviours: dict[str, tuple[str, ...]] = {}
    for topic, cases in choose() if chosen is None else chosen:
        blocked_by = next((need for need in topic.needs if need in broken), None)
        for case in cases:
            outcome = _outcome(subject, case, matches(case, xfail), dtype, blocked_by)
            if outcome.status in BAD:
                broken[topic.name] = case.id
                if outcome.verdict.kind == "values":
                    if case.method not in behaviours:
                        behaviours[case.method] = behaviour(subject, case)
                    certain = behaviours[case.method] or outcome.verdict.certain
                    outcome = replace(outcome, verdict=replace(outcome.verdict, certain=certain))
            outcomes.append(outcome)
            if callback is not None:
                callback(outcome)
    return Report(subject.name, dtype, tuple(outcomes))


def _outcome(
    subject: Subject, case: Case, listed: bool, dtype: str, blocked_by: str | None
) -> Outcome:
    if dtype == "float32" and not case.float32:
        return Outcome(case, "skipped", "its numbers are not exact in float32")
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
