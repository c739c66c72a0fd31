"""Fig. 4.4: three relations among invariants of knots, found by unsupervised learning.

Liu et al. 2024, section 4.3. `relations` has the method, `make_table` the origin of the data. The picture shows for each relation the first seed
that finds it, and below how much each variable matters to each seed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.knots.data import SYMBOLS
from figures.knots.relation_claims import PLACE
from figures.knots.relation_claims import claims as claims
from figures.knots.relations import (
    SEARCHES,
    VARIABLES,
    config_of,
    first_with,
    relation_of,
    sample_of,
    search_relations,
    variables_of,
)
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.style import BLUE, GREEN, GREY, ORANGE, VERMILION

NAME = "4.4"
TITLE = "relations among invariants of knots found unsupervised"
SEEDS, SEEDS_QUICK = 10, 1
QUICK = {"n_train": 600, "n_steps": 100}
COLORS = {"a": BLUE, "b": VERMILION, "c": GREEN, "another": ORANGE, "none": GREY}
TITLES = {
    "a": "(a) signature\n$\\sigma$, $\\mu_r$, …",
    "b": "(b) cusp volume\n$V = \\lambda \\mu_i / 2$",
    "c": "(c) shortest geodesic\n$r = g_r / 2$",
}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each seed."""
    options = {} if full else QUICK
    return [config_of(seed, **options) for seed in range(seeds or (SEEDS if full else SEEDS_QUICK))]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 0.5 + 2.2e-5 * config["n_train"] * config["n_steps"]


def run(config: Config) -> dict[str, Any]:
    """Return the relations that the searches of a seed find."""
    return search_relations(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a network for each relation, and the variables that each seed uses in each search."""
    picture = Figure(figsize=(7.4, 8.2))
    top, bottom = np.asarray(picture.subfigures(2, 1, height_ratios=(1.0, 1.05)), dtype=object)
    networks = []
    for ax, relation in zip(top.subplots(1, 3), TITLES, strict=True):
        ax.set_axis_off()
        place = first_with(records, relation)
        seed = f"seed {place[0]['seed']}" if place else "found by no seed"
        ax.set_title(f"{TITLES[relation]}\n{seed}", color=COLORS[relation], linespacing=1.4)
        if place:
            networks.append(partial(_draw_network, ax, *place))
    panels = np.asarray(bottom.subplots(1, len(SEARCHES), sharey=True), dtype=object)
    for search, ax in enumerate(panels):
        _draw_shares(ax, records, search)
    panels[0].set_yticks(range(len(VARIABLES)), labels=[SYMBOLS[name] for name in VARIABLES])
    bottom.supxlabel("seed; orange: other variables, grey: no relation", fontsize=10.5)
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record, search: int) -> None:
    names = [SYMBOLS[name] for name in variables_of(search)]
    kr.draw_network(
        restored(record["results"]["searches"][search]["network"]),
        sample_of(record["config"], search).x_train,
        ax=ax,
        names=names,
        output_names=("real?",),
    )


def _draw_shares(ax: Axes, records: Sequence[Record], search: int) -> None:
    """Draw the scores of each seed as squares, the darker the larger, in the colour of the relation that it finds."""
    ordered = sorted(records, key=lambda record: int(record["seed"]))
    for column, record in enumerate(ordered):
        results = record["results"]["searches"][search]
        color = COLORS[relation_of(results)]
        for name, share in zip(results["variables"], results["shares"], strict=True):
            row = VARIABLES.index(name)
            ax.bar(column, -0.86, 0.86, row + 0.43, color=color, alpha=float(share), lw=0)
            ax.bar(column, -0.86, 0.86, row + 0.43, fill=False, ec="0.85", lw=0.6)
    ax.set_xlim(-0.6, len(ordered) - 0.4)
    ax.set_ylim(len(VARIABLES) - 0.4, -0.6)
    ax.set_xticks(range(len(ordered)), labels=[str(record["seed"]) for record in ordered])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    wanted = {place: relation for relation, place in PLACE.items()}.get(search)
    n_found = sum(
        relation_of(record["results"]["searches"][search]) == wanted for record in ordered
    )
    count = f"\n({wanted}) in {n_found} of {len(ordered)}" if wanted else "\n"
    ax.set_title(f"{SEARCHES[search]}{count}", fontsize=10)
