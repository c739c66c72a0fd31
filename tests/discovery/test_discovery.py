"""From data to a formula in one call, with given widths and without: formulas, noise, several outputs, limits, invalid arguments; verdicts.

Verdicts are those of exact formulas, noise, structure in the residual, and undefined formulas.
"""

import re
from dataclasses import replace
from itertools import permutations
from statistics import NormalDist
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
from kan_ref.discovery.records import DiscoveryStep, Report, beside_splines, formula_values
from kan_ref.discovery.residual_tests import (
    neighbour_pairs,
    neighbour_statistic,
    pairs_along,
    product_statistic,
    sign_statistic,
)
from kan_ref.discovery.results import judged, judged_on_inputs, judged_on_test
from kan_ref.discovery.sample_support import between_samples, effects, network_of, rounding_errors
from kan_ref.discovery.slice_search import search_by_slices
from kan_ref.discovery.spare_samples import fitted_numbers, unseen_error
from kan_ref.discovery.surrogate import held_out_gain
from kan_ref.discovery.trials import ArchitectureTrial
from kan_ref.discovery.varying_inputs import inputs_of_data
from kan_ref.discovery.verdict import Verdict, explained, judge
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


SPLINES = "the network of splines, scaler.inverse_y(splines(scaler.transform_x(x))),"


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
    predicted = unnamed.predict(Frame.of("ba", x))  # by the numbers before they were written as 1
    np.testing.assert_allclose(predicted, found.predict(x), rtol=0.0, atol=1e-13)
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
    assert "residuals y - p of neighbouring samples are correlated" in found.verdict.why


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
        (49, 49, 1, "there are 49 samples, but at least 50 are needed"),
        (60, 60, 30, ""),
        (60, 60, 31, "60 samples determine 31 fitted numbers, so 29 are left"),
        (300, 300, 150, ""),
        (300, 300, 151, "300 samples determine 151 fitted numbers, so 149 are left"),
        (300, 20, 10, ""),
        (300, 20, 11, "at 20 different points determine 11 fitted numbers, so 9 are left"),
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


def test_an_interrupt_of_the_last_test_of_a_residual_is_not_lost(monkeypatch):
    stopped = SimpleNamespace(interrupted=True, network=None)
    monkeypatch.setattr("kan_ref.discovery.surrogate.fit", lambda *_, **__: stopped)

    with pytest.raises(KeyboardInterrupt):
        held_out_gain(X[:100], Y[:100], RNG(0))


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


X = RNG(0).uniform(-1.0, 1.0, (1000, 2))
Y = np.exp(X[:, 0]) * np.sin(3.0 * X[:, 1])
SPREAD = np.std(Y)


def test_rounding_errors_are_exact_in_any_units():
    for unit, shift in ((1.0, 0.0), (1e-20, 0.0), (1e20, 0.0), (1.0, 1e5)):
        y = unit * (Y + shift)
        verdict = judge(X, y, y * (1.0 + 1e-16 * RNG(1).standard_normal(len(y))), RNG(0))
        assert verdict.kind == "exact"
        assert str(verdict).startswith("exact: the largest error")


def test_a_small_error_with_structure_is_not_exact():
    """A quotient of polynomials may approximate a curve to 1e-12."""
    wrong = SPREAD * np.sin(5.0 * X[:, 1])

    assert judge(X, Y, Y + 2e-12 * wrong, RNG(0)).kind == "not explained"
    assert judge(X, Y, Y + 2e-14 * wrong, RNG(0)).kind == "exact"
    noise = 2e-12 * SPREAD * RNG(2).uniform(-1.0, 1.0, len(Y))
    assert judge(X, Y, Y + noise, RNG(0)).kind == "exact"


@pytest.mark.parametrize(
    "years", [RNG(0).uniform(2000.0, 2006.0, 300), 2000.0 + np.arange(300) % 7]
)
def test_rounding_errors_of_a_formula_with_large_numbers_are_exact_and_no_other_errors(years):
    """Its constant 1000.4 alone changes the value by 1.1e-13 of it when its last bit changes."""
    import sympy

    t, x = sympy.Symbol("t"), years[:, None]
    y = 3.0 * np.exp(0.5 * (x - 2003.0))
    shift = sympy.Rational(1001.5 - np.log(3.0))
    law = sympy.exp(t / 2 - shift)
    wrong = np.std(y) * np.sin(5.0 * x)

    kinds = [
        judged(kr.Data(x, target, x, target), law, ("t",), RNG(0)).kind
        for target in (y, y + 5e-12 * wrong, y + 1e-9 * wrong)
    ]

    assert kinds == ["exact", "not explained", "not explained"]


@for_all(
    "text",
    [
        "sin(3.7*a + 2.2)",
        "1000.1 - 999.9*exp(0.001*b)",
        "(b**2 + 1.1)/(b + 0.3)",
        "exp(0.31*a - 620.1)",
        "(0.7*b)**(1/3)*log(3*a/7)",
    ],
)
def test_rounding_errors_of_a_formula_are_bounded_and_not_by_far(text):
    import mpmath
    import sympy

    x = RNG(0).uniform([1990.0, 1.0], [2010.0, 2.0], (100, 2))
    law = sympy.sympify(text)
    found = formula_values(law, x, ("a", "b"))[:, 0]
    with mpmath.workdps(40):
        function = sympy.lambdify(sympy.symbols("a b"), law, "mpmath")
        exact = [function(*map(mpmath.mpf, row)) for row in x.tolist()]
        errors = np.array(
            [abs(float(one - v)) for one, v in zip(exact, found.tolist(), strict=True)]
        )

    shares = errors / rounding_errors(law, x, ("a", "b"))

    assert 0.05 < shares.max() < 1.0


@pytest.mark.parametrize("size", [1e-11, 1e-9, 1e-6, 1e-3, 0.1])
def test_a_wrong_formula_without_noise_is_not_explained(size):
    for wrong in (X[:, 0] ** 2, X[:, 0] * X[:, 1], np.sin(5.0 * X[:, 1]), np.abs(X[:, 0])):
        verdict = judge(X, Y, Y + size * SPREAD * wrong, RNG(0))
        assert verdict.kind == "not explained"
        assert "structure" in verdict.why


def test_one_exceptional_sample_is_no_exact_formula():
    predicted = Y.copy()
    predicted[17] += 1e-6

    assert judge(X, Y, predicted, RNG(0)).kind != "exact"


@pytest.mark.long
def test_noise_is_called_noise_in_at_least_nine_of_ten_draws():
    kinds = [
        judge(X, Y + 0.05 * SPREAD * RNG(seed).standard_normal(1000), Y, RNG(seed)).kind
        for seed in range(10)
    ]

    assert kinds.count("within noise") >= 9


def test_structure_of_a_third_of_the_noise_is_seen():
    for seed in range(5):
        noisy = Y + 0.03 * SPREAD * RNG(seed).standard_normal(1000)
        wrong = Y + 0.01 * SPREAD * np.sin(4.0 * X[:, 0]) * 1.4
        assert judge(X, noisy, wrong, RNG(seed)).kind == "not explained"


def test_a_formula_that_is_undefined_at_a_sample_is_not_explained():
    predicted = Y.copy()
    predicted[3] = np.nan

    verdict = judge(X, Y, predicted, RNG(0))

    assert verdict.kind == "not explained"
    assert "undefined at 1 of 1000 samples" in verdict.why


def test_a_network_that_is_wrong_at_the_samples_is_none_with_the_reason():
    """x y is 1 at all samples, but up to 1e10 between their bounds, and its squares are as large."""
    x = 10.0 ** (np.linspace(-5.0, 5.0, 50)[:, None] * [1.0, -1.0])
    y = np.ones((50, 1))
    verdict = Verdict("exact", "of course")

    found, why = network_of((sympy.sympify("x*y"),), ("x", "y"), kr.Data(x, y, x, y), verdict)

    assert found is None
    assert why.kind == "exact"
    assert "there is no network of it: it would differ from the formula by" in why.why


def test_a_network_that_is_undefined_at_a_sample_is_none_with_the_reason():
    """x^1.3 is e^(1.3 log x) in a network, which has no value at x = 0."""
    x = np.linspace(0.0, 1.0, 50)[:, None]

    found, why = network_of(
        (sympy.sympify("x**1.3"),), ("x",), kr.Data(x, x, x, x), Verdict("exact", "of course")
    )

    assert found is None
    assert "there is no network of it: it would be undefined at a training sample" in why.why


def test_where_there_is_no_network_the_remedy_is_a_call_that_can_be_made():
    """Near x = 0 the sum x^2 y + 1 loses digits, and away from it the formula has a network."""
    x = RNG(0).uniform(-5.0, 5.0, (200, 2))
    formula = sympy.sympify("(x**2*y + 1)/x**2")
    y = formula_values(formula, x, ("x", "y"))

    _, verdict = network_of((formula,), ("x", "y"), kr.Data(x, y, x, y), Verdict("exact", "right"))
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


# --- how many samples test a formula


@for_all(
    ("n", "n_numbers", "kind"),
    [
        (10, 0, "exact"),
        (10, 6, "exact"),
        (10, 7, "not explained"),
        (10, 10, "not explained"),
        (10, 12, "not explained"),
        (300, 20, "exact"),
    ],
)
def test_an_exact_formula_needs_a_spare_sample_for_two_numbers(n, n_numbers, kind):
    verdict = judge(X[:n], Y[:n], Y[:n], RNG(0), n_numbers)

    assert verdict.kind == kind
    assert (f"{n} samples determine {n_numbers} fitted numbers" in verdict.why) == (kind != "exact")
    assert ("nothing tests the formula" in verdict.why) == (n_numbers >= n)


@pytest.mark.long
@for_all(
    ("n_in", "n", "n_numbers", "reason"),
    [
        (
            1,
            27,
            0,
            "there are 27 samples, but at least 28 are needed to see that it has no structure",
        ),
        (1, 28, 14, ""),
        (
            2,
            49,
            0,
            "there are 49 samples, but at least 50 are needed to see that it has no structure",
        ),
        (2, 50, 25, ""),
        (2, 50, 26, "so 24 are left to test the formula, but at least 26 are needed"),
        (2, 50, 50, "50 samples determine 50 fitted numbers, so nothing tests the formula"),
        (2, 300, 150, ""),
    ],
)
def test_noise_needs_so_many_samples_that_structure_could_be_seen(n_in, n, n_numbers, reason):
    noise = RNG(4).uniform(-0.1, 0.1, n)

    verdict = judge(X[:n, :n_in], Y[:n] + noise, Y[:n], RNG(0), n_numbers)

    assert "shows no structure" in verdict.why
    if reason:
        assert verdict.kind == "not explained"
        assert verdict.why.endswith(reason)
    else:
        assert verdict.kind == "within noise"
        sigma = np.std(noise) * np.sqrt(n / (n - n_numbers))
        unseen = sigma * np.sqrt((64 + n_numbers) / n)
        assert f"a root mean square below {unseen:.1e} cannot be seen" in verdict.why


def test_the_unseen_error_is_that_of_the_fit_and_of_eight_standard_errors():
    """Least squares of p columns leave an error of sigma sqrt(p / N) on average."""
    n, p, sigma = 100, 20, 0.3
    columns, _ = np.linalg.qr(RNG(0).standard_normal((n, p)))
    fits, residuals = [], []
    for seed in range(400):
        noise = sigma * RNG(seed).standard_normal(n)
        fits.append(np.mean((columns @ (columns.T @ noise)) ** 2))
        residuals.append(np.mean((noise - columns @ (columns.T @ noise)) ** 2))

    size = float(np.sqrt(np.mean(residuals)))

    np.testing.assert_allclose(
        unseen_error(size, n, p), np.sqrt(np.mean(fits) + 64 * sigma**2 / n), rtol=0.01
    )
    assert unseen_error(size, n, 0) == 8.0 * size / 10.0


@for_all(
    ("text", "n_numbers"),
    [
        ("x**2 + 3*y/2 - sin(pi*x)", 0),
        ("1.25*x + 0.3*y", 2),
        ("0.7*sin(0.7*x) - 0.7", 1),
        ("0.9999999999999999*x + 3.141592653589793*y + 2.4999999999", 0),
        ("0.9999*x + 1e-12", 2),
        ("123456.5*x", 1),
    ],
)
def test_numbers_that_samples_have_determined_are_counted(text, n_numbers):
    assert fitted_numbers(sympy.sympify(text)) == n_numbers


# --- which samples test a number, and what lies between the samples


def samples_of(text, n, *, names="x", noise=0.0, low=-1.0, high=1.0):
    """A formula in SymPy, samples of it, and the names of its inputs."""
    expression, labels = sympy.sympify(text), tuple(names.split())
    x = RNG(3).uniform(low, high, (n, len(labels)))
    y = formula_values(expression, x, labels)
    y = y + noise * RNG(4).standard_normal(y.shape)
    return expression, kr.Data(x, y, x, y), labels


def test_the_effect_of_a_number_is_the_value_it_is_responsible_for():
    """To first order, and here exactly: 3 x and 5 are linear in their numbers."""
    x = RNG(0).uniform(-1.0, 1.0, (20, 1))

    found = effects(sympy.sympify("3*x + 5.25 - x**2"), x, ("x",))

    assert list(map(float, found)) == [5.25, 2.0, 3.0]  # the fitted number is first, -1 left out
    np.testing.assert_allclose(found[sympy.Integer(3)], np.abs(3.0 * x[:, 0]), rtol=1e-10)
    np.testing.assert_allclose(found[sympy.Float("5.25")], 5.25, rtol=1e-10)
    # x^2.002 is undefined for negative x
    assert np.array_equal(np.isinf(found[sympy.Integer(2)]), x[:, 0] < 0.0)


@pytest.mark.long
@for_all(
    ("width", "n_numbers", "kind"),
    [
        (1e-3, 0, "not explained"),
        (1e-3, 1, "not explained"),
        (0.5, 0, "exact"),
        (0.5, 1, "exact"),
    ],
)
def test_a_peak_at_one_sample_is_not_exact(width, n_numbers, kind):
    """All numbers of the narrow peak are chosen, or one is fitted, and it meets all samples."""
    at = samples_of("x", 50)[1].x_train[7, 0]
    height = "2" if n_numbers == 0 else "2.345678"
    text = f"{height}*exp(-({round(1 / width)}*x - {round(at / width)})**2)"
    expression, data, names = samples_of(text, 50)

    verdict = judged(data, expression, names, RNG(0))

    assert verdict.kind == kind
    if kind != "exact":
        assert "by a thousandth shows at 1 of 50 samples, too few to test it" in verdict.why
        assert "without this rule it would be exact: the largest error on 50" in verdict.why


def test_an_exact_formula_needs_spare_samples_where_each_number_matters():
    """The peak has 3 fitted numbers, and (D32) asks for 5 samples: 3 + 3 / 2, rounded up."""
    x = np.arange(40.0)[:, None]
    for n, kind in ((4, "not explained"), (5, "exact")):
        # zero up to rounding but at n samples
        text = f"1.2345*max(0, x - {34.123 + 5 - n})**1.777 + 0*x"
        expression = sympy.sympify(text.replace("max", "Max"))
        y = formula_values(expression, x, ("x",))
        assert np.count_nonzero(y) == n
        kinds = judged(kr.Data(x, y, x, y), expression, ("x",), RNG(0)).kind
        assert kinds == kind


def repeated(text, n_points, n_each, *, noise=0.0, names="x"):
    """A formula, samples of it at x = 1, 2, ... repeated, other inputs random, and the names."""
    expression, labels = sympy.sympify(text), tuple(names.split())
    x = RNG(5).uniform(1.0, 2.0, (n_points * n_each, len(labels)))
    x[:, 0] = np.repeat(np.arange(1.0, n_points + 1.0), n_each)
    y = formula_values(expression, x, labels)
    y = y + noise * RNG(6).standard_normal(y.shape)
    return expression, kr.Data(x, y, x, y), labels


def polynomial_with(n_numbers):
    return "+".join(f"0.{7 + k}1234*(x - {k})**{k}" for k in range(n_numbers))


@for_all(
    ("n_numbers", "names", "noise", "kind"),
    [
        (6, "x", 0.0, "exact"),  # 2 (10 - 6) >= 6
        (7, "x", 0.0, "not explained"),
        (7, "x y", 0.0, "not explained"),  # y, which differs everywhere, is not in the formula
        (5, "x", 0.05, "within noise"),  # 10 - 5 >= 5
        (6, "x", 0.05, "not explained"),
    ],
)
def test_samples_at_the_same_point_test_a_formula_once(n_numbers, names, noise, kind):
    text = polynomial_with(n_numbers)
    expression, data, labels = repeated(text, 10, 20, noise=noise, names=names)

    verdict = judged(data, expression, labels, RNG(0))

    assert verdict.kind == kind
    assert "200 samples at 10 different points" in verdict.why
    if kind == "not explained":
        assert f"so {10 - n_numbers} are left to test the formula" in verdict.why


def test_a_constant_is_tested_by_samples_at_the_same_point_too():
    expression, data, labels = repeated("0.71234", 10, 20)

    assert judged(data, expression, labels, RNG(0)).kind == "exact"


@for_all(
    ("text", "noise", "reason"),
    [
        ("x + 2*exp(-(100*x - 300)**2)", 0.0, "a thousandth shows at 1 of 10 different points"),
        ("x + 2*exp(-(100*x - 300)**2)", 0.05, "matters at 1 or fewer of 10 different points"),
        ("0.51234*x + 0.71234", 0.05, ""),
    ],
)
def test_a_number_must_matter_at_several_points_not_at_one_repeated(text, noise, reason):
    expression, data, labels = repeated(text, 10, 20, noise=noise)

    verdict = judged(data, expression, labels, RNG(0))

    assert verdict.kind == ("not explained" if reason else "within noise")
    assert reason in verdict.why


def test_the_structure_of_a_table_with_one_input_is_named_after_one_input():
    x = np.cos(np.linspace(0.0, np.pi, 200))[:, None]

    why = judge(x, np.cos(8.0 * np.arccos(x[:, 0])), np.zeros(200), RNG(0)).why

    assert "polynomials of degree 7 to 9 of the input explain 100.0%" in why


@pytest.mark.long
@for_all(
    ("term", "kind"),
    [
        ("0.001675*(2 - 0.2337542*x*y)**(-2)", "not explained"),
        ("8.862274e-29*exp(x**2*y**2)", "not explained"),
        ("0.25*sin(x*y)", "within noise"),
        ("0.01*x", "within noise"),  # 1 standard error: no sample shows it, and it does no harm
    ],
)
def test_a_term_that_meets_an_outlier_is_not_within_noise(term, kind):
    text = f"x*y + {term}"
    expression, data, names = samples_of(text, 300, names="x y", low=0.0, high=2.92, noise=0.05)

    verdict = judged(data, expression, names, RNG(0))

    assert verdict.kind == kind
    if kind == "not explained":
        assert "matters at 5 or fewer of 300 samples, too few to test it" in verdict.why


@for_all(
    ("text", "noise", "number"),
    [
        ("1/(1 + exp(-80000*x))", 0.0, "-80000"),
        ("tanh(80000*x - 24000.25)", 0.0, "-24000.2"),
        ("tanh(80000*x)", 0.05, "80000"),
    ],
)
def test_the_numbers_of_a_step_that_no_sample_shows_are_not_tested(text, noise, number):
    """At all samples the step is 0 or 1 up to rounding, with any large number."""
    expression, data, names = samples_of(text, 200, noise=noise)

    verdict = judged(data, expression, names, RNG(0))

    assert verdict.kind == "not explained"
    expected = "matters at 5 or fewer" if noise else "by a thousandth shows at 0"
    assert f"the number {number} {expected} of 200 samples, too few to test it" in verdict.why
    assert "without this rule it would be " in verdict.why


def test_what_training_leaves_of_zero_need_not_be_tested():
    text = "1.25*x + 3.1e-17 + 2.5e-16*sin(7.3*x)"
    expression, data, names = samples_of(text, 200)

    assert judged(data, expression, names, RNG(0)).kind == "exact"


@pytest.mark.long
@for_all(
    ("columns", "expected"),
    [
        (lambda x: x, ""),
        (lambda x: np.column_stack([x[:, 0], 2.0 * x[:, 0] + 1.0]), "x_1 and x_2"),
        (lambda x: np.column_stack([x, 3.0 * x[:, 0] - x[:, 1]]), "x_1 and x_2 and x_3"),
        (lambda x: np.column_stack([x, x[:, 1] / 7.0 - 5.0]), ""),  # x_1 alone is in the formula
    ],
)
def test_a_verdict_names_inputs_that_others_determine(columns, expected):
    x = columns(RNG(0).uniform(-1.0, 1.0, (100, 2)))
    y = x[:, :1] ** 2
    found = kr.discover(kr.Data(x, y, x, y), rng=RNG(0))
    assert found.verdict.kind == "exact"
    found = replace(found, formula=sympy.sympify("x_1**2"))

    verdict = judged_on_inputs(
        replace(found, verdict=Verdict("exact", "")), kr.Data(x, y, x, y)
    ).verdict

    rest = "are linearly dependent at all training samples, so that other formulas have the same values there"
    assert verdict.why == (f"; {expected} {rest}" if expected else "")


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

    assert "a thousandth shows at" in found.verdict.why
    assert found.verdict.kind == "not explained"


@for_all(
    ("text", "expected"),
    [
        ("1/(x - 1/3)", "it has a pole, near x = 0.333333"),
        ("x/(x - 1/3)**2", "it has a pole, near x = 0.333333"),
        ("1/sin(5*x)", "it has a pole, near x = 0"),
        ("tan(3*x)", "it has a pole, near x = -0.523599"),
        ("x + 1e-4/(x - 0.123)", "it has a pole, near x = 0.123"),
        ("1/(1/x + 5)", "it has a pole, near x = -0.2"),
        ("tanh(1/x)", ""),
        ("(x**2 - 1)/(x - 1)", ""),
        ("1/(2 + x)", ""),
        ("1/(x**2 + 0.01)", ""),
        ("exp(x)", ""),
        ("sqrt(x**2)", ""),
        ("sqrt((x - 0.9)*(x + 0.9))", None),
    ],
)
def test_poles_between_samples_are_reported(text, expected):
    x = RNG(0).uniform(-1.0, 1.0, (200, 1))
    if expected is None:  # samples on both sides of where it is undefined, and neighbours there
        x = np.array([[-1.0], [-0.91], [0.91], [1.0], [1.1]])
        expected = "it is undefined, for example at x = -0.045"

    found = between_samples(sympy.sympify(text), x, ("x",))

    assert found == (f"between samples {expected}" if expected else "")


def test_a_pole_on_a_line_is_one_of_its_points():
    x = RNG(0).uniform(-1.0, 1.0, (300, 2))

    found = between_samples(sympy.sympify("x*y/(x + y - 1/2)"), x, ("x", "y"))

    a, b = (float(part.split(" = ")[1]) for part in found.split("near ")[1].split(", "))
    assert abs(a + b - 0.5) < 2e-6
    assert between_samples(sympy.sympify("x*y/(x + y + 3)"), x, ("x", "y")) == ""


def test_large_values_between_samples_are_reported():
    x = np.linspace(0.0, 1.0, 11)[:, None]

    found = between_samples(sympy.sympify("x + 9*exp(-(100*x - 55)**2)"), x, ("x",))

    expected = "reaches 9.6, for example at x = 0.55, but lies between 0 and 1 at them"
    assert found == f"between samples it {expected}"
    assert between_samples(sympy.sympify("x + 0.5*exp(-(100*x - 55)**2)"), x, ("x",)) == ""


def test_the_verdict_of_a_found_formula_tells_of_its_pole():
    _, data, names = samples_of("2/(x - 0.3)", 200)

    found = kr.discover(data, names=names, rng=RNG(0))

    assert found.verdict.kind == "exact"
    assert found.verdict.why.endswith("; between samples it has a pole, near x = 0.3")


@pytest.mark.long
def test_a_sum_of_as_many_terms_as_samples_is_neither_exact_nor_chosen():
    """Ten samples of x^2 + y are met by a sum with ten numbers, which is wrong elsewhere."""
    rng = RNG(0)
    data = kr.sample(lambda x: x[:, 0] ** 2 + x[:, 1], n_in=2, n_train=10, n_test=10, rng=rng)

    found = kr.discover(data, rng=rng)

    assert fitted_numbers(found.formula) <= 5
    assert found.verdict.kind == "not explained" or relative_error(found, data) < 1e-10


def undefined_at_some(low_of_training, low):
    """log x beside training samples above a bound, and test samples above another."""
    x = RNG(0).uniform(low_of_training, 3.0, (60, 1))
    x_test = RNG(1).uniform(low, 3.0, (40, 1))
    return kr.Data(x, np.log(x), x_test, np.log(np.abs(x_test)))


def test_a_formula_that_is_undefined_beyond_the_training_samples_is_said_to_be():
    data = undefined_at_some(0.5, -1.0)
    n_undefined = int((data.x_test <= 0.0).sum())
    assert 0 < n_undefined < 40

    found = kr.discover(data, names=("x",), rng=RNG(0))

    assert str(found.formula) == "log(x)"
    assert found.verdict.kind == "exact"
    assert f"undefined at {n_undefined} of 40 test samples, all of them outside" in str(
        found.verdict
    )


def test_a_formula_that_is_undefined_between_training_samples_explains_nothing():
    data = undefined_at_some(0.5, 0.6)
    found = kr.discover(data, names=("x",), rng=RNG(0))
    assert found.verdict.kind == "exact"
    x = sympy.Symbol("x")
    hole = replace(found, formula=sympy.log(x) + 0 * x + sympy.sqrt((x - 1) * (x - 2)))

    verdict = judged_on_test(hole, data).verdict

    n_undefined = int(((data.x_test > 1.0) & (data.x_test < 2.0)).sum())
    assert verdict.kind == "not explained"
    assert f"undefined at {n_undefined} of 40 test samples inside the range" in verdict.why
    assert "without them it would be exact: the largest error" in verdict.why


def test_where_no_formula_explains_the_data_the_verdict_has_the_errors_of_splines_and_formula(
    found,
):
    data, discovery, _ = found
    x = sympy.Symbol("x")

    def reported(formula, kind="not explained", splines=discovery.splines):
        changed = {"verdict": Verdict(kind, "why"), "formula": formula, "splines": splines}
        return beside_splines(replace(discovery, **changed), data).verdict.why

    values = discovery.scaler.inverse_y(
        discovery.splines(discovery.scaler.transform_x(data.x_test))
    )
    error = np.sqrt(np.mean((values - data.y_test) ** 2))
    worse = np.sqrt(np.mean((data.x_test[:, :1] - data.y_test) ** 2))
    numbers = f"has an error of {error:.1e} on the test samples, the formula"
    assert reported(x) == f"why; {SPLINES} {numbers} {worse:.1e}"
    assert reported(sympy.sqrt(-1 - x**2)) == f"why; {SPLINES} {numbers} nan"
    assert reported(discovery.formula) == "why"
    assert reported(discovery.formula + 1.9 * error) == "why"
    assert (
        reported(discovery.formula + 2.1 * error) == f"why; {SPLINES} {numbers} {2.1 * error:.1e}"
    )
    assert reported(x, "within noise") == "why"
    undefined = kr.fix_symbolic(
        discovery.splines, 0, output=0, input=0, name="log", affine=(1.0, -9.0, 1.0, 0.0)
    )
    assert reported(x, splines=undefined) == "why"


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
    assert (
        f"{error:.1e} on the test samples, the formula {found.test_rmse:.1e}" in found.verdict.why
    )


def test_the_gain_is_that_of_its_definition():
    residual = X[:, 0] + 0.1 * RNG(2).standard_normal(1000)

    gain, error = held_out_gain(X, residual, RNG(0))

    # a line explains all but the noise: r^2 - (r - q)^2 has the mean of X^2, 1/3
    assert 0.30 < gain < 0.36
    np.testing.assert_allclose(error, np.std(X[:, 0] ** 2) / np.sqrt(1000), rtol=0.25)


@pytest.mark.parametrize("p", [1, 4, 30])
def test_the_statistic_of_noise_is_normal_and_that_of_structure_large(p):
    columns = RNG(3).standard_normal((1000, p))
    drawn = [explained(columns, RNG(100 + seed).standard_normal(1000))[0] for seed in range(400)]

    assert abs(np.mean(drawn)) < 0.2
    assert abs(np.std(drawn) - 1.0) < 0.15
    assert max(drawn) < 4.0
    structured = RNG(5).standard_normal(1000) + 0.5 * columns[:, 0]
    statistic, share = explained(columns, structured)
    assert statistic > 6.0
    np.testing.assert_allclose(share, 0.2, atol=0.06)


def test_no_error_above_a_billionth_is_exact_however_large_the_targets_are():
    for shift in (0.0, 1e6, 1e7):
        y = Y + shift
        predicted = y + 1e-8 * SPREAD * np.sin(5.0 * X[:, 0])

        assert judge(X, y, predicted, RNG(0)).kind != "exact"


@for_all(("shift", "kind"), [(1e5, "exact"), (1e7, "within noise"), (1e12, "within noise")])
def test_no_formula_is_exact_where_rounding_errors_of_y_are_above_a_billionth(shift, kind):
    """Numbers near 1e12 are 1.2e-4 apart, so that smaller terms of y may leave no trace."""
    y = Y + shift
    verdict = judge(X, y, y, RNG(0))

    assert verdict.kind == kind
    assert ("rounding errors" in verdict.why) == (kind != "exact")
    if kind != "exact":
        assert float(verdict.why.split("below ")[1].split()[0]) >= 0.99 * np.spacing(shift)


def test_a_constant_is_not_said_to_be_wrong_by_no_more_than_noise_shows():
    """y = sin(200 x) has 32 periods over [0, 1], 2/3 of the samples for each: they look like noise."""
    x = RNG(1).uniform(0.0, 1.0, (60, 1))
    y = np.sin(200.0 * x[:, 0])

    why = judge(x, y, np.full(60, y.mean()), RNG(0), 1).why

    assert "the formula is a constant, and y looks like noise on 60 samples" in why
    assert "does not depend on the inputs, or varies too fast for so many samples" in why
    assert "an error with" not in why


# --- neighbours


def test_the_pairs_are_each_sample_with_its_nearest_ones_by_brute_force():
    z = RNG(6).standard_normal((40, 3))
    distances = np.linalg.norm(z[:, None] - z[None], axis=2)
    expected = {tuple(sorted((i, j))) for i in range(40) for j in np.argsort(distances[i])[1:4]}

    assert {tuple(pair) for pair in neighbour_pairs(z, 3)} == expected


def test_the_statistic_of_products_has_the_variance_over_all_signs():
    pairs = neighbour_pairs(RNG(7).standard_normal((8, 2)), 2)
    r = RNG(8).standard_cauchy(8)
    signs = 1.0 - 2.0 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    sums = np.sum((signs * r)[:, pairs[:, 0]] * (signs * r)[:, pairs[:, 1]], axis=1)

    np.testing.assert_allclose(np.mean(sums), 0.0, atol=1e-12 * np.abs(sums).max())
    np.testing.assert_allclose(product_statistic(pairs, r), sums[0] / np.std(sums), rtol=1e-12)


def test_the_statistic_of_signs_has_mean_and_variance_over_all_orders():
    pairs = neighbour_pairs(RNG(9).standard_normal((7, 2)), 2)
    r = np.array([1.0, 2.0, -0.1, 3.0, -5.0, -1.0, 0.2])
    u = np.sign(r) - np.mean(np.sign(r))
    sums = [u[list(p)][pairs[:, 0]] @ u[list(p)][pairs[:, 1]] for p in permutations(range(7))]

    expected = (sums[0] - np.mean(sums)) / np.std(sums)
    np.testing.assert_allclose(sign_statistic(pairs, r), expected, rtol=1e-10)
    assert sign_statistic(pairs, np.abs(r)) == 0.0


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "skew", "size depends on x"])
def test_residuals_of_independent_noise_are_rarely_called_correlated(kind):
    rng = RNG(10)
    z = rng.uniform(-1.7, 1.7, (200, 2))
    draw = {
        "normal": lambda: rng.standard_normal(200),
        "heavy tails": lambda: rng.standard_cauchy(200),
        "skew": lambda: rng.exponential(size=200) - 1.0,
        "size depends on x": lambda: rng.standard_normal(200) * np.exp(z[:, 0]),
    }[kind]

    found = [neighbour_statistic(z, draw()) for _ in range(60)]

    assert sum(abs(statistic) > clear for statistic, clear, _ in found) <= 1
    # 3 kinds of pairs, 2 statistics each, 2 sides: 1e-4 in all
    assert {clear for _, clear, _ in found} == {NormalDist().inv_cdf(1.0 - 1e-4 / 12)}


def test_samples_are_joined_to_the_two_after_them_along_an_input():
    pairs = pairs_along(np.array([0.3, 0.1, 0.2, 0.4]))

    assert {tuple(sorted(map(int, pair))) for pair in pairs} == {
        (1, 2), (0, 2), (0, 3), (0, 1), (2, 3),
    }  # fmt: skip


def test_an_error_that_is_narrow_along_one_input_is_seen_in_five_of_six_draws():
    """20 - x - x y / (1 + x^2 / 2), and a formula that is wrong by 12 to 25 standard errors, near x = 0."""
    kinds = []
    for seed in range(6):
        rng = RNG(seed)
        points = rng.uniform(0.0, 10.0, (1000, 2))
        x, y = points.T
        true = 20.0 - x - x * y / (1.0 + 0.5 * x**2)
        found = 20.0 - x + y * (0.34754 * np.sin(1.1359 - 7.5 / (x + 1.36766)) - 0.35612)
        noisy = true + 0.01 * np.std(true) * rng.standard_normal(1000)
        kinds.append(judge(points, noisy, found, RNG(0), 4).kind)

    assert kinds.count("not explained") >= 5


def test_stripes_on_a_lattice_are_seen_along_the_input_that_they_depend_on():
    axis = np.linspace(0.0, 1.0, 20)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    verdict = judge(x, (-1.0) ** np.round(19.0 * x[:, 0]), np.zeros(400), RNG(0))

    assert verdict.kind == "not explained"
    assert "residuals of samples that are neighbours along input 0 are correlated" in verdict.why


def test_signs_that_alternate_between_even_samples_are_seen():
    x = np.linspace(0.0, 1.0, 200)[:, None]
    verdict = judge(x, (-1.0) ** np.arange(200), np.zeros(200), RNG(0))

    assert verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated, z = -" in verdict.why


def test_a_fast_wave_without_noise_is_seen_among_few_samples():
    x = RNG(0).uniform(-3.0, 3.0, (200, 2))
    y = x[:, 0] * x[:, 1]
    verdict = judge(x, y + np.sin((x[:, 0] - 1.0) * (x[:, 1] - 1.0)), y, RNG(0))

    assert verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated, z = " in verdict.why


def test_a_peak_that_a_polynomial_misses_is_seen_among_few_samples():
    x = RNG(0).uniform(-1.0, 1.0, (200, 2))
    y = 1.0 / (1e-3 + (x[:, 0] - 0.3) ** 2 + (x[:, 1] + 0.2) ** 2)
    columns = np.stack([x[:, 0] ** i * x[:, 1] ** j for i in range(4) for j in range(4)], axis=1)
    predicted = columns @ np.linalg.lstsq(columns, y, rcond=None)[0]

    assert judge(x, y, predicted, RNG(0)).kind == "not explained"


# --- inputs that take few values


def test_a_verdict_names_inputs_that_take_few_values_if_the_formula_has_them():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(1, 4, 60), rng.integers(0, 2, 60)]).astype(float)
    y = 2.5 * x[:, :1]

    found = kr.discover(kr.Data(x, y, x, y), rng=rng)

    assert found.verdict.kind == "exact"
    assert "; x_1 takes 3 values, and nothing tests the formula between them" in found.verdict.why
    assert "x_2" not in found.verdict.why


@pytest.mark.long
def test_ten_values_of_an_input_are_enough_to_say_nothing_of_them():
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 10, 200) / 4.0, rng.uniform(-1.0, 1.0, 200)])
    assert len(np.unique(x[:, 0])) == 10
    y = np.exp(x[:, :1]) + x[:, 1:]

    found = kr.discover(kr.Data(x, y, x, y), rng=rng)

    assert found.verdict.kind == "exact"
    assert "takes" not in found.verdict.why


@pytest.mark.long
def test_a_wave_sampled_less_than_three_times_a_period_is_not_noise():
    t = np.arange(300.0)[:, None] / 100.0
    y = np.sin(2.0 * np.pi * 41.3 * t) + 0.05 * np.random.default_rng(0).standard_normal(t.shape)

    verdict = kr.discover(kr.Data(t, y, t, y), rng=np.random.default_rng(0)).verdict

    assert verdict.kind == "not explained"
    assert "residuals of neighbouring samples are correlated, z = -" in str(verdict)
