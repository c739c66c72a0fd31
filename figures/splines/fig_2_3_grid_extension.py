"""Fig. 2.3: grid extension makes training a staircase; errors and times against the number of intervals.

Liu et al. 2024, section 2.4: [2,5,1] and [2,1,1] learn exp(sin(pi x) + y^2) from 1000 samples while every grid is made finer,
G = 3 to 1000. By Theorem 2.1 the root mean square error of the best network falls as G^-4 at degree 3. `ladder` has
the settings.

Hidden grids are those of `kr.fit`: they reach beyond the activations by 1/G or 5 % of their range R. `fig_u_shape` shows what happens
where they do not.

Apart from `precondition=None`, which leaves the optimizers as in the paper, `kr.fit` is used as it is.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import kan_ref as kr
from figures.machine.ladder import (
    LBFGS,
    LBFGS_PAPER,
    LM,
    METHODS,
    SMALL,
    WIDE,
    Method,
    chosen,
    climb_cost,
    config_of,
    grids_of,
    longest_grids,
    methods_in,
    rmse,
    series,
    start,
)
from figures.machine.machine import Config, Record, shape_name
from figures.machine.style import GREY, label_grids
from figures.splines.fig_2_3_claims import claims as claims
from kan_ref.training.history import Step

NAME = "2.3"
TITLE = "grid extension on exp(sin(pi x) + y^2)"
STAIRS = 40  # points of a curve on each grid
N_STAIR_TEST = (
    1000  # the paper's number of test points, for the curves; the numbers at a grid's end use all
)
# the finest grid of the full run (LM's normal equations for [2,5,1] have 15 G unknowns) and of the quick one, None: not run
FINEST: dict[tuple[Method, int], int | None] = {
    (LBFGS, 1): 1000,
    (LBFGS_PAPER, 1): 1000,
    (LM, 1): 1000,
    (LBFGS, 5): 1000,
    (LBFGS_PAPER, 5): 1000,
    (LM, 5): 200,
}
FINEST_QUICK = {**FINEST, (LBFGS_PAPER, 1): 50, (LBFGS_PAPER, 5): None, (LM, 1): 200, (LM, 5): 100}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each shape, method and seed."""
    found = []
    for widths in (SMALL, WIDE):
        for method in METHODS:
            finest = (FINEST if full else FINEST_QUICK)[method, widths[1]]
            if finest is not None:
                found += [
                    config_of(method, widths, finest, seed)
                    for seed in range(seeds or (10 if full else 2))
                ]
    return found


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return climb_cost(config)


class _Stairs:
    """A callback that measures errors at some steps, and its own CPU time, which does not count as
    training.
    """

    def __init__(self, data: kr.Data, n_steps: int) -> None:
        self.points: dict[str, list[float]] = {"step": [], "train_rmse": [], "test_rmse": []}
        self.seconds = 0.0
        self._data, self._every = data, max(1, n_steps // STAIRS)

    def __call__(self, step: Step) -> None:
        if step.step % self._every:
            return
        began = time.process_time()
        test = rmse(
            step.network, self._data.x_test[:N_STAIR_TEST], self._data.y_test[:N_STAIR_TEST]
        )
        for name, value in (
            ("step", step.step),
            ("train_rmse", step.train_rmse),
            ("test_rmse", test),
        ):
            self.points[name].append(float(f"{value:.4g}"))
        self.seconds += time.process_time() - began


def run(config: Config) -> dict[str, Any]:
    """Train on one grid after the other; return errors during and after each grid, and CPU seconds
    of training with the extension.
    """
    begin = start(config)
    data, network, grids = begin.data, begin.network, []
    for n_intervals in config["grids"]:
        stairs, began = _Stairs(data, config["n_steps"]), time.process_time()
        fitted = kr.fit(
            network,
            begin.data_to_train,
            optimizer=config["optimizer"],
            n_steps=config["n_steps"],
            smoothness_weight=config["smoothness_weight"],
            grids=(n_intervals,),
            callback=stairs,
            precondition=None,
        )
        seconds, network = time.process_time() - began - stairs.seconds, fitted.network
        squares = (network(data.x_test) - data.y_test) ** 2
        grids.append(
            {
                "n_intervals": n_intervals,
                "train_rmse": rmse(network, data.x_train, data.y_train),
                "test_rmse": float(np.sqrt(squares.mean())),
                "test_median": float(np.sqrt(np.median(squares))),
                "n_steps": int(fitted.history.step[-1]),
                "stopped": fitted.stopped,
                "seconds": round(seconds, 4),
                "stairs": stairs.points,
            }
        )
    return {
        "grids": grids,
        "start_seconds": round(begin.seconds, 4),
        "n_failed_starts": begin.n_failed,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the staircases of both shapes above, errors and seconds against G below."""
    picture = Figure(figsize=(10.0, 8.6))
    axes = picture.subplots(2, 2)
    for ax, widths in zip(axes[0], (WIDE, SMALL), strict=True):
        _draw_stairs(ax, records, widths)
    top = max(ax.get_ylim()[1] for ax in axes[0])
    for ax in axes[0]:
        ax.set_ylim(min(axis.get_ylim()[0] for axis in axes[0]), top)
    _draw_errors(axes[1, 0], records)
    _draw_seconds(axes[1, 1], records)
    return picture


def _draw_stairs(ax: Axes, records: Sequence[Record], widths: Sequence[int]) -> None:
    ax.set_yscale("log")
    fractions = np.linspace(0.0, 1.0, STAIRS + 1)
    for method in methods_in(records):
        runs = chosen(records, method, widths)
        if not runs:
            continue
        for name, dash in (("train_rmse", "-"), ("test_rmse", (0, (3, 1.5)))):
            x, y = [], []
            for place in range(len(grids_of(runs))):
                stairs = [record["results"]["grids"][place]["stairs"] for record in runs]
                logs = [
                    np.interp(fractions, np.array(one["step"]) / method.n_steps, np.log(one[name]))
                    for one in stairs
                ]
                x.append(place + fractions)
                y.append(np.exp(np.median(logs, axis=0)))
            ax.plot(np.concatenate(x), np.concatenate(y), color=method.color, ls=dash, lw=1.5)
    longest = longest_grids(
        [record for record in records if record["config"]["widths"] == list(widths)] or records
    )
    for place in range(1, len(longest)):
        ax.axvline(place, color="0.88", lw=0.8, zorder=0)
    ax.set_xlim(0, len(longest))
    ax.set_xticks(np.arange(len(longest)) + 0.5, labels=[str(grid) for grid in longest])
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("training, grid after grid: intervals per grid, $G$")
    ax.set_ylabel("root mean square error")
    ax.set_title(f"KAN {shape_name(widths)}: median over seeds")
    drawn = methods_in([record for record in records if record["config"]["widths"] == list(widths)])
    lines = [
        Line2D([], [], color=method.color, label=f"{method.label}{_end(records, method, widths)}")
        for method in drawn
    ]
    lines += [
        Line2D([], [], color=GREY, ls=dash, label=name)
        for name, dash in (
            ("training", "-"),
            (f"test, {N_STAIR_TEST} of the points", (0, (3, 1.5))),
        )
    ]
    ax.legend(handles=lines, loc="lower left")


def _end(records: Sequence[Record], method: Method, widths: Sequence[int]) -> str:
    """Return where a method's grids end, if others go on: as in ", to G = 200"."""
    last = grids_of(chosen(records, method, widths))[-1]
    same = [record for record in records if record["config"]["widths"] == list(widths)]
    return f", to G = {last}" if last < longest_grids(same)[-1] else ""


def _draw_errors(ax: Axes, records: Sequence[Record]) -> None:
    label_grids(ax, longest_grids(records))
    ax.set_yscale("log")
    ax.set_ylabel(f"test error, {records[0]['config']['n_test']} points")
    ax.set_title(f"KAN {shape_name(SMALL)}: test error, median and range over seeds")
    methods = [method for method in methods_in(records) if chosen(records, method, SMALL)]
    if not methods:
        return
    for method in methods:
        runs = chosen(records, method, SMALL)
        grids, errors, medians = (
            grids_of(runs),
            series(runs, "test_rmse"),
            series(runs, "test_median"),
        )
        ax.fill_between(
            grids, errors.min(axis=0), errors.max(axis=0), color=method.color, alpha=0.15, lw=0
        )
        ax.plot(
            grids,
            np.median(errors, axis=0),
            color=method.color,
            marker=method.marker,
            label=method.label,
        )
        ax.plot(
            grids,
            np.median(medians, axis=0),
            color=method.color,
            marker=method.marker,
            mfc="white",
            ls=":",
            lw=1.3,
        )
    anchor = max(
        np.median(series(chosen(records, method, SMALL), "test_rmse"), axis=0)[1]
        for method in methods
    )
    for power, dash, end in ((3, "-.", 300.0), (4, "--", 150.0)):
        guide = np.array([5.0, end])
        ax.plot(guide, 2.5 * anchor * (guide / guide[0]) ** -power, color=GREY, lw=1.1, ls=dash)
        ax.text(
            1.05 * end,
            2.5 * anchor * (end / guide[0]) ** -power,
            f"$G^{{-{power}}}$",
            color=GREY,
            va="top" if power == 3 else "center",  # between the curves
            zorder=6,
        )
    marks = [
        Line2D([], [], color=method.color, marker=method.marker, label=method.label)
        for method in methods
    ]
    marks.append(Line2D([], [], color=GREY, marker="o", label="root of the mean squared error"))
    marks.append(
        Line2D(
            [],
            [],
            color=GREY,
            marker="o",
            mfc="white",
            ls=":",
            label="root of the median squared error",
        )
    )
    ax.legend(handles=marks, loc="lower left")


def _draw_seconds(ax: Axes, records: Sequence[Record]) -> None:
    label_grids(ax, longest_grids(records))
    ax.set_yscale("log")
    for method in methods_in(records):
        for widths, dash in ((SMALL, "-"), (WIDE, (0, (3, 1.5)))):
            runs = chosen(records, method, widths)
            if runs:
                seconds = np.median(series(runs, "seconds"), axis=0)
                ax.plot(grids_of(runs), seconds, color=method.color, marker=method.marker, ls=dash)
    ax.set_ylabel("CPU seconds of training on one grid")
    ax.set_title("training time, one thread: median over seeds")
    lines = [
        Line2D([], [], color=method.color, marker=method.marker, label=method.label)
        for method in methods_in(records)
    ]
    shapes = ((SMALL, "-"), (WIDE, (0, (3, 1.5))))
    lines += [
        Line2D([], [], color=GREY, ls=dash, label=f"KAN {shape_name(widths)}")
        for widths, dash in shapes
    ]
    low, high = ax.get_ylim()
    ax.set_ylim(low, high * (high / low) ** 0.35)  # room for the legend
    ax.legend(handles=lines, loc="upper left")
