"""The report of a run: its counts and findings, as text, as JSON, and as a badge."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kan_ref.conformance.cases import SCHEMA_VERSION, contract_version, load_topics
from kan_ref.conformance.judge import RIGHT, Outcome
from kan_ref.conformance.name import FACTS, NOT_NAMED, RESEMBLES, Finding, findings

PAGE = "docs/conformance.md"


@dataclass(frozen=True, eq=False)
class Report:
    """All outcomes of a run, in order."""

    subject: str
    dtype: str
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """Wrong answers to required cases that are neither listed as failing nor blocked."""
        return tuple(one for one in self.outcomes if one.status == "failed")

    @property
    def required(self) -> list[Outcome]:
        """The required cases, whatever has become of them."""
        return [one for one in self.outcomes if one.case.kind == "required"]

    @property
    def n_passed(self) -> int:
        """Number of cases with the right answer."""
        return _n_right(self.outcomes)

    @property
    def last_line(self) -> str:
        """The last line of a run; skipped are also blocked, listed and other open answers."""
        n_failed = len(self.failures)
        n_skipped = len(self.outcomes) - self.n_passed - n_failed
        return f"{self.n_passed} passed, {n_failed} failed, {n_skipped} skipped"

    @cached_property
    def findings(self) -> list[Finding]:
        """The facts and the known defects that failures show, with their cases."""
        return findings(self.outcomes)

    @cached_property
    def counted(self) -> list[tuple[Finding, int]]:
        """The findings that failures show which are not blocked, with the number of these."""
        failed = {one.case.id for one in self.failures}
        counts = [(one, len(failed.intersection(one.cases))) for one in self.findings]
        return [(one, n) for one, n in counts if n]

    @property
    def defects(self) -> list[tuple[str, int]]:
        """The names of these findings, with the same numbers."""
        return [(one.name, n) for one, n in self.counted]


def _n_right(outcomes: Iterable[Outcome]) -> int:
    return sum(one.status in RIGHT for one in outcomes)


def notes() -> dict[str, dict[str, str]]:
    """Return flag or fact -> {"defect", "page"}."""
    facts = {
        name: {"defect": text, "page": f"{PAGE}#{name.lower()}"} for name, text in FACTS.items()
    }
    return facts | {flag: dict(note) for one in load_topics() for flag, note in one.notes.items()}


# --- text


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines of text, `last_line` last."""
    for outcome in report.failures:
        yield from failure(report, outcome)
    conventions = {topic.name for topic in load_topics() if topic.is_convention}
    blocked: Counter[tuple[str, str]] = Counter()
    agrees: Counter[tuple[str, bool]] = Counter()
    unsupported: Counter[str] = Counter()
    for one in report.outcomes:
        if one.status == "blocked":
            blocked[one.case.topic, one.reason] += 1
        elif one.status == "skipped":
            unsupported[one.reason] += 1
        elif one.case.topic in conventions:
            agrees[one.case.topic, one.status != "differs"] += 1
        elif one.status in ("xfailed", "xpassed", "differs"):
            yield f"{one.status}: {one.case.id} ({one.reason})"
    for (topic, reason), n in blocked.items():
        yield f"BLOCKED {topic}: {n} cases fail too, but {reason}"
    for topic in sorted({topic for topic, _ in agrees}):
        n = agrees[topic, True]
        yield f"convention {topic}: agrees in {n} of {n + agrees[topic, False]}"
    for reason, n in unsupported.items():
        yield f"skipped {n}: {reason}"
    yield from summary(report)


def summary(report: Report) -> Iterator[str]:
    """Yield the findings and the counts, `last_line` last."""
    explained = notes()
    for one, n in report.counted:
        text = one.detail or explained[one.name]["defect"]
        yield f"{_said(one)}, {n} case{'s' * (n != 1)}: {text}"
    if any(one.name == "Float32Inside" for one, _ in report.counted):
        yield "note: numbers are those of float32; --dtype float32 tests in that precision"
    n_right, n_required = _n_right(report.required), len(report.required)
    n_skipped = sum(one.status == "skipped" for one in report.required)
    n_differ = sum(one.status == "differs" for one in report.outcomes)
    yield (
        f"{n_right} of {n_required} required cases are right, {n_skipped} skipped; of those that "
        f"the definition leaves open, {report.n_passed - n_right} agree and {n_differ} differ"
    )
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
        yield f"    off by   {verdict.relative:.3g} of the largest number"
    for one in report.findings:
        if outcome.case.id in one.cases:
            yield f"    {_said(one)}: {explained[one.name]['defect']}"
            yield f"    see      {explained[one.name]['page']}"


def _said(one: Finding) -> str:
    """Return the name of a fact, or which flag failures resemble and how well."""
    if one.kind == RESEMBLES:
        agrees = f"agreement {one.agreement:.2f}" if one.agreement else "which most of them test"
        return f"resembles {one.name}, {agrees}"
    return NOT_NAMED if one.kind == NOT_NAMED else f"fact {one.name}"


# --- files


def to_plain(report: Report) -> dict[str, Any]:
    """Return the report as plain data: counts, findings, and every case."""
    explained = notes()
    return {
        "subject": report.subject,
        "dtype": report.dtype,
        "schema": SCHEMA_VERSION,
        "contract": contract_version(),
        "summary": report.last_line,
        "required": {"cases": len(report.required), "right": _n_right(report.required)},
        "findings": [{**asdict(one), **explained[one.name]} for one in report.findings],
        "cases": [
            {
                "id": one.case.id,
                "class": one.case.kind,
                "status": one.status,
                "reason": one.reason,
                "expected": one.verdict.expected,
                "got": one.verdict.got,
                "relative": one.verdict.relative if math.isfinite(one.verdict.relative) else None,
            }
            for one in report.outcomes
        ],
    }


def badge(report: Report) -> dict[str, Any]:
    """Return the endpoint of a badge (shields.io): right among answered required cases.

    It is green only if no required case fails, listed or not.
    """
    answered = [one for one in report.required if one.status != "skipped"]
    n_right = _n_right(answered)
    return {
        "schemaVersion": 1,
        "label": f"KAN conformance {contract_version()}",
        "message": f"{n_right} of {len(answered)}",
        "color": "brightgreen" if answered and n_right == len(answered) else "orange",
    }


FORMS: dict[str, Callable[[Report], dict[str, Any]]] = {"json": to_plain, "badge": badge}


def write(report: Report, form: str, path: Path) -> None:
    """Write one of `FORMS` as JSON."""
    text = json.dumps(FORMS[form](report), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
