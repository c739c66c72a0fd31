"""What a report says about failures is established, or marked as a guess."""

import conformance_plain
import numpy as np
import pytest

from kan_ref.conformance import calls, suite
from kan_ref.conformance.facts import FACTS
from kan_ref.conformance.report import to_plain
from kan_ref.conformance.run_report import lines
from kan_ref.conformance.subjects import DirectSubject

N_BASES = len(suite.choose(only=["bases"])[0][1])


class Basis:
    """The basis functions of the plain subject, changed by a subclass."""

    name = "basis alone"

    def basis(self, x, knots, degree):
        return conformance_plain.table(x, knots, degree)


class NoDegreeZero(Basis):
    def basis(self, x, knots, degree):
        assert degree > 0
        return super().basis(x, knots, degree)


class NoDegreeFour(Basis):
    def basis(self, x, knots, degree):
        if degree >= 4:
            raise MemoryError(f"degree {degree} is too large")
        return super().basis(x, knots, degree)


class WrongShape(Basis):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree)[:, :-1]


class SmallError(Basis):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree) + 3e-11


class Single(Basis):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree).astype(np.float32)


class Gaussians(Basis):
    def basis(self, x, knots, degree):
        centres = np.convolve(knots, np.ones(degree + 2) / (degree + 2), "valid")
        width = max(float(np.ptp(knots)), 1e-300) / len(knots)
        return np.exp(-(((x[:, None] - centres) / width) ** 2))


class NotANumber(Basis):
    def basis(self, x, knots, degree):
        found = super().basis(x, knots, degree)
        return np.where((np.diff(knots) == 0.0).any(), np.nan, found)


class ZeroGradient(conformance_plain.Plain):
    """All gradients are 0, as those of several defects are in single cases."""

    def layer_vjp(self, layer, x, dy):
        return {name: 0.0 * part for name, part in super().layer_vjp(layer, x, dy).items()}


def report_on(adapter, *only):
    with np.errstate(all="ignore"):
        return suite.run(DirectSubject(adapter), suite.choose(only=only or ["bases"]))


@pytest.mark.parametrize(
    ("adapter", "name", "detail"),
    [
        (NoDegreeZero, "DegreeZero", "AssertionError"),
        (WrongShape, "Shape", "basis has shape"),
        (SmallError, "SmallError", "errors of at most "),
        (Single, "Float32Inside", ""),
        (Gaussians, "OtherBasis", ""),
        (NotANumber, "RepeatedKnots", ""),
    ],
)
def test_the_first_finding_is_confirmed_and_says_what_was_seen(adapter, name, detail):
    first = report_on(adapter()).findings[0]

    assert (first.name, first.confidence) == (name, "confirmed")
    assert first.detail.startswith(detail)


def test_exceptions_are_grouped_by_type_and_message_whatever_the_numbers_in_it():
    (found,) = report_on(NoDegreeFour()).findings

    assert found.name == "Raises"
    assert found.detail.startswith("MemoryError: degree ")
    assert len(found.cases) > 10


def test_an_exception_is_never_given_to_a_flag_by_guessing():
    class Raises(Basis):
        def basis(self, x, knots, degree):
            raise KeyError("anything")

    report = report_on(Raises())

    assert {one.name for one in report.diagnoses.values()} == {"Raises"}
    assert f"found: Raises, {N_BASES} cases: KeyError: 'anything'" in lines(report)


def test_zeros_alone_confirm_no_defect():
    report = report_on(ZeroGradient(), "layer_vjp")

    assert report.failures
    assert all(
        one.confidence != "confirmed" or one.name in FACTS for one in report.diagnoses.values()
    )


def confirmed(adapter, *only):
    found = report_on(adapter, *only).findings
    assert found
    return {one.name for one in found if one.confidence == "confirmed"} - set(FACTS)


def test_curves_that_are_lost_on_a_part_of_the_grid_confirm_no_defect_of_whole_curves():
    class Lost(conformance_plain.Plain):
        def extend_grid(self, layer, x, n_intervals):
            finer = super().extend_grid(layer, x, n_intervals)
            coef = finer["coef"].copy()
            coef[..., : -(n_intervals // 3)] = 0.0
            return {**finer, "coef": coef}

    assert confirmed(Lost(), "grid_extension") == set()


def test_numbers_that_are_not_finite_show_no_behaviour_of_the_layer():
    class NotFinite(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            return super().layer_forward(layer, x) / 0.0

    assert confirmed(NotFinite(), "layer_forward", "batches") == set()


def test_a_finite_answer_for_nan_confirms_nothing_where_other_answers_are_wrong_too():
    class Nothing(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            return np.zeros((len(x), len(layer["coef"])))

    assert "NaNSwallowed" not in confirmed(Nothing(), "edges", "network_*", "side_effects")


def test_two_answers_of_none_are_not_equal_but_unreadable():
    class Missing(conformance_plain.Plain):
        def initial_layer(self, *given):
            return None

    (failed,) = report_on(Missing(), "initial_layer/same-seed").failures

    assert failed.case.id == "initial_layer/same-seed"
    assert failed.reason == f"the answer cannot be read: {calls.NOTHING}"
    with pytest.raises(ValueError, match="the answer is None"):
        calls.compare([None, None], "twice")


class LostGrid(conformance_plain.Plain):
    """Finer grids lack the curve, whatever their knots, samples and outputs."""

    def extend_grid(self, layer, x, n_intervals):
        finer = super().extend_grid(layer, x, n_intervals)
        return {**finer, "coef": 1.5 * finer["coef"]}


class NoSilu(conformance_plain.Plain):
    """The base function is another one than silu, where its weight is not 1."""

    def layer_forward(self, layer, x):
        return super().layer_forward({**layer, "w_base": layer["w_base"] ** 2}, x)


def first_name(report):
    one = report.findings[0]
    return one.perhaps if one.name in FACTS else one.name


@pytest.mark.parametrize(
    ("subject", "topics", "name"),
    [
        (LostGrid(), ["grid_extension"], "ExtensionNested"),
        (NoSilu(), ["edges"], "MissingWBase"),
    ],
)
def test_failures_of_many_kinds_have_one_cause_that_no_passed_case_contradicts(
    subject, topics, name
):
    assert first_name(report_on(subject, *topics)) == name


def test_an_exception_in_every_case_of_a_method_hints_at_no_flag():
    class Broken(conformance_plain.Plain):
        def count_parameters(self, widths, n_intervals, degree):
            raise OverflowError("low is nan")

    (finding,) = report_on(Broken(), "count_parameters").findings

    assert (finding.name, finding.perhaps) == ("Raises", "")


def test_curves_of_zeros_confirm_nothing_where_all_basis_functions_are_zeros():
    class NoBases(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return 0.0 * super().basis(x, knots, degree)

        def extend_grid(self, layer, x, n_intervals):
            finer = super().extend_grid(layer, x, n_intervals)
            return {**finer, "coef": 0.0 * finer["coef"]}

    named = confirmed(NoBases(), "bases", "grid_extension")

    assert not named & {"ZeroSupportFirstColumn", "OneOutput"}


def test_a_single_exception_does_not_stand_before_a_flag_of_many_failures():
    class Slope(conformance_plain.Plain):
        def basis_derivative(self, x, knots, degree, order):
            if degree == 7:
                raise ValueError("too high")
            return 1.25 * super().basis_derivative(x, knots, degree, order)

    names = [one.name for one in report_on(Slope(), "basis_derivatives").findings]

    assert names[:2] == ["BasisSlope", "Raises"]


def test_a_confirmed_flag_absorbs_other_failures_of_its_method():
    class NoMask(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            found = super().layer_forward({**layer, "mask": np.ones_like(layer["mask"])}, x)
            return found * (1.01 if layer["base"] == "identity" else 1.0)

    found = {one.name: one for one in report_on(NoMask(), "edges", "layer_forward").findings}

    assert found["MissingMask"].confidence == "confirmed"
    assert found["MissingMask"].absorbed
    assert set(found) == {"MissingMask", "Blocked"} or set(found) == {"MissingMask"}


def test_a_guess_is_printed_as_perhaps_and_apart_in_json():
    class Odd(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            found = super().basis(x, knots, degree)
            return found * (1.0 + 1e-3 * (degree == 2))

    report = report_on(Odd())
    plain = to_plain(report)
    said = "\n".join(lines(report))

    assert "    perhaps  " in said
    assert "    found    " not in said
    assert {found["confidence"] for found in plain["findings"]} == {"perhaps"}
    assert {case.get("confidence") for case in plain["cases"]} == {None, "perhaps"}


def test_a_method_that_hung_three_times_was_not_asked_about_its_other_cases():
    class Silent:
        name = "silent"

        def __init__(self):
            self.n_asked = 0

        def ask(self, case):
            self.n_asked += 1
            late = self.n_asked <= 3
            return suite_answer("no answer within 10 s", "no answer" if late else "not asked")

        def close(self):
            """Nothing to release."""

    report = suite.run(Silent(), suite.choose(only=["bases/degree-2-*"]))

    assert [(one.name, len(one.cases)) for one in report.findings] == [
        ("NotAsked", 8),
        ("NoAnswer", 3),
    ]


def suite_answer(text, kind):
    from kan_ref.conformance.calls import Answer

    return Answer(error=text, kind=kind)


def test_required_cases_are_counted_apart_from_open_ones():
    from kan_ref.conformance.adapters.reference import Reference

    report = suite.run(DirectSubject(Reference()))
    required = sum(one.case.kind == "required" for one in report.outcomes)
    reported = next(line for line in lines(report) if "required cases" in line)

    assert reported.startswith(
        f"{required - 2} of {required} required cases are right, 2 were skipped; of "
    )
    assert report.n_passed + report.n_skipped == len(report.outcomes)


def test_a_method_that_answers_most_cases_is_not_said_to_be_unsupported():
    class Some(Basis):
        def basis(self, x, knots, degree):
            if degree == 7:
                raise NotImplementedError
            return super().basis(x, knots, degree)

    (reported,) = [line for line in lines(report_on(Some())) if line.startswith("not supported")]

    assert reported.startswith("not supported: basis (")
    assert reported.endswith(f" of {N_BASES} cases)")
