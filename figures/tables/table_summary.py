"""Summaries of the records of Tables 1 and 2: medians over seeds, two ways to choose a shape, and the claims.

The paper reports the lowest test error of all its shapes and seeds. We compare it with our shape of the lowest median over seeds,
so that shapes, but not seeds, are picked by test error as in the paper. A second number needs no test data: in each seed the
shape with the lowest validation error.
"""

from collections.abc import Sequence

import numpy as np

from figures.machine.machine import Bar, Claim, Record, shape_name, spread
from figures.tables.problem import Problem
from figures.tables.table_method import KAN, MLP, PRUNED

BOXES = "the box of the inputs is ours, for the paper states none"
SMALL_ENOUGH = 1e-2  # test error below which the paper looks for its smallest shape


def of_function(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records of one function and some kinds of model."""
    return [
        record
        for record in records
        if record["config"]["function"] == problem.name and record["config"]["model"] in models
    ]


def chosen(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return for each seed the record with the smallest validation error."""
    best: dict[int, Record] = {}
    for record in of_function(records, problem, *models):
        seed = int(record["seed"])
        if (
            seed not in best
            or record["results"]["validation"] < best[seed]["results"]["validation"]
        ):
            best[seed] = record
    return [best[seed] for seed in sorted(best)]


def best_shape(records: Sequence[Record], problem: Problem, *models: str) -> list[Record]:
    """Return the records, ordered by seed, of the shape (and activation) with the lowest median
    test error among shapes that most seeds have.
    """
    groups: dict[str, list[Record]] = {}
    for record in of_function(records, problem, *models):
        config = record["config"]
        groups.setdefault(
            f"{config['model']} {config['widths']} {config.get('activation')}", []
        ).append(record)
    most = max((len(group) for group in groups.values()), default=0)
    whole = [group for group in groups.values() if 2 * len(group) > most]
    if not whole:
        return []
    best = whole[int(np.argmin([np.median(errors(group)) for group in whole]))]
    return sorted(best, key=lambda record: int(record["seed"]))


def minimal(records: Sequence[Record], problem: Problem) -> Record | None:
    """Return the KAN with the fewest parameters whose test error is below 1e-2, the paper's
    criterion; None if there is none.
    """
    good = [
        record
        for record in of_function(records, problem, KAN, PRUNED)
        if record["results"]["test"] < SMALL_ENOUGH
    ]
    return min(
        good,
        key=lambda record: (sum(record["results"]["widths"]), record["results"]["test"]),
        default=None,
    )


def errors(records: Sequence[Record]) -> list[float]:
    """Return test errors."""
    return [float(record["results"]["test"]) for record in records]


def row_claims(
    records: Sequence[Record], problems: Sequence[Problem], *, beat_mlp: bool, rows_needed: int
) -> list[Claim]:
    """Return a row for each function that has KANs; the first row has the number of those that are
    reached.
    """
    rows, good, below_mlp, blind, none = [], 0, 0, 0, 0
    for problem in problems:
        kans, picked = (
            best_shape(records, problem, KAN, PRUNED),
            chosen(records, problem, KAN, PRUNED),
        )
        if not kans:
            continue
        ours = float(np.median(errors(kans)))
        reached, under_mlp = ours <= problem.best_kan, ours < problem.paper["MLP"]
        good, below_mlp, none = good + reached, below_mlp + under_mlp, none + 1
        blind += float(np.median(errors(picked))) <= problem.best_kan
        rows.append(
            _row_claim(
                problem,
                kans,
                picked,
                best_shape(records, problem, MLP),
                reached=reached,
                under_mlp=under_mlp,
                beat_mlp=beat_mlp,
            )
        )
    if not rows:
        return []
    share = f"{good} of {none} rows, below the paper's MLP on {below_mlp}; {blind} with shapes chosen on validation data"
    reason = (
        f"not all of the {len(problems)} rows are below the paper's MLP"
        if beat_mlp and below_mlp < len(problems)
        else ""
    )
    bar = Bar(good, rows_needed, 1.0, reason=reason)
    head = Claim(
        "our KAN is at or below the paper's best KAN",
        f"{rows_needed} of {len(problems)} rows are asked for"
        + (", and all below its MLP" if beat_mlp else ""),
        share
        + ("" if none == len(problems) else f"; {len(problems) - none} rows have not been run"),
        bar.word,
        "medians over seeds of the test error; initializations, grids and penalties chosen on validation data, the shape by its median; "
        f"{BOXES}, so that the two numbers belong to different data; rows, {bar.text}",
    )
    return [head, *rows]


def _row_claim(
    problem: Problem,
    kans: Sequence[Record],
    picked: Sequence[Record],
    mlps: Sequence[Record],
    *,
    reached: bool,
    under_mlp: bool,
    beat_mlp: bool,
) -> Claim:
    ours = errors(kans)
    shapes = sorted({shape_name(record["results"]["widths"]) for record in kans})
    share = float(
        np.median([record["results"]["test"] / record["results"]["spread"] for record in kans])
    )
    baseline = f"; our MLP {spread(errors(mlps), '.2e')}" if mlps else ""
    reported = ", ".join(f"{model} {error:.2e}" for model, error in problem.paper.items())
    conflict = f"; another copy of the text: {problem.conflict}" if problem.conflict else ""
    least, most = sorted((problem.best_kan, problem.paper["MLP"]))
    above = "" if not beat_mlp or under_mlp else "it is not below the paper's MLP"
    yes = least if beat_mlp else problem.best_kan
    judged = Bar(float(np.median(ours)), yes, most, most=True, form=".2e", reason=above)
    names = ", ".join(f"{name} {shape_name(shape)}" for name, shape in problem.shapes.items())
    return Claim(
        f"{problem.name}, {problem.plain}: test RMSE",
        f"{reported} ({names})",
        f"KAN {spread(ours, '.2e')}, {share:.1e} of std(y), {' or '.join(shapes)}; "
        f"chosen on validation data {spread(errors(picked), '.2e')}{baseline}",
        judged.word,
        f"{len(kans)} seed{'s' if len(kans) > 1 else ''}; {BOXES}; median {judged.text}" + conflict,
    )


def frontier(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points (parameters, error) of the Pareto frontier.

    Examples
    --------
    >>> frontier([(10, 1.0), (20, 2.0), (20, 0.5), (30, 0.5)])
    [(10, 1.0), (20, 0.5)]
    """
    kept: list[tuple[int, float]] = []
    for size, error in sorted(points):
        if not kept or error < kept[-1][1]:
            kept.append((size, error))
    return kept
