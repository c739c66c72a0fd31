"""fit_smooth: the weight of each grid wins on samples set aside, training never raises errors there, test data are not looked at."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.training.smooth_fit import WEIGHTS


@cache
def few_samples(seed=0, n=150, noise=0.0):
    rng = np.random.default_rng(seed)
    data = kr.sample("exp_sin", n_train=n, n_test=400, noise=noise, rng=rng)
    network = kr.best_start(
        (2, 1, 1), data, n_intervals=3, degree=3, domain=(-1.0, 1.0), n_steps=20, rng=rng
    )
    return network, data


def smooth(network, data, **changes):
    return kr.fit_smooth(
        network,
        data,
        **({"grids": (3, 6, 12), "n_steps": 10, "rng": np.random.default_rng(0)} | changes),
    )


def rmse(network, x, y):
    return float(np.sqrt(np.mean((network(x) - y) ** 2)))


def test_each_grid_has_the_candidate_with_the_least_error_on_the_samples_set_aside():
    network, data = few_samples()

    run = smooth(network, data)

    assert [grid.n_intervals for grid in run.grids] == [3, 6, 12]
    assert run.network is run.grids[-1].network
    for grid in run.grids:
        assert len(grid.rivals) == len(WEIGHTS) + 1
        assert grid.validation_rmse == grid.rivals.min()
        assert grid.weight == (None, *WEIGHTS)[int(np.argmin(grid.rivals))]
        assert [layer.n_intervals for layer in grid.network.layers] == [grid.n_intervals] * 2


@pytest.mark.parametrize("seed", range(3))
def test_training_on_a_grid_never_raises_the_error_on_the_samples_set_aside_but_refining_may(seed):
    rng = np.random.default_rng(seed)
    network = kr.init_network((2, 1, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    x = rng.uniform(-1.0, 1.0, (60, 2))
    exact = kr.Data(x, network(x), x, network(x))

    run = smooth(network, exact, grids=(3, 4), weights=(0.0, 1e-4), n_steps=2)

    assert all(grid.validation_rmse <= grid.rivals[0] for grid in run.grids)
    before, refined = run.grids[0].validation_rmse, run.grids[1].rivals[0]
    assert before < 1e-14
    assert refined > 1e-6  # 4 intervals do not contain the breakpoints of 3


def test_the_reported_errors_are_those_of_the_samples_set_aside_and_kept():
    network, data = few_samples()
    order = np.random.default_rng(0).permutation(150)

    grid = smooth(network, data, validation_share=0.3).grids[-1]

    aside, kept = order[:45], order[45:]
    assert grid.validation_rmse == pytest.approx(
        rmse(grid.network, data.x_train[aside], data.y_train[aside]), rel=1e-12
    )
    assert grid.train_rmse == pytest.approx(
        rmse(grid.network, data.x_train[kept], data.y_train[kept]), rel=1e-12
    )


def test_the_winner_is_what_fit_makes_of_the_kept_samples_with_its_weight():
    network, data = few_samples()
    order = np.random.default_rng(0).permutation(150)
    part = kr.Data(
        data.x_train[order[30:]],
        data.y_train[order[30:]],
        data.x_train[order[:30]],
        data.y_train[order[:30]],
    )

    (grid,) = smooth(network, data, grids=(3,), weights=(1e-8,)).grids

    expected = kr.fit(network, part, n_steps=10, smoothness_weight=1e-8)
    assert grid.rivals[1] == pytest.approx(expected.history.test_rmse[-1], rel=1e-12)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_errors_do_not_rise_far_past_the_interpolation_threshold_where_those_without_weights_do(
    seed,
):
    """150 noisy samples, up to 3 * 63 coefficients."""
    network, data = few_samples(seed, noise=0.1)
    grids = (3, 6, 12, 30, 60)

    errors = [
        rmse(grid.network, data.x_test, data.y_test)
        for grid in smooth(network, data, grids=grids).grids
    ]
    plain = [
        rmse(
            kr.fit(network, data, grids=grids[: n + 1], n_steps=10).network,
            data.x_test,
            data.y_test,
        )
        for n in range(len(grids))
    ]

    assert max(np.array(errors) / np.minimum.accumulate(errors)) <= 3.0
    assert plain[-1] > 1.5 * errors[-1]


def test_a_grid_that_does_not_help_keeps_the_curves_it_was_given():
    """Labels that are noise alone: every training is worse than none."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (60, 2))
    y = rng.normal(size=(60, 1))
    zero = kr.init_network((2, 1), n_intervals=3, degree=3, domain=(-1.0, 1.0), rng=rng)
    zero = zero.with_theta(
        0.0 * zero.theta + np.concatenate([np.zeros(12), np.zeros(2), np.ones(2)])
    )

    run = smooth(zero, kr.Data(x, y, x, y), grids=(3, 12), weights=(0.0,), n_steps=50)

    assert [grid.weight for grid in run.grids] == [None, None]
    assert np.abs(run.network(x)).max() <= 1e-12


def test_test_data_are_not_looked_at():
    network, data = few_samples()
    other = kr.Data(data.x_train, data.y_train, data.x_test[:1], 1e6 * np.ones((1, 1)))

    assert (
        smooth(network, data).network.theta.tobytes()
        == smooth(network, other).network.theta.tobytes()
    )


def test_the_same_rng_gives_the_same_run_and_the_network_stays():
    network, data = few_samples()
    before = network.theta.copy()

    first, again, other = (
        smooth(network, data, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )

    assert (
        first.network.theta.tobytes()
        == again.network.theta.tobytes()
        != other.network.theta.tobytes()
    )
    np.testing.assert_array_equal(network.theta, before)


def test_other_optimizers_and_any_data_with_four_arrays_will_do():
    network, data = few_samples()
    plain = SimpleNamespace(
        x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test
    )

    run = smooth(network, plain, optimizer="lbfgs", weights=[1e-8, 0.0], n_steps=20)

    assert run.grids[-1].validation_rmse < 0.1
    assert repr(run).startswith("SmoothRun(Network([2, 1, 1], n_intervals [12, 12]")
    assert "G 12: " in repr(run)


def test_an_interruption_is_passed_on(monkeypatch):
    network, data = few_samples()
    run = SimpleNamespace(network=network, interrupted=True)
    monkeypatch.setattr("kan_ref.training.smooth_fit.fit", lambda *arguments, **options: run)

    with pytest.raises(KeyboardInterrupt):
        smooth(network, data)


REFUSED = {
    "falling grids": ({"grids": (6, 3)}, r"grids is \(6, 3\), but must not fall"),
    "repeated grids": (
        {"grids": (3, 3)},
        r"grids is \(3, 3\), but each number of intervals must be there once",
    ),
    "no grids": ({"grids": ()}, r"grids is empty, but a schedule needs at least one number"),
    "coarser grids": ({"grids": (2,)}, "n_intervals is 2, but layer 0 has 3 already"),
    "negative weight": ({"weights": (1e-8, -1.0)}, r"weights\[1\] is -1.0, but must be at least 0"),
    "repeated weight": (
        {"weights": (0.0, 0.0)},
        r"weights is \(0.0, 0.0\), but must be numbers, at least one, each once",
    ),
    "no weight": ({"weights": ()}, r"weights is \(\), but"),
    "nothing set aside": (
        {"validation_share": 0.0},
        "validation_share is 0, but of 150 training samples it must hold out at least one",
    ),
    "labels": (
        {
            "data": SimpleNamespace(
                **dict.fromkeys(("x_train", "x_test"), np.ones((4, 2))),
                y_train=np.ones(4, int),
                y_test=np.ones(4, int),
            )
        },
        r"y_train has shape \(4,\), but needs columns of numbers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_in_a_sentence(name):
    changes, sentence = REFUSED[name]
    network, data = few_samples()

    with pytest.raises(ValueError, match=f"^{sentence}"):
        smooth(
            network,
            changes.get("data", data),
            **{key: value for key, value in changes.items() if key != "data"},
        )
