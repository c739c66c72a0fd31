"""The statements of appendix C of the paper about Fig. C.1, compared with the records of `fig_c_1_hyperparameters`."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from figures.formulas.hyperparameters import (
    BASE,
    DEGREE,
    ENTROPY,
    ENTROPY_AT_TENTH,
    GRID,
    WEIGHT,
    active_edges,
    active_nodes,
    base_runs,
    runs_of,
)
from figures.machine.machine import Claim, Record
from figures.machine.summary import Bar, all_bar, spread

Runs = dict[float, list[Record]]
LESS = 1.0  # medians that differ by less than one edge, or one node, count as equal


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return one row for each part of the figure, for the entropy one for each weight of the
    penalty. Rows without records are left out.
    """
    rows = []
    for row in (ENTROPY, ENTROPY_AT_TENTH):
        runs = runs_of(records, row)
        if len(runs) > 1 and 0.0 in runs:
            rows.append(_entropy_claim(runs, row.penalty_weight))
    if len(base_runs(records)) > 1:
        rows.append(_seed_claim(base_runs(records)))
    for row, make in ((WEIGHT, _weight_claim), (GRID, _grid_claim), (DEGREE, _degree_claim)):
        runs = runs_of(records, row)
        if len(runs) > 1 and (row is WEIGHT or BASE[row.name] in runs):
            rows.append(make(runs))
    return rows


def _edges(runs: Sequence[Record]) -> list[int]:
    return [active_edges(record) for record in runs]


def _nodes(runs: Sequence[Record]) -> list[int]:
    return [active_nodes(record) for record in runs]


def _counts(name: str, runs: Runs) -> str:
    return "active edges at " + "; ".join(
        f"{name} = {value:g}: {spread(_edges(some), 'g')}" for value, some in runs.items()
    )


def _evidence(runs: Runs) -> str:
    """Return seeds, hidden nodes and errors of each value as text."""
    seeds = sorted({len(some) for some in runs.values()})
    nodes = ", ".join(f"{np.median(_nodes(some)):g}" for some in runs.values())
    alone = ", ".join(str(_nodes(some).count(1)) for some in runs.values())
    errors = ", ".join(
        f"{np.median([_relative(record) for record in some]):.2g}" for some in runs.values()
    )
    return (
        f"{' to '.join(map(str, seeds))} seeds a value, median and range; hidden nodes (2.21) {nodes} at the median, just one in {alone} "
        f"seeds; test RMSE / std {errors}"
    )


def _relative(record: Record) -> float:
    return float(record["results"]["test_rmse"] / record["results"]["spread"])


def _entropy_claim(runs: Runs, weight: float) -> Claim:
    without, rest = runs[0.0], [some for value, some in runs.items() if value]
    good = [
        np.median(count(without)) - np.median(count(some)) >= LESS
        for some in rest
        for count in (_edges, _nodes)
    ]
    bar = all_bar([bool(one) for one in good])
    return Claim(
        f"a: the entropy is needed, L1 alone leaves duplicates (lambda = {weight:g})",
        "more than 3 active edges without it",
        _counts("mu_2", runs),
        bar.word,
        f"{_evidence(runs)}; edges and hidden nodes fewer with it at each mu_2, comparisons {bar.text}",
    )


def _seed_claim(some: Sequence[Record]) -> Claim:
    edges = _edges(some)
    errors, bar = [_relative(record) for record in some], Bar(len(set(edges)), 2.0)
    return Claim(
        "b: the seed matters",
        "other networks with other seeds",
        f"{len(set(edges))} different counts of active edges in {len(some)} seeds: {spread(edges, 'g')}",
        bar.word,
        f"hidden nodes (2.21) {spread(_nodes(some), 'g')}; test RMSE / std {spread(errors, '.2g')}; counts, {bar.text}",
    )


def _weight_claim(runs: Runs) -> Claim:
    medians = [float(np.median(_edges(runs[value]))) for value in sorted(runs)]
    bar = all_bar([before > after for before, after in pairwise(medians)])
    return Claim(
        "c: lambda controls the sparsity",
        "fewer active edges with a larger lambda",
        _counts("lambda", runs),
        bar.word,
        f"{_evidence(runs)}; steps from one lambda to the next where the median falls, {bar.text}",
    )


def _grid_claim(runs: Runs) -> Claim:
    coarse, usual, fine = runs[min(runs)], runs[BASE["n_intervals"]], runs[max(runs)]
    good = [
        np.median(count(coarse)) - np.median(count(some)) >= LESS
        for some in (usual, fine)
        for count in (_edges, _nodes)
    ]
    bar = all_bar([bool(one) for one in good])
    return Claim(
        "d: a coarse grid leaves many activations, which act together",
        "more active edges at small G",
        _counts("G", runs),
        bar.word,
        f"{_evidence(runs)}; edges and hidden nodes more at the coarsest than at G = {BASE['n_intervals']} and at the finest, comparisons {bar.text}",
    )


def _degree_claim(runs: Runs) -> Claim:
    medians = [float(np.median(_edges(some))) for some in runs.values()]
    base = _edges(runs[BASE["degree"]])
    between, within = max(medians) - min(medians), max(base) - min(base)
    bar = Bar(between, within - 0.5, most=True)  # less than within: medians are halves
    return Claim(
        "e: the degree has a subtle effect, like another seed",
        "no trend",
        _counts("k", runs),
        bar.word,
        f"{_evidence(runs)}; medians differ by {between:g}, seeds at k = {BASE['degree']} by {within:g}; difference of medians, {bar.text}",
    )
