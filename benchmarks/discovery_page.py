"""The records of `benchmarks.discovery`, one JSON object a line, and what docs/formulas_found.md says of them."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kan_ref.files import replace_file

DOCS = Path(__file__).parents[1] / "docs"
RECORDS, PAGE = DOCS / "formulas_found.jsonl", DOCS / "formulas_found.md"
EXACT = 1e-9  # of the standard deviation of the fresh targets
COLLECTIONS = ("Feynman", "bonus", "Strogatz", "known", "SI", "drawn", "fields")
N_SRBENCH = 3  # of them
KINDS = ("exact", "within noise", "not explained")
NOISES = (0.0, 0.001, 0.01, 0.1)  # of SRBench
# published rates of literal formulas in per cent at the first of these noises, Feynman unless Strogatz is said; those of SRBench are the means
# of docs/csv/groundtruth.csv in cavalab/srbench, whose guide limits a run to 9 hours
PUBLISHED = (
    ("Keplearn", (64.7, 56.0, 44.0, 8.6), "no", "60 s", "authors (SRBench #223)"),
    ("Keplearn, Strogatz", (42.9, 42.9, 21.4, 7.1), "no", "60 s", "authors"),
    ("AI Feynman", (55.8, 1.5, 0.0), "no", "up to 9 h", "SRBench"),
    ("DSR", (19.7, 16.8, 8.4), "no", "up to 9 h", "SRBench"),
    ("Operon", (16.6, 0.3, 0.1), "no", "up to 9 h", "SRBench"),
    ("gplearn", (16.3, 15.8, 13.2), "no", "up to 9 h", "SRBench"),
    ("QDSR", (91.6,), "yes", "", "authors"),
    ("PhySO", (58.4, 58.4, 57.9, 53.4), "yes", "", "authors"),
)
Record = dict[str, Any]


def key(record: Record) -> tuple[Any, ...]:
    """Return what tells a run from the others."""
    return tuple(record[name] for name in ("collection", "name", "noise", "samples", "seed"))


def read() -> list[Record]:
    """Return the records; none where there is no file."""
    if not RECORDS.exists():
        return []
    return [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]


def append(record: Record) -> None:
    """Add a record to the file."""
    with RECORDS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, allow_nan=False) + "\n")


def is_found(record: Record) -> bool:
    """Return whether the error is that of rounding or, with noise, of fitted numbers."""
    most = max(EXACT, 4.0 * record["noise"] / record["samples"] ** 0.5)
    return record["error"] is not None and record["error"] <= most


def line(record: Record) -> str:
    """Return a run as a line of text."""
    mark = "found" if is_found(record) else "no"
    error = np.nan if record["error"] is None else record["error"]
    literal = "literal" if record["literal"] else ""
    return (
        f"{record['name']:20} noise {record['noise']:<5g} seed {record['seed']}  {mark:5} {literal:7} "
        f"{error:8.1e} {record['seconds']:6.1f} s  {record['kind']:13}  {record['formula']}"
    )


def counts(records: Sequence[Record]) -> str:
    """Return the counts of each collection, noise and number of samples as a table."""
    head = "formulas, noise, samples, seeds, found, literal, exact, wrong, within noise, one of several, other and wrong, not explained"
    rows = [[*head.split(", "), "CPU seconds, median", "largest"], ["---"] * 14]
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for one in records:
        place = COLLECTIONS.index(one["collection"]), one["noise"], one["samples"]
        groups.setdefault(place, []).append(one)
    for (place, noise, samples), runs in sorted(groups.items()):
        exact, within, other = ([one for one in runs if one["kind"] == kind] for kind in KINDS)
        alone = [one for one in within if not one["several"]]
        literal = sum(one["literal"] for one in runs) if place < N_SRBENCH else ""
        seconds = [one["seconds"] for one in runs]
        row = [COLLECTIONS[place], f"{noise:g}", samples, len({one["seed"] for one in runs})]
        row += [f"{sum(map(is_found, runs))} of {len(runs)}", literal, len(exact), n_wrong(exact)]
        row += [len(within), len(within) - len(alone), n_wrong(alone), len(other)]
        rows.append([*map(str, row), f"{np.median(seconds):.1f}", f"{max(seconds):.1f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def n_wrong(records: Sequence[Record]) -> int:
    """Return how many are not found."""
    return sum(not is_found(one) for one in records)


def sentence(records: Sequence[Record]) -> str:
    """Return the first sentence of the page: how many of SRBench's formulas are found without noise."""
    feynman, bonus = (
        f"{sum(map(is_found, runs))} of {len(runs)}"
        for runs in (srbench_runs(records, 0.0, name) for name in ("Feynman", "bonus"))
    )
    return (
        f"From 1,000 samples without noise, `kan_ref.discover` finds {feynman} formulas of the Feynman Lectures in SRBench exactly, but all of "
        f"them were run while it was made, and causes of failures removed; of the bonus formulas, whose failures were left, it finds {bonus}."
    )


def srbench_runs(records: Sequence[Record], noise: float, *collections: str) -> list[Record]:
    """Return the runs with seed 0."""
    runs = [one for one in records if (one["noise"], one["seed"]) == (noise, 0)]
    return [one for one in runs if one["collection"] in collections and one["samples"] in (400, 1000)]


def comparison(records: Sequence[Record]) -> str:
    """Return the rates of SRBench's literal formulas beside the published ones."""
    noises = [f"noise {noise:g}" for noise in NOISES]
    rows = [["program", *noises, "units", "time", "reported by"], ["---"] * 8]
    for name, of in (("kan_ref", ("Feynman", "bonus")), ("kan_ref, Strogatz", ("Strogatz",))):
        groups = [srbench_runs(records, noise, *of) for noise in NOISES]
        rates = [100.0 * sum(one["literal"] for one in runs) / max(len(runs), 1) for runs in groups]
        shown = [f"{rate:.1f}" if runs else "" for rate, runs in zip(rates, groups, strict=True)]
        rows.append([name, *shown, "no", "60 CPU s", "this project"])
    for name, known, units, seconds, who in PUBLISHED:
        missing = [""] * (len(NOISES) - len(known))
        rows.append([name, *map(str, known), *missing, units, seconds, who])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def rendered(page: str, records: Sequence[Record]) -> str:
    """Return the page with what the records say between its marks."""
    for mark, text in (("sentence", sentence), ("comparison", comparison), ("counts", counts)):
        head, _, rest = page.partition(f"<!-- {mark} -->")
        _, _, tail = rest.partition(f"<!-- end of {mark} -->")
        page = f"{head}<!-- {mark} -->\n\n{text(records)}\n\n<!-- end of {mark} -->{tail}"
    return page


def render() -> None:
    """Write the page, and the records in order, the last of each run."""
    records = {key(one): one for one in read()}
    ordered = sorted(records, key=lambda place: (COLLECTIONS.index(place[0]), *place[2:]))
    lines = [json.dumps(records[place], allow_nan=False) + "\n" for place in ordered]
    replace_file(os.fspath(RECORDS), "".join(lines).encode())
    page = PAGE.read_text(encoding="utf-8")
    replace_file(os.fspath(PAGE), rendered(page, read()).encode())
