"""One style for all pictures, and files that are equal, byte for byte, for the same records.

Colours are those of Okabe and Ito, apart from yellow, which is too pale for a line on white. The
style starts from Matplotlib's defaults, not from the user's settings, and lasts as long as its
context.
"""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kan_ref.checks import FloatArray

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
