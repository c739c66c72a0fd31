"""Failures are compared with the patterns of known defects: exceptions get a name, and a mark alone confirms nothing."""

from itertools import pairwise

import conformance_plain
import numpy as np
import pytest
from conformance_defects import DEFECTS, UNSEEN, VARIANTS
from test_conformance_diagnosis import confirmed, first_name
from test_conformance_mutants import report_on

from benchmarks import conformance_patterns
from kan_ref.conformance import patterns
from kan_ref.conformance.facts import FACTS
from kan_ref.conformance.generate.notes import NOTES
from kan_ref.conformance.judge import BAD

SAMPLE = ("0/0 is nan", "missing w_spline", "0 log 0 is nan", "a node stays by either score")


def test_the_file_has_the_patterns_of_the_defects_as_they_are():
    made = conformance_patterns.document([conformance_patterns.tested(name) for name in SAMPLE])
    text = patterns.FILE.read_text(encoding="utf-8")

    assert len(made["patterns"]) == len(SAMPLE)
    for line in conformance_patterns.written(made).splitlines()[2:-1]:
        assert line.rstrip(",") in text


def test_every_pattern_belongs_to_a_listed_defect_and_fails_a_case():
    for pattern in patterns.load_patterns():
        assert (DEFECTS | VARIANTS)[pattern.change][2] == pattern.flag
        assert pattern.flag in NOTES
        assert pattern.flag not in UNSEEN
        assert pattern.wrong
        assert 0.0 <= pattern.marked <= 1.0


def test_a_run_agrees_fully_with_its_own_pattern_and_less_with_those_of_other_flags():
    class Reversed(conformance_plain.Plain):
        def basis_derivative(self, x, knots, degree, order):
            return -super().basis_derivative(x, knots, degree, order)

    report = report_on(Reversed(), only=["basis_derivatives"])
    likely = patterns.agreements(one for one in report.outcomes if one.status in ("passed", *BAD))
    scores = [one.score for one in likely.values()]

    assert likely["BasisSlope"].score == max(scores) == pytest.approx(1.0)
    assert likely["KnotOwnership"].score < 0.5
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_a_run_without_failures_agrees_with_no_pattern():
    report = report_on(conformance_plain.Plain(), only=["bases"])

    assert patterns.agreements(report.outcomes) == {}


class DividesByWidth(conformance_plain.Plain):
    """Repeated knots raise an exception, at every degree above 0."""

    def basis(self, x, knots, degree):
        if degree and (knots[degree:] == knots[:-degree]).any():
            raise ZeroDivisionError("float division by zero")
        return super().basis(x, knots, degree)


class NextIndex(conformance_plain.Plain):
    """The recursion reads beyond the last knot, as soon as it takes a step."""

    def basis(self, x, knots, degree):
        if degree:
            raise IndexError("list index out of range")
        return super().basis(x, knots, degree)


class Overflowing(conformance_plain.Plain):
    def layer_forward(self, layer, x):
        if layer["base"] == "silu" and (np.abs(x) > 700.0).any():
            raise OverflowError("math range error")
        return super().layer_forward(layer, x)


class Ragged(conformance_plain.Plain):
    """Knot vectors of removed nodes stay, so that the arrays of a layer do not fit."""

    def prune(self, layers, x, threshold):
        pruned = super().prune(layers, x, threshold)
        return [{**one, "knots": layer["knots"]} for one, layer in zip(pruned, layers, strict=True)]


@pytest.mark.parametrize(
    ("subject", "topics", "fact", "flag"),
    [
        (DividesByWidth(), ["bases"], "Raises", "RepeatedKnots"),
        (NextIndex(), ["bases"], "Raises", "CoxDeBoor"),
        (Overflowing(), ["edges", "layer_forward"], "Raises", "SiluOverflow"),
        (Ragged(), ["pruning"], "Unreadable", "PruneKeepsFunction"),
    ],
)
def test_the_pattern_of_failures_names_what_may_explain_an_exception(subject, topics, fact, flag):
    report = report_on(subject, only=topics)
    first = report.findings[0]

    assert (first.name, first.confidence) == (fact, "confirmed")
    assert first_name(report) == flag
    assert not {one.name for one in report.findings if one.confidence == "confirmed"} - set(FACTS)


def test_an_exception_does_not_hint_at_a_wrong_formula():
    class Raises(conformance_plain.Plain):
        def layer_vjp(self, layer, x, dy):
            if (layer["w_spline"] != 1.0).any():
                raise TypeError("can't multiply sequence by non-int")
            return super().layer_vjp(layer, x, dy)

    hints = {one.perhaps for one in report_on(Raises(), only=["layer_vjp"]).findings}

    assert not hints & patterns.FORMULAS


def test_a_mark_confirms_nothing_where_most_failures_have_another_cause():
    class Shrunk(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return np.where(x[:, None] == knots[-1], 0.0, 0.9 * super().basis(x, knots, degree))

    assert "LastEnd" not in confirmed(Shrunk(), "bases")


def test_splines_of_wrong_basis_functions_confirm_no_defect_of_gradients():
    class Constant(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return np.ones_like(super().basis(x, knots, degree))

        def layer_vjp(self, layer, x, dy):
            silu = {**layer, "w_spline": 0.0 * layer["w_spline"]}
            return {**super().layer_vjp(layer, x, dy), "dx": super().layer_vjp(silu, x, dy)["dx"]}

    assert confirmed(Constant(), "bases", "basis_derivatives", "layer_vjp") == set()


def test_a_finer_grid_of_zeros_alone_confirms_no_defect_of_the_samples():
    class Nothing(conformance_plain.Plain):
        def extend_grid(self, layer, x, n_intervals):
            finer = super().extend_grid(layer, x, n_intervals)
            return {**finer, "coef": 0.0 * finer["coef"]}

    assert "ZeroSupportFirstColumn" not in confirmed(Nothing(), "grid_extension")


@pytest.mark.parametrize(
    ("count", "flag"),
    [
        (lambda edges, outputs, n, k: edges * (n + 2), "CountBases"),
        (lambda edges, outputs, n, k: edges * (n + k + 1), "CountWeights"),
        (lambda edges, outputs, n, k: edges * (n + k) + edges // 2, "CountWeights"),
        (lambda edges, outputs, n, k: edges * (n + k + 2) + outputs, "CountBias"),
    ],
)
def test_a_wrong_count_is_named_by_its_errors(count, flag):
    class Counts:
        def count_parameters(self, widths, n_intervals, degree):
            edges = sum(a * b for a, b in pairwise(widths))
            return count(edges, sum(widths[1:]), n_intervals, degree)

    assert report_on(Counts()).findings[0].name == flag


def test_an_r2_that_is_wrong_in_most_fits_is_named_before_the_curves_that_it_chooses():
    class Offset(conformance_plain.Plain):
        def fit_affine(self, x, y, name):
            curves = {"square": (1.0, 0.5, 1.0, 0.25), "line": (2.0, -3.0, 1.0, 0.0)}
            a, b, c, d = curves["square" if name == "x^2" else "line"]
            return {"a": a, "b": b, "c": c, "d": d, "r2": 0.5}

    cases = ["fit_affine/square", "fit_affine/far-line", "fit_affine/line-through-few"]

    assert report_on(Offset(), only=cases).findings[0].name == "R2Offset"


def test_a_constant_input_outside_its_grid_is_named_so():
    class AtZero(conformance_plain.Plain):
        def update_grid(self, layer, x, uniform_share, margin):
            moved = super().update_grid(layer, x, uniform_share, margin)
            flat = np.ptp(x, axis=0) == 0.0
            return {**moved, "knots": moved["knots"] - np.where(flat, x[0], 0.0)[:, None]}

    report = report_on(AtZero(), only=["grid_update/constant-far*"])

    assert first_name(report) == "ConstantFeature"


class PointsForIntervals(conformance_plain.Plain):
    def uniform_knots(self, low, high, n_intervals, degree):
        h = (high - low) / max(1, n_intervals - 1)
        return low + h * np.arange(-degree, n_intervals + degree)


class WithoutTheFirst(conformance_plain.Plain):
    def uniform_knots(self, low, high, n_intervals, degree):
        return super().uniform_knots(low, high, n_intervals, degree)[min(degree, 1) :]


class OneMore(conformance_plain.Plain):
    def uniform_knots(self, low, high, n_intervals, degree):
        knots = super().uniform_knots(low, high, n_intervals, degree)
        return np.append(knots, 2.0 * knots[-1] - knots[-2])


@pytest.mark.parametrize(
    ("subject", "flag"),
    [(PointsForIntervals, "KnotStep"), (WithoutTheFirst, "OuterKnots"), (OneMore, "OuterKnots")],
)
def test_a_wrong_number_of_knots_is_one_of_outer_knots_unless_the_step_is_wrong(subject, flag):
    report = report_on(subject(), only=["knots"])

    assert [(one.name, one.perhaps) for one in report.findings] == [("Shape", flag)]
