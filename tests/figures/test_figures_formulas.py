"""Figures 2.4 and C.1: networks that survive a record, what their runs measure, and claims that can fail."""

import json

import numpy as np
import pytest
from figure_records import record_of
from matplotlib.figure import Figure
from networks import formula_network, random_network, two_sines

import kan_ref as kr
from figures.formulas import fig_2_4_symbolic_regression as fig_2_4
from figures.formulas import fig_c_1_hyperparameters as fig_c_1
from figures.formulas import five_steps, hyperparameters
from figures.formulas.five_steps import BY_HAND, DISCOVER, DOCUMENTED, LONGER, NOISY, PRINTED, WAYS
from figures.machine.records import read_record, record_bytes, record_path, write_record
from figures.machine.stored_network import PER_AXIS, draw_settled, draw_stored, restored, stored
from figures.machine.style import picture_bytes, style


def truth(
    sine=(np.pi, 0.0, 1.0, 0.0), square=(1.0, 0.0, 1.0, 0.0), exponential=(1.0, 0.0, 1.0, 0.0)
):
    return formula_network(
        [(0, 0, "sin", sine), (0, 1, "x^2", square)], [(0, 0, "exp", exponential)], widths=(2, 1, 1)
    )


def agreement(claims, *words):
    found = [claim.agrees for claim in claims if all(word in claim.claim for word in words)]
    assert found, words
    return found


# --- networks in records


@pytest.mark.parametrize("seed", range(4))
def test_a_stored_network_comes_back_from_json_the_same_to_the_eye(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    x = rng.uniform(-1.0, 1.0, (50, network.widths[0]))

    back = restored(json.loads(json.dumps(stored(network))))

    assert back.widths == network.widths
    np.testing.assert_allclose(
        back(x), network(x), rtol=0, atol=1e-4 * max(1.0, np.abs(network(x)).max())
    )


def test_stored_formulas_keep_names_and_locks():
    network = two_sines(second=None)

    back = restored(json.loads(json.dumps(stored(network))))

    for old, new in zip(network.layers, back.layers, strict=True):
        assert [(edge.output, edge.input, edge.name, edge.row) for edge in old.symbolic] == [
            (edge.output, edge.input, edge.name, edge.row) for edge in new.symbolic
        ]
        np.testing.assert_allclose(new.affine, old.affine, rtol=1e-6)


def test_a_stored_network_is_short():
    network = kr.init_network(
        (2, 5, 1), n_intervals=5, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    assert len(json.dumps(stored(network))) < 3000


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


def test_the_lattice_covers_the_square(monkeypatch):
    seen = []
    monkeypatch.setattr(kr, "draw_network", lambda network, x, **settings: seen.append(x))

    draw_stored(Figure().subplots(), stored(truth()), beta=3.0)

    assert seen[0].shape == (PER_AXIS**2, 2)
    assert len(np.unique(seen[0], axis=0)) == PER_AXIS**2
    assert seen[0].min(axis=0).tolist() == [-1.0, -1.0]
    assert seen[0].max(axis=0).tolist() == [1.0, 1.0]


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
    right = {
        "sine": (np.pi, 0.0, 1.0, 0.0),
        "square": (1.0, 0.0, 1.0, 0.0),
        "exponential": (1.0, 0.0, 1.0, 0.0),
    }[edge]
    wrong = tuple(value + change * (number == place) for number, value in enumerate(right))

    error = five_steps.coefficient_error(truth(**{edge: wrong}))

    assert 0.9 * change < error < 2.1 * change


def test_another_form_has_no_coefficient_error():
    right = [(0, 0, "sin", (np.pi, 0.0, 1.0, 0.0)), (0, 1, "x^2", (1.0, 0.0, 1.0, 0.0))]
    wrong_name = formula_network(
        [right[0], (0, 1, "cosh", (1.0, 0.0, 1.0, 0.0))],
        [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))],
        widths=(2, 1, 1),
    )
    one_more = formula_network(
        [*right, (1, 0, "x", (1.0, 0.0, 1e-9, 0.0))],
        [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))],
        widths=(2, 2, 1),
    )
    one_less = formula_network([right[0]], [(0, 0, "exp", (1.0, 0.0, 1.0, 0.0))], widths=(2, 1, 1))
    splines = kr.init_network(
        (2, 1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    assert [
        five_steps.coefficient_error(network)
        for network in (wrong_name, one_more, one_less, splines)
    ] == [None] * 4


def test_the_formula_is_written_with_two_decimals_and_without_what_they_do_not_show():
    network = truth(sine=(np.pi, 1e-9, 1.0 + 1e-13, 0.0), square=(1.0, 3e-4, 0.999, 0.0))

    assert five_steps.formula_text(network) == r"e^{1.0 y^{2} + 1.0 \sin{\left(3.14 x \right)}}"


# --- five steps: the runs


def small(way, seed=0, **changes):
    return {
        **five_steps.config_of(way, seed),
        "widths": [2, 1, 1],
        "n_train": 200,
        "n_test": 100,
        **changes,
    }


@pytest.fixture(scope="module")
def by_hand():
    """By hand and small, from [2,1,1] on, whose pruning has nothing to do."""
    return five_steps.walk(small(PRINTED, n_steps=60))


@pytest.fixture(scope="module")
def discovered():
    return five_steps.walk(small(NOISY))


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
        [
            edge["function"]
            for layer in step["network"]["layers"]
            for edge in layer.get("symbolic", [])
        ]
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


def test_by_hand_the_penalty_weights_of_the_configuration_are_used():
    def last(**changes):
        return five_steps.walk(
            small(PRINTED, widths=[2, 3, 1], threshold=0.0, n_steps=3, **changes)
        )["steps"][0]["network"]

    usual = last()
    assert all(
        last(**{name: 0.5}) != usual for name in ("penalty_weight", "l1_weight", "entropy_weight")
    )


def test_discover_finds_the_form_under_noise(discovered):
    assert [step["name"] for step in discovered["steps"]] == [
        "sparsify",
        "prune",
        "refine",
        "canonical",
    ]
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


# --- figure 2.4 from records


def records_2_4(
    by_hand, discovered, hidden=1, error=1e-15, noisy_error=1e-3, wrong=1e-3, seconds=3.0, ways=WAYS
):
    """Made up of two small runs: every seed by hand comes to `hidden` nodes, every formula is off by `error`."""
    records = []
    for way in ways:
        for seed in range(2):
            if way in BY_HAND:
                ends = {"widths": [2, hidden, 1], "coefficient_error": error, "wrong_rmse": wrong}
                if hidden != 1:
                    ends |= {
                        "steps": by_hand["steps"][:2],
                        "formula": None,
                        "coefficient_error": None,
                        "wrong_rmse": None,
                    }
                results = {**by_hand, **ends}
            else:
                results = {
                    **discovered,
                    "widths": [2, 1, 1],
                    "coefficient_error": noisy_error if way is NOISY else error,
                    "seconds": seconds,
                }
            records.append(record_of(five_steps.config_of(way, seed), results))
    return records


def test_claims_about_fig_2_4_say_yes_where_every_seed_comes_to_the_formula(by_hand, discovered):
    claims = fig_2_4.claims(records_2_4(by_hand, discovered))

    assert {claim.agrees for claim in claims} == {"yes"}
    assert len(claims) == len(BY_HAND) + 5
    assert agreement(claims, "mu_2 = 10") == ["yes"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hidden": 2}, "leave one hidden node"),
        ({"error": 1e-11}, "machine precision"),
        ({"error": None}, "nothing else"),
        ({"error": 1e-11}, "nothing else"),
        ({"seconds": 5.1}, "in seconds"),
        ({"noisy_error": 0.011}, "noise"),
        ({"noisy_error": None}, "noise"),
        ({"wrong": 1e-10}, "cosh"),
    ],
)
def test_claims_about_fig_2_4_say_no_to_the_opposite(by_hand, discovered, changes, words):
    if changes.get("error", 0.0) is None:  # by hand, names are right by definition
        changes = {**changes, "ways": (DISCOVER,)}
    assert set(agreement(fig_2_4.claims(records_2_4(by_hand, discovered, **changes)), words)) == {
        "no"
    }


def test_a_width_that_some_seeds_find_is_agreed_to_in_part_and_counted(by_hand, discovered):
    good, bad = (
        records_2_4(by_hand, discovered, hidden=hidden, ways=(PRINTED,)) for hidden in (1, 3)
    )

    claim = fig_2_4.claims([*good, *bad[:1]])[0]

    assert claim.agrees == "partly"
    assert claim.ours == "[2,1,1] in 2, [2,3,1] in 1 of 3 seeds"


def test_what_no_seed_by_hand_has_come_to_is_not_judged(by_hand, discovered):
    claims = fig_2_4.claims(records_2_4(by_hand, discovered, hidden=2))

    assert not any("cosh" in claim.claim or "machine precision" in claim.claim for claim in claims)


@pytest.mark.parametrize(
    ("hidden", "ways", "headline"),
    [
        (1, WAYS, "2 of 2 seeds come to the formula; seed 0"),
        (2, WAYS, "0 of 2 seeds come to the formula; seed 0"),
        (1, (PRINTED,), "2 of 2 seeds come to the formula; seed 0"),
        (1, (DISCOVER,), "kr.discover: 2 of 2 seeds come to the formula; seed 0"),
    ],
)
def test_fig_2_4_is_drawn_from_whatever_ways_there_are(by_hand, discovered, hidden, ways, headline):
    with style():
        picture = fig_2_4.draw(
            json.loads(json.dumps(records_2_4(by_hand, discovered, hidden=hidden, ways=ways)))
        )

    assert headline in " ".join(text.get_text() for part in picture.subfigs for text in part.texts)
    texts = [text.get_text() for ax in picture.axes for text in ax.texts]
    assert any("3.14" in text for text in texts)
    assert any("pruning leaves [2,2,1]" in text for text in texts) == (hidden == 2)


def test_the_seed_that_comes_to_the_formula_is_shown(by_hand, discovered):
    records = records_2_4(by_hand, discovered)
    records[0] = records_2_4(by_hand, discovered, hidden=3)[0]

    with style():
        picture = fig_2_4.draw(records)

    headlines = [text.get_text() for part in picture.subfigs for text in part.texts]
    assert headlines == [
        "By hand, as in the paper: 1 of 2 seeds come to the formula; seed 1",
        "kr.discover: 2 of 2 seeds come to the formula; seed 1",
    ]


def test_the_quick_run_of_fig_2_4_is_part_of_the_full_one():
    quick, full = (fig_2_4.configs(which, None) for which in (False, True))

    assert all(config in full for config in quick)
    assert {
        way: sum(five_steps.way_of(config) is way for config in full) for way in WAYS
    } == dict.fromkeys(WAYS, 20)
    assert {five_steps.way_of(config) for config in quick}.isdisjoint({DOCUMENTED, LONGER})
    assert sum(map(fig_2_4.cost, quick)) < 20.0
    assert sum(map(fig_2_4.cost, full)) < 300.0


@pytest.mark.parametrize("way", BY_HAND, ids=lambda way: way.label)
def test_the_label_of_a_way_by_hand_states_the_iterations_that_it_runs(way):
    assert way.label.endswith(f", {five_steps.config_of(way, 0)['n_steps']} iterations")


# --- figure C.1


def test_an_edge_is_active_above_the_threshold_and_a_node_with_one_on_both_sides():
    lower = [[0.5, 0.0], [0.02, 0.02], [0.0, 0.009], [0.3, 0.0], [0.0, 0.0]]
    record = {"results": {"scores": [lower, [[0.2, 0.01, 0.4, 0.3, 0.5]]]}}

    assert hyperparameters.active_edges(record) == 4 + 4
    assert hyperparameters.active_nodes(record) == 2


def test_a_run_of_fig_c_1_repeats_itself_and_is_plain_data():
    config = hyperparameters.config_of(1, {"n_train": 100, "n_test": 50, "n_steps": 5})

    first, second = (fig_c_1.run(config) for _ in range(2))

    assert first == second == json.loads(json.dumps(first))
    assert [np.shape(layer) for layer in first["scores"]] == [(5, 2), (1, 5)]
    assert first["n_steps"] == 5
    assert first["spread"] == pytest.approx(1.2, abs=0.5)


def test_scores_are_those_of_the_network_that_is_stored():
    config = hyperparameters.config_of(0, {"n_train": 100, "n_test": 50, "n_steps": 5})
    results = fig_c_1.run(config)
    x = kr.sample("exp_sin", n_train=100, n_test=50, rng=np.random.default_rng(0)).x_train

    for scores, again in zip(
        results["scores"], kr.edge_scores(restored(results["network"]), x), strict=True
    ):
        np.testing.assert_allclose(scores, again, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    ["penalty_weight", "l1_weight", "entropy_weight", "n_intervals", "degree", "n_steps", "seed"],
)
def test_every_setting_of_fig_c_1_is_used(name):
    base = hyperparameters.config_of(3, {"n_train": 60, "n_test": 20, "n_steps": 4})

    assert fig_c_1.run({**base, name: base[name] + 1}) != fig_c_1.run(base)


def test_networks_are_stored_of_the_seeds_that_are_drawn_alone():
    few = {"n_train": 60, "n_test": 20, "n_steps": 1}

    kept = [
        fig_c_1.run(hyperparameters.config_of(seed, few))["network"] is not None
        for seed in range(5)
    ]

    assert kept == [True, True, True, False, False]


def test_the_quick_run_of_fig_c_1_is_part_of_the_full_one_and_has_what_is_drawn():
    quick, full = (fig_c_1.configs(which, None) for which in (False, True))

    assert all(config in full for config in quick)
    assert all(
        hyperparameters.config_of(seed, {}) in quick for seed in range(hyperparameters.DRAWN)
    )
    for row in hyperparameters.ROWS:
        assert set(row.drawn) <= set(row.values)
        assert all(config in quick for config in row.configs(0, full=False))
    assert sum(map(fig_c_1.cost, quick)) < 20.0
    assert sum(map(fig_c_1.cost, full)) < 300.0


def made_up_c_1(edges):
    """Networks with edges(config) active edges, as many hidden nodes as a third of them."""
    network = stored(
        kr.init_network(
            (2, 5, 1), n_intervals=2, degree=1, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
        )
    )
    records = []
    for config in fig_c_1.configs(True, 3):
        upper = max(1, round(edges(config) / 3))
        lower = edges(config) - upper
        first = np.zeros(10)
        first[np.r_[0:10:2, 1:10:2][:lower]] = 0.5
        scores = [first.reshape(5, 2).tolist(), [[0.5] * upper + [0.001] * (5 - upper)]]
        results = {
            "scores": scores,
            "train_rmse": 0.1,
            "test_rmse": 0.1,
            "spread": 1.2,
            "n_steps": 400,
            "network": network,
        }
        records.append(record_of(config, results))
    return records


def as_in_the_paper(config):
    """Few edges with the entropy, a large lambda, a fine grid; a little less or more with the seed."""
    if config["penalty_weight"] == 0.0:
        return 15
    if config["entropy_weight"] == 0.0 or config["n_intervals"] == 1:
        return 12
    weights = {0.01: 6, 0.1: 5, 1.0: 4}
    return weights[config["penalty_weight"]] + config["seed"] - 1


def test_claims_about_fig_c_1_say_yes_to_what_the_paper_saw():
    claims = fig_c_1.claims(made_up_c_1(as_in_the_paper))

    assert [claim.claim[0] for claim in claims] == ["a", "a", "b", "c", "d", "e"]
    assert {claim.agrees for claim in claims} == {"yes"}


def test_claims_about_fig_c_1_say_no_where_nothing_depends_on_anything():
    claims = fig_c_1.claims(made_up_c_1(lambda config: 6))

    assert {claim.claim[0]: claim.agrees for claim in claims} == dict.fromkeys("abcde", "no")


@pytest.mark.parametrize(
    ("edges", "letter", "words"),
    [
        (lambda config: 12 if config["entropy_weight"] != 2.0 else 6, "a", ["partly", "partly"]),
        (lambda config: 3 + int(config["penalty_weight"] == 0.0), "c", ["partly"]),
        (lambda config: 12 if config["n_intervals"] in (1, 20) else 6, "d", ["partly"]),
        (lambda config: 6 + 3 * (config["degree"] == 2) + config["seed"] % 2, "e", ["no"]),
    ],
)
def test_claims_about_fig_c_1_say_partly_to_a_part(edges, letter, words):
    assert [
        claim.agrees for claim in fig_c_1.claims(made_up_c_1(edges)) if claim.claim[0] == letter
    ] == words


def test_claims_count_each_value_over_its_seeds():
    claims = fig_c_1.claims(made_up_c_1(as_in_the_paper))

    assert (
        claims[0].ours
        == "active edges at mu_2 = 0: 12 (12 to 12); mu_2 = 2: 6 (5 to 7); mu_2 = 10: 6 (5 to 7)"
    )
    assert [claim.claim[-15:] for claim in claims[:2]] == ["(lambda = 0.01)", " (lambda = 0.1)"]
    assert claims[2].ours == "3 different counts of active edges in 3 seeds: 6 (5 to 7)"
    assert claims[3].ours.startswith(
        "active edges at lambda = 0: 15 (15 to 15); lambda = 0.01: 6 (5 to 7); lambda = 0.1"
    )


def test_fig_c_1_shows_three_networks_a_row_and_every_seed():
    records = json.loads(json.dumps(made_up_c_1(as_in_the_paper)))

    with style():
        picture = fig_c_1.draw(records)

    diagrams = [ax for ax in picture.axes if not ax.axison]
    assert len(diagrams) == 3 * len(hyperparameters.ROWS)
    assert all(any("$f$" in text.get_text() for text in ax.texts) for ax in diagrams)
    titles = [ax.get_title() for ax in diagrams]
    assert titles[:4] == [
        "$\\mu_2 = 0$: 12 active\ntest RMSE 0.1",
        "$\\mu_2 = 2$: 5 active\ntest RMSE 0.1",
        "$\\mu_2 = 10$: 5 active\ntest RMSE 0.1",
        "seed 0: 5 active\ntest RMSE 0.1",
    ]
    counts = {ax.get_xlabel(): ax for ax in picture.axes if ax.axison}
    assert list(counts) == ["$\\mu_2$", "seed", "$\\lambda$", "$G$", "$k$"]
    dots = [line for line in counts["$G$"].lines if line.get_marker() == "o"]
    assert len(dots) == 5
    assert dots[0].get_ydata().tolist() == [12, 12, 12]
    assert len([line for line in counts["$\\mu_2$"].lines if line.get_marker() == "o"]) == 6
    legend = counts["$\\mu_2$"].get_legend().get_window_extent()
    assert counts["$\\mu_2$"].bbox.x0 < legend.x0 < legend.x1 < counts["$\\mu_2$"].bbox.x1


def test_both_figures_can_be_drawn_from_a_few_seeds_of_the_base():
    records = [
        record
        for record in made_up_c_1(as_in_the_paper)
        if record["config"] == hyperparameters.config_of(record["seed"], {})
    ]

    with style():
        assert fig_c_1.draw(records[:1]).axes
    assert [claim.claim[0] for claim in fig_c_1.claims(records)] == ["b"]
    assert fig_c_1.claims(records[:1]) == []


def test_records_of_both_figures_can_be_written(tmp_path, by_hand):
    for figure, results in (
        (fig_2_4, by_hand),
        (fig_c_1, made_up_c_1(as_in_the_paper)[0]["results"]),
    ):
        config = figure.configs(False, None)[0]
        path = record_path(tmp_path, figure, config)
        write_record(path, record_bytes({**record_of(config, results), "figure": figure.NAME}))

        assert read_record(path, figure)["results"] == results
