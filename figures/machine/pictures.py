"""Pictures: one style for all, files that are equal, byte for byte, for the same records, and which are missing or outdated.

Colours are those of Okabe and Ito, apart from yellow, which is too pale for a line on white. The
style starts from Matplotlib's defaults, not from the user's settings, and lasts as long as its
context.

A picture is outdated if it is older, by the times of the files, than the records that it shows, the
code of the figures or that of the drawings.
"""

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.machine.catalog import all_figures
from figures.machine.machine import Figure as PaperFigure
from figures.machine.machine import sources
from figures.machine.records import Plan, file_stem, make_plan, records_path
from figures.machine.workers import call_in_processes
from kan_ref.checks import FloatArray
from kan_ref.files import replace_file

# --- one style for all pictures, and files that are equal, byte for byte, for the same records

BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
GREY = "#666666"

STYLE: Any = {  # Any: the keys that type checkers know differ between versions of Matplotlib
    "axes.prop_cycle": cycler(color=[BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "font.size": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "svg.hashsalt": "kan_ref",
}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Set Matplotlib's style for all figures, while the context lasts."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def write_below(picture: Figure, remark: str) -> None:
    """Write a small remark on the whole picture into the margin of its lower right corner."""
    picture.text(0.998, 0.002, remark, ha="right", va="bottom", fontsize=7.5, color=VERMILION)


FORMATS: dict[str, dict[str, Any]] = {  # ending -> options without dates and versions
    "png": {"dpi": 150, "metadata": {"Software": None}},
    "svg": {"metadata": {"Date": None}},
}


def picture_bytes(picture: Figure, *endings: str) -> dict[str, bytes]:
    """Return the picture as files, ending -> content, without dates or version names in them: PNG
    and SVG, or the given endings.
    """
    files = {}
    for ending, options in FORMATS.items():
        if ending in endings or not endings:
            buffer = io.BytesIO()
            picture.savefig(buffer, format=ending, **options)
            files[ending] = buffer.getvalue()
    return files


def entry(label: str, color: Any = GREY, marker: str = "", **look: Any) -> Line2D:
    """Return a line for a legend."""
    return Line2D([], [], color=color, marker=marker, label=label, **look)


def draw_band(ax: Axes, x: Any, values: FloatArray, color: str, marker: str = "", **look: Any) -> None:
    """Draw the medians of the columns of values (n_runs, n) as a line, and their range as a band."""
    low, high, below = values.min(axis=0), values.max(axis=0), look.get("zorder", 2) - 1
    ax.fill_between(x, low, high, color=color, alpha=0.15, lw=0, zorder=below)
    ax.plot(x, np.median(values, axis=0), color=color, marker=marker, **look)


def label_grids(ax: Axes, grids: list[int]) -> None:
    """Make the x axis logarithmic, with the numbers of intervals as its only labels."""
    ax.set_xscale("log")
    ax.set_xticks(grids, labels=[str(grid) for grid in grids])
    ax.set_xlim(grids[0] / 1.15, grids[-1] * 1.15)
    ax.minorticks_off()
    ax.set_xlabel("intervals per grid, $G$")


# --- pictures of figures, drawn where they are missing or outdated

ROOT = Path(__file__).parents[2]
CODE = (ROOT / "figures", ROOT / "kan_ref" / "drawing")


def draw(plan: Plan, *endings: str) -> dict[str, bytes]:
    """Return a figure's picture in both formats, or in the given ones, by the names of its files;
    with a remark if records are missing. Nothing is written, so an error is one of the records.
    """
    with style():
        picture = plan.figure.draw(plan.finished)
        if plan.missing:
            write_below(picture, plan.lack)
        files = picture_bytes(picture, *endings)
    return {f"{file_stem(plan.figure)}.{ending}": content for ending, content in files.items()}


def is_outdated(figure: PaperFigure, folder: Path) -> bool:
    """Return whether a figure's SVG file is missing or older than its records or the code."""
    picture = folder / f"{file_stem(figure)}.svg"
    if not picture.exists():
        return True
    shown = [path for code in CODE for path in code.rglob("*") if path.suffix in (".py", ".toml")]
    shown += [records_path(folder, home) for home in sources(figure)]
    drawn = picture.stat().st_mtime_ns
    return any(path.exists() and path.stat().st_mtime_ns > drawn for path in shown)


def draw_outdated(folder: Path, jobs: int) -> list[str]:
    """Draw the outdated pictures of full runs as SVG, in `jobs` processes; return the figures' names.

    Raises
    ------
    RuntimeError
        "the picture of figure 4.1 is not drawn: ..."
    """
    names = [name for name, figure in all_figures().items() if is_outdated(figure, folder)]
    drawn = []
    for answer in call_in_processes(_draw_full, ((name, folder) for name in names), jobs):
        if answer.failure:
            raise RuntimeError(f"the picture of figure {names[answer.place]} is not drawn: {answer.failure}")
        drawn += [names[answer.place]] * bool(answer.result)
    return drawn


def _draw_full(name: str, folder: Path) -> bool:
    """Draw the picture of a full run, and return whether there are records for it."""
    plan = make_plan(all_figures()[name], folder, full=True, seeds=None)
    for file, content in draw(plan, "svg").items() if plan.drawable else ():
        replace_file(os.fspath(folder / file), content)
    return plan.drawable
