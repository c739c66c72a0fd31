"""A run: call the subject for every case, judge the answers, and diagnose the failures.

Topics run from basic to composed. Where a topic on which another depends has failed, failures of
the other topic are reported as `blocked`.

The likely defect of a failure is the flag of a known defect that gives exactly the same numbers. If
several do, or if none does, it is the flag that best separates failed from passed cases in the
whole run (harmonic mean of precision and recall).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kan_ref.conformance.behaviour import behaviour
from kan_ref.conformance.cases import BSPLINE, Case, Topic, load_topics, matches, topics_of
from kan_ref.conformance.judge import Verdict, judge
from kan_ref.conformance.subjects import Subject

# rounding of float32, in units of the largest number: above any tolerance, below other errors
FLOAT32_ERRORS = (1e-10, 3e-5)
GOOD = ("passed", "differs", "xpassed")


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
    verdict: Verdict = field(default_factory=lambda: Verdict(True))


@dataclass(frozen=True, eq=False)
class Report:
    """All outcomes of a run, in order."""

    subject: str
    dtype: str
    outcomes: tuple[Outcome, ...]

    @property
    def n_passed(self) -> int:
        """Number of cases whose answer is allowed."""
        return sum(outcome.status in GOOD for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Failures that are neither listed nor blocked."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    @property
    def n_skipped(self) -> int:
        """Number of all other cases: not supported, listed as failing, or blocked."""
        return len(self.outcomes) - self.n_passed - len(self.failures)

    @property
    def last_line(self) -> str:
        """The last line of a run: N passed, N failed, N skipped."""
        return f"{self.n_passed} passed, {len(self.failures)} failed, {self.n_skipped} skipped"

    @cached_property
    def likely(self) -> dict[str, str]:
        """The likely defect of each failed or blocked case: case id -> flag."""
        return _diagnose(self.outcomes, self.dtype)

    @property
    def defects(self) -> list[tuple[str, int]]:
        """Likely defects of the run, the one with most failures first."""
        return Counter(self.likely[outcome.case.id] for outcome in self.failures).most_common()


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
            if outcome.status in ("failed", "blocked"):
                broken[topic.name] = case.id
                if case.method not in behaviours:
                    behaviours[case.method] = behaviour(subject, case)
                if behaviours[case.method]:
                    outcome = replace(
                        outcome, verdict=replace(outcome.verdict, defects=behaviours[case.method])
                    )
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
        Verdict(False, answer.error)
        if answer.error is not None
        else judge(case, answer.result, dtype)
    )
    if verdict.right:
        return Outcome(
            case,
            "xpassed" if listed else "passed",
            "listed as failing, but passes" if listed else "",
        )
    if case.kind != "required":
        return Outcome(case, "differs", f"{case.kind}: {verdict.message}", verdict)
    if listed:
        return Outcome(case, "xfailed", verdict.message, verdict)
    if blocked_by is not None:
        return Outcome(case, "blocked", f"{blocked_by} must be right first", verdict)
    return Outcome(case, "failed", verdict.message, verdict)


# --- diagnosis


def _diagnose(outcomes: Sequence[Outcome], dtype: str) -> dict[str, str]:
    judged = [outcome for outcome in outcomes if outcome.status in ("passed", "failed", "blocked")]
    bad = [outcome for outcome in judged if outcome.status != "passed"]
    answered = Counter(flag for outcome in bad for flag in outcome.verdict.defects)
    marked = Counter(mark.flag for outcome in judged for mark in outcome.case.marks)
    found = {}
    for outcome in bad:
        case, low_high = outcome.case, FLOAT32_ERRORS
        if outcome.verdict.defects:
            # the defect that passed cases contradict least, then the one with most failed cases
            found[case.id] = max(
                outcome.verdict.defects,
                key=lambda flag: (answered[flag] / max(1, marked[flag]), answered[flag]),
            )
        elif (
            dtype == "float64"
            and low_high[0] < outcome.verdict.relative < low_high[1]
            and case.method != "fit_affine"
        ):
            found[case.id] = "KnotPrecision" if case.method == "uniform_knots" else "Float32Inside"
        else:
            peers = [other for other in judged if other.case.method == case.method]
            scores = {flag: _score(flag, peers) for flag in case.flags}
            found[case.id] = max(case.flags, key=scores.__getitem__)
    return found


def _score(flag: str, outcomes: Sequence[Outcome]) -> float:
    """Return how well a flag separates failed from passed cases.

    It is the harmonic mean of two shares: the failed cases among those with the flag, and the cases
    with the flag among those that failed.
    """
    failed = [outcome for outcome in outcomes if outcome.status != "passed"]
    both = sum(flag in outcome.case.flags for outcome in failed)
    either = len(failed) + sum(flag in outcome.case.flags for outcome in outcomes)
    return 2.0 * both / either if either else 0.0


def notes() -> dict[str, dict[str, str]]:
    """Return flag -> {"defect", "page"} of all topics."""
    return {flag: dict(note) for topic in load_topics() for flag, note in topic.notes.items()}


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines of text, `last_line` last."""
    explained = notes()
    for outcome in report.failures:
        verdict, flag = outcome.verdict, report.likely[outcome.case.id]
        yield f"FAILED {outcome.case.id} ({outcome.case.method})"
        yield f"    {verdict.message}"
        if verdict.expected or verdict.got:
            yield f"    expected {verdict.expected}"
            yield f"    got      {verdict.got}"
        if not math.isnan(verdict.relative):
            places = "" if math.isnan(verdict.ulp) else f"{verdict.ulp:.3g} ulp, "
            yield f"    off by   {places}{verdict.relative:.3g} of the largest number"
        yield f"    likely   {flag}: {explained[flag]['defect']}"
        yield f"    see      {explained[flag]['page']}"
    conventions = {topic.name for topic in load_topics() if topic.is_convention}
    for status, words in (
        ("blocked", "blocked"),
        ("xfailed", "failed as listed"),
        ("xpassed", "listed as failing, but passes"),
        ("differs", "differs"),
    ):
        chosen = [
            outcome
            for outcome in report.outcomes
            if outcome.status == status and outcome.case.topic not in conventions
        ]
        if status == "blocked" and chosen:
            for topic, reason in dict.fromkeys(
                (outcome.case.topic, outcome.reason) for outcome in chosen
            ):
                n = sum(outcome.case.topic == topic for outcome in chosen)
                yield f"BLOCKED {topic}: {n} cases fail too, but {reason}"
        else:
            for outcome in chosen:
                yield f"{words}: {outcome.case.id}" + (
                    f" ({outcome.reason})" if status == "differs" else ""
                )
    for name in sorted(conventions):
        asked = [
            outcome
            for outcome in report.outcomes
            if outcome.case.topic == name and outcome.status in GOOD
        ]
        if asked:
            n_equal = sum(outcome.status != "differs" for outcome in asked)
            yield f"convention {name}: agrees in {n_equal} of {len(asked)}"
    unsupported = sorted(
        {
            outcome.case.method
            for outcome in report.outcomes
            if outcome.reason.endswith("is not supported")
        }
    )
    if unsupported:
        yield f"not supported: {', '.join(unsupported)}"
    if report.defects:
        yield "likely defects: " + ", ".join(f"{flag} ({n})" for flag, n in report.defects)
        if report.defects[0][0] == "Float32Inside":
            yield (
                "note: most errors have the size of float32 rounding errors; "
                "--dtype float32 tests an implementation in that precision"
            )
    yield report.last_line
