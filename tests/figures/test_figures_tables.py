"""Tables 1 and 2: functions on boxes without singularities, networks that equal their formulas, what is learnt, and what chooses."""

import itertools
import json
from dataclasses import replace
from functools import cache

import mpmath
import numpy as np
import pytest
import sympy
from scipy import special

import kan_ref as kr
from figures.machine.stored_network import restored
from figures.splines.fig_u_shape import off_a_grid
from figures.tables import table_method
from figures.tables.problem import ENLARGED, FEYNMAN, N_TEST, N_TRAIN, SPECIAL_FUNCTIONS, points, sample, values_of
from figures.tables.table_2_human import HUMAN, SMOOTH, edges_of, exact_network
from figures.tables.table_method import KAN, MLP, PRUNED, config_of, grids_within, learn, n_params
from figures.tables.tables_1_and_2 import frontier, table_1, table_2, without_idle_edges

# --- functions of Tables 1 and 2: on boxes without singularities; networks that equal their formulas

PROBLEMS = (*SPECIAL_FUNCTIONS, *FEYNMAN)
every_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
every_equation = pytest.mark.parametrize("problem", FEYNMAN, ids=lambda problem: problem.name)


def lattice(box, per_axis=9):
    """Points of a closed box with its corners, edges, faces, and some inside that are on no lattice."""
    per_axis = {2: 41, 3: 13}.get(len(box), 5)
    regular = np.array(list(itertools.product(*(np.linspace(low, high, per_axis) for low, high in box))))
    return np.concatenate([regular, points(box, 2000, np.random.default_rng(0))])


def enlarged(box):
    return tuple((low - ENLARGED * (high - low), high + ENLARGED * (high - low)) for low, high in box)


# --- definitions


def test_the_tables_have_fifteen_and_twenty_seven_rows():
    assert len({problem.name for problem in SPECIAL_FUNCTIONS}) == 15
    assert len({problem.name for problem in FEYNMAN}) == 27


@every_problem
def test_functions_are_finite_on_the_closed_box(problem):
    y = problem.f(lattice(problem.box))

    assert y.dtype == np.float64
    assert np.isfinite(y).all()
    assert np.std(y) > 0.01


@every_problem
def test_singularities_are_a_tenth_of_the_range_away(problem):
    x = lattice(enlarged(problem.box))

    for text in problem.positive:
        assert (values_of(text, problem.names)(x) > 0.0).all(), text
    assert np.isfinite(problem.f(x)).all()


@every_equation
def test_every_denominator_root_and_logarithm_is_guarded(problem):
    """What can make the formula singular, found by its form, is positive beyond the box, whether it was listed or not."""
    expression = sympy.sympify(problem.plain, locals={name: sympy.Symbol(name) for name in problem.names})
    x = lattice(enlarged(problem.box))
    for part in sympy.preorder_traversal(expression):
        if part.is_Pow and part.base.free_symbols and not (part.exp.is_integer and part.exp.is_positive):
            guarded = part.base**2 if part.exp.is_integer else part.base
        elif isinstance(part, sympy.log):
            guarded = part.args[0]
        elif isinstance(part, sympy.asin):
            guarded = 1 - part.args[0] ** 2
        else:
            continue
        assert (values_of(str(guarded), problem.names)(x) > 0.0).all(), part


@every_problem
def test_the_papers_numbers_are_errors_and_its_shapes_fit(problem):
    assert all(0.0 < error < 1.0 for error in problem.paper.values())
    assert all(shape[0] == problem.n_in and shape[-1] == 1 and len(shape) > 2 for shape in problem.shapes.values())
    assert problem.best_kan == min(error for model, error in problem.paper.items() if model != "MLP")


def test_numbers_of_the_paper_are_copied_right():
    rows = {problem.name: problem for problem in PROBLEMS}

    # column sums, computed from the text of the tables
    for model, total in (("minimal", 0.037362516), ("best", 0.012500116), ("MLP", 0.0412141)):
        assert sum(problem.paper[model] for problem in SPECIAL_FUNCTIONS) == pytest.approx(total, rel=1e-12)
    for model, total in (("human", 0.708077), ("pruned", 0.04490951), ("unpruned", 0.0658706), ("MLP", 0.0353535)):
        assert sum(problem.paper[model] for problem in FEYNMAN) == pytest.approx(total, rel=1e-12)
    assert rows["lpmv m=0"].paper == {"minimal": 5.25e-5, "best": 5.25e-5, "MLP": 1.74e-2}
    assert rows["I.37.4"].best_kan == 4.91e-6
    assert rows["I.29.16"].shapes["human"] == (3, 2, 2, 3, 2, 1, 1)


@every_problem
def test_samples_are_uniform_on_the_box_and_repeat_with_the_seed(problem):
    data, again = (sample(problem, np.random.default_rng(3)) for _ in range(2))

    assert data.x_train.shape == (N_TRAIN, problem.n_in)
    assert data.x_test.shape == (N_TEST, problem.n_in)
    np.testing.assert_array_equal(data.y_test, again.y_test)
    low, high = np.array(problem.box).T
    np.testing.assert_allclose(data.x_test.mean(axis=0), (low + high) / 2, atol=0.02 * (high - low).max())
    np.testing.assert_array_equal(data.y_train[:, 0], problem.f(data.x_train))


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        # Abramowitz & Stegun: tables 9.1, 9.8, 17.5, 17.6, 8.1; 16.16 for sn; the closed forms of the harmonics
        ("jv", (0.0, 2.0), 0.2238907791),
        ("jv", (1.0, 5.0), -0.3275791376),
        ("yv", (0.0, 2.0), 0.5103756726),
        ("yv", (1.0, 1.0), -0.7812128213),
        ("iv", (0.0, 1.0), 1.2660658778),
        ("kv", (0.0, 1.0), 0.4210244382),
        ("ellipkinc", (np.pi / 2, 0.5), 1.8540746773),
        ("ellipeinc", (np.pi / 2, 0.5), 1.3506438810),
        ("ellipj", (1.8540746773, 0.5), 1.0),
        ("lpmv m=0", (2.0, 0.5), -0.125),
        ("lpmv m=1", (1.0, 0.6), -0.8),
        ("lpmv m=2", (2.0, 0.5), 2.25),
        ("sph_harm m=0 n=1", (1.0, 0.3), np.sqrt(3 / (4 * np.pi)) * np.cos(0.3)),
        ("sph_harm m=1 n=1", (1.0, 0.3), -np.sqrt(3 / (8 * np.pi)) * np.sin(0.3) * np.cos(1.0)),
        ("sph_harm m=0 n=2", (1.0, 0.3), np.sqrt(5 / (16 * np.pi)) * (3 * np.cos(0.3) ** 2 - 1)),
        ("sph_harm m=1 n=2", (1.0, 0.3), -np.sqrt(15 / (8 * np.pi)) * np.sin(0.3) * np.cos(0.3) * np.cos(1.0)),
        ("sph_harm m=2 n=2", (1.0, 0.3), np.sqrt(15 / (32 * np.pi)) * np.sin(0.3) ** 2 * np.cos(2.0)),
        ("I.6.2", (0.0, 1.0), 0.3989422804),
        ("I.16.6", (0.5, 0.5), 0.8),
        ("I.30.3", (2.0, np.pi), 0.0),
        ("I.29.16", (0.6, 0.0, np.pi / 2), np.sqrt(1.36)),
        ("III.9.52", (1.0, 1.0, 1.0), 1.0),
        ("III.9.52", (1.0, np.pi, 0.0), 4 / np.pi**2),
    ],
)
def test_published_values_are_met(name, x, value):
    problem = next(problem for problem in PROBLEMS if problem.name == name)

    assert problem.f(np.array([x]))[0] == pytest.approx(value, abs=2e-10)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("jv", mpmath.besselj),
        ("yv", mpmath.bessely),
        ("kv", mpmath.besselk),
        ("iv", mpmath.besseli),
        ("ellipj", lambda u, m: mpmath.ellipfun("sn", u, m=m)),
        ("ellipkinc", mpmath.ellipf),
        ("ellipeinc", mpmath.ellipe),
        *((f"lpmv m={m}", lambda v, x, m=m: mpmath.legenp(v, m, x, type=2)) for m in range(3)),
    ],
)
def test_special_functions_agree_with_arithmetic_of_fifty_digits(name, truth):
    problem = next(problem for problem in SPECIAL_FUNCTIONS if problem.name == name)
    x = points(problem.box, 40, np.random.default_rng(1))
    with mpmath.workdps(50):
        expected = [float(mpmath.re(truth(*map(mpmath.mpf, map(float, row))))) for row in x]

    np.testing.assert_allclose(problem.f(x), expected, rtol=1e-9, atol=1e-11)


def test_the_real_part_of_a_harmonic_turned_by_a_quarter_of_its_period_is_the_imaginary_part():
    rng = np.random.default_rng(2)
    problem = next(problem for problem in SPECIAL_FUNCTIONS if problem.name == "sph_harm m=2 n=2")
    x = points(problem.box, 100, rng)
    turned = x - [np.pi / 4, 0.0]

    np.testing.assert_allclose(problem.f(turned), special.sph_harm_y(2, 2, x[:, 1], x[:, 0]).imag, atol=1e-14)


# --- networks that equal their formulas


@cache
def human(name):
    problem = next(problem for problem in FEYNMAN if problem.name == name)
    return exact_network(problem.names, HUMAN[name].layers)


@every_equation
def test_the_human_network_has_the_papers_shape(problem):
    assert human(problem.name).widths == problem.shapes["human"]


@every_equation
def test_the_human_network_equals_the_formula_to_rounding(problem):
    x, made = lattice(problem.box), HUMAN[problem.name]
    if made.singular:
        x = x[np.abs(values_of(made.singular, problem.names)(x)) > 1e-12]
    y = problem.f(x)

    error = np.abs(human(problem.name)(x)[:, 0] - y)

    assert error.max() < 1e-13 * max(1.0, np.abs(y).max()) * (100.0 if problem.name == "I.30.3" else 1.0)


@pytest.mark.parametrize("name", [name for name, made in HUMAN.items() if made.singular])
def test_an_edge_with_a_pole_is_refused_there_and_one_node_more_does_without(name):
    problem = next(problem for problem in FEYNMAN if problem.name == name)
    smooth = exact_network(problem.names, SMOOTH[name].layers)
    x = lattice(problem.box)
    at_pole = np.ones((1, problem.n_in))  # t1 = t, s = 1
    at_pole[0, 0] = 0.0 if name == "I.6.2" else 1.0

    with pytest.raises(ValueError, match="log"):
        human(name)(at_pole)

    np.testing.assert_allclose(smooth(x)[:, 0], problem.f(x), atol=1e-13)
    added = sum(smooth.widths) - sum(human(name).widths)
    assert added == 1
    assert f"[{','.join(map(str, smooth.widths))}]" in HUMAN[name].remark


@pytest.mark.parametrize("name", ["I.16.6", "I.29.16", "II.11.7"])
def test_human_networks_have_gradients(name):
    problem, rng = (next(problem for problem in FEYNMAN if problem.name == name), np.random.default_rng(0))

    assert kr.check_gradients(human(name), points(problem.box, 20, rng), rng=rng).worst < 1e-6


def test_constants_and_terms_of_one_variable_make_one_edge():
    edges = edges_of("1 + a - b**2 + sin(a) + 2", ["a", "b"])

    a, b = sympy.symbols("a b")
    assert edges == {0: a + sympy.sin(a) + 3, 1: -(b**2)}


# --- tables 1 and 2: what is learnt, and what chooses

FLAT = next(problem for problem in SPECIAL_FUNCTIONS if problem.name == "sph_harm m=0 n=1")
PRODUCT = next(problem for problem in FEYNMAN if problem.name == "II.2.42")


def small(problem, model, widths, **changes):
    config = config_of(problem, model, widths, 0, full=False, activation="tanh" if model == MLP else "")
    few = {"n_train": 200, "n_test": 300, "n_starts": 2, "start_steps": 8, "n_steps": 8}
    ladder = {} if model == MLP else {"grids": [3, 5, 10]}
    sparse = {"penalty_steps": 30} if model == PRUNED else {}
    return {**config, **few, **ladder, **sparse, **changes}


def without_time(results):
    return {**results, "seconds": 0.0}


# --- learning


def test_a_kan_climbs_as_far_as_it_has_no_more_parameters_than_samples():
    config = config_of(FLAT, KAN, (2, 5, 1), 0, full=True)

    assert grids_within(config) == [3, 5, 10, 20]
    assert n_params((2, 5, 1), 50, 3) == 15 * 55
    assert grids_within({**config, "n_train": 1032}) == [3, 5, 10, 20, 50]  # a fifth is set aside
    assert grids_within({**config, "widths": [2, 30, 30, 1]}) == [3, 5]
    network = kr.init_network((2, 5, 1), n_intervals=50, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    assert n_params((2, 5, 1), 50, 3) == network.n_params


@pytest.mark.parametrize(
    ("problem", "model", "widths", "bar"),
    [(FLAT, KAN, (2, 1, 1), 1e-3), (PRODUCT, PRUNED, (2, 5, 1), 0.1), (PRODUCT, MLP, (2, 5, 5, 1), 0.1)],
)
def test_every_model_learns_repeats_itself_and_is_plain_data(problem, model, widths, bar):
    config = small(problem, model, widths)

    results, again = learn(problem, config), learn(problem, config)

    assert without_time(results) == without_time(again)
    assert json.loads(json.dumps(results)) == results
    assert results["test"] < bar
    assert results["train"] < bar
    assert results["seconds"] > 0.0


@pytest.mark.parametrize(("model", "widths"), [(KAN, (2, 2, 1)), (PRUNED, (2, 5, 1)), (MLP, (2, 5, 1))])
def test_test_data_choose_nothing(monkeypatch, model, widths):
    config = small(PRODUCT, model, widths)
    honest = learn(PRODUCT, config)
    original = table_method.sample

    def other_test_values(*arguments, **settings):
        data = original(*arguments, **settings)
        return replace(data, y_test=-data.y_test)

    monkeypatch.setattr(table_method, "sample", other_test_values)
    fooled = learn(PRODUCT, config)

    assert fooled["test"] > 2.0 * honest["test"]
    for name in ("validation", "train", "widths", "n_params", "network"):
        assert fooled[name] == honest[name], name


def test_the_chosen_rung_has_the_least_validation_error():
    results = learn(PRODUCT, small(PRODUCT, KAN, (2, 2, 1)))

    least = min(results["rungs"], key=lambda rung: rung["validation"])
    assert (results["validation"], results["n_intervals"], results["smoothness"]) == tuple(
        least[name] for name in ("validation", "n_intervals", "smoothness")
    )
    assert {rung["smoothness"] for rung in results["rungs"]} == {1e-8, 1e-6}
    assert restored(results["network"]).widths == (2, 2, 1)


def test_hidden_grids_hold_the_whole_box_in_the_end(monkeypatch):
    """A training set that leaves out a corner, where the network is asked all the same."""
    problem = next(problem for problem in FEYNMAN if problem.name == "III.10.19")
    original = table_method.sample

    def without_corners(*arguments, **settings):
        data = original(*arguments, **settings)
        kept = (data.x_train**2).sum(axis=1) < 1.2
        return replace(data, x_train=data.x_train[kept], y_train=data.y_train[kept])

    monkeypatch.setattr(table_method, "sample", without_corners)
    config = small(problem, KAN, (2, 1, 1), n_train=400)
    results = learn(problem, config)

    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    assert not off_a_grid(restored(results["network"]), corners).any()
    monkeypatch.setattr(table_method, "off_a_grid", lambda network, x: np.zeros(1, dtype=bool))
    careless = learn(problem, config)
    assert off_a_grid(restored(careless["network"]), corners).any()
    assert results["test"] < 0.5 * careless["test"]


def test_a_ladder_ends_when_the_validation_error_explodes(monkeypatch):
    monkeypatch.setattr(table_method, "EXPLODED", 1e-9)

    results = learn(PRODUCT, small(PRODUCT, KAN, (2, 2, 1), smoothness=[1e-8]))

    assert [rung["n_intervals"] for rung in results["rungs"]] == [3]


def test_pruning_makes_the_network_smaller():
    results = learn(PRODUCT, small(PRODUCT, PRUNED, (2, 5, 1), penalties=[0.1], penalty_steps=100))

    assert results["penalty_weight"] == 0.1
    assert results["widths"][1] < 5


def test_where_pruning_would_leave_no_path_the_network_stays_as_it_began(monkeypatch):
    def refuse(network, x):
        raise ValueError("threshold 0.01 leaves output 0 without a path from any input")

    monkeypatch.setattr(table_method.kr, "prune", refuse)
    results = learn(PRODUCT, small(PRODUCT, PRUNED, (2, 5, 1)))

    assert results["penalty_weight"] == 0.0
    assert results["widths"] == [2, 5, 1]


# --- configurations


@pytest.mark.parametrize(("figure", "problems"), [(table_1, SPECIAL_FUNCTIONS), (table_2, FEYNMAN)])
def test_full_runs_have_five_seeds_and_the_papers_shapes_and_quick_ones_every_row(figure, problems):
    full, quick = figure.configs(True, None), figure.configs(False, None)

    assert {config["seed"] for config in full} == set(range(5))
    for problem in problems:
        shapes = {
            tuple(config["widths"]) for config in full if config["function"] == problem.name and config["model"] == KAN
        }
        assert set(problem.shapes.values()) <= shapes
        models = {config["model"] for config in quick if config["function"] == problem.name}
        assert models == {KAN, MLP}
    assert all(config["n_train"] == 1000 and config["n_test"] == 10000 for config in full + quick)


# --- claims and pictures from made-up records


def test_a_frontier_has_no_point_that_another_one_beats_twice():
    assert frontier([(3, 1.0), (1, 3.0), (2, 4.0), (2, 2.0), (4, 1.0), (5, 0.5)]) == [
        (1, 3.0),
        (2, 2.0),
        (3, 1.0),
        (5, 0.5),
    ]


# --- sizes and shapes


def test_edges_that_do_nothing_are_not_drawn():
    rng = np.random.default_rng(0)
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    first = network.layers[0]
    faint = np.array([[1.0, 1e-9], [1.0, 1.0]])
    first = replace(first, w_base=first.w_base * faint, w_spline=first.w_spline * faint)
    network = kr.Network((first, *network.layers[1:]))
    x = rng.uniform(-1.0, 1.0, (100, 2))

    shown = without_idle_edges(network, x)

    assert np.asarray(shown.layers[0].mask).tolist() == [[1.0, 0.0], [1.0, 1.0]]
    assert np.asarray(shown.layers[1].mask).tolist() == [[1.0, 1.0]]
