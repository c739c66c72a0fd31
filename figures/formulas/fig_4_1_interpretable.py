"""Fig. 4.1: six small tasks, each with an interpretable network.

Liu et al. 2024, section 4.1, show one network a task. We test for every seed whether shape and functions
are those of the paper (`five_formulas`, `first_digit`). Of each task the picture shows the first seed
that finds the paper's network (the first of all if none does).
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import kan_ref as kr
from figures.formulas import first_digit
from figures.formulas.bessel import bessel
from figures.formulas.fig_4_1_claims import claims as claims
from figures.formulas.fig_4_1_claims import runs_of, shows
from figures.formulas.five_formulas import (
    FORMULAS,
    config_of,
    find,
    formula_of,
    right_functions,
    sample,
)
from figures.machine.machine import Config, Record
from figures.machine.stored_network import draw_settled, restored
from figures.machine.summary import shape_name

NAME = "4.1"
TITLE = "six networks that can be read"
SEEDS, SEEDS_QUICK = 5, 1
N_DRAWN = 301  # samples for the ranges of curves and the magnitudes
BETA = 15.0  # of opacity: not 3, because edges that remain after pruning should be readable
PANELS = sorted([*(formula.panel for formula in FORMULAS), first_digit.PANEL])


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each panel and seed."""
    count = seeds or (SEEDS if full else SEEDS_QUICK)
    found = [config_of(formula, seed) for formula in FORMULAS for seed in range(count)]
    found += [first_digit.config_of(seed) for seed in range(count)]
    return sorted(found, key=lambda config: (config["panel"], config["seed"]))


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return (
        first_digit.SECONDS if config["panel"] == first_digit.PANEL else formula_of(config).seconds
    )


def run(config: Config) -> dict[str, Any]:
    """Return the network of a panel and a seed, and the formula found in it."""
    return first_digit.learn(config) if config["panel"] == first_digit.PANEL else find(config)


# --- the picture


def draw(records: Sequence[Record]) -> Figure:
    """Draw a network for each panel, with the number of seeds that find the paper's network."""
    picture, networks = Figure(figsize=(8.4, 10.6)), []
    for ax, panel in zip(picture.subplots(3, 2).ravel(), PANELS, strict=True):
        ax.set_axis_off()
        runs = runs_of(records, panel)
        if runs:
            good = [record for record in runs if shows(record)]
            shown = (good or runs)[0]
            count = f"{len(good)} of {len(runs)} seed{'s' if len(runs) > 1 else ''}"
            of_digits = panel == first_digit.PANEL
            ax.set_title(
                (_digits_title if of_digits else _formula_title)(shown, count), linespacing=1.7
            )
            networks.append(partial(_draw_digits if of_digits else _draw_formula, ax, shown))
    draw_settled(picture, networks)
    return picture


def _formula_title(record: Record, count: str) -> str:
    config, results, formula = record["config"], record["results"], formula_of(record["config"])
    text = re.sub(r"\\frac{(\w+)}{(\w+)}", r"\1/\2", results["formula"])  # in one line
    read = f"${text}$" if right_functions(record) else "another formula"
    change = f"{shape_name(config['widths'])} $\\to$ {shape_name(results['widths'])}"
    return f"({formula.panel})  ${formula.latex}$\n{change}, found in {count}\nread off: {read}"


def _draw_formula(ax: Axes, record: Record) -> None:
    config = record["config"]
    names = [f"${name}$" for name in formula_of(config).names]
    x = sample(config, N_DRAWN, np.random.default_rng(config["seed"]))
    with bessel():
        kr.draw_network(
            restored(record["results"]["network"]),
            x,
            ax=ax,
            names=names,
            output_names=("$f$",),
            beta=BETA,
        )
    ax.set_anchor("N")  # directly below the title


def _digits_title(record: Record, count: str) -> str:
    right = f"{100.0 * record['results']['accuracy']:.1f} % of test numbers right"
    return f"({first_digit.PANEL})  first decimal digit of $x$\n{shape_name(record['config']['widths'])}, bumps found in {count}\n{right}"


def _draw_digits(ax: Axes, record: Record) -> None:
    names = [str(digit) for digit in range(first_digit.N_DIGITS)]
    x = np.linspace(0.0, 1.0, N_DRAWN)[:, None]
    kr.draw_network(
        restored(record["results"]["network"]),
        x,
        ax=ax,
        names=("$x$",),
        output_names=names,
        beta=BETA,
    )
