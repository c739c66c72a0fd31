"""Beyond Table 1: the origin of the errors of three rows, which stay above the paper's.

Of Table 1's rows Y_v, K_v and P^2_v stay above the paper's best KAN. All three are steep at an edge and in corners of their box, and 1000
random points leave the corners empty: a test point there lies outside the convex hull of the training points, where no model has data.
We measure how much of the error this is: each network is tested over all test points and over those inside the hull.
Both numbers are reported; the first one counts in Table 1. The paper does not say how many samples it used.

    table       the settings of Table 1: degree 3, widths [2,5,1]
    degree 5    degree 5, widths [2,3,2,1], three times the steps on every grid, a hundredth of the smoothness penalty
    more        the same with 4000 training points, of which the corner gets four times as many

Nothing else differs: boxes, number of test points, six initializations, everything chosen on a fifth of the training data (`table_method`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.spatial import ConvexHull, Delaunay

from figures.machine.machine import Claim, Config, Record, all_bar, median, seed_count, spread
from figures.machine.pictures import BLUE, GREEN, GREY, ORANGE
from figures.tables.problem import N_TRAIN, SPECIAL_FUNCTIONS, Problem
from figures.tables.table_method import DRAWN_SEED, KAN, config_of, train

NAME = "table-1-hull"
TITLE = "where errors of Table 1 come from"
ROWS = tuple(problem for problem in SPECIAL_FUNCTIONS if problem.name in ("yv", "kv", "lpmv m=2"))
N_MORE = 4000
TABLE, QUINTIC, MORE = "table", "degree 5", "more"
WAYS = {
    TABLE: ("degree 3, [2,5,1], as in Table 1", BLUE),
    QUINTIC: ("degree 5, [2,3,2,1], trained longer", ORANGE),
    MORE: (f"the same, {N_MORE} training points", GREEN),
}
SHARES = tuple(float(share) for share in np.geomspace(1e-4, 0.5, 38))  # of the test points
N_WORST = 200
DECADES = 5.0


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, variant and seed; quick runs have K_v alone."""
    rows = ROWS if full else tuple(problem for problem in ROWS if problem.name == "kv")
    return [
        _config(problem, way, seed, full=full)
        for seed in range(seeds or (5 if full else 1))
        for problem in rows
        for way in WAYS
    ]


def _config(problem: Problem, way: str, seed: int, *, full: bool) -> Config:
    if way == TABLE:
        return {**config_of(problem, KAN, (2, 5, 1), seed, full=full), "way": way}
    steps = 60 if full else 15
    finer = {
        "degree": 5,
        "n_steps": steps,
        "end_steps": steps,
        "start_smoothness": 1e-10,
        "smoothness": [1e-10, 1e-9],
        "grids": [3, 5, 10],
    }
    n_train = N_MORE if way == MORE else N_TRAIN
    return {**config_of(problem, KAN, (2, 3, 2, 1), seed, full=full), **finer, "n_train": n_train, "way": way}


def run(config: Config) -> dict[str, Any]:
    """Return errors over all test points and over those inside the hull of the training points,
    their quantiles, and the worst points.
    """
    problem = next(problem for problem in ROWS if problem.name == config["function"])
    network, found, data = train(problem, config)
    errors = np.abs(network(data.x_test) - data.y_test)[:, 0]
    inside = Delaunay(data.x_train).find_simplex(data.x_test) >= 0
    worst = np.argsort(-errors)[:N_WORST]
    drawn = config["seed"] == DRAWN_SEED
    return {
        **{
            name: found[name]
            for name in ("n_params", "n_intervals", "smoothness", "validation", "train", "test", "spread", "seconds")
        },
        "test_inside": float(np.sqrt(np.mean(errors[inside] ** 2))),
        "n_outside": int(np.sum(~inside)),
        "quantiles": np.quantile(errors, 1.0 - np.array(SHARES)).tolist(),
        "worst": np.column_stack([data.x_test, errors])[worst].tolist() if drawn else None,
        "hull": data.x_train[ConvexHull(data.x_train).vertices].tolist() if drawn else None,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the quantiles of the errors above, the positions of the worst ones below."""
    present = [problem for problem in ROWS if any(record["config"]["function"] == problem.name for record in records)]
    picture = Figure(figsize=(3.1 * len(present) + 0.4, 7.6))
    axes = picture.subplots(2, len(present), squeeze=False)
    for column, problem in enumerate(present):
        _draw_spread(axes[0, column], records, problem)
        _draw_worst(axes[1, column], records, problem)
    axes[0, 0].set_ylabel("|error| exceeded by them")
    handles = [Line2D([], [], color=color, label=label) for label, color in WAYS.values()]
    handles.append(Line2D([], [], color=GREY, ls="--", lw=1.2, label="RMSE of the paper's best KAN"))
    handles.append(Line2D([], [], color=GREY, lw=1.0, label="convex hull of the training points"))
    picture.legend(handles=handles, loc="outside lower center", ncols=len(present))
    return picture


def _draw_spread(ax: Axes, records: Sequence[Record], problem: Problem) -> None:
    ax.set(xscale="log", yscale="log", title=f"${problem.plain}$", xlabel="share of the test points")
    ax.axhline(problem.best_kan, color=GREY, ls="--", lw=1.2)
    for way, (_, color) in WAYS.items():
        runs = runs_of(records, problem, way)
        if runs:
            spreads = np.array([record["results"]["quantiles"] for record in runs])
            ax.plot(SHARES, np.median(spreads, axis=0), color=color)
            ax.fill_between(SHARES, spreads.min(axis=0), spreads.max(axis=0), color=color, alpha=0.15, lw=0)


def _draw_worst(ax: Axes, records: Sequence[Record], problem: Problem) -> None:
    (left, right), (low, high) = problem.box
    ax.set(xlabel=f"${problem.names[0]}$", ylabel=f"${problem.names[1]}$")
    runs = [record for record in runs_of(records, problem, QUINTIC) if record["results"]["worst"] is not None]
    ax.set_title(f"the {N_WORST} worst of {runs[0]['config']['n_test']}" if runs else "none drawn", fontsize=10)
    if not runs:
        return
    worst, hull = (np.array(runs[0]["results"][name]) for name in ("worst", "hull"))
    ax.plot(*np.concatenate([hull, hull[:1]]).T, color=GREY, lw=1.0, zorder=1)
    top = worst[:, 2].max()
    sizes = np.clip(1.0 + np.log10(worst[:, 2] / top) / DECADES, 0.0, 1.0)
    ax.scatter(worst[:, 0], worst[:, 1], s=4.0 + 60.0 * sizes**2, c=ORANGE, alpha=0.6, lw=0)
    shown_errors = f"largest {top:.0e}\nsmallest shown {worst[:, 2].min():.0e}"
    ax.text(0.5, 0.5, shown_errors, ha="center", transform=ax.transAxes, color=GREY, fontsize=9)
    margins = 0.04 * np.array([right - left, high - low])
    ax.set(xlim=(left - margins[0], right + margins[0]), ylim=(low - margins[1], high + margins[1]))


# --- the table


def runs_of(records: Sequence[Record], problem: Problem, way: str) -> list[Record]:
    """Return the records of a function and a variant, ordered by seed."""
    found = [
        record for record in records if (record["config"]["function"], record["config"]["way"]) == (problem.name, way)
    ]
    return sorted(found, key=lambda record: int(record["seed"]))


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each function and variant the error, and the error inside the hull."""
    return [
        _claim(runs, problem, label)
        for problem in ROWS
        for way, (label, _) in WAYS.items()
        if (runs := runs_of(records, problem, way))
    ]


def _claim(runs: Sequence[Record], problem: Problem, label: str) -> Claim:
    everywhere, inside = ([float(record["results"][name]) for record in runs] for name in ("test", "test_inside"))
    n_outside = [float(record["results"]["n_outside"]) for record in runs]
    n_test = runs[0]["config"]["n_test"]
    bar = all_bar([median(errors) <= problem.best_kan for errors in (everywhere, inside)])
    return Claim(
        f"{problem.name}, {problem.plain}: {label}",
        f"best {problem.best_kan:.2e}",
        f"test RMSE {spread(everywhere, '.2e')}; inside the hull of the training points {spread(inside, '.2e')}",
        bar,
        f"{seed_count(runs)}; outside the hull {spread(n_outside, '.0f')} of {n_test} test points; "
        f"medians, everywhere and inside the hull, at or below the paper's best KAN, {bar.text}",
    )
