"""Tables 1 and 2 under one rule: KANs and MLPs on the same points, in equal CPU time, and at equal numbers of parameters.

Liu et al. 2024, sections 3.2 and 3.3. `budget_rule` has the rule, which was fixed before the run. The picture
shows the errors row by row, and MLPs against KANs of equal size. Rows of the table of claims compare with the paper's errors, and KANs with
MLPs of equal size. Their bars were set before the run. Several seeds count by their medians.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.machine.machine import Bar, Claim, Config, FigureValue, Record, median, seed_count, shape_name, spread
from figures.machine.style import BLUE, GREY, VERMILION, entry
from figures.tables.budget_rule import SAME_SIZE, SIZES, configs_of, learn
from figures.tables.problem import FEYNMAN, SPECIAL_FUNCTIONS, Problem, named
from figures.tables.table_method import KAN, MLP
from figures.tables.table_summary import BOXES, draw_errors, of_function, verdict_on

# --- claims


def chosen(records: Sequence[Record], problem: Problem, model: str) -> list[dict[str, Any]]:
    """Return for each seed the network of the size with the smallest error on the held-out points."""
    return [record["results"]["sizes"][record["results"]["chosen"]] for record in of_function(records, problem, model)]


def chosen_errors(records: Sequence[Record], problem: Problem, model: str) -> list[float]:
    """Return the test errors of the chosen networks."""
    return [float(one["test"]) for one in chosen(records, problem, model)]


def mlp_to_kan(records: Sequence[Record], problem: Problem, size: int) -> float | None:
    """Return the MLP's error at a size in units of the KAN's, medians over seeds; None where one of them is missing."""
    found = []
    for model in (KAN, MLP):
        sizes = [one for record in of_function(records, problem, model) for one in record["results"]["sizes"]]
        found.append([float(one["test"]) for one in sizes if one["size"] == size])
    kan, mlp = found
    return median(mlp) / median(kan) if kan and mlp else None


def _median(records: Sequence[Record], problem: Problem, model: str) -> float:
    return median(chosen_errors(records, problem, model))


def _conditions(records: Sequence[Record]) -> str:
    seconds = median([record["config"]["seconds"] for record in records])
    seeds = seed_count({record["seed"] for record in records})
    return (
        f"{seeds}, the same 1000 points for KAN and MLP; Levenberg-Marquardt, {seconds:g} CPU s of search for "
        f"each; everything chosen on held-out points; {BOXES}"
    )


def _against_mlps(claim: str, paper: str, ratios: dict[str, float], evidence: str, note: str = "") -> list[Claim]:
    """Return the row on errors of MLPs in units of the KANs', by function; none without them."""
    if not ratios:
        return []
    lost = [name for name, ratio in ratios.items() if not ratio > 1.0]
    n_won = len(ratios) - len(lost)
    bar = verdict_on(n_won, len(ratios))
    names = f": {', '.join(lost)}" if lost else ""
    won = f"the KAN in {n_won} of {len(ratios)} rows, the MLP in {len(lost)}{names}"
    ours = f"{won}; MLP / KAN {spread(list(ratios.values()), '.2g')}{note}"
    return [Claim(f"one rule: {claim}", paper, ours, bar, f"{evidence}; rows, {bar.text}")]


def _equal_time(records: Sequence[Record], run: Sequence[Problem]) -> list[Claim]:
    both = [one for one in run if of_function(records, one, MLP)]
    return _against_mlps(
        "the KAN has a smaller test error than the MLP in equal CPU time",
        "not tried",
        {one.name: _median(records, one, MLP) / _median(records, one, KAN) for one in both},
        f"{_conditions(records)}; sizes of {SIZES[0]} to {SIZES[-1]} parameters",
    )


def _equal_size(records: Sequence[Record], run: Sequence[Problem], size: int) -> list[Claim]:
    ratios = {one.name: ratio for one in run if (ratio := mlp_to_kan(records, one, size)) is not None}
    without = len(run) - len(ratios)
    return _against_mlps(
        f"at {size} parameters the KAN has a smaller test error than the MLP",
        "KANs below MLPs in all panels of Figs. 3.2 and D.1",
        ratios,
        f"numbers of parameters within {100 * SAME_SIZE:.0f} % of each other, and the same CPU time for this size; KANs go on from the size "
        f"below, MLPs of every size begin anew; {_conditions(records)}",
        f"; no KAN of that size in {without}" if without else "",
    )


def _row(records: Sequence[Record], problem: Problem) -> Claim:
    kans, mlps = (chosen(records, problem, model) for model in (KAN, MLP))
    ours = chosen_errors(records, problem, KAN)
    least, most = sorted((problem.best_kan, problem.paper["MLP"]))
    judged = Bar(median(ours), problem.best_kan, most if most > least else None, most=True, form=".2e")
    scale = float(of_function(records, problem, KAN)[0]["results"]["spread"])
    baseline = f"; MLP {spread(chosen_errors(records, problem, MLP), '.2e')}, {_shapes(mlps)}" if mlps else ""
    searches = "; ".join(
        f"{model} {sum(one['n_starts'] for one in first['results']['sizes'])} starts in {first['results']['seconds']:.0f} CPU s"
        for model in (KAN, MLP)
        for first in of_function(records, problem, model)[:1]
    )
    return Claim(
        f"{problem.name}, {problem.plain}, one rule: test RMSE",
        problem.reported,
        f"KAN {spread(ours, '.2e')}, {median(ours) / scale:.1e} of std(y), {_shapes(kans)}{baseline}",
        judged,
        f"{searches}; {BOXES}; median {judged.text}{problem.conflicting}",
    )


def _shapes(found: Sequence[dict[str, Any]]) -> str:
    texts = []
    for one in found:
        kind = f"degree {one['degree']}, G = {one['n_intervals']}" if one["degree"] else one["activation"]
        texts.append(f"{shape_name(one['widths'])} {kind}, {one['n_params']} parameters")
    return " or ".join(dict.fromkeys(texts))


# --- figures

WIDTH, ROW = 6.6, 0.34  # inches


@dataclass(eq=False)
class BudgetFigure(FigureValue):
    """A table under the rule, of `problems`, by default for `n_seeds`, with so many CPU `seconds` for a record; the claim on the rows that are reached needs `yes` and `partly` of them. `earlier` runs reached so many."""

    problems: Sequence[Problem]
    seconds: float
    n_seeds: int
    yes: int
    partly: int
    earlier: Sequence[int] = ()

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each function, model and seed."""
        return configs_of(self.problems, self.seconds, full=full, seeds=seeds, n_seeds=self.n_seeds)

    def run(self, config: Config) -> dict[str, Any]:
        """Search for networks of each size and return their errors."""
        return learn(named(self.problems, config["function"]), config)

    def draw(self, records: Sequence[Record]) -> Figure:
        """Draw the errors row by row, and MLPs against KANs of equal size."""
        return draw_budget(records, self.problems)

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the number of rows that are reached, the comparisons with MLPs, and a row for each function."""
        run = [problem for problem in self.problems if of_function(records, problem, KAN)]
        if not run:
            return []
        return [
            self._head(records, run),
            *_equal_time(records, run),
            *(claim for size in SIZES for claim in _equal_size(records, run, size)),
            *(_row(records, problem) for problem in run),
        ]

    def _head(self, records: Sequence[Record], run: Sequence[Problem]) -> Claim:
        reached = [one for one in run if _median(records, one, KAN) <= one.best_kan]
        mlps = [one for one in run if of_function(records, one, MLP)]
        mlps_reach = sum(_median(records, one, MLP) <= one.best_kan for one in mlps)
        lacking = ", ".join(one.name for one in run if one not in reached)
        bar = Bar(len(reached), self.yes, self.partly)
        before = ""
        if self.earlier and all(record["config"]["seconds"] == self.seconds for record in records):
            counts = " and ".join(map(str, self.earlier))
            before = f"; run {len(self.earlier) + 1}: other constants or less time gave {counts} rows before"
        return Claim(
            "one rule: our KAN is at or below the paper's best KAN",
            "the errors of its table, row by row",
            f"{len(reached)} of {len(run)} rows"
            + (f", not {lacking}" if lacking else "")
            + f"; our MLP, by the same rule, is at or below the paper's best KAN on {mlps_reach} of {len(mlps)}"
            + ("" if len(run) == len(self.problems) else f"; {len(self.problems) - len(run)} rows not run"),
            bar,
            f"{_conditions(records)}{before}; the bars are ours; rows, {bar.text}",
        )


table_1_budget = BudgetFigure(
    f"{__name__}.table_1_budget",
    NAME="table-1-budget",
    TITLE="special functions under one rule",
    problems=SPECIAL_FUNCTIONS,
    seconds=36.0,
    n_seeds=5,
    yes=14,
    partly=8,
    earlier=(11, 13),
)
table_2_budget = BudgetFigure(
    f"{__name__}.table_2_budget",
    NAME="table-2-budget",
    TITLE="Feynman equations under one rule",
    problems=FEYNMAN,
    seconds=12.0,
    n_seeds=5,
    yes=24,
    partly=22,
    earlier=(22,),
)


def draw_budget(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw on the left the test errors of our and the paper's best KAN and MLP, on the right the MLP's error in units of the KAN's at each size."""
    picture = Figure(figsize=(WIDTH, ROW * len(problems) + 1.9))
    left, right = picture.subplots(1, 2, sharey=True, width_ratios=(1.25, 1.0))
    draw_errors(left, problems, partial(chosen_errors, records))
    _draw_ratios(right, records, problems)
    lines = [
        entry("our KAN", BLUE, "o", ls=""),
        entry("best KAN of the paper", BLUE, "o", ls="", mfc="white"),
        entry("our MLP", VERMILION, "s", ls=""),
        entry("best MLP of the paper", VERMILION, "s", ls="", mfc="white"),
        *(entry(f"{size} parameters", shade, "D", ls="") for size, shade in zip(SIZES, _shades(), strict=True)),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
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
    ax.set_xscale("log")
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.set_xlabel("MLP's error / KAN's, equal size\n(left of 1 the MLP is better)")
