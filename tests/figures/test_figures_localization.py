"""Figures 4.5 and 4.6: chains whose states are known, labels, formulas that can represent theory's edges, claims that can fail."""

import json
from dataclasses import replace

import numpy as np
import pytest
from physics_records import made_up, truth

import kan_ref as kr
from figures.localization import chains, learning
from figures.localization import localization_claims as localization_rows
from figures.localization.chains import MODELS
from figures.localization.mobility_edges import fig_4_5_mosaic, fig_4_6_gaam_maam
from figures.machine.style import style

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
                h[i, j] = (
                    np.exp(of["p"]) * np.exp(-of["p"] * abs(i - j)) if name == "MAAM" else near
                )
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


def test_states_at_the_ends_are_left_out():
    assert chains.inner(np.array([0.0, 0.04, 0.06, 0.5, 0.94, 0.96])).tolist() == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]


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


@every_model
def test_the_functions_set_by_hand_can_represent_theorys_edge(name):
    x = np.random.default_rng(2).uniform(1.2, 1.9, (40, len(MODELS[name].names)))
    values = truth(name)(x)[:, 0]

    np.testing.assert_allclose(values, MODELS[name].edge(x), rtol=1e-12, atol=1e-12)


def test_an_undefined_formula_counts_as_wrong_and_is_never_chosen():
    sample = small_sample("MAAM", (3, 6, 6))
    network = kr.fix_symbolic(
        truth("MAAM"), 0, output=0, input=2, name="log", affine=(1.0, -2.0, 1.0, 0.0)
    )
    g = chains.logits(network, sample.x)

    assert np.array_equal(np.isnan(g), sample.x[:, 2] <= 2.0)
    assert chains.held_out_loss(network, sample) == np.inf
    assert chains.held_out_loss(truth("MAAM"), sample) < np.inf
    test = sample.part == chains.TEST
    right = (g > 0) == sample.localized
    expected = np.mean(right[test] & (sample.x[test, 2] > 2.0))
    assert chains.accuracies(g, sample)["growth"] == pytest.approx(expected)


def test_of_random_formulas_with_a_pole_at_a_hidden_node_the_best_by_training_loss_are_trained():
    assert [name for name in MODELS if learning.moves_a_pole(MODELS[name])] == ["mosaic 3"]
    model, sample = MODELS["mosaic 3"], small_sample("mosaic 3", (3, 1, 2))
    config = learning.config_of("mosaic 3", 0) | {"n_draws": 20, "n_starts": 4}
    x, rng = sample.x[sample.part == chains.TRAIN], np.random.default_rng(0)
    drawn = [learning.random_formula(model, x, rng) for _ in range(20)]

    chosen = learning._formulas(model, sample, config, np.random.default_rng(0))

    losses = [chains.loss_on(chains.TRAIN, network, sample) for network in drawn]
    found = [chains.loss_on(chains.TRAIN, network, sample) for network in chosen]
    assert found == sorted(losses)[:4]
    assert len(set(losses)) > 4


def test_coefficients_of_a_polynomial_are_named_and_other_formulas_have_none():
    import sympy

    a, b = sympy.symbols("a b")

    assert chains.coefficients(3.0 * a * b**2 - 2.0, ["a", "b"]) == {"a*b^2": 3.0, "1": -2.0}
    assert chains.coefficients(sympy.exp(a), ["a", "b"]) is None


# --- runs, claims, pictures


FIGURES = {"mosaic 2": fig_4_5_mosaic, "mosaic 3": fig_4_5_mosaic}
FIGURES |= {"GAAM": fig_4_6_gaam_maam, "MAAM": fig_4_6_gaam_maam}


@every_model
def test_claims_say_yes_to_theorys_edge(name):
    claims = FIGURES[name].claims([made_up(name), made_up(name, 1)])

    assert {claim.agrees for claim in claims} == {"yes"}
    assert len(claims) == {"mosaic 2": 6, "mosaic 3": 4, "GAAM": 6, "MAAM": 6}[name]


@every_model
@pytest.mark.parametrize("way", ["theory", "hand", "auto"])
def test_claims_say_no_to_a_coin(name, way):
    record = made_up(name)
    record["results"][way]["growth"] = 0.5

    claims = FIGURES[name].claims([record])

    words = {"theory": "theory's edge", "hand": "set by hand", "auto": "found automatically"}
    assert [claim.agrees for claim in claims if words[way] in claim.claim] == ["no"]
    assert [claim.agrees for claim in claims if "splines learn" in claim.claim] == ["yes"]


def test_a_constant_that_is_off_and_another_function_are_seen():
    off, other = made_up("mosaic 2"), made_up("mosaic 2")
    off["results"]["hand"]["network"]["layers"][0]["affine"][1][2] = -2.1
    other["results"]["auto"]["functions"] = [["x", "gaussian"]]

    assert localization_rows.inverse_edge(off, "hand") == pytest.approx((2.1, 0.0, 0.0))
    assert localization_rows.inverse_edge(off, "auto") == pytest.approx((2.0, 0.0, 0.0))
    assert localization_rows.inverse_edge(other, "auto") is None
    words = {
        claim.claim[-9:]: claim.agrees
        for record in (off, other)
        for claim in localization_rows.mosaic_claims([record])
        if "with c = 2" in claim.claim and claim.agrees != "yes"
    }
    assert words == {", by hand": "partly", "automatic": "no"}


@pytest.mark.parametrize(
    ("change", "error"), [({}, 0.01), ({"alpha^2": -1.0}, 0.1), ({"lam": 23.0}, 0.3)]
)
def test_proportionality_takes_every_coefficient(change, error):
    record = made_up("GAAM")
    record["results"]["hand"]["coefficients"].update(change)

    assert localization_rows.proportional_error(record) == pytest.approx(error)


@pytest.mark.parametrize("figure", [fig_4_5_mosaic, fig_4_6_gaam_maam], ids=["4.5", "4.6"])
def test_pictures_are_drawn_from_some_or_all_records(figure):
    names = [name for name, one in FIGURES.items() if one is figure]
    records = json.loads(json.dumps([made_up(name) for name in names]))

    with style():
        both, one = figure.draw(records), figure.draw(records[1:])

    assert len(both.axes) == 2 * len(one.axes)
    assert sum(ax.get_xlabel().startswith("strength") for ax in both.axes) == 2
    assert figure.claims(records[1:])


def test_a_run_learns_the_edge_and_is_plain_data(monkeypatch):
    small = replace(MODELS["mosaic 2"], lengths=(55, 144))
    monkeypatch.setitem(MODELS, "mosaic 2", small)
    monkeypatch.setattr(learning, "KAPPA_GRID", 10)
    config = learning.config_of("mosaic 2", 0, (12, 4, 4)) | {
        "n_starts": 2,
        "n_steps": 20,
        "candidates": ["x^2"],
    }

    results = fig_4_5_mosaic.run(config)

    assert json.loads(json.dumps(results)) == results
    assert results["theory"]["growth"] > 0.9
    assert results["splines"][0]["growth"] > 0.8
    assert results["hand"]["functions"] == [["x", chains.INVERSE_MODULUS]]
