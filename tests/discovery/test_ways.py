"""Two ways to a formula: the paper's, and the smallest structure that the error allows.

The paper's steps, the functions that the data decide on, interrupts and limits; formulas of classes. Rules of the structure by hand, what it
finds, several outputs, noise, classes, limits.
"""

from itertools import permutations

import numpy as np
import pytest
import sympy
from cases import for_all

import kan_ref as kr
from kan_ref.discovery.classes import class_problem, judge_classes, label_orders
from kan_ref.discovery.elimination import VALIDATION_SHARE, ArchitectureTrial, Search, run_elimination
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
from kan_ref.training import hold_out

# --- the paper's way: its steps, the functions that the data decide on, interrupts and limits; formulas of classes and their verdicts

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

    run = until_interrupted(steps(data, first, Settings(), is_start=True, report=interrupt_after(0)))

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
        name for trial in searched(network, data, functions=functions or ("x",)) for name in trial.names.values()
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
def test_a_formula_of_classes_needs_50_samples_and_two_points_for_each_number(n, n_points, n_numbers, kind):
    samples = answers_of_lines(12.0, n=n, n_points=n_points)

    assert judged(*samples, (12.0,), n_numbers=n_numbers)[0] == kind


def test_of_separated_classes_the_size_of_the_logits_is_said_to_be_open():
    found = discovered(with_labels(lambda x: np.where(x[:, 0] > 0.0, 100.0, -100.0)), ("x",))

    assert found.verdict.kind == "within noise"
    assert "the size of the logits is not determined" in str(found.verdict)


# --- the smallest structure that the error allows: rules by hand, what it finds, several outputs, noise, classes, limits


def start(data, widths, seed=0):
    rng = np.random.default_rng(seed)
    return kr.init_network(widths, n_intervals=5, degree=3, domain=(-1.1, 1.1), rng=rng)


def made_for_structure(f, n_inputs, *, n=250, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, n_inputs))
    x_test = rng.uniform(-1.0, 1.0, (n, n_inputs))
    y = f(x)
    return kr.Data(x, y + noise * rng.standard_normal(y.shape), x_test, f(x_test))


def search_of(data, **options):
    options = {"n_steps": 1, "grids": (5,), "smoothness_weight": 0.0} | options
    return Search(hold_out(data, VALIDATION_SHARE), **options)


# --- rules by hand


def trial(squares, *, falling=False):
    """A trial with these squared errors."""
    network, squares = start(None, (1, 1)), np.asarray(squares, dtype=float)
    error = float(np.sqrt(squares.mean()))
    return ArchitectureTrial("by hand", network, network, error, squares, falling)


def rule(std=1.0, **options):
    """A search whose targets have this standard deviation."""
    y = std * np.tile([[-1.0], [1.0]], (50, 1))
    return Search(kr.Data(y, y, y, y), 1, (5,), 0.0, **options)


def test_a_removal_within_the_noise_is_accepted_and_one_beyond_it_is_not():
    noise = np.random.default_rng(0).standard_normal(100)
    shift = 0.3 * np.sign(np.random.default_rng(1).standard_normal(100))
    reference = trial(noise**2)

    assert rule().accepts(trial((noise + 0.01 * shift) ** 2), reference)
    assert not rule().accepts(trial((noise + 2.0 * shift) ** 2), reference)
    assert not rule().accepts(trial(noise**2 + 1e-3), reference)  # 0.05 % larger, on every sample


@for_all("before, after, falling, accepted", [
    (1e-3, 1.4e-3, False, True), (1e-3, 1.6e-3, False, False),
    (1e-3, 9e-3, True, True), (1e-3, 1.1e-2, True, False),
    (1e-9, 1e-7, False, True), (1e-9, 1e-5, False, False),
    (0.01, 0.014, False, False),  # above the tolerance
    (0.02, 0.15, True, True), (0.1, 0.3, True, False),  # no grid limits an error of this size
])  # fmt: skip
def test_errors_of_splines_may_rise_by_half_and_rounding_errors_as_they_like(before, after, falling, accepted):
    after, before = trial([after**2] * 4, falling=falling), trial([before**2] * 4)

    assert rule(std=2.0).accepts(after, before) is accepted


def test_of_classes_a_loss_below_the_tolerance_is_always_acceptable():
    data = labelled(lambda x: 4.0 * x[:, 0], 1, n=40)
    search = Search(data, 1, (5,), 0.0, "cross_entropy", tolerance=0.5)
    low, small, large = (
        ArchitectureTrial("", *[start(data, (1, 2))] * 2, error, np.full(40, error)) for error in (0.1, 0.4, 0.6)
    )

    assert search.accepts(small, low)
    assert not search.accepts(large, low)


def test_a_term_above_the_noise_is_kept():
    """The factor 1.5 on errors that contain the noise lost b^2."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (300, 3))
    y = np.sin(3.0 * x[:, :1]) + x[:, 1:2] ** 2 + 0.8 * x[:, 2:]
    data = kr.Data(x, y + 0.2 * rng.standard_normal(y.shape), x, y)

    found = kr.eliminate(start(data, (3, 1, 1)), data, grids=(5,), n_steps=15)

    assert found.network.layers[0].mask.tolist() == [[1.0, 1.0, 1.0]]


def test_a_network_that_is_undefined_at_a_held_out_sample_has_an_infinite_error():
    x = np.append(np.linspace(0.1, 1.0, 9), -1.0)[:, None]
    network = kr.fix_symbolic(start(None, (1, 1)), 0, output=0, input=0, name="log")
    search = Search(kr.Data(x[:9], x[:9], x, x), 1, (5,), 0.0)

    assert search.tried("as it is", network).error == np.inf


# --- what it finds


@pytest.fixture(scope="module")
def hello():
    """exp(sin(pi x) + y^2) from [2, 3, 1], and every trial."""
    data = kr.sample("exp_sin", n_train=400, n_test=100, rng=np.random.default_rng(1))
    network, trials = start(data, (2, 3, 1)), []
    found = kr.eliminate(network, data, callback=trials.append)
    return network, data, found, trials


def test_the_hello_world_needs_one_hidden_node_and_every_trial_is_kept(hello):
    _, _, found, trials = hello

    assert found.network.widths == (2, 1, 1)
    assert found.error < 1e-4
    assert found.least_error == min(one.error for one in trials)
    assert [one.network.widths[1] for one in trials[:3]] == [3, 2, 1]
    assert tuple(trials) == found.steps
    assert repr(trials[1]).startswith("without node")
    assert repr(found).startswith("Elimination(Network([2, 1, 1]")


@pytest.mark.long
def test_test_data_decide_nothing_and_the_caller_s_network_is_untouched(hello):
    network, data, found, _ = hello
    before = network.theta.tobytes()
    other = kr.Data(data.x_train, data.y_train, data.x_test[:7], 1e6 + data.y_test[:7])

    again = kr.eliminate(network, other)

    assert network.theta.tobytes() == before
    assert again.network.theta.tobytes() == found.network.theta.tobytes()


def test_spare_edges_go_and_needed_ones_stay_unless_only_nodes_are_asked_for():
    data = made_for_structure(lambda x: np.sin(3.0 * x[:, :1]), 2, n=100)

    both, nodes = (
        kr.eliminate(start(data, (2, 2, 1)), data, edges=edges, grids=(5, 10), n_steps=10) for edges in (True, False)
    )

    assert both.network.widths == nodes.network.widths == (2, 1, 1)
    assert both.network.layers[0].mask.tolist() == [[1.0, 0.0]]
    assert nodes.network.layers[0].mask.all()
    assert both.steps[2].what == "without the edge from 1 to 0 of layer 0"


def test_several_outputs_keep_the_nodes_that_each_needs():
    data = made_for_structure(
        lambda x: np.stack([np.sin(3.0 * (x[:, 0] + x[:, 1])), np.exp(x[:, 0] - x[:, 1])], axis=1), 2, n=500
    )

    network = kr.best_start((2, 3, 2), data, n_intervals=5, degree=3, rng=np.random.default_rng(4))

    found = kr.eliminate(network, data, edges=False, grids=(5, 10))

    assert found.network.widths == (2, 2, 2)


def test_a_node_that_an_output_needs_is_no_candidate():
    """Output 0 has node 0 alone, output 1 has nodes 1 and 2."""
    data = made_for_structure(lambda x: np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], axis=1), 2, n=60)
    network = kr.mask_edges(start(data, (2, 3, 2)), 1, np.array([[1, 0, 0], [0, 1, 1]]))

    found = kr.eliminate(network, data, edges=False, grids=(5,), n_steps=2)

    assert [step.network.widths for step in found.steps] == [(2, 3, 2), (2, 2, 2)]
    assert found.steps[1].what in {f"without node {node} of layer 1" for node in (1, 2)}
    np.testing.assert_array_equal(found.steps[1].network.layers[1].mask, np.eye(2))


@for_all(("symbolic", "spare"), [(0, 1), (1, 1), (0, 0), (1, 0)])
def test_a_spare_edge_goes_whether_it_or_its_neighbour_is_symbolic(symbolic, spare):
    data = made_for_structure(lambda x: np.sin(2.0 * x[:, 1 - spare : 2 - spare]), 2, n=60)
    affine = (2.0, 0.0, float(symbolic != spare), 0.0)
    network = kr.fix_symbolic(start(data, (2, 1)), 0, output=0, input=symbolic, name="sin", affine=affine)

    found = kr.eliminate(network, data, grids=(5,), n_steps=5)

    (layer,) = found.network.layers
    places = [[edge.output, edge.input] for edge in layer.symbolic]
    assert np.argwhere(layer.mask == 1.0).tolist() + places == [[0, 1 - spare]]


def test_an_edge_that_an_output_needs_is_no_candidate_where_another_one_is_on_no_path():
    """No edge enters hidden node 1."""
    data = made_for_structure(lambda x: np.sin(x[:, :1]), 2, n=40)
    network = kr.mask_edges(start(data, (2, 2, 2, 1)), 0, np.array([[1, 1], [0, 0]]))
    network = kr.mask_edges(network, 1, np.array([[1, 1], [0, 1]]))

    found = kr.eliminate(network, data, tolerance=1e9, grids=(5,), n_steps=1)

    x = data.x_train
    assert all(np.ptp(one.network(x)) > 0.0 for one in found.steps)


@pytest.mark.long
def test_noise_does_not_keep_nodes_alive():
    data = made_for_structure(lambda x: np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2), 2, noise=1e-2)

    found = kr.eliminate(start(data, (2, 3, 1)), data)

    assert found.network.widths == (2, 1, 1)
    assert found.error < 1.6e-2


# --- the door, classes, limits


def test_a_network_without_a_path_is_refused():
    data = made_for_structure(lambda x: x[:, :1], 2, n=20)
    constant = kr.mask_edges(start(data, (2, 2, 1)), 1, np.zeros((1, 2)))

    with pytest.raises(ValueError, match=r"^network is .* use mask_edges"):
        kr.eliminate(constant, data)


def labelled(logit, n_in, n=300, seed=0):
    """Random labels whose odds have these logarithms."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, n_in))
    labels = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit(x)))).astype(int)
    return kr.Data(x, labels, x, labels)


def test_inputs_that_do_not_matter_for_the_classes_are_removed():
    data = labelled(lambda x: 5.0 * np.sin(3.0 * x[:, 1]), 2)

    found = kr.eliminate(start(None, (2, 2, 2)), data, loss="cross_entropy", grids=(3, 5))

    assert found.network.widths == (2, 1, 2)
    np.testing.assert_array_equal(found.network.layers[0].mask, [[0.0, 1.0]])
    assert found.least_error <= found.error < 0.5


def test_the_losses_of_trials_are_those_of_the_samples_held_out():
    data = labelled(lambda x: 4.0 * x[:, 0], 1, n=60)

    found = kr.eliminate(start(None, (1, 2)), data, loss="cross_entropy", grids=(5,), n_steps=5)

    (one,) = found.steps
    assert len(one.losses) == 12
    np.testing.assert_allclose(one.losses.mean(), one.error, rtol=1e-12)
    assert one.error == found.error


def test_when_the_time_is_over_nothing_is_removed():
    data, trials = made_for_structure(lambda x: x[:, :1] * x[:, 1:2], 2), []
    search = search_of(data, grids=(5, 10), report=trials.append, deadline=-np.inf)

    found = run_elimination(search, start(data, (2, 3, 1)))

    assert len(found.steps) == len(trials) == 1
    assert found.network.widths == (2, 3, 1)


def test_grids_that_are_coarser_than_the_networks_are_left_out():
    data = made_for_structure(lambda x: x[:, :1] + x[:, 1:2], 2)
    network = start(data, (2, 1, 1))

    found = kr.eliminate(network, data, edges=False, n_steps=3, grids=(3,))

    assert found.network.layers[0].n_intervals == network.layers[0].n_intervals == 5


def test_an_architecture_with_suspected_residuals_is_not_accepted_beside_one_without():
    data = labelled(lambda x: 3.0 * x[:, 0] + 2.0 * x[:, 1], 2, n=400)
    data = kr.Data(data.x_train, 1.0 * data.y_train[:, None], data.x_test, data.y_test[:, None])
    search, equal = Search(data, 1, (5,), 0.0, "logistic"), np.full(80, 0.4)

    def of(logit):
        network = kr.from_formula(sympy.sympify(logit), ("x", "y"), domain=(-1.0, 1.0))
        return ArchitectureTrial("", network, network, 0.4, equal)  # no held-out loss differs

    right, dropped = of("3*x + 2*y"), of("3*x")

    assert not search.accepts(dropped, right)
    assert search.accepts(right, dropped)
    assert search.accepts(dropped, dropped)
