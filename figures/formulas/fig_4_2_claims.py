"""The statements of section 4.2 of the paper about Fig. 4.2, compared with the records of `fig_4_2_unsupervised`."""

import math
from collections.abc import Sequence

import numpy as np

from figures.formulas.two_relations import (
    FIRST,
    LEAST_ACCURACY,
    LEAST_SHARE,
    MIXED,
    NONE,
    SECOND,
    Group,
    runs_of,
    shares,
)
from figures.machine.machine import Claim, Record
from figures.machine.summary import Bar, spread

PAPER = {FIRST: "found by seed 0", SECOND: "found by seed 2024"}
INDEPENDENT = 5  # x6


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return a row for each relation, and one for the variable that is in none."""
    return [
        _relation_claim(records, FIRST),
        _relation_claim(records, SECOND),
        _independent_claim(records),
    ]


def _relation_claim(records: Sequence[Record], group: Group) -> Claim:
    runs = runs_of(records, group)
    accuracy = [100.0 * float(record["results"]["accuracy"]) for record in runs]
    examples = (
        f"; these tell {spread(accuracy, '.1f')} % of real and shuffled test points apart"
        if runs
        else ""
    )
    others = f"{len(runs_of(records, MIXED))} mix both relations, {len(runs_of(records, NONE))} find none"
    bar = Bar(len(runs), math.ceil(0.5 * len(records)), 1.0)
    return Claim(
        f"training without supervision finds the relation of {_plain(group)}",
        PAPER[group],
        f"by {len(runs)} of {len(records)} seeds{examples}",
        bar.word,
        f"{len(records)} seeds; an input counts above {LEAST_SHARE:g} of the largest score, a relation from "
        f"{100 * LEAST_ACCURACY:.0f} % right answers on; {others}; seeds that find it, {bar.text}",
    )


def _plain(group: Group) -> str:
    return "(" + ", ".join(f"x{place + 1}" for place in group.inputs or ()) + ")"


def _independent_claim(records: Sequence[Record]) -> Claim:
    runs = [record for group in (FIRST, SECOND, MIXED) for record in runs_of(records, group)]
    parts = [float(shares(record)[INDEPENDENT]) for record in runs]
    n_in = int(np.sum(np.array(parts) > LEAST_SHARE))
    bar = Bar(n_in, 0.0, most=True)
    return Claim(
        "x6, which depends on nothing, is in no relation",
        "not in the two that are shown",
        f"in {n_in} of {len(runs)} relations"
        + (f"; score at most {max(parts):.1g} of the largest" if runs else ""),
        bar.word if runs else "no",
        f"{len(runs)} seeds that find something; relations with it, {bar.text}",
    )
