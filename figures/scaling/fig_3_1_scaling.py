"""Fig. 3.1: test error of KANs and MLPs against the number of parameters, for five toy functions.

Liu et al. 2024, section 3.1: KANs come near the slope that Theorem 2.1 gives, -(k + 1) = -4 for k = 3 whatever the number of inputs d;
the errors of MLPs fall slowly and reach a plateau. The dashed lines are those of the paper: -4, and -(k + 1)/d = -4/d of methods that work in d
dimensions. `toy_scaling` has the settings.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from figures.machine.machine import Config, Record
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from figures.scaling.fig_3_1_claims import (
    ELIMINATED,
    KANS,
    TWO_LAYERS,
    claims,
    frontier,
    kan_runs,
    mlp_medians,
    mlp_seeds,
    numbers,
)
from figures.scaling.toy_scaling import (
    SEEDS,
    SEEDS_MLP,
    TOYS,
    Toy,
    kan_configs,
    learn,
    mlp_configs,
    seconds,
)

__all__ = ["claims"]

NAME = "3.1"
TITLE = "scaling on five toy functions"
LOOKS = dict(
    zip(KANS, ((VERMILION, "s"), (BLUE, "o"), (GREEN, "^"), (SKY, "D"), (PURPLE, "v")), strict=True)
)
LOOKS[TWO_LAYERS] = ("black", "x")
LABELS = {TWO_LAYERS: "KAN [4,9,1], Levenberg-Marquardt"}
MLP_LOOKS = {"lbfgs": (ORANGE, "MLP, L-BFGS"), "lm": (GREY, "MLP, Levenberg-Marquardt")}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, model and seed."""
    n_kan, n_mlp = (seeds or count if full else seeds or 1 for count in (SEEDS, SEEDS_MLP))
    found = [
        config
        for toy in TOYS
        for seed in range(n_kan)
        for config in kan_configs(toy, seed, full=full)
    ]
    return found + [
        config
        for toy in TOYS
        for seed in range(n_mlp)
        for config in mlp_configs(toy, seed, full=full)
    ]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return seconds(config)


def run(config: Config) -> dict[str, Any]:
    """Train one model."""
    return learn(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a panel for each function, and one with the legend."""
    picture = Figure(figsize=(8.0, 10.5))
    axes = picture.subplots(3, 2).ravel()
    for ax, toy in zip(axes, TOYS, strict=False):
        _draw_toy(ax, records, toy)
    _explain(axes[-1], records)
    return picture


def _draw_toy(ax: Axes, records: Sequence[Record], toy: Toy) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_title(f"${toy.latex}$")
    ax.set_xlabel("number of parameters")
    ax.set_ylabel("test RMSE")
    ax.xaxis.set_minor_formatter(NullFormatter())
    for optimizer, (color, _) in MLP_LOOKS.items():
        sizes, errors = mlp_medians(records, toy, optimizer)
        if len(sizes):
            ax.plot(sizes, errors, ".", color=color, ms=4, alpha=0.45, zorder=1)
            # a frontier may consist of one network, which a line alone would not show
            ax.plot(*frontier(sizes, errors), color=color, marker="o", ms=4, lw=1.4, zorder=2)
    floor = np.inf
    for kind in LOOKS:
        runs = kan_runs(records, toy, kind)
        if runs:
            sizes, errors = (numbers(runs, name) for name in ("n_params", "test_rmse"))
            middle = np.median(sizes, axis=0)
            color, mark = LOOKS[kind]
            ax.plot(middle, np.median(errors, axis=0), color=color, marker=mark, zorder=4)
            ax.fill_between(
                middle,
                errors.min(axis=0),
                errors.max(axis=0),
                color=color,
                alpha=0.15,
                lw=0,
                zorder=3,
            )
            floor = min(floor, float(errors.min()))
    _draw_theory(ax, records, toy)
    ax.set_ylim(max(floor / 5.0, 1e-15) if np.isfinite(floor) else None, 20.0)


def _draw_theory(ax: Axes, records: Sequence[Record], toy: Toy) -> None:
    """Draw both lines through the second grid of the Levenberg-Marquardt runs, from which on the
    curves are straight.
    """
    runs = kan_runs(records, toy, KANS[1])
    if not runs:
        return
    sizes, errors = (np.median(numbers(runs, name), axis=0) for name in ("n_params", "test_rmse"))
    at = min(3 if toy.target == "bessel" else 1, len(sizes) - 1)
    line = np.geomspace(float(sizes[at]), 1.3 * max(float(sizes[-1]), 4.0 * float(sizes[at])), 20)
    for slope, color in ((-4.0, "red"), (-4.0 / toy.widths[0], "black")):
        ax.plot(
            line,
            errors[at] * (line / sizes[at]) ** slope,
            color=color,
            ls=(0, (4, 2)),
            lw=1.0,
            zorder=0,
        )


def _explain(ax: Axes, records: Sequence[Record]) -> None:
    ax.set_axis_off()
    present = [kind for kind in LOOKS if any(kan_runs(records, toy, kind) for toy in TOYS)]
    handles = [
        Line2D(
            [],
            [],
            color=LOOKS[kind][0],
            marker=LOOKS[kind][1],
            label=LABELS.get(kind, f"KAN, {kind}"),
        )
        for kind in present
    ]
    handles += [
        Line2D([], [], color=color, marker=".", label=label) for color, label in MLP_LOOKS.values()
    ]
    handles += [
        Line2D([], [], color="red", ls="--", lw=1.0, label="slope $-(k+1) = -4$"),
        Line2D([], [], color="black", ls="--", lw=1.0, label="slope $-(k+1)/d = -4/d$"),
    ]
    n_train = records[0]["config"]["n_train"]
    title = f"{n_train} training points for every model;\nKAN: median (band: range) over seeds;\nMLP: {mlp_seeds(records)} (dots), the best of them (line)"
    if ELIMINATED in present:
        title += ";\neliminated: the shape found by elimination"
    ax.legend(
        handles=handles,
        loc="center left",
        fontsize=9.5,
        title=title,
        title_fontsize=9.5,
        alignment="left",
    )
