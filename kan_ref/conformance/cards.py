"""Report cards: test the libraries of `cards.toml`, and write their records and the page of them.

    python -m kan_ref.conformance report                  test what is installed, write the page
    python -m kan_ref.conformance report --only pykan     one of them
    python -m kan_ref.conformance report --render         write the page from the records alone

A record is what one run of a library in one precision gave, a line of JSON: its versions, counts by
topic, and the cases of each finding. The page is made from the records and `cards.toml` alone. It
names a defect only if `cards.toml` says which line of the library's source causes it; facts, such
as exceptions, are shown as observed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kan_ref.conformance import suite
from kan_ref.conformance.cases import BSPLINE, HOME, contract_version, load_topics
from kan_ref.conformance.judge import BAD
from kan_ref.conformance.name import FACTS
from kan_ref.conformance.report import notes
from kan_ref.conformance.subjects import AdapterProcess, Limits
from kan_ref.conformance.suite import Report
from kan_ref.files import replace_file
from kan_ref.program import check_output

Record = Mapping[str, Any]
COUNTS = ("right", *BAD, "agrees", "differs", "skipped")
PATIENCE = 120.0  # seconds for a case, or to load the library: some compile for each case
SHOWN = 4  # cases that the page names for a defect


@dataclass(frozen=True)
class Library:
    """One implementation; `cards.toml` says what the fields hold."""

    name: str
    title: str
    adapter: str
    distributions: Sequence[str]
    remark: str
    dtypes: Sequence[str] = ("float64", "float32")
    checkout: str = ""
    family: str = BSPLINE


TABLES = tomllib.loads((HOME / "cards.toml").read_text(encoding="utf-8"))
LIBRARIES = tuple(Library(**row) for row in TABLES["library"])
EVIDENCE = {
    (library, row["flag"]): (place, row["cause"])
    for row in TABLES["evidence"]
    for library, place in row["at"].items()
}


# --- a record


def missing(library: Library) -> list[str]:
    """Return what a library needs and this machine does not have."""
    found = []
    if library.checkout and not os.environ.get(library.checkout):
        found.append(f"the checkout that the variable {library.checkout} should name")
    for name in library.distributions:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def measure(library: Library, dtype: str, timeout: float = PATIENCE) -> dict[str, Any]:
    """Test a library in one precision and return the record.

    RuntimeError if its adapter cannot be built, or a case exceeds the time limit: that may be due
    to this machine and not to the library.
    """
    from tqdm import tqdm

    try:
        limits = Limits(timeout=timeout, start_timeout=max(timeout, Limits.start_timeout))
        subject = AdapterProcess(library.adapter, dtype, limits)
    except RuntimeError as error:
        raise RuntimeError(f"{library.name} cannot be tested: {error}") from error
    try:
        chosen = suite.choose(family=library.family)
        with tqdm(
            total=sum(len(cases) for _, cases in chosen),
            desc=f"{library.name} {dtype}",
            leave=False,
            disable=None,
        ) as bar:
            report = suite.run(subject, chosen, callback=lambda _: bar.update())
    finally:
        subject.close()
    late = [one.case.id for one in report.outcomes if "no answer within" in one.verdict.message]
    if late:
        raise RuntimeError(
            f"{library.name} did not answer {len(late)} cases within {timeout:g} s, {late[0]} first"
        )
    return record(library, report)


def record(library: Library, report: Report) -> dict[str, Any]:
    """Return a run as plain data. A case that is not named in it passed."""
    versions = _checkout(library) | {name: version(name) for name in library.distributions}
    status = {outcome.case.id: outcome.status for outcome in report.outcomes}
    findings = [
        {"name": one.name, "detail": one.detail}
        | {bad: [case for case in one.cases if status[case] == bad] for bad in BAD}
        for one in report.findings
    ]
    return {
        "name": library.name,
        "dtype": report.dtype,
        "versions": versions | {"python": platform.python_version()},
        "kan_ref": version("kan_ref"),
        "contract": contract_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "cases": len(report.outcomes),
        "topics": _topics(report),
        "findings": findings,
    } | {name: [case for case in status if status[case] == name] for name in ("differs", "skipped")}


def _checkout(library: Library) -> dict[str, str]:
    """Return the commit of a library that is tested from a checkout, else nothing."""
    if not library.checkout:
        return {}
    folder = os.environ[library.checkout]
    command = ["git", "-C", folder, "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {library.name: done.stdout.strip() or "unknown commit"}


def _topics(report: Report) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for outcome in report.outcomes:
        empty = dict.fromkeys(COUNTS, 0) | {"worst_error": None}
        counts = found.setdefault(outcome.case.topic, empty)
        passed = "right" if outcome.case.kind == "required" else "agrees"
        counts[passed if outcome.status == "passed" else outcome.status] += 1
        if 0.0 <= (error := outcome.verdict.relative) < float("inf"):
            counts["worst_error"] = max(counts["worst_error"] or 0.0, float(f"{error:.3g}"))
    return found


def case_outcome(record: Record, case: str) -> str:
    """Return "passed", "failed" (blocked cases too), "differs" or "skipped"."""
    if any(case in _cases(one) for one in record["findings"]):
        return "failed"
    return next((name for name in ("differs", "skipped") if case in record[name]), "passed")


def totals(record: Record) -> tuple[int, int, int, int]:
    """Return four numbers: right and all answers to required cases, then the same of open ones."""
    sums = {name: sum(topic[name] for topic in record["topics"].values()) for name in COUNTS}
    required, free = sums["right"] + sum(sums[bad] for bad in BAD), sums["agrees"] + sums["differs"]
    return sums["right"], required, sums["agrees"], free


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file, in the order of `cards.toml`; ValueError for other lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return in_order([json.loads(line) for line in lines])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} has a line that is not a record of a library of cards.toml ({error}): restore "
            "the file, or remove the line and test the library again"
        ) from error


def in_order(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records in the order of `cards.toml`."""
    places = [(library.name, dtype) for library in LIBRARIES for dtype in library.dtypes]
    return sorted(records, key=lambda one: places.index((one["name"], one["dtype"])))


def dump(records: Iterable[Record]) -> str:
    """Return records as lines of JSON, sorted so that a new run changes one line."""
    ordered = sorted(records, key=lambda one: (one["name"], one["dtype"]))
    return "".join(
        json.dumps(one, separators=(",", ":"), allow_nan=False) + "\n" for one in ordered
    )


# --- the page


def page(records: Sequence[Record]) -> str:
    """Return the page in Markdown."""
    own = {library.name: library for library in LIBRARIES}
    families = {name: library.family for name, library in own.items()}
    splines = [one for one in records if families[one["name"]] == BSPLINE]
    others = [
        (one["name"], f"`{families[one['name']]}`", one["dtype"], "{}/{}".format(*totals(one)))
        for one in records
        if families[one["name"]] != BSPLINE
    ]
    parts = [
        *(TABLES["head"], "## All of them\n", *_results(splines)),
        *("", "## Other basis functions\n", TABLES["families"]),
        *_table(("implementation", "family", "precision", "required cases right"), others),
        *("", "## Known defects, and the cases that show them\n"),
        *_table(("implementation", "defect", "case", "outcome"), _known(records)),
        *("", "Also known, but outside the protocol:", ""),
        *_table(
            ("implementation", "defect", "why no case tests it"),
            [(row["library"], row["defect"], row["why"]) for row in TABLES["beyond"]],
        ),
        "",
    ]
    for library in LIBRARIES:
        if mine := [one for one in records if one["name"] == library.name]:
            parts += [f"## {library.title}\n", library.remark, ""]
            parts += [line for one in mine for line in _section(one)]
    left_out = [(row["name"], row["why"]) for row in TABLES["left_out"]]
    parts += ["## Considered and left out\n", *_table(("implementation", "why"), left_out)]
    return "\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; a bar within a cell would end it."""
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in [head, *rows]]
    first, *others = [f"| {' | '.join(row)} |" for row in escaped]
    return [first, "|---|" + "---|" * (len(head) - 1), *others]


def _results(records: Sequence[Record]) -> list[str]:
    """Return the table of all topics: a column for each library in float64."""
    shown = [one for one in records if one["dtype"] == "float64"]
    single = {
        one["name"]: "{}/{}".format(*totals(one)) for one in records if one["dtype"] == "float32"
    }
    topics = [
        topic.name for topic in load_topics() if any(topic.name in r["topics"] for r in shown)
    ]
    rows = [[f"`{name}`", *(_cell(one["topics"].get(name)) for one in shown)] for name in topics]
    rows.append(["**all required**", *("**{}/{}**".format(*totals(one)) for one in shown)])
    rows.append(["the same, float32", *(single.get(one["name"], "-") for one in shown)])
    return _table(["float64", *(one["name"] for one in shown)], rows)


def _cell(topic: Mapping[str, int] | None) -> str:
    if topic is None:
        return "not tested"
    right, required, agrees, free = totals({"topics": {"": topic}})
    more = f"({agrees}/{free})" if free else ""
    return f"{right}/{required} {more}".strip() if required else more or "-"


def _known(records: Sequence[Record]) -> Iterator[Sequence[str]]:
    by_name = {one["name"]: one for one in records if one["dtype"] == "float64"}
    for row in TABLES["known"]:
        for name in row["libraries"]:
            if name in by_name:
                result = case_outcome(by_name[name], row["case"])
                yield name, row["defect"], f"`{row['case']}`", result


def _section(record: Record) -> list[str]:
    """Return the lines on one record: its numbers, its named findings, its largest errors."""
    right, required, agrees, free = totals(record)
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    named = [
        one
        for one in record["findings"]
        if _is_fact(one) or (record["name"], one["name"]) in EVIDENCE
    ]
    ordered = sorted(named, key=lambda one: (_is_fact(one), -len(_cases(one)), one["name"]))
    explained = {case for one in named for case in _cases(one)}
    others = {case for one in record["findings"] for case in _cases(one)} - explained
    conventions = {topic.name for topic in load_topics() if topic.is_convention}
    worst = [
        f"`{name}` {topic['worst_error']:.2g}"
        for name, topic in record["topics"].items()
        if topic["worst_error"] and name not in conventions
    ]
    lines = [
        f"**{record['dtype']}**, {record['date']}, contract {record['contract']}: {right} of "
        f"{required} required cases right; {agrees} of {free} open answers are those of the "
        f"vectors. {versions}.",
        "",
        *(f"- {_finding(record['name'], one)}" for one in ordered),
    ]
    if others:
        lines.append(f"- Failures that are not named: {len(others)}.")
    if worst:
        said = f"Largest errors, in units of an answer's largest number: {', '.join(worst)}."
        lines += ["", said]
    return [*lines, ""]


def _finding(library: str, one: Record) -> str:
    """Return a finding with its cases, and for a defect the line of the source that was read."""
    cases, flag = _cases(one), one["name"]
    named = ", ".join(f"`{case}`" for case in cases[:SHOWN])
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    link = f"[{flag}](conformance.md#{flag.lower()}), {len(cases)}"
    if _is_fact(one):
        return f"{link}: {one['detail'].replace('|', '/')} ({named}{more})"
    place, cause = EVIDENCE[library, flag]
    file, _, lines = place.partition(":")
    said = f"`{file}`, {'lines' if ' ' in lines else 'line'} {lines}"
    if file in TABLES["links"]:
        said = f"[{said}]({TABLES['links'][file]}#L{lines.split()[0]})"
    return f"{link}: {notes()[flag]['defect']} ({named}{more}). Source: {said}: {cause}."


def _is_fact(one: Record) -> bool:
    return one["name"] in FACTS and one["name"] != "NotNamed"


def _cases(one: Record) -> list[str]:
    return [case for bad in BAD for case in one[bad]]


# --- the program


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line of `report`."""
    found = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance report",
        description="Test the libraries of cards.toml. Exit status: 0 even if cases fail; 1 if a "
        "library that was named is not installed, one cannot be tested, or there are no records; "
        "2 for wrong arguments; 130 after Ctrl-C.",
    )
    names = [library.name for library in LIBRARIES]
    found.add_argument(
        "--only",
        action="append",
        default=[],
        choices=names,
        metavar="NAME",
        help=f"one library, repeatable: {', '.join(names)}",
    )
    found.add_argument("--dtype", choices=("float64", "float32"), help="one precision only")
    found.add_argument(
        "--out",
        type=Path,
        default=Path("docs"),
        metavar="DIR",
        help="folder of report_cards.jsonl and report_cards.md (default %(default)s)",
    )
    found.add_argument(
        "--timeout",
        type=float,
        default=PATIENCE,
        metavar="S",
        help="seconds for one case (default %(default)g)",
    )
    found.add_argument(
        "--render", action="store_true", help="write the page from the records, and test nothing"
    )
    return found


def main(arguments: Sequence[str]) -> int:
    """Test the libraries, write records and page, and return the exit status."""
    line = parser()
    options = line.parse_args(arguments)
    file, status = options.out / "report_cards.jsonl", 0
    check_output(line, "--out", file, makes_folder=True)
    try:
        before = read_records(file) if file.exists() else []
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    records = {(one["name"], one["dtype"]): one for one in before}
    options.out.mkdir(parents=True, exist_ok=True)
    for library in () if options.render else LIBRARIES:
        if options.only and library.name not in options.only:
            continue
        if absent := missing(library):
            print(f"{library.name} is left out: {', '.join(absent)} is not installed")
            status = max(status, int(bool(options.only)))
            continue
        for dtype in [dtype for dtype in library.dtypes if options.dtype in (None, dtype)]:
            try:
                found = measure(library, dtype, options.timeout)
            except RuntimeError as error:
                print(f"{error}; its record is not changed", file=sys.stderr)
                status = 1
                continue
            records[library.name, dtype] = found
            replace_file(os.fspath(file), dump(records.values()).encode())
            print(f"{library.name} {dtype}: {'{} of {}'.format(*totals(found))} right", flush=True)
    if not records:
        print(f"{file} has no record, so there is no page", file=sys.stderr)
        return 1
    replace_file(os.fspath(file.with_suffix(".md")), page(in_order(records.values())).encode())
    return status
