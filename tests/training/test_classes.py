"""Losses, and training for classes: direct formulas, exact gradients, which optimizer runs, what the history tells, data with labels.

Losses are the mean squared error, cross entropy and the logistic loss. Targets and labels that do not fit are rejected.
"""

import math
import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import random_batch, random_network
from oracles_training import mean_square

import kan_ref as kr
from kan_ref.numerics.differences import central_difference
from kan_ref.training.class_losses import cross_entropy, logistic, softmax
from kan_ref.training.data_goal import LOSSES, mean_square_residuals, mean_squared_error

logits = st.floats(-20, 20, allow_subnormal=False)


@st.composite
def class_cases(draw):
    """(logits (batch, n), labels (batch,), one-hot rows)."""
    batch, n = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    labels = draw(arrays(int, batch, elements=st.integers(0, n - 1)))
    return draw(arrays(float, (batch, n), elements=logits)), labels, np.eye(n)[labels]


@st.composite
def binary_cases(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 3)))
    return draw(arrays(float, shape, elements=logits)), draw(
        arrays(float, shape, elements=st.sampled_from([0.0, 1.0]))
    )


# --- values


@given(class_cases())
def test_cross_entropy_is_the_mean_of_minus_the_logarithm_of_the_right_probability(case):
    z, labels, onehot = case

    direct = sum(
        -z[b, c] + math.log(sum(math.exp(v) for v in z[b])) for b, c in enumerate(labels)
    ) / len(z)

    assert cross_entropy(z, onehot)[0] == pytest.approx(direct, rel=1e-12, abs=1e-13)


@given(binary_cases())
def test_logistic_is_the_mean_of_minus_the_logarithm_of_the_right_answer_s_probability(case):
    z, y = case

    direct = [
        math.log1p(math.exp(-v if answer == 1.0 else v))
        for v, answer in zip(z.flat, y.flat, strict=True)
    ]

    assert logistic(z, y)[0] == pytest.approx(sum(direct) / len(direct), rel=1e-12, abs=1e-14)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    assert cross_entropy(np.zeros((3, 5)), np.eye(5)[[0, 2, 4]])[0] == pytest.approx(
        math.log(5.0), rel=1e-15
    )


def test_a_logit_of_zero_costs_the_logarithm_of_two():
    assert logistic(np.zeros((2, 2)), np.eye(2))[0] == pytest.approx(math.log(2.0), rel=1e-15)


@given(binary_cases())
def test_logistic_is_cross_entropy_with_a_second_logit_of_zero(case):
    z, y = case
    z, y = z.reshape(-1, 1), y.reshape(-1, 1)

    pair, onehot = np.hstack([np.zeros_like(z), z]), np.hstack([1.0 - y, y])

    assert logistic(z, y)[0] == pytest.approx(cross_entropy(pair, onehot)[0], rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(
        logistic(z, y)[1], cross_entropy(pair, onehot)[1][:, 1:], rtol=1e-10, atol=1e-15
    )


@given(class_cases(), st.floats(-1e3, 1e3))
def test_a_shift_of_all_logits_of_a_sample_changes_nothing(case, shift):
    z, _, onehot = case
    moved = z + shift * np.arange(1.0, len(z) + 1.0)[:, None]

    assert cross_entropy(moved, onehot)[0] == pytest.approx(cross_entropy(z, onehot)[0], abs=1e-11)
    np.testing.assert_allclose(
        cross_entropy(moved, onehot)[1], cross_entropy(z, onehot)[1], atol=1e-11
    )


# --- gradients


@given(class_cases(), st.integers(0, 2**32 - 1))
def test_the_gradient_of_cross_entropy_is_exact_along_any_direction(case, seed):
    z, _, onehot = case
    direction = np.random.default_rng(seed).normal(size=z.shape)

    value, gradient = cross_entropy(z, onehot)
    slope = central_difference(lambda t: cross_entropy(z + t * direction, onehot)[0], 1e-5)

    assert abs(np.vdot(gradient, direction) - slope) <= 1e-7 * (
        np.abs(gradient * direction).sum() + 1e-2 + 1e-3 * value
    )


@given(binary_cases(), st.integers(0, 2**32 - 1))
def test_the_gradient_of_logistic_is_exact_along_any_direction(case, seed):
    z, y = case
    direction = np.random.default_rng(seed).normal(size=z.shape)

    value, gradient = logistic(z, y)
    slope = central_difference(lambda t: logistic(z + t * direction, y)[0], 1e-5)

    assert abs(np.vdot(gradient, direction) - slope) <= 1e-7 * (
        np.abs(gradient * direction).sum() + 1e-2 + 1e-3 * value
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "logistic"])
def test_the_gradient_reaches_the_parameters_of_a_network(loss):
    """Off the kinks there are none in degrees 3 and 4: a whole network, along a random direction."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        network = random_network(rng, widths=(2, 3, 3), degrees=(3, 4), kind="uneven", dead=0.1)
        x = random_batch(rng, network.layers[0], 5)
        y = rng.integers(0, 3, 5) if loss == "cross_entropy" else rng.integers(0, 2, (5, 3))
        direction = rng.normal(size=network.n_params)

        value, gradient = kr.value_and_grad(network, x, y, loss)
        slope = central_difference(
            lambda t: kr.value_and_grad(
                network.with_theta(network.theta + t * direction), x, y, loss
            )[0],
            1e-6,
        )

        assert abs(gradient @ direction - slope) <= 1e-7 * (
            np.abs(gradient * direction).sum() + value
        )


@given(class_cases())
def test_the_pulls_on_the_logits_of_a_sample_sum_to_zero(case):
    z, _, onehot = case

    np.testing.assert_allclose(cross_entropy(z, onehot)[1].sum(axis=1), 0.0, atol=1e-15)


# --- any size


@pytest.mark.parametrize("size", [1e4, 1e300])
def test_huge_logits_cost_a_finite_number_without_a_warning(size):
    z, onehot = np.array([[size, -size], [size, -size]]), np.eye(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, gradient = cross_entropy(z, onehot)
        answer, pull = logistic(z, onehot)

    assert loss == pytest.approx(size, rel=1e-15)  # right: 0, wrong: 2 size, on average size
    np.testing.assert_array_equal(gradient, [[0.0, 0.0], [0.5, -0.5]])
    assert answer == pytest.approx(size / 2.0, rel=1e-15)  # two right, two wrong by size
    np.testing.assert_array_equal(pull, [[0.0, 0.0], [0.25, -0.25]])


def test_probabilities_of_huge_logits_are_zero_and_one():
    np.testing.assert_array_equal(softmax(np.array([[1e4, -1e4, 0.0]])), [[1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(
        LOSSES["logistic"].probabilities(np.array([[1e4, -1e4, 0.0]])), [[1.0, 0.0, 0.5]]
    )


def test_no_samples_have_no_probabilities():
    network = kr.init_network(
        (1, 2), n_intervals=2, degree=3, domain=(-1, 1), rng=np.random.default_rng(0)
    )

    for loss in ("logistic", "cross_entropy"):
        assert kr.predict_proba(network, np.zeros((0, 1)), loss=loss).shape == (0, 2)


def test_small_probabilities_keep_their_digits():
    """At z = 40 the right answer costs exp(-40), not the 0 that log(1 - p) would give; at -40 the wrong sigmoid is exp(-40)."""
    assert logistic(np.array([[40.0]]), np.array([[1.0]]))[0] == pytest.approx(
        math.exp(-40.0), rel=1e-14
    )
    assert logistic(np.array([[-40.0]]), np.array([[0.0]]))[1][0, 0] == pytest.approx(
        math.exp(-40.0), rel=1e-14
    )


@given(class_cases())
def test_probabilities_sum_to_one(case):
    np.testing.assert_allclose(softmax(case[0]).sum(axis=1), 1.0, rtol=1e-15)


def test_losses_write_into_nothing_that_they_are_given():
    z, y = np.array([[1.0, -2.0]]), np.array([[0.0, 1.0]])
    z.flags.writeable = y.flags.writeable = False

    for loss in LOSSES.values():
        loss.value_and_grad(z, y)
        if loss.probabilities is not None:
            loss.probabilities(z)

    np.testing.assert_array_equal(z, [[1.0, -2.0]])


# --- answers


def test_a_class_is_hit_where_its_logit_is_the_largest():
    hits = LOSSES["cross_entropy"].hits(
        np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 1.0]]), np.eye(3)[[1, 2]]
    )

    np.testing.assert_array_equal(hits, [1.0, 0.0])


def test_a_yes_is_a_positive_logit():
    hits = LOSSES["logistic"].hits(
        np.array([[1.0, -1.0], [0.5, -0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    )

    np.testing.assert_array_equal(hits, [[1.0, 1.0], [0.0, 0.0]])


# --- the door


def network(n_out=3):
    return kr.init_network(
        (2, n_out), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )


X = np.linspace(-0.9, 0.9, 8).reshape(4, 2)
REFUSED = {
    "too large": (
        "cross_entropy",
        [0, 1, 3, 2],
        "y is 3 at position 2, but 3 outputs have labels 0 to 2",
    ),
    "of a small type": (
        "cross_entropy",
        np.array([0, 255, 1, 2], dtype=np.uint8),
        "y is 255 at position 1, but 3 outputs have labels 0 to 2",
    ),
    "negative": (
        "cross_entropy",
        [0, -1, 1, 2],
        "y is -1 at position 1, but 3 outputs have labels 0 to 2",
    ),
    "float labels": (
        "cross_entropy",
        np.array([0.0, 1.0, 2.0, 0.0]),
        "y has dtype float64 and shape (4,), but class labels are integers",
    ),
    "booleans": (
        "cross_entropy",
        np.array([True, False, True, False]),
        "y has dtype bool and shape (4,), but class labels are integers",
    ),
    "text": (
        "cross_entropy",
        ["a", "b", "c", "a"],
        "y has dtype <U1 and shape (4,), but class labels are integers",
    ),
    "a column": (
        "cross_entropy",
        [[0], [1], [2], [0]],
        "y has dtype int64 and shape (4, 1), but class labels are integers",
    ),
    "one-hot": (
        "cross_entropy",
        np.eye(4, 3, dtype=int),
        "y has dtype int64 and shape (4, 3), but class labels are integers",
    ),
    "a number": (
        "cross_entropy",
        1,
        "y has dtype int64 and shape (), but class labels are integers",
    ),
    "ragged": ("cross_entropy", [[0], [1, 2], [0], [1]], "y is not a rectangular array"),
    "lengths": ("cross_entropy", [0, 1, 2], "y has 3 rows, but x has 4"),
    "half an answer": (
        "logistic",
        np.full((4, 3), 0.5),
        "y is 0.5 at row 0, column 0, but every answer must be 0 or 1",
    ),
    "minus one": (
        "logistic",
        np.array([[1, 0, 1], [0, 0, -1], [1, 1, 1], [0, 0, 0]]),
        "y is -1 at row 1, column 2, but every answer",
    ),
    "flat answers": (
        "logistic",
        np.array([0.0, 1.0, 0.0, 1.0]),
        "y has shape (4,), but needs shape (batch, n_out)",
    ),
    "too few answers": (
        "logistic",
        np.ones((4, 2)),
        "y has shape (4, 2), but needs shape (batch, 3)",
    ),
}


@for_all("name", REFUSED)
def test_targets_are_refused_by_name_and_position(name):
    loss, y, sentence = REFUSED[name]

    with pytest.raises((ValueError, TypeError)) as refusal:
        kr.value_and_grad(network(), X, y, loss)

    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_labels_may_be_integers_of_any_size(dtype):
    labels = np.array([0, 1, 2, 0])

    expected = kr.value_and_grad(network(), X, labels, "cross_entropy")

    assert kr.value_and_grad(network(), X, labels.astype(dtype), "cross_entropy")[0] == expected[0]
    assert kr.value_and_grad(network(), X, labels.tolist(), "cross_entropy")[0] == expected[0]


def test_an_unknown_loss_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError,
        match=r"loss is 'cross_entorpy', but must be one of .*did you mean 'cross_entropy'",
    ):
        kr.value_and_grad(network(), X, [0, 1, 2, 0], "cross_entorpy")


numbers = st.floats(-100, 100, allow_subnormal=False)


@st.composite
def predictions(draw):
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 4)))
    return draw(arrays(float, shape, elements=numbers)), draw(
        arrays(float, shape, elements=numbers)
    )


@given(predictions())
def test_the_loss_is_the_mean_of_the_squares_of_all_numbers(case):
    prediction, y = case

    assert mean_squared_error(prediction, y)[0] == pytest.approx(
        mean_square(prediction, y), rel=1e-14, abs=1e-300
    )


@given(predictions(), st.integers(0, 2**32 - 1))
def test_the_gradient_is_exact_along_any_direction(case, seed):
    """The loss is a quadratic, so a central difference has no error of truncation, however wide."""
    prediction, y = case
    direction = np.random.default_rng(seed).normal(size=y.shape)

    _, d_prediction = mean_squared_error(prediction, y)
    difference = (
        mean_squared_error(prediction + direction, y)[0]
        - mean_squared_error(prediction - direction, y)[0]
    ) / 2

    scale = np.abs(prediction).max() + np.abs(y).max() + 1.0
    assert abs(np.vdot(d_prediction, direction) - difference) <= 1e-13 * scale**2


@given(predictions())
def test_the_squares_of_the_residuals_sum_to_the_loss(case):
    prediction, y = case

    residuals = mean_square_residuals(prediction, y)

    assert residuals @ residuals == pytest.approx(
        mean_squared_error(prediction, y)[0], rel=1e-14, abs=1e-300
    )


def test_residuals_run_through_the_outputs_of_the_first_sample_first():
    prediction = np.array([[1.0, 2.0], [3.0, 4.0]])

    residuals = mean_square_residuals(prediction, np.zeros((2, 2)))

    np.testing.assert_array_equal(residuals, [0.5, 1.0, 1.5, 2.0])


def test_the_gradient_is_twice_the_residuals_times_their_slope():
    rng = np.random.default_rng(0)
    prediction, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))

    _, d_prediction = mean_squared_error(prediction, y)

    np.testing.assert_allclose(
        d_prediction.ravel(), 2 * mean_square_residuals(prediction, y) / np.sqrt(15), rtol=1e-15
    )


def test_a_perfect_prediction_costs_exactly_nothing_and_pulls_nowhere():
    y = np.random.default_rng(0).normal(size=(4, 2))

    loss, d_prediction = mean_squared_error(y.copy(), y)

    assert loss == 0.0
    assert not d_prediction.any()
    assert not mean_square_residuals(y.copy(), y).any()


def test_repeating_the_batch_leaves_the_loss_and_halves_the_gradient_of_each_sample():
    rng = np.random.default_rng(0)
    prediction, y = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))

    once, twice = (
        mean_squared_error(prediction, y),
        mean_squared_error(np.tile(prediction, (2, 1)), np.tile(y, (2, 1))),
    )

    assert twice[0] == pytest.approx(once[0], rel=1e-15)
    np.testing.assert_allclose(twice[1][:5], once[1] / 2, rtol=1e-15)


def test_the_loss_writes_into_nothing_that_it_is_given():
    prediction, y = np.ones((2, 2)), np.zeros((2, 2))
    prediction.flags.writeable = y.flags.writeable = False

    mean_squared_error(prediction, y)
    residuals = mean_square_residuals(prediction, y)

    residuals[0] = 7.0
    np.testing.assert_array_equal(prediction, np.ones((2, 2)))


# --- training


def ring(n, rng):
    """Points of a square; class 0 inside a circle, 1 outside on the left, 2 outside on the right; a gap between them."""
    x = rng.uniform(-1.0, 1.0, (8 * n, 2))
    radius = np.hypot(x[:, 0], x[:, 1])
    labels = np.where(radius < 0.55, 0, np.where(x[:, 0] < 0.0, 1, 2))
    clear = (np.abs(radius - 0.55) > 0.05) & ((radius < 0.55) | (np.abs(x[:, 0]) > 0.05))
    return x[clear][:n], labels[clear][:n]


def class_problem(widths=(2, 3)):
    rng = np.random.default_rng(0)
    data = kr.Data(*ring(150, rng), *ring(80, rng))
    return kr.init_network(widths, n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng), data


def regression_problem(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.95, 0.95, (60, 2))
    data = kr.Data(x, np.sin(3.0 * x[:, :1]), x[:20], np.sin(3.0 * x[:20, :1]))
    return kr.init_network((2, 2, 1), n_intervals=4, degree=3, domain=(-1.0, 1.0), rng=rng), data


# --- penalties


@pytest.mark.parametrize(
    "settings", [{"penalty_weight": 1e-2}, {"loss": "logistic"}], ids=["penalty", "loss"]
)
def test_without_a_name_the_optimizer_is_lbfgs_where_there_are_no_residuals(settings):
    network, data = regression_problem()
    if "loss" in settings:
        data = kr.Data(
            data.x_train,
            (data.y_train > 0.0).astype(int),
            data.x_test,
            (data.y_test > 0.0).astype(int),
        )

    chosen = kr.fit(network, data, n_steps=5, **settings)
    lbfgs = kr.fit(network, data, n_steps=5, optimizer="lbfgs", **settings)

    assert chosen.network.theta.tobytes() == lbfgs.network.theta.tobytes()
    assert len(chosen.history.step) > 1


def test_without_a_penalty_the_optimizer_stays_least_squares():
    network, data = regression_problem()

    for settings in (
        {},
        {"penalty_weight": 0.0},
        {"penalty_weight": 1.0, "l1_weight": 0.0, "entropy_weight": 0.0},
    ):
        chosen, lm = (
            kr.fit(network, data, n_steps=3, **settings),
            kr.fit(network, data, n_steps=3, optimizer="lm"),
        )
        assert chosen.network.theta.tobytes() == lm.network.theta.tobytes()


@pytest.mark.parametrize("kind", ["paper", "pykan", "pykan-0.0", "coef"])
def test_loss_and_penalty_together_fall_at_every_step_and_the_history_tells_both(kind):
    network, data = regression_problem()

    run = kr.fit(
        network,
        data,
        n_steps=20,
        penalty=kind,
        penalty_weight=1e-2,
        entropy_weight=2.0,
        update_grids=False,
    )

    values = run.history.train_loss + run.history.penalty
    value, _ = kr.value_and_grad(
        run.network,
        data.x_train,
        data.y_train,
        penalty=kind,
        penalty_weight=1e-2,
        entropy_weight=2.0,
    )
    assert (np.diff(values) <= 0.0).all()
    assert values[-1] < values[0]
    assert values[-1] == pytest.approx(value, rel=1e-12)
    assert (run.history.penalty > 0.0).all()


@pytest.mark.long
def test_a_penalty_silences_the_feature_that_does_not_matter():
    """y = sin(3 x_1): in the median of 9 seeds, what leaves input 2 is a tenth or less of what leaves it without a penalty."""

    def share_of_the_second(weight, seed):
        network, data = regression_problem(seed)
        trained = kr.fit(
            network, data, optimizer="lbfgs", n_steps=200, penalty_weight=weight, entropy_weight=0.0
        ).network
        first, second = kr.edge_scores(trained, data.x_train)[0].max(axis=0)
        return second / first

    with_penalty, without = (
        np.median([share_of_the_second(weight, seed) for seed in range(9)])
        for weight in (1e-2, 0.0)
    )

    assert with_penalty < 0.1 * without


def test_a_penalty_goes_along_with_smoothness_grids_and_a_part_of_the_parameters():
    network, data = regression_problem()

    run = kr.fit(
        network,
        data,
        n_steps=5,
        penalty_weight=1e-3,
        smoothness_weight=1e-4,
        grids=(4, 8),
        trainable=("coef",),
    )

    assert [layer.n_intervals for layer in run.network.layers] == [8, 8]
    assert run.history.train_loss[-1] < run.history.train_loss[0]
    for old, new in zip(network.layers, run.network.layers, strict=True):
        np.testing.assert_array_equal(new.w_base, old.w_base)


# --- classes


def test_labels_are_learned():
    network, data = class_problem()

    run = kr.fit(network, data, loss="cross_entropy", n_steps=60)

    right = run.network(data.x_test).argmax(axis=1) == data.y_test
    assert right.mean() >= 0.95
    assert run.history.test_accuracy[-1] == pytest.approx(right.mean(), rel=1e-15)
    assert run.history.train_accuracy[-1] >= 0.95 > run.history.train_accuracy[0]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_an_mlp_learns_labels(activation):
    _, data = class_problem()

    run = kr.fit(
        kr.init_mlp((2, 16, 3), activation=activation, rng=np.random.default_rng(1)),
        data,
        loss="cross_entropy",
        n_steps=100,
    )

    assert run.history.test_accuracy[-1] >= 0.9


def test_yes_and_no_are_learned():
    network, data = class_problem((2, 1))
    answers = kr.Data(
        data.x_train,
        (data.y_train[:, None] == 0).astype(int),
        data.x_test,
        (data.y_test[:, None] == 0).astype(int),
    )

    run = kr.fit(network, answers, loss="logistic", n_steps=60)

    right = (run.network(data.x_test) > 0.0) == (answers.y_test == 1)
    assert right.mean() >= 0.95
    assert run.history.test_accuracy[-1] == pytest.approx(right.mean(), rel=1e-15)


def test_the_loss_in_the_history_is_the_mean_itself_and_rmse_is_that_of_probabilities():
    network, data = class_problem()

    history = kr.fit(network, data, loss="cross_entropy", n_steps=0).history

    for part in ("train", "test"):
        x, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        z, onehot = network(x), np.eye(3)[labels]
        assert getattr(history, f"{part}_loss")[0] == pytest.approx(
            cross_entropy(z, onehot)[0], rel=1e-13
        )
        assert getattr(history, f"{part}_rmse")[0] == pytest.approx(
            np.sqrt(np.mean((softmax(z) - onehot) ** 2)), rel=1e-13
        )
        assert getattr(history, f"{part}_accuracy")[0] == np.mean(z.argmax(axis=1) == labels)


def test_answers_of_several_columns_are_counted_one_by_one():
    network, data = class_problem()
    y = np.eye(3)[data.y_train]

    history = kr.fit(
        network, kr.Data(data.x_train, y, data.x_train, y), loss="logistic", n_steps=0
    ).history

    z = network(data.x_train)
    assert history.train_accuracy[0] == pytest.approx(np.mean((z > 0.0) == (y == 1.0)), rel=1e-15)
    assert history.train_loss[0] == pytest.approx(logistic(z, y)[0], rel=1e-14)
    assert history.train_rmse[0] == pytest.approx(
        np.sqrt(np.mean((1.0 / (1.0 + np.exp(-z)) - y) ** 2)), rel=1e-13
    )


def test_numbers_to_predict_have_a_loss_of_their_squared_rmse_and_no_accuracy():
    network, data = regression_problem()

    history = kr.fit(network, data, n_steps=3).history

    np.testing.assert_allclose(history.train_loss, history.train_rmse**2, rtol=1e-13)
    np.testing.assert_allclose(history.test_loss, history.test_rmse**2, rtol=1e-13)
    assert np.isnan(history.train_accuracy).all()
    assert np.isnan(history.test_accuracy).all()


def test_a_callback_sees_loss_and_accuracy_and_may_stop_at_them():
    network, data = class_problem()
    seen = []

    run = kr.fit(
        network,
        data,
        loss="cross_entropy",
        n_steps=60,
        callback=lambda step: seen.append(step) or step.train_accuracy > 0.9,
    )

    assert "callback" in run.stopped
    assert seen[-1].train_accuracy > 0.9
    assert [step.train_loss for step in seen] == run.history.train_loss.tolist()


def test_a_run_for_classes_tells_its_accuracy():
    network, data = class_problem()

    run = kr.fit(network, data, loss="cross_entropy", n_steps=5)

    assert f"{run.history.test_accuracy[-1]:.3f}"[:4] in repr(run)


def test_classes_go_along_with_penalties_and_finer_grids():
    network, data = class_problem((2, 2, 3))

    run = kr.fit(network, data, loss="cross_entropy", n_steps=30, penalty_weight=1e-4, grids=(4, 6))

    assert run.history.test_accuracy[-1] >= 0.9
    assert run.history.n_intervals[-1] == 6


# --- data with labels

LABELS = np.array([0, 2, 1, 0])


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_data_keep_integer_labels(dtype):
    data = kr.Data(X, LABELS.astype(dtype), X[:2], LABELS[:2].astype(dtype))

    np.testing.assert_array_equal(data.y_train, LABELS)
    assert data.y_train.dtype.kind in "iu"
    assert repr(data) == "Data(x_train (4, 2), y_train (4,), x_test (2, 2), y_test (2,))"


REFUSED_LABELS = {
    "float labels": (
        (X, LABELS.astype(float), X, LABELS),
        r"y_train has shape (4,), but needs shape (n_train, n_out)",
    ),
    "float answers": (
        (X, LABELS, X, LABELS.astype(float)),
        r"y_test has shape (4,), but needs shape (n_test, n_out)",
    ),
    "booleans": (
        (X, LABELS > 0, X, LABELS),
        r"y_train has dtype bool, but needs real numbers",
    ),
    "flat x": (
        (LABELS, LABELS, X, LABELS),
        r"x_train has shape (4,), but needs shape (n_train, n_in)",
    ),
    "lengths": ((X, LABELS[:3], X, LABELS), r"y_train has 3 rows, but x_train has 4"),
    "lengths of the test": ((X, LABELS, X[:3], LABELS), r"y_test has 4 rows, but x_test has 3"),
    "labels and columns": (
        (X, LABELS, X, LABELS[:, None]),
        r"y_test has shape (4, 1), but y_train (4,): both need columns, or both",
    ),
    "columns and labels": (
        (X, LABELS[:, None], X, LABELS),
        r"y_test has shape (4,), but y_train (4, 1): both need columns, or both",
    ),
}


@for_all("name", REFUSED_LABELS)
def test_data_refuse_in_a_sentence(name):
    arrays, sentence = REFUSED_LABELS[name]

    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(sentence)}"):
        kr.Data(*arrays)


FIT_REFUSED = {
    "training labels": (
        {"y_train": np.array([0, 2, 3, 0])},
        {},
        "y_train is 3 at position 2, but 3 outputs have labels 0 to 2",
    ),
    "test labels": (
        {"y_test": np.array([0, -1, 1, 0])},
        {},
        "y_test is -1 at position 1, but 3 outputs have labels 0 to 2",
    ),
    "float labels": (
        {"y_train": LABELS * 1.0},
        {},
        "y_train has dtype float64 and shape (4,), but class labels are integers",
    ),
    "columns": (
        {"y_train": LABELS[:, None]},
        {},
        "y_train has dtype int64 and shape (4, 1), but class labels are integers",
    ),
    "labels for numbers": (
        {},
        {"loss": "mse"},
        "y_train has shape (4,), but needs shape (batch, n_out)",
    ),
    "labels for answers": (
        {},
        {"loss": "logistic"},
        "y_train has shape (4,), but needs shape (batch, n_out)",
    ),
    "lm": (
        {},
        {"optimizer": "lm"},
        "optimizer is 'lm', but loss 'cross_entropy' is not a sum of squares: take 'lbfgs'",
    ),
}


@pytest.mark.parametrize("name", FIT_REFUSED)
def test_fit_refuses_labels_by_name_and_position(name):
    changes, settings, sentence = FIT_REFUSED[name]
    data = SimpleNamespace(
        **({"x_train": X, "y_train": LABELS, "x_test": X, "y_test": LABELS} | changes)
    )
    network = kr.init_network(
        (2, 3), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises((ValueError, TypeError)) as refusal:
        kr.fit(network, data, n_steps=1, **({"loss": "cross_entropy"} | settings))

    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)
