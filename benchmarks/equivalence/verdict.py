"""The first table of the page: whether the libraries agree, yes or no, with the number. Before it, the form of numbers and tables."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.equivalence.subject import ON_GRID

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


def _judged(value: object, *, bar: float = ROUNDING) -> str:
    if value is None:
        return "not offered"
    fine = not isinstance(value, str) and abs(float(value)) <= bar  # type: ignore[arg-type]
    return f"{'yes' if fine else '**no**'}, {number(value)}"


def _apart(answers: Record, points: Sequence[str]) -> str:
    """Return the difference of the outputs from kan_ref's at some points."""
    if OURS in answers["versions"]:
        return "reference"
    return _judged(max(float(answers["forward"]["apart"][point]) for point in points))


def _start(answers: Record) -> str:
    """Return which initial numbers differ from the paper's: standard deviation 0.1 for any G,
    w_spline 1, and Xavier's bound for 32 and 32 nodes.
    """
    wrong = []
    coarse, fine = (answers["first numbers"][n_intervals] for n_intervals in ("5", "50"))
    if any(abs(one["coef"]["std"] / 0.1 - 1.0) > 0.05 for one in (coarse, fine)):
        wrong.append("c")
    if abs(coarse["w_spline"]["mean"] - 1.0) > 1e-9 or coarse["w_spline"]["std"] > 1e-9:
        wrong.append("w_s")
    if not 0.98 <= coarse["w_base"]["max"] / math.sqrt(6.0 / 64.0) <= 1.0:
        wrong.append("w_b")
    return f"**no**: {', '.join(wrong)}" if wrong else "yes"


def verdict(record: Record) -> str:
    """Return the table."""
    ours = record["columns"][OURS]
    beyond = [name for name in ours["forward"]["apart"] if name not in ON_GRID]
    l1, entropy = ours["penalties"]["layer"]["paper"]
    count = ours["parameters"]["[2, 5, 1]"]["trainable"]

    def paper(place: int, right: float) -> Cell:
        def cell(answers: Record) -> str:
            if answers["penalties"] is None:
                return "not offered"
            theirs = next(iter(answers["penalties"]["layer"].values()))[place]
            fine = not isinstance(theirs, str) and abs(theirs - right) <= ROUNDING
            return f"{'yes' if fine else '**no**'}, {number(theirs)}"

        return cell

    def pruning(answers: Record) -> str:
        return _judged(
            None if answers["prune"] is None else next(iter(answers["prune"].values()))["change"]
        )

    def moved(answers: Record) -> str:
        theirs = answers["parameters"]["[2, 5, 1]"]["trainable"]
        return f"{'yes' if theirs == count else '**no**'}, {theirs}"

    def r2(answers: Record) -> str:
        value = read(answers, "r2", "0.0001 sin(3x)")
        return (
            "not offered"
            if value is None
            else f"{'yes' if abs(value - 1.0) < 1e-9 else '**no**'}, {number(value)}"
        )

    return by_library(
        record,
        "the same layer in each library",
        {
            "same outputs on the grid": lambda answers: _apart(answers, ON_GRID),
            "same outputs beyond the grid": lambda answers: _apart(answers, beyond),
            "its own float64 knots are correct": lambda answers: _judged(
                answers["knots"]["float64"], bar=1e-15
            ),
            f"has {count} trainable numbers for [2, 5, 1]": moved,
            "a masked edge has zero gradient": lambda answers: _judged(answers["masked edge"]),
            "is initialized as in the paper": _start,
            f"L1 is that of the paper, {number(l1)}": paper(0, l1),
            f"entropy is that of the paper, {number(entropy)}": paper(1, entropy),
            "a grid update keeps cubic curves": lambda answers: _judged(
                answers["update"]["narrower, cubic curves"]["change"]
            ),
            "the same with one constant input": lambda answers: _judged(
                answers["update"]["constant input"]["change"]
            ),
            "refining from 5 to 10 intervals keeps the function": lambda answers: _judged(
                read(answers, "extend", "5 to 10", "at the samples")
            ),
            "the same with samples in one half only": lambda answers: _judged(
                read(answers, "extend", "5 to 10, right half", "at the samples")
            ),
            "pruning a node without effect keeps the function": pruning,
            "R² of 0.0001 sin(3x) is 1": r2,
        },
    )
