"""Tables 1 and 2 under one rule: KANs and MLPs on the same points, in equal CPU time, and at equal numbers of parameters.

Liu et al. 2024, sections 3.2 and 3.3. `budget_rule` has the rule, which was fixed before the run. The picture
shows the errors row by row, and MLPs against KANs of equal size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.machine.machine import Claim, Config, FigureValue, Record
from figures.machine.style import BLUE, GREY, VERMILION
from figures.tables.budget_claims import budget_claims, chosen_errors, mlp_to_kan
from figures.tables.budget_rule import SIZES, configs_of
from figures.tables.budget_search import learn
from figures.tables.feynman import FEYNMAN
from figures.tables.problem import Problem
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_method import KAN, MLP

WIDTH, ROW = 6.6, 0.34  # inches


@dataclass(eq=False)
class BudgetFigure(FigureValue):
    """A table under the rule, of `problems`, by default for `n_seeds`; the claim on the rows that are reached needs `yes` and `partly` of them."""

    problems: Sequence[Problem]
    n_seeds: int
    yes: int
    partly: int

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each function, model and seed."""
        return configs_of(self.problems, full=full, seeds=seeds, n_seeds=self.n_seeds)

    def cost(self, config: Config) -> float:
        """Return roughly the CPU seconds of a record."""
        return 1.1 * float(config["seconds"])

    def run(self, config: Config) -> dict[str, Any]:
        """Search for networks of each size and return their errors."""
        named = {problem.name: problem for problem in self.problems}
        return learn(named[config["function"]], config)

    def draw(self, records: Sequence[Record]) -> Figure:
        """Draw the errors row by row, and MLPs against KANs of equal size."""
        return draw_budget(records, self.problems)

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the number of rows that are reached, the comparisons with MLPs, and a row for each function."""
        return budget_claims(records, self.problems, yes=self.yes, partly=self.partly)


table_1_budget = BudgetFigure(
    f"{__name__}.table_1_budget",
    NAME="table-1-budget",
    TITLE="special functions under one rule",
    problems=SPECIAL_FUNCTIONS,
    n_seeds=5,
    yes=14,
    partly=8,
)
table_2_budget = BudgetFigure(
    f"{__name__}.table_2_budget",
    NAME="table-2-budget",
    TITLE="Feynman equations under one rule",
    problems=FEYNMAN,
    n_seeds=1,
    yes=24,
    partly=22,
)


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
