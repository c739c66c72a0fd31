"""Why cases failed: what is established, and apart from it what is only likely.

A defect of the catalogue (`generate.notes`) is *confirmed* in one of these ways.

- Marks: the answer is the one that the defect gives. So are at least half of the answers of the
  same method that the defect changes, and none of them is right.
- Factors: all wrong numbers of an output are the right ones times a number that the formula of the
  defect gives: entropies times the same number, gradients of parameters times 1 / N for N samples.
- Tests: `behaviours.behaviour` shows it, whatever the numbers are.
- Values that are not finite, in the cases of one flag and in no other case of the method.
- Traits: of the same methods, all cases of degree 0 (without samples, with one sample) fail alike,
  and another case passes.
- Definition: a wrong number of intervals, or a saved layer that differs, is the defect itself.
- Precision: all numbers of the answer are float32 numbers, which the right ones are not. In this
  or another case of the method they need most bits of the format: 0 and 1 show nothing.

Facts need no catalogue: an exception, a wrong shape, a small error with its size, basis functions
that do not sum to 1. Every other failure is given to a defect that other cases of the same method
confirm (*absorbed*), to the flag of the only output that is wrong, or to the flag that best
separates failed from passed cases (both *perhaps*). A
defect of few inputs, such as repeated knots, absorbs only cases that have its flag. Failures of a
topic after a failure of a topic on which it depends are given to no flag by guessing.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from kan_ref.conformance.confirmation import confirmed_flags, flags_by_factor
from kan_ref.conformance.facts import (
    ABSORBED,
    BLOCKED,
    CONFIRMED,
    FACTS,
    PERHAPS,
    Diagnosis,
    facts,
    without_numbers,
)
from kan_ref.conformance.guesses import add_guesses
from kan_ref.conformance.judge import BAD, Outcome
from kan_ref.conformance.patterns import agreements
from kan_ref.conformance.plain_layer import points_inside

CONFIDENCE = (CONFIRMED, ABSORBED, PERHAPS, BLOCKED)
# relative errors: below SMALL no defect of the catalogue is seen; float32 rounding lies in SINGLE
SMALL, SINGLE = 3e-5, (3e-9, 3e-5)
_WITH_KNOTS = ("uniform_knots", "initial_layer")  # whose answers hold the knots of a fresh grid
MOST_SMALL = 0.5  # of the failures of a method, from which they may come from float32
MOST_SUMS = 0.75  # of the cases of `basis` with points in the grid: above it, another basis is used


@dataclass(frozen=True)
class Finding:
    """All failures with one diagnosis.

    `cases` are the ids for which `confidence` holds. For a confirmed flag, `absorbed` are those of
    further failures of the same methods.
    """

    name: str
    confidence: str
    detail: str
    perhaps: str
    cases: tuple[str, ...]
    absorbed: tuple[str, ...] = ()


def diagnose(outcomes: Sequence[Outcome], dtype: str = "float64") -> dict[str, Diagnosis]:
    """Return the diagnosis of each failed or blocked case by its id.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of one run. The more cases it has, the more is confirmed.
    dtype : "float64" or "float32"
        Precision of the run.

    Returns
    -------
    found : dict
        Case id -> Diagnosis.
    """
    judged = [outcome for outcome in outcomes if outcome.status in ("passed", *BAD)]
    bad = [outcome for outcome in judged if outcome.status != "passed"]
    wrong = [outcome for outcome in bad if outcome.verdict.kind == "values"]
    confirmed = flags_by_factor(judged) | confirmed_flags(judged, wrong)
    named = {outcome.case.method for outcome in wrong if outcome.case.id in confirmed}
    likely = agreements(outcome for outcome in judged if outcome.case.method not in named)
    found = facts(judged, bad, likely)
    other_basis = _is_other_basis(judged)
    in_float32 = {outcome.case.method for outcome in wrong if outcome.verdict.fine}
    n_wrong = Counter(outcome.case.method for outcome in wrong)
    n_small = Counter(outcome.case.method for outcome in wrong if outcome.verdict.relative < SMALL)
    for outcome in wrong:
        case, verdict = outcome.case, outcome.verdict
        if case.id in confirmed:
            found[case.id] = Diagnosis(confirmed[case.id], CONFIRMED)
        elif verdict.single and case.method in in_float32 and dtype == "float64":
            name = "KnotPrecision" if case.method in _WITH_KNOTS else "Float32Inside"
            found[case.id] = Diagnosis(name, CONFIRMED)
        elif other_basis and case.method == "basis" and verdict.finite:
            found[case.id] = Diagnosis("OtherBasis", CONFIRMED, perhaps="CoxDeBoor")
        elif verdict.relative < SMALL and not verdict.defects:
            size = f"an error of {verdict.relative:.2g} of the largest number"
            # rounding to float32 makes small errors alone
            many = n_small[case.method] > MOST_SMALL * n_wrong[case.method]
            single = dtype == "float64" and SINGLE[0] < verdict.relative < SINGLE[1] and many
            single = single and case.method != "fit_affine"
            hint = "KnotPrecision" if case.method in _WITH_KNOTS else "Float32Inside"
            found[case.id] = Diagnosis("SmallError", CONFIRMED, size, hint if single else "")
    left = [outcome for outcome in wrong if outcome.case.id not in found]
    add_guesses(judged, left, found, likely)
    return found


def findings(outcomes: Sequence[Outcome], found: dict[str, Diagnosis]) -> list[Finding]:
    """Return diagnoses with their cases: confirmed flags first, then all others by their number of
    failures.
    """
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    details: dict[tuple[str, ...], str] = {}
    absorbed: dict[str, list[str]] = defaultdict(list)
    failed = {outcome.case.id for outcome in outcomes if outcome.status == "failed"}
    worst: dict[tuple[str, ...], float] = {}
    hints: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        one = found.get(outcome.case.id)
        if one is None:
            continue
        if one.confidence == ABSORBED:
            absorbed[one.name].append(outcome.case.id)
            continue
        if one.name == "SmallError":
            key: tuple[str, ...] = (one.name, one.confidence, "", "")
            hints[key][one.perhaps] += 1
        else:
            key = (one.name, one.confidence, one.perhaps, without_numbers(one.detail))
        groups[key].append(outcome.case.id)
        details.setdefault(key, one.detail)
        if one.name == "SmallError":
            worst[key] = max(worst.get(key, 0.0), outcome.verdict.relative)
            details[key] = f"errors of at most {worst[key]:.2g} of the largest number"
    made = [
        Finding(
            name,
            confidence,
            details[key],
            perhaps or max(hints[key], key=hints[key].__getitem__, default=""),
            tuple(cases),
            tuple(absorbed.pop(name, ()) if confidence == CONFIRMED else ()),
        )
        for key, cases in groups.items()
        for name, confidence, perhaps, _ in [key]
    ]
    return sorted(
        made,
        key=lambda one: (
            not any(case in failed for case in one.cases),
            one.confidence != CONFIRMED or one.name in FACTS,
            -sum(case in failed for case in (*one.cases, *one.absorbed)),
        ),
    )


def _is_other_basis(judged: Sequence[Outcome]) -> bool:
    """Return whether finite sums that are not 1 are in most cases that can show them."""
    cases = [one for one in judged if one.case.method == "basis" and not one.case.call]
    asked = [one for one in cases if points_inside(one.case.expected["basis"]).any()]
    shown = [one for one in asked if one.verdict.sums_to_one is False and one.verdict.finite]
    return len(shown) > MOST_SUMS * len(asked)
