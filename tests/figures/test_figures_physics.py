"""Figures 3.3 and 4.3 to 4.6: equations, knots and mobility edges, whose solutions and formulas are known exactly or found.

Solutions solve the equation, and runs repeat. Of knots: the table, and relations that are found or not. Of mobility edges: chains whose states
are known, labels, and formulas that can represent theory's edges.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

import kan_ref as kr
from figures.equations import fig_3_3_poisson, poisson
from figures.equations.poisson import METHODS, SOLUTIONS, config_of, mesh
from figures.knots import fig_4_3_signature, fig_4_4_relations
from figures.knots.fig_4_3_signature import TASKS
from figures.knots.table import COMMON, GROUPS, all_knots, slope
from figures.localization import chains, mobility_edges
from figures.localization.chains import MODELS
from figures.localization.mobility_edges import fig_4_5_mosaic, fig_4_6_gaam_maam
from kan_ref.numerics.differences import central_difference

# --- figure 3.3: solutions that solve the equation, and runs that repeat

names = pytest.mark.parametrize("name", SOLUTIONS)


# --- Poisson: the problem


@names
def test_gradient_and_laplacian_are_those_of_the_solution(name):
    solution, x = SOLUTIONS[name], np.random.default_rng(0).uniform(-1.0, 1.0, (50, 2))
    for i in range(2):
        along = np.eye(2)[i]
        by_u = central_difference(lambda t, along=along: solution.u(x + t * along))
        np.testing.assert_allclose(solution.gradient(x)[:, i], by_u, atol=1e-8)

    twice = sum(central_difference(lambda t, i=i: solution.gradient(x + t * np.eye(2)[i])[:, i]) for i in range(2))
    np.testing.assert_allclose(solution.laplacian(x), twice, atol=1e-7)


@names
def test_the_solution_vanishes_on_the_boundary(name):
    sides = poisson.around(np.random.default_rng(1).uniform(-1.0, 1.0, (4, 20)))

    assert (np.abs(sides).max(axis=1) == 1.0).all()
    assert np.abs(SOLUTIONS[name].u(sides)).max() < 1e-15


def test_points_are_as_many_as_the_paper_and_its_documentation_have():
    inside, boundary = poisson.points("paper", np.random.default_rng(0))
    lattice, sides = poisson.points("documentation", np.random.default_rng(0))

    assert (len(inside), len(boundary)) == (10000, 800)
    assert (len(lattice), len(sides)) == (51 * 51, 4 * 51)
    assert len(mesh()) == 201 * 201


def test_the_exact_formula_has_no_residual_and_no_error():
    """sin(pi x) sin(pi y) as half a difference of two cosines: a [2,2,1] network."""
    net = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    for j, sign in enumerate((1.0, -1.0)):
        net = kr.fix_symbolic(net, 0, output=j, input=0, name="x", affine=(1.0, 0.0, np.pi, 0.0))
        net = kr.fix_symbolic(net, 0, output=j, input=1, name="x", affine=(1.0, 0.0, -sign * np.pi, 0.0))
        net = kr.fix_symbolic(net, 1, output=0, input=j, name="cos", affine=(1.0, 0.0, 0.5 * sign, 0.0))

    terms = poisson.problem("documentation", np.random.default_rng(0))
    run = kr.fit(net, equations=terms, n_steps=0)

    assert run.history.train_rmse[0] < 1e-13
    assert max(poisson.errors("documentation", net, mesh()[::40])) < 1e-28


def test_errors_are_means_of_squares_of_values_and_slopes():
    """Of the zero network they are those of the solution itself: on the whole square mean u^2 = 1/4, mean |grad u|^2 = pi^2 / 2."""
    zero = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0))
    zero = zero.with_theta(np.zeros(zero.n_params))
    line = -1.0 + 2.0 * (np.arange(100) + 0.5) / 100  # midpoints: exact for trigonometric polynomials
    x = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)

    l2, h1 = poisson.errors("documentation", zero, x)

    assert l2 == pytest.approx(0.25, rel=1e-12)
    assert h1 == pytest.approx(0.25 + np.pi**2 / 2.0, rel=1e-12)


# --- Poisson: runs


def small_config(method, seed=0, name="documentation"):
    shape = {"activation": "tanh"} if method.model == "mlp" else {"n_intervals": 5, "degree": method.degree}
    widths = [2, 3, 1] if method.model == "kan" else [2, 4, 4, 1]
    return config_of(name, method.model, widths, method.optimizer, 6, seed, **shape)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.model}-{method.optimizer}-{method.degree}")
def test_a_run_lowers_the_loss_repeats_itself_and_is_plain_data(method, monkeypatch):
    monkeypatch.setattr(poisson, "LINES", 21)
    first, again = (poisson.run(small_config(method)) for _ in range(2))
    timed = ("seconds", "curve")

    assert first["loss"] < 0.8 * first["curve"]["loss"][0]
    assert {key: value for key, value in first.items() if key not in timed} == {
        key: value for key, value in again.items() if key not in timed
    }
    assert first["curve"]["l2"] == again["curve"]["l2"]
    assert json.loads(json.dumps(first)) == first
    assert first["curve"]["step"][0] == 0
    assert first["curve"]["l2"][-1] == pytest.approx(first["l2"], rel=1e-4)


# --- Poisson: nested grids


def test_a_run_on_nested_grids_lowers_errors_repeats_itself_and_is_plain_data(monkeypatch):
    monkeypatch.setattr(poisson, "LINES", 21)
    config = {**poisson.nested_configs(False, 1)[1], "widths": [2, 2, 1], "grids": [2, 4], "n_steps": [8, 4]}
    first, again = (fig_3_3_poisson.run(config) for _ in range(2))
    seconds = first.pop("seconds")
    again.pop("seconds")

    assert first == again
    assert json.loads(json.dumps(first)) == first
    assert first["n_params"] == [54, 66]
    assert first["residual"][1] < first["residual"][0]
    assert 0.0 < seconds[0] < seconds[1]


def test_the_finer_of_two_nested_grids_goes_on_from_the_coarse_one(monkeypatch):
    """Without a step on the finer grid the errors stay, because the function is the same."""
    monkeypatch.setattr(poisson, "LINES", 21)
    config = {**poisson.nested_configs(False, 1)[0], "widths": [2, 2, 1], "n_steps": [5, 0]}

    found = fig_3_3_poisson.run(config)

    assert found["l2"][1] == pytest.approx(found["l2"][0], rel=0.2)


# --- figures 4.3 to 4.6: knots and mobility edges: formulas that are known exactly or found

# --- the table


def test_the_table_has_the_figure_eight_knot_with_its_known_invariants():
    """Volume 6 Lobachevsky(pi/3), cusp volume sqrt(3), mu = i, lambda = 2 sqrt(3); amphichiral, symmetry group D4; Thurston 1979."""
    knots = all_knots()
    place = knots.names.index("K4a1")

    known = {
        "volume": 2.029883212819307,
        "cusp_volume": 3**0.5,
        "longitude": 2 * 3**0.5,
        "meridian_re": 0.0,
        "meridian_im": 1.0,
        "chern_simons": 0.0,
        "geodesic_re": 1.087070144995739,
        "D4": 1.0,
    }
    for name, value in known.items():
        assert knots.columns[name][place] == pytest.approx(value, abs=1e-7)
    assert knots.signature[place] == 0


def test_the_table_has_all_hyperbolic_knots_up_to_13_crossings_and_is_consistent():
    """Of the 12 965 prime knots with 3 to 13 crossings 10 are not hyperbolic: 8 torus knots and 2 satellites."""
    knots = all_knots()
    columns = knots.columns

    assert len(set(knots.names)) == len(knots.names) == 12_955
    assert (knots.crossings.min(), knots.crossings.max()) == (4, 13)
    assert np.all(knots.signature % 2 == 0)
    area = columns["longitude"] * columns["meridian_im"]
    np.testing.assert_allclose(area, 2 * columns["cusp_volume"], atol=4e-6)
    assert np.all(np.abs(columns["chern_simons"]) <= 0.25)
    assert np.all(columns["geodesic_re"] > 0.0)


def test_common_symmetries_are_those_of_more_than_1_percent_of_the_knots():
    knots = all_knots()
    shares = {group: knots.columns[group][knots.crossings <= 13].mean() for group in GROUPS}

    assert tuple(group for group in GROUPS if shares[group] > 0.01) == COMMON


# --- signatures


def test_the_slope_is_the_real_part_of_longitude_over_meridian():
    knots = all_knots()
    mu = knots.columns["meridian_re"] + 1j * knots.columns["meridian_im"]

    np.testing.assert_allclose(slope(knots), (knots.columns["longitude"] / mu).real, rtol=1e-12, atol=1e-12)


def test_the_rule_reads_off_a_signature_that_follows_the_slope(monkeypatch):
    knots = all_knots()
    exact = replace(knots, signature=fig_4_3_signature.nearest_even(0.4 * slope(knots)).astype(int))
    monkeypatch.setattr(fig_4_3_signature, "all_knots", lambda: exact)

    results = fig_4_3_signature.run(fig_4_3_signature.config_of("A", 0, 2000))

    assert results["accuracy"] > 0.97
    assert results["p"] == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("task", ["all", "mlp", "B"])
def test_a_run_on_the_signature_is_plain_data_and_beats_the_most_common_one(task):
    results = fig_4_3_signature.run(fig_4_3_signature.config_of(task, 0, 300, 10))

    assert json.loads(json.dumps(results)) == results
    assert results["accuracy"] > results["most_common"]


@pytest.mark.parametrize("task", ["mu_r", "mlp"])
def test_the_start_with_the_smallest_loss_on_held_out_training_knots_goes_on(task):
    config = fig_4_3_signature.config_of(task, 0, 500, 20) | {"n_starts": 4}
    sample = fig_4_3_signature.sample_of(config, np.random.default_rng(0))
    x, x_test = sample.standardized(TASKS[task].inputs)
    y = np.searchsorted(sample.classes, sample.train.signature)
    nothing = np.zeros(len(x_test), dtype=int)  # labels to test are not used
    data = kr.Data(x, y, x_test, nothing)
    widths = (x.shape[1], *TASKS[task].hidden, len(sample.classes))

    start, losses = fig_4_3_signature._best_start(TASKS[task], widths, data, config, np.random.default_rng(1))

    held_out = np.random.default_rng(1).permutation(len(y))[:80]
    loss, _ = kr.value_and_grad(start, x[held_out], y[held_out], loss="cross_entropy")
    assert len(set(losses)) == 4
    assert loss == pytest.approx(min(losses), rel=1e-12)


def test_test_knots_are_new_and_all_have_at_most_13_crossings():
    sample = fig_4_3_signature.sample_of(fig_4_3_signature.config_of("A", 0, 3000), np.random.default_rng(0))

    assert not set(sample.train.names) & set(sample.test.names)
    assert max(sample.train.crossings.max(), sample.test.crossings.max()) == 13
    assert (len(sample.train.names), len(sample.test.names)) == (2400, 600)


# --- relations


@pytest.mark.parametrize(
    ("shares", "accuracy", "relation"),
    [
        ({"geodesic_re": 1.0, "injectivity_radius": 0.2}, 0.9, "c"),
        ({"geodesic_re": 1.0, "injectivity_radius": 0.2}, 0.7, "none"),
        ({"geodesic_re": 1.0, "injectivity_radius": 0.05}, 0.9, "another"),
        ({"longitude": 1.0, "meridian_im": 1.0, "cusp_volume": 1.0}, 0.9, "b"),
        ({"longitude": 1.0, "meridian_im": 1.0, "cusp_volume": 1.0, "volume": 0.2}, 0.9, "another"),
        ({"signature": 1.0, "meridian_re": 1.0, "volume": 0.2}, 0.9, "a"),
        ({"signature": 1.0, "longitude": 1.0}, 0.9, "another"),
    ],
)
def test_a_relation_is_named_by_its_variables(shares, accuracy, relation):
    names = fig_4_4_relations.variables_of(0)
    search = {"variables": list(names), "shares": [shares.get(name, 0.0) for name in names], "accuracy": accuracy}  # fmt: skip

    assert fig_4_4_relations.relation_of(search) == relation


def test_scaled_variables_keep_the_identity_of_the_cusp_and_shuffled_ones_break_it():
    data = fig_4_4_relations.sample_of(fig_4_4_relations.config_of(0, 300), 0)
    v, longitude, im = (
        data.x_train[:, fig_4_4_relations.VARIABLES.index(name)] for name in ("cusp_volume", "longitude", "meridian_im")
    )
    ratio = v / (longitude * im)

    np.testing.assert_allclose(ratio[:300], ratio[0], rtol=1e-5)
    assert np.std(ratio[300:]) > 0.1
    assert np.array_equal(np.sort(v[:300]), np.sort(v[300:]))


def test_a_run_on_relations_is_plain_data():
    config = fig_4_4_relations.config_of(0, 200, 20) | {"n_test": 100, "n_starts": 2, "start_steps": 5}

    results = fig_4_4_relations.run(config)

    assert json.loads(json.dumps(results)) == results
    assert [len(one["shares"]) for one in results["searches"]] == [10, 9, 8]


def test_logarithms_of_the_cusp_have_the_factors_of_a_product():
    """From curves whose factors are off by 10 %, training finds the product."""
    config = fig_4_4_relations.config_of(0, 300) | {"n_test": 100}
    data = fig_4_4_relations.sample_of(config, 1)
    places = {name: place for place, name in enumerate(fig_4_4_relations.variables_of(1))}
    network = fig_4_4_relations.start(config, data.x_train, np.random.default_rng(0))
    factors = {"cusp_volume": 5.0, "longitude": -4.5, "meridian_im": -5.5}
    f = sum(factor * np.log(data.x_train[:300, places[name]]) for name, factor in factors.items())
    network = kr.mask_edges(network, 0, np.zeros((1, len(places))))
    for name, factor in factors.items():
        affine = (1.0, 0.0, factor, -f.mean() / 3)
        network = kr.fix_symbolic(network, 0, output=0, input=places[name], name="log", affine=affine)

    logs = fig_4_4_relations._logarithms(config, 1, {"pruned": network})

    assert logs["factors"]["longitude"] == pytest.approx(-1.0, abs=0.01)
    assert logs["factors"]["meridian_im"] == pytest.approx(-1.0, abs=0.01)
    assert logs["accuracy"] > 0.9


# --- mobility edges


PARAMETERS = {
    "mosaic 2": {"lambda": 0.7, "phi": 1.0},
    "mosaic 3": {"lambda": 1.3, "phi": 2.0},
    "GAAM": {"lambda": 0.4, "alpha": -0.5, "phi": 0.3},
    "MAAM": {"lambda": 1.1, "p": 1.7, "phi": 0.1},
}
every_model = pytest.mark.parametrize("name", MODELS)


# --- chains


def written_out(name, of, n):
    """The Hamiltonian, entry by entry."""
    b, h = (1 + 5**0.5) / 2, np.zeros((n, n))
    for i in range(n):
        wave = np.cos(2 * np.pi * i * b + of["phi"])
        if name.startswith("mosaic"):
            h[i, i] = of["lambda"] * wave if i % int(name[-1]) == 0 else 0.0
        elif name == "GAAM":
            h[i, i] = 2 * of["lambda"] * wave / (1 - of["alpha"] * wave)
        else:
            h[i, i] = of["lambda"] * wave
        for j in range(n):
            if i != j:
                near = float(abs(i - j) == 1)
                h[i, j] = np.exp(of["p"]) * np.exp(-of["p"] * abs(i - j)) if name == "MAAM" else near
    return h


@every_model
def test_states_are_eigenvectors_of_the_hamiltonian(name):
    energies, states = chains.eigenstates(MODELS[name], PARAMETERS[name], 34)
    h = written_out(name, PARAMETERS[name], 34)

    np.testing.assert_allclose(h @ states, states * energies, atol=1e-12)
    np.testing.assert_allclose(states.T @ states, np.eye(34), atol=1e-12)


def test_participation_is_1_on_one_site_and_1_over_n_on_all():
    states = np.stack([np.eye(50)[20], np.full(50, 50**-0.5)], axis=1)

    ratio, centre = chains.ratio_and_centre(states)

    np.testing.assert_allclose(ratio, [1.0, 0.02], rtol=1e-14)
    np.testing.assert_allclose(centre, [20 / 49, 0.5], rtol=1e-14)


@pytest.mark.parametrize(("strength", "localized"), [(0.1, False), (1.9, True)])
def test_far_from_the_edge_both_rules_agree_with_theory(strength, localized):
    """At alpha = 0 the GAAM is the Aubry-Andre chain, whose states are all localized above lambda = 1, and all extended below."""
    model = replace(MODELS["GAAM"], lengths=(89, 233))
    of = {"alpha": 0.0, "lambda": strength, "phi": 0.5}

    states = chains.random_states(model, of, 30, np.random.default_rng(0))

    assert np.mean((states.growth < 0.5) == localized) == 1.0
    assert np.mean((states.dimension_long < 0.5) == localized) == 1.0


def small_sample(name, counts=(3, 1, 2)):
    model = replace(MODELS[name], lengths=(55, 144))
    return chains.sample_states(model, counts, 10, np.random.default_rng(1))


@every_model
def test_states_of_one_chain_are_in_one_part(name):
    sample = small_sample(name)

    phases = sample.x[:, 0 if name.startswith("mosaic") else -1]
    assert [len(np.unique(phases[sample.part == part])) for part in range(3)] == [3, 1, 2]
    assert len(np.unique(phases)) == 6
    assert sample.x.shape == (60, len(MODELS[name].names))
    for parameter, (low, high) in MODELS[name].box.items():
        column = sample.x[:, MODELS[name].names.index(parameter)]
        assert low <= column.min() <= column.max() <= high


# --- functions and formulas


ONE = (1.0, 0.0, 1.0, 0.0)


def truth(name):
    """Theory's edge as a network of the functions that the figure sets by hand."""
    minus = (1.0, 0.0, -1.0, 0.0)
    affine = {
        "mosaic 2": [[ONE, (1.0, 0.0, -2.0, 0.0)]],
        "mosaic 3": [[ONE, (1.0, 0.0, 1.0, -1.0)], [ONE, (1.0, 0.0, -2.0, 0.0)]],
        # alpha E = ((alpha + E)^2 - alpha^2 - E^2) / 2
        "GAAM": [[ONE, ONE, ONE, ONE, (1.0, 0.0, -4.0, 4.0)], [(1.0, 0.0, 0.5, 0.0), (1.0, 0.0, -0.5, 0.0)]],
        "MAAM": [[ONE, ONE, ONE, ONE], [ONE, minus]],
    }[name]  # fmt: skip
    model = MODELS[name]
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 2.0, (50, len(model.names)))
    network = mobility_edges.random_formula(model, x, rng)
    for number, layer in enumerate(model.aim):
        for (output, place, function), numbers in zip(layer, affine[number], strict=True):
            network = kr.fix_symbolic(network, number, output=output, input=place, name=function, affine=numbers)
    return network


@every_model
def test_the_functions_set_by_hand_can_represent_theorys_edge(name):
    x = np.random.default_rng(2).uniform(1.2, 1.9, (40, len(MODELS[name].names)))
    values = truth(name)(x)[:, 0]

    np.testing.assert_allclose(values, MODELS[name].edge(x), rtol=1e-12, atol=1e-12)


def test_an_undefined_formula_counts_as_wrong_and_is_never_chosen():
    sample = small_sample("MAAM", (3, 6, 6))
    network = kr.fix_symbolic(truth("MAAM"), 0, output=0, input=2, name="log", affine=(1.0, -2.0, 1.0, 0.0))
    g = chains.logits(network, sample.x)

    assert np.array_equal(np.isnan(g), sample.x[:, 2] <= 2.0)
    assert chains.held_out_loss(network, sample) == np.inf
    assert chains.held_out_loss(truth("MAAM"), sample) < np.inf
    test = sample.part == chains.TEST
    right = (g > 0) == sample.localized
    expected = np.mean(right[test] & (sample.x[test, 2] > 2.0))
    assert chains.accuracies(g, sample)["growth"] == pytest.approx(expected)


def test_of_random_formulas_with_a_pole_at_a_hidden_node_the_best_by_training_loss_are_trained():
    assert [name for name in MODELS if mobility_edges.moves_a_pole(MODELS[name])] == ["mosaic 3"]
    model, sample = MODELS["mosaic 3"], small_sample("mosaic 3", (3, 1, 2))
    config = mobility_edges.config_of("mosaic 3", 0) | {"n_draws": 20, "n_starts": 4}
    x, rng = sample.x[sample.part == chains.TRAIN], np.random.default_rng(0)
    drawn = [mobility_edges.random_formula(model, x, rng) for _ in range(20)]

    chosen = mobility_edges._formulas(model, sample, config, np.random.default_rng(0))

    losses = [chains.loss_on(chains.TRAIN, network, sample) for network in drawn]
    found = [chains.loss_on(chains.TRAIN, network, sample) for network in chosen]
    assert found == sorted(losses)[:4]
    assert len(set(losses)) > 4


def test_coefficients_of_a_polynomial_are_named_and_other_formulas_have_none():
    import sympy

    a, b = sympy.symbols("a b")

    assert chains.coefficients(3.0 * a * b**2 - 2.0, ["a", "b"]) == {"a*b^2": 3.0, "1": -2.0}
    assert chains.coefficients(sympy.exp(a), ["a", "b"]) is None


# --- a run


@pytest.mark.parametrize(("figure", "name"), [(fig_4_5_mosaic, "mosaic 2"), (fig_4_6_gaam_maam, "GAAM")])
def test_a_run_learns_the_edge_and_is_plain_data(monkeypatch, figure, name):
    monkeypatch.setitem(MODELS, name, replace(MODELS[name], lengths=(55, 144)))
    monkeypatch.setattr(mobility_edges, "KAPPA_GRID", 10)
    config = mobility_edges.config_of(name, 0, (12, 4, 4)) | {"n_starts": 2, "n_steps": 20, "candidates": ["x^2"]}

    results = figure.run(config)

    assert json.loads(json.dumps(results)) == results
    assert results["theory"]["growth"] > 0.9
    assert results["splines"][0]["growth"] > 0.7  # a coin has 0.5
    aim = [[function for _, _, function in layer] for layer in MODELS[name].aim]
    assert results["hand"]["functions"] == aim
