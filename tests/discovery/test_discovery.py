"""From data to a formula in one call, with given widths and without: formulas, noise, several outputs, limits, invalid arguments."""

import re
from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import sympy
from cases import for_all
from networks import Frame

import kan_ref as kr
from kan_ref.discovery import class_search
from kan_ref.discovery.class_search import class_verdict, label_orders, numbers_to_test
from kan_ref.discovery.formula_search import (
    EXACT,
    FormulaTrial,
    rank_edges,
    search_formula,
    sine_or_cosine,
    with_trained_numbers,
)
from kan_ref.discovery.records import DiscoveryStep, Report, formula_values
from kan_ref.discovery.results import network_of
from kan_ref.discovery.slice_search import search_by_slices
from kan_ref.discovery.trials import ArchitectureTrial
from kan_ref.discovery.varying_inputs import inputs_of_data
from kan_ref.discovery.verdict import Verdict, fitted_numbers
from kan_ref.network.network import Network
from kan_ref.training import hold_out


def made(f, n_inputs, *, n=300, low=-1.0, high=1.0, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x, x_test = rng.uniform(low, high, (n, n_inputs)), rng.uniform(low, high, (n, n_inputs))
    return kr.Data(x, f(x) + noise * rng.standard_normal(f(x).shape), x_test, f(x_test))


def hello(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def names(network):
    return [[edge.name for edge in layer.symbolic] for layer in network.layers]


@pytest.fixture(scope="module")
def found():
    """The hello world, and everything that was reported on the way."""
    reported = []
    data = made(hello, 2, n=200)
    discovery = kr.discover(
        data,
        widths=(2, 4, 1),
        names=("x", "y"),
        rng=np.random.default_rng(0),
        callback=reported.append,
    )
    return data, discovery, reported


# --- the hello world


@pytest.mark.long
def test_the_formula_is_the_exact_one_and_nothing_else(found):
    _, discovery, _ = found

    assert names(discovery.network) == [["sin", "x^2"], ["exp"]]
    assert discovery.network.widths == (2, 1, 1)
    (first,), (second,) = (
        discovery.network.layers[0].affine[:1],
        discovery.network.layers[0].affine[1:],
    )
    np.testing.assert_allclose(first, [np.pi, 0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(second, [1.0, 0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(
        discovery.network.layers[1].affine, [[1.0, 0.0, 1.0, 0.0]], atol=1e-12
    )
    assert discovery.test_rmse < 1e-14


@pytest.mark.long
def test_the_expression_evaluates_to_the_network(found):
    data, discovery, _ = found
    x, y = sympy.symbols("x y")

    values = sympy.lambdify((x, y), discovery.formula)(*data.x_test.T)

    np.testing.assert_allclose(values, discovery.network(data.x_test)[:, 0], rtol=1e-13)


@pytest.mark.long
def test_recognised_constants_give_the_formula_of_the_textbook(found):
    data, discovery, _ = found

    recognised = kr.recognise_constants(discovery.formula, data.x_train, names=("x", "y"))

    assert recognised.expression == sympy.sympify("exp(y**2 + sin(pi*x))")


@pytest.mark.long
def test_every_step_is_kept_with_its_network_and_errors(found):
    data, discovery, reported = found

    assert [step.name for step in discovery.steps] == [
        "start",
        "sparsify",
        "prune",
        "eliminate",
        "refine",
        "name",
        "canonical",
    ]
    assert list(discovery.steps) == [step for step in reported if isinstance(step, DiscoveryStep)]
    for step in discovery.steps:
        assert step.train_rmse == pytest.approx(
            float(np.sqrt(np.mean((step.network(data.x_train) - data.y_train) ** 2))), rel=1e-9
        )
    assert any(isinstance(step, ArchitectureTrial) for step in reported)
    assert any(isinstance(step, FormulaTrial) for step in reported)
    assert discovery.splines is discovery.steps[4].network
    assert not discovery.splines.layers[0].symbolic


@pytest.mark.long
def test_test_data_decide_nothing(found):
    data, discovery, _ = found
    other = kr.Data(data.x_train, data.y_train, data.x_test[:3], data.y_test[:3] + 1e3)

    again = kr.discover(other, widths=(2, 4, 1), names=("x", "y"), rng=np.random.default_rng(0))

    assert again.network.theta.tobytes() == discovery.network.theta.tobytes()
    assert again.formula == discovery.formula


@pytest.mark.long
def test_with_noise_the_form_is_found_and_the_parameters_as_well_as_noise_allows():
    data = made(hello, 2, n=1000, noise=1e-2, seed=3)

    discovery = kr.discover(data, widths=(2, 4, 1), rng=np.random.default_rng(1))

    assert names(discovery.network) in ([["sin", "x^2"], ["exp"]], [["cos", "x^2"], ["exp"]])
    assert discovery.test_rmse < 2e-3
    assert discovery.train_rmse == pytest.approx(1e-2, rel=0.1)


# --- other formulas


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "n_inputs", "low", "high"),
    [
        (lambda x: x[:, :1] * x[:, 1:], 2, -1.0, 1.0),
        (lambda x: x[:, :1] / x[:, 1:], 2, 0.5, 2.0),
        (lambda x: np.sqrt(1.0 + (x**2).sum(axis=1, keepdims=True)), 3, -2.0, 2.0),
        (lambda x: np.sin(x[:, :1]) + x[:, 1:] ** 3, 2, -2.0, 2.0),
    ],
    ids=["product", "quotient", "root of squares", "sum"],
)
def test_formulas_are_found_exactly(f, n_inputs, low, high):
    data = made(f, n_inputs, low=low, high=high)

    discovery = kr.discover(data, widths=(n_inputs, 3, 1), rng=np.random.default_rng(0))

    assert discovery.test_rmse < 1e-12 * np.std(data.y_test)


@pytest.mark.long
def test_several_outputs_get_a_formula_each():
    data = made(lambda x: np.stack([np.exp(x[:, 0]), np.sin(2.0 * x[:, 0])], axis=1), 1)

    discovery = kr.discover(data, widths=(1, 2), names=("t",), rng=np.random.default_rng(0))

    t = sympy.Symbol("t")
    assert isinstance(discovery.formula, tuple)
    for expression, truth in zip(
        discovery.formula, (np.exp, lambda t: np.sin(2.0 * t)), strict=True
    ):
        points = np.linspace(-1.0, 1.0, 9)
        np.testing.assert_allclose(sympy.lambdify(t, expression)(points), truth(points), atol=1e-12)


@pytest.mark.long
def test_the_candidates_can_be_chosen():
    data = made(lambda x: x**2, 1)

    discovery = kr.discover(
        data, widths=(1, 1), functions=("x", "cosh"), rng=np.random.default_rng(0)
    )

    assert names(discovery.network) in ([["cosh"]], [["x"]])


# --- names decided by the data


def spline_of(f, n_intervals, seed=0):
    """A [1, 1] network near f, and exact data."""
    data = made(f, 1, seed=seed)
    network = kr.init_network(
        (1, 1),
        n_intervals=n_intervals,
        degree=3,
        domain=(-1.1, 1.1),
        rng=np.random.default_rng(seed),
    )
    return kr.fit(network, data, n_steps=10).network, data


def test_a_coarse_spline_leaves_rivals_and_the_data_decide():
    network, data = spline_of(lambda x: np.exp(0.4 * x), 2)

    search = search_formula(network, data)

    assert len(search.rivals[0, 0, 0]) > 1
    assert names(search.network) == [["exp"]]
    assert search.train_rmse < EXACT
    assert search.trials[-1].names == {(0, 0, 0): "exp"}


def test_a_formula_edge_keeps_its_name_and_its_parameters_are_trained():
    network, data = spline_of(lambda x: np.sin(3.0 * x), 10)
    network = kr.fix_symbolic(
        network, 0, output=0, input=0, name="sin", affine=(2.8, 0.1, 1.1, 0.1)
    )

    search = search_formula(network, data)

    assert search.rivals == {}
    assert search.train_rmse < EXACT
    assert abs(search.network.layers[0].affine[0, 0]) == pytest.approx(3.0, abs=1e-12)


def test_rivals_are_near_the_best_and_the_simplest_are_among_them():
    network, data = spline_of(lambda x: 1.0 + x**2, 5)

    fits = rank_edges(network, data.x_train, None)[0, 0, 0]

    assert "x^2" in [fit.name for fit in fits]
    assert len({fit.name for fit in fits}) == len(fits) <= 6


@for_all(("names", "expected"), [(None, "x"), (("sin", "x"), "x"), (("x^4", "sin"), "sin")])
def test_edges_that_are_left_when_the_time_is_over_get_the_simplest_function(names, expected):
    network, data = spline_of(np.sin, 5)

    found = rank_edges(network, data.x_train, names, deadline=-np.inf)

    assert [[one.name for one in ranked] for ranked in found.values()] == [[expected]]


def test_a_sine_a_quarter_turn_off_is_a_cosine_and_the_other_way_round():
    network, data = spline_of(lambda x: np.cos(x), 5)
    shifted = kr.fix_symbolic(
        network, 0, output=0, input=0, name="sin", affine=(1.0, 0.5 * np.pi + 0.01, 2.0, 3.0)
    )
    other = kr.fix_symbolic(
        network, 0, output=0, input=0, name="cos", affine=(1.0, 0.5 * np.pi - 0.01, 2.0, 3.0)
    )
    between = kr.fix_symbolic(
        network, 0, output=0, input=0, name="sin", affine=(1.0, 0.7, 2.0, 3.0)
    )

    for old, name in ((shifted, "cos"), (other, "sin"), (between, "sin")):
        new = sine_or_cosine(old)
        assert names(new) == [[name]]
        np.testing.assert_allclose(new(data.x_test), old(data.x_test), rtol=1e-14)


def test_locked_sines_keep_their_name():
    network = kr.init_network(
        (2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    for i in (0, 1):
        network = kr.fix_symbolic(
            network, 0, output=0, input=i, name="sin", affine=(1.0, 0.5 * np.pi, 1.0, 0.0)
        )
    network = kr.lock_edges(network, 0, [(0, 0), (0, 1)])

    assert names(sine_or_cosine(network)) == [["sin", "sin"]]


# --- the door


def test_a_table_is_predicted_only_if_its_columns_are_the_inputs_in_their_order():
    x = np.random.default_rng(0).uniform(1.0, 3.0, (60, 2))
    y = x[:, :1] - x[:, 1:]
    options = {
        "widths": (2, 1),
        "functions": ("x",),
        "penalty_weight": 0.0,
        "rng": np.random.default_rng(0),
    }
    found = kr.discover(kr.Data(x, y, x, y, names=("a", "b")), **options)
    unnamed = replace(found, formula=kr.formula(found.network), names=("x_1", "x_2"))

    np.testing.assert_array_equal(found.predict(Frame.of("ab", x)), found.predict(x))
    np.testing.assert_array_equal(unnamed.predict(Frame.of("ba", x)), found.predict(x))
    with pytest.raises(ValueError, match=r"^x has the columns \('b', 'a'\), but needs"):
        found.predict(Frame.of("ba", x))
    with pytest.raises(ValueError, match=r"^names is \('b', 'a'\)"):
        kr.discover(kr.Data(x, y, x, y, names=("a", "b")), **options | {"names": ("b", "a")})


def test_progress_shows_a_bar_and_the_rest_is_silent(capsys):
    kr.discover(made(lambda x: x**2, 1, n=50), widths=(1, 1), rng=np.random.default_rng(0))
    silent = capsys.readouterr()
    kr.discover(
        made(lambda x: x**2, 1, n=50), widths=(1, 1), rng=np.random.default_rng(0), progress=True
    )
    shown = capsys.readouterr()

    assert (silent.out, silent.err, shown.out) == ("", "", "")
    assert "canonical [1, 1]" in shown.err


def test_records_print_what_they_are(found):
    _, discovery, _ = found

    assert repr(discovery).startswith("Discovery(")
    assert "exp" in repr(discovery)
    assert repr(discovery.steps[0]).startswith("start      random: [2, 4, 1], train_rmse ")
    assert isinstance(discovery.network, Network)


# --- classes


def with_labels(logit, *, n=400, sharp=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, 2))
    labels = (rng.random(n) < 1.0 / (1.0 + np.exp(-sharp * logit(x)))).astype(int)
    return kr.Data(x, labels, x, labels, names=("u", "v"))


def one_layer():
    options = {"n_intervals": 2, "degree": 3, "domain": (-1.0, 1.0)}
    return kr.init_network((2, 1), **options, rng=np.random.default_rng(0))


def test_labels_lead_to_a_formula_of_the_logarithm_of_the_odds():
    data = with_labels(lambda x: 6.0 * x[:, 0] - 5.0 * x[:, 1])
    options = {"start": one_layer(), "functions": ("x", "x^2")}

    found = kr.discover(data, loss="cross_entropy", **options, rng=np.random.default_rng(1))

    u, v = sympy.symbols("u v")
    assert float(found.formula.coeff(u)) == pytest.approx(6.0, abs=1.5)
    assert float(found.formula.coeff(v)) == pytest.approx(-5.0, abs=1.5)
    assert found.verdict.kind == "within noise"
    assert "on 80 held-out samples the formula has accuracy 0." in found.verdict.why
    np.testing.assert_allclose(found.predict(data.x_test), found.network(data.x_test), atol=1e-9)


def test_a_formula_of_the_wrong_classes_is_not_explained():
    """A network of lines is poor, too: only neighbours show it."""
    data = with_labels(lambda x: x[:, 0] * x[:, 1], sharp=20.0)
    options = {"start": one_layer(), "functions": ("x",)}

    found = kr.discover(data, loss="cross_entropy", **options, rng=np.random.default_rng(1))

    assert found.verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated" in found.verdict.why


def line(slope):
    """A network of one edge, whose logit is a line."""
    network = kr.init_network(
        (1, 1), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )
    return kr.fix_symbolic(network, 0, output=0, input=0, name="x", affine=(slope, 0.0, 1.0, 0.0))


def answers_of_a_line(slope, n=300, n_points=None):
    """Answers with these odds, with a fifth of them held out, and all of them."""
    rng = np.random.default_rng(0)
    x = np.resize(rng.uniform(-1.0, 1.0, (n_points or n, 1)), (n, 1))
    answers = (rng.uniform(size=x.shape) < 1.0 / (1.0 + np.exp(-slope * x))).astype(float)
    held = np.arange(n) < n // 5
    part = kr.Data(x[~held], answers[~held], x[held], answers[held])
    return part, kr.Data(x, answers, x, answers)


def test_a_formula_that_is_no_better_than_a_constant_is_not_explained():
    """A few answers that are surely wrong raise the standard error as much as the loss."""
    part, whole = answers_of_a_line(12.0)

    steep, right = (
        class_verdict(part, whole, (line(slope), line(12.0), line(12.0)), "logistic", rng=RNG(0))
        for slope in (1500.0, 12.0)
    )

    assert steep.kind == "not explained"
    assert re.search(r": no better than a constant prediction, with 0\.6\d+$", steep.why)
    assert right.kind == "within noise"


@for_all("slope, kind", [(0.8, "not explained"), (4.0, "within noise")])
def test_a_formula_of_classes_is_better_than_a_constant_by_more_than_chance(slope, kind):
    """60 labels that hardly depend on the input do not show even the right formula."""
    part, whole = answers_of_a_line(slope)

    verdict = class_verdict(part, whole, (line(slope),) * 3, "logistic", rng=RNG(0))

    count = label_orders(slope * part.x_test, part.y_test, RNG(0))
    assert verdict.kind == kind
    assert (count <= 9) == (kind == "within noise")
    assert f"of 4000 random orders of the labels {count} give a loss as small" in verdict.why


@for_all("n_out", [1, 2, 3])
def test_random_orders_of_labels_give_a_loss_as_small_as_often_as_all_orders_do(n_out):
    logits = RNG(3).standard_normal((6, n_out))
    labels = np.eye(3)[[0, 1, 0, 2, 1, 0]][:, :n_out]
    sums = np.array([np.sum(logits * labels[list(order)]) for order in permutations(range(6))])
    share = np.mean(sums >= np.sum(logits * labels) - 1e-12)

    count = label_orders(logits, labels, RNG(0))

    assert count == pytest.approx(4000 * share, abs=4.0 * np.sqrt(4000 * share * (1.0 - share)))
    assert label_orders(np.full((6, n_out), 0.1), labels, RNG(0)) == 4000


def test_an_answer_that_depends_on_nothing_is_not_vouched_for_by_another():
    part, whole = answers_of_a_line(12.0)
    noise, variable = RNG(1).integers(0, 2, (300, 1)).astype(float), sympy.Symbol("x")

    def both(data, y):
        return kr.Data(
            data.x_train,
            np.hstack([data.y_train, y[60:] if data is part else y]),
            data.x_test,
            np.hstack([data.y_test, y[:60] if data is part else y]),
        )

    def network(slope):
        return kr.from_formula((12.0 * variable, slope * variable), ("x",), domain=(-1.0, 1.0))

    flat, steep = (
        class_verdict(
            both(part, noise), both(whole, noise), (network(k),) * 3, "logistic", rng=RNG(0)
        )
        for k in (0.0, 0.2)
    )

    assert flat.kind == "within noise"
    assert "random orders of the labels of output 0 0 give a loss as small" in flat.why
    assert steep.kind == "not explained"
    assert "of output 1 " in steep.why


@for_all(
    "y, loss, reason",
    [
        ([0, 2] * 30, "cross_entropy", "no sample of class 1, but formulas of logits need samples"),
        ([-1, 1] * 30, "cross_entropy", "y_train has negative labels, but"),
        (np.c_[[0.0, 1.0] * 30, [0.0] * 60], "logistic", "one answer alone in column 1, but"),
    ],
)
def test_classes_without_samples_and_answers_without_a_choice_are_errors(y, loss, reason):
    x = np.linspace(-1.0, 1.0, 60)[:, None]
    data = kr.Data(x, np.array(y), x, np.array(y))

    with pytest.raises(ValueError, match=reason):
        kr.discover(data, loss=loss, rng=RNG(0))


@for_all(
    "n, n_points, n_numbers, reason",
    [
        (49, 49, 1, "there are 49 samples, but 50 are needed"),
        (60, 60, 30, ""),
        (60, 60, 31, "60 different points determine 31 fitted numbers, so 29 are left"),
        (300, 300, 150, ""),
        (300, 300, 151, "300 different points determine 151 fitted numbers, so 149 are left"),
        (300, 20, 10, ""),
        (300, 20, 11, "20 different points determine 11 fitted numbers, so 9 are left"),
    ],
)
def test_a_formula_of_classes_needs_as_many_spare_samples_as_one_of_values(
    n, n_points, n_numbers, reason
):
    """The tests of residuals of classes need 50 samples for one input, too."""
    part, whole = answers_of_a_line(12.0, n, n_points)

    verdict = class_verdict(part, whole, (line(12.0),) * 3, "logistic", n_numbers, rng=RNG(0))

    assert verdict.kind == ("not explained" if reason else "within noise")
    assert reason in verdict.why


def test_the_frequencies_of_classes_explain_no_labels():
    """Of a class with one sample none is held out, so that a formula without it is better there."""
    labels = np.append(np.arange(60) % 2, 2)
    x = RNG(0).uniform(-1.0, 1.0, (61, 1))
    whole = kr.Data(x, labels, x, labels)
    network = kr.init_network((1, 3), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    for k, count in enumerate((30, 30, 0.1)):
        affine = (1.0, 0.0, 0.0, np.log(count))
        network = kr.fix_symbolic(network, 0, output=k, input=0, name="x", affine=affine)
    part = hold_out(whole, 0.2, loss="cross_entropy")

    verdict = class_verdict(part, whole, (network,) * 3, "cross_entropy", rng=RNG(0))

    assert set(part.y_test) == {0, 1}
    assert verdict.kind == "not explained"
    assert "not clearly better than a constant prediction" in verdict.why
    assert "of 4000 random orders of the labels 4000 give a loss as small" in verdict.why


@for_all("loss, n_numbers", [("cross_entropy", 5), ("logistic", 3)])
def test_formulas_of_the_same_labels_are_tested_together_and_those_of_answers_alone(
    loss, n_numbers
):
    x = sympy.Symbol("x")
    formulas = (1.17 * x + 0.31, 2.23 * x**2 + 0.57 * x + 0.31, 4.41 * x)

    assert numbers_to_test(formulas, loss) == n_numbers
    assert numbers_to_test(formulas[0], "logistic") == 2


def test_of_separated_classes_the_size_of_the_logits_is_said_to_be_open():
    data = with_labels(lambda x: np.where(x[:, 0] > 0.0, 100.0, -100.0))
    options = {"start": one_layer(), "functions": ("x",)}

    found = kr.discover(data, loss="cross_entropy", **options, rng=np.random.default_rng(1))

    assert found.verdict.kind == "within noise"
    assert found.verdict.why.endswith("so the size of its logits is not determined")


def one_line(slope):
    """A network of two inputs, whose logit is a line of the first one."""
    affine = (slope, 0.0, 1.0, 0.0)
    network = kr.fix_symbolic(one_layer(), 0, output=0, input=0, name="x", affine=affine)
    return kr.fix_symbolic(network, 0, output=0, input=1, name="x", affine=(0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_attempts_that_are_not_explained_the_better_one_is_returned(monkeypatch, which):
    """44 labels explain no formula, but held-out ones show which is nearer."""
    data = with_labels(lambda x: 6.0 * x[:, 0], n=44)
    ends = [one_line(0.0), one_line(0.0)]
    ends[which] = one_line(6.0)
    runs = iter(ends)

    def search(part, first, settings, report, rng, *, is_start):
        network = next(runs)
        return network, network

    monkeypatch.setattr(class_search, "search_by_network", search)
    monkeypatch.setattr(class_search, "with_trained_numbers", lambda network, *_: network)

    found = kr.discover(data, loss="cross_entropy", rng=RNG(0))

    assert found.verdict.kind == "not explained"
    assert float(found.formula.coeff(sympy.Symbol("u"))) == pytest.approx(6.0)
    assert (found.steps[-1].name == "choice") == (which == 0)


def test_one_class_has_no_logits():
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    zeros = np.zeros(20, dtype=int)

    with pytest.raises(ValueError, match="y_train has samples of one class, but"):
        kr.discover(kr.Data(x, zeros, x, zeros), loss="cross_entropy", rng=np.random.default_rng(0))


RNG = np.random.default_rng


def data_of(f, n_in=2, box=(-1.0, 1.0), n=300, noise=0.0, seed=0):
    rng = RNG(seed)
    low, high = np.broadcast_to(np.array(box, dtype=float), (n_in, 2)).T
    x, x_test = (rng.uniform(low, high, (n, n_in)) for _ in range(2))
    y, y_test = (np.asarray(f(*points.T)).reshape(n, -1) for points in (x, x_test))
    return kr.Data(x, y + noise * y.std(axis=0) * rng.standard_normal(y.shape), x_test, y_test)


def relative_error(found, data):
    return np.sqrt(np.mean((found.predict(data.x_test) - data.y_test) ** 2)) / np.std(data.y_test)


FORMULAS = [
    ("x/(y**2 + 1)", lambda x, y: x / (1 + y**2), 2, (-1.0, 1.0)),
    (None, lambda x: 3 * np.exp(-0.2 * x) * np.cos(2 * x), 1, (0.0, 8.0)),
]


@pytest.mark.long
@pytest.mark.parametrize(("text", "f", "n_in", "box"), FORMULAS)
def test_a_formula_is_found_without_widths_and_called_exact(text, f, n_in, box):
    data = data_of(f, n_in, box)

    found = kr.discover(data, names=("x", "y", "z")[:n_in], rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10
    if text is not None:
        assert sympy.simplify(found.formula - sympy.sympify(text)) == 0
    assert found.alternatives[-1].rmse < 1e-10 * np.std(data.y_train)
    complexities = [one.complexity for one in found.alternatives]
    errors = [one.rmse for one in found.alternatives]
    assert complexities == sorted(complexities)
    assert errors == sorted(errors, reverse=True)
    surrogate = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    assert np.std(surrogate - data.y_test) < 0.05 * np.std(data.y_test)
    if found.network is not None:
        np.testing.assert_allclose(
            found.network(data.x_test), found.predict(data.x_test), rtol=0, atol=1e-9
        )


def test_a_limit_of_time_gives_the_best_formula_so_far_and_says_so():
    data = data_of(lambda x, y: np.sin(7 * x * y + x**3) * np.exp(np.sin(4 * y - x)), n=200)

    found = kr.discover(data, rng=RNG(0), seconds=0.0)

    assert found.verdict.kind == "not explained"
    assert "the time is over" in found.verdict.why
    assert np.isfinite(found.train_rmse)


@for_all("loss", ["mse", "cross_entropy"])
def test_a_limit_of_time_ends_the_papers_way_and_the_verdict_says_so(loss):
    data = with_labels(lambda x: x[:, 0] * x[:, 1], sharp=20.0, n=60)
    if loss == "mse":
        data = made(lambda x: x[:, :1] * x[:, 1:2], 2, n=60)
    reported = []
    options = {"widths": (2, 2, 1), "loss": loss, "seconds": 0.0, "rng": RNG(0)}

    found = kr.discover(data, **options, callback=reported.append)

    assert found.verdict.why.count("the time is over: the best formula so far") == 1
    assert np.isfinite(found.train_rmse)
    assert sum(isinstance(one, ArchitectureTrial) for one in reported) == 1
    assert sum(isinstance(one, FormulaTrial) for one in reported) == 1
    steps = [step.name for step in found.steps]
    assert not {"refine", "numbers"} & set(steps)
    assert steps.count("name") == 1  # there is no second attempt


def test_the_numbers_of_a_formula_are_not_trained_after_the_deadline():
    data = with_labels(lambda x: 6.0 * x[:, 0], n=60)
    data = replace(data, y_train=data.y_train[:, None] * 1.0, y_test=data.y_test[:, None] * 1.0)
    lines = kr.fix_symbolic(one_layer(), 0, output=0, input=0, name="x")

    late, trained = (
        with_trained_numbers(lines, data, "logistic", 10, deadline).layers[0].affine
        for deadline in (-np.inf, np.inf)
    )

    np.testing.assert_array_equal(late, lines.layers[0].affine)
    assert np.abs(trained - late).max() > 0.1


LIMITS = ({}, {"seconds": 1e6})


@pytest.mark.long
def test_a_limit_of_time_that_is_not_reached_changes_nothing():
    data = made(lambda x: np.sin(2.0 * x[:, :1]) + x[:, 1:2], 2, n=60)
    options = {"widths": (2, 1), "penalty_weight": 0.0, "functions": ("x", "sin")}

    free, limited = (kr.discover(data, **options, rng=RNG(0), **limit) for limit in LIMITS)

    assert str(limited.formula) == str(free.formula)
    assert limited.verdict == free.verdict
    np.testing.assert_array_equal(limited.network.theta, free.network.theta)


def test_a_network_whose_slices_ran_out_of_time_says_so(monkeypatch):
    data = made(lambda x: np.sin(9.0 * x[:, :1]), 1, n=60)
    options = {"widths": (1, 1), "penalty_weight": 0.0, "seconds": 1e6, "rng": RNG(0)}
    search = search_by_slices

    def late(*arguments, **settings):
        return search(*arguments, **settings | {"deadline": -np.inf})

    monkeypatch.setattr("kan_ref.discovery.pipeline.search_by_slices", late)
    monkeypatch.setattr("kan_ref.discovery.pipeline.better", lambda one, *_: one)
    monkeypatch.setattr("kan_ref.discovery.network_search.search_by_network", lines)

    found = kr.discover(data, **options)

    assert "the time is over" in found.verdict.why


def lines(data, network, *_, **__):
    """Return a network of lines in place of what the paper's way finds."""
    found = network
    for layer_index, layer in enumerate(network.layers):
        for j, i in np.argwhere(layer.mask == 1.0).tolist():
            found = kr.fix_symbolic(found, layer_index, output=j, input=i, name="x")
    return found, network


def test_an_interrupt_gives_the_best_formula_so_far(monkeypatch):
    data = data_of(lambda x, y: x * np.exp(y), n=300)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("kan_ref.discovery.slice_search.best_fits", interrupt)
    found = kr.discover(data, rng=RNG(0))
    two = kr.Data(data.x_train, np.tile(data.y_train, 2), data.x_test, np.tile(data.y_test, 2))
    both = kr.discover(two, rng=RNG(0))

    assert len(both.decisions) == len(found.decisions)  # the second output is not searched
    assert "interrupted" in found.verdict.why
    assert found.verdict.kind == "not explained"
    np.testing.assert_allclose(found.predict(data.x_test), data.y_train.mean(), rtol=1e-12)


def test_an_interrupt_while_names_of_one_input_are_sought_keeps_the_best_one(monkeypatch):
    x = np.linspace(0.0, 2.0, 200)[:, None]
    y = np.exp(x) / (1.0 + x**4)
    data = kr.Data(x, y, x[:0], y[:0])

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("kan_ref.discovery.curves.powers_beside_terms", interrupt)
    found = kr.discover(data, rng=RNG(0))

    assert "interrupted" in found.verdict.why
    cubic = np.polynomial.Polynomial.fit(x[:, 0], y[:, 0], 3)(x[:, 0])
    assert np.std(found.predict(x)[:, 0] - y[:, 0]) <= np.std(cubic - y[:, 0])


def interrupting(name):
    """Return a callback that is interrupted after the step called `name`."""

    def callback(one):
        if getattr(one, "name", type(one).__name__) == name:
            raise KeyboardInterrupt

    return callback


@for_all(
    ("name", "widths"),
    [(name, None) for name in ("surrogate", "formula", "network")]
    + [(name, (1, 1)) for name in ("FormulaTrial", "name", "canonical", "surrogate")],
)
def test_an_interrupt_when_there_is_a_formula_keeps_it(name, widths):
    data = made(lambda x: x[:, :1] * np.exp(-x[:, :1]) if widths else np.exp(-x[:, :1]), 1, n=60)
    options = {"widths": widths, "penalty_weight": 0.0, "rng": RNG(0)}

    found = kr.discover(data, **options, callback=interrupting(name))

    assert found.verdict.why.count("interrupted: the best formula so far") == 1
    assert found.train_rmse < 0.5 * np.std(data.y_train)
    assert name == "FormulaTrial" or [step.name for step in found.steps].count(name) <= 1
    if widths is None:
        assert found.verdict.kind == "exact"


@for_all("name", ["start", "FormulaTrial", "name", "numbers"])
def test_an_interrupt_of_a_search_for_classes_keeps_a_formula_that_exists(name):
    data = with_labels(lambda x: 6.0 * x[:, 0], n=60)
    options = {"widths": (2, 1), "loss": "cross_entropy", "rng": RNG(0)}

    if name == "start":
        with pytest.raises(KeyboardInterrupt):
            kr.discover(data, **options, callback=interrupting(name))
    else:
        found = kr.discover(data, **options, callback=interrupting(name))
        assert "interrupted: the best formula so far" in found.verdict.why
        assert found.formula.free_symbols


def test_a_second_interrupt_ends_a_run():
    def interrupt():
        raise KeyboardInterrupt

    data = made(lambda x: x[:, :1], 1, n=20)
    report = Report(data, inputs_of_data(data.x_train), None, progress=False)

    assert report.unless_interrupted(interrupt, lambda: 3) == 3
    with pytest.raises(KeyboardInterrupt):
        report.unless_interrupted(interrupt, lambda: 3)


@pytest.mark.long
def test_decisions_say_what_was_compared_with_numbers():
    seen = []
    data = data_of(lambda x, y: np.sin(3 * x) * (2 + y**2), n=500)

    found = kr.discover(data, names=("x", "y"), rng=RNG(0), callback=seen.append)

    assert any("product" in str(one) for one in found.decisions)
    assert [one for one in seen if one in found.decisions] == list(found.decisions)
    assert [step.name for step in found.steps][:2] == ["surrogate", "formula"]


@pytest.mark.long
def test_a_network_of_ones_own_keeps_its_architecture():
    data = data_of(lambda x, y: np.exp(np.sin(np.pi * x) + y**2), n=800)
    start = kr.best_start((2, 1, 1), data, n_intervals=5, degree=3, rng=RNG(0))
    start = kr.fix_symbolic(start, 1, output=0, input=0, name="exp", x=data.x_train)

    found = kr.discover(data, start=start, names=("x", "y"), rng=RNG(0))

    assert found.network.widths == (2, 1, 1)
    assert found.verdict.kind == "exact"
    assert [step.name for step in found.steps] == ["start", "refine", "name", "canonical"]


@pytest.mark.long
def test_slices_follow_where_the_papers_way_does_not_explain_the_data():
    data = data_of(lambda x, y: np.log(1 + x**2 + y**2), n=600)

    found = kr.discover(data, widths=(2, 1, 1), names=("x", "y"), rng=RNG(0), penalty_weight=0.0)

    assert found.verdict.kind == "exact"
    assert relative_error(found, data) < 1e-10


def test_less_than_ten_samples_are_refused():
    x = RNG(0).uniform(0.0, 1.0, (9, 1))

    with pytest.raises(ValueError, match="9 training samples, but at least 10"):
        kr.discover(kr.Data(x, x**2, x, x**2), rng=RNG(0))


# --- constant inputs


def beside_constants(constants, places, n=150):
    """sin(x) + z^2 of two inputs that vary, with constant columns inserted at places."""
    varying = RNG(1).uniform(-2.0, 2.0, (n, 2))
    columns = list(varying.T)
    for place, constant in zip(places, constants, strict=True):
        columns.insert(place, np.full(n, constant))
    x, y = np.stack(columns, axis=1), (np.sin(varying[:, 0]) + varying[:, 1] ** 2)[:, None]
    return kr.Data(x, y, x, y)


def layers_are_valid(network, x):
    """Return whether the grids of the first layer enclose the samples, with active edges or not."""
    grid = network.layers[0].breakpoints
    return bool(np.all((grid[:, 0] <= x.min(axis=0)) & (x.max(axis=0) <= grid[:, -1])))


@pytest.mark.long
@pytest.mark.parametrize("constant", [5.0, 0.0, -3.0, 1e6])
def test_a_constant_input_is_left_out_of_the_formula_and_the_network_takes_it(constant):
    data = beside_constants([constant], [1])

    found = kr.discover(data, names=("a", "b", "c"), rng=RNG(0))

    assert found.formula == sympy.sympify("sin(a) + c**2")
    assert found.names == ("a", "b", "c")
    assert found.verdict.kind == "exact"
    assert f"b = {constant:g} at all training samples" in found.verdict.why
    assert "this value only" in found.verdict.why
    assert found.network.widths[0] == 3
    assert layers_are_valid(found.network, data.x_train)
    np.testing.assert_allclose(found.network(data.x_test), data.y_test, atol=1e-12)
    np.testing.assert_allclose(found.predict(data.x_test), data.y_test, atol=1e-12)
    surrogate = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    assert np.std(surrogate - data.y_test) < 0.05 * np.std(data.y_test)
    assert all(step.network.widths[0] == 3 for step in found.steps if step.network is not None)


@for_all("range_of_eps", [0, 4, 8, 9, 64, 450])
def test_the_columns_that_are_constant_are_those_of_a_scaler(range_of_eps):
    """A time of 100 microseconds since 1970 has 400 values, of which a formula can be made."""
    noise = RNG(0).integers(0, range_of_eps + 1, 40)
    noise[:2] = 0, range_of_eps
    x = np.column_stack([1.0 + np.finfo(float).eps * noise, np.arange(40.0)])
    _, scaler = kr.scaled(kr.Data(x, x, x, x))

    assert inputs_of_data(x).left_out == tuple(np.flatnonzero(scaler.x_constant))
    assert inputs_of_data(x).left_out == ((0,) if range_of_eps <= 8 else ())


def test_the_papers_way_keeps_its_steps_and_trials_for_all_inputs():
    data, reported = beside_constants([1.0, 7.0], [0, 2]), []

    found = kr.discover(data, widths=(4, 2, 1), rng=RNG(0), callback=reported.append)

    assert found.verdict.kind == "exact"
    assert found.formula.free_symbols == set(sympy.symbols("x_2 x_4"))
    assert "x_1 = 1 and x_3 = 7 at all training samples" in found.verdict.why
    assert "these values only" in found.verdict.why
    networks = [one.network for one in reported if hasattr(one, "network")]
    assert {network.widths[0] for network in networks} == {4}
    for step in found.steps:
        error = np.sqrt(np.mean((step.network(data.x_train) - data.y_train) ** 2))
        assert step.train_rmse == pytest.approx(float(error), rel=1e-6, abs=1e-14)
    trial = next(one for one in reported if isinstance(one, FormulaTrial))
    assert {i for layer, _, i in trial.names if layer == 0} == {1, 3}


@pytest.mark.long
def test_a_network_of_ones_own_loses_its_edges_from_a_constant_input():
    data = beside_constants([5.0], [1])
    start = kr.best_start((3, 1), data, n_intervals=5, degree=3, rng=RNG(0))

    found = kr.discover(data, start=start, rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert found.network.widths == (3, 1)
    assert found.formula.free_symbols == set(sympy.symbols("x_1 x_3"))


def test_a_network_with_edges_from_constant_inputs_alone_is_refused():
    data = beside_constants([5.0], [1])
    start = kr.best_start((3, 1), data, n_intervals=5, degree=3, rng=RNG(0))
    start = kr.mask_edges(start, 0, [[0, 1, 0]])

    with pytest.raises(ValueError, match=r"start has an output .* constant inputs \(1,\)"):
        kr.discover(data, start=start, rng=RNG(0))


@pytest.mark.long
@pytest.mark.parametrize("widths", [None, (2, 1, 1)])
def test_of_constant_inputs_alone_the_formula_is_the_mean(widths):
    x = np.tile([5.0, 3.0], (40, 1))
    y = RNG(0).standard_normal((40, 1))

    found = kr.discover(kr.Data(x, y, x, y), widths=widths, rng=RNG(0))

    assert found.formula.free_symbols == set()
    assert found.verdict.kind == "within noise"
    assert "x_1 = 5 and x_2 = 3 at all training samples" in found.verdict.why
    assert found.network.widths[0] == 2


# --- verdicts


def test_a_network_that_is_wrong_at_the_samples_is_none_with_the_reason():
    """x y is 1 at all samples, but up to 1e10 between their bounds, and its squares are as large."""
    x = 10.0 ** (np.linspace(-5.0, 5.0, 50)[:, None] * [1.0, -1.0])
    y = np.ones((50, 1))
    verdict = Verdict("exact", ("of course",))

    found, why = network_of((sympy.sympify("x*y"),), ("x", "y"), kr.Data(x, y, x, y), verdict)

    assert found is None
    assert why.kind == "exact"
    assert "there is no network of it: it would differ from the formula by" in why.why


def test_a_network_that_is_undefined_at_a_sample_is_none_with_the_reason():
    """x^1.3 is e^(1.3 log x) in a network, which has no value at x = 0."""
    x = np.linspace(0.0, 1.0, 50)[:, None]

    found, why = network_of(
        (sympy.sympify("x**1.3"),), ("x",), kr.Data(x, x, x, x), Verdict("exact", ("of course",))
    )

    assert found is None
    assert "there is no network of it: it would be undefined at a training sample" in why.why


def test_where_there_is_no_network_the_remedy_is_a_call_that_can_be_made():
    """Near x = 0 the sum x^2 y + 1 loses digits, and away from it the formula has a network."""
    x = RNG(0).uniform(-5.0, 5.0, (200, 2))
    formula = sympy.sympify("(x**2*y + 1)/x**2")
    y = formula_values(formula, x, ("x", "y"))

    _, verdict = network_of(
        (formula,), ("x", "y"), kr.Data(x, y, x, y), Verdict("exact", ("right",))
    )
    found = SimpleNamespace(formula=formula, names=("x", "y"))
    (call,) = re.findall(r"call (kr\.from_formula\(.*?\)) with", verdict.why)
    network = eval(call.replace("...", "((0.5, 5.0), (-5.0, 5.0))"), {"kr": kr, "found": found})

    assert "give domain=" not in verdict.why
    far = x[:, 0] > 0.5
    np.testing.assert_allclose(network(x[far]), y[far], rtol=0, atol=1e-9)


def test_the_errors_of_a_discovery_are_those_of_its_formula():
    x = 10.0 ** RNG(0).uniform(-5.0, 5.0, (200, 2))
    y = x[:, :1] / x[:, 1:] ** 2

    found = kr.discover(kr.Data(x[:100], y[:100], x[100:], y[100:]), rng=RNG(0))

    assert found.steps[-1].network is found.network is not None
    for error, part in ((found.train_rmse, slice(100)), (found.test_rmse, slice(100, None))):
        assert error == np.sqrt(np.mean((found.predict(x[part]) - y[part]) ** 2))
    np.testing.assert_allclose(found.network(x), y, rtol=0, atol=1e-13 * y.max())


def samples_of(text, n, *, names="x", noise=0.0, low=-1.0, high=1.0):
    """A formula in SymPy, samples of it, and the names of its inputs."""
    expression, labels = sympy.sympify(text), tuple(names.split())
    x = RNG(3).uniform(low, high, (n, len(labels)))
    y = formula_values(expression, x, labels)
    y = y + noise * RNG(4).standard_normal(y.shape)
    return expression, kr.Data(x, y, x, y), labels


@pytest.mark.parametrize("widths", [None, (2, 2)])
def test_labels_need_the_loss_of_classes(widths):
    x = RNG(0).uniform(-1.0, 1.0, (50, 2))
    labels = (x[:, 0] > 0.0).astype(int)

    with pytest.raises(
        ValueError, match=r"y_train has shape .* needs .* loss='cross_entropy' for class labels"
    ):
        kr.discover(kr.Data(x, labels, x, labels), widths=widths, rng=RNG(0))


@pytest.mark.parametrize(("n_in", "seed"), [(1, 2), pytest.param(2, 3, marks=pytest.mark.long)])
def test_one_value_among_zeros_is_never_exact(n_in, seed):
    """A peak that meets all 12 samples is found for it."""
    rng = RNG(seed)
    x, y = rng.random((12, n_in)), np.zeros((12, 1))
    y[rng.integers(12)] = 1.0

    found = kr.discover(kr.Data(x, y, x, y), rng=RNG(0))

    assert found.verdict.kind == "not explained"


def test_the_verdict_of_a_found_formula_tells_of_its_pole():
    _, data, names = samples_of("2/(x - 0.3)", 200)

    found = kr.discover(data, names=names, rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert "perhaps a pole" in found.verdict.why


@pytest.mark.long
def test_a_sum_of_as_many_terms_as_samples_is_neither_exact_nor_chosen():
    """Ten samples of x^2 + y are met by a sum with ten numbers, which is wrong elsewhere."""
    rng = RNG(0)
    data = kr.sample(lambda x: x[:, 0] ** 2 + x[:, 1], n_in=2, n_train=10, n_test=10, rng=rng)

    found = kr.discover(data, rng=rng)

    assert len(fitted_numbers(found.formula)) <= 5
    assert found.verdict.kind == "not explained" or relative_error(found, data) < 1e-10


@pytest.mark.long
def test_a_product_with_a_shared_input_is_not_explained_and_its_splines_are_named():
    x = RNG(0).uniform([0.0, 1.0], [3.0, 3.0], (600, 2))
    y = np.cos(x[:, :1]) * np.cos(x[:, :1] * x[:, 1:])
    data = kr.Data.split(x, y, rng=RNG(1))

    found = kr.discover(data, rng=RNG(0))

    values = found.scaler.inverse_y(found.splines(found.scaler.transform_x(data.x_test)))
    error = np.sqrt(np.mean((values - data.y_test) ** 2))
    assert found.verdict.kind == "not explained"
    assert error < 0.5 * found.test_rmse
    assert f"error of {error:.1e}, the formula {found.test_rmse:.1e}" in found.verdict.why


@pytest.mark.long
def test_a_wave_sampled_less_than_three_times_a_period_is_not_noise():
    t = np.arange(300.0)[:, None] / 100.0
    y = np.sin(2.0 * np.pi * 41.3 * t) + 0.05 * np.random.default_rng(0).standard_normal(t.shape)

    verdict = kr.discover(kr.Data(t, y, t, y), rng=np.random.default_rng(0)).verdict

    assert verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated, z = -" in str(verdict)
