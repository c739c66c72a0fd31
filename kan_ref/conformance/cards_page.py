"""The page of report cards, made from the records alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.adapters.catalogue import ENTRIES, LEFT_OUT
from kan_ref.conformance.adapters.known_defects import BEYOND, KNOWN
from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.suite import notes

Record = Mapping[str, Any]
SHOWN = 4  # cases that are named for a defect, before the number of the others

_HEAD = """# Report cards

Results of the [conformance kit](conformance.md) for published libraries, and for this one. All were
tested on the same cases. Each has a short adapter (`kan_ref/conformance/adapters`) and runs in a
process of its own, with its own code and its own automatic differentiation. This page is made from
the records in `docs/report_cards`, which `python -m kan_ref.conformance report` writes (extra
`peers`).

How to read: `17/18` means 17 right answers in 18 cases that the definition fixes. `(+2)` means two
more cases that the contract leaves open, with answers that differ from this package's. Cases that a
library cannot express are not counted; `-` means that it supports no case of a topic. Failures that
follow a failure of a more basic topic ("blocked") count as failures here. A single defect can fail
cases of many topics: one at repeated knots, for example, which no fresh grid has. The sections name
the defects as far as the cases identify them. The contract is the paper's definition, read
strictly; a library that deliberately follows another rule fails it too. The versions are those that
were tested: later versions may have corrected these defects.
"""


def page(records: Sequence[Record]) -> str:
    """Return the page."""
    parts = [
        _HEAD,
        "## All of them\n",
        *_table(records),
        "",
        "## Known defects, and the cases that show them\n",
        *_known(records),
        "",
    ]
    for entry in ENTRIES:
        mine = [record for record in records if record["name"] == entry.name]
        if mine:
            parts += [
                f"## {entry.title}\n",
                entry.remark,
                "",
                *(line for record in mine for line in _section(record)),
            ]
    parts += [
        "## Considered and left out\n",
        "| implementation | why |",
        "|---|---|",
        *(f"| {name} | {why} |" for name, why in LEFT_OUT),
    ]
    return "\n".join(parts) + "\n"


def outcome(record: Record, case: str) -> str:
    """Return the outcome of a case: "passed", "failed", "differs" or "skipped".

    A blocked case counts as failed.
    """
    if any(case in cases for named in record["defects"].values() for cases in named.values()):
        return "failed"
    return next((name for name in ("differs", "skipped") if case in record[name]), "passed")


def totals(record: Record) -> tuple[int, int, int]:
    """Return three numbers: right answers, answers that the definition fixes, and other answers.

    Other answers are those that differ where the definition leaves the answer open.
    """
    topics = record["topics"].values()
    right, differs = (sum(topic[name] for topic in topics) for name in ("passed", "differs"))
    return (
        right,
        right + sum(topic[name] for topic in topics for name in ("failed", "blocked")),
        differs,
    )


def _table(records: Sequence[Record]) -> list[str]:
    shown = [record for record in records if record["dtype"] == "float64"]
    lines = [
        f"| float64 | {' | '.join(record['name'] for record in shown)} |",
        "|---|" + "---|" * len(shown),
    ]
    tested = {name for record in shown for name in record["topics"]}
    for topic in (topic for topic in load_topics() if topic.name in tested):
        cells = [_cell(record["topics"].get(topic.name)) for record in shown]
        lines.append(f"| `{topic.name}` | {' | '.join(cells)} |")
    lines.append(
        f"| **all** | {' | '.join('**{}/{}**'.format(*totals(record)) for record in shown)} |"
    )
    single = {
        record["name"]: "{}/{}".format(*totals(record))
        for record in records
        if record["dtype"] == "float32"
    }
    return [
        *lines,
        f"| all, in float32 | {' | '.join(single.get(record['name'], '-') for record in shown)} |",
    ]


def _cell(topic: Mapping[str, int] | None) -> str:
    if topic is None:
        return "not tested"
    asked = topic["passed"] + topic["failed"] + topic["blocked"]
    more = f" (+{topic['differs']})" if topic["differs"] else ""
    return f"{topic['passed']}/{asked}{more}" if asked else more.strip() or "-"


def _known(records: Sequence[Record]) -> list[str]:
    by_name = {record["name"]: record for record in records if record["dtype"] == "float64"}
    lines = ["| implementation | defect | case | outcome |", "|---|---|---|---|"]
    for known in (known for known in KNOWN if known.name in by_name):
        result = outcome(by_name[known.name], known.case)
        lines.append(f"| {known.name} | {known.defect} | `{known.case}` | {result} |")
    lines += [
        "",
        "Also known, but outside the protocol:",
        "",
        "| implementation | defect | why no case tests it |",
        "|---|---|---|",
    ]
    return lines + [f"| {name} | {defect} | {why} |" for name, defect, why in BEYOND]


def _section(record: Record) -> list[str]:
    right, asked, differs = totals(record)
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        f"**{record['dtype']}**, {record['date']}: {right} of {asked} right, "
        f"{differs} other answers where they are free. {versions}.",
        "",
    ]
    explained = notes()
    for flag, found in sorted(
        record["defects"].items(), key=lambda item: (-sum(map(len, item[1].values())), item[0])
    ):
        cases = [*found["failed"], *found["blocked"]]
        named = ", ".join(f"`{case}`" for case in cases[:SHOWN])
        more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
        link = f"[{flag}](conformance.md#{flag.lower()})"
        lines.append(f"- {link}, {len(cases)}: {explained[flag]['defect']} ({named}{more})")
    open_ones = {topic.name for topic in load_topics() if topic.is_convention}
    worst = [
        f"`{name}` {topic['worst_error']:.2g}"
        for name, topic in record["topics"].items()
        if topic["worst_error"] and name not in open_ones
    ]
    if worst:
        lines += [
            "",
            f"Largest errors, in units of an answer's largest number: {', '.join(worst)}.",
        ]
    return [*lines, ""]
