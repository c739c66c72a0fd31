"""The objective as optimizers see it, the choice of the optimizer, and mini-batches.

An objective has value and gradient, or residuals and Jacobian, of the part of theta that moves. Mini-batches take every sample once an
epoch, in an order that the seed decides.
"""

from itertools import chain, combinations
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from networks import SPLINE_ARRAYS, data_objective, network_cases, random_batch, random_network
from oracles_training import bits, mean_square, prediction_rows, smoothness

import kan_ref as kr
from kan_ref.network.layer import PARAMETER_NAMES
from kan_ref.network.refinement import place_hidden_grids
from kan_ref.numerics.differences import central_difference
from kan_ref.numerics.row_sparse import dense_form, multiply_transposed, shape
from kan_ref.training import one_grid
from kan_ref.training.data_goal import MSE, DataGoal, check_penalty
from kan_ref.training.fit_arguments import OPTIMIZER_NAMES, on_batches
from kan_ref.training.penalties import Smoothness
from kan_ref.training.settings import read_settings
from kan_ref.training.variables import trainable_places

SUBSETS = [names for n in (1, 2, 3) for names in combinations(SPLINE_ARRAYS, n)]
weights = st.sampled_from([0.0, 1e-8, 0.3, 1e4])


def example(seed=0, *, weight=0.3, trainable=SPLINE_ARRAYS, kind="uneven", degrees=(2, 3)):
    rng = np.random.default_rng(seed)
    network = random_network(rng, widths=(2, 3, 2), degrees=degrees, kind=kind)
    x = random_batch(rng, network.layers[0], 9)
    y = rng.normal(size=(9, 2))
    return (
        network,
        x,
        y,
        data_objective(network, x, y, smoothness_weight=weight, trainable=trainable),
    )


# --- the four functions agree with the definition and with one another


@pytest.mark.parametrize("weight", [0.0, 1e-8, 0.3, 1e4])
def test_the_value_is_the_mean_square_plus_the_weighted_smoothness(weight):
    network, x, y, objective = example(weight=weight)

    value, _ = objective.value_and_grad(objective.start())

    assert value == pytest.approx(
        mean_square(network(x), y) + weight * smoothness(network), rel=1e-11
    )


@given(network_cases(), weights)
def test_the_squares_of_the_residuals_sum_to_the_value(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    residuals = objective.residuals(objective.start())

    assert residuals @ residuals == pytest.approx(
        objective.value_and_grad(objective.start())[0], rel=1e-13
    )


@given(network_cases(), weights)
def test_the_gradient_is_twice_the_transposed_jacobian_times_the_residuals(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    _, gradient = objective.value_and_grad(objective.start())
    residuals, jacobian = objective.linearize(objective.start())

    scale = np.abs(dense_form(jacobian)).T @ np.abs(residuals)
    difference = np.abs(2.0 * multiply_transposed(jacobian, residuals) - gradient)
    np.testing.assert_array_less(difference, 1e-12 * (scale + np.abs(gradient).max()) + 1e-300)


@given(network_cases(), weights)
def test_linearize_has_the_residuals_of_residuals_bit_for_bit(case, weight):
    """An optimizer compares the two: a difference of rounding would look like progress."""
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )

    residuals, jacobian = objective.linearize(objective.start())

    np.testing.assert_array_equal(residuals, objective.residuals(objective.start()))
    assert shape(jacobian) == (residuals.size, network.n_params)


@given(network_cases(degrees=range(2, 6)), weights)
def test_the_gradient_is_the_derivative_along_any_direction(case, weight):
    network, x, rng = case
    objective = data_objective(
        network, x, rng.normal(size=(len(x), network.widths[-1])), smoothness_weight=weight
    )
    theta, direction = objective.start(), rng.normal(size=network.n_params)

    value, gradient = objective.value_and_grad(theta)
    slope = central_difference(lambda t: objective.value_and_grad(theta + t * direction)[0], 1e-6)

    beside = objective.value_and_grad(theta + direction)[0]
    assert abs(gradient @ direction - slope) <= 1e-7 * (
        np.abs(gradient * direction).sum() + value + beside
    )


def test_the_jacobian_is_that_of_predictions_then_of_jumps():
    network, x, y, objective = example(weight=0.25)

    residuals, jacobian = objective.linearize(objective.start())
    dense = dense_form(jacobian)

    n = y.size
    np.testing.assert_allclose(
        dense[:n], prediction_rows(network, x) / np.sqrt(n), rtol=1e-9, atol=1e-11
    )
    np.testing.assert_allclose(residuals[:n], (network(x) - y).reshape(-1) / np.sqrt(n), rtol=1e-14)
    np.testing.assert_allclose(
        residuals[n:], 0.5 * Smoothness.of(network, 1.0).residuals(network), rtol=1e-14
    )
    assert len(residuals) > n


def test_without_a_weight_there_are_no_residuals_but_the_data_s():
    network, _, y, objective = example(weight=0.0)

    residuals, jacobian = objective.linearize(objective.start())

    assert len(residuals) == y.size
    assert shape(jacobian) == (y.size, network.n_params)
    assert objective.added(network) == 0.0


def test_the_penalty_is_what_the_value_has_beside_the_mean_square():
    network, x, y, objective = example(weight=0.3)

    value, _ = objective.value_and_grad(objective.start())

    assert objective.added(network) == pytest.approx(value - mean_square(network(x), y), rel=1e-12)
    assert objective.added(network) > 0.1 * value


# --- the part that moves


@pytest.mark.parametrize("names", SUBSETS)
def test_a_subset_has_the_entries_of_the_whole_gradient_and_jacobian(names):
    network, x, y, whole = example()
    part = data_objective(network, x, y, smoothness_weight=0.3, trainable=names)
    chosen = np.concatenate(
        [
            np.full(getattr(layer, name).size, name in names)
            for layer in network.layers
            for name in ("coef", "w_base", "w_spline")
        ]
    )

    value, gradient = whole.value_and_grad(whole.start())
    part_value, part_gradient = part.value_and_grad(part.start())
    residuals, jacobian = whole.linearize(whole.start())
    part_residuals, part_jacobian = part.linearize(part.start())

    assert part_value == value
    np.testing.assert_array_equal(part.start(), network.theta[chosen])
    np.testing.assert_array_equal(part_gradient, gradient[chosen])
    np.testing.assert_array_equal(part_residuals, residuals)
    np.testing.assert_array_equal(dense_form(part_jacobian), dense_form(jacobian)[:, chosen])


@pytest.mark.parametrize("names", SUBSETS)
def test_moving_a_subset_leaves_the_other_parameters_as_they_are(names):
    network, _, _, objective = example(trainable=names)

    moved = objective.model_at(objective.start() + 1.0)

    for old, new in zip(network.layers, moved.layers, strict=True):
        for name in SPLINE_ARRAYS:
            step = 1.0 if name in names else 0.0
            np.testing.assert_array_equal(getattr(new, name), getattr(old, name) + step)


def test_all_names_in_any_order_are_the_whole():
    network, x, y, whole = example()
    other = data_objective(
        network, x, y, smoothness_weight=0.3, trainable=("w_spline", "coef", "w_base")
    )

    assert trainable_places(network, ("w_spline", "coef", "w_base")) is None
    np.testing.assert_array_equal(
        other.value_and_grad(other.start())[1], whole.value_and_grad(whole.start())[1]
    )


@pytest.mark.parametrize("names", [SPLINE_ARRAYS, ("coef",)])
def test_an_optimizer_keeps_its_vector(names):
    """The network must not see a later change of the vector it was made from, nor lock it."""
    _, _, _, objective = example(trainable=names)
    theta = objective.start()

    network = objective.model_at(theta)
    before = bits(network)
    theta += 1.0

    assert bits(network) == before
    assert not np.shares_memory(objective.start(), objective.model.theta)


@pytest.mark.parametrize(
    ("names", "view", "shared"),
    [(SPLINE_ARRAYS, False, True), (SPLINE_ARRAYS, True, False), (("coef",), False, False)],
    ids=["all", "a view", "some"],
)
def test_only_a_vector_that_nobody_can_change_is_taken_without_a_copy(names, view, shared):
    _, _, _, objective = example(trainable=names)
    owner = objective.start()
    theta = owner.view() if view else owner
    theta.flags.writeable = False

    network = objective.model_at(theta)

    assert np.shares_memory(network.theta, owner) is shared
    assert objective.evaluated_model(theta) is network
    assert objective.evaluated_model(theta.copy()) is network
    assert objective.evaluated_model(theta + 1.0) is not network


@pytest.mark.parametrize("names", [SPLINE_ARRAYS, ("coef", "w_base")])
def test_the_network_at_the_start_is_the_network(names):
    network, _, _, objective = example(trainable=names)

    assert bits(objective.model_at(objective.start())) == bits(network)


@pytest.mark.parametrize("function", ["value_and_grad", "residuals", "linearize"])
def test_evaluating_changes_nothing(function):
    network, _, _, objective = example()
    before, theta = bits(network), objective.start() + 0.5

    getattr(objective, function)(theta)

    assert bits(network) == before
    np.testing.assert_array_equal(theta, network.theta + 0.5)


# --- doors


def test_inputs_evaluated_before_serve_as_well():
    network, x, y, objective = example()
    shared = data_objective(network, x, y, smoothness_weight=0.3, inputs=network.prepare(x))

    np.testing.assert_array_equal(
        shared.residuals(shared.start()), objective.residuals(objective.start())
    )


def test_the_public_value_and_gradient_are_those_of_the_objective():
    network, x, y, objective = example(weight=0.3)

    value, gradient = kr.value_and_grad(network, x.tolist(), y.tolist(), smoothness_weight=0.3)

    expected_value, expected_gradient = objective.value_and_grad(objective.start())
    assert value == expected_value
    np.testing.assert_array_equal(gradient, expected_gradient)


def test_the_public_loss_is_by_default_the_mean_square_alone():
    network, x, y, _ = example()

    assert kr.value_and_grad(network, x, y)[0] == pytest.approx(
        mean_square(network(x), y), rel=1e-13
    )


def test_an_objective_prints_sizes_and_no_numbers():
    _, _, _, objective = example(trainable=("w_base",))

    assert (
        repr(objective)
        == f"Objective({objective.model!r}, mse, 9 samples, 12 trainable parameters)"
    )


def test_a_loss_of_an_mlp_beyond_float64_has_the_remedy():
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=np.random.default_rng(0))

    with pytest.raises(ValueError, match=r"the loss or its gradient lies beyond float64.*: scale"):
        kr.value_and_grad(mlp, np.zeros((4, 2)), np.full((4, 1), 1e200))


# --- the choice

NETWORK = random_network(np.random.default_rng(0), widths=(2, 3, 1), degrees=(3,), dead=0.0)


def settings_of(name, loss="mse", penalty=None):
    """The settings of `fit` for an optimizer's name."""
    return read_settings(
        NETWORK,
        optimizer=name,
        n_steps=0,
        loss=loss,
        penalty=penalty,
        smoothness_weight=0.0,
        update_grids=False,
        trainable=PARAMETER_NAMES,
        precondition="auto",
        learning_rate=None,
        batch_size=None,
        rng=None,
    )


PENALTY = check_penalty("paper", 1.0, 1.0, 1.0)


def test_least_squares_is_taken_where_there_are_residuals_and_lbfgs_elsewhere():
    assert settings_of(None).optimizer == "lm"
    assert settings_of(None, penalty=PENALTY).optimizer == "lbfgs"
    assert settings_of(None, loss="logistic").optimizer == "lbfgs"


@pytest.mark.parametrize("name", OPTIMIZER_NAMES)
def test_an_optimizer_asked_for_is_taken(name):
    assert settings_of(name).optimizer == name


@pytest.mark.parametrize(
    ("loss", "sentence"),
    [
        (
            "cross_entropy",
            "optimizer is 'lm', but loss 'cross_entropy' is not a sum of squares: take 'lbfgs'",
        ),
        (
            "logistic",
            "optimizer is 'lm', but loss 'logistic' is not a sum of squares: take 'lbfgs'",
        ),
        (
            "mse",
            "optimizer is 'lm', but with an L1 or entropy penalty the objective is not a sum of squares: take 'lbfgs'",
        ),
    ],
)
def test_least_squares_without_residuals_is_refused_with_its_reason(loss, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        settings_of("lm", loss, PENALTY if loss == "mse" else None)


@pytest.mark.parametrize("kind", ["penalty", "loss"])
def test_an_objective_without_residuals_says_so_when_asked_for_them(kind):
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(2, 2), degrees=(3,))
    x = random_batch(rng, network.layers[0], 4)
    settings = (
        {"penalty": check_penalty("paper", 1.0, 1.0, 1.0)}
        if kind == "penalty"
        else {"loss": "logistic"}
    )
    objective = data_objective(network, x, np.zeros((4, 2)), **settings)

    for ask in (objective.residuals, objective.linearize):
        with pytest.raises(ValueError, match="has no residuals"):
            ask(objective.start())


@pytest.mark.parametrize("name", OPTIMIZER_NAMES)
def test_every_optimizer_makes_the_objective_smaller(name):
    rng = np.random.default_rng(0)
    network = random_network(rng, widths=(2, 3, 1), degrees=(3,), dead=0.0)
    x = random_batch(rng, network.layers[0], 20)
    objective = data_objective(network, x, np.sin(x[:, :1]))
    steps = []

    result = settings_of(name).run(objective, 15, lambda iterate: steps.append(iterate.step))

    assert result.value < 0.9 * objective.value_and_grad(objective.start())[0]
    assert steps == list(range(1, result.n_steps + 1))


# --- mini-batches


def drawn_batches(n_samples, batch_size, n_calls, seed=0):
    """The places that a solver's function asks an objective for, call by call."""
    asked = []

    def on_samples(chosen):
        asked.append(chosen.tolist())
        return SimpleNamespace(value_and_grad=lambda theta: (float(len(chosen)), theta))

    goal = SimpleNamespace(x=np.zeros((n_samples, 1)))
    objective = SimpleNamespace(goal=goal, model=None, on_samples=on_samples)
    function = on_batches(objective, batch_size, np.random.default_rng(seed))
    values = [function(np.ones(2))[0] for _ in range(n_calls)]
    assert values == [len(chosen) for chosen in asked]
    return asked


@given(st.integers(1, 12), st.integers(1, 15))
def test_every_sample_is_seen_once_an_epoch(n_samples, batch_size):
    n_batches = -(-n_samples // batch_size)

    asked = drawn_batches(n_samples, batch_size, 3 * n_batches)

    for epoch in range(3):
        seen = asked[epoch * n_batches : (epoch + 1) * n_batches]
        assert sorted(chain.from_iterable(seen)) == list(range(n_samples))


def test_batches_are_full_but_the_last_of_an_epoch():
    assert [len(chosen) for chosen in drawn_batches(10, 4, 6)] == [4, 4, 2, 4, 4, 2]


def test_epochs_differ_in_their_order():
    asked = drawn_batches(30, 30, 2)

    assert asked[0] != asked[1]
    assert asked[0] != list(range(30))


def test_the_seed_decides_the_batches():
    assert (
        drawn_batches(10, 3, 8, seed=1)
        == drawn_batches(10, 3, 8, seed=1)
        != drawn_batches(10, 3, 8, seed=2)
    )


def test_batches_without_a_generator_are_refused():
    x = np.zeros((4, 2))
    data = kr.Data(x, x[:, :1], x, x[:, :1])

    with pytest.raises(TypeError, match=r"rng is None, but must be a numpy\.random\.Generator"):
        kr.fit(NETWORK, data, optimizer="adam", batch_size=2)


def test_mini_batches_share_the_memory_of_their_goal():
    rng = np.random.default_rng(1)
    network = random_network(rng, widths=(2, 3, 3, 1), degrees=(3,))
    whole = DataGoal(MSE, random_batch(rng, network.layers[0], 9), rng.normal(size=(9, 1)))

    first = whole.on_samples(network, np.array([0, 4]))
    first.value_and_grad(network)
    kept = [dict(workspace.arrays) for workspace in first.workspaces]
    second = whole.on_samples(network, np.array([3, 1]))
    second.value_and_grad(network)

    assert len(kept) == 3
    for before, workspace in zip(kept, second.workspaces, strict=True):
        assert before.keys() == workspace.arrays.keys() != set()
        assert all(workspace.arrays[name] is array for name, array in before.items())


@pytest.mark.parametrize(("widths", "gathered"), [((2, 3, 1), False), ((2, 1), True)])
def test_parts_of_prepared_samples_leave_these_as_they_are(widths, gathered):
    rng = np.random.default_rng(1)
    network = kr.init_network(widths, n_intervals=5, degree=3, domain=(-1, 1), rng=rng)
    whole = DataGoal(MSE, rng.uniform(-1.0, 1.0, (9, 2)), rng.normal(size=(9, 1)))
    whole = whole.prepare(network)
    before = whole.value_and_grad(network)

    for some in (slice(3), slice(3, 9)):
        whole.on_samples(network, some).value_and_grad(network)

    assert network.layers[0].gathered is gathered
    after = whole.value_and_grad(network)
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


@pytest.mark.parametrize("kind", ["paper", "pykan", "pykan-0.0", "coef"])
def test_the_objective_on_some_samples_is_that_of_a_batch_of_them(kind):
    rng = np.random.default_rng(1)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,))
    x, y, chosen = (
        random_batch(rng, network.layers[0], 9),
        rng.normal(size=(9, 2)),
        np.array([7, 2, 5]),
    )
    objective = data_objective(
        network, x, y, penalty=check_penalty(kind, 0.3, 1.0, 2.0), smoothness_weight=0.1
    )

    value, gradient = objective.on_samples(chosen).value_and_grad(network.theta)
    expected = kr.value_and_grad(
        network,
        x[chosen],
        y[chosen],
        penalty=kind,
        penalty_weight=0.3,
        entropy_weight=2.0,
        smoothness_weight=0.1,
    )

    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def test_the_gradients_of_an_epoch_of_equal_batches_average_to_that_of_all_samples():
    rng = np.random.default_rng(2)
    network = random_network(rng, widths=(2, 3, 2), degrees=(3,))
    x, y = random_batch(rng, network.layers[0], 12), rng.normal(size=(12, 2))
    objective = data_objective(network, x, y)
    function = on_batches(objective, 4, rng)

    parts = [function(network.theta) for _ in range(3)]

    value, gradient = objective.value_and_grad(network.theta)
    assert np.mean([part[0] for part in parts]) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(
        np.mean([part[1] for part in parts], axis=0), gradient, rtol=1e-10, atol=1e-13
    )


def test_batches_of_an_mlp_are_drawn_alike():
    rng = np.random.default_rng(3)
    mlp = kr.init_mlp((2, 3, 1), activation="tanh", rng=rng)
    x, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))

    value, gradient = (
        data_objective(mlp, x, y).on_samples(np.array([4, 1])).value_and_grad(mlp.theta)
    )

    expected = kr.value_and_grad(mlp, x[[4, 1]], y[[4, 1]])
    assert value == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


# --- through fit


def problem(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.9, 0.9, (20, 2))
    network = kr.init_network((2, 2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    return network, kr.Data(x, x[:, :1] * x[:, 1:], x, x[:, :1] * x[:, 1:])


def test_fit_by_mini_batches_is_the_same_bits_for_the_same_seed():
    network, data = problem()

    first, again, other = (
        kr.fit(
            network,
            data,
            optimizer="adam",
            batch_size=6,
            n_steps=9,
            rng=np.random.default_rng(seed),
        ).network.theta
        for seed in (1, 1, 2)
    )

    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_with_mini_batches_grids_move_by_a_part_of_the_samples_and_at_last_by_all(monkeypatch):
    network, data = problem()
    sizes = []

    def place(network, x, **options):
        sizes.append(len(x))
        return place_hidden_grids(network, x, **options)

    monkeypatch.setattr(one_grid, "place_hidden_grids", place)
    monkeypatch.setattr(one_grid, "_left_grids", lambda *_, **__: True)
    monkeypatch.setattr(one_grid, "rows_at_once", lambda *_: 8)

    kr.fit(network, data, optimizer="adam", batch_size=6, n_steps=12, rng=np.random.default_rng(0))

    assert sizes == [20, 7, 20]  # at the start, and after steps 5 and 10


REFUSED = {
    "no rng": (
        {"optimizer": "adam", "batch_size": 4},
        "rng is None, but must be a numpy.random.Generator",
    ),
    "a seed": (
        {"optimizer": "adam", "batch_size": 4, "rng": 0},
        "rng is 0, but must be a numpy.random.Generator",
    ),
    "a seed without batches": (
        {"optimizer": "adam", "rng": 0},
        "rng is 0, but must be a numpy.random.Generator",
    ),
    "lbfgs": (
        {"optimizer": "lbfgs", "batch_size": 4},
        "batch_size is 4, but optimizer 'lbfgs' needs all samples at every step",
    ),
    "the default": (
        {"batch_size": 4},
        "batch_size is 4, but optimizer 'lm' needs all samples at every step",
    ),
    "zero": ({"optimizer": "adam", "batch_size": 0}, "batch_size is 0, but must be at least 1"),
    "half": ({"optimizer": "adam", "batch_size": 2.5}, "batch_size is 2.5, but must be an integer"),
    "a rate for another": (
        {"optimizer": "lm", "learning_rate": 0.1},
        "learning_rate is 0.1, but optimizer 'lm' finds its own step lengths",
    ),
    "rate 0": (
        {"optimizer": "adam", "learning_rate": 0.0},
        "learning_rate is 0.0, but must be above 0",
    ),
    "rate below": (
        {"optimizer": "adam", "learning_rate": -1.0},
        "learning_rate is -1.0, but must be above 0",
    ),
    "lm with a penalty": (
        {"optimizer": "lm", "penalty_weight": 1e-3},
        "optimizer is 'lm', but with an L1 or entropy penalty",
    ),
    "kind": (
        {"penalty": "paperr"},
        "penalty is 'paperr', but must be one of 'paper', 'pykan', 'pykan-0.0', 'coef'",
    ),
    "negative": ({"penalty_weight": -1.0}, "penalty_weight is -1.0, but must be at least 0"),
    "negative l1": ({"l1_weight": -1.0}, "l1_weight is -1.0, but must be at least 0"),
    "nan": ({"entropy_weight": np.nan}, "entropy_weight is nan, but must be finite"),
}


@for_all("name", REFUSED)
def test_fit_refuses_settings_by_name(name):
    network, data = problem()
    arguments, sentence = REFUSED[name]

    with pytest.raises((ValueError, TypeError)) as refusal:
        kr.fit(network, data, n_steps=1, **arguments)

    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
