"""Of several short runs the best one on held-out training samples is chosen. Test data are never looked at."""

from types import SimpleNamespace

import numpy as np
import pytest
from oracles_training import bits, root_mean_square, samples

import kan_ref as kr
from kan_ref.training import fit, starts
from kan_ref.training.starts import Starts


def toy(x):
    return np.exp(np.sin(np.pi * x[:, :1]) + x[:, 1:] ** 2)


def toy_data(n_train=60, seed=0):
    return samples(toy, 2, np.random.default_rng(seed), n_train=n_train)


def run(data, *, seed=1, widths=(2, 1, 1), n_starts=4, n_steps=6, **options):
    settings = {"n_intervals": 3, "degree": 3, "domain": (-1.0, 1.0)} | options
    return kr.run_starts(
        widths,
        data,
        n_starts=n_starts,
        n_steps=n_steps,
        rng=np.random.default_rng(seed),
        **settings,
    )


def recorded(monkeypatch, record):
    """Let every short run note the data that it is given."""
    from kan_ref.training import fitting, starts

    def watched(network, data, **options):
        record.append((network, data, options))
        return fitting.fit(network, data, **options)

    monkeypatch.setattr(starts, "fit", watched)


# --- the choice


def test_the_best_on_the_samples_set_aside_is_chosen():
    starts = run(toy_data(), n_starts=6)

    assert starts.validation_rmse.shape == starts.train_rmse.shape == (6,)
    assert starts.chosen == int(np.argmin(starts.validation_rmse))
    assert len(np.unique(starts.validation_rmse)) == 6


def test_the_network_is_the_trained_one_of_the_chosen_start(monkeypatch):
    record = []
    recorded(monkeypatch, record)

    starts = run(toy_data())

    _, part, _ = record[starts.chosen]
    validation, train = starts.validation_rmse[starts.chosen], starts.train_rmse[starts.chosen]
    assert root_mean_square(starts.network(part.x_test), part.y_test) == pytest.approx(
        validation, rel=1e-12
    )
    assert root_mean_square(starts.network(part.x_train), part.y_train) == pytest.approx(
        train, rel=1e-12
    )


def test_starts_are_compared_by_the_errors_of_the_networks_that_their_runs_return(monkeypatch):
    """Where hidden grids move these need not be the last networks of the runs."""
    runs = []

    def with_large_steps(network, data, **options):
        options |= {"optimizer": "adam", "learning_rate": 0.3}
        runs.append((fit(network, data, **options), data))
        return runs[-1][0]

    monkeypatch.setattr("kan_ref.training.starts.fit", with_large_steps)
    starts = run(toy_data(), widths=(2, 3, 3, 1), n_steps=12)

    errors = [root_mean_square(one.network(part.x_test), part.y_test) for one, part in runs]
    assert max(one.history.step[one.entry] for one, _ in runs) < 12
    np.testing.assert_allclose(starts.validation_rmse, errors, rtol=1e-12)
    assert starts.network is runs[int(np.argmin(errors))][0].network


@pytest.mark.parametrize(("share", "n_aside"), [(0.2, 12), (0.5, 30), (0.04, 2)])
def test_samples_set_aside_are_training_samples_that_no_run_trains_on(monkeypatch, share, n_aside):
    record, data = [], toy_data()
    recorded(monkeypatch, record)

    run(data, validation_share=share)

    pairs = {(*x, *y) for x, y in zip(data.x_train.tolist(), data.y_train.tolist(), strict=True)}
    for _, part, _ in record:
        kept, aside = (
            {(*x, *y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)}
            for xs, ys in ((part.x_train, part.y_train), (part.x_test, part.y_test))
        )
        assert len(aside) == n_aside
        assert len(kept) == 60 - n_aside
        assert kept | aside == pairs


def test_all_starts_are_compared_on_the_same_samples(monkeypatch):
    record = []
    recorded(monkeypatch, record)

    run(toy_data())

    assert len(record) == 4
    for _, part, _ in record[1:]:
        np.testing.assert_array_equal(part.x_test, record[0][1].x_test)
        np.testing.assert_array_equal(part.y_train, record[0][1].y_train)


def test_samples_are_set_aside_by_chance_and_not_from_one_end(monkeypatch):
    record, data = [], toy_data()
    recorded(monkeypatch, record)

    run(data, seed=1)
    run(data, seed=2)

    first, second = record[0][1].x_test, record[4][1].x_test
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, data.x_train[:12])
    assert not np.array_equal(first, data.x_train[-12:])


@pytest.mark.parametrize(("n_train", "share"), [(60, 0.0), (4, 0.2), (1, 0.5)])
def test_where_no_sample_can_be_spared_the_training_samples_themselves_decide(n_train, share):
    starts = run(toy_data(n_train), validation_share=share)

    np.testing.assert_array_equal(starts.validation_rmse, starts.train_rmse)


def test_test_data_are_never_looked_at():
    data = toy_data()
    other = SimpleNamespace(
        x_train=data.x_train,
        y_train=data.y_train,
        x_test=data.x_test[:3] + 5.0,
        y_test=data.y_test[:3] - 9.0,
    )

    one, two = run(data), run(other)

    assert bits(one.network) == bits(two.network)
    np.testing.assert_array_equal(one.validation_rmse, two.validation_rmse)


# --- the runs


def test_every_start_is_a_draw_of_its_own(monkeypatch):
    record = []
    recorded(monkeypatch, record)

    run(toy_data())

    thetas = [network.theta for network, _, _ in record]
    assert len({theta.tobytes() for theta in thetas}) == 4


def test_settings_reach_every_run_and_every_network(monkeypatch):
    record = []
    recorded(monkeypatch, record)

    run(
        toy_data(),
        widths=(2, 3, 1),
        n_intervals=4,
        degree=2,
        base="identity",
        n_steps=2,
        optimizer="lbfgs",
        smoothness_weight=1e-3,
    )

    for network, _, options in record:
        assert network.widths == (2, 3, 1)
        assert [(layer.n_intervals, layer.degree, layer.base) for layer in network.layers] == [
            (4, 2, "identity")
        ] * 2
        assert options["optimizer"] == "lbfgs"
        assert options["n_steps"] == 2
        assert options["smoothness_weight"] == 1e-3


def test_without_a_domain_the_first_grid_holds_all_training_samples_with_5_per_cent_beside_them():
    """Also those set aside: the domain is what is known of the inputs, not what was drawn for training."""
    data = toy_data()

    starts = run(data, domain=None, n_steps=0)

    low, high = data.x_train.min(axis=0), data.x_train.max(axis=0)
    pad = 0.05 * (high - low)
    np.testing.assert_allclose(
        starts.network.layers[0].breakpoints[:, [0, -1]],
        np.stack([low - pad, high + pad], axis=1),
        rtol=1e-13,
    )


def test_a_given_domain_is_kept():
    starts = run(toy_data(), domain=[[-2.0, 1.0], [-1.0, 3.0]], n_steps=1)

    np.testing.assert_array_equal(
        starts.network.layers[0].breakpoints[:, [0, -1]], [[-2.0, 1.0], [-1.0, 3.0]]
    )


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_network():
    one, same, other = (run(toy_data(), seed=seed) for seed in (1, 1, 2))

    assert bits(one.network) == bits(same.network)
    np.testing.assert_array_equal(one.validation_rmse, same.validation_rmse)
    np.testing.assert_array_equal(one.train_rmse, same.train_rmse)
    assert bits(one.network) != bits(other.network)


def test_more_starts_begin_with_the_same_ones():
    few, more = run(toy_data(), n_starts=2), run(toy_data(), n_starts=4)

    np.testing.assert_array_equal(more.validation_rmse[:2], few.validation_rmse)


def test_one_start_is_chosen_without_a_contest():
    starts = run(toy_data(), n_starts=1)

    assert starts.chosen == 0
    assert starts.n_failed == 0


def test_best_start_is_the_network_of_the_starts():
    data = toy_data()
    settings = {
        "n_starts": 3,
        "n_intervals": 3,
        "degree": 2,
        "domain": (-1.5, 1.5),
        "base": "identity",
        "n_steps": 4,
        "optimizer": "lbfgs",
    }
    settings |= {"smoothness_weight": 1e-4, "validation_share": 0.3}

    network = kr.best_start((2, 2, 1), data, **settings, rng=np.random.default_rng(3))

    assert bits(network) == bits(
        kr.run_starts((2, 2, 1), data, **settings, rng=np.random.default_rng(3)).network
    )


def test_a_callback_stops_each_of_the_starts():
    data, steps = toy_data(20), []

    def second(step):
        steps.append(step.step)
        return step.step == 2

    options = {"n_starts": 2, "n_intervals": 3, "degree": 2, "rng": np.random.default_rng(3)}
    kr.run_starts((2, 1), data, **options, callback=second)

    assert steps == [0, 1, 2] * 2


def test_best_start_has_the_defaults_of_the_starts():
    data = toy_data(20)

    network = kr.best_start((2, 1), data, n_intervals=3, degree=2, rng=np.random.default_rng(3))

    assert bits(network) == bits(
        kr.run_starts((2, 1), data, n_intervals=3, degree=2, rng=np.random.default_rng(3)).network
    )


def test_labels_are_fitted_by_the_loss_for_classes_and_the_smallest_loss_decides():
    rng = np.random.default_rng(0)
    x = rng.uniform(1e3, 2e3, (60, 1))
    labels = (x[:, 0] > 1.5e3).astype(int)
    data = kr.Data(x, labels, x, labels)
    options = {"n_intervals": 2, "degree": 2, "n_starts": 3, "n_steps": 15}

    starts = kr.run_starts((1, 2), data, loss="cross_entropy", **options, rng=rng)

    assert starts.chosen == np.argmin(starts.validation_loss)
    assert np.mean(kr.predict_labels(starts.network, x) == labels) > 0.95
    answers = kr.Data(x, labels[:, None], x, labels[:, None])
    network = kr.best_start((1, 1), answers, loss="logistic", **options, rng=rng)
    assert np.mean(kr.predict_labels(network, x) == labels) > 0.95
    with pytest.raises(ValueError, match="loss is 'hinge', but must be one of"):
        kr.best_start((1, 2), data, loss="hinge", **options, rng=rng)
    with pytest.raises(ValueError, match="but 1 outputs have labels 0 to 0"):
        kr.best_start((1, 1), data, loss="cross_entropy", **options, rng=rng)


def test_the_data_stay_as_they_are():
    data = toy_data()
    before = {name: array.tobytes() for name, array in vars(data).items()}

    run(data)

    assert {name: array.tobytes() for name, array in vars(data).items()} == before


# --- the count of what failed


def test_a_start_has_failed_that_is_more_than_ten_times_worse_than_the_best():
    errors = np.array([1e-3, 9.9e-3, 1.0e-2, 1.01e-2, 3.0])
    network = run(toy_data(5), n_starts=1, n_steps=0).network

    starts = Starts(network, 0, errors, errors)

    assert starts.n_failed == 2
    assert repr(starts) == "Starts(5 starts, validation_rmse 1.0e-03 to 3.0e+00, 2 failed)"


def test_the_best_of_many_starts_finds_the_basin_that_single_ones_miss():
    """[2, 1, 1] on exp(sin(pi x) + y^2): a part of all draws ends in a basin ten times worse; the chosen one does not."""
    data = samples(toy, 2, np.random.default_rng(0), n_train=200, n_test=200)

    starts = run(data, n_starts=8, n_steps=30)

    assert 0 < starts.n_failed < 8
    assert root_mean_square(starts.network(data.x_test), data.y_test) <= 0.05


def test_an_interrupt_during_the_starts_is_passed_on(monkeypatch):
    data = kr.sample("exp_sin", n_train=30, n_test=10, rng=np.random.default_rng(0))
    network = kr.init_network(
        (2, 1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=np.random.default_rng(0)
    )

    def interrupt(step):
        raise KeyboardInterrupt

    interrupted = kr.fit(network, data, n_steps=2, callback=interrupt)
    monkeypatch.setattr("kan_ref.training.starts.fit", lambda *given, **options: interrupted)

    assert interrupted.interrupted
    with pytest.raises(KeyboardInterrupt):
        kr.run_starts((2, 1, 1), data, n_intervals=3, degree=3, rng=np.random.default_rng(0))


def test_networks_of_classes_begin_with_outputs_for_minus_one_and_one(monkeypatch):
    """Logits of both signs: labels of 0 and 2 would move every output to one side."""
    rng = np.random.default_rng(0)
    x, labels = rng.uniform(-1.0, 1.0, (60, 2)), np.arange(60) % 2
    seen, right = [], starts.init_network

    def init_network(*arguments, **options):
        seen.append(np.unique(options["y"]).tolist())
        return right(*arguments, **options)

    monkeypatch.setattr(starts, "init_network", init_network)
    data = kr.Data(x, labels, x[:6], labels[:6])
    kr.best_start(
        (2, 2), data, n_intervals=3, degree=3, loss="cross_entropy", n_steps=1, n_starts=2, rng=rng
    )

    assert seen == [[-1.0, 1.0]] * 2
