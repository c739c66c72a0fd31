"""What a report says about failures is established, or marked as a guess. Failures are compared with the patterns of known defects."""

from itertools import pairwise

import conformance_plain
import numpy as np
import pytest
from cases import for_all
from conformance_defects import DEFECTS, UNSEEN, VARIANTS
from test_conformance_mutants import report_on, report_on_mutant

from benchmarks import conformance_patterns
from kan_ref.conformance import calls, patterns, suite
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.facts import FACTS
from kan_ref.conformance.generate.notes import NOTES
from kan_ref.conformance.judge import BAD
from kan_ref.conformance.plain_layer import points_inside
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


def half(numbers):
    return np.asarray(numbers).astype(np.float16)


def brain(numbers):
    """Return the numbers in bfloat16, cut off: the first 16 bits of float32."""
    bits = np.asarray(numbers, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


class Rounded(conformance_plain.Plain):
    """Rounds the answers of one method to another format."""

    def __init__(self, method, to):
        setattr(self, method, lambda *given: to(getattr(super(Rounded, self), method)(*given)))


class NotANumber(Basis):
    def basis(self, x, knots, degree):
        found = super().basis(x, knots, degree)
        return np.where((np.diff(knots) == 0.0).any(), np.nan, found)


class SingleGrid(Reference):
    """Only the knots of a fresh layer are float32 numbers."""

    def initial_layer(self, *sizes):
        layer = super().initial_layer(*sizes)
        return {**layer, "knots": layer["knots"].astype(np.float32).astype(np.float64)}


class ZeroGradient(conformance_plain.Plain):
    """All gradients are 0, as those of several defects are in single cases."""

    def layer_vjp(self, layer, x, dy):
        return {name: 0.0 * part for name, part in super().layer_vjp(layer, x, dy).items()}


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
    first = report_on(adapter(), only=["bases"]).findings[0]

    assert (first.name, first.confidence) == (name, "confirmed")
    assert first.detail.startswith(detail)


class Exchanged(Basis):
    def basis(self, x, knots, degree):
        return super().basis(x, knots, degree).T


class NanEverywhere(Basis):
    def basis(self, x, knots, degree):
        return np.nan * super().basis(x, knots, degree)


class MostlyShapes(Basis):
    """Functions of another basis, in a wrong shape unless there are as many points as functions."""

    def basis(self, x, knots, degree):
        return 0.5 * super().basis(x, knots, degree).T


SQUARE = [
    case.id
    for case in suite.choose(only=["bases"])[0][1]
    if len({*case.expected["basis"].shape}) == 1 and points_inside(case.expected["basis"]).any()
]


@for_all(
    ("adapter", "cases"),
    [
        (Exchanged, SQUARE[:1]),
        (Exchanged, SQUARE),
        (NanEverywhere, ["bases"]),
        (MostlyShapes, ["bases/degree-*"]),
    ],
)
def test_exchanged_axes_nan_and_wrong_shapes_are_no_other_basis(adapter, cases):
    report = report_on(adapter(), only=cases)

    assert report.failures
    assert "OtherBasis" not in {one.name for one in report.findings}


@for_all("to", [half, brain])
def test_answers_in_float16_or_bfloat16_alone_are_named_as_those_in_float32(to):
    report = report_on(Rounded("layer_forward", to), only=["edges", "separability"])

    assert report.failures
    assert {(one.name, one.confidence) for one in report.findings} == {
        ("Float32Inside", "confirmed")
    }


@for_all("n_digits", [8, 10, 12])
def test_rounded_decimals_are_not_float32_though_0_and_1_are_numbers_of_it(n_digits):
    class Decimals(Basis):
        def basis(self, x, knots, degree):
            return np.round(super().basis(x, knots, degree), n_digits)

    report = report_on(Decimals(), only=["bases"])

    assert report.findings[0].name == "SmallError"
    assert "Float32Inside" not in {one.name for one in report.findings}


def test_one_case_that_shows_no_format_is_in_float32_where_other_cases_of_the_method_are():
    far = "bases/between-outer-knots-far-degree-1"  # answers of 0 and 1 in float32
    alone = report_on(Single(), only=[far])
    whole = report_on(Single(), only=["bases"])

    assert [(one.name, one.cases) for one in alone.findings] == [("SmallError", (far,))]
    assert [(one.name, far in one.cases) for one in whole.findings] == [("Float32Inside", True)]


def test_one_small_error_beside_large_ones_is_not_the_rounding_of_knots():
    class OuterStep:
        def uniform_knots(self, low, high, n_intervals, degree):
            knots = Reference().uniform_knots(low, high, n_intervals, degree).copy()
            outer = (high - low) / max(1, n_intervals - 1) * np.arange(1, degree + 1)
            knots[:degree], knots[len(knots) - degree :] = low - outer[::-1], high + outer
            return knots

    report = report_on(OuterStep(), only=["knots"])

    assert [(one.name, one.perhaps, len(one.cases)) for one in report.findings] == [
        ("OuterKnots", "", 7),
        ("SmallError", "", 1),
    ]


class LoadsFixed(conformance_plain.Plain):
    """Loads an entry of a layer that was not saved."""

    def __init__(self, name, value):
        self.entry = {name: value}

    def save_load(self, layer):
        return {**layer, **self.entry}


@for_all("base", ["silu", "identity", "zero"])
def test_a_base_function_that_is_not_saved_is_confirmed_as_a_lost_part(base):
    report = report_on(LoadsFixed("base", base), only=["save_load"])

    assert report.failures
    assert {(one.name, one.confidence) for one in report.findings} == {("RoundTrip", "confirmed")}


def test_a_degree_that_is_not_saved_is_not_called_a_missing_degree_of_0():
    report = report_on(LoadsFixed("degree", 3), only=["save_load"])
    (found,) = report.findings

    assert [one.case.id for one in report.failures] == ["save_load/degree-0"]
    assert (found.name, found.perhaps) == ("Unreadable", "RoundTrip")


def test_float32_knots_of_a_fresh_layer_are_named_as_those_of_a_grid():
    report = report_on(SingleGrid(), only=["initial_layer"])

    assert len(report.failures) == 2
    assert {(one.name, one.confidence) for one in report.diagnoses.values()} == {
        ("KnotPrecision", "confirmed")
    }


def test_exceptions_are_grouped_by_type_and_message_whatever_the_numbers_in_it():
    (found,) = report_on(NoDegreeFour(), only=["bases"]).findings

    assert found.name == "Raises"
    assert found.detail.startswith("MemoryError: degree ")
    assert len(found.cases) > 10


def test_an_exception_is_never_given_to_a_flag_by_guessing():
    class Raises(Basis):
        def basis(self, x, knots, degree):
            raise KeyError("anything")

    report = report_on(Raises(), only=["bases"])

    assert {one.name for one in report.diagnoses.values()} == {"Raises"}
    assert f"found: Raises, {N_BASES} cases: KeyError: 'anything'" in lines(report)


class EntropyOfNothing(conformance_plain.Plain):
    def penalties(self, layers, x):
        right = super().penalties(layers, x)
        return {**right, "entropy": right["entropy"] or 1.0}


class Factor(conformance_plain.Plain):
    """Multiplies outputs of a method by a function of the number of samples and of the layer."""

    def __init__(self, method, outputs, by):
        self.by, self.outputs = by, outputs
        setattr(self, method, lambda *given: self.changed(method, *given))

    def changed(self, method, layers, x, *more):
        right = getattr(super(), method)(layers, x, *more)
        by = {output: self.by(layers, len(x)) for output in self.outputs}
        return {output: by.get(output, 1.0) * value for output, value in right.items()}


@for_all(
    ("method", "outputs", "by", "flag"),
    [
        ("penalties", ["entropy"], lambda layers, n: 1.0 / np.log(10.0), "EntropyBase"),
        ("penalties", ["entropy"], lambda layers, n: 1.0 / np.log(1.3), "EntropyBase"),
        ("layer_vjp", ["d_coef"], lambda layer, n: 1.0 / max(n, 1), "MeanOverBatch"),
        ("layer_vjp", ["d_w_base"], lambda layer, n: 1.0 / max(n, 1), "MeanOverBatch"),
        ("layer_vjp", ["d_w_spline", "d_coef"], lambda layer, n: 1 / max(n, 1), "MeanOverBatch"),
    ],
)
def test_a_factor_that_a_formula_gives_confirms_its_defect(method, outputs, by, flag):
    report = report_on(Factor(method, outputs, by), only=[method])

    assert [(one.name, one.confidence) for one in report.findings] == [(flag, "confirmed")]


class NetworkGradients:
    """Gradients of networks alone, of parameters times a function of the number of samples."""

    def __init__(self, by):
        self.by = by

    def network_vjp(self, layers, x, dy):
        right = conformance_plain.Plain().network_vjp(layers, x, dy)
        scaled = [
            {name: self.by(len(x)) * part for name, part in layer.items()}
            for layer in right["layers"]
        ]
        return {**right, "layers": scaled}


@for_all(
    ("by", "names"),
    [(lambda n: 1.0 / max(n, 1), {"MeanOverBatch"}), (lambda n: 0.25, set())],
)
def test_means_over_the_batch_are_found_in_networks_without_a_layer(by, names):
    report = report_on(NetworkGradients(by), only=["network_vjp"])

    assert report.failures
    assert {one.name for one in report.findings if one.confidence == "confirmed"} == names


@for_all(
    ("method", "outputs", "by"),
    [
        ("penalties", ["entropy"], lambda layers, n: 0.5 + 0.1 * len(layers)),
        ("penalties", ["entropy", "l1"], lambda layers, n: 0.5),
        ("penalties", ["entropy"], lambda layers, n: -1.0),
        ("penalties", ["entropy"], lambda layers, n: 1.0 if n == 9 else 0.5),
        ("layer_vjp", ["d_coef"], lambda layer, n: 0.25),
        ("layer_vjp", ["dx"], lambda layer, n: 1.0 / max(n, 1)),
        ("layer_vjp", ["d_coef"], lambda layer, n: 1.0 / len(layer["knots"])),
    ],
)
def test_a_factor_that_no_formula_gives_confirms_nothing(method, outputs, by):
    report = report_on(Factor(method, outputs, by), only=[method])

    assert report.failures
    assert "confirmed" not in {one.confidence for one in report.findings}


class LogarithmOfMore(conformance_plain.Plain):
    """Adds a small number to the shares and to their sum, so that no logarithm is that of 0."""

    def __init__(self, epsilon):
        self.epsilon = epsilon

    def penalties(self, layers, x):
        entropy = 0.0
        for scores in self.edge_scores(layers, x):
            shares = scores / (scores.sum() + self.epsilon)
            entropy -= float((shares * np.log(shares + self.epsilon)).sum())
        return {**super().penalties(layers, x), "entropy": entropy}


@for_all("epsilon", [1e-12, 1e-11])
def test_a_small_number_in_the_logarithm_is_no_other_base_of_it(epsilon):
    report = report_on(LogarithmOfMore(epsilon), only=["penalties"])

    assert {(one.name, one.confidence) for one in report.findings} == {("SmallError", "confirmed")}


def test_an_entropy_that_is_wrong_where_it_is_0_has_no_factor():
    report = report_on(EntropyOfNothing(), only=["penalties", "zero_edges"])

    assert report.failures
    assert "EntropyBase" not in dict(report.defects)


class OnesForDy(conformance_plain.Plain):
    """One gradient has ones in place of dy."""

    def __init__(self, output):
        self.output = output

    def layer_vjp(self, layer, x, dy):
        ones = super().layer_vjp(layer, x, np.ones_like(dy))
        return {**super().layer_vjp(layer, x, dy), self.output: ones[self.output]}


@for_all("output", ["dx", "d_coef"])
def test_a_defect_of_one_output_alone_is_confirmed_by_the_marks_in_it(output):
    report = report_on(OnesForDy(output), only=["layer_vjp"], skip=["*uneven*"])

    assert [(one.name, one.confidence) for one in report.findings] == [("DyIgnored", "confirmed")]


def test_zeros_alone_confirm_no_defect():
    report = report_on(ZeroGradient(), only=["layer_vjp"])

    assert report.failures
    assert all(
        one.confidence != "confirmed" or one.name in FACTS for one in report.diagnoses.values()
    )


def confirmed(adapter, *only):
    found = report_on(adapter, only=only or ["bases"]).findings
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

    (failed,) = report_on(Missing(), only=["initial_layer/same-seed"]).failures

    assert failed.case.id == "initial_layer/same-seed"
    assert failed.reason == f"the answer cannot be read: {calls.NOTHING}"
    with pytest.raises(ValueError, match="the answer is None"):
        calls.compare([None, None], {}, "twice")


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
    assert first_name(report_on(subject, only=topics or ["bases"])) == name


def test_an_exception_in_every_case_of_a_method_hints_at_no_flag():
    class Broken(conformance_plain.Plain):
        def count_parameters(self, widths, n_intervals, degree):
            raise OverflowError("low is nan")

    (finding,) = report_on(Broken(), only=["count_parameters"]).findings

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

    names = [one.name for one in report_on(Slope(), only=["basis_derivatives"]).findings]

    assert names[:2] == ["BasisSlope", "Raises"]


# points in another order make a sample depend on the others of its batch: both are true
TRUE_AS_WELL = {"points sorted": {"BatchDependence"}}


class Keeps(conformance_plain.Plain):
    """Keeps the nodes that a rule selects by their incoming and outgoing scores."""

    def __init__(self, rule):
        self.rule = rule

    def prune(self, layers, x, threshold):
        scores, layers = self.node_scores(layers, x), [dict(layer) for layer in layers]
        sides = zip(scores["incoming"], scores["outgoing"], strict=True)
        for one, two, (incoming, outgoing) in zip(layers, layers[1:], sides, strict=False):
            kept = self.rule(incoming, outgoing, threshold)
            one |= {name: one[name][kept] for name in ("coef", "w_base", "w_spline", "mask")}
            two |= {name: two[name][:, kept] for name in ("coef", "w_base", "w_spline", "mask")}
            two["knots"] = two["knots"][kept]
        return layers


@for_all(
    "rule",
    [
        lambda incoming, outgoing, threshold: np.sqrt(incoming * outgoing) > threshold,
        lambda incoming, outgoing, threshold: np.minimum(incoming, outgoing) > 2.0 * threshold,
        lambda incoming, outgoing, threshold: np.minimum(incoming, outgoing) > 0.5 * threshold,
    ],
)
def test_another_rule_of_pruning_confirms_none_that_keeps_the_same_nodes_in_some_cases(rule):
    report = report_on(Keeps(rule), only=["pruning", "node_scores"])

    assert [(one.name, one.confidence) for one in report.findings] == [("PruneRule", "perhaps")]


RULES = {
    "the outgoing score alone": lambda incoming, outgoing, threshold: outgoing > threshold,
    "either score": lambda incoming, outgoing, threshold: (
        np.maximum(incoming, outgoing) > threshold
    ),
    "the mean of both": lambda incoming, outgoing, threshold: incoming + outgoing > 2.0 * threshold,
    "at least the threshold": lambda incoming, outgoing, threshold: (
        np.minimum(incoming, outgoing) >= threshold
    ),
    "sums over nine samples": lambda incoming, outgoing, threshold: (
        9.0 * np.minimum(incoming, outgoing) > threshold
    ),
}


@for_all("dtype", ["float64", "float32"])
@for_all("rule", RULES)
def test_kept_nodes_alone_confirm_no_rule_of_pruning(rule, dtype):
    subject = DirectSubject(Keeps(RULES[rule]), dtype)
    report = suite.run(subject, suite.choose(only=["pruning"]), dtype=dtype)

    assert report.findings
    assert {one.confidence for one in report.findings} == {"perhaps"}


class OneNodeMore(Reference):
    """A copy of the first node is added, with an edge of 1e-30 of its weights to each output."""

    def prune(self, layers, x, threshold):
        first, second = super().prune(layers, x, threshold)
        for name in ("coef", "w_base", "w_spline", "mask"):
            size = 1.0 if name in ("mask", "coef") else 1e-30
            first[name] = np.concatenate([first[name], first[name][:1]])
            second[name] = np.concatenate([second[name], size * second[name][:, :1]], axis=1)
        second["knots"] = np.concatenate([second["knots"], second["knots"][:1]])
        return [first, second]


@for_all("dtype", ["float64", "float32"])
def test_a_wrong_number_of_nodes_fails_in_both_precisions_though_outputs_are_right(dtype):
    chosen = suite.choose(only=["pruning/scores-at-the-threshold"])
    report = suite.run(DirectSubject(OneNodeMore(), dtype), chosen, dtype=dtype)

    assert [one.verdict.outputs for one in report.failures] == [("kept",)]


class Gathers(conformance_plain.Plain):
    """Scores of nodes are sums over their edges."""

    def node_scores(self, layers, x):
        scores = self.edge_scores(layers, x)
        return {
            "incoming": [before.sum(axis=1) for before in scores[:-1]],
            "outgoing": [after.sum(axis=0) for after in scores[1:]],
        }

    def prune(self, layers, x, threshold):
        return Keeps.prune(self, layers, x, threshold)

    def rule(self, incoming, outgoing, threshold):
        return np.minimum(incoming, outgoing) > threshold


class MedianScores(Gathers):
    """Scores of nodes are the largest medians over samples, in place of means."""

    def node_scores(self, layers, x):
        scores = []
        for layer in layers:
            masks = [np.arange(len(layer["knots"])) == i for i in range(len(layer["knots"]))]
            parts = [self.layer_forward({**layer, "mask": layer["mask"] * m}, x) for m in masks]
            scores.append(np.median(np.abs(np.stack(parts, axis=-1)), axis=0))
            x = sum(parts)
        return {
            "incoming": [before.max(axis=1) for before in scores[:-1]],
            "outgoing": [after.max(axis=0) for after in scores[1:]],
        }


def test_one_choice_of_nodes_confirms_no_kind_of_scores_unless_the_scores_themselves_do():
    alone = ["pruning"]
    both = ["pruning", "node_scores"]

    assert confirmed(Gathers(), *alone) == set()
    assert confirmed(Gathers(), *both) == {"NodeScoreMax"}
    assert confirmed(MedianScores(), *alone) == set()
    assert confirmed(MedianScores(), *both) == set()


@for_all(
    ("name", "flag"),
    [
        ("edges are pruned too", "PruneEdges"),
        ("the first knot vectors stay when nodes go", "PruneKeepsFunction"),
    ],
)
def test_wrong_values_of_the_right_nodes_confirm_a_defect_of_pruning(name, flag):
    found = report_on_mutant(name).findings

    assert [(one.name, one.confidence) for one in found] == [(flag, "confirmed")]


@pytest.mark.long
@for_all("name", DEFECTS)
def test_a_defect_confirms_no_flag_but_its_own(name):
    report = report_on_mutant(name)

    named = {one.name for one in report.findings if one.confidence == "confirmed"} - set(FACTS)

    assert named <= {*DEFECTS[name][2].split(), *TRUE_AS_WELL.get(name, ())}


def test_a_confirmed_flag_absorbs_other_failures_of_its_method():
    class NoMask(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            found = super().layer_forward({**layer, "mask": np.ones_like(layer["mask"])}, x)
            return found * (1.01 if layer["base"] == "identity" else 1.0)

    found = {one.name: one for one in report_on(NoMask(), only=["edges", "layer_forward"]).findings}

    assert found["MissingMask"].confidence == "confirmed"
    assert found["MissingMask"].absorbed
    assert set(found) == {"MissingMask", "Blocked"} or set(found) == {"MissingMask"}


def test_a_guess_is_printed_as_perhaps_and_apart_in_json():
    class Odd(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            found = super().basis(x, knots, degree)
            return found * (1.0 + 1e-3 * (degree == 2))

    report = report_on(Odd(), only=["bases"])
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
    from kan_ref.conformance.subjects import Answer

    return Answer(error=text, kind=kind)


def test_required_cases_are_counted_apart_from_open_ones():
    from kan_ref.conformance.adapters.reference import Reference

    report = suite.run(DirectSubject(Reference()))
    required = sum(one.case.kind == "required" for one in report.outcomes)
    reported = next(line for line in lines(report) if "required cases" in line)

    assert reported.startswith(
        f"{required - 3} of {required} required cases are right, 3 were skipped; of "
    )
    assert report.n_passed + report.n_skipped == len(report.outcomes)


def test_a_method_that_answers_most_cases_is_not_said_to_be_unsupported():
    class Some(Basis):
        def basis(self, x, knots, degree):
            if degree == 7:
                raise NotImplementedError
            return super().basis(x, knots, degree)

    (reported,) = [
        line
        for line in lines(report_on(Some(), only=["bases"]))
        if line.startswith("not supported")
    ]

    assert reported.startswith("not supported: basis (")
    assert reported.endswith(f" of {N_BASES} cases)")


# --- patterns of known defects

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


@pytest.mark.parametrize("answer", [None, "text", [[1.0], [1.0, 2.0]]])
def test_values_that_were_not_read_do_not_hint_at_a_wrong_formula(answer):
    class Answers(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return answer

    (found,) = report_on(Answers(), only=["bases"]).findings

    assert (found.name, found.perhaps) == ("Unreadable", "")


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
        (lambda edges, outputs, n, k: edges * (n + k + 2) + outputs + 2, "CountBias"),
        (lambda edges, outputs, n, k: edges * (n + k + 3), "CountBases"),
        (lambda edges, outputs, n, k: edges * (n + k + 2) + 3 * edges, "CountBases"),
    ],
)
def test_a_wrong_count_is_named_by_its_errors(count, flag):
    class Counts:
        def count_parameters(self, widths, n_intervals, degree):
            edges = sum(a * b for a, b in pairwise(widths))
            return count(edges, sum(widths[1:]), n_intervals, degree)

    assert report_on(Counts()).findings[0].name == flag


class SharesOfAll(conformance_plain.Plain):
    """Entropy of shares of the sum over all layers; l1 is right."""

    def penalties(self, layers, x):
        scores = np.concatenate([one.ravel() for one in self.edge_scores(layers, x)])
        shares = scores[scores > 0.0] / max(scores.sum(), 1e-300)
        entropy = -float((shares * np.log(shares)).sum())
        return {**super().penalties(layers, x), "entropy": entropy}


class LastEntropy(conformance_plain.Plain):
    """Entropy of the last layer alone; l1 is right."""

    def penalties(self, layers, x):
        at = self.network_forward(layers[:-1], x) if len(layers) > 1 else x
        entropy = super().penalties(layers[-1:], at)["entropy"]
        return {**super().penalties(layers, x), "entropy": entropy}


@for_all(("subject", "flag"), [(SharesOfAll, "EntropyShares"), (LastEntropy, "PenaltyOneLayer")])
def test_an_entropy_that_is_wrong_beside_a_right_l1_has_a_cause_of_its_own(subject, flag):
    report = report_on(subject(), only=["penalties"])

    assert [(one.name, one.confidence) for one in report.findings] == [
        (flag, "perhaps" if flag == "EntropyShares" else "confirmed")
    ]


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


def test_exceptions_are_grouped_whatever_the_addresses_in_their_messages():
    class Addressed(Basis):
        def basis(self, x, knots, degree):
            raise TypeError(f"{object()} is bad")

    (found,) = report_on(Addressed(), only=["bases"]).findings

    assert (found.name, len(found.cases)) == ("Raises", N_BASES)
