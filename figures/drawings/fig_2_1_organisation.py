"""Fig. 2.1: the organisation of the paper, as a map of where each part stands here.

Liu et al. 2024, Figure 2.1. Each numbered figure, table and equation of the paper is a box, coloured by its state in `figures/paper.toml`. Beside
the sections stand the folders and pages of this repository that treat them.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from figures.machine.machine import Claim, Record
from figures.machine.machine import Figure as FigureModule
from figures.machine.machine import configs as configs
from figures.machine.machine import cost as cost
from figures.machine.machine import run as run
from figures.machine.reproduced import STATES, read_items
from figures.machine.style import GREEN, GREY, ORANGE

NAME = "2.1"
TITLE = "organisation of the paper"
RECORDS_OF: tuple[FigureModule, ...] = ()
COLORS = {"yes": GREEN, "in part": ORANGE, "no": "0.75"}
# section: title, and where it is treated
SECTIONS = {
    "1": ("Introduction", ("README.md", "tutorials/00_one_edge_by_hand.md", "figures/drawings")),
    "2": (
        "Networks, theorem, grids, simplification",
        ("kan_ref", "tutorials", "figures/splines", "figures/formulas"),
    ),
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


def draw(records: Sequence[Record]) -> Figure:
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
        ax.text(
            A_ROW + 2.0,
            y + 0.0,
            "\n".join(_lines(places)),
            ha="right",
            va="center",
            size=7.5,
            color=GREY,
        )
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
        (x + 0.08, y - 0.36),
        0.84,
        0.72,
        boxstyle="round,pad=0,rounding_size=0.12",
        color=color,
        lw=0,
    )
    ax.add_patch(shape)
    ax.text(x + 0.5, y, text, ha="center", va="center", size=8.5)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return no rows: the map has states, which `reproduced.md` explains."""
    return []
