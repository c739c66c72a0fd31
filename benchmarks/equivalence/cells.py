"""How numbers and tables look on the page."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Cell = Callable[[Record], str]  # from the answers of a library
ROUNDING = 1e-12  # below this a difference is told as none
NONE = "-"
MINUS = "\u2212"  # no line is broken behind it, as it is behind a hyphen
OURS = "kan_ref"


def number(value: object, digits: int = 4) -> str:
    """A number as the page shows it; a word for what is none, a dash for what is not offered."""
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
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def by_library(record: Record, first: str, rows: Mapping[str, Cell]) -> str:
    """A table with a column for each library, and rows that read a cell out of its answers."""
    columns = record["columns"]
    return table(
        [first, *columns],
        [[title, *(cell(answers) for answers in columns.values())] for title, cell in rows.items()],
    )


def read(answers: Record, *keys: str) -> Any:
    """An answer by its keys; None if the library does not offer it."""
    for key in keys:
        if answers is None:
            return None
        answers = answers[key]
    return answers


def cell(*keys: str) -> Cell:
    """The number at these keys of the answers."""
    return lambda answers: number(read(answers, *keys))
