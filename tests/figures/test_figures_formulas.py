"""Figures 2.4, C.1, 4.1 and 4.2: networks that survive a record, which count as right, and what runs measure."""

import json

import numpy as np
import pytest
import sympy
from matplotlib.figure import Figure
from networks import formula_network, random_network, two_sines
from scipy import special

import kan_ref as kr
from figures.formulas import fig_2_4_symbolic_regression as five_steps
from figures.formulas import fig_4_1_interpretable, fig_4_2_unsupervised
from figures.formulas import fig_c_1_hyperparameters as fig_c_1
from figures.formulas.fig_2_4_symbolic_regression import DISCOVER, NOISY, PRINTED, WAYS
from figures.formulas.fig_4_1_interpretable import FORMULAS, exact, right_functions, right_shape
from figures.formulas.fig_4_2_unsupervised import FIRST, SECOND
from figures.machine.pictures import picture_bytes, style
from figures.machine.stored_network import draw_settled, draw_stored, restored, stored

# --- figures 2.4 and C.1: networks that survive a record, and what runs measure


def truth(sine=(np.pi, 0.0, 1.0, 0.0), square=(1.0, 0.0, 1.0, 0.0), exponential=(1.0, 0.0, 1.0, 0.0)):
    return formula_network([(0, 0, "sin", sine), (0, 1, "x^2", square)], [(0, 0, "exp", exponential)], widths=(2, 1, 1))


# --- networks in records


@pytest.mark.parametrize("seed", range(4))
def test_a_stored_network_comes_back_from_json_the_same_to_the_eye(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    x = rng.uniform(-1.0, 1.0, (50, network.widths[0]))

    back = restored(json.loads(json.dumps(stored(network))))

    assert back.widths == network.widths
    np.testing.assert_allclose(back(x), network(x), rtol=0, atol=1e-4 * max(1.0, np.abs(network(x)).max()))


def test_stored_formulas_keep_names_and_locks():
    network = two_sines(second=None)

    back = restored(json.loads(json.dumps(stored(network))))

    for old, new in zip(network.layers, back.layers, strict=True):
        assert [(edge.output, edge.input, edge.name, edge.row) for edge in old.symbolic] == [
            (edge.output, edge.input, edge.name, edge.row) for edge in new.symbolic
        ]
        np.testing.assert_allclose(new.affine, old.affine, rtol=1e-6)


def test_diagrams_go_into_the_room_that_the_rest_has_left():
    with style():
        picture = Figure(figsize=(6.0, 3.0))
        axes = picture.subplots(1, 2)
        axes[0].set_title("two\nlines")
        axes[1].set_xlabel("below")
        document = stored(truth())
        draw_settled(picture, [lambda: draw_stored(axes[0], document, beta=3.0)])
        before = [ax.get_position(original=True).bounds for ax in axes]
        lowest = axes[1].xaxis.label.get_window_extent().y0
        axes[1].set_title("three\nmore\nlines")
        files = [picture_bytes(picture) for _ in range(2)]

        assert files[0] == files[1]
        assert [ax.get_position(original=True).bounds for ax in axes] == before
        np.testing.assert_array_equal(np.round(before, 6), before)
        assert lowest > 0.0
        shown = [text.get_text() for text in axes[0].texts]
    assert {"$x$", "$y$", "$f$"} <= set(shown)


# --- five steps: how far a network is from the truth


@pytest.mark.parametrize(
    "network",
    [
        truth(),
        truth(sine=(np.pi, np.pi, -1.0, 0.0)),
        truth(square=(0.5, 0.0, 4.0, 0.0)),
        truth(exponential=(1.0, np.log(2.0), 0.5, 0.0)),
    ],
)
def test_the_true_formula_is_off_by_rounding_however_it_is_written(network):
    assert five_steps.coefficient_error(network) < 1e-15


@pytest.mark.parametrize("edge", ["sine", "square", "exponential"])
@pytest.mark.parametrize("place", range(4))
def test_every_parameter_that_is_off_is_seen(edge, place):
    change = 1e-3
    right = {"sine": (np.pi, 0.0, 1.0, 0.0), "square": (1.0, 0.0, 1.0, 0.0), "exponential": (1.0, 0.0, 1.0, 0.0)}[edge]
    wrong = tuple(value + change * (number == place) for number, value in enumerate(right))

    error = five_steps.coefficient_error(truth(**{edge: wrong}))

    assert 0.9 * change < error < 2.1 * change


def test_another_form_has_no_coefficient_error():
    right = [(0, 0, "sin", (np.pi, 0.0, 1.0, 0.0)), (0, 1, "x^2", (1.0, 0.0, 1.0, 0.0))]
    wrong_name = formula_network(
        [right[0], (0, 1, "cosh", (1.0, 0.0, 1.0, 0.0))], [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(2, 1, 1)
    )
    one_more = formula_network(
        [*right, (1, 0, "x", (1.0, 0.0, 1e-9, 0.0))], [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(2, 2, 1)
    )
    one_less = formula_network([right[0]], [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(2, 1, 1))
    splines = kr.init_network((2, 1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))

    assert [five_steps.coefficient_error(network) for network in (wrong_name, one_more, one_less, splines)] == [
        None
    ] * 4


def test_the_formula_is_written_with_two_decimals_and_without_what_they_do_not_show():
    network = truth(sine=(np.pi, 1e-9, 1.0 + 1e-13, 0.0), square=(1.0, 3e-4, 0.999, 0.0))

    assert five_steps.formula_text(network) == r"e^{1.0 y^{2} + 1.0 \sin{\left(3.14 x \right)}}"


# --- five steps: the runs


def small(way, seed=0, **changes):
    return {**five_steps.config_of(way, seed), "widths": [2, 1, 1], "n_train": 200, "n_test": 100, **changes}


@pytest.fixture(scope="module")
def by_hand():
    """By hand and small, from [2,1,1] on, whose pruning has nothing to do."""
    return five_steps.walk(small(PRINTED, n_steps=60))


@pytest.fixture(scope="module")
def discovered():
    return five_steps.walk(small(NOISY, seed=1))


def test_by_hand_the_five_steps_lead_to_the_exact_formula(by_hand):
    assert [step["name"] for step in by_hand["steps"]] == ["sparsify", "prune", "name", "canonical"]
    assert by_hand["coefficient_error"] < 1e-12
    assert by_hand["widths"] == five_steps.AIM
    assert r"\sin{\left(3.14 x \right)}" in by_hand["formula"]
    errors = [step["test_rmse"] for step in by_hand["steps"]]
    assert errors[-1] < 1e-12 < 1e-4 < min(errors[:-1])


def test_steps_are_stored_as_what_their_errors_were_measured_on(by_hand):
    data = kr.sample("exp_sin", n_train=200, n_test=100, rng=np.random.default_rng(0))

    for step in by_hand["steps"][:3]:
        error = restored(step["network"])(data.x_test) - data.y_test
        assert np.sqrt(np.mean(error**2)) == pytest.approx(step["test_rmse"], rel=1e-3)
    kinds = [
        [edge["function"] for layer in step["network"]["layers"] for edge in layer.get("symbolic", [])]
        for step in by_hand["steps"]
    ]
    assert kinds == [[], [], ["sin", "x^2", "exp"], ["sin", "x^2", "exp"]]


def test_a_wrong_name_is_measured_beside_the_right_one(by_hand):
    assert 1e-5 < by_hand["wrong_rmse"] < 0.1


def test_by_hand_the_way_ends_where_pruning_leaves_another_shape():
    results = five_steps.walk(small(PRINTED, widths=[2, 3, 1], penalty_weight=0.0, n_steps=3))

    assert [step["name"] for step in results["steps"]] == ["sparsify", "prune"]
    assert results["widths"] == [2, 3, 1]
    assert [results[name] for name in ("formula", "coefficient_error", "wrong_rmse")] == [None] * 3


def test_discover_finds_the_form_under_noise(discovered):
    assert [step["name"] for step in discovered["steps"]] == ["sparsify", "prune", "refine", "canonical"]
    assert 1e-12 < discovered["coefficient_error"] < 0.05
    assert discovered["wrong_rmse"] is None
    assert discovered["seconds"] > 0.0


def test_noise_is_on_the_training_targets_alone(monkeypatch):
    seen = []

    def stop(data, **settings):
        seen.append(data)
        raise ArithmeticError("seen enough")

    monkeypatch.setattr(kr, "discover", stop)
    for way in (NOISY, DISCOVER):
        with pytest.raises(ArithmeticError):
            five_steps.walk(small(way))

    noisy, clean = seen
    assert np.std(noisy.y_train - clean.y_train) == pytest.approx(five_steps.NOISE, rel=0.2)
    for name in ("x_train", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(noisy, name), getattr(clean, name))


def test_a_walk_repeats_itself_number_by_number_and_is_plain_data(by_hand):
    again = five_steps.walk(small(PRINTED, n_steps=60))

    assert json.loads(json.dumps(by_hand)) == by_hand
    assert {**again, "seconds": 0} == {**by_hand, "seconds": 0}


@pytest.mark.parametrize("way", WAYS)
def test_a_configuration_knows_its_way(way):
    assert five_steps.way_of(five_steps.config_of(way, 7)) is way


# --- figure C.1


def test_an_edge_is_active_above_the_threshold_and_a_node_with_one_on_both_sides():
    lower = [[0.5, 0.0], [0.02, 0.02], [0.0, 0.009], [0.3, 0.0], [0.0, 0.0]]
    record = {"results": {"scores": [lower, [[0.2, 0.01, 0.4, 0.3, 0.5]]]}}

    assert fig_c_1.active_edges(record) == 4 + 4
    assert fig_c_1.active_nodes(record) == 2


def test_a_run_of_fig_c_1_repeats_itself_and_is_plain_data():
    config = fig_c_1.config_of(1, {"n_train": 100, "n_test": 50, "n_steps": 5})

    first, second = (fig_c_1.run(config) for _ in range(2))

    assert first == second == json.loads(json.dumps(first))
    assert [np.shape(layer) for layer in first["scores"]] == [(5, 2), (1, 5)]
    assert first["n_steps"] == 5
    assert first["spread"] == pytest.approx(1.2, abs=0.5)


@pytest.mark.parametrize(
    "name", ["penalty_weight", "l1_weight", "entropy_weight", "n_intervals", "degree", "n_steps", "seed"]
)
def test_every_setting_of_fig_c_1_is_used(name):
    base = fig_c_1.config_of(3, {"n_train": 60, "n_test": 20, "n_steps": 4})

    assert fig_c_1.run({**base, name: base[name] + 1}) != fig_c_1.run(base)


# --- figures 4.1 and 4.2: which networks count as right, and what the runs measure

ONE = (1.0, 0.0, 1.0, 0.0)
PANELS = [formula.panel for formula in FORMULAS]


def formula(panel):
    return next(one for one in FORMULAS if one.panel == panel)


def panel_truth(panel):
    """The network of a panel as one would write it by hand."""
    quarter, minus = (1.0, 0.0, 0.25, 0.0), (1.0, 0.0, -1.0, 0.0)
    sums = [(0, 0, "x", ONE), (0, 1, "x", ONE), (1, 0, "x", ONE), (1, 1, "x", minus)]
    differences = [(0, 0, "x", ONE), (0, 1, "x", minus), (1, 2, "x", ONE), (1, 3, "x", minus)]
    five, shifted = (1.0, 0.0, 5.0, 0.0), (1.0, 0.0, 5.0, -5.0)
    layers = {
        "a": [sums, [(0, 0, "x^2", quarter), (0, 1, "x^2", (1.0, 0.0, -0.25, 0.0))]],
        "b": [[(0, 0, "log", ONE), (0, 1, "log", minus)], [(0, 0, "exp", ONE)]],
        "d": [[(0, 0, fig_4_1_interpretable.BESSEL, (20.0, 0.0, 1.0, 0.0)), (0, 1, "x^2", ONE)], [(0, 0, "exp", ONE)]],
        "e": [[(0, 0, "x^4", five), (0, 1, "x^4", five), (0, 2, "x^4", shifted)], [(0, 0, "tanh", ONE)]],
        "f": [differences, [(0, 0, "x^2", ONE), (0, 1, "x^2", ONE)], [(0, 0, "sqrt", ONE)]],
    }
    return formula_network(*layers[panel], widths=formula(panel).aim)


# --- J0


def test_bessel_is_in_the_library_as_long_as_it_is_needed():
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY
    with fig_4_1_interpretable.bessel():
        outer = kr.LIBRARY[fig_4_1_interpretable.BESSEL]
        with fig_4_1_interpretable.bessel():
            assert kr.LIBRARY[fig_4_1_interpretable.BESSEL] is outer
        assert kr.LIBRARY[fig_4_1_interpretable.BESSEL] is outer
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY


@pytest.mark.parametrize(
    ("function", "order"),
    [
        (fig_4_1_interpretable.j0, 0),
        (fig_4_1_interpretable.d1, 1),
        (fig_4_1_interpretable.d2, 2),
        (fig_4_1_interpretable.d3, 3),
    ],
)
def test_bessel_and_its_derivatives_are_scipys(function, order):
    u = np.linspace(-25.0, 25.0, 401)

    np.testing.assert_allclose(function(u), special.jvp(0, u, order), rtol=0, atol=1e-14)


def test_bessel_is_written_as_sympy_writes_it():
    network = truth_of("d")

    assert kr.formula(network, names=("x", "y")).has(sympy.besselj)


def truth_of(panel):
    with fig_4_1_interpretable.bessel():
        return panel_truth(panel)


# --- formulas: what is right


@pytest.mark.parametrize("panel", PANELS)
def test_a_network_of_the_shape_and_functions_that_are_asked_for_computes_the_formula(panel):
    known = formula(panel)
    x = fig_4_1_interpretable.sample({"box": known.box}, 200, np.random.default_rng(0))
    values = truth_of(panel)(x)[:, 0]

    np.testing.assert_allclose(values, known.f(x), rtol=1e-12, atol=1e-12)
    results = {
        "widths": list(known.aim),
        "functions": fig_4_1_interpretable.functions_of(truth_of(panel)),
        "error": 1e-16,
    }
    record = {"config": fig_4_1_interpretable.config_of(known, 0), "results": results}
    assert all(right(record) for right in (right_shape, right_functions, exact))
    for name, wrong in (("widths", [*known.aim, 1]), ("functions", [["arctan"]]), ("error", 2e-9)):
        other = {**record, "results": {**results, name: wrong}}
        assert not all(right(other) for right in (right_shape, right_functions, exact))


def test_formulas_are_told_with_exact_numbers_and_as_short_as_they_can_be():
    x, y = sympy.symbols("x y")
    points = np.random.default_rng(0).uniform(0.5, 2.0, (100, 2))

    assert (
        fig_4_1_interpretable.shortest(0.3 * (x + y / 1.2) ** 2 - 0.3 * (x - y / 1.2) ** 2, points, ("x", "y")) == "x y"
    )
    assert fig_4_1_interpretable.shortest(sympy.exp(1.0000000000001 * x + y), points, ("x", "y")) == "e^{x + y}"


# --- formulas: a run


def quick_config(panel="b", **changes):
    known = fig_4_1_interpretable.config_of(formula(panel), 3)
    return {**known, "widths": [2, 1, 1], "n_train": 150, "n_test": 50, **changes}


def without_times(results):
    return {**results, "seconds": 0.0}


def test_a_run_finds_the_quotient():
    results = fig_4_1_interpretable.run(quick_config())

    record = {"config": quick_config(), "results": results}
    assert [right(record) for right in (right_shape, right_functions, exact)] == [True] * 3
    assert results["formula"] == r"\frac{x}{y}"


def test_a_run_repeats_itself_and_is_plain_data():
    config = quick_config(widths=[2, 1], seed=1)

    results = fig_4_1_interpretable.find(config)

    assert without_times(fig_4_1_interpretable.find(config)) == without_times(results)
    assert json.loads(json.dumps(results)) == results
    assert fig_4_1_interpretable.BESSEL not in kr.LIBRARY


# --- digits


def test_first_digits_of_the_papers_examples():
    assert fig_4_1_interpretable.first_digit(np.array([[0.0618], [0.314], [0.0], [0.9999]])).tolist() == [0, 3, 0, 9]


def test_peaks_and_half_heights_are_measured_on_the_curves():
    """Made of B-splines of degree 1: hats of height 2 at 0.25 and 0.75, which are above 1 over half their width of 0.25 on each side."""
    network = kr.init_network(
        (1, 2), n_intervals=4, degree=1, domain=(0.0, 1.0), base="zero", rng=np.random.default_rng(0)
    )
    coef = np.zeros((2, 1, 5))
    coef[0, 0, 1], coef[1, 0, 3] = 2.0, 2.0
    theta = network.theta.copy()
    theta[: coef.size] = coef.ravel()

    found = fig_4_1_interpretable.bumps(network.with_theta(theta))

    assert found["peaks"] == pytest.approx([0.25, 0.75], abs=1e-9)
    assert found["left"] == pytest.approx([0.125, 0.625], abs=1e-3)
    assert found["right"] == pytest.approx([0.375, 0.875], abs=1e-3)


def test_a_run_learns_digits_and_is_plain_data():
    config = {**fig_4_1_interpretable.digit_config(5), "n_train": 600}

    results = fig_4_1_interpretable.run(config)

    assert json.loads(json.dumps(results)) == results
    assert without_times(fig_4_1_interpretable.learn_digits(config)) == without_times(results)
    assert all(fig_4_1_interpretable.located({"config": config, "results": results}))
    x = np.random.default_rng(0).uniform(0.0, 1.0, (500, 1))
    right = np.mean(np.argmax(restored(results["network"])(x), axis=1) == np.floor(10 * x[:, 0]))
    assert results["accuracy"] == pytest.approx(right, abs=0.04)
    assert 0.9 < results["accuracy"] < 1.0


# --- relations


def test_real_points_have_the_relations_and_shuffled_ones_their_values_only():
    x, y = fig_4_2_unsupervised.real_and_shuffled(400, np.random.default_rng(0))
    real, shuffled = x[:400], x[400:]

    np.testing.assert_allclose(real[:, 2], np.exp(np.sin(real[:, 0]) + real[:, 1] ** 2))
    np.testing.assert_allclose(real[:, 4], real[:, 3] ** 3)
    np.testing.assert_array_equal(np.sort(shuffled, axis=0), np.sort(real, axis=0))
    assert np.abs(np.corrcoef(shuffled.T) - np.eye(6)).max() < 0.2
    assert np.abs(real[:, [0, 1, 3, 5]]).max() <= 1.0
    assert y.ravel().tolist() == [1.0] * 400 + [0.0] * 400


def test_the_last_curve_is_a_narrow_gaussian_and_the_others_are_spread_as_asked():
    config = fig_4_2_unsupervised.config_of(0)
    rng = np.random.default_rng(0)
    x, _ = fig_4_2_unsupervised.real_and_shuffled(100, rng)

    network = fig_4_2_unsupervised.start(config, x, rng)

    u = kr.edge_outputs(network, x)[0].sum(axis=2)
    np.testing.assert_allclose(network(x), np.exp(-((config["gaussian_scale"] * u) ** 2)), rtol=1e-12)
    assert np.std(network.layers[0].coef) == pytest.approx(config["coef_scale"], rel=0.3)


def test_a_run_finds_a_relation_repeats_itself_and_is_plain_data():
    config = fig_4_2_unsupervised.config_of(0)

    results = fig_4_2_unsupervised.run(config)

    assert json.loads(json.dumps(results)) == results
    short = {**config, "n_steps": 5}
    assert without_times(fig_4_2_unsupervised.run(short)) == without_times(fig_4_2_unsupervised.run(short))
    network, group = (
        restored(results["network"]),
        fig_4_2_unsupervised.group_of({"config": config, "results": results}),
    )
    assert group in (FIRST, SECOND)
    assert np.flatnonzero(network.layers[0].mask[0]).tolist() == list(group.inputs)
    assert network.layers[1].symbolic[0].name == "gaussian"
    np.testing.assert_allclose(
        network.layers[1].affine, [[3.0, 0.0, 1.0, 0.0]], rtol=0, atol=0.01
    )  # pruning leaves a mean behind
    assert network.layers[1].affine[0, :3].tolist() == [3.0, 0.0, 1.0]
    x, y = fig_4_2_unsupervised.real_and_shuffled(2000, np.random.default_rng(99))
    accuracy = np.mean((network(x) > 0.5) == (y > 0.5))
    assert results["accuracy"] == pytest.approx(accuracy, abs=0.04)
