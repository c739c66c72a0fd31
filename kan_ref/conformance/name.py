"""What a report says of failures: facts that were seen, and the known defects that they resemble.

A fact needs no catalogue: an exception, a wrong shape, numbers that are not finite, errors as small
as rounding, and what the cases of `side_effects` show of a call. Facts of a kind are grouped by
their message.

A defect of the catalogue is named by its pattern. `patterns.json` holds what injected defects do to
a correct implementation, several for each flag: the wrong outputs of every case, and the share of
the flag's marks that the answers have. A run agrees with a pattern method by method, in the share
of cases that fail in both among those that fail in one:

    (C32)  S = sum_M w_M |F_M and P_M| / |F_M or P_M| / sum_M w_M

F_M are the failed cases of method M, P_M those of the pattern. w_M is 1; it is 0 for a method whose
failures all follow one of a more basic topic, and small for one that does not fail in the run,
because an implementation may compute the same formula at two places. A failure with numbers agrees
only in the outputs that are wrong in both; one without numbers agrees in all. S is lower if the
most basic method of the pattern passes, if the marks of the flag are absent, and if failures are
exceptions where the flag names a formula.

A library can have several defects. So the best pattern is named, its cases are taken out, and the
search goes on while S is at least 0.6 and more than one in twenty of the failures is left. If no
pattern agrees, the flag is named whose marks most answers have, or else that most failed cases test
first, with S = 0.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from kan_ref.conformance.cases import HOME, Case, load_topics
from kan_ref.conformance.judge import BAD, Outcome

FILE = HOME / "patterns.json"
FACT, RESEMBLES, NOT_NAMED = "fact", "resembles", "not named"
FACTS = {
    "Raises": "the method raises an exception, or reports an error",
    "NoAnswer": "the method hangs or ends the program",
    "NotAsked": "the case was not run, since its method had hung or ended the program before",
    "Unreadable": "the answer does not have the form that the method needs",
    "Shape": "an array has another shape than the method needs",
    "NotFinite": "numbers are nan or infinite where the right ones are finite",
    "SmallError": "the numbers are right but for a small error",
    "NotNamed": "the failures are no facts, and resemble no known defect",
}
_BY_KIND = {
    "raises": "Raises",
    "no answer": "NoAnswer",
    "not asked": "NotAsked",
    "unreadable": "Unreadable",
    "form": "Unreadable",
    "shape": "Shape",
    "not finite": "NotFinite",
}
_WITH_KNOTS = ("uniform_knots", "initial_layer")  # whose answers hold the knots of a fresh grid
SMALL = 3e-5  # relative errors below it have causes of their own: precision, tolerances
RIGHT = 0.02  # weight of a method that does not fail in the run
OWN = 0.5  # factor of a pattern whose most basic method passes all its cases
MARKS = 0.3  # largest part of the agreement that absent marks take away, or raised exceptions
TIE = 0.01  # marks decide between agreements that are nearly equal
LEAST = 0.2  # agreement below which no pattern agrees
AGREES, REST = 0.6, 0.05  # least agreement of a further defect, and least share that is left for it

# flags that name a wrong formula of arrays in the right shapes: such a formula raises nothing
FORMULAS = (
    *("MissingWSpline", "WSplineTwice", "MissingWBase", "MissingBase", "BaseScaled"),
    *("KnotStep", "MeanOverInputs", "SumAxis", "MissingMask", "TransposedMask", "SiluForm"),
    *("SiluSlope", "DCoefWithoutWSpline", "DWSplineWithoutCoef", "DxWithoutBase"),
    *("DxWithoutSpline", "UnmaskedGradient", "MeanOverBatch", "OneSampleOnly", "DyIgnored"),
    *("DerivativeFactor", "HessianSlopes", "HessianCurves", "ScalerTwice", "OneOutput"),
    *("PruneRule", "PruneEither", "PruneOneSided", "PruneThreshold", "PruneEquality"),
    *("PruneEdges", "NodeScoreMax", "NodeScoreSides", "L1Mean", "L1Deviation"),
    *("L1WithoutBase", "EntropyBase", "EntropyShares", "PenaltyInputs", "AdamBias"),
    *("AdamEpsilon", "AdamMoments", "AdamRoot", "StepSign"),
)
_Cases = Mapping[str, Mapping[str, Outcome]]  # method -> case id -> outcome


@dataclass(frozen=True)
class Finding:
    """A fact or a flag with the failed and blocked cases that show it.

    `kind` is "fact", "resembles" or "not named". `agreement` is S of a flag that failures resemble.
    """

    name: str
    kind: str
    cases: tuple[str, ...]
    detail: str = ""
    agreement: float | None = None


@dataclass(frozen=True)
class Pattern:
    """An injected defect: method -> case -> wrong outputs, and the share of its flag's marks."""

    flag: str
    change: str
    wrong: Mapping[str, Mapping[str, frozenset[str]]]
    marked: float


def findings(outcomes: Sequence[Outcome]) -> list[Finding]:
    """Return what is said of the failed and blocked cases of a run: first facts of usual calls.

    What unusual calls show, such as a nan in x, comes last: a defect of usual calls changes it too.
    """
    bad = [one for one in outcomes if one.status in BAD]
    found = [
        *_facts([one for one in bad if not one.case.call]),
        *_resembled(outcomes),
        *_facts([one for one in bad if one.case.call]),
    ]
    said = {case for one in found for case in one.cases}
    rest = tuple(one.case.id for one in bad if one.case.id not in said)
    return [*found, Finding("NotNamed", NOT_NAMED, rest)] if rest else found


# --- facts


def _facts(bad: Sequence[Outcome]) -> list[Finding]:
    small = [one for one in bad if one.verdict.relative < SMALL]
    n_small = Counter(one.case.method for one in small)
    n_single = Counter(one.case.method for one in small if one.verdict.single)
    groups: dict[tuple[str, ...], list[Outcome]] = defaultdict(list)
    for one in bad:
        kind, method, message = one.verdict.kind, one.case.method, one.verdict.message
        if kind in ("shape", "not asked"):
            groups[_BY_KIND[kind], method].append(one)
        elif kind == "not finite":
            groups[_BY_KIND[kind], ""].append(one)
        elif kind in _BY_KIND:
            groups[_BY_KIND[kind], re.sub(r"0x[0-9a-fA-F]+|\d+", "#", message)].append(one)
        elif one.case.call:
            groups[one.case.flags[0], ""].append(one)
        elif one.verdict.relative < SMALL and 2 * n_single[method] > n_small[method]:
            groups["KnotPrecision" if method in _WITH_KNOTS else "Float32Inside", ""].append(one)
        elif one.verdict.relative < SMALL:
            groups["SmallError", ""].append(one)
    made = [
        Finding(name, FACT, tuple(one.case.id for one in members), _detail(name, members))
        for (name, _), members in groups.items()
    ]
    return sorted(made, key=lambda one: -len(one.cases))


def _detail(name: str, members: Sequence[Outcome]) -> str:
    if name == "SmallError":
        worst = max(one.verdict.relative for one in members)
        return f"errors of at most {worst:.2g} of the largest number"
    return members[0].verdict.message if name in FACTS else ""


# --- known defects


def counted(case: Case) -> bool:
    """Return whether patterns have a case: required, and called once."""
    return case.kind == "required" and not case.call


def wrong_outputs(outcome: Outcome) -> frozenset[str]:
    """Return the wrong outputs of a failure; all of them where there are no numbers."""
    if outcome.verdict.relative < SMALL:
        return frozenset()
    return frozenset(outcome.verdict.outputs or outcome.case.expected)


def share_of_marks(flag: str, failed: Iterable[Outcome]) -> float:
    """Return the share of a flag's marks in wrong outputs that the answers have, or 0."""
    seen = [
        flag in one.verdict.marks
        for one in failed
        for mark in one.case.marks
        if mark.flag == flag and mark.output in one.verdict.outputs and one.verdict.kind == "values"
    ]
    return sum(seen) / max(1, len(seen))


@cache
def load_patterns() -> tuple[Pattern, ...]:
    """Return the patterns of the file: bits of outputs, the first one of the first case lowest."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    by_id = {case.id: case for topic in load_topics() for case in topic.cases}
    cases = [by_id[name] for name in document["cases"]]
    places = [(case, output) for case in cases for output in case.expected]
    found = []
    for entry in document["patterns"]:
        wrong: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        bits = bin(int(entry["wrong"], 16))[:1:-1]
        for (case, output), bit in zip(places, bits, strict=False):
            if bit == "1":
                others = wrong[case.method].get(case.id, frozenset())
                wrong[case.method][case.id] = others | {output}
        found.append(Pattern(entry["flag"], entry["change"], wrong, entry["marked"]))
    return tuple(found)


def _resembled(outcomes: Sequence[Outcome]) -> list[Finding]:
    """Return the flags whose patterns agree with the failures of a run, in a greedy cover."""
    asked: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for one in outcomes:
        small = one.status in BAD and not wrong_outputs(one)
        if counted(one.case) and one.status in ("passed", *BAD) and not small:
            asked[one.case.method][one.case.id] = one
    found: list[Finding] = []
    left = 0.0  # number of failures that may stay without a name
    while failed := [o for some in asked.values() for o in some.values() if o.status in BAD]:
        left = left or REST * len(failed)
        flag, (score, cases) = next(iter(agreements(asked).items()))
        if found and (score < AGREES or len(failed) <= left):
            break
        if score < LEAST:
            score, seen = 0.0, any(one.verdict.marks for one in failed)
            shown = {o.case.id: o.verdict.marks if seen else o.case.flags[:1] for o in failed}
            flag = Counter(flag for flags in shown.values() for flag in flags).most_common(1)[0][0]
            cases = {case for case, flags in shown.items() if flag in flags}
        mine = tuple(one.case.id for one in failed if one.case.id in cases)
        found.append(Finding(flag, RESEMBLES, mine, agreement=score))
        for method, members in asked.items():
            asked[method] = {case: one for case, one in members.items() if case not in cases}
    return found


def agreements(asked: _Cases) -> dict[str, tuple[float, set[str]]]:
    """Return flag -> agreement (C32) of its best pattern, and the pattern's cases; best flag first.

    Of flags that agree nearly equally, the first is the one whose marks are seen, or has none.

    Parameters
    ----------
    asked : outcomes that have passed or failed, by method and case
    """
    failed = {
        method: {case: one for case, one in members.items() if one.status in BAD}
        for method, members in asked.items()
    }
    bad = [one for members in failed.values() for one in members.values()]
    raised = sum(one.verdict.kind not in ("values", "not finite") for one in bad) / len(bad)
    marked = cache(lambda flag: share_of_marks(flag, bad))
    found: dict[str, tuple[float, set[str]]] = {}
    for pattern in load_patterns():
        score = _agreement(pattern, asked, failed)
        if score:
            score *= 1.0 - MARKS * max(0.0, pattern.marked - marked(pattern.flag))
            score *= 1.0 - MARKS * raised * (pattern.flag in FORMULAS)
        if score >= found.get(pattern.flag, (0.0,))[0]:
            found[pattern.flag] = score, {case for one in pattern.wrong.values() for case in one}
    most = {flag: max(p.marked for p in load_patterns() if p.flag == flag) for flag in found}
    ranks = {flag: found[flag][0] + TIE * (2.0 * marked(flag) - most[flag]) for flag in found}
    return {flag: found[flag] for flag in sorted(found, key=lambda flag: -ranks[flag])}


def _agreement(pattern: Pattern, asked: _Cases, failed: _Cases) -> float:
    above, below = 0.0, 0.0
    first: tuple[int, str] | None = None
    for method, members in asked.items():
        wrong = pattern.wrong.get(method, {})
        expected, bad = wrong.keys() & members.keys(), failed[method]
        if expected:
            own = (min(_levels()[case] for case in expected), method)
            first = own if first is None else min(first, own)
        if not bad:
            below += RIGHT * bool(expected)
        elif any(one.status == "failed" for one in bad.values()):
            both = sum(_alike(wrong[case], bad[case]) for case in expected & bad.keys())
            above += both / len(expected | bad.keys())
            below += 1.0
    if not above or first is None:
        return 0.0
    return above / below * (1.0 if failed[first[1]] else OWN)


def _alike(expected: frozenset[str], outcome: Outcome) -> float:
    if outcome.verdict.kind not in ("values", "not finite"):
        return 1.0
    wrong = wrong_outputs(outcome)
    return len(expected & wrong) / len(expected | wrong)


@cache
def _levels() -> dict[str, int]:
    return {case.id: topic.level for topic in load_topics() for case in topic.cases}
