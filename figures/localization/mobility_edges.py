"""Figs. 4.5 and 4.6 and Table 5: mobility edges that are learnt from the eigenstates of quasiperiodic chains.

Liu et al. 2024, section 4.4. Fig. 4.5 has mosaic chains, kappa = 2 and 3: a [2,1] network of lambda and E with the identity on lambda has its edge
at lambda = h(E), so that the curve of E is the mobility edge.

Fig. 4.6 and Table 5 have two chains whose edges depend on three numbers, the GAAM and the MAAM. A [4,h,1] network computes the logit of "localized"
from energy, strength, a third parameter and the phase. The paper's user and network find the formula together: sparsity, then functions set by
hand, then training.

`chains` has the models and the labels, `learning` the method. Of each kappa and model the picture shows the first seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.localization.chains import MODELS
from figures.localization.learning import config_of, learn
from figures.localization.localization_claims import (
    EDGES,
    chain_claims,
    mosaic_claims,
    outside_legend,
    percent,
    plane,
    runs_of,
)
from figures.machine.machine import Claim, Config, FigureValue, Record, shape_name, spread
from figures.machine.stored_network import draw_settled, restored

SEEDS, SEEDS_QUICK = 5, 1
MOSAIC = ("mosaic 2", "mosaic 3")  # kappa
CHAINS = {"GAAM": {"alpha": 0.5}, "MAAM": {"p": 1.5}}  # with the slice that is drawn
WIDTH = 0.2  # of the slice, to either side
QUICK_COUNTS = [20, 8, 12]  # chains
SYMBOLS = {"alpha": "$\\alpha$", "lambda": "$\\lambda$", "phi": "$\\varphi$"}
BETA = 3.0


@dataclass(eq=False)
class MobilityFigure(FigureValue):
    """A figure of the edges of some `models`, whose runs take `overhead` CPU seconds besides the states."""

    models: Sequence[str]
    overhead: float
    draw: Callable[[Sequence[Record]], Figure]
    claims: Callable[[Sequence[Record]], list[Claim]]

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each model and seed."""
        count = seeds or (SEEDS if full else SEEDS_QUICK)
        options: dict[str, Any] = {} if full else {"counts": QUICK_COUNTS}
        return [config_of(model, seed, **options) for model in self.models for seed in range(count)]

    def cost(self, config: Config) -> float:
        """Return roughly the CPU seconds of a record."""
        return (0.12 if config["model"] == "MAAM" else 0.06) * sum(config["counts"]) + self.overhead

    def run(self, config: Config) -> dict[str, Any]:
        """Return the edges that are learnt from the states of a seed."""
        return learn(config)


def draw_mosaic(records: Sequence[Record]) -> Figure:
    """Draw for each kappa the states with the edges, and the network of splines."""
    shown = [runs[0] for model in MOSAIC if (runs := runs_of(records, model))]
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
        networks.append(partial(_draw_splines, right, record))
    draw_settled(picture, networks)
    return picture


def _draw_splines(ax: Axes, record: Record) -> None:
    x = np.array(record["results"]["shown"]["x"])
    network = restored(record["results"]["splines"][0]["network"])
    kr.draw_network(
        network, x, ax=ax, names=("$\\lambda$", "$E$"), output_names=("$g$",), beta=BETA
    )


def draw_chains(records: Sequence[Record]) -> Figure:
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


fig_4_5_mosaic = MobilityFigure(
    f"{__name__}.fig_4_5_mosaic",
    NAME="4.5",
    TITLE="mobility edges of mosaic chains",
    models=MOSAIC,
    overhead=10.0,
    draw=draw_mosaic,
    claims=mosaic_claims,
)
fig_4_6_gaam_maam = MobilityFigure(
    f"{__name__}.fig_4_6_gaam_maam",
    NAME="4.6",
    TITLE="mobility edges of GAAM and MAAM, Table 5",
    models=tuple(CHAINS),
    overhead=20.0,
    draw=draw_chains,
    claims=chain_claims,
)
