"""Table 1 under one rule: KANs and MLPs on the same points, in equal CPU time, and at equal numbers of parameters.

Liu et al. 2024, section 3.2. `budget_rule` has the rule, which was fixed before the run; the run was made once.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.machine.machine import Claim, Config, Record
from figures.tables.budget_claims import budget_claims
from figures.tables.budget_picture import draw_budget
from figures.tables.budget_rule import configs_of
from figures.tables.budget_search import learn
from figures.tables.special_functions import SPECIAL_FUNCTIONS

NAME = "table-1-budget"
TITLE = "special functions under one rule"


def configs(full: bool, seeds: int | None) -> list[Config]:
    """Return one configuration for each function, model and seed."""
    return configs_of(SPECIAL_FUNCTIONS, full=full, seeds=seeds)


def cost(config: Config) -> float:
    """Return roughly the CPU seconds of a record."""
    return 1.1 * float(config["seconds"])


def run(config: Config) -> dict[str, Any]:
    """Search for networks of each size and return their errors."""
    named = {problem.name: problem for problem in SPECIAL_FUNCTIONS}
    return learn(named[config["function"]], config)


def draw(records: Sequence[Record]) -> Figure:
    """Draw the errors row by row, and MLPs against KANs of equal size."""
    return draw_budget(records, SPECIAL_FUNCTIONS)


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return the number of rows that are reached, the comparisons with MLPs, and a row for each function."""
    return budget_claims(records, SPECIAL_FUNCTIONS, yes=14, partly=8)
