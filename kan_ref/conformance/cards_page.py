"""The page of report cards, from their records alone: which cases a record names decides every word and number."""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.adapters.catalogue import ENTRIES, LEFT_OUT
from kan_ref.conformance.adapters.known_defects import BEYOND, KNOWN
from kan_ref.conformance.cases import load_topics
from kan_ref.conformance.suite import notes

Record = Mapping[str, Any]
TOLD = 4  # cases that are named for a defect; how many more there are is said

_HEAD = """# Report cards

What the [conformance kit](conformance.md) says of published libraries, and of this one. Each was asked the same cases through an adapter
of few lines (`kan_ref/conformance/adapters`), by its own code and its own automatic differentiation, in a process of its own. This page
is drawn from the records in `docs/report_cards`, which `python -m kan_ref.conformance report` writes (extra `peers`).

How to read: `17/18` are 17 right answers of 18 that the definition fixes; `(+2)` are two more that the contract leaves open, and that are
other than this package's. Cases outside what a library can say are not counted, and `-` stands where it has nothing of a topic. Failures
that come after a failure of something more basic ("blocked") count as failures here. One defect, say at repeated knots, which no fresh
grid has, fails cases of many topics: the sections name defects, as far as the kit can tell them by their cases. The contract is the
paper's definition, read strictly; who follows another rule on purpose fails it too. Versions are those measured: later ones may have
mended what is told here.
"""


def page(records: Sequence[Record]) -> str:
    """The page."""
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
        "## Looked at and left out\n",
        "| implementation | why |",
        "|---|---|",
        *(f"| {name} | {why} |" for name, why in LEFT_OUT),
    ]
    return "\n".join(parts) + "\n"


def outcome(record: Record, case: str) -> str:
    """What became of a case: "passed", "failed" (also after another failure), "differs" or "skipped"."""
    if any(case in cases for told in record["defects"].values() for cases in told.values()):
        return "failed"
    return next((name for name in ("differs", "skipped") if case in record[name]), "passed")


def totals(record: Record) -> tuple[int, int, int]:
    """Right answers, answers that the definition fixes, and other answers where it does not."""
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
    for topic in load_topics():
        cells = [_cell(record["topics"][topic.name]) for record in shown]
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


def _cell(topic: Mapping[str, int]) -> str:
    asked = topic["passed"] + topic["failed"] + topic["blocked"]
    more = f" (+{topic['differs']})" if topic["differs"] else ""
    return f"{topic['passed']}/{asked}{more}" if asked else more.strip() or "-"


def _known(records: Sequence[Record]) -> list[str]:
    by_name = {record["name"]: record for record in records if record["dtype"] == "float64"}
    lines = ["| implementation | defect | case | outcome |", "|---|---|---|---|"]
    for known in (known for known in KNOWN if known.name in by_name):
        lines += [
            f"| {known.name} | {known.defect} | `{known.case}` | {outcome(by_name[known.name], known.case)} |"
        ]
    lines += [
        "",
        "Known too, but beyond the protocol:",
        "",
        "| implementation | defect | why no case asks for it |",
        "|---|---|---|",
    ]
    return lines + [f"| {name} | {defect} | {why} |" for name, defect, why in BEYOND]


def _section(record: Record) -> list[str]:
    right, asked, differs = totals(record)
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        f"**{record['dtype']}**, {record['date']}: {right} of {asked} right, {differs} other answers where they are free. {versions}.",
        "",
    ]
    explained = notes()
    for flag, told in sorted(
        record["defects"].items(), key=lambda item: (-sum(map(len, item[1].values())), item[0])
    ):
        cases = [*told["failed"], *told["blocked"]]
        named = ", ".join(f"`{case}`" for case in cases[:TOLD])
        more = f" and {len(cases) - TOLD} more" if len(cases) > TOLD else ""
        lines.append(
            f"- [{flag}](conformance.md#{flag.lower()}), {len(cases)}: {explained[flag]['defect']} ({named}{more})"
        )
    open_ones = {topic.name for topic in load_topics() if topic.is_convention}
    worst = [
        f"`{name}` {topic['worst_error']:.2g}"
        for name, topic in record["topics"].items()
        if topic["worst_error"] and name not in open_ones
    ]
    if worst:
        lines += [
            "",
            f"Farthest from the vectors, in units of an answer's largest number: {', '.join(worst)}.",
        ]
    return [*lines, ""]
