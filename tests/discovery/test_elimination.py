"""The smallest structure that the error allows: rules by hand, the hello world, several outputs, noise, invalid arguments."""

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.discovery.elimination import choose, output_factors, run_elimination
from kan_ref.discovery.residual_tests import SUSPECTED, class_structure
from kan_ref.discovery.simplification import remove_spare_edges, simplify
from kan_ref.discovery.trials import (
    VALIDATION_SHARE,
    ArchitectureTrial,
    ClassRule,
    PairedRule,
    RatioRule,
    Search,
    fitted,
    training_method,
)
from kan_ref.training import hold_out, spread_order


def start(data, widths, seed=0):
    rng = np.random.default_rng(seed)
    return kr.init_network(widths, n_intervals=5, degree=3, domain=(-1.1, 1.1), rng=rng)


def made(f, n_inputs, *, n=250, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.0, 1.0, (n, n_inputs))
    x_test = rng.uniform(-1.0, 1.0, (n, n_inputs))
    y = f(x)
    return kr.Data(x, y + noise * rng.standard_normal(y.shape), x_test, f(x_test))


def trial(network, error, *, falling=False):
    return ArchitectureTrial("by hand", network, error, falling)


@pytest.fixture(scope="module")
def hello():
    """exp(sin(pi x) + y^2) from [2, 3, 1], and every trial."""
    data = kr.sample("exp_sin", n_train=600, n_test=100, rng=np.random.default_rng(1))
    network, trials = start(data, (2, 3, 1)), []
    found = kr.eliminate(network, data, rng=np.random.default_rng(2), callback=trials.append)
    return network, data, found, trials


# --- rules by hand


def test_a_fifth_of_the_training_samples_is_set_aside_and_test_data_are_not_there():
    data = made(lambda x: x[:, :1], 1, n=11)

    part = hold_out(data, VALIDATION_SHARE)

    rows = [data.x_train.tolist().index(row) for row in part.x_test.tolist()]
    assert rows == sorted(rows)
    assert len(rows) == 2
    np.testing.assert_array_equal(part.y_test, data.y_train[rows])
    np.testing.assert_array_equal(part.x_train, np.delete(data.x_train, rows, axis=0))
    assert not np.isin(part.x_train, data.x_test).any()


@for_all("n_groups", [*range(2, 31), 34, 42, 55, 60])
@for_all("size", [5, 8, 20])
def test_of_groups_that_take_turns_none_is_held_out_whole(n_groups, size):
    """Five stations in turn, or a grid: every fifth sample would be one station."""
    turn = np.arange(size * n_groups) % n_groups
    x = np.linspace(-1.0, 1.0, len(turn))[:, None]

    part = hold_out(kr.Data(x, turn[:, None], x, turn[:, None]), VALIDATION_SHARE)

    kept = np.bincount(part.y_train[:, 0].astype(int), minlength=n_groups)
    assert kept.min() >= (1 if size == 5 else 0.35 * size)
    assert len(part.x_test) == len(turn) // 5
    assert np.abs(np.diff(part.x_test[:, 0])).max() <= 14.001 * (x[1] - x[0])[0]
    assert sorted(spread_order(len(turn)).tolist()) == list(range(len(turn)))


def test_the_last_structure_within_the_allowance_is_chosen():
    network = start(None, (1, 1))
    path = [(trial(network, error), network) for error in (1.2, 1.0, 1.4, 1.6, 3.0)]

    chosen = choose(path, RatioRule(1.5))[0]
    assert chosen.validation_rmse == 1.4
    assert repr(chosen) == "by hand: [1, 1], validation_rmse 1.40e+00, kept"
    assert choose(path, RatioRule(1.7))[0].validation_rmse == 1.6
    assert choose(path, RatioRule(1.0))[0].validation_rmse == 1.0


def test_a_structure_whose_error_still_falls_may_be_ten_times_behind():
    network = start(None, (1, 1))
    path = [
        (trial(network, 1.0), network),
        (trial(network, 9.0, falling=True), network),
        (trial(network, 11.0, falling=True), network),
    ]

    assert choose(path, RatioRule(1.5))[0].validation_rmse == 9.0


def paired(squares, *, falling=False):
    """A trial with these squared errors."""
    network, squares = start(None, (1, 1)), np.asarray(squares, dtype=float)
    return ArchitectureTrial(
        "by hand", network, float(np.sqrt(squares.mean())), falling, losses=squares
    )


def test_a_removal_within_the_noise_is_accepted_and_one_beyond_it_is_not():
    rule = PairedRule(tolerance=1e-3, std=1.0)
    noise = np.random.default_rng(0).standard_normal(100)
    reference, shift = (
        paired(noise**2),
        0.3 * np.sign(np.random.default_rng(1).standard_normal(100)),
    )

    assert rule.accepts(paired((noise + 0.01 * shift) ** 2), reference)
    assert not rule.accepts(paired((noise + 2.0 * shift) ** 2), reference)
    assert not rule.accepts(paired(noise**2 + 1e-3), reference)  # 0.05 % larger, on every sample


def test_errors_of_splines_may_rise_by_half_and_rounding_errors_as_they_like():
    rule = PairedRule(tolerance=1e-3, std=2.0)

    def accepts(before, after, **options):
        return rule.accepts(paired([after**2] * 4, **options), paired([before**2] * 4))

    assert accepts(1e-3, 1.4e-3)
    assert not accepts(1e-3, 1.6e-3)
    assert accepts(1e-3, 9e-3, falling=True)
    assert accepts(1e-9, 1e-7)
    assert not accepts(1e-9, 1e-5)
    assert not accepts(0.01, 0.014)  # above the tolerance
    assert accepts(0.02, 0.15, falling=True)
    assert not accepts(0.1, 0.3, falling=True)  # no grid limits an error of this size


def test_the_reference_becomes_the_better_network_where_a_removal_helps():
    rule = PairedRule(tolerance=1e-3, std=1.0)
    old, new = paired([2.0, 2.0]), paired([1.0, 1.0])

    assert rule.reference(old, new) is new
    assert rule.reference(new, old) is new


def test_a_term_above_the_noise_is_kept():
    """The factor 1.5 on errors that contain the noise lost b^2."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (300, 3))
    y = np.sin(3.0 * x[:, :1]) + x[:, 1:2] ** 2 + 0.8 * x[:, 2:]
    data = kr.Data(x, y + 0.2 * rng.standard_normal(y.shape), x, y)

    found = kr.eliminate(start(data, (3, 1, 1)), data, grids=(5,), n_steps=15)

    assert found.network.layers[0].mask.tolist() == [[1.0, 1.0, 1.0]]


def test_an_error_that_is_not_finite_counts_as_infinite():
    data = made(lambda x: x[:, :1], 1, n=10)
    network = kr.fix_symbolic(start(data, (1, 1)), 0, output=0, input=0, name="log")

    assert Search(data, RatioRule(1.5), 5, (5,), 0.0).error(network) == np.inf


# --- what it finds


@pytest.mark.long
def test_the_hello_world_needs_one_hidden_node(hello):
    _, _, found, trials = hello

    assert found.network.widths == (2, 1, 1)
    assert found.validation_rmse < 1e-5
    assert [one.network.widths[1] for one in trials[:3]] == [3, 2, 1]
    assert tuple(trials) == found.steps


@pytest.mark.long
def test_at_one_coarse_grid_the_right_width_looks_worse(hello):
    """Why structures are compared by their refined errors: this is the trap of (D1)."""
    _, data, found, _ = hello
    part = hold_out(data, VALIDATION_SHARE)
    errors = []
    for step in found.steps[:3]:
        coarse = kr.fit(
            kr.init_network(
                step.network.widths,
                n_intervals=5,
                degree=3,
                domain=(-1.1, 1.1),
                rng=np.random.default_rng(3),
            ),
            part,
        )
        errors.append(coarse.history.test_rmse[-1])

    assert errors[2] > 2.0 * min(errors)
    assert found.steps[2].validation_rmse < 2.0 * min(step.validation_rmse for step in found.steps)


@pytest.mark.long
def test_test_data_decide_nothing_and_the_caller_s_network_is_untouched(hello):
    network, data, found, _ = hello
    before = network.theta.tobytes()
    other = kr.Data(data.x_train, data.y_train, data.x_test[:7], 1e6 + data.y_test[:7])

    again = kr.eliminate(network, other, rng=np.random.default_rng(2))

    assert network.theta.tobytes() == before
    assert again.network.theta.tobytes() == found.network.theta.tobytes()


@pytest.mark.long
def test_spare_edges_go_and_needed_ones_stay():
    data = made(lambda x: (np.sin(3.0 * x[:, 0]) * 1.0 + 0.0 * x[:, 1])[:, None], 2)

    found = kr.eliminate(start(data, (2, 2, 1)), data, rng=np.random.default_rng(0))

    assert found.network.widths == (2, 1, 1)
    assert found.network.layers[0].mask.tolist() == [[1.0, 0.0]]
    assert any(
        step.what == "without the edge from 1 to 0 of layer 0" and step.kept for step in found.steps
    )


@pytest.mark.long
def test_without_edges_only_nodes_go():
    data = made(lambda x: np.sin(3.0 * x[:, :1]), 2)

    found = kr.eliminate(start(data, (2, 2, 1)), data, edges=False, rng=np.random.default_rng(0))

    assert found.network.layers[0].mask.all()


@pytest.mark.long
def test_several_outputs_keep_the_nodes_that_each_needs():
    data = made(
        lambda x: np.stack([np.sin(3.0 * (x[:, 0] + x[:, 1])), np.exp(x[:, 0] - x[:, 1])], axis=1),
        2,
        n=500,
    )

    found = kr.eliminate(start(data, (2, 3, 2)), data, edges=False, rng=np.random.default_rng(0))

    assert found.network.widths == (2, 2, 2)


def test_an_output_in_smaller_units_is_learned_as_well_as_the_others():
    def f(x):
        return np.stack([np.sin(2.0 * x[:, 0]), 1e-4 * np.exp(x[:, 1])], axis=1)

    data, trials = made(f, 2, n=60), []
    network = kr.mask_edges(start(data, (2, 2, 2)), 0, np.eye(2))

    found = kr.eliminate(network, data, grids=(5,), n_steps=6, callback=trials.append)
    again = kr.eliminate(found.network, data, edges=False, grids=(5,), n_steps=1)

    for predict in (found.network, trials[0].network, again.network):
        errors = np.std(predict(data.x_train) - data.y_train, axis=0)
        assert (errors < 2e-2 * np.std(data.y_train, axis=0)).all()
    assert tuple(trials) == found.steps


def factors_of(network, y):
    factors, unit = output_factors(network, y)
    return factors.tolist(), unit


def test_factors_are_powers_of_two_which_bring_deviations_near_one():
    y = np.array([[1.0, 1e-3, 1.0 + 2e-16, 0.9, 7.0], [-1.0, -1e-3, 1.0, -1.1, 7.0]])
    network, one = start(None, (1, 5)), start(None, (1, 1))

    assert factors_of(network, y) == ([1.0, 1024.0, 1.0, 1.0, 1.0], 1.0)
    for unit in (2.0**-40, 2.0**90):  # constants have the factor of the largest output
        expected = [unit, 1024.0 * unit, unit, unit, unit]
        assert factors_of(network, y / unit) == (expected, unit)
    assert factors_of(one, 1e-3 * y[:, :1]) == ([1024.0], 1024.0)
    assert factors_of(one, y[:, 4:]) == ([1.0], 1.0)


def test_outputs_with_locked_edges_keep_their_ratio_unless_they_have_one_factor():
    y = np.array([[8.0, 8e-3, 8.8e-3], [-8.0, -8e-3, -8e-3]])
    network = start(None, (1, 3))
    for output in (0, 1, 2):
        network = kr.fix_symbolic(network, 0, output=output, input=0, name="sin")

    different, same = (kr.lock_edges(network, 0, [(1, 0), (output, 0)]) for output in (0, 2))

    assert factors_of(different, y) == ([0.125, 0.125, 0.125], 0.125)
    assert factors_of(same, y) == ([0.125, 128.0, 128.0], 0.125)


def test_a_table_in_other_units_has_the_same_architectures_and_errors_in_its_units():
    def eliminated(unit):
        data = made(lambda x: unit * (np.sin(2.0 * x[:, :1]) + x[:, 1:] ** 2), 2, n=60)
        network = kr.init_network(
            (2, 2, 1),
            n_intervals=3,
            degree=3,
            domain=data.x_train,
            y=data.y_train,
            rng=np.random.default_rng(1),
        )
        return kr.eliminate(network, data, grids=(3, 6), n_steps=4)

    expected = eliminated(1.0)
    for unit in (2.0**-40, 2.0**40):
        found = eliminated(unit)
        assert found.least_rmse == unit * expected.least_rmse
        pairs = list(zip(found.steps, expected.steps, strict=True))
        for step, other in [*pairs, (found, expected)]:
            assert step.validation_rmse == unit * other.validation_rmse
            assert repr(step.network) == repr(other.network)


def test_a_node_that_an_output_needs_is_no_candidate():
    """Output 0 has node 0 alone, output 1 has nodes 1 and 2."""
    data = made(lambda x: np.stack([np.sin(x[:, 0]), x[:, 1] ** 2], axis=1), 2, n=60)
    network = kr.mask_edges(start(data, (2, 3, 2)), 1, np.array([[1, 0, 0], [0, 1, 1]]))

    found = kr.eliminate(network, data, edges=False, grids=(5,), n_steps=2)

    assert [step.network.widths for step in found.steps] == [(2, 3, 2), (2, 2, 2)]
    assert found.steps[1].what in {f"without node {node} of layer 1" for node in (1, 2)}
    np.testing.assert_array_equal(found.steps[1].network.layers[1].mask, np.eye(2))


@for_all(("symbolic", "spare"), [(0, 1), (1, 1), (0, 0), (1, 0)])
def test_a_spare_edge_goes_whether_it_or_its_neighbour_is_symbolic(symbolic, spare):
    data = made(lambda x: np.sin(2.0 * x[:, 1 - spare : 2 - spare]), 2, n=60)
    affine = (2.0, 0.0, float(symbolic != spare), 0.0)
    network = kr.fix_symbolic(
        start(data, (2, 1)), 0, output=0, input=symbolic, name="sin", affine=affine
    )

    found = kr.eliminate(network, data, grids=(5,), n_steps=5)

    (layer,) = found.network.layers
    places = [[edge.output, edge.input] for edge in layer.symbolic]
    assert np.argwhere(layer.mask == 1.0).tolist() + places == [[0, 1 - spare]]


def test_an_edge_that_an_output_needs_is_no_candidate_where_another_one_is_on_no_path():
    """No edge enters hidden node 1."""
    data = made(lambda x: np.sin(x[:, :1]), 2, n=40)
    network = kr.mask_edges(start(data, (2, 2, 2, 1)), 0, np.array([[1, 1], [0, 0]]))
    network = kr.mask_edges(network, 1, np.array([[1, 1], [0, 1]]))
    search = Search(data, RatioRule(1.5), 1, (5,), 0.0)
    reference = search.refined("as it is", network)

    steps = remove_spare_edges(search, reference, network)[1]

    assert "without the edge from 1 to 0 of layer 1" in {step.what for step in steps}
    assert "without the edge from 0 to 0 of layer 1" not in {step.what for step in steps}


@pytest.mark.long
def test_noise_does_not_keep_nodes_alive():
    data = made(lambda x: np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2), 2, noise=1e-2)

    found = kr.eliminate(start(data, (2, 3, 1)), data, rng=np.random.default_rng(0))

    assert found.network.widths == (2, 1, 1)
    assert found.validation_rmse < 1.6e-2


# --- simple layers


@pytest.mark.long
def test_a_product_becomes_squares_of_lines():
    data = made(lambda x: x[:, :1] * x[:, 1:], 2)

    found = kr.eliminate(start(data, (2, 3, 1)), data, simple=True, rng=np.random.default_rng(0))

    names = [[edge.name for edge in layer.symbolic] for layer in found.network.layers]
    assert found.network.widths == (2, 2, 1)
    assert names == [["x"] * 4, ["x^2"] * 2]
    assert found.validation_rmse < 1e-13


@pytest.mark.long
def test_one_hidden_node_is_left_as_it_is(hello):
    _, data, found, _ = hello
    search = Search(
        hold_out(data, VALIDATION_SHARE),
        RatioRule(1.5),
        10,
        (5, 10),
        1e-8,
        np.random.default_rng(0),
    )

    chosen, steps = simplify(search, trial(found.network, found.validation_rmse))

    assert steps == []
    assert chosen.network is found.network


@pytest.mark.long
def test_a_layer_that_cannot_be_lines_is_not_made_lines():
    data = made(lambda x: np.sin(3.0 * x[:, :1] ** 2) + np.abs(x[:, 1:]) * x[:, :1], 2)

    found = kr.eliminate(
        start(data, (2, 2, 1)), data, simple=True, edges=False, rng=np.random.default_rng(0)
    )

    assert not any(step.kept for step in found.steps if "'x'" in step.what)


# --- the door


def test_a_network_without_a_path_is_refused():
    data = made(lambda x: x[:, :1], 2, n=20)
    constant = kr.mask_edges(start(data, (2, 2, 1)), 1, np.zeros((1, 2)))

    with pytest.raises(ValueError, match=r"no path of active edges.* with mask_edges"):
        kr.eliminate(constant, data)


@pytest.mark.long
def test_a_record_says_what_was_tried(hello):
    _, _, found, trials = hello

    assert repr(found).startswith("Elimination(Network([2, 1, 1]")
    assert "architectures tried" in repr(found)
    assert repr(trials[1]).startswith("without node")


# --- classes


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
    least = min(trial.validation_loss for trial in found.steps)
    assert least <= found.validation_loss < 0.5
    assert "validation_loss" in repr(found)


def test_the_losses_of_trials_are_those_of_the_samples_held_out():
    data = labelled(lambda x: 4.0 * x[:, 0], 1, n=60)

    found = kr.eliminate(start(None, (1, 2)), data, loss="cross_entropy", grids=(5,), n_steps=5)

    (one,) = found.steps
    assert len(one.losses) == 12
    np.testing.assert_allclose(one.losses.mean(), one.validation_loss, rtol=1e-12)
    assert one.error == one.validation_loss == found.validation_loss


RNG = np.random.default_rng


# --- classes


def problem(weak, n=400, seed=0):
    """Labels with the logits 3 x + weak y, and networks that compute and miss them."""
    rng = RNG(seed)
    x = rng.uniform(-1.0, 1.0, (n, 2))
    z = 3.0 * x[:, 0] + weak * x[:, 1]
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-z))).astype(np.float64)[:, None]
    right = network_of(weak)
    return kr.Data(x, y, x, y), right, network_of(0.0)


def network_of(weak):
    net = kr.init_network((2, 1), n_intervals=2, degree=3, domain=(-1.0, 1.0), rng=RNG(0))
    net = kr.fix_symbolic(net, 0, output=0, input=0, name="x", affine=(1.0, 0.0, 3.0, 0.0))
    return kr.fix_symbolic(net, 0, output=0, input=1, name="x", affine=(1.0, 0.0, weak, 0.0))


def test_an_architecture_with_suspected_residuals_is_not_accepted_beside_one_without():
    data, right, dropped = problem(2.0)

    def is_suspected(network):
        return bool(class_structure(data, network, "logistic", RNG(0), SUSPECTED))

    rule = ClassRule(1e-3, is_suspected)
    equal = np.full(80, 0.4)  # held-out losses that differ by nothing
    with_input, without = (
        ArchitectureTrial("", net, 0.3, losses=equal, validation_loss=0.4)
        for net in (right, dropped)
    )

    assert is_suspected(dropped)
    assert not is_suspected(right)
    assert not rule.accepts(without, with_input)
    assert rule.accepts(with_input, without)
    assert rule.accepts(without, without)
    assert ClassRule(0.5, is_suspected).accepts(without, with_input)  # next to no loss


def test_when_the_time_is_over_nothing_is_trained_or_removed():
    data = made(lambda x: x[:, :1] * x[:, 1:2], 2)
    network, trials = start(data, (2, 3, 1)), []
    search = Search(
        hold_out(data, VALIDATION_SHARE),
        RatioRule(1.5),
        30,
        (5, 10),
        0.0,
        np.random.default_rng(0),
        trials.append,
        deadline=-np.inf,
    )

    found = run_elimination(search, network, simple=True)

    assert search.is_late
    assert len(found.steps) == len(trials) == 1
    np.testing.assert_array_equal(found.network.theta, network.theta)


@for_all(
    ("n_edges", "loss", "method"),
    [
        (200, "mse", {"optimizer": kr.LM(scaled=False), "n_steps": 30}),
        (201, "mse", {"optimizer": kr.LBFGS(scaled=False), "n_steps": 150}),
        (201, "logistic", {"optimizer": None, "n_steps": 30}),
    ],
)
def test_networks_with_more_than_200_edges_are_trained_by_lbfgs(n_edges, loss, method):
    assert training_method(n_edges, 30, loss) == method


def test_the_edges_of_a_network_choose_its_optimizer(monkeypatch):
    used = []
    data = made(lambda x: x[:, :1], 20, n=30)

    def run(network, data, *, optimizer, **options):
        used.append(optimizer)
        return kr.fit(network, data, n_steps=0)

    monkeypatch.setattr("kan_ref.discovery.trials.fit", run)
    for width in (9, 10):
        fitted(start(data, (20, width, 1)), data, n_steps=1)

    assert used == [kr.LM(scaled=False), kr.LBFGS(scaled=False)]  # 189 and 210 edges


def test_grids_that_are_coarser_than_the_networks_are_left_out():
    data = made(lambda x: x[:, :1] + x[:, 1:2], 2)
    network = start(data, (2, 1, 1))

    found = kr.eliminate(network, data, edges=False, n_steps=3, grids=(3,))

    assert found.network.layers[0].n_intervals == network.layers[0].n_intervals == 5


def test_whole_layers_of_lines_and_of_squares_are_tried_and_kept_where_they_are_acceptable():
    """x y is a difference of squares of lines, (D6)."""
    data = made(lambda x: x[:, :1] * x[:, 1:], 2, n=60)
    search = Search(data, RatioRule(1.5), 20, (3,), 0.0, rng=np.random.default_rng(0))
    splines = start(data, (2, 2, 1))

    chosen, steps = simplify(search, trial(splines, 1e-3))

    assert [step.what.split("edges of ")[1] for step in steps] == ["layer 0 'x'", "layer 1 'x^2'"]
    assert steps[-1].kept
    assert chosen is steps[-1]
    assert chosen.error < 1e-12
    assert [edge.name for edge in chosen.network.layers[1].symbolic] == ["x^2", "x^2"]
