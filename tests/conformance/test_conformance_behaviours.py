"""Answers of a method are compared with each other: random ones, old ones, and those of other calls."""

import re

import conformance_plain
import numpy as np
import pytest
from cases import for_all
from conformance_defects import DEFECTS, defective
from test_conformance_mutants import report_on

from kan_ref.conformance import calls, invariants, serve, suite, wire
from kan_ref.conformance.cases import arguments, load_topics
from kan_ref.conformance.direct_subject import Answer, DirectSubject, observed
from kan_ref.conformance.judge import judge
from kan_ref.conformance.plain_layer import read_numbers
from kan_ref.conformance.subjects import python_adapter


class Plain(conformance_plain.Plain):
    """The right implementation, whose layer multiplies each edge by `factors`."""

    def factors(self, shape):
        return np.ones(shape)

    def layer_forward(self, layer, x):
        outputs = conformance_plain.edges(layer, x)
        return (outputs * self.factors(outputs.shape)).sum(axis=2)


class Dropout(Plain):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def factors(self, shape):
        return (self.rng.random(shape) > 0.1) / 0.9


class SmallNoise(Dropout):
    def factors(self, shape):
        return 1.0 + 1e-6 * self.rng.normal(size=shape)


class Alternating(Plain):
    n = 0

    def factors(self, shape):
        self.n += 1
        return np.full(shape, 1.0 + 1e-3 * (self.n % 2))


class Accumulated(conformance_plain.Plain):
    """Gradients are added to those of the calls before."""

    def __init__(self):
        self.sums = {}

    def layer_vjp(self, layer, x, dy):
        found = super().layer_vjp(layer, x, dy)
        for name in ("d_coef", "d_w_base", "d_w_spline"):
            key = name, found[name].shape
            self.sums[key] = self.sums.get(key, 0.0) + found[name]
            found[name] = self.sums[key]
        return found


class NoisyNetwork(conformance_plain.Plain):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def network_forward(self, layers, x):
        return super().network_forward(layers, x) + 0.01 * self.rng.normal()


@pytest.mark.long
@pytest.mark.parametrize("subject", [Dropout, SmallNoise, Alternating, Accumulated, NoisyNetwork])
def test_answers_that_vary_from_call_to_call_have_one_finding(subject):
    report = report_on(subject())

    assert {name for name, _ in report.defects} == {"StateKept"}
    assert report.findings[0].confidence == "confirmed"


@pytest.mark.parametrize("call", ["fortran", "strided", "threads"])
def test_calls_that_need_a_usual_answer_are_blocked_by_the_case_that_finds_none(call):
    method = ["side_effects/layer-twice", f"side_effects/layer-{call}"]
    twice, other = report_on(Dropout(), only=method).outcomes
    (alone,) = report_on(Dropout(), only=method[1:]).outcomes

    assert (twice.status, other.status) == ("failed", "blocked")
    assert other.reason == "side_effects/layer-twice must be right first"
    assert alone.status == "failed"
    assert alone.verdict.certain == ("StateKept",)
    assert alone.reason.startswith("the usual call gives other answers, so that ")


class Differences(conformance_plain.Plain):
    """Second derivatives by central differences, whose rounding is divided by the step's square."""

    def __init__(self, step, changed=lambda x: x):
        self.step, self.changed = step, changed

    def input_hessian_diag(self, layers, x):
        x = self.changed(x)
        steps = self.step * np.eye(x.shape[1])
        two, *ends = (
            [self.network_forward(layers, x + n * one) for one in steps] for n in (0.0, 1.0, -1.0)
        )
        return (np.stack(ends[0], 2) - 2.0 * np.stack(two, 2) + np.stack(ends[1], 2)) / self.step**2

    def network_forward(self, layers, x):
        for layer in layers:
            rows = zip(x.T, layer["knots"], strict=True)
            bases = [self.basis(column, row, layer["degree"]) for column, row in rows]
            splines = np.einsum("ibm,jim->bji", np.array(bases), layer["coef"])
            weighted = (layer["mask"] * layer["w_spline"]) * splines
            base = conformance_plain.BASES[layer["base"]][0](x)
            x = weighted.sum(2) + np.einsum("bi,ji->bj", base, layer["mask"] * layer["w_base"])
        return x


def of_columns(x):
    """Return x as a function that assumes C order reads it."""
    return x.ravel(order="K").reshape(x.shape)


@for_all(
    ("step", "changed", "held"),
    [(1e-4, lambda x: x, 1), (1e-6, lambda x: x, 1), (1e-4, of_columns, 0)],
)
def test_rounding_that_a_method_amplifies_is_no_reading_in_another_order(step, changed, held):
    cases = {case.id: case for topic in load_topics() for case in topic.cases}
    case = cases["side_effects/hessian-fortran"]
    method = Differences(step, changed).input_hessian_diag

    assert calls.observe(method, arguments(case, "float64"), case.call) == held


def test_blocked_cases_are_counted_for_each_case_that_blocks_them():
    report = report_on(SmallNoise(), only=["side_effects"])
    blocked = [line for line in suite.lines(report) if line.startswith("BLOCKED side_effects: ")]
    counts = {line.split(" but ")[1]: int(line.split()[2]) for line in blocked}

    assert counts["side_effects/layer-twice must be right first"] == 3
    assert sum(counts.values()) == sum(one.status == "blocked" for one in report.outcomes)


# --- caches


class Cached(conformance_plain.Plain):
    """The basis functions, or the parameters, of an earlier call with the same key are used again."""

    part = "bases"

    def __init__(self):
        self.cache = {}

    def key(self, layer, x):
        raise NotImplementedError

    def layer_forward(self, layer, x):
        kept = self.cache.setdefault(self.key(layer, x), (layer, x.copy()))
        if self.part == "parameters":
            return super().layer_forward(kept[0], x)
        no_base = {**layer, "base": "zero"}
        no_spline = {**layer, "coef": 0.0 * layer["coef"]}
        spline = super().layer_forward({**no_base, "knots": kept[0]["knots"]}, kept[1])
        return spline + super().layer_forward(no_spline, x)


class ByShapeOfX(Cached):
    def key(self, layer, x):
        return x.shape, layer["degree"], layer["knots"].tobytes()


class ByX(Cached):
    def key(self, layer, x):
        return x.tobytes(), layer["degree"], layer["knots"].shape


class ByShapesOfParameters(Cached):
    part = "parameters"

    def key(self, layer, x):
        return layer["coef"].shape, layer["knots"].shape, layer["base"]


class BaseByShape(Cached):
    """The base functions alone are old."""

    def key(self, layer, x):
        return x.shape, layer["base"]

    def layer_forward(self, layer, x):
        kept = self.cache.setdefault(self.key(layer, x), x.copy())
        base, spline = {**layer, "coef": 0.0 * layer["coef"]}, {**layer, "base": "zero"}
        right = conformance_plain.Plain.layer_forward
        return right(self, base, kept) + right(self, spline, x)


@pytest.mark.parametrize("subject", [ByShapeOfX, ByX, ByShapesOfParameters, BaseByShape])
def test_a_cache_of_a_part_of_the_answer_is_named_whatever_its_key_lacks(subject):
    report = report_on(subject(), only=["edges", "layer_forward", "batches", "separability"])

    assert {one.name for one in report.findings if one.confidence == "confirmed"} == {"StaleCache"}
    assert report.defects[0][0] == "StaleCache"


class NoWSpline(conformance_plain.Plain):
    def layer_forward(self, layer, x):
        w_spline = np.ones_like(layer["w_spline"])
        return super().layer_forward({**layer, "w_spline": w_spline}, x)


def test_an_array_that_is_ignored_is_not_taken_for_an_old_one():
    report = report_on(NoWSpline(), only=["edges", "layer_forward"])

    assert report.defects[0][0] == "MissingWSpline"
    assert "StaleCache" not in dict(report.defects)


class MixedInputs(conformance_plain.Plain):
    def layer_forward(self, layer, x):
        return super().layer_forward(layer, x) + 0.1 * np.prod(x, axis=1, keepdims=True)


def test_inputs_that_mix_are_still_named():
    report = report_on(MixedInputs(), only=["edges", "layer_forward", "separability"])

    assert report.defects[0][0] == "NotSeparable"


# --- numbers that are not finite


class FarSplines(conformance_plain.Plain):
    """Splines are nan for |x| > 100, and silu is right."""

    def layer_forward(self, layer, x):
        y = super().layer_forward(layer, x)
        y[(np.abs(x) > 100.0).any(axis=1)] = np.nan
        return y


def test_silu_does_not_overflow_where_a_layer_without_it_is_nan_too():
    report = report_on(FarSplines(), only=["edges", "layer_forward"])

    assert report.defects == [("SplineSum", 1)]


class ZeroCoefficients(conformance_plain.Plain):
    """Coefficients are divided by the largest one of their edge."""

    def penalties(self, layers, x):
        return super().penalties([self.scaled(layer) for layer in layers], x)

    def scaled(self, layer):
        size = np.abs(layer["coef"]).max(axis=2, keepdims=True)
        with np.errstate(invalid="ignore"):
            return {**layer, "coef": layer["coef"] / size * size}


def test_the_logarithm_of_zero_is_not_found_where_l1_is_nan_too():
    report = report_on(ZeroCoefficients(), only=["penalties", "zero_edges"])

    assert report.failures
    assert all("l1" in one.verdict.outputs for one in report.failures)
    assert not any(
        one.name == "ZeroEdge" and one.confidence == "confirmed" for one in report.findings
    )


class KeepsKnots(conformance_plain.Plain):
    """Keeps the first knot vector of each input, degree and number of knots."""

    def __init__(self):
        self.kept = {}

    def layer_forward(self, layer, x):
        rows = [
            self.kept.setdefault((i, layer["degree"], len(row)), row.copy())
            for i, row in enumerate(layer["knots"])
        ]
        return super().layer_forward({**layer, "knots": np.array(rows)}, x)


def test_knots_that_are_kept_by_their_number_are_an_old_answer():
    report = report_on(KeepsKnots(), only=["layer_forward", "edges"])

    assert report.failures
    assert {(one.name, one.confidence) for one in report.findings} == {("StaleCache", "confirmed")}


# --- answers of another form


class TupleOfGradients(conformance_plain.Plain):
    def layer_vjp(self, layer, x, dy):
        return tuple(super().layer_vjp(layer, x, dy).values())


class NoDx(conformance_plain.Plain):
    def layer_vjp(self, layer, x, dy):
        return {"d_coef": super().layer_vjp(layer, x, dy)["d_coef"]}


class Text(conformance_plain.Plain):
    def layer_vjp(self, layer, x, dy):
        return {**super().layer_vjp(layer, x, dy), "dx": "none"}


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (TupleOfGradients, "the answer is a tuple, but must be a dict"),
        (NoDx, "the answer lacks 'dx' (give None for what is not supported)"),
        (Text, "could not convert string to float: 'none'"),
    ],
)
def test_an_answer_for_nan_in_another_form_is_unreadable_and_raises_nothing(subject, message):
    (failed,) = report_on(subject(), only=["side_effects/gradient-nan"]).failures

    assert failed.verdict.kind == "unreadable"
    assert failed.reason == f"the answer cannot be read: {message}"


def test_gradients_as_a_tuple_have_one_finding():
    report = report_on(TupleOfGradients(), only=["layer_vjp", "side_effects/gradient-nan"])

    assert [one.name for one in report.findings] == ["Unreadable"]


ADAPTER = """
class Returns:
    def layer_vjp(self, layer, x, dy):
        return (x, layer["coef"], layer["w_base"], layer["w_spline"])

    def layer_forward(self, layer, x):
        x @ layer["w_base"].T

    def basis(self, x, knots, degree):
        return x.astype(str)
"""


def test_a_served_adapter_has_the_same_messages(tmp_path, monkeypatch):
    (tmp_path / "returning.py").write_text(ADAPTER, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    chosen = suite.choose(
        only=[
            *("side_effects/gradient-nan", "layer_vjp/two-to-three"),
            *("layer_forward/two-to-three", "bases/degree-2-inside"),
        ]
    )
    subject = python_adapter("returning:Returns")
    try:
        verdicts = {one.case.id: one.verdict for one in suite.run(subject, chosen).outcomes}
    finally:
        subject.close()

    reasons = {name: verdict.message for name, verdict in verdicts.items()}
    words = "the answer cannot be read: the answer is"
    assert reasons["side_effects/gradient-nan"] == f"{words} a tuple, but must be a dict"
    assert reasons["layer_vjp/two-to-three"] == f"{words} a tuple, but must be a dict"
    assert reasons["layer_forward/two-to-three"].startswith(f"{words} None: ")
    assert verdicts["bases/degree-2-inside"].kind == "unreadable"


class Tensor:
    """An array that can be neither read nor copied, like a tensor of a graph of derivatives."""

    def __array__(self, *arguments, **options):
        raise RuntimeError("requires grad")

    def __deepcopy__(self, memo):
        raise RuntimeError("no leaf")


class Odd(conformance_plain.Plain):
    def __init__(self, change):
        self.change = change

    def layer_forward(self, layer, x):
        return self.change(super().layer_forward(layer, x))

    def layer_vjp(self, layer, x, dy):
        return {**super().layer_vjp(layer, x, dy), "dx": self.change(x)}


@for_all(
    ("change", "message"),
    [
        (lambda y: y.astype(str), r"has .*dtype <U\d+, but needs real numbers"),
        (lambda y: y + 0j, "has .*dtype complex128, but needs real numbers"),
        (lambda y: y > 0.0, "has .*dtype bool, but needs real numbers"),
        (lambda y: Tensor(), "cannot be read: requires grad"),
        (lambda y: NotImplemented, "a value of type NotImplementedType, but needs real numbers"),
        (lambda y: (row for row in y), "a value of type generator, but needs real numbers"),
    ],
)
@for_all("name", ["layer_forward/two-to-three", "layer_vjp/two-to-three"])
def test_an_answer_that_cannot_be_read_is_no_exception_of_the_method(change, message, name):
    (case,) = [case for topic in load_topics() for case in topic.cases if case.id == name]
    request = {"id": 1, "method": case.method, "args": wire.to_shaped(arguments(case))}

    reply = serve.answer(Odd(change), request, lambda value: value)
    verdict = judge(case, DirectSubject(Odd(change)).ask(case).result)

    kind = "form" if case.method == "layer_vjp" else "unreadable"
    assert (verdict.kind, reply["unreadable"][1]) == (kind, kind)
    assert re.search(message, verdict.message)
    assert re.search(message, reply["unreadable"][0])


@for_all(
    ("answer", "message"),
    [
        (
            [[1.0, 2.0], [1.0]],
            "row [1] of the answer has length 1, but row [0] has 2: make them equal",
        ),
        (
            [[[1], [1]], [[1], [1, 2]]],
            "row [1][1] of the answer has length 2, but row [0][0] has 1",
        ),
        (
            [np.ones((2, 3)), np.ones((2, 4))],
            "row [1][0] of the answer has length 4, but row [0][0]",
        ),
        ([[1.0], 2.0], "row [1] of the answer has length none, but row [0] has 1"),
        ({"y": [1.0]}, "the answer holds a value of type dict, but needs real numbers"),
    ],
)
def test_an_answer_of_no_array_names_the_row_of_another_length_or_the_type(answer, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        read_numbers(answer)


@pytest.mark.parametrize("call", ["twice", "kept", "fortran", "threads"])
def test_calls_of_a_method_whose_answers_cannot_be_copied_are_unreadable(call):
    case = f"side_effects/layer-{call}"
    (failed,) = report_on(Odd(lambda y: Tensor()), only=[case]).failures

    assert (failed.verdict.kind, failed.reason) == (
        "unreadable",
        "the answer cannot be read: requires grad",
    )


def test_a_program_has_the_same_messages_without_names_of_the_code():
    answers = [Answer({"dx": "none"}), Answer({"d_coef": [1.0]}), Answer(None)]
    given = {"x": np.zeros((1, 1)), "dy": np.zeros((1, 1))}

    errors = [observed([answer], given, "nan").error for answer in answers]

    assert errors == [
        "the answer cannot be read: could not convert string to float: 'none'",
        "the answer cannot be read: the answer lacks 'dx' (give None for what is not supported)",
        f"the answer cannot be read: {calls.NOTHING}",
    ]


def test_a_forgotten_return_is_said_first():
    class Forgets(conformance_plain.Plain):
        def layer_forward(self, layer, x):
            super().layer_forward(layer, x)

    (found,) = report_on(Forgets(), only=["edges", "layer_forward"]).findings

    assert found.name == "Unreadable"
    assert found.detail.startswith("the answer cannot be read: the answer is None")


# --- the identity for property tests


def test_the_identity_of_batches_says_that_a_second_call_differs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 2))

    with pytest.raises(ValueError, match=r"f gives another answer in a second call: sample \d, "):
        invariants.check_batch_independence(lambda x: x + 0.1 * rng.normal(size=x.shape), x)
    with pytest.raises(ValueError, match=r"f gives another answer in a second call: "):
        invariants.check_batch_independence(lambda x: x * (rng.random() > 0.3), x)
    with pytest.raises(ValueError, match=r"f depends on the batch: .* alone"):
        invariants.check_batch_independence(lambda x: x - x.mean(axis=0), x)


# --- defects that are recognised by their numbers or by cases of contract 5


@pytest.mark.parametrize("name", ["transposed weights", "transposed w_base", "transposed w_spline"])
def test_transposed_weights_are_confirmed_together_and_alone(name):
    old, new, flag = DEFECTS[name]
    first = report_on(defective(old, new), only=["edges", "layer_forward"]).findings[0]

    assert (first.name, first.confidence) == (flag, "confirmed")


@pytest.mark.parametrize("counted", [lambda t: t + 1, lambda t: 1, lambda t: t - 1])
def test_a_wrong_number_of_the_step_is_a_wrong_bias_correction(counted):
    class Adam:
        def adam_steps(self, theta, gradients, rate, beta1, beta2, epsilon):
            m, v = np.zeros_like(theta), np.zeros_like(theta)
            for step, g in enumerate(gradients, start=1):
                m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
                left, right = (1 - np.power(beta, float(counted(step))) for beta in (beta1, beta2))
                with np.errstate(all="ignore"):
                    theta = theta - rate * (m / left) / (np.sqrt(v / right) + epsilon)
            return theta

    report = report_on(Adam(), only=["optimizer_steps"])

    assert report.failures
    assert {name for name, _ in report.defects} == {"AdamBias"}


class MeanOfOneInput(conformance_plain.Plain):
    """With one input, dx is the mean over the batch."""

    def layer_vjp(self, layer, x, dy):
        found = super().layer_vjp(layer, x, dy)
        if x.shape[1] == 1 and len(x):
            found["dx"] = np.tile(found["dx"].mean(axis=0), (len(x), 1))
        return found


def test_right_derivatives_of_basis_functions_speak_against_wrong_ones_in_a_layer():
    def first(*topics):
        return report_on(MeanOfOneInput(), only=["edges", "layer_forward", *topics]).defects[0][0]

    assert first("layer_vjp") == "BasisSlope"
    assert first("*_derivatives", "layer_vjp") == "DxWithoutSpline"


class ClipsInPlace(conformance_plain.Plain):
    """The answers are right, and x is cut off at the ends of the grid afterwards."""

    def clipped(self, layer, x):
        k = layer["degree"]
        np.clip(x, layer["knots"][:, k], layer["knots"][:, -k - 1], out=x)

    def layer_forward(self, layer, x):
        y = super().layer_forward(layer, x)
        self.clipped(layer, x)
        return y


class UsesArguments(conformance_plain.Plain):
    """All methods without samples of a layer overwrite their first array."""

    def basis_derivative(self, x, knots, degree, order):
        found = super().basis_derivative(x, knots, degree, order)
        x *= 0.0
        return found

    def fit_affine(self, x, y, name):
        x -= 1.0
        return {"a": 1.0, "b": 0.5, "c": 1.0, "d": 0.25, "r2": 1.0}

    def save_load(self, layer):
        found = {name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in layer.items()}
        layer["coef"] *= 0.0
        return found

    def adam_steps(self, theta, gradients, *options):
        found = super().adam_steps(theta.copy(), gradients, *options)
        theta[:] = found
        return found

    def gradient_steps(self, theta, gradients, rate):
        theta -= rate * gradients.sum(axis=0)
        return theta


@pytest.mark.parametrize(
    ("subject", "failed"),
    [
        (ClipsInPlace, {"layer-outside"}),
        (UsesArguments, {"derivative", "fit", "save", "adam", "descent"}),
    ],
)
def test_arguments_that_are_changed_are_seen_in_every_method_and_outside_the_grid(subject, failed):
    report = report_on(subject(), only=["side_effects/*-arguments"])

    assert {one.case.id for one in report.failures} >= {
        f"side_effects/{name}-arguments" for name in failed
    }
    assert {name for name, _ in report.defects} == {"ArgumentsChanged"}


def test_a_seed_of_zero_is_a_seed():
    class Falsy(conformance_plain.Plain):
        def initial_layer(self, n_in, n_out, n_intervals, degree, seed):
            drawn = seed or int(np.random.default_rng().integers(1, 2**31))
            return super().initial_layer(n_in, n_out, n_intervals, degree, drawn)

    (failed,) = report_on(Falsy(), only=["initial_layer"]).failures

    assert failed.case.id == "initial_layer/same-seed-0"


def test_coefficients_of_zero_are_named_where_they_give_nan():
    class Layers(ZeroCoefficients):
        def layer_forward(self, layer, x):
            return super().layer_forward(self.scaled(layer), x)

    report = report_on(Layers(), only=["edges", "layer_forward", "penalties", "zero_edges"])

    assert {name for name, _ in report.defects} == {"ZeroCoefficients"}
    assert report.findings[0].confidence == "confirmed"
