"""The page of report cards, made from the records alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from kan_ref.conformance.adapters.catalogue import ENTRIES, LEFT_OUT
from kan_ref.conformance.adapters.evidence import EVIDENCE
from kan_ref.conformance.adapters.known_defects import BEYOND, KNOWN
from kan_ref.conformance.cases import BSPLINE, load_topics
from kan_ref.conformance.judge import BAD
from kan_ref.conformance.name import FACTS
from kan_ref.conformance.report import notes

Record = Mapping[str, Any]
SHOWN = 4  # cases that are named for a defect, before the number of the others

_HEAD = """# Report cards

Results of the [conformance kit](conformance.md) for published libraries, and for this one. Cards of
the same contract were tested on the same cases. Each library has a short adapter
(`kan_ref/conformance/adapters`) and runs in a process of its own, with its own code and its own
automatic differentiation. This page is made from the records in `docs/report_cards.jsonl`, which
`python -m kan_ref.conformance report` writes (extra `peers`).

How to read: `17/18` means 17 right answers in 18 required cases, that is, cases that the definition
fixes. `(1/3)` beside it means that one of three further answers, which the definition leaves open,
is the one that the vectors store. Cases that a library cannot express are not counted; `-` means
that it supports no case of a topic. "not tested" is a topic that came after the card's contract.
Failures that follow a failure of a more basic topic ("blocked") count as failures here. A single
defect can fail cases of many topics: one at repeated knots, for example, which no fresh grid has.
The contract is the paper's definition, read strictly; a library that deliberately follows another
rule fails it too. The versions are those that were tested: later versions may have corrected these
defects.

A section names a defect only if the line of the library's source that causes it has been read; the
line is named. Facts are stated as observed: exceptions with their message, shapes, the size of an
error. Failures that have neither are counted, but not explained.

## If a card is wrong

A card can be wrong: an adapter may call a library otherwise than its author intends. Each defect
names cases, and `python -m kan_ref.conformance --adapter MODULE:CLASS --only CASE` repeats one (the
adapters are listed in `kan_ref/conformance/adapters/catalogue.py`). Open an
[issue](https://github.com/kan-ref/kan_ref/issues) that names the library, its version and the case,
and says what the answer should be, or which call of the library gives it. Until the question is
settled the defect is taken off the card. For a new release, say so there, or send a change that
runs `python -m kan_ref.conformance report --only NAME`.
"""


def page(records: Sequence[Record]) -> str:
    """Return the page."""
    parts = [
        _HEAD,
        "## All of them\n",
        *_table([record for record in records if _family(record) == BSPLINE]),
        "",
        "## Other basis functions\n",
        *_families([record for record in records if _family(record) != BSPLINE]),
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
        *(f"| {name} | {_escaped(why)} |" for name, why in LEFT_OUT),
    ]
    return "\n".join(parts) + "\n"


def outcome(record: Record, case: str) -> str:
    """Return the outcome of a case: "passed", "failed", "differs" or "skipped".

    A blocked case counts as failed.
    """
    if any(case in one[key] for one in record["findings"] for key in BAD):
        return "failed"
    return next((name for name in ("differs", "skipped") if case in record[name]), "passed")


def totals(record: Record) -> tuple[int, int, int, int]:
    """Return four numbers: right and all answers to required cases, then the same of open ones."""
    sums = {
        name: sum(topic[name] for topic in record["topics"].values())
        for name in ("right", *BAD, "agrees", "differs")
    }
    return (
        sums["right"],
        sums["right"] + sum(sums[bad] for bad in BAD),
        sums["agrees"],
        sums["agrees"] + sums["differs"],
    )


def _escaped(text: str) -> str:
    """Return text for a cell of a table in Markdown, in which a bar would end the cell."""
    return text.replace("|", r"\|")


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
        f"| **all required** | {' | '.join('**{}/{}**'.format(*totals(one)) for one in shown)} |"
    )
    single = {
        record["name"]: "{}/{}".format(*totals(record))
        for record in records
        if record["dtype"] == "float32"
    }
    return [
        *lines,
        f"| the same, float32 | {' | '.join(single.get(one['name'], '-') for one in shown)} |",
    ]


def _family(record: Record) -> str:
    """Return the family of the basis functions of a card."""
    return next(entry.family for entry in ENTRIES if entry.name == record["name"])


def _families(records: Sequence[Record]) -> list[str]:
    lines = [
        "Cards of other families than B-splines have the cases of their family alone ([families]"
        "(conformance.md#other-basis-functions)).",
        "",
        "| implementation | family | precision | required cases right |",
        "|---|---|---|---|",
    ]
    for record in records:
        right, asked, *_ = totals(record)
        words = [record["name"], f"`{_family(record)}`", record["dtype"], f"{right}/{asked}"]
        lines.append(f"| {' | '.join(words)} |")
    return lines


def _cell(topic: Mapping[str, int] | None) -> str:
    if topic is None:
        return "not tested"
    asked = topic["right"] + sum(topic[bad] for bad in BAD)
    free = topic["agrees"] + topic["differs"]
    more = f"({topic['agrees']}/{free})" if free else ""
    return f"{topic['right']}/{asked} {more}".strip() if asked else more or "-"


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
    right, asked, agrees, free = totals(record)
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    lines = [
        f"**{record['dtype']}**, {record['date']}, contract {record['contract']}: {right} of "
        f"{asked} required cases right; {agrees} of {free} open answers are those of the vectors. "
        f"{versions}.",
        "",
    ]
    defects = [one for one in record["findings"] if _is_named(record, one)]
    ordered = sorted(defects, key=lambda one: (_is_fact(one), -len(_cases(one)), one["name"]))
    lines += [f"- {_finding(record, one)}" for one in ordered]
    named = {case for one in defects for case in _cases(one)}
    others = {case for one in record["findings"] for case in _cases(one)} - named
    if others:
        lines.append(f"- Failures that are not named: {len(others)}.")
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


def _is_named(record: Record, one: Mapping[str, Any]) -> bool:
    """Return whether a finding is a fact, or a defect whose source has been read."""
    return _is_fact(one) or (record["name"], one["name"]) in EVIDENCE


def _is_fact(one: Mapping[str, Any]) -> bool:
    return one["name"] in FACTS and one["name"] != "NotNamed"


def _cases(one: Mapping[str, Any]) -> list[str]:
    return [case for bad in BAD for case in one[bad]]


def _finding(record: Record, one: Mapping[str, Any]) -> str:
    """Return a finding with its cases, and for a defect the evidence."""
    cases = _cases(one)
    named = ", ".join(f"`{case}`" for case in cases[:SHOWN])
    more = f" and {len(cases) - SHOWN} more" if len(cases) > SHOWN else ""
    link = f"[{one['name']}](conformance.md#{one['name'].lower()}), {len(cases)}"
    if _is_fact(one):
        return f"{link}: {one['detail'].replace('|', '/')} ({named}{more})"
    source = EVIDENCE[record["name"], one["name"]]
    return f"{link}: {notes()[one['name']]['defect']} ({named}{more}). Source: {source}"
