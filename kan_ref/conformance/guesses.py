"""What is only likely: failures that no mark, test or fact explains.

They are given to a defect that other cases of the same method confirm (*absorbed*), to the flag of
the only output that is wrong, or to the flag that best separates failed from passed cases (both
*perhaps*).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from kan_ref.conformance.facts import ABSORBED, BLOCKED, CONFIRMED, FACTS, PERHAPS, Diagnosis
from kan_ref.conformance.outcomes import Outcome

# flags that explain no failure of a case without them
NARROW = (
    *("RepeatedKnots", "SiluOverflow", "ZeroEdge", "DegreeZero", "EmptyBatch", "BatchOfOne"),
    *("ArgumentsChanged", "StateKept", "BufferReused", "MemoryOrder"),
    *("NaNSwallowed", "ThreadUnsafe"),
)
# flags of an input: they explain no failures that are nearly as frequent without it
INPUTS = (
    *(*NARROW, "UnevenKnots", "HighDegree", "ManyIntervals", "ScaledRow", "PointOrder"),
    *("BaseName", "MissingMask", "TransposedMask", "MaskFactor", "BlockRemainder"),
    *("DiscreteFeature", "ConstantFeature"),
)
AS_FREQUENT = 0.5  # of the failures with an input: the failures without it from which that holds


def add_guesses(
    judged: Sequence[Outcome], left: Iterable[Outcome], found: dict[str, Diagnosis]
) -> None:
    """Add what is only likely to `found`."""
    by_method: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome in judged:
        one = found.get(outcome.case.id)
        if one is not None and one.confidence == CONFIRMED and one.name not in FACTS:
            by_method[outcome.case.method][one.name] += 1
    left = list(left)
    gradient = _wrong_gradient(
        [outcome for outcome in left if outcome.case.method == "layer_vjp"],
        [one for one in judged if one.case.method == "layer_vjp" and one.status == "passed"],
    )
    ends = any("ends" in outcome.verdict.outputs for outcome in left)
    shared: dict[str, set[str]] = {}
    for outcome in left:
        flags_of_case = {*outcome.case.flags, *outcome.verdict.defects}
        method = outcome.case.method
        shared[method] = shared.get(method, flags_of_case) & flags_of_case
    for outcome in left:
        case, confirmed = outcome.case, by_method[outcome.case.method]
        known = [flag for flag in confirmed if flag in case.flags or flag not in NARROW]
        if known and not outcome.verdict.defects:
            name = max(known, key=lambda flag: (flag in case.flags, confirmed[flag]))
            found[case.id] = Diagnosis(name, ABSORBED)
        elif outcome.status == "blocked":
            found[case.id] = Diagnosis("Blocked", BLOCKED, outcome.reason)
        elif gradient and case.method == "layer_vjp":
            found[case.id] = Diagnosis(gradient, PERHAPS)
        elif ends and case.method == "update_grid":
            found[case.id] = Diagnosis("UpdateEnds", PERHAPS)
        else:
            peers = [other for other in judged if other.case.method == case.method]
            seen = [
                flag
                for flag in outcome.verdict.defects
                if flag not in outcome.verdict.empty and outcome.verdict.finite
            ]
            flags = seen or [*outcome.verdict.defects, *case.flags]
            # one cause of all failures, if there is one
            likely = [flag for flag in flags if flag in shared[case.method]] or flags
            scores = {flag: _score(flag, peers) for flag in likely}
            found[case.id] = Diagnosis(max(likely, key=scores.__getitem__), PERHAPS)


def _wrong_gradient(left: Sequence[Outcome], passed: Sequence[Outcome]) -> str:
    """Return the flag of a layer's gradients if one of them alone is wrong, or "".

    dx = sum_j dy_j (w_base b' + w_spline sum_m coef_m B'_m): a wrong dx without a base function is
    due to B', and so is one with silu if most others with silu are right. Else b' is wrong.
    """
    outputs = {output for outcome in left for output in outcome.verdict.outputs}
    if outputs == {"d_w_spline"}:
        return "DWSplineWithoutCoef"
    if outputs != {"dx"} or all("UnevenKnots" in outcome.case.flags for outcome in left):
        return ""
    with_base, right = (
        [one for one in outcomes if np.any(one.case.inputs["layer"]["w_base"])]
        for outcomes in (left, passed)
    )
    wrong, known = (
        [one.case.inputs["layer"]["base"] for one in outcomes if len(one.case.inputs["x"])]
        for outcomes in (with_base, right)
    )
    if len(with_base) < len(left) or "zero" in wrong:
        return "BasisSlope"
    if known.count("silu") > len(wrong):  # few fail: where silu itself is special, or by their B'
        special = any(flag.startswith("Silu") for one in left for flag in one.case.flags)
        return "" if special else "BasisSlope"
    return "SiluSlope" if set(wrong) == {"silu"} else ""


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
