"""Summaries of the records of Tables 1 and 2, medians over seeds and two ways to choose a shape, and their pictures.

The paper reports the lowest test error of all its shapes and seeds. We compare it with our shape of the lowest median over seeds,
so that shapes, but not seeds, are picked by test error as in the paper. A second number needs no test data: in each seed the
shape with the lowest validation error.

The pictures: errors row by row (the tables), Pareto frontiers (Figs 3.2, D.1), best KANs (F.1, D.2), smallest KANs (F.2, D.3).
Each picture has at most two columns, so that it can be read at the width of a page and on a phone.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import kan_ref as kr
from figures.machine.machine import Record, shape_name
from figures.machine.stored_network import draw_settled, restored
from figures.machine.style import BLUE, GREY, VERMILION
from figures.tables.problem import Problem, points
from figures.tables.table_method import DRAWN_SEED, KAN, MLP, PRUNED

BOXES = "the box of the inputs is ours, for the paper states none"
SMALL_ENOUGH = 1e-2  # test error below which the paper looks for its smallest shape


def of_function(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records of one function and some kinds of model."""
    return [
        record
        for record in records
        if record["config"]["function"] == problem.name and record["config"]["model"] in models
    ]


def chosen(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return for each seed the record with the smallest validation error."""
    best: dict[int, Record] = {}
    for record in of_function(records, problem, *models):
        seed = int(record["seed"])
        if (
            seed not in best
            or record["results"]["validation"] < best[seed]["results"]["validation"]
        ):
            best[seed] = record
    return [best[seed] for seed in sorted(best)]


def best_shape(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records, ordered by seed, of the shape (and activation) with the lowest median
    test error among shapes that most seeds have.
    """
    groups: dict[str, list[Record]] = {}
    for record in of_function(records, problem, *models):
        config = record["config"]
        groups.setdefault(
            f"{config['model']} {config['widths']} {config.get('activation')}", []
        ).append(record)
    most = max((len(group) for group in groups.values()), default=0)
    whole = [group for group in groups.values() if 2 * len(group) > most]
    if not whole:
        return []
    best = whole[int(np.argmin([np.median(errors(group)) for group in whole]))]
    return sorted(best, key=lambda record: int(record["seed"]))


def minimal(records: Sequence[Record], problem: Problem) -> Record | None:
    """Return the KAN with the smallest sum of widths whose test error is below 1e-2, the paper's
    criterion, and of several the most accurate one; None if there is none.
    """
    good = [
        record
        for record in of_function(records, problem, KAN, PRUNED)
        if record["results"]["test"] < SMALL_ENOUGH
    ]
    return min(
        good,
        key=lambda record: (sum(record["results"]["widths"]), record["results"]["test"]),
        default=None,
    )


def errors(records: Sequence[Record]) -> list[float]:
    """Return test errors."""
    return [float(record["results"]["test"]) for record in records]


def frontier(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points (parameters, error) of the Pareto frontier.

    Examples
    --------
    >>> frontier([(10, 1.0), (20, 2.0), (20, 0.5), (30, 0.5)])
    [(10, 1.0), (20, 0.5)]
    """
    kept: list[tuple[int, float]] = []
    for size, error in sorted(points):
        if not kept or error < kept[-1][1]:
            kept.append((size, error))
    return kept


# --- pictures

BETA = 3.0
IDLE = (
    1e-3  # edges whose score is below this share of the layer's largest are left out of a diagram
)
N_DRAWN = 300  # points behind a diagram's curves
TICKS = (10, 30, 100, 300, 1000, 3000)  # of parameters
WIDTH, COLUMNS = 6.6, 2  # inches and panels of a picture's width


# --- a row for each function


def draw_rows(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw for each function the test errors: our KAN and MLP with their range over seeds, and the paper's best."""
    picture = Figure(figsize=(WIDTH, 0.36 * len(problems) + 1.7))
    ax = picture.subplots()
    for place, problem in enumerate(problems):
        for models, paper, color, mark, off in (
            ((KAN, PRUNED), problem.best_kan, BLUE, "o", -0.14),
            ((MLP,), problem.paper["MLP"], VERMILION, "s", 0.14),
        ):
            ax.plot(paper, place + off, mark, color=color, mfc="white", ms=5.5, mew=1.3)
            ours = errors(best_shape(records, problem, *models))
            if ours:
                ax.plot([min(ours), max(ours)], [place + off] * 2, color=color, lw=1.2, alpha=0.6)
                ax.plot(float(np.median(ours)), place + off, mark, color=color, ms=5)
    ax.set_xscale("log")
    ax.set_yticks(range(len(problems)), labels=[problem.name for problem in problems])
    ax.set_ylim(len(problems) - 0.5, -0.5)
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.set_xlabel("test RMSE")
    lines = [
        _entry(BLUE, "o", "our KAN: median and range of the seeds", mfc=BLUE),
        _entry(BLUE, "o", "best KAN of the paper", mfc="white"),
        _entry(VERMILION, "s", "our MLP", mfc=VERMILION),
        _entry(VERMILION, "s", "best MLP of the paper", mfc="white"),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
    return picture


def _entry(color: str, mark: str, label: str, **options: Any) -> Line2D:
    return Line2D(
        [], [], color=color, marker=mark, ls=options.pop("ls", ""), label=label, **options
    )


# --- a panel for each function


def _panels(n: int, height: float, top: float) -> tuple[Figure, list[Axes]]:
    """Return a picture with n panels of so many inches in `COLUMNS` columns; what remains of the last row is blank."""
    n_rows = -(-n // COLUMNS)
    picture = Figure(figsize=(WIDTH, height * n_rows + top))
    axes = list(picture.subplots(n_rows, COLUMNS, squeeze=False).flat)
    for ax in axes[n:]:
        ax.set_axis_off()
    return picture, axes[:n]


def draw_frontiers(records: Sequence[Record], problems: Sequence[Problem]) -> Figure:
    """Draw for each function the test errors of all runs over their numbers of parameters, with the Pareto frontiers of test and training error."""
    picture, axes = _panels(len(problems), 2.15, 0.9)
    for ax, problem in zip(axes, problems, strict=True):
        _draw_pareto(ax, records, problem)
    for ax in axes[-COLUMNS:]:
        ax.set_xlabel("parameters")
    lines = [
        _entry(BLUE, "o", "KAN, test", ls="-"),
        _entry(BLUE, "", "KAN, training", ls=":"),
        _entry(BLUE, "", "best KAN of the paper", ls="--", lw=1.0),
        _entry(VERMILION, "s", "MLP, test", ls="-"),
        _entry(VERMILION, "", "MLP, training", ls=":"),
        _entry(VERMILION, "", "best MLP of the paper", ls="--", lw=1.0),
    ]
    picture.legend(handles=lines, loc="outside upper left", ncols=2)
    return picture


def cloud(
    records: Sequence[Record], problem: Problem, *models: str, error: str = "test"
) -> list[tuple[int, float]]:
    """Return (parameters, error) of every run of some kinds of model, and of every grid that it passed."""
    runs = of_function(records, problem, *models)
    found = [(int(run["results"]["n_params"]), float(run["results"][error])) for run in runs]
    return found + [
        (int(rung["n_params"]), float(rung[error]))
        for run in runs
        for rung in run["results"]["rungs"]
    ]


def _draw_pareto(ax: Axes, records: Sequence[Record], problem: Problem) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    for models, color, mark in (((KAN, PRUNED), BLUE, "o"), ((MLP,), VERMILION, "s")):
        tested = cloud(records, problem, *models)
        trained = cloud(records, problem, *models, error="train")
        if not tested:
            continue
        # hundreds of points, which would make a file of a megabyte as paths
        ax.plot(
            *zip(*tested, strict=True), mark, color=color, ms=2, alpha=0.2, mew=0, rasterized=True
        )
        ax.plot(*zip(*frontier(trained), strict=True), color=color, ls=":", lw=1.2)
        ax.plot(*zip(*frontier(tested), strict=True), color=color, marker=mark, ms=3.5, lw=1.4)
    ax.axhline(problem.best_kan, color=BLUE, ls="--", lw=1.0)
    ax.axhline(problem.paper["MLP"], color=VERMILION, ls="--", lw=1.0)
    ax.set_title(problem.name)
    ax.set_ylabel("RMSE")
    low, high = ax.get_xlim()
    ticks = [tick for tick in TICKS if low <= tick <= high]
    ax.set_xticks(ticks, labels=[str(tick) for tick in ticks])
    ax.minorticks_off()


def draw_diagrams(records: Sequence[Record], problems: Sequence[Problem], *, best: bool) -> Figure:
    """Draw for each function the diagram of a KAN of the first seed: the best one by validation error, or the smallest with a test error below 1e-2."""
    picture, axes = _panels(len(problems), 2.5, 0.3)
    seeds = [record for record in records if record["seed"] == DRAWN_SEED]
    drawings: list[Callable[[], None]] = []
    for ax, problem in zip(axes, problems, strict=True):
        ax.set_axis_off()
        picked = chosen(seeds, problem, KAN, PRUNED)
        record = (picked[0] if picked else None) if best else minimal(seeds, problem)
        if record is None or record["results"]["network"] is None:
            ax.set_title(f"{problem.name}\nnone", color=GREY)
            continue
        results = record["results"]
        ax.set_title(f"{problem.name}\n{shape_name(results['widths'])}, RMSE {results['test']:.1e}")
        drawings.append(partial(_draw_network, ax, record, problem))
    draw_settled(picture, drawings)
    return picture


def _draw_network(ax: Axes, record: Record, problem: Problem) -> None:
    x = points(problem.box, N_DRAWN, np.random.default_rng(0))
    network = without_idle_edges(restored(record["results"]["network"]), x)
    kr.draw_network(network, x, ax=ax, names=problem.names, output_names=("f",), beta=BETA)


def without_idle_edges(network: kr.Network, x: Any) -> kr.Network:
    """Return the network without the edges whose outputs vary by less than `IDLE` of the largest variation of their layer; its drawing would show
    their rounding errors as curves.
    """
    for number, outputs in enumerate(kr.edge_outputs(network, x)):
        spread = outputs.std(axis=0)
        kept = (spread > IDLE * spread.max()).astype(float)
        network = kr.mask_edges(
            network, number, kept * (np.asarray(network.layers[number].mask) > 0)
        )
    return network
