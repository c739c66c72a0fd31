"""The U-shaped test error and its cure: grids with a margin, and a smoothness weight chosen on each grid.

Liu et al. 2024, section 2.4 and Fig. 2.3: beyond an interpolation threshold, at as many coefficients as samples (1000), the test error
rises again with G. Here up to G = 1000, where [2,1,1] has three and [2,5,1] fifteen times as many coefficients as there are samples:

    paper     hidden grids exactly on the training activations (figure u-shape), no penalty
    margin    hidden grids with the margin of `kr.fit`, no penalty
    chosen    the same, and a fifth of the samples is held out to choose each grid's smoothness weight; a finer grid that does not
              help keeps the curves of the coarser one

L-BFGS, 200 iterations a grid; for [2,1,1] the last method also with Levenberg-Marquardt.

Optimizers work on the parameters themselves, as in the paper.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import kan_ref as kr
from figures.machine.ladder import GRIDS, SMALL, WIDE, climb_cost, rmse, start
from figures.machine.machine import Claim, Config, Record, all_bar, shape_name, spread
from figures.machine.style import BLUE, GREEN, GREY, VERMILION, label_grids
from figures.machine.training import OPTIMIZERS
from figures.splines.fig_u_shape import place_grids
from kan_ref.training import hold_out

NAME = "u-shape-cure"
TITLE = "the U-shaped test error and its cure"
SEEDS, SEEDS_QUICK = 5, 1
FINEST, FINEST_QUICK = 1000, 100
WAYS = {
    ("paper", "lbfgs"): ("hidden grids without margin", VERMILION, "s"),
    ("margin", "lbfgs"): ("with margin", GREY, "^"),
    ("chosen", "lbfgs"): ("with margin, weight chosen on each grid", BLUE, "o"),
    ("chosen", "lm"): ("the same, Levenberg-Marquardt", GREEN, "D"),
}
WEIGHTS = {"lbfgs": [0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4], "lm": [1e-10, 1e-8, 1e-6]}
STEPS = {"lbfgs": 200, "lm": 15}
MOST_RISE = 3.0


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each shape, method and seed."""
    found: list[Config] = []
    grids = [grid for grid in GRIDS if grid <= (FINEST if full else FINEST_QUICK)]
    for widths in (SMALL, WIDE):
        for way, optimizer in WAYS:
            if optimizer == "lm" and (widths is WIDE or not full):
                continue
            for seed in range(seeds or (SEEDS if full else SEEDS_QUICK)):
                config: Config = {
                    "target": "exp_sin",
                    "widths": widths,
                    "degree": 3,
                    "domain": [-1.0, 1.0],
                    "way": way,
                }
                config |= {
                    "optimizer": optimizer,
                    "n_steps": STEPS[optimizer],
                    "grids": grids,
                    "n_train": 1000,
                    "n_test": 10000,
                }
                config |= {"n_starts": 8, "start_steps": 30, "seed": seed}
                found.append(
                    config
                    | (
                        {"weights": WEIGHTS[optimizer], "validation_share": 0.2}
                        if way == "chosen"
                        else {}
                    )
                )
    return found


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return climb_cost(config) * len(config.get("weights", [0.0]))


def run(config: Config) -> dict[str, Any]:
    """Return the errors at the end of every grid, and the weights that were chosen."""
    begin = start(config)
    data, network = begin.data, begin.network
    began = time.process_time()
    if config["way"] == "chosen":
        steps = choose_weights(network, data, config)
    else:
        steps = []
        for n_intervals in config["grids"]:
            network = kr.fit(
                place_grids(network, data.x_train, n_intervals, margin=config["way"] == "margin"),
                begin.data_to_train,
                optimizer=OPTIMIZERS[config["optimizer"]],
                n_steps=config["n_steps"],
                update_grids=False,
            ).network
            steps.append((n_intervals, 0.0, network))
    grids = [
        {
            "n_intervals": n_intervals,
            "weight": weight,
            "train_rmse": rmse(network, data.x_train, data.y_train),
            "test_rmse": rmse(network, data.x_test, data.y_test),
        }
        for n_intervals, weight, network in steps
    ]
    return {"grids": grids, "seconds": round(time.process_time() - began, 3)}


def choose_weights(
    network: kr.Network, data: kr.Data, config: Config
) -> list[tuple[int, float | None, kr.Network]]:
    """Return grids, weights and networks: on each grid the best on held-out samples.

    The network before its training is a candidate, too, with the weight None.
    """
    rng = np.random.default_rng([config["seed"], 1])
    part = hold_out(data, config["validation_share"], rng)
    options: dict[str, Any] = {
        "optimizer": OPTIMIZERS[config["optimizer"]],
        "n_steps": config["n_steps"],
    }
    steps: list[tuple[int, float | None, kr.Network]] = []
    for grid in config["grids"]:
        refined = network
        if grid != network.n_intervals:
            refined = kr.fit(network, part, grids=(grid,), n_steps=0).network
        rivals = [(None, refined)] + [
            (weight, kr.fit(refined, part, **options, smoothness_weight=weight).network)
            for weight in config["weights"]
        ]
        weight, network = min(rivals, key=lambda rival: rmse(rival[1], part.x_test, part.y_test))
        steps.append((grid, weight, network))
    return steps


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a column for each shape: test errors, and the weights that were chosen."""
    picture = Figure(figsize=(9.2, 8.2))
    axes = picture.subplots(2, 2, height_ratios=(1.7, 1.0), sharey="row")
    for column, widths in enumerate((SMALL, WIDE)):
        _draw_errors(axes[0, column], records, widths)
        _draw_weights(axes[1, column], records, widths)
    axes[0, 0].set_ylabel("test RMSE")
    axes[1, 0].set_ylabel("smoothness weight")
    present = [
        key for key in WAYS if any(runs_of(records, widths, *key) for widths in (SMALL, WIDE))
    ]
    handles = [
        Line2D([], [], color=WAYS[key][1], marker=WAYS[key][2], label=WAYS[key][0])
        for key in present
    ]
    picture.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2,
        title="test error: median (band: range) over seeds",
    )
    return picture


def _draw_errors(ax: Axes, records: Sequence[Record], widths: list[int]) -> None:
    label_grids(ax, [int(grid) for grid in records[0]["config"]["grids"]])
    ax.set_yscale("log")
    for (way, optimizer), (_, color, mark) in WAYS.items():
        runs = runs_of(records, widths, way, optimizer)
        if runs:
            errors = _series(runs, "test_rmse")
            grids = runs[0]["config"]["grids"]
            ax.plot(grids, np.median(errors, axis=0), color=color, marker=mark)
            ax.fill_between(
                grids, errors.min(axis=0), errors.max(axis=0), color=color, alpha=0.15, lw=0
            )
    ax.set_title(f"KAN {shape_name(widths)}, {records[0]['config']['n_train']} samples")


def _draw_weights(ax: Axes, records: Sequence[Record], widths: list[int]) -> None:
    """Draw each chosen weight as a mark: 0 on the linear part of the axis, a grid that kept its
    curves below it.
    """
    label_grids(ax, [int(grid) for grid in records[0]["config"]["grids"]])
    levels = ["as it was", *(f"{weight:g}" for weight in WEIGHTS["lbfgs"])]
    for optimizer in ("lbfgs", "lm"):
        runs = runs_of(records, widths, "chosen", optimizer)
        for number, record in enumerate(runs):
            weights = [grid["weight"] for grid in record["results"]["grids"]]
            heights = [
                0 if weight is None else 1 + WEIGHTS["lbfgs"].index(weight) for weight in weights
            ]
            shift = 0.06 * (number - (len(runs) - 1) / 2)
            _, color, mark = WAYS["chosen", optimizer]
            ax.plot(
                record["config"]["grids"],
                np.array(heights) + shift,
                mark,
                color=color,
                ms=4,
                alpha=0.7,
            )
    ax.set_yticks(range(len(levels)), labels=levels)
    ax.set_ylim(-0.6, len(levels) - 0.4)


def _series(runs: Sequence[Record], name: str) -> Any:
    return np.array([[grid[name] for grid in record["results"]["grids"]] for record in runs])


def runs_of(
    records: Sequence[Record], widths: Sequence[int], way: str, optimizer: str
) -> list[Record]:
    """Return the records of a shape and a method, ordered by seed."""
    wanted = {"widths": list(widths), "way": way, "optimizer": optimizer}
    return sorted(
        (record for record in records if wanted.items() <= record["config"].items()),
        key=lambda record: int(record["seed"]),
    )


# --- the table


def largest_rise(errors: Sequence[float]) -> float:
    """Return the largest ratio of an error to the smallest error before it.

    Examples
    --------
    >>> largest_rise([8.0, 1.0, 2.0, 0.5, 1.5])
    3.0
    """
    lowest = np.minimum.accumulate(np.asarray(errors))
    return float(np.max(np.asarray(errors) / lowest))


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each method how far the test error rises above the smallest one on coarser grids."""
    rows = []
    for widths in (SMALL, WIDE):
        for (way, optimizer), (label, _, _) in WAYS.items():
            runs = runs_of(records, widths, way, optimizer)
            if not runs:
                continue
            errors = _series(runs, "test_rmse")
            rises = [largest_rise(row) for row in errors]
            u_shaped = way == "paper"
            good = [(rise > MOST_RISE) == u_shaped for rise in rises]
            grids, bar = runs[0]["config"]["grids"], all_bar(good)
            rows.append(
                Claim(
                    f"{shape_name(widths)}, {label}: "
                    + (
                        "the test error is U-shaped in G"
                        if u_shaped
                        else f"the test error never rises by more than {MOST_RISE:g} times"
                    ),
                    "U-shaped" if u_shaped else "not tried",
                    f"rises to {spread(rises, '.3g')} times the least on coarser grids; at G = {grids[-1]} {spread(errors[:, -1], '.1e')}, "
                    f"least {spread(errors.min(axis=1), '.1e')}",
                    bar.word,
                    f"{len(runs)} seed{'s' if len(runs) > 1 else ''}; G from {grids[0]} to {grids[-1]}; {optimizer}, "
                    f"{runs[0]['config']['n_steps']} steps a grid and weight; U-shaped: rises to more than {MOST_RISE:g} times; seeds, {bar.text}",
                )
            )
    return rows
