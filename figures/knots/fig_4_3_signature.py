"""Fig. 4.3 and Tables 3 and 4: the signature of knots from their geometric invariants.

Liu et al. 2024, section 4.3. The picture shows the network of the first seed on all inputs, and the shares of right answers of all models beside
the paper's. Curves of rare symmetry groups are dark there and vary little: they are one constant for nearly all knots, a bias of the
hidden node. `signature` has the method, `make_table` the origin of the data.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.knots.data import SYMBOLS
from figures.knots.signature import TASKS, config_of, learn, sample_of
from figures.knots.signature_claims import claims as claims
from figures.knots.signature_claims import percent, runs_of
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, VERMILION
from figures.machine.summary import shape_name

NAME = "4.3"
TITLE = "signature of knots, Tables 3 and 4"
SEEDS, SEEDS_QUICK = 5, 1
FEWER = 3  # seeds of all models but those of Table 3 and the slope rule
MANY = ("all", "mlp", "A")
QUICK = {"n_knots": 2000, "n_steps": 100}
COLORS = {"kan": BLUE, "mlp": ORANGE, "rule": GREEN, "formula": GREEN}
BETA = 0.5  # smaller than the usual 3, with which all curves of this network are black


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each model and seed."""
    options = {} if full else QUICK
    return [
        config_of(task, seed, **options)
        for task in TASKS
        for seed in range(seeds or _count(task, full))
    ]


def _count(task: str, full: bool) -> int:
    if not full:
        return SEEDS_QUICK
    return SEEDS if task in MANY else FEWER


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    if TASKS[config["task"]].kind == "rule":
        return 0.1
    steps = config["n_steps"] + config.get("n_starts", 0) * config.get("start_steps", 0)
    return float(0.5 + 4e-7 * config["n_knots"] * steps)


def run(config: Config) -> dict[str, Any]:
    """Return what the model of a task learns from the knots of a seed."""
    return learn(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw the network of all inputs, and the shares of right answers."""
    networks = runs_of(records, "all")
    picture = Figure(figsize=(7.6, 9.0 if networks else 5.0))
    if networks:
        top, bars = np.asarray(picture.subplots(2, 1, height_ratios=(1.0, 1.2)), dtype=object)
        shape = shape_name(networks[0]["results"]["widths"])
        top.set_axis_off()
        top.set_title(
            f"{shape}, {networks[0]['results']['n_params']} parameters; seed {networks[0]['seed']}"
        )
    else:
        bars = picture.subplots()
    _draw_bars(bars, records)
    draw_settled(picture, [partial(_draw_network, top, networks[0])] if networks else [])
    return picture


def _draw_network(ax: Axes, record: Record) -> None:
    config = record["config"]
    names = TASKS["all"].inputs
    sample = sample_of(config, np.random.default_rng(config["seed"]))
    x, _ = sample.standardized(names)
    outputs = [str(signature) for signature in sample.classes]
    kr.draw_network(
        restored(record["results"]["network"]),
        x,
        ax=ax,
        names=[SYMBOLS[name] for name in names],
        output_names=outputs,
        beta=BETA,
    )


def _draw_bars(ax: Axes, records: Sequence[Record]) -> None:
    tasks = [task for task in TASKS if runs_of(records, task)]
    for place, task in enumerate(tasks):
        values = percent(runs_of(records, task))
        median = float(np.median(values))
        ax.barh(place, median, 0.7, color=COLORS[TASKS[task].kind], alpha=0.5)
        ax.plot([min(values), max(values)], [place, place], color="black", lw=1.2)
        ax.text(1.5, place, f"{median:.1f} %", va="center", weight="bold")
        paper = TASKS[task].paper
        if paper is not None:
            ax.plot([paper, paper], [place - 0.42, place + 0.42], color=VERMILION, lw=2.4)
    ax.plot([], [], color=VERMILION, lw=2.4, label="paper")
    ax.plot([], [], color="black", lw=1.2, label="range of our seeds")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, labelcolor=GREY)
    ax.set_yticks(range(len(tasks)), labels=[_label(records, task) for task in tasks])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 100.0)
    ax.set_xlabel("signatures of test knots that are right, in percent")


def _label(records: Sequence[Record], task: str) -> str:
    results = runs_of(records, task)[0]["results"]
    n_params = results["n_params"]
    if (
        TASKS[task].kind == "formula"
    ):  # a, b, c, d of each function; theta has those of the masked splines, too
        n_params = 4 * sum(map(len, results["functions"]))
    return f"{TASKS[task].label}\n{n_params} parameters"
