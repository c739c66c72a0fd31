"""Fig. 3.3: Poisson's equation solved by KANs and MLPs; errors during training and against the number of parameters.

Liu et al. 2024, section 3.4. `poisson` defines the equation, its points and the errors. Besides the
paper's networks there are KANs of degree 5, and every network is trained by both optimizers. MLPs
are trained on the same points. Levenberg-Marquardt solves a system in all parameters, which is too
expensive for 20 thousand of them: the wide MLP is trained by L-BFGS alone, those of up to 921
parameters by both. `nested_grids` adds KANs that go on from grid to finer grid.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.equations import nested_grids, poisson
from figures.equations.fig_3_3_claims import claims as claims
from figures.equations.poisson import METHODS, Method, config_of, runs_of, spread_of
from figures.machine.machine import Config, Record
from figures.machine.style import GREY

NAME = "3.3"
TITLE = "Poisson's equation, KAN and MLP"
QUICK_SEEDS, FULL_SEEDS = 1, 5
PROBLEMS = ("paper", "documentation")
DEEP = [2, 100, 100, 100, 1]
SMALLER = ([2, 10, 10, 10, 1], [2, 20, 20, 20, 1], [2, 50, 50, 50, 1])
SCALED = "documentation"  # on whose fewer points models of several sizes are trained


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each problem, model, optimizer and seed. A quick run has a small
    MLP, and leaves out the paper's 10800 points.
    """
    n_seeds = seeds or (FULL_SEEDS if full else QUICK_SEEDS)
    found = nested_grids.configs(full, n_seeds)
    for name in PROBLEMS if full else PROBLEMS[1:]:
        for seed in range(n_seeds):
            for method in METHODS:
                n_steps = (
                    method.quick_steps
                    if not full
                    else method.paper_steps
                    if name == "paper"
                    else method.n_steps
                )
                sizes = _sizes(method, full, scaled=name == SCALED)
                found += [
                    config_of(
                        name,
                        method.model,
                        shape.pop("widths"),
                        method.optimizer,
                        n_steps,
                        seed,
                        **shape,
                    )
                    for shape in sizes
                ]
    return found


def _sizes(method: Method, full: bool, *, scaled: bool) -> list[dict[str, Any]]:
    """Return the shapes of a method's models: grids of KANs, widths of MLPs. The widest MLP has too
    many parameters for least squares.
    """
    if method.model == "kan":
        grids = (5, 10, 20) if full and method.scales and scaled else (5,)
        return [
            {"widths": [2, 10, 1], "n_intervals": grid, "degree": method.degree} for grid in grids
        ]
    if not full:
        widths: Sequence[list[int]] = SMALLER[:1]
    elif method.optimizer == "lm":
        widths = SMALLER[:2] if scaled else SMALLER[1:2]
    else:
        widths = (*SMALLER, DEEP) if scaled else (DEEP,)
    return [{"widths": list(shape), "activation": "tanh"} for shape in widths]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record, as measured on one core."""
    if "grids" in config:
        return nested_grids.cost(config)
    n_points = 10800 if config["problem"] == "paper" else 2805
    weights = sum(a * b for a, b in pairwise(config["widths"]))
    if config["model"] == "mlp":
        per_point = (
            2.9e-9 * weights + 4e-6
            if config["optimizer"] == "lbfgs"
            else 2.5e-11 * weights**2 + 1e-5
        )
    else:
        per_point = (5e-6 if config["optimizer"] == "lbfgs" else 1.2e-5) * (
            1.0 + (config["n_intervals"] - 5) / 15.0
        )
    return float(n_points * per_point * config["n_steps"] + 5.0)


def run(config: Config) -> dict[str, Any]:
    """Train the model of a configuration; return its errors and CPU seconds."""
    return nested_grids.run(config) if "grids" in config else poisson.run(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw two rows for each problem: both errors during training, and both against the number of
    parameters. Nested grids have one more row, errors against G and against time.
    """
    nested = [record for record in records if nested_grids.is_nested(record)]
    plain = [record for record in records if not nested_grids.is_nested(record)]
    present = [
        name for name in PROBLEMS if any(record["config"]["problem"] == name for record in plain)
    ]
    n_rows = 2 * len(present) + bool(nested)
    picture = Figure(figsize=(8.2, 3.2 * n_rows + 0.9))
    axes = picture.subplots(max(1, n_rows), 2, squeeze=False)
    if nested:
        nested_grids.draw_grids(axes[-1, 0], nested)
        nested_grids.draw_times(axes[-1, 1], records)
    for number, name in enumerate(present):
        row = axes[2 * number : 2 * number + 2].ravel()
        some = [record for record in plain if record["config"]["problem"] == name]
        for column, (key, label) in enumerate((("l2", "$L_2^2$ error"), ("h1", "$H_1^2$ error"))):
            _draw_curves(row[column], some, key, label, f"$u = {poisson.SOLUTIONS[name].formula}$")
            _draw_scaling(row[2 + column], some, key, label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=2)
    return picture


def _draw_curves(ax: Axes, records: Sequence[Record], key: str, label: str, title: str) -> None:
    for method in METHODS:
        runs = runs_of(records, method, headline=True)
        if not runs:
            continue
        steps, low, middle, high = spread_of(runs, key)
        ax.plot(
            np.maximum(steps, 0.5),
            middle,
            color=method.color,
            ls=method.dash,
            label=f"{method.label(runs[0])}, {len(runs)} seed{'s' * (len(runs) > 1)}",
        )
        ax.fill_between(np.maximum(steps, 0.5), low, high, color=method.color, alpha=0.15, lw=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("step (the start is drawn at 0.5)")
    ax.set_ylabel(label)
    ax.set_title(title)


def _draw_scaling(ax: Axes, records: Sequence[Record], key: str, label: str) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    for method in METHODS:
        runs = runs_of(records, method)
        sizes = sorted({record["results"]["n_params"] for record in runs})
        if not sizes:
            continue
        errors = [
            [record["results"][key] for record in runs if record["results"]["n_params"] == size]
            for size in sizes
        ]
        middle = np.array([np.median(some) for some in errors])
        bars = np.array(
            [[m - min(some), max(some) - m] for m, some in zip(middle, errors, strict=True)]
        ).T
        ax.errorbar(
            sizes,
            middle,
            yerr=bars,
            color=method.color,
            ls=method.dash,
            marker=method.marker,
            capsize=2,
            elinewidth=1.0,
        )
    _draw_paper(ax, key)
    shown = [record["results"][key] for record in records]
    ax.set_ylim(min(shown) / 4.0, 4.0 * max(shown))
    ax.set_xlim(60.0, 5e4)
    ax.set_xlabel("number of parameters")
    ax.set_ylabel(label)
    ax.set_title("against the number of parameters")


def _draw_paper(ax: Axes, key: str) -> None:
    """Draw the values in the paper's text: a KAN of 1e2 parameters with an L2^2 of 1e-7, an MLP of
    1e4 with 1e-5.
    """
    if key == "l2":
        ax.plot([1e2, 1e4], [1e-7, 1e-5], "*", color=GREY, ms=11)
        for size, error, model in ((1e2, 1e-7, "KAN"), (1e4, 1e-5, "MLP")):
            ax.annotate(
                f"paper: {model}",
                (size, error),
                xytext=(0, -8),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=8.5,
                color=GREY,
                # on top of the curves, which pass here
                bbox={"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8},
            )
