"""Fig. C.1: how the hyperparameters of training affect the interpretability of a network.

Liu et al. 2024, appendix C: [2,5,1] learns exp(sin(pi x) + y^2), whose smallest network has three active edges, with different

    a  weights mu_2 of the entropy       c  weights lambda of the penalty       e  degrees k
    b  seeds                             d  numbers of intervals G

Each row shows three networks with seed 0 (in b with the first three seeds), and counts over all seeds of all values. An
edge is active if its mean magnitude on the training samples, (2.17), is above 1e-2. `hyperparameters` has the settings.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import kan_ref as kr
from figures.formulas.fig_c_1_claims import claims as claims
from figures.formulas.five_steps import sparsify
from figures.formulas.hyperparameters import (
    AIM,
    DRAWN,
    ENTROPY,
    ENTROPY_AT_TENTH,
    FULL_SEEDS,
    QUICK_SEEDS,
    ROWS,
    SEED,
    Row,
    active_edges,
    base_runs,
    config_of,
    runs_of,
)
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, headline, network_panel, stored
from figures.machine.style import BLUE, GREY, VERMILION

NAME = "c.1"
TITLE = "hyperparameters and readable networks"

BETA = 10.0  # opacity of an edge: tanh(BETA A); with the paper's 3, edges far above the threshold are invisible


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return each setting and seed once; the base, the subject of row b, has as many seeds as are
    drawn.
    """
    count = seeds or (FULL_SEEDS if full else QUICK_SEEDS)
    found = [config_of(seed, {}) for seed in range(seeds or max(count, DRAWN))]
    for row in (*ROWS, ENTROPY_AT_TENTH):
        found += [
            config
            for seed in range(count)
            for config in row.configs(seed, full=full)
            if config not in found
        ]
    return found


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 0.7


def run(config: Config) -> dict[str, Any]:
    """Train; return the edges' scores, the errors, and for the first seeds the network."""
    rng = np.random.default_rng(config["seed"])
    data = kr.sample("exp_sin", n_train=config["n_train"], n_test=config["n_test"], rng=rng)
    trained = sparsify(config, data, rng)
    return {
        "scores": [
            [[float(f"{score:.4g}") for score in row] for row in layer]
            for layer in kr.edge_scores(trained.network, data.x_train)
        ],
        "train_rmse": float(trained.history.train_rmse[-1]),
        "test_rmse": float(trained.history.test_rmse[-1]),
        "spread": float(np.std(data.y_test)),
        "n_steps": int(trained.history.step[-1]),
        "network": stored(trained.network) if config["seed"] < DRAWN else None,
    }


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a row for each setting: three networks, and the counts of all seeds."""
    picture = Figure(figsize=(9.4, 13.6))
    drawings: list[Callable[[], None]] = []
    strips: Any = picture.subfigures(
        len(ROWS), 1
    )  # Any: an array, for the type checker perhaps one alone
    for strip, row in zip(strips, ROWS, strict=True):
        headline(strip, f"{row.letter}   {row.title}")
        left, right = strip.subfigures(1, 2, width_ratios=(DRAWN, 1.2))
        axes = left.subplots(1, DRAWN)
        for ax in axes:
            ax.set_axis_off()
        for ax, (label, record) in zip(axes, _shown(records, row), strict=False):
            title = f"{label}: {active_edges(record)} active\ntest RMSE {record['results']['test_rmse']:.1g}"
            drawings.append(network_panel(ax, title, record["results"]["network"], beta=BETA))
        _draw_seeds(right.subplots(), records) if row is SEED else _draw_counts(
            right.subplots(), records, row
        )
    draw_settled(picture, drawings)
    return picture


def _shown(records: Sequence[Record], row: Row) -> list[tuple[str, Record]]:
    """Return the records that a row shows, each with its title."""
    if row is SEED:
        return [
            (f"seed {record['seed']}", record)
            for record in base_runs(records)
            if record["seed"] < DRAWN
        ]
    runs = runs_of(records, row)
    first = [
        (value, record)
        for value in row.drawn
        for record in runs.get(value, [])
        if record["seed"] == 0
    ]
    return [(f"${row.symbol} = {value:g}$", record) for value, record in first]


def _draw_seeds(ax: Axes, records: Sequence[Record]) -> None:
    some = base_runs(records)
    ax.plot(
        [record["seed"] for record in some],
        [active_edges(record) for record in some],
        "o",
        color=BLUE,
    )
    _frame(ax)
    ax.set_xticks([record["seed"] for record in some])
    ax.set_xlabel("seed")


def _draw_counts(ax: Axes, records: Sequence[Record], row: Row) -> None:
    series = [(row, BLUE), *([(ENTROPY_AT_TENTH, VERMILION)] if row is ENTROPY else [])]
    drawn = [(one, color, runs_of(records, one)) for one, color in series]
    drawn = [(one, color, runs) for one, color, runs in drawn if len(runs) > 1]
    values = [
        value for value in row.values if any(value in runs for _, _, runs in drawn)
    ] or row.values
    for place, (_, color, runs) in enumerate(drawn):
        for value, some in runs.items():
            at = values.index(value) + 0.36 * (place - (len(drawn) - 1) / 2)
            counts = [active_edges(record) for record in some]
            ax.plot(
                at + np.linspace(-0.12, 0.12, len(counts)),
                counts,
                "o",
                color=color,
                ms=4,
                alpha=0.7,
            )
            ax.plot([at - 0.16, at + 0.16], [np.median(counts)] * 2, color=color, lw=2.2)
    _frame(ax)
    ax.set_xticks(range(len(values)), labels=[f"{value:g}" for value in values])
    ax.set_xlim(-0.5, len(values) - 0.5)
    ax.set_xlabel(f"${row.symbol}$")
    if len(drawn) > 1:
        names = [(f"$\\lambda = {one.penalty_weight:g}$", color) for one, color, _ in drawn]
        ax.legend(
            handles=[Line2D([], [], color=color, marker="o", label=name) for name, color in names],
            loc="upper right",
            ncols=2,
        )


def _frame(ax: Axes) -> None:
    ax.axhline(AIM, color=GREY, ls="--", lw=1.0, zorder=0)
    ax.set_ylim(0.0, 16.0)
    ax.set_yticks([0, 3, 6, 9, 12, 15])
    ax.set_ylabel("active edges")
