"""Report cards: test every installed implementation of the catalogue, and write the records.

    python -m kan_ref.conformance report                  test what is installed, write the page
    python -m kan_ref.conformance report --only pykan     one of them
    python -m kan_ref.conformance report --render         write the page from the records alone

There is one record for each implementation and precision, a line of JSON in one file, sorted by
name and precision. The file is written in one step, when a run is complete. The page (`cards_page`)
is made from the records alone.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kan_ref.conformance import suite
from kan_ref.conformance.adapters.catalogue import ENTRIES, Entry
from kan_ref.conformance.cards_page import page
from kan_ref.conformance.cases import contract_version
from kan_ref.conformance.judge import BAD
from kan_ref.conformance.subjects import AdapterProcess, Limits
from kan_ref.conformance.suite import Report
from kan_ref.files import parse_json, read_regular, replace_file
from kan_ref.program import check_output

RECORDS = Path("docs") / "report_cards.jsonl"
PLACES = [(entry.name, dtype) for entry in ENTRIES for dtype in entry.dtypes]
COUNTS = ("right", *BAD, "agrees", "differs", "skipped")
PATIENCE = 120.0  # seconds for a case, or to load the library: some compile for each case


def missing(entry: Entry) -> list[str]:
    """Return the distributions of an entry that are not installed."""
    found = []
    if entry.checkout and not os.environ.get(entry.checkout):
        found.append(f"the checkout that the variable {entry.checkout} should name")
    for name in entry.distributions:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def measure(entry: Entry, dtype: str, *, timeout: float = PATIENCE) -> dict[str, Any]:
    """Test an implementation in one precision and return the record.

    Raises
    ------
    RuntimeError
        If the adapter cannot be built, or a case exceeds the time limit: that may be due to this
        machine and not to the library.
    """
    from tqdm import tqdm

    try:
        limits = Limits(timeout=timeout, start_timeout=max(timeout, Limits.start_timeout))
        subject = AdapterProcess(entry.adapter, dtype, limits)
    except RuntimeError as error:
        raise RuntimeError(f"{entry.name} cannot be tested: {error}") from error
    try:
        chosen = suite.choose(family=entry.family)
        with tqdm(
            total=sum(len(cases) for _, cases in chosen),
            desc=f"{entry.name} {dtype}",
            leave=False,
            disable=None,
        ) as bar:
            report = suite.run(subject, chosen, callback=lambda _: bar.update())
    finally:
        subject.close()
    late = [
        outcome.case.id
        for outcome in report.outcomes
        if "no answer within" in outcome.verdict.message
    ]
    if late:
        raise RuntimeError(
            f"{entry.name} did not answer {late[0]} within {timeout:g} s, "
            f"and {len(late) - 1} cases more"
        )
    return record(entry, report)


def record(entry: Entry, report: Report) -> dict[str, Any]:
    """Return a run as plain data: versions, counts by topic, and the cases of each finding.

    A case that is not named in it passed.
    """
    status = {outcome.case.id: outcome.status for outcome in report.outcomes}
    found = [
        {
            "name": one.name,
            "detail": one.detail,
            **{bad: [case for case in one.cases if status[case] == bad] for bad in BAD},
        }
        for one in report.findings
    ]
    return {
        "name": entry.name,
        "dtype": report.dtype,
        "versions": _checkout(entry)
        | {name: version(name) for name in entry.distributions}
        | {"python": platform.python_version()},
        "kan_ref": version("kan_ref"),
        "contract": contract_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "cases": len(report.outcomes),
        "topics": _topics(report),
        "findings": found,
        "differs": [case for case, name in status.items() if name == "differs"],
        "skipped": [case for case, name in status.items() if name == "skipped"],
    }


def _checkout(entry: Entry) -> dict[str, str]:
    """Return the commit of a library that is tested from a checkout, else nothing."""
    if not entry.checkout:
        return {}
    folder = os.environ[entry.checkout]
    command = ["git", "-C", folder, "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return {entry.name: "unknown commit"}
    return {entry.name: done.stdout.strip() or "unknown commit"}


def _topics(report: Report) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for outcome in report.outcomes:
        counts = found.setdefault(
            outcome.case.topic, dict.fromkeys(COUNTS, 0) | {"worst_error": None}
        )
        required = outcome.case.kind == "required"
        counts[
            ("right" if required else "agrees") if outcome.status == "passed" else outcome.status
        ] += 1
        error = outcome.verdict.relative
        if 0.0 <= error < float("inf"):
            counts["worst_error"] = max(counts["worst_error"] or 0.0, float(f"{error:.3g}"))
    return found


def write(path: Path, text: str) -> None:
    """Write a file in one step, so that it is complete or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(os.fspath(path), text.encode())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line of `report`."""
    found = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance report",
        description="Test the implementations of the catalogue. Exit status: 0 even if cases fail; "
        "1 without a test or a record that is needed; 2 for wrong arguments; 130 after Ctrl-C.",
    )
    names = [entry.name for entry in ENTRIES]
    found.add_argument(
        "--only",
        action="append",
        default=[],
        choices=names,
        metavar="NAME",
        help=f"one implementation, repeatable: {', '.join(names)}",
    )
    found.add_argument("--dtype", choices=("float64", "float32"), help="one precision only")
    found.add_argument(
        "--out",
        type=Path,
        default=RECORDS,
        metavar="FILE",
        help="file of the records; the page is beside it, as .md (default %(default)s)",
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
    """Test the implementations, write records and page, and return the exit status.

    It is 1 if an implementation that was named is not installed, if one could not be tested, or if
    there are no records that can be read. Failed cases are results, not errors.
    """
    line = parser()
    options = line.parse_args(arguments)
    beside = options.out.with_suffix(".md")
    if options.out.suffix.lower() == ".md":
        line.error(f"--out is {options.out}, but the page has that name: end it in .jsonl")
    status = 0
    try:
        records = {
            (one["name"], one["dtype"]): one
            for one in (read_records(options.out) if os.path.exists(options.out) else [])
        }
    except ValueError as error:
        print(f"{error}; nothing is changed", file=sys.stderr)
        return 1
    for path in (beside,) if options.render else (options.out, beside):
        check_output(line, "--out", path, makes_folder=True)
    for entry in () if options.render else ENTRIES:
        if options.only and entry.name not in options.only:
            continue
        absent = missing(entry)
        if absent:
            print(f"{entry.name} is left out: {', '.join(absent)} is not installed")
            status = max(status, int(bool(options.only)))
            continue
        for dtype in entry.dtypes:
            if options.dtype in (None, dtype):
                try:
                    result = measure(entry, dtype, timeout=options.timeout)
                except RuntimeError as error:
                    print(f"{error}; its record is not changed", file=sys.stderr)
                    status = 1
                    continue
                records[entry.name, dtype] = result
                write(options.out, dump(records.values()))
                counts = {
                    name: sum(topic[name] for topic in result["topics"].values()) for name in COUNTS
                }
                shown = ", ".join(f"{n} {name}" for name, n in counts.items())
                print(f"{entry.name} {dtype}: {shown}", flush=True)
    if not records:
        print(f"{options.out} has no record, so there is no page", file=sys.stderr)
        return 1
    write(beside, page(in_order(records.values())))
    return status


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file of JSON lines, in the order of the catalogue.

    ValueError if it cannot be read.
    """
    try:
        return in_order([parse_json(line) for line in read_regular(os.fspath(path)).splitlines()])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} cannot be read: {error}; test the library again (`report --only NAME`), or "
            "restore the file"
        ) from error


def in_order(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records in the order of the catalogue."""
    return sorted(records, key=lambda one: PLACES.index((one["name"], one["dtype"])))


def dump(records: Iterable[dict[str, Any]]) -> str:
    """Return records as sorted lines of JSON."""
    ordered = sorted(records, key=lambda one: (one["name"], one["dtype"]))
    return "".join(
        json.dumps(one, separators=(",", ":"), allow_nan=False) + "\n" for one in ordered
    )
