"""The page that says, item by item, what of the paper is reproduced, in part or not, and where.

`figures/paper.toml` has the items: every figure, table and numbered equation of the paper, and its claims.
"""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "paper.toml"
KINDS = {"figure": "Figures", "table": "Tables", "equation": "Numbered equations", "claim": "Claims"}
STATES = {"yes": "reproduced", "in part": "in part", "no": "not"}


def read_items() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the items by kind and number, claims by their sentence."""
    with DATA.open("rb") as file:
        return tomllib.load(file)


def counts(items: dict[str, dict[str, dict[str, Any]]], *kinds: str) -> Counter[str]:
    """Return the number of items of some kinds in each state."""
    return Counter(item["status"] for kind in kinds for item in items[kind].values())


def summary(items: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the sentence on figures and tables that README and page share."""
    found = counts(items, "figure", "table")
    return (
        f"Of the paper's {sum(found.values())} figures and tables, {found['yes']} are reproduced, "
        f"{found['in part']} are reproduced in part, and {found['no']} are not"
    )


def page(items: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the page in Markdown."""
    lines = [
        "# What of the paper is reproduced",
        "",
        'Written by `python -m figures --full --table` from `figures/paper.toml`. "Reproduced" means that it was run or computed here, '
        "whether or not the result agrees with the paper: `claims.md` has the verdicts.",
        "",
        f"{summary(items)}.",
    ]
    for kind, title in KINDS.items():
        found = counts(items, kind)
        lines += [
            "",
            f"## {title}",
            "",
            f"{found['yes']} reproduced, {found['in part']} in part, {found['no']} not.",
            "",
            f"| {kind} | {'subject | ' if kind != 'claim' else ''}reproduced? | where | why not, or not all |",
            "| --- | --- | --- | --- |" + (" --- |" if kind != "claim" else ""),
        ]
        for name, item in items[kind].items():
            subject = f"{item['what']} | " if kind != "claim" else ""
            where = ", ".join(f"`{place}`" for place in item["where"])
            lines.append(f"| {name} | {subject}{STATES[item['status']]} | {where} | {item.get('why', '')} |")
    return "\n".join(lines) + "\n"
