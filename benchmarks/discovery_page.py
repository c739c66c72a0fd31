"""The page of results of `benchmarks.discovery`, docs/formulas_found.md, from the records of its runs.

docs/formulas_found.jsonl has a line for each run: a formula, a seed, a noise and a number of samples. `python -m benchmarks.discovery
--record` replaces the lines of the runs that it makes, and prints the tables anew; `--page` only does the latter. Runs of other programs
(`--peers --record`) are the lines of docs/formulas_found_peers.jsonl, with the run of `discover` on the same samples.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.formula_sets import FORMULAS
from kan_ref.files import replace_file

DOCS = Path(__file__).parents[1] / "docs"
RECORDS, PAGE = DOCS / "formulas_found.jsonl", DOCS / "formulas_found.md"
PEER_RECORDS = DOCS / "formulas_found_peers.jsonl"
BEGIN, END = "<!-- table -->", "<!-- end -->"
PEERS_BEGIN, PEERS_END = "<!-- peers -->", "<!-- end of peers -->"
MOST_TEXT = 140  # characters of a formula in a record
COLLECTIONS = {one.name: one.collection for one in FORMULAS}
Record = dict[str, Any]


def key(record: Record) -> tuple[float, int, int, int]:
    """Return what runs are sorted by: noise, samples, seed, and the place of the formula."""
    names = list(COLLECTIONS)
    return record["noise"], -record["samples"], record["seed"], names.index(record["name"])


def peer_key(record: Record) -> tuple[int, int, int]:
    """Return what runs of programs are sorted by: the formula, the seed and the program, `discover` first."""
    programs = ("kan_ref", "Operon", "gplearn", "pykan")
    return (
        list(COLLECTIONS).index(record["name"]),
        record["seed"],
        programs.index(record["program"]),
    )


def shortened(text: str) -> str:
    """Return the text of a formula with at most MOST_TEXT characters."""
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 3] + "..."


def rounded(error: float) -> float | None:
    """Return an error with two digits, or None if it is not finite."""
    return float(f"{error:.1e}") if np.isfinite(error) else None


def read(path: Path = RECORDS) -> list[Record]:
    """Return the records; none where there is no file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(
    records: Iterable[Record], path: Path = RECORDS, key: Callable[[Record], Any] = key
) -> None:
    """Add records to those of the file; a new one replaces the one of the same run."""
    known = {key(record): record for record in [*read(path), *records]}
    lines = [json.dumps(known[place], allow_nan=False) + "\n" for place in sorted(known)]
    replace_file(os.fspath(path), "".join(lines).encode())


def write_peers(records: Iterable[Record], path: Path = PEER_RECORDS) -> None:
    """Add runs of programs to those of the file; a new one replaces the one of the same run."""
    write(records, path, peer_key)


def rendered(page: str, records: Sequence[Record], others: Sequence[Record]) -> str:
    """Return the page with the tables of the records, and of those of other programs, between their marks."""
    page = _between(page, BEGIN, f"{_counts(records)}\n\n{_failures(records)}", END)
    return _between(page, PEERS_BEGIN, f"{_peer_counts(others)}\n\n{_peer_runs(others)}", PEERS_END)


def render() -> None:
    """Write the page."""
    page = PAGE.read_text(encoding="utf-8")
    replace_file(os.fspath(PAGE), rendered(page, read(), read(PEER_RECORDS)).encode())


def _between(page: str, begin: str, text: str, end: str) -> str:
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n\n{text}\n\n{end}{tail}"


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


def _peer_counts(records: Sequence[Record]) -> str:
    lines = [
        "| program | version | found | median error | CPU seconds, median | largest |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for program in dict.fromkeys(run["program"] for run in records):
        runs = [run for run in records if run["program"] == program]
        errors = [np.inf if run["error"] is None else run["error"] for run in runs]
        seconds = [run["seconds"] for run in runs]
        lines.append(
            f"| {program} | {runs[0]['version']} | {sum(run['found'] for run in runs)} of {len(runs)} "
            f"| {np.median(errors):.1e} | {np.median(seconds):.1f} | {max(seconds):.1f} |"
        )
    return "\n".join(lines)


def _peer_runs(records: Sequence[Record]) -> str:
    texts = {one.name: one.text for one in FORMULAS}
    lines = [
        "| formula | of the samples | program | found | error | CPU seconds | result |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in records:
        error = "undefined" if run["error"] is None else f"{run['error']:.1e}"
        cells = [run["name"], f"`{texts[run['name']]}`", run["program"]]
        cells += ["yes" if run["found"] else "no", error, f"{run['seconds']:.1f}"]
        lines.append(f"| {' | '.join(map(str, cells))} | `{run['formula']}` |")
    return "\n".join(lines)
