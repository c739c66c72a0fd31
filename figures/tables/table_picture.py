"""The pictures of Tables 1 and 2: for every function the Pareto frontiers (Figs 3.2, D.1), the best KAN (F.1, D.2), the smallest (F.2, D.3)."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import kan_ref as kr
from figures.machine.machine import Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.style import BLUE, GREY, VERMILION
from figures.machine.summary import shape_name
from figures.tables.problem import Problem, points
from figures.tables.table_method import DRAWN_SEED, KAN, MLP, PRUNED
from figures.tables.table_summary import chosen, frontier, minimal, of_function

BETA = 3.0
N_DRAWN = 400  # points behind a diagram's curves
TICKS = (10, 30, 100, 300, 1000, 3000, 10000)  # of parameters


def draw_table(records: Sequence[Record], problems: Sequence[Problem], *, columns: int) -> Figure:
    """Draw a block of three panels for each function, `columns` blocks side by side."""
    n_rows = -(-len(problems) // columns)
    picture = Figure(figsize=(6.6 * columns, 2.9 * n_rows + 0.7))
    axes = picture.subplots(
        n_rows, 3 * columns, squeeze=False, width_ratios=(1.5, 1.0, 1.0) * columns
    )
    drawings: list[Callable[[], None]] = []
    for ax in axes.flat:
        ax.set_axis_off()
    for place, problem in enumerate(problems):
        row, column = divmod(place, columns)
        pareto, best, small = axes[row, 3 * column : 3 * column + 3]
        pareto.set_axis_on()
        _draw_pareto(pareto, records, problem)
        seeds = [record for record in records if record["seed"] == DRAWN_SEED]
        shown = chosen(seeds, problem, KAN, PRUNED)
        for ax, record, title in (
            (best, shown[0] if shown else None, "best"),
            (small, minimal(seeds, problem), "smallest"),
        ):
            if record is None or record["results"]["network"] is None:
                ax.set_title(f"{title}\nnone", fontsize=9, color=GREY)
                continue
            ax.set_title(
                f"{title} {record['results']['test']:.1e}\n{shape_name(record['results']['widths'])}",
                fontsize=9,
            )
            drawings.append(partial(_draw_network, ax, record, problem))
    lines = [
        Line2D([], [], color=BLUE, marker="o", ms=4, label="KAN"),
        Line2D([], [], color=VERMILION, marker="s", ms=4, label="MLP"),
        Line2D([], [], color=BLUE, ls="--", lw=1.2, label="best KAN of the paper"),
        Line2D([], [], color=VERMILION, ls="--", lw=1.2, label="best MLP of the paper"),
        Line2D(
            [],
            [],
            ls="",
            label="diagrams: best by validation, smallest with a test RMSE below 1e-2",
        ),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=5, fontsize=11)
    draw_settled(picture, drawings)
    return picture


def _draw_pareto(ax: Axes, records: Sequence[Record], problem: Problem) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    for models, color, mark in (((KAN, PRUNED), BLUE, "o"), ((MLP,), VERMILION, "s")):
        runs = of_function(records, problem, *models)
        cloud = [(int(run["results"]["n_params"]), float(run["results"]["test"])) for run in runs]
        cloud += [
            (int(rung["n_params"]), float(rung["test"]))
            for run in runs
            for rung in run["results"]["rungs"]
        ]
        if cloud:
            ax.plot(*zip(*cloud, strict=True), mark, color=color, ms=2.5, alpha=0.25, mew=0)
            ax.plot(*zip(*frontier(cloud), strict=True), color=color, marker=mark, ms=3.5, lw=1.4)
    ax.axhline(problem.best_kan, color=BLUE, ls="--", lw=1.0)
    ax.axhline(problem.paper["MLP"], color=VERMILION, ls="--", lw=1.0)
    ax.set_title(problem.name, fontsize=10.5)
    ax.set_xlabel("parameters", fontsize=9)
    ax.set_ylabel("test RMSE", fontsize=9)
    ax.tick_params(labelsize=8)
    low, high = ax.get_xlim()
    ax.set_xticks(
        [tick for tick in TICKS if low <= tick <= high],
        labels=[str(tick) for tick in TICKS if low <= tick <= high],
    )
    ax.minorticks_off()


def _draw_network(ax: Axes, record: Record, problem: Problem) -> None:
    x = points(problem.box, N_DRAWN, np.random.default_rng(0))
    kr.draw_network(
        restored(record["results"]["network"]),
        x,
        ax=ax,
        names=problem.names,
        output_names=("f",),
        beta=BETA,
    )
