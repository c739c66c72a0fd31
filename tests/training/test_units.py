"""Training does not depend on the units of the data, or `stopped` says that it does."""

import numpy as np
import pytest

import kan_ref as kr
from kan_ref.training.data_goal import check_batch
from kan_ref.training.notes import note_on_units

# shift and factor of each input, shift and factor of the targets
UNITS = {
    "moved inputs": ([300.0, 0.0], [1.0, 1.0], 0.0, 1.0),
    "large inputs": ([0.0, 0.0], [1e5, 1e5], 0.0, 1.0),
    "one small input": ([0.0, 0.0], [1e-6, 1.0], 0.0, 1.0),
    "large targets": ([0.0, 0.0], [1.0, 1.0], 0.0, 1e6),
    "small targets": ([0.0, 0.0], [1.0, 1.0], 0.0, 1e-6),
    "moved targets": ([0.0, 0.0], [1.0, 1.0], 1e6, 1.0),
    "everything": ([300.0, -5.0], [1e5, 1e-6], 1e6, 1e6),
}


def toy_data(shift=0.0, factor=1.0, y_shift=0.0, y_factor=1.0):
    data = kr.sample("exp_sin", n_train=200, n_test=200, rng=np.random.default_rng(0))
    shift, factor = np.array(shift), np.array(factor)
    return kr.Data(
        factor * data.x_train + shift,
        y_factor * data.y_train + y_shift,
        factor * data.x_test + shift,
        y_factor * data.y_test + y_shift,
    )


def error(data, **options):
    rng = np.random.default_rng(3)
    start = kr.best_start(
        (2, 3, 1), data, n_starts=3, n_intervals=4, degree=3, n_steps=20, rng=rng, **options
    )
    run = kr.fit(start, data, n_steps=40)
    assert "units" not in run.stopped
    return run.history.train_rmse[-1] / data.y_train.std()


@pytest.mark.long
@pytest.mark.parametrize("name", UNITS)
def test_the_relative_error_after_best_start_does_not_depend_on_units(name):
    plain, moved = error(toy_data()), error(toy_data(*UNITS[name]))

    assert plain < 0.05
    assert moved < 5.0 * plain


def random_network(data, widths=(2, 3, 1)):
    return kr.init_network(
        widths, n_intervals=4, degree=3, domain=data.x_train, rng=np.random.default_rng(0)
    )


@pytest.mark.parametrize("name", ["large inputs", "small targets", "moved targets"])
def test_a_run_from_a_network_in_other_units_says_so_with_the_remedy(name):
    data = toy_data(*UNITS[name])

    stopped = kr.fit(random_network(data), data, n_steps=3).stopped

    assert "not initialized for the units of these data" in stopped
    assert all(remedy in stopped for remedy in ("kr.best_start", "kr.scaled"))


@pytest.mark.parametrize("name", ["moved inputs", "large targets"])
def test_a_run_in_plain_variables_says_so_for_smaller_differences(name):
    data = toy_data(*UNITS[name])

    stopped = kr.fit(random_network(data), data, n_steps=3, precondition=None).stopped

    assert "not initialized for the units of these data" in stopped


@pytest.mark.parametrize("options", [{}, {"precondition": None}, {"optimizer": "adam"}])
@pytest.mark.parametrize("n_steps", [0, 2])
def test_a_run_on_data_of_size_one_says_nothing_of_units(options, n_steps):
    data = toy_data([0.5, -1.0], [2.0, 0.3], 3.0, 4.0)

    assert "units" not in kr.fit(random_network(data), data, n_steps=n_steps, **options).stopped


def test_constant_targets_have_no_units():
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    data = kr.Data(x, np.full((50, 1), 7.0), x, np.full((50, 1), 7.0))

    assert "units" not in kr.fit(random_network(data), data, n_steps=1).stopped


@pytest.mark.parametrize(("error", "noted"), [(0.9e-2, False), (1.1e-2, True)])
def test_an_error_below_a_hundredth_of_the_targets_says_that_units_did_no_harm(error, noted):
    data = toy_data(*UNITS["moved targets"])
    network = random_network(data)
    goal = check_batch(network, data.x_train, data.y_train)

    note = note_on_units(network, goal, error * data.y_train.std(), scaled=True)

    assert bool(note) is noted


def test_the_deviation_of_several_targets_is_that_of_each_about_its_own_mean():
    data = toy_data()
    y = np.hstack([data.y_train + 1e5, data.y_train - 1e5])
    data = kr.Data(data.x_train, y, data.x_train, y)

    stopped = kr.fit(random_network(data, (2, 2)), data, n_steps=0).stopped

    assert f"and standard deviation {data.y_train[:, 0].std():.3g})" in stopped
