"""Patterns of failures: the outputs that known defects make wrong, compared with those of a run.

`patterns.json` holds what injected defects do to a correct implementation, several for each flag:
the wrong outputs of every case, and the share of the flag's marks that the answers have. A run
agrees with a pattern method by method, in the share of cases that fail in both among those that
fail in one (C32). A failure that raises has no numbers: it agrees with every wrong output.

    (C32)  S = sum_M w_M |F_M and P_M| / |F_M or P_M| / sum_M w_M

F_M are the failed cases of method M, P_M those of the pattern. w_M is 1, or less for a method whose
failures all follow one of a more basic topic, and for one that does not fail in the run, because
an implementation may compute the same formula at two places.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from kan_ref.conformance.cases import HOME, Case, load_topics
from kan_ref.conformance.judge import Outcome

FILE = HOME / "patterns.json"
SMALL = 3e-5  # relative errors below it have causes of their own: precision, tolerances
FOLLOWS, RIGHT = 0.4, 0.02  # weights of a method with blocked failures alone, and of one without
OWN = 0.5  # factor of a pattern whose most basic method passes all its cases
ORIGIN = 0.95  # factor of a flag whose most basic method, in any pattern, does so
MARKS = 0.3  # largest part of the agreement that absent marks take away, or raised exceptions

# flags that name a wrong formula of arrays in the right shapes: such a formula raises nothing
FORMULAS = frozenset(
    (
        *("MissingWSpline", "WSplineTwice", "MissingWBase", "MissingBase", "BaseScaled"),
        *(
            "KnotStep",
            "MeanOverInputs",
            "SumAxis",
            "MissingMask",
            "TransposedMask",
            "SiluForm",
            "SiluSlope",
        ),
        *("DCoefWithoutWSpline", "DWSplineWithoutCoef", "DxWithoutBase", "DxWithoutSpline"),
        *("UnmaskedGradient", "MeanOverBatch", "OneSampleOnly", "DyIgnored", "DerivativeFactor"),
        *("HessianSlopes", "HessianCurves", "ScalerTwice", "OneOutput"),
        *("PruneRule", "PruneEither", "PruneOneSided", "PruneThreshold", "PruneEquality"),
        *("PruneEdges", "NodeScoreMax", "NodeScoreSides"),
        *("L1Mean", "L1Deviation", "L1WithoutBase", "EntropyBase", "EntropyShares"),
        *("PenaltyInputs", "AdamBias", "AdamEpsilon", "AdamMoments", "AdamRoot", "StepSign"),
    )
)


@dataclass(frozen=True)
class Pattern:
    """An injected defect: case -> its wrong outputs, and the share of its flag's marks seen."""

    flag: str
    change: str
    wrong: Mapping[str, frozenset[str]]
    marked: float


@dataclass(frozen=True)
class Agreement:
    """How well a flag explains the failures of a run, and the cases that its patterns fail."""

    score: float
    cases: frozenset[str]


@cache
def load_patterns() -> tuple[Pattern, ...]:
    """Return the patterns of the file."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    by_id = {case.id: case for topic in load_topics() for case in topic.cases}
    places = [(name, output) for name in document["cases"] for output in by_id[name].expected]
    return tuple(_pattern(entry, places) for entry in document["patterns"])


def _pattern(entry: Mapping[str, str], places: Sequence[tuple[str, str]]) -> Pattern:
    bits = bin(int(entry["wrong"], 16))[:1:-1]
    wrong: dict[str, set[str]] = defaultdict(set)
    for place, bit in zip(places, bits, strict=False):
        if bit == "1":
            wrong[place[0]].add(place[1])
    found = {case: frozenset(outputs) for case, outputs in wrong.items()}
    return Pattern(entry["flag"], entry["change"], found, float(entry["marked"]))


def counted(case: Case) -> bool:
    """Return whether patterns have a case: required, and called once."""
    return case.kind == "required" and not case.call


def wrong_outputs(outcome: Outcome) -> frozenset[str]:
    """Return the wrong outputs of a failure; all of them where there are no numbers."""
    verdict = outcome.verdict
    if verdict.kind == "values" and verdict.relative < SMALL:
        return frozenset()
    return frozenset(verdict.outputs or outcome.case.expected)


def agreements(judged: Iterable[Outcome]) -> dict[str, Agreement]:
    """Return flag -> agreement of its best pattern with a run, the best flag first.

    Parameters
    ----------
    judged : outcomes that have passed or failed, in one run
    """
    asked: dict[str, set[str]] = defaultdict(set)
    failed: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for outcome in judged:
        case = outcome.case
        if counted(case):
            asked[case.method].add(case.id)
            if outcome.status != "passed" and wrong_outputs(outcome):
                failed[case.method][case.id] = outcome
    levels = _levels()
    all_failed = [outcome for members in failed.values() for outcome in members.values()]
    if not all_failed:
        return {}
    raised = sum(one.verdict.kind != "values" for one in all_failed) / len(all_failed)
    seen = _share_of_marks(all_failed)
    found: dict[str, Agreement] = {}
    ids_failed = [outcome.case.id for outcome in all_failed]
    for pattern in load_patterns():
        if pattern.wrong.keys().isdisjoint(ids_failed):  # the score is 0
            if pattern.flag not in found:
                found[pattern.flag] = Agreement(0.0, frozenset(pattern.wrong))
            continue
        score = _overlap(pattern, asked, failed)
        affected = {m: {*ids} & pattern.wrong.keys() for m, ids in asked.items()}
        ways = {m: min(levels[one] for one in ids) for m, ids in affected.items() if ids}
        if ways and not failed[min(ways, key=ways.__getitem__)]:
            score *= OWN
        if not failed[_origin(pattern.flag)] and asked[_origin(pattern.flag)]:
            score *= ORIGIN
        score *= 1.0 - MARKS * max(0.0, pattern.marked - seen.get(pattern.flag, 0.0))
        if pattern.flag in FORMULAS:
            score *= 1.0 - MARKS * raised
        best = found.get(pattern.flag)
        if best is None or score > best.score:
            found[pattern.flag] = Agreement(score, frozenset(pattern.wrong))
    return dict(sorted(found.items(), key=lambda item: -item[1].score))


@cache
def covered(flag: str) -> frozenset[str]:
    """Return the cases that any pattern of a flag fails."""
    return frozenset(
        case for pattern in load_patterns() if pattern.flag == flag for case in pattern.wrong
    )


@cache
def _levels() -> dict[str, int]:
    return {case.id: topic.level for topic in load_topics() for case in topic.cases}


@cache
def _origin(flag: str) -> str:
    """Return the most basic method that any pattern of a flag fails."""
    methods = {case.id: case.method for topic in load_topics() for case in topic.cases}
    return methods[min(covered(flag), key=lambda case: (_levels()[case], case))]


def _overlap(
    pattern: Pattern,
    asked: Mapping[str, Collection[str]],
    failed: Mapping[str, Mapping[str, Outcome]],
) -> float:
    above, below = 0.0, 0.0
    for method, ids in asked.items():
        expected = pattern.wrong.keys() & ids
        members = failed.get(method, {})
        if not members:
            below += RIGHT * bool(expected)
            continue
        weight = FOLLOWS if all(one.status == "blocked" for one in members.values()) else 1.0
        both = sum(_alike(pattern.wrong[one], members[one]) for one in expected & members.keys())
        above += weight * both / len(expected | members.keys())
        below += weight
    return above / below if below else 0.0


def _alike(expected: frozenset[str], outcome: Outcome) -> float:
    if outcome.verdict.kind != "values":
        return 1.0
    wrong = wrong_outputs(outcome)
    return len(expected & wrong) / len(expected | wrong)


def _share_of_marks(failed: Iterable[Outcome]) -> dict[str, float]:
    """Return flag -> share of its marks in wrong outputs that the answers have."""
    n_marks: dict[str, int] = defaultdict(int)
    n_seen: dict[str, int] = defaultdict(int)
    for outcome in failed:
        verdict = outcome.verdict
        if verdict.kind != "values" or not verdict.finite:
            continue
        for mark in outcome.case.marks:
            if mark.output in verdict.outputs:
                n_marks[mark.flag] += 1
                n_seen[mark.flag] += mark.flag in verdict.defects
    return {flag: n_seen[flag] / n for flag, n in n_marks.items()}


def share_of_marks(flag: str, outcomes: Iterable[Outcome]) -> float:
    """Return the share of a flag's marks that failures have; 0 with fewer than three marks."""
    failed = [one for one in outcomes if one.status in ("failed", "blocked")]
    n = sum(mark.flag == flag for one in failed for mark in one.case.marks)
    return _share_of_marks(failed).get(flag, 0.0) if n > 2 else 0.0
