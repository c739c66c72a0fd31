"""Facts about failures: what can be said without a catalogue of defects.

Exceptions, hangs and answers of a wrong form are grouped by their message. A group is described by
what its cases have in common, if no passed case of the same methods has it: the degree, a batch
without samples or of one sample.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kan_ref.conformance.cases import Case
from kan_ref.conformance.judge import Outcome
from kan_ref.conformance.patterns import Agreement

CONFIRMED, ABSORBED, PERHAPS, BLOCKED = "confirmed", "absorbed", "perhaps", "blocked"

FACTS = {
    "Raises": "the method raises an exception, or reports an error",
    "NoAnswer": "the method hangs or ends the program",
    "NotAsked": "the case was not run, since its method had hung or ended the program before",
    "Unreadable": "the answer does not have the form that the method needs",
    "Shape": "an array has another shape than the method needs",
    "OtherBasis": "the basis functions do not sum to 1 inside the grid: they are not the B-splines "
    "of this knot vector",
    "SmallError": "the numbers are right but for a small error",
    "Blocked": "a more basic topic fails, and no defect of its own is seen",
}
_BY_KIND = {
    "raises": "Raises",
    "no answer": "NoAnswer",
    "not asked": "NotAsked",
    "unreadable": "Unreadable",
    "form": "Unreadable",
    "shape": "Shape",
}
_TRAITS = {("degree", 0): "DegreeZero", ("batch", 0): "EmptyBatch", ("batch", 1): "BatchOfOne"}
# flags that explain no failure of a case without them
NARROW = (
    *("RepeatedKnots", "SiluOverflow", "ZeroEdge", "ZeroCoefficients"),
    *("DegreeZero", "EmptyBatch", "BatchOfOne"),
    *("ArgumentsChanged", "StateKept", "BufferReused", "MemoryOrder"),
    *("NaNSwallowed", "ThreadUnsafe"),
)
# flags of an input: they explain no failures that are nearly as frequent without it
INPUTS = (
    *(*NARROW, "UnevenKnots", "HighDegree", "ManyIntervals", "ScaledRow", "PointOrder"),
    *("BaseName", "MissingMask", "TransposedMask", "MaskFactor", "BlockRemainder"),
    *("DiscreteFeature", "ConstantFeature"),
)
# what an answer of the wrong form means
FORMS = {
    "uniform_knots": "OuterKnots",
    "basis": "CoxDeBoor",
    "basis_derivative": "BasisSlope",
    "initial_layer": "InitLayer",
    "node_scores": "NodeScoreSides",
    "prune": "PruneKeepsFunction",
    "save_load": "RoundTrip",
}
# agreement with a pattern, from which its flag may explain an exception, or an answer of the wrong
# form better than the form alone
AGREES, AGREES_WELL = 0.6, 0.8
SEPARATES = 0.6  # harmonic mean of the shares by which the flag of an input separates failures
_BATCHED = re.compile("basis|layer_|network_|input_|family_")


@dataclass(frozen=True)
class Diagnosis:
    """The name of a flag or fact, how certain it is, and what was seen.

    `confidence` is one of "confirmed", "absorbed", "perhaps" and "blocked". `perhaps` is a flag
    that might explain a fact.
    """

    name: str
    confidence: str
    detail: str = ""
    perhaps: str = ""


def without_numbers(message: str) -> str:
    """Return a message with # for all numbers and addresses, by which failures are grouped."""
    return re.sub(r"0x[0-9a-fA-F]+|\d+", "#", message)


def facts(
    judged: Sequence[Outcome], bad: Sequence[Outcome], likely: Mapping[str, Agreement]
) -> dict[str, Diagnosis]:
    """Return the diagnoses of failures without numbers that could be compared.

    `likely` are the flags whose patterns agree with the failures of the run, the best first.
    """
    groups: dict[tuple[str, ...], list[Outcome]] = defaultdict(list)
    for outcome in bad:
        kind = outcome.verdict.kind
        if kind in _BY_KIND:
            method = outcome.case.method if kind in ("shape", "not asked") else ""
            message = "" if kind == "shape" else without_numbers(outcome.verdict.message)
            groups[kind, method, message].append(outcome)
    found = {}
    for (kind, _, _), members in groups.items():
        trait = _shared_trait(judged, members)
        flag = _TRAITS.get(trait, "") if trait else ""
        # a case that does not test the trait may fail because of anything else
        flag = flag if any(flag in one.case.flags for one in members) else ""
        hint = "" if flag else _hint(judged, members, likely)
        for outcome in members:
            detail = outcome.verdict.message
            if flag:
                one = Diagnosis(flag, CONFIRMED, detail)
            else:
                shared = f" (all of degree {trait[1]})" if trait and trait[0] == "degree" else ""
                one = Diagnosis(_BY_KIND[kind], CONFIRMED, f"{detail}{shared}", hint)
            found[outcome.case.id] = one
    return found


def _traits(case: Case) -> set[tuple[str, int]]:
    layers = case.inputs.get("layers", [case.inputs.get("layer", case.inputs)])
    found = {("degree", int(layer["degree"])) for layer in layers if "degree" in layer}
    if _BATCHED.match(case.method):
        found.add(("batch", len(case.inputs["x"])))
    return found


def _shared_trait(judged: Sequence[Outcome], members: Sequence[Outcome]) -> tuple[str, int] | None:
    """Return what all members have in common, and what only failures of their methods have.

    Where most other cases of the methods fail too, the members have their cause, not one of theirs.
    """
    methods = {outcome.case.method for outcome in members}
    same = [outcome for outcome in judged if outcome.case.method in methods]
    passed = [outcome for outcome in same if outcome.status == "passed"]
    common = set.intersection(*(_traits(outcome.case) for outcome in members))
    common -= {trait for outcome in passed for trait in _traits(outcome.case)}
    if not passed or 2 * len(passed) < len(same) - len(members):
        return None
    return min(common, key=lambda trait: (trait not in _TRAITS, trait), default=None)


def _hint(
    judged: Sequence[Outcome], members: Sequence[Outcome], likely: Mapping[str, Agreement]
) -> str:
    """Return the flag that may explain failures without numbers, or "".

    What fails in every case of its methods does not fail because of its inputs, and shows nothing
    but its form.
    """
    kind, methods = members[0].verdict.kind, {outcome.case.method for outcome in members}
    same = [one for one in judged if one.case.method in methods]
    agrees = {
        flag: one.score
        for flag, one in likely.items()
        if 2 * sum(member.case.id in one.cases for member in members) >= len(members)
    }
    flag, score = next(iter(agrees.items()), ("", 0.0))
    if score < AGREES or not any(one.status == "passed" for one in same):
        flag, score = "", 0.0
    is_form = kind in ("shape", "form") and any(one.status == "failed" for one in members)
    if is_form and len(methods) == 1 and score < AGREES_WELL:
        flag = FORMS.get(members[0].case.method, flag)
        if flag == "OuterKnots" and _has_wrong_step(members):
            flag = "KnotStep"
    return flag or _shared_flag(judged, members) or _input_flag(same)


def _input_flag(same: Sequence[Outcome]) -> str:
    """Return the flag of the input that best separates failed from passed cases, or ""."""
    failed = [one for one in same if one.status == "failed"]
    scores = {}
    if len(failed) < len(same):
        for flag in INPUTS:
            n_having = sum(flag in one.case.flags for one in same)
            n_both = sum(flag in one.case.flags for one in failed)
            scores[flag] = 2.0 * n_both / (len(failed) + n_having) if n_both else 0.0
    best = max(scores, key=scores.__getitem__, default="")
    return best if best and scores[best] >= SEPARATES else ""


def _shared_flag(judged: Sequence[Outcome], members: Sequence[Outcome]) -> str:
    """Return a flag that the members have, and that no passed case of their methods has.

    Three quarters of the members must have it, or half of them if a shape is wrong. Members that a
    failure of a more basic topic explains have none.
    """
    if all(outcome.status == "blocked" for outcome in members):
        return ""
    methods = {outcome.case.method for outcome in members}
    refuted = {
        flag
        for outcome in judged
        if outcome.status == "passed" and outcome.case.method in methods
        for flag in outcome.case.flags
    }
    counts = Counter(flag for outcome in members for flag in outcome.case.flags)
    # a wrong shape is caused by few things; an exception by anything
    is_shape = members[0].verdict.kind == "shape"
    if not is_shape and not any(
        one.status == "passed" for one in judged if one.case.method in methods
    ):
        return ""  # what fails always does not fail because of its inputs
    least = len(members) * (0.5 if is_shape else 0.75)
    common = [
        flag
        for flag, n in counts.most_common()
        if flag not in refuted and n >= least and (is_shape or flag in INPUTS)
    ]
    return next(iter(common), "")


def _has_wrong_step(mine: Sequence[Outcome]) -> bool:
    """Return whether a knot vector of another length than the right one has another step, too."""
    for one in mine:
        (a, b), (c, d) = (_first_two(text) for text in (one.verdict.expected, one.verdict.got))
        # the texts have six digits
        if abs((d - c) - (b - a)) > 1e-3 * (b - a) + 1e-5 * max(abs(a), abs(c)):
            return True
    return False


def _first_two(text: str) -> tuple[float, float]:
    numbers = [float(number) for number in re.findall(r"[-+.\de]*\d[.]?", text)[:2]]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (float("nan"), float("nan"))
