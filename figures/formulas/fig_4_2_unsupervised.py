"""Fig. 4.2: two relations among variables found by unsupervised learning; the seed decides which of them is found.

Liu et al. 2024, section 4.2, show one seed for each. We run every seed and draw the networks of the
first seeds that find a relation. `two_relations` has the method.
The claims are those of section 4.2: a row for each relation, and one for the variable that is in none.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import kan_ref as kr
from figures.formulas.two_relations import (
    FIRST,
    GROUPS,
    LEAST_ACCURACY,
    LEAST_SHARE,
    MIXED,
    NAMES,
    NONE,
    SECOND,
    SECONDS,
    Group,
    config_of,
    group_of,
    real_and_shuffled,
    runs_of,
    search,
    shares,
)
from figures.machine.machine import Bar, Claim, Config, Record, spread
from figures.machine.stored_network import draw_settled, restored
from figures.machine.style import GREY

NAME = "4.2"
TITLE = "two relations found unsupervised"
SEEDS, SEEDS_QUICK = 20, 4
RELATIONS = {FIRST: "$x_3 = e^{\\sin(x_1) + x_2^2}$", SECOND: "$x_5 = x_4^3$"}


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each seed."""
    return [config_of(seed) for seed in range(seeds or (SEEDS if full else SEEDS_QUICK))]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return SECONDS


def run(config: Config) -> dict[str, Any]:
    """Return the network of a seed, and the inputs that it uses."""
    return search(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a pruned network for each relation; below them the inputs that each seed uses, and the
    number of seeds with each result.
    """
    picture = Figure(figsize=(8.2, 7.6))
    halves = picture.subfigures(2, 1, height_ratios=(0.85, 1.0))
    above, below = np.asarray(halves, dtype=object)
    networks = []
    for ax, (group, relation) in zip(above.subplots(1, 2), RELATIONS.items(), strict=True):
        runs = runs_of(records, group)
        ax.set_axis_off()
        finder = (
            f"seed {runs[0]['seed']} finds {group.label}"
            if runs
            else f"no seed finds {group.label}"
        )
        ax.set_title(f"{finder}\n{relation}", color=group.color, linespacing=1.5)
        if runs:
            networks.append(partial(_draw_network, ax, runs[0], group))
    table, bars = below.subplots(2, 1, height_ratios=(1.0, 0.8))
    _draw_table(table, records)
    _draw_bars(bars, records)
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record, group: Group) -> None:
    config, network = record["config"], restored(record["results"]["network"])
    x, _ = real_and_shuffled(config["n_train"], np.random.default_rng(config["seed"]))
    kr.draw_network(network, x, ax=ax, names=NAMES, output_names=("real?",))
    ax.set_anchor("N")  # directly below the title
    for text in ax.texts:
        if text.get_text() in NAMES and NAMES.index(text.get_text()) in (group.inputs or ()):
            text.set_color(group.color)


def _draw_table(ax: Axes, records: Sequence[Record]) -> None:
    columns = [record for group in GROUPS for record in runs_of(records, group)]
    ax.set_xlim(-0.5, len(columns) - 0.5)
    ax.set_ylim(len(NAMES) - 0.5, -0.5)
    for place, record in enumerate(columns):
        for row, share in enumerate(shares(record)):
            ax.bar(
                place,
                -0.86,
                0.86,
                row + 0.43,
                color=group_of(record).color,
                alpha=float(share),
                lw=0,
            )
            ax.bar(place, -0.86, 0.86, row + 0.43, fill=False, ec="0.85", lw=0.6)
    ax.set_yticks(range(len(NAMES)), labels=NAMES)
    ax.set_xticks(range(len(columns)), labels=[str(record["seed"]) for record in columns])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("seed, in the order of what it finds")
    ax.set_title("how much an input matters, beside the one that matters most")


def _draw_bars(ax: Axes, records: Sequence[Record]) -> None:
    counts = [len(runs_of(records, group)) for group in GROUPS]
    bars = ax.barh(range(len(GROUPS)), counts, 0.66, color=[group.color for group in GROUPS])
    ax.bar_label(bars, [str(count) for count in counts], padding=4, color=GREY)
    ax.set_yticks(range(len(GROUPS)), labels=[group.label for group in GROUPS])
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.1 * max(counts))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("seeds")
    ax.set_title(f"what {len(records)} seeds find: inputs above {LEAST_SHARE:g} of the largest")


# --- claims

PAPER = {FIRST: "found by seed 0", SECOND: "found by seed 2024"}
INDEPENDENT = 5  # x6


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return a row for each relation, and one for the variable that is in none."""
    return [
        _relation_claim(records, FIRST),
        _relation_claim(records, SECOND),
        _independent_claim(records),
    ]


def _relation_claim(records: Sequence[Record], group: Group) -> Claim:
    runs = runs_of(records, group)
    accuracy = [100.0 * float(record["results"]["accuracy"]) for record in runs]
    examples = (
        f"; these tell {spread(accuracy, '.1f')} % of real and shuffled test points apart"
        if runs
        else ""
    )
    others = f"{len(runs_of(records, MIXED))} mix both relations, {len(runs_of(records, NONE))} find none"
    bar = Bar(len(runs), math.ceil(0.5 * len(records)), 1.0)
    return Claim(
        f"training without supervision finds the relation of {_plain(group)}",
        PAPER[group],
        f"by {len(runs)} of {len(records)} seeds{examples}",
        bar.word,
        f"{len(records)} seeds; an input counts above {LEAST_SHARE:g} of the largest score, a relation from "
        f"{100 * LEAST_ACCURACY:.0f} % right answers on; {others}; seeds that find it, {bar.text}",
    )


def _plain(group: Group) -> str:
    return "(" + ", ".join(f"x{place + 1}" for place in group.inputs or ()) + ")"


def _independent_claim(records: Sequence[Record]) -> Claim:
    runs = [record for group in (FIRST, SECOND, MIXED) for record in runs_of(records, group)]
    parts = [float(shares(record)[INDEPENDENT]) for record in runs]
    n_in = int(np.sum(np.array(parts) > LEAST_SHARE))
    bar = Bar(n_in, 0.0, most=True)
    return Claim(
        "x6, which depends on nothing, is in no relation",
        "not in the two that are shown",
        f"in {n_in} of {len(runs)} relations"
        + (f"; score at most {max(parts):.1g} of the largest" if runs else ""),
        bar.word if runs else "no",
        f"{len(runs)} seeds that find something; relations with it, {bar.text}",
    )
