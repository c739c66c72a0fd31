"""What a report says of failures: facts, the known defects that they resemble, and nothing where nothing agrees."""

import conformance_plain
import numpy as np
import pytest
from cases import for_all
from conformance_defects import DEFECTS, SOURCE, UNSEEN, VARIANTS
from test_conformance_defects import report_on

from benchmarks import conformance_patterns
from kan_ref.conformance import name, suite
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.generate.encode import FLAGS
from kan_ref.conformance.report import lines, to_plain
from kan_ref.conformance.subjects import Answer, DirectSubject

N_BASES = len(suite.choose(only=["bases"])[0][1])


class Basis:
    """The basis functions of the plain subject, changed by a function of the values and the degree."""

    name = "basis alone"

    def __init__(self, change):
        self.change = change

    def basis(self, x, knots, degree):
        return self.change(conformance_plain.table(x, knots, degree), degree)


def raises(b, degree):
    if degree >= 4:
        raise MemoryError(f"degree {degree} is too large, at 0x{id(b):x}")
    return b


@for_all(
    ("change", "fact", "detail"),
    [
        (raises, "Raises", "MemoryError: degree "),
        (lambda b, degree: b[:, :-1], "Shape", "basis has shape"),
        (lambda b, degree: "text", "Unreadable", "the answer cannot be read"),
        (lambda b, degree: None, "Unreadable", "the answer cannot be read: the answer is None"),
        (lambda b, degree: b + 3e-11, "SmallError", "errors of at most 3"),
        (lambda b, degree: b.astype(np.float32), "Float32Inside", ""),
        (lambda b, degree: np.where(degree == 0, np.nan, b), "NotFinite", "basis[0, 0]"),
    ],
)
def test_a_fact_comes_first_with_what_was_seen(change, fact, detail):
    first = report_on(Basis(change), only=["bases"]).findings[0]

    assert (first.name, first.kind) == (fact, "fact")
    assert first.detail.startswith(detail)
    assert len(first.cases) > 3


@for_all("change", [lambda b, degree: b + 3e-11, lambda b, degree: np.round(b, 10)])
def test_small_errors_resemble_no_defect(change):
    assert {one.name for one in report_on(Basis(change), only=["bases"]).findings} == {"SmallError"}


def test_an_exception_in_every_case_has_one_fact_with_all_of_them():
    def change(b, degree):
        raise KeyError("anything")

    report = report_on(Basis(change), only=["bases"])

    assert f"fact Raises, {N_BASES} cases: KeyError: 'anything'" in lines(report)


def test_a_resemblance_is_printed_with_its_agreement_and_is_in_the_json():
    report = report_on(Basis(lambda b, degree: b * (1.0 + 1e-3 * (degree == 2))), only=["bases"])
    (found,) = to_plain(report)["findings"]
    case = next(one for one in to_plain(report)["cases"] if one["status"] == "failed")

    assert found["kind"] == "resembles"
    assert case["id"] in found["cases"]
    said = f"resembles {found['name']}, agreement {found['agreement']:.2f}"
    assert any(line.startswith(f"    {said}: ") for line in lines(report))
    assert any(line.startswith(f"{said}, {len(found['cases'])} case") for line in lines(report))


TWO = [
    ("step by G - 1", "0/0 is nan"),
    ("missing w_spline", "parameters without weights"),
    ("closed end forgotten", "step by G - 1"),
    ("entropy in bits", "scaler twice in the fit"),
]


@for_all("names", TWO)
def test_two_defects_in_one_library_are_both_named(names):
    text = SOURCE
    for one in names:
        old, new, _ = DEFECTS[one]
        assert text.count(old)
        text = text.replace(old, new)
    space = {"__name__": "mutant"}
    exec(compile(text, "mutant", "exec"), space)
    report = report_on(space["Plain"](), skip=["side_effects", "*sixty-five*"])

    named = {one.name for one in report.findings if one.kind == "resembles"}
    assert named >= {DEFECTS[one][2] for one in names}


def test_a_method_that_hung_three_times_was_not_asked_about_its_other_cases():
    class Silent:
        name, dtype = "silent", "float64"
        n_asked = 0

        def ask(self, case):
            self.n_asked += 1
            kind = "no answer" if self.n_asked <= 3 else "not asked"
            return Answer(error="no answer within 10 s", kind=kind)

    report = suite.run(Silent(), suite.choose(only=["bases/degree-2-*"]))

    assert [(one.name, len(one.cases)) for one in report.findings[:2]] == [
        ("NotAsked", 8),
        ("NoAnswer", 3),
    ]


def test_required_cases_are_counted_apart_from_open_ones():
    report = suite.run(DirectSubject(Reference()))
    required = sum(one.case.kind == "required" for one in report.outcomes)
    reported = next(line for line in lines(report) if "required cases" in line)

    assert reported.startswith(
        f"{required - 3} of {required} required cases are right, 3 skipped; of "
    )
    assert report.findings == []


# --- patterns of known defects

SAMPLE = ("0/0 is nan", "missing w_spline", "0 log 0 is nan", "a node stays by either score")


def test_the_file_has_the_patterns_of_the_defects_as_they_are():
    made = conformance_patterns.document([conformance_patterns.tested(one) for one in SAMPLE])
    text = name.FILE.read_text(encoding="utf-8")

    assert len(made["patterns"]) == len(SAMPLE)
    for line in conformance_patterns.written(made).splitlines()[2:-1]:
        assert line.rstrip(",") in text


def test_every_pattern_belongs_to_a_listed_defect_and_fails_a_case():
    for pattern in name.load_patterns():
        assert (DEFECTS | VARIANTS)[pattern.change][2] == pattern.flag
        assert pattern.flag in FLAGS
        assert pattern.flag not in UNSEEN
        assert pattern.wrong


def test_a_run_agrees_fully_with_its_own_pattern_and_less_with_those_of_other_flags():
    class Reversed(conformance_plain.Plain):
        def basis_derivative(self, x, knots, degree, order):
            return -super().basis_derivative(x, knots, degree, order)

    report = report_on(Reversed(), only=["basis_derivatives"])
    scores = {flag: score for flag, (score, _) in name.agreements(report.outcomes).items()}

    assert scores["BasisSlope"] == max(scores.values()) == pytest.approx(1.0)
    assert scores["KnotOwnership"] < 0.5
    assert next(iter(scores)) == "BasisSlope"
    assert all(0.0 <= score <= 1.0 for score in scores.values())
