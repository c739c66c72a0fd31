"""Noisy tables: what cross-validation chooses, and that the choice is as robust as the mean of the targets."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.training.objective import check_batch
from kan_ref.training.validation import split_goal

FEW = {"n_steps": 30, "weights": (1e-2, 0.1), "n_folds": 3}


def table(f, n_inputs=2, *, n=120, noise=0.3, seed=0):
    """Standardised samples of f with noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (2 * n, n_inputs))
    y = f(x).reshape(2 * n, -1)
    y = (y - y.mean(axis=0)) / max(y.std(), 1e-12)
    noisy = y + noise * rng.standard_normal(y.shape)
    return kr.Data(x[:n], noisy[:n] - noisy[:n].mean(axis=0), x[n:], y[n:])


def validated(data, **changes):
    return kr.fit_validated(data, **({"rng": np.random.default_rng(0)} | FEW | changes))


@pytest.mark.parametrize(
    ("f", "architecture"),
    [
        (lambda x: 0.0 * x[:, 0], "constant"),
        (lambda x: x[:, 0] - x[:, 1], "linear"),
        (lambda x: np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2, "additive"),
        (lambda x: x[:, 0] * x[:, 1], "hidden"),
    ],
    ids=["constant", "linear", "additive", "hidden"],
)
def test_the_simplest_sufficient_architecture_is_chosen(f, architecture):
    data = table(f, noise=0.3 if architecture != "constant" else 1.0, seed=1)

    run = validated(data)

    assert run.chosen.architecture == architecture
    assert run.chosen in run.candidates
    assert run.stopped.startswith("chosen of 7: " + architecture)


# --- early stopping


def noisy(n=60, seed=0):
    """Few noisy samples of two inputs, which a fine grid overfits."""
    return table(lambda x: np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2, n=n, noise=0.5, seed=seed)


def network_for(data, widths=(2, 5, 1), n_intervals=3):
    rng = np.random.default_rng(0)
    return kr.init_network(
        widths, n_intervals=n_intervals, degree=3, domain=(-2.0, 2.0), x=data.x_train, rng=rng
    )


def watched(data, network=None, **changes):
    options = {"n_steps": 40, "validation_share": 0.25, "rng": np.random.default_rng(0)}
    return kr.fit(network_for(data) if network is None else network, data, **(options | changes))


@pytest.mark.parametrize("optimizer", ["lm", "lbfgs", "bfgs", "ssbroyden", "adam"])
def test_the_network_with_the_smallest_held_out_loss_is_returned(optimizer):
    data = noisy()
    shown = []

    run = watched(data, optimizer=optimizer, callback=lambda step: shown.append(step) and None)

    place = int(np.argmin(run.history.validation_loss))
    np.testing.assert_array_equal(run.network.theta, shown[place].network.theta)
    assert f"the network is that of step {run.history.step[place]}," in run.stopped
    assert "on 15 samples" in run.stopped


def test_held_out_losses_are_those_of_samples_that_training_does_not_see():
    data = noisy(n=40)
    seen = []
    train, held_out = split_goal(
        check_batch(network_for(data), data.x_train, data.y_train), 0.25, np.random.default_rng(0)
    )
    changed = data.y_train.copy()
    changed[np.isin(data.x_train[:, 0], held_out.x[:, 0])] += 7.0

    run = watched(data, callback=lambda step: seen.append(step.network) and None)
    other = watched(kr.Data(data.x_train, changed, data.x_test, data.y_test))

    assert len(train.x) == 30
    for entry, network in enumerate(seen):
        error = np.sqrt(np.mean((network(held_out.x) - held_out.targets) ** 2))
        assert run.history.validation_rmse[entry] == pytest.approx(error, rel=1e-12)
    np.testing.assert_array_equal(run.history.train_rmse, other.history.train_rmse)
    assert other.history.validation_rmse[0] > run.history.validation_rmse[0]


def test_overfitting_is_stopped():
    data = noisy()

    run, blind = watched(data, n_steps=100), kr.fit(network_for(data), data)

    error = np.sqrt(np.mean((run.network(data.x_test) - data.y_test) ** 2))
    assert blind.history.test_rmse[-1] > 2.0 * error


def test_patience_counts_steps_without_a_smaller_held_out_loss():
    run = watched(noisy(), patience=4)

    best = int(np.argmin(run.history.validation_loss))
    assert run.history.step[-1] == run.history.step[best] + 4 < 40
    assert run.stopped.startswith("no smaller held-out loss in 4 steps in a row (patience)")


def test_patience_ends_a_grid_and_the_next_one_counts_anew():
    run = watched(noisy(), patience=3, grids=(3, 6, 12))

    history = run.history
    for n_intervals in np.unique(history.n_intervals):
        inside = history.n_intervals == n_intervals
        before = history.validation_loss[history.n_intervals < n_intervals]
        least = np.minimum.accumulate(np.append(before, history.validation_loss[inside]))
        fell = np.append(np.inf, least[len(before) - 1 if len(before) else 0 :])
        assert (np.diff(fell)[-3:] == 0.0).all()
    assert run.network.n_intervals == history.n_intervals[int(np.argmin(history.validation_loss))]


def test_a_grid_that_brings_no_smaller_loss_ends_a_run_with_patience():
    data = noisy(n=30)
    run = watched(data, network_for(data), patience=2, grids=(3, 6, 12, 24, 48))

    assert run.history.n_intervals[-1] < 48
    assert "patience" in run.stopped


def test_each_grid_begins_with_the_best_network_so_far():
    data = noisy()
    one_layer = network_for(data, (2, 1), n_intervals=8)  # its refinement keeps the function
    run = watched(data, one_layer, grids=(8, 16))

    history = run.history
    first_of_second = int(np.flatnonzero(history.n_intervals == 16)[0])
    least = history.validation_loss[:first_of_second].min()
    assert history.validation_loss[first_of_second] == pytest.approx(least, rel=1e-9)
    assert history.validation_loss[first_of_second - 1] > 1.01 * least


def test_without_a_share_nothing_is_held_out_and_nothing_changes():
    data = noisy()

    run, plain = watched(data, validation_share=0.0), kr.fit(network_for(data), data, n_steps=40)

    np.testing.assert_array_equal(run.network.theta, plain.network.theta)
    assert np.isnan(run.history.validation_rmse).all()
    assert np.isnan(run.history.validation_loss).all()


def test_classes_keep_their_shares_and_a_single_sample_is_trained_on():
    labels = np.repeat([0, 1, 2], [20, 8, 1])
    goal = check_batch(
        kr.init_network(
            (1, 3), n_intervals=2, degree=1, domain=(0.0, 29.0), rng=np.random.default_rng(0)
        ),
        np.arange(29.0)[:, None],
        labels,
        loss="cross_entropy",
    )

    for rng in (None, np.random.default_rng(3)):
        train, held_out = split_goal(goal, 0.25, rng)
        assert held_out.targets.sum(axis=0).tolist() == [5.0, 2.0, 0.0]
        assert len(train.x) + len(held_out.x) == 29


def test_without_rng_no_column_of_a_rectangular_grid_is_held_out_whole():
    x = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=2).reshape(-1, 2)
    network = network_for(kr.Data(x, x[:, :1], x, x[:, :1]), (2, 1))

    train, held_out = split_goal(check_batch(network, x, x[:, :1]), 0.2, None)

    assert len(held_out.x) == 80
    for column in (0, 1):
        assert np.bincount(train.x[:, column].astype(int)).min() >= 12


def test_class_losses_choose_by_the_loss_and_batches_see_the_rest_alone():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (80, 2))
    labels = (x[:, 0] * x[:, 1] + 0.2 * rng.standard_normal(80) > 0.0).astype(int)
    network = kr.init_network((2, 3, 2), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    data = kr.Data(x, labels, x, labels)

    run = watched(
        data,
        network,
        loss="cross_entropy",
        optimizer="adam",
        batch_size=8,
        patience=30,
        n_steps=200,
    )

    best = int(np.argmin(run.history.validation_loss))
    value = run.history.validation_loss[best]
    assert f"{value:.3g} on 20 samples" in run.stopped
    assert 0.0 <= run.history.validation_accuracy[best] <= 1.0
    assert f"validation_rmse {run.history.validation_rmse[best]:.2e}" in repr(run)


def test_an_interrupted_run_returns_the_network_with_the_smallest_held_out_loss():
    def interrupt(step):
        if step.step == 30:
            raise KeyboardInterrupt

    run = watched(noisy(), callback=interrupt)
    full = watched(noisy(), n_steps=30)

    assert run.interrupted
    np.testing.assert_array_equal(run.network.theta, full.network.theta)
    assert "with the smallest held-out loss" in run.stopped


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"validation_share": 0.6}, ValueError, "validation_share is 0.6"),
        ({"validation_share": "most"}, TypeError, "validation_share is 'most'"),
        ({"validation_share": 0.01}, ValueError, "of 60 training samples it must hold out"),
        ({"patience": 0}, ValueError, "patience is 0, but must be at least 1"),
        (
            {"patience": 5, "validation_share": 0.0},
            ValueError,
            "patience is 5, but without held-out samples .* give validation_share=0.2 too",
        ),
        ({"rng": 3}, TypeError, "rng is 3"),
    ],
)
def test_settings_of_early_stopping_are_checked(options, error, sentence):
    with pytest.raises(error, match=sentence):
        watched(noisy(), **options)


def test_a_problem_of_differential_equations_has_no_samples_to_hold_out():
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    problem = kr.residual_problem([kr.value_term(x, 0.0)])
    network = kr.init_network(
        (1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    with pytest.raises(ValueError, match="leave it at 0"):
        kr.fit(network, problem=problem, validation_share=0.2)
