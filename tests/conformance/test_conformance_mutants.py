"""The conformance kit finds and identifies injected bugs, and passes correct implementations of other styles."""

import functools

import conformance_plain
import numpy as np
import pytest
from conformance_defects import DEFECTS, VARIANTS, changed_methods, defective
from conformance_local import Local

from kan_ref.conformance import suite
from kan_ref.conformance.adapters.reference import Reference
from kan_ref.conformance.adapters.scipy_splines import SciPyBSplines
from kan_ref.conformance.facts import FACTS
from kan_ref.conformance.subjects import DirectSubject

NAMED_AT_LEAST = 0.97  # of the injected defects
VARIANTS_NAMED = (
    0.85  # of their variants, of which some have the same failures as those of another flag
)

# initial draws are open: other scales differ and fail nothing
DRAWS = {
    "coefficients of another scale": (
        "rng.normal(0.0, 0.1, (n_out",
        "rng.uniform(-0.1, 0.1, (n_out",
        "initcoef",
    ),
    "w_base of a Kaiming bound": (
        "bound = np.sqrt(6.0 / (n_in + n_out))",
        "bound = np.sqrt(6.0 / n_in)",
        "initwbase",
    ),
    "w_base of Xavier's normal distribution": (
        "rng.uniform(-bound, bound, (n_out, n_in))",
        "rng.normal(0.0, bound / np.sqrt(3.0), (n_out, n_in))",
        "",
    ),
    "coefficients of a stated scale": (
        "coef = rng.normal(0.0, 0.1, (n_out, n_in, n_intervals + degree))",
        "coef = rng.normal(0.0, 0.05, (n_out, n_in, n_intervals + degree))",
        "",
    ),
}


def report_on(adapter, **chosen):
    with np.errstate(all="ignore"):
        return suite.run(DirectSubject(adapter), suite.choose(**chosen))


@functools.cache
def report_on_mutant(name):
    """Return the report on a mutant.

    Topics whose methods it does not change are left out, since they pass; so are slow cases, and the
    slow derivatives of networks if the values or gradients of a layer are changed too.
    """
    old, new, _ = (DEFECTS | VARIANTS)[name]
    changed = changed_methods(old)
    topics = [
        topic.name
        for topic, cases in suite.choose()
        if any(case.method in changed for case in cases)
    ]
    slow = ["side_effects", "*sixty-five*"]
    slow += ["input_*"] if "layer_vjp" in changed else []
    return report_on(defective(old, new), only=topics, skip=slow)


def first_named(report):
    """Return the first flag of the catalogue among the findings: their own, or the one that may explain a fact."""
    names = [one.perhaps if one.name in FACTS else one.name for one in report.findings]
    return next((name for name in names if name), "none")


@pytest.mark.long
@pytest.mark.parametrize("name", DEFECTS)
def test_every_planted_fault_is_caught(name):
    assert report_on_mutant(name).failures


def test_a_change_reaches_the_methods_that_use_its_line_and_no_others():
    assert changed_methods("np.minimum(incoming, outgoing) > threshold") == {"prune"}
    assert changed_methods("(p * np.log(p)).sum()") == {"penalties"}
    assert {"basis", "update_grid", "penalties", "prune"} <= changed_methods("where=b > 0)")
    assert all(
        changed_methods(old) & set(vars(conformance_plain.Plain)) for old, _, _ in DEFECTS.values()
    )


@pytest.mark.parametrize("name", DRAWS)
def test_an_initial_draw_is_judged_by_its_scale_alone_and_never_fails(name):
    old, new, part = DRAWS[name]
    adapter = defective(old, new)
    if name == "coefficients of a stated scale":
        drawn = adapter.initial_layer
        adapter.initial_layer = lambda *given: {**drawn(*given), "sigma": 0.05}
    report = report_on(adapter, only=["initial_layer"])
    differs = [outcome.case.id for outcome in report.outcomes if outcome.status == "differs"]

    assert report.failures == ()
    assert len(differs) in (
        (3, 4) if part else (0,)
    )  # Kaiming's bound is near Xavier's for 160 to 10
    assert all(part in case for case in differs)


def test_a_stated_scale_that_is_no_positive_number_is_no_answer():
    class Stated(conformance_plain.Plain):
        def initial_layer(self, *given):
            return {**super().initial_layer(*given), "sigma": 0.0}

    report = report_on(Stated(), only=["initial_layer/init*", "initial_layer/same-seed"])

    assert {outcome.status for outcome in report.outcomes} == {"differs", "passed"}
    assert "sigma is 0, but must be a positive number" in report.outcomes[0].reason


@pytest.mark.long
@pytest.mark.parametrize(
    ("defects", "share"), [(DEFECTS, NAMED_AT_LEAST), (VARIANTS, VARIANTS_NAMED)]
)
def test_the_likely_defect_is_nearly_always_the_planted_one(defects, share):
    named = {name: first_named(report_on_mutant(name)) for name in defects}
    missed = {
        name: (found, defects[name][2])
        for name, found in named.items()
        if found != defects[name][2]
    }

    assert len(defects) - len(missed) >= share * len(defects), missed


@pytest.mark.parametrize("subject", [conformance_plain.Plain, Local, Reference, SciPyBSplines])
def test_a_right_implementation_of_another_style_passes_every_required_case_it_has_methods_for(
    subject,
):
    report = report_on(subject())
    asked = {outcome.case.method for outcome in report.outcomes if outcome.status != "skipped"}
    unasked = {outcome.case.method for outcome in report.outcomes} - asked

    assert [outcome.case.id for outcome in report.failures] == []
    assert all(not hasattr(subject, method) for method in unasked)
    assert report.n_passed > 100


@pytest.mark.parametrize("subject", [conformance_plain.Plain, Reference])
def test_float32_inputs_pass_with_tolerances_of_float32(subject):
    report = suite.run(DirectSubject(subject(), "float32"), dtype="float32")

    assert [outcome.case.id for outcome in report.failures] == []
    assert report.n_passed > 200


def test_an_implementation_in_float32_passes_in_float32_and_is_named_in_float64():
    class Single(conformance_plain.Plain):
        def basis(self, x, knots, degree):
            return super().basis(x, knots, degree).astype(np.float32)

    passed = suite.run(
        DirectSubject(Single(), "float32"), suite.choose(only=["bases"]), dtype="float32"
    )
    named = suite.run(DirectSubject(Single()), suite.choose(only=["bases"]))

    assert passed.failures == ()
    assert passed.n_passed > 50
    assert named.defects[0][0] == "Float32Inside"


class Pykan(conformance_plain.Plain):
    """Penalties of another convention: standard deviations, rows and columns."""

    def penalties(self, layers, x):
        l1, entropy = 0.0, 0.0
        for layer in layers:
            reach = np.std(x, axis=0, ddof=1) + 0.1 if len(x) > 1 else 0.1
            outputs = conformance_plain.edges(layer, x)
            a = np.std(outputs, axis=0, ddof=1) / reach if len(x) > 1 else 0.0 * outputs[0]
            l1 += a.sum()
            for shares in (a / (a.sum(axis=1, keepdims=True) + 1.0), (a / (a.sum(axis=0) + 1.0)).T):
                entropy -= (shares * np.log2(shares + 1e-4)).sum(axis=1).mean()
            x = self.layer_forward(layer, x)
        return {"l1": l1, "entropy": entropy}


def test_a_report_says_whose_convention_the_penalties_follow():
    other, papers = (
        report_on(Pykan(), only=["penalties*"]),
        report_on(conformance_plain.Plain(), only=["penalties*"]),
    )

    assert "convention penalties_pykan: agrees in 15 of 15" in suite.lines(other)
    assert other.defects[0][0] == "L1Deviation"
    assert {outcome.case.topic for outcome in other.failures} == {"penalties"}
    assert "convention penalties_pykan: agrees in 0 of 15" in suite.lines(papers)
    assert not any(line.startswith("differs") for line in suite.lines(papers))
    assert papers.failures == ()


def test_a_report_without_penalties_says_nothing_of_conventions():
    assert not any(
        line.startswith("convention") for line in suite.lines(report_on(SciPyBSplines()))
    )


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda layers: layers[:1], "a list of 2 layers is needed, but a list of 1 was answered"),
        (lambda layers: layers[0], "a list of 2 layers is needed, but a dict of 7 was answered"),
        (lambda layers: [layers[0], {**layers[1], "knots": layers[1]["knots"][:2], "coef": layers[1]["coef"][:, :2],
                                     **{name: layers[1][name][:, :2] for name in ("w_base", "w_spline", "mask")}}],
         "answered layer 0 has 3 outputs, but layer 1 has 2 inputs"),
    ],
)  # fmt: skip
def test_pruned_layers_that_do_not_fit_fail_in_words(answer, sentence):
    class Cut(conformance_plain.Plain):
        def prune(self, layers, x, threshold):
            return answer(layers)

    assert sentence in report_on(Cut(), only=["pruning/nothing-weak"]).failures[0].reason


def test_one_side_of_node_scores_may_be_left_out_but_must_be_said():
    class Half(conformance_plain.Plain):
        def node_scores(self, layers, x):
            return {**super().node_scores(layers, x), "outgoing": None}

    class Silent(conformance_plain.Plain):
        def node_scores(self, layers, x):
            return {"incoming": super().node_scores(layers, x)["incoming"]}

    class Short(conformance_plain.Plain):
        def node_scores(self, layers, x):
            return {side: found[:1] for side, found in super().node_scores(layers, x).items()}

    assert report_on(Half(), only=["node_scores"]).failures == ()
    assert "lacks 'outgoing'" in report_on(Silent(), only=["node_scores"]).failures[0].reason
    (failed,) = report_on(Short(), only=["node_scores"]).failures
    assert failed.case.id == "node_scores/three-layers"
    assert (
        "'incoming' of the answer has 1 entries, but 2 hidden layers need one each" in failed.reason
    )
