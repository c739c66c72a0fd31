"""Rows of the table of claims for Tables 1 and 2 under one rule: the paper's errors, and KANs against MLPs of equal size.

The bars were set before the run. Several seeds count by their medians.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from figures.machine.machine import Bar, Claim, Record, shape_name, spread
from figures.tables.budget_rule import SAME_SIZE, SIZES
from figures.tables.problem import Problem
from figures.tables.shape_claims import HALF, NEARLY_ALL
from figures.tables.table_method import KAN, MLP
from figures.tables.table_summary import BOXES, of_function


def chosen(records: Sequence[Record], problem: Problem, model: str) -> list[dict[str, Any]]:
    """Return for each seed the network of the size with the smallest error on the held-out points."""
    return [
        record["results"]["sizes"][record["results"]["chosen"]]
        for record in of_function(records, problem, model)
    ]


def chosen_errors(records: Sequence[Record], problem: Problem, model: str) -> list[float]:
    """Return the test errors of the chosen networks."""
    return [float(one["test"]) for one in chosen(records, problem, model)]


def error_at(records: Sequence[Record], problem: Problem, model: str, size: int) -> float | None:
    """Return the median over seeds of the test error at a size; None without a network."""
    errors = [
        float(one["test"])
        for record in of_function(records, problem, model)
        for one in record["results"]["sizes"]
        if one["size"] == size
    ]
    return float(np.median(errors)) if errors else None


def mlp_to_kan(records: Sequence[Record], problem: Problem, size: int) -> float | None:
    """Return the MLP's error at a size in units of the KAN's; None where one of them is missing."""
    kan, mlp = (error_at(records, problem, model, size) for model in (KAN, MLP))
    return None if kan is None or mlp is None else mlp / kan


def budget_claims(
    records: Sequence[Record], problems: Sequence[Problem], *, yes: int, partly: int
) -> list[Claim]:
    """Return the rows of a table: a head for the paper's KANs, MLPs in equal time, MLPs of equal size, and one row for each function."""
    run = [problem for problem in problems if of_function(records, problem, KAN)]
    if not run:
        return []
    return [
        _head(records, problems, run, yes, partly),
        *_equal_time(records, run),
        *(claim for size in SIZES for claim in _equal_size(records, run, size)),
        *(_row(records, problem) for problem in run),
    ]


def _median(records: Sequence[Record], problem: Problem, model: str) -> float:
    return float(np.median(chosen_errors(records, problem, model)))


def _conditions(records: Sequence[Record]) -> str:
    seconds = float(np.median([record["config"]["seconds"] for record in records]))
    n_seeds = len({record["seed"] for record in records})
    return (
        f"{n_seeds} seed{'s' if n_seeds > 1 else ''}, the same 1000 points for KAN and MLP; Levenberg-Marquardt, {seconds:g} CPU s of search for "
        f"each; everything chosen on held-out points; {BOXES}"
    )


def _head(
    records: Sequence[Record],
    problems: Sequence[Problem],
    run: Sequence[Problem],
    yes: int,
    partly: int,
) -> Claim:
    reached = [one for one in run if _median(records, one, KAN) <= one.best_kan]
    mlps = [one for one in run if of_function(records, one, MLP)]
    mlps_reach = sum(_median(records, one, MLP) <= one.best_kan for one in mlps)
    lacking = ", ".join(one.name for one in run if one not in reached)
    bar = Bar(len(reached), yes, partly)
    return Claim(
        "one rule: our KAN is at or below the paper's best KAN",
        f"at least {yes} of {len(problems)} rows are aimed at",
        f"{len(reached)} of {len(run)} rows"
        + (f", not {lacking}" if lacking else "")
        + f"; our MLP, by the same rule, is at or below the paper's best KAN on {mlps_reach} of {len(mlps)}"
        + ("" if len(run) == len(problems) else f"; {len(problems) - len(run)} rows not run"),
        bar.word,
        f"{_conditions(records)}; rows, {bar.text}",
    )


def _verdict_on(won: Sequence[bool]) -> Bar:
    n = len(won)
    return Bar(sum(won), math.ceil(NEARLY_ALL * n), math.ceil(HALF * n))


def _names(problems: Sequence[Problem], won: Sequence[bool]) -> str:
    lost = [one.name for one, good in zip(problems, won, strict=True) if not good]
    return f"the MLP in {len(lost)}" + (f": {', '.join(lost)}" if lost else "")


def _equal_time(records: Sequence[Record], run: Sequence[Problem]) -> list[Claim]:
    both = [one for one in run if of_function(records, one, MLP)]
    if not both:
        return []
    ratios = [_median(records, one, MLP) / _median(records, one, KAN) for one in both]
    won = [ratio > 1.0 for ratio in ratios]
    bar = _verdict_on(won)
    return [
        Claim(
            "one rule: the KAN has a smaller test error than the MLP in equal CPU time",
            "not tried",
            f"the KAN in {sum(won)} of {len(both)} rows, {_names(both, won)}; MLP / KAN "
            f"{spread(ratios, '.2g')}",
            bar.word,
            f"{_conditions(records)}; sizes of {SIZES[0]} to {SIZES[-1]} parameters; rows, {bar.text}",
        )
    ]


def _equal_size(records: Sequence[Record], run: Sequence[Problem], size: int) -> list[Claim]:
    ratios = [mlp_to_kan(records, one, size) for one in run]
    both = [one for one, ratio in zip(run, ratios, strict=True) if ratio is not None]
    known = [ratio for ratio in ratios if ratio is not None]
    if not both:
        return []
    won = [ratio > 1.0 for ratio in known]
    bar = _verdict_on(won)
    without = len(run) - len(both)
    return [
        Claim(
            f"one rule: at {size} parameters the KAN has a smaller test error than the MLP",
            "KANs below MLPs in all panels of Figs. 3.2 and D.1",
            f"the KAN in {sum(won)} of {len(both)} rows, {_names(both, won)}; MLP / KAN "
            f"{spread(known, '.2g')}" + (f"; no KAN of that size in {without}" if without else ""),
            bar.word,
            f"numbers of parameters within {100 * SAME_SIZE:.0f} % of each other, and the same CPU time for this size; KANs go on from the size "
            f"below, MLPs of every size begin anew; {_conditions(records)}; "
            f"rows, {bar.text}",
        )
    ]


def _row(records: Sequence[Record], problem: Problem) -> Claim:
    kans, mlps = (chosen(records, problem, model) for model in (KAN, MLP))
    ours = chosen_errors(records, problem, KAN)
    median = float(np.median(ours))
    least, most = sorted((problem.best_kan, problem.paper["MLP"]))
    judged = Bar(median, problem.best_kan, most if most > least else None, most=True, form=".2e")
    reported = ", ".join(f"{model} {error:.2e}" for model, error in problem.paper.items())
    scale = float(of_function(records, problem, KAN)[0]["results"]["spread"])
    baseline = (
        f"; MLP {spread(chosen_errors(records, problem, MLP), '.2e')}, {_shapes(mlps)}"
        if mlps
        else ""
    )
    searches = "; ".join(
        f"{model} {sum(one['n_starts'] for one in first['results']['sizes'])} starts in {first['results']['seconds']:.0f} CPU s"
        for model in (KAN, MLP)
        for first in of_function(records, problem, model)[:1]
    )
    conflict = f"; another copy of the text: {problem.conflict}" if problem.conflict else ""
    return Claim(
        f"{problem.name}, {problem.plain}, one rule: test RMSE",
        reported,
        f"KAN {spread(ours, '.2e')}, {median / scale:.1e} of std(y), {_shapes(kans)}{baseline}",
        judged.word,
        f"{searches}; {BOXES}; median {judged.text}{conflict}",
    )


def _shapes(found: Sequence[dict[str, Any]]) -> str:
    texts = []
    for one in found:
        kind = (
            f"degree {one['degree']}, G = {one['n_intervals']}"
            if one["degree"]
            else one["activation"]
        )
        texts.append(f"{shape_name(one['widths'])} {kind}, {one['n_params']} parameters")
    return " or ".join(dict.fromkeys(texts))
