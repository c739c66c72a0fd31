"""The picture of Tables 1 and 2 under one rule: errors row by row, and MLPs against KANs of equal size."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.machine.machine import Record
from figures.machine.style import BLUE, GREY, VERMILION
from figures.tables.budget_claims import chosen_errors, mlp_to_kan
from figures.tables.budget_rule import SIZES
from figures.tables.problem import Problem
from figures.tables.table_method import KAN, MLP

WIDTH, ROW = 6.6, 0.34  # inches


def draw_budget(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw on the left the test errors of our and the paper's best KAN and MLP, on the right the MLP's error in units of the KAN's at each size."""
    picture = Figure(figsize=(WIDTH, ROW * len(problems) + 1.9))
    left, right = picture.subplots(1, 2, sharey=True, width_ratios=(1.25, 1.0))
    for place, problem in enumerate(problems):
        for model, paper, color, mark, off in (
            (KAN, problem.best_kan, BLUE, "o", -0.14),
            (MLP, problem.paper["MLP"], VERMILION, "s", 0.14),
        ):
            left.plot(paper, place + off, mark, color=color, mfc="white", ms=5.5, mew=1.3)
            ours = chosen_errors(records, problem, model)
            if ours:
                left.plot([min(ours), max(ours)], [place + off] * 2, color=color, lw=1.2)
                left.plot(float(np.median(ours)), place + off, mark, color=color, ms=5)
    left.set_xlabel("test RMSE")
    _draw_ratios(right, records, problems)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.grid(axis="y", color="0.92")
        ax.set_axisbelow(True)
    left.set_yticks(range(len(problems)), labels=[problem.name for problem in problems])
    left.set_ylim(len(problems) - 0.5, -0.5)
    shades = [
        Line2D([], [], ls="", marker="D", color=shade, label=f"{size} parameters")
        for size, shade in zip(SIZES, _shades(), strict=True)
    ]
    lines = [
        Line2D([], [], ls="", marker="o", color=BLUE, label="our KAN"),
        Line2D([], [], ls="", marker="o", color=BLUE, mfc="white", label="best KAN of the paper"),
        Line2D([], [], ls="", marker="s", color=VERMILION, label="our MLP"),
        Line2D(
            [], [], ls="", marker="s", color=VERMILION, mfc="white", label="best MLP of the paper"
        ),
    ]
    picture.legend(handles=[*lines, *shades], loc="outside upper left", ncols=2)
    return picture


def _shades() -> list[tuple[float, float, float, float]]:
    return [mpl.colormaps["viridis"](place) for place in np.linspace(0.9, 0.1, len(SIZES))]


def _draw_ratios(ax: Axes, records: Sequence[Record], problems: Sequence[Problem]) -> None:
    for place, problem in enumerate(problems):
        for number, (size, shade) in enumerate(zip(SIZES, _shades(), strict=True)):
            ratio = mlp_to_kan(records, problem, size)
            if ratio is not None:
                y = place + 0.16 * (number - 0.5 * (len(SIZES) - 1))
                ax.plot(ratio, y, "D", color=shade, ms=4)
    ax.axvline(1.0, color=GREY, lw=1.0)
    ax.set_xlabel("MLP's error / KAN's, equal size\n(left of 1 the MLP is better)")
