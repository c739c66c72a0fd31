"""Figs. 0.1 and 2.1: MLPs and KANs side by side, and the organisation of the paper. Both are drawn from code alone.

Liu et al. 2024, Figure 0.1: theorem, formula and network of two layers, formula and network of three. An MLP has a fixed activation function on each
node and a weight on each edge. A KAN has a learnable function on each edge, and its nodes add. The curves of the KANs are those of untrained
networks with large coefficients.

Liu et al. 2024, Figure 2.1, as a map of where each part stands here. Each numbered figure, table and equation of the paper is a box, coloured by its
state in `figures/paper.toml`. Beside the sections stand the folders and pages of this repository that treat them.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

import kan_ref as kr
from figures.machine.machine import Claim, DerivedFigure, Record
from figures.machine.reproduced import STATES, read_items
from figures.machine.stored_network import draw_settled
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, VERMILION

# --- Fig. 0.1

SHALLOW, DEEP = (2, 3, 1), (2, 3, 2, 1)
TEXTS = {
    "MLP": (
        "universal approximation",
        r"$f(x) \approx \sum_i a_i\, \sigma(w_i \cdot x + b_i)$",
        r"$(W_2 \circ \sigma_2 \circ W_1 \circ \sigma_1 \circ W_0)(x)$",
    ),
    "KAN": (
        "Kolmogorov-Arnold representation",
        r"$f(x) = \sum_q \Phi_q\left(\sum_p \phi_{q,p}(x_p)\right)$",
        r"$(\Phi_2 \circ \Phi_1 \circ \Phi_0)(x)$",
    ),
}


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
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-0.45, len(widths) - 0.55)


# --- Fig. 2.1

COLORS = {"yes": GREEN, "in part": ORANGE, "no": "0.75"}
# section: title, and where it is treated
SECTIONS = {
    "1": ("Introduction", ("README.md", "tutorials/00_one_edge_by_hand.md", "figures/drawings")),
    "2": ("Networks, theorem, grids, simplification", ("kan_ref", "tutorials", "figures/splines", "figures/formulas")),
    "3": ("KANs are accurate", ("figures/scaling", "figures/tables", "figures/equations")),
    "4": ("KANs are interpretable", ("figures/formulas", "figures/localization")),
    "6": ("Discussion", ("figures/drawings",)),
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
    ax.set_xlim(0.0, A_ROW + 2.0)
    ax.set_ylim(n_lines, -0.2)
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


def no_claims(records: Sequence[Record]) -> list[Claim]:
    """Return no rows: Fig. 0.1 has definitions alone, and Fig. 2.1 states, which `reproduced.md` explains."""
    return []


fig_0_1_side_by_side = DerivedFigure(
    f"{__name__}.fig_0_1_side_by_side",
    NAME="0.1",
    TITLE="MLPs and KANs side by side",
    RECORDS_OF=(),
    draw=draw_side_by_side,
    claims=no_claims,
)
fig_2_1_organisation = DerivedFigure(
    f"{__name__}.fig_2_1_organisation",
    NAME="2.1",
    TITLE="organisation of the paper",
    RECORDS_OF=(),
    draw=draw_organisation,
    claims=no_claims,
)
