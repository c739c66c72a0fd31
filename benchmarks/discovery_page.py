"""The page of results of `benchmarks.discovery`, docs/formulas_found.md, from the records of its runs.

docs/formulas_found.jsonl has a line for each run: a formula, a seed, a noise and a number of samples. `python -m benchmarks.discovery
--record` replaces the lines of the runs that it makes, and prints the tables anew; `--page` only does the latter.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.formula_sets import FORMULAS
from kan_ref.files import replace_file

DOCS = Path(__file__).parents[1] / "docs"
RECORDS, PAGE = DOCS / "formulas_found.jsonl", DOCS / "formulas_found.md"
BEGIN, END = "<!-- table -->", "<!-- end -->"
MOST_TEXT = 140  # characters of a formula in a record
COLLECTIONS = {one.name: one.collection for one in FORMULAS}
Record = dict[str, Any]


def key(record: Record) -> tuple[float, int, int, int]:
    """Return what runs are sorted by: noise, samples, seed, and the place of the formula."""
    names = list(COLLECTIONS)
    return record["noise"], -record["samples"], record["seed"], names.index(record["name"])


def read(path: Path = RECORDS) -> list[Record]:
    """Return the records; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(records: Iterable[Record], path: Path = RECORDS) -> None:
    """Add records to those of the file; a new one replaces the one of the same run."""
    known = {key(record): record for record in [*read(path), *records]}
    lines = [json.dumps(known[place], allow_nan=False) + "\n" for place in sorted(known)]
    replace_file(os.fspath(path), "".join(lines).encode())


def rendered(page: str, records: Sequence[Record]) -> str:
    """Return the page with the tables of the records between its two marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{_counts(records)}\n\n{_failures(records)}\n\n{END}{tail}"


def render() -> None:
    """Write the page."""
    page = PAGE.read_text(encoding="utf-8")
    replace_file(os.fspath(PAGE), rendered(page, read()).encode())


def _groups(records: Sequence[Record]) -> dict[tuple[str, float, int, int], list[Record]]:
    """Return the runs of each group of formulas, noise, number of samples and seed."""
    found: dict[tuple[str, float, int, int], list[Record]] = {}
    for record in records:
        collection = COLLECTIONS[record["name"]]
        group = {"drawn": "drawn in advance", "physics, SI units": "physics, SI units"}.get(
            collection, "known"
        )
        place = (group, record["noise"], record["samples"], record["seed"])
        found.setdefault(place, []).append(record)
    return found


def _counts(records: Sequence[Record]) -> str:
    lines = [
        "| formulas | noise | samples | seed | found | CPU seconds, median | largest | called exact | wrong among them "
        "| called within noise | wrong among them |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (group, noise, samples, seed), runs in _groups(records).items():
        seconds = [run["seconds"] for run in runs]
        cells = [
            group,
            f"{noise:.0%}",
            samples,
            seed,
            f"{sum(run['found'] for run in runs)} of {len(runs)}",
            f"{np.median(seconds):.1f}",
            f"{max(seconds):.1f}",
        ]
        for kind in ("exact", "within noise"):
            called = [run for run in runs if run["kind"] == kind]
            cells += [len(called), sum(not run["found"] for run in called)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _failures(records: Sequence[Record]) -> str:
    texts = {one.name: one.text for one in FORMULAS}
    lines = [
        "| not found | noise | samples | seed | error | verdict | formula of the samples | result |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in records:
        if not run["found"]:
            cells = [run["name"], f"{run['noise']:.0%}", run["samples"], run["seed"]]
            error = "undefined" if run["error"] is None else f"{run['error']:.1e}"
            cells += [error, run["kind"], f"`{texts[run['name']]}`", f"`{run['formula']}`"]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
