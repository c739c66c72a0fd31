"""Tables 1 and 2, 15 special functions and 27 Feynman equations by KANs and MLPs, and Figs. 3.2, D.1, D.2, D.3, F.1 and F.2, drawn from their runs.

Liu et al. 2024, sections 3.2 and 3.3, appendices D and F. `problem` has the functions and boxes, `table_method` the
training. KANs have the paper's shapes, width 5, and pruned ones; MLPs the same data, chosen in the same way.

- Table 1: the paper's minimal and best shapes; MLPs of widths 5 and 100.
- Table 2: the paper's human-constructed shapes too (trained, as there; `table_2_human` has them exactly), and for two equations the shape that
  does without poles; MLPs of width 5 with three activations.

A Pareto frontier is the error against the number of parameters. Diagrams show the networks of the first seed: the best ones, whose shape is
chosen on validation data, and the smallest ones with a test error below 1e-2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from figures.machine.machine import Claim, Config, DerivedFigure, FigureValue, Record
from figures.tables.problem import FEYNMAN, SPECIAL_FUNCTIONS, Problem, named
from figures.tables.table_2_human import SMOOTH
from figures.tables.table_method import KAN, MLP, PRUNED, WIDE, config_of, learn
from figures.tables.table_summary import (
    about_equal_claim,
    draw_diagrams,
    draw_frontiers,
    draw_rows,
    equal_size_claims,
    paper_shape_claim,
    row_claims,
    smaller_than_human_claim,
)

Shape = tuple[int, ...]


@dataclass(eq=False)
class TableFigure(FigureValue):
    """A table of `problems`; `mlps` gives the widths and the activation of each MLP of a full run, and `beat_mlp` and `rows_needed` are those of `row_claims`."""

    problems: Sequence[Problem]
    mlps: Callable[[int], list[tuple[Shape, str]]]
    beat_mlp: bool
    rows_needed: int

    def configs(self, full: bool, seeds: int | None) -> list[Config]:
        """Return one configuration for each function, model, shape and seed."""
        models = [(problem, model) for problem in self.problems for model in self._models(problem, full=full)]
        return [
            config_of(problem, kind, widths, seed, full=full, activation=activation)
            for seed in range(seeds or (5 if full else 1))
            for problem, (kind, widths, activation) in models
        ]

    def _models(self, problem: Problem, *, full: bool) -> list[tuple[str, Shape, str]]:
        """Return the kind, widths and activation of each model of a function."""
        n_in, wide = problem.n_in, (problem.n_in, WIDE, 1)
        mlps = [(MLP, widths, activation) for widths, activation in self.mlps(n_in)]
        shapes = [*problem.shapes.values(), wide, (n_in, WIDE, WIDE, 1)] if full else [problem.shapes["best"], wide]
        if full and problem.name in SMOOTH:
            shapes.append((n_in, *(len(nodes) for nodes in SMOOTH[problem.name].layers)))
        kans = [(KAN, shape, "") for shape in dict.fromkeys(shapes)]
        return [*kans, (PRUNED, wide, ""), *mlps] if full else [*kans, mlps[0]]

    def run(self, config: Config) -> dict[str, Any]:
        """Train the model of a configuration on its function and return the errors."""
        return learn(named(self.problems, config["function"]), config)

    def draw(self, records: Sequence[Record]) -> Figure:
        """Draw the errors row by row."""
        return draw_rows(records, self.problems)

    def claims(self, records: Sequence[Record]) -> list[Claim]:
        """Return the number of rows that are reached, and a row for each function."""
        return row_claims(records, self.problems, beat_mlp=self.beat_mlp, rows_needed=self.rows_needed)


def _tanh_mlps(n_in: int) -> list[tuple[Shape, str]]:
    shapes = [(n_in, WIDE, WIDE, 1), (n_in, WIDE, WIDE, WIDE, 1), (n_in, 100, 1)]
    return [(shape, "tanh") for shape in shapes]


def _mlps_of_width_5(n_in: int) -> list[tuple[Shape, str]]:
    return [((n_in, WIDE, WIDE, 1), activation) for activation in ("tanh", "relu", "silu")]


table_1 = TableFigure(
    f"{__name__}.table_1",
    NAME="table-1",
    TITLE="special functions",
    problems=SPECIAL_FUNCTIONS,
    mlps=_tanh_mlps,
    beat_mlp=True,
    rows_needed=13,
)
table_2 = TableFigure(
    f"{__name__}.table_2",
    NAME="table-2",
    TITLE="Feynman equations",
    problems=FEYNMAN,
    mlps=_mlps_of_width_5,
    beat_mlp=False,
    rows_needed=22,
)

# --- figures that are drawn from the runs of a table


def _drawn(
    file: str,
    name: str,
    title: str,
    table: TableFigure,
    draw: Callable[..., Figure],
    claims: Callable[..., list[Claim]],
) -> DerivedFigure:
    """Return a figure on all problems of a table."""
    on_table = {"problems": table.problems}
    return DerivedFigure(
        f"{__name__}.{file}", name, title, (table,), partial(draw, **on_table), partial(claims, **on_table)
    )


BEST, SMALLEST = partial(draw_diagrams, best=True), partial(draw_diagrams, best=False)
BEST_SHAPES, SMALLEST_SHAPES = partial(paper_shape_claim, kind="best"), partial(paper_shape_claim, kind="minimal")


def _all_sizes(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the rows on KANs and MLPs of any and of equal size."""
    return [*about_equal_claim(records, problems), *equal_size_claims(records, problems)]


def _smallest(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the rows on the paper's smallest shapes, and on automatic and human shapes."""
    return [*SMALLEST_SHAPES(records, problems), *smaller_than_human_claim(records, problems)]


fig_3_2_frontiers = _drawn(
    "fig_3_2_frontiers", "3.2", "Pareto frontiers of special functions", table_1, draw_frontiers, equal_size_claims
)
fig_f_1_best = _drawn("fig_f_1_best", "f.1", "best KANs of special functions", table_1, BEST, BEST_SHAPES)
fig_f_2_minimal = _drawn(
    "fig_f_2_minimal", "f.2", "smallest KANs of special functions", table_1, SMALLEST, SMALLEST_SHAPES
)
fig_d_1_frontiers = _drawn(
    "fig_d_1_frontiers", "d.1", "Pareto frontiers of Feynman equations", table_2, draw_frontiers, _all_sizes
)
fig_d_2_best = _drawn("fig_d_2_best", "d.2", "best KANs of Feynman equations", table_2, BEST, BEST_SHAPES)
fig_d_3_minimal = _drawn("fig_d_3_minimal", "d.3", "smallest KANs of Feynman equations", table_2, SMALLEST, _smallest)
