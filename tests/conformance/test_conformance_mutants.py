"""The kit catches and names injected defects, and passes correct implementations of other styles; what a report says of failures."""

import threading
from functools import partial

import conformance_subjects as styles
import numpy as np
import pytest
from cases import for_all
from conformance_defects import DEFECTS, SOURCE, UNSEEN, VARIANTS, changed_methods, defective
from conformance_plain import Plain

from benchmarks import conformance_patterns
from kan_ref.conformance import cases, name, suite
from kan_ref.conformance.adapters.reference import Reference, SciPyBSplines
from kan_ref.conformance.report import to_plain
from kan_ref.conformance.subjects import DirectSubject

SLOW = ["side_effects", "*sixty-five*"]


def report_on(adapter, dtype="float64", **chosen):
    with np.errstate(all="ignore"):
        return suite.run(DirectSubject(adapter, dtype), suite.choose(**chosen))


def first_named(report):
    """Return the first flag of the catalogue among the findings."""
    return next((one.name for one in report.findings if one.name not in name.FACTS), "none")


def ids(outcomes):
    return [one.case.id for one in outcomes]


# --- injected defects


def report_on_defect(defect):
    """Return the report on an injected defect in the topics whose methods it changes, without slow cases."""
    old, new, _ = (DEFECTS | VARIANTS)[defect]
    changed = changed_methods(old)
    topics = [one.name for one, members in suite.choose() if any(case.method in changed for case in members)]
    adapter = defective(old, new)
    report = report_on(adapter, only=topics, skip=[*SLOW, "input_*"])  # these are slow, and the last to fail
    return report if report.failures else report_on(adapter, only=topics, skip=SLOW)


@pytest.mark.parametrize(
    ("defects", "share"),
    [
        pytest.param(dict(list(DEFECTS.items())[::12]), 1.0, id="some"),
        pytest.param(DEFECTS, 0.97, id="all", marks=pytest.mark.long),
        # some variants fail the same cases as those of another flag
        pytest.param(VARIANTS, 0.8, id="variants", marks=pytest.mark.long),
    ],
)
def test_every_injected_defect_is_caught_and_nearly_always_named_first(defects, share):
    reports = {defect: report_on_defect(defect) for defect in defects}
    missed = [defect for defect, report in reports.items() if not report.failures]
    named = {defect: first_named(report) for defect, report in reports.items()}
    wrong = {defect: flag for defect, flag in named.items() if flag != defects[defect][2]}

    assert missed == []
    assert len(defects) - len(wrong) >= share * len(defects), wrong


def changed(**methods):
    """Return the right subject with methods replaced, each by a function of the right one and its arguments."""
    subject = Plain()
    for method, change in methods.items():
        setattr(subject, method, partial(change, getattr(subject, method)))
    return subject


def in_blocks(size, axis=0):
    def change(right, layer, x):
        y = right(layer, x)
        if y.shape[axis] > size:
            y.swapaxes(0, axis)[y.shape[axis] // size * size :] = 0.0
        return y

    return change


def seen(view):
    return lambda right, layer, x: right(layer, view(x))


def clamped(right, layers, x, *more):
    knots, k = layers[0]["knots"], layers[0]["degree"]
    return right(layers, np.clip(x, knots[:, k], knots[:, -k - 1]), *more)


def shifts(right, layer, x):
    y = right(layer, x)
    x += 1.0
    return y


def trains(right, layer, x, dy):
    found = right(layer, x, dy)
    layer["coef"] -= 0.01 * found["d_coef"]
    return found


def doubles(right, layer, x, *, last=[None]):  # noqa: B006 - kept from call to call
    y = right(layer, x)
    again, last[0] = last[0] is not None and np.array_equal(last[0], y), y
    return 2.0 * y if again else y


def buffered(right, layer, x, *, buffers={}):  # noqa: B006 - kept from call to call
    y = right(layer, x)
    buffer = buffers.setdefault(y.shape, np.empty_like(y))
    buffer[:] = y
    return buffer


def strides(x):
    return np.lib.stride_tricks.as_strided(x, strides=np.empty(x.shape).strides) if x.size else x


BOTH, SHARED = threading.Barrier(2, timeout=60.0), {}


def shared(x):
    """Return the x of another thread, if there is one: both have written before one reads."""
    SHARED["x"] = x
    if threading.current_thread() is not threading.main_thread():
        BOTH.wait()
    return SHARED["x"]


# subject, topic, the flag or fact that must be named
WRAPPED = [
    (changed(layer_forward=in_blocks(8)), "layer_forward", "BlockRemainder"),
    (changed(layer_forward=in_blocks(512)), "layer_forward", "BlockRemainder"),
    (changed(layer_forward=in_blocks(100, axis=1)), "layer_forward", "BlockRemainder"),
    (changed(network_forward=clamped), "network_forward", "FadeOutside"),
    (changed(network_vjp=clamped), "network_vjp", "FadeOutside"),
    (changed(_jets=clamped), "input_*", "FadeOutside"),
    (changed(network_forward=lambda right, layers, x: right(layers[:3], x)), "network_forward", "LayerChain"),
    (changed(layer_forward=shifts), "side_effects", "ArgumentsChanged"),
    (changed(layer_vjp=trains), "side_effects", "ArgumentsChanged"),
    (changed(layer_forward=doubles), "side_effects", "StateKept"),
    (changed(layer_forward=buffered), "side_effects", "BufferReused"),
    (changed(layer_forward=seen(lambda x: x.ravel(order="K").reshape(x.shape))), "side_effects", "MemoryOrder"),
    (changed(layer_forward=seen(strides)), "side_effects", "MemoryOrder"),
    (changed(layer_forward=seen(np.nan_to_num)), "side_effects", "NaNSwallowed"),
    (changed(layer_forward=seen(shared)), "side_effects", "ThreadUnsafe"),
]  # fmt: skip


@for_all(("subject", "topic", "flag"), WRAPPED)
def test_a_fault_around_a_right_method_is_caught_and_named_first(subject, topic, flag):
    report = report_on(subject, only=[topic])

    assert report.failures
    assert first_named(report) == flag


TWO = [("step by G - 1", "0/0 is nan"), ("missing w_spline", "parameters without weights"), ("entropy in bits", "scaler twice in the fit")]  # fmt: skip


@for_all(("one", "other"), TWO)
def test_two_defects_in_one_library_are_both_named(one, other):
    (old, new, flag), (*second, other_flag) = DEFECTS[one], DEFECTS[other]
    report = report_on(defective(*second, SOURCE.replace(old, new)), skip=SLOW)

    assert {flag, other_flag} <= {found.name for found in report.findings if found.kind == "resembles"}


# --- correct implementations


VARIANT_STYLES = ("Lists", "Masked", "Partial", "Quantiles", "Dense", "Draws", "LeftLimits", "Raising", "Fortran", "Remembering")  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "dtype"),
    [
        *((one, "float32") for one in (Plain, Reference)),
        (styles.SciPyNetwork, "float64"),
        *(
            pytest.param(one, "float64", marks=pytest.mark.long)
            for one in (Plain, SciPyBSplines, styles.PlainModules, styles.Loops)
        ),
        *(pytest.param(getattr(styles, one), "float64", marks=pytest.mark.long) for one in VARIANT_STYLES),
    ],
)
def test_a_right_implementation_of_another_style_passes_every_required_case_it_has_methods_for(subject, dtype):
    adapter = subject()
    report = report_on(adapter, dtype)
    skipped = {(one.case.method, one.reason) for one in report.outcomes if one.status == "skipped"}
    asked = {one.case.method for one in report.outcomes if one.status != "skipped"}

    assert ids(report.failures) == []
    assert report.n_passed > 100
    assert not any(hasattr(adapter, method) for method, why in skipped if "float32" not in why and method not in asked)


DRAWS = [
    ("rng.normal(0.0, 0.1, (n_out", "rng.uniform(-0.1, 0.1, (n_out", "initcoef"),
    ("bound = np.sqrt(6.0 / (n_in + n_out))", "bound = np.sqrt(6.0 / n_in)", "initwbase"),
    ("rng.uniform(-bound, bound, (n_out, n_in))", "rng.normal(0.0, bound / np.sqrt(3.0), (n_out, n_in))", None),
]


@for_all(("old", "new", "part"), DRAWS)
def test_an_initial_draw_is_judged_by_its_scale_alone_and_never_fails(old, new, part):
    report = report_on(defective(old, new), only=["initial_layer"])
    differs = [one.case.id for one in report.outcomes if one.status == "differs"]

    assert report.failures == ()
    assert bool(differs) == (part is not None)
    assert all(part in case for case in differs)


def test_a_report_says_whose_convention_penalties_follow_and_fails_no_right_ones():
    lines = list(suite.lines(report_on(Plain(), only=["penalties*"])))

    assert "convention penalties_pykan: agrees in 0 of 16" in lines
    assert not any(line.startswith(("differs", "FAILED")) for line in lines)


def test_what_the_contract_leaves_open_differs_and_one_side_of_scores_may_be_left_out():
    mask = defective('return layer["mask"] * (layer', 'return (layer["mask"] > 0) * (layer')
    half = changed(node_scores=lambda right, *given: {**right(*given), "outgoing": None})
    silent = changed(node_scores=lambda right, *given: {"incoming": right(*given)["incoming"]})

    outcomes = {one.case.id: one.status for one in report_on(mask, only=["*/mask-factor"]).outcomes}
    assert outcomes["layer_forward/mask-factor"] == "differs"
    assert report_on(half, only=["node_scores"]).failures == ()
    assert "lacks 'outgoing'" in report_on(silent, only=["node_scores"]).failures[0].reason


# --- what a report says of failures


def basis_report(change):
    """Return the report on basis functions changed by a function of their values and the degree."""

    class Basis:
        def basis(self, x, knots, degree):
            return change(Plain().basis(x, knots, degree), degree)

    return report_on(Basis(), only=["bases"])


def raises(b, degree):
    raise (KeyError("low") if degree < 2 else MemoryError(f"degree {degree} is too large, at 0x{id(b):x}"))


@for_all(
    ("change", "fact", "detail"),
    [
        (raises, "Raises", "MemoryError: degree "),
        (lambda b, degree: b[:, :-1], "Shape", "basis has shape"),
        (lambda b, degree: "text", "Unreadable", "the answer cannot be read"),
        (lambda b, degree: b + 3e-11, "SmallError", "errors of at most 3"),
        (lambda b, degree: b.astype(np.float32), "Float32Inside", ""),
        (lambda b, degree: np.where(degree == 0, np.nan, b), "NotFinite", "basis[0, 0]"),
    ],
)
def test_a_fact_comes_first_with_what_was_seen_and_small_errors_resemble_no_defect(change, fact, detail):
    report = basis_report(change)
    first = report.findings[0]

    assert (first.name, first.kind) == (fact, "fact")
    assert first.detail.startswith(detail)
    assert len(first.cases) > 3
    assert fact != "SmallError" or {one.name for one in report.findings} == {"SmallError"}


def test_exceptions_are_facts_with_their_own_numbers_of_cases():
    report = basis_report(raises)
    numbers = [int(line.split()[2]) for line in suite.lines(report) if line.startswith("fact Raises, ")]

    assert len(numbers) == 2
    assert sum(numbers) == len(report.outcomes)


def test_a_resemblance_is_printed_with_its_agreement_and_is_in_the_json():
    report = basis_report(lambda b, degree: b * (1.0 + 1e-3 * (degree == 2)))
    (found,) = to_plain(report)["findings"]
    said = f"resembles {found['name']}, agreement {found['agreement']:.2f}"

    assert found["kind"] == "resembles"
    assert set(found["cases"]) == set(ids(report.failures))
    assert any(line.startswith(f"    {said}: ") for line in suite.lines(report))
    assert any(line.startswith(f"{said}, {len(found['cases'])} case") for line in suite.lines(report))


def test_the_file_has_the_patterns_of_the_listed_defects_as_they_are():
    sample = ("0/0 is nan", "missing w_spline", "0 log 0 is nan", "a node stays by either score")
    made = conformance_patterns.document([conformance_patterns.tested(one) for one in sample])
    text = name.FILE.read_text(encoding="utf-8")

    assert len(made["patterns"]) == len(sample)
    assert all(line.rstrip(",") in text for line in conformance_patterns.written(made).splitlines()[2:-1])
    for pattern in name.load_patterns():
        assert (DEFECTS | VARIANTS)[pattern.change][2] == pattern.flag not in UNSEEN
        assert pattern.wrong


def test_a_run_agrees_fully_with_its_own_pattern_and_less_with_those_of_other_flags():
    reversed_ = changed(basis_derivative=lambda right, *given: -right(*given))
    report = report_on(reversed_, only=["basis_derivatives"])
    scores = {flag: score for flag, (score, _) in name.agreements(report.outcomes).items()}

    assert next(iter(scores)) == "BasisSlope"
    assert scores["BasisSlope"] == max(scores.values()) == pytest.approx(1.0)
    assert scores["KnotOwnership"] < 0.5


# --- optimizers and other families of basis functions


class Steps:
    """Adam by hand, with the bias of the first moment left or epsilon inside the root."""

    def __init__(self, unbiased=True, inside=False):
        self.unbiased, self.inside = unbiased, inside

    def adam_steps(self, theta, gradients, rate, beta1, beta2, epsilon):
        m = v = np.zeros_like(theta)
        for t, g in enumerate(gradients, start=1):
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            first, second = m / (1 - beta1**t) if self.unbiased else m, v / (1 - beta2**t)
            theta = theta - rate * first / (np.sqrt(second + epsilon) if self.inside else np.sqrt(second) + epsilon)
        return theta

    def gradient_steps(self, theta, gradients, rate):
        return theta - rate * gradients.sum(axis=0)


def test_right_optimizer_steps_pass_and_wrong_ones_are_named():
    assert [report_on(Steps()).failures, report_on(Steps()).n_passed] == [(), 14]
    assert first_named(report_on(Steps(unbiased=False))) == "AdamBias"
    assert first_named(report_on(Steps(inside=True))) == "AdamEpsilon"


class Families:
    """Other families of basis functions by NumPy: Chebyshev series, and formulas by hand."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def family_basis(self, family, x, order):
        return self.factor * getattr(self, family["family"])(family, x[:, None], order)

    def gaussian(self, family, x, order):
        h = family["width"]
        z = (x - family["centres"]) / h
        return [1.0, -2.0 * z / h, (4.0 * z * z - 2.0) / h**2][order] * np.exp(-z * z)

    def chebyshev(self, family, x, order):
        series = [np.polynomial.Chebyshev(line) for line in np.eye(family["degree"] + 1)]
        u = x if family["argument"] == "x" else np.tanh(x)
        value, first, second = (np.hstack([one.deriv(n)(u) for one in series]) for n in range(3))
        if family["argument"] == "x":
            return (value, first, second)[order]
        slope = 1.0 - u * u
        return (value, first * slope, second * slope**2 - 2.0 * u * slope * first)[order]

    def fourier(self, family, x, order):
        n, shift = np.arange(1, family["n_frequencies"] + 1), order * np.pi / 2
        return np.hstack([n**order * np.cos(n * x + shift), n**order * np.sin(n * x + shift)])

    def relu(self, family, x, order):
        s, e = family["starts"], family["ends"]
        left, right = np.maximum(0.0, x - s), np.maximum(0.0, e - x)
        inside, turn = (left > 0) & (right > 0), right - left
        found = ((left * right) ** 2, 2.0 * left * right * turn, inside * (2.0 * turn**2 - 4.0 * left * right))
        return 16.0 / (e - s) ** 4 * found[order]

    def _table(self, family, x, order):
        return np.stack([self.family_basis(family, column, order) for column in x.T], axis=1)

    def family_forward(self, family, coef, x):
        return np.einsum("bim,jim->bj", self._table(family, x, 0), coef)

    def family_vjp(self, family, coef, x, dy):
        d_coef = np.einsum("bj,bim->jim", dy, self._table(family, x, 0))
        dx = np.einsum("bj,bim,jim->bi", dy, self._table(family, x, 1), coef)
        return {"dx": dx, "d_coef": d_coef}


@for_all("family", cases.families()[1:])
def test_a_family_has_cases_of_its_own_that_a_right_implementation_passes_and_a_wrong_one_fails(family):
    report = report_on(Families(), family=family)
    wrong = report_on(Families(1.5), family=family)

    assert report.failures == ()
    assert report.n_passed == len(report.outcomes) > 10
    assert any(first_named(wrong) in one.case.flags for one in wrong.failures)
    assert not set(ids(report.outcomes)) & {case.id for _, members in suite.choose() for case in members}
