"""What a report says of failures: facts that were seen, and the known defects that they resemble.

A fact needs no catalogue: an exception, a wrong shape, numbers that are not finite, errors as small
as rounding, and what the cases of `side_effects` show of a call.

A known defect is named by its pattern. `patterns.json` holds what injected defects do to a correct
implementation, several for each flag: the wrong outputs of every case, and the fingerprint
(`judge`) of each wrong array. A run agrees with a pattern method by method, in the failed cases
that both have among those that one of them has:

    (C32)  S = sum_M w_M A_M / |F_M or P_M| / sum_M w_M,    A_M = sum of a_c over c in F_M and P_M

F_M are the failed cases of method M, P_M those of the pattern. a_c is the share of the outputs that
are wrong in both among those that are wrong in one; an output counts half if the fingerprints
differ. So S is 1 if the numbers are those of the injected defect, and at most 1/2 if only the
places are the same. w_M is 1; it is 0 for a method whose failures all follow one of a more basic
topic, and small for one that does not fail in the run, because an implementation may compute the
same formula at two places. S is halved if the most basic method of the pattern passes. Of flags
that agree nearly equally, the first is the one that the failed cases test more often.

A library can have several defects. So the best pattern is named, its cases are taken out, and the
search goes on while S is at least 0.4, or 0.9 once one in twenty of the failures is left. If no
pattern agrees, the flag is named that most failed cases test, with S = 0.
"""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from kan_ref.conformance.cases import HOME, Case, load_topics
from kan_ref.conformance.judge import BAD, Outcome

FILE = HOME / "patterns.json"
FACT, RESEMBLES, NOT_NAMED = "fact", "resembles", "not named"
# of verdicts of another kind than "values", named by it: "no answer" is NoAnswer; and the last two
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
_WITH_KNOTS = ("uniform_knots", "initial_layer")  # whose answers hold the knots of a fresh grid
SMALL = 3e-5  # relative errors below it have causes of their own: precision, tolerances
SAME = 1e-6  # fingerprints that agree within this fraction are of the same answer
PLACE = 0.5  # what an output counts that is wrong in both, but with other numbers
RIGHT = 0.05  # weight of a method that does not fail in the run
OWN = 0.5  # factor of a pattern whose most basic method passes all its cases
TIE = 0.05  # weight of the share of the failed cases' flags, among patterns that agree equally
LEAST = 0.1  # agreement below which no pattern agrees
AGREES = 0.4  # least agreement of a further defect
REST, EQUAL = 0.05, 0.9  # if no more than this share of failures is left, its least agreement

Wrong = Mapping[str, float]  # wrong output -> fingerprint, nan where there are no finite numbers


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
    """An injected defect of a flag: method -> case -> wrong outputs."""

    flag: str
    change: str
    wrong: Mapping[str, Mapping[str, Wrong]]


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
    """Return the facts, those with most cases first; exceptions are grouped by their message."""
    small = [one for one in bad if one.verdict.relative < SMALL]
    n_small = Counter(one.case.method for one in small)
    n_single = Counter(one.case.method for one in small if one.verdict.single)
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for one in bad:
        name, method = one.verdict.kind.title().replace(" ", ""), one.case.method
        if name in ("Shape", "NotAsked"):
            groups[name, method].append(one)
        elif name in FACTS:
            words = re.sub(r"0x[0-9a-fA-F]+|\d+", "#", one.verdict.message)
            groups[name, "" if name == "NotFinite" else words].append(one)
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


def wrong_outputs(outcome: Outcome) -> Wrong:
    """Return the wrong outputs with their fingerprints; all of a case without an answer.

    None of a case whose errors are small: that is a fact of its own.
    """
    if outcome.status not in BAD or outcome.verdict.relative < SMALL:
        return {}
    return outcome.verdict.prints or dict.fromkeys(outcome.case.expected, math.nan)


@cache
def load_patterns() -> tuple[Pattern, ...]:
    """Return the patterns of the file.

    `wrong` has a bit for each output, that of the first output of the first case lowest, and
    `prints` 8 hexadecimal digits for each wrong output: a fingerprint as big-endian float32.
    """
    document = json.loads(FILE.read_text(encoding="utf-8"))
    by_id = {case.id: case for topic in load_topics() for case in topic.cases}
    places = [
        (by_id[name], output) for name in document["cases"] for output in by_id[name].expected
    ]
    found = []
    for entry in document["patterns"]:
        bits = bin(int(entry["wrong"], 16))[:1:-1]
        at = (place for place, bit in zip(places, bits, strict=False) if bit == "1")
        prints = np.frombuffer(bytes.fromhex(entry["prints"]), dtype=">f4").tolist()
        wrong: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for (case, output), number in zip(at, prints, strict=True):
            wrong[case.method][case.id][output] = number
        found.append(Pattern(entry["flag"], entry["change"], wrong))
    return tuple(found)


def _resembled(outcomes: Sequence[Outcome]) -> list[Finding]:
    """Return the flags whose patterns agree with the failures of a run, in a greedy cover."""
    left = [
        one
        for one in outcomes
        if counted(one.case) and (one.status == "passed" or wrong_outputs(one))
    ]
    found: list[Finding] = []
    n_all = sum(one.status in BAD for one in left)
    while failed := [one for one in left if one.status in BAD]:
        flag, (score, cases) = next(iter(agreements(left).items()))
        if found and score < (AGREES if len(failed) > REST * n_all else EQUAL):
            break
        if score < LEAST:
            tested = Counter(flag for one in failed for flag in one.case.flags)
            score, flag = 0.0, tested.most_common(1)[0][0]
            cases = {one.case.id for one in failed if flag in one.case.flags}
        mine = tuple(one.case.id for one in failed if one.case.id in cases)
        found.append(Finding(flag, RESEMBLES, mine, agreement=score))
        left = [one for one in left if one.case.id not in cases]
    return found


def agreements(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, set[str]]]:
    """Return flag -> agreement (C32) of its best pattern, and the pattern's cases; best flag first.

    `outcomes` have passed or failed, those of basic methods first.
    """
    asked: dict[str, set[str]] = defaultdict(set)
    failed: dict[str, dict[str, Wrong]] = defaultdict(dict)
    for one in outcomes:
        asked[one.case.method].add(one.case.id)
        if one.status in BAD:
            failed[one.case.method][one.case.id] = wrong_outputs(one)
    not_blocked = {one.case.method for one in outcomes if one.status == "failed"}
    found: dict[str, tuple[float, set[str]]] = {}
    for pattern in load_patterns():
        score = _agreement(pattern, asked, failed, not_blocked)
        if score >= found.get(pattern.flag, (0.0,))[0]:
            found[pattern.flag] = score, {case for one in pattern.wrong.values() for case in one}
    tested = Counter(flag for one in outcomes if one.status in BAD for flag in one.case.flags)
    rank = {flag: score + TIE * tested[flag] / tested.total() for flag, (score, _) in found.items()}
    return {flag: found[flag] for flag in sorted(found, key=lambda flag: -rank[flag])}


def _agreement(
    pattern: Pattern,
    asked: Mapping[str, Collection[str]],
    failed: Mapping[str, Mapping[str, Wrong]],
    not_blocked: Collection[str],
) -> float:
    above, below, factor = 0.0, 0.0, 0.0
    for method, cases in asked.items():
        wrong, bad = pattern.wrong.get(method, {}), failed.get(method, {})
        expected = {case for case in wrong if case in cases}
        if expected:  # the first such method is the pattern's most basic one
            factor = factor or (1.0 if bad else OWN)
        if not bad:
            below += RIGHT * bool(expected)
        elif method in not_blocked:
            both = sum(_alike(wrong[case], bad[case]) for case in expected & bad.keys())
            above += both / len(expected | bad.keys())
            below += 1.0
    return factor * above / below if above else 0.0


def _alike(one: Wrong, other: Wrong) -> float:
    """Return the share of outputs that are wrong in both; those with other numbers count half.

    A failure without any number has all outputs of its partner.
    """
    if all(map(math.isnan, other.values())):
        return 1.0 if all(map(math.isnan, one.values())) else PLACE
    same = (_equal(one[output], other[output]) for output in one.keys() & other.keys())
    return sum(1.0 if equal else PLACE for equal in same) / len(one.keys() | other.keys())


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME) or (math.isnan(one) and math.isnan(other))
