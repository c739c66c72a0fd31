"""Training for sparse networks and for classes: which optimizer runs, what the history tells, and data with labels."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from cases import for_all

import kan_ref as kr
from kan_ref.training.class_losses import cross_entropy, logistic, softmax


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

    assert run.history.test_accuracy[-1] >= 0.95


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

X = np.linspace(-0.9, 0.9, 8).reshape(4, 2)
LABELS = np.array([0, 2, 1, 0])


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_data_keep_integer_labels(dtype):
    data = kr.Data(X, LABELS.astype(dtype), X[:2], LABELS[:2].astype(dtype))

    np.testing.assert_array_equal(data.y_train, LABELS)
    assert data.y_train.dtype.kind in "iu"
    assert repr(data) == "Data(x_train (4, 2), y_train (4,), x_test (2, 2), y_test (2,))"


REFUSED = {
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
        r"y_train has shape (4,), but needs shape (n_train, n_out)",
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


@for_all("name", REFUSED)
def test_data_refuse_in_a_sentence(name):
    arrays, sentence = REFUSED[name]

    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}"):
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
