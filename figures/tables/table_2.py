"""Table 2: 27 Feynman equations, by KANs and MLPs.

Liu et al. 2024, section 3.3. `feynman` has the equations and boxes, `table_method` the training. KANs: the paper's
human-constructed, minimal and best shapes (trained, as there; `table_2_human` has them exactly), width 5, pruned ones, and for two
equations the shape that does without poles. MLPs: width 5 with three activations, on the same data, chosen in the same way.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.machine.machine import Claim, Config, Record
from figures.tables.feynman import FEYNMAN
from figures.tables.human_networks import SMOOTH
from figures.tables.problem import Problem
from figures.tables.table_method import KAN, MLP, PRUNED, WIDE, config_of, learn, seconds_of
from figures.tables.table_picture import draw_rows
from figures.tables.table_summary import row_claims

NAME = "table-2"
TITLE = "Feynman equations"


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, model, shape and seed."""
    repeated = range(seeds or (5 if full else 1))
    return [
        config
        for seed in repeated
        for problem in FEYNMAN
        for config in _models(problem, seed, full=full)
    ]


def _models(problem: Problem, seed: int, *, full: bool) -> list[Config]:
    n_in = problem.n_in
    shapes = [
        *(problem.shapes.values() if full else [problem.shapes["best"]]),
        (n_in, WIDE, 1),
        *([(n_in, WIDE, WIDE, 1)] if full else []),
    ]
    if full and problem.name in SMOOTH:
        shapes.append((n_in, *(len(nodes) for nodes in SMOOTH[problem.name].layers)))
    found = [config_of(problem, KAN, widths, seed, full=full) for widths in dict.fromkeys(shapes)]
    if full:
        found.append(config_of(problem, PRUNED, (n_in, WIDE, 1), seed, full=full))
    mlps = [(n_in, WIDE, WIDE, 1)]
    names = ("tanh", "relu", "silu") if full else ("tanh",)
    return found + [
        config_of(problem, MLP, widths, seed, full=full, activation=activation)
        for widths in mlps
        for activation in names
    ]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return seconds_of(config)


def run(config: Config) -> dict[str, Any]:
    """Train the model of a configuration on its function and return the errors."""
    return learn(next(problem for problem in FEYNMAN if problem.name == config["function"]), config)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the errors row by row."""
    return draw_rows(records, FEYNMAN)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the number of rows that are reached, and a row for each function."""
    return row_claims(records, FEYNMAN, beat_mlp=False, rows_needed=22)
