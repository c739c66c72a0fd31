"""Report cards: every implementation of the catalogue that is installed, measured, one JSON record for each precision.

    python -m kan_ref.conformance report                  measure what is installed, write the records, draw the page
    python -m kan_ref.conformance report --only pykan     one of them
    python -m kan_ref.conformance report --render         draw the page from the records alone

A record is written only when its run is complete, in one step. The page (`cards_page`) is made of records: drawing never computes.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kan_ref.conformance import suite
from kan_ref.conformance.adapters.catalogue import ENTRIES, Entry
from kan_ref.conformance.cards_page import page
from kan_ref.conformance.subjects import START_TIMEOUT, python_adapter
from kan_ref.conformance.suite import Report
from kan_ref.files import replace_file

FOLDER = Path("docs") / "report_cards"
PATIENCE = 120.0  # seconds for a case, and for loading the library: those that compile do so anew for each case
BAD = ("failed", "blocked")


def missing(entry: Entry) -> list[str]:
    """Distributions of an entry that are not installed."""
    found = []
    for name in entry.distributions:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


def measure(entry: Entry, dtype: str, *, timeout: float = PATIENCE) -> dict[str, Any]:
    """The record of one run.

    Raises
    ------
    RuntimeError
        If the adapter cannot be built, or one of its cases ran into the time limit: that is this machine's affair, not the library's.
    """
    from tqdm import tqdm

    subject = python_adapter(
        entry.adapter, dtype=dtype, timeout=timeout, start_timeout=max(timeout, START_TIMEOUT)
    )
    try:
        if subject.refused is not None:
            raise RuntimeError(f"{entry.name} cannot be measured: {subject.refused}")
        with tqdm(
            total=sum(len(cases) for _, cases in suite.choose()),
            desc=f"{entry.name} {dtype}",
            leave=False,
            disable=None,
        ) as bar:
            report = suite.run(subject, dtype=dtype, callback=lambda _: bar.update())
    finally:
        subject.close()
    late = [
        outcome.case.id
        for outcome in report.outcomes
        if "no answer within" in outcome.verdict.message
    ]
    if late:
        raise RuntimeError(
            f"{entry.name} did not answer {late[0]} within {timeout:g} s, and {len(late) - 1} cases more"
        )
    return record(entry, report)


def record(entry: Entry, report: Report) -> dict[str, Any]:
    """A run as plain data: where it ran, counts by topic, defects by name with their cases; a case that is not named passed."""
    named: dict[str, dict[str, Any]] = {}
    for flag in sorted({*report.likely.values()}):
        named[flag] = {
            status: [
                o.case.id
                for o in report.outcomes
                if o.status == status and report.likely.get(o.case.id) == flag
            ]
            for status in BAD
        }
    return {
        "name": entry.name,
        "dtype": report.dtype,
        "versions": {name: version(name) for name in entry.distributions}
        | {"python": platform.python_version()},
        "kan_ref": version("kan_ref"),
        "date": datetime.now(UTC).date().isoformat(),
        "cases": len(report.outcomes),
        "topics": _topics(report),
        "defects": named,
        "differs": [outcome.case.id for outcome in report.outcomes if outcome.status == "differs"],
        "skipped": [outcome.case.id for outcome in report.outcomes if outcome.status == "skipped"],
    }


def _topics(report: Report) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for outcome in report.outcomes:
        told = found.setdefault(
            outcome.case.topic,
            dict.fromkeys(("passed", "failed", "blocked", "differs", "skipped"), 0)
            | {"worst_error": None},
        )
        told[outcome.status] += 1
        error = outcome.verdict.relative
        if 0.0 <= error < float("inf"):
            told["worst_error"] = max(told["worst_error"] or 0.0, float(f"{error:.3g}"))
    return found


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a folder, in the order of the catalogue."""
    order = [f"{entry.name}-{dtype}" for entry in ENTRIES for dtype in entry.dtypes]
    known = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }
    return [known[name] for name in order if name in known]


def write(path: Path, text: str) -> None:
    """A file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(os.fspath(path), text.encode())


def parser() -> argparse.ArgumentParser:
    """The command line of `report`."""
    found = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance report",
        description="Measure the implementations of the catalogue.",
    )
    names = [entry.name for entry in ENTRIES]
    found.add_argument(
        "--only",
        action="append",
        default=[],
        choices=names,
        metavar="NAME",
        help=f"repeatable: {', '.join(names)}",
    )
    found.add_argument("--dtype", choices=("float64", "float32"), help="in one precision alone")
    found.add_argument(
        "--out",
        type=Path,
        default=FOLDER,
        metavar="DIR",
        help="folder of the records; the page is DIR.md (default %(default)s)",
    )
    found.add_argument(
        "--timeout",
        type=float,
        default=PATIENCE,
        metavar="S",
        help="seconds for one case (default %(default)g)",
    )
    found.add_argument(
        "--render", action="store_true", help="draw the page from the records, and measure nothing"
    )
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure and draw; the exit status is 1 if something that was asked for by name could not be measured."""
    options = parser().parse_args(arguments)
    status = 0
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
                    told = measure(entry, dtype, timeout=options.timeout)
                except RuntimeError as error:
                    print(f"{error}; its record is left as it is", file=sys.stderr)
                    status = 1
                    continue
                write(
                    options.out / f"{entry.name}-{dtype}.json",
                    json.dumps(told, indent=1, allow_nan=False) + "\n",
                )
                counts = {
                    name: sum(topic[name] for topic in told["topics"].values())
                    for name in ("passed", "differs", *BAD, "skipped")
                }
                print(
                    f"{entry.name} {dtype}: {', '.join(f'{n} {name}' for name, n in counts.items())}",
                    flush=True,
                )
    write(options.out.with_suffix(".md"), page(read_records(options.out)))
    return status
