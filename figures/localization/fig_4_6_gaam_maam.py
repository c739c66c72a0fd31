"""Fig. 4.6 and Table 5: mobility edges of two chains whose edges depend on three numbers, the GAAM and the MAAM.

Liu et al. 2024, section 4.4. A [4,h,1] network computes the logit of "localized" from energy, strength, a third parameter and the phase. The paper's
user and network find the formula together: sparsity, then functions set by hand, then training. `chains` has the models and labels, `learning`
the method. Of each model the picture shows the first seed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.localization.chains import MODELS
from figures.localization.learning import config_of, learn
from figures.localization.localization_claims import (
    chain_claims,
    outside_legend,
    percent,
    plane,
    runs_of,
)
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.summary import shape_name, spread

NAME = "4.6"
TITLE = "mobility edges of GAAM and MAAM, Table 5"
SEEDS, SEEDS_QUICK = 5, 1
CHAINS = {"GAAM": {"alpha": 0.5}, "MAAM": {"p": 1.5}}  # with the slice that is drawn
WIDTH = 0.2  # of the slice, to either side
QUICK_COUNTS = [20, 8, 12]  # chains
SYMBOLS = {"alpha": "$\\alpha$", "lambda": "$\\lambda$", "phi": "$\\varphi$"}
BETA = 3.0
claims = chain_claims


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each model and seed."""
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    options: dict[str, Any] = {} if full else {"counts": QUICK_COUNTS}
    return [config_of(model, seed, **options) for model in CHAINS for seed in range(count)]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return (0.12 if config["model"] == "MAAM" else 0.06) * sum(config["counts"]) + 20.0


def run(config: Config) -> dict[str, Any]:
    """Return the edges that are learnt from the states of a seed."""
    return learn(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw for each model the states of a slice with the edges; below them the network of splines and that of the formula."""
    shown = [runs[0] for model in CHAINS if (runs := runs_of(records, model))]
    picture, networks = Figure(figsize=(7.2, 8.2 * len(shown))), []
    parts: Any = picture.subfigures(2 * len(shown), 1, height_ratios=(1.15, 1.0) * len(shown))
    for above, below, record in zip(parts[::2], parts[1::2], shown, strict=True):
        model = record["config"]["model"]
        runs, fixed = runs_of(records, model), CHAINS[model]
        top = above.subplots()
        plane(top, record, across="lambda", up="E", fixed=fixed, width=WIDTH)
        top.set_xlabel("strength $\\lambda$ of the potential")
        top.set_ylabel("energy $E$")
        ((name, value),) = fixed.items()
        theory = spread(percent(runs, "theory"), ".1f")
        symbol = SYMBOLS.get(name, f"${name}$")
        top.set_title(
            f"{model}, states with {symbol} within {WIDTH:g} of {value:g}; theory {theory} % right"
        )
        outside_legend(top)
        for ax, way in zip(below.subplots(1, 2), ("splines", "hand"), strict=True):
            results = record["results"][way]
            document = results[0] if way == "splines" else results
            kind = "splines" if way == "splines" else "functions by hand"
            ax.set_axis_off()
            ax.set_title(
                f"{kind}, {shape_name(document['widths'])}\n{spread(percent(runs, way), '.1f')} %, {len(runs)} seed{'s' * (len(runs) > 1)}"
            )
            networks.append(partial(_draw_network, ax, record, document["network"]))
    draw_settled(picture, networks)
    return picture


def _draw_network(ax: Axes, record: Record, document: dict[str, Any]) -> None:
    x = np.array(record["results"]["shown"]["x"])
    names = [SYMBOLS.get(name, f"${name}$") for name in MODELS[record["config"]["model"]].names]
    kr.draw_network(restored(document), x, ax=ax, names=names, output_names=("$g$",), beta=BETA)
