"""The report of a run: its counts, its findings, and its text."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.judge import GOOD, RIGHT, Outcome
from kan_ref.conformance.name import FACTS, NOT_NAMED, RESEMBLES, Finding, findings

PAGE = "docs/conformance.md"


@dataclass(frozen=True, eq=False)
class Report:
    """All outcomes of a run, in order."""

    subject: str
    dtype: str
    outcomes: tuple[Outcome, ...]

    @property
    def n_passed(self) -> int:
        """Number of cases with the right answer."""
        return sum(outcome.status in RIGHT for outcome in self.outcomes)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Failures that are neither listed nor blocked."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    @property
    def n_skipped(self) -> int:
        """Number of all other cases: not supported, listed, blocked, or another open answer."""
        return len(self.outcomes) - self.n_passed - len(self.failures)

    @property
    def last_line(self) -> str:
        """The last line of a run: N passed, N failed, N skipped."""
        return f"{self.n_passed} passed, {len(self.failures)} failed, {self.n_skipped} skipped"

    @cached_property
    def findings(self) -> list[Finding]:
        """The facts and the known defects that failures show, with their cases."""
        return findings(self.outcomes)

    @cached_property
    def named(self) -> dict[str, list[Finding]]:
        """The findings of each failed or blocked case, by its id."""
        found: dict[str, list[Finding]] = {}
        for one in self.findings:
            for case in one.cases:
                found.setdefault(case, []).append(one)
        return found

    @property
    def defects(self) -> list[tuple[str, int]]:
        """Flags and facts with their numbers of failures that are not blocked."""
        failed = {outcome.case.id for outcome in self.failures}
        counts: Counter[str] = Counter()
        for one in self.findings:
            counts[one.name] += sum(case in failed for case in one.cases)
        return [(name, n) for name, n in counts.items() if n]


def notes() -> dict[str, dict[str, str]]:
    """Return flag or fact -> {"defect", "page"}: those of all topics, and the facts."""
    found = {
        name: {"defect": text, "page": f"{PAGE}#{name.lower()}"} for name, text in FACTS.items()
    }
    return found | {
        flag: dict(note) for topic in load_topics() for flag, note in topic.notes.items()
    }


# --- text


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines of text, `last_line` last."""
    for outcome in report.failures:
        yield from failure(report, outcome)
    yield from _others(report)
    yield from _conventions(report)
    yield from _unsupported(report)
    yield from summary(report)


def summary(report: Report) -> Iterator[str]:
    """Yield the findings and the counts, `last_line` last."""
    yield from _findings(report)
    required = [outcome for outcome in report.outcomes if outcome.case.kind == "required"]
    right = sum(outcome.status in RIGHT for outcome in required)
    differs = sum(outcome.status == "differs" for outcome in report.outcomes)
    line = f"{right} of {len(required)} required cases are right"
    skipped = sum(outcome.status == "skipped" for outcome in required)
    if skipped:
        line += f", {skipped} {'was' if skipped == 1 else 'were'} skipped"
    free = report.n_passed - right
    if free or differs:
        line += f"; of {free + differs} that the definition leaves open, {differs} differ"
    yield line
    yield report.last_line


def failure(report: Report, outcome: Outcome) -> Iterator[str]:
    """Yield the story of one failure."""
    verdict, explained = outcome.verdict, notes()
    yield f"FAILED {outcome.case.id} ({outcome.case.method})"
    yield f"    {verdict.message}"
    if verdict.expected or verdict.got:
        yield f"    expected {verdict.expected}"
        yield f"    got      {verdict.got}"
    if not math.isnan(verdict.relative):
        places = "" if math.isnan(verdict.ulp) else f"{verdict.ulp:.3g} ulp, "
        yield f"    off by   {places}{verdict.relative:.3g} of the largest number"
    if outcome.status == "blocked":
        yield f"    blocked  {outcome.reason}"
    for one in report.named[outcome.case.id]:
        if one.kind == NOT_NAMED:
            yield f"    {NOT_NAMED}"
        else:
            yield f"    {_said(one)}: {explained[one.name]['defect']}"
            yield f"    see      {explained[one.name]['page']}"


def _said(one: Finding) -> str:
    """Return the name of a fact, or which flag failures resemble and how well."""
    if one.kind == RESEMBLES:
        agrees = f"agreement {one.agreement:.2f}" if one.agreement else "which most of them test"
        return f"resembles {one.name}, {agrees}"
    return f"fact     {one.name}"


def _others(report: Report) -> Iterator[str]:
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
                n = sum((one.case.topic, one.reason) == (topic, reason) for one in chosen)
                yield f"BLOCKED {topic}: {n} cases fail too, but {reason}"
        else:
            for outcome in chosen:
                yield f"{words}: {outcome.case.id}" + (
                    f" ({outcome.reason})" if status == "differs" else ""
                )


def _conventions(report: Report) -> Iterator[str]:
    for name in sorted(topic.name for topic in load_topics() if topic.is_convention):
        asked = [
            outcome
            for outcome in report.outcomes
            if outcome.case.topic == name and outcome.status in GOOD
        ]
        if asked:
            n_equal = sum(outcome.status != "differs" for outcome in asked)
            yield f"convention {name}: agrees in {n_equal} of {len(asked)}"


def _unsupported(report: Report) -> Iterator[str]:
    """Yield the methods without answers, with numbers where only some cases have none."""
    without = Counter(
        outcome.case.method
        for outcome in report.outcomes
        if outcome.reason.endswith("is not supported")
    )
    # cases that are skipped for another reason, such as the precision, were not asked
    asked = without + Counter(one.case.method for one in report.outcomes if one.status != "skipped")
    if without:
        shown = (
            name if n == asked[name] else f"{name} ({n} of {asked[name]} cases)"
            for name, n in sorted(without.items())
        )
        yield f"not supported: {', '.join(shown)}"


def _findings(report: Report) -> Iterator[str]:
    failed = {outcome.case.id for outcome in report.failures}
    explained = notes()
    for one in report.findings:
        n = sum(case in failed for case in one.cases)
        cases = f"{n} case{'s' if n != 1 else ''}"
        if n and one.kind == NOT_NAMED:
            yield f"{NOT_NAMED}: {cases}"
        elif n:
            text = one.detail if one.name in FACTS else explained[one.name]["defect"]
            yield f"{' '.join(_said(one).split())}, {cases}: {text}"
    if any(one.name == "Float32Inside" for one in report.findings):
        yield (
            "note: numbers are those of float32; "
            "--dtype float32 tests an implementation in that precision"
        )
