"""Appendix E: training points on a lattice, and grids as fine as the lattice.

Liu et al. 2024, appendix E: where the training points are a uniform lattice, the training loss jumps up as soon as G is comparable with
the number n of points a direction. The paper leaves open, and we chose: exp(sin(pi x) + y^2) on n x n points of [-1, 1]^2 with ends, a
[2,1,1] KAN, L-BFGS with 200 iterations a grid, the best of eight short starts at G = 3.

An input has n different values, so for G + k > n the data no longer determine its spline. The effect
depends on how a network gets its finer grid, which the paper does not say:

    extended        from the coarser grid, starting from the old curve (the rule of `kan_ref`)
    minimum norm    from the coarser grid, by least squares on the training points alone, (2.16): the smallest of all solutions
    fresh           every grid from random curves, best of three short starts

The same runs on n^2 random points separate the effect of the lattice from others.

Optimizers and initializations are the paper's, without scaled variables.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import kan_ref as kr
from figures.machine.machine import Bar, Claim, Config, Record, runs_of, spread
from figures.machine.pictures import BLUE, GREY, ORANGE, PURPLE, SKY, VERMILION, entry
from figures.machine.training import OPTIMIZERS, blind, rmse
from kan_ref.bspline.knots import uniform_knots
from kan_ref.bspline.placement import hidden_bounds
from kan_ref.checks import FloatArray

NAME = "e"
TITLE = "training points on a lattice"
SEEDS, SEEDS_QUICK = 5, 1
SIDES, SIDES_QUICK = (10, 20, 40), (10,)
GRIDS = [3, 5, 8, 10, 12, 15, 18, 20, 22, 25, 30, 35, 38, 40, 45, 50]
WAYS = {
    ("lattice", "fresh"): ("lattice, every grid from fresh starts", VERMILION, "s"),
    ("lattice", "minimum norm"): ("lattice, extended by minimum norm", ORANGE, "^"),
    ("lattice", "extended"): ("lattice, extended from the old curve", BLUE, "o"),
    ("random", "fresh"): ("random points, every grid from fresh starts", PURPLE, "x"),
    ("random", "extended"): ("random points, extended from the old curve", SKY, "."),
}
JUMP = 3.0  # an error that is so many times the smallest on coarser grids has jumped


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each number of points, method and seed."""
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    known = {
        "target": "exp_sin",
        "widths": [2, 1, 1],
        "degree": 3,
        "optimizer": "lbfgs",
        "n_steps": 200,
        "n_test": 2000,
    }
    return [
        {"n_side": n, "points": points, "way": way, **known, "grids": [g for g in GRIDS if g <= 2 * n], "seed": seed}
        for n in (SIDES if full else SIDES_QUICK)
        for points, way in WAYS
        for seed in range(count)
    ]


def run(config: Config) -> dict[str, Any]:
    """Return errors on training and test points at the end of every grid."""
    rng = np.random.default_rng(config["seed"])
    f, n = kr.TARGETS[config["target"]].f, config["n_side"]
    line = np.linspace(-1.0, 1.0, n)
    lattice = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    x = lattice if config["points"] == "lattice" else rng.uniform(-1.0, 1.0, (n * n, 2))
    x_test = rng.uniform(-1.0, 1.0, (config["n_test"], 2))
    data = kr.Data(x, f(x), x_test, f(x_test))
    network, grids = _start(config, data, config["grids"][0], 8, rng), []
    for place, n_intervals in enumerate(config["grids"]):
        if place and config["way"] == "fresh":
            network = _start(config, data, n_intervals, 3, rng)
        elif place and config["way"] == "minimum norm":
            network = minimum_norm(network, x, n_intervals)
        network = kr.fit(
            network,
            blind(data),
            optimizer=OPTIMIZERS[config["optimizer"]],
            n_steps=config["n_steps"],
            grids=(n_intervals,),
        ).network
        errors = {"train_rmse": rmse(network, x, data.y_train), "test_rmse": rmse(network, x_test, data.y_test)}
        grids.append({"n_intervals": n_intervals, **errors})
    return {"grids": grids}


def _start(config: Config, data: kr.Data, n_intervals: int, n_starts: int, rng: np.random.Generator) -> kr.Network:
    return kr.best_start(
        config["widths"],
        data,
        n_starts=n_starts,
        n_intervals=n_intervals,
        degree=config["degree"],
        domain=(-1.0, 1.0),
        rng=rng,
        optimizer=OPTIMIZERS["lm"],
        initialization="paper",
    )


def minimum_norm(network: kr.Network, x: FloatArray, n_intervals: int) -> kr.Network:
    """Return the network on finer grids, each curve the least-squares solution of minimum norm on
    the points that reach it, (2.16).
    """
    layers = []
    for number, layer in enumerate(network.layers):
        low, high = layer.breakpoints[:, [0, -1]].T if number == 0 else hidden_bounds(x, n_intervals)
        knots = uniform_knots(low, high, n_intervals, layer.degree)
        old, new = (kr.bspline.basis(x, row, layer.degree) for row in (layer.knots, knots))
        # [eq:least-squares-refit]
        coef = [np.linalg.lstsq(new[:, i], old[:, i] @ layer.coef[:, i].T, rcond=None)[0].T for i in range(layer.n_in)]
        # [/eq:least-squares-refit]
        layers.append(replace(layer, knots=knots, coef=np.stack(coef, axis=1)))
        x = kr.Network((layer,))(x)
    return kr.Network(tuple(layers))


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a row for each number of points: training errors on the left, test errors on the right."""
    sides = sorted({int(record["config"]["n_side"]) for record in records})
    picture = Figure(figsize=(8.2, 3.3 * len(sides) + 1.2))
    axes = picture.subplots(len(sides), 2, sharex="row", sharey="col", squeeze=False)
    for row, n in enumerate(sides):
        for column, name in enumerate(("train_rmse", "test_rmse")):
            _draw_errors(axes[row, column], records, n, name)
        axes[row, 0].set_ylabel("training RMSE")
        axes[row, 1].set_ylabel("test RMSE")
        for ax in axes[row]:
            ax.set_title(f"${n} \\times {n}$ training points")
    for ax in axes[-1]:
        ax.set_xlabel("intervals per grid, $G$")
    handles = [entry(label, color, mark) for label, color, mark in WAYS.values()]
    handles.append(entry("thin: single seeds; thick: median", lw=0.6))
    handles.append(entry("$G + k = n$", ls="--", lw=1.0))
    picture.legend(handles=handles, loc="outside lower center", ncols=2)
    return picture


def _draw_errors(ax: Axes, records: Sequence[Record], n: int, name: str) -> None:
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.axvline(n - 3, color=GREY, ls="--", lw=1.0)
    for (points, way), (_, color, mark) in WAYS.items():
        runs = runs_of(records, n_side=n, points=points, way=way)
        if not runs:
            continue
        errors = np.array([[grid[name] for grid in record["results"]["grids"]] for record in runs])
        grids = runs[0]["config"]["grids"]
        ax.plot(grids, np.median(errors, axis=0), color=color, marker=mark, ms=4.5, lw=1.5)
        ax.plot(grids, errors.T, color=color, alpha=0.3, lw=0.6)  # bands of five ways would overlap


# --- the table


def jump(record: Record, name: str) -> float | None:
    """Return the first G at which an error is `JUMP` times the smallest on coarser grids; None if
    there is none.
    """
    lowest = np.inf
    for grid in record["results"]["grids"]:
        if grid[name] > JUMP * lowest:
            return float(grid["n_intervals"])
        lowest = min(lowest, grid[name])
    return None


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return for each method whether and at which G the training loss jumps; for extended grids
    also the test error.
    """
    rows = []
    for (points, way), (label, _, _) in WAYS.items():
        runs = [record for record in records if (record["config"]["points"], record["config"]["way"]) == (points, way)]
        if not runs:
            continue
        in_training = [jump(record, "train_rmse") for record in runs]
        in_test = [jump(record, "test_rmse") for record in runs]
        near = [
            g is not None and 0.4 <= g / record["config"]["n_side"] <= 1.6
            for g, record in zip(in_training, runs, strict=True)
        ]
        n_near, lattice = sum(near), points == "lattice"
        half = len(near) // 2
        bar = Bar(n_near, half + 1, 1.0) if lattice else Bar(n_near, 0.0, half, most=True)
        rows.append(
            Claim(
                f"{label}: the training loss jumps when G is comparable with the number of points in each direction",
                "jumps",
                f"training {_where(in_training, runs)}; test {_where(in_test, runs)}",
                bar,
                f"{len(runs)} run{'s' if len(runs) > 1 else ''}; jumped: more than {JUMP:g} times the least error on coarser grids; "
                "comparable: G/n from 0.4 to 1.6"
                + ("" if lattice else "; for comparison: yes means that it does not jump")
                + "; runs that jump there",
            )
        )
    return rows


def _where(places: Sequence[float | None], runs: Sequence[Record]) -> str:
    ratios = [
        place / record["config"]["n_side"] for place, record in zip(places, runs, strict=True) if place is not None
    ]
    return f"jumps in {len(ratios)} of {len(runs)}" + (f", first at G/n = {spread(ratios)}" if ratios else "")
