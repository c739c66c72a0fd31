"""Fig. 6.1: a decision tree on when to use a KAN, whose branches are measured here.

Liu et al. 2024, Figure 6.1, asks whether accuracy, interpretability or fast training matters. Here every answer follows from the verdicts of rows
of the table of claims: where all of them are "yes", where all are "no", and where they differ. The text of a branch is our result in these rows.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.equations import fig_3_3_poisson
from figures.formulas import fig_2_4_symbolic_regression
from figures.machine.machine import Bar, Claim, Record
from figures.machine.machine import Figure as FigureModule
from figures.machine.machine import configs as configs
from figures.machine.machine import run as run
from figures.machine.style import BLUE, GREY, VERMILION
from figures.scaling import fig_3_1_scaling
from figures.splines import fig_3_4_continual_learning
from figures.tables.tables_1_and_2 import fig_3_2_frontiers, table_1

NAME = "6.1"
TITLE = "decision tree: when to use a KAN"
RECORDS_OF = (fig_2_4_symbolic_regression, fig_3_1_scaling, table_1, fig_3_3_poisson, fig_3_4_continual_learning)
KAN, MLP, EITHER = "KAN", "MLP", "either"
COLORS = {KAN: BLUE, MLP: VERMILION, EITHER: GREY}
QUESTION, TEXT = 44, 68  # characters of a line


@dataclass(frozen=True)
class Branch:
    """A question with the rows that answer it: those of `figure` whose claim has `words`. `answers`: for rows that are all "yes", mixed, all "no"."""

    question: str
    figure: FigureModule
    words: str
    answers: tuple[str, str, str] = (KAN, EITHER, MLP)


BRANCHES = (
    Branch("Should the result be a formula?", fig_2_4_symbolic_regression, "width and functions found automatically"),
    Branch(
        "Is the function smooth, free of noise, and a small network's shape known?",
        cast(FigureModule, fig_3_1_scaling),
        "MLPs, Levenberg-Marquardt: less accurate",
    ),
    Branch(
        "Must the network have fewer than about 80 parameters?",
        fig_3_2_frontiers,
        "MLPs trained by Levenberg-Marquardt",
    ),
    Branch(
        "Is it a differential equation that a few hundred parameters solve?",
        fig_3_3_poisson,
        "is ahead of a",  # of a small MLP, on one grid and on nested grids
    ),
    Branch(
        "Do the data of one region after another arrive, in one dimension?",
        fig_3_4_continual_learning,
        "KAN, scales frozen: the earlier peaks are kept",
    ),
    Branch(
        "Is the time of a training step the limit?",
        fig_3_3_poisson,
        "the KAN trains about 10 times slower",
        (MLP, EITHER, EITHER),
    ),
)


def rows_of(records: Sequence[Record], branch: Branch) -> list[Claim]:
    """Return the rows of the table that answer a branch; none if its figure has no records."""
    homes = getattr(branch.figure, "RECORDS_OF", (branch.figure,))
    own = [record for record in records if record["figure"] in {home.NAME for home in homes}]
    rows = branch.figure.claims(own) if own else []
    return [row for row in rows if branch.words in row.claim]


def answer(branch: Branch, rows: Sequence[Claim]) -> str:
    """Return the model that the rows speak for; "" without rows."""
    words = {row.agrees for row in rows}
    if not words:
        return ""
    return branch.answers[0 if words == {"yes"} else 2 if words == {"no"} else 1]


def measured(branch: Branch, rows: Sequence[Claim]) -> str:
    """Return our result in the rows as one text, with the first row of each verdict."""
    if not rows:
        return f"figure {branch.figure.NAME} has not been run"
    first = {row.agrees: row for row in reversed(rows)}
    quoted = [row for row in rows if first[row.agrees] is row]
    texts = [f"“{row.claim}”: {row.ours.split(';')[0]}" for row in quoted]
    several = f"; {sum(row.agrees == 'yes' for row in rows)} of {len(rows)} such rows agree" if len(rows) > 1 else ""
    return f"Figure {branch.figure.NAME}, {'; '.join(texts)}{several}"


def draw(records: Sequence[Record]) -> Figure:
    """Draw the questions from top to bottom, each with its answer on the right."""
    judged = [(branch, rows_of(records, branch)) for branch in BRANCHES]
    blocks = [
        (textwrap.wrap(branch.question, QUESTION), textwrap.wrap(measured(branch, rows), TEXT), answer(branch, rows))
        for branch, rows in judged
    ]
    heights = [0.24 * len(question) + 0.175 * len(text) + 0.42 for question, text, _ in blocks]
    picture = Figure(figsize=(6.6, sum(heights) + 0.7))
    ax = picture.subplots()
    ax.set_axis_off()
    ax.set_xlim(0.0, 6.6)
    ax.set_ylim(sum(heights) + 0.6, 0.0)
    y = 0.1
    for place, ((question, text, word), height) in enumerate(zip(blocks, heights, strict=True)):
        _branch(ax, y, height, question, text, word)
        if place:
            ax.text(0.32, y - 0.02, "no", size=9, color=GREY, va="center")
        y += height
    ax.annotate("", (0.2, y + 0.12), (0.2, y - 0.16), arrowprops={"arrowstyle": "->"})
    ax.text(0.32, y - 0.02, "no", size=9, color=GREY, va="center")
    ax.text(
        0.1,
        y + 0.3,
        "MLP, as in the paper: neither accuracy nor readability is asked for",
        color=VERMILION,
        weight="bold",
    )
    return picture


def _branch(ax: Axes, y: float, height: float, question: list[str], text: list[str], word: str) -> None:
    ax.text(0.1, y + 0.1, "\n".join(question), va="top", weight="bold", size=10, linespacing=1.25)
    ax.text(0.1, y + 0.12 + 0.215 * len(question), "\n".join(text), va="top", size=8.5, color=GREY, linespacing=1.3)
    middle = y + 0.1 + 0.1 * len(question)
    ax.annotate("", (5.55, middle), (4.75, middle), arrowprops={"arrowstyle": "->"})
    ax.text(5.1, middle - 0.06, "yes", size=9, color=GREY, ha="center", va="bottom")
    color = COLORS.get(word, "0.75")
    box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": color, "lw": 1.6}
    ax.text(6.05, middle, word or "?", color=color, weight="bold", ha="center", va="center", bbox=box)
    if y > 0.2:
        ax.annotate("", (0.2, y + 0.08), (0.2, y - 0.14), arrowprops={"arrowstyle": "->"})


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the row on the paper's answers: on how many branches our measurements give the same; none if a branch lacks records."""
    judged = [(branch, answer(branch, rows_of(records, branch))) for branch in BRANCHES]
    if not all(word for _, word in judged):
        return []
    count = sum(word == branch.answers[0] for branch, word in judged)
    other = "; ".join(f"{branch.question} {word}" for branch, word in judged if word != branch.answers[0])
    return [
        Claim(
            "KANs where accuracy or interpretability matters, MLPs where training has to be fast",
            "KAN on the branches of accuracy and interpretability, MLP on that of speed",
            f"the paper's answer on {count} of {len(BRANCHES)} branches" + (f"; others: {other}" if other else ""),
            Bar(count, len(BRANCHES), 0.5 * len(BRANCHES)),
            "each branch follows from the verdicts of rows of this table; branches",
        )
    ]
