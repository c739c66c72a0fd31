"""From data to a formula in one call, and its verdict: exact, within noise, not explained.

Limits of time, interrupts, constant inputs, records, refusals; the tests of residuals, and which samples test a number.
"""

from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import Frame

import kan_ref as kr
from kan_ref.discovery import residual_tests as tests
from kan_ref.discovery.elimination import ArchitectureTrial
from kan_ref.discovery.paper_way import FormulaTrial
from kan_ref.discovery.records import DiscoveryStep, Report, formula_values
from kan_ref.discovery.results import network_of
from kan_ref.discovery.verdict import Law, Verdict, fitted_numbers, is_like_noise, judge, too_few_samples, unseen_error

# --- from data to a formula in one call: what is found, limits of time, interrupts, constant inputs, records, refusals

RNG = np.random.default_rng


def sampled(text, *boxes, names="x y z", n=200, noise=0.0, units=1.0):
    """Data of a formula in a box, with noise in units of the standard deviation of its values."""
    labels = tuple(names.split())[: len(boxes)]
    low, high = np.array(boxes, dtype=float).T
    x, x_test = RNG(0).uniform(low, high, (2, n, len(boxes)))
    y, y_test = (units * formula_values(sympy.sympify(text), one, labels) for one in (x, x_test))
    y = y + noise * np.std(y) * RNG(1).standard_normal(y.shape)
    return kr.Data(x, y, x_test, y_test, names=labels)


def discover(data, **options):
    return kr.discover(data, **{"rng": RNG(0)} | options)


def relative_error(found, data):
    error = found.predict(data.x_test) - data.y_test
    return np.sqrt(np.mean(error**2)) / np.std(data.y_test)


# --- what is found


EXACT = [
    ("x*y - 3*y + 1", [(-1, 1), (-1, 1)]),
    ("x/(y**2 + 1)", [(-1, 1), (-1, 1)]),
    ("7*x**2/sqrt(y)", [(1, 3), (1, 3)]),
    ("exp(y**2 + sin(3*x))", [(-1, 1), (-1, 1)]),
    ("sin(3*x)*(y**2 + 2)", [(-1, 1), (-1, 1)]),
    ("x + 2*exp(-y) + cos(3*z)", [(0, 2), (0, 2), (0, 2)]),
    ("x*exp(-y/z)", [(1, 5), (1, 2), (1, 2)]),
    ("sqrt(x**2 + y**2 + 1)", [(-2, 2), (-2, 2)]),
    ("sin(x*y)", [(0, 2), (0, 2)]),
]


@pytest.mark.long
@pytest.mark.parametrize(("text", "boxes"), EXACT)
def test_a_formula_without_noise_is_found_and_called_exact(text, boxes):
    data = sampled(text, *boxes)

    found = discover(data)

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10
    assert found.alternatives[-1].rmse < 1e-10 * np.std(data.y_train)


@for_all("text, boxes", EXACT[:3])
def test_a_plain_formula_is_found_with_the_numbers_of_a_textbook(text, boxes):
    found = discover(sampled(text, *boxes))

    assert found.verdict.kind == "exact"
    assert sympy.simplify(found.formula - sympy.sympify(text)) == 0


@for_all("x_unit, y_unit", [(1e-9, 1.0), (1.0, 1e20), (1e6, 1e-15)])
def test_a_formula_is_found_in_any_units(x_unit, y_unit):
    data = sampled(f"sqrt(x/{x_unit})*y", (0.5 * x_unit, 3 * x_unit), (1, 4), units=y_unit)

    found = discover(data)

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-11
    ratio = found.formula / sympy.sympify("sqrt(x)*y")
    assert float(sympy.simplify(ratio)) == pytest.approx(y_unit / x_unit**0.5, rel=1e-11)


def test_with_noise_the_form_is_found_and_the_numbers_as_well_as_noise_allows():
    data = sampled("3*x*y**2", (1, 2), (1, 2), n=400, noise=0.05)

    found = discover(data)

    assert found.verdict.kind == "within noise"
    assert found.train_rmse == pytest.approx(0.05 * np.std(data.y_train), rel=0.1)
    assert relative_error(found, data) < 0.01


@pytest.mark.long
def test_what_no_formula_explains_is_not_explained():
    x = np.linspace(0.0, 1.0, 100)[:, None]
    y = np.cumsum(RNG(0).standard_normal((100, 1)), axis=0)

    assert discover(kr.Data(x, y, x, y)).verdict.kind == "not explained"


def test_a_function_of_nothing_is_a_constant_within_noise():
    x, y = RNG(0).uniform(size=(100, 2)), 5.0 + RNG(1).standard_normal((100, 1))

    found = discover(kr.Data(x, y, x, y))

    assert found.formula.free_symbols == set()
    assert abs(float(found.formula) - y.mean()) < 0.3  # three standard errors
    assert found.verdict.kind == "within noise"


@for_all("widths", [None, (1, 2)])
def test_several_outputs_get_a_formula_each(widths):
    t = RNG(0).uniform(-1.0, 1.0, (150, 1))
    y = np.hstack([np.exp(t), t**2 - 3.0 * t])

    found = discover(kr.Data(t, y, t, y), widths=widths, names=("t",))

    assert len(found.formula) == 2
    assert found.predict(t).shape == (150, 2)
    np.testing.assert_allclose(found.predict(t), y, atol=1e-10)
    assert len(found.alternatives) == (2 if widths is None else 0)


def test_the_search_follows_where_the_papers_way_does_not_explain_the_data():
    data = sampled("x*y", (-1, 1), (-1, 1), n=100)

    found = discover(data, widths=(2, 1, 1), penalty_weight=0.0)

    assert str(found.formula) == "x*y"
    names = [step.name for step in found.steps]
    assert names[:2] + names[-3:] == ["start", "eliminate", "model", "formula", "network"]


# --- the steps of the paper's way, on the hello world


@pytest.fixture(scope="module")
def hello():
    """The hello world of the paper, and everything that was reported on the way."""
    data, reported = sampled("exp(sin(pi*x) + y**2)", (-1, 1), (-1, 1)), []
    return data, discover(data, widths=(2, 2, 1), callback=reported.append), reported


def test_the_papers_way_finds_the_hello_world(hello):
    data, found, _ = hello

    assert found.verdict.kind == "exact"
    assert found.network.widths == (2, 1, 1)
    assert found.test_rmse < 1e-13
    np.testing.assert_allclose(found.predict(data.x_test), found.network(data.x_test), rtol=1e-12)
    recognised = kr.recognise_constants(found.formula, data.x_train, names=("x", "y"))
    assert recognised.expression == sympy.sympify("exp(y**2 + sin(pi*x))")


def test_every_step_is_kept_with_its_network_and_errors_and_reported(hello):
    data, found, reported = hello

    assert [step.name for step in found.steps] == [
        "start", "sparsify", "prune", "eliminate", "refine", "name", "canonical",
    ]  # fmt: skip
    assert list(found.steps) == [one for one in reported if isinstance(one, DiscoveryStep)]
    assert {ArchitectureTrial, FormulaTrial} <= set(map(type, reported))
    for step in found.steps:
        error = np.sqrt(np.mean((step.network(data.x_train) - data.y_train) ** 2))
        assert step.train_rmse == pytest.approx(float(error), rel=1e-9, abs=1e-15)
    assert found.splines is found.steps[4].network
    assert not any(layer.symbolic for layer in found.splines.layers)


def test_records_print_what_they_are(hello):
    _, found, _ = hello

    assert repr(found).startswith(f"Discovery({found.formula}, train_rmse ")
    assert repr(found).endswith("exact)")
    assert repr(found.steps[0]).startswith("start      random: [2, 2, 1], train_rmse ")


# --- the records of the search


@pytest.fixture(scope="module")
def product():
    """A product by the search, and everything that was reported on the way."""
    data, seen = sampled("exp(x)*cos(y)", (-1, 1), (-1, 1)), []
    return data, discover(data, callback=seen.append), seen


def test_decisions_say_what_was_compared_and_all_steps_are_reported(product):
    _, found, seen = product

    assert any("f is a product of a function of x and one of y" in str(one) for one in found.decisions)  # fmt: skip
    assert [one for one in seen if one in found.decisions] == list(found.decisions)
    assert [step.name for step in found.steps] == ["model", "formula", "network"]
    assert list(found.steps) == [one for one in seen if isinstance(one, DiscoveryStep)]


def test_alternatives_are_the_front_of_error_against_complexity(product):
    data, found, _ = product
    complexities, errors = ([getattr(one, name) for one in found.alternatives] for name in ("complexity", "rmse"))  # fmt: skip

    assert complexities == sorted(set(complexities))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-10
    for one in found.alternatives:
        f = formula_values(one.formula, data.x_train, found.names)
        error = np.sqrt(np.mean((f - data.y_train) ** 2))
        assert one.rmse == pytest.approx(float(error), rel=1e-6, abs=1e-13)
        assert repr(one).startswith(f"{one.formula}: rmse ")


def test_network_splines_and_scaler_of_a_search_belong_to_the_data(product):
    data, found, _ = product

    np.testing.assert_allclose(found.network(data.x_test), found.predict(data.x_test), atol=1e-11)
    splines = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    assert np.std(splines - data.y_test) < 0.05 * np.std(data.y_test)
    for error, x, y in ((found.train_rmse, data.x_train, data.y_train), (found.test_rmse, data.x_test, data.y_test)):
        assert error == np.sqrt(np.mean((found.predict(x) - y) ** 2))


def test_a_table_is_predicted_only_if_its_columns_are_the_inputs_in_their_order(product):
    data, found, _ = product

    predicted = found.predict(data.x_test)
    np.testing.assert_array_equal(found.predict(Frame.of("xy", data.x_test)), predicted)
    with pytest.raises(ValueError, match=r"^x has the columns \('y', 'x'\)"):
        found.predict(Frame.of("yx", data.x_test))
    with pytest.raises(ValueError, match=r"^names "):
        discover(data, names=("y", "x"))


def test_test_data_decide_nothing(product):
    data, found, _ = product
    other = kr.Data(data.x_train, data.y_train, data.x_test[:3], data.y_test[:3] + 1e3, names=data.names)  # fmt: skip

    again = discover(other)

    assert again.formula == found.formula
    assert again.verdict.kind == found.verdict.kind
    assert again.decisions == found.decisions


def test_progress_shows_a_bar_and_the_rest_is_silent(capsys):
    data = sampled("x**2", (-1, 1), n=50)
    discover(data)
    silent = capsys.readouterr()
    discover(data, progress=True)
    shown = capsys.readouterr()

    assert (silent.out, silent.err, shown.out) == ("", "", "")
    assert "network [1, 1]" in shown.err


# --- networks of formulas


@for_all("text, x, reason", [
    ("x*y", 10.0 ** (np.linspace(-5, 5, 50)[:, None] * [1, -1]), "it would differ from the formula"),
    ("x**1.3 + y", np.linspace(0.0, 1.0, 100).reshape(50, 2), "it would be undefined at a training"),
])  # fmt: skip
def test_a_network_that_is_wrong_at_the_samples_is_none_with_the_reason(text, x, reason):
    formula = sympy.sympify(text)
    y = formula_values(formula, x, ("x", "y"))

    found, verdict = network_of((formula,), ("x", "y"), kr.Data(x, y, x, y), Verdict("exact", ("of course",)))  # fmt: skip

    assert found is None
    assert verdict.kind == "exact"
    assert f"there is no network of it: {reason}" in verdict.why


# --- limits of time and interrupts


@for_all("widths", [None, (2, 2, 1)])
def test_a_limit_of_time_gives_the_best_formula_so_far_and_says_so(widths):
    data = sampled("sin(7*x*y + x**3)*exp(y)", (-1, 1), (-1, 1), n=100)

    found = discover(data, widths=widths, seconds=0)

    assert found.verdict.ended == "the time is over"
    assert "the time is over" in str(found.verdict)
    assert found.verdict.kind == "not explained"
    assert np.isfinite(found.train_rmse)


def test_a_limit_of_time_that_is_not_reached_changes_nothing(product):
    data, found, _ = product

    limited = discover(data, seconds=1e6)

    assert limited.formula == found.formula
    assert limited.verdict == found.verdict


@for_all("call", [1, 2, 4])
def test_an_interrupt_gives_the_best_formula_so_far_and_says_so(call):
    """A second output is not searched any more."""
    data, left = sampled("exp(x)*cos(y)", (-1, 1), (-1, 1)), iter(range(call - 1))
    data = replace(data, y_train=np.tile(data.y_train, 2), y_test=np.tile(data.y_test, 2))

    def callback(one):
        if next(left, None) is None:
            raise KeyboardInterrupt

    found = discover(data, callback=callback)

    assert found.verdict.ended == "interrupted"
    assert np.isfinite(found.train_rmse)
    assert len(found.decisions) == call
    assert found.steps[-1].name == "network"


@for_all("name, widths", [
    ("model", None), ("formula", None), ("network", None), ("start", (2, 1)), ("canonical", (2, 1)),
])  # fmt: skip
def test_an_interrupt_while_a_step_is_reported_is_one_too(name, widths):
    def callback(one):
        if getattr(one, "name", "") == name:
            raise KeyboardInterrupt

    found = discover(sampled("x + 2*y", (-1, 1), (-1, 1)), widths=widths, callback=callback)

    assert found.verdict.ended == "interrupted"
    assert name in [step.name for step in found.steps]
    assert np.isfinite(found.train_rmse)


def test_a_second_interrupt_ends_a_run():
    data = sampled("x", (-1, 1), n=20)
    report = Report(data, None, progress=False)

    with report.until_interrupted():
        raise KeyboardInterrupt
    assert report.ended == "interrupted"
    with pytest.raises(KeyboardInterrupt), report.until_interrupted():
        raise KeyboardInterrupt


def test_an_interrupt_while_the_network_is_trained_is_not_lost(monkeypatch):
    stopped = SimpleNamespace(interrupted=True)
    monkeypatch.setattr("kan_ref.discovery.models.fit", lambda *_, **__: stopped)

    with pytest.raises(KeyboardInterrupt):
        discover(sampled("x*y", (-1, 1), (-1, 1), n=30))


# --- constant inputs


@for_all("constants, widths", [
    ([5.0], None), ([0.0], None), ([1e6], None), ([1.0, 7.0], None), ([1.0, 7.0], (4, 1)),
])  # fmt: skip
def test_constant_inputs_are_left_out_of_the_formula_and_every_network_takes_them(constants, widths):
    varying, reported = RNG(1).uniform(-2.0, 2.0, (150, 2)), []
    columns = [np.full((150, 1), one) for one in constants]
    x = np.hstack([columns[0], varying[:, :1], *columns[1:], varying[:, 1:]])
    y = varying[:, :1] ** 3 - 2.0 * varying[:, 1:]

    found = discover(kr.Data(x, y, x, y), widths=widths, callback=reported.append)

    assert found.verdict.kind == "exact"
    n = x.shape[1]
    assert found.formula.free_symbols == {sympy.Symbol("x_2"), sympy.Symbol(f"x_{n}")}
    assert "x_1 takes 1 value" in found.verdict.why
    np.testing.assert_allclose(found.network(x), y, atol=1e-10)
    np.testing.assert_allclose(found.predict(x), y, atol=1e-10)
    networks = [one.network for one in reported if getattr(one, "network", None) is not None]
    assert {network.widths[0] for network in [*networks, found.splines]} == {n}
    assert found.splines(found.scaler.transform_x(x)).shape == y.shape


@for_all("widths", [None, (2, 1)])
def test_of_constant_inputs_alone_the_formula_is_the_mean(widths):
    x, y = np.tile([5.0, 3.0], (60, 1)), RNG(0).standard_normal((60, 1))

    found = discover(kr.Data(x, y, x, y), widths=widths)

    assert found.formula.free_symbols == set()
    assert found.network.widths[0] == 2
    np.testing.assert_allclose(found.predict(x), y.mean(), atol=0.4)  # three standard errors


# --- refusals


@for_all("n, options, message", [
    (9, {}, "9 training samples, but at least 10"),
    (50, {"functions": ("sin",)}, "^functions is given without widths"),
    (50, {"seconds": -1.0}, "^seconds "),
    (50, {"loss": "l1"}, "^loss "),
    (50, {"widths": (3, 1)}, "^widths "),
])  # fmt: skip
def test_too_few_samples_and_wrong_settings_are_refused(n, options, message):
    with pytest.raises(ValueError, match=message):
        discover(sampled("x*y", (-1, 1), (-1, 1), n=n), **options)


@for_all("widths", [None, (2, 2)])
def test_labels_need_the_loss_of_classes(widths):
    x = RNG(0).uniform(-1.0, 1.0, (50, 2))
    labels = (x[:, 0] > 0.0).astype(int)

    with pytest.raises(ValueError, match="loss='cross_entropy'"):
        discover(kr.Data(x, labels, x, labels), widths=widths)


def test_one_value_among_zeros_is_never_exact():
    x, y = RNG(2).random((12, 1)), np.zeros((12, 1))
    y[5] = 1.0

    assert discover(kr.Data(x, y, x, y)).verdict.kind == "not explained"


# --- verdicts on formulas: exact, within noise, not explained; the tests of residuals; which samples test a number

SIGNS = 1.0 - 2.0 * ((np.arange(1024)[:, None] >> np.arange(10)) & 1)  # all signs of ten residuals
BOX = RNG(0).uniform(-1.0, 1.0, (1000, 2))


def verdict(true, formula=None, x=BOX, *, noise=0.0, names=("x", "y"), seed=0, **options):
    """The verdict on a formula for samples of a true one, both as texts, with noise in units of the samples' spread."""
    true, formula = sympy.sympify(true), sympy.sympify(formula or true)
    y = Law(true, names).values(x)
    y = y + noise * np.std(y) * RNG(seed).standard_normal(len(x))
    data = options.pop("data", kr.Data(x, y[:, None], x[:0], y[:0, None]))
    return judge((formula,), names, data, **options)


# --- the three kinds


@for_all("unit, shift", [(1, 0), ("1e-20", 0), ("1e20", 0), (1, "1e5")])
def test_a_formula_is_exact_up_to_rounding_errors_in_any_units(unit, shift):
    y = f"{unit}*(exp(x)*sin(3*y) + {shift})"
    rounded = y.replace("exp(x)*sin(3*y)", "exp(x + 3)*sin(3*y)*exp(-3)")

    assert verdict(y, rounded).kind == "exact"
    assert str(verdict(y)).startswith("exact: the largest error on 1000 samples is 0.0e+00")


@for_all("size", [2e-12, 1e-11, 1e-9, 1e-6, 1e-3, 0.1])
@for_all("wrong", ["x**2", "x*y", "sin(5*y)", "Abs(x)"])
def test_a_wrong_formula_without_noise_is_not_explained(size, wrong):
    found = verdict("exp(x)*sin(3*y)", f"exp(x)*sin(3*y) + {size}*{wrong}")

    assert found.kind == "not explained"
    assert "structure" in found.reasons[0]


def test_small_errors_without_structure_are_exact_and_one_large_one_is_not():
    x, y = BOX, np.exp(BOX[:, :1])
    noise = 3e-12 * RNG(2).uniform(-1.0, 1.0, y.shape)
    one = 1e-6 * (np.arange(1000) == 17)[:, None]

    kinds = [judge((sympy.sympify("exp(x)"),), ("x", "y"), kr.Data(x, y + e, x, y)).kind for e in (noise, one)]

    assert kinds == ["exact", "within noise"]


@for_all("true, kind", [("exp(t/2 - 2003/2)", "exact"), ("exp(t/2 - 2003/2) + 2e-12*sin(t)", "not explained")])
def test_rounding_errors_of_large_numbers_in_a_formula_are_no_structure(true, kind):
    """Its constant alone changes the value by 1e-13 of it when its last bit changes."""
    t = RNG(0).uniform(2000.0, 2006.0, (300, 1))
    formula = f"exp(t/2 - 1000)*{float(np.exp(-1.5))!r}"

    assert verdict(true, formula, t, names=("t",)).kind == kind


LAWS = ["sin(3.7*a + 2.2)", "1000.1 - 999.9*exp(0.001*b)", "(b**2 + 1.1)/(b + 0.3)", "exp(0.31*a - 620.1)"]


@for_all("text", LAWS)
def test_rounding_errors_of_a_formula_are_bounded_and_not_by_far(text):
    mpmath = pytest.importorskip("mpmath")
    x = RNG(0).uniform([1990.0, 1.0], [2010.0, 2.0], (100, 2))
    law = Law(sympy.sympify(text), ("a", "b"))
    with mpmath.workdps(40):
        f = sympy.lambdify(sympy.symbols("a b"), law.formula, "mpmath")
        exact = [f(*map(mpmath.mpf, row)) for row in x.tolist()]
        errors = [float(abs(a - b)) for a, b in zip(exact, law.values(x).tolist(), strict=True)]

    assert 0.02 < (np.array(errors) / law.rounding_errors(x)).max() < 1.0


@for_all("shift, kind", [(1e5, "exact"), (1e7, "within noise"), (1e12, "within noise")])
def test_no_formula_is_exact_where_rounding_errors_of_y_are_above_a_billionth(shift, kind):
    found = verdict(f"exp(x)*sin(3*y) + {shift:.0f}")

    assert found.kind == kind
    assert ("rounding errors" in found.why) == (kind != "exact")


def test_right_formulas_are_within_noise_and_errors_of_a_third_of_it_are_seen():
    true = "exp(x)*sin(3*y)"
    right = [verdict(true, noise=0.05, seed=seed) for seed in range(10)]
    wrong = [verdict(true, f"{true} + 0.015*sin(4*x)", noise=0.03, seed=seed) for seed in range(5)]

    assert [one.kind for one in right].count("within noise") >= 9
    assert {one.kind for one in wrong} == {"not explained"}
    assert "cannot be seen" in right[0].why


def test_the_worst_output_decides_and_is_named():
    data = kr.Data(BOX, BOX, BOX[:0], BOX[:0])

    found = judge(sympy.sympify(("x", "y + x/9")), ("x", "y"), data)

    assert found.kind == "not explained"
    assert found.reasons[0].startswith("output 1: ")


def test_an_end_of_the_search_and_other_forms_are_told_and_change_no_kind():
    found = Verdict("within noise", ("a", "b"), ended="the time is over", several=True)

    assert str(found) == (
        "within noise: one of several forms that fit; a; b (the time is over: the best formula so far)"
    )
    assert replace(found, ended="", several=False).why == "a; b"


@for_all("other, error, several", [
    ("1.02*sin(0.98*x)", 0.1, False),  # the same form
    ("x - 0.16*x**3", 0.1, True),
    ("x - 0.16*x**3", 0.12, False),  # a larger error
    ("x", 0.1, False),  # samples tell it apart
    ("sin(x) + 0.0123*cos(3.21*x) + 0.0111*x**2.1", 0.1, False),  # BIC
])  # fmt: skip
def test_a_form_of_the_same_worth_that_samples_cannot_tell_apart_is_told(other, error, several):
    options = {"x": BOX[:400], "noise": 0.2, "others": [[SimpleNamespace(rmse=error, formula=sympy.sympify(other))]]}

    found = verdict("sin(x)", **options)

    assert found.kind == "within noise"
    assert found.several == several


# --- samples


@for_all(
    "n, n_points, p, kind, is_enough",
    [(10, 10, 6, "exact", True), (10, 10, 7, "exact", False), (200, 10, 7, "exact", False),
     (50, 50, 25, "within noise", True), (50, 50, 26, "within noise", False), (49, 49, 0, "within noise", False)],
)  # fmt: skip
def test_an_exact_formula_needs_a_spare_sample_for_two_numbers_and_noise_one_for_each(n, n_points, p, kind, is_enough):
    assert (too_few_samples(n, n_points, p, 50, kind) == "") == is_enough


@for_all("n, kind", [(6, "not explained"), (7, "exact")])
def test_samples_at_the_same_point_test_a_formula_once(n, kind):
    """Another input, which differs everywhere, is not in the formula. 5 numbers need 2.5 spare points: 8 of them."""
    x = np.column_stack([np.repeat(np.arange(1.0, n + 2.0), 20), RNG(1).uniform(size=20 * n + 20)])

    assert verdict("0.71*x**4 + 1.23*x**3 - 0.37*x**2 + 5.11*x + 0.93", x=x).kind == kind
    assert verdict("0.71234", x=x).kind == "exact"  # all samples test a constant


def test_the_unseen_error_is_that_of_the_fit_and_of_eight_standard_errors():
    """Least squares of p columns leave an error of sigma sqrt(p / N) on average."""
    n, p, sigma = 100, 20, 0.3
    columns, _ = np.linalg.qr(RNG(0).standard_normal((n, p)))
    noise = sigma * RNG(1).standard_normal((400, n))
    fits = noise @ columns @ columns.T
    size = np.sqrt(np.mean((noise - fits) ** 2))

    expected = np.sqrt(np.mean(fits**2) + 64.0 * sigma**2 / n)
    np.testing.assert_allclose(unseen_error(size, n, p), expected, rtol=0.01)


@for_all(
    "text, numbers",
    [
        ("x**2 + 3*y/2 - sin(pi*x)", set()), ("0.7*sin(0.7*x) - 0.7 + 0.3*y", {0.7, 0.3}),
        ("0.9999999999999999*x + 3.141592653589793*y + 2.4999999999", set()),
        ("0.9999*x + 1e-12", {0.9999, 1e-12}), ("123456.5*x", {123456.5}),
    ],
)  # fmt: skip
def test_numbers_that_samples_have_determined_are_counted(text, numbers):
    assert fitted_numbers(sympy.sympify(text)) == numbers


def test_the_effect_of_a_number_is_the_value_it_is_responsible_for():
    x = BOX[:20, :1]

    law = Law(sympy.sympify("3*x + 5.25 - x**2"), ("x",))
    powers, terms, constants = law.effects(x, 1e-3)

    np.testing.assert_array_equal(law.numbers, [2.0, 3.0, 5.25])
    np.testing.assert_allclose(terms, 3.0 * np.abs(x[:, 0]), rtol=1e-10)
    np.testing.assert_allclose(constants, 5.25, rtol=1e-10)
    assert np.array_equal(np.isinf(powers), x[:, 0] < 0.0)  # x^2.002 is undefined there


PEAK = "exp(-(1000*x - {at})**2)"


@for_all(
    "term, noise, kind",
    [
        (f"2*{PEAK}", 0.0, "not explained"),  # all numbers are chosen
        (f"2.345678*{PEAK}", 0.0, "not explained"),
        (f"2.345678*{PEAK}", 0.05, "not explained"),
        ("2.345678*exp(-(2*x - 1)**2)", 0.0, "exact"),
        ("2.345678*exp(-(2*x - 1)**2)", 0.05, "within noise"),
        ("1e-5/(x - {pole})", 0.05, "not explained"),
        ("tanh(80000*x - 24000.25)", 0.0, "not explained"),  # no sample shows how steep it is
        ("3.1e-17", 0.0, "exact"),  # what training leaves of 0
        ("0.001*x", 0.05, "within noise"),
    ],
)  # fmt: skip
def test_each_number_matters_at_several_samples(term, noise, kind):
    x = BOX[:60, :1]
    term = term.format(at=round(1000 * x[7, 0]), pole=x[7, 0] - 1e-5)

    found = verdict(f"1.5*x**2 + {term}", x=x, noise=noise, names=("x",))

    assert found.kind == kind
    assert ("too few" in found.why or "matters at" in found.reasons[0]) == (kind == "not explained")


def test_right_numbers_of_values_over_many_decades_keep_their_verdict():
    x = 10.0 ** RNG(0).uniform(-2.0, 2.0, (60, 2))

    assert verdict("1.2345*x/y**2", x=x).kind == "exact"


# --- places and inputs


def test_a_formula_that_is_undefined_at_samples_or_between_them_is_not_explained():
    x = np.array([[-1.0], [-0.91], [0.91], [1.0], [1.1]])
    y, x_test = np.ones((5, 1)), np.array([[0.0], [-5.0]])
    root = sympy.sympify("sqrt((x - 0.9)*(x + 0.9))")

    reasons = []
    for formula, tested in ((root, x_test), (root, x[:0]), (sympy.sympify("log(x)"), x[:0])):
        data = kr.Data(x, y, tested, np.ones((len(tested), 1)))
        found = judge((formula,), ("x",), data)
        assert found.kind == "not explained"
        reasons.append(found.why)

    assert "undefined at 1 of 1 test samples inside the range" in reasons[0]
    assert "between samples the formula is undefined" in reasons[1]
    assert "undefined at 2 of 5 samples" in reasons[2]


def test_inputs_with_few_values_and_dependent_ones_are_named_if_the_formula_has_them():
    a, b = BOX[:60].T
    x = np.column_stack([np.arange(60) % 3, np.arange(60) % 2, a, 2.0 * a + 1.0, b, 0.0 * b + 7.0])
    names = ("few", "other", "first", "second", "free", "constant")

    why = verdict("few + first + free", x=x, names=names).why

    assert "few takes 3 values" in why
    assert "constant takes 1 value" in why
    assert "first and second are linearly dependent" in why
    assert "other takes" not in why
    assert "dependent" not in verdict("few + free", x=x, names=names).why


def test_a_part_that_another_curve_fits_better_is_named_and_makes_it_one_of_several_forms():
    names, x = tuple("abcdpq"), RNG(1).uniform(1.0, 3.0, (600, 6))
    form = "a*b*c*d*exp(p/q)"

    for seed in range(3):
        found = verdict(f"{form}*(1 + 0.05*sin(4*p/q))", form, x=x, names=names, noise=0.1, seed=seed)
        assert found.kind == "within noise"
        assert found.several
        assert found.reasons[0].startswith("perhaps another form: a curve in place of")
    # a kink has a part, too; the right form is doubted in about 3 of 100 draws of noise
    assert verdict("Abs(x + y) + sign(x)*y", noise=0.1).kind == "within noise"
    assert sum(verdict("x*exp(y)", noise=0.1, seed=seed).several for seed in range(40)) <= 5


# --- tests of residuals


def test_the_pairs_are_each_sample_with_its_nearest_ones_by_brute_force():
    z = RNG(6).standard_normal((40, 3))
    distances = np.linalg.norm(z[:, None] - z[None], axis=2)
    expected = {tuple(sorted((i, j))) for i in range(40) for j in np.argsort(distances[i])[1:4]}

    assert {tuple(pair) for pair in tests.neighbour_pairs(z)} == expected
    along = tests.pairs_along(np.array([0.3, 0.1, 0.2, 0.4])).tolist()
    assert sorted(map(sorted, along)) == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]


def test_the_statistic_of_products_has_the_variance_over_all_signs():
    pairs = tests.neighbour_pairs(RNG(7).standard_normal((10, 2)))
    r = RNG(8).standard_cauchy(10)
    sums = np.sum((SIGNS * r)[:, pairs[:, 0]] * (SIGNS * r)[:, pairs[:, 1]], axis=1)

    np.testing.assert_allclose(np.mean(sums), 0.0, atol=1e-12 * np.abs(sums).max())
    np.testing.assert_allclose(tests.product_statistic(pairs, r), sums[0] / np.std(sums), rtol=1e-12)


def test_the_statistic_of_signs_has_mean_and_variance_over_all_orders():
    pairs = tests.pairs_along(RNG(9).standard_normal(7))
    r = np.array([1.0, 2.0, -0.1, 3.0, -5.0, -1.0, 0.2])
    u = np.sign(r) - np.mean(np.sign(r))
    sums = [u[list(p)][pairs[:, 0]] @ u[list(p)][pairs[:, 1]] for p in permutations(range(7))]

    expected = (sums[0] - np.mean(sums)) / np.std(sums)
    np.testing.assert_allclose(tests.sign_statistic(pairs, r), expected, rtol=1e-10)
    assert tests.sign_statistic(pairs, np.abs(r)) == 0.0


def test_columns_are_orthonormal_products_of_all_inputs_up_to_a_degree():
    x = RNG(0).uniform(-1.0, 1.0, (300, 2))
    columns = tests.product_columns(x)
    inside, outside = x[:, 0] ** 3 * x[:, 1] ** 2, x[:, 0] ** 9

    np.testing.assert_allclose(columns.T @ columns, np.eye(columns.shape[1]), atol=1e-12)
    np.testing.assert_allclose(columns @ (columns.T @ inside), inside, atol=1e-10)
    assert np.abs(outside - columns @ (columns.T @ outside)).max() > 1e-3
    assert tests.product_columns(np.column_stack([x[:50, 0], np.zeros(50)])).shape == (50, 3)


def test_the_statistics_of_columns_have_mean_and_variance_over_all_signs():
    columns, _ = np.linalg.qr(RNG(3).standard_normal((10, 3)))
    r = RNG(8).standard_normal(10)
    sums = (SIGNS * r) @ columns  # the first row has the signs of r itself
    squares = np.sum(sums**2, axis=1)
    p = 2.0 * np.mean(squares) ** 2 / np.var(squares)
    ratio = squares[0] / np.mean(squares)

    t = tests.column_statistic(columns, r, [r**2])
    np.testing.assert_allclose(t, np.abs(sums[0] / np.std(sums, axis=0)).max(), rtol=1e-12)
    z = (ratio ** (1 / 3) - 1.0 + 2.0 / (9.0 * p)) / np.sqrt(2.0 / (9.0 * p))
    np.testing.assert_allclose(tests.joint_statistic(columns, r, [r**2]), z, rtol=1e-10)
    assert tests.column_statistic(columns, r, [r**2, 4.0 * r**2]) == pytest.approx(0.5 * t)
    assert tests.joint_statistic(columns, r, [r**2, 2.0 * r**2]) < z


@for_all("n_in, n", [(1, 28), (2, 100), (5, 100), (3, 400)])
def test_noise_of_any_distribution_is_rarely_called_structure(n_in, n):
    rng = RNG(10)
    x = rng.uniform(-1.0, 1.0, (n, n_in))
    draws = (
        lambda: rng.standard_normal(n),
        lambda: rng.standard_t(3, n),
        lambda: rng.exponential(size=n) - 1.0,
        lambda: rng.standard_normal(n) * np.exp(2.0 * x[:, 0]),
    )

    found = [tests.structure(x, draw()) for draw in draws for _ in range(15)]

    assert sum(map(bool, found)) <= 1


LATTICE = np.argwhere(np.ones((20, 20))) / 19.0


@for_all(
    "x, residual, words",
    [
        (BOX[:200], lambda x: np.sin((3 * x[:, 0] - 1) * (3 * x[:, 1] - 1)), "neighbouring samples"),
        (np.linspace(0.0, 1.0, 200)[:, None], lambda x: (-1.0) ** np.arange(200), "z = -"),
        (LATTICE, lambda x: (-1.0) ** np.round(19.0 * x[:, 0]), "neighbours along input 0"),
        (BOX, lambda x: RNG(0).standard_normal(1000) + 0.5 * np.cos(3 * np.arccos(x[:, 0])) * np.cos(4 * np.arccos(x[:, 1])), "one product"),
        (BOX, lambda x: RNG(0).standard_normal(1000) + 11.0 * tests.product_columns(x)[:, -30:].mean(axis=1) * 30**0.5, "products"),
        (LATTICE, lambda x: np.eye(400)[17], ""),  # one residual alone
        (BOX[:40], lambda x: x[:, 0], ""),  # too few
    ],
)  # fmt: skip
def test_each_kind_of_structure_is_seen_and_named(x, residual, words):
    found = tests.structure(x, residual(x))

    assert (words in found) if words else found == ""
    assert is_like_noise(x, 7.0 + residual(x), np.full(len(x), 7.0), 3) == (not words)
    assert not is_like_noise(x, residual(x), residual(x), len(x))


def test_of_many_samples_the_neighbours_of_some_are_compared():
    x = RNG(0).uniform(-1.0, 1.0, (4000, 2))
    assert len(tests.neighbour_pairs(x)) <= 6000
    assert tests.structure(x, np.sin(40.0 * x[:, 0] * x[:, 1])) != ""


# --- classes


def test_a_dropped_input_shows_in_the_residuals_of_classes_and_right_probabilities_do_not():
    x, y = sympy.symbols("x y")
    seen = []
    for seed in range(10):
        points = RNG(seed).uniform(-1.0, 1.0, (400, 2))
        z = 3.0 * points[:, :1] + 2.0 * points[:, 1:]
        labels = (RNG(100 + seed).random(z.shape) < 1.0 / (1.0 + np.exp(-z))).astype(float)
        data = kr.Data(points, labels, points, labels)
        right, dropped = (
            tests.class_structure(data, kr.from_formula(one, ("x", "y"), domain=(-1.0, 1.0)), "logistic")
            for one in (3 * x + 2 * y, 3 * x)
        )
        assert right == ""
        seen.append(dropped)

    assert sum(one != "" for one in seen) >= 8
