"""The rows of Tables 1 and 2, and the statements of sections 3.2 and 3.3 of the paper on sizes and shapes, compared with the records.

Every number is a count of rows or comparisons, or a factor, that is judged by the bars in its row. The bars were set before the numbers were
computed: a statement on all rows is a "yes" from nine tenths of them on, and "partly" from half of them on.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from figures.machine.machine import Bar, Claim, Record, shape_name, spread
from figures.tables.problem import Problem
from figures.tables.table_method import KAN, MLP, PRUNED
from figures.tables.table_summary import (
    BOXES,
    SMALL_ENOUGH,
    best_shape,
    chosen,
    errors,
    of_function,
)

NEARLY_ALL, HALF = 0.9, 0.5
EQUAL, SIMILAR = 3.0, 10.0  # factors between errors that count as about equal, and as partly so


def n_edges(widths: Sequence[int]) -> int:
    """Return the number of edges between nodes of neighbouring layers.

    Examples
    --------
    >>> n_edges([2, 5, 1])
    15
    """
    return sum(n_in * n_out for n_in, n_out in pairwise(widths))


def _bar(count: int, n: int) -> Bar:
    return Bar(count, math.ceil(NEARLY_ALL * n), math.ceil(HALF * n))


# --- a row for each function


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
        "the errors of its table, row by row",
        share
        + ("" if none == len(problems) else f"; {len(problems) - none} rows have not been run"),
        bar.word,
        "medians over seeds of the test error; initializations, grids and penalties chosen on validation data, the shape by its median; "
        f"{BOXES}, so that the two numbers belong to different data; the bars are ours"
        + (", and all rows have to be below the paper's MLP" if beat_mlp else "")
        + f"; rows, {bar.text}",
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


# --- KANs and MLPs of equal size


def smallest_error(records: Sequence[Record], problem: Problem, n_most: int) -> float | None:
    """Return the smallest median over seeds of the test error among KANs of at most so many parameters; None if no KAN of one kind, shape and grid
    is that small in most seeds.
    """
    groups: dict[tuple[Any, ...], dict[int, tuple[int, float]]] = {}
    n_seeds = len({record["seed"] for record in records})
    for record in of_function(records, problem, KAN, PRUNED):
        config, results = record["config"], record["results"]
        for rung in [*results["rungs"], {**results, "smoothness": "end"}]:
            # of several rungs of one grid and weight (pruned networks have one ladder for each penalty) the last one counts
            kind = (config["model"], tuple(config["widths"]), rung["smoothness"])
            place = "" if rung["smoothness"] == "end" else rung["n_intervals"]
            found = groups.setdefault((*kind, place), {})
            found[int(record["seed"])] = (int(rung["n_params"]), float(rung["test"]))
    small = [
        float(np.median([error for _, error in group.values()]))
        for group in groups.values()
        if 2 * len(group) > n_seeds and max(size for size, _ in group.values()) <= n_most
    ]
    return min(small, default=None)


def equal_size_claims(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return for each optimizer of the MLPs a row on whether KANs of at most as many parameters have smaller errors."""
    optimizers = dict.fromkeys(
        record["config"]["optimizer"] for record in records if record["config"]["model"] == MLP
    )
    rows = (_equal_size_claim(records, problems, optimizer) for optimizer in optimizers)
    return [row for row in rows if row is not None]


def _equal_size_claim(
    records: Sequence[Record], problems: Sequence[Problem], optimizer: str
) -> Claim | None:
    n_won, n_compared, n_without, sizes = 0, 0, 0, set()
    for problem in problems:
        runs = of_function(records, problem, MLP)
        runs = [record for record in runs if record["config"]["optimizer"] == optimizer]
        for widths in sorted({tuple(record["config"]["widths"]) for record in runs}):
            shaped = [record for record in runs if tuple(record["config"]["widths"]) == widths]
            mlps = best_shape(shaped, problem, MLP)
            size = int(mlps[0]["results"]["n_params"])
            ours = smallest_error(records, problem, size)
            sizes.add(size)
            n_compared += 1
            n_without += ours is None
            n_won += ours is not None and ours < float(np.median(errors(mlps)))
    if not n_compared:
        return None
    bar = _bar(n_won, n_compared)
    name = {"lm": "Levenberg-Marquardt", "lbfgs": "L-BFGS"}[optimizer]
    return Claim(
        f"KANs have smaller test errors than MLPs of equal size, MLPs trained by {name}",
        "KANs below MLPs in all panels",
        f"in {n_won} of {n_compared} comparisons; in {n_without} of them no KAN is that small",
        bar.word,
        f"MLPs of {' or '.join(map(str, sorted(sizes)))} parameters, the best activation, against the best KAN of at most as many, trained by "
        f"Levenberg-Marquardt; medians over seeds, shapes and grids by their test error; {BOXES}; comparisons won, {bar.text}",
    )


def about_equal_claim(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the row on whether the best KANs and MLPs of all sizes are about equal on average; none without both."""
    ratios = []
    for problem in problems:
        kans, mlps = (
            errors(best_shape(records, problem, *models)) for models in ((KAN, PRUNED), (MLP,))
        )
        if kans and mlps:
            ratios.append(float(np.median(mlps) / np.median(kans)))
    if not ratios:
        return []
    mean = float(np.exp(np.mean(np.log(ratios))))
    bar = Bar(max(mean, 1.0 / mean), EQUAL, SIMILAR, most=True)
    n_below = sum(ratio > 1.0 for ratio in ratios)
    side = "below" if mean > 1.0 else "above"
    return [
        Claim(
            "KANs and MLPs are about equal on average over the equations",
            "comparable on average",
            f"KANs are {side} by a factor {max(mean, 1.0 / mean):.3g} in the geometric mean, and below in {n_below} of {len(ratios)} rows",
            bar.word,
            f"best shapes by their median over seeds, whatever their size: KANs have up to 800 parameters, MLPs 51 to 71; {BOXES}; factor, {bar.text}",
        )
    ]


# --- shapes


def paper_shape_claim(
    records: Sequence[Record], problems: Sequence[Problem], kind: str
) -> list[Claim]:
    """Return the row on the paper's "best" or "minimal" shapes: whether ours of that shape reach its error, or an error below 1e-2."""
    reached, n = [], 0
    for problem in problems:
        shape = problem.shapes[kind]
        runs = [
            record
            for record in of_function(records, problem, KAN)
            if tuple(record["config"]["widths"]) == shape
        ]
        if not runs:
            continue
        n += 1
        level = problem.best_kan if kind == "best" else SMALL_ENOUGH
        if float(np.median(errors(runs))) <= level:
            reached.append(problem.name)
    if not n:
        return []
    bar = _bar(len(reached), n)
    lacking = [
        problem.name
        for problem in problems
        if problem.name not in reached and of_function(records, problem, KAN)
    ]
    text = (
        "a KAN of the paper's best shape is at or below the paper's error"
        if kind == "best"
        else "a KAN of the paper's smallest shape has a test error below 1e-2"
    )
    return [
        Claim(
            text,
            "all rows",
            f"{len(reached)} of {n} rows"
            + (f", not {', '.join(lacking)}" if lacking and len(lacking) <= 8 else ""),
            bar.word,
            f"medians over seeds; {BOXES}; rows, {bar.text}",
        )
    ]


def smaller_than_human_claim(records: Sequence[Record], problems: Sequence[Problem]) -> list[Claim]:
    """Return the row on whether shapes found by pruning have fewer edges than the shapes that people construct; none without pruned networks."""
    smaller = _count(records, problems, lambda found, human: found < human)
    if not smaller[1]:
        return []
    equal = _count(records, problems, lambda found, human: found == human)[0]
    count, n = smaller
    bar = Bar(count, math.ceil(HALF * n), 1.0)
    return [
        Claim(
            "shapes that are found automatically are mostly smaller than those that people construct",
            "mostly smaller",
            f"in {count} of {n} rows; of equal size in {equal}",
            bar.word,
            f"smaller: in most seeds the network pruned from width 5 has fewer edges than the paper's human-constructed shape, and a test error "
            f"below {SMALL_ENOUGH:g}; pruning keeps the two layers that it begins with; {BOXES}; rows, {bar.text}",
        )
    ]


def _count(
    records: Sequence[Record],
    problems: Sequence[Problem],
    holds: Callable[[int, int], bool],
) -> tuple[int, int]:
    """Return in how many rows `holds` is true of the edges of pruned and human shape in most seeds, and the number of rows with pruned networks."""
    count, n = 0, 0
    for problem in problems:
        runs = of_function(records, problem, PRUNED)
        human = n_edges(problem.shapes["human"])
        good = [
            record["results"]["test"] < SMALL_ENOUGH
            and holds(n_edges(record["results"]["widths"]), human)
            for record in runs
        ]
        n += bool(runs)
        count += bool(runs) and 2 * sum(good) > len(runs)
    return count, n
