"""From data to a formula in one call: what is found, limits of time, interrupts, constant inputs, records, refusals."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import Frame

import kan_ref as kr
from kan_ref.discovery.elimination import ArchitectureTrial
from kan_ref.discovery.paper_way import FormulaTrial
from kan_ref.discovery.records import DiscoveryStep, Report, formula_values
from kan_ref.discovery.results import network_of
from kan_ref.discovery.verdict import Verdict

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
    data = sampled("x*y", (-1, 1), (-1, 1))

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
    for error, x, y in (
        (found.train_rmse, data.x_train, data.y_train),
        (found.test_rmse, data.x_test, data.y_test),
    ):
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
def test_constant_inputs_are_left_out_of_the_formula_and_every_network_takes_them(
    constants, widths
):
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
