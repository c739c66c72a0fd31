"""The statements of section 4.3 of the paper about Fig. 4.4, compared with the records of `relations`."""

from collections.abc import Sequence

import numpy as np

from figures.knots.relations import (
    LEAST_ACCURACY,
    LEAST_SHARE,
    SEARCHES,
    inputs_of,
    relation_of,
)
from figures.machine.machine import Claim, Record
from figures.machine.summary import Bar, spread

PLACE = {"c": 0, "b": 1, "a": 2}  # the search for a relation: what hides it is removed
WHAT = {
    "a": "(a) signature, mu_r, lambda",
    "b": "(b) V = lambda mu_i / 2",
    "c": "(c) r = g_r / 2",
}
PAPER = {
    "a": "one of three clusters of 200 networks, with two more variables",
    "b": "one of three clusters of 200 networks",
    "c": "one of three clusters of 200 networks",
}
ENOUGH, SOME = 0.8, 0.5  # of the seeds


def claims(records: Sequence[Record]) -> list[Claim]:
    """Return a row for each relation, and one for the logarithms of (b)."""
    rows = [_relation_claim(records, relation) for relation in ("a", "b", "c")]
    if any(record["results"]["logarithms"] for record in records):
        rows.append(_logarithm_claim(records))
    return rows


def found(records: Sequence[Record], search: int) -> list[str]:
    """Return the relation that a search finds in each record, "another" and "none" among them."""
    return [relation_of(record["results"]["searches"][search]) for record in records]


def _relation_claim(records: Sequence[Record], relation: str) -> Claim:
    n, place = len(records), PLACE[relation]
    counts = [found(records, search).count(relation) for search in range(len(SEARCHES))]
    bar = Bar(counts[place], ENOUGH * n, SOME * n)
    searches = [record["results"]["searches"][place] for record in records]
    right = [100.0 * one["accuracy"] for one in searches if relation_of(one) == relation]
    examples = (
        f"; these tell {spread(right, '.1f')} % of real and shuffled test knots apart"
        if right
        else ""
    )
    if relation == "a" and right:
        with_longitude = sum(
            "longitude" in inputs_of(one) for one in searches if relation_of(one) == relation
        )
        examples += f"; lambda is in {with_longitude} of them"
    others = ", ".join(f"{count} {name}" for name, count in zip(SEARCHES, counts, strict=True))
    note = {
        "a": "signature and mu_r with any others",
        "b": "these three variables alone",
        "c": "these two variables alone; true by construction, because r is computed from g_r",
    }[relation]
    return Claim(
        f"training without supervision finds {WHAT[relation]}",
        PAPER[relation],
        f"by {counts[place]} of {n} seeds, searching {SEARCHES[place]}{examples}",
        bar.word,
        f"{n} seeds; {note}; a variable counts above {LEAST_SHARE:g} of the largest score, a relation from {100 * LEAST_ACCURACY:.0f} % right answers on; "
        f"seeds by search: {others}; seeds, {bar.text}",
    )


def _logarithm_claim(records: Sequence[Record]) -> Claim:
    logs = [logs for record in records if (logs := record["results"]["logarithms"])]
    factors = {
        name: [-float(one["factors"][name]) for one in logs]
        for name in ("longitude", "meridian_im")
    }
    off = [
        100.0 * max(abs(factors[name][place] - 1.0) for name in factors)
        for place in range(len(logs))
    ]
    bar = Bar(float(np.median(off)), 2.0, 10.0, most=True, form=".2f")
    return Claim(
        "(b) is a product: log V = p log lambda + q log mu_i + const with p = q = 1",
        "curves like logarithms",
        f"p = {spread(factors['longitude'], '.3f')}, q = {spread(factors['meridian_im'], '.3f')}",
        bar.word,
        f"{len(logs)} of {len(records)} seeds, those that find (b); curves c log(a x + b) + d, all trained; "
        f"percent by which p or q is off, {bar.text}",
    )
