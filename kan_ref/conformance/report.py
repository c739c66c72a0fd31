"""A report as files: JSON for programs, JUnit XML for continuous integration, and a badge."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from kan_ref.conformance.cases import SCHEMA_VERSION, contract_version, load_topics
from kan_ref.conformance.judge import GOOD, RIGHT, Outcome
from kan_ref.conformance.run_report import Report, notes


def to_plain(report: Report) -> dict[str, Any]:
    """Return the report as plain data: counts by topic, likely defects, every case."""
    explained = notes()
    required = [outcome for outcome in report.outcomes if outcome.case.kind == "required"]
    return {
        "subject": report.subject,
        "dtype": report.dtype,
        "schema": SCHEMA_VERSION,
        "contract": contract_version(),
        "required": {
            "cases": len(required),
            "right": sum(outcome.status in RIGHT for outcome in required),
        },
        "passed": report.n_passed,
        "failed": len(report.failures),
        "skipped": report.n_skipped,
        "topics": _by_topic(report),
        "findings": [
            {
                "name": one.name,
                "kind": one.kind,
                "agreement": one.agreement,
                **explained[one.name],
                "detail": one.detail,
                "cases": list(one.cases),
            }
            for one in report.findings
        ],
        "cases": [_case(report, outcome) for outcome in report.outcomes],
    }


def badge(report: Report) -> dict[str, Any]:
    """Return the endpoint of a badge (shields.io): right among answered required cases.

    Cases of methods that the subject does not support are not counted. It is green only if no
    required case fails, listed or not.
    """
    answered = [
        outcome
        for outcome in report.outcomes
        if outcome.case.kind == "required" and outcome.status != "skipped"
    ]
    right = sum(outcome.status in RIGHT for outcome in answered)
    return {
        "schemaVersion": 1,
        "label": f"KAN conformance {contract_version()}",
        "message": f"{right} of {len(answered)}",
        "color": "brightgreen" if answered and right == len(answered) else "orange",
    }


def _by_topic(report: Report) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for topic in load_topics():
        mine = [outcome for outcome in report.outcomes if outcome.case.topic == topic.name]
        if mine:
            counts = {
                status: sum(outcome.status == status for outcome in mine)
                for status in sorted({outcome.status for outcome in mine})
            }
            errors = [
                outcome.verdict.relative
                for outcome in mine
                if math.isfinite(outcome.verdict.relative)
            ]
            found[topic.name] = {**counts, "worst_relative_error": max(errors, default=None)}
    return found


def _case(report: Report, outcome: Outcome) -> dict[str, Any]:
    verdict, case = outcome.verdict, outcome.case
    plain: dict[str, Any] = {"id": case.id, "class": case.kind, "status": outcome.status}
    if outcome.reason:
        plain["reason"] = outcome.reason
    if not verdict.right:
        numbers: Mapping[str, Any] = {
            "expected": verdict.expected,
            "got": verdict.got,
            "ulp": verdict.ulp,
            "relative": verdict.relative,
        }
        plain |= {
            name: value if isinstance(value, str) or math.isfinite(value) else str(value)
            for name, value in numbers.items()
        }
    if found := report.named.get(outcome.case.id):
        plain["findings"] = [one.name for one in found]
    return plain


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    text = json.dumps(to_plain(report), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_badge(report: Report, path: Path) -> None:
    """Write the endpoint of the badge as JSON."""
    path.write_text(json.dumps(badge(report)) + "\n", encoding="utf-8")


def write_junit(report: Report, path: Path) -> None:
    """Write the report as JUnit XML: a test suite for each topic, a test case for each case."""
    root = ElementTree.Element("testsuites", name=f"kan_ref.conformance: {report.subject}")
    explained = notes()
    for topic in load_topics():
        mine = [outcome for outcome in report.outcomes if outcome.case.topic == topic.name]
        if not mine:
            continue
        n_failed = sum(outcome.status == "failed" for outcome in mine)
        n_skipped = sum(outcome.status not in (*GOOD, "failed") for outcome in mine)
        counts: dict[str, str] = {
            "tests": str(len(mine)),
            "failures": str(n_failed),
            "skipped": str(n_skipped),
        }
        suite = ElementTree.SubElement(root, "testsuite", {"name": topic.name, **counts})
        for outcome in mine:
            entry = ElementTree.SubElement(
                suite, "testcase", classname=topic.name, name=outcome.case.id
            )
            if outcome.status == "failed":
                one = report.named[outcome.case.id][0]
                failure = ElementTree.SubElement(
                    entry, "failure", message=_printable(outcome.reason), type=one.name
                )
                failure.text = _printable(
                    f"expected {outcome.verdict.expected}, got {outcome.verdict.got}; "
                    f"{one.kind}: {explained[one.name]['defect']}"
                )
            elif outcome.status not in GOOD:
                ElementTree.SubElement(
                    entry, "skipped", message=_printable(f"{outcome.status}: {outcome.reason}")
                )
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


WRITERS: dict[str, Callable[[Report, Path], None]] = {  # by the options of the program
    "json": write_json,
    "junit": write_junit,
    "badge": write_badge,
}


def _printable(text: str) -> str:
    """Return the text with "?" for characters that XML does not allow."""
    return "".join(
        c
        if c in "\t\n" or 32 <= ord(c) < 0xD800 or 0xE000 <= ord(c) < 0xFFFE or ord(c) > 0xFFFF
        else "?"
        for c in text
    )
