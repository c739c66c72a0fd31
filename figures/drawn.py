"""Pictures without runs of their own: Figs. 0.1, 2.1 and 6.1, and the picture of the README. They are drawn from code alone, or from the records of other figures.

Liu et al. 2024, Figure 0.1: theorem, formula and network of two layers, formula and network of three. An MLP has a fixed activation function on each
node and a weight on each edge. A KAN has a learnable function on each edge, and its nodes add. The curves of the KANs are those of untrained
networks with large coefficients.

Figure 2.1, as a map of where each part stands here. Each numbered figure, table and equation of the paper is a box, coloured by its
state in `figures/paper.toml`. Beside the sections stand the folders and pages of this repository that treat them.

The picture of the README has the five steps of Fig. 2.4, section 2.5.2, as `kr.discover` takes them, in one row. The run is one of those of Fig. 2.4,
the first seed.

Figure 6.1 asks whether accuracy, interpretability or fast training matters. Here every answer follows from the verdicts of rows
of the table of claims: where all of them are "yes", where all are "no", and where they differ. The text of a branch is our result in these rows.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

import kan_ref as kr
from figures.equations import fig_3_3_poisson
from figures.formulas import fig_2_4_symbolic_regression
from figures.formulas.fig_2_4_symbolic_regression import DISCOVER, runs_of
from figures.machine.catalog import STATES, read_items
from figures.machine.machine import Bar, Claim, DerivedFigure, Record, sources
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE, VERMILION
from figures.machine.stored_network import draw_settled, network_panel
from figures.splines import fig_3_1_scaling, fig_3_4_continual_learning
from figures.tables.tables_1_and_2 import fig_3_2_frontiers, table_1

# --- Fig. 0.1

SHALLOW, DEEP = (2, 3, 1), (2, 3, 2, 1)
TEXTS = {
    "MLP": ("universal approximation", r"$f(x) \approx \sum_i a_i\, \sigma(w_i \cdot x + b_i)$",
            r"$(W_2 \circ \sigma_2 \circ W_1 \circ \sigma_1 \circ W_0)(x)$"),
    "KAN": ("Kolmogorov-Arnold representation", r"$f(x) = \sum_q \Phi_q\left(\sum_p \phi_{q,p}(x_p)\right)$",
            r"$(\Phi_2 \circ \Phi_1 \circ \Phi_0)(x)$"),
}  # fmt: skip


def draw_side_by_side(records: Sequence[Record]) -> Figure:
    """Draw the two columns."""
    picture = Figure(figsize=(6.8, 7.6))
    axes = picture.subplots(4, 2, height_ratios=(0.42, 1.0, 0.16, 1.25))
    drawings = []
    for column, (name, color) in zip(axes.T, (("MLP", VERMILION), ("KAN", BLUE)), strict=True):
        theorem, shallow, deep = TEXTS[name]
        for ax in column:
            ax.set_axis_off()
        column[0].text(0.5, 0.95, name, ha="center", va="top", size=15, weight="bold", color=color)
        column[0].text(0.5, 0.5, theorem, ha="center", va="top", color=GREY)
        column[0].text(0.5, 0.1, shallow, ha="center", va="top", size=11)
        column[2].text(0.5, 0.5, deep, ha="center", va="center", size=11)
        for ax, widths in ((column[1], SHALLOW), (column[3], DEEP)):
            drawings.append(partial(_draw_mlp if name == "MLP" else _draw_kan, ax, widths))
    axes[3, 0].set_title("fixed functions on nodes,\nlearnable weights on edges", y=-0.18)
    axes[3, 1].set_title("learnable functions on edges,\nsums on nodes", y=-0.18)
    draw_settled(picture, drawings)
    return picture


def _draw_kan(ax: Axes, widths: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    network = kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng)
    layers = [replace(layer, coef=8.0 * layer.coef) for layer in network.layers]
    network = kr.Network(tuple(layers))
    x = rng.uniform(-1.0, 1.0, (200, widths[0]))
    names = [f"$x_{place + 1}$" for place in range(widths[0])]
    kr.draw_network(network, x, ax=ax, names=names, output_names=("$f$",), beta=50.0)


def _draw_mlp(ax: Axes, widths: tuple[int, ...]) -> None:
    """Draw an MLP: lines for weights, and a box with the activation function on each hidden node."""
    places = [[((i + 1.0) / (n + 1.0), float(level)) for i in range(n)] for level, n in enumerate(widths)]
    for low, high in pairwise(places):
        for x_low, y_low in low:
            for x_high, y_high in high:
                ax.plot([x_low, x_high], [y_low, y_high], color="k", lw=0.8, alpha=0.7)
    line = np.linspace(-1.0, 1.0, 41)
    for level, row in enumerate(places):
        for number, (x, y) in enumerate(row):
            if 0 < level < len(widths) - 1:
                ax.plot(x, y, "s", ms=19, mfc="white", mec="k", mew=0.9)
                ax.plot(x + 0.035 * line, y + 0.09 * np.tanh(4.0 * line), color=VERMILION, lw=1.4)
            else:
                ax.plot(x, y, "o", ms=5, color="k")
                below = level == 0
                ax.text(
                    x,
                    y + (-0.16 if below else 0.16),
                    f"$x_{number + 1}$" if below else "$f$",
                    ha="center",
                    va="top" if below else "bottom",
                )
    ax.set(xlim=(0.0, 1.0), ylim=(-0.45, len(widths) - 0.55))


# --- Fig. 2.1

COLORS = {"yes": GREEN, "in part": ORANGE, "no": "0.75"}
# section: title, and where it is treated
SECTIONS = {
    "1": ("Introduction", ("README.md", "tutorials/00_one_edge_by_hand.md", "figures/drawn.py")),
    "2": ("Networks, theorem, grids, simplification", ("kan_ref", "tutorials", "figures/splines", "figures/formulas")),
    "3": ("KANs are accurate", ("figures/splines", "figures/tables", "figures/equations")),
    "4": ("KANs are interpretable", ("figures/formulas", "figures/localization")),
    "6": ("Discussion", ("figures/drawn.py",)),
    "A": ("Functions of the interface", ("docs/from_pykan.md",)),
    "B": ("LANs", ("figures/lans", "kan_ref/baselines")),
    "C": ("Hyperparameters", ("figures/formulas",)),
    "D": ("Feynman equations", ("figures/tables",)),
    "E": ("Grid size against grid of points", ("figures/splines",)),
    "F": ("Special functions", ("figures/tables",)),
}
TABLES = {"1": "3", "2": "3", "3": "4", "4": "4", "5": "4", "6": "A"}
WORDS = {"figure": "figures", "table": "tables", "equation": "equations"}
A_ROW = 10  # boxes


def parts() -> dict[str, list[tuple[str, str, str]]]:
    """Return for each section its items as (kind, number, state), figures first."""
    found: dict[str, list[tuple[str, str, str]]] = {section: [] for section in SECTIONS}
    items = read_items()
    for kind in WORDS:
        for number, item in items[kind].items():
            section = TABLES[number] if kind == "table" else number[0].replace("0", "1")
            found[section].append((kind, number, str(item["status"])))
    return found


def draw_organisation(records: Sequence[Record]) -> Figure:
    """Draw the sections with their boxes."""
    found = parts()
    rows = [
        (section, kind, [(number, state) for which, number, state in entries if which == kind])
        for section, entries in found.items()
        for kind in WORDS
    ]
    rows = [row for row in rows if row[2]]
    n_lines = sum(-(-len(row[2]) // A_ROW) for row in rows) + 1.25 * len(SECTIONS)
    picture = Figure(figsize=(6.8, 0.29 * n_lines + 0.5))
    ax = picture.subplots()
    ax.set_axis_off()
    ax.set(xlim=(0.0, A_ROW + 2.0), ylim=(n_lines, -0.2))
    y = 0.4
    for section, (title, places) in SECTIONS.items():
        kind_of_part = "section" if section.isdigit() else "appendix"
        ax.text(0.0, y, f"{kind_of_part} {section}: {title}", weight="bold", va="center", size=9.5)
        ax.text(A_ROW + 2.0, y + 0.0, "\n".join(_lines(places)), ha="right", va="center", size=7.5, color=GREY)
        y += 0.95
        for _, kind, entries in (row for row in rows if row[0] == section):
            ax.text(1.85, y, WORDS[kind], ha="right", va="center", size=8.5)
            for place, (number, state) in enumerate(entries):
                _box(ax, 2.0 + place % A_ROW, y + place // A_ROW, number, COLORS[state])
            y += -(-len(entries) // A_ROW)
        y += 0.3
    patches = [Patch(color=COLORS[state], label=word) for state, word in STATES.items()]
    picture.legend(handles=patches, loc="outside upper left", ncols=3)
    return picture


def _lines(places: Sequence[str]) -> list[str]:
    """Return the places, as many in a line as fit beside a title."""
    return [", ".join(places[first : first + 2]) for first in range(0, len(places), 2)]


def _box(ax: Axes, x: float, y: float, text: str, color: str) -> None:
    shape = FancyBboxPatch(
        (x + 0.08, y - 0.36), 0.84, 0.72, boxstyle="round,pad=0,rounding_size=0.12", color=color, lw=0
    )
    ax.add_patch(shape)
    ax.text(x + 0.5, y, text, ha="center", va="center", size=8.5)


# --- the picture of the README

STEPS = {0: "train", 1: "prune", 2: "refine", 3: "name"}
BETA = 3.0


def draw_steps(records: Sequence[Record]) -> Figure:
    """Draw four networks and the formula."""
    picture = Figure(figsize=(8.0, 2.5))
    axes, drawings = picture.subplots(1, 5), []
    found = runs_of(records, DISCOVER)
    steps = found[0]["results"]["steps"] if found else []
    for ax in axes:
        ax.set_axis_off()
    for ax, (place, title), step in zip(axes, STEPS.items(), steps, strict=False):
        text = f"{place + 1}  {title}\nerror {step['test_rmse']:.0e}"
        drawings.append(network_panel(ax, text, step["network"], beta=BETA))
    axes[4].set_title("5  write\n", fontsize=10.5)
    formula = found[0]["results"]["formula"] if found else None
    axes[4].text(
        0.5,
        0.5,
        f"${formula}$" if formula else "no formula",
        ha="center",
        va="center",
        fontsize=11,
        color="k" if formula else GREY,
    )
    draw_settled(picture, drawings)
    return picture


# --- Fig. 6.1

KAN, MLP, EITHER = "KAN", "MLP", "either"
TREE_COLORS = {KAN: BLUE, MLP: VERMILION, EITHER: GREY}
QUESTION, TEXT = 44, 68  # characters of a line


@dataclass(frozen=True)
class Branch:
    """A question with the rows that answer it: those of `figure` whose claim has `words`. `answers`: for rows that are all "yes", mixed, all "no"."""

    question: str
    figure: Any
    words: str
    answers: tuple[str, str, str] = (KAN, EITHER, MLP)


BRANCHES = (
    Branch("Should the result be a formula?", fig_2_4_symbolic_regression, "width and functions found automatically"),
    Branch("Is the function smooth, free of noise, and a small network's shape known?",
           fig_3_1_scaling, "MLPs, Levenberg-Marquardt: less accurate"),
    Branch("Must the network have fewer than about 80 parameters?",
           fig_3_2_frontiers, "MLPs trained by Levenberg-Marquardt"),
    Branch("Is it a differential equation that a few hundred parameters solve?",
           fig_3_3_poisson, "is ahead of a"),  # of a small MLP, on one grid and on nested grids
    Branch("Do the data of one region after another arrive, in one dimension?",
           fig_3_4_continual_learning, "KAN, scales frozen: the earlier peaks are kept"),
    Branch("Is the time of a training step the limit?",
           fig_3_3_poisson, "the KAN trains about 10 times slower", (MLP, EITHER, EITHER)),
)  # fmt: skip


def rows_of(records: Sequence[Record], branch: Branch) -> list[Claim]:
    """Return the rows of the table that answer a branch; none if its figure has no records."""
    homes = sources(branch.figure)
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


def draw_tree(records: Sequence[Record]) -> Figure:
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
    ax.set(xlim=(0.0, 6.6), ylim=(sum(heights) + 0.6, 0.0))
    y = 0.1
    for place, ((question, text, word), height) in enumerate(zip(blocks, heights, strict=True)):
        _draw_branch(ax, y, height, question, text, word)
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


def _draw_branch(ax: Axes, y: float, height: float, question: list[str], text: list[str], word: str) -> None:
    ax.text(0.1, y + 0.1, "\n".join(question), va="top", weight="bold", size=10, linespacing=1.25)
    ax.text(0.1, y + 0.12 + 0.215 * len(question), "\n".join(text), va="top", size=8.5, color=GREY, linespacing=1.3)
    middle = y + 0.1 + 0.1 * len(question)
    ax.annotate("", (5.55, middle), (4.75, middle), arrowprops={"arrowstyle": "->"})
    ax.text(5.1, middle - 0.06, "yes", size=9, color=GREY, ha="center", va="bottom")
    color = TREE_COLORS.get(word, "0.75")
    box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": color, "lw": 1.6}
    ax.text(6.05, middle, word or "?", color=color, weight="bold", ha="center", va="center", bbox=box)
    if y > 0.2:
        ax.annotate("", (0.2, y + 0.08), (0.2, y - 0.14), arrowprops={"arrowstyle": "->"})


def tree_claims(records: Sequence[Record]) -> list[Claim]:
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


# --- the figures


def no_claims(records: Sequence[Record]) -> list[Claim]:
    """Return no rows: Fig. 0.1 has definitions alone, Fig. 2.1 states, which `reproduced.md` explains, and the rows of Fig. 2.4 judge all its seeds."""
    return []


TREE_RECORDS: Any = (fig_2_4_symbolic_regression, fig_3_1_scaling, table_1, fig_3_3_poisson, fig_3_4_continual_learning)
fig_0_1_side_by_side = DerivedFigure(
    f"{__name__}.fig_0_1_side_by_side", "0.1", "MLPs and KANs side by side", (), draw_side_by_side, no_claims
)
fig_2_1_organisation = DerivedFigure(
    f"{__name__}.fig_2_1_organisation", "2.1", "organisation of the paper", (), draw_organisation, no_claims
)
STEPS_TITLE, STEPS_RECORDS = "from data to a formula in five steps", (fig_2_4_symbolic_regression,)
fig_2_4_discover = DerivedFigure(
    f"{__name__}.fig_2_4_discover", "2.4-steps", STEPS_TITLE, STEPS_RECORDS, draw_steps, no_claims
)
fig_6_1_decision_tree = DerivedFigure(
    f"{__name__}.fig_6_1_decision_tree", "6.1", "decision tree: when to use a KAN", TREE_RECORDS, draw_tree, tree_claims
)
