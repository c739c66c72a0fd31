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
from figures.tables.problem import FEYNMAN, SPECIAL_FUNCTIONS, Problem
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
        return [
            config
            for seed in range(seeds or (5 if full else 1))
            for problem in self.problems
            for config in self._models(problem, seed, full=full)
        ]

    def _models(self, problem: Problem, seed: int, *, full: bool) -> list[Config]:
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
        mlps = self.mlps(n_in)
        return found + [
            config_of(problem, MLP, widths, seed, full=full, activation=activation)
            for widths, activation in (mlps if full else mlps[:1])
        ]

    def run(self, config: Config) -> dict[str, Any]:
        """Train the model of a configuration on its function and return the errors."""
        named = {problem.name: problem for problem in self.problems}
        return learn(named[config["function"]], config)

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

# --- figures of Table 1

fig_3_2_frontiers = DerivedFigure(
    f"{__name__}.fig_3_2_frontiers",
    NAME="3.2",
    TITLE="Pareto frontiers of special functions",
    RECORDS_OF=(table_1,),
    draw=partial(draw_frontiers, problems=SPECIAL_FUNCTIONS),
    claims=partial(equal_size_claims, problems=SPECIAL_FUNCTIONS),
)
fig_f_1_best = DerivedFigure(
    f"{__name__}.fig_f_1_best",
    NAME="f.1",
    TITLE="best KANs of special functions",
    RECORDS_OF=(table_1,),
    draw=partial(draw_diagrams, problems=SPECIAL_FUNCTIONS, best=True),
    claims=partial(paper_shape_claim, problems=SPECIAL_FUNCTIONS, kind="best"),
)
fig_f_2_minimal = DerivedFigure(
    f"{__name__}.fig_f_2_minimal",
    NAME="f.2",
    TITLE="smallest KANs of special functions",
    RECORDS_OF=(table_1,),
    draw=partial(draw_diagrams, problems=SPECIAL_FUNCTIONS, best=False),
    claims=partial(paper_shape_claim, problems=SPECIAL_FUNCTIONS, kind="minimal"),
)

# --- figures of Table 2


def _frontier_claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on KANs and MLPs of any and of equal size."""
    return [*about_equal_claim(records, FEYNMAN), *equal_size_claims(records, FEYNMAN)]


def _minimal_claims(records: Sequence[Record]) -> list[Claim]:
    """Return the rows on the paper's smallest shapes, and on automatic and human shapes."""
    return [*paper_shape_claim(records, FEYNMAN, "minimal"), *smaller_than_human_claim(records, FEYNMAN)]


fig_d_1_frontiers = DerivedFigure(
    f"{__name__}.fig_d_1_frontiers",
    NAME="d.1",
    TITLE="Pareto frontiers of Feynman equations",
    RECORDS_OF=(table_2,),
    draw=partial(draw_frontiers, problems=FEYNMAN),
    claims=_frontier_claims,
)
fig_d_2_best = DerivedFigure(
    f"{__name__}.fig_d_2_best",
    NAME="d.2",
    TITLE="best KANs of Feynman equations",
    RECORDS_OF=(table_2,),
    draw=partial(draw_diagrams, problems=FEYNMAN, best=True),
    claims=partial(paper_shape_claim, problems=FEYNMAN, kind="best"),
)
fig_d_3_minimal = DerivedFigure(
    f"{__name__}.fig_d_3_minimal",
    NAME="d.3",
    TITLE="smallest KANs of Feynman equations",
    RECORDS_OF=(table_2,),
    draw=partial(draw_diagrams, problems=FEYNMAN, best=False),
    claims=_minimal_claims,
)
