"""The paper's way: its steps, the functions that the data decide on, interrupts and limits; formulas of classes and their verdicts."""

from itertools import permutations

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr
from kan_ref.discovery.classes import class_problem, judge_classes, label_orders
from kan_ref.discovery.paper_way import (
    EXACT,
    Settings,
    finished,
    first_network,
    rank_edges,
    search_functions,
    sine_or_cosine,
    steps,
)

RNG = np.random.default_rng
STEPS = ["start", "sparsify", "prune", "eliminate", "refine", "name", "canonical"]


def made(f, n_inputs, *, n=100, seed=0):
    x = RNG(seed).uniform(-1.0, 1.0, (n, n_inputs))
    return kr.Data(x, f(x), x, f(x))


def random_network(widths, n_intervals=3):
    options = {"n_intervals": n_intervals, "degree": 3, "domain": (-1.1, 1.1)}
    return kr.init_network(widths, **options, rng=RNG(0))


def names(network):
    return [[edge.name for edge in layer.symbolic] for layer in network.layers]


# --- the steps


def test_every_step_has_a_network_and_the_last_one_is_the_formula():
    data, trials = made(lambda x: np.exp(x[:, :1] + x[:, 1:] ** 2), 2), []

    done = list(steps(data, random_network((2, 2, 1)), Settings(), report=trials.append))

    assert [name for name, _, _ in done] == STEPS
    networks = {name: network for name, _, network in done}
    assert networks["eliminate"].widths == (2, 1, 1)
    assert not any(layer.symbolic for layer in networks["refine"].layers)
    assert names(networks["canonical"]) == [["x", "x^2"], ["exp"]]
    np.testing.assert_allclose(networks["canonical"](data.x_train), data.y_train, rtol=1e-11)
    assert trials


def test_a_network_of_ones_own_keeps_its_architecture_and_its_functions():
    data = made(lambda x: np.exp(x[:, :1] + x[:, 1:] ** 2), 2)
    start = kr.fix_symbolic(random_network((2, 1, 1), 5), 1, output=0, input=0, name="exp")

    done = list(steps(data, start, Settings(), is_start=True))

    assert [name for name, _, _ in done] == ["start", "refine", "name", "canonical"]
    assert names(done[-1][2]) == [["x", "x^2"], ["exp"]]


def until_interrupted(generator):
    """Return the networks by step, up to the interrupt."""
    found = {}
    try:
        for name, _, network in generator:
            found |= {name: network}
    except KeyboardInterrupt:
        return found
    raise AssertionError("there was no interrupt")


def interrupt_after(n):
    """Return a callback that interrupts its call number n."""
    left = iter(range(n))

    def report(trial):
        if next(left, None) is None:
            raise KeyboardInterrupt

    return report


def test_an_interrupt_or_the_limit_of_time_leaves_a_network_that_has_a_formula():
    data, first = made(lambda x: x[:, :1] * np.exp(x[:, 1:]), 2, n=40), random_network((2, 2, 1))

    for n in (0, 4):
        run = until_interrupted(steps(data, first, Settings(), report=interrupt_after(n)))
        formula = finished([*run.values()][-1], data, Settings())
        assert not any(layer.mask.any() for layer in formula.layers)
        assert np.isfinite(formula(data.x_train)).all()
    late = list(steps(data, first, Settings(deadline=-np.inf)))
    assert [name for name, _, _ in late] == STEPS[:4]


def test_an_interrupted_search_for_functions_keeps_the_best_set_so_far():
    data, first = made(np.abs, 1), random_network((1, 1))

    run = until_interrupted(
        steps(data, first, Settings(), is_start=True, report=interrupt_after(0))
    )

    assert list(run) == ["start", "refine", "name"]
    assert run["name"].layers[0].symbolic


@for_all(("widths", "start"), [((3, 1), None), ((2, 1, 2), None), (None, (1, 1)), ((2, 1), (2, 1))])
def test_a_first_network_with_other_ends_than_the_data_or_given_twice_is_refused(widths, start):
    data = made(lambda x: x[:, :1], 2, n=20)
    start = None if start is None else random_network(start)

    with pytest.raises(ValueError, match=r"^(widths|start)"):
        first_network(data, widths, start, (0, 1), Settings(), RNG(0))


def test_a_network_of_ones_own_loses_its_edges_from_constant_inputs():
    x = np.column_stack([RNG(0).uniform(-1.0, 1.0, 60), np.full(60, 0.5)])
    data = kr.Data(x, x[:, :1], x, x[:, :1])
    start = random_network((2, 1))

    first = first_network(data, None, start, (0,), Settings(), RNG(0))

    np.testing.assert_allclose(first(x), start(x), atol=1e-12)
    assert first.layers[0].mask[:, 1].max() == 0.0
    alone = kr.mask_edges(start, 0, [[0, 1]])
    with pytest.raises(ValueError, match="output"):
        first_network(data, None, alone, (0,), Settings(), RNG(0))


# --- functions that the data decide on


def spline_of(f, n_intervals):
    """A [1, 1] network near f, and exact data."""
    data = made(f, 1, n=300)
    return kr.fit(random_network((1, 1), n_intervals), data, n_steps=10).network, data


def searched(network, data, **options):
    trials = []
    search_functions(network, data, Settings(**options), trials.append)
    return trials


def test_a_coarse_spline_leaves_rivals_and_the_data_decide():
    network, data = spline_of(lambda x: np.exp(0.4 * x), 2)

    trials = searched(network, data)

    assert len(rank_edges(network, data.x_train, Settings())[0, 0, 0]) > 1
    best = min(trials, key=lambda trial: trial.score)
    assert best.names == {(0, 0, 0): "exp"}
    assert best.train_rmse < EXACT


def test_a_formula_edge_keeps_its_name_and_its_parameters_are_trained():
    network, data = spline_of(lambda x: np.sin(3.0 * x), 10)
    affine = (2.8, 0.1, 1.1, 0.1)
    network = kr.fix_symbolic(network, 0, output=0, input=0, name="sin", affine=affine)

    (trial,) = searched(network, data)

    assert trial.train_rmse < EXACT
    assert abs(trial.network.layers[0].affine[0, 0]) == pytest.approx(3.0, abs=1e-12)


def test_rivals_are_near_the_best_and_the_simplest_are_among_them():
    network, data = spline_of(lambda x: 1.0 + x**2, 5)

    fits = rank_edges(network, data.x_train, Settings())[0, 0, 0]

    assert "x^2" in [fit.name for fit in fits]
    assert len({fit.name for fit in fits}) == len(fits) <= 6


@for_all(("functions", "expected"), [(None, "x"), (("sin", "x"), "x"), (("x^4", "sin"), "sin")])
def test_edges_that_have_no_function_get_the_simplest_one_that_is_allowed(functions, expected):
    network, data = spline_of(np.sin, 5)

    assert names(finished(network, data, Settings(functions))) == [[expected]]
    assert {
        name
        for trial in searched(network, data, functions=functions or ("x",))
        for name in trial.names.values()
    } <= set(functions or ("x",))


@for_all("name, shift, other", [
    ("sin", 0.5 * np.pi + 0.01, "cos"), ("cos", 0.5 * np.pi - 0.01, "sin"), ("sin", 0.7, "sin"),
])  # fmt: skip
def test_a_sine_a_quarter_turn_off_is_a_cosine_and_the_other_way_round(name, shift, other):
    x, affine = np.linspace(-1.0, 1.0, 50)[:, None], (1.0, shift, 2.0, 3.0)
    old = kr.fix_symbolic(random_network((1, 1)), 0, output=0, input=0, name=name, affine=affine)

    new = sine_or_cosine(old)

    assert names(new) == [[other]]
    np.testing.assert_allclose(new(x), old(x), rtol=1e-14)


# --- classes


def with_labels(logit, *, n=400, seed=0):
    x = RNG(seed).uniform(-1.0, 1.0, (n, 2))
    labels = (RNG(seed + 1).random(n) < 1.0 / (1.0 + np.exp(-logit(x)))).astype(int)
    return kr.Data(x, labels, x, labels, names=("u", "v"))


def discovered(data, functions=("x", "x^2"), **options):
    start = random_network((2, 1), 2)
    options = {"start": start, "functions": functions, "loss": "cross_entropy"} | options
    return kr.discover(data, **options, rng=RNG(1))


def test_labels_lead_to_a_formula_of_the_logarithm_of_the_odds():
    data = with_labels(lambda x: 6.0 * x[:, 0] - 5.0 * x[:, 1])

    found = discovered(data)

    u, v = sympy.symbols("u v")
    assert float(found.formula.coeff(u)) == pytest.approx(6.0, abs=1.5)
    assert float(found.formula.coeff(v)) == pytest.approx(-5.0, abs=1.5)
    assert found.verdict.kind == "within noise"
    assert [step.name for step in found.steps][-1] == "numbers"
    np.testing.assert_allclose(found.predict(data.x_test), found.network(data.x_test), atol=1e-9)


def test_a_formula_of_the_wrong_classes_is_not_explained():
    """A network of lines is poor, too: only neighbours show it."""
    found = discovered(with_labels(lambda x: 20.0 * x[:, 0] * x[:, 1]), ("x",))

    assert found.verdict.kind == "not explained"
    assert "correlated" in str(found.verdict)


@for_all("loss", ["mse", "cross_entropy"])
def test_a_limit_of_time_ends_the_papers_way_and_the_verdict_says_so(loss):
    data = with_labels(lambda x: 6.0 * x[:, 0], n=60)
    if loss == "mse":
        data = made(lambda x: x[:, :1] * x[:, 1:2], 2, n=60)

    found = kr.discover(data, widths=(2, 2, 1), loss=loss, seconds=0.0, rng=RNG(0))

    assert "the time is over" in str(found.verdict)
    assert np.isfinite(found.train_rmse)


@for_all("name", ["start", "FormulaTrial", "name", "canonical", "numbers"])
def test_an_interrupt_gives_a_formula_of_what_is_finished(name):
    data = with_labels(lambda x: 6.0 * x[:, 0], n=60)

    def callback(one):
        if getattr(one, "name", type(one).__name__) == name:
            raise KeyboardInterrupt

    found = discovered(data, callback=callback)

    assert "interrupted" in str(found.verdict)
    assert found.formula.free_symbols


@for_all("y, loss", [
    ([0, 2] * 30, "cross_entropy"), ([-1, 1] * 30, "cross_entropy"), ([0] * 60, "cross_entropy"),
    (np.c_[[0.0, 1.0] * 30, [0.0] * 60], "logistic"),
])  # fmt: skip
def test_classes_without_samples_and_answers_without_a_choice_are_errors(y, loss):
    x = np.linspace(-1.0, 1.0, 60)[:, None]

    with pytest.raises(ValueError, match=r"^y_train"):
        kr.discover(kr.Data(x, np.array(y), x, np.array(y)), loss=loss, rng=RNG(0))


def test_two_classes_have_one_logit_and_three_have_three():
    x = np.linspace(-1.0, 1.0, 60)[:, None]
    for n_classes, loss in ((2, "logistic"), (3, "cross_entropy")):
        labels = np.arange(60) % n_classes
        assert class_problem(kr.Data(x, labels, x, labels), "cross_entropy")[1] == loss


def answers_of_lines(*slopes, n=300, n_points=None):
    """Answers with these odds, with a fifth of them held out, and all of them."""
    x = np.resize(RNG(0).uniform(-1.0, 1.0, (n_points or n, 1)), (n, 1))
    answers = (RNG(1).uniform(size=(n, len(slopes))) < 1.0 / (1.0 + np.exp(-x * slopes))) + 0.0
    held = np.arange(n) < n // 5
    part = kr.Data(x[~held], answers[~held], x[held], answers[held])
    return part, kr.Data(x, answers, x, answers)


def judged(part, whole, slopes, splines=None, n_numbers=0):
    x = sympy.Symbol("x")
    found, other = (
        kr.from_formula(tuple(slope * x for slope in one), ("x",), domain=(-1.0, 1.0))
        for one in (slopes, splines or slopes)
    )
    return judge_classes(part, whole, (found, other, other), n_numbers, "logistic", RNG(0))


@for_all("slopes, slope, splines, kind, reason", [
    ([12.0], 12.0, 12.0, "within noise", "random orders of the labels 0 give"),
    ([12.0], 1500.0, 12.0, "not explained", "a constant"),  # a few sure answers are wrong
    ([12.0], 2.0, 12.0, "not explained", "worse than its splines"),
    ([0.8], 0.8, 0.8, "not explained", "not clearly better than a constant"),
    ([4.0], 4.0, 4.0, "within noise", "random orders"),
])  # fmt: skip
def test_a_formula_of_classes_is_as_good_as_splines_and_better_than_a_constant_and_chance(
    slopes, slope, splines, kind, reason
):
    found, reasons = judged(*answers_of_lines(*slopes), (slope,), (splines,))

    assert found == kind
    assert reason in "; ".join(reasons)


def test_an_answer_that_depends_on_nothing_is_not_vouched_for_by_another():
    samples = answers_of_lines(12.0, 0.0)

    assert judged(*samples, (12.0, 0.0))[0] == "within noise"
    assert judged(*samples, (12.0, 0.2))[0] == "not explained"


@for_all("n_out", [1, 2, 3])
def test_random_orders_of_labels_give_a_loss_as_small_as_often_as_all_orders_do(n_out):
    logits = RNG(3).standard_normal((6, n_out))
    labels = np.eye(3)[[0, 1, 0, 2, 1, 0]][:, :n_out]
    sums = np.array([np.sum(logits * labels[list(order)]) for order in permutations(range(6))])
    share = np.mean(sums >= np.sum(logits * labels) - 1e-12)

    count = label_orders(logits, labels, RNG(0))

    assert count == pytest.approx(4000 * share, abs=4.0 * np.sqrt(4000 * share * (1.0 - share)))
    assert label_orders(np.full((6, n_out), 0.1), labels, RNG(0)) == 4000


@for_all("n, n_points, n_numbers, kind", [
    (49, 49, 1, "not explained"), (300, 300, 150, "within noise"), (300, 300, 151, "not explained"),
    (300, 20, 10, "within noise"), (300, 20, 11, "not explained"),
])  # fmt: skip
def test_a_formula_of_classes_needs_50_samples_and_two_points_for_each_number(
    n, n_points, n_numbers, kind
):
    samples = answers_of_lines(12.0, n=n, n_points=n_points)

    assert judged(*samples, (12.0,), n_numbers=n_numbers)[0] == kind


def test_of_separated_classes_the_size_of_the_logits_is_said_to_be_open():
    found = discovered(with_labels(lambda x: np.where(x[:, 0] > 0.0, 100.0, -100.0)), ("x",))

    assert found.verdict.kind == "within noise"
    assert "the size of the logits is not determined" in str(found.verdict)
