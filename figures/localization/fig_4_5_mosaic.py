"""Fig. 4.5: mobility edges of mosaic chains, kappa = 2 and 3, learnt from their eigenstates.

Liu et al. 2024, section 4.4. A [2,1] network of lambda and E with the identity on lambda has its edge at lambda = h(E), so that the curve of E
is the mobility edge. `chains` has the model and the labels, `learning` the method. Of each kappa the picture shows the first seed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.localization.learning import config_of, learn
from figures.localization.localization_claims import (
    EDGES,
    mosaic_claims,
    outside_legend,
    percent,
    plane,
    runs_of,
)
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.summary import spread

NAME = "4.5"
TITLE = "mobility edges of mosaic chains"
SEEDS, SEEDS_QUICK = 5, 1
KAPPAS = ("mosaic 2", "mosaic 3")
QUICK_COUNTS = [20, 8, 12]  # chains
BETA = 3.0
claims = mosaic_claims


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each kappa and seed."""
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    options: dict[str, Any] = {} if full else {"counts": QUICK_COUNTS}
    return [config_of(model, seed, **options) for model in KAPPAS for seed in range(count)]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 0.06 * sum(config["counts"]) + 10.0


def run(config: Config) -> dict[str, Any]:
    """Return the edges that are learnt from the states of a seed."""
    return learn(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw for each kappa the states with the edges, and the network of splines."""
    shown = [runs[0] for model in KAPPAS if (runs := runs_of(records, model))]
    picture, networks = Figure(figsize=(8.4, 4.4 * len(shown))), []
    axes = np.asarray(
        picture.subplots(len(shown), 2, width_ratios=(1.5, 1.0), squeeze=False), dtype=object
    )
    for (left, right), record in zip(axes, shown, strict=True):
        model = record["config"]["model"]
        runs = runs_of(records, model)
        plane(left, record, across="lambda", up="E", fixed={}, width=0.0)
        left.set_xlabel("strength $\\lambda$ of the potential")
        left.set_ylabel("energy $E$")
        edge = EDGES[model].replace("lambda", "\\lambda")
        left.set_title(f"$\\kappa = {model[-1]}$, ${edge}$; seed {record['seed']}")
        outside_legend(left)
        right.set_axis_off()
        right.set_title(
            f"test states right, {len(runs)} seed{'s' * (len(runs) > 1)}\ntheory {spread(percent(runs, 'theory'), '.1f')} %\n"
            f"splines {spread(percent(runs, 'splines'), '.1f')} %\n"
            f"formula by hand {spread(percent(runs, 'hand'), '.1f')} %",
            linespacing=1.5,
        )
        networks.append(partial(_draw_network, right, record))
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record) -> None:
    x = np.array(record["results"]["shown"]["x"])
    network = restored(record["results"]["splines"][0]["network"])
    kr.draw_network(
        network, x, ax=ax, names=("$\\lambda$", "$E$"), output_names=("$g$",), beta=BETA
    )
