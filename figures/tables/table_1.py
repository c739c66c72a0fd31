"""Table 1: 15 special functions of two variables, by KANs and MLPs.

Liu et al. 2024, section 3.2. `special_functions` has the functions and boxes, `table_method` the training. KANs: the paper's
minimal and best shapes, width 5, and pruned ones. MLPs: widths 5 and 100, on the same data, chosen in the same way.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.machine.machine import Claim, Config, Record
from figures.tables.problem import Problem
from figures.tables.special_functions import SPECIAL_FUNCTIONS
from figures.tables.table_method import KAN, MLP, PRUNED, WIDE, config_of, learn, seconds_of
from figures.tables.table_picture import draw_rows
from figures.tables.table_summary import row_claims

NAME = "table-1"
TITLE = "special functions"


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, model, shape and seed."""
    return [
        config
        for seed in range(seeds or (5 if full else 1))
        for problem in SPECIAL_FUNCTIONS
        for config in _models(problem, seed, full=full)
    ]


def _models(problem: Problem, seed: int, *, full: bool) -> list[Config]:
    n_in = problem.n_in
    shapes = [
        *(problem.shapes.values() if full else [problem.shapes["best"]]),
        (n_in, WIDE, 1),
        *([(n_in, WIDE, WIDE, 1)] if full else []),
    ]
    found = [config_of(problem, KAN, widths, seed, full=full) for widths in dict.fromkeys(shapes)]
    if full:
        found.append(config_of(problem, PRUNED, (n_in, WIDE, 1), seed, full=full))
    mlps = [
        (n_in, WIDE, WIDE, 1),
        *([(n_in, WIDE, WIDE, WIDE, 1), (n_in, 100, 1)] if full else []),
    ]
    return found + [
        config_of(problem, MLP, widths, seed, full=full, activation="tanh") for widths in mlps
    ]


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return seconds_of(config)


def run(config: Config) -> dict[str, Any]:
    """Train the model of a configuration on its function and return the errors."""
    return learn(
        next(problem for problem in SPECIAL_FUNCTIONS if problem.name == config["function"]), config
    )


def draw(records: Sequence[Record]) -> Figure:
    """Draw the errors row by row."""
    return draw_rows(records, SPECIAL_FUNCTIONS)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the number of rows that are reached, and a row for each function."""
    return row_claims(records, SPECIAL_FUNCTIONS, beat_mlp=True, rows_needed=13)
