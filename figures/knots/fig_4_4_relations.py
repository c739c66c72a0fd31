"""Fig. 4.4: three relations among invariants of knots, found by unsupervised learning.

Liu et al. 2024, section 4.3. `relations` has the method, `table` the origin of the data. The picture shows for each relation the first seed
that finds it, and below how much each variable matters to each seed. The claims are those of section 4.3 about Fig. 4.4.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.knots.relations import (
    LEAST_ACCURACY,
    LEAST_SHARE,
    SEARCHES,
    VARIABLES,
    config_of,
    first_with,
    inputs_of,
    relation_of,
    sample_of,
    search_relations,
    variables_of,
)
from figures.knots.table import SYMBOLS
from figures.machine.machine import Bar, Claim, Config, Record, spread
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
    return float(0.5 + 2.2e-5 * config["n_train"] * config["n_steps"])


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
    bottom.supxlabel("seed; yellow: other variables, grey: no relation", fontsize=10.5)
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


# --- claims

PLACE = {"c": 0, "b": 1, "a": 2}  # the search for a relation: what hides it is removed
WHAT = {
    "a": "(a) signature, mu_r, lambda",
    "b": "(b) V = lambda mu_i / 2",
    "c": "(c) r = g_r / 2",
}
PAPER = {
    "a": "one of three clusters of 200 networks, with two more variables",
    "b": "one of three clusters of 200 networks",
    "c": "one of three clusters of 200 networks",
}
ENOUGH, SOME = 0.8, 0.5  # of the seeds


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return a row for each relation, and one for the logarithms of (b)."""
    rows = [_relation_claim(records, relation) for relation in ("a", "b", "c")]
    if any(record["results"]["logarithms"] for record in records):
        rows.append(_logarithm_claim(records))
    return rows


def found(records: Sequence[Record], search: int) -> list[str]:
    """Return the relation that a search finds in each record, "another" and "none" among them."""
    return [relation_of(record["results"]["searches"][search]) for record in records]


def _relation_claim(records: Sequence[Record], relation: str) -> Claim:
    n, place = len(records), PLACE[relation]
    counts = [found(records, search).count(relation) for search in range(len(SEARCHES))]
    bar = Bar(counts[place], ENOUGH * n, SOME * n)
    searches = [record["results"]["searches"][place] for record in records]
    right = [100.0 * one["accuracy"] for one in searches if relation_of(one) == relation]
    examples = (
        f"; these tell {spread(right, '.1f')} % of real and shuffled test knots apart"
        if right
        else ""
    )
    if relation == "a" and right:
        with_longitude = sum(
            "longitude" in inputs_of(one) for one in searches if relation_of(one) == relation
        )
        examples += f"; lambda is in {with_longitude} of them"
    others = ", ".join(f"{count} {name}" for name, count in zip(SEARCHES, counts, strict=True))
    note = {
        "a": "signature and mu_r with any others",
        "b": "these three variables alone",
        "c": "these two variables alone; true by construction, because r is computed from g_r",
    }[relation]
    return Claim(
        f"training without supervision finds {WHAT[relation]}",
        PAPER[relation],
        f"by {counts[place]} of {n} seeds, searching {SEARCHES[place]}{examples}",
        bar.word,
        f"{n} seeds; {note}; a variable counts above {LEAST_SHARE:g} of the largest score, a relation from {100 * LEAST_ACCURACY:.0f} % right answers on; "
        f"seeds by search: {others}; seeds, {bar.text}",
    )


def _logarithm_claim(records: Sequence[Record]) -> Claim:
    logs = [logs for record in records if (logs := record["results"]["logarithms"])]
    factors = {
        name: [-float(one["factors"][name]) for one in logs]
        for name in ("longitude", "meridian_im")
    }
    off = [
        100.0 * max(abs(factors[name][place] - 1.0) for name in factors)
        for place in range(len(logs))
    ]
    bar = Bar(float(np.median(off)), 2.0, 10.0, most=True, form=".2f")
    return Claim(
        "(b) is a product: log V = p log lambda + q log mu_i + const with p = q = 1",
        "curves like logarithms",
        f"p = {spread(factors['longitude'], '.3f')}, q = {spread(factors['meridian_im'], '.3f')}",
        bar.word,
        f"{len(logs)} of {len(records)} seeds, those that find (b); curves c log(a x + b) + d, all trained; "
        f"percent by which p or q is off, {bar.text}",
    )
