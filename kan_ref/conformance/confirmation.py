"""Flags that are established: by behaviours, marks, factors, or numbers that are not finite.

Marks in a part of the answers prove nothing where most failures of the method have another cause,
and one small integer equals another by chance. Where most basis functions are wrong, the splines of
every later topic are wrong because of them.

A common factor proves a defect whose formula says that right numbers are multiplied by it:

    (C34)  log_q p = log p / log q     all entropies times 1 / log q, for logarithms to the base q
           1/N sum_b = sum_b / N       gradients of parameters times 1 / N, for means over N samples
"""

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence

from kan_ref.conformance.answers import SAME
from kan_ref.conformance.cases import Case
from kan_ref.conformance.judge import NOT_FINITE, Outcome
from kan_ref.conformance.patterns import SMALL, covered

MOST_MARKS = 0.5  # of a method's marks, which answers must have to confirm a flag
FEW_AFTER_FAILURES = 3  # least number of marks after failures of a more basic topic
MOST_BASES = 0.5  # of the cases of `basis`, above which later failures have no cause of their own
# methods whose answers do not depend on basis functions, and `basis` itself
APART = (
    *("basis", "uniform_knots", "count_parameters", "save_load", "adam_steps", "gradient_steps"),
    *("family_basis", "family_forward", "family_vjp"),
)
MOST_FAILURES = 0.5  # of a method, which flags must explain for their marks to confirm them
# its marks show which nodes are kept, and many rules and scores keep the same ones: a flag must
# explain all failures, and another method's marks must confirm it, unless it is one of KEPT, whose
# marks are values of the right nodes
CHOICE, KEPT = "prune", frozenset(("PruneEdges", "PruneKeepsFunction"))
# a flag whose mark, zeros, stands for it only in cases that have the flag
LOCAL = ("ZeroSupportFirstColumn",)
# flags of what follows where an edge lacks its base function everywhere
FOLLOWS = {"DxWithoutBase": "MissingBase", "L1WithoutBase": "MissingBase"}
FEW_INTEGERS = 3  # marks of whole numbers below this number agree by chance


def confirmed_flags(judged: Sequence[Outcome], wrong: Sequence[Outcome]) -> dict[str, str]:
    """Return case id -> confirmed flag.

    Parameters
    ----------
    judged : outcomes that have passed or failed
    wrong : those of them with wrong numbers
    """
    answered = Counter(flag for outcome in wrong for flag in outcome.verdict.defects)
    marked = Counter(flag for outcome in judged for flag in {m.flag for m in outcome.case.marks})
    by_marks = _by_marks(judged, wrong)
    causes = {flag for flags in by_marks.values() for flag in flags}
    not_finite, bases_wrong = _not_finite(wrong), _bases_wrong(judged)
    wrong_as_usual = {one.case.method for one in wrong if one.verdict.finite and not one.case.call}
    found = {}
    for outcome in wrong:
        method, verdict = outcome.case.method, outcome.verdict
        if verdict.certain:
            # a finite number for nan has another cause where the method is wrong without nan too,
            # and so has a wrong number of intervals after wrong knots
            follows = {"NaNSwallowed": method in wrong_as_usual} | {
                "GridCount": outcome.status == "blocked"
            }
            if not follows.get(verdict.certain[0]):
                found[outcome.case.id] = verdict.certain[0]
            continue
        known = by_marks if verdict.finite else not_finite
        flags = [
            flag
            for flag in verdict.defects
            if flag in known.get(method, ()) and FOLLOWS.get(flag) not in causes
        ]
        if flags and not (bases_wrong and verdict.finite and method not in APART):
            # what explains most failures, then what passed cases contradict least
            found[outcome.case.id] = max(
                flags,
                key=lambda flag: (
                    known[method][flag],
                    answered[flag] / max(1, marked[flag]),
                    answered[flag],
                ),
            )
    return found


def flags_by_factor(judged: Sequence[Outcome]) -> dict[str, str]:
    """Return case id -> flag, of failures whose wrong numbers have the factor of a formula (C34).

    Parameters
    ----------
    judged : outcomes that have passed or failed
    """
    entropies, *gradients = (
        [
            one
            for one in judged
            if one.case.method == method and one.status == "failed" and not one.case.call
        ]
        for method in ("penalties", "layer_vjp", "network_vjp")
    )
    right = any(one.case.expected.get("entropy") for one in judged if one.status == "passed")
    found: dict[str, str] = {}
    if _have_one_factor("entropy", entropies) and not right:
        found |= {one.case.id: "EntropyBase" for one in entropies}
    for wrong in gradients:
        if _are_means(wrong):
            found |= {one.case.id: "MeanOverBatch" for one in wrong}
    return found


def _have_one_factor(output: str, wrong: Sequence[Outcome]) -> bool:
    """Return whether several answers are wrong in one output alone, by one positive factor.

    Small errors of any cause have factors near 1, which prove nothing.
    """
    factors = [one.verdict.factors.get(output, 0.0) for one in wrong]
    return (
        len(wrong) > 1
        and all(one.verdict.outputs == (output,) for one in wrong)
        and max(factors) - min(factors) < SAME * min(factors)
        and abs(factors[0] - 1.0) > SMALL
    )


def _are_means(wrong: Sequence[Outcome]) -> bool:
    """Return whether wrong gradients, of parameters alone, are the right ones over N."""
    sizes = [len(one.case.inputs["x"]) for one in wrong]
    return len({*sizes}) > 1 and all(
        one.verdict.kind == "values"
        and "dx" not in one.verdict.outputs
        and all(abs(by * size - 1.0) <= SAME for by in one.verdict.factors.values())
        and len(one.verdict.factors) == len(one.verdict.outputs)
        for one, size in zip(wrong, sizes, strict=True)
    )


def _bases_wrong(judged: Sequence[Outcome]) -> bool:
    """Return whether most cases of `basis` are wrong."""
    bases = [one.status != "passed" for one in judged if one.case.method == "basis"]
    return sum(bases) > MOST_BASES * len(bases)


def _by_marks(judged: Sequence[Outcome], wrong: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return method -> flags whose marks its answers have, and that explain most failures.

    Each flag has the share of the method's failures that it explains itself.
    """
    seen: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in wrong:
        for flag in outcome.verdict.defects:
            seen[outcome.case.method, flag].append(outcome)
    # outputs that are right in all cases show no flag, and refute none
    wrong_outputs = {(one.case.method, name) for one in wrong for name in one.verdict.outputs}
    n_marked: Counter[tuple[str, str]] = Counter()
    refuted = set()
    for outcome in judged:
        for flag in _marked_in(wrong_outputs, outcome.case):
            n_marked[outcome.case.method, flag] += 1
            if outcome.status == "passed" and flag in outcome.verdict.visible:
                refuted.add((outcome.case.method, flag))
    found: dict[str, set[str]] = defaultdict(set)
    for (method, flag), members in seen.items():
        if (
            (method, flag) not in refuted
            and all(_stands_for(flag, one.case) for one in members)
            and len(members) >= MOST_MARKS * n_marked[method, flag]
            and 2 * sum(flag not in one.verdict.empty for one in members) >= len(members)
            and (len(members) >= FEW_AFTER_FAILURES or members[0].status == "failed")
            and not _by_chance(flag, members)
        ):
            found[method].add(flag)
    shown = {
        method: {flag: _explained(method, {flag}, judged, seen) for flag in flags}
        for method, flags in found.items()
        if _explained(method, flags, judged, seen) >= MOST_FAILURES
    }
    chosen = shown.pop(CHOICE, {})
    known = KEPT.union(*shown.values())
    explain = {flag: share for flag, share in chosen.items() if share == 1.0 and flag in known}
    return shown | {CHOICE: explain}


def _marked_in(outputs: Container[tuple[str, str]], case: Case) -> set[str]:
    """Return the flags with a mark in these outputs of methods, if it stands for the flag."""
    marked = {mark.flag for mark in case.marks if (case.method, mark.output) in outputs}
    return {flag for flag in marked if _stands_for(flag, case)}


def _stands_for(flag: str, case: Case) -> bool:
    """Return whether the mark of a flag in a case stands for the flag."""
    return flag not in LOCAL or flag in case.flags


def _by_chance(flag: str, members: Sequence[Outcome]) -> bool:
    """Return whether the marks are a few whole numbers."""
    values = [mark.value for one in members for mark in one.case.marks if mark.flag == flag]
    return len(values) < FEW_INTEGERS and all(value.is_integer() for value in values)


def _explained(
    method: str,
    flags: set[str],
    judged: Sequence[Outcome],
    seen: Mapping[tuple[str, str], Sequence[Outcome]],
) -> float:
    """Return the share of a method's failures that flags explain: by a mark or by a pattern."""
    failed = [one for one in judged if one.case.method == method and one.status != "passed"]
    usual = [one for one in failed if not one.case.call] or failed
    ids = {one.case.id for flag in flags for one in seen[method, flag]}
    ids |= {case for flag in flags for case in covered(flag)}
    return sum(one.case.id in ids for one in usual) / len(usual)


def _not_finite(wrong: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Return method -> flags that all its answers with nan or infinity have in common."""
    # another formula than silu or L1 is wrong everywhere, and may overflow as well
    elsewhere = {
        outcome.case.method
        for outcome in wrong
        if outcome.verdict.finite and not outcome.verdict.defects
    }
    # finite failures without a flag: most of them have another cause than nan, which may follow
    others = Counter(
        (outcome.case.method, flag)
        for outcome in wrong
        for flag in NOT_FINITE
        if outcome.verdict.finite and flag not in outcome.case.flags and not outcome.case.call
    )
    by_method: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in wrong:
        if not outcome.verdict.finite:
            by_method[outcome.case.method].append(outcome)
    return {
        method: {
            flag: 1.0
            for flag in NOT_FINITE
            if all(flag in one.case.flags and _may_cause(flag, one) for one in members)
            and (flag not in ("SiluOverflow", "ZeroEdge") or method not in elsewhere)
            and others[method, flag] <= len(members)
        }
        for method, members in by_method.items()
    }


def _may_cause(flag: str, outcome: Outcome) -> bool:
    """Return whether the defect of a flag can make this answer nan or infinite.

    Only silu overflows as silu does, and only the entropy has a logarithm.
    """
    inputs, verdict = outcome.case.inputs, outcome.verdict
    if flag == "SiluOverflow":
        layers = inputs.get("layers", [inputs.get("layer", {})])
        return not verdict.certain and any(layer.get("base") == "silu" for layer in layers)
    if flag == "ZeroEdge":
        return verdict.outputs == ("entropy",)
    return flag != "ZeroCoefficients" or verdict.outputs != ("entropy",)
