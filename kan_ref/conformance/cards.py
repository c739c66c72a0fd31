"""Report cards: test the libraries of `cards.toml`, and write their records and the page of them.

    python -m kan_ref.conformance report                  test what is installed, write the page
    python -m kan_ref.conformance report --only pykan     one of them
    python -m kan_ref.conformance report --render         write the page from the records alone

A record is what one run of a library in one precision gave, a line of JSON: its versions, counts by
topic, and the cases of each finding. The page is made from the records and `cards.toml` alone. It
names a defect only if `cards.toml` says which line of the library's source causes it; what the kit
reports beyond that is shown as seen.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from kan_ref.conformance import suite
from kan_ref.conformance.cases import BSPLINE, HOME, contract_version, load_topics
from kan_ref.conformance.judge import BAD, Outcome
from kan_ref.conformance.name import RESEMBLES
from kan_ref.conformance.subjects import AdapterProcess, Limits
from kan_ref.conformance.suite import Report
from kan_ref.files import replace_file
from kan_ref.program import check_output

Record = Mapping[str, Any]
Cards = dict[tuple[str, str], dict[str, Any]]  # (name, dtype) -> record
COUNTS = ("right", "wrong", "agrees", "differs", "skipped")  # two of required, two of open cases
PATIENCE = 120.0  # seconds for a case, or to load the library: some compile for each case
# what is no fault of the library, but of the machine
HERE = ("no answer within", "ImportError", "ModuleNotFoundError")


@dataclass(frozen=True)
class Library:
    """One implementation; `cards.toml` says what the fields hold."""

    name: str
    adapter: str
    distributions: Sequence[str]
    remark: str
    section: str = ""
    dtypes: Sequence[str] = ("float64", "float32")
    checkout: str = ""
    family: str = BSPLINE


TABLES = tomllib.loads((HOME / "cards.toml").read_text(encoding="utf-8"))
LIBRARIES = tuple(Library(**row) for row in TABLES["library"])


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


def measure(library: Library, dtype: str) -> dict[str, Any]:
    """Test a library in one precision and return the record.

    RuntimeError if its adapter cannot be built, a case exceeds the time limit, or something that it
    imports is not there: no fault of the library is recorded then.
    """
    try:
        limits = Limits(timeout=PATIENCE, start_timeout=PATIENCE)
        subject = AdapterProcess(library.adapter, dtype, limits)
    except RuntimeError as error:
        raise RuntimeError(f"{library.name} cannot be tested: {error}") from error
    try:
        report = suite.run(subject, suite.choose(family=library.family))
    finally:
        subject.close()
    for one in report.outcomes:
        if one.verdict.message.startswith(HERE):
            reason = f"{one.case.id}: {one.verdict.message}"
            raise RuntimeError(f"{library.name} cannot be tested: {reason}")
    return record(library, report)


def record(library: Library, report: Report) -> dict[str, Any]:
    """Return a run as plain data."""
    versions = {name: version(name) for name in library.distributions}
    if library.checkout:
        command = ["git", "-C", os.environ[library.checkout], "rev-parse", "--short=12", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        versions = {library.name: done.stdout.strip() or "unknown commit"} | versions
    topics: dict[str, dict[str, int]] = {}
    for one in report.outcomes:
        counts = topics.setdefault(one.case.topic, dict.fromkeys(COUNTS, 0))
        counts[_counted_as(one)] += 1
    findings = [
        {"name": one.name, "kind": one.kind, "agreement": one.agreement, "detail": one.detail}
        | {"cases": list(one.cases)}
        for one in report.findings
    ]
    return {
        "name": library.name,
        "dtype": report.dtype,
        "versions": versions | {"python": platform.python_version()},
        "contract": contract_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "topics": topics,
        "findings": findings,
    }


def _counted_as(one: Outcome) -> str:
    if one.status == "passed":
        return "right" if one.case.kind == "required" else "agrees"
    return "wrong" if one.status in BAD else one.status


def fails(record: Record, case: str) -> bool:
    """Return whether a case is one of those that failed."""
    return any(case in one["cases"] for one in record["findings"])


def totals(topics: Collection[Mapping[str, int]]) -> tuple[int, int, int, int]:
    """Return right and all answers to required cases, then agreeing and all ones to open cases."""
    sums = Counter({name: sum(topic[name] for topic in topics) for name in COUNTS})
    required, free = sums["right"] + sums["wrong"], sums["agrees"] + sums["differs"]
    return sums["right"], required, sums["agrees"], free


def read_cards(path: Path) -> Cards:
    """Return the records of a file; ValueError for a line that is none of a library."""
    known = {(one.name, dtype): (one.name, dtype) for one in LIBRARIES for dtype in one.dtypes}
    try:
        lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        return {known[line["name"], line["dtype"]]: line for line in lines}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} has a line that is not a record of a library of cards.toml ({error}): restore "
            "the file, or remove the line and test the library again"
        ) from error


def dump(cards: Cards) -> str:
    """Return records as lines of JSON, sorted so that a new run changes one line."""
    lines = (json.dumps(cards[key], separators=(",", ":")) for key in sorted(cards))
    return "".join(f"{line}\n" for line in lines)


# --- the page


def page(cards: Cards) -> str:
    """Return the page in Markdown."""
    sections: dict[str, list[Library]] = defaultdict(list)
    title = ""
    for library in LIBRARIES:
        title = library.section or title
        if (library.name, "float64") in cards:
            sections[title].append(library)
    parts = [TABLES["head"], "## All of them\n", *_table(cards), ""]
    for title, members in sections.items():
        defects = list(_defects([one.name for one in members], cards))
        parts += [f"## {title}\n", *(f"{_card(library, cards)}\n" for library in members)]
        parts += ["Read in the source:\n", *defects, ""] if defects else []
    left_out = [f"- {row['name']}: {row['why']}." for row in TABLES["left_out"]]
    return "\n".join([*parts, "## Considered and left out\n", *left_out, ""])


def _table(cards: Cards) -> Iterator[str]:
    """Yield the lines of the table: topics of B-splines, and a column for equal libraries."""
    names = [topic.name for topic in load_topics() if topic.basis_family == BSPLINE]
    columns = defaultdict(list)
    for library in LIBRARIES:
        if library.family == BSPLINE and (library.name, "float64") in cards:
            topics = cards[library.name, "float64"]["topics"]
            single = cards.get((library.name, "float32"), {"topics": {}})["topics"]
            cells = [_cell(topics[name]) if name in topics else "not tested" for name in names]
            columns[*cells, _cell(*topics.values()), _cell(*single.values())].append(library.name)
    yield f"| float64 | {' | '.join(', '.join(equal) for equal in columns.values())} |"
    yield "|---|" + "---|" * len(columns)
    labels = [*(f"`{name}`" for name in names), "**all**", "all, float32"]
    for label, row in zip(labels, zip(*columns, strict=True), strict=True):
        yield f"| {label} | {' | '.join(row)} |"


def _cell(*topics: Mapping[str, int]) -> str:
    right, required, agrees, free = totals(topics)
    said = [f"{right}/{required}"] * (required > 0) + [f"({agrees}/{free})"] * (free > 0)
    return " ".join(said) or "-"


def _defects(names: Sequence[str], cards: Cards) -> Iterator[str]:
    """Yield what was read in the sources of some libraries, where the case still fails."""
    for row in TABLES["defect"]:
        case, flag = row.get("case", ""), row.get("flag", "")
        having = [name for name in names if name in row["at"]]
        shown = [one for one in having if not case or fails(cards[one, "float64"], case)]
        if shown:
            named = f"[{flag}](conformance.md#{flag.lower()}): " if flag else ""
            where = ", ".join(dict.fromkeys(_link(row["at"][name]) for name in shown))
            where += f" ({', '.join(shown)})" if len(shown) < len(names) else ""
            yield f"- {named}{row['cause']}. {where}." + f" Fails: `{case}`." * bool(case)


def _link(place: str) -> str:
    file, _, lines = place.partition(":")
    link = TABLES["links"].get(file)
    return f"[`{place}`]({link}#L{lines.split()[0]})" if link else f"`{place}`"


def _card(library: Library, cards: Cards) -> str:
    """Return the paragraph of a library: counts, versions, and what was seen."""
    card = cards[library.name, "float64"]
    counts = "{} of {} right".format(*totals(card["topics"].values()))
    if single := cards.get((library.name, "float32")):
        counts += ", in float32 {} of {}".format(*totals(single["topics"].values()))
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    seen: Counter[str] = Counter()
    for one in card["findings"]:
        name = one["name"]
        if one["kind"] == RESEMBLES:  # with S = 0 it is only what most of the failed cases test
            name = f"resembles {name} ({one['agreement']:.2f})" if one["agreement"] else "NotNamed"
        elif name == "Raises":
            name += f" `{one['detail'].partition(':')[0]}`"
        seen[name] += len(one["cases"])
    said = ", ".join(f"{name} {n}" for name, n in seen.items())
    about = f"*{versions}; {card['date']}, contract {card['contract']}.*"
    return f"**{library.name}**: {counts}. {library.remark} {about}" + f" Seen: {said}." * bool(
        said
    )


# --- the program


def main(arguments: Sequence[str]) -> int:
    """Test the libraries, write records and page, and return the exit status."""
    line = argparse.ArgumentParser(
        prog="python -m kan_ref.conformance report",
        description="Test the libraries of cards.toml. Exit status: 0 even if cases fail; 1 if a "
        "library that was named is not installed, one cannot be tested, or there are no records; "
        "2 for wrong arguments; 130 after Ctrl-C.",
    )
    names = [library.name for library in LIBRARIES]
    text = f"one library, repeatable: {', '.join(names)}"
    add = line.add_argument
    add("--only", action="append", default=[], choices=names, metavar="NAME", help=text)
    text = "folder of report_cards.jsonl and report_cards.md (default %(default)s)"
    add("--out", type=Path, default=Path("docs"), metavar="DIR", help=text)
    text = "write the page from the records, and test nothing"
    add("--render", action="store_true", help=text)
    options = line.parse_args(arguments)
    file, status = options.out / "report_cards.jsonl", 0
    check_output(line, "--out", file, makes_folder=True)
    try:
        cards = read_cards(file) if file.exists() else {}
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = [one for one in LIBRARIES if not options.only or one.name in options.only]
    for library in () if options.render else chosen:
        if absent := missing(library):
            print(f"{library.name} is left out: {', '.join(absent)} is not installed")
            status = max(status, int(bool(options.only)))
            continue
        for dtype in library.dtypes:
            try:
                found = measure(library, dtype)
            except RuntimeError as error:
                print(f"{error}; its record is not changed", file=sys.stderr)
                status = 1
                continue
            cards[library.name, dtype] = found
            replace_file(os.fspath(file), dump(cards).encode())
            counts = "{} of {}".format(*totals(found["topics"].values()))
            print(f"{library.name} {dtype}: {counts} right", flush=True)
    if not cards:
        print(f"{file} has no record, so there is no page", file=sys.stderr)
        return 1
    replace_file(os.fspath(file.with_suffix(".md")), page(cards).encode())
    return status
