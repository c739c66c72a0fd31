"""What is only likely: failures that no mark, test or fact explains.

They are given to a defect that other cases of the same method confirm (*absorbed*), to the flag of
the only output that is wrong, to a flag that all failures of the method have in common, to the
method's general flag if they have none in common, or to the flag that best separates failed from
passed cases (all of them *perhaps*). The first flag of a case is what it tests most of all, so that
a passed case contradicts it. A passed case also contradicts a defect that would have changed its
answer, in the form of its mark. Wrong gradients and wrong counts have rules of their own
(`output_guesses`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kan_ref.conformance.facts import (
    ABSORBED,
    BLOCKED,
    CONFIRMED,
    FACTS,
    INPUTS,
    NARROW,
    PERHAPS,
    Diagnosis,
)
from kan_ref.conformance.judge import Outcome
from kan_ref.conformance.output_guesses import wrong_count, wrong_gradient
from kan_ref.conformance.patterns import Agreement

# flags that may explain any failure of a method; a part of its cases may pass in spite of them
GENERAL = {
    "basis": "CoxDeBoor",
    "layer_forward": "SplineSum",
    "network_forward": "LayerChain",
    "network_vjp": "LayerChain",
    "input_jacobian": "LayerChain",
    "penalties": "L1Mean",
    "extend_grid": "ExtensionNested",
    "update_grid": "UpdateKeepsFunction",
    "edge_scores": "L1Mean",
    "node_scores": "NodeScoreMax",
    "prune": "PruneKeepsFunction",
    "fit_affine": "AffineFit",
    "adam_steps": "AdamMoments",
}
# method -> ((wrong output, flag), ...): the first of these outputs that is wrong in any failure
BY_OUTPUT = {
    "update_grid": (("ends", "UpdateEnds"), ("breakpoints", "UpdateBreakpoints")),
    "prune": (("kept", "PruneRule"),),
}
AGREES_WELL = 0.75  # agreement of a pattern with a run, from which it may replace another guess
BETTER = 0.05  # by which it must agree better than the pattern of that guess
MOST = 0.5  # of a method's cases, above which the general flag explains their failures
AS_FREQUENT = 0.5  # of the failures with an input: the failures without it from which that holds


def add_guesses(
    judged: Sequence[Outcome],
    left: Iterable[Outcome],
    found: dict[str, Diagnosis],
    likely: Mapping[str, Agreement],
) -> None:
    """Add what is only likely to `found`.

    `likely` are the flags whose patterns agree with the failures of the run, the best first.
    """
    by_method: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in judged:
        one = found.get(outcome.case.id)
        if one is not None and one.confidence == CONFIRMED and one.name not in FACTS:
            by_method[outcome.case.method][one.name] += 1
    left = list(left)
    gradient = wrong_gradient(
        [outcome for outcome in left if outcome.case.method == "layer_vjp"], judged
    )
    methods = {outcome.case.method for outcome in left}
    causes = {method: _one_cause(method, left, judged, by_method[method]) for method in methods}
    refuted = {method: _refuted(method, judged)[0] for method in methods}
    for outcome in left:
        case, method = outcome.case, outcome.case.method
        confirmed = by_method[method]
        known = [flag for flag in confirmed if flag in case.flags or flag not in NARROW]
        if known and not outcome.verdict.defects:
            name = max(known, key=lambda flag: (flag in case.flags, confirmed[flag]))
            found[case.id] = Diagnosis(name, ABSORBED)
        elif outcome.status == "blocked":
            found[case.id] = Diagnosis("Blocked", BLOCKED, outcome.reason)
        elif gradient and case.method == "layer_vjp":
            found[case.id] = Diagnosis(gradient, PERHAPS)
        else:
            peers = [other for other in judged if other.case.method == method]
            seen = [
                flag
                for flag in outcome.verdict.defects
                if flag not in outcome.verdict.empty and outcome.verdict.finite
            ]
            own = [*seen, *case.flags, *outcome.verdict.defects]
            # one cause of all failures, if there is one
            here = causes[method]
            possible = (
                [flag for flag in seen if flag in here]
                or [flag for flag in own if flag in here]
                or sorted(here)
                or seen
                or [flag for flag in own if flag not in refuted[method]]
                or own
            )
            scores = {flag: _score(flag, peers) for flag in possible}
            found[case.id] = Diagnosis(max(possible, key=scores.__getitem__), PERHAPS)
    _prefer_pattern(left, found, likely)


def _prefer_pattern(
    left: Sequence[Outcome], found: dict[str, Diagnosis], likely: Mapping[str, Agreement]
) -> None:
    """Give guessed failures to the flag whose pattern agrees best with the run.

    It replaces the most frequent guess only if it agrees clearly better than that, and well.
    """
    guessed = [one for one in left if found[one.case.id].confidence == PERHAPS]
    counts = Counter(found[one.case.id].name for one in guessed)
    if not counts or not likely:
        return
    (most, _), *_ = counts.most_common()
    flag, best = next(iter(likely.items()))
    known = likely[most].score if most in likely else AGREES_WELL
    if best.score < AGREES_WELL or best.score < known + BETTER:
        return
    for one in guessed:
        if one.case.id in best.cases or found[one.case.id].name == most:
            found[one.case.id] = Diagnosis(flag, PERHAPS)


def _one_cause(
    method: str, left: Sequence[Outcome], judged: Sequence[Outcome], confirmed: Mapping[str, int]
) -> set[str]:
    """Return flags that may explain all failures of a method: those in common, or the general one.

    The general flag needs a failure of a case that tests it most of all, or one of the outputs that
    stand for it. It explains nothing where a defect is confirmed for a part of the failures.
    """
    mine = [one for one in left if one.case.method == method and one.status != "blocked"]
    if not mine:
        return set()
    if method == "adam_steps" and not any(one.verdict.finite for one in mine):
        return {"AdamBias"}  # a first step of number 0 divides by 1 - beta^0
    # nan in one output often makes another one nan
    finite = [one for one in mine if one.verdict.finite] or mine
    outputs = {output for one in finite for output in one.verdict.outputs}
    if method == "fit_affine":  # a wrong r2 may choose another curve, a wrong curve has a wrong r2
        alone = sum({*one.verdict.outputs} == {"r2"} for one in finite)
        if alone > MOST * len(finite):
            return {"R2Offset"}
    if method == "penalties" and len(outputs) == 1:
        (output,) = outputs
        common = set.intersection(*({*one.verdict.defects} for one in finite))
        return common or {"L1Mean" if output == "l1" else "EntropyShares"}
    if method == "penalties" and all(len(one.case.inputs["layers"]) > 1 for one in mine):
        return {"PenaltyOneLayer", "PenaltyInputs"}
    if method == "count_parameters":
        return {wrong_count(mine)}
    # zeros have the mark of every defect that gives zeros
    common = set.intersection(
        *({*one.case.flags, *one.verdict.defects} - {*one.verdict.empty} for one in mine)
    )
    tested, disproved = _refuted(method, judged)
    for rest in (common - tested - disproved, common - tested, common):
        if rest or confirmed:
            return rest
    for output, flag in BY_OUTPUT.get(method, ()):
        if output in outputs:
            return {flag}
    general = GENERAL.get(method, "")
    if general == "LayerChain" and any(len(one.case.inputs["layers"]) == 1 for one in mine):
        general = "SplineSum"  # one layer has no chain
    n_asked = sum(
        one.case.method == method and one.status != "blocked" and not one.case.call
        for one in judged
    )
    known = method in BY_OUTPUT or any(one.case.flags[0] == general for one in mine)
    return {general} if general and known and len(mine) > MOST * n_asked else set()


def _refuted(method: str, judged: Sequence[Outcome]) -> tuple[set[str], set[str]]:
    """Return the flags that passed cases of a method test most of all, without the general one, and
    those of defects that would have changed their answers.
    """
    passed = [
        one
        for one in judged
        if one.case.method == method
        and one.status == "passed"
        and not one.case.call
        and np.size(one.case.inputs.get("x", 0.0))  # a batch of no samples tests no number
    ]
    tested = {one.case.flags[0] for one in passed} - {GENERAL.get(method, "")}
    return tested, {flag for one in passed for flag in one.verdict.visible}


def _score(flag: str, outcomes: Sequence[Outcome]) -> float:
    """Return how well a flag separates failed from passed cases.

    It is the harmonic mean of two shares: the failed cases among those with the flag, and the cases
    with the flag among those that failed. It is 0 for an input without which cases fail as well.
    """
    failed = [outcome for outcome in outcomes if outcome.status != "passed"]
    having = sum(flag in outcome.case.flags for outcome in outcomes)
    both = sum(flag in outcome.case.flags for outcome in failed)
    others, rest = len(outcomes) - having, len(failed) - both
    if flag in INPUTS and others and having and rest * having > AS_FREQUENT * both * others:
        return 0.0
    either = len(failed) + having
    return 2.0 * both / either if either else 0.0
