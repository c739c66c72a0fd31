"""The form of numbers and tables on the page."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Cell = Callable[[Record], str]  # from the results of a library
ROUNDING = 1e-12  # a smaller difference is shown as none
NONE = "-"
MINUS = "\u2212"  # no line is broken behind it, as it is behind a hyphen
OURS = "kan_ref"


def number(value: object, digits: int = 4) -> str:
    """Return a number as the page shows it: a word for none, a dash for what is not offered."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return {"nan": "NaN", "inf": "infinite"}.get(value, value)
    size = float(value)  # type: ignore[arg-type]
    if size == 0.0:
        return "0"
    if abs(size) < ROUNDING:
        return _short(f"{size:.0e}")
    return _short(f"{size:.{digits if abs(size) >= 1e-3 else 2}g}")


def _short(text: str) -> str:
    return re.sub(
        r"e([+-])0*", lambda match: "e" + match[1].replace("+", "").replace("-", MINUS), text
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def by_library(record: Record, first: str, rows: Mapping[str, Cell]) -> str:
    """Return a table with a column for each library, and rows that read a cell from its results."""
    columns = record["columns"]
    return table(
        [first, *columns],
        [[title, *(cell(answers) for answers in columns.values())] for title, cell in rows.items()],
    )


def read(answers: Record, *keys: str) -> Any:
    """Return a result by its keys; None if the library does not offer it."""
    for key in keys:
        if answers is None:
            return None
        answers = answers[key]
    return answers


def cell(*keys: str) -> Cell:
    """Return the number at these keys of the results."""
    return lambda answers: number(read(answers, *keys))
